/* SPDX-License-Identifier: ISC
 *
 * keys_tile: paths in their one spelling, widths as C2SP tlog-tiles counts them, entry bundles to the last byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/limits.h"
#include "keys/tile.h"

static void test_paths(void **state)
{
	static const struct {
		struct tile tile;
		const char *path;
	} known[] = {
		{{0, 0, 256}, "tile/0/000"},
		{{0, 273, 112}, "tile/0/273.p/112"},
		{{1, 1, 17}, "tile/1/001.p/17"},
		{{63, 999, 1}, "tile/63/999.p/1"},
		{{0, 1000, 256}, "tile/0/x001/000"},
		{{0, 1234067, 256}, "tile/0/x001/x234/067"}, /* the specification's example */
		{{TILE_ENTRIES, 1234067, 255}, "tile/entries/x001/x234/067.p/255"},
		{{TILE_ENTRIES, 35184372088831ULL, 256}, "tile/entries/x035/x184/x372/x088/831"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		char path[TILE_PATH_SIZE];
		struct tile tile;

		tile_format_path(&known[i].tile, path);
		assert_string_equal(path, known[i].path);
		assert_true(tile_parse_path(path, &tile));
		assert_int_equal(tile.level, known[i].tile.level);
		assert_int_equal(tile.index, known[i].tile.index);
		assert_int_equal(tile.width, known[i].tile.width);
	}
}

static void test_paths_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"tile",
		"tile/",
		"tile/0",
		"tile/0/",
		"tile/00/000",
		"tile/64/000",
		"tile/-1/000",
		"tile/data/000",
		"tile/0/0",
		"tile/0/0000",
		"tile/0/x000/000",
		"tile/0/x001",
		"tile/0/x001/",
		"tile/0/001/000",
		"tile/0/x01/000",
		"tile/0/000.p",
		"tile/0/000.p/",
		"tile/0/000.p/0",
		"tile/0/000.p/256",
		"tile/0/000.p/01",
		"tile/0/000.p/1/",
		"tile/0/000.p/1000",
		"tile/0/000 ",
		"/tile/0/000",
		"tile/0/../0/000",
		"tile/0/X001/000",
		"tile/entries",
		"tile/entries/",
		"tile/8/0/000x",
		"tile/0/x001/x000/x000/x000/x000/x000/x000",
	};
	struct tile tile;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (tile_parse_path(bad[i], &tile))
			fail_msg("passes: %s", bad[i]);
}

/* "A tree of size 70,000 will be represented by 273 full level 0 tiles, one partial level 0 tile of width 112, one full level 1
 * tile, one partial level 1 tile of width 17, and one partial level 2 tile of width 1." */
static void test_widths(void **state)
{
	(void)state;
	assert_int_equal(tile_width(70000, 0, 272), 256);
	assert_int_equal(tile_width(70000, 0, 273), 112);
	assert_int_equal(tile_width(70000, 0, 274), 0);
	assert_int_equal(tile_width(70000, 1, 0), 256);
	assert_int_equal(tile_width(70000, 1, 1), 17);
	assert_int_equal(tile_width(70000, 2, 0), 1);
	assert_int_equal(tile_width(70000, 3, 0), 0);
	assert_int_equal(tile_width(70000, TILE_ENTRIES, 273), 112);
	assert_int_equal(tile_width(256, 0, 0), 256);
	assert_int_equal(tile_width(256, 0, 1), 0);
	assert_int_equal(tile_width(256, 1, 0), 1);
	assert_int_equal(tile_width(0, 0, 0), 0);
	assert_int_equal(tile_width((uint64_t)LIMIT_VERSION, 6, 0), 31);
}

static void test_entries(void **state)
{
	static const uint8_t data[] = {0, 1, 'a', 0, 0, 0, 3, 'b', 'c', 'd'};
	struct tile_entries entries;
	uint8_t large[2 + LIMIT_LOG_ENTRY_SIZE + 1] = {0};
	struct refusal why;

	(void)state;
	assert_int_equal(tile_parse_entries(data, sizeof(data), 3, &entries, &why), FAULT_NONE);
	assert_int_equal(entries.n_entries, 3);
	assert_int_equal(entries.items[0].size, 1);
	assert_int_equal(entries.items[1].size, 0);
	assert_memory_equal(entries.items[2].data, "bcd", 3);
	for (size_t size = 0; size < sizeof(data); size++)
		assert_int_equal(tile_parse_entries(data, size, 3, &entries, &why), FAULT_LOG_ENTRY);
	assert_int_equal(tile_parse_entries(data, sizeof(data), 2, &entries, &why), FAULT_LOG_ENTRY);
	assert_int_equal(tile_parse_entries(data, sizeof(data), 4, &entries, &why), FAULT_LOG_ENTRY);
	large[0] = LIMIT_LOG_ENTRY_SIZE >> 8;
	assert_int_equal(tile_parse_entries(large, sizeof(large) - 1, 1, &entries, &why), FAULT_NONE);
	large[1] = 1;
	assert_int_equal(tile_parse_entries(large, sizeof(large), 1, &entries, &why), FAULT_LOG_ENTRY);
	assert_non_null(strstr(why.line, "at most 4096"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_paths_refused),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_entries),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
