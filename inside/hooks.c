/* SPDX-License-Identifier: ISC
 *
 * hooks: what is told, and when.
 */
#include "inside/hooks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "inside/crew.h"
#include "inside/generation.h"
#include "inside/inside.h"
#include "inside/verdict.h"

/* --- the facts ---------------------------------------------------------------------------------------------------------------------- */

static json_t *date_or_null(const struct generation_entry *entry)
{
	return entry == NULL || generation_entry_date(entry)[0] == '\0' ? json_null()
									: verdict_text(generation_entry_date(entry));
}

static json_t *change(const char *name, const struct generation_entry *before, const struct generation_entry *now)
{
	return json_or_die(json_pack("{ss ss so so so so}", "name", name, "change",
				     before == NULL ? "new"
				     : now == NULL  ? "gone"
						    : "changed",
				     "version", now == NULL ? json_null() : json_string(now->version), "date",
				     date_or_null(now), "versionBefore",
				     before == NULL ? json_null() : json_string(before->version), "dateBefore",
				     date_or_null(before)));
}

/* Both are sorted by name: one walk over the two. */
static json_t *changes(const struct generation *before, const struct generation *next)
{
	json_t *array = json_or_die(json_array());
	size_t i = 0, j = 0;

	while (i < before->n_entries || j < next->n_entries) {
		const struct generation_entry *old = i < before->n_entries ? &before->entries[i] : NULL;
		const struct generation_entry *now = j < next->n_entries ? &next->entries[j] : NULL;
		int order = old == NULL ? 1 : now == NULL ? -1 : strcmp(old->name, now->name);

		if (order < 0)
			json_array_append_new(array, change(old->name, old, NULL));
		else if (order > 0)
			json_array_append_new(array, change(now->name, NULL, now));
		else if (strcmp(old->version, now->version) != 0)
			json_array_append_new(array, change(now->name, old, now));
		i += order <= 0;
		j += order >= 0;
	}
	return array;
}

json_t *hooks_facts(const char *store, const struct generation *before, const struct generation *next)
{
	_cleanup_free_ char *folder = xasprintf("%s/generations/%" PRIu64, store, next->number);
	json_t *datasets = json_or_die(json_array());

	for (size_t i = 0; i < next->n_entries; i++)
		json_array_append_new(datasets, json_or_die(json_pack("{ss ss so}", "name", next->entries[i].name,
								      "version", next->entries[i].version, "date",
								      date_or_null(&next->entries[i]))));
	return json_or_die(json_pack("{ss so sI sI so so}", "format", "clapet hook generation 1", "folder",
				     verdict_text(folder), "generation", (json_int_t)next->number, "before",
				     (json_int_t)before->number, "changes", changes(before, next), "datasets",
				     datasets));
}

void hooks_note(struct inside *inside, const struct generation *before, const struct generation *next)
{
	/* Programs start in another folder. */
	_cleanup_free_ char *store = NULL;

	if (inside->config->hooks == NULL || next->number == before->number)
		return;
	if (inside->hook_facts == NULL)
		inside->hook_facts = json_or_die(json_array());
	store = realpath(inside->config->store, NULL);
	json_array_append_new(inside->hook_facts,
			      hooks_facts(store == NULL ? inside->config->store : store, before, next));
}

/* --- run ----------------------------------------------------------------------------------------------------------------------------- */

/* What failed, to be logged when all have run. */
struct failures {
	struct refusal *items;
	size_t n_items;
};

static void note_failure(void *ctx, const struct refusal *why)
{
	struct failures *failures = ctx;

	log_refusal(why);
	failures->items = xrealloc(failures->items, failures->n_items + 1, sizeof(*failures->items));
	failures->items[failures->n_items++] = *why;
}

/* A line each, of what it said. */
static void tell_output(const char *name, char *output)
{
	char shown[FAULT_LINE_SIZE];

	for (char *line; (line = strsep(&output, "\n")) != NULL;)
		if (*line != '\0')
			log_info("hook %s: %s", name, text_escape(line, strlen(line), shown, sizeof(shown)));
}

static void run_one(const struct inside *inside, const char *folder, const char *name, const char *facts,
		    uint64_t generation, struct failures *failures)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", folder, name);
	_cleanup_free_ char *real = realpath(inside->config->store, NULL);
	_cleanup_free_ char *store = xasprintf("CLAPET_STORE=%s", real == NULL ? inside->config->store : real);
	_cleanup_free_ char *number = xasprintf("CLAPET_GENERATION=%" PRIu64, generation);
	char *const environment[] = {(char *)"PATH=/usr/local/bin:/usr/bin:/bin",
				     (char *)"LC_ALL=C.UTF-8",
				     (char *)"TZ=UTC",
				     store,
				     number,
				     NULL};
	char output[LIMIT_HOOK_OUTPUT];
	struct refusal why = {0};

	hooks_program(path, facts, environment, inside->config->hook_time, output, &why);
	tell_output(name, output);
	if (why.fault != FAULT_NONE)
		note_failure(failures, &why);
}

/* With the lock again, for as long as it takes to sign some lines. */
static void log_failures(struct inside *inside, const struct failures *failures)
{
	struct refusal why = {0};

	if (failures->n_items == 0)
		return;
	if (inside_open_work(inside, 60, &why) != FAULT_NONE) {
		log_refusal(&why);
	} else {
		for (size_t i = 0; i < failures->n_items; i++)
			inside_event(inside, "hook", "", failures->items[i].fault, "%s", failures->items[i].line);
		if (crew_log(inside, &why) != FAULT_NONE)
			log_refusal(&why);
	}
	inside_unlock(inside);
}

void hooks_run(struct inside *inside, bool (*stop)(void))
{
	_cleanup_(json_decrefp) json_t *all = steal_pointer(&inside->hook_facts);
	_cleanup_free_ char *hooks = NULL, *folder = NULL;
	struct failures failures = {0};
	struct hooks_names names;

	if (all == NULL)
		return;
	inside_unlock(inside);
	hooks = realpath(inside->config->hooks, NULL);
	folder = xasprintf("%s/generation.d", hooks == NULL ? inside->config->hooks : hooks);
	hooks_list(folder, note_failure, &failures, &names);
	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *facts = json_array_get(all, i);
		_cleanup_free_ char *text = json_dumps(facts, JSON_COMPACT);

		for (size_t j = 0; text != NULL && j < names.n_items && (stop == NULL || !stop()); j++)
			run_one(inside, folder, names.items[j], text,
				(uint64_t)json_integer_value(json_object_get(facts, "generation")), &failures);
	}
	hooks_names_free(&names);
	log_failures(inside, &failures);
	free(failures.items);
}
