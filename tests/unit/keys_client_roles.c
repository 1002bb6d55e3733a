/* SPDX-License-Identifier: ISC
 *
 * The same for snapshot, targets and delegated roles.
 */
#include "keys/client.h"

#include "tests/unit/keys_expect.h"

/* --- snapshot (5.5) -------------------------------------------------------------------------------------------------
 */

static void test_snapshot_expired(void **state)
{
	struct repo *repo = *state;

	repo->expires[R_SNAPSHOT] = NOW;
	repo_publish(repo);
	run_expect(repo, FAULT_TUF_EXPIRED, "1.snapshot.json: expired");
	assert_string_equal(repo->accepted, "timestamp.json");
}

static void test_snapshot_bytes(void **state)
{
	struct repo *repo = *state;
	struct file *file = files_find(&repo->out, "1.snapshot.json");

	file->data[file->size - 1] ^= 1;
	run_expect(repo, FAULT_TUF_HASH, "1.snapshot.json: SHA-256");
	file->data[file->size - 1] ^= 1;
	file->size--;
	run_expect(repo, FAULT_TUF_HASH, "1.snapshot.json: ");
	file->size++;
	files_put(&repo->out, "1.snapshot.json", "{\"signatures\": [], \"signed\": {}} and much more than that", 30);
	run_expect(repo, FAULT_TUF_HASH, "30 bytes, ");
}

static void test_targets_of_another_moment(void **state)
{
	struct repo *repo = *state;
	const struct file *file;

	repo->has_no_hashes = true;
	repo_publish(repo);
	run_good(repo);
	repo_bump(repo, R_TARGETS);
	repo_publish(repo);
	file = files_find(&repo->out, "1.targets.json");
	files_put(&repo->out, "2.targets.json", file->data, file->size);
	run_expect(repo, FAULT_TUF_HASH, "2.targets.json: version 1, 2 is named (TUF 1.0.34, 5.6.4)");
	files_remove(&repo->out, "2.targets.json");
	run_expect(repo, FAULT_TUF_ABSENT, "2.targets.json: has not arrived");
	role_expect(repo, "cog", FAULT_TUF_ABSENT, "waits for 2.targets.json");
}

/* A good file of another moment, where no hash is named. */
static void test_mix_and_match(void **state)
{
	struct repo *repo = *state;
	struct file *file;

	repo->has_no_hashes = true;
	repo_publish(repo);
	run_good(repo);
	repo_bump(repo, R_COG);
	repo_publish(repo);
	file = files_find(&repo->out, "1.cog.json");
	files_put(&repo->out, "2.cog.json", file->data, file->size);
	run_good(repo);
	role_expect(repo, "cog", FAULT_TUF_HASH, "2.cog.json: version 1, 2 is named (TUF 1.0.34, 5.6.4)");
	repo_bump(repo, R_COG);
	repo_publish(repo);
	file = files_find(&repo->out, "2.snapshot.json");
	files_put(&repo->out, "3.snapshot.json", file->data, file->size);
	run_expect(repo, FAULT_TUF_HASH, "3.snapshot.json: version 2, 3 is named (TUF 1.0.34, 5.5.4)");
}

static void drop_sirene(struct repo *repo, int role, json_t *signed_)
{
	(void)repo;
	if (role == R_SNAPSHOT)
		json_object_del(json_object_get(signed_, "meta"), "sirene.json");
}

static void test_role_vanishes(void **state)
{
	struct repo *repo = *state;

	run_good(repo);
	repo->change = drop_sirene;
	repo_bump(repo, R_SNAPSHOT);
	repo_publish(repo);
	run_expect(repo, FAULT_TUF_ROLLBACK,
		   "2.snapshot.json: sirene.json is gone, version 1 is trusted (TUF 1.0.34, 5.5.5)");
	assert_string_equal(repo->accepted, "timestamp.json");
	role_expect(repo, "sirene", FAULT_NONE, "");
}

static void test_role_goes_back(void **state)
{
	struct repo *repo = *state;

	repo->version[R_COG] = 5;
	repo->version[R_TARGETS] = 5;
	repo_publish(repo);
	run_good(repo);
	repo_bump(repo, R_SNAPSHOT);
	repo->version[R_COG] = 4;
	repo_publish(repo);
	run_expect(repo, FAULT_TUF_ROLLBACK, "2.snapshot.json: names cog.json 4, 5 is trusted (TUF 1.0.34, 5.5.5)");
	repo->version[R_COG] = 5;
	repo->version[R_TARGETS] = 4;
	repo_bump(repo, R_SNAPSHOT);
	repo_publish(repo);
	run_expect(repo, FAULT_TUF_ROLLBACK, "3.snapshot.json: names targets.json 4, 5 is trusted");
}

static void test_role_fork(void **state)
{
	struct repo *repo = *state;

	run_good(repo);
	repo->expires[R_COG]++;
	repo_bump(repo, R_SNAPSHOT);
	repo_publish(repo);
	run_expect(repo, FAULT_TUF_FORK, "2.snapshot.json: names cog.json 1 again, with another hash");
}

/* --- targets and roles (5.6) ----------------------------------------------------------------------------------------
 */

static void test_role_expired(void **state)
{
	struct repo *repo = *state;

	repo->expires[R_COG] = NOW;
	repo_publish(repo);
	run_good(repo);
	role_expect(repo, "cog", FAULT_TUF_EXPIRED, "1.cog.json: expired 2026-11-22T00:00:00Z");
	role_expect(repo, "sirene", FAULT_NONE, "");
}

static void test_targets_expired(void **state)
{
	struct repo *repo = *state;

	repo->expires[R_TARGETS] = NOW;
	repo_publish(repo);
	run_expect(repo, FAULT_TUF_EXPIRED, "1.targets.json: expired");
	assert_null(repo_role(repo, "cog"));
}

static const char *target_path;

static void add_target(struct repo *repo, int role, json_t *signed_)
{
	(void)repo;
	if (role == R_COG)
		json_object_set_new(json_object_get(signed_, "targets"), target_path, repo_target(target_path, 1));
}

static void test_targets_outside_the_delegation(void **state)
{
	static const char *const paths[] = {
		"sirene/data.csv", "cog",       "cog/",   "cog/a/b",     "cog/../sirene/data.csv",
		"cog/..",          "/cog/x",    "cog/.x", "status.json", "cogx/y",
		"cog/a b",         "cog/\u00e9"};
	struct repo *repo = *state;

	repo->change = add_target;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		target_path = paths[i];
		repo_bump(repo, R_COG);
		repo_publish(repo);
		run_good(repo);
		role_expect(repo, "cog", FAULT_TUF_DELEGATION, "is outside the delegation (TUF 1.0.34, 4.5)");
		role_expect(repo, "sirene", FAULT_NONE, "");
	}
	target_path = "cog/A-file_1.csv";
	repo_bump(repo, R_COG);
	repo_publish(repo);
	run_good(repo);
	role_expect(repo, "cog", FAULT_NONE, "");
}

static void test_role_signed_by_another_dataset(void **state)
{
	struct repo *repo = *state;

	repo->signers[R_COG][0] = &repo->keys[R_SIRENE][0];
	repo->n_signers[R_COG] = 1;
	repo_publish(repo);
	run_good(repo);
	role_expect(repo, "cog", FAULT_TUF_SIGNATURE, "1.cog.json: 0 good signatures");
	role_expect(repo, "sirene", FAULT_NONE, "");
}

static void test_revoked_dataset_key(void **state)
{
	struct repo *repo = *state;

	run_good(repo);
	repo_rotate(repo, R_COG, 130);
	repo->version[R_TARGETS]++;
	repo->version[R_SNAPSHOT]++;
	repo->version[R_TIMESTAMP]++;
	repo_write_targets(repo);
	repo_write_snapshot(repo);
	repo_write_timestamp(repo);
	/* Nothing of the old key is left, not even what was trusted by it. */
	run_good(repo);
	role_expect(repo, "cog", FAULT_TUF_SIGNATURE, "1.cog.json");
	role_expect(repo, "sirene", FAULT_NONE, "");
}

static const char *delegation_name, *delegation_pattern;

static void change_delegation(struct repo *repo, int role, json_t *signed_)
{
	json_t *first = json_array_get(json_object_get(json_object_get(signed_, "delegations"), "roles"), 0);

	(void)repo;
	if (role != R_TARGETS)
		return;
	if (delegation_name != NULL)
		json_object_set_new(first, "name", json_string(delegation_name));
	if (delegation_pattern != NULL)
		json_object_set_new(first, "paths", json_pack("[s]", delegation_pattern));
}

static void test_delegation_named_like_a_top_role(void **state)
{
	static const char *const names[] = {"root", "timestamp", "snapshot", "targets", "../cog",
					    "COG",  "",          "cog.json", "sirene"};
	struct repo *repo = *state;

	repo->change = change_delegation;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		delegation_name = names[i];
		delegation_pattern = NULL;
		repo_bump(repo, R_TARGETS);
		repo_publish(repo);
		run_expect(repo, FAULT_TUF_DELEGATION, ".targets.json: signed.delegations: ");
		assert_null(repo_role(repo, "sirene"));
	}
}

static void test_delegation_too_wide(void **state)
{
	static const char *const patterns[] = {"*",       "cog*",         "*/*",        "sirene/*",
					       "cog/*/*", "cog/data.csv", "status.json"};
	struct repo *repo = *state;

	repo->change = change_delegation;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		delegation_name = NULL;
		delegation_pattern = patterns[i];
		repo_bump(repo, R_TARGETS);
		repo_publish(repo);
		run_good(repo);
		role_expect(repo, "cog", FAULT_TUF_DELEGATION, "not exactly its own folder");
		role_expect(repo, "sirene", FAULT_NONE, "");
	}
}

static void add_pattern(struct repo *repo, int role, json_t *signed_)
{
	(void)repo;
	if (role == R_TARGETS)
		json_array_append_new(
			json_object_get(
				json_array_get(json_object_get(json_object_get(signed_, "delegations"), "roles"), 0),
				"paths"),
			json_string("sirene/*"));
}

static void test_delegation_of_two_patterns(void **state)
{
	struct repo *repo = *state;

	repo->change = add_pattern;
	repo_publish(repo);
	run_good(repo);
	role_expect(repo, "cog", FAULT_TUF_DELEGATION, "not exactly its own folder");
}

static void give_targets_a_target(struct repo *repo, int role, json_t *signed_)
{
	(void)repo;
	if (role == R_TARGETS)
		json_object_set_new(json_object_get(signed_, "targets"), "cog/data.csv",
				    repo_target("cog/data.csv", 1));
}

static void test_targets_shadow_a_dataset(void **state)
{
	struct repo *repo = *state;

	repo->change = give_targets_a_target;
	repo_publish(repo);
	run_expect(repo, FAULT_TUF_DELEGATION, "1.targets.json: names target \"cog/data.csv\" itself");
}

static void test_damaged_trust(void **state)
{
	struct repo *repo = *state;

	run_good(repo);
	files_put(&repo->trust, "timestamp.json", "{}", 2);
	repo_bump(repo, R_COG);
	repo_publish(repo);
	/* Without what was trusted there is no protection against rollback: nothing new either. */
	run_expect(repo, FAULT_TUF_FORM, "trusted timestamp.json: ");
	assert_string_equal(repo->accepted, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_snapshot_expired),
		TEST(test_snapshot_bytes),
		TEST(test_targets_of_another_moment),
		TEST(test_mix_and_match),
		TEST(test_role_vanishes),
		TEST(test_role_goes_back),
		TEST(test_role_fork),
		TEST(test_role_expired),
		TEST(test_targets_expired),
		TEST(test_targets_outside_the_delegation),
		TEST(test_role_signed_by_another_dataset),
		TEST(test_revoked_dataset_key),
		TEST(test_delegation_named_like_a_top_role),
		TEST(test_delegation_too_wide),
		TEST(test_delegation_of_two_patterns),
		TEST(test_targets_shadow_a_dataset),
		TEST(test_damaged_trust),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	hash_init();
	json_init();
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
