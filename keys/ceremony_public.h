/* SPDX-License-Identifier: ISC
 *
 * ceremony_public: the public half of a key in a file of its own, so that a holder makes a key alone and hands over nothing secret
 * (FORMAT.md 16.3; closed world).
 *
 *     {"format": "clapet public key 1",
 *      "public": {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": "…"}}}
 */
#ifndef KEYS_CEREMONY_PUBLIC_H
#define KEYS_CEREMONY_PUBLIC_H

#include <stddef.h>

#include "base/fault.h"
#include "keys/pubkey.h"

/* FAULT_KEY_FORM for anything outside the form; WHERE names the file. */
enum fault public_key_parse(const void *data, size_t size, const char *where, struct tuf_key *ret_key,
			    struct refusal *why);
/* The same from a file: FAULT_FILE where it cannot be read. */
enum fault public_key_load(const char *path, struct tuf_key *ret_key, struct refusal *why);

/* Puts a new file of mode 0444, durably: -EEXIST where NAME is there. */
int public_key_save(int dir_fd, const char *name, const struct tuf_key *key);

/* The member "public" of OBJECT, in the closed form: also that of secret key files. */
enum fault public_key_read(const json_t *object, const char *where, struct tuf_key *ret_key, struct refusal *why);

#endif
