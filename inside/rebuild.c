/* SPDX-License-Identifier: ISC
 *
 * rebuild: see rebuild.h.
 */
#include "inside/rebuild.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/worker.h"
#include "bundle/progress.h"
#include "inside/crew.h"

/* One run: which files are to be decoded, which of them came. */
struct decoding {
	struct rebuild *rebuild;
	bool *wanted, *vouched;
	bool bases_anew; /* an object that is a base was found damaged: from its blobs instead */
	struct worker worker;
};

/* --- objects --------------------------------------------------------------------------------------------------------- */

static enum fault empty(int fd, const char *path, struct refusal *why)
{
	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return refuse(why, FAULT_STORAGE, "%s: %s", path, strerror(errno));
	return FAULT_NONE;
}

/* Whether FD holds FILE's bytes, and no more. */
static enum fault verify(int fd, const struct past_file *file, bool *ret_holds, struct refusal *why)
{
	struct sha256 found;
	int r;

	*ret_holds = false;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return refuse(why, FAULT_STORAGE, "%s: %s", file->path, strerror(errno));
	r = hash_fd(fd, LIMIT_PLAIN_SIZE, &found, NULL);
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "%s: %s", file->path, strerror(-r));
	*ret_holds = fd_size(fd) == (int64_t)file->blob.length && sha256_equal(&found, &file->blob.sha256);
	return FAULT_NONE;
}

/* From the store's own copy, where there is one and it is good. */
static enum fault copy_object(const struct rebuild *rebuild, const struct past_file *file, int fd, bool *ret_copied,
			      struct refusal *why)
{
	_cleanup_close_ int object_fd = store_open_object(rebuild->inside->store_fd, rebuild->past->dataset,
							  &file->blob.sha256);
	uint64_t size;
	enum fault fault;
	int r;

	*ret_copied = false;
	if (object_fd < 0)
		return FAULT_NONE;
	r = fd_copy(object_fd, fd, file->blob.length, &size);
	if (r == -EFBIG)
		r = 0;
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "%s: %s", file->path, strerror(-r));
	fault = verify(fd, file, ret_copied, why);
	if (fault != FAULT_NONE || *ret_copied)
		return fault;
	log_warning("%s: the object in the store is damaged: from its blobs instead", file->path);
	return empty(fd, file->path, why);
}

/* --- the request ----------------------------------------------------------------------------------------------------- */

static struct record target_of(const struct past_version *past, const struct past_file *file, enum record_kind kind)
{
	const struct past_blob *base = past_base(past, file);
	struct record record = record_new(kind);

	memcpy(record.target.dataset, past->dataset, sizeof(record.target.dataset));
	memcpy(record.target.file, file->path, sizeof(record.target.file));
	record.target.sha256 = file->blob.sha256;
	record.target.length = file->blob.length;
	record.target.n_parts = (uint32_t)file->blob.n_parts;
	if (base == NULL)
		return record;
	record.target.is_patch = 1;
	record.target.base_sha256 = base->sha256;
	record.target.base_length = base->length;
	record.target.n_base_parts = (uint32_t)base->n_parts;
	return record;
}

static enum fault send_parts(struct decoding *decoding, const struct past_file *file, const struct past_blob *blob,
			     enum record_kind kind, struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	for (size_t i = 0; fault == FAULT_NONE && i < blob->n_parts; i++) {
		_cleanup_close_ int fd = store_open_blob(decoding->rebuild->inside->store_fd, &blob->parts[i].sha256);
		struct record record = record_new(kind);
		char hex[SHA256_HEX_SIZE];

		sha256_to_hex(&blob->parts[i].sha256, hex);
		if (fd < 0)
			return refuse(why, fd == -ENOENT ? FAULT_VERSION_GONE : FAULT_STORAGE, "%s: %s%.16s: %s",
				      file->path, kind == RECORD_BASE_PART ? "its base's blob " : "its blob ", hex,
				      fd == -ENOENT ? "is not here any more" : strerror(-fd));
		record.part = blob->parts[i];
		fault = crew_send(&decoding->worker, &record, fd, why);
	}
	return fault;
}

static enum fault send_base(struct decoding *decoding, const struct past_file *file, struct refusal *why)
{
	const struct rebuild *rebuild = decoding->rebuild;
	const struct past_blob *base = past_base(rebuild->past, file);
	_cleanup_close_ int fd = decoding->bases_anew ? -ENOENT
						      : store_open_object(rebuild->inside->store_fd,
									  rebuild->past->dataset, &base->sha256);
	struct record record = target_of(rebuild->past, file, fd >= 0 ? RECORD_BASE : RECORD_BASE_OUTPUT);
	enum fault fault;

	if (fd < 0) {
		fd = openat(rebuild->folder_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		if (fd < 0)
			return refuse(why, FAULT_STORAGE, "a temporary file for a base: %s", strerror(errno));
		progress_watch_size(fd);
		progress_expect_more(base->length);
	}
	fault = crew_send(&decoding->worker, &record, fd, why);
	return fault != FAULT_NONE || record.kind == RECORD_BASE
		       ? fault
		       : send_parts(decoding, file, base, RECORD_BASE_PART, why);
}

static enum fault ask(struct decoding *decoding, struct refusal *why)
{
	const struct past_version *past = decoding->rebuild->past;
	struct record version = record_new(RECORD_REBUILD), go = record_new(RECORD_GO);
	enum fault fault;

	memcpy(version.version.dataset, past->dataset, sizeof(version.version.dataset));
	version.version.version = past->version;
	fault = crew_send(&decoding->worker, &version, -1, why);
	for (size_t i = 0; fault == FAULT_NONE && i < past->n_files; i++) {
		const struct past_file *file = &past->files[i];
		struct record record = target_of(past, file, RECORD_TARGET);
		int fd = decoding->rebuild->fds[i];

		if (!decoding->wanted[i])
			continue;
		progress_watch_size(fd);
		progress_expect_more(file->blob.length);
		if ((fault = crew_send(&decoding->worker, &record, fd, why)) == FAULT_NONE &&
		    (fault = send_parts(decoding, file, &file->blob, RECORD_PART, why)) == FAULT_NONE && file->is_patch)
			fault = send_base(decoding, file, why);
	}
	return fault == FAULT_NONE ? crew_send(&decoding->worker, &go, -1, why) : fault;
}

/* --- the answer ------------------------------------------------------------------------------------------------------ */

static bool take(struct decoding *decoding, const struct record *record)
{
	const struct past_version *past = decoding->rebuild->past;

	if (record->kind != RECORD_PLAIN && record->kind != RECORD_BASE_OUTPUT)
		return false;
	for (size_t i = 0; i < past->n_files; i++) {
		if (strcmp(past->files[i].path, record->target.file) != 0 || !decoding->wanted[i])
			continue;
		decoding->vouched[i] |= record->kind == RECORD_PLAIN;
		return true;
	}
	return false;
}

static enum fault answer(struct decoding *decoding, struct refusal *why)
{
	for (;;) {
		struct refusal end = {0};
		struct record record;
		enum fault fault = crew_receive(&decoding->worker, &record, why);

		if (fault != FAULT_NONE)
			return fault;
		if (record.kind == RECORD_END && crew_is_end((enum fault)record.end.fault)) {
			record_end_fault(&record, &end);
			fault = crew_finish(&decoding->worker, why);
			return fault != FAULT_NONE || end.fault == FAULT_NONE ? fault
									      : refuse(why, end.fault, "%s", end.line);
		}
		if (!take(decoding, &record)) {
			worker_kill(&decoding->worker);
			return refuse(why, FAULT_WORKER, "inside-check sent what was not asked");
		}
	}
}

/* After the worker is dead: its word, and the bytes. */
static enum fault verify_all(const struct decoding *decoding, struct refusal *why)
{
	const struct past_version *past = decoding->rebuild->past;
	enum fault fault = FAULT_NONE;

	for (size_t i = 0; fault == FAULT_NONE && i < past->n_files; i++) {
		bool holds = true;

		if (!decoding->wanted[i])
			continue;
		fault = verify(decoding->rebuild->fds[i], &past->files[i], &holds, why);
		if (fault == FAULT_NONE && (!holds || !decoding->vouched[i]))
			fault = refuse(why, FAULT_WORKER, "%s: inside-check left it out, or wrote something else",
				       past->files[i].path);
	}
	return fault;
}

static enum fault decode(struct decoding *decoding, struct refusal *why)
{
	const struct rebuild *rebuild = decoding->rebuild;
	char label[NOTATION_NAME_SIZE + 16];
	enum fault fault = crew_start(rebuild->inside, COMP_CHECK, &decoding->worker, why);

	if (fault != FAULT_NONE)
		return fault;
	snprintf(label, sizeof(label), "%s: rebuilding", rebuild->past->dataset);
	progress_begin(label, 0, NULL);
	fault = ask(decoding, why);
	if (fault != FAULT_NONE)
		worker_kill(&decoding->worker);
	else
		fault = answer(decoding, why);
	progress_end();
	return fault == FAULT_NONE ? verify_all(decoding, why) : fault;
}

static enum fault decode_anew(struct decoding *decoding, struct refusal *why)
{
	const struct rebuild *rebuild = decoding->rebuild;
	enum fault fault = FAULT_NONE;

	log_warning("%s: from the base's blobs instead", why->line);
	for (size_t i = 0; fault == FAULT_NONE && i < rebuild->past->n_files; i++) {
		decoding->vouched[i] = false;
		if (decoding->wanted[i])
			fault = empty(rebuild->fds[i], rebuild->past->files[i].path, why);
	}
	decoding->bases_anew = true;
	return fault == FAULT_NONE ? decode(decoding, why) : fault;
}

enum fault rebuild_run(struct rebuild *rebuild, struct refusal *why)
{
	const struct past_version *past = rebuild->past;
	_cleanup_free_ bool *wanted = xcalloc(past->n_files + 1, sizeof(*wanted)),
			    *vouched = xcalloc(past->n_files + 1, sizeof(*vouched));
	struct decoding decoding = {.rebuild = rebuild, .wanted = wanted, .vouched = vouched, .worker = WORKER_NONE};
	enum fault fault = FAULT_NONE;

	rebuild->n_decoded = 0;
	for (size_t i = 0; fault == FAULT_NONE && i < past->n_files; i++) {
		bool copied = true;

		if (rebuild->fds[i] >= 0)
			fault = copy_object(rebuild, &past->files[i], rebuild->fds[i], &copied, why);
		wanted[i] = !copied;
		rebuild->n_decoded += wanted[i];
	}
	if (fault == FAULT_NONE && rebuild->n_decoded > 0)
		fault = decode(&decoding, why);
	if (fault == FAULT_BASE_DAMAGED && !decoding.bases_anew)
		fault = decode_anew(&decoding, why);
	return fault;
}
