/* SPDX-License-Identifier: ISC
 *
 * rowsplit: which rows it takes and their cells, and that a reader which splits says of tricky files just what libcsv alone says,
 * wherever they are cut in two.
 */
#include "schemas/rowsplit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/limits.h"

#define MAX_CELLS 12

/* The cells with bars between them, or "no". */
static void check(const char *line, const char *wanted)
{
	struct cell cells[MAX_CELLS];
	char text[256] = "no";
	size_t n_cells, n = 0;

	if (row_split(line, strlen(line), ',', '"', cells, MAX_CELLS, &n_cells)) {
		text[0] = '\0';
		for (size_t i = 0; i < n_cells; i++)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.*s", i > 0 ? "|" : "",
					      (int)cells[i].size, cells[i].text);
	}
	assert_string_equal(text, wanted);
}

static void test_plain(void **state)
{
	(void)state;
	check("a", "a");
	check("a,b", "a|b");
	check(",", "|");
	check("a,", "a|");
	check("1234567,1", "1234567|1");
	check("12345678,1", "12345678|1");
	check("123456789,1", "123456789|1");
	check("1,,,,,,,,2", "1||||||||2");
	check(" a , b ", " a | b ");
	/* Bytes that differ from a comma by one bit, or borrow from its neighbour. */
	check("-,+,\x2d\x2c\x2b\x01,\xac,l", "-|+|-|+\x01|\xac|l");
	check(",,,,,,,,,,,", "|||||||||||");
	check(",,,,,,,,,,,,", "no");
}

static void test_quoted(void **state)
{
	(void)state;
	check("\"a\"", "a");
	check("\"\"", "");
	check("\"a,b\",c", "a,b|c");
	check("c,\"a,b\"", "c|a,b");
	check("\"\",\"\"", "|");
	check("\"a\",", "a|");
	check(",\"a\"", "|a");
	check("\"a\"\"b\"", "no");
	check("\"a", "no");
	check("\"", "no");
	check("a\"", "no");
	check("a,b\"c", "no");
	check("\"a\"b", "no");
	check("\"a\" ,b", "no");
	check(" \"a\"", "no");
	check("\"\",,,,,,,,,,,", "|||||||||||");
	check("\"\",,,,,,,,,,,,", "no");
}

/* --- a reader with it and without it
 * ---------------------------------------------------------------------------------- */

struct told {
	char text[4096];
	size_t size;
};

static enum fault tell_row(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
			   struct refusal *why)
{
	struct told *told = ctx;

	(void)why;
	told->size += (size_t)snprintf(told->text + told->size, sizeof(told->text) - told->size, "%u@%u",
				       (unsigned)position->row, (unsigned)position->offset);
	for (size_t i = 0; i < n_cells; i++) {
		told->text[told->size++] = '|';
		memcpy(told->text + told->size, cells[i].text, cells[i].size);
		told->size += cells[i].size;
	}
	told->text[told->size++] = ';';
	return FAULT_NONE;
}

static void read_in_two(const struct dialect *dialect, bool may_split, const char *text, size_t size, size_t first,
			struct told *told)
{
	_cleanup_(table_reader_freep) struct table_reader *reader = table_reader_new(dialect, tell_row, told);
	struct refusal why = {FAULT_NONE, ""};

	if (!may_split)
		table_reader_forgo_split(reader);
	if (table_reader_feed(reader, text, first, &why) == FAULT_NONE &&
	    table_reader_feed(reader, text + first, size - first, &why) == FAULT_NONE)
		table_reader_finish(reader, &why);
	told->size += (size_t)snprintf(told->text + told->size, sizeof(told->text) - told->size, " %d %s",
				       (int)why.fault, why.line);
}

static void test_agrees(void **state)
{
	static const char *const tricky[] = {
		"a,b\n1,2\n",
		"a,b\r\n1,2\r\n\r\n3,4\r\n",
		"a,b\r1,2\r\r3,4\r\n5,6\n\r\n\r7,8",
		"a,b\n\n\n1,2\n\n",
		"\n\r\na\n",
		"a,b\n1,2",
		"\"a\",\"b\"\n\"x, y\",\"z\"\n\"\",\n",
		"a,b\n\"x\"\"y\",1\n\"\"\"\",2\n\"\n\",3\n4,5\n",
		"a,b\n1,\"x\r\ny\n\rz\"\r\n2,3\r\n",
		"a,b\n1,2\nx\"y,1\n3,4\n",
		"a,b\n1,2\n\"x\"y,1\n3,4\n",
		"a,b\n1,2\n\"x\" ,1\n3,4\n",
		"a,b\n1,\"2\n3,4\n",
		"a,b\n1,\"2\n3,\"4\n5,\"6\n",
		"a,b\n1,2\n\"",
		"\xef\xbb\xbf"
		"a,b\n1,2\n",
		"\xc3\xa9,b\n\xe2\x82\xac,\xf0\x9f\x98\x80\n\"\xc3\xa9\",2\n",
		"a,b\n1,2\n\xe9,2\n3,4\n",
		"a,b\n\xc3,\xa9\n",
		"a;b\n'x;y';z\n' ';\n  \n",
		"a, b\n  1,  \"c, d\"\n ,\n   \n",
	};
	static const struct dialect dialects[] = {
		{.delimiter = ',', .quote = '"', .header = true, .double_quote = true},
		{.delimiter = ';', .quote = '\'', .header = true, .double_quote = true},
		{.delimiter = ',', .quote = '"', .header = true, .double_quote = true, .skip_initial_space = true},
	};

	(void)state;
	for (size_t t = 0; t < ARRAY_SIZE(tricky) * ARRAY_SIZE(dialects); t++) {
		const char *text = tricky[t / ARRAY_SIZE(dialects)];
		const struct dialect *dialect = &dialects[t % ARRAY_SIZE(dialects)];

		for (size_t first = 0; first <= strlen(text); first++) {
			struct told with = {.size = 0}, without = {.size = 0};

			read_in_two(dialect, true, text, strlen(text), first, &with);
			read_in_two(dialect, false, text, strlen(text), first, &without);
			assert_string_equal(with.text, without.text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_quoted),
		cmocka_unit_test(test_agrees),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
