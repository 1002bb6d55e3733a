/* SPDX-License-Identifier: ISC
 *
 * rebuild: the plain files of a version that history keeps, out of objects and of the blobs that it travelled in. Blobs are decoded by
 * inside-check alone; what came out is hashed here again, after the worker is dead.
 */
#ifndef INSIDE_REBUILD_H
#define INSIDE_REBUILD_H

#include "inside/inside.h"
#include "inside/pastversion.h"

/* Where the files go. */
struct rebuild {
	const struct inside *inside;
	const struct past_version *past;
	int folder_fd; /* for what is needed meanwhile, unnamed */
	int *fds; /* one for each file of PAST, empty, read-write, from 0; negative: that file is not wanted. Borrowed */
	size_t n_decoded; /* set: how many came out of blobs; the rest are copies of objects */
};

/* FAULT_VERSION_GONE: neither an object nor its blobs are here, which is said by name. FAULT_BLOB_… and FAULT_PATCH_…: a blob is damaged.
 * FAULT_STORAGE, FAULT_WORKER. Whatever is in the files then is of no use. Nothing is synced. */
enum fault rebuild_run(struct rebuild *rebuild, struct refusal *why);

#endif
