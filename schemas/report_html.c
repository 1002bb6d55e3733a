/* SPDX-License-Identifier: ISC
 *
 * report_html: see report_html.h. The report comes from a worker that read hostile bytes: every member is looked at before it is
 * used, and what is not of its type is left out.
 */
#include "schemas/report_html.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/html.h"

/* --- members --------------------------------------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static json_int_t number_of(const json_t *object, const char *key)
{
	json_int_t number = json_integer_value(json_object_get(object, key));

	return number > 0 ? number : 0;
}

static bool is_warning(const json_t *object)
{
	return strcmp(text_of(object, "level"), "warning") == 0;
}

/* "one error", "41 errors", "no error". */
static void put_count(FILE *file, json_int_t n, const char *what)
{
	if (n == 0)
		fprintf(file, "no %s", what);
	else if (n == 1)
		fprintf(file, "one %s", what);
	else
		fprintf(file, "%" JSON_INTEGER_FORMAT " %ss", n, what);
}

/* --- one table ------------------------------------------------------------------------------------------------------- */

/* The faults that are shown, by row and, in a row, in the report's order. */
struct shown {
	const json_t **faults; /* borrowed */
	size_t n_faults;
	size_t *columns; /* from 1 */
	size_t n_columns;
	size_t n_labels;
	const json_t *labels;
};

static bool same_kind(const json_t *a, const json_t *b)
{
	return strcmp(text_of(a, "type"), text_of(b, "type")) == 0 &&
	       strcmp(text_of(a, "rule"), text_of(b, "rule")) == 0 &&
	       strcmp(text_of(a, "fieldName"), text_of(b, "fieldName")) == 0;
}

/* Whether as many of this kind are shown already. */
static bool is_enough(const struct shown *shown, const json_t *fault)
{
	size_t n = 0;

	for (size_t i = 0; i < shown->n_faults; i++)
		n += same_kind(shown->faults[i], fault);
	return n >= REPORT_HTML_FAULTS;
}

static int compare_rows(const void *a, const void *b)
{
	json_int_t left = number_of(*(const json_t *const *)a, "rowNumber");
	json_int_t right = number_of(*(const json_t *const *)b, "rowNumber");

	return (left > right) - (left < right);
}

/* Stable, as qsort is not: the array is short. */
static void sort_by_row(struct shown *shown)
{
	for (size_t i = 1; i < shown->n_faults; i++) {
		const json_t *fault = shown->faults[i];
		size_t at = i;

		for (; at > 0 && compare_rows(&shown->faults[at - 1], &fault) > 0; at--)
			shown->faults[at] = shown->faults[at - 1];
		shown->faults[at] = fault;
	}
}

static void add_faults(struct shown *shown, const json_t *faults)
{
	shown->faults = xrealloc(shown->faults, shown->n_faults + json_array_size(faults) + 1, sizeof(*shown->faults));
	for (size_t i = 0; i < json_array_size(faults); i++) {
		const json_t *fault = json_array_get(faults, i);

		if (number_of(fault, "rowNumber") > 0 && !is_enough(shown, fault))
			shown->faults[shown->n_faults++] = fault;
	}
}

static void take_faults(struct shown *shown, const json_t *errors, const json_t *warnings)
{
	json_int_t last = 0;
	size_t n_rows = 0, n = 0;

	add_faults(shown, errors);
	add_faults(shown, warnings);
	sort_by_row(shown);
	for (; n < shown->n_faults; n++) {
		json_int_t row = number_of(shown->faults[n], "rowNumber");

		n_rows += row != last;
		last = row;
		if (n_rows > REPORT_HTML_ROWS)
			break;
	}
	shown->n_faults = n;
}

static bool has_column(const struct shown *shown, size_t column)
{
	for (size_t i = 0; i < shown->n_columns; i++)
		if (shown->columns[i] == column)
			return true;
	return false;
}

static void add_column(struct shown *shown, size_t column)
{
	if (column == 0 || column > shown->n_labels || shown->n_columns == REPORT_HTML_COLUMNS ||
	    has_column(shown, column))
		return;
	shown->columns[shown->n_columns++] = column;
}

static int compare_columns(const void *a, const void *b)
{
	size_t left = *(const size_t *)a, right = *(const size_t *)b;

	return (left > right) - (left < right);
}

static void choose_columns(struct shown *shown)
{
	shown->columns = xcalloc(REPORT_HTML_COLUMNS, sizeof(*shown->columns));
	add_column(shown, 1);
	for (size_t i = 0; i < shown->n_faults; i++)
		add_column(shown, (size_t)number_of(shown->faults[i], "fieldNumber"));
	for (size_t i = 0; i < shown->n_faults; i++) {
		size_t field = (size_t)number_of(shown->faults[i], "fieldNumber");

		add_column(shown, field > 0 ? field - 1 : 0);
		add_column(shown, field > 0 ? field + 1 : 0);
	}
	for (size_t column = 2; column <= shown->n_labels && shown->n_columns < REPORT_HTML_COLUMNS; column++)
		add_column(shown, column);
	qsort(shown->columns, shown->n_columns, sizeof(*shown->columns), compare_columns);
}

/* The fault of this row in COLUMN, or NULL. */
static const json_t *fault_in(const json_t *const *faults, size_t n_faults, size_t column)
{
	for (size_t i = 0; i < n_faults; i++)
		if ((size_t)number_of(faults[i], "fieldNumber") == column)
			return faults[i];
	return NULL;
}

static void put_cell(FILE *file, const json_t *const *faults, size_t n_faults, size_t column)
{
	const json_t *fault = fault_in(faults, n_faults, column), *cells = NULL;
	const char *text;

	for (size_t i = 0; i < n_faults && cells == NULL; i++)
		cells = json_object_get(faults[i], "cells");
	text = json_string_value(json_array_get(cells, column - 1));
	if (text == NULL && fault != NULL)
		text = json_string_value(json_object_get(fault, "cell"));
	if (fault != NULL)
		fputs("<td class=\"bad\">", file);
	else
		fputs(text == NULL ? "<td class=\"gap\">" : "<td>", file);
	html_text(file, text != NULL ? text : "");
	fputs("</td>", file);
}

/* All faults of one row. */
static void put_row(FILE *file, const struct shown *shown, const json_t *const *faults, size_t n_faults)
{
	fprintf(file, "<tr><td class=\"n\">%" JSON_INTEGER_FORMAT "</td><td class=\"n\">%" JSON_INTEGER_FORMAT "</td>",
		number_of(faults[0], "rowNumber"), number_of(faults[0], "offset"));
	for (size_t i = 0; i < shown->n_columns; i++)
		put_cell(file, faults, n_faults, shown->columns[i]);
	fputs("<td>", file);
	for (size_t i = 0; i < n_faults; i++) {
		fputs(i > 0 ? "<br/>" : "", file);
		fputs(is_warning(faults[i]) ? "warning: " : "", file);
		html_text(file, text_of(faults[i], "message"));
	}
	fputs("</td></tr>\n", file);
}

static void put_rows(FILE *file, const struct shown *shown)
{
	if (shown->n_faults == 0)
		return;
	fputs("<h3>The first of them, in their rows</h3>\n<div "
	      "class=\"scroll\"><table>\n<thead><tr><th>Row</th><th>Byte</th>",
	      file);
	for (size_t i = 0; i < shown->n_columns; i++) {
		fputs("<th>", file);
		html_text(file, json_string_value(json_array_get(shown->labels, shown->columns[i] - 1)));
		fputs("</th>", file);
	}
	fputs("<th>What is wrong</th></tr></thead>\n<tbody>\n", file);
	for (size_t i = 0, n; i < shown->n_faults; i += n) {
		for (n = 1; i + n < shown->n_faults && compare_rows(&shown->faults[i], &shown->faults[i + n]) == 0; n++)
			;
		put_row(file, shown, &shown->faults[i], n);
	}
	fputs("</tbody>\n</table></div>\n", file);
	if (shown->n_columns < shown->n_labels)
		fprintf(file,
			"<p>%zu of %zu columns are shown: the first, those at fault, and what stands beside "
			"them.</p>\n",
			shown->n_columns, shown->n_labels);
}

/* What is wrong with the table itself: its header, its bytes. */
static void put_whole(FILE *file, const json_t *errors)
{
	bool any = false;

	for (size_t i = 0; i < json_array_size(errors); i++) {
		const json_t *fault = json_array_get(errors, i);

		if (number_of(fault, "rowNumber") > 0)
			continue;
		fputs(any ? "<li>" : "<ul>\n<li>", file);
		fputs(is_warning(fault) ? "warning: " : "", file);
		html_text(file, text_of(fault, "message"));
		fputs("</li>\n", file);
		any = true;
	}
	fputs(any ? "</ul>\n" : "", file);
}

static void put_tallies(FILE *file, const json_t *tallies)
{
	fputs("<table>\n<thead><tr><th>Level</th><th>Rule</th><th>Column</th><th>How many</th><th>First in "
	      "row</th></tr></thead>\n<tbody>\n",
	      file);
	for (size_t i = 0; i < json_array_size(tallies); i++) {
		const json_t *tally = json_array_get(tallies, i);
		json_int_t row = number_of(tally, "rowNumber");

		fprintf(file, "<tr><td>%s</td><td>", is_warning(tally) ? "warning" : "error");
		html_text(file, text_of(tally, "rule"));
		fputs("</td><td>", file);
		html_text(file, text_of(tally, "fieldName"));
		fprintf(file, "</td><td class=\"n\">%" JSON_INTEGER_FORMAT "</td><td class=\"n\">",
			number_of(tally, "count"));
		if (row > 0)
			fprintf(file, "%" JSON_INTEGER_FORMAT, row);
		fputs("</td></tr>\n", file);
	}
	fputs("</tbody>\n</table>\n", file);
}

static size_t count_labels(const json_t *labels)
{
	size_t n = 0;

	while (json_is_string(json_array_get(labels, n)))
		n++;
	return n;
}

static void put_task(FILE *file, const json_t *task)
{
	const json_t *errors = json_object_get(task, "errors"), *warnings = json_object_get(task, "warnings");
	const json_t *tallies = json_object_get(task, "tallies");
	const json_t *stats = json_object_get(task, "stats"), *labels = json_object_get(task, "labels");
	struct shown shown = {.labels = labels, .n_labels = count_labels(labels)};

	fputs("<h2>", file);
	html_text(file, text_of(task, "name"));
	fprintf(file, "</h2>\n<p>%" JSON_INTEGER_FORMAT " rows of %" JSON_INTEGER_FORMAT " fields: ",
		number_of(stats, "rows"), number_of(stats, "fields"));
	put_count(file, number_of(stats, "errors"), "error");
	if (number_of(stats, "warnings") > 0) {
		fputs(", ", file);
		put_count(file, number_of(stats, "warnings"), "warning");
	}
	fputs(".</p>\n", file);
	put_whole(file, errors);
	put_whole(file, warnings);
	if (json_array_size(tallies) > 0)
		put_tallies(file, tallies);
	take_faults(&shown, errors, warnings);
	choose_columns(&shown);
	put_rows(file, &shown);
	free(shown.faults);
	free(shown.columns);
}

/* --- the page -------------------------------------------------------------------------------------------------------- */

static void put_verdict(FILE *file, const json_t *report, int64_t when)
{
	const json_t *stats = json_object_get(report, "stats");
	bool is_valid = json_is_true(json_object_get(report, "valid"));

	fprintf(file, "<div class=\"verdict\">%s: ", is_valid ? "Valid" : "Not valid");
	put_count(file, number_of(stats, "errors"), "error");
	if (number_of(stats, "warnings") > 0) {
		fputs(", ", file);
		put_count(file, number_of(stats, "warnings"), "warning");
	}
	fprintf(file, ".</div>\n<p>Validated ");
	html_time(file, when);
	fputs(" by Clapet " CLAPET_VERSION
	      ". Rows are counted with the header, which is row 1; bytes from 0, in the text as "
	      "UTF-8.</p>\n",
	      file);
}

void report_html(FILE *file, const json_t *report, const char *title, int64_t when)
{
	_cleanup_free_ char *heading = xmalloc(strlen(title) + sizeof("Validation of "));
	const json_t *tasks = json_object_get(report, "tasks");

	snprintf(heading, strlen(title) + sizeof("Validation of "), "Validation of %s", title);
	html_begin(file, heading, true);
	put_verdict(file, report, when);
	for (size_t i = 0; i < json_array_size(tasks); i++)
		put_task(file, json_array_get(tasks, i));
	html_end(file);
}
