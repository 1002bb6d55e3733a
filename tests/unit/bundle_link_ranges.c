/* SPDX-License-Identifier: ISC
 *
 * Ranges of generations: from a bitmap to a line and back, and every line that is none.
 */
#include "bundle/link_ranges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "tests/random.h"

static void whole(uint8_t *bitmap, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		bitmap[i / 8] |= (uint8_t)(1 << i % 8);
}

static void test_lines(void **state)
{
	uint8_t bitmap[16] = {0};
	char text[LINK_RANGES_TEXT_SIZE];
	struct link_ranges ranges;

	(void)state;
	link_ranges_missing(bitmap, 100, &ranges);
	link_ranges_format(&ranges, text);
	assert_string_equal(text, "0-99");
	whole(bitmap, 4, 17);
	whole(bitmap, 18, 40);
	link_ranges_missing(bitmap, 100, &ranges);
	link_ranges_format(&ranges, text);
	assert_string_equal(text, "0-3,17,40-99");
	assert_int_equal(link_ranges_count(&ranges), 65);
	assert_true(link_ranges_has(&ranges, 3));
	assert_false(link_ranges_has(&ranges, 4));
	assert_true(link_ranges_has(&ranges, 17));
	assert_false(link_ranges_has(&ranges, 100));
	whole(bitmap, 0, 100);
	link_ranges_missing(bitmap, 100, &ranges);
	link_ranges_format(&ranges, text);
	assert_string_equal(text, "");
	assert_int_equal(link_ranges_count(&ranges), 0);
}

/* Whatever is missing is in the line; and nothing else, unless it has too many ranges. */
static void test_round(void **state)
{
	static uint8_t bitmap[LIMIT_LINK_GENERATIONS / 8];
	char text[LINK_RANGES_TEXT_SIZE];
	uint64_t seed = 1;

	(void)state;
	for (unsigned turn = 0; turn < 60; turn++) {
		const uint32_t n = turn % 3 == 0 ? LIMIT_LINK_GENERATIONS : 1 + (uint32_t)random_below(&seed, 500);
		struct link_ranges ranges, again;
		struct refusal why;
		uint64_t missing = 0;

		memset(bitmap, 0, sizeof(bitmap));
		for (uint32_t i = 0; i < n; i++) {
			if (random_below(&seed, 3) > 0 && i > 0)
				whole(bitmap, i, i + 1);
			else
				missing++;
		}
		link_ranges_missing(bitmap, n, &ranges);
		link_ranges_format(&ranges, text);
		assert_true(strlen(text) < sizeof(text) - 1);
		assert_int_equal(link_ranges_parse(text, n, &again, &why), FAULT_NONE);
		assert_int_equal(again.n_items, ranges.n_items);
		assert_memory_equal(again.items, ranges.items, ranges.n_items * sizeof(ranges.items[0]));
		for (uint32_t i = 0; i < n; i++) {
			const bool is_whole = (bitmap[i / 8] >> (i % 8) & 1) != 0;

			if (!is_whole || (ranges.n_items < LIMIT_LINK_RANGES))
				assert_int_equal(link_ranges_has(&ranges, i), !is_whole);
		}
		if (ranges.n_items < LIMIT_LINK_RANGES)
			assert_int_equal(link_ranges_count(&ranges), missing);
	}
}

static void test_refused(void **state)
{
	static const char *const bad[] = {"",           ",",
					  "0,",         "a",
					  "0-",         "-1",
					  "1-1",        "3-2",
					  "00",         "01",
					  "100",        "0-100",
					  "5,4",        "5,5",
					  "5,6",        "1-3,3",
					  "1-3,4",      " 1",
					  "1 ",         "1,,2",
					  "1;2",        "+1",
					  "0x1",        "1-2-3",
					  "4294967296", "99999999999999999999"};
	struct link_ranges ranges;
	struct refusal why;
	char text[LIMIT_LINK_RANGES * 8 + 64] = "";
	size_t used = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (link_ranges_parse(bad[i], 100, &ranges, &why) != FAULT_LINK_RANGES ||
		    strstr(why.line, "29.13") == NULL)
			fail_msg("\"%s\" was taken", bad[i]);
	}
	assert_int_equal(link_ranges_parse("0,2-3,5-99", 100, &ranges, &why), FAULT_NONE);
	assert_int_equal(link_ranges_count(&ranges), 98);
	for (unsigned i = 0; i <= LIMIT_LINK_RANGES; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%u", i > 0 ? "," : "", 2 * i);
	assert_int_equal(link_ranges_parse(text, 1000, &ranges, &why), FAULT_LINK_RANGES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
