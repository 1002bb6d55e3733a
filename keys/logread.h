/* SPDX-License-Identifier: ISC
 *
 * logread: a log's folder, read by somebody who believes nothing of it but its key: the checkpoint must be signed, the tiles must
 * make its root, each entry must hash to its leaf. Reading while the log grows is fine: what is read is the tree that was signed.
 */
#ifndef KEYS_LOGREAD_H
#define KEYS_LOGREAD_H

#include "keys/logentry.h"
#include "keys/note.h"
#include "keys/tile.h"
#include "keys/tlog.h"

#define LOG_CHECKPOINT_NAME "checkpoint" /* the signed note */
#define LOG_VERIFIER_NAME "verifier"     /* the verifier key, a convenience: an auditor has it from elsewhere */
#define LOG_KEY_NAME "key"               /* the signer key; its owner's alone */
#define LOG_NEXT_NAME "next"             /* the text of the checkpoint that is signed next (journal.c) */

struct log_reader;

/* Opens the log in FOLDER_FD, which may be closed then. FAULT_NO_SUCH where there is no checkpoint; FAULT_LOG_CHECKPOINT, FAULT_LOG_TILE,
 * FAULT_LOG_DISAGREES as note.h and tile.h say. */
enum fault log_reader_open(int folder_fd, const struct note_verifier *verifier, struct log_reader **ret_reader,
			   struct refusal *why);
void log_reader_free(struct log_reader *reader);
void log_reader_freep(struct log_reader **reader);

/* What is signed, and the note that says so (LIMIT_CHECKPOINT_SIZE at most, with a NUL behind it); borrowed. */
const struct checkpoint *log_reader_head(const struct log_reader *reader);
const char *log_reader_note(const struct log_reader *reader);

/* For roots and proofs. */
struct tlog_source log_reader_source(struct log_reader *reader);

/* Entry INDEX, below the head's size, as bytes (good until the next call) and as what they say. */
enum fault log_reader_bytes(struct log_reader *reader, uint64_t index, struct tile_entry *ret_bytes,
			    struct refusal *why);
enum fault log_reader_entry(struct log_reader *reader, uint64_t index, struct log_entry *ret_entry,
			    struct refusal *why);

/* Whether the tree begins with the one of OLD, which was signed earlier: FAULT_LOG_FORK where it does not, also where OLD is
 * larger. The proof is made and verified, and given to who wants to show it (RET_PROOF may be NULL). */
enum fault log_reader_extends(struct log_reader *reader, const struct checkpoint *old, struct tlog_proof *ret_proof,
			      struct refusal *why);

/* Reads everything: each tile, each bundle, each entry's form. */
enum fault log_reader_verify(struct log_reader *reader, struct refusal *why);

/* The key that the folder itself names: good for showing, not for judging. FAULT_NO_SUCH, FAULT_LOG_KEY. */
enum fault log_verifier_load(int folder_fd, struct note_verifier *ret_verifier, struct refusal *why);

#endif
