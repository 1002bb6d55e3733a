/* SPDX-License-Identifier: ISC
 *
 * repository_open: reads back what is current, and believes nothing of it that no key of ours signed.
 */
#include "keys/repository.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "keys/repository_private.h"

void repository_add_file(struct repository *repository, const struct document *document, const char *role, bool is_new)
{
	struct repository_file *file;

	if (repository->n_files == repository->files_room) {
		repository->files_room = repository->files_room * 2 + 64;
		repository->files = xrealloc(repository->files, repository->files_room, sizeof(*repository->files));
	}
	file = &repository->files[repository->n_files++];
	memset(file, 0, sizeof(*file));
	if (!text_copy(file->name, sizeof(file->name), document->name) ||
	    !text_copy(file->role, sizeof(file->role), role))
		die("metadata name %s", document->name);
	file->version = document->version;
	file->size = document->size;
	file->expires = document->expires;
	file->is_new = is_new;
}

/* --- opening --- */

static const json_t *root_keys(const struct document *root)
{
	return json_object_get(root->signed_, "keys");
}

static const json_t *root_role(const struct document *root, const char *role)
{
	return json_object_get(json_object_get(root->signed_, "roles"), role);
}

/* TUF 1.0.34, 5.3: each root is signed by the one before it and by itself. The first is ours: what it says of itself
 * must hold. */
static enum fault load_roots(struct repository *repository, struct refusal *why)
{
	char name[LIMIT_METADATA_NAME_SIZE];

	for (uint64_t version = 1; version <= LIMIT_ROOT_ROTATIONS; version++) {
		_cleanup_(document_clear) struct document root = {0};
		enum fault fault;

		document_name("root", version, name);
		if (version > 1 && !fd_exists(repository->metadata_fd, name))
			break;
		fault = document_load(repository->metadata_fd, name, "root", LIMIT_ROOT_SIZE, &root, why);
		if (fault == FAULT_NONE && version > 1)
			fault = document_require(&root, root_keys(&repository->root),
						 root_role(&repository->root, "root"), why);
		if (fault == FAULT_NONE)
			fault = document_require(&root, root_keys(&root), root_role(&root, "root"), why);
		if (fault != FAULT_NONE)
			return fault;
		if (root.version != version)
			return refuse(why, FAULT_TUF_FORM, "%s: says version %" PRIu64 " (TUF 1.0.34, 5.3.5)", name,
				      root.version);
		repository_add_file(repository, &root, "root", false);
		document_clear(&repository->root);
		repository->root = root;
		memset(&root, 0, sizeof(root));
	}
	return FAULT_NONE;
}

enum fault repository_load_named(const struct repository *repository, const json_t *meta, const char *role,
				 const char *type, size_t limit, struct document *ret_document, struct refusal *why)
{
	_cleanup_(document_clear) struct document document = {0};
	char name[LIMIT_METADATA_NAME_SIZE];
	struct sha256 sha256;
	const char *hash = json_string_value(json_object_get(json_object_get(meta, "hashes"), "sha256"));
	int64_t version = 0;
	int64_t length = 0;
	enum fault fault;

	if ((fault = json_get_integer(meta, role, "version", true, 1, LIMIT_VERSION, &version, why)) != FAULT_NONE ||
	    (fault = json_get_integer(meta, role, "length", true, 1, (int64_t)limit, &length, why)) != FAULT_NONE)
		return refuse(why, FAULT_REPOSITORY, "the entry of %s that names it has no good version and length",
			      role);
	if (hash == NULL || !sha256_from_hex(hash, &sha256))
		return refuse(why, FAULT_REPOSITORY, "the entry of %s that names it has no SHA-256", role);
	document_name(role, (uint64_t)version, name);
	fault = document_load(repository->metadata_fd, name, type, limit, &document, why);
	if (fault != FAULT_NONE)
		return fault;
	if (document.size != (uint64_t)length || !sha256_equal(&document.sha256, &sha256))
		return refuse(why, FAULT_TUF_HASH, "%s: not the file that was signed for (TUF 1.0.34, 5.5.2)", name);
	if (document.version != (uint64_t)version)
		return refuse(why, FAULT_TUF_FORM, "%s: says version %" PRIu64, name, document.version);
	*ret_document = document;
	memset(&document, 0, sizeof(document));
	return FAULT_NONE;
}

static enum fault require_top(const struct repository *repository, const struct document *document, const char *role,
			      struct refusal *why)
{
	return document_require(document, root_keys(&repository->root), root_role(&repository->root, role), why);
}

/* The clock may not run behind what was signed: the inside takes the newest `issued` as the floor of its own. */
static enum fault check_clock(struct repository *repository, struct refusal *why)
{
	const char *text = NULL;
	char now[NOTATION_TIME_SIZE];
	int64_t issued;
	enum fault fault = json_get_text(repository->timestamp.signed_, "timestamp.json", "issued", true, &text, why);

	if (fault != FAULT_NONE)
		return fault;
	if (!notation_parse_time(text, &issued))
		return refuse(why, FAULT_TUF_FORM, "timestamp.json: issued \"%s\" is no time", text);
	if (repository->rules.now >= issued)
		return FAULT_NONE;
	notation_format_time(repository->rules.now, now);
	if (issued - repository->rules.now > REPOSITORY_CLOCK_STEP)
		return refuse(why, FAULT_CLOCK,
			      "timestamp %" PRIu64 " was signed at %s; this machine says that it is %s",
			      repository->timestamp.version, text, now);
	repository->rules.now = issued;
	return FAULT_NONE;
}

json_t *repository_delegations(const struct repository *repository)
{
	return json_object_get(repository->targets.signed_, "delegations");
}

const json_t *repository_root_role(const struct repository *repository, const char *role)
{
	return root_role(&repository->root, role);
}

static enum fault load_current(struct repository *repository, struct refusal *why)
{
	const json_t *meta;
	enum fault fault;

	fault = load_roots(repository, why);
	if (fault == FAULT_NONE)
		fault = document_load(repository->metadata_fd, "timestamp.json", "timestamp", LIMIT_TIMESTAMP_SIZE,
				      &repository->timestamp, why);
	if (fault == FAULT_NONE)
		fault = require_top(repository, &repository->timestamp, "timestamp", why);
	if (fault == FAULT_NONE)
		fault = check_clock(repository, why);
	if (fault != FAULT_NONE)
		return fault;
	meta = json_object_get(json_object_get(repository->timestamp.signed_, "meta"), "snapshot.json");
	fault = repository_load_named(repository, meta, "snapshot", "snapshot", LIMIT_SNAPSHOT_SIZE,
				      &repository->snapshot, why);
	if (fault == FAULT_NONE)
		fault = require_top(repository, &repository->snapshot, "snapshot", why);
	if (fault != FAULT_NONE)
		return fault;
	repository->meta = json_or_die(json_copy(json_object_get(repository->snapshot.signed_, "meta")));
	meta = json_object_get(repository->meta, "targets.json");
	fault = repository_load_named(repository, meta, "targets", "targets", LIMIT_TARGETS_SIZE, &repository->targets,
				      why);
	if (fault == FAULT_NONE)
		fault = require_top(repository, &repository->targets, "targets", why);
	if (fault == FAULT_NONE && (!json_is_object(json_object_get(repository_delegations(repository), "keys")) ||
				    !json_is_array(json_object_get(repository_delegations(repository), "roles"))))
		return refuse(why, FAULT_REPOSITORY, "%s: no delegations", repository->targets.name);
	return fault;
}

/* Whether DOCUMENT may follow the current targets: signed by root's keys for them, not over, and with delegations. */
static bool is_good_next(const struct repository *repository, const struct document *document, uint64_t version)
{
	const json_t *delegations = json_object_get(document->signed_, "delegations");
	struct refusal ignored;

	return document->version == version && document->expires > repository->rules.now &&
	       require_top(repository, document, "targets", &ignored) == FAULT_NONE &&
	       json_is_object(json_object_get(delegations, "keys")) &&
	       json_is_array(json_object_get(delegations, "roles"));
}

/* Where the targets key is elsewhere its holder's newest file is put beside the others, and taken from there. What is not
 * signed enough yet is as if it were not there. */
static void find_next_targets(struct repository *repository)
{
	uint64_t current = repository->targets.version;

	repository->has_targets_key = fd_exists(repository->keys_fd, "targets.key");
	if (repository->has_targets_key)
		return;
	for (uint64_t version = current + 1; version <= current + REPOSITORY_TARGETS_AHEAD; version++) {
		_cleanup_(document_clear) struct document document = {0};
		char name[LIMIT_METADATA_NAME_SIZE];
		struct refusal why;

		document_name("targets", version, name);
		if (!fd_exists(repository->metadata_fd, name))
			continue;
		if (document_load(repository->metadata_fd, name, "targets", LIMIT_TARGETS_SIZE, &document, &why) !=
			    FAULT_NONE ||
		    !is_good_next(repository, &document, version)) {
			log_warning("%s is not signed as root asks: not taken", name);
			continue;
		}
		document_clear(&repository->next);
		repository->next = document;
		memset(&document, 0, sizeof(document));
	}
}

enum fault repository_open(int metadata_fd, int keys_fd, struct passphrase *passphrase,
			   const struct repository_rules *rules, struct repository **ret_repository,
			   struct refusal *why)
{
	_cleanup_(repository_freep) struct repository *repository = xcalloc(1, sizeof(*repository));
	enum fault fault;

	repository->metadata_fd = metadata_fd;
	repository->keys_fd = keys_fd;
	repository->passphrase = passphrase;
	repository->rules = *rules;
	fault = secret_folder_check(keys_fd, "keys", why);
	if (fault == FAULT_NONE)
		fault = load_current(repository, why);
	if (fault != FAULT_NONE)
		return fault;
	find_next_targets(repository);
	*ret_repository = steal_pointer(&repository);
	return FAULT_NONE;
}

void repository_free(struct repository *repository)
{
	if (repository == NULL)
		return;
	document_clear(&repository->root);
	document_clear(&repository->timestamp);
	document_clear(&repository->snapshot);
	document_clear(&repository->targets);
	document_clear(&repository->next);
	for (size_t i = 0; i < repository->n_changes; i++) {
		json_decref(repository->changes[i].targets);
		document_clear(&repository->changes[i].document);
	}
	free(repository->floors);
	free(repository->signatures);
	free(repository->waiting);
	json_decref(repository->meta);
	secret_key_free(repository->timestamp_key);
	free(repository->changes);
	free(repository->files);
	free(repository->pruned);
	free(repository);
}

void repository_freep(struct repository **repository)
{
	repository_free(*repository);
}
