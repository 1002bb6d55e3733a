/* SPDX-License-Identifier: ISC
 *
 * The worker inside-unpack over its socket: what is in the spool afterwards, and what it says of bundles that are bad.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/ipc.h"
#include "base/worker.h"
#include "inside/records.h"
#include "tests/unit/bundle_util.h"

static const struct worker_options bench = {.test_bench = true};

struct spool {
	char path[64];
	int fd;
};

static int setup(void **state)
{
	static struct spool spool;

	snprintf(spool.path, sizeof(spool.path), "/tmp/clapet-spool.XXXXXX");
	assert_non_null(mkdtemp(spool.path));
	spool.fd = open(spool.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(spool.fd >= 0);
	*state = &spool;
	return 0;
}

static int teardown(void **state)
{
	struct spool *spool = *state;

	close(spool->fd);
	assert_int_equal(fd_remove_tree(AT_FDCWD, spool->path), 0);
	return 0;
}

/* Runs the worker on BUNDLE_FD; what it said, and how it ended. */
struct answer {
	struct record members[8];
	size_t n_members;
	struct refusal why;
	bool has_end;
	enum worker_end end;
};

static void run(const struct spool *spool, int bundle_fd, struct answer *ret_answer)
{
	struct record record;
	struct worker worker = WORKER_NONE;
	struct answer answer = {.n_members = 0};

	assert_int_equal(worker_start("inside-unpack", &bench, &worker), 0);
	record = record_new(RECORD_BUNDLE);
	assert_int_equal(ipc_send(worker.sock, &record, sizeof(record), bundle_fd), 0);
	record = record_new(RECORD_FOLDER);
	record.folder.folder = FOLDER_SPOOL;
	assert_int_equal(ipc_send(worker.sock, &record, sizeof(record), spool->fd), 0);
	record = record_new(RECORD_GO);
	assert_int_equal(ipc_send(worker.sock, &record, sizeof(record), -1), 0);
	while (ipc_receive(worker.sock, &record, sizeof(record), NULL) == 1) {
		assert_true(record_check(&record));
		if (record.kind == RECORD_END) {
			answer.has_end = true;
			record_end_fault(&record, &answer.why);
			break;
		}
		assert_int_equal(record.kind, RECORD_MEMBER);
		assert_true(answer.n_members < ARRAY_SIZE(answer.members));
		answer.members[answer.n_members++] = record;
	}
	answer.end = worker_finish(&worker);
	*ret_answer = answer;
}

static void test_members(void **state)
{
	struct spool *spool = *state;
	struct bundle_member members[] = {metadata_member("1.root.json", "{}"), metadata_member("2.root.json", "{}"),
					  blob_member("blob", 4)};
	_cleanup_close_ int fd = memory_of("", 0);
	_cleanup_closedir_ DIR *dir = opendir(spool->path);
	struct answer answer;
	struct sha256 sha256;
	unsigned n = 0;

	assert_int_equal(bundle_write(fd, members, 3, &sha256), 0);
	run(spool, fd, &answer);
	assert_int_equal(answer.end, WORKER_DONE);
	assert_true(answer.has_end);
	assert_int_equal(answer.why.fault, FAULT_NONE);
	assert_int_equal(answer.n_members, 3);
	assert_string_equal(answer.members[0].member.name, "1.root.json");
	assert_string_equal(answer.members[1].member.name, "2.root.json");
	assert_true(sha256_equal(&answer.members[0].member.sha256, &answer.members[1].member.sha256));
	assert_int_equal(answer.members[1].member.is_blob, 0);
	assert_int_equal(answer.members[2].member.is_blob, 1);
	assert_int_equal(answer.members[2].member.size, 4);
	for (size_t i = 0; i < 3; i++) {
		char hex[SHA256_HEX_SIZE];
		_cleanup_close_ int file = -1;
		struct stat st;

		sha256_to_hex(&answer.members[i].member.sha256, hex);
		file = fd_open_regular_beneath(spool->fd, hex, O_RDONLY);
		assert_true(file >= 0);
		assert_int_equal(fstat(file, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0444);
		assert_int_equal(hash_fd(file, 100, &sha256, NULL), 0);
		assert_true(sha256_equal(&sha256, &answer.members[i].member.sha256));
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		n += entry->d_name[0] != '.';
	assert_int_equal(n, 2); /* the same bytes twice are one file */
}

static void test_bad_bundles(void **state)
{
	struct spool *spool = *state;
	_cleanup_close_ int fd = small_bundle(), junk = memory_of("junk", 4);
	struct answer answer;

	run(spool, junk, &answer);
	assert_int_equal(answer.end, WORKER_DONE);
	assert_int_equal(answer.why.fault, FAULT_BUNDLE_FORM);
	assert_int_equal(answer.n_members, 0);
	assert_int_equal(pwrite(fd, "X", 1, 3072 + 512), 1);
	run(spool, fd, &answer);
	assert_int_equal(answer.end, WORKER_DONE);
	assert_int_equal(answer.why.fault, FAULT_BLOB_HASH);
	assert_int_equal(answer.n_members, 2);
	assert_int_equal(ftruncate(fd, 5000), 0);
	run(spool, fd, &answer);
	assert_int_equal(answer.end, WORKER_DONE);
	assert_int_equal(answer.why.fault, FAULT_BUNDLE_TRUNCATED);
	assert_int_equal(answer.n_members, 0);
}

/* A spool that is not empty, as the one before left it: ours to stop, not the bundle's fault. */
static void test_used_spool(void **state)
{
	struct spool *spool = *state;
	_cleanup_close_ int fd = small_bundle(),
			    left = openat(spool->fd, ".member", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct answer answer;

	run(spool, fd, &answer);
	assert_int_equal(answer.end, WORKER_TROUBLE);
	assert_false(answer.has_end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_members, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_bundles, setup, teardown),
		cmocka_unit_test_setup_teardown(test_used_spool, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
