/* SPDX-License-Identifier: ISC
 *
 * keys_note: verifier keys, checkpoints and their signatures: public vectors, and everything that must be refused.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "keys/note.h"

/* The example keys of Go's note package, both halves. */
#define GO_VERIFIER "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define GO_SIGNER "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n"

static char opt_top[256];

static int write_key(const char *text, mode_t mode)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/key", opt_top);
	unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0);
	assert_true(fchmod(fd, mode) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static struct note_signer *go_signer(void)
{
	struct note_signer *signer = NULL;
	_cleanup_close_ int fd = write_key(GO_SIGNER, 0400);

	assert_int_equal(note_signer_load(fd, "key", &signer, NULL), FAULT_NONE);
	return signer;
}

static void test_verifier(void **state)
{
	char text[NOTE_VERIFIER_TEXT_SIZE];
	struct note_verifier verifier;

	(void)state;
	assert_int_equal(note_verifier_parse(GO_VERIFIER, &verifier, NULL), FAULT_NONE);
	assert_string_equal(verifier.name, "PeterNeumann");
	assert_int_equal(verifier.id, 0xc74f20a3);
	note_verifier_format(&verifier, text);
	assert_string_equal(text, GO_VERIFIER);
	/* The Go checksum database's, in every Go tool. */
	assert_int_equal(note_verifier_parse("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
					     &verifier, NULL),
			 FAULT_NONE);
}

static void test_verifier_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"PeterNeumann",
		"PeterNeumann+c74f20a3",
		"PeterNeumann+c74f20a3+",
		"+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", /* another hash */
		"PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWAA==",
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n",
		"PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", /* of type 2 */
		"Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"Peter\xe3\x80\x80Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"Peter\xff+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
	};
	struct note_verifier verifier;
	struct refusal why;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (note_verifier_parse(bad[i], &verifier, &why) != FAULT_LOG_KEY)
			fail_msg("passes: %s", bad[i]);
}

static void test_names(void **state)
{
	char name[NOTE_NAME_SIZE + 1];

	(void)state;
	assert_true(note_is_name("clapet-inside/h\xc3\xb4te"));
	assert_false(note_is_name(""));
	assert_false(note_is_name("a b"));
	assert_false(note_is_name("a+b"));
	assert_false(note_is_name("a\xc2\xa0"
				  "b")); /* no-break space */
	assert_false(note_is_name("a\xe2\x80\x83"
				  "b")); /* em space */
	assert_false(note_is_name("a\xe2\x81\x9f"
				  "b"));
	assert_false(note_is_name("a\x7f"));
	memset(name, 'a', sizeof(name));
	name[NOTE_NAME_SIZE - 1] = '\0';
	assert_true(note_is_name(name));
	name[NOTE_NAME_SIZE - 1] = 'a';
	name[NOTE_NAME_SIZE] = '\0';
	assert_false(note_is_name(name));
}

static size_t sign(const char *origin, uint64_t size, char text[CHECKPOINT_TEXT_SIZE])
{
	struct note_signer *signer = go_signer();
	struct checkpoint checkpoint = {.size = size};
	size_t length;

	snprintf(checkpoint.origin, sizeof(checkpoint.origin), "%s", origin);
	memset(checkpoint.root.bytes, 7, SHA256_SIZE);
	length = note_signer_sign(signer, &checkpoint, text);
	note_signer_free(signer);
	return length;
}

static void test_checkpoint(void **state)
{
	char text[CHECKPOINT_TEXT_SIZE];
	size_t size = sign("PeterNeumann", 20852163, text);
	struct note_verifier verifier;
	struct checkpoint checkpoint;

	(void)state;
	assert_int_equal(note_verifier_parse(GO_VERIFIER, &verifier, NULL), FAULT_NONE);
	assert_int_equal(checkpoint_open((const uint8_t *)text, size, &verifier, &checkpoint, NULL), FAULT_NONE);
	assert_string_equal(checkpoint.origin, "PeterNeumann");
	assert_int_equal(checkpoint.size, 20852163);
	assert_int_equal(checkpoint.root.bytes[31], 7);
	assert_ptr_equal(strstr(text, "PeterNeumann\n20852163\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="
				      "\n\n\xe2\x80\x94 PeterNeumann "),
			 text);
}

/* Every byte of it counts, but for its last line feed's neighbours that no reading survives either. */
static void test_flipped(void **state)
{
	char text[CHECKPOINT_TEXT_SIZE];
	size_t size = sign("PeterNeumann", 5, text);
	struct note_verifier verifier;
	struct checkpoint checkpoint;

	(void)state;
	assert_int_equal(note_verifier_parse(GO_VERIFIER, &verifier, NULL), FAULT_NONE);
	for (size_t i = 0; i < size; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			text[i] = (char)(text[i] ^ (1 << bit));
			if (checkpoint_open((const uint8_t *)text, size, &verifier, &checkpoint, NULL) == FAULT_NONE)
				fail_msg("byte %zu, bit %u", i, bit);
			text[i] = (char)(text[i] ^ (1 << bit));
		}
	for (size_t i = 0; i < size; i++)
		assert_int_not_equal(checkpoint_open((const uint8_t *)text, i, &verifier, &checkpoint, NULL),
				     FAULT_NONE);
}

/* Signatures of others are no concern of ours, as long as their lines are lines. */
static void test_other_signatures(void **state)
{
	static const char witness[] = "\xe2\x80\x94 witness.example/w "
				      "AAAAAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
	char text[CHECKPOINT_TEXT_SIZE], both[2 * CHECKPOINT_TEXT_SIZE];
	struct note_verifier verifier;
	struct checkpoint checkpoint;
	struct refusal why;

	(void)state;
	sign("PeterNeumann", 5, text);
	assert_int_equal(note_verifier_parse(GO_VERIFIER, &verifier, NULL), FAULT_NONE);
	snprintf(both, sizeof(both), "%s%s", text, witness);
	assert_int_equal(checkpoint_open((uint8_t *)both, strlen(both), &verifier, &checkpoint, &why), FAULT_NONE);
	snprintf(both, sizeof(both), "%s\xe2\x80\x94 witness no-base64\n", text);
	assert_int_equal(checkpoint_open((uint8_t *)both, strlen(both), &verifier, &checkpoint, &why),
			 FAULT_LOG_CHECKPOINT);
	/* The witness alone is nobody. */
	*strstr(text, "\n\n") = '\0';
	snprintf(both, sizeof(both), "%s\n\n%s", text, witness);
	assert_int_equal(checkpoint_open((uint8_t *)both, strlen(both), &verifier, &checkpoint, &why),
			 FAULT_LOG_CHECKPOINT);
	assert_non_null(strstr(why.line, "did not sign it"));
}

static void test_text_refused(void **state)
{
#define ROOT "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n"
	static const char *const bad[] = {
		"",
		"a",
		"a\n",
		"a\n5\n",
		"a\n5\n" ROOT "\n",
		"\n5\n" ROOT,
		"a b\n5\n" ROOT,
		"a\n05\n" ROOT,
		"a\n-1\n" ROOT,
		"a\n\n" ROOT,
		"a\n5 \n" ROOT,
		"a\n9007199254740992\n" ROOT,
		"a\n99999999999999999999\n" ROOT,
		"a\n5\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwd=\n", /* stray bits */
		"a\n5\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw==\n",
		"a\n5\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH\xff\xff"
		"cHBwc=\n", /* which libsodium decodes */
		"a\n5\n" ROOT "ext",
		"a\n5\n" ROOT "\next\n",
	};
	static const char good[] = "a\n0\n" ROOT "extension\n";
	struct checkpoint checkpoint;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (checkpoint_parse(bad[i], strlen(bad[i]), &checkpoint, NULL) != FAULT_LOG_CHECKPOINT)
			fail_msg("passes: %s", bad[i]);
	assert_int_equal(checkpoint_parse(good, strlen(good), &checkpoint, NULL), FAULT_NONE);
}

static void test_key_file(void **state)
{
	static const char *const bad[] = {
		"",
		"PRIVATE+KEY+\n",
		"PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz",
		"PRIVATE+KEY+PeterNeumann+c74f20a4+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n",
		"PRIVATE+KEY+PaulNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n",
		"PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n\n",
		GO_VERIFIER "\n",
	};
	struct note_signer *signer = NULL, *again = NULL;
	_cleanup_close_ int dir_fd = open(opt_top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct refusal why;
	struct stat st;
	int fd;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fd = write_key(bad[i], 0400);
		assert_int_equal(note_signer_load(fd, "key", &signer, &why), FAULT_LOG_KEY);
		assert_null(strstr(why.line, "AYEK"));
		close(fd);
	}
	for (mode_t bit = 1; bit < 0100; bit <<= 1) {
		fd = write_key(GO_SIGNER, 0400 | bit);
		assert_int_equal(note_signer_load(fd, "key", &signer, &why), FAULT_KEY_MODE);
		close(fd);
	}
	signer = note_signer_generate("clapet-test/key");
	assert_int_equal(note_signer_save(dir_fd, "key", signer), 0);
	fd = openat(dir_fd, "key", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	assert_int_equal(note_signer_load(fd, "key", &again, &why), FAULT_NONE);
	assert_memory_equal(note_signer_public(signer), note_signer_public(again), sizeof(struct note_verifier));
	close(fd);
	note_signer_free(signer);
	note_signer_free(again);
}

static void test_vector(void **state)
{
	struct note_signer *signer = go_signer();
	char text[NOTE_VERIFIER_TEXT_SIZE];

	(void)state;
	note_verifier_format(note_signer_public(signer), text);
	assert_string_equal(text, GO_VERIFIER);
	note_signer_free(signer);
}

/* tests/evil/log: each a good note with one change. */
static void test_evil(void **state)
{
	_cleanup_closedir_ DIR *dir = opendir("tests/evil/log");
	struct note_verifier verifier;
	size_t n = 0;

	(void)state;
	assert_non_null(dir);
	assert_int_equal(note_verifier_parse(GO_VERIFIER, &verifier, NULL), FAULT_NONE);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		_cleanup_free_ uint8_t *data = NULL;
		struct checkpoint checkpoint;
		struct refusal why;
		size_t size;

		if (strstr(entry->d_name, ".note") == NULL)
			continue;
		assert_int_equal(fd_load_file(dirfd(dir), entry->d_name, 1 << 20, &data, &size), 0);
		if (checkpoint_open(data, size, &verifier, &checkpoint, &why) != FAULT_LOG_CHECKPOINT)
			fail_msg("%s passes", entry->d_name);
		n++;
	}
	assert_true(n >= 12);
}

static int set_up(void **state)
{
	const char *folder = getenv("TMPDIR");

	(void)state;
	snprintf(opt_top, sizeof(opt_top), "%s/clapet-note.XXXXXX", folder == NULL ? "/tmp" : folder);
	return sodium_init() < 0 || mkdtemp(opt_top) == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	return fd_remove_tree(AT_FDCWD, opt_top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verifier),
		cmocka_unit_test(test_verifier_refused),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_vector),
		cmocka_unit_test(test_checkpoint),
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_other_signatures),
		cmocka_unit_test(test_text_refused),
		cmocka_unit_test(test_key_file),
		cmocka_unit_test(test_evil),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
