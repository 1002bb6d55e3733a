/* SPDX-License-Identifier: ISC
 *
 * retention_private: what the files of retention share: one run of it.
 */
#ifndef INSIDE_RETENTION_PRIVATE_H
#define INSIDE_RETENTION_PRIVATE_H

#include "bundle/notation.h"
#include "inside/crew.h"
#include "inside/pastlist.h"

struct keep {
	char dataset[NOTATION_NAME_SIZE];
	char version[STORE_VERSION_SIZE];
};

struct retention {
	struct inside *inside;
	struct keep *keeps;
	size_t n_keeps;
	struct commit commit;
	bool has_commit;
	bool has_staged; /* histories that a sync makes durable */
	int *locks;      /* flocks held until the generation is gone */
	size_t n_locks;
};

/* Opens the session with inside-commit, once. */
void retention_begin(struct retention *retention);
void retention_order(struct retention *retention, const struct record *record);

/* Writes down, durably, what generations of which GOES is true (of N on disk, ascending) tell of when versions were in force. */
void retention_note_spans(struct retention *retention, const uint64_t *numbers, const bool *goes, size_t n);

#endif
