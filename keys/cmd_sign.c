/* SPDX-License-Identifier: ISC
 *
 * cmd_sign: one more signature on a metadata file (or, by cmd_request.c, a signature file for a request). The authority is looked for beside the file: the newest root, and
 * for a delegated role the newest targets.
 */
#include "keys/cmd.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "keys/document.h"

static const char *opt_key;
static const char *opt_output;
static bool opt_yes;
static bool opt_json;

const struct option cmd_sign_options[] = {
	{"key", 'k', OPTION_TEXT, &opt_key, "FILE", "the key that signs"},
	{"output", 'o', OPTION_TEXT, &opt_output, "FILE", "a request's signature file (beside the request)"},
	{"yes", 'y', OPTION_FLAG, &opt_yes, NULL, "sign a request without asking: for scripts"},
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "print JSON"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

/* Whose keys count for a file. KEYS NULL: unknown. */
struct authority {
	struct document owner; /* holds what follows */
	const json_t *keys, *role;
};

static void authority_clear(struct authority *authority)
{
	document_clear(&authority->owner);
}

/* "12.cog.json" -> 12 and "cog"; false for other names. */
static bool parse_name(const char *name, uint64_t *ret_version, char role[NOTATION_NAME_SIZE])
{
	size_t digits = strspn(name, "0123456789");
	size_t size = strlen(name);

	if (digits == 0 || digits > 16 || name[digits] != '.' || size < digits + 7 ||
	    size - digits - 6 >= NOTATION_NAME_SIZE || strcmp(name + size - 5, ".json") != 0)
		return false;
	*ret_version = strtoull(name, NULL, 10);
	memcpy(role, name + digits + 1, size - digits - 6);
	role[size - digits - 6] = '\0';
	return true;
}

/* The highest version of ROLE in the folder; 0 where there is none. */
static uint64_t newest(int dir_fd, const char *role)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char found[NOTATION_NAME_SIZE];
	uint64_t highest = 0;
	uint64_t version;

	if (dir == NULL)
		die_errno("reading the folder");
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		if (parse_name(entry->d_name, &version, found) && strcmp(found, role) == 0 && version > highest)
			highest = version;
	return highest;
}

static enum fault load_newest(int dir_fd, const char *role, size_t limit, struct document *ret_document,
			      struct refusal *why)
{
	char name[LIMIT_METADATA_NAME_SIZE];

	document_name(role, newest(dir_fd, role), name);
	return document_load(dir_fd, name, role, limit, ret_document, why);
}

static const json_t *find_delegation(const json_t *delegations, const char *role)
{
	const json_t *roles = json_object_get(delegations, "roles");

	for (size_t i = 0; i < json_array_size(roles); i++) {
		const char *name = json_string_value(json_object_get(json_array_get(roles, i), "name"));

		if (name != NULL && strcmp(name, role) == 0)
			return json_array_get(roles, i);
	}
	return NULL;
}

static enum fault find_authority(int dir_fd, const struct document *document, const char *role,
				 struct authority *authority, struct refusal *why)
{
	const bool is_top = strcmp(role, "timestamp") == 0 || strcmp(role, "snapshot") == 0 ||
			    strcmp(role, "targets") == 0;
	const char *owner = is_top ? "root" : "targets";
	enum fault fault;

	if (strcmp(role, "root") == 0) {
		authority->keys = json_object_get(document->signed_, "keys");
		authority->role = json_object_get(json_object_get(document->signed_, "roles"), "root");
		return FAULT_NONE;
	}
	if (newest(dir_fd, owner) == 0)
		return FAULT_NONE;
	fault = load_newest(dir_fd, owner, is_top ? LIMIT_ROOT_SIZE : LIMIT_TARGETS_SIZE, &authority->owner, why);
	if (fault != FAULT_NONE)
		return fault;
	if (is_top) {
		authority->keys = json_object_get(authority->owner.signed_, "keys");
		authority->role = json_object_get(json_object_get(authority->owner.signed_, "roles"), role);
	} else {
		const json_t *delegations = json_object_get(authority->owner.signed_, "delegations");

		authority->keys = json_object_get(delegations, "keys");
		authority->role = find_delegation(delegations, role);
	}
	if (authority->role == NULL)
		return refuse(why, FAULT_KEY_ROLE, "%s names no role %s", authority->owner.name, role);
	return FAULT_NONE;
}

/* A new root is signed by the keys of the one before it, too (TUF 1.0.34, 5.3.4). */
static bool previous_root_names(int dir_fd, const struct document *document, const struct tuf_key *key)
{
	_cleanup_(document_clear) struct document previous = {0};
	char name[LIMIT_METADATA_NAME_SIZE];
	struct refusal ignored;

	document_name("root", document->version - 1, name);
	return document->version > 1 &&
	       document_load(dir_fd, name, "root", LIMIT_ROOT_SIZE, &previous, &ignored) == FAULT_NONE &&
	       document_role_names(json_object_get(json_object_get(previous.signed_, "roles"), "root"), key);
}

/* Snapshot and timestamp name files by their hash: one more signature on a file that is named already would break them.
 */
static enum fault check_not_named(int dir_fd, const struct document *document, const char *role, struct refusal *why)
{
	_cleanup_(document_clear) struct document timestamp = {0};
	_cleanup_(document_clear) struct document snapshot = {0};
	char name[LIMIT_METADATA_NAME_SIZE];
	const json_t *entry;
	uint64_t version;

	if (strcmp(role, "root") == 0 || strcmp(role, "timestamp") == 0 || !fd_exists(dir_fd, "timestamp.json"))
		return FAULT_NONE;
	if (document_load(dir_fd, "timestamp.json", "timestamp", LIMIT_TIMESTAMP_SIZE, &timestamp, why) != FAULT_NONE)
		return why->fault;
	entry = json_object_get(json_object_get(timestamp.signed_, "meta"), "snapshot.json");
	version = (uint64_t)json_integer_value(json_object_get(entry, "version"));
	if (strcmp(role, "snapshot") != 0) {
		document_name("snapshot", version, name);
		if (document_load(dir_fd, name, "snapshot", LIMIT_SNAPSHOT_SIZE, &snapshot, why) != FAULT_NONE)
			return why->fault;
		snprintf(name, sizeof(name), "%.63s.json", role);
		entry = json_object_get(json_object_get(snapshot.signed_, "meta"), name);
		version = (uint64_t)json_integer_value(json_object_get(entry, "version"));
	}
	if (entry != NULL && version == document->version)
		return refuse(why, FAULT_REPOSITORY,
			      "%s is named by its hash already: another signature would break the repository",
			      document->name);
	return FAULT_NONE;
}

static enum fault write_back(int dir_fd, const struct document *document, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	enum fault fault = document_encode(document, &data, &size, why);
	int r;

	if (fault != FAULT_NONE)
		return fault;
	r = fd_put_durable(dir_fd, document->name, data, size, 0644);
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "%s: %s", document->name, strerror(-r));
	return FAULT_NONE;
}

static void report_people(const struct document *document, const char *role, const struct tuf_key *key, bool changed,
			  unsigned valid, unsigned threshold)
{
	printf("%s: role %s, version %" PRIu64 ", expires ", document->name, role, document->version);
	cmd_print_expiry(stdout, document->expires, cmd_now());
	printf("%s by key %.16s\n", changed ? "Signed" : "Was signed already", key->keyid);
	if (threshold == 0)
		printf("No %s beside it: how many signatures it needs is not known here.\n",
		       strcmp(role, "targets") == 0 || strcmp(role, "snapshot") == 0 || strcmp(role, "timestamp") == 0
			       ? "root"
			       : "targets metadata");
	else
		printf("%u of %u signatures%s\n", valid, threshold, valid < threshold ? ": not valid yet" : "");
}

static void report_json(const struct document *document, const char *role, const struct tuf_key *key, bool changed,
			unsigned valid, unsigned threshold)
{
	printf("{\"file\": ");
	notation_json_string(stdout, document->name);
	printf(", \"role\": \"%s\", \"version\": %" PRIu64
	       ", \"keyid\": \"%s\", \"changed\": %s, \"signatures\": %u, \"threshold\": ",
	       role, document->version, key->keyid, changed ? "true" : "false", valid);
	printf(threshold != 0 ? "%u}\n" : "null}\n", threshold);
}

static enum fault sign(const char *path, struct refusal *why)
{
	_cleanup_(document_clear) struct document document = {0};
	_cleanup_(authority_clear) struct authority authority = {0};
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	_cleanup_close_ int dir_fd = -1;
	char role[NOTATION_NAME_SIZE];
	const char *name;
	const char *type;
	uint64_t version;
	bool changed;
	unsigned valid = 0;
	unsigned threshold = 0;

	if (cmd_open_folder(path, &dir_fd, &name, why) != FAULT_NONE ||
	    document_load(dir_fd, name, NULL, LIMIT_TARGETS_SIZE, &document, why) != FAULT_NONE)
		return why->fault;
	type = json_string_value(json_object_get(document.signed_, "_type"));
	if (strcmp(type, "targets") != 0 || !parse_name(name, &version, role))
		text_copy(role, sizeof(role), type);
	if (!notation_is_name(role) && strcmp(role, "status") != 0 && strcmp(role, type) != 0)
		return refuse(why, FAULT_TUF_FORM, "%s: \"%s\" cannot be a role", name, role);
	if (find_authority(dir_fd, &document, role, &authority, why) != FAULT_NONE ||
	    cmd_load_key(opt_key, &key, why) != FAULT_NONE)
		return why->fault;
	if (authority.role != NULL && !document_role_names(authority.role, secret_key_public(key)) &&
	    (strcmp(role, "root") != 0 || !previous_root_names(dir_fd, &document, secret_key_public(key))))
		return refuse(why, FAULT_KEY_ROLE, "%s: key %.16s is not one that role %s names", opt_key,
			      secret_key_public(key)->keyid, role);
	if (document_sign(&document, key, &changed, why) != FAULT_NONE ||
	    (changed && (check_not_named(dir_fd, &document, role, why) != FAULT_NONE ||
			 write_back(dir_fd, &document, why) != FAULT_NONE)))
		return why->fault;
	if (authority.role != NULL &&
	    document_count(&document, authority.keys, authority.role, &valid, &threshold, why) != FAULT_NONE)
		return why->fault;
	(opt_json ? report_json : report_people)(&document, role, secret_key_public(key), changed, valid, threshold);
	return FAULT_NONE;
}

int cmd_sign(int argc, char **argv)
{
	const struct cmd_sign_choice choice = {opt_key, opt_output, opt_yes, opt_json};
	struct refusal why;

	if (opt_key == NULL || argc != 1)
		die_usage("sign: --key FILE and one metadata file or sign request are needed");
	if (cmd_is_request(argv[0]))
		return cmd_sign_request(argv[0], &choice, &why) == FAULT_NONE ? 0 : cmd_refused(&why);
	if (cmd_is_cosign_request(argv[0]))
		return cmd_cosign(argv[0], &choice, &why) == FAULT_NONE ? 0 : cmd_refused(&why);
	if (opt_output != NULL || opt_yes)
		die_usage("sign: --output and --yes are for sign requests; %s is none", argv[0]);
	return sign(argv[0], &why) == FAULT_NONE ? 0 : cmd_refused(&why);
}
