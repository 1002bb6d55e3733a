/* SPDX-License-Identifier: ISC
 *
 * Public keys and signatures of each scheme. Vectors of ECDSA and RSA were made by openssl over the bytes "message".
 */
#include "keys/pubkey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/hash.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/notation.h"

#define KEYID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
/* RFC 8032, 7.1, test 2. */
#define ED25519_PUBLIC "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
#define ED25519_SIG                                                                                                    \
	"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb430" \
	"2"                                                                                                            \
	"aeeb00d291612bb0c00"

/* A key whose JSON lives as long as it. */
struct held {
	json_t *object;
	struct tuf_key key;
};

static enum fault read_key(struct held *held, const char *keytype, const char *scheme, const char *public,
			   unsigned schemes, struct refusal *why)
{
	held->object = json_pack("{s:s, s:s, s:{s:s}}", "keytype", keytype, "scheme", scheme, "keyval", "public",
				 public);
	return tuf_key_read(KEYID, held->object, schemes, true, &held->key, why);
}

static void held_clear(struct held *held)
{
	json_decref(held->object);
}

static void test_names(void **state)
{
	(void)state;
	for (int i = 0; i < TUF_SCHEME_N; i++)
		assert_int_equal(tuf_scheme_by_name(tuf_scheme_name((enum tuf_scheme)i)), i);
	assert_int_equal(tuf_scheme_by_name("rsa-pkcs1v15-sha256"), TUF_SCHEME_UNKNOWN);
	assert_string_equal(tuf_scheme_name(TUF_SCHEME_UNKNOWN), "unknown");
	assert_true((tuf_schemes_built() & TUF_SCHEME_BIT(TUF_SCHEME_ED25519)) != 0);
}

static void test_ed25519(void **state)
{
	_cleanup_(held_clear) struct held held = {NULL, {.pem = NULL}};
	const uint8_t message = 0x72;
	char wrong[] = ED25519_SIG "00";

	(void)state;
	assert_int_equal(read_key(&held, "ed25519", "ed25519", ED25519_PUBLIC, TUF_SCHEMES_ALL, NULL), FAULT_NONE);
	assert_string_equal(held.key.keyid, KEYID); /* in general it only names the key */
	assert_true(tuf_key_verify_hex(&held.key, &message, 1, ED25519_SIG));
	assert_false(tuf_key_verify_hex(&held.key, &message, 0, ED25519_SIG));
	assert_false(tuf_key_verify_hex(&held.key, &message, 1, ""));
	assert_false(tuf_key_verify_hex(&held.key, &message, 1, wrong)); /* a byte more */
	wrong[strlen(wrong) - 2] = '\0';
	assert_true(tuf_key_verify_hex(&held.key, &message, 1, wrong));
	wrong[1] = 'A';
	assert_false(tuf_key_verify_hex(&held.key, &message, 1, wrong));
	wrong[1] = '2';
	wrong[strlen(wrong) - 1] = '\0';
	assert_false(tuf_key_verify_hex(&held.key, &message, 1, wrong));
}

/* S + L is the same point, but not reduced: another signature for the same message, if a verifier takes it. */
static void test_ed25519_not_reduced(void **state)
{
	static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
					  0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
	_cleanup_(held_clear) struct held held = {NULL, {.pem = NULL}};
	const uint8_t message = 0x72;
	uint8_t signature[TUF_SIGNATURE_SIZE];
	char hex[2 * TUF_SIGNATURE_SIZE + 1];
	unsigned carry = 0;

	(void)state;
	assert_int_equal(read_key(&held, "ed25519", "ed25519", ED25519_PUBLIC, TUF_SCHEMES_ALL, NULL), FAULT_NONE);
	assert_true(notation_unhex(ED25519_SIG, signature, sizeof(signature)));
	for (size_t i = 0; i < sizeof(order); i++) {
		carry += signature[32 + i] + order[i];
		signature[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	notation_hex(signature, sizeof(signature), hex);
	assert_false(tuf_key_verify_hex(&held.key, &message, 1, hex));
}

static void test_unknown_scheme(void **state)
{
	_cleanup_(held_clear) struct held held = {NULL, {.pem = NULL}};
	static const struct {
		const char *keytype, *scheme;
	} cases[] = {{"sphincs", "sphincs-shake-128s"},
		     {"rsa", "ed25519"},
		     {"ed25519", "rsassa-pss-sha256"},
		     {"ecdsa", "ecdsa-sha2-nistp384"},
		     {"", ""}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct refusal why = {FAULT_NONE, ""};

		assert_int_equal(
			read_key(&held, cases[i].keytype, cases[i].scheme, ED25519_PUBLIC, TUF_SCHEMES_ALL, NULL),
			FAULT_NONE);
		assert_int_equal(held.key.scheme, TUF_SCHEME_UNKNOWN);
		assert_false(tuf_key_verify_hex(&held.key, (const uint8_t *)"r", 1, ED25519_SIG));
		/* The appliance takes no key that it cannot use. */
		assert_int_equal(tuf_key_read(KEYID, held.object, TUF_SCHEMES_ALL, false, &held.key, &why),
				 FAULT_TUF_FORM);
		assert_non_null(strstr(why.line, "this reads ed25519"));
		held_clear(&held);
		held.object = NULL;
	}
}

static void test_equal(void **state)
{
	struct tuf_key a = {.keyid = "a", .public_key = {1}}, b = {.keyid = "b", .public_key = {1}};

	(void)state;
	assert_true(tuf_key_equal(&a, &b)); /* whatever they are called */
	b.public_key[31] = 1;
	assert_false(tuf_key_equal(&a, &b));
	a.scheme = b.scheme = TUF_SCHEME_UNKNOWN; /* nothing but its name is known of it */
	assert_false(tuf_key_equal(&a, &b));
	b.keyid[0] = 'a';
	assert_true(tuf_key_equal(&a, &b));
	b.scheme = TUF_SCHEME_ED25519;
	assert_false(tuf_key_equal(&a, &b));
}

#ifdef CLAPET_ECDSA

static const char p256_pem[] = "-----BEGIN PUBLIC KEY-----\n"
			       "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE7KDzjrnKDU1FWGWa0dMBMdvsYWiN\n"
			       "7QBVMWfzufRtuHiT4sKpbsoXg5HgXsrE1PKaCYIxiLSuCr+6gtU2DiJl0Q==\n"
			       "-----END PUBLIC KEY-----\n";
/* The same point, compressed. */
static const char p256_compressed[] = "-----BEGIN PUBLIC KEY-----\n"
				      "MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgAD7KDzjrnKDU1FWGWa0dMBMdvsYWiN\n"
				      "7QBVMWfzufRtuHg=\n"
				      "-----END PUBLIC KEY-----\n";
static const char p384_pem[] = "-----BEGIN PUBLIC KEY-----\n"
			       "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEroiD9V7qkXzhlz/Bm2kLAd2KFUzneQOO\n"
			       "VgVxo+A70BNyZ08RphsbhuJF44Fd2qpIRfZDctotQEcPDwEX2dzDOPd0/zbBiz0g\n"
			       "d8QdiA6eFsMa++5UMFGsmYqERvJRWvmJ\n"
			       "-----END PUBLIC KEY-----\n";
static const char rsa_pem[] = "-----BEGIN PUBLIC KEY-----\n"
			      "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA3b6d7wMYJmV6R4NsG6Xx\n"
			      "lF3nPakEPaVWP7d+MuRIcubLCznT1+wc9fZVv3M/3BN/XcpK7AyaNCDpGQil/Owx\n"
			      "Rc8airBZYYEaoCO4i3GFGltO3o4KL5ZRk8rWtga1vbXzq1KS3kvhUKKOkoKvydCa\n"
			      "0Jfbw3vQ+yAb4KCI2jXq9rFr0RAdOR+Tcs9NUTLZD1JY9uf59zZRqzDr7W92hIv/\n"
			      "mlyo3B9DRoLJL2+gXmjPqab4Q/pkcCUHcQ/jWuIMs0my5c1i7zbeUuc0dxP0nWGf\n"
			      "yftAP+D30hB4DDfAHF6Ey8wKsuUbuaoAqQzb3iiWVMarECKnLWxrmwIJ1exZYzui\n"
			      "PwIDAQAB\n"
			      "-----END PUBLIC KEY-----\n";
static const char rsa1024_pem[] = "-----BEGIN PUBLIC KEY-----\n"
				  "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC/Xu2s2IqphdLUJ6uoWzxq2NVn\n"
				  "mkekDZfInN/TdZHz5adSYNKHH8F9I8+3XGnSpSnFlzZgDLvVEpHkkOhfitIy4xEe\n"
				  "MicJ8nCiyNJ6WilqA6bNueaYOlezd5iAlO6yNp6fQBPn8+4iW5+lI+icVxY5HQRb\n"
				  "N0+64dW7AUyT+lRKxwIDAQAB\n"
				  "-----END PUBLIC KEY-----\n";
static const char p256_sig[] =
	"304602210085bfb9bc479475a4b080118238d733c0c167cc85df21ca4f937c800e8e520162022100ac13f65ad32285985b20"
	"4c4496d61b0f02ad123b510c9b64222f35043d20fb7b";
/* PSS with a salt of 32 bytes, with the longest; with MGF1 over SHA-1; and PKCS #1 v1.5. */
static const char rsa_sig[] =
	"3cc5e16b30da4bba950f6a5427cca2e85f2db5ebc4847cd1be1fa2fa9b6d0b8b483c9a8761bec7e425807cea679fbcb3f9bf"
	"007794939da89f1ea9449743b2156698a90b026d71124442dc6c116415b0605e610c8ebe29f8493635f77439183ac7090573"
	"143c103ded976bb3fe9591210382ca960537b5436b08776f092772fe747215da85975500b40f74ed1342928749b796fd6447"
	"59341b00d6307217f834194061b59475dad6fd9ed57baa8bd6ed7670550ee0b6bb09d1dad77dd9fdc1f186bae78f190e75eb"
	"c5e8dd7342f504cd4717eda9ed7ad9287f229b6cc19fc722ea7a708a2c2812d697660ccc4e23fb6b36944001702035a80c55"
	"7a415f734536";
static const char rsa_longest_sig[] =
	"aa043464fc5bbc32adb663558b616bbe913cdc5397a07fdeecb99d472a6b7fee475097520f260a1967b44869c8f2560db504"
	"d1b8d7fd22f00f0dfc67495d9597cf1322a7e3e3195dfbc7824e396f95122696939544786b50aeff0bff91086ef1fada7583"
	"8e0df500e69f57e7b70cec2a7cbf60d69c2ade9dbc6d423e41813527522b19452741063ba53794501cffc20f5a04d31e32a7"
	"f2466c06b0036cc7e70e21ea4c2796e40bf20b631961b79213040667e37cf1876c4c7604a1d3c5dbdef71bfd66d2d1e605f9"
	"6f62e2b50b0959edee632b7243372e9ca4b1d825bdd247cc7a7805f2e8f3f332dad14bbeae7a4e6c82f8eaaa95e99bc8399a"
	"ad4597594b29";
static const char rsa_mgf1_sha1_sig[] =
	"1d7ce56be25e31f50eeb92d3056b8affcea7bb0f67a245efbc2f40c002f5659c92b13721ce267f4b444c3c51a6e2deeeae4b"
	"57391dd17baf0499786ea9820fc931a8dc83187023a52c8a4959c80134703127b36baeac8162571c638b6b18db68932384f8"
	"8a7b2d11058d41a2428709d9b24d4eb97b306670382bdfe3fc5b58b85782667ecbab3871ba3101d1ad5a9e6795a28f81b62a"
	"d58b9be2cb69b352cdda61c996e538dae26547ad45cf5ccde99ce62cb38e73124c10b24ebc6ff301c08473a70a1d983ec4e9"
	"1ce9b45755b26a4372b442b5568d517536e7996788d5fbc0c480232d14f0df0a055f28cddf8f8a88a590f79e820bf52f8395"
	"94fa4cf9e18c";
static const char rsa_pkcs1_sig[] =
	"122b1704537bc7323b00285e47eb07d4fb2c932b926642f0fc59803095d8598ea8b0176357e4e32c34f7df36a4992a04624f"
	"3039f478a7339926923785beb1c1782a6ed2dd1b67e61fbbc8a0b5ee50333cc2902d98d787563656406e1dabbae42ad8fd70"
	"041ad7dd335da77c039b68f1415e0c63938a194205478d16007f5e1267da4c4eeb702b1f2bcb4fa49fdcdf42e504740b0623"
	"476247b7795f666f9ef7479a9138df7aa8d2f7c7d22809a8c2a38b766d0d7b44d0e4b10789a6a7036f8c73c37b4a3dfe980d"
	"a4cde3b5b67c652b2af07050fc7b0872950ba1850e3ccf541309a45066367e198aa4a80cd2a0a5406d9193fd2d1a990aa952"
	"801fb7fcabaa";

static bool verifies(const struct tuf_key *key, const char *message, const char *sig)
{
	return tuf_key_verify_hex(key, (const uint8_t *)message, strlen(message), sig);
}

static void test_ecdsa(void **state)
{
	_cleanup_(held_clear) struct held held = {NULL, {.pem = NULL}}, other = {NULL, {.pem = NULL}};
	char sig[sizeof(p256_sig) + 2];

	(void)state;
	assert_int_equal(read_key(&held, "ecdsa", "ecdsa-sha2-nistp256", p256_pem, TUF_SCHEMES_ALL, NULL), FAULT_NONE);
	assert_int_equal(held.key.scheme, TUF_SCHEME_ECDSA_P256);
	assert_true(verifies(&held.key, "message", p256_sig));
	assert_false(verifies(&held.key, "massage", p256_sig));
	memcpy(sig, p256_sig, sizeof(p256_sig));
	sig[40] = sig[40] == '0' ? '1' : '0';
	assert_false(verifies(&held.key, "message", sig));
	/* DER with a byte behind it. */
	snprintf(sig, sizeof(sig), "%s00", p256_sig);
	assert_false(verifies(&held.key, "message", sig));
	assert_false(verifies(&held.key, "message", ED25519_SIG));
	assert_false(verifies(&held.key, "message", ""));
	/* The name of older repositories is the same key. */
	assert_int_equal(
		read_key(&other, "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", p256_pem, TUF_SCHEMES_ALL, NULL),
		FAULT_NONE);
	assert_true(tuf_key_equal(&held.key, &other.key));
}

static void test_rsa(void **state)
{
	_cleanup_(held_clear) struct held held = {NULL, {.pem = NULL}};
	char sig[sizeof(rsa_sig)];

	(void)state;
	assert_int_equal(read_key(&held, "rsa", "rsassa-pss-sha256", rsa_pem, TUF_SCHEMES_ALL, NULL), FAULT_NONE);
	assert_true(verifies(&held.key, "message", rsa_sig));
	assert_true(verifies(&held.key, "message", rsa_longest_sig));
	assert_false(verifies(&held.key, "massage", rsa_sig));
	assert_false(verifies(&held.key, "message", rsa_mgf1_sha1_sig));
	assert_false(verifies(&held.key, "message", rsa_pkcs1_sig));
	memcpy(sig, rsa_sig, sizeof(sig));
	sig[100] = sig[100] == '0' ? '1' : '0';
	assert_false(verifies(&held.key, "message", sig));
}

static void refuse_pem(const char *keytype, const char *scheme, const char *pem)
{
	_cleanup_(held_clear) struct held held = {NULL, {.pem = NULL}};
	struct refusal why = {FAULT_NONE, ""};

	assert_int_equal(read_key(&held, keytype, scheme, pem, TUF_SCHEMES_ALL, &why), FAULT_TUF_FORM);
	assert_non_null(strstr(why.line, "keyval.public is not the PEM of"));
}

/* One key has one encoding: its hash is what makes it distinct. */
static void test_pem(void **state)
{
	char text[sizeof(rsa_pem) + 64];
	_cleanup_(held_clear) struct held held = {NULL, {.pem = NULL}};

	(void)state;
	refuse_pem("ecdsa", "ecdsa-sha2-nistp256", p256_compressed);
	refuse_pem("ecdsa", "ecdsa-sha2-nistp256", p384_pem);
	refuse_pem("ecdsa", "ecdsa-sha2-nistp256", rsa_pem);
	refuse_pem("rsa", "rsassa-pss-sha256", p256_pem);
	refuse_pem("rsa", "rsassa-pss-sha256", rsa1024_pem);
	refuse_pem("ecdsa", "ecdsa-sha2-nistp256", "");
	refuse_pem("ecdsa", "ecdsa-sha2-nistp256", ED25519_PUBLIC);
	snprintf(text, sizeof(text), "%sx", p256_pem);
	refuse_pem("ecdsa", "ecdsa-sha2-nistp256", text);
	snprintf(text, sizeof(text), " %s", p256_pem);
	refuse_pem("ecdsa", "ecdsa-sha2-nistp256", text);
	/* A point that is not on the curve. */
	memcpy(text, p256_pem, sizeof(p256_pem));
	text[27 + 50] ^= 1;
	refuse_pem("ecdsa", "ecdsa-sha2-nistp256", text);
	/* Without its last line feed it is the same. */
	memcpy(text, p256_pem, sizeof(p256_pem));
	text[sizeof(p256_pem) - 2] = '\0';
	assert_int_equal(read_key(&held, "ecdsa", "ecdsa-sha2-nistp256", text, TUF_SCHEMES_ALL, NULL), FAULT_NONE);
}

/* What a build knows, a role may still not be allowed. */
static void test_scheme_not_asked_for(void **state)
{
	_cleanup_(held_clear) struct held held = {NULL, {.pem = NULL}};
	struct refusal why = {FAULT_NONE, ""};

	(void)state;
	assert_int_equal(tuf_schemes_built(), TUF_SCHEMES_ALL);
	assert_int_equal(
		read_key(&held, "ecdsa", "ecdsa-sha2-nistp256", p256_pem, TUF_SCHEME_BIT(TUF_SCHEME_ED25519), NULL),
		FAULT_NONE);
	assert_int_equal(held.key.scheme, TUF_SCHEME_UNKNOWN);
	assert_false(verifies(&held.key, "message", p256_sig));
	assert_int_equal(tuf_key_read(KEYID, held.object, TUF_SCHEME_BIT(TUF_SCHEME_ED25519), false, &held.key, &why),
			 FAULT_TUF_FORM);
	assert_non_null(strstr(why.line, "this reads ed25519 alone"));
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_ed25519),
		cmocka_unit_test(test_ed25519_not_reduced),
		cmocka_unit_test(test_unknown_scheme),
		cmocka_unit_test(test_equal),
#ifdef CLAPET_ECDSA
		cmocka_unit_test(test_ecdsa),
		cmocka_unit_test(test_rsa),
		cmocka_unit_test(test_pem),
		cmocka_unit_test(test_scheme_not_asked_for),
#endif
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	hash_init();
	json_init();
	tuf_key_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
