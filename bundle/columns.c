/* SPDX-License-Identifier: ISC
 *
 * columns: cells padded to the widest of their column, in characters.
 */
#include "bundle/columns.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/log.h"

struct columns {
	size_t n_columns, n_cells;
	char **cells; /* row by row, the headings first */
};

struct columns *columns_new(size_t n_columns, const char *const *headings)
{
	struct columns *table = xcalloc(1, sizeof *table);

	table->n_columns = n_columns;
	columns_row(table, headings);
	return table;
}

void columns_row(struct columns *table, const char *const *cells)
{
	table->cells = xrealloc(table->cells, table->n_cells + table->n_columns, sizeof *table->cells);
	for (size_t i = 0; i < table->n_columns; i++)
		table->cells[table->n_cells++] = xstrdup(cells[i]);
}

/* Characters, not bytes: accents are one column wide. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

void columns_print(struct columns *table, FILE *file)
{
	_cleanup_free_ size_t *widths = xcalloc(table->n_columns, sizeof *widths);

	for (size_t i = 0; i < table->n_cells; i++) {
		size_t width = width_of(table->cells[i]);

		if (width > widths[i % table->n_columns])
			widths[i % table->n_columns] = width;
	}
	for (size_t i = 0; i < table->n_cells; i++) {
		size_t column = i % table->n_columns;
		bool is_last = column + 1 == table->n_columns;

		fputs(table->cells[i], file);
		for (size_t n = width_of(table->cells[i]); !is_last && n < widths[column] + 2; n++)
			fputc(' ', file);
		if (is_last)
			fputc('\n', file);
	}
}

void columns_free(struct columns *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; i < table->n_cells; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}
