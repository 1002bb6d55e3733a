/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a pack: what is read lies within it, and its list made again is the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/link_pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ struct link_pack_member *members = NULL;
	_cleanup_free_ uint8_t *list = NULL;
	struct refusal why = {.fault = FAULT_NONE};
	size_t n = 0;
	enum fault fault = link_pack_read(data, size, &members, &n, &why);

	if (fault != why.fault || (fault != FAULT_NONE && fault != FAULT_LINK_PACK))
		abort();
	if (fault != FAULT_NONE)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (members[i].offset > size || members[i].size > size - members[i].offset)
			abort();
	}
	list = xmalloc(link_pack_list_size(n));
	if (link_pack_list(members, n, list) != size || memcmp(list, data, link_pack_list_size(n)) != 0)
		abort();
	return 0;
}
