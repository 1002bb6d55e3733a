/* SPDX-License-Identifier: ISC
 *
 * In-toto statements: the evil ones of tests/evil/bundle_statement by their names, what is tolerated, and which files a statement covers.
 */
#include "bundle/statement.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"

#define EVIL "tests/evil/bundle_statement/"
#define DIGEST "\"0000000000000000000000000000000000000000000000000000000000000001\""
#define SUBJECT(NAME) "{\"name\":\"" NAME "\",\"digest\":{\"sha256\":" DIGEST "}}"
#define STATEMENT(SUBJECTS, TYPE, PREDICATE)                                                                           \
	"{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[" SUBJECTS "],\"predicateType\":\"" TYPE          \
	"\",\"predicate\":" PREDICATE "}"
#define PROVENANCE                                                                                                     \
	"{\"buildDefinition\":{\"buildType\":\"urn:clapet:sync:1\",\"externalParameters\":{},"                         \
	"\"resolvedDependencies\":[{\"uri\":\"https://e.org\"}]},\"runDetails\":{\"builder\":{\"id\":\"x\"}}}"

static enum fault read_text(const char *text, enum attestation attestation, struct refusal *why)
{
	_cleanup_(statement_freep) struct statement *statement = NULL;
	enum fault fault = statement_parse(text, strlen(text), &statement, why);

	return fault != FAULT_NONE ? fault : statement_check(statement, attestation, why);
}

static void test_good(void **state)
{
	struct refusal why;

	(void)state;
	assert_int_equal(read_text(STATEMENT(SUBJECT("cog/a.csv"), STATEMENT_PROVENANCE, PROVENANCE),
				   ATTESTATION_PROVENANCE, &why),
			 FAULT_NONE);
	assert_int_equal(read_text(STATEMENT(SUBJECT("a"), STATEMENT_TEST_RESULT,
					     "{\"result\":\"PASSED\",\"configuration\":[]}"),
				   ATTESTATION_TEST_RESULT, &why),
			 FAULT_NONE);
	assert_int_equal(read_text(STATEMENT(SUBJECT("a"), STATEMENT_TEST_RESULT,
					     "{\"result\":\"FAILED\",\"configuration\":[],\"failedTests\":[\"x\"],"
					     "\"warnedTests\":[\"y\"],\"unknown\":1}"),
				   ATTESTATION_TEST_RESULT, &why),
			 FAULT_NONE);
	assert_int_equal(read_text(STATEMENT(SUBJECT("a"), STATEMENT_TEST_RESULT,
					     "{\"result\":\"WARNED\",\"configuration\":[],\"warnedTests\":[\"y\"]}"),
				   ATTESTATION_TEST_RESULT, &why),
			 FAULT_NONE);
	assert_true(attestation_is_file("provenance.intoto.json"));
	assert_true(attestation_is_file("test-result.intoto.json"));
	assert_false(attestation_is_file("provenance.json"));
}

/* Each evil file, and a word of its refusal. */
static void test_evil(void **state)
{
	static const struct {
		const char *file, *word;
		enum attestation attestation;
	} cases[] = {
		{"another-type.json", "_type \"https://in-toto.io/Statement/v0.1\"", 0},
		{"no-type.json", "_type", 0},
		{"no-subjects.json", "0 subjects", 0},
		{"subject-without-name.json", "name", 0},
		{"subject-without-digest.json", "digest", 0},
		{"subject-sha512-only.json", "sha256", 0},
		{"subject-upper-case.json", "sha256", 0},
		{"subject-twice.json", "twice", 0},
		{"subject-long-name.json", "bytes", 0},
		{"duplicate-key.json", "predicateType", 0},
		{"another-predicate.json", "predicateType \"https://slsa.dev/provenance/v0.2\"", 0},
		{"no-predicate.json", "predicate", 0},
		{"another-build-type.json", "buildType \"urn:clapet:sync:2\"", 0},
		{"no-builder.json", "builder", 0},
		{"dependency-without-all.json", "neither uri nor digest", 0},
		{"dependency-short-digest.json", "a sha256 is none", 0},
		{"result-unknown.json", "result \"OK\"", 1},
		{"result-passed-with-failed.json", "it is FAILED", 1},
		{"result-warned-without.json", "it is PASSED", 1},
		{"test-not-text.json", "warnedTests", 1},
		{"no-configuration.json", "configuration", 1},
		{"trailing.json", "line", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *path = xasprintf(EVIL "%s", cases[i].file);
		_cleanup_free_ uint8_t *data = NULL;
		struct refusal why = {FAULT_NONE, ""};
		size_t size;

		if (fd_load_file(AT_FDCWD, path, 1 << 20, &data, &size) < 0)
			fail_msg("%s: missing", path);
		if (read_text((const char *)data, cases[i].attestation, &why) != FAULT_ATTESTATION_FORM ||
		    strstr(why.line, cases[i].word) == NULL)
			fail_msg("%s: E%d %s", cases[i].file, why.fault, why.line);
	}
}

static void test_covers(void **state)
{
	_cleanup_(statement_freep) struct statement *statement = NULL;
	struct statement_subject files[3] = {{"cog/b.csv", {{0}}}, {"cog/a.csv", {{0}}}, {"cog/c.csv", {{0}}}};
	static const char text[] = STATEMENT(SUBJECT("cog/a.csv") "," SUBJECT("cog/b.csv"), STATEMENT_PROVENANCE,
					     PROVENANCE);
	struct refusal why;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		files[i].sha256.bytes[SHA256_SIZE - 1] = 1;
	assert_int_equal(statement_parse(text, strlen(text), &statement, &why), FAULT_NONE);
	assert_int_equal(statement_covers(statement, files, 2, &why), FAULT_NONE);
	assert_int_equal(statement_covers(statement, files, 3, &why), FAULT_ATTESTATION_SUBJECT);
	assert_string_equal(why.line, "cog/c.csv is not among the subjects");
	assert_int_equal(statement_covers(statement, files, 1, &why), FAULT_ATTESTATION_SUBJECT);
	assert_string_equal(why.line, "subject cog/a.csv is no file of this version");
	files[1].sha256.bytes[0] = 1;
	assert_int_equal(statement_covers(statement, files, 2, &why), FAULT_ATTESTATION_SUBJECT);
	assert_string_equal(why.line, "subject cog/a.csv has another SHA-256 than the file");
}

static void test_bound(void **state)
{
	size_t size = LIMIT_STATEMENT_SIZE + 1;
	_cleanup_free_ char *text = xmalloc(size + 1);
	struct refusal why;

	(void)state;
	memset(text, ' ', size);
	text[size] = '\0';
	memcpy(text, "{}", 2);
	assert_int_equal(read_text(text, ATTESTATION_PROVENANCE, &why), FAULT_ATTESTATION_FORM);
	assert_non_null(strstr(why.line, "4194304"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_evil),
		cmocka_unit_test(test_covers),
		cmocka_unit_test(test_bound),
	};

	json_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("bundle_statement", tests, NULL, NULL);
}
