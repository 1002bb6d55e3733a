/* SPDX-License-Identifier: ISC
 *
 * rowsfile: see rowsfile.h. A VFS for each database, of its descriptors alone; there are no locks, for a file that is being made is its
 * maker's, and one that is read never changes.
 */
#include "inside/rowsfile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/limits.h"

/* SQLite's own default: what a reader's tools expect, and what a disk and the page cache read at least. */
#define PAGE_SIZE 4096
/* Of a database that is made: pages in memory, which is what an index is sorted in, too. */
#define BUILD_CACHE_KIB 65536
/* Of one that is read. */
#define READ_CACHE_KIB 1024

struct rowsfile {
	sqlite3_vfs vfs;
	sqlite3 *db;
	int fd;
	int spill_fds[LIMIT_ROWS_SPILLS]; /* -1: taken, or none */
	bool is_read_only;
	char name[32];
};

/* What SQLite holds for one open file. */
struct rows_io {
	sqlite3_file base;
	int fd;
	int *slot; /* where a spill goes back to; NULL: the database */
	bool is_read_only;
};

/* --- one file -------------------------------------------------------------------------------------------------------- */

static int io_close(sqlite3_file *base)
{
	struct rows_io *io = (struct rows_io *)base;
	int r = 0;

	if (io->slot != NULL) {
		*io->slot = io->fd;
		r = ftruncate(io->fd, 0);
	}
	return r < 0 ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

static int io_read(sqlite3_file *base, void *buffer, int size, sqlite3_int64 offset)
{
	const struct rows_io *io = (const struct rows_io *)base;
	ssize_t n = fd_read_at(io->fd, buffer, (size_t)size, (uint64_t)offset);

	if (n < 0)
		return SQLITE_IOERR_READ;
	if (n == size)
		return SQLITE_OK;
	memset((char *)buffer + n, 0, (size_t)(size - n));
	return SQLITE_IOERR_SHORT_READ;
}

static int io_write(sqlite3_file *base, const void *buffer, int size, sqlite3_int64 offset)
{
	const struct rows_io *io = (const struct rows_io *)base;
	const char *at = buffer;

	while (size > 0) {
		ssize_t n = pwrite(io->fd, at, (size_t)size, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return errno == ENOSPC || errno == EFBIG || errno == EDQUOT ? SQLITE_FULL : SQLITE_IOERR_WRITE;
		at += n;
		offset += n;
		size -= (int)n;
	}
	return SQLITE_OK;
}

static int io_truncate(sqlite3_file *base, sqlite3_int64 size)
{
	return ftruncate(((struct rows_io *)base)->fd, size) < 0 ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

static int io_sync(sqlite3_file *base, int flags)
{
	(void)base;
	(void)flags;
	return SQLITE_OK;
}

static int io_size(sqlite3_file *base, sqlite3_int64 *ret_size)
{
	struct stat st;

	if (fstat(((struct rows_io *)base)->fd, &st) < 0)
		return SQLITE_IOERR_FSTAT;
	*ret_size = st.st_size;
	return SQLITE_OK;
}

static int io_lock(sqlite3_file *base, int level)
{
	(void)base;
	(void)level;
	return SQLITE_OK;
}

static int io_is_reserved(sqlite3_file *base, int *ret)
{
	(void)base;
	*ret = 0;
	return SQLITE_OK;
}

static int io_control(sqlite3_file *base, int op, void *arg)
{
	(void)base;
	(void)op;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static int io_sector(sqlite3_file *base)
{
	(void)base;
	return PAGE_SIZE;
}

static int io_traits(sqlite3_file *base)
{
	const struct rows_io *io = (const struct rows_io *)base;

	return io->is_read_only ? SQLITE_IOCAP_IMMUTABLE : 0;
}

static const sqlite3_io_methods io_methods = {
	.iVersion = 1,
	.xClose = io_close,
	.xRead = io_read,
	.xWrite = io_write,
	.xTruncate = io_truncate,
	.xSync = io_sync,
	.xFileSize = io_size,
	.xLock = io_lock,
	.xUnlock = io_lock,
	.xCheckReservedLock = io_is_reserved,
	.xFileControl = io_control,
	.xSectorSize = io_sector,
	.xDeviceCharacteristics = io_traits,
};

/* --- the files of one database ----------------------------------------------------------------------------------------- */

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *ret_flags)
{
	struct rowsfile *file = vfs->pAppData;
	struct rows_io *io = (struct rows_io *)base;

	(void)name;
	memset(io, 0, sizeof(*io));
	io->fd = -1;
	io->is_read_only = file->is_read_only;
	if ((flags & SQLITE_OPEN_MAIN_DB) != 0)
		io->fd = file->fd;
	for (size_t i = 0; i < LIMIT_ROWS_SPILLS && io->fd < 0 && (flags & SQLITE_OPEN_DELETEONCLOSE) != 0; i++) {
		if (file->spill_fds[i] < 0)
			continue;
		io->slot = &file->spill_fds[i];
		io->fd = steal_fd(io->slot);
		io->is_read_only = false;
	}
	if (io->fd < 0)
		return SQLITE_CANTOPEN;
	if (ret_flags != NULL)
		*ret_flags = flags;
	base->pMethods = &io_methods;
	return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	(void)vfs;
	(void)name;
	(void)sync;
	return SQLITE_IOERR_DELETE_NOENT;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
	(void)vfs;
	(void)name;
	(void)flags;
	*ret = 0;
	return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int size, char *ret)
{
	(void)vfs;
	snprintf(ret, (size_t)size, "%s", name);
	return SQLITE_OK;
}

static int vfs_random(sqlite3_vfs *vfs, int size, char *bytes)
{
	(void)vfs;
	memset(bytes, 0, (size_t)size);
	return size;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
	(void)vfs;
	(void)microseconds;
	return 0;
}

/* No statement of ours asks for the time. */
static int vfs_time(sqlite3_vfs *vfs, double *ret)
{
	(void)vfs;
	*ret = 0;
	return SQLITE_OK;
}

static int vfs_error(sqlite3_vfs *vfs, int size, char *text)
{
	(void)vfs;
	if (size > 0)
		text[0] = '\0';
	return 0;
}

static struct rowsfile *new_file(int fd, const int *spill_fds, bool is_read_only)
{
	struct rowsfile *file = xcalloc(1, sizeof(*file));

	file->fd = fd;
	file->is_read_only = is_read_only;
	for (size_t i = 0; i < LIMIT_ROWS_SPILLS; i++)
		file->spill_fds[i] = spill_fds == NULL ? -1 : spill_fds[i];
	snprintf(file->name, sizeof(file->name), "clapet-%p", (void *)file);
	file->vfs = (sqlite3_vfs){
		.iVersion = 1,
		.szOsFile = sizeof(struct rows_io),
		.mxPathname = 64,
		.zName = file->name,
		.pAppData = file,
		.xOpen = vfs_open,
		.xDelete = vfs_delete,
		.xAccess = vfs_access,
		.xFullPathname = vfs_full_path,
		.xRandomness = vfs_random,
		.xSleep = vfs_sleep,
		.xCurrentTime = vfs_time,
		.xGetLastError = vfs_error,
	};
	return file;
}

void rowsfile_init(void)
{
	char byte;

	if (sqlite3_initialize() != SQLITE_OK)
		die("SQLite cannot be used");
	sqlite3_randomness(sizeof(byte), &byte);
}

void rowsfile_free(struct rowsfile *file)
{
	if (file == NULL)
		return;
	sqlite3_close_v2(file->db);
	sqlite3_vfs_unregister(&file->vfs);
	free(file);
}

void rowsfile_freep(struct rowsfile **file)
{
	rowsfile_free(*file);
}

void rowsfile_finalizep(sqlite3_stmt **statement)
{
	sqlite3_finalize(*statement);
}

sqlite3 *rowsfile_db(const struct rowsfile *file)
{
	return file->db;
}

/* --- statements ------------------------------------------------------------------------------------------------------ */

enum fault rowsfile_failed(const struct rowsfile *file, enum fault fault, const char *doing, struct refusal *why)
{
	return refuse(why, fault, "SQLite, %s: %s", doing,
		      file->db == NULL ? "out of memory" : sqlite3_errmsg(file->db));
}

enum fault rowsfile_run(struct rowsfile *file, struct refusal *why, const char *format, ...)
{
	va_list args;
	char *sql;
	int r;

	va_start(args, format);
	sql = sqlite3_vmprintf(format, args);
	va_end(args);
	r = sql == NULL ? SQLITE_NOMEM : sqlite3_exec(file->db, sql, NULL, NULL, NULL);
	sqlite3_free(sql);
	return r == SQLITE_OK ? FAULT_NONE : rowsfile_failed(file, FAULT_ROWS_BUILD, "a statement", why);
}

enum fault rowsfile_prepare(struct rowsfile *file, enum fault fault, sqlite3_stmt **ret_statement, struct refusal *why,
			    const char *format, ...)
{
	va_list args;
	char *sql;
	int r;

	va_start(args, format);
	sql = sqlite3_vmprintf(format, args);
	va_end(args);
	r = sql == NULL ? SQLITE_NOMEM
			: sqlite3_prepare_v3(file->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_statement, NULL);
	sqlite3_free(sql);
	return r == SQLITE_OK ? FAULT_NONE : rowsfile_failed(file, fault, "a statement", why);
}

/* --- opening --------------------------------------------------------------------------------------------------------- */

static int open_db(struct rowsfile *file, int flags)
{
	int r = sqlite3_vfs_register(&file->vfs, 0);

	return r == SQLITE_OK ? sqlite3_open_v2("rows", &file->db, flags | SQLITE_OPEN_NOMUTEX, file->name) : r;
}

/* An unquoted name that is no column is never taken for a text. */
static void forgo_extras(sqlite3 *db)
{
	sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
}

enum fault rowsfile_create(int fd, const int spill_fds[LIMIT_ROWS_SPILLS], uint64_t max_size,
			   struct rowsfile **ret_file, struct refusal *why)
{
	_cleanup_(rowsfile_freep) struct rowsfile *file = new_file(fd, spill_fds, false);
	enum fault fault;

	if (ftruncate(fd, 0) < 0)
		return refuse(why, FAULT_STORAGE, "the SQLite file: %s", strerror(errno));
	if (open_db(file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) != SQLITE_OK)
		return rowsfile_failed(file, FAULT_ROWS_BUILD, "a new file", why);
	forgo_extras(file->db);
	fault = rowsfile_run(file, why,
			     "PRAGMA page_size=%d; PRAGMA encoding='UTF-8'; PRAGMA auto_vacuum=NONE;"
			     "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE;"
			     "PRAGMA temp_store=FILE; PRAGMA cache_size=-%d; PRAGMA max_page_count=%lld;"
			     "PRAGMA secure_delete=OFF",
			     PAGE_SIZE, BUILD_CACHE_KIB, (long long)(max_size / PAGE_SIZE + 1));
	if (fault == FAULT_NONE)
		*ret_file = steal_pointer(&file);
	return fault;
}

enum fault rowsfile_change(int fd, const int spill_fds[LIMIT_ROWS_SPILLS], struct rowsfile **ret_file,
			   struct refusal *why)
{
	_cleanup_(rowsfile_freep) struct rowsfile *file = new_file(fd, spill_fds, false);
	enum fault fault;

	if (open_db(file, SQLITE_OPEN_READWRITE) != SQLITE_OK)
		return rowsfile_failed(file, FAULT_ROWS_BUILD, "a file that is there", why);
	forgo_extras(file->db);
	fault = rowsfile_run(file, why,
			     "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE");
	if (fault == FAULT_NONE)
		*ret_file = steal_pointer(&file);
	return fault;
}

/* What statements of ours do. */
static int authorize(void *ctx, int action, const char *a, const char *b, const char *database, const char *trigger)
{
	(void)ctx;
	(void)a;
	(void)database;
	(void)trigger;
	if (action == SQLITE_FUNCTION)
		return b != NULL && sqlite3_stricmp(b, "count") == 0 ? SQLITE_OK : SQLITE_DENY;
	return action == SQLITE_SELECT || action == SQLITE_READ ? SQLITE_OK : SQLITE_DENY;
}

static void lower_limits(sqlite3 *db)
{
	static const struct {
		int limit, value;
	} limits[] = {
		{SQLITE_LIMIT_LENGTH, (int)(2 * LIMIT_ROW_SIZE)},
		{SQLITE_LIMIT_SQL_LENGTH, (int)LIMIT_ROWS_SQL_SIZE},
		{SQLITE_LIMIT_EXPR_DEPTH, 2 * LIMIT_ROWS_FILTERS + 16},
		{SQLITE_LIMIT_COMPOUND_SELECT, 1},
		{SQLITE_LIMIT_VDBE_OP, 100000},
		{SQLITE_LIMIT_FUNCTION_ARG, 4},
		{SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1},
		{SQLITE_LIMIT_VARIABLE_NUMBER, LIMIT_ROWS_FILTERS + 16},
		{SQLITE_LIMIT_TRIGGER_DEPTH, 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		sqlite3_limit(db, limits[i].limit, limits[i].value);
}

enum fault rowsfile_open(int fd, struct rowsfile **ret_file, struct refusal *why)
{
	_cleanup_(rowsfile_freep) struct rowsfile *file = new_file(fd, NULL, true);

	if (open_db(file, SQLITE_OPEN_READONLY) != SQLITE_OK)
		return rowsfile_failed(file, FAULT_ROWS_DAMAGED, "opening", why);
	forgo_extras(file->db);
	sqlite3_db_config(file->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (rowsfile_run(file, why,
			 "PRAGMA cell_size_check=ON; PRAGMA query_only=ON; PRAGMA temp_store=MEMORY;"
			 "PRAGMA mmap_size=0; PRAGMA cache_size=-%d",
			 READ_CACHE_KIB) != FAULT_NONE)
		return rowsfile_failed(file, FAULT_ROWS_DAMAGED, "opening", why);
	lower_limits(file->db);
	sqlite3_set_authorizer(file->db, authorize, NULL);
	*ret_file = steal_pointer(&file);
	return FAULT_NONE;
}
