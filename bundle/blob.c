/* SPDX-License-Identifier: ISC
 *
 * blob: a plain file to zstd frames in parts, and back (FORMAT.md 4). Nothing is decoded that was not hashed: a part is
 * hashed whole first, and each of its chunks is hashed again in the private buffer from which it is decoded, so that a
 * file which changes between the two passes changes nothing.
 */
#include "bundle/blob.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "bundle/relay.h"

/* What is read and hashed at a time; at most LIMIT_PART_SIZE / CHUNK_SIZE chunks a part. */
#define CHUNK_SIZE ((size_t)MIB)
#define FRAME_PLAIN_SIZE ((size_t)LIMIT_FRAME_PLAIN_SIZE)
/* The largest frame: what zstd itself promises never to exceed for LIMIT_FRAME_PLAIN_SIZE plain bytes. */
#define FRAME_SIZE ZSTD_COMPRESSBOUND(FRAME_PLAIN_SIZE)
/* RFC 8878 3.1.1.1: magic, descriptor, and a window or a content size of one byte. */
#define HEADER_SIZE_MIN (4 + 1 + 1)

void blob_clear(struct blob *blob)
{
	free(blob->parts);
	memset(blob, 0, sizeof(*blob));
}

static void free_cctx(ZSTD_CCtx **cctx)
{
	ZSTD_freeCCtx(*cctx);
}

static void free_dctx(ZSTD_DCtx **dctx)
{
	ZSTD_freeDCtx(*dctx);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* --- encoding -------------------------------------------------------------------------------------------------------
 */

struct encoder {
	int (*next_part)(void *ctx, size_t index);
	void *ctx;
	struct blob blob;
	int part_fd; /* the caller's */
	uint64_t part_size;
	struct hash *part_hash;
};

static void end_part(struct encoder *encoder)
{
	struct blob_part *part = &encoder->blob.parts[encoder->blob.n_parts - 1];

	hash_final(encoder->part_hash, &part->sha256);
	part->length = encoder->part_size;
}

static int begin_part(struct encoder *encoder)
{
	struct blob *blob = &encoder->blob;

	if (blob->n_parts == LIMIT_PARTS)
		return -EFBIG;
	encoder->part_fd = encoder->next_part(encoder->ctx, blob->n_parts);
	if (encoder->part_fd < 0)
		return encoder->part_fd;
	blob->parts = xrealloc(blob->parts, blob->n_parts + 1, sizeof(*blob->parts));
	memset(&blob->parts[blob->n_parts++], 0, sizeof(*blob->parts));
	encoder->part_size = 0;
	return 0;
}

static int put_frame(struct encoder *encoder, const void *frame, size_t size)
{
	int r;

	if (encoder->blob.n_parts == 0 || size > LIMIT_PART_SIZE - encoder->part_size) {
		if (encoder->blob.n_parts > 0)
			end_part(encoder);
		r = begin_part(encoder);
		if (r < 0)
			return r;
	}
	hash_update(encoder->part_hash, frame, size);
	encoder->part_size += size;
	return fd_write_all(encoder->part_fd, frame, size);
}

static ZSTD_CCtx *cctx_new(int level)
{
	ZSTD_CCtx *cctx = ZSTD_createCCtx();

	if (cctx == NULL)
		die("out of memory");
	if (ZSTD_isError(ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel, level)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(cctx, ZSTD_c_windowLog, LIMIT_WINDOW_LOG)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(cctx, ZSTD_c_contentSizeFlag, 1)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(cctx, ZSTD_c_checksumFlag, 1)))
		die("zstd: a parameter of FORMAT.md 4.2 is refused");
	return cctx;
}

static int encode_frames(struct encoder *encoder, int in_fd, int level, struct hash *plain_hash)
{
	_cleanup_(free_cctx) ZSTD_CCtx *cctx = cctx_new(level);
	_cleanup_free_ uint8_t *plain = xmalloc(FRAME_PLAIN_SIZE), *frame = xmalloc(FRAME_SIZE);
	struct blob *blob = &encoder->blob;
	ssize_t n;
	size_t size;
	int r;

	do {
		n = fd_read_up_to(in_fd, plain, FRAME_PLAIN_SIZE);
		if (n < 0)
			return (int)n;
		if (n == 0 && blob->plain_length > 0)
			break;
		if ((uint64_t)n > LIMIT_PLAIN_SIZE - blob->plain_length)
			return -EFBIG;
		blob->plain_length += (uint64_t)n;
		hash_update(plain_hash, plain, (size_t)n);
		size = ZSTD_compress2(cctx, frame, FRAME_SIZE, plain, (size_t)n);
		if (ZSTD_isError(size))
			die("zstd: %s", ZSTD_getErrorName(size));
		r = put_frame(encoder, frame, size);
		if (r < 0)
			return r;
	} while ((size_t)n == FRAME_PLAIN_SIZE);
	end_part(encoder);
	return 0;
}

int blob_encode(int in_fd, int level, int (*next_part)(void *ctx, size_t index), void *ctx, struct blob *ret_blob)
{
	_cleanup_(hash_freep) struct hash *plain_hash = hash_new(), *part_hash = hash_new();
	struct encoder encoder = {.next_part = next_part, .ctx = ctx, .part_fd = -1, .part_hash = part_hash};
	int r;

	r = encode_frames(&encoder, in_fd, level, plain_hash);
	if (r < 0) {
		blob_clear(&encoder.blob);
		return r;
	}
	hash_final(plain_hash, &encoder.blob.plain_sha256);
	*ret_blob = encoder.blob;
	return 0;
}

/* --- decoding: one part's bytes, verified ---------------------------------------------------------------------------
 */

struct part_reader {
	const struct blob_part *part;
	size_t index; /* of the part, for people */
	int fd;
	struct sha256 *chunks; /* of each CHUNK_SIZE, from the pass that hashed the part whole */
	uint8_t *buffer;       /* FRAME_SIZE + CHUNK_SIZE, or the longest part */
	size_t begin, end;     /* what is in the buffer and not decoded yet */
	uint64_t offset;       /* in the part, of what is read next */
};

/* Exactly SIZE bytes at OFFSET. What is not there was cut off after somebody measured it. */
static enum fault read_at(const struct part_reader *reader, void *data, size_t size, uint64_t offset,
			  struct refusal *why)
{
	ssize_t n = fd_read_at(reader->fd, data, size, offset);

	if (n < 0)
		return refuse(why, FAULT_STORAGE, "part %zu: %s", reader->index + 1, strerror((int)-n));
	if ((size_t)n < size)
		return refuse(why, FAULT_BLOB_HASH,
			      "part %zu: %" PRIu64 " bytes, %" PRIu64 " are signed (bundle/FORMAT.md 4.1)",
			      reader->index + 1, offset + (uint64_t)n, reader->part->length);
	return FAULT_NONE;
}

static enum fault wrong_hash(const struct part_reader *reader, struct refusal *why)
{
	char hex[SHA256_HEX_SIZE];

	sha256_to_hex(&reader->part->sha256, hex);
	return refuse(why, FAULT_BLOB_HASH, "part %zu: its SHA-256 is not %s (bundle/FORMAT.md 4.4)", reader->index + 1,
		      hex);
}

/* The first pass: length and SHA-256 of the whole part; remembers each chunk's. */
static enum fault verify_part(struct part_reader *reader, struct hash *hash, struct refusal *why)
{
	uint64_t length = reader->part->length, offset = 0;
	struct sha256 sha256;
	enum fault fault;
	ssize_t n;

	for (size_t i = 0; offset < length; i++) {
		size_t size = (size_t)smaller(CHUNK_SIZE, length - offset);

		fault = read_at(reader, reader->buffer, size, offset, why);
		if (fault != FAULT_NONE)
			return fault;
		hash_update(hash, reader->buffer, size);
		hash_bytes(reader->buffer, size, &reader->chunks[i]);
		offset += size;
	}
	hash_final(hash, &sha256);
	do
		n = pread(reader->fd, reader->buffer, 1, (off_t)length);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return refuse(why, FAULT_STORAGE, "part %zu: %s", reader->index + 1, strerror(errno));
	if (n != 0)
		return refuse(why, FAULT_BLOB_HASH,
			      "part %zu: more than the %" PRIu64 " bytes that are signed (bundle/FORMAT.md 4.1)",
			      reader->index + 1, length);
	if (!sha256_equal(&sha256, &reader->part->sha256))
		return wrong_hash(reader, why);
	return FAULT_NONE;
}

/* Has a whole frame of the largest size in the buffer, or all that is left of the part. */
static enum fault fill(struct part_reader *reader, struct refusal *why)
{
	struct sha256 sha256;
	enum fault fault;

	memmove(reader->buffer, reader->buffer + reader->begin, reader->end - reader->begin);
	reader->end -= reader->begin;
	reader->begin = 0;
	while (reader->end < FRAME_SIZE && reader->offset < reader->part->length) {
		size_t size = (size_t)smaller(CHUNK_SIZE, reader->part->length - reader->offset);
		uint8_t *chunk = reader->buffer + reader->end;

		fault = read_at(reader, chunk, size, reader->offset, why);
		if (fault != FAULT_NONE)
			return fault;
		hash_bytes(chunk, size, &sha256);
		if (!sha256_equal(&sha256, &reader->chunks[reader->offset / CHUNK_SIZE]))
			return wrong_hash(reader, why);
		reader->end += size;
		reader->offset += size;
	}
	return FAULT_NONE;
}

/* --- verified bytes, in order ---------------------------------------------------------------------------------------- */

struct blob_source {
	const struct blob *blob;
	const int *part_fds;
	struct part_reader reader;
	struct hash *part_hash;
	size_t next; /* of the parts */
};

struct blob_source *blob_source_new(const struct blob *blob, const int *part_fds)
{
	struct blob_source *source = xcalloc(1, sizeof(*source));
	uint64_t longest = 1;

	for (size_t i = 0; i < blob->n_parts; i++)
		longest = blob->parts[i].length > longest ? blob->parts[i].length : longest;
	source->blob = blob;
	source->part_fds = part_fds;
	source->reader.chunks = xcalloc((size_t)((longest + CHUNK_SIZE - 1) / CHUNK_SIZE), sizeof(struct sha256));
	source->reader.buffer = xmalloc((size_t)smaller(longest, FRAME_SIZE + CHUNK_SIZE));
	source->part_hash = hash_new();
	return source;
}

void blob_source_freep(struct blob_source **source)
{
	if (*source == NULL)
		return;
	free((*source)->reader.chunks);
	free((*source)->reader.buffer);
	hash_free((*source)->part_hash);
	free(*source);
}

static bool is_read(const struct part_reader *reader)
{
	return reader->part == NULL || reader->offset == reader->part->length;
}

/* The next part, once nothing of the one before is left. None behind the last. */
static enum fault next_part(struct blob_source *source, struct refusal *why)
{
	struct part_reader *reader = &source->reader;
	enum fault fault = FAULT_NONE;

	while (fault == FAULT_NONE && reader->begin == reader->end && is_read(reader) &&
	       source->next < source->blob->n_parts) {
		reader->part = &source->blob->parts[source->next];
		reader->index = source->next;
		reader->fd = source->part_fds[source->next++];
		reader->begin = reader->end = 0;
		reader->offset = 0;
		fault = verify_part(reader, source->part_hash, why);
	}
	return fault;
}

/* Has at least LEAST bytes (at most FRAME_SIZE) of one part in the buffer, or what is left of it; none only where the last part is at its
 * end. */
static enum fault source_fill(struct blob_source *source, size_t least, struct refusal *why)
{
	struct part_reader *reader = &source->reader;
	enum fault fault = next_part(source, why);

	if (fault == FAULT_NONE && reader->end - reader->begin < least && !is_read(reader))
		fault = fill(reader, why);
	return fault;
}

enum fault blob_source_read(void *ctx, void *data, size_t size, struct refusal *why)
{
	struct blob_source *source = ctx;
	struct part_reader *reader = &source->reader;

	for (size_t done = 0; done < size;) {
		enum fault fault = source_fill(source, 1, why);
		size_t n = reader->end - reader->begin;

		if (fault != FAULT_NONE)
			return fault;
		if (n == 0)
			return refuse(why, FAULT_BLOB_TRUNCATED, "the last part ends too early");
		n = n < size - done ? n : size - done;
		memcpy((uint8_t *)data + done, reader->buffer + reader->begin, n);
		reader->begin += n;
		done += n;
	}
	return FAULT_NONE;
}

enum fault blob_source_end(struct blob_source *source, bool *ret_at_end, struct refusal *why)
{
	enum fault fault = source_fill(source, 1, why);

	if (fault == FAULT_NONE)
		*ret_at_end = source->reader.begin == source->reader.end;
	return fault;
}

/* --- decoding: frames ------------------------------------------------------------------------------------------------
 */

struct decoder {
	const struct blob *blob;
	struct blob_source *source;
	ZSTD_DCtx *dctx;
	uint8_t *plain;
	size_t plain_room; /* FRAME_PLAIN_SIZE, or all plain bytes */
	uint64_t done;     /* plain bytes */
	uint64_t n_frames;
	blob_sink *sink;
	void *ctx;
};

static enum fault bad_frame(const struct decoder *decoder, enum fault fault, const char *what, struct refusal *why)
{
	const struct part_reader *reader = &decoder->source->reader;

	return refuse(why, fault, "part %zu, offset %" PRIu64 ": %s", reader->index + 1,
		      reader->offset - (reader->end - reader->begin), what);
}

/* The frame's header (RFC 8878 3.1.1.1) within FORMAT.md 4.3: a zstd frame proper, with its content size and checksum,
 * no dictionary, a bounded window. The decoder's own bound on windows holds for streams alone. */
static enum fault check_header(const struct decoder *decoder, const uint8_t *frame, size_t size, struct refusal *why)
{
	uint8_t descriptor, window;
	unsigned log;

	if (size >= 4 && memcmp(frame, "\x28\xb5\x2f\xfd", 4) != 0)
		return bad_frame(decoder, FAULT_BLOB_FRAME,
				 (frame[0] & 0xf0) == 0x50 && memcmp(frame + 1, "\x2a\x4d\x18", 3) == 0
					 ? "a skippable frame (bundle/FORMAT.md 4.3)"
					 : "no zstd frame (bundle/FORMAT.md 4.3)",
				 why);
	if (size < HEADER_SIZE_MIN)
		return bad_frame(decoder, FAULT_BLOB_TRUNCATED, "ends within a frame (bundle/FORMAT.md 4.2)", why);
	descriptor = frame[4];
	if ((descriptor & 0x03) != 0)
		return bad_frame(decoder, FAULT_BLOB_FRAME, "a frame that needs a dictionary (bundle/FORMAT.md 4.3)",
				 why);
	if ((descriptor & 0x04) == 0)
		return bad_frame(decoder, FAULT_BLOB_FRAME, "a frame without a checksum (bundle/FORMAT.md 4.3)", why);
	if ((descriptor & 0x18) != 0)
		return bad_frame(decoder, FAULT_BLOB_FRAME, "a frame with reserved bits (bundle/FORMAT.md 4.3)", why);
	if ((descriptor & 0x20) != 0)
		return FAULT_NONE; /* a single segment: its window is its content */
	if ((descriptor & 0xc0) == 0)
		return bad_frame(decoder, FAULT_BLOB_FRAME, "a frame without its content size (bundle/FORMAT.md 4.3)",
				 why);
	window = frame[5];
	log = 10 + (window >> 3);
	if (log > LIMIT_WINDOW_LOG || (log == LIMIT_WINDOW_LOG && (window & 7) != 0))
		return bad_frame(decoder, FAULT_BLOB_FRAME, "a frame with too large a window (bundle/FORMAT.md 4.3)",
				 why);
	return FAULT_NONE;
}

/* The frame must hold what is due next, no byte more or less: this bounds the plain length while decoding. */
static enum fault check_content_size(const struct decoder *decoder, const uint8_t *frame, size_t size,
				     struct refusal *why)
{
	uint64_t due = smaller(FRAME_PLAIN_SIZE, decoder->blob->plain_length - decoder->done);
	unsigned long long content_size = ZSTD_getFrameContentSize(frame, size);
	char line[128];

	if (content_size == ZSTD_CONTENTSIZE_UNKNOWN || content_size == ZSTD_CONTENTSIZE_ERROR)
		return bad_frame(decoder, FAULT_BLOB_TRUNCATED, "ends within a frame's header (bundle/FORMAT.md 4.2)",
				 why);
	if (due == 0 && decoder->n_frames > 0)
		return bad_frame(decoder, FAULT_BLOB_FRAME, "a frame behind the last (bundle/FORMAT.md 4.2)", why);
	if (content_size == due)
		return FAULT_NONE;
	snprintf(line, sizeof(line),
		 "a frame that declares %llu plain bytes where %" PRIu64 " are due (bundle/FORMAT.md 4.2)",
		 content_size, due);
	return bad_frame(decoder, FAULT_BLOB_FRAME, line, why);
}

static enum fault decode_frame(struct decoder *decoder, struct refusal *why)
{
	struct part_reader *reader = &decoder->source->reader;
	const uint8_t *frame = reader->buffer + reader->begin;
	size_t size = reader->end - reader->begin, frame_size, n;
	enum fault fault;

	fault = check_header(decoder, frame, size, why);
	if (fault == FAULT_NONE)
		fault = check_content_size(decoder, frame, size, why);
	if (fault != FAULT_NONE)
		return fault;
	frame_size = ZSTD_findFrameCompressedSize(frame, size);
	if (ZSTD_isError(frame_size)) {
		bool truncated = ZSTD_getErrorCode(frame_size) == ZSTD_error_srcSize_wrong && size < FRAME_SIZE;

		return bad_frame(decoder, truncated ? FAULT_BLOB_TRUNCATED : FAULT_BLOB_FRAME,
				 truncated ? "ends within a frame (bundle/FORMAT.md 4.2)"
					   : "a frame out of form (bundle/FORMAT.md 4.3)",
				 why);
	}
	n = ZSTD_decompressDCtx(decoder->dctx, decoder->plain, decoder->plain_room, frame, frame_size);
	if (ZSTD_isError(n))
		return bad_frame(decoder, FAULT_BLOB_FRAME, ZSTD_getErrorName(n), why);
	reader->begin += frame_size;
	decoder->n_frames++;
	decoder->done += n;
	return n != 0 ? decoder->sink(decoder->ctx, decoder->plain, n, why) : FAULT_NONE;
}

static enum fault check_plan(const struct blob *blob, struct refusal *why)
{
	if (blob->plain_length > LIMIT_PLAIN_SIZE)
		return refuse(why, FAULT_BLOB_FRAME, "%" PRIu64 " plain bytes, at most %llu (bundle/FORMAT.md 4.1)",
			      blob->plain_length, LIMIT_PLAIN_SIZE);
	if (blob->n_parts == 0 || blob->n_parts > LIMIT_PARTS)
		return refuse(why, FAULT_BLOB_FRAME, "%zu parts, at least 1 and at most %d (bundle/FORMAT.md 4.1)",
			      blob->n_parts, LIMIT_PARTS);
	for (size_t i = 0; i < blob->n_parts; i++)
		if (blob->parts[i].length == 0 || blob->parts[i].length > LIMIT_PART_SIZE)
			return refuse(why, FAULT_BLOB_FRAME,
				      "part %zu: %" PRIu64 " bytes, at least 1 and at most %llu (bundle/FORMAT.md 4.1)",
				      i + 1, blob->parts[i].length, LIMIT_PART_SIZE);
	return FAULT_NONE;
}

/* relay_work: everything but the plain bytes' SHA-256. */
static enum fault decode_parts(void *ctx, blob_sink *sink, void *sink_ctx, struct refusal *why)
{
	struct decoder *decoder = ctx;
	const struct blob *blob = decoder->blob;
	const struct part_reader *reader = &decoder->source->reader;

	decoder->sink = sink;
	decoder->ctx = sink_ctx;
	for (;;) {
		/* A frame is within one part. */
		enum fault fault = source_fill(decoder->source, FRAME_SIZE, why);

		if (fault != FAULT_NONE)
			return fault;
		if (reader->begin == reader->end)
			break;
		if ((fault = decode_frame(decoder, why)) != FAULT_NONE)
			return fault;
	}
	if (decoder->done != blob->plain_length)
		return refuse(why, FAULT_BLOB_TRUNCATED,
			      "the last part ends after %" PRIu64 " of %" PRIu64 " plain bytes (bundle/FORMAT.md 4.5)",
			      decoder->done, blob->plain_length);
	return FAULT_NONE;
}

/* --- decoding: plain bytes --------------------------------------------------------------------------------------------
 */

enum fault blob_prove(void *ctx, const void *data, size_t size, struct refusal *why)
{
	struct blob_proof *proof = ctx;

	hash_update(proof->hash, data, size);
	return proof->sink(proof->ctx, data, size, why);
}

enum fault blob_proof_end(const struct blob_proof *proof, const struct blob *blob, const char *clause,
			  struct refusal *why)
{
	char wanted[SHA256_HEX_SIZE], found[SHA256_HEX_SIZE];
	struct sha256 sha256;

	hash_final(proof->hash, &sha256);
	if (sha256_equal(&sha256, &blob->plain_sha256))
		return FAULT_NONE;
	sha256_to_hex(&blob->plain_sha256, wanted);
	sha256_to_hex(&sha256, found);
	return refuse(why, FAULT_PLAIN_HASH, "the plain bytes' SHA-256 is %s, %s is signed (bundle/FORMAT.md %s)",
		      found, wanted, clause);
}

static enum fault decode(const struct blob *blob, const int *part_fds, bool by_two, blob_sink *sink, void *ctx,
			 struct refusal *why)
{
	_cleanup_(hash_freep) struct hash *plain_hash = hash_new();
	_cleanup_(free_dctx) ZSTD_DCtx *dctx = ZSTD_createDCtx();
	_cleanup_(blob_source_freep) struct blob_source *source = NULL;
	_cleanup_free_ uint8_t *bytes = NULL;
	struct decoder decoder = {.blob = blob, .dctx = dctx};
	struct blob_proof proof = {plain_hash, sink, ctx};
	enum fault fault = check_plan(blob, why);

	if (fault != FAULT_NONE)
		return fault;
	decoder.source = source = blob_source_new(blob, part_fds);
	decoder.plain_room = (size_t)smaller(FRAME_PLAIN_SIZE, blob->plain_length);
	decoder.plain = bytes = xmalloc(decoder.plain_room + 1);
	if (dctx == NULL || ZSTD_isError(ZSTD_DCtx_setParameter(dctx, ZSTD_d_windowLogMax, LIMIT_WINDOW_LOG)))
		die("zstd: no decoder");
	fault = by_two ? relay_run(decode_parts, &decoder, blob_prove, &proof, why)
		       : decode_parts(&decoder, blob_prove, &proof, why);
	return fault == FAULT_NONE ? blob_proof_end(&proof, blob, "4.5", why) : fault;
}

enum fault blob_decode(const struct blob *blob, const int *part_fds, blob_sink *sink, void *ctx, struct refusal *why)
{
	return decode(blob, part_fds, false, sink, ctx, why);
}

enum fault blob_decode_by_two(const struct blob *blob, const int *part_fds, blob_sink *sink, void *ctx,
			      struct refusal *why)
{
	return decode(blob, part_fds, true, sink, ctx, why);
}
