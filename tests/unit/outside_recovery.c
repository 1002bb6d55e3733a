/* SPDX-License-Identifier: ISC
 *
 * outside_recovery: floors survive in their file, only ever rise, and go when they were passed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/json.h"
#include "outside/recovery.h"

static char folder[] = "/tmp/clapet-recovery.XXXXXX";
static int folder_fd;

static int setup(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return folder_fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	close(folder_fd);
	return fd_remove_tree(AT_FDCWD, folder);
}

static void test_none(void **state)
{
	struct recovery recovery;
	struct refusal why = {FAULT_NONE, ""};

	(void)state;
	assert_int_equal(recovery_load(folder_fd, &recovery, &why), FAULT_NONE);
	assert_int_equal(recovery.n_floors, 0);
	assert_int_equal(recovery_floor(&recovery, "cog"), 0);
	assert_int_equal(recovery_save(folder_fd, &recovery), 0);
	assert_false(fd_exists(folder_fd, "recovery.json"));
	recovery_clear(&recovery);
}

static void test_round_trip(void **state)
{
	struct outside_signed files[2] = {{.role = "cog", .version = 1013}, {.role = "timestamp", .version = 1431}};
	struct publish_signed signed_ = {.files = files, .n_files = 2};
	struct recovery recovery = {.at = 1795366440, .old_data = true}, again;
	struct refusal why = {FAULT_NONE, ""};

	(void)state;
	recovery_add(&recovery, "cog", 1012);
	recovery_add(&recovery, "timestamp", 1431);
	recovery_add(&recovery, "cog", 900);
	assert_int_equal(recovery_save(folder_fd, &recovery), 0);
	recovery_clear(&recovery);
	if (recovery_load(folder_fd, &again, &why) != FAULT_NONE)
		fail_msg("%s", why.line);
	assert_int_equal(again.at, 1795366440);
	assert_true(again.old_data);
	assert_int_equal(again.n_floors, 2);
	assert_int_equal(recovery_floor(&again, "cog"), 1012);
	/* The very version is not passed. */
	assert_true(recovery_pass(&again, &signed_));
	assert_int_equal(recovery_floor(&again, "cog"), 0);
	assert_int_equal(recovery_floor(&again, "timestamp"), 1431);
	assert_false(recovery_pass(&again, &signed_));
	files[1].version++;
	assert_true(recovery_pass(&again, &signed_));
	assert_int_equal(recovery_save(folder_fd, &again), 0);
	assert_false(fd_exists(folder_fd, "recovery.json"));
	recovery_clear(&again);
}

static void test_out_of_form(void **state)
{
	static const char *const cases[] = {
		"{}",
		"[]",
		"{\"format\": \"clapet recovery 2\", \"at\": \"2026-11-22T16:54:00Z\", \"oldData\": false, \"above\": "
		"{}}",
		"{\"format\": \"clapet recovery 1\", \"at\": \"today\", \"oldData\": false, \"above\": {}}",
		"{\"format\": \"clapet recovery 1\", \"at\": \"2026-11-22T16:54:00Z\", \"oldData\": 1, \"above\": {}}",
		"{\"format\": \"clapet recovery 1\", \"at\": \"2026-11-22T16:54:00Z\", \"oldData\": false, \"above\": "
		"{\"root\": 1}}",
		"{\"format\": \"clapet recovery 1\", \"at\": \"2026-11-22T16:54:00Z\", \"oldData\": false, \"above\": "
		"{\"cog\": 0}}",
		"{\"format\": \"clapet recovery 1\", \"at\": \"2026-11-22T16:54:00Z\", \"oldData\": false, \"above\": "
		"{\"cog\": 1.5}}",
		"{\"format\": \"clapet recovery 1\", \"at\": \"2026-11-22T16:54:00Z\", \"oldData\": false, \"above\": "
		"{\"../x\": 1}}",
		"{\"format\": \"clapet recovery 1\", \"at\": \"2026-11-22T16:54:00Z\", \"oldData\": false, \"above\": "
		"{}, \"x\": 1}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct refusal why = {FAULT_NONE, ""};
		struct recovery recovery;

		assert_int_equal(fd_put_durable(folder_fd, "recovery.json", cases[i], strlen(cases[i]), 0640), 0);
		assert_int_not_equal(recovery_load(folder_fd, &recovery, &why), FAULT_NONE);
		assert_non_null(strstr(why.line, "state/recovery.json"));
	}
	unlinkat(folder_fd, "recovery.json", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_out_of_form),
	};

	json_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("tests", tests, setup, teardown);
}
