/* SPDX-License-Identifier: ISC
 *
 * decide: where one dataset stands, from what is known of it: metadata, verdict, policy, waivers, pins. No file is opened
 * here and no worker asked.
 */
#include "inside/decide.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "bundle/notation.h"
#include "bundle/statement.h"
#include "inside/settle.h"

const char *dataset_state_name(enum dataset_state state)
{
	static const char *const names[] = {
		[DATASET_IN_FORCE] = "in force", [DATASET_HELD] = "held",       [DATASET_MISSING] = "missing",
		[DATASET_REFUSED] = "refused",   [DATASET_TROUBLE] = "trouble", [DATASET_WITHDRAWN] = "withdrawn",
	};

	return names[state];
}

static void stand(struct dataset_view *view, enum dataset_state state, enum fault fault, const char *line)
{
	view->state = state;
	view->why.fault = FAULT_NONE;
	view->why.line[0] = '\0';
	if (fault != FAULT_NONE)
		refuse(&view->why, fault, "%s", line);
}

/* The rule's own line, without the resource's name before it where we name that ourselves. */
static const char *bare_line(const struct record_break *item)
{
	size_t n = strlen(item->resource);

	if (n > 0 && strncmp(item->line, item->resource, n) == 0 && strncmp(item->line + n, ": ", 2) == 0)
		return item->line + n + 2;
	return item->line;
}

/* "paie reads communes.collectiviteOutremer: it is gone (rule field-removed), and 2 more" */
static void stand_held(struct dataset_view *view, const struct break_list *breaks)
{
	const struct record_break *item = &breaks->items[0];
	bool contract = item->application[0] != '\0' && strcmp(item->application, "*") != 0;
	char more[48] = "";

	view->state = DATASET_HELD;
	if (breaks->n_items > 1)
		snprintf(more, sizeof(more), ", and %zu more", breaks->n_items - 1);
	if (contract)
		refuse(&view->why, (enum fault)item->fault, "%s reads %s%s%s: %.200s (rule %s)%s", item->application,
		       item->resource[0] == '\0' ? view->name : item->resource, item->field[0] == '\0' ? "" : ".",
		       item->field, bare_line(item), item->rule, more);
	else
		refuse(&view->why, (enum fault)item->fault, "%s%s%s%.200s (rule %s)%s",
		       item->application[0] == '*' ? "against the schema in force: " : "", item->resource,
		       item->resource[0] == '\0' ? "" : ": ", bare_line(item), item->rule, more);
}

static const char *reader_of(const struct inside *inside, const char *dataset)
{
	for (size_t i = 0; i < inside->n_contracts; i++)
		if (strcmp(inside->contracts[i].dataset, dataset) == 0)
			return inside->contracts[i].application;
	return NULL;
}

/* "its publisher withdrew it on 2026-03-01: merged into villes; villes replaces it" */
static void withdrawal_line(const struct dataset_view *view, char *line, size_t size)
{
	const struct record_facts *facts = view->verdict == NULL ? NULL : &view->verdict->facts;

	if (facts == NULL)
		snprintf(line, size, "its publisher withdrew it; why has not arrived");
	else
		snprintf(line, size, "its publisher withdrew it on %.10s: %s%s%s%s", facts->created, facts->title,
			 facts->replaced_by[0] == '\0' ? "" : "; ", facts->replaced_by,
			 facts->replaced_by[0] == '\0' ? "" : " replaces it");
}

/* A withdrawn dataset goes with the next generation, unless somebody said that he reads it: then a person decides. */
static void add_withdrawn_breaks(const struct inside *inside, const struct dataset_view *view, const char *line,
				 struct break_list *breaks)
{
	for (size_t i = 0; i < inside->n_contracts; i++) {
		struct record_break item;

		if (strcmp(inside->contracts[i].dataset, view->name) != 0)
			continue;
		memset(&item, 0, sizeof(item));
		item.fault = FAULT_WITHDRAWN_READ;
		item.can_be_approved = 1;
		memcpy(item.application, inside->contracts[i].application, sizeof(item.application));
		snprintf(item.rule, sizeof(item.rule), "withdrawn");
		snprintf(item.line, sizeof(item.line), "%s", line);
		break_list_add(breaks, &item);
	}
}

void settle_waiver_contract(const struct inside *inside, const struct dataset_view *view,
			    const struct record_break *item, char contract[SHA256_HEX_SIZE])
{
	char hash[SHA256_HEX_SIZE];

	if (item->fault == FAULT_FOREIGN_KEY || item->fault == FAULT_REFERRED) {
		contract[0] = '\0';
		for (size_t i = 0; i < view->n_others; i++)
			if (strcmp(view->others[i].dataset, item->application) == 0)
				snprintf(contract, SHA256_HEX_SIZE, "%s", view->others[i].version);
		return;
	}
	inside_contract_hash(inside, item->application, view->name, hash);
	if (strcmp(item->application, "*") == 0 || strcmp(item->rule, "max-change") == 0)
		snprintf(contract, SHA256_HEX_SIZE, "%.16s%.48s", view->in_force, hash);
	else
		memcpy(contract, hash, sizeof(hash));
}

bool settle_add_break(const struct inside *inside, struct dataset_view *view, const struct record_break *item)
{
	char contract[SHA256_HEX_SIZE];
	const struct waiver *waiver;

	settle_waiver_contract(inside, view, item, contract);
	waiver = decisions_waiver_for(&inside->decisions, view->name, item, contract, inside->now);
	if (waiver == NULL) {
		break_list_add(&view->breaks, item);
		return false;
	}
	for (size_t j = 0; j < json_array_size(view->waivers); j++)
		if (strcmp(json_string_value(json_array_get(view->waivers, j)), waiver->id) == 0)
			return true;
	json_array_append_new(view->waivers, json_string(waiver->id));
	return true;
}

/* Moves the breaks that no waiver covers into the view, and notes the waivers that cover the others. */
static void apply_waivers(const struct inside *inside, struct dataset_view *view, const struct break_list *all)
{
	json_decref(view->waivers);
	view->waivers = json_array();
	break_list_clear(&view->breaks);
	for (size_t i = 0; i < all->n_items; i++)
		settle_add_break(inside, view, &all->items[i]);
}

/* What stops a whole version, or a withdrawal: a pin first, for as long as it stands nothing else matters. */
static bool hold(const struct inside *inside, struct dataset_view *view)
{
	const struct pin *pin = decisions_pin_for(&inside->decisions, view->name, inside->now);
	char line[RECORD_LINE_SIZE];

	if (pin != NULL) {
		snprintf(line, sizeof(line), "pinned to %s by %s: %.300s", pin->version, pin->operator, pin->reason);
		stand(view, DATASET_HELD, FAULT_HELD_PIN, line);
		return true;
	}
	if (view->breaks.n_items == 0)
		return false;
	stand_held(view, &view->breaks);
	return true;
}

static void decide_withdrawn(const struct inside *inside, struct dataset_view *view)
{
	struct break_list all = {0};
	char line[RECORD_LINE_SIZE];

	/* A worker failed over the reason: tried again, and nothing moves meanwhile. */
	if (view->why.fault != FAULT_NONE && view->state == DATASET_TROUBLE)
		return;
	if (view->verdict != NULL && view->verdict->end.fault != FAULT_NONE) {
		stand(view, DATASET_REFUSED, view->verdict->end.fault, view->verdict->end.line);
		return;
	}
	withdrawal_line(view, line, sizeof(line));
	if (view->in_force[0] != '\0' && reader_of(inside, view->name) != NULL)
		add_withdrawn_breaks(inside, view, line, &all);
	apply_waivers(inside, view, &all);
	break_list_clear(&all);
	if (view->in_force[0] != '\0' && hold(inside, view))
		return;
	stand(view, DATASET_WITHDRAWN, FAULT_NONE, "");
	snprintf(view->why.line, sizeof(view->why.line), "%s", line);
}

/* Whether the role names attestations: inside-check saw to it that they are whole. */
static bool is_attested(const struct catalogue_role *role)
{
	for (size_t i = 0; i < role->n_targets; i++)
		if (attestation_is_file(role->targets[i].record.file))
			return true;
	return false;
}

static void decide_version(const struct inside *inside, struct dataset_view *view)
{
	struct break_list all = {0};

	for (size_t i = 0; i < view->verdict->breaks.n_items; i++)
		break_list_add(&all, &view->verdict->breaks.items[i]);
	policy_judge(inside->policy, view->verdict, view->role->record.threshold, is_attested(view->role), &all);
	apply_waivers(inside, view, &all);
	break_list_clear(&all);
	if (!hold(inside, view))
		stand(view, DATASET_IN_FORCE, FAULT_NONE, "");
}

static void decide_missing(struct dataset_view *view)
{
	char line[RECORD_LINE_SIZE];
	uint64_t bytes = 0;
	char size[32];

	for (size_t i = 0; i < view->n_missing; i++)
		bytes += view->missing[i].size;
	notation_format_size(bytes, size, sizeof(size));
	snprintf(line, sizeof(line), "%zu blob%s of its newest version %s not arrived (%s)", view->n_missing,
		 view->n_missing == 1 ? "" : "s", view->n_missing == 1 ? "has" : "have", size);
	stand(view, DATASET_MISSING, FAULT_BLOB_ABSENT, line);
}

void settle_decide(const struct inside *inside, struct dataset_view *view)
{
	const struct record_role *role = view->role == NULL ? NULL : &view->role->record;

	view->pinned = decisions_pin_for(&inside->decisions, view->name, inside->now) != NULL;
	if (role == NULL)
		stand(view, DATASET_IN_FORCE, FAULT_NONE, "");
	else if (role->fault == FAULT_TUF_ABSENT)
		stand(view, DATASET_MISSING, FAULT_TUF_ABSENT, role->line[0] == '\0' ? role->file_name : role->line);
	else if (role->fault != FAULT_NONE)
		stand(view, DATASET_REFUSED, (enum fault)role->fault, role->line);
	else if (role->is_withdrawn)
		decide_withdrawn(inside, view);
	else if (view->trusted[0] == '\0')
		stand(view, DATASET_MISSING, FAULT_BLOB_ABSENT, "its role names no datapackage.json yet");
	else if (strcmp(view->in_force, view->trusted) == 0)
		stand(view, DATASET_IN_FORCE, FAULT_NONE, "");
	else if (view->why.fault != FAULT_NONE && view->state == DATASET_TROUBLE)
		return;
	else if (view->n_missing > 0)
		decide_missing(view);
	else if (view->verdict == NULL)
		stand(view, DATASET_TROUBLE, FAULT_WORKER, "its version could not be judged");
	else if (view->verdict->end.fault != FAULT_NONE)
		stand(view, DATASET_REFUSED, view->verdict->end.fault, view->verdict->end.line);
	else
		decide_version(inside, view);
}
