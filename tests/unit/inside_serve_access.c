/* SPDX-License-Identifier: ISC
 *
 * How a key is sent, and which columns a question about rows is about.
 */
#include "inside/serve_access_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/limits.h"
#include "inside/serve_request.h"

static void test_key(void **state)
{
	static const struct {
		const char *sent, *key; /* NULL: refused */
	} cases[] = {
		{"Bearer abc", "abc"},
		{"bearer   abc", "abc"},
		{"Basic dXNlcjpzZWNyZXQ=", "secret"},
		{"Basic dXNlcjpzZWNyZXQ", "secret"},
		{"BASIC c2VjcmV0Og==", "secret"}, /* "secret:" */
		{"Basic dTphOmI=", "a:b"},
		{"Basic c2VjcmV0", NULL}, /* no colon */
		{"Basic YQBi", NULL},     /* a NUL */
		{"Basic a*b", NULL},
		{"Basic ", NULL},
		{"Digest abc", NULL},
		{"abc", NULL},
		{" ", NULL},
	};
	char *key = NULL;

	(void)state;
	assert_int_equal(serve_access_key_sent("", &key, NULL), FAULT_NONE);
	assert_null(key);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct refusal why = {0};
		enum fault fault = serve_access_key_sent(cases[i].sent, &key, &why);

		assert_int_equal(fault, cases[i].key == NULL ? FAULT_ACCESS_KEY_FORM : FAULT_NONE);
		if (cases[i].key != NULL)
			assert_string_equal(key, cases[i].key);
		free(key);
	}
}

static void test_columns(void **state)
{
	static const struct {
		const char *target, *columns;
	} cases[] = {
		{"/datasets/a/b", ""},
		{"/datasets/a/b?code=01", ""}, /* all are given */
		{"/datasets/a/b?columns=code,nom", "code nom "},
		{"/datasets/a/b?columns=code&dep=01&pop.min=3&pop.max=9&x.null=true", "code dep pop x "},
		{"/datasets/a/b?columns=code&sort=-pop,nom&limit=3&offset=1&format=csv&for=tableur", "code pop nom "},
		{"/datasets/a/b?columns=code&.limit=3&code=4", "code limit "},
		{"/datasets/a/b?columns=,a,", "a "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct serve_request *request = calloc(1, sizeof(*request));
		const char *columns[LIMIT_ACCESSLOG_COLUMNS];
		char room[LIMIT_SERVE_TARGET_SIZE], got[256] = "";
		size_t n;

		assert_int_equal(serve_request_parse(cases[i].target, request, NULL), FAULT_NONE);
		n = serve_access_columns(request, room, columns, ARRAY_SIZE(columns));
		for (size_t j = 0; j < n; j++) {
			strcat(got, columns[j]);
			strcat(got, " ");
		}
		assert_string_equal(got, cases[i].columns);
		free(request);
	}
}

/* More than a line names: as if all were asked for. */
static void test_many(void **state)
{
	struct serve_request *request = calloc(1, sizeof(*request));
	const char *columns[2];
	char room[LIMIT_SERVE_TARGET_SIZE];

	(void)state;
	assert_int_equal(serve_request_parse("/datasets/a/b?columns=x,y,z", request, NULL), FAULT_NONE);
	assert_int_equal(serve_access_columns(request, room, columns, 2), 0);
	free(request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_many),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
