/* SPDX-License-Identifier: ISC
 *
 * clapet-receive: the inside's end of the one-way link: options and commands. It hears one socket, sends nothing, and writes files that are
 * whole into a folder.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/options.h"
#include "bundle/hash.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "inside/config.h"
#include "inside/receive_calibrate.h"
#include "inside/receive_run.h"
#include "inside/receive_status.h"

static const char *opt_config, *opt_bind, *opt_key, *opt_into;
static uint64_t opt_count, opt_timeout, opt_quota, opt_buffer;
static bool opt_json, opt_prometheus;
/* Stdout's own, for to make one it would ask whether that is a terminal, by a call that the sandbox does not have. */
static char opt_stdout[4096];

static const struct option options[] = {
	{"config", 'c', OPTION_TEXT, &opt_config, "FILE",
	 "clapet-inside's configuration, of which \"link\", or \"incoming\", is taken"},
	{"into", 'o', OPTION_TEXT, &opt_into, "DIR", "the folder that files appear in, whole and verified"},
	{"bind", 'b', OPTION_TEXT, &opt_bind, "ADDRESS:PORT",
	 "where packets arrive: numbers, as 192.0.2.2:4001 or [2001:db8::2]:4001"},
	{"key", 'k', OPTION_TEXT, &opt_key, "FILE", "the link's key (`clapet-keys link`), the same at both ends"},
	{"count", 'n', OPTION_NUMBER, &opt_count, "N", "end after N files"},
	{"timeout", 't', OPTION_NUMBER, &opt_timeout, "SECONDS", "end after so long without data"},
	{"quota", 0, OPTION_NUMBER, &opt_quota, "BYTES",
	 "of what is not whole yet (default 64 GiB); the oldest goes first"},
	{"buffer", 0, OPTION_NUMBER, &opt_buffer, "BYTES", "the kernel's buffer for packets (default 32 MiB)"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const struct option status_options[] = {
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "for machines"},
	{"prometheus", 0, OPTION_FLAG, &opt_prometheus, NULL, "for Prometheus (text exposition format)"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const struct option missing_options[] = {
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "for machines"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const char *demand(const char *name, const char *value)
{
	if (value == NULL)
		die_usage("--%s is needed", name);
	return value;
}

/* Fills in what no option said: from the configuration, where one is named, else from what is usual. */
static struct inside_config *fill_in(void)
{
	struct inside_config *config = NULL;
	struct refusal why = {0};

	if (opt_config != NULL) {
		if (config_load(opt_config, &config, &why) != FAULT_NONE) {
			log_refusal(&why);
			exit(2);
		}
		if (config->link_bind == NULL && opt_bind == NULL && opt_into == NULL)
			die("%s: no \"link\"", opt_config);
		opt_bind = opt_bind == NULL ? config->link_bind : opt_bind;
		opt_key = opt_key == NULL ? config->link_key : opt_key;
		opt_into = opt_into != NULL              ? opt_into
			   : config->link_folder == NULL ? config->incoming
							 : config->link_folder;
		opt_quota = opt_quota == 0 ? (uint64_t)config->link_quota : opt_quota;
		opt_buffer = opt_buffer == 0 ? (uint64_t)config->link_buffer : opt_buffer;
	}
	opt_quota = opt_quota == 0 ? LIMIT_BUNDLE_SIZE : opt_quota;
	opt_buffer = opt_buffer == 0 ? LIMIT_RECEIVE_KERNEL_BUFFER : opt_buffer;
	if (opt_timeout > 366ULL * 86400 || opt_buffer > 1 * GIB || opt_quota > INT64_MAX)
		die_usage("--timeout, --buffer or --quota is out of bounds");
	return config;
}

static int cmd_run(int argc, char **argv)
{
	_cleanup_(config_freep) struct inside_config *config = fill_in();
	const struct receive_options run = {.bind = demand("bind", opt_bind),
					    .key = demand("key", opt_key),
					    .into = demand("into", opt_into),
					    .count = opt_count,
					    .timeout = opt_timeout,
					    .quota = opt_quota,
					    .buffer = opt_buffer};

	(void)argc, (void)argv;
	return receive_run(&run);
}

static int open_state(void)
{
	_cleanup_(config_freep) struct inside_config *config = fill_in();
	_cleanup_close_ int into_fd = receive_open_into(demand("into", opt_into));

	return receive_open_state(into_fd);
}

static int cmd_status(int argc, char **argv)
{
	_cleanup_close_ int fd = open_state();

	(void)argc, (void)argv;
	if (opt_json && opt_prometheus)
		die_usage("--json or --prometheus");
	return receive_status_print(fd, opt_json         ? RECEIVE_STATUS_JSON
					: opt_prometheus ? RECEIVE_STATUS_PROMETHEUS
							 : RECEIVE_STATUS_TEXT);
}

static int cmd_missing(int argc, char **argv)
{
	_cleanup_close_ int fd = open_state(), objects_fd = -1;

	(void)argc, (void)argv;
	objects_fd = receive_open_objects(fd);
	return receive_missing_print(objects_fd, opt_json) > 0 ? 4 : 0;
}

static int cmd_calibrate(int argc, char **argv)
{
	_cleanup_(config_freep) struct inside_config *config = fill_in();

	(void)argc, (void)argv;
	return receive_calibrate(demand("bind", opt_bind), demand("key", opt_key), opt_buffer, opt_timeout, opt_json);
}

static const char run_details[] =
	"A file appears in DIR under its digest, or as a bundle is called, once it is whole, its digest is right and "
	"it is on the "
	"disk. What is not\n"
	"whole stays in DIR/" RECEIVE_FOLDER
	", survives a restart, and is gone on with by the sender's next cycle, or when somebody sends "
	"again what\n"
	"`clapet-receive missing` names. With --count or --timeout it ends: exit status 0 all arrived, 1 something is "
	"missing, whose "
	"digests and\n"
	"generations are on stdout; without, it runs until SIGTERM. It opens one socket and has no call that sends.";
static const char status_details[] = "Of the receiver that runs on DIR, as of the last second: the link (up, degraded, "
				     "down), beacons, the last test "
				     "message; packets received,\n"
				     "lost, twice, out of order, refused; generations whole, repaired, failed, and the "
				     "margin: how many repair symbols "
				     "were left unused in the\n"
				     "poorest block of each. A margin that shrinks is the warning before the loss. "
				     "Exit status 4: nobody writes it any more.";
static const char missing_details[] =
	"A line for each object that is not whole: its digest (its beginning, where no announcement was heard) and its "
	"generations that lack, as\n"
	"`clapet-send` takes them. Exit status: 0 nothing is missing, 4 something is.";

static const char calibrate_details[] = "Start it before `clapet-send calibrate`, whose packets come faster from step "
					"to step. Prints what was lost at each step, "
					"and the rate, the\n"
					"repair and the buffer to use. --timeout: seconds to wait for the first "
					"packet. Exit status 1: none came, or nothing can be "
					"advised.";

static const struct command commands[] = {
	{"run", NULL, "receives; also what is done where no command is named", run_details, NULL, cmd_run},
	{"status", NULL, "is the link well", status_details, status_options, cmd_status},
	{"missing", NULL, "what has not arrived, for whoever sends it again", missing_details, missing_options,
	 cmd_missing},
	{"calibrate", NULL, "hears `clapet-send calibrate`, and advises", calibrate_details, missing_options,
	 cmd_calibrate},
	{NULL, NULL, NULL, NULL, NULL, NULL},
};

static const struct program program = {
	.name = "clapet-receive",
	.summary = "The inside's end of a one-way link: takes what clapet-send sends, whole or not at all.",
	.options = options,
	.commands = commands,
	.run = cmd_run,
	.details = run_details,
};

int main(int argc, char **argv)
{
	setvbuf(stdout, opt_stdout, _IOLBF, sizeof(opt_stdout));
	hash_init();
	json_init();
	link_key_init();
	return program_main(&program, argc, argv);
}
