/* SPDX-License-Identifier: ISC
 *
 * inside-log: one line an event at the end of log/events.log, so that the process that decides cannot rewrite what it
 * said. Links nothing, reads records alone, never reads what it wrote but for the last byte.
 *
 *     RECORD_FOLDER log, RECORD_EVENT…, RECORD_SYNC (flush), RECORD_GO -> RECORD_END; ends when the socket closes
 *     2026-11-22T16:54:00Z switch cog - generation 57
 *     2026-11-22T16:54:02Z refuse - E3101 blob 9f86…: its bytes do not hash to its name
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/ipc.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/worker.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "inside/records.h"

#define LOG_NAME "events.log"
#define LOG_MODE 0640
/* Past this a new file is begun: about a hundred thousand events, which an editor still opens. Old ones are kept: they
 * are the auditor's. */
#define LOG_SIZE_MAX (16 * MIB)
/* Time, event, dataset, code and line, each at its longest, blanks and the newline. */
#define LOG_LINE_SIZE (NOTATION_TIME_SIZE + 32 + NOTATION_NAME_SIZE + 16 + RECORD_LINE_SIZE + 8)

/* The open log. */
struct journal {
	int folder_fd;
	int fd;
	uint64_t size;
};

static int sync_folder(const struct journal *journal)
{
	return fsync(journal->folder_fd) < 0 ? -errno : 0;
}

/* A line that a power cut left without its end gets one, so that the next begins where a line begins. */
static int end_last_line(struct journal *journal)
{
	_cleanup_close_ int fd = fd_open_beneath(journal->folder_fd, LOG_NAME, O_RDONLY | O_NOFOLLOW, 0);
	char last = '\n';

	if (fd < 0)
		return fd;
	if (journal->size > 0 && pread(fd, &last, 1, (off_t)journal->size - 1) != 1)
		return -EIO;
	if (last == '\n')
		return 0;
	journal->size++;
	return fd_write_all(journal->fd, "\n", 1);
}

static int open_journal(struct journal *journal)
{
	struct stat st;
	int r;

	journal->fd = fd_open_beneath(journal->folder_fd, LOG_NAME, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW,
				      LOG_MODE);
	if (journal->fd < 0)
		return journal->fd;
	if (fstat(journal->fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	journal->size = (uint64_t)st.st_size;
	r = end_last_line(journal);
	return r < 0 ? r : sync_folder(journal);
}

/* events.log becomes events-20261122T165400Z.log, after the event that did not fit any more. A second one in the same
 * second waits. */
static int rotate(struct journal *journal, const char *time)
{
	char name[sizeof("events-.log") + NOTATION_TIME_SIZE], *to;
	int r;

	to = stpcpy(name, "events-");
	for (; *time != '\0'; time++)
		if (*time != '-' && *time != ':')
			*to++ = *time;
	strcpy(to, ".log");
	r = fdatasync(journal->fd) < 0 ? -errno : 0;
	if (r < 0)
		return r;
	if (renameat2(journal->folder_fd, LOG_NAME, journal->folder_fd, name, RENAME_NOREPLACE) < 0)
		return errno == EEXIST ? 0 : -errno;
	close(steal_fd(&journal->fd));
	return open_journal(journal);
}

/* One write a line. A line that the disk took only in part is taken back. */
static int append(struct journal *journal, const char *line, size_t length)
{
	int r = fd_write_all(journal->fd, line, length);

	if (r == 0)
		journal->size += length;
	else if (ftruncate(journal->fd, (off_t)journal->size) < 0)
		log_warning("log/" LOG_NAME ": %s", strerror(errno));
	return r;
}

static int log_event(struct journal *journal, const struct record_event *event)
{
	char time[NOTATION_TIME_SIZE], code[16] = "-", line[LOG_LINE_SIZE];
	int length, r = 0;

	notation_format_time(event->time, time);
	if (event->fault != FAULT_NONE)
		snprintf(code, sizeof(code), "E%04u", event->fault);
	length = snprintf(line, sizeof(line), "%s %s %s %s %s\n", time, event->event,
			  event->dataset[0] == '\0' ? "-" : event->dataset, code, event->line);
	if (length < 0 || (size_t)length >= sizeof(line))
		return -EMSGSIZE;
	if (journal->fd < 0)
		r = open_journal(journal);
	if (r == 0 && journal->size + (uint64_t)length > LOG_SIZE_MAX)
		r = rotate(journal, time);
	return r < 0 ? r : append(journal, line, (size_t)length);
}

static int flush(const struct journal *journal)
{
	return journal->fd >= 0 && fdatasync(journal->fd) < 0 ? -errno : 0;
}

static void remember(int r, const char *what, struct refusal *why)
{
	if (r < 0 && why->fault == FAULT_NONE)
		refuse(why, FAULT_STORAGE, "%s of log/" LOG_NAME ": %s", what, strerror(-r));
}

static void answer(int sock, const struct journal *journal, struct refusal *why)
{
	struct record end;

	remember(flush(journal), "fdatasync", why);
	end = record_end(why);
	record_send(sock, &end, -1);
	why->fault = FAULT_NONE;
}

/* Until the other side closes, which is no trouble here: the log outlives many runs. */
static void serve(int sock, struct journal *journal)
{
	struct refusal why = {FAULT_NONE, ""};
	struct record record;
	int r;

	while ((r = ipc_receive(sock, &record, sizeof(record), NULL)) > 0) {
		if (!record_check(&record))
			die("the supervisor sent a record (kind %u) that is out of form", record.kind);
		if (record.kind == RECORD_EVENT)
			remember(log_event(journal, &record.event), "writing", &why);
		else if (record.kind == RECORD_SYNC)
			remember(flush(journal), "fdatasync", &why);
		else if (record.kind == RECORD_GO)
			answer(sock, journal, &why);
		else
			die("protocol: a record (kind %u) that is not for the log", record.kind);
	}
	if (r < 0)
		die("the supervisor's socket: %s", strerror(-r));
	remember(flush(journal), "fdatasync", &why);
	if (why.fault != FAULT_NONE)
		die("%s", why.line);
}

int main(int argc, char **argv)
{
	int sock = worker_enter(argc, argv, "inside-log");
	struct journal journal = {.folder_fd = -1, .fd = -1};
	struct sandbox_folder folder = {-1, SANDBOX_WRITE};
	struct record record;

	umask(0);
	record_receive(sock, &record, &folder.fd);
	if (record.kind != RECORD_FOLDER || record.folder.folder != FOLDER_LOG || folder.fd < 0)
		die("protocol: the log's folder comes first");
	sandbox_enter(SANDBOX_INSIDE_LOG, &folder, 1);

	journal.folder_fd = folder.fd;
	serve(sock, &journal);
	return 0;
}
