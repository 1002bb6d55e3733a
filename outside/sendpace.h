/* SPDX-License-Identifier: ISC
 *
 * sendpace: when the next packets may go. A token bucket over the bytes that they take on an Ethernet cable, with a slow start: what is
 * at the other end (a diode's small buffer, a receiver that was asleep) cannot ask for less. It looks at no clock: the caller says the time.
 */
#ifndef OUTSIDE_SENDPACE_H
#define OUTSIDE_SENDPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a datagram takes on the cable beside its own bytes: preamble 8, Ethernet header 14, frame check 4, gap 12, UDP 8, IPv4 20 or IPv6 40. */
#define SENDPACE_OVERHEAD_IPV4 66
#define SENDPACE_OVERHEAD_IPV6 86

/* The start is an eighth of the rate, and doubles three times, once in so many nanoseconds. A silence as long as SENDPACE_IDLE starts it again. */
#define SENDPACE_STEP 20000000LL
#define SENDPACE_IDLE 1000000000LL

struct sendpace {
	uint64_t rate;   /* bits a second on the cable, never 0 */
	int64_t paid_at; /* nanoseconds: what was sent is worked off by then */
	int64_t started_at;
};

void sendpace_start(struct sendpace *pace, uint64_t rate, int64_t now);

/* From now on another rate (calibration). */
void sendpace_set_rate(struct sendpace *pace, uint64_t rate);

/* How many bytes may go as one burst: half a millisecond of the rate. */
uint64_t sendpace_burst(const struct sendpace *pace);

/* Nanoseconds until the next bytes may go; 0: now. */
int64_t sendpace_wait(const struct sendpace *pace, int64_t now);

/* So many bytes of the cable went. Who comes late catches up with at most a millisecond. */
void sendpace_spend(struct sendpace *pace, uint64_t bytes, int64_t now);

#endif
