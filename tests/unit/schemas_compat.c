/* SPDX-License-Identifier: ISC
 *
 * compat: one table of pairs, reader and offer, with what must come of each; every case has the name by which COMPATIBILITY.md knows it.
 * Then all pairs of the sixteen types, with cells.
 */
#include "schemas/compat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"
#include "schemas/field.h"

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

/* Single quotes in the tables are JSON's double ones. */
static struct schema *parse_quoted(const char *text)
{
	_cleanup_free_ char *copy = xstrdup(text);

	for (char *p = copy; *p != '\0'; p++)
		*p = (char)(*p == '\'' ? '"' : *p);
	return parse(copy);
}

/* How a reader finds its columns, and whether it is an application that uses all of its fields. */
enum how { BY_NAME, BY_POSITION, EXACT, WHOLE };

struct pair_case {
	const char *name, *old, *new;
	enum how how;
	enum compat_verdict verdict;
	const char *rules;
};

#define YES COMPAT_YES
#define DATA COMPAT_BY_DATA
#define NO COMPAT_NO

#define F(fields) "{'fields':[" fields "]}"
#define G(fields, more) "{'fields':[" fields "]," more "}"
#define A "{'name':'a','type':'string'}"
#define B "{'name':'b','type':'string'}"
#define C "{'name':'c','type':'string'}"
#define N "{'name':'n','type':'integer'}"
#define R "{'name':'r','type':'string','constraints':{'required':true}}"
/* One field `a`, by its properties. */
#define P(properties) "{'fields':[{'name':'a'," properties "}]}"
#define S(constraints) P("'type':'string','constraints':{" constraints "}")
#define I(constraints) P("'type':'integer','constraints':{" constraints "}")

static const struct pair_case COLUMNS[] = {
	{"same", F(A "," N), F(A "," N), BY_NAME, YES, ""},
	{"field-added-end", F(A "," B), F(A "," B "," C), BY_NAME, YES, ""},
	{"field-added-middle", F(A "," B), F(A "," C "," B), BY_NAME, YES, ""},
	{"field-added-end-by-position", F(A "," B), F(A "," B "," C), BY_POSITION, YES, ""},
	{"field-added-middle-by-position", F(A "," B), F(A "," C "," B), BY_POSITION, NO, "field-moved"},
	{"field-added-exact", F(A "," B), F(A "," B "," C), EXACT, NO, "field-added"},
	{"field-removed-used", F(A "," B), F(B), BY_NAME, NO, "field-removed"},
	{"field-removed-unused", F(A), F(A), BY_NAME, YES, ""},
	{"field-removed-optional-whole", F(A "," B), F(B), WHOLE, DATA, "field-removed"},
	{"field-removed-required-whole", F(R "," B), F(B), WHOLE, NO, "field-removed"},
	{"field-removed-by-position", F(A "," B), F(A), BY_POSITION, NO, "field-removed"},
	{"field-replaced-by-position", F(A "," B), F(B "," C), BY_POSITION, NO, "field-removed field-moved"},
	{"field-removed-all", F(A), F(B), WHOLE, NO, "field-removed field-removed"},
	{"field-renamed", F(A), F(B), BY_NAME, NO, "field-removed"},
	{"field-renamed-by-position", F(A "," B), F(A "," C), BY_POSITION, YES, ""},
	{"field-renamed-exact", F(A "," B), F(A "," C), EXACT, NO, "field-removed"},
	{"field-reordered", F(A "," B), F(B "," A), BY_NAME, YES, ""},
	{"field-reordered-by-position", F(A "," B), F(B "," A), BY_POSITION, NO, "field-moved field-moved"},
	{"field-reordered-exact", F(A "," B), F(B "," A), EXACT, NO, "field-moved field-moved"},
	{"header-exact", F(A "," B), F(A "," B), EXACT, YES, ""},
	{"fields-match-order", F(A), G(A, "'fieldsMatch':'equal'"), BY_POSITION, DATA, "order-not-promised"},
	{"fields-match-order-by-name", F(A), G(A, "'fieldsMatch':'subset'"), BY_NAME, YES, ""},
	{"fields-match-optional", F(A "," R), G(A "," R, "'fieldsMatch':'superset'"), BY_NAME, DATA, "field-optional"},
	{"fields-match-optional-both", G(A "," R, "'fieldsMatch':'partial'"), G(A "," R, "'fieldsMatch':'superset'"),
	 BY_NAME, YES, ""},
	{"fields-match-open", G(A "," R, "'fieldsMatch':'partial'"), G(R, "'fieldsMatch':'subset'"), WHOLE, DATA,
	 "field-open"},
	{"metadata", P("'type':'string','title':'x','description':'y','example':'z'"), P("'type':'string','title':'w'"),
	 BY_NAME, YES, ""},
};

static const struct pair_case FORMATS[] = {
	{"date-default-spelt", P("'type':'date'"), P("'type':'date','format':'%Y-%m-%d'"), BY_NAME, YES, ""},
	{"date-default-spelt-reverse", P("'type':'date','format':'%Y-%m-%d'"), P("'type':'date','format':'default'"),
	 BY_NAME, YES, ""},
	{"date-pattern-changed", P("'type':'date','format':'%d/%m/%Y'"), P("'type':'date','format':'%m/%d/%Y'"),
	 BY_NAME, NO, "format-changed"},
	{"date-pattern-same", P("'type':'date','format':'%d/%m/%Y'"), P("'type':'date','format':'%d/%m/%Y'"), BY_NAME,
	 YES, ""},
	{"date-any-offered", P("'type':'date'"), P("'type':'date','format':'any'"), BY_NAME, DATA, "format-changed"},
	{"date-any-reads-default", P("'type':'date','format':'any'"), P("'type':'date'"), BY_NAME, YES, ""},
	{"date-any-reads-day-first", P("'type':'date','format':'any'"), P("'type':'date','format':'%d/%m/%Y'"), BY_NAME,
	 NO, "format-changed"},
	{"time-default-spelt", P("'type':'time'"), P("'type':'time','format':'%H:%M:%S'"), BY_NAME, DATA,
	 "format-changed"},
	{"time-pattern-misread", P("'type':'time'"), P("'type':'time','format':'%M:%H:%S'"), BY_NAME, NO,
	 "format-changed"},
	{"string-format-same", P("'type':'string','format':'email'"), P("'type':'string','format':'email'"), BY_NAME,
	 YES, ""},
	{"string-format-dropped", P("'type':'string','format':'email'"), P("'type':'string'"), BY_NAME, DATA,
	 "format-changed"},
	{"string-format-added", P("'type':'string'"), P("'type':'string','format':'email'"), BY_NAME, YES, ""},
	{"string-format-few", P("'type':'string','format':'email'"), S("'enum':['a@b.fr','c@d.fr']"), BY_NAME, YES, ""},
	{"decimal-char", P("'type':'number'"), P("'type':'number','decimalChar':','"), BY_NAME, DATA, "format-changed"},
	{"decimal-char-integer", P("'type':'number','decimalChar':','"), P("'type':'integer'"), BY_NAME, YES, ""},
	{"marks-change-places", P("'type':'number','decimalChar':',','groupChar':'.'"), P("'type':'number'"), BY_NAME,
	 NO, "format-changed"},
	{"marks-change-places-reverse", P("'type':'number'"), P("'type':'number','decimalChar':',','groupChar':'.'"),
	 BY_NAME, NO, "format-changed"},
	{"group-char-added", P("'type':'number'"), P("'type':'number','groupChar':' '"), BY_NAME, DATA,
	 "format-changed"},
	{"group-char-dropped", P("'type':'number','groupChar':' '"), P("'type':'number'"), BY_NAME, YES, ""},
	{"group-char-strange", P("'type':'number','groupChar':'e'"), P("'type':'number'"), BY_NAME, DATA,
	 "format-changed"},
	{"bare-number-added", P("'type':'number'"), P("'type':'number','bareNumber':false"), BY_NAME, DATA,
	 "format-changed"},
	/* "NaN" has no digit to cut down to. */
	{"bare-number-dropped", P("'type':'number','bareNumber':false"), P("'type':'number'"), BY_NAME, DATA,
	 "format-changed"},
	{"bare-number-dropped-integer", P("'type':'number','bareNumber':false"), P("'type':'integer'"), BY_NAME, YES,
	 ""},
	{"boolean-words-fewer", P("'type':'boolean'"),
	 P("'type':'boolean','trueValues':['true'],'falseValues':['false']"), BY_NAME, YES, ""},
	{"boolean-words-more", P("'type':'boolean'"), P("'type':'boolean','trueValues':['oui'],'falseValues':['non']"),
	 BY_NAME, DATA, "format-changed"},
	{"boolean-words-exchanged", P("'type':'boolean'"), P("'type':'boolean','trueValues':['0'],'falseValues':['1']"),
	 BY_NAME, NO, "format-changed"},
	{"list-delimiter", P("'type':'list'"), P("'type':'list','delimiter':';'"), BY_NAME, NO, "format-changed"},
	{"list-item-narrower", P("'type':'list','itemType':'number'"), P("'type':'list','itemType':'integer'"), BY_NAME,
	 YES, ""},
	{"list-item-wider", P("'type':'list','itemType':'integer'"), P("'type':'list'"), BY_NAME, DATA,
	 "format-changed"},
	{"geopoint-format", P("'type':'geopoint'"), P("'type':'geopoint','format':'array'"), BY_NAME, DATA,
	 "format-changed"},
	{"geojson-format", P("'type':'geojson'"), P("'type':'geojson','format':'topojson'"), BY_NAME, DATA,
	 "format-changed"},
};

static const struct pair_case CONSTRAINTS[] = {
	{"required-dropped", S("'required':true"), S(""), BY_NAME, DATA, "constraint-relaxed"},
	{"required-added", S(""), S("'required':true"), BY_NAME, YES, ""},
	{"required-by-key", S("'required':true"), G(A, "'primaryKey':'a'"), BY_NAME, YES, ""},
	/* Of a key of two, one may be missing. */
	{"required-by-part-of-key", S("'required':true"), G(A "," B, "'primaryKey':['a','b']"), BY_NAME, DATA,
	 "constraint-relaxed"},
	{"unique-same", S("'unique':true"), S("'unique':true"), BY_NAME, YES, ""},
	{"unique-dropped", S("'unique':true"), S("'unique':false"), BY_NAME, DATA, "constraint-relaxed"},
	{"unique-by-key", S("'unique':true"), G(A, "'primaryKey':['a']"), BY_NAME, YES, ""},
	{"unique-merged-by-type", I("'unique':true"), S("'unique':true"), BY_NAME, DATA,
	 "type-changed constraint-relaxed"},
	{"unique-kept-as-text", S("'unique':true"), I("'unique':true"), BY_NAME, YES, ""},
	{"enum-fewer", S("'enum':['a','b']"), S("'enum':['b']"), BY_NAME, YES, ""},
	{"enum-more", S("'enum':['a','b']"), S("'enum':['b','c']"), BY_NAME, DATA, "constraint-relaxed"},
	{"enum-dropped", S("'enum':['a','b']"), S(""), BY_NAME, DATA, "constraint-relaxed"},
	{"enum-added", S(""), S("'enum':['a']"), BY_NAME, YES, ""},
	{"enum-numbers-fewer", I("'enum':[1,2]"), I("'enum':['2']"), BY_NAME, YES, ""},
	{"enum-numbers-more", I("'enum':[1,2]"), I("'enum':[3]"), BY_NAME, DATA, "constraint-relaxed"},
	{"categories-fewer", P("'type':'string','categories':['a','b']"),
	 P("'type':'string','categories':[{'value':'a','label':'x'}]"), BY_NAME, YES, ""},
	{"categories-more", P("'type':'string','categories':['a']"), P("'type':'string','categories':['a','b']"),
	 BY_NAME, DATA, "constraint-relaxed"},
	{"minimum-same", I("'minimum':5"), I("'minimum':5"), BY_NAME, YES, ""},
	{"minimum-higher", I("'minimum':5"), I("'minimum':6"), BY_NAME, YES, ""},
	{"minimum-lower", I("'minimum':5"), I("'minimum':4"), BY_NAME, DATA, "constraint-relaxed"},
	{"minimum-dropped", I("'minimum':5"), I(""), BY_NAME, DATA, "constraint-relaxed"},
	{"minimum-by-exclusive", I("'minimum':5"), I("'exclusiveMinimum':5"), BY_NAME, YES, ""},
	{"minimum-by-enum", I("'minimum':5"), I("'enum':[5,6]"), BY_NAME, YES, ""},
	{"maximum-higher", I("'maximum':5"), I("'maximum':6"), BY_NAME, DATA, "constraint-relaxed"},
	{"maximum-lower", I("'maximum':5"), I("'maximum':4"), BY_NAME, YES, ""},
	{"maximum-of-narrower-type", P("'type':'number','constraints':{'maximum':5}"), I("'maximum':4"), BY_NAME, YES,
	 ""},
	{"exclusive-minimum-by-minimum", I("'exclusiveMinimum':5"), I("'minimum':5"), BY_NAME, DATA,
	 "constraint-relaxed"},
	{"exclusive-minimum-by-higher-minimum", I("'exclusiveMinimum':5"), I("'minimum':6"), BY_NAME, YES, ""},
	{"exclusive-maximum-relaxed", I("'exclusiveMaximum':5"), I("'exclusiveMaximum':6"), BY_NAME, DATA,
	 "constraint-relaxed"},
	{"minimum-duration-longer", P("'type':'duration','constraints':{'minimum':'P1M'}"),
	 P("'type':'duration','constraints':{'minimum':'P32D'}"), BY_NAME, YES, ""},
	{"minimum-duration-no-order", P("'type':'duration','constraints':{'minimum':'P1M'}"),
	 P("'type':'duration','constraints':{'minimum':'P30D'}"), BY_NAME, DATA, "constraint-relaxed"},
	{"minimum-date-later", P("'type':'date','constraints':{'minimum':'2020-01-01'}"),
	 P("'type':'date','constraints':{'minimum':'2021-01-01'}"), BY_NAME, YES, ""},
	{"minimum-date-earlier", P("'type':'date','constraints':{'minimum':'2021-01-01'}"),
	 P("'type':'date','constraints':{'minimum':'2020-01-01'}"), BY_NAME, DATA, "constraint-relaxed"},
	{"max-length-shorter", S("'maxLength':5"), S("'maxLength':3"), BY_NAME, YES, ""},
	{"max-length-longer", S("'maxLength':5"), S("'maxLength':9"), BY_NAME, DATA, "constraint-relaxed"},
	{"max-length-of-dates", S("'maxLength':10"), P("'type':'date'"), BY_NAME, YES, ""},
	{"min-length-longer", S("'minLength':2"), S("'minLength':3"), BY_NAME, YES, ""},
	{"min-length-shorter", S("'minLength':2"), S("'minLength':1"), BY_NAME, DATA, "constraint-relaxed"},
	{"length-counts-items", P("'type':'list','constraints':{'maxLength':2}"), S("'maxLength':2"), BY_NAME, DATA,
	 "type-changed constraint-relaxed"},
	{"pattern-same", S("'pattern':'a+'"), S("'pattern':'a+'"), BY_NAME, YES, ""},
	{"pattern-added", S(""), S("'pattern':'a+'"), BY_NAME, YES, ""},
	{"pattern-changed", S("'pattern':'a+'"), S("'pattern':'aa'"), BY_NAME, DATA, "constraint-relaxed"},
	{"pattern-dropped", S("'pattern':'a+'"), S(""), BY_NAME, DATA, "constraint-relaxed"},
	{"pattern-by-enum", S("'pattern':'a+'"), S("'enum':['a','aa']"), BY_NAME, YES, ""},
	{"pattern-not-by-enum", S("'pattern':'a+'"), S("'enum':['a','b']"), BY_NAME, DATA, "constraint-relaxed"},
	{"json-schema-same", P("'type':'object','constraints':{'jsonSchema':{'required':['x']}}"),
	 P("'type':'object','constraints':{'jsonSchema':{'required':['x']}}"), BY_NAME, YES, ""},
	{"json-schema-changed", P("'type':'object','constraints':{'jsonSchema':{'required':['x']}}"),
	 P("'type':'object'"), BY_NAME, DATA, "constraint-relaxed"},
	{"json-schema-added", P("'type':'object'"),
	 P("'type':'object','constraints':{'jsonSchema':{'required':['x']}}"), BY_NAME, YES, ""},
	{"missing-words-more", P("'type':'integer','missingValues':['']"),
	 P("'type':'integer','missingValues':['','NA']"), BY_NAME, DATA, "missing-values"},
	{"missing-words-more-text", F(A), G(A, "'missingValues':['','NA']"), BY_NAME, YES, ""},
	{"missing-words-more-required", F(N),
	 P("'type':'integer','missingValues':['','NA'],'constraints':{'required':true}"), BY_NAME, NO, "field-removed"},
	{"missing-words-never", P("'type':'integer'"),
	 P("'type':'integer','missingValues':['','NA'],'constraints':{'required':true}"), BY_NAME, YES, ""},
	{"missing-word-read-as-value", P("'type':'integer'"), P("'type':'integer','missingValues':['','-1']"), BY_NAME,
	 NO, "missing-values"},
	{"missing-words-fewer", G(N, "'missingValues':['','NA']"), F(N), BY_NAME, YES, ""},
	{"missing-word-now-value", P("'type':'integer','missingValues':['','0'],'constraints':{'required':true}"),
	 P("'type':'integer','constraints':{'required':true}"), BY_NAME, DATA, "missing-values blank-row"},
};

static const struct pair_case TABLES[] = {
	{"primary-key-dropped", G(A, "'primaryKey':'a'"), F(A), BY_NAME, DATA, "key-removed"},
	{"primary-key-shorter", G(A "," B, "'primaryKey':['a','b']"), G(A "," B, "'primaryKey':['a']"), BY_NAME, YES,
	 ""},
	{"primary-key-longer", G(A "," B, "'primaryKey':['a']"), G(A "," B, "'primaryKey':['a','b']"), BY_NAME, DATA,
	 "key-removed"},
	{"primary-key-merged-by-type", G(N, "'primaryKey':'n'"), G("{'name':'n','type':'string'}", "'primaryKey':'n'"),
	 BY_NAME, DATA, "type-changed key-removed"},
	{"primary-key-by-unique", G(R, "'primaryKey':'r'"),
	 F("{'name':'r','type':'string','constraints':{'required':true,'unique':true}}"), BY_NAME, YES, ""},
	{"unique-key-dropped", G(A "," B, "'uniqueKeys':[['a','b']]"), F(A "," B), BY_NAME, DATA, "key-removed"},
	{"unique-key-same", G(A "," B, "'uniqueKeys':[['a','b']]"), G(A "," B, "'uniqueKeys':[['b','a']]"), BY_NAME,
	 YES, ""},
	{"unique-key-shorter-may-be-missing", G(A "," B, "'uniqueKeys':[['a','b']]"),
	 G(A "," B, "'uniqueKeys':[['a']]"), BY_NAME, DATA, "key-removed"},
	{"unique-key-by-primary-key", G(A "," B, "'uniqueKeys':[['a','b']]"), G(A "," B, "'primaryKey':['a']"), BY_NAME,
	 YES, ""},
	{"foreign-key-same", G(A "," B, "'foreignKeys':[{'fields':'a','reference':{'resource':'','fields':'b'}}]"),
	 G(A "," B, "'foreignKeys':[{'fields':'a','reference':{'resource':'','fields':'b'}}]"), BY_NAME, YES, ""},
	{"foreign-key-added", F(A "," B),
	 G(A "," B, "'foreignKeys':[{'fields':'a','reference':{'resource':'','fields':'b'}}]"), BY_NAME, YES, ""},
	{"foreign-key-dropped", G(A "," B, "'foreignKeys':[{'fields':'a','reference':{'resource':'','fields':'b'}}]"),
	 F(A "," B), BY_NAME, DATA, "reference-removed"},
	/* Of the other resource nothing is known here. */
	{"foreign-key-elsewhere", G(A, "'foreignKeys':[{'fields':'a','reference':{'resource':'x','fields':'b'}}]"),
	 G(A, "'foreignKeys':[{'fields':'a','reference':{'resource':'x','fields':'b'}}]"), BY_NAME, DATA,
	 "reference-removed"},
	{"check-added", F(A), G(A, "'custom_checks':[{'name':'french-siren-value','params':{'column':'a'}}]"), BY_NAME,
	 YES, ""},
	{"check-same", G(A, "'custom_checks':[{'name':'french-siren-value','params':{'column':'a'}}]"),
	 G(A, "'custom_checks':[{'name':'french-siren-value','params':{'column':'a'}}]"), BY_NAME, YES, ""},
	{"check-dropped", G(A, "'custom_checks':[{'name':'french-siren-value','params':{'column':'a'}}]"), F(A),
	 BY_NAME, DATA, "check-removed"},
	{"fr-format-dropped", P("'type':'string','frFormat':'siren'"), P("'type':'string'"), BY_NAME, DATA,
	 "check-removed"},
	{"fr-format-added", P("'type':'string'"), P("'type':'string','frFormat':'siren'"), BY_NAME, YES, ""},
	{"blank-row", G(A, "'missingValues':['','NA']"), F(A), BY_NAME, DATA, "blank-row"},
	{"blank-row-never", G(A "," R, "'missingValues':['','NA']"),
	 G(A "," R ","
	     "{'name':'c','type':'string','missingValues':['x'],'constraints':{'minLength':1}}",
	   "'missingValues':['','NA']"),
	 BY_NAME, YES, ""},
};

static void compare(const struct pair_case *item)
{
	_cleanup_(schema_freep) struct schema *old = parse_quoted(item->old), *new = parse_quoted(item->new);
	struct compat_reader reader = {.uses_all = item->how != WHOLE,
				       .match = item->how == BY_POSITION ? CONTRACT_BY_POSITION
						: item->how == EXACT     ? CONTRACT_EXACT
									 : CONTRACT_BY_NAME};
	struct compat_result result;
	char rules[400] = "";

	compat_compare(old, new, &reader, &result);
	for (size_t i = 0; i < result.n_breaks; i++) {
		assert_true(result.breaks[i].verdict != COMPAT_YES);
		assert_true(result.breaks[i].line[0] != '\0');
		strncat(rules, i > 0 ? " " : "", sizeof(rules) - strlen(rules) - 1);
		strncat(rules, result.breaks[i].rule, sizeof(rules) - strlen(rules) - 1);
	}
	if (result.verdict != item->verdict || strcmp(rules, item->rules) != 0)
		fail_msg("%s: %s -> %s: verdict %d (%s), not %d (%s)", item->name, item->old, item->new, result.verdict,
			 rules, item->verdict, item->rules);
	compat_clear(&result);
}

#define COMPARE_ALL(test, cases)                                                                                       \
	static void test(void **state)                                                                                 \
	{                                                                                                              \
		(void)state;                                                                                           \
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++)                                                         \
			compare(&(cases)[i]);                                                                          \
	}
COMPARE_ALL(columns_compare, COLUMNS)
COMPARE_ALL(formats_compare, FORMATS)
COMPARE_ALL(constraints_compare, CONSTRAINTS)
COMPARE_ALL(tables_compare, TABLES)

/* --- all pairs of types -------------------------------------------------------------------------------------------- */

/* Cells of each type, so chosen that no two types have all of them alike. */
static const char *const CELLS[FIELD_TYPE_N][4] = {
	[FIELD_ANY] = {"x y", "1", "{}", NULL},
	[FIELD_STRING] = {"x y", "1", "{}", NULL},
	[FIELD_INTEGER] = {"1", "-7", "12345", NULL},
	[FIELD_NUMBER] = {"1.5", "-7", "1e3", NULL},
	[FIELD_BOOLEAN] = {"true", "0", "False", NULL},
	[FIELD_DATE] = {"2024-02-29", "1999-01-01", NULL},
	[FIELD_TIME] = {"10:00:00", "23:59:59Z", NULL},
	[FIELD_DATETIME] = {"2024-02-29T10:00:00Z", "2024-02-29 10:00:00", NULL},
	[FIELD_YEAR] = {"2024", "0001", NULL},
	[FIELD_YEARMONTH] = {"2024-12", "1999-01", NULL},
	[FIELD_DURATION] = {"P1Y", "PT5M", NULL},
	[FIELD_OBJECT] = {"{}", "{\"a\":1}", NULL},
	[FIELD_ARRAY] = {"[]", "[1,2]", NULL},
	[FIELD_LIST] = {"a,b", "2.5,48.5", NULL},
	[FIELD_GEOPOINT] = {"2.5,48.5", "0,0", NULL},
	[FIELD_GEOJSON] = {"{\"type\":\"Point\",\"coordinates\":[1,2]}", NULL},
};

/* The pairs "type of the reader <- type offered" that are always read; any and string read all, and each type its own. */
static const enum field_type READ[][2] = {
	{FIELD_NUMBER, FIELD_INTEGER}, {FIELD_NUMBER, FIELD_YEAR},  {FIELD_INTEGER, FIELD_YEAR},
	{FIELD_OBJECT, FIELD_GEOJSON}, {FIELD_LIST, FIELD_BOOLEAN},
};

static bool is_always_read(enum field_type old, enum field_type new)
{
	if (old == new || old == FIELD_ANY || old == FIELD_STRING)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(READ); i++) {
		if (READ[i][0] == old && READ[i][1] == new)
			return true;
	}
	return false;
}

static bool all_are_read(const struct field *field, enum field_type type)
{
	struct value_scratch scratch;

	for (size_t i = 0; CELLS[type][i] != NULL; i++) {
		if (field_check(field, CELLS[type][i], strlen(CELLS[type][i]), &scratch, NULL) != 0)
			return false;
	}
	return true;
}

static void compare_types(enum field_type old_type, enum field_type new_type)
{
	_cleanup_free_ char *was = xasprintf(P("'type':'%s'"), field_type_name(old_type));
	_cleanup_free_ char *is = xasprintf(P("'type':'%s'"), field_type_name(new_type));
	_cleanup_(schema_freep) struct schema *old = parse_quoted(was), *new = parse_quoted(is);
	struct compat_reader reader = {CONTRACT_BY_NAME, true, NULL, NULL};
	struct compat_result result;
	bool read = all_are_read(old->fields[0], new_type);

	assert_true(all_are_read(new->fields[0], new_type));
	compat_compare(old, new, &reader, &result);
	if ((result.verdict == COMPAT_YES) != is_always_read(old_type, new_type))
		fail_msg("%s <- %s: verdict %d", field_type_name(old_type), field_type_name(new_type), result.verdict);
	/* Sound, and not over-careful: where it is not claimed, there is a cell to show why. A list of texts takes any text, cut into
	 * items that nobody wrote. */
	if (result.verdict == COMPAT_YES)
		assert_true(read);
	else if (old_type != FIELD_LIST)
		assert_false(read);
	if (result.verdict != COMPAT_YES)
		assert_string_equal(result.breaks[0].rule, "type-changed");
	compat_clear(&result);
}

static void all_pairs_of_types(void **state)
{
	(void)state;
	for (int old = 0; old < FIELD_TYPE_N; old++) {
		for (int new = 0; new < FIELD_TYPE_N; new ++)
			compare_types((enum field_type)old, (enum field_type) new);
	}
}

/* --- what is not of schemas ---------------------------------------------------------------------------------------- */

static struct package *parse_package(const char *resource)
{
	_cleanup_free_ char *text = xasprintf("{\"name\":\"d\",\"resources\":[{\"name\":\"t\",\"path\":\"t.csv\",%s}]}",
					      resource);
	struct package *package = NULL;
	struct refusal why = {FAULT_NONE, ""};

	for (char *p = text; *p != '\0'; p++)
		*p = (char)(*p == '\'' ? '"' : *p);
	if (package_parse(text, strlen(text), NULL, NULL, &package, &why) != FAULT_NONE)
		fail_msg("%s: %s", text, why.line);
	return package;
}

struct form_case {
	const char *name, *old, *new;
	bool is_same;
};

static const struct form_case FORMS[] = {
	{"dialect-absorbed", "'format':'csv','dialect':{'delimiter':';'}", "'format':'csv','dialect':{'delimiter':'|'}",
	 true},
	{"encoding-absorbed", "'format':'csv','encoding':'cp1252'", "'format':'csv','encoding':'utf-8'", true},
	{"dialect-verbatim", "'format':'csv','dialect':{'delimiter':';'},'clapet':{'transform':'verbatim'}",
	 "'format':'csv','dialect':{'delimiter':'|'},'clapet':{'transform':'verbatim'}", false},
	{"comments-verbatim", "'format':'csv','dialect':{'commentRows':[2]},'clapet':{'transform':'verbatim'}",
	 "'format':'csv','dialect':{'commentRows':[3]},'clapet':{'transform':'verbatim'}", false},
	{"comments-plain", "'format':'csv','dialect':{'commentChar':'#'}", "'format':'csv'", true},
	{"encoding-verbatim", "'format':'csv','encoding':'cp1252','clapet':{'transform':'verbatim'}",
	 "'format':'csv','encoding':'utf-8','clapet':{'transform':'verbatim'}", false},
	{"plain-no-more", "'format':'csv'",
	 "'format':'csv','dialect':{'delimiter':';'},'clapet':{'transform':'verbatim'}", false},
};

static void forms_compare(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(FORMS); i++) {
		_cleanup_(package_freep) struct package *old = parse_package(FORMS[i].old);
		_cleanup_(package_freep) struct package *new = parse_package(FORMS[i].new);
		struct compat_result result = {COMPAT_YES, NULL, 0};

		compat_compare_form(&old->resources[0], &new->resources[0], &result);
		if ((result.verdict == COMPAT_YES) != FORMS[i].is_same)
			fail_msg("%s: verdict %d", FORMS[i].name, result.verdict);
		if (!FORMS[i].is_same)
			assert_string_equal(result.breaks[0].rule, "form-changed");
		compat_clear(&result);
	}
}

/* Data that break their own schema: what it promises decides nothing, and all of the reader's schema is run over the rows. */
static void let_through(void **state)
{
	_cleanup_(schema_freep) struct schema *schema = parse_quoted(G(R "," N, "'primaryKey':'r'"));
	struct compat_reader reader = {CONTRACT_BY_NAME, true, NULL, NULL};
	_cleanup_(json_decrefp) json_t *run = NULL;
	struct compat_result result;

	(void)state;
	compat_compare(schema, schema, &reader, &result);
	assert_int_equal(result.verdict, COMPAT_YES);
	compat_let_through("t", &result);
	assert_int_equal(result.verdict, COMPAT_BY_DATA);
	assert_string_equal(result.breaks[0].rule, "let-through");
	run = compat_run_schema(&result, schema);
	assert_int_equal(json_array_size(json_object_get(run, "fields")), 2);
	assert_non_null(json_object_get(run, "primaryKey"));
	compat_clear(&result);
}

/* A hostile column name is escaped and cut before it is shown; what was and what is are there for the report. */
static void breaks_tell(void **state)
{
	_cleanup_(schema_freep) struct schema *old = parse("{\"fields\":[{\"name\":\"a\\u001b[31m\\n\"}]}");
	_cleanup_(schema_freep) struct schema *new = parse("{\"fields\":[{\"name\":\"b\",\"type\":\"date\"}]}");
	_cleanup_(schema_freep) struct schema *text = parse_quoted(S("'maxLength':3"));
	_cleanup_(schema_freep) struct schema *longer = parse_quoted(S("'maxLength':4"));
	struct compat_reader reader = {CONTRACT_BY_NAME, true, NULL, NULL};
	struct compat_result result;

	(void)state;
	compat_compare(old, new, &reader, &result);
	assert_int_equal(result.n_breaks, 1);
	assert_string_equal(result.breaks[0].field, "a\\x1b[31m\\x0a");
	assert_null(strchr(result.breaks[0].line, '\033'));
	assert_null(strstr(result.breaks[0].line, "renamed"));
	compat_clear(&result);
	assert_int_equal(result.n_breaks, 0);
	compat_compare(text, longer, &reader, &result);
	assert_string_equal(result.breaks[0].old_text, "3");
	assert_string_equal(result.breaks[0].new_text, "4");
	compat_clear(&result);
	compat_compare(text, text, &reader, &result);
	assert_int_equal(result.n_breaks, 0);
	compat_clear(&result);
}

/* A new field of the same type in the place of one that is gone is a hint, no more. */
static void renaming_is_hinted(void **state)
{
	_cleanup_(schema_freep) struct schema *old = parse_quoted(F(A "," B)), *new = parse_quoted(F(A "," C));
	struct compat_reader reader = {CONTRACT_BY_NAME, true, NULL, NULL};
	struct compat_result result;

	(void)state;
	compat_compare(old, new, &reader, &result);
	assert_int_equal(result.verdict, COMPAT_NO);
	assert_string_equal(result.breaks[0].line, "field b is gone; column 2 is now c: renamed?");
	compat_clear(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_compare),     cmocka_unit_test(formats_compare),
		cmocka_unit_test(constraints_compare), cmocka_unit_test(tables_compare),
		cmocka_unit_test(all_pairs_of_types),  cmocka_unit_test(forms_compare),
		cmocka_unit_test(breaks_tell),         cmocka_unit_test(let_through),
		cmocka_unit_test(renaming_is_hinted),
	};

	json_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
