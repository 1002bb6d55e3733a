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
#include "base/text.h"
#include "bundle/hash.h"
#include "bundle/json.h"
#include "bundle/progress.h"
#include "outside/baselinecommand.h"
#include "outside/config.h"
#include "outside/exportcommand.h"
#include "outside/logcommand.h"
#include "outside/mapcommand.h"
#include "outside/patchcommand.h"
#include "outside/prune.h"
#include "outside/reportcommand.h"
#include "outside/run.h"
#include "outside/validate.h"

static const char *opt_config = "/etc/clapet/outside.json";
static bool opt_force, opt_keyframe, opt_json, opt_yes, opt_old_data, opt_forget, opt_key, opt_checkpoint, opt_dry_run;
static uint64_t opt_last;
static struct baseline_options opt_baseline;
static struct export_options opt_export;
static const char *opt_reason, *opt_replaced_by, *opt_to, *opt_html;

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

	return sync_run(config, argc, argv, opt_force, opt_keyframe, opt_json);
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

static int run_report(int argc, char **argv)
{
	_cleanup_(config_freep) struct config *config = NULL;

	if (argc != 1)
		die_usage("report takes one dataset");
	if (opt_json && opt_html != NULL)
		die_usage("report: --json or --html, not both");
	config = load_config();
	return report_run(config, argv[0], opt_json, opt_html);
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

static int run_baseline(int argc, char **argv)
{
	_cleanup_(config_freep) struct config *config = NULL;

	if (argc != 1)
		die_usage("baseline takes one source");
	if (opt_baseline.check && opt_baseline.show)
		die_usage("baseline: --check or --show, not both");
	if (opt_baseline.reason == NULL && !opt_baseline.check && !opt_baseline.show)
		die_usage("baseline needs --reason");
	config = load_config();
	return baseline_run(config, argv[0], &opt_baseline);
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

static int run_pending(int argc, char **argv)
{
	_cleanup_(config_freep) struct config *config = NULL;

	(void)argv;
	if (argc > 0)
		die_usage("pending takes no arguments");
	config = load_config();
	return pending_run(config, opt_json);
}

static int run_cosign(int argc, char **argv)
{
	_cleanup_(config_freep) struct config *config = NULL;

	if (opt_to == NULL && argc == 0)
		die_usage("cosign takes signatures, or --to FOLDER");
	config = load_config();
	return opt_to != NULL ? cosign_write_run(config, opt_to, argc, argv) : cosign_take_run(config, argc, argv);
}

static int run_recover(int argc, char **argv)
{
	_cleanup_(config_freep) struct config *config = NULL;

	if (argc != (opt_forget ? 0 : 1))
		die_usage("recover takes one request, a file or -; or --forget");
	config = load_config();
	return opt_forget ? recover_forget_run(config) : recover_run(config, argv[0], opt_yes, opt_old_data);
}

static int run_resend(int argc, char **argv)
{
	_cleanup_(config_freep) struct config *config = NULL;

	if (argc != 1)
		die_usage("resend takes one request, a file or -");
	config = load_config();
	return resend_run(config, argv[0], opt_dry_run, opt_json);
}

static int run_prune(int argc, char **argv)
{
	_cleanup_(config_freep) struct config *config = NULL;

	(void)argv;
	if (argc > 0)
		die_usage("prune takes no arguments");
	config = load_config();
	return prune_run(config, opt_dry_run, opt_json);
}

static int run_export(int argc, char **argv)
{
	_cleanup_(config_freep) struct config *config = NULL;
	const char *const texts[] = {opt_export.to, opt_export.recipient};

	(void)argv;
	if (argc > 0)
		die_usage("export takes no arguments");
	if (opt_export.to == NULL)
		die_usage("export needs --to FOLDER");
	if (opt_export.all == (opt_export.since != NULL))
		die_usage("export: --since SINCE or --all, one of them");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i] != NULL && !text_is_utf8(texts[i], strlen(texts[i]), NULL))
			die_usage("export: --to and --for are UTF-8");
	opt_export.json = opt_json;
	config = load_config();
	return export_run(config, &opt_export);
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

static const struct option options[] = {
	{"config", 'c', OPTION_TEXT, &opt_config, "FILE", "the configuration (default /etc/clapet/outside.json)"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const struct option sync_options[] = {
	{"force", 'f', OPTION_FLAG, &opt_force, NULL, "fetch and check again, whatever was fetched before"},
	{"keyframe", 'k', OPTION_FLAG, &opt_keyframe, NULL, "send files whole, whatever was sent before"},
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "print JSON"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const struct option status_options[] = {
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "print JSON"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const struct option report_options[] = {
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "print JSON, in the shape of Frictionless's reports"},
	{"html", 0, OPTION_TEXT, &opt_html, "FILE",
	 "write a page for a mail, with the rows at fault (-: to standard output)"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const struct option baseline_options[] = {
	{"reason", 0, OPTION_TEXT, &opt_baseline.reason, "TEXT", "why these faults may pass (required to record)"},
	{"person", 0, OPTION_TEXT, &opt_baseline.person, "NAME", "who says so; default: your account"},
	{"check", 0, OPTION_FLAG, &opt_baseline.check, NULL, "say what would be recorded, and record nothing"},
	{"show", 0, OPTION_FLAG, &opt_baseline.show, NULL, "say what is recorded, and how far it may grow"},
	{"json", 0, OPTION_FLAG, &opt_baseline.json, NULL, "print JSON"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const struct option export_options[] = {
	{"to", 't', OPTION_TEXT, &opt_export.to, "FOLDER", "where the volumes go: a mounted medium (required)"},
	{"since", 's', OPTION_TEXT, &opt_export.since, "SINCE",
	 "what was published since a timestamp's version or a day"},
	{"all", 'a', OPTION_FLAG, &opt_export.all, NULL, "everything that is published: for a new inside"},
	{"volume-size", 0, OPTION_TEXT, &opt_export.volume_size, "SIZE", "at most so large (default: what fits FAT32)"},
	{"for", 0, OPTION_TEXT, &opt_export.recipient, "TEXT", "for whom it is: printed on the slip"},
	{"restart", 0, OPTION_FLAG, &opt_export.restart, NULL, "begin anew, whatever is on other media"},
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "print JSON"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const struct option withdraw_options[] = {
	{"reason", 0, OPTION_TEXT, &opt_reason, "TEXT", "what the readers are told (required)"},
	{"replaced-by", 0, OPTION_TEXT, &opt_replaced_by, "NAME", "the dataset that takes its place"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const struct option cosign_options[] = {
	{"to", 't', OPTION_TEXT, &opt_to, "FOLDER",
	 "write a request for each version that waits, for the second person"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const struct option recover_options[] = {
	{"yes", 'y', OPTION_FLAG, &opt_yes, NULL, "believe a request that is very far ahead"},
	{"forget", 0, OPTION_FLAG, &opt_forget, NULL, "take back an earlier request that was wrong"},
	{"old-data", 0, OPTION_FLAG, &opt_old_data, NULL, "publish the backup's data where a source cannot be read"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const struct option resend_options[] = {
	{"dry-run", 'n', OPTION_FLAG, &opt_dry_run, NULL, "say what would be sent, and how much, and make nothing"},
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "print JSON"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const struct option prune_options[] = {
	{"dry-run", 'n', OPTION_FLAG, &opt_dry_run, NULL, "say how much would go, and remove nothing"},
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "print JSON"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const struct command commands[] = {
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
	{"report", "DATASET", "what the last check of a source found", NULL, report_options, run_report},
	{"heartbeat", NULL, "sign and bundle that we are alive, without looking at any source", NULL, NULL,
	 run_heartbeat},
	{"validate", "[CSV…]", "check CSV files against a schema or a package", validate_details, validate_options,
	 validate_run},
	{"baseline", "SOURCE", "let the faults that the last check found pass from now on",
	 "Records each kind of fault (rule and column) with its number in the source's baseline.json. From then on "
	 "`sync` lets\n"
	 "them pass, says so on both sides, and refuses a kind that is not recorded or one that grew by more than the "
	 "larger of\n"
	 "10 % and 10 (`growth` in that file). Run it again to renew. Nothing is fetched. Bytes that are no CSV, "
	 "labels, and\n"
	 "cells too many or too few never pass.",
	 baseline_options, run_baseline},
	{"map", "CSV", "which columns of a file give a schema's fields, and map lines to paste", map_details,
	 map_options, map_run},
	{"patch", "NEW", "encode a file as what changed since another", patch_details, patch_options, patch_run},
	{"withdraw", "DATASET", "end a dataset, with a reason that its readers are told", NULL, withdraw_options,
	 run_withdraw},
	{"pending", NULL, "what waits for a second signature, or for the holder of the targets key",
	 "Each version with its files, their digests as published and as stored, their rows, and what changed. Exit "
	 "status "
	 "3 where\n"
	 "something waits.",
	 status_options, run_pending},
	{"cosign", "SIGNATURE…", "take in what a second person signed, and publish it",
	 "With --to FOLDER [DATASET…], writes what they are to sign: one small file a version. They look at it and "
	 "sign "
	 "it with\n"
	 "`clapet-keys sign`, on another host. A signature on a version that was replaced, by a key that the "
	 "delegation "
	 "does not\n"
	 "name, a second time, or over other bytes is refused by name, and nothing is signed.",
	 cosign_options, run_cosign},
	{"recover", "REQUEST", "go above what the inside trusts, after a backup was restored",
	 "REQUEST is what `clapet-inside request` printed, as a file or, with -, on standard input. Shows each "
	 "role that\n"
	 "the inside trusts in a version that was not signed here, and from then on signs above it. Sources "
	 "are asked anew\n"
	 "first: heartbeats wait until they were, or old data would come in force. A root cannot be recovered "
	 "so.",
	 recover_options, run_recover},
	{"resend", "REQUEST", "send again what the inside asks for",
	 "REQUEST is what `clapet-inside missing` printed, as a file or, with -, on standard input, photographed or "
	 "typed: "
	 "its last line\n"
	 "proves that it was copied right. The bundle has the current metadata; nothing is signed and no state moves. "
	 "Of a\n"
	 "bundle that crossed the link in part clapet-send sends just what is missing, from the outbox. Exit status 4\n"
	 "where something that is asked for is not here, 1 where this outside is behind the inside (then: recover).",
	 resend_options, run_resend},
	{"export", NULL, "write what is published into volumes, for media or a new inside", export_details,
	 export_options, run_export},
	{"prune", NULL, "remove from the repository what nobody asks for any more",
	 "Metadata whose place others took, `keepAtLeast` ago or longer (30d), but of `keepVersions` older versions of "
	 "each dataset\n"
	 "(3); and what nothing names any more: blobs, plain files. Runs do it once a day. The newest versions with "
	 "their "
	 "keyframes,\n"
	 "what waits for a signature, and every root stay. Nothing goes while a recovery is not complete.",
	 prune_options, run_prune},
	{"log", NULL, "what was fetched, published, sent, refused: the audit log",
	 "Every entry is proved to be in the tree that the log's checkpoint signs. --checkpoint prints that "
	 "one, to keep\n"
	 "elsewhere: who holds it can prove later that nothing before it was rewritten.",
	 log_options, run_log},
	{"explain", "CODE", "what a code (E1004) means, and what to do", NULL, NULL, run_explain},
	{NULL, NULL, NULL, NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
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
	progress_unless(&opt_json);
	return program_main(&program, argc, argv);
}
