/* SPDX-License-Identifier: ISC
 *
 * DSSE envelopes: there and back, base64 in its one form and no other, and each way to be out of form.
 */
#include "bundle/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"

#define TYPE "application/vnd.in-toto+json"
#define SIG "{\"keyid\":\"k\",\"sig\":\"AAAA\"}"

static enum fault parse(const char *text, struct envelope **ret_envelope, struct refusal *why)
{
	*ret_envelope = NULL;
	return envelope_parse(text, strlen(text), ret_envelope, why);
}

static void test_every_length_there_and_back(void **state)
{
	uint8_t bytes[300];
	char type[] = TYPE;
	uint8_t sig[3] = {0, 16, 131};

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + 250);
	for (size_t size = 0; size < sizeof(bytes); size++) {
		struct envelope_signature signatures[2] = {{"a", sig, 1}, {"", sig, 3}};
		struct envelope envelope = {type, bytes, size, signatures, 2};
		_cleanup_free_ char *text = envelope_encode(&envelope);
		_cleanup_(envelope_freep) struct envelope *back = NULL;

		assert_int_equal(parse(text, &back, NULL), FAULT_NONE);
		assert_int_equal(text[strlen(text) - 1], '\n');
		assert_null(strchr(text, ' '));
		assert_string_equal(back->payload_type, TYPE);
		assert_int_equal(back->payload_size, size);
		assert_memory_equal(back->payload, bytes, size);
		assert_int_equal(back->n_signatures, 2);
		assert_string_equal(back->signatures[0].keyid, "a");
		assert_string_equal(back->signatures[1].keyid, "");
		assert_int_equal(back->signatures[1].sig_size, 3);
		assert_memory_equal(back->signatures[1].sig, sig, 3);
	}
}

/* RFC 4648, 10, and the example of DSSE's own text; the order of members, unknown ones and blanks do not matter. */
static void test_reads_what_others_write(void **state)
{
	static const char *const vectors[][2] = {
		{"", ""},
		{"Zg==", "f"},
		{"Zm8=", "fo"},
		{"Zm9v", "foo"},
		{"Zm9vYg==", "foob"},
		{"Zm9vYmE=", "fooba"},
		{"Zm9vYmFy", "foobar"},
	};
	_cleanup_(envelope_freep) struct envelope *envelope = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		_cleanup_free_ char *text = xasprintf(
			"{\"payload\":\"%s\",\"payloadType\":\"t\",\"signatures\":[" SIG "]}", vectors[i][0]);
		_cleanup_(envelope_freep) struct envelope *one = NULL;

		assert_int_equal(parse(text, &one, NULL), FAULT_NONE);
		assert_string_equal((const char *)one->payload, vectors[i][1]);
	}
	assert_int_equal(
		parse("{\"payload\": \"aGVsbG8gd29ybGQ=\",\n \"payloadType\": \"http://example.com/HelloWorld\", "
		      "\"x\": 1,\n"
		      " \"signatures\": [{\"sig\": "
		      "\"A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F-FnZ-O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==\", "
		      "\"extension\": {}}]}",
		      &envelope, NULL),
		FAULT_NONE);
	assert_string_equal((const char *)envelope->payload, "hello world");
	assert_int_equal(envelope->signatures[0].sig_size, 64);
	/* "-FnZ-": of the other alphabet. */
	assert_int_equal(envelope->signatures[0].sig[24], 0xf8);
	assert_int_equal(envelope->signatures[0].sig[63], 0x64);
}

static void test_refuses(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"", "line"},
		{"[]", "not an object"},
		{"{}", "payloadType"},
		{"{\"payload\":\"\",\"payloadType\":\"t\"}", "signatures"},
		{"{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[]}", "0 signatures"},
		{"{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[1]}", "not an object"},
		{"{\"payload\":\"\",\"payloadType\":\"\",\"signatures\":[" SIG "]}", "empty"},
		{"{\"payload\":1,\"payloadType\":\"t\",\"signatures\":[" SIG "]}", "payload"},
		{"{\"payload\":\"\",\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[" SIG "]}", "payload"},
		{"{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[" SIG "]}x", "line"},
		{"{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[" SIG "," SIG "]}", "two signatures"},
		{"{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[{\"keyid\":\"k\"}]}", "sig"},
		{"{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"\"}]}", "0 bytes"},
	};
	/* Not the one text of some bytes: short, unpadded, padded too much, stray bits, blanks, mixed alphabets, a digit of none. */
	static const char *const base64[] = {
		"Z",     "Zg",   "Zg=",    "Zg===", "Z===", "====",     "=",        "Zh==",       "Zm9=",     "Zm9v\\n",
		" Zm9v", "Zm 9", "Zm9vZg", "+-==",  "-_-+", "Zm9v====", "Zg==Zm9v", "Zm9\\u00e9", "Zm9v!A==", "Zm=v"};
	_cleanup_(envelope_freep) struct envelope *envelope = NULL;
	struct refusal why;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(cases[i].text, &envelope, &why), FAULT_ENVELOPE_FORM);
		if (strstr(why.line, cases[i].why) == NULL || strstr(why.line, "DSSE 1.0.2") == NULL)
			fail_msg("%s: %s", cases[i].text, why.line);
	}
	for (size_t i = 0; i < ARRAY_SIZE(base64); i++) {
		_cleanup_free_ char *text = xasprintf(
			"{\"payload\":\"%s\",\"payloadType\":\"t\",\"signatures\":[" SIG "]}", base64[i]);
		_cleanup_free_ char *sig = xasprintf(
			"{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"%s\"}]}", base64[i]);

		if (parse(text, &envelope, &why) != FAULT_ENVELOPE_FORM || strstr(why.line, "RFC 4648") == NULL)
			fail_msg("payload %s passed", base64[i]);
		if (parse(sig, &envelope, &why) != FAULT_ENVELOPE_FORM || strstr(why.line, "RFC 4648") == NULL)
			fail_msg("sig %s passed", base64[i]);
	}
}

/* MANY copies of WHAT between BEFORE and AFTER. */
static char *repeat(const char *before, const char *what, size_t many, const char *after)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	fputs(before, file);
	for (size_t i = 0; i < many; i++)
		fputs(what, file);
	fputs(after, file);
	fclose(file);
	return text;
}

static void test_bounds(void **state)
{
	_cleanup_free_ char *many = repeat("{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"AAAA\"}",
					   ",{\"sig\":\"AAAA\"}", LIMIT_SIGNATURES, "]}");
	_cleanup_free_ char *long_sig = repeat("{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"",
					       "AAAA", LIMIT_ENVELOPE_SIGNATURE / 3 + 1, "\"}]}");
	_cleanup_free_ char *long_keyid = repeat(
		"{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"AAAA\",\"keyid\":\"", "k",
		LIMIT_ENVELOPE_KEYID, "\"}]}");
	_cleanup_free_ char *large = repeat("{\"payload\":\"", "AAAA", LIMIT_ENVELOPE_SIZE / 4,
					    "\",\"payloadType\":\"t\",\"signatures\":[" SIG "]}");
	_cleanup_(envelope_freep) struct envelope *envelope = NULL;
	struct refusal why;

	(void)state;
	assert_int_equal(parse(many, &envelope, &why), FAULT_ENVELOPE_FORM);
	assert_non_null(strstr(why.line, "65 signatures"));
	assert_int_equal(parse(long_sig, &envelope, &why), FAULT_ENVELOPE_FORM);
	assert_non_null(strstr(why.line, "1026 bytes"));
	assert_int_equal(parse(long_keyid, &envelope, &why), FAULT_ENVELOPE_FORM);
	assert_non_null(strstr(why.line, "keyid of 256 bytes"));
	assert_int_equal(parse(large, &envelope, &why), FAULT_ENVELOPE_FORM);
	assert_non_null(strstr(why.line, "6291456"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_length_there_and_back),
		cmocka_unit_test(test_reads_what_others_write),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_bounds),
	};

	json_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("bundle_envelope", tests, NULL, NULL);
}
