/* SPDX-License-Identifier: ISC
 *
 * secret: secret Ed25519 keys and the files that hold them (closed world; lower-case hex).
 *
 *     {"format": "clapet key 1",
 *      "public": {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": "…"}},
 *      "encryption": {"kdf": "argon2id", "opslimit": 3, "memlimit": 268435456, "salt": "…", "nonce": "…"},
 *      "secret": "…"}
 *
 * "secret" is the seed of RFC 8032 (32 bytes); with "encryption" it is libsodium's crypto_secretbox of it (48 bytes)
 * under crypto_pwhash of the passphrase. "encryption": null says in words that the seed lies open.
 */
#ifndef KEYS_SECRET_H
#define KEYS_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "keys/passphrase.h"
#include "keys/pubkey.h"

struct secret_key;

/* Before the first key, and before the sandbox: libsodium, no core dumps, no debugger of the same user, JSON memory
 * that is zeroed when freed. */
void secret_init(void);

void secret_key_free(struct secret_key *key);
void secret_key_freep(struct secret_key **key);

struct secret_key *secret_key_generate(void);

/* Reads a key file. PASSPHRASE may be NULL: then an encrypted key is FAULT_KEY_PASSPHRASE, as is a wrong passphrase.
 * FAULT_KEY_FORM with the member in WHY for anything outside the form; also where the secret does not belong to
 * "public". */
enum fault secret_key_parse(const void *data, size_t size, const char *where, struct passphrase *passphrase,
			    struct secret_key **ret_key, struct refusal *why);
/* The same from an open file: FAULT_KEY_MODE where its group or others have any right to it. */
enum fault secret_key_load(int fd, const char *where, struct passphrase *passphrase, struct secret_key **ret_key,
			   struct refusal *why);

/* What a key file says of itself without being opened: nothing secret is looked at. */
struct secret_about {
	struct tuf_key key;
	bool is_encrypted;
	struct passphrase_kdf kdf;
};
enum fault secret_key_about(const void *data, size_t size, const char *where, struct secret_about *ret_about,
			    struct refusal *why);

/* Puts a new key file, durably, mode 0400; PASSPHRASE NULL: in the open. -EEXIST where NAME is there: never overwrites.
 */
int secret_key_save(int dir_fd, const char *name, const struct secret_key *key, struct passphrase *passphrase);

/* Borrowed. */
const struct tuf_key *secret_key_public(const struct secret_key *key);

/* The one use of a secret: signs the canonical form of a metadata file's `signed` part (TUF 1.0.34, 4.2.1). Dies where
 * the bytes do not begin as one does, so that no key of ours ever signs anything else. */
void secret_key_sign(const struct secret_key *key, const uint8_t *canonical, size_t size,
		     uint8_t ret_signature[TUF_SIGNATURE_SIZE]);
/* Its twin for attestations: signs a pre-authentication encoding (keys/dsse.h), and dies where the bytes do not begin as one does. */
void secret_key_sign_dsse(const struct secret_key *key, const uint8_t *pae, size_t size,
			  uint8_t ret_signature[TUF_SIGNATURE_SIZE]);

#endif
