/* SPDX-License-Identifier: ISC
 *
 * tlog: recursion over the tree of RFC 6962 to make proofs, the iterations of RFC 9162 to verify them: two
 * ways, so that one checks the other. SHA-256 is libsodium's: inside-log links nothing else.
 */
#include "keys/tlog.h"

#include <sodium.h>
#include <string.h>

#include "base/log.h"

_Static_assert(crypto_hash_sha256_BYTES == SHA256_SIZE, "SHA-256");

/* --- hashes ---------------------------------------------------------------------------------------------------------- */

static void hash_parts(uint8_t prefix, const void *a, size_t a_size, const void *b, size_t b_size,
		       struct sha256 *ret_hash)
{
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, &prefix, 1);
	crypto_hash_sha256_update(&state, a, a_size);
	crypto_hash_sha256_update(&state, b, b_size);
	crypto_hash_sha256_final(&state, ret_hash->bytes);
}

void tlog_leaf_hash(const void *data, size_t size, struct sha256 *ret_hash)
{
	hash_parts(0x00, data, size, "", 0, ret_hash);
}

void tlog_node_hash(const struct sha256 *left, const struct sha256 *right, struct sha256 *ret_hash)
{
	hash_parts(0x01, left->bytes, SHA256_SIZE, right->bytes, SHA256_SIZE, ret_hash);
}

void tlog_empty_hash(struct sha256 *ret_hash)
{
	crypto_hash_sha256(ret_hash->bytes, (const uint8_t *)"", 0);
}

bool tlog_equal(const struct sha256 *a, const struct sha256 *b)
{
	return memcmp(a->bytes, b->bytes, SHA256_SIZE) == 0;
}

/* --- roots ----------------------------------------------------------------------------------------------------------- */

/* The largest power of two below N; N is at least 2. */
static uint64_t split(uint64_t n)
{
	return 1ULL << (63 - __builtin_clzll(n - 1));
}

/* The root of leaves [START, END), at least one; START is where a subtree of that size may begin. A complete one is read. */
static enum fault range_root(const struct tlog_source *source, uint64_t start, uint64_t end, struct sha256 *ret_root,
			     struct refusal *why)
{
	uint64_t n = end - start, left_size;
	struct sha256 left, right;
	enum fault fault;

	if ((n & (n - 1)) == 0) {
		unsigned level = (unsigned)__builtin_ctzll(n);

		return source->read(source->context, level, start >> level, ret_root, why);
	}
	left_size = split(n);
	if ((fault = range_root(source, start, start + left_size, &left, why)) != FAULT_NONE ||
	    (fault = range_root(source, start + left_size, end, &right, why)) != FAULT_NONE)
		return fault;
	tlog_node_hash(&left, &right, ret_root);
	return FAULT_NONE;
}

enum fault tlog_root(const struct tlog_source *source, uint64_t size, struct sha256 *ret_root, struct refusal *why)
{
	if (size > 0)
		return range_root(source, 0, size, ret_root, why);
	tlog_empty_hash(ret_root);
	return FAULT_NONE;
}

void tlog_root_of(const struct sha256 *hashes, size_t n_hashes, struct sha256 *ret_root)
{
	struct sha256 left, right;
	size_t left_size;

	if (n_hashes == 1) {
		*ret_root = hashes[0];
		return;
	}
	left_size = (size_t)split(n_hashes);
	tlog_root_of(hashes, left_size, &left);
	tlog_root_of(hashes + left_size, n_hashes - left_size, &right);
	tlog_node_hash(&left, &right, ret_root);
}

/* --- making proofs --------------------------------------------------------------------------------------------------- */

static enum fault add_range(const struct tlog_source *source, uint64_t start, uint64_t end, struct tlog_proof *proof,
			    struct refusal *why)
{
	if (proof->n_hashes >= TLOG_PROOF_MAX)
		die("a proof of more than %d hashes", TLOG_PROOF_MAX);
	return range_root(source, start, end, &proof->hashes[proof->n_hashes++], why);
}

static enum fault prove_inclusion(const struct tlog_source *source, uint64_t start, uint64_t end, uint64_t index,
				  struct tlog_proof *proof, struct refusal *why)
{
	enum fault fault;
	uint64_t middle;

	if (end - start == 1)
		return FAULT_NONE;
	middle = start + split(end - start);
	if (index < middle) {
		fault = prove_inclusion(source, start, middle, index, proof, why);
		return fault != FAULT_NONE ? fault : add_range(source, middle, end, proof, why);
	}
	fault = prove_inclusion(source, middle, end, index, proof, why);
	return fault != FAULT_NONE ? fault : add_range(source, start, middle, proof, why);
}

enum fault tlog_prove_inclusion(const struct tlog_source *source, uint64_t size, uint64_t index,
				struct tlog_proof *ret_proof, struct refusal *why)
{
	ret_proof->n_hashes = 0;
	if (index >= size)
		die("a proof of entry %ju among %ju", (uintmax_t)index, (uintmax_t)size);
	return prove_inclusion(source, 0, size, index, ret_proof, why);
}

/* IS_WHOLE: the old tree's root is that of this range's beginning, so the verifier has it already. */
static enum fault prove_consistency(const struct tlog_source *source, uint64_t start, uint64_t end, uint64_t old_end,
				    bool is_whole, struct tlog_proof *proof, struct refusal *why)
{
	enum fault fault;
	uint64_t middle;

	if (old_end == end)
		return is_whole ? FAULT_NONE : add_range(source, start, end, proof, why);
	middle = start + split(end - start);
	if (old_end <= middle) {
		fault = prove_consistency(source, start, middle, old_end, is_whole, proof, why);
		return fault != FAULT_NONE ? fault : add_range(source, middle, end, proof, why);
	}
	fault = prove_consistency(source, middle, end, old_end, false, proof, why);
	return fault != FAULT_NONE ? fault : add_range(source, start, middle, proof, why);
}

enum fault tlog_prove_consistency(const struct tlog_source *source, uint64_t old_size, uint64_t size,
				  struct tlog_proof *ret_proof, struct refusal *why)
{
	ret_proof->n_hashes = 0;
	if (old_size > size)
		die("a proof that %ju entries begin with %ju", (uintmax_t)size, (uintmax_t)old_size);
	if (old_size == 0)
		return FAULT_NONE;
	return prove_consistency(source, 0, size, old_size, true, ret_proof, why);
}

/* --- verifying proofs ------------------------------------------------------------------------------------------------ */

bool tlog_verify_inclusion(uint64_t size, uint64_t index, const struct sha256 *leaf, const struct tlog_proof *proof,
			   const struct sha256 *root)
{
	struct sha256 hash = *leaf;
	uint64_t node = index, last = size - 1;

	if (index >= size || proof->n_hashes > TLOG_PROOF_MAX)
		return false;
	for (size_t i = 0; i < proof->n_hashes; i++) {
		if (last == 0)
			return false;
		if ((node & 1) != 0 || node == last) {
			tlog_node_hash(&proof->hashes[i], &hash, &hash);
			while ((node & 1) == 0 && node != 0) {
				node >>= 1;
				last >>= 1;
			}
		} else {
			tlog_node_hash(&hash, &proof->hashes[i], &hash);
		}
		node >>= 1;
		last >>= 1;
	}
	return last == 0 && tlog_equal(&hash, root);
}

/* The two roots that PROOF computes, from FIRST on; NODE and LAST are the old and the new tree's last leaves, shifted. */
static bool walk_consistency(uint64_t node, uint64_t last, const struct sha256 *first, const struct sha256 *rest,
			     size_t n_rest, struct sha256 *ret_old, struct sha256 *ret_new)
{
	*ret_old = *ret_new = *first;
	for (size_t i = 0; i < n_rest; i++) {
		if (last == 0)
			return false;
		if ((node & 1) != 0 || node == last) {
			tlog_node_hash(&rest[i], ret_old, ret_old);
			tlog_node_hash(&rest[i], ret_new, ret_new);
			while ((node & 1) == 0 && node != 0) {
				node >>= 1;
				last >>= 1;
			}
		} else {
			tlog_node_hash(ret_new, &rest[i], ret_new);
		}
		node >>= 1;
		last >>= 1;
	}
	return last == 0;
}

bool tlog_verify_consistency(uint64_t old_size, uint64_t size, const struct tlog_proof *proof,
			     const struct sha256 *old_root, const struct sha256 *root)
{
	uint64_t node = old_size - 1, last = size - 1;
	const struct sha256 *hashes = proof->hashes;
	size_t n_hashes = proof->n_hashes;
	struct sha256 old_found, found;

	if (old_size > size || n_hashes > TLOG_PROOF_MAX)
		return false;
	if (old_size == 0) {
		tlog_empty_hash(&found);
		return n_hashes == 0 && tlog_equal(old_root, &found);
	}
	if (old_size == size)
		return n_hashes == 0 && tlog_equal(old_root, root);
	if (n_hashes == 0)
		return false;
	while ((node & 1) != 0) {
		node >>= 1;
		last >>= 1;
	}
	/* Where the old tree is complete, its root begins the walk and stands in no proof. */
	if ((old_size & (old_size - 1)) == 0) {
		if (!walk_consistency(node, last, old_root, hashes, n_hashes, &old_found, &found))
			return false;
	} else if (!walk_consistency(node, last, &hashes[0], hashes + 1, n_hashes - 1, &old_found, &found)) {
		return false;
	}
	return tlog_equal(&old_found, old_root) && tlog_equal(&found, root);
}
