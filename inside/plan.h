/* SPDX-License-Identifier: ISC
 *
 * plan: which of the versions that might come in do so together, where datasets refer to each other. Pure: it knows items by number,
 * asks whether the keys of one fit another, and finds a set in which every key that this settling touches leads somewhere.
 *
 * All that may come in is tried at once. Then, until nothing changes any more:
 *   1. what refers to itself through others is held;
 *   2. in the order of the references, each that comes in must fit what it refers to, or it stays as it is;
 *   3. what stays and is in force must fit what would come in, or that is held.
 * Each round holds at least one more, so there are at most as many rounds as items; a version that only 2 kept out is tried again in
 * each round.
 */
#ifndef INSIDE_PLAN_H
#define INSIDE_PLAN_H

#include <stdbool.h>
#include <stddef.h>

/* Numbers of the items that one refers to. */
struct plan_references {
	size_t *items; /* owned by the caller */
	size_t n_items;
};

enum plan_reason {
	PLAN_FREE,     /* it comes in, or was no candidate */
	PLAN_KEYS,     /* its own keys lead nowhere */
	PLAN_REFERRED, /* something that stays in force refers to what it would take away */
	PLAN_CYCLE,    /* it refers to itself through others */
};

struct plan_item {
	bool is_candidate; /* its newest version may come in, as far as it alone is asked; a withdrawal is a version that refers to nothing */
	struct plan_references now, next; /* of the version in force (none: nothing), and of the newest */
	/* The answer. */
	bool comes_in;
	enum plan_reason reason;
};

/* Whether the keys of ITEM (its newest version where IS_NEXT, else the one in force) fit what OTHER is to be: its newest version where
 * OTHER_IS_NEXT. Asked again and again for the same: the caller remembers. */
typedef bool plan_fits(void *ctx, size_t item, bool is_next, size_t other, bool other_is_next);

void plan_run(struct plan_item *items, size_t n_items, plan_fits *fits, void *ctx);

#endif
