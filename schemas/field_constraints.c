/* SPDX-License-Identifier: ISC
 *
 * field, compiling: its constraints, with bounds and enums read as the field reads its cells, and patterns within
 * bounds.
 */
#include "schemas/field_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/limits.h"

enum fault field_bad(struct refusal *why, const struct field *field, const char *property, const char *what)
{
	return refuse(why, FAULT_SCHEMA, "field %s: %s %s", field->name, property, what);
}

static json_t *constraint(const struct field *field, const char *property)
{
	return json_object_get(json_object_get(field->json, "constraints"), property);
}

const json_t *field_constraint(const struct field *field, const char *property)
{
	return constraint(field, property);
}

static bool is_number(const struct field *field)
{
	return field->type == FIELD_INTEGER || field->type == FIELD_NUMBER;
}

/* Types whose values have an order, so that bounds mean something. */
static bool has_order(const struct field *field)
{
	return is_number(field) || field->type == FIELD_DATE || field->type == FIELD_TIME ||
	       field->type == FIELD_DATETIME || field->type == FIELD_YEAR || field->type == FIELD_YEARMONTH ||
	       field->type == FIELD_DURATION;
}

static enum fault read_flag(struct field *field, const char *property, bool *ret, struct refusal *why)
{
	const json_t *value = constraint(field, property);

	if (value == NULL)
		return FAULT_NONE;
	if (!json_is_boolean(value))
		return field_bad(why, field, property, "is neither true nor false");
	*ret = json_is_true(value);
	return FAULT_NONE;
}

static enum fault read_length(struct field *field, const char *property, enum field_rule rule, uint64_t *ret,
			      struct refusal *why)
{
	const json_t *value = constraint(field, property);

	if (value == NULL)
		return FAULT_NONE;
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return field_bad(why, field, property, "is no count");
	*ret = (uint64_t)json_integer_value(value);
	field->rules |= rule;
	return FAULT_NONE;
}

/* Reads a bound or a value of an enum as the field reads its cells. JSON numbers and truth values are read in the plain
 * forms, whatever the field's own separators. The value's text is a copy. */
static bool read_value(const struct field *field, const json_t *json, struct value *ret_value)
{
	struct value_scratch scratch;
	struct value value = {.kind = VALUE_TEXT, .text = json_string_value(json), .size = json_string_length(json)};
	struct number_form plain = number_form_plain;
	char *dump = NULL;
	bool good;

	if (!json_is_string(json)) {
		dump = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
		if (dump == NULL)
			return false;
		value.text = dump;
		value.size = strlen(dump);
	}
	plain.is_integer = field->type == FIELD_INTEGER;
	if (json_is_boolean(json) && field->type == FIELD_BOOLEAN) {
		value = (struct value){.kind = VALUE_POINT, .number = json_is_true(json)};
		good = true;
	} else if (json_is_number(json) && is_number(field)) {
		good = number_parse(&plain, value.text, value.size, &scratch, &value);
	} else {
		good = field->parse == NULL || field->parse(field, value.text, value.size, &scratch, &value);
	}
	if (good)
		*ret_value = value_copy(&value);
	free(dump);
	return good;
}

static enum fault read_bounds(struct field *field, struct refusal *why)
{
	static const char *const PROPERTIES[FIELD_N_BOUNDS] = {"minimum", "maximum", "exclusiveMinimum",
							       "exclusiveMaximum"};
	static const enum field_rule RULES[FIELD_N_BOUNDS] = {RULE_MINIMUM, RULE_MAXIMUM, RULE_EXCLUSIVE_MINIMUM,
							      RULE_EXCLUSIVE_MAXIMUM};

	for (size_t i = 0; i < FIELD_N_BOUNDS; i++) {
		const json_t *value = constraint(field, PROPERTIES[i]);

		if (value == NULL)
			continue;
		if (!has_order(field))
			return refuse(why, FAULT_SCHEMA, "field %s: %s is not for the type %s", field->name,
				      PROPERTIES[i], field_type_name(field->type));
		if (!read_value(field, value, &field->bounds[i]))
			return field_bad(why, field, PROPERTIES[i], "is not of the field's type");
		if (field->type == FIELD_DURATION && field->bounds[i].kind != VALUE_DURATION)
			return field_bad(why, field, PROPERTIES[i], "is no duration that others can be compared with");
		field->rules |= RULES[i];
	}
	return FAULT_NONE;
}

static int compare_values(const void *a, const void *b)
{
	return value_compare(a, b);
}

static bool is_nothing(const json_t *json)
{
	return json == NULL || json_is_null(json) || (json_is_string(json) && json_string_length(json) == 0);
}

static void warn_value(const struct field *field, const char *property, const json_t *value, const char *what,
		       struct warnings *warnings)
{
	_cleanup_free_ char *dump = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

	warnings_add(warnings, "field %.80s: %s %.160s %s", field->name, property, dump != NULL ? dump : "", what);
}

/* `enum`, or v2's `categories`, which restricts the values in the same way. */
static enum fault read_enum(struct field *field, struct warnings *warnings, struct refusal *why)
{
	const json_t *array = constraint(field, "enum");
	const char *property = "enum";
	size_t i;
	json_t *item;

	if (array == NULL) {
		array = json_object_get(field->json, "categories");
		property = "categories";
	}
	if (array == NULL)
		return FAULT_NONE;
	if (!json_is_array(array) || json_array_size(array) == 0)
		return field_bad(why, field, property, "is no array of values");
	if (json_array_size(array) > LIMIT_ENUM_VALUES)
		return field_bad(why, field, property, "has too many values");
	field->enum_values = xcalloc(json_array_size(array), sizeof(field->enum_values[0]));
	json_array_foreach(array, i, item)
	{
		if (json_is_object(item) && property[0] == 'c')
			item = json_object_get(item, "value");
		/* A value that no cell can have forbids nothing more; published enums hold such ("" or null for
		 * "none"). */
		if (item != NULL && !json_is_null(item) &&
		    read_value(field, item, &field->enum_values[field->n_enum_values]))
			field->n_enum_values++;
		else if (!is_nothing(item))
			warn_value(field, property, item, "is not of the field's type: no cell can have it", warnings);
	}
	if (field->n_enum_values == 0)
		return field_bad(why, field, property, "has no value of the field's type");
	qsort(field->enum_values, field->n_enum_values, sizeof(field->enum_values[0]), compare_values);
	/* Sorted by kind, text first. */
	for (i = 0; i < field->n_enum_values && field->enum_values[field->n_enum_values - 1].kind == VALUE_TEXT; i++)
		text_list_add(&field->enum_texts, field->enum_values[i].text, field->enum_values[i].size);
	text_list_seal(&field->enum_texts);
	field->rules |= RULE_ENUM;
	return FAULT_NONE;
}

/* The standard's patterns are XML Schema's: they match the whole cell, and \w knows every letter. */
static pcre2_code *compile_pattern(const json_t *value, int *ret_error, size_t *ret_offset)
{
	const uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_ALT_BSUX | PCRE2_ANCHORED | PCRE2_ENDANCHORED |
				 PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C;

	return pcre2_compile((PCRE2_SPTR)json_string_value(value), json_string_length(value), options, ret_error,
			     ret_offset, NULL);
}

static enum fault read_pattern(struct field *field, struct refusal *why)
{
	const json_t *value = constraint(field, "pattern");
	PCRE2_UCHAR message[128];
	size_t offset;
	int error;

	if (value == NULL)
		return FAULT_NONE;
	if (!json_is_string(value) || json_string_length(value) > LIMIT_PATTERN_SIZE)
		return field_bad(why, field, "pattern", "is no string, or too long");
	field->pattern = json_string_value(value);
	field->code = compile_pattern(value, &error, &offset);
	if (field->code == NULL) {
		pcre2_get_error_message(error, message, sizeof(message));
		return refuse(why, FAULT_SCHEMA, "field %s: pattern \"%.120s\" does not compile at character %zu: %s",
			      field->name, json_string_value(value), offset + 1, (const char *)message);
	}
	/* Where memory may not be executable (inside) this fails, and the pattern is interpreted: slower, same
	 * answers. */
	field->has_jit = pcre2_jit_compile(field->code, PCRE2_JIT_COMPLETE) == 0;
	field->match_data = pcre2_match_data_create(1, NULL);
	field->match_context = pcre2_match_context_create(NULL);
	if (field->match_data == NULL || field->match_context == NULL)
		die("out of memory");
	pcre2_set_match_limit(field->match_context, LIMIT_PATTERN_STEPS);
	pcre2_set_depth_limit(field->match_context, LIMIT_PATTERN_DEPTH);
	pcre2_set_heap_limit(field->match_context, LIMIT_PATTERN_HEAP);
	field->simple_pattern = simple_pattern_new(json_string_value(value), json_string_length(value));
	field->n_limit_hits = xcalloc(1, sizeof(*field->n_limit_hits));
	field->rules |= RULE_PATTERN;
	return FAULT_NONE;
}

static enum fault read_json_schema(struct field *field, struct warnings *warnings, struct refusal *why)
{
	const json_t *value = constraint(field, "jsonSchema");
	enum fault fault;
	char where[96];

	if (value == NULL)
		return FAULT_NONE;
	if (field->type != FIELD_OBJECT && field->type != FIELD_ARRAY && field->type != FIELD_GEOJSON) {
		warnings_add(warnings, "field %.80s: jsonSchema is not for the type %s, and is not checked",
			     field->name, field_type_name(field->type));
		return FAULT_NONE;
	}
	snprintf(where, sizeof(where), "field %.80s", field->name);
	fault = json_schema_new(value, where, warnings, &field->json_schema, why);
	if (fault != FAULT_NONE)
		return fault;
	if (field->n_limit_hits == NULL)
		field->n_limit_hits = xcalloc(1, sizeof(*field->n_limit_hits));
	field->rules |= RULE_JSON_SCHEMA;
	return FAULT_NONE;
}

enum fault field_read_constraints(struct field *field, struct warnings *warnings, struct refusal *why)
{
	const json_t *constraints = json_object_get(field->json, "constraints");
	enum fault fault;

	if (constraints != NULL && !json_is_object(constraints))
		return field_bad(why, field, "constraints", "is no object");
	fault = read_flag(field, "required", &field->required, why);
	if (fault == FAULT_NONE)
		fault = read_flag(field, "unique", &field->unique, why);
	if (fault == FAULT_NONE)
		fault = read_length(field, "minLength", RULE_MIN_LENGTH, &field->min_length, why);
	if (fault == FAULT_NONE)
		fault = read_length(field, "maxLength", RULE_MAX_LENGTH, &field->max_length, why);
	if (fault == FAULT_NONE)
		fault = read_pattern(field, why);
	if (fault == FAULT_NONE)
		fault = read_bounds(field, why);
	if (fault == FAULT_NONE)
		fault = read_enum(field, warnings, why);
	if (fault == FAULT_NONE)
		fault = read_json_schema(field, warnings, why);
	field->needs_value = (field->rules & RULES_OF_BOUNDS) != 0 ||
			     ((field->rules & RULE_ENUM) != 0 && field->enum_texts.n_items == 0);
	return fault;
}

/* One of `examples`: a text is a cell; anything else is what a cell would hold. */
static void check_example(const struct field *field, const json_t *example, struct warnings *warnings)
{
	struct value_scratch scratch;
	char *dump = json_is_string(example) ? NULL : json_dumps(example, JSON_ENCODE_ANY | JSON_COMPACT);
	const char *text = dump != NULL ? dump : json_string_value(example);
	size_t size = dump != NULL ? strlen(dump) : json_string_length(example);
	char what[256];
	unsigned broken;

	if (text == NULL || json_is_null(example) || field_is_missing(field, text, size) ||
	    (json_is_boolean(example) && field->type == FIELD_BOOLEAN)) {
		free(dump);
		return;
	}
	broken = field_check(field, text, size, &scratch, NULL);
	for (unsigned rule = 1; broken != 0 && rule <= RULE_LAST; rule <<= 1) {
		if ((broken & rule) != 0)
			warn_value(field, "example", example,
				   field_note(field, (enum field_rule)rule, text, size, what, sizeof(what)), warnings);
	}
	free(dump);
}

void field_check_examples(const struct field *field, struct warnings *warnings)
{
	const json_t *example = json_object_get(field->json, "example");
	const json_t *examples = json_object_get(field->json, "examples");
	json_t *item;
	size_t i;

	if (example != NULL)
		check_example(field, example, warnings);
	if (json_is_string(examples))
		check_example(field, examples, warnings);
	json_array_foreach(examples, i, item)
	{
		check_example(field, item, warnings);
	}
}
