/* SPDX-License-Identifier: ISC
 *
 * link_memory: asked for politely: a kernel that is set to give no large pages gives small ones.
 */
#include "bundle/link_memory.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/log.h"

#define LARGE_PAGE (2UL * 1024 * 1024)

void *link_memory_new(size_t size)
{
	size_t whole = (size + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
	void *memory = aligned_alloc(LARGE_PAGE, whole);

	if (memory == NULL)
		die("out of memory");
	(void)madvise(memory, whole, MADV_HUGEPAGE);
	return memory;
}
