/* SPDX-License-Identifier: ISC
 *
 * Any text as ranges: what is read, written again, is the same text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/link_ranges.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xmalloc(size + 1);
	struct link_ranges ranges = {.n_items = 0};
	struct refusal why = {.fault = FAULT_NONE};
	char again[LINK_RANGES_TEXT_SIZE];
	enum fault fault;

	memcpy(text, data, size);
	text[size] = '\0';
	fault = link_ranges_parse(text, LIMIT_LINK_GENERATIONS, &ranges, &why);
	if (fault != why.fault || (fault != FAULT_NONE && fault != FAULT_LINK_RANGES))
		abort();
	if (fault != FAULT_NONE)
		return 0;
	link_ranges_format(&ranges, again);
	if (strcmp(text, again) != 0 || link_ranges_count(&ranges) > LIMIT_LINK_GENERATIONS)
		abort();
	return 0;
}
