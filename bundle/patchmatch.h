/* SPDX-License-Identifier: ISC
 *
 * patchmatch: what of a piece of a new file stands where in the base: copies, and the bytes between them. Both files are read through
 * small windows; memory does not grow with them.
 */
#ifndef BUNDLE_PATCHMATCH_H
#define BUNDLE_PATCHMATCH_H

#include <stdint.h>

#include "bundle/patchindex.h"

/* Gets, in order: SIZE literal bytes (which may come in several calls), and then a copy of LENGTH bytes from OFFSET of the base. */
struct patchmatch_sink {
	void (*literal)(void *ctx, const uint8_t *bytes, size_t size);
	void (*copy)(void *ctx, uint64_t offset, uint64_t length);
	void *ctx;
};

struct patchmatch;

/* The descriptors stay the caller's and are read with pread. */
struct patchmatch *patchmatch_new(const struct patchindex *index, int base_fd, uint64_t base_size, int new_fd,
				  uint64_t new_size);
void patchmatch_free(struct patchmatch *match);
void patchmatch_freep(struct patchmatch **match);

/* The new file from BEGIN to END. What it finds depends on these bytes and the base alone. 0, or a negative errno of reading (-EIO also where a
 * file ends before its size). */
int patchmatch_run(struct patchmatch *match, uint64_t begin, uint64_t end, const struct patchmatch_sink *sink);

#endif
