/* SPDX-License-Identifier: ISC
 *
 * What the outside says of a version: composed here from a made-up run, read back by the strict reader, compared member by member.
 * (tests/e2e/provenance.sh does the same with true runs and other people's tools.)
 */
#include "outside/provenance.h"

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
#include "base/text.h"
#include "bundle/json.h"

#define NOW 1795305600LL /* 2026-11-22T00:00:00Z */

/* One run over two resources of one body: a table, and a file that nobody can check. */
struct bench {
	struct agent agent;
	struct source source;
	struct source_body body;
	struct source_resource wanted[2];
	struct pipeline_body fetched;
	struct pipeline_resource found[2];
	struct pipeline pipeline;
	struct state_version version;
	json_t *descriptor, *report;
};

static void bench_make(struct bench *bench)
{
	static const char package[] =
		"{\"name\": \"cog\", \"resources\": [{\"name\": \"a\", \"path\": \"https://e.org/x.zip\", \"format\": "
		"\"csv\","
		"\"encoding\": \"iso-8859-1\", \"dialect\": {\"delimiter\": \";\"}}, {\"name\": \"b\", \"path\": "
		"\"https://e.org/x.zip\"}]}";
	static const char descriptor[] =
		"{\"resources\": [{\"name\": \"a\", \"sources\": [{\"hash\": \"sha256:01\"}, {\"hash\": "
		"\"sha256:02\"}],"
		"\"clapet\": {\"rows\": 5}, \"schema\": {\"fields\": [{\"name\": \"x\", \"constraints\": "
		"{\"required\": true,"
		"\"unique\": false, \"pattern\": \"^a$\"}}], \"primaryKey\": \"x\", \"foreignKeys\": []}},"
		"{\"name\": \"b\", \"clapet\": {\"opaque\": true}}]}";
	static const char report[] = "{\"tasks\": [{\"name\": \"a\", \"tallies\": [],"
				     "\"stats\": {\"errors\": 0, \"warnings\": 0}}]}";
	struct refusal why;
	struct state_file *file;

	memset(bench, 0, sizeof(*bench));
	bench->agent.now = NOW;
	text_copy(bench->source.name, sizeof(bench->source.name), "cog");
	assert_int_equal(package_parse(package, strlen(package), NULL, NULL, &bench->source.package, &why), FAULT_NONE);
	bench->body.url = "https://me:secret@e.org/x.zip";
	bench->wanted[0] = (struct source_resource){.name = "a", .member = "a.csv"};
	bench->wanted[1] = (struct source_resource){.name = "b", .opaque = true};
	bench->source.bodies = &bench->body;
	bench->source.n_bodies = 1;
	bench->source.resources = bench->wanted;
	bench->source.n_resources = 2;
	text_copy(bench->fetched.file_name, sizeof(bench->fetched.file_name), "body-0");
	text_copy(bench->fetched.etag, sizeof(bench->fetched.etag), "\"e\"");
	text_copy(bench->fetched.effective_url, sizeof(bench->fetched.effective_url), "https://cdn.e.org/x.zip");
	bench->fetched.size = 77;
	bench->fetched.status = 200;
	bench->fetched.fetched_at = NOW + 1;
	bench->fetched.sha256.bytes[0] = 3;
	text_copy(bench->found[0].raw_name, sizeof(bench->found[0].raw_name), "raw-0");
	text_copy(bench->found[0].file_name, sizeof(bench->found[0].file_name), "a.csv");
	text_copy(bench->found[1].raw_name, sizeof(bench->found[1].raw_name), "body-0");
	text_copy(bench->found[1].file_name, sizeof(bench->found[1].file_name), "b.zip");
	bench->pipeline = (struct pipeline){
		.agent = &bench->agent, .source = &bench->source, .bodies = &bench->fetched, .resources = bench->found};
	file = state_version_add(&bench->version, "a.csv");
	file->sha256.bytes[0] = 4;
	file->rows = 5;
	file->published_sha256 = bench->fetched.sha256;
	state_version_add(&bench->version, "b.zip");
	state_version_add(&bench->version, "datapackage.json");
	state_version_add(&bench->version, attestation_file(ATTESTATION_PROVENANCE));
	assert_int_equal(json_parse(descriptor, strlen(descriptor), 1 << 20, &bench->descriptor, &why), FAULT_NONE);
	assert_int_equal(json_parse(report, strlen(report), 1 << 20, &bench->report, &why), FAULT_NONE);
}

static void bench_clear(struct bench *bench)
{
	package_free(bench->source.package);
	state_version_clear(&bench->version);
	json_decref(bench->descriptor);
	json_decref(bench->report);
}

/* The composed statement, read back as the inside reads it. */
static struct statement *compose(struct bench *bench, enum attestation attestation)
{
	_cleanup_free_ char *text = NULL;
	struct statement *statement = NULL;
	struct refusal why = {FAULT_NONE, ""};

	if (attestation == ATTESTATION_PROVENANCE)
		provenance_compose(&bench->pipeline, bench->descriptor, &bench->version, NOW + 5, &text, &why);
	else
		testresult_compose(&bench->pipeline, bench->descriptor, bench->report, &bench->version, &text, &why);
	if (why.fault != FAULT_NONE || statement_parse(text, strlen(text), &statement, &why) != FAULT_NONE ||
	    statement_check(statement, attestation, &why) != FAULT_NONE)
		fail_msg("%s", why.line);
	return statement;
}

/* The texts of ARRAY with blanks between. */
static void expect_list(const json_t *object, const char *key, const char *expected)
{
	const json_t *array = json_object_get(object, key);
	char text[1024] = "";

	for (size_t i = 0; i < json_array_size(array); i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i == 0 ? "" : " ",
			 json_string_value(json_array_get(array, i)));
	assert_string_equal(text, expected);
}

static void expect_json(const json_t *value, const char *expected)
{
	_cleanup_free_ char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);

	assert_non_null(text);
	assert_string_equal(text, expected);
}

static void test_subjects_are_the_files(void **state)
{
	_cleanup_(bench_clear) struct bench bench;
	_cleanup_(statement_freep) struct statement *statement = NULL;

	(void)state;
	bench_make(&bench);
	statement = compose(&bench, ATTESTATION_PROVENANCE);
	assert_int_equal(statement->n_subjects, 3); /* and not the attestation */
	assert_string_equal(statement->subjects[0].name, "cog/a.csv");
	assert_int_equal(statement->subjects[0].sha256.bytes[0], 4);
	assert_string_equal(statement->subjects[1].name, "cog/b.zip");
	assert_string_equal(statement->subjects[2].name, "cog/datapackage.json");
	expect_json(json_object_get(json_array_get(json_object_get(statement->json, "subject"), 0), "annotations"),
		    "{\"rows\":5}");
}

static void test_provenance(void **state)
{
	_cleanup_(bench_clear) struct bench bench;
	_cleanup_(statement_freep) struct statement *statement = NULL;
	const json_t *definition, *details;

	(void)state;
	bench_make(&bench);
	statement = compose(&bench, ATTESTATION_PROVENANCE);
	definition = json_object_get(statement->predicate, "buildDefinition");
	expect_json(
		json_object_get(definition, "externalParameters"),
		"{\"dataset\":\"cog\",\"resources\":[{\"dialect\":{\"delimiter\":\";\",\"header\":true,\"quoteChar\":"
		"\"\\\"\"},\"encoding\":\"iso-8859-1\",\"file\":\"a.csv\",\"member\":\"a.csv\",\"name\":\"a\","
		"\"transform\":\"plain\",\"url\":\"https://***@e.org/x.zip\"},{\"file\":\"b.zip\",\"name\":\"b\","
		"\"transform\":\"verbatim\",\"url\":\"https://***@e.org/x.zip\"}]}");
	expect_json(json_object_get(definition, "internalParameters"),
		    "{\"results\":[{\"name\":\"a\",\"readHash\":\"sha256:02\",\"unpacked\":true},"
		    "{\"name\":\"b\",\"unpacked\":false}]}");
	expect_json(
		json_array_get(json_object_get(definition, "resolvedDependencies"), 1),
		"{\"annotations\":{\"bytes\":77,\"etag\":\"\\\"e\\\"\",\"fetched\":\"2026-11-22T00:00:01Z\",\"status\":"
		"200},\"digest\":{\"sha256\":\"0300000000000000000000000000000000000000000000000000000000000000\"},"
		"\"downloadLocation\":\"https://cdn.e.org/x.zip\",\"uri\":\"https://***@e.org/x.zip\"}");
	details = json_object_get(statement->predicate, "runDetails");
	expect_json(json_object_get(details, "builder"),
		    "{\"id\":\"urn:clapet:outside:1\",\"version\":{\"clapet\":\"" CLAPET_VERSION "\"}}");
	expect_json(json_object_get(details, "metadata"),
		    "{\"finishedOn\":\"2026-11-22T00:00:05Z\",\"invocationId\":\"cog@2026-11-22T00:00:00Z\","
		    "\"startedOn\":\"2026-11-22T00:00:00Z\"}");
}

/* A file beside the source's description has a name and no address; a file: address no status. */
static void test_local_addresses(void **state)
{
	_cleanup_(bench_clear) struct bench bench;
	_cleanup_(statement_freep) struct statement *statement = NULL;
	const json_t *definition;

	(void)state;
	bench_make(&bench);
	bench.body.url = "x.zip";
	bench.fetched.status = 0;
	bench.fetched.etag[0] = bench.fetched.effective_url[0] = '\0';
	statement = compose(&bench, ATTESTATION_PROVENANCE);
	definition = json_object_get(statement->predicate, "buildDefinition");
	expect_json(json_array_get(json_object_get(definition, "resolvedDependencies"), 1),
		    "{\"annotations\":{\"bytes\":77,\"fetched\":\"2026-11-22T00:00:01Z\"},\"digest\":{\"sha256\":"
		    "\"0300000000000000000000000000000000000000000000000000000000000000\"},\"name\":\"x.zip\"}");
}

static void test_every_rule_has_a_name(void **state)
{
	_cleanup_(bench_clear) struct bench bench;
	_cleanup_(statement_freep) struct statement *statement = NULL;

	(void)state;
	bench_make(&bench);
	statement = compose(&bench, ATTESTATION_TEST_RESULT);
	expect_list(statement->predicate, "passedTests",
		    "a/labels a/cells a/x/type a/x/required a/x/pattern a/primaryKey a/foreignKeys");
	expect_list(statement->predicate, "warnedTests", "");
	expect_list(statement->predicate, "failedTests", "");
	expect_json(json_object_get(statement->predicate, "result"), "\"PASSED\"");
	expect_json(json_object_get(statement->predicate, "clapet_counts"),
		    "{\"failed\":0,\"faults\":0,\"passed\":7,\"rows\":5,\"warned\":0,\"warnings\":0}");
}

/* What the report says of a field moves its rules, and no others. */
static void test_warned_and_failed(void **state)
{
	_cleanup_(bench_clear) struct bench bench;
	_cleanup_(statement_freep) struct statement *warned = NULL, *failed = NULL, *broken = NULL;
	json_t *task, *tallies;

	(void)state;
	bench_make(&bench);
	task = json_array_get(json_object_get(bench.report, "tasks"), 0);
	tallies = json_object_get(task, "tallies");
	json_array_append_new(tallies, json_pack("{s:s, s:s, s:s, s:s, s:i}", "type", "type-error", "rule",
						 "type-error", "level", "warning", "fieldName", "x", "count", 3));
	json_array_append_new(tallies, json_pack("{s:s, s:s, s:s, s:s, s:i}", "type", "constraint-error", "rule",
						 "enum", "level", "warning", "fieldName", "y", "count", 1));
	warned = compose(&bench, ATTESTATION_TEST_RESULT);
	expect_json(json_object_get(warned->predicate, "result"), "\"WARNED\"");
	expect_list(warned->predicate, "warnedTests", "a/x/type");
	json_array_append_new(tallies, json_pack("{s:s, s:s, s:s, s:s, s:i}", "type", "constraint-error", "rule",
						 "pattern", "level", "error", "fieldName", "x", "count", 1));
	json_array_append_new(tallies, json_pack("{s:s, s:s, s:s, s:i}", "type", "extra-cell", "rule", "extra-cell",
						 "level", "error", "count", 1));
	failed = compose(&bench, ATTESTATION_TEST_RESULT);
	expect_json(json_object_get(failed->predicate, "result"), "\"FAILED\"");
	expect_list(failed->predicate, "failedTests", "a/cells a/x/pattern");
	expect_list(failed->predicate, "warnedTests", "a/x/type");
	expect_list(failed->predicate, "passedTests", "a/labels a/x/required a/primaryKey a/foreignKeys");
	/* A table that could not be read to its end passed nothing. */
	json_array_append_new(tallies, json_pack("{s:s, s:s, s:s, s:i}", "type", "source-error", "rule", "source-error",
						 "level", "error", "count", 1));
	broken = compose(&bench, ATTESTATION_TEST_RESULT);
	expect_list(broken->predicate, "passedTests", "");
}

/* More rules than can be named stand under their resource; more than a statement can hold is refused. */
static void test_bounds(void **state)
{
	_cleanup_(bench_clear) struct bench bench;
	_cleanup_(statement_freep) struct statement *statement = NULL;
	_cleanup_free_ char *text = NULL, *large = NULL;
	json_t *fields;
	struct refusal why;

	(void)state;
	bench_make(&bench);
	fields = json_object_get(
		json_object_get(json_array_get(json_object_get(bench.descriptor, "resources"), 0), "schema"), "fields");
	for (size_t i = 0; i < LIMIT_TESTS; i++)
		json_array_append_new(fields, json_pack("{s:o}", "name", json_sprintf("f%zu", i)));
	statement = compose(&bench, ATTESTATION_TEST_RESULT);
	expect_list(statement->predicate, "passedTests", "a/schema");
	large = xmalloc(LIMIT_STATEMENT_SIZE + 1);
	memset(large, 'x', LIMIT_STATEMENT_SIZE);
	large[LIMIT_STATEMENT_SIZE] = '\0';
	bench.wanted[0].member = large;
	assert_int_equal(provenance_compose(&bench.pipeline, bench.descriptor, &bench.version, NOW, &text, &why),
			 FAULT_ATTESTATION_FORM);
	assert_non_null(strstr(why.line, "at most 4194304"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_subjects_are_the_files), cmocka_unit_test(test_provenance),
		cmocka_unit_test(test_local_addresses),        cmocka_unit_test(test_every_rule_has_a_name),
		cmocka_unit_test(test_warned_and_failed),      cmocka_unit_test(test_bounds),
	};

	hash_init();
	json_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("outside_provenance", tests, NULL, NULL);
}
