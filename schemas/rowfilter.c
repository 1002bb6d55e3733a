/* SPDX-License-Identifier: ISC
 *
 * rowfilter: rows are told apart by their numbers, as they were published: those of comments count too. Joining is what the reference
 * implementation of the standard does: a label that stands twice, one below the other, is joined once.
 */
#include "schemas/rowfilter.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/limits.h"

struct label {
	char *text; /* owned */
	size_t size;
	size_t last; /* where in it the part of the last row begins */
};

struct row_filter {
	struct dialect dialect;
	table_row *row;
	void *ctx;
	bool is_past_header;
	bool has_first; /* a header row was met */
	struct row_position first;
	struct label *labels; /* LIMIT_FIELDS; NULL without header rows */
	struct cell *cells;   /* of them, when they are handed on */
	size_t n_labels;
	size_t size; /* of all labels */
};

struct row_filter *row_filter_new(const struct dialect *dialect, table_row *row, void *ctx)
{
	struct row_filter *filter = xcalloc(1, sizeof(*filter));

	filter->dialect = *dialect;
	filter->row = row;
	filter->ctx = ctx;
	filter->is_past_header = !dialect->header;
	if (dialect->n_header_rows > 0) {
		filter->labels = xcalloc(LIMIT_FIELDS, sizeof(filter->labels[0]));
		filter->cells = xcalloc(LIMIT_FIELDS, sizeof(filter->cells[0]));
	}
	return filter;
}

void row_filter_free(struct row_filter *filter)
{
	if (filter == NULL)
		return;
	for (size_t i = 0; i < filter->n_labels; i++)
		free(filter->labels[i].text);
	free(filter->labels);
	free(filter->cells);
	free(filter);
}

void row_filter_resume(struct row_filter *filter)
{
	filter->is_past_header = true;
}

static bool is_among(const uint32_t *rows, size_t n_rows, uint64_t row)
{
	size_t i = 0;

	while (i < n_rows && rows[i] < row)
		i++;
	return i < n_rows && rows[i] == row;
}

static bool is_comment(const struct dialect *dialect, const struct cell *cells, size_t n_cells, uint64_t row)
{
	if (is_among(dialect->comment_rows, dialect->n_comment_rows, row))
		return true;
	return dialect->comment != '\0' && n_cells > 0 && cells[0].size > 0 && cells[0].text[0] == dialect->comment;
}

static bool join_label(struct row_filter *filter, size_t index, const struct cell *cell)
{
	struct label *label = &filter->labels[index];
	size_t join = index < filter->n_labels ? strlen(filter->dialect.header_join) : 0;
	size_t added = join + cell->size;

	if (index < filter->n_labels && label->size - label->last == cell->size &&
	    (cell->size == 0 || memcmp(label->text + label->last, cell->text, cell->size) == 0))
		return true;
	if (label->size + added > LIMIT_JOINED_LABEL || filter->size + added > LIMIT_ROW_SIZE)
		return false;
	label->text = xrealloc(label->text, label->size + added + 1, 1);
	memcpy(label->text + label->size, filter->dialect.header_join, join);
	if (cell->size > 0)
		memcpy(label->text + label->size + join, cell->text, cell->size);
	label->last = label->size + join;
	label->size += added;
	filter->size += added;
	return true;
}

static enum fault join_row(struct row_filter *filter, const struct cell *cells, size_t n_cells,
			   const struct row_position *position, struct refusal *why)
{
	if (!filter->has_first)
		filter->first = *position;
	filter->has_first = true;
	for (size_t i = 0; i < n_cells; i++) {
		if (!join_label(filter, i, &cells[i]))
			return refuse(why, FAULT_TABLE_CELL_SIZE,
				      "row %" PRIu64 " (byte %" PRIu64 "): a header of several rows is too long",
				      position->row, position->offset);
		if (i >= filter->n_labels)
			filter->n_labels = i + 1;
	}
	return FAULT_NONE;
}

static enum fault hand_on_header(struct row_filter *filter, struct refusal *why)
{
	filter->is_past_header = true;
	for (size_t i = 0; i < filter->n_labels; i++)
		filter->cells[i] = (struct cell){filter->labels[i].text, filter->labels[i].size};
	return filter->row(filter->ctx, filter->cells, filter->n_labels, &filter->first, why);
}

/* The header is not past. Rows above it that are none of its own say nothing of the table. */
static enum fault take_header(struct row_filter *filter, const struct cell *cells, size_t n_cells,
			      const struct row_position *position, struct refusal *why)
{
	const struct dialect *dialect = &filter->dialect;
	enum fault fault = FAULT_NONE;
	uint64_t last = dialect->n_header_rows > 0 ? dialect->header_rows[dialect->n_header_rows - 1] : 0;

	/* The first row that is left; also where all that were to be the header are comments. */
	if (position->row > last) {
		filter->is_past_header = true;
		return filter->row(filter->ctx, cells, n_cells, position, why);
	}
	if (is_among(dialect->header_rows, dialect->n_header_rows, position->row))
		fault = join_row(filter, cells, n_cells, position, why);
	return fault == FAULT_NONE && position->row == last ? hand_on_header(filter, why) : fault;
}

static void empty_nulls(const struct dialect *dialect, struct cell *cells, size_t n_cells)
{
	size_t size = strlen(dialect->null_sequence);

	for (size_t i = 0; size > 0 && i < n_cells; i++) {
		if (cells[i].size == size && memcmp(cells[i].text, dialect->null_sequence, size) == 0)
			cells[i].size = 0;
	}
}

enum fault row_filter_take(struct row_filter *filter, struct cell *cells, size_t n_cells,
			   const struct row_position *position, struct refusal *why)
{
	enum fault fault;

	if (is_comment(&filter->dialect, cells, n_cells, position->row))
		return FAULT_NONE;
	/* The last header row was a comment. */
	if (!filter->is_past_header && filter->has_first &&
	    position->row > filter->dialect.header_rows[filter->dialect.n_header_rows - 1] &&
	    (fault = hand_on_header(filter, why)) != FAULT_NONE)
		return fault;
	if (!filter->is_past_header)
		return take_header(filter, cells, n_cells, position, why);
	empty_nulls(&filter->dialect, cells, n_cells);
	return filter->row(filter->ctx, cells, n_cells, position, why);
}

enum fault row_filter_finish(struct row_filter *filter, struct refusal *why)
{
	return filter->has_first && !filter->is_past_header ? hand_on_header(filter, why) : FAULT_NONE;
}
