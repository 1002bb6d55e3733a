/* SPDX-License-Identifier: ISC
 *
 * link_pack: small files that cross as one object (FORMAT.md 29.12), so that they share generations. A pack is its list and their bytes in that
 * order; it is sorted by digest, so that the same files make the same pack.
 */
#ifndef BUNDLE_LINK_PACK_H
#define BUNDLE_LINK_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/hash.h"
#include "bundle/limits.h"

#define LINK_PACK_MAGIC "clapet pack 1\n"
#define LINK_PACK_MAGIC_SIZE (sizeof(LINK_PACK_MAGIC) - 1)
#define LINK_PACK_HEAD_SIZE (LINK_PACK_MAGIC_SIZE + 4)
#define LINK_PACK_ENTRY_SIZE (SHA256_SIZE + 8 + 8)

struct link_pack_member {
	struct sha256 sha256;
	uint64_t version; /* as in an announcement: a hint, 0: none */
	uint32_t size;    /* at most LIMIT_LINK_PACK_MEMBER_SIZE */
	uint32_t offset;  /* of its bytes in the pack: set by link_pack_list and link_pack_read */
};

/* Of a list of N_MEMBERS (1 to LIMIT_LINK_PACK_MEMBERS). */
size_t link_pack_list_size(size_t n_members);

/* Sorts MEMBERS, sets their offsets, writes the list to LIST (of link_pack_list_size) and returns the pack's size. Two members of one digest, or a pack
 * past LIMIT_LINK_PACK_SIZE: 0. */
size_t link_pack_list(struct link_pack_member *members, size_t n_members, uint8_t *list);

/* Reads a pack whose digest is that of its announcement. FAULT_LINK_PACK for any other form: the members lie one after another and fill it. Their
 * own digests are not looked at: hash DATA + offset. New: *RET_MEMBERS is the caller's. */
enum fault link_pack_read(const uint8_t *data, size_t size, struct link_pack_member **ret_members, size_t *ret_n,
			  struct refusal *why);

#endif
