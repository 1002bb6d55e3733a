/* SPDX-License-Identifier: ISC
 *
 * rowsbuild: what each type becomes, what happens where data break their schema, names that SQLite would mistake, and that the same tables
 * make the same bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "inside/rowsbuild.h"
#include "inside/rowscatalog.h"
#include "inside/rowscell.h"

static int unnamed(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

/* The database of one table "t" with that schema and CSV, in a new descriptor. */
static int build(const char *schema, const char *csv)
{
	struct rowsbuild_file file = {.resource = "t", .size = strlen(csv)};
	struct rowsbuild build = {.dataset = "d", .files = &file, .n_files = 1, .old_fd = -1};
	_cleanup_(package_freep) struct package *package = NULL;
	_cleanup_free_ char *text = xasprintf(
		"{\"name\": \"d\", \"resources\": [{\"name\": \"t\", \"path\": \"t.csv\", \"schema\": %s}]}", schema);
	struct refusal why = {FAULT_NONE, ""};

	if (package_parse(text, strlen(text), NULL, NULL, &package, &why) != FAULT_NONE)
		fail_msg("%s", why.line);
	build.package = package;
	build.fd = unnamed();
	file.fd = fd_memory("csv", csv, strlen(csv));
	for (size_t i = 0; i < LIMIT_ROWS_SPILLS; i++)
		build.spill_fds[i] = unnamed();
	if (rowsbuild_run(&build, &why) != FAULT_NONE)
		fail_msg("%s", why.line);
	for (size_t i = 0; i < LIMIT_ROWS_SPILLS; i++)
		close(build.spill_fds[i]);
	close(file.fd);
	return build.fd;
}

/* The results of SQL, "|" between columns, a line feed between rows; a missing value is "-". Values with their type: i, r, t. */
static char *ask(int fd, const char *sql)
{
	_cleanup_(rowsfile_freep) struct rowsfile *file = NULL;
	_cleanup_(rowsfile_finalizep) sqlite3_stmt *statement = NULL;
	struct refusal why = {FAULT_NONE, ""};
	char *text = xstrdup("");

	if (rowsfile_open(fd, &file, &why) != FAULT_NONE ||
	    rowsfile_prepare(file, FAULT_ROWS_DAMAGED, &statement, &why, "%s", sql) != FAULT_NONE)
		fail_msg("%s", why.line);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(statement); i++) {
			static const char types[] = "?irtb-";
			char *longer = xasprintf("%s%s%c%s", text, i == 0 ? (text[0] == '\0' ? "" : "\n") : "|",
						 types[sqlite3_column_type(statement, i)],
						 sqlite3_column_type(statement, i) == SQLITE_NULL
							 ? ""
							 : (const char *)sqlite3_column_text(statement, i));

			free(text);
			text = longer;
		}
	}
	return text;
}

static void expect(int fd, const char *sql, const char *wanted)
{
	_cleanup_free_ char *text = ask(fd, sql);

	assert_string_equal(text, wanted);
}

static void test_types(void **state)
{
	_cleanup_close_ int fd = build(
		"{\"fields\": [{\"name\": \"s\", \"type\": \"string\"}, {\"name\": \"i\", \"type\": \"integer\"},"
		"{\"name\": \"n\", \"type\": \"number\"}, {\"name\": \"b\", \"type\": \"boolean\"},"
		"{\"name\": \"d\", \"type\": \"date\", \"format\": \"%d/%m/%Y\"}, {\"name\": \"m\", \"type\": "
		"\"datetime\"},"
		"{\"name\": \"y\", \"type\": \"year\"}, {\"name\": \"l\", \"type\": \"list\"}], \"missingValues\": "
		"[\"\", \"NA\"]}",
		"s,i,n,b,d,m,y,l\n"
		"01,007,12.10,true,31/12/1999,2020-01-01T12:00:00,1999,\"a,b\"\n"
		"NA,,NA,,,,,\n"
		"x,-9223372036854775808,-0.30,false,01/03/0004,2020-01-01T12:00:00.5+02:00,2000,\n"
		"y,9223372036854775807,999999999999.99,1,29/02/2024,2020-01-01T00:00:00Z,2001,z\n");

	(void)state;
	expect(fd, "SELECT s, i, n, b, d, m, y, l FROM t ORDER BY clapet_row",
	       "t01|i7|r12.1|i1|t1999-12-31|t2020-01-01T12:00:00|i1999|ta,b\n"
	       "-|-|-|-|-|-|-|-\n"
	       "tx|i-9223372036854775808|r-0.3|i0|t0004-03-01|t2020-01-01T10:00:00.5Z|i2000|-\n"
	       "ty|i9223372036854775807|r999999999999.99|i1|t2024-02-29|t2020-01-01T00:00:00Z|i2001|tz");
	expect(fd, "SELECT label, kind FROM clapet_columns ORDER BY position",
	       "ts|ttext\nti|tinteger\ntn|treal\ntb|tboolean\ntd|tdate\ntm|tdatetime\nty|tinteger\ntl|ttext");
}

/* Sixteen digits are more than a double gives back: the whole column is then text in one form. */
static void test_decimals(void **state)
{
	_cleanup_close_ int fd = build("{\"fields\": [{\"name\": \"n\", \"type\": \"number\"},"
				       "{\"name\": \"i\", \"type\": \"integer\"}]}",
				       "n,i\n1.50,1\n12345678901234.56,2\n-0.00010,99999999999999999999\n1e3,+3\n");

	(void)state;
	expect(fd, "SELECT n, i FROM t ORDER BY clapet_row",
	       "t1.5|t1\nt12345678901234.56|t2\nt-0.0001|t99999999999999999999\nt1000|t3");
	expect(fd, "SELECT kind FROM clapet_columns ORDER BY position", "tdecimal\ntdecimal");
}

/* Rows that a person let in: what is not of the type stays as it is, the rest is what it was. */
static void test_broken_rows(void **state)
{
	_cleanup_close_ int fd = build(
		"{\"fields\": [{\"name\": \"k\", \"type\": \"string\"},"
		"{\"name\": \"i\", \"type\": \"integer\"},{\"name\": \"d\", \"type\": \"date\"}],"
		"\"primaryKey\": \"k\"}",
		"k,i,d\na,1,2020-01-01\nb,many,2020-13-01\na,2,2020-01-02\nc,3\nd,4,2020-01-03,x\n");

	(void)state;
	expect(fd, "SELECT k, i, d FROM t ORDER BY clapet_row",
	       "ta|i1|t2020-01-01\ntb|tmany|t2020-13-01\nta|i2|t2020-01-02\ntc|i3|-\ntd|i4|t2020-01-03");
	expect(fd, "SELECT kind FROM clapet_columns ORDER BY position", "ttext\ntmixed\ntmixed");
	expect(fd, "SELECT rows, \"key\", ragged FROM clapet_tables", "i5|trepeated|i2");
}

static void test_names(void **state)
{
	_cleanup_close_ int fd = build("{\"fields\": [{\"name\": \"Code\", \"type\": \"string\"},"
				       "{\"name\": \"code\", \"type\": \"string\"},"
				       "{\"name\": \"clapet_row\", \"type\": \"string\"},"
				       "{\"name\": \"a\\\"; DROP TABLE t; --\", \"type\": \"string\"}]}",
				       "Code,code,clapet_row,\"a\"\"; DROP TABLE t; --\"\n1,2,3,4\n");

	(void)state;
	expect(fd, "SELECT label, \"column\" FROM clapet_columns ORDER BY position",
	       "tCode|tCode\ntcode|tcode_2\ntclapet_row|tclapet_row_2\nta\"; DROP TABLE t; --|ta\"; DROP TABLE t; --");
	expect(fd, "SELECT \"Code\", code_2, clapet_row_2, \"a\"\"; DROP TABLE t; --\", clapet_row FROM t",
	       "t1|t2|t3|t4|i1");
}

static void test_keys(void **state)
{
	_cleanup_close_ int fd = build(
		"{\"fields\": [{\"name\": \"a\", \"type\": \"string\"}, {\"name\": \"b\", \"type\": \"string\"},"
		"{\"name\": \"c\", \"type\": \"string\"}], \"primaryKey\": [\"a\", \"b\"], \"foreignKeys\": ["
		"{\"fields\": \"c\", \"reference\": {\"resource\": \"\", \"fields\": \"a\"}},"
		"{\"fields\": \"a\", \"reference\": {\"resource\": \"\", \"fields\": \"b\"}}]}",
		"a,b,c\n1,1,1\n1,2,1\n");

	(void)state;
	expect(fd, "SELECT sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 't' ORDER BY name",
	       "tCREATE UNIQUE INDEX \"t.1\" ON \"t\"(\"a\",\"b\")\ntCREATE INDEX \"t.2\" ON \"t\"(\"c\")");
	expect(fd, "SELECT \"key\", indexed FROM clapet_columns ORDER BY position", "i1|i1\ni2|i0\ni0|i1");
}

static void test_same_bytes(void **state)
{
	static const char schema[] = "{\"fields\": [{\"name\": \"a\", \"type\": \"number\"}], \"primaryKey\": \"a\"}";
	static const char csv[] = "a\n1\n2\n3.25\n12345678901234567890\n";
	_cleanup_close_ int a = build(schema, csv), b = build(schema, csv);
	struct sha256 left, right;

	(void)state;
	assert_true(lseek(a, 0, SEEK_SET) == 0 && lseek(b, 0, SEEK_SET) == 0);
	assert_int_equal(hash_fd(a, 1 * MIB, &left, NULL), 0);
	assert_int_equal(hash_fd(b, 1 * MIB, &right, NULL), 0);
	assert_memory_equal(&left, &right, sizeof(left));
}

static void test_catalog(void **state)
{
	_cleanup_close_ int fd = build("{\"fields\": [{\"name\": \"code\", \"type\": \"string\"},"
				       "{\"name\": \"population\", \"type\": \"integer\"}], \"primaryKey\": \"code\"}",
				       "code,population\n01,5\n");
	_cleanup_(rowsfile_freep) struct rowsfile *file = NULL;
	_cleanup_(rows_catalog_freep) struct rows_catalog *catalog = NULL;
	const struct rows_catalog_table *table;
	struct refusal why;

	(void)state;
	assert_int_equal(rowsfile_open(fd, &file, &why), FAULT_NONE);
	assert_int_equal(rows_catalog_load(file, "other", &catalog, &why), FAULT_ROWS_DAMAGED);
	assert_int_equal(rows_catalog_load(file, "d", &catalog, &why), FAULT_NONE);
	table = rows_catalog_table(catalog, "t");
	assert_non_null(table);
	assert_null(rows_catalog_table(catalog, "clapet"));
	assert_int_equal(table->n_rows, 1);
	assert_int_equal(table->n_key, 1);
	assert_true(table->key_is_unique);
	assert_int_equal(rows_catalog_column(table, "population")->kind, ROWS_INTEGER);
	assert_string_equal(rows_catalog_nearest(table, "populaton")->label, "population");
	assert_string_equal(rows_catalog_nearest(table, "CODE")->label, "code");
	assert_null(rows_catalog_nearest(table, "xyz"));
}

/* What hostile data may have made of a database. */
static void expect_damaged(const char *sql)
{
	_cleanup_close_ int made = build("{\"fields\": [{\"name\": \"code\", \"type\": \"string\"}]}", "code\n01\n");
	_cleanup_(rowsfile_freep) struct rowsfile *file = NULL;
	_cleanup_(rows_catalog_freep) struct rows_catalog *catalog = NULL;
	char path[] = "/tmp/clapet-rows-XXXXXX";
	_cleanup_close_ int fd = mkstemp(path);
	sqlite3 *db;
	struct refusal why;

	assert_true(fd >= 0 && lseek(made, 0, SEEK_SET) == 0 && fd_copy(made, fd, 1 * MIB, &(uint64_t){0}) == 0);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA journal_mode=MEMORY", NULL, NULL, NULL), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
	unlink(path);
	if (rowsfile_open(fd, &file, &why) == FAULT_NONE)
		if (rows_catalog_load(file, "d", &catalog, &why) != FAULT_ROWS_DAMAGED)
			fail_msg("taken: %s", sql);
}

static void test_hostile(void **state)
{
	static const char zeros[4096];
	_cleanup_close_ int fd = fd_memory("zeros", zeros, sizeof(zeros));
	_cleanup_(rowsfile_freep) struct rowsfile *file = NULL;
	_cleanup_(rows_catalog_freep) struct rows_catalog *catalog = NULL;
	struct refusal why;

	(void)state;
	expect_damaged("CREATE VIEW v AS SELECT * FROM t");
	expect_damaged("CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END");
	expect_damaged("CREATE VIRTUAL TABLE f USING fts5(x)");
	expect_damaged("UPDATE clapet SET value = 'clapet rows 2' WHERE name = 'format'");
	expect_damaged("UPDATE clapet_columns SET kind = 'code'");
	expect_damaged("DELETE FROM clapet_columns");
	expect_damaged("UPDATE clapet_tables SET resource = '../t'");
	expect_damaged("DROP TABLE clapet_tables");
	if (rowsfile_open(fd, &file, &why) == FAULT_NONE)
		assert_int_equal(rows_catalog_load(file, "d", &catalog, &why), FAULT_ROWS_DAMAGED);
}

/* Every decimal number of 15 digits comes out as it went in, but for zeros that say nothing. */
static void test_real_digits(void **state)
{
	static const char *const numbers[] = {"0.1",      "0.3",    "1234567.89",      "999999999999.99",
					      "0.000001", "-17.05", "100000000000000", "123456789012345",
					      "1.005",    "0"};
	struct rows_scratch scratch;
	struct rows_value value;
	char text[ROWS_REAL_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		assert_true(rows_value_parse(ROWS_REAL, numbers[i], strlen(numbers[i]), &scratch, &value));
		assert_int_equal(value.type, ROWS_VALUE_REAL);
		rows_real_text(value.real, text);
		assert_true(strtod(text, NULL) == strtod(numbers[i], NULL));
		if (strlen(numbers[i]) < 15)
			assert_string_equal(text, numbers[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),   cmocka_unit_test(test_decimals), cmocka_unit_test(test_broken_rows),
		cmocka_unit_test(test_names),   cmocka_unit_test(test_keys),     cmocka_unit_test(test_same_bytes),
		cmocka_unit_test(test_catalog), cmocka_unit_test(test_hostile),  cmocka_unit_test(test_real_digits),
	};

	hash_init();
	json_init();
	rowsfile_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
