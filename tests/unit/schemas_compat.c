/* SPDX-License-Identifier: ISC
 *
 * compat: one table of pairs, reader and offer, with what must come of each.
 */
#include "schemas/compat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"

static struct schema *parse(const char *text)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	struct schema *schema = NULL;
	struct refusal why = {FAULT_NONE, ""};

	if (json_parse(text, strlen(text), 1 << 20, &json, &why) != FAULT_NONE ||
	    schema_parse(json, &schema, &why) != FAULT_NONE)
		fail_msg("%s: %s", text, why.line);
	return schema;
}

static enum compat_verdict compare(const char *old_text, const char *new_text, enum contract_match match, char *rules,
				   size_t size)
{
	_cleanup_(schema_freep) struct schema *old = parse(old_text), *new = parse(new_text);
	struct compat_result result;
	enum compat_verdict verdict;

	compat_compare(old, new, &(struct compat_reader){match, true, NULL, NULL}, &result);
	rules[0] = '\0';
	for (size_t i = 0; i < result.n_breaks; i++) {
		assert_true(result.breaks[i].verdict != COMPAT_YES);
		assert_true(result.breaks[i].line[0] != '\0');
		strncat(rules, i > 0 ? " " : "", size - strlen(rules) - 1);
		strncat(rules, result.breaks[i].rule, size - strlen(rules) - 1);
	}
	verdict = result.verdict;
	compat_clear(&result);
	return verdict;
}

/* One field `a` on both sides, given by its properties. */
struct field_case {
	const char *old, *new;
	enum compat_verdict verdict;
	const char *rules;
};

static const struct field_case FIELDS[] = {
	/* types */
	{"'type':'string'", "'type':'string'", COMPAT_YES, ""},
	{"'type':'string'", "'type':'integer'", COMPAT_YES, ""},
	{"'type':'string'", "'type':'date'", COMPAT_YES, ""},
	{"'type':'any'", "'type':'geojson'", COMPAT_YES, ""},
	{"'type':'number'", "'type':'integer'", COMPAT_YES, ""},
	{"'type':'integer'", "'type':'number'", COMPAT_BY_DATA, "type-changed"},
	{"'type':'integer'", "'type':'string'", COMPAT_BY_DATA, "type-changed"},
	{"'type':'date'", "'type':'any'", COMPAT_BY_DATA, "type-changed"},
	{"'type':'integer'", "'type':'boolean'", COMPAT_BY_DATA, "type-changed"},
	{"'type':'integer'", "'type':'date'", COMPAT_NO, "type-changed"},
	{"'type':'date'", "'type':'datetime'", COMPAT_NO, "type-changed"},
	{"'type':'boolean'", "'type':'time'", COMPAT_NO, "type-changed"},
	{"'type':'integer'", "'type':'date','format':'%Y%m%d'", COMPAT_BY_DATA, "type-changed"},
	/* formats */
	{"'type':'date'", "'type':'date','format':'default'", COMPAT_YES, ""},
	{"'type':'date'", "'type':'date','format':'%Y-%m-%d'", COMPAT_YES, ""},
	{"'type':'date','format':'%d/%m/%Y'", "'type':'date','format':'%m/%d/%Y'", COMPAT_NO, "format-changed"},
	{"'type':'date'", "'type':'date','format':'any'", COMPAT_BY_DATA, "format-changed"},
	{"'type':'string','format':'email'", "'type':'string','format':'email'", COMPAT_YES, ""},
	{"'type':'string','format':'email'", "'type':'string'", COMPAT_BY_DATA, "format-changed"},
	{"'type':'string'", "'type':'string','format':'email'", COMPAT_YES, ""},
	{"'type':'number'", "'type':'number','decimalChar':','", COMPAT_BY_DATA, "format-changed"},
	{"'type':'number','decimalChar':',','groupChar':'.'", "'type':'number'", COMPAT_NO, "format-changed"},
	{"'type':'number'", "'type':'number','decimalChar':',','groupChar':'.'", COMPAT_NO, "format-changed"},
	{"'type':'number'", "'type':'number','groupChar':' '", COMPAT_BY_DATA, "format-changed"},
	{"'type':'number','groupChar':' '", "'type':'number'", COMPAT_YES, ""},
	{"'type':'number'", "'type':'number','bareNumber':false", COMPAT_BY_DATA, "format-changed"},
	{"'type':'number','bareNumber':false", "'type':'number'", COMPAT_BY_DATA, "format-changed"},
	{"'type':'number','bareNumber':false", "'type':'integer'", COMPAT_YES, ""},
	{"'type':'boolean'", "'type':'boolean','trueValues':['true'],'falseValues':['false']", COMPAT_YES, ""},
	{"'type':'boolean'", "'type':'boolean','trueValues':['oui'],'falseValues':['non']", COMPAT_BY_DATA,
	 "format-changed"},
	{"'type':'boolean'", "'type':'boolean','trueValues':['0'],'falseValues':['1']", COMPAT_NO, "format-changed"},
	/* constraints */
	{"'type':'string','constraints':{'required':true}", "'type':'string'", COMPAT_BY_DATA, "constraint-relaxed"},
	{"'type':'string'", "'type':'string','constraints':{'required':true}", COMPAT_YES, ""},
	{"'type':'string','constraints':{'unique':true}", "'type':'string','constraints':{'unique':true}", COMPAT_YES,
	 ""},
	{"'type':'string','constraints':{'unique':true}", "'type':'string','constraints':{'unique':false}",
	 COMPAT_BY_DATA, "constraint-relaxed"},
	{"'type':'integer','constraints':{'minimum':5}", "'type':'integer','constraints':{'minimum':5}", COMPAT_YES,
	 ""},
	{"'type':'integer','constraints':{'minimum':5}", "'type':'integer','constraints':{'minimum':6}", COMPAT_YES,
	 ""},
	{"'type':'integer','constraints':{'minimum':5}", "'type':'integer','constraints':{'minimum':4}", COMPAT_BY_DATA,
	 "constraint-relaxed"},
	{"'type':'integer','constraints':{'minimum':5}", "'type':'integer','constraints':{'exclusiveMinimum':5}",
	 COMPAT_YES, ""},
	{"'type':'integer','constraints':{'maximum':5}", "'type':'integer','constraints':{'maximum':6}", COMPAT_BY_DATA,
	 "constraint-relaxed"},
	{"'type':'integer','constraints':{'maximum':5}", "'type':'integer','constraints':{'maximum':4}", COMPAT_YES,
	 ""},
	{"'type':'number','constraints':{'maximum':5}", "'type':'integer','constraints':{'maximum':4}", COMPAT_YES, ""},
	{"'type':'date','constraints':{'minimum':'2020-01-01'}", "'type':'date','constraints':{'minimum':'2021-01-01'}",
	 COMPAT_YES, ""},
	{"'type':'date','constraints':{'minimum':'2021-01-01'}", "'type':'date','constraints':{'minimum':'2020-01-01'}",
	 COMPAT_BY_DATA, "constraint-relaxed"},
	{"'type':'string','constraints':{'maxLength':5}", "'type':'string','constraints':{'maxLength':3}", COMPAT_YES,
	 ""},
	{"'type':'string','constraints':{'maxLength':5}", "'type':'string','constraints':{'maxLength':9}",
	 COMPAT_BY_DATA, "constraint-relaxed"},
	{"'type':'string','constraints':{'pattern':'a+'}", "'type':'string','constraints':{'pattern':'a+'}", COMPAT_YES,
	 ""},
	{"'type':'string','constraints':{'pattern':'a+'}", "'type':'string','constraints':{'pattern':'aa'}",
	 COMPAT_BY_DATA, "constraint-relaxed"},
	{"'type':'string','constraints':{'enum':['a','b']}", "'type':'string','constraints':{'enum':['b']}", COMPAT_YES,
	 ""},
	{"'type':'string','constraints':{'enum':['a','b']}", "'type':'string','constraints':{'enum':['b','c']}",
	 COMPAT_BY_DATA, "constraint-relaxed"},
	{"'type':'string','constraints':{'enum':['a','b']}", "'type':'string'", COMPAT_BY_DATA, "constraint-relaxed"},
};

static void requote(const char *text, char *out)
{
	for (; *text != '\0'; text++)
		*out++ = (char)(*text == '\'' ? '"' : *text);
	*out = '\0';
}

static void fields_compare(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(FIELDS); i++) {
		_cleanup_free_ char *old = xasprintf("{'fields':[{'name':'a',%s}]}", FIELDS[i].old);
		_cleanup_free_ char *new = xasprintf("{'fields':[{'name':'a',%s}]}", FIELDS[i].new);
		enum compat_verdict verdict;
		char rules[200];

		requote(old, old);
		requote(new, new);
		verdict = compare(old, new, CONTRACT_BY_NAME, rules, sizeof(rules));
		if (verdict != FIELDS[i].verdict || strcmp(rules, FIELDS[i].rules) != 0)
			fail_msg("%s -> %s: verdict %d (%s), not %d (%s)", old, new, verdict, rules, FIELDS[i].verdict,
				 FIELDS[i].rules);
	}
}

struct schema_case {
	const char *old, *new;
	enum contract_match match;
	enum compat_verdict verdict;
	const char *rules;
};

#define A "{'name':'a','type':'string'}"
#define B "{'name':'b','type':'string'}"
#define C "{'name':'c','type':'string'}"
#define N "{'name':'n','type':'integer'}"
#define F(fields) "{'fields':[" fields "]}"

static const struct schema_case SCHEMAS[] = {
	{F(A "," B), F(B "," A "," C), CONTRACT_BY_NAME, COMPAT_YES, ""},
	{F(A "," B), F(B), CONTRACT_BY_NAME, COMPAT_NO, "field-removed"},
	{F(A), F(B), CONTRACT_BY_NAME, COMPAT_NO, "field-removed"},
	{F(A "," B), F(A "," B "," C), CONTRACT_BY_POSITION, COMPAT_YES, ""},
	{F(A "," B), F(A "," C "," B), CONTRACT_BY_POSITION, COMPAT_NO, "field-moved"},
	{F(A "," B), F(B "," A), CONTRACT_BY_POSITION, COMPAT_NO, "field-moved field-moved"},
	{F(A "," B), F(A "," C), CONTRACT_BY_POSITION, COMPAT_YES, ""},
	{F(A "," B), F(B "," C), CONTRACT_BY_POSITION, COMPAT_NO, "field-removed field-moved"},
	{F(A "," B), F(A), CONTRACT_BY_POSITION, COMPAT_NO, "field-removed"},
	{F(A "," B), F(A "," B), CONTRACT_EXACT, COMPAT_YES, ""},
	{F(A "," B), F(A "," B "," C), CONTRACT_EXACT, COMPAT_NO, "field-added"},
	{F(A "," B), F(A "," C), CONTRACT_EXACT, COMPAT_NO, "field-removed"},
	/* missing values */
	{"{'fields':[" N "]}", "{'fields':[" N "],'missingValues':['','NA']}", CONTRACT_BY_NAME, COMPAT_BY_DATA,
	 "missing-values"},
	{"{'fields':[" A "]}", "{'fields':[" A "],'missingValues':['','NA']}", CONTRACT_BY_NAME, COMPAT_YES, ""},
	{"{'fields':[" N "],'missingValues':['','NA']}", "{'fields':[" N "]}", CONTRACT_BY_NAME, COMPAT_YES, ""},
	{"{'fields':[" N "],'missingValues':['','0'],'primaryKey':'n'}", "{'fields':[" N "],'primaryKey':'n'}",
	 CONTRACT_BY_NAME, COMPAT_BY_DATA, "missing-values key-removed blank-row"},
	/* keys */
	{"{'fields':[" A "],'primaryKey':'a'}", "{'fields':[" A "]}", CONTRACT_BY_NAME, COMPAT_BY_DATA, "key-removed"},
	{"{'fields':[" A "," B "],'primaryKey':['a','b']}", "{'fields':[" A "," B "],'primaryKey':['a']}",
	 CONTRACT_BY_NAME, COMPAT_YES, ""},
	{"{'fields':[" A "," B "],'primaryKey':['a']}", "{'fields':[" A "," B "],'primaryKey':['a','b']}",
	 CONTRACT_BY_NAME, COMPAT_BY_DATA, "key-removed"},
	{"{'fields':[{'name':'a','type':'string','constraints':{'unique':true,'required':true}}]}",
	 "{'fields':[" A "],'primaryKey':['a']}", CONTRACT_BY_NAME, COMPAT_YES, ""},
};

static void schemas_compare(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(SCHEMAS); i++) {
		_cleanup_free_ char *old = xstrdup(SCHEMAS[i].old), *new = xstrdup(SCHEMAS[i].new);
		enum compat_verdict verdict;
		char rules[200];

		requote(old, old);
		requote(new, new);
		verdict = compare(old, new, SCHEMAS[i].match, rules, sizeof(rules));
		if (verdict != SCHEMAS[i].verdict || strcmp(rules, SCHEMAS[i].rules) != 0)
			fail_msg("%s -> %s (%d): verdict %d (%s), not %d (%s)", old, new, SCHEMAS[i].match, verdict,
				 rules, SCHEMAS[i].verdict, SCHEMAS[i].rules);
	}
}

/* A hostile column name is escaped and cut before it is shown. */
static void names_are_escaped(void **state)
{
	_cleanup_(schema_freep) struct schema *old = parse("{\"fields\":[{\"name\":\"a\\u001b[31m\\n\"}]}");
	_cleanup_(schema_freep) struct schema *new = parse("{\"fields\":[{\"name\":\"b\"}]}");
	struct compat_result result;

	(void)state;
	compat_compare(old, new, &(struct compat_reader){CONTRACT_BY_NAME, true, NULL, NULL}, &result);
	assert_int_equal(result.n_breaks, 1);
	assert_string_equal(result.breaks[0].field, "a\\x1b[31m\\x0a");
	assert_null(strchr(result.breaks[0].line, '\033'));
	compat_clear(&result);
	assert_int_equal(result.n_breaks, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_compare),
		cmocka_unit_test(schemas_compare),
		cmocka_unit_test(names_are_escaped),
	};

	json_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
