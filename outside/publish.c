/* SPDX-License-Identifier: ISC
 *
 * publish: blobs and targets in the repository. A file gets its final name only after its writer is gone, its bytes were
 * hashed again and it is on the disk.
 */
#include "outside/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/progress.h"
#include "outside/keyframe.h"

/* Public data: a stock client or an auditor may read the repository. */
#define PUBLIC_MODE 0644

static void target_name(const char *file, const struct sha256 *sha256, char *name, size_t size)
{
	char hex[SHA256_HEX_SIZE];

	sha256_to_hex(sha256, hex);
	snprintf(name, size, "%s.%s", hex, file);
}

static bool has_parts(const struct agent *agent, const struct state_part *parts, size_t n_parts)
{
	for (size_t i = 0; i < n_parts; i++) {
		char hex[SHA256_HEX_SIZE];

		sha256_to_hex(&parts[i].sha256, hex);
		if (!fd_exists(agent->blobs_fd, hex))
			return false;
	}
	return true;
}

bool publish_has_blobs(const struct agent *agent, const struct state_file *file)
{
	return has_parts(agent, file->parts, file->n_parts) && has_parts(agent, file->base.parts, file->base.n_parts);
}

int publish_open_target(const struct agent *agent, const char *dataset, const char *file, const struct sha256 *sha256)
{
	char name[SHA256_HEX_SIZE + LIMIT_FILE_NAME_SIZE];
	_cleanup_free_ char *path = NULL;

	target_name(file, sha256, name, sizeof name);
	path = xasprintf("%s/%s", dataset, name);
	return fd_open_regular_beneath(agent->targets_fd, path, O_RDONLY);
}

static void part_name(size_t index, char name[32])
{
	snprintf(name, 32, ".part-%zu", index);
}

/* One run of the worker: a file that travels whole, or as a patch against a base. */
struct pack {
	const struct agent *agent;
	const char *label;
	int fd; /* the plain file */
	struct state_file *file;
	int base_fd; /* of a patch; else -1 */
	const struct state_keyframe *base;
	uint64_t max_length;      /* of a patch */
	struct state_part *parts; /* the answer */
	size_t n_parts;
};

static size_t max_parts(const struct pack *pack)
{
	/* zstd frames of noise are a little larger than the noise. */
	size_t n = (size_t)(pack->file->length / LIMIT_PART_SIZE) + 2;

	/* A patch of more than one saves too little to be one. */
	return pack->base_fd >= 0 ? 1 : n < LIMIT_PARTS ? n : LIMIT_PARTS;
}

static enum fault send_pack(struct job *job, const struct pack *pack, struct refusal *why)
{
	struct outside_record record = outside_record_new(OUTSIDE_PLAIN);

	text_copy(record.file.name, sizeof record.file.name, pack->file->name);
	record.file.size = pack->file->length;
	record.file.sha256 = pack->file->sha256;
	job_send(job, &record, pack->fd);
	if (pack->base_fd >= 0) {
		record.kind = OUTSIDE_BASE;
		record.file.sha256 = pack->base->sha256;
		record.file.size = pack->base->length;
		job_send(job, &record, pack->base_fd);
	}
	for (size_t i = 0; i < max_parts(pack); i++) {
		_cleanup_close_ int part_fd = -1;
		char name[32];

		part_name(i, name);
		part_fd = agent_new_file(job->agent->blobs_fd, name);
		if (part_fd < 0)
			return refuse(why, FAULT_STORAGE, "repository/blobs/%s: %s", name, strerror(-part_fd));
		record = outside_record_new(OUTSIDE_PART);
		record.part.index = (uint32_t)i;
		record.part.length = pack->max_length;
		job_send(job, &record, part_fd);
	}
	job_send_kind(job, OUTSIDE_GO, -1);
	return FAULT_NONE;
}

/* Takes the worker's answer; what it says of the plain file must be what we know of it. */
static enum fault receive_pack(struct job *job, struct pack *pack, struct refusal *why)
{
	const struct state_file *file = pack->file;
	struct outside_record record;
	bool has_file = false;

	while (job_receive(job, &record, why)) {
		if (record.kind == OUTSIDE_FILE && !has_file && record.file.size == file->length &&
		    sha256_equal(&record.file.sha256, &file->sha256)) {
			has_file = true;
		} else if (record.kind == OUTSIDE_PART && has_file && record.part.index == pack->n_parts &&
			   pack->n_parts < max_parts(pack)) {
			pack->parts[pack->n_parts].sha256 = record.part.sha256;
			pack->parts[pack->n_parts++].length = record.part.length;
		} else {
			job_refuse_record(job, &record, why);
			break;
		}
	}
	if (job_finish(job, why) != FAULT_NONE)
		return why->fault;
	return has_file ? FAULT_NONE : refuse(why, FAULT_WORKER, "outside-pack said nothing of %s", file->name);
}

/* The part that the worker wrote becomes blobs/<sha256>. */
static enum fault place_part(const struct agent *agent, size_t index, const struct state_part *part,
			     struct refusal *why)
{
	char name[32], hex[SHA256_HEX_SIZE];
	_cleanup_close_ int fd = -1;
	struct sha256 sha256;
	uint64_t size = 0;
	int r;

	part_name(index, name);
	sha256_to_hex(&part->sha256, hex);
	fd = fd_open_regular_beneath(agent->blobs_fd, name, O_RDONLY);
	r = fd < 0 ? fd : hash_fd(fd, LIMIT_PART_SIZE, &sha256, &size);
	if (r == 0 && (size != part->length || !sha256_equal(&sha256, &part->sha256)))
		return refuse(why, FAULT_WORKER, "outside-pack wrote another part %zu than it says", index);
	if (r == 0 &&
	    (fchmod(fd, PUBLIC_MODE) < 0 || fsync(fd) < 0 || renameat(agent->blobs_fd, name, agent->blobs_fd, hex) < 0))
		r = -errno;
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "repository/blobs/%s: %s", hex, strerror(-r));
	return FAULT_NONE;
}

static void remove_parts(const struct pack *pack)
{
	for (size_t i = 0; i < max_parts(pack); i++) {
		char name[32];

		part_name(i, name);
		unlinkat(pack->agent->blobs_fd, name, 0);
	}
}

/* The parts are written, under their first names. */
static enum fault run_pack(struct pack *pack, struct refusal *why)
{
	_cleanup_free_ char *text = xasprintf("%s/%s: packing", pack->label, pack->file->name);
	struct job job;

	if (job_start(pack->agent, WORKER_PACK, &job, why) != FAULT_NONE)
		return why->fault;
	job.may_stop = true;
	progress_begin(text, 0, NULL);
	progress_watch_offset(pack->fd);
	if (send_pack(&job, pack, why) != FAULT_NONE) {
		worker_kill(&job.worker);
		return why->fault;
	}
	return receive_pack(&job, pack, why);
}

static enum fault place_parts(const struct pack *pack, struct refusal *why)
{
	for (size_t i = 0; i < pack->n_parts; i++)
		if (place_part(pack->agent, i, &pack->parts[i], why) != FAULT_NONE)
			return why->fault;
	if (fsync(pack->agent->blobs_fd) < 0)
		return refuse(why, FAULT_STORAGE, "repository/blobs: %s", strerror(errno));
	state_file_set_parts(pack->file, pack->parts, pack->n_parts);
	return FAULT_NONE;
}

enum fault publish_pack(const struct agent *agent, const char *label, int fd, struct state_file *file,
			struct refusal *why)
{
	struct pack pack = {.agent = agent, .label = label, .fd = fd, .file = file, .base_fd = -1};
	_cleanup_free_ struct state_part *parts = pack.parts = xcalloc(max_parts(&pack), sizeof *parts);
	static const struct state_keyframe none;
	static const struct state_file fresh;

	if (run_pack(&pack, why) == FAULT_NONE && place_parts(&pack, why) == FAULT_NONE) {
		state_file_set_base(file, &none, &fresh);
		file->keyframe_at = agent->now;
	}
	remove_parts(&pack);
	return why->fault;
}

enum fault publish_pack_patch(const struct agent *agent, const char *dataset, int fd, const struct state_file *before,
			      const struct keyframe_policy *policy, struct state_file *file, bool *ret_packed,
			      struct refusal *why)
{
	const struct state_keyframe base = state_file_keyframe(before);
	_cleanup_close_ int base_fd = publish_open_target(agent, dataset, file->name, &base.sha256);
	struct state_part part = {.sent = false};
	struct pack pack = {.agent = agent,
			    .label = dataset,
			    .fd = fd,
			    .file = file,
			    .base_fd = base_fd,
			    .base = &base,
			    .max_length = keyframe_patch_bound(policy, &base),
			    .parts = &part};

	*ret_packed = false;
	/* Gone, or moved away by somebody: then a keyframe is what puts it right. */
	if (base_fd < 0 || fd_size(base_fd) != (int64_t)base.length || !has_parts(agent, base.parts, base.n_parts) ||
	    sha256_equal(&base.sha256, &file->sha256))
		return FAULT_NONE;
	if (run_pack(&pack, why) == FAULT_NONE && pack.n_parts == 1 && part.length <= pack.max_length &&
	    place_parts(&pack, why) == FAULT_NONE) {
		state_file_set_base(file, &base, before);
		*ret_packed = true;
	}
	remove_parts(&pack);
	return why->fault;
}

static int open_target_folder(const struct agent *agent, const char *dataset)
{
	if (dataset == NULL)
		return fd_open_beneath(agent->targets_fd, ".", O_RDONLY | O_DIRECTORY, 0);
	return fd_make_dir(agent->targets_fd, dataset, 0755);
}

/* The state folder and the repository may lie on different disks. */
static int copy_file(int from_fd, const char *from, int to_fd, const char *to)
{
	_cleanup_close_ int in_fd = fd_open_beneath(from_fd, from, O_RDONLY, 0), out_fd = -1;
	int r;

	if (in_fd < 0)
		return in_fd;
	out_fd = agent_new_file(to_fd, ".copy");
	if (out_fd < 0)
		return out_fd;
	r = fd_copy(in_fd, out_fd, LIMIT_PLAIN_SIZE, NULL);
	if (r == 0 && (fchmod(out_fd, PUBLIC_MODE) < 0 || fsync(out_fd) < 0 || renameat(to_fd, ".copy", to_fd, to) < 0))
		r = -errno;
	if (r < 0)
		unlinkat(to_fd, ".copy", 0);
	return r;
}

static int move_file(int from_fd, const char *from, int to_fd, const char *to)
{
	_cleanup_close_ int fd = fd_open_regular_beneath(from_fd, from, O_RDONLY);

	if (fd < 0)
		return fd;
	if (fchmod(fd, PUBLIC_MODE) < 0 || fsync(fd) < 0)
		return -errno;
	if (renameat(from_fd, from, to_fd, to) == 0)
		return 0;
	return errno == EXDEV ? copy_file(from_fd, from, to_fd, to) : -errno;
}

enum fault publish_target(const struct agent *agent, const char *dataset, int work_fd, const char *work_name,
			  const struct state_file *file, struct refusal *why)
{
	_cleanup_close_ int folder_fd = open_target_folder(agent, dataset);
	char name[SHA256_HEX_SIZE + LIMIT_FILE_NAME_SIZE];
	int r;

	target_name(file->name, &file->sha256, name, sizeof name);
	r = folder_fd < 0 ? folder_fd : move_file(work_fd, work_name, folder_fd, name);
	if (r == 0 && fsync(folder_fd) < 0)
		r = -errno;
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "repository/targets/%s%s%s: %s", dataset != NULL ? dataset : "",
			      dataset != NULL ? "/" : "", name, strerror(-r));
	return FAULT_NONE;
}

void publish_remove_target(const struct agent *agent, const char *dataset, const struct state_file *file)
{
	_cleanup_close_ int folder_fd = open_target_folder(agent, dataset);
	char name[SHA256_HEX_SIZE + LIMIT_FILE_NAME_SIZE];

	target_name(file->name, &file->sha256, name, sizeof name);
	if (folder_fd >= 0)
		unlinkat(folder_fd, name, 0);
	for (size_t i = 0; i < file->n_parts; i++) {
		sha256_to_hex(&file->parts[i].sha256, name);
		unlinkat(agent->blobs_fd, name, 0);
	}
}
