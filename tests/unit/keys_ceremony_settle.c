/* SPDX-License-Identifier: ISC
 *
 * keys_ceremony_settle: what is signed anew after a new root or new targets, and what is left alone; what stops it before anything is
 * written.
 */
#include "tests/ceremony.h"

#include <stdio.h>

#include "keys/ceremony_keys.h"
#include "keys/ceremony_settle.h"

static struct settle_options options_of(const struct ceremony *ceremony)
{
	return (struct settle_options){
		.metadata_fd = ceremony->metadata_fd, .keys_fd = ceremony->keys_fd, .now = NOW, .silence = 3 * DAYS};
}

static enum fault settle_after(const struct settle_options *options, const struct sign_request *request,
			       struct refusal *why)
{
	_cleanup_(settle_freep) struct settle *settle = NULL;
	enum fault fault = settle_prepare(options, request, &settle, why);

	if (fault == FAULT_NONE && !fd_exists(options->metadata_fd, request->next.name))
		fault = sign_request_put(request, options->metadata_fd, why);
	return fault != FAULT_NONE ? fault : settle_run(settle, NULL, why);
}

/* Root 1 and targets 1, by ceremony; settling makes the rest. */
static void make_repository(struct ceremony *ceremony)
{
	const struct settle_options options = options_of(ceremony);
	_cleanup_(sign_request_clear) struct sign_request request = {0};
	_cleanup_(sign_carried_clear) struct sign_carried root = {0};
	_cleanup_(settle_freep) struct settle *settle = NULL;

	assert_int_equal(secret_key_save(ceremony->keys_fd, "targets.key", ceremony->keys[TARGETS], NULL), 0);
	assert_int_equal(secret_key_save(ceremony->keys_fd, "snapshot.key", ceremony->keys[SNAPSHOT], NULL), 0);
	assert_int_equal(secret_key_save(ceremony->keys_fd, "timestamp.key", ceremony->keys[TIMESTAMP], NULL), 0);
	put_first_root(ceremony);
	assert_int_equal(ceremony_load_current(ceremony->metadata_fd, "root", &root, NULL), FAULT_NONE);
	assert_int_equal(request_of("targets", &root, NULL, change_first_targets(NOW + 365 * DAYS), &request, NULL),
			 FAULT_NONE);
	assert_int_equal(sign_by(&request, ceremony, TARGETS, NULL), FAULT_NONE);
	assert_int_equal(settle_prepare(&options, &request, &settle, NULL), FAULT_NONE);
	assert_null(settle_waits_for(settle));
	assert_int_equal(sign_request_put(&request, ceremony->metadata_fd, NULL), FAULT_NONE);
	assert_int_equal(settle_run(settle, NULL, NULL), FAULT_NONE);
	assert_true(fd_exists(ceremony->metadata_fd, "timestamp.json"));
	assert_true(fd_exists(ceremony->metadata_fd, "1.snapshot.json"));
}

static uint64_t timestamp_version(const struct ceremony *ceremony)
{
	struct document document;
	uint64_t version;

	assert_int_equal(document_load(ceremony->metadata_fd, "timestamp.json", "timestamp", LIMIT_TIMESTAMP_SIZE,
				       &document, NULL),
			 FAULT_NONE);
	version = document.version;
	document_clear(&document);
	return version;
}

/* The next root with OLD's key of ROLE (-1: none) exchanged for a new one, signed by two. */
static void next_root(struct ceremony *ceremony, const char *const *roles, const int *old,
		      struct sign_request *ret_request)
{
	_cleanup_(sign_carried_clear) struct sign_carried root = {0};
	json_t *signed_;
	struct tuf_key made;

	assert_int_equal(ceremony_load_current(ceremony->metadata_fd, "root", &root, NULL), FAULT_NONE);
	signed_ = change_begin(root.document.signed_, root.document.version + 1, NOW + 365 * DAYS);
	for (size_t i = 0; roles[i] != NULL; i++) {
		assert_int_equal(everyday_key_make_next(ceremony->keys_fd, roles[i], NULL, &made, NULL), FAULT_NONE);
		assert_int_equal(change_remove_key(signed_, roles[i], public_of(ceremony, old[i])->keyid, NULL),
				 FAULT_NONE);
		assert_int_equal(change_add_key(signed_, roles[i], &made, NULL), FAULT_NONE);
	}
	assert_int_equal(change_finish(signed_, NULL), FAULT_NONE);
	assert_int_equal(request_of("root", &root, NULL, signed_, ret_request, NULL), FAULT_NONE);
	assert_int_equal(sign_by(ret_request, ceremony, ALICE, NULL), FAULT_NONE);
	assert_int_equal(sign_by(ret_request, ceremony, BOB, NULL), FAULT_NONE);
}

static void test_nothing_to_do(void **state)
{
	struct ceremony *ceremony = *state;
	struct settle_options options = options_of(ceremony);
	_cleanup_(sign_request_clear) struct sign_request request = {0};

	make_repository(ceremony);
	next_root(ceremony, (const char *const[]){NULL}, NULL, &request);
	options.keys_fd = -1; /* no key is needed */
	assert_int_equal(settle_after(&options, &request, NULL), FAULT_NONE);
	assert_int_equal(timestamp_version(ceremony), 1);
	assert_true(fd_exists(ceremony->metadata_fd, "2.root.json"));
	assert_false(fd_exists(ceremony->metadata_fd, "2.snapshot.json"));
}

static void test_all_everyday_keys(void **state)
{
	struct ceremony *ceremony = *state;
	struct settle_options options = options_of(ceremony);
	_cleanup_(sign_request_clear) struct sign_request request = {0};

	make_repository(ceremony);
	next_root(ceremony, (const char *const[]){"targets", "snapshot", "timestamp", NULL},
		  (const int[]){TARGETS, SNAPSHOT, TIMESTAMP}, &request);
	assert_int_equal(settle_after(&options, &request, NULL), FAULT_NONE);
	assert_true(fd_exists(ceremony->metadata_fd, "2.targets.json"));
	assert_true(fd_exists(ceremony->metadata_fd, "2.snapshot.json"));
	assert_int_equal(timestamp_version(ceremony), 2);
	assert_false(fd_exists(ceremony->keys_fd, "targets.next.key"));
	/* Once more: nothing is left to do. */
	assert_int_equal(settle_after(&options, &request, NULL), FAULT_NONE);
	assert_int_equal(timestamp_version(ceremony), 2);
	assert_false(fd_exists(ceremony->metadata_fd, "3.snapshot.json"));
}

static void test_without_keys(void **state)
{
	struct ceremony *ceremony = *state;
	struct settle_options options = options_of(ceremony);
	_cleanup_(sign_request_clear) struct sign_request request = {0};
	struct refusal why;

	make_repository(ceremony);
	next_root(ceremony, (const char *const[]){"snapshot", NULL}, (const int[]){SNAPSHOT}, &request);
	options.keys_fd = -1;
	assert_int_equal(settle_after(&options, &request, &why), FAULT_KEY_ROLE);
	assert_non_null(strstr(why.line, "role snapshot must be signed anew"));
	assert_false(fd_exists(ceremony->metadata_fd, "2.root.json"));
	options.keys_fd = ceremony->keys_fd;
	assert_int_equal(unlinkat(ceremony->keys_fd, "timestamp.key", 0), 0);
	assert_int_equal(settle_after(&options, &request, &why), FAULT_KEY_ROLE);
	assert_non_null(strstr(why.line, "keys/timestamp.key: no key that role timestamp names"));
	assert_false(fd_exists(ceremony->metadata_fd, "2.root.json"));
}

static void test_restart(void **state)
{
	struct ceremony *ceremony = *state;
	struct settle_options options = options_of(ceremony);
	_cleanup_(sign_request_clear) struct sign_request one = {0}, both = {0};
	struct refusal why;

	make_repository(ceremony);
	options.restart = true;
	next_root(ceremony, (const char *const[]){"timestamp", NULL}, (const int[]){TIMESTAMP}, &one);
	assert_int_equal(settle_after(&options, &one, &why), FAULT_CEREMONY_REQUEST);
	assert_non_null(strstr(why.line, "every key of snapshot"));
	assert_false(fd_exists(ceremony->metadata_fd, "2.root.json"));
	next_root(ceremony, (const char *const[]){"timestamp", "snapshot", NULL}, (const int[]){TIMESTAMP, SNAPSHOT},
		  &both);
	assert_int_equal(settle_after(&options, &both, &why), FAULT_NONE);
	assert_int_equal(timestamp_version(ceremony), 1);
	/* The first free name: no file is ever written over but timestamp.json. */
	assert_true(fd_exists(ceremony->metadata_fd, "2.snapshot.json"));
}

static void test_foreign_timestamp(void **state)
{
	struct ceremony *ceremony = *state;
	struct settle_options options = options_of(ceremony);
	_cleanup_(sign_request_clear) struct sign_request request = {0};
	_cleanup_free_ uint8_t *data = NULL;
	struct refusal why;
	size_t size;

	make_repository(ceremony);
	next_root(ceremony, (const char *const[]){"snapshot", NULL}, (const int[]){SNAPSHOT}, &request);
	assert_int_equal(fd_load_file(ceremony->metadata_fd, "timestamp.json", 1 << 16, &data, &size), 0);
	memcpy(strstr((char *)data, "expires\":\"20"), "expires\":\"21", 12);
	assert_int_equal(fd_put_durable(ceremony->metadata_fd, "timestamp.json", data, size, 0644), 0);
	assert_int_equal(settle_after(&options, &request, &why), FAULT_TUF_SIGNATURE);
	assert_non_null(strstr(why.line, "timestamp.json: no root's keys signed it"));
	assert_false(fd_exists(ceremony->metadata_fd, "2.root.json"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_to_do, ceremony_setup, ceremony_teardown),
		cmocka_unit_test_setup_teardown(test_all_everyday_keys, ceremony_setup, ceremony_teardown),
		cmocka_unit_test_setup_teardown(test_without_keys, ceremony_setup, ceremony_teardown),
		cmocka_unit_test_setup_teardown(test_restart, ceremony_setup, ceremony_teardown),
		cmocka_unit_test_setup_teardown(test_foreign_timestamp, ceremony_setup, ceremony_teardown),
	};

	secret_init();
	hash_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
