/* SPDX-License-Identifier: ISC
 *
 * The outside's configuration: defaults, the one question that expiry follows from, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"
#include "outside/config.h"

#define FOLDERS                                                                                                        \
	"\"sources\": \"s\", \"state\": \"/var/state\", \"keys\": \"k\", \"repository\": \"r\", \"outbox\": \"o\""
#define HEAD "{\"format\": \"clapet outside configuration 1\", " FOLDERS
#define BENCH ", \"testBench\": \"this machine is a test bench\""

static enum fault parse(const char *text, struct config **ret_config, struct refusal *why)
{
	return config_parse(text, strlen(text), "outside.json", "/etc/clapet", ret_config, why);
}

static void test_defaults(void **state)
{
	_cleanup_(config_freep) struct config *config = NULL;
	struct refusal why;

	(void)state;
	assert_int_equal(parse(HEAD BENCH "}", &config, &why), FAULT_NONE);
	assert_string_equal(config->sources, "/etc/clapet/s");
	assert_string_equal(config->state, "/var/state");
	assert_true(config->test_bench);
	assert_false(config->allow_http);
	assert_false(config->allow_file);
	assert_int_equal(config->expires_timestamp, 3 * 86400);
	assert_int_equal(config->expires_snapshot, 6 * 86400);
	assert_int_equal(config->expires_datasets, 6 * 86400);
	assert_int_equal(config->expires_targets, 365 * 86400);
	assert_string_equal(config->proxy, "");
	assert_null(config_credential(config, "cog", "host"));
}

static void test_one_question(void **state)
{
	_cleanup_(config_freep) struct config *config = NULL;
	struct refusal why;

	(void)state;
	assert_int_equal(
		parse(HEAD BENCH ", \"longestSilence\": \"45d\", \"expires\": {\"targets\": \"400d\"}}", &config, &why),
		FAULT_NONE);
	assert_int_equal(config->expires_timestamp, 45 * 86400);
	assert_int_equal(config->expires_snapshot, 90 * 86400);
	assert_int_equal(config->expires_targets, 400 * 86400);
}

static void test_users(void **state)
{
	static const char users[] = HEAD ", \"users\": {\"fetch\": \"a\", \"unpack\": \"b\", \"check\": \"c\", "
					 "\"pack\": \"d\", \"sign\": \"e\", \"log\": \"f\"}}";
	_cleanup_(config_freep) struct config *config = NULL, *sockets = NULL;
	struct refusal why;

	(void)state;
	assert_int_equal(parse(users, &config, &why), FAULT_NONE);
	assert_string_equal(config->users[WORKER_SIGN], "e");
	assert_string_equal(config->users[WORKER_LOG], "f");
	assert_int_equal(parse(HEAD ", \"sockets\": \"/run/clapet-outside\"}", &sockets, &why), FAULT_NONE);
	assert_null(sockets->users[WORKER_SIGN]);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *text, *names;
	} cases[] = {
		{HEAD "}", "users"},
		{HEAD ", \"users\": {\"fetch\": \"a\"}}", "unpack"},
		{HEAD ", \"testBench\": true}", "testBench"},
		{HEAD ", \"testBench\": \"yes\"}", "testBench"},
		{HEAD BENCH ", \"allowHTTP\": true}", "allowHTTP"},
		{HEAD BENCH ", \"allowHttp\": 1}", "allowHttp"},
		{HEAD BENCH ", \"limits\": {\"retries\": 21}}", "retries"},
		{HEAD BENCH ", \"limits\": {\"retries\": -1}}", "retries"},
		{HEAD BENCH ", \"limits\": {\"timeout\": \"8d\"}}", "timeout"},
		{HEAD BENCH ", \"limits\": {\"maxBytes\": 0}}", "maxBytes"},
		{HEAD BENCH ", \"limits\": {\"maxBytes\": 1.5}}", "maxBytes"},
		{HEAD BENCH ", \"limits\": {\"keyMemory\": 65535}}", "keyMemory"},
		{HEAD BENCH ", \"limits\": {\"keyMemory\": 8589934593}}", "keyMemory"},
		{HEAD BENCH ", \"limits\": {\"threads\": 0}}", "threads"},
		{HEAD BENCH ", \"limits\": {\"threads\": 65}}", "threads"},
		{HEAD BENCH ", \"limits\": {\"more\": 1}}", "more"},
		{HEAD BENCH ", \"longestSilence\": \"soon\"}", "longestSilence"},
		{HEAD BENCH ", \"expires\": {\"root\": \"1d\"}}", "root"},
		{HEAD BENCH ", \"credentials\": {\"cog\": \"../../etc/shadow\"}}", "cog"},
		{HEAD BENCH ", \"proxy\": \"http://a b\"}", "proxy"},
		{HEAD BENCH ", \"caFile\": \"\"}", "caFile"},
		{HEAD BENCH ", \"bundleFormat\": 2}", "bundleFormat"},
		{"{\"format\": \"clapet outside configuration 2\", " FOLDERS BENCH "}", "format"},
		{"{\"format\": \"clapet outside configuration 1\", \"sources\": \"s\"" BENCH "}", "state"},
		{HEAD BENCH ", \"sources\": \"twice\"}", "sources"},
		{"[]", "outside.json"},
		{"", "outside.json"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct config *config = NULL;
		struct refusal why = {FAULT_NONE, ""};

		assert_int_equal(parse(cases[i].text, &config, &why), FAULT_CONFIGURATION);
		assert_null(config);
		if (strstr(why.line, cases[i].names) == NULL)
			fail_msg("case %zu: \"%s\" does not name %s", i, why.line, cases[i].names);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_one_question),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_refusals),
	};

	json_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
