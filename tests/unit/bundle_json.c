/* SPDX-License-Identifier: ISC
 *
 * What json refuses, with which code, and that the place is named.
 */
#include "bundle/json.h"

#include <sys/stat.h>

#include "tests/unit/bundle_util.h"

static enum fault parse(const char *text, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	enum fault fault = json_parse(text, strlen(text), LIMIT_JSON_SIZE, &json, why);

	assert_true((fault == FAULT_NONE) == (json != NULL));
	return fault;
}

static void refused(const char *text, enum fault wanted, const char *place)
{
	struct refusal why;

	assert_int_equal(parse(text, &why), wanted);
	assert_int_equal(why.fault, wanted);
	if (strstr(why.line, place) == NULL)
		fail_msg("\"%s\" does not name \"%s\"", why.line, place);
}

static void test_syntax(void **state)
{
	(void)state;
	refused("", FAULT_JSON_SYNTAX, "line 1");
	refused("{", FAULT_JSON_SYNTAX, "line 1, column 1");
	refused("{\n \"a\": }", FAULT_JSON_SYNTAX, "line 2, column 7");
	refused("{\"a\": 1,}", FAULT_JSON_SYNTAX, "line 1, column 9");
	refused("{} x", FAULT_JSON_SYNTAX, "line 1");
	refused("{}{}", FAULT_JSON_SYNTAX, "line 1");
	refused("[]", FAULT_JSON_SYNTAX, "list");
	refused("1", FAULT_JSON_SYNTAX, "line 1");
	refused("\xef\xbb\xbf{}", FAULT_JSON_SYNTAX, "byte order mark");
	refused("{\"a\": NaN}", FAULT_JSON_SYNTAX, "line 1");
	refused("{\"a\": 1e999}", FAULT_JSON_SYNTAX, "line 1");
	refused("{\"a\": 99999999999999999999}", FAULT_JSON_SYNTAX, "line 1");
	refused("{\"a\": \"\xff\"}", FAULT_JSON_SYNTAX, "line 1");
	refused("{\"a\": \"\\ud800\"}", FAULT_JSON_SYNTAX, "line 1");
	refused("{\"a\": \"\\u0000\"}", FAULT_JSON_SYNTAX, "line 1");
	refused("{\"a\\u0000\": 1}", FAULT_JSON_SYNTAX, "line 1");
	refused("{\"a\": \"\n\"}", FAULT_JSON_SYNTAX, "line");
	refused("{\"a\": 'b'}", FAULT_JSON_SYNTAX, "line 1");
	refused("{\"a\": 01}", FAULT_JSON_SYNTAX, "line 1");
	refused("/* */ {}", FAULT_JSON_SYNTAX, "line 1");
}

static void test_nul_outside_a_text(void **state)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	struct refusal why;

	(void)state;
	assert_int_equal(json_parse("{}\0", 3, 16, &json, &why), FAULT_JSON_SYNTAX);
	assert_int_equal(json_parse(NULL, 0, 16, &json, &why), FAULT_JSON_SYNTAX);
	assert_null(json);
}

static void test_duplicates(void **state)
{
	(void)state;
	refused("{\"a\": 1, \"a\": 1}", FAULT_JSON_DUPLICATE, "line 1, column 12");
	refused("{\"b\": {\"a\": 1,\n\"\\u0061\": 2}}", FAULT_JSON_DUPLICATE, "line 2");
}

static char *nested(unsigned depth, char open, char shut)
{
	char *text = calloc(1, (size_t)depth * 10 + 64), *end = text;

	for (unsigned i = 0; i < depth; i++)
		end += sprintf(end, open == '{' || i == 0 ? "{\"a\":" : "[");
	end += sprintf(end, "1");
	for (unsigned i = depth; i-- > 0;)
		*end++ = i == 0 ? '}' : shut;
	return text;
}

static void test_depth(void **state)
{
	_cleanup_free_ char *good = nested(LIMIT_JSON_DEPTH, '{', '}'), *deep = nested(LIMIT_JSON_DEPTH + 1, '{', '}'),
			    *lists = nested(LIMIT_JSON_DEPTH, '[', ']'), *abyss = nested(1000000, '[', ']');

	(void)state;
	assert_int_equal(parse(good, NULL), FAULT_NONE);
	assert_int_equal(parse(lists, NULL), FAULT_NONE);
	refused(deep, FAULT_JSON_DEPTH, "line 1, column 161");
	refused(abyss, FAULT_JSON_DEPTH, "line 1, column 37");
	/* Brackets within texts are no nesting, quotes after a backslash no end of a text. */
	assert_int_equal(parse("{\"a\": \"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\\\"}", NULL), FAULT_NONE);
	assert_int_equal(parse("{\"a\": \"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}", NULL), FAULT_NONE);
	refused("{\"a\": \"\\\\\", \"b\": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", FAULT_JSON_DEPTH,
		"line 1, column");
}

static void test_size(void **state)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	struct refusal why;

	(void)state;
	assert_int_equal(json_parse("{\"a\": 1}", 8, 8, &json, &why), FAULT_NONE);
	json_decref(json);
	json = NULL;
	assert_int_equal(json_parse("{\"a\": 1}", 8, 7, &json, &why), FAULT_JSON_SIZE);
}

static void test_path(void **state)
{
	char folder[] = "/tmp/clapet-json.XXXXXX";
	char path[64], missing[64];
	_cleanup_(json_decrefp) json_t *json = NULL;
	struct refusal why;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/x.json", folder);
	snprintf(missing, sizeof(missing), "%s/y.json", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("{\n\"a\" 1}", file);
	fclose(file);
	assert_int_equal(json_load_path(path, 100, &json, &why), FAULT_JSON_SYNTAX);
	assert_non_null(strstr(why.line, path));
	assert_non_null(strstr(why.line, "line 2"));
	assert_int_equal(json_load_path(path, 7, &json, &why), FAULT_JSON_SIZE);
	assert_int_equal(json_load_path(missing, 100, &json, &why), FAULT_FILE);
	assert_non_null(strstr(why.line, "y.json"));
	assert_int_equal(json_load_path(folder, 100, &json, &why), FAULT_FILE);
	unlink(path);
	rmdir(folder);
	assert_null(json);
}

static void test_members(void **state)
{
	static const char *const allowed[] = {"t", "i", "b", "l", "o", "d", "nul", "real", "null", NULL};
	static const char document[] =
		"{\"t\":\"x\",\"i\":7,\"b\":true,\"l\":[],\"o\":{},\"d\":\"90s\",\"real\":1.0,\"null\":null}";
	static const char *const fewer[] = {"t", "i", "b", NULL};
	_cleanup_(json_decrefp) json_t *json = NULL;
	const char *text = "unset";
	int64_t integer = -5, seconds = 0;
	bool flag = false;
	json_t *list = NULL, *object = NULL;
	struct refusal why;

	(void)state;
	json_init();
	assert_int_equal(json_parse(document, strlen(document), 100, &json, &why), FAULT_NONE);
	json_object_set_new(json, "nul", json_stringn("a\0b", 3));
	assert_int_equal(json_only(json, "w", allowed, &why), FAULT_NONE);
	assert_int_equal(json_only(json, "w", fewer, &why), FAULT_JSON_MEMBER);
	assert_non_null(strstr(why.line, "w: unknown member"));
	assert_int_equal(json_only(json_object_get(json, "l"), "w", allowed, &why), FAULT_JSON_MEMBER);

	assert_int_equal(json_get_text(json, "w", "absent", false, &text, &why), FAULT_NONE);
	assert_string_equal(text, "unset");
	assert_int_equal(json_get_text(json, "w", "absent", true, &text, &why), FAULT_JSON_MEMBER);
	assert_int_equal(json_get_text(json, "w", "i", false, &text, &why), FAULT_JSON_MEMBER);
	assert_int_equal(json_get_text(json, "w", "null", false, &text, &why), FAULT_JSON_MEMBER);
	assert_int_equal(json_get_text(json, "w", "nul", true, &text, &why), FAULT_JSON_MEMBER);
	assert_int_equal(json_get_text(json, "w", "t", true, &text, &why), FAULT_NONE);
	assert_string_equal(text, "x");

	assert_int_equal(json_get_integer(json, "w", "i", true, 8, 9, &integer, &why), FAULT_JSON_MEMBER);
	assert_int_equal(json_get_integer(json, "w", "i", true, 5, 6, &integer, &why), FAULT_JSON_MEMBER);
	assert_int_equal(json_get_integer(json, "w", "real", true, 0, 9, &integer, &why), FAULT_JSON_MEMBER);
	assert_int_equal(integer, -5);
	assert_int_equal(json_get_integer(json, "w", "i", true, 7, 7, &integer, &why), FAULT_NONE);
	assert_int_equal(integer, 7);

	assert_int_equal(json_get_bool(json, "w", "i", true, &flag, &why), FAULT_JSON_MEMBER);
	assert_int_equal(json_get_bool(json, "w", "b", true, &flag, &why), FAULT_NONE);
	assert_true(flag);
	assert_int_equal(json_get_array(json, "w", "o", true, &list, &why), FAULT_JSON_MEMBER);
	assert_int_equal(json_get_array(json, "w", "l", true, &list, &why), FAULT_NONE);
	assert_ptr_equal(list, json_object_get(json, "l"));
	assert_int_equal(json_get_object(json, "w", "l", true, &object, &why), FAULT_JSON_MEMBER);
	assert_int_equal(json_get_object(json, "w", "o", true, &object, &why), FAULT_NONE);
	assert_ptr_equal(object, json_object_get(json, "o"));
	assert_int_equal(json_get_duration(json, "w", "t", true, &seconds, &why), FAULT_JSON_MEMBER);
	assert_int_equal(json_get_duration(json, "w", "absent", false, &seconds, &why), FAULT_NONE);
	assert_int_equal(seconds, 0);
	assert_int_equal(json_get_duration(json, "w", "d", true, &seconds, &why), FAULT_NONE);
	assert_int_equal(seconds, 90);
}

static void format_is(const char *value, enum fault wanted, const char *line)
{
	_cleanup_(json_decrefp) json_t *json = json_object();
	struct refusal why = {.line = ""};

	json_object_set_new(json, "format", json_string(value));
	assert_int_equal(json_format(json, "w", "clapet policy", 1, &why), wanted);
	if (strstr(why.line, line) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", why.line, line);
}

static void test_format(void **state)
{
	(void)state;
	format_is("clapet policy 1", FAULT_NONE, "");
	format_is("clapet policy 2", FAULT_JSON_FORMAT, "w: clapet policy format 2, this reads 1");
	format_is("clapet policy 01", FAULT_JSON_FORMAT, "not \"clapet policy 1\"");
	format_is("clapet policy", FAULT_JSON_FORMAT, "not \"clapet policy 1\"");
	format_is("clapet policy 1 ", FAULT_JSON_FORMAT, "not \"clapet policy 1\"");
	format_is("clapet bundle 1", FAULT_JSON_FORMAT, "not \"clapet policy 1\"");
}

static void keep_line(void *ctx, const char *line)
{
	char *lines = ctx;

	assert_true(strlen(lines) + strlen(line) < 1000);
	strcat(strcat(lines, line), "|");
}

/* TEXT as published is read like PLAIN, with NOTES. */
static void published(const char *text, const char *plain, const char *notes)
{
	_cleanup_(json_decrefp) json_t *json = NULL, *wanted = json_loads(plain, 0, NULL);
	char lines[1024] = "";
	struct refusal why;

	assert_int_equal(json_parse_published(text, strlen(text), LIMIT_JSON_SIZE, keep_line, lines, &json, &why),
			 FAULT_NONE);
	assert_true(json_equal(json, wanted));
	assert_string_equal(lines, notes);
}

static void published_refused(const char *text, size_t limit, enum fault wanted)
{
	json_t *json = NULL;
	char lines[1024] = "";
	struct refusal why;

	assert_int_equal(json_parse_published(text, strlen(text), limit, keep_line, lines, &json, &why), wanted);
	assert_int_equal(why.fault, wanted);
	assert_null(json);
	assert_string_equal(lines, "");
}

static void test_published(void **state)
{
	(void)state;
	published("{\"a\": {\"b\": 1}, \"c\": [{\"b\": 1}, {\"b\": \"a\"}]}",
		  "{\"a\": {\"b\": 1}, \"c\": [{\"b\": 1}, {\"b\": \"a\"}]}", "");
	published("\xef\xbb\xbf{}", "{}", "begins with a byte order mark, which is skipped|");
	published("{\"a\": 1,\n\"b\": {\"x\": 1, \"y\": [\"x\", 2], \"x\": \"}\\\"\"},\n\"a\": 2}",
		  "{\"a\": 2, \"b\": {\"x\": \"}\\\"\", \"y\": [\"x\", 2]}}",
		  "line 2: the key \"x\" stands there again (before: line 2); the last counts|"
		  "line 3: the key \"a\" stands there again (before: line 1); the last counts|");
	published("{\"a\": 1, \"\\u0061\": 2}", "{\"a\": 2}",
		  "line 1, column 17: duplicate object key near '\"\\u0061\"'; the last counts|");
	published_refused("\xef\xbb\xbf\xef\xbb\xbf{}", LIMIT_JSON_SIZE, FAULT_JSON_SYNTAX);
	published_refused("{\"a\": 1, \"a\": 2", LIMIT_JSON_SIZE, FAULT_JSON_SYNTAX);
	published_refused("[{\"a\": 1, \"a\": 2}]", LIMIT_JSON_SIZE, FAULT_JSON_SYNTAX);
	published_refused("{\"a\": 1, \"a\": 2}", 8, FAULT_JSON_SIZE);
	published_refused("", LIMIT_JSON_SIZE, FAULT_JSON_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syntax),     cmocka_unit_test(test_nul_outside_a_text),
		cmocka_unit_test(test_duplicates), cmocka_unit_test(test_depth),
		cmocka_unit_test(test_size),       cmocka_unit_test(test_path),
		cmocka_unit_test(test_members),    cmocka_unit_test(test_format),
		cmocka_unit_test(test_published),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
