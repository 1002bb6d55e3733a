/* SPDX-License-Identifier: ISC
 *
 * serve_connections: who is connected. Bounds on how many at once, in all and of one address; and on how long: a head that does not end, an answer
 * that nobody takes. libmicrohttpd itself bounds silence alone, which one byte now and then breaks.
 */
#ifndef INSIDE_SERVE_CONNECTIONS_H
#define INSIDE_SERVE_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "inside/config_serve.h"

struct serve_connections;
struct serve_connection;

struct serve_connections *serve_connections_new(const struct serve_config *config);
void serve_connections_free(struct serve_connections *connections);

/* Whether one more from there is welcome. ADDRESS may be NULL (unix). */
bool serve_connections_admit(struct serve_connections *connections, const struct sockaddr *address);
/* FD stays the caller's, and open until serve_connection_close. */
struct serve_connection *serve_connection_open(struct serve_connections *connections, int fd,
					       const struct sockaddr *address);
void serve_connection_close(struct serve_connections *connections, struct serve_connection *connection);

/* "192.0.2.7" or "unix". */
const char *serve_connection_peer(const struct serve_connection *connection);
/* A request's head is there, its answer is being made and sent; and it was sent. */
void serve_connection_begins(struct serve_connection *connection);
void serve_connection_ends(struct serve_connection *connection);
/* Its answer comes when there is something to say: it may rest. */
void serve_connection_rests(struct serve_connection *connection);
/* Whether the other end has closed it: nobody else notices while it rests. */
bool serve_connection_is_gone(const struct serve_connection *connection);

/* Once a second: cuts off who takes too long (bundle/limits.h). */
void serve_connections_look(struct serve_connections *connections);

struct serve_connection_counts {
	uint64_t now;         /* open */
	uint64_t all;         /* ever */
	uint64_t turned_away; /* too many */
	uint64_t cut_head;    /* a head that did not end */
	uint64_t cut_pace;    /* an answer that nobody took */
};
struct serve_connection_counts serve_connections_counts(struct serve_connections *connections);

#endif
