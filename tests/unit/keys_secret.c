/* SPDX-License-Identifier: ISC
 *
 * keys_secret: key files, good and damaged; passphrases; what may be signed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bundle/limits.h"
#include "keys/secret.h"

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

static struct passphrase *cheap(const char *text)
{
	struct passphrase *passphrase = passphrase_new(text, strlen(text));

	passphrase_set_cost(passphrase, 1, 8192);
	return passphrase;
}

static enum fault load(const struct bench *bench, const char *name, struct passphrase *passphrase,
		       struct secret_key **ret_key)
{
	_cleanup_close_ int fd = openat(bench->dir_fd, name, O_RDONLY | O_CLOEXEC);
	struct refusal why;

	assert_true(fd >= 0);
	return secret_key_load(fd, name, passphrase, ret_key, &why);
}

static void test_saves_and_loads(void **state)
{
	struct bench *bench = *state;
	_cleanup_(secret_key_freep) struct secret_key *key = secret_key_generate();
	_cleanup_(secret_key_freep) struct secret_key *open_key = NULL;
	_cleanup_(secret_key_freep) struct secret_key *boxed_key = NULL;
	_cleanup_(passphrase_freep) struct passphrase *passphrase = cheap("correct horse");
	static const uint8_t bytes[] = "{\"_type\":\"x\"}";
	uint8_t signature[TUF_SIGNATURE_SIZE];
	struct stat st;

	assert_int_equal(secret_key_save(bench->dir_fd, "open.key", key, NULL), 0);
	assert_int_equal(secret_key_save(bench->dir_fd, "boxed.key", key, passphrase), 0);
	assert_int_equal(fstatat(bench->dir_fd, "boxed.key", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	assert_int_equal(load(bench, "open.key", NULL, &open_key), FAULT_NONE);
	assert_int_equal(load(bench, "boxed.key", passphrase, &boxed_key), FAULT_NONE);
	assert_string_equal(secret_key_public(open_key)->keyid, secret_key_public(key)->keyid);
	secret_key_sign(boxed_key, bytes, sizeof(bytes) - 1, signature);
	assert_true(tuf_key_verify(secret_key_public(key), bytes, sizeof(bytes) - 1, signature));
	signature[5] ^= 1;
	assert_false(tuf_key_verify(secret_key_public(key), bytes, sizeof(bytes) - 1, signature));
}

/* The seed of an encrypted key is nowhere in its file. */
static void test_encrypted_is_not_open(void **state)
{
	struct bench *bench = *state;
	_cleanup_(secret_key_freep) struct secret_key *key = secret_key_generate();
	_cleanup_(passphrase_freep) struct passphrase *passphrase = cheap("correct horse");
	_cleanup_free_ uint8_t *open_data = NULL;
	_cleanup_free_ uint8_t *boxed_data = NULL;
	size_t open_size, boxed_size;
	char seed[65];

	assert_int_equal(secret_key_save(bench->dir_fd, "open.key", key, NULL), 0);
	assert_int_equal(secret_key_save(bench->dir_fd, "boxed.key", key, passphrase), 0);
	assert_int_equal(fd_load_file(bench->dir_fd, "open.key", 4096, &open_data, &open_size), 0);
	assert_int_equal(fd_load_file(bench->dir_fd, "boxed.key", 4096, &boxed_data, &boxed_size), 0);
	memcpy(seed, strstr((char *)open_data, "\"secret\": \"") + 11, 64);
	seed[64] = '\0';
	assert_non_null(strstr((char *)open_data, seed));
	assert_null(strstr((char *)boxed_data, seed));
	assert_null(strstr((char *)boxed_data, "correct horse"));
}

static void test_passphrases(void **state)
{
	struct bench *bench = *state;
	_cleanup_(secret_key_freep) struct secret_key *key = secret_key_generate();
	_cleanup_(passphrase_freep) struct passphrase *right = cheap("right");
	_cleanup_(passphrase_freep) struct passphrase *wrong = cheap("wrong");
	struct secret_key *none = NULL;

	assert_int_equal(secret_key_save(bench->dir_fd, "a.key", key, right), 0);
	assert_int_equal(load(bench, "a.key", wrong, &none), FAULT_KEY_PASSPHRASE);
	assert_int_equal(load(bench, "a.key", NULL, &none), FAULT_KEY_PASSPHRASE);
	assert_null(none);
}

static void test_modes(void **state)
{
	static const mode_t bad[] = {0440, 0404, 0410, 0402, 0644, 0460};
	struct bench *bench = *state;
	_cleanup_(secret_key_freep) struct secret_key *key = secret_key_generate();
	struct secret_key *none = NULL;

	assert_int_equal(secret_key_save(bench->dir_fd, "a.key", key, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(fchmodat(bench->dir_fd, "a.key", bad[i], 0), 0);
		assert_int_equal(load(bench, "a.key", NULL, &none), FAULT_KEY_MODE);
	}
	assert_int_equal(fchmodat(bench->dir_fd, "a.key", 0600, 0), 0);
	assert_int_equal(load(bench, "a.key", NULL, &none), FAULT_NONE);
	secret_key_free(none);
}

static void test_never_overwrites(void **state)
{
	struct bench *bench = *state;
	_cleanup_(secret_key_freep) struct secret_key *key = secret_key_generate();
	_cleanup_(secret_key_freep) struct secret_key *other = secret_key_generate();
	_cleanup_(secret_key_freep) struct secret_key *found = NULL;

	assert_int_equal(secret_key_save(bench->dir_fd, "a.key", key, NULL), 0);
	assert_int_equal(secret_key_save(bench->dir_fd, "a.key", other, NULL), -EEXIST);
	assert_int_equal(load(bench, "a.key", NULL, &found), FAULT_NONE);
	assert_string_equal(secret_key_public(found)->keyid, secret_key_public(key)->keyid);
	assert_false(fd_exists(bench->dir_fd, ".a.key.tmp"));
}

/* The file of KEY, with FROM replaced by TO. */
static enum fault parse_damaged(const uint8_t *data, const char *from, const char *to, struct passphrase *passphrase)
{
	const char *at = strstr((const char *)data, from);
	_cleanup_free_ char *text = NULL;
	struct secret_key *none = NULL;
	struct refusal why = {.fault = FAULT_NONE};
	enum fault fault;

	assert_non_null(at);
	assert_true(asprintf(&text, "%.*s%s%s", (int)(at - (const char *)data), (const char *)data, to,
			     at + strlen(from)) > 0);
	fault = secret_key_parse(text, strlen(text), "a.key", passphrase, &none, &why);
	assert_int_equal(fault, why.fault);
	assert_null(none);
	return fault;
}

static void test_closed_world(void **state)
{
	static const struct {
		const char *from, *to;
		enum fault fault;
	} damages[] = {
		{"\"format\"", "\"colour\": 1, \"format\"", FAULT_KEY_FORM},
		{"\"format\"", "\"format\": \"clapet key 1\", \"format\"", FAULT_KEY_FORM},
		{"clapet key 1", "clapet key 2", FAULT_JSON_FORMAT},
		{"clapet key 1", "clapet door 1", FAULT_JSON_FORMAT},
		{"\"keytype\"", "\"x\": 1, \"keytype\"", FAULT_KEY_FORM},
		{"\"keytype\": \"ed25519\"", "\"keytype\": \"rsa\"", FAULT_KEY_FORM},
		{"\"public\": {", "\"private\": {", FAULT_KEY_FORM},
		{"\"encryption\"", "\"Encryption\"", FAULT_KEY_FORM},
		{"\"kdf\": \"argon2id\"", "\"kdf\": \"scrypt\"", FAULT_KEY_FORM},
		{"\"opslimit\": 1", "\"opslimit\": 0", FAULT_KEY_FORM},
		{"\"opslimit\": 1", "\"opslimit\": 17", FAULT_KEY_FORM},
		{"\"opslimit\": 1", "\"opslimit\": 1.0", FAULT_KEY_FORM},
		{"\"opslimit\": 1", "\"opslimit\": 4294967297", FAULT_KEY_FORM},
		{"\"memlimit\": 8192", "\"memlimit\": 8191", FAULT_KEY_FORM},
		{"\"memlimit\": 8192", "\"memlimit\": 1073741825", FAULT_KEY_FORM},
		{"\"memlimit\": 8192", "\"memlimit\": 4611686018427387904", FAULT_KEY_FORM},
		{"\"memlimit\": 8192", "\"memlimit\": -8192", FAULT_KEY_FORM},
		{"\"memlimit\": 8192", "\"memlimit\": 8192, \"threads\": 4", FAULT_KEY_FORM},
		{"\"salt\": \"", "\"salt\": \"00", FAULT_KEY_FORM},
		{"\"nonce\": \"", "\"nonce\": \"zz", FAULT_KEY_FORM},
		{"\"secret\": \"", "\"secret\": \"0", FAULT_KEY_FORM},
		{"\"memlimit\": 8192", "\"memlimit\": 16384", FAULT_KEY_PASSPHRASE},
	};
	struct bench *bench = *state;
	_cleanup_(secret_key_freep) struct secret_key *key = secret_key_generate();
	_cleanup_(passphrase_freep) struct passphrase *passphrase = cheap("p");
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;

	assert_int_equal(secret_key_save(bench->dir_fd, "a.key", key, passphrase), 0);
	assert_int_equal(fd_load_file(bench->dir_fd, "a.key", LIMIT_KEY_FILE_SIZE, &data, &size), 0);
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++)
		if (parse_damaged(data, damages[i].from, damages[i].to, passphrase) != damages[i].fault)
			fail_msg("%s -> %s", damages[i].from, damages[i].to);
	/* Cut anywhere, it is no key. */
	for (size_t cut = 0; cut + 2 < size; cut++) {
		struct secret_key *none = NULL;
		struct refusal why;

		assert_int_equal(secret_key_parse(data, cut, "a.key", passphrase, &none, &why), FAULT_KEY_FORM);
	}
}

/* Another key's public half in front of a secret: neither half is believed. */
static void test_halves_must_match(void **state)
{
	struct bench *bench = *state;
	_cleanup_(secret_key_freep) struct secret_key *key = secret_key_generate();
	_cleanup_(secret_key_freep) struct secret_key *other = secret_key_generate();
	_cleanup_free_ uint8_t *data = NULL;
	char mine[65], theirs[65];
	size_t size;

	assert_int_equal(secret_key_save(bench->dir_fd, "a.key", key, NULL), 0);
	assert_int_equal(fd_load_file(bench->dir_fd, "a.key", LIMIT_KEY_FILE_SIZE, &data, &size), 0);
	for (size_t i = 0; i < 32; i++) {
		sprintf(mine + 2 * i, "%02x", secret_key_public(key)->public_key[i]);
		sprintf(theirs + 2 * i, "%02x", secret_key_public(other)->public_key[i]);
	}
	assert_int_equal(parse_damaged(data, mine, theirs, NULL), FAULT_KEY_FORM);
}

static enum fault read_passphrase(const void *bytes, size_t size)
{
	_cleanup_close_ int fd = fd_memory("passphrase", bytes, size);
	_cleanup_(passphrase_freep) struct passphrase *passphrase = NULL;
	struct refusal why;

	assert_true(fd >= 0);
	return passphrase_read(fd, "test", &passphrase, &why);
}

static void test_reads_one_line(void **state)
{
	char longest[LIMIT_PASSPHRASE_SIZE + 2];

	(void)state;
	assert_int_equal(read_passphrase("é secret", 9), FAULT_NONE);
	assert_int_equal(read_passphrase("secret\n", 7), FAULT_NONE);
	assert_int_equal(read_passphrase("", 0), FAULT_KEY_PASSPHRASE);
	assert_int_equal(read_passphrase("\n", 1), FAULT_KEY_PASSPHRASE);
	assert_int_equal(read_passphrase("two\nlines\n", 10), FAULT_KEY_PASSPHRASE);
	assert_int_equal(read_passphrase("nul\0nul", 7), FAULT_KEY_PASSPHRASE);
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(read_passphrase(longest, LIMIT_PASSPHRASE_SIZE), FAULT_NONE);
	assert_int_equal(read_passphrase(longest, LIMIT_PASSPHRASE_SIZE + 1), FAULT_KEY_PASSPHRASE);
	longest[LIMIT_PASSPHRASE_SIZE] = '\n';
	assert_int_equal(read_passphrase(longest, LIMIT_PASSPHRASE_SIZE + 1), FAULT_NONE);
}

/* "secret\n" and "secret" are the same passphrase; one key opened, its neighbours are written under the same salt. */
static void test_adopts_the_salt(void **state)
{
	struct bench *bench = *state;
	_cleanup_(secret_key_freep) struct secret_key *key = secret_key_generate();
	_cleanup_(secret_key_freep) struct secret_key *found = NULL;
	_cleanup_(passphrase_freep) struct passphrase *first = cheap("secret");
	_cleanup_(passphrase_freep) struct passphrase *second = NULL;
	_cleanup_close_ int fd = fd_memory("passphrase", "secret\n", 7);
	struct refusal why;

	assert_int_equal(passphrase_read(fd, "test", &second, &why), FAULT_NONE);
	assert_int_equal(secret_key_save(bench->dir_fd, "a.key", key, first), 0);
	assert_int_equal(load(bench, "a.key", second, &found), FAULT_NONE);
	assert_memory_equal(passphrase_kdf(second)->salt, passphrase_kdf(first)->salt, PASSPHRASE_SALT_SIZE);
	assert_int_equal(passphrase_kdf(second)->memory, 8192);
}

/* Whatever does not begin as a `signed` part ends the process instead of being signed. */
static void test_signs_metadata_alone(void **state)
{
	_cleanup_(secret_key_freep) struct secret_key *key = secret_key_generate();
	uint8_t signature[TUF_SIGNATURE_SIZE];
	int status;
	pid_t pid;

	(void)state;
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(STDERR_FILENO);
		secret_key_sign(key, (const uint8_t *)"DSSEv1 28 application", 21, signature);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 2);
}

static void test_is_closed_to_debuggers(void **state)
{
	(void)state;
	assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_saves_and_loads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_encrypted_is_not_open, setup, teardown),
		cmocka_unit_test_setup_teardown(test_passphrases, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_never_overwrites, setup, teardown),
		cmocka_unit_test_setup_teardown(test_closed_world, setup, teardown),
		cmocka_unit_test_setup_teardown(test_halves_must_match, setup, teardown),
		cmocka_unit_test(test_reads_one_line),
		cmocka_unit_test_setup_teardown(test_adopts_the_salt, setup, teardown),
		cmocka_unit_test(test_signs_metadata_alone),
		cmocka_unit_test(test_is_closed_to_debuggers),
	};

	secret_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
