/* SPDX-License-Identifier: ISC
 *
 * fuzz: a jsonSchema, a zero byte, and a value for it. Whoever is accepted gives an answer, the same with words and
 * without.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "schemas/jsonschema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(json_decrefp) json_t *json = NULL, *value = NULL, *words = NULL;
	_cleanup_(json_schema_freep) struct json_schema *schema = NULL;
	_cleanup_(warnings_clear) struct warnings warnings = {.n = 0};
	const uint8_t *end = size > 0 ? memchr(data, 0, size) : NULL;
	enum json_schema_outcome outcome;
	struct refusal why = {0};
	char note[JSON_SCHEMA_NOTE_SIZE] = "";

	if (end == NULL || json_parse(data, (size_t)(end - data), LIMIT_PACKAGE_SIZE, &json, &why) != FAULT_NONE)
		return 0;
	if (json_schema_new(json, "field a", &warnings, &schema, &why) != FAULT_NONE) {
		if (why.fault != FAULT_SCHEMA || why.line[0] == '\0')
			abort();
		return 0;
	}
	value = json_loadb((const char *)end + 1, size - (size_t)(end + 1 - data), JSON_DECODE_ANY | JSON_ALLOW_NUL,
			   NULL);
	if (value == NULL)
		return 0;
	outcome = json_schema_check(schema, value, note, sizeof(note));
	if (outcome != json_schema_check(schema, value, NULL, 0) ||
	    (outcome == JSON_SCHEMA_BROKEN) != (note[0] != '\0'))
		abort();
	/* A report is JSON: no character of it is cut. */
	words = json_string(note);
	if (words == NULL || strlen(note) + 1 == sizeof(note))
		abort();
	return 0;
}
