/* SPDX-License-Identifier: ISC
 *
 * metadata_claim: what metadata.c and metadata_roles.c share: the inside of a claim and strict access to its members.
 */
#ifndef KEYS_METADATA_CLAIM_H
#define KEYS_METADATA_CLAIM_H

#include "keys/metadata.h"

struct tuf_signature {
	char keyid[TUF_KEYID_SIZE];
	bool is_ed25519; /* else: of another scheme, or not signed yet; it never counts */
	uint8_t bytes[TUF_SIGNATURE_SIZE];
};

struct tuf_claim {
	json_t *file;          /* owns all below */
	const json_t *signed_; /* borrowed */
	uint8_t *canonical;    /* what was signed */
	size_t canonical_size;
	struct tuf_signature signatures[LIMIT_SIGNATURES];
	size_t n_signatures;
	struct sha256 sha256; /* of the file */
	uint64_t size;
};

/* The members that all four kinds have (4.3): _type is TYPE, spec_version 1.x, version, expires. */
enum fault tuf_header_read(const struct tuf_claim *claim, const char *type, struct tuf_header *ret_header,
			   struct refusal *why);

/* Members of OBJECT that must be there and of their type; WHERE is the object's place ("signed.meta"). FAULT_TUF_FORM.
 */
enum fault tuf_member_text(const json_t *object, const char *where, const char *key, const char **ret,
			   struct refusal *why);
enum fault tuf_member_integer(const json_t *object, const char *where, const char *key, int64_t minimum,
			      int64_t maximum, uint64_t *ret, struct refusal *why);
enum fault tuf_member_object(const json_t *object, const char *where, const char *key, const json_t **ret,
			     struct refusal *why);
enum fault tuf_member_array(const json_t *object, const char *where, const char *key, const json_t **ret,
			    struct refusal *why);
enum fault tuf_member_time(const json_t *object, const char *where, const char *key, int64_t *ret, struct refusal *why);
/* `hashes`: sha256 must be among them; others are not looked at. */
enum fault tuf_member_hashes(const json_t *object, const char *where, struct sha256 *ret, struct refusal *why);

/* A `keys` object, sorted by keyid, for authorities to pick from. */
struct tuf_keyring {
	struct tuf_key *keys;
	size_t n_keys;
};
enum fault tuf_keyring_read(const json_t *object, const char *where, struct tuf_keyring *ret_keyring,
			    struct refusal *why);
void tuf_keyring_clear(struct tuf_keyring *keyring); /* for _cleanup_ */

/* `keyids` and `threshold` of OBJECT. */
enum fault tuf_authority_read(const json_t *object, const char *where, const struct tuf_keyring *keyring,
			      struct tuf_authority *ret_authority, struct refusal *why);

#endif
