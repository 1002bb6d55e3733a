/* SPDX-License-Identifier: ISC
 *
 * serve_access: who asks, and what they may see; and the log of who read what. Decided once a request, before any handler.
 */
#ifndef INSIDE_SERVE_ACCESS_H
#define INSIDE_SERVE_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/sandbox.h"
#include "inside/serve.h"

struct access_view;

/* Who asks. Lives as long as the request. */
struct serve_reader {
	const char *key_id;             /* "": nobody gave a key */
	const char *owner;              /* "" likewise */
	const struct access_view *view; /* NULL: no view */
	bool sees_all;                  /* came by the operators' socket: without a view every dataset is open */
	void *held;                     /* serve_access.c's own: what serve_access_release gives back */
};

/* What a request came to, when its answer was sent or broke off. Pointers are good during the call. */
struct serve_outcome {
	unsigned status;
	uint64_t bytes;       /* of the body, as sent (encoded); where it broke off, what was known to be sent */
	uint64_t rows;        /* serve_reply_add_rows */
	const char *route;    /* the pattern, "/datasets/{name}/{file}"; "" where none fits */
	const char *dataset;  /* "" */
	const char *version;  /* 16 hex digits; "" */
	const char *file;     /* the last segment where it names a file or resource; "" */
	const char *encoding; /* "identity", "gzip", "zstd" */
	uint64_t generation;
	int64_t microseconds; /* from the request line to the last byte handed to the kernel */
	bool is_complete;     /* false: the reader went away, or was cut off */
};

enum serve_verdict {
	SERVE_ADMITTED,
	SERVE_TURNED_AWAY /* the reply says why: 401, 403, 404 (no such view), 429 */
};

/* Before the sandbox: reads access.json and keys, opens the access log's folder. FAULT_… with the reason: the server does not start. */
enum fault serve_access_open(struct serve *serve, struct refusal *why);
void serve_access_close(struct serve *serve);
/* Folders that stay usable behind the sandbox beside the store (the access log's to write, access.json's to read again). At most ROOM. */
size_t serve_access_folders(const struct serve *serve, struct sandbox_folder *folders, size_t room);
/* Once a second, by one thread: reads again what changed, writes out what waits for the access log, deletes what is too old. */
void serve_access_tick(struct serve *serve);

enum serve_verdict serve_access_admit(struct serve *serve, const struct serve_request *request,
				      struct serve_reader *ret_reader, struct serve_reply *reply);
/* When the answer was sent; also for who was turned away. */
void serve_access_release(struct serve *serve, struct serve_reader *reader);

/* Whether the reader may see that there is such a dataset, and read it. A dataset that may not be seen is left out of lists. */
bool serve_access_may_see(const struct serve_reader *reader, const char *dataset);
/* The answer to who names a dataset that they may not see, or that is not there: the same words for both, so that a private name is never told
 * (404), or 401 and 403 as access.json says. */
void serve_access_refuse(struct serve *serve, const struct serve_request *request, const struct serve_reader *reader,
			 const char *dataset, struct serve_reply *reply);
/* Whether a key is needed for the dataset at all: false for open data, which shared caches may keep. */
bool serve_access_is_open(const struct serve *serve, const char *dataset);
/* A view's filter: rows whose COLUMN (what is returned) has the value *RET_VALUE; NULL: none. With a filter the whole file and its digests are
 * not given, but the filtered rows. RESOURCE NULL: whether any resource of DATASET has one (the column of the first). */
const char *serve_access_row_filter(const struct serve_reader *reader, const char *dataset, const char *resource,
				    const char **ret_value);

/* Lines of the access log that were lost since the start, for metrics. */
uint64_t serve_access_lost(const struct serve *serve);

/* One JSON line. Called by all threads when an answer is over; buffered, and never waits for the disk for long. */
void serve_access_log(struct serve *serve, const struct serve_request *request, const struct serve_reader *reader,
		      const struct serve_outcome *outcome);

#endif
