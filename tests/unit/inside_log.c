/* SPDX-License-Identifier: ISC
 *
 * inside_log: the worker itself: one line an event, whole lines after a cut, a new file when one is full.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/ipc.h"
#include "inside/records.h"
#include "inside/store.h"

static char opt_top[256];
static char opt_worker[512];

static pid_t start(int *ret_sock, int *ret_folder_fd)
{
	static char *const environment[] = {(char *)"LC_ALL=C", (char *)"TZ=UTC", NULL};
	struct record record = record_new(RECORD_FOLDER);
	int socks[2];
	pid_t pid;

	assert_int_equal(ipc_pair(socks), 0);
	pid = fork();
	if (pid == 0) {
		if (dup2(socks[1], 3) == 3 && fcntl(3, F_SETFD, 0) == 0)
			execle(opt_worker, opt_worker, "test-bench", (char *)NULL, environment);
		_exit(98);
	}
	close(socks[1]);
	*ret_sock = socks[0];
	*ret_folder_fd = open(opt_top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	record.folder.folder = FOLDER_LOG;
	assert_int_equal(ipc_send(socks[0], &record, sizeof(record), *ret_folder_fd), 0);
	return pid;
}

static void send_event(int sock, const char *event, const char *dataset, enum fault fault, const char *line)
{
	struct record record = record_new(RECORD_EVENT);

	record.event.time = 1795366440; /* 2026-11-22T16:54:00Z */
	record.event.fault = fault;
	snprintf(record.event.event, sizeof(record.event.event), "%s", event);
	snprintf(record.event.dataset, sizeof(record.event.dataset), "%s", dataset);
	snprintf(record.event.line, sizeof(record.event.line), "%s", line);
	assert_int_equal(ipc_send(sock, &record, sizeof(record), -1), 0);
}

/* RECORD_GO, its answer, and the end. The fault; -1 where the worker died. */
static int finish(pid_t pid, int sock, int folder_fd)
{
	struct record record = record_new(RECORD_GO);
	int status, answered;

	ipc_send(sock, &record, sizeof(record), -1);
	answered = ipc_receive(sock, &record, sizeof(record), NULL);
	close(sock);
	close(folder_fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (answered != 1 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return -1;
	assert_int_equal(record.kind, RECORD_END);
	return (int)record.end.fault;
}

static char *load(const char *name)
{
	uint8_t *data = NULL;
	size_t size;
	int fd = open(opt_top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(fd_load_file(fd, name, 64 << 20, &data, &size), 0);
	close(fd);
	return (char *)data;
}

static void test_lines(void **state)
{
	_cleanup_free_ char *text = NULL;
	int sock, folder_fd;
	pid_t pid = start(&sock, &folder_fd);

	(void)state;
	send_event(sock, "switch", "cog", FAULT_NONE, "generation 57");
	send_event(sock, "refuse", "", FAULT_BLOB_HASH, "blobs/9f86: its bytes do not hash to its name");
	assert_int_equal(finish(pid, sock, folder_fd), FAULT_NONE);
	text = load("events.log");
	assert_string_equal(text,
			    "2026-11-22T16:54:00Z switch cog - generation 57\n"
			    "2026-11-22T16:54:00Z refuse - E3101 blobs/9f86: its bytes do not hash to its name\n");
}

/* A power cut left half a line: it stays, and the next event has a line of its own. */
static void test_half_line(void **state)
{
	_cleanup_free_ char *text = NULL;
	char path[300];
	int sock, folder_fd, fd;
	pid_t pid;

	(void)state;
	snprintf(path, sizeof(path), "%s/events.log", opt_top);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(fd >= 0 && fd_write_all(fd, "2026-11", 7) == 0);
	close(fd);
	pid = start(&sock, &folder_fd);
	send_event(sock, "import", "", FAULT_NONE, "again");
	assert_int_equal(finish(pid, sock, folder_fd), FAULT_NONE);
	text = load("events.log");
	assert_string_equal(text, "2026-11\n2026-11-22T16:54:00Z import - - again\n");
}

static void test_rotation(void **state)
{
	_cleanup_free_ char *text = NULL;
	char path[300];
	struct stat st;
	int sock, folder_fd;
	pid_t pid;

	(void)state;
	snprintf(path, sizeof(path), "%s/events.log", opt_top);
	assert_int_equal(truncate(path, 16 * 1024 * 1024), 0);
	pid = start(&sock, &folder_fd);
	send_event(sock, "import", "", FAULT_NONE, "first of a new file");
	assert_int_equal(finish(pid, sock, folder_fd), FAULT_NONE);
	text = load("events.log");
	assert_string_equal(text, "2026-11-22T16:54:00Z import - - first of a new file\n");
	snprintf(path, sizeof(path), "%s/events-20261122T165400Z.log", opt_top);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size >= 16 * 1024 * 1024);
}

static void test_protocol(void **state)
{
	struct record record = record_new(RECORD_SPILL);
	int sock, folder_fd;
	pid_t pid = start(&sock, &folder_fd);

	(void)state;
	ipc_send(sock, &record, sizeof(record), -1);
	assert_int_equal(finish(pid, sock, folder_fd), -1);
	pid = start(&sock, &folder_fd);
	record = record_new(RECORD_EVENT); /* without a name */
	ipc_send(sock, &record, sizeof(record), -1);
	assert_int_equal(finish(pid, sock, folder_fd), -1);
}

/* log/ is the worker's alone: a link that leads out of it is not followed. */
static void test_link(void **state)
{
	char path[300], victim[300];
	struct stat st;
	int sock, folder_fd;
	pid_t pid;

	(void)state;
	snprintf(path, sizeof(path), "%s/events.log", opt_top);
	snprintf(victim, sizeof(victim), "%s.victim", opt_top);
	unlink(path);
	assert_int_equal(symlink(victim, path), 0);
	pid = start(&sock, &folder_fd);
	send_event(sock, "import", "", FAULT_NONE, "elsewhere");
	assert_int_equal(finish(pid, sock, folder_fd), FAULT_STORAGE);
	assert_int_not_equal(stat(victim, &st), 0);
}

static int set_up(void **state)
{
	const char *folder = getenv("TMPDIR");

	(void)state;
	snprintf(opt_top, sizeof(opt_top), "%s/clapet-log.XXXXXX", folder == NULL ? "/tmp" : folder);
	return mkdtemp(opt_top) == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	return fd_remove_tree(AT_FDCWD, opt_top);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),    cmocka_unit_test(test_half_line), cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_protocol), cmocka_unit_test(test_link),
	};
	const char *slash = strstr(argv[0], "/tests/unit/");

	(void)argc;
	signal(SIGPIPE, SIG_IGN);
	snprintf(opt_worker, sizeof(opt_worker), "%.*s/libexec/clapet/inside-log",
		 slash == NULL ? 5 : (int)(slash - argv[0]), slash == NULL ? "build" : argv[0]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
