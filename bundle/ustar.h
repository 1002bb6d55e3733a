/* SPDX-License-Identifier: ISC
 *
 * ustar: the gate in front of libarchive. Passes only FORMAT.md's closed form of POSIX ustar, header by header:
 * regular files, names of the grammar, sorted, no duplicates, owners, times and devices 0, exact padding, exactly two zero
 * blocks at the end and nothing behind. Reads with pread; never allocates by what the input says.
 */
#ifndef BUNDLE_USTAR_H
#define BUNDLE_USTAR_H

#include <stdint.h>

#include "base/fault.h"

struct ustar_bounds {
	uint64_t max_members;
	uint64_t max_bytes;          /* of the whole file */
	uint64_t max_metadata_bytes; /* of all members under metadata/ together */
};

/* Walks the whole file. FAULT_BUNDLE_TRUNCATED where it ends early (so far good: incomplete), FAULT_BUNDLE_FORM and
 * kin for anything outside the form, with the byte offset and the clause. */
enum fault ustar_check(int fd, const struct ustar_bounds *bounds, struct refusal *why);

#endif
