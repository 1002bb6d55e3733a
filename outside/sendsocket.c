/* SPDX-License-Identifier: ISC
 *
 * sendsocket: the socket is connected, so that the kernel looks for the way once; errors that somebody else's machine reports on it (nobody
 * does behind a diode; a loopback does) concern the packet before, and are passed over.
 */
#include "outside/sendsocket.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/log.h"

#define MESSAGES 64
/* What the kernel cuts at most; and what a datagram can hold with any headers. */
#define SEGMENTS 64
#define MESSAGE_BYTES 65000
/* Bytes that one call gives the kernel: what a first-level cache of today's machines holds ten times is still hot when it copies. */
#define CALL_BYTES (512 * 1024)
/* Full queues empty themselves within a millisecond, or never. */
#define BUSY_TRIES 200
#define BUSY_PAUSE 500000L
#define BUFFER_BYTES (4 * 1024 * 1024)

struct message {
	struct iovec iov;
	union {
		char bytes[CMSG_SPACE(sizeof(uint16_t))];
		struct cmsghdr align;
	} control;
};

struct sendsocket {
	int fd, fallback, buffer;
	enum sendsocket_mode mode;
	struct mmsghdr headers[MESSAGES];
	struct message messages[MESSAGES];
};

const char *sendsocket_mode_name(enum sendsocket_mode mode)
{
	static const char *const names[SENDSOCKET_MODES] = {"UDP_SEGMENT and sendmmsg", "sendmmsg", "sendmsg"};

	return names[mode];
}

/* What the machine grants is looked up; more than its limit needs a right that a sender seldom has. */
static int set_buffer(int fd)
{
	int size = BUFFER_BYTES, granted = 0;
	socklen_t length = sizeof(granted);

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &granted, &length);
	return granted;
}

/* Never in fragments: a lost one would cost the others too. Only the interface's own MTU counts, for nobody reports another. */
static int set_no_fragments(int fd, sa_family_t family)
{
	int probe = family == AF_INET6 ? IPV6_PMTUDISC_PROBE : IP_PMTUDISC_PROBE;

	if (family == AF_INET6)
		return setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &probe, sizeof(probe));
	return setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof(probe));
}

/* Whether this kernel knows UDP_SEGMENT (Linux 4.18). */
static bool has_segments(int fd)
{
	int size = 1000, none = 0;

	return setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)) == 0 &&
	       setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &none, sizeof(none)) == 0;
}

static void prepare(struct sendsocket *socket)
{
	for (size_t i = 0; i < MESSAGES; i++) {
		socket->headers[i].msg_hdr.msg_iov = &socket->messages[i].iov;
		socket->headers[i].msg_hdr.msg_iovlen = 1;
	}
}

static void lower(struct sendsocket *socket, enum sendsocket_mode mode, int error)
{
	socket->mode = mode;
	socket->fallback = error;
}

enum fault sendsocket_open(const struct send_profile *profile, enum sendsocket_mode mode, struct sendsocket **ret,
			   struct refusal *why)
{
	_cleanup_(sendsocket_freep) struct sendsocket *s = xcalloc(1, sizeof(*s));
	sa_family_t family = profile->address.any.sa_family;

	s->fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	s->mode = mode;
	if (s->fd < 0)
		return refuse(why, FAULT_SEND_SOCKET, "a socket: %s", strerror(errno));
	if (profile->interface != NULL && setsockopt(s->fd, SOL_SOCKET, SO_BINDTODEVICE, profile->interface,
						     (socklen_t)strlen(profile->interface)) < 0)
		return refuse(why, FAULT_SEND_SOCKET, "interface %s: %s", profile->interface, strerror(errno));
	if (set_no_fragments(s->fd, family) < 0)
		return refuse(why, FAULT_SEND_SOCKET, "%s: packets must not be cut: %s", profile->to, strerror(errno));
	if (connect(s->fd, &profile->address.any, profile->address_size) < 0)
		return refuse(why, FAULT_SEND_SOCKET, "%s: %s", profile->to, strerror(errno));
	s->buffer = set_buffer(s->fd);
	if (s->mode == SENDSOCKET_SEGMENTS && !has_segments(s->fd))
		lower(s, SENDSOCKET_MANY, ENOPROTOOPT);
	prepare(s);
	*ret = steal_pointer(&s);
	return FAULT_NONE;
}

void sendsocket_free(struct sendsocket *socket)
{
	if (socket == NULL)
		return;
	cleanup_close(&socket->fd);
	free(socket);
}

void sendsocket_freep(struct sendsocket **socket)
{
	sendsocket_free(*socket);
}

/* Packets of one message. */
static size_t packets_a_message(const struct sendsocket *socket, size_t packet_size)
{
	size_t n = MESSAGE_BYTES / packet_size;

	if (socket->mode != SENDSOCKET_SEGMENTS)
		return 1;
	return n > SEGMENTS ? SEGMENTS : n;
}

size_t sendsocket_batch(const struct sendsocket *socket, size_t packet_size)
{
	size_t n = CALL_BYTES / packet_size, most = MESSAGES * packets_a_message(socket, packet_size);

	return n > most ? most : n;
}

static void set_segment(struct msghdr *header, struct message *message, uint16_t size)
{
	struct cmsghdr *control;

	header->msg_control = message->control.bytes;
	header->msg_controllen = sizeof(message->control.bytes);
	control = CMSG_FIRSTHDR(header);
	control->cmsg_level = IPPROTO_UDP;
	control->cmsg_type = UDP_SEGMENT;
	control->cmsg_len = CMSG_LEN(sizeof(size));
	memcpy(CMSG_DATA(control), &size, sizeof(size));
}

/* As many messages as N packets take, or MESSAGES. */
static unsigned fill(struct sendsocket *socket, uint8_t *packets, size_t n, size_t packet_size)
{
	size_t each = packets_a_message(socket, packet_size);
	unsigned n_messages = 0;

	while (n > 0 && n_messages < MESSAGES) {
		struct msghdr *header = &socket->headers[n_messages].msg_hdr;
		size_t now = n < each ? n : each;

		header->msg_iov->iov_base = packets;
		header->msg_iov->iov_len = now * packet_size;
		header->msg_control = NULL;
		header->msg_controllen = 0;
		if (now > 1)
			set_segment(header, &socket->messages[n_messages], (uint16_t)packet_size);
		packets += now * packet_size;
		n -= now;
		n_messages++;
	}
	return n_messages;
}

/* Whether it can go on in a lower mode after that error. */
static bool fall_back(struct sendsocket *socket, int error)
{
	if (socket->mode == SENDSOCKET_SEGMENTS &&
	    (error == EIO || error == EINVAL || error == EMSGSIZE || error == EOPNOTSUPP || error == ENOPROTOOPT))
		lower(socket, SENDSOCKET_MANY, error);
	else if (socket->mode == SENDSOCKET_MANY && (error == ENOSYS || error == EOPNOTSUPP))
		lower(socket, SENDSOCKET_SINGLE, error);
	else
		return false;
	return true;
}

/* Gives the kernel N_MESSAGES: how many it took, or a negative errno where it took none. */
static int give(struct sendsocket *socket, unsigned n_messages)
{
	int r;

	if (socket->mode == SENDSOCKET_SINGLE)
		r = sendmsg(socket->fd, &socket->headers[0].msg_hdr, 0) < 0 ? -1 : 1;
	else
		r = sendmmsg(socket->fd, socket->headers, n_messages, 0);
	return r < 0 ? -errno : r;
}

/* Whether the same is worth another try; sleeps where it takes time. */
static bool try_again(int error, unsigned *tries)
{
	const struct timespec pause = {.tv_nsec = BUSY_PAUSE};

	if (++*tries > BUSY_TRIES)
		return false;
	switch (error) {
	case EINTR:
	/* Somebody's answer to an earlier packet. */
	case ECONNREFUSED:
		return true;
	case ENOBUFS:
	case EAGAIN:
	case ENOMEM:
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
		return true;
	default:
		return false;
	}
}

size_t sendsocket_send(struct sendsocket *socket, uint8_t *packets, size_t n, size_t packet_size, int *ret_errno)
{
	size_t at = 0, lost = 0;
	unsigned tries = 0;

	while (at < n) {
		unsigned n_messages = fill(socket, packets + at * packet_size, n - at, packet_size);
		size_t each = packets_a_message(socket, packet_size), went;
		int r = give(socket, n_messages);

		if (r < 0 && (fall_back(socket, -r) || try_again(-r, &tries)))
			continue;
		went = (size_t)(r < 0 ? 1 : r) * each;
		went = went > n - at ? n - at : went;
		if (r < 0) {
			*ret_errno = -r;
			lost += went;
		}
		at += went;
		tries = 0;
	}
	return n - lost;
}

enum sendsocket_mode sendsocket_mode(const struct sendsocket *socket)
{
	return socket->mode;
}

int sendsocket_fallback(const struct sendsocket *socket)
{
	return socket->fallback;
}

int sendsocket_buffer(const struct sendsocket *socket)
{
	return socket->buffer;
}
