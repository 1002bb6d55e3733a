/* SPDX-License-Identifier: ISC
 *
 * mapcommand: `clapet-outside map`: a file's header against a promised schema: which column gives which field, and the lines of a map
 * (bundle/FORMAT.md 23) that a steward may paste.
 */
#ifndef OUTSIDE_MAPCOMMAND_H
#define OUTSIDE_MAPCOMMAND_H

#include "base/options.h"

extern const struct option map_options[];
extern const char map_details[];

/* `map --schema FILE | --package FILE CSV`. Exit status 0: the columns fit as they are mapped; 1: they do not; 2: trouble. */
int map_run(int argc, char **argv);

#endif
