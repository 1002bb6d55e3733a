/* SPDX-License-Identifier: ISC
 *
 * access.json: what it takes, what it refuses by name, and what is asked of it.
 */
#include "inside/accessrules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "bundle/limits.h"

#define DIGEST "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" /* of nothing */
#define HEAD "{\"format\": \"clapet access 1\", "
#define OPEN HEAD "\"default\": {\"access\": \"open\"}"
#define LICENCES "\"licences\": [{\"name\": \"lov\", \"text\": \"lov.txt\", \"sha256\": \"" DIGEST "\"}]"

static const char whole[] = OPEN
	", " LICENCES
	", \"datasets\": [{\"name\": \"sirene\", \"access\": \"licence\", \"licence\": \"lov\"}, {\"name\": \"cog\", "
	"\"access\": \"private\", \"hidden\": true}], \"views\": [{\"name\": \"ain\", \"title\": \"L'Ain\", "
	"\"access\": "
	"\"private\", \"datasets\": [\"sirene\", \"cog\"], \"rows\": [{\"dataset\": \"sirene\", \"resource\": "
	"\"etablissements\", \"column\": \"departement\", \"value\": \"01\"}]}], \"rates\": {\"key\": {\"perMinute\": "
	"60, "
	"\"burst\": 5}}}";

static void test_whole(void **state)
{
	_cleanup_(access_rules_freep) struct access_rules *rules = NULL;
	const struct access_filter *filter;
	const struct access_view *view;

	(void)state;
	assert_int_equal(access_rules_parse(whole, strlen(whole), "a", &rules, NULL), FAULT_NONE);
	assert_int_equal(access_grade_of(rules, "villes")->kind, ACCESS_OPEN);
	assert_int_equal(access_grade_of(rules, "sirene")->kind, ACCESS_LICENCE);
	assert_string_equal(access_grade_of(rules, "sirene")->licence->text, "lov.txt");
	assert_true(access_grade_of(rules, "cog")->hidden);
	assert_null(access_view_of(rules, "jura"));
	view = access_view_of(rules, "ain");
	assert_non_null(view);
	assert_true(access_names_has(&view->datasets, "cog"));
	assert_false(access_names_has(&view->datasets, "villes"));
	filter = access_filter_of(view, "sirene", "etablissements");
	assert_non_null(filter);
	assert_string_equal(filter->value, "01");
	assert_null(access_filter_of(view, "sirene", "unites"));
	assert_true(access_view_filters(view, "sirene"));
	assert_false(access_view_filters(view, "cog"));
	assert_int_equal(rules->key_rate.burst, 5);
	assert_int_equal(rules->address_rate.per_minute, 0);
}

static void test_open(void **state)
{
	_cleanup_(access_rules_freep) struct access_rules *rules = access_rules_open();

	(void)state;
	assert_int_equal(access_grade_of(rules, "cog")->kind, ACCESS_OPEN);
	assert_null(access_view_of(rules, "ain"));
}

/* What is refused, and the words that say what is wrong. */
static const struct {
	const char *text, *line;
} refused[] = {
	{"", "a:"},
	{"{\"format\": \"clapet access 2\", \"default\": {\"access\": \"open\"}}", "this reads 1"},
	{HEAD "\"datasets\": []}", "default"},
	{OPEN ", \"dataset\": []}", "dataset"},
	{HEAD "\"default\": {\"access\": \"closed\"}}", "not open, licence or private"},
	{HEAD "\"default\": {\"access\": \"licence\"}}", "goes with the access"},
	{HEAD "\"default\": {\"access\": \"open\", \"licence\": \"lov\"}}", "goes with the access"},
	{HEAD "\"default\": {\"access\": \"open\", \"hidden\": true}}", "only what is private can be hidden"},
	{OPEN ", \"datasets\": [{\"name\": \"a\", \"access\": \"licence\", \"licence\": \"b\"}]}", "no licence \"b\""},
	{OPEN ", \"datasets\": [{\"name\": \"a\", \"access\": \"open\"}, {\"name\": \"a\", \"access\": \"open\"}]}",
	 "dataset a twice"},
	{OPEN ", \"datasets\": [{\"name\": \"A\", \"access\": \"open\"}]}", "no name"},
	{OPEN ", \"datasets\": [7]}", "not an object"},
	{OPEN ", \"licences\": [{\"name\": \"lov\", \"text\": \"t\", \"sha256\": \"AB\"}]}", "64 lower-case digits"},
	{OPEN ", \"licences\": [{\"name\": \"lov\", \"text\": \"\", \"sha256\": \"" DIGEST "\"}]}", "empty"},
	{OPEN ", \"views\": [{\"name\": \"v\", \"title\": \"t\", \"access\": \"open\"}]}", "datasets"},
	{OPEN ", \"views\": [{\"name\": \"v\", \"title\": \"t\", \"access\": \"open\", \"datasets\": [\"a\", \"a\"]}]}",
	 "dataset a twice"},
	{OPEN
	 ", \"views\": [{\"name\": \"v\", \"title\": \"t\", \"access\": \"open\", \"datasets\": [\"a\"], \"rows\": "
	 "[{\"dataset\": \"b\", \"resource\": \"r\", \"column\": \"c\", \"value\": \"1\"}]}]}",
	 "does not show"},
	{OPEN
	 ", \"views\": [{\"name\": \"v\", \"title\": \"t\", \"access\": \"open\", \"datasets\": [\"a\"], \"rows\": "
	 "[{\"dataset\": \"a\", \"resource\": \"r\", \"column\": \"c\", \"value\": \"1\"}, {\"dataset\": \"a\", "
	 "\"resource\": \"r\", \"column\": \"d\", \"value\": \"2\"}]}]}",
	 "rows of a/r twice"},
	{OPEN ", \"rates\": {\"key\": {\"perMinute\": 0, \"burst\": 1}}}", "perMinute"},
	{OPEN ", \"rates\": {\"keys\": {\"perMinute\": 1, \"burst\": 1}}}", "keys"},
	{OPEN "} x", "a:"},
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct access_rules *rules = NULL;
		struct refusal why = {0};

		assert_int_equal(access_rules_parse(refused[i].text, strlen(refused[i].text), "a", &rules, &why),
				 FAULT_ACCESS_RULES);
		assert_null(rules);
		if (strstr(why.line, refused[i].line) == NULL)
			fail_msg("%s: no \"%s\" in \"%s\"", refused[i].text, refused[i].line, why.line);
	}
}

static void test_names(void **state)
{
	struct access_names names = {0}, others = {0};

	(void)state;
	assert_false(access_names_has(&names, "a"));
	assert_true(access_names_add(&names, "b"));
	assert_true(access_names_add(&names, "a"));
	assert_false(access_names_add(&names, "b"));
	assert_string_equal(names.items[0], "a");
	assert_false(access_names_equal(&names, &others));
	access_names_add(&others, "a");
	access_names_add(&others, "b");
	assert_true(access_names_equal(&names, &others));
	assert_false(access_names_has(&names,
				      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
	access_names_clear(&names);
	access_names_clear(&others);
}

static void test_licence_text(void **state)
{
	char folder[] = "/tmp/clapet-test.XXXXXX";
	struct access_licence licence = {.name = "lov", .text = (char *)"lov.txt"};
	_cleanup_free_ char *path = NULL, *text = NULL;
	struct refusal why = {0};
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_true(asprintf(&path, "%s/access.json", folder) > 0 && asprintf(&text, "%s/lov.txt", folder) > 0);
	assert_true(sha256_from_hex(DIGEST, &licence.sha256));
	assert_int_equal(access_licence_check(path, &licence, &why), FAULT_ACCESS_TEXT);
	file = fopen(text, "w");
	assert_non_null(file);
	assert_int_equal(access_licence_check(path, &licence, &why), FAULT_NONE);
	fputs("changed", file);
	fclose(file);
	assert_int_equal(access_licence_check(path, &licence, &why), FAULT_ACCESS_TEXT);
	assert_non_null(strstr(why.line, DIGEST));
	unlink(text);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole), cmocka_unit_test(test_open),         cmocka_unit_test(test_refused),
		cmocka_unit_test(test_names), cmocka_unit_test(test_licence_text),
	};

	hash_init();
	json_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
