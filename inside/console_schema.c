/* SPDX-License-Identifier: ISC
 *
 * console_schema: a dataset's schemas as tables: field, type, constraints, description.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "inside/console_pages.h"

/* A constraint's value as its schema has it: a text, or JSON; "" where there is none. New text. */
static char *value_of(const json_t *value)
{
	char *text;

	if (value == NULL)
		return xstrdup("");
	if (json_is_string(value))
		return xstrdup(json_string_value(value));
	text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	return text == NULL ? xstrdup("?") : text;
}

/* "a, b, c": of a list, or of the one text that a key may be. New text; at most 20 of them. */
static char *list_of(const json_t *value)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (file == NULL)
		die("out of memory");
	if (json_is_string(value))
		fputs(json_string_value(value), file);
	for (size_t i = 0; i < json_array_size(value) && i < 20; i++) {
		_cleanup_free_ char *item = value_of(json_array_get(value, i));

		fprintf(file, "%s%s", i == 0 ? "" : ", ", item[0] == '\0' ? "\"\"" : item);
	}
	if (json_array_size(value) > 20)
		fputs(", …", file);
	if (fclose(file) != 0)
		die("out of memory");
	return text;
}

static void write_constraints(const struct console_page *page, const json_t *constraints)
{
	static const struct {
		const char *key;
		enum console_word word;
	} kinds[] = {{"pattern", WORD_PATTERN},      {"minimum", WORD_MINIMUM},      {"maximum", WORD_MAXIMUM},
		     {"minLength", WORD_MIN_LENGTH}, {"maxLength", WORD_MAX_LENGTH}, {"enum", WORD_ONE_OF}};
	const char *separator = "";

	if (json_is_true(json_object_get(constraints, "required"))) {
		console_say(page, WORD_REQUIRED);
		separator = ", ";
	}
	if (json_is_true(json_object_get(constraints, "unique"))) {
		fputs(separator, page->file);
		console_say(page, WORD_UNIQUE);
		separator = ", ";
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const json_t *value = json_object_get(constraints, kinds[i].key);
		_cleanup_free_ char *text = json_is_array(value) ? list_of(value) : value_of(value);

		if (value == NULL)
			continue;
		fputs(separator, page->file);
		console_say_with(page, kinds[i].word, (const char *const[]){text, NULL});
		separator = ", ";
	}
	if (separator[0] == '\0')
		fputs("–", page->file);
}

static void write_field(const struct console_page *page, const json_t *field)
{
	const char *title = console_member(field, "title"), *description = console_member(field, "description"),
		   *type = console_member(field, "type"), *format = console_member(field, "format");

	fputs("<tr><th scope=\"row\">", page->file);
	console_code(page, console_member(field, "name"));
	if (title[0] != '\0') {
		fputs("<br><span class=\"small\">", page->file);
		console_text(page, title);
		fputs("</span>", page->file);
	}
	fputs("</th><td>", page->file);
	console_text(page, type[0] == '\0' ? "any" : type);
	if (format[0] != '\0' && strcmp(format, "default") != 0) {
		fputs(" (", page->file);
		console_text(page, format);
		putc(')', page->file);
	}
	fputs("</td><td>", page->file);
	write_constraints(page, json_object_get(field, "constraints"));
	fputs("</td><td>", page->file);
	console_text(page, description);
	fputs("</td></tr>\n", page->file);
}

static void write_keys(const struct console_page *page, const json_t *schema)
{
	const json_t *foreign = json_object_get(schema, "foreignKeys"),
		     *primary = json_object_get(schema, "primaryKey");

	if (primary != NULL) {
		_cleanup_free_ char *fields = list_of(primary);

		fputs("<p>", page->file);
		console_say_with(page, WORD_PRIMARY_KEY, (const char *const[]){fields, NULL});
		fputs("</p>\n", page->file);
	}
	for (size_t i = 0; i < json_array_size(foreign) && i < 20; i++) {
		const json_t *key = json_array_get(foreign, i), *to = json_object_get(key, "reference");
		_cleanup_free_ char *fields = list_of(json_object_get(key, "fields"));
		_cleanup_free_ char *there = list_of(json_object_get(to, "fields"));
		const char *package = console_member(to, "package"), *resource = console_member(to, "resource");
		_cleanup_free_ char *target = xasprintf("%s%s%s.%s", package, package[0] == '\0' ? "" : ".", resource,
							there);

		fputs("<p>", page->file);
		console_say_with(page, WORD_FOREIGN_KEY, (const char *const[]){fields, target, NULL});
		fputs("</p>\n", page->file);
	}
}

static void write_cut(const struct console_page *page, size_t n)
{
	char shown[CONSOLE_TEXT_SIZE], all[CONSOLE_TEXT_SIZE];

	fputs("<p>", page->file);
	console_say_with(page, WORD_FIELDS_CUT,
			 (const char *const[]){console_number(page->language, CONSOLE_FIELDS_SHOWN, shown),
					       console_number(page->language, n, all), NULL});
	fputs("</p>\n", page->file);
}

static void write_schema(const struct console_page *page, size_t index, const json_t *resource)
{
	const json_t *schema = json_object_get(resource, "schema"), *fields = json_object_get(schema, "fields");
	const char *name = console_member(resource, "name"), *title = console_member(resource, "title");
	size_t n = json_array_size(fields);

	fputs("<h3>", page->file);
	console_text(page, title[0] == '\0' ? name : title);
	fputs("</h3>\n", page->file);
	if (n == 0) {
		fprintf(page->file, "<p>%s</p>\n", console_word(page->language, WORD_NO_SCHEMA));
		return;
	}
	fprintf(page->file,
		"<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"schema%zu\">\n<table>\n"
		"<caption id=\"schema%zu\">",
		index, index);
	console_say_with(page, WORD_SCHEMA_CAPTION, (const char *const[]){name, NULL});
	fputs("</caption>\n<thead><tr>", page->file);
	console_column(page, WORD_COL_FIELD);
	console_column(page, WORD_COL_TYPE);
	console_column(page, WORD_COL_CONSTRAINTS);
	console_column(page, WORD_COL_DESCRIPTION);
	fputs("</tr></thead>\n<tbody>\n", page->file);
	for (size_t i = 0; i < n && i < CONSOLE_FIELDS_SHOWN; i++)
		write_field(page, json_array_get(fields, i));
	fputs("</tbody>\n</table>\n</div>\n", page->file);
	if (n > CONSOLE_FIELDS_SHOWN)
		write_cut(page, n);
	write_keys(page, schema);
}

void console_write_schema(const struct console_page *page, const struct console_dataset *dataset)
{
	const json_t *resources = json_object_get(dataset->package, "resources");

	if (json_array_size(resources) == 0)
		return;
	fputs("<section aria-labelledby=\"schema\">\n", page->file);
	console_heading(page, "schema", WORD_SCHEMA);
	for (size_t i = 0; i < json_array_size(resources) && i < CONSOLE_RESOURCES_SHOWN; i++)
		write_schema(page, i, json_array_get(resources, i));
	fputs("</section>\n", page->file);
}
