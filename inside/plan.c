/* SPDX-License-Identifier: ISC
 *
 * plan: rounds over all items, as plan.h tells them.
 */
#include "inside/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"

struct plan {
	struct plan_item *items;
	size_t n_items;
	plan_fits *fits;
	void *ctx;
	bool *held;    /* out of the question: by 1 or 3 */
	bool *visited; /* by the walk that is under way */
};

static const struct plan_references *references_of(const struct plan_item *item)
{
	return item->comes_in ? &item->next : &item->now;
}

/* Whether a walk along the references from ITEM comes to GOAL. */
static bool leads_to(struct plan *plan, size_t item, size_t goal)
{
	const struct plan_references *references = references_of(&plan->items[item]);

	plan->visited[item] = true;
	for (size_t i = 0; i < references->n_items; i++) {
		size_t next = references->items[i];

		if (next == goal || (!plan->visited[next] && leads_to(plan, next, goal)))
			return true;
	}
	return false;
}

/* All of a circle at once: none of them comes before the others. */
static bool hold_cycles(struct plan *plan)
{
	_cleanup_free_ bool *found = xcalloc(plan->n_items + 1, sizeof(*found));
	bool any = false;

	for (size_t i = 0; i < plan->n_items; i++) {
		if (!plan->items[i].comes_in || plan->items[i].next.n_items == 0)
			continue;
		memset(plan->visited, 0, plan->n_items * sizeof(*plan->visited));
		found[i] = leads_to(plan, i, i);
		any = any || found[i];
	}
	for (size_t i = 0; i < plan->n_items; i++) {
		if (!found[i])
			continue;
		plan->held[i] = true;
		plan->items[i].comes_in = false;
		plan->items[i].reason = PLAN_CYCLE;
	}
	return any;
}

/* What it refers to first; there is no circle among what comes in. */
static void settle_item(struct plan *plan, size_t index)
{
	struct plan_item *item = &plan->items[index];

	if (plan->visited[index] || !item->comes_in)
		return;
	plan->visited[index] = true;
	for (size_t i = 0; i < item->next.n_items; i++)
		settle_item(plan, item->next.items[i]);
	for (size_t i = 0; i < item->next.n_items && item->comes_in; i++) {
		size_t other = item->next.items[i];

		if (plan->fits(plan->ctx, index, true, other, plan->items[other].comes_in))
			continue;
		item->comes_in = false;
		item->reason = PLAN_KEYS;
	}
}

/* What stays must fit what comes in. */
static bool hold_referred(struct plan *plan)
{
	bool any = false;

	for (size_t i = 0; i < plan->n_items; i++) {
		const struct plan_item *item = &plan->items[i];

		for (size_t k = 0; !item->comes_in && k < item->now.n_items; k++) {
			size_t other = item->now.items[k];

			if (!plan->items[other].comes_in || plan->held[other] ||
			    plan->fits(plan->ctx, i, false, other, true))
				continue;
			plan->held[other] = true;
			plan->items[other].reason = PLAN_REFERRED;
			any = true;
		}
	}
	return any;
}

/* One round. Whether it held something. */
static bool go_round(struct plan *plan)
{
	for (size_t i = 0; i < plan->n_items; i++) {
		plan->items[i].comes_in = plan->items[i].is_candidate && !plan->held[i];
		if (!plan->held[i])
			plan->items[i].reason = PLAN_FREE;
	}
	if (hold_cycles(plan))
		return true;
	memset(plan->visited, 0, plan->n_items * sizeof(*plan->visited));
	for (size_t i = 0; i < plan->n_items; i++)
		settle_item(plan, i);
	/* A version that stays after all may close a circle that its newest would have opened. */
	return hold_cycles(plan) || hold_referred(plan);
}

void plan_run(struct plan_item *items, size_t n_items, plan_fits *fits, void *ctx)
{
	_cleanup_free_ bool *held = xcalloc(n_items + 1, sizeof(*held)),
			    *visited = xcalloc(n_items + 1, sizeof(*visited));
	struct plan plan = {items, n_items, fits, ctx, held, visited};

	while (go_round(&plan))
		;
}
