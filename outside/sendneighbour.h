/* SPDX-License-Identifier: ISC
 *
 * sendneighbour: how this machine would send to an address: by which interface, to which next machine, and whether it knows that one's Ethernet
 * address by heart: behind a one-way link nobody answers who asks. By rtnetlink.
 */
#ifndef OUTSIDE_SENDNEIGHBOUR_H
#define OUTSIDE_SENDNEIGHBOUR_H

#include <net/if.h>
#include <stdbool.h>
#include <sys/socket.h>

enum sendneighbour_state {
	SENDNEIGHBOUR_UNNEEDED,  /* an interface without Ethernet addresses: loopback, a tunnel */
	SENDNEIGHBOUR_PERMANENT, /* somebody entered it */
	SENDNEIGHBOUR_LEARNED,   /* it was asked for, and will be asked for again */
	SENDNEIGHBOUR_NONE,
};

struct sendneighbour {
	char interface[IF_NAMESIZE];
	unsigned mtu;
	bool is_up; /* and has a carrier */
	enum sendneighbour_state state;
	char next[64]; /* the address whose neighbour entry it is, in numbers */
};

/* INTERFACE may be NULL: the routing table chooses. 0 or a negative errno: -ENETUNREACH where there is no route. */
int sendneighbour_find(const struct sockaddr *to, const char *interface, struct sendneighbour *ret);

#endif
