/* SPDX-License-Identifier: ISC
 *
 * rowsplit: see rowsplit.h. Cells are short (seven bytes is usual), so delimiters are looked for in words of eight bytes: a
 * memchr for each cell costs more than the cell.
 */
#include "schemas/rowsplit.h"

#include <stdint.h>
#include <string.h>

#include "schemas/bytescan.h"

#define WORD sizeof(uint64_t)

/* The row that is being cut. */
struct cut {
	const char *line;
	struct cell *cells;
	size_t n_cells, max_cells;
	size_t start; /* of the cell that is open */
};

/* Ends cells at the delimiters that MARKS has from line + AT on. */
static inline bool cut_at(struct cut *cut, size_t at, uint64_t marks)
{
	for (; marks != 0; marks &= marks - 1) {
		size_t end = at + (size_t)__builtin_ctzll(marks) / 8;

		if (cut->n_cells == cut->max_cells)
			return false;
		cut->cells[cut->n_cells++] = (struct cell){cut->line + cut->start, end - cut->start};
		cut->start = end + 1;
	}
	return true;
}

/* A row without a quote. */
static bool split_plain(struct cut *cut, size_t size, char delimiter)
{
	const uint64_t pattern = EACH_BYTE(delimiter);
	size_t at = 0;

	for (; size - at >= WORD; at += WORD) {
		if (!cut_at(cut, at, zero_bytes(load_word(cut->line + at) ^ pattern)))
			return false;
	}
	for (; at < size; at++) {
		if (cut->line[at] == delimiter && !cut_at(cut, at, 0x80))
			return false;
	}
	return cut_at(cut, size, 0x80);
}

/* A row with quotes: by the cell. */
static bool split_quoted(struct cut *cut, size_t size, char delimiter, char quote)
{
	const char *at = cut->line, *end = cut->line + size;

	for (;; at++) {
		bool is_quoted = at < end && *at == quote;
		const char *start = at + is_quoted;
		const char *stop = memchr(start, is_quoted ? quote : delimiter, (size_t)(end - start));

		if (cut->n_cells == cut->max_cells || (is_quoted && stop == NULL))
			return false;
		if (stop == NULL)
			stop = end;
		if (!is_quoted && memchr(start, quote, (size_t)(stop - start)) != NULL)
			return false;
		cut->cells[cut->n_cells++] = (struct cell){start, (size_t)(stop - start)};
		at = stop + is_quoted;
		if (at == end)
			return true;
		if (*at != delimiter)
			return false;
	}
}

bool row_split(const char *line, size_t size, char delimiter, char quote, struct cell *cells, size_t max_cells,
	       size_t *ret_n_cells)
{
	struct cut cut = {.line = line, .cells = cells, .max_cells = max_cells};
	bool is_split;

	is_split = memchr(line, quote, size) == NULL ? split_plain(&cut, size, delimiter)
						     : split_quoted(&cut, size, delimiter, quote);
	*ret_n_cells = cut.n_cells;
	return is_split;
}
