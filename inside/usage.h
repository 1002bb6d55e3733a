/* SPDX-License-Identifier: ISC
 *
 * usage: what the access log comes to (bundle/FORMAT.md 34.7): who read what and how much, which columns of a contract nobody asks for, and who
 * reads what no contract declares. Its lines were made from what strangers sent: each is bounded, judged, and skipped where it is no line of ours.
 */
#ifndef INSIDE_USAGE_H
#define INSIDE_USAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "inside/accesskeys.h"

struct contract_file;

struct usage {
	/* {"k3" or "": {"<dataset>": {"requests", "refused", "rows", "bytes", "last", "resources": {"<resource>": {"all": n, "columns": {"<column>": n}}}}}} */
	json_t *readers;
	size_t n_rows, n_columns; /* entries of it, bounded by LIMIT_USAGE_ROWS, LIMIT_USAGE_COLUMNS */
	uint64_t n_lines, n_bad, n_lost,
		n_left_out; /* lines read; that are none of ours; that were lost when they were written; past a bound */
	int64_t first, last;
};

struct usage *usage_new(void);
void usage_free(struct usage *usage);
void usage_freep(struct usage **usage);

/* Adds one line without its "\n", unless it is before SINCE. */
void usage_add_line(struct usage *usage, const char *line, size_t size, int64_t since);
/* Adds all files of the access log in FOLDER_FD that may have lines from SINCE on. FAULT_FILE. */
enum fault usage_add_folder(struct usage *usage, int folder_fd, int64_t since, struct refusal *why);

/* The report. New. CONTRACTS as inside.h has them. */
json_t *usage_report(const struct usage *usage, const struct access_keys *keys, const struct contract_file *contracts,
		     size_t n_contracts, int64_t since);

#endif
