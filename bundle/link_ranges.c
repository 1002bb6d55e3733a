/* SPDX-License-Identifier: ISC
 *
 * link_ranges: sorted ranges.
 */
#include "bundle/link_ranges.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void link_ranges_missing(const uint8_t *whole, uint32_t n_generations, struct link_ranges *ret_ranges)
{
	struct link_range *last = NULL;

	ret_ranges->n_items = 0;
	for (uint32_t i = 0; i < n_generations; i++) {
		if ((whole[i / 8] >> (i % 8) & 1) != 0)
			continue;
		if (last == NULL || (last->last + 1 != i && ret_ranges->n_items < LIMIT_LINK_RANGES)) {
			last = &ret_ranges->items[ret_ranges->n_items++];
			last->first = i;
		}
		last->last = i;
	}
}

void link_ranges_format(const struct link_ranges *ranges, char *text)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < ranges->n_items; i++) {
		const struct link_range *range = &ranges->items[i];

		used += (size_t)snprintf(text + used, LINK_RANGES_TEXT_SIZE - used, "%s%" PRIu32, i > 0 ? "," : "",
					 range->first);
		if (range->last > range->first)
			used += (size_t)snprintf(text + used, LINK_RANGES_TEXT_SIZE - used, "-%" PRIu32, range->last);
	}
}

/* A number below LIMIT at *TEXT, which it moves behind it. */
static bool read_number(const char **text, uint32_t limit, uint32_t *ret)
{
	const char *at = *text;
	uint64_t number = 0;

	if (*at < '0' || *at > '9' || (at[0] == '0' && at[1] >= '0' && at[1] <= '9'))
		return false;
	while (*at >= '0' && *at <= '9') {
		number = number * 10 + (uint64_t)(*at++ - '0');
		if (number >= limit)
			return false;
	}
	*text = at;
	*ret = (uint32_t)number;
	return true;
}

/* One range at *TEXT, above FLOOR: the number behind the last range's. */
static bool read_range(const char **text, uint32_t limit, uint32_t floor, struct link_range *ret)
{
	if (!read_number(text, limit, &ret->first) || ret->first < floor)
		return false;
	ret->last = ret->first;
	if (**text != '-')
		return true;
	(*text)++;
	return read_number(text, limit, &ret->last) && ret->last > ret->first;
}

enum fault link_ranges_parse(const char *text, uint32_t n_generations, struct link_ranges *ret_ranges,
			     struct refusal *why)
{
	struct link_ranges ranges = {.n_items = 0};
	const char *at = text;
	uint32_t floor = 0;

	do {
		struct link_range *range = &ranges.items[ranges.n_items];

		if (ranges.n_items == LIMIT_LINK_RANGES)
			return refuse(why, FAULT_LINK_RANGES, "bundle/FORMAT.md 29.13: more than %d ranges",
				      LIMIT_LINK_RANGES);
		if (!read_range(&at, n_generations, floor, range))
			return refuse(why, FAULT_LINK_RANGES,
				      "bundle/FORMAT.md 29.13: range %zu is none of rising generations below %" PRIu32,
				      ranges.n_items + 1, n_generations);
		ranges.n_items++;
		/* A range that begins where another ends would be one with it. */
		floor = range->last + 2;
		if (*at != ',' && *at != '\0')
			return refuse(why, FAULT_LINK_RANGES, "bundle/FORMAT.md 29.13: no comma behind range %zu",
				      ranges.n_items);
	} while (*at++ == ',');
	*ret_ranges = ranges;
	return FAULT_NONE;
}

bool link_ranges_has(const struct link_ranges *ranges, uint32_t generation)
{
	for (size_t i = 0; i < ranges->n_items; i++) {
		if (generation >= ranges->items[i].first && generation <= ranges->items[i].last)
			return true;
	}
	return false;
}

uint64_t link_ranges_count(const struct link_ranges *ranges)
{
	uint64_t n = 0;

	for (size_t i = 0; i < ranges->n_items; i++)
		n += ranges->items[i].last - ranges->items[i].first + 1;
	return n;
}
