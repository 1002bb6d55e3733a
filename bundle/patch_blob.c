/* SPDX-License-Identifier: ISC
 *
 * patch, a target that travels as one: from verified parts and a base that is not hashed, to bytes that prove both.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/limits.h"
#include "bundle/patch.h"
#include "bundle/relay.h"

static enum fault check_header(const struct patch_header *header, const struct blob *blob, const struct blob *base,
			       struct refusal *why)
{
	char found[SHA256_HEX_SIZE], wanted[SHA256_HEX_SIZE];

	sha256_to_hex(&header->base_sha256, found);
	sha256_to_hex(&base->plain_sha256, wanted);
	if (!sha256_equal(&header->base_sha256, &base->plain_sha256) || header->base_length != base->plain_length)
		return refuse(why, FAULT_PATCH_BASE,
			      "a patch against %s of %" PRIu64 " bytes, %s of %" PRIu64
			      " is signed (bundle/FORMAT.md 15.2)",
			      found, header->base_length, wanted, base->plain_length);
	if (header->plain_length != blob->plain_length)
		return refuse(why, FAULT_PATCH_BASE,
			      "a patch that makes %" PRIu64 " bytes, %" PRIu64 " are signed (bundle/FORMAT.md 15.2)",
			      header->plain_length, blob->plain_length);
	return FAULT_NONE;
}

static enum fault damaged(const struct blob *base, const char *what, struct refusal *why)
{
	char wanted[SHA256_HEX_SIZE];

	sha256_to_hex(&base->plain_sha256, wanted);
	return refuse(why, FAULT_BASE_DAMAGED, "its base here is no longer %s: %s", wanted, what);
}

/* FAULT_BASE_DAMAGED, or FAULT_NONE: it is the base. */
static enum fault check_base(const struct blob *base, int base_fd, struct refusal *why)
{
	struct sha256 sha256;
	int r = lseek(base_fd, 0, SEEK_SET) < 0 ? -errno : hash_fd(base_fd, base->plain_length, &sha256, NULL);

	if (r < 0)
		return damaged(base, strerror(-r), why);
	return sha256_equal(&sha256, &base->plain_sha256) ? FAULT_NONE : damaged(base, "other bytes", why);
}

static enum fault check_end(struct blob_source *source, struct refusal *why)
{
	bool at_end = false;
	enum fault fault = blob_source_end(source, &at_end, why);

	return fault != FAULT_NONE || at_end
		       ? fault
		       : refuse(why, FAULT_BLOB_FRAME,
				"a patch that goes on behind its last segment (bundle/FORMAT.md 15.1)");
}

/* Of what came out wrong: it may be the base that is. */
static enum fault end_proof(const struct blob_proof *proof, const struct blob *blob, const struct blob *base,
			    int base_fd, struct refusal *why)
{
	struct refusal inner = {FAULT_NONE, ""};

	if (blob_proof_end(proof, blob, "15.2", why) == FAULT_NONE)
		return FAULT_NONE;
	if (check_base(base, base_fd, &inner) == FAULT_NONE)
		return FAULT_PLAIN_HASH;
	if (why != NULL)
		*why = inner;
	return inner.fault;
}

/* What the thread that decodes needs. */
struct decoding {
	struct blob_source *source;
	const struct blob *blob, *base;
	int base_fd;
	const struct patch_watch *watch;
};

/* relay_work: everything but the plain bytes' SHA-256. */
static enum fault decode(void *ctx, blob_sink *sink, void *sink_ctx, struct refusal *why)
{
	struct decoding *decoding = ctx;
	struct patch_header header;
	enum fault fault = patch_read_header(blob_source_read, decoding->source, &header, why);

	if (fault == FAULT_NONE)
		fault = check_header(&header, decoding->blob, decoding->base, why);
	/* A base that was cut short would be found at the copy that misses it: as a failing disk. */
	if (fault == FAULT_NONE && fd_size(decoding->base_fd) != (int64_t)decoding->base->plain_length)
		return damaged(decoding->base, "another length", why);
	if (fault == FAULT_NONE)
		fault = patch_decode(&header, blob_source_read, decoding->source, decoding->base_fd, decoding->watch,
				     sink, sink_ctx, NULL, why);
	return fault == FAULT_NONE ? check_end(decoding->source, why) : fault;
}

enum fault patch_decode_blob(const struct blob *blob, const int *part_fds, const struct blob *base, int base_fd,
			     bool by_two, const struct patch_watch *watch, blob_sink *sink, void *ctx,
			     struct refusal *why)
{
	_cleanup_(blob_source_freep) struct blob_source *source = blob_source_new(blob, part_fds);
	_cleanup_(hash_freep) struct hash *hash = hash_new();
	struct decoding decoding = {source, blob, base, base_fd, watch};
	struct blob_proof proof = {hash, sink, ctx};
	enum fault fault = by_two ? relay_run(decode, &decoding, blob_prove, &proof, why)
				  : decode(&decoding, blob_prove, &proof, why);

	return fault == FAULT_NONE ? end_proof(&proof, blob, base, base_fd, why) : fault;
}
