/* SPDX-License-Identifier: ISC
 *
 * rowsbuild: see rowsbuild.h. Rows first, in the order of the file, then indexes, sorted. Data in force may break its own schema, for a
 * person or the publisher let that pass: a cell that its column's kind cannot hold changes the kind, and then all is read again from the
 * start, once.
 */
#include "inside/rowsbuild.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "inside/rowsbuild_table.h"
#include "schemas/table.h"

#define PIECE_SIZE ((size_t)1 * MIB)

/* What a database of a few rows takes. */
#define LEAST_SIZE (16 * MIB)

/* What cannot be read here is opaque, as it is to inside-check. */
static bool is_table(const struct resource *resource)
{
	return !resource->opaque && resource->is_table &&
	       (strcasecmp(resource->encoding, "utf-8") == 0 || strcasecmp(resource->encoding, "utf8") == 0) &&
	       (resource->schema != NULL || !resource->verbatim || resource->dialect.header);
}

/* --- what the database says of itself -------------------------------------------------------------------------------- */

/* What the rows depend on: this form, SQLite, and of each table its name, schema and bytes. */
static void content_digest(const struct rowsbuild *build, const struct rows_table *tables, size_t n_tables,
			   char hex[SHA256_HEX_SIZE])
{
	_cleanup_(hash_freep) struct hash *hash = hash_new();
	struct sha256 digest;

	hash_update(hash, ROWSBUILD_FORMAT, sizeof(ROWSBUILD_FORMAT));
	hash_update(hash, sqlite3_libversion(), strlen(sqlite3_libversion()) + 1);
	hash_update(hash, build->dataset, strlen(build->dataset) + 1);
	for (size_t i = 0; i < n_tables; i++) {
		const struct resource *resource = tables[i].resource;
		_cleanup_free_ char *schema = resource->schema == NULL ? xstrdup("")
								       : json_dumps(resource->schema->json,
										    JSON_COMPACT | JSON_SORT_KEYS);

		if (schema == NULL)
			die("out of memory");
		hash_update(hash, resource->name, strlen(resource->name) + 1);
		hash_update(hash, schema, strlen(schema) + 1);
		hash_update(hash, tables[i].sha256.bytes, SHA256_SIZE);
	}
	hash_final(hash, &digest);
	sha256_to_hex(&digest, hex);
}

static enum fault write_about(struct rowsfile *file, const struct rowsbuild *build, const struct rows_table *tables,
			      size_t n_tables, struct refusal *why)
{
	char version[SHA256_HEX_SIZE], content[SHA256_HEX_SIZE];

	sha256_to_hex(&build->version, version);
	content_digest(build, tables, n_tables, content);
	return rowsfile_run(
		file, why,
		"CREATE TABLE clapet(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
		"INSERT INTO clapet VALUES ('format','" ROWSBUILD_FORMAT "'),('dataset',%Q),"
		"('version',%Q),('content',%Q),('sqlite',%Q);"
		"CREATE TABLE clapet_tables(resource TEXT PRIMARY KEY, \"table\" TEXT, rows INTEGER NOT NULL,"
		" sha256 TEXT NOT NULL, \"key\" TEXT, ragged INTEGER NOT NULL, note TEXT) STRICT;"
		"CREATE TABLE clapet_columns(resource TEXT NOT NULL, position INTEGER NOT NULL,"
		" label TEXT NOT NULL, \"column\" TEXT NOT NULL, type TEXT NOT NULL, kind TEXT NOT NULL,"
		" \"key\" INTEGER NOT NULL, indexed INTEGER NOT NULL, PRIMARY KEY(resource, position))"
		" STRICT, WITHOUT ROWID",
		build->dataset, version, content, sqlite3_libversion());
}

/* --- one table ------------------------------------------------------------------------------------------------------- */

static enum fault take_row(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
			   struct refusal *why)
{
	struct rows_table *table = ctx;

	(void)position;
	if (table->has_header)
		return rows_table_add(table, cells, n_cells, why);
	table->has_header = true;
	return rows_table_header(table, cells, n_cells, why);
}

/* A table without a header gets the one that its schema names. */
static enum fault make_header(struct rows_table *table, struct refusal *why)
{
	const struct schema *schema = table->resource->schema;
	_cleanup_free_ struct cell *cells = xcalloc(schema->n_fields + 1, sizeof(*cells));

	for (size_t i = 0; i < schema->n_fields; i++) {
		cells[i].text = field_name(schema->fields[i]);
		cells[i].size = strlen(cells[i].text);
	}
	table->has_header = true;
	return rows_table_header(table, cells, schema->n_fields, why);
}

static enum fault read_rows(struct rows_table *table, struct refusal *why)
{
	const struct dialect *dialect = table->resource->verbatim ? &table->resource->dialect : &dialect_plain;
	_cleanup_(table_reader_freep) struct table_reader *reader = table_reader_new(dialect, take_row, table);
	_cleanup_free_ char *piece = xmalloc(PIECE_SIZE);
	enum fault fault = FAULT_NONE;
	uint64_t offset = 0;
	ssize_t n;

	table->has_header = false;
	if (!dialect->header)
		fault = make_header(table, why);
	while (fault == FAULT_NONE && (n = fd_read_at(table->fd, piece, PIECE_SIZE, offset)) != 0) {
		if (n < 0)
			return refuse(why, FAULT_STORAGE, "%s: %s", table->resource->name, strerror((int)-n));
		fault = table_reader_feed(reader, piece, (size_t)n, why);
		offset += (uint64_t)n;
	}
	if (fault == FAULT_NONE)
		fault = table_reader_finish(reader, why);
	return fault == FAULT_NONE ? FAULT_NONE : refuse_within(why, "%s", table->resource->name);
}

/* --- all ------------------------------------------------------------------------------------------------------------- */

static uint64_t size_bound(const struct rows_table *tables, size_t n_tables)
{
	uint64_t size = LEAST_SIZE;

	for (size_t i = 0; i < n_tables; i++)
		size += tables[i].size * LIMIT_ROWS_GROWTH;
	return size;
}

/* Reads all tables into the file. Where *RET_CHANGED is true a column changed its kind on the way, and the file is of no use. */
static enum fault fill(struct rowsfile *file, const struct rowsbuild *build, struct rows_table *tables, size_t n_tables,
		       bool *ret_changed, struct refusal *why)
{
	enum fault fault = rowsfile_run(file, why, "BEGIN");

	if (fault == FAULT_NONE)
		fault = write_about(file, build, tables, n_tables, why);
	*ret_changed = false;
	for (size_t i = 0; i < n_tables && fault == FAULT_NONE; i++) {
		rows_table_begin(&tables[i], file, *ret_changed);
		fault = read_rows(&tables[i], why);
		if (fault == FAULT_NONE && !tables[i].kind_changed && !*ret_changed)
			fault = rows_table_end(&tables[i], why);
		*ret_changed = *ret_changed || tables[i].kind_changed;
		rows_table_rest(&tables[i]);
	}
	if (fault != FAULT_NONE || *ret_changed)
		return fault;
	/* A guess at how many rows a value has, from a thousand of each index: which of two indexes is of more use. */
	if ((fault = rowsfile_run(file, why, "COMMIT; PRAGMA analysis_limit=1000; ANALYZE")) != FAULT_NONE)
		return fault;
	return FAULT_NONE;
}

static enum fault fill_twice(const struct rowsbuild *build, struct rows_table *tables, size_t n_tables,
			     struct refusal *why)
{
	bool changed = true;
	enum fault fault = FAULT_NONE;

	for (unsigned pass = 0; pass < 2 && changed && fault == FAULT_NONE; pass++) {
		_cleanup_(rowsfile_freep) struct rowsfile *file = NULL;

		fault = rowsfile_create(build->fd, build->spill_fds, size_bound(tables, n_tables), &file, why);
		if (fault == FAULT_NONE)
			fault = fill(file, build, tables, n_tables, &changed, why);
	}
	if (fault == FAULT_NONE && changed)
		die("a column changed its kind twice");
	return fault;
}

/* --- a version of the same tables ------------------------------------------------------------------------------------- */

static bool is_of_same_tables(const struct rowsbuild *build, const struct rows_table *tables, size_t n_tables)
{
	_cleanup_(rowsfile_freep) struct rowsfile *file = NULL;
	_cleanup_(rowsfile_finalizep) sqlite3_stmt *statement = NULL;
	char content[SHA256_HEX_SIZE];
	const char *found;

	if (build->old_fd < 0 || rowsfile_open(build->old_fd, &file, NULL) != FAULT_NONE ||
	    rowsfile_prepare(file, FAULT_ROWS_DAMAGED, &statement, NULL,
			     "SELECT value FROM clapet WHERE name = 'content'") != FAULT_NONE ||
	    sqlite3_step(statement) != SQLITE_ROW)
		return false;
	found = (const char *)sqlite3_column_text(statement, 0);
	content_digest(build, tables, n_tables, content);
	return found != NULL && strcmp(found, content) == 0;
}

/* The old file's bytes, and another version in them. */
static enum fault copy_old(const struct rowsbuild *build, struct refusal *why)
{
	_cleanup_(rowsfile_freep) struct rowsfile *file = NULL;
	char version[SHA256_HEX_SIZE];
	uint64_t size;
	enum fault fault;
	int r = lseek(build->old_fd, 0, SEEK_SET) < 0 || lseek(build->fd, 0, SEEK_SET) < 0
			? -errno
			: fd_copy(build->old_fd, build->fd, LIMIT_PLAIN_SIZE, &size);

	if (r < 0)
		return refuse(why, FAULT_STORAGE, "a copy of the SQLite file of another version: %s", strerror(-r));
	if ((fault = rowsfile_change(build->fd, build->spill_fds, &file, why)) != FAULT_NONE)
		return fault;
	sha256_to_hex(&build->version, version);
	return rowsfile_run(file, why, "UPDATE clapet SET value = %Q WHERE name = 'version'", version);
}

enum fault rowsbuild_run(const struct rowsbuild *build, struct refusal *why)
{
	_cleanup_free_ struct rows_table *tables = xcalloc(build->package->n_resources + 1, sizeof(*tables));
	size_t n_tables = 0;
	enum fault fault;

	for (size_t i = 0; i < build->package->n_resources; i++) {
		const struct resource *resource = &build->package->resources[i];

		for (size_t k = 0; k < build->n_files && is_table(resource); k++) {
			if (strcmp(build->files[k].resource, resource->name) != 0)
				continue;
			tables[n_tables++] = (struct rows_table){.resource = resource,
								 .fd = build->files[k].fd,
								 .sha256 = build->files[k].sha256,
								 .size = build->files[k].size};
			break;
		}
	}
	fault = is_of_same_tables(build, tables, n_tables) ? copy_old(build, why)
							   : fill_twice(build, tables, n_tables, why);
	for (size_t i = 0; i < n_tables; i++)
		rows_table_clear(&tables[i]);
	return fault;
}
