/* SPDX-License-Identifier: ISC
 *
 * prune: what versions left in the repository that nothing names any more. Metadata go first, by the signing worker, which owns them: those
 * whose place others took for as long as the configuration says (keepAtLeast), but of so many older versions of each dataset (keepVersions).
 * Then goes what no metadata that are left, no state and nothing that waits for a signature names: blobs, and the plain files of stock
 * clients. Killed in between, the next one goes on: nothing is named that is not there.
 */
#ifndef OUTSIDE_PRUNE_H
#define OUTSIDE_PRUNE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outside/run.h"

struct prune_counts {
	size_t n_metadata, n_blobs, n_files;
	uint64_t size; /* bytes of all of them */
};

/* Looks through the repository of RUN, whose states are saved, and removes (DRY_RUN: counts) what may go. While a recovery is not
 * complete nothing does: the newest is not known then. FAULT_STORAGE, FAULT_WORKER, FAULT_STOPPED, or the signing worker's fault. */
enum fault prune(struct run *run, bool dry_run, struct prune_counts *ret_counts, struct refusal *why);

/* The end of a run: once a day, and remembered. What goes wrong is said, and counts in the run's exit status: nothing that was sent
 * depends on it. */
void prune_daily(struct run *run);

/* The command; returns the exit status. */
int prune_run(const struct config *config, bool dry_run, bool json);

#endif
