/* SPDX-License-Identifier: ISC
 *
 * Waivers and pins: there and back, what a waiver covers and what it does not, ends, and documents that are not ours.
 */
#include "inside/decisions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/json.h"

#define CONTRACT "00000000000000000000000000000000000000000000000000000000000000aa"

static struct record_break make_break(const char *field)
{
	struct record_break item = {.fault = FAULT_CONTRACT_FIELD,
				    .can_be_approved = 1,
				    .application = "paie",
				    .resource = "communes",
				    .rule = "field-removed"};

	snprintf(item.field, sizeof(item.field), "%s", field);
	return item;
}

static struct waiver make_waiver(int64_t until)
{
	struct waiver waiver = {.of = make_break("zone"),
				.dataset = "cog",
				.contract = CONTRACT,
				.version = "0123456789abcdef",
				.reason = "éprouvé \"entre\" guillemets",
				.operator= "alice",
				.date = 1000,
				.until = until};

	return waiver;
}

static void test_round_trip(void **state)
{
	struct decisions before = {0}, after = {0};
	struct waiver waiver = make_waiver(5000);
	struct pin pin = {
		.dataset = "cog", .version = "0123456789abcdef", .reason = "closing", .operator= "bob", .date = 7};
	_cleanup_(json_decrefp) json_t *waivers = NULL, *pins = NULL;
	_cleanup_free_ char *waivers_text = NULL, *pins_text = NULL;
	const char *id;

	(void)state;
	assert_int_equal(decisions_add_waiver(&before, &waiver, &id, NULL), FAULT_NONE);
	assert_string_equal(id, "w1");
	assert_int_equal(decisions_add_waiver(&before, &waiver, &id, NULL), FAULT_NONE);
	assert_string_equal(id, "w2");
	before.waivers[0].withdrawn = 2000;
	/* Whether something may be approved is asked of the break, never of the document. */
	before.waivers[0].of.can_be_approved = before.waivers[1].of.can_be_approved = 0;
	decisions_set_pin(&before, &pin);
	waivers = decisions_waivers_to_json(&before);
	pins = decisions_pins_to_json(&before);
	waivers_text = json_dumps(waivers, 0);
	pins_text = json_dumps(pins, 0);
	assert_int_equal(decisions_parse_waivers(waivers_text, strlen(waivers_text), &after, NULL), FAULT_NONE);
	assert_int_equal(decisions_parse_pins(pins_text, strlen(pins_text), &after, NULL), FAULT_NONE);
	assert_int_equal(after.n_waivers, 2);
	assert_memory_equal(after.waivers, before.waivers, 2 * sizeof(struct waiver));
	assert_int_equal(after.n_pins, 1);
	assert_memory_equal(after.pins, before.pins, sizeof(struct pin));
	decisions_clear(&before);
	decisions_clear(&after);
}

static void test_what_a_waiver_covers(void **state)
{
	struct decisions decisions = {0};
	struct waiver waiver = make_waiver(5000);
	struct record_break zone = make_break("zone"), other = make_break("nom"), never = zone;
	const char *id;

	(void)state;
	never.can_be_approved = 0;
	decisions_add_waiver(&decisions, &waiver, &id, NULL);
	assert_non_null(decisions_waiver_for(&decisions, "cog", &zone, CONTRACT, 1500));
	assert_null(decisions_waiver_for(&decisions, "cog", &other, CONTRACT, 1500));
	assert_null(decisions_waiver_for(&decisions, "sirene", &zone, CONTRACT, 1500));
	/* Another contract of the same application ends it. */
	assert_null(decisions_waiver_for(&decisions, "cog", &zone, "", 1500));
	/* What may never be approved is not, whatever a document says. */
	assert_null(decisions_waiver_for(&decisions, "cog", &never, CONTRACT, 1500));
	assert_non_null(decisions_waiver_for(&decisions, "cog", &zone, CONTRACT, 4999));
	assert_null(decisions_waiver_for(&decisions, "cog", &zone, CONTRACT, 5000));
	decisions.waivers[0].until = 0;
	assert_non_null(decisions_waiver_for(&decisions, "cog", &zone, CONTRACT, 1LL << 40));
	decisions_waiver_by_id(&decisions, "w1")->withdrawn = 1400;
	assert_null(decisions_waiver_for(&decisions, "cog", &zone, CONTRACT, 1500));
	assert_null(decisions_waiver_by_id(&decisions, "w2"));
	decisions_clear(&decisions);
}

static void test_pins(void **state)
{
	struct decisions decisions = {0};
	struct pin a = {.dataset = "cog", .version = "0123456789abcdef", .until = 100}, b = a;

	(void)state;
	snprintf(b.version, sizeof(b.version), "fedcba9876543210");
	decisions_set_pin(&decisions, &a);
	decisions_set_pin(&decisions, &b);
	assert_int_equal(decisions.n_pins, 1);
	assert_string_equal(decisions_pin_for(&decisions, "cog", 99)->version, "fedcba9876543210");
	assert_null(decisions_pin_for(&decisions, "cog", 100));
	assert_null(decisions_pin_for(&decisions, "sirene", 1));
	assert_true(decisions_remove_pin(&decisions, "cog"));
	assert_false(decisions_remove_pin(&decisions, "cog"));
	decisions_clear(&decisions);
}

static void test_refused(void **state)
{
	static const char *const waivers[] = {
		"",
		"{}",
		"{\"format\": \"clapet waivers 2\", \"waivers\": []}",
		"{\"format\": \"clapet waivers 1\"}",
		"{\"format\": \"clapet waivers 1\", \"waivers\": [], \"more\": 1}",
		"{\"format\": \"clapet waivers 1\", \"waivers\": [1]}",
		"{\"format\": \"clapet waivers 1\", \"waivers\": [{\"id\": \"w1\"}]}",
		"{\"format\": \"clapet pins 1\", \"pins\": []}",
	};
	static const char *const pins[] = {
		"{\"format\": \"clapet pins 1\", \"pins\": [{\"dataset\": \"../x\", \"version\": \"0123456789abcdef\", "
		"\"reason\": \"\", "
		"\"operator\": \"\", \"date\": \"2026-01-01T00:00:00Z\", \"until\": null}]}",
		"{\"format\": \"clapet pins 1\", \"pins\": [{\"dataset\": \"x\", \"version\": \"0123\", \"reason\": "
		"\"\", "
		"\"operator\": \"\", \"date\": \"2026-01-01T00:00:00Z\", \"until\": null}]}",
		"{\"format\": \"clapet pins 1\", \"pins\": [{\"dataset\": \"x\", \"version\": \"0123456789abcdef\", "
		"\"reason\": \"\", "
		"\"operator\": \"\", \"date\": null, \"until\": null}]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(waivers); i++) {
		struct decisions decisions = {0};

		assert_int_not_equal(decisions_parse_waivers(waivers[i], strlen(waivers[i]), &decisions, NULL),
				     FAULT_NONE);
		decisions_clear(&decisions);
	}
	for (size_t i = 0; i < ARRAY_SIZE(pins); i++) {
		struct decisions decisions = {0};

		assert_int_not_equal(decisions_parse_pins(pins[i], strlen(pins[i]), &decisions, NULL), FAULT_NONE);
		decisions_clear(&decisions);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_what_a_waiver_covers),
		cmocka_unit_test(test_pins),
		cmocka_unit_test(test_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	json_init();
	return cmocka_run_group_tests_name("inside_decisions", tests, NULL, NULL);
}
