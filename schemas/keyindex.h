/* SPDX-License-Identifier: ISC
 *
 * keyindex: which keys were seen, and in which row first. Exact for all purposes: 128-bit hashes under a random
 * secret, so that nobody can make two keys collide, and by chance two among 4,000,000,000 do with a probability of
 * 2.4e-20 (n^2 / 2^129).
 *
 * 20 bytes an entry (hash and row) in 256 tables that grow by a quarter, one at a time: the load stays between 0.65
 * and 0.81, so a key costs 24.6 to 30.8 bytes, and growing adds one 256th, not a second copy of all.
 */
#ifndef SCHEMAS_KEYINDEX_H
#define SCHEMAS_KEYINDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_SECRET_SIZE 16

struct key_hash {
	uint64_t words[2];
};

/* SipHash-2-4 with 128 bits of output (Aumasson and Bernstein). */
void key_hash_bytes(const uint8_t secret[KEY_SECRET_SIZE], const void *data, size_t size, struct key_hash *ret_hash);

struct keyindex;
struct keyindex *keyindex_new(void);
void keyindex_free(struct keyindex *index);
void keyindex_freep(struct keyindex **index);

/* Adds the key with its row. False where it is there already: then the row it came with first is in *RET_ROW (may be
 * NULL). */
bool keyindex_add(struct keyindex *index, const struct key_hash *hash, uint32_t row, uint32_t *ret_row);
bool keyindex_has(const struct keyindex *index, const struct key_hash *hash);
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
