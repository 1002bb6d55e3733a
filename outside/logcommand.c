/* SPDX-License-Identifier: ISC
 *
 * logcommand: reads the log by the key that its folder names; whether that is the right one is the auditor's question.
 */
#include "outside/logcommand.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "keys/logshow.h"

static enum fault show(struct log_reader *reader, uint64_t last, bool json, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *array = NULL;
	uint64_t size = log_reader_head(reader)->size, first = last == 0 || last > size ? 0 : size - last;

	if (!json)
		return log_show(reader, first, NULL, NULL, stdout, why);
	if (log_show_json(reader, first, &array, why) != FAULT_NONE)
		return why->fault;
	json_dumpf(array, stdout, JSON_INDENT(1));
	putchar('\n');
	return FAULT_NONE;
}

static enum fault run(const struct config *config, enum log_what what, uint64_t last, bool json, struct refusal *why)
{
	_cleanup_close_ int fd = open(config->log, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(log_reader_freep) struct log_reader *reader = NULL;
	char text[NOTE_VERIFIER_TEXT_SIZE];
	struct note_verifier verifier;

	if (fd < 0)
		return refuse(why, FAULT_FILE, "%s", strerror(errno));
	if (log_verifier_load(fd, &verifier, why) != FAULT_NONE ||
	    log_reader_open(fd, &verifier, &reader, why) != FAULT_NONE)
		return why->fault;
	if (what == LOG_ENTRIES)
		return show(reader, last, json, why);
	note_verifier_format(&verifier, text);
	if (what == LOG_KEY)
		printf("%s\n", text);
	else
		fputs(log_reader_note(reader), stdout);
	return FAULT_NONE;
}

int log_run(const struct config *config, enum log_what what, uint64_t last, bool json)
{
	struct refusal why = {FAULT_NONE, ""};

	if (sodium_init() < 0)
		die("libsodium does not start");
	if (run(config, what, last, json, &why) != FAULT_NONE) {
		refuse_within(&why, "%s", config->log);
		log_refusal(&why);
	}
	if (fflush(stdout) != 0 || ferror(stdout)) {
		log_error("stdout: %s", strerror(errno));
		return fault_exit_worse(fault_exit(why.fault), 2);
	}
	return fault_exit(why.fault);
}
