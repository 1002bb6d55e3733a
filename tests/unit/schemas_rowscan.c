/* SPDX-License-Identifier: ISC
 *
 * rowscan: which rows come in batches, with which cells, and before which it stops; at every place of a block of 64 bytes.
 */
#include "schemas/rowscan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"

/* The text in memory of its own, so that a sanitizer sees what is read behind the slack. */
static char *with_slack(const char *text, size_t size, char slack)
{
	char *copy = xmalloc(size + CELL_SLACK);

	memcpy(copy, text, size);
	memset(copy + size, slack, CELL_SLACK);
	return copy;
}

/* Rows as "a|b/c|d", "!" and what is left where it stopped before the end. */
static void check_with(const struct dialect *dialect, size_t n_columns, const char *text, const char *wanted)
{
	static const char slacks[] = {'\0', ',', '\n', '"'};

	for (size_t s = 0; s < ARRAY_SIZE(slacks); s++) {
		struct row_batch *batch = row_batch_new(n_columns);
		_cleanup_free_ char *copy = with_slack(text, strlen(text), slacks[s]);
		char found[700] = "";
		size_t n = 0;
		struct row_scan scan;

		row_scan_begin(&scan, dialect, copy, strlen(text));
		while (row_scan_next(&scan, batch))
			;
		for (size_t i = 0; i < batch->n_rows * n_columns; i++)
			n += (size_t)snprintf(found + n, sizeof(found) - n, "%.*s%c", (int)batch->cells[i].size,
					      batch->cells[i].text, i % n_columns == n_columns - 1 ? '/' : '|');
		if (scan.at < scan.size)
			snprintf(found + n, sizeof(found) - n, "!%.*s", (int)(scan.size - scan.at), copy + scan.at);
		assert_string_equal(found, wanted);
		row_batch_free(batch);
	}
}

static void check(size_t n_columns, const char *text, const char *wanted)
{
	check_with(&dialect_plain, n_columns, text, wanted);
}

static void test_rows(void **state)
{
	(void)state;
	check(1, "", "");
	check(1, "a\n", "a/");
	check(2, "a,b\n,\n", "a|b/|/");
	check(3, "a,b,c\nd,e,f\n", "a|b|c/d|e|f/");
	check(2, "a,b\r\nc,d\r\n", "a|b/c|d/");
	check(2, "a,\r\n,b\n", "a|/|b/");
}

static void test_quoted(void **state)
{
	(void)state;
	check(2, "\"a,b\",c\n", "a,b|c/");
	check(2, "a,\"b\nc\"\nd,e\n", "a|b\nc/d|e/");
	check(2, "\"\",\"\"\r\n", "|/");
	check(2, "\"a\"\"b\",\"\"\"\"\n", "a\"b|\"/");
	check(2, "\"\"\"\",\"\"\"\"\"\"\r\nx,y\n", "\"|\"\"/x|y/");
	check(1, "\"\"\n", "/");
	check(1, "\"a\rb\"\n", "a\rb/");
}

/* Rows that the reader must see: it knows what is wrong with them, or nothing is. */
static void test_stops(void **state)
{
	(void)state;
	check(2, "a,b\nc", "a|b/!c");
	check(2, "a,b\nc,d", "a|b/!c,d");
	check(2, "a,b\n\nc,d\n", "a|b/!\nc,d\n");
	check(1, "a\n\n", "a/!\n");
	check(1, "a\n\r\n", "a/!\r\n");
	check(2, "a,b\nc\n", "a|b/!c\n");
	check(2, "a,b\nc,d,e\n", "a|b/!c,d,e\n");
	check(2, "a,b\n\"c\"\n", "a|b/!\"c\"\n");
	check(2, "a,b\n\"c\",\"d\",e\n", "a|b/!\"c\",\"d\",e\n");
	check(2, "a,b\nc\rd,e\n", "a|b/!c\rd,e\n");
	check(2, "a,b\nc,d\r", "a|b/!c,d\r");
	check(2, "a,b\n\"c\",\"d\"\r", "a|b/!\"c\",\"d\"\r");
	check(2, "a,b\n\"c\",\"d\"", "a|b/!\"c\",\"d\"");
	check(2, "a,b\n\"c\"\r,d\n", "a|b/!\"c\"\r,d\n");
	check(2, "a,b\nc\"c,d\n", "a|b/!c\"c,d\n");
	check(2, "a,b\n\"c\"c,d\n", "a|b/!\"c\"c,d\n");
	check(2, "a,b\n\"c,d\n", "a|b/!\"c,d\n");
	check(2, "a,b\n\"c\"\"\n", "a|b/!\"c\"\"\n");
}

static void test_dialects(void **state)
{
	struct dialect dialect = dialect_plain;

	(void)state;
	dialect.delimiter = ';';
	dialect.quote = '\'';
	check_with(&dialect, 2, "a,b;c\"\n'd;';'e'''\n", "a,b|c\"/d;|e'/");
	assert_true(row_scan_reads(&dialect));
	dialect.skip_initial_space = true;
	assert_false(row_scan_reads(&dialect));
	dialect = dialect_plain;
	dialect.delimiter = '"';
	assert_false(row_scan_reads(&dialect));
	dialect.delimiter = '\n';
	assert_false(row_scan_reads(&dialect));
	dialect.delimiter = '\xe9';
	assert_false(row_scan_reads(&dialect));
}

/* Each mark at each place of a block, and on both sides of its border. */
static void test_blocks(void **state)
{
	char text[600], wanted[600], filler[140];

	(void)state;
	memset(filler, 'x', sizeof(filler));
	for (int n = 0; n < 135; n++) {
		snprintf(text, sizeof(text), "%.*s,b\nc,%.*s\n\"%.*s\",d\n", n, filler, n, filler, n, filler);
		snprintf(wanted, sizeof(wanted), "%.*s|b/c|%.*s/%.*s|d/", n, filler, n, filler, n, filler);
		check(2, text, wanted);
		snprintf(text, sizeof(text), "a,%.*s\r\n\"%.*s\"\"\",b\n", n, filler, n, filler);
		snprintf(wanted, sizeof(wanted), "a|%.*s/%.*s\"|b/", n, filler, n, filler);
		check(2, text, wanted);
	}
}

static void test_batches(void **state)
{
	_cleanup_free_ char *text = xmalloc(100000 + CELL_SLACK);
	struct row_batch *batch = row_batch_new(2);
	size_t n = 0, n_rows = 0, n_batches = 0;
	struct row_scan scan;
	bool is_full;

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		n += (size_t)sprintf(text + n, "%u,\"%u\"\"\"\n", i, i);
	row_scan_begin(&scan, &dialect_plain, text, n);
	do {
		is_full = row_scan_next(&scan, batch);
		for (size_t i = 0; i < batch->n_rows; i++, n_rows++) {
			char wanted[32];

			snprintf(wanted, sizeof(wanted), "%zu\"", n_rows);
			assert_int_equal(batch->cells[2 * i + 1].size, strlen(wanted));
			assert_memory_equal(batch->cells[2 * i + 1].text, wanted, strlen(wanted));
			assert_int_equal(text[batch->offsets[i]], wanted[0]);
		}
		n_batches++;
	} while (is_full);
	assert_int_equal(n_rows, 1000);
	assert_int_equal(n_batches, 1000 / ROW_BATCH + 1);
	assert_int_equal(scan.at, n);
	row_batch_free(batch);
}

static void test_long_rows(void **state)
{
	_cleanup_free_ char *text = xmalloc(200000 + CELL_SLACK);
	struct row_batch *batch = row_batch_new(1);
	struct row_scan scan;

	(void)state;
	/* As long as may be, and a byte more. */
	for (size_t size = 65535; size <= 65536; size++) {
		memset(text, 'x', size);
		text[size] = '\n';
		row_scan_begin(&scan, &dialect_plain, text, size + 1);
		row_scan_next(&scan, batch);
		assert_int_equal(batch->n_rows, size == 65535);
		assert_int_equal(scan.at, size == 65535 ? size + 1 : 0);
	}
	/* Doubled quotes that find no room stop a batch, whose next finds it. */
	memset(text, '"', 200000);
	text[99999] = text[199999] = '\n';
	text[99998] = text[199998] = '"';
	text[1] = text[100001] = 'x';
	row_scan_begin(&scan, &dialect_plain, text, 200000);
	row_scan_next(&scan, batch);
	assert_int_equal(batch->n_rows, 0);
	row_batch_free(batch);
}

/* Whether the batch is told to be written as the plain form has it. */
static void check_plain(size_t n_columns, const char *text, bool wanted)
{
	struct row_batch *batch = row_batch_new(n_columns);
	_cleanup_free_ char *copy = with_slack(text, strlen(text), '\0');
	struct row_scan scan;

	row_scan_begin(&scan, &dialect_plain, copy, strlen(text));
	row_scan_next(&scan, batch);
	assert_true(batch->n_rows > 0);
	assert_int_equal(batch->is_plain, wanted);
	row_batch_free(batch);
}

static void test_plain(void **state)
{
	(void)state;
	check_plain(2, "a,b\nc,\"d,\"\n\"\"\"\",e\n\"f\ng\",\"h\ri\"\n", true);
	check_plain(1, "a\n\"\"\n", true);
	check_plain(2, "a,b\r\n", false);
	check_plain(2, "a,\"b\"\n", false);
	check_plain(2, "a,\"\"\n", false);
	check_plain(2, "\",\",\"\n\"\r\n", false);
	/* A row that is not taken says nothing. */
	check_plain(2, "a,b\nc,\"d\"x\n", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),      cmocka_unit_test(test_quoted), cmocka_unit_test(test_stops),
		cmocka_unit_test(test_dialects),  cmocka_unit_test(test_blocks), cmocka_unit_test(test_batches),
		cmocka_unit_test(test_long_rows), cmocka_unit_test(test_plain),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
