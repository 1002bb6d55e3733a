/* SPDX-License-Identifier: ISC
 *
 * inside_log: the worker itself: entries that are signed when it answers, one log over many runs, refusals that it answers, and a
 * protocol that it insists on.
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
#include <sodium.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/ipc.h"
#include "bundle/json.h"
#include "inside/records.h"
#include "inside/store.h"
#include "keys/logread.h"

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

static void send_document(int sock, enum document document, const char *text)
{
	struct record record = record_new(RECORD_PUT_DOCUMENT);
	int fd = fd_memory("document", text, strlen(text));

	assert_true(fd >= 0);
	record.document.document = document;
	record.document.size = strlen(text);
	assert_int_equal(ipc_send(sock, &record, sizeof(record), fd), 0);
	close(fd);
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

static struct log_reader *open_reader(struct note_verifier *ret_verifier)
{
	int fd = open(opt_top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct log_reader *reader = NULL;

	assert_int_equal(log_verifier_load(fd, ret_verifier, NULL), FAULT_NONE);
	assert_int_equal(log_reader_open(fd, ret_verifier, &reader, NULL), FAULT_NONE);
	close(fd);
	return reader;
}

static void assert_entry(struct log_reader *reader, uint64_t index, const char *text)
{
	struct tile_entry bytes = {NULL, 0};
	struct log_entry entry;

	assert_int_equal(log_reader_bytes(reader, index, &bytes, NULL), FAULT_NONE);
	assert_int_equal(bytes.size, strlen(text));
	assert_memory_equal(bytes.data, text, bytes.size);
	assert_int_equal(log_reader_entry(reader, index, &entry, NULL), FAULT_NONE);
}

static void test_entries(void **state)
{
	struct note_verifier verifier;
	struct log_reader *reader;
	int sock, folder_fd;
	struct stat st;
	pid_t pid = start(&sock, &folder_fd);
	char path[300];

	(void)state;
	send_event(sock, "switch", "cog", FAULT_NONE, "generation 57");
	send_event(sock, "refuse", "", FAULT_BLOB_HASH,
		   "\"blobs\\9f86\": does not hash to its name (bundle/FORMAT.md 4.4)");
	assert_int_equal(finish(pid, sock, folder_fd), FAULT_NONE);
	reader = open_reader(&verifier);
	assert_int_equal(log_reader_head(reader)->size, 2);
	assert_int_equal(strncmp(verifier.name, "clapet-inside/", 14), 0);
	assert_entry(reader, 0,
		     "{\"format\":\"clapet log entry 1\",\"time\":\"2026-11-22T16:54:00Z\",\"event\":\"switch\","
		     "\"dataset\":\"cog\",\"line\":\"generation 57\"}");
	assert_entry(reader, 1,
		     "{\"format\":\"clapet log entry 1\",\"time\":\"2026-11-22T16:54:00Z\",\"event\":\"refuse\","
		     "\"code\":\"E3101\",\"clause\":\"bundle/FORMAT.md 4.4\","
		     "\"line\":\"\\\"blobs\\\\9f86\\\": does not hash to its name (bundle/FORMAT.md 4.4)\"}");
	log_reader_free(reader);
	snprintf(path, sizeof(path), "%s/key", opt_top);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
}

/* The next run goes on where the last one ended, with the same key; the old head is continued. */
static void test_restart(void **state)
{
	struct note_verifier verifier, again;
	struct checkpoint old;
	struct log_reader *reader = open_reader(&verifier);
	int sock, folder_fd;
	pid_t pid;

	(void)state;
	old = *log_reader_head(reader);
	log_reader_free(reader);
	pid = start(&sock, &folder_fd);
	for (unsigned i = 0; i < 700; i++)
		send_event(sock, "import", "", FAULT_NONE, "again");
	assert_int_equal(finish(pid, sock, folder_fd), FAULT_NONE);
	reader = open_reader(&again);
	assert_int_equal(log_reader_head(reader)->size, 702);
	assert_memory_equal(&verifier, &again, sizeof(verifier));
	assert_int_equal(log_reader_extends(reader, &old, NULL, NULL), FAULT_NONE);
	assert_int_equal(log_reader_verify(reader, NULL), FAULT_NONE);
	log_reader_free(reader);
}

static void test_documents(void **state)
{
	_cleanup_free_ char *text = NULL;
	int sock, folder_fd;
	pid_t pid = start(&sock, &folder_fd);

	(void)state;
	send_document(sock, DOCUMENT_PEOPLE, "{\"people\": 1}\n");
	send_document(sock, DOCUMENT_MEMORY, "{}\n");
	assert_int_equal(finish(pid, sock, folder_fd), FAULT_NONE);
	text = load("people.json");
	assert_string_equal(text, "{\"people\": 1}\n");
	/* Commit's documents are not its. */
	pid = start(&sock, &folder_fd);
	send_document(sock, DOCUMENT_STATUS, "{}\n");
	assert_int_equal(finish(pid, sock, folder_fd), -1);
}

/* What it cannot believe it does not continue: it answers why, and what comes behind is not done. */
static void test_refused(void **state)
{
	_cleanup_free_ char *before = load("checkpoint");
	_cleanup_free_ char *after = NULL;
	_cleanup_free_ char *memory = NULL;
	char path[300];
	int sock, folder_fd, fd;
	pid_t pid;

	(void)state;
	snprintf(path, sizeof(path), "%s/key", opt_top);
	assert_int_equal(chmod(path, 0440), 0);
	pid = start(&sock, &folder_fd);
	send_event(sock, "import", "", FAULT_NONE, "with a key that others read");
	assert_int_equal(finish(pid, sock, folder_fd), FAULT_KEY_MODE);
	assert_int_equal(chmod(path, 0400), 0);

	snprintf(path, sizeof(path), "%s/tile/0/002.p/190", opt_top);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0 && pwrite(fd, "x", 1, 40) == 1);
	close(fd);
	pid = start(&sock, &folder_fd);
	send_event(sock, "import", "", FAULT_NONE, "on a tile that was changed");
	send_document(sock, DOCUMENT_MEMORY, "{\"a lie\": true}\n");
	assert_int_equal(finish(pid, sock, folder_fd), FAULT_LOG_DISAGREES);
	after = load("checkpoint");
	assert_string_equal(before, after);
	memory = load("memory.json");
	assert_string_equal(memory, "{}\n");
}

static void test_protocol(void **state)
{
	struct record record = record_new(RECORD_SPILL);
	int sock, folder_fd;
	pid_t pid = start(&sock, &folder_fd);

	(void)state;
	record.spill.memory = LIMIT_KEY_MEMORY;
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
	assert_int_equal(fd_remove_tree(AT_FDCWD, opt_top), 0);
	assert_int_equal(mkdir(opt_top, 0700), 0);
	snprintf(path, sizeof(path), "%s/tile", opt_top);
	snprintf(victim, sizeof(victim), "%s.victim", opt_top);
	pid = start(&sock, &folder_fd);
	assert_int_equal(finish(pid, sock, folder_fd), FAULT_NONE);
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
	json_init();
	snprintf(opt_top, sizeof(opt_top), "%s/clapet-log.XXXXXX", folder == NULL ? "/tmp" : folder);
	return sodium_init() < 0 || mkdtemp(opt_top) == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	return fd_remove_tree(AT_FDCWD, opt_top);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries), cmocka_unit_test(test_restart),  cmocka_unit_test(test_documents),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_protocol), cmocka_unit_test(test_link),
	};
	const char *slash = strstr(argv[0], "/tests/unit/");

	(void)argc;
	signal(SIGPIPE, SIG_IGN);
	snprintf(opt_worker, sizeof(opt_worker), "%.*s/libexec/clapet/inside-log",
		 slash == NULL ? 5 : (int)(slash - argv[0]), slash == NULL ? "build" : argv[0]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
