/* SPDX-License-Identifier: ISC
 *
 * keys_ceremony_keys: a new key waits, takes its place when metadata name it, and the old one is put aside; also when that was cut
 * short.
 */
#include "tests/ceremony.h"

#include <stdio.h>
#include <sys/stat.h>

#include "keys/ceremony_keys.h"

static json_t *naming(const char *keyid)
{
	return json_pack("{s:[s], s:i}", "keyids", keyid, "threshold", 1);
}

static void save(const struct ceremony *ceremony, const char *name, int key)
{
	assert_int_equal(secret_key_save(ceremony->keys_fd, name, ceremony->keys[key], NULL), 0);
}

static void rotate(struct ceremony *ceremony, const char *role, const char *path, const char *next, const char *retired)
{
	_cleanup_(json_decrefp) json_t *old_role = NULL, *new_role = NULL;
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	char aside[160];
	struct tuf_key made, again;
	struct stat st;

	old_role = naming(public_of(ceremony, TIMESTAMP)->keyid);
	assert_int_equal(everyday_key_make_next(ceremony->keys_fd, role, NULL, &made, NULL), FAULT_NONE);
	assert_int_equal(everyday_key_make_next(ceremony->keys_fd, role, NULL, &again, NULL), FAULT_NONE);
	assert_string_equal(made.keyid, again.keyid); /* one waits already */
	assert_true(fd_exists(ceremony->keys_fd, next));
	new_role = naming(made.keyid);

	/* The old metadata still name the old key. */
	assert_true(everyday_key_is_here(ceremony->keys_fd, role, old_role));
	assert_int_equal(everyday_key_switch(ceremony->keys_fd, role, old_role, NULL, NULL), FAULT_NONE);
	assert_true(fd_exists(ceremony->keys_fd, next));
	/* The new ones: it opens before it is in its place, and after. */
	assert_int_equal(everyday_key_open(ceremony->keys_fd, role, new_role, NULL, &key, NULL), FAULT_NONE);
	assert_string_equal(secret_key_public(key)->keyid, made.keyid);
	assert_int_equal(everyday_key_switch(ceremony->keys_fd, role, new_role, NULL, NULL), FAULT_NONE);
	assert_false(fd_exists(ceremony->keys_fd, next));
	assert_true(everyday_key_is_here(ceremony->keys_fd, role, new_role));
	assert_false(everyday_key_is_here(ceremony->keys_fd, role, old_role));
	snprintf(aside, sizeof(aside), "retired/%s.%.16s.key", retired, public_of(ceremony, TIMESTAMP)->keyid);
	assert_int_equal(fstatat(ceremony->keys_fd, aside, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	assert_int_equal(fstatat(ceremony->keys_fd, path, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	assert_int_equal(everyday_key_switch(ceremony->keys_fd, role, new_role, NULL, NULL), FAULT_NONE);
}

static void test_top(void **state)
{
	struct ceremony *ceremony = *state;

	save(ceremony, "timestamp.key", TIMESTAMP);
	rotate(ceremony, "timestamp", "timestamp.key", "timestamp.next.key", "timestamp");
}

static void test_dataset(void **state)
{
	struct ceremony *ceremony = *state;
	_cleanup_close_ int fd = fd_make_dir(ceremony->keys_fd, "datasets", 0700);

	assert_int_equal(secret_key_save(fd, "cog.key", ceremony->keys[TIMESTAMP], NULL), 0);
	rotate(ceremony, "cog", "datasets/cog.key", "datasets/cog.next.key", "cog");
}

/* The old key was put aside, and there the power went. */
static void test_cut_short(void **state)
{
	struct ceremony *ceremony = *state;
	_cleanup_(json_decrefp) json_t *role = NULL;
	struct tuf_key made;

	assert_int_equal(everyday_key_make_next(ceremony->keys_fd, "snapshot", NULL, &made, NULL), FAULT_NONE);
	role = naming(made.keyid);
	assert_true(everyday_key_is_here(ceremony->keys_fd, "snapshot", role));
	assert_int_equal(everyday_key_switch(ceremony->keys_fd, "snapshot", role, NULL, NULL), FAULT_NONE);
	assert_true(fd_exists(ceremony->keys_fd, "snapshot.key"));
}

static void test_encryption_follows(void **state)
{
	struct ceremony *ceremony = *state;
	_cleanup_(passphrase_freep) struct passphrase *passphrase = passphrase_new("secret", 6);
	_cleanup_(json_decrefp) json_t *role = NULL;
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	struct tuf_key made;
	bool any = true, encrypted = true;

	passphrase_set_cost(passphrase, 1, 8192);
	assert_int_equal(everyday_keys_encrypted(ceremony->keys_fd, &any, &encrypted, NULL), FAULT_NONE);
	assert_false(any);
	assert_int_equal(everyday_key_make_next(ceremony->keys_fd, "timestamp", passphrase, &made, NULL), FAULT_NONE);
	role = naming(made.keyid);
	assert_int_equal(everyday_key_switch(ceremony->keys_fd, "timestamp", role, NULL, NULL), FAULT_NONE);
	assert_int_equal(everyday_keys_encrypted(ceremony->keys_fd, &any, &encrypted, NULL), FAULT_NONE);
	assert_true(any && encrypted);
	assert_int_equal(everyday_key_open(ceremony->keys_fd, "timestamp", role, NULL, &key, NULL),
			 FAULT_KEY_PASSPHRASE);
	assert_int_equal(everyday_key_open(ceremony->keys_fd, "timestamp", role, passphrase, &key, NULL), FAULT_NONE);
}

static void test_missing(void **state)
{
	struct ceremony *ceremony = *state;
	_cleanup_(json_decrefp) json_t *role = naming(public_of(ceremony, SPARE)->keyid);
	struct secret_key *key = NULL;
	struct refusal why;

	save(ceremony, "snapshot.key", SNAPSHOT);
	assert_false(everyday_key_is_here(ceremony->keys_fd, "snapshot", role));
	assert_int_equal(everyday_key_open(ceremony->keys_fd, "snapshot", role, NULL, &key, &why), FAULT_KEY_ROLE);
	assert_string_equal(why.line, "keys/snapshot.key: no key that role snapshot names is here");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_top, ceremony_setup, ceremony_teardown),
		cmocka_unit_test_setup_teardown(test_dataset, ceremony_setup, ceremony_teardown),
		cmocka_unit_test_setup_teardown(test_cut_short, ceremony_setup, ceremony_teardown),
		cmocka_unit_test_setup_teardown(test_encryption_follows, ceremony_setup, ceremony_teardown),
		cmocka_unit_test_setup_teardown(test_missing, ceremony_setup, ceremony_teardown),
	};

	secret_init();
	hash_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
