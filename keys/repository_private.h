/* SPDX-License-Identifier: ISC
 *
 * repository_private: what repository_open.c finds, repository.c is asked for and repository_sign.c writes. For the
 * files of the repository alone.
 */
#ifndef KEYS_REPOSITORY_PRIVATE_H
#define KEYS_REPOSITORY_PRIVATE_H

#include "bundle/notation.h"
#include "keys/repository.h"

/* A role whose targets are to be replaced. */
struct change {
	char role[NOTATION_NAME_SIZE];
	json_t *targets;          /* owned */
	struct document document; /* the new metadata, once they are signed; json NULL: not yet */
	bool is_ready;            /* the threshold is met: the snapshot may name them */
	bool is_renewal;          /* into itself */
};

/* A version that somebody trusts already. */
struct floor {
	char role[NOTATION_NAME_SIZE];
	uint64_t version;
};

struct repository {
	int metadata_fd, keys_fd;
	struct passphrase *passphrase;
	struct repository_rules rules;
	struct document root, timestamp, snapshot, targets;
	struct document next;             /* targets that were signed elsewhere and wait to be named; json NULL: none */
	bool has_targets_key;             /* it lies among the everyday keys */
	json_t *meta;                     /* owned: the snapshot's, brought up to date as roles are signed */
	struct secret_key *timestamp_key; /* opened before anything is written: proves the passphrase */
	struct change *changes;
	size_t n_changes, changes_room;
	struct floor *floors;
	size_t n_floors;
	struct repository_signature *signatures; /* of second persons: checked, and not written yet */
	size_t n_signatures;
	struct repository_waiting *waiting;
	size_t n_waiting;
	bool delegations_changed, snapshot_changed;
	struct repository_file *files;
	size_t n_files, files_room, n_roots;
	struct repository_pruned *pruned;
	size_t n_pruned;
};

/* The delegations of targets: {"keys", "roles"}. */
json_t *repository_delegations(const struct repository *repository);
/* What root says of a top role. */
const json_t *repository_root_role(const struct repository *repository, const char *role);
/* Loads "VERSION.ROLE.json" as META (an entry of snapshot or timestamp) names it, and insists on its length, hash and
 * version. */
enum fault repository_load_named(const struct repository *repository, const json_t *meta, const char *role,
				 const char *type, size_t limit, struct document *ret_document, struct refusal *why);
/* Adds to what repository_file tells. */
void repository_add_file(struct repository *repository, const struct document *document, const char *role, bool is_new);

/* The delegation of ROLE in DELEGATIONS, or NULL. */
json_t *repository_find_role(const json_t *delegations, const char *role);
/* {"keys", "roles"} that ROLE is to be signed by: the next targets' where they are waiting, else the current ones'. */
const json_t *repository_rules_of(const struct repository *repository);
/* What the snapshot says of ROLE; NULL: nothing. */
const json_t *repository_role_meta(const struct repository *repository, const char *role);
uint64_t repository_role_version(const struct repository *repository, const char *role);
bool repository_is_changed(const struct repository *repository, const char *role);
/* TARGETS is stolen. */
void repository_add_change(struct repository *repository, const char *role, json_t *targets);
uint64_t repository_floor(const struct repository *repository, const char *role);
bool repository_is_near_expiry(const struct repository *repository, int64_t expires, int64_t validity);

/* This host's key for ROLE, checked against ROLE_OBJECT, which names it; RET_THRESHOLD says how many must sign. */
enum fault repository_load_key(const struct repository *repository, const char *file, const char *role,
			       const json_t *role_object, struct secret_key **ret_key, unsigned *ret_threshold,
			       struct refusal *why);
enum fault repository_load_top_key(const struct repository *repository, const char *role, struct secret_key **ret_key,
				   struct refusal *why);
/* --- repository_pending.c: metadata/pending/<role>.json --- */

/* What waits for ROLE; json NULL where nothing does. FAULT_REPOSITORY where it is out of form. */
enum fault repository_load_pending(const struct repository *repository, const char *role, struct document *ret_document,
				   struct refusal *why);
/* Signs CHANGE, whose delegation ROLE_OBJECT asks for more signatures than this host has, and keeps it until the others
 * come: the same targets are signed once. CHANGE is ready where all are there. */
enum fault repository_sign_pending(struct repository *repository, struct change *change, const json_t *role_object,
				   struct refusal *why);
/* Adds the signatures that repository_add_signature took to what they are on, durably. */
enum fault repository_put_signatures(const struct repository *repository, struct refusal *why);
/* Removes what waited and is named by now, or is over: after the timestamp was written. */
void repository_forget_passed(const struct repository *repository);
struct repository_waiting *repository_add_waiting(struct repository *repository, enum repository_waits waits,
						  const char *role);

#endif
