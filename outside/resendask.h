/* SPDX-License-Identifier: ISC
 *
 * resendask: what a request of either form asks for, and which blobs of this outside that is. The request can choose among what was
 * published, and nothing else.
 */
#ifndef OUTSIDE_RESENDASK_H
#define OUTSIDE_RESENDASK_H

#include "bundle/bundle.h"
#include "bundle/request_short.h"
#include "outside/run.h"

enum resendask_kind {
	RESENDASK_BLOB,     /* by the first digits of its hash */
	RESENDASK_SINCE,    /* all of a dataset that is newer than a timestamp */
	RESENDASK_METADATA, /* a dataset's newest metadata file alone */
};

/* One line's worth, and what it came to. */
struct resendask_item {
	enum resendask_kind kind;
	char dataset[NOTATION_NAME_SIZE]; /* "": every dataset */
	char digits[SHA256_HEX_SIZE];     /* of a blob's hash: ten, or all */
	uint64_t since;
	bool is_added;   /* not asked for in words: the dataset has a newer version than the inside knows */
	bool is_covered; /* a blob of a bundle whose missing generations are sent again */
	size_t n_blobs, n_absent;
	uint64_t bytes;
};

/* Generations of a bundle that crossed the link in part (resendpart.h). */
struct resendask_part {
	struct request_part asked;
	char name[BUNDLE_FILE_NAME_SIZE]; /* in the outbox; "": not there */
};

struct resendask {
	uint64_t root, timestamp, snapshot, targets; /* what the inside trusts */
	struct resendask_item *items;                /* owned */
	size_t n_items;
	struct resendask_part parts[LIMIT_REQUEST_PARTS];
	size_t n_parts;
};
void resendask_clear(struct resendask *ask);

/* Reads PATH ("-": standard input). FAULT_FILE, FAULT_REQUEST_FORM. */
enum fault resendask_load(const char *path, struct resendask *ret_ask, struct refusal *why);

/* Adds "all that is newer than the inside's timestamp" for each dataset of which a blob is asked for and which has moved on since: the
 * blob may be no more of use, what took its place is. */
void resendask_add_newer(struct resendask *ask, const struct run *run);

/* Finds what each item stands for, each blob once, with status.json's, and says (log, FAULT_RESEND_ABSENT) what is not here. RET_BLOBS
 * borrows ASK's names and RUN's. FAULT_STORAGE. */
enum fault resendask_resolve(struct resendask *ask, const struct run *run, struct publish_blobs *ret_blobs,
			     struct refusal *why);

/* Whether ROLE's metadata file belongs to the answer: it is asked for, or has changed since. */
bool resendask_wants_role(const struct resendask *ask, const struct run *run, const char *role);

#endif
