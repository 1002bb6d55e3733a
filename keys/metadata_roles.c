/* SPDX-License-Identifier: ISC
 *
 * metadata_roles: what root, timestamp, snapshot and targets say (TUF 1.0.34, 4.3 to 4.6), read once their signatures
 * hold.
 */
#include "keys/metadata.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/notation.h"
#include "keys/metadata_claim.h"

#define ROLE_STATUS "status"
#define PATH_STATUS "status.json"

/* A delegated role's name: a dataset's, or the one of the heartbeat. */
static bool is_role_name(const char *text)
{
	return notation_is_name(text) || strcmp(text, ROLE_STATUS) == 0;
}

/* --- root -----------------------------------------------------------------------------------------------------------
 */

static enum fault root_read_roles(const json_t *roles, const struct tuf_keyring *keyring, struct tuf_root *root,
				  struct refusal *why)
{
	struct {
		const char *name, *where;
		struct tuf_authority *authority;
	} const tops[] = {
		{"root", "signed.roles.root", &root->root},
		{"timestamp", "signed.roles.timestamp", &root->timestamp},
		{"snapshot", "signed.roles.snapshot", &root->snapshot},
		{"targets", "signed.roles.targets", &root->targets},
	};

	for (size_t i = 0; i < ARRAY_SIZE(tops); i++) {
		const json_t *role;
		enum fault fault = tuf_member_object(roles, "signed.roles", tops[i].name, &role, why);

		if (fault == FAULT_NONE)
			fault = tuf_authority_read(role, tops[i].where, keyring, tops[i].authority, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	return FAULT_NONE;
}

static enum fault root_read(const struct tuf_claim *claim, struct tuf_root *root, struct refusal *why)
{
	_cleanup_(tuf_keyring_clear) struct tuf_keyring keyring = {NULL, 0};
	const json_t *keys, *roles;
	enum fault fault = tuf_header_read(claim, "root", &root->header, why);

	if (fault == FAULT_NONE)
		fault = tuf_member_object(claim->signed_, "signed", "keys", &keys, why);
	if (fault == FAULT_NONE)
		fault = tuf_member_object(claim->signed_, "signed", "roles", &roles, why);
	if (fault == FAULT_NONE && !json_is_true(json_object_get(claim->signed_, "consistent_snapshot")))
		fault = refuse(why, FAULT_TUF_FORM, "consistent_snapshot must be true here " TUF_CLAUSE("4.3, 6.2"));
	if (fault == FAULT_NONE)
		fault = tuf_keyring_read(keys, "signed.keys", &keyring, why);
	if (fault == FAULT_NONE)
		fault = root_read_roles(roles, &keyring, root, why);
	return fault;
}

enum fault tuf_root_verify(const struct tuf_claim *claim, const struct tuf_root *previous, struct tuf_root **ret_root,
			   struct refusal *why)
{
	_cleanup_(tuf_root_freep) struct tuf_root *root = xcalloc(1, sizeof(*root));
	struct refusal inner = {FAULT_NONE, ""};
	enum fault fault = FAULT_NONE;

	if (previous != NULL &&
	    tuf_authority_check(&previous->root, claim, "the trusted root " TUF_CLAUSE("5.3.4"), &inner) != FAULT_NONE)
		return refuse(why, FAULT_TUF_ROOT_CHAIN, "%s", inner.line);
	/* Only now are its keys read: of the anchor, which a person vouches for, and of what the predecessor signed. */
	fault = root_read(claim, root, why);
	if (fault == FAULT_NONE)
		fault = tuf_authority_check(&root->root, claim, "itself " TUF_CLAUSE("5.3.4"), why);
	if (fault == FAULT_NONE)
		*ret_root = steal_pointer(&root);
	return fault;
}

void tuf_root_free(struct tuf_root *root)
{
	if (root == NULL)
		return;
	free(root->root.keys);
	free(root->timestamp.keys);
	free(root->snapshot.keys);
	free(root->targets.keys);
	free(root);
}

void tuf_root_freep(struct tuf_root **root)
{
	tuf_root_free(*root);
}

/* --- timestamp and snapshot -----------------------------------------------------------------------------------------
 */

/* One entry of `meta`: "cog.json": {"version", "length"?, "hashes"?}. */
static enum fault meta_read(const char *name, const json_t *object, uint64_t limit, struct tuf_meta *ret_meta,
			    struct refusal *why)
{
	struct tuf_meta meta = {"", 0, 0, {{0}}};
	const char *dot = strrchr(name, '.');
	char where[NOTATION_NAME_SIZE + 32];
	enum fault fault;

	if (dot == NULL || dot == name || strcmp(dot, ".json") != 0 || (size_t)(dot - name) >= sizeof(meta.role))
		return refuse(why, FAULT_TUF_FORM,
			      "signed.meta: \"%.80s\" is not the name of a role's file " TUF_CLAUSE("4.4"), name);
	memcpy(meta.role, name, (size_t)(dot - name));
	snprintf(where, sizeof(where), "signed.meta.%s.json", meta.role);
	if (!json_is_object(object))
		return refuse(why, FAULT_TUF_FORM, "%s: must be an object " TUF_CLAUSE("4.4"), where);
	fault = tuf_member_integer(object, where, "version", 1, LIMIT_VERSION, &meta.version, why);
	if (fault == FAULT_NONE && json_object_get(object, "length") != NULL)
		fault = tuf_member_integer(object, where, "length", 1, (int64_t)limit, &meta.length, why);
	if (fault == FAULT_NONE && json_object_get(object, "hashes") != NULL)
		fault = tuf_member_hashes(object, where, &meta.sha256, why);
	if (fault == FAULT_NONE)
		*ret_meta = meta;
	return fault;
}

static enum fault timestamp_read(const struct tuf_claim *claim, struct tuf_timestamp *timestamp, struct refusal *why)
{
	const json_t *meta, *snapshot;
	enum fault fault = tuf_header_read(claim, "timestamp", &timestamp->header, why);

	if (fault == FAULT_NONE)
		fault = tuf_member_object(claim->signed_, "signed", "meta", &meta, why);
	if (fault == FAULT_NONE)
		fault = tuf_member_object(meta, "signed.meta", "snapshot.json", &snapshot, why);
	if (fault != FAULT_NONE)
		return fault;
	if (json_object_size(meta) != 1)
		return refuse(why, FAULT_TUF_FORM, "signed.meta: only snapshot.json may be there " TUF_CLAUSE("4.6"));
	fault = meta_read("snapshot.json", snapshot, LIMIT_SNAPSHOT_SIZE, &timestamp->snapshot, why);
	if (fault == FAULT_NONE && json_object_get(claim->signed_, "issued") != NULL)
		fault = tuf_member_time(claim->signed_, "signed", "issued", &timestamp->issued, why);
	/* `issued` is the floor of the clock: one past its own expiry would be a way to stop everything for good. */
	if (fault == FAULT_NONE && timestamp->issued > timestamp->header.expires)
		fault = refuse(why, FAULT_TUF_FORM, "signed: issued after it expires");
	return fault;
}

enum fault tuf_timestamp_verify(const struct tuf_claim *claim, const struct tuf_root *root,
				struct tuf_timestamp **ret_timestamp, struct refusal *why)
{
	_cleanup_(tuf_timestamp_freep) struct tuf_timestamp *timestamp = xcalloc(1, sizeof(*timestamp));
	enum fault fault = tuf_authority_check(&root->timestamp, claim, "the trusted root " TUF_CLAUSE("5.4.2"), why);

	if (fault == FAULT_NONE)
		fault = timestamp_read(claim, timestamp, why);
	if (fault == FAULT_NONE)
		*ret_timestamp = steal_pointer(&timestamp);
	return fault;
}

void tuf_timestamp_free(struct tuf_timestamp *timestamp)
{
	free(timestamp);
}

void tuf_timestamp_freep(struct tuf_timestamp **timestamp)
{
	tuf_timestamp_free(*timestamp);
}

static int compare_metas(const void *a, const void *b)
{
	return strcmp(((const struct tuf_meta *)a)->role, ((const struct tuf_meta *)b)->role);
}

static enum fault snapshot_read(const struct tuf_claim *claim, struct tuf_snapshot *snapshot, struct refusal *why)
{
	const json_t *metas;
	const char *name;
	json_t *meta;
	enum fault fault = tuf_header_read(claim, "snapshot", &snapshot->header, why);

	if (fault == FAULT_NONE)
		fault = tuf_member_object(claim->signed_, "signed", "meta", &metas, why);
	if (fault != FAULT_NONE)
		return fault;
	/* The delegated roles, targets, and status. */
	if (json_object_size(metas) > LIMIT_ROLES + 2)
		return refuse(why, FAULT_TUF_FORM, "signed.meta: %zu roles, at most %d are read",
			      json_object_size(metas), LIMIT_ROLES);
	snapshot->metas = xcalloc(json_object_size(metas) + 1, sizeof(*snapshot->metas));
	json_object_foreach((json_t *)metas, name, meta)
	{
		struct tuf_meta *next = &snapshot->metas[snapshot->n_metas];
		bool is_targets = strcmp(name, "targets.json") == 0;

		fault = meta_read(name, meta, is_targets ? LIMIT_TARGETS_SIZE : LIMIT_ROLE_SIZE, next, why);
		if (fault != FAULT_NONE)
			return fault;
		if (!is_targets && !is_role_name(next->role))
			return refuse(why, FAULT_TUF_FORM, "signed.meta: \"%.80s\" may not be there " TUF_CLAUSE("4.4"),
				      name);
		snapshot->n_metas++;
	}
	qsort(snapshot->metas, snapshot->n_metas, sizeof(*snapshot->metas), compare_metas);
	if (tuf_snapshot_find(snapshot, "targets") == NULL)
		return refuse(why, FAULT_TUF_FORM, "signed.meta: targets.json is missing " TUF_CLAUSE("4.4"));
	return FAULT_NONE;
}

enum fault tuf_snapshot_verify(const struct tuf_claim *claim, const struct tuf_root *root,
			       struct tuf_snapshot **ret_snapshot, struct refusal *why)
{
	_cleanup_(tuf_snapshot_freep) struct tuf_snapshot *snapshot = xcalloc(1, sizeof(*snapshot));
	enum fault fault = tuf_authority_check(&root->snapshot, claim, "the trusted root " TUF_CLAUSE("5.5.3"), why);

	if (fault == FAULT_NONE)
		fault = snapshot_read(claim, snapshot, why);
	if (fault == FAULT_NONE)
		*ret_snapshot = steal_pointer(&snapshot);
	return fault;
}

const struct tuf_meta *tuf_snapshot_find(const struct tuf_snapshot *snapshot, const char *role)
{
	struct tuf_meta key = {"", 0, 0, {{0}}};

	if (!text_copy(key.role, sizeof(key.role), role))
		return NULL;
	return bsearch(&key, snapshot->metas, snapshot->n_metas, sizeof(*snapshot->metas), compare_metas);
}

void tuf_snapshot_free(struct tuf_snapshot *snapshot)
{
	if (snapshot == NULL)
		return;
	free(snapshot->metas);
	free(snapshot);
}

void tuf_snapshot_freep(struct tuf_snapshot **snapshot)
{
	tuf_snapshot_free(*snapshot);
}

/* --- targets --------------------------------------------------------------------------------------------------------
 */

static enum fault target_read(const char *path, const json_t *object, struct tuf_target *ret_target,
			      struct refusal *why)
{
	struct tuf_target target = {path, 0, {{0}}, json_object_get(object, "custom")};
	enum fault fault;

	if (path[0] == '\0' || strlen(path) >= LIMIT_TARGET_PATH_SIZE)
		return refuse(why, FAULT_TUF_FORM, "target \"%.80s\": a path has 1 to %d bytes " TUF_CLAUSE("4.5"),
			      path, LIMIT_TARGET_PATH_SIZE - 1);
	if (!json_is_object(object) || (target.custom != NULL && !json_is_object(target.custom)))
		return refuse(why, FAULT_TUF_FORM,
			      "target \"%s\": it and its custom must be objects " TUF_CLAUSE("4.5"), path);
	fault = tuf_member_integer(object, path, "length", 0, (int64_t)LIMIT_PLAIN_SIZE, &target.length, why);
	if (fault == FAULT_NONE)
		fault = tuf_member_hashes(object, path, &target.sha256, why);
	if (fault == FAULT_NONE)
		*ret_target = target;
	return fault;
}

static enum fault targets_read_targets(const json_t *objects, struct tuf_targets *targets, struct refusal *why)
{
	const char *path;
	json_t *object;

	if (json_object_size(objects) > LIMIT_TARGETS_PER_ROLE)
		return refuse(why, FAULT_TUF_FORM, "signed.targets: %zu targets, at most %d are read",
			      json_object_size(objects), LIMIT_TARGETS_PER_ROLE);
	targets->targets = xcalloc(json_object_size(objects) + 1, sizeof(*targets->targets));
	json_object_foreach((json_t *)objects, path, object)
	{
		enum fault fault = target_read(path, object, &targets->targets[targets->n_targets], why);

		if (fault != FAULT_NONE)
			return fault;
		targets->n_targets++;
	}
	return FAULT_NONE;
}

/* Exactly one of `paths` and `path_hash_prefixes`, each a list of texts (4.5). */
static enum fault delegation_read_paths(const json_t *object, const char *where, struct tuf_delegation *delegation,
					struct refusal *why)
{
	const json_t *prefixes = json_object_get(object, "path_hash_prefixes"),
		     *paths = json_object_get(object, "paths");
	const json_t *list = paths != NULL ? paths : prefixes;

	if ((paths == NULL) == (prefixes == NULL) || !json_is_array(list))
		return refuse(why, FAULT_TUF_FORM, "%s: either paths or path_hash_prefixes " TUF_CLAUSE("4.5"), where);
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!json_is_string(json_array_get(list, i)))
			return refuse(why, FAULT_TUF_FORM, "%s: a path pattern must be a text " TUF_CLAUSE("4.5"),
				      where);
	delegation->paths = paths;
	return FAULT_NONE;
}

static enum fault delegation_read(const json_t *object, const struct tuf_keyring *keyring,
				  struct tuf_delegation *delegation, struct refusal *why)
{
	const char *name, *where;
	enum fault fault = tuf_member_text(object, "signed.delegations.roles", "name", &name, why);

	if (fault != FAULT_NONE)
		return fault;
	/* notation_is_name knows the names of the top roles: a delegation of such a name could pass for one of them. */
	if (!is_role_name(name) || !text_copy(delegation->role, sizeof(delegation->role), name))
		return refuse(why, FAULT_TUF_DELEGATION,
			      "signed.delegations: \"%.80s\" cannot be a delegated role's name " TUF_CLAUSE("4.5"),
			      name);
	where = delegation->role;
	if (!json_is_boolean(json_object_get(object, "terminating")))
		return refuse(why, FAULT_TUF_FORM, "%s: \"terminating\" must be true or false " TUF_CLAUSE("4.5"),
			      where);
	delegation->is_terminating = json_is_true(json_object_get(object, "terminating"));
	fault = delegation_read_paths(object, where, delegation, why);
	if (fault == FAULT_NONE)
		fault = tuf_authority_read(object, where, keyring, &delegation->authority, why);
	return fault;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum fault delegations_check_unique(const struct tuf_targets *targets, struct refusal *why)
{
	_cleanup_free_ const char **names = xcalloc(targets->n_delegations + 1, sizeof(*names));

	for (size_t i = 0; i < targets->n_delegations; i++)
		names[i] = targets->delegations[i].role;
	qsort(names, targets->n_delegations, sizeof(*names), compare_texts);
	for (size_t i = 1; i < targets->n_delegations; i++)
		if (strcmp(names[i - 1], names[i]) == 0)
			return refuse(why, FAULT_TUF_DELEGATION, "signed.delegations: role %s twice " TUF_CLAUSE("4.5"),
				      names[i]);
	return FAULT_NONE;
}

static enum fault targets_read_delegations(const json_t *delegations, struct tuf_targets *targets, struct refusal *why)
{
	_cleanup_(tuf_keyring_clear) struct tuf_keyring keyring = {NULL, 0};
	const json_t *keys, *roles;
	enum fault fault;

	if (json_object_get(delegations, "succinct_roles") != NULL)
		return refuse(why, FAULT_TUF_DELEGATION,
			      "signed.delegations: succinct_roles are not read by this version " TUF_CLAUSE("4.5"));
	fault = tuf_member_object(delegations, "signed.delegations", "keys", &keys, why);
	if (fault == FAULT_NONE)
		fault = tuf_member_array(delegations, "signed.delegations", "roles", &roles, why);
	if (fault == FAULT_NONE)
		fault = tuf_keyring_read(keys, "signed.delegations.keys", &keyring, why);
	if (fault != FAULT_NONE)
		return fault;
	/* The datasets, and status. */
	if (json_array_size(roles) > LIMIT_ROLES + 1)
		return refuse(why, FAULT_TUF_FORM, "signed.delegations: %zu roles, at most %d are read",
			      json_array_size(roles), LIMIT_ROLES);
	targets->delegations = xcalloc(json_array_size(roles) + 1, sizeof(*targets->delegations));
	for (size_t i = 0; i < json_array_size(roles); i++) {
		/* Counted first: what a refused one has already got is freed with the rest. */
		fault = delegation_read(json_array_get(roles, i), &keyring,
					&targets->delegations[targets->n_delegations++], why);
		if (fault != FAULT_NONE)
			return fault;
	}
	return delegations_check_unique(targets, why);
}

static enum fault targets_read(const struct tuf_claim *claim, struct tuf_targets *targets, struct refusal *why)
{
	const json_t *objects, *delegations = json_object_get(claim->signed_, "delegations");
	enum fault fault = tuf_header_read(claim, "targets", &targets->header, why);

	targets->owner = json_incref((json_t *)claim->signed_);
	if (fault == FAULT_NONE)
		fault = tuf_member_object(claim->signed_, "signed", "targets", &objects, why);
	if (fault == FAULT_NONE)
		fault = targets_read_targets(objects, targets, why);
	if (fault != FAULT_NONE || delegations == NULL)
		return fault;
	if (!json_is_object(delegations))
		return refuse(why, FAULT_TUF_FORM, "signed: \"delegations\" must be an object " TUF_CLAUSE("4.5"));
	return targets_read_delegations(delegations, targets, why);
}

enum fault tuf_targets_verify(const struct tuf_claim *claim, const struct tuf_authority *authority, const char *who,
			      struct tuf_targets **ret_targets, struct refusal *why)
{
	_cleanup_(tuf_targets_freep) struct tuf_targets *targets = xcalloc(1, sizeof(*targets));
	enum fault fault = tuf_authority_check(authority, claim, who, why);

	if (fault == FAULT_NONE)
		fault = targets_read(claim, targets, why);
	if (fault == FAULT_NONE)
		*ret_targets = steal_pointer(&targets);
	return fault;
}

void tuf_targets_free(struct tuf_targets *targets)
{
	if (targets == NULL)
		return;
	for (size_t i = 0; i < targets->n_delegations; i++)
		free(targets->delegations[i].authority.keys);
	free(targets->delegations);
	free(targets->targets);
	json_decref(targets->owner);
	free(targets);
}

void tuf_targets_freep(struct tuf_targets **targets)
{
	tuf_targets_free(*targets);
}

bool tuf_role_covers(const char *role, const char *path)
{
	size_t length = strlen(role);

	if (strcmp(role, ROLE_STATUS) == 0)
		return strcmp(path, PATH_STATUS) == 0;
	return strncmp(path, role, length) == 0 && path[length] == '/' && notation_is_file_name(path + length + 1) &&
	       strlen(path + length + 1) < LIMIT_FILE_NAME_SIZE;
}

bool tuf_delegation_is_ours(const struct tuf_delegation *delegation)
{
	const char *pattern = json_string_value(json_array_get(delegation->paths, 0));
	size_t length = strlen(delegation->role);

	if (pattern == NULL || json_array_size(delegation->paths) != 1)
		return false;
	if (strcmp(delegation->role, ROLE_STATUS) == 0)
		return strcmp(pattern, PATH_STATUS) == 0;
	return strncmp(pattern, delegation->role, length) == 0 && strcmp(pattern + length, "/*") == 0;
}
