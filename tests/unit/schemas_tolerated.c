/* SPDX-License-Identifier: ISC
 *
 * tolerated: lists there and back, what is none, and words for people.
 */
#include "schemas/tolerated.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "bundle/limits.h"

static void test_round_trip(void **state)
{
	_cleanup_(rule_levels_clear) struct rule_levels levels = {.n_items = 0}, back = {.n_items = 0};
	_cleanup_(json_decrefp) json_t *list = NULL, *again = NULL;

	(void)state;
	rule_levels_add(&levels, "pattern", "zone", LEVEL_WARNING, 3);
	rule_levels_add(&levels, "blank-row", NULL, LEVEL_WARNING, 1);
	rule_levels_add(&levels, "enum", "é:b", LEVEL_WARNING, 12);
	list = tolerated_to_json(&levels);
	assert_int_equal(tolerated_parse(list, "here", &back, NULL), FAULT_NONE);
	assert_int_equal(back.n_items, 3);
	assert_string_equal(back.items[1].field, "é:b");
	assert_int_equal(back.items[1].most, 12);
	assert_int_equal(back.items[1].level, LEVEL_WARNING);
	assert_null(back.items[0].field);
	again = tolerated_to_json(&back);
	assert_true(json_equal(list, again));
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"{}",
		"[1]",
		"[{}]",
		"[{\"rule\": \"enum\"}]",
		"[{\"rule\": \"enum\", \"count\": 0}]",
		"[{\"rule\": \"enum\", \"count\": 1.5}]",
		"[{\"rule\": \"enum\", \"count\": 1, \"more\": 1}]",
		"[{\"rule\": \"enum\", \"field\": 1, \"count\": 1}]",
		"[{\"rule\": \"paterne\", \"count\": 1}]",
		"[{\"rule\": \"extra-cell\", \"count\": 1}]",
		"[{\"rule\": \"custom-check-skipped\", \"count\": 1}]",
		"[{\"rule\": \"enum\", \"count\": 1}, {\"rule\": \"enum\", \"count\": 1}]",
		"[{\"rule\": \"pattern\", \"count\": 1}, {\"rule\": \"enum\", \"count\": 1}]",
		"[{\"rule\": \"enum\", \"field\": \"b\", \"count\": 1}, {\"rule\": \"enum\", \"field\": \"a\", "
		"\"count\": 1}]",
		"[{\"rule\": \"enum\", \"field\": \"a\", \"count\": 1}, {\"rule\": \"enum\", \"count\": 1}]",
	};
	_cleanup_(json_decrefp) json_t *many = json_array();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_(json_decrefp) json_t *list = json_loads(bad[i], 0, NULL);
		_cleanup_(rule_levels_clear) struct rule_levels levels = {.n_items = 0};
		struct refusal why;

		assert_non_null(list);
		if (tolerated_parse(list, "here", &levels, &why) != FAULT_JSON_MEMBER)
			fail_msg("%s", bad[i]);
		assert_ptr_equal(strstr(why.line, "here"), why.line);
	}
	for (int i = 0; i <= LIMIT_TOLERATED; i++)
		json_array_append_new(many, json_pack("{s:s, s:o, s:i}", "rule", "enum", "field",
						      json_sprintf("f%05d", i), "count", 1));
	for (int i = 0; i < 2; i++) {
		_cleanup_(rule_levels_clear) struct rule_levels levels = {.n_items = 0};

		assert_int_equal(tolerated_parse(many, "here", &levels, NULL), i == 0 ? FAULT_JSON_MEMBER : FAULT_NONE);
		json_array_remove(many, LIMIT_TOLERATED);
	}
}

static void test_words(void **state)
{
	_cleanup_(json_decrefp) json_t *list = json_loads(
		"[{\"resource\": \"a\", \"rule\": \"enum\", \"field\": \"z\\u001b\", \"count\": 12},"
		" {\"resource\": \"a\", \"rule\": \"blank-row\", \"count\": 1},"
		" {\"resource\": \"b\", \"rule\": \"pattern\", \"field\": \"c\", \"count\": 2}, {\"rule\": 7}]",
		0, NULL);
	char text[400], small[60];

	(void)state;
	assert_string_equal(tolerated_list_words(list, text, sizeof(text)),
			    "a: enum in z\\x1b (12), blank-row (1); b: pattern in c (2); :  (0)");
	assert_string_equal(tolerated_list_words(list, small, sizeof(small)),
			    "a: enum in z\\x1b (12), and 3 other kinds");
	assert_string_equal(tolerated_list_words(NULL, text, sizeof(text)), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_words),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
