/* SPDX-License-Identifier: ISC
 *
 * bundle_request: what the inside writes the outside reads, and nothing else: each rule of FORMAT.md 18 has a request that breaks
 * it alone.
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
#include "bundle/hash.h"
#include "bundle/request.h"
#include "tests/requestseal.h"

#define BLOB "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static enum fault parse(const char *text, struct request *request, struct refusal *why)
{
	memset(request, 0, sizeof(*request));
	why->fault = FAULT_NONE;
	return request_parse("request", text, strlen(text), request, why);
}

/* Every role by name, with the digest of the names. */
static char *body_with(const char *tops, const char *roles_line, const char *lists)
{
	return xasprintf("clapet request 1\nroot 1\n%s%s%s", tops, roles_line, lists);
}

static const char tops[] = "timestamp 431\nsnapshot 57 1a2b3c4d5e\ntargets 3 -\nissued 2026-11-22T16:54:00Z\n";

static char *names_line(void)
{
	const char *names[] = {"status", "cog"};
	char digest[REQUEST_DIGEST_SIZE];

	request_hash_names(names, 2, digest);
	return xasprintf("roles 2 40 %s\n", digest);
}

static const char lists[] =
	"role cog 12 89abcdef01\nrole status 40 -\nwant metadata cog 12.cog.json\nwant blob cog " BLOB "\n";

static void test_round_trip(void **state)
{
	_cleanup_free_ char *line = names_line();
	_cleanup_free_ char *body = body_with(tops, line, lists);
	_cleanup_free_ char *text = seal(body);
	_cleanup_free_ char *again = NULL;
	struct request request;
	struct refusal why;

	(void)state;
	if (parse(text, &request, &why) != FAULT_NONE)
		fail_msg("%s", why.line);
	assert_int_equal(request.root, 1);
	assert_int_equal(request.timestamp, 431);
	assert_int_equal(request.snapshot.version, 57);
	assert_string_equal(request.snapshot.digest, "1a2b3c4d5e");
	assert_string_equal(request.targets.digest, "-");
	assert_int_equal(request.issued, 1795366440);
	assert_int_equal(request.n_roles, 2);
	assert_int_equal(request.roles[0].version, 12);
	assert_string_equal(request.roles[1].name, "status");
	assert_int_equal(request.n_wants, 2);
	assert_false(request.wants[0].is_blob);
	assert_true(request.wants[1].is_blob);
	again = request_format(&request);
	assert_string_equal(again, text);
	request_clear(&request);
}

static void test_without_names(void **state)
{
	_cleanup_free_ char *body = body_with("timestamp 0\nsnapshot 0 -\ntargets 0 -\nissued -\n",
					      "roles 4096 9999999999 0123456789\n", "");
	_cleanup_free_ char *text = seal(body);
	struct request request;
	struct refusal why;

	(void)state;
	assert_int_equal(parse(text, &request, &why), FAULT_NONE);
	assert_int_equal(request.n_known, 4096);
	assert_int_equal(request.highest, 9999999999);
	assert_int_equal(request.issued, 0);
	assert_int_equal(request.n_roles, 0);
	request_clear(&request);
}

/* BODY, sealed, is refused with a line that has PART. */
static void assert_refused(char *body, const char *part)
{
	_cleanup_free_ char *text = seal(body);
	struct request request;
	struct refusal why;

	assert_int_equal(parse(text, &request, &why), FAULT_REQUEST_FORM);
	if (strstr(why.line, part) == NULL)
		fail_msg("\"%s\" is not in: %s", part, why.line);
	free(body);
}

static void test_facts(void **state)
{
	static const struct {
		const char *tops, *part;
	} cases[] = {
		{"timestamp 0431\nsnapshot 57 -\ntargets 3 -\nissued -\n", "line 3: a version"},
		{"timestamp -1\nsnapshot 57 -\ntargets 3 -\nissued -\n", "18.3"},
		{"timestamp 10000000000\nsnapshot 57 -\ntargets 3 -\nissued -\n", "18.3"},
		{"timestamp 4 \nsnapshot 57 -\ntargets 3 -\nissued -\n", "18.2"},
		{"timestamp 4\r\nsnapshot 57 -\ntargets 3 -\nissued -\n", "18.1"},
		{"timestamp 4\n\nsnapshot 57 -\ntargets 3 -\nissued -\n", "18.1"},
		{"timestamp 4\nsnapshot 57\ntargets 3 -\nissued -\n", "18.2"},
		{"timestamp 4\nsnapshot 57 1A2B3C4D5E\ntargets 3 -\nissued -\n", "18.4"},
		{"timestamp 4\nsnapshot 57 1a2b3c4d5\ntargets 3 -\nissued -\n", "18.4"},
		{"timestamp 4\ntargets 3 -\nsnapshot 57 -\nissued -\n", "18.2"},
		{"timestamp 4\nsnapshot 57 -\ntargets 3 -\nissued 2026-02-30T00:00:00Z\n", "18.2"},
		{"timestamp 4\nsnapshot 57 -\ntargets 3 -\nissued now or never\n", "18.2"},
		{"timestamp 4\nsnapshot 57 -\ntargets 3 -\nissued 0026-11-22T16:54:00Z\n", "18.2"},
		{"timestamp 4\nsnapshot 57 -\ntargets 3 -\nissued 1970-01-01T00:00:00Z\n", "18.2"},
		{"timestamp 4\nsnapshot 57 -\ntargets 3 - a b c\nissued -\n", "18.1"},
	};
	_cleanup_free_ char *line = names_line();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(body_with(cases[i].tops, line, lists), cases[i].part);
	assert_refused(xstrdup("clapet request 2\nroot 1\n"), "another format");
	assert_refused(xstrdup("clapet requests 1\nroot 1\n"), "18.2");
	assert_refused(xstrdup("clapet request 1\nroot 0\n"), "18.3");
}

static void test_lists(void **state)
{
	static const struct {
		const char *lists, *part;
	} cases[] = {
		{"role status 40 -\nrole cog 12 -\n", "sorted"},
		{"role cog 12 -\nrole cog 12 -\n", "sorted"},
		{"role cog 12 -\n", "not all those"},
		{"role cog 12 -\nrole sirene 40 -\n", "not all those"},
		{"role cog 41 -\nrole status 40 -\n", "above the highest"},
		{"role cog 0 -\nrole status 40 -\n", "18.3"},
		{"role targets 12 -\n", "no name"},
		{"role ../x 12 -\n", "no name"},
		{"role cog 12 -\nrole status 40 -\nrole status2 4 -\n", "more roles than"},
		{"want blob cog 0123\n", "18.6"},
		{"want blob cog " BLOB "0\n", "18.6"},
		{"want metadata cog ../../x\n", "18.6"},
		{"want money cog 12.cog.json\n", "18.6"},
		{"want metadata .. 12.cog.json\n", "18.6"},
		{"wants metadata cog 12.cog.json\n", "18.2"},
		{"want metadata cog 12.cog.json\nrole cog 12 -\n", "18.2"},
	};
	_cleanup_free_ char *line = names_line();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(body_with(tops, line, cases[i].lists), cases[i].part);
	assert_refused(body_with(tops, "roles 4097 40 0123456789\n", ""), "18.5");
	assert_refused(body_with(tops, "roles 2 40 -\n", ""), "18.4");
}

static void test_check(void **state)
{
	_cleanup_free_ char *line = names_line();
	_cleanup_free_ char *body = body_with(tops, line, lists);
	_cleanup_free_ char *text = seal(body);
	_cleanup_free_ char *longer = xasprintf("%s\n", text);
	struct request request;
	struct refusal why;

	(void)state;
	/* Cut anywhere, it is no request. */
	for (size_t size = 0; size < strlen(text); size++)
		assert_int_equal(request_parse("request", text, size, &request, &why), FAULT_REQUEST_FORM);
	assert_int_equal(parse(longer, &request, &why), FAULT_REQUEST_FORM);
	assert_non_null(strstr(why.line, "something follows"));
	/* Nor with any byte another one. */
	for (size_t i = 0; i < strlen(text); i++) {
		text[i] ^= 1;
		assert_int_equal(parse(text, &request, &why), FAULT_REQUEST_FORM);
		text[i] ^= 1;
	}
}

static void test_bounds(void **state)
{
	size_t size = LIMIT_REQUEST_SIZE + 1;
	_cleanup_free_ char *text = xcalloc(1, size);
	struct request request;
	struct refusal why;

	(void)state;
	memset(text, 'a', size);
	assert_int_equal(request_parse("request", text, size, &request, &why), FAULT_REQUEST_FORM);
	assert_int_equal(request_parse("request", text, size - 1, &request, &why), FAULT_REQUEST_FORM);
	assert_int_equal(request_parse("request", "", 0, &request, &why), FAULT_REQUEST_FORM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_without_names), cmocka_unit_test(test_facts),
		cmocka_unit_test(test_lists),      cmocka_unit_test(test_check),         cmocka_unit_test(test_bounds),
	};

	hash_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("tests", tests, NULL, NULL);
}
