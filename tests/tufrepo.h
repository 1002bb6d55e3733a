/* SPDX-License-Identifier: ISC
 *
 * tufrepo: a TUF repository in memory for tests, with keys of its own made from fixed seeds, and every way to get it
 * wrong: each file can be changed before it is signed, and after. It shares no writer with Clapet, so that both cannot
 * err alike.
 */
#ifndef TESTS_TUFREPO_H
#define TESTS_TUFREPO_H

#include <jansson.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/hash.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "keys/canonical.h"
#include "keys/client.h"
#include "keys/pubkey.h"

/* 2026-11-22T00:00:00Z; one that makes repositories for the real clock defines its own before. */
#ifndef NOW
#define NOW 1795305600LL
#endif
#define DAY 86400LL

/* --- files ----------------------------------------------------------------------------------------------------------
 */

struct file {
	char name[LIMIT_ROLE_FILE_SIZE];
	uint8_t *data;
	size_t size;
};

#define FILES_MAX 512
struct files {
	struct file items[FILES_MAX];
	size_t n;
};

static inline struct file *files_find(struct files *files, const char *name)
{
	for (size_t i = 0; i < files->n; i++)
		if (strcmp(files->items[i].name, name) == 0)
			return &files->items[i];
	return NULL;
}

static inline void files_put(struct files *files, const char *name, const void *data, size_t size)
{
	struct file *file = files_find(files, name);
	uint8_t *copy = malloc(size + 1);

	if (file == NULL && files->n == FILES_MAX)
		abort();
	if (file == NULL) {
		file = &files->items[files->n++];
		snprintf(file->name, sizeof(file->name), "%s", name);
		file->data = NULL;
	}
	memcpy(copy, data, size);
	free(file->data);
	file->data = copy;
	file->size = size;
}

static inline void files_remove(struct files *files, const char *name)
{
	struct file *file = files_find(files, name);

	if (file == NULL)
		return;
	free(file->data);
	*file = files->items[--files->n];
}

static inline void files_clear(struct files *files)
{
	for (size_t i = 0; i < files->n; i++)
		free(files->items[i].data);
	files->n = 0;
}

static inline void files_copy(struct files *to, const struct files *from)
{
	files_clear(to);
	for (size_t i = 0; i < from->n; i++)
		files_put(to, from->items[i].name, from->items[i].data, from->items[i].size);
}

static inline enum fault files_fetch(void *ctx, const char *name, const struct sha256 *expected, size_t limit,
				     uint8_t **ret_data, size_t *ret_size, struct refusal *why)
{
	const struct file *file = files_find(ctx, name);

	(void)expected;
	if (file == NULL)
		return refuse(why, FAULT_TUF_ABSENT, "has not arrived");
	if (file->size > limit)
		return refuse(why, FAULT_TUF_FORM, "more than %zu bytes", limit);
	*ret_data = malloc(file->size + 1);
	memcpy(*ret_data, file->data, file->size);
	*ret_size = file->size;
	return FAULT_NONE;
}

/* --- keys and signatures --------------------------------------------------------------------------------------------
 */

struct repo_key {
	struct tuf_key key;
	json_t *object; /* as in `keys` */
	uint8_t secret[crypto_sign_SECRETKEYBYTES];
};

/* The same SEED is the same key. EXTRA, if not NULL, is an unknown member: the same key under another keyid. */
static inline struct repo_key repo_key_new(uint8_t seed, const char *extra)
{
	uint8_t bytes[crypto_sign_SEEDBYTES];
	struct repo_key key;
	struct sha256 keyid;

	memset(bytes, seed, sizeof(bytes));
	crypto_sign_seed_keypair(key.key.public_key, key.secret, bytes);
	tuf_key_from_public(key.key.public_key, &key.key);
	key.object = tuf_key_to_json(&key.key);
	if (extra != NULL) {
		json_object_set_new(key.object, "x-comment", json_string(extra));
		canonical_hash(key.object, &keyid, NULL);
		sha256_to_hex(&keyid, key.key.keyid);
	}
	return key;
}

static inline void repo_key_clear(struct repo_key *key)
{
	json_decref(key->object);
	key->object = NULL;
}

static inline json_t *repo_signature(const json_t *signed_, const struct repo_key *key)
{
	uint8_t *canonical, signature[crypto_sign_BYTES];
	char hex[2 * crypto_sign_BYTES + 1];
	size_t size;

	if (canonical_encode(signed_, &canonical, &size, NULL) != FAULT_NONE)
		return json_pack("{s:s, s:s}", "keyid", key->key.keyid, "sig", "");
	crypto_sign_detached(signature, NULL, canonical, size, key->secret);
	free(canonical);
	notation_hex(signature, sizeof(signature), hex);
	return json_pack("{s:s, s:s}", "keyid", key->key.keyid, "sig", hex);
}

/* --- the repository -------------------------------------------------------------------------------------------------
 */

enum { R_ROOT, R_TIMESTAMP, R_SNAPSHOT, R_TARGETS, R_COG, R_SIRENE, R_STATUS, R_N };
static const char *const repo_roles[R_N] = {"root", "timestamp", "snapshot", "targets", "cog", "sirene", "status"};

#define KEYS_MAX 8
struct repo {
	struct repo_key keys[R_N][KEYS_MAX]; /* of the role, as root.json or the delegation lists them */
	size_t n_keys[R_N];
	unsigned threshold[R_N];
	const struct repo_key *signers[R_N][KEYS_MAX]; /* where it is not all of its keys */
	size_t n_signers[R_N];
	uint64_t version[R_N];
	int64_t expires[R_N];
	int64_t issued;
	bool has_no_hashes;                                    /* snapshot and timestamp name versions alone */
	void (*change)(struct repo *repo, int role, json_t *); /* `signed`, before it is signed */
	void (*change_file)(struct repo *repo, int role, json_t *);
	struct files out;   /* all that was ever published, under its name */
	struct files trust; /* what the client trusts: LOCAL */
	int64_t now;
	struct tuf_profile profile;
	struct tuf_client *client; /* of the last run */
	unsigned n_accepted;       /* in the last run */
	char accepted[512];        /* their names */
};

static inline void repo_put(struct repo *repo, const char *name, const json_t *file)
{
	char *text = json_dumps(file, JSON_INDENT(1));

	files_put(&repo->out, name, text, strlen(text));
	free(text);
}

/* Signs, calls what changes it, stores it. SIGNED is taken. */
static inline void repo_write(struct repo *repo, int role, const char *name, json_t *signed_)
{
	json_t *signatures = json_array(), *file;
	size_t n = repo->n_signers[role] > 0 ? repo->n_signers[role] : repo->n_keys[role];

	if (repo->change != NULL)
		repo->change(repo, role, signed_);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(signatures,
				      repo_signature(signed_, repo->n_signers[role] > 0 ? repo->signers[role][i]
											: &repo->keys[role][i]));
	file = json_pack("{s:o, s:o}", "signatures", signatures, "signed", signed_);
	if (repo->change_file != NULL)
		repo->change_file(repo, role, file);
	repo_put(repo, name, file);
	json_decref(file);
}

static inline json_t *repo_head(const struct repo *repo, int role, const char *type)
{
	char expires[NOTATION_TIME_SIZE];

	notation_format_time(repo->expires[role], expires);
	return json_pack("{s:s, s:s, s:I, s:s}", "_type", type, "spec_version", "1.0.34", "version",
			 (json_int_t)repo->version[role], "expires", expires);
}

static inline json_t *repo_authority(const struct repo *repo, int role, json_t *keys)
{
	json_t *keyids = json_array();

	for (size_t i = 0; i < repo->n_keys[role]; i++) {
		json_object_set(keys, repo->keys[role][i].key.keyid, repo->keys[role][i].object);
		json_array_append_new(keyids, json_string(repo->keys[role][i].key.keyid));
	}
	return json_pack("{s:o, s:I}", "keyids", keyids, "threshold", (json_int_t)repo->threshold[role]);
}

static inline void repo_write_root(struct repo *repo)
{
	char name[LIMIT_METADATA_NAME_SIZE];
	json_t *head = repo_head(repo, R_ROOT, "root"), *keys = json_object(), *roles = json_object();

	for (int role = R_ROOT; role <= R_TARGETS; role++)
		json_object_set_new(roles, repo_roles[role], repo_authority(repo, role, keys));
	json_object_set_new(head, "consistent_snapshot", json_true());
	json_object_set_new(head, "keys", keys);
	json_object_set_new(head, "roles", roles);
	snprintf(name, sizeof(name), "%llu.root.json", (unsigned long long)repo->version[R_ROOT]);
	repo_write(repo, R_ROOT, name, head);
}

static inline json_t *repo_target(const char *path, uint64_t version)
{
	char text[256], hex[SHA256_HEX_SIZE];
	struct sha256 sha256;

	snprintf(text, sizeof(text), "%s of version %llu", path, (unsigned long long)version);
	hash_bytes(text, strlen(text), &sha256);
	sha256_to_hex(&sha256, hex);
	return json_pack("{s:i, s:{s:s}}", "length", (int)strlen(text), "hashes", "sha256", hex);
}

static inline void repo_write_role(struct repo *repo, int role)
{
	char name[LIMIT_METADATA_NAME_SIZE], path[128];
	json_t *head = repo_head(repo, role, "targets"), *targets = json_object();

	snprintf(path, sizeof(path), role == R_STATUS ? "status.json" : "%s/datapackage.json", repo_roles[role]);
	json_object_set_new(targets, path, repo_target(path, repo->version[role]));
	snprintf(path, sizeof(path), "%s/data.csv", repo_roles[role]);
	if (role != R_STATUS)
		json_object_set_new(targets, path, repo_target(path, repo->version[role]));
	json_object_set_new(head, "targets", targets);
	snprintf(name, sizeof(name), "%llu.%s.json", (unsigned long long)repo->version[role], repo_roles[role]);
	repo_write(repo, role, name, head);
}

static inline void repo_write_targets(struct repo *repo)
{
	char name[LIMIT_METADATA_NAME_SIZE], path[128];
	json_t *head = repo_head(repo, R_TARGETS, "targets"), *keys = json_object(), *roles = json_array();

	for (int role = R_COG; role < R_N; role++) {
		json_t *delegation = repo_authority(repo, role, keys);

		snprintf(path, sizeof(path), role == R_STATUS ? "%s.json" : "%s/*", repo_roles[role]);
		json_object_set_new(delegation, "name", json_string(repo_roles[role]));
		json_object_set_new(delegation, "paths", json_pack("[s]", path));
		json_object_set_new(delegation, "terminating", json_true());
		json_array_append_new(roles, delegation);
	}
	json_object_set_new(head, "targets", json_object());
	json_object_set_new(head, "delegations", json_pack("{s:o, s:o}", "keys", keys, "roles", roles));
	snprintf(name, sizeof(name), "%llu.targets.json", (unsigned long long)repo->version[R_TARGETS]);
	repo_write(repo, R_TARGETS, name, head);
}

static inline json_t *repo_meta(struct repo *repo, int role)
{
	char name[LIMIT_METADATA_NAME_SIZE], hex[SHA256_HEX_SIZE];
	struct sha256 sha256;
	const struct file *file;

	snprintf(name, sizeof(name), "%llu.%s.json", (unsigned long long)repo->version[role], repo_roles[role]);
	file = files_find(&repo->out, name);
	if (repo->has_no_hashes || file == NULL)
		return json_pack("{s:I}", "version", (json_int_t)repo->version[role]);
	hash_bytes(file->data, file->size, &sha256);
	sha256_to_hex(&sha256, hex);
	return json_pack("{s:I, s:I, s:{s:s}}", "version", (json_int_t)repo->version[role], "length",
			 (json_int_t)file->size, "hashes", "sha256", hex);
}

static inline void repo_write_snapshot(struct repo *repo)
{
	char name[LIMIT_METADATA_NAME_SIZE];
	json_t *head = repo_head(repo, R_SNAPSHOT, "snapshot"), *meta = json_object();

	for (int role = R_TARGETS; role < R_N; role++) {
		snprintf(name, sizeof(name), "%s.json", repo_roles[role]);
		json_object_set_new(meta, name, repo_meta(repo, role));
	}
	json_object_set_new(head, "meta", meta);
	snprintf(name, sizeof(name), "%llu.snapshot.json", (unsigned long long)repo->version[R_SNAPSHOT]);
	repo_write(repo, R_SNAPSHOT, name, head);
}

static inline void repo_write_timestamp(struct repo *repo)
{
	char issued[NOTATION_TIME_SIZE];
	json_t *head = repo_head(repo, R_TIMESTAMP, "timestamp");

	notation_format_time(repo->issued, issued);
	json_object_set_new(head, "issued", json_string(issued));
	json_object_set_new(head, "meta", json_pack("{s:o}", "snapshot.json", repo_meta(repo, R_SNAPSHOT)));
	repo_write(repo, R_TIMESTAMP, "timestamp.json", head);
}

/* Everything but the root, at the versions that are set. */
static inline void repo_publish(struct repo *repo)
{
	for (int role = R_COG; role < R_N; role++)
		repo_write_role(repo, role);
	repo_write_targets(repo);
	repo_write_snapshot(repo);
	repo_write_timestamp(repo);
}

/* The next version of the given role and of what names it. */
static inline void repo_bump(struct repo *repo, int role)
{
	if (role > R_TARGETS || role == R_TARGETS)
		repo->version[role]++;
	if (role != R_TIMESTAMP)
		repo->version[R_SNAPSHOT]++;
	repo->version[R_TIMESTAMP]++;
}

/* The profile's bound on all roles but the root. */
static inline void repo_bound_validity(struct repo *repo, int64_t seconds)
{
	for (enum tuf_kind kind = TUF_KIND_TIMESTAMP; kind < TUF_KIND_N; kind++)
		repo->profile.max_validity[kind] = seconds;
}

/* Another key for a role; the old one is no longer listed. */
static inline void repo_rotate(struct repo *repo, int role, uint8_t seed)
{
	for (size_t i = 0; i < repo->n_keys[role]; i++)
		repo_key_clear(&repo->keys[role][i]);
	repo->keys[role][0] = repo_key_new(seed, NULL);
	repo->n_keys[role] = 1;
}

static inline void repo_add_key(struct repo *repo, int role, uint8_t seed, const char *extra)
{
	repo->keys[role][repo->n_keys[role]++] = repo_key_new(seed, extra);
}

/* Version 1 of everything, published, with its root as the anchor; nothing else trusted yet. */
static inline struct repo *repo_new(void)
{
	struct repo *repo = calloc(1, sizeof(*repo));
	const struct file *root;

	for (int role = 0; role < R_N; role++) {
		repo_add_key(repo, role, (uint8_t)(10 + role), NULL);
		repo->threshold[role] = 1;
		repo->version[role] = 1;
		repo->expires[role] = NOW + (role == R_TIMESTAMP ? 3 : 30) * DAY;
	}
	repo->issued = NOW - 3600;
	repo->now = NOW;
	repo_write_root(repo);
	repo_publish(repo);
	root = files_find(&repo->out, "1.root.json");
	files_put(&repo->trust, "root.json", root->data, root->size);
	return repo;
}

static inline void repo_free(struct repo *repo)
{
	for (int role = 0; role < R_N; role++)
		for (size_t i = 0; i < repo->n_keys[role]; i++)
			repo_key_clear(&repo->keys[role][i]);
	files_clear(&repo->out);
	files_clear(&repo->trust);
	tuf_client_free(repo->client);
	free(repo);
}

static inline void repo_accepted(void *ctx, const char *name, const char *role, uint64_t version, const uint8_t *data,
				 size_t size)
{
	struct repo *repo = ctx;
	char local[LIMIT_METADATA_NAME_SIZE];
	size_t used = strlen(repo->accepted);

	(void)version;
	snprintf(local, sizeof(local), "%s.json", role);
	files_put(&repo->trust, local, data, size);
	snprintf(repo->accepted + used, sizeof(repo->accepted) - used, "%s%s", used > 0 ? " " : "", name);
	repo->n_accepted++;
}

/* One import: a new client over TRUST and REMOTE (NULL: settle). What it accepts goes to TRUST, as commit would put it.
 */
static inline struct refusal repo_run(struct repo *repo, struct files *remote)
{
	const struct tuf_source local_source = {&repo->trust, files_fetch}, remote_source = {remote, files_fetch};
	const struct file *root = files_find(&repo->trust, "root.json");
	struct refusal why = {FAULT_NONE, ""};

	tuf_client_free(repo->client);
	repo->client = tuf_client_new(&repo->profile, repo->now);
	repo->n_accepted = 0;
	repo->accepted[0] = '\0';
	why.fault = tuf_client_anchor(repo->client, root->data, root->size, &why);
	if (why.fault == FAULT_NONE)
		why.fault = tuf_client_refresh(repo->client, &local_source, remote != NULL ? &remote_source : NULL,
					       repo_accepted, repo, &why);
	return why;
}

/* The role of that name as the last run sees it; NULL where it does not. */
static inline const struct tuf_role *repo_role(const struct repo *repo, const char *name)
{
	const struct tuf_role *role;

	for (size_t i = 0; (role = tuf_client_role(repo->client, i)) != NULL; i++)
		if (strcmp(role->name, name) == 0)
			return role;
	return NULL;
}

#endif
