/* SPDX-License-Identifier: ISC
 *
 * rowsmerge: what changed between a table's rows in two versions, by its primary key: two scans in the order of the key, merged. A step is a
 * bounded amount of work; between two it holds no database but the key up to which both were read.
 */
#ifndef INSIDE_ROWSMERGE_H
#define INSIDE_ROWSMERGE_H

#include "inside/rowspool.h"
#include "inside/rowsquery.h"

enum rows_side { ROWS_OLD, ROWS_NEW };

struct rows_merge_counts {
	uint64_t added, removed, changed, unchanged;
};

struct rows_merge;
/* One row: STATEMENTS of the sides that have it (the other's is NULL), whose first columns are the table's in its order. DIFFERS: of a row of both, by
 * the new table's columns. False: enough for one step, for rows may be long. */
typedef bool rows_merge_each(void *ctx, const struct rows_merge *merge, sqlite3_stmt *const statements[2],
			     const bool *differs);

/* Borrowed: all. FILTER_COLUMN (NULL: none) and FILTER_VALUE: a view's condition. FAULT_DIFF_QUERY where the two have no common primary key whose rows
 * are unique; FAULT_ROWS_QUERY where a table lacks the filter's column. */
enum fault rows_merge_begin(struct rows_pool *const pools[2], const struct rows_catalog_table *const tables[2],
			    const char *filter_column, const char *filter_value, struct rows_merge **ret_merge,
			    struct refusal *why);
void rows_merge_free(struct rows_merge *merge);
void rows_merge_freep(struct rows_merge **merge);

/* The next rows; EACH gets those that differ. FAULT_ROWS_DAMAGED, FAULT_ROWS_LIMIT. */
enum fault rows_merge_work(struct rows_merge *merge, rows_merge_each *each, void *ctx, struct refusal *why);
bool rows_merge_has_ended(const struct rows_merge *merge);
const struct rows_merge_counts *rows_merge_counts(const struct rows_merge *merge);
/* Of the changed rows those with another value in that column of the new table. */
uint64_t rows_merge_column_changes(const struct rows_merge *merge, size_t column);
const struct rows_catalog_table *rows_merge_table(const struct rows_merge *merge, enum rows_side side);
/* The columns of the key, by their order in it: indexes of SIDE's table. */
const size_t *rows_merge_key(const struct rows_merge *merge, enum rows_side side, size_t *ret_n);
/* The old table's column of the same label as the new one's COLUMN; SIZE_MAX: none. */
size_t rows_merge_old_column(const struct rows_merge *merge, size_t column);

#endif
