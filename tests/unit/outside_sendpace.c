/* SPDX-License-Identifier: ISC
 *
 * The pace: what goes within a time, whatever the moments at which somebody asks.
 */
#include "outside/sendpace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/random.h"

#define SECOND 1000000000LL
#define RATE 800000000ULL /* 100 MB/s */

/* Sends packets of SIZE bytes until UNTIL, each as soon as it may and LATE nanoseconds later; bytes that went. */
static uint64_t send_until(struct sendpace *pace, int64_t *now, int64_t until, uint64_t size, int64_t late)
{
	uint64_t sent = 0;

	for (;;) {
		*now += sendpace_wait(pace, *now) + late;
		if (*now >= until)
			return sent;
		sendpace_spend(pace, size, *now);
		sent += size;
	}
}

static void test_slow_start(void **state)
{
	struct sendpace pace;
	int64_t now = 5 * SECOND;
	const uint64_t step = RATE / 8 / (SECOND / SENDPACE_STEP); /* bytes of one step at the whole rate */

	(void)state;
	sendpace_start(&pace, RATE, now);
	for (unsigned shift = 3; shift > 0; shift--) {
		uint64_t sent = send_until(&pace, &now, 5 * SECOND + (4 - shift) * SENDPACE_STEP, 1500, 0);

		assert_in_range(sent, (step >> shift) * 97 / 100, (step >> shift) * 103 / 100 + 3000);
	}
	assert_in_range(send_until(&pace, &now, 6 * SECOND + 3 * SENDPACE_STEP, 1500, 0), 99000000, 101000000);
	/* A pause that is short changes nothing; a long one starts anew. */
	now += SENDPACE_IDLE / 2;
	assert_in_range(send_until(&pace, &now, now + SECOND / 10, 1500, 0), 9900000, 10300000);
	now += 2 * SENDPACE_IDLE;
	assert_in_range(send_until(&pace, &now, now + SENDPACE_STEP, 1500, 0), step / 8 - 2000, step / 8 + 150000);
}

static void test_late(void **state)
{
	struct sendpace pace;
	int64_t now = 0;

	(void)state;
	sendpace_start(&pace, RATE, now);
	send_until(&pace, &now, SECOND, 50000, 0);
	/* Who wakes up 200 us late each time still has the whole rate; 20 ms late, no burst follows. */
	assert_in_range(send_until(&pace, &now, 2 * SECOND, 50000, 200000), 97000000, 101000000);
	assert_true(send_until(&pace, &now, 3 * SECOND, 50000, 20000000) <= 50 * (50000 + 100000));
}

static void test_never_faster(void **state)
{
	uint64_t random = 42;

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		uint64_t rate = 100000 + random_below(&random, 4000000000U), sent = 0;
		struct sendpace pace;
		int64_t now = 0, end = SECOND / 5;

		sendpace_start(&pace, rate, now);
		while (now < end) {
			uint64_t size = 100 + random_below(&random, 60000);

			now += sendpace_wait(&pace, now) + (int64_t)random_below(&random, 300000);
			sendpace_spend(&pace, size, now);
			sent += size;
		}
		/* What was sent last may be one packet ahead, and a millisecond may be made good. */
		assert_true((double)sent * 8 <= (double)rate * ((double)now / SECOND + 0.002) + 60100 * 8 * 2);
	}
}

static void test_burst(void **state)
{
	struct sendpace pace;

	(void)state;
	sendpace_start(&pace, 900000000, 0);
	assert_int_equal(sendpace_burst(&pace), 56250);
	sendpace_set_rate(&pace, 100000);
	assert_int_equal(sendpace_burst(&pace), 6);
	/* One packet of 1,500 bytes takes 0.12 s at that rate, and 0.96 s in the slow start. */
	sendpace_spend(&pace, 1500, 0);
	assert_int_equal(sendpace_wait(&pace, 0), 960000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_start),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_never_faster),
		cmocka_unit_test(test_burst),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
