/* SPDX-License-Identifier: ISC
 *
 * columnmap: the lines of a map, in a closed world; see columnmap.h.
 */
#include "schemas/columnmap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "schemas/columnmap_internal.h"
#include "schemas/field.h"

static struct cell cell_of(const char *text)
{
	return (struct cell){text, strlen(text)};
}

int columnmap_compare_cells(const struct cell *a, const struct cell *b)
{
	int order = memcmp(a->text, b->text, a->size < b->size ? a->size : b->size);

	return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_values(const void *a, const void *b)
{
	return columnmap_compare_cells(&((const struct columnmap_value *)a)->from,
				       &((const struct columnmap_value *)b)->from);
}

bool columnmap_drops(const struct columnmap *map, const char *label)
{
	return map->n_drops > 0 &&
	       bsearch(&label, map->drops, map->n_drops, sizeof(map->drops[0]), compare_texts) != NULL;
}

/* --- one line ----------------------------------------------------------------------------------------------------- */

static enum fault bad(struct refusal *why, const char *where, const char *what)
{
	return refuse(why, FAULT_SOURCE_MAP, "%s %s", where, what);
}

/* The JSON helpers' own faults are one of ours: the map is the steward's. */
static enum fault of_map(struct refusal *why)
{
	why->fault = FAULT_SOURCE_MAP;
	return why->fault;
}

/* A text, or an array of distinct ones, appended to *NAMES. */
static enum fault read_names(const json_t *line, const char *key, size_t limit, const char *where, const char ***names,
			     size_t *n_names, struct refusal *why)
{
	const json_t *value = json_object_get(line, key);
	size_t n = json_is_array(value) ? json_array_size(value) : 1, start = *n_names;

	if (n == 0 || n > limit - start)
		return refuse(why, FAULT_SOURCE_MAP, "%s: \"%s\" takes 1 to %zu names", where, key, limit - start);
	*names = xrealloc(*names, start + n, sizeof(**names));
	for (size_t i = 0; i < n; i++) {
		const json_t *item = json_is_array(value) ? json_array_get(value, i) : value;

		if (!json_is_string(item) || strlen(json_string_value(item)) != json_string_length(item))
			return refuse(why, FAULT_SOURCE_MAP, "%s: \"%s\" takes a name, or an array of names", where,
				      key);
		for (size_t j = start; j < *n_names; j++) {
			if (strcmp((*names)[j], json_string_value(item)) == 0)
				return refuse(why, FAULT_SOURCE_MAP, "%s: \"%s\" names %s twice", where, key,
					      (*names)[j]);
		}
		(*names)[(*n_names)++] = json_string_value(item);
	}
	return FAULT_NONE;
}

/* A text of at most LIMIT bytes between the items of a list. */
static enum fault read_separator(const json_t *line, const char *key, size_t limit, const char *where, struct cell *ret,
				 struct refusal *why)
{
	const char *text = NULL;

	if (json_get_text(line, where, key, false, &text, why) != FAULT_NONE)
		return of_map(why);
	if (text == NULL)
		return FAULT_NONE;
	*ret = cell_of(text);
	if (ret->size < 1 || ret->size > limit)
		return refuse(why, FAULT_SOURCE_MAP, "%s: \"%s\" takes 1 to %zu bytes", where, key, limit);
	return FAULT_NONE;
}

static enum fault read_split(const json_t *line, const char *where, struct columnmap_field *field, struct refusal *why)
{
	int64_t item = 0;

	if (read_separator(line, "split", LIMIT_MAP_SPLIT_SIZE, where, &field->split, why) != FAULT_NONE ||
	    read_separator(line, "join", 1, where, &field->join, why) != FAULT_NONE)
		return why->fault;
	if (json_get_integer(line, where, "item", false, 1, LIMIT_FIELDS, &item, why) != FAULT_NONE)
		return of_map(why);
	field->item = (size_t)item;
	if (field->split.text == NULL && (field->join.text != NULL || field->item > 0))
		return bad(why, where, "has no \"split\" for its \"item\" or \"join\"");
	if (field->split.text != NULL && (field->join.text != NULL) == (field->item > 0))
		return bad(why, where, "splits a list: it takes \"item\" or \"join\", one of them");
	return FAULT_NONE;
}

static enum fault read_values(const json_t *line, const char *where, struct columnmap_field *field, struct refusal *why)
{
	json_t *object = NULL, *value;
	const char *key;

	if (json_get_object(line, where, "values", false, &object, why) != FAULT_NONE)
		return of_map(why);
	if (object == NULL)
		return FAULT_NONE;
	if (json_object_size(object) < 1 || json_object_size(object) > LIMIT_TEXTS)
		return refuse(why, FAULT_SOURCE_MAP, "%s: \"values\" takes 1 to %d", where, LIMIT_TEXTS);
	field->values = xcalloc(json_object_size(object), sizeof(field->values[0]));
	json_object_foreach(object, key, value)
	{
		if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
			return bad(why, where, "has a value that becomes no text");
		field->values[field->n_values++] = (struct columnmap_value){cell_of(key),
									    cell_of(json_string_value(value))};
	}
	qsort(field->values, field->n_values, sizeof(field->values[0]), compare_values);
	return FAULT_NONE;
}

/* A default that breaks the promise would be a fault in every row. */
static enum fault check_default(const struct columnmap_field *field, const struct field *promised, const char *where,
				struct refusal *why)
{
	struct value_scratch scratch;
	unsigned broken = 0;
	char note[256];

	if (field_is_missing(promised, field->text.text, field->text.size))
		broken = promised->required ? RULE_REQUIRED : 0;
	else
		broken = field_check(promised, field->text.text, field->text.size, &scratch, NULL);
	if (broken == 0)
		return FAULT_NONE;
	return refuse(why, FAULT_SOURCE_MAP, "%s: the default \"%s\" %s", where, field->text.text,
		      field_note(promised, (enum field_rule)(broken & -broken), field->text.text, field->text.size,
				 note, sizeof(note)));
}

static enum fault read_place(const json_t *line, const char *where, struct columnmap_field *field, struct refusal *why)
{
	const char *text = NULL;
	int64_t position = 0;

	if (json_get_integer(line, where, "position", false, 1, LIMIT_FIELDS, &position, why) != FAULT_NONE ||
	    json_get_text(line, where, "default", false, &text, why) != FAULT_NONE)
		return of_map(why);
	field->position = (size_t)position;
	field->has_default = text != NULL;
	if (text != NULL)
		field->text = cell_of(text);
	if (json_object_get(line, "from") == NULL)
		return FAULT_NONE;
	if (field->position > 0)
		return bad(why, where, "has \"from\" and \"position\": one of them");
	return read_names(line, "from", LIMIT_MAP_NAMES, where, &field->names, &field->n_names, why);
}

static enum fault read_field(struct columnmap *map, const json_t *line, const char *where, const struct schema *schema,
			     struct refusal *why)
{
	static const char *const allowed[] = {"field", "from", "position", "default", "split",
					      "item",  "join", "values",   NULL};
	struct columnmap_field *field = NULL;
	const char *name = NULL;
	size_t index;

	if (json_only(line, where, allowed, why) != FAULT_NONE ||
	    json_get_text(line, where, "field", true, &name, why) != FAULT_NONE)
		return of_map(why);
	for (index = 0; index < map->n_fields && field == NULL; index++) {
		if (strcmp(map->fields[index].name, name) == 0)
			field = &map->fields[index];
	}
	if (field == NULL)
		return refuse(why, FAULT_SOURCE_MAP, "%s: the schema has no field %s", where, name);
	if (field->has_line)
		return refuse(why, FAULT_SOURCE_MAP, "%s: an earlier line gives %s", where, name);
	if (json_object_size(line) == 1)
		return refuse(why, FAULT_SOURCE_MAP, "%s: says nothing of %s", where, name);
	field->has_line = true;
	if (read_place(line, where, field, why) != FAULT_NONE || read_split(line, where, field, why) != FAULT_NONE ||
	    read_values(line, where, field, why) != FAULT_NONE)
		return why->fault;
	return field->has_default ? check_default(field, schema->fields[index - 1], where, why) : FAULT_NONE;
}

static enum fault read_line(struct columnmap *map, const json_t *line, const char *where, const struct schema *schema,
			    struct refusal *why)
{
	static const char *const allowed[] = {"drop", NULL};
	const char *all = json_string_value(json_object_get(line, "drop"));

	if (!json_is_object(line))
		return bad(why, where, "is no object");
	if (json_object_get(line, "drop") == NULL)
		return read_field(map, line, where, schema, why);
	if (json_only(line, where, allowed, why) != FAULT_NONE)
		return of_map(why);
	if (all == NULL || strcmp(all, "*") != 0)
		return read_names(line, "drop", LIMIT_FIELDS, where, &map->drops, &map->n_drops, why);
	if (map->drops_all)
		return bad(why, where, "drops what is left a second time");
	map->drops_all = true;
	return FAULT_NONE;
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

/* The field's own name comes last, unless a line drops that column or goes by place. */
static void add_own_name(const struct columnmap *map, struct columnmap_field *field)
{
	if (field->position > 0 || columnmap_drops(map, field->name))
		return;
	for (size_t i = 0; i < field->n_names; i++) {
		if (strcmp(field->names[i], field->name) == 0)
			return;
	}
	field->names = xrealloc(field->names, field->n_names + 1, sizeof(field->names[0]));
	field->names[field->n_names++] = field->name;
	field->has_own = true;
}

static enum fault settle(struct columnmap *map, struct refusal *why)
{
	qsort(map->drops, map->n_drops, sizeof(map->drops[0]), compare_texts);
	for (size_t i = 1; i < map->n_drops; i++) {
		if (strcmp(map->drops[i - 1], map->drops[i]) == 0)
			return refuse(why, FAULT_SOURCE_MAP, "map: \"%s\" is dropped twice", map->drops[i]);
	}
	for (size_t i = 0; i < map->n_fields; i++) {
		struct columnmap_field *field = &map->fields[i];

		for (size_t j = 0; j < field->n_names; j++) {
			if (columnmap_drops(map, field->names[j]))
				return refuse(why, FAULT_SOURCE_MAP, "map: \"%s\" is dropped, and gives %s too",
					      field->names[j], field->name);
		}
		add_own_name(map, field);
		if (field->n_names == 0 && field->position == 0 && !field->has_default)
			return refuse(why, FAULT_SOURCE_MAP, "map: %s is dropped, and nothing else gives that field",
				      field->name);
	}
	return FAULT_NONE;
}

enum fault columnmap_parse(json_t *json, const struct schema *schema, struct columnmap **ret_map, struct refusal *why)
{
	_cleanup_(columnmap_freep) struct columnmap *map = xcalloc(1, sizeof(*map));

	if (json != NULL &&
	    (!json_is_array(json) || json_array_size(json) == 0 || json_array_size(json) > LIMIT_FIELDS))
		return refuse(why, FAULT_SOURCE_MAP, "map: is no array of 1 to %d lines", LIMIT_FIELDS);
	if (schema == NULL || schema->n_fields == 0)
		return refuse(why, FAULT_SOURCE_MAP, "map: there is no schema whose fields it could give");
	map->json = json_incref(json);
	map->fields = xcalloc(schema->n_fields, sizeof(map->fields[0]));
	map->drops = xcalloc(1, sizeof(map->drops[0]));
	for (size_t i = 0; i < schema->n_fields; i++)
		map->fields[map->n_fields++].name = schema->fields[i]->name;
	for (size_t i = 0; i < json_array_size(json); i++) {
		char where[32];

		snprintf(where, sizeof(where), "map line %zu", i + 1);
		if (read_line(map, json_array_get(json, i), where, schema, why) != FAULT_NONE)
			return why->fault;
	}
	if (settle(map, why) != FAULT_NONE)
		return why->fault;
	*ret_map = steal_pointer(&map);
	return FAULT_NONE;
}

enum fault columnmap_load(const struct resource *resource, struct columnmap **ret_map, struct refusal *why)
{
	json_t *json = json_object_get(json_object_get(resource->json, "clapet"), "map");

	*ret_map = NULL;
	if (json == NULL)
		return FAULT_NONE;
	if (!resource->is_table || resource->opaque || resource->verbatim)
		return refuse(why, FAULT_SOURCE_MAP, "resource %s: map: only the rows of a table can be mapped, not %s",
			      resource->name, resource->verbatim ? "verbatim bytes" : "what is none");
	if (columnmap_parse(json, resource->schema, ret_map, why) != FAULT_NONE)
		return refuse_within(why, "resource %s", resource->name);
	return FAULT_NONE;
}

void columnmap_free(struct columnmap *map)
{
	if (map == NULL)
		return;
	for (size_t i = 0; i < map->n_fields; i++) {
		free(map->fields[i].names);
		free(map->fields[i].values);
	}
	free(map->fields);
	free(map->drops);
	json_decref(map->json);
	free(map);
}

void columnmap_freep(struct columnmap **map)
{
	columnmap_free(*map);
}

const json_t *columnmap_json(const struct columnmap *map)
{
	return map->json;
}
