/* SPDX-License-Identifier: ISC
 *
 * patch, encoding: the base is indexed by all threads, and hashed on the way, in its order; then each takes the next segment, matches
 * and compresses it, and writes it when its turn comes. What is small is put aside until then, so that nobody waits for a slower one.
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
#include "bundle/progress.h"

/* The base is indexed in pieces, each with the bytes before it that warm the hash up. */
#define PIECE_SIZE ((size_t)MIB)
/* Compressed as hard as zstd can while it is little; the rest fast, and in a window that costs no memory. */
#define HARD_SIZE ((size_t)256 * KIB)
#define HARD_LEVEL 19
#define FAST_LEVEL 3
#define FAST_WINDOW_LOG 20
/* What a segment says of its copies may grow to this; then copies shorter than LONG_COPY, each of which costs most, are literals. */
#define NUMBERS_SIZE ((size_t)1 * MIB)
#define LONG_COPY 128
/* Of a segment's frames so much waits for its turn to be written. */
#define OUT_SIZE ((size_t)4 * MIB)
/* And so much of segments that are ready before others in front of them. */
#define ASIDE_SIZE ((size_t)1 * MIB)
/* Of the new file, where literals are read again. */
#define REREAD_SIZE ((size_t)128 * KIB)

struct bytes {
	uint8_t *data;
	size_t size, room;
};

/* A segment's frames that wait for their turn. */
struct aside {
	uint32_t number;
	uint8_t *frames; /* NULL: free */
	size_t size;
};

struct encoder {
	int base_fd, new_fd, out_fd;
	struct patch_header header;
	uint64_t max_length;
	struct patchindex *index;
	struct hash *hash; /* of the base; belongs to the thread whose turn it is */
	atomic_uint_fast64_t next_piece;
	atomic_uint_fast32_t next_segment;
	pthread_mutex_t lock;
	pthread_cond_t turn;
	/* Under the lock. */
	uint64_t hashed;  /* pieces */
	uint32_t written; /* segments */
	int error;
	uint8_t *table;
	struct patch_counts counts;
	struct aside aside[PATCH_THREADS_MAX];
	size_t aside_size;
};

/* One thread's segment. */
struct segment {
	uint32_t number;
	struct bytes before, lengths,
		distances;     /* of each copy: literals before it, its length, the change of its distance */
	struct bytes literals; /* at most HARD_SIZE: where there are more they are read again */
	uint64_t n_literals;
	uint64_t begin, end;
	uint64_t at; /* in the new file, while it is matched */
	uint64_t n_before;
	int64_t distance;
	uint64_t n_copies, copied;
	ZSTD_CCtx *cctx;
	uint8_t *out; /* OUT_SIZE: of its frames what is not written yet */
	size_t out_size;
	uint64_t frame_sizes[2];
};

/* --- bytes ----------------------------------------------------------------------------------------------------------- */

static void put_bytes(struct bytes *bytes, const void *data, size_t size)
{
	if (size > bytes->room - bytes->size) {
		bytes->room = bytes->size + bytes->size / 4 + size + 4 * KIB;
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

	if (segment->n_literals == segment->literals.size && size <= HARD_SIZE - segment->literals.size)
		put_bytes(&segment->literals, bytes, size);
	segment->n_literals += size;
	segment->n_before += size;
	segment->at += size;
}

static void take_copy(void *ctx, uint64_t offset, uint64_t length)
{
	struct segment *segment = ctx;
	int64_t distance = (int64_t)offset - (int64_t)segment->at, change = distance - segment->distance;

	segment->at += length;
	if (length < LONG_COPY &&
	    segment->before.size + segment->lengths.size + segment->distances.size >= NUMBERS_SIZE) {
		segment->n_literals += length;
		segment->n_before += length;
		return;
	}
	put_number(&segment->before, segment->n_before);
	put_number(&segment->lengths, length);
	put_number(&segment->distances, change < 0 ? (uint64_t)(-1 - change) * 2 + 1 : (uint64_t)change * 2);
	segment->distance = distance;
	segment->n_before = 0;
	segment->n_copies++;
	segment->copied += length;
}

static int match_segment(const struct encoder *encoder, struct patchmatch *match, struct segment *segment)
{
	const struct patchmatch_sink sink = {take_literal, take_copy, segment};
	uint64_t length = encoder->header.plain_length;

	segment->begin = (uint64_t)segment->number * PATCH_SEGMENT_SIZE;
	segment->end = length - segment->begin < PATCH_SEGMENT_SIZE ? length : segment->begin + PATCH_SEGMENT_SIZE;
	segment->at = segment->begin;
	segment->before.size = segment->lengths.size = segment->distances.size = segment->literals.size = 0;
	segment->n_literals = segment->n_before = segment->n_copies = segment->copied = 0;
	segment->distance = 0;
	return patchmatch_run(match, segment->begin, segment->end, &sink);
}

/* --- its frames ------------------------------------------------------------------------------------------------------ */

/* Waits until all segments before this one are written, and writes what there is of it. */
static int write_out(struct encoder *encoder, struct segment *segment)
{
	int r;

	pthread_mutex_lock(&encoder->lock);
	while (encoder->written != segment->number && encoder->error == 0)
		pthread_cond_wait(&encoder->turn, &encoder->lock);
	r = encoder->error;
	pthread_mutex_unlock(&encoder->lock);
	if (r == 0)
		r = fd_write_all(encoder->out_fd, segment->out, segment->out_size);
	segment->out_size = 0;
	return r;
}

/* Whether the frames, all of them, were put aside: it is not their turn, and there is room. */
static bool put_aside(struct encoder *encoder, const struct segment *segment)
{
	struct aside *aside = NULL;
	bool fits;

	pthread_mutex_lock(&encoder->lock);
	for (size_t i = 0; i < PATCH_THREADS_MAX && aside == NULL; i++)
		aside = encoder->aside[i].frames == NULL ? &encoder->aside[i] : NULL;
	fits = aside != NULL && encoder->written != segment->number &&
	       segment->out_size <= ASIDE_SIZE - encoder->aside_size;
	if (fits) {
		*aside = (struct aside){segment->number, xmalloc(segment->out_size + 1), segment->out_size};
		memcpy(aside->frames, segment->out, segment->out_size);
		encoder->aside_size += segment->out_size;
	}
	pthread_mutex_unlock(&encoder->lock);
	return fits;
}

static void begin_frame(ZSTD_CCtx *cctx, uint64_t size)
{
	if (ZSTD_isError(ZSTD_CCtx_reset(cctx, ZSTD_reset_session_and_parameters)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(cctx, ZSTD_c_compressionLevel,
						size <= HARD_SIZE ? HARD_LEVEL : FAST_LEVEL)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(cctx, ZSTD_c_checksumFlag, 1)) ||
	    (size > HARD_SIZE && ZSTD_isError(ZSTD_CCtx_setParameter(cctx, ZSTD_c_windowLog, FAST_WINDOW_LOG))) ||
	    ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(cctx, size)))
		die("zstd: a parameter of FORMAT.md 15.3 is refused");
}

/* SIZE more bytes of frame WHICH; its last, too, where IS_END. */
static int put_frame(struct encoder *encoder, struct segment *segment, size_t which, const uint8_t *bytes, size_t size,
		     bool is_end)
{
	ZSTD_inBuffer in = {bytes != NULL ? bytes : (const void *)"", size, 0};
	size_t left, least = ZSTD_CStreamOutSize();

	do {
		ZSTD_outBuffer out = {segment->out, OUT_SIZE, segment->out_size};
		int r;

		left = ZSTD_compressStream2(segment->cctx, &out, &in, is_end ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			die("zstd: %s", ZSTD_getErrorName(left));
		segment->frame_sizes[which] += out.pos - segment->out_size;
		segment->out_size = out.pos;
		if (OUT_SIZE - segment->out_size < least && (r = write_out(encoder, segment)) < 0)
			return r;
	} while (in.pos < in.size || (is_end && left > 0));
	return 0;
}

static int put_copies(struct encoder *encoder, struct segment *segment)
{
	_cleanup_free_ uint8_t *count = NULL;
	struct bytes number = {NULL, 0, 0};
	const struct bytes *const all[] = {&number, &segment->before, &segment->lengths, &segment->distances};
	size_t n = sizeof(all) / sizeof(all[0]), size = 0;
	int r = 0;

	put_number(&number, segment->n_copies);
	count = number.data;
	for (size_t i = 0; i < n; i++)
		size += all[i]->size;
	begin_frame(segment->cctx, size);
	for (size_t i = 0; i < n && r == 0; i++)
		r = put_frame(encoder, segment, 0, all[i]->data, all[i]->size, i + 1 == n);
	return r;
}

static uint64_t get_number(const uint8_t **at)
{
	uint64_t number = 0;
	unsigned shift = 0;

	for (; (**at & 0x80) != 0; shift += 7)
		number |= (uint64_t)(*(*at)++ & 0x7f) << shift;
	return number | (uint64_t) * (*at)++ << shift;
}

static int read_at(int fd, uint8_t *data, size_t size, uint64_t offset)
{
	ssize_t n = fd_read_at(fd, data, size, offset);

	if (n < 0)
		return (int)n;
	return (size_t)n == size ? 0 : -EIO;
}

/* The literals of a segment out of the new file: what stands between its copies, and behind the last. */
static int reread_literals(struct encoder *encoder, struct segment *segment)
{
	_cleanup_free_ uint8_t *window = xmalloc(REREAD_SIZE);
	const uint8_t *before = segment->before.data, *lengths = segment->lengths.data;
	uint64_t at = segment->begin, start = at, stop = at; /* what the window holds */
	int r = 0;

	for (uint64_t i = 0; i <= segment->n_copies && r == 0; i++) {
		uint64_t left = i < segment->n_copies ? get_number(&before) : segment->end - at;

		while (left > 0 && r == 0) {
			size_t size;

			if (at >= stop) {
				start = at;
				stop = segment->end - at < REREAD_SIZE ? segment->end : at + REREAD_SIZE;
				if ((r = read_at(encoder->new_fd, window, (size_t)(stop - start), start)) < 0)
					break;
			}
			size = (size_t)(left < stop - at ? left : stop - at);
			r = put_frame(encoder, segment, 1, window + (at - start), size, false);
			at += size;
			left -= size;
		}
		at += i < segment->n_copies ? get_number(&lengths) : 0;
	}
	return r == 0 ? put_frame(encoder, segment, 1, NULL, 0, true) : r;
}

static int put_literals(struct encoder *encoder, struct segment *segment)
{
	begin_frame(segment->cctx, segment->n_literals);
	if (segment->n_literals > segment->literals.size)
		return reread_literals(encoder, segment);
	return put_frame(encoder, segment, 1, segment->literals.data, segment->literals.size, true);
}

static int make_segment(struct encoder *encoder, struct patchmatch *match, struct segment *segment)
{
	int r = match_segment(encoder, match, segment);

	segment->out_size = 0;
	segment->frame_sizes[0] = segment->frame_sizes[1] = 0;
	if (r == 0)
		r = put_copies(encoder, segment);
	return r == 0 ? put_literals(encoder, segment) : r;
}

static void note_segment(struct encoder *encoder, const struct segment *segment)
{
	uint8_t *entry = encoder->table + (size_t)segment->number * PATCH_ENTRY_SIZE;

	pthread_mutex_lock(&encoder->lock);
	for (size_t i = 0; i < 2; i++) {
		put_fixed(entry + 4 * i, segment->frame_sizes[i], 4);
		encoder->counts.length += segment->frame_sizes[i];
	}
	/* Whichever segments are done: with more of them it is not shorter. So what comes of it does not depend on their order. */
	if (encoder->error == 0 && encoder->counts.length > encoder->max_length)
		encoder->error = -E2BIG;
	encoder->counts.n_copies += segment->n_copies;
	encoder->counts.copied += segment->copied;
	pthread_mutex_unlock(&encoder->lock);
}

/* Of the segments put aside the one whose turn it is; NULL: none. Under the lock. */
static struct aside *next_aside(struct encoder *encoder)
{
	for (size_t i = 0; i < PATCH_THREADS_MAX; i++)
		if (encoder->aside[i].frames != NULL && encoder->aside[i].number == encoder->written)
			return &encoder->aside[i];
	return NULL;
}

/* A segment is written, and it was its turn: then those come that were put aside behind it, and then others. */
static void pass_on(struct encoder *encoder)
{
	uint64_t length = encoder->header.plain_length, done;
	struct aside *aside;

	pthread_mutex_lock(&encoder->lock);
	encoder->written++;
	while (encoder->error == 0 && (aside = next_aside(encoder)) != NULL) {
		int r = fd_write_all(encoder->out_fd, aside->frames, aside->size);

		free(aside->frames);
		aside->frames = NULL;
		encoder->aside_size -= aside->size;
		encoder->written++;
		encoder->error = r;
	}
	/* Nobody reads by the offset: it shows who waits for this process how far it is. */
	done = (uint64_t)encoder->written * PATCH_SEGMENT_SIZE;
	lseek(encoder->new_fd, (off_t)(done < length ? done : length), SEEK_SET);
	progress_show(done < length ? done : length);
	pthread_cond_broadcast(&encoder->turn);
	pthread_mutex_unlock(&encoder->lock);
}

/* Nobody's turn comes any more. */
static void fail(struct encoder *encoder, int error)
{
	pthread_mutex_lock(&encoder->lock);
	if (encoder->error == 0)
		encoder->error = error;
	pthread_cond_broadcast(&encoder->turn);
	pthread_mutex_unlock(&encoder->lock);
}

static void end_segment(struct encoder *encoder, struct segment *segment)
{
	int r;

	note_segment(encoder, segment);
	if (put_aside(encoder, segment))
		return;
	r = write_out(encoder, segment);
	if (r < 0)
		fail(encoder, r);
	else
		pass_on(encoder);
}

static void segment_clear(struct segment *segment)
{
	free(segment->before.data);
	free(segment->lengths.data);
	free(segment->distances.data);
	free(segment->literals.data);
	free(segment->out);
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
	struct segment segment = {.cctx = ZSTD_createCCtx(), .out = xmalloc(OUT_SIZE)};

	if (segment.cctx == NULL)
		die("out of memory");
	while ((segment.number = (uint32_t)atomic_fetch_add(&encoder->next_segment, 1)) < encoder->header.n_segments &&
	       !has_failed(encoder)) {
		int r = make_segment(encoder, match, &segment);

		if (r == 0)
			end_segment(encoder, &segment);
		else
			fail(encoder, r);
	}
	segment_clear(&segment);
	patchmatch_free(match);
	return NULL;
}

/* --- the base -------------------------------------------------------------------------------------------------------- */

/* The pieces are hashed in their order, each by the thread that indexed it and has it in its cache: indexing takes as long as hashing,
 * so two threads keep each other busy. */
static void hash_piece(struct encoder *encoder, uint64_t number, const uint8_t *bytes, size_t size)
{
	pthread_mutex_lock(&encoder->lock);
	while (encoder->hashed != number && encoder->error == 0)
		pthread_cond_wait(&encoder->turn, &encoder->lock);
	pthread_mutex_unlock(&encoder->lock);
	if (has_failed(encoder))
		return;
	hash_update(encoder->hash, bytes, size);
	pthread_mutex_lock(&encoder->lock);
	encoder->hashed++;
	pthread_cond_broadcast(&encoder->turn);
	pthread_mutex_unlock(&encoder->lock);
}

static void *index_pieces(void *ctx)
{
	struct encoder *encoder = ctx;
	_cleanup_free_ uint8_t *bytes = xmalloc(PIECE_SIZE + PATCH_GRAIN);
	uint64_t length = encoder->header.base_length;

	for (;;) {
		uint64_t number = (uint64_t)atomic_fetch_add(&encoder->next_piece, 1), begin = number * PIECE_SIZE;
		size_t before = begin > 0 ? PATCH_GRAIN : 0, size;
		int r;

		if (begin >= length || has_failed(encoder))
			return NULL;
		size = before + (length - begin < PIECE_SIZE ? (size_t)(length - begin) : PIECE_SIZE);
		r = read_at(encoder->base_fd, bytes, size, begin - before);
		if (r < 0) {
			fail(encoder, r);
			return NULL;
		}
		patchindex_add(encoder->index, bytes, size, before, begin - before);
		hash_piece(encoder, number, bytes + before, size - before);
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
	if (encoder->counts.length > encoder->max_length)
		return -E2BIG;
	run_threads(index_pieces, encoder, threads);
	if (encoder->error != 0)
		return encoder->error;
	hash_final(encoder->hash, &encoder->header.base_sha256);
	encoder->counts.base_sha256 = encoder->header.base_sha256;
	if ((r = put_front(encoder)) < 0)
		return r;
	run_threads(make_segments, encoder, threads);
	return encoder->error != 0 ? encoder->error : put_front(encoder);
}

int patch_encode(int base_fd, int new_fd, int out_fd, unsigned threads, struct patch_counts *ret_counts)
{
	return patch_encode_within(base_fd, new_fd, out_fd, threads, UINT64_MAX, ret_counts);
}

int patch_encode_within(int base_fd, int new_fd, int out_fd, unsigned threads, uint64_t max_length,
			struct patch_counts *ret_counts)
{
	struct encoder encoder = {.base_fd = base_fd, .new_fd = new_fd, .out_fd = out_fd, .max_length = max_length};
	int64_t base_length = fd_size(base_fd), plain_length = fd_size(new_fd);
	int r;

	if (base_length < 0 || plain_length < 0)
		return base_length < 0 ? (int)base_length : (int)plain_length;
	if ((uint64_t)base_length > LIMIT_PLAIN_SIZE || (uint64_t)plain_length > LIMIT_PLAIN_SIZE)
		return -EFBIG;
	encoder.header.base_length = (uint64_t)base_length;
	encoder.header.plain_length = (uint64_t)plain_length;
	encoder.header.n_segments = (uint32_t)(((uint64_t)plain_length + PATCH_SEGMENT_SIZE - 1) / PATCH_SEGMENT_SIZE);
	encoder.index = patchindex_new(encoder.header.base_length);
	encoder.hash = hash_new();
	pthread_mutex_init(&encoder.lock, NULL);
	pthread_cond_init(&encoder.turn, NULL);
	r = encode(&encoder, threads);
	pthread_cond_destroy(&encoder.turn);
	pthread_mutex_destroy(&encoder.lock);
	for (size_t i = 0; i < PATCH_THREADS_MAX; i++)
		free(encoder.aside[i].frames);
	hash_free(encoder.hash);
	patchindex_free(encoder.index);
	free(encoder.table);
	if (r == 0)
		*ret_counts = encoder.counts;
	return r;
}
