/* SPDX-License-Identifier: ISC
 *
 * run: what happens under one seed: an outside that publishes, links that lose, repeat, delay and truncate, people who decide, an inside
 * that starts late; and what must hold after each step, and in the end.
 */
#ifndef TESTS_SIMULATE_RUN_H
#define TESTS_SIMULATE_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct run_counts {
	uint64_t n_seeds, n_bundles, n_delivered, n_imports, n_lost, n_repeated, n_delayed, n_truncated, n_decisions,
		n_resends, n_syncs;
};

/* Works in the folder DIR, which is there and empty, and adds to COUNTS. Ends the process where something does not hold. IS_WRONG: with a model that
 * takes what was truncated for whole, which must be found out. */
void run_seed(uint64_t seed, unsigned n_bundles, bool is_wrong, const char *dir, struct run_counts *counts);

#endif
