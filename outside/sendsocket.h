/* SPDX-License-Identifier: ISC
 *
 * sendsocket: the one UDP socket of a sender, which only sends. Many packets of one size go with one call (sendmmsg), many of them as one
 * message that the kernel or the network card cuts (UDP_SEGMENT); where the machine cannot do the one or the other it goes on without.
 */
#ifndef OUTSIDE_SENDSOCKET_H
#define OUTSIDE_SENDSOCKET_H

#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "outside/sendprofile.h"

enum sendsocket_mode {
	SENDSOCKET_SEGMENTS, /* sendmmsg of messages that are cut into packets */
	SENDSOCKET_MANY,     /* sendmmsg of packets */
	SENDSOCKET_SINGLE,   /* sendmsg */
	SENDSOCKET_MODES
};
const char *sendsocket_mode_name(enum sendsocket_mode mode);

struct sendsocket;

/* Opens it to the profile's address, from the profile's interface if it names one; asks for a large send buffer. With no neighbour there
 * yet, nothing is asked of the network. It starts no higher than MODE (SENDSOCKET_SEGMENTS, but in tests). FAULT_SEND_SOCKET. */
enum fault sendsocket_open(const struct send_profile *profile, enum sendsocket_mode mode, struct sendsocket **ret,
			   struct refusal *why);
void sendsocket_free(struct sendsocket *socket);
void sendsocket_freep(struct sendsocket **socket);

/* The most packets of that size that one call sends. */
size_t sendsocket_batch(const struct sendsocket *socket, size_t packet_size);

/* Sends N packets of PACKET_SIZE bytes each, one behind the other. Returns how many of them the machine took. Where it takes none for now (its
 * queues are full) it is asked again for a while; the rest are lost as if they were lost on the way, and the errno of the last of them is in
 * *RET_ERRNO (unchanged where none was lost). */
size_t sendsocket_send(struct sendsocket *socket, uint8_t *packets, size_t n, size_t packet_size, int *ret_errno);

/* What it uses now, and why no more: an errno, 0 where it uses the best. */
enum sendsocket_mode sendsocket_mode(const struct sendsocket *socket);
int sendsocket_fallback(const struct sendsocket *socket);
/* Bytes of its send buffer, as the kernel counts them. */
int sendsocket_buffer(const struct sendsocket *socket);

#endif
