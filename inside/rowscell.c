/* SPDX-License-Identifier: ISC
 *
 * rowscell: see rowscell.h. A decimal number of 15 digits is told from every other by a double, and "%.15g" gives it back; of 16 that
 * is not so, and money has to come out to the cent.
 */
#include "inside/rowscell.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Places of the point beyond which a number is left as text as it is. */
#define EXPONENT_MAX 290

static const struct {
	const char *name, *sql;
} kinds[ROWS_KIND_N] = {
	[ROWS_TEXT] = {"text", "TEXT"},       [ROWS_INTEGER] = {"integer", "INTEGER"}, [ROWS_REAL] = {"real", "REAL"},
	[ROWS_DECIMAL] = {"decimal", "TEXT"}, [ROWS_BOOLEAN] = {"boolean", "INTEGER"}, [ROWS_DATE] = {"date", "TEXT"},
	[ROWS_TIME] = {"time", "TEXT"},       [ROWS_DATETIME] = {"datetime", "TEXT"},  [ROWS_MIXED] = {"mixed", "ANY"},
};

const char *rows_kind_name(enum rows_kind kind)
{
	return kinds[kind].name;
}

enum rows_kind rows_kind_by_name(const char *name)
{
	size_t kind = 0;

	while (kind < ROWS_KIND_N && strcmp(kinds[kind].name, name) != 0)
		kind++;
	return (enum rows_kind)kind;
}

const char *rows_kind_sql(enum rows_kind kind)
{
	return kinds[kind].sql;
}

enum rows_kind rows_kind_after(enum rows_kind kind, enum rows_fit fit)
{
	if (fit == ROWS_FITS || kind == ROWS_MIXED)
		return kind;
	return fit == ROWS_INEXACT && (kind == ROWS_INTEGER || kind == ROWS_REAL) ? ROWS_DECIMAL : ROWS_MIXED;
}

/* --- numbers --------------------------------------------------------------------------------------------------------- */

/* 0.DIGITS * 10^NUMBER as an integer of 64 bits; false where it is none. */
static bool decimal_to_integer(const struct value *value, int64_t *ret)
{
	uint64_t number = 0, limit = value->negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;

	if (value->number < (int64_t)value->size || value->number > 19)
		return value->size == 0 && (*ret = 0, true);
	for (int64_t i = 0; i < value->number; i++) {
		unsigned digit = i < (int64_t)value->size ? (unsigned)(value->text[i] - '0') : 0;

		if (number > (limit - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*ret = value->negative ? (int64_t)(0 - number) : (int64_t)number;
	return true;
}

/* The double that is nearest. Of at most 15 digits and 22 places it is one exact division or product (Clinger 1990). */
static double decimal_to_real(const struct value *value)
{
	static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
					1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	int64_t digits = 0, places = value->number - (int64_t)value->size;
	char text[64];
	double real;

	for (size_t i = 0; i < value->size; i++)
		digits = digits * 10 + (value->text[i] - '0');
	if (places >= 0 && places < (int64_t)ARRAY_SIZE(powers)) {
		real = (double)digits * powers[places];
	} else if (places < 0 && -places < (int64_t)ARRAY_SIZE(powers)) {
		real = (double)digits / powers[-places];
	} else {
		snprintf(text, sizeof(text), "%" PRId64 "e%" PRId64, digits, places);
		real = strtod(text, NULL);
	}
	return value->negative ? -real : real;
}

/* All digits, a point where it belongs, no exponent, no zeros that say nothing. */
static struct rows_value decimal_text(const struct value *value, struct rows_scratch *scratch)
{
	char *to = scratch->text;
	int64_t n_before = value->number > 0 ? value->number : 0;

	if (value->size == 0)
		return rows_text_value("0", 1);
	if (value->negative)
		*to++ = '-';
	if (n_before == 0)
		*to++ = '0';
	for (int64_t i = 0; i < n_before; i++)
		*to++ = i < (int64_t)value->size ? value->text[i] : '0';
	if ((int64_t)value->size > n_before) {
		*to++ = '.';
		for (int64_t i = value->number; i < 0; i++)
			*to++ = '0';
		memcpy(to, value->text + n_before, value->size - (size_t)n_before);
		to += value->size - (size_t)n_before;
	}
	return rows_text_value(scratch->text, (size_t)(to - scratch->text));
}

enum rows_fit rows_number_value(enum rows_kind kind, const struct value *value, struct rows_scratch *scratch,
				struct rows_value *ret_value)
{
	int64_t integer;

	if (value->kind == VALUE_POINT) { /* a year */
		*ret_value = rows_integer_value(value->number);
		return ROWS_FITS;
	}
	if (value->kind != VALUE_DECIMAL || value->number > EXPONENT_MAX || value->number < -EXPONENT_MAX)
		return ROWS_MISFIT;
	if (kind == ROWS_DECIMAL) {
		*ret_value = decimal_text(value, scratch);
		return ROWS_FITS;
	}
	if (kind == ROWS_INTEGER) {
		if (!decimal_to_integer(value, &integer))
			return ROWS_INEXACT;
		*ret_value = rows_integer_value(integer);
		return ROWS_FITS;
	}
	if (value->size > ROWS_REAL_DIGITS)
		return ROWS_INEXACT;
	*ret_value = (struct rows_value){.type = ROWS_VALUE_REAL, .real = decimal_to_real(value)};
	return ROWS_FITS;
}

/* Digits with a point, as people and every spreadsheet read them; an exponent only where there would be a row of zeros. */
size_t rows_real_text(double real, char text[ROWS_REAL_SIZE])
{
	size_t size = (size_t)snprintf(text, ROWS_REAL_SIZE, "%.*g", ROWS_REAL_DIGITS, real);
	const char *exponent = memchr(text, 'e', size);
	long places = exponent == NULL ? 0 : strtol(exponent + 1, NULL, 10);

	if (exponent == NULL || places < -20 || places > 20)
		return size;
	size = (size_t)snprintf(text, ROWS_REAL_SIZE, "%.*f",
				places > ROWS_REAL_DIGITS ? 0 : (int)(ROWS_REAL_DIGITS - 1 - places), real);
	while (places < 0 && text[size - 1] == '0')
		text[--size] = '\0';
	return size;
}

/* "true" and "false" are the words of Table Schema, 1 and 0 those of SQL. */
static bool parse_truth(const char *text, size_t size, struct rows_value *ret_value)
{
	static const char *const words[] = {"false", "0", "true", "1"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strlen(words[i]) == size && memcmp(words[i], text, size) == 0) {
			*ret_value = rows_integer_value(i >= 2);
			return true;
		}
	}
	return false;
}

/* A bound may lie between two integers, or past them all. */
static bool parse_number_value(enum rows_kind kind, const char *text, size_t size, struct rows_scratch *scratch,
			       struct rows_value *ret_value)
{
	struct value value;

	if (!number_parse(&number_form_plain, text, size, &scratch->digits, &value) || value.kind != VALUE_DECIMAL ||
	    value.number > EXPONENT_MAX || value.number < -EXPONENT_MAX)
		return false;
	if (rows_number_value(kind, &value, scratch, ret_value) == ROWS_FITS)
		return true;
	scratch->text[decimal_text(&value, scratch).size] = '\0';
	*ret_value = (struct rows_value){.type = ROWS_VALUE_REAL, .real = strtod(scratch->text, NULL)};
	return true;
}

bool rows_value_parse(enum rows_kind kind, const char *text, size_t size, struct rows_scratch *scratch,
		      struct rows_value *ret_value)
{
	switch (kind) {
	case ROWS_INTEGER:
	case ROWS_REAL:
	case ROWS_DECIMAL:
		return parse_number_value(kind, text, size, scratch, ret_value);
	case ROWS_BOOLEAN:
		return parse_truth(text, size, ret_value);
	default:
		*ret_value = rows_text_value(text, size);
		return true;
	}
}
