/* SPDX-License-Identifier: ISC
 *
 * sendpace: the bucket is kept as the moment when it is full again, so that nothing is counted while nothing happens.
 */
#include "outside/sendpace.h"

#define SECOND 1000000000LL
#define START_SHIFT 3
/* What a thread that woke up late may make good: a sleep ends up to 60 us late, and another process may have had the processor. */
#define CATCH_UP 1000000LL
#define BURST_PER_SECOND 2000

void sendpace_start(struct sendpace *pace, uint64_t rate, int64_t now)
{
	*pace = (struct sendpace){.rate = rate, .paid_at = now, .started_at = now};
}

void sendpace_set_rate(struct sendpace *pace, uint64_t rate)
{
	pace->rate = rate;
}

uint64_t sendpace_burst(const struct sendpace *pace)
{
	return pace->rate / 8 / BURST_PER_SECOND;
}

int64_t sendpace_wait(const struct sendpace *pace, int64_t now)
{
	return pace->paid_at > now ? pace->paid_at - now : 0;
}

static uint64_t rate_at(const struct sendpace *pace, int64_t now)
{
	int64_t step = (now - pace->started_at) / SENDPACE_STEP;
	uint64_t rate = step < START_SHIFT ? pace->rate >> (START_SHIFT - step) : pace->rate;

	return rate == 0 ? 1 : rate;
}

void sendpace_spend(struct sendpace *pace, uint64_t bytes, int64_t now)
{
	if (now - pace->paid_at >= SENDPACE_IDLE)
		pace->started_at = now;
	if (pace->paid_at < now - CATCH_UP)
		pace->paid_at = now - CATCH_UP;
	pace->paid_at += (int64_t)((double)bytes * 8 * SECOND / (double)rate_at(pace, now));
}
