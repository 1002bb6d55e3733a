/* SPDX-License-Identifier: ISC
 *
 * reportcommand: `clapet-outside report`: what the last check of a source found, for the steward and for whom they write to.
 */
#ifndef OUTSIDE_REPORTCOMMAND_H
#define OUTSIDE_REPORTCOMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "outside/config.h"

/* One line a fault, as `validate` prints them; then how many of each kind where not all are listed. REPORT may be of any shape. */
void report_lines(FILE *file, const json_t *report);
/* The page into FILE, which is closed: 0, or the errno of what failed. */
int report_page(FILE *file, const json_t *report, const char *title, int64_t when);

/* Prints the report on DATASET as lines, as JSON, or writes the page HTML names ("-": standard output). Exit status 0, also where the
 * report names faults; 2 where there is none. The report came from a worker: it is parsed in a sandbox. */
int report_run(const struct config *config, const char *dataset, bool json, const char *html);

#endif
