/* SPDX-License-Identifier: ISC
 *
 * Which files of a folder are bundles, what they are called in incoming/, and how many are taken at once.
 */
#include "inside/medium.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fdio.h"
#include "base/log.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static int setup(void **state)
{
	static char path[64];

	snprintf(path, sizeof(path), "/tmp/clapet-medium.XXXXXX");
	assert_non_null(mkdtemp(path));
	*state = path;
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(fd_remove_tree(AT_FDCWD, *state), 0);
	return 0;
}

static void put(const char *folder, const char *name, const char *data, size_t size)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY);

	assert_int_equal(fd_put_durable(fd, name, data, size, 0644), 0);
	close(fd);
}

static void test_folder(void **state)
{
	static const char bundle[] = "format\0\0\0";
	struct medium medium = {0};
	struct refusal why;

	assert_int_equal(medium_add(*state, &medium, &why), FAULT_FILE);
	assert_non_null(strstr(why.line, "no bundle in this folder"));
	put(*state, "SHA256SUMS", "x", 1);
	put(*state, "b c.tar", bundle, 9);
	put(*state, ".b.tar", bundle, 9);
	put(*state, "b.tar.part", bundle, 9);
	put(*state, "tar", bundle, 9);
	put(*state, "format.tar", "formats", 7);
	put(*state, "empty.tar", "", 0);
	put(*state, "0000000007-" DIGEST ".tar", "noise", 5); /* called so: an alarm, if it is none */
	put(*state, "000000007-" DIGEST "0.tar", "noise", 5);
	assert_int_equal(medium_add(*state, &medium, &why), FAULT_NONE);
	medium_sort(&medium);
	assert_int_equal(medium.n_bundles, 3);
	assert_string_equal(medium.bundles[0].name, "0000000007-" DIGEST ".tar");
	assert_int_equal(medium.bundles[0].size, 5);
	assert_string_equal(medium.bundles[1].name, "b_c.tar");
	assert_string_equal(medium.bundles[2].name, "empty.tar");
	medium_clear(&medium);
}

static void test_batches(void **state)
{
	static const uint64_t sizes[] = {1, 2, LIMIT_MEDIUM_BATCH - 3, 1, LIMIT_MEDIUM_BATCH * 9, 5, UINT64_MAX, 0, 0};
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "h"};
	struct medium_bundle bundles[9];
	const struct medium medium = {.bundles = bundles, .n_bundles = 9};

	(void)state;
	for (size_t i = 0; i < 9; i++) {
		bundles[i].size = sizes[i];
		snprintf(bundles[i].name, sizeof(bundles[i].name), "%s", names[i]);
	}
	assert_int_equal(medium_batch(&medium, 0), 3); /* exactly the bound */
	assert_int_equal(medium_batch(&medium, 3), 1);
	assert_int_equal(medium_batch(&medium, 4), 1); /* larger than it: alone */
	assert_int_equal(medium_batch(&medium, 5), 1);
	assert_int_equal(medium_batch(&medium, 6), 1);
	assert_int_equal(medium_batch(&medium, 7), 1); /* one would take the other's name */
	assert_int_equal(medium_batch(&medium, 8), 1);
	assert_int_equal(medium_batch(&medium, 9), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_folder, setup, teardown),
		cmocka_unit_test(test_batches),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
