/* SPDX-License-Identifier: ISC
 *
 * keys_repository_prune: which metadata go, by their age and by versions; and what never does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "keys/repository.h"

#define NOW 1800000000

struct bench {
	char folder[64];
	int dir_fd, keys_fd, metadata_fd;
	char gone[1024]; /* of the last pruning */
};

static const struct repository_rules rules = {
	.now = NOW, .timestamp = 300, .snapshot = 600, .datasets = 600, .targets = 90000};

static struct secret_key *new_key(const struct bench *bench, const char *name)
{
	struct secret_key *key = secret_key_generate();

	if (name != NULL)
		assert_int_equal(secret_key_save(bench->keys_fd, name, key, NULL), 0);
	return key;
}

/* cog in the version WORD: one file whose hash is its letter 64 times; "" for a run without. */
static void sign(struct bench *bench, char word)
{
	_cleanup_(repository_freep) struct repository *repository = NULL;
	char hash[65] = "";
	struct refusal why;

	assert_int_equal(repository_open(bench->metadata_fd, bench->keys_fd, NULL, &rules, &repository, &why),
			 FAULT_NONE);
	memset(hash, word, 64);
	assert_int_equal(repository_set_targets(repository, "cog",
						json_pack("{s:{s:i, s:{s:s}}}", "cog/datapackage.json", "length", 7,
							  "hashes", "sha256", hash),
						&why),
			 FAULT_NONE);
	assert_int_equal(repository_sign(repository, &why), FAULT_NONE);
}

static void set_time(const struct bench *bench, const char *name, int64_t at)
{
	const struct timespec times[2] = {{.tv_sec = at}, {.tv_sec = at}};

	assert_int_equal(utimensat(bench->metadata_fd, name, times, 0), 0);
}

static void put(const struct bench *bench, const char *name)
{
	assert_int_equal(fd_put_durable(bench->metadata_fd, name, "{}", 2, 0644), 0);
	set_time(bench, name, 1000);
}

/* Four versions a, b, c, d of cog, each written 100 s after the one before: 4.cog.json 600 s before NOW. */
static int setup(void **state)
{
	static const char *const roles[] = {"cog", "snapshot", "targets"};
	struct bench *bench = calloc(1, sizeof(*bench));
	struct repository_plan plan = {.rules = rules, .root = 90000, .n_root_keys = 1, .root_threshold = 1};
	struct secret_key *keys[4];
	struct document root;
	struct refusal why;

	strcpy(bench->folder, "/tmp/clapet-unit.XXXXXX");
	assert_non_null(mkdtemp(bench->folder));
	bench->dir_fd = open(bench->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bench->keys_fd = fd_make_dir(bench->dir_fd, "keys", 0700);
	bench->metadata_fd = fd_make_dir(bench->dir_fd, "metadata", 0755);
	plan.targets_key = keys[0] = new_key(bench, "targets.key");
	plan.snapshot_key = keys[1] = new_key(bench, "snapshot.key");
	plan.timestamp_key = keys[2] = new_key(bench, "timestamp.key");
	keys[3] = new_key(bench, NULL);
	plan.root_keys = (const struct secret_key *const *)&keys[3];
	assert_int_equal(repository_create(bench->metadata_fd, &plan, &root, &why), FAULT_NONE);
	document_clear(&root);
	for (size_t i = 0; i < 4; i++)
		secret_key_free(keys[i]);
	for (char word = 'a'; word <= 'd'; word++)
		sign(bench, word);
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
		for (unsigned version = 1; version <= 5; version++) {
			char name[64];

			snprintf(name, sizeof(name), "%u.%s.json", version, roles[i]);
			if (fd_exists(bench->metadata_fd, name))
				set_time(bench, name, NOW - 1000 + 100 * (int64_t)version);
		}
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	close(bench->keys_fd);
	close(bench->metadata_fd);
	close(bench->dir_fd);
	fd_remove_tree(AT_FDCWD, bench->folder);
	free(bench);
	return 0;
}

static void prune(struct bench *bench, int64_t at_least, unsigned versions, bool dry_run)
{
	_cleanup_(repository_freep) struct repository *repository = NULL;
	const struct repository_keep keep = {.at_least = at_least, .versions = versions};
	struct refusal why;

	assert_int_equal(repository_open(bench->metadata_fd, bench->keys_fd, NULL, &rules, &repository, &why),
			 FAULT_NONE);
	assert_int_equal(repository_list(repository, &why), FAULT_NONE);
	assert_int_equal(repository_prune(repository, &keep, dry_run, &why), FAULT_NONE);
	bench->gone[0] = '\0';
	for (size_t i = 0; i < repository_n_pruned(repository); i++) {
		const struct repository_pruned *pruned = repository_pruned(repository, i);

		assert_int_equal(fd_exists(bench->metadata_fd, pruned->name), dry_run);
		assert_true(pruned->size > 0);
		snprintf(bench->gone + strlen(bench->gone), sizeof(bench->gone) - strlen(bench->gone), "%s%s",
			 i > 0 ? " " : "", pruned->name);
	}
}

static void test_age(void **state)
{
	struct bench *bench = *state;

	/* 3.cog.json and 3.snapshot.json lost their places 600 s ago. */
	prune(bench, 601, 0, true);
	assert_string_equal(bench->gone, "2.cog.json 1.cog.json 2.snapshot.json 1.snapshot.json 1.targets.json");
	prune(bench, 701, 0, false);
	assert_string_equal(bench->gone, "1.cog.json 1.snapshot.json 1.targets.json");
	prune(bench, 701, 0, false);
	assert_string_equal(bench->gone, "");
	prune(bench, 1, 0, false);
	assert_string_equal(bench->gone, "3.cog.json 2.cog.json 4.snapshot.json 3.snapshot.json 2.snapshot.json");
	/* And it goes on: what is current is all that is needed. */
	sign(bench, 'e');
	assert_true(fd_exists(bench->metadata_fd, "5.cog.json"));
}

static void test_versions(void **state)
{
	struct bench *bench = *state;

	prune(bench, 1, 2, true);
	assert_string_equal(bench->gone, "1.cog.json 4.snapshot.json 3.snapshot.json 2.snapshot.json 1.snapshot.json "
					 "1.targets.json");
	/* The same targets again are no version: 5 is d, 6 and 7 are a. */
	sign(bench, 'a');
	set_time(bench, "5.cog.json", NOW - 500);
	prune(bench, 1, 1, true);
	assert_non_null(strstr(bench->gone, "3.cog.json 2.cog.json 1.cog.json "));
	assert_null(strstr(bench->gone, "4.cog.json"));
}

/* The same set of targets, signed anew for longer: one file of them stays. */
static void test_renewals(void **state)
{
	struct bench *bench = *state;
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;

	assert_int_equal(fd_load_file(bench->metadata_fd, "2.cog.json", LIMIT_ROLE_SIZE, &data, &size), 0);
	assert_int_equal(fd_put_durable(bench->metadata_fd, "3.cog.json", data, size, 0644), 0);
	set_time(bench, "3.cog.json", NOW - 700);
	prune(bench, 1, 1, true);
	assert_non_null(strstr(bench->gone, "2.cog.json 1.cog.json "));
	assert_null(strstr(bench->gone, "3.cog.json"));
	prune(bench, 1, 2, true);
	assert_non_null(strstr(bench->gone, "2.cog.json 4.snap"));
}

static void test_what_never_goes(void **state)
{
	struct bench *bench = *state;

	put(bench, "2.root.json.old");
	put(bench, "9.cog.json");      /* above the current one: somebody may be signing it */
	put(bench, "7.targets.json");  /* the holder's, ahead */
	put(bench, "1.communes.json"); /* of a role that no snapshot names */
	put(bench, "01.cog.json");
	put(bench, "1.cog.json.bak");
	put(bench, "99999999999999999999.cog.json");
	set_time(bench, "1.root.json", 1000);
	prune(bench, 1, 0, false);
	assert_string_equal(bench->gone, "3.cog.json 2.cog.json 1.cog.json 4.snapshot.json 3.snapshot.json "
					 "2.snapshot.json 1.snapshot.json 1.targets.json");
	assert_true(fd_exists(bench->metadata_fd, "1.root.json"));
	assert_true(fd_exists(bench->metadata_fd, "7.targets.json"));
}

/* What lost its place in the future did so a moment ago. */
static void test_clock(void **state)
{
	struct bench *bench = *state;

	set_time(bench, "4.cog.json", NOW + 100000);
	prune(bench, 1, 0, true);
	assert_null(strstr(bench->gone, "3.cog.json"));
	assert_non_null(strstr(bench->gone, "2.cog.json"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_age, setup, teardown),
		cmocka_unit_test_setup_teardown(test_versions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_renewals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_never_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clock, setup, teardown),
	};

	secret_init();
	hash_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
