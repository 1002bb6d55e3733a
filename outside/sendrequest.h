/* SPDX-License-Identifier: ISC
 *
 * sendrequest: what a sender that runs is asked by another process: a file in its state folder, "request-<16 hex>.json" (FORMAT.md 31.5). Two
 * senders on one link would contradict each other; so who finds one running asks it.
 */
#ifndef OUTSIDE_SENDREQUEST_H
#define OUTSIDE_SENDREQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/limits.h"

enum sendrequest_kind {
	SENDREQUEST_TEST, /* send a test message */
	SENDREQUEST_ONLY, /* send generations of an object */
};

struct sendrequest {
	enum sendrequest_kind kind;
	uint64_t number;
	char text[LIMIT_LINK_TEXT_SIZE + 1];
	char only[LIMIT_SEND_REQUEST_SIZE]; /* "SHA256:3-5,9", checked by sendranges_parse */
	uint64_t rounds;
};

/* Closed world. FAULT_SEND_REQUEST. */
enum fault sendrequest_parse(const void *data, size_t size, struct sendrequest *ret_request, struct refusal *why);

/* Puts a request beneath STATE_FD. 0 or a negative errno. */
int sendrequest_put(int state_fd, const struct sendrequest *request);

/* Takes one out of STATE_FD (and deletes it): 1; 0 where there is none; otherwise a negative errno. One out of form is -EBADMSG, with WHY. */
int sendrequest_take(int state_fd, struct sendrequest *ret_request, struct refusal *why);

/* Holds the lock of a state folder: a descriptor; -EWOULDBLOCK where a sender runs on that link; or another negative errno. */
int sendrequest_lock(int state_fd);

#endif
