/* SPDX-License-Identifier: ISC
 *
 * moment: dates and times of day as Table Schema writes them: the default forms (XML Schema's), strptime patterns,
 * and the free form that `"format": "any"` allows. Only real dates pass.
 */
#ifndef SCHEMAS_MOMENT_H
#define SCHEMAS_MOMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "schemas/value.h"

enum moment_kind { MOMENT_DATE, MOMENT_TIME, MOMENT_DATETIME };

/* "YYYY-MM-DD", "hh:mm:ss[.f][zone]", the two with a T (or a blank) between; zone is Z or +hh:mm. RET_VALUE may be
 * NULL. */
bool moment_parse(enum moment_kind kind, const char *text, size_t size, struct value *ret_value);

/* By a pattern that moment_pattern_check accepted. */
bool moment_parse_pattern(enum moment_kind kind, const char *pattern, const char *text, size_t size,
			  struct value *ret_value);
/* Whether PATTERN is made of directives that we know: %Y %y %m %d %e %j %b %B %a %A %H %I %M %S %f %p %z %Z %F %T %R
 * %D %%, and has one at all. On false the text from the first that we do not know is in *RET_REST. */
bool moment_pattern_check(const char *pattern, const char **ret_rest);

/* "10th Jan 1969 9 am", "21/11/2006", "3:00 am": a date needs its year, month and day, a time its hour. Of two
 * numbers that could both be a month, the first is. */
bool moment_parse_any(enum moment_kind kind, const char *text, size_t size, struct value *ret_value);

/* Four digits; "YYYY-MM"; "P1Y2M3DT4H5M6S" (or weeks, "P2W"). */
bool moment_parse_year(const char *text, size_t size, struct value *ret_value);
bool moment_parse_yearmonth(const char *text, size_t size, struct value *ret_value);
bool moment_is_duration(const char *text, size_t size);

/* --- between moment.c and moment_any.c --- */

struct moment {
	int year, month, day;
	int hour, minute, second;
	int nanosecond;
	int zone; /* seconds east of UTC */
};
/* Whether the fields that KIND has are real; then the value. */
bool moment_finish(enum moment_kind kind, const struct moment *moment, struct value *ret_value);
/* A month's or weekday's number (1 to 12, 1 to 7) by its English name, full or of three letters; 0: none. */
int moment_month(const char *word, size_t size);
int moment_weekday(const char *word, size_t size);

#endif
