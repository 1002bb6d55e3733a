/* SPDX-License-Identifier: ISC
 *
 * jsonschema, between its own files: jsonschema.c compiles, jsonschema_check.c checks values, jsonschema_value.c
 * compares them.
 */
#ifndef SCHEMAS_JSONSCHEMA_INTERNAL_H
#define SCHEMAS_JSONSCHEMA_INTERNAL_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdbool.h>
#include <stdint.h>

#include "schemas/jsonschema.h"

struct json_rule;
struct json_node;
struct json_run;
struct json_place;

/* What a keyword's value must be. */
enum json_form {
	JSON_FORM_ANNOTATION, /* anything; it says nothing about values */
	JSON_FORM_ANY,
	JSON_FORM_NUMBER,
	JSON_FORM_POSITIVE,
	JSON_FORM_COUNT,
	JSON_FORM_FLAG,
	JSON_FORM_PATTERN,
	JSON_FORM_TYPE,         /* a type's name, or a list of them */
	JSON_FORM_LIST,         /* of values */
	JSON_FORM_TEXTS,        /* a list of texts */
	JSON_FORM_SCHEMA,       /* one part */
	JSON_FORM_SCHEMAS,      /* a list, a part each */
	JSON_FORM_ITEMS,        /* a schema, or draft-07's list of them */
	JSON_FORM_MEMBERS,      /* an object of schemas, a part each, with the key */
	JSON_FORM_PATTERNS,     /* the same, and the keys are patterns */
	JSON_FORM_DEPENDENCIES, /* the same, or lists of texts */
	JSON_FORM_REFERENCE,
};

typedef enum json_schema_outcome json_rule_check(struct json_run *run, const struct json_node *node,
						 const struct json_rule *rule, const json_t *value,
						 const struct json_place *place);

struct json_keyword {
	const char *name;
	enum json_form form;
	char applies;           /* to values of this kind alone: 'n'umbers, 's'trings, 'a'rrays, 'o'bjects; '*': any */
	json_rule_check *check; /* NULL: another keyword beside it looks at it */
	const char *words;      /* what a value that breaks it does; the keyword's value follows */
};

struct json_part {
	const char *key;        /* NULL: it has none */
	struct json_node *node; /* borrowed; NULL: a list of texts (DEPENDENCIES) */
	const json_t *texts;
	pcre2_code *code; /* owned */
};

struct json_rule {
	const struct json_keyword *keyword;
	const json_t *value;
	struct json_part *parts; /* owned */
	size_t n_parts;
};

struct json_node {
	const json_t *json;
	bool forbids; /* the schema `false` */
	struct json_rule *rules;
	size_t n_rules;
};

struct json_schema {
	struct json_node **nodes; /* owned, each; the first is the whole */
	size_t n_nodes;
	pcre2_match_data *match_data;
	pcre2_match_context *match_context;
};

/* One value's check. */
struct json_run {
	const struct json_schema *schema;
	uint64_t n_steps;
	unsigned depth;
	unsigned silent; /* more than 0: within what may fail (anyOf, not, if, contains) */
	char *note;      /* NULL: nobody asks */
	size_t note_size;
};

/* NULL: none that is known. */
const struct json_keyword *json_keyword_find(const char *name);

/* Values as JSON Schema compares them: 1 is 1.0. Both count steps, and stop past LIMIT_JSON_SCHEMA_STEPS. */
bool json_value_equal(struct json_run *run, const json_t *a, const json_t *b);
bool json_values_are_unique(struct json_run *run, const json_t *array);
/* <0, 0, >0 of two numbers, exactly. */
int json_compare_numbers(const json_t *a, const json_t *b);
/* "integer" takes 1.0 too. */
bool json_is_of_type(const json_t *value, const char *type);
/* Whether the quotient is whole, as both are written in 15 digits. */
bool json_is_multiple(const json_t *value, const json_t *divisor);

#endif
