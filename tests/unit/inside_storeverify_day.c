/* SPDX-License-Identifier: ISC
 *
 * inside_storeverify_day: past days of a repository whose keys were changed: each day is judged by the keys of that day, neither by
 * later ones nor by those that had been revoked; and sets of a generation, of the log, of neither.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "inside/storeverify_private.h"
#include "tests/tufrepo.h"

struct fixture {
	char top[256];
	struct repo *repo;
	struct sha256 timestamps[4];
	size_t n_timestamps;
	struct storeverify verify;
	struct storeverify_day day;
	struct refusal why;
};

static void put(const struct fixture *fixture, const char *path, const void *data, size_t size)
{
	_cleanup_close_ int fd = openat(fixture->verify.store_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, data, size), 0);
	assert_int_equal(fchmod(fd, 0440), 0);
}

/* What the repository published last, as an import of it would leave it. */
static void import(struct fixture *fixture)
{
	const struct file *timestamp = files_find(&fixture->repo->out, "timestamp.json");
	char path[STORE_PATH_SIZE], hex[SHA256_HEX_SIZE];

	for (size_t i = 0; i < fixture->repo->out.n; i++) {
		const struct file *file = &fixture->repo->out.items[i];

		snprintf(path, sizeof(path), "mirror/metadata/%s", file->name);
		unlinkat(fixture->verify.store_fd, path, 0);
		put(fixture, path, file->data, file->size);
	}
	hash_bytes(timestamp->data, timestamp->size, &fixture->timestamps[fixture->n_timestamps]);
	sha256_to_hex(&fixture->timestamps[fixture->n_timestamps++], hex);
	snprintf(path, sizeof(path), "mirror/timestamps/%s", hex);
	put(fixture, path, timestamp->data, timestamp->size);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const char *top = getenv("TMPDIR");

	snprintf(fixture->top, sizeof(fixture->top), "%s/clapet-day.XXXXXX", top == NULL ? "/tmp" : top);
	assert_non_null(mkdtemp(fixture->top));
	assert_int_equal(chmod(fixture->top, 0750), 0);
	fixture->verify.store_fd = open(fixture->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fixture->verify.uid = geteuid();
	umask(0);
	assert_int_equal(store_create(fixture->verify.store_fd, &fixture->why), FAULT_NONE);
	fixture->repo = repo_new();
	import(fixture);
	*state = fixture;
	return 0;
}

static void forget(struct fixture *fixture)
{
	storeverify_day_clear(&fixture->day);
	findings_clear(&fixture->verify.findings);
	trustset_free(fixture->verify.set);
	free(fixture->verify.timestamps);
	fixture->verify.set = NULL;
	fixture->verify.timestamps = NULL;
	fixture->verify.n_timestamps = 0;
	fixture->day = (struct storeverify_day){.at = 0};
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	forget(fixture);
	repo_free(fixture->repo);
	close(fixture->verify.store_fd);
	fd_remove_tree(AT_FDCWD, fixture->top);
	free(fixture);
	return 0;
}

static void judge(struct fixture *fixture, const struct history *history, int64_t at)
{
	const struct file *root = files_find(&fixture->repo->out, "1.root.json");

	forget(fixture);
	storeverify_metadata(&fixture->verify, root->data, root->size);
	assert_non_null(fixture->verify.set);
	storeverify_timestamps(&fixture->verify);
	storeverify_judge_day(&fixture->verify, history, at, &fixture->day);
	for (size_t i = 0; i < fixture->verify.findings.n_faults_kept; i++)
		print_message("# %s\n", fixture->verify.findings.faults[i].line);
}

static void expect(const struct fixture *fixture, uint64_t root, uint64_t timestamp, uint64_t targets, size_t n_roles)
{
	size_t n_here = 0;

	assert_non_null(fixture->day.timestamp);
	assert_int_equal(fixture->day.timestamp->header.version, timestamp);
	assert_non_null(fixture->day.root);
	assert_int_equal(fixture->day.root->header.version, root);
	assert_non_null(fixture->day.targets);
	assert_int_equal(fixture->day.targets->header.version, targets);
	for (size_t i = 0; i < fixture->day.n_roles; i++)
		n_here += fixture->day.roles[i].is_here;
	assert_int_equal(n_here, n_roles);
}

/* Root 2 changes the keys of all other roles, ten days later. */
static void rotate(struct fixture *fixture)
{
	struct repo *repo = fixture->repo;

	repo->version[R_ROOT] = 2;
	for (int role = R_TIMESTAMP; role < R_N; role++) {
		repo_rotate(repo, role, (uint8_t)(100 + role));
		repo->version[role]++;
		repo->expires[role] += 20 * DAY;
	}
	repo->issued += 10 * DAY;
	repo_write_root(repo);
	repo_publish(repo);
	import(fixture);
}

static void test_rotation(void **state)
{
	struct fixture *fixture = *state;

	rotate(fixture);
	judge(fixture, NULL, NOW - 30 * DAY);
	assert_null(fixture->day.timestamp);
	assert_int_equal(fixture->verify.findings.n_faults, 0);
	judge(fixture, NULL, NOW + DAY);
	assert_int_equal(fixture->verify.findings.n_faults, 0);
	expect(fixture, 1, 1, 1, 3);
	judge(fixture, NULL, NOW + 11 * DAY);
	assert_int_equal(fixture->verify.findings.n_faults, 0);
	expect(fixture, 2, 2, 2, 3);
}

/* Who was revoked signs nothing any more, though root 1 still vouches for what was signed in its time. */
static void test_revoked(void **state)
{
	struct fixture *fixture = *state;
	struct repo_key old[R_N];

	for (int role = R_TIMESTAMP; role < R_N; role++)
		old[role] = repo_key_new((uint8_t)(10 + role), NULL);
	rotate(fixture);
	fixture->repo->version[R_COG]++;
	fixture->repo->version[R_SNAPSHOT]++;
	fixture->repo->version[R_TIMESTAMP]++;
	fixture->repo->issued += DAY;
	fixture->repo->signers[R_COG][0] = &old[R_COG];
	fixture->repo->n_signers[R_COG] = 1;
	repo_publish(fixture->repo);
	import(fixture);
	judge(fixture, NULL, NOW + 20 * DAY);
	assert_int_equal(fixture->verify.findings.n_faults, 1);
	assert_int_equal(fixture->verify.findings.faults[0].fault, FAULT_TUF_SIGNATURE);
	expect(fixture, 2, 3, 2, 2);
	fixture->repo->signers[R_SNAPSHOT][0] = &old[R_SNAPSHOT];
	fixture->repo->n_signers[R_SNAPSHOT] = 1;
	fixture->repo->version[R_SNAPSHOT]++;
	fixture->repo->version[R_TIMESTAMP]++;
	fixture->repo->issued += DAY;
	repo_publish(fixture->repo);
	import(fixture);
	judge(fixture, NULL, NOW + 30 * DAY);
	assert_int_equal(fixture->verify.findings.faults[0].fault, FAULT_TUF_SIGNATURE);
	assert_null(fixture->day.snapshot);
	for (int role = R_TIMESTAMP; role < R_N; role++)
		repo_key_clear(&old[role]);
}

/* By a log: which timestamp was accepted, beneath which root, and when. */
static void test_log(void **state)
{
	struct fixture *fixture = *state;
	struct history history = {.at = NOW + 11 * DAY, .has_timestamp = true, .root_version = 1};

	rotate(fixture);
	/* The second was signed by then, but had not arrived. */
	history.timestamp = fixture->timestamps[0];
	history.timestamp_time = NOW;
	judge(fixture, &history, history.at);
	assert_int_equal(fixture->verify.findings.n_faults, 0);
	assert_true(fixture->verify.findings.n_notes > 0); /* expired by then: STALE */
	expect(fixture, 1, 1, 1, 3);
	/* Accepted ten days after its expiry. */
	history.timestamp_time = NOW + 13 * DAY;
	history.at = NOW + 14 * DAY;
	judge(fixture, &history, history.at);
	assert_int_equal(fixture->verify.findings.n_faults, 1);
	assert_int_equal(fixture->verify.findings.faults[0].fault, FAULT_DAY_ACCEPTED);
	/* Beneath a root that does not sign for it. */
	history.timestamp_time = NOW;
	history.root_version = 2;
	judge(fixture, &history, history.at);
	assert_int_equal(fixture->verify.findings.faults[0].fault, FAULT_TUF_SIGNATURE);
	/* One that is not here; none by then. */
	history.root_version = 1;
	history.timestamp.bytes[0] ^= 1;
	judge(fixture, &history, history.at);
	assert_int_equal(fixture->verify.findings.faults[0].fault, FAULT_STORE_DAMAGED);
	history.has_timestamp = false;
	judge(fixture, &history, history.at);
	assert_int_equal(fixture->verify.findings.n_faults, 0);
	assert_null(fixture->day.timestamp);
}

static struct sha256 target_of(const char *path, uint64_t version)
{
	struct sha256 sha256;
	char text[256];

	snprintf(text, sizeof(text), "%s of version %llu", path, (unsigned long long)version);
	hash_bytes(text, strlen(text), &sha256);
	return sha256;
}

static void put_object(struct fixture *fixture, const char *file)
{
	char path[STORE_PATH_SIZE], target[128], hex[SHA256_HEX_SIZE], text[256];
	struct sha256 sha256;

	snprintf(target, sizeof(target), "cog/%s", file);
	sha256 = target_of(target, 1);
	sha256_to_hex(&sha256, hex);
	snprintf(text, sizeof(text), "%s of version 1", target);
	mkdirat(fixture->verify.store_fd, "datasets/cog", 0750);
	mkdirat(fixture->verify.store_fd, "datasets/cog/objects", 0750);
	snprintf(path, sizeof(path), "datasets/cog/objects/%s", hex);
	put(fixture, path, text, strlen(text));
}

static void test_files(void **state)
{
	struct fixture *fixture = *state;
	struct history history = {.at = NOW + DAY, .has_timestamp = true, .root_version = 1, .timestamp_time = NOW};
	struct sha256 description = target_of("cog/datapackage.json", 1);
	char version[STORE_VERSION_SIZE];

	history.timestamp = fixture->timestamps[0];
	store_version_name(&description, version);
	history_set(&history, "cog", version, 3, NOW);
	/* All is gone, and nobody says why; then a rule; then before that moment, which explains nothing. */
	judge(fixture, &history, history.at);
	assert_int_equal(fixture->verify.findings.n_faults, 2);
	assert_int_equal(fixture->verify.findings.faults[0].fault, FAULT_DAY_LOST);
	history_delete(&history, "cog", version, 9, NOW);
	judge(fixture, &history, history.at);
	assert_int_equal(fixture->verify.findings.n_faults, 2);
	history_delete(&history, "cog", version, 9, NOW + 3 * DAY);
	judge(fixture, &history, history.at);
	assert_int_equal(fixture->verify.findings.n_faults, 0);
	assert_int_equal(fixture->day.n_files, 2);
	assert_int_equal(fixture->day.files[0].fate, DAY_DELETED);
	assert_int_equal(fixture->day.files[0].entry, 9);
	/* Here again, as after a rollback to it. */
	put_object(fixture, "datapackage.json");
	put_object(fixture, "data.csv");
	judge(fixture, &history, history.at);
	assert_int_equal(fixture->verify.findings.n_faults, 0);
	assert_int_equal(fixture->day.files[1].fate, DAY_HERE);
	/* A version that nobody signed. */
	history_set(&history, "cog", "0123456789abcdef", 4, NOW);
	judge(fixture, &history, history.at);
	assert_int_equal(fixture->verify.findings.n_faults, 1);
	assert_int_equal(fixture->verify.findings.faults[0].fault, FAULT_STORE_DAMAGED);
	history_clear(&history);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {TEST(test_rotation), TEST(test_revoked), TEST(test_log), TEST(test_files)};

	hash_init();
	json_init();
	if (sodium_init() < 0)
		return 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
