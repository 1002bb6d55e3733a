/* SPDX-License-Identifier: ISC
 *
 * fuzz: two durations, with a line's end between: equal values have an order, which is none; an order has its opposite; and values sort
 * as they are equal.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/duration.h"
#include "schemas/moment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *end = size > 0 ? memchr(text, '\n', size) : NULL;
	struct value a, b;
	int order = 0, back = 0;
	size_t first;

	if (end == NULL)
		return 0;
	first = (size_t)(end - text);
	if (!moment_is_duration(text, first) || !moment_is_duration(end + 1, size - first - 1))
		return 0;
	duration_value(text, first, &a);
	duration_value(end + 1, size - first - 1, &b);
	if (duration_order(&a, &b, &order) != duration_order(&b, &a, &back) || order != -back)
		abort();
	if (a.kind != VALUE_DURATION || b.kind != VALUE_DURATION)
		return 0;
	if (value_compare(&a, &b) == 0 && (order != 0 || !duration_order(&a, &b, &order)))
		abort();
	return 0;
}
