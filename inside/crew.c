/* SPDX-License-Identifier: ISC
 *
 * crew: starting, talking, reaping. Descriptors are handed over and closed on our side at once, so that no worker's file
 * stays open in the process that starts the next one.
 */
#include "inside/crew.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/ipc.h"
#include "base/log.h"
#include "bundle/notation.h"
#include "bundle/progress.h"

static const char *const programs[] = {
	[COMP_UNPACK] = "inside-unpack", [COMP_VERIFY] = "inside-verify", [COMP_CHECK] = "inside-check",
	[COMP_COMMIT] = "inside-commit", [COMP_LOG] = "inside-log",       [COMP_ROWS] = "inside-rows",
};

/* A folder of the spool: what is in it is found by its name, while inside-unpack behind a socket fills it, and read afterwards. */
#define SPOOL_MODE_FOUND 0711
#define SPOOL_MODE_FILLED 0733
#define SPOOL_MODE_READ 0755
#define SPOOL_FILE_MODE 0444

bool crew_is_apart(const struct inside *inside, enum comp comp)
{
	return inside->config->sockets != NULL || (geteuid() == 0 && inside->config->users[comp] != NULL);
}

/* --- the spool ------------------------------------------------------------------------------------------------------- */

enum fault spool_open(const struct inside *inside, const char *name, struct spool *ret_spool, struct refusal *why)
{
	struct spool spool = SPOOL_NONE;
	int r = fd_remove_tree(inside->spool_fd, name);

	if (r == 0)
		r = spool.fd = fd_make_dir(inside->spool_fd, name, 0700);
	/* For workers with accounts of their own. The folder above is closed: who has the descriptor comes in, nobody else. */
	if (r >= 0 && crew_is_apart(inside, COMP_COMMIT) && fchmod(spool.fd, SPOOL_MODE_FOUND) < 0)
		r = -errno;
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "%s/%s: %s", inside->config->spool, name, strerror(-r));
	snprintf(spool.name, sizeof(spool.name), "%s", name);
	*ret_spool = spool;
	return FAULT_NONE;
}

void spool_close(const struct inside *inside, struct spool *spool)
{
	int r;

	if (spool->fd < 0)
		return;
	close(spool->fd);
	free(spool->members);
	r = fd_remove_tree(inside->spool_fd, spool->name);
	if (r < 0)
		log_warning("%s/%s: %s", inside->config->spool, spool->name, strerror(-r));
	*spool = (struct spool)SPOOL_NONE;
}

static int compare_members(const void *a, const void *b)
{
	return memcmp(&((const struct record_member *)a)->sha256, &((const struct record_member *)b)->sha256,
		      SHA256_SIZE);
}

const struct record_member *spool_blob(const struct spool *spool, const struct sha256 *sha256)
{
	struct record_member key = {.sha256 = *sha256};
	const struct record_member *found;

	if (spool == NULL || spool->n_members == 0)
		return NULL;
	found = bsearch(&key, spool->members, spool->n_members, sizeof(key), compare_members);
	/* The same bytes may be a metadata member too: its neighbours have the same hash. */
	while (found != NULL && found > spool->members && compare_members(found - 1, &key) == 0)
		found--;
	for (; found != NULL && found < spool->members + spool->n_members && compare_members(found, &key) == 0; found++)
		if (found->is_blob)
			return found;
	return NULL;
}

int spool_temporary(const struct spool *spool)
{
	int fd = openat(spool->fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

/* --- one worker ------------------------------------------------------------------------------------------------------ */

enum fault crew_start(const struct inside *inside, enum comp comp, struct worker *ret_worker, struct refusal *why)
{
	struct worker_options options = {.user = inside->config->users[comp],
					 .sockets = inside->config->sockets,
					 .seconds = inside->config->worker_time,
					 .test_bench = inside->config->test_bench};
	int r;

	/* A worker that dies while we write to it is its own story, not our death. */
	signal(SIGPIPE, SIG_IGN);
	r = worker_start(programs[comp], &options, ret_worker);
	if (r == -EPERM && options.user == NULL)
		return refuse(why, FAULT_CONFIGURATION, "%s: as root, \"users\" must name whom the workers run as",
			      inside->config->path);
	if (r == -ESRCH)
		return refuse(why, FAULT_CONFIGURATION, "%s: there is no account %s", inside->config->path,
			      options.user);
	if (r < 0)
		return refuse(why, FAULT_WORKER, "%s cannot be started: %s", programs[comp], strerror(-r));
	return FAULT_NONE;
}

static int64_t seconds_now(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		die_errno("CLOCK_MONOTONIC");
	return now.tv_sec;
}

enum fault crew_start_check(struct inside *inside, struct worker *ret_worker, struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	if (inside->spare_check.pid > 0) {
		*ret_worker = inside->spare_check;
		ret_worker->until += seconds_now() - inside->spare_since;
		inside->spare_check = (struct worker)WORKER_NONE;
	} else {
		fault = crew_start(inside, COMP_CHECK, ret_worker, why);
	}
	/* Where it cannot be had its turn comes, and says why. */
	if (fault == FAULT_NONE && inside->n_checks_ahead > 0) {
		inside->spare_since = seconds_now();
		crew_start(inside, COMP_CHECK, &inside->spare_check, NULL);
	}
	return fault;
}

void crew_drop_spare(struct inside *inside)
{
	worker_kill(&inside->spare_check);
}

enum fault crew_send(struct worker *worker, const struct record *record, int fd, struct refusal *why)
{
	int r;

	if (!record_check(record))
		return refuse(why, FAULT_WORKER, "a record (kind %u) for %s is out of form", record->kind,
			      worker->name);
	r = ipc_send(worker->sock, record, sizeof(*record), fd);
	return r < 0 ? refuse(why, FAULT_WORKER, "%s: %s", worker->name, strerror(-r)) : FAULT_NONE;
}

/* Kills or reaps, and says how it ended. */
static enum fault broken(struct worker *worker, const char *how, struct refusal *why)
{
	const char *name = worker->name;

	worker_kill(worker);
	return refuse(why, FAULT_WORKER, "%s %s", name, how);
}

/* Shows how far it is until it has something to say; true where its time is over. Where nothing is shown the socket itself waits. */
static bool wait_shown(const struct worker *worker)
{
	struct pollfd fd = {worker->sock, POLLIN, 0};
	int n = 0;

	while (n == 0 && progress_is_on()) {
		if (worker_is_late(worker))
			return true;
		n = progress_poll(&fd, 1);
	}
	return false;
}

enum fault crew_receive(struct worker *worker, struct record *ret_record, struct refusal *why)
{
	const char *name = worker->name;
	int r = wait_shown(worker) ? -EAGAIN : ipc_receive(worker->sock, ret_record, sizeof(*ret_record), NULL);

	if (r == 0) {
		enum worker_end end = worker_finish(worker);

		return refuse(why, FAULT_WORKER, "%s %s", name,
			      end == WORKER_KILLED ? "was killed, or crashed" : "ended before its answer");
	}
	if (r == -EAGAIN || (r > 0 && worker_is_late(worker)))
		return broken(worker, "took longer than \"workerTime\" allows", why);
	if (r < 0)
		return broken(worker, "broke off", why);
	if (!record_check(ret_record))
		return broken(worker, "sent a record out of form", why);
	return FAULT_NONE;
}

bool crew_is_end(enum fault fault)
{
	return fault == FAULT_NONE || (fault_kind(fault) != FAULT_KIND_DONE && fault_kind(fault) != FAULT_KIND_HELD);
}

enum fault crew_finish(struct worker *worker, struct refusal *why)
{
	const char *name = worker->name;

	if (worker_finish(worker) == WORKER_DONE)
		return FAULT_NONE;
	return refuse(why, FAULT_WORKER, "%s failed after its answer", name);
}

int crew_give(const struct inside *inside, enum comp comp, int fd)
{
	uid_t uid;
	gid_t gid;

	if (geteuid() != 0 || inside->config->users[comp] == NULL)
		return 0;
	if (!worker_user(inside->config->users[comp], &uid, &gid))
		return -ESRCH;
	return fchown(fd, uid, gid) < 0 ? -errno : 0;
}

int crew_hand_over(const struct inside *inside, const struct spool *spool, const char *name,
		   const struct sha256 *sha256)
{
	_cleanup_close_ int fd = fd_open_regular_beneath(spool->fd, name, O_RDONLY);
	int r = fd < 0 ? fd : crew_give(inside, COMP_COMMIT, fd);
	char hex[SHA256_HEX_SIZE];

	sha256_to_hex(sha256, hex);
	if (r == 0 && (fchmod(fd, 0440) < 0 || renameat(spool->fd, name, spool->fd, hex) < 0))
		r = -errno;
	return r;
}

static enum fault send_folder(struct worker *worker, enum folder folder, int fd, struct refusal *why)
{
	struct record record = record_new(RECORD_FOLDER);

	record.folder.folder = folder;
	return crew_send(worker, &record, fd, why);
}

static enum fault send_kind(struct worker *worker, enum record_kind kind, int fd, struct refusal *why)
{
	struct record record = record_new(kind);

	return crew_send(worker, &record, fd, why);
}

/* --- unpack ---------------------------------------------------------------------------------------------------------- */

/* The worker is dead: now its files become inside-commit's to link, and inside-verify's to read. They are public data. Behind
 * sockets they stay inside-unpack's, whose folder is closed to it from here on: inside-commit copies them. */
static int take_members(const struct inside *inside, const struct spool *spool)
{
	int r = crew_give(inside, COMP_COMMIT, spool->fd);

	if (r == 0 && fchmod(spool->fd, SPOOL_MODE_READ) < 0)
		r = -errno;
	if (inside->config->sockets != NULL)
		return r;
	for (size_t i = 0; r == 0 && i < spool->n_members; i++) {
		char hex[SHA256_HEX_SIZE];
		_cleanup_close_ int fd = -1;

		sha256_to_hex(&spool->members[i].sha256, hex);
		fd = fd_open_regular_beneath(spool->fd, hex, O_RDONLY);
		if (fd < 0)
			return fd;
		r = crew_give(inside, COMP_COMMIT, fd);
		if (r == 0 && fchmod(fd, SPOOL_FILE_MODE) < 0)
			r = -errno;
	}
	return r;
}

static enum fault receive_members(struct worker *worker, struct spool *spool, struct refusal *why)
{
	for (;;) {
		struct record record;
		enum fault fault = crew_receive(worker, &record, why);

		if (fault != FAULT_NONE)
			return fault;
		if (record.kind == RECORD_END && !crew_is_end((enum fault)record.end.fault))
			return broken(worker, "ended with what it cannot know", why);
		if (record.kind == RECORD_END) {
			struct refusal late = {0};

			fault = crew_finish(worker, &late);
			if (fault != FAULT_NONE && why != NULL)
				*why = late;
			return fault != FAULT_NONE ? fault : record_end_fault(&record, why);
		}
		if (record.kind != RECORD_MEMBER || spool->n_members >= LIMIT_MEMBERS)
			return broken(worker, "sent what was not asked", why);
		if ((spool->n_members & (spool->n_members - 1)) == 0)
			spool->members = xrealloc(spool->members, spool->n_members == 0 ? 1 : 2 * spool->n_members,
						  sizeof(*spool->members));
		spool->members[spool->n_members++] = record.member;
	}
}

enum fault crew_unpack(const struct inside *inside, int bundle_fd, struct spool *spool, struct refusal *why)
{
	struct worker worker = WORKER_NONE;
	enum fault fault;
	int r = crew_give(inside, COMP_UNPACK, spool->fd);

	if (r == 0 && inside->config->sockets != NULL && fchmod(spool->fd, SPOOL_MODE_FILLED) < 0)
		r = -errno;
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "%s: %s", inside->config->spool, strerror(-r));
	if ((fault = crew_start(inside, COMP_UNPACK, &worker, why)) != FAULT_NONE)
		return fault;
	if ((fault = send_kind(&worker, RECORD_BUNDLE, bundle_fd, why)) != FAULT_NONE ||
	    (fault = send_folder(&worker, FOLDER_SPOOL, spool->fd, why)) != FAULT_NONE ||
	    (fault = send_kind(&worker, RECORD_GO, -1, why)) != FAULT_NONE) {
		worker_kill(&worker);
		return fault;
	}
	progress_begin("bundle: unpacking", 0, NULL);
	progress_watch_offset(bundle_fd);
	fault = receive_members(&worker, spool, why);
	progress_end();
	if (fault != FAULT_NONE)
		return fault;
	if (spool->n_members > 1)
		qsort(spool->members, spool->n_members, sizeof(*spool->members), compare_members);
	r = take_members(inside, spool);
	return r < 0 ? refuse(why, FAULT_WORKER, "inside-unpack's files: %s", strerror(-r)) : FAULT_NONE;
}

/* --- verify ---------------------------------------------------------------------------------------------------------- */

/* trust/ is closed to every worker but inside-commit. Where verify has an account of its own it reads a copy. */
static int copy_trust(const struct inside *inside, int trust_fd)
{
	_cleanup_close_ int to = -1;
	_cleanup_closedir_ DIR *dir = NULL;
	int from = openat(trust_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	dir = from < 0 ? NULL : fdopendir(from);
	if (dir == NULL)
		return -errno;
	r = fd_remove_tree(inside->spool_fd, "trust");
	to = r < 0 ? r : fd_make_dir(inside->spool_fd, "trust", SPOOL_MODE_READ);
	if (to < 0 || fchmod(to, SPOOL_MODE_READ) < 0)
		return to < 0 ? to : -errno;
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		_cleanup_close_ int in = -1, out = -1;
		uint64_t size;

		if (!notation_is_file_name(entry->d_name))
			continue;
		in = fd_open_regular_beneath(trust_fd, entry->d_name, O_RDONLY);
		if (in < 0)
			return in;
		out = openat(to, entry->d_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, SPOOL_FILE_MODE);
		r = out < 0 ? -errno : fd_copy(in, out, LIMIT_TARGETS_SIZE, &size);
		/* The umask had its say. */
		if (r == 0 && fchmod(out, SPOOL_FILE_MODE) < 0)
			r = -errno;
		if (r < 0)
			return r;
	}
	return steal_fd(&to);
}

static enum fault ask_verify(const struct inside *inside, struct worker *worker, int trust_fd,
			     const struct spool *spool, struct refusal *why)
{
	struct record clock = record_new(RECORD_CLOCK);
	enum fault fault;

	clock.clock.now = inside->now;
	clock.clock.clock_skew = inside->config->clock_skew;
	memcpy(clock.clock.max_validity, inside->config->max_validity, sizeof(clock.clock.max_validity));
	memcpy(clock.clock.schemes, inside->config->schemes, sizeof(clock.clock.schemes));
	if ((fault = crew_send(worker, &clock, -1, why)) != FAULT_NONE ||
	    (fault = send_folder(worker, FOLDER_TRUST, trust_fd, why)) != FAULT_NONE ||
	    (spool != NULL && (fault = send_folder(worker, FOLDER_SPOOL, spool->fd, why)) != FAULT_NONE))
		return fault;
	for (size_t i = 0; spool != NULL && i < spool->n_members; i++) {
		struct record member = record_new(RECORD_MEMBER);

		member.member = spool->members[i];
		if (!member.member.is_blob && (fault = crew_send(worker, &member, -1, why)) != FAULT_NONE)
			return fault;
	}
	return send_kind(worker, RECORD_GO, -1, why);
}

static enum fault receive_catalogue(struct worker *worker, struct catalogue *catalogue, struct refusal *why)
{
	for (;;) {
		struct record record;
		enum fault fault = crew_receive(worker, &record, why);

		if (fault != FAULT_NONE)
			return fault;
		if (record.kind != RECORD_END) {
			if (!catalogue_add(catalogue, &record))
				return broken(worker, "sent records that do not fit together", why);
			continue;
		}
		record_end_fault(&record, &catalogue->end);
		if (!catalogue_is_whole(catalogue))
			return broken(worker, "left records out", why);
		return crew_finish(worker, why);
	}
}

static enum fault talk_with_verify(const struct inside *inside, int trust_fd, const struct spool *spool,
				   struct catalogue *catalogue, struct refusal *why)
{
	struct worker worker = WORKER_NONE;
	enum fault fault = crew_start(inside, COMP_VERIFY, &worker, why);

	if (fault != FAULT_NONE)
		return fault;
	if ((fault = ask_verify(inside, &worker, trust_fd, spool, why)) != FAULT_NONE) {
		worker_kill(&worker);
		return fault;
	}
	return receive_catalogue(&worker, catalogue, why);
}

enum fault crew_verify(const struct inside *inside, int trust_fd, const struct spool *spool,
		       struct catalogue **ret_catalogue, struct refusal *why)
{
	_cleanup_(catalogue_freep) struct catalogue *catalogue = catalogue_new();
	_cleanup_close_ int copy = -1;
	enum fault fault;
	int r;

	if (crew_is_apart(inside, COMP_VERIFY)) {
		copy = copy_trust(inside, trust_fd);
		if (copy < 0)
			return refuse(why, FAULT_STORAGE, "%s/trust: %s", inside->config->spool, strerror(-copy));
	}
	fault = talk_with_verify(inside, copy >= 0 ? copy : trust_fd, spool, catalogue, why);
	r = copy < 0 ? 0 : fd_remove_tree(inside->spool_fd, "trust");
	if (r < 0)
		log_warning("%s/trust: %s", inside->config->spool, strerror(-r));
	if (fault != FAULT_NONE)
		return fault;
	*ret_catalogue = steal_pointer(&catalogue);
	return FAULT_NONE;
}

/* --- log ------------------------------------------------------------------------------------------------------------- */

/* One of the documents beside the log's tree. */
static enum fault send_document(struct worker *worker, enum document document, json_t *root, struct refusal *why)
{
	struct record record = record_new(RECORD_PUT_DOCUMENT);
	_cleanup_close_ int fd = -1;
	size_t size;

	fd = crew_json_memory(json_incref(root), &size);
	record.document.document = document;
	record.document.size = size;
	return crew_send(worker, &record, fd, why);
}

/* A pseudonym's name is durable before the pseudonym is signed; that a thing was told is remembered after it was. */
static enum fault send_events(struct inside *inside, struct worker *worker, struct refusal *why)
{
	_cleanup_close_ int fd = fd_open_beneath(inside->store_fd, "log", O_RDONLY | O_DIRECTORY, 0);
	struct record record = record_new(RECORD_EVENT), end;
	enum fault fault;

	if (fd < 0)
		return refuse(why, FAULT_STORAGE, "%s/log: %s", inside->config->store, strerror(-fd));
	fault = send_folder(worker, FOLDER_LOG, fd, why);
	if (fault == FAULT_NONE && inside->logbook.people_changed)
		fault = send_document(worker, DOCUMENT_PEOPLE, inside->logbook.people, why);
	for (size_t i = 0; fault == FAULT_NONE && i < inside->n_events; i++) {
		record.event = inside->events[i];
		fault = crew_send(worker, &record, -1, why);
	}
	if (fault != FAULT_NONE || (fault = send_kind(worker, RECORD_SYNC, -1, why)) != FAULT_NONE ||
	    (inside->logbook.memory_changed &&
	     (fault = send_document(worker, DOCUMENT_MEMORY, inside->logbook.memory, why)) != FAULT_NONE) ||
	    (fault = send_kind(worker, RECORD_GO, -1, why)) != FAULT_NONE ||
	    (fault = crew_receive(worker, &end, why)) != FAULT_NONE)
		return fault;
	if (end.kind != RECORD_END)
		return refuse(why, FAULT_WORKER, "inside-log sent what was not asked");
	return record_end_fault(&end, why);
}

enum fault crew_log(struct inside *inside, struct refusal *why)
{
	struct worker worker = WORKER_NONE;
	enum fault fault;

	if (inside->n_events == 0)
		return FAULT_NONE;
	if ((fault = crew_start(inside, COMP_LOG, &worker, why)) != FAULT_NONE)
		return fault;
	fault = send_events(inside, &worker, why);
	if (fault != FAULT_NONE) {
		if (worker.pid > 0)
			worker_kill(&worker);
		return fault;
	}
	inside->n_events = 0;
	inside->logbook.people_changed = inside->logbook.memory_changed = false;
	return crew_finish(&worker, why);
}

/* --- commit ---------------------------------------------------------------------------------------------------------- */

int crew_json_memory(json_t *root, size_t *ret_size)
{
	_cleanup_free_ char *text = root == NULL ? NULL : json_dumps(root, JSON_INDENT(1));
	_cleanup_free_ char *line = NULL;
	int fd;

	if (text == NULL)
		die("a document of ours cannot be written");
	json_decref(root);
	line = xasprintf("%s\n", text);
	*ret_size = strlen(line);
	fd = fd_memory("clapet-document", line, *ret_size);
	if (fd < 0)
		die("a memory file: %s", strerror(-fd));
	return fd;
}

void commit_begin(const struct inside *inside, int store_fd, int spool_fd, struct commit *ret_commit)
{
	*ret_commit = (struct commit){
		.inside = inside, .store_fd = store_fd, .spool_fd = spool_fd, .worker = WORKER_NONE};
}

static void start_commit(struct commit *commit)
{
	if (crew_start(commit->inside, COMP_COMMIT, &commit->worker, &commit->why) == FAULT_NONE &&
	    send_folder(&commit->worker, FOLDER_STORE, commit->store_fd, &commit->why) == FAULT_NONE &&
	    commit->spool_fd >= 0)
		send_folder(&commit->worker, FOLDER_SPOOL, commit->spool_fd, &commit->why);
}

void commit_order(struct commit *commit, const struct record *record, int fd)
{
	if (commit->n_orders == 0 && commit->why.fault == FAULT_NONE)
		start_commit(commit);
	if (commit->why.fault != FAULT_NONE)
		return;
	crew_send(&commit->worker, record, fd, &commit->why);
	commit->n_orders++;
}

void commit_sync(struct commit *commit)
{
	struct record record = record_new(RECORD_SYNC);

	commit_order(commit, &record, -1);
}

void commit_bytes(struct commit *commit, enum document document, const void *data, size_t size)
{
	struct record record = record_new(RECORD_PUT_DOCUMENT);
	_cleanup_close_ int fd = fd_memory("clapet-document", data, size);

	if (fd < 0)
		die("a memory file: %s", strerror(-fd));
	record.document.document = document;
	record.document.size = size;
	commit_order(commit, &record, fd);
}

void commit_document(struct commit *commit, enum document document, const char *dataset, const struct sha256 *version,
		     json_t *root)
{
	struct record record = record_new(RECORD_PUT_DOCUMENT);
	_cleanup_close_ int fd = -1;
	size_t size;

	fd = crew_json_memory(root, &size);
	record.document.document = document;
	record.document.size = size;
	if (dataset != NULL)
		snprintf(record.document.dataset, sizeof(record.document.dataset), "%s", dataset);
	if (version != NULL)
		record.document.version = *version;
	commit_order(commit, &record, fd);
}

enum fault commit_end(struct commit *commit, struct refusal *why)
{
	struct record go = record_new(RECORD_GO), end;
	struct refusal last = {0};
	enum fault fault;

	if (commit->inside != NULL && commit->n_orders == 0 && commit->why.fault == FAULT_NONE)
		return FAULT_NONE;
	if (commit->worker.pid <= 0 && commit->why.fault == FAULT_NONE)
		return refuse(why, FAULT_WORKER, "inside-commit is not at work");
	if (commit->worker.pid <= 0)
		return refuse(why, commit->why.fault, "%s", commit->why.line);
	commit_order(commit, &go, -1);
	/* Even where an order could not be sent the worker may have said why: its words are better than ours. */
	progress_begin("storing", 0, NULL);
	fault = crew_receive(&commit->worker, &end, &last);
	progress_end();
	if (fault != FAULT_NONE)
		return refuse(why, last.fault, "%s", last.line);
	if (end.kind != RECORD_END)
		return broken(&commit->worker, "sent what was not asked", why);
	fault = record_end_fault(&end, &last);
	if (fault == FAULT_NONE && commit->why.fault != FAULT_NONE)
		last = commit->why;
	crew_finish(&commit->worker, last.fault == FAULT_NONE ? &last : NULL);
	return last.fault == FAULT_NONE ? FAULT_NONE : refuse(why, last.fault, "%s", last.line);
}
