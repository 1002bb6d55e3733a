/* SPDX-License-Identifier: ISC
 *
 * keylog, between its own files: keylog.c (writing), keylog_settle.c (comparing).
 */
#ifndef SCHEMAS_KEYLOG_INTERNAL_H
#define SCHEMAS_KEYLOG_INTERNAL_H

#include "schemas/keyfilter.h"
#include "schemas/keylog.h"

/* By the uppermost bits of the hash. */
#define KEYLOG_PARTITIONS 128

/* The hash's first word, the next 32 bits of it, its uppermost 8 over the source, the row. */
struct key_entry {
	uint32_t words[5];
};

#define ENTRY_SOURCE(entry) ((entry)->words[3] & 0xffffff)
#define ENTRY_PARTITION(entry) ((entry)->words[3] >> 25)
#define ENTRY_ROW(entry) ((entry)->words[4])

/* Before a text. */
struct text_head {
	uint64_t offset;
	uint32_t source, row;
	uint32_t size;
};

/* Memory that is filled from its start; the newest of a list first. */
struct chunk {
	struct chunk *next;
	size_t size, used; /* bytes */
	char bytes[];
};

/* The end of a stream of blocks in the file, each of which names the one before it. */
struct stream {
	char *bytes;   /* within keylog.buffers; a struct block_head first */
	size_t used;   /* with the head */
	uint64_t last; /* place + 1 of the newest block; 0: none */
};

struct block_head {
	uint64_t last; /* as in struct stream */
	uint64_t used;
};

struct key_source {
	enum key_role role;
	uint32_t target;
	const struct keyindex *index;
	uint64_t n_keys;
	struct keyfilter filter;
	struct chunk *keys; /* owned */
	struct key_picks picks;
};

struct keylog {
	struct spill *spill;
	struct key_source **sources; /* owned, each; source N at N - 1 */
	uint32_t n_sources;
	struct chunk *asked, *texts; /* owned */
	uint64_t n_asked, n_keys;
	size_t bytes, peak_bytes;

	/* Past the memory: */
	bool is_spilled;
	size_t block_size, text_block_size;
	char *buffers; /* owned: of all streams */
	struct stream keys_out[KEYLOG_PARTITIONS], asked_out[KEYLOG_PARTITIONS], texts_out;
};

/* The largest block: a chunk is one too. */
#define KEYLOG_BLOCK_MAX ((size_t)64 << 10)

/* Calls EACH with every block of what STREAM got so far, which may pass through BUFFER (SIZE bytes; blocks are not larger). False: the file
 * cannot be read. */
bool keylog_read_stream(struct keylog *log, const struct stream *stream, char *buffer, size_t size,
			void (*each)(void *ctx, const char *bytes, size_t size), void *ctx);

#endif
