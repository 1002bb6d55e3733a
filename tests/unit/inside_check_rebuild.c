/* SPDX-License-Identifier: ISC
 *
 * Files of an older version out of their blobs: each is vouched for once its bytes are the signed ones, and none behind the first that is not.
 */
#include "inside/check.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/ipc.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/patch.h"

/* Two tables that hardly compress, of which one row differs: what is the same comes out of the base. */
#define ROWS 400
static char base_text[16 * ROWS], new_text[16 * ROWS], other_text[16 * ROWS];

struct fixture {
	int socks[2];
	struct check_request request;
	struct check_answer answer;
	int output_fds[4], base_output_fd;
	size_t n;
};

static void make_tables(void)
{
	uint32_t x = 4711;
	char *base = base_text;

	for (unsigned i = 0; i < ROWS; i++) {
		x = (uint32_t)((uint64_t)x * 16807 % 2147483647);
		base += sprintf(base, "%03u,%08x\n", i, x);
	}
	memcpy(new_text, base_text, sizeof(new_text));
	memcpy(new_text + 13 * 200 + 4, "somebody", 8);
	memcpy(other_text, base_text, sizeof(other_text));
	memset(other_text + 1000, 'x', 1000);
}

static int memory(const void *data, size_t size)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_int_equal(fd_write_all(fd, data, size), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct record record = record_new(RECORD_REBUILD);

	assert_int_equal(ipc_pair(fixture->socks), 0);
	text_copy(record.version.dataset, sizeof(record.version.dataset), "cog");
	record_send(fixture->socks[0], &record, -1);
	fixture->base_output_fd = -1;
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	check_request_clear(&fixture->request);
	for (size_t i = 0; i < fixture->n; i++)
		close(fixture->output_fds[i]);
	cleanup_close(&fixture->base_output_fd);
	close(fixture->socks[0]);
	close(fixture->socks[1]);
	free(fixture);
	return 0;
}

static struct record target_of(const char *name, const char *text)
{
	struct record record = record_new(RECORD_TARGET);

	text_copy(record.target.dataset, sizeof(record.target.dataset), "cog");
	text_copy(record.target.file, sizeof(record.target.file), name);
	hash_bytes(text, strlen(text), &record.target.sha256);
	record.target.length = strlen(text);
	record.target.n_parts = 1;
	return record;
}

static int next_part(void *ctx, size_t index)
{
	assert_int_equal(index, 0);
	return *(int *)ctx;
}

static void send_blob(const struct fixture *fixture, enum record_kind kind, const char *text, bool is_damaged)
{
	_cleanup_close_ int plain_fd = memory(text, strlen(text)), part_fd = memory("", 0);
	struct record record = record_new(kind);
	struct blob blob;

	assert_int_equal(blob_encode(plain_fd, 3, next_part, &part_fd, &blob), 0);
	record.part.sha256 = blob.parts[0].sha256;
	record.part.length = blob.parts[0].length;
	if (is_damaged)
		assert_int_equal(pwrite(part_fd, "X", 1, (off_t)blob.parts[0].length / 2), 1);
	record_send(fixture->socks[0], &record, part_fd);
	blob_clear(&blob);
}

static void send_target(struct fixture *fixture, const struct record *record)
{
	fixture->output_fds[fixture->n] = memory("", 0);
	record_send(fixture->socks[0], record, fixture->output_fds[fixture->n++]);
}

static void send_whole(struct fixture *fixture, const char *name, const char *text, bool is_damaged)
{
	struct record record = target_of(name, text);

	send_target(fixture, &record);
	send_blob(fixture, RECORD_PART, text, is_damaged);
}

/* The new table against the base, which is OBJECT in the store; NULL: it comes out of its blob. */
static void send_patch(struct fixture *fixture, const char *object)
{
	_cleanup_close_ int base_fd = memory(base_text, strlen(base_text)), new_fd = memory(new_text, strlen(new_text)),
			    patch_fd = memory("", 0), object_fd = -1;
	struct record record = target_of("communes.csv", new_text), part = record_new(RECORD_PART);
	struct patch_counts counts;

	assert_int_equal(patch_encode(base_fd, new_fd, patch_fd, 1, &counts), 0);
	assert_int_equal(lseek(patch_fd, 0, SEEK_SET), 0);
	assert_int_equal(hash_fd(patch_fd, UINT64_MAX, &part.part.sha256, &part.part.length), 0);
	record.target.is_patch = record.target.n_base_parts = 1;
	record.target.base_sha256 = counts.base_sha256;
	record.target.base_length = strlen(base_text);
	send_target(fixture, &record);
	record_send(fixture->socks[0], &part, patch_fd);
	record.kind = object == NULL ? RECORD_BASE_OUTPUT : RECORD_BASE;
	object_fd = object == NULL ? memory("", 0) : memory(object, strlen(object));
	record_send(fixture->socks[0], &record, object_fd);
	if (object != NULL)
		return;
	fixture->base_output_fd = steal_fd(&object_fd);
	send_blob(fixture, RECORD_BASE_PART, base_text, false);
}

static enum fault rebuild(struct fixture *fixture, struct refusal *why)
{
	struct record go = record_new(RECORD_GO);

	record_send(fixture->socks[0], &go, -1);
	check_request_receive(fixture->socks[1], &fixture->request);
	assert_true(fixture->request.is_rebuild);
	fixture->answer = (struct check_answer){.sock = fixture->socks[1]};
	return check_rebuild(&fixture->request, &fixture->answer, why);
}

static void assert_answer(const struct fixture *fixture, enum record_kind kind, const char *name)
{
	struct record record;

	assert_int_equal(ipc_receive(fixture->socks[0], &record, sizeof(record), NULL), 1);
	assert_true(record_check(&record));
	assert_int_equal(record.kind, kind);
	assert_string_equal(record.target.file, name);
}

static void assert_no_answer(const struct fixture *fixture)
{
	struct record record;

	shutdown(fixture->socks[1], SHUT_WR);
	assert_int_equal(ipc_receive(fixture->socks[0], &record, sizeof(record), NULL), 0);
}

static void assert_holds(int fd, const char *text)
{
	char found[16 * ROWS] = "";

	assert_int_equal(fd_size(fd), strlen(text));
	assert_int_equal(pread(fd, found, sizeof(found) - 1, 0), strlen(text));
	assert_string_equal(found, text);
}

static void test_whole(void **state)
{
	struct fixture *fixture = *state;
	struct refusal why = {0};

	/* Nobody asks what is in them: a package that is none is a file as any other. */
	send_whole(fixture, "datapackage.json", "no JSON", false);
	send_whole(fixture, "communes.csv", new_text, false);
	assert_int_equal(rebuild(fixture, &why), FAULT_NONE);
	assert_answer(fixture, RECORD_PLAIN, "datapackage.json");
	assert_answer(fixture, RECORD_PLAIN, "communes.csv");
	assert_no_answer(fixture);
	assert_holds(fixture->output_fds[0], "no JSON");
	assert_holds(fixture->output_fds[1], new_text);
}

static void test_damaged(void **state)
{
	struct fixture *fixture = *state;
	struct refusal why = {0};

	send_whole(fixture, "a.csv", base_text, false);
	send_whole(fixture, "b.csv", new_text, true);
	send_whole(fixture, "c.csv", base_text, false);
	assert_int_equal(rebuild(fixture, &why), FAULT_BLOB_HASH);
	assert_non_null(strstr(why.line, "b.csv"));
	assert_answer(fixture, RECORD_PLAIN, "a.csv");
	assert_no_answer(fixture);
	assert_int_equal(fd_size(fixture->output_fds[1]), 0); /* what was transported is hashed before it is decoded */
	assert_int_equal(fd_size(fixture->output_fds[2]), 0);
}

static void test_patch(void **state)
{
	struct fixture *fixture = *state;
	struct refusal why = {0};

	send_patch(fixture, base_text);
	assert_int_equal(rebuild(fixture, &why), FAULT_NONE);
	assert_answer(fixture, RECORD_PLAIN, "communes.csv");
	assert_no_answer(fixture);
	assert_holds(fixture->output_fds[0], new_text);
}

static void test_patch_and_base(void **state)
{
	struct fixture *fixture = *state;
	struct refusal why = {0};

	send_patch(fixture, NULL);
	assert_int_equal(rebuild(fixture, &why), FAULT_NONE);
	assert_answer(fixture, RECORD_BASE_OUTPUT, "communes.csv");
	assert_answer(fixture, RECORD_PLAIN, "communes.csv");
	assert_no_answer(fixture);
	assert_holds(fixture->base_output_fd, base_text);
	assert_holds(fixture->output_fds[0], new_text);
}

/* Not the version's fault: the supervisor has its base decoded anew. */
static void test_damaged_base(void **state)
{
	struct fixture *fixture = *state;
	struct refusal why = {0};

	send_patch(fixture, other_text);
	assert_int_equal(rebuild(fixture, &why), FAULT_BASE_DAMAGED);
	assert_non_null(strstr(why.line, "communes.csv"));
	assert_no_answer(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_patch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_patch_and_base, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_base, setup, teardown),
	};

	make_tables();
	hash_init();
	json_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
