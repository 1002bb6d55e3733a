/* SPDX-License-Identifier: ISC
 *
 * check_read: the plain bytes of one file, whether it arrived as parts or stands in the store. Either way they are hashed here,
 * and only the signed ones count.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/patch.h"
#include "bundle/relay.h"
#include "inside/check.h"
#include "schemas/parallel.h"

#define PIECE_SIZE (256 * KIB)

/* From here on threads are worth what they cost: decoding, then hashing and writing, then the reader behind, each by its own. */
#define THREADS_FROM ((uint64_t)4 * MIB)

/* A file that is read, and where what is decoded goes. */
struct reading {
	const struct check_file *file;
	bool has_threads;
	struct copied_rows *copied; /* NULL: nobody asks where the bytes come from */
	blob_sink *sink;
	void *ctx;
};

/* The reader behind. */
struct tee {
	blob_sink *sink;
	void *ctx;
	/* A refusal of the reader behind: the bytes may be wrong as well, and then that is the truer reason. So decoding goes on, the
	 * reader gets no more, and its refusal counts if the bytes were right. */
	struct refusal late;
};

static enum fault tee_sink(void *ctx, const void *data, size_t size, struct refusal *why)
{
	struct tee *tee = ctx;

	(void)why;
	if (tee->late.fault == FAULT_NONE)
		tee->sink(tee->ctx, data, size, &tee->late);
	return FAULT_NONE;
}

static enum fault write_decoded(void *ctx, const void *data, size_t size, struct refusal *why)
{
	struct reading *reading = ctx;
	int r = fd_write_all(reading->file->fd, data, size);

	if (r < 0)
		die("writing a decoded file: %s", strerror(-r));
	return reading->sink(reading->ctx, data, size, why);
}

static enum fault keep_base(void *ctx, const void *data, size_t size, struct refusal *why)
{
	const struct reading *reading = ctx;
	int r = fd_write_all(reading->file->base_fd, data, size);

	(void)why;
	if (r < 0)
		die("writing a decoded base: %s", strerror(-r));
	return FAULT_NONE;
}

static enum fault decode(const struct reading *reading, const struct blob *blob, const int *part_fds, blob_sink *sink,
			 struct refusal *why)
{
	return reading->has_threads ? blob_decode_by_two(blob, part_fds, sink, (void *)reading, why)
				    : blob_decode(blob, part_fds, sink, (void *)reading, why);
}

static enum fault read_target(struct reading *reading, struct refusal *why)
{
	const struct check_file *file = reading->file;
	struct blob blob = {file->target.sha256, file->target.length, file->parts, file->n_parts};
	const struct patch_watch watch = {copied_rows_copy, copied_rows_bytes, reading->copied};
	struct blob base = {file->target.base_sha256, file->target.base_length, file->base_parts, file->n_base_parts};

	if (file->target.is_patch == 0)
		return decode(reading, &blob, file->part_fds, write_decoded, why);
	if (file->base_is_output && !*file->base_is_here) {
		if (decode(reading, &base, file->base_part_fds, keep_base, why) != FAULT_NONE)
			return refuse_within(why, "its base");
		*file->base_is_here = true;
	}
	return patch_decode_blob(&blob, file->part_fds, &base, file->base_fd, reading->has_threads,
				 reading->copied != NULL ? &watch : NULL, write_decoded, reading, why);
}

static enum fault read_object(struct reading *reading, struct refusal *why)
{
	const struct check_file *file = reading->file;
	_cleanup_(hash_freep) struct hash *hash = hash_new();
	_cleanup_free_ char *piece = xmalloc(PIECE_SIZE);
	struct sha256 sha256;
	uint64_t at = 0;
	enum fault fault;

	while (at < file->target.length) {
		uint64_t left = file->target.length - at;
		ssize_t n = pread(file->fd, piece, left < PIECE_SIZE ? left : PIECE_SIZE, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die_errno("reading an object");
		if (n == 0)
			break;
		hash_update(hash, piece, (size_t)n);
		at += (uint64_t)n;
		if ((fault = reading->sink(reading->ctx, piece, (size_t)n, why)) != FAULT_NONE)
			return fault;
	}
	hash_final(hash, &sha256);
	if (at != file->target.length || fd_size(file->fd) != (int64_t)at ||
	    !sha256_equal(&sha256, &file->target.sha256))
		return refuse(why, FAULT_STORE_DAMAGED, "%s in the store is not what its name says", file->target.file);
	return FAULT_NONE;
}

/* relay_work. */
static enum fault read_file(void *ctx, blob_sink *sink, void *sink_ctx, struct refusal *why)
{
	struct reading *reading = ctx;

	reading->sink = sink;
	reading->ctx = sink_ctx;
	return reading->file->is_object ? read_object(reading, why) : read_target(reading, why);
}

enum fault check_read(const struct check_file *file, blob_sink *sink, void *ctx, struct refusal *why)
{
	return check_read_copied(file, NULL, sink, ctx, why);
}

enum fault check_read_copied(const struct check_file *file, struct copied_rows *copied, blob_sink *sink, void *ctx,
			     struct refusal *why)
{
	struct tee tee = {sink, ctx, {FAULT_NONE, ""}};
	struct reading reading = {.file = file, .copied = copied};
	enum fault fault;

	reading.has_threads = file->target.length >= THREADS_FROM && parallel_usual_threads() > 1;
	fault = reading.has_threads ? relay_run(read_file, &reading, tee_sink, &tee, why)
				    : read_file(&reading, tee_sink, &tee, why);
	if (fault != FAULT_NONE)
		return refuse_within(why, "%s", file->target.file);
	if (tee.late.fault != FAULT_NONE)
		return refuse(why, tee.late.fault, "%s: %s", file->target.file, tee.late.line);
	return FAULT_NONE;
}

struct load {
	uint8_t *data;
	size_t size, limit;
};

static enum fault load_sink(void *ctx, const void *data, size_t size, struct refusal *why)
{
	struct load *load = ctx;

	if (size > load->limit - load->size)
		return refuse(why, FAULT_JSON_SIZE, "longer than it was to be");
	memcpy(load->data + load->size, data, size);
	load->size += size;
	return FAULT_NONE;
}

enum fault check_load(const struct check_file *file, size_t limit, uint8_t **ret_data, size_t *ret_size,
		      struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	struct load load = {NULL, 0, 0};
	enum fault fault;

	if (file->target.length > limit)
		return refuse(why, FAULT_JSON_SIZE, "%s: %llu bytes, at most %zu", file->target.file,
			      (unsigned long long)file->target.length, limit);
	load.limit = (size_t)file->target.length;
	load.data = data = xmalloc(load.limit + 1);
	fault = check_read(file, load_sink, &load, why);
	if (fault != FAULT_NONE)
		return fault;
	data[load.size] = '\0';
	*ret_size = load.size;
	*ret_data = steal_pointer(&data);
	return FAULT_NONE;
}
