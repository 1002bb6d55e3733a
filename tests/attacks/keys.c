/* SPDX-License-Identifier: ISC
 *
 * Attacks on keys and signatures: one that counts twice, one that is not what it says, one that anybody can make.
 */
#include "tests/attacks/attack.h"

static void one_key_two_keyids(struct scene *scene)
{
	scene_trust(scene);
	repo_add_key(scene->repo, R_TIMESTAMP, 10 + R_TIMESTAMP, "the same key again");
	scene->repo->threshold[R_TIMESTAMP] = 2;
	scene_next_root(scene);
	scene_publish_next(scene, R_COG);
	scene_send(scene);
}

static void one_key_two_keyids_delegated(struct scene *scene)
{
	scene_trust(scene);
	repo_add_key(scene->repo, R_COG, 10 + R_COG, "the same key again");
	scene->repo->threshold[R_COG] = 2;
	scene->repo->version[R_TARGETS]++;
	scene_publish_next(scene, R_COG);
	scene_send(scene);
}

static void sign_twice(struct scene *scene, int role, json_t *file)
{
	json_t *signatures = json_object_get(file, "signatures");

	(void)scene;
	if (role == R_TIMESTAMP)
		json_array_append(signatures, json_array_get(signatures, 0));
}

/* Two must sign; one does, twice. */
static void duplicate_signature(struct scene *scene)
{
	scene_trust(scene);
	repo_add_key(scene->repo, R_TIMESTAMP, 140, NULL);
	scene->repo->threshold[R_TIMESTAMP] = 2;
	scene_next_root(scene);
	scene->repo->signers[R_TIMESTAMP][0] = &scene->repo->keys[R_TIMESTAMP][0];
	scene->repo->n_signers[R_TIMESTAMP] = 1;
	scene->edit_file = sign_twice;
	scene_publish_next(scene, R_COG);
	scene_send(scene);
}

static void say_another_type(struct scene *scene, int role, json_t *signed_)
{
	(void)scene;
	if (role == R_SNAPSHOT)
		json_object_set_new(signed_, "_type", json_string("timestamp"));
}

static void wrong_type(struct scene *scene)
{
	scene_trust(scene);
	scene->edit = say_another_type;
	scene_publish_next(scene, R_COG);
	scene_send(scene);
}

/* A keyid that is another object's hash is refused for that alone: it is computed again. */
static void set_key(struct repo_key *key, const char *member, const char *value)
{
	struct sha256 keyid;

	json_object_set_new(key->object, member, json_string(value));
	canonical_hash(key->object, &keyid, NULL);
	sha256_to_hex(&keyid, key->key.keyid);
}

static void confuse(struct scene *scene, const char *member, const char *value)
{
	scene_trust(scene);
	set_key(&scene->repo->keys[R_TIMESTAMP][0], member, value);
	scene_next_root(scene);
	scene_publish_next(scene, R_COG);
	scene_send(scene);
}

static void key_scheme_confused(struct scene *scene)
{
	confuse(scene, "scheme", "rsassa-pss-sha256");
}

static void key_type_confused(struct scene *scene)
{
	confuse(scene, "keytype", "rsa");
}

static void keyid_of_another_key(struct scene *scene)
{
	struct repo_key other = repo_key_new(77, NULL);

	scene_trust(scene);
	memcpy(scene->repo->keys[R_TIMESTAMP][0].key.keyid, other.key.keyid, sizeof(other.key.keyid));
	repo_key_clear(&other);
	scene_next_root(scene);
	scene_publish_next(scene, R_COG);
	scene_send(scene);
}

/* The neutral point as public key, R neutral and S zero: S*B = R + h*A holds for every message. */
static void forge(struct scene *scene, int role, json_t *file)
{
	char hex[2 * crypto_sign_BYTES + 1] = "01";

	if (role != R_TIMESTAMP)
		return;
	memset(hex + 2, '0', sizeof(hex) - 3);
	json_object_set_new(
		file, "signatures",
		json_pack("[{s:s, s:s}]", "keyid", scene->repo->keys[R_TIMESTAMP][0].key.keyid, "sig", hex));
}

static void small_order_key(struct scene *scene)
{
	struct repo_key *key = &scene->repo->keys[R_TIMESTAMP][0];
	uint8_t neutral[TUF_PUBLIC_KEY_SIZE] = {1};

	scene_trust(scene);
	json_decref(key->object);
	tuf_key_from_public(neutral, &key->key);
	key->object = tuf_key_to_json(&key->key);
	scene->edit_file = forge;
	scene_next_root(scene);
	scene_publish_next(scene, R_COG);
	scene_send(scene);
}

/* S + L in place of S: the same equation, another signature. */
static void add_order(struct scene *scene, int role, json_t *file)
{
	static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
					  0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
	json_t *signature = json_array_get(json_object_get(file, "signatures"), 0);
	uint8_t bytes[crypto_sign_BYTES];
	char hex[2 * crypto_sign_BYTES + 1];
	unsigned carry = 0;

	(void)scene;
	if (role != R_TIMESTAMP)
		return;
	notation_unhex(json_string_value(json_object_get(signature, "sig")), bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(order); i++) {
		carry += (unsigned)bytes[32 + i] + order[i];
		bytes[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	notation_hex(bytes, sizeof(bytes), hex);
	json_object_set_new(signature, "sig", json_string(hex));
}

static void s_not_reduced(struct scene *scene)
{
	scene_trust(scene);
	scene->edit_file = add_order;
	scene_publish_next(scene, R_COG);
	scene_send(scene);
}

static void targets_of_another_dataset(struct scene *scene)
{
	scene_trust(scene);
	scene->repo->signers[R_COG][0] = &scene->repo->keys[R_SIRENE][0];
	scene->repo->n_signers[R_COG] = 1;
	scene_publish_next(scene, R_COG);
	scene_send(scene);
}

const struct attack attacks_keys[] = {
	{"one-key-two-keyids",
	 "One key of the timestamp under two keyids; two must sign",
	 "4.2.1",
	 one_key_two_keyids,
	 "TUF_SIGNATURE",
	 "timestamp.json: 1 good signatures, the threshold is 2",
	 NULL,
	 {2, 0, 0, 0},
	 LOST,
	 NULL,
	 "it counts keyids, not public keys",
	 CLOSED},
	{"one-key-two-keyids-delegated",
	 "One key of a delegated role under two keyids; two must sign",
	 "4.2.1",
	 one_key_two_keyids_delegated,
	 "NONE",
	 "2.cog.json: 1 good signatures, the threshold is 2",
	 NO_COG("TUF_SIGNATURE"),
	 {1, 2, 2, 2},
	 LOST,
	 NULL,
	 "it counts keyids, not public keys",
	 CLOSED},
	{"duplicate-signature",
	 "Two must sign the timestamp; one did, twice",
	 "4.2.1",
	 duplicate_signature,
	 "TUF_FORM",
	 "timestamp.json: signatures: keyid",
	 NULL,
	 {2, 0, 0, 0},
	 LOST,
	 NULL,
	 NULL,
	 CLOSED},
	{"wrong-type",
	 "A snapshot, rightly signed, that says it is a timestamp",
	 "4.3",
	 wrong_type,
	 "TUF_FORM",
	 "2.snapshot.json: _type is \"timestamp\", not \"snapshot\"",
	 ALL,
	 {1, 2, 1, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"key-scheme-confused",
	 "An Ed25519 key whose scheme is RSA's",
	 "4.2",
	 key_scheme_confused,
	 "TUF_FORM",
	 "2.root.json: ",
	 ALL,
	 {1, 1, 1, 1},
	 FOUND,
	 NULL,
	 "it never looks at an Ed25519 key's scheme",
	 CLOSED},
	{"key-type-confused",
	 "An Ed25519 key whose type is RSA",
	 "4.2",
	 key_type_confused,
	 "TUF_FORM",
	 "2.root.json: ",
	 ALL,
	 {1, 1, 1, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"keyid-of-another-key",
	 "A key under a keyid that is not its own",
	 "4.2",
	 keyid_of_another_key,
	 "TUF_FORM",
	 "2.root.json: ",
	 ALL,
	 {1, 1, 1, 1},
	 FOUND,
	 NULL,
	 "it does not compute keyids again",
	 CLOSED},
	{"small-order-key",
	 "A key of small order, and the one signature that fits every message",
	 "4.2",
	 small_order_key,
	 "TUF_SIGNATURE",
	 "timestamp.json: 0 good signatures",
	 NULL,
	 {2, 0, 0, 0},
	 LOST,
	 NULL,
	 "OpenSSL's Ed25519, which it uses, takes keys of small order",
	 CLOSED},
	{"s-not-reduced",
	 "A good signature with S + L for S",
	 "4.2",
	 s_not_reduced,
	 "TUF_SIGNATURE",
	 "timestamp.json: 0 good signatures",
	 ALL,
	 {1, 1, 1, 1},
	 FOUND,
	 NULL,
	 NULL,
	 CLOSED},
	{"targets-of-another-dataset",
	 "One dataset's role signed by another dataset's key",
	 "5.6.3",
	 targets_of_another_dataset,
	 "NONE",
	 "2.cog.json: 0 good signatures",
	 NO_COG("TUF_SIGNATURE"),
	 {1, 2, 2, 1},
	 LOST,
	 NULL,
	 NULL,
	 CLOSED},
	{.name = NULL},
};
