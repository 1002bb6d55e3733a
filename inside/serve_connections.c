/* SPDX-License-Identifier: ISC
 *
 * serve_connections: a list under one lock, which is taken when a connection comes, when it goes, and once a second. A connection is cut off by
 * shutdown(2): its own thread sees the end and tidies up.
 */
#include "inside/serve_connections.h"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "bundle/limits.h"
#include "inside/serve.h"

struct serve_connection {
	struct serve_connection *next, *previous;
	int fd;
	bool is_local; /* this host's own, or unix: a server in front, whose readers are not told apart here */
	uint8_t address[16];
	char peer[INET6_ADDRSTRLEN];
	atomic_int_least64_t waits;   /* since when a head is waited for; 0: a request is being answered */
	atomic_int_least64_t answers; /* since when an answer is being made or sent; 0: none is */
	atomic_bool rests;
	int64_t paced;  /* when TAKEN was looked at; 0: not in this answer */
	uint64_t taken; /* bytes that the reader's kernel has acknowledged by then */
};

struct serve_connections {
	pthread_mutex_t lock;
	const struct serve_config *config;
	struct serve_connection first; /* the list's end and begin */
	struct serve_connection_counts counts;
};

struct serve_connections *serve_connections_new(const struct serve_config *config)
{
	struct serve_connections *connections = xcalloc(1, sizeof(*connections));

	pthread_mutex_init(&connections->lock, NULL);
	connections->config = config;
	connections->first.next = connections->first.previous = &connections->first;
	return connections;
}

void serve_connections_free(struct serve_connections *connections)
{
	if (connections == NULL)
		return;
	while (connections->first.next != &connections->first)
		serve_connection_close(connections, connections->first.next);
	pthread_mutex_destroy(&connections->lock);
	free(connections);
}

/* As IPv6 has it, IPv4 mapped; of IPv6 the network of 64 bits, which one host has whole. Whether it is an address of another host. */
static bool read_address(const struct sockaddr *from, uint8_t address[16])
{
	static const uint8_t loopback[16] = {[15] = 1};
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)from;
	const struct sockaddr_in *four = (const struct sockaddr_in *)from;

	memset(address, 0, 16);
	if (from == NULL || (from->sa_family != AF_INET && from->sa_family != AF_INET6))
		return false;
	if (from->sa_family == AF_INET) {
		memset(address + 10, 0xff, 2);
		memcpy(address + 12, &four->sin_addr, 4);
		return address[12] != 127;
	}
	memcpy(address, &six->sin6_addr, 16);
	if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
		return address[12] != 127;
	if (memcmp(address, loopback, 16) == 0)
		return false;
	memset(address + 8, 0, 8);
	return true;
}

static void name_peer(const struct sockaddr *from, char peer[INET6_ADDRSTRLEN])
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)from;

	if (from != NULL && from->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)from)->sin_addr, peer, INET6_ADDRSTRLEN);
	else if (from != NULL && from->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
		inet_ntop(AF_INET, (const uint8_t *)&six->sin6_addr + 12, peer, INET6_ADDRSTRLEN);
	else if (from != NULL && from->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &six->sin6_addr, peer, INET6_ADDRSTRLEN);
	else
		memcpy(peer, "unix", sizeof("unix"));
}

bool serve_connections_admit(struct serve_connections *connections, const struct sockaddr *address)
{
	uint8_t bytes[16];
	bool is_foreign = read_address(address, bytes), is_welcome;
	int64_t n = 0;

	pthread_mutex_lock(&connections->lock);
	is_welcome = (int64_t)connections->counts.now < connections->config->connections;
	for (const struct serve_connection *at = connections->first.next;
	     is_welcome && is_foreign && at != &connections->first; at = at->next) {
		n += !at->is_local && memcmp(at->address, bytes, sizeof(bytes)) == 0;
		is_welcome = n < connections->config->per_address;
	}
	connections->counts.turned_away += !is_welcome;
	pthread_mutex_unlock(&connections->lock);
	return is_welcome;
}

struct serve_connection *serve_connection_open(struct serve_connections *connections, int fd,
					       const struct sockaddr *address)
{
	struct serve_connection *connection = xcalloc(1, sizeof(*connection));

	connection->fd = fd;
	connection->is_local = !read_address(address, connection->address);
	name_peer(address, connection->peer);
	atomic_init(&connection->waits, serve_now());
	pthread_mutex_lock(&connections->lock);
	connection->next = &connections->first;
	connection->previous = connections->first.previous;
	connection->previous->next = connection->next->previous = connection;
	connections->counts.now++;
	connections->counts.all++;
	pthread_mutex_unlock(&connections->lock);
	return connection;
}

void serve_connection_close(struct serve_connections *connections, struct serve_connection *connection)
{
	pthread_mutex_lock(&connections->lock);
	connection->previous->next = connection->next;
	connection->next->previous = connection->previous;
	connections->counts.now--;
	pthread_mutex_unlock(&connections->lock);
	free(connection);
}

const char *serve_connection_peer(const struct serve_connection *connection)
{
	return connection->peer;
}

void serve_connection_begins(struct serve_connection *connection)
{
	atomic_store(&connection->waits, 0);
	atomic_store(&connection->answers, serve_now());
}

void serve_connection_ends(struct serve_connection *connection)
{
	atomic_store(&connection->answers, 0);
	atomic_store(&connection->rests, false);
	atomic_store(&connection->waits, serve_now());
}

void serve_connection_rests(struct serve_connection *connection)
{
	atomic_store(&connection->rests, true);
}

bool serve_connection_is_gone(const struct serve_connection *connection)
{
	char byte;

	return recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Whether the reader takes less than it must: asked of the kernel, which knows what was acknowledged and what lies there to be sent. */
static bool is_slow(struct serve_connection *connection, int64_t now)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);
	bool is_slow;

	if (getsockopt(connection->fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
		return false;
	if (connection->paced == 0 || info.tcpi_unacked + info.tcpi_notsent_bytes == 0) {
		connection->paced = now;
		connection->taken = info.tcpi_bytes_acked;
		return false;
	}
	if (now - connection->paced < LIMIT_SERVE_PACE_TIME)
		return false;
	is_slow = info.tcpi_bytes_acked - connection->taken < (uint64_t)(now - connection->paced) * LIMIT_SERVE_PACE;
	connection->paced = now;
	connection->taken = info.tcpi_bytes_acked;
	return is_slow;
}

/* Nobody is there any more to send what is waited for. libmicrohttpd does not see an end that came in one packet with what it read last. */
static bool has_left(const struct serve_connection *connection, int64_t waits, int64_t now)
{
	return waits != 0 && now > waits && serve_connection_is_gone(connection);
}

void serve_connections_look(struct serve_connections *connections)
{
	int64_t now = serve_now();

	pthread_mutex_lock(&connections->lock);
	for (struct serve_connection *at = connections->first.next; at != &connections->first; at = at->next) {
		int64_t waits = atomic_load(&at->waits);

		if (waits != 0 && now - waits > LIMIT_SERVE_HEAD_TIME) {
			connections->counts.cut_head++;
			atomic_store(&at->waits, now);
			shutdown(at->fd, SHUT_RDWR);
		} else if (has_left(at, waits, now)) {
			shutdown(at->fd, SHUT_RDWR);
		} else if (atomic_load(&at->answers) == 0 || atomic_load(&at->rests)) {
			at->paced = 0;
		} else if (is_slow(at, now)) {
			connections->counts.cut_pace++;
			shutdown(at->fd, SHUT_RDWR);
		}
	}
	pthread_mutex_unlock(&connections->lock);
}

struct serve_connection_counts serve_connections_counts(struct serve_connections *connections)
{
	struct serve_connection_counts counts;

	pthread_mutex_lock(&connections->lock);
	counts = connections->counts;
	pthread_mutex_unlock(&connections->lock);
	return counts;
}
