/* SPDX-License-Identifier: ISC
 *
 * jsonschema: the constraint `jsonSchema` of Table Schema v2: JSON Schema (draft 2020-12, and draft-07 where that is
 * written otherwise) over one JSON value, without a network and within bounds.
 */
#ifndef SCHEMAS_JSONSCHEMA_H
#define SCHEMAS_JSONSCHEMA_H

#include <jansson.h>
#include <stddef.h>

#include "base/fault.h"
#include "schemas/warnings.h"

struct json_schema;

#define JSON_SCHEMA_NOTE_SIZE 216

enum json_schema_outcome {
	JSON_SCHEMA_KEPT,
	JSON_SCHEMA_BROKEN,
	JSON_SCHEMA_UNDECIDED, /* not within LIMIT_JSON_SCHEMA_STEPS, _DEPTH, or a pattern's own bounds */
};

/* Compiles JSON, which must outlive the result. WHERE ("field a") begins each line of WARNINGS: keywords that are not
 * checked, and what a $ref leads to elsewhere. Out of form, or past LIMIT_JSON_SCHEMA_NODES: FAULT_SCHEMA with the place. */
enum fault json_schema_new(const json_t *json, const char *where, struct warnings *warnings,
			   struct json_schema **ret_schema, struct refusal *why);
void json_schema_free(struct json_schema *schema);
void json_schema_freep(struct json_schema **schema);

/* Whether VALUE keeps the schema. NOTE (may be NULL, else of JSON_SCHEMA_NOTE_SIZE) gets the first place that does not, in
 * words: "/a/b is not an integer". One thread a schema. */
enum json_schema_outcome json_schema_check(const struct json_schema *schema, const json_t *value, char *note,
					   size_t note_size);

#endif
