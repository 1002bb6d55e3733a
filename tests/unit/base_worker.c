/* SPDX-License-Identifier: ISC
 *
 * A worker gets an account of its own or is not started, unless this machine is a test bench.
 */
#include "base/worker.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What worker_start says in a child that has become UID first; -1 keeps our own. */
static int start_as(int uid, const struct worker_options *options)
{
	struct worker worker = WORKER_NONE;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (uid >= 0 && setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) < 0)
			_exit(99);
		_exit(-worker_start("inside-log", options, &worker));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void test_no_account_no_worker(void **state)
{
	static const struct worker_options none = {.user = NULL};

	(void)state;
	assert_int_equal(start_as(-1, &none), -EPERM);
}

static void test_only_root_gives_accounts(void **state)
{
	static const struct worker_options games = {.user = "games"};

	(void)state;
	/* As root we become somebody who may reach the programs and change no account. */
	if (geteuid() != 0)
		assert_int_equal(start_as(-1, &games), -EPERM);
	else if (access("/proc/self/exe", X_OK) == 0)
		assert_true(start_as(12345, &games) == -EPERM || start_as(12345, &games) == -ENOENT);
}

static void test_unknown_account(void **state)
{
	static const struct worker_options nobody_of_that_name = {.user = "no-such-account"};

	(void)state;
	assert_int_equal(start_as(-1, &nobody_of_that_name), geteuid() == 0 ? -ESRCH : -EPERM);
}

static void test_bench_starts(void **state)
{
	static const struct worker_options bench = {.test_bench = true};
	struct worker worker = WORKER_NONE;

	(void)state;
	assert_int_equal(worker_start("inside-log", &bench, &worker), 0);
	worker_kill(&worker);
	assert_int_equal(worker.pid, -1);
	assert_int_equal(worker_start("no-such-worker", &bench, &worker), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_account_no_worker),
		cmocka_unit_test(test_only_root_gives_accounts),
		cmocka_unit_test(test_unknown_account),
		cmocka_unit_test(test_bench_starts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
