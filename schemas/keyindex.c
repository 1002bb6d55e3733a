/* SPDX-License-Identifier: ISC
 *
 * keyindex: SipHash-2-4-128, and open addressing with linear probing over its output.
 */
#include "schemas/keyindex.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log.h"
#include "schemas/bytescan.h"

#define N_TABLES 256
/* Table I begins with 16 + I / 16 slots and doubles, so that at every moment some tables are large for their keys and some are small:
 * together they are never half empty. */
#define FIRST_CAPACITY(i) (16 + (uint32_t)(i) / 16)
/* From here on a table is a mapping of its own: freed at once, no fragments; below, the rounding to pages would cost
 * too much. */
#define MAPPING_MIN ((size_t)32 << 10)

/* --- SipHash
 * -------------------------------------------------------------------------------------------------------- */

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void sip_rounds(struct sip *s, int n)
{
	while (n-- > 0) {
		s->v0 += s->v1;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v0 = rotate(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v2 = rotate(s->v2, 32);
	}
}

static inline void sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_rounds(s, 2);
	s->v0 ^= word;
}

void key_hash_bytes(const uint8_t secret[KEY_SECRET_SIZE], const void *data, size_t size, struct key_hash *ret_hash)
{
	const char *p = data;
	uint64_t k0 = load_word((const char *)secret), k1 = load_word((const char *)secret + 8),
		 last = (uint64_t)size << 56;
	struct sip s = {0x736f6d6570736575ULL ^ k0, 0x646f72616e646f6dULL ^ k1 ^ 0xee, 0x6c7967656e657261ULL ^ k0,
			0x7465646279746573ULL ^ k1};

	for (; size >= 8; p += 8, size -= 8)
		sip_word(&s, load_word(p));
	for (size_t i = 0; i < size; i++)
		last |= (uint64_t)(unsigned char)p[i] << (8 * i);
	sip_word(&s, last);
	s.v2 ^= 0xee;
	sip_rounds(&s, 4);
	ret_hash->words[0] = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
	s.v1 ^= 0xdd;
	sip_rounds(&s, 4);
	ret_hash->words[1] = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* --- tables
 * --------------------------------------------------------------------------------------------------------- */

/* 16 bytes: four of them are a line of the cache. The byte of the hash that chose the table is not kept. A row of 0 is an empty slot. */
struct slot {
	uint32_t hash[3];
	uint32_t row;
};

struct table {
	struct slot *slots;
	uint32_t capacity;
	uint32_t n;
	bool is_frozen; /* for good: it could not grow once */
};

struct keyindex {
	struct table tables[N_TABLES];
	struct spill *spill; /* borrowed; whose memory is taken; NULL: as much as there is */
	uint64_t count;
	size_t bytes, peak_bytes;
};

struct keyindex *keyindex_new(struct spill *spill)
{
	struct keyindex *index = xcalloc(1, sizeof(struct keyindex));

	index->spill = spill;
	return index;
}

static size_t slots_bytes(uint32_t capacity)
{
	return (size_t)capacity * sizeof(struct slot);
}

/* NULL: the memory that was allowed is used up. */
static struct slot *slots_new(struct keyindex *index, uint32_t capacity)
{
	size_t size = slots_bytes(capacity);
	void *slots;

	if (index->spill != NULL && !spill_take_memory(index->spill, size))
		return NULL;
	index->bytes += size;
	if (index->bytes > index->peak_bytes)
		index->peak_bytes = index->bytes;
	if (size < MAPPING_MIN)
		return xcalloc(capacity, sizeof(struct slot));
	/* Populated: all of it is touched at once when the old slots move in. */
	slots = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (slots == MAP_FAILED)
		die_errno("no memory for %zu bytes of keys", index->bytes);
	return slots;
}

static void slots_free(struct keyindex *index, struct slot *slots, uint32_t capacity)
{
	size_t size = slots_bytes(capacity);

	if (slots == NULL)
		return;
	if (index->spill != NULL)
		spill_give_memory(index->spill, size);
	index->bytes -= size;
	if (size < MAPPING_MIN)
		free(slots);
	else
		munmap(slots, size);
}

void keyindex_free(struct keyindex *index)
{
	if (index == NULL)
		return;
	for (size_t i = 0; i < N_TABLES; i++)
		slots_free(index, index->tables[i].slots, index->tables[i].capacity);
	free(index);
}

void keyindex_freep(struct keyindex **index)
{
	keyindex_free(*index);
}

/* Where a hash's search begins. */
static inline uint32_t first_place(const struct table *table, const struct slot *slot)
{
	return (uint32_t)((uint64_t)slot->hash[0] * table->capacity >> 32);
}

static inline bool same_hash(const struct slot *a, const struct slot *b)
{
	return a->hash[0] == b->hash[0] && a->hash[1] == b->hash[1] && a->hash[2] == b->hash[2];
}

/* The slot that holds the hash, or the empty one where it belongs. */
static inline struct slot *find(const struct table *table, const struct slot *wanted)
{
	struct slot *slot = &table->slots[first_place(table, wanted)], *end = table->slots + table->capacity;

	while (slot->row != 0 && !same_hash(slot, wanted)) {
		if (++slot == end)
			slot = table->slots;
	}
	return slot;
}

/* What is moved is there once: no look at hashes. */
static inline void move(const struct table *table, const struct slot *from)
{
	struct slot *slot = &table->slots[first_place(table, from)], *end = table->slots + table->capacity;

	while (slot->row != 0) {
		if (++slot == end)
			slot = table->slots;
	}
	*slot = *from;
}

/* Twice as large. False: it cannot, and never will. */
static bool grow(struct keyindex *index, struct table *table)
{
	struct table old = *table;

	if (table->is_frozen)
		return false;
	table->capacity = old.capacity == 0 ? FIRST_CAPACITY(table - index->tables) : 2 * old.capacity;
	table->slots = slots_new(index, table->capacity);
	if (table->slots == NULL) {
		*table = old;
		table->is_frozen = true;
		return false;
	}
	for (uint32_t i = 0; i < old.capacity; i++) {
		if (old.slots[i].row != 0)
			move(table, &old.slots[i]);
	}
	slots_free(index, old.slots, old.capacity);
	return true;
}

static inline struct slot slot_of(const struct key_hash *hash, uint32_t row)
{
	struct slot slot = {.row = row};

	slot.hash[0] = (uint32_t)hash->words[0];
	slot.hash[1] = (uint32_t)(hash->words[0] >> 32);
	slot.hash[2] = (uint32_t)(hash->words[1] >> 24);
	return slot;
}

static inline size_t table_of(const struct key_hash *hash)
{
	return hash->words[1] >> 56;
}

static inline bool is_full(const struct table *table)
{
	return (uint64_t)(table->n + 1) * 16 > (uint64_t)table->capacity * 13;
}

enum key_answer keyindex_add(struct keyindex *index, const struct key_hash *hash, uint32_t row, uint32_t *ret_row)
{
	struct table *table = &index->tables[table_of(hash)];
	struct slot wanted = slot_of(hash, row), *slot;
	bool has_room = !is_full(table) || grow(index, table);

	if (table->capacity == 0)
		return KEY_UNKNOWN;
	slot = find(table, &wanted);
	if (slot->row != 0) {
		if (ret_row != NULL)
			*ret_row = slot->row;
		return KEY_SEEN;
	}
	if (!has_room || table->is_frozen)
		return KEY_UNKNOWN;
	*slot = wanted;
	table->n++;
	index->count++;
	return KEY_NEW;
}

enum key_answer keyindex_find(const struct keyindex *index, const struct key_hash *hash)
{
	const struct table *table = &index->tables[table_of(hash)];
	struct slot wanted = slot_of(hash, 0);

	if (table->capacity != 0 && find(table, &wanted)->row != 0)
		return KEY_SEEN;
	return table->is_frozen ? KEY_UNKNOWN : KEY_NEW;
}

void keyindex_prefetch(const struct keyindex *index, const struct key_hash *hash)
{
	const struct table *table = &index->tables[table_of(hash)];
	struct slot wanted = slot_of(hash, 0);
	const char *place;

	if (table->capacity == 0)
		return;
	/* A search goes on through some 14 slots where a table is at its fullest, through 5 on average. */
	place = (const char *)&table->slots[first_place(table, &wanted)];
	__builtin_prefetch(place);
	__builtin_prefetch(place + 64);
}

uint64_t keyindex_count(const struct keyindex *index)
{
	return index->count;
}

size_t keyindex_bytes(const struct keyindex *index)
{
	return index->bytes;
}

size_t keyindex_peak_bytes(const struct keyindex *index)
{
	return index->peak_bytes;
}

void keyindex_each(const struct keyindex *index, void (*each)(void *ctx, const struct key_hash *hash, uint32_t row),
		   void *ctx)
{
	for (size_t t = 0; t < N_TABLES; t++) {
		for (uint32_t i = 0; i < index->tables[t].capacity; i++) {
			const struct slot *slot = &index->tables[t].slots[i];
			struct key_hash hash;

			if (slot->row == 0)
				continue;
			hash.words[0] = (uint64_t)slot->hash[1] << 32 | slot->hash[0];
			hash.words[1] = (uint64_t)t << 56 | (uint64_t)slot->hash[2] << 24;
			each(ctx, &hash, slot->row);
		}
	}
}
