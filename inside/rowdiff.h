/* SPDX-License-Identifier: ISC
 *
 * rowdiff: what changed between two tables in the plain form: rows added, removed, changed, by a key or, without one, by whole rows
 * (which then are a multiset: a row is there so many times). Cells are compared as texts.
 *
 * Both files are read once, side by side. Rows that are alike are passed; the others wait until their like comes up in the other
 * file, so that an insertion, a removal or a moved block costs what it holds and not all that follows. Memory is bounded: what waits past
 * half of it, and the differences past the other half, go to the spill, 56 bytes a row.
 */
#ifndef INSIDE_ROWDIFF_H
#define INSIDE_ROWDIFF_H

#include "inside/diffrows.h"
#include "schemas/spill.h"

enum rowdiff_kind { ROWDIFF_ADDED, ROWDIFF_REMOVED, ROWDIFF_CHANGED };

struct rowdiff_counts {
	uint64_t added, removed, changed, unchanged;
	uint64_t old_rows, new_rows;
};

/* One side of it. N_COLUMNS labels of the header; MAP of the new side: the old column of the same name and place among those of that name,
 * SIZE_MAX where it was added. Of the old side: the new one, SIZE_MAX where it was removed. */
struct rowdiff_side {
	const char *name; /* of the file, for refusals */
	int fd;
	char **columns;
	size_t n_columns;
	size_t *map;
};

struct rowdiff_change {
	enum rowdiff_kind kind;
	uint64_t old_row, new_row;                      /* the header is 1; 0: none */
	const struct diff_cells *old_cells, *new_cells; /* NULL: none */
	const bool *changed;                            /* of CHANGED, by the new side's columns */
};

struct rowdiff;

/* Descriptors and names are borrowed; MEMORY in bytes. Reads both headers. FAULT_STORAGE, FAULT_STORE_DAMAGED. */
enum fault rowdiff_open(int old_fd, const char *old_name, int new_fd, const char *new_name, size_t memory,
			struct spill *spill, struct rowdiff **ret_diff, struct refusal *why);
void rowdiff_free(struct rowdiff *diff);
void rowdiff_freep(struct rowdiff **diff);

const struct rowdiff_side *rowdiff_old(const struct rowdiff *diff);
const struct rowdiff_side *rowdiff_new(const struct rowdiff *diff);
/* The key's columns by name; false where one of them is not on both sides, and then there is none. */
bool rowdiff_set_key(struct rowdiff *diff, const char *const *columns, size_t n_columns);

/* Compares. Rows of the same key that are several in one file are matched in their order. */
enum fault rowdiff_run(struct rowdiff *diff, struct refusal *why);
const struct rowdiff_counts *rowdiff_counts(const struct rowdiff *diff);
/* Of the changed rows those with another cell in that column of the new side. */
uint64_t rowdiff_column_changes(const struct rowdiff *diff, size_t column);

/* The next difference, in the order of the rows; what it points to is good until the next call. RET_CHANGE's `kind` is good where
 * *RET_HAS is true. Only after rowdiff_run, once. */
enum fault rowdiff_next(struct rowdiff *diff, struct rowdiff_change *ret_change, bool *ret_has, struct refusal *why);

#endif
