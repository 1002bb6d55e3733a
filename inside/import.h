/* SPDX-License-Identifier: ISC
 *
 * import: bundles of incoming/, in name order, each unpacked, verified, settled; then deleted, set aside, or kept waiting.
 */
#ifndef INSIDE_IMPORT_H
#define INSIDE_IMPORT_H

#include "inside/inside.h"
#include "inside/settle.h"

/* What one run did, for its exit status and for --json. Several runs add to one result. */
struct import_result {
	int exit_status;  /* of what went wrong by the way; the whole: import_exit */
	json_t *bundles;  /* [{"name", "fault", "line"}] */
	json_t *datasets; /* [{"name", "state", "version", "fault", "line"}]: those that this run moved or judged */
	json_t *standing; /* {"bundle <name>" or "dataset <name>": exit status}, as it was left: what came later counts */
};
#define IMPORT_RESULT_NEW                                                                                              \
	{                                                                                                              \
		.bundles = json_array(), .datasets = json_array(), .standing = json_object()                           \
	}

void import_result_clear(struct import_result *result);
/* The exit status of all: of several volumes the first leaves a dataset without its blobs, and the last does not. */
int import_exit(const struct import_result *result);

/* Settles, then works through incoming/. QUIET: no lines on stdout. STOP, if it is given, is asked between two bundles. */
void import_run(struct inside *inside, bool quiet, bool (*stop)(void), struct import_result *result);

/* Says where the datasets stand that moved between the settlement's start and its end, and adds them to the result. */
void import_tell(const struct settlement *settlement, bool quiet, struct import_result *result);

/* After any settling: generations and versions that nobody needs go. Trouble is logged, never fatal. */
void retention_run(struct inside *inside, const struct catalogue *catalogue);

#endif
