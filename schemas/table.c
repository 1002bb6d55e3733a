/* SPDX-License-Identifier: ISC
 *
 * table: libcsv held to what we need: exact positions, bounds on cells and rows, blank lines seen, UTF-8 insisted on.
 * The input is handed to it line by line, for it says neither where a row began nor how far it got. A line that is a whole row
 * of the common kind is split without it (rowsplit), with the same outcome.
 */
#include "schemas/table.h"

#include <csv.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/limits.h"
#include "schemas/rowfilter.h"
#include "schemas/rowsplit.h"

/* The step in which libcsv's cell buffer grows. */
#define CELL_STEP (64 * KIB)

static const char BOM[3] = {'\xef', '\xbb', '\xbf'};

struct table_reader {
	struct csv_parser csv;
	struct dialect dialect;
	bool is_plain;
	bool may_split;
	table_row *row;
	void *ctx;
	struct row_filter *filter; /* owned; NULL: every row goes to ROW */

	char *text; /* LIMIT_ROW_SIZE and a NUL a cell: untouched pages cost nothing */
	size_t text_size;
	struct cell *cells; /* LIMIT_FIELDS */
	size_t n_cells;

	struct row_position position; /* of the row that is being read */
	uint64_t offset;              /* of the next byte that libcsv gets */
	bool row_ended;               /* with the line that was taken last: the next one begins a row */
	bool after_cr;                /* the last row ended with CR: an LF now belongs to it */

	char head[sizeof(BOM)]; /* the first bytes, until it is known whether they are a byte order mark */
	size_t head_size;
	bool started;

	char *squeezed; /* skipInitialSpace: a piece without its blanks */
	bool in_quotes, at_cell_start;
	bool in_comment; /* the line that was taken last is one, and has no end yet */

	struct refusal why; /* of a callback, which cannot stop libcsv */
};

static int never_space(unsigned char c)
{
	(void)c;
	return 0;
}

/* libcsv asks for its cell buffer here: no more means FAULT_TABLE_CELL_SIZE. */
static void *bounded_realloc(void *old, size_t size)
{
	if (size > LIMIT_CELL_SIZE)
		return NULL;
	return xrealloc(old, size, 1);
}

static bool can_split(const struct dialect *dialect)
{
	return !dialect->skip_initial_space && dialect->delimiter != dialect->quote &&
	       strchr("\r\n", dialect->delimiter) == NULL && strchr("\r\n", dialect->quote) == NULL &&
	       (unsigned char)dialect->delimiter < 0x80 && (unsigned char)dialect->quote < 0x80;
}

struct table_reader *table_reader_new(const struct dialect *dialect, table_row *row, void *ctx)
{
	struct table_reader *reader = xcalloc(1, sizeof(*reader));

	reader->dialect = *dialect;
	reader->is_plain = dialect == &dialect_plain;
	reader->may_split = can_split(dialect);
	reader->row = row;
	reader->ctx = ctx;
	if (!dialect_is_usual(dialect))
		reader->filter = row_filter_new(dialect, row, ctx);
	reader->text = xmalloc(LIMIT_ROW_SIZE + LIMIT_FIELDS + 1);
	reader->cells = xcalloc(LIMIT_FIELDS, sizeof(reader->cells[0]));
	reader->position.row = 1;
	reader->at_cell_start = reader->row_ended = true;
	if (csv_init(&reader->csv, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL) != 0)
		die("csv_init failed");
	csv_set_delim(&reader->csv, (unsigned char)dialect->delimiter);
	csv_set_quote(&reader->csv, (unsigned char)dialect->quote);
	csv_set_space_func(&reader->csv, never_space);
	csv_set_realloc_func(&reader->csv, bounded_realloc);
	csv_set_blk_size(&reader->csv, CELL_STEP);
	return reader;
}

void table_reader_free(struct table_reader *reader)
{
	if (reader == NULL)
		return;
	csv_free(&reader->csv);
	row_filter_free(reader->filter);
	free(reader->text);
	free(reader->cells);
	free(reader->squeezed);
	free(reader);
}

void table_reader_freep(struct table_reader **reader)
{
	table_reader_free(*reader);
}

void table_reader_resume(struct table_reader *reader, const struct row_position *position)
{
	reader->started = true;
	reader->position = *position;
	reader->offset = position->offset;
	if (reader->filter != NULL)
		row_filter_resume(reader->filter);
}

bool table_reader_is_between_rows(const struct table_reader *reader)
{
	return reader->started && reader->row_ended && !reader->after_cr;
}

void table_reader_forgo_split(struct table_reader *reader)
{
	reader->may_split = false;
}

static enum fault at_row(struct table_reader *reader, enum fault fault, const char *what, struct refusal *why)
{
	return refuse(why, fault, "row %" PRIu64 " (byte %" PRIu64 "): %s", reader->position.row,
		      reader->position.offset, what);
}

static void take_cell(void *text, size_t size, void *ctx)
{
	struct table_reader *reader = ctx;
	struct cell *cell;

	if (reader->why.fault != FAULT_NONE)
		return;
	if (reader->n_cells == LIMIT_FIELDS) {
		at_row(reader, FAULT_TABLE_CELL_SIZE, "more cells than any table has columns", &reader->why);
		return;
	}
	if (reader->text_size + size > LIMIT_ROW_SIZE + reader->n_cells) {
		at_row(reader, FAULT_TABLE_CELL_SIZE, "more than 4 MiB in one row", &reader->why);
		return;
	}
	cell = &reader->cells[reader->n_cells++];
	cell->text = reader->text + reader->text_size;
	cell->size = size;
	if (size > 0)
		memcpy(reader->text + reader->text_size, text, size);
	reader->text_size += size;
	/* Keeps apart what is not one character though the bytes of two cells would be one. */
	reader->text[reader->text_size++] = '\0';
}

static enum fault check_charset(struct table_reader *reader, struct refusal *why)
{
	size_t bad, field = 1;

	if (text_is_utf8(reader->text, reader->text_size, &bad))
		return FAULT_NONE;
	for (; field < reader->n_cells && reader->text + bad >= reader->cells[field].text; field++)
		;
	return refuse(why, FAULT_TABLE_CHARSET,
		      "row %" PRIu64 " (byte %" PRIu64 "), field %zu: is not UTF-8 (byte 0x%02x)", reader->position.row,
		      reader->position.offset, field, (unsigned char)reader->text[bad]);
}

/* The row that is in the cells. */
static enum fault hand_on(struct table_reader *reader, struct refusal *why)
{
	enum fault fault;

	if (reader->position.row >= LIMIT_ROWS)
		return at_row(reader, FAULT_TABLE_ROWS, "more rows than a table may have", why);
	if (reader->filter != NULL)
		fault = row_filter_take(reader->filter, reader->cells, reader->n_cells, &reader->position, why);
	else
		fault = reader->row(reader->ctx, reader->cells, reader->n_cells, &reader->position, why);
	reader->n_cells = 0;
	reader->position.row++;
	return fault;
}

/* TERMINATOR is the byte that ended the row, -1 at the end of the input. */
static void take_row(int terminator, void *ctx)
{
	struct table_reader *reader = ctx;

	reader->row_ended = true;
	if (reader->n_cells == 0 && terminator == '\n' && reader->after_cr) {
		reader->after_cr = false;
		return;
	}
	reader->after_cr = terminator == '\r';
	if (reader->why.fault != FAULT_NONE || check_charset(reader, &reader->why) != FAULT_NONE)
		return;
	reader->text_size = 0;
	hand_on(reader, &reader->why);
}

/* The length of the next line with its end, or all there is. */
static size_t line_length(const char *text, size_t size, bool has_cr)
{
	const char *lf = memchr(text, '\n', size);
	size_t length = lf != NULL ? (size_t)(lf - text) + 1 : size;
	const char *cr = has_cr ? memchr(text, '\r', length) : NULL;

	if (cr != NULL && cr + 1 != lf)
		length = (size_t)(cr - text) + 1;
	return length;
}

/* Blanks that follow a delimiter outside quotes are dropped before libcsv sees them: its own trimming also cuts the
 * end. */
static size_t squeeze(struct table_reader *reader, const char *text, size_t size)
{
	size_t n = 0;

	reader->squeezed = xrealloc(reader->squeezed, size, 1);
	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if (c == ' ' && reader->at_cell_start)
			continue;
		if (c == reader->dialect.quote)
			reader->in_quotes = !reader->in_quotes;
		reader->at_cell_start = !reader->in_quotes &&
					(c == reader->dialect.delimiter || c == '\n' || c == '\r');
		reader->squeezed[n++] = c;
	}
	return n;
}

static enum fault csv_fault(struct table_reader *reader, struct refusal *why)
{
	switch (csv_error(&reader->csv)) {
	case CSV_EPARSE:
		return at_row(reader, FAULT_TABLE_QUOTE,
			      "a quote within an unquoted cell, or text after a closing quote", why);
	case CSV_ENOMEM:
	case CSV_ETOOBIG:
		return at_row(reader, FAULT_TABLE_CELL_SIZE, "a cell of more than 1 MiB; is a quote left open?", why);
	}
	die("libcsv: %s", csv_strerror(csv_error(&reader->csv)));
}

/* Takes the line if it is a whole row of the common kind, and short enough to be within every bound. Else false, and nothing has
 * happened: libcsv reads it, and finds what is wrong with it if anything is. */
static bool split_line(struct table_reader *reader, const char *line, size_t size, enum fault *ret_fault,
		       struct refusal *why)
{
	size_t length = size - 1;
	size_t n_cells = 0;

	if (!reader->row_ended || !reader->may_split || line[length] != '\n' || size > CELL_STEP ||
	    (reader->after_cr && length == 0))
		return false;
	if (length > 0 && line[length - 1] == '\r')
		length--;
	if (length > 0 && !row_split(line, length, reader->dialect.delimiter, reader->dialect.quote, reader->cells,
				     LIMIT_FIELDS, &n_cells))
		return false;
	if (!text_is_utf8(line, length, NULL))
		return false;
	reader->n_cells = n_cells;
	reader->after_cr = false;
	*ret_fault = hand_on(reader, why);
	reader->offset += size;
	reader->position.offset = reader->offset;
	return true;
}

/* Takes the line, or a part of it, if it is a comment: prose has quotes and delimiters that are no CSV. It counts as a row. */
static bool skip_comment(struct table_reader *reader, const char *line, size_t size, enum fault *ret_fault,
			 struct refusal *why)
{
	char end = line[size - 1];

	if (reader->dialect.comment == '\0' ||
	    (!reader->in_comment && (!reader->row_ended || line[0] != reader->dialect.comment)))
		return false;
	*ret_fault = FAULT_NONE;
	reader->offset += size;
	reader->in_comment = end != '\n' && end != '\r';
	reader->row_ended = !reader->in_comment;
	if (reader->in_comment)
		return true;
	reader->after_cr = end == '\r';
	if (reader->position.row >= LIMIT_ROWS)
		*ret_fault = at_row(reader, FAULT_TABLE_ROWS, "more rows than a table may have", why);
	reader->position.row++;
	reader->position.offset = reader->offset;
	return true;
}

static enum fault feed_line(struct table_reader *reader, const char *line, size_t size, struct refusal *why)
{
	size_t given = size;

	reader->row_ended = false;
	if (reader->dialect.skip_initial_space) {
		given = squeeze(reader, line, size);
		line = reader->squeezed;
	}
	if (csv_parse(&reader->csv, line, given, take_cell, take_row, reader) != given)
		return csv_fault(reader, why);
	reader->offset += size;
	if (reader->row_ended)
		reader->position.offset = reader->offset;
	if (reader->why.fault != FAULT_NONE) {
		if (why != NULL)
			*why = reader->why;
		return reader->why.fault;
	}
	return FAULT_NONE;
}

static enum fault feed_lines(struct table_reader *reader, const char *text, size_t size, struct refusal *why)
{
	bool has_cr = memchr(text, '\r', size) != NULL;

	while (size > 0) {
		size_t length = line_length(text, size, has_cr);
		enum fault fault;

		if (!skip_comment(reader, text, length, &fault, why) && !split_line(reader, text, length, &fault, why))
			fault = feed_line(reader, text, length, why);
		if (fault != FAULT_NONE)
			return fault;
		text += length;
		size -= length;
	}
	return FAULT_NONE;
}

/* The first three bytes are there, or all that will ever be. */
static enum fault start(struct table_reader *reader, struct refusal *why)
{
	reader->started = true;
	if (reader->head_size == sizeof(BOM) && memcmp(reader->head, BOM, sizeof(BOM)) == 0) {
		if (reader->is_plain)
			return at_row(reader, FAULT_TABLE_CHARSET,
				      "begins with a byte order mark, which the plain form has not", why);
		reader->offset = reader->position.offset = sizeof(BOM);
		return FAULT_NONE;
	}
	return reader->head_size > 0 ? feed_lines(reader, reader->head, reader->head_size, why) : FAULT_NONE;
}

enum fault table_reader_feed(struct table_reader *reader, const void *data, size_t size, struct refusal *why)
{
	const char *text = data;
	enum fault fault = FAULT_NONE;

	while (!reader->started && size > 0) {
		reader->head[reader->head_size++] = *text++;
		size--;
		if (reader->head_size == sizeof(BOM))
			fault = start(reader, why);
	}
	if (fault != FAULT_NONE || size == 0)
		return fault;
	return feed_lines(reader, text, size, why);
}

enum fault table_reader_finish(struct table_reader *reader, struct refusal *why)
{
	enum fault fault = reader->started ? FAULT_NONE : start(reader, why);

	if (fault != FAULT_NONE)
		return fault;
	if (csv_fini(&reader->csv, take_cell, take_row, reader) != 0)
		return at_row(reader, FAULT_TABLE_QUOTE, "a quote is not closed before the end", why);
	if (reader->why.fault != FAULT_NONE && why != NULL)
		*why = reader->why;
	if (reader->why.fault == FAULT_NONE && reader->filter != NULL)
		return row_filter_finish(reader->filter, why);
	return reader->why.fault;
}
