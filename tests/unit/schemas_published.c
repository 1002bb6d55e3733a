/* SPDX-License-Identifier: ISC
 *
 * published: each spelling that published schemas have, what it is read as, and the line that says so. The standard's own
 * spelling comes back as it is, without a line.
 */
#include "schemas/published.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "schemas/schema.h"

static json_t *load(const char *text)
{
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	if (json == NULL)
		fail_msg("%s", text);
	return json;
}

/* WRITTEN is read as WANTED, with SAYS in the one line of it (NULL: no line). Read again, nothing changes. */
static void reads(const char *written, const char *wanted, const char *says)
{
	_cleanup_(json_decrefp) json_t *descriptor = load(written), *kept = json_deep_copy(descriptor),
				       *as = load(wanted);
	_cleanup_(warnings_clear) struct warnings warnings = {0}, later = {0};
	_cleanup_(json_decrefp) json_t *schema = published_schema(descriptor, &warnings), *again = NULL;
	_cleanup_free_ char *text = json_dumps(schema, 0);

	assert_true(json_equal(descriptor, kept));
	if (!json_equal(schema, as))
		fail_msg("%s is read as %s", written, text);
	assert_int_equal(warnings.n, says != NULL ? 1 : 0);
	if (says != NULL && strstr(warnings.lines[0], says) == NULL)
		fail_msg("%s: %s", written, warnings.lines[0]);
	again = published_schema(schema, &later);
	assert_true(json_equal(schema, again));
}

#define FIELD(text) "{\"fields\": [{\"name\": \"a\", " text "}]}"

static void field_reads(const char *written, const char *wanted, const char *says)
{
	_cleanup_free_ char *from = NULL, *to = NULL;

	assert_true(asprintf(&from, "{\"fields\": [{\"name\": \"a\"%s%s}]}", written[0] != '\0' ? ", " : "", written) >
		    0);
	assert_true(asprintf(&to, "{\"fields\": [{\"name\": \"a\"%s%s}]}", wanted[0] != '\0' ? ", " : "", wanted) > 0);
	reads(from, to, says);
}

static void test_standard(void **state)
{
	static const char *const good[] = {
		"\"type\": \"string\", \"format\": \"email\", \"constraints\": {\"required\": true, \"maxLength\": 3}",
		"\"type\": \"date\", \"format\": \"%d/%m/%Y\"",
		"\"type\": \"date\", \"format\": \"any\"",
		"\"type\": \"number\", \"decimalChar\": \",\", \"groupChar\": \" \", \"bareNumber\": false",
		"\"type\": \"integer\", \"groupChar\": \" \", \"constraints\": {\"minimum\": \"1\", \"unique\": true}",
		"\"type\": \"boolean\", \"trueValues\": [\"oui\"], \"falseValues\": [\"non\"]",
		"\"type\": \"list\", \"delimiter\": \";\", \"itemType\": \"integer\"",
		"\"type\": \"string\", \"categories\": [{\"value\": \"1\", \"label\": \"x\"}], \"categoriesOrdered\": "
		"true",
		"\"type\": \"string\", \"missingValues\": [{\"value\": \"-\", \"label\": \"none\"}], \"examples\": [1]",
		"\"type\": \"string\", \"constraints\": {\"pattern\": \"^[a-z]{1,3}[-[]\\\\[x-[a]$\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		field_reads(good[i], good[i], NULL);
	reads("{\"fields\": [], \"primaryKey\": [\"a\"], \"uniqueKeys\": [[\"a\"]], \"name\": \"a.b/c-d_1\"}",
	      "{\"fields\": [], \"primaryKey\": [\"a\"], \"uniqueKeys\": [[\"a\"]], \"name\": \"a.b/c-d_1\"}", NULL);
}

static void test_schema(void **state)
{
	(void)state;
	reads("{\"fields\": [], \"primaryKey\": \"\"}", "{\"fields\": []}", "primaryKey is empty");
	reads("{\"fields\": [], \"primaryKey\": []}", "{\"fields\": []}", "primaryKey is empty");
	reads("{\"fields\": [], \"primaryKey\": null, \"foreignKeys\": null, \"uniqueKeys\": []}", "{\"fields\": []}",
	      NULL);
	reads("{\"fields\": [], \"primary_key\": \"a\"}", "{\"fields\": [], \"primaryKey\": \"a\"}",
	      "\"primary_key\" is read");
	reads("{\"fields\": [], \"foreignKeys\": {\"fields\": \"a\"}}",
	      "{\"fields\": [], \"foreignKeys\": [{\"fields\": \"a\"}]}", "foreignKeys is no list");
	reads("{\"fields\": [], \"missingvalues\": [\"-\"]}", "{\"fields\": [], \"missingValues\": [\"-\"]}",
	      "\"missingvalues\" is read as missingValues");
	reads("{\"fields\": [], \"missingValues\": \"-\"}", "{\"fields\": [], \"missingValues\": [\"-\"]}",
	      "is one text");
	reads("{\"fields\": [], \"missingValues\": [\"\", -999]}",
	      "{\"fields\": [], \"missingValues\": [\"\", \"-999\"]}", "read as \"-999\"");
	reads("{\"fields\": [], \"missingValues\": [null]}", "{\"fields\": [], \"missingValues\": [\"\"]}",
	      "read as \"\"");
	reads("{\"fields\": [], \"name\": \"indice-t\xc3\xa9l\xc3\xa9viseur\"}",
	      "{\"fields\": [], \"name\": \"indice-t\xc3\xa9l\xc3\xa9viseur\"}", "not of the letters");
}

static void test_types(void **state)
{
	(void)state;
	field_reads("\"type\": \"Integer\"", "\"type\": \"integer\"", "type \"Integer\" is none");
	field_reads("\"type\": \"uri\"", "\"type\": \"string\", \"format\": \"uri\"", "read as string, format uri");
	field_reads("\"type\": \"bool\"", "\"type\": \"boolean\"", "read as boolean");
	field_reads("\"type\": \"colour\"", "\"type\": \"colour\"", NULL); /* refused by the schema's parser */
	field_reads("\"type\": \"datetime\", \"format\": \"iso8601\"",
		    "\"type\": \"datetime\", \"format\": \"default\"", "\"iso8601\" is read as default");
	field_reads("\"type\": \"date\", \"format\": \"AAAA-MM-JJ\"", "\"type\": \"date\", \"format\": \"%Y-%m-%d\"",
		    "read as %Y-%m-%d");
	field_reads("\"type\": \"datetime\", \"format\": \"DD/MM/YYYY HH:mm:ss\"",
		    "\"type\": \"datetime\", \"format\": \"%d/%m/%Y %H:%M:%S\"", "read as %d/%m/%Y %H:%M:%S");
	field_reads("\"type\": \"date\", \"format\": \"quarter\"", "\"type\": \"date\", \"format\": \"quarter\"", NULL);
	field_reads("\"type\": \"string\", \"format\": \"datetime\"", "\"type\": \"string\"", "not checked");
	field_reads("\"type\": \"string\", \"format\": \"URL\"", "\"type\": \"string\", \"format\": \"uri\"",
		    "is read as uri");
	field_reads("\"type\": \"integer\", \"format\": \"0000\"", "\"type\": \"integer\"", "none of the type integer");
	field_reads("\"type\": \"string\", \"format\": \"\"", "\"type\": \"string\"", NULL);
	field_reads("\"type\": \"integer\", \"trueValues\": [\"x\"]", "\"type\": \"integer\"",
		    "trueValues is not for the type integer");
	field_reads("\"type\": \"boolean\", \"trueValues\": \"oui\"",
		    "\"type\": \"boolean\", \"trueValues\": [\"oui\"]", "is one text");
	field_reads("\"type\": \"boolean\", \"trueValues\": [true]",
		    "\"type\": \"boolean\", \"trueValues\": [\"true\"]", "read as \"true\"");
	field_reads("\"type\": \"number\", \"bareNumber\": \"False\"", "\"type\": \"number\", \"bareNumber\": false",
		    "read as false");
	field_reads("\"type\": \"string\", \"decimalChar\": \".\"", "\"type\": \"string\"", "decimalChar is not for");
	field_reads("\"type\": \"array\", \"arrayItem\": {}", "\"type\": \"array\", \"arrayItem\": {}",
		    "arrayItem is no property of a field");
}

static void test_constraints(void **state)
{
#define C(text) "\"constraints\": {" text "}"
	(void)state;
	field_reads("\"contraints\": {\"required\": true}", C("\"required\": true"),
		    "\"contraints\" is read as constraints");
	field_reads("\"constraint\": {\"required\": true}", C("\"required\": true"),
		    "\"constraint\" is read as constraints");
	field_reads("\"Constraints\": {\"required\": true}", C("\"required\": true"), "\"Constraints\" is read");
	field_reads("\"constraints\": []", "\"constraints\": {}", "constraints is no object");
	field_reads("\"constraints\": null", "\"constraints\": {}", NULL);
	field_reads("\"constraints\": [{\"required\": true}]", C("\"required\": true"), "constraints is a list");
	field_reads("\"required\": true", C("\"required\": true"), "required stands beside constraints");
	field_reads("\"pattern\": \"a\"", C("\"pattern\": \"a\""), "pattern stands beside constraints");
	field_reads("\"enum\": [\"a\"]", C("\"enum\": [\"a\"]"), "enum stands beside constraints");
	field_reads("\"required\": false, " C("\"required\": true"), C("\"required\": true"), "the one within counts");
	field_reads("\"required\": true, " C("\"required\": true"), C("\"required\": true"), NULL);
	field_reads(C("\"Required\": true"), C("\"required\": true"), "\"Required\" is read as required");
	field_reads(C("\"required\": \"true\""), C("\"required\": true"),
		    "required is \"true\", which is read as true");
	field_reads(C("\"required\": \"Oui\""), C("\"required\": true"), "read as true");
	field_reads(C("\"required\": 0"), C("\"required\": false"), "read as false");
	field_reads(C("\"required\": 123"), C("\"required\": 123"), NULL); /* refused */
	field_reads(C("\"maxLenght\": 3"), C("\"maxLength\": 3"), "\"maxLenght\" is read as maxLength");
	field_reads(C("\"maxLength\": \"3\""), C("\"maxLength\": 3"), "is read as 3");
	field_reads(C("\"maxLength\": 3.0"), C("\"maxLength\": 3"), "is read as 3");
	field_reads(C("\"maxLength\": \"\""), C(""), "maxLength is empty");
	field_reads(C("\"enum\": []"), C(""), "enum is empty");
	field_reads(C("\"enum\": null"), C(""), NULL);
	field_reads(C("\"minimum\": 1"), C(""), "minimum is not for the type string");
	field_reads(C("\"format\": \"uri\""), C("") ", \"format\": \"uri\"", "constraints.format is read");
	field_reads(C("\"colour\": 1"), C("\"colour\": 1"), "\"colour\" is no constraint");
#undef C
}

static void pattern_reads(const char *written, const char *wanted)
{
	const char *what = NULL;
	_cleanup_free_ char *pattern = published_pattern(written, &what);

	if (wanted == NULL) {
		assert_null(pattern);
		return;
	}
	assert_non_null(pattern);
	assert_string_equal(pattern, wanted);
	assert_non_null(what);
}

static void test_patterns(void **state)
{
	(void)state;
	pattern_reads("^[0-9]{5}$", NULL);
	pattern_reads("\\[a{1,}", NULL);
	pattern_reads("[{,3}]", NULL);
	pattern_reads("\\{,3}", NULL);
	pattern_reads("[]a]", NULL);
	pattern_reads("[^]-[a]", NULL);
	pattern_reads("[a", NULL);
	pattern_reads("[a-[b]", NULL);
	pattern_reads("a{,3}", "a{0,3}");
	pattern_reads("(a|b){,12}c", "(a|b){0,12}c");
	pattern_reads("[a-z-[aeiou]]+", "(?:(?![aeiou])[a-z])+");
	pattern_reads("[^\\d-[^x]]", "(?:(?![^x])[^\\d])");
}

/* A schema says all of it, and the schema that comes of it is the standard's. */
static void test_whole(void **state)
{
	_cleanup_(json_decrefp) json_t *json = load(
		"{\"fields\": [{\"name\": \"a\", \"required\": true, \"example\": \"x\", \"type\": \"integer\","
		" \"enum\": [1, \"two\", \"\"]}, {\"name\": \"b\", \"type\": \"object\", \"constraints\": "
		"{\"jsonSchema\": {\"format\": \"date\"}},"
		" \"examples\": [{}, 3]}]}");
	_cleanup_(schema_freep) struct schema *schema = NULL;
	struct refusal why = {0};
	static const char *const says[] = {"field a: required stands beside",
					   "field a: enum stands beside",
					   "field a: enum \"two\" is not of the field's type",
					   "field a: example \"x\" is not an integer",
					   "field b: jsonSchema: /format is not checked",
					   "field b: example 3 is not an object"};

	(void)state;
	assert_int_equal(schema_parse(json, &schema, &why), FAULT_NONE);
	assert_int_equal(schema->warnings.n, ARRAY_SIZE(says));
	for (size_t i = 0; i < ARRAY_SIZE(says); i++) {
		if (strstr(schema->warnings.lines[i], says[i]) == NULL)
			fail_msg("%s", schema->warnings.lines[i]);
	}
	assert_null(json_object_get(json_array_get(json_object_get(schema->json, "fields"), 0), "required"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_standard),    cmocka_unit_test(test_schema),   cmocka_unit_test(test_types),
		cmocka_unit_test(test_constraints), cmocka_unit_test(test_patterns), cmocka_unit_test(test_whole),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	json_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
