/* SPDX-License-Identifier: ISC
 *
 * link_ranges: a set of generations of one object as ranges (FORMAT.md 29.13): what is missing, in a line that a person can read out: "0-3,17,40-99".
 */
#ifndef BUNDLE_LINK_RANGES_H
#define BUNDLE_LINK_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/limits.h"

/* Of the longest line, with its NUL. */
#define LINK_RANGES_TEXT_SIZE (LIMIT_LINK_RANGES * 12 + 1)

struct link_range {
	uint32_t first, last; /* both of them in it */
};
/* Rising, apart by one at least. */
struct link_ranges {
	struct link_range items[LIMIT_LINK_RANGES];
	size_t n_items;
};

/* Of a bitmap (bit i % 8 of byte i / 8: generation i is whole) those of N_GENERATIONS that are not. Where there are more than LIMIT_LINK_RANGES
 * ranges the last one goes up to the last missing generation: more is asked for than is missing, never less. */
void link_ranges_missing(const uint8_t *whole, uint32_t n_generations, struct link_ranges *ret_ranges);

/* "0-3,17,40-99"; of none the empty text. TEXT holds LINK_RANGES_TEXT_SIZE. */
void link_ranges_format(const struct link_ranges *ranges, char *text);

/* The strict inverse: numbers without leading zeros, below N_GENERATIONS (at most
 * LIMIT_LINK_GENERATIONS), rising, apart; at least one range. FAULT_LINK_RANGES. */
enum fault link_ranges_parse(const char *text, uint32_t n_generations, struct link_ranges *ret_ranges,
			     struct refusal *why);

bool link_ranges_has(const struct link_ranges *ranges, uint32_t generation);
uint64_t link_ranges_count(const struct link_ranges *ranges);

#endif
