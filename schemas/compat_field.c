/* SPDX-License-Identifier: ISC
 *
 * compat_field: see compat_field.h. Three answers: what NEW promises, OLD may rely on (no break); cells that NEW allows and OLD
 * cannot read, or the other way round, are seen in the rows (COMPAT_BY_DATA); and what no row shows, because the cell would
 * parse and mean another thing, is COMPAT_NO.
 */
#include "schemas/compat_field.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"

struct side {
	const struct schema *schema;
	const struct field *field;
	const json_t *json;
	const json_t *constraints; /* NULL: none */
	enum field_type type;
};

void compat_add(struct compat_result *result, enum compat_verdict verdict, const char *rule, const char *field,
		const char *format, ...)
{
	struct compat_break *added;
	char line[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	result->breaks = xrealloc(result->breaks, result->n_breaks + 1, sizeof(*result->breaks));
	added = &result->breaks[result->n_breaks++];
	memset(added, 0, sizeof(*added));
	added->verdict = verdict;
	snprintf(added->rule, sizeof(added->rule), "%s", rule);
	text_escape(field, strlen(field), added->field, sizeof(added->field));
	text_escape(line, strlen(line), added->line, sizeof(added->line));
	if (verdict > result->verdict)
		result->verdict = verdict;
}

static struct side side_of(const struct schema *schema, const struct field *field)
{
	const json_t *constraints = json_object_get(field_json(field), "constraints");
	struct side side = {schema, field, field_json(field), json_is_object(constraints) ? constraints : NULL,
			    field_type(field)};

	return side;
}

static const json_t *constraint(const struct side *side, const char *name)
{
	return side->constraints == NULL ? NULL : json_object_get(side->constraints, name);
}

static const char *text_property(const struct side *side, const char *name, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(side->json, name));

	return text != NULL ? text : otherwise;
}

static bool is_numeric(enum field_type type)
{
	return type == FIELD_INTEGER || type == FIELD_NUMBER || type == FIELD_YEAR;
}

static bool is_temporal(enum field_type type)
{
	return type == FIELD_DATE || type == FIELD_TIME || type == FIELD_DATETIME;
}

/* "default" and its spelling out are one format. */
static const char *format_of(const struct side *side)
{
	const char *format = text_property(side, "format", "default");

	if ((side->type == FIELD_DATE && strcmp(format, "%Y-%m-%d") == 0) ||
	    (side->type == FIELD_TIME && strcmp(format, "%H:%M:%S") == 0) ||
	    (side->type == FIELD_DATETIME && strcmp(format, "%Y-%m-%dT%H:%M:%SZ") == 0))
		return "default";
	return format;
}

static bool is_default_temporal(const struct side *side)
{
	return is_temporal(side->type) && strcmp(format_of(side), "default") == 0;
}

/* Whether some cell may be read by both. Default dates, times and date-times share no cell with each other, with numbers or with
 * booleans; a format of its own may be anything ("%Y%m%d" is an integer too), and a list of one date is a date. */
static bool types_overlap(const struct side *old, const struct side *new)
{
	const struct side *other = is_default_temporal(old) ? new : old;

	if (!is_default_temporal(old) && !is_default_temporal(new))
		return true;
	return !is_numeric(other->type) && other->type != FIELD_BOOLEAN && !is_default_temporal(other);
}

/* A cell that parses and means another number is seen by no run over the data: "1.234" with `.` once the decimal and once the
 * group mark. */
static bool numbers_are_misread(const struct side *old, const struct side *new)
{
	const char *old_decimal = text_property(old, "decimalChar", "."),
		   *old_group = text_property(old, "groupChar", "");
	const char *new_decimal = text_property(new, "decimalChar", "."),
		   *new_group = text_property(new, "groupChar", "");

	if (!is_numeric(old->type) || !is_numeric(new->type))
		return false;
	return (new->type == FIELD_NUMBER &&old_group[0] != '\0' && strcmp(old_group, new_decimal) == 0) ||
	       (old->type == FIELD_NUMBER && new_group[0] != '\0' && strcmp(new_group, old_decimal) == 0);
}

static bool is_bare(const struct side *side)
{
	return !json_is_false(json_object_get(side->json, "bareNumber"));
}

/* Whether every number that NEW may write is read by OLD. */
static bool number_forms_are_read(const struct side *old, const struct side *new)
{
	const char *new_group = text_property(new, "groupChar", "");

	if (new->type == FIELD_NUMBER &&
	    strcmp(text_property(old, "decimalChar", "."), text_property(new, "decimalChar", ".")) != 0)
		return false;
	if (new_group[0] != '\0' && strcmp(new_group, text_property(old, "groupChar", "")) != 0)
		return false;
	return is_bare(new) || !is_bare(old);
}

static void compare_numbers(const struct side *old, const struct side *new, struct compat_result *result)
{
	const char *name = field_name(old->field);

	if (numbers_are_misread(old, new))
		compat_add(result, COMPAT_NO, "format-changed", name,
			   "field %s: the marks of decimals and groups change places", name);
	else if (!number_forms_are_read(old, new))
		compat_add(result, COMPAT_BY_DATA, "format-changed", name,
			   "field %s: decimalChar, groupChar or bareNumber allow what the reader does not know", name);
}

/* A boolean's words, with the defaults of Table Schema v2. New reference. */
static json_t *boolean_words(const struct side *side, const char *property)
{
	json_t *words = json_object_get(side->json, property);

	if (json_is_array(words))
		return json_incref(words);
	return strcmp(property, "trueValues") == 0 ? json_pack("[ssss]", "true", "True", "TRUE", "1")
						   : json_pack("[ssss]", "false", "False", "FALSE", "0");
}

static bool array_holds(const json_t *array, const json_t *value)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		if (json_equal(json_array_get(array, i), value))
			return true;
	}
	return false;
}

static bool array_within(const json_t *inner, const json_t *outer)
{
	for (size_t i = 0; i < json_array_size(inner); i++) {
		if (!array_holds(outer, json_array_get(inner, i)))
			return false;
	}
	return true;
}

static bool arrays_share(const json_t *a, const json_t *b)
{
	for (size_t i = 0; i < json_array_size(a); i++) {
		if (array_holds(b, json_array_get(a, i)))
			return true;
	}
	return false;
}

static void compare_booleans(const struct side *old, const struct side *new, struct compat_result *result)
{
	_cleanup_(json_decrefp) json_t *old_true = boolean_words(old, "trueValues");
	_cleanup_(json_decrefp) json_t *old_false = boolean_words(old, "falseValues");
	_cleanup_(json_decrefp) json_t *new_true = boolean_words(new, "trueValues");
	_cleanup_(json_decrefp) json_t *new_false = boolean_words(new, "falseValues");
	const char *name = field_name(old->field);

	if (arrays_share(new_true, old_false) || arrays_share(new_false, old_true))
		compat_add(result, COMPAT_NO, "format-changed", name,
			   "field %s: a word of true is now one of false, or the reverse", name);
	else if (!array_within(new_true, old_true) || !array_within(new_false, old_false))
		compat_add(result, COMPAT_BY_DATA, "format-changed", name, "field %s: trueValues or falseValues grew",
			   name);
}

/* Two temporal formats may read the same cell as two days ("01/02/2024"), which no row shows: only the default, which is
 * ISO 8601 and like no other, can be decided by the data when NEW says "any". */
static void compare_temporal(const struct side *old, const struct side *new, struct compat_result *result)
{
	const char *old_format = format_of(old), *new_format = format_of(new), *name = field_name(old->field);
	bool by_data = strcmp(old_format, "any") == 0 ||
		       (strcmp(new_format, "any") == 0 && strcmp(old_format, "default") == 0);

	if (strcmp(old_format, new_format) != 0)
		compat_add(result, by_data ? COMPAT_BY_DATA : COMPAT_NO, "format-changed", name,
			   "field %s: format %s was %s", name, new_format, old_format);
}

static void compare_string_format(const struct side *old, const struct side *new, struct compat_result *result)
{
	const char *old_format = format_of(old), *name = field_name(old->field);

	if (strcmp(old_format, "default") == 0 || (new->type == FIELD_STRING &&strcmp(old_format, format_of(new)) == 0))
		return;
	compat_add(result, COMPAT_BY_DATA, "format-changed", name, "field %s: format %s is no longer promised", name,
		   old_format);
}

/* The types that are texts of a form of their own: lists, geography, JSON. A list cut at another mark parses as another list. */
static void compare_forms(const struct side *old, const struct side *new, struct compat_result *result)
{
	const char *name = field_name(old->field);

	if (strcmp(text_property(old, "delimiter", ","), text_property(new, "delimiter", ",")) != 0)
		compat_add(result, COMPAT_NO, "format-changed", name, "field %s: its items are cut at another mark",
			   name);
	else if (strcmp(format_of(old), format_of(new)) != 0)
		compat_add(result, COMPAT_BY_DATA, "format-changed", name, "field %s: format %s was %s", name,
			   format_of(new), format_of(old));
	else if (strcmp(text_property(old, "itemType", ""), text_property(new, "itemType", "")) != 0)
		compat_add(result, COMPAT_BY_DATA, "format-changed", name, "field %s: its items are of another type",
			   name);
}

/* Type and format. Any type is text, so a reader of strings or of `any` reads every cell; one of numbers reads integers. For the rest:
 * a reader of a type can be run on the rows, so where the two types share cells the data decide; where they share none, only an
 * empty column would pass, and a promise is not made of that. */
static void compare_type(const struct side *old, const struct side *new, struct compat_result *result)
{
	const char *name = field_name(old->field);
	bool is_read = old->type == new->type || (old->type == FIELD_NUMBER && new->type == FIELD_INTEGER);

	if (old->type == FIELD_ANY)
		return;
	if (old->type == FIELD_STRING) {
		compare_string_format(old, new, result);
		return;
	}
	if (!is_read)
		compat_add(result, types_overlap(old, new) ? COMPAT_BY_DATA : COMPAT_NO, "type-changed", name,
			   "field %s: %s was %s", name, field_type_name(new->type), field_type_name(old->type));
	if (is_numeric(old->type) && is_numeric(new->type))
		compare_numbers(old, new, result);
	else if (old->type == FIELD_BOOLEAN && new->type == FIELD_BOOLEAN)
		compare_booleans(old, new, result);
	else if (is_temporal(old->type) && old->type == new->type)
		compare_temporal(old, new, result);
	else if (old->type == new->type)
		compare_forms(old, new, result);
}

static bool is_true(const struct side *side, const char *name)
{
	return json_is_true(constraint(side, name));
}

static bool is_in_key(const struct side *side)
{
	for (size_t i = 0; i < side->schema->primary_key.n_columns; i++) {
		if (strcmp(side->schema->primary_key.columns[i], field_name(side->field)) == 0)
			return true;
	}
	return false;
}

/* A key's columns may not be missing (Table Schema v2, "primaryKey"). */
static bool is_required(const struct side *side)
{
	return is_true(side, "required") || is_in_key(side);
}

static bool is_unique(const struct side *side)
{
	return is_true(side, "unique") || (is_in_key(side) && side->schema->primary_key.n_columns == 1);
}

static bool is_missing(const struct schema *schema, const char *text)
{
	for (size_t i = 0; i < schema->n_missing_values; i++) {
		if (strcmp(schema->missing_values[i], text) == 0)
			return true;
	}
	return false;
}

/* A cell that is missing for one and a value for the other. Readers of text take the new words as text: nothing breaks but what they
 * constrain. */
static void compare_missing(const struct side *old, const struct side *new, struct compat_result *result)
{
	const json_t *old_own = json_object_get(old->json, "missingValues"),
		     *new_own = json_object_get(new->json, "missingValues");
	const char *name = field_name(old->field);
	bool is_text = (old->type == FIELD_ANY || old->type == FIELD_STRING) && old->constraints == NULL;
	bool grew = false, shrank = false;

	if (old_own != NULL || new_own != NULL) {
		grew = shrank = !json_equal(old_own, new_own);
	} else {
		for (size_t i = 0; i < new->schema->n_missing_values; i++)
			grew |= !is_missing(old->schema, new->schema->missing_values[i]);
		for (size_t i = 0; i < old->schema->n_missing_values; i++)
			shrank |= !is_missing(new->schema, old->schema->missing_values[i]);
	}
	if (grew && !is_text)
		compat_add(result, COMPAT_BY_DATA, "missing-values", name,
			   "field %s: words for a missing value that the reader does not know", name);
	else if (shrank && is_required(old))
		compat_add(result, COMPAT_BY_DATA, "missing-values", name,
			   "field %s: a value may be what the reader takes for missing", name);
}

/* Whether the bound A is known to be at least B: numbers by value, ISO dates by their text, all else when equal. */
static bool bound_is_at_least(const struct side *side, const json_t *a, const json_t *b)
{
	if (json_equal(a, b))
		return true;
	if (json_is_integer(a) && json_is_integer(b))
		return json_integer_value(a) >= json_integer_value(b);
	if (json_is_number(a) && json_is_number(b))
		return json_number_value(a) >= json_number_value(b);
	if (side->type == FIELD_DATE && strcmp(format_of(side), "default") == 0 && json_is_string(a) &&
	    json_is_string(b) && json_string_length(a) == 10 && json_string_length(b) == 10)
		return strcmp(json_string_value(a), json_string_value(b)) >= 0;
	return false;
}

struct bound_rule {
	const char *name;     /* of the reader's constraint */
	const char *stricter; /* a constraint of the offer that implies it at the same bound; NULL: none */
	bool is_lower;
};

static const struct bound_rule BOUND_RULES[] = {
	{"minimum", "exclusiveMinimum", true},
	{"maximum", "exclusiveMaximum", false},
	{"exclusiveMinimum", NULL, true},
	{"exclusiveMaximum", NULL, false},
	{"minLength", NULL, true},
	{"maxLength", NULL, false},
};

static bool bound_implies(const struct side *old, const json_t *new_bound, const json_t *old_bound, bool is_lower)
{
	if (new_bound == NULL)
		return false;
	return is_lower ? bound_is_at_least(old, new_bound, old_bound) : bound_is_at_least(old, old_bound, new_bound);
}

static void relaxed(const struct side *old, const char *constraint_name, struct compat_result *result)
{
	const char *name = field_name(old->field);

	compat_add(result, COMPAT_BY_DATA, "constraint-relaxed", name, "field %s: %s is no longer promised", name,
		   constraint_name);
}

static void compare_constraints(const struct side *old, const struct side *new, struct compat_result *result)
{
	static const char *const equal_rules[] = {"pattern", "jsonSchema"};
	const json_t *values = constraint(old, "enum");

	if (is_true(old, "required") && !is_required(new))
		relaxed(old, "required", result);
	if (is_true(old, "unique") && !is_unique(new))
		relaxed(old, "unique", result);
	for (size_t i = 0; i < ARRAY_SIZE(BOUND_RULES); i++) {
		const struct bound_rule *rule = &BOUND_RULES[i];
		const json_t *bound = constraint(old, rule->name);

		if (bound != NULL && !bound_implies(old, constraint(new, rule->name), bound, rule->is_lower) &&
		    (rule->stricter == NULL ||
		     !bound_implies(old, constraint(new, rule->stricter), bound, rule->is_lower)))
			relaxed(old, rule->name, result);
	}
	for (size_t i = 0; i < ARRAY_SIZE(equal_rules); i++) {
		const json_t *rule = constraint(old, equal_rules[i]);

		if (rule != NULL && !json_equal(rule, constraint(new, equal_rules[i])))
			relaxed(old, equal_rules[i], result);
	}
	if (values != NULL && (constraint(new, "enum") == NULL || !array_within(constraint(new, "enum"), values)))
		relaxed(old, "enum", result);
}

void compat_compare_field(const struct schema *old_schema, const struct field *old_field,
			  const struct schema *new_schema, const struct field *new_field, struct compat_result *result)
{
	struct side old = side_of(old_schema, old_field), new = side_of(new_schema, new_field);

	compare_type(&old, &new, result);
	compare_missing(&old, &new, result);
	compare_constraints(&old, &new, result);
}
