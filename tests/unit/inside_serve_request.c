/* SPDX-License-Identifier: ISC
 *
 * A request as it arrives: what is understood, what is refused and as what; and what a reader prefers.
 */
#include "inside/serve_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "inside/serve_routes.h"

static struct serve_request request;

static enum fault parse(const char *target)
{
	return serve_request_parse(target, &request, NULL);
}

static void test_paths(void **state)
{
	(void)state;
	assert_int_equal(parse("/"), FAULT_NONE);
	assert_int_equal(request.n_segments, 0);
	assert_string_equal(request.path, "/");
	assert_int_equal(parse("/datasets/cog/communes%2D2026.csv"), FAULT_NONE);
	assert_int_equal(request.n_segments, 3);
	assert_string_equal(request.segments[2], "communes-2026.csv");
	assert_string_equal(request.path, "/datasets/cog/communes-2026.csv");
	assert_string_equal(request.base, "");
	assert_int_equal(request.generation, 0);
	assert_null(request.view);
}

static void test_prefixes(void **state)
{
	(void)state;
	assert_int_equal(parse("/generations/57/datasets/cog"), FAULT_NONE);
	assert_int_equal(request.generation, 57);
	assert_string_equal(request.segments[0], "datasets");
	assert_string_equal(request.path, "/generations/57/datasets/cog");
	assert_string_equal(request.base, "/generations/57");
	assert_int_equal(parse("/views/ain/generations/3"), FAULT_NONE);
	assert_string_equal(request.view, "ain");
	assert_int_equal(request.n_segments, 0);
	assert_string_equal(request.base, "/views/ain/generations/3");
	assert_int_equal(parse("/generations"), FAULT_NONE);
	assert_int_equal(request.n_segments, 1);
	assert_int_equal(parse("/generations/0"), FAULT_SERVE_PATH);
	assert_int_equal(parse("/generations/-1"), FAULT_SERVE_PATH);
	assert_int_equal(parse("/generations/9007199254740992"), FAULT_SERVE_PATH);
	assert_int_equal(parse("/views/AIN/catalog"), FAULT_SERVE_PATH);
}

static void test_refused(void **state)
{
	static const struct {
		const char *target;
		enum fault fault;
	} cases[] = {
		{"", FAULT_SERVE_REQUEST},
		{"*", FAULT_SERVE_REQUEST},
		{"http://host/", FAULT_SERVE_REQUEST},
		{"/a b", FAULT_SERVE_REQUEST},
		{"/a#b", FAULT_SERVE_REQUEST},
		{"/\xc3\xa9", FAULT_SERVE_REQUEST},
		{"/%", FAULT_SERVE_REQUEST},
		{"/%4", FAULT_SERVE_REQUEST},
		{"/%4g", FAULT_SERVE_REQUEST},
		{"/%00", FAULT_SERVE_REQUEST},
		{"/%0a", FAULT_SERVE_REQUEST},
		{"/%ff", FAULT_SERVE_REQUEST},
		{"/%c0%af", FAULT_SERVE_REQUEST},
		{"//", FAULT_SERVE_PATH},
		{"/a/", FAULT_SERVE_PATH},
		{"/a//b", FAULT_SERVE_PATH},
		{"/..", FAULT_SERVE_PATH},
		{"/a/../b", FAULT_SERVE_PATH},
		{"/a/./b", FAULT_SERVE_PATH},
		{"/%2e%2e/b", FAULT_SERVE_PATH},
		{"/a%2fb", FAULT_SERVE_PATH},
		{"/a%5cb", FAULT_SERVE_PATH},
		{"/a%252fb", FAULT_SERVE_PATH},
		{"/1/2/3/4/5/6/7/8/9", FAULT_SERVE_PATH},
		{"/a?=1", FAULT_SERVE_REQUEST},
		{"/a?b=%00", FAULT_SERVE_REQUEST},
		{"/a?b=%zz", FAULT_SERVE_REQUEST},
		{"/a?%0d%0a=1", FAULT_SERVE_REQUEST},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct refusal why = {0};

		if (serve_request_parse(cases[i].target, &request, &why) != cases[i].fault)
			fail_msg("%s: %d %s", cases[i].target, why.fault, why.line);
		assert_int_not_equal(why.line[0], '\0');
	}
}

static void test_queries(void **state)
{
	(void)state;
	assert_int_equal(parse("/a?nom=L%27Ha%C3%BF+les+Roses&code=01&&vide=&seul"), FAULT_NONE);
	assert_int_equal(request.n_params, 4);
	assert_string_equal(serve_param(&request, "nom"), "L'Ha\xc3\xbf les Roses");
	assert_string_equal(serve_param(&request, "code"), "01");
	assert_string_equal(serve_param(&request, "vide"), "");
	assert_string_equal(serve_param(&request, "seul"), "");
	assert_null(serve_param(&request, "autre"));
	assert_string_equal(request.query, "nom=L%27Ha%C3%BF+les+Roses&code=01&&vide=&seul");
	assert_int_equal(parse("/a?b=c=d%26e"), FAULT_NONE);
	assert_string_equal(serve_param(&request, "b"), "c=d&e");
}

static void test_bounds(void **state)
{
	char target[LIMIT_SERVE_TARGET_SIZE + 2] = "/";
	size_t used;

	(void)state;
	memset(target + 1, 'a', LIMIT_SERVE_TARGET_SIZE - 2);
	target[LIMIT_SERVE_TARGET_SIZE - 1] = '\0';
	assert_int_equal(parse(target), FAULT_NONE);
	strcat(target, "a");
	assert_int_equal(parse(target), FAULT_SERVE_TARGET_LONG);
	used = (size_t)sprintf(target, "/a?");
	for (size_t i = 0; i < LIMIT_SERVE_PARAMS; i++)
		used += (size_t)sprintf(target + used, "a=1&");
	assert_int_equal(parse(target), FAULT_NONE);
	assert_int_equal(request.n_params, LIMIT_SERVE_PARAMS);
	strcat(target, "a=1");
	assert_int_equal(parse(target), FAULT_SERVE_REQUEST);
}

static void test_headers(void **state)
{
	char text[LIMIT_SERVE_HEADER_SIZE + 1];

	(void)state;
	assert_int_equal(parse("/"), FAULT_NONE);
	assert_string_equal(request.accept, "");
	assert_int_equal(serve_request_header(&request, "accept", "text/html", NULL), FAULT_NONE);
	assert_string_equal(request.accept, "text/html");
	assert_string_equal(request.headers[SERVE_ACCEPT], "text/html");
	assert_int_equal(serve_request_header(&request, "Accept", "a/b", NULL), FAULT_SERVE_REQUEST);
	assert_int_equal(serve_request_header(&request, "X-Any", "\x01", NULL), FAULT_NONE);
	assert_int_equal(serve_request_header(&request, "Host", "a\x01", NULL), FAULT_SERVE_REQUEST);
	memset(text, 'a', sizeof(text));
	text[LIMIT_SERVE_HEADER_SIZE - 1] = '\0';
	assert_int_equal(serve_request_header(&request, "User-Agent", text, NULL), FAULT_NONE);
	text[LIMIT_SERVE_HEADER_SIZE - 1] = 'a';
	text[LIMIT_SERVE_HEADER_SIZE] = '\0';
	assert_int_equal(serve_request_header(&request, "Range", text, NULL), FAULT_SERVE_REQUEST);
}

static bool html(const char *accept)
{
	request.accept = accept;
	return serve_prefers_html(&request);
}

static bool french(const char *languages)
{
	request.accept_language = languages;
	return serve_prefers_french(&request);
}

static void test_negotiation(void **state)
{
	(void)state;
	assert_int_equal(serve_accepts("", "text/csv"), 1000);
	assert_int_equal(serve_accepts("text/*;q=0.5, text/csv;q=0.25, */*;q=0.1", "text/csv"), 250);
	assert_int_equal(serve_accepts("text/*;q=0.5, text/csv;q=0.25, */*;q=0.1", "text/html"), 500);
	assert_int_equal(serve_accepts("text/*;q=0.5, */*;q=0.1", "application/json"), 100);
	assert_int_equal(serve_accepts("TEXT/CSV;charset=utf-8;Q=1.000", "text/csv"), 1000);
	assert_int_equal(serve_accepts("text/csv;q=1.1", "text/csv"), 0);
	assert_int_equal(serve_accepts("text/csv;q=0.1234", "text/csv"), 0);
	assert_int_equal(serve_accepts("text/csv;q=", "text/csv"), 0);
	assert_int_equal(serve_accepts("text/plain", "text/csv"), 0);
	assert_true(html("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
	assert_false(html("*/*"));
	assert_false(html(""));
	assert_false(html("application/json, text/html;q=0.9"));
	assert_true(french("fr-FR,fr;q=0.8,en;q=0.5"));
	assert_false(french("en,fr;q=0.5"));
	assert_false(french(""));
	assert_false(french("fro"));
	assert_int_equal(serve_wanted_coding(""), SERVE_IDENTITY);
	assert_int_equal(serve_wanted_coding("gzip, deflate, br, zstd"), SERVE_ZSTD);
	assert_int_equal(serve_wanted_coding("gzip, zstd;q=0.5"), SERVE_GZIP);
	assert_int_equal(serve_wanted_coding("x-gzip"), SERVE_GZIP);
	assert_int_equal(serve_wanted_coding("*"), SERVE_ZSTD);
	assert_int_equal(serve_wanted_coding("*;q=0"), SERVE_IDENTITY);
	assert_int_equal(serve_wanted_coding("identity, gzip;q=0.5"), SERVE_IDENTITY);
	assert_int_equal(serve_wanted_coding("identity;q=0.5, gzip;q=0.7"), SERVE_GZIP);
	assert_int_equal(serve_wanted_coding("zstd;q=0, *"), SERVE_GZIP);
}

static void test_ranges(void **state)
{
	uint64_t first, size;

	(void)state;
	assert_int_equal(serve_range_parse("bytes=0-0", 10, &first, &size), SERVE_RANGE_PART);
	assert_true(first == 0 && size == 1);
	assert_int_equal(serve_range_parse("Bytes=4-", 10, &first, &size), SERVE_RANGE_PART);
	assert_true(first == 4 && size == 6);
	assert_int_equal(serve_range_parse("bytes=9-99", 10, &first, &size), SERVE_RANGE_PART);
	assert_true(first == 9 && size == 1);
	assert_int_equal(serve_range_parse("bytes=-99", 10, &first, &size), SERVE_RANGE_PART);
	assert_true(first == 0 && size == 10);
	assert_int_equal(serve_range_parse("bytes=10-", 10, &first, &size), SERVE_RANGE_UNSATISFIABLE);
	assert_int_equal(serve_range_parse("bytes=-0", 10, &first, &size), SERVE_RANGE_UNSATISFIABLE);
	assert_int_equal(serve_range_parse("bytes=0-", 0, &first, &size), SERVE_RANGE_UNSATISFIABLE);
	assert_int_equal(serve_range_parse("bytes=-1", 0, &first, &size), SERVE_RANGE_UNSATISFIABLE);
	assert_int_equal(serve_range_parse("bytes=999999999999999999-", 10, &first, &size), SERVE_RANGE_UNSATISFIABLE);
	assert_int_equal(serve_range_parse("bytes=9999999999999999999-", 10, &first, &size), SERVE_RANGE_NONE);
	assert_int_equal(serve_range_parse("bytes=2-1", 10, &first, &size), SERVE_RANGE_NONE);
	assert_int_equal(serve_range_parse("bytes=0-1,3-4", 10, &first, &size), SERVE_RANGE_NONE);
	assert_int_equal(serve_range_parse("rows=0-1", 10, &first, &size), SERVE_RANGE_NONE);
	assert_int_equal(serve_range_parse("", 10, &first, &size), SERVE_RANGE_NONE);
}

static void test_conditions(void **state)
{
	char text[SERVE_DATE_SIZE];
	int64_t seconds = 0;

	(void)state;
	assert_true(serve_names_etag("\"a\"", "\"a\""));
	assert_true(serve_names_etag(" \"b\" ,\t W/\"a\"", "\"a\""));
	assert_true(serve_names_etag("*", "\"a\""));
	assert_false(serve_names_etag("\"a", "\"a\""));
	assert_false(serve_names_etag("a", "\"a\""));
	assert_false(serve_names_etag("\"aa\"", "\"a\""));
	assert_false(serve_names_etag("\"b\", *", "\"a\""));
	serve_format_date(784111777, text);
	assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_true(serve_parse_date(text, &seconds));
	assert_int_equal(seconds, 784111777);
	assert_false(serve_parse_date("Mon, 06 Nov 1994 08:49:37 GMT", &seconds));
	assert_false(serve_parse_date("Sun, 06 Nov 1994 24:49:37 GMT", &seconds));
	assert_false(serve_parse_date("Sunday, 06-Nov-94 08:49:37 GMT", &seconds));
	assert_false(serve_parse_date("Sun, 06 Nov 1994 08:49:37 CET", &seconds));
}

static void test_routes(void **state)
{
	struct refusal why = {0};

	(void)state;
	for (const struct serve_route *route = serve_routes(); route->pattern != NULL; route++) {
		assert_non_null(route->handler);
		assert_int_equal(route->pattern[0], '/');
	}
	parse("/datasets/cog/communes.csv?version=a&version=b");
	assert_string_equal(serve_route_find(&request)->pattern, "/datasets/{name}/{file}");
	assert_int_equal(serve_route_check_params(serve_route_find(&request), &request, &why), FAULT_SERVE_PARAMETER);
	parse("/generations/3");
	assert_string_equal(serve_route_find(&request)->pattern, "/");
	parse("/nothing");
	assert_null(serve_route_find(&request));
	parse("/datasets/cog/history");
	assert_string_equal(serve_route_find(&request)->pattern, "/datasets/{name}/history");
	parse("/catalog?a=1");
	assert_int_equal(serve_route_check_params(serve_route_find(&request), &request, &why), FAULT_SERVE_PARAMETER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),       cmocka_unit_test(test_prefixes), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_queries),     cmocka_unit_test(test_bounds),   cmocka_unit_test(test_headers),
		cmocka_unit_test(test_negotiation), cmocka_unit_test(test_ranges),   cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_routes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
