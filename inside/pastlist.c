/* SPDX-License-Identifier: ISC
 *
 * pastlist: see pastlist.h.
 */
#include "inside/pastlist.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"

/* --- generations ----------------------------------------------------------------------------------------------------- */

static int add_entry(void *ctx, const char *dataset, const char *version)
{
	struct shown *shown = ctx;
	struct shown_entry *entry;

	if ((shown->n_entries & (shown->n_entries - 1)) == 0)
		shown->entries = xrealloc(shown->entries, shown->n_entries == 0 ? 1 : 2 * shown->n_entries,
					  sizeof(*entry));
	entry = &shown->entries[shown->n_entries++];
	*entry = (struct shown_entry){.waivers = NULL};
	if (!text_copy(entry->dataset, sizeof(entry->dataset), dataset) ||
	    !text_copy(entry->version, sizeof(entry->version), version))
		shown->n_entries--;
	return 0;
}

static int compare_entries(const void *key, const void *entry)
{
	return strcmp(key, ((const struct shown_entry *)entry)->dataset);
}

const struct shown_entry *shown_entry(const struct shown *shown, const char *dataset)
{
	if (shown == NULL || shown->n_entries == 0)
		return NULL;
	return bsearch(dataset, shown->entries, shown->n_entries, sizeof(*shown->entries), compare_entries);
}

static bool is_new(const struct shown *before, const struct shown_entry *entry)
{
	const struct shown_entry *old = shown_entry(before, entry->dataset);

	return old == NULL || strcmp(old->version, entry->version) != 0;
}

/* What clapet.json says of those that are new in it, and when it was made. It may be lost: the links are the truth. */
static void read_description(int store_fd, const struct shown *before, struct shown *shown)
{
	_cleanup_(json_decrefp) json_t *root = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	const json_t *datasets;
	const char *created;
	size_t size;

	if (store_load_generation(store_fd, shown->number, &data, &size) < 0 ||
	    json_parse(data, size, LIMIT_JSON_SIZE, &root, NULL) != FAULT_NONE)
		return;
	created = json_string_value(json_object_get(root, "created"));
	if (created != NULL && !notation_parse_time(created, &shown->created))
		shown->created = 0;
	datasets = json_object_get(root, "datasets");
	for (size_t i = 0; i < json_array_size(datasets); i++) {
		const json_t *object = json_array_get(datasets, i);
		const char *name = json_string_value(json_object_get(object, "name"));
		struct shown_entry *entry = name == NULL ? NULL : (struct shown_entry *)shown_entry(shown, name);

		if (entry != NULL && entry->waivers == NULL && is_new(before, entry))
			entry->waivers = json_deep_copy(json_object_get(object, "waivers"));
	}
}

void shown_load(int store_fd, struct shown_list *ret_list)
{
	_cleanup_free_ uint64_t *numbers = NULL;
	struct shown_list list = {0};
	uint64_t current = 0;
	size_t n = 0;

	if (store_current(store_fd, &current) < 0 || store_generations(store_fd, &numbers, &n) < 0)
		log_warning("the generations cannot be listed");
	list.items = xcalloc(n + 1, sizeof(*list.items));
	for (size_t i = 0; i < n && numbers[i] <= current; i++) {
		const struct shown *before = list.n_items == 0 ? NULL : &list.items[list.n_items - 1];
		struct shown *shown = &list.items[list.n_items];

		shown->number = numbers[i];
		if (store_generation_each(store_fd, numbers[i], add_entry, shown) < 0) {
			log_warning("generation %" PRIu64 " cannot be read", numbers[i]);
			free(shown->entries);
			*shown = (struct shown){0};
			continue;
		}
		read_description(store_fd, before, shown);
		/* Not after the one behind it, at least. */
		if (shown->created <= 0)
			shown->created = before != NULL ? before->created : 1;
		list.n_items++;
	}
	*ret_list = list;
}

void shown_clear(struct shown_list *list)
{
	for (size_t i = 0; i < list->n_items; i++) {
		for (size_t j = 0; j < list->items[i].n_entries; j++)
			json_decref(list->items[i].entries[j].waivers);
		free(list->items[i].entries);
	}
	free(list->items);
	*list = (struct shown_list){NULL, 0};
}

bool shown_tell(const struct shown_list *list, struct past_version *past)
{
	char version[STORE_VERSION_SIZE];
	bool changed = false;

	store_version_name(&past->version, version);
	for (size_t i = 0; i < list->n_items; i++) {
		const struct shown *shown = &list->items[i];
		const struct shown_entry *entry = shown_entry(shown, past->dataset);

		changed |= entry != NULL && strcmp(entry->version, version) == 0
				   ? past_shown(past, shown->number, shown->created, entry->waivers)
				   : past_not_shown(past, shown->number, shown->created);
	}
	return changed;
}

/* --- the versions of a dataset ----------------------------------------------------------------------------------------- */

static int compare_versions(const void *a, const void *b)
{
	const struct past_version *left = *(const struct past_version *const *)a,
				  *right = *(const struct past_version *const *)b;
	int64_t left_last = past_last(left), right_last = past_last(right);

	if (left_last != right_last)
		return left_last < right_last ? 1 : -1;
	if (left->role_version != right->role_version)
		return left->role_version < right->role_version ? 1 : -1;
	return sha256_compare(&left->version, &right->version);
}

static enum fault load_one(int store_fd, const char *dataset, const char *version, bool kept_alone,
			   struct past_version **ret_past, struct refusal *why)
{
	return kept_alone && past_load_gone(store_fd, dataset, version, ret_past)
		       ? FAULT_NONE
		       : past_load(store_fd, dataset, version, ret_past, why);
}

static void load_list(int store_fd, const char *dataset, const struct shown_list *shown, bool kept_alone,
		      struct past_list *ret_list)
{
	_cleanup_(store_names_free) struct store_names names = {0};
	_cleanup_free_ char *path = xasprintf("decisions/history/%s", dataset);
	struct past_list list = {0};
	int r = store_list(store_fd, path, &names);

	if (r < 0) {
		log_warning("%s: %s", path, strerror(-r));
		list.is_damaged = true;
	}
	list.items = xcalloc(names.n_items + 1, sizeof(struct past_version *));
	for (size_t i = 0; i < names.n_items; i++) {
		struct refusal why = {0};
		char version[STORE_VERSION_SIZE];

		snprintf(version, sizeof(version), "%.16s", names.items[i]);
		if (load_one(store_fd, dataset, version, kept_alone, &list.items[list.n_items], &why) != FAULT_NONE) {
			log_warning("%s", why.line);
			list.is_damaged = true;
			continue;
		}
		if (shown != NULL)
			shown_tell(shown, list.items[list.n_items]);
		list.n_items++;
	}
	if (list.n_items > 1)
		qsort(list.items, list.n_items, sizeof(struct past_version *), compare_versions);
	*ret_list = list;
}

void past_list_load(int store_fd, const char *dataset, const struct shown_list *shown, struct past_list *ret_list)
{
	load_list(store_fd, dataset, shown, false, ret_list);
}

void past_list_load_kept(int store_fd, const char *dataset, const struct shown_list *shown, struct past_list *ret_list)
{
	load_list(store_fd, dataset, shown, true, ret_list);
}

void past_list_clear(struct past_list *list)
{
	for (size_t i = 0; i < list->n_items; i++)
		past_free(list->items[i]);
	free(list->items);
	*list = (struct past_list){.items = NULL};
}

struct past_version *past_list_find(const struct past_list *list, const char *version)
{
	for (size_t i = 0; i < list->n_items; i++) {
		char name[STORE_VERSION_SIZE];

		store_version_name(&list->items[i]->version, name);
		if (strcmp(name, version) == 0)
			return list->items[i];
	}
	return NULL;
}
