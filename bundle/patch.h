/* SPDX-License-Identifier: ISC
 *
 * patch: a plain file as it travels where the other side has an older one, the base (FORMAT.md 15): segments of the new file, each a list
 * of copies from the base and a zstd frame of what stands between them. Independent of each other, so they are made in parallel;
 * memory does not grow with the files.
 */
#ifndef BUNDLE_PATCH_H
#define BUNDLE_PATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/blob.h"
#include "bundle/hash.h"

/* What a patch says of itself, in front. */
struct patch_header {
	struct sha256 base_sha256;
	uint64_t base_length, plain_length;
	uint32_t n_segments; /* follows from plain_length */
};

struct patch_counts {
	uint64_t length;           /* of the patch */
	uint64_t n_copies;         /* in all segments */
	uint64_t copied;           /* plain bytes that come from the base */
	struct sha256 base_sha256; /* as it was hashed where the patch was made, or as the patch names it */
};

/* Writes the patch that makes NEW_FD's file of BASE_FD's to OUT_FD, a regular file, from its start; the base is hashed on the way. The same
 * bytes, whatever THREADS (1 to PATCH_THREADS_MAX). At most 64 MiB of memory with two threads. 0 or a negative errno: -EFBIG past
 * LIMIT_PLAIN_SIZE, -EIO where a file is shorter than it was. */
#define PATCH_THREADS_MAX 64
int patch_encode(int base_fd, int new_fd, int out_fd, unsigned threads, struct patch_counts *ret_counts);
/* The same, but for a patch that would have more than MAX_LENGTH bytes: as soon as that is known it ends with -E2BIG, and OUT_FD's file holds
 * nothing of use. */
int patch_encode_within(int base_fd, int new_fd, int out_fd, unsigned threads, uint64_t max_length,
			struct patch_counts *ret_counts);

/* Gets exactly SIZE bytes of a patch, in order, verified; FAULT_BLOB_TRUNCATED where it ends before. */
typedef enum fault patch_source(void *ctx, void *data, size_t size, struct refusal *why);

/* Reads the header (FORMAT.md 15.2). FAULT_BLOB_FRAME. */
enum fault patch_read_header(patch_source *source, void *source_ctx, struct patch_header *ret_header,
			     struct refusal *why);

/* Who wants to know where the plain bytes come from, while they are decoded, on the thread that decodes: COPY says that the LENGTH bytes
 * from OFFSET on are the base's from BASE_OFFSET on, before BYTES gets the first of them; BYTES gets all, before the sink does. */
struct patch_watch {
	void (*copy)(void *ctx, uint64_t offset, uint64_t base_offset, uint64_t length);
	void (*bytes)(void *ctx, const void *data, size_t size);
	void *ctx;
};

/* Decodes what follows HEADER into SINK: exactly header->plain_length bytes, from BASE_FD, a file of header->base_length bytes that was
 * verified by the caller, who also insists on the plain SHA-256 and on the source's end. WATCH and COUNTS may be NULL. FAULT_BLOB_FRAME,
 * FAULT_BLOB_TRUNCATED, FAULT_STORAGE, or what SINK returns. */
enum fault patch_decode(const struct patch_header *header, patch_source *source, void *source_ctx, int base_fd,
			const struct patch_watch *watch, blob_sink *sink, void *ctx, struct patch_counts *ret_counts,
			struct refusal *why);

/* A target that travels as a patch (FORMAT.md 5.4): the parts of BLOB together are one against BASE (digest and length; its parts are not
 * looked at). Verifies each part before a byte of it is decoded, insists that the header names this base and these lengths, decodes
 * into SINK, and insists on the parts' end and on the plain length and SHA-256. BASE_FD need not have been hashed: what comes out
 * proves it. Only where that is wrong it is hashed, to tell whose fault it is: FAULT_BASE_DAMAGED. Else FAULT_BLOB_HASH,
 * FAULT_PATCH_BASE, FAULT_BLOB_FRAME, FAULT_BLOB_TRUNCATED, FAULT_PLAIN_HASH. What SINK got before a fault is not good. BY_TWO: another
 * thread decodes, as of blob_decode_by_two. WATCH may be NULL. */
enum fault patch_decode_blob(const struct blob *blob, const int *part_fds, const struct blob *base, int base_fd,
			     bool by_two, const struct patch_watch *watch, blob_sink *sink, void *ctx,
			     struct refusal *why);

#endif
