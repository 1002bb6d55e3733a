/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a blob's one part, after four bytes that are the plain length. What decodes here must be what zstd's
 * streaming decoder makes of the same bytes, and as long as was said.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/blob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum fault hash_plain(void *ctx, const void *data, size_t size, struct refusal *why)
{
	(void)why;
	hash_update(ctx, data, size);
	return FAULT_NONE;
}

/* The same bytes through the stock decoder. */
static void reference(const uint8_t *part, size_t size, uint64_t length, struct sha256 *ret_sha256)
{
	_cleanup_(hash_freep) struct hash *hash = hash_new();
	ZSTD_DStream *stream = ZSTD_createDStream();
	ZSTD_inBuffer in = {part, size, 0};
	uint8_t buffer[65536];
	uint64_t done = 0;
	size_t r = 1;

	while (in.pos < in.size || r != 0) {
		ZSTD_outBuffer out = {buffer, sizeof(buffer), 0};

		r = ZSTD_decompressStream(stream, &out, &in);
		if (ZSTD_isError(r) || (in.pos == in.size && out.pos == 0 && r != 0))
			abort();
		hash_update(hash, buffer, out.pos);
		done += out.pos;
	}
	if (done != length)
		abort();
	hash_final(hash, ret_sha256);
	ZSTD_freeDStream(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(hash_freep) struct hash *hash = hash_new();
	_cleanup_close_ int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct refusal why = {.fault = FAULT_NONE};
	struct blob_part part;
	struct blob blob = {.parts = &part, .n_parts = 1};
	struct sha256 ours, stock;
	uint32_t length;
	enum fault fault;

	if (size < 5 || fd < 0 || fd_write_all(fd, data + 4, size - 4) < 0)
		return 0;
	memcpy(&length, data, 4);
	blob.plain_length = length;
	part.length = size - 4;
	hash_bytes(data + 4, size - 4, &part.sha256);
	fault = blob_decode(&blob, &fd, hash_plain, hash, &why);
	if (fault == FAULT_NONE || fault != why.fault || fault == FAULT_BLOB_HASH || fault == FAULT_STORAGE)
		abort(); /* nothing hashes to zeros, and the part's own hash is right */
	if (fault != FAULT_PLAIN_HASH)
		return 0;
	hash_final(hash, &ours);
	reference(data + 4, size - 4, length, &stock);
	if (!sha256_equal(&ours, &stock))
		abort();
	return 0;
}
