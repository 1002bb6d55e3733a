/* SPDX-License-Identifier: ISC
 *
 * Attacks by what signed metadata say: targets that are not theirs, hashes that nobody knows, of two one that is wrong.
 */
#include <openssl/evp.h>

#include "tests/attacks/attack.h"

static json_t *member(json_t *object, const char *key, const char *below)
{
	return json_object_get(json_object_get(object, key), below);
}

static void bump(struct scene *scene, void (*edit)(struct scene *scene, int role, json_t *signed_))
{
	scene_trust(scene);
	scene->edit = edit;
	scene_publish_next(scene, R_COG);
	scene_send(scene);
}

static void steal_a_target(struct scene *scene, int role, json_t *signed_)
{
	(void)scene;
	if (role == R_COG)
		json_object_set_new(json_object_get(signed_, "targets"), "sirene/extra.csv",
				    repo_target("sirene/extra.csv", 1));
}

static void extraneous_target(struct scene *scene)
{
	bump(scene, steal_a_target);
}

/* What SHA-512 gives for DATA, or for other data. */
static void set_sha512(json_t *hashes, const void *data, size_t size, bool is_good)
{
	uint8_t digest[64];
	char hex[129];

	if (EVP_Digest(data, size, digest, NULL, EVP_sha512(), NULL) != 1)
		abort();
	if (!is_good)
		digest[0] ^= 1;
	notation_hex(digest, sizeof(digest), hex);
	json_object_set_new(hashes, "sha512", json_string(hex));
}

static void add_sha512_of_cog(struct scene *scene, json_t *signed_, bool is_good)
{
	char name[LIMIT_METADATA_NAME_SIZE];
	const struct file *file = files_find(&scene->repo->out, scene_name(scene, R_COG, name));

	set_sha512(json_object_get(member(signed_, "meta", "cog.json"), "hashes"), file->data, file->size, is_good);
}

static void two_hashes(struct scene *scene, int role, json_t *signed_)
{
	if (role == R_SNAPSHOT)
		add_sha512_of_cog(scene, signed_, true);
}

static void two_hashes_good(struct scene *scene)
{
	bump(scene, two_hashes);
}

static void two_hashes_one_bad(struct scene *scene, int role, json_t *signed_)
{
	if (role == R_SNAPSHOT)
		add_sha512_of_cog(scene, signed_, false);
}

static void two_hashes_one_wrong(struct scene *scene)
{
	bump(scene, two_hashes_one_bad);
}

static void target_two_hashes(struct scene *scene, int role, json_t *signed_, bool is_good)
{
	static const char text[] = "cog/data.csv of version 2";

	(void)scene;
	if (role == R_COG)
		set_sha512(json_object_get(member(signed_, "targets", "cog/data.csv"), "hashes"), text, strlen(text),
			   is_good);
}

static void target_two_hashes_bad(struct scene *scene, int role, json_t *signed_)
{
	target_two_hashes(scene, role, signed_, false);
}

static void target_two_hashes_one_wrong(struct scene *scene)
{
	bump(scene, target_two_hashes_bad);
	scene_target(scene, "cog/data.csv", 2, BYTES_GOOD);
}

#define UNKNOWN_HASH "00112233445566778899aabbccddeeff"

static void only_unknown(json_t *object)
{
	json_object_set_new(object, "hashes", json_pack("{s:s}", "whirlpool-2000", UNKNOWN_HASH));
}

static void unknown_hash(struct scene *scene, int role, json_t *signed_)
{
	(void)scene;
	if (role == R_SNAPSHOT)
		only_unknown(member(signed_, "meta", "cog.json"));
}

static void unknown_hash_algorithm(struct scene *scene)
{
	bump(scene, unknown_hash);
}

static void target_unknown_hash(struct scene *scene, int role, json_t *signed_)
{
	(void)scene;
	if (role == R_COG)
		only_unknown(member(signed_, "targets", "cog/data.csv"));
}

static void target_unknown_hash_algorithm(struct scene *scene)
{
	static const char text[] = "cog/data.csv of version 2";

	bump(scene, target_unknown_hash);
	files_put(&scene->targets, "cog/" UNKNOWN_HASH ".data.csv", text, strlen(text));
}

static void change_length(json_t *object, int by)
{
	json_object_set_new(object, "length", json_integer(json_integer_value(json_object_get(object, "length")) + by));
}

static void one_more(struct scene *scene, int role, json_t *signed_)
{
	(void)scene;
	if (role == R_SNAPSHOT)
		change_length(member(signed_, "meta", "cog.json"), 1);
}

static void length_one_more(struct scene *scene)
{
	bump(scene, one_more);
}

static void one_less(struct scene *scene, int role, json_t *signed_)
{
	(void)scene;
	if (role == R_SNAPSHOT)
		change_length(member(signed_, "meta", "cog.json"), -1);
}

static void length_one_less(struct scene *scene)
{
	bump(scene, one_less);
}

static void target_one_more(struct scene *scene, int role, json_t *signed_)
{
	(void)scene;
	if (role == R_COG)
		change_length(member(signed_, "targets", "cog/data.csv"), 1);
}

static void target_length_one_more(struct scene *scene)
{
	bump(scene, target_one_more);
	scene_target(scene, "cog/data.csv", 2, BYTES_GOOD);
}

static void shadow(struct scene *scene, int role, json_t *signed_)
{
	(void)scene;
	if (role == R_TARGETS)
		json_object_set_new(json_object_get(signed_, "targets"), "cog/data.csv",
				    repo_target("cog/data.csv", 7));
}

/* A thief of the targets key puts a dataset's target where it is found first. */
static void targets_shadow_a_dataset(struct scene *scene)
{
	scene_trust(scene);
	scene->edit = shadow;
	scene_publish_next(scene, R_TARGETS);
	scene_send(scene);
}

/* What a general client would follow: a dataset that hands its folder on to somebody else. */
static void hand_on(struct scene *scene, int role, json_t *signed_)
{
	const struct repo_key *key = &scene->repo->keys[R_SIRENE][0];

	if (role == R_COG)
		json_object_set_new(signed_, "delegations",
				    json_pack("{s:{s:O}, s:[{s:s, s:[s], s:i, s:[s], s:b}]}", "keys", key->key.keyid,
					      key->object, "roles", "name", "sirene", "keyids", key->key.keyid,
					      "threshold", 1, "paths", "cog/*", "terminating", 0));
}

static void dataset_that_delegates(struct scene *scene)
{
	bump(scene, hand_on);
}

const struct attack attacks_content[] = {
	{"dataset-that-delegates",
	 "A dataset's role delegates its folder to another dataset's key: nobody follows",
	 "4.5",
	 dataset_that_delegates,
	 "NONE",
	 NULL,
	 ALL,
	 {1, 2, 2, 1},
	 "{\"cog/data.csv\": \"cog\", \"cog/more.csv\": null}",
	 NULL,
	 NULL,
	 CLOSED},
	{"extraneous-target",
	 "A role names a target of another dataset besides its own",
	 "4.5",
	 extraneous_target,
	 "NONE",
	 "2.cog.json: target \"sirene/extra.csv\" is outside the delegation",
	 NO_COG("TUF_DELEGATION"),
	 {1, 2, 2, 1},
	 "{\"sirene/extra.csv\": null}",
	 NULL,
	 NULL,
	 CLOSED},
	{"two-hashes",
	 "SHA-256 and SHA-512, both right: no attack, for comparison",
	 "4.4",
	 two_hashes_good,
	 "NONE",
	 NULL,
	 ALL,
	 {1, 2, 2, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"two-hashes-one-wrong",
	 "SHA-256 of a role is right, SHA-512 is not",
	 "4.4",
	 two_hashes_one_wrong,
	 "NONE",
	 "2.cog.json: ",
	 NO_COG("TUF_HASH"),
	 {1, 2, 2, 1},
	 LOST,
	 NULL,
	 NULL,
	 CLOSED},
	{"target-two-hashes-one-wrong",
	 "SHA-256 of a target is right, SHA-512 is not",
	 "4.5",
	 target_two_hashes_one_wrong,
	 "NONE",
	 NULL,
	 ALL,
	 {1, 2, 2, 1},
	 FOUND,
	 "refused",
	 NULL,
	 CLOSED},
	{"unknown-hash-algorithm",
	 "A role's only hash is of an algorithm that nobody has",
	 "4.4",
	 unknown_hash_algorithm,
	 "TUF_FORM",
	 "2.snapshot.json: ",
	 ALL,
	 {1, 2, 1, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"target-unknown-hash-algorithm",
	 "A target's only hash is of an algorithm that nobody has",
	 "4.5",
	 target_unknown_hash_algorithm,
	 "NONE",
	 "2.cog.json: ",
	 NO_COG("TUF_FORM"),
	 {1, 2, 2, 1},
	 LOST,
	 "refused",
	 NULL,
	 CLOSED},
	{"length-one-more",
	 "A role is one byte shorter than the snapshot says",
	 "5.6.2",
	 length_one_more,
	 "NONE",
	 "2.cog.json: ",
	 NO_COG("TUF_HASH"),
	 {1, 2, 2, 1},
	 LOST,
	 NULL,
	 NULL,
	 CLOSED},
	{"length-one-less",
	 "A role is one byte longer than the snapshot says",
	 "5.6.2",
	 length_one_less,
	 "NONE",
	 "2.cog.json: more than",
	 NO_COG("TUF_FORM"),
	 {1, 2, 2, 1},
	 LOST,
	 NULL,
	 NULL,
	 CLOSED},
	{"target-length-one-more",
	 "A target is one byte shorter than its role says; its hash is right",
	 "5.7.2",
	 target_length_one_more,
	 "NONE",
	 NULL,
	 ALL,
	 {1, 2, 2, 1},
	 FOUND,
	 "refused",
	 NULL,
	 CLOSED},
	{"targets-shadow-a-dataset",
	 "The top-level targets name a dataset's target, found before the dataset's own",
	 "5.6.7.1",
	 targets_shadow_a_dataset,
	 "TUF_DELEGATION",
	 "2.targets.json: names target \"cog/data.csv\" itself",
	 WAITING,
	 {1, 2, 2, 1},
	 LOST,
	 NULL,
	 "the specification lets top-level targets name what they like; here datasets alone do",
	 CLOSED},
	{.name = NULL},
};
