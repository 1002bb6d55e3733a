/* SPDX-License-Identifier: ISC
 *
 * rowsquery: see rowsquery.h.
 */
#include "inside/rowsquery.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "inside/rowsbuild_table.h"

/* The row's own number, which can be asked for like a column. */
static const struct rows_catalog_column row_column = {
	.label = (char *)ROWSBUILD_ROW,
	.name = (char *)ROWSBUILD_ROW,
	.kind = ROWS_INTEGER,
	.base = ROWS_INTEGER,
	.is_indexed = true,
};

/* Names of the table that a refusal shows. */
#define SHOWN_SIZE 240

void rows_query_free(struct rows_query *query)
{
	if (query == NULL)
		return;
	for (size_t i = 0; i < query->n_filters; i++) {
		for (size_t k = 0; k < query->filters[i].n_values; k++)
			free(query->filters[i].values[k].text);
		free(query->filters[i].values);
	}
	free(query->filters);
	free(query->columns);
	free(query);
}

void rows_query_freep(struct rows_query **query)
{
	rows_query_free(*query);
}

/* --- names ----------------------------------------------------------------------------------------------------------- */

static const struct rows_catalog_column *find_column(const struct rows_catalog_table *table, const char *label)
{
	const struct rows_catalog_column *column = rows_catalog_column(table, label);

	return column == NULL && strcmp(label, ROWSBUILD_ROW) == 0 ? &row_column : column;
}

/* "a, b, c" of the table, as far as it goes. */
static void list_columns(const struct rows_catalog_table *table, char text[SHOWN_SIZE])
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < table->n_columns; i++) {
		int n = snprintf(text + used, SHOWN_SIZE - used, "%s%s", i == 0 ? "" : ", ", table->columns[i].label);

		if (n < 0 || (size_t)n + 8 >= SHOWN_SIZE - used) {
			snprintf(text + used, SHOWN_SIZE - used, "%s…", i == 0 ? "" : ", ");
			return;
		}
		used += (size_t)n;
	}
}

/* There is no column NAME: the likely one, or all that there are. */
static enum fault no_column(const struct rows_catalog_table *table, const char *name, struct refusal *why)
{
	const struct rows_catalog_column *nearest = rows_catalog_nearest(table, name);
	char columns[SHOWN_SIZE], shown[80];

	text_escape(name, strlen(name), shown, sizeof(shown));
	if (nearest != NULL)
		return refuse(why, FAULT_ROWS_QUERY, "%s has no column \"%s\": did you mean \"%.60s\"?",
			      table->resource, shown, nearest->label);
	list_columns(table, columns);
	return refuse(why, FAULT_ROWS_QUERY, "%s has no column \"%s\"; it has %s", table->resource, shown, columns);
}

/* --- conditions ------------------------------------------------------------------------------------------------------ */

static const char *kind_in_words(enum rows_kind kind)
{
	switch (kind) {
	case ROWS_INTEGER:
	case ROWS_REAL:
	case ROWS_DECIMAL:
		return "a number, with a point and without blanks";
	default:
		return "true or false";
	}
}

static struct rows_bound bound_of(const struct rows_value *value)
{
	struct rows_bound bound = {.type = value->type, .integer = value->integer, .real = value->real};

	if (value->type == ROWS_VALUE_TEXT)
		bound.text = xasprintf("%.*s", (int)value->size, value->text);
	return bound;
}

/* A value as the column has it. Of numbers that are kept as text bounds are compared as numbers; where a column holds other things, too, what is no
 * value of its type is looked for as it is. */
static enum fault parse_value(const struct rows_catalog_column *column, enum rows_operator relation, const char *text,
			      struct rows_bound *ret_bound, struct refusal *why)
{
	struct rows_scratch scratch;
	struct rows_value value;
	enum rows_kind kind = column->kind == ROWS_MIXED ? column->base : column->kind;
	char shown[80];

	if (relation != ROWS_IS && kind == ROWS_DECIMAL)
		kind = ROWS_REAL;
	if (!rows_value_parse(kind, text, strlen(text), &scratch, &value)) {
		if (column->kind != ROWS_MIXED) {
			text_escape(text, strlen(text), shown, sizeof(shown));
			return refuse(why, FAULT_ROWS_QUERY, "%.60s: \"%s\" is not %s", column->label, shown,
				      kind_in_words(kind));
		}
		value = (struct rows_value){.type = ROWS_VALUE_TEXT, .text = text, .size = strlen(text)};
	}
	*ret_bound = bound_of(&value);
	return FAULT_NONE;
}

static struct rows_filter *filter_of(struct rows_query *query, const struct rows_catalog_column *column,
				     enum rows_operator relation)
{
	struct rows_filter *filter;

	for (size_t i = 0; i < query->n_filters && relation == ROWS_IS; i++)
		if (query->filters[i].column == column && query->filters[i].relation == ROWS_IS)
			return &query->filters[i];
	query->filters = xrealloc(query->filters, query->n_filters + 1, sizeof(*query->filters));
	filter = &query->filters[query->n_filters++];
	*filter = (struct rows_filter){.column = column, .relation = relation};
	return filter;
}

/* "null=true" is a condition without a value. */
static enum fault add_null(struct rows_query *query, const struct rows_catalog_column *column, const char *text,
			   struct refusal *why)
{
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return refuse(why, FAULT_ROWS_QUERY, "%.60s.null is true or false", column->label);
	filter_of(query, column, text[0] == 't' ? ROWS_IS_NULL : ROWS_IS_NOT_NULL);
	return FAULT_NONE;
}

static enum fault add_filter(struct rows_query *query, const struct rows_catalog_column *column,
			     enum rows_operator relation, const char *text, struct refusal *why)
{
	struct rows_filter *filter;
	struct rows_bound bound;
	enum fault fault;

	if (query->n_values + query->n_filters >= LIMIT_ROWS_FILTERS)
		return refuse(why, FAULT_ROWS_QUERY, "more than %d conditions", LIMIT_ROWS_FILTERS);
	if (relation == ROWS_IS_NULL)
		return add_null(query, column, text, why);
	if ((fault = parse_value(column, relation, text, &bound, why)) != FAULT_NONE)
		return fault;
	filter = filter_of(query, column, relation);
	filter->values = xrealloc(filter->values, filter->n_values + 1, sizeof(*filter->values));
	filter->values[filter->n_values++] = bound;
	query->n_values++;
	return FAULT_NONE;
}

enum fault rows_query_restrict(struct rows_query *query, const char *label, const char *value, struct refusal *why)
{
	const struct rows_catalog_column *column = rows_catalog_column(query->table, label);
	struct rows_filter filter = {.column = column, .relation = ROWS_IS};
	enum fault fault;

	if (column == NULL)
		return no_column(query->table, label, why);
	filter.values = xcalloc(1, sizeof(*filter.values));
	fault = parse_value(column, ROWS_IS, value, filter.values, why);
	if (fault != FAULT_NONE) {
		free(filter.values);
		return fault;
	}
	/* Beside the reader's own conditions, never among their alternatives. */
	filter.n_values = 1;
	query->filters = xrealloc(query->filters, query->n_filters + 1, sizeof(*query->filters));
	query->filters[query->n_filters++] = filter;
	query->n_values++;
	return FAULT_NONE;
}

/* "column", "column.min", "column.max", "column.null". A label with such an end of its own comes first. */
static enum fault take_condition(struct rows_query *query, const char *name, const char *value, struct refusal *why)
{
	static const struct {
		const char *suffix;
		enum rows_operator relation;
	} suffixes[] = {{".min", ROWS_MIN}, {".max", ROWS_MAX}, {".null", ROWS_IS_NULL}};
	const struct rows_catalog_column *column = find_column(query->table, name);
	const char *dot = strrchr(name, '.');
	_cleanup_free_ char *label = NULL;

	if (column != NULL)
		return add_filter(query, column, ROWS_IS, value, why);
	for (size_t i = 0; dot != NULL && i < ARRAY_SIZE(suffixes); i++) {
		if (strcmp(dot, suffixes[i].suffix) != 0)
			continue;
		label = xasprintf("%.*s", (int)(dot - name), name);
		column = find_column(query->table, label);
		return column == NULL ? no_column(query->table, label, why)
				      : add_filter(query, column, suffixes[i].relation, value, why);
	}
	return no_column(query->table, name, why);
}

/* --- our own words --------------------------------------------------------------------------------------------------- */

static enum fault take_number(const char *name, const char *value, uint64_t *ret, struct refusal *why)
{
	size_t n = strlen(value);

	if (n == 0 || n > 10 || strspn(value, "0123456789") != n)
		return refuse(why, FAULT_ROWS_QUERY, "%s is a number of at most ten digits", name);
	*ret = strtoull(value, NULL, 10);
	return FAULT_NONE;
}

/* Calls TAKE for each of the names that commas separate in LIST; a comma within a name is written twice. */
static enum fault each_name(struct rows_query *query, const char *list,
			    enum fault (*take)(struct rows_query *query, const char *name, struct refusal *why),
			    struct refusal *why)
{
	_cleanup_free_ char *name = xmalloc(strlen(list) + 1);
	enum fault fault = FAULT_NONE;
	size_t used = 0;

	for (const char *at = list; fault == FAULT_NONE; at++) {
		if (at[0] == ',' && at[1] == ',') {
			name[used++] = *at++;
		} else if (at[0] == ',' || at[0] == '\0') {
			name[used] = '\0';
			fault = take(query, name, why);
			used = 0;
		} else {
			name[used++] = at[0];
		}
		if (at[0] == '\0')
			break;
	}
	return fault;
}

static enum fault take_column(struct rows_query *query, const char *name, struct refusal *why)
{
	const struct rows_catalog_column *column = find_column(query->table, name);

	if (column == NULL)
		return no_column(query->table, name, why);
	if (query->n_columns > query->table->n_columns)
		return refuse(why, FAULT_ROWS_QUERY, "columns names more than there are");
	query->columns = xrealloc(query->columns, query->n_columns + 1, sizeof(*query->columns));
	query->columns[query->n_columns++] = column;
	return FAULT_NONE;
}

static enum fault take_sort(struct rows_query *query, const char *name, struct refusal *why)
{
	const struct rows_catalog_column *column = find_column(query->table, name);
	bool is_descending = column == NULL && name[0] == '-';

	if (is_descending)
		column = find_column(query->table, name + 1);
	if (column == NULL)
		return no_column(query->table, name + is_descending, why);
	if (query->n_sorts == LIMIT_ROWS_SORTS)
		return refuse(why, FAULT_ROWS_QUERY, "sort names more than %d columns", LIMIT_ROWS_SORTS);
	query->sorts[query->n_sorts++] = (struct rows_sort){column, is_descending};
	return FAULT_NONE;
}

/* Those that were given already: a second one would have to win or lose. */
struct taken {
	bool columns, sort, limit, offset;
};

static enum fault take_once(bool *taken, const char *name, struct refusal *why)
{
	if (*taken)
		return refuse(why, FAULT_ROWS_QUERY, "%s is given twice", name);
	*taken = true;
	return FAULT_NONE;
}

static enum fault take_param(struct rows_query *query, const char *name, const char *value, struct taken *taken,
			     struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	if (strcmp(name, "columns") == 0)
		return take_once(&taken->columns, name, why) != FAULT_NONE ? why->fault
									   : each_name(query, value, take_column, why);
	if (strcmp(name, "sort") == 0)
		return take_once(&taken->sort, name, why) != FAULT_NONE ? why->fault
									: each_name(query, value, take_sort, why);
	if (strcmp(name, "limit") == 0) {
		fault = take_once(&taken->limit, name, why);
		return fault == FAULT_NONE ? take_number(name, value, &query->limit, why) : fault;
	}
	if (strcmp(name, "offset") == 0) {
		fault = take_once(&taken->offset, name, why);
		return fault == FAULT_NONE ? take_number(name, value, &query->offset, why) : fault;
	}
	/* A dot before a name says that it is a column's. */
	return take_condition(query, name[0] == '.' && find_column(query->table, name) == NULL ? name + 1 : name, value,
			      why);
}

static bool is_others(const char *const *others, const char *name)
{
	for (size_t i = 0; others[i] != NULL; i++)
		if (strcmp(others[i], name) == 0)
			return true;
	return false;
}

enum fault rows_query_parse(const struct rows_catalog_table *table, const struct serve_param *params, size_t n_params,
			    const char *const *others, struct rows_query **ret_query, struct refusal *why)
{
	_cleanup_(rows_query_freep) struct rows_query *query = xcalloc(1, sizeof(*query));
	struct taken taken = {false, false, false, false};
	struct refusal unheard = {FAULT_NONE, ""};

	why = why == NULL ? &unheard : why;
	query->table = table;
	query->limit = UINT64_MAX;
	for (size_t i = 0; i < n_params; i++)
		if (!is_others(others, params[i].name) &&
		    take_param(query, params[i].name, params[i].value, &taken, why) != FAULT_NONE)
			return why->fault;
	for (size_t i = 0; i < table->n_columns && !taken.columns; i++) {
		query->columns = xrealloc(query->columns, query->n_columns + 1, sizeof(*query->columns));
		query->columns[query->n_columns++] = &table->columns[i];
	}
	*ret_query = steal_pointer(&query);
	return FAULT_NONE;
}

/* --- SQL ------------------------------------------------------------------------------------------------------------- */

#define append(text, ...) sqlite3_str_appendf((text), __VA_ARGS__)

bool rows_query_has_index(const struct rows_query *query)
{
	for (size_t i = 0; i < query->n_filters; i++)
		if (query->filters[i].column->is_indexed && query->filters[i].relation != ROWS_IS_NOT_NULL)
			return true;
	return false;
}

/* What is compared: of numbers that are kept as text the number. In a column of many things a bound is one of numbers. */
static void append_bound(sqlite3_str *text, const struct rows_filter *filter, int *parameter)
{
	const char *name = filter->column->name, *relation = filter->relation == ROWS_MIN ? ">=" : "<=";

	if (filter->column->kind == ROWS_DECIMAL)
		append(text, "CAST(\"%w\" AS REAL)%s?%d", name, relation, (*parameter)++);
	else if (filter->column->kind == ROWS_MIXED && filter->values[0].type != ROWS_VALUE_TEXT)
		append(text, "(\"%w\"%s?%d AND \"%w\"<'')", name, relation, (*parameter)++, name);
	else
		append(text, "\"%w\"%s?%d", name, relation, (*parameter)++);
}

static void append_filter(sqlite3_str *text, const struct rows_filter *filter, int *parameter)
{
	switch (filter->relation) {
	case ROWS_IS_NULL:
	case ROWS_IS_NOT_NULL:
		append(text, "\"%w\" IS%s NULL", filter->column->name, filter->relation == ROWS_IS_NULL ? "" : " NOT");
		break;
	case ROWS_IS:
		append(text, "\"%w\" IN (", filter->column->name);
		for (size_t i = 0; i < filter->n_values; i++)
			append(text, "%s?%d", i == 0 ? "" : ",", (*parameter)++);
		append(text, ")");
		break;
	default:
		append_bound(text, filter, parameter);
		break;
	}
}

static int append_where(sqlite3_str *text, const struct rows_query *query)
{
	int parameter = 1;

	append(text, " WHERE 1");
	for (size_t i = 0; i < query->n_filters; i++) {
		append(text, " AND ");
		append_filter(text, &query->filters[i], &parameter);
	}
	return parameter;
}

char *rows_query_sql_numbers(const struct rows_query *query)
{
	sqlite3_str *text = sqlite3_str_new(NULL);
	int parameter;

	append(text, "SELECT \"" ROWSBUILD_ROW "\" FROM \"%w\"", query->table->name);
	parameter = append_where(text, query);
	for (size_t i = 0; i < query->n_sorts; i++) {
		const struct rows_catalog_column *column = query->sorts[i].column;

		append(text, column->kind == ROWS_DECIMAL ? "%sCAST(\"%w\" AS REAL)%s" : "%s\"%w\"%s",
		       i == 0 ? " ORDER BY " : ",", column->name, query->sorts[i].is_descending ? " DESC" : "");
	}
	append(text, "%s LIMIT ?%d", query->n_sorts > 0 ? ",\"" ROWSBUILD_ROW "\"" : "", parameter);
	return sqlite3_str_finish(text);
}

static void append_columns(sqlite3_str *text, const struct rows_query *query)
{
	append(text, "SELECT ");
	for (size_t i = 0; i < query->n_columns; i++)
		append(text, "\"%w\",", query->columns[i]->name);
	append(text, "\"" ROWSBUILD_ROW "\" FROM \"%w\"", query->table->name);
}

/* By the rows' numbers, whatever index there is: then it can go on where it stood. */
char *rows_query_sql_scan(const struct rows_query *query)
{
	sqlite3_str *text = sqlite3_str_new(NULL);
	int parameter;

	append_columns(text, query);
	append(text, " NOT INDEXED");
	parameter = append_where(text, query);
	append(text, " AND \"" ROWSBUILD_ROW "\">?%d AND \"" ROWSBUILD_ROW "\"<=?%d ORDER BY \"" ROWSBUILD_ROW "\"",
	       parameter, parameter + 1);
	return sqlite3_str_finish(text);
}

char *rows_query_sql_row(const struct rows_query *query)
{
	sqlite3_str *text = sqlite3_str_new(NULL);

	append_columns(text, query);
	append(text, " WHERE \"" ROWSBUILD_ROW "\"=?1");
	return sqlite3_str_finish(text);
}

static void bind(sqlite3_stmt *statement, int index, const struct rows_bound *bound)
{
	if (bound->type == ROWS_VALUE_INTEGER)
		sqlite3_bind_int64(statement, index, bound->integer);
	else if (bound->type == ROWS_VALUE_REAL)
		sqlite3_bind_double(statement, index, bound->real);
	else
		sqlite3_bind_text(statement, index, bound->text, -1, SQLITE_STATIC);
}

int rows_query_bind(const struct rows_query *query, sqlite3_stmt *statement)
{
	int index = 1;

	for (size_t i = 0; i < query->n_filters; i++)
		for (size_t k = 0; k < query->filters[i].n_values; k++)
			bind(statement, index++, &query->filters[i].values[k]);
	return index;
}

/* --- what it is ------------------------------------------------------------------------------------------------------ */

static void hash_text(struct hash *hash, const char *text)
{
	hash_update(hash, text, strlen(text) + 1);
}

static void hash_bound(struct hash *hash, const struct rows_bound *bound)
{
	char text[64];

	snprintf(text, sizeof(text), "%d %" PRId64 " %a", (int)bound->type, bound->integer, bound->real);
	hash_text(hash, text);
	hash_text(hash, bound->text == NULL ? "" : bound->text);
}

void rows_query_digest(const struct rows_query *query, struct sha256 *ret_digest)
{
	_cleanup_(hash_freep) struct hash *hash = hash_new();
	char *numbers = rows_query_sql_numbers(query), *row = rows_query_sql_row(query), bounds[64];

	if (numbers == NULL || row == NULL)
		die("out of memory");
	hash_text(hash, numbers);
	hash_text(hash, row);
	sqlite3_free(numbers);
	sqlite3_free(row);
	for (size_t i = 0; i < query->n_columns; i++)
		hash_text(hash, query->columns[i]->label);
	for (size_t i = 0; i < query->n_filters; i++)
		for (size_t k = 0; k < query->filters[i].n_values; k++)
			hash_bound(hash, &query->filters[i].values[k]);
	snprintf(bounds, sizeof(bounds), "%" PRIu64 " %" PRIu64, query->limit, query->offset);
	hash_text(hash, bounds);
	hash_final(hash, ret_digest);
}
