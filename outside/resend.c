/* SPDX-License-Identifier: ISC
 *
 * resend: what the inside says it lacks, once more, in a bundle beside the others. Nothing is signed for it and no state moves: the request is
 * hostile input, and the most it can bring about is that public files are sent again.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/columns.h"
#include "outside/agentlog.h"
#include "outside/exportplan.h"
#include "outside/resendask.h"
#include "outside/resendpart.h"
#include "outside/run.h"

struct resend {
	struct run run;
	struct resendask ask;
	struct publish_signed current;
	struct publish_blobs blobs;
	struct agent_state others; /* roles that stay out of the bundle, as if a catalogue bundle had brought them */
	char *note;
	json_t *bundles;
	bool dry_run, json;
};

static void clear(struct resend *resend)
{
	resendask_clear(&resend->ask);
	publish_signed_clear(&resend->current);
	publish_blobs_clear(&resend->blobs);
	free(resend->others.roles);
	free(resend->note);
	json_decref(resend->bundles);
	run_close(&resend->run);
}

/* Its metadata would be refused as a step back, whatever blobs came with them. */
static enum fault check_versions(const struct resend *resend, struct refusal *why)
{
	const struct resendask *ask = &resend->ask;
	const struct {
		const char *role;
		uint64_t there;
	} tops[] = {{"root", ask->root},
		    {"timestamp", ask->timestamp},
		    {"snapshot", ask->snapshot},
		    {"targets", ask->targets}};

	for (size_t i = 0; i < ARRAY_SIZE(tops); i++) {
		uint64_t here = publish_signed_version(&resend->current, tops[i].role);

		if (tops[i].there > here)
			return refuse(why, FAULT_RESEND_BEHIND,
				      "the inside trusts %s %" PRIu64 ", the newest one here is %" PRIu64, tops[i].role,
				      tops[i].there, here);
	}
	return FAULT_NONE;
}

static void choose_roles(struct resend *resend)
{
	struct agent_state *others = &resend->others;

	others->roles = xcalloc(resend->current.n_files + 1, sizeof *others->roles);
	for (size_t i = 0; i < resend->current.n_files; i++) {
		const struct outside_signed *file = &resend->current.files[i];

		if (!notation_is_name(file->role) || resendask_wants_role(&resend->ask, &resend->run, file->role))
			continue;
		text_copy(others->roles[others->n_roles].name, NOTATION_NAME_SIZE, file->role);
		others->roles[others->n_roles++].version = file->version;
	}
}

/* --- for people and machines ------------------------------------------------------------------------------------------ */

static void format_item(const struct resendask_item *item, char *text, size_t size)
{
	if (item->kind == RESENDASK_BLOB)
		snprintf(text, size, "%.10s%s", item->digits, item->is_covered ? " (in a bundle below)" : "");
	else if (item->kind == RESENDASK_METADATA)
		snprintf(text, size, "metadata");
	else if (item->since == 0)
		snprintf(text, size, "everything");
	else
		snprintf(text, size, "%s %" PRIu64, item->is_added ? "newer than" : "since", item->since);
}

static void print_table(const struct resend *resend)
{
	static const char *const headings[] = {"DATASET", "ASKED FOR", "BLOBS", "BYTES", "NOT HERE"};
	struct columns *table = columns_new(ARRAY_SIZE(headings), headings);

	for (size_t i = 0; i < resend->ask.n_items; i++) {
		const struct resendask_item *item = &resend->ask.items[i];
		char what[64], blobs[32], bytes[32], absent[32];

		format_item(item, what, sizeof what);
		snprintf(blobs, sizeof blobs, "%zu", item->n_blobs);
		notation_format_size(item->bytes, bytes, sizeof bytes);
		snprintf(absent, sizeof absent, "%zu", item->n_absent);
		columns_row(table, (const char *const[]){item->dataset[0] == '\0' ? "all" : item->dataset, what, blobs,
							 bytes, item->n_absent > 0 ? absent : "-"});
	}
	if (resend->ask.n_items > 0)
		columns_print(table, stdout);
	columns_free(table);
	for (size_t i = 0; i < resend->ask.n_parts; i++)
		if (resend->ask.parts[i].name[0] != '\0')
			printf("generations %s of %s %s\n", resend->ask.parts[i].asked.ranges,
			       resend->ask.parts[i].name,
			       resend->dry_run ? "would be sent again" : "are for clapet-send to send again");
}

static json_t *items_json(const struct resend *resend)
{
	json_t *items = json_array();

	for (size_t i = 0; i < resend->ask.n_items; i++) {
		const struct resendask_item *item = &resend->ask.items[i];
		char what[64];

		format_item(item, what, sizeof what);
		json_array_append_new(items, json_pack("{s:s, s:s, s:I, s:I, s:I}", "dataset", item->dataset, "asked",
						       what, "blobs", (json_int_t)item->n_blobs, "bytes",
						       (json_int_t)item->bytes, "absent", (json_int_t)item->n_absent));
	}
	return items;
}

static json_t *parts_json(const struct resend *resend)
{
	json_t *parts = json_array();

	for (size_t i = 0; i < resend->ask.n_parts; i++) {
		const struct resendask_part *part = &resend->ask.parts[i];

		json_array_append_new(parts, json_pack("{s:s, s:s, s:s*}", "asked", part->asked.digest, "generations",
						       part->asked.ranges, "bundle",
						       part->name[0] != '\0' ? part->name : NULL));
	}
	return parts;
}

static void print_json(struct resend *resend, int status)
{
	json_t *document = json_pack("{s:s, s:b, s:o, s:o, s:O, s:i}", "format", "clapet resend 1", "dryRun",
				     (int)resend->dry_run, "asked", items_json(resend), "parts", parts_json(resend),
				     "bundles", resend->bundles, "exit", status);

	if (document == NULL)
		die("out of memory");
	json_dumpf(document, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(document);
}

/* --- the bundles ------------------------------------------------------------------------------------------------------ */

static void tell_dry(struct resend *resend, const struct publish_selection *selection, uint64_t size)
{
	char text[32];

	json_array_append_new(resend->bundles, json_pack("{s:n, s:I, s:I}", "path", "bytes", (json_int_t)size, "blobs",
							 (json_int_t)selection->n_blobs));
	if (resend->json)
		return;
	notation_format_size(size, text, sizeof text);
	printf("would send a bundle of %s (%" PRIu64 " bytes), %zu blob%s; nothing was made\n", text, size,
	       selection->n_blobs, selection->n_blobs == 1 ? "" : "s");
}

static enum fault make_bundle(struct resend *resend, const struct publish_selection *selection, struct refusal *why)
{
	struct run *run = &resend->run;
	_cleanup_free_ char *path = NULL;
	struct publish_bundle bundle;
	int r;

	if (publish_bundle(&run->agent, &resend->current, selection, &bundle, why) != FAULT_NONE)
		return why->fault;
	agent_state_add_bundle(run->agent_state, bundle.name);
	r = agent_state_save(run->agent.state_fd, run->agent_state);
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "state/agent.json: %s", strerror(-r));
	path = xasprintf("%s/%s", run->agent.config->outbox, bundle.name);
	json_array_append_new(resend->bundles, json_pack("{s:s, s:I, s:I}", "path", path, "bytes",
							 (json_int_t)bundle.size, "blobs", (json_int_t)bundle.n_blobs));
	if (!resend->json)
		run_print_bundle(run, &bundle);
	return FAULT_NONE;
}

/* As many bundles as it takes; each has the metadata, so that they may arrive in any order. */
static enum fault make_bundles(struct resend *resend, struct refusal *why)
{
	_cleanup_(exportplan_clear) struct exportplan plan = {.n_volumes = 0};
	struct publish_selection selection = {.folder_fd = resend->run.agent.outbox_fd,
					      .folder = resend->run.agent.config->outbox,
					      .catalogue = &resend->others,
					      .note = resend->note};

	const struct config *config = resend->run.agent.config;
	uint64_t base = publish_bundle_base(&resend->current, &selection);
	uint64_t bound = exportplan_bound(resend->blobs.items, resend->blobs.n_items, base,
					  (uint64_t)config->bundle_size);

	if (exportplan_split(resend->blobs.items, resend->blobs.n_items, base, bound, (size_t)config->bundle_blobs,
			     &plan, why) != FAULT_NONE)
		return why->fault;
	for (size_t i = 0; i < plan.n_volumes; i++) {
		selection.blobs = plan.blobs + plan.first[i];
		selection.n_blobs = plan.first[i + 1] - plan.first[i];
		if (resend->dry_run)
			tell_dry(resend, &selection, plan.sizes[i]);
		else if (make_bundle(resend, &selection, why) != FAULT_NONE)
			return why->fault;
	}
	return FAULT_NONE;
}

/* Whether there is anything to answer with: a dataset's metadata always are, a blob that is not here is not. */
static bool has_answer(const struct resendask *ask, const struct run *run)
{
	for (size_t i = 0; i < ask->n_items; i++) {
		const struct resendask_item *item = &ask->items[i];

		if (item->is_covered)
			continue;
		if (item->n_blobs > 0 || (item->kind != RESENDASK_BLOB &&
					  (item->dataset[0] == '\0' || strcmp(item->dataset, "status") == 0 ||
					   run_find(run, item->dataset) != NULL)))
			return true;
	}
	return false;
}

static void note_request(struct resend *resend)
{
	size_t n_absent = 0;

	for (size_t i = 0; i < resend->ask.n_items; i++)
		n_absent += resend->ask.items[i].n_absent;
	n_absent += resend->ask.n_parts - resendpart_count(&resend->ask);
	if (!resend->dry_run)
		agent_note(&resend->run.agent, "resend", "", NULL, NULL, FAULT_NONE,
			   "a request of timestamp %" PRIu64
			   " asked for %zu things: %zu blobs, %zu bundles in part, %zu "
			   "not here",
			   resend->ask.timestamp, resend->ask.n_items + resend->ask.n_parts, resend->blobs.n_items,
			   resendpart_count(&resend->ask), n_absent);
	if (n_absent > 0)
		resend->run.exit_status = fault_exit_worse(resend->run.exit_status, fault_exit(FAULT_RESEND_ABSENT));
	resend->note = xasprintf("resend for a request of timestamp %" PRIu64, resend->ask.timestamp);
}

static enum fault resend_all(struct resend *resend, struct refusal *why)
{
	struct run *run = &resend->run;

	if (publish_list(&run->agent, &resend->current, why) != FAULT_NONE || check_versions(resend, why) != FAULT_NONE)
		return why->fault;
	if (resend->ask.n_items == 0 && resend->ask.n_parts == 0) {
		if (!resend->json)
			printf("The request asks for nothing: nothing to send.\n");
		return FAULT_NONE;
	}
	resendask_add_newer(&resend->ask, run);
	if (resendpart_find(&resend->ask, &run->agent, why) != FAULT_NONE ||
	    resendask_resolve(&resend->ask, run, &resend->blobs, why) != FAULT_NONE)
		return why->fault;
	note_request(resend);
	if (!resend->json)
		print_table(resend);
	if (!resend->dry_run && resendpart_hand_over(&resend->ask, &run->agent, why) != FAULT_NONE)
		return why->fault;
	if (!has_answer(&resend->ask, run)) {
		if (!resend->json && resendpart_count(&resend->ask) == 0)
			printf("Nothing of it is here: nothing to send.\n");
		return FAULT_NONE;
	}
	choose_roles(resend);
	return make_bundles(resend, why);
}

int resend_run(const struct config *config, const char *path, bool dry_run, bool json)
{
	struct resend resend = {.dry_run = dry_run, .json = json};
	struct refusal why = {FAULT_NONE, ""};
	int status;

	if (resendask_load(path, &resend.ask, &why) != FAULT_NONE ||
	    run_open(config, true, &resend.run, &why) != FAULT_NONE) {
		log_refusal(&why);
		resendask_clear(&resend.ask);
		return fault_exit(why.fault);
	}
	resend.bundles = json_array();
	if (resend_all(&resend, &why) != FAULT_NONE)
		log_refusal(&why);
	run_end(&resend.run);
	status = fault_exit_worse(resend.run.exit_status, fault_exit(why.fault));
	if (json)
		print_json(&resend, status);
	clear(&resend);
	return status;
}
