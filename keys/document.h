/* SPDX-License-Identifier: ISC
 *
 * document: one metadata file of our own repository, from the side that signs: read back, its signatures counted, a new
 * one composed, signed and put. (What others wrote is judged by client.h; here the folder is ours, and still nothing in
 * it is signed again unless its signatures or the hash that names it hold.)
 */
#ifndef KEYS_DOCUMENT_H
#define KEYS_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/hash.h"
#include "bundle/limits.h"
#include "keys/secret.h"

#define DOCUMENT_SPEC_VERSION "1.0.34"

struct document {
	char name[LIMIT_METADATA_NAME_SIZE];
	json_t *json;    /* owned: {"signatures", "signed"}; NULL: none */
	json_t *signed_; /* borrowed from json */
	uint64_t version;
	int64_t expires;
	struct sha256 sha256; /* of the file's bytes */
	uint64_t size;
};

void document_clear(struct document *document);

/* Reads the bytes of a metadata file whose `_type` must be TYPE (NULL: any of the four). FAULT_TUF_FORM. */
enum fault document_parse(const char *name, const char *type, const uint8_t *data, size_t size, size_t limit,
			  struct document *ret_document, struct refusal *why);
/* The same from a file of DIR_FD; FAULT_REPOSITORY where there is none. */
enum fault document_load(int dir_fd, const char *name, const char *type, size_t limit, struct document *ret_document,
			 struct refusal *why);

/* How many distinct keys of ROLE ({"keyids", "threshold"}), looked up in KEYS, signed DOCUMENT (TUF 1.0.34, 5.3.4). */
enum fault document_count(const struct document *document, const json_t *keys, const json_t *role, unsigned *ret_valid,
			  unsigned *ret_threshold, struct refusal *why);
/* FAULT_TUF_SIGNATURE unless the threshold is met. */
enum fault document_require(const struct document *document, const json_t *keys, const json_t *role,
			    struct refusal *why);

/* Whether KEY is named by ROLE. */
bool document_role_names(const json_t *role, const struct tuf_key *key);

/* "VERSION.ROLE.json", or "timestamp.json". */
void document_name(const char *role, uint64_t version, char name[LIMIT_METADATA_NAME_SIZE]);
/* The first version after CURRENT under whose name no file lies: what an interrupted run left keeps its number for
 * ever. FAULT_REPOSITORY where there is none in reach. */
enum fault document_next_version(int dir_fd, const char *role, uint64_t current, uint64_t *ret_version,
				 struct refusal *why);

/* A new `signed` part with the members that all four types have. */
json_t *document_new_signed(const char *type, uint64_t version, int64_t expires);
/* {"version", "length", "hashes"} as snapshot and timestamp name a file. */
json_t *document_to_meta(const struct document *document);

/* Signs SIGNED_ (stolen) with each key, in the order of their keyids, and puts it durably under its name (TIMESTAMP as
 * "timestamp.json"). A NAME that is there is replaced: callers choose it. LIMIT is what clients cap such a file at. */
enum fault document_put(int dir_fd, const char *name, json_t *signed_, const struct secret_key *const *keys,
			size_t n_keys, size_t limit, struct document *ret_document, struct refusal *why);

/* Adds KEY's signature, or replaces it; false in *RET_CHANGED where it was there already, bit for bit. Writes nothing.
 */
enum fault document_sign(struct document *document, const struct secret_key *key, bool *ret_changed,
			 struct refusal *why);
/* Whether KEY's own signature is there and verifies. */
bool document_is_signed_by(const struct document *document, const struct tuf_key *key);
/* Adds a signature that somebody else made, or replaces that key's. It was verified by the caller. FAULT_TUF_FORM past
 * LIMIT_SIGNATURES. */
enum fault document_add_signature(struct document *document, const char *keyid,
				  const uint8_t signature[TUF_SIGNATURE_SIZE], struct refusal *why);
/* Puts DOCUMENT durably as NAME in DIR_FD. FAULT_TUF_FORM past LIMIT, which is what clients cap such a file at;
 * FAULT_STORAGE. */
enum fault document_write(int dir_fd, const char *name, const struct document *document, size_t limit,
			  struct refusal *why);
/* The whole file as it is written, canonical. */
enum fault document_encode(const struct document *document, uint8_t **ret_data, size_t *ret_size, struct refusal *why);

#endif
