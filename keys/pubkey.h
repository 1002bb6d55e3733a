/* SPDX-License-Identifier: ISC
 *
 * pubkey: public keys as TUF writes them (1.0.34, 4.2): {"keytype": "ed25519", "scheme": "ed25519", "keyval":
 * {"public": hex}}, named by the SHA-256 of their canonical form. Schemes stand in a table: Ed25519 (libsodium) in every
 * build; ECDSA P-256 and RSA-PSS (libcrypto; smart cards that hold offline root keys often have no Ed25519) in builds
 * with ECDSA=1 alone. Call tuf_key_init() once before the sandbox.
 */
#ifndef KEYS_PUBKEY_H
#define KEYS_PUBKEY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

#define TUF_KEYID_SIZE 65 /* 64 hex digits and their NUL */
#define TUF_PUBLIC_KEY_SIZE 32
#define TUF_SIGNATURE_SIZE 64 /* Ed25519's; others differ */

enum tuf_scheme {
	TUF_SCHEME_ED25519,
	TUF_SCHEME_ECDSA_P256,     /* ecdsa-sha2-nistp256: PEM, DER signatures over the SHA-256 */
	TUF_SCHEME_RSA_PSS_SHA256, /* rsassa-pss-sha256: PEM, 2048 to 8192 bits, salt of any length */
	TUF_SCHEME_N,
	TUF_SCHEME_UNKNOWN = TUF_SCHEME_N, /* verifies nothing */
};

/* Sets of schemes. */
#define TUF_SCHEME_BIT(scheme) (1U << (scheme))
#define TUF_SCHEMES_ALL ((1U << TUF_SCHEME_N) - 1)
/* Those of this build. */
unsigned tuf_schemes_built(void);
/* "ecdsa-sha2-nistp256"; UNKNOWN is "unknown". */
const char *tuf_scheme_name(enum tuf_scheme scheme);
/* TUF_SCHEME_UNKNOWN where there is none of that name, built or not. */
enum tuf_scheme tuf_scheme_by_name(const char *name);

struct tuf_key {
	char keyid[TUF_KEYID_SIZE];
	/* Ed25519: the key. Of another scheme: the SHA-256 of its SubjectPublicKeyInfo, so that two keys are the same
	 * where these bytes are. */
	uint8_t public_key[TUF_PUBLIC_KEY_SIZE];
	enum tuf_scheme scheme;
	const char *pem; /* borrowed from the JSON that it was read from; NULL for Ed25519 */
};

/* Starts libsodium, and in builds with ECDSA=1 what of libcrypto opens files at its first use. */
void tuf_key_init(void);

/* Reads one entry of a `keys` object that must be Ed25519. The keyid is computed again and must be KEYID; fields that
 * TUF does not know are tolerated and count in the keyid. FAULT_TUF_FORM. */
enum fault tuf_key_parse(const char *keyid, const json_t *object, struct tuf_key *ret_key, struct refusal *why);

/* The same for any of SCHEMES that this build has; another scheme is FAULT_TUF_FORM. With IS_GENERAL another scheme is
 * read as one that verifies nothing (TUF 4.2: a client need not know them all), and KEYID only names the key: what
 * other repositories write there is not always the hash. OBJECT must outlive the key. */
enum fault tuf_key_read(const char *keyid, const json_t *object, unsigned schemes, bool is_general,
			struct tuf_key *ret_key, struct refusal *why);

/* The key of 32 raw bytes, with its keyid. */
void tuf_key_from_public(const uint8_t public_key[TUF_PUBLIC_KEY_SIZE], struct tuf_key *ret_key);

/* A new key object, as it stands in a `keys` object. Ed25519 alone. */
json_t *tuf_key_to_json(const struct tuf_key *key);

/* Whether both are one public key, whatever their keyids. */
bool tuf_key_equal(const struct tuf_key *a, const struct tuf_key *b);

/* Whether SIGNATURE is KEY's over DATA (RFC 8032 Ed25519, strict: libsodium refuses keys of small order and signatures
 * that are not reduced). False for a key of another scheme. */
bool tuf_key_verify(const struct tuf_key *key, const uint8_t *data, size_t size,
		    const uint8_t signature[TUF_SIGNATURE_SIZE]);

/* Whether the hex digits SIG (strict: lower case) are KEY's signature over DATA, by KEY's own scheme. */
bool tuf_key_verify_hex(const struct tuf_key *key, const uint8_t *data, size_t size, const char *sig);

#endif
