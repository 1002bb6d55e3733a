/* SPDX-License-Identifier: ISC
 *
 * console_dataset: the page of one dataset: what it is, where it stands, what there is to download, its schema, who reads it. History and
 * change are console_history.c's and console_change.c's.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/notation.h"
#include "inside/console_pages.h"

const char *console_member(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text == NULL ? "" : text;
}

int64_t console_time_of(const json_t *object, const char *key)
{
	int64_t time;

	return notation_parse_time(console_member(object, key), &time) ? time : 0;
}

/* --- what it is --------------------------------------------------------------------------------------------------------- */

/* A paragraph a line: what a publisher wrote has lines. */
static void write_lines(const struct console_page *page, const char *text)
{
	for (int i = 0; i < 100 && *text != '\0'; i++) {
		size_t length = strcspn(text, "\r\n");
		_cleanup_free_ char *line = xasprintf("%.*s", (int)(length > 10000 ? 10000 : length), text);

		if (length > 0) {
			fputs("<p>", page->file);
			console_text(page, line);
			fputs("</p>\n", page->file);
		}
		text += length + strspn(text + length, "\r\n");
	}
}

/* "Licence Ouverte 2.0 (LOV2, https://…)". */
static void write_licence(const struct console_page *page, const json_t *licence)
{
	const char *title = console_member(licence, "title"), *name = console_member(licence, "name"),
		   *path = console_member(licence, "path");

	console_text(page, title[0] != '\0' ? title : name[0] != '\0' ? name : path);
	if (title[0] != '\0' && name[0] != '\0') {
		fputs(" (", page->file);
		console_code(page, name);
		putc(')', page->file);
	}
	if (path[0] != '\0' && (title[0] != '\0' || name[0] != '\0')) {
		fputs(" <span class=\"small\">", page->file);
		console_text(page, path);
		fputs("</span>", page->file);
	}
}

static void write_licences(const struct console_page *page, const json_t *package)
{
	const json_t *licences = json_object_get(package, "licenses");

	if (json_array_size(licences) == 0)
		return;
	console_item(page, WORD_LICENCES);
	for (size_t i = 0; i < json_array_size(licences) && i < 16; i++) {
		if (i > 0)
			fputs("<br>", page->file);
		write_licence(page, json_array_get(licences, i));
	}
	console_item_end(page);
}

static void write_sources(const struct console_page *page, const json_t *package)
{
	const json_t *sources = json_object_get(package, "sources");

	if (json_array_size(sources) == 0)
		return;
	console_item(page, WORD_SOURCES);
	for (size_t i = 0; i < json_array_size(sources) && i < 16; i++) {
		const json_t *source = json_array_get(sources, i);
		const char *title = console_member(source, "title"), *path = console_member(source, "path");

		if (i > 0)
			fputs("<br>", page->file);
		console_text(page, title[0] == '\0' ? path : title);
		if (title[0] != '\0' && path[0] != '\0') {
			fputs(" <span class=\"small\">", page->file);
			console_text(page, path);
			fputs("</span>", page->file);
		}
	}
	console_item_end(page);
}

/* --- where it stands ------------------------------------------------------------------------------------------------------ */

static void write_pin(const struct console_page *page, const json_t *pin)
{
	const char *version = console_member(pin, "version");
	int64_t until = console_time_of(pin, "until");
	char day[CONSOLE_TEXT_SIZE];

	if (!json_is_object(pin))
		return;
	console_item(page, WORD_STATE);
	if (until != 0)
		console_say_with(page, WORD_PIN_UNTIL,
				 (const char *const[]){version, console_moment(page->language, until, day), NULL});
	else
		console_say_with(page, WORD_PIN, (const char *const[]){version, NULL});
	if (page->is_operator) {
		putc(' ', page->file);
		console_say_with(
			page, WORD_PIN_BY,
			(const char *const[]){console_member(pin, "operator"), console_member(pin, "reason"), NULL});
	}
	console_item_end(page);
}

/* "unchanged", "new" or "failed" (bundle/FORMAT.md 6). */
static void write_source_word(const struct console_page *page, const char *state)
{
	static const struct {
		const char *state;
		enum console_word word;
	} words[] = {{"unchanged", WORD_SOURCE_UNCHANGED}, {"new", WORD_SOURCE_NEW}, {"failed", WORD_SOURCE_FAILED}};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].state, state) == 0) {
			console_say(page, words[i].word);
			return;
		}
	console_english(page, state);
}

static void write_source_state(const struct console_page *page, const json_t *status)
{
	int64_t max_age = json_integer_value(json_object_get(status, "maxAge"));
	char text[CONSOLE_TEXT_SIZE];

	if (console_time_of(status, "lastChecked") != 0) {
		console_item(page, WORD_LAST_CHECK);
		console_time(page, console_time_of(status, "lastChecked"));
		console_item_end(page);
	}
	if (console_member(status, "sourceState")[0] != '\0') {
		console_item(page, WORD_SOURCE_STATE);
		write_source_word(page, console_member(status, "sourceState"));
		if (page->is_operator && console_member(status, "sourceWhy")[0] != '\0') {
			fputs(" – ", page->file);
			console_english(page, console_member(status, "sourceWhy"));
		}
		console_item_end(page);
	}
	if (max_age > 0) {
		console_item(page, WORD_MAX_AGE);
		fputs(console_age(page->language, max_age, text), page->file);
		console_item_end(page);
	}
}

static void write_waivers(const struct console_page *page, const json_t *status)
{
	const json_t *waivers = json_object_get(status, "waivers"), *tolerated = json_object_get(status, "tolerated");

	if (json_array_size(waivers) > 0) {
		console_item(page, WORD_WAIVERS);
		for (size_t i = 0; i < json_array_size(waivers) && i < 64; i++) {
			const char *id = json_string_value(json_array_get(waivers, i));

			fputs(i == 0 ? "" : ", ", page->file);
			console_text(page, id == NULL ? "" : id);
		}
		console_item_end(page);
	}
	if (json_array_size(tolerated) == 0)
		return;
	console_item(page, WORD_LET_THROUGH);
	for (size_t i = 0; i < json_array_size(tolerated) && i < 64; i++) {
		const json_t *item = json_array_get(tolerated, i);
		char count[CONSOLE_TEXT_SIZE];

		console_number(page->language, (uint64_t)json_integer_value(json_object_get(item, "count")), count);
		fputs(i == 0 ? "" : "<br>", page->file);
		console_say_with(page, WORD_LET_THROUGH_ONE,
				 (const char *const[]){console_member(item, "resource"), console_member(item, "rule"),
						       console_member(item, "field"), count, NULL});
	}
	console_item_end(page);
}

static void write_facts(const struct console_page *page, const struct console_dataset *dataset)
{
	fputs("<section aria-labelledby=\"glance\">\n", page->file);
	console_heading(page, "glance", WORD_GLANCE);
	fputs("<dl>\n", page->file);
	console_item(page, WORD_STATE);
	if (dataset->is_other)
		console_badge_word(page, "over", WORD_STATE_OTHER);
	else
		console_badge(page, dataset->status == NULL ? "in force" : console_member(dataset->status, "state"));
	if (dataset->is_stale && !dataset->is_other) {
		putc(' ', page->file);
		console_badge_word(page, "bad", WORD_STALE);
	}
	console_item_end(page);
	console_item(page, WORD_COL_VERSION);
	if (dataset->version[0] == '\0')
		console_say(page, WORD_NOTHING_IN_FORCE);
	else
		console_code(page, dataset->version);
	console_item_end(page);
	console_item(page, WORD_DATE_PUBLISHED);
	console_when_published(page, dataset->date);
	console_item_end(page);
	if (dataset->since != 0) {
		console_item(page, WORD_IN_FORCE_SINCE);
		console_time(page, dataset->since);
		console_item_end(page);
	}
	write_licences(page, dataset->package);
	write_sources(page, dataset->package);
	write_source_state(page, dataset->status);
	write_pin(page, json_object_get(dataset->status, "pin"));
	write_waivers(page, dataset->status);
	fputs("</dl>\n</section>\n", page->file);
}

static void write_withdrawn(const struct console_page *page, const json_t *withdrawn)
{
	char day[CONSOLE_TEXT_SIZE];
	const char *date = console_member(withdrawn, "date"), *by = console_member(withdrawn, "replacedBy");

	if (!json_is_object(withdrawn))
		return;
	fputs("<p class=\"note\">", page->file);
	console_say_with(page, WORD_WITHDRAWN_ON,
			 (const char *const[]){console_published(page->language, date, day),
					       console_member(withdrawn, "reason"), NULL});
	if (by[0] != '\0') {
		putc(' ', page->file);
		console_say_with(page, WORD_REPLACED_BY, (const char *const[]){by, NULL});
	}
	fputs("</p>\n", page->file);
}

/* --- downloads ------------------------------------------------------------------------------------------------------------ */

static void write_digest(const struct console_page *page, enum console_word word, const char *hex)
{
	if (hex[0] == '\0')
		return;
	fprintf(page->file, "<span class=\"digest\">%s <code>", console_word(page->language, word));
	html_text(page->file, hex);
	fputs("</code></span> ", page->file);
}

/* The link to FILE of the dataset, with QUERY; its text is WORD, or the file's name where that is WORD_N. */
static void write_file_link(const struct console_page *page, const struct console_dataset *dataset, const char *file,
			    const char *query, enum console_word word)
{
	_cleanup_free_ char *path = NULL;
	size_t size;
	FILE *memory = open_memstream(&path, &size);

	if (memory == NULL)
		die("out of memory");
	fprintf(memory, "/datasets/%s/", dataset->name);
	console_url(memory, file);
	if (fclose(memory) != 0)
		die("out of memory");
	fprintf(page->file, "<a href=\"%s%s%s%s\">", page->base, path, query[0] == '\0' ? "" : "?", query);
	if (word == WORD_N)
		console_text(page, file);
	else
		console_say(page, word);
	fputs("</a>", page->file);
}

static void write_file(const struct console_page *page, const struct console_dataset *dataset,
		       const struct console_file *item)
{
	static const struct {
		const char *name;
		enum console_word word;
	} documents[] = {{"datapackage.json", WORD_PACKAGE_FILE},
			 {"provenance.intoto.json", WORD_PROVENANCE_FILE},
			 {"test-result.intoto.json", WORD_TESTS_FILE}};
	FILE *file = page->file;

	fputs("<tr><th scope=\"row\">", file);
	write_file_link(page, dataset, item->name, "", WORD_N);
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++)
		if (strcmp(item->name, documents[i].name) == 0)
			fprintf(file, "<br><span class=\"small\">%s</span>",
				console_word(page->language, documents[i].word));
	fputs("</th><td>", file);
	if (item->has_rows) {
		write_file_link(page, dataset, item->resource, "for=tableur", WORD_FOR_SPREADSHEET);
		fputs("<br>", file);
		write_file_link(page, dataset, item->resource, "format=json&amp;limit=100", WORD_ROWS_JSON);
	} else {
		fputs("–", file);
	}
	fputs("</td><td class=\"n\">", file);
	if (item->rows == CONSOLE_UNKNOWN)
		fputs("–", file);
	else
		console_numeral(page, item->rows);
	fputs("</td><td class=\"n\">", file);
	console_bytes(page, item->size);
	fputs("</td><td>", file);
	write_digest(page, WORD_AS_PUBLISHED, item->published);
	write_digest(page, WORD_AS_STORED, item->stored);
	fputs("</td></tr>\n", file);
}

static void write_downloads(const struct console_page *page, const struct console_dataset *dataset)
{
	static const enum console_word columns[] = {WORD_COL_FILE, WORD_COL_FORMATS};

	if (dataset->n_files == 0)
		return;
	fputs("<section aria-labelledby=\"downloads\">\n", page->file);
	console_heading(page, "downloads", WORD_DOWNLOADS);
	fputs("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"files\">\n<table>\n"
	      "<caption id=\"files\">",
	      page->file);
	console_say_with(page, WORD_DOWNLOADS_CAPTION, (const char *const[]){dataset->version, NULL});
	fputs("</caption>\n<thead><tr>", page->file);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		console_column(page, columns[i]);
	console_column_number(page, WORD_COL_ROWS);
	console_column_number(page, WORD_COL_SIZE);
	console_column(page, WORD_COL_DIGESTS);
	fputs("</tr></thead>\n<tbody>\n", page->file);
	for (size_t i = 0; i < dataset->n_files; i++)
		write_file(page, dataset, &dataset->files[i]);
	fputs("</tbody>\n</table>\n</div>\n", page->file);
	if (dataset->has_sqlite) {
		fputs("<p>", page->file);
		write_file_link(page, dataset, "rows.sqlite", "", WORD_SQLITE_FILE);
		fputs("</p>\n", page->file);
	}
	fputs("</section>\n", page->file);
}

/* --- readers ---------------------------------------------------------------------------------------------------------------- */

static void write_reader(const struct console_page *page, const struct console_reader *reader)
{
	fputs("<tr><th scope=\"row\">", page->file);
	console_text(page, reader->application);
	fputs("</th>", page->file);
	if (page->is_operator) {
		fputs("<td>", page->file);
		console_text(page, reader->contact[0] == '\0' ? "–" : reader->contact);
		fputs("</td>", page->file);
	}
	fputs("<td>", page->file);
	console_text(page, reader->resource);
	fputs("</td><td>", page->file);
	console_text(page, reader->fields == NULL ? "" : reader->fields);
	fputs("</td></tr>\n", page->file);
}

static void write_readers(const struct console_page *page, const struct console_dataset *dataset)
{
	fputs("<section aria-labelledby=\"readers\">\n", page->file);
	console_heading(page, "readers", WORD_READERS);
	if (dataset->n_readers == 0) {
		fprintf(page->file, "<p>%s</p>\n</section>\n",
			console_word(page->language,
				     dataset->are_readers_known ? WORD_READERS_NONE : WORD_READERS_UNKNOWN));
		return;
	}
	fputs("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"contracts\">\n<table>\n"
	      "<caption id=\"contracts\">",
	      page->file);
	console_say(page, WORD_READERS_CAPTION);
	fputs("</caption>\n<thead><tr>", page->file);
	console_column(page, WORD_COL_APPLICATION);
	if (page->is_operator)
		console_column(page, WORD_COL_CONTACT);
	console_column(page, WORD_COL_RESOURCE);
	console_column(page, WORD_COL_FIELDS);
	fputs("</tr></thead>\n<tbody>\n", page->file);
	for (size_t i = 0; i < dataset->n_readers; i++)
		write_reader(page, &dataset->readers[i]);
	fputs("</tbody>\n</table>\n</div>\n</section>\n", page->file);
}

/* --- the page --------------------------------------------------------------------------------------------------------------- */

void console_write_dataset(const struct console_page *page, const struct console_dataset *dataset)
{
	const char *title = console_member(dataset->package, "title");
	const char *description = console_member(dataset->package, "description");

	if (title[0] == '\0')
		title = console_member(dataset->status, "title");
	console_begin(page, WORD_N, title[0] == '\0' ? dataset->name : title);
	fputs("<p class=\"name\">", page->file);
	console_code(page, dataset->name);
	fputs("</p>\n", page->file);
	write_withdrawn(page, json_object_get(dataset->status, "withdrawn"));
	write_facts(page, dataset);
	if (!dataset->is_other && console_member(dataset->status, "fault")[0] != '\0') {
		fputs("<section aria-labelledby=\"held\">\n", page->file);
		console_heading(page, "held", WORD_HELD_WHY);
		console_write_why(page, dataset->status, page->is_operator);
		fputs("</section>\n", page->file);
	}
	if (description[0] != '\0') {
		fputs("<section aria-labelledby=\"description\">\n", page->file);
		console_heading(page, "description", WORD_DESCRIPTION);
		write_lines(page, description);
		fputs("</section>\n", page->file);
	}
	if (dataset->filtered[0] != '\0') {
		fputs("<p class=\"note\">", page->file);
		console_say_with(page, WORD_FILTERED, (const char *const[]){dataset->filtered, NULL});
		fputs("</p>\n", page->file);
	}
	write_downloads(page, dataset);
	console_write_schema(page, dataset);
	console_write_history(page, dataset);
	console_write_change(page, dataset);
	write_readers(page, dataset);
	console_end(page);
}
