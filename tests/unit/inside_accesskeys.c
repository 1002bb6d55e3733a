/* SPDX-License-Identifier: ISC
 *
 * The keys of readers: the text that is shown once, whose it is, what it may read, and the document.
 */
#include "inside/accesskeys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"

#define NOW 1000000

static const uint8_t secret[ACCESS_SECRET_SIZE] = {1, 2, 3};

/* Two keys, k1 with that secret. */
static struct access_keys *make(void)
{
	struct access_keys *keys = xcalloc(1, sizeof(*keys));

	for (unsigned i = 0; i < 2; i++) {
		struct access_key key = {
			.owner = xstrdup("paie"), .operator= xstrdup("jeanne"), .reason = xstrdup(""), .date = NOW};
		const struct access_key *added;

		if (i == 0)
			hash_bytes(secret, sizeof(secret), &key.sha256);
		assert_int_equal(access_keys_add(keys, &key, &added, NULL), FAULT_NONE);
		assert_int_equal(added->number, i + 1);
	}
	return keys;
}

static enum fault find(const struct access_keys *keys, const char *text, int64_t now)
{
	const struct access_key *key = NULL;
	struct refusal why = {0};
	enum fault fault = access_keys_find(keys, text, now, &key, &why);

	assert_int_equal(fault == FAULT_NONE, key != NULL);
	assert_int_equal(fault, why.fault);
	/* What is answered never holds what was sent. */
	assert_null(strstr(why.line, "0102"));
	return fault;
}

static void test_text(void **state)
{
	_cleanup_(access_keys_freep) struct access_keys *keys = make();
	char text[ACCESS_KEY_TEXT_SIZE], other[ACCESS_KEY_TEXT_SIZE], bad[ACCESS_KEY_TEXT_SIZE + 2];
	uint8_t wrong[ACCESS_SECRET_SIZE] = {1, 2, 4};

	(void)state;
	access_key_format(1, secret, text);
	assert_int_equal(strlen(text), strlen("clapet_k1_") + 72);
	assert_memory_equal(text, "clapet_k1_010203", 16);
	assert_int_equal(find(keys, text, NOW), FAULT_NONE);
	/* Every single typing error is told from a key that is unknown. */
	for (size_t i = 0; i < strlen(text); i++) {
		memcpy(bad, text, sizeof(text));
		bad[i] = bad[i] == '0' ? '1' : '0';
		assert_int_equal(find(keys, bad, NOW), FAULT_ACCESS_KEY_FORM);
	}
	for (size_t length = 0; length < strlen(text); length++) {
		snprintf(bad, sizeof(bad), "%.*s", (int)length, text);
		assert_int_equal(find(keys, bad, NOW), FAULT_ACCESS_KEY_FORM);
	}
	snprintf(bad, sizeof(bad), "%s0", text);
	assert_int_equal(find(keys, bad, NOW), FAULT_ACCESS_KEY_FORM);
	access_key_format(1, wrong, other);
	assert_int_equal(find(keys, other, NOW), FAULT_ACCESS_KEY_UNKNOWN);
	access_key_format(2, secret, other);
	assert_int_equal(find(keys, other, NOW), FAULT_ACCESS_KEY_UNKNOWN);
	access_key_format(3, secret, other);
	assert_int_equal(find(keys, other, NOW), FAULT_ACCESS_KEY_UNKNOWN);
	access_key_format(999999999, secret, other);
	assert_int_equal(find(keys, other, NOW), FAULT_ACCESS_KEY_UNKNOWN);
}

/* Whether it ended is told to its holder alone. */
static void test_ends(void **state)
{
	_cleanup_(access_keys_freep) struct access_keys *keys = make();
	char text[ACCESS_KEY_TEXT_SIZE], other[ACCESS_KEY_TEXT_SIZE];
	uint8_t wrong[ACCESS_SECRET_SIZE] = {9};

	(void)state;
	access_key_format(1, secret, text);
	access_key_format(1, wrong, other);
	keys->items[0].until = NOW + 10;
	assert_int_equal(find(keys, text, NOW + 9), FAULT_NONE);
	assert_int_equal(find(keys, text, NOW + 10), FAULT_ACCESS_KEY_ENDED);
	assert_int_equal(find(keys, other, NOW + 10), FAULT_ACCESS_KEY_UNKNOWN);
	keys->items[0].revoked = NOW + 1;
	assert_int_equal(find(keys, text, NOW + 2), FAULT_ACCESS_KEY_REVOKED);
	assert_int_equal(find(keys, other, NOW + 2), FAULT_ACCESS_KEY_UNKNOWN);
	assert_ptr_equal(access_key_by_id(keys, "k2"), &keys->items[1]);
	assert_null(access_key_by_id(keys, "k02"));
	assert_null(access_key_by_id(keys, "2"));
	assert_null(access_key_by_id(keys, "k3"));
}

static void test_judge(void **state)
{
	struct access_licence licence = {.name = "lov", .sha256 = {{1}}};
	const struct access_grade open = {.kind = ACCESS_OPEN}, closed = {.kind = ACCESS_PRIVATE},
				  licensed = {.kind = ACCESS_LICENCE, .licence = &licence};
	struct access_key key = {.number = 1};

	(void)state;
	assert_int_equal(access_judge(&open, NULL, false, "cog", NULL), FAULT_NONE);
	assert_int_equal(access_judge(&open, &key, false, "cog", NULL), FAULT_NONE);
	assert_int_equal(access_judge(&closed, NULL, false, "cog", NULL), FAULT_ACCESS_KEY_NEEDED);
	assert_int_equal(access_judge(&closed, &key, false, "cog", NULL), FAULT_ACCESS_DENIED);
	access_names_add(&key.datasets, "cog");
	assert_int_equal(access_judge(&closed, &key, false, "cog", NULL), FAULT_NONE);
	assert_int_equal(access_judge(&closed, &key, true, "cog", NULL), FAULT_ACCESS_DENIED);
	access_names_add(&key.views, "ain");
	assert_int_equal(access_judge(&closed, &key, true, "ain", NULL), FAULT_NONE);
	assert_int_equal(access_judge(&licensed, NULL, false, "cog", NULL), FAULT_ACCESS_KEY_NEEDED);
	assert_int_equal(access_judge(&licensed, &key, false, "cog", NULL), FAULT_ACCESS_LICENCE);
	access_key_accept(&key, &licence, "Mme Martin", NOW);
	assert_int_equal(access_judge(&licensed, &key, false, "cog", NULL), FAULT_NONE);
	/* Another text is another licence. */
	licence.sha256.bytes[0] = 2;
	assert_int_equal(access_judge(&licensed, &key, false, "cog", NULL), FAULT_ACCESS_LICENCE);
	access_key_accept(&key, &licence, "M. Durand", NOW + 1);
	assert_int_equal(access_judge(&licensed, &key, false, "cog", NULL), FAULT_NONE);
	assert_int_equal(key.n_accepted, 1);
	assert_string_equal(key.accepted[0].by, "M. Durand");
	access_key_clear(&key);
}

#define KEY_FIRST                                                                                                      \
	"{\"format\": \"clapet keys 1\", \"keys\": [{\"id\": \"k1\", \"sha256\": \"" DIGEST "\", \"owner\": \"a\", "
#define DIGEST "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define KEY_LAST                                                                                                       \
	"\"application\": null, \"operator\": \"j\", \"date\": \"2026-11-25T10:00:00Z\", \"until\": null, "            \
	"\"revoked\": null, "                                                                                          \
	"\"reason\": \"\", \"replaces\": null, \"datasets\": [], \"views\": [], \"operations\": false, \"accepted\": " \
	"[]}]}"

static void test_document(void **state)
{
	_cleanup_(access_keys_freep) struct access_keys *keys = make(), *again = NULL;
	struct access_licence licence = {.name = "lov", .sha256 = {{1}}};
	_cleanup_(json_decrefp) json_t *json = NULL, *json_again = NULL;
	_cleanup_free_ char *text = NULL;
	static const char *const bad[] = {
		"{}",
		"{\"format\": \"clapet keys 2\", \"keys\": []}",
		"{\"format\": \"clapet keys 1\", \"keys\": [], \"more\": 1}",
		KEY_FIRST "\"more\": 1, " KEY_LAST,
		"{\"format\": \"clapet keys 1\", \"keys\": [{\"id\": \"k01\", \"sha256\": \"" DIGEST
		"\", \"owner\": \"a\", " KEY_LAST,
		"{\"format\": \"clapet keys 1\", \"keys\": [{\"id\": \"k1\", \"sha256\": \"x\", \"owner\": "
		"\"a\", " KEY_LAST,
		"{\"format\": \"clapet keys 1\", \"keys\": [{\"id\": \"k1\", \"sha256\": \"" DIGEST
		"\", \"owner\": \"\", " KEY_LAST,
	};

	(void)state;
	assert_int_equal(access_keys_parse(KEY_FIRST KEY_LAST, strlen(KEY_FIRST KEY_LAST), &again, NULL), FAULT_NONE);
	access_keys_free(again);
	again = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_not_equal(access_keys_parse(bad[i], strlen(bad[i]), &again, NULL), FAULT_NONE);
	access_names_add(&keys->items[0].datasets, "cog");
	access_names_add(&keys->items[1].views, "ain");
	access_key_accept(&keys->items[1], &licence, "M. \"D\"", NOW);
	keys->items[1].replaces = 1;
	keys->items[1].until = NOW + 1;
	json = access_keys_to_json(keys);
	text = json_dumps(json, 0);
	assert_non_null(text);
	assert_int_equal(access_keys_parse(text, strlen(text), &again, NULL), FAULT_NONE);
	json_again = access_keys_to_json(again);
	assert_true(json_equal(json, json_again));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_document),
	};

	hash_init();
	json_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
