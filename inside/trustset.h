/* SPDX-License-Identifier: ISC
 *
 * trustset: all the metadata of a mirror or a bundle, verified from one root: not what is trusted now (that is the
 * client's) but everything that was ever rightly signed, which is what an auditor compares files with. Expiry is
 * told, not judged: yesterday's bundle is still what it was.
 */
#ifndef INSIDE_TRUSTSET_H
#define INSIDE_TRUSTSET_H

#include <stdint.h>

#include "bundle/blob.h"
#include "bundle/notation.h"
#include "inside/findings.h"
#include "inside/store.h"
#include "keys/metadata.h"

/* Where metadata come from: LOAD gives the file NAME, at most LIMIT bytes of it, in a new buffer. */
struct trustset_source {
	void *ctx;
	enum fault (*load)(void *ctx, const char *name, size_t limit, uint8_t **ret_data, size_t *ret_size,
			   struct refusal *why);
	const struct store_names *names; /* all there are, sorted */
};

/* One target that a rightly signed role names. */
struct signed_file {
	char dataset[NOTATION_NAME_SIZE]; /* the role */
	char file[LIMIT_FILE_NAME_SIZE];
	uint64_t role_version;
	struct blob blob; /* plain hash and length, and the parts that it travels in */
	bool is_patch;
	struct blob base; /* what a patch is against (FORMAT.md 5.4), else zero */
};

/* One metadata file that was verified. */
struct signed_metadata {
	char name[LIMIT_METADATA_NAME_SIZE];
	char role[NOTATION_NAME_SIZE];
	uint64_t version;
	int64_t expires;
	struct sha256 sha256;
};

/* One timestamp that was verified, of those that the mirror keeps. */
struct signed_timestamp {
	struct tuf_header header;
	int64_t issued;
	struct tuf_meta snapshot;
};

struct trustset {
	struct tuf_root **roots; /* ascending, without a gap */
	size_t n_roots;
	struct tuf_targets **targets; /* ascending */
	size_t n_targets;
	struct tuf_timestamp *timestamp; /* NULL: none, or not verified */
	struct tuf_snapshot *snapshot;   /* the one that the timestamp names, or NULL */
	struct signed_file *files;       /* sorted by dataset, role version, file */
	size_t n_files;
	struct sha256 *blobs; /* sorted: every blob that a file above names */
	size_t n_blobs;
	struct signed_metadata *metadata; /* sorted by name */
	size_t n_metadata;
};

/* Verifies everything that SOURCE has from ROOT. What does not hold goes to FINDINGS and is left out of the set. Only
 * a root that cannot be the start is returned as a fault (and noted in FINDINGS too). */
enum fault trustset_build(const struct trustset_source *source, const uint8_t *root, size_t root_size,
			  struct findings *findings, struct trustset **ret_trustset);
void trustset_free(struct trustset *trustset);
void trustset_freep(struct trustset **trustset);

/* Whether DATA are rightly signed for ROLE ("root", "timestamp", …, "cog") by anything in the set; the version in
 * *RET_VERSION. */
enum fault trustset_verify(const struct trustset *trustset, const char *role, const uint8_t *data, size_t size,
			   uint64_t *ret_version, struct refusal *why);

/* A timestamp, or a snapshot, that any root of the set signed. */
enum fault trustset_read_timestamp(const struct trustset *trustset, const uint8_t *data, size_t size,
				   struct signed_timestamp *ret_timestamp, struct refusal *why);
enum fault trustset_read_snapshot(const struct trustset *trustset, const uint8_t *data, size_t size,
				  struct tuf_snapshot **ret_snapshot, struct refusal *why);

/* The set as it was while ROOT was the newest root and TARGETS (0: none) the targets: a view for trustset_verify and the
 * two above, which borrows from TRUSTSET and is not to be freed. False where it has no such version. */
bool trustset_narrow(const struct trustset *trustset, uint64_t root, uint64_t targets, struct trustset *ret_view);

/* The files [*RET_FIRST, *RET_END) of a role version that describes VERSION (its 16 digits) of DATASET. */
bool trustset_find_version(const struct trustset *trustset, const char *dataset, const char *version, size_t *ret_first,
			   size_t *ret_end);

const struct signed_metadata *trustset_metadata(const struct trustset *trustset, const char *name);
/* Whether anything signed names the blob, or the plain file of that dataset. */
bool trustset_names_blob(const struct trustset *trustset, const struct sha256 *sha256);
bool trustset_names_object(const struct trustset *trustset, const char *dataset, const struct sha256 *sha256);
bool trustset_names_target(const struct trustset *trustset, const char *dataset, const char *file,
			   const struct sha256 *sha256);

/* The bound before parsing for a role's file. */
size_t trustset_limit(const char *role);

#endif
