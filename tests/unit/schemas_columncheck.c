/* SPDX-License-Identifier: ISC
 *
 * columncheck: what it calls good is good for field_check, over many fields and cells made from theirs; and it does know the usual ones at
 * once, or it would be for nothing.
 */
#include "schemas/columncheck.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"

static struct field *new_field(const char *descriptor, json_t *missing)
{
	json_t *json = json_loads(descriptor, 0, NULL);
	struct field *field = NULL;

	assert_non_null(json);
	json_object_set_new(json, "name", json_string("f"));
	assert_int_equal(field_parse_descriptor(json, missing, NULL, &field, NULL), FAULT_NONE);
	json_decref(json);
	return field;
}

enum answer { DOUBTFUL, GOOD, MISSING };

static enum answer ask(const struct column_check *check, const char *text, size_t size)
{
	_cleanup_free_ char *copy = xmalloc(size + CELL_SLACK);
	struct cell cell = {copy, size};
	uint64_t missing, doubtful;

	memset(copy, '7', size + CELL_SLACK);
	memcpy(copy, text, size);
	doubtful = column_check_cells(check, &cell, 1, 1, &missing);
	assert_int_equal(doubtful & missing, 0);
	return missing != 0 ? MISSING : doubtful != 0 ? DOUBTFUL : GOOD;
}

/* A field, cells that it is known to have, and cells of which field_check is asked: bars between them. */
static const struct {
	const char *field, *good, *doubtful;
} CASES[] = {
	{"{}", "a|é|12345678901234567890", ""},
	{"{\"constraints\": {\"maxLength\": 3}}", "a|abc|é", "abcd|ééé"},
	{"{\"constraints\": {\"minLength\": 2, \"maxLength\": 12}}", "ab|abcdefghijkl|abcdefghi|éééé",
	 "a|é|éé|abcdefghijklm"},
	{"{\"constraints\": {\"pattern\": \"^[0-9]{5}$\"}}", "01234|99999",
	 "1234|123456|1234a|a1234|1234é|1234:|1234/"},
	{"{\"constraints\": {\"pattern\": \"^\\\\d{14}$\"}}", "12345678901234",
	 "1234567890123a|1234567a901234|123456789012345"},
	{"{\"constraints\": {\"pattern\": \"^([013-9]\\\\d|2[AB1-9])\\\\d{3}$\"}}", "01234|2A004|29000|75056",
	 "2C004|20000|2a004"},
	{"{\"constraints\": {\"pattern\": \"(ab|c)\", \"maxLength\": 1}}", "c", "ab|b"},
	{"{\"constraints\": {\"pattern\": \"a*\"}}", "", "a|b"},
	{"{\"constraints\": {\"enum\": [\"O\", \"NN\", \"été\", \"12345678\"]}}", "O|NN|été|12345678",
	 "N|ON|123456789|et"},
	{"{\"constraints\": {\"enum\": [\"a\", \"longer than eight\", \"B\"], \"pattern\": \"[a-z ]*\"}}",
	 "a|longer than eight", "B|b"},
	{"{\"type\": \"boolean\"}", "true|0|FALSE", "yes|2|tru"},
	{"{\"type\": \"object\", \"constraints\": {\"jsonSchema\": {\"required\": [\"x\"]}}}", "", "{}|{\"x\":1}|1"},
	{"{\"type\": \"boolean\", \"trueValues\": [\"oui\"], \"falseValues\": [\"non\"], \"constraints\": {\"enum\": "
	 "[true]}}",
	 "oui", "non|true"},
	{"{\"type\": \"integer\"}", "1|-1|1234567890123456|007|-12345678",
	 "+1| 1|1.0|-|--1|1é|12345678901234567|12345678a|a2345678"},
	{"{\"type\": \"integer\", \"constraints\": {\"minimum\": -12, \"maximum\": 900}}", "-12|900|0|-0",
	 "-13|901|1e2"},
	{"{\"type\": \"integer\", \"constraints\": {\"exclusiveMinimum\": 0, \"exclusiveMaximum\": 12345678901}}",
	 "1|12345678900", "0|12345678901|-1"},
	{"{\"type\": \"number\", \"constraints\": {\"maximum\": 1e300}}", "", "1|5"},
	{"{\"type\": \"number\"}", "1|1.5|-1.25|1.|1234567.12345678|12345678.1234567|0",
	 ".5|1e3|NaN|1.2.3|1,5|-.5|12345678901234567.1"},
	{"{\"type\": \"number\", \"decimalChar\": \",\"}", "1,5|1", "1.5|,5"},
	{"{\"type\": \"number\", \"constraints\": {\"minimum\": -1.5, \"maximum\": \"12.25\"}}", "0|0.1|10.9|11",
	 "-1.5|-1.6|-1|-0.5|11.9|12|12.26|13"},
	{"{\"type\": \"number\", \"constraints\": {\"exclusiveMinimum\": -3, \"exclusiveMaximum\": \"1e3\"}}",
	 "-2|-1.9|999|998.9", "-3|-2.9|1000|999.9"},
	{"{\"type\": \"year\"}", "2024|0000", "024|20245|-024|-2024|2o24"},
	{"{\"type\": \"year\", \"constraints\": {\"minimum\": \"1950\"}}", "1950|9999", "1949"},
	{"{\"type\": \"date\"}", "2024-01-28|2024-12-31|2023-04-30|0001-01-01|9999-12-31",
	 "2024-02-29|2023-02-29|2024-04-31|0000-01-01|2024-13-01|2024-00-10|2024-01-00|2024-1-01|2024/01/"
	 "01|2024-01-32"},
	{"{\"type\": \"date\", \"constraints\": {\"minimum\": \"1900-01-01\", \"maximum\": \"2030-06-15\"}}",
	 "1901-01-01|2029-12-31", "1899-12-31|1900-01-01|2030-06-15|2030-06-16"},
	{"{\"type\": \"date\", \"format\": \"%d/%m/%Y\"}", "28/12/2024", "1/2/2024|31/11/2024|12/28/2024"},
	{"{\"type\": \"date\", \"format\": \"%d %b %Y\"}", "", "01 jan 2024"},
	{"{\"type\": \"datetime\"}", "2024-01-01T23:59:59|2024-01-01T10:00:00Z",
	 "2024-01-01 10:00:00|2024-01-01T24:00:00|2024-01-01T10:00:00.5+01:00|2024-01-01T10:60:00"},
	{"{\"type\": \"datetime\", \"constraints\": {\"exclusiveMaximum\": \"2000-01-01T00:00:00Z\"}}",
	 "1999-12-31T23:59:59", "2000-01-01T00:00:00"},
	{"{\"type\": \"datetime\", \"format\": \"%Y-%m-%dT%H:%M:%S\"}", "2022-11-05T22:38:04",
	 "2022-11-05T22:38:60|2022-11-05T22:38:4"},
	{"{\"type\": \"time\"}", "10:00:00|23:59:59", "24:00:00|10:00"},
	{"{\"type\": \"time\", \"constraints\": {\"minimum\": \"08:00:00\"}}", "", "09:00:00|07:00:00"},
	{"{\"type\": \"yearmonth\"}", "", "2024-01|2024-13"},
	{"{\"format\": \"email\"}", "", "a@b.fr|x"},
};

static void each(const char *list, void (*call)(void *ctx, const char *text, size_t size), void *ctx)
{
	for (const char *at = list; *at != '\0';) {
		size_t size = strcspn(at, "|");

		call(ctx, at, size);
		at += size + (at[size] == '|');
	}
}

struct asked {
	const struct field *field;
	const struct column_check *check;
	enum answer wanted;
	uint64_t random;
	unsigned n_good;
};

static void ask_one(void *ctx, const char *text, size_t size)
{
	struct asked *asked = ctx;
	enum answer found = ask(asked->check, text, size);

	if (found != asked->wanted)
		fprintf(stderr, "%.*s: %d\n", (int)size, text, found);
	assert_int_equal(found, asked->wanted);
}

static void insist_right(struct asked *asked, const char *text, size_t size)
{
	struct value_scratch scratch;
	enum answer found = ask(asked->check, text, size);
	bool is_missing = field_is_missing(asked->field, text, size);

	if (found == GOOD && (is_missing || field_check(asked->field, text, size, &scratch, NULL) != 0))
		fprintf(stderr, "%s: %.*s\n", json_dumps(asked->field->json, 0), (int)size, text);
	assert_int_equal(found == MISSING, is_missing);
	assert_true(found != GOOD || field_check(asked->field, text, size, &scratch, NULL) == 0);
	asked->n_good += found == GOOD;
}

static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* The cell with a byte or two of it changed, taken away or put in. */
static void ask_neighbours(void *ctx, const char *text, size_t size)
{
	static const char bytes[] = "0123456789-./:,TZ +eabAB\x7f\x01";
	struct asked *asked = ctx;
	char cell[80];

	for (int i = 0; i < 300; i++) {
		size_t n = size;

		memcpy(cell, text, size);
		for (uint64_t change = 0; change <= next(&asked->random) % 2; change++) {
			size_t at = next(&asked->random) % (n + 1);
			char byte = bytes[next(&asked->random) % (sizeof(bytes) - 1)];

			switch (next(&asked->random) % 4) {
			case 0:
				memmove(cell + at + 1, cell + at, n - at);
				cell[at] = byte;
				n++;
				break;
			case 1:
				if (at < n)
					memmove(cell + at, cell + at + 1, n-- - at - 1);
				break;
			default:
				if (at < n)
					cell[at] = byte;
			}
		}
		if (text_is_utf8(cell, n, NULL))
			insist_right(asked, cell, n);
	}
}

static void test_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
		_cleanup_(field_freep) struct field *field = new_field(CASES[i].field, NULL);
		_cleanup_(column_check_freep) struct column_check *check = column_check_new(field);
		struct asked asked = {field, check, GOOD, i, 0};

		each(CASES[i].good, ask_one, &asked);
		asked.wanted = DOUBTFUL;
		each(CASES[i].doubtful, ask_one, &asked);
		each(CASES[i].good, ask_neighbours, &asked);
		each(CASES[i].doubtful, ask_neighbours, &asked);
		assert_int_equal(CASES[i].good[0] != '\0', asked.n_good > 0);
		assert_int_equal(ask(check, "", 0), MISSING);
	}
}

static void test_missing(void **state)
{
	_cleanup_(json_decrefp) json_t *missing = json_pack("[s, s, s, s]", "-", "[ND]", "12345678", "n/a, or none");
	_cleanup_(field_freep) struct field *field = NULL;
	_cleanup_(column_check_freep) struct column_check *check = NULL, *any = column_check_new(NULL);

	(void)state;
	/* One is too long for a word: all are then looked up in the list. */
	for (int i = 0; i < 2; i++) {
		if (i == 1)
			json_array_remove(missing, 3);
		field_free(field);
		column_check_free(check);
		field = new_field("{\"type\": \"integer\"}", missing);
		check = column_check_new(field);
		assert_int_equal(ask(check, "-", 1), MISSING);
		assert_int_equal(ask(check, "[ND]", 4), MISSING);
		assert_int_equal(ask(check, "12345678", 8), MISSING);
		assert_int_equal(ask(check, "n/a, or none", 12), i == 0 ? MISSING : DOUBTFUL);
		assert_int_equal(ask(check, "", 0), DOUBTFUL);
		assert_int_equal(ask(check, "1234", 4), GOOD);
		assert_int_equal(ask(check, "[ND)", 4), DOUBTFUL);
	}
	assert_int_equal(ask(any, "", 0), MISSING);
	assert_int_equal(ask(any, "x", 1), GOOD);
}

/* More than a table of 64 holds, and the 64 that it does hold. */
static void test_many_words(void **state)
{
	(void)state;
	for (unsigned n = 63; n <= 66; n++) {
		json_t *json = json_pack("{s:s, s:{s:[]}}", "name", "f", "constraints", "enum");
		json_t *values = json_object_get(json_object_get(json, "constraints"), "enum");
		_cleanup_(field_freep) struct field *field = NULL;
		_cleanup_(column_check_freep) struct column_check *check = NULL;
		char text[16];

		for (unsigned i = 0; i < n; i++)
			json_array_append_new(values, json_sprintf("%u", i * i));
		assert_int_equal(field_parse_descriptor(json, NULL, NULL, &field, NULL), FAULT_NONE);
		json_decref(json);
		check = column_check_new(field);
		for (unsigned i = 0; i < n * n; i++) {
			bool is_square = false;

			for (unsigned k = 0; k < n; k++)
				is_square = is_square || k * k == i;
			snprintf(text, sizeof(text), "%u", i);
			assert_int_equal(ask(check, text, strlen(text)), is_square ? GOOD : DOUBTFUL);
		}
	}
}

/* A whole batch at once, with a stride. */
static void test_batch(void **state)
{
	_cleanup_(field_freep) struct field *field = new_field("{\"type\": \"integer\"}", NULL);
	_cleanup_(column_check_freep) struct column_check *check = column_check_new(field);
	struct cell cells[3 * ROW_BATCH];
	char text[3 * CELL_SLACK] = "12x";
	uint64_t missing, doubtful, wanted_missing = 0, wanted_doubtful = 0;

	(void)state;
	for (unsigned i = 0; i < ROW_BATCH; i++) {
		cells[3 * i] = (struct cell){text, 0};
		cells[3 * i + 1] = (struct cell){text, i % 7 == 0 ? 3 : i % 5 == 0 ? 0 : 2};
		cells[3 * i + 2] = (struct cell){text, 3};
		wanted_doubtful |= (uint64_t)(i % 7 == 0) << i;
		wanted_missing |= (uint64_t)(i % 7 != 0 && i % 5 == 0) << i;
	}
	doubtful = column_check_cells(check, cells + 1, 3, ROW_BATCH, &missing);
	assert_int_equal(doubtful, wanted_doubtful);
	assert_int_equal(missing, wanted_missing);
	doubtful = column_check_cells(check, cells + 1, 3, 3, &missing);
	assert_int_equal(doubtful, 1);
	assert_int_equal(missing, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_many_words),
		cmocka_unit_test(test_batch),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
