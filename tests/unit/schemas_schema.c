/* SPDX-License-Identifier: ISC
 *
 * schema: fields, keys and their spellings in both versions of the standard; what is refused, and with which words.
 */
#include "schemas/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/json.h"

static struct schema *parse(const char *text, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	struct schema *schema = NULL;

	assert_non_null(json);
	schema_parse(json, &schema, why);
	return schema;
}

static void test_all(void **state)
{
	_cleanup_(schema_freep) struct schema *schema = parse(
		"{\"$schema\": \"https://datapackage.org/profiles/2.0/tableschema.json\", \"fieldsMatch\": "
		"\"superset\","
		" \"fields\": [{\"name\": \"a\"}, {\"name\": \"b\", \"type\": \"year\"}, {\"name\": \"c\", \"type\": "
		"\"any\"}],"
		" \"missingValues\": [\"\", {\"value\": \"-\", \"label\": \"none\"}], \"primaryKey\": [\"a\", \"b\"],"
		" \"uniqueKeys\": [[\"c\"], [\"a\", \"c\"]],"
		" \"foreignKeys\": [{\"fields\": \"a\", \"reference\": {\"resource\": \"\", \"fields\": \"c\"}},"
		"                  {\"fields\": [\"a\", \"b\"], \"reference\": {\"resource\": \"other\", \"fields\": "
		"[\"x\", \"y\"]}},"
		"                  {\"fields\": [\"b\"], \"reference\": {\"fields\": [\"a\"]}}],"
		" \"unknown\": 1}",
		NULL);

	(void)state;
	assert_non_null(schema);
	assert_int_equal(schema->n_fields, 3);
	assert_int_equal(field_type(schema->fields[0]), FIELD_STRING);
	assert_int_equal(field_type(schema->fields[1]), FIELD_YEAR);
	assert_string_equal(field_name(schema_field(schema, "c")), "c");
	assert_null(schema_field(schema, "d"));
	assert_int_equal(schema->match, FIELDS_SUPERSET);
	assert_int_equal(schema->n_missing_values, 2);
	assert_string_equal(schema->missing_values[1], "-");
	assert_int_equal(schema->primary_key.n_columns, 2);
	assert_int_equal(schema->n_unique_keys, 2);
	assert_int_equal(schema->n_foreign_keys, 3);
	assert_string_equal(schema->foreign_keys[0].resource, "");
	assert_string_equal(schema->foreign_keys[1].resource, "other");
	assert_string_equal(schema->foreign_keys[1].reference_columns[1], "y");
	assert_string_equal(schema->foreign_keys[2].resource, "");
}

/* "No key" as published schemas write it; a primary key by name alone; the default missing value. */
static void test_spellings(void **state)
{
	static const char *const none[] = {"null", "\"\"", "[]"};
	char text[160];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		_cleanup_(schema_freep) struct schema *schema = NULL;

		snprintf(text, sizeof(text),
			 "{\"fields\": [{\"name\": \"a\"}], \"primaryKey\": %s, \"foreignKeys\": null}", none[i]);
		schema = parse(text, NULL);
		assert_non_null(schema);
		assert_int_equal(schema->primary_key.n_columns, 0);
		assert_int_equal(schema->n_missing_values, 1);
		assert_string_equal(schema->missing_values[0], "");
		assert_int_equal(schema->match, FIELDS_EXACT);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{"{}", "fields"},
		{"{\"fields\": []}", "fields"},
		{"{\"fields\": [1]}", "no object"},
		{"{\"fields\": [{\"name\": \"a\"}, {\"name\": \"a\"}]}", "two fields are called a"},
		{"{\"fields\": [{\"name\": \"a\"}], \"fieldsMatch\": \"loose\"}", "fieldsMatch"},
		{"{\"fields\": [{\"name\": \"a\"}], \"fieldsMatch\": [\"equal\", \"exact\"]}", "fieldsMatch"},
		{"{\"fields\": [{\"name\": \"a\"}], \"missingValues\": {}}", "missingValues"},
		{"{\"fields\": [{\"name\": \"a\"}], \"missingValues\": [[]]}", "missingValues"},
		{"{\"fields\": [{\"name\": \"a\"}], \"primaryKey\": \"b\"}", "no field b"},
		{"{\"fields\": [{\"name\": \"a\"}], \"primaryKey\": [1]}", "primaryKey"},
		{"{\"fields\": [{\"name\": \"a\"}], \"uniqueKeys\": [[\"b\"]]}", "no field b"},
		{"{\"fields\": [{\"name\": \"a\"}], \"uniqueKeys\": 7}", "uniqueKeys"},
		{"{\"fields\": [{\"name\": \"a\"}], \"foreignKeys\": [{\"fields\": \"a\"}]}", "reference"},
		{"{\"fields\": [{\"name\": \"a\"}], \"foreignKeys\": [{\"fields\": \"b\", \"reference\": "
		 "{\"resource\": \"x\", \"fields\": \"y\"}}]}",
		 "no field b"},
		{"{\"fields\": [{\"name\": \"a\"}], \"foreignKeys\": [{\"fields\": \"a\", \"reference\": "
		 "{\"resource\": \"x\", \"fields\": [\"y\", \"z\"]}}]}",
		 "refer to 2"},
		{"{\"fields\": [{\"name\": \"a\"}], \"foreignKeys\": [{\"fields\": \"a\", \"reference\": "
		 "{\"resource\": \"\", \"fields\": \"z\"}}]}",
		 "no field z"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct refusal why = {0};
		_cleanup_(schema_freep) struct schema *schema = parse(bad[i].text, &why);

		assert_null(schema);
		assert_int_equal(why.fault, FAULT_SCHEMA);
		if (strstr(why.line, bad[i].says) == NULL)
			fail_msg("%s: %s", bad[i].text, why.line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
