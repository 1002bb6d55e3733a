/* SPDX-License-Identifier: ISC
 *
 * One generation, case by case: what is kept where, what is spare, what a file remembers. Everything at once is in bundle_link_model.c.
 */
#include "bundle/link_generation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "tests/random.h"

#define SYMBOL 16
#define ROWS 10

/* An object of one generation and the symbols of all its blocks. */
struct world {
	struct link_geometry geometry;
	struct link_generation_shape shape;
	uint8_t *object; /* padded to whole symbols, and one of zeros behind it */
	uint8_t repair[LIMIT_LINK_STRIPES][ROWS][SYMBOL];
	struct link_generation *generation;
	struct fec_decoder *decoder;
};

static void world_make(struct world *world, uint64_t object_size)
{
	uint64_t seed = object_size;

	*world = (struct world){0};
	assert_true(link_geometry_make(object_size, SYMBOL, &world->geometry));
	link_geometry_shape(&world->geometry, 0, &world->shape);
	world->object = xcalloc(1, (world->shape.n_symbols + 1) * SYMBOL);
	for (uint64_t i = 0; i < object_size; i++)
		world->object[i] = (uint8_t)random_next(&seed);
	world->generation = link_generation_new();
	world->decoder = fec_decoder_new(FEC_ENGINE_BEST);
	link_generation_begin(world->generation, &world->geometry, 0);
	for (unsigned s = 0; s < world->shape.stripes; s++) {
		_cleanup_(fec_encoder_freep) struct fec_encoder *encoder = fec_encoder_new(
			FEC_ENGINE_BEST, world->shape.k, world->shape.k, ROWS);
		const uint8_t *source[FEC_ROWS] = {NULL};
		uint8_t *repair[ROWS];

		for (unsigned i = 0; i < link_shape_sources(&world->shape, s); i++)
			source[i] = world->object + (i * world->shape.stripes + s) * SYMBOL;
		for (unsigned j = 0; j < ROWS; j++)
			repair[j] = world->repair[s][j];
		fec_encode(encoder, SYMBOL, source, repair);
	}
}

static void world_free(struct world *world)
{
	free(world->object);
	link_generation_free(world->generation);
	fec_decoder_free(world->decoder);
}

static struct link_header header_of(const struct world *world, unsigned stripe, unsigned index)
{
	return (struct link_header){
		.kind = LINK_SYMBOL,
		.symbol_size = SYMBOL,
		.object_size = world->geometry.object_size,
		.stripe = (uint8_t)stripe,
		.index = (uint8_t)index,
		.k = world->shape.k,
		.stripes = world->shape.stripes,
		.repair = ROWS,
	};
}

static const uint8_t *symbol_of(const struct world *world, unsigned stripe, unsigned index)
{
	if (index >= world->shape.k)
		return world->repair[stripe][index - world->shape.k];
	return world->object + (index * world->shape.stripes + stripe) * SYMBOL;
}

static enum link_take take(struct world *world, unsigned stripe, unsigned index)
{
	const struct link_header header = header_of(world, stripe, index);

	return link_generation_take(world->generation, &header, symbol_of(world, stripe, index));
}

static void check_bytes(struct world *world)
{
	size_t size;
	const uint8_t *bytes;

	assert_true(link_generation_is_whole(world->generation));
	bytes = link_generation_bytes(world->generation, &size);
	assert_int_equal(size, world->shape.n_symbols * SYMBOL);
	assert_memory_equal(bytes, world->object, size);
}

static void test_no_loss(void **state)
{
	struct world world;

	(void)state;
	world_make(&world, 1000);
	assert_int_equal(world.shape.n_symbols, 63);
	assert_int_equal(world.shape.stripes, 7);
	assert_int_equal(world.shape.k, 9);
	for (unsigned n = 0; n < 63; n++) {
		assert_false(link_generation_is_whole(world.generation));
		assert_int_equal(link_generation_missing(world.generation), 63 - n);
		assert_int_equal(take(&world, n % 7, n / 7), n == 62 ? LINK_TAKE_WHOLE : LINK_TAKE_NEW);
		assert_int_equal(take(&world, n % 7, n / 7), LINK_TAKE_REPEAT);
	}
	assert_int_equal(link_tally_margin(link_generation_tally(world.generation)), 0);
	assert_int_equal(take(&world, 0, 9), LINK_TAKE_SPARE);
	assert_int_equal(take(&world, 0, 9), LINK_TAKE_REPEAT);
	assert_int_equal(link_generation_restore(world.generation, world.decoder), 0);
	check_bytes(&world);
	world_free(&world);
}

/* Repair symbols first: each waits in a place that a source symbol then wants. */
static void test_repair_first(void **state)
{
	struct world world;

	(void)state;
	world_make(&world, 15 * SYMBOL);
	assert_int_equal(world.shape.k, 15);
	for (unsigned j = 0; j < 10; j++)
		assert_int_equal(take(&world, 0, 15 + j), LINK_TAKE_NEW);
	/* From the end, where repair symbols wait. */
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(take(&world, 0, 14 - i), LINK_TAKE_NEW);
	assert_int_equal(take(&world, 0, 0), LINK_TAKE_WHOLE);
	assert_int_equal(take(&world, 0, 1), LINK_TAKE_SPARE);
	assert_int_equal(link_generation_restore(world.generation, world.decoder), 10);
	check_bytes(&world);
	assert_int_equal(link_tally_margin(link_generation_tally(world.generation)), 1);
	world_free(&world);
}

/* The margin goes on being counted after the generation is gone; it is the worst block's. */
static void test_margin(void **state)
{
	struct link_tally tally;
	struct link_header header;
	struct world world;

	(void)state;
	world_make(&world, 32 * SYMBOL);
	assert_int_equal(world.shape.stripes, 4);
	for (unsigned n = 0; n < 32; n++) {
		if (n != 5)
			take(&world, n % 4, n / 4);
	}
	assert_int_equal(link_tally_margin(link_generation_tally(world.generation)), -1);
	assert_int_equal(take(&world, 1, 8), LINK_TAKE_WHOLE);
	tally = *link_generation_tally(world.generation);
	assert_int_equal(tally.blocks[1].n_source, 7);
	assert_int_equal(tally.blocks[1].n_seen, 8);
	assert_int_equal(tally.repair, ROWS);
	link_generation_begin(world.generation, &world.geometry, 0);
	for (unsigned s = 0; s < 4; s++) {
		for (unsigned j = s == 1 ? 1 : 0; j < 4; j++) {
			header = header_of(&world, s, 8 + j);
			assert_true(link_tally_count(&tally, &header));
			assert_false(link_tally_count(&tally, &header));
		}
	}
	assert_int_equal(link_tally_margin(&tally), 3);
	header = header_of(&world, 4, 8);
	assert_false(link_tally_count(&tally, &header));
	world_free(&world);
}

static void test_empty(void **state)
{
	struct world world;
	size_t size = 1;

	(void)state;
	world_make(&world, 0);
	assert_true(link_generation_is_whole(world.generation));
	assert_int_equal(link_generation_restore(world.generation, world.decoder), 0);
	link_generation_bytes(world.generation, &size);
	assert_int_equal(size, 0);
	assert_int_equal(link_generation_state_size(&world.shape), 0);
	assert_true(link_generation_state_read(world.generation, (const uint8_t *)"", 0));
	assert_int_equal(link_tally_margin(link_generation_tally(world.generation)), 0);
	world_free(&world);
}

/* Half of it, put away and taken up again in another slot. */
static void test_state(void **state)
{
	_cleanup_(link_generation_freep) struct link_generation *first = NULL;
	uint8_t saved[1024];
	struct world world;
	size_t size;

	(void)state;
	world_make(&world, 32 * SYMBOL - 3);
	for (unsigned n = 0; n < 20; n++)
		take(&world, n % 4, n / 4);
	take(&world, 3, 8 + 9);
	size = link_generation_state_size(&world.shape);
	assert_int_equal(size, 4 + 32);
	link_generation_state_put(world.generation, saved);
	first = world.generation;
	world.generation = link_generation_new();
	link_generation_begin(world.generation, &world.geometry, 0);
	assert_true(link_generation_state_read(world.generation, saved, size));
	memcpy(link_generation_places(world.generation), link_generation_places(first), 32 * SYMBOL);
	assert_int_equal(link_generation_missing(world.generation), 11);
	assert_int_equal(take(&world, 3, 8 + 9), LINK_TAKE_REPEAT);
	assert_int_equal(take(&world, 0, 0), LINK_TAKE_REPEAT);
	for (unsigned n = 20; n < 31; n++)
		assert_int_equal(take(&world, n % 4, n / 4), n == 30 ? LINK_TAKE_WHOLE : LINK_TAKE_NEW);
	assert_int_equal(link_generation_restore(world.generation, world.decoder), 1);
	check_bytes(&world);
	/* Restored, every place holds its own. */
	link_generation_state_put(world.generation, saved);
	for (unsigned n = 0; n < 32; n++)
		assert_int_equal(saved[4 + n], n / 4);
	world_free(&world);
}

/* What no generation could have written, with nothing kept of it. */
static void test_state_refused(void **state)
{
	static const struct {
		unsigned place;
		uint8_t held;
		bool is_full;
	} bad[] = {
		{5, 3, true},  /* a source symbol in another's place */
		{5, 9, true},  /* a repair symbol that waits in place 1 of the same block too */
		{6, 1, false}, /* something in an empty place */
		{30, 250, false},
	};
	uint8_t saved[64], copy[64];
	struct world world;
	const size_t size = 4 + 31;

	(void)state;
	world_make(&world, 31 * SYMBOL);
	assert_int_equal(world.shape.stripes, 3);
	take(&world, 2, 0);
	take(&world, 2, 11);
	link_generation_state_put(world.generation, saved);
	assert_true(link_generation_state_read(world.generation, saved, size));
	assert_int_equal(link_generation_missing(world.generation), 29);
	assert_false(link_generation_state_read(world.generation, saved, size - 1));
	assert_false(link_generation_state_read(world.generation, saved, size + 1));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		memcpy(copy, saved, size);
		copy[4 + bad[i].place] = bad[i].held;
		if (bad[i].is_full)
			copy[bad[i].place / 8] |= (uint8_t)(1 << bad[i].place % 8);
		assert_false(link_generation_state_read(world.generation, copy, size));
		assert_int_equal(link_generation_missing(world.generation), 31);
	}
	memcpy(copy, saved, size);
	copy[3] |= 0x80; /* a place past the last */
	assert_false(link_generation_state_read(world.generation, copy, size));
	/* The same repair symbol twice in one block. */
	memcpy(copy, saved, size);
	copy[0] |= 1 << 5;
	copy[4 + 5] = 11;
	assert_int_equal(copy[0] >> 2 & 1, 1);
	assert_false(link_generation_state_read(world.generation, copy, size));
	world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_loss), cmocka_unit_test(test_repair_first),
		cmocka_unit_test(test_margin),  cmocka_unit_test(test_empty),
		cmocka_unit_test(test_state),   cmocka_unit_test(test_state_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
