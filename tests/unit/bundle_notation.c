/* SPDX-License-Identifier: ISC
 *
 * Names, hex, times.
 */
#include "bundle/notation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_names(void **state)
{
	char longest[64], too_long[65];

	(void)state;
	memset(longest, 'a', 63), longest[63] = '\0';
	memset(too_long, 'a', 64), too_long[64] = '\0';
	assert_true(notation_is_name("cog"));
	assert_true(notation_is_name("0a_b-c"));
	assert_true(notation_is_name(longest));
	assert_false(notation_is_name(too_long));
	assert_false(notation_is_name(""));
	assert_false(notation_is_name("-a"));
	assert_false(notation_is_name("_a"));
	assert_false(notation_is_name("Cog"));
	assert_false(notation_is_name("a.b"));
	assert_false(notation_is_name("a/b"));
	assert_false(notation_is_name(".."));
	assert_false(notation_is_name("root"));
	assert_false(notation_is_name("status"));
	assert_false(notation_is_name("datapackage"));
}

static void test_file_names(void **state)
{
	(void)state;
	assert_true(notation_is_file_name("5.snapshot.json"));
	assert_true(notation_is_file_name("a"));
	assert_false(notation_is_file_name(""));
	assert_false(notation_is_file_name("."));
	assert_false(notation_is_file_name(".."));
	assert_false(notation_is_file_name(".hidden"));
	assert_false(notation_is_file_name("a/b"));
	assert_false(notation_is_file_name("a b"));
	assert_false(notation_is_file_name("\xc3\xa9"));
}

static void test_hex(void **state)
{
	char text[9];
	uint8_t bytes[4];

	(void)state;
	notation_hex("\x00\xff\x10\xab", 4, text);
	assert_string_equal(text, "00ff10ab");
	assert_true(notation_unhex("00ff10ab", bytes, 4));
	assert_memory_equal(bytes, "\x00\xff\x10\xab", 4);
	assert_false(notation_unhex("00FF10ab", bytes, 4));
	assert_false(notation_unhex("00ff10a", bytes, 4));
	assert_false(notation_unhex("00ff10abc", bytes, 4));
	assert_false(notation_unhex("00ff10ag", bytes, 4));
}

static void test_times(void **state)
{
	char text[NOTATION_TIME_SIZE];
	int64_t seconds;

	(void)state;
	assert_true(notation_parse_time("1970-01-01T00:00:00Z", &seconds));
	assert_int_equal(seconds, 0);
	assert_true(notation_parse_time("2000-02-29T23:59:59Z", &seconds));
	assert_int_equal(seconds, 951868799);
	notation_format_time(seconds, text);
	assert_string_equal(text, "2000-02-29T23:59:59Z");
	assert_true(notation_parse_time("2026-11-22T16:54:00Z", &seconds));
	notation_format_time(seconds, text);
	assert_string_equal(text, "2026-11-22T16:54:00Z");
	assert_false(notation_parse_time("2026-02-29T00:00:00Z", &seconds));
	assert_false(notation_parse_time("1900-02-29T00:00:00Z", &seconds));
	assert_false(notation_parse_time("2026-11-22T24:00:00Z", &seconds));
	assert_false(notation_parse_time("2026-11-22T16:54:60Z", &seconds));
	assert_false(notation_parse_time("2026-11-22T16:54:00z", &seconds));
	assert_false(notation_parse_time("2026-11-22T16:54:00+00:00", &seconds));
	assert_false(notation_parse_time("2026-11-22 16:54:00Z", &seconds));
	assert_false(notation_parse_time("2026-11-22T16:54:00Z ", &seconds));
	assert_false(notation_parse_time("+026-11-22T16:54:00Z", &seconds));
	assert_false(notation_parse_time("", &seconds));
}

static void test_ages(void **state)
{
	char text[32];

	(void)state;
	notation_format_age(86400 * 3 + 5, text, sizeof text);
	assert_string_equal(text, "3 days");
	notation_format_age(45, text, sizeof text);
	assert_string_equal(text, "45 s");
	notation_format_age(-3600, text, sizeof text);
	assert_string_equal(text, "-1 h");
}

static void test_sizes(void **state)
{
	char text[32];

	(void)state;
	notation_format_size(999, text, sizeof text);
	assert_string_equal(text, "999 B");
	notation_format_size(548000000, text, sizeof text);
	assert_string_equal(text, "548 MB");
	notation_format_size(2400, text, sizeof text);
	assert_string_equal(text, "2.4 KB");
}

static void test_durations(void **state)
{
	int64_t seconds;

	(void)state;
	assert_true(notation_parse_duration("90s", &seconds));
	assert_int_equal(seconds, 90);
	assert_true(notation_parse_duration("3d", &seconds));
	assert_int_equal(seconds, 3 * 86400);
	assert_true(notation_parse_duration("1w", &seconds));
	assert_int_equal(seconds, 7 * 86400);
	assert_false(notation_parse_duration("0s", &seconds));
	assert_false(notation_parse_duration("3", &seconds));
	assert_false(notation_parse_duration("d", &seconds));
	assert_false(notation_parse_duration("3dd", &seconds));
	assert_false(notation_parse_duration("-3d", &seconds));
	assert_false(notation_parse_duration("99999999999999999999d", &seconds));
	assert_false(notation_parse_duration("36501d", &seconds));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names), cmocka_unit_test(test_file_names), cmocka_unit_test(test_hex),
		cmocka_unit_test(test_times), cmocka_unit_test(test_ages),       cmocka_unit_test(test_durations),
		cmocka_unit_test(test_sizes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
