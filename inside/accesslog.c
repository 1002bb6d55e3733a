/* SPDX-License-Identifier: ISC
 *
 * accesslog: the buffer, and the thread that brings it to the day's file.
 */
#include "inside/accesslog.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/deadline.h"
#include "bundle/limits.h"
#include "bundle/notation.h"

#define BUFFER_SIZE (LIMIT_ACCESSLOG_BUFFER / 2)
/* The thread is woken when so much waits; and in any case after so many milliseconds. */
#define WAKE_SIZE (BUFFER_SIZE / 8)
#define WAKE_MILLISECONDS 1000
#define SYNC_SECONDS 60
/* An alarm that goes on is said again after so long. */
#define TELL_SECONDS 3600

struct accesslog {
	int folder_fd;
	int64_t keep_months;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	bool has_thread;
	/* Behind the lock: */
	char *filling;
	size_t size, n_lines;
	uint64_t lost, lost_untold; /* since the start; since the log said so last */
	bool is_ending;
	/* The thread's own, and of who opens and closes: */
	char *writing;
	int fd;
	char name[ACCESSLOG_NAME_SIZE];
	int64_t synced, told;
	bool is_cut; /* the file ends in the middle of a line */
};

/* --- names ----------------------------------------------------------------------------------------------------------------- */

void accesslog_name(int64_t time, char name[ACCESSLOG_NAME_SIZE])
{
	char text[NOTATION_TIME_SIZE];

	notation_format_time(time, text);
	snprintf(name, ACCESSLOG_NAME_SIZE, "access-%.10s.jsonl", text);
}

bool accesslog_parse_name(const char *name, int64_t *ret_day)
{
	char day[NOTATION_TIME_SIZE], again[ACCESSLOG_NAME_SIZE];
	int64_t time;

	if (strlen(name) != ACCESSLOG_NAME_SIZE - 1)
		return false;
	snprintf(day, sizeof(day), "%.10sT00:00:00Z", name + strlen("access-"));
	if (!notation_parse_time(day, &time))
		return false;
	accesslog_name(time, again);
	if (strcmp(name, again) != 0)
		return false;
	if (ret_day != NULL)
		*ret_day = time;
	return true;
}

/* Months since the year 0. */
static int64_t month_of(int64_t time)
{
	char text[NOTATION_TIME_SIZE];

	notation_format_time(time, text);
	return strtoll(text, NULL, 10) * 12 + strtoll(text + 5, NULL, 10);
}

static void delete_old(const struct accesslog *log, int64_t now)
{
	_cleanup_closedir_ DIR *dir = NULL;
	int copy = openat(log->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int64_t day;

	dir = copy < 0 ? NULL : fdopendir(copy);
	if (dir == NULL) {
		log_warning("access log: %s: nothing is deleted", strerror(errno));
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		if (accesslog_parse_name(entry->d_name, &day) && month_of(day) < month_of(now) - log->keep_months &&
		    unlinkat(log->folder_fd, entry->d_name, 0) < 0)
			log_warning("access log: %s: %s", entry->d_name, strerror(errno));
}

/* --- the file ---------------------------------------------------------------------------------------------------------------- */

static void close_file(struct accesslog *log)
{
	if (log->fd < 0)
		return;
	if (fdatasync(log->fd) < 0)
		log_warning("access log: %s: %s", log->name, strerror(errno));
	close(log->fd);
	log->fd = -1;
}

/* A file that a crash cut off in the middle of a line gets its end: what is written next is a line of its own. */
static bool ends_cut(int fd)
{
	struct stat st;
	char last = '\n';

	return fstat(fd, &st) == 0 && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
}

/* The file of NOW's day, open at its end; 0 or a negative errno. */
static int open_day(struct accesslog *log, int64_t now)
{
	char name[ACCESSLOG_NAME_SIZE];

	accesslog_name(now, name);
	if (log->fd >= 0 && strcmp(name, log->name) == 0)
		return 0;
	close_file(log);
	log->fd = openat(log->folder_fd, name, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (log->fd < 0)
		return -errno;
	memcpy(log->name, name, sizeof(name));
	log->is_cut = ends_cut(log->fd);
	log->synced = now;
	delete_old(log, now);
	return 0;
}

static size_t count_lines(const char *data, size_t size)
{
	size_t n = 0;

	for (const char *at = data; (at = memchr(at, '\n', size - (size_t)(at - data))) != NULL; at++)
		n++;
	return n;
}

/* Writes what it can. The lines that did not get whole into the file. */
static size_t write_lines(struct accesslog *log, const char *data, size_t size, int *ret_error)
{
	size_t done = 0;

	*ret_error = 0;
	if (size > 0 && log->is_cut && write(log->fd, "\n", 1) == 1)
		log->is_cut = false;
	while (done < size && !log->is_cut) {
		ssize_t n = write(log->fd, data + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (done == size)
		return 0;
	*ret_error = errno == 0 ? ENOSPC : errno;
	log->is_cut = log->is_cut || (done > 0 && data[done - 1] != '\n');
	return count_lines(data + done, size - done);
}

/* --- the thread -------------------------------------------------------------------------------------------------------------- */

static void note_lost(struct accesslog *log, size_t n, int error, int64_t now)
{
	struct refusal why = {0};

	pthread_mutex_lock(&log->lock);
	log->lost += n;
	log->lost_untold += n;
	refuse(&why, FAULT_ACCESSLOG_LOST, "access log: %s: %llu lines were lost since the start",
	       error == 0 ? "more came than could be written" : strerror(error), (unsigned long long)log->lost);
	pthread_mutex_unlock(&log->lock);
	if (log->told != 0 && now - log->told < TELL_SECONDS)
		return;
	log->told = now;
	log_refusal(&why);
}

/* Says in the log itself how many lines are not in it; what could not be written is said the next time. */
static void write_lost(struct accesslog *log, int64_t now)
{
	struct accesslog_entry entry = {.time = now};
	char line[LIMIT_ACCESSLOG_LINE_SIZE];
	int error;

	pthread_mutex_lock(&log->lock);
	entry.lost = log->lost_untold;
	pthread_mutex_unlock(&log->lock);
	if (entry.lost == 0 || write_lines(log, line, accesslog_format(&entry, line), &error) > 0)
		return;
	pthread_mutex_lock(&log->lock);
	log->lost_untold -= entry.lost;
	pthread_mutex_unlock(&log->lock);
	if (log->told == 0)
		log_warning("access log: %llu lines were lost: more came than could be written",
			    (unsigned long long)entry.lost);
	else
		log_info("access log: it is written again; %llu lines were lost", (unsigned long long)entry.lost);
	log->told = 0;
}

/* Brings what waits to the file. */
static void write_out(struct accesslog *log)
{
	const int64_t now = time(NULL);
	int error = -open_day(log, now);
	size_t size, lines, lost;
	char *data;

	pthread_mutex_lock(&log->lock);
	data = log->filling;
	size = log->size;
	lines = log->n_lines;
	log->filling = log->writing;
	log->writing = data;
	log->size = log->n_lines = 0;
	pthread_mutex_unlock(&log->lock);
	lost = error != 0 ? lines : write_lines(log, data, size, &error);
	if (lost > 0)
		note_lost(log, lost, error, now);
	else if (log->fd >= 0)
		write_lost(log, now);
	if (log->fd >= 0 && now >= log->synced + SYNC_SECONDS) {
		if (fdatasync(log->fd) < 0)
			log_warning("access log: %s: %s", log->name, strerror(errno));
		log->synced = now;
	}
}

static void *run(void *ctx)
{
	struct accesslog *log = ctx;
	bool is_ending = false;

	while (!is_ending) {
		struct timespec until = deadline_in(WAKE_MILLISECONDS);

		pthread_mutex_lock(&log->lock);
		while (log->size < WAKE_SIZE && !log->is_ending &&
		       pthread_cond_timedwait(&log->wake, &log->lock, &until) != ETIMEDOUT)
			;
		is_ending = log->is_ending;
		pthread_mutex_unlock(&log->lock);
		write_out(log);
	}
	return NULL;
}

void accesslog_start(struct accesslog *log)
{
	if (log->has_thread)
		return;
	if (pthread_create(&log->thread, NULL, run, log) != 0)
		die("the access log's thread does not start");
	log->has_thread = true;
}

/* --- from outside ---------------------------------------------------------------------------------------------------------------- */

enum fault accesslog_open(int folder_fd, int64_t keep_months, struct accesslog **ret_log, struct refusal *why)
{
	struct accesslog *log = xcalloc(1, sizeof(*log));
	int r;

	log->folder_fd = folder_fd;
	log->keep_months = keep_months;
	log->fd = -1;
	pthread_mutex_init(&log->lock, NULL);
	deadline_cond_init(&log->wake);
	log->filling = xmalloc(BUFFER_SIZE);
	log->writing = xmalloc(BUFFER_SIZE);
	r = open_day(log, time(NULL));
	if (r < 0) {
		accesslog_close(log);
		return refuse(why, FAULT_ACCESSLOG_LOST, "the access log cannot be written: %s", strerror(-r));
	}
	*ret_log = log;
	return FAULT_NONE;
}

void accesslog_write(struct accesslog *log, const struct accesslog_entry *entry)
{
	char line[LIMIT_ACCESSLOG_LINE_SIZE];
	size_t size = accesslog_format(entry, line);
	bool wake = false;

	pthread_mutex_lock(&log->lock);
	if (log->size + size > BUFFER_SIZE) {
		log->lost++;
		log->lost_untold++;
	} else {
		memcpy(log->filling + log->size, line, size);
		wake = log->size < WAKE_SIZE && log->size + size >= WAKE_SIZE;
		log->size += size;
		log->n_lines++;
	}
	pthread_mutex_unlock(&log->lock);
	if (wake)
		pthread_cond_signal(&log->wake);
}

uint64_t accesslog_lost(struct accesslog *log)
{
	uint64_t lost;

	pthread_mutex_lock(&log->lock);
	lost = log->lost;
	pthread_mutex_unlock(&log->lock);
	return lost;
}

void accesslog_close(struct accesslog *log)
{
	if (log == NULL)
		return;
	if (log->has_thread) {
		pthread_mutex_lock(&log->lock);
		log->is_ending = true;
		pthread_mutex_unlock(&log->lock);
		pthread_cond_signal(&log->wake);
		pthread_join(log->thread, NULL);
	}
	if (log->fd >= 0)
		write_out(log);
	close_file(log);
	pthread_cond_destroy(&log->wake);
	pthread_mutex_destroy(&log->lock);
	free(log->filling);
	free(log->writing);
	close(log->folder_fd);
	free(log);
}
