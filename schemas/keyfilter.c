/* SPDX-License-Identifier: ISC
 *
 * keyfilter: see keyfilter.h. The hash is a good one already: its first word says which bits of a block, its second which block.
 */
#include "schemas/keyfilter.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log.h"

/* A filter of some MB in pages of this size is found at once by the processor. */
#define HUGE_PAGE ((size_t)2 << 20)

void keyfilter_set(struct keyfilter *filter, size_t size)
{
	size_t alignment = size >= HUGE_PAGE ? HUGE_PAGE : 64;

	keyfilter_clear(filter);
	if (size == 0)
		return;
	filter->blocks = aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
	if (filter->blocks == NULL)
		die("no memory for %zu bytes of keys", size);
	if (size >= HUGE_PAGE)
		madvise(filter->blocks, size, MADV_HUGEPAGE);
	memset(filter->blocks, 0, size);
	filter->n_blocks = size / KEYFILTER_BLOCK;
}

void keyfilter_clear(struct keyfilter *filter)
{
	free(filter->blocks);
	filter->blocks = NULL;
	filter->n_blocks = 0;
}

size_t keyfilter_bytes(const struct keyfilter *filter)
{
	return filter->n_blocks * KEYFILTER_BLOCK;
}

static inline uint64_t *block_of(const struct keyfilter *filter, const struct key_hash *hash)
{
	return filter->blocks[(hash->words[1] >> 24 & UINT32_MAX) * filter->n_blocks >> 32];
}

/* Two bits of each of the four words, for six bits of the hash each. */
static inline uint64_t bits_of(const struct key_hash *hash, unsigned word)
{
	return 1ULL << (hash->words[0] >> (12 * word) & 63) | 1ULL << (hash->words[0] >> (12 * word + 6) & 63);
}

bool keyfilter_add(struct keyfilter *filter, const struct key_hash *hash)
{
	uint64_t *block, b0 = bits_of(hash, 0), b1 = bits_of(hash, 1), b2 = bits_of(hash, 2), b3 = bits_of(hash, 3),
			 missing;

	if (filter->blocks == NULL)
		return true;
	block = block_of(filter, hash);
	missing = (~block[0] & b0) | (~block[1] & b1) | (~block[2] & b2) | (~block[3] & b3);
	block[0] |= b0;
	block[1] |= b1;
	block[2] |= b2;
	block[3] |= b3;
	return missing == 0;
}

bool keyfilter_has(const struct keyfilter *filter, const struct key_hash *hash)
{
	const uint64_t *block;
	uint64_t missing = 0;

	if (filter->blocks == NULL)
		return true;
	block = block_of(filter, hash);
	for (unsigned i = 0; i < 4; i++)
		missing |= ~block[i] & bits_of(hash, i);
	return missing == 0;
}

void keyfilter_prefetch(const struct keyfilter *filter, const struct key_hash *hash)
{
	if (filter->blocks != NULL)
		__builtin_prefetch(block_of(filter, hash), 1);
}
