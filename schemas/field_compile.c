/* SPDX-License-Identifier: ISC
 *
 * field, compiling: a field's descriptor into struct field. Whatever it says that we cannot hold is refused here, with the
 * field and the property, and never passed over in silence.
 */
#include "schemas/field.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "schemas/formats.h"
#include "schemas/moment.h"

/* --- how each type reads a cell --------------------------------------------------------------------------------------- */

static bool parse_number(const struct field *field, const char *text, size_t size, struct value_scratch *scratch,
			 struct value *ret_value)
{
	return number_parse(&field->number, text, size, scratch, ret_value);
}

static bool parse_boolean(const struct field *field, const char *text, size_t size, struct value_scratch *scratch,
			  struct value *ret_value)
{
	bool truth = text_list_has(&field->true_values, text, size);

	(void)scratch;
	if (!truth && !text_list_has(&field->false_values, text, size))
		return false;
	if (ret_value != NULL)
		*ret_value = (struct value){.kind = VALUE_POINT, .number = truth};
	return true;
}

static enum moment_kind moment_kind_of(const struct field *field)
{
	return field->type == FIELD_DATE ? MOMENT_DATE : field->type == FIELD_TIME ? MOMENT_TIME : MOMENT_DATETIME;
}

static bool parse_moment(const struct field *field, const char *text, size_t size, struct value_scratch *scratch,
			 struct value *ret_value)
{
	(void)scratch;
	return moment_parse(moment_kind_of(field), text, size, ret_value);
}

static bool parse_moment_any(const struct field *field, const char *text, size_t size, struct value_scratch *scratch,
			     struct value *ret_value)
{
	(void)scratch;
	return moment_parse_any(moment_kind_of(field), text, size, ret_value);
}

static bool parse_moment_pattern(const struct field *field, const char *text, size_t size,
				 struct value_scratch *scratch, struct value *ret_value)
{
	(void)scratch;
	return moment_parse_pattern(moment_kind_of(field), field->pattern_of_time, text, size, ret_value);
}

static bool parse_list(const struct field *field, const char *text, size_t size, struct value_scratch *scratch,
		       struct value *ret_value)
{
	const char *p = text, *end = text + size;

	(void)ret_value; /* the text itself, as set by the caller */
	if (size == 0 || field->item->parse == NULL)
		return true;
	for (;;) {
		const char *next = memchr(p, field->delimiter, (size_t)(end - p));
		size_t item_size = (size_t)((next != NULL ? next : end) - p);

		if (!field->item->parse(field->item, p, item_size, scratch, NULL))
			return false;
		if (next == NULL)
			return true;
		p = next + 1;
	}
}

#define PARSE_FORMAT(name, call)                                                                                       \
	static bool name(const struct field *field, const char *text, size_t size, struct value_scratch *scratch,      \
			 struct value *ret_value)                                                                       \
	{                                                                                                               \
		(void)field;                                                                                            \
		(void)scratch;                                                                                          \
		(void)ret_value;                                                                                        \
		return call;                                                                                            \
	}
PARSE_FORMAT(parse_year, moment_parse_year(text, size, ret_value))
PARSE_FORMAT(parse_yearmonth, moment_parse_yearmonth(text, size, ret_value))
PARSE_FORMAT(parse_duration, moment_is_duration(text, size))
PARSE_FORMAT(parse_email, format_is_email(text, size))
PARSE_FORMAT(parse_uri, format_is_uri(text, size))
PARSE_FORMAT(parse_uuid, format_is_uuid(text, size))
PARSE_FORMAT(parse_binary, format_is_binary(text, size))
PARSE_FORMAT(parse_wkt, format_is_wkt(text, size))
PARSE_FORMAT(parse_object, format_is_object(text, size, NULL))
PARSE_FORMAT(parse_array, format_is_array(text, size, NULL))
PARSE_FORMAT(parse_geopoint, format_is_geopoint(text, size))
PARSE_FORMAT(parse_geopoint_array, format_is_geopoint_array(text, size))
PARSE_FORMAT(parse_geopoint_object, format_is_geopoint_object(text, size))
PARSE_FORMAT(parse_geojson, format_is_geojson(text, size))
PARSE_FORMAT(parse_topojson, format_is_topojson(text, size))

/* Type and format to reader. A type's first line is its default. */
static const struct {
	enum field_type type;
	const char *format;
	field_parse *parse;
} readers[] = {
	{FIELD_ANY, "default", NULL},
	{FIELD_STRING, "default", NULL},
	{FIELD_STRING, "email", parse_email},
	{FIELD_STRING, "uri", parse_uri},
	{FIELD_STRING, "uuid", parse_uuid},
	{FIELD_STRING, "binary", parse_binary},
	{FIELD_STRING, "wkt", parse_wkt},
	{FIELD_INTEGER, "default", parse_number},
	{FIELD_NUMBER, "default", parse_number},
	{FIELD_BOOLEAN, "default", parse_boolean},
	{FIELD_DATE, "default", parse_moment},
	{FIELD_DATE, "any", parse_moment_any},
	{FIELD_TIME, "default", parse_moment},
	{FIELD_TIME, "any", parse_moment_any},
	{FIELD_DATETIME, "default", parse_moment},
	{FIELD_DATETIME, "any", parse_moment_any},
	{FIELD_YEAR, "default", parse_year},
	{FIELD_YEARMONTH, "default", parse_yearmonth},
	{FIELD_DURATION, "default", parse_duration},
	{FIELD_OBJECT, "default", parse_object},
	{FIELD_ARRAY, "default", parse_array},
	{FIELD_LIST, "default", parse_list},
	{FIELD_GEOPOINT, "default", parse_geopoint},
	{FIELD_GEOPOINT, "array", parse_geopoint_array},
	{FIELD_GEOPOINT, "object", parse_geopoint_object},
	{FIELD_GEOJSON, "default", parse_geojson},
	{FIELD_GEOJSON, "topojson", parse_topojson},
};

/* --- the descriptor's parts ------------------------------------------------------------------------------------------- */

static enum fault bad(struct refusal *why, const struct field *field, const char *property, const char *what)
{
	return refuse(why, FAULT_SCHEMA, "field %s: %s %s", field->name, property, what);
}

/* A constraint, where the standard puts it or, as many published schemas have it, beside `constraints`. */
static json_t *constraint(const struct field *field, const char *property)
{
	json_t *value = json_object_get(json_object_get(field->json, "constraints"), property);

	if (value == NULL)
		value = json_object_get(field->json, property);
	return json_is_null(value) ? NULL : value;
}

static enum fault read_type(struct field *field, struct refusal *why)
{
	const json_t *value = json_object_get(field->json, "type");
	/* v1's default; v2's is "any", which takes the same cells. */
	const char *name = value == NULL || json_is_null(value) ? "string" : json_string_value(value);

	if (name == NULL)
		return bad(why, field, "type", "is no string");
	for (int type = 0; type < FIELD_TYPE_N; type++) {
		if (strcmp(name, field_type_name((enum field_type)type)) == 0) {
			field->type = (enum field_type)type;
			return FAULT_NONE;
		}
	}
	return refuse(why, FAULT_SCHEMA, "field %s: type \"%s\" is none of Table Schema's", field->name, name);
}

static enum fault read_format(struct field *field, struct refusal *why)
{
	const json_t *value = json_object_get(field->json, "format");
	const char *rest;

	field->format = value == NULL || json_is_null(value) ? "default" : json_string_value(value);
	if (field->format == NULL)
		return bad(why, field, "format", "is no string");
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
		if (readers[i].type == field->type && strcmp(readers[i].format, field->format) == 0) {
			field->parse = readers[i].parse;
			return FAULT_NONE;
		}
	}
	if (field->type != FIELD_DATE && field->type != FIELD_TIME && field->type != FIELD_DATETIME)
		return refuse(why, FAULT_SCHEMA, "field %s: format \"%s\" is none of the type %s", field->name,
			      field->format, field_type_name(field->type));
	/* "fmt:" is an early spelling. */
	field->pattern_of_time = strncmp(field->format, "fmt:", 4) == 0 ? field->format + 4 : field->format;
	if (!moment_pattern_check(field->pattern_of_time, &rest))
		return refuse(why, FAULT_SCHEMA,
			      "field %s: format \"%s\" is neither default, any, nor a strptime pattern that we know (at \"%.16s\")",
			      field->name, field->format, rest);
	field->parse = parse_moment_pattern;
	return FAULT_NONE;
}

static void text_list_add(struct text_list *list, const json_t *text)
{
	size_t size = json_string_length(text);

	list->items[list->n_items] = json_string_value(text);
	list->sizes[list->n_items++] = size;
	list->size_bits |= 1ULL << (size < 63 ? size : 63);
}

/* Strings, or v2's {"value": …, "label": …}. */
static enum fault read_texts(struct field *field, const json_t *array, const char *property, struct text_list *list,
			     struct refusal *why)
{
	size_t i;
	json_t *item;

	if (!json_is_array(array))
		return bad(why, field, property, "is no array");
	if (json_array_size(array) > LIMIT_TEXTS)
		return bad(why, field, property, "has too many values");
	list->items = xcalloc(json_array_size(array) + 1, sizeof(list->items[0]));
	list->sizes = xcalloc(json_array_size(array) + 1, sizeof(list->sizes[0]));
	json_array_foreach (array, i, item) {
		if (json_is_object(item))
			item = json_object_get(item, "value");
		if (!json_is_string(item))
			return bad(why, field, property, "holds what is no string");
		text_list_add(list, item);
	}
	return FAULT_NONE;
}

static void text_list_default(struct text_list *list, const char *const *items, size_t n_items)
{
	list->items = xcalloc(n_items, sizeof(list->items[0]));
	list->sizes = xcalloc(n_items, sizeof(list->sizes[0]));
	for (size_t i = 0; i < n_items; i++) {
		list->items[i] = items[i];
		list->sizes[i] = strlen(items[i]);
		list->size_bits |= 1ULL << list->sizes[i];
	}
	list->n_items = n_items;
}

static enum fault read_truth(struct field *field, struct refusal *why)
{
	static const char *const TRUE_VALUES[] = {"true", "True", "TRUE", "1"};
	static const char *const FALSE_VALUES[] = {"false", "False", "FALSE", "0"};
	const json_t *values = json_object_get(field->json, "trueValues");
	enum fault fault = FAULT_NONE;

	if (values == NULL)
		text_list_default(&field->true_values, TRUE_VALUES, ARRAY_SIZE(TRUE_VALUES));
	else
		fault = read_texts(field, values, "trueValues", &field->true_values, why);
	if (fault != FAULT_NONE)
		return fault;
	values = json_object_get(field->json, "falseValues");
	if (values == NULL)
		text_list_default(&field->false_values, FALSE_VALUES, ARRAY_SIZE(FALSE_VALUES));
	else
		fault = read_texts(field, values, "falseValues", &field->false_values, why);
	return fault;
}

static enum fault read_missing(struct field *field, const json_t *missing_values, struct refusal *why)
{
	static const char *const EMPTY[] = {""};
	const json_t *own = json_object_get(field->json, "missingValues");

	if (own == NULL)
		own = missing_values;
	if (own != NULL)
		return read_texts(field, own, "missingValues", &field->missing, why);
	text_list_default(&field->missing, EMPTY, ARRAY_SIZE(EMPTY));
	return FAULT_NONE;
}

static enum fault read_separator(struct field *field, const char *property, const char **ret, size_t *ret_size,
				 struct refusal *why)
{
	const json_t *value = json_object_get(field->json, property);

	if (value == NULL || json_is_null(value))
		return FAULT_NONE;
	if (!json_is_string(value) || json_string_length(value) > 8)
		return bad(why, field, property, "is no character");
	for (const char *p = json_string_value(value); *p != '\0'; p++) {
		if (*p >= '0' && *p <= '9')
			return bad(why, field, property, "is a digit");
	}
	*ret = json_string_value(value);
	*ret_size = json_string_length(value);
	return FAULT_NONE;
}

static enum fault read_number_form(struct field *field, struct refusal *why)
{
	const json_t *bare = json_object_get(field->json, "bareNumber");
	struct number_form *form = &field->number;
	enum fault fault;

	*form = number_form_plain;
	form->is_integer = field->type == FIELD_INTEGER;
	if (bare != NULL && !json_is_boolean(bare))
		return bad(why, field, "bareNumber", "is neither true nor false");
	form->bare = !json_is_false(bare);
	fault = read_separator(field, "decimalChar", &form->decimal, &form->decimal_size, why);
	if (fault == FAULT_NONE)
		fault = read_separator(field, "groupChar", &form->group, &form->group_size, why);
	if (fault == FAULT_NONE && !form->is_integer && form->decimal_size == 0)
		return bad(why, field, "decimalChar", "is empty");
	if (fault == FAULT_NONE && !form->is_integer && strcmp(form->decimal, form->group) == 0)
		return bad(why, field, "groupChar", "is the decimalChar too");
	return fault;
}

/* Table Schema v2, list: items of one simple type in their default forms. */
static enum fault read_list(struct field *field, struct refusal *why)
{
	static const char *const ITEM_TYPES[] = {"string", "integer", "boolean", "number", "datetime", "date", "time"};
	const json_t *delimiter = json_object_get(field->json, "delimiter");
	const json_t *type = json_object_get(field->json, "itemType");
	const char *name = type == NULL ? "string" : json_string_value(type);
	enum fault fault;
	json_t *item;

	field->delimiter = ',';
	field->counts_items = true;
	if (delimiter != NULL) {
		if (!json_is_string(delimiter) || json_string_length(delimiter) != 1)
			return bad(why, field, "delimiter", "is no single byte");
		field->delimiter = json_string_value(delimiter)[0];
	}
	for (size_t i = 0; name != NULL && i < ARRAY_SIZE(ITEM_TYPES); i++) {
		if (strcmp(name, ITEM_TYPES[i]) != 0)
			continue;
		item = json_pack("{s:s, s:s}", "name", field->name, "type", name);
		if (item == NULL)
			die("out of memory");
		fault = field_parse_descriptor(item, NULL, &field->item, why);
		json_decref(item);
		return fault;
	}
	return bad(why, field, "itemType", "is none that a list may have");
}

/* --- constraints ------------------------------------------------------------------------------------------------------ */

static enum fault read_flag(struct field *field, const char *property, bool *ret, struct refusal *why)
{
	const json_t *value = constraint(field, property);

	if (value == NULL)
		return FAULT_NONE;
	if (!json_is_boolean(value))
		return bad(why, field, property, "is neither true nor false");
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
		return bad(why, field, property, "is no count");
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
	} else if (json_is_number(json) && field->parse == parse_number) {
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
	static const char *const PROPERTIES[FIELD_N_BOUNDS] = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"};
	static const enum field_rule RULES[FIELD_N_BOUNDS] = {RULE_MINIMUM, RULE_MAXIMUM, RULE_EXCLUSIVE_MINIMUM,
							      RULE_EXCLUSIVE_MAXIMUM};

	for (size_t i = 0; i < FIELD_N_BOUNDS; i++) {
		const json_t *value = constraint(field, PROPERTIES[i]);

		if (value == NULL)
			continue;
		/* Types without an order. */
		if (field->parse != parse_number && field->parse != parse_year && field->parse != parse_yearmonth &&
		    field->type != FIELD_DATE && field->type != FIELD_TIME && field->type != FIELD_DATETIME)
			return refuse(why, FAULT_SCHEMA, "field %s: %s is not for the type %s", field->name,
				      PROPERTIES[i], field_type_name(field->type));
		if (!read_value(field, value, &field->bounds[i]))
			return bad(why, field, PROPERTIES[i], "is not of the field's type");
		field->rules |= RULES[i];
	}
	return FAULT_NONE;
}

static int compare_values(const void *a, const void *b)
{
	return value_compare(a, b);
}

/* `enum`, or v2's `categories`, which restricts the values in the same way. */
static enum fault read_enum(struct field *field, struct refusal *why)
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
		return bad(why, field, property, "is no array of values");
	if (json_array_size(array) > LIMIT_ENUM_VALUES)
		return bad(why, field, property, "has too many values");
	field->enum_values = xcalloc(json_array_size(array), sizeof(field->enum_values[0]));
	json_array_foreach (array, i, item) {
		if (json_is_object(item) && property[0] == 'c')
			item = json_object_get(item, "value");
		/* A value that no cell can have forbids nothing more; published enums hold such ("" or null for "none"). */
		if (item != NULL && !json_is_null(item) &&
		    read_value(field, item, &field->enum_values[field->n_enum_values]))
			field->n_enum_values++;
	}
	if (field->n_enum_values == 0)
		return bad(why, field, property, "has no value of the field's type");
	qsort(field->enum_values, field->n_enum_values, sizeof(field->enum_values[0]), compare_values);
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
		return bad(why, field, "pattern", "is no string, or too long");
	field->code = compile_pattern(value, &error, &offset);
	if (field->code == NULL) {
		pcre2_get_error_message(error, message, sizeof(message));
		return refuse(why, FAULT_SCHEMA, "field %s: pattern \"%.120s\" does not compile at character %zu: %s",
			      field->name, json_string_value(value), offset + 1, (const char *)message);
	}
	/* Where memory may not be executable (inside) this fails, and the pattern is interpreted: slower, same answers. */
	field->has_jit = pcre2_jit_compile(field->code, PCRE2_JIT_COMPLETE) == 0;
	field->match_data = pcre2_match_data_create(1, NULL);
	field->match_context = pcre2_match_context_create(NULL);
	if (field->match_data == NULL || field->match_context == NULL)
		die("out of memory");
	pcre2_set_match_limit(field->match_context, LIMIT_PATTERN_STEPS);
	pcre2_set_depth_limit(field->match_context, LIMIT_PATTERN_DEPTH);
	pcre2_set_heap_limit(field->match_context, LIMIT_PATTERN_HEAP);
	field->n_limit_hits = xcalloc(1, sizeof(*field->n_limit_hits));
	field->rules |= RULE_PATTERN;
	return FAULT_NONE;
}

static enum fault read_constraints(struct field *field, struct refusal *why)
{
	const json_t *constraints = json_object_get(field->json, "constraints");
	enum fault fault;

	if (constraints != NULL && !json_is_object(constraints))
		return bad(why, field, "constraints", "is no object");
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
		fault = read_enum(field, why);
	return fault;
}

enum fault field_parse_descriptor(json_t *descriptor, const json_t *missing_values, struct field **ret_field,
				  struct refusal *why)
{
	_cleanup_(field_freep) struct field *field = xcalloc(1, sizeof(*field));
	enum fault fault;

	if (!json_is_object(descriptor))
		return refuse(why, FAULT_SCHEMA, "fields holds what is no object");
	field->json = json_incref(descriptor);
	field->name = json_string_value(json_object_get(descriptor, "name"));
	if (field->name == NULL)
		return refuse(why, FAULT_SCHEMA, "a field has no name");
	fault = read_type(field, why);
	if (fault == FAULT_NONE)
		fault = read_format(field, why);
	if (fault == FAULT_NONE && field->parse == parse_number)
		fault = read_number_form(field, why);
	if (fault == FAULT_NONE && field->type == FIELD_BOOLEAN)
		fault = read_truth(field, why);
	if (fault == FAULT_NONE && field->type == FIELD_LIST)
		fault = read_list(field, why);
	if (fault == FAULT_NONE)
		fault = read_missing(field, missing_values, why);
	field->counts_items = field->counts_items || field->type == FIELD_OBJECT || field->type == FIELD_ARRAY;
	if (fault == FAULT_NONE)
		fault = read_constraints(field, why);
	if (fault != FAULT_NONE)
		return fault;
	*ret_field = steal_pointer(&field);
	return FAULT_NONE;
}

static void text_list_clear(struct text_list *list)
{
	free(list->items);
	free(list->sizes);
}

void field_free(struct field *field)
{
	if (field == NULL)
		return;
	text_list_clear(&field->true_values);
	text_list_clear(&field->false_values);
	text_list_clear(&field->missing);
	for (size_t i = 0; i < FIELD_N_BOUNDS; i++)
		free((char *)(uintptr_t)field->bounds[i].text);
	for (size_t i = 0; i < field->n_enum_values; i++)
		free((char *)(uintptr_t)field->enum_values[i].text);
	free(field->enum_values);
	free(field->n_limit_hits);
	pcre2_code_free(field->code);
	pcre2_match_data_free(field->match_data);
	pcre2_match_context_free(field->match_context);
	field_free(field->item);
	json_decref(field->json);
	free(field);
}

void field_freep(struct field **field)
{
	field_free(*field);
}
