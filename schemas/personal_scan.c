/* SPDX-License-Identifier: ISC
 *
 * personal, tables: a look into the bytes that are published, by itself, so that no row pays for it on its way.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "schemas/personal.h"
#include "schemas/table.h"

static enum fault take_header(struct personal_scan *scan, const struct cell *cells, size_t n_cells)
{
	scan->columns = xcalloc(n_cells + 1, sizeof(scan->columns[0]));
	scan->n_columns = n_cells;
	for (size_t i = 0; i < n_cells; i++) {
		scan->columns[i].name = xmalloc(cells[i].size + 1);
		memcpy(scan->columns[i].name, cells[i].text, cells[i].size);
		scan->columns[i].name[cells[i].size] = '\0';
	}
	return FAULT_NONE;
}

static enum fault take_row(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
			   struct refusal *why)
{
	struct personal_scan *scan = ctx;

	(void)position;
	(void)why;
	if (scan->columns == NULL)
		return take_header(scan, cells, n_cells);
	/* Of a piece from the midst that began within a quoted cell, too. */
	if (n_cells != scan->n_columns)
		return FAULT_NONE;
	for (size_t i = 0; i < n_cells; i++) {
		struct personal_column *column = &scan->columns[i];

		if (cells[i].size == 0)
			continue;
		column->n_cells++;
		for (enum personal_kind kind = 0; kind < PERSONAL_N; kind++)
			column->n_like[kind] += personal_looks_like(kind, cells[i].text, cells[i].size);
	}
	return FAULT_NONE;
}

/* Rows that lie whole in SIZE bytes from START on. */
static void scan_piece(struct personal_scan *scan, const struct dialect *dialect, int fd, int64_t start, size_t size,
		       bool is_whole)
{
	_cleanup_(table_reader_freep) struct table_reader *reader = table_reader_new(dialect, take_row, scan);
	_cleanup_free_ char *bytes = xmalloc(size + 1);
	const struct row_position first = {2, 0};
	const char *from = bytes;
	ssize_t n = pread(fd, bytes, size, start);
	char *end;

	if (n < 0)
		die_errno("reading a table again");
	if (start > 0) {
		from = memchr(bytes, '\n', (size_t)n);
		if (from == NULL)
			return;
		from++;
		table_reader_resume(reader, &first);
	}
	end = is_whole ? bytes + n : memrchr(from, '\n', (size_t)(bytes + n - from));
	if (end == NULL || table_reader_feed(reader, from, (size_t)(end - from) + !is_whole, NULL) != FAULT_NONE)
		return;
	if (is_whole)
		table_reader_finish(reader, NULL);
}

void personal_scan_table(const struct resource *resource, const struct dialect *dialect, int fd,
			 struct personal_scan *ret_scan)
{
	struct personal_scan scan = {.columns = NULL};
	int64_t size = fd_size(fd), step;

	if (size < 0)
		die("reading a table again: %s", strerror((int)-size));
	if (!dialect->header && resource->schema != NULL) {
		_cleanup_free_ struct cell *cells = xcalloc(resource->schema->n_fields + 1, sizeof(cells[0]));

		for (size_t i = 0; i < resource->schema->n_fields; i++) {
			cells[i].text = field_name(resource->schema->fields[i]);
			cells[i].size = strlen(cells[i].text);
		}
		take_header(&scan, cells, resource->schema->n_fields);
	}
	scan_piece(&scan, dialect, fd, 0, size < PERSONAL_FIRST_BYTES ? (size_t)size : PERSONAL_FIRST_BYTES,
		   size <= PERSONAL_FIRST_BYTES);
	step = (size - PERSONAL_FIRST_BYTES) / PERSONAL_PIECES;
	for (int i = 0; step > 0 && scan.columns != NULL && i < PERSONAL_PIECES; i++)
		scan_piece(&scan, dialect, fd, PERSONAL_FIRST_BYTES + i * step,
			   step < PERSONAL_PIECE_BYTES ? (size_t)step : PERSONAL_PIECE_BYTES, false);
	*ret_scan = scan;
}

void personal_scan_clear(struct personal_scan *scan)
{
	for (size_t i = 0; i < scan->n_columns; i++)
		free(scan->columns[i].name);
	free(scan->columns);
	*scan = (struct personal_scan){.columns = NULL};
}
