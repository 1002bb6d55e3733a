/* SPDX-License-Identifier: ISC
 *
 * rowsquery: a question about the rows of one table (bundle/FORMAT.md 33.5) as SQL. Values are bound, names are the catalogue's, quoted by
 * SQLite: nothing that was asked becomes a part of a statement.
 *
 *     column=a&column=b    rows whose column is a or b        column.min=…  column.max=…    not less, not more than
 *     column.null=true     without a value (false: with one)  .limit=…      a column with the name of one of our own words
 *     columns=a,b          sort=a,-b           limit=N         offset=N
 */
#ifndef INSIDE_ROWSQUERY_H
#define INSIDE_ROWSQUERY_H

#include "bundle/hash.h"
#include "inside/rowscatalog.h"
#include "inside/serve_request.h"

enum rows_operator { ROWS_IS, ROWS_MIN, ROWS_MAX, ROWS_IS_NULL, ROWS_IS_NOT_NULL };

struct rows_bound {
	enum rows_value_type type;
	int64_t integer;
	double real;
	char *text; /* owned */
};

/* One condition; of several values one has to fit. */
struct rows_filter {
	const struct rows_catalog_column *column;
	enum rows_operator relation;
	struct rows_bound *values;
	size_t n_values;
};

struct rows_sort {
	const struct rows_catalog_column *column;
	bool is_descending;
};

struct rows_query {
	const struct rows_catalog_table *table; /* borrowed */
	struct rows_filter *filters;
	size_t n_filters, n_values;
	const struct rows_catalog_column **columns; /* that are given, in order */
	size_t n_columns;
	struct rows_sort sorts[LIMIT_ROWS_SORTS];
	size_t n_sorts;
	uint64_t limit; /* UINT64_MAX: all */
	uint64_t offset;
};

/* PARAMS but for those whose names are in OTHERS (NULL-terminated: "format", …), which are the caller's. FAULT_ROWS_QUERY with the column or the
 * word, and what there is. */
enum fault rows_query_parse(const struct rows_catalog_table *table, const struct serve_param *params, size_t n_params,
			    const char *const *others, struct rows_query **ret_query, struct refusal *why);
void rows_query_free(struct rows_query *query);
void rows_query_freep(struct rows_query **query);
/* One more condition, which nobody asked for: a view's. FAULT_ROWS_QUERY where the table has no such column. */
enum fault rows_query_restrict(struct rows_query *query, const char *label, const char *value, struct refusal *why);

/* Whether an index is of use for one of its conditions. */
bool rows_query_has_index(const struct rows_query *query);

/* Statements, from sqlite3_malloc; NULL: out of memory. The numbers of the rows that fit, as they are sorted, at most ?LAST of them: parameters are those
 * of rows_query_bind, then the number. */
char *rows_query_sql_numbers(const struct rows_query *query);
/* The columns of the rows that fit, in the file's order: then the row's number. After the conditions' parameters the number of the row behind which it
 * begins, and that of the last. */
char *rows_query_sql_scan(const struct rows_query *query);
/* The same of one row, by its number. */
char *rows_query_sql_row(const struct rows_query *query);
/* Binds the conditions' values, from ?1 on; the index of the next parameter. */
int rows_query_bind(const struct rows_query *query, sqlite3_stmt *statement);

/* What tells this question from every other about the same version. */
void rows_query_digest(const struct rows_query *query, struct sha256 *ret_digest);

#endif
