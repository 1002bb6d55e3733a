/* SPDX-License-Identifier: ISC
 *
 * validation, many rows at once: the cells of each column are run through columncheck, and rows in which all are good need no more. Every
 * other row takes the way of all rows, so what is said of it, and in which order, is the same.
 */
#include <stdlib.h>

#include "base/log.h"
#include "schemas/columncheck.h"
#include "schemas/validation_internal.h"

struct validation_batch {
	struct validation_table *table;
	struct row_batch *rows;
	struct column_check **checks; /* owned, each */
};

struct validation_batch *validation_batch_new(struct validation_table *table)
{
	struct validation_batch *batch = xcalloc(1, sizeof(*batch));

	batch->table = table;
	batch->rows = row_batch_new(table->n_columns);
	batch->checks = xcalloc(table->n_columns, sizeof(batch->checks[0]));
	for (size_t i = 0; i < table->n_columns; i++)
		batch->checks[i] = column_check_new(table->columns[i].field);
	return batch;
}

void validation_batch_free(struct validation_batch *batch)
{
	if (batch == NULL)
		return;
	for (size_t i = 0; i < batch->table->n_columns; i++)
		column_check_free(batch->checks[i]);
	free(batch->checks);
	row_batch_free(batch->rows);
	free(batch);
}

struct row_batch *validation_batch_rows(struct validation_batch *batch)
{
	return batch->rows;
}

/* The rows whose cell of this column is not good. *BLANK keeps those where it is missing. */
static uint64_t check_column(struct validation_batch *batch, size_t column, uint64_t *blank)
{
	struct validation_table *table = batch->table;
	const struct field *field = table->columns[column].field;
	const struct row_batch *rows = batch->rows;
	const struct cell *cells = rows->cells + column;
	uint64_t missing, doubtful, bad = 0;

	doubtful = column_check_cells(batch->checks[column], cells, rows->n_columns, rows->n_rows, &missing);
	*blank &= missing;
	if (field == NULL)
		return 0;
	if (field->required)
		bad = missing;
	for (; doubtful != 0; doubtful &= doubtful - 1) {
		size_t row = (size_t)__builtin_ctzll(doubtful);
		const struct cell *cell = &cells[row * rows->n_columns];

		if (field_check(field, cell->text, cell->size, &table->scratch, NULL) != 0)
			bad |= (uint64_t)1 << row;
	}
	return bad;
}

static uint64_t find_bad_rows(struct validation_batch *batch)
{
	uint64_t blank = ~0ULL, bad = 0;

	for (size_t i = 0; i < batch->table->n_columns; i++)
		bad |= check_column(batch, i, &blank);
	return batch->table->schema != NULL ? bad | blank : bad;
}

void validation_batch_take(struct validation_batch *batch, uint64_t first_row, bool are_good)
{
	const struct row_batch *rows = batch->rows;
	uint64_t bad;

	if (rows->n_rows == 0)
		return;
	bad = are_good ? 0 : find_bad_rows(batch);
	if (bad == 0 && batch->table->n_sets == 0 && batch->table->n_check_runs == 0) {
		batch->table->n_rows += rows->n_rows;
		return;
	}
	for (size_t i = 0; i < rows->n_rows; i++) {
		const struct row_position position = {first_row + i, rows->offsets[i]};
		const struct cell *cells = rows->cells + i * rows->n_columns;

		if ((bad >> i & 1) != 0)
			validation_row(batch->table, cells, rows->n_columns, &position);
		else
			validation_good_row(batch->table, cells, &position);
	}
}
