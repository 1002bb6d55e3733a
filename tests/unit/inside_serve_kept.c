/* SPDX-License-Identifier: ISC
 *
 * The status that is kept: parsed once, and again when it was replaced.
 */
#include "inside/serve_kept.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/json.h"

static void put(int fd, const char *text)
{
	fd_remove_tree(fd, "status.json");
	assert_int_equal(fd_put_durable(fd, "status.json", text, strlen(text), 0440), 0);
}

static void test_kept(void **state)
{
	char path[] = "/tmp/clapet-kept.XXXXXX";
	struct serve serve = {.kept = serve_kept_new()};
	json_t *first, *again, *other;

	(void)state;
	json_init();
	assert_non_null(mkdtemp(path));
	serve.store_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(serve.store_fd >= 0);
	assert_null(serve_kept_status(&serve));
	put(serve.store_fd, "{\"format\": \"clapet store status 1\", \"generation\": 1}");
	first = serve_kept_status(&serve);
	again = serve_kept_status(&serve);
	assert_non_null(first);
	assert_ptr_equal(first, again);
	put(serve.store_fd, "{\"format\": \"clapet store status 1\", \"generation\": 22}");
	other = serve_kept_status(&serve);
	assert_int_equal(json_integer_value(json_object_get(other, "generation")), 22);
	/* Who had the old one still has it. */
	assert_int_equal(json_integer_value(json_object_get(first, "generation")), 1);
	put(serve.store_fd, "{\"format\": \"clapet store status 2\"}");
	assert_null(serve_kept_status(&serve));
	put(serve.store_fd, "nothing that parses");
	assert_null(serve_kept_status(&serve));
	json_decref(first);
	json_decref(again);
	json_decref(other);
	fd_remove_tree(serve.store_fd, "status.json");
	close(serve.store_fd);
	assert_int_equal(rmdir(path), 0);
	serve_kept_free(serve.kept);
	serve_kept_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_kept)};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
