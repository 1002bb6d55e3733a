/* SPDX-License-Identifier: ISC
 *
 * keys_ceremony_assemble: the counts of both roots, whose signatures are missing, what fits a repository; nothing is written too
 * early.
 */
#include "tests/ceremony.h"

#include <stdio.h>

#include "keys/client.h"

static void load_root(const struct ceremony *ceremony, struct sign_carried *ret_root)
{
	assert_int_equal(ceremony_load_current(ceremony->metadata_fd, "root", ret_root, NULL), FAULT_NONE);
}

static void test_counts(void **state)
{
	struct ceremony *ceremony = *state;
	_cleanup_(sign_request_clear) struct sign_request request = {0};
	_cleanup_(sign_carried_clear) struct sign_carried root = {0};
	struct sign_tally tallies[SIGN_AUTHORITIES];
	struct refusal why;
	json_t *next;
	size_t n;

	put_first_root(ceremony);
	load_root(ceremony, &root);
	next = change_begin(root.document.signed_, 2, NOW + 365 * DAYS);
	assert_int_equal(change_add_key(next, "root", public_of(ceremony, SPARE), NULL), FAULT_NONE);
	assert_int_equal(change_remove_key(next, "root", public_of(ceremony, ALICE)->keyid, NULL), FAULT_NONE);
	assert_int_equal(change_finish(next, NULL), FAULT_NONE);
	assert_int_equal(request_of("root", &root, NULL, next, &request, &why), FAULT_NONE);
	assert_int_equal(sign_request_require(&request, &why), FAULT_CEREMONY_MISSING);
	assert_non_null(
		strstr(why.line, "0 of 2 signatures by keys of root 1, 0 of 2 signatures by keys of the new root 2"));

	/* Alice counts for the old one alone, the new key for the new one alone, Bob for both. */
	assert_int_equal(sign_by(&request, ceremony, ALICE, NULL), FAULT_NONE);
	assert_int_equal(sign_by(&request, ceremony, SPARE, NULL), FAULT_NONE);
	assert_int_equal(sign_request_count(&request, tallies, &n, NULL), FAULT_NONE);
	assert_int_equal(n, 2);
	assert_int_equal(tallies[0].valid, 1);
	assert_int_equal(tallies[1].valid, 1);
	assert_int_equal(sign_request_require(&request, &why), FAULT_CEREMONY_MISSING);
	assert_null(strstr(why.line, public_of(ceremony, ALICE)->keyid));
	assert_non_null(strstr(why.line, "not signed by"));
	assert_int_equal(sign_request_put(&request, ceremony->metadata_fd, &why), FAULT_CEREMONY_MISSING);
	assert_false(fd_exists(ceremony->metadata_fd, "2.root.json"));
	assert_int_equal(sign_by(&request, ceremony, BOB, NULL), FAULT_NONE);
	assert_int_equal(sign_request_require(&request, &why), FAULT_NONE);
	assert_int_equal(sign_request_put(&request, ceremony->metadata_fd, &why), FAULT_NONE);
	assert_true(fd_exists(ceremony->metadata_fd, "2.root.json"));
}

static void test_fits(void **state)
{
	struct ceremony *ceremony = *state;
	_cleanup_(sign_request_clear) struct sign_request request = {0}, rival = {0};
	_cleanup_(sign_carried_clear) struct sign_carried root = {0};
	struct refusal why;
	bool is_there = true;

	put_first_root(ceremony);
	load_root(ceremony, &root);
	assert_int_equal(
		request_of("root", &root, NULL, change_begin(root.document.signed_, 2, NOW + 9 * DAYS), &request, &why),
		FAULT_NONE);
	assert_int_equal(
		request_of("root", &root, NULL, change_begin(root.document.signed_, 2, NOW + 8 * DAYS), &rival, &why),
		FAULT_NONE);
	assert_int_equal(sign_request_fits(&request, ceremony->metadata_fd, &is_there, &why), FAULT_NONE);
	assert_false(is_there);
	for (int i = ALICE; i <= BOB; i++)
		assert_int_equal(sign_by(&request, ceremony, i, NULL), FAULT_NONE);
	assert_int_equal(sign_request_put(&request, ceremony->metadata_fd, &why), FAULT_NONE);
	assert_int_equal(sign_request_fits(&request, ceremony->metadata_fd, &is_there, &why), FAULT_NONE);
	assert_true(is_there);
	assert_int_equal(sign_request_fits(&rival, ceremony->metadata_fd, &is_there, &why), FAULT_CEREMONY_REQUEST);
	assert_non_null(strstr(why.line, "2.root.json is here already and says something else"));
	/* A root further on: the request is of the past. */
	assert_int_equal(unlinkat(ceremony->metadata_fd, "1.root.json", 0), 0);
	assert_int_equal(sign_request_fits(&request, ceremony->metadata_fd, &is_there, &why), FAULT_CEREMONY_REQUEST);
}

static void test_wrong_previous(void **state)
{
	struct ceremony *ceremony = *state;
	_cleanup_(sign_request_clear) struct sign_request request = {0};
	_cleanup_(sign_carried_clear) struct sign_carried root = {0}, stray = {0};
	_cleanup_(json_decrefp) json_t *other = NULL;
	struct refusal why;
	bool is_there;

	put_first_root(ceremony);
	load_root(ceremony, &root);
	other = json_pack("{s:[], s:o}", "signatures", "signed",
			  change_begin(root.document.signed_, 1, NOW + 5 * DAYS));
	stray.text = json_dumps(other, JSON_COMPACT);
	assert_int_equal(request_of("root", &stray, NULL, change_begin(root.document.signed_, 2, NOW + 9 * DAYS),
				    &request, &why),
			 FAULT_NONE);
	assert_int_equal(sign_request_fits(&request, ceremony->metadata_fd, &is_there, &why), FAULT_CEREMONY_REQUEST);
	assert_non_null(strstr(why.line, "root version 1 that it was made from is another"));
}

/* What was assembled is a chain that the client follows. */
static void test_client_follows(void **state)
{
	struct ceremony *ceremony = *state;
	_cleanup_(sign_carried_clear) struct sign_carried first = {0};
	_cleanup_(tuf_root_freep) struct tuf_root *anchor = NULL, *next = NULL;
	_cleanup_(tuf_claim_freep) struct tuf_claim *first_claim = NULL, *next_claim = NULL;
	_cleanup_(sign_request_clear) struct sign_request request = {0};
	_cleanup_free_ uint8_t *data = NULL;
	json_t *signed_;
	size_t size;

	put_first_root(ceremony);
	load_root(ceremony, &first);
	signed_ = change_begin(first.document.signed_, 2, NOW + 365 * DAYS);
	assert_int_equal(change_remove_key(signed_, "root", public_of(ceremony, CHLOE)->keyid, NULL), FAULT_NONE);
	assert_int_equal(change_finish(signed_, NULL), FAULT_NONE);
	assert_int_equal(request_of("root", &first, NULL, signed_, &request, NULL), FAULT_NONE);
	assert_int_equal(sign_by(&request, ceremony, ALICE, NULL), FAULT_NONE);
	assert_int_equal(sign_by(&request, ceremony, BOB, NULL), FAULT_NONE);
	assert_int_equal(sign_request_put(&request, ceremony->metadata_fd, NULL), FAULT_NONE);
	assert_int_equal(fd_load_file(ceremony->metadata_fd, "2.root.json", LIMIT_ROOT_SIZE, &data, &size), 0);
	assert_int_equal(
		tuf_claim_parse((const uint8_t *)first.text, strlen(first.text), LIMIT_ROOT_SIZE, &first_claim, NULL),
		FAULT_NONE);
	assert_int_equal(tuf_claim_parse(data, size, LIMIT_ROOT_SIZE, &next_claim, NULL), FAULT_NONE);
	assert_int_equal(tuf_root_verify(first_claim, NULL, &anchor, NULL), FAULT_NONE);
	assert_int_equal(tuf_root_verify(next_claim, anchor, &next, NULL), FAULT_NONE);
	assert_int_equal(next->root.n_keys, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_counts, ceremony_setup, ceremony_teardown),
		cmocka_unit_test_setup_teardown(test_fits, ceremony_setup, ceremony_teardown),
		cmocka_unit_test_setup_teardown(test_wrong_previous, ceremony_setup, ceremony_teardown),
		cmocka_unit_test_setup_teardown(test_client_follows, ceremony_setup, ceremony_teardown),
	};

	secret_init();
	hash_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
