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

/* --- what a client insists on ---------------------------------------------------------------------------------------
 */

/* Kinds of role, for rules that differ by them. */
enum tuf_kind {
	TUF_KIND_ROOT,
	TUF_KIND_TIMESTAMP,
	TUF_KIND_SNAPSHOT,
	TUF_KIND_TARGETS,
	TUF_KIND_DELEGATED,
	TUF_KIND_N
};

/* All zeros is the strictest: the appliance's closed profile, Ed25519 alone, no skew, no bound on validity.
 *
 * The closed profile, beyond what the specification asks of every client and what this module refuses anyhow:
 *   - root says consistent_snapshot; keyids are computed again and must be the hash of their key; a key of a scheme
 *     that SCHEMES does not name makes the file refused;
 *   - delegated roles are named like datasets, or "status"; they have one level; a delegation's paths are exactly its
 *     own folder; no path_hash_prefixes, no succinct_roles; targets.json names no target, a role none outside;
 *   - `hashes` has sha256; counts of roles and targets and the length of a path have our limits;
 *   - metadata may come late or in pieces: see tuf_client_refresh. The same version with other bytes is a fork.
 *
 * IS_GENERAL takes these away, for repositories of others: keyids only name keys; keys of unknown schemes never count;
 * names and paths are any text; expiry is also judged of what LOCAL had. */
struct tuf_profile {
	bool is_general;
	int64_t clock_skew;               /* seconds that an expiry may be past */
	int64_t max_validity[TUF_KIND_N]; /* seconds that `expires` of newly accepted metadata may lie ahead; 0: any */
	unsigned schemes[TUF_KIND_N];     /* TUF_SCHEME_BITs that may sign for this kind; 0: Ed25519 alone */
};

/* "root", "timestamp", "snapshot", "targets", "datasets": the member of our configuration. */
const char *tuf_kind_name(enum tuf_kind kind);
/* The schemes that may sign for KIND, in this build. */
unsigned tuf_profile_schemes(const struct tuf_profile *profile, enum tuf_kind kind);

/* --- claims: not verified -------------------------------------------------------------------------------------------
 */

struct tuf_claim;

/* Parses a file of at most LIMIT bytes: strict JSON, `signatures` (no keyid twice, 4.2.1), `signed` without reals. */
enum fault tuf_claim_parse(const uint8_t *data, size_t size, size_t limit, struct tuf_claim **ret_claim,
			   struct refusal *why);
/* By which profile the verifications below read the claim; it must outlive the claim. Without this call: all zeros. */
void tuf_claim_read_as(struct tuf_claim *claim, const struct tuf_profile *profile);
void tuf_claim_free(struct tuf_claim *claim);
void tuf_claim_freep(struct tuf_claim **claim); /* for _cleanup_ */

/* --- who may sign ---------------------------------------------------------------------------------------------------
 */

/* The keys of one role, and how many of them must sign. Keys in PEM are borrowed from the file that lists them. */
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

/* `hashes` (4.4, 4.5): all listed ones that we know are checked, and one that we know must be listed. Unknown ones next
 * to it are let be, as every unknown member is (4): what is checked already decides. */
#define TUF_HASH_SHA256 1U
#define TUF_HASH_SHA512 2U
#define SHA512_SIZE 64
#define SHA512_HEX_SIZE 129
struct sha512 {
	uint8_t bytes[SHA512_SIZE];
};

/* How one file names another (4.4): hash and length are optional there. */
struct tuf_meta {
	char role[LIMIT_ROLE_NAME_SIZE]; /* "cog" for "cog.json" */
	uint64_t version;
	uint64_t length; /* 0: not given */
	unsigned hashes; /* TUF_HASH_ bits: which of these are given */
	struct sha256 sha256;
	struct sha512 sha512;
};

struct tuf_root {
	struct tuf_header header;
	struct tuf_authority root, timestamp, snapshot, targets;
	bool is_consistent; /* consistent_snapshot (6.2) */
	json_t *owner;      /* the `signed` object that keys in PEM point into */
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
	struct sha256 sha256; /* always given in the closed profile */
	const json_t *custom;
	unsigned hashes; /* TUF_HASH_ bits */
	struct sha512 sha512;
};

struct tuf_delegation {
	char role[LIMIT_ROLE_NAME_SIZE];
	struct tuf_authority authority;
	const json_t *paths;    /* array of patterns (4.5); NULL where the role is delegated by path_hash_prefixes */
	const json_t *prefixes; /* array of hex digits, or NULL */
	bool is_terminating;
};

/* `succinct_roles` (TAP 15): 2^BIT_LENGTH roles "<prefix>-<hex>" with one authority, all terminating. */
struct tuf_bins {
	struct tuf_authority authority;
	unsigned bit_length;               /* 1 to 32 */
	char prefix[LIMIT_ROLE_NAME_SIZE]; /* short enough for the "-" and digits behind it */
};

struct tuf_targets {
	struct tuf_header header;
	struct tuf_target *targets; /* in the order of the file */
	size_t n_targets;
	struct tuf_delegation *delegations; /* in the order of the file: it is the order of search (5.6.7) */
	size_t n_delegations;
	struct tuf_bins *bins; /* in place of delegations; NULL where there are none */
	json_t *owner;         /* the `signed` object that the pointers above point into */
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

/* Whether DATA are of the length and of all hashes that are named (5.5.2, 5.6.2; 5.7.3). FAULT_TUF_HASH; CLAUSE for it. */
enum fault tuf_meta_check(const struct tuf_meta *meta, const uint8_t *data, size_t size, const char *clause,
			  struct refusal *why);
enum fault tuf_target_check(const struct tuf_target *target, const uint8_t *data, size_t size, struct refusal *why);

/* --- names and paths (metadata_paths.c) -----------------------------------------------------------------------------
 */

/* The file of ROLE: "3.cog.json"; "cog.json" where VERSION is 0. Bytes of ROLE but [A-Za-z0-9_.~-] are percent-encoded
 * in capitals (RFC 3986), so that the name is one file's name and one segment of an address. */
void tuf_file_name(uint64_t version, const char *role, char name[LIMIT_ROLE_FILE_SIZE]);

/* The file of a target on a server, below its folder of targets: "cog/<hash>.data.csv" with consistent snapshots, by the
 * strongest listed hash that all repositories write (SHA-256, else SHA-512); else "cog/data.csv". Percent-encoded but for
 * the slashes (6.2, 5.7.3). False where it would not fit. */
bool tuf_target_file_name(const struct tuf_target *target, bool is_consistent, char *name, size_t size);

/* Whether PATTERN covers PATH (4.5, glob(7)): "*", "?" and "[a-z]" match no "/"; there is no escape. */
bool tuf_pattern_matches(const char *pattern, const char *path);
/* Whether the delegation covers PATH, whose SHA-256 is PATH_SHA256. */
bool tuf_delegation_covers(const struct tuf_delegation *delegation, const char *path, const struct sha256 *path_sha256);
/* The bin of the path whose SHA-256 is PATH_SHA256 (TAP 15): its first bits, as hex digits with leading zeros. */
void tuf_bins_role(const struct tuf_bins *bins, const struct sha256 *path_sha256, char role[LIMIT_ROLE_NAME_SIZE]);

/* Whether PATH is one that the delegation of ROLE covers: "<role>/<file>" with one plain file name, or "status.json"
 * for the role "status". */
bool tuf_role_covers(const char *role, const char *path);
/* Whether the delegation's only pattern is the one that its role may have: "<role>/" and a star, or "status.json". */
bool tuf_delegation_is_ours(const struct tuf_delegation *delegation);

#endif
