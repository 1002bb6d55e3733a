/* SPDX-License-Identifier: ISC
 *
 * table: CSV bytes into rows of cells, through libcsv, strictly (RFC 4180 within a dialect), and rows back into the
 * plain form.
 */
#ifndef SCHEMAS_TABLE_H
#define SCHEMAS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "schemas/package.h"

struct cell {
	const char *text; /* not NUL-terminated */
	size_t size;
};

struct row_position {
	uint64_t row;    /* as published, from 1: the header, or what a dialect drops before it */
	uint64_t offset; /* of the row's first byte in the input */
};

/* Gets every row that the dialect does not drop (rowfilter.h), the header first (with a dialect that has none, the first is data). Cells
 * live for the call. */
typedef enum fault table_row(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
			     struct refusal *why);

/* The DIALECT is copied. Given &dialect_plain itself the input is the plain form, where a byte order mark is refused;
 * for any other a UTF-8 byte order mark at the first byte is skipped. */
struct table_reader;
struct table_reader *table_reader_new(const struct dialect *dialect, table_row *row, void *ctx);
void table_reader_free(struct table_reader *reader);
void table_reader_freep(struct table_reader **reader);
/* Before a feed: the input that follows is what stands at POSITION, where a row begins; no byte order mark is looked for. What was fed
 * before must have ended with a row. */
void table_reader_resume(struct table_reader *reader, const struct row_position *position);
/* Whether all that was fed so far ends with a row's end. */
bool table_reader_is_between_rows(const struct table_reader *reader);
/* Every row goes through libcsv, also the common ones that are split faster without it: what the tests compare with. */
void table_reader_forgo_split(struct table_reader *reader);
/* FAULT_TABLE_QUOTE, FAULT_TABLE_CELL_SIZE, FAULT_TABLE_CHARSET (not UTF-8), FAULT_TABLE_ROWS, or what ROW returned:
 * the bytes are no table; row and offset in WHY. A row's own faults (cell count, types) are the validator's to
 * report, not these. */
enum fault table_reader_feed(struct table_reader *reader, const void *data, size_t size, struct refusal *why);
enum fault table_reader_finish(struct table_reader *reader, struct refusal *why);

/* Writes rows in the plain form: UTF-8, comma, doubled quotes, LF; a cell is quoted only where it must be. SINK gets
 * the bytes in large pieces. */
bool cell_needs_quotes(const struct cell *cell);
typedef enum fault plain_sink(void *ctx, const void *data, size_t size, struct refusal *why);
struct plain_writer;
struct plain_writer *plain_writer_new(plain_sink *sink, void *ctx);
void plain_writer_free(struct plain_writer *writer);
void plain_writer_freep(struct plain_writer **writer);
enum fault plain_writer_row(struct plain_writer *writer, const struct cell *cells, size_t n_cells, struct refusal *why);
enum fault plain_writer_finish(struct plain_writer *writer, struct refusal *why);

#endif
