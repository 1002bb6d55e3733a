/* SPDX-License-Identifier: ISC
 *
 * opening_hours: whether a text is an opening hours value as OpenStreetMap specifies it (Key:opening_hours/specification 0.7.2).
 */
#ifndef SCHEMAS_OPENING_HOURS_H
#define SCHEMAS_OPENING_HOURS_H

#include <stdbool.h>
#include <stddef.h>

/* "24/7", "Mo-Fr 08:00-12:00,14:00-18:00; PH off". As the implementations that publishers meet, it takes more than the specification: one
 * digit for an hour or a day, blanks round dashes and after commas, names in either case. A point in time ("08:00" alone) is no opening hours.
 * At most LIMIT_OPENING_HOURS_SIZE bytes. On false the offset of what could not be read is in *RET_OFFSET (may be NULL). */
bool opening_hours_check(const char *text, size_t size, size_t *ret_offset);

#endif
