/* SPDX-License-Identifier: ISC
 *
 * validation: whole tables as text against schemas, and the list of what is found: header by fieldsMatch, rows, keys
 * in and between tables in any order, reports.
 */
#include "schemas/validation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/limits.h"

static enum fault take(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
		       struct refusal *why)
{
	(void)why;
	validation_row(ctx, cells, n_cells, position);
	return FAULT_NONE;
}

static struct schema *parse(const char *text)
{
	_cleanup_(json_decrefp) json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	struct refusal why = {0};
	struct schema *schema = NULL;

	assert_non_null(json);
	if (schema_parse(json, &schema, &why) != FAULT_NONE)
		fail_msg("%s: %s", text, why.line);
	return schema;
}

static struct validation_table *read_csv(struct validation *validation, const char *name, const struct schema *schema,
					 const char *csv)
{
	const struct dialect dialect = dialect_plain;
	struct validation_table *table = validation_table(validation, name, schema);
	_cleanup_(table_reader_freep) struct table_reader *reader = table_reader_new(&dialect, take, table);
	struct refusal why = {0};

	if (table_reader_feed(reader, csv, strlen(csv), &why) != FAULT_NONE ||
	    table_reader_finish(reader, &why) != FAULT_NONE)
		validation_table_broken(table, &why);
	validation_table_end(table);
	return table;
}

/* "type row,field type row,field …" */
static const char *list(const struct validation_table *table, char text[1024])
{
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < validation_n_kept(table) && n < 900; i++) {
		const struct table_fault *fault = validation_fault(table, i);

		n += (size_t)snprintf(text + n, 1024 - n, "%s%s %u,%u", i > 0 ? " " : "", fault->type,
				      (unsigned)fault->row, (unsigned)fault->field);
	}
	return text;
}

static void check(const char *schema_text, const char *csv, const char *faults)
{
	_cleanup_(schema_freep) struct schema *schema = parse(schema_text);
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	struct validation_table *table = read_csv(validation, "t", schema, csv);
	char text[1024];

	validation_end(validation);
	assert_string_equal(list(table, text), faults);
	assert_int_equal(validation_is_valid(validation), faults[0] == '\0');
}

static void test_rows(void **state)
{
	const char *schema = "{\"fields\": [{\"name\": \"a\", \"type\": \"integer\", \"constraints\": {\"required\": "
			     "true, \"minimum\": 1}},"
			     " {\"name\": \"b\", \"constraints\": {\"pattern\": \"x+\", \"maxLength\": 2}}]}";

	(void)state;
	check(schema, "a,b\n1,x\n2,\n", "");
	check(schema, "a,b\nz,x\n,x\n0,y\n1,xxx\n",
	      "type-error 2,1 constraint-error 3,1 constraint-error 4,1 constraint-error 4,2 constraint-error 5,2");
	check(schema, "a,b\n1\n", "missing-cell 2,2");
	check(schema, "a,b\n1,x,9,9\n", "extra-cell 2,3 extra-cell 2,4");
	check(schema, "a,b\n\n1,x\n,\n", "blank-row 2,0 blank-row 4,0");
	check(schema, "", "blank-header 1,0");
	check(schema, "a,b\n1,x\n2,\"x\n", "source-error 0,0");
	check(schema, "a,b\n1,\xff\n", "source-error 0,0");
}

#define AB(match)                                                                                                      \
	"{\"fieldsMatch\": \"" match "\", \"fields\": [{\"name\": \"a\", \"type\": \"integer\", \"constraints\": "     \
	"{\"required\": true}}, {\"name\": \"b\"}]}"

static void test_header(void **state)
{
	(void)state;
	check(AB("exact"), "a,b\n1,x\n", "");
	check(AB("exact"), "b,a\nx,1\n", "incorrect-label 1,1 incorrect-label 1,2 type-error 2,1");
	check(AB("exact"), "a, b\n1,x\n", "incorrect-label 1,2");
	check(AB("exact"), "a\n1\n", "missing-label 1,2 missing-cell 2,2");
	check(AB("exact"), "a,b,c\n1,x,y\n", "extra-label 1,3 extra-cell 2,3");
	check(AB("exact"), "a,\n1,x\n", "blank-label 1,2");
	check(AB("exact"), "a,a\n1,x\n", "duplicate-label 1,2 incorrect-label 1,2");
	check(AB("equal"), "b,a\nx,1\n", "");
	check(AB("equal"), "b,a\nx,z\n", "type-error 2,2");
	check(AB("equal"), "b,a,c\nx,1,\n", "extra-label 1,3");
	check(AB("equal"), "a\n1\n", "missing-label 1,2");
	check(AB("subset"), "c,b,a\n,x,1\n", "");
	check(AB("subset"), "c,a\n,1\n", "missing-label 1,3");
	check(AB("superset"), "a\n1\n", "");
	check(AB("superset"), "b\nx\n", "missing-label 1,2");
	check(AB("superset"), "a,c\n1,x\n", "extra-label 1,2");
	check(AB("partial"), "a,c\n1,x\n", "");
	check(AB("partial"), "c\nx\n", "missing-label 1,2");
	check("{\"fieldsMatch\": \"partial\", \"fields\": [{\"name\": \"b\"}]}", "c\nx\n", "missing-label 1,0");
}

static void test_keys(void **state)
{
	const char *primary = "{\"primaryKey\": [\"a\", \"b\"], \"fields\": [{\"name\": \"a\"}, {\"name\": \"b\", "
			      "\"type\": \"integer\"}]}";
	const char *both = "{\"primaryKey\": \"a\", \"fields\": [{\"name\": \"a\", \"type\": \"number\", "
			   "\"constraints\": {\"unique\": true}}, {\"name\": \"b\"}]}";

	(void)state;
	/* Tuples, not their bytes one after the other; values, not their spelling. */
	check(primary, "a,b\nx,1\nx1,\nx,11\ny,1\n", "");
	check(primary, "a,b\nx,1\nx,01\n", "primary-key 3,0");
	check(primary, "a,b\nx,\nx,\n", "primary-key 3,0");
	check(both, "a,b\n1,\n2,\n1.0,\n", "unique-error 4,1 primary-key 4,1");
	check(both, "a,b\n1,\n,x\n,y\n", "primary-key 3,1 primary-key 4,1");
	check("{\"fields\": [{\"name\": \"a\", \"constraints\": {\"unique\": true}}, {\"name\": \"b\"}]}",
	      "a,b\n,1\n,2\nx,3\nx,4\n", "unique-error 5,1");
	check("{\"uniqueKeys\": [[\"a\", \"b\"]], \"fields\": [{\"name\": \"a\"}, {\"name\": \"b\"}]}",
	      "a,b\n1,2\n1,3\n1,2\n", "unique-error 4,0");
	/* A key over a column that the data do not have: one fault, not one a row. */
	check("{\"fieldsMatch\": \"equal\", \"primaryKey\": \"a\", \"fields\": [{\"name\": \"a\"}, {\"name\": \"b\"}]}",
	      "b\n1\n1\n", "missing-label 1,2");
}

static void test_first_row(void **state)
{
	_cleanup_(schema_freep) struct schema *schema = parse(
		"{\"primaryKey\": \"a\", \"fields\": [{\"name\": \"a\"}]}");
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	struct validation_table *table = read_csv(validation, "t", schema, "a\nx\ny\nx\n");

	(void)state;
	validation_end(validation);
	assert_int_equal(validation_n_kept(table), 1);
	assert_string_equal(validation_fault(table, 0)->note, "is the same as in row 2");
	assert_string_equal(validation_fault(table, 0)->cell, "x");
	assert_int_equal(validation_fault(table, 0)->offset, 6);
}

/* Self references may go forwards; a reference whose cells are all missing is none. */
static void test_self_reference(void **state)
{
	const char *schema = "{\"fields\": [{\"name\": \"id\", \"type\": \"integer\"}, {\"name\": \"parent\", "
			     "\"type\": \"integer\"}],"
			     " \"foreignKeys\": [{\"fields\": \"parent\", \"reference\": {\"resource\": \"\", "
			     "\"fields\": \"id\"}}]}";

	(void)state;
	check(schema, "id,parent\n1,3\n2,1\n3,\n", "");
	check(schema, "id,parent\n1,03\n2,9\n3,8\n4,9\n", "foreign-key 3,2 foreign-key 4,2");
}

static const char REGIONS[] = "{\"primaryKey\": \"code\", \"fields\": [{\"name\": \"code\"}, {\"name\": \"name\"}]}";
static const char TOWNS[] = "{\"fields\": [{\"name\": \"town\"}, {\"name\": \"region\"}],"
			    " \"foreignKeys\": [{\"fields\": \"region\", \"reference\": {\"resource\": \"regions\", "
			    "\"fields\": \"code\"}}]}";

/* Whatever the order of the tables; and a table that is not there is no excuse. */
static void test_references(void **state)
{
	_cleanup_(schema_freep) struct schema *regions = parse(REGIONS), *towns = parse(TOWNS);

	(void)state;
	for (int order = 0; order < 2; order++) {
		_cleanup_(validation_freep) struct validation *validation = validation_new();
		struct validation_table *table;
		char text[1024];

		validation_declare(validation, "regions", regions);
		validation_declare(validation, "towns", towns);
		if (order == 0)
			read_csv(validation, "regions", regions, "code,name\n11,x\n01,y\n");
		table = read_csv(validation, "towns", towns, "town,region\na,11\nb,\nc,1\nd,01\n");
		if (order == 1)
			read_csv(validation, "regions", regions, "code,name\n11,x\n01,y\n");
		validation_end(validation);
		assert_string_equal(list(table, text), "foreign-key 4,2");
		assert_int_equal(validation_n_faults(validation), 1);
		assert_non_null(strstr(validation_fault(table, 0)->note, "is not found in regions as code"));
	}
}

static void test_reference_unchecked(void **state)
{
	_cleanup_(schema_freep) struct schema *regions = parse(REGIONS), *towns = parse(TOWNS);
	_cleanup_(validation_freep) struct validation *alone = validation_new(), *late = validation_new();
	struct validation_table *table = read_csv(alone, "towns", towns, "town,region\na,11\n");
	char text[1024];

	(void)state;
	validation_end(alone);
	assert_string_equal(list(table, text), "foreign-key 0,2");
	/* Read before anybody said that its keys would be asked for. */
	read_csv(late, "regions", regions, "code,name\n11,x\n");
	table = read_csv(late, "towns", towns, "town,region\na,12\n");
	validation_end(late);
	assert_false(validation_is_valid(late));
}

/* All are counted, the first of each type kept. */
static void test_many(void **state)
{
	_cleanup_(schema_freep) struct schema *schema = parse(
		"{\"fields\": [{\"name\": \"a\", \"type\": \"integer\"}]}");
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	_cleanup_free_ char *csv = xmalloc(2 * 100000 + 3);
	struct validation_table *table;
	char line[512];

	(void)state;
	strcpy(csv, "a\n");
	for (size_t i = 1; i <= 100000; i++)
		memcpy(csv + 2 * i, "x\n", 3);
	table = read_csv(validation, "t", schema, csv);
	assert_int_equal(validation_n_rows(table), 100000);
	assert_int_equal(validation_n_faults(validation), 100000);
	assert_int_equal(validation_n_kept(table), LIMIT_FAULTS_KEPT);
	validation_summary(validation, line, sizeof(line));
	assert_string_equal(line, "t row 2, field a: \"x\" is not an integer (type-error), and 99999 more");
}

static void test_lines(void **state)
{
	_cleanup_(schema_freep) struct schema *schema = parse(
		"{\"fields\": [{\"name\": \"population\", \"type\": \"integer\"}]}");
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	struct validation_table *table = read_csv(validation, "communes", schema, "population\n12a\n\"\x1b[31m\"\n");
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	(void)state;
	validation_table_set_place(table, "communes.csv");
	validation_lines(validation, file);
	fclose(file);
	assert_string_equal(text, "communes.csv:2: field population: \"12a\" is not an integer (type-error)\n"
				  "communes.csv:3: field population: \"\\x1b[31m\" is not an integer (type-error)\n");
	free(text);
}

static void test_json(void **state)
{
	_cleanup_(schema_freep) struct schema *schema = parse(
		"{\"fields\": [{\"name\": \"a\", \"type\": \"integer\"}]}");
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	_cleanup_(json_decrefp) json_t *report = NULL;
	const json_t *task, *error;

	(void)state;
	read_csv(validation, "t", schema, "a\n1\nx\n");
	report = validation_json(validation);
	task = json_array_get(json_object_get(report, "tasks"), 0);
	error = json_array_get(json_object_get(task, "errors"), 0);
	assert_true(json_is_false(json_object_get(report, "valid")));
	assert_int_equal(json_integer_value(json_object_get(json_object_get(report, "stats"), "errors")), 1);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(task, "stats"), "rows")), 2);
	assert_string_equal(json_string_value(json_object_get(error, "type")), "type-error");
	assert_int_equal(json_integer_value(json_object_get(error, "rowNumber")), 3);
	assert_int_equal(json_integer_value(json_object_get(error, "fieldNumber")), 1);
	assert_string_equal(json_string_value(json_object_get(error, "fieldName")), "a");
	assert_string_equal(json_string_value(json_object_get(error, "cell")), "x");
	assert_string_equal(json_string_value(json_object_get(error, "note")), "is not an integer");
}

static void test_effective_schema(void **state)
{
	_cleanup_(schema_freep) struct schema *schema = parse(
		"{\"fieldsMatch\": \"partial\", \"primaryKey\": \"gone\", \"uniqueKeys\": [[\"a\"], [\"gone\"]], "
		"\"title\": \"kept\","
		" \"fields\": [{\"name\": \"a\", \"type\": \"integer\"}, {\"name\": \"gone\"}]}");
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	struct validation_table *table = read_csv(validation, "t", schema, "new,a,gone2\nx,1,\n");
	_cleanup_(json_decrefp) json_t *effective = validation_effective_schema(table);
	_cleanup_free_ char *text = json_dumps(effective, JSON_COMPACT | JSON_SORT_KEYS);

	(void)state;
	assert_string_equal(text,
			    "{\"fields\":[{\"name\":\"new\",\"type\":\"any\"},{\"name\":\"a\",\"type\":\"integer\"},"
			    "{\"name\":\"gone2\",\"type\":\"any\"}],\"title\":\"kept\",\"uniqueKeys\":[[\"a\"]]}");
}

static void test_no_schema(void **state)
{
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	struct validation_table *table = read_csv(validation, "t", NULL, "a,b,b\n1,2,3\n1\n\n1,2,3,4\n,,\n");
	char text[1024];

	(void)state;
	assert_string_equal(list(table, text),
			    "duplicate-label 1,3 missing-cell 3,2 missing-cell 3,3 blank-row 4,0 extra-cell 5,4");
}

static void test_no_header(void **state)
{
	_cleanup_(schema_freep) struct schema *schema = parse(
		"{\"fields\": [{\"name\": \"a\", \"type\": \"integer\"}]}");
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	struct validation_table *table = validation_table(validation, "t", schema);
	const struct cell cells[] = {{"x", 1}};
	char text[1024];

	(void)state;
	validation_header_absent(table);
	validation_row(table, cells, 1, &(struct row_position){1, 0});
	validation_table_end(table);
	assert_string_equal(list(table, text), "type-error 1,1");
	assert_int_equal(validation_n_rows(table), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_first_row),
		cmocka_unit_test(test_self_reference),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_reference_unchecked),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_effective_schema),
		cmocka_unit_test(test_no_schema),
		cmocka_unit_test(test_no_header),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
