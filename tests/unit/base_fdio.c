/* SPDX-License-Identifier: ISC
 *
 * Bounded reads, durable puts, opens that stay beneath a folder.
 */
#include "base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"

struct place {
	char path[64];
	int fd;
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof *place);

	strcpy(place->path, "/tmp/clapet-fdio.XXXXXX");
	if (mkdtemp(place->path) == NULL)
		return -1;
	place->fd = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = place;
	return place->fd < 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;
	int r;

	close(place->fd);
	r = fd_remove_tree(AT_FDCWD, place->path);
	free(place);
	return r;
}

static void test_put_and_load(void **state)
{
	struct place *place = *state;
	_cleanup_free_ uint8_t *data = NULL;
	struct stat st;
	size_t size;

	assert_int_equal(fd_put_durable(place->fd, "a", "one", 3, 0440), 0);
	assert_int_equal(fd_put_durable(place->fd, "a", "four", 4, 0440), 0);
	assert_int_equal(fd_load_file(place->fd, "a", 4, &data, &size), 0);
	assert_int_equal(size, 4);
	assert_string_equal((char *)data, "four");
	assert_int_equal(fstatat(place->fd, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0440);
	assert_false(fd_exists(place->fd, ".a.tmp"));
}

static void test_load_bounds(void **state)
{
	struct place *place = *state;
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;

	assert_int_equal(fd_put_durable(place->fd, "a", "12345", 5, 0600), 0);
	assert_int_equal(fd_load_file(place->fd, "a", 4, &data, &size), -EFBIG);
	assert_null(data);
	assert_int_equal(fd_load_file(place->fd, "a", 5, &data, &size), 0);
	assert_int_equal(fd_load_file(place->fd, "none", 5, &data, &size), -ENOENT);
	assert_int_equal(fd_load_file(place->fd, ".", 5, &data, &size), -EISDIR);
	assert_int_equal(mkfifoat(place->fd, "fifo", 0600), 0);
	assert_int_equal(fd_load_file(place->fd, "fifo", 5, &data, &size), -EINVAL);
	assert_int_equal(symlinkat("a", place->fd, "link"), 0);
	assert_int_equal(fd_load_file(place->fd, "link", 5, &data, &size), -ELOOP);
}

static void test_put_sweeps_leftovers(void **state)
{
	struct place *place = *state;

	assert_int_equal(fd_put_durable(place->fd, ".a.tmp", "left by a crash", 15, 0400), 0);
	assert_int_equal(fd_put_durable(place->fd, "a", "x", 1, 0400), 0);
	assert_false(fd_exists(place->fd, ".a.tmp"));
}

static void test_beneath(void **state)
{
	struct place *place = *state;

	assert_int_equal(mkdirat(place->fd, "d", 0700), 0);
	assert_int_equal(fd_put_durable(place->fd, "a", "x", 1, 0600), 0);
	assert_int_equal(symlinkat("/etc", place->fd, "absolute"), 0);
	assert_int_equal(symlinkat("d", place->fd, "relative"), 0);
	assert_int_equal(fd_open_beneath(place->fd, "../x", O_RDONLY, 0), -EXDEV);
	assert_int_equal(fd_open_beneath(place->fd, "/etc/passwd", O_RDONLY, 0), -EXDEV);
	assert_int_equal(fd_open_beneath(place->fd, "absolute/passwd", O_RDONLY, 0), -ELOOP);
	assert_int_equal(fd_open_beneath(place->fd, "relative", O_RDONLY | O_DIRECTORY, 0), -ELOOP);
	assert_int_equal(fd_open_beneath(place->fd, "none", O_RDONLY, 0), -ENOENT);
	{
		_cleanup_close_ int fd = fd_open_beneath(place->fd, "d/new", O_WRONLY | O_CREAT | O_EXCL, 0600);

		assert_true(fd >= 0);
		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	}
}

static void test_regular_beneath(void **state)
{
	struct place *place = *state;

	assert_int_equal(fd_put_durable(place->fd, "one", "x", 1, 0600), 0);
	assert_int_equal(linkat(place->fd, "one", place->fd, "two", 0), 0);
	assert_int_equal(fd_open_regular_beneath(place->fd, "one", O_RDONLY), -EMLINK);
	assert_int_equal(unlinkat(place->fd, "two", 0), 0);
	{
		_cleanup_close_ int fd = fd_open_regular_beneath(place->fd, "one", O_RDONLY);

		assert_true(fd >= 0);
	}
	assert_int_equal(mkdirat(place->fd, "d", 0700), 0);
	assert_int_equal(fd_open_regular_beneath(place->fd, "d", O_RDONLY), -EINVAL);
	assert_int_equal(mkfifoat(place->fd, "fifo", 0600), 0);
	assert_int_equal(fd_open_regular_beneath(place->fd, "fifo", O_RDONLY), -EINVAL);
}

static void test_memory_is_sealed(void **state)
{
	_cleanup_close_ int fd = fd_memory("test", "abc", 3);
	char text[4] = "";

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fd_read_exact(fd, text, 3), 0);
	assert_string_equal(text, "abc");
	assert_int_equal(fd_read_exact(fd, text, 1), -ENODATA);
	assert_true(pwrite(fd, "x", 1, 0) < 0);
	assert_true(ftruncate(fd, 0) < 0);
}

/* From its place, short only at the end, and the descriptor's own place stays. */
static void test_read_at(void **state)
{
	_cleanup_close_ int fd = fd_memory("place", "0123456789", 10);
	char bytes[12];

	(void)state;
	assert_true(lseek(fd, 3, SEEK_SET) == 3);
	assert_int_equal(fd_read_at(fd, bytes, 4, 5), 4);
	assert_memory_equal(bytes, "5678", 4);
	assert_int_equal(fd_read_at(fd, bytes, sizeof(bytes), 8), 2);
	assert_memory_equal(bytes, "89", 2);
	assert_int_equal(fd_read_at(fd, bytes, 1, 10), 0);
	assert_true(lseek(fd, 0, SEEK_CUR) == 3);
	assert_int_equal(fd_read_at(-1, bytes, 1, 0), -EBADF);
}

static void test_copy_bounds(void **state)
{
	struct place *place = *state;
	_cleanup_close_ int in = fd_memory("in", "12345", 5), out = -1;
	uint64_t size;

	out = fd_open_beneath(place->fd, "out", O_RDWR | O_CREAT, 0600);
	assert_true(out >= 0);
	assert_int_equal(fd_copy(in, out, 4, &size), -EFBIG);
	assert_int_equal(lseek(in, 0, SEEK_SET), 0);
	assert_int_equal(fd_copy(in, out, 5, &size), 0);
	assert_int_equal(size, 5);
}

static void test_remove_tree_follows_no_link(void **state)
{
	struct place *place = *state;

	assert_int_equal(mkdirat(place->fd, "keep", 0700), 0);
	assert_int_equal(mkdirat(place->fd, "keep/file", 0700), 0);
	assert_int_equal(mkdirat(place->fd, "gone", 0700), 0);
	assert_int_equal(mkdirat(place->fd, "gone/below", 0700), 0);
	assert_int_equal(symlinkat("../keep", place->fd, "gone/link"), 0);
	assert_int_equal(fd_remove_tree(place->fd, "gone"), 0);
	assert_false(fd_exists(place->fd, "gone"));
	assert_true(fd_exists(place->fd, "keep/file"));
	assert_int_equal(fd_remove_tree(place->fd, "gone"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_put_and_load, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_load_bounds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_put_sweeps_leftovers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_beneath, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_regular_beneath, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_copy_bounds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_remove_tree_follows_no_link, set_up, tear_down),
		cmocka_unit_test(test_memory_is_sealed),
		cmocka_unit_test(test_read_at),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
