/* SPDX-License-Identifier: ISC
 *
 * clapet-inside: the supervisor. Parses its configuration and its own documents, never a byte of a bundle; starts workers,
 * believes only fixed records of them, decides what comes in force, and orders it from inside-commit.
 */
#include "base/log.h"
#include "base/options.h"
#include "bundle/hash.h"
#include "bundle/json.h"
#include "inside/cmd.h"
#include "inside/compat_command.h"

static const char *opt_config = "/etc/clapet/inside.json";
static bool opt_json;

const char *cmd_config_path(void)
{
	return opt_config;
}

bool cmd_wants_json(void)
{
	return opt_json;
}

static int cmd_compat(int argc, char **argv)
{
	return compat_run(argc, argv);
}

static const struct option options[] = {
	{"config", 'c', OPTION_TEXT, &opt_config, "FILE", "default /etc/clapet/inside.json"},
	{"json", 'j', OPTION_FLAG, &opt_json, NULL, "JSON on stdout instead of lines for people"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const struct command commands[] = {
	{"init", NULL, "makes the store and anchors its trust", NULL, cmd_init_options, cmd_init},
	{"check", NULL, "looks at configuration, rules, folders, users and sandbox", NULL, NULL, cmd_check},
	{"import", "[BUNDLE…]", "takes bundles in, with all that waits in incoming/", NULL, cmd_import_options,
	 cmd_import},
	{"watch", NULL, "imports whatever arrives, until SIGTERM", NULL, cmd_watch_options, cmd_watch},
	{"status", NULL, "is the link well, is trust well, what waits for me", NULL, cmd_status_options, cmd_status},
	{"list", NULL, "what is in force", NULL, NULL, cmd_list},
	{"history", "[DATASET]", "which generation brought what", NULL, NULL, cmd_history},
	{"missing", NULL, "what has not arrived: a request for a person to carry out", NULL, NULL, cmd_missing},
	{"quarantine", "[DATASET]", "what is held, why, and where its report is", NULL, NULL, cmd_quarantine},
	{"approve", "DATASET", "lets the held version in, by waivers", NULL, cmd_approve_options, cmd_approve},
	{"waivers", NULL, "what was let in, by whom and why", NULL, cmd_waivers_options, cmd_waivers},
	{"withdraw-waiver", "ID", "ends a waiver", NULL, cmd_withdraw_options, cmd_withdraw_waiver},
	{"rollback", "[DATASET]", "puts an older version in force, and pins it", NULL, cmd_rollback_options,
	 cmd_rollback},
	{"pin", "DATASET", "keeps the version in force where it is", NULL, cmd_pin_options, cmd_pin},
	{"release", "DATASET", "ends a pin", NULL, cmd_release_options, cmd_release},
	{"exec", "-- COMMAND…", "runs a command over one consistent set", NULL, cmd_exec_options, cmd_exec},
	{"explain", "[CODE]", "what a code means and what to do", NULL, cmd_explain_options, cmd_explain},
	{"verify", NULL, "checks the whole store: trust, blobs, files, links", NULL, cmd_verify_options, cmd_verify},
	{"compat", "OLD NEW", "may a reader of one schema read data of the other?", compat_details, compat_options,
	 cmd_compat},
	{NULL, NULL, NULL, NULL, NULL, NULL},
};

static const struct program program = {
	.name = "clapet-inside",
	.summary = "Takes signed bundles of open data in, and puts in force what nobody's rule stops.",
	.options = options,
	.commands = commands,
};

int main(int argc, char **argv)
{
	hash_init();
	json_init();
	return program_main(&program, argc, argv);
}
