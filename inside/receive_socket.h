/* SPDX-License-Identifier: ISC
 *
 * receive_socket: the one socket of clapet-receive. It is bound and never connected, and nothing is ever sent through it: the
 * sandbox has no call that could. Many packets come with one call where the kernel joins them (UDP_GRO) or hands several over
 * (recvmmsg), one by one where it does neither.
 */
#ifndef INSIDE_RECEIVE_SOCKET_H
#define INSIDE_RECEIVE_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "inside/receive_ring.h"

/* What one call takes at most. */
#define RECEIVE_BATCH 64

struct receive_socket {
	int fd;
	_Atomic bool joins; /* UDP_GRO is on; told in the status */
	bool batches;       /* recvmmsg is there */
	bool counts_drops;
	uint64_t n_dropped;       /* packets that the kernel threw away for want of room in its buffer */
	uint32_t dropped_at_last; /* the kernel's own count, which wraps */
	int buffer_size;          /* bytes of the kernel's buffer, as it counts them */
};

#define RECEIVE_SOCKET_NONE                                                                                            \
	{                                                                                                              \
		.fd = -1                                                                                               \
	}

/* Opens and binds ADDRESS ("192.0.2.1:4001", "[2001:db8::1]:4001", ":4001" for all of IPv4) and asks for BUFFER bytes in the kernel;
 * says on stderr, with the sysctl's name, where it gives less. FAULT_RECEIVE_ADDRESS. */
enum fault receive_socket_open(const char *address, int buffer, struct receive_socket *ret_socket, struct refusal *why);
void receive_socket_close(struct receive_socket *socket);

/* Waits 20 ms for the first packet; fills up to N cells (at most RECEIVE_BATCH) with what is there. Their number, 0 where nothing came,
 * or a negative errno. *RET_IS_CUT: one did not fit its cell. */
int receive_socket_take(struct receive_socket *socket, struct receive_cell *cells, size_t n, bool *ret_is_cut);
/* From now on packets come one by one, also those that the kernel joined. */
void receive_socket_stop_joining(struct receive_socket *socket);

#endif
