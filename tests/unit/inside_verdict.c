/* SPDX-License-Identifier: ISC
 *
 * Verdicts: there and back, and what is not one.
 */
#include "inside/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "bundle/limits.h"

static struct verdict *make(void)
{
	struct sha256 version = {{0xab, 0xcd}};
	struct verdict *verdict = verdict_new("cog", &version);
	struct record record = record_new(RECORD_FACTS);

	verdict->judged_with.bytes[31] = 7;
	snprintf(record.facts.title, sizeof(record.facts.title), "Code officiel géographique");
	snprintf(record.facts.created, sizeof(record.facts.created), "2022-06-22");
	snprintf(record.facts.replaced_by, sizeof(record.facts.replaced_by), "cog2");
	record.facts.n_resources = 1;
	record.facts.has_opaque = 1;
	assert_true(verdict_add(verdict, &record));
	record = record_new(RECORD_LICENCE);
	snprintf(record.licence.name, sizeof(record.licence.name), "LOV2");
	assert_true(verdict_add(verdict, &record));
	record = record_new(RECORD_RESOURCE);
	snprintf(record.resource.name, sizeof(record.resource.name), "communes");
	record.resource.rows = 37813;
	snprintf(record.resource.published_hash, sizeof(record.resource.published_hash), "sha256:00");
	assert_true(verdict_add(verdict, &record));
	record = record_new(RECORD_TOLERATED);
	snprintf(record.tolerated.resource, sizeof(record.tolerated.resource), "communes");
	snprintf(record.tolerated.rule, sizeof(record.tolerated.rule), "enum");
	snprintf(record.tolerated.field, sizeof(record.tolerated.field), "zone");
	record.tolerated.count = 12;
	assert_true(verdict_add(verdict, &record));
	record = record_new(RECORD_BREAK);
	record.break_.fault = FAULT_CONTRACT_FIELD;
	record.break_.can_be_approved = 1;
	snprintf(record.break_.application, sizeof(record.break_.application), "paie");
	snprintf(record.break_.resource, sizeof(record.break_.resource), "communes");
	snprintf(record.break_.field, sizeof(record.break_.field), "a\"b\\c");
	snprintf(record.break_.rule, sizeof(record.break_.rule), "field-removed");
	snprintf(record.break_.line, sizeof(record.break_.line), "is gone");
	assert_true(verdict_add(verdict, &record));
	verdict_add_blob(verdict, &version);
	return verdict;
}

static void test_goods(void **state)
{
	_cleanup_(verdict_freep) struct verdict *verdict = make(), *back = NULL;
	_cleanup_(json_decrefp) json_t *root = NULL;
	_cleanup_free_ char *text = NULL, *bad = NULL, *many = NULL;
	struct record record = record_new(RECORD_GOOD);
	json_t *goods, *one;

	(void)state;
	record.good.sha256.bytes[0] = 1;
	record.good.by.bytes[31] = 2;
	assert_true(verdict_add(verdict, &record));
	root = verdict_to_json(verdict);
	text = json_dumps(root, 0);
	assert_int_equal(verdict_parse(text, strlen(text), &back, NULL), FAULT_NONE);
	assert_int_equal(back->n_goods, 1);
	assert_memory_equal(&back->goods[0], &record.good, sizeof(record.good));

	goods = json_object_get(root, "good");
	one = json_deep_copy(json_array_get(goods, 0));
	json_object_set_new(json_array_get(goods, 0), "by", json_string("2"));
	bad = json_dumps(root, 0);
	assert_int_equal(verdict_parse(bad, strlen(bad), &back, NULL), FAULT_JSON_MEMBER);
	json_array_clear(goods);
	for (size_t i = 0; i <= 2 * LIMIT_TARGETS_PER_ROLE; i++)
		json_array_append(goods, one);
	json_decref(one);
	many = json_dumps(root, 0);
	assert_int_not_equal(verdict_parse(many, strlen(many), &back, NULL), FAULT_NONE);
}

/* A version that refers to two tables of another dataset, and what was found of one version of that. */
static struct verdict *make_referring(void)
{
	const struct sha256 other = {{1}}, with = {{2}};
	struct verdict *verdict = make();
	struct record record = record_new(RECORD_REFERS);
	struct break_list breaks = {0};
	struct record_break item = {.fault = FAULT_FOREIGN_KEY,
				    .can_be_approved = 1,
				    .application = "regions",
				    .resource = "communes",
				    .field = "region",
				    .rule = "foreign-key",
				    .line = "communes row 3: …"};

	snprintf(record.refers.resource, sizeof(record.refers.resource), "communes");
	snprintf(record.refers.dataset, sizeof(record.refers.dataset), "regions");
	snprintf(record.refers.table, sizeof(record.refers.table), "regions");
	assert_true(verdict_add(verdict, &record));
	snprintf(record.refers.table, sizeof(record.refers.table), "chefs");
	assert_true(verdict_add(verdict, &record));
	break_list_add(&breaks, &item);
	verdict_add_resolution(verdict, "regions", &other, &with, &breaks);
	assert_null(breaks.items);
	return verdict;
}

static enum fault parse_json(json_t *root, struct verdict **ret_verdict)
{
	_cleanup_free_ char *text = json_dumps(root, 0);

	return verdict_parse(text, strlen(text), ret_verdict, NULL);
}

static void test_round_trip(void **state)
{
	_cleanup_(verdict_freep) struct verdict *verdict = make(), *back = NULL;
	_cleanup_(json_decrefp) json_t *root = NULL, *again = NULL;

	(void)state;
	refuse(&verdict->end, FAULT_BLOB_FRAME, "a frame");
	root = verdict_to_json(verdict);
	assert_int_equal(parse_json(root, &back), FAULT_NONE);
	assert_int_equal(back->end.fault, FAULT_BLOB_FRAME);
	assert_string_equal(back->end.line, "a frame");
	assert_memory_equal(&back->facts, &verdict->facts, sizeof(back->facts));
	assert_memory_equal(back->resources, verdict->resources, sizeof(*back->resources));
	assert_int_equal(back->n_tolerated, 1);
	assert_memory_equal(back->tolerated, verdict->tolerated, sizeof(*back->tolerated));
	assert_memory_equal(back->breaks.items, verdict->breaks.items, sizeof(*back->breaks.items));
	assert_true(sha256_equal(&back->blobs[0], &verdict->version));
	again = verdict_to_json(back);
	assert_true(json_equal(root, again));
}

static void test_references(void **state)
{
	const struct sha256 with = {{2}}, without = {{3}};
	_cleanup_(verdict_freep) struct verdict *verdict = make_referring(), *back = NULL;
	_cleanup_(json_decrefp) json_t *root = verdict_to_json(verdict), *again = NULL;
	const struct verdict_resolution *resolution;

	(void)state;
	assert_int_equal(parse_json(root, &back), FAULT_NONE);
	assert_true(verdict_refers_to(back, "regions"));
	assert_false(verdict_refers_to(back, "cog"));
	assert_int_equal(back->n_references, 2);
	assert_string_equal(back->references[1].table, "chefs");
	resolution = verdict_resolution(back, &with);
	assert_non_null(resolution);
	assert_int_equal(resolution->breaks.items[0].fault, FAULT_FOREIGN_KEY);
	assert_null(verdict_resolution(back, &without));
	assert_non_null(verdict_resource(back, "communes"));
	assert_null(verdict_resource(back, "regions"));
	again = verdict_to_json(back);
	assert_true(json_equal(root, again));
}

static void test_references_refused(void **state)
{
	_cleanup_(verdict_freep) struct verdict *verdict = make_referring(), *back = NULL;
	_cleanup_(json_decrefp) json_t *root = verdict_to_json(verdict);
	json_t *reference = json_array_get(json_object_get(root, "references"), 0),
	       *resolved = json_array_get(json_object_get(root, "resolved"), 0);
	json_t *const objects[] = {reference, resolved};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		_cleanup_(json_decrefp) json_t *good = json_copy(objects[i]);
		const char *key;
		json_t *value;

		json_object_foreach(good, key, value)
		{
			json_object_set_new(objects[i], key, json_string("../x"));
			assert_int_not_equal(parse_json(root, &back), FAULT_NONE);
			json_object_del(objects[i], key);
			assert_int_not_equal(parse_json(root, &back), FAULT_NONE);
			json_object_set(objects[i], key, value);
		}
		json_object_set_new(objects[i], "more", json_true());
		assert_int_not_equal(parse_json(root, &back), FAULT_NONE);
		json_object_del(objects[i], "more");
	}
	json_object_set_new(resolved, "dataset", json_string("cog"));
	assert_int_not_equal(parse_json(root, &back), FAULT_NONE);
	json_object_set_new(resolved, "dataset", json_string("regions"));
	assert_int_equal(parse_json(root, &back), FAULT_NONE);
	json_object_set_new(root, "references", json_array());
	assert_int_not_equal(parse_json(root, &(struct verdict *){NULL}), FAULT_NONE);
}

/* The oldest is forgotten, by number and by the breaks in all. */
static void test_resolutions_are_bounded(void **state)
{
	_cleanup_(verdict_freep) struct verdict *verdict = make_referring();
	const struct sha256 first = {{2}}, last = {{9, 9}};
	struct break_list many = {0};

	(void)state;
	for (size_t i = 1; i < LIMIT_RESOLUTIONS; i++) {
		const struct sha256 with = {{7, (uint8_t)i, (uint8_t)(i >> 8)}};

		verdict_add_resolution(verdict, "regions", &with, &with, &(struct break_list){NULL, 0});
	}
	assert_non_null(verdict_resolution(verdict, &first));
	verdict_add_resolution(verdict, "regions", &last, &last, &(struct break_list){NULL, 0});
	assert_null(verdict_resolution(verdict, &first));
	assert_int_equal(verdict->n_resolutions, LIMIT_RESOLUTIONS);
	for (size_t n = 0; n < 2; n++) {
		const struct sha256 with = {{8, (uint8_t)n}};

		for (size_t i = 0; i < LIMIT_RESOLVED_BREAKS; i++)
			break_list_add(&many, &verdict->breaks.items[0]);
		verdict_add_resolution(verdict, "regions", &with, &with, &many);
		assert_non_null(verdict_resolution(verdict, &with));
	}
	assert_int_equal(verdict->n_resolutions, 1);
}

/* Every member once missing, once null where it may not be, and one too many. */
static void test_refused(void **state)
{
	_cleanup_(verdict_freep) struct verdict *verdict = make();
	_cleanup_(json_decrefp) json_t *good = verdict_to_json(verdict);
	const char *key;
	json_t *value;

	(void)state;
	json_object_foreach(good, key, value)
	{
		_cleanup_(json_decrefp) json_t *lacking = json_deep_copy(good), *wrong = json_deep_copy(good);
		_cleanup_(verdict_freep) struct verdict *back = NULL;

		json_object_del(lacking, key);
		json_object_set_new(wrong, key, json_true());
		assert_int_not_equal(parse_json(lacking, &back), FAULT_NONE);
		assert_int_not_equal(parse_json(wrong, &back), FAULT_NONE);
	}
	json_object_set_new(good, "more", json_true());
	assert_int_not_equal(parse_json(good, &(struct verdict *){NULL}), FAULT_NONE);
}

static void test_bounds(void **state)
{
	_cleanup_(verdict_freep) struct verdict *verdict = make();
	struct record record = record_new(RECORD_BREAK);

	(void)state;
	record.break_ = verdict->breaks.items[0];
	for (size_t i = verdict->breaks.n_items; i < LIMIT_BREAKS; i++)
		assert_true(verdict_add(verdict, &record));
	assert_false(verdict_add(verdict, &record));
	record = record_new(RECORD_GO);
	assert_false(verdict_add(verdict, &record));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_goods),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_references_refused),
		cmocka_unit_test(test_resolutions_are_bounded),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	json_init();
	return cmocka_run_group_tests_name("inside_verdict", tests, NULL, NULL);
}
