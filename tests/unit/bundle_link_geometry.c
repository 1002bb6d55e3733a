/* SPDX-License-Identifier: ISC
 *
 * Geometry: every byte of an object lies in exactly one symbol, blocks are as the clause says, whatever the sizes.
 */
#include "bundle/link_geometry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/fec.h"
#include "bundle/link_packet.h"
#include "tests/random.h"

static void test_symbol_size(void **state)
{
	(void)state;
	assert_int_equal(link_symbol_size(1500, false), 1384);
	assert_int_equal(link_symbol_size(1500, true), 1360);
	assert_int_equal(link_symbol_size(9000, false), 8880);
	assert_int_equal(link_symbol_size(9000, true), 8864);
	assert_int_equal(link_symbol_size(65536, false), 8880);
	assert_int_equal(link_symbol_size(576, false), 456);
	assert_int_equal(link_symbol_size(28 + LINK_OVERHEAD + 8, false), 8);
	assert_int_equal(link_symbol_size(28 + LINK_OVERHEAD + 7, false), 0);
	assert_int_equal(link_symbol_size(0, true), 0);
	assert_int_equal(link_symbol_size_for(0, 1384), 8);
	assert_int_equal(link_symbol_size_for(9, 1384), 16);
	assert_int_equal(link_symbol_size_for(1383, 1384), 1384);
	assert_int_equal(link_symbol_size_for(1 * GIB, 1384), 1384);
}

/* The rules of FORMAT.md 29.6 for one generation, beginning with OFFSET. */
static void check_shape(const struct link_geometry *geometry, uint32_t number, uint64_t offset)
{
	struct link_generation_shape shape;
	unsigned n_symbols = 0;

	link_geometry_shape(geometry, number, &shape);
	assert_int_equal(shape.number, number);
	assert_int_equal(shape.offset, offset);
	if (shape.size == 0) {
		assert_int_equal(geometry->object_size, 0);
		assert_int_equal(shape.n_symbols + shape.k + shape.stripes, 0);
		return;
	}
	assert_true((uint64_t)shape.n_symbols * geometry->symbol_size >= shape.size);
	assert_true((uint64_t)(shape.n_symbols - 1) * geometry->symbol_size < shape.size);
	assert_true(shape.size <= LIMIT_LINK_GENERATION_SIZE);
	assert_in_range(shape.stripes, 1, LIMIT_LINK_STRIPES);
	assert_in_range(shape.k, 1, LIMIT_LINK_K);
	for (unsigned s = 0; s < shape.stripes; s++) {
		assert_in_range(link_shape_sources(&shape, s), shape.k - 1, shape.k);
		n_symbols += link_shape_sources(&shape, s);
		if (shape.stripes > 1)
			assert_true(link_shape_sources(&shape, s) >= 8);
	}
	assert_int_equal(n_symbols, shape.n_symbols);
	assert_int_equal(link_shape_sources(&shape, 0), shape.k);
}

static void check_object(uint64_t size, uint16_t symbol_size)
{
	struct link_geometry geometry;
	uint64_t left = size;
	unsigned before = 0, least;

	assert_true(link_geometry_make(size, symbol_size, &geometry));
	least = (unsigned)((size + symbol_size - 1) / symbol_size / geometry.n_generations);
	for (uint32_t i = 0; i < geometry.n_generations; i++) {
		struct link_generation_shape shape;

		check_shape(&geometry, i, size - left);
		link_geometry_shape(&geometry, i, &shape);
		/* Even: by one symbol at most, the longer ones first. */
		assert_true(shape.size <= geometry.generation_size);
		assert_in_range(shape.n_symbols, least, i > 0 ? before : least + 1);
		before = shape.n_symbols;
		left -= shape.size;
	}
	assert_int_equal(left, 0);
}

static void test_objects(void **state)
{
	uint64_t seed = 1;

	(void)state;
	check_object(0, 8);
	check_object(1, 8);
	for (uint64_t n = 1; n < 300; n++)
		check_object(n * 1384, 1384);
	for (unsigned i = 0; i < 2000; i++)
		check_object(random_below(&seed, 40 * MIB), (uint16_t)(8 * (64 + random_below(&seed, 1047))));
	check_object(LIMIT_LINK_OBJECT_SIZE, 1384);
	check_object(LIMIT_LINK_OBJECT_SIZE, 456);
	check_object(LIMIT_LINK_OBJECT_SIZE, LIMIT_LINK_SYMBOL_SIZE);
}

/* The figures that FORMAT.md 29.6 names. */
static void test_examples(void **state)
{
	static const struct {
		unsigned symbols, stripes, k;
	} examples[] = {{1, 1, 1},    {7, 1, 7},    {8, 1, 8},    {15, 1, 15},     {16, 2, 8},     {17, 2, 9},
			{127, 15, 9}, {128, 16, 8}, {129, 16, 9}, {3199, 16, 200}, {3200, 16, 200}};
	struct link_generation_shape shape;
	struct link_geometry geometry;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		assert_true(link_geometry_make(examples[i].symbols * 1384ULL, 1384, &geometry));
		link_geometry_shape(&geometry, 0, &shape);
		assert_int_equal(shape.stripes, examples[i].stripes);
		assert_int_equal(shape.k, examples[i].k);
	}
	assert_true(link_geometry_make(1 * GIB, 8880, &geometry));
	assert_int_equal(geometry.n_generations, 303);
	assert_true(link_geometry_make(1 * GIB, 1384, &geometry));
	assert_int_equal(geometry.n_generations, 243);
	assert_int_equal(geometry.generation_size, 3193 * 1384);
	assert_true(link_geometry_make(3201 * 1384, 1384, &geometry));
	link_geometry_shape(&geometry, 1, &shape);
	assert_int_equal(shape.n_symbols, 1600);
	assert_int_equal(shape.offset, 1601 * 1384);
}

static void test_refused(void **state)
{
	struct link_geometry geometry;

	(void)state;
	assert_false(link_geometry_make(100, 0, &geometry));
	assert_false(link_geometry_make(100, 4, &geometry));
	assert_false(link_geometry_make(100, 1380, &geometry));
	assert_false(link_geometry_make(100, LIMIT_LINK_SYMBOL_SIZE + 8, &geometry));
	assert_false(link_geometry_make(LIMIT_LINK_OBJECT_SIZE + 1, 1384, &geometry));
	assert_false(link_geometry_make(UINT64_MAX, 1384, &geometry));
	assert_false(link_geometry_make(65537ULL * 3200 * 8, 8, &geometry));
	assert_true(link_geometry_make(65536ULL * 3200 * 8, 8, &geometry));
}

static void test_repair(void **state)
{
	(void)state;
	assert_int_equal(link_repair_count(200, 10), 20);
	assert_int_equal(link_repair_count(200, LIMIT_LINK_PERCENT), 56);
	assert_int_equal(link_repair_count(121, 10), 13);
	assert_int_equal(link_repair_count(120, 10), 12);
	assert_int_equal(link_repair_count(85, 10), 12);
	assert_int_equal(link_repair_count(10, 10), 12);
	assert_int_equal(link_repair_count(8, 10), 10);
	assert_int_equal(link_repair_count(1, 1), 3);
	assert_int_equal(link_repair_count(200, 0), 0);
	assert_int_equal(link_repair_count(0, 10), 0);
	/* Cycles go through all rows before one comes again. */
	for (unsigned k = 1; k <= LIMIT_LINK_K; k++) {
		const unsigned repair = link_repair_count(k, 10);
		uint8_t seen[FEC_ROWS] = {0};

		for (uint32_t cycle = 0; cycle < (FEC_ROWS - k) / repair; cycle++) {
			const unsigned first = link_repair_first_row(k, repair, cycle);

			assert_in_range(first, k, FEC_ROWS - 1);
			for (unsigned j = 0; j < repair; j++)
				assert_int_equal(seen[k + (first - k + j) % (FEC_ROWS - k)]++, 0);
		}
		assert_in_range(link_repair_first_row(k, repair, UINT32_MAX), k, FEC_ROWS - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_symbol_size), cmocka_unit_test(test_objects), cmocka_unit_test(test_examples),
		cmocka_unit_test(test_refused),     cmocka_unit_test(test_repair),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
