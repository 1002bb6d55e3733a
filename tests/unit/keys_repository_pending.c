/* SPDX-License-Identifier: ISC
 *
 * keys_repository_pending: what waits for a second signature, through every turn that it can take; and floors, which a recovery
 * sets. The targets key is not among the keys, as four eyes want it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "keys/canonical.h"
#include "keys/repository.h"

#define NOW 1800000000

enum { KEY_ROOT, KEY_TARGETS, KEY_SNAPSHOT, KEY_TIMESTAMP, KEY_SECOND, KEY_STRANGER, N_KEYS };

struct bench {
	char folder[64];
	int dir_fd, keys_fd, metadata_fd;
	struct secret_key *keys[N_KEYS];
	char files[2048];                        /* of the last run: "name*" for new ones */
	char waiting[2048];                      /* "cog 2 1/2 cosign" */
	struct repository_signature *signatures; /* for the next run */
	size_t n_signatures;
	const char *floors; /* "cog=7 snapshot=9", for every run */
};

static const struct repository_rules everyday = {
	.now = NOW, .timestamp = 300, .snapshot = 600, .datasets = 600, .targets = 90000};

static void put_key(struct bench *bench, const char *name, unsigned index)
{
	assert_int_equal(secret_key_save(bench->keys_fd, name, bench->keys[index], NULL), 0);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct repository_plan plan = {.rules = everyday, .root = 90000, .n_root_keys = 1, .root_threshold = 1};
	struct document root;
	struct refusal why;

	strcpy(bench->folder, "/tmp/clapet-unit.XXXXXX");
	assert_non_null(mkdtemp(bench->folder));
	bench->dir_fd = open(bench->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bench->keys_fd = fd_make_dir(bench->dir_fd, "keys", 0700);
	bench->metadata_fd = fd_make_dir(bench->dir_fd, "metadata", 0755);
	for (size_t i = 0; i < N_KEYS; i++)
		bench->keys[i] = secret_key_generate();
	put_key(bench, "snapshot.key", KEY_SNAPSHOT);
	put_key(bench, "timestamp.key", KEY_TIMESTAMP);
	plan.root_keys = (const struct secret_key *const *)&bench->keys[KEY_ROOT];
	plan.targets_key = bench->keys[KEY_TARGETS];
	plan.snapshot_key = bench->keys[KEY_SNAPSHOT];
	plan.timestamp_key = bench->keys[KEY_TIMESTAMP];
	assert_int_equal(repository_create(bench->metadata_fd, &plan, &root, &why), FAULT_NONE);
	document_clear(&root);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	for (size_t i = 0; i < N_KEYS; i++)
		secret_key_free(bench->keys[i]);
	free(bench->signatures);
	close(bench->keys_fd);
	close(bench->metadata_fd);
	close(bench->dir_fd);
	fd_remove_tree(AT_FDCWD, bench->folder);
	free(bench);
	return 0;
}

/* One file of DATASET whose hash is FILL 64 times. */
static json_t *targets_of(const char *dataset, char fill)
{
	char path[128];
	char hash[65];

	memset(hash, fill, 64);
	hash[64] = '\0';
	snprintf(path, sizeof(path), "%s/datapackage.json", dataset);
	return json_pack("{s:{s:i, s:{s:s}}}", path, "length", 7, "hashes", "sha256", hash);
}

static void set_floors(const struct bench *bench, struct repository *repository)
{
	_cleanup_free_ char *copy = xstrdup(bench->floors == NULL ? "" : bench->floors);
	char *rest = copy;
	char *word;

	while ((word = strsep(&rest, " ")) != NULL) {
		char *equals = strchr(word, '=');

		if (equals == NULL)
			continue;
		*equals = '\0';
		repository_set_floor(repository, word, strtoull(equals + 1, NULL, 10));
	}
}

static void tell(struct bench *bench, const struct repository *repository)
{
	static const char *const words[] = {"", "delegation", "cosign", "targets"};

	bench->files[0] = bench->waiting[0] = '\0';
	for (size_t i = 0; i < repository_n_files(repository); i++) {
		const struct repository_file *file = repository_file(repository, i);

		snprintf(bench->files + strlen(bench->files), sizeof(bench->files) - strlen(bench->files), "%s%s%s",
			 i > 0 ? " " : "", file->name, file->is_new ? "*" : "");
	}
	for (size_t i = 0; i < repository_n_waiting(repository); i++) {
		const struct repository_waiting *waiting = repository_waiting(repository, i);

		snprintf(bench->waiting + strlen(bench->waiting), sizeof(bench->waiting) - strlen(bench->waiting),
			 "%s%s %" PRIu64 " %u/%u %s%s", i > 0 ? ", " : "", waiting->role, waiting->version,
			 waiting->valid, waiting->threshold, words[waiting->waits],
			 waiting->is_renewal ? " renewal" : "");
	}
}

/* One run at NOW + LATER: the datasets of WORK ("cog=a sirene=b") get targets. */
static enum fault run(struct bench *bench, int64_t later, bool heartbeat, const char *work, struct refusal *why)
{
	_cleanup_(repository_freep) struct repository *repository = NULL;
	_cleanup_free_ char *copy = xstrdup(work);
	struct repository_rules rules = everyday;
	char *rest = copy;
	char *word;
	enum fault fault;

	rules.now += later;
	rules.heartbeat = heartbeat;
	fault = repository_open(bench->metadata_fd, bench->keys_fd, NULL, &rules, &repository, why);
	if (fault == FAULT_NONE)
		set_floors(bench, repository);
	for (size_t i = 0; fault == FAULT_NONE && i < bench->n_signatures; i++)
		fault = repository_add_signature(repository, &bench->signatures[i], why);
	while (fault == FAULT_NONE && (word = strsep(&rest, " ")) != NULL) {
		char *equals = strchr(word, '=');

		if (equals == NULL)
			continue;
		*equals = '\0';
		fault = repository_set_targets(repository, word, targets_of(word, equals[1]), why);
	}
	bench->n_signatures = 0;
	if (fault == FAULT_NONE)
		fault = repository_sign(repository, why);
	if (fault == FAULT_NONE)
		tell(bench, repository);
	return fault;
}

static void assert_run(struct bench *bench, int64_t later, bool heartbeat, const char *work, const char *files,
		       const char *waiting)
{
	struct refusal why = {.fault = FAULT_NONE};

	if (run(bench, later, heartbeat, work, &why) != FAULT_NONE)
		fail_msg("%s", why.line);
	assert_string_equal(bench->waiting, waiting);
	assert_string_equal(bench->files, files);
}

static void assert_refused(struct bench *bench, const char *work, enum fault fault, const char *part)
{
	struct refusal why = {.fault = FAULT_NONE};

	assert_int_equal(run(bench, 1, true, work, &why), fault);
	if (strstr(why.line, part) == NULL)
		fail_msg("\"%s\" is not in: %s", part, why.line);
}

static json_t *delegation(const struct bench *bench, const char *role, bool is_shared, json_t *keys)
{
	_cleanup_free_ char *name = xasprintf("datasets/%s.key", role);
	_cleanup_free_ char *path = xasprintf("%s/*", role);
	_cleanup_close_ int fd = fd_open_regular_beneath(bench->keys_fd, name, O_RDONLY);
	_cleanup_(secret_key_freep) struct secret_key *own = NULL;
	const struct tuf_key *second = secret_key_public(bench->keys[KEY_SECOND]);
	json_t *object;
	struct refusal why;

	assert_int_equal(secret_key_load(fd, name, NULL, &own, &why), FAULT_NONE);
	json_object_set_new(keys, secret_key_public(own)->keyid, tuf_key_to_json(secret_key_public(own)));
	object = json_pack("{s:s, s:[s], s:[s], s:b, s:i}", "name", role, "keyids", secret_key_public(own)->keyid,
			   "paths", path, "terminating", 1, "threshold", is_shared ? 2 : 1);
	if (is_shared) {
		json_object_set_new(keys, second->keyid, tuf_key_to_json(second));
		json_array_append_new(json_object_get(object, "keyids"), json_string(second->keyid));
	}
	return object;
}

/* The holder's targets VERSION: ROLES "cog:2 sirene:1", with their thresholds. */
static void delegate(struct bench *bench, unsigned version, const char *roles, unsigned key)
{
	json_t *signed_ = document_new_signed("targets", version, NOW + 90000);
	json_t *keys = json_object(), *list = json_array();
	_cleanup_free_ char *copy = xstrdup(roles);
	_cleanup_free_ char *name = xasprintf("%u.targets.json", version);
	struct document document;
	struct refusal why;
	char *rest = copy;
	char *word;

	while ((word = strsep(&rest, " ")) != NULL) {
		*strchr(word, ':') = '\0';
		json_array_append_new(list, delegation(bench, word, word[strlen(word) + 1] == '2', keys));
	}
	json_object_set_new(signed_, "targets", json_object());
	json_object_set_new(signed_, "delegations", json_pack("{s:o, s:o}", "keys", keys, "roles", list));
	assert_int_equal(document_put(bench->metadata_fd, name, signed_,
				      (const struct secret_key *const *)&bench->keys[key], 1, LIMIT_TARGETS_SIZE,
				      &document, &why),
			 FAULT_NONE);
	document_clear(&document);
}

/* KEY signs what waits for ROLE; the next run is given it. */
static struct repository_signature *cosign(struct bench *bench, const char *role, unsigned key)
{
	_cleanup_free_ char *path = xasprintf("pending/%s.json", role);
	_cleanup_free_ uint8_t *canonical = NULL;
	struct repository_signature *signature;
	struct document document;
	struct refusal why;
	size_t size;

	bench->signatures = xrealloc(bench->signatures, bench->n_signatures + 1, sizeof(*signature));
	signature = &bench->signatures[bench->n_signatures++];
	memset(signature, 0, sizeof(*signature));
	assert_int_equal(document_load(bench->metadata_fd, path, "targets", LIMIT_ROLE_SIZE, &document, &why),
			 FAULT_NONE);
	strcpy(signature->role, role);
	strcpy(signature->keyid, secret_key_public(bench->keys[key])->keyid);
	signature->version = document.version;
	assert_int_equal(canonical_encode(document.signed_, &canonical, &size, &why), FAULT_NONE);
	hash_bytes(canonical, size, &signature->digest);
	secret_key_sign(bench->keys[key], canonical, size, signature->bytes);
	document_clear(&document);
	return signature;
}

/* cog with threshold 2 and version 1 published. */
static void begin(struct bench *bench)
{
	assert_run(bench, 1, true, "cog=a", "1.root.json timestamp.json* 1.snapshot.json 1.targets.json",
		   "cog 0 0/0 delegation");
	delegate(bench, 2, "cog:2", KEY_TARGETS);
	assert_run(bench, 1, true, "cog=a", "1.root.json timestamp.json* 2.snapshot.json* 2.targets.json*",
		   "cog 1 1/2 cosign");
	cosign(bench, "cog", KEY_SECOND);
	assert_run(bench, 1, true, "cog=a", "1.root.json timestamp.json* 3.snapshot.json* 2.targets.json 1.cog.json*",
		   "");
	assert_false(fd_exists(bench->metadata_fd, "pending/cog.json"));
}

/* --- tests --- */

static void test_waits_and_goes(void **state)
{
	struct bench *bench = *state;

	begin(bench);
	assert_run(bench, 2, true, "cog=b", "1.root.json timestamp.json* 3.snapshot.json 2.targets.json 1.cog.json",
		   "cog 2 1/2 cosign");
	/* The same again: what was signed stays as it is, whoever carries it about. */
	assert_run(bench, 3, true, "cog=b", "1.root.json timestamp.json* 3.snapshot.json 2.targets.json 1.cog.json",
		   "cog 2 1/2 cosign");
	cosign(bench, "cog", KEY_SECOND);
	assert_run(bench, 3, true, "cog=b", "1.root.json timestamp.json* 4.snapshot.json* 2.targets.json 2.cog.json*",
		   "");
	/* And it is what it was before: no change. */
	assert_run(bench, 4, true, "cog=b", "1.root.json timestamp.json* 4.snapshot.json 2.targets.json 2.cog.json",
		   "");
}

static void test_newer_takes_its_place(void **state)
{
	struct bench *bench = *state;
	struct repository_signature *stale;

	begin(bench);
	assert_run(bench, 2, true, "cog=b", "1.root.json timestamp.json* 3.snapshot.json 2.targets.json 1.cog.json",
		   "cog 2 1/2 cosign");
	stale = cosign(bench, "cog", KEY_SECOND);
	bench->n_signatures = 0;
	assert_run(bench, 2, true, "cog=c", "1.root.json timestamp.json* 3.snapshot.json 2.targets.json 1.cog.json",
		   "cog 3 1/2 cosign");
	bench->n_signatures = 1;
	assert_refused(bench, "cog=c", FAULT_COSIGN_STALE, "cog version 2: version 3 waits in its place since");
	stale->version = 3;
	bench->n_signatures = 1;
	assert_refused(bench, "cog=c", FAULT_COSIGN_WRONG, "signed other bytes");
	cosign(bench, "cog", KEY_SECOND);
	assert_run(bench, 2, true, "cog=c", "1.root.json timestamp.json* 4.snapshot.json* 2.targets.json 3.cog.json*",
		   "");
}

static void test_signatures_that_do_not_count(void **state)
{
	struct bench *bench = *state;

	begin(bench);
	assert_run(bench, 1, true, "cog=b", "1.root.json timestamp.json* 3.snapshot.json 2.targets.json 1.cog.json",
		   "cog 2 1/2 cosign");
	cosign(bench, "cog", KEY_STRANGER);
	assert_refused(bench, "cog=b", FAULT_COSIGN_FOREIGN, "is not one that its delegation names");
	cosign(bench, "cog", KEY_SECOND)->bytes[0] ^= 1;
	assert_refused(bench, "cog=b", FAULT_COSIGN_WRONG, "the signature is not key");
	cosign(bench, "cog", KEY_SECOND)->digest.bytes[0] ^= 1;
	assert_refused(bench, "cog=b", FAULT_COSIGN_WRONG, "signed other bytes");
	cosign(bench, "cog", KEY_SECOND)->version = 1;
	assert_refused(bench, "cog=b", FAULT_COSIGN_STALE, "version 1 was published since");
	cosign(bench, "cog", KEY_SECOND)->version = 9;
	assert_refused(bench, "cog=b", FAULT_COSIGN_STALE, "version 2 waits here");
	strcpy(cosign(bench, "cog", KEY_SECOND)->role, "rues");
	assert_refused(bench, "cog=b", FAULT_COSIGN_STALE, "nothing of that dataset waits");
	cosign(bench, "cog", KEY_SECOND);
	cosign(bench, "cog", KEY_SECOND);
	assert_refused(bench, "cog=b", FAULT_COSIGN_TWICE, "signs it twice");
	/* A good one beside a bad one is not kept: the same file is good the next time. */
	cosign(bench, "cog", KEY_SECOND);
	cosign(bench, "cog", KEY_STRANGER);
	assert_refused(bench, "cog=b", FAULT_COSIGN_FOREIGN, "");
	assert_run(bench, 1, true, "cog=b", "1.root.json timestamp.json* 3.snapshot.json 2.targets.json 1.cog.json",
		   "cog 2 1/2 cosign");
}

static void put_waiting(const struct bench *bench, const void *data, size_t size)
{
	_cleanup_close_ int fd = fd_make_dir(bench->metadata_fd, "pending", 0755);

	assert_int_equal(fd_put_durable(fd, "cog.json", data, size, 0644), 0);
}

/* The power went after the version was put, before the timestamp named it: the second signature is not lost. */
static void test_interrupted(void **state)
{
	struct bench *bench = *state;
	_cleanup_free_ uint8_t *timestamp = NULL, *pending = NULL;
	size_t timestamp_size, pending_size;

	begin(bench);
	assert_run(bench, 1, true, "cog=b", "1.root.json timestamp.json* 3.snapshot.json 2.targets.json 1.cog.json",
		   "cog 2 1/2 cosign");
	assert_int_equal(fd_load_file(bench->metadata_fd, "timestamp.json", 10000, &timestamp, &timestamp_size), 0);
	cosign(bench, "cog", KEY_SECOND);
	assert_run(bench, 1, true, "cog=b", "1.root.json timestamp.json* 4.snapshot.json* 2.targets.json 2.cog.json*",
		   "");
	assert_int_equal(fd_load_file(bench->metadata_fd, "2.cog.json", 10000, &pending, &pending_size), 0);
	/* As it was before the last rename. */
	assert_int_equal(fd_put_durable(bench->metadata_fd, "timestamp.json", timestamp, timestamp_size, 0644), 0);
	put_waiting(bench, pending, pending_size);
	assert_run(bench, 1, true, "cog=b", "1.root.json timestamp.json* 5.snapshot.json* 2.targets.json 2.cog.json*",
		   "");
	assert_false(fd_exists(bench->metadata_fd, "pending/cog.json"));
	/* As it was after it: what lies there is over, and is not named again. */
	put_waiting(bench, pending, pending_size);
	assert_run(bench, 2, true, "", "1.root.json timestamp.json* 5.snapshot.json 2.targets.json 2.cog.json", "");
	assert_run(bench, 2, true, "cog=c", "1.root.json timestamp.json* 5.snapshot.json 2.targets.json 2.cog.json",
		   "cog 3 1/2 cosign");
}

static void test_damaged(void **state)
{
	struct bench *bench = *state;

	begin(bench);
	put_waiting(bench, "{", 1);
	assert_refused(bench, "cog=b", FAULT_REPOSITORY, "metadata/pending: cog.json");
	/* A heartbeat needs nothing of it. */
	assert_run(bench, 1, true, "", "1.root.json timestamp.json* 3.snapshot.json 2.targets.json 1.cog.json", "");
}

/* With a third of its time left a shared role asks for both signatures again; nothing else stops. */
static void test_renewal(void **state)
{
	struct bench *bench = *state;

	begin(bench);
	assert_run(bench, 410, true, "", "1.root.json timestamp.json* 4.snapshot.json* 2.targets.json 1.cog.json",
		   "cog 2 1/2 cosign renewal");
	assert_run(bench, 420, true, "", "1.root.json timestamp.json* 4.snapshot.json 2.targets.json 1.cog.json",
		   "cog 2 1/2 cosign renewal");
	cosign(bench, "cog", KEY_SECOND);
	assert_run(bench, 420, true, "", "1.root.json timestamp.json* 5.snapshot.json* 2.targets.json 2.cog.json*", "");
}

/* Raising a threshold: the targets that say so wait until every dataset that is named can be verified by them. */
static void test_targets_wait_for_roles(void **state)
{
	struct bench *bench = *state;

	assert_run(bench, 1, true, "cog=a sirene=a", "1.root.json timestamp.json* 1.snapshot.json 1.targets.json",
		   "cog 0 0/0 delegation, sirene 0 0/0 delegation");
	delegate(bench, 2, "cog:1 sirene:1", KEY_TARGETS);
	assert_run(bench, 1, true, "cog=a sirene=a",
		   "1.root.json timestamp.json* 2.snapshot.json* 2.targets.json* 1.cog.json* 1.sirene.json*", "");
	/* A third dataset in the same targets waits with them. */
	assert_run(bench, 1, true, "rues=a",
		   "1.root.json timestamp.json* 2.snapshot.json 2.targets.json 1.cog.json 1.sirene.json",
		   "rues 0 0/0 delegation");
	delegate(bench, 3, "cog:2 sirene:1 rues:1", KEY_TARGETS);
	assert_run(bench, 1, true, "rues=a sirene=b",
		   "1.root.json timestamp.json* 3.snapshot.json* 2.targets.json 1.cog.json 2.sirene.json*",
		   "cog 2 1/2 cosign renewal, rues 0 0/0 targets");
	cosign(bench, "cog", KEY_SECOND);
	assert_run(bench, 1, true, "rues=a sirene=b",
		   "1.root.json timestamp.json* 4.snapshot.json* 3.targets.json* 2.cog.json* 1.rues.json* "
		   "2.sirene.json",
		   "");
}

/* Who owns the folder cannot delegate: what root's targets key did not sign is not taken. */
static void test_foreign_targets(void **state)
{
	struct bench *bench = *state;

	begin(bench);
	delegate(bench, 3, "cog:1", KEY_STRANGER);
	assert_run(bench, 1, true, "cog=b", "1.root.json timestamp.json* 3.snapshot.json 2.targets.json 1.cog.json",
		   "cog 2 1/2 cosign");
}

static void test_no_four_eyes_beside_the_targets_key(void **state)
{
	struct bench *bench = *state;

	begin(bench);
	put_key(bench, "targets.key", KEY_TARGETS);
	assert_refused(bench, "cog=b", FAULT_KEY_THRESHOLD, "protects nothing while keys/targets.key is here");
}

/* Targets that end soon are their holder's to renew: a person is told, nothing stops. */
static void test_targets_end(void **state)
{
	struct bench *bench = *state;

	assert_run(bench, 60001, true, "", "1.root.json timestamp.json* 2.snapshot.json* 1.targets.json",
		   "targets 0 0/0 targets");
}

static void test_floors(void **state)
{
	struct bench *bench = *state;

	assert_run(bench, 1, true, "cog=a", "1.root.json timestamp.json* 1.snapshot.json 1.targets.json",
		   "cog 0 0/0 delegation");
	delegate(bench, 2, "cog:1", KEY_TARGETS);
	assert_run(bench, 1, true, "cog=a", "1.root.json timestamp.json* 2.snapshot.json* 2.targets.json* 1.cog.json*",
		   "");
	/* Unchanged data go above, too. */
	bench->floors = "timestamp=40 snapshot=20 cog=7";
	assert_run(bench, 1, true, "", "1.root.json timestamp.json* 21.snapshot.json* 2.targets.json 8.cog.json*", "");
	/* Passed: nothing more happens. */
	assert_run(bench, 1, true, "", "1.root.json timestamp.json* 21.snapshot.json 2.targets.json 8.cog.json", "");
	bench->floors = "rues=3";
	assert_refused(bench, "", FAULT_RECOVER_ROLE, "the inside trusts rues version 3, and nothing of that name");
	bench->floors = "targets=2";
	assert_refused(bench, "", FAULT_WAITS_TARGETS, "targets must go above version 2");
	delegate(bench, 9, "cog:1", KEY_TARGETS);
	assert_run(bench, 1, true, "", "1.root.json timestamp.json* 22.snapshot.json* 9.targets.json* 8.cog.json", "");
}

/* A shared role goes above with both signatures; until then no snapshot is signed that would be refused. */
static void test_floors_of_shared_roles(void **state)
{
	struct bench *bench = *state;

	begin(bench);
	bench->floors = "cog=7";
	assert_refused(bench, "", FAULT_WAITS_COSIGN, "cog must go above version 7");
	cosign(bench, "cog", KEY_SECOND);
	assert_run(bench, 1, true, "", "1.root.json timestamp.json* 4.snapshot.json* 2.targets.json 8.cog.json*", "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_waits_and_goes),
		TEST(test_newer_takes_its_place),
		TEST(test_signatures_that_do_not_count),
		TEST(test_interrupted),
		TEST(test_damaged),
		TEST(test_renewal),
		TEST(test_targets_wait_for_roles),
		TEST(test_foreign_targets),
		TEST(test_no_four_eyes_beside_the_targets_key),
		TEST(test_targets_end),
		TEST(test_floors),
		TEST(test_floors_of_shared_roles),
	};

	secret_init();
	hash_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("tests", tests, NULL, NULL);
}
