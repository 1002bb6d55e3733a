/* SPDX-License-Identifier: ISC
 *
 * console_list: the first page: where everything stands, and the datasets, searched, sorted and paged without a script.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "inside/console_pages.h"

bool console_is_silent(const struct console_health *health, int64_t now)
{
	return health->heard == 0 || now - health->heard > health->heartbeat;
}

/* --- at a glance ------------------------------------------------------------------------------------------------------ */

static void write_link(const struct console_page *page, const struct console_health *health)
{
	char age[CONSOLE_TEXT_SIZE];

	console_item(page, WORD_LINK);
	if (health->heard == 0) {
		console_badge_word(page, "bad", WORD_NEVER_HEARD);
	} else if (console_is_silent(health, page->now)) {
		fputs("<span class=\"badge bad\">", page->file);
		console_say_with(
			page, WORD_SILENT_SINCE,
			(const char *const[]){console_age(page->language, page->now - health->heard, age), NULL});
		fputs("</span>", page->file);
	} else {
		console_badge_word(page, "good", WORD_WELL);
	}
	console_item_end(page);
}

static void write_trust(const struct console_page *page, const struct console_health *health)
{
	char day[CONSOLE_TEXT_SIZE];

	console_item(page, WORD_TRUST);
	if (health->is_clock_behind) {
		console_badge_word(page, "bad", WORD_CLOCK_BEHIND);
	} else if (health->expires != 0 && health->expires <= page->now) {
		fputs("<span class=\"badge bad\">", page->file);
		console_say_with(page, WORD_EXPIRED_ON,
				 (const char *const[]){console_day(page->language, health->expires, day), NULL});
		fputs("</span>", page->file);
	} else {
		console_badge_word(page, "good", WORD_WELL);
	}
	console_item_end(page);
}

static void write_count(const struct console_page *page, enum console_word word, size_t n, const char *state)
{
	_cleanup_free_ char *query = xasprintf("state=%s", state);

	console_item(page, word);
	if (n > 0) {
		fputs("<a ", page->file);
		console_href(page, "/", query);
		putc('>', page->file);
	}
	console_numeral(page, n);
	if (n > 0)
		fputs("</a>", page->file);
	console_item_end(page);
}

static void write_glance(const struct console_page *page, const struct console_list *list)
{
	char number[CONSOLE_TEXT_SIZE], when[CONSOLE_TEXT_SIZE];

	fputs("<section aria-labelledby=\"glance\">\n", page->file);
	console_heading(page, "glance", WORD_GLANCE);
	fputs("<dl class=\"glance\">\n", page->file);
	console_item(page, WORD_GENERATION);
	if (list->created != 0)
		console_say_with(page, WORD_GENERATION_SINCE,
				 (const char *const[]){console_number(page->language, page->current, number),
						       console_moment(page->language, list->created, when), NULL});
	else
		console_numeral(page, page->current);
	console_item_end(page);
	write_count(page, WORD_N_DATASETS_IN_FORCE, list->n_in_force, "inforce");
	if (list->health.is_known) {
		write_count(page, WORD_N_HELD, list->n_held, "held");
		write_count(page, WORD_N_MISSING, list->n_missing, "missing");
		write_count(page, WORD_N_REFUSED, list->n_refused, "refused");
		write_count(page, WORD_N_STALE, list->n_stale, "stale");
		write_link(page, &list->health);
		write_trust(page, &list->health);
	}
	fputs("</dl>\n</section>\n", page->file);
}

/* --- what is looked for ------------------------------------------------------------------------------------------------ */

struct choice {
	const char *value;
	enum console_word word;
};

static void write_choice(const struct console_page *page, const char *name, enum console_word label,
			 const struct choice *choices, size_t n, const char *chosen)
{
	fprintf(page->file, "<p><label for=\"%s\">%s</label> <select id=\"%s\" name=\"%s\">\n", name,
		console_word(page->language, label), name, name);
	for (size_t i = 0; i < n; i++)
		fprintf(page->file, "<option value=\"%s\"%s>%s</option>\n", choices[i].value,
			strcmp(choices[i].value, chosen) == 0 ? " selected" : "",
			console_word(page->language, choices[i].word));
	fputs("</select></p>\n", page->file);
}

static void write_search(const struct console_page *page, const struct console_list *list)
{
	static const struct choice states[] = {{"", WORD_STATE_ALL},
					       {"inforce", WORD_STATE_IN_FORCE},
					       {"held", WORD_STATE_HELD},
					       {"missing", WORD_STATE_MISSING},
					       {"refused", WORD_STATE_REFUSED},
					       {"stale", WORD_STALE},
					       {"withdrawn", WORD_STATE_WITHDRAWN}};
	static const struct choice sorts[] = {{"", WORD_SORT_NAME}, {"date", WORD_SORT_DATE}, {"rows", WORD_SORT_ROWS}};

	fprintf(page->file,
		"<form role=\"search\" method=\"get\" action=\"%s\">\n<p><label for=\"q\">%s</label> "
		"<input type=\"search\" id=\"q\" name=\"q\" maxlength=\"100\" value=\"",
		page->base[0] == '\0' ? "/" : page->base, console_word(page->language, WORD_SEARCH_LABEL));
	console_text(page, list->search);
	fputs("\"></p>\n", page->file);
	write_choice(page, "state", WORD_STATE, states, ARRAY_SIZE(states), list->state);
	write_choice(page, "sort", WORD_SORT, sorts, ARRAY_SIZE(sorts), list->sort);
	if (page->is_chosen)
		fprintf(page->file, "<input type=\"hidden\" name=\"lang\" value=\"%s\">\n",
			console_language_tag(page->language));
	fprintf(page->file, "<p><button type=\"submit\">%s</button>", console_word(page->language, WORD_SHOW));
	if (list->search[0] != '\0' || list->state[0] != '\0') {
		fputs(" <a ", page->file);
		console_href(page, "/", "");
		fprintf(page->file, ">%s</a>", console_word(page->language, WORD_SHOW_ALL));
	}
	fputs("</p>\n</form>\n", page->file);
}

/* --- the table --------------------------------------------------------------------------------------------------------- */

static void write_freshness(const struct console_page *page, const struct console_row *row)
{
	char age[CONSOLE_TEXT_SIZE];

	if (row->is_stale) {
		console_badge_word(page, "bad", WORD_STALE);
		putc(' ', page->file);
	} else if (row->is_watched) {
		console_badge_word(page, "good", WORD_FRESH);
		putc(' ', page->file);
	}
	fputs("<span class=\"small\">", page->file);
	if (row->checked != 0)
		console_say_with(
			page, WORD_CHECKED_AGO,
			(const char *const[]){console_age(page->language, page->now - row->checked, age), NULL});
	else
		console_say(page, row->is_watched ? WORD_NEVER_CHECKED : WORD_NOT_WATCHED);
	fputs("</span>", page->file);
}

static void write_row(const struct console_page *page, const struct console_row *row)
{
	FILE *file = page->file;

	fputs("<tr><th scope=\"row\">", file);
	console_dataset_link(page, row->name);
	if (row->title[0] != '\0') {
		fputs("<br><span class=\"title\">", file);
		console_text(page, row->title);
		fputs("</span>", file);
	}
	fputs("</th><td>", file);
	console_badge(page, row->state);
	if (row->is_pinned) {
		putc(' ', file);
		console_badge_word(page, "waits", WORD_PINNED);
	}
	fputs("</td><td>", file);
	write_freshness(page, row);
	fputs("</td><td>", file);
	if (row->version[0] != '\0')
		console_code(page, row->version);
	else
		console_say(page, WORD_NOTHING_IN_FORCE);
	fputs("</td><td>", file);
	console_when_published(page, row->date);
	fputs("</td><td>", file);
	console_text(page, row->licence[0] == '\0' ? "–" : row->licence);
	fputs("</td><td class=\"n\">", file);
	if (row->rows == CONSOLE_UNKNOWN)
		fputs("–", file);
	else
		console_numeral(page, row->rows);
	fputs("</td><td class=\"n\">", file);
	if (row->bytes == CONSOLE_UNKNOWN)
		fputs("–", file);
	else
		console_bytes(page, row->bytes);
	fputs("</td></tr>\n", file);
}

static void write_table(const struct console_page *page, const struct console_list *list)
{
	static const enum console_word columns[] = {WORD_COL_DATASET, WORD_STATE,    WORD_COL_FRESHNESS,
						    WORD_COL_VERSION, WORD_COL_DATE, WORD_COL_LICENCE};
	char matching[CONSOLE_TEXT_SIZE], all[CONSOLE_TEXT_SIZE], here[CONSOLE_TEXT_SIZE], last[CONSOLE_TEXT_SIZE];

	fprintf(page->file,
		"<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"caption\">\n<table>\n"
		"<caption id=\"caption\">");
	console_say_with(page, WORD_LIST_CAPTION,
			 (const char *const[]){console_number(page->language, list->n_matching, matching),
					       console_number(page->language, list->n_all, all),
					       console_number(page->language, list->page, here),
					       console_number(page->language, list->n_pages, last), NULL});
	fputs("</caption>\n<thead><tr>", page->file);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		console_column(page, columns[i]);
	console_column_number(page, WORD_COL_ROWS);
	console_column_number(page, WORD_COL_SIZE);
	fputs("</tr></thead>\n<tbody>\n", page->file);
	for (size_t i = 0; i < list->n_rows; i++)
		write_row(page, &list->rows[i]);
	fputs("</tbody>\n</table>\n</div>\n", page->file);
}

/* --- pages ------------------------------------------------------------------------------------------------------------- */

/* The query of page NUMBER with what else was asked for. New text. */
static char *query_of(const struct console_list *list, size_t number)
{
	char *query = NULL;
	size_t size;
	FILE *file = open_memstream(&query, &size);

	if (file == NULL)
		die("out of memory");
	if (list->search[0] != '\0') {
		fputs("q=", file);
		console_url(file, list->search);
		putc('&', file);
	}
	if (list->state[0] != '\0') {
		fputs("state=", file);
		console_url(file, list->state);
		putc('&', file);
	}
	if (list->sort[0] != '\0') {
		fputs("sort=", file);
		console_url(file, list->sort);
		putc('&', file);
	}
	fprintf(file, "page=%zu", number);
	if (fclose(file) != 0)
		die("out of memory");
	return query;
}

static void write_page_link(const struct console_page *page, const struct console_list *list, size_t number,
			    enum console_word word)
{
	_cleanup_free_ char *query = query_of(list, number);
	char text[CONSOLE_TEXT_SIZE];

	fputs("<li><a ", page->file);
	console_href(page, "/", query);
	if (word == WORD_PAGE_N)
		fprintf(page->file, "%s><span class=\"hidden\">%s </span>%s</a></li>\n",
			number == list->page ? " aria-current=\"page\"" : "",
			console_word(page->language, WORD_COL_PAGE), console_number(page->language, number, text));
	else
		fprintf(page->file, " rel=\"%s\">%s</a></li>\n", word == WORD_NEXT ? "next" : "prev",
			console_word(page->language, word));
}

/* The first, the last, and those round this one: "1 … 4 5 6 … 100". */
static void write_pages(const struct console_page *page, const struct console_list *list)
{
	size_t before = 0;

	if (list->n_pages <= 1)
		return;
	fprintf(page->file, "<nav class=\"pages\" aria-label=\"%s\">\n<ul>\n",
		console_word(page->language, WORD_PAGES));
	if (list->page > 1)
		write_page_link(page, list, list->page - 1, WORD_PREVIOUS);
	for (size_t i = 1; i <= list->n_pages; i++) {
		if (i != 1 && i != list->n_pages && (i + 2 < list->page || i > list->page + 2))
			continue;
		if (i > before + 1)
			fputs("<li aria-hidden=\"true\">…</li>\n", page->file);
		write_page_link(page, list, i, WORD_PAGE_N);
		before = i;
	}
	if (list->page < list->n_pages)
		write_page_link(page, list, list->page + 1, WORD_NEXT);
	fputs("</ul>\n</nav>\n", page->file);
}

void console_write_list(const struct console_page *page, const struct console_list *list)
{
	console_begin(page, WORD_DATASETS, console_word(page->language, WORD_DATASETS));
	write_glance(page, list);
	fputs("<section aria-labelledby=\"list\">\n", page->file);
	console_heading(page, "list", WORD_LIST);
	if (list->n_all == 0) {
		fprintf(page->file, "<p>%s</p>\n", console_word(page->language, WORD_LIST_EMPTY));
	} else {
		write_search(page, list);
		if (list->n_matching == 0)
			fprintf(page->file, "<p role=\"status\">%s</p>\n",
				console_word(page->language, WORD_LIST_NO_MATCH));
		else
			write_table(page, list);
		write_pages(page, list);
	}
	fputs("</section>\n", page->file);
	console_end(page);
}
