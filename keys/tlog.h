/* SPDX-License-Identifier: ISC
 *
 * tlog: the Merkle tree of RFC 6962 over the audit log's entries: hashes, roots, the two proofs and their verification.
 * Nothing here reads a file or trusts a hash: where hashes come from is the caller's (tile.h).
 */
#ifndef KEYS_TLOG_H
#define KEYS_TLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/hash.h"

/* A proof of inclusion has at most as many hashes as the tree has levels, one of consistency one more (RFC 6962, 2.1). */
#define TLOG_PROOF_MAX 64

struct tlog_proof {
	size_t n_hashes;
	struct sha256 hashes[TLOG_PROOF_MAX];
};

/* Where hashes come from: the root of the complete subtree of 2^LEVEL leaves that begins at leaf INDEX * 2^LEVEL. */
struct tlog_source {
	enum fault (*read)(void *context, unsigned level, uint64_t index, struct sha256 *ret_hash, struct refusal *why);
	void *context;
};

/* SHA-256(0x00 || data), SHA-256(0x01 || left || right), SHA-256 of nothing (RFC 6962, 2.1). RET may be one of the two. */
void tlog_leaf_hash(const void *data, size_t size, struct sha256 *ret_hash);
void tlog_node_hash(const struct sha256 *left, const struct sha256 *right, struct sha256 *ret_hash);
void tlog_empty_hash(struct sha256 *ret_hash);

/* The root of the tree of the first SIZE leaves. Faults are the source's. */
enum fault tlog_root(const struct tlog_source *source, uint64_t size, struct sha256 *ret_root, struct refusal *why);
/* The root over N hashes, the leaves or the roots of equal complete subtrees; N is at least 1. */
void tlog_root_of(const struct sha256 *hashes, size_t n_hashes, struct sha256 *ret_root);

/* The audit path of leaf INDEX in the tree of SIZE leaves (RFC 6962, 2.1.1); INDEX < SIZE. */
enum fault tlog_prove_inclusion(const struct tlog_source *source, uint64_t size, uint64_t index,
				struct tlog_proof *ret_proof, struct refusal *why);
/* That the tree of SIZE leaves begins with the one of OLD_SIZE (RFC 6962, 2.1.2); OLD_SIZE <= SIZE. Empty where they are equal
 * or OLD_SIZE is 0. */
enum fault tlog_prove_consistency(const struct tlog_source *source, uint64_t old_size, uint64_t size,
				  struct tlog_proof *ret_proof, struct refusal *why);

/* Whether PROOF leads from the hash of leaf INDEX to ROOT (RFC 9162, 2.1.3.2). */
bool tlog_verify_inclusion(uint64_t size, uint64_t index, const struct sha256 *leaf, const struct tlog_proof *proof,
			   const struct sha256 *root);
/* Whether PROOF leads from OLD_ROOT to ROOT (RFC 9162, 2.1.4.2). Every tree begins with the empty one; OLD_ROOT must then be its hash. */
bool tlog_verify_consistency(uint64_t old_size, uint64_t size, const struct tlog_proof *proof,
			     const struct sha256 *old_root, const struct sha256 *root);

/* Like sha256_equal(), without the library that computes it. */
bool tlog_equal(const struct sha256 *a, const struct sha256 *b);

#endif
