/* SPDX-License-Identifier: ISC
 *
 * sync: each source in turn; one that fails keeps its last version, says why, and stops nobody. Then one signature run and
 * one bundle for all of them.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"
#include "outside/agentlog.h"
#include "outside/letthrough.h"
#include "outside/pipeline.h"
#include "outside/references.h"
#include "outside/run.h"

struct sync {
	struct run run;
	bool force, named, json, keyframe;
};

static bool is_named(int n_names, char **names, const char *name)
{
	for (int i = 0; i < n_names; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static bool is_due(const struct sync *sync, const struct run_dataset *dataset)
{
	const struct source_state *state = dataset->state;

	if (sync->force || sync->named || sync->keyframe || dataset->source == NULL || state->outcome == STATE_FAILED ||
	    state->checked == 0)
		return true;
	/* Its rows may be the same, and lead nowhere now. */
	if (references_moved(&sync->run, dataset))
		return true;
	/* A steward's change is looked at now; a clock that went back does not put off anything. */
	return !sha256_equal(&state->source_sha256, &dataset->source->sha256) || sync->run.agent.now < state->checked ||
	       sync->run.agent.now - state->checked >= dataset->source->every;
}

/* "37,813": grouped by threes. */
static const char *format_count(uint64_t number, char text[32])
{
	char digits[24];
	size_t n = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, number), used = 0;

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			text[used++] = ',';
		text[used++] = digits[i];
	}
	text[used] = '\0';
	return text;
}

/* What was published, as people compare it: one digest where all came out of one body, how many otherwise. */
static void format_published(const struct state_version *version, char *text, size_t size)
{
	char hex[SHA256_HEX_SIZE];
	size_t n = 0;

	for (size_t i = 0; i < version->n_files; i++) {
		const struct sha256 *published = &version->files[i].published_sha256;
		bool seen = sha256_is_zero(published);

		for (size_t k = 0; k < i && !seen; k++)
			seen = sha256_equal(published, &version->files[k].published_sha256);
		if (seen)
			continue;
		n++;
		sha256_to_hex(published, hex);
	}
	if (n == 1)
		snprintf(text, size, "sha256:%s", hex);
	else
		snprintf(text, size, "%zu files (see datapackage.json)", n);
}

static void print_new(const struct run_dataset *dataset)
{
	const struct state_version *version = dataset->state->pending.exists ? &dataset->state->pending
									     : &dataset->state->published;
	char hex[SHA256_HEX_SIZE], published[128], count[32];
	size_t n_resources = 0;
	uint64_t rows = 0;

	for (size_t i = 0; i < version->n_files; i++) {
		rows += version->files[i].rows;
		n_resources += !sha256_is_zero(&version->files[i].published_sha256);
	}
	sha256_to_hex(&version->version, hex);
	format_published(version, published, sizeof published);
	if (dataset->state->pending.exists && dataset->state->published.exists &&
	    sha256_equal(&dataset->state->pending.version, &dataset->state->published.version)) {
		printf("%s: version %.16s of %.10s, whole again: a new keyframe\n", dataset->name, hex,
		       version->created);
		return;
	}
	printf("%s: new version %.16s of %.10s, %zu resource%s, %s rows; as published %s, as stored sha256:%s\n",
	       dataset->name, hex, version->created, n_resources, n_resources == 1 ? "" : "s",
	       format_count(rows, count), published, hex);
}

static void print_failed(const struct sync *sync, const struct run_dataset *dataset, bool has_report)
{
	const struct state_version *version = &dataset->state->published;
	struct refusal why = dataset->state->why;
	char hex[SHA256_HEX_SIZE];

	refuse_within(&why, "%s", dataset->name);
	log_refusal(&why);
	if (has_report)
		log_info("the report: clapet-outside report %s --html report.html", dataset->name);
	if (sync->json)
		return;
	if (version->exists && !version->withdrawn) {
		sha256_to_hex(&version->version, hex);
		printf("%s: failed; version %.16s of %.10s stays\n", dataset->name, hex, version->created);
	} else {
		printf("%s: failed; nothing was published\n", dataset->name);
	}
}

static void note_fetched(const struct sync *sync, const struct run_dataset *dataset)
{
	const struct state_version *version = &dataset->state->pending;

	for (size_t i = 0; i < version->n_files; i++) {
		const struct state_file *file = &version->files[i];

		if (!sha256_is_zero(&file->published_sha256))
			agent_note(&sync->run.agent, "fetch", dataset->name, &version->version, &file->published_sha256,
				   FAULT_NONE, "%s, as published; %" PRIu64 " rows", file->name, file->rows);
	}
}

/* What passes with its steward's knowledge, and what that steward might look at again. */
static void tell_passed(const struct sync *sync, const struct run_dataset *dataset)
{
	_cleanup_(json_decrefp) json_t *list = letthrough_load(&sync->run.agent, dataset->state);
	char words[300];

	letthrough_print(dataset->name, list);
	if (dataset->source->baseline != NULL &&
	    baseline_has_shrunk(dataset->source->baseline, list, words, sizeof words))
		printf("%s: %s; `clapet-outside baseline %s --reason …` would hold it to that\n", dataset->name, words,
		       dataset->name);
}

static void succeed(struct sync *sync, struct run_dataset *dataset, const struct references *references, bool changed)
{
	bool waits = waiting_find(&sync->run.waiting, dataset->name) != NULL;
	struct source_state *state = dataset->state;

	/* What a run before packed and did not sign is new as well; what waits for a person was told before. */
	dataset->is_new = changed || (state->pending.exists && !waits);
	state->outcome = dataset->is_new ? STATE_NEW : STATE_UNCHANGED;
	state->checked = state->succeeded = sync->run.agent.now;
	state->since = 0;
	memset(&state->why, 0, sizeof state->why);
	state->max_age = dataset->source->max_age;
	state->references = references->digest;
	if (changed)
		note_fetched(sync, dataset);
	if (sync->json)
		return;
	if (dataset->is_new)
		print_new(dataset);
	else
		printf("%s: unchanged%s\n", dataset->name,
		       waits            ? "; its version still waits"
		       : sync->keyframe ? "; it travels whole, and is sent once more"
					: "");
	if (dataset->is_new)
		tell_passed(sync, dataset);
}

static void fail(struct sync *sync, struct run_dataset *dataset, const struct refusal *why)
{
	struct source_state *state = dataset->state;

	/* Once for each reason: a source that is down for a month is one line, not three thousand. */
	if (state->outcome != STATE_FAILED || state->why.fault != why->fault)
		agent_note(&sync->run.agent, "refuse", dataset->name, NULL, NULL, why->fault, "%s", why->line);
	if (state->outcome != STATE_FAILED || state->since == 0)
		state->since = sync->run.agent.now;
	state->outcome = STATE_FAILED;
	state->checked = sync->run.agent.now;
	state->why = *why;
	if (dataset->source != NULL)
		state->max_age = dataset->source->max_age;
	sync->run.exit_status = fault_exit_worse(sync->run.exit_status, fault_exit(why->fault));
	print_failed(sync, dataset,
		     why->fault == FAULT_ROWS || why->fault == FAULT_BASELINE_NEW ||
			     why->fault == FAULT_BASELINE_GROWN || why->fault == FAULT_PERSONAL);
}

/* Against what it refers to: where that moved, the whole check is run again. */
static enum fault run_source(const struct sync *sync, struct run_dataset *dataset, struct references *references,
			     bool *ret_changed, struct refusal *why)
{
	bool moved = references_moved(&sync->run, dataset);

	if (references_find(&sync->run, dataset, references, why) != FAULT_NONE)
		return why->fault;
	if (moved && !sync->json)
		printf("%s: checked again, for what it refers to has a new version\n", dataset->name);
	return pipeline_run(&sync->run.agent, dataset->source, dataset->state, references, sync->force || moved,
			    sync->keyframe, ret_changed, why);
}

/* One source. Only a stop or a state that cannot be saved ends the run. */
static enum fault run_one(struct sync *sync, struct run_dataset *dataset, struct refusal *why)
{
	_cleanup_(references_clear) struct references references = {.items = NULL};
	struct refusal inner = dataset->refusal;
	bool changed = false;
	int r;

	dataset->was_run = true;
	if (dataset->source != NULL)
		run_source(sync, dataset, &references, &changed, &inner);
	if (inner.fault == FAULT_STOPPED) {
		*why = inner;
		return why->fault;
	}
	if (inner.fault == FAULT_NONE)
		succeed(sync, dataset, &references, changed);
	else
		fail(sync, dataset, &inner);
	r = source_state_save(sync->run.agent.state_fd, dataset->state);
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "state/%s: %s", dataset->name, strerror(-r));
	return FAULT_NONE;
}

static enum fault run_all(struct sync *sync, int n_names, char **names, struct refusal *why)
{
	struct run *run = &sync->run;
	_cleanup_free_ size_t *order = references_order(run);

	for (size_t i = 0; i < run->n_datasets; i++) {
		struct run_dataset *dataset = &run->datasets[order[i]];

		if (!dataset->has_folder || (n_names > 0 && !is_named(n_names, names, dataset->name)))
			continue;
		if (agent_must_stop(&run->agent))
			return refuse(why, FAULT_STOPPED, "told to stop before %s", dataset->name);
		if (dataset->state->published.withdrawn && !(sync->named && sync->force)) {
			if (!sync->json)
				printf("%s: withdrawn on %.10s; `sync %s --force` would publish it again\n",
				       dataset->name, dataset->state->published.created, dataset->name);
			continue;
		}
		if (!is_due(sync, dataset)) {
			if (!sync->json)
				printf("%s: not due\n", dataset->name);
			continue;
		}
		if (run_one(sync, dataset, why) != FAULT_NONE)
			return why->fault;
	}
	return FAULT_NONE;
}

static enum fault check_names(const struct run *run, int n_names, char **names, struct refusal *why)
{
	for (int i = 0; i < n_names; i++) {
		const struct run_dataset *dataset = run_find(run, names[i]);

		if (dataset == NULL || !dataset->has_folder)
			return refuse(why, FAULT_NO_SUCH, "there is no %s/%s", run->agent.config->sources, names[i]);
	}
	return FAULT_NONE;
}

static json_t *hash_json(const struct sha256 *sha256)
{
	return sha256_is_zero(sha256) ? json_null() : json_named_hash(sha256);
}

static json_t *dataset_json(const struct run *run, const struct run_dataset *dataset)
{
	const struct source_state *state = dataset->state;
	const struct waiting_item *waiting = waiting_find(&run->waiting, dataset->name);
	json_t *resources = json_array();
	struct refusal waits;
	char code[16];

	for (size_t i = 0; i < state->published.n_files; i++) {
		const struct state_file *file = &state->published.files[i];

		json_array_append_new(resources, json_pack("{s:s, s:I, s:I, s:o, s:o}", "file", file->name, "bytes",
							   (json_int_t)file->length, "rows", (json_int_t)file->rows,
							   "asPublished", hash_json(&file->published_sha256),
							   "asStored", hash_json(&file->sha256)));
	}
	snprintf(code, sizeof code, "E%04u", (unsigned)state->why.fault);
	return json_pack("{s:s, s:s, s:o, s:s?, s:o, s:o, s:s?, s:s?, s:s?}", "dataset", dataset->name, "state",
			 dataset->was_run ? state_outcome_name(state->outcome) : "not due", "version",
			 state->published.exists ? hash_json(&state->published.version) : json_null(), "created",
			 state->published.exists ? state->published.created : NULL, "files", resources, "letThrough",
			 letthrough_load(&run->agent, state), "code", state->outcome == STATE_FAILED ? code : NULL,
			 "why", state->outcome == STATE_FAILED ? state->why.line : NULL, "waits",
			 waiting != NULL && waiting_explain(waiting, &waits) != FAULT_NONE ? waits.line : NULL);
}

static json_t *bundle_json(const struct run *run, const struct publish_bundle *bundle)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", run->agent.config->outbox, bundle->name);

	return json_or_die(json_pack("{s:s, s:I, s:o, s:b}", "path", path, "bytes", (json_int_t)bundle->size, "hash",
				     hash_json(&bundle->sha256), "catalogue", (int)bundle->is_catalogue));
}

/* `bundle` is the first of `bundles`, of which there are seldom more. */
static void print_json(const struct sync *sync)
{
	const struct run *run = &sync->run;
	json_t *datasets = json_array(), *bundles = json_array(), *document;

	for (size_t i = 0; i < run->n_datasets; i++)
		if (run->datasets[i].has_folder)
			json_array_append_new(datasets, dataset_json(run, &run->datasets[i]));
	for (size_t i = 0; i < run->n_bundles; i++)
		json_array_append_new(bundles, bundle_json(run, &run->bundles[i]));
	document = json_or_die(json_pack("{s:s, s:o, s:O, s:o, s:i}", "format", "clapet sync 1", "datasets", datasets,
					 "bundle", json_array_get(bundles, 0), "bundles", bundles, "exit",
					 run->exit_status));
	json_dumpf(document, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(document);
}

static bool anything_new(const struct run *run)
{
	for (size_t i = 0; i < run->n_datasets; i++)
		if (run->datasets[i].is_new ||
		    (run->states[i]->pending.exists && waiting_find(&run->waiting, run->states[i]->name) == NULL))
			return true;
	return false;
}

static enum fault finish(struct sync *sync, struct refusal *why)
{
	bool is_news = anything_new(&sync->run);

	if (run_publish(&sync->run, why) != FAULT_NONE)
		return why->fault;
	if (sync->json) {
		print_json(sync);
		return FAULT_NONE;
	}
	if (!is_news && !sync->keyframe)
		printf("sync: nothing new, a heartbeat\n");
	run_print_bundles(&sync->run);
	return FAULT_NONE;
}

int sync_run(const struct config *config, int n_names, char **names, bool force, bool keyframe, bool json)
{
	struct sync sync = {.force = force, .named = n_names > 0, .json = json, .keyframe = keyframe};
	struct refusal why = {FAULT_NONE, ""};
	int status;

	if (run_open(config, true, &sync.run, &why) != FAULT_NONE) {
		log_refusal(&why);
		return fault_exit(why.fault);
	}
	if (check_names(&sync.run, n_names, names, &why) == FAULT_NONE &&
	    run_all(&sync, n_names, names, &why) == FAULT_NONE)
		finish(&sync, &why);
	if (why.fault != FAULT_NONE)
		log_refusal(&why);
	run_end(&sync.run);
	status = fault_exit_worse(sync.run.exit_status, fault_exit(why.fault));
	run_close(&sync.run);
	return status;
}

int sync_heartbeat(const struct config *config)
{
	struct refusal why = {FAULT_NONE, ""};
	struct run run;
	int status;

	if (run_open(config, true, &run, &why) != FAULT_NONE) {
		log_refusal(&why);
		return fault_exit(why.fault);
	}
	if (run_publish(&run, &why) == FAULT_NONE)
		run_print_bundles(&run);
	else
		log_refusal(&why);
	run_end(&run);
	status = fault_exit_worse(run.exit_status, fault_exit(why.fault));
	run_close(&run);
	return status;
}
