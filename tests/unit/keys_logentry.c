/* SPDX-License-Identifier: ISC
 *
 * keys_logentry: an entry has one spelling; clauses are found where lines cite them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "keys/logentry.h"

#define BEGIN "{\"format\":\"clapet log entry 1\",\"time\":\"2026-11-22T16:54:02Z\",\"event\":\"refuse\""
#define HEX8 "01234567"

static enum fault parse(const char *text, struct log_entry *entry)
{
	return log_entry_parse((const uint8_t *)text, strlen(text), entry, NULL);
}

static void test_round_trip(void **state)
{
	static const char whole[] = BEGIN
		",\"dataset\":\"cog\",\"version\":\"" HEX8 HEX8
		"\",\"sha256\":\"" HEX8 HEX8 HEX8 HEX8 HEX8 HEX8 HEX8 HEX8
		"\",\"code\":\"E3101\",\"clause\":\"bundle/FORMAT.md 4.4\",\"person\":\"p3\",\"line\":\"a "
		"\\\"b\\\" \\\\ \xc3\xa9\"}";
	char again[LIMIT_LOG_ENTRY_SIZE];
	struct log_entry entry;

	(void)state;
	assert_int_equal(parse(BEGIN "}", &entry), FAULT_NONE);
	assert_int_equal(entry.code, 0);
	assert_int_equal(parse(whole, &entry), FAULT_NONE);
	assert_string_equal(entry.line, "a \"b\" \\ \xc3\xa9");
	assert_int_equal(entry.code, 3101);
	assert_int_equal(entry.time, 1795366442);
	assert_int_equal(log_entry_format(&entry, again), strlen(whole));
	assert_string_equal(again, whole);
	/* A code of a later program. */
	assert_int_equal(parse(BEGIN ",\"code\":\"E9999\"}", &entry), FAULT_NONE);
	assert_false(fault_is_known(entry.code));
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"{}",
		BEGIN,
		BEGIN "} ",
		BEGIN "}\n",
		" " BEGIN "}",
		BEGIN ", \"line\":\"a\"}",
		BEGIN ",\"line\":\"a\",\"dataset\":\"cog\"}", /* another order */
		BEGIN ",\"line\":\"\"}",
		BEGIN ",\"line\":\"\\u0061\"}",
		BEGIN ",\"line\":\"\\/\"}",
		BEGIN ",\"line\":1}",
		BEGIN ",\"other\":\"a\"}",
		BEGIN ",\"event\":\"refuse\"}",
		BEGIN ",\"dataset\":\"Cog\"}",
		BEGIN ",\"dataset\":\"root\"}",
		BEGIN ",\"version\":\"" HEX8 "\"}",
		BEGIN ",\"sha256\":\"" HEX8 "\"}",
		BEGIN ",\"code\":\"3101\"}",
		BEGIN ",\"code\":\"E0101\"}",
		BEGIN ",\"code\":\"E310\"}",
		BEGIN ",\"code\":\"E31011\"}",
		BEGIN ",\"person\":\"jeanne\"}",
		BEGIN ",\"person\":\"p0\"}",
		BEGIN ",\"person\":\"p\"}",
		"{\"format\":\"clapet log entry 2\",\"time\":\"2026-11-22T16:54:02Z\",\"event\":\"refuse\"}",
		"{\"format\":\"clapet log entry 1\",\"time\":\"2026-11-22 16:54:02\",\"event\":\"refuse\"}",
		"{\"format\":\"clapet log entry 1\",\"time\":\"2026-11-22T16:54:02Z\",\"event\":\"Refuse\"}",
		"{\"format\":\"clapet log entry 1\",\"time\":\"2026-11-22T16:54:02Z\"}",
		"{\"time\":\"2026-11-22T16:54:02Z\",\"format\":\"clapet log entry 1\",\"event\":\"refuse\"}",
	};
	struct log_entry entry;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (parse(bad[i], &entry) != FAULT_LOG_ENTRY)
			fail_msg("passes: %s", bad[i]);
}

/* The longest that a record can hold, every byte escaped, still fits. */
static void test_longest(void **state)
{
	struct log_entry entry = {.time = 1795366442, .code = 3101}, again;
	char text[LIMIT_LOG_ENTRY_SIZE];
	size_t size;

	(void)state;
	memset(entry.event, 'e', sizeof(entry.event) - 1);
	memset(entry.dataset, 'd', sizeof(entry.dataset) - 1);
	memset(entry.version, 'a', sizeof(entry.version) - 1);
	memset(entry.sha256, 'a', sizeof(entry.sha256) - 1);
	memset(entry.clause, '"', sizeof(entry.clause) - 1);
	memcpy(entry.person, "p99999999", 10);
	memset(entry.line, '\\', sizeof(entry.line) - 1);
	size = log_entry_format(&entry, text);
	assert_true(size < LIMIT_LOG_ENTRY_SIZE);
	assert_int_equal(log_entry_parse((uint8_t *)text, size, &again, NULL), FAULT_NONE);
	assert_string_equal(again.line, entry.line);
}

static void test_clauses(void **state)
{
	static const struct {
		const char *line, *clause;
	} known[] = {
		{"part 1: its SHA-256 is not x (bundle/FORMAT.md 4.4)", "bundle/FORMAT.md 4.4"},
		{"timestamp.json: expired (x), it is y (TUF 1.0.34, 5.3.4)", "TUF 1.0.34, 5.3.4"},
		{"tile/: RFC 6962 (RFC 6962, 2.1.2): more", "RFC 6962, 2.1.2"},
		{"no clause", ""},
		{"a rule (rule policy-name)", ""},
		{"never closed (TUF 1.0.34", ""},
		{"(TUF 0123456789012345678901234567890123456789012345678901234567890123456789)", ""},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		char clause[LOG_CLAUSE_SIZE];

		log_entry_clause(known[i].line, clause);
		assert_string_equal(clause, known[i].clause);
	}
}

static int set_up(void **state)
{
	(void)state;
	json_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_clauses),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, NULL);
}
