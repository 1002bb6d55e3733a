/* SPDX-License-Identifier: ISC
 *
 * console_held: what waits and why, with the report of what is in quarantine, and the exact next command. Deciding stays a command on the host.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/notation.h"
#include "inside/console_pages.h"

/* --- breaks -------------------------------------------------------------------------------------------------------------- */

static void write_application(const struct console_page *page, const char *application)
{
	if (application[0] == '\0')
		console_say(page, WORD_APPLICATION_POLICY);
	else if (application[0] == '*')
		console_say(page, WORD_APPLICATION_SCHEMA);
	else
		console_text(page, application);
}

static void write_cell(const struct console_page *page, const char *text)
{
	fputs("<td>", page->file);
	console_text(page, text[0] == '\0' ? "–" : text);
	fputs("</td>", page->file);
}

static void write_break(const struct console_page *page, const json_t *item)
{
	const char *resource = console_member(item, "resource"), *field = console_member(item, "field");
	_cleanup_free_ char *where = xasprintf("%s%s%s", resource, field[0] == '\0' ? "" : ".", field);
	const json_t *row = json_object_get(item, "row");
	FILE *file = page->file;

	fputs("<tr><th scope=\"row\">", file);
	write_application(page, console_member(item, "application"));
	fputs("</th>", file);
	write_cell(page, where);
	fputs("<td>", file);
	console_code(page, console_member(item, "fault"));
	putc(' ', file);
	console_english(page, console_member(item, "rule"));
	if (!json_is_true(json_object_get(item, "approvable"))) {
		fputs("<br>", file);
		console_badge_word(page, "bad", WORD_NOT_APPROVABLE);
	}
	fputs("</td><td>", file);
	console_english(page, console_member(item, "line"));
	fputs("</td>", file);
	write_cell(page, console_member(item, "old"));
	write_cell(page, console_member(item, "new"));
	fputs("<td class=\"n\">", file);
	if (json_is_integer(row) && json_integer_value(row) >= 0)
		console_numeral(page, (uint64_t)json_integer_value(row));
	else
		fputs("–", file);
	fputs("</td>", file);
	write_cell(page, console_member(item, "value"));
	fputs("</tr>\n", file);
}

static void write_more(const struct console_page *page, size_t n)
{
	char text[CONSOLE_TEXT_SIZE];

	fputs("<p>", page->file);
	console_say_with(page, WORD_AND_MORE, (const char *const[]){console_number(page->language, n, text), NULL});
	fputs("</p>\n", page->file);
}

/* Opens a table in a region of its own that scrolls: NAME, the dataset's, tells it from the others of the page. */
static void begin_table(const struct console_page *page, const char *kind, const char *name, enum console_word caption)
{
	fprintf(page->file,
		"<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"%s-%s\">\n<table>\n<caption "
		"id=\"%s-%s\">%s (%s)</caption>\n<thead><tr>",
		kind, name, kind, name, console_word(page->language, caption), name);
}

static void end_table(const struct console_page *page)
{
	fputs("</tbody>\n</table>\n</div>\n", page->file);
}

static void write_breaks(const struct console_page *page, const char *name, const json_t *breaks)
{
	static const enum console_word columns[] = {WORD_COL_APPLICATION, WORD_COL_FIELD, WORD_COL_RULE,
						    WORD_COL_WHAT,        WORD_COL_OLD,   WORD_COL_NEW};
	size_t n = json_array_size(breaks);

	if (n == 0)
		return;
	begin_table(page, "breaks", name, WORD_BREAKS_CAPTION);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		console_column(page, columns[i]);
	console_column_number(page, WORD_COL_ROW);
	console_column(page, WORD_COL_VALUE);
	fputs("</tr></thead>\n<tbody>\n", page->file);
	for (size_t i = 0; i < n && i < CONSOLE_BREAKS_SHOWN; i++)
		write_break(page, json_array_get(breaks, i));
	end_table(page);
	if (n > CONSOLE_BREAKS_SHOWN)
		write_more(page, n - CONSOLE_BREAKS_SHOWN);
}

static void write_missing(const struct console_page *page, const char *name, const json_t *missing)
{
	size_t n = json_array_size(missing);

	if (n == 0)
		return;
	begin_table(page, "missing", name, WORD_MISSING_CAPTION);
	console_column(page, WORD_COL_NAME);
	console_column(page, WORD_COL_KIND);
	console_column_number(page, WORD_COL_SIZE);
	fputs("</tr></thead>\n<tbody>\n", page->file);
	for (size_t i = 0; i < n && i < CONSOLE_BREAKS_SHOWN; i++) {
		const json_t *item = json_array_get(missing, i);
		bool is_blob = strcmp(console_member(item, "kind"), "blob") == 0;

		fputs("<tr><th scope=\"row\">", page->file);
		console_code(page, console_member(item, "name"));
		fprintf(page->file, "</th><td>%s</td><td class=\"n\">",
			console_word(page->language, is_blob ? WORD_KIND_BLOB : WORD_KIND_METADATA));
		console_bytes(page, (uint64_t)json_integer_value(json_object_get(item, "size")));
		fputs("</td></tr>\n", page->file);
	}
	end_table(page);
	if (n > CONSOLE_BREAKS_SHOWN)
		write_more(page, n - CONSOLE_BREAKS_SHOWN);
}

/* --- why ------------------------------------------------------------------------------------------------------------------ */

/* Names are checked: what stands in a command to copy is never others' text. */
static void write_next(const struct console_page *page, const json_t *status)
{
	const char *name = console_member(status, "name"), *state = console_member(status, "state");
	_cleanup_free_ char *command = NULL;

	if (!notation_is_name(name))
		return;
	if (json_is_object(json_object_get(status, "pin")))
		command = xasprintf("clapet-inside release %s", name);
	else if (strcmp(state, "held") == 0)
		command = xasprintf("clapet-inside approve %s --reason \"%s\"", name,
				    console_word(page->language, WORD_REASON_HERE));
	else if (strcmp(state, "missing") == 0)
		command = xstrdup("clapet-inside missing");
	else
		command = xasprintf("clapet-inside quarantine %s", name);
	fprintf(page->file, "<p>%s</p>\n", console_word(page->language, WORD_NEXT_COMMAND));
	console_command(page, command);
}

void console_write_why(const struct console_page *page, const json_t *status, bool details)
{
	enum fault fault = fault_by_code(console_member(status, "fault"));
	const char *trusted = console_member(status, "trusted"), *version = console_member(status, "version");

	fputs("<p class=\"why\">", page->file);
	console_code(page, console_member(status, "fault"));
	putc(' ', page->file);
	console_fault(page, fault);
	fputs("</p>\n<p>", page->file);
	if (trusted[0] != '\0' && strcmp(trusted, version) != 0) {
		console_say_with(page, WORD_HELD_NEWER, (const char *const[]){trusted, NULL});
		putc(' ', page->file);
	}
	if (version[0] != '\0')
		console_say_with(page, WORD_HELD_STAYS, (const char *const[]){version, NULL});
	fputs("</p>\n", page->file);
	if (!details) {
		fprintf(page->file, "<p class=\"small\">%s</p>\n",
			console_word(page->language, WORD_HELD_FOR_OPERATORS));
		return;
	}
	fputs("<p>", page->file);
	console_english(page, console_member(status, "why"));
	fprintf(page->file, "</p>\n<p><strong>%s</strong> – ", console_word(page->language, WORD_CAUSE));
	console_english(page, fault_cause(fault));
	putc(' ', page->file);
	console_english(page, fault_next(fault));
	fputs("</p>\n", page->file);
	write_breaks(page, console_member(status, "name"), json_object_get(status, "breaks"));
	write_missing(page, console_member(status, "name"), json_object_get(status, "missing"));
	write_next(page, status);
}

/* --- the report (in the shape of Frictionless's) ----------------------------------------------------------------------------- */

static void write_error(const struct console_page *page, const char *resource, const json_t *error)
{
	const json_t *row = json_object_get(error, "rowNumber");
	const char *field = console_member(error, "fieldName");

	fputs("<tr><th scope=\"row\">", page->file);
	console_text(page, resource);
	if (field[0] != '\0') {
		putc('.', page->file);
		console_text(page, field);
	}
	fputs("</th><td class=\"n\">", page->file);
	if (json_is_integer(row) && json_integer_value(row) >= 0)
		console_numeral(page, (uint64_t)json_integer_value(row));
	else
		fputs("–", page->file);
	fputs("</td><td>", page->file);
	console_english(page, console_member(error, "title"));
	fputs("</td><td>", page->file);
	console_english(page, console_member(error, "message"));
	fputs("</td></tr>\n", page->file);
}

static void write_report(const struct console_page *page, const char *name, const json_t *report)
{
	const json_t *tasks = json_object_get(report, "tasks");
	size_t n = 0;

	if (!json_is_array(tasks))
		return;
	fprintf(page->file, "<h3>%s</h3>\n", console_word(page->language, WORD_REPORT));
	begin_table(page, "report", name, WORD_REPORT_CAPTION);
	console_column(page, WORD_COL_FIELD);
	console_column_number(page, WORD_COL_ROW);
	console_column(page, WORD_COL_RULE);
	console_column(page, WORD_COL_WHAT);
	fputs("</tr></thead>\n<tbody>\n", page->file);
	for (size_t i = 0; i < json_array_size(tasks); i++) {
		const json_t *task = json_array_get(tasks, i), *errors = json_object_get(task, "errors");

		for (size_t j = 0; j < json_array_size(errors) && n < CONSOLE_ERRORS_SHOWN; j++, n++)
			write_error(page, console_member(task, "name"), json_array_get(errors, j));
	}
	end_table(page);
}

/* --- the page ---------------------------------------------------------------------------------------------------------------- */

void console_write_held(const struct console_page *page, const struct console_held *held, size_t n_held)
{
	console_begin(page, WORD_HELD_PAGE, console_word(page->language, WORD_HELD_WHY));
	fprintf(page->file, "<p>%s</p>\n",
		console_word(page->language, n_held == 0 ? WORD_HELD_NOTHING : WORD_HELD_INTRO));
	for (size_t i = 0; i < n_held; i++) {
		const char *name = console_member(held[i].status, "name");

		if (!notation_is_name(name))
			continue;
		fprintf(page->file, "<section aria-labelledby=\"held-%s\">\n<h2 id=\"held-%s\">", name, name);
		console_dataset_link(page, name);
		putc(' ', page->file);
		console_badge(page, console_member(held[i].status, "state"));
		fputs("</h2>\n", page->file);
		console_write_why(page, held[i].status, true);
		write_report(page, name, held[i].report);
		fputs("</section>\n", page->file);
	}
	console_end(page);
}
