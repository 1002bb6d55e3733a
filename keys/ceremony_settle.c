/* SPDX-License-Identifier: ISC
 *
 * ceremony_settle: loads what is current, compares it with who may sign from now on, signs the difference. The order of writing is
 * repository.c's: roles, targets, snapshot, and last timestamp.json; then the keys folder.
 */
#include "keys/ceremony_settle.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "keys/ceremony_assemble.h"
#include "keys/ceremony_change.h"
#include "keys/ceremony_form.h"
#include "keys/ceremony_keys.h"
#include "keys/repository.h"

/* A snapshot every second for thirty years has ten digits. */
#define HONEST_DIGITS 10

/* A file that its role's keys do not vouch for any more, and the key that will. */
struct renewal {
	char role[NOTATION_NAME_SIZE];
	struct document document;
	struct secret_key *key;
};

struct settle {
	struct settle_options options;
	const struct sign_request *request;
	bool is_root;                  /* of the request */
	struct document root, targets; /* as they will be; borrowed from REQUEST or from one of CARRIED */
	struct sign_carried carried_root, carried_targets;
	struct document timestamp, snapshot;
	json_t *meta;             /* owned: the snapshot's, brought up to date */
	struct renewal *renewals; /* delegated roles */
	size_t n_renewals;
	struct secret_key *targets_key, *snapshot_key, *timestamp_key; /* NULL: not to be signed */
	const char *waits_for;
};

void settle_free(struct settle *settle)
{
	if (settle == NULL)
		return;
	sign_carried_clear(&settle->carried_root);
	sign_carried_clear(&settle->carried_targets);
	document_clear(&settle->timestamp);
	document_clear(&settle->snapshot);
	json_decref(settle->meta);
	for (size_t i = 0; i < settle->n_renewals; i++) {
		document_clear(&settle->renewals[i].document);
		secret_key_free(settle->renewals[i].key);
	}
	free(settle->renewals);
	secret_key_free(settle->targets_key);
	secret_key_free(settle->snapshot_key);
	secret_key_free(settle->timestamp_key);
	free(settle);
}

void settle_freep(struct settle **settle)
{
	settle_free(*settle);
}

const char *settle_waits_for(const struct settle *settle)
{
	return settle->waits_for;
}

/* --- what is current --- */

/* Whether DOCUMENT is signed by ROLE's keys of SIGNED_ (a root, or targets). */
static bool is_vouched(const struct document *document, const json_t *signed_, const char *role)
{
	const json_t *object = change_role(signed_, role);

	return object != NULL && document_require(document, change_keys(signed_), object, NULL) == FAULT_NONE;
}

/* By the root to come, or by any before it: what was current was signed for once. */
static enum fault require_some_root(const struct settle *settle, const struct document *document, const char *role,
				    struct refusal *why)
{
	for (uint64_t version = settle->root.version; version > 0; version--) {
		_cleanup_(sign_carried_clear) struct sign_carried root = {0};
		enum fault fault;

		if (version == settle->request->next.version && settle->is_root) {
			if (is_vouched(document, settle->root.signed_, role))
				return FAULT_NONE;
			continue;
		}
		fault = ceremony_load_version(settle->options.metadata_fd, "root", version, &root, why);
		if (fault != FAULT_NONE)
			return fault;
		if (is_vouched(document, root.document.signed_, role))
			return FAULT_NONE;
	}
	return refuse(why, FAULT_TUF_SIGNATURE, "%s: no root's keys signed it", document->name);
}

/* The file that META names, with its version, length and hash. */
static enum fault load_named(const struct settle *settle, const json_t *meta, const char *role, const char *type,
			     size_t limit, struct document *ret_document, struct refusal *why)
{
	const json_int_t version = json_integer_value(json_object_get(meta, "version"));
	const char *hex = json_string_value(json_object_get(json_object_get(meta, "hashes"), "sha256"));
	char name[LIMIT_METADATA_NAME_SIZE];
	struct sha256 sha256;
	enum fault fault;

	if (version < 1 || hex == NULL || !sha256_from_hex(hex, &sha256))
		return refuse(why, FAULT_REPOSITORY, "the entry that names %s has no version or no SHA-256", role);
	document_name(role, (uint64_t)version, name);
	fault = document_load(settle->options.metadata_fd, name, type, limit, ret_document, why);
	if (fault == FAULT_NONE &&
	    (!sha256_equal(&sha256, &ret_document->sha256) || ret_document->version != (uint64_t)version))
		return refuse(why, FAULT_TUF_HASH, "%s: not the file that was signed for (TUF 1.0.34, 5.5.2)", name);
	return fault;
}

/* The inside's clock may not run behind what was signed; where versions begin again, its root ends that, too. */
static enum fault check_clock(const struct settle *settle, struct refusal *why)
{
	const char *text = json_string_value(json_object_get(settle->timestamp.signed_, "issued"));
	char now[NOTATION_TIME_SIZE];
	int64_t issued;

	if (text == NULL || !notation_parse_time(text, &issued) || settle->options.restart ||
	    issued <= settle->options.now + REPOSITORY_CLOCK_STEP)
		return FAULT_NONE;
	notation_format_time(settle->options.now, now);
	return refuse(why, FAULT_CLOCK, "timestamp %" PRIu64 " was signed at %s; this machine says that it is %s",
		      settle->timestamp.version, text, now);
}

/* Timestamp and snapshot, and the targets that the snapshot names unless the request brings newer ones. */
static enum fault load_current(struct settle *settle, struct refusal *why)
{
	const json_t *meta;
	struct document *targets = &settle->carried_targets.document;
	enum fault fault = document_load(settle->options.metadata_fd, "timestamp.json", "timestamp",
					 LIMIT_TIMESTAMP_SIZE, &settle->timestamp, why);

	if (fault == FAULT_NONE)
		fault = require_some_root(settle, &settle->timestamp, "timestamp", why);
	if (fault == FAULT_NONE)
		fault = check_clock(settle, why);
	if (fault != FAULT_NONE)
		return fault;
	meta = json_object_get(json_object_get(settle->timestamp.signed_, "meta"), "snapshot.json");
	fault = load_named(settle, meta, "snapshot", "snapshot", LIMIT_SNAPSHOT_SIZE, &settle->snapshot, why);
	if (fault == FAULT_NONE)
		fault = require_some_root(settle, &settle->snapshot, "snapshot", why);
	if (fault != FAULT_NONE)
		return fault;
	settle->meta = json_or_die(json_copy(json_object_get(settle->snapshot.signed_, "meta")));
	fault = load_named(settle, json_object_get(settle->meta, "targets.json"), "targets", "targets",
			   LIMIT_TARGETS_SIZE, targets, why);
	if (settle->is_root)
		settle->targets = *targets;
	return fault;
}

/* --- what must be signed --- */

/* The role's key, if ROLE (of SIGNED_) can be signed by one that is here. */
static enum fault open_key(const struct settle *settle, const json_t *signed_, const char *role,
			   struct secret_key **ret_key, struct refusal *why)
{
	const json_t *object = change_role(signed_, role);
	const json_int_t threshold = json_integer_value(json_object_get(object, "threshold"));

	if (threshold != 1)
		return refuse(why, FAULT_KEY_THRESHOLD,
			      "role %s must be signed anew, by %" JSON_INTEGER_FORMAT " keys; here is one at most",
			      role, threshold);
	if (settle->options.keys_fd < 0)
		return refuse(why, FAULT_KEY_ROLE, "role %s must be signed anew: --keys DIR is needed", role);
	return everyday_key_open(settle->options.keys_fd, role, object, settle->options.passphrase, ret_key, why);
}

static enum fault plan_role(struct settle *settle, const char *role, const json_t *meta, struct refusal *why)
{
	struct renewal *renewal = &settle->renewals[settle->n_renewals];
	_cleanup_(document_clear) struct document document = {0};
	enum fault fault = load_named(settle, meta, role, "targets", LIMIT_ROLE_SIZE, &document, why);

	if (fault != FAULT_NONE)
		return fault;
	if (change_role(settle->targets.signed_, role) == NULL)
		return refuse(why, FAULT_CEREMONY_REQUEST,
			      "role %s is in the snapshot and would not be delegated any more", role);
	if (is_vouched(&document, settle->targets.signed_, role))
		return FAULT_NONE;
	fault = open_key(settle, settle->targets.signed_, role, &renewal->key, why);
	if (fault != FAULT_NONE)
		return fault;
	text_copy(renewal->role, sizeof(renewal->role), role);
	renewal->document = document;
	memset(&document, 0, sizeof(document));
	settle->n_renewals++;
	return FAULT_NONE;
}

static enum fault plan_roles(struct settle *settle, struct refusal *why)
{
	const char *name;
	json_t *meta;

	settle->renewals = xcalloc(json_object_size(settle->meta) + 1, sizeof(*settle->renewals));
	json_object_foreach(settle->meta, name, meta)
	{
		char role[NOTATION_NAME_SIZE];
		size_t size = strlen(name);
		enum fault fault;

		if (size < 6 || size - 5 >= sizeof(role) || strcmp(name + size - 5, ".json") != 0)
			return refuse(why, FAULT_REPOSITORY, "the snapshot names \"%s\"", name);
		snprintf(role, sizeof(role), "%.*s", (int)(size - 5), name);
		if (strcmp(role, "targets") == 0)
			continue;
		fault = plan_role(settle, role, meta, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	return FAULT_NONE;
}

/* Targets that the new root does not vouch for: signed here where their key is, else by a ceremony of their own. */
static enum fault plan_targets(struct settle *settle, struct refusal *why)
{
	const json_t *object = change_role(settle->root.signed_, "targets");

	if (!settle->is_root || is_vouched(&settle->targets, settle->root.signed_, "targets"))
		return FAULT_NONE;
	if (json_integer_value(json_object_get(object, "threshold")) == 1 && settle->options.keys_fd >= 0 &&
	    everyday_key_is_here(settle->options.keys_fd, "targets", object))
		return open_key(settle, settle->root.signed_, "targets", &settle->targets_key, why);
	settle->waits_for = "targets must be signed by their new keys";
	return FAULT_NONE;
}

/* A client forgets timestamp and snapshot once a key of theirs is gone; only then may versions begin again. */
static enum fault check_restart(const struct settle *settle, struct refusal *why)
{
	static const char *const roles[] = {"timestamp", "snapshot"};

	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		const json_t *old = change_role(settle->request->root.document.signed_, roles[i]);
		const json_t *keyids = json_object_get(old, "keyids");

		if (!settle->is_root || old == NULL)
			return refuse(why, FAULT_CEREMONY_REQUEST, "versions begin again only with a new root");
		for (size_t k = 0; k < json_array_size(keyids); k++) {
			struct tuf_key key;

			snprintf(key.keyid, sizeof(key.keyid), "%s", json_string_value(json_array_get(keyids, k)));
			if (document_role_names(change_role(settle->root.signed_, roles[i]), &key))
				return refuse(why, FAULT_CEREMONY_REQUEST,
					      "versions begin again only where root takes away every key of %s; %.16s "
					      "stays (TUF 1.0.34, 5.3.11)",
					      roles[i], key.keyid);
		}
	}
	return FAULT_NONE;
}

static bool targets_are_new(const struct settle *settle)
{
	const json_t *named = json_object_get(settle->meta, "targets.json");

	return settle->targets_key != NULL ||
	       json_integer_value(json_object_get(named, "version")) != (json_int_t)settle->targets.version;
}

static enum fault plan_tops(struct settle *settle, struct refusal *why)
{
	bool snapshot = settle->n_renewals > 0 || targets_are_new(settle) || settle->options.restart ||
			!is_vouched(&settle->snapshot, settle->root.signed_, "snapshot");
	bool timestamp = snapshot || !is_vouched(&settle->timestamp, settle->root.signed_, "timestamp");
	enum fault fault = FAULT_NONE;

	if (timestamp && settle->timestamp.version >= (uint64_t)LIMIT_VERSION && !settle->options.restart)
		return refuse(why, FAULT_CEREMONY_REQUEST,
			      "timestamp.json has version %" PRIu64 ", the last there is: --restart-versions, with new "
			      "keys for timestamp and snapshot",
			      settle->timestamp.version);
	if (snapshot)
		fault = open_key(settle, settle->root.signed_, "snapshot", &settle->snapshot_key, why);
	if (fault == FAULT_NONE && timestamp)
		fault = open_key(settle, settle->root.signed_, "timestamp", &settle->timestamp_key, why);
	return fault;
}

/* A repository without a timestamp: its first one is made as soon as root and targets are whole. */
static enum fault plan_first(struct settle *settle, struct refusal *why)
{
	enum fault fault;

	if (settle->root.json == NULL || settle->targets.json == NULL) {
		settle->waits_for = settle->root.json == NULL ? "1.root.json must be signed"
							      : "1.targets.json must be signed";
		return FAULT_NONE;
	}
	if (!is_vouched(&settle->targets, settle->root.signed_, "targets"))
		return refuse(why, FAULT_TUF_SIGNATURE, "%s: not signed by the keys that %s names",
			      settle->targets.name, settle->root.name);
	settle->meta = json_or_die(json_object());
	fault = open_key(settle, settle->root.signed_, "snapshot", &settle->snapshot_key, why);
	return fault != FAULT_NONE ? fault
				   : open_key(settle, settle->root.signed_, "timestamp", &settle->timestamp_key, why);
}

/* What the request does not bring is what the folder has. */
static enum fault load_first(struct settle *settle, struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	if (settle->is_root && fd_exists(settle->options.metadata_fd, "1.targets.json")) {
		fault = ceremony_load_version(settle->options.metadata_fd, "targets", 1, &settle->carried_targets, why);
		settle->targets = settle->carried_targets.document;
	}
	return fault;
}

enum fault settle_prepare(const struct settle_options *options, const struct sign_request *request,
			  struct settle **ret_settle, struct refusal *why)
{
	_cleanup_(settle_freep) struct settle *settle = xcalloc(1, sizeof(*settle));
	const bool is_first = !fd_exists(options->metadata_fd, "timestamp.json");
	enum fault fault = FAULT_NONE;

	settle->options = *options;
	settle->request = request;
	settle->is_root = strcmp(request->role, "root") == 0;
	if (settle->is_root) {
		settle->root = request->next;
	} else {
		settle->targets = request->next;
		if (ceremony_load_current(options->metadata_fd, "root", &settle->carried_root, why) != FAULT_NONE)
			return why->fault;
		settle->root = settle->carried_root.document;
	}
	if (options->restart)
		fault = check_restart(settle, why);
	if (fault == FAULT_NONE)
		fault = is_first ? load_first(settle, why) : load_current(settle, why);
	if (fault == FAULT_NONE && is_first)
		fault = plan_first(settle, why);
	if (fault == FAULT_NONE && !is_first) {
		if ((fault = plan_targets(settle, why)) == FAULT_NONE && settle->waits_for == NULL &&
		    (fault = plan_roles(settle, why)) == FAULT_NONE)
			fault = plan_tops(settle, why);
	}
	if (fault != FAULT_NONE)
		return fault;
	*ret_settle = steal_pointer(&settle);
	return FAULT_NONE;
}

/* --- signing --- */

static void set_meta(struct settle *settle, const char *role, const struct document *document)
{
	char name[LIMIT_METADATA_NAME_SIZE];

	snprintf(name, sizeof(name), "%.63s.json", role);
	json_object_set_new(settle->meta, name, document_to_meta(document));
}

/* The targets that the request brought, as they were put: with their signatures. */
static enum fault name_targets(struct settle *settle, struct refusal *why)
{
	_cleanup_(sign_carried_clear) struct sign_carried put = {0};
	enum fault fault;

	if (!targets_are_new(settle))
		return FAULT_NONE;
	fault = ceremony_load_version(settle->options.metadata_fd, "targets", settle->targets.version, &put, why);
	if (fault == FAULT_NONE)
		set_meta(settle, "targets", &put.document);
	return fault;
}

/* The next version of OLD with what it says. */
static enum fault put_again(struct settle *settle, const char *role, const struct document *old,
			    const struct secret_key *key, size_t limit, FILE *out, struct refusal *why)
{
	_cleanup_(document_clear) struct document put = {0};
	char name[LIMIT_METADATA_NAME_SIZE];
	uint64_t version = 0;
	enum fault fault = document_next_version(settle->options.metadata_fd, role, old->version, &version, why);

	if (fault != FAULT_NONE)
		return fault;
	document_name(role, version, name);
	fault = document_put(settle->options.metadata_fd, name, change_begin(old->signed_, version, old->expires), &key,
			     1, limit, &put, why);
	if (fault != FAULT_NONE)
		return fault;
	set_meta(settle, role, &put);
	if (out != NULL)
		fprintf(out, "Signed anew   %s\n", name);
	return FAULT_NONE;
}

/* The newest snapshot whose version a repository reaches by itself: what lies above was pushed there. */
static uint64_t newest_honest_snapshot(int metadata_fd)
{
	int fd = openat(metadata_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	uint64_t newest = 0;

	if (dir == NULL)
		die_errno("reading the metadata folder");
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		size_t digits = strspn(entry->d_name, "0123456789");
		uint64_t version = digits > 0 && digits <= HONEST_DIGITS ? strtoull(entry->d_name, NULL, 10) : 0;

		if (version > newest && strcmp(entry->d_name + digits, ".snapshot.json") == 0)
			newest = version;
	}
	return newest;
}

static enum fault put_snapshot(struct settle *settle, struct document *ret_snapshot, struct refusal *why)
{
	const bool is_first = settle->snapshot.json == NULL;
	int64_t expires = is_first ? settle->options.now + 2 * settle->options.silence : settle->snapshot.expires;
	uint64_t version = 0;
	char name[LIMIT_METADATA_NAME_SIZE];
	json_t *signed_;
	enum fault fault = document_next_version(settle->options.metadata_fd, "snapshot",
						 settle->options.restart
							 ? newest_honest_snapshot(settle->options.metadata_fd)
							 : settle->snapshot.version,
						 &version, why);

	if (fault != FAULT_NONE)
		return fault;
	signed_ = document_new_signed("snapshot", version, expires);
	json_object_set(signed_, "meta", settle->meta);
	document_name("snapshot", version, name);
	return document_put(settle->options.metadata_fd, name, signed_,
			    (const struct secret_key *const *)&settle->snapshot_key, 1, LIMIT_SNAPSHOT_SIZE,
			    ret_snapshot, why);
}

/* How long the timestamp is good: as long as the one before it was. */
static int64_t timestamp_validity(const struct settle *settle)
{
	const char *text = json_string_value(json_object_get(settle->timestamp.signed_, "issued"));
	int64_t issued;

	if (text != NULL && notation_parse_time(text, &issued) && issued < settle->timestamp.expires)
		return settle->timestamp.expires - issued;
	return settle->options.silence;
}

static enum fault put_timestamp(struct settle *settle, const struct document *snapshot, struct refusal *why)
{
	_cleanup_(document_clear) struct document put = {0};
	uint64_t version = settle->options.restart ? 1 : settle->timestamp.version + 1;
	json_t *signed_ = document_new_signed("timestamp", version, settle->options.now + timestamp_validity(settle));
	char issued[NOTATION_TIME_SIZE];

	notation_format_time(settle->options.now, issued);
	json_object_set_new(signed_, "issued", json_or_die(json_string(issued)));
	json_object_set_new(signed_, "meta",
			    json_or_die(json_pack("{s:o}", "snapshot.json", document_to_meta(snapshot))));
	return document_put(settle->options.metadata_fd, "timestamp.json", signed_,
			    (const struct secret_key *const *)&settle->timestamp_key, 1, LIMIT_TIMESTAMP_SIZE, &put,
			    why);
}

static enum fault sign_tops(struct settle *settle, FILE *out, struct refusal *why)
{
	_cleanup_(document_clear) struct document snapshot = {0};
	enum fault fault = FAULT_NONE;

	if (settle->timestamp_key == NULL)
		return FAULT_NONE;
	if (settle->snapshot_key != NULL) {
		fault = put_snapshot(settle, &snapshot, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	fault = put_timestamp(settle, settle->snapshot_key != NULL ? &snapshot : &settle->snapshot, why);
	if (fault == FAULT_NONE && out != NULL)
		fprintf(out, "Signed anew   %s%stimestamp.json\n", settle->snapshot_key != NULL ? snapshot.name : "",
			settle->snapshot_key != NULL ? ", " : "");
	return fault;
}

/* Keys that `rotate` made take the place of those that they replace. */
static enum fault move_keys(struct settle *settle, FILE *out, struct refusal *why)
{
	const json_t *signed_ = settle->request->next.signed_;
	_cleanup_(form_clear) struct form form = {0};
	enum fault fault = form_read(signed_, settle->request->next.name, &form, why);

	for (size_t i = 0; fault == FAULT_NONE && settle->options.keys_fd >= 0 && i < form.n_roles; i++)
		fault = everyday_key_switch(settle->options.keys_fd, form.roles[i].name,
					    change_role(signed_, form.roles[i].name), out, why);
	return fault;
}

enum fault settle_run(struct settle *settle, FILE *out, struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	for (size_t i = 0; fault == FAULT_NONE && i < settle->n_renewals; i++)
		fault = put_again(settle, settle->renewals[i].role, &settle->renewals[i].document,
				  settle->renewals[i].key, LIMIT_ROLE_SIZE, out, why);
	if (fault == FAULT_NONE && settle->targets_key != NULL)
		fault = put_again(settle, "targets", &settle->targets, settle->targets_key, LIMIT_TARGETS_SIZE, out,
				  why);
	else if (fault == FAULT_NONE && settle->waits_for == NULL && settle->meta != NULL)
		fault = name_targets(settle, why);
	if (fault == FAULT_NONE)
		fault = sign_tops(settle, out, why);
	if (fault == FAULT_NONE)
		fault = move_keys(settle, out, why);
	return fault;
}
