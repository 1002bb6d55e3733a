/* SPDX-License-Identifier: ISC
 *
 * rowscatalog: what an SQLite file (bundle/FORMAT.md 33) says of its tables, read once when it is opened. The file was made from hostile data, so
 * what it says of itself is bounded, and held against what SQLite finds: nothing but tables and indexes, and each column there.
 */
#ifndef INSIDE_ROWSCATALOG_H
#define INSIDE_ROWSCATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/hash.h"
#include "inside/rowscell.h"
#include "inside/rowsfile.h"

struct rows_catalog_column {
	char *label;         /* as in the header: what a question names */
	char *name;          /* in the database */
	enum rows_kind kind; /* how its values are kept */
	enum rows_kind base; /* of ROWS_MIXED and ROWS_DECIMAL: what its values should be; else the same as KIND */
	unsigned key;        /* its place in the primary key, from 1; 0: none */
	bool is_indexed;     /* an index begins with it */
};

struct rows_catalog_table {
	char *resource;
	char *name;
	uint64_t n_rows;
	bool key_is_unique;
	char sha256[SHA256_HEX_SIZE]; /* of the plain file that it was made of */
	struct rows_catalog_column *columns;
	size_t n_columns;
	size_t n_key; /* columns of the primary key */
};

struct rows_catalog {
	struct rows_catalog_table *tables;
	size_t n_tables;
};

/* FAULT_ROWS_DAMAGED where it is not of our form, or not DATASET's. */
enum fault rows_catalog_load(struct rowsfile *file, const char *dataset, struct rows_catalog **ret_catalog,
			     struct refusal *why);
void rows_catalog_free(struct rows_catalog *catalog);
void rows_catalog_freep(struct rows_catalog **catalog);

const struct rows_catalog_table *rows_catalog_table(const struct rows_catalog *catalog, const char *resource);
/* The column with that label, the first of several; NULL. */
const struct rows_catalog_column *rows_catalog_column(const struct rows_catalog_table *table, const char *label);
/* The column of TABLE whose label is most like LABEL, if any is like it: for "did you mean". */
const struct rows_catalog_column *rows_catalog_nearest(const struct rows_catalog_table *table, const char *label);

#endif
