/* SPDX-License-Identifier: ISC
 *
 * missing: what has not arrived, as the shortest request that a person can carry out: objects by name while they are few, else all of
 * a dataset since it was last whole here (bundle/request_short.h), and the generations of what crossed the link in part. A pure function of status.json and of these.
 */
#ifndef INSIDE_MISSING_H
#define INSIDE_MISSING_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/request_short.h"
#include "inside/linkparts.h"

/* A dataset of which something has not arrived. Borrowed from status.json. */
struct missing_dataset {
	const char *name;
	const json_t *items; /* each with "kind", "name", "size" */
	uint64_t since;      /* the newest timestamp at which nothing of it was missing; 0: none, or not known */
	size_t n_blobs, n_metadata;
	bool by_since; /* asked for so: it misses too much, or metadata, which alone say what else it misses */
};

struct missing {
	struct missing_dataset *datasets; /* owned */
	size_t n_datasets;
	size_t n_blobs, n_metadata; /* of all of them */
	uint64_t bytes;             /* encoded */
	struct request_short request;
	char *text; /* owned: the request */
};

void missing_clear(struct missing *missing);

/* STATUS is borrowed, and must live as long; PARTS is not kept. What is out of form in it (an older program wrote it) is left out. Always a request: where
 * nothing is missing it asks for nothing. */
void missing_compose(const json_t *status, const struct linkparts *parts, struct missing *ret_missing);

#endif
