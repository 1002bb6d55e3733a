/* SPDX-License-Identifier: ISC
 *
 * checksum: the digests of "abc" (RFC 1321, FIPS 180) in every spelling that is read, and those that are not.
 */
#include "bundle/checksum.h"

#include <errno.h>

#include "tests/unit/bundle_util.h"

static const char *const abc[] = {
	"md5:900150983cd24fb0d6963f7d28e17f72",
	"sha1:a9993e364706816aba3e25717850c26c9cd0d89d",
	"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	"sha512:"
	"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce8"
	"0e2a9ac94fa54ca"
	"49f",
};

static void test_parse(void **state)
{
	char text[CHECKSUM_TEXT_SIZE];
	struct checksum checksum, other;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(abc); i++) {
		assert_true(checksum_parse(abc[i], &checksum));
		assert_string_equal(checksum_format(&checksum, text), abc[i]);
		assert_true(checksum_equal(&checksum, &checksum));
	}
	assert_true(checksum_parse(abc[0], &checksum));
	assert_true(checksum_parse("900150983CD24FB0D6963F7D28E17F72", &other));
	assert_true(checksum_equal(&checksum, &other));
	assert_true(checksum_parse("MD5:00000000000000000000000000000000", &other));
	assert_false(checksum_equal(&checksum, &other));
	assert_true(checksum_parse("sha1:9001509800000000000000000000000000000000", &other));
	assert_false(checksum_equal(&checksum, &other));
}

static void test_not_read(void **state)
{
	static const char *const bad[] = {"",
					  "md5:",
					  ":900150983cd24fb0d6963f7d28e17f72",
					  "900150983cd24fb0d6963f7d28e17f7",
					  "900150983cd24fb0d6963f7d28e17f720",
					  "900150983cd24fb0d6963f7d28e17f7g",
					  "sha1:900150983cd24fb0d6963f7d28e17f72",
					  "crc32:00000000",
					  "sha25:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
					  "sha-256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"};
	struct checksum checksum;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(checksum_parse(bad[i], &checksum));
}

static void test_fd(void **state)
{
	_cleanup_close_ int fd = memory_of("abc", 3);
	struct checksum wanted, is;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(abc); i++) {
		assert_true(checksum_parse(abc[i], &wanted));
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(checksum_of_fd(fd, wanted.algorithm, &is), 0);
		assert_true(checksum_equal(&wanted, &is));
		/* At its end: of nothing. */
		assert_int_equal(checksum_of_fd(fd, wanted.algorithm, &is), 0);
		assert_false(checksum_equal(&wanted, &is));
	}
	assert_int_equal(checksum_of_fd(fd, "crc32", &is), -ENOTSUP);
	assert_int_equal(checksum_of_fd(-1, "md5", &is), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_not_read),
		cmocka_unit_test(test_fd),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
