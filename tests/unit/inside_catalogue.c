/* SPDX-License-Identifier: ISC
 *
 * The catalogue believes a worker only what fits together: order, counts, names.
 */
#include "inside/catalogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static struct record role(const char *name, uint32_t n_targets)
{
	struct record record = record_new(RECORD_ROLE);

	snprintf(record.role.name, sizeof(record.role.name), "%s", name);
	record.role.n_targets = n_targets;
	return record;
}

static struct record target(const char *dataset, const char *file, uint32_t n_parts)
{
	struct record record = record_new(RECORD_TARGET);

	snprintf(record.target.dataset, sizeof(record.target.dataset), "%s", dataset);
	snprintf(record.target.file, sizeof(record.target.file), "%s", file);
	record.target.n_parts = n_parts;
	return record;
}

static struct record part(uint32_t index, uint8_t first)
{
	struct record record = record_new(RECORD_PART);

	record.part.index = index;
	record.part.sha256.bytes[0] = first;
	return record;
}

static struct record patch(const char *dataset, const char *file, uint32_t n_base_parts)
{
	struct record record = target(dataset, file, 1);

	record.target.is_patch = 1;
	record.target.base_sha256.bytes[0] = 0xba;
	record.target.n_base_parts = n_base_parts;
	return record;
}

static struct record base_part(uint32_t index, uint8_t first)
{
	struct record record = part(index, first);

	record.kind = RECORD_BASE_PART;
	return record;
}

/* Whether all of the records are taken and the catalogue is whole afterwards. */
static bool takes(const struct record *records, size_t n)
{
	_cleanup_(catalogue_freep) struct catalogue *catalogue = catalogue_new();
	struct record trust = record_new(RECORD_TRUST);

	assert_true(catalogue_add(catalogue, &trust));
	for (size_t i = 0; i < n; i++)
		if (!catalogue_add(catalogue, &records[i]))
			return false;
	return catalogue_is_whole(catalogue);
}
#define TAKES(...) takes((struct record[]){__VA_ARGS__}, sizeof((struct record[]){__VA_ARGS__}) / sizeof(struct record))

static void test_order(void **state)
{
	(void)state;
	assert_true(TAKES(role("cog", 2), target("cog", "a", 1), part(0, 1), target("cog", "b", 2), part(0, 2),
			  part(1, 3), role("rien", 0), role("sirene", 1), target("sirene", "a", 0)));
	assert_false(TAKES(target("cog", "a", 0)));
	assert_false(TAKES(part(0, 1)));
	assert_false(TAKES(role("cog", 1)));
	assert_false(TAKES(role("cog", 1), role("sirene", 0)));
	assert_false(TAKES(role("cog", 1), target("cog", "a", 1)));
	assert_false(TAKES(role("cog", 2), target("cog", "a", 1), target("cog", "b", 0)));
	assert_false(TAKES(role("cog", 1), target("sirene", "a", 0)));
	assert_false(TAKES(role("cog", 1), target("cog", "a", 0), target("cog", "b", 0)));
	assert_false(TAKES(role("cog", 1), target("cog", "a", 1), part(1, 1)));
	assert_false(TAKES(role("cog", 1), target("cog", "a", 1), part(0, 1), part(1, 1)));
}

static void test_names(void **state)
{
	(void)state;
	assert_false(TAKES(role("cog", 2), target("cog", "a", 0), target("cog", "a", 0)));
	assert_false(TAKES(role("cog", 0), role("cog", 0)));
}

/* A base's parts come behind all of the patch's, and all of them. */
static void test_bases(void **state)
{
	_cleanup_(catalogue_freep) struct catalogue *catalogue = catalogue_new();
	struct record records[] = {record_new(RECORD_TRUST), role("cog", 1), patch("cog", "a", 1), part(0, 1),
				   base_part(0, 2)};
	struct sha256 of_patch = {{1}}, of_base = {{2}}, base = {{0xba}};

	(void)state;
	assert_true(TAKES(role("cog", 2), patch("cog", "a", 2), part(0, 1), base_part(0, 2), base_part(1, 3),
			  target("cog", "b", 1), part(0, 4)));
	assert_false(TAKES(role("cog", 1), patch("cog", "a", 1), base_part(0, 2)));
	assert_false(TAKES(role("cog", 1), patch("cog", "a", 1), part(0, 1)));
	assert_false(TAKES(role("cog", 2), patch("cog", "a", 1), part(0, 1), target("cog", "b", 0)));
	assert_false(TAKES(role("cog", 1), patch("cog", "a", 1), part(0, 1), base_part(1, 2)));
	assert_false(TAKES(role("cog", 1), patch("cog", "a", 1), part(0, 1), base_part(0, 2), base_part(1, 2)));
	assert_false(TAKES(role("cog", 1), target("cog", "a", 1), part(0, 1), base_part(0, 2)));
	assert_false(TAKES(base_part(0, 2)));
	for (size_t i = 0; i < ARRAY_SIZE(records); i++)
		assert_true(catalogue_add(catalogue, &records[i]));
	assert_true(catalogue_is_whole(catalogue));
	assert_true(catalogue_names_blob(catalogue, &of_patch));
	assert_true(catalogue_names_blob(catalogue, &of_base));
	assert_false(catalogue_names_blob(catalogue, &base)); /* it is no blob */
}

static void test_trust_comes_first(void **state)
{
	_cleanup_(catalogue_freep) struct catalogue *catalogue = catalogue_new();
	struct record trust = record_new(RECORD_TRUST), metadata = record_new(RECORD_METADATA), one = role("cog", 0);

	(void)state;
	assert_false(catalogue_is_whole(catalogue));
	assert_false(catalogue_add(catalogue, &one));
	assert_true(catalogue_add(catalogue, &metadata));
	assert_true(catalogue_add(catalogue, &trust));
	assert_false(catalogue_add(catalogue, &trust));
	assert_false(catalogue_add(catalogue, &metadata));
	assert_true(catalogue_is_whole(catalogue));
}

static void test_blobs_and_gaps(void **state)
{
	_cleanup_(catalogue_freep) struct catalogue *catalogue = catalogue_new();
	struct record records[] = {record_new(RECORD_TRUST), role("cog", 1), target("cog", "a", 1), part(0, 9),
				   role("rues", 0)};
	struct sha256 known = {{9}}, unknown = {{8}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(records); i++)
		assert_true(catalogue_add(catalogue, &records[i]));
	assert_true(catalogue_is_whole(catalogue));
	assert_true(catalogue_names_blob(catalogue, &known));
	assert_false(catalogue_names_blob(catalogue, &unknown));
	assert_false(catalogue_lacks_metadata(catalogue));
	catalogue->roles[1].record.fault = FAULT_TUF_ABSENT;
	assert_true(catalogue_lacks_metadata(catalogue));
	assert_non_null(catalogue_role(catalogue, "rues"));
	assert_null(catalogue_role(catalogue, "rue"));
}

static int64_t mark_of(uint64_t timestamp, const char *file_name, enum fault fault)
{
	_cleanup_(catalogue_freep) struct catalogue *catalogue = catalogue_new();
	struct record trust = record_new(RECORD_TRUST), cog = role("cog", 0);

	trust.trust.timestamp_version = timestamp;
	snprintf(cog.role.file_name, sizeof(cog.role.file_name), "%s", file_name);
	cog.role.fault = fault;
	assert_true(catalogue_add(catalogue, &trust));
	assert_true(catalogue_add(catalogue, &cog));
	assert_true(catalogue_is_whole(catalogue));
	return catalogue_mark(catalogue);
}

/* What waits is tried again when this changes: also where a late bundle brought a role's metadata under the same timestamp. */
static void test_mark(void **state)
{
	int64_t mark = mark_of(7, "3.cog.json", FAULT_TUF_ABSENT);

	(void)state;
	assert_true(mark >= 0);
	assert_true(mark == mark_of(7, "3.cog.json", FAULT_TUF_ABSENT));
	assert_true(mark != mark_of(8, "3.cog.json", FAULT_TUF_ABSENT));
	assert_true(mark != mark_of(7, "4.cog.json", FAULT_TUF_ABSENT));
	assert_true(mark != mark_of(7, "3.cog.json", FAULT_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),          cmocka_unit_test(test_names),
		cmocka_unit_test(test_bases),          cmocka_unit_test(test_trust_comes_first),
		cmocka_unit_test(test_blobs_and_gaps), cmocka_unit_test(test_mark),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("inside_catalogue", tests, NULL, NULL);
}
