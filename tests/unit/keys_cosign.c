/* SPDX-License-Identifier: ISC
 *
 * keys_cosign: what a second person is shown is what they sign; a request that hides or confuses anything is not signed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/hash.h"
#include "bundle/json.h"
#include "keys/canonical.h"
#include "keys/cosign.h"

#define SEEDS "tests/fuzz/corpus/keys_cosign/"

static json_t *load(const char *name)
{
	_cleanup_free_ char *path = xasprintf(SEEDS "%s", name);
	json_t *object = json_load_file(path, 0, NULL);

	assert_non_null(object);
	return object;
}

/* OBJECT is stolen. */
static enum fault parse(json_t *object, struct cosign_request *request, struct refusal *why)
{
	_cleanup_free_ char *text = json_dumps(object, 0);

	memset(request, 0, sizeof(*request));
	json_decref(object);
	return cosign_request_parse(text, strlen(text), "request", request, why);
}

static char *said(const struct cosign_request *request, const struct tuf_key *key)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	cosign_request_say(file, request, key, 0);
	fclose(file);
	return text;
}

static void assert_said(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void test_shown(void **state)
{
	_cleanup_(secret_key_freep) struct secret_key *key = secret_key_generate();
	_cleanup_free_ char *text = NULL;
	struct cosign_request request;
	struct refusal why;

	(void)state;
	if (parse(load("whole"), &request, &why) != FAULT_NONE)
		fail_msg("%s", why.line);
	text = said(&request, secret_key_public(key));
	assert_said(text, "Dataset villes, version 3 of its metadata, valid until 2026-12-01");
	assert_said(text, "\"Villes\"");
	assert_said(text, "villes.csv: 26 B, 2 rows\n    as stored    sha256:2222222222");
	assert_said(text, "as published sha256:22");
	assert_said(text, "against version 2, which this key did NOT sign: that it is in force is the outside's word:");
	assert_said(text, "villes.csv: other bytes, 26 B before, now 26 B; 1 rows before, now 2 (+1)");
	cosign_request_clear(&request);
}

/* A patch says so, and against what; one whose base is out of form is no request. */
static void test_patch(void **state)
{
	_cleanup_(json_decrefp) json_t *whole = load("whole");
	_cleanup_free_ char *text = NULL;
	char old[SHA256_HEX_SIZE], other[SHA256_HEX_SIZE], line[300];
	json_t *targets = json_object_get(json_object_get(whole, "signed"), "targets"), *custom;
	struct cosign_request request;
	struct refusal why;

	(void)state;
	memset(other, 'b', 64);
	other[64] = '\0';
	for (int is_last = 0; is_last <= 1; is_last++) {
		_cleanup_(json_decrefp) json_t *replaced = NULL;
		const char *base = other;

		if (is_last) {
			replaced = json_loads(json_string_value(json_object_get(whole, "replaces")), 0, NULL);
			snprintf(old, sizeof(old), "%s",
				 json_string_value(json_object_get(
					 json_object_get(
						 json_object_get(json_object_get(json_object_get(replaced, "signed"),
										 "targets"),
								 "villes/villes.csv"),
						 "hashes"),
					 "sha256")));
			base = old;
		}
		custom = json_pack("{s:s, s:[{s:s, s:{s:s, s:i, s:[{s:s, s:i}]}, s:[{s:s, s:i}]}]}", "format",
				   "clapet target 2", "encodings", "type", "patch", "base", "sha256", base, "length",
				   9000, "parts", "sha256", other, "length", 4000, "parts", "sha256", other, "length",
				   320);
		json_object_set_new(json_object_get(targets, "villes/villes.csv"), "custom", custom);
		if (parse(json_deep_copy(whole), &request, &why) != FAULT_NONE)
			fail_msg("%s", why.line);
		text = said(&request, NULL);
		snprintf(line, sizeof(line), "\n    travels as a patch of 320 B against sha256:%s (4.0 KB), %s\n", base,
			 is_last ? "which is the file that it replaces" : "an older version of it");
		assert_said(text, line);
		free(text);
		text = NULL;
		cosign_request_clear(&request);
	}
	json_object_set_new(json_object_get(json_array_get(json_object_get(custom, "encodings"), 0), "base"), "more",
			    json_true());
	assert_int_equal(parse(json_incref(whole), &request, &why), FAULT_COSIGN_FORM);
}

static void test_new_and_ended(void **state)
{
	_cleanup_free_ char *text = NULL, *bare = NULL, *end = NULL;
	struct cosign_request request;
	struct refusal why;

	(void)state;
	assert_int_equal(parse(load("new"), &request, &why), FAULT_NONE);
	text = said(&request, NULL);
	assert_said(text, "the dataset is new");
	cosign_request_clear(&request);
	assert_int_equal(parse(load("bare"), &request, &why), FAULT_NONE);
	bare = said(&request, NULL);
	assert_said(bare, "rows and sources cannot be shown");
	cosign_request_clear(&request);
	assert_int_equal(parse(load("end"), &request, &why), FAULT_NONE);
	end = said(&request, NULL);
	assert_said(end, "THE DATASET ENDS: merged");
	assert_said(end, "villes.csv: left out");
	cosign_request_clear(&request);
}

/* The signature verifies over the digest that was shown, and over what the repository will have. */
static void test_signed(void **state)
{
	_cleanup_(secret_key_freep) struct secret_key *key = secret_key_generate();
	_cleanup_(json_decrefp) json_t *signature = NULL;
	_cleanup_(json_decrefp) json_t *whole = load("whole");
	_cleanup_free_ uint8_t *canonical = NULL;
	_cleanup_free_ char *text = NULL;
	struct cosign_request request;
	uint8_t bytes[TUF_SIGNATURE_SIZE];
	char digest[SHA256_HEX_SIZE];
	struct sha256 sha256;
	struct refusal why;
	size_t size;

	(void)state;
	assert_int_equal(parse(json_incref(whole), &request, &why), FAULT_NONE);
	assert_int_equal(cosign_request_sign(&request, key, &text, &why), FAULT_NONE);
	signature = json_loads(text, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(signature, "format")), "clapet signature 1");
	assert_string_equal(json_string_value(json_object_get(signature, "role")), "villes");
	assert_int_equal(json_integer_value(json_object_get(signature, "version")), 3);
	assert_int_equal(canonical_encode(json_object_get(whole, "signed"), &canonical, &size, &why), FAULT_NONE);
	hash_bytes(canonical, size, &sha256);
	sha256_to_hex(&sha256, digest);
	assert_string_equal(json_string_value(json_object_get(signature, "digest")), digest);
	assert_true(notation_unhex(json_string_value(json_object_get(signature, "sig")), bytes, sizeof(bytes)));
	assert_true(tuf_key_verify(secret_key_public(key), canonical, size, bytes));
	cosign_request_clear(&request);
}

/* Whether what is replaced was signed by the same person is told by their key, not by the outside. */
static void test_replaces_what_the_key_signed(void **state)
{
	_cleanup_(secret_key_freep) struct secret_key *key = secret_key_generate();
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_free_ char *text = NULL;
	json_t *whole = load("whole");
	const char *replaces = json_string_value(json_object_get(whole, "replaces"));
	struct cosign_request request;
	struct document document;
	struct refusal why;
	size_t size;
	bool changed;

	(void)state;
	assert_int_equal(document_parse("old", "targets", (const uint8_t *)replaces, strlen(replaces), LIMIT_ROLE_SIZE,
					&document, &why),
			 FAULT_NONE);
	assert_int_equal(document_sign(&document, key, &changed, &why), FAULT_NONE);
	assert_int_equal(document_encode(&document, &data, &size, &why), FAULT_NONE);
	document_clear(&document);
	json_object_set_new(whole, "replaces", json_stringn((char *)data, size));
	assert_int_equal(parse(whole, &request, &why), FAULT_NONE);
	text = said(&request, secret_key_public(key));
	assert_said(text, "against version 2, which this key signed:");
	cosign_request_clear(&request);
}

static void assert_refused(json_t *object, const char *part)
{
	struct cosign_request request;
	struct refusal why = {.fault = FAULT_NONE};

	assert_int_equal(parse(object, &request, &why), FAULT_COSIGN_FORM);
	if (strstr(why.line, part) == NULL)
		fail_msg("\"%s\" is not in: %s", part, why.line);
}

static json_t *signed_of(json_t *object)
{
	return json_object_get(object, "signed");
}

static json_t *target_of(json_t *object)
{
	return json_object_get(json_object_get(signed_of(object), "targets"), "villes/villes.csv");
}

static void test_what_is_signed_hides_nothing(void **state)
{
	json_t *object;

	(void)state;
	assert_refused(load("delegates"), "delegations");
	object = load("whole");
	json_object_set_new(signed_of(object), "more", json_true());
	assert_refused(object, "more");
	object = load("whole");
	json_object_set_new(signed_of(object), "_type", json_string("root"));
	assert_refused(object, "_type");
	object = load("whole");
	json_object_set_new(signed_of(object), "version", json_integer(2));
	assert_refused(object, "does not follow");
	object = load("whole");
	json_object_set_new(signed_of(object), "targets", json_object());
	assert_refused(object, "0 targets");
	object = load("whole");
	json_object_set_new(target_of(object), "more", json_true());
	assert_refused(object, "more");
	object = load("whole");
	json_object_set_new(json_object_get(target_of(object), "hashes"), "sha512", json_string("00"));
	assert_refused(object, "sha512");
	object = load("whole");
	json_object_set_new(json_object_get(target_of(object), "custom"), "more", json_true());
	assert_refused(object, "more");
	object = load("whole");
	json_object_set(json_object_get(signed_of(object), "targets"), "rues/villes.csv", target_of(object));
	assert_refused(object, "no file of villes");
	object = load("whole");
	json_object_set(json_object_get(signed_of(object), "targets"), "villes/../x", target_of(object));
	assert_refused(object, "no file of villes");
}

static void test_what_is_said_is_bound(void **state)
{
	json_t *object;

	(void)state;
	object = load("whole");
	json_object_set_new(object, "package", json_string("{}"));
	assert_refused(object, "package: not the description");
	object = load("whole");
	json_object_set(object, "replacesPackage", json_object_get(object, "package"));
	assert_refused(object, "replacesPackage: not the description");
	object = load("whole");
	json_object_set_new(object, "replaces", json_string("{}"));
	assert_refused(object, "replaces");
	object = load("whole");
	json_object_set_new(object, "replaces", json_null());
	assert_refused(object, "replacesPackage");
	object = load("whole");
	json_object_set_new(object, "dataset", json_string("targets"));
	assert_refused(object, "no dataset");
	object = load("whole");
	json_object_set_new(object, "note", json_string("trust me"));
	assert_refused(object, "note");
	object = load("whole");
	json_object_set_new(object, "format", json_string("clapet cosign request 2"));
	assert_refused(object, "this reads 1");
	object = load("whole");
	json_object_del(object, "package");
	assert_refused(object, "package");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_patch),
		cmocka_unit_test(test_new_and_ended),
		cmocka_unit_test(test_signed),
		cmocka_unit_test(test_replaces_what_the_key_signed),
		cmocka_unit_test(test_what_is_signed_hides_nothing),
		cmocka_unit_test(test_what_is_said_is_bound),
	};

	secret_init();
	hash_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("tests", tests, NULL, NULL);
}
