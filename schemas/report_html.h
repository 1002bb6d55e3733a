/* SPDX-License-Identifier: ISC
 *
 * report_html: what validation found as one page that a steward can be mailed: the verdict, how many faults of which rule in which
 * column, then the first of each in their rows. Readable without scripts, and on paper.
 */
#ifndef SCHEMAS_REPORT_HTML_H
#define SCHEMAS_REPORT_HTML_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/* Of a rule in a column this many faults are shown in their rows, of a table this many rows, and of a wide table these columns: the
 * first, those at fault and their neighbours. All faults are counted. */
#define REPORT_HTML_FAULTS 10
#define REPORT_HTML_ROWS 200
#define REPORT_HTML_COLUMNS 14

/* Writes REPORT (validation_json's form; another's is shown as far as it goes) about TITLE, a dataset or a file, as of WHEN. */
void report_html(FILE *file, const json_t *report, const char *title, int64_t when);

#endif
