/* SPDX-License-Identifier: ISC
 *
 * rowscan: text that lies whole in memory into batches of rows of cells, 64 bytes at a time. It takes the common rows alone and stops
 * before every other, which is for the row reader (table.h). On what both read they agree, byte for byte (tests/fuzz/schemas_rowscan.c).
 */
#ifndef SCHEMAS_ROWSCAN_H
#define SCHEMAS_ROWSCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schemas/table.h"

/* One bit a row of a batch. Few enough that their cells stay in a core's first cache. */
#define ROW_BATCH 64
/* So many bytes can be read behind the text, and behind each cell, whatever they are. */
#define CELL_SLACK 64

struct row_batch {
	size_t n_columns, n_rows;
	struct cell *cells;          /* owned: N_COLUMNS a row, row after row */
	uint64_t offsets[ROW_BATCH]; /* of each row's first byte in the text */
	bool is_plain;               /* the rows are written as the plain form has them */
	char *unquoted;              /* owned: cells whose quotes were doubled */
	size_t unquoted_size;
};

struct row_batch *row_batch_new(size_t n_columns);
void row_batch_free(struct row_batch *batch);

struct row_scan {
	const char *text;
	size_t size;
	char delimiter, quote;
	size_t at; /* where the next row begins */
};

/* Whether rows of the dialect can be scanned. */
bool row_scan_reads(const struct dialect *dialect);
/* SIZE bytes of well-formed UTF-8 (other bytes make other cells, nothing worse) with CELL_SLACK behind them. */
void row_scan_begin(struct row_scan *scan, const struct dialect *dialect, const char *text, size_t size);
/* Fills the batch anew; its cells point into the text or the batch, and live until the next call. False where it stopped before the batch
 * was full: at the end of the text, or before a row that is not of the common kind, is longer than 64 KiB, or has not N_COLUMNS cells;
 * this row begins at scan->at. */
bool row_scan_next(struct row_scan *scan, struct row_batch *batch);

#endif
