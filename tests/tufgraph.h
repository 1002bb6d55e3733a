/* SPDX-License-Identifier: ISC
 *
 * tufgraph: a TUF repository in memory with any graph of delegations, for tests of the general client. Each file is a JSON object
 * that a test may change before graph_publish signs it. Keys are made from seeds (tufrepo.h); like it, it shares no writer
 * with Clapet.
 */
#ifndef TESTS_TUFGRAPH_H
#define TESTS_TUFGRAPH_H

#include "tests/tufrepo.h"

#define GRAPH_ROLES 400
#define GRAPH_SIGNERS 4

struct graph_role {
	char name[64];
	json_t *signed_;
	uint8_t signers[GRAPH_SIGNERS];
	size_t n_signers;
};

struct graph {
	struct graph_role roles[GRAPH_ROLES]; /* root, timestamp, snapshot, targets, then delegated ones */
	size_t n_roles;
	bool has_sha256, has_sha512; /* what snapshot and timestamp name */
	struct files out, trust;
	struct tuf_profile profile;
	int64_t now;
	struct tuf_client *client;
	char fetched[8192]; /* from REMOTE, in the last refresh or search */
};

static inline json_t *graph_head(const char *type)
{
	char expires[NOTATION_TIME_SIZE];

	notation_format_time(NOW + 30 * DAY, expires);
	return json_pack("{s:s, s:s, s:i, s:s}", "_type", type, "spec_version", "1.0.34", "version", 1, "expires",
			 expires);
}

static inline struct graph_role *graph_role(struct graph *graph, const char *name)
{
	for (size_t i = 0; i < graph->n_roles; i++)
		if (strcmp(graph->roles[i].name, name) == 0)
			return &graph->roles[i];
	abort();
}

static inline json_t *graph_signed(struct graph *graph, const char *name)
{
	return graph_role(graph, name)->signed_;
}

static inline struct graph_role *graph_add_file(struct graph *graph, const char *name, json_t *signed_, uint8_t seed)
{
	struct graph_role *role = &graph->roles[graph->n_roles++];

	if (graph->n_roles > GRAPH_ROLES)
		abort();
	snprintf(role->name, sizeof(role->name), "%s", name);
	role->signed_ = signed_;
	role->signers[role->n_signers++] = seed;
	return role;
}

/* A delegated role's file, signed by SEED. */
static inline void graph_add(struct graph *graph, const char *name, uint8_t seed)
{
	json_t *signed_ = graph_head("targets");

	json_object_set_new(signed_, "targets", json_object());
	graph_add_file(graph, name, signed_, seed);
}

/* One more signature on it. */
static inline void graph_sign(struct graph *graph, const char *name, uint8_t seed)
{
	struct graph_role *role = graph_role(graph, name);

	role->signers[role->n_signers++] = seed;
}

static inline void graph_set_key(json_t *keys, json_t *keyids, uint8_t seed)
{
	struct repo_key key = repo_key_new(seed, NULL);

	json_object_set(keys, key.key.keyid, key.object);
	json_array_append_new(keyids, json_string(key.key.keyid));
	repo_key_clear(&key);
}

static inline json_t *graph_delegations(struct graph *graph, const char *from)
{
	json_t *signed_ = graph_signed(graph, from);

	if (json_object_get(signed_, "delegations") == NULL)
		json_object_set_new(signed_, "delegations", json_pack("{s:{}}", "keys"));
	return json_object_get(signed_, "delegations");
}

/* FROM delegates PATTERN to TO, whose key is SEED's. The delegation, borrowed, to change it. */
static inline json_t *graph_delegate(struct graph *graph, const char *from, const char *to, uint8_t seed,
				     const char *pattern, bool is_terminating)
{
	json_t *delegations = graph_delegations(graph, from), *keyids = json_array(), *delegation;

	if (json_object_get(delegations, "roles") == NULL)
		json_object_set_new(delegations, "roles", json_array());
	graph_set_key(json_object_get(delegations, "keys"), keyids, seed);
	delegation = json_pack("{s:s, s:o, s:i, s:b, s:[s]}", "name", to, "keyids", keyids, "threshold", 1,
			       "terminating", (int)is_terminating, "paths", pattern);
	json_array_append_new(json_object_get(delegations, "roles"), delegation);
	return delegation;
}

/* Both: a role that FROM delegates PATTERN to. */
static inline void graph_child(struct graph *graph, const char *from, const char *name, const char *pattern)
{
	graph_add(graph, name, 50);
	graph_delegate(graph, from, name, 50, pattern, false);
}

static inline json_t *graph_bins(struct graph *graph, const char *from, const char *prefix, int bits, uint8_t seed)
{
	json_t *delegations = graph_delegations(graph, from), *keyids = json_array(), *succinct;

	graph_set_key(json_object_get(delegations, "keys"), keyids, seed);
	succinct = json_pack("{s:o, s:i, s:i, s:s}", "keyids", keyids, "threshold", 1, "bit_length", bits,
			     "name_prefix", prefix);
	json_object_set_new(delegations, "succinct_roles", succinct);
	return succinct;
}

/* A target whose content is TEXT. */
static inline json_t *graph_target(struct graph *graph, const char *role, const char *path, const char *text)
{
	char hex[SHA256_HEX_SIZE];
	struct sha256 sha256;
	json_t *target;

	hash_bytes(text, strlen(text), &sha256);
	sha256_to_hex(&sha256, hex);
	target = json_pack("{s:i, s:{s:s}}", "length", (int)strlen(text), "hashes", "sha256", hex);
	json_object_set_new(json_object_get(graph_signed(graph, role), "targets"), path, target);
	return target;
}

static inline void graph_bump(struct graph *graph, const char *role)
{
	json_t *signed_ = graph_signed(graph, role);

	json_object_set_new(signed_, "version",
			    json_integer(json_integer_value(json_object_get(signed_, "version")) + 1));
}

/* Its entry in snapshot or timestamp, as its file is. */
static inline json_t *graph_meta(const struct graph *graph, const struct graph_role *role, const char *text)
{
	json_t *meta = json_object(), *hashes = json_object();
	uint8_t sha512[crypto_hash_sha512_BYTES];
	char hex[SHA512_HEX_SIZE];
	struct sha256 sha256;

	json_object_set(meta, "version", json_object_get(role->signed_, "version"));
	hash_bytes(text, strlen(text), &sha256);
	sha256_to_hex(&sha256, hex);
	if (graph->has_sha256)
		json_object_set_new(hashes, "sha256", json_string(hex));
	crypto_hash_sha512(sha512, (const uint8_t *)text, strlen(text));
	notation_hex(sha512, sizeof(sha512), hex);
	if (graph->has_sha512)
		json_object_set_new(hashes, "sha512", json_string(hex));
	if (json_object_size(hashes) > 0)
		json_object_set(meta, "hashes", hashes);
	json_decref(hashes);
	return meta;
}

/* Signs and stores the file, and names it in NAMES (`meta` of what names it; may be NULL). */
static inline void graph_write(struct graph *graph, struct graph_role *role, json_t *names)
{
	bool has_version = json_is_true(json_object_get(graph_signed(graph, "root"), "consistent_snapshot"));
	json_int_t version = json_integer_value(json_object_get(role->signed_, "version"));
	char name[LIMIT_ROLE_FILE_SIZE], plain[LIMIT_ROLE_NAME_SIZE + 8];
	json_t *signatures = json_array(), *file;
	char *text;

	for (size_t i = 0; i < role->n_signers; i++) {
		struct repo_key key = repo_key_new(role->signers[i], NULL);

		json_array_append_new(signatures, repo_signature(role->signed_, &key));
		repo_key_clear(&key);
	}
	file = json_pack("{s:o, s:O}", "signatures", signatures, "signed", role->signed_);
	text = json_dumps(file, JSON_COMPACT);
	if (strcmp(role->name, "root") == 0)
		has_version = true;
	if (strcmp(role->name, "timestamp") == 0)
		has_version = false;
	tuf_file_name(has_version ? (uint64_t)version : 0, role->name, name);
	files_put(&graph->out, name, text, strlen(text));
	snprintf(plain, sizeof(plain), "%s.json", role->name);
	if (names != NULL)
		json_object_set_new(names, plain, graph_meta(graph, role, text));
	free(text);
	json_decref(file);
}

/* The snapshot's or timestamp's `meta`. */
static inline json_t *graph_names(struct graph *graph, const char *role)
{
	return json_object_get(graph_signed(graph, role), "meta");
}

/* Signs the role again, but nothing names it anew. */
static inline void graph_rewrite(struct graph *graph, const char *role)
{
	graph_write(graph, graph_role(graph, role), NULL);
}

/* Signs everything, from the delegated roles to the timestamp, each naming what was signed before. */
static inline void graph_publish(struct graph *graph)
{
	graph_write(graph, &graph->roles[0], NULL);
	for (size_t i = 3; i < graph->n_roles; i++)
		graph_write(graph, &graph->roles[i], graph_names(graph, "snapshot"));
	graph_write(graph, graph_role(graph, "snapshot"), graph_names(graph, "timestamp"));
	graph_rewrite(graph, "timestamp");
}

/* The next version of all: what a repository does after any change. */
static inline void graph_publish_next(struct graph *graph, const char *role)
{
	if (role != NULL)
		graph_bump(graph, role);
	graph_bump(graph, "snapshot");
	graph_bump(graph, "timestamp");
	graph_publish(graph);
}

static inline struct graph *graph_new(void)
{
	static const char *const names[] = {"root", "timestamp", "snapshot", "targets"};
	struct graph *graph = calloc(1, sizeof(*graph));
	json_t *keys = json_object(), *roles = json_object();

	for (uint8_t i = 0; i < 4; i++) {
		json_t *keyids = json_array();

		graph_add_file(graph, names[i], graph_head(names[i]), 10 + i);
		graph_set_key(keys, keyids, 10 + i);
		json_object_set_new(roles, names[i], json_pack("{s:o, s:i}", "keyids", keyids, "threshold", 1));
	}
	json_object_set_new(graph_signed(graph, "root"), "consistent_snapshot", json_true());
	json_object_set_new(graph_signed(graph, "root"), "keys", keys);
	json_object_set_new(graph_signed(graph, "root"), "roles", roles);
	json_object_set_new(graph_signed(graph, "timestamp"), "meta", json_object());
	json_object_set_new(graph_signed(graph, "snapshot"), "meta", json_object());
	json_object_set_new(graph_signed(graph, "targets"), "targets", json_object());
	graph->profile.is_general = true;
	graph->now = NOW;
	return graph;
}

static inline void graph_free(struct graph *graph)
{
	for (size_t i = 0; i < graph->n_roles; i++)
		json_decref(graph->roles[i].signed_);
	files_clear(&graph->out);
	files_clear(&graph->trust);
	tuf_client_free(graph->client);
	free(graph);
}

static inline void graph_accepted(void *ctx, const char *name, const char *role, uint64_t version, const uint8_t *data,
				  size_t size)
{
	struct graph *graph = ctx;
	char local[LIMIT_ROLE_FILE_SIZE];

	(void)name;
	(void)version;
	tuf_file_name(0, role, local);
	files_put(&graph->trust, local, data, size);
}

static inline enum fault graph_fetch(void *ctx, const char *name, const struct sha256 *expected, size_t limit,
				     uint8_t **ret_data, size_t *ret_size, struct refusal *why)
{
	struct graph *graph = ctx;
	size_t used = strlen(graph->fetched);

	snprintf(graph->fetched + used, sizeof(graph->fetched) - used, "%s%s", used > 0 ? " " : "", name);
	return files_fetch(&graph->out, name, expected, limit, ret_data, ret_size, why);
}

/* A new client over what was trusted, refreshed. The anchor is the root that is trusted, or the first one published. */
static inline struct refusal graph_refresh(struct graph *graph)
{
	const struct tuf_source local = {&graph->trust, files_fetch}, remote = {graph, graph_fetch};
	const struct file *root = files_find(&graph->trust, "root.json");
	struct refusal why = {FAULT_NONE, ""};

	if (root == NULL)
		root = files_find(&graph->out, "1.root.json");
	tuf_client_free(graph->client);
	graph->client = tuf_client_new(&graph->profile, graph->now);
	graph->fetched[0] = '\0';
	why.fault = tuf_client_anchor(graph->client, root->data, root->size, &why);
	if (why.fault == FAULT_NONE)
		why.fault = tuf_client_refresh(graph->client, &local, &remote, graph_accepted, graph, &why);
	return why;
}

static inline struct refusal graph_find(struct graph *graph, const char *path, struct tuf_target *ret_target,
					const char **ret_role)
{
	const struct tuf_source local = {&graph->trust, files_fetch}, remote = {graph, graph_fetch};
	struct refusal why = {FAULT_NONE, ""};

	graph->fetched[0] = '\0';
	why.fault = tuf_client_find_target(graph->client, &local, &remote, path, graph_accepted, graph, ret_target,
					   ret_role, &why);
	return why;
}

#endif
