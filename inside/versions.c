/* SPDX-License-Identifier: ISC
 *
 * versions: see versions.h.
 */
#include "inside/versions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/notation.h"
#include "inside/moment.h"
#include "inside/pastlist.h"

/* Of many that fit, so many are named. */
#define SHOWN 5
#define DAY 86400

static enum fault list_folder(const struct inside *inside, const char *path, struct store_names *ret_names,
			      struct refusal *why)
{
	int r = store_list(inside->store_fd, path, ret_names);

	return r < 0 ? refuse(why, FAULT_STORE_DAMAGED, "%s: %s", path, strerror(-r)) : FAULT_NONE;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Takes what is in MORE over, without its ending; then each name is there once. */
static void merge_names(struct store_names *names, struct store_names *more)
{
	size_t n = 0;

	names->items = xrealloc(names->items, names->n_items + more->n_items + 1, sizeof(*names->items));
	for (size_t i = 0; i < more->n_items; i++) {
		more->items[i][strcspn(more->items[i], ".")] = '\0';
		names->items[names->n_items++] = more->items[i];
	}
	more->n_items = 0;
	qsort(names->items, names->n_items, sizeof(*names->items), compare_names);
	for (size_t i = 0; i < names->n_items; i++) {
		if (n > 0 && strcmp(names->items[n - 1], names->items[i]) == 0)
			free(names->items[i]);
		else
			names->items[n++] = names->items[i];
	}
	names->n_items = n;
}

/* Those whose plain files are here, and those that history knows. */
static enum fault list_versions(const struct inside *inside, const char *dataset, struct store_names *ret_names,
				struct refusal *why)
{
	_cleanup_(store_names_free) struct store_names histories = {0};
	_cleanup_free_ char *here = NULL, *history = NULL;
	enum fault fault;

	if (!notation_is_name(dataset))
		return refuse(why, FAULT_NO_SUCH, "%s: no dataset's name", dataset);
	here = xasprintf("datasets/%s/v", dataset);
	history = xasprintf("decisions/history/%s", dataset);
	if ((fault = list_folder(inside, here, ret_names, why)) != FAULT_NONE ||
	    (fault = list_folder(inside, history, &histories, why)) != FAULT_NONE)
		return fault;
	merge_names(ret_names, &histories);
	return ret_names->n_items > 0 ? FAULT_NONE
				      : refuse(why, FAULT_NO_SUCH, "%s: no version of it is here", dataset);
}

enum fault versions_find(const struct inside *inside, const char *dataset, const char *digits,
			 char ret_version[STORE_VERSION_SIZE], struct refusal *why)
{
	_cleanup_(store_names_free) struct store_names names = {0};
	char fit[SHOWN * (STORE_VERSION_SIZE + 2)] = "";
	enum fault fault = list_versions(inside, dataset, &names, why);
	const char *found = NULL;
	size_t n = 0;

	if (fault != FAULT_NONE)
		return fault;
	if (strlen(digits) < VERSIONS_DIGITS_LEAST)
		return refuse(why, FAULT_NO_SUCH, "%s: version %s: at least %d of its digits", dataset, digits,
			      VERSIONS_DIGITS_LEAST);
	for (size_t i = 0; i < names.n_items; i++) {
		if (strncmp(names.items[i], digits, strlen(digits)) != 0)
			continue;
		found = names.items[i];
		if (n++ < SHOWN)
			snprintf(fit + strlen(fit), sizeof(fit) - strlen(fit), "%s%s", n > 1 ? ", " : "", found);
	}
	if (n > 1)
		return refuse(why, FAULT_NO_SUCH, "%s: %zu versions begin with %s: %s%s", dataset, n, digits, fit,
			      n > SHOWN ? ", …" : "");
	if (n == 0)
		return refuse(why, FAULT_NO_SUCH, "%s: no version %s is here; see `clapet-inside history %s`", dataset,
			      digits, dataset);
	return text_copy(ret_version, STORE_VERSION_SIZE, found)
		       ? FAULT_NONE
		       : refuse(why, FAULT_STORE_DAMAGED, "datasets/%s/v/%s: no version's name", dataset, found);
}

enum fault versions_in_force(const struct inside *inside, const char *dataset, char ret_version[STORE_VERSION_SIZE],
			     struct refusal *why)
{
	uint64_t generation = 0;

	if (!notation_is_name(dataset))
		return refuse(why, FAULT_NO_SUCH, "%s: no dataset's name", dataset);
	if (store_current(inside->store_fd, &generation) < 0 || generation == 0 ||
	    store_generation_version(inside->store_fd, generation, dataset, ret_version) < 0)
		return refuse(why, FAULT_NO_SUCH, "nothing of %s is in force", dataset);
	return FAULT_NONE;
}

/* By the histories: the newest that was in force and had ceased to be when VERSION last came. */
static bool find_before(const struct inside *inside, const char *dataset, const char *version,
			char ret_version[STORE_VERSION_SIZE])
{
	const struct past_version *past;
	struct shown_list shown;
	struct past_list list;
	bool found = false;

	shown_load(inside->store_fd, &shown);
	past_list_load(inside->store_fd, dataset, &shown, &list);
	past = past_list_find(&list, version);
	for (size_t i = 0; past != NULL && past->n_spans > 0 && i < list.n_items && !found; i++) {
		const struct past_version *other = list.items[i];
		const struct past_span *last = other->n_spans == 0 ? NULL : &other->spans[other->n_spans - 1];

		found = other != past && last != NULL && last->until != 0 &&
			last->until <= past->spans[past->n_spans - 1].generation;
		if (found)
			store_version_name(&other->version, ret_version);
	}
	past_list_clear(&list);
	shown_clear(&shown);
	return found;
}

enum fault versions_before(const struct inside *inside, const char *dataset, const char *version,
			   char ret_version[STORE_VERSION_SIZE], struct refusal *why)
{
	_cleanup_free_ uint64_t *numbers = NULL;
	char shown[STORE_VERSION_SIZE];
	size_t n = 0;
	int r = store_generations(inside->store_fd, &numbers, &n);

	if (r < 0)
		return refuse(why, FAULT_STORE_DAMAGED, "generations: %s", strerror(-r));
	/* Back to the newest generation that shows VERSION, then on to the first that shows another. */
	while (n > 0 && (store_generation_version(inside->store_fd, numbers[n - 1], dataset, shown) < 0 ||
			 strcmp(shown, version) != 0))
		n--;
	while (n-- > 0) {
		if (store_generation_version(inside->store_fd, numbers[n], dataset, shown) == 0 &&
		    strcmp(shown, version) != 0) {
			memcpy(ret_version, shown, STORE_VERSION_SIZE);
			return FAULT_NONE;
		}
	}
	if (find_before(inside, dataset, version, ret_version))
		return FAULT_NONE;
	return refuse(why, FAULT_NO_SUCH, "%s: no version is known to have been in force before %s", dataset, version);
}

int64_t versions_demand_moment(const struct inside *inside, const char *text)
{
	int64_t at = moment_demand("--as-of", text, true);

	/* Today is a day that has an end, too. */
	if (at >= inside->now + DAY)
		die_usage("--as-of %s is still to come", text);
	return at < inside->now ? at : inside->now;
}

/* Of two that claim the moment (the clock was set back) the newer. */
static bool find_past(const struct past_list *list, int64_t at, char ret_version[STORE_VERSION_SIZE])
{
	for (size_t i = 0; i < list->n_items; i++) {
		if (!past_was_in_force(list->items[i], at))
			continue;
		store_version_name(&list->items[i]->version, ret_version);
		return true;
	}
	return false;
}

/* Of versions without a history the generation tells that was current then, if it is here. */
static bool find_shown(const struct shown_list *shown, const char *dataset, int64_t at,
		       char ret_version[STORE_VERSION_SIZE])
{
	const struct shown_entry *entry;
	size_t n = shown->n_items;

	while (n > 0 && shown->items[n - 1].created > at)
		n--;
	entry = n == 0 ? NULL : shown_entry(&shown->items[n - 1], dataset);
	if (entry == NULL || (n < shown->n_items && shown->items[n].number != shown->items[n - 1].number + 1))
		return false;
	memcpy(ret_version, entry->version, STORE_VERSION_SIZE);
	return true;
}

enum fault versions_as_of(const struct inside *inside, const char *dataset, int64_t at,
			  char ret_version[STORE_VERSION_SIZE], struct refusal *why)
{
	struct shown_list shown;
	struct past_list list;
	char when[40];
	bool found;

	if (!notation_is_name(dataset))
		return refuse(why, FAULT_NO_SUCH, "%s: no dataset's name", dataset);
	shown_load(inside->store_fd, &shown);
	past_list_load(inside->store_fd, dataset, &shown, &list);
	found = find_past(&list, at, ret_version) || find_shown(&shown, dataset, at, ret_version);
	past_list_clear(&list);
	shown_clear(&shown);
	notation_format_local(at, when, sizeof(when));
	return found ? FAULT_NONE
		     : refuse(why, FAULT_NO_SUCH, "%s: no version is known to have been in force on %s", dataset, when);
}
