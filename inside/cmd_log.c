/* SPDX-License-Identifier: ISC
 *
 * cmd_log: the audit log for people: its history, its key, the checkpoint that they carry out on paper, and the names that they
 * may have erased.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/notation.h"
#include "inside/cmd.h"
#include "keys/logread.h"
#include "keys/logshow.h"
#include "keys/qr.h"

/* Puts "log/" before what a reader says of a file. */
static int fail_log(struct refusal *why)
{
	refuse_within(why, "log");
	return cmd_fail(why);
}

/* The log beneath the open store, judged by the key that it names itself: the auditor's question is clapet-audit's. */
static enum fault open_log(const struct inside *inside, struct note_verifier *ret_verifier,
			   struct log_reader **ret_reader, struct refusal *why)
{
	_cleanup_close_ int fd = fd_open_beneath(inside->store_fd, "log", O_RDONLY | O_DIRECTORY, 0);
	enum fault fault;

	if (fd < 0)
		return refuse(why, FAULT_FILE, "%s", strerror(-fd));
	if ((fault = log_verifier_load(fd, ret_verifier, why)) != FAULT_NONE)
		return fault;
	return log_reader_open(fd, ret_verifier, ret_reader, why);
}

/* --- log ------------------------------------------------------------------------------------------------------------- */

static bool opt_key;
static uint64_t opt_last;

const struct option cmd_log_options[] = {
	{"key", 'k', OPTION_FLAG, &opt_key, NULL, "the verifier key alone: what an auditor writes down"},
	{"last", 'n', OPTION_NUMBER, &opt_last, "N", "the last N entries (default: all)"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const char *find_name(void *inside, const char *person)
{
	return logbook_name(inside, person);
}

static int show_entries(struct inside *inside, struct log_reader *reader, uint64_t first)
{
	struct refusal why = {0};
	json_t *array;

	if (!cmd_wants_json())
		return log_show(reader, first, find_name, inside, stdout, &why) == FAULT_NONE ? cmd_end(0)
											      : fail_log(&why);
	return log_show_json(reader, first, &array, &why) == FAULT_NONE ? cmd_print_json(array, 0) : fail_log(&why);
}

int cmd_log(int argc, char **argv)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	_cleanup_(log_reader_freep) struct log_reader *reader = NULL;
	char text[NOTE_VERIFIER_TEXT_SIZE];
	struct note_verifier verifier;
	struct refusal why = {0};
	uint64_t size;
	int status;

	(void)argc, (void)argv;
	if ((status = cmd_open_read(&inside)) != 0)
		return status;
	if (open_log(&inside, &verifier, &reader, &why) != FAULT_NONE)
		return fail_log(&why);
	if (opt_key) {
		note_verifier_format(&verifier, text);
		printf("%s\n", text);
		return cmd_end(0);
	}
	size = log_reader_head(reader)->size;
	return show_entries(&inside, reader, opt_last == 0 || opt_last > size ? 0 : size - opt_last);
}

/* --- checkpoint ------------------------------------------------------------------------------------------------------ */

static bool opt_qr;
static const char *opt_operator;

const struct option cmd_checkpoint_options[] = {
	{"qr", 'q', OPTION_FLAG, &opt_qr, NULL, "as a QR code too, for a camera or a sheet of paper"},
	{"operator", 'o', OPTION_TEXT, &opt_operator, "NAME", "who takes it (default: this account)"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static int show_checkpoint(const struct log_reader *reader, const struct note_verifier *verifier)
{
	char text[NOTE_VERIFIER_TEXT_SIZE], root[SHA256_HEX_SIZE];
	const struct checkpoint *head = log_reader_head(reader);
	const char *note = log_reader_note(reader);
	struct refusal why = {0};

	note_verifier_format(verifier, text);
	sha256_to_hex(&head->root, root);
	if (cmd_wants_json())
		return cmd_print_json(json_pack("{ss ss sI ss ss}", "format", "clapet checkpoint 1", "origin",
						head->origin, "size", (json_int_t)head->size, "root", root, "note",
						note),
				      0);
	fputs(note, stdout);
	if (opt_qr) {
		putchar('\n');
		if (qr_print(stdout, note, true, &why) != FAULT_NONE)
			return cmd_fail(&why);
	}
	printf("\nKeep it where nobody of this machine can change it. It is of %" PRIu64
	       " entries; the key that signed it "
	       "is\n  %s\n",
	       head->size, text);
	return cmd_end(0);
}

/* That one was taken is logged first, so that the paper holds the entry that says so. */
int cmd_checkpoint(int argc, char **argv)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	_cleanup_(log_reader_freep) struct log_reader *reader = NULL;
	char operator[DECISION_OPERATOR_SIZE];
	struct note_verifier verifier;
	struct refusal why = {0};
	int status;

	(void)argc, (void)argv;
	if ((status = cmd_open_work(&inside, 30)) != 0)
		return status;
	if (open_log(&inside, &verifier, &reader, &why) != FAULT_NONE)
		return fail_log(&why);
	inside_operator(opt_operator, operator);
	inside_event_by(&inside, "checkpoint", "", operator, FAULT_NONE,
			"a checkpoint is taken out, past entry %" PRIu64, log_reader_head(reader)->size);
	logbook_note_taken(&inside, log_reader_head(reader)->size + inside.n_events);
	if (crew_log(&inside, &why) != FAULT_NONE)
		return cmd_fail(&why);
	log_reader_free(steal_pointer(&reader));
	if (open_log(&inside, &verifier, &reader, &why) != FAULT_NONE)
		return fail_log(&why);
	return show_checkpoint(reader, &verifier);
}

/* --- forget-person --------------------------------------------------------------------------------------------------- */

int cmd_forget_person(int argc, char **argv)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	struct record_event *event;
	struct refusal why = {0};
	int status;

	if (argc != 1)
		die_usage("forget-person: name one pseudonym, like p1");
	if ((status = cmd_open_work(&inside, 30)) != 0)
		return status;
	if (logbook_forget(&inside, argv[0], &why) != FAULT_NONE)
		return cmd_fail(&why);
	event = inside_event(&inside, "forget-person", "", FAULT_NONE, "the name of %s was erased", argv[0]);
	snprintf(event->person, sizeof(event->person), "%.11s", argv[0]);
	if (crew_log(&inside, &why) != FAULT_NONE)
		return cmd_fail(&why);
	if (!cmd_wants_json())
		printf("the log shows %s without a name from now on; no entry changed\n"
		       "The name may stand in waivers and pins that are kept, and in this machine's journal.\n",
		       argv[0]);
	return cmd_end(0);
}
