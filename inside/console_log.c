/* SPDX-License-Identifier: ISC
 *
 * console_log: the audit log's entries, the newest first, filtered by chapter and dataset, paged by their numbers.
 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/notation.h"
#include "inside/console_pages.h"

static const char *const chapters[AUDIT_CHAPTER_N] = {
	[AUDIT_CHAPTER_ARRIVALS] = "arrivals",   [AUDIT_CHAPTER_REFUSALS] = "refusals",
	[AUDIT_CHAPTER_DECISIONS] = "decisions", [AUDIT_CHAPTER_RETENTION] = "retention",
	[AUDIT_CHAPTER_ALARMS] = "alarms",       [AUDIT_CHAPTER_CHANGES] = "changes",
};

enum audit_chapter console_chapter_parse(const char *name)
{
	enum audit_chapter chapter = 0;

	while (chapter < AUDIT_CHAPTER_N && strcmp(chapters[chapter], name) != 0)
		chapter++;
	return chapter;
}

const char *console_chapter_name(enum audit_chapter chapter)
{
	return chapters[chapter];
}

static void write_filters(const struct console_page *page, const struct console_log *log)
{
	FILE *file = page->file;

	fprintf(file,
		"<form role=\"search\" method=\"get\" action=\"/log\">\n<p><label for=\"chapter\">%s</label> "
		"<select id=\"chapter\" name=\"chapter\">\n<option value=\"\">%s</option>\n",
		console_word(page->language, WORD_LOG_CHAPTER), console_word(page->language, WORD_CHAPTER_ALL));
	for (enum audit_chapter chapter = 0; chapter < AUDIT_CHAPTER_N; chapter++)
		fprintf(file, "<option value=\"%s\"%s>%s</option>\n", chapters[chapter],
			strcmp(chapters[chapter], log->chapter) == 0 ? " selected" : "",
			console_word(page->language, console_chapter(chapter)));
	fprintf(file,
		"</select></p>\n<p><label for=\"dataset\">%s</label> <input type=\"text\" id=\"dataset\" "
		"name=\"dataset\" "
		"maxlength=\"63\" value=\"",
		console_word(page->language, WORD_LOG_DATASET));
	html_text(file, log->dataset);
	fputs("\"></p>\n", file);
	if (page->is_chosen)
		fprintf(file, "<input type=\"hidden\" name=\"lang\" value=\"%s\">\n",
			console_language_tag(page->language));
	fprintf(file, "<p><button type=\"submit\">%s</button></p>\n</form>\n", console_word(page->language, WORD_SHOW));
}

static void write_event(const struct console_page *page, const struct log_entry *entry)
{
	const char *french = page->language == CONSOLE_FR ? console_event_french(entry->event) : NULL;

	if (french != NULL)
		fputs(french, page->file);
	else
		console_english(page, audit_words(entry));
}

static void write_entry(const struct console_page *page, const struct console_entry *item)
{
	const struct log_entry *entry = &item->entry;
	FILE *file = page->file;

	fprintf(file, "<tr><th scope=\"row\" class=\"n\">%" PRIu64 "</th><td>", item->index);
	console_time(page, entry->time);
	fputs("</td><td>", file);
	write_event(page, entry);
	fputs("</td><td>", file);
	if (notation_is_name(entry->dataset))
		console_dataset_link(page, entry->dataset);
	else
		console_text(page, entry->dataset[0] == '\0' ? "–" : entry->dataset);
	if (entry->version[0] != '\0') {
		fputs("<br>", file);
		console_code(page, entry->version);
	}
	fputs("</td><td>", file);
	if (entry->code != 0) {
		_cleanup_free_ char *code = xasprintf("E%04u", entry->code);

		console_code(page, code);
		putc(' ', file);
	}
	console_english(page, entry->line);
	fputs("</td><td>", file);
	console_text(page, entry->person[0] == '\0' ? "–" : entry->person);
	if (item->name[0] != '\0') {
		fputs(" (", file);
		console_text(page, item->name);
		putc(')', file);
	}
	fputs("</td></tr>\n", file);
}

static void write_table(const struct console_page *page, const struct console_log *log)
{
	static const enum console_word columns[] = {WORD_COL_WHEN, WORD_COL_EVENT, WORD_COL_DATASET, WORD_COL_LINE,
						    WORD_COL_WHO};
	bool is_filtered = log->chapter[0] != '\0' || log->dataset[0] != '\0';
	char first[CONSOLE_TEXT_SIZE], last[CONSOLE_TEXT_SIZE], size[CONSOLE_TEXT_SIZE];

	fputs("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"entries\">\n<table>\n"
	      "<caption id=\"entries\">",
	      page->file);
	console_say_with(page, is_filtered ? WORD_LOG_MATCHING : WORD_LOG_CAPTION,
			 (const char *const[]){console_number(page->language, log->first, first),
					       console_number(page->language, log->last, last),
					       console_number(page->language, log->size, size), NULL});
	fputs("</caption>\n<thead><tr>", page->file);
	console_column_number(page, WORD_COL_ENTRY);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		console_column(page, columns[i]);
	fputs("</tr></thead>\n<tbody>\n", page->file);
	for (size_t i = 0; i < log->n_entries; i++)
		write_entry(page, &log->entries[i]);
	fputs("</tbody>\n</table>\n</div>\n", page->file);
	if (log->n_entries == 0)
		fprintf(page->file, "<p role=\"status\">%s</p>\n", console_word(page->language, WORD_LOG_NO_MATCH));
}

/* The page of entries below BEFORE (0: the newest). */
static void write_page_link(const struct console_page *page, const struct console_log *log, uint64_t before,
			    enum console_word word)
{
	_cleanup_free_ char *query = NULL;
	size_t size;
	FILE *file = open_memstream(&query, &size);

	if (file == NULL)
		die("out of memory");
	fprintf(file, "chapter=%s&dataset=", log->chapter);
	console_url(file, log->dataset);
	if (before > 0)
		fprintf(file, "&before=%" PRIu64, before);
	if (fclose(file) != 0)
		die("out of memory");
	fputs("<li><a ", page->file);
	console_href(page, "/log", query);
	fprintf(page->file, ">%s</a></li>\n", console_word(page->language, word));
}

static void write_pages(const struct console_page *page, const struct console_log *log)
{
	if (log->first == 0 && log->last + 1 >= log->size)
		return;
	fprintf(page->file, "<nav class=\"pages\" aria-label=\"%s\">\n<ul>\n",
		console_word(page->language, WORD_PAGES));
	if (log->last + 1 < log->size)
		write_page_link(page, log, 0, WORD_LOG_NEWEST);
	if (log->first > 0)
		write_page_link(page, log, log->first, WORD_LOG_OLDER);
	fputs("</ul>\n</nav>\n", page->file);
}

void console_write_log(const struct console_page *page, const struct console_log *log)
{
	console_begin(page, WORD_LOG_PAGE, console_word(page->language, WORD_THE_LOG));
	if (!log->has_log) {
		fprintf(page->file, "<p>%s</p>\n", console_word(page->language, WORD_LOG_NONE));
	} else if (log->why.fault != FAULT_NONE) {
		_cleanup_free_ char *code = xasprintf("E%04d", (int)log->why.fault);

		fputs("<p class=\"note\">", page->file);
		console_code(page, code);
		putc(' ', page->file);
		console_fault(page, log->why.fault);
		fputs("<br>", page->file);
		console_english(page, log->why.line);
		fputs("</p>\n", page->file);
	} else {
		fprintf(page->file, "<p>%s</p>\n", console_word(page->language, WORD_LOG_VERIFIED));
		write_filters(page, log);
		if (log->size > 0)
			write_table(page, log);
		write_pages(page, log);
	}
	console_end(page);
}
