/* SPDX-License-Identifier: ISC
 *
 * Pages: what came in as text stays text.
 */
#include "bundle/html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The bytes that html_text writes. The caller frees them. */
static char *text(const char *source)
{
	char *page = NULL;
	size_t size;
	FILE *file = open_memstream(&page, &size);

	assert_non_null(file);
	html_text(file, source);
	assert_int_equal(fclose(file), 0);
	return page;
}

static void test_markup(void **state)
{
	static const struct {
		const char *source, *page;
	} cases[] = {
		{"", ""},
		{"Nîmes", "Nîmes"},
		{"<script>alert('a & \"b\"')</script>",
		 "&lt;script&gt;alert(&#39;a &amp; &quot;b&quot;&#39;)&lt;/script&gt;"},
		{"&amp;", "&amp;amp;"},
		{"a\nb\x1b[31m", "a\\x0ab\\x1b[31m"},
		{"\xff", "\\xff"},
		{"a\xe2\x80\xae"
		 "b",
		 "a\\xe2\\x80\\xaeb"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *page = text(cases[i].source);

		assert_string_equal(page, cases[i].page);
		free(page);
	}
}

static void test_long_text(void **state)
{
	char source[10000], *page;

	(void)state;
	memset(source, '<', sizeof(source));
	source[sizeof(source) - 1] = '\0';
	page = text(source);
	assert_true(strlen(page) < 4 * 2500 + 4);
	assert_string_equal(page + strlen(page) - 7, "&lt;...");
	free(page);
}

static void test_page(void **state)
{
	char *page = NULL;
	size_t size;
	FILE *file = open_memstream(&page, &size);

	(void)state;
	assert_non_null(file);
	html_begin(file, "a < b", true);
	html_item(file, "from", "<x>");
	html_time(file, 0);
	html_end(file);
	assert_int_equal(fclose(file), 0);
	assert_non_null(strstr(page, "<title>a &lt; b</title>"));
	assert_non_null(strstr(page, "<h1>a &lt; b</h1>"));
	assert_non_null(strstr(page, "size: A4 landscape"));
	assert_non_null(strstr(page, "<dt>from</dt><dd>&lt;x&gt;</dd>"));
	assert_non_null(strstr(page, "1970-01-01"));
	assert_non_null(strstr(page, "default-src 'none'"));
	assert_string_equal(page + strlen(page) - 16, "</body>\n</html>\n");
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_markup),
		cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_page),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
