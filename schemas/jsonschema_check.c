/* SPDX-License-Identifier: ISC
 *
 * jsonschema, checking: a value against what was compiled, keyword by keyword, and the words for the first place that
 * breaks one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "bundle/limits.h"
#include "schemas/jsonschema_internal.h"

/* A note holds a place, the words of a keyword and its value. */
#define KEY_SIZE 44
#define PLACE_SIZE 112
#define VALUE_SIZE 56

/* Where in the value. */
struct json_place {
	const struct json_place *up;
	const char *key; /* NULL: an item */
	size_t index;
};

/* --- words
 * ------------------------------------------------------------------------------------------------------------- */

/* Whole keys alone, so that no character is cut; "/..." for those that find no room. */
static size_t write_place(const struct json_place *place, char *text, size_t size)
{
	char key[KEY_SIZE];
	size_t n;

	if (place == NULL)
		return 0;
	n = write_place(place->up, text, size);
	if (n + KEY_SIZE + sizeof("/...") > size)
		return n >= 4 && strcmp(text + n - 4, "/...") == 0 ? n
								   : n + (size_t)snprintf(text + n, size - n, "/...");
	if (place->key != NULL)
		text_escape(place->key, strlen(place->key), key, sizeof(key));
	else
		snprintf(key, sizeof(key), "%zu", place->index);
	return n + (size_t)snprintf(text + n, size - n, "/%s", key);
}

static enum json_schema_outcome broken(struct json_run *run, const struct json_place *place, const char *words,
				       const json_t *value)
{
	_cleanup_free_ char *dump = NULL;
	char where[PLACE_SIZE] = "", what[VALUE_SIZE] = "";

	if (run->note == NULL || run->silent > 0)
		return JSON_SCHEMA_BROKEN;
	write_place(place, where, sizeof(where));
	dump = value != NULL ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
	if (dump != NULL)
		text_escape(dump, strlen(dump), what, sizeof(what));
	snprintf(run->note, run->note_size, "%s %s%s%s", where[0] != '\0' ? where : "the whole", words,
		 dump != NULL ? " " : "", what);
	return JSON_SCHEMA_BROKEN;
}

static enum json_schema_outcome keep(struct json_run *run, const struct json_rule *rule, const struct json_place *place,
				     bool is_kept)
{
	if (run->n_steps > LIMIT_JSON_SCHEMA_STEPS)
		return JSON_SCHEMA_UNDECIDED;
	return is_kept ? JSON_SCHEMA_KEPT : broken(run, place, rule->keyword->words, rule->value);
}

/* --- schemas
 * ----------------------------------------------------------------------------------------------------------- */

static bool applies(const struct json_keyword *keyword, const json_t *value)
{
	switch (keyword->applies) {
	case 'n':
		return json_is_number(value);
	case 's':
		return json_is_string(value);
	case 'a':
		return json_is_array(value);
	case 'o':
		return json_is_object(value);
	default:
		return true;
	}
}

static enum json_schema_outcome evaluate(struct json_run *run, const struct json_node *node, const json_t *value,
					 const struct json_place *place)
{
	enum json_schema_outcome outcome = JSON_SCHEMA_KEPT;

	if (++run->n_steps > LIMIT_JSON_SCHEMA_STEPS || run->depth >= LIMIT_JSON_SCHEMA_DEPTH)
		return JSON_SCHEMA_UNDECIDED;
	if (node->forbids)
		return broken(run, place, "is not allowed", NULL);
	run->depth++;
	for (size_t i = 0; outcome == JSON_SCHEMA_KEPT && i < node->n_rules; i++) {
		const struct json_rule *rule = &node->rules[i];

		run->n_steps++;
		if (rule->keyword->check != NULL && applies(rule->keyword, value))
			outcome = rule->keyword->check(run, node, rule, value, place);
	}
	run->depth--;
	return outcome;
}

static enum json_schema_outcome evaluate_silently(struct json_run *run, const struct json_node *node,
						  const json_t *value)
{
	enum json_schema_outcome outcome;

	run->silent++;
	outcome = evaluate(run, node, value, NULL);
	run->silent--;
	return outcome;
}

static const struct json_rule *beside(const struct json_node *node, const char *keyword)
{
	for (size_t i = 0; i < node->n_rules; i++) {
		if (strcmp(node->rules[i].keyword->name, keyword) == 0)
			return &node->rules[i];
	}
	return NULL;
}

static enum json_schema_outcome match(struct json_run *run, const pcre2_code *code, const char *text, size_t size)
{
	int r;

	run->n_steps += LIMIT_JSON_SCHEMA_MATCH;
	r = pcre2_match(code, (PCRE2_SPTR)text, size, 0, PCRE2_NO_UTF_CHECK, run->schema->match_data,
			run->schema->match_context);
	if (r >= 0)
		return JSON_SCHEMA_KEPT;
	return r == PCRE2_ERROR_NOMATCH ? JSON_SCHEMA_BROKEN : JSON_SCHEMA_UNDECIDED;
}

/* --- any value
 * --------------------------------------------------------------------------------------------------------- */

#define CHECK(name)                                                                                                    \
	static enum json_schema_outcome name(                                                                          \
		struct json_run *run, const struct json_node *node __attribute__((unused)),                            \
		const struct json_rule *rule, const json_t *value __attribute__((unused)),                             \
		const struct json_place *place)

CHECK(check_type)
{
	const char *type = json_string_value(rule->value);
	char words[32];

	if (type == NULL) {
		for (size_t i = 0; i < json_array_size(rule->value); i++) {
			if (json_is_of_type(value, json_string_value(json_array_get(rule->value, i))))
				return JSON_SCHEMA_KEPT;
		}
		return keep(run, rule, place, false);
	}
	if (json_is_of_type(value, type))
		return JSON_SCHEMA_KEPT;
	snprintf(words, sizeof(words), "is not %s%s",
		 type[0] == 'i' || type[0] == 'o' || type[0] == 'a' ? "an " : (strcmp(type, "null") == 0 ? "" : "a "),
		 type);
	return broken(run, place, words, NULL);
}

CHECK(check_enum)
{
	bool is_one = false;

	for (size_t i = 0; !is_one && i < json_array_size(rule->value); i++)
		is_one = json_value_equal(run, value, json_array_get(rule->value, i));
	return keep(run, rule, place, is_one);
}

CHECK(check_const)
{
	return keep(run, rule, place, json_value_equal(run, value, rule->value));
}

CHECK(check_reference)
{
	return rule->n_parts == 0 ? keep(run, rule, place, true) : evaluate(run, rule->parts[0].node, value, place);
}

CHECK(check_all)
{
	enum json_schema_outcome outcome = JSON_SCHEMA_KEPT;

	for (size_t i = 0; outcome == JSON_SCHEMA_KEPT && i < rule->n_parts; i++)
		outcome = evaluate(run, rule->parts[i].node, value, place);
	return outcome;
}

/* How many of the rule's schemas the value keeps, until more than MOST do. False: undecided. */
static bool count_kept(struct json_run *run, const struct json_rule *rule, const json_t *value, size_t most,
		       size_t *ret_n)
{
	*ret_n = 0;
	for (size_t i = 0; *ret_n <= most && i < rule->n_parts; i++) {
		enum json_schema_outcome outcome = evaluate_silently(run, rule->parts[i].node, value);

		if (outcome == JSON_SCHEMA_UNDECIDED)
			return false;
		*ret_n += outcome == JSON_SCHEMA_KEPT;
	}
	return true;
}

CHECK(check_any)
{
	size_t n;

	if (!count_kept(run, rule, value, 0, &n))
		return JSON_SCHEMA_UNDECIDED;
	return n > 0 ? JSON_SCHEMA_KEPT : broken(run, place, rule->keyword->words, NULL);
}

CHECK(check_one)
{
	size_t n;

	if (!count_kept(run, rule, value, 1, &n))
		return JSON_SCHEMA_UNDECIDED;
	return n == 1 ? JSON_SCHEMA_KEPT
		      : broken(run, place, n == 0 ? "keeps none of oneOf" : "keeps several of oneOf", NULL);
}

CHECK(check_not)
{
	size_t n;

	if (!count_kept(run, rule, value, 0, &n))
		return JSON_SCHEMA_UNDECIDED;
	return n == 0 ? JSON_SCHEMA_KEPT : broken(run, place, rule->keyword->words, NULL);
}

CHECK(check_if)
{
	enum json_schema_outcome outcome = evaluate_silently(run, rule->parts[0].node, value);
	const struct json_rule *next;

	if (outcome == JSON_SCHEMA_UNDECIDED)
		return outcome;
	next = beside(node, outcome == JSON_SCHEMA_KEPT ? "then" : "else");
	return next != NULL ? evaluate(run, next->parts[0].node, value, place) : JSON_SCHEMA_KEPT;
}

/* --- numbers and texts
 * ------------------------------------------------------------------------------------------------- */

CHECK(check_minimum)
{
	return keep(run, rule, place, json_compare_numbers(value, rule->value) >= 0);
}

CHECK(check_maximum)
{
	return keep(run, rule, place, json_compare_numbers(value, rule->value) <= 0);
}

CHECK(check_exclusive_minimum)
{
	return keep(run, rule, place, json_compare_numbers(value, rule->value) > 0);
}

CHECK(check_exclusive_maximum)
{
	return keep(run, rule, place, json_compare_numbers(value, rule->value) < 0);
}

CHECK(check_multiple)
{
	return keep(run, rule, place, json_is_multiple(value, rule->value));
}

/* Items, members or characters. */
static json_int_t count_of(const json_t *value)
{
	json_int_t n = 0;

	if (json_is_array(value))
		return (json_int_t)json_array_size(value);
	if (json_is_object(value))
		return (json_int_t)json_object_size(value);
	for (size_t i = 0; i < json_string_length(value); i++)
		n += ((unsigned char)json_string_value(value)[i] & 0xc0) != 0x80;
	return n;
}

CHECK(check_least)
{
	return keep(run, rule, place, (double)count_of(value) >= json_number_value(rule->value));
}

CHECK(check_most)
{
	return keep(run, rule, place, (double)count_of(value) <= json_number_value(rule->value));
}

CHECK(check_pattern)
{
	enum json_schema_outcome outcome = match(run, rule->parts[0].code, json_string_value(value),
						 json_string_length(value));

	return outcome == JSON_SCHEMA_UNDECIDED ? outcome : keep(run, rule, place, outcome == JSON_SCHEMA_KEPT);
}

/* --- arrays
 * ------------------------------------------------------------------------------------------------------------ */

/* The items from FROM on, by the one schema, or each by its own. */
static enum json_schema_outcome check_each(struct json_run *run, const struct json_rule *rule, const json_t *array,
					   const struct json_place *place, size_t from, bool by_place)
{
	enum json_schema_outcome outcome = JSON_SCHEMA_KEPT;

	for (size_t i = from; outcome == JSON_SCHEMA_KEPT && i < json_array_size(array); i++) {
		struct json_place item = {.up = place, .index = i};

		if (by_place && i >= rule->n_parts)
			break;
		outcome = evaluate(run, rule->parts[by_place ? i : 0].node, json_array_get(array, i), &item);
	}
	return outcome;
}

CHECK(check_prefix)
{
	return check_each(run, rule, value, place, 0, true);
}

CHECK(check_items)
{
	const struct json_rule *prefix = beside(node, "prefixItems");

	if (json_is_array(rule->value))
		return check_each(run, rule, value, place, 0, true);
	return check_each(run, rule, value, place, prefix != NULL ? prefix->n_parts : 0, false);
}

CHECK(check_additional_items)
{
	const struct json_rule *items = beside(node, "items");

	if (items == NULL || !json_is_array(items->value))
		return JSON_SCHEMA_KEPT;
	return check_each(run, rule, value, place, items->n_parts, false);
}

CHECK(check_unique)
{
	bool is_kept = json_is_false(rule->value) || json_values_are_unique(run, value);

	if (run->n_steps > LIMIT_JSON_SCHEMA_STEPS)
		return JSON_SCHEMA_UNDECIDED;
	return is_kept ? JSON_SCHEMA_KEPT : broken(run, place, rule->keyword->words, NULL);
}

CHECK(check_contains)
{
	const struct json_rule *least = beside(node, "minContains"), *most = beside(node, "maxContains");
	double n = 0;

	for (size_t i = 0; i < json_array_size(value); i++) {
		enum json_schema_outcome outcome = evaluate_silently(run, rule->parts[0].node,
								     json_array_get(value, i));

		if (outcome == JSON_SCHEMA_UNDECIDED)
			return outcome;
		n += outcome == JSON_SCHEMA_KEPT;
	}
	if (n < (least != NULL ? json_number_value(least->value) : 1))
		return broken(run, place, "holds too few items that keep contains", NULL);
	if (most != NULL && n > json_number_value(most->value))
		return broken(run, place, "holds too many items that keep contains", NULL);
	return JSON_SCHEMA_KEPT;
}

/* --- objects
 * ----------------------------------------------------------------------------------------------------------- */

CHECK(check_properties)
{
	enum json_schema_outcome outcome = JSON_SCHEMA_KEPT;

	for (size_t i = 0; outcome == JSON_SCHEMA_KEPT && i < rule->n_parts; i++) {
		const json_t *member = json_object_get(value, rule->parts[i].key);
		struct json_place inner = {.up = place, .key = rule->parts[i].key};

		run->n_steps++;
		if (member != NULL)
			outcome = evaluate(run, rule->parts[i].node, member, &inner);
	}
	return outcome;
}

CHECK(check_pattern_properties)
{
	enum json_schema_outcome outcome = JSON_SCHEMA_KEPT;

	for (void *at = json_object_iter((json_t *)(uintptr_t)value); at != NULL;
	     at = json_object_iter_next((json_t *)(uintptr_t)value, at)) {
		struct json_place inner = {.up = place, .key = json_object_iter_key(at)};

		for (size_t i = 0; i < rule->n_parts; i++) {
			outcome = match(run, rule->parts[i].code, inner.key, strlen(inner.key));
			if (outcome == JSON_SCHEMA_KEPT)
				outcome = evaluate(run, rule->parts[i].node, json_object_iter_value(at), &inner);
			else if (outcome == JSON_SCHEMA_BROKEN)
				outcome = JSON_SCHEMA_KEPT;
			if (outcome != JSON_SCHEMA_KEPT)
				return outcome;
		}
	}
	return outcome;
}

/* Whether properties or patternProperties know the key: KEPT; BROKEN: they do not. */
static enum json_schema_outcome knows(struct json_run *run, const struct json_rule *properties,
				      const struct json_rule *patterns, const char *key)
{
	enum json_schema_outcome outcome = JSON_SCHEMA_BROKEN;

	run->n_steps++;
	if (properties != NULL && json_object_get(properties->value, key) != NULL)
		return JSON_SCHEMA_KEPT;
	for (size_t i = 0; patterns != NULL && outcome == JSON_SCHEMA_BROKEN && i < patterns->n_parts; i++)
		outcome = match(run, patterns->parts[i].code, key, strlen(key));
	return outcome;
}

CHECK(check_additional_properties)
{
	const struct json_rule *properties = beside(node, "properties");
	const struct json_rule *patterns = beside(node, "patternProperties");

	for (void *at = json_object_iter((json_t *)(uintptr_t)value); at != NULL;
	     at = json_object_iter_next((json_t *)(uintptr_t)value, at)) {
		struct json_place inner = {.up = place, .key = json_object_iter_key(at)};
		enum json_schema_outcome outcome = knows(run, properties, patterns, inner.key);

		if (outcome == JSON_SCHEMA_BROKEN)
			outcome = evaluate(run, rule->parts[0].node, json_object_iter_value(at), &inner);
		if (outcome != JSON_SCHEMA_KEPT)
			return outcome;
	}
	return JSON_SCHEMA_KEPT;
}

CHECK(check_names)
{
	enum json_schema_outcome outcome = JSON_SCHEMA_KEPT;

	for (void *at = json_object_iter((json_t *)(uintptr_t)value); outcome == JSON_SCHEMA_KEPT && at != NULL;
	     at = json_object_iter_next((json_t *)(uintptr_t)value, at)) {
		struct json_place inner = {.up = place, .key = json_object_iter_key(at)};
		json_t *name = json_string(inner.key);

		outcome = evaluate_silently(run, rule->parts[0].node, name);
		json_decref(name);
		if (outcome == JSON_SCHEMA_BROKEN)
			broken(run, &inner, rule->keyword->words, NULL);
	}
	return outcome;
}

static enum json_schema_outcome require(struct json_run *run, const json_t *names, const json_t *value,
					const struct json_place *place)
{
	for (size_t i = 0; i < json_array_size(names); i++) {
		run->n_steps++;
		if (json_object_get(value, json_string_value(json_array_get(names, i))) == NULL)
			return broken(run, place, "has no member", json_array_get(names, i));
	}
	return JSON_SCHEMA_KEPT;
}

CHECK(check_required)
{
	return require(run, rule->value, value, place);
}

CHECK(check_dependencies)
{
	enum json_schema_outcome outcome = JSON_SCHEMA_KEPT;

	for (size_t i = 0; outcome == JSON_SCHEMA_KEPT && i < rule->n_parts; i++) {
		const struct json_part *part = &rule->parts[i];

		run->n_steps++;
		if (json_object_get(value, part->key) == NULL)
			continue;
		outcome = part->node != NULL ? evaluate(run, part->node, value, place)
					     : require(run, part->texts, value, place);
	}
	return outcome;
}

const struct json_keyword *json_keyword_find(const char *name)
{
	static const struct json_keyword keywords[] = {
		{"type", JSON_FORM_TYPE, '*', check_type, "is none of the types"},
		{"enum", JSON_FORM_LIST, '*', check_enum, "is none of"},
		{"const", JSON_FORM_ANY, '*', check_const, "is not"},
		{"$ref", JSON_FORM_REFERENCE, '*', check_reference, ""},
		{"allOf", JSON_FORM_SCHEMAS, '*', check_all, ""},
		{"anyOf", JSON_FORM_SCHEMAS, '*', check_any, "keeps none of anyOf"},
		{"oneOf", JSON_FORM_SCHEMAS, '*', check_one, ""},
		{"not", JSON_FORM_SCHEMA, '*', check_not, "keeps what it must not"},
		{"if", JSON_FORM_SCHEMA, '*', check_if, ""},
		{"then", JSON_FORM_SCHEMA, '*', NULL, ""},
		{"else", JSON_FORM_SCHEMA, '*', NULL, ""},
		{"minimum", JSON_FORM_NUMBER, 'n', check_minimum, "is less than the minimum"},
		{"maximum", JSON_FORM_NUMBER, 'n', check_maximum, "is more than the maximum"},
		{"exclusiveMinimum", JSON_FORM_NUMBER, 'n', check_exclusive_minimum, "is not more than"},
		{"exclusiveMaximum", JSON_FORM_NUMBER, 'n', check_exclusive_maximum, "is not less than"},
		{"multipleOf", JSON_FORM_POSITIVE, 'n', check_multiple, "is no multiple of"},
		{"minLength", JSON_FORM_COUNT, 's', check_least, "is shorter than"},
		{"maxLength", JSON_FORM_COUNT, 's', check_most, "is longer than"},
		{"pattern", JSON_FORM_PATTERN, 's', check_pattern, "does not match the pattern"},
		{"prefixItems", JSON_FORM_SCHEMAS, 'a', check_prefix, ""},
		{"items", JSON_FORM_ITEMS, 'a', check_items, ""},
		{"additionalItems", JSON_FORM_SCHEMA, 'a', check_additional_items, ""},
		{"minItems", JSON_FORM_COUNT, 'a', check_least, "has fewer items than"},
		{"maxItems", JSON_FORM_COUNT, 'a', check_most, "has more items than"},
		{"uniqueItems", JSON_FORM_FLAG, 'a', check_unique, "has an item twice"},
		{"contains", JSON_FORM_SCHEMA, 'a', check_contains, ""},
		{"minContains", JSON_FORM_COUNT, 'a', NULL, ""},
		{"maxContains", JSON_FORM_COUNT, 'a', NULL, ""},
		{"properties", JSON_FORM_MEMBERS, 'o', check_properties, ""},
		{"patternProperties", JSON_FORM_PATTERNS, 'o', check_pattern_properties, ""},
		{"additionalProperties", JSON_FORM_SCHEMA, 'o', check_additional_properties, ""},
		{"propertyNames", JSON_FORM_SCHEMA, 'o', check_names, "has a name that propertyNames does not allow"},
		{"required", JSON_FORM_TEXTS, 'o', check_required, ""},
		{"minProperties", JSON_FORM_COUNT, 'o', check_least, "has fewer members than"},
		{"maxProperties", JSON_FORM_COUNT, 'o', check_most, "has more members than"},
		{"dependentRequired", JSON_FORM_DEPENDENCIES, 'o', check_dependencies, ""},
		{"dependentSchemas", JSON_FORM_DEPENDENCIES, 'o', check_dependencies, ""},
		{"dependencies", JSON_FORM_DEPENDENCIES, 'o', check_dependencies, ""},
		{"$defs", JSON_FORM_MEMBERS, '*', NULL, ""},
		{"definitions", JSON_FORM_MEMBERS, '*', NULL, ""},
		{"title", JSON_FORM_ANNOTATION, '*', NULL, ""},
		{"description", JSON_FORM_ANNOTATION, '*', NULL, ""},
		{"default", JSON_FORM_ANNOTATION, '*', NULL, ""},
		{"examples", JSON_FORM_ANNOTATION, '*', NULL, ""},
		{"deprecated", JSON_FORM_ANNOTATION, '*', NULL, ""},
		{"readOnly", JSON_FORM_ANNOTATION, '*', NULL, ""},
		{"writeOnly", JSON_FORM_ANNOTATION, '*', NULL, ""},
		{"$comment", JSON_FORM_ANNOTATION, '*', NULL, ""},
		{"$schema", JSON_FORM_ANNOTATION, '*', NULL, ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++) {
		if (strcmp(keywords[i].name, name) == 0)
			return &keywords[i];
	}
	return NULL;
}

enum json_schema_outcome json_schema_check(const struct json_schema *schema, const json_t *value, char *note,
					   size_t note_size)
{
	struct json_run run = {.schema = schema, .note = note, .note_size = note_size};

	return evaluate(&run, schema->nodes[0], value, NULL);
}
