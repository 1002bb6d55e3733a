/* SPDX-License-Identifier: ISC
 *
 * audit_history: the two lists.
 */
#include "inside/audit_history.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

void history_clear(struct history *history)
{
	free(history->in_force.items);
	free(history->deleted.items);
	memset(history, 0, sizeof(*history));
}

static struct history_version version_of(const char *dataset, const char *version, uint64_t entry, int64_t time)
{
	struct history_version item = {.entry = entry, .time = time};

	text_copy(item.dataset, sizeof(item.dataset), dataset);
	text_copy(item.version, sizeof(item.version), version);
	return item;
}

void history_set(struct history *history, const char *dataset, const char *version, uint64_t entry, int64_t time)
{
	struct history_versions *list = &history->in_force;
	size_t at = 0;
	int order = 1;

	while (at < list->n_items && (order = strcmp(list->items[at].dataset, dataset)) < 0)
		at++;
	if (at < list->n_items && order == 0) {
		if (version != NULL)
			list->items[at] = version_of(dataset, version, entry, time);
		else
			memmove(&list->items[at], &list->items[at + 1], (--list->n_items - at) * sizeof(*list->items));
		return;
	}
	if (version == NULL)
		return;
	list->items = xrealloc(list->items, list->n_items + 1, sizeof(*list->items));
	memmove(&list->items[at + 1], &list->items[at], (list->n_items - at) * sizeof(*list->items));
	list->items[at] = version_of(dataset, version, entry, time);
	list->n_items++;
}

void history_delete(struct history *history, const char *dataset, const char *version, uint64_t entry, int64_t time)
{
	struct history_versions *list = &history->deleted;

	list->items = xrealloc(list->items, list->n_items + 1, sizeof(*list->items));
	list->items[list->n_items++] = version_of(dataset, version, entry, time);
}

const struct history_version *history_deleted(const struct history *history, const char *dataset, const char *version)
{
	for (size_t i = history->deleted.n_items; i-- > 0;) {
		const struct history_version *item = &history->deleted.items[i];

		if (item->time >= history->at && strcmp(item->version, version) == 0 &&
		    strcmp(item->dataset, dataset) == 0)
			return item;
	}
	return NULL;
}
