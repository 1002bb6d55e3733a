/* SPDX-License-Identifier: ISC
 *
 * bundle: one file that crosses: TUF metadata under metadata/, blobs under blobs/<sha256>, a deterministic ustar
 * (FORMAT.md). Members are "format", then metadata/…, then blobs/… sorted.
 */
#ifndef BUNDLE_BUNDLE_H
#define BUNDLE_BUNDLE_H

#include <stdint.h>

#include "base/fault.h"
#include "bundle/hash.h"
#include "bundle/limits.h"
#include "bundle/ustar.h"

#define BUNDLE_FORMAT_VERSION 1

enum bundle_member_kind {
	BUNDLE_METADATA, /* "metadata/5.snapshot.json" */
	BUNDLE_BLOB,     /* "blobs/<sha256>" */
};

/* One member to write: NAME without its folder, SIZE bytes of DATA or, where that is NULL, of FD from its start. */
struct bundle_member {
	enum bundle_member_kind kind;
	char name[LIMIT_METADATA_NAME_SIZE];
	int fd;
	uint64_t size;
	const void *data;
};

/* Writes the bundle to OUT_FD; members in any order, sorted here. The same members give the same bytes. Its own SHA-256
 * (for its name) in *RET_SHA256. 0 or a negative errno. */
int bundle_write(int out_fd, struct bundle_member *members, size_t n_members, struct sha256 *ret_sha256);

/* Called for each member while reading: bytes in pieces, then once with DATA NULL at its end. NAME as in bundle_member. */
typedef enum fault bundle_sink(void *ctx, enum bundle_member_kind kind, const char *name, uint64_t size,
			       const void *data, size_t data_size, struct refusal *why);

/* Runs the gate, then libarchive; both must agree on every member. A blob whose bytes do not hash to its name is
 * FAULT_BLOB_HASH. Nothing is promised about what SINK got before a fault. */
enum fault bundle_read(int fd, const struct ustar_bounds *bounds, bundle_sink *sink, void *ctx, struct refusal *why);

/* "0000000042-<sha256>.tar": the name under which a bundle is carried; a hint, never trusted. */
#define BUNDLE_FILE_NAME_SIZE (10 + 1 + 64 + 4 + 1)
void bundle_file_name(uint64_t timestamp_version, const struct sha256 *sha256, char name[BUNDLE_FILE_NAME_SIZE]);

#endif
