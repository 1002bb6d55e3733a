/* SPDX-License-Identifier: ISC
 *
 * patch, decoding: one segment after the other, its two frames whole in memory; every number is looked at before it is used.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/patch.h"
#include "bundle/patch_format.h"

#define COPY_SIZE ((size_t)256 * KIB)

struct decoder {
	const struct patch_header *header;
	patch_source *source;
	void *source_ctx;
	int base_fd;
	const struct patch_watch *watch; /* NULL: none */
	blob_sink *sink;
	void *ctx;
	ZSTD_DCtx *dctx;
	uint8_t *table, *frame, *copies, *literals, *copy;
	size_t frame_room, copies_room, literals_room;
	size_t copies_size, literals_size;
	uint32_t number; /* of the segment */
	struct patch_counts counts;
};

/* Numbers of one kind, one for each copy. */
struct numbers {
	const uint8_t *at, *end;
};

static enum fault bad(const struct decoder *decoder, const char *what, const char *clause, struct refusal *why)
{
	return refuse(why, FAULT_BLOB_FRAME, "patch, segment %" PRIu32 ": %s (bundle/FORMAT.md %s)",
		      decoder->number + 1, what, clause);
}

static uint64_t get_fixed(const uint8_t *from, size_t size)
{
	uint64_t number = 0;

	for (size_t i = 0; i < size; i++)
		number |= (uint64_t)from[i] << 8 * i;
	return number;
}

/* --- numbers --------------------------------------------------------------------------------------------------------- */

/* The shortest form alone, FORMAT.md 15.4. False: none, or out of form. */
static bool get_number(struct numbers *numbers, uint64_t *ret_number)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 63 && numbers->at < numbers->end; shift += 7) {
		uint8_t byte = *numbers->at++;

		number |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) != 0)
			continue;
		*ret_number = number;
		return byte != 0 || shift == 0;
	}
	return false;
}

/* Steps over N numbers: where the next kind begins. */
static bool skip_numbers(struct numbers *numbers, uint64_t n)
{
	uint64_t number;

	while (n-- > 0) {
		if (!get_number(numbers, &number))
			return false;
	}
	return true;
}

/* --- frames ---------------------------------------------------------------------------------------------------------- */

static void make_room(uint8_t **buffer, size_t *room, size_t size)
{
	if (size <= *room)
		return;
	free(*buffer);
	*buffer = xmalloc(size);
	*room = size;
}

/* One frame of FORMAT.md 15.3, of LENGTH bytes, with at most MOST bytes in it. */
static enum fault read_frame(struct decoder *decoder, size_t length, size_t most, uint8_t **content,
			     size_t *content_room, size_t *ret_size, struct refusal *why)
{
	unsigned long long size;
	enum fault fault;
	size_t n;

	if (length > ZSTD_COMPRESSBOUND(most))
		return bad(decoder, "a frame longer than any", "15.3", why);
	make_room(&decoder->frame, &decoder->frame_room, length + 1);
	fault = decoder->source(decoder->source_ctx, decoder->frame, length, why);
	if (fault != FAULT_NONE)
		return fault;
	if (length < 9 || memcmp(decoder->frame, "\x28\xb5\x2f\xfd", 4) != 0)
		return bad(decoder, "no zstd frame", "15.3", why);
	if ((decoder->frame[4] & 0x1f) != 0x04)
		return bad(decoder, "a frame without a checksum, with a dictionary, or with reserved bits", "15.3",
			   why);
	size = ZSTD_getFrameContentSize(decoder->frame, length);
	if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > most)
		return bad(decoder, "a frame without its content size, or with more than may be", "15.3", why);
	make_room(content, content_room, (size_t)size + 1);
	if (ZSTD_findFrameCompressedSize(decoder->frame, length) != length)
		return bad(decoder, "a frame of another length than the table says", "15.3", why);
	n = ZSTD_decompressDCtx(decoder->dctx, *content, (size_t)size, decoder->frame, length);
	if (ZSTD_isError(n) || n != size)
		return bad(decoder, "a frame that does not decode", "15.3", why);
	*ret_size = n;
	return FAULT_NONE;
}

/* --- one segment ----------------------------------------------------------------------------------------------------- */

static enum fault give(struct decoder *decoder, const uint8_t *bytes, size_t size, struct refusal *why)
{
	if (decoder->watch != NULL)
		decoder->watch->bytes(decoder->watch->ctx, bytes, size);
	return decoder->sink(decoder->ctx, bytes, size, why);
}

static enum fault copy_base(struct decoder *decoder, uint64_t offset, uint64_t length, struct refusal *why)
{
	while (length > 0) {
		size_t size = length < COPY_SIZE ? (size_t)length : COPY_SIZE;
		ssize_t n = pread(decoder->base_fd, decoder->copy, size, (off_t)offset);
		enum fault fault;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return refuse(why, FAULT_STORAGE, "the patch's base: %s",
				      n < 0 ? strerror(errno) : "is shorter than it was");
		fault = give(decoder, decoder->copy, (size_t)n, why);
		if (fault != FAULT_NONE)
			return fault;
		offset += (uint64_t)n;
		length -= (uint64_t)n;
	}
	return FAULT_NONE;
}

static enum fault put_literals(struct decoder *decoder, size_t *used, uint64_t size, struct refusal *why)
{
	enum fault fault;

	if (size > decoder->literals_size - *used)
		return bad(decoder, "more bytes between copies than there are", "15.5", why);
	fault = size > 0 ? give(decoder, decoder->literals + *used, (size_t)size, why) : FAULT_NONE;
	*used += (size_t)size;
	return fault;
}

/* Where the three kinds of numbers stand; FORMAT.md 15.4. */
static bool open_copies(struct decoder *decoder, uint64_t *ret_n, struct numbers kinds[3])
{
	struct numbers all = {decoder->copies, decoder->copies + decoder->copies_size};

	if (!get_number(&all, ret_n) || *ret_n > decoder->copies_size)
		return false;
	for (size_t i = 0; i < 3; i++) {
		kinds[i] = all;
		if (!skip_numbers(&all, *ret_n))
			return false;
		kinds[i].end = all.at;
	}
	return all.at == all.end;
}

static enum fault run_copies(struct decoder *decoder, uint64_t begin, uint64_t size, struct refusal *why)
{
	uint64_t n, done = 0, before = 0, length = 0, change = 0, distance = 0;
	struct numbers kinds[3];
	size_t used = 0;
	enum fault fault;

	if (!open_copies(decoder, &n, kinds))
		return bad(decoder, "a list of copies out of form", "15.4", why);
	for (uint64_t i = 0; i < n; i++) {
		get_number(&kinds[0], &before);
		get_number(&kinds[1], &length);
		get_number(&kinds[2], &change);
		if (before > size - done || length == 0 || length > size - done - before)
			return bad(decoder, "a copy past its end", "15.5", why);
		if ((fault = put_literals(decoder, &used, before, why)) != FAULT_NONE)
			return fault;
		done += before;
		distance += change >> 1 ^ (0 - (change & 1));
		if (begin + done + distance > decoder->header->base_length ||
		    length > decoder->header->base_length - (begin + done + distance))
			return bad(decoder, "a copy from outside the base", "15.5", why);
		if (decoder->watch != NULL)
			decoder->watch->copy(decoder->watch->ctx, begin + done, begin + done + distance, length);
		if ((fault = copy_base(decoder, begin + done + distance, length, why)) != FAULT_NONE)
			return fault;
		done += length;
		decoder->counts.copied += length;
	}
	decoder->counts.n_copies += n;
	if (size - done != decoder->literals_size - used)
		return bad(decoder, "not as many bytes as it should have", "15.5", why);
	return put_literals(decoder, &used, size - done, why);
}

static enum fault decode_segment(struct decoder *decoder, struct refusal *why)
{
	const uint8_t *entry = decoder->table + (size_t)decoder->number * PATCH_ENTRY_SIZE;
	uint64_t begin = (uint64_t)decoder->number * PATCH_SEGMENT_SIZE, left = decoder->header->plain_length - begin;
	size_t copies = (size_t)get_fixed(entry, 4), literals = (size_t)get_fixed(entry + 4, 4);
	uint64_t size = left < PATCH_SEGMENT_SIZE ? left : PATCH_SEGMENT_SIZE;
	enum fault fault = read_frame(decoder, copies, PATCH_COPIES_SIZE, &decoder->copies, &decoder->copies_room,
				      &decoder->copies_size, why);

	if (fault == FAULT_NONE)
		fault = read_frame(decoder, literals, PATCH_SEGMENT_SIZE, &decoder->literals, &decoder->literals_room,
				   &decoder->literals_size, why);
	decoder->counts.length += copies + literals;
	return fault != FAULT_NONE ? fault : run_copies(decoder, begin, size, why);
}

/* --- the whole ------------------------------------------------------------------------------------------------------- */

enum fault patch_read_header(patch_source *source, void *source_ctx, struct patch_header *ret_header,
			     struct refusal *why)
{
	uint8_t header[PATCH_HEADER_SIZE];
	enum fault fault = source(source_ctx, header, sizeof(header), why);

	if (fault != FAULT_NONE)
		return fault;
	if (memcmp(header, PATCH_MAGIC, PATCH_MAGIC_SIZE) != 0)
		return refuse(why, FAULT_BLOB_FRAME, "does not begin with \"clapet patch 1\" (bundle/FORMAT.md 15.2)");
	memcpy(ret_header->base_sha256.bytes, header + PATCH_MAGIC_SIZE, 32);
	ret_header->base_length = get_fixed(header + PATCH_MAGIC_SIZE + 32, 8);
	ret_header->plain_length = get_fixed(header + PATCH_MAGIC_SIZE + 40, 8);
	if (ret_header->base_length > LIMIT_PLAIN_SIZE || ret_header->plain_length > LIMIT_PLAIN_SIZE)
		return refuse(why, FAULT_BLOB_FRAME, "patch: a file of more than %llu bytes (bundle/FORMAT.md 15.2)",
			      (unsigned long long)LIMIT_PLAIN_SIZE);
	ret_header->n_segments = (uint32_t)((ret_header->plain_length + PATCH_SEGMENT_SIZE - 1) / PATCH_SEGMENT_SIZE);
	return FAULT_NONE;
}

static void decoder_clear(struct decoder *decoder)
{
	ZSTD_freeDCtx(decoder->dctx);
	free(decoder->table);
	free(decoder->frame);
	free(decoder->copies);
	free(decoder->literals);
	free(decoder->copy);
}

enum fault patch_decode(const struct patch_header *header, patch_source *source, void *source_ctx, int base_fd,
			const struct patch_watch *watch, blob_sink *sink, void *ctx, struct patch_counts *ret_counts,
			struct refusal *why)
{
	_cleanup_(decoder_clear) struct decoder decoder = {.header = header,
							   .source = source,
							   .source_ctx = source_ctx,
							   .base_fd = base_fd,
							   .watch = watch,
							   .sink = sink,
							   .ctx = ctx};
	size_t table_size = (size_t)header->n_segments * PATCH_ENTRY_SIZE;
	enum fault fault;

	decoder.dctx = ZSTD_createDCtx();
	if (decoder.dctx == NULL)
		die("out of memory");
	decoder.table = xmalloc(table_size + 1);
	decoder.copy = xmalloc(COPY_SIZE);
	decoder.counts.length = PATCH_HEADER_SIZE + table_size;
	decoder.counts.base_sha256 = header->base_sha256;
	fault = source(source_ctx, decoder.table, table_size, why);
	for (; fault == FAULT_NONE && decoder.number < header->n_segments; decoder.number++)
		fault = decode_segment(&decoder, why);
	if (fault == FAULT_NONE && ret_counts != NULL)
		*ret_counts = decoder.counts;
	return fault;
}
