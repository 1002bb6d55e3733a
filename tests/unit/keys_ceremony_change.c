/* SPDX-License-Identifier: ISC
 *
 * keys_ceremony_change: keys in, keys out and thresholds, in a root and in targets; what cannot be signed is refused. What is
 * composed is in the form that ceremonies sign.
 */
#include "tests/ceremony.h"

#include "keys/ceremony_form.h"

static size_t n_keys(const json_t *signed_, const char *role)
{
	return json_array_size(json_object_get(change_role(signed_, role), "keyids"));
}

static void test_root(void **state)
{
	struct ceremony *ceremony = *state;
	_cleanup_(json_decrefp) json_t *root = first_root(ceremony);
	_cleanup_(json_decrefp) json_t *next = change_begin(root, 2, NOW + 400 * DAYS);
	_cleanup_(form_clear) struct form form = {0};
	const char *alice = public_of(ceremony, ALICE)->keyid;

	assert_int_equal(change_finish(root, NULL), FAULT_NONE);
	assert_int_equal(json_object_size(change_keys(root)), 6);
	assert_int_equal(change_add_key(next, "root", public_of(ceremony, SPARE), NULL), FAULT_NONE);
	assert_int_equal(change_remove_key(next, "root", alice, NULL), FAULT_NONE);
	assert_non_null(json_object_get(change_keys(next), alice));
	assert_int_equal(change_finish(next, NULL), FAULT_NONE);
	assert_null(json_object_get(change_keys(next), alice)); /* nobody names her any more */
	assert_int_equal(n_keys(next, "root"), 3);
	assert_int_equal(n_keys(root, "root"), 3);
	assert_int_equal(form_read(next, "next", &form, NULL), FAULT_NONE);
	assert_true(form.is_root);
	assert_int_equal(form.version, 2);
	assert_int_equal(form.expires, NOW + 400 * DAYS);
	assert_int_equal(form.n_roles, 4);
	assert_int_equal(form_find(&form, "root")->threshold, 2);
	assert_false(form_role_names(form_find(&form, "root"), alice));
	assert_true(form_role_names(form_find(&form, "root"), public_of(ceremony, SPARE)->keyid));
}

static void test_refusals(void **state)
{
	struct ceremony *ceremony = *state;
	_cleanup_(json_decrefp) json_t *root = first_root(ceremony);
	struct refusal why;

	assert_int_equal(change_add_key(root, "root", public_of(ceremony, BOB), &why), FAULT_KEY_ROLE);
	assert_non_null(strstr(why.line, "only count once"));
	assert_int_equal(change_remove_key(root, "root", public_of(ceremony, SPARE)->keyid, &why), FAULT_KEY_ROLE);
	assert_int_equal(change_add_key(root, "cog", public_of(ceremony, SPARE), &why), FAULT_NO_SUCH);
	assert_int_equal(change_threshold(root, "mirrors", 1, &why), FAULT_NO_SUCH);
	assert_int_equal(change_threshold(root, "root", 4, &why), FAULT_NONE);
	assert_int_equal(change_finish(root, &why), FAULT_CEREMONY_UNREACHABLE);
	assert_string_equal(why.line, "role root would have 3 keys and a threshold of 4");
	assert_int_equal(change_threshold(root, "root", 3, &why), FAULT_NONE);
	assert_int_equal(change_finish(root, &why), FAULT_NONE);
	assert_int_equal(change_remove_key(root, "snapshot", public_of(ceremony, SNAPSHOT)->keyid, &why), FAULT_NONE);
	assert_int_equal(change_finish(root, &why), FAULT_CEREMONY_UNREACHABLE);
	assert_string_equal(why.line, "role snapshot would have 0 keys and a threshold of 1");
}

static void test_targets(void **state)
{
	struct ceremony *ceremony = *state;
	_cleanup_(json_decrefp) json_t *targets = change_first_targets(NOW + DAYS);
	_cleanup_(form_clear) struct form form = {0};
	json_t *delegations = json_object_get(targets, "delegations");
	const char *old = public_of(ceremony, ALICE)->keyid;

	json_array_append_new(json_object_get(delegations, "roles"),
			      json_pack("{s:s, s:[s], s:[s], s:b, s:i}", "name", "cog", "keyids", old, "paths", "cog/*",
					"terminating", 1, "threshold", 1));
	json_object_set_new(json_object_get(delegations, "keys"), old, tuf_key_to_json(public_of(ceremony, ALICE)));
	assert_int_equal(change_add_key(targets, "cog", public_of(ceremony, BOB), NULL), FAULT_NONE);
	assert_int_equal(change_remove_key(targets, "cog", old, NULL), FAULT_NONE);
	assert_int_equal(change_finish(targets, NULL), FAULT_NONE);
	assert_int_equal(form_read(targets, "targets", &form, NULL), FAULT_NONE);
	assert_false(form.is_root);
	assert_int_equal(form.n_roles, 1);
	assert_string_equal(form.roles[0].keys[0].keyid, public_of(ceremony, BOB)->keyid);
	assert_int_equal(json_object_size(change_keys(targets)), 1);
}

static void test_find_key(void **state)
{
	struct ceremony *ceremony = *state;
	_cleanup_(json_decrefp) json_t *root = first_root(ceremony);
	const char *keyid = public_of(ceremony, BOB)->keyid;
	char prefix[16] = "";
	const char *found = NULL;
	struct refusal why;

	memcpy(prefix, keyid, 8);
	assert_int_equal(change_find_key(root, prefix, &found, &why), FAULT_NONE);
	assert_string_equal(found, keyid);
	prefix[7] = '\0';
	assert_int_equal(change_find_key(root, prefix, &found, &why), FAULT_NO_SUCH);
	assert_int_equal(change_find_key(root, public_of(ceremony, SPARE)->keyid, &found, &why), FAULT_NO_SUCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_root, ceremony_setup, ceremony_teardown),
		cmocka_unit_test_setup_teardown(test_refusals, ceremony_setup, ceremony_teardown),
		cmocka_unit_test_setup_teardown(test_targets, ceremony_setup, ceremony_teardown),
		cmocka_unit_test_setup_teardown(test_find_key, ceremony_setup, ceremony_teardown),
	};

	secret_init();
	hash_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
