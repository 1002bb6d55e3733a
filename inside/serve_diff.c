/* SPDX-License-Identifier: ISC
 *
 * serve_diff: what changed between two versions of a dataset (bundle/FORMAT.md 33.8), row by row, from their SQLite files: a summary, or every
 * change. It is made while it is sent, in small steps.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "inside/rowsmerge.h"
#include "inside/rowswrite.h"
#include "inside/serve_access.h"
#include "inside/serve_reply.h"
#include "inside/serve_request.h"
#include "inside/serve_rows.h"

/* Microseconds of a thread between two answers of a stream, and all of one answer. */
#define PIECE_TIME 250000
#define PIECE_SIZE ((size_t)32 * KIB)
#define ANSWER_TIME (INT64_C(120) * 1000000)

struct diff {
	struct serve_reply *reply;
	const struct serve_reader *reader;
	const struct serve_dataset *datasets[2];
	struct rows_pool *pools[2];
	const char *resource; /* NULL: all */
	enum rows_format format;
	size_t at; /* of the tables: the new version's, then those that are gone */
	struct rows_merge *merge;
	struct rows_text text;
	size_t taken;
	uint64_t n_rows;
	size_t n_resources;
	int64_t time;
	bool has_begun, has_ended;
};

static void add(struct rows_text *text, const char *words)
{
	rows_text_add(text, words, strlen(words));
}

static void add_string(struct rows_text *text, const char *value)
{
	rows_write_json_string(text, value, strlen(value));
}

static void add_number(struct rows_text *text, const char *name, uint64_t number)
{
	char words[80];

	snprintf(words, sizeof(words), ", \"%s\": %ju", name, (uintmax_t)number);
	add(text, words);
}

static void free_diff(void *ctx)
{
	struct diff *diff = ctx;

	rows_merge_free(diff->merge);
	free(diff->text.data);
	free(diff);
}

/* --- changes --------------------------------------------------------------------------------------------------------- */

/* Columns of a row as an object: all of them, or those for which CHOSEN is true. Of the old side a chosen one is that of the new's label. */
static void write_object(struct rows_text *text, const struct rows_merge *merge, enum rows_side side,
			 sqlite3_stmt *statement, const bool *chosen)
{
	const struct rows_catalog_table *table = rows_merge_table(merge, side),
					*new = rows_merge_table(merge, ROWS_NEW);
	bool is_first = true;

	for (size_t i = 0; i < (chosen == NULL ? table : new)->n_columns; i++) {
		size_t column = chosen != NULL && side == ROWS_OLD ? rows_merge_old_column(merge, i) : i;
		struct rows_shown shown;

		if (chosen != NULL && !chosen[i])
			continue;
		add(text, is_first ? "{" : ", ");
		is_first = false;
		add_string(text, table->columns[column].label);
		add(text, ": ");
		rows_show(&table->columns[column], statement, (int)column, &shown);
		rows_write_json_value(&shown, text);
	}
	add(text, is_first ? "{}" : "}");
}

static void write_key(struct rows_text *text, const struct rows_merge *merge, enum rows_side side,
		      sqlite3_stmt *statement)
{
	const struct rows_catalog_table *table = rows_merge_table(merge, side);
	size_t n;
	const size_t *key = rows_merge_key(merge, side, &n);

	for (size_t i = 0; i < n; i++) {
		struct rows_shown shown;

		add(text, i == 0 ? "{" : ", ");
		add_string(text, table->columns[key[i]].label);
		add(text, ": ");
		rows_show(&table->columns[key[i]], statement, (int)key[i], &shown);
		rows_write_json_value(&shown, text);
	}
	add(text, "}");
}

static void write_ndjson(struct rows_text *text, const struct rows_merge *merge, sqlite3_stmt *const statements[2],
			 const bool *differs)
{
	enum rows_side side = statements[ROWS_NEW] != NULL ? ROWS_NEW : ROWS_OLD;

	add(text, "{\"resource\": ");
	add_string(text, rows_merge_table(merge, ROWS_NEW)->resource);
	add(text, differs != NULL                ? ", \"change\": \"changed\", \"key\": "
		  : statements[ROWS_OLD] == NULL ? ", \"change\": \"added\", \"key\": "
						 : ", \"change\": \"removed\", \"key\": ");
	write_key(text, merge, side, statements[side]);
	if (statements[ROWS_OLD] != NULL) {
		add(text, ", \"old\": ");
		write_object(text, merge, ROWS_OLD, statements[ROWS_OLD], differs);
	}
	if (statements[ROWS_NEW] != NULL) {
		add(text, ", \"new\": ");
		write_object(text, merge, ROWS_NEW, statements[ROWS_NEW], differs);
	}
	add(text, "}\n");
}

/* A line of the new table's columns, then of those that only the old one has. STATEMENT NULL: the header. */
static void write_line(struct rows_text *text, const struct rows_merge *merge, enum rows_side side, const char *change,
		       sqlite3_stmt *statement)
{
	const struct rows_catalog_table *old = rows_merge_table(merge, ROWS_OLD),
					*new = rows_merge_table(merge, ROWS_NEW);

	add(text, change);
	for (size_t i = 0; i < new->n_columns; i++) {
		size_t column = side == ROWS_OLD ? rows_merge_old_column(merge, i) : i;
		struct rows_shown shown;

		add(text, ",");
		if (statement == NULL) {
			rows_write_csv_text(text, new->columns[i].label, strlen(new->columns[i].label));
		} else if (column != SIZE_MAX) {
			rows_show(&rows_merge_table(merge, side)->columns[column], statement, (int)column, &shown);
			rows_write_csv_value(&shown, text);
		}
	}
	for (size_t i = 0; i < old->n_columns; i++) {
		struct rows_shown shown;

		if (rows_catalog_column(new, old->columns[i].label) != NULL)
			continue;
		add(text, ",");
		if (statement == NULL) {
			rows_write_csv_text(text, old->columns[i].label, strlen(old->columns[i].label));
		} else if (side == ROWS_OLD) {
			rows_show(&old->columns[i], statement, (int)i, &shown);
			rows_write_csv_value(&shown, text);
		}
	}
	add(text, "\n");
}

static bool take_change(void *ctx, const struct rows_merge *merge, sqlite3_stmt *const statements[2],
			const bool *differs)
{
	struct diff *diff = ctx;

	diff->n_rows += diff->format != ROWS_JSON;
	if (diff->format == ROWS_NDJSON)
		write_ndjson(&diff->text, merge, statements, differs);
	if (diff->format == ROWS_CSV && statements[ROWS_OLD] != NULL)
		write_line(&diff->text, merge, ROWS_OLD, differs != NULL ? "before" : "removed", statements[ROWS_OLD]);
	if (diff->format == ROWS_CSV && statements[ROWS_NEW] != NULL)
		write_line(&diff->text, merge, ROWS_NEW, differs != NULL ? "after" : "added", statements[ROWS_NEW]);
	return diff->text.size < PIECE_SIZE;
}

/* --- the summary ----------------------------------------------------------------------------------------------------- */

static void begin_resource(struct diff *diff, const char *name, const char *state)
{
	add(&diff->text, diff->n_resources++ == 0 ? "\n{\"name\": " : ",\n{\"name\": ");
	add_string(&diff->text, name);
	add(&diff->text, ", \"state\": ");
	add_string(&diff->text, state);
}

/* Labels of A that B has not. */
static void write_other_columns(struct rows_text *text, const char *name, const struct rows_catalog_table *a,
				const struct rows_catalog_table *b)
{
	bool is_first = true;

	add(text, name);
	for (size_t i = 0; i < a->n_columns; i++) {
		if (rows_catalog_column(b, a->columns[i].label) != NULL)
			continue;
		add(text, is_first ? "" : ", ");
		is_first = false;
		add_string(text, a->columns[i].label);
	}
	add(text, "]");
}

static void write_compared(struct diff *diff)
{
	const struct rows_merge *merge = diff->merge;
	const struct rows_merge_counts *counts = rows_merge_counts(merge);
	const struct rows_catalog_table *old = rows_merge_table(merge, ROWS_OLD),
					*new = rows_merge_table(merge, ROWS_NEW);
	struct rows_text *text = &diff->text;
	bool is_first = true, is_same = counts->added + counts->removed + counts->changed == 0;
	size_t n;
	const size_t *key = rows_merge_key(merge, ROWS_NEW, &n);

	begin_resource(diff, new->resource, is_same ? "unchanged" : "changed");
	add(text, ", \"key\": [");
	for (size_t i = 0; i < n; i++) {
		add(text, i == 0 ? "" : ", ");
		add_string(text, new->columns[key[i]].label);
	}
	add(text, "]");
	add_number(text, "added", counts->added);
	add_number(text, "removed", counts->removed);
	add_number(text, "changed", counts->changed);
	add_number(text, "unchanged", counts->unchanged);
	write_other_columns(text, ", \"columnsAdded\": [", new, old);
	write_other_columns(text, ", \"columnsRemoved\": [", old, new);
	add(text, ", \"cellsChanged\": {");
	for (size_t i = 0; i < new->n_columns; i++) {
		char number[32];

		if (rows_merge_column_changes(merge, i) == 0)
			continue;
		add(text, is_first ? "" : ", ");
		is_first = false;
		add_string(text, new->columns[i].label);
		snprintf(number, sizeof(number), ": %ju", (uintmax_t)rows_merge_column_changes(merge, i));
		add(text, number);
	}
	add(text, "}}");
}

/* A table that is not looked into. */
static void write_state(struct diff *diff, const char *name, const char *state, uint64_t n_rows, const char *why)
{
	bool is_told = diff->format == ROWS_NDJSON && strcmp(state, "unchanged") != 0;

	if (diff->format == ROWS_JSON) {
		begin_resource(diff, name, state);
		if (n_rows > 0)
			add_number(&diff->text, "rows", n_rows);
	} else if (is_told) {
		add(&diff->text, "{\"resource\": ");
		add_string(&diff->text, name);
		add(&diff->text, ", \"change\": ");
		add_string(&diff->text, state);
	}
	if ((diff->format == ROWS_JSON || is_told) && why != NULL) {
		add(&diff->text, ", \"why\": ");
		add_string(&diff->text, why);
	}
	add(&diff->text, diff->format == ROWS_JSON ? "}" : is_told ? "}\n" : "");
}

/* --- tables ---------------------------------------------------------------------------------------------------------- */

/* Begins the comparison of a table of both; where it cannot be, says so. */
static enum fault begin_table(struct diff *diff, const struct rows_catalog_table *old,
			      const struct rows_catalog_table *new, struct refusal *why)
{
	const struct rows_catalog_table *tables[] = {old, new};
	const char *value = NULL, *column = serve_access_row_filter(diff->reader, diff->datasets[ROWS_NEW]->name,
								    new->resource, &value);
	enum fault fault;

	if (column == NULL && strcmp(old->sha256, new->sha256) == 0) {
		write_state(diff, new->resource, "unchanged", new->n_rows, NULL);
		return FAULT_NONE;
	}
	fault = rows_merge_begin(diff->pools, tables, column, value, &diff->merge, why);
	if (fault == FAULT_DIFF_QUERY && diff->resource == NULL && diff->format != ROWS_CSV) {
		write_state(diff, new->resource, "not compared", 0, why->line);
		return FAULT_NONE;
	}
	if (fault == FAULT_NONE && diff->format == ROWS_CSV)
		write_line(&diff->text, diff->merge, ROWS_NEW, "change", NULL);
	return fault;
}

static bool is_meant(const struct diff *diff, const char *resource)
{
	return diff->resource == NULL || strcmp(diff->resource, resource) == 0;
}

static enum fault next_table(struct diff *diff, struct refusal *why)
{
	const struct rows_catalog *old = rows_pool_catalog(diff->pools[ROWS_OLD]),
				  *new = rows_pool_catalog(diff->pools[ROWS_NEW]);
	bool is_new = diff->at < new->n_tables;
	const struct rows_catalog_table *table, *other;
	const char *column, *value;

	if (diff->at == new->n_tables + old->n_tables) {
		diff->has_ended = true;
		add(&diff->text, diff->format == ROWS_JSON ? "\n]}\n" : "");
		return FAULT_NONE;
	}
	table = is_new ? &new->tables[diff->at] : &old->tables[diff->at - new->n_tables];
	other = rows_catalog_table(is_new ? old : new, table->resource);
	diff->at++;
	if (!is_meant(diff, table->resource) || (!is_new && other != NULL))
		return FAULT_NONE;
	if (other != NULL)
		return begin_table(diff, other, table, why);
	/* How many rows there are of which a view shows some is not told. */
	column = serve_access_row_filter(diff->reader, diff->datasets[ROWS_NEW]->name, table->resource, &value);
	write_state(diff, table->resource, is_new ? "table added" : "table removed", column == NULL ? table->n_rows : 0,
		    NULL);
	return FAULT_NONE;
}

static void begin(struct diff *diff)
{
	diff->has_begun = true;
	if (diff->format != ROWS_JSON)
		return;
	add(&diff->text, "{\"dataset\": ");
	add_string(&diff->text, diff->datasets[ROWS_NEW]->name);
	add(&diff->text, ", \"from\": ");
	add_string(&diff->text, diff->datasets[ROWS_OLD]->version);
	add(&diff->text, ", \"to\": ");
	add_string(&diff->text, diff->datasets[ROWS_NEW]->version);
	add(&diff->text, ", \"resources\": [");
}

/* One step: of a table, or to the next. */
static enum fault step(struct diff *diff, struct refusal *why)
{
	enum fault fault;

	if (!diff->has_begun)
		begin(diff);
	if (diff->merge == NULL)
		return next_table(diff, why);
	fault = rows_merge_work(diff->merge, take_change, diff, why);
	if (fault != FAULT_NONE || !rows_merge_has_ended(diff->merge))
		return fault;
	if (diff->format == ROWS_JSON)
		write_compared(diff);
	rows_merge_free(steal_pointer(&diff->merge));
	return FAULT_NONE;
}

/* Works until there is something to send, for TIME at most. */
static enum fault work(struct diff *diff, int64_t time, struct refusal *why)
{
	int64_t began = rows_ticks(), until = began + time;
	enum fault fault = FAULT_NONE;

	while (fault == FAULT_NONE && !diff->has_ended && rows_ticks() < until &&
	       (diff->text.size < PIECE_SIZE || !diff->has_begun))
		fault = step(diff, why);
	diff->time += rows_ticks() - began;
	if (fault == FAULT_NONE && !diff->has_ended && diff->time > ANSWER_TIME)
		return refuse(why, FAULT_ROWS_LIMIT, "a comparison takes at most %d seconds of work",
			      (int)(ANSWER_TIME / 1000000));
	return fault;
}

static ssize_t more(void *ctx, char *to, size_t size)
{
	struct diff *diff = ctx;
	struct refusal why = {FAULT_NONE, ""};
	size_t n = diff->text.size - diff->taken;

	if (n == 0 && !diff->has_ended) {
		if (work(diff, PIECE_TIME, &why) != FAULT_NONE) {
			log_refusal(&why);
			return SERVE_STREAM_ERROR;
		}
		n = diff->text.size - diff->taken;
	}
	if (n == 0)
		return diff->has_ended ? 0 : SERVE_STREAM_LATER;
	n = n < size ? n : size;
	memcpy(to, diff->text.data + diff->taken, n);
	diff->taken += n;
	if (diff->taken == diff->text.size)
		diff->taken = diff->text.size = 0;
	serve_reply_add_rows(diff->reply, diff->n_rows);
	diff->n_rows = 0;
	return (ssize_t)n;
}

/* --- the request ----------------------------------------------------------------------------------------------------- */

static enum fault choose_format(const struct serve_request *request, struct diff *diff, struct refusal *why)
{
	static const struct {
		const char *name, *type;
		enum rows_format format;
	} forms[] = {{"json", "application/json", ROWS_JSON},
		     {"ndjson", "application/x-ndjson", ROWS_NDJSON},
		     {"csv", "text/csv", ROWS_CSV}};
	const char *format = serve_param(request, "format");
	unsigned best = 0;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		unsigned quality = format == NULL ? serve_accepts(request->accept, forms[i].type)
						  : 1000 * (strcmp(format, forms[i].name) == 0);

		if (quality <= best)
			continue;
		best = quality;
		diff->format = forms[i].format;
	}
	if (best == 0)
		return refuse(why, FAULT_DIFF_QUERY, "a comparison is json (a summary), ndjson or csv (every change)");
	if (diff->format == ROWS_CSV && diff->resource == NULL)
		return refuse(why, FAULT_DIFF_QUERY, "as CSV a comparison is of one table: resource=NAME");
	return FAULT_NONE;
}

/* Both versions and their databases; false where the reply is the answer already. */
static bool open_versions(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
			  const struct serve_reader *reader, struct serve_reply *reply, struct diff *diff)
{
	const char *name = request->segments[1], *from = serve_param(request, "from"), *to = serve_param(request, "to");

	if (from == NULL) {
		serve_reply_problem(
			reply, 400, FAULT_DIFF_QUERY,
			"from is the version to compare with: 16 digits, as /datasets/%s/history names them", name);
		return false;
	}
	diff->datasets[ROWS_OLD] = serve_pick_version(serve, request, set, reader, reply, name, from);
	if (diff->datasets[ROWS_OLD] == NULL)
		return false;
	diff->datasets[ROWS_NEW] = to == NULL ? serve_pick(serve, request, set, reader, reply, name)
					      : serve_pick_version(serve, request, set, reader, reply, name, to);
	for (size_t side = 0; side < 2; side++) {
		diff->pools[side] = diff->datasets[side] == NULL ? NULL
								 : serve_rows_pool(serve, diff->datasets[side], reply);
		if (diff->pools[side] == NULL)
			return false;
	}
	return true;
}

static enum fault find_resource(const struct diff *diff, struct refusal *why)
{
	if (diff->resource == NULL ||
	    rows_catalog_table(rows_pool_catalog(diff->pools[ROWS_OLD]), diff->resource) != NULL ||
	    rows_catalog_table(rows_pool_catalog(diff->pools[ROWS_NEW]), diff->resource) != NULL)
		return FAULT_NONE;
	return refuse(why, FAULT_DIFF_QUERY, "neither version has a table %.60s", diff->resource);
}

void serve_diff(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
		const struct serve_reader *reader, struct serve_reply *reply)
{
	struct diff *diff = xcalloc(1, sizeof(*diff));
	struct refusal why = {FAULT_NONE, ""};

	diff->reply = reply;
	diff->reader = reader;
	diff->resource = serve_param(request, "resource");
	if (!open_versions(serve, request, set, reader, reply, diff)) {
		free_diff(diff);
		return;
	}
	/* What cannot be compared is said in the status: the first piece comes before the answer begins. */
	if (find_resource(diff, &why) != FAULT_NONE || choose_format(request, diff, &why) != FAULT_NONE ||
	    work(diff, PIECE_TIME, &why) != FAULT_NONE) {
		serve_rows_refuse(reply, &why);
		free_diff(diff);
		return;
	}
	serve_reply_stream(reply, rows_format_type(diff->format), more, free_diff, diff);
	serve_reply_header(reply, "Vary", "Accept");
}
