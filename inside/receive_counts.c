/* SPDX-License-Identifier: ISC
 *
 * receive_counts: names, and the histogram.
 */
#include "inside/receive_counts.h"

#include <limits.h>

/* -1: the generation failed; 0: one packet less would have been too few. */
const int receive_margin_bounds[RECEIVE_MARGIN_N] = {-1, 0, 1, 2, 4, 8, 16, 32, INT_MAX};

static const char *const keys[RECEIVE_COUNT_N] = {
#define COUNT(name, key, help) key,
	RECEIVE_COUNTS(COUNT)
#undef COUNT
};

static const char *const helps[RECEIVE_COUNT_N] = {
#define COUNT(name, key, help) help,
	RECEIVE_COUNTS(COUNT)
#undef COUNT
};

const char *receive_count_key(enum receive_count what)
{
	return keys[what];
}

const char *receive_count_help(enum receive_count what)
{
	return helps[what];
}

void receive_count_margin(struct receive_counts *counts, int margin)
{
	size_t i = 0;

	while (margin > receive_margin_bounds[i])
		i++;
	atomic_fetch_add_explicit(&counts->margins[i], 1, memory_order_relaxed);
	if (margin > 0)
		atomic_fetch_add_explicit(&counts->margin_sum, (uint64_t)margin, memory_order_relaxed);
}
