/* SPDX-License-Identifier: ISC
 *
 * html: see html.h.
 */
#include "bundle/html.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "bundle/notation.h"

#define TEXT_SHOWN 2500

static const char style[] = "body { font: 10pt/1.4 'DejaVu Sans', Arial, sans-serif; color: #000; background: #fff; "
			    "margin: 1em auto; padding: 0 1em; }\n"
			    "h1 { font-size: 16pt; margin: 0 0 .3em; } h2 { font-size: 12pt; margin: 1.6em 0 .4em; "
			    "border-bottom: 1pt solid #000; } h3 { font-size: 10pt; margin: 1.2em 0 .3em; }\n"
			    "h2, h3, caption { break-after: avoid; } tr, dl, .verdict { break-inside: avoid; } thead { "
			    "display: table-header-group; }\n"
			    "table { border-collapse: collapse; width: 100%; } th, td { border: .5pt solid #000; "
			    "padding: 2pt 4pt; text-align: left; "
			    "vertical-align: top; overflow-wrap: anywhere; }\n"
			    "th { font-weight: bold; } .n { text-align: right; } code, pre { font: 8pt/1.4 'DejaVu "
			    "Sans Mono', monospace; overflow-wrap: anywhere; "
			    "white-space: pre-wrap; }\n"
			    "td.bad { background: #fdd; border: 1.5pt solid #a00; } td.gap { color: #666; } "
			    ".scroll { overflow-x: auto; }\n"
			    "dt { font-weight: bold; } dd { margin: 0 0 .3em 1em; } .verdict { border: 2pt solid #000; "
			    "padding: .5em .8em; font-weight: bold; }\n";

void html_begin(FILE *file, const char *title, bool wide)
{
	fputs("<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n<meta "
	      "charset=\"utf-8\"/>\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
	      "'unsafe-inline'\"/>\n"
	      "<title>",
	      file);
	html_text(file, title);
	fprintf(file, "</title>\n<style>\n@page { size: A4%s; margin: 18mm 15mm; }\n", wide ? " landscape" : "");
	fputs(style, file);
	if (!wide)
		fputs("body { max-width: 190mm; }\n", file);
	fputs("</style>\n</head>\n<body>\n<h1>", file);
	html_text(file, title);
	fputs("</h1>\n", file);
}

void html_end(FILE *file)
{
	fputs("</body>\n</html>\n", file);
}

void html_text(FILE *file, const char *text)
{
	char shown[TEXT_SHOWN];

	text_escape(text, strlen(text), shown, sizeof(shown));
	for (const char *at = shown; *at != '\0'; at++) {
		switch (*at) {
		case '&':
			fputs("&amp;", file);
			break;
		case '<':
			fputs("&lt;", file);
			break;
		case '>':
			fputs("&gt;", file);
			break;
		case '"':
			fputs("&quot;", file);
			break;
		case '\'':
			fputs("&#39;", file);
			break;
		default:
			putc(*at, file);
		}
	}
}

void html_time(FILE *file, int64_t time)
{
	char local[64];

	notation_format_local(time, local, sizeof(local));
	html_text(file, local);
}

void html_item(FILE *file, const char *name, const char *value)
{
	fprintf(file, "<dt>%s</dt><dd>", name);
	html_text(file, value);
	fputs("</dd>\n", file);
}
