/* SPDX-License-Identifier: ISC
 *
 * rowscell: what a cell of the plain form becomes in SQLite (bundle/FORMAT.md 33.3), and how a value from there is written. A number is
 * stored as such only where its digits come out again; what cannot be stored as its column's kind makes the column another kind.
 */
#ifndef INSIDE_ROWSCELL_H
#define INSIDE_ROWSCELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schemas/field.h"

enum rows_kind {
	ROWS_TEXT,
	ROWS_INTEGER, /* 64 bits */
	ROWS_REAL,    /* at most ROWS_REAL_DIGITS significant digits, so that the decimal number comes out again */
	ROWS_DECIMAL, /* numbers, of which some fit neither: as text in one form */
	ROWS_BOOLEAN, /* 0, 1 */
	ROWS_DATE,    /* ISO 8601 as text, like the next two */
	ROWS_TIME,
	ROWS_DATETIME,
	ROWS_MIXED, /* some cells are not what the schema says: these as text as they are, the others as above */
	ROWS_KIND_N
};
#define ROWS_REAL_DIGITS 15

/* "text", "integer", … as the database says it; ROWS_KIND_N where NAME is none. */
const char *rows_kind_name(enum rows_kind kind);
enum rows_kind rows_kind_by_name(const char *name);
/* The type of the column in a STRICT table. */
const char *rows_kind_sql(enum rows_kind kind);
/* What FIELD's cells are; NULL: no field describes the column. */
enum rows_kind rows_kind_of(const struct field *field);

enum rows_value_type { ROWS_NULL, ROWS_VALUE_INTEGER, ROWS_VALUE_REAL, ROWS_VALUE_TEXT };
struct rows_value {
	enum rows_value_type type;
	int64_t integer;
	double real;
	const char *text; /* borrowed: of the cell, or of the scratch */
	size_t size;
};

struct rows_scratch {
	struct value_scratch digits;
	char text[VALUE_DIGITS + 1024 + 8];
};

enum rows_fit { ROWS_FITS, ROWS_INEXACT, ROWS_MISFIT };

/* The value of a cell in a column of KIND, or why it has none. FIELD may be NULL. */
enum rows_fit rows_cell_read(const struct field *field, enum rows_kind kind, const char *text, size_t size,
			     struct rows_scratch *scratch, struct rows_value *ret_value);
/* The kind of a column of FIELD after a cell did not fit it. */
enum rows_kind rows_kind_after(enum rows_kind kind, enum rows_fit fit);

/* --- between rowscell.c and rowscell_read.c --- */
static inline struct rows_value rows_text_value(const char *text, size_t size)
{
	return (struct rows_value){.type = ROWS_VALUE_TEXT, .text = text, .size = size};
}

static inline struct rows_value rows_integer_value(int64_t integer)
{
	return (struct rows_value){.type = ROWS_VALUE_INTEGER, .integer = integer};
}
enum rows_fit rows_number_value(enum rows_kind kind, const struct value *value, struct rows_scratch *scratch,
				struct rows_value *ret_value);

/* What somebody writes for a value of KIND in a question: numbers with a point, ISO 8601. False: it can be none. */
bool rows_value_parse(enum rows_kind kind, const char *text, size_t size, struct rows_scratch *scratch,
		      struct rows_value *ret_value);

/* A REAL with the digits that it was made of; returns their number. */
#define ROWS_REAL_SIZE 64
size_t rows_real_text(double real, char text[ROWS_REAL_SIZE]);

#endif
