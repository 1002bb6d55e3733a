/* SPDX-License-Identifier: ISC
 *
 * metadata_claim: what metadata.c and metadata_roles.c share: the inside of a claim and strict access to its members.
 */
#ifndef KEYS_METADATA_CLAIM_H
#define KEYS_METADATA_CLAIM_H

#include "keys/metadata.h"

struct tuf_signature {
	char keyid[TUF_KEYID_SIZE];
	const char *sig; /* borrowed; any text: what is no signature of its key never counts */
};

struct tuf_claim {
	const struct tuf_profile *profile; /* never NULL */
	json_t *file;                      /* owns all below */
	const json_t *signed_;             /* borrowed */
	uint8_t *canonical;                /* what was signed */
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
/* `hashes`: which of the two are listed, and what. The closed profile wants sha256. */
enum fault tuf_member_hashes(const json_t *object, const char *where, const struct tuf_profile *profile,
			     unsigned *ret_hashes, struct sha256 *ret_sha256, struct sha512 *ret_sha512,
			     struct refusal *why);

/* A `keys` object, sorted by keyid, for authorities to pick from. */
struct tuf_keyring {
	struct tuf_key *keys;
	size_t n_keys;
};
enum fault tuf_keyring_read(const json_t *object, const char *where, const struct tuf_profile *profile,
			    struct tuf_keyring *ret_keyring, struct refusal *why);
void tuf_keyring_clear(struct tuf_keyring *keyring); /* for _cleanup_ */

/* `keyids` and `threshold` of OBJECT, for a role of KIND: FAULT_TUF_SCHEME where a key's scheme may not sign for it. */
enum fault tuf_authority_read(const json_t *object, const char *where, const struct tuf_keyring *keyring,
			      const struct tuf_profile *profile, enum tuf_kind kind,
			      struct tuf_authority *ret_authority, struct refusal *why);

/* What a targets file says, its signatures being good (metadata_targets.c). */
enum fault tuf_targets_read(const struct tuf_claim *claim, struct tuf_targets *targets, struct refusal *why);
/* Whether NAME can be a delegated role's: a dataset's or "status"; with a general profile, any but a top role's. */
bool tuf_is_role_name(const char *name, const struct tuf_profile *profile);

#endif
