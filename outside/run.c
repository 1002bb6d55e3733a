/* SPDX-License-Identifier: ISC
 *
 * run: loads what there is, and ends every run the same way. The order of the end is the order of truth: signed, then
 * remembered as published, then bundled, then remembered as sent; a run that dies between two of them is completed by the next.
 */
#include "outside/run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/notation.h"
#include "outside/agentlog.h"
#include "outside/prune.h"
#include "outside/references.h"

static int compare_datasets(const void *a, const void *b)
{
	return strcmp(((const struct run_dataset *)a)->name, ((const struct run_dataset *)b)->name);
}

struct run_dataset *run_find(const struct run *run, const char *name)
{
	for (size_t i = 0; i < run->n_datasets; i++)
		if (strcmp(run->datasets[i].name, name) == 0)
			return &run->datasets[i];
	return NULL;
}

static void complain(struct run *run, const struct refusal *why)
{
	log_refusal(why);
	run->exit_status = fault_exit_worse(run->exit_status, fault_exit(why->fault));
}

static struct run_dataset *add_dataset(struct run *run, const char *name)
{
	struct run_dataset *dataset = run_find(run, name);

	if (dataset != NULL)
		return dataset;
	run->datasets = xrealloc(run->datasets, run->n_datasets + 1, sizeof *run->datasets);
	dataset = &run->datasets[run->n_datasets++];
	memset(dataset, 0, sizeof *dataset);
	text_copy(dataset->name, sizeof dataset->name, name);
	return dataset;
}

/* Every folder of FOLDER_FD whose name a dataset may have; others are said to be none. */
static enum fault list_datasets(struct run *run, int folder_fd, bool are_sources, struct refusal *why)
{
	char **names = NULL;
	size_t n = 0;
	int r = source_list(folder_fd, &names, &n);

	if (r < 0)
		return refuse(why, FAULT_FILE, "%s: %s",
			      are_sources ? run->agent.config->sources : run->agent.config->state, strerror(-r));
	for (size_t i = 0; i < n; i++) {
		struct refusal inner;

		if (notation_is_name(names[i])) {
			add_dataset(run, names[i])->has_folder |= are_sources;
		} else if (are_sources) {
			refuse(&inner, FAULT_SOURCE,
			       "sources/%s: no name for a dataset ([a-z0-9][a-z0-9_-]{0,62}, not a reserved one)",
			       names[i]);
			complain(run, &inner);
		}
	}
	source_list_free(names, n);
	if (run->n_datasets > LIMIT_ROLES - 1)
		return refuse(why, FAULT_SOURCE, "%zu datasets, at most %d (bundle/limits.h LIMIT_ROLES)",
			      run->n_datasets, LIMIT_ROLES - 1);
	return FAULT_NONE;
}

static enum fault load_datasets(struct run *run, struct refusal *why)
{
	if (list_datasets(run, run->agent.sources_fd, true, why) != FAULT_NONE ||
	    list_datasets(run, run->agent.state_fd, false, why) != FAULT_NONE ||
	    waiting_load(run->agent.state_fd, &run->waiting, why) != FAULT_NONE ||
	    recovery_load(run->agent.state_fd, &run->recovery, why) != FAULT_NONE)
		return why->fault;
	/* One that is known inside alone can be withdrawn. */
	for (size_t i = 0; i < run->recovery.n_floors; i++)
		if (notation_is_name(run->recovery.floors[i].role))
			add_dataset(run, run->recovery.floors[i].role);
	if (run->n_datasets > 0)
		qsort(run->datasets, run->n_datasets, sizeof *run->datasets, compare_datasets);
	run->states = xcalloc(run->n_datasets + 1, sizeof(struct source_state *));
	for (size_t i = 0; i < run->n_datasets; i++) {
		struct run_dataset *dataset = &run->datasets[i];

		/* What was published is not known without it: better stop than sign something else. */
		if (source_state_load(run->agent.state_fd, dataset->name, &dataset->state, why) != FAULT_NONE)
			return why->fault;
		run->states[i] = dataset->state;
		if (dataset->has_folder)
			source_load(run->agent.sources_fd, dataset->name, run->agent.config, &dataset->source,
				    &dataset->refusal);
	}
	references_refuse_cycles(run);
	return agent_state_load(run->agent.state_fd, &run->agent_state, why);
}

enum fault run_open(const struct config *config, bool lock, struct run *ret_run, struct refusal *why)
{
	struct run run = {.exit_status = 0};

	if (agent_open(config, lock, &run.agent, why) != FAULT_NONE)
		return why->fault;
	if (load_datasets(&run, why) != FAULT_NONE) {
		run_close(&run);
		return why->fault;
	}
	*ret_run = run;
	return FAULT_NONE;
}

void run_close(struct run *run)
{
	for (size_t i = 0; i < run->n_datasets; i++) {
		source_free(run->datasets[i].source);
		source_state_free(run->datasets[i].state);
	}
	free(run->datasets);
	free(run->states);
	free(run->bundles);
	agent_state_free(run->agent_state);
	waiting_clear(&run->waiting);
	recovery_clear(&run->recovery);
	agent_close(&run->agent);
	memset(run, 0, sizeof *run);
}

/* --- the end of a run --- */

static enum fault storage(const char *what, int r, struct refusal *why)
{
	return refuse(why, FAULT_STORAGE, "%s: %s", what, strerror(-r));
}

/* A new status.json as a version of one file, packed and in its place. */
static enum fault make_status(struct run *run, struct state_version *version, struct refusal *why)
{
	_cleanup_free_ char *text = status_compose(run);
	struct state_file *file = state_version_add(version, "status.json");
	_cleanup_close_ int fd = -1;
	int r = fd_put_durable(run->agent.state_fd, "status.json", text, strlen(text), 0640);

	if (r < 0)
		return storage("state/status.json", r, why);
	fd = fd_open_beneath(run->agent.state_fd, "status.json", O_RDONLY, 0);
	if (fd < 0)
		return storage("state/status.json", fd, why);
	version->exists = true;
	notation_format_time(run->agent.now, version->created);
	file->length = strlen(text);
	hash_bytes(text, strlen(text), &file->sha256);
	if (publish_pack(&run->agent, "status", fd, file, why) != FAULT_NONE)
		return why->fault;
	return publish_target(&run->agent, NULL, run->agent.state_fd, "status.json", file, why);
}

static void note_published(const struct run *run, const struct source_state *state)
{
	const struct state_version *version = &state->pending;

	if (version->withdrawn)
		agent_note(&run->agent, "withdraw", state->name, NULL, NULL, FAULT_NONE,
			   "withdrawn, and signed as such");
	else
		agent_note(&run->agent, "publish", state->name, &version->version, &version->version, FAULT_NONE,
			   "version of %.10s is signed", version->created);
}

static enum fault remember_signed(struct run *run, const struct publish_signed *signed_, struct refusal *why)
{
	for (size_t i = 0; i < run->n_datasets; i++) {
		int r;

		if (!run->states[i]->pending.exists || publish_waiting(signed_, run->states[i]->name) != NULL)
			continue;
		note_published(run, run->states[i]);
		source_state_publish(run->states[i], signed_->timestamp_version, run->agent.now);
		r = source_state_save(run->agent.state_fd, run->states[i]);
		if (r < 0)
			return storage("state", r, why);
	}
	return FAULT_NONE;
}

/* What waits for a person is said at every run, until somebody acts. */
static enum fault remember_waiting(struct run *run, const struct publish_signed *signed_, struct refusal *why)
{
	int r;

	waiting_update(&run->waiting, signed_, run->agent.now);
	for (size_t i = 0; i < run->waiting.n_items; i++) {
		struct refusal inner;

		waiting_explain(&run->waiting.items[i], &inner);
		complain(run, &inner);
	}
	r = waiting_save(run->agent.state_fd, &run->waiting);
	return r < 0 ? storage("state/waiting.json", r, why) : FAULT_NONE;
}

/* --- after a backup -------------------------------------------------------------------------------------------------- */

/* Old data under a new version would come in force inside as if they were the newest. */
static enum fault check_recovery(const struct run *run, struct refusal *why)
{
	const struct recovery *recovery = &run->recovery;
	char at[40];

	for (size_t i = 0; i < recovery->n_floors && !recovery->old_data; i++) {
		const struct run_dataset *dataset = run_find(run, recovery->floors[i].role);

		if (dataset == NULL || !dataset->has_folder || dataset->state->published.withdrawn ||
		    dataset->state->succeeded >= recovery->at)
			continue;
		notation_format_local(recovery->at, at, sizeof at);
		return refuse(why, FAULT_RECOVER_SYNC, "%s was not looked at since the recovery of %s", dataset->name,
			      at);
	}
	return FAULT_NONE;
}

static enum fault remember_recovery(struct run *run, const struct publish_signed *signed_, struct refusal *why)
{
	int r;

	if (!recovery_pass(&run->recovery, signed_))
		return FAULT_NONE;
	r = recovery_save(run->agent.state_fd, &run->recovery);
	if (r < 0)
		return storage("state/recovery.json", r, why);
	if (run->recovery.n_floors == 0)
		log_info("the recovery is complete: everything is signed above what the inside trusted");
	return FAULT_NONE;
}

static enum fault sign(struct run *run, const struct state_version *status, struct publish_signed *signed_,
		       struct refusal *why)
{
	const struct publish_orders orders = {.floors = run->recovery.floors,
					      .n_floors = run->recovery.n_floors,
					      .cosignatures = run->cosignatures,
					      .n_cosignatures = run->n_cosignatures};

	if (publish_sign(&run->agent, run->states, run->n_datasets, status, &orders, signed_, why) != FAULT_NONE) {
		struct refusal ignored = {FAULT_NONE, ""};

		if (signed_->n_waiting > 0)
			remember_waiting(run, signed_, &ignored);
		return why->fault;
	}
	if (remember_signed(run, signed_, why) != FAULT_NONE || remember_waiting(run, signed_, why) != FAULT_NONE)
		return why->fault;
	return remember_recovery(run, signed_, why);
}

enum fault run_publish(struct run *run, struct refusal *why)
{
	_cleanup_(state_version_clear) struct state_version old = {.exists = false}, status = {.exists = false};
	_cleanup_(publish_signed_clear) struct publish_signed signed_ = {.n_files = 0};

	if (check_recovery(run, why) != FAULT_NONE ||
	    publish_attest(&run->agent, run->states, run->n_datasets, why) != FAULT_NONE ||
	    make_status(run, &status, why) != FAULT_NONE || sign(run, &status, &signed_, why) != FAULT_NONE)
		return why->fault;
	if (publish_waiting(&signed_, "status") == NULL) {
		old = run->agent_state->status;
		run->agent_state->status = status;
		memset(&status, 0, sizeof status);
	}
	if (run_bundle(run, &signed_, why) != FAULT_NONE)
		return why->fault;
	if (old.exists && old.n_files == 1 &&
	    !sha256_equal(&old.files[0].sha256, &run->agent_state->status.files[0].sha256))
		publish_remove_target(&run->agent, NULL, &old.files[0]);
	prune_daily(run);
	return FAULT_NONE;
}

void run_end(struct run *run)
{
	struct refusal why = {FAULT_NONE, ""};

	if (agent_log(&run->agent, &why) != FAULT_NONE)
		complain(run, &why);
}
