/* SPDX-License-Identifier: ISC
 *
 * sendtest: what people try a link with before data: a numbered message, and probes at rising rates.
 */
#ifndef OUTSIDE_SENDTEST_H
#define OUTSIDE_SENDTEST_H

#include "outside/sendfiles.h"

/* `clapet-send test`: TEXT's message, by the sender that runs on that link, or by a session of its own. */
int sendtest_run(const struct send_profile *profile, const struct send_arguments *arguments, const char *text);

/* `clapet-send calibrate`: arguments->steps steps of arguments->seconds each, from arguments->from_rate up to the profile's rate. */
int sendtest_calibrate(const struct send_profile *profile, const struct send_arguments *arguments);

/* The rate of a step, in bits a second: even steps from FROM to TO, both of them reached. */
uint64_t sendtest_step_rate(uint64_t from, uint64_t to, unsigned step, unsigned n_steps);

/* `clapet-send check` (sendcheck.c): what would stop a sender, one line each; an exit status. */
int sendcheck_run(const struct send_profile *profile, const struct send_arguments *arguments);

#endif
