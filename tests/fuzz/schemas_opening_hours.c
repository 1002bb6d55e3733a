/* SPDX-License-Identifier: ISC
 *
 * fuzz: a text as opening hours. What is refused is refused at a place within it; two good values with a separator between are one again.
 */
#include "schemas/opening_hours.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bundle/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *twice = NULL;
	size_t offset = SIZE_MAX;

	if (!opening_hours_check((const char *)data, size, &offset)) {
		if (offset > size)
			abort();
		return 0;
	}
	if (size == 0 || size * 2 + 2 > LIMIT_OPENING_HOURS_SIZE)
		return 0;
	twice = malloc(size * 2 + 2);
	memcpy(twice, data, size);
	memcpy(twice + size, "; ", 2);
	memcpy(twice + size + 2, data, size);
	/* A blank at either end is part of no separator. */
	if (data[0] != ' ' && data[size - 1] != ' ' && !opening_hours_check(twice, size * 2 + 2, NULL))
		abort();
	return 0;
}
