/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: questions about rows. Lines "name=value"; what is taken makes statements that SQLite takes, that only read, that are one, and
 * in which the values are all bound.
 */
#include "inside/rowsquery.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "inside/rowsfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every kind, an index, names that have to be quoted. */
static struct rows_catalog_column columns[] = {
	{(char *)"code", (char *)"code", ROWS_TEXT, ROWS_TEXT, 1, true},
	{(char *)"n", (char *)"n", ROWS_INTEGER, ROWS_INTEGER, 0, false},
	{(char *)"prix", (char *)"prix", ROWS_REAL, ROWS_REAL, 0, false},
	{(char *)"long", (char *)"long", ROWS_DECIMAL, ROWS_REAL, 0, false},
	{(char *)"vrai", (char *)"vrai", ROWS_BOOLEAN, ROWS_BOOLEAN, 0, false},
	{(char *)"jour", (char *)"jour", ROWS_DATE, ROWS_DATE, 0, false},
	{(char *)"tout", (char *)"tout", ROWS_MIXED, ROWS_INTEGER, 0, false},
	{(char *)"a\" b", (char *)"a\" b", ROWS_TEXT, ROWS_TEXT, 0, false},
	{(char *)"limit", (char *)"limit", ROWS_TEXT, ROWS_TEXT, 0, false},
};
static const struct rows_catalog_table table = {(char *)"t", (char *)"t", 0, true, "", columns, 9, 1};

static sqlite3 *open_db(void)
{
	sqlite3 *db = NULL;

	if (sqlite3_open(":memory:", &db) != SQLITE_OK ||
	    sqlite3_exec(db,
			 "CREATE TABLE t(code TEXT, n INTEGER, prix REAL, long TEXT, vrai INTEGER, jour TEXT, tout ANY,"
			 " \"a\"\" b\" TEXT, \"limit\" TEXT, clapet_row INTEGER PRIMARY KEY) STRICT",
			 NULL, NULL, NULL) != SQLITE_OK)
		abort();
	return db;
}

static void check_statement(sqlite3 *db, const struct rows_query *query, char *sql, int n_more, bool binds)
{
	sqlite3_stmt *statement = NULL;
	const char *rest = NULL;
	int next = 1;

	if (sql == NULL || sqlite3_prepare_v2(db, sql, -1, &statement, &rest) != SQLITE_OK || *rest != '\0' ||
	    !sqlite3_stmt_readonly(statement))
		abort();
	if (binds)
		next = rows_query_bind(query, statement);
	if (sqlite3_bind_parameter_count(statement) != next - 1 + n_more)
		abort();
	while (sqlite3_step(statement) == SQLITE_ROW)
		abort(); /* the table is empty */
	sqlite3_finalize(statement);
	sqlite3_free(sql);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const others[] = {"format", NULL};
	struct serve_param params[64];
	struct rows_query *query = NULL;
	struct sha256 digest;
	size_t n_params = 0;
	char *text = malloc(size + 1);
	sqlite3 *db;

	if (text == NULL || memchr(data, 0, size) != NULL) {
		free(text);
		return 0;
	}
	memcpy(text, data, size);
	text[size] = '\0';
	for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL && n_params < 64;) {
		char *value = strchr(line, '=');

		if (value == NULL)
			continue;
		*value = '\0';
		params[n_params++] = (struct serve_param){line, value + 1};
	}
	hash_init();
	if (rows_query_parse(&table, params, n_params, others, &query, NULL) == FAULT_NONE) {
		db = open_db();
		if (n_params > 0)
			(void)rows_query_restrict(query, "n", params[0].value, NULL);
		check_statement(db, query, rows_query_sql_numbers(query), 1, true);
		check_statement(db, query, rows_query_sql_scan(query), 2, true);
		check_statement(db, query, rows_query_sql_row(query), 1, false);
		rows_query_digest(query, &digest);
		sqlite3_close(db);
		rows_query_free(query);
	}
	free(text);
	return 0;
}
