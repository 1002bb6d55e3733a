/* SPDX-License-Identifier: ISC
 *
 * keys_secret_memory: where secrets are while a process holds them. A child loads (or makes) a key, then reads all of its own memory:
 * seed, hex and passphrase may be found only in mappings that are locked and left out of core dumps; and in a core that it
 * leaves, not at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <seccomp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "keys/secret.h"

#define MASK 0x5a
#define CHUNK ((size_t)1 << 20)
#define PATTERN_MAX 64
#define HITS_MAX 64

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true /* its mlock does nothing, its own memory has no end, and it leaves no cores */
#else
#define SANITIZED false
#endif

/* What is looked for, never in the clear: each byte is MASKed, so that the search does not find itself. */
struct pattern {
	uint8_t bytes[PATTERN_MAX];
	size_t size;
};

struct bench {
	char folder[64];
	int dir_fd;
};

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	strcpy(bench->folder, "/tmp/clapet-unit.XXXXXX");
	assert_non_null(mkdtemp(bench->folder));
	bench->dir_fd = open(bench->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	close(bench->dir_fd);
	fd_remove_tree(AT_FDCWD, bench->folder);
	free(bench);
	return 0;
}

/* The 64 digits of "secret" in the key file, MASKed byte by byte. */
static struct pattern hex_of(int dir_fd, const char *name)
{
	static const char before[] = "\"secret\": \"";
	_cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	struct pattern pattern = {.size = 64};
	volatile uint8_t byte;
	size_t matched = 0;

	while (matched < sizeof(before) - 1) {
		if (read(fd, (void *)&byte, 1) != 1)
			_exit(90);
		matched = byte == (uint8_t)before[matched] ? matched + 1 : byte == '"';
	}
	for (size_t i = 0; i < 64; i++) {
		if (read(fd, (void *)&byte, 1) != 1)
			_exit(91);
		pattern.bytes[i] = byte ^ MASK;
	}
	byte = 0;
	return pattern;
}

static uint8_t digit(uint8_t masked)
{
	uint8_t c = masked ^ MASK;

	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static struct pattern seed_of(const struct pattern *hex)
{
	struct pattern pattern = {.size = 32};

	for (size_t i = 0; i < 32; i++)
		pattern.bytes[i] = (uint8_t)(digit(hex->bytes[2 * i]) << 4 | digit(hex->bytes[2 * i + 1])) ^ MASK;
	return pattern;
}

static size_t find(const uint8_t *data, size_t size, const struct pattern *pattern, size_t from)
{
	for (size_t at = from; at + pattern->size <= size; at++) {
		size_t i = 0;

		while (i < pattern->size && (data[at + i] ^ MASK) == pattern->bytes[i])
			i++;
		if (i == pattern->size)
			return at;
	}
	return SIZE_MAX;
}

/* Whether the mapping that holds ADDRESS has FLAG among its VmFlags. */
static bool has_flag(uint64_t address, const char *flag)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/self/smaps", "re");
	char line[512];
	uint64_t start, end;
	bool is_here = false;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &start, &end) == 2 && strchr(line, ':') != line)
			is_here = address >= start && address < end;
		if (is_here && strncmp(line, "VmFlags:", 8) == 0)
			return strstr(line, flag) != NULL;
	}
	return false;
}

/* Adds the places in [START, END) to HITS; BUFFER is not searched. */
static size_t search_mapping(int mem_fd, uint64_t start, uint64_t end, uint8_t *buffer, const struct pattern *pattern,
			     uint64_t *hits, size_t n)
{
	for (uint64_t at = start; at < end; at += CHUNK - PATTERN_MAX) {
		size_t wanted = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
		ssize_t got = pread(mem_fd, buffer, wanted, (off_t)at);
		size_t place = 0;

		if (got <= 0)
			break;
		while (n < HITS_MAX && (place = find(buffer, (size_t)got, pattern, place)) != SIZE_MAX)
			hits[n++] = at + place++;
		if (wanted < CHUNK)
			break;
	}
	return n;
}

/* Everywhere in this process. */
static size_t search(const struct pattern *pattern, uint64_t hits[HITS_MAX])
{
	_cleanup_close_ int mem_fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	_cleanup_fclose_ FILE *maps = fopen("/proc/self/maps", "re");
	uint8_t *buffer = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char line[512], rights[5];
	uint64_t start, end;
	size_t n = 0;

	if (mem_fd < 0 || maps == NULL || buffer == MAP_FAILED)
		_exit(92);
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &start, &end, rights) != 3 || rights[0] != 'r' ||
		    rights[1] != 'w' || (uint64_t)(uintptr_t)buffer >= end || (uint64_t)(uintptr_t)buffer < start)
			if (rights[0] == 'r' && rights[1] == 'w')
				n = search_mapping(mem_fd, start, end, buffer, pattern, hits, n);
	}
	munmap(buffer, CHUNK);
	return n;
}

static bool can_lock(void)
{
	struct rlimit limit;

	return !SANITIZED && getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && (limit.rlim_cur >= MIB || geteuid() == 0);
}

/* How many times PATTERN is in memory; ends the child where one of them may be swapped or dumped. */
static size_t demand_locked(const struct pattern *pattern, int failure)
{
	uint64_t hits[HITS_MAX];
	size_t n = search(pattern, hits);

	for (size_t i = 0; i < n; i++)
		if (!has_flag(hits[i], " dd") || (can_lock() && !has_flag(hits[i], " lo"))) {
			fprintf(stderr, "# a secret lies open at %" PRIx64 "\n", hits[i]);
			_exit(failure);
		}
	return n;
}

static void in_child(void (*body)(const struct bench *bench), const struct bench *bench)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		secret_init();
		body(bench);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static struct secret_key *load(const struct bench *bench, const char *name, struct passphrase *passphrase)
{
	_cleanup_close_ int fd = openat(bench->dir_fd, name, O_RDONLY | O_CLOEXEC);
	struct secret_key *key = NULL;
	struct refusal why;

	if (fd < 0 || secret_key_load(fd, name, passphrase, &key, &why) != FAULT_NONE)
		_exit(93);
	return key;
}

static void make(const struct bench *bench)
{
	struct secret_key *key = secret_key_generate();

	if (secret_key_save(bench->dir_fd, "open.key", key, NULL) < 0)
		_exit(94);
	prctl(PR_SET_DUMPABLE, 1); /* to look at ourselves: nothing else undoes what secret_init did */
	struct pattern hex = hex_of(bench->dir_fd, "open.key");
	struct pattern seed = seed_of(&hex);

	if (demand_locked(&seed, 1) == 0 || demand_locked(&hex, 2) != 0)
		_exit(3);
	secret_key_free(key);
	if (demand_locked(&seed, 4) != 0)
		_exit(5);
}

static void use(const struct bench *bench)
{
	static const uint8_t bytes[] = "{\"_type\":\"x\"}";
	uint8_t signature[TUF_SIGNATURE_SIZE];
	struct secret_key *key = load(bench, "open.key", NULL);
	struct secret_about about;
	uint8_t *data;
	size_t size;
	int fd;

	secret_key_sign(key, bytes, sizeof(bytes) - 1, signature);
	fd = openat(bench->dir_fd, "open.key", O_RDONLY | O_CLOEXEC);
	if (secret_key_about_fd(fd, "open.key", &about, NULL) != FAULT_NONE || lseek(fd, 0, SEEK_SET) < 0 ||
	    secret_load_blanked(fd, LIMIT_KEY_FILE_SIZE, &data, &size) < 0 ||
	    secret_key_about(data, size, "open.key", &about, NULL) != FAULT_NONE)
		_exit(94);
	prctl(PR_SET_DUMPABLE, 1);
	struct pattern hex = hex_of(bench->dir_fd, "open.key");
	struct pattern seed = seed_of(&hex);

	if (demand_locked(&seed, 1) == 0 || demand_locked(&hex, 2) != 0)
		_exit(3);
	secret_key_free(key);
}

static const char passphrase_text[] = "KNOW_all_the_words_of_this"; /* in read-only memory, which is not searched */

static void encrypted(const struct bench *bench)
{
	struct pattern pattern = {.size = sizeof(passphrase_text) - 1};
	struct passphrase *passphrase = NULL;
	int pipe_fds[2];
	struct refusal why;

	if (pipe(pipe_fds) < 0 || write(pipe_fds[1], passphrase_text, pattern.size) != (ssize_t)pattern.size)
		_exit(94);
	close(pipe_fds[1]);
	if (passphrase_read(pipe_fds[0], "pipe", &passphrase, &why) != FAULT_NONE)
		_exit(95);
	passphrase_set_cost(passphrase, 1, 8192);
	struct secret_key *key = secret_key_generate();
	if (secret_key_save(bench->dir_fd, "boxed.key", key, passphrase) < 0)
		_exit(96);
	secret_key_free(key);
	key = load(bench, "boxed.key", passphrase);
	prctl(PR_SET_DUMPABLE, 1);
	for (size_t i = 0; i < pattern.size; i++)
		pattern.bytes[i] = (uint8_t)passphrase_text[i] ^ MASK;
	if (demand_locked(&pattern, 1) == 0)
		_exit(2);
	secret_key_free(key);
	passphrase_free(passphrase);
	if (demand_locked(&pattern, 3) != 0)
		_exit(4);
}

/* That the search finds what lies open: a copy in ordinary memory. */
static void careless(const struct bench *bench)
{
	struct secret_key *key = load(bench, "open.key", NULL);
	_cleanup_free_ uint8_t *data = NULL;
	uint64_t hits[HITS_MAX];
	size_t size;

	prctl(PR_SET_DUMPABLE, 1);
	if (fd_load_file(bench->dir_fd, "open.key", 4096, &data, &size) < 0)
		_exit(94);
	struct pattern hex = hex_of(bench->dir_fd, "open.key");

	if (search(&hex, hits) != 1 || has_flag(hits[0], " dd"))
		_exit(1);
	secret_key_free(key);
}

static void test_memory(void **state)
{
	if (SANITIZED) {
		print_message("# under a sanitizer: not looked at\n");
		return;
	}
	in_child(make, *state);
	in_child(use, *state);
	in_child(encrypted, *state);
	in_child(careless, *state);
}

static void test_no_core_and_no_debugger(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		struct rlimit limit;

		secret_init();
		if (getrlimit(RLIMIT_CORE, &limit) < 0 || limit.rlim_cur != 0 || limit.rlim_max != 0)
			_exit(1);
		_exit(prctl(PR_GET_DUMPABLE) == 0 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* As in a unit with LimitCORE=0 that takes the calls of limits away: what they would do is done. */
static void test_unit_that_set_the_limit(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		const struct rlimit none = {0, 0};
		scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

		if (setrlimit(RLIMIT_CORE, &none) < 0 || filter == NULL ||
		    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(setrlimit), 0) < 0 ||
		    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prlimit64), 0) < 0 ||
		    seccomp_load(filter) < 0)
			_exit(95);
		secret_init();
		_exit(prctl(PR_GET_DUMPABLE) == 0 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* --- a core all the same --- */

static bool cores_land_here(void)
{
	_cleanup_close_ int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY | O_CLOEXEC);
	char text[128];
	ssize_t size = fd < 0 ? -1 : fd_read_up_to(fd, text, sizeof(text) - 1);

	return !SANITIZED && size > 0 && text[0] != '|' && memchr(text, '/', (size_t)size) == NULL;
}

static int is_core(const struct dirent *entry)
{
	return strncmp(entry->d_name, "core", 4) == 0;
}

/* Without secret_init, which would forbid the core: the memory alone must keep the secret out of it. */
static void die_with_core(const struct bench *bench)
{
	struct rlimit limit;
	char *marker = strdup("this_is_ordinary_memory_of_the_test");

	json_init();
	if (sodium_init() < 0 || load(bench, "open.key", NULL) == NULL || marker == NULL || chdir(bench->folder) < 0 ||
	    getrlimit(RLIMIT_CORE, &limit) < 0)
		_exit(94);
	limit.rlim_cur = limit.rlim_max;
	if (limit.rlim_max == 0 || setrlimit(RLIMIT_CORE, &limit) < 0)
		_exit(77);
	abort();
}

/* The core that a process with the key left in the folder; -1: this machine keeps none. */
static int leave_core(const struct bench *bench)
{
	struct dirent **found = NULL;
	int status, n, fd = -1;
	pid_t pid = fork();

	if (pid == 0)
		die_with_core(bench);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 77);
	n = scandir(bench->folder, &found, is_core, NULL);
	if (n > 0)
		fd = openat(bench->dir_fd, found[0]->d_name, O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < n; i++)
		free(found[i]);
	free(found);
	return fd;
}

static void test_core_holds_no_seed(void **state)
{
	const struct bench *bench = *state;
	_cleanup_free_ uint8_t *core = NULL;
	_cleanup_close_ int fd = -1;
	struct pattern hex, seed;
	size_t size;

	if (!SANITIZED)
		in_child(make, bench);
	fd = cores_land_here() ? leave_core(bench) : -1;
	if (fd < 0) {
		print_message("# no core is kept here: not looked at\n");
		return;
	}
	assert_int_equal(fd_load(fd, (size_t)1 << 30, &core, &size), 0);
	hex = hex_of(bench->dir_fd, "open.key");
	seed = seed_of(&hex);
	assert_non_null(memmem(core, size, "this_is_ordinary_memory_of_the_test", 35));
	assert_int_equal(find(core, size, &seed, 0), SIZE_MAX);
	assert_int_equal(find(core, size, &hex, 0), SIZE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
		cmocka_unit_test(test_no_core_and_no_debugger),
		cmocka_unit_test(test_unit_that_set_the_limit),
		cmocka_unit_test_setup_teardown(test_core_holds_no_seed, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
