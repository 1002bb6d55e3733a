/* SPDX-License-Identifier: ISC
 *
 * trustset_private: what the two halves of trustset share: trustset.c judges signatures, trustset_read.c goes through
 * the files.
 */
#ifndef INSIDE_TRUSTSET_PRIVATE_H
#define INSIDE_TRUSTSET_PRIVATE_H

#include "inside/trustset.h"

/* A build under way. */
struct building {
	const struct trustset_source *source;
	struct findings *findings;
	struct trustset *set;
};

/* "5.snapshot.json" -> 5, "snapshot"; "timestamp.json" -> 0, "timestamp". */
bool trustset_split_name(const char *name, uint64_t *ret_version, char role[LIMIT_METADATA_NAME_SIZE]);
enum fault trustset_load_claim(const struct building *building, const char *name, const char *role,
			       struct tuf_claim **ret_claim, struct sha256 *ret_sha256, struct refusal *why);
void trustset_add_metadata(struct trustset *set, const char *name, const char *role, const struct tuf_header *header);

/* By any root of the set, or by any targets that delegate to the role; the refusal is the newest's. */
enum fault trustset_verify_timestamp(const struct trustset *set, const struct tuf_claim *claim,
				     struct tuf_timestamp **ret, struct refusal *why);
enum fault trustset_verify_snapshot(const struct trustset *set, const struct tuf_claim *claim,
				    struct tuf_snapshot **ret, struct refusal *why);
enum fault trustset_verify_top(const struct trustset *set, const struct tuf_claim *claim, struct tuf_targets **ret,
			       struct refusal *why);
enum fault trustset_verify_role(const struct trustset *set, const char *role, const struct tuf_claim *claim,
				struct tuf_targets **ret, struct refusal *why);

/* Verifies everything but the roots, and keeps what is right, sorted. */
void trustset_read_all(struct building *building);
/* The order of set->metadata. */
int trustset_compare_metadata(const void *a, const void *b);

#endif
