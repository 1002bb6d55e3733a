/* SPDX-License-Identifier: ISC
 *
 * A version's history: made from a role, there and back, told of generations in any number of steps, and documents that are not ours; and
 * what they all came to.
 */
#include "inside/pastlist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "bundle/json.h"
#include "inside/historystate.h"

#define DAY 86400

static struct sha256 hash_of(unsigned char byte)
{
	struct sha256 sha256;

	memset(sha256.bytes, byte, sizeof(sha256.bytes));
	return sha256;
}

/* Two files: a keyframe of two parts, and a patch; a third against the same base. */
static struct past_version *make_past(void)
{
	struct record_part parts[2] = {{.index = 0, .sha256 = hash_of(1), .length = 10},
				       {.index = 1, .sha256 = hash_of(2), .length = 11}},
			   patch = {.index = 0, .sha256 = hash_of(3), .length = 5};
	struct catalogue_target targets[3] = {
		{.record = {.file = "datapackage.json", .sha256 = hash_of(9), .length = 100, .n_parts = 2},
		 .parts = parts,
		 .n_parts = 2},
		{.record = {.file = "communes.csv",
			    .sha256 = hash_of(8),
			    .length = 1000,
			    .n_parts = 1,
			    .is_patch = 1,
			    .base_sha256 = hash_of(7),
			    .base_length = 900,
			    .n_base_parts = 2},
		 .parts = &patch,
		 .n_parts = 1,
		 .base_parts = parts,
		 .n_base_parts = 2}};
	struct catalogue_role role = {
		.record = {.name = "cog", .role_version = 12}, .targets = targets, .n_targets = 3};
	struct sha256 version = hash_of(9);

	targets[2] = targets[1];
	snprintf(targets[2].record.file, sizeof(targets[2].record.file), "cantons.csv");
	return past_from_role(&role, &version, "2026-01-01", 5 * DAY);
}

static char *text_of(const struct past_version *past)
{
	_cleanup_(json_decrefp) json_t *json = past_to_json(past);

	return json_dumps(json, 0);
}

static enum fault parse_text(const char *text)
{
	struct past_version *past = NULL;
	enum fault fault = past_parse(text, strlen(text), &past, NULL);

	past_free(past);
	return fault;
}

static void test_round_trip(void **state)
{
	_cleanup_(past_freep) struct past_version *past = make_past(), *again = NULL;
	_cleanup_(json_decrefp) json_t *waivers = json_pack("[s]", "w1");
	_cleanup_free_ char *text = NULL, *text_again = NULL;

	(void)state;
	assert_int_equal(past->n_bases, 1);
	assert_int_equal(past_plain_bytes(past), 2100);
	assert_int_equal(past_blob_bytes(past), 31);
	assert_ptr_equal(past_base(past, &past->files[2]), &past->bases[0]);
	assert_null(past_base(past, &past->files[0]));
	past_shown(past, 3, 10 * DAY, waivers);
	past_not_shown(past, 5, 12 * DAY);
	past_shown(past, 7, 14 * DAY, NULL);
	text = text_of(past);
	assert_non_null(strstr(text, "{\"format\": \"clapet history 1\""));
	assert_int_equal(past_parse(text, strlen(text), &again, NULL), FAULT_NONE);
	text_again = text_of(again);
	assert_string_equal(text, text_again);
	assert_int_equal(again->spans[0].until, 5);
	assert_string_equal(json_string_value(json_array_get(again->spans[0].waivers, 0)), "w1");
	assert_int_equal(again->role_version, 12);
}

/* Generations go; what was told of them before is not told twice, and nothing is lost between. */
static void test_spans(void **state)
{
	_cleanup_(past_freep) struct past_version *past = make_past();

	(void)state;
	assert_int_equal(past_last(past), 5 * DAY);
	assert_false(past_not_shown(past, 2, 9 * DAY));
	assert_true(past_shown(past, 3, 10 * DAY, NULL));
	assert_false(past_shown(past, 4, 11 * DAY, NULL));
	assert_false(past_not_shown(past, 3, 10 * DAY));
	assert_true(past_last(past) == INT64_MAX);
	assert_true(past_not_shown(past, 5, 12 * DAY));
	assert_false(past_not_shown(past, 6, 13 * DAY));
	/* Told again from 3 on: these days are over. */
	assert_false(past_shown(past, 3, 10 * DAY, NULL));
	assert_false(past_shown(past, 4, 11 * DAY, NULL));
	assert_false(past_not_shown(past, 5, 12 * DAY));
	assert_int_equal(past->n_spans, 1);
	assert_int_equal(past_last(past), 12 * DAY);
	assert_true(past_shown(past, 7, 14 * DAY, NULL));
	assert_int_equal(past->n_spans, 2);
	assert_false(past_was_in_force(past, 10 * DAY - 1));
	assert_true(past_was_in_force(past, 10 * DAY));
	assert_true(past_was_in_force(past, 12 * DAY - 1));
	assert_false(past_was_in_force(past, 12 * DAY));
	assert_false(past_was_in_force(past, 14 * DAY - 1));
	assert_true(past_was_in_force(past, 400 * DAY));
}

static void test_many_spans(void **state)
{
	_cleanup_(past_freep) struct past_version *past = make_past();
	_cleanup_free_ char *text = NULL;

	(void)state;
	for (uint64_t i = 0; i < LIMIT_HISTORY_SPANS + 3; i++) {
		past_shown(past, 2 * i + 1, (int64_t)(2 * i + 1) * DAY, NULL);
		past_not_shown(past, 2 * i + 2, (int64_t)(2 * i + 2) * DAY);
	}
	assert_int_equal(past->n_spans, LIMIT_HISTORY_SPANS);
	assert_int_equal(past->spans[0].generation, 7);
	text = text_of(past);
	assert_int_equal(parse_text(text), FAULT_NONE);
}

static void test_shown_list(void **state)
{
	struct shown_entry first = {.dataset = "cog", .version = "0909090909090909"},
			   other = {.dataset = "cog", .version = "1111111111111111"};
	struct shown items[3] = {{.number = 4, .created = 4 * DAY, .entries = &first, .n_entries = 1},
				 {.number = 6, .created = 6 * DAY, .entries = &other, .n_entries = 1},
				 {.number = 7, .created = 7 * DAY}};
	struct shown_list list = {items, 3};
	_cleanup_(past_freep) struct past_version *past = make_past();

	(void)state;
	assert_non_null(shown_entry(&items[0], "cog"));
	assert_null(shown_entry(&items[0], "col"));
	assert_null(shown_entry(&items[2], "cog"));
	assert_true(shown_tell(&list, past));
	assert_false(shown_tell(&list, past));
	assert_int_equal(past->n_spans, 1);
	assert_int_equal(past->spans[0].generation, 4);
	assert_int_equal(past->spans[0].until, 6);
	assert_int_equal(past->spans[0].to, 6 * DAY);
}

/* TEXT with the first FROM in it made TO. */
static char *changed(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *made = NULL;

	assert_non_null(at);
	assert_true(asprintf(&made, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) > 0);
	return made;
}

static void test_refusals(void **state)
{
	static const struct {
		const char *from, *to;
	} lies[] = {
		{"history 1", "history 2"},
		{"\"dataset\": \"cog\"", "\"dataset\": \"../cog\""},
		{"\"dataset\": \"cog\"", "\"dataset\": \"status\""},
		{"\"roleVersion\": 12", "\"roleVersion\": 0"},
		{"\"date\": ", "\"data\": "},
		{"\"gone\": null", "\"gone\": 0"},
		{"\"received\": \"1970-01-06T00:00:00Z\"", "\"received\": \"yesterday\""},
		{"communes.csv", "datapackage.json"},
		{"communes.csv", "a/b.csv"},
		{"\"length\": 100,", "\"length\": -1,"},
		{"\"parts\": [{", "\"parts\": [], \"x\": [{"},
		{"\"base\": \"0707", "\"base\": \"0606"},
		{"\"base\": \"0707", "\"base\": \"07"},
		{"\"bases\": [{", "\"bases\": [1, {"},
		{"\"until\": 5", "\"until\": 3"},
		{"\"until\": 5", "\"until\": 8"},
		{"\"until\": 5", "\"until\": null"},
		{"\"generation\": 7", "\"generation\": 4"},
		{"\"waivers\": []", "\"waivers\": [1]"},
		{"\"waivers\": []", "\"waivers\": null"},
		{"\"inForce\"", "\"more\": 1, \"inForce\""},
	};
	_cleanup_(past_freep) struct past_version *past = make_past();
	_cleanup_free_ char *text = NULL;

	(void)state;
	past_shown(past, 3, 10 * DAY, NULL);
	past_not_shown(past, 5, 12 * DAY);
	past_shown(past, 7, 14 * DAY, NULL);
	text = text_of(past);
	assert_int_equal(parse_text(text), FAULT_NONE);
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		_cleanup_free_ char *lie = changed(text, lies[i].from, lies[i].to);

		if (parse_text(lie) == FAULT_NONE)
			fail_msg("%s passed for %s", lies[i].to, lies[i].from);
	}
	assert_int_equal(parse_text("[]"), FAULT_JSON_SYNTAX);
	assert_int_not_equal(parse_text("{"), FAULT_NONE);
}

static enum fault parse_state(const char *text, struct history_state *ret_state)
{
	return history_state_parse(text, strlen(text), ret_state, NULL);
}

static void test_state(void **state)
{
#define STATE_HEAD                                                                                                     \
	"{\"format\": \"clapet history state 1\", \"swept\": \"2026-01-01T00:00:00Z\", \"configuration\": \""          \
	"00000000000000000000000000000000000000000000000000000000000000aa\", \"datasets\": "
	static const char *const lies[] = {
		STATE_HEAD "[{\"name\": \"a\", \"versions\": 0, \"bytes\": 1}]}",
		STATE_HEAD "[{\"name\": \"a\", \"versions\": 1, \"bytes\": -1}]}",
		STATE_HEAD "[{\"name\": \"A\", \"versions\": 1, \"bytes\": 1}]}",
		STATE_HEAD "[{\"name\": \"a\", \"versions\": 1, \"bytes\": 1, \"more\": 1}]}",
		STATE_HEAD
		"[{\"name\": \"a\", \"versions\": 1, \"bytes\": 1}, {\"name\": \"a\", \"versions\": 2, \"bytes\": 1}]}",
		STATE_HEAD "[7]}",
		STATE_HEAD "[], \"more\": 1}",
		STATE_HEAD "{}}",
	};
	struct history_state counted = {.swept = 86400}, again;
	_cleanup_(json_decrefp) json_t *json = NULL;
	_cleanup_free_ char *text = NULL;
	uint64_t versions, bytes;

	(void)state;
	assert_true(history_state_set(&counted, "cog", 3, 300));
	assert_false(history_state_set(&counted, "cog", 3, 300));
	assert_true(history_state_set(&counted, "aaa", 1, 0));
	assert_true(history_state_set(&counted, "zzz", 1, 7));
	assert_true(history_state_set(&counted, "zzz", 0, 0));
	assert_false(history_state_set(&counted, "zzz", 0, 0));
	assert_true(history_state_set(&counted, "cog", 2, 200));
	history_state_sum(&counted, &versions, &bytes);
	assert_int_equal(versions, 3);
	assert_int_equal(bytes, 200);
	json = history_state_to_json(&counted);
	text = json_dumps(json, 0);
	assert_int_equal(parse_state(text, &again), FAULT_NONE);
	assert_int_equal(again.n_counts, 2);
	assert_string_equal(again.counts[1].name, "cog");
	history_state_clear(&again);
	history_state_clear(&counted);
	assert_int_equal(parse_state(STATE_HEAD "[]}", &again), FAULT_NONE);
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		if (parse_state(lies[i], &again) == FAULT_NONE)
			fail_msg("%s passed", lies[i]);
		assert_int_equal(again.n_counts, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_spans),    cmocka_unit_test(test_many_spans),
		cmocka_unit_test(test_shown_list), cmocka_unit_test(test_refusals), cmocka_unit_test(test_state),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	json_init();
	return cmocka_run_group_tests_name("inside_pastversion", tests, NULL, NULL);
}
