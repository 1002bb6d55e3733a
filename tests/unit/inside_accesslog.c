/* SPDX-License-Identifier: ISC
 *
 * The access log: one line, whatever is in it; files by day; what is lost, and that it is said; what is deleted.
 */
#include "inside/accesslog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/notation.h"

static struct accesslog_entry example(void)
{
	static const char *const params[] = {"columns", "code"}, *const columns[] = {"code", "nom"};

	return (struct accesslog_entry){.time = 1795617238,
					.key = "k3",
					.peer = "192.0.2.7",
					.view = "",
					.method = "GET",
					.path = "/datasets/cog/communes",
					.params = params,
					.n_params = 2,
					.generation = 5,
					.dataset = "cog",
					.version = "0123456789abcdef",
					.resource = "communes",
					.columns = columns,
					.n_columns = 2,
					.status = 200,
					.rows = 12,
					.bytes = 345,
					.encoding = "gzip",
					.microseconds = 1234,
					.is_complete = true,
					.agent = "curl/7.88.1"};
}

static void test_line(void **state)
{
	struct accesslog_entry entry = example(), lost = {.time = 1795617238, .lost = 7};
	char line[LIMIT_ACCESSLOG_LINE_SIZE + 1];

	(void)state;
	line[accesslog_format(&entry, line)] = '\0';
	assert_string_equal(
		line,
		"{\"time\":\"2026-11-25T14:33:58Z\",\"key\":\"k3\",\"peer\":\"192.0.2.7\",\"method\":\"GET\",\"path\":"
		"\"/datasets/cog/communes\",\"params\":[\"columns\",\"code\"],\"generation\":5,\"dataset\":\"cog\","
		"\"version\":\"0123456789abcdef\",\"resource\":\"communes\",\"columns\":[\"code\",\"nom\"],\"status\":"
		"200,"
		"\"rows\":12,\"bytes\":345,\"encoding\":\"gzip\",\"us\":1234,\"agent\":\"curl/7.88.1\"}\n");
	line[accesslog_format(&lost, line)] = '\0';
	assert_string_equal(line, "{\"time\":\"2026-11-25T14:33:58Z\",\"lost\":7}\n");
}

/* Whatever stands in a request, its line is one JSON object, on one line, within its bound. */
static void test_hostile(void **state)
{
	char big[8192], line[LIMIT_ACCESSLOG_LINE_SIZE + 1];
	const char *many[80];

	(void)state;
	for (unsigned byte = 1; byte < 256; byte++) {
		struct accesslog_entry entry = example();
		_cleanup_(json_decrefp) json_t *json = NULL;
		size_t size;

		memset(big, (int)byte, sizeof(big) - 1);
		big[sizeof(big) - 1] = '\0';
		for (size_t i = 0; i < ARRAY_SIZE(many); i++)
			many[i] = big;
		entry.key = entry.peer = entry.view = entry.path = entry.dataset = entry.version = entry.resource = big;
		entry.agent = entry.encoding = entry.method = big;
		entry.params = entry.columns = many;
		entry.n_params = entry.n_columns = ARRAY_SIZE(many);
		entry.rows = entry.bytes = entry.generation = UINT64_MAX / 4;
		entry.microseconds = INT64_MAX;
		entry.is_complete = false;
		size = accesslog_format(&entry, line);
		assert_true(size <= LIMIT_ACCESSLOG_LINE_SIZE);
		assert_ptr_equal(memchr(line, '\n', size), line + size - 1);
		if (json_parse(line, size, LIMIT_ACCESSLOG_LINE_SIZE, &json, NULL) != FAULT_NONE)
			fail_msg("byte %u: %.*s", byte, (int)size, line);
		/* The last member is there: nothing was cut in the middle. */
		assert_true(json_is_string(json_object_get(json, "agent")));
		assert_true(json_is_false(json_object_get(json, "complete")));
	}
}

static void test_names(void **state)
{
	char name[ACCESSLOG_NAME_SIZE];
	int64_t day;

	(void)state;
	accesslog_name(1795617238, name);
	assert_string_equal(name, "access-2026-11-25.jsonl");
	assert_true(accesslog_parse_name(name, &day));
	assert_int_equal(day, 1795564800);
	assert_false(accesslog_parse_name("access-2026-02-30.jsonl", NULL));
	assert_false(accesslog_parse_name("access-2026-11-25.json", NULL));
	assert_false(accesslog_parse_name("access_2026-11-25.jsonl", NULL));
	assert_false(accesslog_parse_name("", NULL));
}

/* --- in a folder ------------------------------------------------------------------------------------------------------------- */

static int open_folder(char *path)
{
	int fd;

	strcpy(path, "/tmp/clapet-test.XXXXXX");
	assert_non_null(mkdtemp(path));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void put(int folder_fd, const char *name, const char *text)
{
	int fd = openat(folder_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0640);

	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static char *today(int folder_fd)
{
	char name[ACCESSLOG_NAME_SIZE];
	uint8_t *data;
	size_t size;

	accesslog_name(time(NULL), name);
	assert_int_equal(fd_load_file(folder_fd, name, 64 * MIB, &data, &size), 0);
	return (char *)data;
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return n;
}

static void *write_many(void *ctx)
{
	const struct accesslog_entry entry = example();

	for (int i = 0; i < 5000; i++)
		accesslog_write(ctx, &entry);
	return NULL;
}

static void test_threads(void **state)
{
	char path[32];
	int fd = open_folder(path);
	struct accesslog *log = NULL;
	_cleanup_free_ char *text = NULL;
	pthread_t threads[4];

	(void)state;
	assert_int_equal(accesslog_open(dup(fd), 12, &log, NULL), FAULT_NONE);
	accesslog_start(log);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_many, log), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(accesslog_lost(log), 0);
	accesslog_close(log);
	text = today(fd);
	assert_int_equal(count(text, "\n"), 20000);
	assert_int_equal(count(text, "\"agent\":\"curl/7.88.1\"}\n"), 20000);
	fd_remove_tree(AT_FDCWD, path);
	close(fd);
}

/* Files of months that are over go; others, and what is not ours, stay. A line that a crash cut off gets its end. */
static void test_old(void **state)
{
	char path[32], name[ACCESSLOG_NAME_SIZE], kept[ACCESSLOG_NAME_SIZE], gone[ACCESSLOG_NAME_SIZE];
	int fd = open_folder(path);
	struct accesslog_entry entry = example();
	struct accesslog *log = NULL;
	_cleanup_free_ char *text = NULL;

	(void)state;
	accesslog_name(time(NULL), name);
	accesslog_name(time(NULL) - 27 * 86400, kept);
	accesslog_name(time(NULL) - 63 * 86400, gone);
	put(fd, name, "{\"time\":\"cut o");
	put(fd, kept, "x\n");
	put(fd, gone, "x\n");
	put(fd, "notes.txt", "x\n");
	assert_int_equal(accesslog_open(dup(fd), 1, &log, NULL), FAULT_NONE);
	accesslog_write(log, &entry);
	accesslog_close(log);
	assert_true(fd_exists(fd, kept));
	assert_false(fd_exists(fd, gone));
	assert_true(fd_exists(fd, "notes.txt"));
	text = today(fd);
	assert_memory_equal(text, "{\"time\":\"cut o\n{\"time\":\"2026-11-25T", 35);
	fd_remove_tree(AT_FDCWD, path);
	close(fd);
}

/* A disk that takes nothing: answers go on, what is lost is counted, and said in the log once it takes lines again. */
static void test_full(void **state)
{
	char path[32], line[LIMIT_ACCESSLOG_LINE_SIZE];
	struct rlimit before, small;
	int fd = open_folder(path);
	struct accesslog_entry entry = example();
	size_t fit = 1000 / accesslog_format(&entry, line);
	struct accesslog *log = NULL;
	_cleanup_free_ char *text = NULL;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(accesslog_open(dup(fd), 12, &log, NULL), FAULT_NONE);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 1000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	accesslog_start(log);
	for (int i = 0; i < 10; i++)
		accesslog_write(log, &entry);
	for (int i = 0; i < 100 && accesslog_lost(log) == 0; i++)
		usleep(50000);
	assert_int_equal(accesslog_lost(log), 10 - fit);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	accesslog_write(log, &entry);
	accesslog_close(log);
	text = today(fd);
	assert_int_equal(count(text, "\"agent\":\"curl/7.88.1\"}\n"), fit + 1);
	snprintf(line, sizeof(line), "\"lost\":%zu}\n", 10 - fit);
	assert_int_equal(count(text, line), 1);
	fd_remove_tree(AT_FDCWD, path);
	close(fd);
}

/* More than the buffer holds before anybody takes it. */
static void test_flood(void **state)
{
	char path[32], line[LIMIT_ACCESSLOG_LINE_SIZE];
	int fd = open_folder(path);
	struct accesslog_entry entry = example();
	size_t size = accesslog_format(&entry, line), fit = LIMIT_ACCESSLOG_BUFFER / 2 / size;
	struct accesslog *log = NULL;
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_int_equal(accesslog_open(dup(fd), 12, &log, NULL), FAULT_NONE);
	for (size_t i = 0; i < fit + 5; i++)
		accesslog_write(log, &entry);
	assert_int_equal(accesslog_lost(log), 5);
	accesslog_close(log);
	text = today(fd);
	assert_int_equal(count(text, "\n"), fit + 1);
	assert_int_equal(count(text, "\"lost\":5}\n"), 1);
	fd_remove_tree(AT_FDCWD, path);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),    cmocka_unit_test(test_hostile), cmocka_unit_test(test_names),
		cmocka_unit_test(test_threads), cmocka_unit_test(test_old),     cmocka_unit_test(test_full),
		cmocka_unit_test(test_flood),
	};

	json_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
