/* SPDX-License-Identifier: ISC
 *
 * console_history: the versions of a dataset as a picture (rows and bytes in time, inline SVG that the style sheet colours) and as the table
 * that says the same.
 */
#include <string.h>

#include "base/cleanup.h"
#include "inside/console_pages.h"

/* The picture, in its own units: two panels one above the other, times from LEFT to RIGHT. */
enum {
	WIDTH = 800,
	HEIGHT = 300,
	LEFT = 90,
	RIGHT = 780,
	PANEL_HEIGHT = 80,
	ROWS_TOP = 34,
	BYTES_TOP = 158,
	SPANS_TOP = 258,
	DATES_AT = 290
};

struct range {
	uint64_t least, most; /* least > most: nothing is known */
};

struct picture {
	const struct console_page *page;
	const struct console_dataset *dataset;
	int64_t first, last;
};

static int64_t time_of(const struct console_version *version)
{
	return version->from != 0 ? version->from : version->received;
}

static uint64_t value_of(const struct console_version *version, bool rows)
{
	return rows ? version->rows : version->bytes;
}

static struct range range_of(const struct console_dataset *dataset, bool rows)
{
	struct range range = {UINT64_MAX, 0};

	for (size_t i = 0; i < dataset->n_versions; i++) {
		uint64_t value = value_of(&dataset->versions[i], rows);

		if (value == CONSOLE_UNKNOWN)
			continue;
		if (value < range.least)
			range.least = value;
		if (value > range.most)
			range.most = value;
	}
	return range;
}

static double x_of(const struct picture *picture, int64_t time)
{
	if (picture->last <= picture->first)
		return (LEFT + RIGHT) / 2.0;
	if (time < picture->first)
		time = picture->first;
	if (time > picture->last)
		time = picture->last;
	return LEFT +
	       (double)(RIGHT - LEFT) * (double)(time - picture->first) / (double)(picture->last - picture->first);
}

/* The least value stands a little above the panel's floor, so that a line is never lost in the axis. */
static double y_of(const struct range *range, int top, uint64_t value)
{
	double share = range->most == range->least
			       ? 0.5
			       : (double)(value - range->least) / (double)(range->most - range->least);

	return top + PANEL_HEIGHT - 8 - share * (PANEL_HEIGHT - 16);
}

static const char *write_value(const struct picture *picture, bool rows, uint64_t value, char text[CONSOLE_TEXT_SIZE])
{
	return rows ? console_number(picture->page->language, value, text)
		    : console_size(picture->page->language, value, text);
}

/* One panel: its name, the least and the most, the line in steps, a dot a version. */
static void write_panel(const struct picture *picture, bool rows, int top)
{
	const struct console_dataset *dataset = picture->dataset;
	struct range range = range_of(dataset, rows);
	FILE *file = picture->page->file;
	char text[CONSOLE_TEXT_SIZE];
	bool is_first = true;
	double y = 0;

	fprintf(file, "<text class=\"panel\" x=\"%d\" y=\"%d\">%s</text>\n", LEFT, top - 8,
		console_word(picture->page->language, rows ? WORD_COL_ROWS : WORD_COL_SIZE));
	fprintf(file, "<path class=\"axis\" d=\"M%d %dV%dH%d\"/>\n", LEFT, top, top + PANEL_HEIGHT, RIGHT);
	if (range.least > range.most)
		return;
	fprintf(file, "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", LEFT - 6,
		y_of(&range, top, range.most) + 4, write_value(picture, rows, range.most, text));
	if (range.least != range.most)
		fprintf(file, "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", LEFT - 6,
			y_of(&range, top, range.least) + 4, write_value(picture, rows, range.least, text));
	fprintf(file, "<path class=\"line %s\" d=\"", rows ? "rows" : "bytes");
	for (size_t i = dataset->n_versions; i-- > 0;) {
		uint64_t value = value_of(&dataset->versions[i], rows);

		if (value == CONSOLE_UNKNOWN)
			continue;
		y = y_of(&range, top, value);
		fprintf(file, is_first ? "M%.1f %.1f" : "H%.1fV%.1f", x_of(picture, time_of(&dataset->versions[i])), y);
		is_first = false;
	}
	fprintf(file, "H%d\"/>\n", RIGHT);
	for (size_t i = dataset->n_versions; i-- > 0;) {
		uint64_t value = value_of(&dataset->versions[i], rows);

		if (value != CONSOLE_UNKNOWN)
			fprintf(file, "<circle class=\"dot %s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>\n",
				rows ? "rows" : "bytes", x_of(picture, time_of(&dataset->versions[i])),
				y_of(&range, top, value));
	}
}

/* When each version was in force, the last time: bars one behind the other, of two heights, so that they can be told apart without colour. */
static void write_spans(const struct picture *picture)
{
	const struct console_dataset *dataset = picture->dataset;

	for (size_t i = dataset->n_versions; i-- > 0;) {
		const struct console_version *version = &dataset->versions[i];
		double from = x_of(picture, version->from), to = version->to == 0 ? RIGHT : x_of(picture, version->to);

		if (version->from == 0)
			continue;
		fprintf(picture->page->file,
			"<rect class=\"span%s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>\n",
			version->is_in_force ? " now" : "", from, SPANS_TOP + (i % 2 == 0 ? 0 : 4),
			to - from < 2 ? 2 : to - from, i % 2 == 0 ? 14 : 6);
	}
}

static void write_title(const struct picture *picture)
{
	const struct console_page *page = picture->page;
	struct range rows = range_of(picture->dataset, true), bytes = range_of(picture->dataset, false);
	char texts[7][CONSOLE_TEXT_SIZE];
	bool has_rows = rows.least <= rows.most;

	fputs("<title id=\"history-title\">", page->file);
	console_say_with(page, WORD_HISTORY_TITLE, (const char *const[]){picture->dataset->name, NULL});
	fputs("</title>\n<desc id=\"history-desc\">", page->file);
	console_say_with(page, WORD_HISTORY_DESC,
			 (const char *const[]){
				 console_number(page->language, picture->dataset->n_versions, texts[0]),
				 console_day(page->language, picture->first, texts[1]),
				 console_day(page->language, picture->last, texts[2]),
				 has_rows ? console_number(page->language, rows.least, texts[3]) : "?",
				 has_rows ? console_number(page->language, rows.most, texts[4]) : "?",
				 console_size(page->language, bytes.least == UINT64_MAX ? 0 : bytes.least, texts[5]),
				 console_size(page->language, bytes.most, texts[6]), NULL});
	fputs("</desc>\n", page->file);
}

static void write_picture(const struct console_page *page, const struct console_dataset *dataset)
{
	struct picture picture = {page, dataset, INT64_MAX, page->now};
	char day[CONSOLE_TEXT_SIZE];

	for (size_t i = 0; i < dataset->n_versions; i++)
		if (time_of(&dataset->versions[i]) < picture.first)
			picture.first = time_of(&dataset->versions[i]);
	if (picture.first > picture.last)
		picture.first = picture.last;
	fprintf(page->file,
		"<figure>\n<div class=\"scroll\" role=\"region\" tabindex=\"0\" "
		"aria-labelledby=\"history-title\">\n<svg viewBox=\"0 0 %d %d\" role=\"img\" "
		"aria-labelledby=\"history-title history-desc\">\n",
		WIDTH, HEIGHT);
	write_title(&picture);
	write_panel(&picture, true, ROWS_TOP);
	write_panel(&picture, false, BYTES_TOP);
	write_spans(&picture);
	fprintf(page->file, "<text class=\"tick\" x=\"%d\" y=\"%d\">%s</text>\n", LEFT, DATES_AT,
		console_day(page->language, picture.first, day));
	fprintf(page->file, "<text class=\"tick\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n</svg>\n</div>\n",
		RIGHT, DATES_AT, console_day(page->language, picture.last, day));
	fprintf(page->file, "<figcaption>%s</figcaption>\n</figure>\n",
		console_word(page->language, WORD_HISTORY_FIGURE));
}

/* --- the table ----------------------------------------------------------------------------------------------------------- */

static enum console_word kept_word(const char *kept)
{
	return strcmp(kept, "here") == 0          ? WORD_KEPT_HERE
	       : strcmp(kept, "rebuildable") == 0 ? WORD_KEPT_REBUILDABLE
						  : WORD_KEPT_GONE;
}

static void write_version(const struct console_page *page, const struct console_version *version)
{
	FILE *file = page->file;

	fprintf(file, "<tr%s><th scope=\"row\" class=\"v\">", version->is_in_force ? " class=\"now\"" : "");
	console_code(page, version->version);
	if (version->is_in_force) {
		putc(' ', file);
		console_badge_word(page, "good", WORD_STATE_IN_FORCE);
	}
	fputs("</th><td>", file);
	console_when_published(page, version->date);
	fputs("</td><td>", file);
	console_time(page, version->received);
	fputs("</td><td>", file);
	if (version->from == 0)
		console_say(page, WORD_NEVER_IN_FORCE);
	else
		console_time(page, version->from);
	fputs("</td><td>", file);
	if (version->from != 0 && version->to == 0)
		console_say(page, WORD_STILL);
	else
		console_time(page, version->to);
	fputs("</td><td class=\"n\">", file);
	if (version->rows == CONSOLE_UNKNOWN)
		fputs("–", file);
	else
		console_numeral(page, version->rows);
	fputs("</td><td class=\"n\">", file);
	if (version->bytes == CONSOLE_UNKNOWN)
		fputs("–", file);
	else
		console_bytes(page, version->bytes);
	fputs("</td><td>", file);
	console_say(page, kept_word(version->kept));
	fputs("</td></tr>\n", file);
}

static void write_table(const struct console_page *page, const struct console_dataset *dataset)
{
	static const enum console_word columns[] = {WORD_COL_VERSION, WORD_COL_DATE, WORD_COL_RECEIVED, WORD_COL_FROM,
						    WORD_COL_TO};

	fputs("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-labelledby=\"versions\">\n<table>\n"
	      "<caption id=\"versions\">",
	      page->file);
	console_say(page, WORD_HISTORY_CAPTION);
	fputs("</caption>\n<thead><tr>", page->file);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		console_column(page, columns[i]);
	console_column_number(page, WORD_COL_ROWS);
	console_column_number(page, WORD_COL_SIZE);
	console_column(page, WORD_COL_KEPT);
	fputs("</tr></thead>\n<tbody>\n", page->file);
	for (size_t i = 0; i < dataset->n_versions; i++)
		write_version(page, &dataset->versions[i]);
	fputs("</tbody>\n</table>\n</div>\n", page->file);
}

void console_write_history(const struct console_page *page, const struct console_dataset *dataset)
{
	char n[CONSOLE_TEXT_SIZE];

	if (dataset->filtered[0] != '\0')
		return;
	fputs("<section aria-labelledby=\"history\">\n", page->file);
	console_heading(page, "history", WORD_HISTORY);
	if (dataset->n_versions == 0) {
		fprintf(page->file, "<p>%s</p>\n", console_word(page->language, WORD_HISTORY_NONE));
	} else {
		write_picture(page, dataset);
		write_table(page, dataset);
	}
	if (dataset->is_cut) {
		fputs("<p>", page->file);
		console_say_with(page, WORD_HISTORY_CUT,
				 (const char *const[]){console_number(page->language, dataset->n_versions, n), NULL});
		fputs("</p>\n", page->file);
	}
	fputs("</section>\n", page->file);
}
