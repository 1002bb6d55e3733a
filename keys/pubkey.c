/* SPDX-License-Identifier: ISC
 *
 * pubkey: keys in TUF's form, each scheme a row of a table. Ed25519 through libsodium; the rest is in pubkey_pem.c.
 */
#include "keys/pubkey.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/hash.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "keys/canonical.h"
#ifdef CLAPET_ECDSA
#include "keys/pubkey_pem.h"
#endif

/* --- schemes --------------------------------------------------------------------------------------------------------
 */

static bool ed25519_read(const char *public, struct tuf_key *key)
{
	return notation_unhex(public, key->public_key, sizeof(key->public_key));
}

static bool ed25519_verify(const struct tuf_key *key, const uint8_t *data, size_t size, const uint8_t *signature,
			   size_t signature_size)
{
	return signature_size == TUF_SIGNATURE_SIZE && tuf_key_verify(key, data, size, signature);
}

/* What `keyval.public` of a scheme (schemes.c) must be (for the refusal), and how it is read and verified. */
static const struct scheme {
	const char *keytypes[2]; /* the specification's, and one of older repositories */
	const char *form;
	bool (*read)(const char *public, struct tuf_key *key);
	bool (*verify)(const struct tuf_key *key, const uint8_t *data, size_t size, const uint8_t *signature,
		       size_t signature_size);
} schemes_table[TUF_SCHEME_N] = {
	[TUF_SCHEME_ED25519] = {{"ed25519", NULL}, "64 lower-case hex digits", ed25519_read, ed25519_verify},
#ifdef CLAPET_ECDSA
	[TUF_SCHEME_ECDSA_P256] = {{"ecdsa", "ecdsa-sha2-nistp256"},
				   "the PEM of a point on P-256",
				   pubkey_read_p256,
				   pubkey_verify_p256},
	[TUF_SCHEME_RSA_PSS_SHA256] = {{"rsa", NULL},
				       "the PEM of an RSA key of 2048 to 8192 bits",
				       pubkey_read_rsa,
				       pubkey_verify_rsa},
#else
	[TUF_SCHEME_ECDSA_P256] = {{NULL, NULL}, NULL, NULL, NULL},
	[TUF_SCHEME_RSA_PSS_SHA256] = {{NULL, NULL}, NULL, NULL, NULL},
#endif
};

void tuf_key_init(void)
{
	if (sodium_init() < 0)
		die("libsodium cannot start");
#ifdef CLAPET_ECDSA
	pubkey_pem_init();
#endif
}

/* --- reading --------------------------------------------------------------------------------------------------------
 */

/* The text of a member, which holds no NUL; NULL where it is missing or no text. */
static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static enum tuf_scheme scheme_of(const char *keytype, const char *scheme, unsigned schemes)
{
	for (int i = 0; i < TUF_SCHEME_N; i++) {
		const struct scheme *row = &schemes_table[i];

		if ((schemes & TUF_SCHEME_BIT(i)) == 0 || row->verify == NULL ||
		    strcmp(scheme, tuf_scheme_name((enum tuf_scheme)i)) != 0)
			continue;
		for (size_t j = 0; j < ARRAY_SIZE(row->keytypes); j++)
			if (row->keytypes[j] != NULL && strcmp(keytype, row->keytypes[j]) == 0)
				return (enum tuf_scheme)i;
	}
	return TUF_SCHEME_UNKNOWN;
}

/* "ed25519 alone", "ed25519, rsassa-pss-sha256". */
static void list_schemes(unsigned schemes, char *text, size_t size)
{
	size_t used = 0, n = 0;

	text[0] = '\0';
	for (int i = 0; i < TUF_SCHEME_N; i++) {
		if ((schemes & tuf_schemes_built() & TUF_SCHEME_BIT(i)) == 0)
			continue;
		used += (size_t)snprintf(text + used, size - used, "%s%s", n++ > 0 ? ", " : "",
					 tuf_scheme_name((enum tuf_scheme)i));
	}
	if (n == 1)
		snprintf(text + used, size - used, " alone");
}

/* TUF 4.2.1: the keyid is the hash of the key object, and whoever names it otherwise has two names for it. */
static enum fault check_keyid(const char *keyid, const json_t *object, struct refusal *why)
{
	char hex[TUF_KEYID_SIZE];
	struct sha256 computed;

	if (canonical_hash(object, &computed, why) != FAULT_NONE)
		return refuse_within(why, "key %.8s", keyid);
	sha256_to_hex(&computed, hex);
	if (strcmp(hex, keyid) != 0)
		return refuse(why, FAULT_TUF_FORM, "key %.8s: its keyid computes to %.8s (TUF 1.0.34, 4.2.1)", keyid,
			      hex);
	return FAULT_NONE;
}

enum fault tuf_key_read(const char *keyid, const json_t *object, unsigned schemes, bool is_general,
			struct tuf_key *ret_key, struct refusal *why)
{
	const char *keytype = text_of(object, "keytype"), *scheme = text_of(object, "scheme");
	const char *public = text_of(json_object_get(object, "keyval"), "public");
	struct tuf_key key = {.pem = NULL};
	struct sha256 claimed;
	char names[96];

	if (!sha256_from_hex(keyid, &claimed))
		return refuse(why, FAULT_TUF_FORM, "keyid \"%s\" is not 64 lower-case hex digits (TUF 1.0.34, 4.2.1)",
			      keyid);
	memcpy(key.keyid, keyid, sizeof(key.keyid));
	if (keytype == NULL || scheme == NULL || (public == NULL && !is_general))
		return refuse(why, FAULT_TUF_FORM,
			      "key %.8s: keytype, scheme and keyval.public must be texts (TUF 1.0.34, 4.2)", keyid);
	key.scheme = scheme_of(keytype, scheme, schemes);
	if (key.scheme == TUF_SCHEME_UNKNOWN && !is_general) {
		list_schemes(schemes, names, sizeof(names));
		return refuse(why, FAULT_TUF_FORM, "key %.8s: keytype %s, scheme %s; this reads %s", keyid, keytype,
			      scheme, names);
	}
	if (key.scheme != TUF_SCHEME_UNKNOWN && (public == NULL || !schemes_table[key.scheme].read(public, &key)))
		return refuse(why, FAULT_TUF_FORM, "key %.8s: keyval.public is not %s (TUF 1.0.34, 4.2)", keyid,
			      schemes_table[key.scheme].form);
	if (!is_general && check_keyid(keyid, object, why) != FAULT_NONE)
		return FAULT_TUF_FORM;
	*ret_key = key;
	return FAULT_NONE;
}

enum fault tuf_key_parse(const char *keyid, const json_t *object, struct tuf_key *ret_key, struct refusal *why)
{
	return tuf_key_read(keyid, object, TUF_SCHEME_BIT(TUF_SCHEME_ED25519), false, ret_key, why);
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
	struct tuf_key key = {.pem = NULL};
	json_t *object;
	struct sha256 keyid;

	memcpy(key.public_key, public_key, TUF_PUBLIC_KEY_SIZE);
	object = tuf_key_to_json(&key);
	if (canonical_hash(object, &keyid, NULL) != FAULT_NONE)
		die("a key of ours that canonical JSON refuses");
	json_decref(object);
	sha256_to_hex(&keyid, key.keyid);
	*ret_key = key;
}

bool tuf_key_equal(const struct tuf_key *a, const struct tuf_key *b)
{
	/* Of an unknown scheme nothing was read but the name. */
	if (a->scheme == TUF_SCHEME_UNKNOWN || b->scheme == TUF_SCHEME_UNKNOWN)
		return a->scheme == b->scheme && strcmp(a->keyid, b->keyid) == 0;
	return memcmp(a->public_key, b->public_key, sizeof(a->public_key)) == 0;
}

/* --- verifying ------------------------------------------------------------------------------------------------------
 */

bool tuf_key_verify(const struct tuf_key *key, const uint8_t *data, size_t size,
		    const uint8_t signature[TUF_SIGNATURE_SIZE])
{
	return key->scheme == TUF_SCHEME_ED25519 &&
	       crypto_sign_verify_detached(signature, data, size, key->public_key) == 0;
}

bool tuf_key_verify_hex(const struct tuf_key *key, const uint8_t *data, size_t size, const char *sig)
{
	uint8_t signature[LIMIT_SIGNATURE_SIZE];
	size_t length = strlen(sig);

	if (key->scheme == TUF_SCHEME_UNKNOWN || length % 2 != 0 || length / 2 > sizeof(signature) ||
	    !notation_unhex(sig, signature, length / 2))
		return false;
	return schemes_table[key->scheme].verify(key, data, size, signature, length / 2);
}
