/* SPDX-License-Identifier: ISC
 *
 * link_memory: the large buffers of both ends: megabytes that packets pass through from one processor to the other. In pages of two megabytes where the
 * kernel has them, for with small ones half of what a copy takes is looking up where they are.
 */
#ifndef BUNDLE_LINK_MEMORY_H
#define BUNDLE_LINK_MEMORY_H

#include <stddef.h>

/* SIZE bytes, rounded up to whole large pages, which become real as they are touched; free() gives them back. Never NULL: the process ends
 * where there is none. */
void *link_memory_new(size_t size);

#endif
