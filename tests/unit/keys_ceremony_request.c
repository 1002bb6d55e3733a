/* SPDX-License-Identifier: ISC
 *
 * keys_ceremony_request: requests and signatures there and back; whose signature counts; every evil file is refused.
 */
#include "tests/ceremony.h"

#include <stdio.h>

#include "base/log.h"
#include "keys/ceremony_form.h"
#include "keys/ceremony_public.h"

static void test_there_and_back(void **state)
{
	struct ceremony *ceremony = *state;
	_cleanup_(sign_request_clear) struct sign_request request = {0}, again = {0};
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;

	assert_int_equal(request_of("root", NULL, NULL, first_root(ceremony), &request, NULL), FAULT_NONE);
	assert_string_equal(request.next.name, "1.root.json");
	assert_int_equal(request.until - request.created, SIGN_REQUEST_DAYS * DAYS);
	assert_null(request.root.text);
	sign_request_encode(&request, &data, &size);
	assert_int_equal(sign_request_parse(data, size, "again", &again, NULL), FAULT_NONE);
	assert_memory_equal(&again.digest, &request.digest, sizeof(again.digest));
	assert_true(json_equal(again.next.signed_, request.next.signed_));
}

static void test_signatures_there_and_back(void **state)
{
	struct ceremony *ceremony = *state;
	_cleanup_(sign_request_clear) struct sign_request request = {0};
	_cleanup_free_ uint8_t *data = NULL;
	struct sign_signature signature, again;
	size_t size;

	assert_int_equal(request_of("root", NULL, NULL, first_root(ceremony), &request, NULL), FAULT_NONE);
	sign_request_sign(&request, ceremony->keys[ALICE], &signature);
	sign_signature_encode(&signature, &data, &size);
	assert_true(size < LIMIT_SIGNATURE_FILE_SIZE);
	assert_int_equal(sign_signature_parse(data, size, "again", &again, NULL), FAULT_NONE);
	assert_memory_equal(&signature, &again, sizeof(again));
}

static void refused(struct sign_request *request, const struct sign_signature *signature, enum fault fault,
		    const char *text)
{
	struct refusal why = {0};

	assert_int_equal(sign_request_add(request, signature, "here", &why), fault);
	if (strstr(why.line, text) == NULL)
		fail_msg("%s\n# expected %s", why.line, text);
}

static void test_whose_counts(void **state)
{
	struct ceremony *ceremony = *state;
	_cleanup_(sign_request_clear) struct sign_request request = {0}, other = {0};
	json_t *root = first_root(ceremony);
	struct sign_signature good, bad;

	assert_int_equal(request_of("root", NULL, NULL, json_incref(root), &request, NULL), FAULT_NONE);
	assert_int_equal(request_of("root", NULL, NULL, change_begin(root, 1, NOW + 9 * DAYS), &other, NULL),
			 FAULT_NONE);
	sign_request_sign(&request, ceremony->keys[ALICE], &good);
	bad = good;
	bad.bytes[5] ^= 1;
	refused(&request, &bad, FAULT_CEREMONY_SIGNATURE, "does not verify");
	bad = good;
	bad.version = 2;
	refused(&request, &bad, FAULT_CEREMONY_SIGNATURE, "signs another request");
	sign_request_sign(&request, ceremony->keys[SNAPSHOT], &bad);
	refused(&request, &bad, FAULT_KEY_ROLE, "none that may sign");
	sign_request_sign(&other, ceremony->keys[ALICE], &bad);
	refused(&request, &bad, FAULT_CEREMONY_SIGNATURE, "signs another request");
	bad.digest = request.digest; /* it says that it belongs here */
	refused(&request, &bad, FAULT_CEREMONY_SIGNATURE, "does not verify");
	assert_false(sign_request_is_signed_by(&request, good.keyid));
	assert_int_equal(sign_request_add(&request, &good, "here", NULL), FAULT_NONE);
	assert_true(sign_request_is_signed_by(&request, good.keyid));
	refused(&request, &good, FAULT_CEREMONY_SIGNATURE, "signed already");
	json_decref(root);
}

static void test_time(void **state)
{
	struct ceremony *ceremony = *state;
	_cleanup_(sign_request_clear) struct sign_request request = {0};
	json_t *root = change_first_root(NOW + 10 * DAYS);

	json_decref(root);
	root = first_root(ceremony);
	assert_int_equal(request_of("root", NULL, NULL, change_begin(root, 1, NOW + 10 * DAYS), &request, NULL),
			 FAULT_NONE);
	json_decref(root);
	assert_int_equal(sign_request_check_time(&request, NOW, NULL), FAULT_NONE);
	assert_int_equal(sign_request_check_time(&request, NOW + 10 * DAYS, NULL), FAULT_CEREMONY_EXPIRED);
	assert_int_equal(sign_request_check_time(&request, NOW + 31 * DAYS, NULL), FAULT_CEREMONY_EXPIRED);
}

/* Named by what makes it evil; what is not evil of it is a seed, and taken (test_seeds). */
static enum fault parse(const char *name, const uint8_t *data, size_t size, struct refusal *why)
{
	_cleanup_(sign_request_clear) struct sign_request request = {0};
	struct sign_signature signature;
	struct tuf_key key;

	if (strstr(name, ".pub") != NULL)
		return public_key_parse(data, size, name, &key, why);
	if (strstr(name, ".signature") != NULL)
		return sign_signature_parse(data, size, name, &signature, why);
	return sign_request_parse(data, size, name, &request, why);
}

static void test_evil(void **state)
{
	_cleanup_closedir_ DIR *dir = opendir("tests/evil/keys_ceremony");
	unsigned n = 0;

	(void)state;
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		_cleanup_free_ uint8_t *data = NULL;
		struct refusal why = {0};
		size_t size;
		enum fault fault;

		if (entry->d_name[0] == '.' || strcmp(entry->d_name, "README.md") == 0)
			continue;
		assert_int_equal(fd_load_file(dirfd(dir), entry->d_name, LIMIT_SIGN_REQUEST_SIZE, &data, &size), 0);
		fault = parse(entry->d_name, data, size, &why);
		if (fault != FAULT_CEREMONY_FORM && fault != FAULT_JSON_FORMAT && fault != FAULT_KEY_FORM)
			fail_msg("%s: E%d %s", entry->d_name, fault, why.line);
		if ((strstr(entry->d_name, "newer-format") != NULL) != (fault == FAULT_JSON_FORMAT))
			fail_msg("%s: E%d %s", entry->d_name, fault, why.line);
		n++;
	}
	assert_int_equal(n, 49);
}

static void test_seeds(void **state)
{
	static const char *const seeds[] = {"keys_ceremony_request/first-root",    "keys_ceremony_request/second-root",
					    "keys_ceremony_request/first-targets", "keys_ceremony_request/delegations",
					    "keys_ceremony_signature/root",        "keys_ceremony_public/key"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(seeds); i++) {
		_cleanup_free_ char *path = xasprintf("tests/fuzz/corpus/%s", seeds[i]);
		_cleanup_free_ uint8_t *data = NULL;
		struct refusal why = {0};
		size_t size;

		assert_int_equal(fd_load_file(AT_FDCWD, path, LIMIT_SIGN_REQUEST_SIZE, &data, &size), 0);
		if (parse(i == 4 ? "x.signature" : i == 5 ? "x.pub" : "x.request", data, size, &why) != FAULT_NONE)
			fail_msg("%s: %s", path, why.line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_there_and_back, ceremony_setup, ceremony_teardown),
		cmocka_unit_test_setup_teardown(test_signatures_there_and_back, ceremony_setup, ceremony_teardown),
		cmocka_unit_test_setup_teardown(test_whose_counts, ceremony_setup, ceremony_teardown),
		cmocka_unit_test_setup_teardown(test_time, ceremony_setup, ceremony_teardown),
		cmocka_unit_test(test_evil),
		cmocka_unit_test(test_seeds),
	};

	secret_init();
	hash_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
