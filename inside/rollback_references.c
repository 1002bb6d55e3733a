/* SPDX-License-Identifier: ISC
 *
 * rollback_references: every two datasets of which one moves and the other refers to it, asked once.
 */
#include "inside/rollback_references.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "inside/judge.h"

static bool is_moved(const struct generation *before, const struct generation_entry *entry)
{
	const struct generation_entry *old = generation_entry(before, entry->name);

	return old == NULL || strcmp(old->version, entry->version) != 0;
}

/* NULL where it is not known, and then nothing can be said of it. */
static struct verdict *load(const struct inside *inside, const struct generation_entry *entry)
{
	struct verdict *verdict = NULL;
	struct refusal why = {0};
	struct sha256 full;

	if (judge_full_version(inside, entry->name, entry->version, &full, &why) != FAULT_NONE ||
	    generation_load_verdict(inside->store_fd, entry->name, &full, &verdict, &why) != FAULT_NONE) {
		log_warning("%s: what its version %s refers to is not known: %s", entry->name, entry->version,
			    why.line);
		return NULL;
	}
	return verdict;
}

static void warn(struct inside *inside, const char *dataset, const char *other, const char *line, size_t n_more)
{
	char more[48] = "";

	if (n_more > 0)
		snprintf(more, sizeof(more), ", and %zu more", n_more);
	log_warning("%s refers to %s: %s%s", dataset, other, line, more);
	inside_event(inside, "rollback", dataset, FAULT_FOREIGN_KEY, "left without rows of %s: %s%s", other, line,
		     more);
}

static void ask(struct inside *inside, const struct spool *spool, const struct verdict *verdict,
		const struct generation_entry *other)
{
	_cleanup_(verdict_freep) struct verdict *shown = load(inside, other);
	struct break_list breaks = {0};
	struct refusal why = {0};

	if (shown == NULL)
		return;
	if (judge_references(inside, spool, verdict, shown, &breaks, &why) != FAULT_NONE)
		warn(inside, verdict->dataset, other->name, why.line, 0);
	else if (breaks.n_items > 0)
		warn(inside, verdict->dataset, other->name, breaks.items[0].line, breaks.n_items - 1);
	break_list_clear(&breaks);
}

static bool is_first(const struct verdict *verdict, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(verdict->references[i].dataset, verdict->references[index].dataset) == 0)
			return false;
	return true;
}

void rollback_references_warn(struct inside *inside, const struct generation *before, const struct generation *next)
{
	struct spool spool = SPOOL_NONE;
	struct refusal why = {0};

	if (spool_open(inside, "rollback", &spool, &why) != FAULT_NONE) {
		log_refusal(&why);
		return;
	}
	for (size_t i = 0; i < next->n_entries; i++) {
		_cleanup_(verdict_freep) struct verdict *verdict = load(inside, &next->entries[i]);

		for (size_t k = 0; verdict != NULL && k < verdict->n_references; k++) {
			const char *dataset = verdict->references[k].dataset;
			const struct generation_entry *other = generation_entry(next, dataset);

			if (!is_first(verdict, k))
				continue;
			if (other == NULL && is_moved(before, &next->entries[i]))
				warn(inside, next->entries[i].name, dataset, "no version of it is in force", 0);
			else if (other != NULL && (is_moved(before, &next->entries[i]) || is_moved(before, other)))
				ask(inside, &spool, verdict, other);
		}
	}
	spool_close(inside, &spool);
}
