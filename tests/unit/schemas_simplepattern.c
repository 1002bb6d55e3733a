/* SPDX-License-Identifier: ISC
 *
 * simplepattern: which patterns it reads, and what matches for certain.
 */
#include "schemas/simplepattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static bool matches(const char *pattern, const char *text)
{
	struct simple_pattern *simple = simple_pattern_new(pattern, strlen(pattern));
	bool is_match;

	if (simple == NULL)
		fail_msg("%s is not read", pattern);
	is_match = simple_pattern_matches(simple, text, strlen(text));
	simple_pattern_free(simple);
	return is_match;
}

static void test_matches(void **state)
{
	(void)state;
	assert_true(matches("^[0-9]{9}$", "123456789"));
	assert_false(matches("^[0-9]{9}$", "12345678"));
	assert_false(matches("^[0-9]{9}$", "1234567890"));
	assert_false(matches("^[0-9]{9}$", "12345678x"));
	assert_true(matches("\\d{2}\\.\\d{2}[A-Z]", "62.01Z"));
	assert_false(matches("\\d{2}\\.\\d{2}[A-Z]", "62x01Z"));
	assert_true(matches("^([013-9]\\d|2[AB1-9])\\d{3}$", "2A004"));
	assert_true(matches("^([013-9]\\d|2[AB1-9])\\d{3}$", "35238"));
	assert_false(matches("^([013-9]\\d|2[AB1-9])\\d{3}$", "20004"));
	assert_true(matches("(?:ab|c|)d{2}", "abdd"));
	assert_true(matches("(?:ab|c|)d{2}", "dd"));
	assert_true(matches("[a-c_-]x", "-x"));
	assert_true(matches("[-a]", "-"));
	assert_true(matches("[\\d\\]x]", "]"));
	assert_true(matches("a{0}b", "b"));
	assert_true(matches("", ""));
	/* A digit too, but not for certain. */
	assert_false(matches("\\d", "\xd9\xa3"));
}

static void test_others(void **state)
{
	static const char *const others[] = {
		"a*",
		"a+",
		"a?",
		"a{2,3}",
		"a{2,}",
		"a{,2}",
		"a{}",
		"a{",
		".",
		"[^a]",
		"[[:d:]]",
		"[a",
		"[]",
		"[]a]",
		"[z-a]",
		"[a-",
		"[a-\\d]",
		"[\\d-z]",
		"a|b",
		"(ab){2}",
		"(ab)?",
		"(a(b))",
		"(a",
		"a)",
		"(?#x)a",
		"(?i)a",
		"\\w",
		"\\s",
		"\\x41",
		"\\Qa\\E",
		"\\1",
		"\\b",
		"\\",
		"a$b",
		"a^b",
		"^^a",
		"\xc3\xa9",
		"[\xc3\xa9]",
		"a{41}",
		"[!-~]",
		"(a|b)(a|b)(a|b)(a|b)",
		"(^a)",
		"a\n",
		"a\tb",
		"[a^]",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (simple_pattern_new(others[i], strlen(others[i])) != NULL)
			fail_msg("%s is read", others[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_others),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
