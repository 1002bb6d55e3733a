/* SPDX-License-Identifier: ISC
 *
 * What a calibration counts, and what it advises.
 */
#include "inside/receive_calibrate.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define COUNT 10000
#define WIRE_SIZE 1000

/* A step that arrives at RATE, of which every LOST_EVERY-th packet lacks (0: none), and GAP ones from the hundredth on. Its first half takes twice
 * as long as the second. */
static void hear_at(struct receive_calibration *calibration, uint64_t rate, uint16_t step, uint16_t n_steps,
		    uint32_t lost_every, uint32_t gap, uint64_t n_dropped)
{
	for (uint32_t i = 0; i < COUNT; i++) {
		const struct link_probe probe = {
			.rate = 1000000ULL * (step + 1), .index = i, .count = COUNT, .step = step, .n_steps = n_steps};
		uint64_t at = i < COUNT / 2 ? 2ULL * i : COUNT + (i - COUNT / 2);

		if ((lost_every == 0 || i % lost_every != 0) && (i < 100 || i >= 100 + gap))
			receive_calibration_add(calibration, &probe, WIRE_SIZE,
						(int64_t)(1000000 * (step + 1ULL) + at * WIRE_SIZE * 1000 / rate),
						n_dropped);
	}
}

/* As fast as it was sent. */
static void hear(struct receive_calibration *calibration, uint16_t step, uint16_t n_steps, uint32_t lost_every,
		 uint32_t gap, uint64_t n_dropped)
{
	hear_at(calibration, 1000000ULL * (step + 1), step, n_steps, lost_every, gap, n_dropped);
}

static bool is_near(uint64_t value, uint64_t wanted)
{
	return value > wanted / 100 * 99 && value < wanted / 100 * 101;
}

static void test_without_loss(void **state)
{
	struct receive_calibration calibration = {0};
	struct receive_advice advice;

	(void)state;
	hear(&calibration, 0, 2, 0, 0, 0);
	assert_false(calibration.is_over);
	hear(&calibration, 1, 2, 0, 0, 0);
	assert_true(calibration.is_over);
	assert_int_equal(receive_step_lost(&calibration, 0), 0);
	receive_calibration_advise(&calibration, 1000, &advice);
	assert_true(is_near(receive_step_rate(&calibration.steps[1]), 2000000));
	assert_true(is_near(advice.rate, 1800000));
	assert_int_equal(advice.percent, 5);
	assert_int_equal(advice.buffer, 0);
}

/* What the link cannot carry waits on the way: nothing is lost, it comes late. */
static void test_held_back(void **state)
{
	struct receive_calibration calibration = {0};
	struct receive_advice advice;

	(void)state;
	hear(&calibration, 0, 4, 0, 0, 0);
	hear(&calibration, 1, 4, 0, 0, 0);
	hear_at(&calibration, 2100000, 2, 4, 0, 0, 0);
	hear_at(&calibration, 2050000, 3, 4, 0, 0, 0);
	receive_calibration_advise(&calibration, 1000, &advice);
	assert_true(is_near(receive_step_rate(&calibration.steps[3]), 2050000));
	assert_true(is_near(advice.rate, 1890000));
}

/* One slow step between two that were not: a machine that had something else to do. */
static void test_slow_once(void **state)
{
	struct receive_calibration calibration = {0};
	struct receive_advice advice;

	(void)state;
	hear(&calibration, 0, 3, 0, 0, 0);
	hear_at(&calibration, 700000, 1, 3, 0, 0, 0);
	hear(&calibration, 2, 3, 0, 0, 0);
	receive_calibration_advise(&calibration, 1000, &advice);
	assert_true(is_near(advice.rate, 2700000));
	/* Too short to tell. */
	calibration = (struct receive_calibration){0};
	hear_at(&calibration, 100000000000ULL, 0, 1, 0, 0, 0);
	assert_int_equal(receive_step_rate(&calibration.steps[0]), 1000000);
}

static void test_a_rate_too_high(void **state)
{
	struct receive_calibration calibration = {0};
	struct receive_advice advice;

	(void)state;
	hear(&calibration, 0, 4, 0, 0, 0);
	hear(&calibration, 1, 4, 250, 0, 0);
	hear(&calibration, 2, 4, 10, 0, 7);
	hear(&calibration, 3, 4, 0, 0, 7); /* it had luck */
	assert_int_equal(receive_step_lost(&calibration, 1), COUNT / 250);
	assert_int_equal(receive_step_lost(&calibration, 2), COUNT / 10);
	receive_calibration_advise(&calibration, 1000, &advice);
	assert_true(is_near(advice.rate, 1800000));
	/* 0.4 % of 220 symbols: 0.88, and five times its root: 5.6 of 200. */
	assert_int_equal(advice.percent, 5);
	/* The kernel dropped some, in the step that was too fast. */
	assert_int_equal(advice.buffer, 2000);
}

static void test_a_burst(void **state)
{
	struct receive_calibration calibration = {0};
	struct receive_advice advice;

	(void)state;
	hear(&calibration, 0, 2, 0, 48, 0);
	hear(&calibration, 1, 2, 0, 0, 0);
	assert_int_equal(calibration.steps[0].longest, 48);
	receive_calibration_advise(&calibration, 1000, &advice);
	/* The worst of the good steps counts: 1.06 symbols, five times its root, and three of the burst. */
	assert_int_equal(advice.percent, 5);
	assert_int_equal(advice.longest, 48);
	calibration.steps[0].longest = 320;
	receive_calibration_advise(&calibration, 1000, &advice);
	assert_int_equal(advice.percent, 14);
	calibration.steps[0].longest = 100000;
	receive_calibration_advise(&calibration, 1000, &advice);
	assert_int_equal(advice.percent, LIMIT_LINK_PERCENT);
}

static void test_nothing_good(void **state)
{
	struct receive_calibration calibration = {0};
	struct receive_advice advice;

	(void)state;
	hear(&calibration, 0, 2, 5, 0, 0);
	receive_calibration_advise(&calibration, 1000, &advice);
	assert_int_equal(advice.rate, 0);
}

/* One packet in a hundred is lost at any rate: that is the link, and repair is there for it. */
static void test_always_lost(void **state)
{
	struct receive_calibration calibration = {0};
	struct receive_advice advice;

	(void)state;
	hear(&calibration, 0, 3, 100, 0, 0);
	hear(&calibration, 1, 3, 90, 0, 0);
	hear(&calibration, 2, 3, 20, 0, 0);
	receive_calibration_advise(&calibration, 1000, &advice);
	assert_true(advice.rate > 1750000 && advice.rate < 1800000);
	/* 1.1 % of 220 symbols: 2.44, and five times its root: 10.25 of 200; and one for the gap. */
	assert_int_equal(advice.percent, 6);
}

/* The end of the last step that was heard of may not have been sent; that of the others was. */
static void test_cut_short(void **state)
{
	struct receive_calibration calibration = {0};

	(void)state;
	for (uint32_t i = 0; i < 50; i++)
		receive_calibration_add(&calibration,
					&(struct link_probe){.rate = 1, .index = i, .count = COUNT, .n_steps = 3},
					WIRE_SIZE, 1, 0);
	assert_int_equal(receive_step_lost(&calibration, 0), 0);
	hear(&calibration, 1, 3, 0, 0, 0);
	assert_int_equal(receive_step_lost(&calibration, 0), COUNT - 50);
	/* Somebody began again, with other steps. */
	hear(&calibration, 0, 2, 0, 0, 0);
	assert_int_equal(calibration.n_steps, 2);
	assert_int_equal(calibration.steps[1].n_heard, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_loss), cmocka_unit_test(test_a_rate_too_high),
		cmocka_unit_test(test_held_back),    cmocka_unit_test(test_slow_once),
		cmocka_unit_test(test_a_burst),      cmocka_unit_test(test_nothing_good),
		cmocka_unit_test(test_always_lost),  cmocka_unit_test(test_cut_short),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
