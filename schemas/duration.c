/* SPDX-License-Identifier: ISC
 *
 * duration: as pairs of months and microseconds, compared from four reference months as XML Schema does.
 */
#include "schemas/duration.h"

#include <string.h>

#include "base/cleanup.h"

#define SECOND 1000000LL
#define DAY (86400 * SECOND)
/* A hundred thousand years: sums of such parts stay within 64 bits. */
#define MONTHS_MAX 1200000LL
#define MICROSECONDS_MAX (MONTHS_MAX * 31 * DAY)

struct part {
	int64_t whole, micro;
};

/* "12", "12.5", "12,500000"; false: more than is kept. */
static bool take_part(const char **p, const char *end, struct part *ret)
{
	struct part part = {0, 0};
	int64_t unit = SECOND / 10;

	for (; *p < end && **p >= '0' && **p <= '9'; ++*p) {
		part.whole = part.whole * 10 + (**p - '0');
		if (part.whole > MICROSECONDS_MAX / SECOND)
			return false;
	}
	if (*p < end && (**p == '.' || **p == ',')) {
		for (++*p; *p < end && **p >= '0' && **p <= '9'; ++*p, unit /= 10) {
			if (unit == 0 && **p != '0')
				return false;
			part.micro += (**p - '0') * unit;
		}
	}
	*ret = part;
	return true;
}

static bool add_part(char letter, bool is_time, const struct part *part, int64_t *months, int64_t *micro)
{
	static const struct {
		char letter;
		bool is_time;
		int64_t months, micro;
	} units[] = {{'Y', false, 12, 0},           {'M', false, 1, 0},
		     {'W', false, 0, 7 * DAY},      {'D', false, 0, DAY},
		     {'H', true, 0, 3600 * SECOND}, {'M', true, 0, 60 * SECOND},
		     {'S', true, 0, SECOND}};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (units[i].letter != letter || units[i].is_time != is_time)
			continue;
		if (units[i].months > 0) {
			*months += part->whole <= MONTHS_MAX ? part->whole * units[i].months : 2 * MONTHS_MAX;
			return part->micro == 0 && *months <= MONTHS_MAX;
		}
		if (part->whole > MICROSECONDS_MAX / units[i].micro)
			return false;
		*micro += part->whole * units[i].micro + part->micro * (units[i].micro / SECOND);
		return *micro <= MICROSECONDS_MAX;
	}
	return false;
}

void duration_value(const char *text, size_t size, struct value *ret_value)
{
	const char *p = text, *end = text + size;
	int64_t months = 0, micro = 0;
	bool is_time = false, negative = *p == '-';

	*ret_value = (struct value){.kind = VALUE_TEXT, .text = text, .size = size};
	p += negative ? 2 : 1;
	while (p < end) {
		struct part part;

		if (*p == 'T') {
			is_time = true;
			p++;
			continue;
		}
		if (!take_part(&p, end, &part) || p == end || !add_part(*p++, is_time, &part, &months, &micro))
			return;
	}
	*ret_value = (struct value){
		.kind = VALUE_DURATION, .number = negative ? -months : months, .fraction = negative ? -micro : micro};
}

/* Days from 1970-01-01 to the first of the month, MONTHS after January of the year 0. */
static int64_t first_of_month(int64_t months)
{
	int64_t year = months >= 0 ? months / 12 : -((11 - months) / 12), month = months - year * 12 + 1;
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y >= 0 ? y / 400 : (y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

bool duration_order(const struct value *a, const struct value *b, int *ret_order)
{
	/* 1696-09, 1697-02, 1903-03, 1903-07. */
	static const int64_t references[] = {1696 * 12 + 8, 1697 * 12 + 1, 1903 * 12 + 2, 1903 * 12 + 6};
	int first = 0;

	if (a->kind != VALUE_DURATION || b->kind != VALUE_DURATION)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(references); i++) {
		int64_t days = first_of_month(references[i] + a->number) - first_of_month(references[i] + b->number);
		__int128 difference = (__int128)days * DAY + a->fraction - b->fraction;
		int order = (difference > 0) - (difference < 0);

		if (i > 0 && order != first)
			return false;
		first = order;
	}
	*ret_order = first;
	return true;
}
