/* SPDX-License-Identifier: ISC
 *
 * validate: `clapet-outside validate`: any CSV against a schema or a package, with the workers' own code, as a tool
 * for people.
 */
#ifndef OUTSIDE_VALIDATE_H
#define OUTSIDE_VALIDATE_H

#include "base/options.h"

extern const struct option validate_options[];
extern const char validate_details[];

/* `validate [--schema FILE | --package FILE] [--json] CSV…`. Exit status 0: valid, 1: not, 2: trouble. */
int validate_run(int argc, char **argv);

#endif
