/* SPDX-License-Identifier: ISC
 *
 * dialect: every property of CSV Dialect v1 and Table Dialect v2: heeded, without effect, or refused by name.
 */
#include "schemas/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/json.h"

static enum fault parse(const char *text, const char *format, struct dialect *ret_dialect, struct warnings *warnings,
			struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *json = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);

	if (json == NULL)
		fail_msg("%s", text);
	return dialect_parse(json, format, ret_dialect, warnings, why);
}

static struct dialect heeds(const char *text, const char *format, const char *says)
{
	_cleanup_(warnings_clear) struct warnings warnings = {0};
	struct dialect dialect;
	struct refusal why = {0};

	if (parse(text, format, &dialect, &warnings, &why) != FAULT_NONE)
		fail_msg("%s: %s", text, why.line);
	assert_int_equal(warnings.n, says != NULL);
	if (says != NULL && strstr(warnings.lines[0], says) == NULL)
		fail_msg("%s: %s", text, warnings.lines[0]);
	return dialect;
}

static bool is_plain(struct dialect dialect)
{
	return dialect.delimiter == ',' && dialect.quote == '"' && dialect.header && dialect.double_quote &&
	       !dialect.skip_initial_space && dialect_is_usual(&dialect);
}

static void test_heeded(void **state)
{
	(void)state;
	assert_true(is_plain(heeds("null", NULL, NULL)));
	assert_true(is_plain(heeds("{}", "csv", NULL)));
	assert_int_equal(heeds("{}", "TSV", NULL).delimiter, '\t');
	assert_int_equal(heeds("{\"delimiter\": \"|\"}", "tsv", NULL).delimiter, '|');
	assert_int_equal(heeds("{\"csv\": {\"delimiter\": \";\"}}", NULL, NULL).delimiter, ';');
	assert_int_equal(heeds("{\"delimiter\": \"\\\\t\"}", NULL, "is read as a tabulator").delimiter, '\t');
	assert_int_equal(heeds("{\"quoteChar\": \"'\"}", NULL, NULL).quote, '\'');
	assert_true(heeds("{\"skipInitialSpace\": true}", NULL, NULL).skip_initial_space);
	assert_false(heeds("{\"header\": false}", NULL, NULL).header);
	assert_false(heeds("{\"header\": \"false\"}", NULL, "read as false").header);
	assert_false(heeds("{\"headerRows\": []}", NULL, NULL).header);
	assert_false(heeds("{\"headerRows\": [], \"header\": true}", NULL, NULL).header);
	assert_false(heeds("{\"header\": true, \"headerRows\": false}", NULL, NULL).header);
}

/* What is said of whole rows: read, and written again as it was. */
static void test_unusual(void **state)
{
	static const char *const texts[][2] = {
		{"{\"commentChar\": \"#\"}", "{\"commentChar\": \"#\"}"},
		{"{\"commentRows\": [5, 1, 5]}", "{\"commentRows\": [1, 5]}"},
		{"{\"headerRows\": [2, 1]}", "{\"headerJoin\": \" \", \"headerRows\": [1, 2]}"},
		{"{\"headerRows\": [3], \"headerJoin\": \"\"}", "{\"headerJoin\": \"\", \"headerRows\": [3]}"},
		{"{\"nullSequence\": \"\\\\N\", \"header\": false, \"headerRows\": [2]}",
		 "{\"nullSequence\": \"\\\\N\"}"},
		{"{\"commentRows\": [1], \"headerRows\": [1]}", "{\"commentRows\": [1]}"},
		{"{\"commentChar\": \"#\", \"csv\": {\"nullSequence\": \"-\"}}",
		 "{\"commentChar\": \"#\", \"nullSequence\": \"-\"}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct dialect dialect = heeds(texts[i][0], NULL, NULL);
		_cleanup_(json_decrefp) json_t *object = json_or_die(json_object());
		_cleanup_free_ char *text = NULL;

		assert_false(dialect_is_usual(&dialect));
		dialect_put_unusual(&dialect, object);
		text = json_dumps(object, JSON_SORT_KEYS);
		assert_string_equal(text, texts[i][1]);
	}
}

static void test_without_effect(void **state)
{
	static const char *const same[] = {
		"{\"lineTerminator\": \"\\r\\n\"}",
		"{\"lineTerminator\": \"\\n\"}",
		"{\"lineTerminator\": \"\\\\r\\\\n\"}",
		"{\"doubleQuote\": true}",
		"{\"headerRows\": [1]}",
		"{\"headerJoin\": \" \"}",
		"{\"commentRows\": []}",
		"{\"commentChar\": \"\"}",
		"{\"escapeChar\": null}",
		"{\"nullSequence\": null}",
		"{\"caseSensitiveHeader\": true}",
		"{\"csvddfVersion\": 1.2}",
		"{\"csvddfVersion\": \"1.0\"}",
		"{\"delimiter\": null}",
		"{\"$schema\": \"x\", \"title\": \"y\"}",
		"{\"itemType\": null, \"sheetName\": null}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		if (!is_plain(heeds(same[i], NULL, NULL)))
			fail_msg("%s", same[i]);
	}
	assert_true(is_plain(heeds("{\"caseSensitiveHeader\": false}", NULL, "told apart by their case")));
	assert_true(is_plain(heeds("{\"Delimiter\": \";\"}", NULL, "\"Delimiter\" is none of the standard's")));
}

static void test_refused(void **state)
{
	static const char *const bad[][2] = {
		{"7", "is no object"},
		{"{\"delimiter\": \"::\"}", "delimiter is no single"},
		{"{\"delimiter\": \"\"}", "delimiter is no single"},
		{"{\"delimiter\": \"\\n\"}", "delimiter is no single"},
		{"{\"delimiter\": \"\xc3\xa9\"}", "delimiter is no single"},
		{"{\"delimiter\": \"'\", \"quoteChar\": \"'\"}", "delimiter is the quoteChar too"},
		{"{\"quoteChar\": null}", "quoteChar is empty"},
		{"{\"quoteChar\": \"\"}", "quoteChar is empty"},
		{"{\"doubleQuote\": false}", "doubleQuote is false"},
		{"{\"escapeChar\": \"\\\\\"}", "escapeChar is not supported"},
		{"{\"lineTerminator\": \";\"}", "lineTerminator is none of"},
		{"{\"nullSequence\": 7}", "nullSequence is no text of at most 16 bytes"},
		{"{\"nullSequence\": \"0123456789abcdefg\"}", "nullSequence is no text of at most 16 bytes"},
		{"{\"headerJoin\": \"0123456789abcdefg\"}", "headerJoin is no text"},
		{"{\"skipInitialSpace\": 7}", "skipInitialSpace is neither"},
		{"{\"header\": 7}", "header is neither"},
		{"{\"headerRows\": 1}", "headerRows is no list of at most 8 row numbers"},
		{"{\"headerRows\": [1,2,3,4,5,6,7,8,9]}", "headerRows is no list of at most 8 row numbers"},
		{"{\"headerRows\": [0]}", "headerRows holds what is no row number"},
		{"{\"headerRows\": [1, \"2\"]}", "headerRows holds what is no row number"},
		{"{\"headerRows\": [1, 2], \"commentRows\": [2]}", "headerRows has a row that commentRows has too"},
		{"{\"commentRows\": {\"1\": 1}}", "commentRows is no list of at most 64 row numbers"},
		{"{\"commentRows\": [4294967296]}", "commentRows holds what is no row number"},
		{"{\"commentChar\": \"//\"}", "commentChar is no single"},
		{"{\"commentChar\": \",\"}", "commentChar is the delimiter or the quoteChar too"},
		{"{\"commentChar\": \"\\\"\"}", "commentChar is the delimiter or the quoteChar too"},
		{"{\"csvddfVersion\": 2}", "csvddfVersion is no version 1"},
		{"{\"property\": \"rows\"}", "property is not supported"},
		{"{\"itemType\": \"object\"}", "itemType is not supported"},
		{"{\"itemKeys\": [\"a\"]}", "itemKeys is not supported"},
		{"{\"sheetNumber\": 2}", "sheetNumber is not supported"},
		{"{\"sheetName\": \"x\"}", "sheetName is not supported"},
		{"{\"table\": \"x\"}", "table is not supported"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_(warnings_clear) struct warnings warnings = {0};
		struct refusal why = {0};
		struct dialect dialect;

		assert_int_equal(parse(bad[i][0], NULL, &dialect, &warnings, &why), FAULT_PACKAGE);
		if (strstr(why.line, bad[i][1]) == NULL)
			fail_msg("%s: %s", bad[i][0], why.line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heeded),
		cmocka_unit_test(test_unusual),
		cmocka_unit_test(test_without_effect),
		cmocka_unit_test(test_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
