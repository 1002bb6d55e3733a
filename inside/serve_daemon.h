/* SPDX-License-Identifier: ISC
 *
 * serve_daemon: libmicrohttpd's threads, and a request's way through them: target, method, headers, reader, set, route, handler, answer, log.
 */
#ifndef INSIDE_SERVE_DAEMON_H
#define INSIDE_SERVE_DAEMON_H

#include <stdbool.h>
#include <stddef.h>

#include "inside/serve.h"
#include "inside/serve_connections.h"

struct serve_daemon;

struct serve_daemon *serve_daemon_new(struct serve *serve);
/* Begins to answer on FDS, which listen and become its own. Behind the sandbox. Dies where it cannot. */
void serve_daemon_start(struct serve_daemon *daemon, const int *fds, size_t n_fds);
/* Wakes streams that rest. */
void serve_daemon_wake(struct serve_daemon *daemon);
/* Once a second. */
void serve_daemon_look(struct serve_daemon *daemon);
/* Takes no more connections, lets answers end for some seconds, ends the threads. */
void serve_daemon_stop(struct serve_daemon *daemon);
void serve_daemon_free(struct serve_daemon *daemon);

struct serve_connection_counts serve_daemon_connections(const struct serve *serve);
/* Answers that are being made or sent. */
uint64_t serve_daemon_answering(const struct serve *serve);

#endif
