/* SPDX-License-Identifier: ISC
 *
 * metadata_targets: what a targets file says (TUF 1.0.34, 4.5; TAP 15): targets, and to whom it delegates.
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

/* A delegation of such a name could pass for a top role, in every profile. */
static bool is_top_role(const char *name)
{
	return strcmp(name, "root") == 0 || strcmp(name, "timestamp") == 0 || strcmp(name, "snapshot") == 0 ||
	       strcmp(name, "targets") == 0;
}

bool tuf_is_role_name(const char *name, const struct tuf_profile *profile)
{
	if (profile->is_general)
		return name[0] != '\0' && strlen(name) < LIMIT_ROLE_NAME_SIZE && !is_top_role(name);
	return notation_is_name(name) || strcmp(name, ROLE_STATUS) == 0;
}

static enum fault target_read(const char *path, const json_t *object, const struct tuf_profile *profile,
			      struct tuf_target *ret_target, struct refusal *why)
{
	struct tuf_target target = {.path = path, .custom = json_object_get(object, "custom")};
	size_t limit = profile->is_general ? LIMIT_ANY_PATH_SIZE : LIMIT_TARGET_PATH_SIZE;
	enum fault fault;

	if (path[0] == '\0' || strlen(path) >= limit)
		return refuse(why, FAULT_TUF_FORM, "target \"%.80s\": a path has 1 to %zu bytes " TUF_CLAUSE("4.5"),
			      path, limit - 1);
	if (!json_is_object(object) || (target.custom != NULL && !json_is_object(target.custom)))
		return refuse(why, FAULT_TUF_FORM,
			      "target \"%s\": it and its custom must be objects " TUF_CLAUSE("4.5"), path);
	fault = tuf_member_integer(object, path, "length", 0, (int64_t)LIMIT_PLAIN_SIZE, &target.length, why);
	if (fault == FAULT_NONE)
		fault = tuf_member_hashes(object, path, profile, &target.hashes, &target.sha256, &target.sha512, why);
	if (fault == FAULT_NONE)
		*ret_target = target;
	return fault;
}

static enum fault targets_read_targets(const json_t *objects, const struct tuf_profile *profile,
				       struct tuf_targets *targets, struct refusal *why)
{
	const char *path;
	json_t *object;

	if (!profile->is_general && json_object_size(objects) > LIMIT_TARGETS_PER_ROLE)
		return refuse(why, FAULT_TUF_FORM, "signed.targets: %zu targets, at most %d are read",
			      json_object_size(objects), LIMIT_TARGETS_PER_ROLE);
	targets->targets = xcalloc(json_object_size(objects) + 1, sizeof(*targets->targets));
	json_object_foreach((json_t *)objects, path, object)
	{
		enum fault fault = target_read(path, object, profile, &targets->targets[targets->n_targets], why);

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
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (text == NULL)
			return refuse(why, FAULT_TUF_FORM, "%s: a path pattern must be a text " TUF_CLAUSE("4.5"),
				      where);
		/* An empty one would be all paths. */
		if (prefixes != NULL && (text[0] == '\0' || strlen(text) > 2 * SHA256_SIZE ||
					 strspn(text, "0123456789abcdef") != strlen(text)))
			return refuse(why, FAULT_TUF_FORM,
				      "%s: a path hash prefix is not 1 to 64 lower-case hex digits " TUF_CLAUSE("4.5"),
				      where);
	}
	delegation->paths = paths;
	delegation->prefixes = prefixes;
	return FAULT_NONE;
}

static enum fault delegation_read(const json_t *object, const struct tuf_keyring *keyring,
				  const struct tuf_profile *profile, struct tuf_delegation *delegation,
				  struct refusal *why)
{
	const char *name, *where;
	enum fault fault = tuf_member_text(object, "signed.delegations.roles", "name", &name, why);

	if (fault != FAULT_NONE)
		return fault;
	if (!tuf_is_role_name(name, profile) || !text_copy(delegation->role, sizeof(delegation->role), name))
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
		fault = tuf_authority_read(object, where, keyring, profile, TUF_KIND_DELEGATED, &delegation->authority,
					   why);
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

/* TAP 15: the names of 2^bit_length roles in four members. */
static enum fault bins_read(const json_t *object, const struct tuf_keyring *keyring, const struct tuf_profile *profile,
			    struct tuf_targets *targets, struct refusal *why)
{
	static const char where[] = "signed.delegations.succinct_roles";
	struct tuf_bins *bins;
	const char *prefix;
	uint64_t bit_length;
	enum fault fault = tuf_member_integer(object, where, "bit_length", 1, 32, &bit_length, why);

	if (fault == FAULT_NONE)
		fault = tuf_member_text(object, where, "name_prefix", &prefix, why);
	if (fault != FAULT_NONE)
		return fault;
	bins = targets->bins = xcalloc(1, sizeof(*bins));
	bins->bit_length = (unsigned)bit_length;
	/* "-" and eight digits follow, so that the name is never a top role's. */
	if (strlen(prefix) + 9 >= sizeof(bins->prefix) || !text_copy(bins->prefix, sizeof(bins->prefix), prefix))
		return refuse(why, FAULT_TUF_FORM, "%s: \"name_prefix\" has more than %zu bytes " TUF_CLAUSE("4.5"),
			      where, sizeof(bins->prefix) - 10);
	return tuf_authority_read(object, where, keyring, profile, TUF_KIND_DELEGATED, &bins->authority, why);
}

static enum fault delegations_read_roles(const json_t *roles, const struct tuf_keyring *keyring,
					 const struct tuf_profile *profile, struct tuf_targets *targets,
					 struct refusal *why)
{
	/* The datasets, and status. In general the size of the file is the bound. */
	if (!profile->is_general && json_array_size(roles) > LIMIT_ROLES + 1)
		return refuse(why, FAULT_TUF_FORM, "signed.delegations: %zu roles, at most %d are read",
			      json_array_size(roles), LIMIT_ROLES);
	targets->delegations = xcalloc(json_array_size(roles) + 1, sizeof(*targets->delegations));
	for (size_t i = 0; i < json_array_size(roles); i++) {
		/* Counted first: what a refused one has already got is freed with the rest. */
		enum fault fault = delegation_read(json_array_get(roles, i), keyring, profile,
						   &targets->delegations[targets->n_delegations++], why);

		if (fault != FAULT_NONE)
			return fault;
	}
	return delegations_check_unique(targets, why);
}

static enum fault targets_read_delegations(const json_t *delegations, const struct tuf_profile *profile,
					   struct tuf_targets *targets, struct refusal *why)
{
	_cleanup_(tuf_keyring_clear) struct tuf_keyring keyring = {NULL, 0};
	const json_t *keys, *roles, *succinct = json_object_get(delegations, "succinct_roles");
	enum fault fault;

	if (succinct != NULL && !profile->is_general)
		return refuse(why, FAULT_TUF_DELEGATION,
			      "signed.delegations: succinct_roles are not read here " TUF_CLAUSE("4.5"));
	if (succinct != NULL && json_object_get(delegations, "roles") != NULL)
		return refuse(why, FAULT_TUF_FORM,
			      "signed.delegations: either roles or succinct_roles " TUF_CLAUSE("4.5"));
	fault = tuf_member_object(delegations, "signed.delegations", "keys", &keys, why);
	if (fault == FAULT_NONE && succinct == NULL)
		fault = tuf_member_array(delegations, "signed.delegations", "roles", &roles, why);
	if (fault == FAULT_NONE)
		fault = tuf_keyring_read(keys, "signed.delegations.keys", profile, &keyring, why);
	if (fault != FAULT_NONE)
		return fault;
	return succinct != NULL ? bins_read(succinct, &keyring, profile, targets, why)
				: delegations_read_roles(roles, &keyring, profile, targets, why);
}

static enum fault targets_read(const struct tuf_claim *claim, struct tuf_targets *targets, struct refusal *why)
{
	const json_t *objects, *delegations = json_object_get(claim->signed_, "delegations");
	enum fault fault = tuf_header_read(claim, "targets", &targets->header, why);

	targets->owner = json_incref((json_t *)claim->signed_);
	if (fault == FAULT_NONE)
		fault = tuf_member_object(claim->signed_, "signed", "targets", &objects, why);
	if (fault == FAULT_NONE)
		fault = targets_read_targets(objects, claim->profile, targets, why);
	if (fault != FAULT_NONE || delegations == NULL)
		return fault;
	if (!json_is_object(delegations))
		return refuse(why, FAULT_TUF_FORM, "signed: \"delegations\" must be an object " TUF_CLAUSE("4.5"));
	return targets_read_delegations(delegations, claim->profile, targets, why);
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
	if (targets->bins != NULL)
		free(targets->bins->authority.keys);
	free(targets->bins);
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
