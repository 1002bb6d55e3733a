/* SPDX-License-Identifier: ISC
 *
 * A job that was stopped, or broke, never ends as if it had done its work.
 */
#include "outside/agent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_stopped(void **state)
{
	struct job job = {.worker = WORKER_NONE, .program = "outside-check", .ended = true};
	struct refusal why = {FAULT_NONE, ""};

	(void)state;
	assert_int_equal(job_finish(&job, &why), FAULT_STOPPED);
	assert_int_equal(why.fault, FAULT_STOPPED);
	refuse(&why, FAULT_STORAGE, "the disk is full");
	assert_int_equal(job_finish(&job, &why), FAULT_STORAGE);
}

static void test_broken(void **state)
{
	struct job job = {.worker = WORKER_NONE, .program = "outside-check", .broken = true};
	struct refusal why = {FAULT_NONE, ""};

	(void)state;
	assert_int_equal(job_finish(&job, &why), FAULT_WORKER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_stopped), cmocka_unit_test(test_broken)};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
