/* SPDX-License-Identifier: ISC
 *
 * field: one field of a schema, compiled: how its cells are read, which rules hold for them, and the words for each
 * rule.
 */
#ifndef SCHEMAS_FIELD_H
#define SCHEMAS_FIELD_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "schemas/jsonschema.h"
#include "schemas/schema.h"
#include "schemas/simplepattern.h"
#include "schemas/textlist.h"
#include "schemas/value.h"
#include "schemas/warnings.h"

/* What a cell can break; a set of bits, for one cell can break several. */
enum field_rule {
	RULE_TYPE = 1 << 0,
	RULE_REQUIRED = 1 << 1,
	RULE_MINIMUM = 1 << 2,
	RULE_MAXIMUM = 1 << 3,
	RULE_EXCLUSIVE_MINIMUM = 1 << 4,
	RULE_EXCLUSIVE_MAXIMUM = 1 << 5,
	RULE_MIN_LENGTH = 1 << 6,
	RULE_MAX_LENGTH = 1 << 7,
	RULE_PATTERN = 1 << 8,
	RULE_ENUM = 1 << 9,
	RULE_PATTERN_LIMIT = 1 << 10, /* the pattern, or the jsonSchema, could not be decided within its bounds */
	RULE_JSON_SCHEMA = 1 << 11,
	RULE_LAST = RULE_JSON_SCHEMA,
};

#define FIELD_N_BOUNDS 4
#define RULES_OF_BOUNDS (RULE_MINIMUM | RULE_MAXIMUM | RULE_EXCLUSIVE_MINIMUM | RULE_EXCLUSIVE_MAXIMUM)

typedef bool field_parse(const struct field *field, const char *text, size_t size, struct value_scratch *scratch,
			 struct value *ret_value);

/* Compiled; everything borrowed is the descriptor's, which the schema holds. */
struct field {
	json_t *json;
	const char *name;
	enum field_type type;
	const char *format;          /* "default" if none is given */
	field_parse *parse;          /* NULL: any text */
	const char *pattern_of_time; /* strptime pattern, for date, time, datetime */
	const char *pattern;         /* as written; NULL: none */
	struct number_form number;
	struct text_list true_values, false_values;
	struct text_list missing;
	struct field *item; /* owned; of a list */
	char delimiter;

	bool required, unique;
	bool counts_items; /* minLength of an array, a list or an object counts these, not characters */
	unsigned rules;    /* enum field_rule of the constraints that it has */
	struct value bounds[FIELD_N_BOUNDS]; /* minimum, maximum, exclusiveMinimum, exclusiveMaximum; texts owned */
	uint64_t min_length, max_length;
	struct value *enum_values; /* sorted; texts owned */
	size_t n_enum_values;
	struct text_list enum_texts;           /* the same, where the values are texts; else empty */
	bool needs_value;                      /* its rules look at the value, not at the text alone */
	struct simple_pattern *simple_pattern; /* owned; NULL: none, or the pattern is not simple */
	pcre2_code *code;
	pcre2_match_data *match_data;
	pcre2_match_context *match_context;
	uint64_t *
		/* owned: cells that the pattern or the jsonSchema could not decide; past LIMIT_FAULTS_KEPT they are not
		   tried again */
		n_limit_hits;
	bool has_jit;
	struct json_schema *json_schema; /* owned; NULL: none */
};

/* FAULT_SCHEMA with the field's name and the property. MISSING_VALUES is the schema's, the field's own go first. What holds
 * nothing up but is not as it seems (an example that breaks the rules that it is to show) is told in WARNINGS. */
enum fault field_parse_descriptor(json_t *descriptor, const json_t *missing_values, struct warnings *warnings,
				  struct field **ret_field, struct refusal *why);
void field_free(struct field *field);
void field_freep(struct field **field);

/* A constraint as the descriptor has it, wherever that puts it. Borrowed; NULL: none. */
const json_t *field_constraint(const struct field *field, const char *property);
/* Whether the format spells out the default of a date, and is read as it. */
bool field_is_default_date(const struct field *field);

/* Whether the cell is one of the missing values. */
static inline bool field_is_missing(const struct field *field, const char *text, size_t size);

/* The rules that a cell which is not missing breaks: a set of enum field_rule, 0 if it is good. TEXT is well-formed
 * UTF-8. With RET_VALUE (else NULL) the cell's value, set unless RULE_TYPE is broken; it borrows from TEXT and
 * SCRATCH. */
unsigned field_check(const struct field *field, const char *text, size_t size, struct value_scratch *scratch,
		     struct value *ret_value);

/* The rule's name, as faults give it: the constraint's, "type-error", "pattern-limit". */
const char *field_rule_name(enum field_rule rule);
/* The rule in words that follow the cell: "is not an integer", "does not match the pattern ^a+$". TEXT is the cell, in which
 * a jsonSchema names the place. Returns NOTE. */
char *field_note(const struct field *field, enum field_rule rule, const char *text, size_t text_size, char *note,
		 size_t size);

static inline bool field_is_missing(const struct field *field, const char *text, size_t size)
{
	return text_list_has(&field->missing, text, size);
}

#endif
