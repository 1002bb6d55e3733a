/* SPDX-License-Identifier: ISC
 *
 * The page of a report: what is shown of which faults, and that no report can break it.
 */
#include "schemas/report_html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *page_of(const char *json)
{
	json_t *report = json_loads(json, 0, NULL);
	char *page = NULL;
	size_t size;
	FILE *file = open_memstream(&page, &size);

	assert_non_null(report);
	assert_non_null(file);
	report_html(file, report, "towns <1>", 0);
	assert_int_equal(fclose(file), 0);
	json_decref(report);
	return page;
}

static size_t count(const char *page, const char *text)
{
	size_t n = 0;

	for (const char *at = page; (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}

#define TASK_BEGIN                                                                                                     \
	"{\"valid\": false, \"stats\": {\"errors\": 3, \"warnings\": 1}, \"tasks\": [{\"name\": \"towns\", "           \
	"\"labels\": [\"code\", \"name\", \"people\"], \"stats\": {\"rows\": 8, \"fields\": 3, \"errors\": 3, "        \
	"\"warnings\": 1}, "

static void test_rows(void **state)
{
	char *page = page_of(
		TASK_BEGIN
		"\"tallies\": [{\"rule\": \"type-error\", \"fieldName\": \"people\", \"count\": 2, \"rowNumber\": 7, "
		"\"level\": \"error\"}, {\"rule\": \"enum\", \"count\": 1, \"level\": \"warning\"}], "
		"\"errors\": [{\"rowNumber\": 7, \"offset\": 99, \"fieldNumber\": 3, \"fieldName\": \"people\", "
		"\"cell\": \"12a\", "
		"\"cells\": [\"01001\", \"<b>\", \"12a\"], \"message\": \"is & no integer\"}, "
		"{\"rowNumber\": 7, \"fieldNumber\": 1, \"message\": \"also\"}, "
		"{\"message\": \"the header lacks something\"}], "
		"\"warnings\": [{\"rowNumber\": 3, \"fieldNumber\": 1, \"cell\": \"x\", \"message\": \"is wrong\", "
		"\"level\": "
		"\"warning\"}]}]}");
	const char *third, *seventh;

	(void)state;
	assert_non_null(strstr(page, "<h1>Validation of towns &lt;1&gt;</h1>"));
	assert_non_null(strstr(page, "Not valid: 3 errors, one warning."));
	assert_non_null(strstr(page, "<p>8 rows of 3 fields: 3 errors, one warning.</p>"));
	assert_non_null(strstr(page, "<li>the header lacks something</li>"));
	assert_non_null(strstr(
		page,
		"<tr><td>error</td><td>type-error</td><td>people</td><td class=\"n\">2</td><td class=\"n\">7</td>"));
	assert_non_null(
		strstr(page, "<tr><td>warning</td><td>enum</td><td></td><td class=\"n\">1</td><td class=\"n\"></td>"));
	third = strstr(
		page,
		"<tr><td class=\"n\">3</td><td class=\"n\">0</td><td class=\"bad\">x</td><td class=\"gap\"></td>");
	seventh = strstr(
		page,
		"<tr><td class=\"n\">7</td><td class=\"n\">99</td><td class=\"bad\">01001</td><td>&lt;b&gt;</td><td "
		"class=\"bad\">12a</td><td>is &amp; no integer<br/>also</td>");
	assert_non_null(third);
	assert_non_null(seventh);
	assert_true(third < seventh);
	assert_non_null(strstr(page, "<td>warning: is wrong</td>"));
	free(page);
}

static void test_valid(void **state)
{
	char *page = page_of("{\"valid\": true, \"stats\": {\"errors\": 0}, \"tasks\": [{\"name\": \"a\", \"labels\": "
			     "[\"b\"], \"stats\": "
			     "{\"rows\": 1, \"fields\": 1, \"errors\": 0}, \"errors\": []}]}");

	(void)state;
	assert_non_null(strstr(page, "Valid: no error."));
	assert_null(strstr(page, "<table>"));
	free(page);
}

/* Many of a kind do not crowd out another; a wide table shows what is at fault. */
static void test_bounds(void **state)
{
	json_t *report = json_pack("{s:b, s:[{s:s, s:[], s:[]}]}", "valid", 0, "tasks", "name", "a", "labels",
				   "errors");
	json_t *task = json_array_get(json_object_get(report, "tasks"), 0);
	char *text, *page;

	(void)state;
	for (int i = 0; i < 50; i++)
		json_array_append_new(json_object_get(task, "labels"), json_sprintf("l%d_", i));
	for (int i = 0; i < 100; i++)
		json_array_append_new(json_object_get(task, "errors"),
				      json_pack("{s:s, s:i, s:i, s:s}", "type", "type-error", "rowNumber", 2 + i,
						"fieldNumber", 40, "message", "many"));
	json_array_append_new(json_object_get(task, "errors"),
			      json_pack("{s:s, s:i, s:i, s:s}", "type", "unique-error", "rowNumber", 900, "fieldNumber",
					30, "message", "single"));
	text = json_dumps(report, 0);
	page = page_of(text);
	assert_int_equal(count(page, ">many<"), REPORT_HTML_FAULTS);
	assert_int_equal(count(page, ">single<"), 1);
	assert_non_null(strstr(page, "<th>l0_</th>"));
	assert_non_null(strstr(page, "<th>l38_</th><th>l39_</th><th>l40_</th>"));
	assert_non_null(strstr(page, "<th>l28_</th><th>l29_</th><th>l30_</th>"));
	assert_null(strstr(page, "<th>l20_</th>"));
	assert_non_null(strstr(page, "14 of 50 columns are shown"));
	free(page);
	free(text);
	json_decref(report);
}

/* A worker's JSON of any shape. */
static void test_shapes(void **state)
{
	static const char *const reports[] = {
		"{}",
		"{\"tasks\": 1}",
		"{\"tasks\": [1, null, [], {}]}",
		"{\"tasks\": [{\"name\": 1, \"labels\": {}, \"errors\": \"x\", \"tallies\": [1, {\"count\": \"x\"}], "
		"\"stats\": []}]}",
		"{\"tasks\": [{\"labels\": [\"a\", 1, \"b\"], \"errors\": [1, {\"rowNumber\": -1}, {\"rowNumber\": 1, "
		"\"fieldNumber\": "
		"9223372036854775807, \"cells\": [1]}, {\"rowNumber\": 9223372036854775807, \"fieldNumber\": -4, "
		"\"cells\": {}}]}]}",
		"{\"valid\": \"yes\", \"stats\": 4}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(reports) / sizeof(reports[0]); i++) {
		char *page = page_of(reports[i]);

		assert_non_null(strstr(page, "Not valid"));
		assert_string_equal(page + strlen(page) - 16, "</body>\n</html>\n");
		assert_int_equal(count(page, "<table>"), count(page, "</table>"));
		free(page);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_shapes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
