/* SPDX-License-Identifier: ISC
 *
 * deadline: waiting for another thread, but not for ever: by the monotonic clock, which nobody sets.
 */
#ifndef BUNDLE_DEADLINE_H
#define BUNDLE_DEADLINE_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* A condition whose pthread_cond_timedwait takes what deadline_in returns. */
void deadline_cond_init(pthread_cond_t *condition);
/* So many MILLISECONDS (not negative) from now. */
struct timespec deadline_in(int64_t milliseconds);

#endif
