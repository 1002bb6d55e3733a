/* SPDX-License-Identifier: ISC
 *
 * repository: what a run is asked for, and the keys that it takes. What is written, and in which order, is
 * repository_sign.c.
 */
#include "keys/repository.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "keys/keyfolder.h"
#include "keys/repository_private.h"

/* --- what there is --- */

json_t *repository_find_role(const json_t *delegations, const char *role)
{
	const json_t *roles = json_object_get(delegations, "roles");

	for (size_t i = 0; i < json_array_size(roles); i++) {
		json_t *object = json_array_get(roles, i);
		const char *name = json_string_value(json_object_get(object, "name"));

		if (name != NULL && strcmp(name, role) == 0)
			return object;
	}
	return NULL;
}

const json_t *repository_rules_of(const struct repository *repository)
{
	return repository->next.json != NULL ? json_object_get(repository->next.signed_, "delegations")
					     : repository_delegations(repository);
}

const json_t *repository_role_meta(const struct repository *repository, const char *role)
{
	char name[LIMIT_METADATA_NAME_SIZE];

	snprintf(name, sizeof(name), "%.63s.json", role);
	return json_object_get(repository->meta, name);
}

uint64_t repository_role_version(const struct repository *repository, const char *role)
{
	return (uint64_t)json_integer_value(json_object_get(repository_role_meta(repository, role), "version"));
}

bool repository_is_near_expiry(const struct repository *repository, int64_t expires, int64_t validity)
{
	return expires - repository->rules.now < validity / 3;
}

uint64_t repository_floor(const struct repository *repository, const char *role)
{
	for (size_t i = 0; i < repository->n_floors; i++)
		if (strcmp(repository->floors[i].role, role) == 0)
			return repository->floors[i].version;
	return 0;
}

/* --- changes --- */

void repository_set_floor(struct repository *repository, const char *role, uint64_t version)
{
	struct floor *floor;

	for (size_t i = 0; i < repository->n_floors; i++) {
		if (strcmp(repository->floors[i].role, role) != 0)
			continue;
		if (version > repository->floors[i].version)
			repository->floors[i].version = version;
		return;
	}
	repository->floors = xrealloc(repository->floors, repository->n_floors + 1, sizeof(*floor));
	floor = &repository->floors[repository->n_floors++];
	if (!text_copy(floor->role, sizeof(floor->role), role))
		die("role name %s", role);
	floor->version = version;
}

bool repository_is_changed(const struct repository *repository, const char *role)
{
	for (size_t i = 0; i < repository->n_changes; i++)
		if (strcmp(repository->changes[i].role, role) == 0)
			return true;
	return false;
}

void repository_add_change(struct repository *repository, const char *role, json_t *targets)
{
	struct change *change;

	if (repository->n_changes == repository->changes_room) {
		repository->changes_room = repository->changes_room * 2 + 16;
		repository->changes = xrealloc(repository->changes, repository->changes_room,
					       sizeof(*repository->changes));
	}
	change = &repository->changes[repository->n_changes++];
	memset(change, 0, sizeof(*change));
	if (!text_copy(change->role, sizeof(change->role), role))
		die("role name %s", role);
	change->targets = targets;
}

/* Whether the role's current file is whole and says TARGETS. One that is lost or damaged is mended by signing a new
 * one. */
static bool is_current(const struct repository *repository, const char *role, const json_t *targets)
{
	_cleanup_(document_clear) struct document document = {0};
	const json_t *meta = repository_role_meta(repository, role);
	struct refusal ignored;

	return repository_find_role(repository_delegations(repository), role) != NULL && meta != NULL &&
	       repository_load_named(repository, meta, role, "targets", LIMIT_ROLE_SIZE, &document, &ignored) ==
		       FAULT_NONE &&
	       json_equal(json_object_get(document.signed_, "targets"), targets);
}

enum fault repository_set_targets(struct repository *repository, const char *dataset, json_t *targets,
				  struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *owned = targets;

	if (!notation_is_name(dataset) && strcmp(dataset, "status") != 0)
		return refuse(why, FAULT_TUF_DELEGATION, "\"%s\" cannot be a dataset's name", dataset);
	if (repository_is_changed(repository, dataset))
		return refuse(why, FAULT_TUF_DELEGATION, "%s: given twice", dataset);
	if (json_object_size(targets) == 0 || json_object_size(targets) > LIMIT_TARGETS_PER_ROLE)
		return refuse(why, FAULT_TUF_DELEGATION, "%s: %zu targets, 1 to %d", dataset, json_object_size(targets),
			      LIMIT_TARGETS_PER_ROLE);
	if (is_current(repository, dataset, targets))
		return FAULT_NONE;
	repository_add_change(repository, dataset, steal_pointer(&owned));
	return FAULT_NONE;
}

/* --- keys --- */

/* "datasets/cog.next.key" in place of "datasets/cog.key", where it is there. */
static enum fault load_next_key(const struct repository *repository, const char *file, struct secret_key **key,
				struct refusal *why)
{
	char next[LIMIT_METADATA_NAME_SIZE];

	snprintf(next, sizeof(next), "%.*s.next.key", (int)(strlen(file) - strlen(".key")), file);
	if (!fd_exists(repository->keys_fd, next))
		return FAULT_NONE;
	secret_key_free(*key);
	*key = NULL;
	return keyfolder_load(repository->keys_fd, next, repository->passphrase, key, why);
}

enum fault repository_load_key(const struct repository *repository, const char *file, const char *role,
			       const json_t *role_object, struct secret_key **ret_key, unsigned *ret_threshold,
			       struct refusal *why)
{
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	int64_t threshold = 0;
	enum fault fault = json_get_integer(role_object, role, "threshold", true, 1, LIMIT_SIGNATURES, &threshold, why);

	if (fault == FAULT_NONE)
		fault = keyfolder_load(repository->keys_fd, file, repository->passphrase, &key, why);
	/* A rotation's new key waits beside the old one until metadata name it (ceremony_settle.h); targets that a run like
	 * this one names may be those. */
	if (fault == FAULT_NONE && strncmp(file, "datasets/", strlen("datasets/")) == 0 &&
	    !document_role_names(role_object, secret_key_public(key)))
		fault = load_next_key(repository, file, &key, why);
	if (fault != FAULT_NONE)
		return fault;
	if (!document_role_names(role_object, secret_key_public(key)))
		return refuse(why, FAULT_KEY_ROLE, "keys/%s: key %.16s is not one that role %s names", file,
			      secret_key_public(key)->keyid, role);
	*ret_threshold = (unsigned)threshold;
	*ret_key = steal_pointer(&key);
	return FAULT_NONE;
}

enum fault repository_load_top_key(const struct repository *repository, const char *role, struct secret_key **ret_key,
				   struct refusal *why)
{
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	char file[NOTATION_NAME_SIZE + 8];
	unsigned threshold;
	enum fault fault;

	snprintf(file, sizeof(file), "%.63s.key", role);
	fault = repository_load_key(repository, file, role, repository_root_role(repository, role), &key, &threshold,
				    why);
	if (fault != FAULT_NONE)
		return fault;
	if (threshold != 1)
		return refuse(why, FAULT_KEY_THRESHOLD, "role %s wants %u signatures; this host has one key for it",
			      role, threshold);
	*ret_key = steal_pointer(&key);
	return FAULT_NONE;
}
