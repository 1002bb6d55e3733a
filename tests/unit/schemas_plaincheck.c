/* SPDX-License-Identifier: ISC
 *
 * plaincheck: texts that are the plain form and texts that are not, cut at every place; JSON at its bounds.
 */
#include "schemas/plaincheck.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/limits.h"

#define BYTES(text) (text), sizeof(text) - 1

static const struct {
	const char *data;
	size_t size;
	bool only_utf8;
	const char *place; /* NULL: good */
} TEXTS[] = {
	{BYTES("a,b\n1,2\n"), false, NULL},
	{BYTES("a\n\"x\r\ny\"\"\r\"\n"), false, NULL}, /* CR within quotes is data */
	{BYTES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n"), false, NULL},
	{BYTES("a\r\n"), true, NULL},
	{BYTES("\xef\xbb\xbf"
	       "a"),
	 true, NULL},
	{BYTES(""), false, NULL},
	{BYTES("a\r\n"), false, "offset 1: CR"},
	{BYTES("a\n\"x\"\r\n"), false, "offset 5: CR"},
	{BYTES("a\n1"), false, "offset 3: the file does not end"},
	{BYTES("\xef\xbb\xbf"
	       "a\n"),
	 false, "byte order mark"},
	{BYTES("a\n\xe9\n1\n"), false, "offset 2: byte 0xE9"},
	{BYTES("a\n\xe9\n1\n"), true, "offset 2: byte 0xE9"},
	{BYTES("a\0\n"), true, "offset 1: a table holds no NUL"},
	{BYTES("a\n\xe2\x82"), true, "offset 2: the file ends within"},
};

static enum fault check(size_t index, size_t cut, struct refusal *why)
{
	struct plain_check state = {.only_utf8 = TEXTS[index].only_utf8};
	enum fault fault = plain_check_feed(&state, TEXTS[index].data, cut, why);

	if (fault == FAULT_NONE)
		fault = plain_check_feed(&state, TEXTS[index].data + cut, TEXTS[index].size - cut, why);
	return fault != FAULT_NONE ? fault : plain_check_finish(&state, why);
}

static void plain_form_is_insisted_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(TEXTS); i++) {
		for (size_t cut = 0; cut <= TEXTS[i].size; cut++) {
			struct refusal why = {FAULT_NONE, ""};
			enum fault fault = check(i, cut, &why);

			if (fault != (TEXTS[i].place == NULL ? FAULT_NONE : FAULT_PLAIN_FORM) ||
			    (TEXTS[i].place != NULL && strstr(why.line, TEXTS[i].place) == NULL))
				fail_msg("text %zu cut at %zu: %s", i, cut, why.line);
		}
	}
}

static void json_keeps_its_bounds(void **state)
{
	static const char *const good[] = {"{}", "[]", " [1, {\"a\": [\"]\"]}]\n", "{\"a\": \"[[[,,,\"}"};
	static const char *const bad[] = {
		"",     "1",   "\"a\"",         "[1]]", "[1],\"\":[2]", "[1],\"x\":2", "[1]}", "{\"a\":1,\"a\":1}",
		"[1,]", "{}x", "\xef\xbb\xbf{}"};
	_cleanup_free_ char *wide = xmalloc(2 * LIMIT_JSON_VALUES + 3), *deep = xmalloc(200);
	struct refusal why;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(plain_check_json(good[i], strlen(good[i]), &why), FAULT_NONE);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (plain_check_json(bad[i], strlen(bad[i]), &why) != FAULT_DOCUMENT)
			fail_msg("accepted: %s", bad[i]);
	}
	wide[0] = '[';
	for (size_t i = 0; i < LIMIT_JSON_VALUES; i++)
		memcpy(wide + 1 + 2 * i, "1,", 2);
	memcpy(wide + 1 + 2 * LIMIT_JSON_VALUES, "1]", 2);
	assert_int_equal(plain_check_json(wide, 2 * LIMIT_JSON_VALUES + 3, &why), FAULT_DOCUMENT);
	assert_non_null(strstr(why.line, "values"));
	memset(deep, '[', 100);
	memset(deep + 100, ']', 100);
	assert_int_equal(plain_check_json(deep, 200, &why), FAULT_DOCUMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_form_is_insisted_on),
		cmocka_unit_test(json_keeps_its_bounds),
	};

	json_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
