/* SPDX-License-Identifier: ISC
 *
 * parallel: a table read by several threads in small pieces gives the report that a row reader gives, word for word: sound files, files
 * with every kind of fault, files damaged at random places, and those whose rows depend on rows far before them.
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
#include "bundle/limits.h"
#include "tests/random.h"

#define SCHEMA                                                                                                         \
	"{\"primaryKey\": [\"code\", \"day\"], \"missingValues\": [\"\", \"-\"], \"uniqueKeys\": [[\"label\"]],"       \
	" \"foreignKeys\": [{\"fields\": \"parent\", \"reference\": {\"fields\": \"id\"}},"                            \
	"                   {\"fields\": \"town\", \"reference\": {\"resource\": \"towns\", \"fields\": \"town\"}}],"  \
	" \"fields\": [{\"name\": \"id\", \"type\": \"integer\", \"constraints\": {\"unique\": true, \"minimum\": "    \
	"1}},"                                                                                                         \
	" {\"name\": \"code\", \"constraints\": {\"required\": true, \"pattern\": \"[A-Z]\\\\d{1,3}\"}},"              \
	" {\"name\": \"day\", \"type\": \"date\"}, {\"name\": \"label\", \"constraints\": {\"maxLength\": 12}},"       \
	" {\"name\": \"parent\", \"type\": \"number\"}, {\"name\": \"town\"}]}"
#define TOWNS "town\nParis\nLyon\n\"Aix, les Bains\"\n"

struct text {
	char *bytes;
	size_t size, room;
};

static void __attribute__((format(printf, 2, 3))) add(struct text *text, const char *format, ...)
{
	va_list arguments;
	char line[256];
	size_t n;

	va_start(arguments, format);
	n = (size_t)vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (text->size + n > text->room) {
		text->room = (text->size + n) * 2;
		text->bytes = xrealloc(text->bytes, text->room, 1);
	}
	memcpy(text->bytes + text->size, line, n);
	text->size += n;
}

/* A sound table, with quotes, several lines in a cell, and references forwards and backwards. */
static void add_sound(struct text *text, const char *end, unsigned n_rows)
{
	static const char *const towns[] = {"Paris", "Lyon", "\"Aix, les Bains\"", "", "-"};

	add(text, "id,code,day,label,parent,town%s", end);
	for (unsigned i = 1; i <= n_rows; i++)
		add(text,
		    i % 7 == 0 ? "%u,%c%u,2024-%02u-11,\"l \"\"%s%u\",%u.0,%s%s" : "%u,%c%u,2024-%02u-11,%sl%u,%u,%s%s",
		    i, 'A' + (char)(i % 26), i % 999, i % 12 + 1, i % 5 == 0 ? "é" : "", i, n_rows + 1 - i,
		    towns[i % ARRAY_SIZE(towns)], end);
}

/* What was written in the plain form: its size, and a sum in which each byte counts. */
struct plain {
	uint64_t size, sum;
};

static enum fault add_plain(void *ctx, const void *data, size_t size, struct refusal *why)
{
	struct plain *plain = ctx;

	(void)why;
	plain->size += size;
	for (size_t i = 0; i < size; i++)
		plain->sum = (plain->sum ^ ((const uint8_t *)data)[i]) * 0x100000001b3ULL;
	return FAULT_NONE;
}

struct rows {
	struct validation_table *table;
	struct plain_writer *writer;
};

static enum fault take_row(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
			   struct refusal *why)
{
	struct rows *rows = ctx;

	validation_row(rows->table, cells, n_cells, position);
	return plain_writer_row(rows->writer, cells, n_cells, why);
}

static void read_alone(const struct dialect *dialect, struct validation_table *table, const char *bytes, size_t size,
		       struct plain *plain)
{
	_cleanup_(plain_writer_freep) struct plain_writer *writer = plain_writer_new(add_plain, plain);
	struct rows rows = {table, writer};
	_cleanup_(table_reader_freep) struct table_reader *reader = table_reader_new(dialect, take_row, &rows);
	struct refusal why = {FAULT_NONE, ""};

	if (table_reader_feed(reader, bytes, size, &why) != FAULT_NONE ||
	    table_reader_finish(reader, &why) != FAULT_NONE) {
		validation_table_broken(table, &why);
		*plain = (struct plain){0};
		return;
	}
	plain_writer_finish(writer, NULL);
}

struct manner {
	unsigned n_threads; /* 0: a row reader */
	size_t piece_size, feed_size;
};

static void read_table(const struct dialect *dialect, const struct manner *manner, struct validation_table *table,
		       const char *bytes, size_t size, struct plain *plain)
{
	_cleanup_(parallel_reader_freep) struct parallel_reader *reader = NULL;
	struct refusal why = {FAULT_NONE, ""};
	enum fault fault = FAULT_NONE;

	if (manner->n_threads == 0) {
		read_alone(dialect, table, bytes, size, plain);
		return;
	}
	reader = parallel_reader_new(dialect, table, manner->n_threads, manner->piece_size);
	parallel_reader_write_plain(reader, add_plain, plain);
	for (size_t i = 0; fault == FAULT_NONE && i < size; i += manner->feed_size)
		fault = parallel_reader_feed(reader, bytes + i,
					     size - i < manner->feed_size ? size - i : manner->feed_size, &why);
	if (fault == FAULT_NONE)
		parallel_reader_finish(reader, &why);
	if (why.fault == FAULT_NONE)
		return;
	validation_table_broken(table, &why);
	*plain = (struct plain){0};
}

/* The whole report as text. */
static char *report(const char *schema_text, const struct dialect *dialect, const struct manner *manner,
		    const char *bytes, size_t size)
{
	_cleanup_(json_decrefp) json_t *json = json_loads(schema_text, JSON_REJECT_DUPLICATES, NULL);
	_cleanup_(schema_freep) struct schema *schema = NULL;
	_cleanup_(rule_levels_clear) struct rule_levels levels = {.n_items = 0};
	_cleanup_(validation_freep) struct validation *validation = validation_new();
	_cleanup_(json_decrefp) json_t *told = NULL;
	struct plain plain = {0}, towns = {0};
	struct validation_table *table;

	assert_int_equal(schema_parse(json, &schema, NULL), FAULT_NONE);
	validation_declare(validation, "t", schema);
	table = validation_table(validation, "t", schema);
	rule_levels_add(&levels, "pattern", "code", LEVEL_WARNING, UINT64_MAX);
	rule_levels_add(&levels, "unique", NULL, LEVEL_WARNING, UINT64_MAX);
	validation_table_set_levels(table, &levels);
	if (!dialect->header)
		validation_header_absent(table);
	read_table(dialect, manner, table, bytes, size, &plain);
	validation_table_end(table);
	table = validation_table(validation, "towns", NULL);
	read_alone(&dialect_plain, table, TOWNS, strlen(TOWNS), &towns);
	validation_table_end(table);
	validation_end(validation);
	told = validation_json(validation);
	json_object_set_new(told, "keys", json_integer((json_int_t)validation_n_keys(validation)));
	json_object_set_new(told, "plain", json_pack("[I, I]", (json_int_t)plain.size, (json_int_t)plain.sum));
	return json_dumps(told, JSON_INDENT(1));
}

static const struct manner MANNERS[] = {
	{1, 64, 1000}, {2, 8, 1000}, {2, 200, 17}, {3, 64, 100000}, {7, 16, 333}, {7, 1000, 5000},
};

/* The same report in every manner. Returns it. */
static char *check(const char *schema, const struct dialect *dialect, const char *bytes, size_t size)
{
	const struct manner alone = {0, 0, 0};
	char *wanted = report(schema, dialect, &alone, bytes, size);

	for (size_t i = 0; i < ARRAY_SIZE(MANNERS); i++) {
		_cleanup_free_ char *found = report(schema, dialect, &MANNERS[i], bytes, size);

		if (strcmp(found, wanted) != 0) {
			fprintf(stderr, "%.*s\n--- alone\n%s\n--- manner %zu\n%s\n", (int)(size < 4000 ? size : 4000),
				bytes, wanted, i, found);
			free(wanted);
			fail();
		}
	}
	return wanted;
}

static void test_sound(void **state)
{
	const char *const ends[] = {"\n", "\r\n", "\r"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		_cleanup_free_ char *found = NULL;
		struct text text = {0};

		add_sound(&text, ends[i], 300);
		found = check(SCHEMA, &dialect_plain, text.bytes, text.size);
		assert_non_null(strstr(found, "\"valid\": true"));
		free(text.bytes);
	}
}

static void test_small(void **state)
{
	const char *const tables[] = {"",
				      "\n",
				      "id",
				      "id\n",
				      "id,code,day,label,parent,town",
				      "\xef\xbb\xbfid,code,day,label,parent,town\n1,A1,2024-01-01,x,1,Lyon\n",
				      "id,code,day,label,parent,town\r\n\r\n1,A1,2024-01-01,x,1,Lyon\r\n\r\n",
				      "id,code,day,label,parent,town\n1,A1,2024-01-01,x,1,Lyon\n"
				      "\xef\xbb\xbf"
				      "1,A1,2024-01-01,x,1,Lyon\n1,A1,2024-01-01,x,1,Lyon\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		free(check(SCHEMA, &dialect_plain, tables[i], strlen(tables[i])));
}

/* More of each kind than are kept, key and cell faults in turns. */
static void test_many_faults(void **state)
{
	_cleanup_free_ char *found = NULL;
	struct text text = {0};

	(void)state;
	add(&text, "id,code,day,label,parent,town\n");
	for (unsigned i = 1; i <= 1500; i++) {
		switch (i % 6) {
		case 0:
			add(&text, "%u,A1,2024-01-01,same,%u,Lyon\n", i % 97, i + 5000);
			break;
		case 1:
			add(&text, "%u,,soon,\"more than \"\"twelve\"\"\",x,Nice\n", i);
			break;
		case 2:
			add(&text, i % 4 == 0 ? "\n" : ",,-,,-,\n");
			break;
		case 3:
			add(&text, "%u,A%u\n", i, i);
			break;
		case 4:
			add(&text, "%u,Z%u,2024-01-01,l%u,,Lyon,more,\"and \"\"more\"\"\"\n", i, i % 999, i);
			break;
		default:
			add(&text, "%u,Z%u,2024-01-02,\"l\n\"\"%u\",1,Paris\n", i, i % 50, i % 60);
		}
	}
	found = check(SCHEMA, &dialect_plain, text.bytes, text.size);
	assert_non_null(strstr(found, "\"unique-error\""));
	assert_non_null(strstr(found, "\"primary-key\""));
	assert_non_null(strstr(found, "\"foreign-key\""));
	assert_non_null(strstr(found, "\"blank-row\""));
	assert_non_null(strstr(found, "\"missing-cell\""));
	assert_non_null(strstr(found, "\"extra-cell\""));
	free(text.bytes);
}

/* One byte put in, taken out or changed, or several, anywhere. */
static void test_damage(void **state)
{
	static const char bytes[] = "\",\n\r;x1 -\xc3\xff\0";
	uint64_t seed = 4;

	(void)state;
	for (unsigned round = 0; round < 400; round++) {
		struct text text = {0};

		add_sound(&text, round % 3 == 0 ? "\r\n" : "\n", 40);
		add(&text, "                "); /* room */
		text.size -= 16;
		for (size_t n = 1 + random_below(&seed, 3); n > 0; n--) {
			size_t at = random_below(&seed, text.size), kind = random_below(&seed, 3);
			char *place = text.bytes + at;

			if (kind == 0) {
				memmove(place + 1, place, text.size++ - at);
				*place = bytes[random_below(&seed, sizeof(bytes) - 1)];
			} else if (kind == 1) {
				memmove(place, place + 1, --text.size - at);
			} else {
				*place = bytes[random_below(&seed, sizeof(bytes) - 1)];
			}
		}
		free(check(SCHEMA, &dialect_plain, text.bytes, text.size));
		free(text.bytes);
	}
}

static void test_dialects(void **state)
{
	static const struct dialect dialects[] = {
		{.delimiter = ';', .quote = '\'', .header = true, .double_quote = true},
		{.delimiter = ',', .quote = '"', .header = true, .double_quote = true, .skip_initial_space = true},
		{.delimiter = ',', .quote = '"', .header = false, .double_quote = true},
		{.delimiter = ',', .quote = '1', .header = true, .double_quote = true},
		{.delimiter = ',', .quote = '"', .header = true, .comment = '1', .null_sequence = "1"},
		{.delimiter = ',',
		 .quote = '"',
		 .header = true,
		 .n_comment_rows = 2,
		 .comment_rows = {3, 40},
		 .n_header_rows = 2,
		 .header_rows = {1, 4},
		 .header_join = "/"},
	};
	struct text text = {0};

	(void)state;
	add_sound(&text, "\n", 60);
	for (size_t i = 0; i < ARRAY_SIZE(dialects); i++)
		free(check(SCHEMA, &dialects[i], text.bytes, text.size));
	free(text.bytes);
}

/* Each kind of column that is checked many rows at once, with good rows, and cells of every kind of fault among them. */
static void test_kinds(void **state)
{
	const char *schema =
		"{\"missingValues\": [\"\", \"[ND]\"], \"fields\": [{\"name\": \"code\", \"constraints\": "
		"{\"required\": "
		"true, \"pattern\": \"(\\\\d{5}|2[AB]\\\\d{3})\"}}, {\"name\": \"kind\", \"constraints\": {\"enum\": "
		"[\"A\", \"BB\"]}}, {\"name\": \"when\", \"type\": \"datetime\", \"format\": \"%Y-%m-%dT%H:%M\"}, "
		"{\"name\": "
		"\"x\", \"type\": \"number\", \"constraints\": {\"maximum\": 5000}}, {\"name\": \"is\", \"type\": "
		"\"boolean\"}, {\"name\": \"text\", \"constraints\": {\"minLength\": 2, \"maxLength\": 6}}]}";
	static const char *const odd[] = {
		"[ND]",       "",     "é",  "2A004",     "x",   "1e2", "true", "2024-02-29T10:00",
		"\"a\"\"b\"", "7000", "BB", "\"a,\nb\"", "1,2", "\"q"};
	uint64_t seed = 5;

	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		struct text text = {0};

		add(&text, "code,kind,when,x,is,text\n");
		for (unsigned i = 0; i < 300; i++) {
			const char *cells[] = {"01234", "A", "2024-01-12T10:30", "12.5", "false", "école"};

			if (random_below(&seed, 1 + round) == 0)
				cells[random_below(&seed, 6)] =
					odd[random_below(&seed, ARRAY_SIZE(odd) - (round % 9 != 0))];
			add(&text, "%s,%s,%s,%s,%s,%s%s", cells[0], cells[1], cells[2], cells[3], cells[4], cells[5],
			    round % 5 == 0 ? "\r\n" : "\n");
		}
		free(check(schema, &dialect_plain, text.bytes, text.size));
		free(text.bytes);
	}
}

/* Rows whose cells are all good are held to the custom checks too. */
static void test_custom_checks(void **state)
{
	const char *schema = "{\"custom_checks\": [{\"name\": \"french-siren-value\", \"params\": {\"column\": "
			     "\"siren\"}}], \"fields\": [{\"name\": \"siren\"}, {\"name\": \"n\"}]}";
	_cleanup_free_ char *found = NULL;
	struct text text = {0};

	(void)state;
	add(&text, "siren,n\n");
	for (unsigned i = 0; i < 300; i++)
		add(&text, "%s,%u\n", i % 100 == 7 ? "552100555" : "552100554", i);
	found = check(schema, &dialect_plain, text.bytes, text.size);
	assert_non_null(strstr(found, "\"errors\": 3"));
	free(text.bytes);
}

/* After so many cells that a pattern could not decide it is not tried again: rows depend on rows before. */
static void test_limit_hits(void **state)
{
	const char *schema = "{\"fields\": [{\"name\": \"a\", \"constraints\": {\"pattern\": \"(a+)+[bc]\"}}]}";
	const struct manner alone = {0, 0, 0}, together = {3, 16, 333};
	_cleanup_free_ char *wanted = NULL, *found = NULL;
	struct text text = {0};
	unsigned n = 0;

	(void)state;
	add(&text, "a\n");
	for (unsigned i = 0; i < LIMIT_FAULTS_KEPT + 40; i++)
		add(&text, "ab\nc\n%s\n", i < 20 || i % 3 > 0 ? "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad" : "ac");
	for (unsigned i = 0; i < 60; i++)
		add(&text, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad\nab\n");
	wanted = report(schema, &dialect_plain, &alone, text.bytes, text.size);
	found = report(schema, &dialect_plain, &together, text.bytes, text.size);
	assert_string_equal(found, wanted);
	/* The 160 cells that explode, and "ab" after a hundred of them, which would match. */
	assert_non_null(strstr(wanted, "\"pattern-limit\": "));
	sscanf(strstr(wanted, "\"pattern-limit\": "), "\"pattern-limit\": %u", &n);
	assert_in_range(n, 160 + 60, 160 + 60 + 60);
	free(text.bytes);
}

/* A quote that is never closed, and lines that never end: the bounds are met, and what was said of the rows before stays. */
static void test_endless(void **state)
{
	struct text text = {0};
	_cleanup_free_ char *open = NULL, *no_end = NULL;

	(void)state;
	add_sound(&text, "\n", 40);
	add(&text, "41,A1,2024-01-01,x,1,\"Lyon\n");
	while (text.size < LIMIT_CELL_SIZE + 100000)
		add(&text, "41,A1,2024-01-01,x,1,Lyon\n41,A1,2024-01-01,x,1,Lyon\n");
	open = check(SCHEMA, &dialect_plain, text.bytes, text.size);
	assert_non_null(strstr(open, "a cell of more than 1 MiB"));
	text.size = 0;
	add(&text, "id,code,day,label,parent,town\n1,A1,2024-01-01,x,1,Lyon\n");
	while (text.size < 2 * LIMIT_ROW_SIZE + 300000)
		add(&text, "2,A1,2024-01-01,x,1,Lyon,2,A1,2024-01-01,x,1,Lyon,2,A1,2024-01-01,x,1,Lyon");
	no_end = check(SCHEMA, &dialect_plain, text.bytes, text.size);
	assert_non_null(strstr(no_end, "more cells than any table has columns"));
	free(text.bytes);
}

/* Where the source of the bytes fails, rows that ended before are in the table and the one begun is not. */
static void test_settle(void **state)
{
	for (unsigned n_threads = 1; n_threads <= 3; n_threads++) {
		_cleanup_(validation_freep) struct validation *validation = validation_new();
		struct validation_table *table = validation_table(validation, "t", NULL);
		_cleanup_(parallel_reader_freep) struct parallel_reader *reader = parallel_reader_new(
			&dialect_plain, table, n_threads, 8);
		const char *rows = "a,b\n1,2\n3,4\n5,6\n7,8\n9,10\n11,12\n13,";

		(void)state;
		assert_int_equal(parallel_reader_feed(reader, rows, strlen(rows), NULL), FAULT_NONE);
		assert_int_equal(parallel_reader_settle(reader, NULL), FAULT_NONE);
		assert_int_equal(validation_n_rows(table), 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound),       cmocka_unit_test(test_small),
		cmocka_unit_test(test_many_faults), cmocka_unit_test(test_damage),
		cmocka_unit_test(test_dialects),    cmocka_unit_test(test_limit_hits),
		cmocka_unit_test(test_endless),     cmocka_unit_test(test_settle),
		cmocka_unit_test(test_kinds),       cmocka_unit_test(test_custom_checks),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
