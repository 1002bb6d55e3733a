/* SPDX-License-Identifier: ISC
 *
 * rowspool: open databases of one version, each used by one thread at a time, with the statements that were prepared in it. A few wait open for
 * the next question; while SQLite holds much memory none does.
 */
#ifndef INSIDE_ROWSPOOL_H
#define INSIDE_ROWSPOOL_H

#include "inside/rowscatalog.h"

struct rows_pool;
struct rows_connection;

/* Before the sandbox: what all pools together may take of memory. */
void rows_pool_init(void);

/* STORE_FD is borrowed. FAULT_ROWS_ABSENT where there is no file, FAULT_ROWS_DAMAGED. */
enum fault rows_pool_open(int store_fd, const char *dataset, const char *version, struct rows_pool **ret_pool,
			  struct refusal *why);
void rows_pool_free(struct rows_pool *pool);
/* What is in it: of one that was open first. */
const struct rows_catalog *rows_pool_catalog(const struct rows_pool *pool);

enum fault rows_pool_take(struct rows_pool *pool, struct rows_connection **ret_connection, struct refusal *why);
void rows_pool_give(struct rows_pool *pool, struct rows_connection *connection);

struct rowsfile *rows_connection_file(const struct rows_connection *connection);
/* The statement of SQL (from sqlite3_malloc, taken), reset and with nothing bound; NULL: it failed. It stays the connection's. */
sqlite3_stmt *rows_connection_statement(struct rows_connection *connection, char *sql, struct refusal *why);
/* From now on a step that goes on past MICROSECONDS ends with SQLITE_INTERRUPT. */
void rows_connection_allow(struct rows_connection *connection, int64_t microseconds);

/* Monotonic microseconds. */
int64_t rows_ticks(void);

#endif
