/* SPDX-License-Identifier: ISC
 *
 * keys_repository: what a run of the signing side writes, what it leaves alone, what it refuses; and that the TUF
 * client trusts it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "keys/client.h"
#include "keys/repository.h"

#define NOW 1800000000
#define N_KEYS 5 /* two root keys, targets, snapshot, timestamp */

struct bench {
	char folder[64];
	int dir_fd, keys_fd, metadata_fd;
	struct secret_key *keys[N_KEYS];
	struct passphrase *passphrase;
	char files[2048]; /* of the last run: "name*" for new ones */
};

static const struct repository_rules everyday = {
	.now = NOW, .timestamp = 300, .snapshot = 600, .datasets = 600, .targets = 9000};

static int setup(void **state)
{
	static const char *const names[] = {NULL, NULL, "targets.key", "snapshot.key", "timestamp.key"};
	struct bench *bench = calloc(1, sizeof(*bench));
	struct repository_plan plan = {.rules = everyday, .root = 9000, .n_root_keys = 2, .root_threshold = 2};
	struct document root;
	struct refusal why;

	strcpy(bench->folder, "/tmp/clapet-unit.XXXXXX");
	assert_non_null(mkdtemp(bench->folder));
	bench->dir_fd = open(bench->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bench->keys_fd = fd_make_dir(bench->dir_fd, "keys", 0700);
	bench->metadata_fd = fd_make_dir(bench->dir_fd, "metadata", 0755);
	bench->passphrase = passphrase_new("secret", 6);
	passphrase_set_cost(bench->passphrase, 1, 8192);
	for (size_t i = 0; i < N_KEYS; i++) {
		bench->keys[i] = secret_key_generate();
		if (names[i] != NULL)
			assert_int_equal(secret_key_save(bench->keys_fd, names[i], bench->keys[i], bench->passphrase),
					 0);
	}
	plan.root_keys = (const struct secret_key *const *)bench->keys;
	plan.targets_key = bench->keys[2];
	plan.snapshot_key = bench->keys[3];
	plan.timestamp_key = bench->keys[4];
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
	passphrase_free(bench->passphrase);
	close(bench->keys_fd);
	close(bench->metadata_fd);
	close(bench->dir_fd);
	fd_remove_tree(AT_FDCWD, bench->folder);
	free(bench);
	return 0;
}

/* Targets of DATASET: one file whose hash is FILL 64 times. */
static json_t *targets_of(const char *dataset, char fill)
{
	char path[128];
	char hash[65];

	memset(hash, fill, 64);
	hash[64] = '\0';
	snprintf(path, sizeof(path), strcmp(dataset, "status") == 0 ? "%s.json" : "%s/datapackage.json", dataset);
	return json_pack("{s:{s:i, s:{s:s}}}", path, "length", 7, "hashes", "sha256", hash);
}

/* One run at NOW + LATER: the datasets of WORK ("cog=a sirene=b") get targets. The fault of its first failure. */
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
	bench->files[0] = '\0';
	fault = repository_open(bench->metadata_fd, bench->keys_fd, bench->passphrase, &rules, &repository, why);
	while (fault == FAULT_NONE && (word = strsep(&rest, " ")) != NULL) {
		char *equals = strchr(word, '=');

		if (equals == NULL)
			continue;
		*equals = '\0';
		fault = repository_set_targets(repository, word, targets_of(word, equals[1]), why);
	}
	if (fault == FAULT_NONE)
		fault = repository_sign(repository, why);
	if (fault != FAULT_NONE)
		return fault;
	for (size_t i = 0; i < repository_n_files(repository); i++) {
		const struct repository_file *file = repository_file(repository, i);

		snprintf(bench->files + strlen(bench->files), sizeof(bench->files) - strlen(bench->files), "%s%s%s",
			 i > 0 ? " " : "", file->name, file->is_new ? "*" : "");
		assert_true(file->expires > NOW && file->version > 0 && file->size > 100);
	}
	return FAULT_NONE;
}

static void assert_run(struct bench *bench, int64_t later, bool heartbeat, const char *work, const char *files)
{
	struct refusal why = {.fault = FAULT_NONE};

	if (run(bench, later, heartbeat, work, &why) != FAULT_NONE)
		fail_msg("%s", why.line);
	assert_string_equal(bench->files, files);
}

static uint64_t timestamp_version(const struct bench *bench)
{
	struct document timestamp;
	struct refusal why;
	uint64_t version;

	assert_int_equal(document_load(bench->metadata_fd, "timestamp.json", "timestamp", 10000, &timestamp, &why),
			 FAULT_NONE);
	version = timestamp.version;
	document_clear(&timestamp);
	return version;
}

/* --- the TUF client over the folder --- */

static enum fault fetch(void *ctx, const char *name, const struct sha256 *expected, size_t limit, uint8_t **ret_data,
			size_t *ret_size, struct refusal *why)
{
	struct bench *bench = ctx;
	int r = fd_load_file(bench->metadata_fd, name, limit, ret_data, ret_size);

	(void)expected;
	if (r == -ENOENT)
		return refuse(why, FAULT_TUF_ABSENT, "%s", name);
	assert_int_equal(r, 0);
	return FAULT_NONE;
}

static void ignore(void *ctx, const char *name, const char *role, uint64_t version, const uint8_t *data, size_t size)
{
	(void)ctx, (void)name, (void)role, (void)version, (void)data, (void)size;
}

/* Refreshes a new client at NOW + LATER: everything must be trusted. Roles and their versions as "cog 2, status 1";
 * NULL: any. */
static void assert_trusted(struct bench *bench, int64_t later, const char *roles)
{
	const struct tuf_profile profile = {0};
	const struct tuf_source source = {.ctx = bench, .fetch = fetch};
	_cleanup_(tuf_client_freep) struct tuf_client *client = tuf_client_new(&profile, NOW + later);
	_cleanup_free_ uint8_t *data = NULL;
	struct tuf_summary summary;
	struct refusal why;
	char text[1024] = "";
	size_t size;

	assert_int_equal(fd_load_file(bench->metadata_fd, "1.root.json", LIMIT_ROOT_SIZE, &data, &size), 0);
	assert_int_equal(tuf_client_anchor(client, data, size, &why), FAULT_NONE);
	if (tuf_client_refresh(client, NULL, &source, ignore, NULL, &why) != FAULT_NONE)
		fail_msg("%s", why.line);
	tuf_client_summary(client, &summary);
	assert_int_equal(summary.timestamp_version, timestamp_version(bench));
	assert_int_equal(summary.issued, NOW + later);
	for (size_t i = 0; i < summary.n_roles; i++) {
		const struct tuf_role *role = tuf_client_role(client, i);

		if (!role->is_trusted)
			fail_msg("%s: %s", role->name, role->refusal.line);
		assert_int_equal(role->n_targets, 1);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s %" PRIu64, i > 0 ? ", " : "",
			 role->name, role->version);
	}
	if (roles != NULL)
		assert_string_equal(text, roles);
	else
		assert_true(summary.n_roles > 0);
}

/* --- tests --- */

static void test_two_datasets(void **state)
{
	struct bench *bench = *state;

	assert_run(bench, 1, false, "cog=a sirene=b status=e",
		   "1.root.json timestamp.json* 2.snapshot.json* 2.targets.json* 1.cog.json* 1.sirene.json* "
		   "1.status.json*");
	assert_trusted(bench, 1, "cog 1, sirene 1, status 1");
	assert_run(
		bench, 2, false, "cog=c",
		"1.root.json timestamp.json* 3.snapshot.json* 2.targets.json 2.cog.json* 1.sirene.json 1.status.json");
	assert_trusted(bench, 2, "cog 2, sirene 1, status 1");
	assert_true(fd_exists(bench->keys_fd, "datasets/cog.key"));
}

static void test_same_targets_change_nothing(void **state)
{
	struct bench *bench = *state;

	assert_run(bench, 1, false, "cog=a",
		   "1.root.json timestamp.json* 2.snapshot.json* 2.targets.json* 1.cog.json*");
	assert_run(bench, 1, false, "cog=a", "1.root.json timestamp.json* 2.snapshot.json 2.targets.json 1.cog.json");
	assert_int_equal(timestamp_version(bench), 3);
	assert_trusted(bench, 1, "cog 1");
}

/* A heartbeat signs the timestamp alone until a third of something's validity is left; then that, and what names it. */
static void test_heartbeats(void **state)
{
	struct bench *bench = *state;

	assert_run(bench, 0, false, "cog=a",
		   "1.root.json timestamp.json* 2.snapshot.json* 2.targets.json* 1.cog.json*");
	assert_run(bench, 399, true, "", "1.root.json timestamp.json* 2.snapshot.json 2.targets.json 1.cog.json");
	assert_run(bench, 401, false, "", "1.root.json timestamp.json* 3.snapshot.json* 2.targets.json 1.cog.json");
	assert_run(bench, 402, true, "", "1.root.json timestamp.json* 4.snapshot.json* 2.targets.json 2.cog.json*");
	assert_trusted(bench, 402, "cog 2");
	/* The datasets key is used, not the others: targets stay as they were until their own third. */
	assert_run(bench, 6001, true, "", "1.root.json timestamp.json* 5.snapshot.json* 3.targets.json* 3.cog.json*");
	assert_trusted(bench, 6001, "cog 3");
	assert_int_equal(timestamp_version(bench), 6);
}

/* A run that died left files that nothing names: their numbers are not used again, the repository stays whole. */
static void test_leftovers(void **state)
{
	struct bench *bench = *state;

	assert_run(bench, 1, false, "cog=a",
		   "1.root.json timestamp.json* 2.snapshot.json* 2.targets.json* 1.cog.json*");
	assert_int_equal(fd_put_durable(bench->metadata_fd, "2.cog.json", "junk", 4, 0644), 0);
	assert_int_equal(fd_put_durable(bench->metadata_fd, "3.cog.json", "{}", 2, 0644), 0);
	assert_int_equal(fd_put_durable(bench->metadata_fd, "3.snapshot.json", "{}", 2, 0644), 0);
	assert_int_equal(fd_put_durable(bench->metadata_fd, ".timestamp.json.tmp", "{", 1, 0644), 0);
	assert_trusted(bench, 1, "cog 1");
	assert_run(bench, 2, false, "cog=b", "1.root.json timestamp.json* 4.snapshot.json* 2.targets.json 4.cog.json*");
	assert_trusted(bench, 2, "cog 4");
}

/* The power went after any number of renames of a run: what is on disk is trusted, and the same run again ends at the
 * same data. */
static void test_interrupted_anywhere(void **state)
{
	static const char *const written[] = {"1.cog.json", "1.sirene.json", "2.targets.json", "2.snapshot.json"};
	struct bench *bench = *state;
	_cleanup_free_ uint8_t *before = NULL;
	size_t size;

	assert_int_equal(fd_load_file(bench->metadata_fd, "timestamp.json", 10000, &before, &size), 0);
	assert_run(bench, 1, false, "cog=a sirene=b",
		   "1.root.json timestamp.json* 2.snapshot.json* 2.targets.json* 1.cog.json* 1.sirene.json*");
	for (size_t n = ARRAY_SIZE(written); n > 0; n--) {
		/* The first N files are there, the timestamp is the old one. */
		assert_int_equal(fd_put_durable(bench->metadata_fd, "timestamp.json", before, size, 0644), 0);
		assert_trusted(bench, 0, "");
		assert_int_equal(run(bench, 1, false, "cog=a sirene=b", &(struct refusal){0}), FAULT_NONE);
		assert_trusted(bench, 1, NULL);
		unlinkat(bench->metadata_fd, written[n - 1], 0);
	}
	assert_true(timestamp_version(bench) == 2);
}

static void test_lost_role_is_signed_anew(void **state)
{
	struct bench *bench = *state;
	struct refusal why;

	assert_run(bench, 1, false, "cog=a",
		   "1.root.json timestamp.json* 2.snapshot.json* 2.targets.json* 1.cog.json*");
	assert_int_equal(fd_put_durable(bench->metadata_fd, "1.cog.json", "{}", 2, 0644), 0);
	assert_int_equal(run(bench, 2, true, "", &why), FAULT_TUF_FORM);
	assert_run(bench, 2, false, "cog=a", "1.root.json timestamp.json* 3.snapshot.json* 2.targets.json 2.cog.json*");
	assert_trusted(bench, 2, "cog 2");
}

/* FILE with FROM replaced by TO, of the same length. */
static void tamper(const struct bench *bench, const char *file, const char *from, const char *to)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	char *at;

	assert_int_equal(fd_load_file(bench->metadata_fd, file, LIMIT_TARGETS_SIZE, &data, &size), 0);
	at = strstr((char *)data, from);
	assert_non_null(at);
	memcpy(at, to, strlen(to));
	assert_int_equal(fd_put_durable(bench->metadata_fd, file, data, size, 0644), 0);
}

/* Who can write the metadata folder but has no key gets nothing signed. */
static void test_tampering_is_not_signed(void **state)
{
	struct bench *bench = *state;
	struct refusal why;

	assert_run(bench, 1, false, "cog=a",
		   "1.root.json timestamp.json* 2.snapshot.json* 2.targets.json* 1.cog.json*");
	tamper(bench, "2.targets.json", "cog/*", "*****");
	assert_int_equal(run(bench, 2, false, "sirene=b", &why), FAULT_TUF_HASH);
	tamper(bench, "2.targets.json", "*****", "cog/*");
	tamper(bench, "timestamp.json", "\"version\":2", "\"version\":9");
	assert_int_equal(run(bench, 2, false, "sirene=b", &why), FAULT_TUF_SIGNATURE);
	tamper(bench, "timestamp.json", "\"version\":9", "\"version\":2");
	tamper(bench, "2.snapshot.json", "cog.json", "cag.json");
	assert_int_equal(run(bench, 2, false, "sirene=b", &why), FAULT_TUF_HASH);
	tamper(bench, "2.snapshot.json", "cag.json", "cog.json");
	tamper(bench, "1.root.json", "\"threshold\":2", "\"threshold\":1");
	assert_int_equal(run(bench, 2, false, "sirene=b", &why), FAULT_TUF_SIGNATURE);
	tamper(bench, "1.root.json", "\"threshold\":1", "\"threshold\":2");
	assert_false(fd_exists(bench->metadata_fd, "1.sirene.json"));
	assert_int_equal(run(bench, 2, false, "sirene=b", &why), FAULT_NONE);
}

static void test_clock_behind(void **state)
{
	struct bench *bench = *state;
	struct refusal why;

	assert_run(bench, 200, false, "", "1.root.json timestamp.json* 1.snapshot.json 1.targets.json");
	assert_int_equal(run(bench, 200 - REPOSITORY_CLOCK_STEP - 1, false, "", &why), FAULT_CLOCK);
	assert_int_equal(timestamp_version(bench), 2);
	assert_run(bench, 200 - REPOSITORY_CLOCK_STEP, false, "",
		   "1.root.json timestamp.json* 1.snapshot.json 1.targets.json");
	assert_trusted(bench, 200, "");
}

static void test_keys_must_fit(void **state)
{
	struct bench *bench = *state;
	struct refusal why;
	struct passphrase *right = bench->passphrase;

	bench->passphrase = passphrase_new("wrong", 5);
	assert_int_equal(run(bench, 1, false, "cog=a", &why), FAULT_KEY_PASSPHRASE);
	passphrase_free(bench->passphrase);
	bench->passphrase = NULL;
	assert_int_equal(run(bench, 1, false, "cog=a", &why), FAULT_KEY_PASSPHRASE);
	bench->passphrase = right;
	/* Nothing was written, no key made. */
	assert_false(fd_exists(bench->metadata_fd, "1.cog.json") || fd_exists(bench->keys_fd, "datasets/cog.key"));
	assert_int_equal(fchmodat(bench->keys_fd, "timestamp.key", 0440, 0), 0);
	assert_int_equal(run(bench, 1, false, "cog=a", &why), FAULT_KEY_MODE);
	assert_int_equal(fchmodat(bench->keys_fd, "timestamp.key", 0400, 0), 0);
	/* The snapshot's key under the timestamp's name. */
	assert_int_equal(unlinkat(bench->keys_fd, "timestamp.key", 0), 0);
	assert_int_equal(run(bench, 1, false, "cog=a", &why), FAULT_FILE);
	assert_int_equal(secret_key_save(bench->keys_fd, "timestamp.key", bench->keys[3], bench->passphrase), 0);
	assert_int_equal(run(bench, 1, false, "cog=a", &why), FAULT_KEY_ROLE);
}

/* A dataset's key that was exchanged behind our back; and one that an interrupted run left, which is used. */
static void test_dataset_keys(void **state)
{
	struct bench *bench = *state;
	struct refusal why;
	_cleanup_close_ int datasets_fd = fd_make_dir(bench->keys_fd, "datasets", 0700);
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;

	assert_int_equal(secret_key_save(datasets_fd, "cog.key", bench->keys[0], bench->passphrase), 0);
	assert_int_equal(run(bench, 1, false, "cog=a", &why), FAULT_NONE);
	assert_int_equal(fd_load_file(bench->metadata_fd, "2.targets.json", LIMIT_TARGETS_SIZE, &data, &size), 0);
	assert_non_null(strstr((char *)data, secret_key_public(bench->keys[0])->keyid));
	assert_trusted(bench, 1, "cog 1");
	assert_int_equal(unlinkat(datasets_fd, "cog.key", 0), 0);
	assert_int_equal(run(bench, 2, false, "cog=b", &why), FAULT_FILE);
	assert_int_equal(secret_key_save(datasets_fd, "cog.key", bench->keys[1], bench->passphrase), 0);
	assert_int_equal(run(bench, 2, false, "cog=b", &why), FAULT_KEY_ROLE);
	assert_trusted(bench, 1, "cog 1");
	/* New keys are encrypted as the others are. */
	assert_int_equal(run(bench, 3, false, "sirene=b", &why), FAULT_NONE);
	free(data);
	data = NULL;
	assert_int_equal(fd_load_file(datasets_fd, "sirene.key", 4096, &data, &size), 0);
	assert_non_null(strstr((char *)data, "argon2id"));
}

static void test_names_are_checked(void **state)
{
	static const char *const bad[] = {"root=a", "../x=a", "Cog=a", "timestamp=a", "cog=a cog=b"};
	struct bench *bench = *state;
	struct refusal why;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(run(bench, 1, false, bad[i], &why), FAULT_TUF_DELEGATION);
	assert_int_equal(timestamp_version(bench), 1);
}

static void test_create_overwrites_nothing(void **state)
{
	struct bench *bench = *state;
	struct refusal why;
	struct repository_plan plan = {.rules = everyday};

	assert_int_equal(repository_check_empty(bench->metadata_fd, &why), FAULT_KEY_EXISTS);
	assert_int_equal(repository_create(bench->metadata_fd, &plan, &(struct document){0}, &why), FAULT_KEY_EXISTS);
	assert_trusted(bench, 0, "");
}

int main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_two_datasets),
		TEST(test_same_targets_change_nothing),
		TEST(test_heartbeats),
		TEST(test_leftovers),
		TEST(test_interrupted_anywhere),
		TEST(test_lost_role_is_signed_anew),
		TEST(test_tampering_is_not_signed),
		TEST(test_clock_behind),
		TEST(test_keys_must_fit),
		TEST(test_dataset_keys),
		TEST(test_names_are_checked),
		TEST(test_create_overwrites_nothing),
	};

	secret_init();
	hash_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
