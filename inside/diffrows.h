/* SPDX-License-Identifier: ISC
 *
 * diffrows: rows of a file in the plain form (FORMAT.md 12): their bytes one after the other, their cells only when they are asked for.
 * Most rows of two versions are the same bytes, and are then never looked into.
 */
#ifndef INSIDE_DIFFROWS_H
#define INSIDE_DIFFROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "schemas/table.h"

/* Where a row stands. */
struct diff_place {
	uint64_t offset;
	uint64_t number; /* the header is 1 */
	uint32_t size;   /* without its line feed */
};

/* A row's cells; they point into the row or into TEXT. */
struct diff_cells {
	struct cell *cells; /* owned */
	size_t n_cells, n_allocated;
	char *text; /* owned */
	size_t text_size;
};

void diff_cells_clear(struct diff_cells *cells);
/* FAULT_STORE_DAMAGED where LINE is no row of the plain form. */
enum fault diff_cells_split(struct diff_cells *cells, const char *line, size_t size, struct refusal *why);

/* --- in order -------------------------------------------------------------------------------------------------------- */

struct diff_cursor {
	int fd; /* borrowed; read with pread */
	const char *name;
	char *buffer; /* owned */
	size_t allocated, size, at;
	uint64_t buffer_offset;
	bool is_end;             /* of the file, which the buffer reaches */
	struct diff_place place; /* of the row that was found */
	const char *line;
	bool has_row; /* one was found, and not passed */
};

void diff_cursor_begin(struct diff_cursor *cursor, int fd, const char *name);
void diff_cursor_clear(struct diff_cursor *cursor);
/* Finds the next row (line, place), good until the next call; has_row is false at the end. FAULT_STORAGE, FAULT_STORE_DAMAGED (a row past
 * LIMIT_ROW_SIZE). */
enum fault diff_cursor_find(struct diff_cursor *cursor, struct refusal *why);
/* Whether OTHER's next row has the bytes of the row that CURSOR found, as far as OTHER's buffer tells; it is then found, too. */
bool diff_cursor_finds_same(const struct diff_cursor *cursor, struct diff_cursor *other);
/* Goes behind the row that was found. */
void diff_cursor_pass(struct diff_cursor *cursor);

/* --- anywhere -------------------------------------------------------------------------------------------------------- */

/* The bytes of the row at PLACE, in LINE, which grows to SIZE. FAULT_STORAGE. */
enum fault diff_row_read(int fd, const char *name, const struct diff_place *place, char **line, size_t *line_size,
			 struct refusal *why);

#endif
