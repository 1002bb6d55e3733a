/* SPDX-License-Identifier: ISC
 *
 * keyindex: which keys were seen, and in which row first. Exact for all purposes: hashes under a random secret, so that nobody can
 * make two keys collide, and of their 128 bits 104 are kept: by chance two among 4,000,000,000 are the same with a probability of
 * 4e-13 (n^2 / 2^105), among 30,000,000 with 2e-17.
 *
 * 16 bytes an entry (hash and row) in 256 tables that double one at a time, each at another moment: a key costs 27 to 30 bytes,
 * and growing adds one 256th, not a second copy of all. A spill's memory bounds it: a table that may not grow stays as it is, and
 * of keys that are not in it nothing is known from then on.
 */
#ifndef SCHEMAS_KEYINDEX_H
#define SCHEMAS_KEYINDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schemas/spill.h"

#define KEY_SECRET_SIZE 16

/* Two are the same key's where the first words are, and the upper 40 bits of the second. */
struct key_hash {
	uint64_t words[2];
};

/* SipHash-2-4 with 128 bits of output (Aumasson and Bernstein). */
void key_hash_bytes(const uint8_t secret[KEY_SECRET_SIZE], const void *data, size_t size, struct key_hash *ret_hash);

struct keyindex;
/* SPILL, whose memory it takes, stays the caller's and must outlive it; NULL: it grows without a bound. */
struct keyindex *keyindex_new(struct spill *spill);
void keyindex_free(struct keyindex *index);
void keyindex_freep(struct keyindex **index);

enum key_answer {
	KEY_NEW, /* it was not there */
	KEY_SEEN,
	KEY_UNKNOWN, /* it is not here, and did not go in: whoever asks keeps it elsewhere */
};

/* Adds the key with its row, which is not 0. KEY_SEEN: the row that it came with first is in *RET_ROW (may be NULL). */
enum key_answer keyindex_add(struct keyindex *index, const struct key_hash *hash, uint32_t row, uint32_t *ret_row);
/* The same without adding it: KEY_NEW where it was never added. */
enum key_answer keyindex_find(const struct keyindex *index, const struct key_hash *hash);
/* Asks the processor for the memory that the next call with this hash will look at. */
void keyindex_prefetch(const struct keyindex *index, const struct key_hash *hash);
uint64_t keyindex_count(const struct keyindex *index);
/* Bytes that the entries take now, and at most while growing. */
size_t keyindex_bytes(const struct keyindex *index);
size_t keyindex_peak_bytes(const struct keyindex *index);
/* Calls EACH for every key, in no order. */
void keyindex_each(const struct keyindex *index, void (*each)(void *ctx, const struct key_hash *hash, uint32_t row),
		   void *ctx);

#endif
