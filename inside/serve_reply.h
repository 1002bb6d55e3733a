/* SPDX-License-Identifier: ISC
 *
 * serve_reply: what a handler answers with. The core does the rest, alike for all: HEAD, conditions (304), ranges, encodings, the headers that
 * every answer has (Clapet-Generation, Cache-Control, security), counting and the access log.
 */
#ifndef INSIDE_SERVE_REPLY_H
#define INSIDE_SERVE_REPLY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/fault.h"
#include "inside/serve.h"

struct serve_body;
struct serve_dataset;
struct serve_file;

/* TEXT of SIZE bytes, from malloc, is taken. TYPE is static: "text/html; charset=utf-8". An answer of 200 gets an ETag from its bytes. */
void serve_reply_text(struct serve_reply *reply, unsigned status, const char *type, char *text, size_t size);
/* JSON is taken; application/json. */
void serve_reply_json(struct serve_reply *reply, unsigned status, json_t *json);
/* A text that others are answered with, too (serve_encode.h); the reference is taken. */
void serve_reply_shared(struct serve_reply *reply, const char *type, struct serve_body *body);
/* JSON (taken) as it is sent: indented, with a line feed at its end. New. */
char *serve_json_text(json_t *json);
/* The same under another media type ("application/ld+json"). */
void serve_reply_json_as(struct serve_reply *reply, unsigned status, const char *type, json_t *json);
/* A regular file: FD is taken. ETAG without quotes (a digest in hex); "" none. MODIFIED: seconds since 1970; 0 none. */
void serve_reply_file(struct serve_reply *reply, int fd, uint64_t size, const char *type, const char *etag,
		      int64_t modified);
/* A file of DATASET, which is opened when its bytes are not at hand. The dataset is good as long as the request. */
void serve_reply_stored(struct serve_reply *reply, const struct serve_dataset *dataset, const struct serve_file *file);
/* Bytes that are made while they are sent, of unknown size. MORE writes up to SIZE bytes and returns their number: 0 at the end,
 * SERVE_STREAM_ERROR cuts the connection (so that nobody takes a part for the whole), SERVE_STREAM_LATER: nothing now; asked again when a new
 * generation is current, at the latest after a second; holds no thread meanwhile. MORE is called by one thread at a time. DONE (may be NULL)
 * frees CTX, however it ended. Both are called without REPLY's locks, and may call serve_reply_add_rows. */
#define SERVE_STREAM_ERROR (-1)
#define SERVE_STREAM_LATER (-2)
typedef ssize_t serve_more(void *ctx, char *to, size_t size);
void serve_reply_stream(struct serve_reply *reply, const char *type, serve_more *more, void (*done)(void *ctx),
			void *ctx);
/* What went wrong, for people and machines: application/problem+json (RFC 9457), or a page where a page is preferred. CODE is its "type" and
 * "code"; FAULT_NONE: none of ours. Whatever was set before as the answer is dropped. */
void serve_reply_problem(struct serve_reply *reply, unsigned status, enum fault code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The ETag of the answer that was set before, without quotes: of a stream, whose bytes nobody has seen, or instead of the text's digest. Then If-None-Match
 * is heard. */
void serve_reply_etag(struct serve_reply *reply, const char *etag);

/* One more header; before or after the answer was set. NAME and VALUE are copied; VALUE holds no control characters (they are dropped). */
void serve_reply_header(struct serve_reply *reply, const char *name, const char *value);
/* The answer is of this moment: Cache-Control: no-store, no ETag. */
void serve_reply_volatile(struct serve_reply *reply);
/* The answer depends on who asks, or on a filter of theirs: Cache-Control: private beside the rest. Called by the core too for all but open data. */
void serve_reply_private(struct serve_reply *reply);

/* For the access log: rows that were given. May be called from a stream's MORE. */
void serve_reply_add_rows(struct serve_reply *reply, uint64_t n);

/* --- for the core ---------------------------------------------------------------------------------------------------- */

/* Notes what the answer is about: Clapet-Version, and the access log. The reply takes over the reference to DATASET where IS_TAKEN. */
void serve_reply_about(struct serve_reply *reply, const struct serve_dataset *dataset, bool is_taken);
bool serve_reply_is_set(const struct serve_reply *reply);

#endif
