/* SPDX-License-Identifier: ISC
 *
 * ceremony_keys: the folder of everyday keys through a rotation: a new key waits beside the old one until metadata name it, then
 * takes its place; the old one is put aside and never deleted by us.
 */
#ifndef KEYS_CEREMONY_KEYS_H
#define KEYS_CEREMONY_KEYS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/fault.h"
#include "keys/secret.h"

/* ROLE_OBJECT is what root or targets say of ROLE: {"keyids", "threshold"}. */

/* Whether a key of ROLE that ROLE_OBJECT names lies here, in its place or waiting. */
bool everyday_key_is_here(int keys_fd, const char *role, const json_t *role_object);

/* Opens it. FAULT_KEY_ROLE where there is none. */
enum fault everyday_key_open(int keys_fd, const char *role, const json_t *role_object, struct passphrase *passphrase,
			     struct secret_key **ret_key, struct refusal *why);

/* Makes the key that waits, protected as PASSPHRASE says (NULL: in the open), or finds the one that an earlier run left. */
enum fault everyday_key_make_next(int keys_fd, const char *role, struct passphrase *passphrase, struct tuf_key *ret_key,
				  struct refusal *why);

/* If the waiting key is one that ROLE_OBJECT names: the old one to retired/<role>.<keyid>.key, the waiting one to its place,
 * each durably. Tells OUT (may be NULL) where the old one is. No waiting key is no fault. */
enum fault everyday_key_switch(int keys_fd, const char *role, const json_t *role_object, FILE *out,
			       struct refusal *why);

/* Whether new keys here are to be encrypted: as the first of those that are here is. *RET_ANY false: there is none. */
enum fault everyday_keys_encrypted(int keys_fd, bool *ret_any, bool *ret_encrypted, struct refusal *why);
/* That PASSPHRASE opens that first one: asked before a new key is put under it. FAULT_KEY_PASSPHRASE. */
enum fault everyday_keys_check(int keys_fd, struct passphrase *passphrase, struct refusal *why);

#endif
