/* SPDX-License-Identifier: ISC
 *
 * accesskeys: the keys of readers: decisions/keys.json, put by inside-commit like waivers, read by inside-serve. Closed world
 * (bundle/FORMAT.md 34.3):
 *
 *     {"format": "clapet keys 1", "keys": [{"id": "k1", "sha256", "owner", "application", "operator", "date", "until": null,
 *      "revoked": null, "reason": "", "replaces": null, "datasets": […], "views": […], "operations": false,
 *      "accepted": [{"licence", "sha256", "by", "date"}]}]}
 *
 * A key is never removed: the access log names it, and an auditor asks whose it was. It reads `clapet_k1_<secret><sum>`, where the
 * secret is 32 random bytes and the sum tells a typing error from a key that is unknown; scanners for secrets find it by its beginning. Kept is
 * SHA-256 of the secret. A slow hash would buy nothing: it makes guessing dear where what is guessed was chosen by a person, and nobody goes through 2^256
 * secrets; and every request would pay for it.
 */
#ifndef INSIDE_ACCESSKEYS_H
#define INSIDE_ACCESSKEYS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/hash.h"
#include "inside/accessrules.h"

#define ACCESS_KEY_ID_SIZE 12
#define ACCESS_SECRET_SIZE 32
/* "clapet_", an id, "_", 64 digits, 8 digits, and the NUL. */
#define ACCESS_KEY_TEXT_SIZE (7 + ACCESS_KEY_ID_SIZE + 2 * ACCESS_SECRET_SIZE + 8 + 1)

/* That a key's owner accepted a licence, in the form in which its text stood then. */
struct access_acceptance {
	char licence[NOTATION_NAME_SIZE];
	struct sha256 sha256;
	char *by;
	int64_t date;
};

struct access_key {
	uint32_t number;      /* of "k7": 7 */
	struct sha256 sha256; /* of the secret */
	char *owner;
	char application[NOTATION_NAME_SIZE]; /* as contracts name it; "" */
	char *operator, * reason;             /* who made it; why it was revoked ("") */
	int64_t date, until, revoked;         /* until, revoked: 0, not */
	uint32_t replaces;                    /* the key that it was made to replace; 0 */
	struct access_names datasets, views;
	bool operations; /* it may read what is of the server as a whole: metrics */
	struct access_acceptance *accepted;
	size_t n_accepted;
};

struct access_keys {
	struct access_key *items; /* ascending by number */
	size_t n_items;
};

void access_key_clear(struct access_key *key);
void access_keys_free(struct access_keys *keys);
void access_keys_freep(struct access_keys **keys);

/* FAULT_JSON_… with the place. */
enum fault access_keys_parse(const void *data, size_t size, struct access_keys **ret_keys, struct refusal *why);
/* The document of the store; a missing one is empty. FAULT_STORE_DAMAGED where it is out of form. */
enum fault access_keys_load(int store_fd, struct access_keys **ret_keys, struct refusal *why);
json_t *access_keys_to_json(const struct access_keys *keys);

/* By "k7", or NULL. */
struct access_key *access_key_by_id(const struct access_keys *keys, const char *id);
void access_key_id(const struct access_key *key, char id[ACCESS_KEY_ID_SIZE]);
/* Takes KEY, whose number is made here, into KEYS. FAULT_QUOTA past LIMIT_ACCESS_KEYS; KEY is the caller's then. What is returned is good until the next. */
enum fault access_keys_add(struct access_keys *keys, struct access_key *key, const struct access_key **ret_key,
			   struct refusal *why);
/* Adds, or replaces, an acceptance of LICENCE by BY at NOW. */
void access_key_accept(struct access_key *key, const struct access_licence *licence, const char *by, int64_t now);
/* Neither ended nor revoked at NOW. */
bool access_key_is_live(const struct access_key *key, int64_t now);

/* What is shown once. SECRET is not kept. */
void access_key_format(uint32_t number, const uint8_t secret[ACCESS_SECRET_SIZE], char text[ACCESS_KEY_TEXT_SIZE]);
/* The key that TEXT is, if it is live at NOW. FAULT_ACCESS_KEY_FORM, _UNKNOWN, and only for who knows its secret _ENDED, _REVOKED. Takes as long
 * for an unknown number as for a wrong secret, and its comparison as long wherever they differ. */
enum fault access_keys_find(const struct access_keys *keys, const char *text, int64_t now,
			    const struct access_key **ret_key, struct refusal *why);

/* Whether KEY (NULL: none was sent) may read what GRADE guards: a dataset, or a view, of NAME. FAULT_ACCESS_KEY_NEEDED, FAULT_ACCESS_DENIED,
 * FAULT_ACCESS_LICENCE. */
enum fault access_judge(const struct access_grade *grade, const struct access_key *key, bool is_view, const char *name,
			struct refusal *why);

#endif
