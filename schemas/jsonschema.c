/* SPDX-License-Identifier: ISC
 *
 * jsonschema, compiling: each schema within the schema once, its patterns compiled, its references led to where they
 * point. How values are checked is in jsonschema_check.c.
 */
#include "schemas/jsonschema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "schemas/jsonschema_internal.h"

#define PLACE_SIZE 160

/* A $ref within the schema, to be led to its node once all are there. */
struct reference {
	struct json_part *part;
	const char *target; /* "#/$defs/a" */
};

struct compiler {
	struct json_schema *schema;
	const json_t *root;
	const char *where;
	bool ref_is_alone; /* up to draft-07 nothing beside a $ref counts */
	unsigned depth;
	struct reference *references; /* owned */
	size_t n_references;
	struct warnings *warnings;
	struct refusal *why;
};

static enum fault compile(struct compiler *compiler, const json_t *json, const char *place,
			  struct json_node **ret_node);

static enum fault bad(const struct compiler *compiler, const char *place, const char *what)
{
	return refuse(compiler->why, FAULT_SCHEMA, "%.80s: jsonSchema: %s %s", compiler->where,
		      place[0] != '\0' ? place : "the whole", what);
}

static void warn(const struct compiler *compiler, const char *place, const char *keyword, const char *what)
{
	warnings_add(compiler->warnings, "%.80s: jsonSchema: %s/%.80s %s", compiler->where, place, keyword, what);
}

static void deepen(char *text, const char *place, const char *key)
{
	snprintf(text, PLACE_SIZE, "%.110s/%.40s", place, key);
}

/* --- values of keywords
 * ------------------------------------------------------------------------------------------------ */

static bool is_type(const json_t *json)
{
	static const char *const types[] = {"integer", "number", "string", "boolean", "object", "array", "null"};

	for (size_t i = 0; json_is_string(json) && i < ARRAY_SIZE(types); i++) {
		if (strcmp(json_string_value(json), types[i]) == 0)
			return true;
	}
	return false;
}

static bool is_text(const json_t *json)
{
	return json_is_string(json);
}

static bool is_list_of(const json_t *json, bool (*is_one)(const json_t *))
{
	for (size_t i = 0; i < json_array_size(json); i++) {
		if (!is_one(json_array_get(json, i)))
			return false;
	}
	return json_is_array(json);
}

/* NULL: it is in form. */
static const char *form_fault(enum json_form form, const json_t *value)
{
	switch (form) {
	case JSON_FORM_NUMBER:
		return json_is_number(value) ? NULL : "is no number";
	case JSON_FORM_POSITIVE:
		return json_number_value(value) > 0 ? NULL : "is no number above 0";
	case JSON_FORM_COUNT:
		return json_is_of_type(value, "integer") && json_number_value(value) >= 0 ? NULL : "is no count";
	case JSON_FORM_FLAG:
		return json_is_boolean(value) ? NULL : "is neither true nor false";
	case JSON_FORM_PATTERN:
	case JSON_FORM_REFERENCE:
		return json_is_string(value) ? NULL : "is no text";
	case JSON_FORM_TYPE:
		return is_type(value) || (json_array_size(value) > 0 && is_list_of(value, is_type)) ? NULL
												    : "is no type";
	case JSON_FORM_LIST:
		return json_is_array(value) ? NULL : "is no array";
	case JSON_FORM_TEXTS:
		return is_list_of(value, is_text) ? NULL : "is no array of texts";
	case JSON_FORM_SCHEMAS:
		return json_array_size(value) > 0 ? NULL : "is no array of schemas";
	case JSON_FORM_MEMBERS:
	case JSON_FORM_PATTERNS:
	case JSON_FORM_DEPENDENCIES:
		return json_is_object(value) ? NULL : "is no object";
	case JSON_FORM_ANNOTATION:
	case JSON_FORM_ANY:
	case JSON_FORM_SCHEMA:
	case JSON_FORM_ITEMS:
		break;
	}
	return NULL;
}

/* JSON Schema's patterns are searched for, anywhere in the text. */
static enum fault compile_pattern(struct compiler *compiler, const char *pattern, size_t size, const char *place,
				  pcre2_code **ret_code)
{
	const uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_ALT_BSUX | PCRE2_DOLLAR_ENDONLY |
				 PCRE2_NEVER_BACKSLASH_C;
	PCRE2_UCHAR message[128];
	char what[192];
	size_t offset;
	int error;

	if (size > LIMIT_PATTERN_SIZE)
		return bad(compiler, place, "is too long");
	*ret_code = pcre2_compile((PCRE2_SPTR)pattern, size, options, &error, &offset, NULL);
	if (*ret_code != NULL)
		return FAULT_NONE;
	pcre2_get_error_message(error, message, sizeof(message));
	snprintf(what, sizeof(what), "does not compile at character %zu: %s", offset + 1, (const char *)message);
	return bad(compiler, place, what);
}

/* --- schemas
 * ----------------------------------------------------------------------------------------------------------- */

static enum fault compile_list(struct compiler *compiler, struct json_rule *rule, const char *place)
{
	enum fault fault = FAULT_NONE;
	char inner[PLACE_SIZE], index[24];

	rule->parts = xcalloc(json_array_size(rule->value) + 1, sizeof(rule->parts[0]));
	for (size_t i = 0; fault == FAULT_NONE && i < json_array_size(rule->value); i++) {
		snprintf(index, sizeof(index), "%zu", i);
		deepen(inner, place, index);
		fault = compile(compiler, json_array_get(rule->value, i), inner, &rule->parts[rule->n_parts++].node);
	}
	return fault;
}

static enum fault compile_member(struct compiler *compiler, enum json_form form, const json_t *value, const char *place,
				 struct json_part *part)
{
	enum fault fault = FAULT_NONE;

	if (form == JSON_FORM_PATTERNS)
		fault = compile_pattern(compiler, part->key, strlen(part->key), place, &part->code);
	if (fault != FAULT_NONE)
		return fault;
	if (form != JSON_FORM_DEPENDENCIES || !json_is_array(value))
		return compile(compiler, value, place, &part->node);
	part->texts = value;
	return is_list_of(value, is_text) ? FAULT_NONE : bad(compiler, place, "is no array of texts");
}

static enum fault compile_members(struct compiler *compiler, struct json_rule *rule, const char *place)
{
	json_t *object = (json_t *)(uintptr_t)rule->value;
	enum fault fault = FAULT_NONE;
	char inner[PLACE_SIZE];

	rule->parts = xcalloc(json_object_size(object) + 1, sizeof(rule->parts[0]));
	for (void *at = json_object_iter(object); fault == FAULT_NONE && at != NULL;
	     at = json_object_iter_next(object, at)) {
		struct json_part *part = &rule->parts[rule->n_parts++];

		part->key = json_object_iter_key(at);
		deepen(inner, place, part->key);
		fault = compile_member(compiler, rule->keyword->form, json_object_iter_value(at), inner, part);
	}
	return fault;
}

static void add_reference(struct compiler *compiler, struct json_rule *rule, const char *place)
{
	const char *target = json_string_value(rule->value);

	if (target[0] != '#' || (target[1] != '\0' && target[1] != '/')) {
		char what[160];

		snprintf(what, sizeof(what), "leads out of the schema, to \"%.80s\", and is not checked", target);
		warn(compiler, place, "$ref", what);
		return;
	}
	rule->parts = xcalloc(1, sizeof(rule->parts[0]));
	rule->n_parts = 1;
	compiler->references = xrealloc(compiler->references, compiler->n_references + 1,
					sizeof(compiler->references[0]));
	compiler->references[compiler->n_references++] = (struct reference){rule->parts, target};
}

static enum fault compile_rule(struct compiler *compiler, struct json_rule *rule, const char *place)
{
	char inner[PLACE_SIZE];
	const char *what = form_fault(rule->keyword->form, rule->value);

	deepen(inner, place, rule->keyword->name);
	if (what != NULL)
		return bad(compiler, inner, what);
	switch (rule->keyword->form) {
	case JSON_FORM_PATTERN:
		rule->parts = xcalloc(1, sizeof(rule->parts[0]));
		rule->n_parts = 1;
		return compile_pattern(compiler, json_string_value(rule->value), json_string_length(rule->value), inner,
				       &rule->parts[0].code);
	case JSON_FORM_ITEMS:
		if (json_is_array(rule->value))
			return compile_list(compiler, rule, inner);
		__attribute__((fallthrough));
	case JSON_FORM_SCHEMA:
		rule->parts = xcalloc(1, sizeof(rule->parts[0]));
		rule->n_parts = 1;
		return compile(compiler, rule->value, inner, &rule->parts[0].node);
	case JSON_FORM_SCHEMAS:
		return compile_list(compiler, rule, inner);
	case JSON_FORM_MEMBERS:
	case JSON_FORM_PATTERNS:
	case JSON_FORM_DEPENDENCIES:
		return compile_members(compiler, rule, inner);
	case JSON_FORM_REFERENCE:
		add_reference(compiler, rule, place);
		return FAULT_NONE;
	default:
		return FAULT_NONE;
	}
}

/* Whether the keyword is one to compile; what is not checked is told. */
static bool is_rule(const struct compiler *compiler, const json_t *json, const char *key, const char *place)
{
	const struct json_keyword *keyword = json_keyword_find(key);
	const json_t *value = json_object_get(json, key);

	if (strcmp(key, "$id") == 0 && json == compiler->root)
		return false;
	if (keyword == NULL) {
		warn(compiler, place, key, "is not checked");
		return false;
	}
	if (keyword->form == JSON_FORM_ANNOTATION)
		return false;
	if (compiler->ref_is_alone && json_object_get(json, "$ref") != NULL && strcmp(key, "$ref") != 0 &&
	    keyword->check != NULL) {
		warn(compiler, place, key, "stands beside a $ref, and is not checked");
		return false;
	}
	/* Draft-04's "exclusiveMinimum": true. */
	if (keyword->form == JSON_FORM_NUMBER && json_is_boolean(value)) {
		warn(compiler, place, key, "is neither draft-07's nor later, and is not checked");
		return false;
	}
	return true;
}

static enum fault compile_rules(struct compiler *compiler, struct json_node *node, const char *place)
{
	json_t *json = (json_t *)(uintptr_t)node->json;
	enum fault fault = FAULT_NONE;

	node->rules = xcalloc(json_object_size(json) + 1, sizeof(node->rules[0]));
	for (void *at = json_object_iter(json); fault == FAULT_NONE && at != NULL;
	     at = json_object_iter_next(json, at)) {
		const char *key = json_object_iter_key(at);

		if (!is_rule(compiler, json, key, place))
			continue;
		node->rules[node->n_rules] = (struct json_rule){json_keyword_find(key), json_object_iter_value(at),
								NULL, 0};
		fault = compile_rule(compiler, &node->rules[node->n_rules++], place);
	}
	return fault;
}

static enum fault compile(struct compiler *compiler, const json_t *json, const char *place, struct json_node **ret_node)
{
	struct json_schema *schema = compiler->schema;
	struct json_node *node;
	enum fault fault;

	if (!json_is_object(json) && !json_is_boolean(json))
		return bad(compiler, place, "is no schema");
	if (schema->n_nodes == LIMIT_JSON_SCHEMA_NODES || compiler->depth == LIMIT_JSON_DEPTH)
		return bad(compiler, place, "is one schema too many, or too deep");
	node = xcalloc(1, sizeof(*node));
	schema->nodes = xrealloc(schema->nodes, schema->n_nodes + 1, sizeof(struct json_node *));
	schema->nodes[schema->n_nodes++] = node;
	*ret_node = node;
	node->json = json;
	node->forbids = json_is_false(json);
	if (!json_is_object(json))
		return FAULT_NONE;
	compiler->depth++;
	fault = compile_rules(compiler, node, place);
	compiler->depth--;
	return fault;
}

/* --- references
 * -------------------------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next step of a JSON pointer (RFC 6901) in a fragment, decoded; *AT is past it. False: too long, or out of form. */
static bool next_step(const char **at, char *step, size_t size)
{
	size_t n = 0;

	for (++*at; **at != '\0' && **at != '/'; ++*at) {
		char c = **at;

		if (n + 1 == size)
			return false;
		if (c == '%' && hex_digit((*at)[1]) >= 0 && hex_digit((*at)[2]) >= 0) {
			c = (char)(hex_digit((*at)[1]) * 16 + hex_digit((*at)[2]));
			*at += 2;
		}
		if (c == '\0')
			return false;
		if (c == '~' && (*at)[1] != '0' && (*at)[1] != '1')
			return false;
		if (c == '~')
			c = *++*at == '0' ? '~' : '/';
		step[n++] = c;
	}
	step[n] = '\0';
	return true;
}

/* NULL: there is nothing. */
static const json_t *point(const json_t *root, const char *target)
{
	const json_t *json = root;
	const char *at = target + 1;
	char step[256];

	while (json != NULL && *at != '\0') {
		if (!next_step(&at, step, sizeof(step)))
			return NULL;
		if (!json_is_array(json))
			json = json_object_get(json, step);
		else if (step[0] != '\0' && strspn(step, "0123456789") == strlen(step) && strlen(step) < 9)
			json = json_array_get(json, strtoul(step, NULL, 10));
		else
			json = NULL;
	}
	return json;
}

static enum fault resolve(struct compiler *compiler, struct json_part *part, const char *target)
{
	const json_t *json = point(compiler->root, target);

	if (json == NULL) {
		char what[128];

		snprintf(what, sizeof(what), "has nothing at its $ref \"%.80s\"", target);
		return bad(compiler, "", what);
	}
	for (size_t i = 0; i < compiler->schema->n_nodes; i++) {
		if (compiler->schema->nodes[i]->json == json) {
			part->node = compiler->schema->nodes[i];
			return FAULT_NONE;
		}
	}
	return compile(compiler, json, target + 1, &part->node);
}

/* Up to draft-07. */
static bool is_older(const json_t *json)
{
	const char *draft = json_string_value(json_object_get(json, "$schema"));

	return draft != NULL && strstr(draft, "/draft-0") != NULL;
}

static void prepare_matches(struct json_schema *schema)
{
	schema->match_data = pcre2_match_data_create(1, NULL);
	schema->match_context = pcre2_match_context_create(NULL);
	if (schema->match_data == NULL || schema->match_context == NULL)
		die("out of memory");
	pcre2_set_match_limit(schema->match_context, LIMIT_PATTERN_STEPS);
	pcre2_set_depth_limit(schema->match_context, LIMIT_PATTERN_DEPTH);
	pcre2_set_heap_limit(schema->match_context, LIMIT_PATTERN_HEAP);
}

enum fault json_schema_new(const json_t *json, const char *where, struct warnings *warnings,
			   struct json_schema **ret_schema, struct refusal *why)
{
	_cleanup_(json_schema_freep) struct json_schema *schema = xcalloc(1, sizeof(*schema));
	struct compiler compiler = {.schema = schema,
				    .root = json,
				    .where = where,
				    .ref_is_alone = is_older(json),
				    .warnings = warnings,
				    .why = why};
	struct json_node *node;
	enum fault fault;

	prepare_matches(schema);
	fault = compile(&compiler, json, "", &node);
	/* What a reference leads to may hold others. */
	for (size_t i = 0; fault == FAULT_NONE && i < compiler.n_references; i++)
		fault = resolve(&compiler, compiler.references[i].part, compiler.references[i].target);
	free(compiler.references);
	if (fault == FAULT_NONE)
		*ret_schema = steal_pointer(&schema);
	return fault;
}

static void free_node(struct json_node *node)
{
	for (size_t i = 0; i < node->n_rules; i++) {
		for (size_t j = 0; j < node->rules[i].n_parts; j++)
			pcre2_code_free(node->rules[i].parts[j].code);
		free(node->rules[i].parts);
	}
	free(node->rules);
	free(node);
}

void json_schema_free(struct json_schema *schema)
{
	if (schema == NULL)
		return;
	for (size_t i = 0; i < schema->n_nodes; i++)
		free_node(schema->nodes[i]);
	free(schema->nodes);
	pcre2_match_data_free(schema->match_data);
	pcre2_match_context_free(schema->match_context);
	free(schema);
}

void json_schema_freep(struct json_schema **schema)
{
	json_schema_free(*schema);
}
