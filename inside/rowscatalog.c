/* SPDX-License-Identifier: ISC
 *
 * rowscatalog: see rowscatalog.h.
 */
#include "inside/rowscatalog.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/notation.h"
#include "inside/rowsbuild_table.h"
#include "schemas/schema.h"

/* Characters of a label that are compared for likeness. */
#define LIKE_SIZE 64

void rows_catalog_free(struct rows_catalog *catalog)
{
	if (catalog == NULL)
		return;
	for (size_t i = 0; i < catalog->n_tables; i++) {
		struct rows_catalog_table *table = &catalog->tables[i];

		for (size_t k = 0; k < table->n_columns; k++) {
			free(table->columns[k].label);
			free(table->columns[k].name);
		}
		free(table->columns);
		free(table->resource);
		free(table->name);
	}
	free(catalog->tables);
	free(catalog);
}

void rows_catalog_freep(struct rows_catalog **catalog)
{
	rows_catalog_free(*catalog);
}

/* --- reading --------------------------------------------------------------------------------------------------------- */

static enum fault damaged(struct refusal *why, const char *what)
{
	return refuse(why, FAULT_ROWS_DAMAGED, "bundle/FORMAT.md 33.2: %s", what);
}

/* Text of a result without a NUL in it; NULL where it is none. Good until the next step. */
static const char *text_of(sqlite3_stmt *statement, int column)
{
	const char *text;

	if (sqlite3_column_type(statement, column) != SQLITE_TEXT)
		return NULL;
	text = (const char *)sqlite3_column_text(statement, column);
	return text != NULL && strlen(text) == (size_t)sqlite3_column_bytes(statement, column) ? text : NULL;
}

/* A view, a trigger or a virtual table is code, of which there is none in a file of ours. */
static enum fault check_objects(struct rowsfile *file, struct refusal *why)
{
	_cleanup_(rowsfile_finalizep) sqlite3_stmt *statement = NULL;
	enum fault fault = rowsfile_prepare(file, FAULT_ROWS_DAMAGED, &statement, why,
					    "SELECT type, rootpage, sql FROM sqlite_schema");
	int r = SQLITE_DONE;

	while (fault == FAULT_NONE && (r = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *type = text_of(statement, 0), *sql = text_of(statement, 2);
		bool is_table = type != NULL && strcmp(type, "table") == 0;

		/* An index that a key's declaration made has no text; generated columns are code, too. */
		if (type == NULL || (!is_table && strcmp(type, "index") != 0) ||
		    sqlite3_column_int64(statement, 1) <= 0 ||
		    (sql != NULL &&
		     sqlite3_strnicmp(sql, is_table ? "CREATE TABLE" : "CREATE ", is_table ? 12 : 7) != 0))
			return damaged(why, "something that is neither a table nor an index");
	}
	if (fault == FAULT_NONE && r != SQLITE_DONE)
		return rowsfile_failed(file, FAULT_ROWS_DAMAGED, "its schema", why);
	return fault;
}

static enum fault check_about(struct rowsfile *file, const char *dataset, struct refusal *why)
{
	_cleanup_(rowsfile_finalizep) sqlite3_stmt *statement = NULL;
	enum fault fault = rowsfile_prepare(
		file, FAULT_ROWS_DAMAGED, &statement, why,
		"SELECT value FROM clapet WHERE name IN ('format','dataset') ORDER BY name");
	const char *const wanted[] = {dataset, ROWSBUILD_FORMAT};

	for (size_t i = 0; fault == FAULT_NONE && i < ARRAY_SIZE(wanted); i++) {
		const char *text = sqlite3_step(statement) == SQLITE_ROW ? text_of(statement, 0) : NULL;

		if (text == NULL || strcmp(text, wanted[i]) != 0)
			return damaged(why,
				       i == 0 ? "it is another dataset's" : "it is of another format, this reads 1");
	}
	return fault;
}

static enum rows_kind kind_of_type(const char *type)
{
	if (strcmp(type, "integer") == 0 || strcmp(type, "year") == 0)
		return ROWS_INTEGER;
	if (strcmp(type, "number") == 0)
		return ROWS_REAL;
	return strcmp(type, "boolean") == 0 ? ROWS_BOOLEAN : ROWS_TEXT;
}

/* label, column, type, kind, key, indexed */
static enum fault add_column(struct rows_catalog_table *table, sqlite3_stmt *statement, struct refusal *why)
{
	struct rows_catalog_column column = {.label = NULL};
	const char *texts[4];
	sqlite3_int64 key = sqlite3_column_int64(statement, 4);

	for (int i = 0; i < 4; i++) {
		texts[i] = text_of(statement, i);
		if (texts[i] == NULL)
			return damaged(why, "a column without a name, type or kind");
	}
	column.kind = column.base = rows_kind_by_name(texts[3]);
	if (column.kind == ROWS_KIND_N || key < 0 || key > LIMIT_KEY_COLUMNS || table->n_columns == LIMIT_ROWS_COLUMNS)
		return damaged(why, "a column of no kind that there is, or too many");
	if (column.kind == ROWS_MIXED || column.kind == ROWS_DECIMAL)
		column.base = kind_of_type(texts[2]);
	column.label = xstrdup(texts[0]);
	column.name = xstrdup(texts[1]);
	column.key = (unsigned)key;
	column.is_indexed = sqlite3_column_int(statement, 5) == 1;
	table->columns = xrealloc(table->columns, table->n_columns + 1, sizeof(column));
	table->columns[table->n_columns++] = column;
	table->n_key += key > 0;
	return FAULT_NONE;
}

static enum fault load_columns(struct rowsfile *file, struct rows_catalog_table *table, struct refusal *why)
{
	_cleanup_(rowsfile_finalizep) sqlite3_stmt *statement = NULL;
	enum fault fault = rowsfile_prepare(file, FAULT_ROWS_DAMAGED, &statement, why,
					    "SELECT label, \"column\", type, kind, \"key\", indexed FROM clapet_columns"
					    " WHERE resource = ? ORDER BY position");
	int r = SQLITE_DONE;

	if (fault == FAULT_NONE)
		sqlite3_bind_text(statement, 1, table->resource, -1, SQLITE_STATIC);
	while (fault == FAULT_NONE && (r = sqlite3_step(statement)) == SQLITE_ROW)
		fault = add_column(table, statement, why);
	if (fault == FAULT_NONE && (r != SQLITE_DONE || table->n_columns == 0))
		return damaged(why, "a table without columns");
	return fault;
}

/* resource, table, rows, key, sha256: a table without a name is left out of the file. */
static enum fault add_table(struct rows_catalog *catalog, sqlite3_stmt *statement, struct refusal *why)
{
	const char *resource = text_of(statement, 0), *name = text_of(statement, 1), *key = text_of(statement, 3),
		   *sha256 = text_of(statement, 4);
	sqlite3_int64 n_rows = sqlite3_column_int64(statement, 2);
	struct rows_catalog_table *table;

	if (sqlite3_column_type(statement, 1) == SQLITE_NULL)
		return FAULT_NONE;
	if (resource == NULL || name == NULL || sha256 == NULL || strlen(sha256) != SHA256_HEX_SIZE - 1 ||
	    !notation_is_name(resource) || n_rows < 0 || catalog->n_tables == LIMIT_TARGETS_PER_ROLE)
		return damaged(why, "a table that is no resource's, or too many");
	catalog->tables = xrealloc(catalog->tables, catalog->n_tables + 1, sizeof(*catalog->tables));
	table = &catalog->tables[catalog->n_tables++];
	*table = (struct rows_catalog_table){.resource = xstrdup(resource), .name = xstrdup(name)};
	table->n_rows = (uint64_t)n_rows;
	memcpy(table->sha256, sha256, sizeof(table->sha256));
	table->key_is_unique = key != NULL && strcmp(key, "unique") == 0;
	return FAULT_NONE;
}

static enum fault load_tables(struct rowsfile *file, struct rows_catalog *catalog, struct refusal *why)
{
	_cleanup_(rowsfile_finalizep) sqlite3_stmt *statement = NULL;
	enum fault fault = rowsfile_prepare(file, FAULT_ROWS_DAMAGED, &statement, why,
					    "SELECT resource, \"table\", rows, \"key\", sha256 FROM clapet_tables");
	int r = SQLITE_DONE;

	while (fault == FAULT_NONE && (r = sqlite3_step(statement)) == SQLITE_ROW)
		fault = add_table(catalog, statement, why);
	if (fault == FAULT_NONE && r != SQLITE_DONE)
		return rowsfile_failed(file, FAULT_ROWS_DAMAGED, "its tables", why);
	for (size_t i = 0; fault == FAULT_NONE && i < catalog->n_tables; i++)
		fault = load_columns(file, &catalog->tables[i], why);
	return fault;
}

enum fault rows_catalog_load(struct rowsfile *file, const char *dataset, struct rows_catalog **ret_catalog,
			     struct refusal *why)
{
	_cleanup_(rows_catalog_freep) struct rows_catalog *catalog = xcalloc(1, sizeof(*catalog));
	enum fault fault;

	if ((fault = check_objects(file, why)) != FAULT_NONE ||
	    (fault = check_about(file, dataset, why)) != FAULT_NONE ||
	    (fault = load_tables(file, catalog, why)) != FAULT_NONE)
		return fault;
	*ret_catalog = steal_pointer(&catalog);
	return FAULT_NONE;
}

/* --- finding --------------------------------------------------------------------------------------------------------- */

const struct rows_catalog_table *rows_catalog_table(const struct rows_catalog *catalog, const char *resource)
{
	for (size_t i = 0; i < catalog->n_tables; i++)
		if (strcmp(catalog->tables[i].resource, resource) == 0)
			return &catalog->tables[i];
	return NULL;
}

const struct rows_catalog_column *rows_catalog_column(const struct rows_catalog_table *table, const char *label)
{
	for (size_t i = 0; i < table->n_columns; i++)
		if (strcmp(table->columns[i].label, label) == 0)
			return &table->columns[i];
	return NULL;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* How many letters have to be put in, taken out or exchanged (Levenshtein), without regard to case. */
static size_t distance(const char *a, const char *b)
{
	size_t row[LIKE_SIZE + 1], n = strnlen(b, LIKE_SIZE);

	for (size_t k = 0; k <= n; k++)
		row[k] = k;
	for (size_t i = 0; i < LIKE_SIZE && a[i] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t k = 0; k < n; k++) {
			size_t best = diagonal + (lower(a[i]) != lower(b[k]));

			diagonal = row[k + 1];
			best = diagonal + 1 < best ? diagonal + 1 : best;
			row[k + 1] = row[k] + 1 < best ? row[k] + 1 : best;
		}
	}
	return row[n];
}

const struct rows_catalog_column *rows_catalog_nearest(const struct rows_catalog_table *table, const char *label)
{
	const struct rows_catalog_column *nearest = NULL;
	size_t length = strlen(label), least = length / 3 + 1;

	if (length > LIKE_SIZE)
		return NULL;
	for (size_t i = 0; i < table->n_columns; i++) {
		size_t found = distance(label, table->columns[i].label);

		if (found > least || (nearest != NULL && found == least))
			continue;
		nearest = &table->columns[i];
		least = found;
	}
	return nearest;
}
