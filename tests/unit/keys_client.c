/* SPDX-License-Identifier: ISC
 *
 * The TUF client's workflow as far as root and timestamp: what must go through, what may arrive late, and each attack of the
 * specification's list (1.0.34, 1.5.2), each against a repository that is good but for the one thing.
 */
#include "keys/client.h"

#include "tests/unit/keys_expect.h"

/* --- what goes through ----------------------------------------------------------------------------------------------
 */

static void test_first_import(void **state)
{
	struct repo *repo = *state;
	struct tuf_summary summary;
	struct tuf_target target;

	run_good(repo);
	assert_string_equal(repo->accepted,
			    "timestamp.json 1.snapshot.json 1.targets.json 1.cog.json 1.sirene.json 1.status.json");
	tuf_client_summary(repo->client, &summary);
	assert_int_equal(summary.n_roles, 3);
	assert_int_equal(summary.issued, repo->issued);
	assert_int_equal(summary.timestamp_expires, NOW + 3 * DAY);
	assert_int_equal(repo_role(repo, "cog")->n_targets, 2);
	assert_string_equal(repo_role(repo, "cog")->file_name, "1.cog.json");
	assert_true(tuf_client_target(repo->client, 0, 0, &target));
	assert_string_equal(target.path, "cog/datapackage.json");
	assert_int_equal(target.length, strlen("cog/datapackage.json of version 1"));
	assert_false(tuf_client_target(repo->client, 0, 2, &target));
	assert_false(tuf_client_target(repo->client, 3, 0, &target));
	assert_null(tuf_client_role(repo->client, 3));
}

static void test_same_again_and_next(void **state)
{
	struct repo *repo = *state;

	run_good(repo);
	run_good(repo);
	assert_string_equal(repo->accepted, "");
	assert_true(repo_role(repo, "cog")->is_trusted);
	repo_bump(repo, R_COG);
	repo_publish(repo);
	run_good(repo);
	assert_string_equal(repo->accepted, "timestamp.json 2.snapshot.json 2.cog.json");
	/* LOCAL alone reads the same again, also when everything has expired meanwhile. */
	repo->now = NOW + 1000 * DAY;
	assert_int_equal(repo_run(repo, NULL).fault, FAULT_NONE);
	assert_string_equal(repo->accepted, "");
	assert_int_equal(repo_role(repo, "cog")->version, 2);
	assert_true(repo_role(repo, "cog")->is_trusted);
}

static void test_without_hashes(void **state)
{
	struct repo *repo = *state;

	repo->has_no_hashes = true;
	repo_publish(repo);
	run_good(repo);
	assert_true(repo_role(repo, "cog")->is_trusted);
}

static void test_thresholds(void **state)
{
	struct repo *repo = *state;
	const struct repo_key *one;

	repo_add_key(repo, R_COG, 90, NULL);
	repo_add_key(repo, R_COG, 91, NULL);
	repo->threshold[R_COG] = 2;
	repo_publish(repo);
	run_good(repo);
	assert_int_equal(repo_role(repo, "cog")->threshold, 2);
	one = &repo->keys[R_COG][1];
	repo->signers[R_COG][0] = one;
	repo->n_signers[R_COG] = 1;
	repo_bump(repo, R_COG);
	repo_publish(repo);
	run_good(repo);
	role_expect(repo, "cog", FAULT_TUF_SIGNATURE, "2.cog.json: 1 good signatures, the threshold is 2");
}

/* --- what comes late ------------------------------------------------------------------------------------------------
 */

static void test_missing_role_waits_and_comes_with_an_old_bundle(void **state)
{
	struct repo *repo = *state;
	struct files late = {.n = 0};
	struct refusal why;

	run_good(repo);
	files_copy(&late, &repo->out); /* the timestamp of version 1 */
	repo_bump(repo, R_COG);
	repo_publish(repo);
	files_put(&late, "2.cog.json", files_find(&repo->out, "2.cog.json")->data,
		  files_find(&repo->out, "2.cog.json")->size);
	files_remove(&repo->out, "2.cog.json");
	run_good(repo);
	role_expect(repo, "cog", FAULT_TUF_ABSENT, "2.cog.json: has not arrived; snapshot 2 names it");
	role_expect(repo, "sirene", FAULT_NONE, "");
	why = repo_run(repo, &late);
	assert_int_equal(why.fault, FAULT_TUF_SUPERSEDED);
	assert_string_equal(why.line, "timestamp.json: version 1, 2 is trusted (TUF 1.0.34, 5.4.3.1)");
	assert_string_equal(repo->accepted, "2.cog.json");
	role_expect(repo, "cog", FAULT_NONE, "");
	assert_int_equal(repo_role(repo, "cog")->version, 2);
	files_clear(&late);
}

static void test_missing_snapshot_and_targets_wait(void **state)
{
	struct repo *repo = *state;
	struct files early = {.n = 0};
	struct refusal why;

	run_good(repo);
	repo_bump(repo, R_TARGETS);
	repo_publish(repo);
	files_copy(&early, &repo->out);
	files_remove(&early, "2.snapshot.json");
	why = repo_run(repo, &early);
	assert_int_equal(why.fault, FAULT_TUF_ABSENT);
	assert_string_equal(why.line, "2.snapshot.json: has not arrived");
	assert_string_equal(repo->accepted, "timestamp.json");
	role_expect(repo, "cog", FAULT_NONE, ""); /* by the snapshot before, from LOCAL */

	files_copy(&early, &repo->out);
	files_remove(&early, "2.targets.json");
	why = repo_run(repo, &early);
	assert_int_equal(why.fault, FAULT_TUF_ABSENT);
	assert_string_equal(repo->accepted, "2.snapshot.json");
	/* The new targets may have taken its key away. */
	role_expect(repo, "cog", FAULT_TUF_ABSENT, "1.cog.json: waits for 2.targets.json");

	run_good(repo);
	assert_string_equal(repo->accepted, "2.targets.json");
	role_expect(repo, "cog", FAULT_NONE, "");
	files_clear(&early);
}

/* An old bundle has nothing of what is waited for: that is no news. */
static void test_old_bundle_while_a_snapshot_is_missing(void **state)
{
	struct repo *repo = *state;
	struct files old = {.n = 0};

	run_good(repo);
	files_copy(&old, &repo->out);
	repo_bump(repo, R_COG);
	repo_publish(repo);
	files_remove(&repo->out, "2.snapshot.json");
	run_expect(repo, FAULT_TUF_ABSENT, "2.snapshot.json: has not arrived");
	assert_int_equal(repo_run(repo, &old).fault, FAULT_TUF_SUPERSEDED);
	files_clear(&old);
}

static void test_bundle_without_timestamp(void **state)
{
	struct repo *repo = *state;

	run_good(repo);
	files_remove(&repo->out, "timestamp.json");
	run_good(repo);
	files_clear(&repo->trust);
	files_put(&repo->trust, "root.json", files_find(&repo->out, "1.root.json")->data,
		  files_find(&repo->out, "1.root.json")->size);
	run_expect(repo, FAULT_TUF_ABSENT, "timestamp.json: has not arrived");
	assert_string_equal(repo->accepted, "");
}

/* --- root (5.3) -----------------------------------------------------------------------------------------------------
 */

/* Root VERSION + 1 with another root key, signed by the old one and the new one but for SKIP (0: none, 1: old, 2: new).
 */
static void rotate_root(struct repo *repo, uint8_t seed, int skip)
{
	static struct repo_key old;

	old = repo->keys[R_ROOT][0];
	repo->keys[R_ROOT][0] = repo_key_new(seed, NULL);
	repo->version[R_ROOT]++;
	repo->n_signers[R_ROOT] = 0;
	if (skip != 1)
		repo->signers[R_ROOT][repo->n_signers[R_ROOT]++] = &old;
	if (skip != 2)
		repo->signers[R_ROOT][repo->n_signers[R_ROOT]++] = &repo->keys[R_ROOT][0];
	repo_write_root(repo);
	repo->n_signers[R_ROOT] = 0;
	repo_key_clear(&old);
}

static void test_root_chain(void **state)
{
	struct repo *repo = *state;
	struct tuf_summary summary;

	rotate_root(repo, 100, 0);
	rotate_root(repo, 101, 0);
	run_good(repo);
	tuf_client_summary(repo->client, &summary);
	assert_int_equal(summary.root_version, 3);
	assert_memory_equal(repo->accepted, "2.root.json 3.root.json timestamp.json", 38);
}

static void test_root_signed_by_old_or_new_alone(void **state)
{
	struct repo *repo = *state;

	rotate_root(repo, 100, 1);
	run_refused(repo, FAULT_TUF_ROOT_CHAIN,
		    "2.root.json: 0 good signatures, the threshold is 1, by the trusted root");
	repo->version[R_ROOT] = 1;
	repo_rotate(repo, R_ROOT, 10 + R_ROOT);
	rotate_root(repo, 100, 2);
	run_refused(repo, FAULT_TUF_SIGNATURE, "2.root.json: 0 good signatures, the threshold is 1, by itself");
}

static void test_root_gap(void **state)
{
	struct repo *repo = *state;
	struct tuf_summary summary;

	rotate_root(repo, 100, 0);
	repo_rotate(repo, R_TIMESTAMP, 110);
	rotate_root(repo, 101, 0);
	repo_publish(repo);
	files_remove(&repo->out, "2.root.json");
	/* The chain ends at 1, and 1 does not know the new timestamp key. */
	run_refused(repo, FAULT_TUF_SIGNATURE, "timestamp.json");
	/* Under the missing one's name it does not pass either. */
	files_put(&repo->out, "2.root.json", files_find(&repo->out, "3.root.json")->data,
		  files_find(&repo->out, "3.root.json")->size);
	run_refused(repo, FAULT_TUF_ROOT_CHAIN, "2.root.json");
	tuf_client_summary(repo->client, &summary);
	assert_int_equal(summary.root_version, 1);
}

static void test_root_version(void **state)
{
	struct repo *repo = *state;

	repo->version[R_ROOT] = 3; /* signed by the same key, so that the version alone is wrong */
	repo_write_root(repo);
	files_put(&repo->out, "2.root.json", files_find(&repo->out, "3.root.json")->data,
		  files_find(&repo->out, "3.root.json")->size);
	run_refused(repo, FAULT_TUF_ROOT_CHAIN, "2.root.json: version 3 does not follow 1 (TUF 1.0.34, 5.3.5)");
	files_put(&repo->out, "2.root.json", files_find(&repo->out, "1.root.json")->data,
		  files_find(&repo->out, "1.root.json")->size);
	run_refused(repo, FAULT_TUF_ROLLBACK, "2.root.json: version 1, 1 is trusted");
}

static void test_root_expiry_is_judged_at_the_end(void **state)
{
	struct repo *repo = *state;

	repo->expires[R_ROOT] = NOW - 1;
	rotate_root(repo, 100, 0);
	run_expect(repo, FAULT_TUF_EXPIRED, "2.root.json: expired 2026-11-21T23:59:59Z, it is 2026-11-22T00:00:00Z");
	assert_string_equal(repo->accepted, "2.root.json"); /* it is trusted, and so is nothing under it */
	repo->expires[R_ROOT] = NOW + DAY;
	rotate_root(repo, 101, 0);
	run_good(repo);
	assert_memory_equal(repo->accepted, "3.root.json timestamp.json", 26);
}

static void test_fast_forward_recovery(void **state)
{
	struct repo *repo = *state;
	struct tuf_summary summary;

	/* A thief of the timestamp and snapshot keys drives all versions and the clock's floor up. */
	repo->version[R_TIMESTAMP] = repo->version[R_SNAPSHOT] = repo->version[R_COG] = (uint64_t)1 << 50;
	repo->issued = NOW + 2 * DAY;
	repo_publish(repo);
	run_good(repo);
	repo->version[R_TIMESTAMP] = repo->version[R_SNAPSHOT] = repo->version[R_COG] = 2;
	repo->issued = NOW + 10;
	repo_publish(repo);
	run_refused(repo, FAULT_TUF_SUPERSEDED, "timestamp.json: version 2");
	/* 5.3.11: new keys forget both. */
	repo_rotate(repo, R_TIMESTAMP, 120);
	repo_rotate(repo, R_SNAPSHOT, 121);
	rotate_root(repo, 100, 0);
	repo_publish(repo);
	run_good(repo);
	tuf_client_summary(repo->client, &summary);
	assert_int_equal(summary.timestamp_version, 2);
	assert_int_equal(summary.snapshot_version, 2);
	assert_int_equal(summary.issued, NOW + 10);
	assert_int_equal(repo_role(repo, "cog")->version, 2);
	role_expect(repo, "cog", FAULT_NONE, "");
}

/* The stolen key is only one of two; what it drove up is also signed by the one that stays. */
static void test_fast_forward_recovery_with_a_key_that_stays(void **state)
{
	struct repo *repo = *state;

	repo_add_key(repo, R_TIMESTAMP, 150, NULL);
	repo->version[R_ROOT] = 2;
	repo_write_root(repo);
	repo->version[R_TIMESTAMP] = (uint64_t)1 << 50;
	repo_publish(repo);
	run_good(repo);
	repo_rotate(repo, R_TIMESTAMP, 150);
	repo->version[R_ROOT] = 3;
	repo_write_root(repo);
	repo->version[R_TIMESTAMP] = 2;
	repo_publish(repo);
	run_good(repo);
	assert_memory_equal(repo->accepted, "3.root.json timestamp.json", 26);
}

/* The new root alone came first, in a run of its own. */
static void test_fast_forward_recovery_in_two_runs(void **state)
{
	struct repo *repo = *state;
	struct files root = {.n = 0};

	repo->version[R_TIMESTAMP] = repo->version[R_SNAPSHOT] = (uint64_t)1 << 50;
	repo_publish(repo);
	run_good(repo);
	repo->version[R_TIMESTAMP] = repo->version[R_SNAPSHOT] = 2;
	repo_rotate(repo, R_TIMESTAMP, 120);
	rotate_root(repo, 100, 0);
	repo_publish(repo);
	files_put(&root, "2.root.json", files_find(&repo->out, "2.root.json")->data,
		  files_find(&repo->out, "2.root.json")->size);
	assert_int_equal(repo_run(repo, &root).fault, FAULT_TUF_ABSENT);
	assert_string_equal(repo->accepted, "2.root.json");
	run_good(repo);
	assert_memory_equal(repo->accepted, "timestamp.json 2.snapshot.json", 30);
	files_clear(&root);
}

/* --- timestamp (5.4) ------------------------------------------------------------------------------------------------
 */

static void test_timestamp_rollback(void **state)
{
	struct repo *repo = *state;

	repo->version[R_TIMESTAMP] = 430;
	repo->version[R_SNAPSHOT] = 5;
	repo_publish(repo);
	run_good(repo);
	repo->version[R_TIMESTAMP] = 429;
	repo_write_timestamp(repo);
	run_refused(repo, FAULT_TUF_SUPERSEDED, "timestamp.json: version 429, 430 is trusted (TUF 1.0.34, 5.4.3.1)");
	repo->version[R_TIMESTAMP] = 431;
	repo->version[R_SNAPSHOT] = 4;
	repo_write_snapshot(repo);
	repo_write_timestamp(repo);
	run_refused(repo, FAULT_TUF_ROLLBACK, "timestamp.json: names snapshot 4, 5 is trusted (TUF 1.0.34, 5.4.3.2)");
}

static void test_timestamp_fork(void **state)
{
	struct repo *repo = *state;

	run_good(repo);
	repo->issued++;
	repo_write_timestamp(repo);
	run_refused(repo, FAULT_TUF_FORK, "timestamp.json: version 1 again, with other bytes");
	/* A new timestamp that names a snapshot of the same version, another file. */
	repo->version[R_TIMESTAMP] = 2;
	repo->expires[R_SNAPSHOT]++;
	repo_write_snapshot(repo);
	repo_write_timestamp(repo);
	run_refused(repo, FAULT_TUF_FORK, "timestamp.json: names snapshot 1 again, with another hash");
}

static void test_timestamp_expired(void **state)
{
	struct repo *repo = *state;

	repo->now = NOW + 3 * DAY;
	run_refused(repo, FAULT_TUF_EXPIRED, "timestamp.json: expired");
	repo->now--;
	run_good(repo);
}

static void test_clock_floor(void **state)
{
	struct repo *repo = *state;

	/* A wall clock far behind cannot make an expired file young: what was signed last is later. */
	repo->now = NOW - 1000 * DAY;
	run_good(repo);
	repo->expires[R_COG] = repo->issued - 1;
	repo_bump(repo, R_COG);
	repo_publish(repo);
	run_good(repo);
	role_expect(repo, "cog", FAULT_TUF_EXPIRED, "2.cog.json: expired");
}

static void test_profile(void **state)
{
	struct repo *repo = *state;

	repo->now = NOW + 3 * DAY + 60;
	repo->profile.clock_skew = 61;
	run_good(repo);
	repo_bump(repo, R_COG);
	repo->expires[R_COG] = NOW + 9 * DAY;
	repo_bound_validity(repo, 5 * DAY);
	repo_publish(repo);
	run_expect(repo, FAULT_TUF_VALIDITY, "2.snapshot.json: expires 2026-12-22T00:00:00Z, more than 5 days ahead");
}

static void test_profile_of_a_role(void **state)
{
	struct repo *repo = *state;

	repo_bound_validity(repo, 31 * DAY);
	repo->expires[R_COG] = NOW + 32 * DAY;
	repo_publish(repo);
	run_good(repo);
	role_expect(repo, "cog", FAULT_TUF_VALIDITY,
		    "1.cog.json: expires 2026-12-24T00:00:00Z, more than 31 days ahead");
	role_expect(repo, "sirene", FAULT_NONE, "");
}

static void test_endless_data(void **state)
{
	struct repo *repo = *state;
	size_t size = LIMIT_TIMESTAMP_SIZE + 1;
	char *blanks = malloc(size);

	run_good(repo);
	memset(blanks, ' ', size);
	memcpy(blanks, files_find(&repo->out, "timestamp.json")->data, files_find(&repo->out, "timestamp.json")->size);
	files_put(&repo->out, "timestamp.json", blanks, size);
	run_refused(repo, FAULT_TUF_FORM, "timestamp.json: more than 16384 bytes");
	free(blanks);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_first_import),
		TEST(test_same_again_and_next),
		TEST(test_without_hashes),
		TEST(test_thresholds),
		TEST(test_missing_role_waits_and_comes_with_an_old_bundle),
		TEST(test_missing_snapshot_and_targets_wait),
		TEST(test_old_bundle_while_a_snapshot_is_missing),
		TEST(test_bundle_without_timestamp),
		TEST(test_root_chain),
		TEST(test_root_signed_by_old_or_new_alone),
		TEST(test_root_gap),
		TEST(test_root_version),
		TEST(test_root_expiry_is_judged_at_the_end),
		TEST(test_fast_forward_recovery),
		TEST(test_fast_forward_recovery_with_a_key_that_stays),
		TEST(test_fast_forward_recovery_in_two_runs),
		TEST(test_timestamp_rollback),
		TEST(test_timestamp_fork),
		TEST(test_timestamp_expired),
		TEST(test_clock_floor),
		TEST(test_profile),
		TEST(test_profile_of_a_role),
		TEST(test_endless_data),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	hash_init();
	json_init();
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
