/* SPDX-License-Identifier: ISC
 *
 * patchcommand: `clapet-outside patch`: what pack does with a base, as a tool for people.
 */
#ifndef OUTSIDE_PATCHCOMMAND_H
#define OUTSIDE_PATCHCOMMAND_H

#include "base/options.h"

extern const struct option patch_options[];
extern const char patch_details[];

/* `patch --base OLD NEW --output BLOB [--threads N] [--json]`. Exit status 0, or 2. */
int patch_run(int argc, char **argv);

#endif
