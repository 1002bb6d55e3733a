/* SPDX-License-Identifier: ISC
 *
 * diffrows: see diffrows.h.
 */
#include "inside/diffrows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "bundle/limits.h"
#include "schemas/rowsplit.h"

#define PIECE (1 * MIB)
/* A cell may be quoted and each of its quotes doubled. */
#define ROW_SIZE_MOST (2 * LIMIT_ROW_SIZE + 2 * LIMIT_FIELDS)

/* --- cells ---------------------------------------------------------------------------------------------------------- */

void diff_cells_clear(struct diff_cells *cells)
{
	free(cells->cells);
	free(cells->text);
	memset(cells, 0, sizeof(*cells));
}

static void add_cell(struct diff_cells *cells, const char *text, size_t size)
{
	if (cells->n_cells == cells->n_allocated) {
		cells->n_allocated = cells->n_allocated == 0 ? 32 : 2 * cells->n_allocated;
		cells->cells = xrealloc(cells->cells, cells->n_allocated, sizeof(*cells->cells));
	}
	cells->cells[cells->n_cells++] = (struct cell){text, size};
}

/* The quoted cell at LINE[AT], behind its first quote, copied to TO with single quotes. Where it ends; SIZE_MAX: it does not. */
static size_t unquote(const char *line, size_t size, size_t at, char *to, size_t *ret_n)
{
	size_t n = 0;

	for (; at < size; at++) {
		if (line[at] == '"' && (at + 1 == size || line[at + 1] == ',')) {
			*ret_n = n;
			return at + 1;
		}
		if (line[at] == '"' && line[++at] != '"')
			return SIZE_MAX;
		to[n++] = line[at];
	}
	return SIZE_MAX;
}

/* Cell by cell: rows with doubled quotes or more lines than one. */
static bool split_any(struct diff_cells *cells, const char *line, size_t size)
{
	size_t at = 0;
	char *to;

	if (size > cells->text_size) {
		cells->text = xrealloc(cells->text, size, 1);
		cells->text_size = size;
	}
	to = cells->text;
	for (;;) {
		const char *comma;
		size_t n;

		if (at < size && line[at] == '"') {
			at = unquote(line, size, at + 1, to, &n);
			if (at == SIZE_MAX)
				return false;
			add_cell(cells, to, n);
			to += n;
		} else {
			comma = memchr(line + at, ',', size - at);
			n = comma != NULL ? (size_t)(comma - line) - at : size - at;
			if (memchr(line + at, '"', n) != NULL)
				return false;
			add_cell(cells, line + at, n);
			at += n;
		}
		if (at == size)
			return true;
		at++;
	}
}

enum fault diff_cells_split(struct diff_cells *cells, const char *line, size_t size, struct refusal *why)
{
	if (cells->cells == NULL) {
		cells->n_allocated = 32;
		cells->cells = xmalloc(cells->n_allocated * sizeof(*cells->cells));
	}
	if (size > 0 && row_split(line, size, ',', '"', cells->cells, cells->n_allocated, &cells->n_cells))
		return FAULT_NONE;
	cells->n_cells = 0;
	if (!split_any(cells, line, size))
		return refuse(why, FAULT_STORE_DAMAGED, "quotes as the plain form does not have them");
	return FAULT_NONE;
}

/* --- in order -------------------------------------------------------------------------------------------------------- */

void diff_cursor_begin(struct diff_cursor *cursor, int fd, const char *name)
{
	memset(cursor, 0, sizeof(*cursor));
	cursor->fd = fd;
	cursor->name = name;
	cursor->allocated = 2 * PIECE;
	cursor->buffer = xmalloc(cursor->allocated);
	cursor->place.number = 1;
}

void diff_cursor_clear(struct diff_cursor *cursor)
{
	free(cursor->buffer);
	cursor->buffer = NULL;
}

static enum fault read_at(int fd, const char *name, char *buffer, size_t size, uint64_t offset, size_t *ret_n,
			  struct refusal *why)
{
	ssize_t n;

	do {
		n = pread(fd, buffer, size, (off_t)offset);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return refuse(why, FAULT_STORAGE, "%s: %s", name, strerror(errno));
	*ret_n = (size_t)n;
	return FAULT_NONE;
}

/* More of the file behind what is in the buffer from `at` on. */
static enum fault read_more(struct diff_cursor *cursor, struct refusal *why)
{
	enum fault fault;
	size_t n;

	if (cursor->size - cursor->at > ROW_SIZE_MOST)
		return refuse(why, FAULT_STORE_DAMAGED, "%s: row %llu is longer than any may be", cursor->name,
			      (unsigned long long)cursor->place.number);
	memmove(cursor->buffer, cursor->buffer + cursor->at, cursor->size - cursor->at);
	cursor->buffer_offset += cursor->at;
	cursor->size -= cursor->at;
	cursor->at = 0;
	if (cursor->allocated - cursor->size < PIECE) {
		cursor->allocated *= 2;
		cursor->buffer = xrealloc(cursor->buffer, cursor->allocated, 1);
	}
	fault = read_at(cursor->fd, cursor->name, cursor->buffer + cursor->size, cursor->allocated - cursor->size,
			cursor->buffer_offset + cursor->size, &n, why);
	if (fault == FAULT_NONE && n == 0)
		cursor->is_end = true;
	if (fault == FAULT_NONE)
		cursor->size += n;
	return fault;
}

static void set_row(struct diff_cursor *cursor, size_t size)
{
	cursor->line = cursor->buffer + cursor->at;
	cursor->place.offset = cursor->buffer_offset + cursor->at;
	cursor->place.size = (uint32_t)size;
	cursor->has_row = true;
}

static bool has_odd_quotes(const char *text, size_t size)
{
	size_t n = 0;

	if (memchr(text, '"', size) == NULL)
		return false;
	for (size_t i = 0; i < size; i++)
		n += text[i] == '"';
	return n % 2 == 1;
}

/* A line feed ends a row where the quotes before it are even in number: in the plain form they only stand round cells, or doubled. */
static bool find_end(struct diff_cursor *cursor)
{
	const char *from = cursor->buffer + cursor->at, *end = cursor->buffer + cursor->size, *line = from;
	bool is_quoted = false;
	const char *feed;

	while ((feed = memchr(from, '\n', (size_t)(end - from))) != NULL) {
		is_quoted ^= has_odd_quotes(from, (size_t)(feed - from));
		if (!is_quoted) {
			set_row(cursor, (size_t)(feed - line));
			return true;
		}
		from = feed + 1;
	}
	return false;
}

enum fault diff_cursor_find(struct diff_cursor *cursor, struct refusal *why)
{
	while (!cursor->has_row && !find_end(cursor)) {
		enum fault fault;

		if (cursor->is_end) {
			if (cursor->at < cursor->size)
				set_row(cursor, cursor->size - cursor->at);
			return FAULT_NONE;
		}
		fault = read_more(cursor, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	return FAULT_NONE;
}

bool diff_cursor_finds_same(const struct diff_cursor *cursor, struct diff_cursor *other)
{
	size_t size = cursor->place.size;

	/* With the line feed: what it ends, alike up to there, is a row in both. */
	if (other->has_row || other->size - other->at <= size || cursor->at + size >= cursor->size ||
	    memcmp(cursor->line, other->buffer + other->at, size + 1) != 0)
		return false;
	set_row(other, size);
	return true;
}

void diff_cursor_pass(struct diff_cursor *cursor)
{
	cursor->at += cursor->place.size;
	if (cursor->at < cursor->size)
		cursor->at++;
	cursor->place.number++;
	cursor->has_row = false;
}

/* --- anywhere -------------------------------------------------------------------------------------------------------- */

enum fault diff_row_read(int fd, const char *name, const struct diff_place *place, char **line, size_t *line_size,
			 struct refusal *why)
{
	size_t done = 0;

	if (*line == NULL || *line_size < place->size) {
		*line_size = place->size + 256;
		*line = xrealloc(*line, *line_size, 1);
	}
	while (done < place->size) {
		size_t n = 0;
		enum fault fault = read_at(fd, name, *line + done, place->size - done, place->offset + done, &n, why);

		if (fault != FAULT_NONE)
			return fault;
		if (n == 0)
			return refuse(why, FAULT_STORAGE, "%s: it became shorter while it was read", name);
		done += n;
	}
	return FAULT_NONE;
}
