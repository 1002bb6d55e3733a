/* SPDX-License-Identifier: ISC
 *
 * accessrules: access.json, read strictly: what is misspelt here would be open where somebody believes it closed.
 */
#include "inside/accessrules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/limits.h"

static const char *const kind_words[] = {
	[ACCESS_OPEN] = "open", [ACCESS_LICENCE] = "licence", [ACCESS_PRIVATE] = "private"};

const char *access_kind_word(enum access_kind kind)
{
	return kind_words[kind];
}

struct access_rules *access_rules_open(void)
{
	return xcalloc(1, sizeof(struct access_rules));
}

static void view_clear(struct access_view *view)
{
	free(view->title);
	access_names_clear(&view->datasets);
	for (size_t i = 0; i < view->n_filters; i++) {
		free(view->filters[i].column);
		free(view->filters[i].value);
	}
	free(view->filters);
}

void access_rules_free(struct access_rules *rules)
{
	if (rules == NULL)
		return;
	for (size_t i = 0; i < rules->n_licences; i++)
		free(rules->licences[i].text);
	for (size_t i = 0; i < rules->n_views; i++)
		view_clear(&rules->views[i]);
	free(rules->licences);
	free(rules->datasets);
	free(rules->views);
	free(rules);
}

void access_rules_freep(struct access_rules **rules)
{
	access_rules_free(*rules);
}

/* --- what every list shares: entries of one size that begin with their name ------------------------------------------- */

static int compare_named(const void *a, const void *b)
{
	return strcmp(a, b);
}

static const void *find_named(const void *items, size_t n, size_t size, const char *name)
{
	return n == 0 ? NULL : bsearch(name, items, n, size, compare_named);
}

/* FAULT_JSON_MEMBER where two have the same name. */
static enum fault sort_named(void *items, size_t n, size_t size, const char *where, const char *what,
			     struct refusal *why)
{
	const char *at = items;

	if (n > 1)
		qsort(items, n, size, compare_named);
	for (size_t i = 1; i < n; i++)
		if (strcmp(at + (i - 1) * size, at + i * size) == 0)
			return refuse(why, FAULT_JSON_MEMBER, "%s: %s %s twice", where, what, at + i * size);
	return FAULT_NONE;
}

static enum fault get_name(const json_t *object, const char *where, const char *key, char ret[NOTATION_NAME_SIZE],
			   struct refusal *why)
{
	const char *name = NULL;
	enum fault fault = json_get_text(object, where, key, true, &name, why);

	if (fault != FAULT_NONE)
		return fault;
	if (!notation_is_name(name) || !text_copy(ret, NOTATION_NAME_SIZE, name))
		return refuse(why, FAULT_JSON_MEMBER, "%s: \"%s\" is \"%.80s\", which is no name", where, key, name);
	return FAULT_NONE;
}

/* A text of 1 to LIMIT_ACCESS_TEXT_SIZE - 1 bytes, new. */
static enum fault get_text(const json_t *object, const char *where, const char *key, char **ret, struct refusal *why)
{
	const char *text = NULL;
	enum fault fault = json_get_text(object, where, key, true, &text, why);

	if (fault != FAULT_NONE)
		return fault;
	if (text[0] == '\0' || strlen(text) >= LIMIT_ACCESS_TEXT_SIZE)
		return refuse(why, FAULT_JSON_MEMBER, "%s: \"%s\" is empty or longer than %d bytes", where, key,
			      LIMIT_ACCESS_TEXT_SIZE - 1);
	*ret = xstrdup(text);
	return FAULT_NONE;
}

static enum fault get_list(const json_t *root, const char *where, const char *key, size_t limit, json_t **ret,
			   struct refusal *why)
{
	enum fault fault = json_get_array(root, where, key, false, ret, why);

	if (fault == FAULT_NONE && json_array_size(*ret) > limit)
		return refuse(why, FAULT_JSON_MEMBER, "%s: %zu %s, at most %zu", where, json_array_size(*ret), key,
			      limit);
	return fault;
}

static enum fault get_object(const json_t *item, const char *where, const char *key, const char *const *allowed,
			     struct refusal *why)
{
	if (!json_is_object(item))
		return refuse(why, FAULT_JSON_MEMBER, "%s: an entry of \"%s\" is not an object", where, key);
	return json_only(item, where, allowed, why);
}

/* --- licences, grades, datasets ---------------------------------------------------------------------------------------- */

static enum fault get_licence(const json_t *item, const char *where, struct access_licence *ret, struct refusal *why)
{
	static const char *const allowed[] = {"name", "text", "sha256", NULL};
	const char *hex = NULL;
	enum fault fault;

	if ((fault = get_object(item, where, "licences", allowed, why)) != FAULT_NONE ||
	    (fault = get_name(item, where, "name", ret->name, why)) != FAULT_NONE ||
	    (fault = get_text(item, where, "text", &ret->text, why)) != FAULT_NONE ||
	    (fault = json_get_text(item, where, "sha256", true, &hex, why)) != FAULT_NONE)
		return fault;
	if (!sha256_from_hex(hex, &ret->sha256))
		return refuse(why, FAULT_JSON_MEMBER, "%s: licence %s: \"sha256\" is not 64 lower-case digits", where,
			      ret->name);
	return FAULT_NONE;
}

static enum fault get_licences(const json_t *root, const char *where, struct access_rules *rules, struct refusal *why)
{
	json_t *array = NULL;
	enum fault fault = get_list(root, where, "licences", LIMIT_ACCESS_LICENCES, &array, why);
	size_t n = json_array_size(array);

	rules->licences = xcalloc(n + 1, sizeof(*rules->licences));
	for (size_t i = 0; fault == FAULT_NONE && i < n; i++) {
		rules->n_licences = i + 1;
		fault = get_licence(json_array_get(array, i), where, &rules->licences[i], why);
	}
	if (fault != FAULT_NONE)
		return fault;
	return sort_named(rules->licences, n, sizeof(*rules->licences), where, "licence", why);
}

/* "access", with the "licence" or "hidden" that goes with it, of WHAT. */
static enum fault get_grade(const json_t *object, const char *where, const char *what, const struct access_rules *rules,
			    struct access_grade *ret, struct refusal *why)
{
	const char *word = NULL, *licence = NULL;
	enum fault fault;
	size_t kind = 0;

	if ((fault = json_get_text(object, where, "access", true, &word, why)) != FAULT_NONE ||
	    (fault = json_get_text(object, where, "licence", false, &licence, why)) != FAULT_NONE ||
	    (fault = json_get_bool(object, where, "hidden", false, &ret->hidden, why)) != FAULT_NONE)
		return fault;
	while (kind < ARRAY_SIZE(kind_words) && strcmp(kind_words[kind], word) != 0)
		kind++;
	if (kind == ARRAY_SIZE(kind_words))
		return refuse(why, FAULT_JSON_MEMBER, "%s: %s: \"access\" is \"%.40s\", not open, licence or private",
			      where, what, word);
	ret->kind = (enum access_kind)kind;
	if ((licence != NULL) != (ret->kind == ACCESS_LICENCE))
		return refuse(why, FAULT_JSON_MEMBER,
			      "%s: %s: \"licence\" goes with the access \"licence\", and with no other", where, what);
	if (ret->hidden && ret->kind != ACCESS_PRIVATE)
		return refuse(why, FAULT_JSON_MEMBER, "%s: %s: only what is private can be hidden", where, what);
	if (licence != NULL && (ret->licence = access_licence_of(rules, licence)) == NULL)
		return refuse(why, FAULT_JSON_MEMBER, "%s: %s: there is no licence \"%.80s\"", where, what, licence);
	return FAULT_NONE;
}

static enum fault get_default(const json_t *root, const char *where, struct access_rules *rules, struct refusal *why)
{
	static const char *const allowed[] = {"access", "licence", "hidden", NULL};
	json_t *object = NULL;
	enum fault fault;

	if ((fault = json_get_object(root, where, "default", true, &object, why)) != FAULT_NONE ||
	    (fault = json_only(object, where, allowed, why)) != FAULT_NONE)
		return fault;
	return get_grade(object, where, "the default", rules, &rules->fallback, why);
}

static enum fault get_datasets(const json_t *root, const char *where, struct access_rules *rules, struct refusal *why)
{
	static const char *const allowed[] = {"name", "access", "licence", "hidden", NULL};
	json_t *array = NULL;
	enum fault fault = get_list(root, where, "datasets", LIMIT_ROLES, &array, why);
	size_t n = json_array_size(array);

	rules->datasets = xcalloc(n + 1, sizeof(*rules->datasets));
	for (size_t i = 0; fault == FAULT_NONE && i < n; i++) {
		const json_t *item = json_array_get(array, i);
		struct access_dataset *dataset = &rules->datasets[i];

		if ((fault = get_object(item, where, "datasets", allowed, why)) == FAULT_NONE &&
		    (fault = get_name(item, where, "name", dataset->name, why)) == FAULT_NONE)
			fault = get_grade(item, where, dataset->name, rules, &dataset->grade, why);
	}
	rules->n_datasets = n;
	if (fault != FAULT_NONE)
		return fault;
	return sort_named(rules->datasets, n, sizeof(*rules->datasets), where, "dataset", why);
}

/* --- views --------------------------------------------------------------------------------------------------------------- */

static int compare_filters(const void *a, const void *b)
{
	const struct access_filter *x = a, *y = b;
	int order = strcmp(x->dataset, y->dataset);

	return order != 0 ? order : strcmp(x->resource, y->resource);
}

static enum fault get_filter(const json_t *item, const char *where, const struct access_view *view,
			     struct access_filter *ret, struct refusal *why)
{
	static const char *const allowed[] = {"dataset", "resource", "column", "value", NULL};
	enum fault fault;

	if ((fault = get_object(item, where, "rows", allowed, why)) != FAULT_NONE ||
	    (fault = get_name(item, where, "dataset", ret->dataset, why)) != FAULT_NONE ||
	    (fault = get_name(item, where, "resource", ret->resource, why)) != FAULT_NONE ||
	    (fault = get_text(item, where, "column", &ret->column, why)) != FAULT_NONE ||
	    (fault = get_text(item, where, "value", &ret->value, why)) != FAULT_NONE)
		return fault;
	if (!access_names_has(&view->datasets, ret->dataset))
		return refuse(why, FAULT_JSON_MEMBER, "%s: view %s: rows of %s, which it does not show", where,
			      view->name, ret->dataset);
	return FAULT_NONE;
}

static enum fault get_filters(const json_t *item, const char *where, struct access_view *view, struct refusal *why)
{
	json_t *array = NULL;
	enum fault fault = get_list(item, where, "rows", LIMIT_ACCESS_FILTERS, &array, why);
	size_t n = json_array_size(array);

	view->filters = xcalloc(n + 1, sizeof(*view->filters));
	for (size_t i = 0; fault == FAULT_NONE && i < n; i++) {
		view->n_filters = i + 1;
		fault = get_filter(json_array_get(array, i), where, view, &view->filters[i], why);
	}
	if (fault != FAULT_NONE)
		return fault;
	if (n > 1)
		qsort(view->filters, n, sizeof(*view->filters), compare_filters);
	for (size_t i = 1; i < n; i++)
		if (compare_filters(&view->filters[i - 1], &view->filters[i]) == 0)
			return refuse(why, FAULT_JSON_MEMBER, "%s: view %s: rows of %s/%s twice", where, view->name,
				      view->filters[i].dataset, view->filters[i].resource);
	return FAULT_NONE;
}

static enum fault get_view(const json_t *item, const char *where, const struct access_rules *rules,
			   struct access_view *view, struct refusal *why)
{
	static const char *const allowed[] = {"name", "title", "access", "licence", "hidden", "datasets", "rows", NULL};
	json_t *datasets = NULL;
	char what[NOTATION_NAME_SIZE + 8];
	enum fault fault;

	if ((fault = get_object(item, where, "views", allowed, why)) != FAULT_NONE ||
	    (fault = get_name(item, where, "name", view->name, why)) != FAULT_NONE)
		return fault;
	snprintf(what, sizeof(what), "view %s", view->name);
	if ((fault = get_text(item, where, "title", &view->title, why)) != FAULT_NONE ||
	    (fault = get_grade(item, where, what, rules, &view->grade, why)) != FAULT_NONE ||
	    (fault = json_get_array(item, where, "datasets", true, &datasets, why)) != FAULT_NONE ||
	    (fault = access_names_parse(datasets, where, "dataset", LIMIT_ROLES, &view->datasets, why)) != FAULT_NONE)
		return fault;
	return get_filters(item, where, view, why);
}

static enum fault get_views(const json_t *root, const char *where, struct access_rules *rules, struct refusal *why)
{
	json_t *array = NULL;
	enum fault fault = get_list(root, where, "views", LIMIT_ACCESS_VIEWS, &array, why);
	size_t n = json_array_size(array);

	rules->views = xcalloc(n + 1, sizeof(*rules->views));
	for (size_t i = 0; fault == FAULT_NONE && i < n; i++) {
		rules->n_views = i + 1;
		fault = get_view(json_array_get(array, i), where, rules, &rules->views[i], why);
	}
	if (fault != FAULT_NONE)
		return fault;
	return sort_named(rules->views, n, sizeof(*rules->views), where, "view", why);
}

/* --- rates, and the whole ------------------------------------------------------------------------------------------------ */

static enum fault get_rate(const json_t *rates, const char *where, const char *key, struct access_rate *ret,
			   struct refusal *why)
{
	static const char *const allowed[] = {"perMinute", "burst", NULL};
	json_t *object = NULL;
	enum fault fault = json_get_object(rates, where, key, false, &object, why);

	if (fault != FAULT_NONE || object == NULL)
		return fault;
	if ((fault = json_only(object, where, allowed, why)) != FAULT_NONE ||
	    (fault = json_get_integer(object, where, "perMinute", true, 1, LIMIT_ACCESS_RATE, &ret->per_minute, why)) !=
		    FAULT_NONE)
		return fault;
	return json_get_integer(object, where, "burst", true, 1, LIMIT_ACCESS_RATE, &ret->burst, why);
}

static enum fault get_rates(const json_t *root, const char *where, struct access_rules *rules, struct refusal *why)
{
	static const char *const allowed[] = {"key", "address", NULL};
	json_t *rates = NULL;
	enum fault fault = json_get_object(root, where, "rates", false, &rates, why);

	if (fault != FAULT_NONE || rates == NULL)
		return fault;
	if ((fault = json_only(rates, where, allowed, why)) != FAULT_NONE ||
	    (fault = get_rate(rates, where, "key", &rules->key_rate, why)) != FAULT_NONE)
		return fault;
	return get_rate(rates, where, "address", &rules->address_rate, why);
}

static enum fault fill(const json_t *root, const char *where, struct access_rules *rules, struct refusal *why)
{
	static const char *const allowed[] = {"format", "licences", "default", "datasets", "views", "rates", NULL};
	enum fault fault;

	if ((fault = json_format(root, where, "clapet access", 1, why)) != FAULT_NONE ||
	    (fault = json_only(root, where, allowed, why)) != FAULT_NONE ||
	    (fault = get_licences(root, where, rules, why)) != FAULT_NONE ||
	    (fault = get_default(root, where, rules, why)) != FAULT_NONE ||
	    (fault = get_datasets(root, where, rules, why)) != FAULT_NONE ||
	    (fault = get_views(root, where, rules, why)) != FAULT_NONE)
		return fault;
	return get_rates(root, where, rules, why);
}

/* Whatever the JSON rule was, to its reader these are rules that cannot be used. */
static enum fault as_rules(struct refusal *why)
{
	if (why != NULL)
		why->fault = FAULT_ACCESS_RULES;
	return FAULT_ACCESS_RULES;
}

enum fault access_rules_parse(const void *data, size_t size, const char *where, struct access_rules **ret_rules,
			      struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *root = NULL;
	_cleanup_(access_rules_freep) struct access_rules *rules = access_rules_open();

	if (json_parse(data, size, LIMIT_JSON_SIZE, &root, why) != FAULT_NONE) {
		refuse_within(why, "%s", where);
		return as_rules(why);
	}
	if (fill(root, where, rules, why) != FAULT_NONE)
		return as_rules(why);
	*ret_rules = steal_pointer(&rules);
	return FAULT_NONE;
}

enum fault access_rules_load(const char *path, struct access_rules **ret_rules, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = fd_load_file(AT_FDCWD, path, LIMIT_JSON_SIZE, &data, &size);

	if (r < 0)
		return refuse(why, FAULT_ACCESS_RULES, "%s: %s", path, strerror(-r));
	return access_rules_parse(data, size, path, ret_rules, why);
}

/* --- asked --------------------------------------------------------------------------------------------------------------- */

bool access_rules_all_open(const struct access_rules *rules)
{
	bool is_open = rules->fallback.kind == ACCESS_OPEN;

	for (size_t i = 0; is_open && i < rules->n_datasets; i++)
		is_open = rules->datasets[i].grade.kind == ACCESS_OPEN;
	for (size_t i = 0; is_open && i < rules->n_views; i++)
		is_open = rules->views[i].grade.kind == ACCESS_OPEN;
	return is_open;
}

const struct access_licence *access_licence_of(const struct access_rules *rules, const char *name)
{
	return find_named(rules->licences, rules->n_licences, sizeof(*rules->licences), name);
}

const struct access_view *access_view_of(const struct access_rules *rules, const char *name)
{
	return find_named(rules->views, rules->n_views, sizeof(*rules->views), name);
}

const struct access_grade *access_grade_of(const struct access_rules *rules, const char *dataset)
{
	const struct access_dataset *entry = find_named(rules->datasets, rules->n_datasets, sizeof(*rules->datasets),
							dataset);

	return entry == NULL ? &rules->fallback : &entry->grade;
}

const struct access_filter *access_filter_of(const struct access_view *view, const char *dataset, const char *resource)
{
	for (size_t i = 0; i < view->n_filters; i++)
		if (strcmp(view->filters[i].dataset, dataset) == 0 && strcmp(view->filters[i].resource, resource) == 0)
			return &view->filters[i];
	return NULL;
}

bool access_view_filters(const struct access_view *view, const char *dataset)
{
	for (size_t i = 0; i < view->n_filters; i++)
		if (strcmp(view->filters[i].dataset, dataset) == 0)
			return true;
	return false;
}

enum fault access_licence_check(const char *path, const struct access_licence *licence, struct refusal *why)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *file = licence->text[0] == '/' || slash == NULL
					    ? xstrdup(licence->text)
					    : xasprintf("%.*s/%s", (int)(slash - path), path, licence->text);
	_cleanup_free_ uint8_t *data = NULL;
	char is[SHA256_HEX_SIZE], wanted[SHA256_HEX_SIZE];
	struct sha256 sha256;
	size_t size;
	int r = fd_load_file(AT_FDCWD, file, LIMIT_ACCESS_LICENCE_SIZE, &data, &size);

	if (r < 0)
		return refuse(why, FAULT_ACCESS_TEXT, "licence %s: %s: %s", licence->name, file, strerror(-r));
	hash_bytes(data, size, &sha256);
	if (sha256_equal(&sha256, &licence->sha256))
		return FAULT_NONE;
	sha256_to_hex(&sha256, is);
	sha256_to_hex(&licence->sha256, wanted);
	return refuse(why, FAULT_ACCESS_TEXT, "licence %s: %s has the digest %s, access.json says %s", licence->name,
		      file, is, wanted);
}
