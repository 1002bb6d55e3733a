/* SPDX-License-Identifier: ISC
 *
 * run_bundles: what a run has to send, in as many bundles as it takes. Each has all the metadata, so that they may arrive in any order; each is
 * remembered before the next begins, so that a run that dies between two of them leaves the rest to the next run.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "outside/exportplan.h"
#include "outside/hashset.h"
#include "outside/keyframe.h"
#include "outside/run.h"

/* --- what was sent --------------------------------------------------------------------------------------------------- */

static bool mark_parts(struct state_part *parts, size_t n_parts, struct hashset *carried)
{
	bool changed = false;

	for (size_t i = 0; i < n_parts; i++) {
		if (parts[i].sent || !hashset_has(carried, &parts[i].sha256))
			continue;
		changed = true;
		parts[i].sent = true;
	}
	return changed;
}

/* The parts of VERSION that a finished bundle CARRIED. */
static bool mark_sent(struct state_version *version, struct hashset *carried, int64_t now)
{
	bool changed = false;

	for (size_t i = 0; i < version->n_files; i++) {
		struct state_file *file = &version->files[i];
		bool own = mark_parts(file->parts, file->n_parts, carried);
		bool base = mark_parts(file->base.parts, file->base.n_parts, carried);

		if (state_file_is_patch(file) ? base : own)
			file->offered_at = now;
		changed |= own || base;
	}
	return changed;
}

static bool was_offered(const struct state_version *version, int64_t now)
{
	for (size_t i = 0; i < version->n_files; i++)
		if (version->files[i].offered_at == now)
			return true;
	return false;
}

static void remember_catalogue(struct agent_state *state, const struct publish_signed *signed_, int64_t now)
{
	free(state->roles);
	state->roles = xcalloc(signed_->n_files + 1, sizeof *state->roles);
	state->n_roles = 0;
	for (size_t i = 0; i < signed_->n_files; i++) {
		if (!notation_is_name(signed_->files[i].role))
			continue;
		text_copy(state->roles[state->n_roles].name, NOTATION_NAME_SIZE, signed_->files[i].role);
		state->roles[state->n_roles++].version = signed_->files[i].version;
	}
	state->catalogue_at = now;
}

static enum fault remember_bundle(struct run *run, const struct publish_signed *signed_,
				  const struct publish_selection *selection, const struct publish_bundle *bundle,
				  struct refusal *why)
{
	_cleanup_(hashset_clear) struct hashset carried = {.n_items = 0};
	int r = 0;

	for (size_t i = 0; i < selection->n_blobs; i++)
		hashset_add(&carried, &selection->blobs[i].sha256);
	for (size_t i = 0; r == 0 && i < run->n_datasets; i++)
		if (mark_sent(&run->states[i]->published, &carried, run->agent.now) ||
		    (bundle->n_offered > 0 && was_offered(&run->states[i]->published, run->agent.now)))
			r = source_state_save(run->agent.state_fd, run->states[i]);
	mark_sent(&run->agent_state->status, &carried, run->agent.now);
	if (bundle->is_catalogue)
		remember_catalogue(run->agent_state, signed_, run->agent.now);
	run->agent_state->bundled_timestamp = signed_->timestamp_version;
	agent_state_add_bundle(run->agent_state, bundle->name);
	if (r == 0)
		r = agent_state_save(run->agent.state_fd, run->agent_state);
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "state: %s", strerror(-r));
	run->bundles = xrealloc(run->bundles, run->n_bundles + 1, sizeof *run->bundles);
	run->bundles[run->n_bundles++] = *bundle;
	return FAULT_NONE;
}

static bool is_catalogue_due(const struct run *run)
{
	int64_t at = run->agent_state->catalogue_at;

	return at == 0 || run->agent.now < at || run->agent.now - at >= run->agent.config->catalogue_every;
}

/* --- what is to be sent ---------------------------------------------------------------------------------------------- */

/* Nothing but the signed status.json, which is of no dataset. */
static bool is_idle(const struct publish_blobs *blobs)
{
	for (size_t i = 0; i < blobs->n_items; i++)
		if (blobs->items[i].dataset[0] != '\0')
			return false;
	return true;
}

/* What was not sent, or, where there is none, keyframes once more: what was lost of them is then no longer missing. Returns how many. */
static size_t choose_blobs(struct run *run, struct publish_blobs *blobs)
{
	const struct config *config = run->agent.config;
	size_t n;

	publish_choose_unsent(run->agent_state, run->states, run->n_datasets, blobs);
	if (!is_idle(blobs))
		return 0;
	n = keyframe_choose_offers(run->states, run->n_datasets, run->agent.now, config->catalogue_every,
				   (uint64_t)config->carousel, blobs);
	publish_blobs_once(blobs);
	return n;
}

/* A keyframe that is offered again counts as offered from the first bundle on. */
static enum fault make_bundles(struct run *run, const struct publish_signed *signed_, const struct exportplan *plan,
			       struct publish_selection *selection, size_t n_offered, struct refusal *why)
{
	for (size_t i = 0; i < plan->n_volumes; i++) {
		struct publish_bundle bundle;

		selection->blobs = plan->blobs + plan->first[i];
		selection->n_blobs = plan->first[i + 1] - plan->first[i];
		if (publish_bundle(&run->agent, signed_, selection, &bundle, why) != FAULT_NONE)
			return why->fault;
		bundle.n_offered = n_offered;
		if (remember_bundle(run, signed_, selection, &bundle, why) != FAULT_NONE)
			return why->fault;
	}
	return FAULT_NONE;
}

enum fault run_bundle(struct run *run, const struct publish_signed *signed_, struct refusal *why)
{
	_cleanup_(publish_blobs_clear) struct publish_blobs unsent = {.n_items = 0};
	_cleanup_(exportplan_clear) struct exportplan plan = {.n_volumes = 0};
	const struct config *config = run->agent.config;
	struct publish_selection selection = {.folder_fd = run->agent.outbox_fd, .folder = config->outbox};
	size_t n_offered = choose_blobs(run, &unsent);
	uint64_t base, bound;

	selection.catalogue = is_catalogue_due(run) ? NULL : run->agent_state;
	base = publish_bundle_base(signed_, &selection);
	bound = exportplan_bound(unsent.items, unsent.n_items, base, (uint64_t)config->bundle_size);
	if (exportplan_split(unsent.items, unsent.n_items, base, bound, (size_t)config->bundle_blobs, &plan, why) !=
	    FAULT_NONE)
		return why->fault;
	return make_bundles(run, signed_, &plan, &selection, n_offered, why);
}

/* --- for people ------------------------------------------------------------------------------------------------------ */

void run_print_bundle(const struct run *run, const struct publish_bundle *bundle)
{
	char size[32];

	notation_format_size(bundle->size, size, sizeof size);
	printf("bundle %s/%s: %s, %zu metadata, %zu blob%s%s%s\n", run->agent.config->outbox, bundle->name, size,
	       bundle->n_metadata, bundle->n_blobs, bundle->n_blobs == 1 ? "" : "s",
	       bundle->is_catalogue ? "; a catalogue bundle" : "",
	       bundle->n_offered > 0 ? "; keyframes once more" : "");
}

void run_print_bundles(const struct run *run)
{
	for (size_t i = 0; i < run->n_bundles; i++)
		run_print_bundle(run, &run->bundles[i]);
}
