/* SPDX-License-Identifier: ISC
 *
 * status: what is known of each source, signed for the inside (status.json) and shown to the steward: what failed comes first.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/columns.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "outside/letthrough.h"
#include "outside/references.h"
#include "outside/run.h"
#include "outside/travel.h"

static json_t *time_json(int64_t seconds)
{
	return seconds == 0 ? json_null() : json_time(seconds);
}

/* Whether the inside should hear of it: a source that exists, was looked at, and is not withdrawn. */
static bool is_told(const struct run_dataset *dataset)
{
	const struct source_state *state = dataset->state;
	const struct state_version *newest = state->pending.exists ? &state->pending : &state->published;

	return dataset->has_folder && state->checked != 0 && !newest->withdrawn;
}

static json_t *source_json(const struct source_state *state)
{
	bool failed = state->outcome == STATE_FAILED;
	char code[16];

	snprintf(code, sizeof code, "E%04u", (unsigned)state->why.fault);
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:s?, s:s?}", "dataset", state->name, "state",
			 state_outcome_name(state->outcome), "checked", time_json(state->checked), "succeeded",
			 time_json(state->succeeded), "since", time_json(failed ? state->since : 0), "maxAge",
			 state->max_age > 0 ? json_integer((json_int_t)state->max_age) : json_null(), "why",
			 failed ? state->why.line : NULL, "code", failed ? code : NULL);
}

char *status_compose(const struct run *run)
{
	json_t *sources = json_array(), *bundles = json_array(), *object;
	char *text;

	for (size_t i = 0; i < run->n_datasets; i++)
		if (is_told(&run->datasets[i]))
			json_array_append_new(sources, source_json(run->datasets[i].state));
	for (size_t i = 0; i < run->agent_state->n_bundles; i++)
		json_array_append_new(bundles, json_string(run->agent_state->bundles[i]));
	object = json_pack("{s:s, s:o, s:o, s:o}", "format", "clapet status 1", "issued", time_json(run->agent.now),
			   "sources", sources, "bundles", bundles);
	text = object != NULL ? json_dumps(object, JSON_INDENT(2) | JSON_SORT_KEYS) : NULL;
	if (text == NULL)
		die("out of memory");
	json_decref(object);
	return text;
}

/* --- for people --- */

static bool is_stale(const struct run *run, const struct source_state *state)
{
	return state->max_age > 0 && run->agent.now - state->succeeded > state->max_age;
}

static const char *word(const struct run *run, const struct run_dataset *dataset)
{
	const struct source_state *state = dataset->state;

	if (dataset->refusal.fault != FAULT_NONE || state->outcome == STATE_FAILED)
		return "FAILED";
	if (state->published.withdrawn)
		return "withdrawn";
	if (!dataset->has_folder)
		return "no source";
	if (state->outcome != STATE_NEVER && is_stale(run, state))
		return "STALE";
	return state->outcome == STATE_NEVER ? "not yet" : "good";
}

static void print_row(struct columns *table, const struct run *run, const struct run_dataset *dataset)
{
	const struct source_state *state = dataset->state;
	char checked[64] = "never", version[40] = "-", every[32] = "at every run", hex[SHA256_HEX_SIZE];
	const char *cells[] = {dataset->name, word(run, dataset), version, checked, every};

	if (state->published.exists && !state->published.withdrawn) {
		sha256_to_hex(&state->published.version, hex);
		snprintf(version, sizeof version, "%.16s of %.10s", hex, state->published.created);
	}
	if (state->succeeded != 0)
		notation_format_local(state->succeeded, checked, sizeof checked);
	if (dataset->source != NULL && dataset->source->every > 0)
		notation_format_age(dataset->source->every, every, sizeof every);
	columns_row(table, cells);
}

static void print_failures(const struct run *run)
{
	for (size_t i = 0; i < run->n_datasets; i++) {
		const struct run_dataset *dataset = &run->datasets[i];
		const struct refusal *why = dataset->refusal.fault != FAULT_NONE ? &dataset->refusal
										 : &dataset->state->why;
		char since[64] = "", text[FAULT_LINE_SIZE + 64];

		if (dataset->refusal.fault == FAULT_NONE && dataset->state->outcome != STATE_FAILED)
			continue;
		if (dataset->state->since != 0)
			notation_format_local(dataset->state->since, since, sizeof since);
		fault_format(why, text, sizeof text);
		printf("%s FAILED%s%s: %s\n", dataset->name, since[0] != '\0' ? " since " : "", since, text);
	}
}

/* What waits for a person, and what an operator must know of a recovery. */
static void print_waiting(const struct run *run)
{
	char at[40], text[FAULT_LINE_SIZE + 64];

	for (size_t i = 0; i < run->waiting.n_items; i++) {
		struct refusal why;

		waiting_explain(&run->waiting.items[i], &why);
		fault_format(&why, text, sizeof text);
		printf("%s\n", text);
	}
	if (run->recovery.n_floors == 0)
		return;
	notation_format_local(run->recovery.at, at, sizeof at);
	printf("recovering since %s: %zu role%s must be signed above what the inside trusts%s\n", at,
	       run->recovery.n_floors, run->recovery.n_floors == 1 ? "" : "s",
	       run->recovery.old_data ? "; the backup's data may go where a source cannot be read" : "");
}

/* Returns how many files are not whole on the disk. */
static size_t print_status(const struct run *run)
{
	static const char *const headings[] = {"dataset", "state", "version", "last good check", "every"};
	struct columns *table = columns_new(ARRAY_SIZE(headings), headings);
	size_t n_unsent = 0, n_damaged;

	print_failures(run);
	print_waiting(run);
	for (size_t i = 0; i < run->n_datasets; i++) {
		n_unsent += run->states[i]->pending.exists && waiting_find(&run->waiting, run->states[i]->name) == NULL;
		print_row(table, run, &run->datasets[i]);
		if (references_moved(run, &run->datasets[i]))
			printf("%s is to be checked again: what it refers to has another version than it was checked "
			       "against\n",
			       run->datasets[i].name);
	}
	if (run->n_datasets > 0)
		columns_print(table, stdout);
	else
		printf("no sources in %s\n", run->agent.config->sources);
	columns_free(table);
	n_damaged = travel_print(&run->agent, run->states, run->n_datasets);
	for (size_t i = 0; i < run->n_datasets; i++) {
		_cleanup_(json_decrefp) json_t *list = letthrough_load(&run->agent, run->states[i]);

		letthrough_print(run->datasets[i].name, list);
	}
	if (n_unsent > 0)
		printf("%zu version%s not signed yet: the next `sync` or `heartbeat` does it\n", n_unsent,
		       n_unsent == 1 ? "" : "s");
	if (run->agent_state->n_bundles > 0)
		printf("last bundle: %s\n", run->agent_state->bundles[run->agent_state->n_bundles - 1]);
	else
		printf("no bundle was made yet\n");
	return n_damaged;
}

static json_t *waits_json(const struct run *run, const char *name)
{
	const struct waiting_item *item = waiting_find(&run->waiting, name);
	struct refusal why;

	return item == NULL || waiting_explain(item, &why) == FAULT_NONE ? json_null() : json_string(why.line);
}

static size_t print_json(const struct run *run)
{
	json_t *array = json_array(), *document;
	size_t n_damaged = 0;

	for (size_t i = 0; i < run->n_datasets; i++) {
		const struct run_dataset *dataset = &run->datasets[i];
		json_t *object = source_json(dataset->state);
		char hex[SHA256_HEX_SIZE];

		sha256_to_hex(&dataset->state->published.version, hex);
		json_object_set_new(object, "word", json_string(word(run, dataset)));
		json_object_set_new(object, "letThrough", letthrough_load(&run->agent, dataset->state));
		json_object_set_new(object, "waits", waits_json(run, dataset->name));
		json_object_set_new(object, "referencesMoved", json_boolean(references_moved(run, dataset)));
		json_object_set_new(object, "version",
				    dataset->state->published.exists ? json_string(hex) : json_null());
		json_object_set_new(object, "created",
				    dataset->state->published.exists ? json_string(dataset->state->published.created)
								     : json_null());
		json_object_set_new(object, "files", travel_json(&run->agent, dataset->state, &n_damaged));
		json_array_append_new(array, object);
	}
	document = json_pack("{s:s, s:o, s:I, s:b}", "format", "clapet outside status 1", "sources", array,
			     "bundledTimestamp", (json_int_t)run->agent_state->bundled_timestamp, "recovering",
			     run->recovery.n_floors > 0);
	if (document == NULL)
		die("out of memory");
	json_dumpf(document, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(document);
	return n_damaged;
}

int status_run(const struct config *config, bool json)
{
	struct refusal why = {FAULT_NONE, ""};
	struct run run;
	int status = 0;

	if (run_open(config, false, &run, &why) != FAULT_NONE) {
		log_refusal(&why);
		return fault_exit(why.fault);
	}
	/* One exit status for a monitor: 1 where something failed, 3 where something waits for a person, 4 where a file is not whole. */
	if ((json ? print_json : print_status)(&run) > 0)
		status = fault_exit(FAULT_KEYFRAME_DAMAGED);
	if (run.waiting.n_items > 0 || run.recovery.n_floors > 0)
		status = fault_exit_worse(status, fault_exit(FAULT_WAITS_COSIGN));
	for (size_t i = 0; i < run.n_datasets; i++)
		if (run.datasets[i].refusal.fault != FAULT_NONE || run.states[i]->outcome == STATE_FAILED)
			status = fault_exit_worse(status, 1);
	status = fault_exit_worse(run.exit_status, status);
	run_close(&run);
	return status;
}
