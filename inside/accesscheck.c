/* SPDX-License-Identifier: ISC
 *
 * accesscheck: names that lead nowhere.
 */
#include "inside/accesscheck.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "inside/generation.h"
#include "inside/store.h"

struct check {
	int store_fd;
	const struct access_rules *rules;
	struct generation current;
	access_warn *warn;
	void *ctx;
};

static __attribute__((format(printf, 2, 3))) void say(const struct check *check, const char *format, ...)
{
	char line[FAULT_LINE_SIZE], shown[FAULT_LINE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	check->warn(check->ctx, text_escape(line, strlen(line), shown, sizeof(shown)));
}

/* The entry of the list KEY of OBJECT whose "name" is NAME, or NULL. */
static const json_t *find_named(const json_t *object, const char *key, const char *name)
{
	const json_t *list = json_object_get(object, key);

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *is = json_string_value(json_object_get(json_array_get(list, i), "name"));

		if (is != NULL && strcmp(is, name) == 0)
			return json_array_get(list, i);
	}
	return NULL;
}

/* The datapackage.json in force, new; NULL: nothing of it is in force, or it cannot be read. */
static json_t *load_package(const struct check *check, const char *dataset)
{
	const struct generation_entry *entry = generation_entry(&check->current, dataset);
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_close_ int fd = -1;
	json_t *package = NULL;
	size_t size;

	if (entry != NULL)
		fd = store_open_version_file(check->store_fd, dataset, entry->version, "datapackage.json");
	if (fd < 0 || fd_load(fd, LIMIT_PACKAGE_SIZE, &data, &size) < 0 ||
	    json_parse(data, size, LIMIT_PACKAGE_SIZE, &package, NULL) != FAULT_NONE)
		return NULL;
	return package;
}

static void check_filter(const struct check *check, const struct access_view *view, const struct access_filter *filter)
{
	_cleanup_(json_decrefp) json_t *package = load_package(check, filter->dataset);
	const json_t *resource = find_named(package, "resources", filter->resource);

	if (package == NULL)
		return; /* said of the dataset */
	if (resource == NULL)
		say(check, "view %s: %s has no resource %s", view->name, filter->dataset, filter->resource);
	else if (find_named(json_object_get(resource, "schema"), "fields", filter->column) == NULL)
		say(check, "view %s: %s/%s has no column \"%.80s\" in the schema in force: it shows no rows",
		    view->name, filter->dataset, filter->resource, filter->column);
}

static void check_view(const struct check *check, const struct access_view *view)
{
	for (size_t i = 0; i < view->datasets.n_items; i++)
		if (generation_entry(&check->current, view->datasets.items[i]) == NULL)
			say(check, "view %s: nothing of dataset %s is in force", view->name, view->datasets.items[i]);
	for (size_t i = 0; i < view->n_filters; i++)
		check_filter(check, view, &view->filters[i]);
}

static void check_key(const struct check *check, const struct access_key *key, int64_t now)
{
	char until[NOTATION_TIME_SIZE];

	if (!access_key_is_live(key, now))
		return;
	for (size_t i = 0; i < key->datasets.n_items; i++)
		if (generation_entry(&check->current, key->datasets.items[i]) == NULL)
			say(check, "key k%u of %.80s: nothing of dataset %s is in force", key->number, key->owner,
			    key->datasets.items[i]);
	for (size_t i = 0; i < key->views.n_items; i++)
		if (access_view_of(check->rules, key->views.items[i]) == NULL)
			say(check, "key k%u of %.80s: there is no view %s", key->number, key->owner,
			    key->views.items[i]);
	for (size_t i = 0; i < key->n_accepted; i++) {
		const struct access_licence *licence = access_licence_of(check->rules, key->accepted[i].licence);

		if (licence != NULL && !sha256_equal(&licence->sha256, &key->accepted[i].sha256))
			say(check,
			    "key k%u of %.80s: licence %s changed since it was accepted: it reads nothing under it",
			    key->number, key->owner, licence->name);
	}
	if (key->until != 0 && key->until < now + ACCESS_ENDS_SOON) {
		notation_format_time(key->until, until);
		say(check, "key k%u of %.80s ends on %.10s", key->number, key->owner, until);
	}
}

enum fault access_check(int store_fd, const struct access_rules *rules, const struct access_keys *keys, int64_t now,
			access_warn *warn, void *ctx, struct refusal *why)
{
	struct check check = {.store_fd = store_fd, .rules = rules, .warn = warn, .ctx = ctx};
	enum fault fault = generation_load_current(store_fd, &check.current, why);

	if (fault != FAULT_NONE)
		return fault;
	for (size_t i = 0; i < rules->n_datasets; i++)
		if (generation_entry(&check.current, rules->datasets[i].name) == NULL)
			say(&check, "dataset %s: nothing of it is in force", rules->datasets[i].name);
	for (size_t i = 0; i < rules->n_views; i++)
		check_view(&check, &rules->views[i]);
	for (size_t i = 0; i < keys->n_items; i++)
		check_key(&check, &keys->items[i], now);
	generation_clear(&check.current);
	return FAULT_NONE;
}
