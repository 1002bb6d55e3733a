/* SPDX-License-Identifier: ISC
 *
 * sendfiles: clapet-send's jobs, each of which returns an exit status: given files, a spool, one line's worth of commands.
 */
#ifndef OUTSIDE_SENDFILES_H
#define OUTSIDE_SENDFILES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/options.h"
#include "outside/sendprofile.h"

/* What the command line said; NULL and 0 where nothing. */
struct send_arguments {
	const char *config, *link, *to, *key, *interface, *rate, *spool, *state, *report;
	struct option_list only;
	uint64_t repair, mtu, cycles, number, seconds, steps;
	const char *from_rate;
	bool json, prometheus, verbose;
};
#define SEND_UNSAID UINT64_MAX

/* The profile of --link, if it was given, changed by the other options. FAULT_CONFIGURATION and what sendprofile_load refuses. */
enum fault sendfiles_profile(const struct send_arguments *arguments, struct send_profile *profile, struct refusal *why);

/* Sends N files, in as many cycles as was said (1), and ends. */
int sendfiles_run(const struct send_profile *profile, const struct send_arguments *arguments, int n, char **paths);

#endif
