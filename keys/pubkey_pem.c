/* SPDX-License-Identifier: ISC
 *
 * pubkey_pem: from PEM to DER by our own strict hand, and libcrypto for the rest. A key is accepted in one encoding
 * only, so that the hash of the encoding stands for the key.
 */
#include "keys/pubkey_pem.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/hash.h"
#include "bundle/limits.h"

/* SubjectPublicKeyInfo of an RSA key of LIMIT_RSA_BITS has 1,062 bytes. */
#define DER_SIZE 1100

#define PEM_BEGIN "-----BEGIN PUBLIC KEY-----\n"
#define PEM_END "\n-----END PUBLIC KEY-----"

/* SubjectPublicKeyInfo of P-256 up to and with the 04 of an uncompressed point; 64 bytes follow (RFC 5480). */
static const uint8_t p256_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
				    0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
#define P256_SIZE (sizeof(p256_head) + 64)

static void pkey_freep(EVP_PKEY **pkey)
{
	EVP_PKEY_free(*pkey);
}

static void md_ctx_freep(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

/* The bytes between the two lines; no headers, nothing before, at most a line feed behind. 0: it is not that. */
static size_t pem_to_der(const char *pem, uint8_t der[DER_SIZE])
{
	size_t begin = sizeof(PEM_BEGIN) - 1, size = 0;
	const char *end;

	if (strncmp(pem, PEM_BEGIN, begin) != 0 || (end = strstr(pem, PEM_END)) == NULL)
		return 0;
	if (strcmp(end + sizeof(PEM_END) - 1, "") != 0 && strcmp(end + sizeof(PEM_END) - 1, "\n") != 0)
		return 0;
	/* libsodium's decoder takes bytes past ASCII for digits. */
	for (const char *at = pem + begin; at < end; at++)
		if ((unsigned char)*at >= 0x80)
			return 0;
	if (sodium_base642bin(der, DER_SIZE, pem + begin, (size_t)(end - pem) - begin, "\n", &size, NULL,
			      sodium_base64_VARIANT_ORIGINAL) != 0)
		return 0;
	return size;
}

/* NULL where DER is not a key, or not in the encoding that libcrypto itself would write. */
static EVP_PKEY *der_to_pkey(const uint8_t *der, size_t size)
{
	_cleanup_(pkey_freep) EVP_PKEY *pkey = NULL;
	const unsigned char *next = der;
	unsigned char *again = NULL;
	int again_size;
	bool is_same;

	pkey = d2i_PUBKEY(NULL, &next, (long)size);
	if (pkey == NULL || next != der + size)
		return NULL;
	again_size = i2d_PUBKEY(pkey, &again);
	is_same = again_size >= 0 && (size_t)again_size == size && memcmp(again, der, size) == 0;
	OPENSSL_free(again);
	return is_same ? steal_pointer(&pkey) : NULL;
}

static EVP_PKEY *p256_parse(const uint8_t *der, size_t size)
{
	/* One group and one form of its point: a compressed one would be the same key under another hash. */
	if (size != P256_SIZE || memcmp(der, p256_head, sizeof(p256_head)) != 0)
		return NULL;
	return der_to_pkey(der, size);
}

static EVP_PKEY *rsa_parse(const uint8_t *der, size_t size)
{
	_cleanup_(pkey_freep) EVP_PKEY *pkey = der_to_pkey(der, size);

	if (pkey == NULL || EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA)
		return NULL;
	if (EVP_PKEY_get_bits(pkey) < LIMIT_RSA_BITS_LEAST || EVP_PKEY_get_bits(pkey) > LIMIT_RSA_BITS)
		return NULL;
	return steal_pointer(&pkey);
}

/* The key, and the hash of its encoding where RET_SHA256 is not NULL. */
static EVP_PKEY *pem_to_pkey(const char *pem, EVP_PKEY *(*parse)(const uint8_t *der, size_t size),
			     struct sha256 *ret_sha256)
{
	uint8_t der[DER_SIZE] = {0};
	size_t size = pem_to_der(pem, der);

	if (size > 0 && ret_sha256 != NULL)
		hash_bytes(der, size, ret_sha256);
	return size > 0 ? parse(der, size) : NULL;
}

static bool read_key(const char *public, EVP_PKEY *(*parse)(const uint8_t *der, size_t size), struct tuf_key *key)
{
	struct sha256 sha256;
	_cleanup_(pkey_freep) EVP_PKEY *pkey = pem_to_pkey(public, parse, &sha256);

	if (pkey == NULL)
		return false;
	memcpy(key->public_key, sha256.bytes, sizeof(key->public_key));
	key->pem = public;
	return true;
}

bool pubkey_read_p256(const char *public, struct tuf_key *key)
{
	return read_key(public, p256_parse, key);
}

bool pubkey_read_rsa(const char *public, struct tuf_key *key)
{
	return read_key(public, rsa_parse, key);
}

static bool verify(EVP_PKEY *pkey, bool is_pss, const uint8_t *data, size_t size, const uint8_t *signature,
		   size_t signature_size)
{
	_cleanup_(md_ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL; /* the context's own */

	if (ctx == NULL)
		die("out of memory");
	if (EVP_DigestVerifyInit(ctx, &options, EVP_sha256(), NULL, pkey) != 1)
		return false;
	if (is_pss && (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
		       EVP_PKEY_CTX_set_rsa_mgf1_md(options, EVP_sha256()) != 1 ||
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_AUTO) != 1))
		return false;
	return EVP_DigestVerify(ctx, signature, signature_size, data, size) == 1;
}

bool pubkey_verify_p256(const struct tuf_key *key, const uint8_t *data, size_t size, const uint8_t *signature,
			size_t signature_size)
{
	_cleanup_(pkey_freep) EVP_PKEY *pkey = pem_to_pkey(key->pem, p256_parse, NULL);

	return pkey != NULL && verify(pkey, false, data, size, signature, signature_size);
}

bool pubkey_verify_rsa(const struct tuf_key *key, const uint8_t *data, size_t size, const uint8_t *signature,
		       size_t signature_size)
{
	_cleanup_(pkey_freep) EVP_PKEY *pkey = pem_to_pkey(key->pem, rsa_parse, NULL);

	return pkey != NULL && verify(pkey, true, data, size, signature, signature_size);
}

/* The generator of P-256 (FIPS 186-5): a key that is certainly well-formed. Reading it and one failing verification
 * make libcrypto fetch all that it will need. */
void pubkey_pem_init(void)
{
	static const char generator[] = PEM_BEGIN "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\n"
						  "6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==" PEM_END
						  "\n";
	static const uint8_t signature[] = {0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01};
	struct tuf_key key = {.scheme = TUF_SCHEME_ECDSA_P256};

	hash_init();
	(void)pubkey_read_p256(generator, &key);
	if (key.pem == NULL)
		die("libcrypto reads no P-256 key");
	(void)pubkey_verify_p256(&key, signature, sizeof(signature), signature, sizeof(signature));
}
