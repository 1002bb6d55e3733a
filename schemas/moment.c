/* SPDX-License-Identifier: ISC
 *
 * moment: the default forms and strptime patterns. Written by hand: glibc's strptime skips blanks, takes parts, heeds
 * the locale and lets 31 November pass.
 */
#include "schemas/moment.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

struct cursor {
	const char *p, *end;
};

static const char *const MONTHS[] = {"january", "february", "march",     "april",   "may",      "june",
				     "july",    "august",   "september", "october", "november", "december"};
static const char *const WEEKDAYS[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int days_in_month(int year, int month)
{
	static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return DAYS[month - 1] + (month == 2 && leap);
}

/* Days since 1970-01-01 in the Gregorian calendar. */
static int64_t days_from_date(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static bool is_real_time(const struct moment *m)
{
	if (m->hour == 24)
		return m->minute == 0 && m->second == 0 && m->nanosecond == 0;
	return m->hour >= 0 && m->hour <= 23 && m->minute >= 0 && m->minute <= 59 && m->second >= 0 && m->second <= 59;
}

bool moment_finish(enum moment_kind kind, const struct moment *m, struct value *ret_value)
{
	int64_t days = 0, seconds = 0;

	if (kind != MOMENT_TIME) {
		if (m->year < 1 || m->year > 9999 || m->month < 1 || m->month > 12 || m->day < 1 ||
		    m->day > days_in_month(m->year, m->month))
			return false;
		days = days_from_date(m->year, m->month, m->day);
	}
	if (!is_real_time(m))
		return false;
	if (ret_value == NULL)
		return true;
	if (kind != MOMENT_DATE)
		seconds = m->hour * 3600 + m->minute * 60 + m->second - m->zone;
	*ret_value = (struct value){.kind = VALUE_POINT,
				    .number = kind == MOMENT_DATE ? days : days * 86400 + seconds,
				    .fraction = kind == MOMENT_DATE ? 0 : m->nanosecond};
	return true;
}

/* Takes MINIMUM to MAXIMUM digits. */
static bool take_number(struct cursor *c, int minimum, int maximum, int *ret)
{
	int n = 0, number = 0;

	while (n < maximum && c->p < c->end && is_digit(*c->p)) {
		number = number * 10 + (*c->p++ - '0');
		n++;
	}
	if (n < minimum)
		return false;
	*ret = number;
	return true;
}

static bool take_char(struct cursor *c, char wanted)
{
	if (c->p == c->end || *c->p != wanted)
		return false;
	c->p++;
	return true;
}

/* Digits after the point; those past the ninth are dropped. */
static bool take_fraction(struct cursor *c, int maximum, int *ret_nanosecond)
{
	int n = 0, nanosecond = 0;

	for (; c->p < c->end && is_digit(*c->p) && n < maximum; c->p++, n++) {
		if (n < 9)
			nanosecond = nanosecond * 10 + (*c->p - '0');
	}
	for (int i = n; i < 9; i++)
		nanosecond *= 10;
	*ret_nanosecond = nanosecond;
	return n > 0;
}

/* "Z", "+01:00", and "+0100", which XML Schema has not but ISO 8601 and published data have. */
static bool take_zone(struct cursor *c, int *ret_zone)
{
	int hours, minutes;
	bool west;

	if (take_char(c, 'Z'))
		return true;
	if (c->p == c->end || (*c->p != '+' && *c->p != '-'))
		return false;
	west = *c->p++ == '-';
	if (!take_number(c, 2, 2, &hours))
		return false;
	take_char(c, ':');
	if (!take_number(c, 2, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*ret_zone = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
	return true;
}

static bool take_date(struct cursor *c, struct moment *m)
{
	return take_number(c, 4, 4, &m->year) && take_char(c, '-') && take_number(c, 2, 2, &m->month) &&
	       take_char(c, '-') && take_number(c, 2, 2, &m->day);
}

static bool take_time(struct cursor *c, struct moment *m)
{
	if (!take_number(c, 2, 2, &m->hour) || !take_char(c, ':') || !take_number(c, 2, 2, &m->minute) ||
	    !take_char(c, ':') || !take_number(c, 2, 2, &m->second))
		return false;
	if (c->p < c->end && *c->p == '.') {
		c->p++;
		if (!take_fraction(c, 64, &m->nanosecond))
			return false;
	}
	return c->p == c->end || take_zone(c, &m->zone);
}

bool moment_parse(enum moment_kind kind, const char *text, size_t size, struct value *ret_value)
{
	struct cursor c = {text, text + size};
	struct moment m = {0};

	if (kind != MOMENT_TIME && !take_date(&c, &m))
		return false;
	if (kind == MOMENT_DATETIME && !take_char(&c, 'T') && !take_char(&c, ' '))
		return false;
	if (kind != MOMENT_DATE && !take_time(&c, &m))
		return false;
	return c.p == c.end && moment_finish(kind, &m, ret_value);
}

static int find_name(const char *const *names, size_t n_names, const char *word, size_t size)
{
	for (size_t i = 0; i < n_names; i++) {
		if ((size == 3 || size == strlen(names[i])) && strncasecmp(word, names[i], size) == 0)
			return (int)i + 1;
	}
	return 0;
}

int moment_month(const char *word, size_t size)
{
	return find_name(MONTHS, ARRAY_SIZE(MONTHS), word, size);
}

int moment_weekday(const char *word, size_t size)
{
	return find_name(WEEKDAYS, ARRAY_SIZE(WEEKDAYS), word, size);
}

static bool take_name(struct cursor *c, int (*find)(const char *, size_t), int *ret)
{
	size_t size = 0;

	while (c->p + size < c->end && ((c->p[size] | 0x20) >= 'a' && (c->p[size] | 0x20) <= 'z'))
		size++;
	*ret = find(c->p, size);
	c->p += size;
	return *ret != 0;
}

/* What a pattern says beside the moment's own fields. */
struct pattern_state {
	struct moment m;
	int hour12;      /* -1: none */
	int afternoon;   /* -1: none */
	int day_of_year; /* 0: none */
};

static bool take_meridiem(struct cursor *c, struct pattern_state *s)
{
	if (c->end - c->p < 2 || (c->p[1] | 0x20) != 'm')
		return false;
	s->afternoon = (c->p[0] | 0x20) == 'p';
	if (!s->afternoon && (c->p[0] | 0x20) != 'a')
		return false;
	c->p += 2;
	return true;
}

static bool take_zone_name(struct cursor *c)
{
	if (c->end - c->p < 3 || (strncasecmp(c->p, "UTC", 3) != 0 && strncasecmp(c->p, "GMT", 3) != 0))
		return false;
	c->p += 3;
	return true;
}

static bool take_directive(struct cursor *c, char directive, struct pattern_state *s)
{
	struct moment *m = &s->m;
	int ignored;

	switch (directive) {
	case 'Y':
		return take_number(c, 4, 4, &m->year);
	case 'y': /* POSIX: 69 to 99 are of the last century */
		if (!take_number(c, 2, 2, &m->year))
			return false;
		m->year += m->year >= 69 ? 1900 : 2000;
		return true;
	case 'm':
		return take_number(c, 1, 2, &m->month);
	case 'd':
		return take_number(c, 1, 2, &m->day);
	case 'e':
		take_char(c, ' ');
		return take_number(c, 1, 2, &m->day);
	case 'j':
		return take_number(c, 1, 3, &s->day_of_year) && s->day_of_year > 0;
	case 'b':
	case 'B':
		return take_name(c, moment_month, &m->month);
	case 'a':
	case 'A':
		return take_name(c, moment_weekday, &ignored);
	case 'H':
		return take_number(c, 1, 2, &m->hour) && m->hour < 24;
	case 'I':
		return take_number(c, 1, 2, &s->hour12) && s->hour12 >= 1 && s->hour12 <= 12;
	case 'M':
		return take_number(c, 1, 2, &m->minute);
	case 'S':
		return take_number(c, 1, 2, &m->second);
	case 'f':
		return take_fraction(c, 6, &m->nanosecond);
	case 'p':
		return take_meridiem(c, s);
	case 'z':
		return take_zone(c, &m->zone);
	case 'Z':
		return take_zone_name(c);
	case '%':
		return take_char(c, '%');
	}
	return false;
}

/* Directives that stand for several. */
static const char *directive_expand(char directive)
{
	switch (directive) {
	case 'F':
		return "%Y-%m-%d";
	case 'T':
		return "%H:%M:%S";
	case 'R':
		return "%H:%M";
	case 'D':
		return "%m/%d/%y";
	}
	return NULL;
}

static bool take_pattern(struct cursor *c, const char *pattern, struct pattern_state *s)
{
	for (; *pattern != '\0'; pattern++) {
		if (*pattern != '%') {
			if (!take_char(c, *pattern))
				return false;
			continue;
		}
		pattern++;
		if (directive_expand(*pattern) != NULL) {
			if (!take_pattern(c, directive_expand(*pattern), s))
				return false;
		} else if (!take_directive(c, *pattern, s)) {
			return false;
		}
	}
	return true;
}

bool moment_pattern_check(const char *pattern, const char **ret_rest)
{
	bool has_directive = false;

	*ret_rest = pattern;
	for (const char *p = pattern; *p != '\0'; p++) {
		if (*p != '%')
			continue;
		*ret_rest = p;
		if (*++p == '\0' || strchr("YymdejbBaAHIMSfpzZ%FTRD", *p) == NULL)
			return false;
		has_directive = has_directive || *p != '%';
	}
	return has_directive;
}

bool moment_parse_pattern(enum moment_kind kind, const char *pattern, const char *text, size_t size,
			  struct value *ret_value)
{
	struct cursor c = {text, text + size};
	/* What a pattern leaves out is as strptime's callers have it: 1 January 1900, midnight. */
	struct pattern_state s = {.m = {.year = 1900, .month = 1, .day = 1}, .hour12 = -1, .afternoon = -1};

	if (!take_pattern(&c, pattern, &s) || c.p != c.end)
		return false;
	if (s.hour12 >= 0)
		s.m.hour = s.hour12 % 12 + (s.afternoon == 1 ? 12 : 0);
	if (s.day_of_year > 0) {
		for (s.m.month = 1; s.m.month < 12 && s.day_of_year > days_in_month(s.m.year, s.m.month); s.m.month++)
			s.day_of_year -= days_in_month(s.m.year, s.m.month);
		s.m.day = s.day_of_year;
	}
	return moment_finish(kind, &s.m, ret_value);
}

bool moment_parse_year(const char *text, size_t size, struct value *ret_value)
{
	struct cursor c = {text, text + size};
	int year;

	if (!take_number(&c, 4, 4, &year) || c.p != c.end)
		return false;
	if (ret_value != NULL)
		*ret_value = (struct value){.kind = VALUE_POINT, .number = year};
	return true;
}

bool moment_parse_yearmonth(const char *text, size_t size, struct value *ret_value)
{
	struct cursor c = {text, text + size};
	int year, month;

	if (!take_number(&c, 4, 4, &year) || !take_char(&c, '-') || !take_number(&c, 2, 2, &month) || c.p != c.end ||
	    month < 1 || month > 12)
		return false;
	if (ret_value != NULL)
		*ret_value = (struct value){.kind = VALUE_POINT, .number = year * 12 + month - 1};
	return true;
}

/* Numbers with the letters of LETTERS, each at most once, in their order. Returns how many, -1 where the form is
 * broken. */
static int take_designators(struct cursor *c, const char *letters)
{
	int n = 0;

	while (c->p < c->end && *c->p != 'T') {
		const char *digits = c->p;
		const char *letter;

		while (c->p < c->end && is_digit(*c->p))
			c->p++;
		if (c->p < c->end && c->p > digits && (*c->p == '.' || *c->p == ',')) {
			do {
				c->p++;
			} while (c->p < c->end && is_digit(*c->p));
		}
		if (c->p == digits || !is_digit(c->p[-1]) || c->p == c->end || *c->p == '\0')
			return -1;
		letter = strchr(letters, *c->p++);
		if (letter == NULL)
			return -1;
		letters = letter + 1;
		n++;
	}
	return n;
}

bool moment_is_duration(const char *text, size_t size)
{
	struct cursor c = {text, text + size};
	int n_days, n_times = 0;

	take_char(&c, '-');
	if (!take_char(&c, 'P'))
		return false;
	n_days = take_designators(&c, "YMWD");
	if (n_days >= 0 && take_char(&c, 'T')) {
		n_times = take_designators(&c, "HMS");
		if (n_times == 0)
			return false;
	}
	return n_days >= 0 && n_times >= 0 && n_days + n_times > 0 && c.p == c.end;
}
