/* SPDX-License-Identifier: ISC
 *
 * validation, custom checks: Validata's own cases and more, each over a table; and the same report from any number of threads.
 */
#include "schemas/validation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "schemas/parallel.h"
#include "schemas/rulelevel.h"

static struct schema *parse(const char *text)
{
	_cleanup_(json_decrefp) json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	struct refusal why = {0};
	struct schema *schema = NULL;

	if (json == NULL || schema_parse(json, &schema, &why) != FAULT_NONE)
		fail_msg("%s: %s", text, why.line);
	return schema;
}

static struct validation_table *read_csv(struct validation *validation, const struct schema *schema, const char *csv,
					 size_t size, unsigned n_threads, const struct rule_levels *levels)
{
	struct validation_table *table = validation_table(validation, "t", schema);
	struct dialect dialect = dialect_plain;
	_cleanup_(parallel_reader_freep) struct parallel_reader *reader = NULL;
	struct refusal why = {0};

	if (levels != NULL)
		validation_table_set_levels(table, levels);
	reader = parallel_reader_new(&dialect, table, n_threads, 200);
	if (parallel_reader_feed(reader, csv, size, &why) != FAULT_NONE ||
	    parallel_reader_finish(reader, &why) != FAULT_NONE)
		validation_table_broken(table, &why);
	validation_table_end(table);
	validation_end(validation);
	return table;
}

/* "row,field rule" for each, with a ? before warnings. */
static void list(const struct validation_table *table, char *text, size_t size)
{
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < validation_n_kept(table) && n < size; i++) {
		const struct table_fault *fault = validation_fault(table, i);

		n += (size_t)snprintf(text + n, size - n, "%s%s%u,%u %s", i > 0 ? "; " : "",
				      fault->level == LEVEL_WARNING ? "?" : "", (unsigned)fault->row,
				      (unsigned)fault->field, fault->rule);
	}
}

static void check(const char *fields, const char *checks, const char *csv, const char *expected)
{
	char schema_text[2048], found[1024];
	_cleanup_(schema_freep) struct schema *schema = NULL;
	_cleanup_(validation_freep) struct validation *validation = validation_new();

	snprintf(schema_text, sizeof(schema_text),
		 "{\"fieldsMatch\": \"partial\", \"fields\": [%s], \"custom_checks\": [%s]}", fields, checks);
	schema = parse(schema_text);
	list(read_csv(validation, schema, csv, strlen(csv), 1, NULL), found, sizeof(found));
	if (strcmp(found, expected) != 0)
		fail_msg("%s\n%s\n%s\nfound %s\nnot   %s", fields, checks, csv, found, expected);
	assert_int_equal(validation_is_valid(validation), expected[0] == '\0' || expected[0] == '?');
}

#define TWO "{\"name\": \"id\"}, {\"name\": \"a\"}, {\"name\": \"b\"}"
#define ONE(name) "{\"name\": \"" name "\", \"params\": {\"column\": \"a\"}}"

static void test_one_column(void **state)
{
	(void)state;
	check(TWO, ONE("french-siret-value"), "id,a\n1,73282932000074\n2,\n3,73282932000079\n",
	      "4,2 french-siret-value");
	check(TWO, ONE("french-siren-value"), "id,a\n1,404833048\n2,404833047\n", "3,2 french-siren-value");
	check(TWO, ONE("phone-number-value"), "id,a\n1,115\n2,619 13 45\n", "3,2 phone-number-value");
	check(TWO, ONE("opening-hours-value"), "id,a\n1,Mo-Fr\n2,Lu-Ve\n", "3,2 opening-hours-value");
	check(TWO, ONE("nomenclature-actes-value"), "id,a\n1,Urbanisme/x\n2,x/Urbanisme\n",
	      "3,2 nomenclature-actes-value");
	check(TWO, ONE("year-interval-value"), "id,a\n1,2018/2020\n2,2020\n3,2017/2016\n",
	      "3,2 year-interval-value; 4,2 year-interval-value");
	check(TWO, ONE("french_gps_coordinates"), "id,a\n1,\"2.29,48.8\"\n2,\"48.8,2.29\"\n3,\"48.8,52.0\"\n",
	      "3,2 reversed-french-gps-coordinates; 4,2 french-gps-coordinates");
	/* A column that is not there, and one that only the data have. */
	check(TWO, ONE("french-siren-value"), "id,b\n1,x\n", "?0,0 custom-check-skipped");
	check("{\"name\": \"id\"}", ONE("french-siren-value"), "id,a\n1,x\n2,\n", "2,2 french-siren-value");
	/* What is not of its type is not looked at, a row with too few cells has none, a blank row is blank. */
	check("{\"name\": \"id\"}, {\"name\": \"a\", \"type\": \"geopoint\"}", ONE("french-gps-coordinates"),
	      "id,a\n1,x\n2\n3,\"2.29,48.8\"\n,\n", "2,2 type-error; 3,2 missing-cell; 5,0 blank-row");
	check("{\"name\": \"id\"}, {\"name\": \"a\", \"type\": \"integer\"}", ONE("french-siren-value"),
	      "id,a\n1,404833048\n2,404833047\n", "3,2 french-siren-value");
}

static void test_formats(void **state)
{
	(void)state;
	check("{\"name\": \"id\"}, {\"name\": \"a\", \"frFormat\": \"code-postal\"}", "",
	      "id,a\n1,05560\n2,77777\n3,\n", "3,2 code-postal");
	check("{\"name\": \"id\"}, {\"name\": \"a\", \"frFormat\": {\"name\": \"departement\", \"options\": "
	      "{\"ignore_case\": true}}}",
	      "", "id,a\n1,GARD\n2,Gard\n3,Gart\n", "4,2 departement");
	check("{\"name\": \"id\"}, {\"name\": \"a\", \"frFormat\": \"canton\"}", "", "id,a\n1,x\n",
	      "?0,0 custom-check-skipped");
	check("{\"name\": \"id\"}, {\"name\": \"a\", \"frFormat\": \"siren\", \"missingValues\": [\"ND\"]}", "",
	      "id,a\n1,ND\n2,x\n", "3,2 siren");
}

#define COHESIVE "{\"name\": \"cohesive-columns-value\", \"params\": {\"column\": \"a\", \"othercolumns\": [\"b\"]}}"
#define ONE_OF "{\"name\": \"one-of-required\", \"params\": {\"column1\": \"a\", \"column2\": \"b\"}}"

static void test_together(void **state)
{
	(void)state;
	check(TWO, COHESIVE, "id,a,b\n1,,\n2,x,y\n", "");
	check(TWO, COHESIVE, "id,a,b\n1,x,\n2,,y\n", "2,2 cohesive-columns-value; 3,2 cohesive-columns-value");
	check(TWO, COHESIVE, "id\n1\n", "?0,0 custom-check-skipped");
	check(TWO, COHESIVE, "id,a\n1,x\n2,y\n", "1,0 cohesive-columns-value");
	check(TWO, ONE_OF, "id,a,b\n1,x,\n2,,y\n3,x,y\n", "");
	check(TWO, ONE_OF, "id,a,b\n1,,\n", "2,2 one-of-required");
	check(TWO, ONE_OF, "id,b\n1,x\n2,\n", "3,2 one-of-required");
	check(TWO, ONE_OF, "id\n1\n2\n", "1,0 one-of-required");
}

#define NUMBERS "{\"name\": \"a\", \"type\": \"integer\"}, {\"name\": \"b\", \"type\": \"number\"}, {\"name\": \"c\"}"
#define COMPARE(x, op, y)                                                                                              \
	"{\"name\": \"compare-columns-value\", \"params\": {\"column\": \"" x "\", \"op\": \"" op                      \
	"\", \"column2\": \"" y "\"}}"

static void test_compare(void **state)
{
	(void)state;
	check(NUMBERS, COMPARE("a", "<", "b"), "a,b,c\n1,1.5,x\n2,2.0,x\n10,9,x\n,9,x\n1,,x\n",
	      "3,1 compare-columns-value; 4,1 compare-columns-value");
	check(NUMBERS, COMPARE("a", "<=", "b"), "a,b\n2,2.0\n3,2.9\n", "3,1 compare-columns-value");
	check(NUMBERS, COMPARE("a", "==", "b"), "a,b\n2,2.0\n-2,-2.00\n3,2.9\n", "4,1 compare-columns-value");
	check(NUMBERS, COMPARE("a", ">=", "b"), "a,b\n2,2.0\n2,NaN\n1,2.9\n",
	      "3,1 compare-columns-value; 4,1 compare-columns-value");
	check(NUMBERS, COMPARE("a", ">", "b"), "a,b\n2,1.99\n2,2\n", "3,1 compare-columns-value");
	/* A text that is a number is one; another cannot be compared with one. */
	check(NUMBERS, COMPARE("a", ">", "c"), "a,c\n10,9\n10,x\n", "3,1 compare-columns-value");
	check(TWO, COMPARE("a", ">", "b"), "id,a,b\n1,b,a\n2,a,b\n3,10,9\n4,\xc3\xa9,z\n", "3,2 compare-columns-value");
	check("{\"name\": \"a\", \"type\": \"date\"}, {\"name\": \"b\", \"type\": \"date\", \"format\": \"%d/%m/%Y\"}",
	      COMPARE("a", ">=", "b"), "a,b\n2024-01-02,02/01/2024\n2024-01-02,03/01/2024\n2024-13-01,01/01/2024\n",
	      "3,1 compare-columns-value; 4,1 type-error");
	check("{\"name\": \"a\", \"type\": \"date\"}, {\"name\": \"b\", \"type\": \"year\"}", COMPARE("a", ">=", "b"),
	      "a,b\n2024-01-02,2024\n", "2,1 compare-columns-value");
	check("{\"name\": \"a\", \"type\": \"year\"}, {\"name\": \"b\", \"type\": \"integer\"}",
	      COMPARE("a", ">=", "b"), "a,b\n2024,2024\n2024,2025\n", "3,1 compare-columns-value");
	check(NUMBERS, COMPARE("a", "<", "b"), "a\n1\n", "?0,0 custom-check-skipped");
}

#define SUM "{\"name\": \"sum-columns-value\", \"params\": {\"column\": \"t\", \"columns\": [\"a\", \"b\", \"c\"]}}"
#define ADDENDS NUMBERS ", {\"name\": \"t\", \"type\": \"number\"}"

static void test_sum(void **state)
{
	(void)state;
	check(ADDENDS, SUM, "a,b,c,t\n1,2,3,6\n1,2.5,-3.25,0.25\n1,2,3,7\n", "4,4 sum-columns-value");
	check(ADDENDS, SUM, "a,b,c,t\n1,2,3,\n1,2,,3\n", "");
	check(ADDENDS, SUM, "a,b,c,t\n0,0.1,0.2,0.3\n0,1e3,1e-3,1000.001\n", "");
	check(ADDENDS, SUM, "a,b,c,t\n1,2,x,3\n1,2,3,NaN\n1,1e40,3,5\n1,1e-40,3,4\n",
	      "2,4 sum-columns-value; 3,4 sum-columns-value; 4,4 sum-columns-value; 5,4 sum-columns-value");
	check(ADDENDS, SUM, "a,b,c,t\n999999999999999999,999999999999999999,999999999999999999,2999999999999999997\n",
	      "2,4 sum-columns-value");
	check(ADDENDS, SUM, "a,b,c,t\n333333333333333333,333333333333333333,333333333333333333,999999999999999999\n",
	      "");
	check(ADDENDS, SUM, "a,b,t\n1,2,3\n", "?0,0 custom-check-skipped");
}

static const char *note_of(const char *fields, const char *checks, const char *csv, char *text, size_t size)
{
	char schema_text[2048];
	_cleanup_(schema_freep) struct schema *schema = NULL;
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	struct validation_table *table;

	snprintf(schema_text, sizeof(schema_text),
		 "{\"fieldsMatch\": \"partial\", \"fields\": [%s], \"custom_checks\": [%s]}", fields, checks);
	schema = parse(schema_text);
	table = read_csv(validation, schema, csv, strlen(csv), 1, NULL);
	assert_int_equal(validation_n_kept(table), 1);
	snprintf(text, size, "%s", validation_fault(table, 0)->note);
	return text;
}

static void test_notes(void **state)
{
	char text[512];

	(void)state;
	assert_string_equal(note_of(ADDENDS, SUM, "a,b,c,t\n1,2.5,-3.75,0\n", text, sizeof(text)),
			    "is not the sum of the columns a, b, c, which is -0.25");
	assert_string_equal(note_of(ADDENDS, SUM, "a,b,c,t\n1,2,3,7\n", text, sizeof(text)),
			    "is not the sum of the columns a, b, c, which is 6");
	assert_string_equal(note_of(ADDENDS, SUM, "a,b,c,t\n1,2,x,7\n", text, sizeof(text)),
			    "cannot be compared with a sum: \"x\" of the column c cannot be added");
	assert_string_equal(note_of(NUMBERS, COMPARE("a", "<", "b"), "a,b\n2,1\n", text, sizeof(text)),
			    "is not < \"1\" of the column b");
	assert_string_equal(note_of(NUMBERS, COMPARE("a", "<", "c"), "a,c\n2,\x1b[2J\n", text, sizeof(text)),
			    "cannot be compared with \"\\x1b[2J\" of the column c");
	assert_string_equal(note_of(TWO, COHESIVE, "id,a,b\n1,,y\n", text, sizeof(text)),
			    "has no value: the columns a, b must all have a value, or none; b has one");
	assert_string_equal(note_of(TWO, ONE_OF, "id,a,b\n1,,\n", text, sizeof(text)),
			    "one of the columns a, b must have a value");
	assert_string_equal(note_of(TWO, ONE("nope"), "id,a,b\n1,,\n", text, sizeof(text)),
			    "custom_checks: no check is called nope, and it is not checked");
	assert_string_equal(note_of(TWO, ONE("canton"), "id,a,b\n1,,\n", text, sizeof(text)),
			    "canton is not checked: its list of names or codes is not kept here");
}

/* A steward may let a check's faults pass, and insist on one that was not made. */
static void test_levels(void **state)
{
	_cleanup_(rule_levels_clear) struct rule_levels levels = {.n_items = 0};
	_cleanup_(schema_freep) struct schema *schema = parse(
		"{\"fields\": [{\"name\": \"a\", \"frFormat\": \"siren\"}, {\"name\": \"b\", \"frFormat\": "
		"\"canton\"}]}");
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	char found[256];

	(void)state;
	assert_true(rule_is_known("siren"));
	assert_true(rule_may_warn("french-siret-value"));
	assert_true(rule_is_known("custom-check-skipped"));
	assert_false(rule_is_known("canton"));
	rule_levels_add(&levels, "siren", "a", LEVEL_WARNING, UINT64_MAX);
	rule_levels_add(&levels, "custom-check-skipped", NULL, LEVEL_ERROR, UINT64_MAX);
	list(read_csv(validation, schema, "a,b\nx,\n", 7, 1, &levels), found, sizeof(found));
	assert_string_equal(found, "0,0 custom-check-skipped; ?2,1 siren");
	assert_false(validation_is_valid(validation));
}

/* Many rows in small pieces, with faults of checks, cells and keys: the same words whoever reads them. */
static void test_threads(void **state)
{
	_cleanup_(schema_freep) struct schema *schema = parse(
		"{\"primaryKey\": \"id\", \"fields\": [{\"name\": \"id\", \"type\": \"integer\"}, {\"name\": "
		"\"siren\", \"frFormat\": "
		"\"siren\"}, {\"name\": \"a\", \"type\": \"integer\"}, {\"name\": \"b\", \"type\": \"integer\"}, "
		"{\"name\": \"t\", "
		"\"type\": \"integer\"}], \"custom_checks\": [{\"name\": \"sum-columns-value\", \"params\": "
		"{\"column\": \"t\", "
		"\"columns\": [\"a\", \"b\"]}}, {\"name\": \"cohesive-columns-value\", \"params\": {\"column\": \"a\", "
		"\"othercolumns\": [\"b\"]}}, {\"name\": \"nope\"}]}");
	_cleanup_free_ char *csv = malloc(400000), *first = NULL;
	size_t n = (size_t)sprintf(csv, "id,siren,a,b,t\n");

	(void)state;
	for (unsigned i = 0; i < 4000; i++)
		n += (size_t)sprintf(csv + n, "%u,%s,%s,%u,%u\n", i % 97 == 96 ? i - 1 : i,
				     i % 13 == 0 ? "404833047" : "404833048", i % 31 == 0 ? "" : "1", i,
				     i % 17 == 0 ? i : i + 1);
	for (unsigned n_threads = 1; n_threads <= 4; n_threads++) {
		_cleanup_(validation_freep) struct validation *validation = validation_new();
		_cleanup_(json_decrefp) json_t *json = NULL;
		_cleanup_free_ char *text = NULL;

		read_csv(validation, schema, csv, n, n_threads, NULL);
		json = validation_json(validation);
		text = json_dumps(json, JSON_INDENT(1));
		if (first == NULL)
			first = steal_pointer(&text);
		else
			assert_string_equal(text, first);
	}
	/* 308 checks of SIREN, 130 of cohesion, 228 sums: those of rows in which a is missing are not made. */
	assert_non_null(strstr(first, "\"custom-check-error\": 666"));
	assert_non_null(strstr(first, "\"custom-check-skipped\": 1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_column), cmocka_unit_test(test_formats), cmocka_unit_test(test_together),
		cmocka_unit_test(test_compare),    cmocka_unit_test(test_sum),     cmocka_unit_test(test_notes),
		cmocka_unit_test(test_levels),     cmocka_unit_test(test_threads),
	};

	json_object_seed(1);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
