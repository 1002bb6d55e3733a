/* SPDX-License-Identifier: ISC
 *
 * hash: SHA-256 through libcrypto's EVP, fetched once. A digest that fails is no data's fault: libcrypto is broken or
 * memory is out, and the process ends.
 */
#include "bundle/hash.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/notation.h"

#define READ_SIZE (64 * 1024)

/* Fetched before the sandbox; written once, by hash_init. */
static EVP_MD *fetched;

struct hash {
	EVP_MD_CTX *context;
};

/* Without hash_init libcrypto looks the algorithm up at each use: slower, and it may open files. */
static const EVP_MD *algorithm(void)
{
	return fetched != NULL ? fetched : EVP_sha256();
}

void hash_init(void)
{
	struct sha256 warm;

	if (fetched != NULL)
		return;
	/* No configuration file of the machine's says what SHA-256 is, or costs every worker a third of a millisecond. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		die("libcrypto does not start");
	fetched = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	if (fetched == NULL)
		die("libcrypto has no SHA-256");
	hash_bytes("", 0, &warm);
}

static void hash_begin(struct hash *hash)
{
	if (EVP_DigestInit_ex(hash->context, algorithm(), NULL) != 1)
		die("libcrypto: SHA-256 does not start");
}

struct hash *hash_new(void)
{
	struct hash *hash = xmalloc(sizeof(*hash));

	hash->context = EVP_MD_CTX_new();
	if (hash->context == NULL)
		die("out of memory");
	hash_begin(hash);
	return hash;
}

void hash_free(struct hash *hash)
{
	if (hash == NULL)
		return;
	EVP_MD_CTX_free(hash->context);
	free(hash);
}

void hash_freep(struct hash **hash)
{
	hash_free(*hash);
}

void hash_update(struct hash *hash, const void *data, size_t size)
{
	if (size != 0 && EVP_DigestUpdate(hash->context, data, size) != 1)
		die("libcrypto: SHA-256 fails");
}

void hash_final(struct hash *hash, struct sha256 *ret_sha256)
{
	unsigned size = 0;

	if (EVP_DigestFinal_ex(hash->context, ret_sha256->bytes, &size) != 1 || size != SHA256_SIZE)
		die("libcrypto: SHA-256 does not end");
	hash_begin(hash);
}

void hash_bytes(const void *data, size_t size, struct sha256 *ret_sha256)
{
	unsigned digest_size = 0;

	if (EVP_Digest(size != 0 ? data : "", size, ret_sha256->bytes, &digest_size, algorithm(), NULL) != 1 ||
	    digest_size != SHA256_SIZE)
		die("libcrypto: SHA-256 fails");
}

int hash_fd(int fd, uint64_t limit, struct sha256 *ret_sha256, uint64_t *ret_size)
{
	_cleanup_(hash_freep) struct hash *hash = hash_new();
	uint8_t buffer[READ_SIZE];
	uint64_t total = 0;
	ssize_t n;

	for (;;) {
		n = read(fd, buffer, sizeof(buffer));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		if ((uint64_t)n > limit - total)
			return -EFBIG;
		total += (uint64_t)n;
		hash_update(hash, buffer, (size_t)n);
	}
	hash_final(hash, ret_sha256);
	if (ret_size != NULL)
		*ret_size = total;
	return 0;
}

bool sha256_equal(const struct sha256 *a, const struct sha256 *b)
{
	return memcmp(a->bytes, b->bytes, SHA256_SIZE) == 0;
}

bool sha256_is_zero(const struct sha256 *sha256)
{
	static const struct sha256 zero;

	return sha256_equal(sha256, &zero);
}

int sha256_compare(const void *a, const void *b)
{
	const struct sha256 *left = a, *right = b;

	return memcmp(left->bytes, right->bytes, SHA256_SIZE);
}

void sha256_to_hex(const struct sha256 *sha256, char text[SHA256_HEX_SIZE])
{
	notation_hex(sha256->bytes, SHA256_SIZE, text);
}

bool sha256_from_hex(const char *text, struct sha256 *ret_sha256)
{
	struct sha256 sha256 = {{0}};

	if (!notation_unhex(text, sha256.bytes, SHA256_SIZE))
		return false;
	*ret_sha256 = sha256;
	return true;
}
