/* SPDX-License-Identifier: ISC
 *
 * patchindex: where in a base file a text of PATCH_GRAIN bytes stands. A rolling hash picks positions by what stands before them, so that
 * the same text is picked wherever it moved to. Bounded: the larger the file, the fewer are picked.
 */
#ifndef BUNDLE_PATCHINDEX_H
#define BUNDLE_PATCHINDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes that a position is picked by. A rolling hash of 32 bits that shifts by one a byte forgets what is older. */
#define PATCH_GRAIN 32
/* At most 2^22 slots of 8 bytes: 32 MiB. */
#define PATCH_INDEX_LOG 22

struct patchindex;

/* For a base of SIZE bytes. */
struct patchindex *patchindex_new(uint64_t size);
void patchindex_free(struct patchindex *index);
void patchindex_freep(struct patchindex **index);

/* The rolling hash: shifted left by one and the next byte's number added. */
extern const uint32_t patchindex_gear[256];

/* Notes the positions picked in SIZE bytes of the base that stand at OFFSET, of which the first BEFORE only warm the hash up. May be called
 * by several threads: of texts that fall on one slot the first in the base stays, so the index does not depend on their order. */
void patchindex_add(struct patchindex *index, const uint8_t *bytes, size_t size, size_t before, uint64_t offset);

/* The position behind a text is picked where its hash has none of these bits. */
uint32_t patchindex_mask(const struct patchindex *index);
/* Where the base has, but for a coincidence, the PATCH_GRAIN bytes of TEXT: the offset of the first in *RET_OFFSET. */
bool patchindex_find(const struct patchindex *index, const uint8_t *text, uint64_t *ret_offset);

#endif
