/* SPDX-License-Identifier: ISC
 *
 * rowsbuild_table: see rowsbuild_table.h. Names come from outside: they stand in statements only within quotes that SQLite's own printf
 * makes, values are always bound.
 */
#include "inside/rowsbuild_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "schemas/labels.h"

void rows_table_begin(struct rows_table *table, struct rowsfile *file, bool only_looks)
{
	table->file = file;
	table->only_looks = only_looks;
	table->kind_changed = table->key_is_unique = table->key_has_null = false;
	table->n_rows = table->n_ragged = 0;
}

void rows_table_rest(struct rows_table *table)
{
	sqlite3_finalize(table->insert);
	table->insert = NULL;
	table->file = NULL;
}

void rows_table_clear(struct rows_table *table)
{
	rows_table_rest(table);
	for (size_t i = 0; i < table->n_columns; i++) {
		free(table->columns[i].label);
		free(table->columns[i].name);
	}
	free(table->columns);
	free(table->name);
	table->columns = NULL;
	table->n_columns = 0;
	table->name = NULL;
}

/* --- names ----------------------------------------------------------------------------------------------------------- */

static bool is_taken(const struct rows_table *table, size_t n, const char *name)
{
	if (sqlite3_stricmp(name, ROWSBUILD_ROW) == 0)
		return true;
	for (size_t i = 0; i < n; i++)
		if (sqlite3_stricmp(table->columns[i].name, name) == 0)
			return true;
	return false;
}

/* The label; "_2" and so on behind it where SQLite, to which "Code" and "code" are the same, would take it for another's. */
static char *column_name(const struct rows_table *table, size_t index)
{
	const char *label = table->columns[index].label;
	char *name = label[0] == '\0' ? xasprintf("column_%zu", index + 1) : xstrdup(label);

	for (unsigned n = 2; is_taken(table, index, name); n++) {
		free(name);
		name = xasprintf("%s_%u", label[0] == '\0' ? "column" : label, n);
	}
	return name;
}

/* No resource's name ends so. */
static char *table_name(const char *resource)
{
	bool is_ours = strcmp(resource, "clapet") == 0 || strncmp(resource, "clapet_", 7) == 0 ||
		       sqlite3_strnicmp(resource, "sqlite_", 7) == 0;

	return is_ours ? xasprintf("resource %s", resource) : xstrdup(resource);
}

static void note_key(struct rows_table *table)
{
	const struct schema *schema = table->resource->schema;
	const struct table_key *key = schema == NULL ? NULL : &schema->primary_key;

	for (size_t k = 0; key != NULL && k < key->n_columns; k++)
		for (size_t i = 0; i < table->n_columns; i++)
			if (table->columns[i].key == 0 && strcmp(table->columns[i].label, key->columns[k]) == 0) {
				table->columns[i].key = (unsigned)k + 1;
				break;
			}
}

static void make_columns(struct rows_table *table, const struct cell *cells, size_t n_cells)
{
	const struct schema *schema = table->resource->schema;

	table->columns = xcalloc(n_cells + 1, sizeof(*table->columns));
	table->n_columns = n_cells;
	for (size_t i = 0; i < n_cells; i++) {
		struct rows_column *column = &table->columns[i];

		column->label = label_copy(&cells[i]);
		column->field = schema == NULL ? NULL : schema_field(schema, column->label);
		column->kind = rows_kind_of(column->field);
		if (n_cells <= LIMIT_ROWS_COLUMNS)
			column->name = column_name(table, i);
	}
	if (n_cells > 0 && n_cells <= LIMIT_ROWS_COLUMNS)
		table->name = table_name(table->resource->name);
	note_key(table);
}

/* --- the table ------------------------------------------------------------------------------------------------------- */

/* Appends what FORMAT makes, "%w" and all. */
#define append(text, ...) sqlite3_str_appendf((text), __VA_ARGS__)

static enum fault run_text(struct rows_table *table, sqlite3_str *text, struct refusal *why)
{
	char *sql = sqlite3_str_finish(text);
	enum fault fault = sql == NULL ? refuse(why, FAULT_ROWS_BUILD, "SQLite: out of memory")
				       : rowsfile_run(table->file, why, "%s", sql);

	sqlite3_free(sql);
	return fault;
}

static enum fault create_table(struct rows_table *table, struct refusal *why)
{
	sqlite3_str *text = sqlite3_str_new(rowsfile_db(table->file));

	append(text, "CREATE TABLE \"%w\"(", table->name);
	for (size_t i = 0; i < table->n_columns; i++)
		append(text, "\"%w\" %s, ", table->columns[i].name, rows_kind_sql(table->columns[i].kind));
	append(text, "\"" ROWSBUILD_ROW "\" INTEGER PRIMARY KEY) STRICT");
	return run_text(table, text, why);
}

static enum fault prepare_insert(struct rows_table *table, struct refusal *why)
{
	sqlite3_str *text = sqlite3_str_new(rowsfile_db(table->file));
	char *sql;
	int r;

	append(text, "INSERT INTO \"%w\" VALUES (", table->name);
	for (size_t i = 0; i < table->n_columns; i++)
		append(text, "?,");
	append(text, "?)");
	sql = sqlite3_str_finish(text);
	r = sql == NULL ? SQLITE_NOMEM
			: sqlite3_prepare_v3(rowsfile_db(table->file), sql, -1, SQLITE_PREPARE_PERSISTENT,
					     &table->insert, NULL);
	sqlite3_free(sql);
	return r == SQLITE_OK ? FAULT_NONE : rowsfile_failed(table->file, FAULT_ROWS_BUILD, "a table's rows", why);
}

enum fault rows_table_header(struct rows_table *table, const struct cell *cells, size_t n_cells, struct refusal *why)
{
	enum fault fault;

	if (table->columns == NULL)
		make_columns(table, cells, n_cells);
	if (table->name == NULL || table->only_looks)
		return FAULT_NONE;
	fault = create_table(table, why);
	return fault == FAULT_NONE ? prepare_insert(table, why) : fault;
}

static void bind(sqlite3_stmt *statement, int index, const struct rows_value *value)
{
	switch (value->type) {
	case ROWS_NULL:
		sqlite3_bind_null(statement, index);
		break;
	case ROWS_VALUE_INTEGER:
		sqlite3_bind_int64(statement, index, value->integer);
		break;
	case ROWS_VALUE_REAL:
		sqlite3_bind_double(statement, index, value->real);
		break;
	case ROWS_VALUE_TEXT:
		/* It is copied into the row before the next one's text takes its place. */
		sqlite3_bind_text(statement, index, value->text, (int)value->size, SQLITE_STATIC);
		break;
	}
}

/* A text in the scratch is overwritten by the next cell. */
static void bind_scratch(const struct rows_table *table, sqlite3_stmt *statement, int index,
			 const struct rows_value *value)
{
	if (value->type == ROWS_VALUE_TEXT && value->text == table->scratch.text)
		sqlite3_bind_text(statement, index, value->text, (int)value->size, SQLITE_TRANSIENT);
	else
		bind(statement, index, value);
}

/* The cell's value in its column, whose kind may have to change for it. */
static void take_cell(struct rows_table *table, struct rows_column *column, int index, const struct cell *cell)
{
	struct rows_value value;
	enum rows_fit fit = rows_cell_read(column->field, column->kind, cell->text, cell->size, &table->scratch,
					   &value);

	while (fit != ROWS_FITS) {
		column->kind = rows_kind_after(column->kind, fit);
		table->kind_changed = true;
		fit = rows_cell_read(column->field, column->kind, cell->text, cell->size, &table->scratch, &value);
	}
	table->key_has_null = table->key_has_null || (column->key > 0 && value.type == ROWS_NULL);
	if (!table->only_looks)
		bind_scratch(table, table->insert, index, &value);
}

enum fault rows_table_add(struct rows_table *table, const struct cell *cells, size_t n_cells, struct refusal *why)
{
	static const struct cell none = {"", 0};

	table->n_rows++;
	table->n_ragged += n_cells != table->n_columns;
	if (table->name == NULL)
		return FAULT_NONE;
	for (size_t i = 0; i < table->n_columns; i++) {
		if (i < n_cells)
			take_cell(table, &table->columns[i], (int)i + 1, &cells[i]);
		else if (!table->only_looks)
			bind(table->insert, (int)i + 1, &(struct rows_value){.type = ROWS_NULL, .text = none.text});
	}
	table->only_looks = table->only_looks || table->kind_changed;
	if (table->only_looks)
		return FAULT_NONE;
	sqlite3_bind_int64(table->insert, (int)table->n_columns + 1, (sqlite3_int64)table->n_rows);
	if (sqlite3_step(table->insert) != SQLITE_DONE || sqlite3_reset(table->insert) != SQLITE_OK)
		return rowsfile_failed(table->file, FAULT_ROWS_BUILD, "a row", why);
	return FAULT_NONE;
}

/* --- indexes --------------------------------------------------------------------------------------------------------- */

/* Columns of an index, in order. */
struct index {
	size_t *columns; /* owned */
	size_t n_columns;
};

static struct rows_column *find_column(struct rows_table *table, const char *label, size_t *ret_index)
{
	for (size_t i = 0; i < table->n_columns; i++) {
		if (strcmp(table->columns[i].label, label) != 0)
			continue;
		*ret_index = i;
		return &table->columns[i];
	}
	return NULL;
}

/* Whether another index begins with these columns, and so serves in its place. */
static bool is_served(const struct index *indexes, size_t n, const struct index *index)
{
	for (size_t i = 0; i < n; i++)
		if (indexes[i].n_columns >= index->n_columns &&
		    memcmp(indexes[i].columns, index->columns, index->n_columns * sizeof(*index->columns)) == 0)
			return true;
	return false;
}

static enum fault create_index(struct rows_table *table, const struct index *index, size_t number, bool is_unique,
			       struct refusal *why)
{
	sqlite3_str *text = sqlite3_str_new(rowsfile_db(table->file));

	append(text, "CREATE %sINDEX \"%w.%d\" ON \"%w\"(", is_unique ? "UNIQUE " : "", table->name, (int)number,
	       table->name);
	for (size_t i = 0; i < index->n_columns; i++)
		append(text, "%s\"%w\"", i == 0 ? "" : ",", table->columns[index->columns[i]].name);
	append(text, ")");
	return run_text(table, text, why);
}

/* Adds an index over COLUMNS, unless one of them is not there or another serves. That of the primary key is unique if the rows are. */
static enum fault add_index(struct rows_table *table, const char *const *columns, size_t n_columns, bool is_key,
			    struct index *indexes, size_t *n_indexes, struct refusal *why)
{
	struct index *index = &indexes[*n_indexes];
	struct refusal unique = {FAULT_NONE, ""};
	enum fault fault = FAULT_NONE;

	if (n_columns == 0 || *n_indexes == LIMIT_ROWS_INDEXES)
		return FAULT_NONE;
	*index = (struct index){xcalloc(n_columns, sizeof(*index->columns)), n_columns};
	for (size_t i = 0; i < n_columns; i++) {
		if (find_column(table, columns[i], &index->columns[i]) == NULL) {
			free(index->columns);
			return FAULT_NONE;
		}
	}
	if (is_served(indexes, *n_indexes, index)) {
		free(index->columns);
		return FAULT_NONE;
	}
	(*n_indexes)++;
	table->columns[index->columns[0]].is_indexed = true;
	if (is_key) {
		fault = create_index(table, index, *n_indexes, true, &unique);
		table->key_is_unique = fault == FAULT_NONE;
		if (fault == FAULT_NONE || (sqlite3_errcode(rowsfile_db(table->file)) & 0xff) != SQLITE_CONSTRAINT)
			return fault == FAULT_NONE ? FAULT_NONE : refuse(why, fault, "%s", unique.line);
	}
	return create_index(table, index, *n_indexes, false, why);
}

static enum fault make_indexes(struct rows_table *table, struct refusal *why)
{
	const struct schema *schema = table->resource->schema;
	struct index indexes[LIMIT_ROWS_INDEXES];
	size_t n_indexes = 0;
	enum fault fault;

	if (schema == NULL)
		return FAULT_NONE;
	fault = add_index(table, schema->primary_key.columns, schema->primary_key.n_columns, true, indexes, &n_indexes,
			  why);
	for (size_t i = 0; i < schema->n_unique_keys && fault == FAULT_NONE; i++)
		fault = add_index(table, schema->unique_keys[i].columns, schema->unique_keys[i].n_columns, false,
				  indexes, &n_indexes, why);
	for (size_t i = 0; i < schema->n_fields && fault == FAULT_NONE; i++) {
		const char *name = field_name(schema->fields[i]);

		if (schema->fields[i]->unique)
			fault = add_index(table, &name, 1, false, indexes, &n_indexes, why);
	}
	for (size_t i = 0; i < schema->n_foreign_keys && fault == FAULT_NONE; i++)
		fault = add_index(table, schema->foreign_keys[i].columns, schema->foreign_keys[i].n_columns, false,
				  indexes, &n_indexes, why);
	for (size_t i = 0; i < n_indexes; i++)
		free(indexes[i].columns);
	return fault;
}

/* --- the end --------------------------------------------------------------------------------------------------------- */

static enum fault write_columns(struct rows_table *table, struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	for (size_t i = 0; i < table->n_columns && fault == FAULT_NONE; i++) {
		const struct rows_column *column = &table->columns[i];

		fault = rowsfile_run(table->file, why, "INSERT INTO clapet_columns VALUES (%Q,%d,%Q,%Q,%Q,%Q,%d,%d)",
				     table->resource->name, (int)i + 1, column->label, column->name,
				     column->field == NULL ? "any" : field_type_name(field_type(column->field)),
				     rows_kind_name(column->kind), (int)column->key, (int)column->is_indexed);
	}
	return fault;
}

enum fault rows_table_end(struct rows_table *table, struct refusal *why)
{
	bool has_key = table->resource->schema != NULL && table->resource->schema->primary_key.n_columns > 0;
	char sha256[SHA256_HEX_SIZE];
	enum fault fault = table->name == NULL ? FAULT_NONE : make_indexes(table, why);

	if (fault == FAULT_NONE && table->name != NULL)
		fault = write_columns(table, why);
	if (fault != FAULT_NONE)
		return fault;
	sha256_to_hex(&table->sha256, sha256);
	return rowsfile_run(table->file, why, "INSERT INTO clapet_tables VALUES (%Q,%Q,%lld,%Q,%Q,%lld,%Q)",
			    table->resource->name, table->name, (long long)table->n_rows, sha256,
			    !has_key || table->name == NULL                ? NULL
			    : table->key_is_unique && !table->key_has_null ? "unique"
									   : "repeated",
			    (long long)table->n_ragged,
			    table->name == NULL ? "more columns than SQLite takes, or none" : NULL);
}
