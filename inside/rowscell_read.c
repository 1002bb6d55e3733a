/* SPDX-License-Identifier: ISC
 *
 * rowscell, reading cells: what a schema makes of a text, for who makes a database. Who only reads one links no schema.
 */
#include "inside/rowscell.h"

#include <stdio.h>
#include <string.h>

enum rows_kind rows_kind_of(const struct field *field)
{
	switch (field == NULL ? FIELD_ANY : field_type(field)) {
	case FIELD_INTEGER:
	case FIELD_YEAR:
		return ROWS_INTEGER;
	case FIELD_NUMBER:
		return ROWS_REAL;
	case FIELD_BOOLEAN:
		return ROWS_BOOLEAN;
	case FIELD_DATE:
		return ROWS_DATE;
	case FIELD_TIME:
		return ROWS_TIME;
	case FIELD_DATETIME:
		return ROWS_DATETIME;
	default:
		return ROWS_TEXT;
	}
}

/* The usual integer, without a look at the field: true where TEXT is at most 18 digits, perhaps with a minus. */
static bool is_short_integer(const char *text, size_t size, int64_t *ret)
{
	bool negative = size > 0 && text[0] == '-';
	int64_t number = 0;

	if (size - negative == 0 || size - negative > 18)
		return false;
	for (size_t i = negative; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		number = number * 10 + (text[i] - '0');
	}
	*ret = negative ? -number : number;
	return true;
}

/* --- moments --------------------------------------------------------------------------------------------------------- */

/* Year, month, day of a day since 1970 in the Gregorian calendar. */
static void date_from_days(int64_t days, int *year, int *month, int *day)
{
	int64_t shifted = days + 719468, era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	int64_t of_era = shifted - era * 146097;
	int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t shifted_month = (5 * of_year + 2) / 153;

	*day = (int)(of_year - (153 * shifted_month + 2) / 5 + 1);
	*month = (int)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
	*year = (int)(year_of_era + era * 400 + (*month <= 2));
}

static size_t clock_text(int64_t seconds, int64_t nanoseconds, char *text, size_t size)
{
	size_t used = (size_t)snprintf(text, size, "%02d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60),
				       (int)(seconds % 60));

	if (nanoseconds > 0) {
		used += (size_t)snprintf(text + used, size - used, ".%09d", (int)nanoseconds);
		while (text[used - 1] == '0')
			used--;
	}
	return used;
}

/* What ends a moment with a zone: then it is kept in UTC, so that texts are in the order of time. */
static bool has_zone(const struct field *field, const char *text, size_t size)
{
	const char *pattern = field->pattern_of_time;

	if (pattern != NULL)
		return strstr(pattern, "%z") != NULL || strstr(pattern, "%Z") != NULL;
	for (size_t i = size > 6 ? size - 6 : 0; i < size; i++)
		if (text[i] == 'Z' || text[i] == '+' || (text[i] == '-' && size > 16))
			return true;
	return false;
}

static struct rows_value moment_value(const struct field *field, enum rows_kind kind, const char *text, size_t size,
				      const struct value *value, struct rows_scratch *scratch)
{
	int64_t days = value->number, seconds = 0;
	size_t room = sizeof(scratch->text), used = 0;
	int year, month, day;

	if (kind != ROWS_DATE) {
		days = value->number / 86400 - (value->number % 86400 < 0);
		seconds = value->number - days * 86400;
	}
	if (kind != ROWS_TIME) {
		date_from_days(days, &year, &month, &day);
		used = (size_t)snprintf(scratch->text, room, "%04d-%02d-%02d", year, month, day);
	}
	if (kind == ROWS_DATETIME)
		scratch->text[used++] = 'T';
	if (kind != ROWS_DATE)
		used += clock_text(seconds, value->fraction, scratch->text + used, room - used);
	if (kind != ROWS_DATE && has_zone(field, text, size))
		scratch->text[used++] = 'Z';
	return rows_text_value(scratch->text, used);
}

/* --- cells ----------------------------------------------------------------------------------------------------------- */

static enum rows_fit read_typed(const struct field *field, enum rows_kind kind, const char *text, size_t size,
				struct rows_scratch *scratch, struct rows_value *ret_value)
{
	struct value value = {.kind = VALUE_TEXT};
	int64_t integer;

	if (kind == ROWS_INTEGER && field->type == FIELD_INTEGER && is_short_integer(text, size, &integer)) {
		*ret_value = rows_integer_value(integer);
		return ROWS_FITS;
	}
	if (field->parse == NULL || !field->parse(field, text, size, &scratch->digits, &value))
		return ROWS_MISFIT;
	switch (kind) {
	case ROWS_INTEGER:
	case ROWS_REAL:
	case ROWS_DECIMAL:
		return rows_number_value(kind, &value, scratch, ret_value);
	case ROWS_BOOLEAN:
		*ret_value = rows_integer_value(value.number != 0);
		return ROWS_FITS;
	default:
		*ret_value = moment_value(field, kind, text, size, &value, scratch);
		return ROWS_FITS;
	}
}

enum rows_fit rows_cell_read(const struct field *field, enum rows_kind kind, const char *text, size_t size,
			     struct rows_scratch *scratch, struct rows_value *ret_value)
{
	if (field == NULL ? size == 0 : field_is_missing(field, text, size)) {
		*ret_value = (struct rows_value){.type = ROWS_NULL};
		return ROWS_FITS;
	}
	if (kind == ROWS_TEXT) {
		*ret_value = rows_text_value(text, size);
		return ROWS_FITS;
	}
	if (kind != ROWS_MIXED)
		return read_typed(field, kind, text, size, scratch, ret_value);
	if (read_typed(field, rows_kind_of(field), text, size, scratch, ret_value) != ROWS_FITS)
		*ret_value = rows_text_value(text, size);
	return ROWS_FITS;
}
