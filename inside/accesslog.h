/* SPDX-License-Identifier: ISC
 *
 * accesslog: who read what, when, how, and what came of it: JSON lines, a file a day (UTC), kept for months (bundle/FORMAT.md 34.6).
 *
 *     access-2026-11-25.jsonl
 *
 * Who writes a line formats it, copies it into a buffer, and goes on. A thread of its own brings the buffer to the file within a second, and the file
 * to the disk (fdatasync) within a minute, at the day's end and when it is closed: a crash loses a second, a power cut a minute. A disk that is full
 * or slow loses lines, which are counted and said in the log itself; it never holds up an answer.
 */
#ifndef INSIDE_ACCESSLOG_H
#define INSIDE_ACCESSLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

/* One request. Texts may be anything: what is no UTF-8 or too long is replaced or cut. "" or 0 where there is nothing: the member is left out. */
struct accesslog_entry {
	int64_t time;     /* seconds since 1970 */
	const char *key;  /* "k3" */
	const char *peer; /* "192.0.2.7" */
	const char *view;
	const char *method, *path; /* without the query: its values may be a person's */
	const char *const *params; /* the names of its parameters */
	size_t n_params;
	uint64_t generation;
	const char *dataset, *version, *resource;
	const char *const *columns; /* those that were asked for or filtered by; none: all */
	size_t n_columns;
	unsigned status;
	uint64_t rows, bytes;
	const char *encoding; /* "gzip" */
	int64_t microseconds;
	bool is_complete;  /* false: it broke off */
	const char *agent; /* User-Agent */
	uint64_t lost;     /* of a line that says nothing else: how many lines were lost before it */
};

/* Writes the entry as one line with its "\n", at most LIMIT_ACCESSLOG_LINE_SIZE bytes. Returns its size. */
size_t accesslog_format(const struct accesslog_entry *entry, char *line);

struct accesslog;

/* FOLDER_FD is taken. Deletes what is older than KEEP_MONTHS before this month. FAULT_ACCESSLOG_LOST where no file can be written there. */
enum fault accesslog_open(int folder_fd, int64_t keep_months, struct accesslog **ret_log, struct refusal *why);
/* Begins the thread; once, behind the sandbox. Until then lines wait. */
void accesslog_start(struct accesslog *log);
/* From any thread. */
void accesslog_write(struct accesslog *log, const struct accesslog_entry *entry);
/* Lines lost since the start. */
uint64_t accesslog_lost(struct accesslog *log);
/* Writes out what waits. */
void accesslog_close(struct accesslog *log);

/* "access-2026-11-25.jsonl". */
#define ACCESSLOG_NAME_SIZE 24
void accesslog_name(int64_t time, char name[ACCESSLOG_NAME_SIZE]);
/* Whether NAME is such a file's; the first second of its day in *RET (may be NULL). */
bool accesslog_parse_name(const char *name, int64_t *ret_day);

#endif
