/* SPDX-License-Identifier: ISC
 *
 * validation_tally: every fault in one tally of its rule and field, whatever is kept; levels; and more tallies than there is room for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "schemas/validation.h"

#define SCHEMA                                                                                                         \
	"{\"primaryKey\": [\"id\", \"zone\"], \"fields\": ["                                                           \
	"{\"name\": \"id\", \"type\": \"integer\", \"constraints\": {\"required\": true, \"minimum\": 10}},"           \
	"{\"name\": \"zone\", \"constraints\": {\"enum\": [\"A\", \"B\"], \"pattern\": \"[A-Z]\", \"unique\": "        \
	"true}}]}"

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
	struct schema *schema = NULL;

	assert_non_null(json);
	assert_int_equal(schema_parse(json, &schema, NULL), FAULT_NONE);
	return schema;
}

static void read_csv(struct validation_table *table, const char *csv)
{
	const struct dialect dialect = dialect_plain;
	_cleanup_(table_reader_freep) struct table_reader *reader = table_reader_new(&dialect, take, table);

	assert_int_equal(table_reader_feed(reader, csv, strlen(csv), NULL), FAULT_NONE);
	assert_int_equal(table_reader_finish(reader, NULL), FAULT_NONE);
	validation_table_end(table);
}

/* One "level rule field(name) count first" a tally. */
static const char *list(const struct validation_table *table, char text[1024])
{
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < validation_n_tallies(table) && n < 900; i++) {
		const struct fault_tally *tally = validation_tally(table, i);

		n += (size_t)snprintf(text + n, 1024 - n, "%s %s %zu(%s) %u %u\n", fault_level_name(tally->level),
				      tally->rule, tally->field, tally->field_name != NULL ? tally->field_name : "",
				      (unsigned)tally->count, (unsigned)tally->first_row);
	}
	return text;
}

static void test_tallies(void **state)
{
	_cleanup_(schema_freep) struct schema *schema = parse(SCHEMA);
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	struct validation_table *table = validation_table(validation, "t", schema);
	char text[1024];

	(void)state;
	read_csv(table, "id,zone\n10,A\n9,b\n10,A\nx,C\n,B\n11,B,more,and more\n12\n,\n");
	validation_end(validation);
	assert_string_equal(list(table, text), "error extra-cell 0() 2 7\n"
					       "error blank-row 0() 1 9\n"
					       "error primary-key 0(id, zone) 2 4\n"
					       "error type-error 1(id) 1 5\n"
					       "error minimum 1(id) 1 3\n"
					       "error required 1(id) 1 6\n"
					       "error enum 2(zone) 2 3\n"
					       "error pattern 2(zone) 1 3\n"
					       "error missing-cell 2(zone) 1 8\n"
					       "error unique 2(zone) 2 4\n");
	assert_int_equal(validation_n_faults(validation), 14);
	assert_int_equal(validation_tally(table, 4)->first_offset, 13);
	assert_null(validation_tally(table, validation_n_tallies(table)));
}

static void test_levels(void **state)
{
	_cleanup_(schema_freep) struct schema *schema = parse(SCHEMA);
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	_cleanup_(rule_levels_clear) struct rule_levels levels = {.n_items = 0};
	_cleanup_(json_decrefp) json_t *report = NULL;
	struct validation_table *table = validation_table(validation, "t", schema);
	const json_t *task;
	char text[1024], line[200];

	(void)state;
	rule_levels_add(&levels, "enum", NULL, LEVEL_WARNING, UINT64_MAX);
	rule_levels_add(&levels, "pattern", "zone", LEVEL_WARNING, UINT64_MAX);
	rule_levels_add(&levels, "minimum", "zone", LEVEL_WARNING, UINT64_MAX);
	/* Has no choice. */
	rule_levels_add(&levels, "extra-cell", NULL, LEVEL_WARNING, UINT64_MAX);
	validation_table_set_levels(table, &levels);
	read_csv(table, "id,zone\n10,c\n");
	assert_string_equal(list(table, text), "warning enum 2(zone) 1 2\nwarning pattern 2(zone) 1 2\n");
	assert_true(validation_is_valid(validation));
	assert_int_equal(validation_n_warnings(validation), 2);
	assert_int_equal(validation_n_errors(validation), 0);
	validation_summary(validation, line, sizeof(line));
	assert_string_equal(line, "no fault");
	read_csv(table, "9,A\n11,B,more\n");
	assert_false(validation_is_valid(validation));
	assert_int_equal(validation_n_errors(validation), 2);
	assert_int_equal(validation_n_faults(validation), 4);
	validation_summary(validation, line, sizeof(line));
	assert_string_equal(line,
			    "t row 1, field id: \"9\" is less than the minimum 10 (constraint-error), and 1 more");
	report = validation_json(validation);
	task = json_array_get(json_object_get(report, "tasks"), 0);
	assert_int_equal(json_array_size(json_object_get(task, "errors")), 2);
	assert_int_equal(json_array_size(json_object_get(task, "warnings")), 2);
	assert_int_equal(json_array_size(json_object_get(task, "tallies")), 4);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(json_object_get(task, "warnings"), 1), "rule")),
		"enum");
}

/* Warnings do not take the room of errors, nor errors that of warnings. */
static void test_kept(void **state)
{
	_cleanup_(schema_freep) struct schema *schema = parse(SCHEMA);
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	_cleanup_(rule_levels_clear) struct rule_levels levels = {.n_items = 0};
	struct validation_table *table = validation_table(validation, "t", schema);
	_cleanup_free_ char *csv = xmalloc(1 << 16);
	size_t n = (size_t)sprintf(csv, "id,zone\n");
	char *lines = NULL;
	FILE *file;

	(void)state;
	rule_levels_add(&levels, "enum", "zone", LEVEL_WARNING, UINT64_MAX);
	validation_table_set_levels(table, &levels);
	for (unsigned i = 0; i < 1000; i++)
		n += (size_t)sprintf(csv + n, "%u,Z\n", 1000 + i);
	sprintf(csv + n, "9,A\n");
	read_csv(table, csv);
	validation_end(validation);
	assert_int_equal(validation_table_n_warnings(table), 1000);
	/* "Z" is the same in all rows but the first, and "9" is less than 10. */
	assert_int_equal(validation_table_n_errors(table), 999 + 1);
	assert_int_equal(validation_n_kept(table), 2 * LIMIT_FAULTS_KEPT + 1);
	file = open_memstream(&lines, &n);
	validation_lines(validation, file);
	fclose(file);
	assert_non_null(strstr(lines, "t:2: warning: field zone: \"Z\" is not one of the values allowed"));
	assert_non_null(strstr(lines, "t: warning: and 900 more (constraint-error)\n"));
	assert_non_null(strstr(lines, "t: and 899 more (unique-error)\n"));
	free(lines);
}

static void test_limit(void **state)
{
	_cleanup_(json_decrefp) json_t *json = json_object(), *fields = json_array();
	_cleanup_(schema_freep) struct schema *schema = NULL;
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	_cleanup_free_ char *csv = xmalloc(1 << 20);
	const char *const rows[] = {"x", "5", "wxyz"}; /* three, two and three of the rules */
	struct validation_table *table;
	char name[16];
	size_t n = 0;

	(void)state;
	for (unsigned i = 0; i < LIMIT_FIELDS; i++) {
		snprintf(name, sizeof(name), "f%04u", i);
		json_array_append_new(fields, json_pack("{s:s, s:{s:i, s:i, s:s, s:[s], s:b}}", "name", name,
							"constraints", "minLength", 2, "maxLength", 3, "pattern",
							"[0-9a-w]+z?", "enum", "abc", "unique", 0));
		n += (size_t)sprintf(csv + n, "%s%s", i > 0 ? "," : "", name);
	}
	json_object_set(json, "fields", fields);
	assert_int_equal(schema_parse(json, &schema, NULL), FAULT_NONE);
	for (size_t row = 0; row < 3; row++) {
		for (unsigned i = 0; i < LIMIT_FIELDS; i++)
			n += (size_t)sprintf(csv + n, "%c%s", i > 0 ? ',' : '\n', rows[row]);
	}
	sprintf(csv + n, "\n,%s\n", "more");
	table = validation_table(validation, "t", schema);
	read_csv(table, csv);
	/* Four rules a field fit exactly; the short row's missing cells do not. */
	assert_int_equal(validation_n_tallies(table), LIMIT_TALLIES);
	assert_int_equal(validation_n_untallied(table), LIMIT_FIELDS - 2);
	assert_int_equal(validation_n_errors(validation), 8 * LIMIT_FIELDS + 2 + LIMIT_FIELDS - 2);
}

/* A column that should not be there is no matter of the rows: its level is given. */
static void test_personal(void **state)
{
	_cleanup_(schema_freep) struct schema *schema = parse(SCHEMA);
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	struct validation_table *table = validation_table(validation, "t", schema);
	char text[1024], line[200];

	(void)state;
	read_csv(table, "id,zone\n10,A\n");
	validation_table_personal(table, "personal-email", 2, "zone", LEVEL_WARNING, "holds addresses");
	assert_true(validation_is_valid(validation));
	validation_table_personal(table, "personal-nir", 1, "id", LEVEL_ERROR, "holds numbers");
	assert_string_equal(list(table, text), "error personal-nir 1(id) 1 0\nwarning personal-email 2(zone) 1 0\n");
	assert_false(validation_is_valid(validation));
	validation_summary(validation, line, sizeof(line));
	assert_string_equal(line, "t, field id: holds numbers (personal-data)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tallies), cmocka_unit_test(test_levels),   cmocka_unit_test(test_kept),
		cmocka_unit_test(test_limit),   cmocka_unit_test(test_personal),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
