/* SPDX-License-Identifier: ISC
 *
 * What a link is: addresses, rates, members of "links"; ranges of --only; the names that bundles have.
 */
#include "outside/sendprofile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "outside/sendranges.h"
#include "outside/sendsource.h"

#define DIGEST "4aaacc36754674fc2525d50709cbc863d35bc5e46802d5b122a223b09004e618"

static void test_addresses(void **state)
{
	static const char *const good[] = {"192.0.2.7:7000", "[2001:db8::2]:1", "[::1]:65535", "[fe80::1%lo]:7000"};
	static const char *const bad[] = {
		"",
		":7000",
		"192.0.2.7",
		"192.0.2.7:",
		"192.0.2.7:0",
		"192.0.2.7:007",
		"192.0.2.7:65536",
		"192.0.2.7:70 ",
		"192.0.2:7000",
		"host.example:7000",
		"2001:db8::2:1",
		"[2001:db8::2]",
		"[2001:db8::2:7000",
		"2001:db8::2]:7000",
		"[]:7000",
		"[192.0.2.7]:1",
		"[fe80::1%]:7000",
		"[fe80::1%abcdefghijklmnopqrst]:7000",
		"192.0.2.7:+7",
		"[::1]:99999999999999999999999999999999999999999999999999999999999999999999999999999999"};
	struct send_profile profile;
	struct refusal why;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		sendprofile_init(&profile);
		assert_int_equal(sendprofile_set_to(&profile, good[i], &why), FAULT_NONE);
		assert_string_equal(profile.to, good[i]);
		assert_int_equal(profile.address.any.sa_family, i == 0 ? AF_INET : AF_INET6);
	}
	assert_int_equal(profile.address.v6.sin6_scope_id, 1);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		sendprofile_init(&profile);
		assert_int_equal(sendprofile_set_to(&profile, bad[i], &why), FAULT_CONFIGURATION);
		assert_string_equal(profile.to, "");
	}
}

static void test_rates(void **state)
{
	static const struct {
		const char *text;
		uint64_t rate;
	} good[] = {{"900M", 900000000}, {"2.5G", 2500000000}, {"100k", 100000},
		    {"100000", 100000},  {"0.1M", 100000},     {"100G", 100000000000}};
	static const char *const bad[] = {"",      "M",   "99k", "101G", "9m",  "900MB",
					  "1..2G", "-1G", "1e9", " 1G",  "nan", "99999999999999999999G"};
	struct send_profile profile;
	struct refusal why;

	(void)state;
	sendprofile_init(&profile);
	assert_int_equal(profile.rate, 900000000);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(sendprofile_set_rate(&profile, good[i].text, &why), FAULT_NONE);
		assert_int_equal(profile.rate, good[i].rate);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(sendprofile_set_rate(&profile, bad[i], &why), FAULT_CONFIGURATION);
	assert_int_equal(profile.rate, good[ARRAY_SIZE(good) - 1].rate);
}

/* TEXT as "links/one". */
static enum fault parse(const char *text, struct send_profile *profile, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *object = NULL;

	assert_int_equal(json_parse(text, strlen(text), 10000, &object, why), FAULT_NONE);
	sendprofile_init(profile);
	return sendprofile_parse(object, "one", "/etc/clapet", profile, why);
}

static void test_links(void **state)
{
	struct send_profile profile;
	struct refusal why;

	(void)state;
	assert_int_equal(parse("{\"to\": \"[::1]:7\", \"key\": \"k\", \"state\": \"/run/s\"}", &profile, &why),
			 FAULT_NONE);
	assert_string_equal(profile.key, "/etc/clapet/k");
	assert_string_equal(profile.state, "/run/s");
	assert_int_equal(profile.repair, 10);
	assert_int_equal(profile.cycles, 0);
	assert_int_equal(sendprofile_symbol_size(&profile), 1500 - 40 - 8 - 88 - 4);
	assert_int_equal(sendprofile_wire_size(&profile, 1000), 1086);
	sendprofile_clear(&profile);
	assert_int_equal(parse("{\"to\": \"10.0.0.2:7\", \"key\": \"/k\", \"state\": \"s\", \"interface\": \"eth1\", "
			       "\"rate\": \"1G\", \"repair\": 28,"
			       " \"mtu\": 9000, \"cycles\": 5, \"spool\": \"out\", \"weights\": {\"new\": 1, "
			       "\"recent\": 0, \"old\": 0},"
			       " \"newCycles\": 1, \"recent\": \"2h\"}",
			       &profile, &why),
			 FAULT_NONE);
	assert_string_equal(profile.interface, "eth1");
	assert_int_equal(profile.rules.weights[SENDQUEUE_NEW], 1);
	assert_int_equal(profile.rules.weights[SENDQUEUE_RECENT], 0);
	assert_int_equal(profile.rules.recent, 7200);
	assert_int_equal(profile.cycles, 5);
	assert_int_equal(sendprofile_symbol_size(&profile), 8880);
	assert_int_equal(sendprofile_wire_size(&profile, 1000), 1066);
	sendprofile_clear(&profile);
}

static void test_links_refused(void **state)
{
	static const char *const bad[] = {
		"\"key\": \"k\", \"state\": \"s\"",
		"\"to\": \"10.0.0.2:7\", \"state\": \"s\"",
		"\"to\": \"10.0.0.2:7\", \"key\": \"k\"",
		"\"to\": \"host:7\", \"key\": \"k\", \"state\": \"s\"",
		"\"to\": \"10.0.0.2:7\", \"key\": \"\", \"state\": \"s\"",
		"\"to\": \"10.0.0.2:7\", \"key\": \"k\", \"state\": \"s\", \"Rate\": \"1G\"",
		"\"to\": \"10.0.0.2:7\", \"key\": \"k\", \"state\": \"s\", \"rate\": 1000000",
		"\"to\": \"10.0.0.2:7\", \"key\": \"k\", \"state\": \"s\", \"repair\": 29",
		"\"to\": \"10.0.0.2:7\", \"key\": \"k\", \"state\": \"s\", \"mtu\": 575",
		"\"to\": \"10.0.0.2:7\", \"key\": \"k\", \"state\": \"s\", \"mtu\": 9001",
		"\"to\": \"10.0.0.2:7\", \"key\": \"k\", \"state\": \"s\", \"interface\": \"abcdefghijklmnop\"",
		"\"to\": \"10.0.0.2:7\", \"key\": \"k\", \"state\": \"s\", \"weights\": {\"new\": 0}",
		"\"to\": \"10.0.0.2:7\", \"key\": \"k\", \"state\": \"s\", \"weights\": {\"young\": 1}",
		"\"to\": \"10.0.0.2:7\", \"key\": \"k\", \"state\": \"s\", \"newCycles\": 0",
		"\"to\": \"10.0.0.2:7\", \"key\": \"k\", \"state\": \"s\", \"recent\": \"0s\"",
	};
	struct send_profile profile;
	struct refusal why;
	char text[400];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "{%s}", bad[i]);
		assert_int_not_equal(parse(text, &profile, &why), FAULT_NONE);
		sendprofile_clear(&profile);
	}
}

static void test_ranges(void **state)
{
	static const char *const bad[] = {"",
					  ":",
					  DIGEST,
					  DIGEST ":",
					  DIGEST "x3",
					  DIGEST ":3-",
					  DIGEST ":5,4",
					  DIGEST ":3,3",
					  DIGEST ":65536",
					  DIGEST "0:1",
					  "4AAA" DIGEST ":1",
					  DIGEST ":1 ",
					  "A" DIGEST};
	struct send_only only;
	struct refusal why;

	(void)state;
	assert_int_equal(sendranges_parse(DIGEST ":3-5,9", &only, &why), FAULT_NONE);
	assert_int_equal(only.ranges.n_items, 2);
	assert_int_equal(only.object.bytes[0], 0x4a);
	assert_true(link_ranges_has(&only.ranges, 4));
	assert_false(link_ranges_has(&only.ranges, 6));
	assert_int_equal(sendranges_check(&only, "a", 10, &why), FAULT_NONE);
	assert_int_equal(sendranges_check(&only, "a", 9, &why), FAULT_SEND_RANGES);
	assert_string_equal(why.line, "a has the generations 0 to 8, there is no 9 (bundle/FORMAT.md 31.2)");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(sendranges_parse(bad[i], &only, &why), FAULT_SEND_RANGES);
}

static void test_names(void **state)
{
	static const char *const bad[] = {"",
					  "0000000042-.tar",
					  "000000042-" DIGEST ".tar",
					  "00000000042-" DIGEST ".tar",
					  "0000000042-" DIGEST,
					  "0000000042-" DIGEST ".tar2",
					  "0000000042_" DIGEST ".tar",
					  "000000004x-" DIGEST ".tar",
					  "0000000042-" DIGEST "0.tar",
					  "0000000042-" DIGEST ".taR"};
	struct sha256 sha256 = {{0}};
	uint64_t version = 0;
	char hex[SHA256_HEX_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(sendsource_parse_name(bad[i], &version, &sha256));
	assert_int_equal(version, 0);
	assert_true(sendsource_parse_name("0000000042-" DIGEST ".tar", &version, &sha256));
	assert_int_equal(version, 42);
	sha256_to_hex(&sha256, hex);
	assert_string_equal(hex, DIGEST);
	assert_true(sendsource_parse_name("9999999999-" DIGEST ".tar", &version, &sha256));
	assert_int_equal(version, 9999999999);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),     cmocka_unit_test(test_rates),  cmocka_unit_test(test_links),
		cmocka_unit_test(test_links_refused), cmocka_unit_test(test_ranges), cmocka_unit_test(test_names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
