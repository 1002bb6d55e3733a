/* SPDX-License-Identifier: ISC
 *
 * notation: names, hex, times.
 */
#include "bundle/notation.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"

#define DAY 86400

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool notation_is_name(const char *text)
{
	static const char *const reserved[] = {"root",    "timestamp",   "snapshot",  "targets",
					       "mirrors", "datapackage", "withdrawn", "status"};
	size_t size = 0;

	for (; text[size] != '\0'; size++) {
		char c = text[size];

		if (size >= NOTATION_NAME_SIZE - 1)
			return false;
		if (!is_lower_or_digit(c) && (size == 0 || (c != '_' && c != '-')))
			return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (strcmp(text, reserved[i]) == 0)
			return false;
	return size > 0;
}

bool notation_is_file_name(const char *text)
{
	size_t size = 0;

	for (; text[size] != '\0'; size++) {
		char c = text[size];
		bool is_letter = is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');

		if (size >= 255)
			return false;
		if (!is_letter && c != '_' && c != '-' && (c != '.' || size == 0))
			return false;
	}
	return size > 0;
}

void notation_hex(const void *bytes, size_t size, char *text)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *in = bytes;

	for (size_t i = 0; i < size; i++) {
		text[2 * i] = digits[in[i] >> 4];
		text[2 * i + 1] = digits[in[i] & 15];
	}
	text[2 * size] = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool notation_unhex(const char *text, void *bytes, size_t size)
{
	uint8_t *out = bytes;

	if (strnlen(text, 2 * size + 1) != 2 * size)
		return false;
	for (size_t i = 0; i < size; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool read_digits(const char *text, size_t n, int *ret)
{
	int value = 0;

	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (text[i] - '0');
	}
	*ret = value;
	return true;
}

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar. */
static int64_t days_of(int64_t year, int month, int day)
{
	int64_t era, day_of_year, day_of_era;

	year -= month <= 2;
	era = (year >= 0 ? year : year - 399) / 400;
	day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	day_of_era = (year - era * 400) * 365 + (year - era * 400) / 4 - (year - era * 400) / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

static bool is_date(int year, int month, int day)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (month < 1 || month > 12 || day < 1)
		return false;
	return day <= lengths[month - 1] + (month == 2 && leap);
}

bool notation_parse_time(const char *text, int64_t *ret)
{
	int year, month, day, hour, minute, second;

	if (strnlen(text, NOTATION_TIME_SIZE) != NOTATION_TIME_SIZE - 1)
		return false;
	if (text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':' ||
	    text[19] != 'Z')
		return false;
	if (!read_digits(text, 4, &year) || !read_digits(text + 5, 2, &month) || !read_digits(text + 8, 2, &day) ||
	    !read_digits(text + 11, 2, &hour) || !read_digits(text + 14, 2, &minute) ||
	    !read_digits(text + 17, 2, &second))
		return false;
	if (year < 1 || !is_date(year, month, day) || hour > 23 || minute > 59 || second > 59)
		return false;
	*ret = days_of(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
	return true;
}

void notation_format_time(int64_t seconds, char *text)
{
	time_t time = (time_t)seconds;
	struct tm tm;

	if (gmtime_r(&time, &tm) == NULL || tm.tm_year < -1899 || tm.tm_year > 9999 - 1900 ||
	    strftime(text, NOTATION_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) != NOTATION_TIME_SIZE - 1)
		memcpy(text, "0001-01-01T00:00:00Z", NOTATION_TIME_SIZE);
}

void notation_format_local(int64_t seconds, char *text, size_t size)
{
	time_t time = (time_t)seconds;
	struct tm tm;

	if (localtime_r(&time, &tm) == NULL || strftime(text, size, "%Y-%m-%d %H:%M %z", &tm) == 0)
		snprintf(text, size, "?");
}

void notation_format_age(int64_t seconds, char *text, size_t size)
{
	static const struct {
		int64_t length;
		const char *one, *many;
	} units[] = {{365 * DAY, "year", "years"},
		     {DAY, "day", "days"},
		     {3600, "h", "h"},
		     {60, "min", "min"},
		     {1, "s", "s"}};
	const char *sign = seconds < 0 ? "-" : "";
	int64_t left = seconds < 0 ? -seconds : seconds;

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		int64_t n = left / units[i].length;

		if (n == 0 && i + 1 < ARRAY_SIZE(units))
			continue;
		snprintf(text, size, "%s%lld %s", sign, (long long)n, n == 1 ? units[i].one : units[i].many);
		return;
	}
}

void notation_format_size(uint64_t bytes, char *text, size_t size)
{
	static const char *const units[] = {"KB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)bytes / 1000;
	size_t unit = 0;

	if (bytes < 1000) {
		snprintf(text, size, "%u B", (unsigned)bytes);
		return;
	}
	for (; value >= 999.5 && unit + 1 < ARRAY_SIZE(units); unit++)
		value /= 1000;
	snprintf(text, size, value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

bool notation_parse_duration(const char *text, int64_t *ret_seconds)
{
	int64_t value = 0, unit;
	size_t i = 0;

	for (; text[i] >= '0' && text[i] <= '9'; i++) {
		value = value * 10 + (text[i] - '0');
		if (i >= 10)
			return false;
	}
	if (i == 0 || text[i] == '\0' || text[i + 1] != '\0')
		return false;
	switch (text[i]) {
	case 's':
		unit = 1;
		break;
	case 'm':
		unit = 60;
		break;
	case 'h':
		unit = 3600;
		break;
	case 'd':
		unit = DAY;
		break;
	case 'w':
		unit = 7 * DAY;
		break;
	default:
		return false;
	}
	if (value < 1 || value * unit > 100LL * 365 * DAY)
		return false;
	*ret_seconds = value * unit;
	return true;
}

void notation_json_string(FILE *file, const char *text)
{
	size_t size = strlen(text), bad;

	fputc('"', file);
	while (size > 0) {
		size_t good = text_is_utf8(text, size, &bad) ? size : bad;

		for (size_t i = 0; i < good; i++) {
			unsigned char c = (unsigned char)text[i];

			if (c == '"' || c == '\\')
				fprintf(file, "\\%c", c);
			else if (c < 0x20 || c == 0x7f)
				fprintf(file, "\\u%04x", c);
			else
				fputc(c, file);
		}
		text += good;
		size -= good;
		if (size > 0) {
			fputs("\xef\xbf\xbd", file);
			text++;
			size--;
		}
	}
	fputc('"', file);
}

int64_t notation_demand_duration(const char *what, const char *text)
{
	int64_t seconds;

	if (!notation_parse_duration(text, &seconds))
		die_usage("%s: \"%s\" is not a duration like 90s, 6h or 3d", what, text);
	return seconds;
}
