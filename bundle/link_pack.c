/* SPDX-License-Identifier: ISC
 *
 * link_pack: the list is made, and read, strictly rising by digest.
 */
#include "bundle/link_pack.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/link_bytes.h"

size_t link_pack_list_size(size_t n_members)
{
	return LINK_PACK_HEAD_SIZE + n_members * LINK_PACK_ENTRY_SIZE;
}

static int compare_members(const void *a, const void *b)
{
	return sha256_compare(&((const struct link_pack_member *)a)->sha256,
			      &((const struct link_pack_member *)b)->sha256);
}

size_t link_pack_list(struct link_pack_member *members, size_t n_members, uint8_t *list)
{
	size_t offset = link_pack_list_size(n_members);
	uint8_t *at = list + LINK_PACK_HEAD_SIZE;

	qsort(members, n_members, sizeof(*members), compare_members);
	memcpy(list, LINK_PACK_MAGIC, LINK_PACK_MAGIC_SIZE);
	put32(list + LINK_PACK_MAGIC_SIZE, (uint32_t)n_members);
	for (size_t i = 0; i < n_members; i++) {
		if (i > 0 && sha256_equal(&members[i - 1].sha256, &members[i].sha256))
			return 0;
		members[i].offset = (uint32_t)offset;
		memcpy(at, members[i].sha256.bytes, SHA256_SIZE);
		put64(at + SHA256_SIZE, members[i].size);
		put64(at + SHA256_SIZE + 8, members[i].version);
		at += LINK_PACK_ENTRY_SIZE;
		offset += members[i].size;
		if (offset > LIMIT_LINK_PACK_SIZE)
			return 0;
	}
	return offset;
}

/* One entry, whose bytes begin at OFFSET of a pack of SIZE bytes. */
static enum fault read_entry(const uint8_t *at, size_t i, size_t offset, size_t size, struct link_pack_member *member,
			     struct refusal *why)
{
	const uint64_t member_size = get64(at + SHA256_SIZE);

	memcpy(member->sha256.bytes, at, SHA256_SIZE);
	member->version = get64(at + SHA256_SIZE + 8);
	if (member_size > LIMIT_LINK_PACK_MEMBER_SIZE || member_size > size - offset)
		return refuse(why, FAULT_LINK_PACK,
			      "bundle/FORMAT.md 29.12: member %zu of a pack has %" PRIu64
			      " bytes, at most %llu, and %zu are left",
			      i, member_size, LIMIT_LINK_PACK_MEMBER_SIZE, size - offset);
	if (member->version > LIMIT_REQUEST_VERSION)
		return refuse(why, FAULT_LINK_PACK, "bundle/FORMAT.md 29.12: member %zu of a pack has version %" PRIu64,
			      i, member->version);
	member->size = (uint32_t)member_size;
	member->offset = (uint32_t)offset;
	return FAULT_NONE;
}

/* How many members the head of a pack says that it has. */
static enum fault read_head(const uint8_t *data, size_t size, size_t *ret_n, struct refusal *why)
{
	uint32_t n;

	if (size < LINK_PACK_HEAD_SIZE || size > LIMIT_LINK_PACK_SIZE)
		return refuse(why, FAULT_LINK_PACK, "bundle/FORMAT.md 29.12: a pack of %zu bytes", size);
	if (memcmp(data, LINK_PACK_MAGIC, LINK_PACK_MAGIC_SIZE) != 0)
		return refuse(why, FAULT_LINK_PACK,
			      "bundle/FORMAT.md 29.12: a pack that does not begin with \"clapet pack 1\"");
	n = get32(data + LINK_PACK_MAGIC_SIZE);
	if (n == 0 || n > LIMIT_LINK_PACK_MEMBERS || link_pack_list_size(n) > size)
		return refuse(why, FAULT_LINK_PACK,
			      "bundle/FORMAT.md 29.12: a pack of %zu bytes with %" PRIu32
			      " members, at least one and at most %d",
			      size, n, LIMIT_LINK_PACK_MEMBERS);
	*ret_n = n;
	return FAULT_NONE;
}

enum fault link_pack_read(const uint8_t *data, size_t size, struct link_pack_member **ret_members, size_t *ret_n,
			  struct refusal *why)
{
	_cleanup_free_ struct link_pack_member *members = NULL;
	size_t n = 0;
	size_t offset;
	enum fault fault = read_head(data, size, &n, why);

	if (fault != FAULT_NONE)
		return fault;
	members = xcalloc(n, sizeof(*members));
	offset = link_pack_list_size(n);
	for (size_t i = 0; i < n; i++) {
		fault = read_entry(data + link_pack_list_size(i), i, offset, size, &members[i], why);
		if (fault != FAULT_NONE)
			return fault;
		if (i > 0 && compare_members(&members[i - 1], &members[i]) >= 0)
			return refuse(why, FAULT_LINK_PACK,
				      "bundle/FORMAT.md 29.12: members %zu and %zu of a pack are not in order", i - 1,
				      i);
		offset += members[i].size;
	}
	if (offset != size)
		return refuse(why, FAULT_LINK_PACK, "bundle/FORMAT.md 29.12: a pack with %zu bytes behind its members",
			      size - offset);
	*ret_members = steal_pointer(&members);
	*ret_n = n;
	return FAULT_NONE;
}
