/* SPDX-License-Identifier: ISC
 *
 * excerpt: see excerpt.h.
 */
#include "outside/excerpt.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "schemas/table.h"

#define READ_SIZE (256 * KIB)

struct excerpt {
	json_t **faults; /* borrowed; those with a row, by row */
	size_t n_faults;
	size_t next; /* whose row has not been read yet */
	size_t size; /* of the cells that were put */
	unsigned row_shift;
};

static uint64_t row_of(const json_t *fault)
{
	json_int_t row = json_integer_value(json_object_get(fault, "rowNumber"));

	return row > 0 ? (uint64_t)row : 0;
}

static int compare_rows(const void *a, const void *b)
{
	uint64_t left = row_of(*(json_t *const *)a), right = row_of(*(json_t *const *)b);

	return (left > right) - (left < right);
}

static void collect(struct excerpt *excerpt, json_t *faults)
{
	excerpt->faults = xrealloc(excerpt->faults, excerpt->n_faults + json_array_size(faults) + 1,
				   sizeof(excerpt->faults[0]));
	for (size_t i = 0; i < json_array_size(faults); i++) {
		json_t *fault = json_array_get(faults, i);

		if (row_of(fault) > 0)
			excerpt->faults[excerpt->n_faults++] = fault;
	}
}

static json_t *cells_json(const struct cell *cells, size_t n_cells, size_t *ret_size)
{
	json_t *array = json_or_die(json_array());

	*ret_size = 0;
	for (size_t i = 0; i < n_cells && i < EXCERPT_CELLS; i++) {
		char shown[EXCERPT_CELL_SHOWN];

		text_escape(cells[i].text, cells[i].size, shown, sizeof(shown));
		*ret_size += strlen(shown) + 4;
		if (json_array_append_new(array, json_or_die(json_string(shown))) < 0)
			die("out of memory");
	}
	return array;
}

/* FAULT_STOPPED ends the reading: no row is wanted any more. Readers go by WHY, too. */
static enum fault take_row(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
			   struct refusal *why)
{
	struct excerpt *excerpt = ctx;
	_cleanup_(json_decrefp) json_t *array = NULL;
	size_t size = 0;

	while (excerpt->next < excerpt->n_faults &&
	       row_of(excerpt->faults[excerpt->next]) + excerpt->row_shift <= position->row) {
		json_t *fault = excerpt->faults[excerpt->next++];

		if (row_of(fault) + excerpt->row_shift != position->row)
			continue;
		if (array == NULL)
			array = cells_json(cells, n_cells, &size);
		if (json_object_set(fault, "cells", array) < 0)
			die("out of memory");
		excerpt->size += size;
	}
	if (excerpt->next < excerpt->n_faults && excerpt->size < EXCERPT_SIZE)
		return FAULT_NONE;
	return refuse(why, FAULT_STOPPED, "no other row is wanted");
}

static enum fault take_text(void *ctx, const void *data, size_t size, struct refusal *why)
{
	return table_reader_feed(ctx, data, size, why);
}

static void read_rows(struct charset_reader *charset, struct table_reader *reader, int fd)
{
	_cleanup_free_ char *piece = xmalloc(READ_SIZE);
	struct refusal why;
	ssize_t n;

	while ((n = fd_read_up_to(fd, piece, READ_SIZE)) > 0) {
		if (charset_reader_feed(charset, piece, (size_t)n, &why) != FAULT_NONE)
			return;
	}
	if (n == 0 && charset_reader_finish(charset, &why) == FAULT_NONE)
		table_reader_finish(reader, &why);
}

void excerpt_put(struct charsets *charsets, const struct dialect *dialect, const char *encoding, int fd,
		 unsigned row_shift, json_t *task)
{
	struct excerpt excerpt = {.row_shift = row_shift};
	_cleanup_(table_reader_freep) struct table_reader *reader = table_reader_new(dialect, take_row, &excerpt);
	_cleanup_(charset_reader_freep) struct charset_reader *charset = NULL;
	struct refusal why;

	collect(&excerpt, json_object_get(task, "errors"));
	collect(&excerpt, json_object_get(task, "warnings"));
	qsort(excerpt.faults, excerpt.n_faults, sizeof(excerpt.faults[0]), compare_rows);
	if (excerpt.n_faults > 0 && lseek(fd, 0, SEEK_SET) == 0 &&
	    charset_reader_new(charsets, encoding, take_text, reader, &charset, &why) == FAULT_NONE)
		read_rows(charset, reader, fd);
	free(excerpt.faults);
}
