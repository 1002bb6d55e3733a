/* SPDX-License-Identifier: ISC
 *
 * value: a cell's meaning, in a form that compares and hashes the same however it was written ("007" and "7", "1.50"
 * and "1.5", two zones of one moment). Numbers keep every digit: no binary rounding.
 */
#ifndef SCHEMAS_VALUE_H
#define SCHEMAS_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Digits of one number. The longest that a published file is known to hold has 34; beyond this a cell is no number. */
#define VALUE_DIGITS 512

enum value_kind {
	VALUE_TEXT,    /* .text */
	VALUE_DECIMAL, /* 0.TEXT * 10^NUMBER, TEXT without leading or trailing zeros; zero has no digits */
	VALUE_NAN,
	VALUE_INFINITE, /* .negative */
	VALUE_POINT,    /* .number, then .fraction: days, seconds and nanoseconds, truth */
	VALUE_DURATION, /* .number months, .fraction microseconds; equality and sorting alone (schemas/duration.h has the order) */
};

struct value {
	enum value_kind kind;
	bool negative;
	const char *text; /* borrowed: from the cell, or from the scratch */
	size_t size;
	int64_t number;
	int64_t fraction;
};

/* Room for a number's digits where the cell does not hold them in one piece. One a validator; its content lives until
 * the next cell. */
struct value_scratch {
	char digits[VALUE_DIGITS];
};

/* How numbers are written (Table Schema v2, "decimalChar", "groupChar", "bareNumber"). */
struct number_form {
	const char *decimal;
	size_t decimal_size;
	const char *group; /* "": none */
	size_t group_size;
	bool bare;
	bool is_integer;
};
extern const struct number_form number_form_plain;

/* Whether TEXT is a number of FORM. Blanks round it are allowed, as every implementation does. With RET_VALUE (else
 * NULL) the value, whose digits may live in SCRATCH. */
bool number_parse(const struct number_form *form, const char *text, size_t size, struct value_scratch *scratch,
		  struct value *ret_value);

/* <0, 0, >0. Values of different kinds are ordered by kind; a NaN equals only itself. */
int value_compare(const struct value *a, const struct value *b);

/* A copy that owns its text (free .text), for bounds and enums. */
struct value value_copy(const struct value *value);

/* Canonical bytes of the value for hashing, so that equal values have equal bytes; a string "7" and a number 7 do too.
 * Returns the bytes' start (in BUFFER of VALUE_DIGITS + 64, or the text itself). */
const char *value_bytes(const struct value *value, char *buffer, size_t *ret_size);

#endif
