/* SPDX-License-Identifier: ISC
 *
 * cmd_rollback: one dataset, or all, back to a version that was in force before; and pinned there. Trust stays where it is.
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
#include "inside/rollback_references.h"

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

/* Whether ENTRY, of an older generation, is what was asked for. */
static bool fits(const struct generation_entry *entry, const struct generation_entry *now)
{
	if (entry == NULL || (now != NULL && strcmp(entry->version, now->version) == 0))
		return false;
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
			fits(generation_entry(&candidate, dataset), generation_entry(current, dataset));
		if (found) {
			*ret_generation = candidate;
			return FAULT_NONE;
		}
		generation_clear(&candidate);
	}
	return refuse(why, FAULT_NO_SUCH,
		      "%s: no generation that is still here shows %s%s; see `clapet-inside history`",
		      dataset == NULL ? "--all" : dataset, opt_to == NULL ? "another version" : "version ",
		      opt_to == NULL ? "" : opt_to);
}

/* Takes the older entries into NEXT and pins them; how many. */
static size_t roll(struct inside *inside, const struct generation *older, const char *dataset,
		   const struct decision *decision, struct generation *next)
{
	size_t n = 0;

	for (size_t i = 0; i < older->n_entries; i++) {
		const struct generation_entry *entry = &older->entries[i];
		const struct generation_entry *now = generation_entry(next, entry->name);
		bool chosen = dataset == NULL ? now != NULL && strcmp(now->version, entry->version) != 0
					      : strcmp(entry->name, dataset) == 0;

		if (!chosen || !store_has_version(inside->store_fd, entry->name, entry->version))
			continue;
		inside_event_by(inside, "rollback", entry->name, decision->operator, FAULT_NONE, "from %s to %s: %s",
				now == NULL ? "nothing" : now->version, entry->version, decision->reason);
		decide_pin(inside, entry->name, entry->version, decision);
		generation_set(next, entry->name, entry->version, json_incref(entry->json));
		n++;
	}
	return n;
}

/* The pins before the switch: a cut between them leaves a pin too many, never a rollback that the next import undoes. */
static enum fault commit_rollback(struct inside *inside, struct generation *next, struct refusal *why)
{
	struct commit commit;
	enum fault fault;

	commit_begin(inside, inside->store_fd, -1, &commit);
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

static enum fault rollback(struct inside *inside, const char *dataset, const struct decision *decision,
			   struct refusal *why)
{
	struct generation current = {0}, older = {0}, next = {0};
	enum fault fault = generation_load_current(inside->store_fd, &current, why);

	if (fault == FAULT_NONE)
		fault = find_generation(inside, &current, dataset, &older, why);
	if (fault == FAULT_NONE) {
		generation_copy(&current, &next);
		if (roll(inside, &older, dataset, decision, &next) == 0)
			fault = refuse(why, FAULT_NO_SUCH, "nothing differs from generation %" PRIu64, older.number);
		else
			fault = commit_rollback(inside, &next, why);
	}
	if (fault == FAULT_NONE) {
		note_switch(inside, &current, &next);
		rollback_references_warn(inside, &current, &next);
	}
	if (fault == FAULT_NONE && !cmd_wants_json())
		printf("generation %" PRIu64 " is in force\n", next.number);
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
