/* SPDX-License-Identifier: ISC
 *
 * outside-log: the outside's audit log (keys/journal.h): what was fetched, published and sent, signed by a key that no other process
 * reads. The auditor holds it beside the inside's.
 *
 *     OUTSIDE_LOG_FOLDER, OUTSIDE_EVENT…, OUTSIDE_GO -> OUTSIDE_END
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/sandbox.h"
#include "base/worker.h"
#include "keys/journal.h"
#include "keys/logentry.h"
#include "outside/records.h"

static void log_event(struct journal *journal, const struct outside_event *event, struct refusal *why)
{
	struct log_entry entry = {.time = event->time, .code = event->fault};
	char text[LIMIT_LOG_ENTRY_SIZE];
	size_t size;

	snprintf(entry.event, sizeof(entry.event), "%s", event->event);
	snprintf(entry.dataset, sizeof(entry.dataset), "%s", event->dataset);
	snprintf(entry.version, sizeof(entry.version), "%s", event->version);
	snprintf(entry.line, sizeof(entry.line), "%s", event->line);
	if (event->has_sha256)
		notation_hex(event->sha256.bytes, SHA256_SIZE, entry.sha256);
	if (event->fault != FAULT_NONE)
		log_entry_clause(event->line, entry.clause);
	size = log_entry_format(&entry, text);
	journal_append(journal, text, size, why);
}

/* After a failure nothing more is written; the answer says why. */
static void serve(int sock, struct journal *journal, struct refusal *why)
{
	for (;;) {
		struct outside_record record;
		int fd;

		outside_record_receive(sock, &record, &fd);
		if (fd >= 0 || (record.kind != OUTSIDE_EVENT && record.kind != OUTSIDE_GO))
			die("protocol: a record (kind %u) that is not for the log", record.kind);
		if (record.kind == OUTSIDE_GO)
			return;
		if (why->fault == FAULT_NONE)
			log_event(journal, &record.event, why);
	}
}

int main(int argc, char **argv)
{
	int sock = worker_enter(argc, argv, "outside-log");
	struct sandbox_folder folder = {-1, SANDBOX_WRITE};
	struct refusal why = {FAULT_NONE, ""};
	struct outside_record record;
	char origin[NOTE_NAME_SIZE];
	struct journal *journal = NULL;

	if (sodium_init() < 0)
		die("libsodium does not start");
	umask(0);
	outside_record_receive(sock, &record, &folder.fd);
	if (record.kind != OUTSIDE_LOG_FOLDER || folder.fd < 0)
		die("protocol: the log's folder comes first");
	sandbox_enter(SANDBOX_OUTSIDE_LOG, &folder, 1);

	journal_origin("clapet-outside/", origin);
	journal_open(folder.fd, origin, &journal, &why);
	serve(sock, journal, &why);
	if (why.fault == FAULT_NONE)
		journal_commit(journal, &why);
	record = outside_record_end(&why);
	outside_record_send(sock, &record, -1);
	journal_free(journal);
	return 0;
}
