/* SPDX-License-Identifier: ISC
 *
 * ceremony_change: composes the next `signed` part of root or targets from the current one: keys in, keys out, thresholds, a later
 * expiry. Signs nothing and writes nothing. Roles are the four top ones in a root, datasets (and `status`) in targets.
 */
#ifndef KEYS_CEREMONY_CHANGE_H
#define KEYS_CEREMONY_CHANGE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "keys/pubkey.h"

/* The first ones: a root that names no key yet (four roles of threshold 1), targets that delegate nothing. */
json_t *change_first_root(int64_t expires);
json_t *change_first_targets(int64_t expires);

/* A copy of SIGNED_ with another version and expiry. */
json_t *change_begin(const json_t *signed_, uint64_t version, int64_t expires);

/* FAULT_NO_SUCH where SIGNED_ has no such role. A key that is there already is FAULT_KEY_ROLE, as is one to be removed that is not. */
enum fault change_add_key(json_t *signed_, const char *role, const struct tuf_key *key, struct refusal *why);
enum fault change_remove_key(json_t *signed_, const char *role, const char *keyid, struct refusal *why);
enum fault change_threshold(json_t *signed_, const char *role, unsigned threshold, struct refusal *why);

/* Drops keys that no role names any more. FAULT_CEREMONY_UNREACHABLE where a role is left with fewer keys than its threshold. */
enum fault change_finish(json_t *signed_, struct refusal *why);

/* A person's "0a1b2c3d" (at least eight digits) as the one keyid of SIGNED_ that begins so: FAULT_NO_SUCH for none or several. */
enum fault change_find_key(const json_t *signed_, const char *prefix, const char **ret_keyid, struct refusal *why);

/* The object of ROLE in SIGNED_ with `keyids` and `threshold`, and the `keys` beside it. NULL where there is none. Borrowed. */
json_t *change_role(const json_t *signed_, const char *role);
json_t *change_keys(const json_t *signed_);

#endif
