/* SPDX-License-Identifier: ISC
 *
 * published: a schema's own properties, and how one property is brought to the standard's form.
 */
#include "schemas/published.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"

static void tell(const struct published_place *place, const char *property, const char *what)
{
	warnings_add(place->warnings, "%s%s %s", place->where, property, what);
}

void published_drop(json_t *object, const char *property, const char *why, const struct published_place *place)
{
	tell(place, property, why);
	json_object_del(object, property);
}

bool published_move(json_t *object, const char *from, const char *to, const struct published_place *place)
{
	json_t *value = json_object_get(object, from);

	if (value == NULL)
		return false;
	if (json_object_get(object, to) != NULL) {
		warnings_add(place->warnings, "%s\"%s\" is not read: %s is there too", place->where, from, to);
	} else {
		warnings_add(place->warnings, "%s\"%s\" is read as %s", place->where, from, to);
		json_object_set(object, to, value);
	}
	json_object_del(object, from);
	return true;
}

/* Whether both have the same letters and digits, whatever their case. */
static bool is_same_word(const char *a, const char *b)
{
	for (;;) {
		while (*a == '_' || *a == '-' || *a == ' ')
			a++;
		while (*b == '_' || *b == '-' || *b == ' ')
			b++;
		if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
			return false;
		if (*a == '\0')
			return true;
		a++;
		b++;
	}
}

/* A key of OBJECT that is NAME in another spelling; NULL: none. Borrowed. */
static const char *find_other_spelling(json_t *object, const char *name)
{
	for (void *i = json_object_iter(object); i != NULL; i = json_object_iter_next(object, i)) {
		const char *key = json_object_iter_key(i);

		if (strcmp(key, name) != 0 && is_same_word(key, name))
			return key;
	}
	return NULL;
}

void published_rename(json_t *object, const char *const *known, const struct published_place *place)
{
	for (size_t i = 0; known[i] != NULL; i++) {
		const char *key;

		while ((key = find_other_spelling(object, known[i])) != NULL) {
			_cleanup_free_ char *from = xstrdup(key);

			published_move(object, from, known[i], place);
		}
	}
}

void published_flag(json_t *object, const char *property, const struct published_place *place)
{
	static const char *const words[2][5] = {{"false", "0", "non", "no", "faux"},
						{"true", "1", "oui", "yes", "vrai"}};
	const json_t *value = json_object_get(object, property);
	char text[8] = "";

	if (json_is_integer(value) && (json_integer_value(value) == 0 || json_integer_value(value) == 1))
		snprintf(text, sizeof(text), "%d", (int)json_integer_value(value));
	else if (json_is_string(value) && json_string_length(value) < sizeof(text))
		memcpy(text, json_string_value(value), json_string_length(value) + 1);
	for (size_t truth = 0; truth < 2; truth++) {
		for (size_t i = 0; i < ARRAY_SIZE(words[0]); i++) {
			if (strcasecmp(text, words[truth][i]) != 0)
				continue;
			warnings_add(place->warnings, "%s%s is \"%s\", which is read as %s", place->where, property,
				     text, truth == 1 ? "true" : "false");
			json_object_set_new(object, property, json_boolean(truth));
			return;
		}
	}
}

/* The text that a cell would have; NULL: none. New reference. */
static json_t *text_of(const json_t *value)
{
	_cleanup_free_ char *dump = NULL;

	if (json_is_null(value))
		return json_or_die(json_string(""));
	if (!json_is_number(value) && !json_is_boolean(value))
		return NULL;
	dump = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	return json_or_die(json_string(dump));
}

void published_texts(json_t *object, const char *property, const struct published_place *place)
{
	json_t *array = json_object_get(object, property), *item;
	size_t i;

	if (json_is_null(array)) {
		json_object_del(object, property);
	} else if (json_is_string(array)) {
		tell(place, property, "is one text, which is read as a list of it");
		json_object_set_new(object, property, json_or_die(json_pack("[O]", array)));
	}
	json_array_foreach(array, i, item)
	{
		json_t *text = text_of(item);

		if (text == NULL)
			continue;
		warnings_add(place->warnings, "%s%s holds what is no text, which is read as \"%s\"", place->where,
			     property, json_string_value(text));
		json_array_set_new(array, i, text);
	}
}

/* --- the schema ---------------------------------------------------------------------------------------------------- */

/* Lower case, digits, ".", "_", "/", "-" (the standard's profile). Nothing here depends on it. */
static void check_name(const json_t *schema, const struct published_place *place)
{
	const char *name = json_string_value(json_object_get(schema, "name"));

	if (name != NULL && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._/-") != strlen(name))
		warnings_add(place->warnings, "name \"%.100s\" is not of the letters that the standard gives it", name);
}

static bool is_empty(const json_t *value)
{
	return json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0) ||
	       (json_is_array(value) && json_array_size(value) == 0) ||
	       (json_is_object(value) && json_object_size(value) == 0);
}

/* "No key" as null, "", [] or {}; one key that is not in a list. */
static void read_keys(json_t *schema, const struct published_place *place)
{
	static const char *const properties[] = {"primaryKey", "uniqueKeys", "foreignKeys"};

	for (size_t i = 0; i < ARRAY_SIZE(properties); i++) {
		json_t *value = json_object_get(schema, properties[i]);

		if (json_is_null(value) || (i > 0 && json_is_array(value) && json_array_size(value) == 0))
			json_object_del(schema, properties[i]);
		else if (value != NULL && is_empty(value))
			published_drop(schema, properties[i], "is empty, which is read as no key", place);
		else if (i > 0 && (json_is_object(value) || json_is_string(value))) {
			tell(place, properties[i], "is no list, which is read as a list of one");
			json_object_set_new(schema, properties[i], json_or_die(json_pack("[O]", value)));
		}
	}
}

json_t *published_schema(const json_t *descriptor, struct warnings *warnings)
{
	static const char *const known[] = {"fields",      "missingValues", "primaryKey", "uniqueKeys",
					    "foreignKeys", "fieldsMatch",   NULL};
	struct published_place place = {warnings, ""};
	json_t *schema = json_or_die(json_deep_copy(descriptor)), *field;
	size_t i;

	published_rename(schema, known, &place);
	published_move(schema, "foreignKey", "foreignKeys", &place);
	published_move(schema, "uniqueKey", "uniqueKeys", &place);
	published_move(schema, "primaryKeys", "primaryKey", &place);
	published_move(schema, "missingValue", "missingValues", &place);
	check_name(schema, &place);
	published_texts(schema, "missingValues", &place);
	read_keys(schema, &place);
	json_array_foreach(json_object_get(schema, "fields"), i, field)
	{
		if (json_is_object(field))
			published_field(field, warnings);
	}
	return schema;
}
