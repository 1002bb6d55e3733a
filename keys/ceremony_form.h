/* SPDX-License-Identifier: ISC
 *
 * ceremony_form: the `signed` part of a root or of the top-level targets in the one form that a ceremony signs. TUF tolerates
 * members that it does not know; a person who signs must not, for nobody showed them what these mean. So here the world is
 * closed, and all that is in it can be said in plain words.
 */
#ifndef KEYS_CEREMONY_FORM_H
#define KEYS_CEREMONY_FORM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/notation.h"
#include "keys/pubkey.h"

/* One role: a top one of root, or a delegated one of targets. */
struct form_role {
	char name[NOTATION_NAME_SIZE];
	unsigned threshold;
	struct tuf_key *keys; /* in the order of the file; no key twice */
	size_t n_keys;
};

struct form {
	bool is_root; /* else targets */
	uint64_t version;
	int64_t expires;
	struct form_role *roles; /* root: root, targets, snapshot, timestamp; targets: in the order of the file */
	size_t n_roles;
};

/* Reads SIGNED_ strictly: the members of TUF 1.0.34, 4.3 and 4.5, no other; consistent_snapshot true; every key named by a role and
 * of the closed form of public_key_read; thresholds between 1 and the number of keys; targets delegates as repository.c does (paths
 * of the role alone, terminating) and has no target of its own. FAULT_CEREMONY_FORM with the place; WHERE goes before it. */
enum fault form_read(const json_t *signed_, const char *where, struct form *ret_form, struct refusal *why);
void form_clear(struct form *form);

/* NULL where there is none. Borrowed. */
const struct form_role *form_find(const struct form *form, const char *role);
bool form_role_names(const struct form_role *role, const char *keyid);

/* "root", "targets", "snapshot", "timestamp". */
bool form_is_top(const char *role);

#endif
