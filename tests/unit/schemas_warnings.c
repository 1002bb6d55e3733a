/* SPDX-License-Identifier: ISC
 *
 * warnings: lines are kept up to the bound and counted past it, escaped, cut, taken over with a prefix.
 */
#include "schemas/warnings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "bundle/limits.h"

static void test_lines(void **state)
{
	_cleanup_(warnings_clear) struct warnings warnings = {0}, all = {0};
	char large[2 * FAULT_LINE_SIZE];

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	warnings_add(&warnings, "field %s: %d", "a\x1b[2J", 7);
	warnings_add(&warnings, "%s", large);
	warnings_add(NULL, "%s", "nobody");
	assert_int_equal(warnings.n, 2);
	assert_string_equal(warnings.lines[0], "field a\\x1b[2J: 7");
	assert_true(strlen(warnings.lines[1]) < FAULT_LINE_SIZE);
	warnings_take(&all, "resource towns: ", &warnings);
	assert_string_equal(all.lines[0], "resource towns: field a\\x1b[2J: 7");
	warnings_clear(&warnings);
	assert_int_equal(warnings.n, 0);
}

static void test_bound(void **state)
{
	_cleanup_(warnings_clear) struct warnings warnings = {0}, all = {0};

	(void)state;
	for (int i = 0; i < LIMIT_SCHEMA_WARNINGS + 3; i++)
		warnings_add(&warnings, "%d", i);
	assert_int_equal(warnings.n, LIMIT_SCHEMA_WARNINGS);
	assert_int_equal(warnings.n_more, 3);
	warnings_add(&all, "one");
	warnings_take(&all, "", &warnings);
	assert_int_equal(all.n, LIMIT_SCHEMA_WARNINGS);
	assert_int_equal(all.n_more, 4);
	assert_string_equal(all.lines[1], "0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines), cmocka_unit_test(test_bound)};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
