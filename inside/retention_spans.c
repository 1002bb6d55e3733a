/* SPDX-License-Identifier: ISC
 *
 * retention, spans: before a generation goes, what it tells of when versions were in force is written into their histories.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "inside/import.h"
#include "inside/retention_private.h"

static int compare_numbers(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static bool is_going(const uint64_t *numbers, const bool *goes, size_t n, uint64_t number)
{
	const uint64_t *found = n == 0 ? NULL : bsearch(&number, numbers, n, sizeof(*numbers), compare_numbers);

	return found != NULL && goes[found - numbers];
}

static void note_version(struct retention *retention, const struct shown_entry *entry, bool *any)
{
	_cleanup_(past_freep) struct past_version *past = NULL;
	struct refusal why = {0};
	enum fault fault = past_load(retention->inside->store_fd, entry->dataset, entry->version, &past, &why);

	if (fault != FAULT_NONE && fault != FAULT_NO_SUCH)
		log_refusal(&why);
	if (fault != FAULT_NONE || !shown_tell(&retention->shown, past))
		return;
	retention_begin(retention);
	commit_document(&retention->commit, DOCUMENT_HISTORY, past->dataset, &past->version, past_to_json(past));
	*any = true;
}

/* What is in A and not the same in B. */
static void note_difference(struct retention *retention, const struct shown *a, const struct shown *b, bool *any)
{
	for (size_t i = 0; a != NULL && i < a->n_entries; i++) {
		const struct shown_entry *other = shown_entry(b, a->entries[i].dataset);

		if (other == NULL || strcmp(other->version, a->entries[i].version) != 0)
			note_version(retention, &a->entries[i], any);
	}
}

/* Where one generation shows another version than the one before it, and one of the two goes, the histories of both versions are told. What
 * the first generation that is here shows came with it, or was told when the one before it went. */
void retention_note_spans(struct retention *retention, const uint64_t *numbers, const bool *goes, size_t n)
{
	const struct shown_list *shown = &retention->shown;
	bool any = false;

	shown_load(retention->inside->store_fd, &retention->shown);
	for (size_t i = 0; i < shown->n_items; i++) {
		const struct shown *before = i == 0 ? NULL : &shown->items[i - 1], *now = &shown->items[i];

		if (!is_going(numbers, goes, n, now->number) &&
		    (before == NULL || !is_going(numbers, goes, n, before->number)))
			continue;
		if (before != NULL || now->number == 1) {
			note_difference(retention, before, now, &any);
			note_difference(retention, now, before, &any);
		}
	}
	if (any)
		commit_sync(&retention->commit);
}
