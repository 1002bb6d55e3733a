/* SPDX-License-Identifier: ISC
 *
 * restore: see restore.h.
 */
#include "inside/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "inside/incoming.h"
#include "inside/rebuild.h"

void restore_clear(struct restore *restore)
{
	spool_close(restore->inside, &restore->spool);
	for (size_t i = 0; i < restore->n_pasts; i++)
		past_free(restore->pasts[i]);
	free(restore->pasts);
	restore->pasts = NULL;
	restore->n_pasts = 0;
}

/* --- what is lacking --------------------------------------------------------------------------------------------------- */

static bool has_file(const struct past_version *past, size_t n_files, const struct sha256 *sha256)
{
	for (size_t i = 0; i < n_files; i++)
		if (sha256_equal(&past->files[i].blob.sha256, sha256))
			return true;
	return false;
}

/* Whether the spool has the bytes, or will have them, for a dataset before. Two datasets may publish the same. */
static bool is_in_spool(const struct restore *restore, const struct sha256 *sha256)
{
	char hex[SHA256_HEX_SIZE];

	sha256_to_hex(sha256, hex);
	return faccessat(restore->spool.fd, hex, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* An object that is damaged is as good as none. */
static bool has_good_object(const struct restore *restore, const struct past_version *past,
			    const struct past_file *file)
{
	_cleanup_close_ int fd = store_open_object(restore->inside->store_fd, past->dataset, &file->blob.sha256);
	struct sha256 found;

	return fd >= 0 && hash_fd(fd, LIMIT_PLAIN_SIZE, &found, NULL) == 0 && sha256_equal(&found, &file->blob.sha256);
}

/* Files that are to be rebuilt, each once, under the name of their hash; their descriptors, else -1. */
static enum fault create_files(const struct restore *restore, const struct past_version *past, int *fds, size_t *ret_n,
			       struct refusal *why)
{
	uint64_t size = 0;

	*ret_n = 0;
	for (size_t i = 0; i < past->n_files; i++) {
		const struct past_file *file = &past->files[i];
		char hex[SHA256_HEX_SIZE];

		fds[i] = -1;
		if (has_file(past, i, &file->blob.sha256) || is_in_spool(restore, &file->blob.sha256) ||
		    has_good_object(restore, past, file))
			continue;
		sha256_to_hex(&file->blob.sha256, hex);
		fds[i] = openat(restore->spool.fd, hex, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fds[i] < 0)
			return refuse(why, FAULT_STORAGE, "spool: %s: %s", file->path, strerror(errno));
		size += file->blob.length;
		++*ret_n;
	}
	return *ret_n == 0 ? FAULT_NONE : incoming_spool_has_room(restore->inside, (int64_t)size, why);
}

/* Their bytes are known now. */
static enum fault hand_over(const struct restore *restore, const struct past_version *past, const int *fds,
			    struct refusal *why)
{
	for (size_t i = 0; i < past->n_files; i++) {
		char hex[SHA256_HEX_SIZE];
		int r;

		if (fds[i] < 0)
			continue;
		sha256_to_hex(&past->files[i].blob.sha256, hex);
		r = crew_hand_over(restore->inside, &restore->spool, hex, &past->files[i].blob.sha256);
		if (r < 0)
			return refuse(why, FAULT_STORAGE, "spool: %s: %s", past->files[i].path, strerror(-r));
	}
	return FAULT_NONE;
}

static enum fault fill(const struct restore *restore, const struct past_version *past, struct refusal *why)
{
	_cleanup_free_ int *fds = xmalloc((past->n_files + 1) * sizeof(*fds));
	struct rebuild rebuild = {.inside = restore->inside, .past = past, .folder_fd = restore->spool.fd, .fds = fds};
	enum fault fault;
	size_t n = 0;

	memset(fds, 0xff, (past->n_files + 1) * sizeof(*fds));
	fault = create_files(restore, past, fds, &n, why);
	if (fault == FAULT_NONE && n > 0)
		fault = rebuild_run(&rebuild, why);
	if (fault == FAULT_NONE)
		fault = hand_over(restore, past, fds, why);
	for (size_t i = 0; i < past->n_files; i++)
		cleanup_close(&fds[i]);
	return fault;
}

enum fault restore_version(struct restore *restore, const char *dataset, const char *version, struct refusal *why)
{
	_cleanup_(past_freep) struct past_version *past = NULL;
	enum fault fault = past_load(restore->inside->store_fd, dataset, version, &past, why);

	if (fault == FAULT_NONE && restore->spool.fd < 0)
		fault = spool_open(restore->inside, "restore", &restore->spool, why);
	if (fault == FAULT_NONE)
		fault = fill(restore, past, why);
	if (fault != FAULT_NONE)
		return refuse_within(why, "%s, version %s", dataset, version);
	restore->pasts = xrealloc(restore->pasts, restore->n_pasts + 1, sizeof(struct past_version *));
	restore->pasts[restore->n_pasts++] = steal_pointer(&past);
	return FAULT_NONE;
}

/* --- the orders -------------------------------------------------------------------------------------------------------- */

static bool is_shared(const struct restore *restore, const struct past_version *past, const struct sha256 *sha256)
{
	for (size_t i = 0; i < restore->n_pasts; i++)
		if (restore->pasts[i] != past && has_file(restore->pasts[i], restore->pasts[i]->n_files, sha256))
			return true;
	return false;
}

static void order_files(const struct restore *restore, const struct past_version *past, enum record_kind kind,
			struct commit *commit)
{
	for (size_t i = 0; i < past->n_files; i++) {
		const struct past_file *file = &past->files[i];
		struct record record = record_new(kind);

		memcpy(record.put.dataset, past->dataset, sizeof(record.put.dataset));
		memcpy(record.put.file, file->path, sizeof(record.put.file));
		record.put.version = past->version;
		record.put.sha256 = file->blob.sha256;
		record.put.size = file->blob.length;
		record.put.is_shared = kind == RECORD_PUT_OBJECT && is_shared(restore, past, &file->blob.sha256);
		commit_order(commit, &record, -1);
	}
}

void restore_order(const struct restore *restore, struct commit *commit)
{
	for (size_t i = 0; i < restore->n_pasts; i++) {
		struct past_version *past = restore->pasts[i];

		order_files(restore, past, RECORD_PUT_OBJECT, commit);
		order_files(restore, past, RECORD_PUT_LINK, commit);
		/* What was let go, and came out of blobs that others still kept: history has it again. */
		if (past->gone == 0)
			continue;
		past->gone = 0;
		commit_document(commit, DOCUMENT_HISTORY, past->dataset, &past->version, past_to_json(past));
	}
	if (restore->n_pasts > 0)
		commit_sync(commit);
}
