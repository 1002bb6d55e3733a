/* SPDX-License-Identifier: ISC
 *
 * plan: what comes in together where datasets refer to each other. Cases by hand; then every small graph that a generator makes, against
 * what a plan must be.
 */
#include "inside/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ITEMS 6
enum { OLD, NEXT };

struct world {
	struct plan_item items[ITEMS];
	size_t lists[ITEMS][2][ITEMS];
	bool misfit[ITEMS][2][ITEMS][2];
	size_t n_items, n_asked;
};

static bool fits(void *ctx, size_t item, bool is_next, size_t other, bool other_is_next)
{
	struct world *world = ctx;

	world->n_asked++;
	/* What nothing moves in is no question of this settling. */
	assert_true(is_next || other_is_next);
	return !world->misfit[item][is_next][other][other_is_next];
}

static void refer(struct world *world, size_t item, int which, size_t other)
{
	struct plan_references *references = which == NEXT ? &world->items[item].next : &world->items[item].now;

	references->items = world->lists[item][which];
	references->items[references->n_items++] = other;
}

/* Item 0 refers to item 1; both have a newer version. */
static struct world pair(void)
{
	struct world world = {.n_items = 2};

	world.items[0].is_candidate = world.items[1].is_candidate = true;
	return world;
}
#define PAIR()                                                                                                         \
	struct world world = pair();                                                                                   \
	refer(&world, 0, OLD, 1);                                                                                      \
	refer(&world, 0, NEXT, 1)

static void check(struct world *world, bool first, enum plan_reason first_reason, bool second,
		  enum plan_reason second_reason)
{
	plan_run(world->items, world->n_items, fits, world);
	assert_int_equal(world->items[0].comes_in, first);
	assert_int_equal(world->items[0].reason, first_reason);
	assert_int_equal(world->items[1].comes_in, second);
	assert_int_equal(world->items[1].reason, second_reason);
}

static void test_both(void **state)
{
	PAIR();
	(void)state;
	check(&world, true, PLAN_FREE, true, PLAN_FREE);
}

/* Neither new version fits the other's old one: together or not at all. */
static void test_only_together(void **state)
{
	PAIR();
	(void)state;
	world.misfit[0][OLD][1][NEXT] = world.misfit[0][NEXT][1][OLD] = true;
	check(&world, true, PLAN_FREE, true, PLAN_FREE);
}

static void test_held_with_the_one_referred_to(void **state)
{
	PAIR();
	(void)state;
	world.items[1].is_candidate = false;
	world.misfit[0][NEXT][1][OLD] = true;
	check(&world, false, PLAN_KEYS, false, PLAN_FREE);
}

/* The one that refers is held for reasons of its own: what it refers to may not take its rows away. */
static void test_rows_that_are_referred_to(void **state)
{
	PAIR();
	(void)state;
	world.items[0].is_candidate = false;
	world.misfit[0][OLD][1][NEXT] = true;
	check(&world, false, PLAN_FREE, false, PLAN_REFERRED);
}

/* The new pair does not fit, the old referring one does not fit the new either: the new referring one fits the old. */
static void test_the_other_one_stays(void **state)
{
	PAIR();
	(void)state;
	world.misfit[0][NEXT][1][NEXT] = world.misfit[0][OLD][1][NEXT] = true;
	check(&world, true, PLAN_FREE, false, PLAN_REFERRED);
}

static void test_circle(void **state)
{
	PAIR();
	(void)state;
	refer(&world, 1, NEXT, 0);
	check(&world, false, PLAN_CYCLE, false, PLAN_CYCLE);
}

static void test_circle_over_what_stays(void **state)
{
	struct world world = pair();

	(void)state;
	world.items[0].is_candidate = false;
	refer(&world, 0, OLD, 1);
	refer(&world, 1, NEXT, 0);
	check(&world, false, PLAN_FREE, false, PLAN_CYCLE);
}

/* References that turn round come in together. */
static void test_turned_round(void **state)
{
	struct world world = pair();

	(void)state;
	refer(&world, 0, OLD, 1);
	refer(&world, 1, NEXT, 0);
	check(&world, true, PLAN_FREE, true, PLAN_FREE);
}

static void test_refers_to_itself(void **state)
{
	struct world world = {.n_items = 2};

	(void)state;
	world.items[0].is_candidate = world.items[1].is_candidate = true;
	refer(&world, 0, NEXT, 0);
	check(&world, false, PLAN_CYCLE, true, PLAN_FREE);
}

/* 0 -> 1 -> 2: 2 is held, so 1, so 0; 3 is nobody's and comes in. */
static void test_chain(void **state)
{
	struct world world = {.n_items = 4};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		world.items[i].is_candidate = i != 2;
	refer(&world, 0, NEXT, 1);
	refer(&world, 1, NEXT, 2);
	world.misfit[0][NEXT][1][OLD] = world.misfit[1][NEXT][2][OLD] = true;
	check(&world, false, PLAN_KEYS, false, PLAN_KEYS);
	assert_false(world.items[2].comes_in);
	assert_true(world.items[3].comes_in);
}

/* --- every plan ------------------------------------------------------------------------------------------------------ */

static bool reaches(const struct world *world, size_t from, size_t goal, unsigned seen)
{
	const struct plan_references *references = world->items[from].comes_in ? &world->items[from].next
									       : &world->items[from].now;

	for (size_t i = 0; i < references->n_items; i++) {
		size_t next = references->items[i];

		if (next == goal || ((seen & 1U << next) == 0 && reaches(world, next, goal, seen | 1U << next)))
			return true;
	}
	return false;
}

/* Whether the set could be in force: everything that moved, or refers to something that moved, fits. */
static bool is_sound(const struct world *world)
{
	for (size_t i = 0; i < world->n_items; i++) {
		const struct plan_item *item = &world->items[i];
		const struct plan_references *references = item->comes_in ? &item->next : &item->now;

		if (item->comes_in && reaches(world, i, i, 1U << i))
			return false;
		for (size_t k = 0; k < references->n_items; k++) {
			size_t other = references->items[k];
			bool moved = item->comes_in || world->items[other].comes_in;

			if (moved && world->misfit[i][item->comes_in][other][world->items[other].comes_in])
				return false;
		}
	}
	return true;
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	return *seed ^= *seed << 17;
}

static void make_world(struct world *world, uint64_t *seed)
{
	memset(world, 0, sizeof(*world));
	world->n_items = 2 + next_random(seed) % (ITEMS - 1);
	for (size_t i = 0; i < world->n_items; i++) {
		world->items[i].is_candidate = next_random(seed) % 4 != 0;
		for (size_t other = 0; other < world->n_items; other++) {
			for (int which = OLD; which <= NEXT; which++) {
				if (next_random(seed) % 3 == 0 && (which == OLD || world->items[i].is_candidate))
					refer(world, i, which, other);
				world->misfit[i][which][other][OLD] = next_random(seed) % 4 == 0;
				world->misfit[i][which][other][NEXT] = next_random(seed) % 4 == 0;
			}
		}
	}
}

static void test_every_plan_is_sound(void **state)
{
	uint64_t seed = 20260301;
	size_t n_moved = 0, n_held = 0;

	(void)state;
	for (size_t round = 0; round < 200000; round++) {
		struct world world;

		make_world(&world, &seed);
		plan_run(world.items, world.n_items, fits, &world);
		if (!is_sound(&world))
			fail_msg("world %zu: a set that does not fit", round);
		for (size_t i = 0; i < world.n_items; i++) {
			struct plan_item *item = &world.items[i];

			/* What no other has to do with comes in: nobody holds up anybody else. */
			if (item->is_candidate && item->next.n_items == 0 && !item->comes_in)
				assert_int_equal(item->reason, PLAN_REFERRED);
			if (!item->comes_in && item->is_candidate)
				assert_int_not_equal(item->reason, PLAN_FREE);
			if (!item->is_candidate)
				assert_false(item->comes_in);
			n_moved += item->comes_in;
			n_held += item->is_candidate && !item->comes_in;
		}
	}
	/* The generator makes both kinds, or it tests nothing. */
	assert_true(n_moved > 50000 && n_held > 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both),
		cmocka_unit_test(test_only_together),
		cmocka_unit_test(test_held_with_the_one_referred_to),
		cmocka_unit_test(test_rows_that_are_referred_to),
		cmocka_unit_test(test_the_other_one_stays),
		cmocka_unit_test(test_circle),
		cmocka_unit_test(test_circle_over_what_stays),
		cmocka_unit_test(test_turned_round),
		cmocka_unit_test(test_refers_to_itself),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_every_plan_is_sound),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("inside_plan", tests, NULL, NULL);
}
