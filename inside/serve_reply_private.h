/* SPDX-License-Identifier: ISC
 *
 * serve_reply, its own: what a handler's answer is until it is sent; and one request with all that belongs to it.
 */
#ifndef INSIDE_SERVE_REPLY_PRIVATE_H
#define INSIDE_SERVE_REPLY_PRIVATE_H

#include <microhttpd.h>
#include <stdatomic.h>

#include "inside/serve_access.h"
#include "inside/serve_reply.h"
#include "inside/serve_request.h"
#include "inside/serve_routes.h"
#include "inside/serve_set.h"

enum serve_reply_kind {
	SERVE_REPLY_NONE,
	SERVE_REPLY_TEXT,
	SERVE_REPLY_FILE,
	SERVE_REPLY_STREAM,
};

/* Headers that handlers add: a download's name, a retry, a link. */
#define SERVE_REPLY_HEADERS 12
/* Versions that an answer is about: one; two of a diff. */
#define SERVE_REPLY_DATASETS 4
/* A digest in hex, "-zstd", quotes, NUL. */
#define SERVE_ETAG_SIZE 80

struct serve_reply {
	enum serve_reply_kind kind;
	unsigned status;
	const char *type;
	char *text;
	struct serve_body *shared; /* instead of TEXT */
	size_t size;
	int fd;                                /* -1: of a stored file, until it is needed */
	const struct serve_dataset *stored_of; /* serve_reply_stored */
	const struct serve_file *stored;
	uint64_t file_size;
	char etag[SERVE_ETAG_SIZE]; /* without quotes and coding; "" none */
	int64_t modified;           /* 0: none */
	serve_more *more;
	void (*done)(void *ctx);
	void *ctx;
	struct {
		char *name, *value;
	} headers[SERVE_REPLY_HEADERS];
	size_t n_headers;
	bool is_volatile, is_private, is_pinned;
	atomic_uint_least64_t rows;
	const struct serve_dataset *about;                      /* borrowed from SET, or from what is kept */
	const struct serve_dataset *kept[SERVE_REPLY_DATASETS]; /* references of its own */
	size_t n_kept;
	const struct serve_request *request;
	const struct serve_set *set;
};

void serve_reply_init(struct serve_reply *reply, const struct serve_request *request);
/* Frees what is not sent, and the references. */
void serve_reply_clear(struct serve_reply *reply);
/* Its answer is of a set that never changes: a named generation, or version. */
void serve_reply_pinned(struct serve_reply *reply);

struct serve_connection;

/* One request, from its first line until its answer was sent. */
struct serve_call {
	struct serve *serve;
	struct serve_connection *connection;
	struct serve_request request;
	struct refusal refusal; /* what its target was refused for; FAULT_NONE */
	const struct serve_set *set;
	const struct serve_route *route;
	struct serve_reader reader;
	bool is_admitted; /* serve_access_release is owed */
	bool has_body;
	bool is_begun; /* its head was seen */
	const char
		*target; /* where it lies in libmicrohttpd's buffer, and how long it is there: compared, never read */
	size_t target_size;
	bool is_answered; /* a response was queued */
	struct serve_reply reply;
	struct serve_outcome outcome;
	/* A stream that is being sent; it keeps the call, as the request does. */
	serve_more *more;
	void (*done)(void *ctx);
	void *ctx;
	bool is_encoding;               /* it counts in what the daemon allows at once */
	atomic_uint_least64_t streamed; /* bytes so far */
	struct MHD_Connection *mhd;
	atomic_uint refs;
	int64_t begun;
};

struct serve_call *serve_call_new(struct serve *serve);
/* The last one frees it, with the set that it holds. */
void serve_call_unref(struct serve_call *call);

/* serve_daemon.c: one more body is being encoded while it is sent; false where there are enough. */
bool serve_daemon_may_encode(struct serve_daemon *daemon);
void serve_daemon_encoded(struct serve_daemon *daemon);
/* Called from a stream's reader: the connection rests until the next look (SERVE_STREAM_LATER). */
bool serve_daemon_rest(struct serve_daemon *daemon, struct MHD_Connection *connection);

/* Sends what REPLY holds: conditions, ranges, codings, headers. What the reply held is taken. */
enum MHD_Result serve_send(struct serve_call *call, struct MHD_Connection *connection);

#endif
