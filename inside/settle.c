/* SPDX-License-Identifier: ISC
 *
 * settle: views of every dataset, the versions that must be judged, and one commit.
 *
 * Order in the commit, each step durable before the next: mirror metadata, blobs, objects, versions, verdicts; trust in the
 * order of the TUF workflow (root chain, timestamp, snapshot, targets, roles: 1.0.34, 5.3.8, 5.4.5, 5.5.7, 5.6.6); generation; switch;
 * status. The workflow's own order is the one that every TUF client must survive being cut in: a timestamp without its
 * snapshot is what a client holds between 5.4.5 and 5.5.7, and the bundle, which is still in incoming/, brings the rest at the
 * next run. Timestamp last would leave a new snapshot beside an old timestamp, a state that no client ever writes.
 */
#include "inside/settle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "inside/hooks.h"
#include "inside/settle_rows.h"
#include "inside/status.h"

static void view_clear(struct dataset_view *view)
{
	break_list_clear(&view->breaks);
	json_decref(view->waivers);
	free(view->missing);
	verdict_free(view->verdict);
	verdict_free(view->current);
	free(view->others);
}

void settlement_free(struct settlement *settlement)
{
	if (settlement == NULL)
		return;
	for (size_t i = 0; i < settlement->n_views; i++)
		view_clear(&settlement->views[i]);
	for (size_t i = 0; i < settlement->n_judgements; i++)
		judgement_clear(&settlement->judgements[i]);
	free(settlement->views);
	free(settlement->judgements);
	free(settlement->rows);
	generation_clear(&settlement->generation);
	generation_clear(&settlement->before);
	generation_clear(&settlement->wanted);
	json_decref(settlement->old_status);
	free(settlement);
}

void settlement_freep(struct settlement **settlement)
{
	settlement_free(*settlement);
}

const struct dataset_view *settlement_view(const struct settlement *settlement, const char *name)
{
	for (size_t i = 0; i < settlement->n_views; i++)
		if (strcmp(settlement->views[i].name, name) == 0)
			return &settlement->views[i];
	return NULL;
}

/* --- views ----------------------------------------------------------------------------------------------------------- */

static void add_view(struct settlement *settlement, const char *name, const struct catalogue_role *role)
{
	const struct generation_entry *entry = generation_entry(&settlement->before, name);
	struct dataset_view *view;

	settlement->views = xrealloc(settlement->views, settlement->n_views + 1, sizeof(*view));
	view = &settlement->views[settlement->n_views++];
	memset(view, 0, sizeof(*view));
	snprintf(view->name, sizeof(view->name), "%s", name);
	view->role = role;
	if (entry != NULL)
		memcpy(view->in_force, entry->version, sizeof(view->in_force));
	if (role != NULL && role->record.fault == FAULT_NONE && !sha256_is_zero(&role->record.version))
		store_version_name(&role->record.version, view->trusted);
}

static int compare_views(const void *a, const void *b)
{
	return strcmp(((const struct dataset_view *)a)->name, ((const struct dataset_view *)b)->name);
}

static void make_views(struct settlement *settlement, const struct catalogue *catalogue)
{
	for (size_t i = 0; i < catalogue->n_roles; i++)
		if (strcmp(catalogue->roles[i].record.name, "status") != 0)
			add_view(settlement, catalogue->roles[i].record.name, &catalogue->roles[i]);
	for (size_t i = 0; i < settlement->before.n_entries; i++)
		if (catalogue_role(catalogue, settlement->before.entries[i].name) == NULL)
			add_view(settlement, settlement->before.entries[i].name, NULL);
	if (settlement->n_views > 1)
		qsort(settlement->views, settlement->n_views, sizeof(*settlement->views), compare_views);
}

/* --- judging --------------------------------------------------------------------------------------------------------- */

/* The verdict that stands, unless it was given under other circumstances. */
static bool has_standing_verdict(const struct inside *inside, struct dataset_view *view)
{
	const struct sha256 *version = &view->role->record.version;
	struct sha256 digest;

	if (generation_load_verdict(inside->store_fd, view->name, version, &view->verdict, NULL) != FAULT_NONE)
		return false;
	judge_with(inside, view->name, version, view->in_force, &digest);
	/* A good verdict counts only beside its version: that may have been swept away, or never have got there. */
	if (sha256_equal(&digest, &view->verdict->judged_with) &&
	    (view->verdict->end.fault != FAULT_NONE || store_has_version(inside->store_fd, view->name, view->trusted)))
		return true;
	verdict_free(view->verdict);
	view->verdict = NULL;
	return false;
}

/* A copy for the view: the judgement keeps its own until the commit. */
static struct verdict *copy_verdict(const struct verdict *verdict)
{
	struct verdict *copy = verdict_new(verdict->dataset, &verdict->version);
	struct record record;

	copy->judged_with = verdict->judged_with;
	copy->end = verdict->end;
	copy->facts = verdict->facts;
	for (size_t i = 0; i < verdict->n_licences; i++) {
		record = record_new(RECORD_LICENCE);
		record.licence = verdict->licences[i];
		verdict_add(copy, &record);
	}
	for (size_t i = 0; i < verdict->n_resources; i++) {
		record = record_new(RECORD_RESOURCE);
		record.resource = verdict->resources[i];
		verdict_add(copy, &record);
	}
	for (size_t i = 0; i < verdict->n_tolerated; i++) {
		record = record_new(RECORD_TOLERATED);
		record.tolerated = verdict->tolerated[i];
		verdict_add(copy, &record);
	}
	for (size_t i = 0; i < verdict->breaks.n_items; i++)
		break_list_add(&copy->breaks, &verdict->breaks.items[i]);
	for (size_t i = 0; i < verdict->n_references; i++) {
		record = record_new(RECORD_REFERS);
		record.refers = verdict->references[i];
		verdict_add(copy, &record);
	}
	for (size_t i = 0; i < verdict->n_blobs; i++)
		verdict_add_blob(copy, &verdict->blobs[i]);
	return copy;
}

/* Takes JUDGEMENT over: on VIEW's trusted version, or its withdrawal. */
static void keep_judgement(struct settlement *settlement, struct dataset_view *view, const struct judgement *judgement)
{
	view->was_judged = true;
	view->verdict = copy_verdict(judgement->verdict);
	settlement->judgements = xrealloc(settlement->judgements, settlement->n_judgements + 1, sizeof(*judgement));
	settlement->judgements[settlement->n_judgements++] = *judgement;
}

/* A base in the store is not what it was. The version does not suffer: the base is decoded anew from the mirror's blobs, and takes the
 * damaged object's place; or these are asked for. */
static enum fault judge_anew(struct inside *inside, const struct spool *spool, struct dataset_view *view,
			     struct judgement *ret_judgement, struct refusal *why)
{
	log_refusal(why);
	inside_event(inside, "alarm", view->name, why->fault, "%s", why->line);
	settle_find_missing(inside, spool, view->role, BASES_ANEW, view);
	if (view->n_missing > 0)
		return why->fault;
	return judge_version(inside, spool, view->role, view->in_force, BASES_ANEW, ret_judgement, why);
}

static void judge_view(struct inside *inside, const struct spool *spool, struct settlement *settlement,
		       struct dataset_view *view)
{
	struct judgement judgement;
	struct refusal why = {0};
	enum fault fault = judge_version(inside, spool, view->role, view->in_force, BASES_OF_STORE, &judgement, &why);

	if (fault == FAULT_BASE_DAMAGED)
		fault = judge_anew(inside, spool, view, &judgement, &why);
	if (fault == FAULT_NONE) {
		keep_judgement(settlement, view, &judgement);
	} else if (view->n_missing == 0) {
		view->state = DATASET_TROUBLE;
		view->why = why;
	}
}

/* Why the publisher withdrew it: withdrawn.json, read by inside-check like all that comes from outside; its verdict is kept. The
 * withdrawal itself is the role's, and does not wait for its reason. */
static void consider_withdrawal(struct inside *inside, const struct spool *spool, struct settlement *settlement,
				struct dataset_view *view)
{
	struct catalogue_role one = *view->role;
	struct judgement judgement;
	struct refusal why = {0};
	bool is_here;

	if (one.n_targets != 1)
		return;
	one.record.version = one.targets[0].record.sha256;
	if (generation_load_verdict(inside->store_fd, view->name, &one.record.version, &view->verdict, NULL) ==
	    FAULT_NONE)
		return;
	settle_find_missing(inside, spool, &one, BASES_OF_STORE, view);
	is_here = view->n_missing == 0;
	view->n_missing = 0;
	if (!is_here)
		return;
	if (judge_version(inside, spool, &one, "", BASES_OF_STORE, &judgement, &why) != FAULT_NONE) {
		view->state = DATASET_TROUBLE;
		view->why = why;
		return;
	}
	judgement.role = view->role;
	keep_judgement(settlement, view, &judgement);
}

static void consider(struct inside *inside, const struct spool *spool, struct settlement *settlement,
		     struct dataset_view *view)
{
	const struct record_role *role = view->role == NULL ? NULL : &view->role->record;

	if (role != NULL && role->fault == FAULT_TUF_ABSENT && role->file_name[0] != '\0')
		settle_add_missing(view, role->file_name, false, role->metadata_size);
	if (role != NULL && role->fault == FAULT_NONE && role->is_withdrawn)
		consider_withdrawal(inside, spool, settlement, view);
	if (view->trusted[0] != '\0' && strcmp(view->trusted, view->in_force) != 0 &&
	    !has_standing_verdict(inside, view)) {
		settle_find_missing(inside, spool, view->role, BASES_OF_STORE, view);
		view->must_judge = view->n_missing == 0;
	}
}

static void judge_views(struct inside *inside, const struct spool *spool, struct settlement *settlement)
{
	size_t n_left = 0;

	for (size_t i = 0; i < settlement->n_views; i++)
		n_left += settlement->views[i].must_judge;
	for (size_t i = 0; n_left > 0; i++) {
		if (!settlement->views[i].must_judge)
			continue;
		inside->n_checks_ahead = --n_left;
		judge_view(inside, spool, settlement, &settlement->views[i]);
	}
	crew_drop_spare(inside);
}

/* Against what the last settling wrote: people are told what moved, not what stands where it stood. */
static void mark_new(const struct settlement *settlement, struct dataset_view *view)
{
	const json_t *datasets = json_object_get(settlement->old_status, "datasets");
	char text[RECORD_LINE_SIZE], code[16] = "";

	view->is_new = view->was_judged || view->state != DATASET_IN_FORCE;
	if (view->why.fault != FAULT_NONE)
		snprintf(code, sizeof(code), "E%04d", view->why.fault);
	for (size_t i = 0; i < json_array_size(datasets); i++) {
		const json_t *old = json_array_get(datasets, i);

		if (strcmp(status_text(old, "name", text, sizeof(text)), view->name) != 0)
			continue;
		view->is_new = view->was_judged ||
			       strcmp(status_text(old, "state", text, sizeof(text)), dataset_state_name(view->state)) !=
				       0 ||
			       strcmp(status_text(old, "trusted", text, sizeof(text)), view->trusted) != 0 ||
			       strcmp(status_text(old, "fault", text, sizeof(text)), code) != 0;
	}
}

/* The signed status.json travels like a dataset of one file; nobody holds it. */
static void consider_status(struct inside *inside, const struct spool *spool, const struct catalogue *catalogue,
			    struct settlement *settlement)
{
	const struct catalogue_role *role = catalogue_role(catalogue, "status");
	struct dataset_view probe = {.state = DATASET_IN_FORCE};
	struct catalogue_role one;
	struct judgement judgement;
	char version[STORE_VERSION_SIZE];

	if (role == NULL || role->record.fault != FAULT_NONE || role->n_targets != 1)
		return;
	one = *role;
	one.record.version = role->targets[0].record.sha256;
	store_version_name(&one.record.version, version);
	if (store_has_version(inside->store_fd, "status", version))
		return;
	settle_find_missing(inside, spool, &one, BASES_OF_STORE, &probe);
	if (probe.n_missing == 0 &&
	    judge_version(inside, spool, &one, "", BASES_OF_STORE, &judgement, &settlement->status_why) == FAULT_NONE) {
		judgement.role = role;
		settlement->status_why = judgement.verdict->end;
		settlement->judgements = xrealloc(settlement->judgements, settlement->n_judgements + 1,
						  sizeof(judgement));
		settlement->judgements[settlement->n_judgements++] = judgement;
	}
	view_clear(&probe);
}

/* --- the set that the views ask for ------------------------------------------------------------------------------------ */

static void want(struct settlement *settlement)
{
	generation_copy(&settlement->before, &settlement->wanted);
	for (size_t i = 0; i < settlement->n_views; i++) {
		struct dataset_view *view = &settlement->views[i];

		if (view->state == DATASET_WITHDRAWN)
			generation_remove(&settlement->wanted, view->name);
		if (view->state != DATASET_IN_FORCE || view->trusted[0] == '\0' ||
		    strcmp(view->trusted, view->in_force) == 0)
			continue;
		generation_set(&settlement->wanted, view->name, view->trusted,
			       generation_entry_json(view->verdict, json_incref(view->waivers)));
	}
}

/* --- the commit ------------------------------------------------------------------------------------------------------ */

static void put_metadata(const struct catalogue *catalogue, enum record_kind kind, struct commit *commit)
{
	for (size_t i = 0; i < catalogue->n_accepted; i++) {
		const struct record_metadata *metadata = &catalogue->accepted[i];
		struct record record = record_new(kind);

		memcpy(record.put.file, metadata->name, sizeof(record.put.file));
		record.put.sha256 = metadata->sha256;
		record.put.size = metadata->size;
		commit_order(commit, &record, -1);
	}
}

/* Of this bundle's blobs those that something trusted names, wanted now or not: the mirror is the auditor's. */
static void put_blobs(const struct inside *inside, const struct spool *spool, const struct catalogue *catalogue,
		      struct settlement *settlement, struct commit *commit)
{
	for (size_t i = 0; spool != NULL && i < spool->n_members; i++) {
		const struct record_member *member = &spool->members[i];
		struct record record = record_new(RECORD_PUT_BLOB);

		if (!member->is_blob || !catalogue_names_blob(catalogue, &member->sha256) ||
		    store_has_blob(inside->store_fd, &member->sha256))
			continue;
		record.put.sha256 = member->sha256;
		record.put.size = member->size;
		commit_order(commit, &record, -1);
		settlement->n_wanted_blobs++;
	}
}

static struct record put_of(enum record_kind kind, const struct judgement *judgement,
			    const struct record_target *target)
{
	struct record record = record_new(kind);

	memcpy(record.put.dataset, judgement->role->record.name, sizeof(record.put.dataset));
	memcpy(record.put.file, target->file, sizeof(record.put.file));
	record.put.version = judgement->verdict->version;
	record.put.sha256 = target->sha256;
	record.put.size = target->length;
	return record;
}

/* The digests of all plain files that were decoded, sorted. Two datasets may publish the same bytes. */
static struct sha256 *list_plains(const struct settlement *settlement, size_t *ret_n)
{
	struct sha256 *plains = xmalloc(sizeof(*plains));
	size_t n = 0;

	for (size_t i = 0; i < settlement->n_judgements; i++) {
		const struct judgement *judgement = &settlement->judgements[i];

		plains = xrealloc(plains, n + judgement->n_plains + judgement->n_bases + 1, sizeof(*plains));
		for (size_t j = 0; j < judgement->n_plains; j++)
			plains[n++] = judgement->plains[j].sha256;
		for (size_t j = 0; j < judgement->n_bases; j++)
			plains[n++] = judgement->bases[j].sha256;
	}
	qsort(plains, n, sizeof(*plains), sha256_compare);
	*ret_n = n;
	return plains;
}

static bool is_shared(const struct sha256 *plains, size_t n, const struct sha256 *sha256)
{
	const struct sha256 *found = bsearch(sha256, plains, n, sizeof(*plains), sha256_compare);

	return found != NULL && ((found > plains && sha256_equal(found - 1, sha256)) ||
				 (found + 1 < plains + n && sha256_equal(found + 1, sha256)));
}

/* The plain files, and the bases that were decoded: what the next patch is against, too. Where such an object stands it is damaged, and is mended. */
static void put_objects(const struct judgement *judgement, const struct sha256 *plains, size_t n_plains,
			struct commit *commit)
{
	for (size_t i = 0; i < judgement->n_plains + judgement->n_bases; i++) {
		bool is_base = i >= judgement->n_plains;
		const struct record_target *target = is_base ? &judgement->bases[i - judgement->n_plains]
							     : &judgement->plains[i];
		struct record record = put_of(RECORD_PUT_OBJECT, judgement, target);

		record.put.is_shared = is_shared(plains, n_plains, &record.put.sha256);
		commit_order(commit, &record, -1);
	}
}

static void put_judgement(const struct inside *inside, const struct judgement *judgement, const struct sha256 *plains,
			  size_t n_plains, struct commit *commit)
{
	const struct verdict *verdict = judgement->verdict;
	bool is_status = strcmp(judgement->role->record.name, "status") == 0;
	/* No version: its verdict is kept, and the reason itself, which a stock client finds in the mirror. */
	bool is_withdrawal = judgement->role->record.is_withdrawn;
	struct record report = record_new(RECORD_PUT_DOCUMENT);
	char version[STORE_VERSION_SIZE];

	store_version_name(&verdict->version, version);
	if (verdict->end.fault == FAULT_NONE)
		put_objects(judgement, plains, n_plains, commit);
	if (!is_status) {
		commit_document(commit, DOCUMENT_VERDICT, verdict->dataset, &verdict->version,
				verdict_to_json(verdict));
		memcpy(report.document.dataset, verdict->dataset, sizeof(report.document.dataset));
		report.document.document = DOCUMENT_REPORT;
		report.document.version = verdict->version;
		report.document.size = judgement->report_size;
		if (judgement->report_size > 0 && (verdict->end.fault != FAULT_NONE || verdict->breaks.n_items > 0))
			commit_order(commit, &report, judgement->report_fd);
	} else if (verdict->end.fault == FAULT_NONE) {
		commit_document(commit, DOCUMENT_SOURCES, NULL, NULL,
				status_sources_to_json(judgement->sources, judgement->n_sources));
	}
	if (verdict->end.fault == FAULT_NONE && !is_status && !is_withdrawal)
		settle_put_history(inside, judgement, commit);
	if (verdict->end.fault != FAULT_NONE || is_withdrawal ||
	    store_has_version(inside->store_fd, judgement->role->record.name, version))
		return;
	for (size_t i = 0; i < judgement->role->n_targets; i++) {
		struct record record = put_of(RECORD_PUT_LINK, judgement, &judgement->role->targets[i].record);

		commit_order(commit, &record, -1);
	}
}

/* What was found out of keys that lead from one dataset to another, beside the rest that is known of the version. */
static void put_view(const struct inside *inside, const struct dataset_view *view, struct commit *commit)
{
	const struct verdict *verdicts[] = {view->has_resolved ? view->verdict : NULL,
					    view->current_has_resolved ? view->current : NULL};

	for (size_t i = 0; i < 2; i++) {
		if (verdicts[i] != NULL)
			commit_document(commit, DOCUMENT_VERDICT, verdicts[i]->dataset, &verdicts[i]->version,
					verdict_to_json(verdicts[i]));
	}
	settle_put_lacking_history(inside, view, commit);
}

static enum fault put_generation(struct inside *inside, struct settlement *settlement, struct commit *commit,
				 struct refusal *why)
{
	struct generation next;
	enum fault fault;

	if (generation_equal(&settlement->wanted, &settlement->before)) {
		generation_copy(&settlement->before, &settlement->generation);
		return FAULT_NONE;
	}
	generation_copy(&settlement->wanted, &next);
	fault = generation_commit(inside, &next, commit, why);
	settlement->generation = next;
	return fault;
}

static enum fault commit_all(struct inside *inside, struct spool *spool, const struct catalogue *catalogue,
			     struct settlement *settlement, struct refusal *why)
{
	size_t n_plains;
	_cleanup_free_ struct sha256 *plains = list_plains(settlement, &n_plains);
	struct refusal made = {0};
	struct commit commit;
	json_t *status;

	commit_begin(inside, inside->store_fd, spool->fd, &commit);
	put_metadata(catalogue, RECORD_PUT_METADATA, &commit);
	put_blobs(inside, spool, catalogue, settlement, &commit);
	for (size_t i = 0; i < settlement->n_judgements; i++)
		put_judgement(inside, &settlement->judgements[i], plains, n_plains, &commit);
	for (size_t i = 0; i < settlement->n_views; i++)
		put_view(inside, &settlement->views[i], &commit);
	settle_put_rows(settlement, &commit);
	if (commit.n_orders > 0)
		commit_sync(&commit);
	put_metadata(catalogue, RECORD_PUT_TRUST, &commit);
	put_generation(inside, settlement, &commit, &made);
	if (made.fault != FAULT_NONE) {
		worker_kill(&commit.worker);
		return refuse(why, made.fault, "%s", made.line);
	}
	status = status_compose(inside, settlement);
	if (commit.n_orders > 0 || !json_equal(settlement->old_status, status))
		commit_document(&commit, DOCUMENT_STATUS, NULL, NULL, status);
	else
		json_decref(status);
	return commit_end(&commit, why);
}

/* For the log: what came in force, and what was held anew. */
static void note_view(struct inside *inside, const struct settlement *settlement, const struct dataset_view *view)
{
	const struct generation_entry *before = generation_entry(&settlement->before, view->name);
	const struct generation_entry *now = generation_entry(&settlement->generation, view->name);
	struct record_event *event;

	if (now != NULL && (before == NULL || strcmp(before->version, now->version) != 0)) {
		_cleanup_free_ char *waivers = json_array_size(view->waivers) > 0
						       ? json_dumps(view->waivers, JSON_COMPACT)
						       : NULL;

		event = inside_event(inside, "switch", view->name, FAULT_NONE,
				     "version %s in force, generation %ju%s%s", now->version,
				     (uintmax_t)settlement->generation.number, waivers == NULL ? "" : ", by waivers ",
				     waivers == NULL ? "" : waivers);
		memcpy(event->version, now->version, sizeof(event->version));
	}
	if (now == NULL && before != NULL)
		inside_event(inside, "withdraw", view->name, FAULT_NONE, "left out of generation %ju: %s",
			     (uintmax_t)settlement->generation.number, view->why.line);
	/* Who pinned it, and why, is told by the pin's own entry, by pseudonym. */
	if (view->was_judged && view->why.fault != FAULT_NONE) {
		event = inside_event(inside, view->state == DATASET_HELD ? "hold" : "refuse", view->name,
				     view->why.fault, "version %s: %s", view->trusted,
				     view->why.fault == FAULT_HELD_PIN ? "held by a pin" : view->why.line);
		memcpy(event->version, view->trusted, sizeof(event->version));
	}
}

/* Against what the last settling wrote: another root, a clock behind the newest signed time. */
static void note_trust(struct inside *inside, const struct settlement *settlement)
{
	const json_t *old_trust = json_object_get(settlement->old_status, "trust");
	uint64_t root = settlement->trust.root_version,
		 old_root = (uint64_t)json_integer_value(json_object_get(old_trust, "root"));
	bool behind = inside->now + inside->config->clock_skew < settlement->trust.issued;

	if (old_trust != NULL && root != old_root)
		inside_event(inside, "root", "", FAULT_NONE, "root version %ju is trusted, it was %ju", (uintmax_t)root,
			     (uintmax_t)old_root);
	if (behind && !json_is_true(json_object_get(settlement->old_status, "clockBehind")))
		inside_event(inside, "clock", "", FAULT_CLOCK,
			     "the clock is behind the newest time that the outside signed");
}

/* The timestamp that was accepted, by its hash: what an auditor judges a past day by (mirror/timestamps/). */
static void note_timestamp(struct inside *inside, const struct settlement *settlement,
			   const struct catalogue *catalogue)
{
	const struct record_trust *trust = &settlement->trust;

	for (size_t i = 0; i < catalogue->n_accepted; i++) {
		struct record_event *event;

		if (strcmp(catalogue->accepted[i].name, "timestamp.json") != 0)
			continue;
		event = inside_event(inside, "trust", "", FAULT_NONE,
				     "root %ju, timestamp %ju, snapshot %ju, targets %ju",
				     (uintmax_t)trust->root_version, (uintmax_t)trust->timestamp_version,
				     (uintmax_t)trust->snapshot_version, (uintmax_t)trust->targets_version);
		event->has_sha256 = true;
		event->sha256 = catalogue->accepted[i].sha256;
	}
}

static void note_events(struct inside *inside, const struct settlement *settlement, const struct catalogue *catalogue)
{
	note_timestamp(inside, settlement, catalogue);
	note_trust(inside, settlement);
	for (size_t i = 0; i < settlement->n_views; i++)
		note_view(inside, settlement, &settlement->views[i]);
	logbook_note_generation(inside, &settlement->generation);
	hooks_note(inside, &settlement->before, &settlement->generation);
}

enum fault settle(struct inside *inside, struct spool *spool, const struct catalogue *catalogue, bool by_decision,
		  struct settlement **ret_settlement, struct refusal *why)
{
	_cleanup_(settlement_freep) struct settlement *settlement = xcalloc(1, sizeof(*settlement));
	enum fault fault = generation_load_current(inside->store_fd, &settlement->before, why);

	if (fault != FAULT_NONE)
		return fault;
	settlement->by_decision = by_decision;
	settlement->trust = catalogue->trust;
	settlement->catalogue = catalogue;
	settlement->heard = catalogue->n_accepted > 0;
	if (status_load(inside, &settlement->old_status, NULL) != FAULT_NONE)
		settlement->old_status = NULL;
	make_views(settlement, catalogue);
	for (size_t i = 0; i < settlement->n_views; i++)
		consider(inside, spool, settlement, &settlement->views[i]);
	judge_views(inside, spool, settlement);
	for (size_t i = 0; i < settlement->n_views; i++)
		settle_decide(inside, &settlement->views[i]);
	settle_references(inside, spool, settlement);
	for (size_t i = 0; i < settlement->n_views; i++)
		mark_new(settlement, &settlement->views[i]);
	consider_status(inside, spool, catalogue, settlement);
	want(settlement);
	settle_make_rows(inside, spool, settlement);
	if ((fault = commit_all(inside, spool, catalogue, settlement, why)) != FAULT_NONE)
		return fault;
	note_events(inside, settlement, catalogue);
	*ret_settlement = steal_pointer(&settlement);
	return FAULT_NONE;
}

enum fault settle_trusted(struct inside *inside, bool by_decision, struct catalogue **ret_catalogue,
			  struct settlement **ret_settlement, struct refusal *why)
{
	_cleanup_(catalogue_freep) struct catalogue *catalogue = NULL;
	_cleanup_close_ int trust_fd = fd_open_beneath(inside->store_fd, "trust", O_RDONLY | O_DIRECTORY, 0);
	struct spool spool = SPOOL_NONE;
	enum fault fault;

	if (trust_fd < 0)
		return refuse(why, FAULT_STORAGE, "%s/trust: %s", inside->config->store, strerror(-trust_fd));
	if ((fault = crew_verify(inside, trust_fd, NULL, &catalogue, why)) != FAULT_NONE)
		return fault;
	if (!catalogue->has_trust)
		return refuse(why, catalogue->end.fault, "trust: %s", catalogue->end.line);
	if ((fault = spool_open(inside, "settle", &spool, why)) != FAULT_NONE)
		return fault;
	fault = settle(inside, &spool, catalogue, by_decision, ret_settlement, why);
	spool_close(inside, &spool);
	if (fault == FAULT_NONE)
		*ret_catalogue = steal_pointer(&catalogue);
	return fault;
}
