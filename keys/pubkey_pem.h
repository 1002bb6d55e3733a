/* SPDX-License-Identifier: ISC
 *
 * pubkey_pem: ECDSA P-256 and RSA-PSS through libcrypto, for keys in PEM (TUF 1.0.34, 4.2). Compiled in builds with
 * ECDSA=1 alone: elsewhere no EVP_PKEY symbol is linked.
 */
#ifndef KEYS_PUBKEY_PEM_H
#define KEYS_PUBKEY_PEM_H

#include "keys/pubkey.h"

/* Call once before the sandbox. */
void pubkey_pem_init(void);

/* Whether PUBLIC is one "PUBLIC KEY" in PEM, in the only DER that this key has; sets public_key and pem (borrowed). */
bool pubkey_read_p256(const char *public, struct tuf_key *key);
bool pubkey_read_rsa(const char *public, struct tuf_key *key);

/* FIPS 186-5 ECDSA over SHA-256, the signature in DER; RFC 8017 RSASSA-PSS with SHA-256 for both hashes. */
bool pubkey_verify_p256(const struct tuf_key *key, const uint8_t *data, size_t size, const uint8_t *signature,
			size_t signature_size);
bool pubkey_verify_rsa(const struct tuf_key *key, const uint8_t *data, size_t size, const uint8_t *signature,
		       size_t signature_size);

#endif
