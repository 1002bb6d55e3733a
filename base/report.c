/* SPDX-License-Identifier: ISC
 *
 * report: progress and tables for people, strings for machines.
 */
#include "base/report.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"

#define PROGRESS_INTERVAL_NS 100000000LL

static int64_t opt_last_shown;
static bool opt_is_shown;

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

void report_progress(const char *label, uint64_t done, uint64_t total)
{
	char size[32];
	int64_t now;

	if (!isatty(STDERR_FILENO))
		return;
	now = now_ns();
	if (opt_is_shown && now - opt_last_shown < PROGRESS_INTERVAL_NS)
		return;
	opt_last_shown = now;
	opt_is_shown = true;
	if (total > 0) {
		fprintf(stderr, "\r\033[K%s %u %%", label, (unsigned)((double)done * 100 / (double)total));
	} else {
		text_format_size(done, size, sizeof size);
		fprintf(stderr, "\r\033[K%s %s", label, size);
	}
	fflush(stderr);
}

void report_progress_end(void)
{
	if (opt_is_shown)
		fputs("\r\033[K", stderr);
	opt_is_shown = false;
}

void report_json_string(FILE *file, const char *text)
{
	size_t size = strlen(text), bad;

	fputc('"', file);
	while (size > 0) {
		size_t good = text_is_utf8(text, size, &bad) ? size : bad;

		for (size_t i = 0; i < good; i++) {
			unsigned char c = (unsigned char)text[i];

			if (c == '"' || c == '\\')
				fprintf(file, "\\%c", c);
			else if (c < 0x20 || c == 0x7f)
				fprintf(file, "\\u%04x", c);
			else
				fputc(c, file);
		}
		text += good;
		size -= good;
		if (size > 0) {
			fputs("\xef\xbf\xbd", file);
			text++;
			size--;
		}
	}
	fputc('"', file);
}

struct report_table {
	size_t n_columns, n_cells;
	char **cells; /* row by row, the headings first */
};

struct report_table *report_table_new(size_t n_columns, const char *const *headings)
{
	struct report_table *table = xcalloc(1, sizeof *table);

	table->n_columns = n_columns;
	report_table_row(table, headings);
	return table;
}

void report_table_row(struct report_table *table, const char *const *cells)
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

void report_table_print(struct report_table *table, FILE *file)
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

void report_table_free(struct report_table *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; i < table->n_cells; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}
