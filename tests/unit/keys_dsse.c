/* SPDX-License-Identifier: ISC
 *
 * DSSE: encodings and signatures against vectors that openssl made (pkeyutl -rawin over the same bytes), thresholds, and what does not
 * count.
 */
#include "keys/dsse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/envelope.h"
#include "bundle/json.h"
#include "bundle/notation.h"

#define TYPE "application/vnd.in-toto+json"
#define BODY "hello world"
/* Seeds of 32 bytes 01 and of 32 bytes 02; signatures over "DSSEv1 28 application/vnd.in-toto+json 11 hello world". */
#define SIGNATURE_1 "YAmPpalORFKlKrxY3tDv3y0sh2ixeZvXzOMHwFgI2/4cOurlfcfnu4CpMfTaSUxk3NdXrSu8Y3/IX1OVGiw7AQ=="
#define SIGNATURE_2 "IwPZcP6L7o+a+wBj07pOu8rif3KpQiRHBDHq2DXhB8RqG1yiRebCCop6qf7GP8CXCzi2ViWE817++b2tjmlOCA=="
/* The first key's over the body alone, without its encoding. */
#define SIGNATURE_BARE "GxG1SIjuYXQ9By82zh/9zeIzs5rOh1TbQc0pmvnYpj9czadQqmMW2lfo8mF4EaIeYSpt621ECIlKifGk7D/ABA=="
#define ENVELOPE(TYPE_, SIGNATURES)                                                                                    \
	"{\"payload\":\"aGVsbG8gd29ybGQ=\",\"payloadType\":\"" TYPE_ "\",\"signatures\":[" SIGNATURES "]}"
#define ONE(SIG) "{\"keyid\":\"\",\"sig\":\"" SIG "\"}"

static struct secret_key *key_of(unsigned seed)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	_cleanup_free_ char *text = NULL;
	static const char *const publics[] = {"8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
					      "8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394"};
	uint8_t bytes[32];
	char hex[65];
	struct secret_key *key = NULL;
	struct refusal why;

	memset(bytes, (int)seed, sizeof(bytes));
	notation_hex(bytes, sizeof(bytes), hex);
	json = json_pack("{s:s, s:{s:s, s:s, s:{s:s}}, s:n, s:s}", "format", "clapet key 1", "public", "keytype",
			 "ed25519", "scheme", "ed25519", "keyval", "public", publics[seed - 1], "encryption", "secret",
			 hex);
	text = json_dumps(json, 0);
	if (secret_key_parse(text, strlen(text), "test", NULL, &key, &why) != FAULT_NONE)
		fail_msg("%s", why.line);
	return key;
}

/* An authority over the two keys, or over the first N of them. */
struct pair {
	struct secret_key *secrets[2];
	struct tuf_key keys[2];
	struct tuf_authority authority;
};

static void pair_make(struct pair *pair, size_t n, unsigned threshold)
{
	for (unsigned i = 0; i < 2; i++) {
		pair->secrets[i] = key_of(i + 1);
		pair->keys[i] = *secret_key_public(pair->secrets[i]);
	}
	pair->authority = (struct tuf_authority){pair->keys, n, threshold};
}

static void pair_clear(struct pair *pair)
{
	for (unsigned i = 0; i < 2; i++)
		secret_key_free(pair->secrets[i]);
}

static enum fault verify(const struct pair *pair, const char *text, struct refusal *why)
{
	_cleanup_free_ uint8_t *payload = NULL;
	size_t size = 0;
	enum fault fault = dsse_verify(text, strlen(text), TYPE, &pair->authority, "the test", &payload, &size, why);

	if (fault == FAULT_NONE) {
		assert_int_equal(size, strlen(BODY));
		assert_string_equal((const char *)payload, BODY);
	} else {
		assert_null(payload);
	}
	return fault;
}

static void test_encoding(void **state)
{
	static const char expected[] = "DSSEv1 29 http://example.com/HelloWorld 11 hello world";
	size_t size, empty_size;
	_cleanup_free_ uint8_t *pae = dsse_pae("http://example.com/HelloWorld", BODY, strlen(BODY), &size),
			       *empty = dsse_pae("", NULL, 0, &empty_size);

	(void)state;
	assert_int_equal(size, strlen(expected));
	assert_memory_equal(pae, expected, size);
	assert_int_equal(empty_size, strlen("DSSEv1 0  0 "));
	assert_memory_equal(empty, "DSSEv1 0  0 ", empty_size);
}

static void test_signs_as_openssl_does(void **state)
{
	_cleanup_(pair_clear) struct pair pair;
	_cleanup_free_ char *text = NULL, *again = NULL, *expected = NULL;
	struct refusal why;

	(void)state;
	pair_make(&pair, 2, 2);
	text = dsse_sign(TYPE, BODY, strlen(BODY), (const struct secret_key *const *)pair.secrets, 2);
	again = dsse_sign(TYPE, BODY, strlen(BODY), (const struct secret_key *const *)pair.secrets, 2);
	expected = xasprintf("{\"payload\":\"aGVsbG8gd29ybGQ=\",\"payloadType\":\"" TYPE "\",\"signatures\":["
			     "{\"keyid\":\"%s\",\"sig\":\"" SIGNATURE_1 "\"},{\"keyid\":\"%s\",\"sig\":\"" SIGNATURE_2
			     "\"}]}\n",
			     pair.keys[0].keyid, pair.keys[1].keyid);
	assert_string_equal(text, expected);
	assert_string_equal(text, again);
	assert_int_equal(verify(&pair, text, &why), FAULT_NONE);
}

static void test_counts_keys(void **state)
{
	_cleanup_(pair_clear) struct pair pair;
	struct refusal why;

	(void)state;
	pair_make(&pair, 2, 1);
	assert_int_equal(verify(&pair, ENVELOPE(TYPE, ONE(SIGNATURE_2)), &why), FAULT_NONE);
	/* What does not hold is skipped, whatever its size; a wrong hint changes nothing. */
	assert_int_equal(verify(&pair,
				ENVELOPE(TYPE, ONE("AAAA") "," ONE(
						       SIGNATURE_BARE) ","
								       "{\"keyid\":\"k\",\"sig\":\"" SIGNATURE_1 "\"}"),
				&why),
			 FAULT_NONE);
	pair.authority.threshold = 2;
	assert_int_equal(verify(&pair, ENVELOPE(TYPE, ONE(SIGNATURE_2) "," ONE(SIGNATURE_1)), &why), FAULT_NONE);
	assert_int_equal(verify(&pair, ENVELOPE(TYPE, ONE(SIGNATURE_1)), &why), FAULT_ENVELOPE_SIGNATURE);
	assert_non_null(strstr(why.line, "1 of the 2 signatures that the test asks for"));
	/* The same key twice is one key, under one name or two. */
	assert_int_equal(verify(&pair, ENVELOPE(TYPE, ONE(SIGNATURE_1) "," ONE(SIGNATURE_1)), &why),
			 FAULT_ENVELOPE_SIGNATURE);
	pair.keys[1] = pair.keys[0];
	pair.keys[1].keyid[0] ^= 1;
	assert_int_equal(verify(&pair, ENVELOPE(TYPE, ONE(SIGNATURE_1)), &why), FAULT_ENVELOPE_SIGNATURE);
	pair.authority.threshold = 0;
	assert_int_equal(verify(&pair, ENVELOPE(TYPE, ONE(SIGNATURE_1)), &why), FAULT_ENVELOPE_SIGNATURE);
}

static void test_refuses(void **state)
{
	_cleanup_(pair_clear) struct pair pair;
	_cleanup_free_ char *good = NULL;
	struct refusal why;
	char *at;

	(void)state;
	pair_make(&pair, 1, 1);
	assert_int_equal(verify(&pair, ENVELOPE(TYPE, ONE(SIGNATURE_2)), &why), FAULT_ENVELOPE_SIGNATURE);
	assert_int_equal(verify(&pair, ENVELOPE(TYPE, ONE(SIGNATURE_BARE)), &why), FAULT_ENVELOPE_SIGNATURE);
	assert_int_equal(verify(&pair, ENVELOPE("text/plain", ONE(SIGNATURE_1)), &why), FAULT_ENVELOPE_FORM);
	assert_non_null(strstr(why.line, "payloadType \"text/plain\""));
	assert_int_equal(verify(&pair, "{}", &why), FAULT_ENVELOPE_FORM);
	/* Another payload under the same signature. */
	good = xstrdup(ENVELOPE(TYPE, ONE(SIGNATURE_1)));
	at = strstr(good, "aGVs");
	at[0] = 'b';
	assert_int_equal(verify(&pair, good, &why), FAULT_ENVELOPE_SIGNATURE);
}

/* No key signs what is neither: not the payload alone, not metadata as an attestation, and not the other way round. */
static void test_dies_of_what_is_no_encoding(void **state)
{
	static const char *const texts[] = {"", "DSSEv1", "{\"_type\":\"targets\"}", "hello", "DSSEv2 0  0 "};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts) + 1; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			_cleanup_(secret_key_freep) struct secret_key *key = key_of(1);
			uint8_t signature[TUF_SIGNATURE_SIZE];

			if (freopen("/dev/null", "w", stderr) == NULL)
				_exit(9);
			if (i == ARRAY_SIZE(texts))
				secret_key_sign(key, (const uint8_t *)"DSSEv1 0  0 ", 12, signature);
			else
				secret_key_sign_dsse(key, (const uint8_t *)texts[i], strlen(texts[i]), signature);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encoding),
		cmocka_unit_test(test_signs_as_openssl_does),
		cmocka_unit_test(test_counts_keys),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_dies_of_what_is_no_encoding),
	};

	secret_init();
	hash_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("keys_dsse", tests, NULL, NULL);
}
