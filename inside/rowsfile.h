/* SPDX-License-Identifier: ISC
 *
 * rowsfile: an SQLite database (bundle/FORMAT.md 33) in an open descriptor. SQLite never sees a path: its files are what was opened for
 * it before, so that who writes or reads a database needs no call that opens one.
 */
#ifndef INSIDE_ROWSFILE_H
#define INSIDE_ROWSFILE_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/limits.h"

struct rowsfile;
void rowsfile_free(struct rowsfile *file);
void rowsfile_freep(struct rowsfile **file);

/* Before the sandbox: what SQLite opens the first time that it is used. */
void rowsfile_init(void);

/* A new database in FD (read-write; what it holds is dropped), at most MAX_SIZE bytes: no journal on a disk, nothing synced. Descriptors
 * are borrowed. FAULT_ROWS_BUILD. */
enum fault rowsfile_create(int fd, const int spill_fds[LIMIT_ROWS_SPILLS], uint64_t max_size,
			   struct rowsfile **ret_file, struct refusal *why);
/* The same over a database that is there. */
enum fault rowsfile_change(int fd, const int spill_fds[LIMIT_ROWS_SPILLS], struct rowsfile **ret_file,
			   struct refusal *why);
/* The database in FD (borrowed), of which nothing is believed: it is never written, no view, trigger, virtual table or extension is used,
 * and SQLite's limits are lowered. One thread at a time. FAULT_ROWS_DAMAGED. */
enum fault rowsfile_open(int fd, struct rowsfile **ret_file, struct refusal *why);

sqlite3 *rowsfile_db(const struct rowsfile *file);
/* Runs statements without results. FORMAT is sqlite3_mprintf's: "%w" within double quotes for names. FAULT_ROWS_BUILD. */
enum fault rowsfile_run(struct rowsfile *file, struct refusal *why, const char *format, ...);
/* What SQLite says went wrong last, as FAULT. */
enum fault rowsfile_failed(const struct rowsfile *file, enum fault fault, const char *doing, struct refusal *why);
/* A prepared statement, or the same. Freed with sqlite3_finalize. */
enum fault rowsfile_prepare(struct rowsfile *file, enum fault fault, sqlite3_stmt **ret_statement, struct refusal *why,
			    const char *format, ...);
/* For _cleanup_(rowsfile_finalizep). */
void rowsfile_finalizep(sqlite3_stmt **statement);

#endif
