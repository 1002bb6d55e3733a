/* SPDX-License-Identifier: ISC
 *
 * The folder of keys: what is there is loaded, what is new is made once, what others can read is refused.
 */
#include "keys/keyfolder.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/hash.h"

static char folder[] = "/tmp/clapet-keyfolder.XXXXXX";
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

static void test_makes_once(void **state)
{
	_cleanup_(secret_key_freep) struct secret_key *made = NULL, *again = NULL, *loaded = NULL, *none = NULL;
	struct refusal why;
	struct stat st;

	(void)state;
	assert_int_equal(keyfolder_role(folder_fd, "cog", false, NULL, &none, &why), FAULT_FILE);
	assert_string_equal(why.line, "keys/datasets/cog.key is missing");
	assert_false(fd_exists(folder_fd, "datasets"));
	assert_int_equal(keyfolder_role(folder_fd, "cog", true, NULL, &made, &why), FAULT_NONE);
	assert_int_equal(fstatat(folder_fd, "datasets/cog.key", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0400);
	assert_int_equal(keyfolder_role(folder_fd, "cog", true, NULL, &again, &why), FAULT_NONE);
	assert_string_equal(secret_key_public(again)->keyid, secret_key_public(made)->keyid);
	assert_int_equal(keyfolder_load(folder_fd, "datasets/cog.key", NULL, &loaded, &why), FAULT_NONE);
	assert_string_equal(secret_key_public(loaded)->keyid, secret_key_public(made)->keyid);
}

static void test_refuses(void **state)
{
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	struct refusal why;

	(void)state;
	assert_int_equal(keyfolder_role(folder_fd, "rues", true, NULL, &key, &why), FAULT_NONE);
	secret_key_free(steal_pointer(&key));
	assert_int_equal(fchmodat(folder_fd, "datasets/rues.key", 0440, 0), 0);
	assert_int_equal(keyfolder_role(folder_fd, "rues", true, NULL, &key, &why), FAULT_KEY_MODE);
	assert_int_equal(symlinkat("datasets/cog.key", folder_fd, "link.key"), 0);
	assert_int_equal(keyfolder_load(folder_fd, "link.key", NULL, &key, &why), FAULT_FILE);
	assert_int_equal(keyfolder_load(folder_fd, "../x.key", NULL, &key, &why), FAULT_FILE);
	assert_null(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_makes_once),
		cmocka_unit_test(test_refuses),
	};

	secret_init();
	hash_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("keys_keyfolder", tests, setup, teardown);
}
