/* SPDX-License-Identifier: ISC
 *
 * french, telephone numbers: the French numbering plan (ARCEP), its short numbers, and the country codes of ITU-T E.164.
 */
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "schemas/fold.h"
#include "schemas/french.h"

/* E.164 allows fifteen digits; a few more for prefixes that are not part of the number. */
#define DIGITS_MAX 20

static const char NO_PHONE[] = "is no telephone number";

struct number {
	char digits[DIGITS_MAX + 1];
	size_t n;
	bool is_international; /* began with + or 00 */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool read_number(const char *text, size_t size, struct number *number)
{
	const char *end = text + size;
	size_t blank;

	*number = (struct number){0};
	for (; text<end; text += blank> 0 ? blank : 1) {
		blank = fold_blank(text, (size_t)(end - text));
		if (blank > 0 || strchr(".-/()", *text) != NULL) {
			if (*text == '\0')
				return false;
			continue;
		}
		if (*text == '+' && number->n == 0 && !number->is_international) {
			number->is_international = true;
			continue;
		}
		if (!is_digit(*text) || number->n == DIGITS_MAX)
			return false;
		number->digits[number->n++] = *text;
	}
	if (!number->is_international && number->n > 2 && memcmp(number->digits, "00", 2) == 0) {
		number->is_international = true;
		number->n -= 2;
		memmove(number->digits, number->digits + 2, number->n + 1);
	}
	number->digits[number->n] = '\0';
	return number->n > 0;
}

/* A # is any digit. */
static bool fits(const char *form, const char *digits, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (form[i] == '\0' || (form[i] != '#' && form[i] != digits[i]))
			return false;
	}
	return form[n] == '\0';
}

static bool fits_one_of(const char *const *forms, size_t n_forms, const char *digits, size_t n)
{
	for (size_t i = 0; i < n_forms; i++) {
		if (fits(forms[i], digits, n))
			return true;
	}
	return false;
}

static bool is_short(const char *digits, size_t n)
{
	static const char *const FORMS[] = {
		"15",    "17",    "18",    "110",   "112",   "114",   "115",   "119",    "191",    "196",  "197",
		"224",   "611",   "614",   "634",   "700",   "706",   "722",   "740",    "10##",   "2020", "3###",
		"20000", "3####", "4####", "5####", "6####", "7####", "8####", "116###", "118###",
	};

	return fits_one_of(FORMS, ARRAY_SIZE(FORMS), digits, n);
}

/* The nine digits after the 0, those of overseas too: 7 begins mobile numbers from 73 on, 8 the special ones. */
static bool is_french(const char *digits, size_t n)
{
	if (n != 9 || digits[0] == '0')
		return false;
	if (digits[0] == '7')
		return digits[1] >= '3';
	return digits[0] != '8' || strchr("34567", digits[1]) == NULL || memcmp(digits, "836", 3) == 0;
}

/* Territories with codes of their own. */
static bool is_overseas(unsigned code, const char *digits, size_t n)
{
	switch (code) {
	case 262:
	case 590:
	case 594:
	case 596:
		return n == 9 && strchr("256789", digits[0]) != NULL;
	case 508:
		return (n == 6 && strchr("2345", digits[0]) != NULL) || (n == 9 && strchr("789", digits[0]) != NULL);
	case 681:
	case 687:
		return n == 6 || n == 9;
	default: /* 689 */
		return n == 6 || n == 8 || n == 9;
	}
}

/* E.164, the assigned codes: those of one or two digits, then those of three by their first two. */
static unsigned country_code(const char *digits, size_t n, size_t *ret_size)
{
	static const char TWO[] =
		"20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 "
		"82 84 86 90 91 92 93 94 95 98 ";
	static const struct {
		char prefix[3], last[11];
	} THREE[] = {
		{"21", "12368"},      {"22", "0123456789"}, {"23", "0123456789"}, {"24", "0123456789"},
		{"25", "012345678"},  {"26", "0123456789"}, {"29", "01789"},      {"35", "0123456789"},
		{"37", "0123456789"}, {"38", "0123567 9"},  {"42", "013"},        {"50", "0123456789"},
		{"59", "0123456789"}, {"67", "02345678 9"}, {"68", "0123567 89"}, {"69", "012"},
		{"80", "08"},         {"85", "02356"},      {"87", "0 8"},        {"88", "012368"},
		{"96", "012345678"},  {"97", "012345679"},  {"99", "234568"},
	};

	*ret_size = digits[0] == '1' || digits[0] == '7' ? 1 : 2;
	if (*ret_size == 1)
		return (unsigned)(digits[0] - '0');
	for (const char *two = TWO; n >= 2 && *two != '\0'; two += 3) {
		if (memcmp(two, digits, 2) == 0)
			return (unsigned)((digits[0] - '0') * 10 + (digits[1] - '0'));
	}
	*ret_size = 3;
	for (size_t i = 0; n >= 3 && i < ARRAY_SIZE(THREE); i++) {
		if (memcmp(THREE[i].prefix, digits, 2) == 0 && strchr(THREE[i].last, digits[2]) != NULL)
			return (unsigned)((digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0'));
	}
	return 0;
}

static bool is_international(const char *digits, size_t n)
{
	size_t code_size;
	unsigned code = country_code(digits, n, &code_size);

	if (code == 0 || n > 15)
		return false;
	digits += code_size;
	n -= code_size;
	switch (code) {
	case 33:
	case 262:
	case 508:
	case 590:
	case 594:
	case 596:
	case 681:
	case 687:
	case 689:
		/* "+33 (0)1 …" */
		if (n > 1 && digits[0] == '0') {
			digits++;
			n--;
		}
		return code == 33 ? is_french(digits, n) : is_overseas(code, digits, n);
	case 1: /* the North American plan: neither the area's code nor the exchange's begins with 0 or 1 */
		return n == 10 && digits[0] >= '2' && digits[3] >= '2';
	case 7:
		return n == 10;
	default:
		return n >= 4;
	}
}

const char *french_phone(const char *text, size_t size)
{
	struct number number;

	if (!read_number(text, size, &number))
		return NO_PHONE;
	if (number.is_international)
		return is_international(number.digits, number.n)
			       ? NULL
			       : "is no telephone number of the country whose code it has";
	if (is_short(number.digits, number.n) || is_french(number.digits, number.n) ||
	    (number.digits[0] == '0' && is_french(number.digits + 1, number.n - 1)))
		return NULL;
	/* The country's code without what should stand before it. */
	if (number.n == 11 && memcmp(number.digits, "33", 2) == 0 && is_french(number.digits + 2, 9))
		return NULL;
	return number.n == 10 && number.digits[0] == '0' ? "is no telephone number that the French plan has"
							 : "is neither a French number of ten digits nor a short one";
}
