/* SPDX-License-Identifier: ISC
 *
 * repository_pending: metadata of a role whose delegation asks for more signatures than this host's: metadata/pending/<role>.json,
 * the newest alone, replaced in one rename. Its version number is spent: what takes its place has a higher one, so that two
 * people never sign one version twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "keys/canonical.h"
#include "keys/repository_private.h"

#define FOLDER "pending"

static void file_name(const char *role, char name[LIMIT_METADATA_NAME_SIZE])
{
	snprintf(name, LIMIT_METADATA_NAME_SIZE, "%.63s.json", role);
}

enum fault repository_load_pending(const struct repository *repository, const char *role, struct document *ret_document,
				   struct refusal *why)
{
	_cleanup_close_ int folder_fd = fd_open_beneath(repository->metadata_fd, FOLDER,
							O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	char name[LIMIT_METADATA_NAME_SIZE];

	memset(ret_document, 0, sizeof(*ret_document));
	file_name(role, name);
	if (folder_fd == -ENOENT || (folder_fd >= 0 && !fd_exists(folder_fd, name)))
		return FAULT_NONE;
	if (folder_fd < 0)
		return refuse(why, FAULT_FILE, "metadata/" FOLDER ": %s", strerror(-folder_fd));
	if (document_load(folder_fd, name, "targets", LIMIT_ROLE_SIZE, ret_document, why) != FAULT_NONE) {
		refuse_within(why, "metadata/" FOLDER);
		return why == NULL ? FAULT_REPOSITORY : (why->fault = FAULT_REPOSITORY);
	}
	document_name(role, ret_document->version, ret_document->name);
	return FAULT_NONE;
}

static enum fault put_pending(const struct repository *repository, const char *role, const struct document *document,
			      struct refusal *why)
{
	_cleanup_close_ int folder_fd = fd_make_dir(repository->metadata_fd, FOLDER, 0755);
	char name[LIMIT_METADATA_NAME_SIZE];

	if (folder_fd < 0)
		return refuse(why, FAULT_STORAGE, "metadata/" FOLDER ": %s", strerror(-folder_fd));
	file_name(role, name);
	return document_write(folder_fd, name, document, LIMIT_ROLE_SIZE, why);
}

/* A second signature on something that is about to be replaced would be lost: it is kept for as long as it can be. */
static bool is_still_good(const struct repository *repository, const struct change *change,
			  const struct document *pending, const struct tuf_key *key)
{
	return pending->json != NULL && pending->version > repository_role_version(repository, change->role) &&
	       pending->version > repository_floor(repository, change->role) &&
	       json_equal(json_object_get(pending->signed_, "targets"), change->targets) &&
	       !repository_is_near_expiry(repository, pending->expires, repository->rules.datasets) &&
	       document_is_signed_by(pending, key);
}

static enum fault make_pending(const struct repository *repository, const struct change *change, uint64_t spent,
			       const struct secret_key *key, struct document *document, struct refusal *why)
{
	uint64_t current = repository_role_version(repository, change->role);
	uint64_t floor = repository_floor(repository, change->role);
	uint64_t version;
	bool changed;
	enum fault fault;

	current = current > floor ? current : floor;
	current = current > spent ? current : spent;
	fault = document_next_version(repository->metadata_fd, change->role, current, &version, why);
	if (fault != FAULT_NONE)
		return fault;
	document_clear(document);
	document->signed_ = document_new_signed("targets", version, repository->rules.now + repository->rules.datasets);
	json_object_set(document->signed_, "targets", change->targets);
	document->json = json_pack("{s:[], s:o}", "signatures", "signed", document->signed_);
	if (document->json == NULL)
		die("out of memory");
	fault = document_sign(document, key, &changed, why);
	return fault != FAULT_NONE ? fault : put_pending(repository, change->role, document, why);
}

struct repository_waiting *repository_add_waiting(struct repository *repository, enum repository_waits waits,
						  const char *role)
{
	struct repository_waiting *waiting;

	repository->waiting = xrealloc(repository->waiting, repository->n_waiting + 1, sizeof(*repository->waiting));
	waiting = &repository->waiting[repository->n_waiting++];
	memset(waiting, 0, sizeof(*waiting));
	waiting->waits = waits;
	if (!text_copy(waiting->role, sizeof(waiting->role), role))
		die("role name %s", role);
	return waiting;
}

/* Who of ROLE_OBJECT's keys has not signed DOCUMENT. */
static void list_missing(const struct repository *repository, const struct document *document,
			 const json_t *role_object, struct repository_waiting *waiting)
{
	const json_t *keys = json_object_get(repository_rules_of(repository), "keys");
	const json_t *keyids = json_object_get(role_object, "keyids");

	for (size_t i = 0; i < json_array_size(keyids) && waiting->n_keyids < REPOSITORY_WAITING_KEYS; i++) {
		const char *keyid = json_string_value(json_array_get(keyids, i));
		struct tuf_key key;

		if (keyid != NULL && tuf_key_parse(keyid, json_object_get(keys, keyid), &key, NULL) == FAULT_NONE &&
		    !document_is_signed_by(document, &key))
			memcpy(waiting->keyids[waiting->n_keyids++], key.keyid, TUF_KEYID_SIZE);
	}
}

static enum fault judge(struct repository *repository, struct change *change, const json_t *role_object,
			struct refusal *why)
{
	const json_t *keys = json_object_get(repository_rules_of(repository), "keys");
	struct repository_waiting *waiting;
	unsigned valid;
	unsigned threshold;
	enum fault fault = document_count(&change->document, keys, role_object, &valid, &threshold, why);

	if (fault != FAULT_NONE)
		return fault;
	change->is_ready = valid >= threshold;
	if (change->is_ready)
		return document_write(repository->metadata_fd, change->document.name, &change->document,
				      LIMIT_ROLE_SIZE, why);
	waiting = repository_add_waiting(repository, REPOSITORY_WAITS_COSIGN, change->role);
	waiting->version = change->document.version;
	waiting->valid = valid;
	waiting->threshold = threshold;
	waiting->expires = change->document.expires;
	waiting->is_renewal = change->is_renewal;
	list_missing(repository, &change->document, role_object, waiting);
	return FAULT_NONE;
}

enum fault repository_sign_pending(struct repository *repository, struct change *change, const json_t *role_object,
				   struct refusal *why)
{
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	_cleanup_(document_clear) struct document pending = {0};
	char file[NOTATION_NAME_SIZE + 24];
	unsigned threshold;
	enum fault fault;

	if (repository->has_targets_key)
		return refuse(why, FAULT_KEY_THRESHOLD,
			      "role %s wants more signatures than one; that protects nothing while keys/targets.key is "
			      "here: its holder can set it back to 1",
			      change->role);
	snprintf(file, sizeof(file), "datasets/%.63s.key", change->role);
	fault = repository_load_key(repository, file, change->role, role_object, &key, &threshold, why);
	if (fault == FAULT_NONE)
		fault = repository_load_pending(repository, change->role, &pending, why);
	if (fault == FAULT_NONE && !is_still_good(repository, change, &pending, secret_key_public(key))) {
		fault = make_pending(repository, change, pending.version, key, &pending, why);
		if (fault == FAULT_NONE) {
			document_clear(&pending);
			fault = repository_load_pending(repository, change->role, &pending, why);
		}
	}
	if (fault != FAULT_NONE)
		return fault;
	change->document = pending;
	memset(&pending, 0, sizeof(pending));
	return judge(repository, change, role_object, why);
}

/* Whether ROLE's snapshot entry is as new as what waits, or newer: what waited was named, or is over. */
static bool has_passed(const struct repository *repository, const char *role)
{
	_cleanup_(document_clear) struct document pending = {0};
	struct refusal ignored;

	return repository_load_pending(repository, role, &pending, &ignored) == FAULT_NONE && pending.json != NULL &&
	       pending.version <= repository_role_version(repository, role);
}

void repository_forget_passed(const struct repository *repository)
{
	_cleanup_close_ int folder_fd = fd_open_beneath(repository->metadata_fd, FOLDER,
							O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	const char *name;
	json_t *meta;

	if (folder_fd < 0)
		return;
	json_object_foreach(repository->meta, name, meta)
	{
		char role[NOTATION_NAME_SIZE];

		if (!fd_exists(folder_fd, name))
			continue;
		snprintf(role, sizeof(role), "%.*s", (int)(strlen(name) - strlen(".json")), name);
		/* One that stays is known by its version: nobody waits for it. */
		if (has_passed(repository, role) && (unlinkat(folder_fd, name, 0) < 0 || fsync(folder_fd) < 0))
			log_warning("metadata/" FOLDER "/%s: %s", name, strerror(errno));
	}
}

/* --- the second person ------------------------------------------------------------------------------------------------ */

static enum fault check_version(const struct repository *repository, const struct repository_signature *signature,
				const struct document *pending, struct refusal *why)
{
	const char *role = signature->role;
	uint64_t current = repository_role_version(repository, role);

	if (signature->version <= current)
		return refuse(why, FAULT_COSIGN_STALE,
			      "%s version %" PRIu64 ": version %" PRIu64 " was published since", role,
			      signature->version, current);
	if (pending->json == NULL || pending->version <= current)
		return refuse(why, FAULT_COSIGN_STALE, "%s version %" PRIu64 ": nothing of that dataset waits", role,
			      signature->version);
	if (signature->version != pending->version)
		return refuse(why, FAULT_COSIGN_STALE, "%s version %" PRIu64 ": version %" PRIu64 " waits %s", role,
			      signature->version, pending->version,
			      signature->version < pending->version ? "in its place since" : "here");
	return FAULT_NONE;
}

/* What is verified is what the role asks for: the key's own signature, over what waits here. */
static enum fault check_signature(const struct repository *repository, const struct repository_signature *signature,
				  const struct document *pending, struct refusal *why)
{
	const json_t *rules = repository_rules_of(repository);
	const json_t *object = json_object_get(json_object_get(rules, "keys"), signature->keyid);
	_cleanup_free_ uint8_t *canonical = NULL;
	struct sha256 digest;
	struct tuf_key key;
	size_t size;

	if (tuf_key_parse(signature->keyid, object, &key, NULL) != FAULT_NONE ||
	    !document_role_names(repository_find_role(rules, signature->role), &key))
		return refuse(why, FAULT_COSIGN_FOREIGN, "%s: key %.16s is not one that its delegation names",
			      signature->role, signature->keyid);
	if (document_is_signed_by(pending, &key))
		return refuse(why, FAULT_COSIGN_TWICE, "%s version %" PRIu64 ": key %.16s has signed it already",
			      signature->role, pending->version, signature->keyid);
	if (canonical_encode(pending->signed_, &canonical, &size, why) != FAULT_NONE)
		return why->fault;
	hash_bytes(canonical, size, &digest);
	if (!sha256_equal(&digest, &signature->digest))
		return refuse(why, FAULT_COSIGN_WRONG,
			      "%s version %" PRIu64 ": key %.16s signed other bytes than wait here", signature->role,
			      pending->version, signature->keyid);
	if (!tuf_key_verify(&key, canonical, size, signature->bytes))
		return refuse(why, FAULT_COSIGN_WRONG, "%s version %" PRIu64 ": the signature is not key %.16s's",
			      signature->role, pending->version, signature->keyid);
	return FAULT_NONE;
}

enum fault repository_add_signature(struct repository *repository, const struct repository_signature *signature,
				    struct refusal *why)
{
	_cleanup_(document_clear) struct document pending = {0};
	enum fault fault = repository_load_pending(repository, signature->role, &pending, why);

	if (fault == FAULT_NONE)
		fault = check_version(repository, signature, &pending, why);
	if (fault == FAULT_NONE)
		fault = check_signature(repository, signature, &pending, why);
	for (size_t i = 0; fault == FAULT_NONE && i < repository->n_signatures; i++)
		if (strcmp(repository->signatures[i].role, signature->role) == 0 &&
		    strcmp(repository->signatures[i].keyid, signature->keyid) == 0)
			fault = refuse(why, FAULT_COSIGN_TWICE, "%s version %" PRIu64 ": key %.16s signs it twice",
				       signature->role, signature->version, signature->keyid);
	if (fault != FAULT_NONE)
		return fault;
	repository->signatures = xrealloc(repository->signatures, repository->n_signatures + 1,
					  sizeof(*repository->signatures));
	repository->signatures[repository->n_signatures++] = *signature;
	return FAULT_NONE;
}

enum fault repository_put_signatures(const struct repository *repository, struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	for (size_t i = 0; fault == FAULT_NONE && i < repository->n_signatures; i++) {
		const struct repository_signature *signature = &repository->signatures[i];
		_cleanup_(document_clear) struct document pending = {0};

		fault = repository_load_pending(repository, signature->role, &pending, why);
		if (fault == FAULT_NONE && pending.json != NULL)
			fault = document_add_signature(&pending, signature->keyid, signature->bytes, why);
		if (fault == FAULT_NONE && pending.json != NULL)
			fault = put_pending(repository, signature->role, &pending, why);
	}
	return fault;
}
