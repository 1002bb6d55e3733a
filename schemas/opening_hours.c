/* SPDX-License-Identifier: ISC
 *
 * opening_hours: a function for each symbol of the specification's grammar. Each takes what it can read and moves on, or leaves the cursor
 * where it was and says no; the first alternative that fits counts. Nothing recurses, and no loop goes over the same bytes more than a fixed
 * number of times.
 */
#include "schemas/opening_hours.h"

#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "bundle/limits.h"

struct cursor {
	const char *p, *end;
	const char *furthest; /* the last place where something was expected */
};

/* --- characters and words
 * ------------------------------------------------------------------------------------------- */

static bool take(struct cursor *c, char wanted)
{
	if (c->p > c->furthest)
		c->furthest = c->p;
	if (c->p == c->end || *c->p != wanted)
		return false;
	c->p++;
	return true;
}

static bool take_text(struct cursor *c, const char *wanted)
{
	size_t size = strlen(wanted);

	if (c->p > c->furthest)
		c->furthest = c->p;
	if ((size_t)(c->end - c->p) < size || strncasecmp(c->p, wanted, size) != 0)
		return false;
	c->p += size;
	return true;
}

static bool take_one_of(struct cursor *c, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (take_text(c, words[i]))
			return true;
	}
	return false;
}

static bool back(struct cursor *c, const char *to)
{
	c->p = to;
	return false;
}

static bool digit_at(const struct cursor *c, size_t n, char low, char high)
{
	return (size_t)(c->end - c->p) > n && c->p[n] >= low && c->p[n] <= high;
}

/* Two digits whose number is in [LOW, HIGH]; or one that no other follows. */
static bool take_number(struct cursor *c, unsigned low, unsigned high, bool may_be_short)
{
	unsigned number;
	size_t n = digit_at(c, 0, '0', '9') && digit_at(c, 1, '0', '9') ? 2 : 1;

	if (c->p > c->furthest)
		c->furthest = c->p;
	if (!digit_at(c, 0, '0', '9') || (n == 1 && !may_be_short))
		return false;
	number = (unsigned)(c->p[0] - '0');
	if (n == 2)
		number = number * 10 + (unsigned)(c->p[1] - '0');
	if (number < low || number > high)
		return false;
	c->p += n;
	return true;
}

/* A day's or a week's number: where the second digit would make it too large, it is not part of it. */
static bool take_ordinal(struct cursor *c, unsigned high)
{
	const char *start = c->p;

	if (take_number(c, 1, high, true))
		return true;
	if (digit_at(c, 0, '1', '9')) {
		c->p = start + 1;
		return true;
	}
	return false;
}

static bool take_positive(struct cursor *c)
{
	const char *start = c->p;

	while (take(c, '0'))
		;
	if (!digit_at(c, 0, '1', '9'))
		return back(c, start);
	for (size_t n = 0; n < 4 && digit_at(c, 0, '0', '9'); n++)
		c->p++;
	return true;
}

static bool take_plus_or_minus(struct cursor *c)
{
	return take(c, '+') || take(c, '-');
}

static bool take_comment(struct cursor *c)
{
	const char *start = c->p, *close;

	if (!take(c, '"'))
		return false;
	close = memchr(c->p, '"', (size_t)(c->end - c->p));
	if (close == NULL || close == c->p)
		return back(c, start);
	c->p = close + 1;
	return true;
}

static bool take_year(struct cursor *c)
{
	if (c->p > c->furthest)
		c->furthest = c->p;
	if (!(digit_at(c, 0, '2', '9') || (digit_at(c, 0, '1', '1') && digit_at(c, 1, '9', '9'))) ||
	    !digit_at(c, 1, '0', '9') || !digit_at(c, 2, '0', '9') || !digit_at(c, 3, '0', '9'))
		return false;
	c->p += 4;
	return true;
}

static bool take_month(struct cursor *c)
{
	static const char *const NAMES[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

	return take_one_of(c, NAMES, ARRAY_SIZE(NAMES));
}

static bool take_event(struct cursor *c)
{
	static const char *const NAMES[] = {"dawn", "sunrise", "sunset", "dusk"};

	return take_one_of(c, NAMES, ARRAY_SIZE(NAMES));
}

static bool take_weekday(struct cursor *c)
{
	static const char *const NAMES[] = {"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"};
	const char *start = c->p;

	if (take_event(c)) /* "sunrise" is no Sunday */
		return back(c, start);
	return take_one_of(c, NAMES, ARRAY_SIZE(NAMES));
}

/* --- times */

static bool take_minute(struct cursor *c)
{
	return take_number(c, 0, 59, false);
}

static bool take_hour_minutes(struct cursor *c, unsigned last_hour)
{
	const char *start = c->p;

	if (take_number(c, 0, last_hour, true) && take(c, ':') && take_minute(c))
		return true;
	c->p = start;
	return take_text(c, "24:00");
}

static bool take_variable_time(struct cursor *c)
{
	const char *start = c->p;

	if (take(c, '(') && take_event(c) && take_plus_or_minus(c) && take_hour_minutes(c, 23) && take(c, ')'))
		return true;
	c->p = start;
	return take_event(c);
}

static bool take_time(struct cursor *c)
{
	const char *start = c->p;

	if (take_text(c, "24:00"))
		return back(c, start);
	return take_hour_minutes(c, 23) || take_variable_time(c);
}

/* "02:00" of the next day may be written as 26:00. */
static bool take_extended_time(struct cursor *c)
{
	return take_hour_minutes(c, 48) || take_variable_time(c);
}

/* "/01:30" or "/90": how often. */
static void take_period(struct cursor *c)
{
	const char *start = c->p;

	take(c, ' ');
	if (!take(c, '/')) {
		c->p = start;
		return;
	}
	take(c, ' ');
	if (!take_hour_minutes(c, 23) && !take_minute(c))
		c->p = start;
}

static bool take_timespan(struct cursor *c)
{
	const char *start = c->p, *after;

	if (!take_time(c))
		return false;
	after = c->p;
	take(c, ' ');
	if (take(c, '-')) {
		take(c, ' ');
		if (take_extended_time(c)) {
			if (!take(c, '+'))
				take_period(c);
			return true;
		}
	}
	c->p = after;
	return take(c, '+') || back(c, start);
}

static bool take_time_selector(struct cursor *c)
{
	const char *after;

	if (!take_timespan(c))
		return false;
	for (after = c->p; take(c, ','); after = c->p) {
		take(c, ' ');
		if (!take_timespan(c))
			break;
	}
	c->p = after;
	return true;
}

/* --- weekdays and holidays */

static bool take_day_offset(struct cursor *c)
{
	const char *start = c->p;

	if (!take(c, ' ') || !take_plus_or_minus(c) || !take_positive(c) || !take(c, ' ') || !take_text(c, "day"))
		return back(c, start);
	take_text(c, "s");
	return true;
}

static bool take_nth(struct cursor *c)
{
	if (!digit_at(c, 0, '1', '5'))
		return false;
	c->p++;
	return true;
}

/* "1", "-1", "1-3". */
static bool take_nth_entry(struct cursor *c)
{
	const char *start = c->p, *after;

	if (take(c, '-'))
		return take_nth(c) || back(c, start);
	if (!take_nth(c))
		return false;
	after = c->p;
	if (!take(c, '-') || !take_nth(c))
		c->p = after;
	return true;
}

static bool take_nth_entries(struct cursor *c)
{
	const char *start = c->p;

	if (!take(c, '[') || !take_nth_entry(c))
		return back(c, start);
	while (take(c, ',')) {
		if (!take_nth_entry(c))
			return back(c, start);
	}
	return take(c, ']') || back(c, start);
}

static bool take_weekday_range(struct cursor *c)
{
	const char *after;

	if (!take_weekday(c))
		return false;
	after = c->p;
	if (take_nth_entries(c)) {
		take_day_offset(c);
		return true;
	}
	if (!take(c, '-') || !take_weekday(c))
		c->p = after;
	return true;
}

static bool take_holiday(struct cursor *c)
{
	if (take_text(c, "PH")) {
		take_day_offset(c);
		return true;
	}
	return take_text(c, "SH");
}

typedef bool symbol(struct cursor *c);

static bool take_list(struct cursor *c, symbol *item)
{
	const char *after;

	if (!item(c))
		return false;
	for (after = c->p; take(c, ',') && item(c);)
		after = c->p;
	c->p = after;
	return true;
}

/* Holidays and weekdays, in either order. */
static bool take_weekday_selector(struct cursor *c)
{
	symbol *second = take_weekday_range;
	const char *after;

	if (!take_list(c, take_holiday)) {
		if (!take_list(c, take_weekday_range))
			return false;
		second = take_holiday;
	}
	after = c->p;
	if ((!take(c, ',') && !take(c, ' ')) || !take_list(c, second))
		c->p = after;
	return true;
}

/* --- dates */

/* "08" of "Jan 08:00-12:00" is no day. */
static bool take_day(struct cursor *c)
{
	const char *start = c->p;
	struct cursor ahead;

	if (!take_ordinal(c, 31))
		return false;
	ahead = *c;
	if (take(&ahead, ':') && take_minute(&ahead) && !(take(&ahead, ':') && take_minute(&ahead)))
		return back(c, start);
	return true;
}

static bool take_easter(struct cursor *c)
{
	const char *start = c->p;

	take_year(c);
	take(c, ' ');
	return take_text(c, "easter") || back(c, start);
}

static bool take_month_of_year(struct cursor *c)
{
	const char *start = c->p;

	if (take_year(c))
		take(c, ' ');
	return take_month(c) || back(c, start);
}

static bool take_month_day(struct cursor *c)
{
	const char *start = c->p;

	if (!take_month_of_year(c))
		return false;
	take(c, ' ');
	return take_day(c) || back(c, start);
}

/* "Oct Su[-1]" */
static bool take_month_weekday(struct cursor *c)
{
	const char *start = c->p;

	if (!take_month_of_year(c) || !take(c, ' ') || !take_weekday(c) || !take(c, '['))
		return back(c, start);
	take(c, '-');
	return (take_nth(c) && take(c, ']')) || back(c, start);
}

static bool take_months(struct cursor *c)
{
	const char *start = c->p, *after;

	take_year(c);
	if (!take_month(c))
		return back(c, start);
	after = c->p;
	if (!take(c, '-') || !take_month(c))
		c->p = after;
	return true;
}

static bool is_date_next(struct cursor c)
{
	return take_easter(&c) || take_month_day(&c) || take_month_weekday(&c) || take_months(&c);
}

static bool take_date(struct cursor *c)
{
	const char *start = c->p, *after;

	if (take_easter(c) || take_month_day(c))
		return true;
	if (!take_month_weekday(c))
		return false;
	/* In "Oct Su[1],Su[3]" the weekdays belong together. */
	after = c->p;
	if (take(c, ',') && !is_date_next(*c))
		return back(c, start);
	c->p = after;
	return true;
}

static bool take_date_offset(struct cursor *c)
{
	const char *start = c->p;

	take(c, ' ');
	if (take_plus_or_minus(c) && take_weekday(c)) {
		take_day_offset(c);
		return true;
	}
	c->p = start;
	return take_day_offset(c);
}

static bool take_last_date(struct cursor *c)
{
	const char *start = c->p;

	take_date_offset(c);
	take(c, ' ');
	if (take(c, '-')) {
		take(c, ' ');
		if (take_date(c) || take_day(c)) {
			take_date_offset(c);
			return true;
		}
	}
	return back(c, start);
}

static bool take_monthday_range(struct cursor *c)
{
	if (!take_date(c))
		return take_months(c);
	if (!take_last_date(c)) {
		take_date_offset(c);
		take(c, '+');
	}
	return true;
}

/* What may stand behind the first of a range: `-` and its last, and behind that `/` and how many steps it goes by. */
static void take_range_rest(struct cursor *c, bool (*take_last)(struct cursor *))
{
	const char *after = c->p;

	if (!take(c, '-') || !take_last(c)) {
		c->p = after;
		return;
	}
	after = c->p;
	if (!take(c, '/') || !take_positive(c))
		c->p = after;
}

static bool take_week_number(struct cursor *c)
{
	return take_ordinal(c, 53);
}

static bool take_week(struct cursor *c)
{
	if (!take_week_number(c))
		return false;
	take_range_rest(c, take_week_number);
	return true;
}

static bool take_separator(struct cursor *c)
{
	if (take(c, ' '))
		return true;
	if (!take(c, ':'))
		return false;
	take(c, ' ');
	return true;
}

static bool take_week_selector(struct cursor *c)
{
	const char *start = c->p;

	take_separator(c);
	if (!take_text(c, "week"))
		return back(c, start);
	take(c, ' ');
	return take_list(c, take_week) || back(c, start);
}

static bool take_year_range(struct cursor *c)
{
	if (!take_year(c))
		return false;
	if (!take(c, '+'))
		take_range_rest(c, take_year);
	return true;
}

/* --- rules */

static void take_wide_range(struct cursor *c)
{
	const char *start = c->p, *after;

	if (take_comment(c) && take(c, ':')) {
		take(c, ' ');
		return;
	}
	c->p = start;
	if (!take_list(c, take_monthday_range) && take_list(c, take_year_range)) {
		after = c->p;
		take_separator(c);
		if (!take_list(c, take_monthday_range))
			c->p = after;
	}
	take_week_selector(c);
	take_separator(c);
}

static void take_small_range(struct cursor *c)
{
	const char *after;

	if (!take_weekday_selector(c)) {
		take_time_selector(c);
		return;
	}
	after = c->p;
	if (!take(c, ' ') || !take_time_selector(c))
		c->p = after;
}

static void take_modifier(struct cursor *c)
{
	static const char *const WORDS[] = {"closed", "off", "open", "unknown"};
	const char *after;

	if (take_comment(c) || !take_one_of(c, WORDS, ARRAY_SIZE(WORDS)))
		return;
	after = c->p;
	if (!take(c, ' ') || !take_comment(c))
		c->p = after;
}

/* "; ", ", ", " || " */
static bool take_rule_separator(struct cursor *c)
{
	const char *start = c->p;

	take(c, ' ');
	if (take(c, ';')) {
		take(c, ' ');
		return true;
	}
	if ((take(c, ',') || take_text(c, "||")) && take(c, ' '))
		return true;
	return back(c, start);
}

/* Every part may be left out, but not all of them. */
static bool take_rule(struct cursor *c)
{
	const char *start = c->p;

	if (!take_text(c, "24/7")) {
		take_wide_range(c);
		take_small_range(c);
	}
	take(c, ' ');
	take_modifier(c);
	for (const char *p = start; p < c->p; p++) {
		if (*p != ' ' && *p != ':')
			return true;
	}
	return back(c, start);
}

bool opening_hours_check(const char *text, size_t size, size_t *ret_offset)
{
	struct cursor c = {text, text + size, text};
	bool is_good = size <= LIMIT_OPENING_HOURS_SIZE && take_rule(&c);

	while (is_good && take_rule_separator(&c))
		is_good = take_rule(&c);
	is_good = is_good && c.p == c.end;
	if (!is_good && ret_offset != NULL)
		*ret_offset = (size_t)(c.furthest - text);
	return is_good;
}
