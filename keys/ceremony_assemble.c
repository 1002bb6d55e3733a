/* SPDX-License-Identifier: ISC
 *
 * ceremony_assemble: counts, compares with the repository, writes.
 */
#include "keys/ceremony_assemble.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "keys/words.h"

/* --- counting --- */

enum fault sign_request_count(const struct sign_request *request, struct sign_tally tallies[SIGN_AUTHORITIES],
			      size_t *ret_n, struct refusal *why)
{
	struct sign_authority authorities[SIGN_AUTHORITIES];
	size_t n = sign_request_authorities(request, authorities);

	for (size_t i = 0; i < n; i++) {
		enum fault fault;

		tallies[i].authority = authorities[i];
		tallies[i].n_keys = json_array_size(json_object_get(authorities[i].role, "keyids"));
		fault = document_count(&request->next, authorities[i].keys, authorities[i].role, &tallies[i].valid,
				       &tallies[i].threshold, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	*ret_n = n;
	return FAULT_NONE;
}

bool sign_request_is_signed_by(const struct sign_request *request, const char *keyid)
{
	const json_t *signatures = json_object_get(request->next.json, "signatures");

	for (size_t i = 0; i < json_array_size(signatures); i++)
		if (strcmp(json_string_value(json_object_get(json_array_get(signatures, i), "keyid")), keyid) == 0)
			return true;
	return false;
}

/* Whose signature would help: the keys of an unmet authority that did not sign, once each. */
static void name_missing(const struct sign_request *request, const struct sign_tally *tallies, size_t n, FILE *file)
{
	const char *separator = "; not signed by ";

	for (size_t i = 0; i < n; i++) {
		const json_t *keyids = json_object_get(tallies[i].authority.role, "keyids");

		for (size_t k = 0; k < json_array_size(keyids); k++) {
			const char *keyid = json_string_value(json_array_get(keyids, k));
			struct tuf_key key;
			char name[WORDS_NAME_SIZE];

			snprintf(key.keyid, sizeof(key.keyid), "%s", keyid);
			if (tallies[i].valid >= tallies[i].threshold || sign_request_is_signed_by(request, keyid) ||
			    (i > 0 && tallies[0].valid < tallies[0].threshold &&
			     document_role_names(tallies[0].authority.role, &key)))
				continue;
			words_name(keyid, name);
			fprintf(file, "%s%.8s (%s)", separator, keyid, name);
			separator = ", ";
		}
	}
}

enum fault sign_request_require(const struct sign_request *request, struct refusal *why)
{
	struct sign_tally tallies[SIGN_AUTHORITIES];
	_cleanup_free_ char *text = NULL;
	bool is_met = true;
	size_t size;
	size_t n;
	FILE *file;
	enum fault fault = sign_request_count(request, tallies, &n, why);

	if (fault != FAULT_NONE)
		return fault;
	file = open_memstream(&text, &size);
	if (file == NULL)
		die_errno("memory");
	for (size_t i = 0; i < n; i++) {
		is_met &= tallies[i].valid >= tallies[i].threshold;
		fprintf(file, "%s%u of %u signatures by keys of %s", i > 0 ? ", " : "", tallies[i].valid,
			tallies[i].threshold, tallies[i].authority.whose);
	}
	name_missing(request, tallies, n, file);
	fclose(file);
	if (!is_met)
		return refuse(why, FAULT_CEREMONY_MISSING, "%s: %s", request->next.name, text);
	return FAULT_NONE;
}

/* --- the repository --- */

void sign_carried_clear(struct sign_carried *carried)
{
	free(carried->text);
	document_clear(&carried->document);
	carried->text = NULL;
}

/* The highest version of root in the folder; 0: none. */
static uint64_t newest_root(int metadata_fd)
{
	char name[LIMIT_METADATA_NAME_SIZE];
	uint64_t version = 0;

	do
		document_name("root", ++version, name);
	while (version <= LIMIT_ROOT_ROTATIONS && fd_exists(metadata_fd, name));
	return version - 1;
}

/* The version that an entry of DOCUMENT's `meta` names. */
static uint64_t named_version(const struct document *document, const char *entry)
{
	const json_t *meta = json_object_get(json_object_get(document->signed_, "meta"), entry);

	return (uint64_t)json_integer_value(json_object_get(meta, "version"));
}

enum fault ceremony_current_version(int metadata_fd, const char *role, uint64_t *ret_version, struct refusal *why)
{
	_cleanup_(document_clear) struct document timestamp = {0};
	_cleanup_(document_clear) struct document snapshot = {0};
	char name[LIMIT_METADATA_NAME_SIZE];
	enum fault fault;

	if (strcmp(role, "root") == 0) {
		*ret_version = newest_root(metadata_fd);
		return FAULT_NONE;
	}
	*ret_version = 0;
	if (!fd_exists(metadata_fd, "timestamp.json"))
		return FAULT_NONE;
	fault = document_load(metadata_fd, "timestamp.json", "timestamp", LIMIT_TIMESTAMP_SIZE, &timestamp, why);
	if (fault != FAULT_NONE)
		return fault;
	document_name("snapshot", named_version(&timestamp, "snapshot.json"), name);
	fault = document_load(metadata_fd, name, "snapshot", LIMIT_SNAPSHOT_SIZE, &snapshot, why);
	if (fault == FAULT_NONE)
		*ret_version = named_version(&snapshot, "targets.json");
	return fault;
}

enum fault ceremony_load_version(int metadata_fd, const char *role, uint64_t version, struct sign_carried *ret_carried,
				 struct refusal *why)
{
	const size_t limit = strcmp(role, "root") == 0 ? LIMIT_ROOT_SIZE : LIMIT_TARGETS_SIZE;
	_cleanup_free_ uint8_t *data = NULL;
	char name[LIMIT_METADATA_NAME_SIZE];
	size_t size;
	enum fault fault;
	int r;

	document_name(role, version, name);
	r = fd_load_file(metadata_fd, name, limit, &data, &size);
	if (r == -ENOENT)
		return refuse(why, FAULT_REPOSITORY, "%s is missing", name);
	if (r < 0)
		return refuse(why, FAULT_FILE, "%s: %s", name, strerror(-r));
	fault = document_parse(name, role, data, size, limit, &ret_carried->document, why);
	if (fault == FAULT_NONE)
		ret_carried->text = (char *)steal_pointer(&data);
	return fault;
}

enum fault ceremony_load_current(int metadata_fd, const char *role, struct sign_carried *ret_carried,
				 struct refusal *why)
{
	uint64_t version = 0;
	enum fault fault = ceremony_current_version(metadata_fd, role, &version, why);

	if (fault == FAULT_NONE && version == 0)
		return refuse(why, FAULT_REPOSITORY, "no %s metadata are current here", role);
	return fault != FAULT_NONE ? fault : ceremony_load_version(metadata_fd, role, version, ret_carried, why);
}

/* Whether the folder's current file of ROLE, before what REQUEST asks for, says what CARRIED says. */
static enum fault check_same(const struct sign_carried *carried, int metadata_fd, const char *role, uint64_t version,
			     struct refusal *why)
{
	_cleanup_(sign_carried_clear) struct sign_carried found = {0};
	enum fault fault;

	if (carried->document.version != version)
		return refuse(why, FAULT_CEREMONY_REQUEST,
			      "it was made from %s version %" PRIu64 ", %" PRIu64 " is here (bundle/FORMAT.md 16.9)",
			      role, carried->document.version, version);
	if (version == 0)
		return FAULT_NONE;
	fault = ceremony_load_version(metadata_fd, role, version, &found, why);
	if (fault == FAULT_NONE && !json_equal(found.document.signed_, carried->document.signed_))
		return refuse(why, FAULT_CEREMONY_REQUEST,
			      "the %s version %" PRIu64 " that it was made from is another (bundle/FORMAT.md 16.9)",
			      role, version);
	return fault;
}

/* What is there already is worth as much as its signatures. */
static enum fault check_signed(const struct sign_request *request, const struct document *there, struct refusal *why)
{
	struct sign_authority authorities[SIGN_AUTHORITIES];
	size_t n = sign_request_authorities(request, authorities);
	enum fault fault = FAULT_NONE;

	for (size_t i = 0; fault == FAULT_NONE && i < n; i++)
		fault = document_require(there, authorities[i].keys, authorities[i].role, why);
	return fault;
}

enum fault sign_request_fits(const struct sign_request *request, int metadata_fd, bool *ret_is_there,
			     struct refusal *why)
{
	const bool is_root = strcmp(request->role, "root") == 0;
	const struct sign_carried *before = is_root ? &request->root : &request->replaces;
	_cleanup_(sign_carried_clear) struct sign_carried there = {0};
	uint64_t current = 0;
	enum fault fault = ceremony_current_version(metadata_fd, request->role, &current, why);

	*ret_is_there = fd_exists(metadata_fd, request->next.name);
	if (fault == FAULT_NONE && *ret_is_there)
		fault = ceremony_load_version(metadata_fd, request->role, request->next.version, &there, why);
	if (fault != FAULT_NONE)
		return fault;
	if (*ret_is_there && !json_equal(there.document.signed_, request->next.signed_))
		return refuse(why, FAULT_CEREMONY_REQUEST,
			      "%s is here already and says something else (bundle/FORMAT.md 16.9)", request->next.name);
	if (*ret_is_there && check_signed(request, &there.document, why) != FAULT_NONE)
		return why->fault;
	if (*ret_is_there && current == request->next.version)
		current = before->document.version;
	fault = check_same(before, metadata_fd, request->role, current, why);
	if (fault == FAULT_NONE && !is_root)
		fault = check_same(&request->root, metadata_fd, "root", newest_root(metadata_fd), why);
	return fault;
}

enum fault sign_request_put(const struct sign_request *request, int metadata_fd, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	enum fault fault = sign_request_require(request, why);
	int r;

	if (fault == FAULT_NONE)
		fault = document_encode(&request->next, &data, &size, why);
	if (fault != FAULT_NONE)
		return fault;
	if (size > (strcmp(request->role, "root") == 0 ? LIMIT_ROOT_SIZE : LIMIT_TARGETS_SIZE))
		return refuse(why, FAULT_CEREMONY_FORM, "%s: %zu bytes, more than clients take", request->next.name,
			      size);
	r = fd_put_durable(metadata_fd, request->next.name, data, size, 0644);
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "%s: %s", request->next.name, strerror(-r));
	return FAULT_NONE;
}
