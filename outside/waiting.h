/* SPDX-License-Identifier: ISC
 *
 * waiting: what waits for a person since when, as the signing worker said it last: state/waiting.json ("clapet waiting 1").
 */
#ifndef OUTSIDE_WAITING_H
#define OUTSIDE_WAITING_H

#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "outside/publish.h"

struct waiting_item {
	struct outside_waiting record;
	int64_t since;
};

struct waiting {
	struct waiting_item *items; /* owned */
	size_t n_items;
};

void waiting_clear(struct waiting *waiting);

/* Reads state/waiting.json; none is no fault. FAULT_FILE, or a JSON fault where it is out of form. */
enum fault waiting_load(int state_fd, struct waiting *ret_waiting, struct refusal *why);
/* 0 or a negative errno. */
int waiting_save(int state_fd, const struct waiting *waiting);

/* Takes over what SIGNED_ says; what was there before keeps its time. */
void waiting_update(struct waiting *waiting, const struct publish_signed *signed_, int64_t now);

/* NULL where ROLE waits for nobody. */
const struct waiting_item *waiting_find(const struct waiting *waiting, const char *role);

/* The fault that ITEM is (held, exit 3), with its line for people in WHY. */
enum fault waiting_explain(const struct waiting_item *item, struct refusal *why);

#endif
