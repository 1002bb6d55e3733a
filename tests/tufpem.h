/* SPDX-License-Identifier: ISC
 *
 * tufpem: keys of ECDSA P-256 and RSA-PSS for test repositories, and signatures by them. For builds with ECDSA=1.
 */
#ifndef TESTS_TUFPEM_H
#define TESTS_TUFPEM_H

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "tests/tufrepo.h"

struct pem_key {
	EVP_PKEY *pkey;
	json_t *object; /* as in `keys` */
	char keyid[TUF_KEYID_SIZE];
	bool is_rsa;
};

static inline struct pem_key pem_key_new(enum tuf_scheme scheme)
{
	struct pem_key key = {.is_rsa = scheme == TUF_SCHEME_RSA_PSS_SHA256};
	BIO *bio = BIO_new(BIO_s_mem());
	struct sha256 keyid;
	char *pem;
	long size;

	key.pkey = key.is_rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
	PEM_write_bio_PUBKEY(bio, key.pkey);
	size = BIO_get_mem_data(bio, &pem);
	key.object = json_pack("{s:s, s:s, s:{s:s%}}", "keytype", key.is_rsa ? "rsa" : "ecdsa", "scheme",
			       tuf_scheme_name(scheme), "keyval", "public", pem, (size_t)size);
	BIO_free(bio);
	canonical_hash(key.object, &keyid, NULL);
	sha256_to_hex(&keyid, key.keyid);
	return key;
}

static inline void pem_key_clear(struct pem_key *key)
{
	EVP_PKEY_free(key->pkey);
	json_decref(key->object);
}

static inline json_t *pem_signature(const json_t *signed_, const struct pem_key *key)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL;
	uint8_t *canonical, signature[512];
	char hex[2 * sizeof(signature) + 1];
	size_t size, signature_size = sizeof(signature);

	if (canonical_encode(signed_, &canonical, &size, NULL) != FAULT_NONE ||
	    EVP_DigestSignInit(ctx, &options, EVP_sha256(), NULL, key->pkey) != 1)
		abort();
	if (key->is_rsa) {
		EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST);
	}
	if (EVP_DigestSign(ctx, signature, &signature_size, canonical, size) != 1)
		abort();
	EVP_MD_CTX_free(ctx);
	free(canonical);
	notation_hex(signature, signature_size, hex);
	return json_pack("{s:s, s:s}", "keyid", key->keyid, "sig", hex);
}

/* KEY among those of ROLE ("root") in root's SIGNED, which then wants THRESHOLD of them. */
static inline void pem_key_add(json_t *signed_, const char *role, const struct pem_key *key, int threshold)
{
	json_t *object = json_object_get(json_object_get(signed_, "roles"), role);

	json_object_set(json_object_get(signed_, "keys"), key->keyid, key->object);
	json_array_append_new(json_object_get(object, "keyids"), json_string(key->keyid));
	json_object_set_new(object, "threshold", json_integer(threshold));
}

#endif
