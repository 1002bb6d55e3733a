/* SPDX-License-Identifier: ISC
 *
 * How an export is split: by examples, and by what always holds (each blob in exactly one volume, none above the bound). Sizes and moments as
 * people write them.
 */
#include "outside/exportplan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/limits.h"

#define BLOBS 300
#define BASE 3072

static struct publish_blob blobs[BLOBS];

static void make(size_t i, uint64_t length)
{
	memset(&blobs[i].sha256, 0, sizeof blobs[i].sha256);
	blobs[i].sha256.bytes[0] = (uint8_t)(i >> 8);
	blobs[i].sha256.bytes[1] = (uint8_t)i;
	blobs[i].length = length;
	blobs[i].dataset = "towns";
	blobs[i].file = "towns.csv";
}

static void test_sizes(void **state)
{
	(void)state;
	assert_int_equal(publish_bundle_more(1), 1024);
	assert_int_equal(publish_bundle_more(512), 1024);
	assert_int_equal(publish_bundle_more(513), 1536);
}

static void test_first_fit(void **state)
{
	static const uint64_t lengths[] = {512, 5120, 512, 5120, 512, 512};
	static const size_t first[] = {0, 4, 6}; /* a volume of BASE + 8192: 1, 2 and 3 and 5; 4 and 6 */
	struct exportplan plan = {.n_volumes = 0};
	struct refusal why;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		make(i, lengths[i]);
	assert_int_equal(exportplan_split(blobs, 6, BASE, BASE + 8704, LIMIT_EXPORT_BLOBS, &plan, &why), FAULT_NONE);
	assert_int_equal(plan.n_volumes, 2);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(plan.first[i], first[i]);
	assert_int_equal(plan.blobs[3].sha256.bytes[1], 4);
	assert_int_equal(plan.blobs[4].sha256.bytes[1], 3);
	assert_int_equal(plan.sizes[0], BASE + 3 * 1024 + 5632);
	exportplan_clear(&plan);
}

static void test_nothing(void **state)
{
	struct exportplan plan = {.n_volumes = 0};
	struct refusal why;

	(void)state;
	assert_int_equal(exportplan_split(blobs, 0, BASE, BASE, LIMIT_EXPORT_BLOBS, &plan, &why), FAULT_NONE);
	assert_int_equal(plan.n_volumes, 1);
	assert_int_equal(plan.sizes[0], BASE);
	assert_int_equal(plan.first[1], 0);
	exportplan_clear(&plan);
}

static void test_too_small(void **state)
{
	struct exportplan plan = {.n_volumes = 0};
	struct refusal why;

	(void)state;
	make(0, 100);
	make(1, 5000);
	make(2, 4000);
	assert_int_equal(exportplan_split(blobs, 3, BASE, BASE + 5631, LIMIT_EXPORT_BLOBS, &plan, &why),
			 FAULT_EXPORT_VOLUME);
	assert_non_null(strstr(why.line, "blob 0001000000 of towns/towns.csv"));
	assert_non_null(strstr(why.line, "a volume of 8704 bytes, --volume-size is 8703"));
	assert_int_equal(exportplan_split(blobs, 3, BASE, BASE + 5632, LIMIT_EXPORT_BLOBS, &plan, &why), FAULT_NONE);
	exportplan_clear(&plan);
	assert_int_equal(exportplan_split(blobs, 0, BASE, BASE - 1, LIMIT_EXPORT_BLOBS, &plan, &why),
			 FAULT_EXPORT_VOLUME);
	assert_non_null(strstr(why.line, "the metadata alone need a volume of 3072 bytes"));
	blobs[0].dataset = "";
	assert_int_equal(exportplan_split(blobs, 1, BASE, BASE, LIMIT_EXPORT_BLOBS, &plan, &why), FAULT_EXPORT_VOLUME);
	assert_non_null(strstr(why.line, "of towns.csv:"));
}

static void test_bounds(void **state)
{
	static struct publish_blob many[LIMIT_EXPORT_VOLUMES + 1];
	struct exportplan plan = {.n_volumes = 0};
	struct refusal why;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
		make(0, 1);
		many[i] = blobs[0];
	}
	assert_int_equal(
		exportplan_split(many, LIMIT_EXPORT_VOLUMES, BASE, BASE + 1024, LIMIT_EXPORT_BLOBS, &plan, &why),
		FAULT_NONE);
	assert_int_equal(plan.n_volumes, LIMIT_EXPORT_VOLUMES);
	exportplan_clear(&plan);
	assert_int_equal(exportplan_split(many, ARRAY_SIZE(many), BASE, BASE + 1024, LIMIT_EXPORT_BLOBS, &plan, &why),
			 FAULT_EXPORT_VOLUME);
	assert_non_null(strstr(why.line, "LIMIT_EXPORT_VOLUMES"));
}

/* What one worker can hold open at once. */
static void test_many(void **state)
{
	static struct publish_blob many[2 * LIMIT_EXPORT_BLOBS + 1];
	struct exportplan plan = {.n_volumes = 0};
	struct refusal why;

	(void)state;
	make(0, 1);
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = blobs[0];
	assert_int_equal(exportplan_split(many, ARRAY_SIZE(many), BASE, LIMIT_EXPORT_FAT32_SIZE, LIMIT_EXPORT_BLOBS,
					  &plan, &why),
			 FAULT_NONE);
	assert_int_equal(plan.n_volumes, 3);
	assert_int_equal(plan.first[1], LIMIT_EXPORT_BLOBS);
	assert_int_equal(plan.first[3], ARRAY_SIZE(many));
	exportplan_clear(&plan);
}

static uint64_t random_state = 7;
static uint64_t roll(uint64_t below)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (random_state >> 33) % below;
}

static size_t count(const struct exportplan *plan, const struct publish_blob *blob)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->first[plan->n_volumes]; i++)
		n += sha256_equal(&plan->blobs[i].sha256, &blob->sha256);
	return n;
}

/* The sizes are those of the bundles that are written: bytes of each member and its header. */
static void check_volumes(const struct exportplan *plan, size_t n_blobs, uint64_t bound)
{
	assert_int_equal(plan->first[0], 0);
	assert_int_equal(plan->first[plan->n_volumes], n_blobs);
	for (size_t v = 0; v < plan->n_volumes; v++) {
		uint64_t size = BASE;

		for (size_t i = plan->first[v]; i < plan->first[v + 1]; i++)
			size += 512 + (plan->blobs[i].length + 511) / 512 * 512;
		assert_int_equal(size, plan->sizes[v]);
		assert_true(size <= bound);
		assert_true(plan->n_volumes == 1 || plan->first[v + 1] > plan->first[v]);
	}
}

/* Without some whole volumes the others stay as they are: so an export goes on where it stopped. */
static void check_rest(const struct exportplan *plan, uint64_t bound)
{
	struct exportplan rest = {.n_volumes = 0};
	struct publish_blob left[BLOBS];
	size_t n_left = 0, gone = roll(plan->n_volumes), at = 0;
	struct refusal why;

	for (size_t i = 0; i < plan->first[plan->n_volumes]; i++) {
		bool is_gone = false;

		for (size_t k = plan->first[gone]; k < plan->first[gone + 1]; k++)
			is_gone |= sha256_equal(&plan->blobs[k].sha256, &blobs[i].sha256);
		if (!is_gone)
			left[n_left++] = blobs[i];
	}
	if (n_left == 0)
		return;
	assert_int_equal(exportplan_split(left, n_left, BASE, bound, LIMIT_EXPORT_BLOBS, &rest, &why), FAULT_NONE);
	assert_int_equal(rest.n_volumes, plan->n_volumes - 1);
	for (size_t v = 0; v < plan->n_volumes; v++) {
		if (v == gone)
			continue;
		assert_int_equal(rest.sizes[at], plan->sizes[v]);
		for (size_t i = 0; i < plan->first[v + 1] - plan->first[v]; i++)
			assert_true(sha256_equal(&rest.blobs[rest.first[at] + i].sha256,
						 &plan->blobs[plan->first[v] + i].sha256));
		at++;
	}
	exportplan_clear(&rest);
}

static void test_property(void **state)
{
	(void)state;
	for (int round = 0; round < 500; round++) {
		size_t n = 1 + roll(BLOBS);
		uint64_t largest = 0, bound;
		struct exportplan plan = {.n_volumes = 0};
		struct refusal why;

		for (size_t i = 0; i < n; i++) {
			make(i, 1 + roll(round % 2 == 0 ? 3000 : 100000));
			largest = blobs[i].length > largest ? blobs[i].length : largest;
		}
		bound = BASE + publish_bundle_more(largest) + roll(200000);
		assert_int_equal(exportplan_split(blobs, n, BASE, bound, LIMIT_EXPORT_BLOBS, &plan, &why), FAULT_NONE);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(count(&plan, &blobs[i]), 1);
		check_volumes(&plan, n, bound);
		check_rest(&plan, bound);
		exportplan_clear(&plan);
	}
}

static void test_parse_size(void **state)
{
	static const struct {
		const char *text;
		uint64_t size;
	} good[] = {{"1", 1},
		    {"650000000", 650000000},
		    {"64K", 64000},
		    {"64k", 64000},
		    {"700M", 700000000},
		    {"3.9G", 3900000000},
		    {"3.875G", 3875000000},
		    {"0.5M", 500000},
		    {"1.0", 1},
		    {"68G", 68000000000}};
	static const char *const bad[] = {"",
					  "0",
					  "0K",
					  "-1",
					  "+1",
					  "1.5",
					  "1.",
					  "1.K",
					  ".5G",
					  "3,9G",
					  "4GB",
					  "4GiB",
					  "4 G",
					  " 4G",
					  "4G ",
					  "0x10",
					  "1e9",
					  "G",
					  "nan",
					  "1.2345M",
					  "69G",
					  "18446744073709551616",
					  "99999999999999999999999999G",
					  "1.2.3M"};
	struct refusal why;
	uint64_t size;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(exportplan_parse_size(good[i].text, &size, &why), FAULT_NONE);
		assert_int_equal(size, good[i].size);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(exportplan_parse_size(bad[i], &size, &why), FAULT_EXPORT_VOLUME);
}

static void test_parse_since(void **state)
{
	static const char *const bad[] = {"",
					  "0",
					  "-1",
					  "42x",
					  "2026-13-01",
					  "2026-02-29",
					  "25/11/2026",
					  "2026-11-1",
					  "yesterday",
					  "2026-11-01T06:00:00",
					  "2026-11-01T06:00:00+01:00",
					  "99999999999999999999",
					  "2026-11-01 "};
	uint64_t since;
	int64_t from;

	(void)state;
	assert_true(exportplan_parse_since("42", &since, &from));
	assert_int_equal(since, 42);
	assert_int_equal(from, 0);
	assert_true(exportplan_parse_since("2026-11-01", &since, &from));
	assert_int_equal(since, 0);
	assert_int_equal(from, 1793491200);
	assert_true(exportplan_parse_since("2026-11-01T06:00:00Z", &since, &from));
	assert_int_equal(from, 1793491200 + 6 * 3600);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(exportplan_parse_since(bad[i], &since, &from));
}

/* A bundle that nobody carries is as large as it must be; and no larger than asked for where it can be smaller. */
static void test_bound(void **state)
{
	struct exportplan plan = {.n_volumes = 0};
	struct refusal why;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		make(i, i == 3 ? 10240 : 512);
	assert_int_equal(exportplan_bound(blobs, 6, BASE, 100), BASE + 10752);
	assert_int_equal(exportplan_bound(blobs, 6, BASE, 20000), 20000);
	assert_int_equal(exportplan_bound(blobs, 0, BASE, 100), BASE);
	assert_int_equal(exportplan_split(blobs, 6, BASE, exportplan_bound(blobs, 6, BASE, 100), LIMIT_EXPORT_BLOBS,
					  &plan, &why),
			 FAULT_NONE);
	assert_int_equal(plan.n_volumes, 2);
	exportplan_clear(&plan);
	assert_int_equal(exportplan_split(blobs, 6, BASE, 1000000, 4, &plan, &why), FAULT_NONE);
	assert_int_equal(plan.n_volumes, 2);
	assert_int_equal(plan.first[1], 4);
	exportplan_clear(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),       cmocka_unit_test(test_bound),     cmocka_unit_test(test_first_fit),
		cmocka_unit_test(test_nothing),     cmocka_unit_test(test_too_small), cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_many),        cmocka_unit_test(test_property),  cmocka_unit_test(test_parse_size),
		cmocka_unit_test(test_parse_since),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
