/* SPDX-License-Identifier: ISC
 *
 * patch, between its two files: the fixed form of FORMAT.md 15.
 */
#ifndef BUNDLE_PATCH_FORMAT_H
#define BUNDLE_PATCH_FORMAT_H

#include <zstd.h>

#include "bundle/limits.h"

#define PATCH_MAGIC "clapet patch 1\n"
#define PATCH_MAGIC_SIZE (sizeof(PATCH_MAGIC) - 1)
/* Magic, base's SHA-256, base's length, plain length. */
#define PATCH_HEADER_SIZE (PATCH_MAGIC_SIZE + 32 + 8 + 8)
/* Of a segment in the table: the lengths of its two frames. */
#define PATCH_ENTRY_SIZE 8
#define PATCH_SEGMENT_SIZE ((size_t)LIMIT_PATCH_SEGMENT_SIZE)
#define PATCH_COPIES_SIZE ((size_t)LIMIT_PATCH_COPIES_SIZE)

#endif
