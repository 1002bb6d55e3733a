/* SPDX-License-Identifier: ISC
 *
 * rowsmerge: see rowsmerge.h.
 */
#include "inside/rowsmerge.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "inside/rowswrite.h"

/* Rows of both sides that one step looks at; and microseconds that one statement may take to get there. */
#define STEP_ROWS 4000
#define STATEMENT_TIME INT64_C(5000000)

struct rows_merge {
	struct rows_pool *pools[2];
	const struct rows_catalog_table *tables[2];
	size_t *keys[2]; /* owned */
	size_t n_key;
	size_t *old_columns;           /* owned; by the new table's */
	bool *differs;                 /* owned, likewise */
	uint64_t *changes;             /* owned, likewise */
	struct rows_query *filters[2]; /* owned; NULL: none */
	struct rows_bound *last;       /* owned: the key up to which both were read; NULL: none yet */
	struct rows_merge_counts counts;
	bool has_ended;
};

static void clear_last(struct rows_merge *merge)
{
	for (size_t i = 0; merge->last != NULL && i < merge->n_key; i++)
		free(merge->last[i].text);
	free(steal_pointer(&merge->last));
}

void rows_merge_free(struct rows_merge *merge)
{
	if (merge == NULL)
		return;
	clear_last(merge);
	for (size_t side = 0; side < 2; side++) {
		free(merge->keys[side]);
		rows_query_free(merge->filters[side]);
	}
	free(merge->old_columns);
	free(merge->differs);
	free(merge->changes);
	free(merge);
}

void rows_merge_freep(struct rows_merge **merge)
{
	rows_merge_free(*merge);
}

bool rows_merge_has_ended(const struct rows_merge *merge)
{
	return merge->has_ended;
}

const struct rows_merge_counts *rows_merge_counts(const struct rows_merge *merge)
{
	return &merge->counts;
}

uint64_t rows_merge_column_changes(const struct rows_merge *merge, size_t column)
{
	return merge->changes[column];
}

const struct rows_catalog_table *rows_merge_table(const struct rows_merge *merge, enum rows_side side)
{
	return merge->tables[side];
}

const size_t *rows_merge_key(const struct rows_merge *merge, enum rows_side side, size_t *ret_n)
{
	*ret_n = merge->n_key;
	return merge->keys[side];
}

size_t rows_merge_old_column(const struct rows_merge *merge, size_t column)
{
	return merge->old_columns[column];
}

/* --- the key --------------------------------------------------------------------------------------------------------- */

static size_t key_column(const struct rows_catalog_table *table, size_t place)
{
	for (size_t i = 0; i < table->n_columns; i++)
		if (table->columns[i].key == place + 1)
			return i;
	return SIZE_MAX;
}

/* Values of these kinds are in one order in both. */
static bool same_kind(const struct rows_catalog_column *a, const struct rows_catalog_column *b)
{
	return a->kind == b->kind && a->kind != ROWS_MIXED;
}

static enum fault find_keys(struct rows_merge *merge, struct refusal *why)
{
	const struct rows_catalog_table *old = merge->tables[ROWS_OLD], *new = merge->tables[ROWS_NEW];

	if (!old->key_is_unique || !new->key_is_unique || old->n_key != new->n_key || new->n_key == 0)
		return refuse(why, FAULT_DIFF_QUERY,
			      "%s has not the same primary key, of its own in every row, in both "
			      "versions: `clapet-inside diff` on the host compares whole rows",
			      new->resource);
	merge->n_key = new->n_key;
	for (size_t side = 0; side < 2; side++) {
		merge->keys[side] = xcalloc(merge->n_key, sizeof(*merge->keys[side]));
		for (size_t i = 0; i < merge->n_key; i++)
			merge->keys[side][i] = key_column(merge->tables[side], i);
	}
	for (size_t i = 0; i < merge->n_key; i++) {
		size_t a = merge->keys[ROWS_OLD][i], b = merge->keys[ROWS_NEW][i];

		if (a == SIZE_MAX || b == SIZE_MAX || strcmp(old->columns[a].label, new->columns[b].label) != 0 ||
		    !same_kind(&old->columns[a], &new->columns[b]))
			return refuse(why, FAULT_DIFF_QUERY,
				      "the primary key of %s is another one, or of another type, in "
				      "the two versions",
				      new->resource);
	}
	return FAULT_NONE;
}

static void pair_columns(struct rows_merge *merge)
{
	const struct rows_catalog_table *old = merge->tables[ROWS_OLD], *new = merge->tables[ROWS_NEW];

	merge->old_columns = xcalloc(new->n_columns, sizeof(*merge->old_columns));
	merge->differs = xcalloc(new->n_columns, sizeof(*merge->differs));
	merge->changes = xcalloc(new->n_columns, sizeof(*merge->changes));
	for (size_t i = 0; i < new->n_columns; i++) {
		const struct rows_catalog_column *found = rows_catalog_column(old, new->columns[i].label);

		merge->old_columns[i] = found == NULL ? SIZE_MAX : (size_t)(found - old->columns);
	}
}

enum fault rows_merge_begin(struct rows_pool *const pools[2], const struct rows_catalog_table *const tables[2],
			    const char *filter_column, const char *filter_value, struct rows_merge **ret_merge,
			    struct refusal *why)
{
	static const char *const none[] = {NULL};
	_cleanup_(rows_merge_freep) struct rows_merge *merge = xcalloc(1, sizeof(*merge));
	enum fault fault;

	memcpy(merge->pools, pools, sizeof(merge->pools));
	memcpy(merge->tables, tables, sizeof(merge->tables));
	for (size_t side = 0; side < 2 && filter_column != NULL; side++) {
		fault = rows_query_parse(tables[side], NULL, 0, none, &merge->filters[side], why);
		if (fault == FAULT_NONE)
			fault = rows_query_restrict(merge->filters[side], filter_column, filter_value, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	if ((fault = find_keys(merge, why)) != FAULT_NONE)
		return fault;
	pair_columns(merge);
	*ret_merge = steal_pointer(&merge);
	return FAULT_NONE;
}

/* --- one side -------------------------------------------------------------------------------------------------------- */

#define append(text, ...) sqlite3_str_appendf((text), __VA_ARGS__)

/* In the order of the key, by its index, which bundle/FORMAT.md 33.4 names; behind the last key. The filter's parameters come first. */
static char *side_sql(const struct rows_merge *merge, enum rows_side side)
{
	const struct rows_catalog_table *table = merge->tables[side];
	const struct rows_query *filter = merge->filters[side];
	sqlite3_str *text = sqlite3_str_new(NULL);
	int parameter = 1;

	append(text, "SELECT ");
	for (size_t i = 0; i < table->n_columns; i++)
		append(text, "%s\"%w\"", i == 0 ? "" : ",", table->columns[i].name);
	append(text, " FROM \"%w\" INDEXED BY \"%w.1\" WHERE 1", table->name, table->name);
	if (filter != NULL)
		append(text, " AND \"%w\"=?%d", filter->filters[0].column->name, parameter++);
	for (size_t i = 0; merge->last != NULL && i < merge->n_key; i++)
		append(text, "%s\"%w\"", i == 0 ? " AND (" : ",", table->columns[merge->keys[side][i]].name);
	for (size_t i = 0; merge->last != NULL && i < merge->n_key; i++)
		append(text, "%s?%d", i == 0 ? ")>(" : ",", parameter++);
	append(text, "%s ORDER BY ", merge->last == NULL ? "" : ")");
	for (size_t i = 0; i < merge->n_key; i++)
		append(text, "%s\"%w\"", i == 0 ? "" : ",", table->columns[merge->keys[side][i]].name);
	return sqlite3_str_finish(text);
}

static void bind_last(const struct rows_merge *merge, sqlite3_stmt *statement, int index)
{
	for (size_t i = 0; merge->last != NULL && i < merge->n_key; i++, index++) {
		const struct rows_bound *bound = &merge->last[i];

		if (bound->type == ROWS_VALUE_INTEGER)
			sqlite3_bind_int64(statement, index, bound->integer);
		else if (bound->type == ROWS_VALUE_REAL)
			sqlite3_bind_double(statement, index, bound->real);
		else
			/* A copy: the scan goes on after another key took its place. */
			sqlite3_bind_text(statement, index, bound->text, -1, SQLITE_TRANSIENT);
	}
}

/* The two scans of one step. */
struct scans {
	struct rows_connection *connections[2];
	sqlite3_stmt *statements[2];
	bool has_row[2];
};

static enum fault advance(const struct rows_merge *merge, struct scans *scans, size_t side, struct refusal *why)
{
	int r = sqlite3_step(scans->statements[side]);

	scans->has_row[side] = r == SQLITE_ROW;
	if (r == SQLITE_ROW || r == SQLITE_DONE)
		return FAULT_NONE;
	if (r == SQLITE_INTERRUPT || r == SQLITE_NOMEM)
		return refuse(why, FAULT_ROWS_LIMIT, "comparing %s takes more than an answer may",
			      merge->tables[side]->resource);
	return rowsfile_failed(rows_connection_file(scans->connections[side]), FAULT_ROWS_DAMAGED, "reading rows", why);
}

static enum fault open_scans(const struct rows_merge *merge, struct scans *scans, struct refusal *why)
{
	for (size_t side = 0; side < 2; side++) {
		int index = 1;
		enum fault fault = rows_pool_take(merge->pools[side], &scans->connections[side], why);

		if (fault != FAULT_NONE)
			return fault;
		rows_connection_allow(scans->connections[side], STATEMENT_TIME);
		scans->statements[side] = rows_connection_statement(scans->connections[side],
								    side_sql(merge, (enum rows_side)side), why);
		if (scans->statements[side] == NULL)
			return why->fault;
		if (merge->filters[side] != NULL)
			index = rows_query_bind(merge->filters[side], scans->statements[side]);
		bind_last(merge, scans->statements[side], index);
		if ((fault = advance(merge, scans, side, why)) != FAULT_NONE)
			return fault;
	}
	return FAULT_NONE;
}

static void close_scans(const struct rows_merge *merge, struct scans *scans)
{
	for (size_t side = 0; side < 2; side++)
		if (scans->connections[side] != NULL)
			rows_pool_give(merge->pools[side], scans->connections[side]);
}

/* --- two rows -------------------------------------------------------------------------------------------------------- */

/* SQLite's order: numbers by their value, texts by their bytes. */
static int compare_values(sqlite3_stmt *a, int column_a, sqlite3_stmt *b, int column_b)
{
	int type_a = sqlite3_column_type(a, column_a), type_b = sqlite3_column_type(b, column_b);
	size_t size_a, size_b;
	int order;

	if (type_a == SQLITE_INTEGER && type_b == SQLITE_INTEGER) {
		sqlite3_int64 left = sqlite3_column_int64(a, column_a), right = sqlite3_column_int64(b, column_b);

		return left < right ? -1 : left > right;
	}
	if (type_a != SQLITE_TEXT || type_b != SQLITE_TEXT) {
		double left = sqlite3_column_double(a, column_a), right = sqlite3_column_double(b, column_b);

		if ((type_a == SQLITE_TEXT) != (type_b == SQLITE_TEXT))
			return type_a == SQLITE_TEXT ? 1 : -1;
		return left < right ? -1 : left > right;
	}
	size_a = (size_t)sqlite3_column_bytes(a, column_a);
	size_b = (size_t)sqlite3_column_bytes(b, column_b);
	order = memcmp(sqlite3_column_text(a, column_a), sqlite3_column_text(b, column_b),
		       size_a < size_b ? size_a : size_b);
	return order != 0 ? order : size_a < size_b ? -1 : size_a > size_b;
}

/* <0: the old row comes first, and is not in the new table. */
static int compare_keys(const struct rows_merge *merge, const struct scans *scans)
{
	int order = 0;

	if (!scans->has_row[ROWS_OLD] || !scans->has_row[ROWS_NEW])
		return scans->has_row[ROWS_OLD] ? -1 : 1;
	for (size_t i = 0; i < merge->n_key && order == 0; i++)
		order = compare_values(scans->statements[ROWS_OLD], (int)merge->keys[ROWS_OLD][i],
				       scans->statements[ROWS_NEW], (int)merge->keys[ROWS_NEW][i]);
	return order;
}

/* As they are shown, so that 1 and 1.0 of two schemas are no change. */
static bool is_same_value(const struct rows_merge *merge, const struct scans *scans, size_t old_column,
			  size_t new_column)
{
	struct rows_shown old, new;

	rows_show(&merge->tables[ROWS_OLD]->columns[old_column], scans->statements[ROWS_OLD], (int)old_column, &old);
	rows_show(&merge->tables[ROWS_NEW]->columns[new_column], scans->statements[ROWS_NEW], (int)new_column, &new);
	return (old.what == SHOWN_NULL) == (new.what == SHOWN_NULL) &&
	       old.size == new.size &&memcmp(old.text, new.text, old.size) == 0;
}

/* Whether the two rows differ in a column that both have; in which of the new table's. */
static bool find_differences(struct rows_merge *merge, const struct scans *scans)
{
	bool any = false;

	for (size_t i = 0; i < merge->tables[ROWS_NEW]->n_columns; i++) {
		merge->differs[i] = merge->old_columns[i] != SIZE_MAX &&
				    !is_same_value(merge, scans, merge->old_columns[i], i);
		merge->changes[i] += merge->differs[i];
		any = any || merge->differs[i];
	}
	return any;
}

/* The key of the row that SIDE stands on is that up to which both are read now. */
static void remember(struct rows_merge *merge, const struct scans *scans, enum rows_side side)
{
	clear_last(merge);
	merge->last = xcalloc(merge->n_key, sizeof(*merge->last));
	for (size_t i = 0; i < merge->n_key; i++) {
		sqlite3_stmt *statement = scans->statements[side];
		int column = (int)merge->keys[side][i];
		struct rows_bound *bound = &merge->last[i];

		switch (sqlite3_column_type(statement, column)) {
		case SQLITE_INTEGER:
			*bound = (struct rows_bound){.type = ROWS_VALUE_INTEGER,
						     .integer = sqlite3_column_int64(statement, column)};
			break;
		case SQLITE_FLOAT:
			*bound = (struct rows_bound){.type = ROWS_VALUE_REAL,
						     .real = sqlite3_column_double(statement, column)};
			break;
		default:
			*bound = (struct rows_bound){
				.type = ROWS_VALUE_TEXT,
				.text = xasprintf("%.*s", sqlite3_column_bytes(statement, column),
						  (const char *)sqlite3_column_text(statement, column))};
			break;
		}
	}
}

/* One key of either or both. *IS_LAST: of the step; set where EACH has enough. */
static enum fault merge_row(struct rows_merge *merge, struct scans *scans, bool *is_last, rows_merge_each *each,
			    void *ctx, struct refusal *why)
{
	int order = compare_keys(merge, scans);
	sqlite3_stmt *statements[2] = {order <= 0 ? scans->statements[ROWS_OLD] : NULL,
				       order >= 0 ? scans->statements[ROWS_NEW] : NULL};
	bool differs = order != 0 || find_differences(merge, scans);
	enum fault fault = FAULT_NONE;

	merge->counts.removed += order < 0;
	merge->counts.added += order > 0;
	merge->counts.changed += order == 0 && differs;
	merge->counts.unchanged += order == 0 && !differs;
	if (differs && !each(ctx, merge, statements, order == 0 ? merge->differs : NULL))
		*is_last = true;
	if (*is_last)
		remember(merge, scans, order <= 0 ? ROWS_OLD : ROWS_NEW);
	for (size_t side = 0; side < 2 && fault == FAULT_NONE; side++)
		if (statements[side] != NULL)
			fault = advance(merge, scans, side, why);
	return fault;
}

enum fault rows_merge_work(struct rows_merge *merge, rows_merge_each *each, void *ctx, struct refusal *why)
{
	struct scans scans = {.connections = {NULL, NULL}};
	bool is_last = false;
	enum fault fault = open_scans(merge, &scans, why);

	for (size_t i = 0; !is_last && fault == FAULT_NONE && (scans.has_row[0] || scans.has_row[1]); i++) {
		is_last = i + 1 == STEP_ROWS;
		fault = merge_row(merge, &scans, &is_last, each, ctx, why);
	}
	if (fault == FAULT_NONE)
		merge->has_ended = !scans.has_row[0] && !scans.has_row[1];
	close_scans(merge, &scans);
	return fault;
}
