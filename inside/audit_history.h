/* SPDX-License-Identifier: ISC
 *
 * audit_history: what the log says of one moment: which metadata were trusted, which versions were in force, and what a
 * rule deleted later. Made by reading the log once, entry by entry.
 */
#ifndef INSIDE_AUDIT_HISTORY_H
#define INSIDE_AUDIT_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/hash.h"
#include "bundle/notation.h"
#include "inside/store.h"

/* A version of a dataset, and when something was said of it by which entry. */
struct history_version {
	char dataset[NOTATION_NAME_SIZE];
	char version[STORE_VERSION_SIZE];
	uint64_t entry;
	int64_t time;
};

struct history_versions {
	struct history_version *items;
	size_t n_items;
};

struct history {
	int64_t at; /* the moment; set by who asks */
	uint64_t n_entries;
	int64_t first; /* of the first entry */

	/* The newest timestamp that was accepted by then. */
	bool has_timestamp;
	struct sha256 timestamp;
	uint64_t root_version; /* 0: not said */
	uint64_t timestamp_entry;
	int64_t timestamp_time;

	uint64_t generation; /* 0: none by then */
	int64_t generation_time;
	struct history_versions in_force; /* at the moment, sorted by dataset */
	struct history_versions deleted;  /* by retention, at any time */
};

void history_clear(struct history *history);

/* VERSION of DATASET is in force from here on; NULL: none of it any more. */
void history_set(struct history *history, const char *dataset, const char *version, uint64_t entry, int64_t time);
void history_delete(struct history *history, const char *dataset, const char *version, uint64_t entry, int64_t time);
/* The last time after the moment that retention deleted the version; NULL where the log does not say so. */
const struct history_version *history_deleted(const struct history *history, const char *dataset, const char *version);

#endif
