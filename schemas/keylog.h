/* SPDX-License-Identifier: ISC
 *
 * keylog: keys with their rows, written down one after the other and compared later. A filter of a few MB says of nearly every key at
 * once that it is new; only where it cannot say so somebody asks, and gets the answer when all keys are there (keylog_settle). What
 * is written down is never walked through in between: 20 bytes a key and 2 to 4 of the filter, in memory while that lasts, then in the
 * spill's file, cut into partitions by the hash. Answers are the same wherever the keys are.
 *
 * In the file a key takes 20 bytes, and what is asked 20 again and the texts that come with it (keylog_ask).
 */
#ifndef SCHEMAS_KEYLOG_H
#define SCHEMAS_KEYLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/limits.h"
#include "schemas/keyindex.h"
#include "schemas/spill.h"

/* Of what a text is kept: people are shown less. */
#define KEYLOG_TEXT_SIZE 512

enum key_role {
	KEY_ROLE_SET,        /* keys; asked: was it there before? */
	KEY_ROLE_WANTED,     /* asked: is it missing in the target? */
	KEY_ROLE_WANTED_ONCE /* the same, of each key only for the lowest row that asked */
};

/* One key that was there before, or is missing. */
struct key_pick {
	uint32_t row;
	uint32_t first_row; /* of a KEY_ROLE_SET: with the same key */
	uint64_t offset;    /* as it was asked */
	char *text;         /* owned; NULL: it was asked with none */
	size_t text_size;
};

/* All of them counted; those of the lowest rows kept, in order. */
struct key_picks {
	uint64_t count;
	size_t n_items;
	struct key_pick *items; /* room for LIMIT_FAULTS_KEPT; NULL: none */
};

struct keylog;
/* SPILL stays the caller's and must outlive it; NULL: memory without a bound. */
struct keylog *keylog_new(struct spill *spill);
void keylog_free(struct keylog *log);

/* A new source of keys or questions: its number, from 1 on. */
uint32_t keylog_source(struct keylog *log, enum key_role role);
/* Where what SOURCE asks for should be: a KEY_ROLE_SET. To be said before it is settled; with none nothing is missing. */
void keylog_set_target(struct keylog *log, uint32_t source, uint32_t target);
/* INDEX, borrowed until the log has settled, holds keys of the KEY_ROLE_SET that were not written down. */
void keylog_set_index(struct keylog *log, uint32_t source, const struct keyindex *index);

/* Writes down a key of a KEY_ROLE_SET. True: it may have been there before; then whoever wants to know asks. */
bool keylog_add(struct keylog *log, uint32_t source, const struct key_hash *hash, uint32_t row);
/* Whether the set has the key, of those written down: false is certain. */
bool keylog_may_have(const struct keylog *log, uint32_t source, const struct key_hash *hash);
void keylog_prefetch(const struct keylog *log, uint32_t source, const struct key_hash *hash);
/* TEXT (at most KEYLOG_TEXT_SIZE bytes; NULL: none) and OFFSET come back with the answer. */
void keylog_ask(struct keylog *log, uint32_t source, const struct key_hash *hash, uint32_t row, uint64_t offset,
		const char *text, size_t text_size);

/* All answers, once, after the last key. Where the spill failed they are worth nothing (spill_fault). */
void keylog_settle(struct keylog *log);
const struct key_picks *keylog_picks(const struct keylog *log, uint32_t source);
/* One more answer, which the caller knew. */
void keylog_pick(struct keylog *log, uint32_t source, uint32_t row);

uint64_t keylog_n_keys(const struct keylog *log);
size_t keylog_peak_bytes(const struct keylog *log);

#endif
