/* SPDX-License-Identifier: ISC
 *
 * clapet-inside: the supervisor. Parses its configuration and its own documents, never a byte of a bundle; starts workers,
 * believes only fixed records of them, decides what comes in force, and orders it from inside-commit.
 */
#include <sodium.h>

#include "base/log.h"
#include "base/options.h"
#include "bundle/hash.h"
#include "bundle/json.h"
#include "bundle/progress.h"
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
	return compat_run(opt_json, argc, argv);
}

static const struct option options[] = {
	{"config", 'c', OPTION_TEXT, &opt_config, "FILE", "the configuration (default /etc/clapet/inside.json)"},
	{"json", 'j', OPTION_FLAG, &opt_json, NULL, "JSON on stdout instead of lines for people"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

/* What `COMMAND --help` says beside its options. */
static const char init_details[] = "Makes the folders store, incoming and spool where they are missing, and the store "
				   "in it. FILE is the outside's\n"
				   "1.root.json (or a later root), carried in by hand: compare the digest that is "
				   "printed with the outside's before the\n"
				   "first import. A store that is there is never made anew.";
static const char import_details[] =
	"Copies each BUNDLE into incoming/, then works through all that is there in the order of names. What a bundle\n"
	"gave is durable before it is deleted; a refused one goes to incoming/refused/, an incomplete one stays and is "
	"tried\n"
	"again. Of a FOLDER (a medium; nothing is written to it) all *.tar are taken, in any order; other files are "
	"left "
	"alone.\n"
	"What SHA256SUMS beside them finds half-copied, damaged or lacking is named and left out: exit status 4.\n"
	"Volumes that were imported before are superseded: exit status 0. Without BUNDLE it also finishes a run that "
	"was "
	"cut\n"
	"off, and judges anew after a changed contract or policy.";
static const char watch_details[] = "The service's command: like import, whenever something arrives in incoming/ and "
				    "at least every --interval. SIGTERM\n"
				    "lets the bundle under way end.";
static const char serve_details[] =
	"Runs inside-serve in its place: it listens where the configuration's \"serve\" says, reads "
	"the store and writes nothing but\n"
	"its access log. Under systemd it is the service clapet-inside-serve, with an account of "
	"its own.";
static const char status_details[] =
	"With --check the exit status is that of a monitoring plugin: 0 OK, 1 warning (held, missing, stale), 2 "
	"critical\n"
	"(silence, expiry, refused), 3 unknown. Without it: 0, or the worst of what stands, as for import.";
static const char show_details[] =
	"Reads the two attestations of the version in force, or of VERSION: from which address, "
	"when, the digests as\n"
	"published and as stored, by which Clapet, and which rules were kept.";
static const char history_details[] =
	"Without DATASET: which generation brought what. Of one dataset every version that is remembered, the newest "
	"first: when it\n"
	"was in force, the bytes of its files and of the blobs they came in, and whether its files are here, "
	"rebuildable "
	"from\n"
	"blobs that are kept, or gone.";
static const char checkout_details[] =
	"VERSION is named by its first digits (4 at least), or chosen by --as-of; by default it is the one in force. "
	"What "
	"is not here\n"
	"as files is rebuilt from the blobs that it travelled in; every file is held against its signed digest, and "
	"DIR "
	"appears when\n"
	"all of them are whole, or not at all. Exit status 4: the blobs are not kept any more.";
static const char diff_details[] =
	"What changed from V1 to V2, by each table's primary key: rows added, removed, changed, and in which columns. "
	"Versions are\n"
	"named by their first digits (4 at least). Without them: from the version that was in force before to the one "
	"in force;\n"
	"with one: from it to the one in force. --as-of stands for V1. A table without a primary key is compared by "
	"whole rows, of which "
	"there may be\n"
	"several alike. Cells are compared as texts. Exit status 0, whether there are differences or not; 4: a "
	"version's "
	"blobs\n"
	"are not kept any more.";
static const char missing_details[] =
	"Up to 20 objects by the first ten digits of their hash; beyond that, all of a "
	"dataset since it was last whole here. Of a bundle that crossed the link in part\n"
	"its missing generations. "
	"On a terminal\n"
	"as a QR code, too. Standard output is the request alone; what it discloses is "
	"said on standard error. It is for "
	"`clapet-outside\n"
	"resend`. Exit status 4 where something is missing.";
static const char request_details[] =
	"Names the newest version of each role that is trusted here. An outside that was restored from a backup signs "
	"lower\n"
	"ones, which are refused: `clapet-outside recover` takes the request and goes above them. Standard output is "
	"the request\n"
	"alone; what it discloses is said on standard error.";
static const char quarantine_details[] =
	"Every reason, with application, field and rule as `approve` wants them; what "
	"was promised and what is, or the\n"
	"first row at fault with its value; whom the contract says to tell. Exit status 3 "
	"where something is held.";
static const char approve_details[] = "Makes one waiver for each reason that holds the version and that the options "
				      "choose (all of them, without any).\n"
				      "A waiver goes on for later versions until it ends, is withdrawn, or that "
				      "contract changes. --reason is required.\n"
				      "Signatures, hashes, versions, expiry, formats and limits can never be approved.";
static const char withdraw_details[] =
	"ID is what `waivers` lists (w1). What it let in stays in force; later versions are judged without it.";
static const char rollback_details[] = "DATASET goes back to the version that was in force before, or to the one that "
				       "--to or --generation chooses, and is\n"
				       "pinned there: later versions are verified, kept and held until `release`. "
				       "--reason is required. Trust never goes back.\n"
				       "What `history` calls rebuildable is rebuilt first. Exit status 4: its blobs "
				       "are not kept any more.";
static const char pin_details[] = "Later versions are verified, kept and held until `release`, or until the end that "
				  "--until gives. --reason is required.";
static const char release_details[] = "The newest trusted version then goes in force, unless something else holds it.";
static const char log_details[] =
	"Every entry is proved to be in the tree that the checkpoint signs, by the key that the "
	"folder names. Whether that is\n"
	"the right key, and the same history as before, is clapet-audit's question. BY shows "
	"names where they were not erased.";
static const char checkpoint_details[] = "Prints the signed checkpoint, and logs that it was taken. Who holds it can "
					 "prove later that nothing before it was\n"
					 "rewritten. `status` asks for it when none was taken for 35 days.";
static const char forget_details[] =
	"ID is what `log` shows (p1). The entries keep the pseudonym, and the tree still verifies.";
static const char rows_details[] =
	"The configuration's \"rows\" says of which datasets. An import builds them by itself; this is for those that "
	"were switched\non later, or could not be built. Exit status: 0 all are here, 2 one could not be built.";
static const char exec_details[] = "COMMAND runs in the folder of the generation in force, which stays there as long "
				   "as it runs; CLAPET_GENERATION and\n"
				   "CLAPET_STORE are set. The exit status is the command's.";
static const char verify_details[] = "Reads everything, changes nothing. Exit status 0: whole; 1: something is not "
				     "what was signed, each named by a line.";

static const char contracts_details[] =
	"Each contract of the configured folder against the generation in force: the schema, and, where only rows can "
	"tell, the\n"
	"rows in the store. Exit status: 0 all are kept, 1 one is broken (each break is for the team that CONTACT "
	"names), 4\n"
	"nothing of a dataset is in force.";
static const char contract_from_details[] =
	"Of the fields that --fields names: type, format, constraints, and the keys all of whose columns are used. "
	"Save it as\n"
	"APPLICATION.json in the folder of contracts; `check` then looks at it. SCHEMA is a Table Schema or a "
	"datapackage.json.\n"
	"Exit status: 0 printed, 1 it cannot be made (a field that the schema does not have), 2 trouble.";

static const char key_details[] = "`key add` makes a key and shows it once, on standard output; kept is its digest. "
				  "`key list` shows whose they are and what they\n"
				  "read. `key accept ID` records that its owner accepted a licence of access.json, in "
				  "the text that stands there. `key rotate ID`\n"
				  "makes the next key of the same owner; the old one goes on for --overlap. `key "
				  "revoke ID` ends one. A private dataset or view is\n"
				  "read by the keys that name it; what is open needs none.";

static const char usage_details[] = "Sums the access log of inside-serve by application (the key's) and dataset; names "
				    "the columns of contracts that nobody asked\n"
				    "for, and who reads what no contract of theirs names. A file that was read whole "
				    "counts as all of its columns. Readers of\n"
				    "the mounted store are not in that log.";

static const struct command commands[] = {
	{"init", NULL, "makes the store and anchors its trust", init_details, cmd_init_options, cmd_init},
	{"check", NULL, "looks at configuration, rules, folders, users and sandbox", NULL, cmd_check_options,
	 cmd_check},
	{"import", "[BUNDLE|FOLDER…]", "takes bundles in, with all that waits in incoming/", import_details,
	 cmd_import_options, cmd_import},
	{"watch", NULL, "imports whatever arrives, until SIGTERM", watch_details, cmd_watch_options, cmd_watch},
	{"status", NULL, "is the link well, is trust well, what waits for me", status_details, cmd_status_options,
	 cmd_status},
	{"list", NULL, "what is in force", NULL, NULL, cmd_list},
	{"history", "[DATASET]", "which generation brought what; every version of a dataset", history_details,
	 cmd_history_options, cmd_history},
	{"checkout", "DATASET [VERSION]", "the files of a version, older ones too, in a new folder", checkout_details,
	 cmd_checkout_options, cmd_checkout},
	{"show", "DATASET [VERSION]", "where a version came from, how it was made and tested", show_details, NULL,
	 cmd_show},
	{"diff", "DATASET[/RESOURCE] [V1 [V2]]", "what changed from one version to another", diff_details,
	 cmd_diff_options, cmd_diff},
	{"rows", "[DATASET…]", "SQLite files beside the versions in force, where they are lacking", rows_details,
	 cmd_rows_options, cmd_rows},
	{"missing", NULL, "what has not arrived: a request for a person to carry out", missing_details,
	 cmd_missing_options, cmd_missing},
	{"request", NULL, "the request, whether anything is missing or not", request_details, cmd_request_options,
	 cmd_request},
	{"quarantine", "[DATASET]", "what is held, why, whom to tell, and where its report is", quarantine_details,
	 cmd_quarantine_options, cmd_quarantine},
	{"approve", "DATASET", "lets the held version in, by waivers", approve_details, cmd_approve_options,
	 cmd_approve},
	{"waivers", NULL, "what was let in, by whom and why", NULL, cmd_waivers_options, cmd_waivers},
	{"withdraw-waiver", "ID", "ends a waiver", withdraw_details, cmd_withdraw_options, cmd_withdraw_waiver},
	{"rollback", "[DATASET]", "puts an older version in force, and pins it", rollback_details, cmd_rollback_options,
	 cmd_rollback},
	{"pin", "DATASET", "keeps the version in force where it is", pin_details, cmd_pin_options, cmd_pin},
	{"release", "DATASET", "ends a pin", release_details, cmd_release_options, cmd_release},
	{"log", NULL, "what happened: the audit log", log_details, cmd_log_options, cmd_log},
	{"checkpoint", NULL, "the log's signed head, to take out on paper", checkpoint_details, cmd_checkpoint_options,
	 cmd_checkpoint},
	{"forget-person", "ID", "erases the name behind a pseudonym of the log", forget_details, NULL,
	 cmd_forget_person},
	{"exec", "-- COMMAND…", "runs a command over one consistent set", exec_details, cmd_exec_options, cmd_exec},
	{"explain", "[CODE]", "what a code means and what to do", NULL, cmd_explain_options, cmd_explain},
	{"serve", NULL, "answers readers over HTTP (inside-serve)", serve_details, NULL, cmd_serve},
	{"verify", NULL, "checks the whole store: trust, blobs, files, links", verify_details, cmd_verify_options,
	 cmd_verify},
	{"key", "add|list|accept|rotate|revoke [ID]", "the keys of readers, for inside-serve", key_details,
	 cmd_key_options, cmd_key},
	{"usage", NULL, "who reads what over HTTP, and what nobody reads", usage_details, cmd_usage_options, cmd_usage},
	{"contracts", NULL, "who reads what, and whether what is in force keeps it", contracts_details,
	 cmd_contracts_options, cmd_contracts},
	{"contract-from", "SCHEMA|DATASET/RESOURCE", "prints a contract, ready to save", contract_from_details,
	 cmd_contract_from_options, cmd_contract_from},
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
	progress_unless(&opt_json);
	if (sodium_init() < 0)
		die("libsodium does not start");
	return program_main(&program, argc, argv);
}
