/* SPDX-License-Identifier: ISC
 *
 * serve: inside-serve, the one program that answers readers on other hosts: the store read-only, a listening socket that was opened before the
 * sandbox, no call that connects. What all of its modules share. Its parts:
 *
 *     serve_main.c      options, what is opened before the sandbox, the sandbox
 *     serve_daemon.c    libmicrohttpd's threads; a request's way: parse, set, route, reader, handler, answer, access log
 *     serve_request.*   one request, parsed and bounded (pure; fuzzed)
 *     serve_routes.*    the table: pattern, handler, what it answers. A new page is a line there and a handler
 *     serve_set.*       one generation, opened: immutable, reference counted
 *     serve_reply.*     what a handler answers with
 *     serve_access.*    who may see what; the access log
 *
 * Handlers run in several threads at once. What they share is immutable (a set and what hangs on it), atomic (counts), or behind a lock of
 * its module. A handler may read the store; what it reads was checked before it came there, and is bounded all the same.
 */
#ifndef INSIDE_SERVE_H
#define INSIDE_SERVE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inside/config.h"

struct serve_access;
struct serve_cache;
struct serve_counts;
struct serve_daemon;
struct serve_kept;
struct serve_log;
struct serve_reader;
struct serve_reply;
struct serve_request;
struct serve_set;
struct serve_sets;

/* One server. Made before the sandbox, freed after the last thread; only what is behind pointers changes in between. */
struct serve {
	const struct inside_config *config; /* config->serve is the section "serve" */
	int store_fd;                       /* the store's folder, for reading */
	int64_t started;                    /* seconds since 1970 */
	struct serve_sets *sets;
	struct serve_cache *cache;   /* of small bodies (serve_encode.h) */
	struct serve_daemon *daemon; /* serve_daemon.c's own */
	struct serve_access *access; /* serve_access.c's own */
	struct serve_kept *kept;     /* status.json as it was parsed last (serve_kept.h) */
	struct serve_log *log;       /* serve_access_log's own */
	struct serve_counts *counts; /* serve_status.c's own */
	pthread_mutex_t history;     /* one thread at a time reads histories: there may be thousands of documents */
	atomic_uint n_listeners;     /* who listens for events (serve_events.c) */
};

/* Answers a request: exactly one of serve_reply_text, _json, _file, _stream or _problem. SET is the generation that the request means: the
 * current one, or that of /generations/N/. It and everything that hangs on it is good until the reply was sent, and so is REQUEST. READER was
 * admitted; what it may see of a dataset is asked by serve_pick. */
typedef void serve_handler(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
			   const struct serve_reader *reader, struct serve_reply *reply);

/* Seconds since 1970, and monotonic microseconds. */
int64_t serve_now(void);
int64_t serve_ticks(void);

#endif
