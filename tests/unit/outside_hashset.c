/* SPDX-License-Identifier: ISC
 *
 * outside_hashset: what is in it, and which runs of digits count.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "outside/hashset.h"

static struct sha256 digest(unsigned number)
{
	struct sha256 sha256 = {{0}};

	sha256.bytes[0] = (uint8_t)(number >> 8);
	sha256.bytes[31] = (uint8_t)number;
	return sha256;
}

static void test_members(void **state)
{
	_cleanup_(hashset_clear) struct hashset set = {.n_items = 0};
	struct sha256 one;

	(void)state;
	one = digest(1);
	assert_false(hashset_has(&set, &one));
	for (unsigned i = 1000; i > 0; i--) {
		one = digest(i * 2);
		hashset_add(&set, &one);
	}
	for (unsigned i = 1; i <= 2000; i++) {
		one = digest(i);
		assert_int_equal(hashset_has(&set, &one), i % 2 == 0);
	}
	one = digest(7);
	hashset_add(&set, &one); /* after it was asked */
	assert_true(hashset_has(&set, &one));
}

static void test_texts(void **state)
{
	_cleanup_(hashset_clear) struct hashset set = {.n_items = 0};
	char text[400], digits[129];
	struct sha256 a, b;

	(void)state;
	memset(digits, 'a', 128);
	digits[128] = '\0';
	memset(a.bytes, 0xaa, sizeof a.bytes);
	memset(b.bytes, 0xbb, sizeof b.bytes);
	snprintf(text, sizeof text, "%.63s %.65s %.128s %.63sA", digits, digits, digits, digits);
	hashset_add_text(&set, text, strlen(text));
	assert_int_equal(set.n_items, 0);
	snprintf(text, sizeof text, "\"%.64s\"", digits);
	hashset_add_text(&set, text, strlen(text));
	assert_true(hashset_has(&set, &a));
	memset(digits, 'b', 64);
	hashset_add_text(&set, digits, 64); /* at both ends */
	assert_true(hashset_has(&set, &b));
	assert_int_equal(set.n_items, 2);
	hashset_add_text(&set, NULL, 0);
	assert_int_equal(set.n_items, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_texts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
