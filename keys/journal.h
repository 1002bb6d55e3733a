/* SPDX-License-Identifier: ISC
 *
 * journal: the one that writes an audit log. Whatever the moment of a power cut, it never signs a tree that does not extend every
 * tree that it signed before (C2SP tlog-checkpoint, "Signatures"):
 *
 *     entries and tiles, each under a name of its own     durable before
 *     `next`: the text of the checkpoint to be signed     durable before
 *     `checkpoint`: the same, signed                      durable before the caller is told
 *
 * A start that finds a `next` past the checkpoint signs that very tree (its tiles must be there, for they came first); what
 * lies beyond was never promised and is removed. Where files and checkpoint disagree it refuses, and signs nothing.
 */
#ifndef KEYS_JOURNAL_H
#define KEYS_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "keys/note.h"

/* Entries that wait to be signed: more than any run notes at a time. Past it a caller commits first. */
#define JOURNAL_PENDING_MAX 1024

struct journal;

/* PREFIX ("clapet-inside/") and this host's name, if a key may have it: what a new log is called. */
void journal_origin(const char *prefix, char origin[NOTE_NAME_SIZE]);

/* Opens the log in FOLDER_FD (borrowed), alone: waits for another writer to end. An empty folder becomes a log whose key has
 * NAME. FAULT_LOG_KEY, FAULT_KEY_MODE, FAULT_LOG_CHECKPOINT, FAULT_LOG_TILE, FAULT_LOG_ENTRY, FAULT_LOG_DISAGREES: it is not
 * what it was left as. FAULT_STORAGE. */
enum fault journal_open(int folder_fd, const char *name, struct journal **ret_journal, struct refusal *why);
void journal_free(struct journal *journal);
void journal_freep(struct journal **journal);

/* Notes an entry of at most LIMIT_LOG_ENTRY_SIZE bytes; it is nowhere yet. At JOURNAL_PENDING_MAX it commits those before.
 * After a failure everything is refused: open anew. */
enum fault journal_append(struct journal *journal, const void *entry, size_t size, struct refusal *why);
/* All that is noted becomes durable, then signed. FAULT_STORAGE. */
enum fault journal_commit(struct journal *journal, struct refusal *why);

/* What was signed last; borrowed. */
const struct checkpoint *journal_head(const struct journal *journal);

#endif
