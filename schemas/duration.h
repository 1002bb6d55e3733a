/* SPDX-License-Identifier: ISC
 *
 * duration: "P1Y2M3DT4H5M6.5S" (XML Schema part 2, 3.3.6; and weeks, "P2W"): months and seconds, which have no common measure.
 */
#ifndef SCHEMAS_DURATION_H
#define SCHEMAS_DURATION_H

#include "schemas/value.h"

/* The value of a text that moment_is_duration takes: VALUE_DURATION (.number months, .fraction microseconds), equal for "P1Y" and
 * "P12M"; VALUE_TEXT where it has parts of a month, more than six decimals or more than fits. */
void duration_value(const char *text, size_t size, struct value *ret_value);

/* Whether A and B have an order (XML Schema part 2, 3.3.6.1: a month has 28 to 31 days): then <0, 0, >0 in *RET_ORDER. */
bool duration_order(const struct value *a, const struct value *b, int *ret_order);

#endif
