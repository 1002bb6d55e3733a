/* SPDX-License-Identifier: ISC
 *
 * console_versions: a dataset's versions as a page shows them: from the documents of its history, the generations that are here, and the
 * verdicts.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "inside/console_read.h"
#include "inside/pastversion.h"

#define GENERATIONS_ASKED 1024

/* --- which --------------------------------------------------------------------------------------------------------------- */

struct named {
	char version[STORE_VERSION_SIZE];
	int64_t written;
};

static int compare_named(const void *a, const void *b)
{
	const struct named *left = a, *right = b;

	return left->written < right->written ? 1 : left->written > right->written ? -1 : 0;
}

/* The documents of DATASET, those that were written last first. New array. */
static struct named *list_versions(int store_fd, const char *dataset, size_t *ret_n)
{
	_cleanup_(store_names_free) struct store_names names = {0};
	_cleanup_free_ char *path = xasprintf("decisions/history/%s", dataset);
	struct named *items;
	size_t n = 0;

	*ret_n = 0;
	if (store_list(store_fd, path, &names) < 0)
		return NULL;
	items = xcalloc(names.n_items + 1, sizeof(*items));
	for (size_t i = 0; i < names.n_items && i < LIMIT_HISTORY_VERSIONS; i++) {
		_cleanup_free_ char *file = xasprintf("%s/%s", path, names.items[i]);
		struct stat stat;

		if (strlen(names.items[i]) < STORE_VERSION_SIZE - 1 ||
		    fstatat(store_fd, file, &stat, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		memcpy(items[n].version, names.items[i], STORE_VERSION_SIZE - 1);
		items[n++].written = stat.st_mtime;
	}
	if (n > 1)
		qsort(items, n, sizeof(*items), compare_named);
	*ret_n = n;
	return items;
}

/* --- when ---------------------------------------------------------------------------------------------------------------- */

/* What the generations that are here show of one dataset, ascending. */
struct shown_at {
	uint64_t number;
	int64_t created; /* when its folder was made */
	char version[STORE_VERSION_SIZE];
};

static struct shown_at *list_shown(int store_fd, const char *dataset, size_t *ret_n)
{
	_cleanup_free_ uint64_t *numbers = NULL;
	struct shown_at *items;
	uint64_t current = 0;
	size_t n = 0, n_items = 0;

	*ret_n = 0;
	if (store_current(store_fd, &current) < 0 || store_generations(store_fd, &numbers, &n) < 0)
		return NULL;
	items = xcalloc(n + 1, sizeof(*items));
	for (size_t i = n > GENERATIONS_ASKED ? n - GENERATIONS_ASKED : 0; i < n && numbers[i] <= current; i++) {
		_cleanup_free_ char *path = xasprintf("generations/%" PRIu64, numbers[i]);
		struct shown_at *item = &items[n_items];
		struct stat stat;

		if (fstatat(store_fd, path, &stat, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		item->number = numbers[i];
		item->created = stat.st_mtime;
		if (store_generation_version(store_fd, numbers[i], dataset, item->version) < 0)
			item->version[0] = '\0';
		n_items++;
	}
	*ret_n = n_items;
	return items;
}

/* --- how much ------------------------------------------------------------------------------------------------------------ */

/* The rows of all tables, as inside-check counted them. */
static uint64_t rows_of(int store_fd, const struct past_version *past)
{
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_(json_decrefp) json_t *verdict = NULL;
	const json_t *resources;
	uint64_t rows = 0;
	size_t size;

	if (store_load_document(store_fd, DOCUMENT_VERDICT, past->dataset, &past->version, LIMIT_JSON_SIZE, &data,
				&size) < 0 ||
	    json_parse(data, size, LIMIT_JSON_SIZE, &verdict, NULL) != FAULT_NONE)
		return CONSOLE_UNKNOWN;
	resources = json_object_get(json_object_get(verdict, "facts"), "resources");
	for (size_t i = 0; i < json_array_size(resources); i++)
		rows += (uint64_t)json_integer_value(json_object_get(json_array_get(resources, i), "rows"));
	return json_array_size(resources) == 0 ? CONSOLE_UNKNOWN : rows;
}

/* The mirror is closed to the server: that a version's blobs are kept it takes from the document. */
static const char *kept_of(int store_fd, const struct past_version *past, const char *version)
{
	enum past_state state = store_has_version(store_fd, past->dataset, version) ? PAST_HERE
				: past->gone == 0                                   ? PAST_REBUILDABLE
										    : PAST_GONE;

	return past_state_name(state);
}

static void describe(int store_fd, const struct past_version *past, const char *in_force, struct console_version *item)
{
	const struct past_span *last = past->n_spans == 0 ? NULL : &past->spans[past->n_spans - 1];

	store_version_name(&past->version, item->version);
	snprintf(item->date, sizeof(item->date), "%s", past->date);
	item->received = past->received;
	item->from = last == NULL ? 0 : last->from;
	item->to = last == NULL ? 0 : last->to;
	item->rows = rows_of(store_fd, past);
	item->bytes = past_plain_bytes(past);
	item->kept = kept_of(store_fd, past, item->version);
	item->is_in_force = strcmp(item->version, in_force) == 0;
}

static int compare_versions(const void *a, const void *b)
{
	const struct console_version *left = a, *right = b;
	int64_t left_time = left->from != 0 ? left->from : left->received,
		right_time = right->from != 0 ? right->from : right->received;

	if (left_time != right_time)
		return left_time < right_time ? 1 : -1;
	return left->received < right->received ? 1 : left->received > right->received ? -1 : 0;
}

void console_load_versions(int store_fd, const char *dataset, const char *in_force,
			   struct console_versions *ret_versions)
{
	size_t n_named, n_shown;
	_cleanup_free_ struct named *named = list_versions(store_fd, dataset, &n_named);
	_cleanup_free_ struct shown_at *shown = list_shown(store_fd, dataset, &n_shown);
	struct console_versions versions = {.is_cut = n_named > CONSOLE_VERSIONS_SHOWN};

	versions.items = xcalloc(n_named + 1, sizeof(*versions.items));
	for (size_t i = 0; i < n_named && i < CONSOLE_VERSIONS_SHOWN; i++) {
		_cleanup_(past_freep) struct past_version *past = NULL;

		if (past_load(store_fd, dataset, named[i].version, &past, NULL) != FAULT_NONE)
			continue;
		for (size_t j = 0; j < n_shown; j++)
			if (strcmp(shown[j].version, named[i].version) == 0)
				past_shown(past, shown[j].number, shown[j].created, NULL);
			else
				past_not_shown(past, shown[j].number, shown[j].created);
		describe(store_fd, past, in_force, &versions.items[versions.n_items++]);
	}
	if (versions.n_items > 1)
		qsort(versions.items, versions.n_items, sizeof(*versions.items), compare_versions);
	*ret_versions = versions;
}

void console_versions_clear(struct console_versions *versions)
{
	free(versions->items);
	*versions = (struct console_versions){.items = NULL};
}

const struct console_version *console_version_before(const struct console_versions *versions)
{
	const struct console_version *before = NULL;

	for (size_t i = 0; i < versions->n_items; i++) {
		const struct console_version *item = &versions->items[i];

		if (!item->is_in_force && item->from != 0 && item->to != 0 && (before == NULL || item->to > before->to))
			before = item;
	}
	return before;
}
