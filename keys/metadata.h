/* SPDX-License-Identifier: ISC
 *
 * metadata: TUF metadata files (1.0.34, section 4). A file begins as a claim: parsed, and nothing in it believed. Only
 * the functions that check its signatures turn a claim into a struct tuf_root, tuf_timestamp, tuf_snapshot or
 * tuf_targets.
 *
 *     claim (signatures, signed) --root's own and its predecessor's keys--> tuf_root
 *     claim --root's keys--> tuf_timestamp, tuf_snapshot, tuf_targets; --a delegation's keys--> tuf_targets
 *
 * Unknown members are tolerated, as TUF wants; everything known is read strictly. All faults of form are
 * FAULT_TUF_FORM.
 */
#ifndef KEYS_METADATA_H
#define KEYS_METADATA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/hash.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "keys/pubkey.h"

/* The clause that a refusal cites. */
#define TUF_CLAUSE(clause) "(TUF 1.0.34, " clause ")"

/* --- claims: not verified -------------------------------------------------------------------------------------------
 */

struct tuf_claim;

/* Parses a file of at most LIMIT bytes: strict JSON, `signatures` (no keyid twice, 4.2.1), `signed` without reals. */
enum fault tuf_claim_parse(const uint8_t *data, size_t size, size_t limit, struct tuf_claim **ret_claim,
			   struct refusal *why);
void tuf_claim_free(struct tuf_claim *claim);
void tuf_claim_freep(struct tuf_claim **claim); /* for _cleanup_ */

/* --- who may sign ---------------------------------------------------------------------------------------------------
 */

/* The keys of one role, and how many of them must sign. */
struct tuf_authority {
	struct tuf_key *keys;
	size_t n_keys;
	unsigned threshold;
};

/* Whether THRESHOLD distinct public keys of AUTHORITY signed the canonical form of the claim's `signed`. WHO names the
 * authority in the refusal, with the clause: "the trusted root (TUF 1.0.34, 5.4.2)". Signatures of keys that the
 * authority does not list do not count. FAULT_TUF_SIGNATURE. */
enum fault tuf_authority_check(const struct tuf_authority *authority, const struct tuf_claim *claim, const char *who,
			       struct refusal *why);

/* --- verified metadata ----------------------------------------------------------------------------------------------
 */

/* What every file has, and the file itself. */
struct tuf_header {
	uint64_t version;
	int64_t expires;
	struct sha256 sha256; /* of the file's bytes */
	uint64_t size;
};

/* How one file names another (4.4): hash and length are optional there. */
struct tuf_meta {
	char role[NOTATION_NAME_SIZE]; /* "cog" for "cog.json" */
	uint64_t version;
	uint64_t length;      /* 0: not given */
	struct sha256 sha256; /* zero: not given */
};

struct tuf_root {
	struct tuf_header header;
	struct tuf_authority root, timestamp, snapshot, targets;
};

struct tuf_timestamp {
	struct tuf_header header;
	int64_t issued; /* our own member; 0 where it is missing */
	struct tuf_meta snapshot;
};

struct tuf_snapshot {
	struct tuf_header header;
	struct tuf_meta *metas; /* sorted by role */
	size_t n_metas;
};

/* One target of a trusted role. CUSTOM may be NULL. Borrowed from the role. */
struct tuf_target {
	const char *path;
	uint64_t length;
	struct sha256 sha256;
	const json_t *custom;
};

struct tuf_delegation {
	char role[NOTATION_NAME_SIZE];
	struct tuf_authority authority;
	const json_t *paths; /* array of patterns (4.5); NULL where the role is delegated by path_hash_prefixes */
	bool is_terminating;
};

struct tuf_targets {
	struct tuf_header header;
	struct tuf_target *targets; /* in the order of the file */
	size_t n_targets;
	struct tuf_delegation *delegations; /* in the order of the file: it is the order of search (5.6.7) */
	size_t n_delegations;
	json_t *owner; /* the `signed` object that the pointers above point into */
};

/* A root is signed by a threshold of its own keys and of PREVIOUS's (5.3.4). PREVIOUS is NULL for the anchor alone,
 * which a person or an earlier run vouches for. Not signed by the predecessor is FAULT_TUF_ROOT_CHAIN. */
enum fault tuf_root_verify(const struct tuf_claim *claim, const struct tuf_root *previous, struct tuf_root **ret_root,
			   struct refusal *why);
enum fault tuf_timestamp_verify(const struct tuf_claim *claim, const struct tuf_root *root,
				struct tuf_timestamp **ret_timestamp, struct refusal *why);
enum fault tuf_snapshot_verify(const struct tuf_claim *claim, const struct tuf_root *root,
			       struct tuf_snapshot **ret_snapshot, struct refusal *why);
/* Top-level targets with the root's keys, a delegated role with its delegation's. */
enum fault tuf_targets_verify(const struct tuf_claim *claim, const struct tuf_authority *authority, const char *who,
			      struct tuf_targets **ret_targets, struct refusal *why);

void tuf_root_free(struct tuf_root *root);
void tuf_timestamp_free(struct tuf_timestamp *timestamp);
void tuf_snapshot_free(struct tuf_snapshot *snapshot);
void tuf_targets_free(struct tuf_targets *targets);
void tuf_root_freep(struct tuf_root **root);
void tuf_timestamp_freep(struct tuf_timestamp **timestamp);
void tuf_snapshot_freep(struct tuf_snapshot **snapshot);
void tuf_targets_freep(struct tuf_targets **targets);

/* What the snapshot names for ROLE ("targets", "cog"); NULL where it names nothing. */
const struct tuf_meta *tuf_snapshot_find(const struct tuf_snapshot *snapshot, const char *role);

/* Whether PATH is one that the delegation of ROLE covers: "<role>/<file>" with one plain file name, or "status.json"
 * for the role "status". */
bool tuf_role_covers(const char *role, const char *path);
/* Whether the delegation's only pattern is the one that its role may have: "<role>/" and a star, or "status.json". */
bool tuf_delegation_is_ours(const struct tuf_delegation *delegation);

#endif
