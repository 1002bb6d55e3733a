/* SPDX-License-Identifier: ISC
 *
 * rowsbuild_table: one table of a database that is being made: its columns by the header and the schema, its rows, its indexes. Between
 * the files of rowsbuild alone.
 */
#ifndef INSIDE_ROWSBUILD_TABLE_H
#define INSIDE_ROWSBUILD_TABLE_H

#include "inside/rowscell.h"
#include "inside/rowsfile.h"
#include "schemas/package.h"
#include "schemas/table.h"

#include "bundle/hash.h"

#define ROWSBUILD_FORMAT "clapet rows 1"
/* The row's number in its file, from 1: rows come in this order where nobody asks for another. */
#define ROWSBUILD_ROW "clapet_row"

struct rows_column {
	char *label;               /* owned: as in the header */
	char *name;                /* owned: in the database */
	const struct field *field; /* NULL: none describes it */
	enum rows_kind kind;
	unsigned key; /* its place in the primary key, from 1; 0: it is not in it */
	bool is_indexed;
};

struct rows_table {
	const struct resource *resource;
	int fd;
	struct sha256 sha256;
	uint64_t size;
	char *name; /* owned: in the database; NULL: it is left out */
	struct rows_column *columns;
	size_t n_columns;
	bool has_header;
	/* Of one pass: */
	struct rowsfile *file;
	sqlite3_stmt *insert;
	bool only_looks; /* nothing is put in any more: only what kinds the columns are of */
	bool kind_changed;
	bool key_is_unique, key_has_null;
	uint64_t n_rows, n_ragged;
	struct rows_scratch scratch;
};

/* A pass over the table begins; ONLY_LOOKS where the file is of no use any more. */
void rows_table_begin(struct rows_table *table, struct rowsfile *file, bool only_looks);
/* The columns, which the second pass finds made. FAULT_ROWS_BUILD. */
enum fault rows_table_header(struct rows_table *table, const struct cell *cells, size_t n_cells, struct refusal *why);
enum fault rows_table_add(struct rows_table *table, const struct cell *cells, size_t n_cells, struct refusal *why);
/* After the last row: indexes, and what the database says of the table. */
enum fault rows_table_end(struct rows_table *table, struct refusal *why);
/* The pass is over. */
void rows_table_rest(struct rows_table *table);
void rows_table_clear(struct rows_table *table);

#endif
