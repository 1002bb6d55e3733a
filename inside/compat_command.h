/* SPDX-License-Identifier: ISC
 *
 * compat_command: `clapet-inside compat OLD NEW`: may data of the NEW schema be read by a reader of the OLD one? For stewards and
 * owners of applications, before anything is published.
 */
#ifndef INSIDE_COMPAT_COMMAND_H
#define INSIDE_COMPAT_COMMAND_H

#include <stdbool.h>

#include "base/options.h"

extern const struct option compat_options[];
extern const char compat_details[]; /* for --help */

/* 0 compatible, 1 incompatible, 4 undecided without the data, 2 trouble (files that cannot be read too). */
int compat_run(bool json, int argc, char **argv);

#endif
