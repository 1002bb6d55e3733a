/* SPDX-License-Identifier: ISC
 *
 * ceremony_request: the two small files that people carry when root or targets are signed away from the repository (FORMAT.md 14;
 * closed world). A request holds all that a signer must see and is never changed; each signer answers with a file of their own.
 *
 *     {"format": "clapet sign request 1", "role": "root" / "targets", "created": time, "until": time,
 *      "root": text / null, "replaces": text / null, "signed": {…}}
 *
 *     {"format": "clapet signature 1", "role", "version", "digest": sha256, "keyid", "sig"}
 */
#ifndef KEYS_CEREMONY_REQUEST_H
#define KEYS_CEREMONY_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "keys/document.h"

/* How long a request may lie before somebody must look again. */
#define SIGN_REQUEST_DAYS 30

/* A metadata file as it travels within a request: its bytes, so that its SHA-256 is the one that people know. */
struct sign_carried {
	char *text; /* owned; NULL: none */
	struct document document;
};

struct sign_request {
	const char *role; /* "root" or "targets" */
	int64_t created, until;
	struct sign_carried root;     /* whose keys must sign: the previous root, or for targets the current one */
	struct sign_carried replaces; /* the targets that are current; none for a root, and for the first targets */
	struct document next;         /* what is signed, under the name that it will have; no signatures */
	struct sha256 digest;         /* of the canonical form of next.signed_: what exactly is signed */
};

/* A new one that is good for SIGN_REQUEST_DAYS. ROOT and REPLACES are files' bytes (SIZE 0: none), SIGNED_ is stolen. Checked as
 * sign_request_parse checks it. */
struct sign_request_parts {
	const char *role;
	int64_t now;
	const uint8_t *root, *replaces;
	size_t root_size, replaces_size;
	json_t *signed_;
};
enum fault sign_request_new(const struct sign_request_parts *parts, struct sign_request *ret_request,
			    struct refusal *why);

/* FAULT_CEREMONY_FORM (FAULT_JSON_FORMAT for another version) with the place: anything outside the form; a `signed` outside
 * ceremony_form.h's; a version that does not follow; a root or targets of another kind. Signatures are not looked at. */
enum fault sign_request_parse(const void *data, size_t size, const char *where, struct sign_request *ret_request,
			      struct refusal *why);
enum fault sign_request_load(const char *path, struct sign_request *ret_request, struct refusal *why);
void sign_request_clear(struct sign_request *request);

/* Canonical bytes in a new buffer. */
void sign_request_encode(const struct sign_request *request, uint8_t **ret_data, size_t *ret_size);

/* FAULT_CEREMONY_EXPIRED where NOW is past `until`, or past what would be signed. */
enum fault sign_request_check_time(const struct sign_request *request, int64_t now, struct refusal *why);

/* Who must sign: for a root the keys of the root before it and its own, for targets those that root names. At most two. */
struct sign_authority {
	char whose[40]; /* "root 1", "the new root 2" */
	const json_t *keys, *role;
};
#define SIGN_AUTHORITIES 2
size_t sign_request_authorities(const struct sign_request *request,
				struct sign_authority authorities[SIGN_AUTHORITIES]);

/* --- signatures --- */

struct sign_signature {
	char role[8];
	uint64_t version;
	struct sha256 digest;
	char keyid[TUF_KEYID_SIZE];
	uint8_t bytes[TUF_SIGNATURE_SIZE];
};

/* FAULT_CEREMONY_FORM. Nothing is verified here. */
enum fault sign_signature_parse(const void *data, size_t size, const char *where, struct sign_signature *ret_signature,
				struct refusal *why);
enum fault sign_signature_load(const char *path, struct sign_signature *ret_signature, struct refusal *why);
void sign_signature_encode(const struct sign_signature *signature, uint8_t **ret_data, size_t *ret_size);

/* KEY's signature of REQUEST. */
void sign_request_sign(const struct sign_request *request, const struct secret_key *key,
		       struct sign_signature *ret_signature);

/* Adds SIGNATURE to what REQUEST will become, after it was verified: FAULT_CEREMONY_SIGNATURE where it is of another request, does
 * not verify or is there already, FAULT_KEY_ROLE where nobody of sign_request_authorities names its key. */
enum fault sign_request_add(struct sign_request *request, const struct sign_signature *signature, const char *where,
			    struct refusal *why);

#endif
