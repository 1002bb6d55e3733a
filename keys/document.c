/* SPDX-License-Identifier: ISC
 *
 * document: reads, counts, signs and puts metadata files of our own repository. Whole files are written in canonical
 * form, so that the same content is the same bytes.
 */
#include "keys/document.h"

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
#include "bundle/notation.h"
#include "keys/canonical.h"

/* What interrupted runs may leave of one role before a person must look. */
#define LEFTOVERS_MAX 10000

void document_clear(struct document *document)
{
	json_decref(document->json);
	memset(document, 0, sizeof(*document));
}

/* --- reading --- */

static enum fault read_members(struct document *document, const char *type, struct refusal *why)
{
	const char *found = NULL;
	const char *expires = NULL;
	json_t *signatures = NULL;
	int64_t version = 0;
	enum fault fault;

	if ((fault = json_get_array(document->json, "metadata", "signatures", true, &signatures, why)) != FAULT_NONE ||
	    (fault = json_get_object(document->json, "metadata", "signed", true, &document->signed_, why)) !=
		    FAULT_NONE ||
	    (fault = json_get_text(document->signed_, "signed", "_type", true, &found, why)) != FAULT_NONE ||
	    (fault = json_get_integer(document->signed_, "signed", "version", true, 1, LIMIT_VERSION, &version, why)) !=
		    FAULT_NONE ||
	    (fault = json_get_text(document->signed_, "signed", "expires", true, &expires, why)) != FAULT_NONE)
		return fault;
	if (type != NULL && strcmp(found, type) != 0)
		return refuse(why, FAULT_TUF_FORM, "_type is \"%s\", not \"%s\"", found, type);
	if (strcmp(found, "root") != 0 && strcmp(found, "timestamp") != 0 && strcmp(found, "snapshot") != 0 &&
	    strcmp(found, "targets") != 0)
		return refuse(why, FAULT_TUF_FORM, "_type \"%s\" is none of TUF's (1.0.34, 4.2)", found);
	if (!notation_parse_time(expires, &document->expires))
		return refuse(why, FAULT_TUF_FORM, "expires \"%s\" is no time (TUF 1.0.34, 4.2.2)", expires);
	if (json_array_size(signatures) > LIMIT_SIGNATURES)
		return refuse(why, FAULT_TUF_FORM, "%zu signatures, at most %d", json_array_size(signatures),
			      LIMIT_SIGNATURES);
	document->version = (uint64_t)version;
	return FAULT_NONE;
}

enum fault document_parse(const char *name, const char *type, const uint8_t *data, size_t size, size_t limit,
			  struct document *ret_document, struct refusal *why)
{
	_cleanup_(document_clear) struct document document = {0};
	struct refusal inner;
	enum fault fault;

	if (!text_copy(document.name, sizeof(document.name), name))
		return refuse(why, FAULT_TUF_FORM, "%s: a name longer than any metadata file's", name);
	fault = json_parse(data, size, limit, &document.json, &inner);
	if (fault == FAULT_NONE)
		fault = read_members(&document, type, &inner);
	if (fault != FAULT_NONE)
		return refuse(why, FAULT_TUF_FORM, "%s: %s", name, inner.line);
	hash_bytes(data, size, &document.sha256);
	document.size = size;
	*ret_document = document;
	memset(&document, 0, sizeof(document));
	return FAULT_NONE;
}

enum fault document_load(int dir_fd, const char *name, const char *type, size_t limit, struct document *ret_document,
			 struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = fd_load_file(dir_fd, name, limit, &data, &size);

	if (r == -ENOENT)
		return refuse(why, FAULT_REPOSITORY, "%s is missing", name);
	if (r < 0)
		return refuse(why, FAULT_FILE, "%s: %s", name, strerror(-r));
	return document_parse(name, type, data, size, limit, ret_document, why);
}

/* --- counting --- */

bool document_role_names(const json_t *role, const struct tuf_key *key)
{
	const json_t *keyids = json_object_get(role, "keyids");

	for (size_t i = 0; i < json_array_size(keyids); i++) {
		const char *keyid = json_string_value(json_array_get(keyids, i));

		if (keyid != NULL && strcmp(keyid, key->keyid) == 0)
			return true;
	}
	return false;
}

/* The signature of KEYID, or NULL. A second one by the same key is not looked at: it could only count once. */
static json_t *signature_of(const struct document *document, const char *keyid)
{
	const json_t *signatures = json_object_get(document->json, "signatures");

	for (size_t i = 0; i < json_array_size(signatures); i++) {
		json_t *signature = json_array_get(signatures, i);
		const char *found = json_string_value(json_object_get(signature, "keyid"));

		if (found != NULL && strcmp(found, keyid) == 0)
			return signature;
	}
	return NULL;
}

static bool is_signed_by(const struct document *document, const struct tuf_key *key, const uint8_t *canonical,
			 size_t size)
{
	const char *text = json_string_value(json_object_get(signature_of(document, key->keyid), "sig"));

	return text != NULL && tuf_key_verify_hex(key, canonical, size, text);
}

enum fault document_count(const struct document *document, const json_t *keys, const json_t *role, unsigned *ret_valid,
			  unsigned *ret_threshold, struct refusal *why)
{
	_cleanup_free_ uint8_t *canonical = NULL;
	const json_t *keyids = json_object_get(role, "keyids");
	int64_t threshold = 0;
	unsigned valid = 0;
	size_t size;
	enum fault fault;

	if (!json_is_array(keyids) || json_array_size(keyids) > LIMIT_SIGNATURES)
		return refuse(why, FAULT_TUF_FORM, "%s: its role names no keys, or more than %d", document->name,
			      LIMIT_SIGNATURES);
	fault = json_get_integer(role, document->name, "threshold", true, 1, LIMIT_SIGNATURES, &threshold, why);
	if (fault == FAULT_NONE)
		fault = canonical_encode(document->signed_, &canonical, &size, why);
	if (fault != FAULT_NONE)
		return fault;
	for (size_t i = 0; i < json_array_size(keyids); i++) {
		const char *keyid = json_string_value(json_array_get(keyids, i));
		bool is_repeated = false;
		struct tuf_key key;

		for (size_t k = 0; k < i; k++)
			is_repeated |= json_equal(json_array_get(keyids, i), json_array_get(keyids, k)) != 0;
		if (keyid == NULL || is_repeated)
			return refuse(why, FAULT_TUF_FORM, "%s: its role names a key twice, or something else",
				      document->name);
		/* Any that this build knows: which may sign for what is the inside's policy. */
		fault = tuf_key_read(keyid, json_object_get(keys, keyid), TUF_SCHEMES_ALL, false, &key, why);
		if (fault != FAULT_NONE)
			return fault;
		valid += is_signed_by(document, &key, canonical, size);
	}
	*ret_valid = valid;
	*ret_threshold = (unsigned)threshold;
	return FAULT_NONE;
}

enum fault document_require(const struct document *document, const json_t *keys, const json_t *role,
			    struct refusal *why)
{
	unsigned valid;
	unsigned threshold;
	enum fault fault = document_count(document, keys, role, &valid, &threshold, why);

	if (fault != FAULT_NONE)
		return fault;
	if (valid < threshold)
		return refuse(why, FAULT_TUF_SIGNATURE, "%s: %u of %u signatures (TUF 1.0.34, 5.3.4)", document->name,
			      valid, threshold);
	return FAULT_NONE;
}

/* --- composing --- */

void document_name(const char *role, uint64_t version, char name[LIMIT_METADATA_NAME_SIZE])
{
	if (strcmp(role, "timestamp") == 0)
		snprintf(name, LIMIT_METADATA_NAME_SIZE, "timestamp.json");
	else
		snprintf(name, LIMIT_METADATA_NAME_SIZE, "%" PRIu64 ".%.63s.json", version, role);
}

enum fault document_next_version(int dir_fd, const char *role, uint64_t current, uint64_t *ret_version,
				 struct refusal *why)
{
	char name[LIMIT_METADATA_NAME_SIZE];

	for (uint64_t version = current + 1; version <= current + LEFTOVERS_MAX && version <= (uint64_t)LIMIT_VERSION;
	     version++) {
		document_name(role, version, name);
		if (strcmp(role, "timestamp") == 0 || !fd_exists(dir_fd, name)) {
			*ret_version = version;
			return FAULT_NONE;
		}
	}
	return refuse(why, FAULT_REPOSITORY, "no free version of %s after %" PRIu64, role, current);
}

json_t *document_new_signed(const char *type, uint64_t version, int64_t expires)
{
	char time[NOTATION_TIME_SIZE];

	notation_format_time(expires, time);
	return json_or_die(json_pack("{s:s, s:s, s:I, s:s}", "_type", type, "spec_version", DOCUMENT_SPEC_VERSION,
				     "version", (json_int_t)version, "expires", time));
}

json_t *document_to_meta(const struct document *document)
{
	char sha256[SHA256_HEX_SIZE];

	sha256_to_hex(&document->sha256, sha256);
	return json_or_die(json_pack("{s:I, s:I, s:{s:s}}", "version", (json_int_t)document->version, "length",
				     (json_int_t)document->size, "hashes", "sha256", sha256));
}

/* --- signing --- */

bool document_is_signed_by(const struct document *document, const struct tuf_key *key)
{
	_cleanup_free_ uint8_t *canonical = NULL;
	size_t size;

	return canonical_encode(document->signed_, &canonical, &size, NULL) == FAULT_NONE &&
	       is_signed_by(document, key, canonical, size);
}

enum fault document_add_signature(struct document *document, const char *keyid,
				  const uint8_t signature[TUF_SIGNATURE_SIZE], struct refusal *why)
{
	json_t *signatures = json_object_get(document->json, "signatures");
	json_t *old = signature_of(document, keyid);
	char text[2 * TUF_SIGNATURE_SIZE + 1];

	notation_hex(signature, TUF_SIGNATURE_SIZE, text);
	if (old != NULL)
		json_object_set_new(old, "sig", json_or_die(json_string(text)));
	else if (json_array_size(signatures) >= LIMIT_SIGNATURES)
		return refuse(why, FAULT_TUF_FORM, "%s: no room for more than %d signatures", document->name,
			      LIMIT_SIGNATURES);
	else
		json_array_append_new(signatures, json_or_die(json_pack("{s:s, s:s}", "keyid", keyid, "sig", text)));
	return FAULT_NONE;
}

enum fault document_sign(struct document *document, const struct secret_key *key, bool *ret_changed,
			 struct refusal *why)
{
	_cleanup_free_ uint8_t *canonical = NULL;
	const char *keyid = secret_key_public(key)->keyid;
	const char *old_text = json_string_value(json_object_get(signature_of(document, keyid), "sig"));
	uint8_t bytes[TUF_SIGNATURE_SIZE];
	char text[2 * TUF_SIGNATURE_SIZE + 1];
	size_t size;
	enum fault fault = canonical_encode(document->signed_, &canonical, &size, why);

	if (fault != FAULT_NONE)
		return fault;
	secret_key_sign(key, canonical, size, bytes);
	notation_hex(bytes, sizeof(bytes), text);
	*ret_changed = old_text == NULL || strcmp(old_text, text) != 0;
	return *ret_changed ? document_add_signature(document, keyid, bytes, why) : FAULT_NONE;
}

enum fault document_encode(const struct document *document, uint8_t **ret_data, size_t *ret_size, struct refusal *why)
{
	return canonical_encode(document->json, ret_data, ret_size, why);
}

enum fault document_write(int dir_fd, const char *name, const struct document *document, size_t limit,
			  struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	enum fault fault = document_encode(document, &data, &size, why);
	int r;

	if (fault != FAULT_NONE)
		return fault;
	if (size > limit)
		return refuse(why, FAULT_TUF_FORM, "%s: %zu bytes, clients take %zu", name, size, limit);
	r = fd_put_durable(dir_fd, name, data, size, 0644);
	return r < 0 ? refuse(why, FAULT_STORAGE, "%s: %s", name, strerror(-r)) : FAULT_NONE;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(secret_key_public(*(const struct secret_key *const *)a)->keyid,
		      secret_key_public(*(const struct secret_key *const *)b)->keyid);
}

static enum fault sign_with_all(struct document *document, const struct secret_key *const *keys, size_t n_keys,
				struct refusal *why)
{
	_cleanup_free_ const struct secret_key **sorted = xcalloc(n_keys + 1, sizeof(struct secret_key *));
	bool changed;

	memcpy(sorted, keys, n_keys * sizeof(struct secret_key *));
	qsort(sorted, n_keys, sizeof(struct secret_key *), compare_keys);
	for (size_t i = 0; i < n_keys; i++) {
		enum fault fault = document_sign(document, sorted[i], &changed, why);

		if (fault != FAULT_NONE)
			return fault;
	}
	return FAULT_NONE;
}

enum fault document_put(int dir_fd, const char *name, json_t *signed_, const struct secret_key *const *keys,
			size_t n_keys, size_t limit, struct document *ret_document, struct refusal *why)
{
	_cleanup_(document_clear) struct document document = {0};
	enum fault fault;

	document.json = json_or_die(json_pack("{s:[], s:o}", "signatures", "signed", signed_));
	document.signed_ = signed_;
	if (!text_copy(document.name, sizeof(document.name), name))
		die("metadata name %s", name);
	fault = sign_with_all(&document, keys, n_keys, why);
	if (fault == FAULT_NONE)
		fault = document_write(dir_fd, name, &document, limit, why);
	/* Read back as a stranger would: nothing that we write is outside the form that we read. */
	return fault != FAULT_NONE ? fault : document_load(dir_fd, name, NULL, limit, ret_document, why);
}
