/* SPDX-License-Identifier: ISC
 *
 * patch, encoding: the base is indexed by all threads; then each takes the next segment, matches and compresses it, and waits for its
 * turn to write.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/patch.h"
#include "bundle/patch_format.h"
#include "bundle/patchmatch.h"

/* The base is indexed in pieces, each with the bytes before it that warm the hash up. */
#define PIECE_SIZE ((size_t)MIB)
/* Compressed as hard as zstd can while it is little; the rest fast. */
#define HARD_SIZE ((size_t)256 * KIB)
#define HARD_LEVEL 19
#define FAST_LEVEL 3

struct bytes {
	uint8_t *data;
	size_t size, room;
};

struct encoder {
	int base_fd, new_fd, out_fd;
	struct patch_header header;
	struct patchindex *index;
	atomic_uint_fast64_t next_piece;
	atomic_uint_fast32_t next_segment;
	pthread_mutex_t lock;
	pthread_cond_t turn;
	/* Under the lock. */
	uint32_t written; /* segments */
	int error;
	uint8_t *table;
	struct patch_counts counts;
};

/* One thread's segment. */
struct segment {
	struct bytes before, lengths,
		distances; /* of each copy: literals before it, its length, the change of its distance */
	struct bytes literals;
	struct bytes copies, frame[2];
	uint64_t begin, end;
	uint64_t at; /* in the new file, while it is matched */
	uint64_t n_before;
	int64_t distance;
	uint64_t n_copies, copied;
	ZSTD_CCtx *cctx;
};

/* --- bytes ----------------------------------------------------------------------------------------------------------- */

static void put_bytes(struct bytes *bytes, const void *data, size_t size)
{
	if (size > bytes->room - bytes->size) {
		bytes->room = (bytes->size + size) * 2;
		bytes->data = xrealloc(bytes->data, bytes->room, 1);
	}
	if (size > 0)
		memcpy(bytes->data + bytes->size, data, size);
	bytes->size += size;
}

/* LEB128, FORMAT.md 15.4. */
static void put_number(struct bytes *bytes, uint64_t number)
{
	uint8_t text[10];
	size_t n = 0;

	for (; number >= 0x80; number >>= 7)
		text[n++] = (uint8_t)(number | 0x80);
	text[n++] = (uint8_t)number;
	put_bytes(bytes, text, n);
}

static void put_fixed(uint8_t *to, uint64_t number, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)(number >> 8 * i);
}

/* --- one segment ----------------------------------------------------------------------------------------------------- */

static void take_literal(void *ctx, const uint8_t *bytes, size_t size)
{
	struct segment *segment = ctx;

	put_bytes(&segment->literals, bytes, size);
	segment->n_before += size;
	segment->at += size;
}

static void take_copy(void *ctx, uint64_t offset, uint64_t length)
{
	struct segment *segment = ctx;
	int64_t distance = (int64_t)offset - (int64_t)segment->at, change = distance - segment->distance;

	put_number(&segment->before, segment->n_before);
	put_number(&segment->lengths, length);
	put_number(&segment->distances, change < 0 ? (uint64_t)(-1 - change) * 2 + 1 : (uint64_t)change * 2);
	segment->distance = distance;
	segment->n_before = 0;
	segment->at += length;
	segment->n_copies++;
	segment->copied += length;
}

static void compress(ZSTD_CCtx *cctx, const struct bytes *content, struct bytes *frame)
{
	size_t size, room = ZSTD_compressBound(content->size);

	if (room > frame->room) {
		free(frame->data);
		frame->data = xmalloc(room);
		frame->room = room;
	}
	if (ZSTD_isError(ZSTD_CCtx_reset(cctx, ZSTD_reset_session_and_parameters)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel,
						content->size <= HARD_SIZE ? HARD_LEVEL : FAST_LEVEL)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(cctx, ZSTD_c_checksumFlag, 1)) ||
	    (content->size > HARD_SIZE && ZSTD_isError(ZSTD_CCtx_setParameter(cctx, ZSTD_c_windowLog, 20))))
		die("zstd: a parameter of FORMAT.md 15.3 is refused");
	size = ZSTD_compress2(cctx, frame->data, frame->room, content->data != NULL ? content->data : (const void *)"",
			      content->size);
	if (ZSTD_isError(size))
		die("zstd: %s", ZSTD_getErrorName(size));
	frame->size = size;
}

static int make_segment(const struct encoder *encoder, struct patchmatch *match, struct segment *segment,
			uint32_t number)
{
	const struct patchmatch_sink sink = {take_literal, take_copy, segment};
	uint64_t length = encoder->header.plain_length;
	int r;

	segment->begin = (uint64_t)number * PATCH_SEGMENT_SIZE;
	segment->end = length - segment->begin < PATCH_SEGMENT_SIZE ? length : segment->begin + PATCH_SEGMENT_SIZE;
	segment->at = segment->begin;
	segment->before.size = segment->lengths.size = segment->distances.size = segment->literals.size =
		segment->copies.size = 0;
	segment->n_before = segment->n_copies = segment->copied = 0;
	segment->distance = 0;
	r = patchmatch_run(match, segment->begin, segment->end, &sink);
	if (r < 0)
		return r;
	put_number(&segment->copies, segment->n_copies);
	put_bytes(&segment->copies, segment->before.data, segment->before.size);
	put_bytes(&segment->copies, segment->lengths.data, segment->lengths.size);
	put_bytes(&segment->copies, segment->distances.data, segment->distances.size);
	compress(segment->cctx, &segment->copies, &segment->frame[0]);
	compress(segment->cctx, &segment->literals, &segment->frame[1]);
	return 0;
}

/* Waits until all segments before NUMBER are written, then writes it. */
static void write_segment(struct encoder *encoder, const struct segment *segment, uint32_t number, int error)
{
	pthread_mutex_lock(&encoder->lock);
	while (encoder->written != number && encoder->error == 0)
		pthread_cond_wait(&encoder->turn, &encoder->lock);
	for (size_t i = 0; i < 2 && error == 0 && encoder->error == 0; i++) {
		error = fd_write_all(encoder->out_fd, segment->frame[i].data, segment->frame[i].size);
		put_fixed(encoder->table + (size_t)number * PATCH_ENTRY_SIZE + 4 * i, segment->frame[i].size, 4);
		encoder->counts.length += segment->frame[i].size;
	}
	if (encoder->error == 0)
		encoder->error = error;
	encoder->counts.n_copies += segment->n_copies;
	encoder->counts.copied += segment->copied;
	encoder->written++;
	pthread_cond_broadcast(&encoder->turn);
	pthread_mutex_unlock(&encoder->lock);
}

static void segment_clear(struct segment *segment)
{
	struct bytes *const all[] = {&segment->before, &segment->lengths,  &segment->distances, &segment->literals,
				     &segment->copies, &segment->frame[0], &segment->frame[1]};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(all[i]->data);
	ZSTD_freeCCtx(segment->cctx);
}

static bool has_failed(struct encoder *encoder)
{
	bool failed;

	pthread_mutex_lock(&encoder->lock);
	failed = encoder->error != 0;
	pthread_mutex_unlock(&encoder->lock);
	return failed;
}

static void *make_segments(void *ctx)
{
	struct encoder *encoder = ctx;
	struct patchmatch *match = patchmatch_new(encoder->index, encoder->base_fd, encoder->header.base_length,
						  encoder->new_fd, encoder->header.plain_length);
	struct segment segment = {.cctx = ZSTD_createCCtx()};
	uint32_t number;

	if (segment.cctx == NULL)
		die("out of memory");
	while ((number = (uint32_t)atomic_fetch_add(&encoder->next_segment, 1)) < encoder->header.n_segments &&
	       !has_failed(encoder)) {
		int r = make_segment(encoder, match, &segment, number);

		write_segment(encoder, &segment, number, r);
	}
	segment_clear(&segment);
	patchmatch_free(match);
	return NULL;
}

/* --- the base -------------------------------------------------------------------------------------------------------- */

static int read_at(int fd, uint8_t *data, size_t size, uint64_t offset)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = pread(fd, data + done, size - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

static void *index_pieces(void *ctx)
{
	struct encoder *encoder = ctx;
	_cleanup_free_ uint8_t *bytes = xmalloc(PIECE_SIZE + PATCH_GRAIN);
	uint64_t length = encoder->header.base_length;

	for (;;) {
		uint64_t begin = (uint64_t)atomic_fetch_add(&encoder->next_piece, 1) * PIECE_SIZE;
		size_t before = begin > 0 ? PATCH_GRAIN : 0, size;
		int r;

		if (begin >= length || has_failed(encoder))
			return NULL;
		size = before + (length - begin < PIECE_SIZE ? (size_t)(length - begin) : PIECE_SIZE);
		r = read_at(encoder->base_fd, bytes, size, begin - before);
		if (r == 0) {
			patchindex_add(encoder->index, bytes, size, before, begin - before);
			continue;
		}
		pthread_mutex_lock(&encoder->lock);
		encoder->error = r;
		pthread_mutex_unlock(&encoder->lock);
	}
}

/* --- all of it ------------------------------------------------------------------------------------------------------- */

/* Runs WORK in THREADS threads, this one among them. Fewer do as well where no more can be had. */
static void run_threads(void *(*work)(void *), struct encoder *encoder, unsigned threads)
{
	pthread_t others[PATCH_THREADS_MAX];
	unsigned n = 0;

	while (n + 1 < threads && n < PATCH_THREADS_MAX && pthread_create(&others[n], NULL, work, encoder) == 0)
		n++;
	work(encoder);
	for (unsigned i = 0; i < n; i++)
		pthread_join(others[i], NULL);
}

static int put_front(struct encoder *encoder)
{
	uint8_t header[PATCH_HEADER_SIZE];
	int r;

	memcpy(header, PATCH_MAGIC, PATCH_MAGIC_SIZE);
	memcpy(header + PATCH_MAGIC_SIZE, encoder->header.base_sha256.bytes, 32);
	put_fixed(header + PATCH_MAGIC_SIZE + 32, encoder->header.base_length, 8);
	put_fixed(header + PATCH_MAGIC_SIZE + 40, encoder->header.plain_length, 8);
	if (lseek(encoder->out_fd, 0, SEEK_SET) < 0)
		return -errno;
	r = fd_write_all(encoder->out_fd, header, sizeof(header));
	return r < 0 ? r
		     : fd_write_all(encoder->out_fd, encoder->table,
				    (size_t)encoder->header.n_segments * PATCH_ENTRY_SIZE);
}

static int encode(struct encoder *encoder, unsigned threads)
{
	size_t table_size = (size_t)encoder->header.n_segments * PATCH_ENTRY_SIZE;
	int r;

	encoder->table = xcalloc(table_size + 1, 1);
	encoder->counts.length = PATCH_HEADER_SIZE + table_size;
	run_threads(index_pieces, encoder, threads);
	if (encoder->error != 0)
		return encoder->error;
	if ((r = put_front(encoder)) < 0)
		return r;
	run_threads(make_segments, encoder, threads);
	return encoder->error != 0 ? encoder->error : put_front(encoder);
}

int patch_encode(int base_fd, const struct sha256 *base_sha256, int new_fd, int out_fd, unsigned threads,
		 struct patch_counts *ret_counts)
{
	struct encoder encoder = {.base_fd = base_fd, .new_fd = new_fd, .out_fd = out_fd};
	int64_t base_length = fd_size(base_fd), plain_length = fd_size(new_fd);
	int r;

	if (base_length < 0 || plain_length < 0)
		return base_length < 0 ? (int)base_length : (int)plain_length;
	if ((uint64_t)base_length > LIMIT_PLAIN_SIZE || (uint64_t)plain_length > LIMIT_PLAIN_SIZE)
		return -EFBIG;
	encoder.header = (struct patch_header){
		*base_sha256, (uint64_t)base_length, (uint64_t)plain_length,
		(uint32_t)(((uint64_t)plain_length + PATCH_SEGMENT_SIZE - 1) / PATCH_SEGMENT_SIZE)};
	encoder.index = patchindex_new(encoder.header.base_length);
	pthread_mutex_init(&encoder.lock, NULL);
	pthread_cond_init(&encoder.turn, NULL);
	r = encode(&encoder, threads);
	pthread_cond_destroy(&encoder.turn);
	pthread_mutex_destroy(&encoder.lock);
	patchindex_free(encoder.index);
	free(encoder.table);
	if (r == 0)
		*ret_counts = encoder.counts;
	return r;
}
