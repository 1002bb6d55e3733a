/* SPDX-License-Identifier: ISC
 *
 * recovery: what an outside that was restored from a backup must go above, until it has: state/recovery.json ("clapet recovery
 * 1"). It comes from a request of the inside (bundle/request.h) and goes once everything was signed above it.
 */
#ifndef OUTSIDE_RECOVERY_H
#define OUTSIDE_RECOVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/notation.h"
#include "bundle/request.h"
#include "outside/publish.h"

struct recovery {
	int64_t at;    /* when it began; 0: there is none */
	bool old_data; /* a person said that the backup's data may be published where a source cannot be read */
	struct outside_floor *floors; /* owned: a top role but root, a dataset, `status` */
	size_t n_floors;
};

void recovery_clear(struct recovery *recovery);

/* Reads state/recovery.json; none is no fault. FAULT_FILE, or a JSON fault where it is out of form. */
enum fault recovery_load(int state_fd, struct recovery *ret_recovery, struct refusal *why);
/* 0 or a negative errno. One without floors removes the file. */
int recovery_save(int state_fd, const struct recovery *recovery);

/* ROLE must go above VERSION; the highest counts. */
void recovery_add(struct recovery *recovery, const char *role, uint64_t version);
/* 0: none. */
uint64_t recovery_floor(const struct recovery *recovery, const char *role);

/* Takes away the floors that SIGNED_ has passed. True where one was. */
bool recovery_pass(struct recovery *recovery, const struct publish_signed *signed_);

#endif
