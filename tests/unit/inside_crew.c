/* SPDX-License-Identifier: ISC
 *
 * A conversation that never began is no success, whoever forgot to say why.
 */
#include "inside/crew.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_commit_without_worker(void **state)
{
	struct commit commit = {.worker = WORKER_NONE};
	struct refusal why = {0};

	(void)state;
	assert_int_equal(commit_end(&commit, &why), FAULT_WORKER);
	assert_int_equal(why.fault, FAULT_WORKER);
	assert_non_null(strstr(why.line, "inside-commit"));
	refuse(&commit.why, FAULT_CONFIGURATION, "nobody is called so");
	assert_int_equal(commit_end(&commit, &why), FAULT_CONFIGURATION);
	assert_string_equal(why.line, "nobody is called so");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_commit_without_worker)};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
