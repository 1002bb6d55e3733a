/* SPDX-License-Identifier: ISC
 *
 * keylog, writing: see keylog.h.
 */
#include "schemas/keylog.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "schemas/keylog_internal.h"

/* A list's chunks double from the first to the largest: a table of ten rows needs no more than that. */
#define CHUNK_MIN ((size_t)1 << 10)
#define CHUNK_MAX ((size_t)64 << 10)
#define FILTER_MIN ((size_t)1 << 10)
/* The streams' blocks share a half of the memory for work: small enough for that, large enough for a disk. */
#define BLOCK_MIN (sizeof(struct block_head) + 4 * sizeof(struct key_entry))
#define BLOCK_MAX ((size_t)64 << 10)
#define TEXT_BLOCK_MIN ((size_t)4 << 10)

struct keylog *keylog_new(struct spill *spill)
{
	struct keylog *log = xcalloc(1, sizeof(*log));

	log->spill = spill;
	return log;
}

static bool take_memory(struct keylog *log, size_t size)
{
	if (log->spill != NULL && !spill_take_memory(log->spill, size))
		return false;
	log->bytes += size;
	if (log->bytes > log->peak_bytes)
		log->peak_bytes = log->bytes;
	return true;
}

static void give_memory(struct keylog *log, size_t size)
{
	if (log->spill != NULL)
		spill_give_memory(log->spill, size);
	log->bytes -= size;
}

static void free_chunks(struct keylog *log, struct chunk **list)
{
	while (*list != NULL) {
		struct chunk *next = (*list)->next;

		give_memory(log, (*list)->size);
		free(*list);
		*list = next;
	}
}

void keylog_free(struct keylog *log)
{
	if (log == NULL)
		return;
	free_chunks(log, &log->asked);
	free_chunks(log, &log->texts);
	for (uint32_t i = 0; i < log->n_sources; i++) {
		struct key_source *source = log->sources[i];

		free_chunks(log, &source->keys);
		give_memory(log, keyfilter_bytes(&source->filter));
		keyfilter_clear(&source->filter);
		for (size_t k = 0; k < source->picks.n_items; k++)
			free(source->picks.items[k].text);
		free(source->picks.items);
		free(source);
	}
	free(log->sources);
	free(log->buffers);
	free(log);
}

uint32_t keylog_source(struct keylog *log, enum key_role role)
{
	struct key_source *source = xcalloc(1, sizeof(*source));

	source->role = role;
	log->sources = xrealloc(log->sources, log->n_sources + 1, sizeof(log->sources[0]));
	log->sources[log->n_sources++] = source;
	if (log->n_sources > 0xffffff)
		die("more than %u sources of keys", 0xffffff);
	return log->n_sources;
}

void keylog_set_target(struct keylog *log, uint32_t source, uint32_t target)
{
	log->sources[source - 1]->target = target;
}

void keylog_set_index(struct keylog *log, uint32_t source, const struct keyindex *index)
{
	log->sources[source - 1]->index = index;
}

static inline struct key_entry entry_of(const struct key_hash *hash, uint32_t source, uint32_t row)
{
	return (struct key_entry){{(uint32_t)hash->words[0], (uint32_t)(hash->words[0] >> 32),
				   (uint32_t)(hash->words[1] >> 24), (uint32_t)(hash->words[1] >> 56) << 24 | source,
				   row}};
}

static struct key_hash hash_of(const struct key_entry *entry)
{
	return (struct key_hash){{(uint64_t)entry->words[1] << 32 | entry->words[0],
				  (uint64_t)(entry->words[3] >> 24) << 56 | (uint64_t)entry->words[2] << 24}};
}

/* --- in memory
 * -------------------------------------------------------------------------------------------------------- */

/* Room for SIZE bytes at the end of LIST; NULL: the memory that was allowed is used up. */
static void *chunk_room(struct keylog *log, struct chunk **list, size_t size)
{
	struct chunk *chunk = *list;
	size_t room;

	if (chunk == NULL || chunk->size - sizeof(*chunk) - chunk->used < size) {
		room = chunk == NULL ? CHUNK_MIN : chunk->size < CHUNK_MAX ? 2 * chunk->size : CHUNK_MAX;
		if (!take_memory(log, room))
			return NULL;
		chunk = xmalloc(room);
		chunk->next = *list;
		chunk->size = room;
		chunk->used = 0;
		*list = chunk;
	}
	chunk->used += size;
	return chunk->bytes + chunk->used - size;
}

static void refill(struct key_source *source, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i += sizeof(struct key_entry)) {
		struct key_hash hash = hash_of((const struct key_entry *)(const void *)(bytes + i));

		keyfilter_add(&source->filter, &hash);
	}
}

/* Twice as large, with all that is in memory. */
static bool grow_filter(struct keylog *log, struct key_source *source)
{
	size_t old = keyfilter_bytes(&source->filter), size = old == 0 ? FILTER_MIN : 2 * old;

	if (!take_memory(log, size - old))
		return false;
	keyfilter_set(&source->filter, size);
	for (const struct chunk *chunk = source->keys; chunk != NULL; chunk = chunk->next)
		refill(source, chunk->bytes, chunk->used);
	return true;
}

/* --- in the file
 * ------------------------------------------------------------------------------------------------------ */

static void write_block(struct keylog *log, struct stream *stream)
{
	struct block_head head = {stream->last, stream->used};
	uint64_t place;

	if (stream->used > sizeof(head)) {
		memcpy(stream->bytes, &head, sizeof(head));
		if (spill_write(log->spill, stream->bytes, stream->used, &place))
			stream->last = place + 1;
	}
	stream->used = sizeof(head);
}

/* A whole chunk as a block, whatever size the stream's blocks have. */
static void write_chunk(struct keylog *log, struct stream *stream, const struct chunk *chunk)
{
	struct block_head head = {stream->last, sizeof(head) + chunk->used};
	uint64_t place, behind;

	if (chunk->used > 0 && spill_write(log->spill, &head, sizeof(head), &place) &&
	    spill_write(log->spill, chunk->bytes, chunk->used, &behind))
		stream->last = place + 1;
}

static void put(struct keylog *log, struct stream *stream, size_t block_size, const void *data, size_t size)
{
	if (stream->used + size > block_size)
		write_block(log, stream);
	memcpy(stream->bytes + stream->used, data, size);
	stream->used += size;
}

static void put_entries(struct keylog *log, struct stream *streams, const struct chunk *chunk)
{
	for (size_t i = 0; i < chunk->used; i += sizeof(struct key_entry)) {
		const struct key_entry *entry = (const struct key_entry *)(const void *)(chunk->bytes + i);

		put(log, &streams[ENTRY_PARTITION(entry)], log->block_size, entry, sizeof(*entry));
	}
}

bool keylog_read_stream(struct keylog *log, const struct stream *stream, char *buffer, size_t size,
			void (*each)(void *ctx, const char *bytes, size_t size), void *ctx)
{
	struct block_head head;

	if (stream->used > sizeof(head))
		each(ctx, stream->bytes + sizeof(head), stream->used - sizeof(head));
	for (uint64_t last = stream->last; last != 0; last = head.last) {
		if (!spill_read(log->spill, last - 1, &head, sizeof(head)))
			return false;
		if (head.used <= sizeof(head) || head.used > size || head.last >= last)
			die("a block of keys in the file is not the one that was written");
		if (!spill_read(log->spill, last - 1 + sizeof(head), buffer, head.used - sizeof(head)))
			return false;
		each(ctx, buffer, head.used - sizeof(head));
	}
	return true;
}

static void open_streams(struct keylog *log)
{
	size_t work = spill_work_size(log->spill), n = 2 * (size_t)KEYLOG_PARTITIONS;
	char *at;

	log->block_size = work / 2 / n < BLOCK_MIN ? BLOCK_MIN : work / 2 / n > BLOCK_MAX ? BLOCK_MAX : work / 2 / n;
	log->block_size -= log->block_size % 8;
	log->text_block_size = log->block_size < TEXT_BLOCK_MIN ? TEXT_BLOCK_MIN : log->block_size;
	log->buffers = at = xmalloc(n * log->block_size + log->text_block_size);
	for (size_t i = 0; i < KEYLOG_PARTITIONS; i++, at += 2 * log->block_size) {
		log->keys_out[i] = (struct stream){at, sizeof(struct block_head), 0};
		log->asked_out[i] = (struct stream){at + log->block_size, sizeof(struct block_head), 0};
	}
	log->texts_out = (struct stream){at, sizeof(struct block_head), 0};
}

static void refill_all(void *ctx, const char *bytes, size_t size)
{
	struct keylog *log = ctx;

	for (size_t i = 0; i < size; i += sizeof(struct key_entry)) {
		const struct key_entry *entry = (const struct key_entry *)(const void *)(bytes + i);
		struct key_hash hash = hash_of(entry);

		keyfilter_add(&log->sources[ENTRY_SOURCE(entry) - 1]->filter, &hash);
	}
}

/* The memory that the keys had is the filters' now, in proportion; they will not grow any more. A quarter is left for tables that are
 * still to come. */
static void enlarge_filters(struct keylog *log, uint64_t n_keys)
{
	_cleanup_free_ char *buffer = xmalloc(log->block_size);
	size_t room;

	for (uint32_t i = 0; i < log->n_sources; i++) {
		give_memory(log, keyfilter_bytes(&log->sources[i]->filter));
		keyfilter_clear(&log->sources[i]->filter);
	}
	room = spill_free_memory(log->spill) / 4 * 3;
	for (uint32_t i = 0; i < log->n_sources; i++) {
		struct key_source *source = log->sources[i];
		size_t size = (size_t)((double)room * (double)source->n_keys / (double)n_keys) / KEYFILTER_BLOCK *
			      KEYFILTER_BLOCK;

		if (source->n_keys > 0 && take_memory(log, size))
			keyfilter_set(&source->filter, size);
	}
	for (size_t i = 0; i < KEYLOG_PARTITIONS; i++)
		keylog_read_stream(log, &log->keys_out[i], buffer, log->block_size, refill_all, log);
}

/* All that is in memory goes to the file, as all that comes after it. */
static void spill_all(struct keylog *log)
{
	uint64_t n_keys = 0;

	log->is_spilled = true;
	open_streams(log);
	for (uint32_t i = 0; i < log->n_sources; i++) {
		struct key_source *source = log->sources[i];

		for (const struct chunk *chunk = source->keys; chunk != NULL; chunk = chunk->next)
			put_entries(log, log->keys_out, chunk);
		free_chunks(log, &source->keys);
		n_keys += source->n_keys;
	}
	for (const struct chunk *chunk = log->asked; chunk != NULL; chunk = chunk->next)
		put_entries(log, log->asked_out, chunk);
	free_chunks(log, &log->asked);
	for (const struct chunk *chunk = log->texts; chunk != NULL; chunk = chunk->next)
		write_chunk(log, &log->texts_out, chunk);
	free_chunks(log, &log->texts);
	if (n_keys > 0)
		enlarge_filters(log, n_keys);
}

/* --- what the header promises
 * -------------------------------------------------------------------------------------- */

static void put_entry(struct keylog *log, struct chunk **list, struct stream *streams, const struct key_entry *entry)
{
	struct key_entry *room = log->is_spilled ? NULL : chunk_room(log, list, sizeof(*entry));

	if (room != NULL) {
		*room = *entry;
		return;
	}
	if (!log->is_spilled)
		spill_all(log);
	put(log, &streams[ENTRY_PARTITION(entry)], log->block_size, entry, sizeof(*entry));
}

/* A set that comes when all is in the file gets a filter of a quarter of what is left. */
static void late_filter(struct keylog *log, struct key_source *source)
{
	size_t size = spill_free_memory(log->spill) / 4 / KEYFILTER_BLOCK * KEYFILTER_BLOCK;

	if (take_memory(log, size))
		keyfilter_set(&source->filter, size);
}

bool keylog_add(struct keylog *log, uint32_t number, const struct key_hash *hash, uint32_t row)
{
	struct key_source *source = log->sources[number - 1];
	struct key_entry entry = entry_of(hash, number, row);

	if (log->is_spilled && source->n_keys == 0)
		late_filter(log, source);
	else if (!log->is_spilled && source->n_keys >= KEYFILTER_KEYS(keyfilter_bytes(&source->filter)) &&
		 !grow_filter(log, source))
		spill_all(log);
	put_entry(log, &source->keys, log->keys_out, &entry);
	source->n_keys++;
	log->n_keys++;
	return keyfilter_add(&source->filter, hash);
}

bool keylog_may_have(const struct keylog *log, uint32_t source, const struct key_hash *hash)
{
	return log->sources[source - 1]->n_keys > 0 && keyfilter_has(&log->sources[source - 1]->filter, hash);
}

void keylog_prefetch(const struct keylog *log, uint32_t source, const struct key_hash *hash)
{
	keyfilter_prefetch(&log->sources[source - 1]->filter, hash);
}

static void put_text(struct keylog *log, const struct text_head *head, const char *text)
{
	char record[sizeof(*head) + KEYLOG_TEXT_SIZE], *room;
	size_t size = sizeof(*head) + head->size;

	memcpy(record, head, sizeof(*head));
	memcpy(record + sizeof(*head), text, head->size);
	room = log->is_spilled ? NULL : chunk_room(log, &log->texts, size);
	if (room != NULL) {
		memcpy(room, record, size);
		return;
	}
	if (!log->is_spilled)
		spill_all(log);
	put(log, &log->texts_out, log->text_block_size, record, size);
}

void keylog_ask(struct keylog *log, uint32_t source, const struct key_hash *hash, uint32_t row, uint64_t offset,
		const char *text, size_t text_size)
{
	struct key_entry entry = entry_of(hash, source, row);

	put_entry(log, &log->asked, log->asked_out, &entry);
	log->n_asked++;
	if (text != NULL) {
		struct text_head head = {offset, source, row, (uint32_t)text_size};

		put_text(log, &head, text);
	}
}

const struct key_picks *keylog_picks(const struct keylog *log, uint32_t source)
{
	return &log->sources[source - 1]->picks;
}

uint64_t keylog_n_keys(const struct keylog *log)
{
	return log->n_keys;
}

size_t keylog_peak_bytes(const struct keylog *log)
{
	return log->peak_bytes;
}
