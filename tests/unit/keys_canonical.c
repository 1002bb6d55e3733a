/* SPDX-License-Identifier: ISC
 *
 * Canonical JSON and keys: the exact bytes, since a signature hangs on each.
 */
#include "keys/canonical.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "keys/pubkey.h"

static void assert_canonical(const char *json, const char *expected)
{
	json_t *value = json_loads(json, 0, NULL);
	uint8_t *data;
	size_t size;

	assert_non_null(value);
	assert_int_equal(canonical_encode(value, &data, &size, NULL), FAULT_NONE);
	assert_int_equal(size, strlen(expected));
	assert_string_equal((char *)data, expected);
	free(data);
	json_decref(value);
}

static void test_forms(void **state)
{
	(void)state;
	assert_canonical("{}", "{}");
	assert_canonical("[ ]", "[]");
	assert_canonical("{\"b\": 1, \"a\": [true, false, null, -5, 0]}", "{\"a\":[true,false,null,-5,0],\"b\":1}");
	assert_canonical("{\"n\": 9007199254740991}", "{\"n\":9007199254740991}");
	assert_canonical("{\"B\": 1, \"a\": 2, \"\": 3, \"aa\": 4}", "{\"\":3,\"B\":1,\"a\":2,\"aa\":4}");
}

static void test_strings_escape_two_characters_alone(void **state)
{
	(void)state;
	assert_canonical("[\"a\\\"b\\\\c\\/d\"]", "[\"a\\\"b\\\\c/d\"]");
	/* A control character, a line feed and DEL stand as they are; so does all of Unicode. */
	assert_canonical("[\"x\\u0001\\n\\u007fy\"]", "[\"x\001\n\177y\"]");
	assert_canonical("[\"d\\u00e9partement \\ud83d\\ude00\"]", "[\"d\303\251partement \360\237\230\200\"]");
}

static void test_keys_sort_by_code_point(void **state)
{
	(void)state;
	/* U+FFFD before U+1F600: UTF-16 would sort them the other way round. */
	assert_canonical("{\"\\ud83d\\ude00\": 1, \"\\ufffd\": 2, \"z\": 3}",
			 "{\"z\":3,\"\357\277\275\":2,\"\360\237\230\200\":1}");
}

static void assert_refused(json_t *value, const char *word)
{
	uint8_t *data = NULL;
	size_t size;
	struct refusal why = {FAULT_NONE, ""};

	assert_int_equal(canonical_encode(value, &data, &size, &why), FAULT_TUF_FORM);
	assert_non_null(strstr(why.line, word));
	assert_null(data);
	json_decref(value);
}

static void test_refusals(void **state)
{
	json_t *deep = json_object();

	(void)state;
	assert_refused(json_loads("{\"a\": [1.5]}", 0, NULL), "fraction");
	assert_refused(json_loads("{\"a\": 1e2}", 0, NULL), "exponent");
	for (int i = 0; i < LIMIT_JSON_DEPTH; i++)
		deep = json_pack("{s:o}", "a", deep);
	assert_refused(deep, "deeper");
}

/* A key as python-tuf's own test repositories carry it, with a member that the specification does not know any more: a
 * keyid is made of the whole object. */
static const char example_keyid[] = "59a4df8af818e9ed7abe0764c0b47b4240952aa0d179b5b78346c470ac30278d";
static const char example_key[] =
	"{\"keyid_hash_algorithms\": [\"sha256\", \"sha512\"], \"keytype\": \"ed25519\", \"scheme\": \"ed25519\","
	" \"keyval\": {\"public\": \"edcd0a32a07dce33f7c7873aaffbff36d20ea30787574ead335eefd337e4dacd\"}}";
/* The same without it: sha256sum over the one line that canonical JSON is here. */
static const char plain_keyid[] = "2345a90ad8d76f3677f9ad6695b0ba0b5c7b7fbf27fb0ed35fbdf7b71264a679";

static void test_keyid_of_others(void **state)
{
	json_t *object = json_loads(example_key, 0, NULL), *plain;
	struct tuf_key key, same;

	(void)state;
	assert_int_equal(tuf_key_parse(example_keyid, object, &key, NULL), FAULT_NONE);
	assert_string_equal(key.keyid, example_keyid);
	tuf_key_from_public(key.public_key, &same);
	assert_string_equal(same.keyid, plain_keyid);
	plain = tuf_key_to_json(&same);
	assert_int_equal(tuf_key_parse(plain_keyid, plain, &key, NULL), FAULT_NONE);
	json_object_del(object, "keyid_hash_algorithms");
	assert_true(json_equal(plain, object));
	json_decref(plain);
	json_decref(object);
}

static void refuse_key(const char *keyid, const char *member, const char *value, const char *word)
{
	json_t *object = json_loads(example_key, 0, NULL);
	struct refusal why = {FAULT_NONE, ""};
	struct tuf_key key;

	if (member != NULL && strcmp(member, "public") == 0)
		json_object_set_new(json_object_get(object, "keyval"), member, json_string(value));
	else if (member != NULL)
		json_object_set_new(object, member, json_string(value));
	assert_int_equal(tuf_key_parse(keyid, object, &key, &why), FAULT_TUF_FORM);
	if (strstr(why.line, word) == NULL)
		fail_msg("\"%s\" is not in: %s", word, why.line);
	json_decref(object);
}

static void test_key_refusals(void **state)
{
	char upper[sizeof(example_keyid)];

	(void)state;
	memcpy(upper, example_keyid, sizeof(upper));
	upper[2] = 'A';
	refuse_key(upper, NULL, NULL, "lower-case");
	refuse_key("59a4", NULL, NULL, "64");
	refuse_key(example_keyid, "keytype", "rsa", "ed25519 alone");
	refuse_key(example_keyid, "scheme", "ecdsa-sha2-nistp256", "ed25519 alone");
	refuse_key(example_keyid, "public", "edcd", "64 lower-case");
	refuse_key(example_keyid, "public", "EDCD0A32A07DCE33F7C7873AAFFBFF36D20EA30787574EAD335EEFD337E4DACD",
		   "64 lower-case");
	refuse_key(example_keyid, "public", "adcd0a32a07dce33f7c7873aaffbff36d20ea30787574ead335eefd337e4dacd",
		   "computes to");
	/* An unknown member is tolerated, and changes the keyid. */
	refuse_key(example_keyid, "x-note", "mine", "computes to");
}

/* RFC 8032, 7.1, test 2. */
static void test_signature_of_the_rfc(void **state)
{
	static const char public[] = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
	static const char sig[] = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
				  "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
	uint8_t message = 0x72, signature[TUF_SIGNATURE_SIZE];
	struct tuf_key key = {.scheme = TUF_SCHEME_ED25519};

	(void)state;
	assert_true(notation_unhex(public, key.public_key, sizeof(key.public_key)));
	assert_true(notation_unhex(sig, signature, sizeof(signature)));
	assert_true(tuf_key_verify(&key, &message, 1, signature));
	signature[40] ^= 1;
	assert_false(tuf_key_verify(&key, &message, 1, signature));
	signature[40] ^= 1;
	message ^= 1;
	assert_false(tuf_key_verify(&key, &message, 1, signature));
}

/* With a public key of small order one signature would fit many messages. */
static void test_key_of_small_order(void **state)
{
	struct tuf_key key = {.public_key = {1}};
	uint8_t signature[TUF_SIGNATURE_SIZE] = {1};

	(void)state;
	assert_false(tuf_key_verify(&key, (const uint8_t *)"x", 1, signature));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_strings_escape_two_characters_alone),
		cmocka_unit_test(test_keys_sort_by_code_point),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_keyid_of_others),
		cmocka_unit_test(test_key_refusals),
		cmocka_unit_test(test_signature_of_the_rfc),
		cmocka_unit_test(test_key_of_small_order),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	hash_init();
	json_init();
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
