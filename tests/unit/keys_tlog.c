/* SPDX-License-Identifier: ISC
 *
 * keys_tlog: the test vectors that every RFC 6962 implementation shares, and each proof of each small tree both ways.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/notation.h"
#include "keys/tlog.h"

#define N_SMALL 70

static struct sha256 hash_of(const char *hex)
{
	struct sha256 hash;

	assert_true(notation_unhex(hex, hash.bytes, SHA256_SIZE));
	return hash;
}

static void assert_hash(const struct sha256 *hash, const char *hex)
{
	char found[SHA256_HEX_SIZE];

	notation_hex(hash->bytes, SHA256_SIZE, found);
	assert_string_equal(found, hex);
}

/* Certificate Transparency's eight leaves, in hex. */
static const char *const ct_leaves[8] = {
	"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
static const char *const ct_roots[9] = {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
					"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
					"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
					"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
					"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
					"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
					"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
					"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
					"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

/* Leaves in memory. */
struct leaves {
	struct sha256 hashes[N_SMALL];
	size_t n;
};

static enum fault read_leaves(void *context, unsigned level, uint64_t index, struct sha256 *ret_hash,
			      struct refusal *why)
{
	const struct leaves *leaves = context;

	(void)why;
	assert_true(((index + 1) << level) <= leaves->n);
	tlog_root_of(&leaves->hashes[index << level], (size_t)1 << level, ret_hash);
	return FAULT_NONE;
}

static void fill_ct(struct leaves *leaves)
{
	for (size_t i = 0; i < 8; i++) {
		uint8_t bytes[16];
		size_t size = strlen(ct_leaves[i]) / 2;

		assert_true(notation_unhex(ct_leaves[i], bytes, size));
		tlog_leaf_hash(bytes, size, &leaves->hashes[i]);
	}
	leaves->n = 8;
}

static void fill_numbers(struct leaves *leaves, size_t n)
{
	for (size_t i = 0; i < n; i++)
		tlog_leaf_hash(&i, sizeof(i), &leaves->hashes[i]);
	leaves->n = n;
}

static void test_roots(void **state)
{
	struct leaves leaves;
	struct tlog_source source = {read_leaves, &leaves};

	(void)state;
	fill_ct(&leaves);
	for (uint64_t size = 0; size <= 8; size++) {
		struct sha256 root, again;

		assert_int_equal(tlog_root(&source, size, &root, NULL), FAULT_NONE);
		assert_hash(&root, ct_roots[size]);
		if (size == 0)
			continue;
		tlog_root_of(leaves.hashes, size, &again);
		assert_hash(&again, ct_roots[size]);
	}
}

static void check_path(const struct tlog_proof *proof, const char *const *hashes, size_t n)
{
	assert_int_equal(proof->n_hashes, n);
	for (size_t i = 0; i < n; i++)
		assert_hash(&proof->hashes[i], hashes[i]);
}

static void test_vectors(void **state)
{
	static const char *const path_1_8[] = {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
					       "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
					       "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"};
	static const char *const path_3_3[] = {"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"};
	static const char *const from_1_to_8[] = {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
						  "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
						  "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"};
	static const char *const from_6_to_8[] = {"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
						  "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
						  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"};
	struct leaves leaves;
	struct tlog_source source = {read_leaves, &leaves};
	struct tlog_proof proof;

	(void)state;
	fill_ct(&leaves);
	assert_int_equal(tlog_prove_inclusion(&source, 8, 0, &proof, NULL), FAULT_NONE);
	check_path(&proof, path_1_8, 3);
	assert_int_equal(tlog_prove_inclusion(&source, 3, 2, &proof, NULL), FAULT_NONE);
	check_path(&proof, path_3_3, 1);
	assert_int_equal(tlog_prove_consistency(&source, 1, 8, &proof, NULL), FAULT_NONE);
	check_path(&proof, from_1_to_8, 3);
	assert_int_equal(tlog_prove_consistency(&source, 6, 8, &proof, NULL), FAULT_NONE);
	check_path(&proof, from_6_to_8, 3);
	assert_int_equal(tlog_prove_consistency(&source, 8, 8, &proof, NULL), FAULT_NONE);
	assert_int_equal(proof.n_hashes, 0);
}

/* Every changed proof must fail: one bit of a hash, one hash more, one less. */
static void try_wrong_inclusion(uint64_t size, uint64_t index, const struct sha256 *leaf,
				const struct tlog_proof *proof, const struct sha256 *root)
{
	struct tlog_proof wrong = *proof;

	for (size_t i = 0; i < proof->n_hashes; i++) {
		wrong.hashes[i].bytes[i % SHA256_SIZE] ^= 1;
		assert_false(tlog_verify_inclusion(size, index, leaf, &wrong, root));
		wrong.hashes[i] = proof->hashes[i];
	}
	wrong.hashes[wrong.n_hashes++] = *root;
	assert_false(tlog_verify_inclusion(size, index, leaf, &wrong, root));
	wrong.n_hashes -= 2;
	if (proof->n_hashes > 0)
		assert_false(tlog_verify_inclusion(size, index, leaf, &wrong, root));
	assert_false(tlog_verify_inclusion(size, index, root, proof, leaf) && size > 1);
	assert_false(tlog_verify_inclusion(size, size, leaf, proof, root));
	assert_false(tlog_verify_inclusion(0, 0, leaf, proof, root));
}

static void test_inclusion(void **state)
{
	struct leaves leaves;
	struct tlog_source source = {read_leaves, &leaves};

	(void)state;
	fill_numbers(&leaves, N_SMALL);
	for (uint64_t size = 1; size <= N_SMALL; size++) {
		struct sha256 root;

		assert_int_equal(tlog_root(&source, size, &root, NULL), FAULT_NONE);
		for (uint64_t index = 0; index < size; index++) {
			struct tlog_proof proof;

			assert_int_equal(tlog_prove_inclusion(&source, size, index, &proof, NULL), FAULT_NONE);
			assert_true(tlog_verify_inclusion(size, index, &leaves.hashes[index], &proof, &root));
			if (index > 0)
				assert_false(
					tlog_verify_inclusion(size, index - 1, &leaves.hashes[index], &proof, &root));
			try_wrong_inclusion(size, index, &leaves.hashes[index], &proof, &root);
		}
	}
}

static void try_wrong_consistency(uint64_t old_size, uint64_t size, const struct tlog_proof *proof,
				  const struct sha256 *old_root, const struct sha256 *root)
{
	struct sha256 other = *old_root, other_new = *root;
	struct tlog_proof wrong = *proof;

	for (size_t i = 0; i < proof->n_hashes; i++) {
		wrong.hashes[i].bytes[i % SHA256_SIZE] ^= 0x80;
		assert_false(tlog_verify_consistency(old_size, size, &wrong, old_root, root));
		wrong.hashes[i] = proof->hashes[i];
	}
	wrong.hashes[wrong.n_hashes++] = *root;
	assert_false(tlog_verify_consistency(old_size, size, &wrong, old_root, root));
	wrong.n_hashes -= 2;
	if (proof->n_hashes > 0)
		assert_false(tlog_verify_consistency(old_size, size, &wrong, old_root, root));
	other.bytes[7] ^= 1;
	assert_false(tlog_verify_consistency(old_size, size, proof, &other, root));
	other_new.bytes[9] ^= 1;
	/* Everything continues nothing, so that nothing is proved there. */
	assert_true(old_size == 0 || !tlog_verify_consistency(old_size, size, proof, old_root, &other_new));
	assert_false(tlog_verify_consistency(size + 1, size, proof, old_root, root));
}

static void test_consistency(void **state)
{
	struct leaves leaves;
	struct tlog_source source = {read_leaves, &leaves};

	(void)state;
	fill_numbers(&leaves, N_SMALL);
	for (uint64_t size = 0; size <= N_SMALL; size++) {
		struct sha256 root, old_root;

		assert_int_equal(tlog_root(&source, size, &root, NULL), FAULT_NONE);
		for (uint64_t old_size = 0; old_size <= size; old_size++) {
			struct tlog_proof proof;

			assert_int_equal(tlog_root(&source, old_size, &old_root, NULL), FAULT_NONE);
			assert_int_equal(tlog_prove_consistency(&source, old_size, size, &proof, NULL), FAULT_NONE);
			assert_true(tlog_verify_consistency(old_size, size, &proof, &old_root, &root));
			try_wrong_consistency(old_size, size, &proof, &old_root, &root);
		}
	}
}

static void test_hashes(void **state)
{
	struct sha256 left = hash_of(ct_roots[1]), right, node;

	(void)state;
	tlog_leaf_hash("\x00", 1, &right);
	tlog_node_hash(&left, &right, &node);
	assert_hash(&node, ct_roots[2]);
	/* In place. */
	tlog_node_hash(&left, &right, &right);
	assert_true(tlog_equal(&node, &right));
	assert_false(tlog_equal(&node, &left));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hashes),    cmocka_unit_test(test_roots),       cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_inclusion), cmocka_unit_test(test_consistency),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
