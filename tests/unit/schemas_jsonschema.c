/* SPDX-License-Identifier: ISC
 *
 * jsonschema: each keyword with values that keep it and values that do not, the place that is named, what is told and
 * what is refused, and schemas and values that are meant to hurt.
 */
#include "schemas/jsonschema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "bundle/limits.h"

#define LINES_MAX 4

/* TEXT with ' for ". */
static json_t *load(const char *text)
{
	_cleanup_free_ char *copy = strdup(text);
	json_error_t error;
	json_t *json;

	for (char *p = copy; *p != '\0'; p++) {
		if (*p == '\'')
			*p = '"';
	}
	json = json_loads(copy, JSON_DECODE_ANY, &error);
	if (json == NULL)
		fail_msg("%s: %s", copy, error.text);
	return json;
}

static enum json_schema_outcome ask(const char *schema_text, const char *value_text, char *note, size_t size)
{
	_cleanup_(json_decrefp) json_t *json = load(schema_text), *value = load(value_text);
	_cleanup_(json_schema_freep) struct json_schema *schema = NULL;
	_cleanup_(warnings_clear) struct warnings warnings = {.n = 0};
	struct refusal why = {0};

	if (json_schema_new(json, "field a", &warnings, &schema, &why) != FAULT_NONE)
		fail_msg("%s: %s", schema_text, why.line);
	if (warnings.n > 0)
		fail_msg("%s: %s", schema_text, warnings.lines[0]);
	return json_schema_check(schema, value, note, size);
}

/* N times BEFORE, MIDDLE, N times AFTER. */
static char *nest(const char *before, const char *middle, const char *after, size_t n)
{
	char *text = calloc(1, n * (strlen(before) + strlen(after)) + strlen(middle) + 1), *at = text;

	for (size_t i = 0; i < n; i++)
		at = stpcpy(at, before);
	at = stpcpy(at, middle);
	for (size_t i = 0; i < n; i++)
		at = stpcpy(at, after);
	return text;
}

/* Both lists end with NULL. */
static const struct {
	const char *schema;
	const char *good[6], *bad[6];
} keywords[] = {
	{"true", {"1", "{}"}, {NULL}},
	{"false", {NULL}, {"1", "{}"}},
	{"{}", {"null", "[]"}, {NULL}},
	{"{'type':'integer'}", {"1", "-3", "1.0", "1e300"}, {"1.5", "'1'", "true", "null"}},
	{"{'type':'number'}", {"1", "1.5"}, {"'1'", "true"}},
	{"{'type':'string'}", {"''"}, {"1", "null"}},
	{"{'type':'boolean'}", {"true", "false"}, {"0", "'true'"}},
	{"{'type':'object'}", {"{}"}, {"[]", "null"}},
	{"{'type':'array'}", {"[]"}, {"{}", "''"}},
	{"{'type':'null'}", {"null"}, {"0", "''", "false"}},
	{"{'type':['string','null']}", {"'a'", "null"}, {"1", "[]"}},
	{"{'enum':[1,'a',null,{'a':[1]},[2]]}",
	 {"1", "1.0", "'a'", "null", "{'a':[1.0]}", "[2]"},
	 {"2", "'b'", "false", "{'a':[1],'b':2}", "[2,2]", "{}"}},
	{"{'const':{'a':1,'b':[]}}", {"{'b':[],'a':1.0}"}, {"{'a':1}", "{'a':1,'b':{}}", "{'a':1,'c':[]}"}},
	{"{'const':false}", {"false"}, {"0", "true"}},
	{"{'minimum':2}", {"2", "2.0", "3", "'a'"}, {"1", "1.99"}},
	{"{'maximum':2.5}", {"2.5", "-9"}, {"2.6", "3"}},
	{"{'exclusiveMinimum':2}", {"2.1", "3"}, {"2", "2.0", "1"}},
	{"{'exclusiveMaximum':2}", {"1"}, {"2", "3"}},
	{"{'minimum':9007199254740993}", {"9007199254740993"}, {"9007199254740992", "9007199254740992.0"}},
	{"{'maximum':9223372036854775807}", {"9223372036854775807"}, {"9223372036854775808.0", "1e300"}},
	{"{'multipleOf':3}", {"0", "9", "-3", "9.0", "'x'"}, {"1", "9.5"}},
	{"{'multipleOf':0.01}", {"1.13", "0.07", "19.99", "4"}, {"0.075", "0.001"}},
	{"{'multipleOf':3}", {"3e20", "-3e20"}, {"1e20", "1e22"}},
	{"{'multipleOf':0.1}", {"0.3", "-0.3", "1e300"}, {"0.35"}},
	{"{'minLength':2}", {"'éa'", "'abc'", "1"}, {"'é'", "''"}},
	{"{'maxLength':2.0}", {"'éé'", "''"}, {"'abc'"}},
	{"{'pattern':'b+'}", {"'abc'", "'b'", "1"}, {"'ac'", "''"}},
	{"{'pattern':'^\\\\d{2}$'}", {"'12'"}, {"'123'", "'1'", "'12\\n'"}},
	{"{'items':{'type':'integer'}}", {"[]", "[1,2]", "{}"}, {"[1,'a']"}},
	{"{'items':[{'type':'integer'},{'type':'string'}]}",
	 {"[]", "[1]", "[1,'a']", "[1,'a',null]"},
	 {"['a']", "[1,2]"}},
	{"{'items':[{'type':'integer'}],'additionalItems':false}", {"[]", "[1]"}, {"[1,2]", "['a']"}},
	{"{'items':{},'additionalItems':false}", {"[1,2]"}, {NULL}},
	{"{'additionalItems':false}", {"[1,2]"}, {NULL}},
	{"{'prefixItems':[{'type':'integer'}],'items':{'type':'string'}}",
	 {"[]", "[1]", "[1,'a']"},
	 {"['a']", "[1,2]"}},
	{"{'prefixItems':[true],'items':false}", {"[1]"}, {"[1,2]"}},
	{"{'minItems':1,'maxItems':2}", {"[1]", "[1,2]", "{}"}, {"[]", "[1,2,3]"}},
	{"{'uniqueItems':true}",
	 {"[]", "[1,2]", "[1,true]", "['1',1]", "[{'a':1},{'a':2}]", "[[],{}]"},
	 {"[1,1.0]", "['a','b','a']", "[{'a':1,'b':2},{'b':2,'a':1}]", "[[1],[1]]", "[null,null]", "[0,-0.0]"}},
	{"{'uniqueItems':false}", {"[1,1]"}, {NULL}},
	{"{'contains':{'type':'integer'}}", {"['a',1]", "{}"}, {"[]", "['a']"}},
	{"{'contains':{'const':1},'minContains':2,'maxContains':3}", {"[1,1]", "[1,1,1]"}, {"[1]", "[1,1,1,1]"}},
	{"{'contains':{'const':1},'minContains':0}", {"[]"}, {NULL}},
	{"{'properties':{'a':{'type':'integer'}}}", {"{}", "{'a':1}", "{'b':'x'}", "[]"}, {"{'a':'x'}"}},
	{"{'properties':{'a':false}}", {"{'b':1}"}, {"{'a':1}"}},
	{"{'patternProperties':{'^x':{'type':'integer'},'y$':{'minimum':3}}}",
	 {"{'a':'b'}", "{'x':1,'xy':3}"},
	 {"{'x':'a'}", "{'xy':2}"}},
	{"{'properties':{'a':true},'patternProperties':{'^x':true},'additionalProperties':false}",
	 {"{}", "{'a':1,'x1':2}"},
	 {"{'b':1}", "{'a':1,'ax':2}"}},
	{"{'additionalProperties':{'type':'integer'}}", {"{'a':1}"}, {"{'a':'b'}"}},
	{"{'propertyNames':{'maxLength':2}}", {"{'ab':1}", "{}"}, {"{'abc':1}"}},
	{"{'required':['a','b']}", {"{'a':1,'b':null}", "1"}, {"{'a':1}", "{}"}},
	{"{'minProperties':1,'maxProperties':2}", {"{'a':1}"}, {"{}", "{'a':1,'b':2,'c':3}"}},
	{"{'dependentRequired':{'a':['b']}}", {"{'b':1}", "{'a':1,'b':2}"}, {"{'a':1}"}},
	{"{'dependentSchemas':{'a':{'required':['b']}}}", {"{'b':1}", "{'a':1,'b':2}"}, {"{'a':1}"}},
	{"{'dependencies':{'a':['b'],'c':{'maxProperties':1}}}",
	 {"{}", "{'a':1,'b':2}", "{'c':1}"},
	 {"{'a':1}", "{'c':1,'b':2}"}},
	{"{'allOf':[{'minimum':1},{'maximum':3}]}", {"2"}, {"0", "4"}},
	{"{'anyOf':[{'type':'string'},{'minimum':3}]}", {"'a'", "3"}, {"2"}},
	{"{'oneOf':[{'minimum':2},{'maximum':3}]}", {"1", "4"}, {"2", "3"}},
	{"{'oneOf':[{'type':'string'},{'type':'null'}]}", {"'a'"}, {"1"}},
	{"{'not':{'type':'string'}}", {"1"}, {"'a'"}},
	{"{'if':{'type':'string'},'then':{'minLength':1},'else':{'minimum':1}}", {"'a'", "1"}, {"''", "0"}},
	{"{'if':{'type':'string'}}", {"'a'", "1"}, {NULL}},
	{"{'then':false,'else':false}", {"1"}, {NULL}},
	{"{'$defs':{'a':{'type':'integer'}},'items':{'$ref':'#/$defs/a'}}", {"[1]"}, {"['a']"}},
	{"{'definitions':{'a/b~c d':{'type':'integer'}},'$ref':'#/definitions/a~1b~0c%20d'}", {"1"}, {"'a'"}},
	{"{'type':'object','additionalProperties':{'$ref':'#'}}", {"{}", "{'a':{'b':{}}}"}, {"{'a':{'b':1}}"}},
	{"{'prefixItems':[{'type':'null'},{'$ref':'#/prefixItems/0'}]}", {"[null,null]"}, {"[null,1]"}},
	{"{'$ref':'#/$defs/a','minimum':3,'$defs':{'a':true}}", {"3"}, {"2"}},
	{"{'$schema':'http://json-schema.org/draft-07/schema#','$id':'https://a.example/b','title':'t',"
	 "'description':'d','default':1,'examples':[],'$comment':'c','readOnly':true,'type':'array'}",
	 {"[]"},
	 {"{}"}},
};

static void test_keywords(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++) {
		for (size_t j = 0; j < 6 && keywords[i].good[j] != NULL; j++) {
			if (ask(keywords[i].schema, keywords[i].good[j], NULL, 0) != JSON_SCHEMA_KEPT)
				fail_msg("%s: %s is not kept", keywords[i].schema, keywords[i].good[j]);
		}
		for (size_t j = 0; j < 6 && keywords[i].bad[j] != NULL; j++) {
			if (ask(keywords[i].schema, keywords[i].bad[j], NULL, 0) != JSON_SCHEMA_BROKEN)
				fail_msg("%s: %s is kept", keywords[i].schema, keywords[i].bad[j]);
		}
	}
}

static void test_places(void **state)
{
	static const struct {
		const char *schema, *value, *note;
	} cases[] = {
		{"{'type':'object'}", "[]", "the whole is not an object"},
		{"{'properties':{'a':{'properties':{'b':{'type':'integer'}}}}}", "{'a':{'b':'x'}}",
		 "/a/b is not an integer"},
		{"{'items':{'type':['string','null']}}", "['a',null,3]",
		 "/2 is none of the types [\"string\",\"null\"]"},
		{"{'items':{'minimum':1.5}}", "[2,1]", "/1 is less than the minimum 1.5"},
		{"{'required':['a']}", "{}", "the whole has no member \"a\""},
		{"{'additionalProperties':false}", "{'é\\n':1}", "/é\\x0a is not allowed"},
		{"{'anyOf':[{'type':'string'}]}", "1", "the whole keeps none of anyOf"},
		{"{'oneOf':[true,true]}", "1", "the whole keeps several of oneOf"},
		{"{'pattern':'^a'}", "'b'", "the whole does not match the pattern \"^a\""},
		{"{'propertyNames':{'maxLength':1}}", "{'ab':1}", "/ab has a name that propertyNames does not allow"},
		{"{'type':'null'}", "1", "the whole is not null"},
	};
	char note[JSON_SCHEMA_NOTE_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(ask(cases[i].schema, cases[i].value, note, sizeof(note)), JSON_SCHEMA_BROKEN);
		assert_string_equal(note, cases[i].note);
	}
}

/* However long the keys and the keyword's value are, the words are whole characters and fit. */
static void test_long_places(void **state)
{
	_cleanup_free_ char *long_key = nest("é", "", "", 100), *keys = nest("{'éééééééééé':", "1", "}", 20),
			    *schema = NULL, *value = NULL;
	char note[JSON_SCHEMA_NOTE_SIZE];
	json_t *json;

	(void)state;
	assert_true(asprintf(&value, "{'a':%s}", keys) > 0 &&
		    asprintf(&schema, "{'additionalProperties':{'$ref':'#'},'type':'object','$comment':'%s'}",
			     long_key) > 0);
	assert_int_equal(ask(schema, value, note, sizeof(note)), JSON_SCHEMA_BROKEN);
	assert_string_equal(note, "/a/éééééééééé/éééééééééé/éééééééééé/... is not an object");
	free(schema);
	free(value);
	assert_true(asprintf(&value, "{'%s':{'%s':{'%s':1}}}", long_key, long_key, long_key) > 0 &&
		    asprintf(&schema,
			     "{'additionalProperties':{'additionalProperties':{'additionalProperties':"
			     "{'const':'%s'}}}}",
			     long_key) > 0);
	assert_int_equal(ask(schema, value, note, sizeof(note)), JSON_SCHEMA_BROKEN);
	json = json_string(note);
	assert_non_null(json);
	json_decref(json);
	assert_true(strlen(note) + 1 < sizeof(note));
	assert_non_null(strstr(note, "/... is not \"é"));
}

/* What is not checked is told, and holds nothing up. */
static void test_warnings(void **state)
{
	static const struct {
		const char *schema, *lines[LINES_MAX];
	} cases[] = {
		{"{'format':'date'}", {"field a: jsonSchema: /format is not checked"}},
		{"{'items':{'$dynamicRef':'#a','frobnicate':1}}",
		 {"field a: jsonSchema: /items/$dynamicRef is not checked",
		  "field a: jsonSchema: /items/frobnicate is not checked"}},
		{"{'$ref':'https://a.example/b.json'}",
		 {"/$ref leads out of the schema, to \"https://a.example/b.json\""}},
		{"{'$ref':'#anchor'}", {"/$ref leads out of the schema, to \"#anchor\""}},
		{"{'unevaluatedProperties':false}", {"/unevaluatedProperties is not checked"}},
		{"{'items':{'$id':'b'}}", {"/items/$id is not checked"}},
		{"{'minimum':1,'exclusiveMinimum':true}", {"/exclusiveMinimum is neither draft-07's nor later"}},
		{"{'$schema':'http://json-schema.org/draft-07/schema#','$ref':'#/definitions/a','minLength':3,"
		 "'definitions':{'a':true}}",
		 {"/minLength stands beside a $ref, and is not checked"}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(json_decrefp) json_t *json = load(cases[i].schema), *value = load("'a'");
		_cleanup_(json_schema_freep) struct json_schema *schema = NULL;
		_cleanup_(warnings_clear) struct warnings warnings = {.n = 0};
		struct refusal why = {0};
		size_t n = 0;

		assert_int_equal(json_schema_new(json, "field a", &warnings, &schema, &why), FAULT_NONE);
		for (; n < LINES_MAX && cases[i].lines[n] != NULL; n++) {
			if (n >= warnings.n || strstr(warnings.lines[n], cases[i].lines[n]) == NULL)
				fail_msg("%s: %s", cases[i].schema,
					 n < warnings.n ? warnings.lines[n] : "nothing told");
		}
		assert_int_equal(warnings.n, n);
		assert_int_equal(json_schema_check(schema, value, NULL, 0), JSON_SCHEMA_KEPT);
	}
}

static void refuses(const json_t *json, const char *line)
{
	_cleanup_(json_schema_freep) struct json_schema *schema = NULL;
	struct refusal why = {0};

	if (json_schema_new(json, "field a", NULL, &schema, &why) != FAULT_SCHEMA)
		fail_msg("not refused: %s", line);
	if (strstr(why.line, line) == NULL)
		fail_msg("%s: %s", line, why.line);
	assert_null(schema);
}

static void test_refused(void **state)
{
	static const char *const cases[][2] = {
		{"1", "field a: jsonSchema: the whole is no schema"},
		{"null", "the whole is no schema"},
		{"{'type':'text'}", "/type is no type"},
		{"{'type':[]}", "/type is no type"},
		{"{'enum':1}", "/enum is no array"},
		{"{'minimum':'1'}", "/minimum is no number"},
		{"{'multipleOf':0}", "/multipleOf is no number above 0"},
		{"{'minLength':-1}", "/minLength is no count"},
		{"{'minLength':1.5}", "/minLength is no count"},
		{"{'pattern':'('}", "/pattern does not compile at character 2"},
		{"{'pattern':1}", "/pattern is no text"},
		{"{'patternProperties':{'[':true}}", "/patternProperties/[ does not compile"},
		{"{'items':[1]}", "/items/0 is no schema"},
		{"{'properties':{'a':{'items':3}}}", "/properties/a/items is no schema"},
		{"{'properties':[]}", "/properties is no object"},
		{"{'required':'a'}", "/required is no array of texts"},
		{"{'required':[1]}", "/required is no array of texts"},
		{"{'dependentRequired':{'a':[1]}}", "/dependentRequired/a is no array of texts"},
		{"{'allOf':[]}", "/allOf is no array of schemas"},
		{"{'uniqueItems':1}", "/uniqueItems is neither true nor false"},
		{"{'$ref':1}", "/$ref is no text"},
		{"{'$ref':'#/$defs/a'}", "has nothing at its $ref \"#/$defs/a\""},
		{"{'$ref':'#/%00'}", "has nothing at its $ref"},
		{"{'$ref':'#/a~2'}", "has nothing at its $ref"},
		{"{'enum':[1],'$ref':'#/enum/0'}", "/enum/0 is no schema"},
		{"{'$defs':{'unused':3}}", "/$defs/unused is no schema"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(json_decrefp) json_t *json = load(cases[i][0]);

		refuses(json, cases[i][1]);
	}
}

static void test_large_schemas(void **state)
{
	_cleanup_free_ char *deep = nest("{'not':", "true", "}", LIMIT_JSON_DEPTH + 1);
	_cleanup_free_ char *wide = nest("{},", "{}", "", LIMIT_JSON_SCHEMA_NODES);
	_cleanup_free_ char *whole = NULL;
	_cleanup_(json_decrefp) json_t *deep_json = load(deep), *wide_json = NULL, *pattern = NULL;
	_cleanup_free_ char *many = nest("a", "", "", LIMIT_PATTERN_SIZE + 1);

	(void)state;
	assert_true(asprintf(&whole, "{'allOf':[%s]}", wide) > 0);
	wide_json = load(whole);
	pattern = json_pack("{s:s}", "pattern", many);
	refuses(deep_json, "is one schema too many, or too deep");
	refuses(wide_json, "is one schema too many, or too deep");
	refuses(pattern, "/pattern is too long");
}

/* Nothing here may take long, or more stack than there is; what cannot be decided says so. */
static void test_hostile(void **state)
{
	_cleanup_free_ char *deep = nest("[", "", "]", 2000), *as = nest("a", "", "", 4000);
	_cleanup_free_ char *list = nest("[0],", "[0.0]", "", 50000), *text = NULL, *array = NULL;
	static const char doubling[] = "{'$defs':{'a':{'allOf':[{'$ref':'#/$defs/b'},{'$ref':'#/$defs/b'}]},"
				       "'b':{'allOf':[{'$ref':'#/$defs/c'},{'$ref':'#/$defs/c'}]},"
				       "'c':{'allOf':[{'$ref':'#/$defs/a'},{'$ref':'#/$defs/a'}]}},"
				       "'anyOf':[{'$ref':'#/$defs/a'}]}";

	(void)state;
	assert_true(asprintf(&text, "'%sb'", as) > 0 && asprintf(&array, "[%s]", list) > 0);
	assert_int_equal(ask("{'$ref':'#'}", "1", NULL, 0), JSON_SCHEMA_UNDECIDED);
	assert_int_equal(ask("{'not':{'$ref':'#'}}", "1", NULL, 0), JSON_SCHEMA_UNDECIDED);
	assert_int_equal(ask("{'if':{'$ref':'#'},'then':false}", "1", NULL, 0), JSON_SCHEMA_UNDECIDED);
	assert_int_equal(ask("{'contains':{'$ref':'#'}}", deep, NULL, 0), JSON_SCHEMA_UNDECIDED);
	assert_int_equal(ask("{'items':{'$ref':'#'}}", deep, NULL, 0), JSON_SCHEMA_UNDECIDED);
	assert_int_equal(ask("{'enum':[[[[]]]],'uniqueItems':true}", deep, NULL, 0), JSON_SCHEMA_BROKEN);
	assert_int_equal(ask(doubling, "1", NULL, 0), JSON_SCHEMA_UNDECIDED);
	assert_int_equal(ask("{'pattern':'^(a+)+$'}", text, NULL, 0), JSON_SCHEMA_UNDECIDED);
	assert_int_equal(ask("{'not':{'pattern':'^(a+)+$'}}", text, NULL, 0), JSON_SCHEMA_UNDECIDED);
	assert_int_equal(ask("{'uniqueItems':true}", array, NULL, 0), JSON_SCHEMA_BROKEN);
	assert_int_equal(ask("{'multipleOf':1e-300}", "1e300", NULL, 0), JSON_SCHEMA_KEPT);
}

/* 2^N ways to fail, each allOf twice the next: the bound of steps ends it. */
static void test_steps(void **state)
{
	char text[4096] = "{'$defs':{", *at = text + strlen(text);

	(void)state;
	for (int i = 0; i < 30; i++)
		at += sprintf(at, "'d%d':{'anyOf':[{'$ref':'#/$defs/d%d'},{'$ref':'#/$defs/d%d'}]},", i, i + 1, i + 1);
	sprintf(at, "'d30':false},'$ref':'#/$defs/d0'}");
	assert_int_equal(ask(text, "1", NULL, 0), JSON_SCHEMA_UNDECIDED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keywords),      cmocka_unit_test(test_places),
		cmocka_unit_test(test_warnings),      cmocka_unit_test(test_refused),
		cmocka_unit_test(test_hostile),       cmocka_unit_test(test_steps),
		cmocka_unit_test(test_large_schemas), cmocka_unit_test(test_long_places),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
