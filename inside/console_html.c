/* SPDX-License-Identifier: ISC
 *
 * console_html: see console_html.h.
 */
#include "inside/console_html.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/notation.h"

/* --- words and texts -------------------------------------------------------------------------------------------------- */

void console_say(const struct console_page *page, enum console_word word)
{
	fputs(console_word(page->language, word), page->file);
}

void console_say_with(const struct console_page *page, enum console_word word, const char *const *values)
{
	size_t n = 0;

	while (values[n] != NULL)
		n++;
	for (const char *at = console_word(page->language, word); *at != '\0'; at++) {
		if (at[0] == '{' && at[1] >= '1' && at[1] <= '9' && at[2] == '}' && (size_t)(at[1] - '1') < n) {
			html_text(page->file, values[at[1] - '1']);
			at += 2;
		} else {
			putc(*at, page->file);
		}
	}
}

void console_text(const struct console_page *page, const char *text)
{
	html_text(page->file, text);
}

void console_english(const struct console_page *page, const char *text)
{
	if (page->language != CONSOLE_EN)
		fputs("<span lang=\"en\">", page->file);
	html_text(page->file, text);
	if (page->language != CONSOLE_EN)
		fputs("</span>", page->file);
}

void console_code(const struct console_page *page, const char *text)
{
	fputs("<code>", page->file);
	html_text(page->file, text);
	fputs("</code>", page->file);
}

void console_command(const struct console_page *page, const char *text)
{
	fputs("<p class=\"command\"><code>", page->file);
	html_text(page->file, text);
	fprintf(page->file,
		"</code> <button type=\"button\" class=\"copy\" hidden data-copied=\"%s\">%s</button></p>\n",
		console_word(page->language, WORD_COPIED), console_word(page->language, WORD_COPY));
}

void console_heading(const struct console_page *page, const char *id, enum console_word word)
{
	if (id == NULL)
		fputs("<h2>", page->file);
	else
		fprintf(page->file, "<h2 id=\"%s\">", id);
	console_say(page, word);
	fputs("</h2>\n", page->file);
}

void console_item(const struct console_page *page, enum console_word word)
{
	fprintf(page->file, "<div><dt>%s</dt><dd>", console_word(page->language, word));
}

void console_item_end(const struct console_page *page)
{
	fputs("</dd></div>\n", page->file);
}

void console_column(const struct console_page *page, enum console_word word)
{
	fprintf(page->file, "<th scope=\"col\">%s</th>", console_word(page->language, word));
}

void console_column_number(const struct console_page *page, enum console_word word)
{
	fprintf(page->file, "<th scope=\"col\" class=\"n\">%s</th>", console_word(page->language, word));
}

/* --- links ------------------------------------------------------------------------------------------------------------ */

void console_url(FILE *file, const char *text)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *text != '\0'; text++) {
		if (strchr(unreserved, *text) != NULL)
			putc(*text, file);
		else
			fprintf(file, "%%%02X", (unsigned char)*text);
	}
}

/* QUERY has "&" between its parts: in HTML that is &amp;. */
static void write_query(FILE *file, const char *query)
{
	for (; *query != '\0'; query++) {
		if (*query == '&')
			fputs("&amp;", file);
		else
			putc(*query, file);
	}
}

static void write_href(const struct console_page *page, const char *path, const char *query, const char *lang)
{
	/* Only the whole's root ends with a slash. */
	fprintf(page->file, "href=\"%s%s", page->base, page->base[0] != '\0' && strcmp(path, "/") == 0 ? "" : path);
	if (query[0] != '\0') {
		putc('?', page->file);
		write_query(page->file, query);
	}
	if (lang != NULL)
		fprintf(page->file, "%slang=%s", query[0] == '\0' ? "?" : "&amp;", lang);
	putc('"', page->file);
}

void console_href(const struct console_page *page, const char *path, const char *query)
{
	write_href(page, path, query, page->is_chosen ? console_language_tag(page->language) : NULL);
}

void console_dataset_link(const struct console_page *page, const char *name)
{
	_cleanup_free_ char *path = xasprintf("/datasets/%s", name);

	fputs("<a ", page->file);
	console_href(page, notation_is_name(name) ? path : "/", "");
	putc('>', page->file);
	html_text(page->file, name);
	fputs("</a>", page->file);
}

/* --- the frame -------------------------------------------------------------------------------------------------------- */

static void write_nav(const struct console_page *page, enum console_word here)
{
	static const struct {
		enum console_word word;
		const char *path;
		bool for_operators;
	} entries[] = {{WORD_DATASETS, "/", false},
		       {WORD_HELD_PAGE, "/held", true},
		       {WORD_LINK_PAGE, "/link", true},
		       {WORD_LOG_PAGE, "/log", true}};
	enum console_language other = console_language_other(page->language);
	struct console_page whole = *page; /* what is of the server as a whole is in no view */

	whole.base = "";
	fprintf(page->file, "<nav aria-label=\"%s\">\n<ul>\n", console_word(page->language, WORD_NAV));
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		if (entries[i].for_operators && !page->is_operator)
			continue;
		fputs("<li><a ", page->file);
		console_href(entries[i].for_operators ? &whole : page, entries[i].path, "");
		fprintf(page->file, "%s>", entries[i].word == here ? " aria-current=\"page\"" : "");
		console_say(page, entries[i].word);
		fputs("</a></li>\n", page->file);
	}
	fprintf(page->file, "<li class=\"language\"><a lang=\"%s\" hreflang=\"%s\" ", console_language_tag(other),
		console_language_tag(other));
	write_href(page, page->path, page->query, console_language_tag(other));
	fprintf(page->file, ">%s</a></li>\n</ul>\n</nav>\n", console_word(page->language, WORD_OTHER_LANGUAGE));
}

/* What is not as usual: a view, an older generation. And the place where the script says that a newer one is in force. */
static void write_notes(const struct console_page *page)
{
	char number[CONSOLE_TEXT_SIZE];

	if (page->view[0] != '\0') {
		fputs("<p class=\"note\">", page->file);
		console_say_with(page, WORD_VIEW, (const char *const[]){page->view, NULL});
		fputs("</p>\n", page->file);
	}
	if (page->generation != 0) {
		fputs("<p class=\"note\">", page->file);
		console_say_with(page, WORD_PINNED_GENERATION,
				 (const char *const[]){console_number(page->language, page->generation, number), NULL});
		fputs("</p>\n", page->file);
		return;
	}
	fprintf(page->file,
		"<div id=\"news\" role=\"status\" data-generation=\"%" PRIu64
		"\" data-text=\"%s\" data-reload=\"%s\"></div>\n",
		page->current, console_word(page->language, WORD_NEWER), console_word(page->language, WORD_RELOAD));
}

void console_begin(const struct console_page *page, enum console_word here, const char *title)
{
	FILE *file = page->file;

	fprintf(file,
		"<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
		console_language_tag(page->language));
	html_text(file, title);
	fputs(" – ", file);
	html_text(file, page->site[0] == '\0' ? "Clapet" : page->site);
	fputs("</title>\n<link rel=\"stylesheet\" href=\"/static/console.css\">\n"
	      "<link rel=\"icon\" href=\"/static/console.svg\" type=\"image/svg+xml\">\n"
	      "<script src=\"/static/console.js\" defer></script>\n</head>\n<body>\n",
	      file);
	fprintf(file, "<a class=\"skip\" href=\"#main\">%s</a>\n<header>\n<p class=\"site\">",
		console_word(page->language, WORD_SKIP));
	html_text(file, page->site[0] == '\0' ? "Clapet" : page->site);
	fputs("</p>\n", file);
	write_nav(page, here);
	fputs("</header>\n<main id=\"main\" tabindex=\"-1\">\n", file);
	write_notes(page);
	fputs("<h1>", file);
	html_text(file, title);
	fputs("</h1>\n", file);
}

void console_end(const struct console_page *page)
{
	static const struct {
		enum console_word word;
		const char *path;
		bool in_view; /* it is there in each view, too */
	} links[] = {{WORD_FOOTER_CATALOG, "/catalog", true},
		     {WORD_FOOTER_STATUS, "/status", false},
		     {WORD_FOOTER_EVENTS, "/events", false},
		     {WORD_FOOTER_OPENAPI, "/openapi.json", false}};

	fprintf(page->file, "</main>\n<footer>\n<p>%s</p>\n<ul>\n", console_word(page->language, WORD_FOOTER));
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		fprintf(page->file, "<li><a href=\"%s%s\">%s</a></li>\n", links[i].in_view ? page->base : "",
			links[i].path, console_word(page->language, links[i].word));
	fputs("</ul>\n</footer>\n</body>\n</html>\n", page->file);
}

/* --- values ----------------------------------------------------------------------------------------------------------- */

void console_time(const struct console_page *page, int64_t time)
{
	char text[CONSOLE_TEXT_SIZE], stamp[NOTATION_TIME_SIZE];

	if (time == 0) {
		fputs("–", page->file);
		return;
	}
	notation_format_time(time, stamp);
	fprintf(page->file, "<time datetime=\"%s\">%s</time>", stamp, console_moment(page->language, time, text));
}

void console_numeral(const struct console_page *page, uint64_t number)
{
	char text[CONSOLE_TEXT_SIZE];

	fputs(console_number(page->language, number, text), page->file);
}

void console_bytes(const struct console_page *page, uint64_t bytes)
{
	char text[CONSOLE_TEXT_SIZE];

	fputs(console_size(page->language, bytes, text), page->file);
}

void console_when_published(const struct console_page *page, const char *date)
{
	char text[CONSOLE_TEXT_SIZE];

	if (date[0] == '\0')
		fputs("–", page->file);
	else if (strcmp(console_published(page->language, date, text), "?") == 0)
		html_text(page->file, date);
	else
		fprintf(page->file, "<time datetime=\"%.10s\">%s</time>", date, text);
}

void console_fault(const struct console_page *page, enum fault fault)
{
	const char *french = page->language == CONSOLE_FR ? console_fault_french(fault) : NULL;

	if (french != NULL)
		fputs(french, page->file);
	else
		console_english(page, fault_title(fault));
}

void console_badge_word(const struct console_page *page, const char *kind, enum console_word word)
{
	fprintf(page->file, "<span class=\"badge %s\">%s</span>", kind, console_word(page->language, word));
}

void console_badge(const struct console_page *page, const char *state)
{
	static const char *const kinds[][2] = {{"in force", "good"}, {"held", "waits"},  {"missing", "waits"},
					       {"refused", "bad"},   {"trouble", "bad"}, {"withdrawn", "over"}};
	const char *kind = "over";

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i][0], state) == 0)
			kind = kinds[i][1];
	console_badge_word(page, kind, console_state(state));
}
