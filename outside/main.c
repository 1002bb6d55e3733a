/* SPDX-License-Identifier: ISC
 *
 * clapet-outside: the outside agent, for the steward and for a timer: fetches, checks, signs and bundles what sources/ names. It
 * parses configuration and its own records; every hostile byte is a worker's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/options.h"
#include "bundle/hash.h"
#include "bundle/json.h"
#include "outside/config.h"
#include "outside/logcommand.h"
#include "outside/run.h"
#include "outside/validate.h"

static const char *opt_config = "/etc/clapet/outside.json";
static bool opt_force, opt_json, opt_key, opt_checkpoint;
static uint64_t opt_last;
static const char *opt_reason, *opt_replaced_by;

static struct config *load_config(void)
{
	struct refusal why = {FAULT_NONE, ""};
	struct config *config;

	if (config_load(opt_config, &config, &why) != FAULT_NONE) {
		log_refusal(&why);
		exit(fault_exit(why.fault));
	}
	return config;
}

static int run_check(int argc, char **argv)
{
	(void)argv;
	if (argc > 0)
		die_usage("check takes no arguments");
	return selfcheck_run(opt_config);
}

static int run_sync(int argc, char **argv)
{
	_cleanup_(config_freep) struct config *config = load_config();

	return sync_run(config, argc, argv, opt_force, opt_json);
}

static int run_status(int argc, char **argv)
{
	_cleanup_(config_freep) struct config *config = NULL;

	(void)argv;
	if (argc > 0)
		die_usage("status takes no arguments");
	config = load_config();
	return status_run(config, opt_json);
}

static int run_heartbeat(int argc, char **argv)
{
	_cleanup_(config_freep) struct config *config = NULL;

	(void)argv;
	if (argc > 0)
		die_usage("heartbeat takes no arguments");
	config = load_config();
	return sync_heartbeat(config);
}

static int run_withdraw(int argc, char **argv)
{
	_cleanup_(config_freep) struct config *config = NULL;

	if (argc != 1)
		die_usage("withdraw takes one dataset");
	if (opt_reason == NULL)
		die_usage("withdraw needs --reason");
	config = load_config();
	return withdraw_run(config, argv[0], opt_reason, opt_replaced_by);
}

static int run_log(int argc, char **argv)
{
	_cleanup_(config_freep) struct config *config = NULL;

	(void)argv;
	if (argc > 0)
		die_usage("log takes no arguments");
	config = load_config();
	return log_run(config, opt_key ? LOG_KEY : opt_checkpoint ? LOG_CHECKPOINT : LOG_ENTRIES, opt_last, opt_json);
}

static int run_explain(int argc, char **argv)
{
	enum fault fault;

	if (argc != 1)
		die_usage("explain takes one code");
	fault = fault_by_code(argv[0]);
	if (fault == FAULT_NONE)
		die_usage("there is no code %s", argv[0]);
	printf("E%04u %s: %s\n\nLikely cause: %s\nNext: %s\nExit status: %d\n", (unsigned)fault, fault_word(fault),
	       fault_title(fault), fault_cause(fault), fault_next(fault), fault_exit(fault));
	return 0;
}

static const struct option log_options[] = {
	{"key", 'k', OPTION_FLAG, &opt_key, NULL, "the verifier key alone: what an auditor writes down"},
	{"checkpoint", 0, OPTION_FLAG, &opt_checkpoint, NULL, "the signed checkpoint alone"},
	{"last", 'n', OPTION_NUMBER, &opt_last, "N", "the last N entries (default: all)"},
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "print JSON"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", 'c', OPTION_TEXT, &opt_config, "FILE",
		 "the configuration (default /etc/clapet/outside.json)"},
		{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
	};
	static const struct option sync_options[] = {
		{"force", 'f', OPTION_FLAG, &opt_force, NULL, "fetch and check again, whatever was fetched before"},
		{"json", 0, OPTION_FLAG, &opt_json, NULL, "print JSON"},
		{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
	};
	static const struct option status_options[] = {
		{"json", 0, OPTION_FLAG, &opt_json, NULL, "print JSON"},
		{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
	};
	static const struct option withdraw_options[] = {
		{"reason", 0, OPTION_TEXT, &opt_reason, "TEXT", "what the readers are told (required)"},
		{"replaced-by", 0, OPTION_TEXT, &opt_replaced_by, "NAME", "the dataset that takes its place"},
		{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
	};
	const struct command commands[] = {
		{"check", NULL, "say what would stop a run: configuration, keys, folders, sandbox, sources", NULL, NULL,
		 run_check},
		{"sync", "[DATASET…]", "fetch, check, sign and bundle what is due",
		 "Every source that is due by its `every` is looked at; a DATASET that is named, at any time. A source "
		 "that\n"
		 "fails publishes nothing, keeps its last version and does not stop the others. Where nothing is new "
		 "the\n"
		 "bundle is a heartbeat. Exit status 1 where a source was refused.",
		 sync_options, run_sync},
		{"status", NULL, "what is known of each source; failures first", NULL, status_options, run_status},
		{"heartbeat", NULL, "sign and bundle that we are alive, without looking at any source", NULL, NULL,
		 run_heartbeat},
		{"validate", "[CSV…]", "check CSV files against a schema or a package", validate_details,
		 validate_options, validate_run},
		{"withdraw", "DATASET", "end a dataset, with a reason that its readers are told", NULL,
		 withdraw_options, run_withdraw},
		{"log", NULL, "what was fetched, published, sent, refused: the audit log",
		 "Every entry is proved to be in the tree that the log's checkpoint signs. --checkpoint prints that "
		 "one, to keep\n"
		 "elsewhere: who holds it can prove later that nothing before it was rewritten.",
		 log_options, run_log},
		{"explain", "CODE", "what a code (E1004) means, and what to do", NULL, NULL, run_explain},
		{NULL, NULL, NULL, NULL, NULL, NULL},
	};
	const struct program program = {"clapet-outside",
					"fetches, validates and signs open datasets for a one-way transfer",
					options,
					commands,
					NULL,
					NULL,
					NULL};

	log_set_name("clapet-outside");
	hash_init();
	json_init();
	return program_main(&program, argc, argv);
}
