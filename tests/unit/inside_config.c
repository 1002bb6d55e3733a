/* SPDX-License-Identifier: ISC
 *
 * The inside's configuration: what it takes, its defaults, and that a typing error is never silently believed.
 */
#include "inside/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "inside/config_trust.h"
#include "keys/metadata.h"

#define HEAD                                                                                                           \
	"{\"format\": \"clapet inside configuration 1\", \"store\": \"store\", \"incoming\": \"/in\", \"spool\": "     \
	"\"s\""
#define USERS "\"users\": {\"unpack\": \"a\", \"verify\": \"b\", \"check\": \"c\", \"commit\": \"d\", \"log\": \"e\"}"

static enum fault parse(const char *text, struct inside_config **ret_config, struct refusal *why)
{
	return config_parse(text, strlen(text), "/etc/clapet/inside.json", ret_config, why);
}

static void test_defaults(void **state)
{
	_cleanup_(config_freep) struct inside_config *config = NULL;

	(void)state;
	assert_int_equal(parse(HEAD "}", &config, NULL), FAULT_NONE);
	assert_string_equal(config->store, "/etc/clapet/store");
	assert_string_equal(config->incoming, "/in");
	assert_null(config->policy);
	assert_null(config->contracts);
	assert_int_equal(config->keep_generations, 10);
	assert_int_equal(config->keep_at_least, 7 * 86400);
	assert_false(config->test_bench);
	assert_null(config->users[COMP_COMMIT]);
	assert_int_equal(config->max_validity[TUF_KIND_ROOT], 0);
	assert_int_equal(config->max_validity[TUF_KIND_DELEGATED], 400 * 86400);
	for (size_t kind = 0; kind < TUF_KIND_N; kind++)
		assert_int_equal(config->schemes[kind], 0);
}

static void test_link(void **state)
{
	static const char *const wrong[] = {"{}",
					    "{\"bind\": \"127.0.0.1:1\"}",
					    "{\"key\": \"k\"}",
					    "{\"bind\": \"127.0.0.1:1\", \"key\": \"k\", \"quota\": 0}",
					    "{\"bind\": \"127.0.0.1:1\", \"key\": \"k\", \"buffer\": 1}",
					    "{\"bind\": \"127.0.0.1:1\", \"key\": \"k\", \"rate\": 1}"};
	_cleanup_(config_freep) struct inside_config *config = NULL, *none = NULL, *own = NULL, *bad = NULL;

	(void)state;
	assert_int_equal(parse(HEAD ", \"link\": {\"bind\": \"192.0.2.2:4001\", \"key\": \"k\", \"folder\": \"link\"}}",
			       &own, NULL),
			 FAULT_NONE);
	assert_string_equal(own->link_folder, "/etc/clapet/link");
	assert_int_equal(parse(HEAD ", \"link\": {\"bind\": \"192.0.2.2:4001\", \"key\": \"link.key\", \"quota\": 5}}",
			       &config, NULL),
			 FAULT_NONE);
	assert_string_equal(config->link_bind, "192.0.2.2:4001");
	assert_string_equal(config->link_key, "/etc/clapet/link.key");
	assert_int_equal(config->link_quota, 5);
	assert_int_equal(config->link_buffer, LIMIT_RECEIVE_KERNEL_BUFFER);
	assert_int_equal(parse(HEAD "}", &none, NULL), FAULT_NONE);
	assert_null(config->link_folder);
	assert_null(none->link_bind);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		char text[300];

		snprintf(text, sizeof(text), HEAD ", \"link\": %s}", wrong[i]);
		assert_int_equal(parse(text, &bad, NULL), FAULT_CONFIGURATION);
	}
}

static void test_trust_by_kind(void **state)
{
	_cleanup_(config_freep) struct inside_config *config = NULL;
	char text[160];

	(void)state;
	assert_int_equal(parse(HEAD ", \"maxValidity\": {\"root\": \"800d\", \"timestamp\": \"10d\"},"
				    " \"schemes\": {\"root\": [\"ed25519\"]}}",
			       &config, NULL),
			 FAULT_NONE);
	assert_int_equal(config->max_validity[TUF_KIND_ROOT], 800 * 86400);
	assert_int_equal(config->max_validity[TUF_KIND_TIMESTAMP], 10 * 86400);
	assert_int_equal(config->max_validity[TUF_KIND_SNAPSHOT], 400 * 86400); /* not named: as before */
	assert_int_equal(config->schemes[TUF_KIND_ROOT], TUF_SCHEME_BIT(TUF_SCHEME_ED25519));
	config_trust_describe(config, TUF_KIND_TIMESTAMP, text, sizeof(text));
	assert_string_equal(text, "ed25519; expires at most 10 days ahead");
	config->schemes[TUF_KIND_ROOT] |= TUF_SCHEME_BIT(TUF_SCHEME_ECDSA_P256);
	config->max_validity[TUF_KIND_ROOT] = 0;
	config_trust_describe(config, TUF_KIND_ROOT, text, sizeof(text));
	assert_string_equal(text, "ed25519, ecdsa-sha2-nistp256; expires whenever it says");
}

static void test_all_members(void **state)
{
	_cleanup_(config_freep) struct inside_config *config = NULL;

	(void)state;
	assert_int_equal(
		parse(HEAD
		      ", \"contracts\": \"c\", \"policy\": \"p.json\", \"keepGenerations\": 3, "
		      "\"keepAtLeast\": \"2h\", "
		      "\"quota\": {\"incoming\": 1, \"spool\": 2, \"quarantine\": 0}, \"reserve\": 5, "
		      "\"heartbeat\": \"6h\", "
		      "\"clockSkew\": \"1m\", \"maxValidity\": \"30d\", \"sockets\": \"/run/clapet-inside\", " USERS
		      ", \"testBench\": \"this machine is a test bench\"}",
		      &config, NULL),
		FAULT_NONE);
	assert_string_equal(config->policy, "/etc/clapet/p.json");
	assert_int_equal(config->keep_generations, 3);
	assert_int_equal(config->keep_at_least, 7200);
	assert_int_equal(config->quota_incoming, 1);
	assert_int_equal(config->quota_spool, 2);
	assert_int_equal(config->quota_quarantine, 0);
	assert_int_equal(config->reserve, 5);
	assert_int_equal(config->heartbeat, 6 * 3600);
	assert_int_equal(config->clock_skew, 60);
	assert_int_equal(config->max_validity[TUF_KIND_ROOT], 0); /* one duration is for all but the root */
	for (size_t kind = TUF_KIND_TIMESTAMP; kind < TUF_KIND_N; kind++)
		assert_int_equal(config->max_validity[kind], 30 * 86400);
	assert_string_equal(config->sockets, "/run/clapet-inside");
	assert_string_equal(config->users[COMP_UNPACK], "a");
	assert_string_equal(config->users[COMP_LOG], "e");
	assert_true(config->test_bench);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *named;
	} cases[] = {
		{"", "inside.json"},
		{"{\"format\": \"clapet inside configuration 2\", \"store\": \"a\", \"incoming\": \"b\", \"spool\": "
		 "\"c\"}",
		 "format"},
		{"{\"format\": \"clapet inside configuration 1\", \"incoming\": \"b\", \"spool\": \"c\"}", "store"},
		{HEAD ", \"kepGenerations\": 3}", "kepGenerations"},
		{HEAD ", \"keepGenerations\": 0}", "keepGenerations"},
		{HEAD ", \"keepGenerations\": \"3\"}", "keepGenerations"},
		{HEAD ", \"keepAtLeast\": \"soon\"}", "keepAtLeast"},
		{HEAD ", \"quota\": {\"incomming\": 1}}", "incomming"},
		{HEAD ", \"quota\": {\"spool\": -1}}", "spool"},
		{HEAD ", \"policy\": \"\"}", "policy"},
		{HEAD ", \"users\": {\"unpack\": \"a\"}}", "verify"},
		{HEAD ", \"testBench\": true}", "testBench"},
		{HEAD ", \"testBench\": \"yes\"}", "testBench"},
		{HEAD "} x", "inside.json"},
		{HEAD ", \"store\": \"twice\"}", "store"},
		{HEAD ", \"maxValidity\": 30}", "maxValidity"},
		{HEAD ", \"maxValidity\": {\"status\": \"3d\"}}", "status"},
		{HEAD ", \"maxValidity\": {\"root\": \"for ever\"}}", "root"},
		{HEAD ", \"schemes\": [\"ed25519\"]}", "schemes"},
		{HEAD ", \"schemes\": {\"cog\": [\"ed25519\"]}}", "cog"},
		{HEAD ", \"schemes\": {\"root\": []}}", "schemes.root: names none"},
		{HEAD ", \"schemes\": {\"root\": [\"ed25519\", \"ed25519\"]}}", "ed25519 twice"},
		{HEAD ", \"schemes\": {\"root\": [\"rsa-pkcs1v15-sha256\"]}}", "is none of"},
		{HEAD ", \"schemes\": {\"root\": [7]}}", "is none of"},
		{HEAD ", \"rows\": 7}", "rows"},
		{HEAD ", \"rows\": {\"all\": true}}", "all"},
		{HEAD ", \"rows\": {\"default\": \"yes\"}}", "default"},
		{HEAD ", \"rows\": {\"datasets\": {\"cog\": 1}}}", "cog"},
		{HEAD ", \"history\": 7}", "history"},
		{HEAD ", \"history\": {\"weeks\": 7}}", "weeks"},
		{HEAD ", \"history\": {\"versions\": -1}}", "versions"},
		{HEAD ", \"history\": {\"days\": 100000}}", "days"},
		{HEAD ", \"history\": {\"datasets\": {\"cog\": {}}}}", "cog"},
		{HEAD ", \"history\": {\"datasets\": {\"cog\": {\"age\": 1}}}}", "age"},
		{HEAD ", \"history\": {\"datasets\": {\"status\": {\"days\": 1}}}}", "status"},
#ifndef CLAPET_ECDSA
		{HEAD ", \"schemes\": {\"root\": [\"ecdsa-sha2-nistp256\"]}}", "not in this build"},
#endif
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct inside_config *config = NULL;
		struct refusal why = {0};

		assert_int_equal(parse(cases[i].text, &config, &why), FAULT_CONFIGURATION);
		assert_int_equal(why.fault, FAULT_CONFIGURATION);
		assert_non_null(strstr(why.line, cases[i].named));
		assert_null(config);
	}
}

static void test_rows(void **state)
{
	_cleanup_(config_freep) struct inside_config *config = NULL, *none = NULL, *all = NULL;

	(void)state;
	assert_int_equal(parse(HEAD "}", &none, NULL), FAULT_NONE);
	assert_false(config_rows_wants_any(&none->rows));
	assert_int_equal(parse(HEAD ", \"rows\": true}", &all, NULL), FAULT_NONE);
	assert_true(config_rows_wants(&all->rows, "cog"));
	assert_int_equal(parse(HEAD ", \"rows\": {\"datasets\": {\"cog\": true}}}", &config, NULL), FAULT_NONE);
	assert_true(config_rows_wants_any(&config->rows));
	assert_true(config_rows_wants(&config->rows, "cog"));
	assert_false(config_rows_wants(&config->rows, "villes"));
}

static void test_history(void **state)
{
	_cleanup_(config_freep) struct inside_config *config = NULL, *none = NULL;
	const struct history_limits *limits;

	(void)state;
	assert_int_equal(parse(HEAD "}", &none, NULL), FAULT_NONE);
	assert_int_equal(config_history_for(&none->history, "cog")->versions, 0);
	assert_true(config_history_for(&none->history, "cog")->is_off);
	assert_int_equal(
		parse(HEAD
		      ", \"history\": {\"versions\": 5, \"bytes\": 1000, \"datasets\": {\"cog\": {\"days\": 30}}}}",
		      &config, NULL),
		FAULT_NONE);
	limits = config_history_for(&config->history, "villes");
	assert_int_equal(limits->versions, 5);
	assert_int_equal(limits->bytes, 1000);
	assert_true(limits->days == INT64_MAX);
	limits = config_history_for(&config->history, "cog");
	assert_true(limits->versions == INT64_MAX);
	assert_true(limits->bytes == INT64_MAX);
	assert_int_equal(limits->days, 30);
	assert_false(limits->is_off);
}

static void test_no_file(void **state)
{
	struct inside_config *config = NULL;
	struct refusal why = {0};

	(void)state;
	assert_int_equal(config_load("/nowhere/inside.json", &config, &why), FAULT_FILE);
	assert_non_null(strstr(why.line, "/nowhere/inside.json"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults), cmocka_unit_test(test_all_members),
		cmocka_unit_test(test_link),     cmocka_unit_test(test_trust_by_kind),
		cmocka_unit_test(test_refused),  cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_rows),     cmocka_unit_test(test_history),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	json_init();
	return cmocka_run_group_tests_name("inside_config", tests, NULL, NULL);
}
