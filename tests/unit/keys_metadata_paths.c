/* SPDX-License-Identifier: ISC
 *
 * Which paths a delegation covers, and what files are called.
 */
#include "keys/metadata.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/json.h"

static void test_patterns(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool matches;
	} cases[] = {
		/* The specification's own examples (4.5). */
		{"targets/*.tgz", "targets/foo.tgz", true},
		{"targets/*.tgz", "targets/bar.tgz", true},
		{"targets/*.tgz", "targets/foo.txt", false},
		{"foo-version-?.tgz", "foo-version-2.tgz", true},
		{"foo-version-?.tgz", "foo-version-a.tgz", true},
		{"foo-version-?.tgz", "foo-version-alpha.tgz", false},
		{"*.tgz", "foo.tgz", true},
		{"*.tgz", "targets/foo.tgz", false},
		{"foo.tgz", "foo.tgz", true},
		{"foo.tgz", "FOO.tgz", false},
		/* No wildcard is a "/". */
		{"*", "a", true},
		{"*", "a/b", false},
		{"*", "", true},
		{"*/*", "a/b", true},
		{"*/*", "a/b/c", false},
		{"a/*", "a/", true},
		{"a?b", "a/b", false},
		{"a[/]b", "a/b", false},
		{"a[!x]b", "a/b", false},
		{"a/*/c", "a/b/c", true},
		{"a/*/c", "a/b/b/c", false},
		{"*/z/*", "x/z/y", true},
		/* A star gives back. */
		{"*a*b", "xaxb", true},
		{"*a*b", "aab", true},
		{"*ab", "aab", true},
		{"*ab*cd*", "abxcdcx", true},
		{"a**b", "ab", true},
		{"*abc", "ababx", false},
		{"**", "", true},
		{"*?", "", false},
		{"?*", "x", true},
		/* Sets. */
		{"v[0-9].csv", "v7.csv", true},
		{"v[0-9].csv", "vx.csv", false},
		{"v[!0-9].csv", "vx.csv", true},
		{"v[!0-9].csv", "v7.csv", false},
		{"[]x]", "]", true},
		{"[!]x]", "]", false},
		{"[!]x]", "y", true},
		{"[a-]", "-", true},
		{"[a-]", "b", false},
		{"[ac-eg]", "d", true},
		{"[ac-eg]", "f", false},
		{"[x", "[x", true},
		{"[x", "x", false},
		/* Nothing is an escape; a name that begins with a dot is a name. */
		{"\\*", "\\x", true},
		{"\\*", "*", false},
		{"*", ".hidden", true},
		/* One character is one character. */
		{"?", "\xc3\xa9", true},
		{"??", "\xc3\xa9", false},
		{"caf[\xc3\xa0-\xc3\xbc].csv", "caf\xc3\xa9.csv", true},
		{"\xc3\xa9*", "\xc3\xa9t\xc3\xa9", true},
		{"", "", true},
		{"", "a", false},
		{"a", "", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (tuf_pattern_matches(cases[i].pattern, cases[i].path) != cases[i].matches)
			fail_msg("\"%s\" and \"%s\"", cases[i].pattern, cases[i].path);
}

/* What takes a naive matcher exponential time. */
static void test_many_stars(void **state)
{
	char pattern[4001], path[8001];

	(void)state;
	for (size_t i = 0; i < 4000; i += 2)
		memcpy(pattern + i, "*a", 2);
	pattern[3999] = 'b';
	pattern[4000] = '\0';
	memset(path, 'a', 8000);
	path[8000] = '\0';
	assert_false(tuf_pattern_matches(pattern, path));
	path[7999] = 'b';
	assert_true(tuf_pattern_matches(pattern, path));
}

static bool covers(const char *paths, const char *prefixes, const char *path)
{
	_cleanup_(json_decrefp) json_t *paths_json = paths != NULL ? json_loads(paths, 0, NULL) : NULL;
	_cleanup_(json_decrefp) json_t *prefixes_json = prefixes != NULL ? json_loads(prefixes, 0, NULL) : NULL;
	struct tuf_delegation delegation = {.paths = paths_json, .prefixes = prefixes_json};
	struct sha256 sha256;

	hash_bytes(path, strlen(path), &sha256);
	return tuf_delegation_covers(&delegation, path, &sha256);
}

/* printf %s file.txt | sha256sum: aadf327c… */
static void test_delegations(void **state)
{
	(void)state;
	assert_true(covers("[\"x\", \"file.*\"]", NULL, "file.txt"));
	assert_false(covers("[\"x\", \"y\"]", NULL, "file.txt"));
	assert_false(covers("[]", NULL, "file.txt"));
	assert_true(covers(NULL, "[\"00\", \"aad\"]", "file.txt"));
	assert_true(covers(NULL, "[\"a\"]", "file.txt"));
	assert_false(covers(NULL, "[\"aae\"]", "file.txt"));
	assert_false(covers(NULL, "[]", "file.txt"));
	assert_true(covers(NULL, "[\"aadf327c8267c09d6fffd87a1a80ad3c798469ff332b7a57b9e8c045d46b2af7\"]", "file.txt"));
	assert_false(
		covers(NULL, "[\"aadf327c8267c09d6fffd87a1a80ad3c798469ff332b7a57b9e8c045d46b2af8\"]", "file.txt"));
}

static void test_bins(void **state)
{
	static const struct {
		unsigned bits;
		const char *role;
	} cases[] = {{1, "bin-1"},     {2, "bin-2"},         {3, "bin-5"},        {4, "bin-a"},    {5, "bin-15"},
		     {8, "bin-aa"},    {9, "bin-155"},       {10, "bin-2ab"},     {12, "bin-aad"}, {14, "bin-2ab7"},
		     {16, "bin-aadf"}, {31, "bin-556f993e"}, {32, "bin-aadf327c"}};
	char role[LIMIT_ROLE_NAME_SIZE];
	struct sha256 sha256;

	(void)state;
	hash_bytes("file.txt", 8, &sha256);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tuf_bins bins = {.bit_length = cases[i].bits, .prefix = "bin"};

		tuf_bins_role(&bins, &sha256, role);
		assert_string_equal(role, cases[i].role);
	}
}

static void test_file_names(void **state)
{
	char name[LIMIT_ROLE_FILE_SIZE], longest[LIMIT_ROLE_NAME_SIZE];

	(void)state;
	tuf_file_name(3, "cog", name);
	assert_string_equal(name, "3.cog.json");
	tuf_file_name(0, "cog", name);
	assert_string_equal(name, "cog.json");
	tuf_file_name(1, "../delegated role", name);
	assert_string_equal(name, "1...%2Fdelegated%20role.json");
	tuf_file_name(0, "?#%\xc3\xa9~_-.", name);
	assert_string_equal(name, "%3F%23%25%C3%A9~_-..json");
	memset(longest, '/', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	tuf_file_name(LIMIT_VERSION, longest, name);
	assert_int_equal(strlen(name), 16 + 1 + 3 * 80 + 5);
}

static void test_target_file_names(void **state)
{
	struct tuf_target target = {.path = "a b/c/file.txt", .hashes = TUF_HASH_SHA256 | TUF_HASH_SHA512};
	char name[512];

	(void)state;
	hash_bytes("file.txt", 8, &target.sha256);
	memset(&target.sha512, 0xab, sizeof(target.sha512));
	assert_true(tuf_target_file_name(&target, false, name, sizeof(name)));
	assert_string_equal(name, "a%20b/c/file.txt");
	assert_true(tuf_target_file_name(&target, true, name, sizeof(name)));
	assert_string_equal(name, "a%20b/c/aadf327c8267c09d6fffd87a1a80ad3c798469ff332b7a57b9e8c045d46b2af7.file.txt");
	target.path = "file.txt";
	target.hashes = TUF_HASH_SHA512;
	assert_true(tuf_target_file_name(&target, true, name, sizeof(name)));
	assert_int_equal(strlen(name), 128 + 1 + 8);
	assert_memory_equal(name, "abababab", 8);
	assert_false(tuf_target_file_name(&target, true, name, 137));
	assert_true(tuf_target_file_name(&target, true, name, 138));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns),    cmocka_unit_test(test_many_stars),
		cmocka_unit_test(test_delegations), cmocka_unit_test(test_bins),
		cmocka_unit_test(test_file_names),  cmocka_unit_test(test_target_file_names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	hash_init();
	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
