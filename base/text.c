/* SPDX-License-Identifier: ISC
 *
 * text: the small alphabets.
 */
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define DAY 86400

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool text_is_name(const char *text)
{
	static const char *const reserved[] = {"root",    "timestamp",   "snapshot",  "targets",
					       "mirrors", "datapackage", "withdrawn", "status"};
	size_t size = 0;

	for (; text[size] != '\0'; size++) {
		char c = text[size];

		if (size >= TEXT_NAME_SIZE - 1)
			return false;
		if (!is_lower_or_digit(c) && (size == 0 || (c != '_' && c != '-')))
			return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (strcmp(text, reserved[i]) == 0)
			return false;
	return size > 0;
}

bool text_is_file_name(const char *text)
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

void text_hex(const void *bytes, size_t size, char *text)
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

bool text_unhex(const char *text, void *bytes, size_t size)
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

/* The length of the well-formed character at S (at most SIZE bytes), 0 if there is none. RFC 3629, 4. */
static size_t utf8_character(const uint8_t *s, size_t size)
{
	size_t n;
	uint8_t low = 0x80, high = 0xbf;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (size < n)
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0; /* no overlong form */
	else if (s[0] == 0xed)
		high = 0x9f; /* no surrogate */
	else if (s[0] == 0xf0)
		low = 0x90; /* no overlong form */
	else if (s[0] == 0xf4)
		high = 0x8f; /* nothing past U+10FFFF */
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return n;
}

bool text_is_utf8(const void *bytes, size_t size, size_t *ret_offset)
{
	const uint8_t *s = bytes;
	size_t i = 0;

	while (i < size) {
		uint64_t eight;
		size_t n;

		/* Eight ASCII bytes at a time: most of what we read. */
		if (size - i >= sizeof eight) {
			memcpy(&eight, s + i, sizeof eight);
			if ((eight & 0x8080808080808080ULL) == 0) {
				i += sizeof eight;
				continue;
			}
		}
		n = utf8_character(s + i, size - i);
		if (n == 0) {
			if (ret_offset != NULL)
				*ret_offset = i;
			return false;
		}
		i += n;
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

bool text_parse_time(const char *text, int64_t *ret)
{
	int year, month, day, hour, minute, second;

	if (strnlen(text, TEXT_TIME_SIZE) != TEXT_TIME_SIZE - 1)
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

void text_format_time(int64_t seconds, char *text)
{
	time_t time = (time_t)seconds;
	struct tm tm;

	if (gmtime_r(&time, &tm) == NULL || tm.tm_year < -1899 || tm.tm_year > 9999 - 1900 ||
	    strftime(text, TEXT_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) != TEXT_TIME_SIZE - 1)
		memcpy(text, "0001-01-01T00:00:00Z", TEXT_TIME_SIZE);
}

void text_format_local(int64_t seconds, char *text, size_t size)
{
	time_t time = (time_t)seconds;
	struct tm tm;

	if (localtime_r(&time, &tm) == NULL || strftime(text, size, "%Y-%m-%d %H:%M %z", &tm) == 0)
		snprintf(text, size, "?");
}

void text_format_size(uint64_t bytes, char *text, size_t size)
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

void text_format_age(int64_t seconds, char *text, size_t size)
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

bool text_parse_duration(const char *text, int64_t *ret_seconds)
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

char *text_escape(const void *bytes, size_t size, char *text, size_t text_size)
{
	static const char dots[] = "...";
	const uint8_t *in = bytes;
	size_t out = 0, cut = 0; /* cut: where the dots still fit */

	if (text_size < sizeof dots) {
		if (text_size > 0)
			*text = '\0';
		return text;
	}
	for (size_t i = 0; i < size;) {
		size_t n = in[i] < 0x20 || in[i] == 0x7f ? 0 : utf8_character(in + i, size - i);

		/* C1 controls are well-formed UTF-8 and still move cursors. */
		if (n == 2 && in[i] == 0xc2 && in[i + 1] < 0xa0)
			n = 0;
		if (out + (n > 0 ? n : 4) >= text_size) {
			memcpy(text + cut, dots, sizeof dots);
			return text;
		}
		if (n > 0)
			memcpy(text + out, in + i, n);
		else
			snprintf(text + out, 5, "\\x%02x", in[i]);
		out += n > 0 ? n : 4;
		i += n > 0 ? n : 1;
		if (out + sizeof dots <= text_size)
			cut = out;
	}
	text[out] = '\0';
	return text;
}

bool text_copy(char *to, size_t to_size, const char *source)
{
	size_t size = strnlen(source, to_size);

	if (size >= to_size)
		return false;
	memcpy(to, source, size + 1);
	return true;
}
