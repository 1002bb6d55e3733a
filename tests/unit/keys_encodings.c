/* SPDX-License-Identifier: ISC
 *
 * A target's `custom`: what is written is read back; anything else of format 1 is refused, and another format as such.
 */
#include "keys/encodings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bundle/json.h"
#include "bundle/limits.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define PART "{\"sha256\": \"" HEX64 "\", \"length\": 12}"
#define CUSTOM(encodings) "{\"format\": \"clapet target 1\", \"encodings\": " encodings "}"

static void test_round_trip(void **state)
{
	struct blob_part parts[3] = {{{{1, 2}}, 1}, {{{0xff}}, LIMIT_PART_SIZE}, {{{9}}, 77}};
	struct blob blob = {.parts = parts, .n_parts = 3}, again = {.parts = NULL};
	json_t *custom = encodings_build(&blob);

	(void)state;
	assert_int_equal(encodings_parse(custom, "cog/x.csv", &again, NULL), FAULT_NONE);
	assert_int_equal(again.n_parts, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_true(sha256_equal(&again.parts[i].sha256, &parts[i].sha256));
		assert_int_equal(again.parts[i].length, parts[i].length);
	}
	free(again.parts);
	json_decref(custom);
}

static void assert_parse(const char *text, enum fault fault, const char *line)
{
	json_t *custom = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	struct blob blob = {.parts = NULL};
	struct refusal why = {FAULT_NONE, ""};

	assert_non_null(custom);
	assert_int_equal(encodings_parse(custom, "cog/x.csv", &blob, &why), fault);
	if (strstr(why.line, line) == NULL)
		fail_msg("%s\n# expected %s", why.line, line);
	assert_true((blob.parts == NULL) == (fault != FAULT_NONE));
	free(blob.parts);
	json_decref(custom);
}

static void test_closed_world(void **state)
{
	(void)state;
	assert_parse(CUSTOM("[{\"type\": \"zstd\", \"parts\": [" PART ", " PART "]}]"), FAULT_NONE, "");
	assert_parse("{}", FAULT_TUF_CUSTOM, "cog/x.csv");
	assert_parse("{\"format\": \"clapet target 2\", \"encodings\": []}", FAULT_TUF_CUSTOM, "2");
	assert_parse("{\"format\": \"clapet target 1\"}", FAULT_TUF_CUSTOM, "encodings");
	assert_parse("{\"format\": \"clapet target 1\", \"encodings\": [], \"bases\": []}", FAULT_TUF_CUSTOM, "bases");
	assert_parse(CUSTOM("{}"), FAULT_TUF_CUSTOM, "encodings");
	assert_parse(CUSTOM("[]"), FAULT_TUF_CUSTOM, "0 encodings");
	assert_parse(
		CUSTOM("[{\"type\": \"zstd\", \"parts\": [" PART "]}, {\"type\": \"zstd\", \"parts\": [" PART "]}]"),
		FAULT_TUF_CUSTOM, "2 encodings");
	assert_parse(CUSTOM("[1]"), FAULT_TUF_CUSTOM, "must be an object");
	assert_parse(CUSTOM("[{\"type\": \"patch\", \"parts\": [" PART "]}]"), FAULT_TUF_CUSTOM, "knows zstd alone");
	assert_parse(CUSTOM("[{\"parts\": [" PART "]}]"), FAULT_TUF_CUSTOM, "type");
	assert_parse(CUSTOM("[{\"type\": \"zstd\"}]"), FAULT_TUF_CUSTOM, "parts");
	assert_parse(CUSTOM("[{\"type\": \"zstd\", \"parts\": []}]"), FAULT_TUF_CUSTOM, "0 parts");
	assert_parse(CUSTOM("[{\"type\": \"zstd\", \"parts\": [" PART "], \"base\": 1}]"), FAULT_TUF_CUSTOM, "base");
}

#define ONE(part) CUSTOM("[{\"type\": \"zstd\", \"parts\": [" PART ", " part "]}]")

static void test_parts(void **state)
{
	(void)state;
	assert_parse(ONE("7"), FAULT_TUF_CUSTOM, "a part must be an object");
	assert_parse(ONE("{\"length\": 1}"), FAULT_TUF_CUSTOM, "sha256");
	assert_parse(ONE("{\"sha256\": \"" HEX64 "\"}"), FAULT_TUF_CUSTOM, "length");
	assert_parse(ONE("{\"sha256\": \"" HEX64 "\", \"length\": 0}"), FAULT_TUF_CUSTOM, "length");
	assert_parse(ONE("{\"sha256\": \"" HEX64 "\", \"length\": 1.0}"), FAULT_TUF_CUSTOM, "length");
	assert_parse(ONE("{\"sha256\": \"" HEX64 "\", \"length\": 1073741824}"), FAULT_NONE, "");
	assert_parse(ONE("{\"sha256\": \"" HEX64 "\", \"length\": 1073741825}"), FAULT_TUF_CUSTOM, "length");
	assert_parse(ONE("{\"sha256\": \"" HEX64 "\", \"length\": 1, \"offset\": 0}"), FAULT_TUF_CUSTOM, "offset");
	assert_parse(ONE("{\"sha256\": \"" HEX64 "0\", \"length\": 1}"), FAULT_TUF_CUSTOM, "64 lower-case");
	assert_parse(ONE("{\"sha256\": \"ABCDEF\", \"length\": 1}"), FAULT_TUF_CUSTOM, "64 lower-case");
}

static void test_too_many_parts(void **state)
{
	struct blob blob = {.parts = NULL};
	struct refusal why = {FAULT_NONE, ""};
	json_t *parts = json_array(), *custom;

	(void)state;
	for (int i = 0; i <= LIMIT_PARTS; i++)
		json_array_append_new(parts, json_pack("{s:s, s:i}", "sha256", HEX64, "length", 1));
	custom = json_pack("{s:s, s:[{s:s, s:o}]}", "format", "clapet target 1", "encodings", "type", "zstd", "parts",
			   parts);
	assert_int_equal(encodings_parse(custom, "cog/x.csv", &blob, &why), FAULT_TUF_CUSTOM);
	assert_non_null(strstr(why.line, "1025 parts"));
	json_array_remove(parts, 0);
	assert_int_equal(encodings_parse(custom, "cog/x.csv", &blob, &why), FAULT_NONE);
	assert_int_equal(blob.n_parts, LIMIT_PARTS);
	free(blob.parts);
	json_decref(custom);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_closed_world),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_too_many_parts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
