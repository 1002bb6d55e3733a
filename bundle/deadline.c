/* SPDX-License-Identifier: ISC
 *
 * deadline: the one clock, in two places that must agree.
 */
#include "bundle/deadline.h"

void deadline_cond_init(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

struct timespec deadline_in(int64_t milliseconds)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_nsec += milliseconds % 1000 * 1000000L;
	at.tv_sec += milliseconds / 1000 + at.tv_nsec / 1000000000L;
	at.tv_nsec %= 1000000000L;
	return at;
}
