/* SPDX-License-Identifier: ISC
 *
 * ustar: the gate in front of libarchive. Passes only FORMAT.md's closed form of POSIX ustar, header by header:
 * regular files, names of the grammar, sorted, no duplicates, owners, times and devices 0, exact padding, exactly two
 * zero blocks at the end and nothing behind. Reads with pread; never allocates by what the input says.
 */
#ifndef BUNDLE_USTAR_H
#define BUNDLE_USTAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

#define USTAR_BLOCK_SIZE 512
/* The header's name field; ours always end with a NUL within it. */
#define USTAR_NAME_SIZE 100
/* What every member's mode is. */
#define USTAR_MODE 0444

struct ustar_bounds {
	uint64_t max_members;
	uint64_t max_bytes;          /* of the whole file */
	uint64_t max_metadata_bytes; /* of all members under metadata/ together */
};

/* One member, as its header says; the header was in form. */
struct ustar_member {
	char name[USTAR_NAME_SIZE]; /* whole: "metadata/5.snapshot.json" */
	uint64_t offset;            /* of its header */
	uint64_t size;
};

/* A walk over a bundle, header by header. Plain data: no need to free. */
struct ustar_walk {
	int fd;
	struct ustar_bounds bounds;
	uint64_t offset; /* of the next header */
	uint64_t n_members;
	uint64_t metadata_bytes;
	char previous[USTAR_NAME_SIZE];
};
void ustar_walk_begin(struct ustar_walk *walk, int fd, const struct ustar_bounds *bounds);
/* The next member into *RET_MEMBER; past the last, where the end was in form too, *RET_END is true. Faults as
 * ustar_check. */
enum fault ustar_walk_next(struct ustar_walk *walk, struct ustar_member *ret_member, bool *ret_end,
			   struct refusal *why);

/* Walks the whole file. FAULT_BUNDLE_TRUNCATED where it ends early (so far good: incomplete), FAULT_BUNDLE_FORM and
 * kin for anything outside the form, with the byte offset and the clause. */
enum fault ustar_check(int fd, const struct ustar_bounds *bounds, struct refusal *why);

/* FORMAT.md 2.3: whether NAME may be a metadata file's: "timestamp.json" or "<version>.<role>.json". */
bool ustar_metadata_name_is_valid(const char *name);

#endif
