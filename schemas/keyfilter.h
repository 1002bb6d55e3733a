/* SPDX-License-Identifier: ISC
 *
 * keyfilter: whether a key may have been seen: no is certain, yes is wrong once in some thousand times while there are two bytes for
 * each key. A Bloom filter in blocks of 32 bytes (Putze, Sanders and Singler 2007), eight bits of one for a key, so that a
 * key costs one line of the cache and no table of large entries is walked through.
 */
#ifndef SCHEMAS_KEYFILTER_H
#define SCHEMAS_KEYFILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schemas/keyindex.h"

struct keyfilter {
	uint64_t (*blocks)[4]; /* owned; NULL: none, every key may have been seen */
	size_t n_blocks;       /* fits 32 bits */
};

/* Keys that a filter of N bytes is made for. */
#define KEYFILTER_KEYS(n) ((n) / 2)
#define KEYFILTER_BLOCK ((size_t)32)

/* An empty filter of SIZE bytes, a multiple of KEYFILTER_BLOCK, in place of what FILTER holds. */
void keyfilter_set(struct keyfilter *filter, size_t size);
void keyfilter_clear(struct keyfilter *filter);
size_t keyfilter_bytes(const struct keyfilter *filter);
/* Puts the key in; true: it may have been there. */
bool keyfilter_add(struct keyfilter *filter, const struct key_hash *hash);
bool keyfilter_has(const struct keyfilter *filter, const struct key_hash *hash);
/* Asks the processor for the memory that the next call with this hash will look at. */
void keyfilter_prefetch(const struct keyfilter *filter, const struct key_hash *hash);

#endif
