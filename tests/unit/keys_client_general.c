/* SPDX-License-Identifier: ISC
 *
 * The general client's refresh: repositories of others, with and without consistent snapshots, hashes of both kinds, keys of
 * any scheme, and where it is stricter than the appliance, which waits and serves on.
 */
#include "keys/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/tufgraph.h"

static int setup(void **state)
{
	*state = graph_new();
	return 0;
}

static int teardown(void **state)
{
	graph_free(*state);
	return 0;
}

static void refresh_expect(struct graph *graph, enum fault fault, const char *line)
{
	struct refusal why = graph_refresh(graph);

	if (why.fault != fault || strstr(why.line, line) == NULL)
		fail_msg("E%d %s\n# expected E%d %s", why.fault, why.line, fault, line);
}

static void refresh_good(struct graph *graph)
{
	refresh_expect(graph, FAULT_NONE, "");
}

static void expires_at(struct graph *graph, const char *role, int64_t when)
{
	char text[NOTATION_TIME_SIZE];

	notation_format_time(when, text);
	json_object_set_new(graph_signed(graph, role), "expires", json_string(text));
}

static struct tuf_summary summary(const struct graph *graph)
{
	struct tuf_summary found;

	tuf_client_summary(graph->client, &found);
	return found;
}

/* --- names ----------------------------------------------------------------------------------------------------------
 */

static void test_consistent(void **state)
{
	struct graph *graph = *state;

	graph_publish(graph);
	refresh_good(graph);
	assert_string_equal(graph->fetched, "2.root.json timestamp.json 1.snapshot.json 1.targets.json");
	assert_true(summary(graph).is_consistent);
	/* The same again: two questions, and nothing else. */
	refresh_good(graph);
	assert_string_equal(graph->fetched, "2.root.json timestamp.json");
}

static void test_not_consistent(void **state)
{
	struct graph *graph = *state;
	struct tuf_target target;
	char name[64];

	json_object_set_new(graph_signed(graph, "root"), "consistent_snapshot", json_false());
	graph_child(graph, "targets", "a", "*");
	graph_target(graph, "a", "x", "of a");
	graph_publish(graph);
	refresh_good(graph);
	assert_string_equal(graph->fetched, "2.root.json timestamp.json snapshot.json targets.json");
	assert_false(summary(graph).is_consistent);
	assert_int_equal(graph_find(graph, "x", &target, NULL).fault, FAULT_NONE);
	assert_string_equal(graph->fetched, "a.json");
	assert_true(tuf_target_file_name(&target, false, name, sizeof(name)));
	assert_string_equal(name, "x");
	/* What stands under the name may be newer than what is named: that is not it. */
	graph_bump(graph, "a");
	graph_rewrite(graph, "a");
	files_remove(&graph->trust, "a.json");
	refresh_good(graph);
	assert_int_equal(graph_find(graph, "x", &target, NULL).fault, FAULT_TUF_HASH);
}

static void test_root_forms(void **state)
{
	struct graph *graph = *state;

	json_object_del(graph_signed(graph, "root"), "consistent_snapshot"); /* optional; not there is false */
	graph_publish(graph);
	refresh_good(graph);
	assert_false(summary(graph).is_consistent);
	json_object_set_new(graph_signed(graph, "root"), "consistent_snapshot", json_string("yes"));
	graph_bump(graph, "root");
	graph_rewrite(graph, "root");
	refresh_expect(graph, FAULT_TUF_FORM, "2.root.json: consistent_snapshot must be true or false");
}

/* Old repositories list root.json in the snapshot; nobody asks for it. */
static void test_root_in_snapshot(void **state)
{
	struct graph *graph = *state;

	json_object_set_new(graph_names(graph, "snapshot"), "root.json", json_pack("{s:i}", "version", 1));
	graph_publish(graph);
	refresh_good(graph);
	json_object_set_new(graph_names(graph, "snapshot"), "timestamp.json", json_pack("{s:i}", "version", 1));
	graph_publish_next(graph, NULL);
	refresh_expect(graph, FAULT_TUF_FORM, "\"timestamp.json\" may not be there");
}

/* --- hashes ---------------------------------------------------------------------------------------------------------
 */

static void test_hashes_of_both_kinds(void **state)
{
	(void)state;
	for (int kinds = 1; kinds < 4; kinds++) {
		struct graph *graph = graph_new();

		graph->has_sha256 = (kinds & 1) != 0;
		graph->has_sha512 = (kinds & 2) != 0;
		graph_publish(graph);
		refresh_good(graph);
		graph_free(graph);
	}
}

/* ROLE's hash of that ALGORITHM is changed where it is named; the other one stays right. */
static void wrong_hash(const char *role, const char *algorithm, const char *line)
{
	struct graph *graph = graph_new();
	bool is_snapshot = strcmp(role, "snapshot") == 0;
	char name[32], *text;
	json_t *hashes;

	graph->has_sha256 = graph->has_sha512 = true;
	graph_publish(graph);
	snprintf(name, sizeof(name), "%s.json", role);
	hashes = json_object_get(json_object_get(graph_names(graph, is_snapshot ? "timestamp" : "snapshot"), name),
				 "hashes");
	text = strdup(json_string_value(json_object_get(hashes, algorithm)));
	text[17] = text[17] == '0' ? '1' : '0';
	json_object_set_new(hashes, algorithm, json_string(text));
	free(text);
	if (!is_snapshot)
		graph_write(graph, graph_role(graph, "snapshot"), graph_names(graph, "timestamp"));
	graph_rewrite(graph, "timestamp");
	refresh_expect(graph, FAULT_TUF_HASH, line);
	graph_free(graph);
}

static void test_one_of_two_hashes_is_wrong(void **state)
{
	(void)state;
	wrong_hash("snapshot", "sha256", "1.snapshot.json: SHA-256 ");
	wrong_hash("snapshot", "sha512", "1.snapshot.json: SHA-512 ");
	wrong_hash("targets", "sha256", "1.targets.json: SHA-256 ");
	wrong_hash("targets", "sha512", "1.targets.json: SHA-512 ");
}

static void test_hash_algorithms_of_a_target(void **state)
{
	static const struct {
		const char *hashes;
		enum fault fault;
		const char *line;
	} cases[] = {
		{"{\"sha256\": \"%s\"}", FAULT_NONE, ""},
		{"{\"sha512\": \"%s%s\"}", FAULT_NONE, ""},
		/* One more that we do not know is as any unknown member: what is checked already decides. */
		{"{\"sha256\": \"%s\", \"blake2b-256\": \"00\"}", FAULT_NONE, ""},
		{"{\"blake2b-256\": \"%s\"}", FAULT_TUF_FORM, "\"hashes\" has neither sha256 nor sha512"},
		{"{}", FAULT_TUF_FORM, "\"hashes\" has neither"},
		{"{\"sha256\": \"%.60s\"}", FAULT_TUF_FORM, "\"sha256\" is not 64 lower-case"},
		{"{\"sha256\": \"%s\", \"sha512\": \"ab\"}", FAULT_TUF_FORM, "\"sha512\" is not 128 lower-case"},
		{"{\"sha256\": \"%s\", \"sha512\": 7}", FAULT_TUF_FORM, "\"sha512\" must be a text"},
		{"{\"SHA256\": \"%s\"}", FAULT_TUF_FORM, "\"hashes\" has neither"},
		/* Zero is a hash like any other, and wrong. */
		{"{\"sha256\": \"0000000000000000000000000000000000000000000000000000000000000000\"}", FAULT_NONE, ""},
	};
	static const char hex[] = "aadf327c8267c09d6fffd87a1a80ad3c798469ff332b7a57b9e8c045d46b2af7";

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct graph *graph = graph_new();
		char text[400];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(text, sizeof(text), cases[i].hashes, hex, hex);
#pragma GCC diagnostic pop
		json_object_set_new(graph_target(graph, "targets", "x", "bytes"), "hashes", json_loads(text, 0, NULL));
		graph_publish(graph);
		refresh_expect(graph, cases[i].fault, cases[i].line);
		graph_free(graph);
	}
}

static void test_target_check(void **state)
{
	struct graph *graph = *state;
	const uint8_t good[] = "the bytes", bad[] = "the bites";
	struct tuf_target target;
	struct refusal why;
	uint8_t sha512[crypto_hash_sha512_BYTES];
	char hex[SHA512_HEX_SIZE];

	crypto_hash_sha512(sha512, good, 9);
	notation_hex(sha512, sizeof(sha512), hex);
	json_object_set_new(json_object_get(graph_target(graph, "targets", "x", "the bytes"), "hashes"), "sha512",
			    json_string(hex));
	graph_publish(graph);
	refresh_good(graph);
	assert_int_equal(graph_find(graph, "x", &target, NULL).fault, FAULT_NONE);
	assert_int_equal(target.hashes, TUF_HASH_SHA256 | TUF_HASH_SHA512);
	assert_int_equal(tuf_target_check(&target, good, 9, &why), FAULT_NONE);
	assert_int_equal(tuf_target_check(&target, good, 8, &why), FAULT_TUF_HASH);
	assert_string_equal(why.line, "8 bytes, 9 are named (TUF 1.0.34, 5.7.3)");
	assert_int_equal(tuf_target_check(&target, good, 10, &why), FAULT_TUF_HASH);
	assert_int_equal(tuf_target_check(&target, bad, 9, &why), FAULT_TUF_HASH);
	target.sha512.bytes[63] ^= 1;
	assert_int_equal(tuf_target_check(&target, good, 9, &why), FAULT_TUF_HASH);
	assert_memory_equal(why.line, "SHA-512 ", 8);
}

/* --- keys -----------------------------------------------------------------------------------------------------------
 */

static json_t *root_role(struct graph *graph, const char *role)
{
	return json_object_get(json_object_get(graph_signed(graph, "root"), "roles"), role);
}

/* A key of a scheme that nobody here knows: it is listed, and does not count. */
static void test_key_of_unknown_scheme(void **state)
{
	static const char keyid[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	struct graph *graph = *state;

	json_object_set_new(
		json_object_get(graph_signed(graph, "root"), "keys"), keyid,
		json_pack("{s:s, s:s, s:{s:s}}", "keytype", "future", "scheme", "future-1", "keyval", "public", "?"));
	json_array_append_new(json_object_get(root_role(graph, "timestamp"), "keyids"), json_string(keyid));
	graph_publish(graph);
	refresh_good(graph);
	json_object_set_new(root_role(graph, "timestamp"), "threshold", json_integer(2));
	graph_bump(graph, "root");
	graph_publish_next(graph, NULL);
	refresh_expect(graph, FAULT_TUF_SIGNATURE, "timestamp.json: 1 good signatures, the threshold is 2");
}

/* Of the same key under two names, one signature counts; so do both. */
static void test_one_key_under_two_keyids(void **state)
{
	static const char other[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	struct graph *graph = *state;
	json_t *keys = json_object_get(graph_signed(graph, "root"), "keys");
	json_t *keyids = json_object_get(root_role(graph, "timestamp"), "keyids"), *file, *signature;
	const struct file *published;
	char *text;

	/* In general the keyid only names the key: the hash of it is not asked for. */
	json_object_set(keys, other, json_object_get(keys, json_string_value(json_array_get(keyids, 0))));
	json_array_append_new(keyids, json_string(other));
	json_object_set_new(root_role(graph, "timestamp"), "threshold", json_integer(2));
	graph_publish(graph);
	published = files_find(&graph->out, "timestamp.json");
	file = json_loadb((const char *)published->data, published->size, 0, NULL);
	signature = json_deep_copy(json_array_get(json_object_get(file, "signatures"), 0));
	json_object_set_new(signature, "keyid", json_string(other));
	json_array_append_new(json_object_get(file, "signatures"), signature);
	text = json_dumps(file, 0);
	files_put(&graph->out, "timestamp.json", text, strlen(text));
	free(text);
	json_decref(file);
	refresh_expect(graph, FAULT_TUF_SIGNATURE, "timestamp.json: 1 good signatures, the threshold is 2");
}

/* --- time -----------------------------------------------------------------------------------------------------------
 */

/* A freeze: whoever keeps the new files away must not make a client go on with the old ones. */
static void test_frozen(void **state)
{
	static const char *const roles[] = {"timestamp", "snapshot", "targets"};

	(void)state;
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		struct graph *graph = graph_new();

		expires_at(graph, roles[i], NOW + 2 * DAY);
		graph_publish(graph);
		refresh_good(graph);
		graph->now = NOW + 2 * DAY;
		refresh_expect(graph, FAULT_TUF_EXPIRED, roles[i]);
		assert_string_equal(graph->fetched, "2.root.json timestamp.json");
		graph->now--;
		refresh_good(graph);
		graph_free(graph);
	}
}

static void test_expired_root_ends_all(void **state)
{
	struct graph *graph = *state;

	expires_at(graph, "root", NOW - 1);
	graph_publish(graph);
	refresh_expect(graph, FAULT_TUF_EXPIRED, "1.root.json: expired");
	assert_string_equal(graph->fetched, "2.root.json");
}

static void test_validity_by_kind(void **state)
{
	static const char *const roles[] = {"timestamp", "snapshot", "targets"};

	(void)state;
	for (enum tuf_kind kind = TUF_KIND_TIMESTAMP; kind <= TUF_KIND_TARGETS; kind++) {
		struct graph *graph = graph_new();
		char line[200];

		graph->profile.max_validity[kind] = 29 * DAY;
		graph_publish(graph);
		snprintf(line, sizeof(line),
			 "%s.json: expires 2026-12-22T00:00:00Z, more than 29 days ahead, which the configuration's "
			 "\"maxValidity\" allows for %s",
			 roles[kind - 1], roles[kind - 1]);
		refresh_expect(graph, FAULT_TUF_VALIDITY, line);
		graph->profile.max_validity[kind] = 30 * DAY;
		refresh_good(graph);
		graph_free(graph);
	}
}

static void test_validity_of_root_and_roles(void **state)
{
	struct graph *graph = *state;
	struct tuf_target target;

	graph->profile.max_validity[TUF_KIND_ROOT] = 29 * DAY;
	graph->profile.max_validity[TUF_KIND_DELEGATED] = 29 * DAY;
	graph_child(graph, "targets", "a", "*");
	graph_publish(graph);
	/* The anchor is a person's. */
	refresh_good(graph);
	assert_int_equal(graph_find(graph, "x", &target, NULL).fault, FAULT_TUF_VALIDITY);
	graph_bump(graph, "root");
	graph_rewrite(graph, "root");
	refresh_expect(graph, FAULT_TUF_VALIDITY, "2.root.json: expires");
	assert_null(files_find(&graph->trust, "root.json"));
}

/* --- forwards only --------------------------------------------------------------------------------------------------
 */

static void test_same_timestamp_with_other_bytes(void **state)
{
	struct graph *graph = *state;

	graph_publish(graph);
	refresh_good(graph);
	/* Discarded, whatever it names (5.4.3.1). */
	json_object_set_new(json_object_get(graph_names(graph, "timestamp"), "snapshot.json"), "version",
			    json_integer(100));
	graph_rewrite(graph, "timestamp");
	refresh_good(graph);
	assert_int_equal(summary(graph).snapshot_version, 1);
	assert_string_equal(graph->fetched, "2.root.json timestamp.json");
}

static void test_older_timestamp_ends_all(void **state)
{
	struct graph *graph = *state;
	struct files old = {.n = 0};

	graph_publish(graph);
	files_copy(&old, &graph->out);
	graph_publish_next(graph, "targets");
	refresh_good(graph);
	files_copy(&graph->out, &old);
	refresh_expect(graph, FAULT_TUF_SUPERSEDED, "timestamp.json: version 1, 2 is trusted");
	assert_string_equal(graph->fetched, "2.root.json timestamp.json");
	files_remove(&graph->out, "timestamp.json");
	refresh_expect(graph, FAULT_TUF_ABSENT, "timestamp.json");
	files_clear(&old);
}

/* A timestamp may give no hash, and a later one give it: what was trusted meanwhile must be that file. */
static void test_hash_named_later(void **state)
{
	struct graph *graph = *state;

	graph_publish(graph);
	refresh_good(graph);
	graph->has_sha256 = true;
	expires_at(graph, "snapshot", NOW + 20 * DAY); /* the same version, another file */
	graph_bump(graph, "timestamp");
	graph_write(graph, graph_role(graph, "snapshot"), graph_names(graph, "timestamp"));
	graph_rewrite(graph, "timestamp");
	refresh_good(graph);
	assert_string_equal(graph->fetched, "2.root.json timestamp.json 1.snapshot.json");
	assert_int_equal(summary(graph).snapshot_expires, NOW + 20 * DAY);
	/* Where that file does not come, the old one does not do; a timestamp that names it rightly makes it good. */
	json_object_set_new(
		json_object_get(json_object_get(graph_names(graph, "timestamp"), "snapshot.json"), "hashes"), "sha512",
		json_string("0000000000000000000000000000000000000000000000000000000000000000"
			    "0000000000000000000000000000000000000000000000000000000000000000"));
	graph_bump(graph, "timestamp");
	graph_rewrite(graph, "timestamp");
	refresh_expect(graph, FAULT_TUF_HASH, "1.snapshot.json: SHA-512 ");
	refresh_expect(graph, FAULT_TUF_HASH, "1.snapshot.json: SHA-512 ");
	graph_bump(graph, "timestamp");
	graph_write(graph, graph_role(graph, "snapshot"), graph_names(graph, "timestamp"));
	graph_rewrite(graph, "timestamp");
	refresh_good(graph);
}

static void test_rotation_is_told(void **state)
{
	struct graph *graph = *state;
	json_t *keyids = json_array();

	graph_publish(graph);
	refresh_good(graph);
	assert_false(summary(graph).is_rotated);
	graph_set_key(json_object_get(graph_signed(graph, "root"), "keys"), keyids, 99);
	json_object_set_new(root_role(graph, "timestamp"), "keyids", keyids);
	graph_role(graph, "timestamp")->signers[0] = 99;
	graph_bump(graph, "root");
	graph_publish(graph); /* timestamp 1 again, of another key: the old one is forgotten */
	refresh_good(graph);
	assert_true(summary(graph).is_rotated);
	assert_string_equal(graph->fetched, "2.root.json 3.root.json timestamp.json 1.snapshot.json");
	refresh_good(graph);
	assert_false(summary(graph).is_rotated);
}

/* --- delegations ----------------------------------------------------------------------------------------------------
 */

static void test_delegation_forms(void **state)
{
	static const struct {
		const char *delegations, *line;
	} cases[] = {
		{"{\"keys\": {}, \"roles\": [], \"succinct_roles\": {}}", "either roles or succinct_roles"},
		{"{\"keys\": {}}", "\"roles\" must be an array"},
		{"{\"keys\": {}, \"succinct_roles\": 1}", "\"bit_length\" must be an integer"},
		{"{\"keys\": {}, \"succinct_roles\": {\"bit_length\": 0}}", "\"bit_length\" must be an integer from 1"},
		{"{\"keys\": {}, \"succinct_roles\": {\"bit_length\": 33}}", "to 32"},
		{"{\"keys\": {}, \"succinct_roles\": {\"bit_length\": 8}}", "\"name_prefix\" must be a text"},
		{"{\"keys\": {}, \"succinct_roles\": {\"bit_length\": 8, \"name_prefix\": \"a\"}}",
		 "\"keyids\" must be an array"},
		{"{\"keys\": {}, \"succinct_roles\": {\"bit_length\": 8, \"name_prefix\": \"a\", \"keyids\": [], "
		 "\"threshold\": 0}}",
		 "\"threshold\" must be an integer from 1"},
		{"{\"keys\": {}, \"succinct_roles\": {\"bit_length\": 8, \"name_prefix\": "
		 "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}}",
		 "\"name_prefix\" has more than 71 bytes"},
		{"{\"keys\": {}, \"roles\": [{\"name\": \"a\", \"terminating\": false, \"path_hash_prefixes\": "
		 "[\"\"]}]}",
		 "a path hash prefix is not 1 to 64"},
		{"{\"keys\": {}, \"roles\": [{\"name\": \"a\", \"terminating\": false, \"path_hash_prefixes\": "
		 "[\"AB\"]}]}",
		 "a path hash prefix is not 1 to 64"},
		{"{\"keys\": {}, \"roles\": [{\"name\": \"a\", \"terminating\": false, \"path_hash_prefixes\": [7]}]}",
		 "must be a text"},
		{"{\"keys\": {}, \"roles\": [{\"name\": \"a\", \"terminating\": false, \"paths\": [], "
		 "\"path_hash_prefixes\": []}]}",
		 "either paths or path_hash_prefixes"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct graph *graph = graph_new();

		json_object_set_new(graph_signed(graph, "targets"), "delegations",
				    json_loads(cases[i].delegations, 0, NULL));
		graph_publish(graph);
		refresh_expect(graph, FAULT_TUF_FORM, cases[i].line);
		graph_free(graph);
	}
}

/* What is read here, the appliance refuses: nothing of it has leaked into the closed profile. */
static void test_closed_profile_refuses(void **state)
{
	struct graph *graph = *state;

	graph->has_sha256 = true;
	graph_child(graph, "targets", "a", "*");
	graph_target(graph, "targets", "x", "of targets");
	graph_publish(graph);
	refresh_good(graph);
	graph->profile.is_general = false;
	files_clear(&graph->trust);
	refresh_expect(graph, FAULT_TUF_DELEGATION, "1.targets.json: names target \"x\" itself");
	json_object_clear(json_object_get(graph_signed(graph, "targets"), "targets"));
	graph_publish(graph);
	files_clear(&graph->trust);
	refresh_good(graph);
	assert_int_equal(tuf_client_role(graph->client, 0)->refusal.fault, FAULT_TUF_DELEGATION);
	json_object_set_new(graph_signed(graph, "root"), "consistent_snapshot", json_false());
	graph_publish(graph);
	files_clear(&graph->trust);
	refresh_expect(graph, FAULT_TUF_FORM, "root.json: consistent_snapshot must be true here");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_consistent),
		TEST(test_not_consistent),
		TEST(test_root_forms),
		TEST(test_root_in_snapshot),
		cmocka_unit_test(test_hashes_of_both_kinds),
		cmocka_unit_test(test_one_of_two_hashes_is_wrong),
		cmocka_unit_test(test_hash_algorithms_of_a_target),
		TEST(test_target_check),
		TEST(test_key_of_unknown_scheme),
		TEST(test_one_key_under_two_keyids),
		cmocka_unit_test(test_frozen),
		TEST(test_expired_root_ends_all),
		cmocka_unit_test(test_validity_by_kind),
		TEST(test_validity_of_root_and_roles),
		TEST(test_same_timestamp_with_other_bytes),
		TEST(test_older_timestamp_ends_all),
		TEST(test_hash_named_later),
		TEST(test_rotation_is_told),
		cmocka_unit_test(test_delegation_forms),
		TEST(test_closed_profile_refuses),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	hash_init();
	json_init();
	tuf_key_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
