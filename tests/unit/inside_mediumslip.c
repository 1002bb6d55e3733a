/* SPDX-License-Identifier: ISC
 *
 * What a medium's SHA256SUMS may say, and all that is no such file.
 */
#include "inside/mediumslip.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fdio.h"
#include "base/log.h"

#define A "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define B "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static enum fault parse(const char *text, struct medium_slip *slip, struct refusal *why)
{
	return medium_slip_parse(text, strlen(text), slip, why);
}

static void test_lines(void **state)
{
	struct medium_slip slip;
	struct refusal why = {0};
	const struct medium_slip_entry *entry;

	(void)state;
	assert_int_equal(parse("# 12345 bytes\n" B "  b.tar\r\n\r\n# a remark\n" A " *./a volume.tar\n" A "  b.tar~\n" A
			       "  sub/c.tar\n" A "  ../d.tar\n\\" A "  e\\nf.tar\n0123456789ABCDEF" B "  g.tar",
			       &slip, &why),
			 FAULT_MEDIUM_SLIP); /* 80 digits are no digest */
	assert_int_equal(slip.n_entries, 0);
	assert_non_null(strstr(why.line, "line 10: no digest and name"));
	assert_int_equal(parse("# 12345 bytes\n" B "  b.tar\r\n\r\n# a remark\n" A " *./a volume.tar\n" A "  b.tar~\n" A
			       "  sub/c.tar\n" A "  ../d.tar\n\\" A "  e\\nf.tar\n"
			       "FEDCBA9876543210fedcba9876543210fedcba9876543210fedcba9876543210  g.tar",
			       &slip, &why),
			 FAULT_NONE);
	assert_int_equal(slip.n_entries, 4);
	assert_string_equal(slip.entries[0].name, "a volume.tar");
	assert_false(slip.entries[0].has_size);
	entry = medium_slip_entry(&slip, "b.tar");
	assert_non_null(entry);
	assert_true(entry->has_size);
	assert_int_equal(entry->size, 12345);
	assert_int_equal(entry->sha256.bytes[0], 0xfe);
	assert_false(medium_slip_entry(&slip, "b.tar~")->has_size); /* a length is of the next line alone */
	assert_true(sha256_equal(&medium_slip_entry(&slip, "g.tar")->sha256, &entry->sha256));
	assert_null(medium_slip_entry(&slip, "sub/c.tar"));
	assert_null(medium_slip_entry(&slip, "c.tar"));
	medium_slip_clear(&slip);
	assert_int_equal(parse("", &slip, &why), FAULT_NONE);
	assert_null(medium_slip_entry(&slip, "b.tar"));
}

static void test_remarks(void **state)
{
	static const char *const none[] = {"# 12 byte",
					   "#12 bytes",
					   "# bytes",
					   "# 12 bytes ",
					   "# -1 bytes",
					   "# 1e3 bytes",
					   "# 68719476737 bytes",
					   "# 99999999999999999999 bytes"};
	struct medium_slip slip;
	struct refusal why = {0};
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		snprintf(text, sizeof(text), "%s\n" A "  a\n", none[i]);
		assert_int_equal(parse(text, &slip, &why), FAULT_NONE);
		assert_int_equal(slip.n_entries, 1);
		assert_false(slip.entries[0].has_size);
		medium_slip_clear(&slip);
	}
	assert_int_equal(parse("# 68719476736 bytes\n" A "  a\n", &slip, &why), FAULT_NONE);
	assert_true(slip.entries[0].size == LIMIT_BUNDLE_SIZE);
	medium_slip_clear(&slip);
}

static void test_twice(void **state)
{
	struct medium_slip slip;
	struct refusal why = {0};

	(void)state;
	assert_int_equal(parse(A "  a\n" A "  b\n" A "  ./a\n", &slip, &why), FAULT_NONE);
	assert_int_equal(slip.n_entries, 2);
	medium_slip_clear(&slip);
	assert_int_equal(parse(A "  a\n" A "  b\n" B "  a\n", &slip, &why), FAULT_MEDIUM_SLIP);
	assert_non_null(strstr(why.line, "says two things of a"));
	assert_int_equal(parse(A "  a\n# 3 bytes\n" A "  a\n", &slip, &why), FAULT_MEDIUM_SLIP);
}

static void test_refused(void **state)
{
	static const char *const bad[] = {"x",           A,     A "  ",      A " a",  A "\ta\n",
					  A "   a\nx\n", "g" A, " " A "  a", A "a  a"};
	struct medium_slip slip;
	struct refusal why = {0};
	char *large = xmalloc(LIMIT_SLIP_SIZE + 1);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse(bad[i], &slip, &why) != FAULT_MEDIUM_SLIP)
			fail_msg("\"%s\" is taken", bad[i]);
	memset(large, '\n', LIMIT_SLIP_SIZE + 1);
	assert_int_equal(medium_slip_parse(large, LIMIT_SLIP_SIZE, &slip, &why), FAULT_NONE);
	assert_int_equal(medium_slip_parse(large, LIMIT_SLIP_SIZE + 1, &slip, &why), FAULT_MEDIUM_SLIP);
	assert_non_null(strstr(why.line, "LIMIT_SLIP_SIZE"));
	assert_int_equal(medium_slip_parse(A "  a\0b\n", sizeof(A "  a\0b"), &slip, &why), FAULT_NONE);
	assert_int_equal(slip.n_entries, 0); /* no file has such a name */
	free(large);
}

/* It is read as it lies there: no link, no pipe, none too large. */
static void test_load(void **state)
{
	char path[] = "/tmp/clapet-slip.XXXXXX";
	struct medium_slip slip;
	struct refusal why = {0};
	int fd;

	(void)state;
	assert_non_null(mkdtemp(path));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(medium_slip_load(fd, &slip, &why), FAULT_NONE);
	assert_int_equal(slip.n_entries, 0);
	assert_int_equal(fd_put_durable(fd, "other", A "  a\n", 68, 0644), 0);
	assert_int_equal(symlinkat("other", fd, MEDIUM_SLIP_NAME), 0);
	assert_int_equal(medium_slip_load(fd, &slip, &why), FAULT_MEDIUM_SLIP);
	unlinkat(fd, MEDIUM_SLIP_NAME, 0);
	assert_int_equal(mkfifoat(fd, MEDIUM_SLIP_NAME, 0600), 0);
	assert_int_equal(medium_slip_load(fd, &slip, &why), FAULT_MEDIUM_SLIP);
	unlinkat(fd, MEDIUM_SLIP_NAME, 0);
	assert_int_equal(renameat(fd, "other", fd, MEDIUM_SLIP_NAME), 0);
	assert_int_equal(medium_slip_load(fd, &slip, &why), FAULT_NONE);
	assert_int_equal(slip.n_entries, 1);
	medium_slip_clear(&slip);
	close(fd);
	fd_remove_tree(AT_FDCWD, path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),   cmocka_unit_test(test_remarks), cmocka_unit_test(test_twice),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_load),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
