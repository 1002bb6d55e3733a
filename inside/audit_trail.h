/* SPDX-License-Identifier: ISC
 *
 * audit_trail: a log's folder in an auditor's hands: found, opened, verified whole, with every file in it accounted for.
 */
#ifndef INSIDE_AUDIT_TRAIL_H
#define INSIDE_AUDIT_TRAIL_H

#include <jansson.h>

#include "inside/audit_history.h"
#include "inside/findings.h"
#include "keys/logread.h"

/* At most so many keys on one command line: a log inside, one outside, and their predecessors. */
#define TRAIL_KEYS_MAX 16

struct trail_keys {
	struct note_verifier items[TRAIL_KEYS_MAX];
	size_t n_items;
};

struct trail {
	const char *path; /* as it was written; borrowed */
	int folder_fd;
	struct log_reader *reader; /* NULL: not opened, or not to be believed */
	bool is_whole;             /* trail_verify: every tile and entry is what was signed, whatever else lies there */
	json_t *people; /* log/people.json, whose the pseudonyms are; NULL where it is not here or not readable */
};

#define TRAIL_NONE                                                                                                     \
	{                                                                                                              \
		NULL, -1, NULL, false, NULL                                                                            \
	}

/* Opens the folder PATH, or the folder log/ in it where it is a store. Before the sandbox; dies where there is none. */
void trail_find(const char *path, struct trail *ret_trail);
void trail_clear(struct trail *trail); /* for _cleanup_ */

/* Opens the log by the key of KEYS whose name is the log's origin. FINDINGS gets what is wrong; false then. */
bool trail_open(struct trail *trail, const struct trail_keys *keys, struct findings *findings);
/* The names beside the tree, which nothing proves and which may have been erased; a file out of form is a note. */
void trail_load_people(struct trail *trail, struct findings *findings);
/* The name behind a pseudonym; "" where nobody says. Borrowed. */
const char *trail_person(const struct trail *trail, const char *person);

/* Verifies each tile and entry, and that no other file lies in the folder. False where something does not hold. */
bool trail_verify(struct trail *trail, struct findings *findings);

/* Calls EACH with entry after entry, from FIRST to before END; stops where it returns false, or at a fault, which goes to
 * FINDINGS. */
void trail_each(struct trail *trail, uint64_t first, uint64_t end,
		bool (*each)(void *ctx, uint64_t index, const struct log_entry *entry), void *ctx,
		struct findings *findings);

/* The entries [*RET_FIRST, *RET_END) whose times lie in [FROM, TO]. Entries stand in the order of their arrival: one whose clock
 * was wrong may lie within, and is shown with its own time. */
void trail_range(struct trail *trail, int64_t from, int64_t to, uint64_t *ret_first, uint64_t *ret_end,
		 struct findings *findings);

/* What the log says of HISTORY->at. */
void trail_history(struct trail *trail, struct history *history, struct findings *findings);

/* A checkpoint as a person has it: the signed note from a file or a QR's text; or, typed from paper, its three lines alone:
 * then *RET_SIGNED is false, and the auditor's own paper stands for the signature. FAULT_LOG_CHECKPOINT. */
enum fault trail_read_checkpoint(const uint8_t *data, size_t size, const struct note_verifier *verifier,
				 struct checkpoint *ret_checkpoint, bool *ret_signed, struct refusal *why);

/* Reads such a checkpoint with the key of the log's name, and proves that the log continues it. False with a fault. */
bool trail_extends(struct trail *trail, const uint8_t *data, size_t size, const struct trail_keys *keys,
		   struct checkpoint *ret_old, bool *ret_signed, struct findings *findings);

#endif
