/* SPDX-License-Identifier: ISC
 *
 * storeverify_blobs: the mirror's blobs: that each is its name's bytes, that something signed names it, and that what was signed comes out of
 * them: of a patch, against its base.
 */
#include "inside/storeverify_private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/patch.h"
#include "bundle/progress.h"

#define PRIVATE_MODE 0700
#define DAMAGED FAULT_STORE_DAMAGED

/* Only that they come out counts, and how many show. */
static enum fault throw_away(void *ctx, const void *data, size_t size, struct refusal *why)
{
	struct storeverify *verify = ctx;

	(void)data;
	(void)why;
	verify->shown += size;
	progress_show(verify->shown);
	return FAULT_NONE;
}

static void close_all(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(fds);
}

/* Opens all parts of BLOB; NULL where one is not here: it may not have arrived, or was let go. */
static int *open_parts(const struct storeverify *verify, const struct blob *blob)
{
	int *fds = xcalloc(blob->n_parts + 1, sizeof(*fds));
	size_t n = 0;

	while (n < blob->n_parts && (fds[n] = store_open_blob(verify->store_fd, &blob->parts[n].sha256)) >= 0)
		n++;
	if (n == blob->n_parts)
		return fds;
	close_all(fds, n);
	return NULL;
}

/* --- patches --------------------------------------------------------------------------------------------------------- */

static enum fault write_base(void *ctx, const void *data, size_t size, struct refusal *why)
{
	int r = fd_write_all(*(const int *)ctx, data, size);

	return r < 0 ? refuse(why, FAULT_STORAGE, "a temporary file: %s", strerror(-r)) : FAULT_NONE;
}

/* A base that is no object any more, from its own blobs; it stays in the temporary file for the next patch. FAULT_BLOB_ABSENT where they are
 * not here. */
static enum fault decode_base(struct storeverify *verify, const struct blob *base, struct refusal *why)
{
	int *fds;
	enum fault fault;

	if (sha256_equal(&verify->base_sha256, &base->plain_sha256))
		return FAULT_NONE;
	fds = open_parts(verify, base);
	if (fds == NULL)
		return refuse(why, FAULT_BLOB_ABSENT, "its base is not here any more");
	memset(&verify->base_sha256, 0, sizeof(verify->base_sha256));
	if (verify->base_fd < 0 || ftruncate(verify->base_fd, 0) < 0 || lseek(verify->base_fd, 0, SEEK_SET) < 0)
		fault = refuse(why, FAULT_STORAGE, "no temporary file for its base");
	else
		fault = blob_decode(base, fds, write_base, &verify->base_fd, why);
	close_all(fds, base->n_parts);
	if (fault != FAULT_NONE)
		return refuse_within(why, "its base");
	verify->base_sha256 = base->plain_sha256;
	return FAULT_NONE;
}

/* Against the object, which is hashed with the others; or against its blobs' word. */
static enum fault decode_patch(struct storeverify *verify, const struct signed_file *file, const int *fds,
			       struct refusal *why)
{
	_cleanup_close_ int fd = store_open_object(verify->store_fd, file->dataset, &file->base.plain_sha256);

	if (fd < 0 && decode_base(verify, &file->base, why) != FAULT_NONE)
		return why->fault;
	return patch_decode_blob(&file->blob, fds, &file->base, fd < 0 ? verify->base_fd : fd, false, NULL, throw_away,
				 verify, why);
}

/* --- files ----------------------------------------------------------------------------------------------------------- */

/* Decodes one signed file where all its parts are here. */
static void decode_file(struct storeverify *verify, const struct signed_file *file)
{
	int *fds = open_parts(verify, &file->blob);
	struct refusal why = {FAULT_NONE, ""};
	enum fault fault;

	if (fds == NULL)
		return;
	fault = file->is_patch ? decode_patch(verify, file, fds, &why)
			       : blob_decode(&file->blob, fds, throw_away, verify, &why);
	verify->n_decoded += fault == FAULT_NONE;
	if (fault == FAULT_BLOB_ABSENT || fault == FAULT_STORAGE) {
		findings_note(&verify->findings, "%s/%s: not decoded: %s", file->dataset, file->file, why.line);
	} else if (fault != FAULT_NONE) {
		refuse_within(&why, "%s/%s", file->dataset, file->file);
		findings_add(&verify->findings, &why);
	}
	close_all(fds, file->blob.n_parts);
}

static int compare_by_plain(const void *a, const void *b)
{
	const struct signed_file *left = *(const struct signed_file *const *)a,
				 *right = *(const struct signed_file *const *)b;
	int order = sha256_compare(&left->blob.plain_sha256, &right->blob.plain_sha256);

	if (order != 0 || left->blob.n_parts == 0 || right->blob.n_parts == 0)
		return order != 0 ? order
				  : (left->blob.n_parts > right->blob.n_parts) -
					    (left->blob.n_parts < right->blob.n_parts);
	return sha256_compare(&left->blob.parts[0].sha256, &right->blob.parts[0].sha256);
}

/* Each plain file once, however many versions name it. */
static void decode_files(struct storeverify *verify)
{
	const struct trustset *set = verify->set;
	const struct signed_file **files = xcalloc(set->n_files + 1, sizeof(struct signed_file *));
	size_t n = 0, n_apart = 0;
	uint64_t total = 0;

	for (size_t i = 0; i < set->n_files; i++)
		if (set->files[i].blob.n_parts > 0)
			files[n++] = &set->files[i];
	qsort(files, n, sizeof(struct signed_file *), compare_by_plain);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && compare_by_plain(&files[i - 1], &files[i]) == 0)
			continue;
		files[n_apart++] = files[i];
		total += files[i]->blob.plain_length;
	}
	verify->shown = 0;
	progress_begin("decoding blobs", total, NULL);
	for (size_t i = 0; i < n_apart; i++)
		decode_file(verify, files[i]);
	free(files);
}

void storeverify_blobs(struct storeverify *verify)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	_cleanup_close_ int fd = storeverify_open(verify, "mirror/blobs", PRIVATE_MODE);

	if (fd < 0)
		return;
	storeverify_list(verify, "mirror/blobs", &names);
	storeverify_show(verify, "hashing blobs", fd, &names);
	for (size_t i = 0; i < names.n_items; i++) {
		struct sha256 sha256;
		struct stat st;

		verify->n_blobs++;
		if (!sha256_from_hex(names.items[i], &sha256)) {
			findings_fault(&verify->findings, DAMAGED, "mirror/blobs/%s: no blob's name", names.items[i]);
			continue;
		}
		if (storeverify_file(verify, fd, "mirror/blobs", names.items[i], &st))
			storeverify_hash(verify, fd, "mirror/blobs", names.items[i], &sha256);
		if (verify->set != NULL && !trustset_names_blob(verify->set, &sha256))
			findings_note(&verify->findings, "mirror/blobs/%s: nothing signed names it", names.items[i]);
	}
	if (verify->set != NULL)
		decode_files(verify);
}
