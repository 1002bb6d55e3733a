/* SPDX-License-Identifier: ISC
 *
 * mediumslip: what SHA256SUMS beside the bundles of a medium says of them (bundle/FORMAT.md 3.12): good against copies that were cut off and
 * media that fail, for people. It is anybody's file: nothing is trusted by it, and a bundle is judged by what is in it.
 */
#ifndef INSIDE_MEDIUMSLIP_H
#define INSIDE_MEDIUMSLIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/hash.h"
#include "bundle/limits.h"

#define MEDIUM_SLIP_NAME "SHA256SUMS"

struct medium_slip_entry {
	char *name; /* of a file in the same folder */
	struct sha256 sha256;
	bool has_size;
	uint64_t size;
	bool is_here; /* for whoever goes through the folder */
};

struct medium_slip {
	struct medium_slip_entry *entries; /* sorted by name, each once */
	size_t n_entries;
};

void medium_slip_clear(struct medium_slip *slip);

/* Lines as `sha256sum` writes them, at most LIMIT_SLIP_SIZE bytes; names that are of no file in the same folder are left out. FAULT_MEDIUM_SLIP with
 * the line: it is none, or says two things of one file. */
enum fault medium_slip_parse(const void *data, size_t size, struct medium_slip *ret_slip, struct refusal *why);
/* That of the folder; no entries where there is none. */
enum fault medium_slip_load(int folder_fd, struct medium_slip *ret_slip, struct refusal *why);
/* NULL: nothing is said of that file. */
struct medium_slip_entry *medium_slip_entry(const struct medium_slip *slip, const char *name);

#endif
