/* SPDX-License-Identifier: ISC
 *
 * inside_missing: which request each status.json leads to: few objects by name, more by "since", and always one that a QR code holds.
 */
#include "inside/missing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"

static const struct linkparts none;

static json_t *new_status(void)
{
	return json_pack("{s{sisisisi} s[]}", "trust", "root", 1, "timestamp", 431, "snapshot", 57, "targets", 3,
			 "datasets");
}

/* A dataset that misses N_BLOBS blobs of ten bytes, and a metadata file. */
static void add(json_t *status, const char *name, int since, int n_blobs, bool metadata)
{
	json_t *items = json_array();

	for (int i = 0; i < n_blobs; i++) {
		_cleanup_free_ char *hash = xasprintf("%064d", i);

		json_array_append_new(items, json_pack("{ss ss si}", "kind", "blob", "name", hash, "size", 10));
	}
	if (metadata)
		json_array_append_new(items,
				      json_pack("{ss ss si}", "kind", "metadata", "name", "12.x.json", "size", 1));
	json_array_append_new(json_object_get(status, "datasets"),
			      json_pack("{ss so so}", "name", name, "missing", items, "complete",
					since == 0 ? json_null() : json_pack("{sisi}", "timestamp", since, "role", 1)));
}

static void assert_request(const json_t *status, const char *lists)
{
	static const char tops[] = "clapet request 2\nroot 1\ntimestamp 431\nsnapshot 57\ntargets 3\n";
	_cleanup_(missing_clear) struct missing missing = {.n_datasets = 0};
	struct request_short request;

	missing_compose(status, &none, &missing);
	assert_true(strlen(missing.text) <= LIMIT_QR_TEXT_SIZE);
	assert_int_equal(request_short_parse("request", missing.text, strlen(missing.text), &request, NULL),
			 FAULT_NONE);
	*strstr(missing.text, "check ") = '\0';
	assert_int_equal(strncmp(missing.text, tops, strlen(tops)), 0);
	assert_string_equal(missing.text + strlen(tops), lists);
}

static void test_nothing(void **state)
{
	_cleanup_(json_decrefp) json_t *status = new_status();

	(void)state;
	assert_request(status, "");
	add(status, "cog", 400, 0, false);
	assert_request(status, "");
}

static void test_objects(void **state)
{
	_cleanup_(json_decrefp) json_t *status = new_status();
	_cleanup_(missing_clear) struct missing missing = {.n_datasets = 0};

	(void)state;
	add(status, "cog", 400, 2, false);
	add(status, "rues", 400, 1, true);
	assert_request(status, "want cog 0000000000 0000000000\nsince 400 rues\n");
	missing_compose(status, &none, &missing);
	assert_int_equal(missing.bytes, 31);
	assert_int_equal(missing.n_blobs, 3);
	assert_int_equal(missing.n_metadata, 1);
}

static void test_since(void **state)
{
	_cleanup_(json_decrefp) json_t *status = new_status();

	(void)state;
	add(status, "cog", 400, 2, false);
	add(status, "rues", 410, 19, false);
	assert_request(status, "want cog 0000000000 0000000000\nsince 410 rues\n");
	add(status, "villes", 0, 30, false);
	assert_request(status, "want cog 0000000000 0000000000\nsince 410 rues\nsince 0 villes\n");
}

static void test_twenty(void **state)
{
	_cleanup_(json_decrefp) json_t *status = new_status();
	_cleanup_(json_decrefp) json_t *more = new_status();
	_cleanup_(missing_clear) struct missing missing = {.n_datasets = 0};

	(void)state;
	add(status, "cog", 400, 20, false);
	missing_compose(status, &none, &missing);
	assert_int_equal(missing.request.n_objects, 20);
	assert_int_equal(missing.request.n_sinces, 0);
	add(more, "cog", 400, 21, false);
	assert_request(more, "since 400 cog\n");
}

static void test_too_many(void **state)
{
	_cleanup_(json_decrefp) json_t *status = new_status();

	(void)state;
	for (int i = 0; i < 100; i++) {
		_cleanup_free_ char *name = xasprintf("dataset-%d", i);

		add(status, name, 300 + i, 1, i % 2 == 0);
	}
	assert_request(status, "since 300\n");
	/* Long names alone are too much, too. */
	json_array_clear(json_object_get(status, "datasets"));
	for (int i = 0; i < 20; i++) {
		_cleanup_free_ char *name = xasprintf("%063d", i);

		add(status, name, 0, 1, false);
	}
	assert_request(status, "since 0\n");
}

/* An older program's status.json, or one that was put together by hand. */
static void test_out_of_form(void **state)
{
	_cleanup_(json_decrefp) json_t *status = new_status();
	json_t *datasets = json_object_get(status, "datasets");

	(void)state;
	json_array_append_new(datasets, json_pack("{si}", "name", 7));
	json_array_append_new(datasets, json_pack("{ss si}", "name", "cog", "missing", 7));
	json_array_append_new(datasets, json_pack("{ss s[{ss}]}", "name", "cog", "missing", "kind", "blob"));
	json_array_append_new(datasets, json_pack("{ss s[{ss ss}] s{si}}", "name", "rues", "missing", "kind", "blob",
						  "name", "../x", "complete", "timestamp", 999));
	assert_request(status, "since 0 cog\nsince 0 rues\n");
}

/* What crossed in part comes after the lists, as much of it as there is room for; where all is asked for, none. */
static void test_parts(void **state)
{
	struct linkparts parts = {.items = {{"0123456789", "0-3,17"}, {"fedcba9876", "5"}}, .n_items = 2};
	_cleanup_(json_decrefp) json_t *status = new_status();
	_cleanup_(missing_clear) struct missing missing = {.n_datasets = 0}, fewer = {.n_datasets = 0},
						all = {.n_datasets = 0};

	(void)state;
	missing_compose(status, &parts, &missing);
	assert_int_equal(missing.n_datasets, 0);
	assert_non_null(strstr(missing.text, "targets 3\npart 0123456789 0-3,17\npart fedcba9876 5\ncheck "));
	memset(&parts.items[1].ranges, '1', LIMIT_REQUEST_RANGES_SIZE);
	for (parts.n_items = 2; parts.n_items < LIMIT_REQUEST_PARTS; parts.n_items++)
		parts.items[parts.n_items] = parts.items[1];
	missing_compose(status, &parts, &fewer);
	assert_true(fewer.request.n_parts > 1 && fewer.request.n_parts < LIMIT_REQUEST_PARTS);
	for (int i = 0; i < 100; i++) {
		_cleanup_free_ char *name = xasprintf("dataset-%d", i);

		add(status, name, 300 + i, 1, true);
	}
	missing_compose(status, &parts, &all);
	assert_non_null(strstr(all.text, "targets 3\nsince 300\ncheck "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing), cmocka_unit_test(test_objects),  cmocka_unit_test(test_since),
		cmocka_unit_test(test_twenty),  cmocka_unit_test(test_too_many), cmocka_unit_test(test_out_of_form),
		cmocka_unit_test(test_parts),
	};

	hash_init();
	json_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("tests", tests, NULL, NULL);
}
