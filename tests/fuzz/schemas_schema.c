/* SPDX-License-Identifier: ISC
 *
 * fuzz: a schema's descriptor; where one is accepted, each field gets a few cells, and each note is worded.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "schemas/field.h"
#include "schemas/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_field(const struct field *field)
{
	static const char *const cells[] = {"",         "1",     "-1,5e3",   "2020-02-29", "a b",
					    "\xc3\xa9", "[1,2]", "12:00:00", "true",       "NaN"};
	struct value_scratch scratch;
	struct value value;
	char note[64], bytes[VALUE_DIGITS + 64];
	size_t size;

	for (size_t i = 0; i < ARRAY_SIZE(cells); i++) {
		if (!field_is_missing(field, cells[i], strlen(cells[i])) &&
		    (field_check(field, cells[i], strlen(cells[i]), &scratch, &value) & RULE_TYPE) == 0)
			value_bytes(&value, bytes, &size);
	}
	for (unsigned rule = 1; rule <= RULE_LAST; rule <<= 1)
		field_note(field, (enum field_rule)rule, "{}", 2, note, sizeof(note));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	_cleanup_(schema_freep) struct schema *schema = NULL;
	struct refusal why = {0};

	if (json_parse(data, size, LIMIT_PACKAGE_SIZE, &json, &why) != FAULT_NONE)
		return 0;
	if (schema_parse(json, &schema, &why) != FAULT_NONE) {
		if (why.fault != FAULT_SCHEMA || why.line[0] == '\0')
			abort();
		return 0;
	}
	for (size_t i = 0; i < schema->n_fields && i < 16; i++)
		use_field(schema->fields[i]);
	return 0;
}
