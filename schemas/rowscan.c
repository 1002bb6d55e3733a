/* SPDX-License-Identifier: ISC
 *
 * rowscan: see rowscan.h. What matters in 64 bytes is two sets of bits: delimiters, which are many and all alike, and quotes and line
 * ends, which are few. A quoted cell is passed over with memchr and the bits are made anew behind it.
 */
#include "schemas/rowscan.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "bundle/limits.h"
#include "schemas/bytescan.h"

/* As the row reader has it: longer rows are for libcsv, which knows the bounds. */
#define ROW_MAX (64 * KIB)

struct row_batch *row_batch_new(size_t n_columns)
{
	struct row_batch *batch = xcalloc(1, sizeof(*batch));

	batch->n_columns = n_columns;
	batch->cells = xcalloc(n_columns * ROW_BATCH + 1, sizeof(batch->cells[0]));
	batch->unquoted = xcalloc(ROW_MAX + CELL_SLACK, 1);
	return batch;
}

void row_batch_free(struct row_batch *batch)
{
	if (batch == NULL)
		return;
	free(batch->cells);
	free(batch->unquoted);
	free(batch);
}

bool row_scan_reads(const struct dialect *dialect)
{
	return !dialect->skip_initial_space && dialect->delimiter != dialect->quote &&
	       strchr("\r\n", dialect->delimiter) == NULL && strchr("\r\n", dialect->quote) == NULL &&
	       (unsigned char)dialect->delimiter < 0x80 && (unsigned char)dialect->quote < 0x80;
}

void row_scan_begin(struct row_scan *scan, const struct dialect *dialect, const char *text, size_t size)
{
	*scan = (struct row_scan){.text = text, .size = size, .delimiter = dialect->delimiter, .quote = dialect->quote};
}

/* The row that is being cut, and what is known of the 64 bytes from BLOCK on: bits of bytes that were passed are cleared. */
struct cursor {
	const struct row_scan *scan;
	struct row_batch *batch;
	size_t block;
	struct byte_marks marks;

	struct cell *cells; /* of the row */
	size_t n_cells;
	size_t start; /* of the open cell */
};

static inline void look(struct cursor *c, size_t at)
{
	const struct row_scan *scan = c->scan;

	c->block = at;
	c->marks = byte_marks(scan->text + at, scan->delimiter, scan->quote);
	if (scan->size - at < 64) {
		uint64_t inside = ((uint64_t)1 << (scan->size - at)) - 1;

		c->marks.delimiters &= inside;
		c->marks.others &= inside;
	}
}

/* Ends cells at the delimiters that stand before any other mark. False: more than the row may have. */
static inline bool cut_at_delimiters(struct cursor *c)
{
	/* None if there is no other mark: then all count. */
	uint64_t before = (c->marks.others - 1) & ~c->marks.others;
	const char *text = c->scan->text;
	size_t last = c->batch->n_columns - 1, n = c->n_cells, start = c->start;
	bool has_room = true;

	for (uint64_t at = c->marks.delimiters & before; at != 0; at &= at - 1) {
		size_t end = c->block + (size_t)__builtin_ctzll(at);

		if (n == last) {
			has_room = false;
			break;
		}
		c->cells[n++] = (struct cell){text + start, end - start};
		start = end + 1;
	}
	c->marks.delimiters &= ~before;
	c->n_cells = n;
	c->start = start;
	return has_room;
}

/* Behind the opening quote at c->start: the cell, with its doubled quotes made single, and where its closing quote stands. */
static bool find_quoted(struct cursor *c, struct cell *ret_cell, size_t *ret_close)
{
	const struct row_scan *scan = c->scan;
	const char *at = scan->text + c->start + 1, *end = scan->text + scan->size;
	char *copy = c->batch->unquoted + c->batch->unquoted_size;
	size_t n = 0;

	for (;;) {
		const char *quote = memchr(at, scan->quote, (size_t)(end - at));
		bool is_doubled = quote != NULL && quote + 1 < end && quote[1] == scan->quote;
		size_t size;

		if (quote == NULL)
			return false;
		if (!is_doubled && n == 0) {
			*ret_cell = (struct cell){at, (size_t)(quote - at)};
			*ret_close = (size_t)(quote - scan->text);
			return true;
		}
		size = (size_t)(quote - at) + is_doubled;
		if (size > ROW_MAX - c->batch->unquoted_size - n)
			return false;
		memcpy(copy + n, at, size);
		n += size;
		at = quote + 2;
		if (is_doubled)
			continue;
		*ret_cell = (struct cell){copy, n};
		*ret_close = (size_t)(quote - scan->text);
		c->batch->unquoted_size += n;
		return true;
	}
}

static bool is_quoted_plainly(const struct cursor *c, const struct cell *cell)
{
	return (cell->size == 0 && c->batch->n_columns == 1) || cell_needs_quotes(cell);
}

/* The quoted cell at c->start with what follows it. *RET_ENDED: a line end, which is passed. */
static bool take_quoted(struct cursor *c, bool *ret_ended)
{
	const struct row_scan *scan = c->scan;
	struct cell *cell = &c->cells[c->n_cells];
	size_t close, last = c->batch->n_columns - 1;

	if (!find_quoted(c, cell, &close) || close + 1 == scan->size)
		return false;
	c->batch->is_plain = c->batch->is_plain && is_quoted_plainly(c, cell);
	c->n_cells++;
	c->start = close + 2;
	*ret_ended = scan->text[close + 1] != scan->delimiter;
	if (!*ret_ended) {
		look(c, c->start);
		return c->n_cells <= last;
	}
	if (scan->text[close + 1] == '\r' && close + 2 < scan->size) {
		c->batch->is_plain = false;
		close++;
		c->start++;
	}
	if (scan->text[close + 1] != '\n' || c->n_cells != last + 1)
		return false;
	look(c, c->start);
	return true;
}

/* The cell that ends with the row at the line feed AT, unquoted. A blank line is no row of cells. */
static bool end_row(struct cursor *c, size_t at)
{
	const char *text = c->scan->text;
	size_t end = at > c->start && text[at - 1] == '\r' ? at - 1 : at;

	if (c->n_cells + 1 != c->batch->n_columns || (c->n_cells == 0 && end == c->start))
		return false;
	c->batch->is_plain = c->batch->is_plain && end == at;
	c->cells[c->n_cells++] = (struct cell){text + c->start, end - c->start};
	c->start = at + 1;
	return true;
}

/* The row from c->start on. */
static bool take_row(struct cursor *c)
{
	const struct row_scan *scan = c->scan;

	c->n_cells = 0;
	for (;;) {
		bool has_ended;
		size_t at;

		if (!cut_at_delimiters(c))
			return false;
		if (c->marks.others == 0) {
			if (scan->size - c->block <= 64)
				return false;
			look(c, c->block + 64);
			continue;
		}
		at = c->block + (size_t)__builtin_ctzll(c->marks.others);
		c->marks.others &= c->marks.others - 1;
		if (scan->text[at] == '\n')
			return end_row(c, at);
		if (scan->text[at] == scan->quote) {
			if (at != c->start || !take_quoted(c, &has_ended))
				return false;
			if (has_ended)
				return true;
		} else if (at + 1 == scan->size || scan->text[at + 1] != '\n') {
			return false; /* a carriage return alone */
		}
	}
}

bool row_scan_next(struct row_scan *scan, struct row_batch *batch)
{
	struct cursor c = {.scan = scan, .batch = batch, .start = scan->at};

	batch->n_rows = batch->unquoted_size = 0;
	batch->is_plain = scan->delimiter == ',' && scan->quote == '"';
	if (scan->at == scan->size)
		return false;
	look(&c, scan->at);
	while (batch->n_rows < ROW_BATCH) {
		bool was_plain = batch->is_plain;

		c.cells = batch->cells + batch->n_rows * batch->n_columns;
		if (scan->at == scan->size || !take_row(&c) || c.start - scan->at > ROW_MAX) {
			batch->is_plain = was_plain;
			return false;
		}
		batch->offsets[batch->n_rows++] = scan->at;
		scan->at = c.start;
	}
	return true;
}
