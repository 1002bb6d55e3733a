/* SPDX-License-Identifier: ISC
 *
 * rowspool: see rowspool.h.
 */
#include "inside/rowspool.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "inside/store.h"

/* Connections of one version that wait; statements of one connection that stay prepared. */
#define IDLE_MAX 4
#define STATEMENTS_MAX 8
/* All of SQLite's memory; past the first nothing waits open. The server as a whole stays below 64 MiB. */
#define HEAP_IDLE ((sqlite3_int64)12 * 1024 * 1024)
#define HEAP_MAX ((sqlite3_int64)32 * 1024 * 1024)
/* Instructions of SQLite's machine between two looks at the clock: some tens of microseconds. */
#define OPS_BETWEEN_LOOKS 2000

struct rows_connection {
	struct rowsfile *file;
	int fd;
	int64_t until;
	struct {
		char *sql; /* from sqlite3_malloc */
		sqlite3_stmt *statement;
		uint64_t used;
	} statements[STATEMENTS_MAX];
	uint64_t n_used;
};

struct rows_pool {
	int store_fd;
	char dataset[NOTATION_NAME_SIZE];
	char version[STORE_VERSION_SIZE];
	struct rows_catalog *catalog;
	pthread_mutex_t lock;
	struct rows_connection *idle[IDLE_MAX];
	size_t n_idle;
};

void rows_pool_init(void)
{
	rowsfile_init();
	sqlite3_hard_heap_limit64(HEAP_MAX);
}

int64_t rows_ticks(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		die_errno("CLOCK_MONOTONIC");
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* --- one connection -------------------------------------------------------------------------------------------------- */

static void connection_free(struct rows_connection *connection)
{
	if (connection == NULL)
		return;
	for (size_t i = 0; i < STATEMENTS_MAX; i++) {
		sqlite3_finalize(connection->statements[i].statement);
		sqlite3_free(connection->statements[i].sql);
	}
	rowsfile_free(connection->file);
	cleanup_close(&connection->fd);
	free(connection);
}

static void connection_freep(struct rows_connection **connection)
{
	connection_free(*connection);
}

static int look_at_clock(void *ctx)
{
	const struct rows_connection *connection = ctx;

	return rows_ticks() > connection->until;
}

void rows_connection_allow(struct rows_connection *connection, int64_t microseconds)
{
	connection->until = rows_ticks() + microseconds;
}

struct rowsfile *rows_connection_file(const struct rows_connection *connection)
{
	return connection->file;
}

static enum fault connection_open(const struct rows_pool *pool, struct rows_connection **ret_connection,
				  struct refusal *why)
{
	_cleanup_(connection_freep) struct rows_connection *connection = xcalloc(1, sizeof(*connection));
	enum fault fault;

	connection->fd = store_open_rows(pool->store_fd, pool->dataset, pool->version);
	if (connection->fd < 0) {
		fault = connection->fd == -ENOENT ? FAULT_ROWS_ABSENT : FAULT_STORAGE;
		refuse(why, fault, "rows of %s, version %s: %s", pool->dataset, pool->version,
		       fault == FAULT_ROWS_ABSENT ? "there is no SQLite file" : strerror(-connection->fd));
		connection->fd = -1;
		return fault;
	}
	fault = rowsfile_open(connection->fd, &connection->file, why);
	if (fault != FAULT_NONE)
		return fault;
	rows_connection_allow(connection, 2000000);
	sqlite3_progress_handler(rowsfile_db(connection->file), OPS_BETWEEN_LOOKS, look_at_clock, connection);
	*ret_connection = steal_pointer(&connection);
	return FAULT_NONE;
}

sqlite3_stmt *rows_connection_statement(struct rows_connection *connection, char *sql, struct refusal *why)
{
	size_t oldest = 0;
	int r;

	if (sql == NULL) {
		refuse(why, FAULT_ROWS_DAMAGED, "SQLite: out of memory");
		return NULL;
	}
	for (size_t i = 0; i < STATEMENTS_MAX; i++) {
		if (connection->statements[i].sql != NULL && strcmp(connection->statements[i].sql, sql) == 0) {
			sqlite3_free(sql);
			connection->statements[i].used = ++connection->n_used;
			sqlite3_reset(connection->statements[i].statement);
			sqlite3_clear_bindings(connection->statements[i].statement);
			return connection->statements[i].statement;
		}
		if (connection->statements[i].used < connection->statements[oldest].used)
			oldest = i;
	}
	sqlite3_finalize(connection->statements[oldest].statement);
	sqlite3_free(connection->statements[oldest].sql);
	connection->statements[oldest].statement = NULL;
	connection->statements[oldest].sql = sql;
	r = sqlite3_prepare_v3(rowsfile_db(connection->file), sql, -1, SQLITE_PREPARE_PERSISTENT,
			       &connection->statements[oldest].statement, NULL);
	if (r != SQLITE_OK) {
		rowsfile_failed(connection->file, FAULT_ROWS_DAMAGED, "a statement", why);
		sqlite3_free(steal_pointer(&connection->statements[oldest].sql));
		return NULL;
	}
	connection->statements[oldest].used = ++connection->n_used;
	return connection->statements[oldest].statement;
}

/* --- the pool -------------------------------------------------------------------------------------------------------- */

void rows_pool_free(struct rows_pool *pool)
{
	if (pool == NULL)
		return;
	for (size_t i = 0; i < pool->n_idle; i++)
		connection_free(pool->idle[i]);
	rows_catalog_free(pool->catalog);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

static void rows_pool_freep(struct rows_pool **pool)
{
	rows_pool_free(*pool);
}

enum fault rows_pool_open(int store_fd, const char *dataset, const char *version, struct rows_pool **ret_pool,
			  struct refusal *why)
{
	_cleanup_(rows_pool_freep) struct rows_pool *pool = xcalloc(1, sizeof(*pool));
	_cleanup_(connection_freep) struct rows_connection *connection = NULL;
	enum fault fault;

	pool->store_fd = store_fd;
	snprintf(pool->dataset, sizeof(pool->dataset), "%s", dataset);
	snprintf(pool->version, sizeof(pool->version), "%s", version);
	if (pthread_mutex_init(&pool->lock, NULL) != 0)
		die("pthread_mutex_init");
	if ((fault = connection_open(pool, &connection, why)) != FAULT_NONE ||
	    (fault = rows_catalog_load(connection->file, dataset, &pool->catalog, why)) != FAULT_NONE)
		return fault;
	pool->idle[pool->n_idle++] = steal_pointer(&connection);
	*ret_pool = steal_pointer(&pool);
	return FAULT_NONE;
}

const struct rows_catalog *rows_pool_catalog(const struct rows_pool *pool)
{
	return pool->catalog;
}

enum fault rows_pool_take(struct rows_pool *pool, struct rows_connection **ret_connection, struct refusal *why)
{
	struct rows_connection *connection = NULL;

	pthread_mutex_lock(&pool->lock);
	if (pool->n_idle > 0)
		connection = pool->idle[--pool->n_idle];
	pthread_mutex_unlock(&pool->lock);
	if (connection == NULL)
		return connection_open(pool, ret_connection, why);
	*ret_connection = connection;
	return FAULT_NONE;
}

void rows_pool_give(struct rows_pool *pool, struct rows_connection *connection)
{
	bool waits = false;

	for (size_t i = 0; i < STATEMENTS_MAX; i++)
		sqlite3_reset(connection->statements[i].statement);
	pthread_mutex_lock(&pool->lock);
	if (pool->n_idle < IDLE_MAX && sqlite3_memory_used() < HEAP_IDLE) {
		pool->idle[pool->n_idle++] = connection;
		waits = true;
	}
	pthread_mutex_unlock(&pool->lock);
	if (!waits)
		connection_free(connection);
}
