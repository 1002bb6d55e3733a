/* SPDX-License-Identifier: ISC
 *
 * keyindex: SipHash's published vectors, exactness over many keys, and the promised bytes a key at every moment.
 */
#include "schemas/keyindex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/notation.h"

/* From the authors' vectors.h (vectors_sip128): secret 00..0f, input 00, 01, … of the length. */
static void test_vectors(void **state)
{
	static const struct {
		size_t size;
		const char *hash;
	} vectors[] = {
		{0, "a3817f04ba25a8e66df67214c7550293"},  {1, "da87c1d86b99af44347659119b22fc45"},
		{2, "8177228da4a45dc7fca38bdef60affe4"},  {3, "9c70b60c5267a94e5f33b6b02985ed51"},
		{15, "5493e99933b0a8117e08ec0f97cfc3d9"}, {63, "5150d1772f50834a503e069a973fbd7c"},
	};
	uint8_t secret[KEY_SECRET_SIZE], input[64];
	char hex[33];

	(void)state;
	for (size_t i = 0; i < sizeof(input); i++)
		input[i] = (uint8_t)i;
	memcpy(secret, input, sizeof(secret));
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		struct key_hash hash;

		key_hash_bytes(secret, input, vectors[i].size, &hash);
		notation_hex(&hash, sizeof(hash), hex);
		assert_string_equal(hex, vectors[i].hash);
	}
}

static void hash_number(uint64_t number, struct key_hash *ret_hash)
{
	static const uint8_t secret[KEY_SECRET_SIZE] = "a fixed secret.";

	key_hash_bytes(secret, &number, sizeof(number), ret_hash);
}

static void test_exact(void **state)
{
	_cleanup_(keyindex_freep) struct keyindex *index = keyindex_new(NULL);
	struct key_hash hash;
	uint32_t row = 0;

	(void)state;
	hash_number(1, &hash);
	assert_int_equal(keyindex_find(index, &hash), KEY_NEW);
	for (uint32_t i = 1; i <= 200000; i++) {
		hash_number(i, &hash);
		assert_int_equal(keyindex_add(index, &hash, i + 1, NULL), KEY_NEW);
	}
	assert_int_equal(keyindex_count(index), 200000);
	for (uint32_t i = 1; i <= 200000; i++) {
		hash_number(i, &hash);
		assert_int_equal(keyindex_find(index, &hash), KEY_SEEN);
		assert_int_equal(keyindex_add(index, &hash, 7, &row), KEY_SEEN);
		assert_int_equal(row, i + 1);
	}
	for (uint32_t i = 200001; i <= 400000; i++) {
		hash_number(i, &hash);
		assert_int_equal(keyindex_find(index, &hash), KEY_NEW);
	}
	assert_int_equal(keyindex_count(index), 200000);
}

/* Two that share all but one bit of those kept are two. */
static void test_close(void **state)
{
	_cleanup_(keyindex_freep) struct keyindex *index = keyindex_new(NULL);
	struct key_hash a = {{1, 1ULL << 24}}, b = {{1, 3ULL << 24}}, c = {{1ULL << 63 | 1, 1ULL << 24}};

	(void)state;
	assert_int_equal(keyindex_add(index, &a, 1, NULL), KEY_NEW);
	assert_int_equal(keyindex_add(index, &b, 2, NULL), KEY_NEW);
	assert_int_equal(keyindex_add(index, &c, 3, NULL), KEY_NEW);
	assert_int_equal(keyindex_add(index, &a, 4, NULL), KEY_SEEN);
}

/* Past its memory an index keeps what it has, and says that it does not know the rest: never that a key is new. */
static void test_bound(void **state)
{
	_cleanup_(spill_freep) struct spill *spill = spill_new(600000, -1);
	_cleanup_(keyindex_freep) struct keyindex *index = keyindex_new(spill);
	uint32_t n_kept = 0, row;
	struct key_hash hash;

	(void)state;
	for (uint32_t i = 1; i <= 100000; i++) {
		hash_number(i, &hash);
		n_kept += keyindex_add(index, &hash, i, NULL) == KEY_NEW;
	}
	assert_int_equal(keyindex_count(index), n_kept);
	assert_in_range(n_kept, 15000, 30000);
	assert_true(keyindex_peak_bytes(index) <= 500000);
	for (uint32_t i = 1; i <= 200000; i++) {
		enum key_answer answer;

		hash_number(i, &hash);
		answer = keyindex_find(index, &hash);
		assert_int_not_equal(answer, KEY_NEW);
		if (i > 100000)
			assert_int_equal(answer, KEY_UNKNOWN);
		if (answer == KEY_SEEN) {
			assert_int_equal(keyindex_add(index, &hash, 7, &row), KEY_SEEN);
			assert_int_equal(row, i);
		}
	}
}

/* Under 32 bytes a key, while growing too. Below some thousand keys the first slots of the 256 tables weigh more. */
static void test_bytes(void **state)
{
	_cleanup_(keyindex_freep) struct keyindex *index = keyindex_new(NULL);
	struct key_hash hash;
	double worst = 0;

	(void)state;
	for (uint32_t i = 1; i <= 1500000; i++) {
		hash_number(i, &hash);
		keyindex_add(index, &hash, i, NULL);
		if (i >= 20000 && (double)keyindex_peak_bytes(index) / i > worst)
			worst = (double)keyindex_peak_bytes(index) / i;
	}
	print_message("# at most %.1f bytes a key\n", worst);
	assert_true(worst < 32.0);
}

static void sum_row(void *ctx, const struct key_hash *hash, uint32_t row)
{
	(void)hash;
	*(uint64_t *)ctx += row;
}

static void test_each(void **state)
{
	_cleanup_(keyindex_freep) struct keyindex *index = keyindex_new(NULL);
	struct key_hash hash;
	uint64_t sum = 0;

	(void)state;
	for (uint32_t i = 1; i <= 1000; i++) {
		hash_number(i, &hash);
		keyindex_add(index, &hash, i, NULL);
	}
	keyindex_each(index, sum_row, &sum);
	assert_int_equal(sum, 1000 * 1001 / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors), cmocka_unit_test(test_exact), cmocka_unit_test(test_close),
		cmocka_unit_test(test_bytes),   cmocka_unit_test(test_each),  cmocka_unit_test(test_bound),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
