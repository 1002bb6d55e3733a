/* SPDX-License-Identifier: ISC
 *
 * UTF-8, escapes, durations, sizes.
 */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void test_utf8(void **state)
{
	static const struct {
		const char *text;
		bool good;
		size_t offset;
	} cases[] = {
		{"plain ASCII that is longer than eight bytes", true, 0},
		{"\xc3\xa9t\xc3\xa9", true, 0},
		{"\xe2\x82\xac \xf0\x9f\x98\x80", true, 0},
		{"12345678\xff", false, 8},
		{"a\xc3", false, 1},
		{"\xc0\x80", false, 0},         /* overlong */
		{"\xe0\x80\x80", false, 0},     /* overlong */
		{"\xf0\x80\x80\x80", false, 0}, /* overlong */
		{"ab\xed\xa0\x80", false, 2},   /* surrogate */
		{"\xf4\x90\x80\x80", false, 0}, /* past U+10FFFF */
		{"\xf5\x80\x80\x80", false, 0},
		{"\x80", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t offset = 999;

		assert_int_equal(text_is_utf8(cases[i].text, strlen(cases[i].text), &offset), cases[i].good);
		if (!cases[i].good)
			assert_int_equal(offset, cases[i].offset);
	}
}

static void test_escape(void **state)
{
	char text[32], small[8];

	(void)state;
	assert_string_equal(text_escape("a\tb\x1b[31m\x7f", 9, text, sizeof text), "a\\x09b\\x1b[31m\\x7f");
	assert_string_equal(text_escape("\xc3\xa9\xff", 3, text, sizeof text), "\xc3\xa9\\xff");
	/* a C1 control is well-formed UTF-8 and still an escape sequence */
	assert_string_equal(text_escape("\xc2\x9b", 2, text, sizeof text), "\\xc2\\x9b");
	/* right-to-left override: "paie" would be shown as "eiap" */
	assert_string_equal(text_escape("\xe2\x80\xae"
					"p",
					4, text, sizeof text),
			    "\\xe2\\x80\\xaep");
	assert_string_equal(text_escape("\xe2\x80\x99", 3, text, sizeof text), "\xe2\x80\x99");
	assert_string_equal(text_escape("exactly", 7, small, sizeof small), "exactly");
	assert_string_equal(text_escape("one too many", 12, small, sizeof small), "one ...");
}

static void test_copy(void **state)
{
	char text[4] = "xyz";

	(void)state;
	assert_true(text_copy(text, sizeof text, "abc"));
	assert_string_equal(text, "abc");
	assert_false(text_copy(text, sizeof text, "abcd"));
	assert_string_equal(text, "abc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_copy),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
