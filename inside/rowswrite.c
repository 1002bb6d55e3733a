/* SPDX-License-Identifier: ISC
 *
 * rowswrite: see rowswrite.h. The file was made from hostile data: what comes out of it may be any bytes.
 */
#include "inside/rowswrite.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "schemas/table.h"

/* What begins a file that a French spreadsheet takes for UTF-8. */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"
/* The longest text that could be taken for a number, a date or a time. */
#define NUMBER_LIKE_SIZE 64

const char *rows_format_type(enum rows_format format)
{
	static const char *const types[ROWS_FORMAT_N] = {
		[ROWS_CSV] = "text/csv; charset=utf-8; header=present",
		[ROWS_JSON] = "application/json",
		[ROWS_NDJSON] = "application/x-ndjson",
		[ROWS_TABLEUR] = "text/csv; charset=utf-8; header=present",
	};

	return types[format];
}

void rows_text_add(struct rows_text *text, const void *data, size_t size)
{
	if (size > text->allocated - text->size) {
		text->allocated = 2 * text->allocated + size + 256;
		text->data = xrealloc(text->data, text->allocated, 1);
	}
	if (size > 0)
		memcpy(text->data + text->size, data, size);
	text->size += size;
}

static void add(struct rows_text *text, const char *words)
{
	rows_text_add(text, words, strlen(words));
}

/* --- CSV ------------------------------------------------------------------------------------------------------------- */

static void add_quoted(struct rows_text *text, const char *value, size_t size)
{
	rows_text_add(text, "\"", 1);
	for (size_t i = 0; i < size; i++) {
		if (value[i] == '"')
			rows_text_add(text, "\"", 1);
		rows_text_add(text, value + i, 1);
	}
	rows_text_add(text, "\"", 1);
}

void rows_write_csv_text(struct rows_text *text, const char *value, size_t size)
{
	const struct cell cell = {value, size};

	if (cell_needs_quotes(&cell))
		add_quoted(text, value, size);
	else
		rows_text_add(text, value, size);
}

/* Whether a spreadsheet would take the text for a number, a date or a time, and show something else: 01, 2A is not, 1E5, 3-4, 12:30. */
static bool is_number_like(const char *value, size_t size)
{
	bool has_digit = false;

	if (size == 0 || size > NUMBER_LIKE_SIZE)
		return false;
	for (size_t i = 0; i < size; i++) {
		has_digit = has_digit || (value[i] >= '0' && value[i] <= '9');
		if ((value[i] < '0' || value[i] > '9') && memchr("+-.,/: eE%", value[i], 10) == NULL)
			return false;
	}
	return has_digit;
}

/* Of a text: ="01" stays what it is; what would be a formula begins with an apostrophe. */
static void add_tableur(struct rows_text *text, const char *value, size_t size)
{
	bool is_formula = size > 0 && memchr("=+-@\t\r", value[0], 6) != NULL;

	if (is_number_like(value, size)) {
		add(text, "\"=\"\"");
		rows_text_add(text, value, size);
		add(text, "\"\"\"");
		return;
	}
	if (!is_formula && memchr(value, ';', size) == NULL && memchr(value, '"', size) == NULL &&
	    memchr(value, '\n', size) == NULL && memchr(value, '\r', size) == NULL) {
		rows_text_add(text, value, size);
		return;
	}
	rows_text_add(text, "\"", 1);
	if (is_formula)
		rows_text_add(text, "'", 1);
	for (size_t i = 0; i < size; i++) {
		if (value[i] == '"')
			rows_text_add(text, "\"", 1);
		rows_text_add(text, value + i, 1);
	}
	rows_text_add(text, "\"", 1);
}

/* --- JSON ------------------------------------------------------------------------------------------------------------ */

void rows_write_json_string(struct rows_text *text, const char *value, size_t size)
{
	bool is_utf8 = text_is_utf8(value, size, NULL);
	size_t begin = 0;

	rows_text_add(text, "\"", 1);
	for (size_t i = 0; i <= size; i++) {
		unsigned char c = i < size ? (unsigned char)value[i] : '"';
		char escaped[8];

		if (c >= 0x20 && c != '"' && c != '\\' && (is_utf8 || c < 0x80))
			continue;
		rows_text_add(text, value + begin, i - begin);
		begin = i + 1;
		if (i == size)
			break;
		if (c >= 0x80)
			snprintf(escaped, sizeof(escaped), "\\ufffd");
		else if (c == '"' || c == '\\')
			snprintf(escaped, sizeof(escaped), "\\%c", c);
		else
			snprintf(escaped, sizeof(escaped), "\\u%04x", c);
		add(text, escaped);
	}
	rows_text_add(text, "\"", 1);
}

/* Whether digits can stand in JSON as they are. */
static bool is_json_number(const char *value, size_t size)
{
	size_t at = size > 0 && value[0] == '-', digits = 0;

	while (at + digits < size && value[at + digits] >= '0' && value[at + digits] <= '9')
		digits++;
	if (digits == 0 || (digits > 1 && value[at] == '0'))
		return false;
	at += digits;
	if (at == size)
		return true;
	if (value[at++] != '.' || at == size)
		return false;
	while (at < size && value[at] >= '0' && value[at] <= '9')
		at++;
	return at == size;
}

/* --- values ---------------------------------------------------------------------------------------------------------- */

void rows_show(const struct rows_catalog_column *column, sqlite3_stmt *statement, int index, struct rows_shown *shown)
{
	bool is_truth = column->kind == ROWS_BOOLEAN || column->base == ROWS_BOOLEAN;

	switch (sqlite3_column_type(statement, index)) {
	case SQLITE_INTEGER:
		shown->size = (size_t)snprintf(shown->room, sizeof(shown->room), "%" PRId64,
					       (int64_t)sqlite3_column_int64(statement, index));
		shown->text = shown->room;
		shown->what = !is_truth                                ? SHOWN_NUMBER
			      : sqlite3_column_int64(statement, index) ? SHOWN_TRUE
								       : SHOWN_FALSE;
		return;
	case SQLITE_FLOAT:
		shown->size = rows_real_text(sqlite3_column_double(statement, index), shown->room);
		shown->text = shown->room;
		shown->what = SHOWN_NUMBER;
		return;
	case SQLITE_TEXT:
		shown->text = (const char *)sqlite3_column_text(statement, index);
		shown->size = (size_t)sqlite3_column_bytes(statement, index);
		shown->what = column->kind == ROWS_DECIMAL ? SHOWN_NUMBER : SHOWN_TEXT;
		if (shown->text != NULL)
			return;
		break;
	default:
		break;
	}
	shown->text = "";
	shown->size = 0;
	shown->what = SHOWN_NULL;
}

void rows_write_json_value(const struct rows_shown *shown, struct rows_text *text)
{
	static const char *const words[] = {[SHOWN_NULL] = "null", [SHOWN_TRUE] = "true", [SHOWN_FALSE] = "false"};

	if (shown->what == SHOWN_NUMBER && (shown->text == shown->room ? strpbrk(shown->text, "in") == NULL
								       : is_json_number(shown->text, shown->size)))
		rows_text_add(text, shown->text, shown->size);
	else if (shown->what == SHOWN_TEXT || shown->what == SHOWN_NUMBER)
		rows_write_json_string(text, shown->text, shown->size);
	else
		add(text, words[shown->what]);
}

void rows_write_csv_value(const struct rows_shown *shown, struct rows_text *text)
{
	if (shown->what == SHOWN_TRUE || shown->what == SHOWN_FALSE)
		add(text, shown->what == SHOWN_TRUE ? "true" : "false");
	else
		rows_write_csv_text(text, shown->text, shown->size);
}

static void write_tableur_value(const struct rows_catalog_column *column, const struct rows_shown *shown,
				struct rows_text *text)
{
	size_t begin = text->size;

	switch (shown->what) {
	case SHOWN_TRUE:
	case SHOWN_FALSE:
		add(text, shown->what == SHOWN_TRUE ? "VRAI" : "FAUX");
		break;
	case SHOWN_NUMBER:
		/* Of a number that is kept as text only digits are believed. */
		if (shown->text != shown->room && !is_json_number(shown->text, shown->size)) {
			add_tableur(text, shown->text, shown->size);
			break;
		}
		rows_text_add(text, shown->text, shown->size);
		for (size_t i = begin; i < text->size; i++)
			if (text->data[i] == '.')
				text->data[i] = ',';
		break;
	case SHOWN_TEXT:
		/* Moments in ISO 8601 a spreadsheet reads, with a blank for the T. */
		if ((column->kind == ROWS_DATE || column->kind == ROWS_TIME || column->kind == ROWS_DATETIME) &&
		    shown->size > 0 && shown->text[0] >= '0' && shown->text[0] <= '9' && shown->size < 40 &&
		    strspn(shown->text, "0123456789-:.TZ") == shown->size) {
			rows_text_add(text, shown->text, shown->size);
			for (size_t i = begin; i < text->size; i++)
				if (text->data[i] == 'T')
					text->data[i] = ' ';
			break;
		}
		add_tableur(text, shown->text, shown->size);
		break;
	case SHOWN_NULL:
		break;
	}
}

/* --- rows ------------------------------------------------------------------------------------------------------------ */

void rows_write_begin(enum rows_format format, const struct rows_query *query, struct rows_text *text)
{
	if (format == ROWS_JSON)
		add(text, "[");
	if (format == ROWS_JSON || format == ROWS_NDJSON)
		return;
	if (format == ROWS_TABLEUR)
		add(text, BYTE_ORDER_MARK);
	for (size_t i = 0; i < query->n_columns; i++) {
		const char *label = query->columns[i]->label;

		if (i > 0)
			add(text, format == ROWS_TABLEUR ? ";" : ",");
		if (format == ROWS_TABLEUR)
			add_tableur(text, label, strlen(label));
		else
			rows_write_csv_text(text, label, strlen(label));
	}
	add(text, format == ROWS_TABLEUR ? "\r\n" : "\n");
}

static void write_object(const struct rows_query *query, sqlite3_stmt *statement, struct rows_text *text)
{
	for (size_t i = 0; i < query->n_columns; i++) {
		const char *label = query->columns[i]->label;
		struct rows_shown shown;

		add(text, i == 0 ? "{" : ", ");
		rows_write_json_string(text, label, strlen(label));
		add(text, ": ");
		rows_show(query->columns[i], statement, (int)i, &shown);
		rows_write_json_value(&shown, text);
	}
	add(text, query->n_columns == 0 ? "{}" : "}");
}

void rows_write_row(enum rows_format format, const struct rows_query *query, sqlite3_stmt *statement, uint64_t n,
		    struct rows_text *text)
{
	size_t begin;

	if (format == ROWS_JSON || format == ROWS_NDJSON) {
		add(text, format == ROWS_NDJSON ? "" : n == 0 ? "\n" : ",\n");
		write_object(query, statement, text);
		add(text, format == ROWS_NDJSON ? "\n" : "");
		return;
	}
	begin = text->size;
	for (size_t i = 0; i < query->n_columns; i++) {
		struct rows_shown shown;

		if (i > 0)
			add(text, format == ROWS_TABLEUR ? ";" : ",");
		rows_show(query->columns[i], statement, (int)i, &shown);
		if (format == ROWS_TABLEUR)
			write_tableur_value(query->columns[i], &shown, text);
		else
			rows_write_csv_value(&shown, text);
	}
	/* A line of one empty cell would be none. */
	if (text->size == begin && query->n_columns == 1)
		add(text, "\"\"");
	add(text, format == ROWS_TABLEUR ? "\r\n" : "\n");
}

void rows_write_end(enum rows_format format, uint64_t n, struct rows_text *text)
{
	if (format == ROWS_JSON)
		add(text, n == 0 ? "]\n" : "\n]\n");
}
