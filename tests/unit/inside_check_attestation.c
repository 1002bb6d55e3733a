/* SPDX-License-Identifier: ISC
 *
 * Attestations before inside-check: two good ones, and every way in which the second half of a version may be about something else.
 */
#include "inside/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/envelope.h"
#include "bundle/json.h"
#include "bundle/statement.h"

#define TABLE "code,nom\n01,a\n"
#define PUBLISHED "000000000000000000000000000000000000000000000000000000000000000a"
#define PACKAGE                                                                                                        \
	"{\"name\":\"cog\",\"resources\":[{\"name\":\"communes\",\"path\":\"communes.csv\",\"format\":\"csv\","        \
	"\"schema\":{\"fields\":[{\"name\":\"code\"},{\"name\":\"nom\"}]},"                                            \
	"\"sources\":[{\"path\":\"https://e.org\",\"hash\":\"sha256:" PUBLISHED "\"}]}]}"

/* A version with both attestations; a test changes what it likes before judge(). */
struct bench {
	json_t *statements[ATTESTATION_N];
	char *envelopes[ATTESTATION_N]; /* made of the statements where NULL; "" leaves the file out */
	const char *payload_type;
};

static json_t *digest(const void *data, size_t size)
{
	struct sha256 sha256;
	char hex[SHA256_HEX_SIZE];

	hash_bytes(data, size, &sha256);
	sha256_to_hex(&sha256, hex);
	return json_pack("{s:s}", "sha256", hex);
}

static json_t *statement(enum attestation attestation, json_t *predicate)
{
	return json_pack("{s:s, s:[{s:s, s:o}, {s:s, s:o}], s:s, s:o}", "_type", STATEMENT_TYPE, "subject", "name",
			 "cog/communes.csv", "digest", digest(TABLE, strlen(TABLE)), "name", "cog/datapackage.json",
			 "digest", digest(PACKAGE, strlen(PACKAGE)), "predicateType",
			 attestation_predicate(attestation), "predicate", predicate);
}

static void bench_make(struct bench *bench)
{
	memset(bench, 0, sizeof(*bench));
	bench->payload_type = STATEMENT_PAYLOAD_TYPE;
	bench->statements[ATTESTATION_PROVENANCE] = statement(
		ATTESTATION_PROVENANCE,
		json_pack("{s:{s:s, s:{}, s:[{s:s, s:{s:s}}]}, s:{s:{s:s}}}", "buildDefinition", "buildType",
			  STATEMENT_BUILD_TYPE, "externalParameters", "resolvedDependencies", "uri", "https://e.org",
			  "digest", "sha256", PUBLISHED, "runDetails", "builder", "id", "x"));
	bench->statements[ATTESTATION_TEST_RESULT] = statement(
		ATTESTATION_TEST_RESULT,
		json_pack("{s:s, s:[], s:[s]}", "result", "PASSED", "configuration", "passedTests", "a"));
	assert_non_null(bench->statements[0]);
	assert_non_null(bench->statements[1]);
}

static char *seal(const json_t *json, const char *payload_type)
{
	_cleanup_free_ char *text = json_dumps(json, JSON_COMPACT), *type = xstrdup(payload_type);
	uint8_t sig[64] = {1};
	struct envelope_signature signature = {"k", sig, sizeof(sig)};
	struct envelope envelope = {type, (uint8_t *)text, strlen(text), &signature, 1};

	return envelope_encode(&envelope);
}

static void add_file(struct check_request *request, const char *name, const char *text)
{
	struct check_file *file = &request->files[request->n_files++];

	memset(file, 0, sizeof(*file));
	text_copy(file->target.dataset, sizeof(file->target.dataset), "cog");
	text_copy(file->target.file, sizeof(file->target.file), name);
	hash_bytes(text, strlen(text), &file->target.sha256);
	file->target.length = strlen(text);
	file->is_object = true;
	file->fd = memfd_create(name, 0);
	assert_int_equal(fd_write_all(file->fd, text, strlen(text)), 0);
}

/* Judges, clears, and compares: the refusal must be FAULT and its line hold WORD. */
static void expect(struct bench *bench, enum fault fault, const char *word)
{
	struct check_request request = {.in_force_fd = -1, .report_fd = -1};
	struct check_answer answer = {-1, NULL, 0};
	_cleanup_(package_freep) struct package *package = NULL;
	struct refusal why = {FAULT_NONE, ""};

	text_copy(request.version.dataset, sizeof(request.version.dataset), "cog");
	request.files = xcalloc(4, sizeof(*request.files));
	add_file(&request, "datapackage.json", PACKAGE);
	add_file(&request, "communes.csv", TABLE);
	for (enum attestation i = 0; i < ATTESTATION_N; i++) {
		if (bench->envelopes[i] == NULL)
			bench->envelopes[i] = seal(bench->statements[i], bench->payload_type);
		if (bench->envelopes[i][0] != '\0')
			add_file(&request, attestation_file(i), bench->envelopes[i]);
		free(bench->envelopes[i]);
		json_decref(bench->statements[i]);
	}
	assert_int_equal(package_parse(PACKAGE, strlen(PACKAGE), NULL, NULL, &package, &why), FAULT_NONE);
	check_attestations(&request, package, &answer, &why);
	if (why.fault != fault || strstr(why.line, word) == NULL)
		fail_msg("E%d %s\n# expected E%d %s", why.fault, why.line, fault, word);
	check_request_clear(&request);
}

static json_t *subjects(struct bench *bench, enum attestation attestation)
{
	return json_object_get(bench->statements[attestation], "subject");
}

static void test_good(void **state)
{
	struct bench bench;

	(void)state;
	bench_make(&bench);
	expect(&bench, FAULT_NONE, "");
	/* None at all is the policy's question. */
	bench_make(&bench);
	bench.envelopes[0] = xstrdup("");
	bench.envelopes[1] = xstrdup("");
	expect(&bench, FAULT_NONE, "");
}

static void test_one_is_missing(void **state)
{
	struct bench bench;

	(void)state;
	for (enum attestation i = 0; i < ATTESTATION_N; i++) {
		bench_make(&bench);
		bench.envelopes[i] = xstrdup("");
		expect(&bench, FAULT_ATTESTATION_FORM, "is missing: both attestations, or none");
	}
}

static void test_subjects(void **state)
{
	struct bench bench;

	(void)state;
	for (enum attestation i = 0; i < ATTESTATION_N; i++) {
		bench_make(&bench);
		json_array_remove(subjects(&bench, i), 0);
		expect(&bench, FAULT_ATTESTATION_SUBJECT, "cog/communes.csv is not among the subjects");

		bench_make(&bench);
		json_array_append_new(subjects(&bench, i),
				      json_pack("{s:s, s:o}", "name", "cog/more.csv", "digest", digest("", 0)));
		expect(&bench, FAULT_ATTESTATION_SUBJECT, "subject cog/more.csv is no file of this version");

		bench_make(&bench);
		json_object_set_new(json_array_get(subjects(&bench, i), 0), "digest", digest("x", 1));
		expect(&bench, FAULT_ATTESTATION_SUBJECT, "subject cog/communes.csv has another SHA-256");

		bench_make(&bench);
		json_object_set_new(json_array_get(subjects(&bench, i), 0), "name", json_string("sirene/communes.csv"));
		expect(&bench, FAULT_ATTESTATION_SUBJECT, "cog/communes.csv is not among the subjects");
	}
	/* An attestation does not vouch for itself or for the other. */
	bench_make(&bench);
	json_array_append_new(subjects(&bench, 1),
			      json_pack("{s:s, s:o}", "name", "cog/provenance.intoto.json", "digest", digest("", 0)));
	expect(&bench, FAULT_ATTESTATION_SUBJECT, "cog/provenance.intoto.json is no file");
}

static void test_kinds(void **state)
{
	struct bench bench;
	json_t *swap;

	(void)state;
	bench_make(&bench);
	json_object_set_new(bench.statements[0], "_type", json_string("https://in-toto.io/Statement/v0.1"));
	expect(&bench, FAULT_ATTESTATION_FORM, "provenance.intoto.json: _type");
	/* Each under the other's name. */
	bench_make(&bench);
	swap = bench.statements[0];
	bench.statements[0] = bench.statements[1];
	bench.statements[1] = swap;
	expect(&bench, FAULT_ATTESTATION_FORM,
	       "predicateType \"https://in-toto.io/attestation/test-result/v0.1\", not");
	bench_make(&bench);
	bench.payload_type = "text/plain";
	expect(&bench, FAULT_ATTESTATION_FORM, "payloadType \"text/plain\"");
	bench_make(&bench);
	json_object_set_new(json_object_get(bench.statements[1], "predicate"), "result", json_string("FAILED"));
	expect(&bench, FAULT_ATTESTATION_FORM, "test-result.intoto.json: result \"FAILED\"");
	bench_make(&bench);
	json_object_set_new(json_object_get(bench.statements[1], "predicate"), "result", json_string("FAILED"));
	json_object_set_new(json_object_get(bench.statements[1], "predicate"), "failedTests",
			    json_pack("[s]", "communes/cells"));
	expect(&bench, FAULT_ATTESTATION_FAILED, "1 tests failed, the first is communes/cells");
}

/* The package says that it came from other bytes than the provenance. */
static void test_published_digest(void **state)
{
	struct bench bench;
	json_t *definition;

	(void)state;
	bench_make(&bench);
	definition = json_object_get(json_object_get(bench.statements[0], "predicate"), "buildDefinition");
	json_object_set_new(json_array_get(json_object_get(definition, "resolvedDependencies"), 0), "digest",
			    digest("x", 1));
	expect(&bench, FAULT_ATTESTATION_SUBJECT, "resource communes: its digest as published");
}

static void test_envelopes(void **state)
{
	struct bench bench;
	size_t size = LIMIT_ENVELOPE_SIZE + 1;

	(void)state;
	bench_make(&bench);
	bench.envelopes[0] = xstrdup("{\"payload\":\"e30\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"AAAA\"}]}");
	expect(&bench, FAULT_ENVELOPE_FORM, "provenance.intoto.json: envelope: \"payload\" is not base64");
	bench_make(&bench);
	bench.envelopes[1] = xstrdup("{\"payload\":\"e30=\",\"payloadType\":\"t\",\"signatures\":[]}");
	expect(&bench, FAULT_ENVELOPE_FORM, "test-result.intoto.json: 0 signatures");
	bench_make(&bench);
	bench.envelopes[0] = xmalloc(size + 1);
	memset(bench.envelopes[0], ' ', size);
	bench.envelopes[0][size] = '\0';
	expect(&bench, FAULT_ATTESTATION_FORM, "provenance.intoto.json: 6291457 bytes, at most 6291456");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),  cmocka_unit_test(test_one_is_missing),   cmocka_unit_test(test_subjects),
		cmocka_unit_test(test_kinds), cmocka_unit_test(test_published_digest), cmocka_unit_test(test_envelopes),
	};

	hash_init();
	json_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("inside_check_attestation", tests, NULL, NULL);
}
