/* SPDX-License-Identifier: ISC
 *
 * field: 604 cells of three public test suites; then what they leave out: constraints, real dates, patterns that
 * explode.
 */
#include "schemas/field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "bundle/limits.h"

/* What FIELD says of CELL: a set of rules, or RULE_REQUIRED for a missing one. */
static unsigned verdict(const struct field *field, const char *cell)
{
	struct value_scratch scratch;

	if (field_is_missing(field, cell, strlen(cell)))
		return RULE_REQUIRED;
	return field_check(field, cell, strlen(cell), &scratch, NULL);
}

static struct field *compile(const char *descriptor, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *json = json_loads(descriptor, JSON_REJECT_DUPLICATES, NULL);
	struct warnings warnings = {0};
	struct field *field = NULL;

	assert_non_null(json);
	field_parse_descriptor(json, NULL, &warnings, &field, why);
	warnings_clear(&warnings);
	return field;
}

static unsigned check(const char *descriptor, const char *cell)
{
	_cleanup_(field_freep) struct field *field = compile(descriptor, NULL);

	assert_non_null(field);
	return verdict(field, cell);
}

/* --- the suites' cells
 * --------------------------------------------------------------------------------------------------- */

static json_t *descriptor_of(const json_t *line)
{
	json_t *descriptor = json_deep_copy(json_object_get(line, "options"));

	json_object_set_new(descriptor, "name", json_string("f"));
	json_object_set(descriptor, "type", json_object_get(line, "type"));
	json_object_set(descriptor, "format", json_object_get(line, "format"));
	return descriptor;
}

/* The suites differ among themselves in three cells, all of them empty: a missing value before it is of any type, but those that ask
 * the type alone call it a good text. A format that is none refuses the schema; the suites call every cell of it bad. */
static bool agrees(const json_t *line)
{
	_cleanup_(json_decrefp) json_t *descriptor = descriptor_of(line);
	_cleanup_(warnings_clear) struct warnings warnings = {0};
	_cleanup_(field_freep) struct field *field = NULL;
	bool good = strcmp(json_string_value(json_object_get(line, "verdict")), "ok") == 0;
	const char *cell = json_string_value(json_object_get(line, "cell"));

	if (field_parse_descriptor(descriptor, NULL, &warnings, &field, NULL) != FAULT_NONE)
		return strcmp(json_string_value(json_object_get(line, "format")), "invalid") == 0;
	if (cell[0] == '\0')
		return verdict(field, cell) == RULE_REQUIRED &&
		       (!good || field->type == FIELD_ANY || field->type == FIELD_STRING);
	return (verdict(field, cell) == 0) == good;
}

static void test_cells(void **state)
{
	_cleanup_fclose_ FILE *file = fopen("tests/data/cells/cells.jsonl", "r");
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	unsigned n = 0, n_disagreed = 0;

	(void)state;
	assert_non_null(file);
	while (getline(&text, &size, file) > 0) {
		_cleanup_(json_decrefp) json_t *line = json_loads(text, 0, NULL);

		assert_non_null(line);
		n++;
		if (!agrees(line)) {
			print_message("%s", text);
			n_disagreed++;
		}
	}
	assert_int_equal(n, 604);
	assert_int_equal(n_disagreed, 0);
}

/* --- what they leave out
 * ----------------------------------------------------------------------------------------------- */

static void test_numbers(void **state)
{
	const char *bounded =
		"{\"name\":\"f\",\"type\":\"number\",\"constraints\":{\"minimum\":0.1,\"maximum\":\"1e3\"}}";
	const char *whole =
		"{\"name\":\"f\",\"type\":\"integer\",\"constraints\":{\"minimum\":-5,\"exclusiveMaximum\":10}}";
	const char *big = "{\"name\":\"f\",\"type\":\"integer\",\"constraints\":{\"maximum\":"
			  "\"100000000000000000000000000000000000001\"}}";

	(void)state;
	assert_int_equal(check(bounded, "0.1"), 0);
	assert_int_equal(check(bounded, "0.10"), 0);
	assert_int_equal(check(bounded, "0.09999999999999999999999999"), RULE_MINIMUM);
	assert_int_equal(check(bounded, "1000.000"), 0);
	assert_int_equal(check(bounded, "1000.0000000000000000000000001"), RULE_MAXIMUM);
	assert_int_equal(check(bounded, "NaN"), RULE_MINIMUM | RULE_MAXIMUM);
	assert_int_equal(check(bounded, "-INF"), RULE_MINIMUM);
	assert_int_equal(check(bounded, "1e"), RULE_TYPE);
	assert_int_equal(check(bounded, "1e9999999999"), RULE_TYPE);
	assert_int_equal(check(bounded, "0x10"), RULE_TYPE);
	assert_int_equal(check(bounded, "1_0"), RULE_TYPE);
	assert_int_equal(check(bounded, "."), RULE_TYPE);
	assert_int_equal(check(whole, "-5"), 0);
	assert_int_equal(check(whole, "-6"), RULE_MINIMUM);
	assert_int_equal(check(whole, "9"), 0);
	assert_int_equal(check(whole, "010"), RULE_EXCLUSIVE_MAXIMUM);
	assert_int_equal(check(whole, "+7"), 0);
	assert_int_equal(check(whole, "--7"), RULE_TYPE);
	assert_int_equal(check(whole, "1.0"), RULE_TYPE);
	assert_int_equal(check(big, "100000000000000000000000000000000000001"), 0);
	assert_int_equal(check(big, "100000000000000000000000000000000000002"), RULE_MAXIMUM);
	assert_int_equal(check("{\"name\":\"f\",\"type\":\"number\",\"groupChar\":\"\u202f\",\"decimalChar\":\",\"}",
			       "12\xe2\x80\xaf"
			       "345,6"),
			 0);
	assert_int_equal(check("{\"name\":\"f\",\"type\":\"number\",\"groupChar\":\" \"}", "1  000"), RULE_TYPE);
}

static void test_dates(void **state)
{
	const char *date = "{\"name\":\"f\",\"type\":\"date\",\"constraints\":{\"minimum\":\"1900-01-01\"}}";
	const char *pattern = "{\"name\":\"f\",\"type\":\"datetime\",\"format\":\"%d/%m/%Y %H:%M:%S\"}";
	const char *zones =
		"{\"name\":\"f\",\"type\":\"datetime\",\"constraints\":{\"maximum\":\"2020-01-01T00:00:00Z\"}}";

	(void)state;
	assert_int_equal(check(date, "2000-02-29"), 0);
	assert_int_equal(check(date, "1900-02-29"), RULE_TYPE);
	assert_int_equal(check(date, "2021-04-31"), RULE_TYPE);
	assert_int_equal(check(date, "2021-4-30"), RULE_TYPE);
	assert_int_equal(check(date, "2021-04-30 "), RULE_TYPE);
	assert_int_equal(check(date, "1899-12-31"), RULE_MINIMUM);
	assert_int_equal(check(date, "0000-01-01"), RULE_TYPE);
	assert_int_equal(check(pattern, "31/12/1999 23:59:59"), 0);
	assert_int_equal(check(pattern, "31/11/1999 23:59:59"), RULE_TYPE);
	assert_int_equal(check(pattern, "31/12/1999 23:59:60"), RULE_TYPE);
	assert_int_equal(check(pattern, "31/12/1999 23:59"), RULE_TYPE);
	assert_int_equal(check(pattern, "31/12/1999 23:59:59x"), RULE_TYPE);
	assert_int_equal(check(zones, "2020-01-01T00:30:00+01:00"), 0);
	assert_int_equal(check(zones, "2019-12-31T23:30:00-01:00"), RULE_MAXIMUM);
	assert_int_equal(check(zones, "2019-12-31T23:30:00.5+0000"), 0);
	assert_int_equal(check("{\"name\":\"f\",\"type\":\"date\",\"format\":\"%d %B %Y\"}", "3 March 2020"), 0);
	assert_int_equal(check("{\"name\":\"f\",\"type\":\"date\",\"format\":\"%Y-%j\"}", "2020-366"), 0);
	assert_int_equal(check("{\"name\":\"f\",\"type\":\"date\",\"format\":\"%Y-%j\"}", "2021-366"), RULE_TYPE);
	assert_int_equal(check("{\"name\":\"f\",\"type\":\"time\",\"format\":\"%I:%M %p\"}", "12:30 am"), 0);
	assert_int_equal(check("{\"name\":\"f\",\"type\":\"time\",\"format\":\"%I:%M %p\"}", "13:30 pm"), RULE_TYPE);
	assert_int_equal(check("{\"name\":\"f\",\"type\":\"date\",\"format\":\"any\"}", "13/02/2020"), 0);
	assert_int_equal(check("{\"name\":\"f\",\"type\":\"date\",\"format\":\"any\"}", "February 2020"), RULE_TYPE);
	assert_int_equal(check("{\"name\":\"f\",\"type\":\"date\",\"format\":\"any\"}", "31/31/2020"), RULE_TYPE);
}

static void test_texts(void **state)
{
	const char *lengths = "{\"name\":\"f\",\"type\":\"string\",\"constraints\":{\"minLength\":2,\"maxLength\":3}}";
	const char *values = "{\"name\":\"f\",\"type\":\"string\",\"constraints\":{\"enum\":[\"b\",\"a\",\"c d\",1]}}";
	const char *durations = "{\"name\":\"f\",\"type\":\"duration\",\"constraints\":{\"enum\":[\"P1Y\",\"P2D\"]}}";
	const char *at_least_a_month = "{\"name\":\"f\",\"type\":\"duration\",\"constraints\":{\"minimum\":\"P1M\","
				       "\"exclusiveMaximum\":\"P1Y\"}}";
	const char *years = "{\"name\":\"f\",\"type\":\"integer\",\"categories\":[{\"value\":1,\"label\":\"x\"},2]}";

	(void)state;
	/* Characters, not bytes. */
	assert_int_equal(check(lengths, "\xc3\xa9\xc3\xa9\xc3\xa9"), 0);
	assert_int_equal(check(lengths, "\xc3\xa9"), RULE_MIN_LENGTH);
	assert_int_equal(check(lengths, "abcd"), RULE_MAX_LENGTH);
	assert_int_equal(check(values, "a"), 0);
	assert_int_equal(check(values, "c d"), 0);
	assert_int_equal(check(values, "1"), 0);
	assert_int_equal(check(values, "A"), RULE_ENUM);
	assert_int_equal(check(years, "02"), 0);
	assert_int_equal(check(years, "3"), RULE_ENUM);
	assert_int_equal(check("{\"name\":\"f\",\"type\":\"list\",\"itemType\":\"integer\"}", "1,2,3"), 0);
	assert_int_equal(check("{\"name\":\"f\",\"type\":\"list\",\"itemType\":\"integer\"}", "1,,3"), RULE_TYPE);
	assert_int_equal(check("{\"name\":\"f\",\"type\":\"array\",\"constraints\":{\"maxLength\":1}}", "[1,2]"),
			 RULE_MAX_LENGTH);
	/* Durations: equal in value, and in no order where months are 28 to 31 days. */
	assert_int_equal(check(durations, "P12M"), 0);
	assert_int_equal(check(durations, "P1Y1D"), RULE_ENUM);
	assert_int_equal(check(at_least_a_month, "P32D"), 0);
	assert_int_equal(check(at_least_a_month, "P30D"), RULE_MINIMUM);
	assert_int_equal(check(at_least_a_month, "P1M"), 0);
	assert_int_equal(check(at_least_a_month, "P1Y"), RULE_EXCLUSIVE_MAXIMUM);
	assert_null(compile("{\"name\":\"f\",\"type\":\"duration\",\"constraints\":{\"minimum\":\"P0.5Y\"}}", NULL));
}

static void test_missing(void **state)
{
	_cleanup_(json_decrefp) json_t *missing = json_loads("[\"\", \"[ND]\"]", 0, NULL);
	_cleanup_(json_decrefp) json_t *plain = json_loads("{\"name\":\"f\",\"type\":\"integer\"}", 0, NULL);
	_cleanup_(json_decrefp) json_t *own = json_loads(
		"{\"name\":\"f\",\"type\":\"integer\",\"missingValues\":[{\"value\":\"-\",\"label\":\"none\"}]}", 0,
		NULL);
	_cleanup_(field_freep) struct field *a = NULL, *b = NULL;
	struct warnings warnings = {0};

	(void)state;
	assert_int_equal(field_parse_descriptor(plain, missing, &warnings, &a, NULL), FAULT_NONE);
	assert_int_equal(field_parse_descriptor(own, missing, &warnings, &b, NULL), FAULT_NONE);
	assert_int_equal(verdict(a, "[ND]"), RULE_REQUIRED);
	assert_int_equal(verdict(a, ""), RULE_REQUIRED);
	assert_int_equal(verdict(a, "-"), RULE_TYPE);
	assert_int_equal(verdict(b, "-"), RULE_REQUIRED);
	assert_int_equal(verdict(b, ""), RULE_TYPE);
}

static void test_patterns(void **state)
{
	const char *alternatives = "{\"name\":\"f\",\"type\":\"string\",\"constraints\":{\"pattern\":\"a|ab\"}}";
	const char *anchored = "{\"name\":\"f\",\"type\":\"string\",\"constraints\":{\"pattern\":\"^[0-9]{2}$\"}}";
	const char *escapes = "{\"name\":\"f\",\"type\":\"string\",\"constraints\":{\"pattern\":\"\\\\u00e9\\\\w+\"}}";

	(void)state;
	assert_int_equal(check(alternatives, "ab"), 0);
	assert_int_equal(check(alternatives, "abc"), RULE_PATTERN);
	assert_int_equal(check(alternatives, "xa"), RULE_PATTERN);
	assert_int_equal(check(anchored, "12"), 0);
	assert_int_equal(check(anchored, "12\n"), RULE_PATTERN);
	assert_int_equal(check(escapes, "\xc3\xa9"
					"t\xc3\xa9"),
			 0);
}

/* A pattern that needs for ever is a fault of its own, and is not tried for ever. */
static void test_pattern_limit(void **state)
{
	_cleanup_(field_freep) struct field *field = compile(
		"{\"name\":\"f\",\"type\":\"string\",\"constraints\":{\"pattern\":\"(a+)+[bc]\"}}", NULL);

	(void)state;
	assert_non_null(field);
	for (unsigned i = 0; i < LIMIT_FAULTS_KEPT + 1; i++)
		assert_int_equal(verdict(field, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad"), RULE_PATTERN_LIMIT);
	assert_int_equal(*field->n_limit_hits, LIMIT_FAULTS_KEPT);
	/* Given up: even a cell that would match at once is undecided now. */
	assert_int_equal(verdict(field, "ab"), RULE_PATTERN_LIMIT);
}

static void test_refused(void **state)
{
	static const struct {
		const char *descriptor, *says;
	} bad[] = {
		{"{\"name\":\"f\",\"type\":\"uri\"}", "type \"uri\""},
		{"{\"name\":\"f\",\"type\":7}", "type"},
		{"{\"type\":\"string\"}", "no name"},
		{"{\"name\":\"f\",\"type\":\"string\",\"format\":\"datetime\"}", "format \"datetime\""},
		{"{\"name\":\"f\",\"type\":\"date\",\"format\":\"iso8601\"}", "strptime"},
		{"{\"name\":\"f\",\"type\":\"date\",\"format\":\"%Y-%Q\"}", "%Q"},
		{"{\"name\":\"f\",\"type\":\"string\",\"constraints\":{\"pattern\":\"(\"}}", "does not compile"},
		{"{\"name\":\"f\",\"type\":\"string\",\"constraints\":{\"minimum\":1}}", "minimum"},
		{"{\"name\":\"f\",\"type\":\"integer\",\"constraints\":{\"minimum\":1.5}}", "minimum"},
		{"{\"name\":\"f\",\"type\":\"date\",\"constraints\":{\"maximum\":\"soon\"}}", "maximum"},
		{"{\"name\":\"f\",\"type\":\"string\",\"constraints\":{\"required\":123}}", "required"},
		{"{\"name\":\"f\",\"type\":\"string\",\"constraints\":{\"minLength\":-1}}", "minLength"},
		{"{\"name\":\"f\",\"type\":\"string\",\"constraints\":{\"enum\":[]}}", "enum"},
		{"{\"name\":\"f\",\"type\":\"boolean\",\"constraints\":{\"enum\":[\"perhaps\"]}}", "enum"},
		{"{\"name\":\"f\",\"type\":\"string\",\"constraints\":[]}", "constraints"},
		{"{\"name\":\"f\",\"type\":\"number\",\"groupChar\":\".\"}", "groupChar"},
		{"{\"name\":\"f\",\"type\":\"boolean\",\"trueValues\":\"yes\"}", "trueValues"},
		{"{\"name\":\"f\",\"type\":\"list\",\"itemType\":\"list\"}", "itemType"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct refusal why = {0};
		_cleanup_(field_freep) struct field *field = compile(bad[i].descriptor, &why);

		assert_null(field);
		assert_int_equal(why.fault, FAULT_SCHEMA);
		if (strstr(why.line, bad[i].says) == NULL)
			fail_msg("%s: %s", bad[i].descriptor, why.line);
	}
}

static void test_notes(void **state)
{
	_cleanup_(field_freep) struct field *field = compile(
		"{\"name\":\"f\",\"type\":\"integer\",\"constraints\":{\"minimum\":3,\"pattern\":\"\\\\d\"}}", NULL);
	char note[128];

	(void)state;
	assert_string_equal(field_note(field, RULE_TYPE, "", 0, note, sizeof(note)), "is not an integer");
	assert_string_equal(field_note(field, RULE_MINIMUM, "", 0, note, sizeof(note)), "is less than the minimum 3");
	assert_string_equal(field_note(field, RULE_PATTERN, "", 0, note, sizeof(note)),
			    "does not match the pattern \\d");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cells),         cmocka_unit_test(test_numbers), cmocka_unit_test(test_dates),
		cmocka_unit_test(test_texts),         cmocka_unit_test(test_missing), cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_pattern_limit), cmocka_unit_test(test_refused), cmocka_unit_test(test_notes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
