/* SPDX-License-Identifier: ISC
 *
 * baselinecommand: `clapet-outside baseline SOURCE`: the faults that the last check found become known ones.
 */
#ifndef OUTSIDE_BASELINECOMMAND_H
#define OUTSIDE_BASELINECOMMAND_H

#include <stdbool.h>

#include "outside/config.h"

struct baseline_options {
	const char *reason; /* NULL: none was given */
	const char *person; /* NULL: the account's name */
	bool check;         /* say what would be recorded */
	bool show;          /* what is recorded */
	bool json;
};

/* Returns the exit status. */
int baseline_run(const struct config *config, const char *dataset, const struct baseline_options *options);

#endif
