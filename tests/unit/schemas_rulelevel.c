/* SPDX-License-Identifier: ISC
 *
 * rulelevel: which entry a fault finds, what may warn.
 */
#include "schemas/rulelevel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static enum fault_level level(const struct rule_levels *levels, const char *rule, const char *field)
{
	const struct rule_level *found = rule_levels_find(levels, rule, field);

	return found != NULL ? found->level : LEVEL_ERROR;
}

static void test_find(void **state)
{
	_cleanup_(rule_levels_clear) struct rule_levels levels = {.n_items = 0};

	(void)state;
	assert_null(rule_levels_find(&levels, "enum", "zone"));
	assert_true(rule_levels_add(&levels, "pattern", NULL, LEVEL_WARNING, UINT64_MAX));
	assert_true(rule_levels_add(&levels, "pattern", "code", LEVEL_ERROR, UINT64_MAX));
	assert_true(rule_levels_add(&levels, "enum", "zone", LEVEL_WARNING, 7));
	assert_false(rule_levels_add(&levels, "enum", "zone", LEVEL_ERROR, 8));
	assert_false(rule_levels_add(&levels, "pattern", NULL, LEVEL_ERROR, 8));
	assert_int_equal(levels.n_items, 3);
	assert_int_equal(level(&levels, "pattern", "label"), LEVEL_WARNING);
	assert_int_equal(level(&levels, "pattern", NULL), LEVEL_WARNING);
	assert_int_equal(level(&levels, "pattern", "code"), LEVEL_ERROR);
	assert_int_equal(level(&levels, "enum", "zone"), LEVEL_WARNING);
	assert_int_equal(rule_levels_find(&levels, "enum", "zone")->most, 7);
	assert_null(rule_levels_find(&levels, "enum", "zon"));
	assert_null(rule_levels_find(&levels, "enum", NULL));
	assert_null(rule_levels_find(&levels, "minimum", "zone"));
}

static void test_many(void **state)
{
	_cleanup_(rule_levels_clear) struct rule_levels levels = {.n_items = 0};
	char field[16];

	(void)state;
	for (unsigned i = 0; i < 500; i++) {
		snprintf(field, sizeof(field), "f%u", (i * 7919) % 500);
		assert_true(rule_levels_add(&levels, i % 2 == 0 ? "minimum" : "enum", field, LEVEL_WARNING, i));
	}
	for (unsigned i = 0; i < 500; i++) {
		const struct rule_level *found;

		snprintf(field, sizeof(field), "f%u", (i * 7919) % 500);
		found = rule_levels_find(&levels, i % 2 == 0 ? "minimum" : "enum", field);
		assert_non_null(found);
		assert_int_equal(found->most, i);
		assert_null(rule_levels_find(&levels, i % 2 == 0 ? "enum" : "minimum", field));
	}
}

static void test_rules(void **state)
{
	(void)state;
	assert_true(rule_is_known("pattern") && rule_may_warn("pattern"));
	assert_true(rule_is_known("extra-cell") && !rule_may_warn("extra-cell"));
	assert_true(rule_is_known("source-error") && !rule_may_warn("source-error"));
	assert_false(rule_is_known("paterne") || rule_may_warn("paterne"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_rules),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
