/* SPDX-License-Identifier: ISC
 *
 * cmd_rollback: one dataset, or all, back to a version that was in force before; and pinned there. Trust stays where it is. A version whose plain
 * files are gone is rebuilt out of the mirror's blobs first.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "inside/cmd.h"
#include "inside/decide.h"
#include "inside/hooks.h"
#include "inside/pastlist.h"
#include "inside/restore.h"
#include "inside/rollback_references.h"
#include "inside/versions.h"

static const char *opt_to;
static uint64_t opt_generation;
static bool opt_all;
static struct decide_options opt_decide;

const struct option cmd_rollback_options[] = {
	{"to", 't', OPTION_TEXT, &opt_to, "VERSION", "the version (its first digits) that is to be in force again"},
	{"generation", 'g', OPTION_NUMBER, &opt_generation, "N", "the versions of that generation"},
	{"all", 0, OPTION_FLAG, &opt_all, NULL, "every dataset that changed since"},
	{"reason", 'r', OPTION_TEXT, &opt_decide.reason, "TEXT", "why; logged, and shown to the auditor"},
	{"until", 'u', OPTION_TEXT, &opt_decide.until, "WHEN", "end of the pin: 2026-12-31, or a duration like 30d"},
	{"operator", 0, OPTION_TEXT, &opt_decide.operator, "NAME", "who decides; default: your account"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

/* Whether VERSION of DATASET came before THAN did, as far as histories tell: who goes back and goes back again does not come to what he left. */
static bool is_older(const struct inside *inside, const char *dataset, const char *version, const char *than)
{
	_cleanup_(past_freep) struct past_version *a = NULL, *b = NULL;

	return past_load(inside->store_fd, dataset, version, &a, NULL) != FAULT_NONE ||
	       past_load(inside->store_fd, dataset, than, &b, NULL) != FAULT_NONE || a->role_version < b->role_version;
}

/* Whether ENTRY, of an older generation, is what was asked for. */
static bool fits(const struct inside *inside, const struct generation_entry *entry, const struct generation_entry *now)
{
	if (entry == NULL || (now != NULL && strcmp(entry->version, now->version) == 0))
		return false;
	if (opt_to == NULL && opt_generation == 0 && now != NULL)
		return is_older(inside, entry->name, entry->version, now->version);
	return opt_to == NULL || strncmp(entry->version, opt_to, strlen(opt_to)) == 0;
}

/* The newest generation before the current one that shows what was asked for. Only what was in force once may come back this
 * way: a held version never was, and no rollback lets it in. */
static enum fault find_generation(const struct inside *inside, const struct generation *current, const char *dataset,
				  struct generation *ret_generation, struct refusal *why)
{
	_cleanup_free_ uint64_t *numbers = NULL;
	size_t n = 0;
	int r = store_generations(inside->store_fd, &numbers, &n);

	if (r < 0)
		return refuse(why, FAULT_STORE_DAMAGED, "generations: %s", strerror(-r));
	for (size_t i = n; i-- > 0;) {
		struct generation candidate;
		bool found;

		if (numbers[i] >= current->number || (opt_generation != 0 && numbers[i] != opt_generation) ||
		    generation_load(inside->store_fd, numbers[i], &candidate, NULL) != FAULT_NONE)
			continue;
		found = dataset == NULL ||
			fits(inside, generation_entry(&candidate, dataset), generation_entry(current, dataset));
		if (found) {
			*ret_generation = candidate;
			return FAULT_NONE;
		}
		generation_clear(&candidate);
	}
	return refuse(why, FAULT_NO_SUCH,
		      "%s: no generation that is still here shows %s%s, nor does history know one; see `clapet-inside "
		      "history`",
		      dataset == NULL ? "--all" : dataset, opt_to == NULL ? "an older version" : "version ",
		      opt_to == NULL ? "" : opt_to);
}

/* --- what history knows ------------------------------------------------------------------------------------------------ */

/* Whether PAST was in force when it should: in generation --generation, or at any time. */
static bool was_in_force(const struct past_version *past)
{
	for (size_t i = 0; i < past->n_spans && opt_generation != 0; i++) {
		const struct past_span *span = &past->spans[i];

		if (span->generation <= opt_generation && (span->until == 0 || opt_generation < span->until))
			return true;
	}
	return opt_generation == 0 && past->n_spans > 0;
}

/* As a generation would show it. */
static void add_past(const struct inside *inside, const struct past_version *past, struct generation *older)
{
	_cleanup_(verdict_freep) struct verdict *verdict = NULL;
	const json_t *waivers = past->spans[past->n_spans - 1].waivers;
	char version[STORE_VERSION_SIZE];
	struct refusal why = {0};
	json_t *json = NULL;

	store_version_name(&past->version, version);
	if (generation_load_verdict(inside->store_fd, past->dataset, &past->version, &verdict, &why) == FAULT_NONE)
		json = generation_entry_json(verdict, json_deep_copy(waivers));
	else
		log_warning("%s", why.line);
	generation_set(older, past->dataset, version, json);
}

/* Where nobody names one, it is older than what is in force, and not one of which nothing is left. */
static bool will_do(const struct inside *inside, const struct past_version *past, const struct generation_entry *now)
{
	char version[STORE_VERSION_SIZE];

	if (opt_to != NULL || opt_generation != 0 || !was_in_force(past))
		return was_in_force(past);
	store_version_name(&past->version, version);
	return past_find(inside->store_fd, past) != PAST_GONE &&
	       (now == NULL || is_older(inside, past->dataset, version, now->version));
}

/* The newest of DATASET that was in force, and is not NOW's; or the one that --to names. */
static enum fault find_past(const struct inside *inside, const struct shown_list *shown, const char *dataset,
			    const struct generation_entry *now, struct generation *older, struct refusal *why)
{
	char wanted[STORE_VERSION_SIZE] = "", version[STORE_VERSION_SIZE];
	struct past_list list;
	enum fault fault = FAULT_NONE;

	if (opt_to != NULL && (fault = versions_find(inside, dataset, opt_to, wanted, why)) != FAULT_NONE)
		return fault;
	past_list_load(inside->store_fd, dataset, shown, &list);
	for (size_t i = 0; i < list.n_items; i++) {
		store_version_name(&list.items[i]->version, version);
		if ((now != NULL && strcmp(version, now->version) == 0) || !will_do(inside, list.items[i], now) ||
		    (opt_to != NULL && strcmp(version, wanted) != 0))
			continue;
		add_past(inside, list.items[i], older);
		break;
	}
	past_list_clear(&list);
	return FAULT_NONE;
}

/* What generations that are gone showed, by the histories of the versions. WHY says already why none that is here will do. */
static enum fault find_in_history(const struct inside *inside, const struct generation *current, const char *dataset,
				  struct generation *ret_older, struct refusal *why)
{
	struct generation older = {.number = opt_generation};
	enum fault fault = FAULT_NONE;
	struct shown_list shown;

	shown_load(inside->store_fd, &shown);
	if (dataset != NULL)
		fault = find_past(inside, &shown, dataset, generation_entry(current, dataset), &older, why);
	for (size_t i = 0; dataset == NULL && opt_generation != 0 && i < current->n_entries; i++)
		find_past(inside, &shown, current->entries[i].name, &current->entries[i], &older, why);
	shown_clear(&shown);
	if (older.n_entries == 0)
		return fault != FAULT_NONE ? fault : FAULT_NO_SUCH;
	*ret_older = older;
	return FAULT_NONE;
}

static enum fault find_older(const struct inside *inside, const struct generation *current, const char *dataset,
			     struct generation *ret_older, struct refusal *why)
{
	enum fault fault = find_generation(inside, current, dataset, ret_older, why);

	return fault == FAULT_NO_SUCH ? find_in_history(inside, current, dataset, ret_older, why) : fault;
}

/* --- and back ---------------------------------------------------------------------------------------------------------- */

/* Takes the older entries into NEXT and pins them; how many. What of them has no plain files is rebuilt. */
static enum fault roll(struct restore *restore, const struct generation *older, const char *dataset,
		       const struct decision *decision, struct generation *next, size_t *ret_n, struct refusal *why)
{
	struct inside *inside = restore->inside;
	enum fault fault;

	*ret_n = 0;
	for (size_t i = 0; i < older->n_entries; i++) {
		const struct generation_entry *entry = &older->entries[i];
		const struct generation_entry *now = generation_entry(next, entry->name);
		bool chosen = dataset == NULL ? now != NULL && strcmp(now->version, entry->version) != 0
					      : strcmp(entry->name, dataset) == 0;

		if (!chosen)
			continue;
		if (!store_has_version(inside->store_fd, entry->name, entry->version) &&
		    (fault = restore_version(restore, entry->name, entry->version, why)) != FAULT_NONE)
			return fault;
		inside_event_by(inside, "rollback", entry->name, decision->operator, FAULT_NONE, "from %s to %s: %s",
				now == NULL ? "nothing" : now->version, entry->version, decision->reason);
		decide_pin(inside, entry->name, entry->version, decision);
		generation_set(next, entry->name, entry->version, json_incref(entry->json));
		++*ret_n;
	}
	return FAULT_NONE;
}

/* The pins before the switch: a cut between them leaves a pin too many, never a rollback that the next import undoes. */
static enum fault commit_rollback(const struct restore *restore, struct generation *next, struct refusal *why)
{
	const struct inside *inside = restore->inside;
	struct commit commit;
	enum fault fault;

	commit_begin(inside, inside->store_fd, restore->spool.fd, &commit);
	restore_order(restore, &commit);
	commit_document(&commit, DOCUMENT_PINS, NULL, NULL, decisions_pins_to_json(&inside->decisions));
	fault = generation_commit(inside, next, &commit, why);
	if (fault != FAULT_NONE) {
		worker_kill(&commit.worker);
		return fault;
	}
	return commit_end(&commit, why);
}

/* What came in force, as every switch is logged. */
static void note_switch(struct inside *inside, const struct generation *current, const struct generation *next)
{
	for (size_t i = 0; i < next->n_entries; i++) {
		const struct generation_entry *now = &next->entries[i];
		const struct generation_entry *before = generation_entry(current, now->name);
		struct record_event *event;

		if (before != NULL && strcmp(before->version, now->version) == 0)
			continue;
		event = inside_event(inside, "switch", now->name, FAULT_NONE,
				     "version %s in force, generation %" PRIu64 ", by a rollback", now->version,
				     next->number);
		memcpy(event->version, now->version, sizeof(event->version));
	}
	logbook_note_generation(inside, next);
	hooks_note(inside, current, next);
}

static void tell(const struct restore *restore, const struct generation *next)
{
	for (size_t i = 0; i < restore->n_pasts; i++) {
		char version[STORE_VERSION_SIZE];

		store_version_name(&restore->pasts[i]->version, version);
		printf("%s: version %s was rebuilt, as it was signed\n", restore->pasts[i]->dataset, version);
	}
	printf("generation %" PRIu64 " is in force\n", next->number);
}

static enum fault rollback(struct inside *inside, const char *dataset, const struct decision *decision,
			   struct refusal *why)
{
	struct generation current = {0}, older = {0}, next = {0};
	_cleanup_(restore_clear) struct restore restore = RESTORE_NEW(inside);
	enum fault fault = generation_load_current(inside->store_fd, &current, why);
	size_t n = 0;

	if (fault == FAULT_NONE)
		fault = find_older(inside, &current, dataset, &older, why);
	if (fault == FAULT_NONE) {
		generation_copy(&current, &next);
		fault = roll(&restore, &older, dataset, decision, &next, &n, why);
	}
	if (fault == FAULT_NONE && n == 0)
		fault = refuse(why, FAULT_NO_SUCH, "nothing differs from generation %" PRIu64, older.number);
	if (fault == FAULT_NONE)
		fault = commit_rollback(&restore, &next, why);
	if (fault == FAULT_NONE) {
		note_switch(inside, &current, &next);
		rollback_references_warn(inside, &current, &next);
	}
	if (fault == FAULT_NONE && !cmd_wants_json())
		tell(&restore, &next);
	generation_clear(&current);
	generation_clear(&older);
	generation_clear(&next);
	return fault;
}

int cmd_rollback(int argc, char **argv)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	struct refusal why = {0};
	struct decision decision;
	int status;

	if (opt_all ? argc != 0 : argc != 1)
		die_usage("rollback: name one dataset, or --all");
	if (opt_to != NULL && (opt_all || opt_generation != 0 || strlen(opt_to) < 4))
		die_usage("rollback: --to takes at least 4 digits of one dataset's version, and no --generation");
	decide_options_read(&opt_decide, "rollback", true, time(NULL), &decision);
	if ((status = cmd_open_work(&inside, 0)) != 0)
		return status;
	if (rollback(&inside, opt_all ? NULL : argv[0], &decision, &why) != FAULT_NONE)
		return cmd_fail(&why);
	/* A pin that holds the newer version back is what was asked for, not something that waits. */
	status = decide_settle(&inside);
	return status == fault_exit(FAULT_HELD_PIN) ? 0 : status;
}
