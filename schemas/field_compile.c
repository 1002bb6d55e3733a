/* SPDX-License-Identifier: ISC
 *
 * field, compiling: a field's descriptor into struct field. Whatever it says that we cannot hold is refused here,
 * with the field and the property, and never passed over in silence.
 */
#include "schemas/field_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "schemas/duration.h"
#include "schemas/formats.h"
#include "schemas/moment.h"

/* --- how each type reads a cell
 * --------------------------------------------------------------------------------------- */

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

static bool parse_duration(const struct field *field, const char *text, size_t size, struct value_scratch *scratch,
			   struct value *ret_value)
{
	(void)field;
	(void)scratch;
	if (!moment_is_duration(text, size))
		return false;
	if (ret_value != NULL)
		duration_value(text, size, ret_value);
	return true;
}

#define PARSE_FORMAT(name, call)                                                                                       \
	static bool name(const struct field *field, const char *text, size_t size, struct value_scratch *scratch,      \
			 struct value *ret_value)                                                                      \
	{                                                                                                              \
		(void)field;                                                                                           \
		(void)scratch;                                                                                         \
		(void)ret_value;                                                                                       \
		return call;                                                                                           \
	}
PARSE_FORMAT(parse_year, moment_parse_year(text, size, ret_value))
PARSE_FORMAT(parse_yearmonth, moment_parse_yearmonth(text, size, ret_value))
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

/* --- the descriptor's parts
 * ------------------------------------------------------------------------------------------- */

static enum fault read_type(struct field *field, struct refusal *why)
{
	const json_t *value = json_object_get(field->json, "type");
	/* v1's default; v2's is "any", which takes the same cells. */
	const char *name = value == NULL || json_is_null(value) ? "string" : json_string_value(value);

	if (name == NULL)
		return field_bad(why, field, "type", "is no string");
	for (int type = 0; type < FIELD_TYPE_N; type++) {
		if (strcmp(name, field_type_name((enum field_type)type)) == 0) {
			field->type = (enum field_type)type;
			return FAULT_NONE;
		}
	}
	return refuse(why, FAULT_SCHEMA, "field %s: type \"%s\" is none of Table Schema's", field->name, name);
}

/* strptime would take "2024-1-5" too; who spells out the standard's own form means that form. */
bool field_is_default_date(const struct field *field)
{
	return field->type == FIELD_DATE && field->pattern_of_time != NULL &&
	       (strcmp(field->pattern_of_time, "%Y-%m-%d") == 0 || strcmp(field->pattern_of_time, "%F") == 0);
}

bool field_has_format(enum field_type type, const char *format)
{
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
		if (readers[i].type == type && strcmp(readers[i].format, format) == 0)
			return true;
	}
	return false;
}

static enum fault read_format(struct field *field, struct refusal *why)
{
	const json_t *value = json_object_get(field->json, "format");
	const char *rest;

	field->format = value == NULL || json_is_null(value) ? "default" : json_string_value(value);
	if (field->format == NULL)
		return field_bad(why, field, "format", "is no string");
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
			      "field %s: format \"%s\" is neither default, any, nor a strptime pattern that we know "
			      "(at \"%.16s\")",
			      field->name, field->format, rest);
	field->parse = field_is_default_date(field) ? parse_moment : parse_moment_pattern;
	return FAULT_NONE;
}

/* Strings, or v2's {"value": …, "label": …}. */
static enum fault read_texts(struct field *field, const json_t *array, const char *property, struct text_list *list,
			     struct refusal *why)
{
	size_t i;
	json_t *item;

	if (!json_is_array(array))
		return field_bad(why, field, property, "is no array");
	if (json_array_size(array) > LIMIT_TEXTS)
		return field_bad(why, field, property, "has too many values");
	json_array_foreach(array, i, item)
	{
		if (json_is_object(item))
			item = json_object_get(item, "value");
		if (!json_is_string(item))
			return field_bad(why, field, property, "holds what is no string");
		text_list_add(list, json_string_value(item), json_string_length(item));
	}
	text_list_seal(list);
	return FAULT_NONE;
}

static void take_texts(struct text_list *list, const char *const *items, size_t n_items)
{
	for (size_t i = 0; i < n_items; i++)
		text_list_add(list, items[i], strlen(items[i]));
}

static enum fault read_truth(struct field *field, struct refusal *why)
{
	static const char *const TRUE_VALUES[] = {"true", "True", "TRUE", "1"};
	static const char *const FALSE_VALUES[] = {"false", "False", "FALSE", "0"};
	const json_t *values = json_object_get(field->json, "trueValues");
	enum fault fault = FAULT_NONE;

	if (values == NULL)
		take_texts(&field->true_values, TRUE_VALUES, ARRAY_SIZE(TRUE_VALUES));
	else
		fault = read_texts(field, values, "trueValues", &field->true_values, why);
	if (fault != FAULT_NONE)
		return fault;
	values = json_object_get(field->json, "falseValues");
	if (values == NULL)
		take_texts(&field->false_values, FALSE_VALUES, ARRAY_SIZE(FALSE_VALUES));
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
	take_texts(&field->missing, EMPTY, ARRAY_SIZE(EMPTY));
	return FAULT_NONE;
}

static enum fault read_separator(struct field *field, const char *property, const char **ret, size_t *ret_size,
				 struct refusal *why)
{
	const json_t *value = json_object_get(field->json, property);

	if (value == NULL || json_is_null(value))
		return FAULT_NONE;
	if (!json_is_string(value) || json_string_length(value) > 8)
		return field_bad(why, field, property, "is no character");
	for (const char *p = json_string_value(value); *p != '\0'; p++) {
		if (*p >= '0' && *p <= '9')
			return field_bad(why, field, property, "is a digit");
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
		return field_bad(why, field, "bareNumber", "is neither true nor false");
	form->bare = !json_is_false(bare);
	fault = read_separator(field, "decimalChar", &form->decimal, &form->decimal_size, why);
	if (fault == FAULT_NONE)
		fault = read_separator(field, "groupChar", &form->group, &form->group_size, why);
	if (fault == FAULT_NONE && !form->is_integer && form->decimal_size == 0)
		return field_bad(why, field, "decimalChar", "is empty");
	if (fault == FAULT_NONE && !form->is_integer && strcmp(form->decimal, form->group) == 0)
		return field_bad(why, field, "groupChar", "is the decimalChar too");
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
			return field_bad(why, field, "delimiter", "is no single byte");
		field->delimiter = json_string_value(delimiter)[0];
	}
	for (size_t i = 0; name != NULL && i < ARRAY_SIZE(ITEM_TYPES); i++) {
		if (strcmp(name, ITEM_TYPES[i]) != 0)
			continue;
		item = json_pack("{s:s, s:s}", "name", field->name, "type", name);
		if (item == NULL)
			die("out of memory");
		fault = field_parse_descriptor(item, NULL, NULL, &field->item, why);
		json_decref(item);
		return fault;
	}
	return field_bad(why, field, "itemType", "is none that a list may have");
}

enum fault field_parse_descriptor(json_t *descriptor, const json_t *missing_values, struct warnings *warnings,
				  struct field **ret_field, struct refusal *why)
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
		fault = field_read_constraints(field, warnings, why);
	if (fault != FAULT_NONE)
		return fault;
	field_check_examples(field, warnings);
	*ret_field = steal_pointer(&field);
	return FAULT_NONE;
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
	text_list_clear(&field->enum_texts);
	free(field->n_limit_hits);
	json_schema_free(field->json_schema);
	simple_pattern_free(field->simple_pattern);
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
