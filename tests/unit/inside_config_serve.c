/* SPDX-License-Identifier: ISC
 *
 * The configuration's "serve": where readers are answered, with which bounds; and that a typing error is never silently believed.
 */
#include "inside/config_serve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "bundle/limits.h"

static struct serve_config config;

static enum fault parse(const char *text)
{
	_cleanup_(json_decrefp) json_t *root = NULL;

	config_serve_clear(&config);
	assert_int_equal(json_parse(text, strlen(text), LIMIT_CONFIGURATION_SIZE, &root, NULL), FAULT_NONE);
	return config_serve_parse(root, "/etc/clapet/inside.json", &config, NULL);
}

static void test_defaults(void **state)
{
	(void)state;
	assert_int_equal(parse("{}"), FAULT_NONE);
	assert_false(config.is_on);
	assert_int_equal(parse("{\"serve\": {\"listen\": [\"127.0.0.1:8080\"]}}"), FAULT_NONE);
	assert_true(config.is_on);
	assert_int_equal(config.n_listen, 1);
	assert_string_equal(config.listen[0], "127.0.0.1:8080");
	assert_int_equal(config.threads, 2);
	assert_int_equal(config.connections, 1024);
	assert_int_equal(config.per_address, 256);
	assert_int_equal(config.keep_access_log, 12);
	assert_null(config.access_log);
	assert_null(config.public_url);
	assert_null(config.operators);
}

static void test_all(void **state)
{
	(void)state;
	assert_int_equal(
		parse("{\"serve\": {\"listen\": [\"[::1]:80\", \"unix:http\", \"unix:/run/http\"], \"accessLog\": "
		      "\"log\", "
		      "\"keepAccessLog\": 3, \"threads\": 4, \"connections\": 10, \"perAddress\": 5, \"title\": \"T\", "
		      "\"publisher\": \"P\", \"publicUrl\": \"https://a.example/b//\", \"operators\": \"unix:ops\"}}"),
		FAULT_NONE);
	assert_string_equal(config.listen[1], "unix:/etc/clapet/http");
	assert_string_equal(config.listen[2], "unix:/run/http");
	assert_string_equal(config.access_log, "/etc/clapet/log");
	assert_string_equal(config.public_url, "https://a.example/b");
	assert_string_equal(config.operators, "unix:/etc/clapet/ops");
	assert_string_equal(config.publisher, "P");
	assert_int_equal(config.keep_access_log, 3);
	assert_int_equal(config.threads, 4);
	assert_int_equal(parse("{\"serve\": {\"listen\": [\"127.0.0.1:1\"], \"operators\": null}}"), FAULT_NONE);
	assert_null(config.operators);
}

static void test_refused(void **state)
{
	static const char *const members[] = {
		"",
		"\"listen\": []",
		"\"listen\": \"127.0.0.1:80\"",
		"\"listen\": [1]",
		"\"listen\": [\"8080\"]",
		"\"listen\": [\":8080\"]",
		"\"listen\": [\"127.0.0.1:\"]",
		"\"listen\": [\"127.0.0.1:http\"]",
		"\"listen\": [\"localhost:80\"]",
		"\"listen\": [\"127.0.0.1:123456\"]",
		"\"listen\": [\"unix:\"]",
		"\"listen\": "
		"[\"127.0.0.1:1\",\"127.0.0.1:2\",\"127.0.0.1:3\",\"127.0.0.1:4\",\"127.0.0.1:5\",\"127.0.0.1:6\","
		"\"127.0.0.1:7\",\"127.0.0.1:8\",\"127.0.0.1:9\"]",
		"\"listen\": [\"127.0.0.1:1\"], \"threads\": 0",
		"\"listen\": [\"127.0.0.1:1\"], \"threads\": 65",
		"\"listen\": [\"127.0.0.1:1\"], \"connections\": 100000",
		"\"listen\": [\"127.0.0.1:1\"], \"perAddress\": 0",
		"\"listen\": [\"127.0.0.1:1\"], \"keepAccessLog\": 0",
		"\"listen\": [\"127.0.0.1:1\"], \"title\": \"\"",
		"\"listen\": [\"127.0.0.1:1\"], \"publicUrl\": \"ftp://a\"",
		"\"listen\": [\"127.0.0.1:1\"], \"operators\": \"127.0.0.1:1\"",
		"\"listen\": [\"127.0.0.1:1\"], \"listens\": 1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		char text[256];

		snprintf(text, sizeof(text), "{\"serve\": {%s}}", members[i]);
		if (parse(text) == FAULT_NONE || config.is_on)
			fail_msg("%s", text);
	}
}

static int clear(void **state)
{
	(void)state;
	config_serve_clear(&config);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_refused),
	};

	json_init();
	config_serve_default(&config);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, clear);
}
