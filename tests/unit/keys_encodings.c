/* SPDX-License-Identifier: ISC
 *
 * A target's `custom`: what is written is read back; anything else of formats 1 and 2 is refused, and another format as such.
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
#define BASE64 "ba5eba5eba5eba5eba5eba5eba5eba5eba5eba5eba5eba5eba5eba5eba5eba5e"
#define PART "{\"sha256\": \"" HEX64 "\", \"length\": 12}"
#define CUSTOM(encodings) "{\"format\": \"clapet target 1\", \"encodings\": " encodings "}"
#define CUSTOM2(encodings) "{\"format\": \"clapet target 2\", \"encodings\": " encodings "}"

/* The target's own. */
static const struct sha256 plain = {{7, 7, 7}};

static void assert_same_parts(const struct blob *a, const struct blob *b)
{
	assert_int_equal(a->n_parts, b->n_parts);
	for (size_t i = 0; i < a->n_parts; i++) {
		assert_true(sha256_equal(&a->parts[i].sha256, &b->parts[i].sha256));
		assert_int_equal(a->parts[i].length, b->parts[i].length);
	}
}

static void test_round_trip(void **state)
{
	struct blob_part parts[3] = {{{{1, 2}}, 1}, {{{0xff}}, LIMIT_PART_SIZE}, {{{9}}, 77}};
	struct blob_part base_parts[2] = {{{{3}}, 5}, {{{4}}, 6}};
	struct encoding encoding = {
		.blob = {.plain_sha256 = plain, .plain_length = 99, .parts = parts, .n_parts = 3},
		.base = {
			.plain_sha256 = {{0xba}}, .plain_length = LIMIT_PLAIN_SIZE, .parts = base_parts, .n_parts = 2}};

	(void)state;
	for (int is_patch = 0; is_patch < 2; is_patch++) {
		struct encoding again;
		json_t *custom;

		encoding.is_patch = is_patch != 0;
		custom = encodings_build(&encoding);
		assert_string_equal(json_string_value(json_object_get(custom, "format")),
				    is_patch ? "clapet target 2" : "clapet target 1");
		assert_int_equal(encodings_parse(custom, "cog/x.csv", &plain, 99, &again, NULL), FAULT_NONE);
		assert_int_equal(again.is_patch, is_patch);
		assert_true(sha256_equal(&again.blob.plain_sha256, &plain));
		assert_int_equal(again.blob.plain_length, 99);
		assert_same_parts(&again.blob, &encoding.blob);
		assert_int_equal(again.base.n_parts, is_patch ? 2 : 0);
		assert_int_equal(again.base.plain_length, is_patch ? LIMIT_PLAIN_SIZE : 0);
		if (is_patch) {
			assert_true(sha256_equal(&again.base.plain_sha256, &encoding.base.plain_sha256));
			assert_same_parts(&again.base, &encoding.base);
		}
		encoding_clear(&again);
		assert_null(again.blob.parts);
		json_decref(custom);
	}
}

static void assert_parse(const char *text, enum fault fault, const char *line)
{
	json_t *custom = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	struct encoding encoding = {.is_patch = false};
	struct refusal why = {FAULT_NONE, ""};

	assert_non_null(custom);
	assert_int_equal(encodings_parse(custom, "cog/x.csv", &plain, 99, &encoding, &why), fault);
	if (strstr(why.line, line) == NULL)
		fail_msg("%s\n# expected %s", why.line, line);
	assert_true((encoding.blob.parts == NULL) == (fault != FAULT_NONE));
	encoding_clear(&encoding);
	json_decref(custom);
}

static void test_closed_world(void **state)
{
	(void)state;
	assert_parse(CUSTOM("[{\"type\": \"zstd\", \"parts\": [" PART ", " PART "]}]"), FAULT_NONE, "");
	assert_parse("{}", FAULT_TUF_CUSTOM, "cog/x.csv");
	assert_parse("{\"format\": \"clapet target 3\", \"encodings\": []}", FAULT_TUF_CUSTOM,
		     "format 3, this reads 2");
	assert_parse("{\"format\": \"clapet target 0\", \"encodings\": []}", FAULT_TUF_CUSTOM,
		     "not \"clapet target 2\"");
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

#define PATCH(base) CUSTOM2("[{\"type\": \"patch\", \"base\": " base ", \"parts\": [" PART "]}]")
#define BASE(members) PATCH("{\"sha256\": \"" BASE64 "\"" members "}")

static void test_patch(void **state)
{
	(void)state;
	assert_parse(BASE(", \"length\": 5, \"parts\": [" PART ", " PART "]"), FAULT_NONE, "");
	assert_parse(BASE(", \"length\": 0, \"parts\": [" PART "]"), FAULT_NONE, "");
	assert_parse(CUSTOM2("[]"), FAULT_TUF_CUSTOM, "0 encodings");
	assert_parse(CUSTOM2("[{\"type\": \"zstd\", \"parts\": [" PART "]}]"), FAULT_TUF_CUSTOM,
		     "format 2 knows patch alone");
	assert_parse(CUSTOM2("[{\"type\": \"zstd\", \"parts\": [" PART "]}, {\"type\": \"patch\"}]"), FAULT_TUF_CUSTOM,
		     "2 encodings");
	assert_parse(CUSTOM2("[{\"type\": \"patch\", \"parts\": [" PART "]}]"), FAULT_TUF_CUSTOM, "base");
	assert_parse(CUSTOM2("[{\"type\": \"patch\", \"parts\": [" PART "], \"bases\": []}]"), FAULT_TUF_CUSTOM,
		     "bases");
	assert_parse(PATCH("[]"), FAULT_TUF_CUSTOM, "base");
	assert_parse(PATCH("\"" BASE64 "\""), FAULT_TUF_CUSTOM, "base");
	assert_parse(PATCH("{\"length\": 5, \"parts\": [" PART "]}"), FAULT_TUF_CUSTOM, "sha256");
	assert_parse(PATCH("{\"sha256\": \"BA5E\", \"length\": 5, \"parts\": [" PART "]}"), FAULT_TUF_CUSTOM,
		     "64 lower-case");
	assert_parse(BASE(", \"parts\": [" PART "]"), FAULT_TUF_CUSTOM, "length");
	assert_parse(BASE(", \"length\": -1, \"parts\": [" PART "]"), FAULT_TUF_CUSTOM, "length");
	assert_parse(BASE(", \"length\": 274877906944, \"parts\": [" PART "]"), FAULT_NONE, "");
	assert_parse(BASE(", \"length\": 274877906945, \"parts\": [" PART "]"), FAULT_TUF_CUSTOM, "length");
	assert_parse(BASE(", \"length\": 5"), FAULT_TUF_CUSTOM, "parts");
	assert_parse(BASE(", \"length\": 5, \"parts\": []"), FAULT_TUF_CUSTOM, "the base of: cog/x.csv: 0 parts");
	assert_parse(BASE(", \"length\": 5, \"parts\": [{\"length\": 1}]"), FAULT_TUF_CUSTOM, "the base of");
	assert_parse(BASE(", \"length\": 5, \"parts\": [" PART "], \"base\": {}"), FAULT_TUF_CUSTOM, "\"base\"");
	/* A base that is the target itself: a patch that needs what it makes. */
	assert_parse(PATCH("{\"sha256\": \"0707070000000000000000000000000000000000000000000000000000000000\", "
			   "\"length\": 99, \"parts\": [" PART "]}"),
		     FAULT_TUF_CUSTOM, "against the file that it makes");
}

/* N parts; of the base where IN_BASE. */
static json_t *custom_of(size_t n, bool in_base)
{
	json_t *parts = json_array(), *one = json_pack("[{s:s, s:i}]", "sha256", HEX64, "length", 1);

	for (size_t i = 0; i < n; i++)
		json_array_append_new(parts, json_pack("{s:s, s:i}", "sha256", HEX64, "length", 1));
	return json_pack("{s:s, s:[{s:s, s:{s:s, s:i, s:o}, s:o}]}", "format", "clapet target 2", "encodings", "type",
			 "patch", "base", "sha256", BASE64, "length", 1, "parts", in_base ? parts : one, "parts",
			 in_base ? one : parts);
}

static void test_too_many_parts(void **state)
{
	(void)state;
	for (int in_base = 0; in_base < 2; in_base++) {
		struct encoding encoding = {.is_patch = false};
		struct refusal why = {FAULT_NONE, ""};
		json_t *custom = custom_of(LIMIT_PARTS + 1, in_base != 0);

		assert_int_equal(encodings_parse(custom, "cog/x.csv", &plain, 99, &encoding, &why), FAULT_TUF_CUSTOM);
		assert_non_null(strstr(why.line, "1025 parts"));
		json_decref(custom);
		custom = custom_of(LIMIT_PARTS, in_base != 0);
		assert_int_equal(encodings_parse(custom, "cog/x.csv", &plain, 99, &encoding, &why), FAULT_NONE);
		assert_int_equal(in_base ? encoding.base.n_parts : encoding.blob.n_parts, LIMIT_PARTS);
		encoding_clear(&encoding);
		json_decref(custom);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_closed_world),   cmocka_unit_test(test_parts),
		cmocka_unit_test(test_patch),      cmocka_unit_test(test_too_many_parts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
