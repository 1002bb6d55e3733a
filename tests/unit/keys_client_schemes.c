/* SPDX-License-Identifier: ISC
 *
 * Which schemes may sign for which role: the profile says, the build limits, and all else is Ed25519's.
 */
#include "keys/client.h"

#include "tests/unit/keys_expect.h"

#ifdef CLAPET_ECDSA
#include "tests/tufpem.h"

static struct pem_key more; /* the key that a test adds, and for which role */
static const char *more_role;
static int more_threshold;

static void add_to_root(struct repo *repo, int role, json_t *signed_)
{
	(void)repo;
	if (role == R_ROOT)
		pem_key_add(signed_, more_role, &more, more_threshold);
}

static void sign_too(struct repo *repo, int role, json_t *file)
{
	(void)repo;
	if (strcmp(repo_roles[role], more_role) == 0)
		json_array_append_new(json_object_get(file, "signatures"),
				      pem_signature(json_object_get(file, "signed"), &more));
}

/* Root 2 wants two signatures for ROLE, the second by a new key of SCHEME; all is signed by both. */
static void publish_with(struct repo *repo, enum tuf_scheme scheme, const char *role)
{
	more = pem_key_new(scheme);
	more_role = role;
	more_threshold = 2;
	repo->change = add_to_root;
	repo->change_file = sign_too;
	repo->version[R_ROOT] = 2;
	repo_write_root(repo);
	repo_publish(repo);
}

static void allow(struct repo *repo, enum tuf_kind kind, enum tuf_scheme scheme)
{
	repo->profile.schemes[kind] = TUF_SCHEME_BIT(TUF_SCHEME_ED25519) | TUF_SCHEME_BIT(scheme);
}

/* Each scheme for each top role: only where the profile names it, and then as good as any. */
static void test_each_kind(void **state)
{
	static const enum tuf_scheme schemes[] = {TUF_SCHEME_ECDSA_P256, TUF_SCHEME_RSA_PSS_SHA256};

	(void)state;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		for (enum tuf_kind kind = TUF_KIND_ROOT; kind <= TUF_KIND_TARGETS; kind++) {
			struct repo *repo = repo_new();
			char line[200];

			publish_with(repo, schemes[i], tuf_kind_name(kind));
			run_refused(repo, FAULT_TUF_FORM, "this reads ed25519 alone");
			/* Allowed for another role: then it may be listed, and not for this one. */
			allow(repo, (kind + 1) % TUF_KIND_N, schemes[i]);
			snprintf(line, sizeof(line),
				 "2.root.json: signed.roles.%s: key %.8s is %s, which the configuration's \"schemes\" "
				 "does not allow for %s",
				 tuf_kind_name(kind), more.keyid, tuf_scheme_name(schemes[i]), tuf_kind_name(kind));
			run_refused(repo, FAULT_TUF_SCHEME, line);
			allow(repo, kind, schemes[i]);
			run_good(repo);
			pem_key_clear(&more);
			repo_free(repo);
		}
}

static void spoil(struct repo *repo, int role, json_t *file)
{
	json_t *signatures = json_object_get(file, "signatures");

	sign_too(repo, role, file);
	if (strcmp(repo_roles[role], more_role) == 0)
		json_object_set_new(json_array_get(signatures, json_array_size(signatures) - 1), "sig",
				    json_string("3006020101020101"));
}

static void test_wrong_signature(void **state)
{
	struct repo *repo = *state;

	allow(repo, TUF_KIND_TIMESTAMP, TUF_SCHEME_ECDSA_P256);
	publish_with(repo, TUF_SCHEME_ECDSA_P256, "timestamp");
	repo->change_file = spoil;
	repo_publish(repo);
	run_expect(repo, FAULT_TUF_SIGNATURE, "timestamp.json: 1 good signatures, the threshold is 2");
	pem_key_clear(&more);
}

/* Ed25519 can be taken away, too. */
static void test_ed25519_not_allowed(void **state)
{
	struct repo *repo = *state;

	repo->profile.schemes[TUF_KIND_DELEGATED] = TUF_SCHEME_BIT(TUF_SCHEME_ECDSA_P256);
	run_expect(repo, FAULT_TUF_SCHEME,
		   "is ed25519, which the configuration's \"schemes\" does not allow for datasets");
}

static void as_named(struct repo *repo, int role, json_t *signed_)
{
	json_t *key;

	(void)repo;
	if (role != R_ROOT)
		return;
	pem_key_add(signed_, more_role, &more, more_threshold);
	key = json_object_get(json_object_get(signed_, "keys"), more.keyid);
	json_object_set_new(key, "scheme", json_string("ed25519"));
}

/* Key type and scheme confused: a key is of one scheme, and nothing in the file moves it to another. */
static void test_confused(void **state)
{
	struct repo *repo = *state;

	allow(repo, TUF_KIND_ROOT, TUF_SCHEME_ECDSA_P256);
	more = pem_key_new(TUF_SCHEME_ECDSA_P256);
	more_role = "root";
	more_threshold = 1;
	repo->change = as_named;
	repo->version[R_ROOT] = 2;
	repo_write_root(repo);
	run_refused(repo, FAULT_TUF_FORM, "keytype ecdsa, scheme ed25519; this reads ed25519, ecdsa-sha2-nistp256");
	pem_key_clear(&more);
}

/* One key under two keyids, in PEM: an unknown member is enough for the second. Its signature counts once. */
static char second_keyid[TUF_KEYID_SIZE];

static void add_twice(struct repo *repo, int role, json_t *signed_)
{
	struct pem_key same = more;
	struct sha256 keyid;

	(void)repo;
	if (role != R_ROOT)
		return;
	same.object = json_deep_copy(more.object);
	json_object_set_new(same.object, "x-comment", json_string("another"));
	canonical_hash(same.object, &keyid, NULL);
	sha256_to_hex(&keyid, same.keyid);
	memcpy(second_keyid, same.keyid, sizeof(second_keyid));
	pem_key_add(signed_, more_role, &more, 3);
	pem_key_add(signed_, more_role, &same, 3);
	json_decref(same.object);
}

static void sign_twice(struct repo *repo, int role, json_t *file)
{
	json_t *signatures = json_object_get(file, "signatures"), *second;

	sign_too(repo, role, file);
	if (strcmp(repo_roles[role], more_role) != 0)
		return;
	second = json_deep_copy(json_array_get(signatures, json_array_size(signatures) - 1));
	json_object_set_new(second, "keyid", json_string(second_keyid));
	json_array_append_new(signatures, second);
}

static void test_one_key_under_two_keyids(void **state)
{
	struct repo *repo = *state;

	allow(repo, TUF_KIND_TIMESTAMP, TUF_SCHEME_ECDSA_P256);
	more = pem_key_new(TUF_SCHEME_ECDSA_P256);
	more_role = "timestamp";
	repo->change = add_twice;
	repo->change_file = sign_twice;
	repo->version[R_ROOT] = 2;
	repo_write_root(repo);
	repo_publish(repo);
	run_expect(repo, FAULT_TUF_SIGNATURE, "timestamp.json: 2 good signatures, the threshold is 3");
	pem_key_clear(&more);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_kind),    TEST(test_wrong_signature),
		TEST(test_ed25519_not_allowed),      TEST(test_confused),
		TEST(test_one_key_under_two_keyids),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	hash_init();
	json_init();
	tuf_key_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void list_ecdsa(struct repo *repo, int role, json_t *signed_)
{
	(void)repo;
	if (role == R_ROOT)
		json_object_set_new(json_object_get(signed_, "keys"),
				    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
				    json_pack("{s:s, s:s, s:{s:s}}", "keytype", "ecdsa", "scheme",
					      "ecdsa-sha2-nistp256", "keyval", "public", "-----BEGIN PUBLIC KEY-----"));
}

/* A profile cannot give a build what it does not have. */
static void test_not_in_this_build(void **state)
{
	struct repo *repo = *state;

	for (enum tuf_kind kind = 0; kind < TUF_KIND_N; kind++)
		repo->profile.schemes[kind] = TUF_SCHEMES_ALL;
	repo->change = list_ecdsa;
	repo->version[R_ROOT] = 2;
	repo_write_root(repo);
	run_refused(repo, FAULT_TUF_FORM, "keytype ecdsa, scheme ecdsa-sha2-nistp256; this reads ed25519 alone");
}

static void test_ed25519_not_allowed(void **state)
{
	struct repo *repo = *state;

	repo->profile.schemes[TUF_KIND_DELEGATED] = TUF_SCHEME_BIT(TUF_SCHEME_ECDSA_P256);
	run_expect(repo, FAULT_TUF_SCHEME,
		   "is ed25519, which the configuration's \"schemes\" does not allow for datasets");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_not_in_this_build, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ed25519_not_allowed, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	hash_init();
	json_init();
	tuf_key_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
