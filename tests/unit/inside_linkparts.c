/* SPDX-License-Identifier: ISC
 *
 * inside_linkparts: what the receiver leaves is taken in its form alone, and ranges shrink to what a person types without losing a generation.
 */
#include "inside/linkparts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"

#define HEAD "clapet link missing 1\n"
#define A "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define B "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static enum fault parse(const char *text, struct linkparts *parts, struct refusal *why)
{
	why->line[0] = '\0';
	return linkparts_parse("missing", text, strlen(text), parts, why);
}

static void test_taken(void **state)
{
	struct linkparts parts;
	struct refusal why;

	(void)state;
	assert_int_equal(parse(HEAD, &parts, &why), FAULT_NONE);
	assert_int_equal(parts.n_items, 0);
	assert_int_equal(parse(HEAD A ":0-3,17\n" B ":65535\n", &parts, &why), FAULT_NONE);
	assert_int_equal(parts.n_items, 2);
	assert_string_equal(parts.items[0].digest, "0123456789");
	assert_string_equal(parts.items[0].ranges, "0-3,17");
	assert_string_equal(parts.items[1].digest, "fedcba9876");
	assert_string_equal(parts.items[1].ranges, "65535");
}

static void test_more_than_asked_for(void **state)
{
	char text[4096] = HEAD;
	struct linkparts parts;
	struct refusal why;

	(void)state;
	for (int i = 0; i <= LIMIT_REQUEST_PARTS; i++)
		strcat(text, A ":1\n");
	assert_int_equal(parse(text, &parts, &why), FAULT_NONE);
	assert_int_equal(parts.n_items, LIMIT_REQUEST_PARTS);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{"", "line 1"},
		{"clapet link missing 2\n", "line 1"},
		{"clapet link missing 1", "line 1"},
		{HEAD "\n", "line 2: a digest"},
		{HEAD A "\n", "line 2: a digest"},
		{HEAD A " \n", "line 2: a digest"},
		{HEAD A ": 1\n", "line 2: no ranges"},
		{HEAD A ":1 \n", "line 2: no ranges"},
		{HEAD A ":1", "line 2: no line"},
		{HEAD A ":3-1\n", "line 2: no ranges"},
		{HEAD A ":65536\n", "line 2: no ranges"},
		{HEAD A ":1\n" B ":x\n", "line 3: no ranges"},
		{HEAD "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeF:1\n", "line 2: no digest"},
		{HEAD "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde:1\n", "line 2: a digest"},
	};
	static const char nul[] = HEAD A ":1\0\n";
	struct linkparts parts = {.n_items = 7};
	struct refusal why;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(cases[i].text, &parts, &why), FAULT_LINK_RANGES);
		if (strstr(why.line, cases[i].part) == NULL || strstr(why.line, "18.15") == NULL)
			fail_msg("\"%s\" is not in: %s", cases[i].part, why.line);
	}
	assert_int_equal(linkparts_parse("missing", nul, sizeof(nul) - 1, &parts, &why), FAULT_LINK_RANGES);
	assert_int_equal(parts.n_items, 7); /* untouched */
}

/* Whatever many gaps there are: it fits, and asks for all that was asked for. */
static void test_fit(void **state)
{
	char text[LIMIT_REQUEST_RANGES_SIZE + 1];

	(void)state;
	for (uint32_t n = 1; n <= LIMIT_LINK_RANGES; n++) {
		struct link_ranges ranges = {.n_items = n}, before, again;

		for (uint32_t i = 0; i < n; i++)
			ranges.items[i].first = ranges.items[i].last = i * 200 + i * i % 97;
		before = ranges;
		linkparts_fit(&ranges, text);
		assert_true(strlen(text) <= LIMIT_REQUEST_RANGES_SIZE);
		assert_int_equal(link_ranges_parse(text, LIMIT_LINK_GENERATIONS, &again, NULL), FAULT_NONE);
		for (uint32_t i = 0; i < n; i++)
			assert_true(link_ranges_has(&again, before.items[i].first));
		if (n == 20)
			assert_int_equal(again.n_items, 20);
	}
}

static void test_load(void **state)
{
	char folder[] = "/tmp/clapet-test.XXXXXX";
	_cleanup_free_ char *link = NULL, *path = NULL;
	struct linkparts parts = {.n_items = 7};
	struct refusal why;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(folder));
	link = xasprintf("%s/.link", folder);
	path = xasprintf("%s/" LINKPARTS_FILE, folder);
	assert_int_equal(linkparts_load(folder, &parts, &why), FAULT_NONE);
	assert_int_equal(parts.n_items, 0);
	assert_int_equal(mkdir(link, 0700), 0);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(HEAD A ":4\n", file);
	fclose(file);
	assert_int_equal(linkparts_load(folder, &parts, &why), FAULT_NONE);
	assert_int_equal(parts.n_items, 1);
	unlink(path);
	assert_int_equal(symlink("/dev/zero", path), 0);
	assert_int_equal(linkparts_load(folder, &parts, &why), FAULT_FILE);
	unlink(path);
	rmdir(link);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),   cmocka_unit_test(test_more_than_asked_for),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_fit),
		cmocka_unit_test(test_load),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("tests", tests, NULL, NULL);
}
