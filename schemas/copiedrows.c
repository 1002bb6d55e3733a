/* SPDX-License-Identifier: ISC
 *
 * copiedrows: see copiedrows.h. Quotes of the base are counted once, up to a frontier that moves with the copies: out of what they bring,
 * and out of the base for what is left out between them. At every so many bytes it is noted whether their number was odd, for copies
 * that go back.
 */
#include "schemas/copiedrows.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "schemas/bytescan.h"

/* How often it is noted: what a copy that goes back costs to read. */
#define BLOCK_SIZE ((size_t)64 << 10)
/* Stretches that wait: more than a relay's bytes can hold. */
#define N_WAITING 1024

struct copied_rows {
	char quote;
	/* Of the thread that decodes. */
	int base_fd;
	uint64_t base_size;
	bool is_lost; /* the base could not be read */
	uint64_t at;  /* in the plain file */
	bool is_odd;  /* its quotes up to there */
	uint64_t copy_end,
		copy_base; /* of the copy that bytes come from: where it ends, and the base's byte for the next one */
	uint64_t frontier;
	bool frontier_is_odd;
	uint8_t *odd_blocks; /* a bit a block: whether the quotes before it are odd */
	uint8_t *block;      /* BLOCK_SIZE */

	pthread_mutex_t lock;
	struct copied_stretch waiting[N_WAITING]; /* under the lock, as a ring */
	size_t first, n_waiting;
};

struct copied_rows *copied_rows_new(int base_fd, uint64_t base_size, char quote)
{
	struct copied_rows *copied = xcalloc(1, sizeof(*copied));

	copied->quote = quote;
	copied->base_fd = base_fd;
	copied->base_size = base_size;
	copied->odd_blocks = xcalloc(base_size / BLOCK_SIZE / 8 + 1, 1);
	copied->block = xmalloc(BLOCK_SIZE);
	if (pthread_mutex_init(&copied->lock, NULL) != 0)
		die("no lock");
	return copied;
}

void copied_rows_free(struct copied_rows *copied)
{
	if (copied == NULL)
		return;
	pthread_mutex_destroy(&copied->lock);
	free(copied->odd_blocks);
	free(copied->block);
	free(copied);
}

void copied_rows_freep(struct copied_rows **copied)
{
	copied_rows_free(*copied);
}

/* --- quotes of the base ---------------------------------------------------------------------------------------------- */

static bool has_odd(const struct copied_rows *copied, const void *bytes, size_t size)
{
	return bytes_count(bytes, size, copied->quote) % 2 == 1;
}

/* Of the bytes from FROM to TO, within one block. */
static bool read_odd(struct copied_rows *copied, uint64_t from, uint64_t to)
{
	size_t size = (size_t)(to - from);

	if (!copied->is_lost)
		copied->is_lost = fd_read_at(copied->base_fd, copied->block, size, from) != (ssize_t)size;
	return !copied->is_lost && has_odd(copied, copied->block, size);
}

static uint64_t block_end(uint64_t offset)
{
	return (offset / BLOCK_SIZE + 1) * BLOCK_SIZE;
}

/* TO is at most the end of the frontier's block. */
static void advance(struct copied_rows *copied, uint64_t to, bool is_odd)
{
	copied->frontier = to;
	copied->frontier_is_odd ^= is_odd;
	if (to % BLOCK_SIZE == 0 && copied->frontier_is_odd)
		copied->odd_blocks[to / BLOCK_SIZE / 8] |= (uint8_t)(1 << to / BLOCK_SIZE % 8);
}

/* Whether the base has an odd number of quotes before OFFSET. */
static bool is_odd_at(struct copied_rows *copied, uint64_t offset)
{
	uint64_t block = offset / BLOCK_SIZE;
	bool is_odd;

	while (copied->frontier < offset && !copied->is_lost) {
		uint64_t end = block_end(copied->frontier);

		end = end < offset ? end : offset;
		is_odd = read_odd(copied, copied->frontier, end);
		advance(copied, end, is_odd);
	}
	if (copied->frontier == offset)
		return copied->frontier_is_odd;
	is_odd = (copied->odd_blocks[block / 8] >> block % 8 & 1) != 0;
	return is_odd ^ read_odd(copied, block * BLOCK_SIZE, offset);
}

/* --- the thread that decodes ------------------------------------------------------------------------------------------ */

static void put(struct copied_rows *copied, uint64_t begin, uint64_t end)
{
	pthread_mutex_lock(&copied->lock);
	if (copied->n_waiting < N_WAITING)
		copied->waiting[(copied->first + copied->n_waiting++) % N_WAITING] = (struct copied_stretch){begin,
													     end};
	pthread_mutex_unlock(&copied->lock);
}

void copied_rows_copy(void *ctx, uint64_t offset, uint64_t base_offset, uint64_t length)
{
	struct copied_rows *copied = ctx;
	bool is_odd;

	copied->copy_end = 0;
	if (length < COPIED_LEAST || copied->is_lost || offset != copied->at || base_offset > copied->base_size ||
	    length > copied->base_size - base_offset)
		return;
	is_odd = is_odd_at(copied, base_offset);
	if (copied->is_lost)
		return;
	copied->copy_end = offset + length;
	copied->copy_base = base_offset;
	if (is_odd == copied->is_odd)
		put(copied, offset, offset + length);
}

/* How many of SIZE bytes are of one kind: all of the copy or none, all new to the frontier or none, in one block. */
static size_t cut(const struct copied_rows *copied, size_t size)
{
	uint64_t end = UINT64_MAX;

	if (copied->at >= copied->copy_end)
		return size;
	if (size > copied->copy_end - copied->at)
		size = (size_t)(copied->copy_end - copied->at);
	if (copied->copy_base <= copied->frontier)
		end = copied->copy_base == copied->frontier ? block_end(copied->frontier) : copied->frontier;
	return size < end - copied->copy_base ? size : (size_t)(end - copied->copy_base);
}

void copied_rows_bytes(void *ctx, const void *data, size_t size)
{
	struct copied_rows *copied = ctx;
	const uint8_t *bytes = data;

	while (size > 0 && !copied->is_lost) {
		size_t n = cut(copied, size);
		bool is_odd = has_odd(copied, bytes, n);

		if (copied->at < copied->copy_end && copied->copy_base == copied->frontier)
			advance(copied, copied->frontier + n, is_odd);
		copied->copy_base += n;
		copied->is_odd ^= is_odd;
		copied->at += n;
		bytes += n;
		size -= n;
	}
}

/* --- the thread that judges ------------------------------------------------------------------------------------------- */

bool copied_rows_take(struct copied_rows *copied, uint64_t offset, struct copied_stretch *ret_stretch)
{
	bool has;

	pthread_mutex_lock(&copied->lock);
	has = copied->n_waiting > 0 && copied->waiting[copied->first].begin < offset;
	if (has) {
		*ret_stretch = copied->waiting[copied->first];
		copied->first = (copied->first + 1) % N_WAITING;
		copied->n_waiting--;
	}
	pthread_mutex_unlock(&copied->lock);
	return has;
}
