/* SPDX-License-Identifier: ISC
 *
 * pubkey: Ed25519 keys in TUF's form; verification through libsodium.
 */
#include "keys/pubkey.h"

#include <sodium.h>
#include <string.h>

#include "base/log.h"
#include "bundle/hash.h"
#include "bundle/notation.h"
#include "keys/canonical.h"

/* The text of a member, which holds no NUL; NULL where it is missing or no text. */
static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

enum fault tuf_key_parse(const char *keyid, const json_t *object, struct tuf_key *ret_key, struct refusal *why)
{
	const char *keytype = text_of(object, "keytype"), *scheme = text_of(object, "scheme");
	const char *public = text_of(json_object_get(object, "keyval"), "public");
	struct tuf_key key;
	struct sha256 claimed, computed;
	enum fault fault;

	if (!sha256_from_hex(keyid, &claimed))
		return refuse(why, FAULT_TUF_FORM, "keyid \"%s\" is not 64 lower-case hex digits (TUF 1.0.34, 4.2.1)",
			      keyid);
	if (keytype == NULL || scheme == NULL || public == NULL)
		return refuse(why, FAULT_TUF_FORM,
			      "key %.8s: keytype, scheme and keyval.public must be texts (TUF 1.0.34, 4.2)", keyid);
	if (strcmp(keytype, "ed25519") != 0 || strcmp(scheme, "ed25519") != 0)
		return refuse(why, FAULT_TUF_FORM, "key %.8s: keytype %s, scheme %s; this reads ed25519 alone", keyid,
			      keytype, scheme);
	if (!notation_unhex(public, key.public_key, sizeof(key.public_key)))
		return refuse(why, FAULT_TUF_FORM,
			      "key %.8s: keyval.public is not 64 lower-case hex digits (TUF 1.0.34, 4.2)", keyid);
	fault = canonical_hash(object, &computed, why);
	if (fault != FAULT_NONE) {
		refuse_within(why, "key %.8s", keyid);
		return fault;
	}
	sha256_to_hex(&computed, key.keyid);
	if (!sha256_equal(&claimed, &computed))
		return refuse(why, FAULT_TUF_FORM, "key %.8s: its keyid computes to %.8s (TUF 1.0.34, 4.2.1)", keyid,
			      key.keyid);
	*ret_key = key;
	return FAULT_NONE;
}

json_t *tuf_key_to_json(const struct tuf_key *key)
{
	char public[2 * TUF_PUBLIC_KEY_SIZE + 1];
	json_t *object;

	notation_hex(key->public_key, sizeof(key->public_key), public);
	object = json_pack("{s:s, s:s, s:{s:s}}", "keytype", "ed25519", "scheme", "ed25519", "keyval", "public",
			   public);
	if (object == NULL)
		die("out of memory");
	return object;
}

void tuf_key_from_public(const uint8_t public_key[TUF_PUBLIC_KEY_SIZE], struct tuf_key *ret_key)
{
	json_t *object;
	struct sha256 keyid;

	memcpy(ret_key->public_key, public_key, TUF_PUBLIC_KEY_SIZE);
	object = tuf_key_to_json(ret_key);
	if (canonical_hash(object, &keyid, NULL) != FAULT_NONE)
		die("a key of ours that canonical JSON refuses");
	json_decref(object);
	sha256_to_hex(&keyid, ret_key->keyid);
}

bool tuf_key_verify(const struct tuf_key *key, const uint8_t *data, size_t size,
		    const uint8_t signature[TUF_SIGNATURE_SIZE])
{
	return crypto_sign_verify_detached(signature, data, size, key->public_key) == 0;
}
