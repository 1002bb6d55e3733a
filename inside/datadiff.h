/* SPDX-License-Identifier: ISC
 *
 * datadiff: two versions of a dataset, resource by resource: which tables are to be compared row by row (rowdiff.h), by which key, and
 * what is new, gone or the same without a look at rows. Everything here reads what came from outside: only behind a sandbox.
 */
#ifndef INSIDE_DATADIFF_H
#define INSIDE_DATADIFF_H

#include "inside/pastfiles.h"
#include "inside/rowdiff.h"
#include "schemas/package.h"

enum datadiff_state {
	DATADIFF_SAME,
	DATADIFF_ADDED,
	DATADIFF_REMOVED,
	DATADIFF_CHANGED,
};

/* "unchanged", "added", … */
const char *datadiff_state_name(enum datadiff_state state);

/* One resource of either version. */
struct datadiff_resource {
	const char *name;
	const struct resource *old_resource, *new_resource; /* NULL: not in that version */
	enum datadiff_state state;
	bool is_table;    /* on both sides, and can be read here */
	bool key_changed; /* the two schemas name different ones */
	bool schema_changed;
};

struct datadiff {
	int store_fd; /* borrowed, like DATASET */
	const char *dataset;
	char versions[2][STORE_VERSION_SIZE]; /* old, new */
	const struct past_files *files[2];    /* borrowed; NULL: the version stands in the store */
	struct package *packages[2];
	int64_t bytes[2];
	struct datadiff_resource *resources; /* in the order of the new version, then those that are gone */
	size_t n_resources;
	int temporary_fds[2], spill_fd; /* borrowed: unnamed files; negative: there is none */
	size_t memory;
};

/* After the borrowed members and VERSIONS were set. FAULT_STORE_DAMAGED, FAULT_PACKAGE. */
enum fault datadiff_load(struct datadiff *diff, struct refusal *why);
void datadiff_clear(struct datadiff *diff);

/* The rows of a table of both, compared. One at a time. */
struct datadiff_rows {
	int fds[2];
	struct spill *spill;
	struct rowdiff *rows;
	const struct table_key
		*key; /* by which rows were told; NULL: none, or not one that both have: whole rows were compared */
};
enum fault datadiff_compare(const struct datadiff *diff, const struct datadiff_resource *resource,
			    struct datadiff_rows *ret_rows, struct refusal *why);
void datadiff_rows_clear(struct datadiff_rows *rows);

#endif
