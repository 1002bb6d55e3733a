/* SPDX-License-Identifier: ISC
 *
 * The worker outside-pack over its socket, in both its modes.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/ipc.h"
#include "base/worker.h"
#include "bundle/blob.h"
#include "outside/records.h"
#include "tests/unit/bundle_util.h"

static const struct worker_options bench = {.test_bench = true};

static void start(struct worker *worker)
{
	assert_int_equal(worker_start("outside-pack", &bench, worker), 0);
}

static void send(struct worker *worker, struct outside_record record, int fd)
{
	assert_true(outside_record_check(&record));
	assert_int_equal(ipc_send(worker->sock, &record, sizeof(record), fd), 0);
}

static struct outside_record receive(struct worker *worker)
{
	struct outside_record record;

	assert_int_equal(ipc_receive(worker->sock, &record, sizeof(record), NULL), 1);
	assert_true(outside_record_check(&record));
	return record;
}

static enum fault finish(struct worker *worker, struct refusal *why)
{
	struct outside_record record = receive(worker);

	assert_int_equal(record.kind, OUTSIDE_END);
	assert_int_equal(worker_finish(worker), WORKER_DONE);
	return outside_record_end_fault(&record, why);
}

static enum fault same(void *ctx, const void *data, size_t size, struct refusal *why)
{
	(void)why;
	hash_update(ctx, data, size);
	return FAULT_NONE;
}

static struct outside_record part_of(unsigned index)
{
	struct outside_record record = outside_record_new(OUTSIDE_PART);

	record.part.index = index;
	return record;
}

static void test_blob(void **state)
{
	_cleanup_(hash_freep) struct hash *hash = hash_new();
	_cleanup_close_ int plain_fd = memory_of("code,nom\n01,Ain\n", 16), part_fd = memory_of("", 0),
			    spare_fd = memory_of("", 0);
	struct worker worker = WORKER_NONE;
	struct outside_record record = outside_record_new(OUTSIDE_PLAIN);
	struct blob_part part;
	struct blob blob = {.parts = &part, .n_parts = 1};
	struct sha256 sha256;

	(void)state;
	start(&worker);
	snprintf(record.file.name, sizeof(record.file.name), "departements.csv");
	send(&worker, record, plain_fd);
	send(&worker, part_of(0), part_fd);
	send(&worker, part_of(1), spare_fd);
	send(&worker, outside_record_new(OUTSIDE_GO), -1);
	record = receive(&worker);
	assert_int_equal(record.kind, OUTSIDE_FILE);
	assert_string_equal(record.file.name, "departements.csv");
	blob.plain_length = record.file.size;
	blob.plain_sha256 = record.file.sha256;
	hash_bytes("code,nom\n01,Ain\n", 16, &sha256);
	assert_true(sha256_equal(&sha256, &blob.plain_sha256));
	record = receive(&worker);
	assert_int_equal(record.kind, OUTSIDE_PART);
	assert_int_equal(record.part.index, 0);
	part = (struct blob_part){record.part.sha256, record.part.length};
	assert_int_equal(finish(&worker, NULL), FAULT_NONE);
	assert_int_equal(fd_size(spare_fd), 0);
	assert_int_equal(blob_decode(&blob, &part_fd, same, hash, NULL), FAULT_NONE);
	hash_final(hash, &sha256);
	assert_true(sha256_equal(&sha256, &blob.plain_sha256));
}

static void test_no_part(void **state)
{
	_cleanup_close_ int plain_fd = memory_of("abc", 3);
	struct worker worker = WORKER_NONE;
	struct refusal why = {.line = ""};

	(void)state;
	start(&worker);
	send(&worker, outside_record_new(OUTSIDE_PLAIN), plain_fd);
	send(&worker, outside_record_new(OUTSIDE_GO), -1);
	assert_int_equal(finish(&worker, &why), FAULT_STORAGE);
	assert_non_null(strstr(why.line, "0 parts"));
}

static struct outside_record member_of(bool is_blob, const char *name, uint64_t size)
{
	struct outside_record record = outside_record_new(OUTSIDE_MEMBER);

	record.member.is_blob = is_blob;
	snprintf(record.member.name, sizeof(record.member.name), "%s", name);
	record.member.size = size;
	return record;
}

static enum fault count(void *ctx, enum bundle_member_kind kind, const char *name, uint64_t size, const void *data,
			size_t data_size, struct refusal *why)
{
	(void)kind;
	(void)name;
	(void)size;
	(void)data_size;
	(void)why;
	*(unsigned *)ctx += data == NULL;
	return FAULT_NONE;
}

static void test_bundle(void **state)
{
	struct bundle_member blob = blob_member("blob", 4);
	_cleanup_close_ int root_fd = memory_of("{}", 2), blob_fd = memory_of("blob", 4), bundle_fd = memory_of("", 0);
	_cleanup_free_ uint8_t *data = NULL;
	struct worker worker = WORKER_NONE;
	struct outside_record record;
	struct sha256 sha256;
	unsigned n = 0;
	size_t size;

	(void)state;
	start(&worker);
	send(&worker, member_of(true, blob.name, 4), blob_fd);
	send(&worker, member_of(false, "1.root.json", 2), root_fd);
	send(&worker, outside_record_new(OUTSIDE_BUNDLE), bundle_fd);
	send(&worker, outside_record_new(OUTSIDE_GO), -1);
	record = receive(&worker);
	assert_int_equal(record.kind, OUTSIDE_BUNDLE);
	assert_int_equal(finish(&worker, NULL), FAULT_NONE);
	bytes_of(bundle_fd, &data, &size);
	assert_int_equal(size, record.file.size);
	hash_bytes(data, size, &sha256);
	assert_true(sha256_equal(&sha256, &record.file.sha256));
	assert_int_equal(bundle_read(bundle_fd, &wide_bounds, count, &n, NULL), FAULT_NONE);
	assert_int_equal(n, 2);
}

static void test_member_twice(void **state)
{
	_cleanup_close_ int root_fd = memory_of("{}", 2), again_fd = memory_of("{}", 2), bundle_fd = memory_of("", 0);
	struct worker worker = WORKER_NONE;
	struct refusal why = {.line = ""};

	(void)state;
	start(&worker);
	send(&worker, member_of(false, "1.root.json", 2), root_fd);
	send(&worker, member_of(false, "1.root.json", 2), again_fd);
	send(&worker, outside_record_new(OUTSIDE_BUNDLE), bundle_fd);
	send(&worker, outside_record_new(OUTSIDE_GO), -1);
	assert_int_equal(finish(&worker, &why), FAULT_BUNDLE_MEMBER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blob),
		cmocka_unit_test(test_no_part),
		cmocka_unit_test(test_bundle),
		cmocka_unit_test(test_member_twice),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
