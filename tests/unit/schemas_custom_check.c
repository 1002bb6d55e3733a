/* SPDX-License-Identifier: ISC
 *
 * custom_check: what schemas ask for, as they spell it; what cannot be understood; which checks of one schema another keeps.
 */
#include "schemas/custom_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/limits.h"

struct asked {
	json_t *json;
	struct custom_checks *checks;
};

static struct asked ask(const char *text)
{
	struct asked asked = {.json = json_loads(text, 0, NULL)};

	if (asked.json == NULL)
		fail_msg("%s", text);
	asked.checks = custom_checks_new(asked.json);
	return asked;
}

static void asked_clear(struct asked *asked)
{
	custom_checks_free(asked->checks);
	json_decref(asked->json);
}

#define _cleanup_asked_ _cleanup_(asked_clear)

static const char *cell(const struct custom_check *check, const char *text)
{
	const char *rule;

	return custom_check_cell(check, text, strlen(text), &rule);
}

static void test_names(void **state)
{
	static const struct {
		const char *name, *kind;
	} NAMES[] = {
		{"french-siret-value", "french-siret-value"},
		{"french_gps_coordinates", "french-gps-coordinates"},
		{"French-GPS-Coordinates", "french-gps-coordinates"},
		{"siren", "siren"},
		{"SIREN", "siren"},
		{"codeCommune", "code-commune-insee"},
		{"code-commune-insee", "code-commune-insee"},
		{"CodeCommuneInsee", "code-commune-insee"},
		{"numero-departement", "code-departement"},
		{"nomRegion", "region"},
		{"code-pays-iso2", "code-pays-iso2"},
		{"coordonnees-gps-francaises", "coordonnees-gps-francaises"},
		{"canton", "canton"},
		{"", NULL},
		{"-", NULL},
		{"french-siret", NULL},
		{"siren ", "siren"},
		{"rn", NULL},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(NAMES); i++) {
		const struct check_kind *kind = check_kind_find(NAMES[i].name);

		if (NAMES[i].kind == NULL && kind != NULL)
			fail_msg("%s is %s", NAMES[i].name, kind->name);
		if (NAMES[i].kind != NULL && (kind == NULL || strcmp(kind->name, NAMES[i].kind) != 0))
			fail_msg("%s is not %s", NAMES[i].name, NAMES[i].kind);
	}
	assert_true(custom_check_is_rule("french-siret-value"));
	assert_true(custom_check_is_rule("reversed-french-gps-coordinates"));
	assert_false(custom_check_is_rule("french_siret_value"));
	assert_false(custom_check_is_rule("canton"));
	assert_false(custom_check_is_rule(""));
}

static void test_parse(void **state)
{
	_cleanup_asked_ struct asked asked = ask(
		"{\"fields\": [{\"name\": \"a\", \"frFormat\": \"siren\"}, {\"name\": \"b\"}, {\"name\": \"c\", "
		"\"frFormat\": "
		"{\"name\": \"region\", \"options\": {\"version\": \"2016\", \"ignoreCase\": true, "
		"\"extra_valid_values\": [\"Ailleurs\"]}}}, {\"name\": \"d\", \"frFormat\": null}, "
		"{\"name\": \"e\", \"frFormat\": {\"name\": \"code-region\", \"version\": 2015}}],"
		" \"custom_checks\": [{\"name\": \"year-interval-value\", \"params\": {\"column\": \"y\", "
		"\"allow-year-only\": "
		"\"true\"}},"
		" {\"name\": \"compare-columns-value\", \"params\": {\"column\": \"a\", \"op\": \"<=\", \"column2\": "
		"\"b\"}},"
		" {\"name\": \"sum-columns-value\", \"params\": {\"column\": \"t\", \"columns\": [\"a\", \"b\", "
		"\"c\"]}},"
		" {\"name\": \"cohesive-columns-value\", \"params\": {\"column\": \"a\", \"othercolumns\": [\"b\"]}},"
		" {\"name\": \"one-of-required\", \"params\": {\"column1\": \"a\", \"column2\": \"b\"}}]}");
	const struct custom_checks *checks = asked.checks;

	(void)state;
	assert_int_equal(checks->n_remarks, 0);
	assert_int_equal(checks->n_items, 8);
	assert_null(cell(&checks->items[0], "2020"));
	assert_int_equal(checks->items[1].op, CHECK_LESS_EQUAL);
	assert_int_equal(checks->items[2].n_columns, 4);
	assert_string_equal(checks->items[2].columns[3], "c");
	assert_int_equal(checks->items[3].kind->act, CHECK_COHESIVE);
	assert_string_equal(checks->items[4].columns[1], "b");
	assert_string_equal(checks->items[5].columns[0], "a");
	assert_null(cell(&checks->items[5], "552008443"));
	assert_null(cell(&checks->items[6], "nord-pas-de-calais-picardie"));
	assert_non_null(cell(&checks->items[6], "Hauts-de-France"));
	assert_null(cell(&checks->items[6], "AILLEURS"));
	assert_null(cell(&checks->items[7], "21"));
	assert_non_null(cell(&checks->items[7], "27"));
}

static void test_rules(void **state)
{
	_cleanup_asked_ struct asked asked = ask(
		"{\"custom_checks\": [{\"name\": \"french_gps_coordinates\", \"params\": "
		"{\"column\": \"xy\"}}]}");
	const char *rule;

	(void)state;
	assert_null(custom_check_cell(&asked.checks->items[0], "2.29,48.8", 9, &rule));
	assert_non_null(custom_check_cell(&asked.checks->items[0], "48.8,2.29", 9, &rule));
	assert_string_equal(rule, "reversed-french-gps-coordinates");
	assert_non_null(custom_check_cell(&asked.checks->items[0], "10,60", 5, &rule));
	assert_string_equal(rule, "french-gps-coordinates");
	assert_non_null(custom_check_cell(&asked.checks->items[0], "10", 2, &rule));
}

/* Each alone, with the words of its one remark. */
static void test_remarks(void **state)
{
	static const struct {
		const char *check, *words;
		size_t n_items;
	} CASES[] = {
		{"{\"name\": \"nope\", \"params\": {\"column\": \"a\"}}", "no check is called nope", 0},
		{"{\"params\": {\"column\": \"a\"}}", "has no name", 0},
		{"7", "has no name", 0},
		{"{\"name\": \"siren\"}", "do not name the columns", 0},
		{"{\"name\": \"siren\", \"params\": {\"column\": 7}}", "do not name the columns", 0},
		{"{\"name\": \"siren\", \"params\": [\"a\"]}", "do not name the columns", 0},
		{"{\"name\": \"siren\", \"params\": {\"column\": \"a\", \"colour\": \"blue\"}}", "parameter colour", 1},
		{"{\"name\": \"siren\", \"params\": {\"column\": \"a\", \"column2\": \"b\"}}", "parameter column2", 1},
		{"{\"name\": \"year-interval-value\", \"params\": {\"column\": \"a\", \"allow-year-only\": "
		 "\"perhaps\"}}",
		 "parameter allow-year-only", 0},
		{"{\"name\": \"compare-columns-value\", \"params\": {\"column\": \"a\", \"column2\": \"b\"}}",
		 "no parameter op", 0},
		{"{\"name\": \"compare-columns-value\", \"params\": {\"column\": \"a\", \"column2\": \"b\", \"op\": "
		 "\"!=\"}}",
		 "parameter op", 0},
		{"{\"name\": \"compare-columns-value\", \"params\": {\"column\": \"a\", \"op\": \"<\"}}",
		 "do not name the columns", 0},
		{"{\"name\": \"sum-columns-value\", \"params\": {\"column\": \"a\", \"columns\": []}}",
		 "do not name the columns", 0},
		{"{\"name\": \"cohesive-columns-value\", \"params\": {\"column\": \"a\", \"othercolumns\": [\"b\", "
		 "7]}}",
		 "do not name the columns", 0},
		{"{\"name\": \"one-of-required\", \"params\": {\"column\": \"a\"}}", "do not name the columns", 0},
		{"{\"name\": \"code-commune-insee\", \"params\": {\"column\": \"a\", \"version\": \"1999\"}}",
		 "parameter version", 0},
		{"{\"name\": \"code-commune-insee\", \"params\": {\"column\": \"a\", \"version\": true}}",
		 "parameter version", 0},
		{"{\"name\": \"region\", \"params\": {\"column\": \"a\", \"ignore_case\": 7}}", "parameter ignore_case",
		 0},
		{"{\"name\": \"region\", \"params\": {\"column\": \"a\", \"extra_valid_values\": \"x\"}}",
		 "parameter extra_valid_values", 0},
		{"{\"name\": \"commune\", \"params\": {\"column\": \"a\"}}", "not kept here", 0},
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
		snprintf(text, sizeof(text), "{\"custom_checks\": [%s]}", CASES[i].check);
		{
			_cleanup_asked_ struct asked asked = ask(text);

			if (asked.checks->n_remarks != 1 || asked.checks->n_items != CASES[i].n_items ||
			    strstr(asked.checks->remarks[0].words, CASES[i].words) == NULL)
				fail_msg("%s: %zu checks, %zu remarks, the first %s", text, asked.checks->n_items,
					 asked.checks->n_remarks,
					 asked.checks->n_remarks > 0 ? asked.checks->remarks[0].words : "none");
		}
	}
}

static void test_formats_that_are_none(void **state)
{
	static const char *const FORMATS[] = {
		"\"nope\"", "7", "{}", "[\"siren\"]", "{\"name\": 7}", "\"sum-columns-value\""};
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(FORMATS); i++) {
		snprintf(text, sizeof(text), "{\"fields\": [{\"name\": \"a\", \"frFormat\": %s}]}", FORMATS[i]);
		{
			_cleanup_asked_ struct asked asked = ask(text);

			assert_int_equal(asked.checks->n_remarks, 1);
			assert_int_equal(asked.checks->n_items, 0);
			assert_string_equal(asked.checks->remarks[0].column, "a");
		}
	}
}

static void test_many(void **state)
{
	json_t *checks = json_array();
	json_t *schema = json_pack("{s:o}", "custom_checks", checks);
	struct custom_checks *asked;

	(void)state;
	for (int i = 0; i < LIMIT_CUSTOM_CHECKS + 3; i++)
		json_array_append_new(
			checks, json_pack("{s:s, s:{s:s}}", "name", "siren", "params", "column", i % 2 ? "a" : "b"));
	asked = custom_checks_new(schema);
	assert_int_equal(asked->n_items, LIMIT_CUSTOM_CHECKS);
	assert_int_equal(asked->n_remarks, 3);
	custom_checks_free(asked);
	json_decref(schema);
	custom_checks_free(NULL);
}

static bool hold(const char *old_text, const char *new_text, const char **ret_rule)
{
	_cleanup_asked_ struct asked old_asked = ask(old_text), new_asked = ask(new_text);
	const struct custom_check *lacking = NULL;
	bool is_held = custom_checks_hold(old_asked.checks, new_asked.checks, &lacking);

	*ret_rule = lacking != NULL ? lacking->kind->name : NULL;
	return is_held;
}

#define SIREN(column) "{\"name\": \"french-siren-value\", \"params\": {\"column\": \"" column "\"}}"
#define YEARS(more) "{\"name\": \"year-interval-value\", \"params\": {\"column\": \"a\"" more "}}"

static void test_hold(void **state)
{
	const char *rule;

	(void)state;
	assert_true(hold("{}", "{}", &rule));
	assert_true(hold("{}", "{\"custom_checks\": [" SIREN("a") "]}", &rule));
	assert_true(hold("{\"custom_checks\": [" SIREN("a") "]}",
			 "{\"custom_checks\": [" SIREN("b") ", " SIREN("a") "]}", &rule));
	/* The same check by its other name, and by the field. */
	assert_true(hold("{\"custom_checks\": [" SIREN("a") "]}",
			 "{\"fields\": [{\"name\": \"a\", \"frFormat\": \"siren\"}]}", &rule));
	assert_false(hold("{\"custom_checks\": [" SIREN("a") "]}", "{\"custom_checks\": [" SIREN("b") "]}", &rule));
	assert_string_equal(rule, "french-siren-value");
	assert_false(hold("{\"custom_checks\": [" YEARS("") "]}",
			  "{\"custom_checks\": [" YEARS(", \"allow-year-only\": \"yes\"") "]}", &rule));
	assert_false(hold(
		"{\"fields\": [{\"name\": \"a\", \"frFormat\": {\"name\": \"code-region\", \"version\": \"2015\"}}]}",
		"{\"fields\": [{\"name\": \"a\", \"frFormat\": \"code-region\"}]}", &rule));
	/* What was never checked is not missed. */
	assert_true(hold("{\"custom_checks\": [{\"name\": \"nope\"}]}", "{}", &rule));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_remarks),
		cmocka_unit_test(test_formats_that_are_none),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_hold),
	};

	json_object_seed(1);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
