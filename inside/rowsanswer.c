/* SPDX-License-Identifier: ISC
 *
 * rowsanswer: see rowsanswer.h. Where an index is of use, or an order is asked for, the rows' numbers are found first, and the rows then one by one;
 * otherwise the table is read a window at a time.
 */
#include "inside/rowsanswer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "inside/rowsbuild_table.h"

/* Rows that one step looks at: some ten milliseconds. */
#define WINDOW 20000
/* Bytes that one step makes, and what a row more adds. */
#define PIECE_SIZE ((size_t)64 * 1024)
/* What one statement may take (an order without an index over the largest tables that we know takes three), and all of an answer. */
#define STATEMENT_TIME INT64_C(5000000)
#define ANSWER_TIME INT64_C(60000000)

struct rows_answer {
	struct rows_pool *pool;
	struct rows_query *query;
	enum rows_format format;
	bool has_numbers;
	int64_t *numbers; /* owned */
	size_t n_numbers, at;
	int64_t after, last; /* of a scan: the row behind which it goes on, and the table's last */
	uint64_t skip, left; /* of a scan: rows that fit and are passed over; that may still be given */
	struct rows_text text;
	size_t taken;
	uint64_t n_rows, n_told, n_bytes;
	int64_t time;
	bool has_begun, has_ended;
};

void rows_answer_free(struct rows_answer *answer)
{
	if (answer == NULL)
		return;
	rows_query_free(answer->query);
	free(answer->numbers);
	free(answer->text.data);
	free(answer);
}

void rows_answer_freep(struct rows_answer **answer)
{
	rows_answer_free(*answer);
}

/* --- numbers --------------------------------------------------------------------------------------------------------- */

static int compare_numbers(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return left < right ? -1 : left > right;
}

static enum fault failed(struct rows_connection *connection, int r, struct refusal *why)
{
	if (r == SQLITE_INTERRUPT)
		return refuse(why, FAULT_ROWS_LIMIT, "%s: it takes longer than %d seconds",
			      "no index helps with this question", (int)(STATEMENT_TIME / 1000000));
	if (r == SQLITE_NOMEM)
		return refuse(why, FAULT_ROWS_LIMIT, "it takes more memory than an answer may");
	return rowsfile_failed(rows_connection_file(connection), FAULT_ROWS_DAMAGED, "reading rows", why);
}

/* At most LAST numbers, in the order in which SQLite gives them. */
static enum fault read_numbers(struct rows_answer *answer, struct rows_connection *connection, uint64_t last,
			       struct refusal *why)
{
	sqlite3_stmt *statement = rows_connection_statement(connection, rows_query_sql_numbers(answer->query), why);
	size_t room = 0;
	int r;

	if (statement == NULL)
		return why->fault;
	sqlite3_bind_int64(statement, rows_query_bind(answer->query, statement), (sqlite3_int64)last);
	while ((r = sqlite3_step(statement)) == SQLITE_ROW) {
		if (answer->n_numbers == room) {
			room = room == 0 ? 16 : 2 * room;
			answer->numbers = xrealloc(answer->numbers, room, sizeof(*answer->numbers));
		}
		answer->numbers[answer->n_numbers++] = sqlite3_column_int64(statement, 0);
	}
	if (r != SQLITE_DONE)
		failed(connection, r, why);
	sqlite3_reset(statement);
	return r == SQLITE_DONE ? FAULT_NONE : why->fault;
}

/* Those of offset and limit. */
static void cut_numbers(struct rows_answer *answer)
{
	const struct rows_query *query = answer->query;

	answer->at = query->offset < answer->n_numbers ? (size_t)query->offset : answer->n_numbers;
	if (query->limit < answer->n_numbers - answer->at)
		answer->n_numbers = answer->at + (size_t)query->limit;
}

static enum fault find_sorted(struct rows_answer *answer, struct rows_connection *connection, struct refusal *why)
{
	const struct rows_query *query = answer->query;
	bool has_limit = query->limit != UINT64_MAX;
	enum fault fault;

	if (has_limit && query->offset + query->limit > LIMIT_ROWS_SORTED)
		return refuse(why, FAULT_ROWS_LIMIT, "sort gives at most %d rows: offset and limit are %" PRIu64,
			      LIMIT_ROWS_SORTED, query->offset + query->limit);
	fault = read_numbers(answer, connection, has_limit ? query->offset + query->limit : LIMIT_ROWS_SORTED + 1, why);
	if (fault == FAULT_NONE && answer->n_numbers > LIMIT_ROWS_SORTED)
		return refuse(why, FAULT_ROWS_LIMIT, "sort gives at most %d rows, and more fit: give a limit",
			      LIMIT_ROWS_SORTED);
	answer->has_numbers = true;
	cut_numbers(answer);
	return fault;
}

/* In the file's order. Where more fit than are kept in memory the table is read from its start instead. */
static enum fault find_indexed(struct rows_answer *answer, struct rows_connection *connection, struct refusal *why)
{
	enum fault fault = read_numbers(answer, connection, LIMIT_ROWS_SORTED + 1, why);

	answer->has_numbers = answer->n_numbers <= LIMIT_ROWS_SORTED;
	if (fault != FAULT_NONE)
		return fault;
	if (!answer->has_numbers) {
		free(steal_pointer(&answer->numbers));
		answer->n_numbers = 0;
		return FAULT_NONE;
	}
	if (answer->n_numbers > 1)
		qsort(answer->numbers, answer->n_numbers, sizeof(*answer->numbers), compare_numbers);
	cut_numbers(answer);
	return FAULT_NONE;
}

static enum fault find_last(struct rows_answer *answer, struct rows_connection *connection, struct refusal *why)
{
	char *sql = sqlite3_mprintf("SELECT \"" ROWSBUILD_ROW "\" FROM \"%w\" ORDER BY \"" ROWSBUILD_ROW
				    "\" DESC LIMIT 1",
				    answer->query->table->name);
	sqlite3_stmt *statement = rows_connection_statement(connection, sql, why);
	int r = statement == NULL ? SQLITE_ERROR : sqlite3_step(statement);

	if (statement == NULL)
		return why->fault;
	if (r == SQLITE_ROW)
		answer->last = sqlite3_column_int64(statement, 0);
	else if (r != SQLITE_DONE)
		failed(connection, r, why);
	sqlite3_reset(statement);
	return r == SQLITE_ROW || r == SQLITE_DONE ? FAULT_NONE : why->fault;
}

enum fault rows_answer_begin(struct rows_pool *pool, struct rows_query *query, enum rows_format format,
			     struct rows_answer **ret_answer, struct refusal *why)
{
	_cleanup_(rows_answer_freep) struct rows_answer *answer = xcalloc(1, sizeof(*answer));
	struct rows_connection *connection;
	int64_t began = rows_ticks();
	enum fault fault;

	answer->pool = pool;
	answer->query = query;
	answer->format = format;
	answer->skip = query->offset;
	answer->left = query->limit;
	if ((fault = rows_pool_take(pool, &connection, why)) != FAULT_NONE)
		return fault;
	rows_connection_allow(connection, STATEMENT_TIME);
	if (query->n_sorts > 0)
		fault = find_sorted(answer, connection, why);
	else if (rows_query_has_index(query))
		fault = find_indexed(answer, connection, why);
	if (fault == FAULT_NONE && !answer->has_numbers)
		fault = find_last(answer, connection, why);
	rows_pool_give(pool, connection);
	if (fault != FAULT_NONE)
		return fault;
	answer->time = rows_ticks() - began;
	*ret_answer = steal_pointer(&answer);
	return FAULT_NONE;
}

/* --- pieces ---------------------------------------------------------------------------------------------------------- */

static void write_row(struct rows_answer *answer, sqlite3_stmt *statement)
{
	rows_write_row(answer->format, answer->query, statement, answer->n_rows, &answer->text);
	answer->n_rows++;
}

/* The next rows of those whose numbers are known. */
static enum fault fetch(struct rows_answer *answer, struct rows_connection *connection, struct refusal *why)
{
	sqlite3_stmt *statement = rows_connection_statement(connection, rows_query_sql_row(answer->query), why);
	int r = SQLITE_DONE;

	if (statement == NULL)
		return why->fault;
	while (answer->at < answer->n_numbers && answer->text.size < PIECE_SIZE) {
		sqlite3_bind_int64(statement, 1, answer->numbers[answer->at++]);
		r = sqlite3_step(statement);
		if (r == SQLITE_ROW)
			write_row(answer, statement);
		else if (r != SQLITE_DONE)
			failed(connection, r, why);
		sqlite3_reset(statement);
		if (r != SQLITE_ROW && r != SQLITE_DONE)
			return why->fault;
	}
	answer->has_ended = answer->at == answer->n_numbers;
	return FAULT_NONE;
}

/* The rows of the next window that fit. A statement that stops within it goes on behind the last row that it gave. */
static enum fault scan(struct rows_answer *answer, struct rows_connection *connection, struct refusal *why)
{
	sqlite3_stmt *statement = rows_connection_statement(connection, rows_query_sql_scan(answer->query), why);
	int64_t end = answer->last - answer->after > WINDOW ? answer->after + WINDOW : answer->last;
	int r = SQLITE_DONE, parameter;

	if (statement == NULL)
		return why->fault;
	parameter = rows_query_bind(answer->query, statement);
	sqlite3_bind_int64(statement, parameter, answer->after);
	sqlite3_bind_int64(statement, parameter + 1, end);
	while (answer->left > 0 && answer->text.size < PIECE_SIZE && (r = sqlite3_step(statement)) == SQLITE_ROW) {
		answer->after = sqlite3_column_int64(statement, (int)answer->query->n_columns);
		if (answer->skip > 0) {
			answer->skip--;
			continue;
		}
		write_row(answer, statement);
		answer->left -= answer->left != UINT64_MAX;
	}
	if (r == SQLITE_DONE)
		answer->after = end;
	else if (r != SQLITE_ROW)
		failed(connection, r, why);
	sqlite3_reset(statement);
	answer->has_ended = answer->left == 0 || answer->after >= answer->last;
	return r == SQLITE_DONE || r == SQLITE_ROW ? FAULT_NONE : why->fault;
}

enum fault rows_answer_work(struct rows_answer *answer, struct refusal *why)
{
	struct rows_connection *connection;
	int64_t began = rows_ticks();
	enum fault fault;

	if (answer->has_ended || answer->text.size > 0)
		return FAULT_NONE;
	if ((fault = rows_pool_take(answer->pool, &connection, why)) != FAULT_NONE)
		return fault;
	rows_connection_allow(connection, STATEMENT_TIME);
	if (!answer->has_begun)
		rows_write_begin(answer->format, answer->query, &answer->text);
	answer->has_begun = true;
	if (answer->query->limit == 0 || (!answer->has_numbers && answer->last <= answer->after))
		answer->has_ended = true;
	else
		fault = answer->has_numbers ? fetch(answer, connection, why) : scan(answer, connection, why);
	rows_pool_give(answer->pool, connection);
	if (fault == FAULT_NONE && answer->has_ended)
		rows_write_end(answer->format, answer->n_rows, &answer->text);
	answer->time += rows_ticks() - began;
	answer->n_bytes += answer->text.size;
	if (fault == FAULT_NONE && !answer->has_ended &&
	    (answer->time > ANSWER_TIME || answer->n_bytes > LIMIT_ROWS_ANSWER))
		return refuse(why, FAULT_ROWS_LIMIT, "an answer takes at most %d seconds of work and %llu bytes",
			      (int)(ANSWER_TIME / 1000000), LIMIT_ROWS_ANSWER);
	return fault;
}

const char *rows_answer_bytes(const struct rows_answer *answer, size_t *ret_size)
{
	*ret_size = answer->text.size - answer->taken;
	return answer->text.data + answer->taken;
}

void rows_answer_take(struct rows_answer *answer, size_t size)
{
	answer->taken += size;
	if (answer->taken == answer->text.size)
		answer->taken = answer->text.size = 0;
}

bool rows_answer_has_ended(const struct rows_answer *answer)
{
	return answer->has_ended;
}

uint64_t rows_answer_new_rows(struct rows_answer *answer)
{
	uint64_t n = answer->n_rows - answer->n_told;

	answer->n_told = answer->n_rows;
	return n;
}
