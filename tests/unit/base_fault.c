/* SPDX-License-Identifier: ISC
 *
 * The catalogue of codes, exit statuses, and the one line of a refusal.
 */
#include "base/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_catalogue_is_sorted_and_told(void **state)
{
	unsigned last = 0;

	(void)state;
	for (size_t i = 0; fault_at(i) != FAULT_NONE; i++) {
		enum fault fault = fault_at(i);

		assert_true((unsigned)fault > last);
		assert_in_range(fault, 1000, 9999);
		assert_true(strlen(fault_title(fault)) > 3);
		assert_true(strlen(fault_cause(fault)) > 3);
		assert_true(strlen(fault_next(fault)) > 3);
		last = (unsigned)fault;
	}
	assert_true(last > 9000);
}

static void test_by_code(void **state)
{
	(void)state;
	assert_int_equal(fault_by_code("E2103"), FAULT_TUF_SIGNATURE);
	assert_int_equal(fault_by_code("e2103"), FAULT_TUF_SIGNATURE);
	assert_int_equal(fault_by_code("2103"), FAULT_TUF_SIGNATURE);
	assert_int_equal(fault_by_code("E0"), FAULT_NONE);
	assert_int_equal(fault_by_code("E2103x"), FAULT_NONE);
	assert_int_equal(fault_by_code("E-2103"), FAULT_NONE);
	assert_int_equal(fault_by_code("E99999999999999999999"), FAULT_NONE);
	assert_int_equal(fault_by_code(""), FAULT_NONE);
	assert_true(fault_is_known(2103));
	assert_true(fault_is_known(0));
	assert_false(fault_is_known(2));
}

static void test_exit_statuses(void **state)
{
	(void)state;
	assert_int_equal(fault_exit(FAULT_NONE), 0);
	assert_int_equal(fault_exit(FAULT_TUF_SUPERSEDED), 0);
	assert_int_equal(fault_exit(FAULT_TUF_SIGNATURE), 1);
	assert_int_equal(fault_exit(FAULT_STORAGE), 2);
	assert_int_equal(fault_exit(FAULT_CONTRACT_FIELD), 3);
	assert_int_equal(fault_exit(FAULT_BUNDLE_TRUNCATED), 4);
	/* refused is the worst, then trouble, then what waits for a person, then what is missing */
	assert_int_equal(fault_exit_worse(1, 2), 1);
	assert_int_equal(fault_exit_worse(2, 4), 2);
	assert_int_equal(fault_exit_worse(3, 4), 3);
	assert_int_equal(fault_exit_worse(0, 4), 4);
	assert_int_equal(fault_exit_worse(0, 0), 0);
}

static void test_refuse(void **state)
{
	struct refusal why = {FAULT_NONE, ""};
	char text[64], longest[2 * FAULT_LINE_SIZE];

	(void)state;
	assert_int_equal(refuse(&why, FAULT_JSON_SYNTAX, "line %d\n\x1b[2J", 3), FAULT_JSON_SYNTAX);
	assert_string_equal(why.line, "line 3\\x0a\\x1b[2J");
	assert_int_equal(refuse_within(&why, "policy.json"), FAULT_JSON_SYNTAX);
	assert_string_equal(why.line, "policy.json: line 3\\x0a\\x1b[2J");
	assert_int_equal(refuse(&why, FAULT_TUF_FORK, "short"), FAULT_TUF_FORK);
	fault_format(&why, text, sizeof text);
	assert_string_equal(text, "E2106 REFUSED short");
	memset(longest, 'x', sizeof longest - 1), longest[sizeof longest - 1] = '\0';
	refuse(&why, FAULT_TUF_FORK, "%s", longest);
	assert_int_equal(strlen(why.line), FAULT_LINE_SIZE - 1);
	assert_int_equal(refuse(NULL, FAULT_TUF_FORK, "nobody asks"), FAULT_TUF_FORK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_catalogue_is_sorted_and_told),
		cmocka_unit_test(test_by_code),
		cmocka_unit_test(test_exit_statuses),
		cmocka_unit_test(test_refuse),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
