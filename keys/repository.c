/* SPDX-License-Identifier: ISC
 *
 * repository: what is current, what changes, and the order in which it is written. Every role's file is read once a run
 * for its expiry (the snapshot names versions and hashes alone); everything else costs what changed.
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

static void document_clearp(struct document *document)
{
	document_clear(document);
}

static json_t *or_die(json_t *json)
{
	if (json == NULL)
		die("out of memory");
	return json;
}

/* --- changes --- */

/* The delegation of ROLE, or NULL. */
static const json_t *find_role(const struct repository *repository, const char *role)
{
	const json_t *roles = json_object_get(repository_delegations(repository), "roles");

	for (size_t i = 0; i < json_array_size(roles); i++) {
		const json_t *object = json_array_get(roles, i);
		const char *name = json_string_value(json_object_get(object, "name"));

		if (name != NULL && strcmp(name, role) == 0)
			return object;
	}
	return NULL;
}

static const json_t *role_meta(const struct repository *repository, const char *role)
{
	char name[LIMIT_METADATA_NAME_SIZE];

	snprintf(name, sizeof(name), "%.63s.json", role);
	return json_object_get(repository->meta, name);
}

static bool is_changed(const struct repository *repository, const char *role)
{
	for (size_t i = 0; i < repository->n_changes; i++)
		if (strcmp(repository->changes[i].role, role) == 0)
			return true;
	return false;
}

/* TARGETS is stolen. */
static void add_change(struct repository *repository, const char *role, json_t *targets)
{
	struct change *change;

	if (repository->n_changes == repository->changes_room) {
		repository->changes_room = repository->changes_room * 2 + 16;
		repository->changes = xrealloc(repository->changes, repository->changes_room,
					       sizeof(*repository->changes));
	}
	change = &repository->changes[repository->n_changes++];
	if (!text_copy(change->role, sizeof(change->role), role))
		die("role name %s", role);
	change->targets = targets;
}

/* Whether the role's current file is whole and says TARGETS. One that is lost or damaged is mended by signing a new
 * one. */
static bool is_current(const struct repository *repository, const char *role, const json_t *targets)
{
	_cleanup_(document_clearp) struct document document = {0};
	const json_t *meta = role_meta(repository, role);
	struct refusal ignored;

	return find_role(repository, role) != NULL && meta != NULL &&
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
	if (is_changed(repository, dataset))
		return refuse(why, FAULT_TUF_DELEGATION, "%s: given twice", dataset);
	if (json_object_size(targets) == 0 || json_object_size(targets) > LIMIT_TARGETS_PER_ROLE)
		return refuse(why, FAULT_TUF_DELEGATION, "%s: %zu targets, 1 to %d", dataset, json_object_size(targets),
			      LIMIT_TARGETS_PER_ROLE);
	if (is_current(repository, dataset, targets))
		return FAULT_NONE;
	add_change(repository, dataset, steal_pointer(&owned));
	return FAULT_NONE;
}

/* --- keys --- */

/* The one key that ROLE's metadata need, checked against what names it. */
static enum fault load_role_key(const struct repository *repository, const char *file, const char *role,
				const json_t *role_object, struct secret_key **ret_key, struct refusal *why)
{
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	int64_t threshold = 0;
	enum fault fault = json_get_integer(role_object, role, "threshold", true, 1, LIMIT_SIGNATURES, &threshold, why);

	if (fault != FAULT_NONE)
		return fault;
	if (threshold != 1)
		return refuse(why, FAULT_KEY_THRESHOLD,
			      "role %s wants %" PRId64 " signatures; this host has one key for it", role, threshold);
	fault = keyfolder_load(repository->keys_fd, file, repository->passphrase, &key, why);
	if (fault != FAULT_NONE)
		return fault;
	if (!document_role_names(role_object, secret_key_public(key)))
		return refuse(why, FAULT_KEY_ROLE, "keys/%s: key %.16s is not one that role %s names", file,
			      secret_key_public(key)->keyid, role);
	*ret_key = steal_pointer(&key);
	return FAULT_NONE;
}

static enum fault load_top_key(const struct repository *repository, const char *role, struct secret_key **ret_key,
			       struct refusal *why)
{
	char file[NOTATION_NAME_SIZE + 8];

	snprintf(file, sizeof(file), "%.63s.key", role);
	return load_role_key(repository, file, role, repository_root_role(repository, role), ret_key, why);
}

static enum fault get_role_key(const struct repository *repository, const char *role, struct secret_key **ret_key,
			       struct refusal *why)
{
	const json_t *delegation = find_role(repository, role);
	char file[NOTATION_NAME_SIZE + 24];

	if (delegation == NULL)
		return keyfolder_role(repository->keys_fd, role, true, repository->passphrase, ret_key, why);
	snprintf(file, sizeof(file), "datasets/%.63s.key", role);
	return load_role_key(repository, file, role, delegation, ret_key, why);
}

static void add_delegation(struct repository *repository, const char *role, const struct tuf_key *key)
{
	json_t *delegations = repository_delegations(repository);
	char path[NOTATION_NAME_SIZE + 8];

	snprintf(path, sizeof(path), strcmp(role, "status") == 0 ? "%.63s.json" : "%.63s/*", role);
	json_object_set_new(json_object_get(delegations, "keys"), key->keyid, tuf_key_to_json(key));
	json_array_append_new(json_object_get(delegations, "roles"),
			      or_die(json_pack("{s:s, s:[s], s:[s], s:b, s:i}", "name", role, "keyids", key->keyid,
					       "paths", path, "terminating", 1, "threshold", 1)));
	repository->delegations_changed = true;
}

/* --- signing --- */

static bool is_near_expiry(const struct repository *repository, int64_t expires, int64_t validity)
{
	return expires - repository->rules.now < validity / 3;
}

static void set_meta(struct repository *repository, const char *role, const struct document *document)
{
	char name[LIMIT_METADATA_NAME_SIZE];

	snprintf(name, sizeof(name), "%.63s.json", role);
	json_object_set_new(repository->meta, name, document_to_meta(document));
	repository->snapshot_changed = true;
}

static enum fault sign_role(struct repository *repository, struct change *change, struct refusal *why)
{
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	_cleanup_(document_clearp) struct document document = {0};
	uint64_t current = (uint64_t)json_integer_value(
		json_object_get(role_meta(repository, change->role), "version"));
	char name[LIMIT_METADATA_NAME_SIZE];
	uint64_t version;
	json_t *signed_;
	enum fault fault;

	fault = get_role_key(repository, change->role, &key, why);
	if (fault == FAULT_NONE)
		fault = document_next_version(repository->metadata_fd, change->role, current, &version, why);
	if (fault != FAULT_NONE)
		return fault;
	document_name(change->role, version, name);
	signed_ = document_new_signed("targets", version, repository->rules.now + repository->rules.datasets);
	json_object_set(signed_, "targets", change->targets);
	fault = document_put(repository->metadata_fd, name, signed_, (const struct secret_key *const *)&key, 1,
			     LIMIT_ROLE_SIZE, &document, why);
	if (fault != FAULT_NONE)
		return fault;
	if (find_role(repository, change->role) == NULL)
		add_delegation(repository, change->role, secret_key_public(key));
	set_meta(repository, change->role, &document);
	repository_add_file(repository, &document, change->role, true);
	return FAULT_NONE;
}

/* The roles that nobody changed: listed as they are, or, near their expiry, changed into themselves. */
static enum fault review_roles(struct repository *repository, struct refusal *why)
{
	const char *name;
	json_t *meta;

	json_object_foreach(repository->meta, name, meta)
	{
		_cleanup_(document_clearp) struct document document = {0};
		char role[LIMIT_METADATA_NAME_SIZE];
		size_t size = strlen(name);
		enum fault fault;

		if (size < 6 || size - 5 >= NOTATION_NAME_SIZE || strcmp(name + size - 5, ".json") != 0)
			return refuse(why, FAULT_REPOSITORY, "the snapshot names \"%s\"", name);
		snprintf(role, sizeof(role), "%.*s", (int)(size - 5), name);
		if (strcmp(role, "targets") == 0 || is_changed(repository, role))
			continue;
		fault = repository_load_named(repository, meta, role, "targets", LIMIT_ROLE_SIZE, &document, why);
		if (fault != FAULT_NONE)
			return fault;
		if (repository->rules.heartbeat &&
		    is_near_expiry(repository, document.expires, repository->rules.datasets))
			add_change(repository, role, json_incref(json_object_get(document.signed_, "targets")));
		else
			repository_add_file(repository, &document, role, false);
	}
	return FAULT_NONE;
}

/* Puts a new version of the top ROLE in place of DOCUMENT. SIGNED_ is stolen. */
static enum fault put_top(struct repository *repository, const char *role, const struct secret_key *key,
			  json_t *signed_, size_t limit, struct document *document, struct refusal *why)
{
	struct document put;
	char name[LIMIT_METADATA_NAME_SIZE];
	enum fault fault;

	document_name(role, (uint64_t)json_integer_value(json_object_get(signed_, "version")), name);
	fault = document_put(repository->metadata_fd, name, signed_, &key, 1, limit, &put, why);
	if (fault != FAULT_NONE)
		return fault;
	document_clear(document);
	*document = put;
	return FAULT_NONE;
}

static enum fault sign_targets(struct repository *repository, bool *ret_is_new, struct refusal *why)
{
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	json_t *signed_ = repository->targets.signed_;
	char expires[NOTATION_TIME_SIZE];
	uint64_t version;
	enum fault fault;

	*ret_is_new = repository->delegations_changed ||
		      (repository->rules.heartbeat &&
		       is_near_expiry(repository, repository->targets.expires, repository->rules.targets));
	if (!*ret_is_new)
		return FAULT_NONE;
	if (json_array_size(json_object_get(repository_delegations(repository), "roles")) > LIMIT_ROLES)
		return refuse(why, FAULT_REPOSITORY, "more than %d datasets: a larger catalogue needs hash bins",
			      LIMIT_ROLES);
	fault = load_top_key(repository, "targets", &key, why);
	if (fault == FAULT_NONE)
		fault = document_next_version(repository->metadata_fd, "targets", repository->targets.version, &version,
					      why);
	if (fault != FAULT_NONE)
		return fault;
	notation_format_time(repository->rules.now + repository->rules.targets, expires);
	json_object_set_new(signed_, "version", json_integer((json_int_t)version));
	json_object_set_new(signed_, "expires", or_die(json_string(expires)));
	fault = put_top(repository, "targets", key, json_incref(signed_), LIMIT_TARGETS_SIZE, &repository->targets,
			why);
	if (fault == FAULT_NONE)
		set_meta(repository, "targets", &repository->targets);
	return fault;
}

static enum fault sign_snapshot(struct repository *repository, bool *ret_is_new, struct refusal *why)
{
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	json_t *signed_;
	uint64_t version;
	enum fault fault;

	*ret_is_new = repository->snapshot_changed ||
		      is_near_expiry(repository, repository->snapshot.expires, repository->rules.snapshot);
	if (!*ret_is_new)
		return FAULT_NONE;
	fault = load_top_key(repository, "snapshot", &key, why);
	if (fault == FAULT_NONE)
		fault = document_next_version(repository->metadata_fd, "snapshot", repository->snapshot.version,
					      &version, why);
	if (fault != FAULT_NONE)
		return fault;
	signed_ = document_new_signed("snapshot", version, repository->rules.now + repository->rules.snapshot);
	json_object_set(signed_, "meta", repository->meta);
	return put_top(repository, "snapshot", key, signed_, LIMIT_SNAPSHOT_SIZE, &repository->snapshot, why);
}

static enum fault sign_timestamp(struct repository *repository, struct refusal *why)
{
	json_t *signed_ = document_new_signed("timestamp", repository->timestamp.version + 1,
					      repository->rules.now + repository->rules.timestamp);
	char issued[NOTATION_TIME_SIZE];

	notation_format_time(repository->rules.now, issued);
	json_object_set_new(signed_, "issued", or_die(json_string(issued)));
	json_object_set_new(signed_, "meta",
			    or_die(json_pack("{s:o}", "snapshot.json", document_to_meta(&repository->snapshot))));
	return put_top(repository, "timestamp", repository->timestamp_key, signed_, LIMIT_TIMESTAMP_SIZE,
		       &repository->timestamp, why);
}

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct repository_file *)a)->role, ((const struct repository_file *)b)->role);
}

enum fault repository_sign(struct repository *repository, struct refusal *why)
{
	const size_t n_roots = repository->n_files;
	bool targets_new;
	bool snapshot_new;
	enum fault fault = load_top_key(repository, "timestamp", &repository->timestamp_key, why);

	if (fault == FAULT_NONE)
		fault = review_roles(repository, why);
	for (size_t i = 0; fault == FAULT_NONE && i < repository->n_changes; i++)
		fault = sign_role(repository, &repository->changes[i], why);
	if (fault == FAULT_NONE)
		fault = sign_targets(repository, &targets_new, why);
	if (fault == FAULT_NONE)
		fault = sign_snapshot(repository, &snapshot_new, why);
	if (fault == FAULT_NONE)
		fault = sign_timestamp(repository, why);
	if (fault != FAULT_NONE)
		return fault;
	qsort(repository->files + n_roots, repository->n_files - n_roots, sizeof(*repository->files), compare_files);
	repository_add_file(repository, &repository->timestamp, "timestamp", true);
	repository_add_file(repository, &repository->snapshot, "snapshot", snapshot_new);
	repository_add_file(repository, &repository->targets, "targets", targets_new);
	repository->n_roots = n_roots;
	return FAULT_NONE;
}

size_t repository_n_files(const struct repository *repository)
{
	return repository->n_files;
}

/* The three top files were added last and are shown after the roots. */
const struct repository_file *repository_file(const struct repository *repository, size_t index)
{
	const size_t n_roots = repository->n_roots;

	if (index < n_roots)
		return &repository->files[index];
	if (index < n_roots + 3)
		return &repository->files[repository->n_files - 3 + (index - n_roots)];
	return &repository->files[index - 3];
}
