/* SPDX-License-Identifier: ISC
 *
 * rowswrite: rows of a result in the forms that readers ask for (bundle/FORMAT.md 33.6).
 */
#ifndef INSIDE_ROWSWRITE_H
#define INSIDE_ROWSWRITE_H

#include "inside/rowsquery.h"

enum rows_format {
	ROWS_CSV,    /* the plain form: header, comma, LF */
	ROWS_JSON,   /* an array of objects, one a line */
	ROWS_NDJSON, /* an object a line */
	ROWS_TABLEUR, /* for French spreadsheets: byte order mark, ";", decimal comma, CRLF; nothing that one would change or run */
	ROWS_FORMAT_N
};
/* "text/csv; charset=utf-8; header=present", … */
const char *rows_format_type(enum rows_format format);

/* Bytes that grow. */
struct rows_text {
	char *data; /* owned */
	size_t size, allocated;
};
void rows_text_add(struct rows_text *text, const void *data, size_t size);

void rows_write_begin(enum rows_format format, const struct rows_query *query, struct rows_text *text);
/* The row that STATEMENT stands on: the query's columns in their order. N is how many were written before. */
void rows_write_row(enum rows_format format, const struct rows_query *query, sqlite3_stmt *statement, uint64_t n,
		    struct rows_text *text);
void rows_write_end(enum rows_format format, uint64_t n, struct rows_text *text);

/* A JSON string; what is no UTF-8 in it is U+FFFD. */
void rows_write_json_string(struct rows_text *text, const char *value, size_t size);

/* A value as it came out of SQLite: its text, which is good until the statement's next step, and what it is. */
struct rows_shown {
	const char *text;
	size_t size;
	enum { SHOWN_NULL, SHOWN_TEXT, SHOWN_NUMBER, SHOWN_TRUE, SHOWN_FALSE } what;
	char room[ROWS_REAL_SIZE];
};
void rows_show(const struct rows_catalog_column *column, sqlite3_stmt *statement, int index, struct rows_shown *shown);
void rows_write_json_value(const struct rows_shown *shown, struct rows_text *text);
void rows_write_csv_value(const struct rows_shown *shown, struct rows_text *text);
void rows_write_csv_text(struct rows_text *text, const char *value, size_t size);

#endif
