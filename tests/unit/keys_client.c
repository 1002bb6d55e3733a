/* SPDX-License-Identifier: ISC
 *
 * The TUF client's workflow: what must go through, what may arrive late, and each attack of the specification's list
 * (1.0.34, 1.5.2), each against a repository that is good but for the one thing.
 */
#include "keys/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/tufrepo.h"

static int setup(void **state)
{
	*state = repo_new();
	return 0;
}

static int teardown(void **state)
{
	repo_free(*state);
	return 0;
}

/* Imports all that is published; the refusal must be FAULT, and its line hold TEXT. */
static void run_expect(struct repo *repo, enum fault fault, const char *text)
{
	struct refusal why = repo_run(repo, &repo->out);

	if (why.fault != fault || strstr(why.line, text) == NULL)
		fail_msg("E%d %s\n# expected E%d %s", why.fault, why.line, fault, text);
}

static void run_good(struct repo *repo)
{
	run_expect(repo, FAULT_NONE, "");
}

/* The same, and nothing becomes trusted: what was, still is, and is read again from LOCAL alone. */
static void run_refused(struct repo *repo, enum fault fault, const char *text)
{
	struct tuf_summary before, after;
	bool had_run = repo->client != NULL;

	if (had_run)
		tuf_client_summary(repo->client, &before);
	run_expect(repo, fault, text);
	assert_string_equal(repo->accepted, "");
	tuf_client_summary(repo->client, &after);
	if (had_run)
		assert_memory_equal(&before, &after, sizeof(before));
	else
		assert_int_equal(after.timestamp_version, 0);
}

static void role_expect(const struct repo *repo, const char *name, enum fault fault, const char *text)
{
	const struct tuf_role *role = repo_role(repo, name);

	assert_non_null(role);
	assert_int_equal(role->is_trusted, fault == FAULT_NONE);
	if (role->refusal.fault != fault || strstr(role->refusal.line, text) == NULL)
		fail_msg("E%d %s\n# expected E%d %s", role->refusal.fault, role->refusal.line, fault, text);
}

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
	repo->profile.max_validity = 5 * DAY;
	repo_publish(repo);
	run_expect(repo, FAULT_TUF_VALIDITY, "2.snapshot.json: expires 2026-12-22T00:00:00Z, more than 5 days ahead");
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
		TEST(test_first_import),
		TEST(test_same_again_and_next),
		TEST(test_without_hashes),
		TEST(test_thresholds),
		TEST(test_missing_role_waits_and_comes_with_an_old_bundle),
		TEST(test_missing_snapshot_and_targets_wait),
		TEST(test_bundle_without_timestamp),
		TEST(test_root_chain),
		TEST(test_root_signed_by_old_or_new_alone),
		TEST(test_root_gap),
		TEST(test_root_version),
		TEST(test_root_expiry_is_judged_at_the_end),
		TEST(test_fast_forward_recovery),
		TEST(test_fast_forward_recovery_in_two_runs),
		TEST(test_timestamp_rollback),
		TEST(test_timestamp_fork),
		TEST(test_timestamp_expired),
		TEST(test_clock_floor),
		TEST(test_profile),
		TEST(test_endless_data),
		TEST(test_snapshot_expired),
		TEST(test_snapshot_bytes),
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
