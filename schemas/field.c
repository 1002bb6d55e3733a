/* SPDX-License-Identifier: ISC
 *
 * field: cells against one compiled field, and the words for what they break. How a field is compiled is in
 * field_compile.c.
 */
#include "schemas/field.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "bundle/limits.h"
#include "schemas/duration.h"
#include "schemas/formats.h"

static const char *const type_names[FIELD_TYPE_N] = {
	[FIELD_ANY] = "any",           [FIELD_STRING] = "string",
	[FIELD_INTEGER] = "integer",   [FIELD_NUMBER] = "number",
	[FIELD_BOOLEAN] = "boolean",   [FIELD_DATE] = "date",
	[FIELD_TIME] = "time",         [FIELD_DATETIME] = "datetime",
	[FIELD_YEAR] = "year",         [FIELD_YEARMONTH] = "yearmonth",
	[FIELD_DURATION] = "duration", [FIELD_OBJECT] = "object",
	[FIELD_ARRAY] = "array",       [FIELD_LIST] = "list",
	[FIELD_GEOPOINT] = "geopoint", [FIELD_GEOJSON] = "geojson",
};

const char *field_type_name(enum field_type type)
{
	return (unsigned)type < FIELD_TYPE_N ? type_names[type] : "unknown";
}

const char *field_name(const struct field *field)
{
	return field->name;
}

enum field_type field_type(const struct field *field)
{
	return field->type;
}

const json_t *field_json(const struct field *field)
{
	return field->json;
}

/* Characters of well-formed UTF-8: the bytes that do not continue one. */
static uint64_t count_characters(const char *text, size_t size)
{
	uint64_t n = 0;

	for (size_t i = 0; i < size; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

static uint64_t count_items(const struct field *field, const char *text, size_t size)
{
	size_t n = 0;

	if (field->type == FIELD_OBJECT) {
		format_is_object(text, size, &n);
	} else if (field->type == FIELD_ARRAY) {
		format_is_array(text, size, &n);
	} else if (size > 0) {
		n = 1;
		for (size_t i = 0; i < size; i++)
			n += text[i] == field->delimiter;
	}
	return n;
}

static unsigned check_length(const struct field *field, const char *text, size_t size)
{
	uint64_t n;
	unsigned broken = 0;

	/* The bytes bound the characters: most cells need no count. */
	if (!field->counts_items && (field->rules & RULE_MIN_LENGTH) == 0 && size <= field->max_length)
		return 0;
	n = field->counts_items ? count_items(field, text, size) : count_characters(text, size);
	if ((field->rules & RULE_MIN_LENGTH) != 0 && n < field->min_length)
		broken |= RULE_MIN_LENGTH;
	if ((field->rules & RULE_MAX_LENGTH) != 0 && n > field->max_length)
		broken |= RULE_MAX_LENGTH;
	return broken;
}

static unsigned check_pattern(const struct field *field, const char *text, size_t size)
{
	int r;

	if (*field->n_limit_hits >= LIMIT_FAULTS_KEPT)
		return RULE_PATTERN_LIMIT;
	if (field->simple_pattern != NULL && simple_pattern_matches(field->simple_pattern, text, size))
		return 0;
	if (field->has_jit)
		r = pcre2_jit_match(field->code, (PCRE2_SPTR)text, size, 0, 0, field->match_data, field->match_context);
	else
		r = pcre2_match(field->code, (PCRE2_SPTR)text, size, 0, PCRE2_NO_UTF_CHECK, field->match_data,
				field->match_context);
	if (r >= 0)
		return 0;
	if (r == PCRE2_ERROR_NOMATCH)
		return RULE_PATTERN;
	++*field->n_limit_hits;
	return RULE_PATTERN_LIMIT;
}

static unsigned check_bounds(const struct field *field, const struct value *value)
{
	static const unsigned rules[FIELD_N_BOUNDS] = {RULE_MINIMUM, RULE_MAXIMUM, RULE_EXCLUSIVE_MINIMUM,
						       RULE_EXCLUSIVE_MAXIMUM};
	unsigned broken = 0;

	for (size_t i = 0; i < FIELD_N_BOUNDS; i++) {
		bool has_order = value->kind != VALUE_NAN;
		int order = 0;

		if ((field->rules & rules[i]) == 0)
			continue;
		if (field->type == FIELD_DURATION)
			has_order = duration_order(value, &field->bounds[i], &order);
		else
			order = value_compare(value, &field->bounds[i]);
		if (i % 2 == 1)
			order = -order;
		/* A NaN lies within no bounds, nor does a duration that is neither more nor less ("P1M" and "P30D"). */
		if (order < 0 || (order == 0 && i >= 2) || !has_order)
			broken |= rules[i];
	}
	return broken;
}

static int compare_values(const void *a, const void *b)
{
	return value_compare(a, b);
}

static bool is_in_enum(const struct field *field, const char *text, size_t size, const struct value *value)
{
	if (field->enum_texts.n_items > 0)
		return text_list_has(&field->enum_texts, text, size);
	return value != NULL &&
	       bsearch(value, field->enum_values, field->n_enum_values, sizeof(*value), compare_values) != NULL;
}

/* The cell keeps its type: it is JSON, nested no deeper than jansson reads. NOTE as in json_schema_check. */
static enum json_schema_outcome ask_json_schema(const struct field *field, const char *text, size_t size, char *note,
						size_t note_size)
{
	json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	enum json_schema_outcome outcome = JSON_SCHEMA_KEPT;

	if (json != NULL)
		outcome = json_schema_check(field->json_schema, json, note, note_size);
	json_decref(json);
	return outcome;
}

static unsigned check_json_schema(const struct field *field, const char *text, size_t size)
{
	enum json_schema_outcome outcome;

	if (*field->n_limit_hits >= LIMIT_FAULTS_KEPT)
		return RULE_PATTERN_LIMIT;
	outcome = ask_json_schema(field, text, size, NULL, 0);
	if (outcome == JSON_SCHEMA_UNDECIDED)
		++*field->n_limit_hits;
	return outcome == JSON_SCHEMA_KEPT ? 0 : outcome == JSON_SCHEMA_BROKEN ? RULE_JSON_SCHEMA : RULE_PATTERN_LIMIT;
}

/* VALUE may be NULL where no rule needs it. */
static inline unsigned check_rules(const struct field *field, const char *text, size_t size, const struct value *value)
{
	unsigned broken = 0;

	if ((field->rules & (RULE_MIN_LENGTH | RULE_MAX_LENGTH)) != 0)
		broken |= check_length(field, text, size);
	if ((field->rules & RULE_PATTERN) != 0)
		broken |= check_pattern(field, text, size);
	if ((field->rules & RULES_OF_BOUNDS) != 0)
		broken |= check_bounds(field, value);
	if ((field->rules & RULE_ENUM) != 0 && !is_in_enum(field, text, size, value))
		broken |= RULE_ENUM;
	if ((field->rules & RULE_JSON_SCHEMA) != 0)
		broken |= check_json_schema(field, text, size);
	return broken;
}

static unsigned check_with_value(const struct field *field, const char *text, size_t size,
				 struct value_scratch *scratch, struct value *value)
{
	*value = (struct value){.kind = VALUE_TEXT, .text = text, .size = size};
	if (field->parse != NULL && !field->parse(field, text, size, scratch, value))
		return RULE_TYPE;
	return check_rules(field, text, size, value);
}

static unsigned check_with_own_value(const struct field *field, const char *text, size_t size,
				     struct value_scratch *scratch)
{
	struct value value;

	return check_with_value(field, text, size, scratch, &value);
}

unsigned field_check(const struct field *field, const char *text, size_t size, struct value_scratch *scratch,
		     struct value *ret_value)
{
	if (ret_value != NULL)
		return check_with_value(field, text, size, scratch, ret_value);
	if (field->needs_value)
		return check_with_own_value(field, text, size, scratch);
	/* Most fields: the text answers all there is to ask. */
	if (field->parse != NULL && !field->parse(field, text, size, scratch, NULL))
		return RULE_TYPE;
	return field->rules == 0 ? 0 : check_rules(field, text, size, NULL);
}

static char *note_type(const struct field *field, char *note, size_t size)
{
	const char *name = field_type_name(field->type);
	bool vowel = strchr("aeio", name[0]) != NULL;

	if (field->type == FIELD_STRING)
		snprintf(note, size, "is not of the format %s", field->format);
	else if (field->type == FIELD_LIST)
		snprintf(note, size, "is not a list of %ss", field_type_name(field->item->type));
	else if (field->pattern_of_time != NULL)
		snprintf(note, size, "is not a %s of the form %s", name, field->pattern_of_time);
	else
		snprintf(note, size, "is not %s %s", vowel ? "an" : "a", name);
	return note;
}

/* A constraint's value as the descriptor writes it. */
static const char *constraint_text(const struct field *field, const char *property, char *text, size_t size)
{
	const json_t *value = json_object_get(json_object_get(field->json, "constraints"), property);
	char *dump;

	if (json_is_string(value))
		return text_escape(json_string_value(value), json_string_length(value), text, size);
	dump = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	text_escape(dump != NULL ? dump : "", dump != NULL ? strlen(dump) : 0, text, size);
	free(dump);
	return text;
}

const char *field_rule_name(enum field_rule rule)
{
	switch (rule) {
	case RULE_TYPE:
		return "type-error";
	case RULE_REQUIRED:
		return "required";
	case RULE_MINIMUM:
		return "minimum";
	case RULE_MAXIMUM:
		return "maximum";
	case RULE_EXCLUSIVE_MINIMUM:
		return "exclusiveMinimum";
	case RULE_EXCLUSIVE_MAXIMUM:
		return "exclusiveMaximum";
	case RULE_MIN_LENGTH:
		return "minLength";
	case RULE_MAX_LENGTH:
		return "maxLength";
	case RULE_PATTERN:
		return "pattern";
	case RULE_ENUM:
		return "enum";
	case RULE_PATTERN_LIMIT:
		return "pattern-limit";
	case RULE_JSON_SCHEMA:
		return "jsonSchema";
	}
	return "unknown";
}

static char *note_json_schema(const struct field *field, const char *text, size_t text_size, char *note, size_t size)
{
	char place[JSON_SCHEMA_NOTE_SIZE] = "";

	if (field->json_schema != NULL)
		ask_json_schema(field, text, text_size, place, sizeof(place));
	snprintf(note, size, "does not keep the field's jsonSchema%s%s", place[0] != '\0' ? ": " : "", place);
	return note;
}

char *field_note(const struct field *field, enum field_rule rule, const char *text, size_t text_size, char *note,
		 size_t size)
{
	static const struct {
		enum field_rule rule;
		const char *property, *words;
	} words[] = {
		{RULE_MINIMUM, "minimum", "is less than the minimum"},
		{RULE_MAXIMUM, "maximum", "is more than the maximum"},
		{RULE_EXCLUSIVE_MINIMUM, "exclusiveMinimum", "is not more than"},
		{RULE_EXCLUSIVE_MAXIMUM, "exclusiveMaximum", "is not less than"},
		{RULE_MIN_LENGTH, "minLength", "is shorter than"},
		{RULE_MAX_LENGTH, "maxLength", "is longer than"},
		{RULE_PATTERN, "pattern", "does not match the pattern"},
		{RULE_PATTERN_LIMIT, "pattern", "cannot be decided within bounds by the pattern"},
	};
	char written[160];

	if (rule == RULE_TYPE)
		return note_type(field, note, size);
	if (rule == RULE_JSON_SCHEMA)
		return note_json_schema(field, text, text_size, note, size);
	if (rule == RULE_PATTERN_LIMIT && (field->rules & RULE_JSON_SCHEMA) != 0) {
		snprintf(note, size, "cannot be decided within bounds by the field's jsonSchema or pattern");
		return note;
	}
	snprintf(note, size, "%s",
		 rule == RULE_REQUIRED ? "is missing but required" : "is not one of the values allowed");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i].rule == rule)
			snprintf(note, size, "%s %s", words[i].words,
				 constraint_text(field, words[i].property, written, sizeof(written)));
	}
	return note;
}
