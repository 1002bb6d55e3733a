/* SPDX-License-Identifier: ISC
 *
 * console_html: what every page of the console has in common: the frame with its landmarks, links that keep the view, the generation and the language,
 * and writers that leave nothing of a text as markup. Pages are pure: data and a language in, bytes out. No script or style stands in
 * them (Content-Security-Policy), and all of them work without.
 */
#ifndef INSIDE_CONSOLE_HTML_H
#define INSIDE_CONSOLE_HTML_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bundle/html.h"
#include "inside/console_words.h"

/* Who looks, at what, in which language. Texts are borrowed; "" where there is none. */
struct console_page {
	FILE *file;
	enum console_language language;
	bool is_chosen;      /* ?lang= was given: links keep it */
	bool is_operator;    /* came by the operators' socket */
	const char *site;    /* the server's own title */
	const char *base;    /* what links within the view and generation begin with: "", "/views/ain" */
	const char *view;    /* its name */
	uint64_t generation; /* the one that was asked for; 0: the current one */
	uint64_t current;    /* the generation that is shown; 0: none yet */
	const char *path;    /* of this page behind BASE, for the other language */
	const char *query;   /* of this page, encoded, without lang */
	int64_t now;
};

/* Everything up to <main> and its first heading, which says TITLE (a text, escaped here). HERE: the entry of the navigation that this page is. */
void console_begin(const struct console_page *page, enum console_word here, const char *title);
void console_end(const struct console_page *page);

/* A word; with VALUES (NULL-terminated, texts) in the place of {1}, {2}, …: they are escaped. */
void console_say(const struct console_page *page, enum console_word word);
void console_say_with(const struct console_page *page, enum console_word word, const char *const *values);
/* <h2 id=ID>WORD</h2>; ID NULL: without. */
void console_heading(const struct console_page *page, const char *id, enum console_word word);
/* <dt>WORD</dt>, and what follows up to console_item_end() is its <dd>. */
void console_item(const struct console_page *page, enum console_word word);
void console_item_end(const struct console_page *page);
/* <th scope="col">WORD</th>; a number's column is set right. */
void console_column(const struct console_page *page, enum console_word word);
void console_column_number(const struct console_page *page, enum console_word word);

/* A text of others: escaped, cut as html_text does. */
void console_text(const struct console_page *page, const char *text);
/* The same in English on a French page: marked so that it is read aloud rightly. */
void console_english(const struct console_page *page, const char *text);
/* <code>. */
void console_code(const struct console_page *page, const char *text);
/* A command to copy, with a button that the script brings to life. */
void console_command(const struct console_page *page, const char *text);
/* TEXT as a component of a path or a value of a query: all but unreserved characters percent-encoded (RFC 3986, 2.3). No markup is left. */
void console_url(FILE *file, const char *text);
/* href="…" of PATH (ours, encoded, "/datasets/cog") behind the page's base, with QUERY ("" or "a=b&c=d", encoded) and the language. */
void console_href(const struct console_page *page, const char *path, const char *query);
/* <a href=/datasets/NAME>, its text NAME. */
void console_dataset_link(const struct console_page *page, const char *name);

/* <time>, or "–" where TIME is 0. */
void console_time(const struct console_page *page, int64_t time);
void console_numeral(const struct console_page *page, uint64_t number);
void console_bytes(const struct console_page *page, uint64_t bytes);
/* A published date: its day, or what it says. */
void console_when_published(const struct console_page *page, const char *date);

/* What a code means, in the page's language. */
void console_fault(const struct console_page *page, enum fault fault);
/* A state, as a word in a shape of its own: never by colour alone. STATE as status.json says it. */
void console_badge(const struct console_page *page, const char *state);
void console_badge_word(const struct console_page *page, const char *kind, enum console_word word);

#endif
