/* SPDX-License-Identifier: ISC
 *
 * SHA-256 against the vectors of FIPS 180-4, with and without hash_init, and its hex form.
 */
#include "bundle/hash.h"

#include <errno.h>

#include "tests/unit/bundle_util.h"

static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char empty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char million[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

static void check(const struct sha256 *sha256, const char *wanted)
{
	char hex[SHA256_HEX_SIZE];

	sha256_to_hex(sha256, hex);
	assert_string_equal(hex, wanted);
}

static void test_without_init(void **state)
{
	struct sha256 sha256;

	(void)state;
	hash_bytes("abc", 3, &sha256);
	check(&sha256, abc);
	hash_bytes(NULL, 0, &sha256);
	check(&sha256, empty);
}

static void test_rounds(void **state)
{
	_cleanup_(hash_freep) struct hash *hash = NULL;
	struct sha256 sha256;
	char a[1000];

	(void)state;
	hash_init();
	hash_init();
	hash = hash_new();
	memset(a, 'a', sizeof(a));
	for (int i = 0; i < 1000; i++)
		hash_update(hash, a, sizeof(a));
	hash_final(hash, &sha256);
	check(&sha256, million);
	hash_update(hash, "a", 1);
	hash_update(hash, NULL, 0);
	hash_update(hash, "bc", 2);
	hash_final(hash, &sha256);
	check(&sha256, abc);
	hash_final(hash, &sha256);
	check(&sha256, empty);
}

static void test_descriptor(void **state)
{
	_cleanup_close_ int fd = memory_of("xabc", 4);
	struct sha256 sha256;
	uint64_t size;

	(void)state;
	assert_int_equal(lseek(fd, 1, SEEK_SET), 1);
	assert_int_equal(hash_fd(fd, 3, &sha256, &size), 0);
	assert_int_equal(size, 3);
	check(&sha256, abc);
	assert_int_equal(lseek(fd, 1, SEEK_SET), 1);
	assert_int_equal(hash_fd(fd, 2, &sha256, NULL), -EFBIG);
	assert_int_equal(hash_fd(-1, 2, &sha256, NULL), -EBADF);
}

static void test_hex(void **state)
{
	struct sha256 a, b, zero = {{0}};

	(void)state;
	assert_true(sha256_from_hex(abc, &a));
	check(&a, abc);
	assert_true(sha256_from_hex(empty, &b));
	assert_false(sha256_equal(&a, &b));
	assert_true(sha256_compare(&a, &b) < 0);
	assert_true(sha256_compare(&b, &a) > 0);
	assert_int_equal(sha256_compare(&a, &a), 0);
	assert_true(sha256_is_zero(&zero));
	assert_false(sha256_is_zero(&a));
	b = a;
	assert_false(sha256_from_hex("", &b));
	assert_false(sha256_from_hex("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", &b));
	assert_false(sha256_from_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a", &b));
	assert_false(sha256_from_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0", &b));
	assert_false(sha256_from_hex("ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", &b));
	assert_true(sha256_equal(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_init),
		cmocka_unit_test(test_rounds),
		cmocka_unit_test(test_descriptor),
		cmocka_unit_test(test_hex),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
