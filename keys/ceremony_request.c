/* SPDX-License-Identifier: ISC
 *
 * ceremony_request: sign requests and signature files, read strictly and written canonically.
 */
#include "keys/ceremony_request.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "keys/canonical.h"
#include "keys/ceremony_form.h"

#define DAY (24 * 3600)

void sign_request_clear(struct sign_request *request)
{
	free(request->root.text);
	free(request->replaces.text);
	document_clear(&request->root.document);
	document_clear(&request->replaces.document);
	document_clear(&request->next);
	memset(request, 0, sizeof(*request));
}

/* --- reading --- */

/* A file that travels as the text of MEMBER; null: none. */
static enum fault read_carried(const json_t *json, const char *member, const char *type, size_t limit,
			       struct sign_carried *carried, struct refusal *why)
{
	const json_t *value = json_object_get(json, member);
	const char *text;
	enum fault fault;

	if (!json_is_string(value) && !json_is_null(value))
		return refuse(why, FAULT_CEREMONY_FORM, "\"%s\" is neither a text nor null", member);
	if (json_is_null(value))
		return FAULT_NONE;
	text = json_string_value(value);
	fault = document_parse(member, type, (const uint8_t *)text, strlen(text), limit, &carried->document, why);
	if (fault == FAULT_NONE)
		carried->text = xstrdup(text);
	return fault;
}

/* What stands behind the request's members: the version follows, and root and targets come with what they need. */
static enum fault check_sense(const struct sign_request *request, const struct form *form, struct refusal *why)
{
	const struct sign_carried *before = form->is_root ? &request->root : &request->replaces;

	if (strcmp(request->role, form->is_root ? "root" : "targets") != 0)
		return refuse(why, FAULT_CEREMONY_FORM, "\"role\" is not what is signed");
	if (form->is_root && request->replaces.text != NULL)
		return refuse(why, FAULT_CEREMONY_FORM, "\"replaces\" beside a root");
	if (!form->is_root && request->root.text == NULL)
		return refuse(why, FAULT_CEREMONY_FORM, "targets without the root that names their keys");
	if (form->is_root ? form->version != before->document.version + 1 : form->version <= before->document.version)
		return refuse(why, FAULT_CEREMONY_FORM, "version %" PRIu64 " does not follow %" PRIu64, form->version,
			      before->document.version);
	if (request->until <= request->created)
		return refuse(why, FAULT_CEREMONY_FORM, "\"until\" is not after \"created\"");
	return FAULT_NONE;
}

static enum fault read_times(const json_t *json, struct sign_request *request, struct refusal *why)
{
	const char *created = NULL;
	const char *until = NULL;
	enum fault fault;

	if ((fault = json_get_text(json, "request", "created", true, &created, why)) != FAULT_NONE ||
	    (fault = json_get_text(json, "request", "until", true, &until, why)) != FAULT_NONE)
		return fault;
	if (!notation_parse_time(created, &request->created) || !notation_parse_time(until, &request->until))
		return refuse(why, FAULT_CEREMONY_FORM, "\"created\" or \"until\" is no time");
	return FAULT_NONE;
}

/* SIGNED_ becomes a document without signatures. */
static enum fault read_next(json_t *signed_, struct sign_request *request, struct refusal *why)
{
	_cleanup_(form_clear) struct form form = {0};
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_(json_decrefp) json_t *file = NULL;
	char name[LIMIT_METADATA_NAME_SIZE];
	size_t size;
	enum fault fault = form_read(signed_, "signed", &form, why);

	if (fault != FAULT_NONE)
		return fault;
	document_name(form.is_root ? "root" : "targets", form.version, name);
	file = json_or_die(json_pack("{s:[], s:O}", "signatures", "signed", signed_));
	if ((fault = canonical_encode(file, &data, &size, why)) != FAULT_NONE ||
	    (fault = document_parse(name, NULL, data, size, form.is_root ? LIMIT_ROOT_SIZE : LIMIT_TARGETS_SIZE,
				    &request->next, why)) != FAULT_NONE ||
	    (fault = canonical_hash(request->next.signed_, &request->digest, why)) != FAULT_NONE)
		return fault;
	return check_sense(request, &form, why);
}

static enum fault read_members(const json_t *json, const char *where, struct sign_request *request, struct refusal *why)
{
	static const char *const members[] = {"format", "role", "created", "until", "root", "replaces", "signed", NULL};
	const char *role = NULL;
	json_t *signed_ = NULL;
	enum fault fault;

	if ((fault = json_format(json, where, "clapet sign request", 1, why)) != FAULT_NONE ||
	    (fault = json_only(json, "request", members, why)) != FAULT_NONE ||
	    (fault = json_get_text(json, "request", "role", true, &role, why)) != FAULT_NONE ||
	    (fault = json_get_object(json, "request", "signed", true, &signed_, why)) != FAULT_NONE ||
	    (fault = read_times(json, request, why)) != FAULT_NONE)
		return fault;
	if (strcmp(role, "root") != 0 && strcmp(role, "targets") != 0)
		return refuse(why, FAULT_CEREMONY_FORM, "\"role\" is \"%s\": root or targets are signed so", role);
	request->role = strcmp(role, "root") == 0 ? "root" : "targets";
	if ((fault = read_carried(json, "root", "root", LIMIT_ROOT_SIZE, &request->root, why)) != FAULT_NONE ||
	    (fault = read_carried(json, "replaces", "targets", LIMIT_TARGETS_SIZE, &request->replaces, why)) !=
		    FAULT_NONE)
		return fault;
	return read_next(signed_, request, why);
}

static enum fault from_json(const json_t *json, const char *where, struct sign_request *ret_request,
			    struct refusal *why)
{
	_cleanup_(sign_request_clear) struct sign_request request = {0};
	struct refusal inner;
	enum fault fault = read_members(json, where, &request, &inner);

	if (fault != FAULT_NONE)
		return refuse(why, fault == FAULT_JSON_FORMAT ? fault : FAULT_CEREMONY_FORM,
			      "%s: %s (bundle/FORMAT.md 16.4)", where, inner.line);
	*ret_request = request;
	memset(&request, 0, sizeof(request));
	return FAULT_NONE;
}

enum fault sign_request_parse(const void *data, size_t size, const char *where, struct sign_request *ret_request,
			      struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	struct refusal inner;

	if (json_parse(data, size, LIMIT_SIGN_REQUEST_SIZE, &json, &inner) != FAULT_NONE)
		return refuse(why, FAULT_CEREMONY_FORM, "%s: %s (bundle/FORMAT.md 16.4)", where, inner.line);
	return from_json(json, where, ret_request, why);
}

static enum fault load(const char *path, size_t limit, uint8_t **ret_data, size_t *ret_size, struct refusal *why)
{
	int r = fd_load_file(AT_FDCWD, path, limit, ret_data, ret_size);

	if (r == -EFBIG)
		return refuse(why, FAULT_CEREMONY_FORM, "%s: more than %zu bytes", path, limit);
	if (r < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(-r));
	return FAULT_NONE;
}

enum fault sign_request_load(const char *path, struct sign_request *ret_request, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	enum fault fault = load(path, LIMIT_SIGN_REQUEST_SIZE, &data, &size, why);

	return fault != FAULT_NONE ? fault : sign_request_parse(data, size, path, ret_request, why);
}

/* --- writing --- */

static json_t *text_or_null(const char *text, size_t size)
{
	return size == 0 ? json_null() : json_or_die(json_stringn(text, size));
}

static json_t *to_json(const char *role, int64_t created, int64_t until, json_t *root, json_t *replaces,
		       json_t *signed_)
{
	char created_text[NOTATION_TIME_SIZE];
	char until_text[NOTATION_TIME_SIZE];

	notation_format_time(created, created_text);
	notation_format_time(until, until_text);
	return json_or_die(json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "format", "clapet sign request 1", "role",
				     role, "created", created_text, "until", until_text, "root", root, "replaces",
				     replaces, "signed", signed_));
}

enum fault sign_request_new(const struct sign_request_parts *parts, struct sign_request *ret_request,
			    struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *json = to_json(
		parts->role, parts->now, parts->now + SIGN_REQUEST_DAYS * DAY,
		text_or_null((const char *)parts->root, parts->root_size),
		text_or_null((const char *)parts->replaces, parts->replaces_size), parts->signed_);

	return from_json(json, "the request", ret_request, why);
}

static void encode_or_die(const json_t *json, uint8_t **ret_data, size_t *ret_size)
{
	if (canonical_encode(json, ret_data, ret_size, NULL) != FAULT_NONE)
		die("a request that canonical JSON refuses");
}

void sign_request_encode(const struct sign_request *request, uint8_t **ret_data, size_t *ret_size)
{
	const char *root = request->root.text;
	const char *replaces = request->replaces.text;
	_cleanup_(json_decrefp) json_t *json = to_json(
		request->role, request->created, request->until, text_or_null(root, root != NULL ? strlen(root) : 0),
		text_or_null(replaces, replaces != NULL ? strlen(replaces) : 0), json_incref(request->next.signed_));

	encode_or_die(json, ret_data, ret_size);
}

/* --- judging --- */

enum fault sign_request_check_time(const struct sign_request *request, int64_t now, struct refusal *why)
{
	char text[NOTATION_TIME_SIZE];

	notation_format_time(request->until, text);
	if (now > request->until)
		return refuse(why, FAULT_CEREMONY_EXPIRED, "the request was good until %s (bundle/FORMAT.md 16.6)",
			      text);
	notation_format_time(request->next.expires, text);
	if (now >= request->next.expires)
		return refuse(why, FAULT_CEREMONY_EXPIRED, "%s would have expired at %s already", request->next.name,
			      text);
	return FAULT_NONE;
}

static void set_authority(struct sign_authority *authority, const struct document *root, bool is_new, const char *role)
{
	snprintf(authority->whose, sizeof(authority->whose), "%sroot %" PRIu64, is_new ? "the new " : "",
		 root->version);
	authority->keys = json_object_get(root->signed_, "keys");
	authority->role = json_object_get(json_object_get(root->signed_, "roles"), role);
}

size_t sign_request_authorities(const struct sign_request *request, struct sign_authority authorities[SIGN_AUTHORITIES])
{
	size_t n = 0;

	if (request->root.text != NULL)
		set_authority(&authorities[n++], &request->root.document, false, request->role);
	if (strcmp(request->role, "root") == 0)
		set_authority(&authorities[n++], &request->next, true, "root");
	return n;
}

/* --- signatures --- */

static enum fault read_signature(const json_t *json, const char *where, struct sign_signature *signature,
				 struct refusal *why)
{
	static const char *const members[] = {"format", "role", "version", "digest", "keyid", "sig", NULL};
	const char *role = NULL;
	const char *digest = NULL;
	const char *keyid = NULL;
	const char *sig = NULL;
	struct sha256 ignored;
	int64_t version = 0;
	enum fault fault;

	if ((fault = json_format(json, where, "clapet signature", 1, why)) != FAULT_NONE ||
	    (fault = json_only(json, "signature", members, why)) != FAULT_NONE ||
	    (fault = json_get_text(json, "signature", "role", true, &role, why)) != FAULT_NONE ||
	    (fault = json_get_integer(json, "signature", "version", true, 1, LIMIT_VERSION, &version, why)) !=
		    FAULT_NONE ||
	    (fault = json_get_text(json, "signature", "digest", true, &digest, why)) != FAULT_NONE ||
	    (fault = json_get_text(json, "signature", "keyid", true, &keyid, why)) != FAULT_NONE ||
	    (fault = json_get_text(json, "signature", "sig", true, &sig, why)) != FAULT_NONE)
		return fault;
	if (strcmp(role, "root") != 0 && strcmp(role, "targets") != 0)
		return refuse(why, FAULT_CEREMONY_FORM, "\"role\" is \"%s\": root or targets are signed so", role);
	if (!sha256_from_hex(digest, &signature->digest) || !sha256_from_hex(keyid, &ignored) ||
	    !notation_unhex(sig, signature->bytes, sizeof(signature->bytes)))
		return refuse(why, FAULT_CEREMONY_FORM, "digest, keyid or sig is not lower-case hex of its length");
	signature->version = (uint64_t)version;
	text_copy(signature->role, sizeof(signature->role), role);
	text_copy(signature->keyid, sizeof(signature->keyid), keyid);
	return FAULT_NONE;
}

enum fault sign_signature_parse(const void *data, size_t size, const char *where, struct sign_signature *ret_signature,
				struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	struct sign_signature signature;
	struct refusal inner;
	enum fault fault = json_parse(data, size, LIMIT_SIGNATURE_FILE_SIZE, &json, &inner);

	memset(&signature, 0, sizeof(signature));
	if (fault == FAULT_NONE)
		fault = read_signature(json, where, &signature, &inner);
	if (fault != FAULT_NONE)
		return refuse(why, fault == FAULT_JSON_FORMAT ? fault : FAULT_CEREMONY_FORM,
			      "%s: %s (bundle/FORMAT.md 16.7)", where, inner.line);
	*ret_signature = signature;
	return FAULT_NONE;
}

enum fault sign_signature_load(const char *path, struct sign_signature *ret_signature, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	enum fault fault = load(path, LIMIT_SIGNATURE_FILE_SIZE, &data, &size, why);

	return fault != FAULT_NONE ? fault : sign_signature_parse(data, size, path, ret_signature, why);
}

void sign_signature_encode(const struct sign_signature *signature, uint8_t **ret_data, size_t *ret_size)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	char digest[SHA256_HEX_SIZE];
	char sig[2 * TUF_SIGNATURE_SIZE + 1];

	sha256_to_hex(&signature->digest, digest);
	notation_hex(signature->bytes, sizeof(signature->bytes), sig);
	json = json_or_die(json_pack("{s:s, s:s, s:I, s:s, s:s, s:s}", "format", "clapet signature 1", "role",
				     signature->role, "version", (json_int_t)signature->version, "digest", digest,
				     "keyid", signature->keyid, "sig", sig));
	encode_or_die(json, ret_data, ret_size);
}

void sign_request_sign(const struct sign_request *request, const struct secret_key *key,
		       struct sign_signature *ret_signature)
{
	_cleanup_free_ uint8_t *canonical = NULL;
	size_t size;

	encode_or_die(request->next.signed_, &canonical, &size);
	memset(ret_signature, 0, sizeof(*ret_signature));
	text_copy(ret_signature->role, sizeof(ret_signature->role), request->role);
	text_copy(ret_signature->keyid, sizeof(ret_signature->keyid), secret_key_public(key)->keyid);
	ret_signature->version = request->next.version;
	ret_signature->digest = request->digest;
	secret_key_sign(key, canonical, size, ret_signature->bytes);
}

/* The key of KEYID, if one of the authorities names it. */
static bool find_key(const struct sign_request *request, const char *keyid, struct tuf_key *ret_key)
{
	struct sign_authority authorities[SIGN_AUTHORITIES];
	size_t n = sign_request_authorities(request, authorities);
	struct tuf_key wanted;

	text_copy(wanted.keyid, sizeof(wanted.keyid), keyid);
	for (size_t i = 0; i < n; i++)
		if (document_role_names(authorities[i].role, &wanted) &&
		    tuf_key_parse(keyid, json_object_get(authorities[i].keys, keyid), ret_key, NULL) == FAULT_NONE)
			return true;
	return false;
}

enum fault sign_request_add(struct sign_request *request, const struct sign_signature *signature, const char *where,
			    struct refusal *why)
{
	json_t *signatures = json_object_get(request->next.json, "signatures");
	_cleanup_free_ uint8_t *canonical = NULL;
	char sig[2 * TUF_SIGNATURE_SIZE + 1];
	struct tuf_key key;
	size_t size;

	if (strcmp(signature->role, request->role) != 0 || signature->version != request->next.version ||
	    !sha256_equal(&signature->digest, &request->digest))
		return refuse(why, FAULT_CEREMONY_SIGNATURE,
			      "%s: signs another request (%s version %" PRIu64 ") (bundle/FORMAT.md 16.8)", where,
			      signature->role, signature->version);
	if (!find_key(request, signature->keyid, &key))
		return refuse(why, FAULT_KEY_ROLE, "%s: key %.16s is none that may sign this request", where,
			      signature->keyid);
	encode_or_die(request->next.signed_, &canonical, &size);
	if (!tuf_key_verify(&key, canonical, size, signature->bytes))
		return refuse(why, FAULT_CEREMONY_SIGNATURE, "%s: the signature of key %.16s does not verify", where,
			      signature->keyid);
	for (size_t i = 0; i < json_array_size(signatures); i++)
		if (strcmp(json_string_value(json_object_get(json_array_get(signatures, i), "keyid")), key.keyid) == 0)
			return refuse(why, FAULT_CEREMONY_SIGNATURE,
				      "%s: key %.16s signed already; it counts once (bundle/FORMAT.md 16.8)", where,
				      key.keyid);
	notation_hex(signature->bytes, sizeof(signature->bytes), sig);
	json_array_append_new(signatures, json_or_die(json_pack("{s:s, s:s}", "keyid", key.keyid, "sig", sig)));
	return FAULT_NONE;
}
