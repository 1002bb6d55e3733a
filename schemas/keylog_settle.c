/* SPDX-License-Identifier: ISC
 *
 * keylog, comparing: what was asked goes into a table that fits into its memory, all keys pass by it once, and what was asked is read
 * again for its answers. One partition after the other; where what was asked of one does not fit, one range of hashes after the
 * other.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "schemas/keylog_internal.h"

#define TABLE_MIN 64

/* What was asked. */
struct ask {
	uint32_t key[4]; /* the entry's hash, with the source where it should be; no source: an empty one */
	uint32_t row;    /* the lowest of the keys that are the same, or of those who asked once; 0: none yet */
};

struct settling {
	struct keylog *log;
	const struct stream *keys, *asked; /* NULL: all are in memory */
	char *buffer;
	struct ask *table;
	size_t capacity, n; /* of the table; a power of two */
	size_t max_capacity;
	uint64_t low, high; /* the range of hashes (their third word) that is looked at: from, up to before */
	bool is_full;
};

static inline bool is_in_range(const struct settling *settling, const struct key_entry *entry)
{
	return entry->words[2] >= settling->low && entry->words[2] < settling->high;
}

/* The one for the entry's hash at SOURCE, or the empty one where it belongs. */
static inline struct ask *find(const struct settling *settling, const struct key_entry *entry, uint32_t source)
{
	const uint32_t key[4] = {entry->words[0], entry->words[1], entry->words[2],
				 (entry->words[3] & 0xff000000) | source};
	size_t i = (key[0] ^ source * 0x9e3779b1U) & (settling->capacity - 1);

	while ((settling->table[i].key[3] & 0xffffff) != 0 && memcmp(settling->table[i].key, key, sizeof(key)) != 0)
		i = (i + 1) & (settling->capacity - 1);
	return &settling->table[i];
}

static struct ask *put(struct settling *settling, const struct key_entry *entry, uint32_t source)
{
	struct ask *ask = find(settling, entry, source);

	if ((ask->key[3] & 0xffffff) == 0) {
		memcpy(ask->key, entry->words, sizeof(ask->key));
		ask->key[3] = (entry->words[3] & 0xff000000) | source;
		settling->n++;
	}
	return ask;
}

static void lower(uint32_t *row, uint32_t other)
{
	if (*row == 0 || other < *row)
		*row = other;
}

/* --- the three readings
 * ----------------------------------------------------------------------------------------------- */

static void take_asked(void *ctx, const char *bytes, size_t size)
{
	struct settling *settling = ctx;

	for (size_t i = 0; i < size && !settling->is_full; i += sizeof(struct key_entry)) {
		const struct key_entry *entry = (const struct key_entry *)(const void *)(bytes + i);
		const struct key_source *source = settling->log->sources[ENTRY_SOURCE(entry) - 1];

		if (!is_in_range(settling, entry) || (source->role != KEY_ROLE_SET && source->target == 0))
			continue;
		put(settling, entry, source->role == KEY_ROLE_SET ? ENTRY_SOURCE(entry) : source->target);
		if (source->role == KEY_ROLE_WANTED_ONCE)
			lower(&put(settling, entry, ENTRY_SOURCE(entry))->row, ENTRY_ROW(entry));
		settling->is_full = settling->n * 4 > settling->capacity * 3;
	}
}

static void take_keys(void *ctx, const char *bytes, size_t size)
{
	struct settling *settling = ctx;

	for (size_t i = 0; i < size; i += sizeof(struct key_entry)) {
		const struct key_entry *entry = (const struct key_entry *)(const void *)(bytes + i);
		struct ask *ask;

		if (!is_in_range(settling, entry))
			continue;
		ask = find(settling, entry, ENTRY_SOURCE(entry));
		if ((ask->key[3] & 0xffffff) != 0)
			lower(&ask->row, ENTRY_ROW(entry));
	}
}

static void add_pick(struct key_picks *picks, uint32_t row, uint32_t first_row)
{
	size_t i = picks->n_items;

	if (picks->items == NULL)
		picks->items = xcalloc(LIMIT_FAULTS_KEPT, sizeof(picks->items[0]));
	picks->count++;
	if (i == LIMIT_FAULTS_KEPT && row > picks->items[i - 1].row)
		return;
	if (i < LIMIT_FAULTS_KEPT)
		picks->n_items++;
	else
		i--;
	for (; i > 0 && picks->items[i - 1].row > row; i--)
		picks->items[i] = picks->items[i - 1];
	picks->items[i] = (struct key_pick){.row = row, .first_row = first_row};
}

/* Whether it is in the set that was meant, written down or not. */
static bool is_there(const struct settling *settling, const struct key_entry *entry, const struct key_source *source)
{
	const struct key_source *target = settling->log->sources[source->target - 1];
	const struct key_hash hash = {{(uint64_t)entry->words[1] << 32 | entry->words[0],
				       (uint64_t)(entry->words[3] >> 24) << 56 | (uint64_t)entry->words[2] << 24}};

	return find(settling, entry, source->target)->row != 0 ||
	       (target->index != NULL && keyindex_find(target->index, &hash) == KEY_SEEN);
}

static void answer(void *ctx, const char *bytes, size_t size)
{
	struct settling *settling = ctx;

	for (size_t i = 0; i < size; i += sizeof(struct key_entry)) {
		const struct key_entry *entry = (const struct key_entry *)(const void *)(bytes + i);
		struct key_source *source = settling->log->sources[ENTRY_SOURCE(entry) - 1];
		uint32_t row = ENTRY_ROW(entry), lowest = 0;

		if (!is_in_range(settling, entry) || (source->role != KEY_ROLE_SET && source->target == 0))
			continue;
		if (source->role != KEY_ROLE_WANTED)
			lowest = find(settling, entry, ENTRY_SOURCE(entry))->row;
		if (source->role == KEY_ROLE_SET ? lowest < row
						 : (lowest == 0 || lowest == row) && !is_there(settling, entry, source))
			add_pick(&source->picks, row, lowest);
	}
}

/* --- partitions
 * ------------------------------------------------------------------------------------------------------- */

static void read_chunks(const struct chunk *chunk, void (*each)(void *, const char *, size_t), void *ctx)
{
	for (; chunk != NULL; chunk = chunk->next)
		each(ctx, chunk->bytes, chunk->used);
}

static bool read_asked(struct settling *settling, void (*each)(void *, const char *, size_t))
{
	if (settling->asked != NULL)
		return keylog_read_stream(settling->log, settling->asked, settling->buffer, KEYLOG_BLOCK_MAX, each,
					  settling);
	read_chunks(settling->log->asked, each, settling);
	return true;
}

static bool read_keys(struct settling *settling)
{
	if (settling->keys != NULL)
		return keylog_read_stream(settling->log, settling->keys, settling->buffer, KEYLOG_BLOCK_MAX, take_keys,
					  settling);
	for (uint32_t i = 0; i < settling->log->n_sources; i++)
		read_chunks(settling->log->sources[i]->keys, take_keys, settling);
	return true;
}

static void clear_table(struct settling *settling)
{
	memset(settling->table, 0, settling->capacity * sizeof(settling->table[0]));
	settling->n = 0;
	settling->is_full = false;
}

/* Fills the table with what was asked in a range from LOW on: as much as fits. */
static bool fill_table(struct settling *settling)
{
	for (;;) {
		clear_table(settling);
		if (!read_asked(settling, take_asked))
			return false;
		if (!settling->is_full)
			return true;
		if (2 * settling->capacity <= settling->max_capacity || settling->high - settling->low == 1) {
			settling->capacity *= 2;
			settling->table = xrealloc(settling->table, settling->capacity, sizeof(settling->table[0]));
		} else {
			settling->high = settling->low + (settling->high - settling->low) / 2;
		}
	}
}

static bool settle_partition(struct settling *settling)
{
	const uint64_t end = (uint64_t)1 << 32;
	uint64_t width = end;

	for (settling->low = 0; settling->low < end; settling->low = settling->high) {
		settling->high = settling->low + width < end ? settling->low + width : end;
		if (!fill_table(settling))
			return false;
		width = settling->high - settling->low;
		if (settling->n == 0)
			continue;
		if (!read_keys(settling) || !read_asked(settling, answer))
			return false;
	}
	return true;
}

/* --- texts
 * ------------------------------------------------------------------------------------------------------------- */

static int compare_pick(const void *row, const void *pick)
{
	uint32_t a = *(const uint32_t *)row, b = ((const struct key_pick *)pick)->row;

	return (a > b) - (a < b);
}

static void take_texts(void *ctx, const char *bytes, size_t size)
{
	const struct keylog *log = ctx;
	struct text_head head;

	for (size_t at = 0; at < size; at += sizeof(head) + head.size) {
		struct key_picks *picks;
		struct key_pick *pick;

		memcpy(&head, bytes + at, sizeof(head));
		picks = &log->sources[head.source - 1]->picks;
		pick = picks->n_items == 0 ? NULL
					   : bsearch(&head.row, picks->items, picks->n_items, sizeof(picks->items[0]),
						     compare_pick);
		if (pick == NULL || pick->text != NULL)
			continue;
		pick->offset = head.offset;
		pick->text = xmalloc(head.size + 1);
		memcpy(pick->text, bytes + at + sizeof(head), head.size);
		pick->text_size = head.size;
	}
}

static void read_texts(struct keylog *log, char *buffer)
{
	bool is_wanted = false;

	for (uint32_t i = 0; i < log->n_sources; i++)
		is_wanted = is_wanted || log->sources[i]->picks.n_items > 0;
	if (!is_wanted)
		return;
	if (log->is_spilled)
		keylog_read_stream(log, &log->texts_out, buffer, KEYLOG_BLOCK_MAX, take_texts, log);
	else
		read_chunks(log->texts, take_texts, log);
}

void keylog_settle(struct keylog *log)
{
	_cleanup_free_ char *buffer = log->is_spilled ? xmalloc(KEYLOG_BLOCK_MAX) : NULL;
	struct settling settling = {.log = log, .buffer = buffer, .capacity = TABLE_MIN, .max_capacity = SIZE_MAX};
	bool has_read = true;

	if (log->n_asked == 0)
		return;
	if (log->spill != NULL)
		settling.max_capacity = spill_work_size(log->spill) / 2 / sizeof(struct ask);
	while (settling.capacity / 2 < log->n_asked / (log->is_spilled ? KEYLOG_PARTITIONS : 1) &&
	       2 * settling.capacity <= settling.max_capacity)
		settling.capacity *= 2;
	settling.table = xcalloc(settling.capacity, sizeof(settling.table[0]));
	for (size_t i = 0; has_read && i < (log->is_spilled ? KEYLOG_PARTITIONS : 1); i++) {
		settling.keys = log->is_spilled ? &log->keys_out[i] : NULL;
		settling.asked = log->is_spilled ? &log->asked_out[i] : NULL;
		has_read = settle_partition(&settling);
	}
	free(settling.table);
	if (has_read)
		read_texts(log, buffer);
}

void keylog_pick(struct keylog *log, uint32_t source, uint32_t row)
{
	add_pick(&log->sources[source - 1]->picks, row, 0);
}
