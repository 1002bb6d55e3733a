/* SPDX-License-Identifier: ISC
 *
 * inside_commit: the worker itself, started as its supervisor starts it, and played plans. Without arguments a unit
 * test; `inside_commit sweep CALL WHAT` (tests/e2e/powerless.sh) runs the same plan under strace with the first,
 * second, third, … CALL failing or killed, and insists each time on the old store or the new one, whole, and on a
 * second run that finishes.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
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
#include "bundle/hash.h"
#include "inside/records.h"
#include "inside/store.h"

static char opt_top[256];      /* the temporary folder */
static char opt_worker[512];   /* the program under test */
static const char *opt_inject; /* "renameat2:error=ENOSPC:when=3", NULL: no strace */

static void shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void shell(const char *format, ...)
{
	char command[2048];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	if (system(command) != 0) {
		fprintf(stderr, "# failed: %s\n", command);
		abort();
	}
}

/* --- playing a plan --------------------------------------------------------------------------------------------------
 */

struct play {
	pid_t pid;
	int sock;
	int store_fd, spool_fd;
};

static void path_in(char *path, size_t size, const char *name)
{
	assert_true((size_t)snprintf(path, size, "%s/%s", opt_top, name) < size);
}

static void exec_worker(int sock)
{
	static char *const environment[] = {(char *)"LC_ALL=C", (char *)"TZ=UTC", NULL};
	char inject[256], trace[600];

	if (dup2(sock, 3) < 0 || fcntl(3, F_SETFD, 0) < 0)
		_exit(99);
	if (opt_inject == NULL) {
		execle(opt_worker, opt_worker, "test-bench", (char *)NULL, environment);
		_exit(98);
	}
	snprintf(inject, sizeof(inject), "inject=%s", opt_inject);
	snprintf(trace, sizeof(trace), "%s/trace", opt_top);
	execle("/usr/bin/strace", "strace", "-o", trace, "-e", inject, opt_worker, "test-bench", (char *)NULL,
	       environment);
	_exit(97);
}

static struct play play_start(void)
{
	struct play play;
	char path[512];
	int socks[2];

	assert_int_equal(ipc_pair(socks), 0);
	play.sock = socks[0];
	play.pid = fork();
	if (play.pid == 0) {
		int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

		if (getenv("CLAPET_TEST_VERBOSE") == NULL)
			dup2(null_fd, 2);
		exec_worker(socks[1]);
	}
	close(socks[1]);
	path_in(path, sizeof(path), "store");
	play.store_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	path_in(path, sizeof(path), "spool");
	play.spool_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(play.store_fd >= 0 && play.spool_fd >= 0);
	return play;
}

/* A worker that is gone already shows at the end. */
static void order(struct play *play, const struct record *record, int fd)
{
	ipc_send(play->sock, record, sizeof(*record), fd);
}

static void order_kind(struct play *play, enum record_kind kind)
{
	struct record record = record_new(kind);

	order(play, &record, -1);
}

static void order_folders(struct play *play)
{
	struct record record = record_new(RECORD_FOLDER);

	record.folder.folder = FOLDER_STORE;
	order(play, &record, play->store_fd);
	record.folder.folder = FOLDER_SPOOL;
	order(play, &record, play->spool_fd);
}

/* RECORD_GO, its answer, the worker's end. The fault that it reported; -1 where it died, -2 where a signal ended it. */
static int play_end(struct play *play, char line[RECORD_LINE_SIZE])
{
	struct record end;
	int status, answered;

	order_kind(play, RECORD_GO);
	answered = ipc_receive(play->sock, &end, sizeof(end), NULL);
	close(play->sock);
	close(play->store_fd);
	close(play->spool_fd);
	assert_int_equal(waitpid(play->pid, &status, 0), play->pid);
	if (WIFSIGNALED(status))
		return -2;
	if (answered != 1 || WEXITSTATUS(status) != 0)
		return -1;
	assert_true(record_check(&end) && end.kind == RECORD_END);
	if (line != NULL)
		memcpy(line, end.end.line, RECORD_LINE_SIZE);
	return (int)end.end.fault;
}

/* --- what the plans are made of --------------------------------------------------------------------------------------
 */

static struct sha256 hash_text(const char *text)
{
	struct sha256 sha256;

	hash_bytes(text, strlen(text), &sha256);
	return sha256;
}

static void spool_text(const char *text)
{
	struct sha256 sha256 = hash_text(text);
	char hex[SHA256_HEX_SIZE], path[512];
	FILE *file;

	sha256_to_hex(&sha256, hex);
	snprintf(path, sizeof(path), "%s/spool/%s", opt_top, hex);
	unlink(path);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	/* A file of another group is copied, one of ours linked: both ways are played. */
	if (strstr(text, "copied") != NULL && geteuid() == 0)
		assert_int_equal(chown(path, (uid_t)-1, 1), 0);
}

static struct record put_record(enum record_kind kind, const char *text, const char *file, const char *version)
{
	struct record record = record_new(kind);

	snprintf(record.put.dataset, sizeof(record.put.dataset), "cog");
	snprintf(record.put.file, sizeof(record.put.file), "%s", file);
	record.put.sha256 = hash_text(text);
	record.put.size = strlen(text);
	if (version != NULL)
		record.put.version = hash_text(version);
	return record;
}

static void order_put(struct play *play, enum record_kind kind, const char *text, const char *file, const char *version)
{
	struct record record = put_record(kind, text, file, version);

	order(play, &record, -1);
}

/* VERSION may be NULL. */
static void order_document(struct play *play, enum document document, const char *version, const char *text)
{
	struct record record = record_new(RECORD_PUT_DOCUMENT);
	_cleanup_close_ int fd = fd_memory("document", text, strlen(text));

	record.document.document = document;
	record.document.size = strlen(text);
	snprintf(record.document.dataset, sizeof(record.document.dataset), "cog");
	if (version != NULL)
		record.document.version = hash_text(version);
	order(play, &record, fd);
}

static void order_generation(struct play *play, enum record_kind kind, uint64_t number, const char *json)
{
	struct record record = record_new(kind);
	_cleanup_close_ int fd = json == NULL ? -1 : fd_memory("generation", json, strlen(json));

	record.generation.number = number;
	order(play, &record, fd);
}

static void order_version(struct play *play, enum record_kind kind, const char *dataset, const char *package)
{
	struct record record = record_new(kind);

	snprintf(record.version.dataset, sizeof(record.version.dataset), "%s", dataset);
	record.version.version = hash_text(package);
	order(play, &record, -1);
}

/* One import: a set of texts. */
struct import {
	uint64_t generation;
	const char *package, *table, *timestamp, *snapshot, *snapshot_name, *role, *role_name, *blob, *verdict, *clapet,
		*status;
};

static const struct import imports[] = {
	{1, "{\"package\": 1}", "code\n01\n", "{\"timestamp\": 1}", "{\"snapshot\": 1}", "1.snapshot.json",
	 "{\"role\": 1}", "1.cog.json", "blob one copied", "{\"verdict\": 1}", "{\"generation\": 1}",
	 "{\"status\": 1}"},
	{2, "{\"package\": 2} copied", "code\n01\n02\n", "{\"timestamp\": 2}", "{\"snapshot\": 2}", "2.snapshot.json",
	 "{\"role\": 2}", "2.cog.json", "blob two", "{\"verdict\": 2}", "{\"generation\": 2}", "{\"status\": 2}"},
};
/* In both versions: one object. */
static const char *const shared = "code\nshared by both\n";

static void fill_spool(const struct import *import)
{
	const char *const texts[] = {import->package, import->table, import->timestamp, import->snapshot, import->role,
				     import->blob,    shared};

	/* As every import has: a folder of its own. */
	shell("rm -f %s/spool/*", opt_top);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		spool_text(texts[i]);
}

static void order_puts(struct play *play, const struct import *import)
{
	order_put(play, RECORD_PUT_METADATA, import->snapshot, import->snapshot_name, NULL);
	order_put(play, RECORD_PUT_METADATA, import->timestamp, "timestamp.json", NULL);
	order_put(play, RECORD_PUT_METADATA, import->role, import->role_name, NULL);
	order_put(play, RECORD_PUT_BLOB, import->blob, "", NULL);
	order_put(play, RECORD_PUT_OBJECT, import->package, "datapackage.json", NULL);
	order_put(play, RECORD_PUT_OBJECT, import->table, "communes.csv", NULL);
	order_put(play, RECORD_PUT_OBJECT, shared, "regions.csv", NULL);
	order_put(play, RECORD_PUT_LINK, import->package, "datapackage.json", import->package);
	order_put(play, RECORD_PUT_LINK, import->table, "communes.csv", import->package);
	order_put(play, RECORD_PUT_LINK, shared, "regions.csv", import->package);
}

static int play_import(const struct import *import, char line[RECORD_LINE_SIZE])
{
	struct play play = play_start();

	order_folders(&play);
	order_puts(&play, import);
	order_document(&play, DOCUMENT_VERDICT, import->package, import->verdict);
	order_kind(&play, RECORD_SYNC);
	order_put(&play, RECORD_PUT_TRUST, import->timestamp, "timestamp.json", NULL);
	order_put(&play, RECORD_PUT_TRUST, import->snapshot, import->snapshot_name, NULL);
	order_put(&play, RECORD_PUT_TRUST, import->role, import->role_name, NULL);
	order_generation(&play, RECORD_GENERATION, import->generation, import->clapet);
	order_version(&play, RECORD_GENERATION_DATASET, "cog", import->package);
	order_kind(&play, RECORD_SYNC);
	order_generation(&play, RECORD_SWITCH, import->generation, NULL);
	order_document(&play, DOCUMENT_STATUS, NULL, import->status);
	if (import->generation > 1) {
		order_generation(&play, RECORD_DELETE_GENERATION, import->generation - 1, NULL);
		order_version(&play, RECORD_DELETE_VERSION, "cog", imports[0].package);
		order_put(&play, RECORD_DELETE_BLOB, imports[0].blob, "", NULL);
	}
	return play_end(&play, line);
}

/* --- what must hold --------------------------------------------------------------------------------------------------
 */

static bool file_is(const char *name, const char *text)
{
	_cleanup_free_ uint8_t *data = NULL;
	char path[600];
	size_t size;
	int fd;
	bool is;

	path_in(path, sizeof(path), name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	is = fd >= 0 && fd_load(fd, 1 << 20, &data, &size) == 0 && size == strlen(text) &&
	     memcmp(data, text, size) == 0;
	if (fd >= 0)
		close(fd);
	return is;
}

static const char *object_name(const char *text, char path[512])
{
	struct sha256 sha256 = hash_text(text);
	char hex[SHA256_HEX_SIZE];

	sha256_to_hex(&sha256, hex);
	snprintf(path, 512, "store/datasets/cog/objects/%s", hex);
	return path;
}

static const char *verdict_name(const char *package, char path[512])
{
	struct sha256 sha256 = hash_text(package);
	char name[STORE_VERSION_SIZE];

	store_version_name(&sha256, name);
	snprintf(path, 512, "store/decisions/verdicts/cog-%s.json", name);
	return path;
}

/* Whatever stands under its final name is what that name says: hashes, and versions with all their files. */
static bool names_hold(int store_fd)
{
	static const char *const folders[] = {"datasets/cog/objects", "mirror/blobs"};
	struct store_names names = {NULL, 0};
	bool hold = true;

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		hold = hold && store_list(store_fd, folders[i], &names) == 0;
		for (size_t j = 0; hold && j < names.n_items; j++) {
			char path[600], hex[SHA256_HEX_SIZE];
			struct sha256 sha256;
			_cleanup_close_ int fd = -1;

			snprintf(path, sizeof(path), "%s/%s", folders[i], names.items[j]);
			fd = openat(store_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
			hold = fd >= 0 && hash_fd(fd, 1 << 20, &sha256, NULL) == 0;
			sha256_to_hex(&sha256, hex);
			hold = hold && strcmp(hex, names.items[j]) == 0;
		}
		store_names_free(&names);
	}
	hold = hold && store_list(store_fd, "datasets/cog/v", &names) == 0;
	for (size_t j = 0; hold && j < names.n_items; j++) {
		struct store_names files = {NULL, 0};
		char path[600];

		snprintf(path, sizeof(path), "datasets/cog/v/%s", names.items[j]);
		hold = store_list(store_fd, path, &files) == 0 && files.n_items == 3;
		store_names_free(&files);
	}
	store_names_free(&names);
	return hold;
}

/* Every byte that a reader of `current` sees, and what it stands on. The generation, 0 where there is none, -1 for half
 * a store. */
static int store_is_whole(void)
{
	_cleanup_close_ int fd = -1;
	char path[512];
	uint64_t current;
	const struct import *import;

	path_in(path, sizeof(path), "store");
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || store_current(fd, &current) < 0 || current > 2)
		return -1;
	if (!names_hold(fd))
		return -1;
	if (current == 0)
		return 0;
	import = &imports[current - 1];
	if (!file_is("store/current/cog/datapackage.json", import->package) ||
	    !file_is("store/current/cog/communes.csv", import->table) ||
	    !file_is("store/current/cog/regions.csv", shared) ||
	    !file_is("store/current/clapet.json", import->clapet) ||
	    !file_is(object_name(import->package, path), import->package) ||
	    !file_is(object_name(import->table, path), import->table) || !file_is(object_name(shared, path), shared))
		return -1;
	/* Trust moves before the switch: at least as new. Each trust file is one or the other, never less. */
	if (!file_is("store/trust/timestamp.json", imports[1].timestamp) &&
	    !file_is("store/trust/timestamp.json", import->timestamp))
		return -1;
	if (!file_is("store/trust/snapshot.json", imports[1].snapshot) &&
	    !file_is("store/trust/snapshot.json", import->snapshot))
		return -1;
	if (!file_is("store/trust/cog.json", imports[1].role) && !file_is("store/trust/cog.json", import->role))
		return -1;
	if (!file_is(verdict_name(import->package, path), import->verdict))
		return -1;
	return (int)current;
}

/* After a run that finished: the second import whole, and nothing of the first or of a stage. */
static bool store_is_finished(void)
{
	static const char *const gone[] = {
		"store/.tmp",          "store/mirror/.tmp",      "store/trust/.tmp",       "store/decisions/.tmp",
		"store/generations/1", "store/generations/.tmp", "store/datasets/cog/.tmp"};
	char path[600];
	struct stat st;

	if (store_is_whole() != 2 || !file_is("store/status.json", imports[1].status) ||
	    !file_is("store/trust/cog.json", imports[1].role))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++) {
		path_in(path, sizeof(path), gone[i]);
		if (lstat(path, &st) == 0)
			return false;
	}
	return !file_is(object_name(imports[0].table, path), imports[0].table) &&
	       file_is(object_name(shared, path), shared);
}

static void fresh(void)
{
	shell("rm -rf %s/store %s/spool && mkdir -p %s/store %s/spool", opt_top, opt_top, opt_top, opt_top);
}

static int set_up(void **state)
{
	const char *folder = getenv("TMPDIR");

	(void)state;
	hash_init();
	snprintf(opt_top, sizeof(opt_top), "%s/clapet-commit.XXXXXX", folder == NULL ? "/tmp" : folder);
	return mkdtemp(opt_top) == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	shell("rm -rf %s", opt_top);
	return 0;
}

/* --- tests -----------------------------------------------------------------------------------------------------------
 */

static void test_two_imports(void **state)
{
	char line[RECORD_LINE_SIZE];

	(void)state;
	fresh();
	fill_spool(&imports[0]);
	assert_int_equal(play_import(&imports[0], line), FAULT_NONE);
	assert_int_equal(store_is_whole(), 1);
	fill_spool(&imports[1]);
	assert_int_equal(play_import(&imports[1], line), FAULT_NONE);
	assert_true(store_is_finished());
}

static void test_again(void **state)
{
	char line[RECORD_LINE_SIZE] = "";
	struct play play;

	(void)state;
	fresh();
	fill_spool(&imports[0]);
	assert_int_equal(play_import(&imports[0], line), FAULT_NONE);
	/* The same puts over a store that has them all: verified, kept, and the spool not needed. */
	shell("rm -f %s/spool/*", opt_top);
	play = play_start();
	order_folders(&play);
	order_puts(&play, &imports[0]);
	order_kind(&play, RECORD_SYNC);
	order_generation(&play, RECORD_SWITCH, 1, NULL);
	assert_int_equal(play_end(&play, line), FAULT_NONE);
	assert_int_equal(store_is_whole(), 1);
}

static void insist_dies(struct play *play)
{
	assert_int_equal(play_end(play, NULL), -1);
	assert_int_equal(store_is_whole(), 1);
}

/* Orders that a power cut could turn into half a store, and records that are not commit's. */
static void test_protocol(void **state)
{
	struct play play;
	struct record record;

	(void)state;
	fresh();
	fill_spool(&imports[0]);
	assert_int_equal(play_import(&imports[0], NULL), FAULT_NONE);
	fill_spool(&imports[1]);

	play = play_start();
	order_folders(&play);
	order_put(&play, RECORD_PUT_METADATA, imports[1].timestamp, "timestamp.json", NULL);
	order_put(&play, RECORD_PUT_TRUST, imports[1].timestamp, "timestamp.json", NULL);
	insist_dies(&play);

	play = play_start();
	order_folders(&play);
	order_puts(&play, &imports[1]);
	order_generation(&play, RECORD_GENERATION, 2, imports[1].clapet);
	order_version(&play, RECORD_GENERATION_DATASET, "cog", imports[1].package);
	order_generation(&play, RECORD_SWITCH, 2, NULL);
	insist_dies(&play);

	play = play_start();
	order_folders(&play);
	order_generation(&play, RECORD_SWITCH, 1, NULL); /* never synced in this run */
	insist_dies(&play);

	/* Roles of datasets come last, and are durable before a switch. */
	play = play_start();
	order_folders(&play);
	order_puts(&play, &imports[1]);
	order_kind(&play, RECORD_SYNC);
	order_put(&play, RECORD_PUT_TRUST, imports[1].role, imports[1].role_name, NULL);
	order_put(&play, RECORD_PUT_TRUST, imports[1].timestamp, "timestamp.json", NULL);
	insist_dies(&play);

	play = play_start();
	order_folders(&play);
	order_puts(&play, &imports[1]);
	order_kind(&play, RECORD_SYNC);
	order_put(&play, RECORD_PUT_TRUST, imports[1].role, imports[1].role_name, NULL);
	order_generation(&play, RECORD_SWITCH, 1, NULL);
	insist_dies(&play);

	play = play_start();
	order_folders(&play);
	record = put_record(RECORD_PUT_OBJECT, imports[1].table, "communes.csv", NULL);
	strcpy(record.put.file, "../../../current");
	order(&play, &record, -1);
	insist_dies(&play);

	play = play_start();
	order_folders(&play);
	record = record_new(RECORD_SPILL);
	record.spill.memory = LIMIT_KEY_MEMORY;
	order(&play, &record, -1);
	insist_dies(&play);

	play = play_start();
	order_folders(&play);
	record = record_new(RECORD_GENERATION); /* without its descriptor */
	record.generation.number = 2;
	order(&play, &record, -1);
	insist_dies(&play);
}

static void test_refused(void **state)
{
	char line[RECORD_LINE_SIZE], path[512];
	struct play play;

	(void)state;
	fresh();
	fill_spool(&imports[0]);
	assert_int_equal(play_import(&imports[0], NULL), FAULT_NONE);

	/* A spool file with other bytes than the record says: nothing of the plan is seen. */
	fill_spool(&imports[1]);
	path_in(path, sizeof(path), "spool");
	shell("cd %s && f=$(grep -l 02 *) && printf 'code\\n01\\n03\\n' >$f", path);
	assert_int_equal(play_import(&imports[1], line), FAULT_SPOOL);
	assert_non_null(strstr(line, "do not hash"));
	assert_int_equal(store_is_whole(), 1);

	/* A generation of a version that is not there; the current one deleted; numbers that go back. */
	play = play_start();
	order_folders(&play);
	order_generation(&play, RECORD_GENERATION, 2, imports[1].clapet);
	order_version(&play, RECORD_GENERATION_DATASET, "cog", imports[1].package);
	assert_int_equal(play_end(&play, line), FAULT_NO_SUCH);
	play = play_start();
	order_folders(&play);
	order_generation(&play, RECORD_DELETE_GENERATION, 1, NULL);
	assert_int_equal(play_end(&play, line), FAULT_NO_SUCH);
	play = play_start();
	order_folders(&play);
	order_version(&play, RECORD_DELETE_VERSION, "cog", imports[0].package);
	assert_int_equal(play_end(&play, line), FAULT_NO_SUCH);
	play = play_start();
	order_folders(&play);
	order_generation(&play, RECORD_GENERATION, 1, imports[0].clapet);
	assert_int_equal(play_end(&play, line), FAULT_NO_SUCH);
	assert_int_equal(store_is_whole(), 1);
}

static void test_not_a_store(void **state)
{
	(void)state;
	fresh();
	fill_spool(&imports[0]);
	shell("echo precious >%s/store/file", opt_top);
	assert_int_equal(play_import(&imports[0], NULL), FAULT_STORE_FORMAT);
	assert_true(file_is("store/file", "precious\n"));
	assert_int_equal(store_is_whole(), 0);
}

/* --- the sweep -------------------------------------------------------------------------------------------------------
 */

static bool trace_shows_injection(void)
{
	char path[600];
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;

	path_in(path, sizeof(path), "trace");
	if (fd_load_file(AT_FDCWD, path, 16 << 20, &data, &size) < 0)
		return false;
	return memmem(data, size, "(INJECTED)", strlen("(INJECTED)")) != NULL;
}

/* One run with the N-th CALL hit. 1 hit and all holds, 0 not hit any more, -1 something does not hold. */
static int sweep_once(const char *call, const char *what, unsigned n)
{
	char inject[128];
	int first, whole, second;

	shell("rm -rf %s/store %s/spool && cp -a %s/before %s/store && cp -a %s/filled %s/spool", opt_top, opt_top,
	      opt_top, opt_top, opt_top, opt_top);
	snprintf(inject, sizeof(inject), "%s:%s:when=%u", call, what, n);
	opt_inject = inject;
	first = play_import(&imports[1], NULL);
	opt_inject = NULL;
	whole = store_is_whole();
	if (whole < 1 || (first == FAULT_NONE && whole != 2)) {
		printf("# %s: ended %d, store %d\n", inject, first, whole);
		return -1;
	}
	if (first != -2 && !trace_shows_injection())
		return 0;
	/* What was linked has two links until a sweep: the next run brings a spool of its own, as every import does. */
	shell("rm -rf %s/spool && cp -a %s/filled %s/spool", opt_top, opt_top, opt_top);
	second = play_import(&imports[1], NULL);
	if (second != FAULT_NONE && !(whole == 2 && second == FAULT_NO_SUCH)) {
		printf("# %s: the second run ended %d\n", inject, second);
		return -1;
	}
	return store_is_whole() == 2 ? 1 : -1;
}

static int sweep(const char *call, const char *what)
{
	unsigned n = 1;
	int r;

	set_up(NULL);
	fresh();
	fill_spool(&imports[0]);
	if (play_import(&imports[0], NULL) != FAULT_NONE)
		return 2;
	shell("rm -rf %s/spool && mkdir %s/spool && cp -a %s/store %s/before", opt_top, opt_top, opt_top, opt_top);
	fill_spool(&imports[1]);
	shell("cp -a %s/spool %s/filled", opt_top, opt_top);
	while ((r = sweep_once(call, what, n)) > 0)
		n++;
	printf("%u places\n", n - 1);
	tear_down(NULL);
	return r < 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_imports), cmocka_unit_test(test_again),       cmocka_unit_test(test_protocol),
		cmocka_unit_test(test_refused),     cmocka_unit_test(test_not_a_store),
	};
	const char *slash = strstr(argv[0], "/tests/unit/");

	signal(SIGPIPE, SIG_IGN);
	snprintf(opt_worker, sizeof(opt_worker), "%.*s/libexec/clapet/inside-commit",
		 slash == NULL ? 5 : (int)(slash - argv[0]), slash == NULL ? "build" : argv[0]);
	if (argc == 4 && strcmp(argv[1], "sweep") == 0)
		return sweep(argv[2], argv[3]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
