/* SPDX-License-Identifier: ISC
 *
 * sendneighbour: one question for the route, one for the table of neighbours. What answers is the kernel; lengths are checked all the same.
 */
#include "outside/sendneighbour.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

#define ANSWER_SIZE (64 * 1024)
/* The kernel says up to a second late that a cable is in; microseconds. */
#define CARRIER_TRIES 15
#define CARRIER_PAUSE 100000

struct address {
	uint8_t family, size;
	uint8_t bytes[16];
};

struct request {
	struct nlmsghdr header;
	union {
		struct rtmsg route;
		struct ndmsg neighbour;
	} body;
	uint8_t attributes[64];
};

static struct address address_of(const struct sockaddr *to)
{
	struct address address = {.family = (uint8_t)to->sa_family};

	address.size = to->sa_family == AF_INET6 ? 16 : 4;
	if (to->sa_family == AF_INET6)
		memcpy(address.bytes, &((const struct sockaddr_in6 *)(const void *)to)->sin6_addr, 16);
	else
		memcpy(address.bytes, &((const struct sockaddr_in *)(const void *)to)->sin_addr, 4);
	return address;
}

static void add_attribute(struct request *request, unsigned short type, const void *data, size_t size)
{
	struct rtattr *attribute = (struct rtattr *)(void *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));

	attribute->rta_type = type;
	attribute->rta_len = (unsigned short)RTA_LENGTH(size);
	memcpy(RTA_DATA(attribute), data, size);
	request->header.nlmsg_len = (uint32_t)(NLMSG_ALIGN(request->header.nlmsg_len) + RTA_LENGTH(size));
}

/* One datagram of the answer: its bytes, or a negative errno. */
static ssize_t receive(int fd, uint8_t *answer)
{
	ssize_t n = recv(fd, answer, ANSWER_SIZE, 0);

	return n < 0 ? -errno : n;
}

/* --- the route --- */

struct route {
	int interface; /* index */
	struct address next;
};

static int read_route(const struct nlmsghdr *header, struct route *route)
{
	const struct rtmsg *message = NLMSG_DATA(header);
	int left = (int)RTM_PAYLOAD(header);

	if (header->nlmsg_type == NLMSG_ERROR)
		return ((const struct nlmsgerr *)NLMSG_DATA(header))->error;
	if (header->nlmsg_type != RTM_NEWROUTE)
		return -EPROTO;
	if (message->rtm_type != RTN_UNICAST && message->rtm_type != RTN_LOCAL && message->rtm_type != RTN_MULTICAST &&
	    message->rtm_type != RTN_BROADCAST)
		return -ENETUNREACH;
	for (const struct rtattr *a = RTM_RTA(message); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == RTA_OIF && RTA_PAYLOAD(a) == sizeof(route->interface))
			memcpy(&route->interface, RTA_DATA(a), sizeof(route->interface));
		if (a->rta_type == RTA_GATEWAY && RTA_PAYLOAD(a) == route->next.size)
			memcpy(route->next.bytes, RTA_DATA(a), route->next.size);
	}
	return 0;
}

static int ask_route(int fd, uint8_t *answer, struct route *route)
{
	struct request request = {
		.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
			   .nlmsg_type = RTM_GETROUTE,
			   .nlmsg_flags = NLM_F_REQUEST},
		.body.route = {.rtm_family = route->next.family, .rtm_dst_len = (uint8_t)(8 * route->next.size)},
	};
	ssize_t n;

	add_attribute(&request, RTA_DST, route->next.bytes, route->next.size);
	if (route->interface != 0)
		add_attribute(&request, RTA_OIF, &route->interface, sizeof(route->interface));
	if (send(fd, &request, request.header.nlmsg_len, 0) < 0)
		return -errno;
	n = receive(fd, answer);
	if (n < 0)
		return (int)n;
	if (!NLMSG_OK((const struct nlmsghdr *)(const void *)answer, (size_t)n))
		return -EPROTO;
	return read_route((const struct nlmsghdr *)(const void *)answer, route);
}

/* --- the neighbours --- */

/* What one entry says of ROUTE's next machine: its state; SENDNEIGHBOUR_NONE where it is another's. */
static enum sendneighbour_state read_neighbour(const struct nlmsghdr *header, const struct route *route)
{
	const struct ndmsg *message = NLMSG_DATA(header);
	int left = (int)NLMSG_PAYLOAD(header, sizeof(*message));
	const char *data = (const char *)message + NLMSG_ALIGN(sizeof(*message));

	if (header->nlmsg_type != RTM_NEWNEIGH || message->ndm_ifindex != route->interface)
		return SENDNEIGHBOUR_NONE;
	for (const struct rtattr *a = (const struct rtattr *)(const void *)data; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == NDA_DST && RTA_PAYLOAD(a) == route->next.size &&
		    memcmp(RTA_DATA(a), route->next.bytes, route->next.size) == 0) {
			if ((message->ndm_state & NUD_PERMANENT) != 0)
				return SENDNEIGHBOUR_PERMANENT;
			if ((message->ndm_state & NUD_NOARP) != 0)
				return SENDNEIGHBOUR_UNNEEDED;
			return (message->ndm_state & (NUD_FAILED | NUD_INCOMPLETE)) != 0 ? SENDNEIGHBOUR_NONE
											 : SENDNEIGHBOUR_LEARNED;
		}
	return SENDNEIGHBOUR_NONE;
}

static int ask_neighbours(int fd, uint8_t *answer, const struct route *route, enum sendneighbour_state *ret_state)
{
	struct request request = {
		.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ndmsg)),
			   .nlmsg_type = RTM_GETNEIGH,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.body.neighbour = {.ndm_family = route->next.family},
	};

	*ret_state = SENDNEIGHBOUR_NONE;
	if (send(fd, &request, request.header.nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		ssize_t n = receive(fd, answer);
		size_t left = n < 0 ? 0 : (size_t)n;

		if (n < 0)
			return (int)n;
		for (const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)answer; NLMSG_OK(h, left);
		     h = NLMSG_NEXT(h, left)) {
			enum sendneighbour_state state;

			if (h->nlmsg_type == NLMSG_DONE)
				return 0;
			if (h->nlmsg_type == NLMSG_ERROR)
				return ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
			state = read_neighbour(h, route);
			if (state != SENDNEIGHBOUR_NONE)
				*ret_state = state;
		}
	}
}

/* --- the interface --- */

static int read_interface(int index, struct sendneighbour *found, bool *ret_needs_neighbour)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_ifindex = index};

	if (fd < 0 || ioctl(fd, SIOCGIFNAME, &request) < 0)
		return -errno;
	memcpy(found->interface, request.ifr_name, sizeof(found->interface));
	for (unsigned i = 0; i < CARRIER_TRIES && !found->is_up; i++) {
		if (i > 0)
			usleep(CARRIER_PAUSE);
		if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
			return -errno;
		found->is_up = (request.ifr_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
	}
	*ret_needs_neighbour = (request.ifr_flags & (IFF_LOOPBACK | IFF_NOARP | IFF_POINTOPOINT)) == 0;
	if (ioctl(fd, SIOCGIFMTU, &request) < 0)
		return -errno;
	found->mtu = (unsigned)request.ifr_mtu;
	return 0;
}

int sendneighbour_find(const struct sockaddr *to, const char *interface, struct sendneighbour *ret)
{
	struct route route = {.interface = interface == NULL ? 0 : (int)if_nametoindex(interface),
			      .next = address_of(to)};
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	_cleanup_free_ uint8_t *answer = xmalloc(ANSWER_SIZE);
	struct sendneighbour found = {.state = SENDNEIGHBOUR_UNNEEDED};
	bool needs_neighbour = false;
	int r;

	if (fd < 0)
		return -errno;
	if (route.interface == 0 && to->sa_family == AF_INET6)
		route.interface = (int)((const struct sockaddr_in6 *)(const void *)to)->sin6_scope_id;
	r = interface != NULL && route.interface == 0 ? -ENODEV : ask_route(fd, answer, &route);
	if (r == 0)
		r = read_interface(route.interface, &found, &needs_neighbour);
	if (r == 0 && needs_neighbour)
		r = ask_neighbours(fd, answer, &route, &found.state);
	if (r < 0)
		return r;
	inet_ntop(route.next.family, route.next.bytes, found.next, sizeof(found.next));
	*ret = found;
	return 0;
}
