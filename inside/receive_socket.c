/* SPDX-License-Identifier: ISC
 *
 * receive_socket: each thing that an older kernel lacks is tried once, and done without.
 */
#include "inside/receive_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/notation.h"
#include "inside/address.h"

/* So long may a reader that nothing comes to outlast its receiver. */
#define WAIT_MICROSECONDS 20000
/* UDP_GRO's size of a segment, and SO_RXQ_OVFL's count. */
#define CONTROL_SIZE (CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(uint32_t)))

/* Asks with privilege first, then as anybody; the kernel doubles what it is asked for and tells the double. */
static void ask_for_buffer(struct receive_socket *sock, int wanted)
{
	socklen_t size = sizeof(sock->buffer_size);
	char got[32], asked[32];

	if (setsockopt(sock->fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof(wanted)) < 0)
		setsockopt(sock->fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof(wanted));
	if (getsockopt(sock->fd, SOL_SOCKET, SO_RCVBUF, &sock->buffer_size, &size) < 0 ||
	    sock->buffer_size / 2 >= wanted)
		return;
	notation_format_size((uint64_t)sock->buffer_size / 2, got, sizeof(got));
	notation_format_size((uint64_t)wanted, asked, sizeof(asked));
	log_warning("the kernel gives a receive buffer of %s, %s were asked for: a busy machine will lose packets; as "
		    "root: "
		    "sysctl -w net.core.rmem_max=%d",
		    got, asked, wanted);
}

static void set_options(struct receive_socket *sock)
{
	const struct timeval wait = {.tv_usec = WAIT_MICROSECONDS};
	const int one = 1;

	if (setsockopt(sock->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0)
		die_errno("SO_RCVTIMEO");
	sock->joins = setsockopt(sock->fd, IPPROTO_UDP, UDP_GRO, &one, sizeof(one)) == 0;
	sock->counts_drops = setsockopt(sock->fd, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof(one)) == 0;
	sock->batches = true;
}

enum fault receive_socket_open(const char *address, int buffer, struct receive_socket *ret_socket, struct refusal *why)
{
	struct receive_socket sock = RECEIVE_SOCKET_NONE;
	struct sockaddr_storage at;
	socklen_t size;

	if (!address_parse(address, &at, &size) || address_port(&at) == 0)
		return refuse(why, FAULT_RECEIVE_ADDRESS,
			      "\"%s\" is no address to bind: numbers and a port, \"192.0.2.1:4001\" or "
			      "\"[2001:db8::1]:4001\"",
			      address);
	sock.fd = socket(at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock.fd < 0)
		return refuse(why, FAULT_RECEIVE_ADDRESS, "%s: %s", address, strerror(errno));
	ask_for_buffer(&sock, buffer);
	set_options(&sock);
	if (bind(sock.fd, (struct sockaddr *)&at, size) < 0) {
		refuse(why, FAULT_RECEIVE_ADDRESS, "%s: %s", address, strerror(errno));
		close(sock.fd);
		return FAULT_RECEIVE_ADDRESS;
	}
	*ret_socket = sock;
	return FAULT_NONE;
}

void receive_socket_close(struct receive_socket *sock)
{
	cleanup_close(&sock->fd);
	sock->fd = -1;
}

void receive_socket_stop_joining(struct receive_socket *sock)
{
	const int zero = 0;

	if (sock->joins)
		setsockopt(sock->fd, IPPROTO_UDP, UDP_GRO, &zero, sizeof(zero));
	sock->joins = false;
}

/* What came with one message: the size of its segments, and how many were dropped before it. */
static void read_control(struct receive_socket *sock, struct msghdr *message, struct receive_cell *cell)
{
	cell->segment = cell->size;
	for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control != NULL;
	     control = CMSG_NXTHDR(message, control)) {
		if (control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_GRO) {
			int segment;

			memcpy(&segment, CMSG_DATA(control), sizeof(segment));
			if (segment > 0 && (uint32_t)segment < cell->size)
				cell->segment = (uint32_t)segment;
		} else if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SO_RXQ_OVFL) {
			uint32_t dropped;

			memcpy(&dropped, CMSG_DATA(control), sizeof(dropped));
			sock->n_dropped += dropped - sock->dropped_at_last;
			sock->dropped_at_last = dropped;
		}
	}
}

int receive_socket_take(struct receive_socket *sock, struct receive_cell *cells, size_t n, bool *ret_is_cut)
{
	union {
		char bytes[CONTROL_SIZE];
		struct cmsghdr align;
	} controls[RECEIVE_BATCH] = {0};
	struct mmsghdr messages[RECEIVE_BATCH];
	struct iovec vectors[RECEIVE_BATCH];
	int r = -1;

	*ret_is_cut = false;
	if (n > RECEIVE_BATCH)
		n = RECEIVE_BATCH;
	for (size_t i = 0; i < n; i++) {
		vectors[i] = (struct iovec){.iov_base = cells[i].data, .iov_len = cells[i].room};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i],
						      .msg_iovlen = 1,
						      .msg_control = controls[i].bytes,
						      .msg_controllen = sizeof(controls[i].bytes)};
	}
	if (sock->batches) {
		r = recvmmsg(sock->fd, messages, (unsigned)n, MSG_WAITFORONE, NULL);
		sock->batches = r >= 0 || errno != ENOSYS;
	}
	if (!sock->batches) {
		ssize_t size = recvmsg(sock->fd, &messages[0].msg_hdr, 0);

		messages[0].msg_len = size < 0 ? 0 : (unsigned)size;
		r = size < 0 ? -1 : 1;
	}
	if (r < 0)
		return errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED ? 0 : -errno;
	for (int i = 0; i < r; i++) {
		cells[i].size = messages[i].msg_len;
		read_control(sock, &messages[i].msg_hdr, &cells[i]);
		*ret_is_cut = *ret_is_cut || (messages[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
	}
	return r;
}
