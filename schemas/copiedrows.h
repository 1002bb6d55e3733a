/* SPDX-License-Identifier: ISC
 *
 * copiedrows: which stretches of a plain file hold rows that its base has, too, while the file is made of that base by a patch
 * (bundle/FORMAT.md 15). A copy says that bytes are alike; that they are the same rows is known where both files have read as many quotes,
 * but for an even number, before it: then a line feed ends a row here if it ends one there.
 *
 * Two threads may use one: that which decodes tells of copies and bytes, that which judges takes stretches.
 */
#ifndef SCHEMAS_COPIEDROWS_H
#define SCHEMAS_COPIEDROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies shorter than this are of no use: rows are judged many at once. */
#define COPIED_LEAST ((size_t)16 << 10)

/* A row of the plain file that begins behind BEGIN and has its line feed before END was a row of the base, if both files are well-formed CSV
 * with doubled quotes up to there. */
struct copied_stretch {
	uint64_t begin, end;
};

struct copied_rows;
/* BASE_FD stays the caller's and is read with pread: once more at most, and some of it again where copies go back. */
struct copied_rows *copied_rows_new(int base_fd, uint64_t base_size, char quote);
void copied_rows_free(struct copied_rows *copied);
void copied_rows_freep(struct copied_rows **copied);

/* The LENGTH bytes of the plain file from OFFSET on are the base's from BASE_OFFSET on: before the first of them. */
void copied_rows_copy(void *copied, uint64_t offset, uint64_t base_offset, uint64_t length);
/* All bytes of the plain file, in order. */
void copied_rows_bytes(void *copied, const void *data, size_t size);

/* The next stretch that begins before OFFSET; all that were told of before the bytes there are in order. Where too many wait some are left
 * out, and where the base cannot be read all: their rows are judged like others. */
bool copied_rows_take(struct copied_rows *copied, uint64_t offset, struct copied_stretch *ret_stretch);

#endif
