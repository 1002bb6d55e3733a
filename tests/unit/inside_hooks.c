/* SPDX-License-Identifier: ISC
 *
 * Hooks: which may run; what one gets, and what is left of it when it hangs, forks, fails, or writes without end; and what is told.
 */
#include "inside/hooks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "inside/generation.h"

static char folder[32];

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/clapet-test.XXXXXX");
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	return fd_remove_tree(AT_FDCWD, folder);
}

/* A program NAME of sh; its path, new. */
static char *program(const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", folder, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fprintf(file, "#!/bin/sh\n%s\n", text);
	fclose(file);
	assert_int_equal(chmod(path, 0755), 0);
	return path;
}

static enum fault run(const char *text, int64_t seconds, char *output, struct refusal *why)
{
	static char *const environment[] = {(char *)"PATH=/usr/bin:/bin", (char *)"CLAPET_GENERATION=5", NULL};
	_cleanup_free_ char *path = program("it", text);

	memset(why, 0, sizeof(*why));
	return hooks_program(path, "{\"generation\": 5}", environment, seconds, output, why);
}

static void test_program(void **state)
{
	char output[LIMIT_HOOK_OUTPUT];
	struct refusal why;

	(void)state;
	assert_int_equal(run("cat; echo; pwd; env | grep -v '^PWD\\|^_\\|^SHLVL\\|^OLDPWD' | sort; echo err >&2", 10,
			     output, &why),
			 FAULT_NONE);
	assert_string_equal(output, "{\"generation\": 5}\n/\nCLAPET_GENERATION=5\nPATH=/usr/bin:/bin\nerr\n");
	/* It has its three descriptors, and ls one for the folder that it reads. */
	assert_int_equal(run("ls /proc/self/fd | wc -l", 10, output, &why), FAULT_NONE);
	assert_string_equal(output, "4\n");
	/* Nothing reads its input: no harm. */
	assert_int_equal(run("exit 0", 10, output, &why), FAULT_NONE);
	assert_string_equal(output, "");
}

static void test_fails(void **state)
{
	char output[LIMIT_HOOK_OUTPUT];
	struct refusal why;

	(void)state;
	assert_int_equal(run("echo no; exit 3", 10, output, &why), FAULT_HOOK_FAILED);
	assert_non_null(strstr(why.line, "/it: exit status 3"));
	assert_string_equal(output, "no\n");
	assert_int_equal(run("kill -SEGV $$", 10, output, &why), FAULT_HOOK_FAILED);
	assert_non_null(strstr(why.line, "signal 11"));
	assert_int_equal(hooks_program("/nowhere", "{}", (char *const[]){NULL}, 10, output, &why), FAULT_HOOK_FAILED);
	assert_non_null(strstr(why.line, "127"));
	assert_non_null(strstr(output, "cannot be run"));
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Whether the process whose number OUTPUT begins with is gone, or soon is. */
static bool is_gone(const char *output)
{
	pid_t pid = (pid_t)strtol(output, NULL, 10);

	assert_true(pid > 1);
	for (int i = 0; i < 100; i++) {
		if (kill(pid, 0) < 0 && errno == ESRCH)
			return true;
		usleep(10000);
	}
	return false;
}

static void test_hangs(void **state)
{
	char output[LIMIT_HOOK_OUTPUT];
	struct refusal why;
	int64_t begun = now();

	(void)state;
	assert_int_equal(run("echo $$; exec sleep 100", 1, output, &why), FAULT_HOOK_TIME);
	assert_in_range(now() - begun, 1000, 60000);
	assert_true(is_gone(output));
	/* One that does not hear SIGTERM. */
	begun = now();
	assert_int_equal(run("trap '' TERM; echo $$; while :; do sleep 1; done", 1, output, &why), FAULT_HOOK_TIME);
	assert_in_range(now() - begun, 4000, 60000);
	assert_true(is_gone(output));
}

/* What it leaves behind goes with it, also what left its process group, and does not keep us. */
static void test_forks(void **state)
{
	char output[LIMIT_HOOK_OUTPUT];
	struct refusal why;
	int64_t begun = now();

	(void)state;
	assert_int_equal(run("sleep 100 & echo $!", 10, output, &why), FAULT_NONE);
	assert_true(is_gone(output));
	assert_int_equal(run("setsid sh -c 'echo $$; exec sleep 100' & sleep 0.3", 10, output, &why), FAULT_NONE);
	assert_true(is_gone(output));
	assert_true(now() - begun < 60000);
}

static void test_writes(void **state)
{
	char output[LIMIT_HOOK_OUTPUT];
	struct refusal why;

	(void)state;
	assert_int_equal(run("head -c 5000000 /dev/zero | tr '\\0' x", 20, output, &why), FAULT_NONE);
	assert_int_equal(strlen(output), LIMIT_HOOK_OUTPUT - 1);
	assert_int_equal(run("yes", 1, output, &why), FAULT_HOOK_TIME);
	assert_int_equal(strlen(output), LIMIT_HOOK_OUTPUT - 1);
}

/* --- which may run --------------------------------------------------------------------------------------------------------------- */

static void add_fault(void *ctx, const struct refusal *why)
{
	char *told = ctx;

	assert_int_equal(why->fault, FAULT_HOOK_UNSAFE);
	strcat(told, strrchr(why->line, '/') + 1);
	strcat(told, "\n");
}

static void test_list(void **state)
{
	static const char *const names[] = {"50-good", "10-first", "20-open", "30-text", ".hidden", "a b"};
	struct hooks_names list;
	char told[4096] = "";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = program(names[i], "exit 0");

		if (i == 2)
			assert_int_equal(chmod(path, 0777), 0);
		if (i == 3)
			assert_int_equal(chmod(path, 0644), 0);
	}
	{
		_cleanup_free_ char *link = xasprintf("%s/40-link", folder);

		assert_int_equal(symlink("50-good", link), 0);
	}
	hooks_list(folder, add_fault, told, &list);
	assert_int_equal(list.n_items, 2);
	assert_string_equal(list.items[0], "10-first");
	assert_string_equal(list.items[1], "50-good");
	hooks_names_free(&list);
	assert_non_null(strstr(told, "20-open: it is not root's or our own, or its group or others may write it\n"));
	assert_non_null(strstr(told, "30-text: it is not executable\n"));
	assert_non_null(strstr(told, "40-link: not a regular file\n"));
	assert_non_null(strstr(told, "a b: a name of other characters"));
	assert_null(strstr(told, "hidden"));
	/* A folder that others can write has none that may run; one that is not there has none at all. */
	told[0] = '\0';
	assert_int_equal(chmod(folder, 0777), 0);
	hooks_list(folder, add_fault, told, &list);
	assert_int_equal(list.n_items, 0);
	assert_non_null(strstr(told, "the folder is not"));
	assert_int_equal(chmod(folder, 0700), 0);
	told[0] = '\0';
	hooks_list("/nowhere/generation.d", add_fault, told, &list);
	assert_int_equal(list.n_items, 0);
	assert_string_equal(told, "");
}

/* --- what is told ---------------------------------------------------------------------------------------------------------------- */

static void test_facts(void **state)
{
	struct generation before = {.number = 4}, next = {.number = 5};
	_cleanup_(json_decrefp) json_t *facts = NULL, *wanted = NULL;

	(void)state;
	generation_set(&before, "cog", "aaaaaaaaaaaaaaaa", json_pack("{ss}", "date", "2026-01-01T00:00:00Z"));
	generation_set(&before, "gone", "bbbbbbbbbbbbbbbb", NULL);
	generation_set(&before, "same", "cccccccccccccccc", NULL);
	generation_set(&next, "cog", "dddddddddddddddd", json_pack("{ss}", "date", "2026-02-01T00:00:00Z"));
	generation_set(&next, "new", "eeeeeeeeeeeeeeee", NULL);
	generation_set(&next, "same", "cccccccccccccccc", NULL);
	facts = hooks_facts("/store", &before, &next);
	wanted = json_loads(
		"{\"format\": \"clapet hook generation 1\", \"folder\": \"/store/generations/5\", \"generation\": 5, "
		"\"before\": 4, "
		"\"changes\": [{\"name\": \"cog\", \"change\": \"changed\", \"version\": \"dddddddddddddddd\", "
		"\"date\": "
		"\"2026-02-01T00:00:00Z\", \"versionBefore\": \"aaaaaaaaaaaaaaaa\", \"dateBefore\": "
		"\"2026-01-01T00:00:00Z\"}, "
		"{\"name\": \"gone\", \"change\": \"gone\", \"version\": null, \"date\": null, \"versionBefore\": "
		"\"bbbbbbbbbbbbbbbb\", \"dateBefore\": null}, {\"name\": \"new\", \"change\": \"new\", \"version\": "
		"\"eeeeeeeeeeeeeeee\", \"date\": null, \"versionBefore\": null, \"dateBefore\": null}], \"datasets\": "
		"[{\"name\": "
		"\"cog\", \"version\": \"dddddddddddddddd\", \"date\": \"2026-02-01T00:00:00Z\"}, {\"name\": \"new\", "
		"\"version\": "
		"\"eeeeeeeeeeeeeeee\", \"date\": null}, {\"name\": \"same\", \"version\": \"cccccccccccccccc\", "
		"\"date\": null}]}",
		0, NULL);
	assert_non_null(wanted);
	if (!json_equal(facts, wanted))
		fail_msg("%s", json_dumps(facts, 0));
	generation_clear(&before);
	generation_clear(&next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_program, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hangs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_forks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_writes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_list, set_up, tear_down),
		cmocka_unit_test(test_facts),
	};

	json_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
