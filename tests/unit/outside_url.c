/* SPDX-License-Identifier: ISC
 *
 * Addresses: scheme, host, and never a password on a screen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "outside/url.h"

static void test_scheme(void **state)
{
	(void)state;
	assert_int_equal(url_scheme("https://a/b"), URL_HTTPS);
	assert_int_equal(url_scheme("HTTPS://a/b"), URL_HTTPS);
	assert_int_equal(url_scheme("http://a/b"), URL_HTTP);
	assert_int_equal(url_scheme("file:///a"), URL_FILE);
	assert_int_equal(url_scheme("file://host/a"), URL_OTHER);
	assert_int_equal(url_scheme("ftp://a"), URL_OTHER);
	assert_int_equal(url_scheme("javascript:x"), URL_OTHER);
	assert_int_equal(url_scheme("data/a.csv"), URL_RELATIVE);
	assert_int_equal(url_scheme("/etc/passwd"), URL_RELATIVE);
	assert_int_equal(url_scheme(""), URL_RELATIVE);
}

static void test_host(void **state)
{
	static const struct {
		const char *url, *host;
	} cases[] = {
		{"https://Data.Gouv.fr/x", "data.gouv.fr"},
		{"https://a:b@c:8443/x@y", "c"},
		{"https://[::1]:80/", "[::1]"},
		{"https://host?q=a@b", "host"},
		{"https://host#a@b", "host"},
		{"https://a@b@c/", "c"},
		{"relative/path", ""},
	};
	char host[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(url_host(cases[i].url, host, sizeof host));
		assert_string_equal(host, cases[i].host);
	}
	assert_false(url_host("https://a-host-that-is-longer-than-the-buffer.example/", host, sizeof host));
}

static void test_redact(void **state)
{
	static const struct {
		const char *url, *shown;
	} cases[] = {
		{"https://user:secret@host/x", "https://***@host/x"},
		{"https://user:se@cret@host/", "https://***@host/"},
		{"https://token@host", "https://***@host"},
		{"https://host/a@b", "https://host/a@b"},
		{"https://host", "https://host"},
	};
	char shown[64], cut[12];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(url_redact(cases[i].url, shown, sizeof shown), cases[i].shown);
	assert_string_equal(url_redact("https://user:secret@host/x", cut, sizeof cut), "https://***");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scheme),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_redact),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
