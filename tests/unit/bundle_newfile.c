/* SPDX-License-Identifier: ISC
 *
 * newfile: whole, or not there; with unnamed files and without.
 */
#include "bundle/newfile.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"

static char folder[64];
static bool has_proc;

/* In the place of libc's: without /proc the file has its name from the start, as on file systems that know no unnamed ones. */
int access(const char *path, int mode)
{
	(void)path;
	(void)mode;
	return has_proc ? 0 : -1;
}

/* What the child does: writes, and ends with STATUS, or by a signal. */
struct plan {
	const char *text;
	int status, kill_by;
	const char *taken; /* a name that somebody takes meanwhile */
};

static int write_planned(void *ctx, int fd)
{
	const struct plan *plan = ctx;

	if (fd_write_all(fd, plan->text, strlen(plan->text)) < 0)
		return 99;
	if (plan->taken != NULL) {
		FILE *file = fopen(plan->taken, "w");

		fputs("theirs", file);
		fclose(file);
	}
	if (plan->kill_by != 0)
		raise(plan->kill_by);
	return plan->status;
}

static size_t count_files(void)
{
	_cleanup_closedir_ DIR *dir = opendir(folder);
	size_t n = 0;

	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		n += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
	return n;
}

static void assert_holds(const char *path, const char *wanted)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;

	assert_int_equal(fd_load_file(AT_FDCWD, path, 100, &data, &size), 0);
	assert_string_equal((char *)data, wanted);
}

static void a_file_is_whole_or_not_there(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/new", folder);
	for (int i = 0; i < 2; i++) {
		struct plan refused = {.text = "half", .status = 4}, killed = {.text = "half", .kill_by = SIGKILL};
		struct plan good = {.text = "whole"}, again = {.text = "other"};

		has_proc = i == 0;
		assert_int_equal(newfile_make(path, write_planned, &refused), 4);
		assert_int_equal(count_files(), 0);
		assert_int_equal(newfile_make(path, write_planned, &killed), 2);
		assert_int_equal(count_files(), 0);
		assert_int_equal(newfile_make(path, write_planned, &good), 0);
		assert_holds(path, "whole");
		assert_int_equal(newfile_make(path, write_planned, &again), 2);
		assert_holds(path, "whole");
		assert_int_equal(count_files(), 1);
		assert_int_equal(unlink(path), 0);
	}
}

/* Who came first keeps the name. */
static void a_name_taken_meanwhile_is_left_alone(void **state)
{
	char path[128];
	struct plan plan = {.text = "ours", .taken = path};

	(void)state;
	snprintf(path, sizeof(path), "%s/new", folder);
	has_proc = true;
	assert_int_equal(newfile_make(path, write_planned, &plan), 2);
	assert_holds(path, "theirs");
	assert_int_equal(unlink(path), 0);
}

static void paths_that_name_no_file(void **state)
{
	struct plan plan = {.text = "x"};
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/", folder);
	assert_int_equal(newfile_make(path, write_planned, &plan), 2);
	snprintf(path, sizeof(path), "%s/absent/new", folder);
	assert_int_equal(newfile_make(path, write_planned, &plan), 2);
	assert_int_equal(count_files(), 0);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/clapet-newfile.XXXXXX");
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_whole_or_not_there),
		cmocka_unit_test(a_name_taken_meanwhile_is_left_alone),
		cmocka_unit_test(paths_that_name_no_file),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
