/* SPDX-License-Identifier: ISC
 *
 * value: numbers parsed, compared and written canonically, digit by digit.
 */
#include "schemas/value.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"

/* Exponents past this say nothing of the world and would overflow sums. */
#define EXPONENT_MAX 999999

const struct number_form number_form_plain = {.decimal = ".", .decimal_size = 1, .group = "", .bare = true};

struct cursor {
	const char *p, *end;
};

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool starts_with(const struct cursor *c, const char *text, size_t size)
{
	return size > 0 && (size_t)(c->end - c->p) >= size && memcmp(c->p, text, size) == 0;
}

static bool starts_with_then_digit(const struct cursor *c, const char *text, size_t size)
{
	return starts_with(c, text, size) && c->p + size < c->end && is_digit(c->p[size]);
}

/* "bareNumber": false allows anything round the number ("€ -12", "100 %"). */
static void strip_decoration(const struct number_form *form, struct cursor *c)
{
	while (c->p < c->end && !is_digit(*c->p) && *c->p != '-' && *c->p != '+' &&
	       !starts_with_then_digit(c, form->decimal, form->decimal_size))
		c->p++;
	while (c->end > c->p && !is_digit(c->end[-1]))
		c->end--;
}

static bool parse_special(const struct number_form *form, const struct cursor *c, bool negative,
			  struct value *ret_value)
{
	size_t size = (size_t)(c->end - c->p);
	bool nan = size == 3 && strncasecmp(c->p, "nan", 3) == 0;

	if (form->is_integer || size != 3 || (!nan && strncasecmp(c->p, "inf", 3) != 0))
		return false;
	if (ret_value != NULL)
		*ret_value = (struct value){.kind = nan ? VALUE_NAN : VALUE_INFINITE, .negative = !nan && negative};
	return true;
}

/* Digits with group characters between them; copies them to OUT. Returns how many, or -1 past the bound. */
static int take_digits(const struct number_form *form, struct cursor *c, bool groups, char *out, int n)
{
	while (c->p < c->end) {
		if (is_digit(*c->p)) {
			if (n == VALUE_DIGITS)
				return -1;
			out[n++] = *c->p++;
		} else if (groups && n > 0 && starts_with_then_digit(c, form->group, form->group_size)) {
			c->p += form->group_size;
		} else {
			break;
		}
	}
	return n;
}

static bool take_exponent(struct cursor *c, int64_t *ret_exponent)
{
	int64_t exponent = 0;
	bool negative;

	if (c->p == c->end || (*c->p != 'e' && *c->p != 'E'))
		return true;
	c->p++;
	negative = c->p < c->end && *c->p == '-';
	if (c->p < c->end && (*c->p == '-' || *c->p == '+'))
		c->p++;
	if (c->p == c->end)
		return false;
	for (; c->p < c->end && is_digit(*c->p) && exponent <= EXPONENT_MAX; c->p++)
		exponent = exponent * 10 + (*c->p - '0');
	*ret_exponent = negative ? -exponent : exponent;
	return exponent <= EXPONENT_MAX;
}

static void normalise(struct value *value, const char *digits, int n, int64_t exponent, bool negative)
{
	while (n > 0 && *digits == '0') {
		digits++;
		n--;
		exponent--;
	}
	while (n > 0 && digits[n - 1] == '0')
		n--;
	*value = (struct value){.kind = VALUE_DECIMAL,
				.negative = negative && n > 0,
				.text = digits,
				.size = (size_t)n,
				.number = n > 0 ? exponent : 0};
}

/* Digits, a decimal point of one character, digits; the first are there. For a caller that wants no value. */
static bool is_simple_decimal(const struct number_form *form, const struct cursor *cursor, const char *first)
{
	struct cursor c = *cursor;

	if (form->is_integer || form->decimal_size != 1 || *c.p != form->decimal[0])
		return false;
	for (c.p++; c.p < c.end && is_digit(*c.p);)
		c.p++;
	return c.p == c.end && c.end - first <= VALUE_DIGITS;
}

/* Only digits, perhaps with a sign: by far the most cells. No copy. -1: look closer. */
static int parse_simple(const struct number_form *form, const struct cursor *cursor, struct value *ret_value)
{
	struct cursor c = *cursor;
	bool negative = c.p < c.end && *c.p == '-';
	const char *digits;

	if (negative)
		c.p++;
	digits = c.p;
	while (c.p < c.end && is_digit(*c.p))
		c.p++;
	if (c.p == digits)
		return -1;
	if (c.p != c.end && ret_value == NULL && is_simple_decimal(form, &c, digits))
		return 1;
	if (c.p != c.end || c.p - digits > VALUE_DIGITS)
		return -1;
	if (ret_value != NULL)
		normalise(ret_value, digits, (int)(c.p - digits), c.p - digits, negative);
	return 1;
}

bool number_parse(const struct number_form *form, const char *text, size_t size, struct value_scratch *scratch,
		  struct value *ret_value)
{
	struct cursor c = {text, text + size};
	int n_whole, n_digits;
	int64_t exponent = 0;
	bool negative;

	while (c.p < c.end && is_blank(*c.p))
		c.p++;
	while (c.end > c.p && is_blank(c.end[-1]))
		c.end--;
	if (parse_simple(form, &c, ret_value) == 1)
		return true;
	if (!form->bare)
		strip_decoration(form, &c);
	negative = c.p < c.end && *c.p == '-';
	if (c.p < c.end && (*c.p == '-' || *c.p == '+'))
		c.p++;
	n_whole = n_digits = take_digits(form, &c, true, scratch->digits, 0);
	if (n_whole < 0)
		return false;
	if (!form->is_integer && starts_with(&c, form->decimal, form->decimal_size)) {
		c.p += form->decimal_size;
		n_digits = take_digits(form, &c, false, scratch->digits, n_whole);
	}
	if (n_digits < 0)
		return false;
	if (n_digits == 0)
		return parse_special(form, &c, negative, ret_value);
	if ((!form->is_integer && !take_exponent(&c, &exponent)) || c.p != c.end)
		return false;
	if (ret_value != NULL)
		normalise(ret_value, scratch->digits, n_digits, n_whole + exponent, negative);
	return true;
}

static int compare_bytes(const struct value *a, const struct value *b)
{
	size_t size = a->size < b->size ? a->size : b->size;
	int result = size > 0 ? memcmp(a->text, b->text, size) : 0;

	return result != 0 ? result : (a->size > b->size) - (a->size < b->size);
}

static int compare_decimals(const struct value *a, const struct value *b)
{
	int sign_a = a->size == 0 ? 0 : a->negative ? -1 : 1;
	int sign_b = b->size == 0 ? 0 : b->negative ? -1 : 1;
	int result;

	if (sign_a != sign_b)
		return sign_a < sign_b ? -1 : 1;
	result = (a->number > b->number) - (a->number < b->number);
	if (result == 0)
		result = compare_bytes(a, b);
	return sign_a < 0 ? -result : result;
}

static int compare_infinite(const struct value *a, const struct value *b)
{
	int sign_a = a->kind == VALUE_INFINITE ? (a->negative ? -1 : 1) : 0;
	int sign_b = b->kind == VALUE_INFINITE ? (b->negative ? -1 : 1) : 0;

	return (sign_a > sign_b) - (sign_a < sign_b);
}

int value_compare(const struct value *a, const struct value *b)
{
	bool numbers = (a->kind == VALUE_DECIMAL || a->kind == VALUE_INFINITE) &&
		       (b->kind == VALUE_DECIMAL || b->kind == VALUE_INFINITE);

	if (numbers && (a->kind == VALUE_INFINITE || b->kind == VALUE_INFINITE))
		return compare_infinite(a, b);
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->kind == VALUE_TEXT)
		return compare_bytes(a, b);
	if (a->kind == VALUE_DECIMAL)
		return compare_decimals(a, b);
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return (a->fraction > b->fraction) - (a->fraction < b->fraction);
}

struct value value_copy(const struct value *value)
{
	struct value copy = *value;
	char *text;

	text = xmalloc(value->size + 1);
	if (value->size > 0)
		memcpy(text, value->text, value->size);
	text[value->size] = '\0';
	copy.text = text;
	return copy;
}

/* "-12.5", "1200", and "-125e-9" where zeros would be many: one spelling a value. */
static size_t write_decimal(const struct value *value, char *buffer)
{
	size_t n = 0;

	if (value->size == 0) {
		buffer[0] = '0';
		return 1;
	}
	if (value->negative)
		buffer[n++] = '-';
	if (value->number <= 0 || value->number > 40) {
		memcpy(buffer + n, value->text, value->size);
		n += value->size;
		return n + (size_t)snprintf(buffer + n, 24, "e%lld", (long long)value->number);
	}
	for (size_t i = 0; i < value->size || i < (size_t)value->number; i++) {
		if (i == (size_t)value->number)
			buffer[n++] = '.';
		buffer[n++] = i < value->size ? value->text[i] : '0';
	}
	return n;
}

const char *value_bytes(const struct value *value, char *buffer, size_t *ret_size)
{
	switch (value->kind) {
	case VALUE_TEXT:
		*ret_size = value->size;
		return value->text;
	case VALUE_DECIMAL:
		*ret_size = write_decimal(value, buffer);
		return buffer;
	case VALUE_NAN:
		*ret_size = (size_t)sprintf(buffer, "NaN");
		return buffer;
	case VALUE_INFINITE:
		*ret_size = (size_t)sprintf(buffer, "%sINF", value->negative ? "-" : "");
		return buffer;
	case VALUE_POINT:
	case VALUE_DURATION:
		break;
	}
	memcpy(buffer, &value->number, sizeof(value->number));
	memcpy(buffer + sizeof(value->number), &value->fraction, sizeof(value->fraction));
	*ret_size = sizeof(value->number) + sizeof(value->fraction);
	return buffer;
}
