/* SPDX-License-Identifier: ISC
 *
 * moment, `"format": "any"`: dates as people write them, in English. The standard leaves this form to the
 * implementation; ours guesses nothing that is not written: no date without its year, no clock of the machine.
 */
#include "schemas/moment.h"

#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

struct free_form {
	const char *p, *end;
	struct moment m;
	int numbers[3]; /* day, month, year candidates in the order written */
	int widths[3];  /* digits of each */
	int n_numbers;
	bool has_hour;
};

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_letter(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static int read_digits(struct free_form *f, int *ret_width)
{
	int number = 0, width = 0;

	for (; f->p < f->end && is_digit(*f->p) && width < 9; f->p++, width++)
		number = number * 10 + (*f->p - '0');
	*ret_width = width;
	return number;
}

static size_t word_size(const struct free_form *f)
{
	size_t size = 0;

	while (f->p + size < f->end && is_letter(f->p[size]))
		size++;
	return size;
}

static bool is_word(const char *p, size_t size, const char *const *words)
{
	for (; *words != NULL; words++) {
		if (strlen(*words) == size && strncasecmp(p, *words, size) == 0)
			return true;
	}
	return false;
}

/* "am" or "pm" after an hour, perhaps with blanks before. */
static bool take_meridiem(struct free_form *f)
{
	static const char *const BEFORE[] = {"am", "a", NULL}, *const AFTER[] = {"pm", "p", NULL};
	struct free_form ahead = *f;
	size_t size;
	bool after;

	while (ahead.p < ahead.end && *ahead.p == ' ')
		ahead.p++;
	size = word_size(&ahead);
	after = is_word(ahead.p, size, AFTER);
	if ((!after && !is_word(ahead.p, size, BEFORE)) || f->m.hour < 1 || f->m.hour > 12)
		return false;
	f->p = ahead.p + size;
	f->m.hour = f->m.hour % 12 + (after ? 12 : 0);
	return true;
}

/* ":mm[:ss[.f]]" after an hour. */
static bool take_clock(struct free_form *f, int hour)
{
	int width, scale = 100000000;

	if (f->has_hour)
		return false;
	f->has_hour = true;
	f->m.hour = hour;
	f->p++;
	f->m.minute = read_digits(f, &width);
	if (width != 2)
		return false;
	if (f->p < f->end && *f->p == ':') {
		f->p++;
		f->m.second = read_digits(f, &width);
		if (width != 2)
			return false;
		if (f->p + 1 < f->end && *f->p == '.' && is_digit(f->p[1])) {
			for (f->p++; f->p < f->end && is_digit(*f->p); f->p++, scale /= 10)
				f->m.nanosecond += (*f->p - '0') * scale;
		}
	}
	take_meridiem(f);
	return true;
}

static bool take_number(struct free_form *f)
{
	static const char *const ORDINALS[] = {"st", "nd", "rd", "th", NULL};
	int width, number = read_digits(f, &width);
	struct free_form with_hour = *f;

	if (f->p < f->end && is_digit(*f->p))
		return false;
	if (f->p < f->end && *f->p == ':')
		return width <= 2 && take_clock(f, number);
	with_hour.m.hour = number;
	if (!f->has_hour && width <= 2 && take_meridiem(&with_hour)) {
		*f = with_hour;
		f->has_hour = true;
		return true;
	}
	if (width <= 2 && is_word(f->p, word_size(f), ORDINALS))
		f->p += 2;
	if (width == 8 && f->n_numbers == 0 && f->m.month == 0) {
		f->m.year = number / 10000;
		f->m.month = number / 100 % 100;
		f->m.day = number % 100;
		f->n_numbers = 3;
		f->widths[0] = -1; /* settled */
		return true;
	}
	if (f->n_numbers == 3 || (width > 2 && width != 4))
		return false;
	f->numbers[f->n_numbers] = number;
	f->widths[f->n_numbers++] = width;
	return true;
}

static bool take_word(struct free_form *f)
{
	static const char *const FILL[] = {"at", "on", "of", "and", "t", "z", "utc", "gmt", NULL};
	size_t size = word_size(f);
	int month = moment_month(f->p, size);

	if (month != 0) {
		if (f->m.month != 0)
			return false;
		f->m.month = month;
	} else if (!is_word(f->p, size, FILL) && moment_weekday(f->p, size) == 0) {
		return false;
	}
	f->p += size;
	return true;
}

/* "+01:00" or "+0100" after a time. */
static bool take_zone(struct free_form *f)
{
	bool west = *f->p++ == '-';
	int width, number = read_digits(f, &width);

	if (width == 2 && f->p < f->end && *f->p == ':') {
		int minutes;

		f->p++;
		minutes = read_digits(f, &width);
		if (width != 2)
			return false;
		number = number * 100 + minutes;
		width = 4;
	}
	if (width != 4 || number / 100 > 23 || number % 100 > 59)
		return false;
	f->m.zone = (number / 100 * 3600 + number % 100 * 60) * (west ? -1 : 1);
	return true;
}

static int full_year(int number, int width)
{
	if (width == 4)
		return number;
	return number + (number >= 69 ? 1900 : 2000);
}

/* Says which number is the day, which the month, which the year. */
static bool settle_date(struct free_form *f)
{
	int *n = f->numbers, *w = f->widths;
	int first = 0, second = 1, year = 2;

	if (f->n_numbers == 3 && w[0] == -1)
		return true;
	if (f->n_numbers != (f->m.month != 0 ? 2 : 3))
		return false;
	if (f->m.month != 0) {
		bool year_first = w[0] == 4 || n[0] > 31;

		f->m.year = year_first ? full_year(n[0], w[0]) : full_year(n[1], w[1]);
		f->m.day = year_first ? n[1] : n[0];
		return true;
	}
	if (w[0] == 4 || n[0] > 31) {
		year = 0;
		first = 1;
		second = 2;
	}
	f->m.year = full_year(n[year], w[year]);
	f->m.month = n[first] > 12 ? n[second] : n[first];
	f->m.day = n[first] > 12 ? n[first] : n[second];
	return true;
}

bool moment_parse_any(enum moment_kind kind, const char *text, size_t size, struct value *ret_value)
{
	struct free_form f = {.p = text, .end = text + size};

	if (moment_parse(kind, text, size, ret_value))
		return true;
	while (f.p < f.end) {
		bool good = true;

		if (is_digit(*f.p))
			good = take_number(&f);
		else if (is_letter(*f.p))
			good = take_word(&f);
		else if (f.has_hour && (*f.p == '+' || *f.p == '-'))
			good = take_zone(&f);
		else if (memchr(" ,.;-/'", *f.p, 7) != NULL)
			f.p++;
		else
			good = false;
		if (!good)
			return false;
	}
	if (kind == MOMENT_TIME && (!f.has_hour || f.n_numbers != 0))
		return false;
	if (kind != MOMENT_TIME && !settle_date(&f))
		return false;
	return moment_finish(kind, &f.m, ret_value);
}
