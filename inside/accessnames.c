/* SPDX-License-Identifier: ISC
 *
 * accessrules, lists of names: what a view shows, what a key may read.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "inside/accessrules.h"

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

void access_names_clear(struct access_names *names)
{
	free(names->items);
	*names = (struct access_names){0};
}

bool access_names_has(const struct access_names *names, const char *name)
{
	return names->n_items > 0 && strlen(name) < NOTATION_NAME_SIZE &&
	       bsearch(name, names->items, names->n_items, sizeof(*names->items), compare) != NULL;
}

bool access_names_add(struct access_names *names, const char *name)
{
	if (access_names_has(names, name))
		return false;
	names->items = xrealloc(names->items, names->n_items + 1, sizeof(*names->items));
	if (!text_copy(names->items[names->n_items], sizeof(*names->items), name))
		die("a name of %zu bytes", strlen(name));
	names->n_items++;
	qsort(names->items, names->n_items, sizeof(*names->items), compare);
	return true;
}

bool access_names_equal(const struct access_names *a, const struct access_names *b)
{
	if (a->n_items != b->n_items)
		return false;
	for (size_t i = 0; i < a->n_items; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return true;
}

enum fault access_names_parse(const json_t *array, const char *where, const char *what, size_t limit,
			      struct access_names *ret, struct refusal *why)
{
	size_t n = json_array_size(array);

	if (n > limit)
		return refuse(why, FAULT_JSON_MEMBER, "%s: %zu %ss, at most %zu", where, n, what, limit);
	ret->items = xcalloc(n + 1, sizeof(*ret->items));
	for (ret->n_items = 0; ret->n_items < n; ret->n_items++) {
		const json_t *item = json_array_get(array, ret->n_items);
		const char *name = json_string_value(item);

		if (name == NULL || strlen(name) != json_string_length(item) || !notation_is_name(name))
			return refuse(why, FAULT_JSON_MEMBER, "%s: \"%.80s\" is no %s's name", where,
				      name == NULL ? "(no text)" : name, what);
		if (!text_copy(ret->items[ret->n_items], sizeof(*ret->items), name))
			return refuse(why, FAULT_JSON_MEMBER, "%s: a name that is too long", where);
	}
	qsort(ret->items, n, sizeof(*ret->items), compare);
	for (size_t i = 1; i < n; i++)
		if (strcmp(ret->items[i - 1], ret->items[i]) == 0)
			return refuse(why, FAULT_JSON_MEMBER, "%s: %s %s twice", where, what, ret->items[i]);
	return FAULT_NONE;
}

json_t *access_names_to_json(const struct access_names *names)
{
	json_t *array = json_or_die(json_array());

	for (size_t i = 0; i < names->n_items; i++)
		json_array_append_new(array, json_or_die(json_string(names->items[i])));
	return array;
}
