/* SPDX-License-Identifier: ISC
 *
 * inside-log: the audit log (keys/journal.h), so that the process that decides cannot rewrite what it said. Makes the log's key and is
 * the only one that reads it. Links libsodium, reads records alone; two documents beside the tree pass through it as bytes.
 *
 *     RECORD_FOLDER log, then RECORD_EVENT…, RECORD_SYNC, RECORD_PUT_DOCUMENT, RECORD_GO -> RECORD_END; ends when the socket closes
 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
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
#include "keys/journal.h"
#include "keys/logentry.h"

#define DOCUMENT_MODE 0640

/* The log, and the first thing that went wrong: what comes after it is not done, and the answer says so. */
struct session {
	int folder_fd;
	struct journal *journal;
	struct refusal why;
};

static void log_event(struct session *session, const struct record_event *event)
{
	struct log_entry entry = {.time = event->time, .code = event->fault};
	char text[LIMIT_LOG_ENTRY_SIZE];
	size_t size;

	snprintf(entry.event, sizeof(entry.event), "%s", event->event);
	snprintf(entry.dataset, sizeof(entry.dataset), "%s", event->dataset);
	snprintf(entry.version, sizeof(entry.version), "%s", event->version);
	snprintf(entry.person, sizeof(entry.person), "%s", event->person);
	snprintf(entry.line, sizeof(entry.line), "%s", event->line);
	if (event->has_sha256)
		notation_hex(event->sha256.bytes, SHA256_SIZE, entry.sha256);
	if (event->fault != FAULT_NONE)
		log_entry_clause(event->line, entry.clause);
	size = log_entry_format(&entry, text);
	journal_append(session->journal, text, size, &session->why);
}

static void put_document(struct session *session, const struct record_document *document, int fd)
{
	const char *name = document->document == DOCUMENT_PEOPLE ? "people.json" : "memory.json";
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r;

	if (fd < 0 || (document->document != DOCUMENT_PEOPLE && document->document != DOCUMENT_MEMORY))
		die("protocol: a document that is not the log's");
	r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : fd_load(fd, LIMIT_JSON_SIZE, &data, &size);
	if (r == 0 && size != document->size)
		die("protocol: a document of another size");
	if (r == 0)
		r = fd_put_durable(session->folder_fd, name, data, size, DOCUMENT_MODE);
	if (r < 0)
		refuse(&session->why, FAULT_STORAGE, "log/%s: %s", name, strerror(-r));
}

/* One record. After a failure nothing more is written: a memory of what was never signed would hide it. */
static void obey(struct session *session, const struct record *record, int fd)
{
	bool is_good = session->why.fault == FAULT_NONE;

	switch ((enum record_kind)record->kind) {
	case RECORD_EVENT:
		if (is_good)
			log_event(session, &record->event);
		break;
	case RECORD_SYNC:
		if (is_good)
			journal_commit(session->journal, &session->why);
		break;
	case RECORD_PUT_DOCUMENT:
		if (is_good)
			put_document(session, &record->document, fd);
		break;
	default:
		die("protocol: a record (kind %u) that is not for the log", record->kind);
	}
}

static void answer(int sock, struct session *session)
{
	struct record end;

	if (session->why.fault == FAULT_NONE)
		journal_commit(session->journal, &session->why);
	end = record_end(&session->why);
	record_send(sock, &end, -1);
}

/* Until the other side closes, which is no trouble here. */
static void serve(int sock, struct session *session)
{
	int r;

	for (;;) {
		struct record record;
		_cleanup_close_ int fd = -1;

		r = ipc_receive(sock, &record, sizeof(record), &fd);
		if (r <= 0)
			break;
		if (!record_check(&record))
			die("the supervisor sent a record (kind %u) that is out of form", record.kind);
		if (record.kind == RECORD_GO)
			answer(sock, session);
		else
			obey(session, &record, fd);
	}
	if (r < 0)
		die("the supervisor's socket: %s", strerror(-r));
}

int main(int argc, char **argv)
{
	int sock = worker_enter(argc, argv, "inside-log");
	struct session session = {.folder_fd = -1};
	struct sandbox_folder folder = {-1, SANDBOX_WRITE};
	char origin[NOTE_NAME_SIZE];
	struct record record;

	if (sodium_init() < 0)
		die("libsodium does not start");
	umask(0);
	record_receive(sock, &record, &folder.fd);
	if (record.kind != RECORD_FOLDER || record.folder.folder != FOLDER_LOG || folder.fd < 0)
		die("protocol: the log's folder comes first");
	sandbox_enter(SANDBOX_INSIDE_LOG, &folder, 1);

	session.folder_fd = folder.fd;
	journal_origin("clapet-inside/", origin);
	journal_open(folder.fd, origin, &session.journal, &session.why);
	serve(sock, &session);
	journal_free(session.journal);
	return 0;
}
