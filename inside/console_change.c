/* SPDX-License-Identifier: ISC
 *
 * console_change: what the last change of a dataset was, told from the two descriptions: rows, fields, types, licence. Row by row it is
 * /datasets/NAME/diff that tells.
 */
#include <string.h>

#include "base/cleanup.h"
#include "inside/console_pages.h"

/* The item of ARRAY of that name; NULL. */
static const json_t *named(const json_t *array, const char *name)
{
	for (size_t i = 0; i < json_array_size(array); i++)
		if (strcmp(console_member(json_array_get(array, i), "name"), name) == 0)
			return json_array_get(array, i);
	return NULL;
}

static const json_t *fields_of(const json_t *resource)
{
	return json_object_get(json_object_get(resource, "schema"), "fields");
}

static void write_rows(const struct console_page *page, const json_t *resource)
{
	const json_t *rows = json_object_get(json_object_get(resource, "clapet"), "rows");
	const json_t *bytes = json_object_get(resource, "bytes");
	char text[CONSOLE_TEXT_SIZE];

	if (resource == NULL) {
		fputs("–", page->file);
		return;
	}
	if (json_is_integer(rows)) {
		console_say_with(
			page, json_integer_value(rows) == 1 ? WORD_ROWS_ONE : WORD_ROWS_N,
			(const char *const[]){console_number(page->language, (uint64_t)json_integer_value(rows), text),
					      NULL});
		fputs(", ", page->file);
	}
	console_bytes(page, (uint64_t)json_integer_value(bytes));
}

/* A line each; at most CONSOLE_FIELDS_SHOWN. How many there were. */
static size_t write_fields(const struct console_page *page, const json_t *before, const json_t *after)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(after) && n < CONSOLE_FIELDS_SHOWN; i++) {
		const json_t *now = json_array_get(after, i), *old = named(before, console_member(now, "name"));
		const char *name = console_member(now, "name"), *type = console_member(now, "type");

		if (old != NULL && strcmp(console_member(old, "type"), type) == 0)
			continue;
		fputs("<br>", page->file);
		if (old == NULL)
			console_say_with(page, WORD_FIELD_ADDED, (const char *const[]){name, NULL});
		else
			console_say_with(page, WORD_FIELD_TYPE,
					 (const char *const[]){name, console_member(old, "type"), type, NULL});
		n++;
	}
	for (size_t i = 0; i < json_array_size(before) && n < CONSOLE_FIELDS_SHOWN; i++) {
		const char *name = console_member(json_array_get(before, i), "name");

		if (named(after, name) != NULL)
			continue;
		fputs("<br>", page->file);
		console_say_with(page, WORD_FIELD_REMOVED, (const char *const[]){name, NULL});
		n++;
	}
	return n;
}

static void write_resource(const struct console_page *page, const char *name, const json_t *before, const json_t *after)
{
	const char *old = console_member(before, "hash"), *now = console_member(after, "hash");
	enum console_word word = before == NULL          ? WORD_CHANGE_ADDED
				 : after == NULL         ? WORD_CHANGE_REMOVED
				 : strcmp(old, now) == 0 ? WORD_CHANGE_SAME
							 : WORD_CHANGE_CONTENT;

	fputs("<tr><th scope=\"row\">", page->file);
	console_text(page, name);
	fputs("</th><td>", page->file);
	write_rows(page, before);
	fputs("</td><td>", page->file);
	write_rows(page, after);
	fputs("</td><td>", page->file);
	console_say(page, word);
	if (before != NULL && after != NULL)
		write_fields(page, fields_of(before), fields_of(after));
	fputs("</td></tr>\n", page->file);
}

/* The names of its licences, "LOV2". Borrowed: of the first. */
static const char *licence_of(const json_t *package)
{
	const json_t *licence = json_array_get(json_object_get(package, "licenses"), 0);
	const char *name = console_member(licence, "name");

	return name[0] == '\0' ? console_member(licence, "path") : name;
}

static void write_table(const struct console_page *page, const struct console_dataset *dataset)
{
	const json_t *before = json_object_get(dataset->previous, "resources"),
		     *after = json_object_get(dataset->package, "resources");

	fputs("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"changes\">\n<table>\n"
	      "<caption id=\"changes\">",
	      page->file);
	console_say(page, WORD_CHANGE_CAPTION);
	fputs("</caption>\n<thead><tr>", page->file);
	console_column(page, WORD_COL_RESOURCE);
	console_column(page, WORD_COL_BEFORE);
	console_column(page, WORD_COL_AFTER);
	console_column(page, WORD_COL_CHANGE);
	fputs("</tr></thead>\n<tbody>\n", page->file);
	for (size_t i = 0; i < json_array_size(after) && i < CONSOLE_RESOURCES_SHOWN; i++) {
		const char *name = console_member(json_array_get(after, i), "name");

		write_resource(page, name, named(before, name), json_array_get(after, i));
	}
	for (size_t i = 0; i < json_array_size(before) && i < CONSOLE_RESOURCES_SHOWN; i++) {
		const char *name = console_member(json_array_get(before, i), "name");

		if (named(after, name) == NULL)
			write_resource(page, name, json_array_get(before, i), NULL);
	}
	fputs("</tbody>\n</table>\n</div>\n", page->file);
}

void console_write_change(const struct console_page *page, const struct console_dataset *dataset)
{
	const char *before = licence_of(dataset->previous), *after = licence_of(dataset->package);

	if (dataset->version[0] == '\0' || dataset->filtered[0] != '\0')
		return;
	fputs("<section aria-labelledby=\"change\">\n", page->file);
	console_heading(page, "change", WORD_LAST_CHANGE);
	fputs("<p>", page->file);
	if (dataset->before[0] == '\0')
		console_say(page, WORD_CHANGE_NONE);
	else if (dataset->previous == NULL)
		console_say_with(page, WORD_CHANGE_GONE, (const char *const[]){dataset->before, NULL});
	else
		console_say_with(page, WORD_CHANGE_FROM_TO,
				 (const char *const[]){dataset->before, dataset->version, NULL});
	fputs("</p>\n", page->file);
	if (dataset->previous != NULL) {
		if (strcmp(before, after) != 0) {
			fputs("<p class=\"note\">", page->file);
			console_say_with(page, WORD_LICENCE_CHANGED, (const char *const[]){before, after, NULL});
			fputs("</p>\n", page->file);
		}
		write_table(page, dataset);
		fprintf(page->file, "<p><a href=\"%s/datasets/%s/diff?from=%s&amp;to=%s\">%s</a></p>\n", page->base,
			dataset->name, dataset->before, dataset->version,
			console_word(page->language, WORD_CHANGE_ROWS_LINK));
	}
	fputs("</section>\n", page->file);
}
