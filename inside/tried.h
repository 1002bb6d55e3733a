/* SPDX-License-Identifier: ISC
 *
 * tried: which bundles of incoming/ were tried and must wait, so that each is tried again only when it changed or trust did.
 * A small file of the supervisor's own beside the bundles (incoming/.tried.json).
 */
#ifndef INSIDE_TRIED_H
#define INSIDE_TRIED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/fault.h"

struct tried_bundle {
	char name[256];
	uint64_t size;
	int64_t mtime_sec, mtime_nsec;
	int64_t trust; /* catalogue_mark of what it was tried against; -1: it does not depend on it */
	enum fault fault;
};

struct tried {
	struct tried_bundle *bundles;
	size_t n_bundles;
};

/* A missing or damaged file is an empty memory: everything is tried again. */
void tried_load(int incoming_fd, struct tried *ret_tried);
/* Keeps only bundles that are still in INCOMING_FD. */
int tried_store(int incoming_fd, const struct tried *tried);
void tried_clear(struct tried *tried);

/* What the bundle was found to be, FAULT_NONE where it is to be tried (again). */
enum fault tried_find(const struct tried *tried, const char *name, const struct stat *st, int64_t trust);
/* Notes that it waits. */
void tried_note(struct tried *tried, const char *name, const struct stat *st, int64_t trust, enum fault fault);

#endif
