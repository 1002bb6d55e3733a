/* SPDX-License-Identifier: ISC
 *
 * settle_references: datasets whose keys lead to each other's rows. What each may do by itself is decided (decide.c); here plan.c
 * finds what may come in together, inside-check is asked whether the keys of one version fit another, once for each two versions, and
 * what is held says with whom and why.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/notation.h"
#include "inside/plan.h"
#include "inside/settle.h"

/* Views are items of the same number; behind them names that are referred to and that nothing is known of. */
struct references {
	struct inside *inside;
	const struct spool *spool;
	struct settlement *settlement;
	struct plan_item *items;
	const char **names; /* of the items past the views */
	size_t n_items;
	bool *explained;
};

static struct dataset_view *view_of(const struct references *references, size_t item)
{
	return item < references->settlement->n_views ? &references->settlement->views[item] : NULL;
}

static const char *name_of(const struct references *references, size_t item)
{
	const struct dataset_view *view = view_of(references, item);

	return view != NULL ? view->name : references->names[item - references->settlement->n_views];
}

/* Whether VIEW would change what is in force, as far as it alone is asked. */
static bool is_candidate(const struct dataset_view *view)
{
	if (view->state == DATASET_WITHDRAWN)
		return view->in_force[0] != '\0';
	return view->state == DATASET_IN_FORCE && view->trusted[0] != '\0' &&
	       strcmp(view->trusted, view->in_force) != 0;
}

/* What VIEW would show: nothing where it is withdrawn, or not here. */
static struct verdict *verdict_of(struct dataset_view *view, bool is_next)
{
	if (view == NULL || (is_next && view->state == DATASET_WITHDRAWN))
		return NULL;
	return is_next ? view->verdict : view->current;
}

/* The verdict on the version in force: who refers to whom, and what was found of their keys before. */
static void load_current(const struct references *references, struct dataset_view *view)
{
	struct refusal why = {0};
	struct sha256 full;

	if (view->in_force[0] == '\0')
		return;
	if (judge_full_version(references->inside, view->name, view->in_force, &full, &why) != FAULT_NONE ||
	    generation_load_verdict(references->inside->store_fd, view->name, &full, &view->current, &why) !=
		    FAULT_NONE)
		log_warning("%s: what its version in force refers to is not known: %s", view->name, why.line);
}

/* --- the graph ------------------------------------------------------------------------------------------------------- */

static size_t item_of(struct references *references, const char *name)
{
	const struct settlement *settlement = references->settlement;

	for (size_t i = 0; i < references->n_items; i++)
		if (strcmp(name_of(references, i), name) == 0)
			return i;
	references->names = xrealloc(references->names, references->n_items + 1 - settlement->n_views,
				     sizeof(*references->names));
	references->names[references->n_items - settlement->n_views] = name;
	references->items = xrealloc(references->items, references->n_items + 1, sizeof(*references->items));
	memset(&references->items[references->n_items], 0, sizeof(*references->items));
	return references->n_items++;
}

static void add_edges(struct references *references, const struct verdict *verdict, struct plan_references *edges)
{
	for (size_t i = 0; verdict != NULL && i < verdict->n_references; i++) {
		size_t other = item_of(references, verdict->references[i].dataset);
		bool known = false;

		for (size_t k = 0; k < edges->n_items; k++)
			known = known || edges->items[k] == other;
		if (known)
			continue;
		edges->items = xrealloc(edges->items, edges->n_items + 1, sizeof(*edges->items));
		edges->items[edges->n_items++] = other;
	}
}

static void make_items(struct references *references)
{
	struct settlement *settlement = references->settlement;

	references->n_items = settlement->n_views;
	references->items = xcalloc(references->n_items + 1, sizeof(*references->items));
	for (size_t i = 0; i < settlement->n_views; i++) {
		struct dataset_view *view = &settlement->views[i];
		struct plan_references now = {NULL, 0}, next = {NULL, 0};

		load_current(references, view);
		add_edges(references, view->current, &now);
		if (is_candidate(view))
			add_edges(references, verdict_of(view, true), &next);
		references->items[i] = (struct plan_item){.is_candidate = is_candidate(view), .now = now, .next = next};
	}
	references->explained = xcalloc(references->n_items + 1, sizeof(*references->explained));
}

static void references_clear(struct references *references)
{
	for (size_t i = 0; i < references->n_items; i++) {
		free(references->items[i].now.items);
		free(references->items[i].next.items);
	}
	free(references->items);
	free(references->names);
	free(references->explained);
}

/* --- whether two versions fit ---------------------------------------------------------------------------------------- */

static void add_break(const struct verdict *verdict, const struct record_refers *refers, const char *line,
		      struct break_list *breaks)
{
	struct record_break item;

	memset(&item, 0, sizeof(item));
	item.fault = FAULT_FOREIGN_KEY;
	item.can_be_approved = 1;
	memcpy(item.application, refers->dataset, sizeof(item.application));
	memcpy(item.resource, refers->resource, sizeof(item.resource));
	snprintf(item.rule, sizeof(item.rule), "foreign-key");
	snprintf(item.line, sizeof(item.line), "%s of %s refers to %s/%s, %s", refers->resource, verdict->dataset,
		 refers->dataset, refers->table, line);
	break_list_add(breaks, &item);
}

/* Nothing of the other dataset would be there: no key leads anywhere, and nobody has to be asked. */
static void find_absent(const struct references *references, const struct verdict *verdict, size_t other,
			bool other_is_next, struct break_list *breaks)
{
	const struct dataset_view *view = view_of(references, other);
	const char *line = "of which no version is in force";

	if (view == NULL)
		line = "and there is no dataset of that name";
	else if (other_is_next)
		line = "which its publisher withdrew";
	for (size_t i = 0; i < verdict->n_references; i++)
		if (strcmp(verdict->references[i].dataset, name_of(references, other)) == 0)
			add_break(verdict, &verdict->references[i], line, breaks);
}

/* Asks inside-check, unless that is known already. NULL: trouble, in WHY. */
static const struct break_list *resolve(struct references *references, struct dataset_view *view, bool is_next,
					const struct verdict *other, struct refusal *why)
{
	struct verdict *verdict = verdict_of(view, is_next);
	const struct verdict_resolution *known;
	struct break_list breaks = {0};
	struct sha256 with;

	judge_resolved_with(verdict, other->dataset, &other->version, &with);
	known = verdict_resolution(verdict, &with);
	if (known != NULL)
		return &known->breaks;
	if (judge_references(references->inside, references->spool, verdict, other, &breaks, why) != FAULT_NONE) {
		break_list_clear(&breaks);
		return NULL;
	}
	verdict_add_resolution(verdict, other->dataset, &other->version, &with, &breaks);
	if (is_next)
		view->has_resolved = true;
	else
		view->current_has_resolved = true;
	return &verdict_resolution(verdict, &with)->breaks;
}

/* What waivers of a reference's breaks are bound to. */
static void set_other(struct dataset_view *view, const char *dataset, const char *version)
{
	size_t i = 0;

	while (i < view->n_others && strcmp(view->others[i].dataset, dataset) != 0)
		i++;
	if (i == view->n_others) {
		view->others = xrealloc(view->others, view->n_others + 1, sizeof(*view->others));
		view->n_others++;
		snprintf(view->others[i].dataset, sizeof(view->others[i].dataset), "%s", dataset);
	}
	snprintf(view->others[i].version, sizeof(view->others[i].version), "%s", version);
}

/* The breaks of ITEM's keys against OTHER go to the view that could do otherwise: ITEM's own where its newest version is asked, else OTHER's,
 * which would take something away. False where one is not waived. */
static bool take_breaks(struct references *references, size_t item, bool is_next, size_t other, bool other_is_next,
			const struct break_list *breaks)
{
	struct dataset_view *view = view_of(references, item), *blamed = is_next ? view : view_of(references, other);
	const struct verdict *shown = verdict_of(view_of(references, other), other_is_next);
	char version[STORE_VERSION_SIZE] = "";
	bool fits = true;

	if (is_next && shown != NULL)
		store_version_name(&shown->version, version);
	set_other(blamed, is_next ? name_of(references, other) : view->name, is_next ? version : view->in_force);
	for (size_t i = 0; i < breaks->n_items; i++) {
		struct record_break copy = breaks->items[i];

		if (!is_next) {
			copy.fault = FAULT_REFERRED;
			memcpy(copy.application, view->name, sizeof(copy.application));
			snprintf(copy.rule, sizeof(copy.rule), "referred-by");
		}
		fits = settle_add_break(references->inside, blamed, &copy) && fits;
	}
	return fits;
}

static bool fits_with_breaks(struct references *references, size_t item, bool is_next, size_t other, bool other_is_next)
{
	struct dataset_view *view = view_of(references, item), *other_view = view_of(references, other);
	struct dataset_view *blamed = is_next ? view : other_view;
	const struct verdict *shown = verdict_of(other_view, other_is_next);
	struct break_list absent = {0};
	const struct break_list *breaks = &absent;
	bool fits;

	if (shown == NULL && other_view != NULL && !other_is_next && other_view->in_force[0] != '\0')
		refuse(&blamed->resolve_why, FAULT_STORE_DAMAGED, "the verdict on %s %s is lost", other_view->name,
		       other_view->in_force);
	if (blamed->resolve_why.fault != FAULT_NONE)
		breaks = NULL;
	else if (shown != NULL)
		breaks = resolve(references, view, is_next, shown, &blamed->resolve_why);
	else
		find_absent(references, verdict_of(view, is_next), other, other_is_next, &absent);
	fits = breaks != NULL && take_breaks(references, item, is_next, other, other_is_next, breaks);
	break_list_clear(&absent);
	return fits;
}

/* For the plan: the breaks are of no interest yet. */
static bool fits(void *ctx, size_t item, bool is_next, size_t other, bool other_is_next)
{
	struct references *references = ctx;
	struct dataset_view *blamed = view_of(references, is_next ? item : other);
	bool result = fits_with_breaks(references, item, is_next, other, other_is_next);

	break_list_clear(&blamed->breaks);
	return result;
}

/* --- what is said ---------------------------------------------------------------------------------------------------- */

/* "waits for a person (E5002 paie reads …)", for a dataset that another one waits for. */
static void say_state(const struct dataset_view *view, char *text, size_t size)
{
	bool waits = view->state == DATASET_HELD && fault_kind(view->why.fault) == FAULT_KIND_HELD;

	if (view->why.fault == FAULT_NONE)
		snprintf(text, size, "%s", dataset_state_name(view->state));
	else
		snprintf(text, size, "%s (E%04d %.200s)",
			 waits ? "waits for a person" : dataset_state_name(view->state), (int)view->why.fault,
			 view->why.line);
}

static void stop(struct dataset_view *view, enum dataset_state state)
{
	view->state = state;
	/* Told, and logged, when it was found out. */
	view->was_judged = view->was_judged || view->has_resolved;
}

/* Its own keys lead nowhere. Whether that is its own fault depends on where the other dataset stands. */
static void explain_keys(const struct references *references, struct dataset_view *view, size_t other)
{
	const struct dataset_view *cause = view_of(references, other);
	const struct record_break *item = &view->breaks.items[0];
	char said[FAULT_LINE_SIZE];

	if (cause == NULL) {
		refuse(&view->why, FAULT_REFERENCE_ABSENT, "%s", item->line);
		return;
	}
	say_state(cause, said, sizeof(said));
	if (cause->state == DATASET_IN_FORCE)
		refuse(&view->why, FAULT_FOREIGN_KEY, "%.300s (rule %s)", item->line, item->rule);
	else if (cause->state == DATASET_MISSING || cause->state == DATASET_WITHDRAWN ||
		 (cause->in_force[0] == '\0' && cause->state != DATASET_HELD))
		refuse(&view->why, FAULT_REFERENCE_ABSENT, "held with %s, which is %s; %.200s", cause->name, said,
		       item->line);
	else
		refuse(&view->why, FAULT_REFERENCE_HELD, "held with %s, which %s%s; %.200s", cause->name,
		       strncmp(said, "waits", 5) == 0 ? "" : "is ", said, item->line);
}

static void hold_keys(struct references *references, size_t index)
{
	struct dataset_view *view = view_of(references, index);
	const struct plan_references *next = &references->items[index].next;
	size_t cause = SIZE_MAX;

	for (size_t i = 0; i < next->n_items; i++) {
		size_t other = next->items[i];

		if (!fits_with_breaks(references, index, true, other, references->items[other].comes_in) &&
		    cause == SIZE_MAX)
			cause = other;
	}
	stop(view, DATASET_HELD);
	if (view->breaks.n_items > 0)
		explain_keys(references, view, cause);
}

/* What stays in force refers to what it would take away. */
static void hold_referred(struct references *references, size_t index)
{
	struct dataset_view *view = view_of(references, index);
	const struct dataset_view *first = NULL;

	for (size_t i = 0; i < references->n_items; i++) {
		const struct plan_references *now = &references->items[i].now;

		for (size_t k = 0; k < now->n_items; k++) {
			if (now->items[k] == index && !fits_with_breaks(references, i, false, index, true) &&
			    first == NULL)
				first = view_of(references, i);
		}
	}
	stop(view, DATASET_HELD);
	if (view->breaks.n_items > 0 && first != NULL)
		refuse(&view->why, FAULT_REFERRED, "%s, whose version in force refers to it: %.300s (rule %s)",
		       first->name, view->breaks.items[0].line, view->breaks.items[0].rule);
}

static void hold_cycle(struct references *references, size_t index)
{
	struct dataset_view *view = view_of(references, index);
	const struct plan_references *next = &references->items[index].next;
	const char *through = "others";
	struct record_break item;

	for (size_t i = next->n_items; i-- > 0;)
		if (references->items[next->items[i]].reason == PLAN_CYCLE || next->n_items == 1)
			through = name_of(references, next->items[i]);
	memset(&item, 0, sizeof(item));
	item.fault = FAULT_REFERENCE_CYCLE;
	snprintf(item.application, sizeof(item.application), "%s", through);
	snprintf(item.rule, sizeof(item.rule), "cycle");
	snprintf(item.line, sizeof(item.line), "it refers to %s, which leads back to it", through);
	break_list_add(&view->breaks, &item);
	stop(view, DATASET_HELD);
	refuse(&view->why, FAULT_REFERENCE_CYCLE, "%s", item.line);
}

/* What it refers to first: its state is part of what is said. */
static void explain(struct references *references, size_t index)
{
	struct plan_item *item = &references->items[index];
	struct dataset_view *view = view_of(references, index);

	if (references->explained[index])
		return;
	references->explained[index] = true;
	if (view == NULL || !item->is_candidate)
		return;
	for (size_t i = 0; i < item->next.n_items; i++)
		explain(references, item->next.items[i]);
	if (item->reason == PLAN_KEYS)
		hold_keys(references, index);
	else if (item->reason == PLAN_REFERRED)
		hold_referred(references, index);
	else if (item->reason == PLAN_CYCLE)
		hold_cycle(references, index);
	if (item->reason != PLAN_FREE && view->resolve_why.fault != FAULT_NONE) {
		view->state = DATASET_TROUBLE;
		view->why = view->resolve_why;
	}
}

/* Waivers that let it in are told with it. */
static void note_waivers(struct references *references, size_t index)
{
	const struct plan_item *item = &references->items[index];

	for (size_t i = 0; item->comes_in && i < item->next.n_items; i++) {
		size_t other = item->next.items[i];

		fits(references, index, true, other, references->items[other].comes_in);
	}
	for (size_t i = 0; !item->comes_in && i < item->now.n_items; i++) {
		size_t other = item->now.items[i];

		if (references->items[other].comes_in)
			fits(references, index, false, other, true);
	}
}

void settle_references(struct inside *inside, const struct spool *spool, struct settlement *settlement)
{
	struct references references = {.inside = inside, .spool = spool, .settlement = settlement};
	bool any = false;

	for (size_t i = 0; i < settlement->n_views; i++)
		any = any || is_candidate(&settlement->views[i]);
	if (!any)
		return;
	make_items(&references);
	plan_run(references.items, references.n_items, fits, &references);
	/* Waivers that were looked at on the way, for what did not come to be. */
	for (size_t i = 0; i < settlement->n_views; i++)
		if (references.items[i].is_candidate)
			settle_decide(inside, &settlement->views[i]);
	for (size_t i = 0; i < settlement->n_views; i++)
		note_waivers(&references, i);
	for (size_t i = 0; i < settlement->n_views; i++)
		explain(&references, i);
	references_clear(&references);
}
