/* SPDX-License-Identifier: ISC
 *
 * pubkey: public keys as TUF writes them (1.0.34, 4.2): {"keytype": "ed25519", "scheme": "ed25519", "keyval":
 * {"public": hex}}, named by the SHA-256 of their canonical form. Call sodium_init() once before the sandbox.
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
#define TUF_SIGNATURE_SIZE 64

struct tuf_key {
	char keyid[TUF_KEYID_SIZE];
	uint8_t public_key[TUF_PUBLIC_KEY_SIZE];
};

/* Reads one entry of a `keys` object. The keyid is computed again and must be KEYID; fields that TUF does not know are
 * tolerated and count in the keyid. FAULT_TUF_FORM. */
enum fault tuf_key_parse(const char *keyid, const json_t *object, struct tuf_key *ret_key, struct refusal *why);

/* The key of 32 raw bytes, with its keyid. */
void tuf_key_from_public(const uint8_t public_key[TUF_PUBLIC_KEY_SIZE], struct tuf_key *ret_key);

/* A new key object, as it stands in a `keys` object. */
json_t *tuf_key_to_json(const struct tuf_key *key);

/* Whether SIGNATURE is KEY's over DATA (RFC 8032 Ed25519, strict: libsodium refuses keys of small order and signatures
 * that are not reduced). */
bool tuf_key_verify(const struct tuf_key *key, const uint8_t *data, size_t size,
		    const uint8_t signature[TUF_SIGNATURE_SIZE]);

#endif
