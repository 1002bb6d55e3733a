/* SPDX-License-Identifier: ISC
 *
 * baseline: the file there and back, how far a count may grow, and what has become less.
 */
#include "outside/baseline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"

static struct baseline *make(void)
{
	struct baseline *baseline = baseline_new("cog");
	struct baseline_resource *resource;

	baseline->person = xstrdup("Zoé");
	baseline->reason = xstrdup("the \"portal\" is told");
	baseline->date = 1790000000;
	resource = baseline_add(baseline, "regions");
	resource->rows = 18;
	resource = baseline_add(baseline, "communes");
	resource->rows = 37000;
	rule_levels_add(&resource->known, "enum", "zone", LEVEL_WARNING, 1000);
	rule_levels_add(&resource->known, "blank-row", NULL, LEVEL_WARNING, 5);
	return baseline;
}

static void test_round_trip(void **state)
{
	_cleanup_(baseline_freep) struct baseline *baseline = make(), *back = NULL;
	_cleanup_free_ char *text = baseline_write(baseline), *again = NULL;

	(void)state;
	assert_int_equal(baseline_parse(text, strlen(text), "cog", &back, NULL), FAULT_NONE);
	assert_int_equal(back->n_resources, 2);
	assert_string_equal(back->resources[0].name, "communes");
	assert_int_equal(back->resources[0].rows, 37000);
	assert_int_equal(back->resources[0].known.n_items, 2);
	assert_string_equal(back->person, "Zoé");
	again = baseline_write(back);
	assert_string_equal(again, text);
	assert_null(baseline_resource(back, "rues"));
}

/* Every member once missing, once of another kind, and one too many. */
static void test_refused(void **state)
{
	_cleanup_(baseline_freep) struct baseline *baseline = make();
	_cleanup_free_ char *text = baseline_write(baseline);
	_cleanup_(json_decrefp) json_t *good = json_loads(text, 0, NULL);
	struct baseline *none = NULL;
	const char *key;
	json_t *value;

	(void)state;
	json_object_foreach(good, key, value)
	{
		for (int i = 0; i < 3; i++) {
			_cleanup_(json_decrefp) json_t *bad = json_deep_copy(good);
			_cleanup_free_ char *dump = NULL;

			if (i == 0)
				json_object_del(bad, key);
			else
				json_object_set_new(bad, i == 1 ? key : "more", json_true());
			dump = json_dumps(bad, 0);
			if (baseline_parse(dump, strlen(dump), "cog", &none, NULL) != FAULT_BASELINE_FORM)
				fail_msg("%s", dump);
		}
	}
	assert_int_equal(baseline_parse(text, strlen(text), "rues", &none, NULL), FAULT_BASELINE_FORM);
	assert_int_equal(baseline_parse(text, strlen(text) - 3, "cog", &none, NULL), FAULT_BASELINE_FORM);
	assert_int_equal(baseline_parse("", 0, "cog", &none, NULL), FAULT_BASELINE_FORM);
}

static void test_growth(void **state)
{
	_cleanup_(baseline_freep) struct baseline *baseline = make();
	struct rule_level item = {.rule = NULL, .level = LEVEL_WARNING};
	static const uint64_t cases[][2] = {{1, 11}, {99, 109}, {100, 110}, {101, 111}, {200, 220}, {1005, 1105}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		item.most = cases[i][0];
		assert_int_equal(baseline_most(baseline, &item), cases[i][1]);
	}
	baseline->percent = baseline->rows = 0;
	assert_int_equal(baseline_most(baseline, &item), 1005);
}

static void test_shrunk(void **state)
{
	_cleanup_(baseline_freep) struct baseline *baseline = make();
	static const struct {
		const char *list, *words;
	} cases[] = {
		{"[{\"resource\": \"communes\", \"rule\": \"enum\", \"field\": \"zone\", \"count\": 1000},"
		 " {\"resource\": \"communes\", \"rule\": \"blank-row\", \"count\": 6}]",
		 NULL},
		{"[{\"resource\": \"communes\", \"rule\": \"enum\", \"field\": \"zone\", \"count\": 999},"
		 " {\"resource\": \"communes\", \"rule\": \"blank-row\", \"count\": 5}]",
		 "communes: enum in zone, 999 of 1000 known faults are left"},
		{"[{\"resource\": \"regions\", \"rule\": \"blank-row\", \"count\": 5}]",
		 "communes: blank-row, 0 of 5 known faults are left"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(json_decrefp) json_t *list = json_loads(cases[i].list, 0, NULL);
		char words[300] = "";

		assert_int_equal(baseline_has_shrunk(baseline, list, words, sizeof(words)), cases[i].words != NULL);
		if (cases[i].words != NULL)
			assert_string_equal(words, cases[i].words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_shrunk),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
