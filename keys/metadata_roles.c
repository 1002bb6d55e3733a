/* SPDX-License-Identifier: ISC
 *
 * metadata_roles: what root, timestamp and snapshot say (TUF 1.0.34, 4.3 to 4.6), read once their signatures hold.
 */
#include "keys/metadata.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/notation.h"
#include "keys/metadata_claim.h"

/* --- root -----------------------------------------------------------------------------------------------------------
 */

static enum fault root_read_roles(const json_t *roles, const struct tuf_keyring *keyring,
				  const struct tuf_profile *profile, struct tuf_root *root, struct refusal *why)
{
	struct {
		const char *name, *where;
		enum tuf_kind kind;
		struct tuf_authority *authority;
	} const tops[] = {
		{"root", "signed.roles.root", TUF_KIND_ROOT, &root->root},
		{"timestamp", "signed.roles.timestamp", TUF_KIND_TIMESTAMP, &root->timestamp},
		{"snapshot", "signed.roles.snapshot", TUF_KIND_SNAPSHOT, &root->snapshot},
		{"targets", "signed.roles.targets", TUF_KIND_TARGETS, &root->targets},
	};

	for (size_t i = 0; i < ARRAY_SIZE(tops); i++) {
		const json_t *role;
		enum fault fault = tuf_member_object(roles, "signed.roles", tops[i].name, &role, why);

		if (fault == FAULT_NONE)
			fault = tuf_authority_read(role, tops[i].where, keyring, profile, tops[i].kind,
						   tops[i].authority, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	return FAULT_NONE;
}

static enum fault root_read(const struct tuf_claim *claim, struct tuf_root *root, struct refusal *why)
{
	_cleanup_(tuf_keyring_clear) struct tuf_keyring keyring = {NULL, 0};
	const json_t *keys, *roles, *consistent = json_object_get(claim->signed_, "consistent_snapshot");
	enum fault fault = tuf_header_read(claim, "root", &root->header, why);

	root->owner = json_incref((json_t *)claim->signed_);
	root->is_consistent = json_is_true(consistent);

	if (fault == FAULT_NONE)
		fault = tuf_member_object(claim->signed_, "signed", "keys", &keys, why);
	if (fault == FAULT_NONE)
		fault = tuf_member_object(claim->signed_, "signed", "roles", &roles, why);
	if (fault == FAULT_NONE && !claim->profile->is_general && !root->is_consistent)
		fault = refuse(why, FAULT_TUF_FORM, "consistent_snapshot must be true here " TUF_CLAUSE("4.3, 6.2"));
	if (fault == FAULT_NONE && consistent != NULL && !json_is_boolean(consistent))
		fault = refuse(why, FAULT_TUF_FORM, "consistent_snapshot must be true or false " TUF_CLAUSE("4.3"));
	if (fault == FAULT_NONE)
		fault = tuf_keyring_read(keys, "signed.keys", claim->profile, &keyring, why);
	if (fault == FAULT_NONE)
		fault = root_read_roles(roles, &keyring, claim->profile, root, why);
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
	json_decref(root->owner);
	free(root);
}

void tuf_root_freep(struct tuf_root **root)
{
	tuf_root_free(*root);
}

/* --- timestamp and snapshot -----------------------------------------------------------------------------------------
 */

/* One entry of `meta`: "cog.json": {"version", "length"?, "hashes"?}. */
static enum fault meta_read(const char *name, const json_t *object, uint64_t limit, const struct tuf_profile *profile,
			    struct tuf_meta *ret_meta, struct refusal *why)
{
	struct tuf_meta meta = {.role = ""};
	const char *dot = strrchr(name, '.');
	char where[LIMIT_ROLE_NAME_SIZE + 32];
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
		fault = tuf_member_hashes(object, where, profile, &meta.hashes, &meta.sha256, &meta.sha512, why);
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
	fault = meta_read("snapshot.json", snapshot, LIMIT_SNAPSHOT_SIZE, claim->profile, &timestamp->snapshot, why);
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

/* What may stand in a snapshot: targets, and delegated roles. In general also root, which old repositories list and
 * nobody asks for. */
static bool is_snapshot_role(const char *role, const struct tuf_profile *profile)
{
	return strcmp(role, "targets") == 0 || tuf_is_role_name(role, profile) ||
	       (profile->is_general && strcmp(role, "root") == 0);
}

/* The bound on a role's file before it is parsed; the closed profile's datasets are smaller. */
static uint64_t role_limit(const char *role, const struct tuf_profile *profile)
{
	return profile->is_general || strcmp(role, "targets") == 0 ? LIMIT_TARGETS_SIZE : LIMIT_ROLE_SIZE;
}

static enum fault snapshot_read_metas(const json_t *metas, const struct tuf_profile *profile,
				      struct tuf_snapshot *snapshot, struct refusal *why)
{
	const char *name;
	json_t *meta;

	snapshot->metas = xcalloc(json_object_size(metas) + 1, sizeof(*snapshot->metas));
	json_object_foreach((json_t *)metas, name, meta)
	{
		struct tuf_meta *next = &snapshot->metas[snapshot->n_metas];
		const char *role = strcmp(name, "targets.json") == 0 ? "targets" : "";
		enum fault fault = meta_read(name, meta, role_limit(role, profile), profile, next, why);

		if (fault != FAULT_NONE)
			return fault;
		if (!is_snapshot_role(next->role, profile))
			return refuse(why, FAULT_TUF_FORM, "signed.meta: \"%.80s\" may not be there " TUF_CLAUSE("4.4"),
				      name);
		snapshot->n_metas++;
	}
	qsort(snapshot->metas, snapshot->n_metas, sizeof(*snapshot->metas), compare_metas);
	return FAULT_NONE;
}

static enum fault snapshot_read(const struct tuf_claim *claim, struct tuf_snapshot *snapshot, struct refusal *why)
{
	const json_t *metas;
	enum fault fault = tuf_header_read(claim, "snapshot", &snapshot->header, why);

	if (fault == FAULT_NONE)
		fault = tuf_member_object(claim->signed_, "signed", "meta", &metas, why);
	if (fault != FAULT_NONE)
		return fault;
	/* The delegated roles, targets, and status. In general the size of the file is the bound. */
	if (!claim->profile->is_general && json_object_size(metas) > LIMIT_ROLES + 2)
		return refuse(why, FAULT_TUF_FORM, "signed.meta: %zu roles, at most %d are read",
			      json_object_size(metas), LIMIT_ROLES);
	fault = snapshot_read_metas(metas, claim->profile, snapshot, why);
	if (fault == FAULT_NONE && tuf_snapshot_find(snapshot, "targets") == NULL)
		fault = refuse(why, FAULT_TUF_FORM, "signed.meta: targets.json is missing " TUF_CLAUSE("4.4"));
	return fault;
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
	struct tuf_meta key = {.role = ""};

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
