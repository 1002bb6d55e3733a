/* SPDX-License-Identifier: ISC
 *
 * accessrate: how often somebody may ask: a token bucket for each key and each address, in a table of one size. Who floods it with addresses
 * makes it forget others, who then have a full bucket: it bounds what one reader takes, and is no defence of a network.
 */
#ifndef INSIDE_ACCESSRATE_H
#define INSIDE_ACCESSRATE_H

#include <stdbool.h>
#include <stdint.h>

#include "inside/accessrules.h"

struct accessrate;

/* Of LIMIT_ACCESS_BUCKETS. Before a sandbox: it asks for randomness. */
struct accessrate *accessrate_new(void);
void accessrate_free(struct accessrate *table);

/* Takes one from the bucket of WHO at NOW, in microseconds of a monotonic clock. False: it is empty; in *RET_SECONDS how long until it is not. From any thread. */
bool accessrate_take(struct accessrate *table, const char *who, const struct access_rate *rate, int64_t now,
		     unsigned *ret_seconds);

/* Whom an address counts as: an IPv4 address itself, of IPv6 its first 64 bits, for one host has them all. "" : nobody is counted (a Unix socket: the
 * server in front of it counts). */
#define ACCESSRATE_WHO_SIZE 48
void accessrate_who(const char *peer, char who[ACCESSRATE_WHO_SIZE]);

#endif
