/* SPDX-License-Identifier: ISC
 *
 * repository_private: what repository_open.c finds and repository.c changes. For these two alone.
 */
#ifndef KEYS_REPOSITORY_PRIVATE_H
#define KEYS_REPOSITORY_PRIVATE_H

#include "bundle/notation.h"
#include "keys/repository.h"

/* A role whose targets are to be replaced. */
struct change {
	char role[NOTATION_NAME_SIZE];
	json_t *targets; /* owned */
};

struct repository {
	int metadata_fd, keys_fd;
	struct passphrase *passphrase;
	struct repository_rules rules;
	struct document root, timestamp, snapshot, targets;
	json_t *meta;                     /* owned: the snapshot's, brought up to date as roles are signed */
	struct secret_key *timestamp_key; /* opened before anything is written: proves the passphrase */
	struct change *changes;
	size_t n_changes, changes_room;
	bool delegations_changed, snapshot_changed;
	struct repository_file *files;
	size_t n_files, files_room, n_roots;
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

#endif
