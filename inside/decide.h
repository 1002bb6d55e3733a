/* SPDX-License-Identifier: ISC
 *
 * decide: what the commands share by which a person decides something: who, why, until when; and the steps after it.
 */
#ifndef INSIDE_DECIDE_H
#define INSIDE_DECIDE_H

#include "inside/inside.h"

struct decide_options {
	const char *reason, *until, *operator;
};

struct decision {
	char reason[DECISION_REASON_SIZE];
	char operator[DECISION_OPERATOR_SIZE];
	int64_t date;
	int64_t until; /* 0: no end */
};

/* From the command line; ends the program where they are not usable. */
void decide_options_read(const struct decide_options *options, const char *command, bool needs_reason, int64_t now,
			 struct decision *ret_decision);
/* Pins in memory, with its event. */
void decide_pin(struct inside *inside, const char *dataset, const char *version, const struct decision *decision);
/* Makes waivers and pins durable. */
enum fault decide_store(struct inside *inside, struct refusal *why);
/* Settles after it and tells. The exit status. */
int decide_settle(struct inside *inside);

#endif
