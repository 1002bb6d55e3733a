/* SPDX-License-Identifier: ISC
 *
 * package: resources, dialects in their spellings, licences, references between resources; what is refused, and with
 * which words.
 */
#include "schemas/package.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/json.h"

/* Schemas by path: "good.json" is there. */
static enum fault load(void *ctx, const char *path, json_t **ret_schema, struct warnings *warnings, struct refusal *why)
{
	(void)ctx;
	(void)warnings;
	if (strcmp(path, "good.json") != 0)
		return refuse(why, FAULT_FILE, "%s: no such file", path);
	*ret_schema = json_loads("{\"fields\": [{\"name\": \"code\"}]}", 0, NULL);
	return FAULT_NONE;
}

static struct package *parse(const char *text, struct refusal *why)
{
	struct package *package = NULL;

	package_parse(text, strlen(text), load, NULL, &package, why);
	return package;
}

static void test_all(void **state)
{
	_cleanup_(package_freep) struct package *package = parse(
		"{\"name\": \"cog\", \"title\": \"COG\", \"created\": \"2022-02-21\","
		" \"licenses\": [{\"name\": \"LOV2\"}, {\"path\": \"https://x/\"}],"
		" \"resources\": ["
		"  {\"name\": \"regions\", \"path\": \"regions.csv\", \"schema\": \"good.json\", \"bytes\": 12, "
		"\"hash\": \"sha256:00\"},"
		"  {\"name\": \"communes\", \"path\": \"https://x/c.zip?a=b.html\", \"format\": \"csv\", \"encoding\": "
		"\"windows-1252\","
		"   \"dialect\": {\"delimiter\": \";\", \"quoteChar\": \"'\", \"header\": true, \"lineTerminator\": "
		"\"\\r\\n\"},"
		"   \"schema\": {\"fields\": [{\"name\": \"region\"}],"
		"    \"foreignKeys\": [{\"fields\": \"region\", \"reference\": {\"resource\": \"regions\", \"fields\": "
		"\"code\"}}]}},"
		"  {\"name\": \"table\", \"path\": \"https://x/t.tsv?q=1\", \"dialect\": {\"csv\": {\"delimiter\": "
		"\"\\t\", \"skipInitialSpace\": true}}},"
		"  {\"name\": \"map\", \"path\": \"map.json\", \"format\": \"json\"},"
		"  {\"name\": \"scan\", \"path\": [\"scan.pdf\"], \"clapet\": {\"opaque\": true, \"transform\": "
		"\"verbatim\", \"every\": \"1d\"}}]}",
		NULL);
	const struct resource *communes;

	(void)state;
	assert_non_null(package);
	assert_string_equal(package->name, "cog");
	assert_int_equal(package->n_licences, 2);
	assert_string_equal(package->licences[1], "https://x/");
	assert_int_equal(package->n_resources, 5);
	assert_int_equal(package->resources[0].bytes, 12);
	assert_int_equal(package->resources[1].bytes, -1);
	assert_true(package->resources[0].is_table);
	communes = package_resource(package, "communes");
	assert_non_null(communes);
	assert_string_equal(communes->encoding, "windows-1252");
	assert_int_equal(communes->dialect.delimiter, ';');
	assert_int_equal(communes->dialect.quote, '\'');
	assert_true(communes->is_table);
	assert_true(package->resources[2].is_table);
	assert_int_equal(package->resources[2].dialect.delimiter, '\t');
	assert_true(package->resources[2].dialect.skip_initial_space);
	assert_false(package->resources[3].is_table);
	assert_true(package->resources[4].opaque);
	assert_true(package->resources[4].verbatim);
	assert_string_equal(package->resources[4].path, "scan.pdf");
	assert_null(package_resource(package, "none"));
}

#define WITH(members) "{\"resources\": [{\"name\": \"a\", \"path\": \"a.csv\", " members "}]}"

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		enum fault fault;
		const char *says;
	} bad[] = {
		{"{", FAULT_JSON_SYNTAX, ""},
		{"{\"resources\": [], \"resources\": []}", FAULT_JSON_DUPLICATE, ""},
		{"{}", FAULT_PACKAGE, "resources"},
		{"{\"resources\": []}", FAULT_PACKAGE, "resources"},
		{"{\"resources\": [7]}", FAULT_PACKAGE, "resource 1"},
		{"{\"resources\": [{\"name\": \"a\"}]}", FAULT_PACKAGE, "path"},
		{"{\"resources\": [{\"name\": \"a\", \"path\": [\"a\", \"b\"]}]}", FAULT_PACKAGE, "several files"},
		{"{\"resources\": [{\"name\": \"A\", \"path\": \"a\"}]}", FAULT_PACKAGE, "\"A\""},
		{"{\"resources\": [{\"name\": \"datapackage\", \"path\": \"a\"}]}", FAULT_PACKAGE, "reserved"},
		{"{\"resources\": [{\"name\": \"../a\", \"path\": \"a\"}]}", FAULT_PACKAGE, "\"../a\""},
		{"{\"resources\": [{\"name\": \"a\", \"path\": \"a\"}, {\"name\": \"a\", \"path\": \"b\"}]}",
		 FAULT_PACKAGE, "two resources"},
		{"{\"licenses\": \"x\", \"resources\": [{\"name\": \"a\", \"path\": \"a\"}]}", FAULT_PACKAGE,
		 "licenses"},
		{WITH("\"dialect\": {\"delimiter\": \"::\"}"), FAULT_PACKAGE, "delimiter"},
		{WITH("\"dialect\": {\"delimiter\": \"\\u00e9\"}"), FAULT_PACKAGE, "delimiter"},
		{WITH("\"dialect\": {\"delimiter\": \"\\\"\"}"), FAULT_PACKAGE, "delimiter"},
		{WITH("\"dialect\": {\"escapeChar\": \"\\\\\"}"), FAULT_PACKAGE, "escapeChar"},
		{WITH("\"dialect\": {\"commentChar\": \"#\"}"), FAULT_PACKAGE, "commentChar"},
		{WITH("\"dialect\": {\"doubleQuote\": false}"), FAULT_PACKAGE, "doubleQuote"},
		{WITH("\"dialect\": {\"headerRows\": [1, 2]}"), FAULT_PACKAGE, "headerRows"},
		{WITH("\"dialect\": \"d.json\""), FAULT_PACKAGE, "dialect"},
		{WITH("\"bytes\": -1"), FAULT_PACKAGE, "bytes"},
		{WITH("\"clapet\": {\"transform\": \"magic\"}"), FAULT_PACKAGE, "transform"},
		{WITH("\"schema\": \"absent.json\""), FAULT_FILE, "resource a"},
		{WITH("\"schema\": {\"fields\": [{\"name\": \"f\", \"type\": \"colour\"}]}"), FAULT_SCHEMA,
		 "resource a: field f"},
		{WITH("\"schema\": {\"fields\": [{\"name\": \"f\"}], \"foreignKeys\": [{\"fields\": \"f\", "
		      "\"reference\": {\"resource\": \"b\", \"fields\": \"x\"}}]}"),
		 FAULT_PACKAGE, "no resource"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct refusal why = {0};
		_cleanup_(package_freep) struct package *package = parse(bad[i].text, &why);

		assert_null(package);
		if (why.fault != bad[i].fault || strstr(why.line, bad[i].says) == NULL)
			fail_msg("%s: %d %s", bad[i].text, why.fault, why.line);
	}
}

/* Inside, a schema by path is refused. */
static void test_no_loader(void **state)
{
	const char *text = WITH("\"schema\": \"good.json\"");
	struct package *package = NULL;
	struct refusal why = {0};

	(void)state;
	assert_int_equal(package_parse(text, strlen(text), NULL, NULL, &package, &why), FAULT_PACKAGE);
	assert_non_null(strstr(why.line, "schema is a path"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_loader),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
