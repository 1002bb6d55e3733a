/* SPDX-License-Identifier: ISC
 *
 * html: pages for people, one file each: well-formed as XML too, without scripts, links or anything from elsewhere; what came in as
 * text stays text. Meant for a mail and for paper: black on white, A4.
 */
#ifndef BUNDLE_HTML_H
#define BUNDLE_HTML_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Everything up to the first heading, which says TITLE. WIDE: for tables as wide as the window, landscape on paper. */
void html_begin(FILE *file, const char *title, bool wide);
void html_end(FILE *file);

/* TEXT with what turns, breaks or hides a line made visible (text_escape), and nothing of it markup. Of a longer one the first 2,500
 * bytes. */
void html_text(FILE *file, const char *text);
/* The moment in local time with its zone. */
void html_time(FILE *file, int64_t time);
/* <dt>NAME</dt><dd>VALUE</dd>; NAME is ours. */
void html_item(FILE *file, const char *name, const char *value);

#endif
