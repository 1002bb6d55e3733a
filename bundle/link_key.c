/* SPDX-License-Identifier: ISC
 *
 * link_key: the file is compared with the one text that its key has, so that nothing parses it. Of a session, runs of one-time keys are made with
 * one call, for packets mostly come in order.
 *
 * Poly1305 is libcrypto's, which has it in the widest registers of each machine: 0.27 us a packet where libsodium takes 0.56. Where
 * libcrypto is set up to have none (FIPS), it is libsodium's.
 */
#include "bundle/link_key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "bundle/limits.h"
#include "bundle/notation.h"

#define KEY_SIZE 32
#define KEY_HEX_SIZE (2 * KEY_SIZE)
#define ID_PREFIX "clapet link id 1\n"

#define TEXT_BEGIN "{\"format\": \"clapet link key 1\", \"id\": \""
#define TEXT_MIDDLE "\", \"key\": \""
#define TEXT_END "\"}\n"
/* Where the key's digits begin. */
#define KEY_OFFSET (sizeof(TEXT_BEGIN) - 1 + 2 * LINK_ID_SIZE + sizeof(TEXT_MIDDLE) - 1)
_Static_assert(LINK_KEY_TEXT_SIZE == KEY_OFFSET + KEY_HEX_SIZE + sizeof(TEXT_END) - 1, "the file's size");

/* One-time keys made at once: as many blocks of ChaCha20 as libsodium computes side by side, several times over. Two runs, for
 * packets that come out of order where one run ends. */
#define RUN_PACKETS 64
#define N_RUNS 2
#define ONCE_SIZE crypto_onetimeauth_KEYBYTES
#define BLOCK_SIZE 64
#define PACKETS_PER_BLOCK (BLOCK_SIZE / ONCE_SIZE)

_Static_assert(LINK_MAC_SIZE == crypto_onetimeauth_BYTES, "Poly1305");
_Static_assert(LINK_SESSION_SIZE == crypto_core_hchacha20_INPUTBYTES, "the first 16 bytes of XChaCha20's nonce");

struct link_key {
	uint8_t key[KEY_SIZE];
};

struct link_session {
	EVP_MAC_CTX *poly1305; /* NULL: libcrypto has none */
	uint8_t key[crypto_stream_chacha20_KEYBYTES];
	struct {
		uint64_t first; /* a multiple of RUN_PACKETS; UINT64_MAX: none */
		uint8_t keys[RUN_PACKETS * ONCE_SIZE];
	} runs[N_RUNS];
	unsigned oldest;
};

static void *secret_memory(size_t size)
{
	void *memory = sodium_malloc(size);

	if (memory == NULL)
		die_errno("memory for keys");
	return memory;
}

/* libcrypto's context, or NULL. */
static EVP_MAC_CTX *new_poly1305(void)
{
	EVP_MAC *method = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_POLY1305, NULL);
	EVP_MAC_CTX *context = method == NULL ? NULL : EVP_MAC_CTX_new(method);

	EVP_MAC_free(method);
	return context;
}

void link_key_init(void)
{
	if (sodium_init() < 0)
		die("libsodium does not start");
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || !sandbox_limit(RLIMIT_CORE, 0))
		die_errno("closing the process to debuggers");
	/* libcrypto reads its configuration with the first. */
	EVP_MAC_CTX_free(new_poly1305());
}

struct link_key *link_key_generate(void)
{
	struct link_key *key = secret_memory(sizeof(*key));

	randombytes_buf(key->key, sizeof(key->key));
	return key;
}

void link_key_free(struct link_key *key)
{
	sodium_free(key);
}

void link_key_freep(struct link_key **key)
{
	link_key_free(*key);
}

void link_key_id(const struct link_key *key, uint8_t ret_id[LINK_ID_SIZE])
{
	crypto_hash_sha256_state state;
	uint8_t digest[crypto_hash_sha256_BYTES];

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const uint8_t *)ID_PREFIX, sizeof(ID_PREFIX) - 1);
	crypto_hash_sha256_update(&state, key->key, sizeof(key->key));
	crypto_hash_sha256_final(&state, digest);
	memcpy(ret_id, digest, LINK_ID_SIZE);
	sodium_memzero(&state, sizeof(state));
}

/* The file of KEY, in locked memory, with a NUL: the caller's to free. */
static char *key_text(const struct link_key *key)
{
	char *text = secret_memory(LINK_KEY_TEXT_SIZE + 1);
	uint8_t id[LINK_ID_SIZE];
	char id_hex[LINK_ID_HEX_SIZE];

	link_key_id(key, id);
	notation_hex(id, sizeof(id), id_hex);
	snprintf(text, LINK_KEY_TEXT_SIZE + 1, TEXT_BEGIN "%s" TEXT_MIDDLE, id_hex);
	sodium_bin2hex(text + KEY_OFFSET, KEY_HEX_SIZE + 1, key->key, sizeof(key->key));
	memcpy(text + KEY_OFFSET + KEY_HEX_SIZE, TEXT_END, sizeof(TEXT_END));
	return text;
}

/* The key whose file TEXT is; NULL where it is no key's. */
static struct link_key *read_text(const char *text, size_t size)
{
	struct link_key *key;
	size_t n = 0;
	char *right;
	bool is_same;

	if (size != LINK_KEY_TEXT_SIZE)
		return NULL;
	key = secret_memory(sizeof(*key));
	if (sodium_hex2bin(key->key, sizeof(key->key), text + KEY_OFFSET, KEY_HEX_SIZE, NULL, &n, NULL) != 0 ||
	    n != sizeof(key->key)) {
		link_key_free(key);
		return NULL;
	}
	right = key_text(key);
	is_same = sodium_memcmp(right, text, LINK_KEY_TEXT_SIZE) == 0;
	sodium_free(right);
	if (is_same)
		return key;
	link_key_free(key);
	return NULL;
}

enum fault link_key_load(int fd, const char *where, struct link_key **ret_key, struct refusal *why)
{
	struct link_key *key;
	struct stat st;
	ssize_t size;
	char *text;

	if (fstat(fd, &st) < 0)
		return refuse(why, FAULT_FILE, "%s: %s", where, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return refuse(why, FAULT_FILE, "%s: not a regular file", where);
	if ((st.st_mode & 077) != 0)
		return refuse(why, FAULT_KEY_MODE, "%s: mode %04o lets others at a secret key; 0600 is right", where,
			      st.st_mode & 07777);
	text = secret_memory(LIMIT_LINK_KEY_FILE_SIZE);
	size = fd_read_up_to(fd, text, LIMIT_LINK_KEY_FILE_SIZE);
	if (size < 0) {
		sodium_free(text);
		return refuse(why, FAULT_FILE, "%s: %s", where, strerror((int)-size));
	}
	key = read_text(text, (size_t)size);
	sodium_free(text);
	if (key == NULL)
		return refuse(why, FAULT_LINK_KEY,
			      "%s: bundle/FORMAT.md 29.2: not the one line of %d bytes that a link key is", where,
			      LINK_KEY_TEXT_SIZE);
	*ret_key = key;
	return FAULT_NONE;
}

enum fault link_key_load_path(const char *path, struct link_key **ret_key, struct refusal *why)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(errno));
	return link_key_load(fd, path, ret_key, why);
}

static int write_new(int dir_fd, const char *name, const char *text)
{
	_cleanup_close_ int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, text, LINK_KEY_TEXT_SIZE);
	if (r == 0 && (fchmod(fd, 0600) < 0 || fsync(fd) < 0))
		r = -errno;
	if (r < 0)
		unlinkat(dir_fd, name, 0);
	return r;
}

int link_key_save(int dir_fd, const char *name, const struct link_key *key)
{
	char *text = key_text(key);
	int r = write_new(dir_fd, name, text);

	sodium_free(text);
	if (r < 0)
		return r;
	return fsync(dir_fd) < 0 ? -errno : 0;
}

struct link_session *link_session_new(const struct link_key *key, const uint8_t session[LINK_SESSION_SIZE])
{
	struct link_session *made = secret_memory(sizeof(*made));

	crypto_core_hchacha20(made->key, session, key->key, NULL);
	for (unsigned i = 0; i < N_RUNS; i++)
		made->runs[i].first = UINT64_MAX;
	made->oldest = 0;
	made->poly1305 = new_poly1305();
	return made;
}

void link_session_free(struct link_session *session)
{
	if (session == NULL)
		return;
	EVP_MAC_CTX_free(session->poly1305);
	sodium_free(session);
}

void link_session_freep(struct link_session **session)
{
	link_session_free(*session);
}

void link_session_random(uint8_t ret_session[LINK_SESSION_SIZE])
{
	randombytes_buf(ret_session, LINK_SESSION_SIZE);
}

/* One-time keys of the packets from FIRST (a multiple of PACKETS_PER_BLOCK) on, SIZE bytes of them. */
static void make_keys(const struct link_session *session, uint64_t first, uint8_t *keys, size_t size)
{
	static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];

	memset(keys, 0, size);
	crypto_stream_chacha20_xor_ic(keys, keys, size, nonce, first / PACKETS_PER_BLOCK, session->key);
}

/* The key of SEQUENCE among those kept; NULL: none. */
static const uint8_t *kept_key(const struct link_session *session, uint64_t sequence)
{
	const uint64_t first = sequence / RUN_PACKETS * RUN_PACKETS;

	for (unsigned i = 0; i < N_RUNS; i++) {
		if (session->runs[i].first == first)
			return session->runs[i].keys + (sequence - first) * ONCE_SIZE;
	}
	return NULL;
}

static const uint8_t *keep_run(struct link_session *session, uint64_t sequence)
{
	const unsigned i = session->oldest;

	session->oldest = (i + 1) % N_RUNS;
	session->runs[i].first = sequence / RUN_PACKETS * RUN_PACKETS;
	make_keys(session, session->runs[i].first, session->runs[i].keys, sizeof(session->runs[i].keys));
	return session->runs[i].keys + (sequence - session->runs[i].first) * ONCE_SIZE;
}

static void compute_mac(const struct link_session *session, const uint8_t *once, const uint8_t *packet, size_t size,
			uint8_t mac[LINK_MAC_SIZE])
{
	size_t mac_size = 0;

	if (session->poly1305 == NULL) {
		crypto_onetimeauth(mac, packet, size, once);
		return;
	}
	if (EVP_MAC_init(session->poly1305, once, ONCE_SIZE, NULL) != 1 ||
	    EVP_MAC_update(session->poly1305, packet, size) != 1 ||
	    EVP_MAC_final(session->poly1305, mac, &mac_size, LINK_MAC_SIZE) != 1 || mac_size != LINK_MAC_SIZE)
		die("libcrypto's Poly1305 fails");
}

/* Whether the last bytes of PACKET are its MAC. */
static bool has_mac(const struct link_session *session, const uint8_t *once, const uint8_t *packet, size_t size)
{
	uint8_t mac[LINK_MAC_SIZE];

	compute_mac(session, once, packet, size - LINK_MAC_SIZE, mac);
	return crypto_verify_16(mac, packet + size - LINK_MAC_SIZE) == 0;
}

void link_seal(struct link_session *session, uint64_t sequence, uint8_t *packet, size_t size)
{
	const uint8_t *once = kept_key(session, sequence);

	if (once == NULL)
		once = keep_run(session, sequence);
	compute_mac(session, once, packet, size, packet + size);
}

bool link_open(struct link_session *session, uint64_t sequence, const uint8_t *packet, size_t size)
{
	const uint8_t *once = kept_key(session, sequence);
	uint8_t block[BLOCK_SIZE];
	bool is_genuine;

	if (once != NULL)
		return has_mac(session, once, packet, size);
	/* The sequence is only claimed: a forged one costs a block, and drives out no run. */
	make_keys(session, sequence / PACKETS_PER_BLOCK * PACKETS_PER_BLOCK, block, sizeof(block));
	is_genuine = has_mac(session, block + sequence % PACKETS_PER_BLOCK * ONCE_SIZE, packet, size);
	sodium_memzero(block, sizeof(block));
	if (is_genuine)
		keep_run(session, sequence);
	return is_genuine;
}
