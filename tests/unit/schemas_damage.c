/* SPDX-License-Identifier: ISC
 *
 * damage: no damaged row passes. A sound table is damaged at every place, one place at a time: a delimiter put in or taken out, a
 * stray quote, a row of a lone delimiter. The first fault names the row where it happened, by one thread and by three.
 */
#include "schemas/parallel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"

/* Any text is good in it: what is found is found by the form alone. */
#define SCHEMA "{\"fields\": [{\"name\": \"code\"}, {\"name\": \"label\"}, {\"name\": \"town\"}, {\"name\": \"note\"}]}"
#define HEADER "code,label,town,note"

static const char *const ROWS[] = {
	"1,plain,Paris,x", "\"2\",\"quoted, once\",Lyon,", ",,,x",   "4,\"said \"\"yes\"\"\",\"\",\"a\nb\"",
	"5,,Aix,",         "\"\",\"\"\"\",\"\r\n\",6",     "7,é,€,",
};

struct text {
	char *bytes;
	size_t size;
};

static struct text make_table(const char *const *rows, size_t n_kinds, const char *end, size_t n_rows)
{
	struct text text = {xmalloc(64 + n_rows * 64), 0};

	text.size = (size_t)sprintf(text.bytes, "%s%s", HEADER, end);
	for (size_t i = 0; i < n_rows; i++)
		text.size += (size_t)sprintf(text.bytes + text.size, "%s%s", rows[i % n_kinds], end);
	return text;
}

static const char *const PLAIN_ROWS[] = {"1,plain,Paris,x", "2,,,", ",,,x", "4,a b,Aix,y"};

/* The row of the first fault, 0 if there is none. */
static unsigned first_fault(const struct schema *schema, unsigned n_threads, const char *bytes, size_t size)
{
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	struct validation_table *table = validation_table(validation, "t", schema);
	_cleanup_(parallel_reader_freep) struct parallel_reader *reader = parallel_reader_new(&dialect_plain, table,
											      n_threads, 100);
	const struct table_fault *fault;
	struct refusal why = {FAULT_NONE, ""};
	unsigned row = 0;

	if (parallel_reader_feed(reader, bytes, size, &why) != FAULT_NONE ||
	    parallel_reader_finish(reader, &why) != FAULT_NONE)
		validation_table_broken(table, &why);
	validation_table_end(table);
	fault = validation_fault(table, 0);
	if (fault == NULL)
		return 0;
	if (fault->row > 0)
		return (unsigned)fault->row;
	/* The reader's: the row stands in the line. */
	assert_int_equal(sscanf(fault->note, "row %u ", &row), 1);
	return row;
}

/* Where a byte put at PLACE stands: the row, and whether within quotes. */
static unsigned place_row(const char *bytes, size_t place, bool *ret_in_quotes)
{
	bool in_quotes = false;
	unsigned row = 1;

	for (size_t i = 0; i < place; i++) {
		if (bytes[i] == '"')
			in_quotes = !in_quotes;
		else if (!in_quotes && (bytes[i] == '\r' || (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r'))))
			row++;
	}
	*ret_in_quotes = in_quotes;
	return row;
}

static void expect(const struct schema *schema, const struct text *damaged, const char *what, size_t place,
		   unsigned row, unsigned slack)
{
	for (unsigned n_threads = 1; n_threads <= 3; n_threads += 2) {
		unsigned found = first_fault(schema, n_threads, damaged->bytes, damaged->size);

		if (found < row || found > row + slack)
			fail_msg("%s at byte %zu, row %u: found in row %u by %u threads", what, place, row, found,
				 n_threads);
	}
}

static void insert(const struct schema *schema, const struct text *text, const char *what, size_t place, unsigned row,
		   unsigned slack)
{
	struct text damaged = {xmalloc(text->size + 8), text->size + strlen(what)};

	memcpy(damaged.bytes, text->bytes, place);
	memcpy(damaged.bytes + place, what, strlen(what));
	memcpy(damaged.bytes + place + strlen(what), text->bytes + place, text->size - place);
	expect(schema, &damaged, what, place, row, slack);
	free(damaged.bytes);
}

static void take_out(const struct schema *schema, const struct text *text, size_t place, unsigned row)
{
	struct text damaged = {xmalloc(text->size), text->size - 1};

	memcpy(damaged.bytes, text->bytes, place);
	memcpy(damaged.bytes + place, text->bytes + place + 1, text->size - place - 1);
	expect(schema, &damaged, "a delimiter taken out", place, row, 0);
	free(damaged.bytes);
}

static void damage(const struct schema *schema, const struct text *text, size_t place, const char *end, bool has_quotes)
{
	char lone[4] = ",";
	bool in_quotes;
	unsigned row = place_row(text->bytes, place, &in_quotes);

	/* A quote in the last cell of a row may make another whole row of it, whose end is the place of another quote: what follows
	 * it cannot be one. Where the table has no other quote that cannot be. */
	insert(schema, text, "\"", place, row, has_quotes);
	if (in_quotes)
		return;
	insert(schema, text, ",", place, row, 0);
	if (place < text->size && text->bytes[place] == ',')
		take_out(schema, text, place, row);
	if (place > 0 && text->bytes[place - 1] == '\n')
		insert(schema, text, strcat(lone, end), place, row, 0);
}

static struct schema *parse_schema(void)
{
	_cleanup_(json_decrefp) json_t *json = json_loads(SCHEMA, 0, NULL);
	struct schema *schema = NULL;

	assert_int_equal(schema_parse(json, &schema, NULL), FAULT_NONE);
	return schema;
}

static void damage_everywhere(const char *const *rows, size_t n_kinds, bool has_quotes)
{
	_cleanup_(schema_freep) struct schema *schema = parse_schema();
	const char *const ends[] = {"\n", "\r\n"};

	for (size_t e = 0; e < ARRAY_SIZE(ends); e++) {
		struct text text = make_table(rows, n_kinds, ends[e], n_kinds + 2);

		expect(schema, &text, "nothing", 0, 0, 0);
		for (size_t place = 0; place <= text.size; place++)
			damage(schema, &text, place, ends[e], has_quotes);
		free(text.bytes);
	}
}

static void test_everywhere(void **state)
{
	(void)state;
	damage_everywhere(ROWS, ARRAY_SIZE(ROWS), true);
	damage_everywhere(PLAIN_ROWS, ARRAY_SIZE(PLAIN_ROWS), false);
}

static void test_anywhere(void **state)
{
	_cleanup_(schema_freep) struct schema *schema = parse_schema();
	struct text text = make_table(ROWS, ARRAY_SIZE(ROWS), "\n", 5000);
	uint64_t seed = 7;

	(void)state;
	expect(schema, &text, "nothing", 0, 0, 0);
	for (unsigned i = 0; i < 40; i++) {
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		damage(schema, &text, (size_t)(seed >> 33) % text.size, "\n", true);
	}
	free(text.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everywhere),
		cmocka_unit_test(test_anywhere),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
