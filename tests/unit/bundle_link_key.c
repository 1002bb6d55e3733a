/* SPDX-License-Identifier: ISC
 *
 * A link's key: its file is one form alone, its MACs are those of XChaCha20 and Poly1305 as libsodium has them, and no packet passes that
 * was changed in any bit.
 */
#include "bundle/link_key.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "tests/random.h"

/* Of 32 bytes 0 to 31, with the id that sha256sum says. */
#define GOOD_KEY                                                                                                       \
	"{\"format\": \"clapet link key 1\", \"id\": \"%s\", "                                                         \
	"\"key\": \"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"}\n"

static char folder[] = "/tmp/clapet-link-key-XXXXXX";
static int folder_fd = -1;

static int setup(void **state)
{
	(void)state;
	link_key_init();
	if (mkdtemp(folder) == NULL)
		return -1;
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return folder_fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	close(folder_fd);
	return fd_remove_tree(AT_FDCWD, folder);
}

/* The text of the key of bytes 0 to 31. */
static const char *good_text(void)
{
	static char text[256];
	uint8_t message[17 + 32] = "clapet link id 1\n";
	uint8_t digest[crypto_hash_sha256_BYTES];
	char id[LINK_ID_HEX_SIZE];

	for (unsigned i = 0; i < 32; i++)
		message[17 + i] = (uint8_t)i;
	crypto_hash_sha256(digest, message, sizeof(message));
	sodium_bin2hex(id, sizeof(id), digest, LINK_ID_SIZE);
	snprintf(text, sizeof(text), GOOD_KEY, id);
	return text;
}

static enum fault load_text(const char *text, size_t size, mode_t mode, struct link_key **ret_key, struct refusal *why)
{
	_cleanup_close_ int fd = -1;

	assert_int_equal(fd_put_durable(folder_fd, "text", text, size, mode), 0);
	fd = openat(folder_fd, "text", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return link_key_load(fd, "text", ret_key, why);
}

static struct link_key *good_key(void)
{
	struct link_key *key = NULL;
	struct refusal why;

	assert_int_equal(load_text(good_text(), strlen(good_text()), 0600, &key, &why), FAULT_NONE);
	return key;
}

static void test_file(void **state)
{
	_cleanup_(link_key_freep) struct link_key *key = link_key_generate();
	_cleanup_(link_key_freep) struct link_key *again = NULL;
	_cleanup_free_ uint8_t *text = NULL;
	uint8_t id[LINK_ID_SIZE], id_again[LINK_ID_SIZE];
	size_t size = 0;
	struct refusal why;
	struct stat st;
	char path[64];

	(void)state;
	assert_int_equal(link_key_save(folder_fd, "key", key), 0);
	assert_int_equal(link_key_save(folder_fd, "key", key), -EEXIST);
	assert_int_equal(fstatat(folder_fd, "key", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(fd_load_file(folder_fd, "key", 1024, &text, &size), 0);
	assert_int_equal(size, LINK_KEY_TEXT_SIZE);
	snprintf(path, sizeof(path), "%s/key", folder);
	assert_int_equal(link_key_load_path(path, &again, &why), FAULT_NONE);
	link_key_id(key, id);
	link_key_id(again, id_again);
	assert_memory_equal(id, id_again, sizeof(id));
	snprintf(path, sizeof(path), "%s/none", folder);
	assert_int_equal(link_key_load_path(path, &again, &why), FAULT_FILE);
	assert_int_equal(symlinkat("key", folder_fd, "link"), 0);
	snprintf(path, sizeof(path), "%s/link", folder);
	assert_int_equal(link_key_load_path(path, &again, &why), FAULT_FILE);
	assert_int_equal(link_key_load_path(folder, &again, &why), FAULT_FILE);
}

/* The good text with any one byte changed, any one left out, or one added, is no key. */
static void test_form(void **state)
{
	const char *good = good_text();
	const size_t size = strlen(good);
	struct link_key *key = NULL;
	struct refusal why;
	char text[300];

	(void)state;
	key = good_key();
	link_key_free(key);
	for (size_t i = 0; i < size; i++) {
		memcpy(text, good, size);
		text[i] ^= 1;
		assert_int_equal(load_text(text, size, 0600, &key, &why), FAULT_LINK_KEY);
		assert_int_equal(why.fault, FAULT_LINK_KEY);
		memcpy(text + i, good + i + 1, size - i - 1);
		assert_int_equal(load_text(text, size - 1, 0600, &key, &why), FAULT_LINK_KEY);
	}
	memcpy(text, good, size);
	for (size_t i = 0; i < size; i++) {
		if (text[i] >= 'a' && text[i] <= 'f')
			text[i] = (char)(text[i] - 'a' + 'A');
	}
	assert_int_equal(load_text(text, size, 0600, &key, &why), FAULT_LINK_KEY);
	memcpy(text, good, size);
	text[size] = '\n';
	assert_int_equal(load_text(text, size + 1, 0600, &key, &why), FAULT_LINK_KEY);
	assert_int_equal(load_text("", 0, 0600, &key, &why), FAULT_LINK_KEY);
	assert_int_equal(load_text(good, size, 0640, &key, &why), FAULT_KEY_MODE);
	assert_int_equal(load_text(good, size, 0604, &key, &why), FAULT_KEY_MODE);
}

/* The MAC of FORMAT.md 29.4 from libsodium's XChaCha20, which knows nothing of sessions and runs. */
static void plain_mac(const uint8_t *session, uint64_t sequence, const uint8_t *packet, size_t size, uint8_t *mac)
{
	uint8_t key[32], nonce[24] = {0}, once[32] = {0};
	uint8_t block[64] = {0};

	for (unsigned i = 0; i < 32; i++)
		key[i] = (uint8_t)i;
	memcpy(nonce, session, LINK_SESSION_SIZE);
	crypto_stream_xchacha20_xor_ic(block, block, sizeof(block), nonce, sequence / 2, key);
	memcpy(once, block + sequence % 2 * 32, sizeof(once));
	crypto_onetimeauth_poly1305(mac, packet, size, once);
}

static void test_macs(void **state)
{
	_cleanup_(link_key_freep) struct link_key *key = good_key();
	uint8_t name[LINK_SESSION_SIZE], packet[1600];
	uint64_t seed = 5, sequence = 0;
	struct link_session *sender, *receiver;

	(void)state;
	link_session_random(name);
	sender = link_session_new(key, name);
	receiver = link_session_new(key, name);
	for (unsigned i = 0; i < 3000; i++) {
		const size_t size = 1 + random_below(&seed, 1500);
		uint8_t mac[LINK_MAC_SIZE];

		/* In order, in leaps, back again, and at the end of all sequences. */
		if (i % 100 == 99)
			sequence = i % 700 == 699 ? LIMIT_LINK_SEQUENCE - 100 : random_below(&seed, 1U << 30);
		sequence += i % 10 == 9 ? 70 : 1;
		if (i % 13 == 12 && sequence > 100)
			sequence -= random_below(&seed, 100);
		for (size_t j = 0; j < size; j += 7)
			packet[j] = (uint8_t)random_next(&seed);
		plain_mac(name, sequence, packet, size, mac);
		link_seal(sender, sequence, packet, size);
		assert_memory_equal(packet + size, mac, sizeof(mac));
		assert_true(link_open(receiver, sequence, packet, size + LINK_MAC_SIZE));
		assert_false(link_open(receiver, sequence + 1, packet, size + LINK_MAC_SIZE));
		packet[random_below(&seed, size + LINK_MAC_SIZE)] ^= (uint8_t)(1 << random_below(&seed, 8));
		assert_false(link_open(receiver, sequence, packet, size + LINK_MAC_SIZE));
	}
	link_session_free(sender);
	link_session_free(receiver);
}

/* Another session, and another key, of the same sequence. */
static void test_apart(void **state)
{
	_cleanup_(link_key_freep) struct link_key *key = good_key();
	_cleanup_(link_key_freep) struct link_key *other_key = link_key_generate();
	uint8_t name[LINK_SESSION_SIZE] = {1}, other_name[LINK_SESSION_SIZE] = {2};
	_cleanup_(link_session_freep) struct link_session *session = link_session_new(key, name);
	_cleanup_(link_session_freep) struct link_session *other_session = link_session_new(key, other_name);
	_cleanup_(link_session_freep) struct link_session *stranger = link_session_new(other_key, name);
	uint8_t packet[100] = {0};

	(void)state;
	link_seal(session, 7, packet, 80);
	assert_true(link_open(session, 7, packet, 96));
	assert_false(link_open(other_session, 7, packet, 96));
	assert_false(link_open(stranger, 7, packet, 96));
	assert_false(link_open(session, 7, packet, 95));
	link_session_random(name);
	link_session_random(other_name);
	assert_memory_not_equal(name, other_name, sizeof(name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_macs),
		cmocka_unit_test(test_apart),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
