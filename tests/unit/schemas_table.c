/* SPDX-License-Identifier: ISC
 *
 * table: rows, positions and refusals of the reader whatever the pieces it is fed in, and the plain form written back.
 */
#include "schemas/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/limits.h"

/* Rows as one text: "number@offset|cell|cell;". */
struct seen {
	char text[4096];
	size_t size;
};

static enum fault see_row(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
			  struct refusal *why)
{
	struct seen *seen = ctx;

	(void)why;
	seen->size += (size_t)snprintf(seen->text + seen->size, sizeof(seen->text) - seen->size, "%u@%u",
				       (unsigned)position->row, (unsigned)position->offset);
	for (size_t i = 0; i < n_cells; i++)
		seen->size += (size_t)snprintf(seen->text + seen->size, sizeof(seen->text) - seen->size, "|%.*s",
					       (int)cells[i].size, cells[i].text);
	seen->size += (size_t)snprintf(seen->text + seen->size, sizeof(seen->text) - seen->size, ";");
	return FAULT_NONE;
}

static enum fault read_in_pieces(const struct dialect *dialect, const char *text, size_t size, size_t piece,
				 struct seen *seen, struct refusal *why)
{
	_cleanup_(table_reader_freep) struct table_reader *reader = table_reader_new(dialect, see_row, seen);

	for (size_t i = 0; i < size; i += piece) {
		enum fault fault = table_reader_feed(reader, text + i, size - i < piece ? size - i : piece, why);

		if (fault != FAULT_NONE)
			return fault;
	}
	return table_reader_finish(reader, why);
}

/* The same rows and the same verdict for every size of piece. */
static void check(const struct dialect *dialect, const char *text, enum fault wanted, const char *rows)
{
	for (size_t piece = 1; piece <= strlen(text) + 1; piece++) {
		struct seen seen = {.size = 0};
		struct refusal why = {0};

		assert_int_equal(read_in_pieces(dialect, text, strlen(text), piece, &seen, &why), wanted);
		assert_string_equal(seen.text, rows);
		assert_int_equal(why.fault, wanted);
	}
}

static void test_rows(void **state)
{
	const struct dialect dialect = dialect_plain;

	(void)state;
	check(&dialect, "", FAULT_NONE, "");
	check(&dialect, "a,b\n1,2\n", FAULT_NONE, "1@0|a|b;2@4|1|2;");
	check(&dialect, "a,b\n1,2", FAULT_NONE, "1@0|a|b;2@4|1|2;");
	check(&dialect, "a,b\r\n1,2\r\n", FAULT_NONE, "1@0|a|b;2@5|1|2;");
	check(&dialect, "a\r1\r", FAULT_NONE, "1@0|a;2@2|1;");
	check(&dialect, " a , b \n", FAULT_NONE, "1@0| a | b ;");
	check(&dialect, "a,\"x\"\"y\n,z\"\nb,\n", FAULT_NONE, "1@0|a|x\"y\n,z;2@12|b|;");
	check(&dialect, "a\n\"\"\n", FAULT_NONE, "1@0|a;2@2|;");
}

static struct dialect unusual(const char *json)
{
	_cleanup_(json_decrefp) json_t *descriptor = json_loads(json, 0, NULL);
	_cleanup_(warnings_clear) struct warnings warnings = {0};
	struct dialect dialect;
	struct refusal why;

	if (dialect_parse(descriptor, NULL, &dialect, &warnings, &why) != FAULT_NONE)
		fail_msg("%s: %s", json, why.line);
	return dialect;
}

/* Rows are dropped; those that stay keep their numbers and offsets. */
static void test_comments(void **state)
{
	const struct dialect by_char = unusual("{\"commentChar\": \"#\"}");
	const struct dialect by_row = unusual("{\"commentRows\": [1, 3]}");
	const struct dialect no_header = unusual("{\"commentChar\": \"#\", \"header\": false}");

	(void)state;
	check(&by_char, "# of \"us\", it's\na,b\n#\n1,#2\n", FAULT_NONE, "2@16|a|b;4@22|1|#2;");
	check(&by_char, "#x\r\n\r\na\r\n#y\r\n", FAULT_NONE, "2@4;3@6|a;");
	check(&by_char, "#x\ra\r#y\r\rb\n#", FAULT_NONE, "2@3|a;4@8;5@9|b;");
	check(&by_char, "\xef\xbb\xbf#x\na\n", FAULT_NONE, "2@6|a;");
	check(&by_char, "a,b\n\"#1\",2\n3,\"\n#4\n\"\n#\xff\n5,6", FAULT_NONE, "1@0|a|b;3@11|3|\n#4\n;5@23|5|6;");
	check(&by_char, "#only\n#comments", FAULT_NONE, "");
	check(&by_char, "a\n#x\n1\"\n", FAULT_TABLE_QUOTE, "1@0|a;");
	check(&by_row, "title,\"of\nit\"\na,b\nunits,\n1,2\n", FAULT_NONE, "2@14|a|b;4@25|1|2;");
	check(&by_row, "it \"is\" no CSV\na\n", FAULT_TABLE_QUOTE, "");
	check(&no_header, "#x\n1\n#y\n2\n", FAULT_NONE, "2@3|1;4@8|2;");
}

static void test_header_rows(void **state)
{
	const struct dialect two = unusual("{\"headerRows\": [1, 2]}");
	const struct dialect apart = unusual("{\"headerRows\": [2, 4], \"headerJoin\": \"-\", \"commentChar\": \"#\"}");

	(void)state;
	check(&two, "fruit,fruit,code\nid,name,code,x\n1,2,3,4\n", FAULT_NONE,
	      "1@0|fruit id|fruit name|code|x;3@32|1|2|3|4;");
	check(&two, "a,\n,b\n1,2\n", FAULT_NONE, "1@0|a | b;3@6|1|2;");
	check(&two, "a\n", FAULT_NONE, "1@0|a;");
	check(&two, "", FAULT_NONE, "");
	check(&apart, "title\na,b\nunits\nc,d\n1,2\n", FAULT_NONE, "2@6|a-c|b-d;5@20|1|2;");
	check(&apart, "title\na,b\nunits\n#c,d\n1,2\n", FAULT_NONE, "2@6|a|b;5@21|1|2;");
	check(&apart, "title\n#a,b\n\n#c,d\n1,2\n3,4\n", FAULT_NONE, "5@17|1|2;6@21|3|4;");
}

static void test_null_sequence(void **state)
{
	const struct dialect dialect = unusual("{\"nullSequence\": \"\\\\N\"}");

	(void)state;
	check(&dialect, "\\N,b\n\\N,\"\\N\"\n\\NN,\\n\n", FAULT_NONE, "1@0|\\N|b;2@5||;3@13|\\NN|\\n;");
}

/* Joined labels have bounds. */
static void test_long_headers(void **state)
{
	const struct dialect two = unusual("{\"headerRows\": [1, 2]}");
	_cleanup_free_ char *text = xmalloc(2 * LIMIT_JOINED_LABEL + 8);
	struct seen seen = {.size = 0};
	struct refusal why = {0};

	(void)state;
	memset(text, 'a', 2 * LIMIT_JOINED_LABEL);
	text[LIMIT_JOINED_LABEL - 4] = '\n';
	text[LIMIT_JOINED_LABEL + 1] = '\n';
	assert_int_equal(read_in_pieces(&two, text, LIMIT_JOINED_LABEL + 2, 4096, &seen, &why), FAULT_TABLE_CELL_SIZE);
	assert_non_null(strstr(why.line, "row 2 (byte 65533): a header of several rows is too long"));
}

/* A blank line is a row without cells, whatever ends it; CR LF is one end. */
static void test_blank_lines(void **state)
{
	const struct dialect dialect = dialect_plain;

	(void)state;
	check(&dialect, "a\n\nb\n", FAULT_NONE, "1@0|a;2@2;3@3|b;");
	check(&dialect, "a\r\n\r\nb\r\n", FAULT_NONE, "1@0|a;2@3;3@5|b;");
	check(&dialect, "a\r\rb", FAULT_NONE, "1@0|a;2@2;3@3|b;");
	check(&dialect, "\na\n", FAULT_NONE, "1@0;2@1|a;");
	check(&dialect, "a\n\n", FAULT_NONE, "1@0|a;2@2;");
}

static void test_mark(void **state)
{
	const struct dialect dialect = dialect_plain;

	(void)state;
	check(&dialect,
	      "\xef\xbb\xbf"
	      "a\n1\n",
	      FAULT_NONE, "1@3|a;2@5|1;");
	check(&dialect, "\xef\xbb", FAULT_TABLE_CHARSET, "");
	check(&dialect,
	      "a\n\xef\xbb\xbf"
	      "1\n",
	      FAULT_NONE,
	      "1@0|a;2@2|\xef\xbb\xbf"
	      "1;");
	check(&dialect_plain,
	      "\xef\xbb\xbf"
	      "a\n",
	      FAULT_TABLE_CHARSET, "");
}

static void test_refused(void **state)
{
	const struct dialect dialect = dialect_plain;

	(void)state;
	check(&dialect, "a\nx\"y\nb\n", FAULT_TABLE_QUOTE, "1@0|a;");
	check(&dialect, "a\n\"x\"y\n", FAULT_TABLE_QUOTE, "1@0|a;");
	check(&dialect, "a\n\"x\n", FAULT_TABLE_QUOTE, "1@0|a;");
	check(&dialect, "a\n\xe9t\xe9\n", FAULT_TABLE_CHARSET, "1@0|a;");
	/* Two cells whose bytes would be one character if they touched. */
	check(&dialect, "a,b\n\xc3,\xa9\n", FAULT_TABLE_CHARSET, "1@0|a|b;");
	check(&dialect, "a\n\xed\xa0\x80\n", FAULT_TABLE_CHARSET, "1@0|a;");
}

static void test_place(void **state)
{
	const struct dialect dialect = dialect_plain;
	struct seen seen = {.size = 0};
	struct refusal why = {0};

	(void)state;
	assert_int_equal(read_in_pieces(&dialect, "a,b\n1,2\n3,\"x\"y\n", 16, 16, &seen, &why), FAULT_TABLE_QUOTE);
	assert_non_null(strstr(why.line, "row 3 (byte 8)"));
	seen.size = 0;
	assert_int_equal(read_in_pieces(&dialect, "a,b\n1,\xff\n", 8, 8, &seen, &why), FAULT_TABLE_CHARSET);
	assert_non_null(strstr(why.line, "row 2 (byte 4), field 2"));
}

static void test_dialects(void **state)
{
	struct dialect dialect = {.delimiter = ';', .quote = '\'', .header = true, .double_quote = true};

	(void)state;
	check(&dialect, "a;'b;''c'\n\"x\";1,5\n", FAULT_NONE, "1@0|a|b;'c;2@10|\"x\"|1,5;");
	dialect = dialect_plain;
	dialect.skip_initial_space = true;
	check(&dialect, "a,  \"b, c\" \n", FAULT_TABLE_QUOTE, "");
	check(&dialect, "a,  \"b, c\", d e \n  1, 2\n", FAULT_NONE, "1@0|a|b, c|d e ;2@17|1|2;");
}

static enum fault ignore_row(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
			     struct refusal *why)
{
	(void)ctx;
	(void)cells;
	(void)n_cells;
	(void)position;
	(void)why;
	return FAULT_NONE;
}

/* Feeds BYTES up to TOTAL between a head and nothing: what never ends must end at its bound, in bounded memory. */
static enum fault feed_much(const char *head, const char *bytes, uint64_t total, struct refusal *why)
{
	const struct dialect dialect = dialect_plain;
	_cleanup_(table_reader_freep) struct table_reader *reader = table_reader_new(&dialect, ignore_row, NULL);
	enum fault fault = table_reader_feed(reader, head, strlen(head), why);

	for (uint64_t done = 0; fault == FAULT_NONE && done < total; done += strlen(bytes))
		fault = table_reader_feed(reader, bytes, strlen(bytes), why);
	return fault;
}

static void test_bounds(void **state)
{
	struct refusal why = {0};
	_cleanup_free_ char *cells = xmalloc(LIMIT_FIELDS + 1);

	(void)state;
	assert_int_equal(feed_much("a\n\"", "xxxxxxxxxxxxxxxx", 2 * LIMIT_CELL_SIZE, &why), FAULT_TABLE_CELL_SIZE);
	assert_non_null(strstr(why.line, "row 2"));
	/* Many cells that are each within bounds. */
	assert_int_equal(feed_much("a\n", ",\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"",
				   2 * LIMIT_ROW_SIZE, &why),
			 FAULT_TABLE_CELL_SIZE);
	memset(cells, ',', LIMIT_FIELDS);
	cells[LIMIT_FIELDS - 1] = '\0';
	assert_int_equal(feed_much(cells, "\n", 1, &why), FAULT_NONE);
	cells[LIMIT_FIELDS - 1] = ',';
	cells[LIMIT_FIELDS] = '\0';
	assert_int_equal(feed_much(cells, "\n", 1, &why), FAULT_TABLE_CELL_SIZE);
}

/* --- the plain form
 * --------------------------------------------------------------------------------------------------- */

struct sink {
	char *bytes;
	size_t size;
};

static enum fault take(void *ctx, const void *data, size_t size, struct refusal *why)
{
	struct sink *sink = ctx;

	(void)why;
	sink->bytes = xrealloc(sink->bytes, sink->size + size + 1, 1);
	memcpy(sink->bytes + sink->size, data, size);
	sink->size += size;
	sink->bytes[sink->size] = '\0';
	return FAULT_NONE;
}

static enum fault copy_row(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
			   struct refusal *why)
{
	(void)position;
	return plain_writer_row(ctx, cells, n_cells, why);
}

static void to_plain(const struct dialect *dialect, const char *text, struct sink *sink)
{
	_cleanup_(plain_writer_freep) struct plain_writer *writer = plain_writer_new(take, sink);
	_cleanup_(table_reader_freep) struct table_reader *reader = table_reader_new(dialect, copy_row, writer);

	assert_int_equal(table_reader_feed(reader, text, strlen(text), NULL), FAULT_NONE);
	assert_int_equal(table_reader_finish(reader, NULL), FAULT_NONE);
	assert_int_equal(plain_writer_finish(writer, NULL), FAULT_NONE);
}

static void test_plain(void **state)
{
	const struct dialect dialect = {.delimiter = ';', .quote = '"', .header = true, .double_quote = true};
	_cleanup_free_ char *bytes = NULL;
	struct sink once = {0}, twice = {0};

	(void)state;
	to_plain(&dialect, "a;b\r\n\"x\";1,5\r\n\"\"\"y\n\";\r\n\"\"\r\n", &once);
	assert_string_equal(once.bytes, "a,b\nx,\"1,5\"\n\"\"\"y\n\",\n\"\"\n");
	/* The plain form of the plain form is itself. */
	to_plain(&dialect_plain, once.bytes, &twice);
	assert_string_equal(twice.bytes, once.bytes);
	free(once.bytes);
	bytes = twice.bytes;
}

static void test_plain_large(void **state)
{
	_cleanup_free_ char *cell = xmalloc(LIMIT_CELL_SIZE);
	struct sink sink = {0};
	_cleanup_(plain_writer_freep) struct plain_writer *writer = plain_writer_new(take, &sink);
	struct cell row[1] = {{cell, LIMIT_CELL_SIZE}};

	(void)state;
	memset(cell, '"', LIMIT_CELL_SIZE);
	assert_int_equal(plain_writer_row(writer, row, 1, NULL), FAULT_NONE);
	assert_int_equal(plain_writer_finish(writer, NULL), FAULT_NONE);
	assert_int_equal(sink.size, 2 * LIMIT_CELL_SIZE + 3);
	free(sink.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comments),      cmocka_unit_test(test_header_rows),
		cmocka_unit_test(test_null_sequence), cmocka_unit_test(test_long_headers),
		cmocka_unit_test(test_rows),          cmocka_unit_test(test_blank_lines),
		cmocka_unit_test(test_mark),          cmocka_unit_test(test_refused),
		cmocka_unit_test(test_place),         cmocka_unit_test(test_dialects),
		cmocka_unit_test(test_bounds),        cmocka_unit_test(test_plain),
		cmocka_unit_test(test_plain_large),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
