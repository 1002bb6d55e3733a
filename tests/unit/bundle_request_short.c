/* SPDX-License-Identifier: ISC
 *
 * bundle_request_short: what the inside writes the outside reads, however it was typed; each rule of FORMAT.md 18.9 to 18.15 has a request
 * that breaks it alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/hash.h"
#include "bundle/request_short.h"
#include "tests/requestseal.h"

static const char tops[] = "clapet request 2\nroot 1\ntimestamp 431\nsnapshot 57\ntargets 3\n";
static const char lists[] = "want cog 0123456789 1123456789 2123456789 3123456789 4123456789\nwant cog 5123456789\n"
			    "want sirene 89abcdef01\nsince 400 rues\nsince 0 status\n"
			    "part fedcba9876 0-3,17\npart 0123456789 65535\n";

static enum fault parse(const char *text, struct request_short *request, struct refusal *why)
{
	why->fault = FAULT_NONE;
	return request_short_parse("request", text, strlen(text), request, why);
}

static char *good(void)
{
	_cleanup_free_ char *body = xasprintf("%s%s", tops, lists);

	return seal(body);
}

static void test_round_trip(void **state)
{
	_cleanup_free_ char *text = good();
	_cleanup_free_ char *again = NULL;
	struct request_short request;
	struct refusal why;

	(void)state;
	if (parse(text, &request, &why) != FAULT_NONE)
		fail_msg("%s", why.line);
	assert_int_equal(request.root, 1);
	assert_int_equal(request.timestamp, 431);
	assert_int_equal(request.snapshot, 57);
	assert_int_equal(request.targets, 3);
	assert_int_equal(request.n_objects, 7);
	assert_string_equal(request.objects[5].dataset, "cog");
	assert_string_equal(request.objects[5].digest, "5123456789");
	assert_string_equal(request.objects[6].dataset, "sirene");
	assert_int_equal(request.n_sinces, 2);
	assert_int_equal(request.sinces[0].timestamp, 400);
	assert_string_equal(request.sinces[1].dataset, "status");
	assert_int_equal(request.n_parts, 2);
	assert_string_equal(request.parts[0].digest, "fedcba9876");
	assert_string_equal(request.parts[0].ranges, "0-3,17");
	assert_string_equal(request.parts[1].ranges, "65535");
	again = request_short_format(&request);
	assert_string_equal(again, text);
}

static void assert_taken(const char *text)
{
	_cleanup_free_ char *regular = good();
	_cleanup_free_ char *again = NULL;
	struct request_short request;
	struct refusal why;

	assert_true(request_is_short(text, strlen(text)));
	if (parse(text, &request, &why) != FAULT_NONE)
		fail_msg("%s", why.line);
	again = request_short_format(&request);
	assert_string_equal(again, regular);
}

/* TEXT with every FROM become TO. New. */
static char *with(const char *text, char from, const char *to)
{
	char *result = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&result, &size);

	for (; *text != '\0'; text++)
		if (*text == from)
			fputs(to, file);
		else
			fputc(*text, file);
	fclose(file);
	return result;
}

static void test_typed(void **state)
{
	static const struct {
		char from;
		const char *to;
	} cases[] = {{'\n', "\r\n"}, {'\n', " \t\n"}, {'\n', "\n\n"}, {' ', "  \t"},
		     {'\n', "\n  "}, {'a', "A"},      {'w', "W"},     {'\n', "\r\n \r\n"}};
	_cleanup_free_ char *text = good();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *typed = with(text, cases[i].from, cases[i].to);

		assert_taken(typed);
	}
	text[strlen(text) - 1] = '\0';
	assert_taken(text);
}

static void test_check(void **state)
{
	_cleanup_free_ char *text = good();
	_cleanup_free_ char *longer = xasprintf("%ssince 0\n", text);
	struct request_short request;
	struct refusal why;

	(void)state;
	for (size_t size = 0; size < strlen(text) - 1; size++)
		assert_int_equal(request_short_parse("request", text, size, &request, &why), FAULT_REQUEST_FORM);
	assert_int_equal(parse(longer, &request, &why), FAULT_REQUEST_FORM);
	assert_non_null(strstr(why.line, "something follows"));
	/* Nor with any byte another one. */
	for (size_t i = 0; i + 1 < strlen(text); i++) {
		text[i] ^= 1;
		if (text[i] != '\n' || i + 2 < strlen(text))
			assert_int_equal(parse(text, &request, &why), FAULT_REQUEST_FORM);
		text[i] ^= 1;
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *body, *part;
	} cases[] = {
		{"clapet request 1\nroot 1\n", "line 1: the first line"},
		{"clapet request 2\nroot 0\n", "18.3"},
		{"clapet request 2\nroot 1\ntimestamp 0431\n", "line 3: a version"},
		{"clapet request 2\n\n\nroot 01\n", "line 4: a version"},
		{"clapet request 2\nroot 1\nsnapshot 1\n", "18.2"},
		{"LISTS want cog\n", "18.10"},
		{"LISTS want ../x 0123456789\n", "18.10"},
		{"LISTS want targets 0123456789\n", "18.10"},
		{"LISTS want cog 012345678\n", "18.4"},
		{"LISTS want cog 01234567890\n", "18.4"},
		{"LISTS want cog 012345678o\n", "line 6: a digest"},
		{"LISTS want cog -\n", "18.4"},
		{"LISTS want cog 0 0 0 0 0 0\n", "18.1"},
		{"LISTS since\n", "18.11"},
		{"LISTS since 1 cog 3\n", "18.11"},
		{"LISTS since 432 cog\n", "newer than the timestamp"},
		{"LISTS since -1 cog\n", "18.3"},
		{"LISTS since 1 cog\nwant cog 0123456789\n", "\"want\" comes before"},
		{"LISTS please 1\n", "18.9"},
		{"LISTS part\n", "18.15"},
		{"LISTS part 0123456789\n", "18.15"},
		{"LISTS part 0123456789 0 1\n", "18.15"},
		{"LISTS part 012345678 0\n", "18.4"},
		{"LISTS part - 0\n", "18.4"},
		{"LISTS part 0123456789 -\n", "18.15"},
		{"LISTS part 0123456789 3-0\n", "18.15"},
		{"LISTS part 0123456789 00\n", "18.15"},
		{"LISTS part 0123456789 0,0\n", "18.15"},
		{"LISTS part 0123456789 65536\n", "18.15"},
		{"LISTS part 0123456789 99999999999999999999\n", "18.15"},
		{"LISTS part 0123456789 "
		 "0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,32,34,36,38,40,42,44,46,48,50,52,54,56,"
		 "58,60,62,64,66,68,70,72,74,76,78,80,82,84,86,88,90,92,94,96,98,100,102,104,106,108\n",
		 "18.15"},
		{"LISTS part 0123456789 0\nsince 1 cog\n", "\"since\" comes before"},
		{"LISTS part 0123456789 0\nwant cog 0123456789\n", "\"want\" comes before"},
		{"LISTS part 0000000000 0\npart 1000000000 0\npart 2000000000 0\npart 3000000000 0\npart 4000000000 0\n"
		 "part 5000000000 0\npart 6000000000 0\npart 7000000000 0\npart 8000000000 0\n",
		 "more parts"},
		{"LISTS want cog 012345678\xc3\xa9\n", "18.1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool is_list = strncmp(cases[i].body, "LISTS ", 6) == 0;
		_cleanup_free_ char *body = xasprintf("%s%s", is_list ? tops : "", cases[i].body + (is_list ? 6 : 0));
		_cleanup_free_ char *text = seal(body);
		struct request_short request;
		struct refusal why;

		assert_int_equal(parse(text, &request, &why), FAULT_REQUEST_FORM);
		if (strstr(why.line, cases[i].part) == NULL)
			fail_msg("\"%s\" is not in: %s", cases[i].part, why.line);
	}
}

static void test_bounds(void **state)
{
	_cleanup_free_ char *noise = xcalloc(1, LIMIT_REQUEST_TYPED_SIZE + 1);
	struct request_short request = {.root = 1};
	struct refusal why;
	_cleanup_free_ char *text = NULL;

	(void)state;
	memset(noise, ' ', LIMIT_REQUEST_TYPED_SIZE + 1);
	assert_int_equal(request_short_parse("request", noise, LIMIT_REQUEST_TYPED_SIZE + 1, &request, &why),
			 FAULT_REQUEST_FORM);
	assert_non_null(strstr(why.line, "18.12"));
	assert_int_equal(request_short_parse("request", noise, LIMIT_REQUEST_TYPED_SIZE, &request, &why),
			 FAULT_REQUEST_FORM);
	assert_false(request_is_short(noise, LIMIT_REQUEST_TYPED_SIZE));
	assert_false(request_is_short("", 0));
	memset(noise, 'a', LIMIT_QR_TEXT_SIZE + 1);
	assert_int_equal(request_short_parse("request", noise, LIMIT_QR_TEXT_SIZE + 1, &request, &why),
			 FAULT_REQUEST_FORM);
	assert_non_null(strstr(why.line, "18.12"));
	/* Twenty objects of names of usual length fit; of the longest ones they do not, and format says so. */
	for (request.n_objects = 0; request.n_objects < LIMIT_REQUEST_OBJECTS; request.n_objects++) {
		struct request_object *object = &request.objects[request.n_objects];

		snprintf(object->dataset, sizeof(object->dataset), "communes-%zu", request.n_objects);
		text_copy(object->digest, sizeof(object->digest), "0123456789");
	}
	text = request_short_format(&request);
	assert_non_null(text);
	assert_int_equal(parse(text, &request, &why), FAULT_NONE);
	for (size_t i = 0; i < LIMIT_REQUEST_OBJECTS; i++)
		snprintf(request.objects[i].dataset, sizeof(request.objects[i].dataset), "%063zu", i);
	assert_null(request_short_format(&request));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_typed),  cmocka_unit_test(test_check),
		cmocka_unit_test(test_refused),    cmocka_unit_test(test_bounds),
	};

	hash_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("tests", tests, NULL, NULL);
}
