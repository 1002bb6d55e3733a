/* SPDX-License-Identifier: ISC
 *
 * medium: bundles that a person names: files, and folders of them (a mounted medium), which may fail, change or be pulled out
 * while they are read. Each is copied into incoming/ first; nothing here looks into a bundle.
 */
#ifndef INSIDE_MEDIUM_H
#define INSIDE_MEDIUM_H

#include <stddef.h>
#include <stdint.h>

#include "bundle/hash.h"
#include "inside/inside.h"

/* What a bundle may be called in incoming/, with its NUL. */
#define MEDIUM_NAME_SIZE 200

struct medium_bundle {
	char *path;
	char name[MEDIUM_NAME_SIZE]; /* in incoming/ */
	uint64_t size;               /* as its folder said; a hint */
	/* What the slip beside it says. */
	bool has_sha256, has_size;
	struct sha256 sha256;
	uint64_t whole_size;
};

/* Sorted by name: the oldest first, where they are called as bundles are (bundle/FORMAT.md 3.10). */
struct medium {
	struct medium_bundle *bundles;
	size_t n_bundles;
	size_t n_lacking; /* files that a slip names, and that are not there */
};
void medium_clear(struct medium *medium);

/* Adds the file PATH, or each bundle of the folder PATH: its *.tar, not those of folders in it. All other files are left alone, without
 * a word; a *.tar that is none of ours is named (log) and left alone too. Bundles that the folder's SHA256SUMS names and that are not there are named and counted; a slip
 * out of form is named, and says nothing. FAULT_FILE: nothing of that name, or no bundle in the folder.
 * FAULT_QUOTA: a folder of more than LIMIT_MEDIUM_FILES files. */
enum fault medium_add(const char *path, struct medium *medium, struct refusal *why);
void medium_sort(struct medium *medium);

/* How many from FIRST on are taken in before they are worked through: as many as stay below LIMIT_MEDIUM_BATCH together, with no name
 * twice; at least one. */
size_t medium_batch(const struct medium *medium, size_t first);

/* Copies a bundle into incoming/ (temporary, fsync, rename); one that stands there already is left alone. FAULT_FILE: it cannot be read;
 * FAULT_BUNDLE_TRUNCATED: it changed while it was read; FAULT_MEDIUM_SLIP: it is not what its slip says, and nothing of it was taken; FAULT_QUOTA,
 * FAULT_STORAGE. */
enum fault medium_take(const struct inside *inside, const struct medium_bundle *bundle, struct refusal *why);

#endif
