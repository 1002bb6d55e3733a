/* SPDX-License-Identifier: ISC
 *
 * The policy: what it takes, and what it holds against a version.
 */
#include "inside/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/json.h"

#define HEAD "{\"format\": \"clapet policy 1\", \"datasets\": "

static struct policy *parse(const char *text)
{
	struct policy *policy = NULL;

	policy_parse(text, strlen(text), "policy.json", &policy, NULL);
	return policy;
}

static void add_licence(struct verdict *verdict, const char *name)
{
	struct record record = record_new(RECORD_LICENCE);

	snprintf(record.licence.name, sizeof(record.licence.name), "%s", name);
	assert_true(verdict_add(verdict, &record));
}

/* The rules that POLICY holds against DATASET, one after the other. */
static void judge(const struct policy *policy, const char *dataset, const char *licence, bool opaque,
		  unsigned threshold, char *rules, size_t size)
{
	struct sha256 version = {{1}};
	_cleanup_(verdict_freep) struct verdict *verdict = verdict_new(dataset, &version);
	struct break_list breaks = {0};

	verdict->facts.has_opaque = opaque;
	if (licence != NULL)
		add_licence(verdict, licence);
	policy_judge(policy, verdict, threshold, true, &breaks);
	rules[0] = '\0';
	for (size_t i = 0; i < breaks.n_items; i++)
		snprintf(rules + strlen(rules), size - strlen(rules), "%s%s ", breaks.items[i].rule,
			 breaks.items[i].can_be_approved ? "" : "!");
	break_list_clear(&breaks);
}

static void test_judge(void **state)
{
	_cleanup_(policy_freep) struct policy *policy = parse(HEAD
							      "[{\"name\": \"sirene\", \"threshold\": 2, \"opaque\": "
							      "true}, {\"name\": \"cog\"}], \"licences\": [\"LOV2\"]}");
	_cleanup_(policy_freep) struct policy *any = parse(HEAD "[{\"name\": \"cog\"}]}"), *empty = policy_new();
	char rules[200];

	(void)state;
	assert_non_null(policy);
	assert_non_null(any);
	judge(policy, "cog", "LOV2", false, 1, rules, sizeof(rules));
	assert_string_equal(rules, "");
	judge(policy, "sirene", "LOV2", true, 2, rules, sizeof(rules));
	assert_string_equal(rules, "");
	/* A signature too few is no matter of opinion. */
	judge(policy, "sirene", "LOV2", true, 1, rules, sizeof(rules));
	assert_string_equal(rules, "policy-threshold! ");
	judge(policy, "cog", "ODbL", true, 1, rules, sizeof(rules));
	assert_string_equal(rules, "policy-licence policy-opaque ");
	judge(policy, "cog", NULL, false, 1, rules, sizeof(rules));
	assert_string_equal(rules, "policy-licence ");
	judge(policy, "new", "LOV2", false, 1, rules, sizeof(rules));
	assert_string_equal(rules, "policy-name ");
	judge(any, "cog", NULL, false, 1, rules, sizeof(rules));
	assert_string_equal(rules, "");
	judge(empty, "cog", "ODbL", true, 1, rules, sizeof(rules));
	assert_string_equal(rules, "policy-name policy-opaque ");
}

/* Attestations are asked for unless the policy says otherwise, and a person may let in what has none. */
static void test_attestations(void **state)
{
	_cleanup_(policy_freep) struct policy *silent = parse(HEAD "[{\"name\": \"cog\"}]}"),
					      *required = parse(
						      HEAD "[{\"name\": \"cog\"}], \"attestations\": \"required\"}"),
					      *optional = parse(
						      HEAD "[{\"name\": \"cog\"}], \"attestations\": \"optional\"}");
	const struct policy *const policies[] = {silent, required, optional};
	struct sha256 version = {{1}};
	_cleanup_(verdict_freep) struct verdict *verdict = verdict_new("cog", &version);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		struct break_list breaks = {0};

		assert_non_null(policies[i]);
		policy_judge(policies[i], verdict, 1, false, &breaks);
		assert_int_equal(breaks.n_items, i < 2 ? 1 : 0);
		if (breaks.n_items > 0) {
			assert_int_equal(breaks.items[0].fault, FAULT_ATTESTATION_ABSENT);
			assert_int_equal(fault_kind(breaks.items[0].fault), FAULT_KIND_HELD);
			assert_string_equal(breaks.items[0].rule, "policy-attestations");
			assert_int_equal(breaks.items[0].can_be_approved, 1);
		}
		break_list_clear(&breaks);
	}
}

/* What the outside let through passes unless the policy wants a person's word: one for each kind. */
static void test_tolerated(void **state)
{
	_cleanup_(policy_freep) struct policy *silent = parse(HEAD "[{\"name\": \"cog\"}]}"),
					      *allowed = parse(HEAD
							       "[{\"name\": \"cog\"}], \"tolerated\": \"allowed\"}"),
					      *held = parse(HEAD "[{\"name\": \"cog\"}], \"tolerated\": \"held\"}");
	const struct policy *const policies[] = {silent, allowed, held};
	struct sha256 version = {{1}};
	_cleanup_(verdict_freep) struct verdict *verdict = verdict_new("cog", &version);
	struct record record = record_new(RECORD_TOLERATED);

	(void)state;
	snprintf(record.tolerated.resource, sizeof(record.tolerated.resource), "communes");
	snprintf(record.tolerated.rule, sizeof(record.tolerated.rule), "enum");
	snprintf(record.tolerated.field, sizeof(record.tolerated.field), "zone");
	record.tolerated.count = 12;
	assert_true(verdict_add(verdict, &record));
	snprintf(record.tolerated.rule, sizeof(record.tolerated.rule), "pattern");
	assert_true(verdict_add(verdict, &record));
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		struct break_list breaks = {0};

		assert_non_null(policies[i]);
		policy_judge(policies[i], verdict, 1, true, &breaks);
		assert_int_equal(breaks.n_items, i < 2 ? 0 : 2);
		if (breaks.n_items > 0) {
			assert_int_equal(breaks.items[0].fault, FAULT_POLICY_TOLERATED);
			assert_string_equal(breaks.items[0].resource, "communes");
			assert_string_equal(breaks.items[0].rule, "enum");
			assert_string_equal(breaks.items[1].rule, "pattern");
			assert_int_equal(breaks.items[1].can_be_approved, 1);
		}
		break_list_clear(&breaks);
	}
	assert_null(parse(HEAD "[], \"tolerated\": \"sometimes\"}"));
	assert_null(parse(HEAD "[], \"tolerated\": true}"));
}

static void test_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"{}",
		"{\"format\": \"clapet policy 2\", \"datasets\": []}",
		"{\"format\": \"clapet policy 1\"}",
		HEAD "[], \"licenses\": []}",
		HEAD "[{\"name\": \"root\"}]}",
		HEAD "[{\"name\": \"a/b\"}]}",
		HEAD "[{\"name\": \"cog\"}, {\"name\": \"cog\"}]}",
		HEAD "[{\"name\": \"cog\", \"treshold\": 2}]}",
		HEAD "[{\"name\": \"cog\", \"threshold\": 0}]}",
		HEAD "[{\"name\": \"cog\", \"opaque\": 1}]}",
		HEAD "[\"cog\"]}",
		HEAD "[], \"licences\": [1]}",
		HEAD "[], \"attestations\": \"maybe\"}",
		HEAD "[], \"attestations\": true}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_null(parse(cases[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_attestations),
		cmocka_unit_test(test_tolerated),
		cmocka_unit_test(test_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	json_init();
	return cmocka_run_group_tests_name("inside_policy", tests, NULL, NULL);
}
