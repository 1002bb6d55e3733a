/* SPDX-License-Identifier: ISC
 *
 * cosign: reads a request strictly, and signs it. What it says to people is cosign_say.c.
 */
#include "keys/cosign.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "keys/canonical.h"
#include "keys/encodings.h"

#define CLAUSE " (bundle/FORMAT.md %s)"

static void side_clear(struct cosign_side *side)
{
	document_clear(&side->document);
	json_decref(side->package);
	memset(side, 0, sizeof(*side));
}

void cosign_request_clear(struct cosign_request *request)
{
	side_clear(&request->next);
	side_clear(&request->replaces);
	memset(request, 0, sizeof(*request));
}

/* Whatever was wrong: here it is the request that is. */
static enum fault out_of_form(const struct refusal *inner, const char *where, const char *clause, struct refusal *why)
{
	return refuse(why, FAULT_COSIGN_FORM, "%s: %s" CLAUSE, where, inner->line, clause);
}

/* --- what is signed -------------------------------------------------------------------------------------------------- */

/* "cog/communes.csv": a file of the dataset. */
static enum fault check_path(const char *dataset, const char *path, struct refusal *why)
{
	size_t size = strlen(dataset);

	if (strncmp(path, dataset, size) == 0 && path[size] == '/' && notation_is_file_name(path + size + 1))
		return FAULT_NONE;
	return refuse(why, FAULT_COSIGN_FORM, "target \"%s\" is no file of %s", path, dataset);
}

static enum fault check_target(const char *path, const json_t *target, struct refusal *why)
{
	static const char *const members[] = {"length", "hashes", "custom", NULL};
	static const char *const hash_members[] = {"sha256", NULL};
	_cleanup_(encoding_clear) struct encoding encoding = {.is_patch = false};
	json_t *hashes = NULL;
	struct sha256 sha256;
	const char *hex = NULL;
	int64_t length = 0;

	if (json_only(target, path, members, why) != FAULT_NONE ||
	    json_get_integer(target, path, "length", true, 0, (int64_t)LIMIT_PLAIN_SIZE, &length, why) != FAULT_NONE ||
	    json_get_object(target, path, "hashes", true, &hashes, why) != FAULT_NONE ||
	    json_only(hashes, path, hash_members, why) != FAULT_NONE ||
	    json_get_text(hashes, path, "sha256", true, &hex, why) != FAULT_NONE)
		return why->fault;
	if (!sha256_from_hex(hex, &sha256))
		return refuse(why, FAULT_COSIGN_FORM, "%s: its sha256 is no digest", path);
	if (json_object_get(target, "custom") == NULL)
		return FAULT_NONE;
	return encodings_parse(json_object_get(target, "custom"), path, &sha256, (uint64_t)length, &encoding, why);
}

/* TUF tolerates members that it does not know, and delegations of a delegated role; who signs must not: nobody showed them. */
static enum fault check_signed(const char *dataset, const json_t *signed_, struct refusal *why)
{
	static const char *const members[] = {"_type", "spec_version", "version", "expires", "targets", NULL};
	json_t *targets = NULL;
	json_t *target;
	const char *path;

	if (json_only(signed_, "signed", members, why) != FAULT_NONE ||
	    json_get_object(signed_, "signed", "targets", true, &targets, why) != FAULT_NONE)
		return why->fault;
	if (json_object_size(targets) == 0 || json_object_size(targets) > LIMIT_TARGETS_PER_ROLE)
		return refuse(why, FAULT_COSIGN_FORM, "%zu targets, 1 to %d", json_object_size(targets),
			      LIMIT_TARGETS_PER_ROLE);
	json_object_foreach(targets, path, target)
	{
		if (check_path(dataset, path, why) != FAULT_NONE || check_target(path, target, why) != FAULT_NONE)
			return why->fault;
	}
	return FAULT_NONE;
}

/* SIGNED_ as a file without signatures, read back as a client would. */
static enum fault read_next(struct cosign_request *request, json_t *signed_, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *whole = json_pack("{s:[], s:O}", "signatures", "signed", signed_);
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_free_ uint8_t *canonical = NULL;
	char name[LIMIT_METADATA_NAME_SIZE];
	size_t size;

	if (check_signed(request->dataset, signed_, why) != FAULT_NONE ||
	    canonical_encode(whole, &data, &size, why) != FAULT_NONE)
		return why->fault;
	document_name(request->dataset, (uint64_t)json_integer_value(json_object_get(signed_, "version")), name);
	if (document_parse(name, "targets", data, size, LIMIT_ROLE_SIZE, &request->next.document, why) != FAULT_NONE ||
	    canonical_encode(request->next.document.signed_, &canonical, &size, why) != FAULT_NONE)
		return why->fault;
	hash_bytes(canonical, size, &request->digest);
	return FAULT_NONE;
}

/* --- what is said of it ---------------------------------------------------------------------------------------------- */

/* TEXT must hash to what SIDE's metadata name as their description. */
static enum fault read_package(const char *dataset, const char *key, const char *text, struct cosign_side *side,
			       struct refusal *why)
{
	static const char *const names[] = {"datapackage.json", "withdrawn.json"};
	const json_t *targets = json_object_get(side->document.signed_, "targets");
	const json_t *target = NULL;
	struct sha256 sha256, wanted;

	for (size_t i = 0; i < ARRAY_SIZE(names) && target == NULL; i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", dataset, names[i]);

		target = json_object_get(targets, path);
		side->is_withdrawn = target != NULL && i == 1;
	}
	if (text == NULL)
		return FAULT_NONE;
	hash_bytes(text, strlen(text), &sha256);
	if (!sha256_from_hex(json_string_value(json_object_get(json_object_get(target, "hashes"), "sha256")) ?: "",
			     &wanted) ||
	    !sha256_equal(&sha256, &wanted))
		return refuse(why, FAULT_COSIGN_FORM, "%s: not the description that the metadata name", key);
	return json_parse(text, strlen(text), LIMIT_PACKAGE_SIZE, &side->package, why);
}

static enum fault read_replaces(struct cosign_request *request, const char *text, struct refusal *why)
{
	if (text == NULL)
		return FAULT_NONE;
	if (document_parse("replaces", "targets", (const uint8_t *)text, strlen(text), LIMIT_ROLE_SIZE,
			   &request->replaces.document, why) != FAULT_NONE)
		return why->fault;
	if (request->replaces.document.version >= request->next.document.version)
		return refuse(why, FAULT_COSIGN_FORM, "version %" PRIu64 " does not follow %" PRIu64,
			      request->next.document.version, request->replaces.document.version);
	return FAULT_NONE;
}

/* A text, or null. */
static enum fault get_text_or_null(const json_t *object, const char *key, const char **ret, struct refusal *why)
{
	*ret = NULL;
	if (json_is_null(json_object_get(object, key)))
		return FAULT_NONE;
	return json_get_text(object, "request", key, true, ret, why);
}

static enum fault read_request(const json_t *object, struct cosign_request *request, struct refusal *why)
{
	static const char *const members[] = {"format",  "dataset",  "created",         "signed",
					      "package", "replaces", "replacesPackage", NULL};
	const char *dataset = NULL, *created = NULL, *package, *replaces, *replaces_package;
	json_t *signed_ = NULL;

	if (json_only(object, "request", members, why) != FAULT_NONE ||
	    json_get_text(object, "request", "dataset", true, &dataset, why) != FAULT_NONE ||
	    json_get_text(object, "request", "created", true, &created, why) != FAULT_NONE ||
	    json_get_object(object, "request", "signed", true, &signed_, why) != FAULT_NONE ||
	    get_text_or_null(object, "package", &package, why) != FAULT_NONE ||
	    get_text_or_null(object, "replaces", &replaces, why) != FAULT_NONE ||
	    get_text_or_null(object, "replacesPackage", &replaces_package, why) != FAULT_NONE)
		return why->fault;
	if (!notation_is_name(dataset) || !text_copy(request->dataset, sizeof(request->dataset), dataset) ||
	    !notation_parse_time(created, &request->created))
		return refuse(why, FAULT_COSIGN_FORM, "no dataset's name, or no time");
	if (read_next(request, signed_, why) != FAULT_NONE ||
	    read_package(dataset, "package", package, &request->next, why) != FAULT_NONE ||
	    read_replaces(request, replaces, why) != FAULT_NONE)
		return why->fault;
	return read_package(dataset, "replacesPackage", replaces_package, &request->replaces, why);
}

enum fault cosign_request_parse(const void *data, size_t size, const char *where, struct cosign_request *ret_request,
				struct refusal *why)
{
	_cleanup_(cosign_request_clear) struct cosign_request request = {.created = 0};
	_cleanup_(json_decrefp) json_t *object = NULL;
	struct refusal inner = {.fault = FAULT_NONE};

	if (json_parse(data, size, LIMIT_JSON_SIZE, &object, &inner) != FAULT_NONE ||
	    json_format(object, where, "clapet cosign request", 1, &inner) != FAULT_NONE)
		return out_of_form(&inner, where, "19.2", why);
	if (read_request(object, &request, &inner) != FAULT_NONE)
		return out_of_form(&inner, where, "19.3", why);
	*ret_request = request;
	memset(&request, 0, sizeof(request));
	return FAULT_NONE;
}

/* --- signing --------------------------------------------------------------------------------------------------------- */

enum fault cosign_request_sign(struct cosign_request *request, const struct secret_key *key, char **ret_text,
			       struct refusal *why)
{
	const char *keyid = secret_key_public(key)->keyid;
	_cleanup_(json_decrefp) json_t *object = NULL;
	char digest[SHA256_HEX_SIZE];
	const json_t *signatures;
	bool changed;

	if (document_sign(&request->next.document, key, &changed, why) != FAULT_NONE)
		return why->fault;
	sha256_to_hex(&request->digest, digest);
	/* The document came without signatures: this is the only one. */
	signatures = json_object_get(request->next.document.json, "signatures");
	object = json_pack("{s:s, s:s, s:I, s:s, s:s, s:O}", "format", "clapet signature 1", "role", request->dataset,
			   "version", (json_int_t)request->next.document.version, "digest", digest, "keyid", keyid,
			   "sig", json_object_get(json_array_get(signatures, 0), "sig"));
	*ret_text = object == NULL ? NULL : json_dumps(object, JSON_INDENT(2) | JSON_SORT_KEYS);
	if (*ret_text == NULL)
		die("out of memory");
	return FAULT_NONE;
}
