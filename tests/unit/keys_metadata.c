/* SPDX-License-Identifier: ISC
 *
 * Metadata files out of form, each signed properly, so that the form alone is what refuses them; and thresholds.
 */
#include "keys/metadata.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "tests/tufrepo.h"

static int setup(void **state)
{
	*state = repo_new();
	return 0;
}

static int teardown(void **state)
{
	repo_free(*state);
	return 0;
}

static void run_expect(struct repo *repo, enum fault fault, const char *text)
{
	struct refusal why = repo_run(repo, &repo->out);

	if (why.fault != fault || strstr(why.line, text) == NULL)
		fail_msg("E%d %s\n# expected E%d %s", why.fault, why.line, fault, text);
}

/* --- one member changed before signing ------------------------------------------------------------------------------ */

/* ROLE's `signed`, at PATH ("meta/snapshot.json/version"): VALUE instead ("" removes it). */
struct change {
	int role;
	const char *path;
	const char *value; /* JSON */
	const char *line;
	enum fault fault; /* 0: FAULT_TUF_FORM */
};
static const struct change *current;

/* '|' between the parts, for names hold dots and slashes. */
static void apply(struct repo *repo, int role, json_t *signed_)
{
	char path[256], *save = NULL, *part, *next;
	json_t *at = signed_;

	(void)repo;
	if (role != current->role)
		return;
	snprintf(path, sizeof(path), "%s", current->path);
	part = strtok_r(path, "|", &save);
	while ((next = strtok_r(NULL, "|", &save)) != NULL) {
		at = json_is_array(at) ? json_array_get(at, (size_t)atoi(part)) : json_object_get(at, part);
		part = next;
	}
	assert_non_null(at);
	if (current->value[0] == '\0')
		json_object_del(at, part);
	else if (json_is_array(at))
		json_array_set_new(at, (size_t)atoi(part), json_loads(current->value, JSON_DECODE_ANY, NULL));
	else
		json_object_set_new(at, part, json_loads(current->value, JSON_DECODE_ANY, NULL));
}

static void run_changes(const struct change *changes, size_t n, bool is_root)
{
	for (size_t i = 0; i < n; i++) {
		struct repo *repo = repo_new();

		current = &changes[i];
		repo->change = apply;
		if (is_root) {
			repo->version[R_ROOT] = 2;
			repo_write_root(repo);
		} else {
			repo_publish(repo);
		}
		run_expect(repo, current->fault != 0 ? current->fault : FAULT_TUF_FORM, current->line);
		repo_free(repo);
	}
}

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_header(void **state)
{
	static const struct change changes[] = {
		{R_TIMESTAMP, "_type", "\"snapshot\"", "timestamp.json: _type is \"snapshot\", not \"timestamp\"", 0},
		{R_TIMESTAMP, "_type", "", "\"_type\" must be a text", 0},
		{R_TIMESTAMP, "spec_version", "\"2.0.0\"", "spec_version is \"2.0.0\"; this reads 1.x", 0},
		{R_TIMESTAMP, "spec_version", "\"10.0\"", "this reads 1.x", 0},
		{R_TIMESTAMP, "spec_version", "1", "\"spec_version\" must be a text", 0},
		{R_TIMESTAMP, "version", "0", "\"version\" must be an integer from 1 to 9007199254740991", 0},
		{R_TIMESTAMP, "version", "-1", "\"version\" must be", 0},
		{R_TIMESTAMP, "version", "9007199254740992", "\"version\" must be", 0},
		{R_TIMESTAMP, "version", "\"2\"", "\"version\" must be", 0},
		{R_TIMESTAMP, "version", "true", "\"version\" must be", 0},
		{R_TIMESTAMP, "expires", "\"2026-11-30 00:00:00Z\"", "YYYY-MM-DDTHH:MM:SSZ", 0},
		{R_TIMESTAMP, "expires", "\"2026-11-30T00:00:00+00:00\"", "YYYY-MM-DDTHH:MM:SSZ", 0},
		{R_TIMESTAMP, "expires", "\"2026-11-31T00:00:00Z\"", "YYYY-MM-DDTHH:MM:SSZ", 0},
		{R_TIMESTAMP, "expires", "\"2026-11-30T00:00:00.5Z\"", "YYYY-MM-DDTHH:MM:SSZ", 0},
		{R_TIMESTAMP, "expires", "1795305600", "\"expires\" must be a text", 0},
		{R_TIMESTAMP, "issued", "\"today\"", "\"issued\" is not of the form", 0},
		{R_TIMESTAMP, "issued", "\"2027-11-30T00:00:00Z\"", "issued after it expires", 0},
	};

	(void)state;
	run_changes(changes, sizeof(changes) / sizeof(changes[0]), false);
}

static void test_meta(void **state)
{
	static const struct change changes[] = {
		{R_TIMESTAMP, "meta", "[]", "\"meta\" must be an object", 0},
		{R_TIMESTAMP, "meta|snapshot.json", "", "\"snapshot.json\" must be an object", 0},
		{R_TIMESTAMP, "meta|cog.json", "{\"version\": 1}", "only snapshot.json may be there", 0},
		{R_TIMESTAMP, "meta|snapshot.json|version", "0", "meta.snapshot.json: \"version\"", 0},
		{R_TIMESTAMP, "meta|snapshot.json|length", "0", "\"length\" must be an integer from 1 to 2097152", 0},
		{R_TIMESTAMP, "meta|snapshot.json|length", "2097153", "\"length\" must be", 0},
		{R_TIMESTAMP, "meta|snapshot.json|length", "12", "more than 12 bytes", 0},
		{R_TIMESTAMP, "meta|snapshot.json|hashes", "{}", "\"sha256\" must be a text", 0},
		{R_TIMESTAMP, "meta|snapshot.json|hashes|sha256", "\"ABCD\"", "64 lower-case hex", 0},
		{R_SNAPSHOT, "meta|targets.json", "", "targets.json is missing", 0},
		{R_SNAPSHOT, "meta|root.json", "{\"version\": 1}", "\"root.json\" may not be there", 0},
		{R_SNAPSHOT, "meta|../cog.json", "{\"version\": 1}", "may not be there", 0},
		{R_SNAPSHOT, "meta|COG.json", "{\"version\": 1}", "may not be there", 0},
		{R_SNAPSHOT, "meta|cog", "{\"version\": 1}", "is not the name of a role's file", 0},
		{R_SNAPSHOT, "meta|.json", "{\"version\": 1}", "is not the name of a role's file", 0},
		{R_SNAPSHOT, "meta|cog.json", "1", "must be an object", 0},
		{R_SNAPSHOT, "_type", "\"timestamp\"", "1.snapshot.json: _type is", 0},
	};

	(void)state;
	run_changes(changes, sizeof(changes) / sizeof(changes[0]), false);
}

static void test_root(void **state)
{
	static const struct change changes[] = {
		{R_ROOT, "_type", "\"Root\"", "2.root.json: _type is \"Root\"", 0},
		{R_ROOT, "consistent_snapshot", "false", "consistent_snapshot must be true", 0},
		{R_ROOT, "consistent_snapshot", "", "consistent_snapshot must be true", 0},
		{R_ROOT, "keys", "[]", "\"keys\" must be an object", 0},
		{R_ROOT, "keys|" HEX64,
		 "{\"keytype\": \"ed25519\", \"scheme\": \"ed25519\", \"keyval\": {\"public\": \"" HEX64 "\"}}",
		 "its keyid computes to", 0},
		{R_ROOT, "keys|" HEX64,
		 "{\"keytype\": \"rsa\", \"scheme\": \"rsassa-pss-sha256\", \"keyval\": {\"public\": \"-\"}}",
		 "this reads ed25519 alone", 0},
		{R_ROOT, "keys|" HEX64, "7", "must be texts", 0},
		{R_ROOT, "roles|timestamp", "", "\"timestamp\" must be an object", 0},
		{R_ROOT, "roles|timestamp|threshold", "0",
		 "signed.roles.timestamp: \"threshold\" must be an integer from 1", 0},
		{R_ROOT, "roles|root|threshold", "0", "signed.roles.root: \"threshold\"", 0},
		{R_ROOT, "roles|root|threshold", "2", "1 good signatures, the threshold is 2, by itself",
		 FAULT_TUF_SIGNATURE},
		{R_ROOT, "roles|snapshot|threshold", "\"1\"", "\"threshold\" must be", 0},
		{R_ROOT, "roles|snapshot|keyids", "{}", "\"keyids\" must be an array", 0},
		{R_ROOT, "roles|snapshot|keyids", "[\"" HEX64 "\"]", "names a key that is not in keys", 0},
		{R_ROOT, "roles|snapshot|keyids", "[7]", "names a key that is not in keys", 0},
	};

	(void)state;
	run_changes(changes, sizeof(changes) / sizeof(changes[0]), true);
}

static void test_targets(void **state)
{
#define FIRST "delegations|roles|0|"
	static const struct change changes[] = {
		{R_TARGETS, "_type", "\"root\"", "1.targets.json: _type is", 0},
		{R_TARGETS, "targets", "", "\"targets\" must be an object", 0},
		{R_TARGETS, "delegations", "[]", "\"delegations\" must be an object", 0},
		{R_TARGETS, "delegations|keys", "", "\"keys\" must be an object", 0},
		{R_TARGETS, "delegations|roles", "{}", "\"roles\" must be an array", 0},
		{R_TARGETS, "delegations|succinct_roles", "{}", "succinct_roles are not read", FAULT_TUF_DELEGATION},
		{R_TARGETS, FIRST "name", "7", "\"name\" must be a text", 0},
		{R_TARGETS, FIRST "threshold", "0", "cog: \"threshold\" must be an integer from 1", 0},
		{R_TARGETS, FIRST "terminating", "", "\"terminating\" must be true or false", 0},
		{R_TARGETS, FIRST "paths", "", "either paths or path_hash_prefixes", 0},
		{R_TARGETS, FIRST "paths", "[1]", "a path pattern must be a text", 0},
		{R_TARGETS, FIRST "path_hash_prefixes", "[\"ab\"]", "either paths or path_hash_prefixes", 0},
	};

	(void)state;
	run_changes(changes, sizeof(changes) / sizeof(changes[0]), false);
}

static void test_role_targets(void **state)
{
#define TARGET "targets|cog/datapackage.json"
	static const struct change changes[] = {
		{R_COG, TARGET, "1", "must be objects", 0},
		{R_COG, TARGET "|custom", "\"x\"", "must be objects", 0},
		{R_COG, TARGET "|length", "", "\"length\" must be an integer", 0},
		{R_COG, TARGET "|length", "-1", "\"length\" must be an integer", 0},
		{R_COG, TARGET "|length", "274877906945", "\"length\" must be an integer", 0},
		{R_COG, TARGET "|hashes", "", "\"hashes\" must be an object", 0},
		{R_COG, TARGET "|hashes|sha256", "\"" HEX64 "00\"", "64 lower-case hex", 0},
		{R_COG, "targets", "{\"\": {}}", "a path has 1 to 159 bytes", 0},
		{R_COG, "_type", "\"cog\"", "_type is \"cog\", not \"targets\"", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct repo *repo = repo_new();
		const struct tuf_role *role;

		current = &changes[i];
		repo->change = apply;
		repo_publish(repo);
		run_expect(repo, FAULT_NONE, "");
		role = repo_role(repo, "cog");
		if (role->refusal.fault != FAULT_TUF_FORM || strstr(role->refusal.line, current->line) == NULL)
			fail_msg("E%d %s\n# expected %s", role->refusal.fault, role->refusal.line, current->line);
		assert_true(repo_role(repo, "sirene")->is_trusted);
		repo_free(repo);
	}
}

static void give_unknown_members(struct repo *repo, int role, json_t *signed_)
{
	(void)repo;
	(void)role;
	json_object_set_new(signed_, "x-note", json_pack("{s:[s,n,b]}", "a", "b", 1));
}

static void give_unknown_members_outside(struct repo *repo, int role, json_t *file)
{
	(void)repo;
	(void)role;
	json_object_set_new(file, "x-note", json_string("not signed"));
}

static void test_unknown_members_are_tolerated(void **state)
{
	struct repo *repo = *state;

	repo->change = give_unknown_members;
	repo->change_file = give_unknown_members_outside;
	repo->version[R_ROOT] = 2;
	repo_write_root(repo);
	repo_publish(repo);
	run_expect(repo, FAULT_NONE, "");
	assert_true(repo_role(repo, "cog")->is_trusted);
}

/* --- signatures ----------------------------------------------------------------------------------------------------- */

/* One key under two keyids, with two good signatures, does not make a threshold of 2. */
static void test_one_key_under_two_keyids(void **state)
{
	struct repo *repo = *state;

	repo_add_key(repo, R_TIMESTAMP, 10 + R_TIMESTAMP, "the same key again");
	assert_string_not_equal(repo->keys[R_TIMESTAMP][0].key.keyid, repo->keys[R_TIMESTAMP][1].key.keyid);
	assert_memory_equal(repo->keys[R_TIMESTAMP][0].key.public_key, repo->keys[R_TIMESTAMP][1].key.public_key, 32);
	repo->threshold[R_TIMESTAMP] = 2;
	repo->version[R_ROOT] = 2;
	repo_write_root(repo);
	repo_publish(repo);
	run_expect(repo, FAULT_TUF_SIGNATURE,
		   "timestamp.json: 1 good signatures, the threshold is 2, by the trusted root");
	/* And a second key does. */
	repo_add_key(repo, R_TIMESTAMP, 140, NULL);
	repo->version[R_ROOT] = 3;
	repo_write_root(repo);
	repo_publish(repo);
	run_expect(repo, FAULT_NONE, "");
}

static void test_keyid_twice_in_a_role(void **state)
{
	struct repo *repo = *state;

	repo_add_key(repo, R_TIMESTAMP, 10 + R_TIMESTAMP, NULL);
	repo->n_signers[R_TIMESTAMP] = 1;
	repo->signers[R_TIMESTAMP][0] = &repo->keys[R_TIMESTAMP][0];
	repo->version[R_ROOT] = 2;
	repo_write_root(repo);
	run_expect(repo, FAULT_TUF_FORM, "2.root.json: signed.roles.timestamp: keyid ");
}

static json_t *(*make_signatures)(json_t *signatures);

static void change_signatures(struct repo *repo, int role, json_t *file)
{
	(void)repo;
	if (role == R_TIMESTAMP)
		json_object_set_new(file, "signatures",
				    make_signatures(json_incref(json_object_get(file, "signatures"))));
}

static void run_signatures(json_t *(*make)(json_t *signatures), enum fault fault, const char *line)
{
	struct repo *repo = repo_new();

	make_signatures = make;
	repo->change_file = change_signatures;
	repo_write_timestamp(repo);
	run_expect(repo, fault, line);
	repo_free(repo);
}

static json_t *same_twice(json_t *signatures)
{
	json_array_append(signatures, json_array_get(signatures, 0));
	return signatures;
}

static json_t *upper_case_sig(json_t *signatures)
{
	char sig[129];

	snprintf(sig, sizeof(sig), "%s", json_string_value(json_object_get(json_array_get(signatures, 0), "sig")));
	for (size_t i = 0; sig[i] != '\0'; i++)
		if (sig[i] >= 'a' && sig[i] <= 'f')
			sig[i] = (char)(sig[i] - 'a' + 'A');
	json_object_set_new(json_array_get(signatures, 0), "sig", json_string(sig));
	return signatures;
}

static json_t *short_sig(json_t *signatures)
{
	json_object_set_new(json_array_get(signatures, 0), "sig", json_string(HEX64));
	return signatures;
}

static json_t *others_besides(json_t *signatures)
{
	json_array_insert_new(signatures, 0, json_pack("{s:s, s:s}", "keyid", HEX64, "sig", "of another scheme"));
	return signatures;
}

static json_t *no_text(json_t *signatures)
{
	json_object_set_new(json_array_get(signatures, 0), "sig", json_null());
	return signatures;
}

static json_t *no_keyid(json_t *signatures)
{
	json_object_set_new(json_array_get(signatures, 0), "keyid", json_string("timestamp"));
	return signatures;
}

static json_t *no_array(json_t *signatures)
{
	json_decref(signatures);
	return json_object();
}

static json_t *none(json_t *signatures)
{
	json_decref(signatures);
	return json_array();
}

static json_t *too_many(json_t *signatures)
{
	for (int i = 0; i < LIMIT_SIGNATURES; i++) {
		char keyid[65];

		snprintf(keyid, sizeof(keyid), "%064x", i);
		json_array_append_new(signatures, json_pack("{s:s, s:s}", "keyid", keyid, "sig", ""));
	}
	return signatures;
}

static void test_signatures(void **state)
{
	(void)state;
	run_signatures(same_twice, FAULT_TUF_FORM, "timestamp.json: signatures: keyid ");
	run_signatures(upper_case_sig, FAULT_TUF_SIGNATURE, "0 good signatures");
	run_signatures(short_sig, FAULT_TUF_SIGNATURE, "0 good signatures");
	run_signatures(none, FAULT_TUF_SIGNATURE, "0 good signatures");
	run_signatures(others_besides, FAULT_NONE, "");
	run_signatures(no_text, FAULT_TUF_FORM, "\"sig\" must be a text");
	run_signatures(no_keyid, FAULT_TUF_FORM, "a keyid is not 64 lower-case hex digits");
	run_signatures(no_array, FAULT_TUF_FORM, "\"signatures\" must be an array");
	run_signatures(too_many, FAULT_TUF_FORM, "65 signatures, at most 64 are read");
}

/* --- bytes ---------------------------------------------------------------------------------------------------------- */

static void assert_claim(const char *text, enum fault fault, const char *line)
{
	struct tuf_claim *claim = NULL;
	struct refusal why = {FAULT_NONE, ""};

	assert_int_equal(tuf_claim_parse((const uint8_t *)text, strlen(text), 4096, &claim, &why), fault);
	if (strstr(why.line, line) == NULL)
		fail_msg("%s\n# expected %s", why.line, line);
	assert_true((claim == NULL) == (fault != FAULT_NONE));
	tuf_claim_free(claim);
}

static void test_bytes(void **state)
{
	char deep[256] = "{\"signatures\": [], \"signed\": {\"a\": ", long_text[5000];
	size_t used = strlen(deep);

	(void)state;
	assert_claim("{\"signatures\": [], \"signed\": {\"a\": 1}}\n", FAULT_NONE, "");
	assert_claim("", FAULT_TUF_FORM, "");
	assert_claim("[]", FAULT_TUF_FORM, "");
	assert_claim("{\"signatures\": [], \"signed\": {\"a\": 1}} x", FAULT_TUF_FORM, "");
	assert_claim("{\"signatures\": [], \"signed\": {\"a\": 1, \"a\": 1}}", FAULT_TUF_FORM, "");
	assert_claim("{\"signatures\": [], \"signed\": {}, \"signed\": {}}", FAULT_TUF_FORM, "");
	assert_claim("{\"signatures\": [], \"signed\": {\"a\": \"\xc0\xaf\"}}", FAULT_TUF_FORM, "");
	assert_claim("{\"signatures\": [], \"signed\": {\"a\": \"\\ud800\"}}", FAULT_TUF_FORM, "");
	assert_claim("\xef\xbb\xbf{\"signatures\": [], \"signed\": {}}", FAULT_TUF_FORM, "");
	assert_claim("{\"signatures\": [], \"signed\": {\"a\": 1.0}}", FAULT_TUF_FORM, "fraction");
	assert_claim("{\"signatures\": [], \"signed\": {\"a\": 99999999999999999999}}", FAULT_TUF_FORM, "");
	assert_claim("{\"signatures\": []}", FAULT_TUF_FORM, "\"signed\" must be an object");
	assert_claim("{\"signed\": {}}", FAULT_TUF_FORM, "\"signatures\" must be an array");
	for (int i = 0; i < LIMIT_JSON_DEPTH; i++)
		deep[used++] = '[';
	for (int i = 0; i < LIMIT_JSON_DEPTH; i++)
		deep[used++] = ']';
	snprintf(deep + used, sizeof(deep) - used, "}}");
	assert_claim(deep, FAULT_TUF_FORM, "");
	memset(long_text, ' ', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	assert_claim(long_text, FAULT_TUF_FORM, "4999 bytes, at most 4096 are read");
}

/* Every file of tests/evil/keys: refused, and the neighbour without the one evil thing is not (test_bytes). */
static void test_evil_files(void **state)
{
	_cleanup_closedir_ DIR *dir = opendir("tests/evil/keys");
	size_t n = 0;

	(void)state;
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		_cleanup_free_ uint8_t *data = NULL;
		struct tuf_claim *claim = NULL;
		struct refusal why;
		size_t size;

		if (strstr(entry->d_name, ".json") == NULL)
			continue;
		assert_int_equal(fd_load_file(dirfd(dir), entry->d_name, LIMIT_ROLE_SIZE, &data, &size), 0);
		if (tuf_claim_parse(data, size, LIMIT_ROLE_SIZE, &claim, &why) != FAULT_TUF_FORM)
			fail_msg("%s passes", entry->d_name);
		n++;
	}
	assert_in_range(n, 16, 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),       cmocka_unit_test(test_meta),
		cmocka_unit_test(test_root),         cmocka_unit_test(test_targets),
		cmocka_unit_test(test_role_targets), TEST(test_unknown_members_are_tolerated),
		TEST(test_one_key_under_two_keyids), TEST(test_keyid_twice_in_a_role),
		cmocka_unit_test(test_signatures),   cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_evil_files),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	hash_init();
	json_init();
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
