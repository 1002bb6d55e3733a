/* SPDX-License-Identifier: ISC
 *
 * Trees of delegations, and attacks by their shape: rings, two ways to one role, depth, an order that is not kept.
 */
#include "tests/attacks/attack.h"

/* --- the tree -------------------------------------------------------------------------------------------------------
 */

static struct branch *find(struct scene *scene, const char *name)
{
	for (size_t i = 0; i < scene->n_branches; i++)
		if (strcmp(scene->branches[i].name, name) == 0)
			return &scene->branches[i];
	return NULL;
}

#define BRANCHES_MAX 256

struct branch *tree_role(struct scene *scene, const char *name)
{
	struct branch *branch = find(scene, name);

	if (branch != NULL)
		return branch;
	if (scene->branches == NULL)
		scene->branches = calloc(BRANCHES_MAX, sizeof(*scene->branches));
	if (scene->n_branches == BRANCHES_MAX)
		abort();
	branch = &scene->branches[scene->n_branches];
	snprintf(branch->name, sizeof(branch->name), "%s", name);
	branch->key = repo_key_new((uint8_t)(0x20 + scene->n_branches++ % 0xc0), NULL);
	branch->version = 1;
	branch->targets = json_object();
	branch->keys = json_object();
	branch->delegations = json_array();
	return branch;
}

void tree_target(struct scene *scene, const char *role, const char *path)
{
	struct branch *branch = tree_role(scene, role);
	char text[TREE_NAME_SIZE + 16];

	json_object_set_new(branch->targets, path, repo_target(role, 1));
	snprintf(text, sizeof(text), "%s of version 1", role);
	scene_put_target(scene, path, text, strlen(text), text, strlen(text));
}

static void delegate(struct branch *from, const char *to, const struct repo_key *key, const char *pattern,
		     bool is_terminating)
{
	json_object_set(from->keys, key->key.keyid, key->object);
	json_array_append_new(from->delegations,
			      json_pack("{s:s, s:[s], s:i, s:[s], s:b}", "name", to, "keyids", key->key.keyid,
					"threshold", 1, "paths", pattern, "terminating", is_terminating));
}

void tree_delegate(struct scene *scene, const char *from, const char *to, const char *pattern, bool is_terminating)
{
	const struct branch *child = tree_role(scene, to);

	delegate(tree_role(scene, from), to, &child->key, pattern, is_terminating);
}

void tree_delegate_to_key(struct scene *scene, const char *from, const char *to, const char *pattern, uint8_t seed)
{
	struct repo_key key = repo_key_new(seed, NULL);

	tree_role(scene, to);
	delegate(tree_role(scene, from), to, &key, pattern, false);
	repo_key_clear(&key);
}

/* "..%2Fevil" for "../evil": how a role's name stands in the name of its file. */
static void encode(const char *name, char text[3 * TREE_NAME_SIZE])
{
	size_t used = 0;

	for (; *name != '\0' && used + 4 < 3 * TREE_NAME_SIZE; name++) {
		bool is_plain = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
				(*name >= '0' && *name <= '9') || strchr("-_.~", *name) != NULL;

		used += (size_t)snprintf(text + used, 3 * TREE_NAME_SIZE - used, is_plain ? "%c" : "%%%02X",
					 (unsigned char)*name);
	}
	text[used] = '\0';
}

static void give_delegations(const struct branch *branch, json_t *signed_)
{
	json_object_set(signed_, "targets", branch->targets);
	if (branch->succinct != NULL)
		json_object_set_new(signed_, "delegations",
				    json_pack("{s:O, s:O}", "keys", branch->keys, "succinct_roles", branch->succinct));
	else if (json_array_size(branch->delegations) > 0)
		json_object_set_new(signed_, "delegations",
				    json_pack("{s:O, s:O}", "keys", branch->keys, "roles", branch->delegations));
	else
		json_object_del(signed_, "delegations");
}

static void write_branch(struct scene *scene, const struct branch *branch)
{
	char name[LIMIT_METADATA_NAME_SIZE], encoded[3 * TREE_NAME_SIZE];
	json_t *head = repo_head(scene->repo, R_COG, "targets"), *file;

	json_object_set_new(head, "version", json_integer((json_int_t)branch->version));
	give_delegations(branch, head);
	file = json_pack("{s:[o], s:o}", "signatures", repo_signature(head, &branch->key), "signed", head);
	if (scene->edit_file != NULL)
		scene->edit_file(scene, (int)(R_N + (branch - scene->branches)), file);
	encode(branch->name, encoded);
	snprintf(name, sizeof(name), "%u.%s.json", branch->version, encoded);
	repo_put(scene->repo, name, file);
	files_put(&scene->remote, name, files_find(&scene->repo->out, name)->data,
		  files_find(&scene->repo->out, name)->size);
	json_decref(file);
}

static json_t *meta_of(struct scene *scene, const struct branch *branch)
{
	char name[LIMIT_METADATA_NAME_SIZE], encoded[3 * TREE_NAME_SIZE], hex[SHA256_HEX_SIZE];
	const struct file *file;
	struct sha256 sha256;

	encode(branch->name, encoded);
	snprintf(name, sizeof(name), "%u.%s.json", branch->version, encoded);
	file = files_find(&scene->repo->out, name);
	hash_bytes(file->data, file->size, &sha256);
	sha256_to_hex(&sha256, hex);
	return json_pack("{s:I, s:I, s:{s:s}}", "version", (json_int_t)branch->version, "length",
			 (json_int_t)file->size, "hashes", "sha256", hex);
}

static void put_tree(struct scene *scene, int role, json_t *signed_)
{
	json_t *meta = json_object_get(signed_, "meta");

	if (role == R_TARGETS)
		give_delegations(tree_role(scene, "targets"), signed_);
	if (role != R_SNAPSHOT)
		return;
	for (int other = R_COG; other < R_N; other++) {
		char name[LIMIT_METADATA_NAME_SIZE];

		snprintf(name, sizeof(name), "%s.json", repo_roles[other]);
		json_object_del(meta, name);
	}
	for (size_t i = 0; i < scene->n_branches; i++) {
		char name[LIMIT_METADATA_NAME_SIZE];

		snprintf(name, sizeof(name), "%s.json", scene->branches[i].name);
		if (strcmp(name, "targets.json") != 0)
			json_object_set_new(meta, name, meta_of(scene, &scene->branches[i]));
	}
}

void tree_publish(struct scene *scene)
{
	scene->edit = put_tree;
	for (size_t i = 0; i < scene->n_branches; i++)
		if (strcmp(scene->branches[i].name, "targets") != 0)
			write_branch(scene, &scene->branches[i]);
	repo_write_targets(scene->repo);
	repo_write_snapshot(scene->repo);
	repo_write_timestamp(scene->repo);
	scene_send(scene);
	for (int role = R_COG; role < R_N; role++) {
		char name[LIMIT_METADATA_NAME_SIZE];

		scene_name(scene, role, name);
		if (find(scene, repo_roles[role]) == NULL)
			files_remove(&scene->remote, name);
	}
}

void tree_clear(struct scene *scene)
{
	for (size_t i = 0; i < scene->n_branches; i++) {
		repo_key_clear(&scene->branches[i].key);
		json_decref(scene->branches[i].targets);
		json_decref(scene->branches[i].keys);
		json_decref(scene->branches[i].delegations);
		json_decref(scene->branches[i].succinct);
	}
	free(scene->branches);
}

/* --- shapes ---------------------------------------------------------------------------------------------------------
 */

static void cycle(struct scene *scene)
{
	tree_delegate(scene, "targets", "a", "*", false);
	tree_delegate(scene, "a", "b", "*", false);
	tree_delegate(scene, "b", "a", "*", false);
	tree_delegate(scene, "b", "c", "*", false);
	tree_target(scene, "c", "behind");
	tree_publish(scene);
}

static void cycle_through_targets(struct scene *scene)
{
	tree_delegate(scene, "targets", "a", "*", false);
	tree_delegate(scene, "a", "a", "*", false);
	tree_target(scene, "a", "here");
	tree_publish(scene);
}

/* "release" is delegated by two, each with a key of its own; it is signed with the first one's alone. */
static void diamond(struct scene *scene)
{
	tree_delegate(scene, "targets", "parent-a", "team-a/*", false);
	tree_delegate(scene, "targets", "parent-b", "team-b/*", false);
	tree_delegate(scene, "parent-a", "release", "team-a/*", false);
	tree_delegate_to_key(scene, "parent-b", "release", "team-b/*", 0xfe);
	tree_target(scene, "release", "team-a/good");
	tree_target(scene, "release", "team-b/evil");
	tree_publish(scene);
}

static void diamond_good(struct scene *scene)
{
	tree_delegate(scene, "targets", "parent-a", "team-a/*", false);
	tree_delegate(scene, "targets", "parent-b", "team-b/*", false);
	tree_delegate(scene, "parent-a", "release", "team-a/*", false);
	tree_delegate(scene, "parent-b", "release", "team-b/*", false);
	tree_target(scene, "release", "team-a/one");
	tree_target(scene, "release", "team-b/two");
	tree_publish(scene);
}

static void depth_200(struct scene *scene)
{
	char from[24] = "targets", to[24];

	for (int i = 1; i <= 200; i++) {
		snprintf(to, sizeof(to), "d%d", i);
		tree_delegate(scene, from, to, "*", false);
		memcpy(from, to, sizeof(from));
	}
	tree_target(scene, "d200", "deep");
	tree_publish(scene);
}

static void terminating(struct scene *scene)
{
	tree_delegate(scene, "targets", "a", "data/*", true);
	tree_delegate(scene, "targets", "b", "data/*", false);
	tree_target(scene, "b", "data/evil");
	tree_publish(scene);
}

/* The target's role names it, but not every delegation on the way to it does. */
static void outside_the_delegation(struct scene *scene)
{
	tree_delegate(scene, "targets", "a", "data/*", false);
	tree_delegate(scene, "a", "b", "*/*", false);
	tree_target(scene, "b", "other/evil");
	tree_target(scene, "b", "data/good");
	tree_publish(scene);
}

/* Four bins; every target of the tree lies in the first, whichever is its own. */
static void target_in_another_bin(struct scene *scene)
{
	struct branch *targets = tree_role(scene, "targets");
	const struct repo_key *key;
	char name[24];

	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "bin-%d", i);
		tree_role(scene, name)->version = 1;
	}
	key = &tree_role(scene, "bin-0")->key;
	for (int i = 1; i < 4; i++) {
		snprintf(name, sizeof(name), "bin-%d", i);
		repo_key_clear(&tree_role(scene, name)->key);
		tree_role(scene, name)->key = repo_key_new(0x21, NULL);
	}
	json_object_set(targets->keys, key->key.keyid, key->object);
	targets->succinct = json_pack("{s:[s], s:i, s:i, s:s}", "keyids", key->key.keyid, "threshold", 1, "bit_length",
				      2, "name_prefix", "bin");
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "file-%d", i);
		tree_target(scene, "bin-0", name);
	}
	tree_publish(scene);
}

const struct attack attacks_tree[] = {
	{"cycle",
	 "Two roles delegate to each other; what is behind them is still found",
	 "5.6.7",
	 cycle,
	 "NONE",
	 NULL,
	 NULL,
	 {1, 1, 1, 1},
	 "{\"behind\": \"c\", \"nowhere\": null}",
	 "good",
	 NULL,
	 OPEN},
	{"cycle-of-one",
	 "A role delegates to itself",
	 "5.6.7",
	 cycle_through_targets,
	 "NONE",
	 NULL,
	 NULL,
	 {1, 1, 1, 1},
	 "{\"here\": \"a\", \"nowhere\": null}",
	 "good",
	 NULL,
	 OPEN},
	{"diamond",
	 "Two ways to one role; by the second its signature does not hold",
	 "5.6.7",
	 diamond,
	 "NONE",
	 NULL,
	 NULL,
	 {1, 1, 1, 1},
	 "{\"team-a/good\": \"release\", \"team-b/evil\": \"TUF_SIGNATURE\"}",
	 "good",
	 "a role that it verified by one way it trusts by every other",
	 OPEN},
	{"diamond-good",
	 "Two ways to one role, good by both: no attack, for comparison",
	 "5.6.7",
	 diamond_good,
	 "NONE",
	 NULL,
	 NULL,
	 {1, 1, 1, 1},
	 "{\"team-a/one\": \"release\", \"team-b/two\": \"release\"}",
	 "good",
	 NULL,
	 OPEN},
	{"depth-200",
	 "A chain of two hundred delegations",
	 "5.6.7",
	 depth_200,
	 "NONE",
	 NULL,
	 NULL,
	 {1, 1, 1, 1},
	 "{\"deep\": \"d200\"}",
	 "good",
	 "it visits 32 roles and gives up; ours LIMIT_SEARCH_ROLES, 256",
	 OPEN},
	{"terminating",
	 "A terminating delegation ends the search; who comes after it is not asked",
	 "5.6.7.2.1",
	 terminating,
	 "NONE",
	 NULL,
	 NULL,
	 {1, 1, 1, 1},
	 "{\"data/evil\": null}",
	 "good",
	 NULL,
	 OPEN},
	{"outside-the-delegation",
	 "A role names a target that one delegation on the way to it does not cover",
	 "5.6.7",
	 outside_the_delegation,
	 "NONE",
	 NULL,
	 NULL,
	 {1, 1, 1, 1},
	 "{\"data/good\": \"b\", \"other/evil\": null}",
	 "good",
	 NULL,
	 OPEN},
	{"target-in-another-bin",
	 "A hash bin names targets that are another bin's (TAP 15)",
	 "5.6.7",
	 target_in_another_bin,
	 "NONE",
	 NULL,
	 NULL,
	 {1, 1, 1, 1},
	 "{\"file-0\": \"bin-0\", \"file-1\": null, \"file-2\": null}",
	 "good",
	 NULL,
	 OPEN},
	{"bins-inside",
	 "Hash bins where the inside wants one role a dataset (TAP 15)",
	 "4.5",
	 target_in_another_bin,
	 "TUF_DELEGATION",
	 "1.targets.json: signed.delegations: succinct_roles are not read here",
	 NULL,
	 {1, 1, 1, 0},
	 "{\"file-0\": null}",
	 NULL,
	 "hash bins are good TUF; the inside's closed profile has one role a dataset",
	 CLOSED},
	{.name = NULL},
};
