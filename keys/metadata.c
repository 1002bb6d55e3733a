/* SPDX-License-Identifier: ISC
 *
 * metadata: from bytes to a claim, and from a claim to a threshold of signatures. What the four kinds of file say is
 * read in metadata_roles.c, after this.
 */
#include "keys/metadata.h"

#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "keys/canonical.h"
#include "keys/metadata_claim.h"

/* --- members --------------------------------------------------------------------------------------------------------
 */

enum fault tuf_member_text(const json_t *object, const char *where, const char *key, const char **ret,
			   struct refusal *why)
{
	const json_t *member = json_object_get(object, key);

	if (!json_is_string(member) || strlen(json_string_value(member)) != json_string_length(member))
		return refuse(why, FAULT_TUF_FORM, "%s: \"%s\" must be a text", where, key);
	*ret = json_string_value(member);
	return FAULT_NONE;
}

enum fault tuf_member_integer(const json_t *object, const char *where, const char *key, int64_t minimum,
			      int64_t maximum, uint64_t *ret, struct refusal *why)
{
	const json_t *member = json_object_get(object, key);

	if (!json_is_integer(member) || json_integer_value(member) < minimum || json_integer_value(member) > maximum)
		return refuse(why, FAULT_TUF_FORM, "%s: \"%s\" must be an integer from %lld to %lld", where, key,
			      (long long)minimum, (long long)maximum);
	*ret = (uint64_t)json_integer_value(member);
	return FAULT_NONE;
}

enum fault tuf_member_object(const json_t *object, const char *where, const char *key, const json_t **ret,
			     struct refusal *why)
{
	const json_t *member = json_object_get(object, key);

	if (!json_is_object(member))
		return refuse(why, FAULT_TUF_FORM, "%s: \"%s\" must be an object", where, key);
	*ret = member;
	return FAULT_NONE;
}

enum fault tuf_member_array(const json_t *object, const char *where, const char *key, const json_t **ret,
			    struct refusal *why)
{
	const json_t *member = json_object_get(object, key);

	if (!json_is_array(member))
		return refuse(why, FAULT_TUF_FORM, "%s: \"%s\" must be an array", where, key);
	*ret = member;
	return FAULT_NONE;
}

enum fault tuf_member_time(const json_t *object, const char *where, const char *key, int64_t *ret, struct refusal *why)
{
	const char *text;
	enum fault fault = tuf_member_text(object, where, key, &text, why);

	if (fault != FAULT_NONE)
		return fault;
	if (!notation_parse_time(text, ret))
		return refuse(why, FAULT_TUF_FORM,
			      "%s: \"%s\" is not of the form YYYY-MM-DDTHH:MM:SSZ " TUF_CLAUSE("4.2"), where, key);
	return FAULT_NONE;
}

enum fault tuf_member_hashes(const json_t *object, const char *where, const struct tuf_profile *profile,
			     unsigned *ret_hashes, struct sha256 *ret_sha256, struct sha512 *ret_sha512,
			     struct refusal *why)
{
	const json_t *hashes;
	const char *text;
	unsigned listed = 0;
	enum fault fault = tuf_member_object(object, where, "hashes", &hashes, why);

	if (fault == FAULT_NONE && (!profile->is_general || json_object_get(hashes, "sha256") != NULL)) {
		fault = tuf_member_text(hashes, where, "sha256", &text, why);
		listed |= TUF_HASH_SHA256;
		/* Ours are never zero, which stands for "not given" in places; of others it is only a wrong one. */
		if (fault == FAULT_NONE &&
		    (!sha256_from_hex(text, ret_sha256) || (!profile->is_general && sha256_is_zero(ret_sha256))))
			fault = refuse(why, FAULT_TUF_FORM,
				       "%s: \"sha256\" is not 64 lower-case hex digits " TUF_CLAUSE("4.4"), where);
	}
	if (fault == FAULT_NONE && json_object_get(hashes, "sha512") != NULL) {
		fault = tuf_member_text(hashes, where, "sha512", &text, why);
		listed |= TUF_HASH_SHA512;
		if (fault == FAULT_NONE && !notation_unhex(text, ret_sha512->bytes, SHA512_SIZE))
			fault = refuse(why, FAULT_TUF_FORM,
				       "%s: \"sha512\" is not 128 lower-case hex digits " TUF_CLAUSE("4.4"), where);
	}
	if (fault == FAULT_NONE && listed == 0)
		fault = refuse(why, FAULT_TUF_FORM, "%s: \"hashes\" has neither sha256 nor sha512 " TUF_CLAUSE("4.4"),
			       where);
	if (fault == FAULT_NONE)
		*ret_hashes = listed;
	return fault;
}

/* --- hashes and lengths ---------------------------------------------------------------------------------------------
 */

static enum fault check_sha512(const struct sha512 *named, const uint8_t *data, size_t size, const char *clause,
			       struct refusal *why)
{
	struct sha512 found;
	char named_hex[SHA512_HEX_SIZE], found_hex[SHA512_HEX_SIZE];

	crypto_hash_sha512(found.bytes, data, size);
	if (memcmp(&found, named, sizeof(found)) == 0)
		return FAULT_NONE;
	notation_hex(named->bytes, SHA512_SIZE, named_hex);
	notation_hex(found.bytes, SHA512_SIZE, found_hex);
	return refuse(why, FAULT_TUF_HASH, "SHA-512 %.16s, %.16s is named (TUF 1.0.34, %s)", found_hex, named_hex,
		      clause);
}

static enum fault check_hashes(unsigned hashes, const struct sha256 *sha256, const struct sha512 *sha512,
			       const uint8_t *data, size_t size, const char *clause, struct refusal *why)
{
	char named[SHA256_HEX_SIZE], found_hex[SHA256_HEX_SIZE];
	struct sha256 found;

	if (hashes & TUF_HASH_SHA256) {
		hash_bytes(data, size, &found);
		sha256_to_hex(sha256, named);
		sha256_to_hex(&found, found_hex);
		if (!sha256_equal(&found, sha256))
			return refuse(why, FAULT_TUF_HASH, "SHA-256 %.16s, %.16s is named (TUF 1.0.34, %s)", found_hex,
				      named, clause);
	}
	return hashes & TUF_HASH_SHA512 ? check_sha512(sha512, data, size, clause, why) : FAULT_NONE;
}

enum fault tuf_meta_check(const struct tuf_meta *meta, const uint8_t *data, size_t size, const char *clause,
			  struct refusal *why)
{
	if (meta->length != 0 && meta->length != size)
		return refuse(why, FAULT_TUF_HASH, "%zu bytes, %" PRIu64 " are named (TUF 1.0.34, %s)", size,
			      meta->length, clause);
	return check_hashes(meta->hashes, &meta->sha256, &meta->sha512, data, size, clause, why);
}

enum fault tuf_target_check(const struct tuf_target *target, const uint8_t *data, size_t size, struct refusal *why)
{
	if (target->length != size)
		return refuse(why, FAULT_TUF_HASH, "%zu bytes, %" PRIu64 " are named " TUF_CLAUSE("5.7.3"), size,
			      target->length);
	return check_hashes(target->hashes, &target->sha256, &target->sha512, data, size, "5.7.3", why);
}

/* --- profiles -------------------------------------------------------------------------------------------------------
 */

static const struct tuf_profile closed_profile;

unsigned tuf_profile_schemes(const struct tuf_profile *profile, enum tuf_kind kind)
{
	unsigned schemes = profile->schemes[kind];

	return (schemes != 0 ? schemes : TUF_SCHEME_BIT(TUF_SCHEME_ED25519)) & tuf_schemes_built();
}

/* --- claims ---------------------------------------------------------------------------------------------------------
 */

static enum fault signature_read(struct tuf_claim *claim, const json_t *object, struct refusal *why)
{
	struct tuf_signature *signature = &claim->signatures[claim->n_signatures];
	const char *keyid, *sig;
	struct sha256 id;
	enum fault fault = tuf_member_text(object, "signatures", "keyid", &keyid, why);

	if (fault == FAULT_NONE)
		fault = tuf_member_text(object, "signatures", "sig", &sig, why);
	if (fault != FAULT_NONE)
		return fault;
	if (!sha256_from_hex(keyid, &id))
		return refuse(why, FAULT_TUF_FORM,
			      "signatures: a keyid is not 64 lower-case hex digits " TUF_CLAUSE("4.2.1"));
	for (size_t i = 0; i < claim->n_signatures; i++)
		if (strcmp(claim->signatures[i].keyid, keyid) == 0)
			return refuse(why, FAULT_TUF_FORM, "signatures: keyid %.8s twice " TUF_CLAUSE("4.2.1"), keyid);
	memcpy(signature->keyid, keyid, sizeof(signature->keyid));
	signature->sig = sig;
	claim->n_signatures++;
	return FAULT_NONE;
}

static enum fault claim_read(struct tuf_claim *claim, struct refusal *why)
{
	const json_t *signatures;
	enum fault fault = tuf_member_object(claim->file, "file", "signed", &claim->signed_, why);

	if (fault == FAULT_NONE)
		fault = tuf_member_array(claim->file, "file", "signatures", &signatures, why);
	if (fault != FAULT_NONE)
		return fault;
	if (json_array_size(signatures) > LIMIT_SIGNATURES)
		return refuse(why, FAULT_TUF_FORM, "%zu signatures, at most %d are read", json_array_size(signatures),
			      LIMIT_SIGNATURES);
	for (size_t i = 0; i < json_array_size(signatures); i++) {
		fault = signature_read(claim, json_array_get(signatures, i), why);
		if (fault != FAULT_NONE)
			return fault;
	}
	return canonical_encode(claim->signed_, &claim->canonical, &claim->canonical_size, why);
}

enum fault tuf_claim_parse(const uint8_t *data, size_t size, size_t limit, struct tuf_claim **ret_claim,
			   struct refusal *why)
{
	_cleanup_(tuf_claim_freep) struct tuf_claim *claim = xcalloc(1, sizeof(*claim));
	struct refusal inner = {FAULT_NONE, ""};
	enum fault fault;

	if (size > limit)
		return refuse(why, FAULT_TUF_FORM, "%zu bytes, at most %zu are read " TUF_CLAUSE("5.1"), size, limit);
	/* Damaged JSON is, for the operator, damaged metadata: one code, and advice that fits. */
	if (json_parse(data, size, limit, &claim->file, &inner) != FAULT_NONE)
		return refuse(why, FAULT_TUF_FORM, "%s", inner.line);
	fault = claim_read(claim, why);
	if (fault != FAULT_NONE)
		return fault;
	hash_bytes(data, size, &claim->sha256);
	claim->size = size;
	claim->profile = &closed_profile;
	*ret_claim = steal_pointer(&claim);
	return FAULT_NONE;
}

void tuf_claim_read_as(struct tuf_claim *claim, const struct tuf_profile *profile)
{
	claim->profile = profile;
}

void tuf_claim_free(struct tuf_claim *claim)
{
	if (claim == NULL)
		return;
	json_decref(claim->file);
	free(claim->canonical);
	free(claim);
}

void tuf_claim_freep(struct tuf_claim **claim)
{
	tuf_claim_free(*claim);
}

/* "1.0.34", "1.0": the version of the specification; another major number is another format. */
static bool is_spec_version(const char *text)
{
	return strncmp(text, "1.", 2) == 0 && text[2] != '\0' && strspn(text, "0123456789.") == strlen(text) &&
	       strlen(text) <= 16;
}

enum fault tuf_header_read(const struct tuf_claim *claim, const char *type, struct tuf_header *ret_header,
			   struct refusal *why)
{
	struct tuf_header header = {0, 0, claim->sha256, claim->size};
	const char *text;
	enum fault fault = tuf_member_text(claim->signed_, "signed", "_type", &text, why);

	if (fault != FAULT_NONE)
		return fault;
	if (strcmp(text, type) != 0)
		return refuse(why, FAULT_TUF_FORM, "_type is \"%.40s\", not \"%s\" " TUF_CLAUSE("4.3"), text, type);
	fault = tuf_member_text(claim->signed_, "signed", "spec_version", &text, why);
	if (fault != FAULT_NONE)
		return fault;
	if (!is_spec_version(text))
		return refuse(why, FAULT_TUF_FORM, "spec_version is \"%.40s\"; this reads 1.x " TUF_CLAUSE("4.3"),
			      text);
	fault = tuf_member_integer(claim->signed_, "signed", "version", 1, LIMIT_VERSION, &header.version, why);
	if (fault == FAULT_NONE)
		fault = tuf_member_time(claim->signed_, "signed", "expires", &header.expires, why);
	if (fault == FAULT_NONE)
		*ret_header = header;
	return fault;
}

/* --- keys and thresholds --------------------------------------------------------------------------------------------
 */

static int compare_keys(const void *a, const void *b)
{
	return strcmp(((const struct tuf_key *)a)->keyid, ((const struct tuf_key *)b)->keyid);
}

enum fault tuf_keyring_read(const json_t *object, const char *where, const struct tuf_profile *profile,
			    struct tuf_keyring *ret_keyring, struct refusal *why)
{
	_cleanup_(tuf_keyring_clear) struct tuf_keyring keyring = {NULL, 0};
	unsigned schemes = 0;
	const char *keyid;
	json_t *key;

	if (json_object_size(object) > LIMIT_KEYS)
		return refuse(why, FAULT_TUF_FORM, "%s: %zu keys, at most %d are read", where, json_object_size(object),
			      LIMIT_KEYS);
	/* A scheme that no role may use has no business here; which role may use which is asked where roles are read. */
	for (enum tuf_kind kind = 0; kind < TUF_KIND_N; kind++)
		schemes |= tuf_profile_schemes(profile, kind);
	keyring.keys = xcalloc(json_object_size(object) + 1, sizeof(*keyring.keys));
	json_object_foreach((json_t *)object, keyid, key)
	{
		enum fault fault = tuf_key_read(keyid, key, schemes, profile->is_general, &keyring.keys[keyring.n_keys],
						why);

		if (fault != FAULT_NONE) {
			refuse_within(why, "%s", where);
			return fault;
		}
		keyring.n_keys++;
	}
	qsort(keyring.keys, keyring.n_keys, sizeof(*keyring.keys), compare_keys);
	*ret_keyring = keyring;
	keyring.keys = NULL;
	return FAULT_NONE;
}

void tuf_keyring_clear(struct tuf_keyring *keyring)
{
	free(keyring->keys);
	keyring->keys = NULL;
}

static const struct tuf_key *keyring_find(const struct tuf_keyring *keyring, const char *keyid)
{
	for (size_t low = 0, high = keyring->n_keys; low < high;) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(keyid, keyring->keys[middle].keyid);

		if (order == 0)
			return &keyring->keys[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static const struct tuf_key *authority_find(const struct tuf_authority *authority, const char *keyid)
{
	for (size_t i = 0; i < authority->n_keys; i++)
		if (strcmp(authority->keys[i].keyid, keyid) == 0)
			return &authority->keys[i];
	return NULL;
}

/* A key that may not sign for roles of this kind: refused by the closed profile, of no use otherwise. */
static enum fault check_scheme(struct tuf_key *key, const char *where, const struct tuf_profile *profile,
			       enum tuf_kind kind, struct refusal *why)
{
	if (key->scheme != TUF_SCHEME_UNKNOWN &&
	    (tuf_profile_schemes(profile, kind) & TUF_SCHEME_BIT(key->scheme)) != 0)
		return FAULT_NONE;
	if (!profile->is_general)
		return refuse(why, FAULT_TUF_SCHEME,
			      "%s: key %.8s is %s, which the configuration's \"schemes\" does not allow for %s", where,
			      key->keyid, tuf_scheme_name(key->scheme), tuf_kind_name(kind));
	key->scheme = TUF_SCHEME_UNKNOWN;
	return FAULT_NONE;
}

static enum fault authority_add(struct tuf_authority *authority, const json_t *keyid, const char *where,
				const struct tuf_keyring *keyring, struct refusal *why)
{
	const char *text = json_string_value(keyid);
	const struct tuf_key *key = text != NULL ? keyring_find(keyring, text) : NULL;

	if (key == NULL)
		return refuse(why, FAULT_TUF_FORM, "%s: keyids names a key that is not in keys " TUF_CLAUSE("4.3"),
			      where);
	if (authority_find(authority, text) != NULL)
		return refuse(why, FAULT_TUF_FORM, "%s: keyid %.8s twice " TUF_CLAUSE("4.3"), where, text);
	authority->keys[authority->n_keys++] = *key;
	return FAULT_NONE;
}

enum fault tuf_authority_read(const json_t *object, const char *where, const struct tuf_keyring *keyring,
			      const struct tuf_profile *profile, enum tuf_kind kind,
			      struct tuf_authority *ret_authority, struct refusal *why)
{
	struct tuf_authority authority = {NULL, 0, 0};
	const json_t *keyids;
	uint64_t threshold;
	enum fault fault = tuf_member_array(object, where, "keyids", &keyids, why);

	if (fault == FAULT_NONE)
		fault = tuf_member_integer(object, where, "threshold", 1, LIMIT_SIGNATURES, &threshold, why);
	if (fault != FAULT_NONE)
		return fault;
	/* More keys than signatures are read would be of no use, and the search below is linear. */
	if (json_array_size(keyids) > LIMIT_SIGNATURES)
		return refuse(why, FAULT_TUF_FORM, "%s: %zu keyids, at most %d are read", where,
			      json_array_size(keyids), LIMIT_SIGNATURES);
	authority.keys = xcalloc(json_array_size(keyids) + 1, sizeof(*authority.keys));
	for (size_t i = 0; i < json_array_size(keyids); i++) {
		fault = authority_add(&authority, json_array_get(keyids, i), where, keyring, why);
		if (fault == FAULT_NONE)
			fault = check_scheme(&authority.keys[i], where, profile, kind, why);
		if (fault != FAULT_NONE) {
			free(authority.keys);
			return fault;
		}
	}
	authority.threshold = (unsigned)threshold;
	*ret_authority = authority;
	return FAULT_NONE;
}

/* Two keyids may name one public key (an unknown member in the key object is enough): it counts once. */
static bool has_public_key(const struct tuf_key *const *keys, size_t n, const struct tuf_key *key)
{
	for (size_t i = 0; i < n; i++)
		if (tuf_key_equal(keys[i], key))
			return true;
	return false;
}

enum fault tuf_authority_check(const struct tuf_authority *authority, const struct tuf_claim *claim, const char *who,
			       struct refusal *why)
{
	const struct tuf_key *good[LIMIT_SIGNATURES];
	size_t n_good = 0;

	for (size_t i = 0; i < claim->n_signatures; i++) {
		const struct tuf_signature *signature = &claim->signatures[i];
		const struct tuf_key *key = authority_find(authority, signature->keyid);

		if (key == NULL || has_public_key(good, n_good, key))
			continue;
		if (tuf_key_verify_hex(key, claim->canonical, claim->canonical_size, signature->sig))
			good[n_good++] = key;
	}
	/* A threshold of 0 is refused when an authority is read; here it must not become a way in either. */
	if (n_good < authority->threshold || n_good == 0)
		return refuse(why, FAULT_TUF_SIGNATURE, "%zu good signatures, the threshold is %u, by %s", n_good,
			      authority->threshold, who);
	return FAULT_NONE;
}
