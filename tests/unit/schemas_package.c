/* SPDX-License-Identifier: ISC
 *
 * package: resources, dialects in their spellings, licences, references between resources; what is refused, and with
 * which words.
 */
#include "schemas/package.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "bundle/limits.h"

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
		"\"hash\": \"900150983CD24FB0D6963F7D28E17F72\"},"
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
		{WITH("\"dialect\": {\"commentChar\": \"##\"}"), FAULT_PACKAGE, "commentChar"},
		{WITH("\"dialect\": {\"doubleQuote\": false}"), FAULT_PACKAGE, "doubleQuote"},
		{WITH("\"dialect\": {\"headerRows\": [0, 2]}"), FAULT_PACKAGE, "headerRows"},
		{WITH("\"dialect\": \"d.json\""), FAULT_PACKAGE, "dialect"},
		{WITH("\"bytes\": -1"), FAULT_PACKAGE, "bytes"},
		{WITH("\"hash\": \"sha256:00\""), FAULT_PACKAGE, "hash is no MD5"},
		{WITH("\"hash\": \"crc32:00000000\""), FAULT_PACKAGE, "hash is no MD5"},
		{WITH("\"compression\": \"rar\""), FAULT_PACKAGE, "compression is none of zip, gz"},
		{WITH("\"format\": \"xlsx\", \"schema\": \"good.json\""), FAULT_PACKAGE,
		 "format has a schema but is no CSV"},
		{"{\"resources\": [{\"name\": \"a\", \"data\": [[1]]}]}", FAULT_PACKAGE,
		 "data stands in the descriptor"},
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

/* Tables by what either version of the standard calls them; what is told of a package. */
static void test_versions(void **state)
{
	_cleanup_(package_freep) struct package *package = parse(
		"{\"profile\": \"data-package\", \"license\": \"ODbL\", \"resources\": ["
		" {\"name\": \"a\", \"path\": \"a\", \"profile\": \"tabular-data-resource\", \"hash\": \"\"},"
		" {\"name\": \"b\", \"path\": [\"b\"], \"type\": \"table\", \"compression\": \"gz\","
		"  \"hash\": \"sha1:a9993e364706816aba3e25717850c26c9cd0d89d\"},"
		" {\"name\": \"c\", \"path\": \"c\", \"dialect\": {\"caseSensitiveHeader\": false}, \"schema\": "
		"{\"fields\": [{\"name\": \"x\", \"required\": true}]}},"
		" {\"name\": \"d\", \"path\": \"d\"}]}",
		NULL);
	_cleanup_(package_freep) struct package *tabular = parse(
		"{\"profile\": \"tabular-data-package\", \"resources\": [{\"name\": \"a\", \"path\": \"a\"}]}", NULL);
	static const char *const says[] = {"resource a: hash is empty",
					   "resource c: dialect: caseSensitiveHeader is false",
					   "resource c: field x: required stands beside"};

	(void)state;
	assert_non_null(package);
	assert_string_equal(package->licences[0], "ODbL");
	assert_true(package->resources[0].is_table && package->resources[1].is_table);
	assert_null(package->resources[0].hash);
	assert_true(package->resources[1].is_compressed && !package->resources[0].is_compressed);
	assert_false(package->resources[3].is_table);
	assert_true(tabular->resources[0].is_table);
	assert_int_equal(package->warnings.n, ARRAY_SIZE(says));
	for (size_t i = 0; i < ARRAY_SIZE(says); i++)
		assert_non_null(strstr(package->warnings.lines[i], says[i]));
}

#define FOREIGN(reference)                                                                                             \
	"{\"name\": \"villes\", \"resources\": [{\"name\": \"b\", \"path\": \"b.csv\", \"schema\": {\"fields\": "      \
	"[{\"name\": \"x\"}], \"foreignKeys\": [{\"fields\": \"x\", \"reference\": " reference                         \
	"}]}}, {\"name\": \"a\", \"path\": \"a.csv\", \"schema\": {\"fields\": [{\"name\": \"x\"}]}}]}"

static void test_other_packages(void **state)
{
	static const char *const good[] = {
		FOREIGN("{\"package\": \"cog\", \"resource\": \"communes\", \"fields\": \"code\"}"),
		FOREIGN("{\"datapackage\": \"cog\", \"resource\": \"communes\", \"fields\": [\"code\"]}"),
	};
	_cleanup_(package_freep) struct package *own = parse(
		FOREIGN("{\"package\": \"villes\", \"resource\": \"a\", \"fields\": \"x\"}"), NULL);
	struct package_reference *references;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		_cleanup_(package_freep) struct package *package = parse(good[i], NULL);

		assert_non_null(package);
		package_references(package, &references, &n);
		assert_int_equal(n, 1);
		assert_string_equal(references[0].resource, "b");
		assert_string_equal(references[0].package, "cog");
		assert_string_equal(references[0].table, "communes");
		free(references);
		assert_string_equal(package->resources[0].schema->foreign_keys[0].resource, "cog/communes");
		schema_drop_foreign_packages(package->resources[0].schema);
		package_references(package, &references, &n);
		assert_int_equal(n, 0);
		free(references);
	}
	/* By its own name it is an ordinary reference. */
	assert_non_null(own);
	package_references(own, &references, &n);
	assert_int_equal(n, 0);
	free(references);
	assert_null(own->resources[0].schema->foreign_keys[0].package);
	assert_string_equal(own->resources[0].schema->foreign_keys[0].resource, "a");
}

static void test_other_packages_refused(void **state)
{
	static const struct {
		const char *text;
		enum fault fault;
		const char *says;
	} bad[] = {
		{FOREIGN("{\"package\": \"https://x/datapackage.json\", \"resource\": \"c\", \"fields\": \"c\"}"),
		 FAULT_FOREIGN_PACKAGE, "\"https://x/datapackage.json\""},
		{FOREIGN("{\"package\": \"../cog\", \"resource\": \"c\", \"fields\": \"c\"}"), FAULT_FOREIGN_PACKAGE,
		 "../cog"},
		{FOREIGN("{\"package\": \"cog\", \"resource\": \"c/d\", \"fields\": \"c\"}"), FAULT_FOREIGN_PACKAGE,
		 "c/d"},
		{FOREIGN("{\"package\": \"cog\", \"fields\": \"c\"}"), FAULT_SCHEMA, "names no resource"},
		{FOREIGN("{\"package\": 7, \"resource\": \"c\", \"fields\": \"c\"}"), FAULT_SCHEMA,
		 "package is no string"},
		{FOREIGN("{\"package\": \"villes\", \"resource\": \"c\", \"fields\": \"c\"}"), FAULT_PACKAGE,
		 "no resource here"},
		{FOREIGN("{\"package\": \"cog\", \"resource\": \"c\", \"fields\": [\"c\", \"d\"]}"), FAULT_SCHEMA,
		 "1 fields refer to 2"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct refusal why = {0};

		assert_null(parse(bad[i].text, &why));
		assert_int_equal(why.fault, bad[i].fault);
		if (strstr(why.line, bad[i].says) == NULL)
			fail_msg("%s", why.line);
	}
}

/* Each table that is referred to is read again whenever something moves: there is a bound to them. */
static void test_too_many_references(void **state)
{
	_cleanup_(json_decrefp) json_t *root = json_loads(
		FOREIGN("{\"package\": \"cog\", \"resource\": \"c\", \"fields\": \"c\"}"), 0, NULL);
	json_t *keys = json_object_get(json_object_get(json_array_get(json_object_get(root, "resources"), 0), "schema"),
				       "foreignKeys");

	(void)state;
	for (size_t i = 0; i <= LIMIT_REFERENCES; i++) {
		_cleanup_free_ char *text = NULL;
		struct refusal why = {0};
		struct package *package;

		text = json_dumps(root, 0);
		package = parse(text, &why);
		assert_int_equal(package != NULL, i < LIMIT_REFERENCES);
		if (package == NULL)
			assert_int_equal(why.fault, FAULT_FOREIGN_PACKAGE);
		package_free(package);
		json_array_append_new(keys, json_pack("{s:s, s:{s:s, s:o, s:s}}", "fields", "x", "reference", "package",
						      "cog", "resource", json_sprintf("t%zu", i), "fields", "c"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_other_packages),
		cmocka_unit_test(test_other_packages_refused),
		cmocka_unit_test(test_too_many_references),
		cmocka_unit_test(test_no_loader),
		cmocka_unit_test(test_versions),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
