/* SPDX-License-Identifier: ISC
 *
 * rowsmake: see rowsmake.h.
 */
#include "inside/rowsmake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/progress.h"
#include "inside/incoming.h"
#include "inside/judge.h"
#include "inside/store.h"

/* What is asked of the spool's quota for each byte of a table; the worker is held to LIMIT_ROWS_GROWTH. */
#define ROOM_GROWTH 2

static enum fault send_open(struct worker *worker, const struct record *record, int fd, const char *what,
			    struct refusal *why)
{
	_cleanup_close_ int owned = fd;

	if (owned < 0)
		return refuse(why, FAULT_STORAGE, "%s: %s", what, strerror(-owned));
	return crew_send(worker, record, owned, why);
}

static enum fault send_package(const struct inside *inside, const struct spool *spool, const struct verdict *verdict,
			       struct worker *worker, struct refusal *why)
{
	struct record record = record_new(RECORD_ROWS);

	memcpy(record.version.dataset, verdict->dataset, sizeof(record.version.dataset));
	record.version.version = verdict->version;
	return send_open(worker, &record, judge_open_plain(inside, spool, verdict->dataset, &verdict->version),
			 "a datapackage.json", why);
}

/* Which of them are tables is for the worker to see. */
static enum fault send_tables(const struct inside *inside, const struct spool *spool, const struct verdict *verdict,
			      struct worker *worker, struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	for (size_t i = 0; i < verdict->n_resources && fault == FAULT_NONE; i++) {
		const struct record_resource *resource = &verdict->resources[i];
		struct record record = record_new(RECORD_TABLE);
		int fd = judge_open_plain(inside, spool, verdict->dataset, &resource->sha256);
		int64_t size = fd < 0 ? 0 : fd_size(fd);

		memcpy(record.target.dataset, verdict->dataset, sizeof(record.target.dataset));
		snprintf(record.target.file, sizeof(record.target.file), "%s", resource->name);
		record.target.sha256 = resource->sha256;
		record.target.length = size < 0 ? 0 : (uint64_t)size;
		fault = send_open(worker, &record, fd, resource->name, why);
	}
	return fault;
}

/* That of the version in force, which may be of the same tables. */
static enum fault send_old(const struct inside *inside, const struct verdict *verdict, struct worker *worker,
			   struct refusal *why)
{
	struct record record = record_new(RECORD_ROWS_OLD);
	char version[STORE_VERSION_SIZE], wanted[STORE_VERSION_SIZE];
	uint64_t generation;
	int fd;

	store_version_name(&verdict->version, wanted);
	if (store_current(inside->store_fd, &generation) < 0 || generation == 0 ||
	    store_generation_version(inside->store_fd, generation, verdict->dataset, version) < 0 ||
	    strcmp(version, wanted) == 0)
		return FAULT_NONE;
	fd = store_open_rows(inside->store_fd, verdict->dataset, version);
	return fd < 0 ? FAULT_NONE : send_open(worker, &record, fd, "an SQLite file", why);
}

static enum fault ask(const struct inside *inside, const struct spool *spool, const struct verdict *verdict, int fd,
		      struct worker *worker, struct refusal *why)
{
	struct record database = record_new(RECORD_DATABASE), spill = record_new(RECORD_SPILL),
		      go = record_new(RECORD_GO);
	enum fault fault;

	spill.spill.memory = LIMIT_KEY_MEMORY;
	if ((fault = send_package(inside, spool, verdict, worker, why)) != FAULT_NONE ||
	    (fault = send_tables(inside, spool, verdict, worker, why)) != FAULT_NONE ||
	    (fault = send_old(inside, verdict, worker, why)) != FAULT_NONE ||
	    (fault = crew_send(worker, &database, fd, why)) != FAULT_NONE)
		return fault;
	for (size_t i = 0; i < LIMIT_ROWS_SPILLS && fault == FAULT_NONE; i++)
		fault = send_open(worker, &spill, spool_temporary(spool), "a spill file", why);
	return fault == FAULT_NONE ? crew_send(worker, &go, -1, why) : fault;
}

static enum fault answer(struct worker *worker, struct refusal *why)
{
	struct record record;
	struct refusal end = {FAULT_NONE, ""};
	enum fault fault = crew_receive(worker, &record, why);

	if (fault != FAULT_NONE)
		return fault;
	if (record.kind != RECORD_END || !crew_is_end((enum fault)record.end.fault)) {
		worker_kill(worker);
		return refuse(why, FAULT_WORKER, "inside-rows sent what was not asked");
	}
	record_end_fault(&record, &end);
	if ((fault = crew_finish(worker, why)) != FAULT_NONE)
		return fault;
	/* Whatever it met, to the supervisor it is that there is no such file. */
	return end.fault == FAULT_NONE ? FAULT_NONE : refuse(why, FAULT_ROWS_BUILD, "%s", end.line);
}

static enum fault talk(const struct inside *inside, const struct spool *spool, const struct verdict *verdict, int fd,
		       struct refusal *why)
{
	struct worker worker = WORKER_NONE;
	char label[NOTATION_NAME_SIZE + 16];
	enum fault fault = crew_start(inside, COMP_ROWS, &worker, why);

	if (fault != FAULT_NONE)
		return fault;
	snprintf(label, sizeof(label), "%s: rows", verdict->dataset);
	progress_begin(label, 0, NULL);
	progress_watch_size(fd);
	fault = ask(inside, spool, verdict, fd, &worker, why);
	if (fault == FAULT_NONE)
		fault = answer(&worker, why);
	else
		worker_kill(&worker);
	progress_end();
	return fault;
}

/* The worker is dead: what it left is inside-commit's, by its hash. */
static int name_output(const struct inside *inside, const struct spool *spool, const char *name, int fd,
		       struct record_put *put)
{
	char hex[SHA256_HEX_SIZE];
	int r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : hash_fd(fd, LIMIT_PLAIN_SIZE, &put->sha256, &put->size);

	if (r == 0)
		r = crew_give(inside, COMP_COMMIT, fd);
	sha256_to_hex(&put->sha256, hex);
	if (r == 0 && (fchmod(fd, 0440) < 0 || renameat(spool->fd, name, spool->fd, hex) < 0))
		r = -errno;
	return r;
}

static enum fault check_room(const struct inside *inside, const struct spool *spool, const struct verdict *verdict,
			     struct refusal *why)
{
	int64_t size = 0;

	for (size_t i = 0; i < spool->n_members; i++)
		size += (int64_t)spool->members[i].size;
	for (size_t i = 0; i < verdict->n_resources; i++) {
		_cleanup_close_ int fd = judge_open_plain(inside, spool, verdict->dataset,
							  &verdict->resources[i].sha256);

		if (fd >= 0 && verdict->resources[i].rows > 0)
			size += ROOM_GROWTH * fd_size(fd);
	}
	return incoming_spool_has_room(inside, size, why);
}

enum fault rowsmake_run(const struct inside *inside, const struct spool *spool, const struct verdict *verdict,
			struct record *ret_record, struct refusal *why)
{
	struct record record = record_new(RECORD_PUT_ROWS);
	char name[NOTATION_NAME_SIZE + 8];
	_cleanup_close_ int fd = -1;
	enum fault fault = check_room(inside, spool, verdict, why);
	int r;

	if (fault != FAULT_NONE)
		return fault;
	snprintf(name, sizeof(name), ".rows-%s", verdict->dataset);
	fd = openat(spool->fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return refuse(why, FAULT_STORAGE, "spool: %s: %s", name, strerror(errno));
	fault = talk(inside, spool, verdict, fd, why);
	memcpy(record.put.dataset, verdict->dataset, sizeof(record.put.dataset));
	record.put.version = verdict->version;
	r = fault == FAULT_NONE ? name_output(inside, spool, name, fd, &record.put) : 0;
	if (r < 0)
		fault = refuse(why, FAULT_STORAGE, "spool: %s: %s", name, strerror(-r));
	if (fault != FAULT_NONE)
		fd_remove_tree(spool->fd, name);
	else
		*ret_record = record;
	return fault;
}
