/* SPDX-License-Identifier: ISC
 *
 * repository_sign: what is written, and the order in which it is. Every role's file is read once a run for its expiry (the
 * snapshot names versions and hashes alone); everything else costs what changed. A role whose signatures are not all there
 * stays out of the snapshot with its new version, and stops nobody else.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "keys/keyfolder.h"
#include "keys/repository_private.h"

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void set_meta(struct repository *repository, const char *role, const struct document *document)
{
	char name[LIMIT_METADATA_NAME_SIZE];

	snprintf(name, sizeof(name), "%.63s.json", role);
	json_object_set_new(repository->meta, name, document_to_meta(document));
	repository->snapshot_changed = true;
}

/* Whether DOCUMENT has the signatures that DELEGATIONS ask of ROLE. */
static bool is_enough(const struct document *document, const json_t *delegations, const char *role)
{
	const json_t *object = repository_find_role(delegations, role);
	struct refusal ignored;

	return object != NULL &&
	       document_require(document, json_object_get(delegations, "keys"), object, &ignored) == FAULT_NONE;
}

/* --- what nobody asked for ------------------------------------------------------------------------------------------- */

/* "cog" of "cog.json"; FAULT_REPOSITORY for what is no role's file. */
static enum fault parse_meta_name(const char *name, char role[LIMIT_METADATA_NAME_SIZE], struct refusal *why)
{
	size_t size = strlen(name);

	if (size < 6 || size - 5 >= NOTATION_NAME_SIZE || strcmp(name + size - 5, ".json") != 0)
		return refuse(why, FAULT_REPOSITORY, "the snapshot names \"%s\"", name);
	snprintf(role, LIMIT_METADATA_NAME_SIZE, "%.*s", (int)(size - 5), name);
	return FAULT_NONE;
}

/* Near its expiry, trusted elsewhere already (a floor), or below what the next targets ask for. */
static bool must_sign_again(const struct repository *repository, const char *role, const struct document *document)
{
	if (document->version <= repository_floor(repository, role))
		return true;
	if (repository->rules.heartbeat &&
	    repository_is_near_expiry(repository, document->expires, repository->rules.datasets))
		return true;
	return repository->next.json != NULL && repository_find_role(repository_rules_of(repository), role) != NULL &&
	       !is_enough(document, repository_rules_of(repository), role);
}

/* The roles that nobody changed: listed as they are, or, where MAY_SIGN and they must be, changed into themselves. */
static enum fault review_roles(struct repository *repository, bool may_sign, struct refusal *why)
{
	const char *name;
	json_t *meta;

	json_object_foreach(repository->meta, name, meta)
	{
		_cleanup_(document_clear) struct document document = {0};
		char role[LIMIT_METADATA_NAME_SIZE];
		enum fault fault = parse_meta_name(name, role, why);

		if (fault != FAULT_NONE)
			return fault;
		if (strcmp(role, "targets") == 0 || repository_is_changed(repository, role))
			continue;
		fault = repository_load_named(repository, meta, role, "targets", LIMIT_ROLE_SIZE, &document, why);
		if (fault != FAULT_NONE)
			return fault;
		if (may_sign && must_sign_again(repository, role, &document)) {
			repository_add_change(repository, role,
					      json_incref(json_object_get(document.signed_, "targets")));
			repository->changes[repository->n_changes - 1].is_renewal = true;
		} else {
			repository_add_file(repository, &document, role, false);
		}
	}
	return FAULT_NONE;
}

/* --- roles ----------------------------------------------------------------------------------------------------------- */

static void add_delegation(struct repository *repository, const char *role, const struct tuf_key *key)
{
	json_t *delegations = repository_delegations(repository);
	char path[NOTATION_NAME_SIZE + 8];

	snprintf(path, sizeof(path), strcmp(role, "status") == 0 ? "%.63s.json" : "%.63s/*", role);
	json_object_set_new(json_object_get(delegations, "keys"), key->keyid, tuf_key_to_json(key));
	json_array_append_new(json_object_get(delegations, "roles"),
			      json_or_die(json_pack("{s:s, s:[s], s:[s], s:b, s:i}", "name", role, "keyids", key->keyid,
						    "paths", path, "terminating", 1, "threshold", 1)));
	repository->delegations_changed = true;
}

/* This host's key is enough for CHANGE. */
static enum fault sign_role(struct repository *repository, struct change *change, const struct secret_key *key,
			    struct refusal *why)
{
	uint64_t current = later(repository_role_version(repository, change->role),
				 repository_floor(repository, change->role));
	_cleanup_(document_clear) struct document pending = {0};
	char name[LIMIT_METADATA_NAME_SIZE];
	uint64_t version;
	json_t *signed_;
	enum fault fault = repository_load_pending(repository, change->role, &pending, why);

	/* A threshold that was lowered leaves what waited for it: its number is spent. */
	if (fault == FAULT_NONE)
		fault = document_next_version(repository->metadata_fd, change->role, later(current, pending.version),
					      &version, why);
	if (fault != FAULT_NONE)
		return fault;
	document_name(change->role, version, name);
	signed_ = document_new_signed("targets", version, repository->rules.now + repository->rules.datasets);
	json_object_set(signed_, "targets", change->targets);
	fault = document_put(repository->metadata_fd, name, signed_, &key, 1, LIMIT_ROLE_SIZE, &change->document, why);
	change->is_ready = fault == FAULT_NONE;
	return fault;
}

/* A dataset seen for the first time. */
static enum fault sign_new_role(struct repository *repository, struct change *change, struct refusal *why)
{
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	enum fault fault = keyfolder_role(repository->keys_fd, change->role, true, repository->passphrase, &key, why);

	if (fault != FAULT_NONE)
		return fault;
	if (!repository->has_targets_key) {
		repository_add_waiting(repository, REPOSITORY_WAITS_DELEGATION, change->role);
		return FAULT_NONE;
	}
	fault = sign_role(repository, change, key, why);
	if (fault == FAULT_NONE)
		add_delegation(repository, change->role, secret_key_public(key));
	return fault;
}

static int64_t threshold_of(const json_t *role_object)
{
	return json_integer_value(json_object_get(role_object, "threshold"));
}

/* Those that wait for others' signatures come first: whether the next targets can be named depends on them. */
static enum fault sign_shared_roles(struct repository *repository, struct refusal *why)
{
	for (size_t i = 0; i < repository->n_changes; i++) {
		struct change *change = &repository->changes[i];
		const json_t *object = repository_find_role(repository_rules_of(repository), change->role);
		enum fault fault;

		if (threshold_of(object) < 2)
			continue;
		fault = repository_sign_pending(repository, change, object, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	return FAULT_NONE;
}

/* Whether the client would lose ROLE with the next targets: its new version is not ready, its old one not enough. */
static bool would_be_lost(const struct repository *repository, const struct change *change)
{
	const json_t *delegations = repository_rules_of(repository);
	const json_t *meta = repository_role_meta(repository, change->role);
	_cleanup_(document_clear) struct document document = {0};
	struct refusal ignored;

	return meta != NULL && !change->is_ready && threshold_of(repository_find_role(delegations, change->role)) > 1 &&
	       (repository_load_named(repository, meta, change->role, "targets", LIMIT_ROLE_SIZE, &document,
				      &ignored) != FAULT_NONE ||
		!is_enough(&document, delegations, change->role));
}

/* Targets that were signed elsewhere replace the current ones once every role that the snapshot names can be verified by them. */
static void adopt_targets(struct repository *repository, bool *ret_is_new)
{
	*ret_is_new = false;
	if (repository->next.json == NULL)
		return;
	for (size_t i = 0; i < repository->n_changes; i++)
		if (would_be_lost(repository, &repository->changes[i]))
			return;
	document_clear(&repository->targets);
	repository->targets = repository->next;
	memset(&repository->next, 0, sizeof(repository->next));
	set_meta(repository, "targets", &repository->targets);
	*ret_is_new = true;
}

/* By this host's key alone; a role that only the next targets know waits for them. */
static enum fault sign_own_role(struct repository *repository, struct change *change, struct refusal *why)
{
	const json_t *object = repository_find_role(repository_delegations(repository), change->role);
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	char file[NOTATION_NAME_SIZE + 24];
	unsigned threshold;
	enum fault fault;

	if (object == NULL && repository_find_role(repository_rules_of(repository), change->role) != NULL) {
		repository_add_waiting(repository, REPOSITORY_WAITS_TARGETS, change->role);
		return FAULT_NONE;
	}
	if (object == NULL)
		return sign_new_role(repository, change, why);
	snprintf(file, sizeof(file), "datasets/%.63s.key", change->role);
	fault = repository_load_key(repository, file, change->role, object, &key, &threshold, why);
	return fault != FAULT_NONE ? fault : sign_role(repository, change, key, why);
}

/* The snapshot names what is ready and can be verified by the targets that it names; of the rest, what it named before. */
static enum fault name_role(struct repository *repository, const struct change *change, struct refusal *why)
{
	const json_t *meta = repository_role_meta(repository, change->role);
	_cleanup_(document_clear) struct document document = {0};
	enum fault fault;

	if (change->is_ready && is_enough(&change->document, repository_delegations(repository), change->role)) {
		set_meta(repository, change->role, &change->document);
		repository_add_file(repository, &change->document, change->role, true);
		return FAULT_NONE;
	}
	if (change->is_ready)
		repository_add_waiting(repository, REPOSITORY_WAITS_TARGETS, change->role)->version =
			change->document.version;
	if (meta == NULL)
		return FAULT_NONE;
	fault = repository_load_named(repository, meta, change->role, "targets", LIMIT_ROLE_SIZE, &document, why);
	if (fault == FAULT_NONE)
		repository_add_file(repository, &document, change->role, false);
	return fault;
}

static enum fault sign_roles(struct repository *repository, bool *ret_targets_new, struct refusal *why)
{
	enum fault fault = sign_shared_roles(repository, why);

	if (fault != FAULT_NONE)
		return fault;
	adopt_targets(repository, ret_targets_new);
	for (size_t i = 0; fault == FAULT_NONE && i < repository->n_changes; i++)
		if (threshold_of(repository_find_role(repository_rules_of(repository), repository->changes[i].role)) <
		    2)
			fault = sign_own_role(repository, &repository->changes[i], why);
	for (size_t i = 0; fault == FAULT_NONE && i < repository->n_changes; i++)
		fault = name_role(repository, &repository->changes[i], why);
	return fault;
}

/* --- the top roles --------------------------------------------------------------------------------------------------- */

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

/* Whether targets are to be signed here. Where their key is elsewhere a person is told in time. */
static bool are_targets_due(struct repository *repository)
{
	bool is_ending = repository->rules.heartbeat &&
			 repository_is_near_expiry(repository, repository->targets.expires, repository->rules.targets);
	bool is_below = repository->targets.version <= repository_floor(repository, "targets");

	if (repository->has_targets_key)
		return repository->delegations_changed || is_ending || is_below;
	if (is_ending || is_below) {
		struct repository_waiting *waiting = repository_add_waiting(repository, REPOSITORY_WAITS_TARGETS,
									    "targets");

		waiting->expires = repository->targets.expires;
		waiting->version = is_below ? repository_floor(repository, "targets") : 0;
	}
	return false;
}

static enum fault sign_targets(struct repository *repository, bool *ret_is_new, struct refusal *why)
{
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	json_t *signed_ = repository->targets.signed_;
	char expires[NOTATION_TIME_SIZE];
	uint64_t version;
	enum fault fault;

	if (!are_targets_due(repository))
		return FAULT_NONE;
	*ret_is_new = true;
	if (json_array_size(json_object_get(repository_delegations(repository), "roles")) > LIMIT_ROLES)
		return refuse(why, FAULT_REPOSITORY, "more than %d datasets: a larger catalogue needs hash bins",
			      LIMIT_ROLES);
	fault = repository_load_top_key(repository, "targets", &key, why);
	if (fault == FAULT_NONE)
		fault = document_next_version(
			repository->metadata_fd, "targets",
			later(repository->targets.version, repository_floor(repository, "targets")), &version, why);
	if (fault != FAULT_NONE)
		return fault;
	notation_format_time(repository->rules.now + repository->rules.targets, expires);
	json_object_set_new(signed_, "version", json_integer((json_int_t)version));
	json_object_set_new(signed_, "expires", json_or_die(json_string(expires)));
	fault = put_top(repository, "targets", key, json_incref(signed_), LIMIT_TARGETS_SIZE, &repository->targets,
			why);
	if (fault == FAULT_NONE)
		set_meta(repository, "targets", &repository->targets);
	return fault;
}

static enum fault sign_snapshot(struct repository *repository, bool *ret_is_new, struct refusal *why)
{
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	uint64_t floor = repository_floor(repository, "snapshot");
	json_t *signed_;
	uint64_t version;
	enum fault fault;

	*ret_is_new = repository->snapshot_changed || repository->snapshot.version <= floor ||
		      repository_is_near_expiry(repository, repository->snapshot.expires, repository->rules.snapshot);
	if (!*ret_is_new)
		return FAULT_NONE;
	fault = repository_load_top_key(repository, "snapshot", &key, why);
	if (fault == FAULT_NONE)
		fault = document_next_version(repository->metadata_fd, "snapshot",
					      later(repository->snapshot.version, floor), &version, why);
	if (fault != FAULT_NONE)
		return fault;
	signed_ = document_new_signed("snapshot", version, repository->rules.now + repository->rules.snapshot);
	json_object_set(signed_, "meta", repository->meta);
	return put_top(repository, "snapshot", key, signed_, LIMIT_SNAPSHOT_SIZE, &repository->snapshot, why);
}

static enum fault sign_timestamp(struct repository *repository, struct refusal *why)
{
	uint64_t current = later(repository->timestamp.version, repository_floor(repository, "timestamp"));
	json_t *signed_ = document_new_signed("timestamp", current + 1,
					      repository->rules.now + repository->rules.timestamp);
	char issued[NOTATION_TIME_SIZE];

	notation_format_time(repository->rules.now, issued);
	json_object_set_new(signed_, "issued", json_or_die(json_string(issued)));
	json_object_set_new(signed_, "meta",
			    json_or_die(json_pack("{s:o}", "snapshot.json", document_to_meta(&repository->snapshot))));
	return put_top(repository, "timestamp", repository->timestamp_key, signed_, LIMIT_TIMESTAMP_SIZE,
		       &repository->timestamp, why);
}

/* --- a run ----------------------------------------------------------------------------------------------------------- */

static bool is_top(const char *role)
{
	return strcmp(role, "timestamp") == 0 || strcmp(role, "snapshot") == 0 || strcmp(role, "targets") == 0;
}

/* TUF 1.0.34, 5.5.5: no role that a client trusts may vanish from the snapshot. */
static enum fault check_known(const struct repository *repository, struct refusal *why)
{
	for (size_t i = 0; i < repository->n_floors; i++) {
		const struct floor *floor = &repository->floors[i];

		if (!is_top(floor->role) && repository_role_meta(repository, floor->role) == NULL &&
		    !repository_is_changed(repository, floor->role))
			return refuse(why, FAULT_RECOVER_ROLE,
				      "the inside trusts %s version %" PRIu64
				      ", and nothing of that name was ever published here (TUF 1.0.34, 5.5.5)",
				      floor->role, floor->version);
	}
	return FAULT_NONE;
}

/* Whose turn it is. */
static enum fault turn_of(const struct repository *repository, const char *role)
{
	for (size_t i = 0; i < repository->n_waiting; i++)
		if (strcmp(repository->waiting[i].role, role) == 0)
			return repository->waiting[i].waits == REPOSITORY_WAITS_COSIGN       ? FAULT_WAITS_COSIGN
			       : repository->waiting[i].waits == REPOSITORY_WAITS_DELEGATION ? FAULT_WAITS_DELEGATION
											     : FAULT_WAITS_TARGETS;
	return FAULT_RECOVER_ROLE;
}

static enum fault check_floor(const struct repository *repository, const struct floor *floor, struct refusal *why)
{
	if (repository_role_version(repository, floor->role) > floor->version)
		return FAULT_NONE;
	return refuse(why, turn_of(repository, floor->role),
		      "%s must go above version %" PRIu64
		      ", which the inside may trust, and waits for a person's signature (TUF 1.0.34, 5.5.5)",
		      floor->role, floor->version);
}

/* The same for each version, of targets (which other roles may wait for) and of the roles: a snapshot that goes back is refused
 * whole. */
static enum fault check_floors(const struct repository *repository, struct refusal *why)
{
	const struct floor targets = {.role = "targets", .version = repository_floor(repository, "targets")};
	enum fault fault = check_floor(repository, &targets, why);

	for (size_t i = 0; fault == FAULT_NONE && i < repository->n_floors; i++)
		if (strcmp(repository->floors[i].role, "timestamp") != 0 &&
		    strcmp(repository->floors[i].role, "snapshot") != 0)
			fault = check_floor(repository, &repository->floors[i], why);
	return fault;
}

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct repository_file *)a)->role, ((const struct repository_file *)b)->role);
}

/* The files in the order in which they are told: roots, the three top roles, the rest by name. */
static void add_top_files(struct repository *repository, size_t n_roots, bool timestamp_new, bool snapshot_new,
			  bool targets_new)
{
	qsort(repository->files + n_roots, repository->n_files - n_roots, sizeof(*repository->files), compare_files);
	repository_add_file(repository, &repository->timestamp, "timestamp", timestamp_new);
	repository_add_file(repository, &repository->snapshot, "snapshot", snapshot_new);
	repository_add_file(repository, &repository->targets, "targets", targets_new);
	repository->n_roots = n_roots;
}

enum fault repository_sign(struct repository *repository, struct refusal *why)
{
	const size_t n_roots = repository->n_files;
	bool targets_new = false;
	bool snapshot_new;
	enum fault fault = repository_load_top_key(repository, "timestamp", &repository->timestamp_key, why);

	if (fault == FAULT_NONE)
		fault = check_known(repository, why);
	if (fault == FAULT_NONE)
		fault = repository_put_signatures(repository, why);
	if (fault == FAULT_NONE)
		fault = review_roles(repository, true, why);
	if (fault == FAULT_NONE)
		fault = sign_roles(repository, &targets_new, why);
	if (fault == FAULT_NONE)
		fault = sign_targets(repository, &targets_new, why);
	if (fault == FAULT_NONE)
		fault = check_floors(repository, why);
	if (fault == FAULT_NONE)
		fault = sign_snapshot(repository, &snapshot_new, why);
	if (fault == FAULT_NONE)
		fault = sign_timestamp(repository, why);
	if (fault != FAULT_NONE)
		return fault;
	repository_forget_passed(repository);
	add_top_files(repository, n_roots, true, snapshot_new, targets_new);
	return FAULT_NONE;
}

enum fault repository_list(struct repository *repository, struct refusal *why)
{
	const size_t n_roots = repository->n_files;
	enum fault fault = review_roles(repository, false, why);

	if (fault == FAULT_NONE)
		add_top_files(repository, n_roots, false, false, false);
	return fault;
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

size_t repository_n_waiting(const struct repository *repository)
{
	return repository->n_waiting;
}

const struct repository_waiting *repository_waiting(const struct repository *repository, size_t index)
{
	return &repository->waiting[index];
}
