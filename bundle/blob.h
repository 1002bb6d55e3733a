/* SPDX-License-Identifier: ISC
 *
 * blob: a plain file as it travels. Encoding `zstd` (FORMAT.md): independent frames of at most
 * LIMIT_FRAME_PLAIN_SIZE plain bytes, each with its content size and a checksum, cut into parts of at most
 * LIMIT_PART_SIZE; the parts one after the other are what stock `zstd -d` reads.
 */
#ifndef BUNDLE_BLOB_H
#define BUNDLE_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/hash.h"

struct blob_part {
	struct sha256 sha256;
	uint64_t length;
};

/* What an encoding of one plain file is. */
struct blob {
	struct sha256 plain_sha256;
	uint64_t plain_length;
	struct blob_part *parts; /* in order */
	size_t n_parts;
};

void blob_clear(struct blob *blob); /* frees the parts */

/* Encodes all of IN_FD. NEXT_PART(ctx, i) returns a descriptor, owned by the caller, that part I is written to. 0 or a
 * negative errno (-EFBIG past LIMIT_PLAIN_SIZE). LEVEL is zstd's. */
int blob_encode(int in_fd, int level, int (*next_part)(void *ctx, size_t index), void *ctx, struct blob *ret_blob);

/* Gets plain bytes, in order; a fault ends the decoding and is returned by it. */
typedef enum fault blob_sink(void *ctx, const void *data, size_t size, struct refusal *why);

/* Verifies every part (length and SHA-256) before a byte of it is decoded, decodes within the bounds of FORMAT.md into
 * SINK, and insists on the plain length and SHA-256 at the end. PART_FDS are read from their start with pread.
 * FAULT_BLOB_HASH, FAULT_BLOB_FRAME, FAULT_BLOB_TRUNCATED, FAULT_PLAIN_HASH. What SINK got before a fault is not good:
 * the caller throws it away. */
enum fault blob_decode(const struct blob *blob, const int *part_fds, blob_sink *sink, void *ctx, struct refusal *why);
/* The same by two threads: another one verifies the parts and decodes them, this one hashes what comes out and gives it to SINK. A worker
 * whose sandbox knows no threads must not call it. */
enum fault blob_decode_by_two(const struct blob *blob, const int *part_fds, blob_sink *sink, void *ctx,
			      struct refusal *why);

/* The bytes of all parts of BLOB, one behind the other, for whoever decodes them otherwise (patch_source). As above: each part is
 * verified whole before a byte of it is given, and what is given is what was hashed. FAULT_BLOB_TRUNCATED past the last. */
struct blob_source;
struct blob_source *blob_source_new(const struct blob *blob, const int *part_fds); /* borrows both */
void blob_source_freep(struct blob_source **source);
enum fault blob_source_read(void *source, void *data, size_t size, struct refusal *why);
/* Whether all was read. What follows is verified, too. */
enum fault blob_source_end(struct blob_source *source, bool *ret_at_end, struct refusal *why);

/* What came out, on its way to SINK: hashed by blob_prove (a blob_sink, its ctx a blob_proof), and held against what was signed by
 * blob_proof_end, once: FAULT_PLAIN_HASH, by CLAUSE of FORMAT.md. */
struct blob_proof {
	struct hash *hash; /* the caller's */
	blob_sink *sink;
	void *ctx;
};
enum fault blob_prove(void *ctx, const void *data, size_t size, struct refusal *why);
enum fault blob_proof_end(const struct blob_proof *proof, const struct blob *blob, const char *clause,
			  struct refusal *why);

#endif
