/* SPDX-License-Identifier: ISC
 *
 * Names, hex, UTF-8, times, escapes.
 */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static void test_names(void **state)
{
	char longest[64], too_long[65];

	(void)state;
	memset(longest, 'a', 63), longest[63] = '\0';
	memset(too_long, 'a', 64), too_long[64] = '\0';
	assert_true(text_is_name("cog"));
	assert_true(text_is_name("0a_b-c"));
	assert_true(text_is_name(longest));
	assert_false(text_is_name(too_long));
	assert_false(text_is_name(""));
	assert_false(text_is_name("-a"));
	assert_false(text_is_name("_a"));
	assert_false(text_is_name("Cog"));
	assert_false(text_is_name("a.b"));
	assert_false(text_is_name("a/b"));
	assert_false(text_is_name(".."));
	assert_false(text_is_name("root"));
	assert_false(text_is_name("status"));
	assert_false(text_is_name("datapackage"));
}

static void test_file_names(void **state)
{
	(void)state;
	assert_true(text_is_file_name("5.snapshot.json"));
	assert_true(text_is_file_name("a"));
	assert_false(text_is_file_name(""));
	assert_false(text_is_file_name("."));
	assert_false(text_is_file_name(".."));
	assert_false(text_is_file_name(".hidden"));
	assert_false(text_is_file_name("a/b"));
	assert_false(text_is_file_name("a b"));
	assert_false(text_is_file_name("\xc3\xa9"));
}

static void test_hex(void **state)
{
	char text[9];
	uint8_t bytes[4];

	(void)state;
	text_hex("\x00\xff\x10\xab", 4, text);
	assert_string_equal(text, "00ff10ab");
	assert_true(text_unhex("00ff10ab", bytes, 4));
	assert_memory_equal(bytes, "\x00\xff\x10\xab", 4);
	assert_false(text_unhex("00FF10ab", bytes, 4));
	assert_false(text_unhex("00ff10a", bytes, 4));
	assert_false(text_unhex("00ff10abc", bytes, 4));
	assert_false(text_unhex("00ff10ag", bytes, 4));
}

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

static void test_times(void **state)
{
	char text[TEXT_TIME_SIZE];
	int64_t seconds;

	(void)state;
	assert_true(text_parse_time("1970-01-01T00:00:00Z", &seconds));
	assert_int_equal(seconds, 0);
	assert_true(text_parse_time("2000-02-29T23:59:59Z", &seconds));
	assert_int_equal(seconds, 951868799);
	text_format_time(seconds, text);
	assert_string_equal(text, "2000-02-29T23:59:59Z");
	assert_true(text_parse_time("2026-11-22T16:54:00Z", &seconds));
	text_format_time(seconds, text);
	assert_string_equal(text, "2026-11-22T16:54:00Z");
	assert_false(text_parse_time("2026-02-29T00:00:00Z", &seconds));
	assert_false(text_parse_time("1900-02-29T00:00:00Z", &seconds));
	assert_false(text_parse_time("2026-11-22T24:00:00Z", &seconds));
	assert_false(text_parse_time("2026-11-22T16:54:60Z", &seconds));
	assert_false(text_parse_time("2026-11-22T16:54:00z", &seconds));
	assert_false(text_parse_time("2026-11-22T16:54:00+00:00", &seconds));
	assert_false(text_parse_time("2026-11-22 16:54:00Z", &seconds));
	assert_false(text_parse_time("2026-11-22T16:54:00Z ", &seconds));
	assert_false(text_parse_time("+026-11-22T16:54:00Z", &seconds));
	assert_false(text_parse_time("", &seconds));
}

static void test_durations(void **state)
{
	int64_t seconds;

	(void)state;
	assert_true(text_parse_duration("90s", &seconds));
	assert_int_equal(seconds, 90);
	assert_true(text_parse_duration("3d", &seconds));
	assert_int_equal(seconds, 3 * 86400);
	assert_true(text_parse_duration("1w", &seconds));
	assert_int_equal(seconds, 7 * 86400);
	assert_false(text_parse_duration("0s", &seconds));
	assert_false(text_parse_duration("3", &seconds));
	assert_false(text_parse_duration("d", &seconds));
	assert_false(text_parse_duration("3dd", &seconds));
	assert_false(text_parse_duration("-3d", &seconds));
	assert_false(text_parse_duration("99999999999999999999d", &seconds));
	assert_false(text_parse_duration("36501d", &seconds));
}

static void test_escape(void **state)
{
	char text[32], small[8];

	(void)state;
	assert_string_equal(text_escape("a\tb\x1b[31m\x7f", 9, text, sizeof text), "a\\x09b\\x1b[31m\\x7f");
	assert_string_equal(text_escape("\xc3\xa9\xff", 3, text, sizeof text), "\xc3\xa9\\xff");
	/* a C1 control is well-formed UTF-8 and still an escape sequence */
	assert_string_equal(text_escape("\xc2\x9b", 2, text, sizeof text), "\\xc2\\x9b");
	assert_string_equal(text_escape("exactly", 7, small, sizeof small), "exactly");
	assert_string_equal(text_escape("one too many", 12, small, sizeof small), "one ...");
}

static void test_sizes_and_ages(void **state)
{
	char text[32];

	(void)state;
	text_format_size(999, text, sizeof text);
	assert_string_equal(text, "999 B");
	text_format_size(548000000, text, sizeof text);
	assert_string_equal(text, "548 MB");
	text_format_size(2400, text, sizeof text);
	assert_string_equal(text, "2.4 KB");
	text_format_age(86400 * 3 + 5, text, sizeof text);
	assert_string_equal(text, "3 days");
	text_format_age(45, text, sizeof text);
	assert_string_equal(text, "45 s");
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
		cmocka_unit_test(test_names),  cmocka_unit_test(test_file_names), cmocka_unit_test(test_hex),
		cmocka_unit_test(test_utf8),   cmocka_unit_test(test_times),      cmocka_unit_test(test_durations),
		cmocka_unit_test(test_escape), cmocka_unit_test(test_copy),       cmocka_unit_test(test_sizes_and_ages),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
