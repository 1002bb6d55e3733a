/* SPDX-License-Identifier: ISC
 *
 * clapet-audit: what the auditor holds in the hand. Verifies a bundle, a whole store or a past day of it from a root metadata
 * file that came another way. Has no state and no configuration, and parses inside the sandbox.
 */
#include "inside/audit.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/options.h"
#include "bundle/hash.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "bundle/progress.h"
#include "inside/moment.h"
#include "inside/storeverify.h"

static const char *opt_root, *opt_at, *opt_since, *opt_from, *opt_to, *opt_log, *opt_entry, *opt_output, *opt_base;
static struct option_list opt_keys, opt_key_files;
static bool opt_json, opt_proof;
static bool opt_test_bench;

/* --- what all share -------------------------------------------------------------------------------------------------- */

bool audit_wants_json(void)
{
	return opt_json;
}

void audit_load_root(uint8_t **ret_data, size_t *ret_size)
{
	int r;

	if (opt_root == NULL)
		die_usage("--root FILE is needed: the root metadata that you trust");
	r = fd_load_file(AT_FDCWD, opt_root, LIMIT_ROOT_SIZE, ret_data, ret_size);
	if (r < 0)
		die("%s: %s", opt_root, strerror(-r));
}

bool audit_has_moment(int64_t *ret_at)
{
	if (opt_at != NULL)
		*ret_at = moment_demand("--at", opt_at, true);
	return opt_at != NULL;
}

void audit_enter_sandbox(const struct sandbox_folder *folders, size_t n_folders)
{
	sandbox_set_test_bench(opt_test_bench);
	sandbox_enter(SANDBOX_TOOL, folders, n_folders);
}

const char *audit_base(void)
{
	return opt_base;
}

const char *audit_entry(void)
{
	return opt_entry;
}

bool audit_wants_proof(void)
{
	return opt_proof;
}

const char *audit_output(void)
{
	return opt_output;
}

const char *audit_log_folder(void)
{
	return opt_log;
}

bool audit_has_keys(void)
{
	return opt_keys.n_items + opt_key_files.n_items > 0;
}

void audit_load_keys(struct audit_keys *ret_keys)
{
	struct audit_keys keys = {.n_texts = 0};

	if (!audit_has_keys())
		die_usage("--key KEY is needed: the log's verifier key, as its first checkpoint came with it on paper");
	if (opt_keys.n_items + opt_key_files.n_items > TRAIL_KEYS_MAX)
		die_usage("--key: at most %d", TRAIL_KEYS_MAX);
	for (size_t i = 0; i < opt_keys.n_items; i++)
		keys.texts[keys.n_texts++] = xstrdup(opt_keys.items[i]);
	for (size_t i = 0; i < opt_key_files.n_items; i++) {
		uint8_t *data;
		size_t size;
		int r = fd_load_file(AT_FDCWD, opt_key_files.items[i], NOTE_VERIFIER_TEXT_SIZE, &data, &size);

		if (r < 0)
			die("%s: %s", opt_key_files.items[i], strerror(-r));
		data[strcspn((char *)data, "\r\n")] = '\0';
		keys.texts[keys.n_texts++] = (char *)data;
	}
	*ret_keys = keys;
}

void audit_parse_keys(struct audit_keys *keys, struct trail_keys *ret_keys)
{
	struct refusal why;

	ret_keys->n_items = 0;
	for (size_t i = 0; i < keys->n_texts; i++) {
		if (note_verifier_parse(keys->texts[i], &ret_keys->items[ret_keys->n_items++], &why) != FAULT_NONE)
			die("--key: %s", why.line);
		free(keys->texts[i]);
	}
	keys->n_texts = 0;
}

bool audit_has_range(void)
{
	return opt_from != NULL || opt_to != NULL;
}

void audit_demand_range(int64_t *ret_from, int64_t *ret_to)
{
	*ret_from = opt_from == NULL ? 0 : moment_demand("--from", opt_from, false);
	*ret_to = opt_to == NULL ? INT64_MAX : moment_demand("--to", opt_to, true);
	if (*ret_from > *ret_to)
		die_usage("--from is later than --to");
}

bool audit_has_since(void)
{
	return opt_since != NULL;
}

uint8_t *audit_load_since(size_t *ret_size)
{
	uint8_t *data = NULL;
	int r;

	if (opt_since == NULL)
		return NULL;
	r = fd_load_file(AT_FDCWD, opt_since, LIMIT_CHECKPOINT_SIZE, &data, ret_size);
	if (r < 0)
		die("%s: %s", opt_since, strerror(-r));
	return data;
}

void audit_print_findings(const struct findings *findings)
{
	for (size_t i = 0; i < findings->n_faults_kept; i++) {
		printf("{\"fault\": \"E%04u\", \"message\": ", (unsigned)findings->faults[i].fault);
		notation_json_string(stdout, findings->faults[i].line);
		fputs("}\n", stdout);
	}
	for (size_t i = 0; i < findings->n_notes_kept; i++) {
		fputs("{\"note\": ", stdout);
		notation_json_string(stdout, findings->notes[i]);
		fputs("}\n", stdout);
	}
}

/* --- the store ------------------------------------------------------------------------------------------------------- */

/* The log that tells of a past day. */
struct past {
	struct trail trail;
	struct audit_keys texts;
};

/* Without a key there is nobody to believe: then the dates that are signed in metadata have to do. */
static void find_past(const char *store, struct past *past)
{
	if (!audit_has_keys())
		return;
	audit_load_keys(&past->texts);
	trail_find(opt_log == NULL ? store : opt_log, &past->trail);
}

static bool read_past(void *ctx, struct history *history, struct findings *findings)
{
	struct past *past = ctx;
	struct trail_keys keys;

	audit_parse_keys(&past->texts, &keys);
	if (!trail_open(&past->trail, &keys, findings) || !trail_verify(&past->trail, findings))
		return false;
	trail_history(&past->trail, history, findings);
	return true;
}

static int run_store(int argc, char **argv)
{
	_cleanup_free_ uint8_t *root = NULL;
	struct past past = {.trail = TRAIL_NONE};
	struct storeverify_log log = {-1, read_past, &past};
	size_t root_size;
	int64_t at;
	int status;

	if (argc != 1)
		die_usage("one STORE");
	audit_load_root(&root, &root_size);
	sandbox_set_test_bench(opt_test_bench);
	if (audit_has_moment(&at)) {
		find_past(argv[0], &past);
		log.fd = past.trail.folder_fd;
		status = storeverify_run_at(argv[0], root, root_size, at, log.fd < 0 ? NULL : &log, opt_json);
		trail_clear(&past.trail);
		return status;
	}
	return storeverify_run(argv[0], root, root_size, opt_json);
}

/* --- tables ---------------------------------------------------------------------------------------------------------- */

#define KEY_OPTIONS                                                                                                    \
	{                                                                                                              \
		"key",     0,     OPTION_LIST,                                                                         \
		&opt_keys, "KEY", "a log's verifier key: name+hash+base64, from paper or another host"},               \
	{                                                                                                              \
		"key-file", 0, OPTION_LIST, &opt_key_files, "FILE", "the same, in a file"                              \
	}
#define RANGE_OPTIONS                                                                                                  \
	{"from", 0, OPTION_TEXT, &opt_from, "DATE", "from the beginning of that day, or from a moment (UTC)"},         \
	{                                                                                                              \
		"to", 0, OPTION_TEXT, &opt_to, "DATE", "to the end of that day, or to a moment (UTC)"                  \
	}
#define SINCE_OPTION                                                                                                   \
	{                                                                                                              \
		"since", 0, OPTION_TEXT, &opt_since, "FILE",                                                           \
			"an older checkpoint (a file, a QR's text, or its three lines typed from paper): nothing "     \
			"before it was rewritten"                                                                      \
	}

static const struct option options[] = {
	{"root", 0, OPTION_TEXT, &opt_root, "FILE", "the root metadata to start from (any version that you trust)"},
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "for machines: one JSON object, or one a line"},
	{"test-bench", 0, OPTION_FLAG, &opt_test_bench, NULL,
	 "this machine is a test bench: a missing sandbox only warns"},
	{0},
};

#define AT_OPTION                                                                                                      \
	{                                                                                                              \
		"at", 0, OPTION_TEXT, &opt_at, "DATE",                                                                 \
			"judge as of the end of that day, or of a moment (UTC): 2026-03-01, 2026-03-01T12:00:00Z"      \
	}

static const struct option bundle_options[] = {AT_OPTION, {0}};
static const struct option store_options[] = {
	AT_OPTION,
	KEY_OPTIONS,
	{"log", 0, OPTION_TEXT, &opt_log, "FOLDER",
	 "with --at: the log, where it is not the store's own (a copy of its folder)"},
	{0},
};
static const struct option compare_options[] = {KEY_OPTIONS, RANGE_OPTIONS, {0}};
static const struct option report_options[] = {
	KEY_OPTIONS,
	RANGE_OPTIONS,
	{"output", 0, OPTION_TEXT, &opt_output, "FILE", "where the report goes: a new file"},
	SINCE_OPTION,
	{"log", 0, OPTION_TEXT, &opt_log, "FOLDER", "the log, where it is not the store's own (a copy of its folder)"},
	{0},
};
static const struct option log_options[] = {
	KEY_OPTIONS,
	SINCE_OPTION,
	RANGE_OPTIONS,
	{"entry", 0, OPTION_TEXT, &opt_entry, "N", "this entry alone, proved to be in the tree"},
	{"proof", 0, OPTION_FLAG, &opt_proof, NULL,
	 "print the proof as JSON: of --entry, of consistency with --since, or both"},
	{0},
};

static const struct option decode_options[] = {
	{"base", 'b', OPTION_TEXT, &opt_base, "OLD", "the file that a patch was made against"},
	{"output", 'o', OPTION_TEXT, &opt_output, "FILE", "where the plain file goes: a new file (required)"},
	{0},
};

static const struct command commands[] = {
	{"bundle", "BUNDLE…", "verify bundles, each by itself",
	 "Passes each file through the gate, verifies every signature from the root, holds every blob against its name "
	 "and against\n"
	 "what the metadata name, the signature of every attestation, and lists what the bundle would bring. With --at "
	 "what had expired by then is "
	 "refused, as the inside\n"
	 "would have refused it.",
	 bundle_options, audit_run_bundle},
	{"store", "STORE", "verify a whole store, or a past day of it",
	 "Verifies every metadata file of the mirror from the root, the hash of every blob and object, that blobs "
	 "decode to what was\n"
	 "signed, every attestation, version, link, mode and owner, and that nothing else lies in the store.\n"
	 "With --at it judges that day instead: which metadata were trusted, whether they were rightly signed and "
	 "valid, which versions\n"
	 "were in force, and what has become of each of their files: here, deleted by a rule, or gone. With --key the "
	 "log says what was\n"
	 "in force; without, the dates in the metadata and the generations that are still here.",
	 store_options, run_store},
	{"compare", "OUTSIDE-LOG INSIDE-LOG", "hold what was sent against what arrived",
	 "Verifies both logs, each by the --key of its name, then matches bundles by their digests: which were sent "
	 "and did not\n"
	 "arrive, which arrived and were never sent, which were refused inside and why, and how long they were on the "
	 "way. What was\n"
	 "sent after the last one that arrived is in flight. Exit status: 0 they agree, 1 something arrived that was "
	 "never sent,\n"
	 "4 something that was sent has not arrived.",
	 compare_options, audit_run_compare},
	{"report", "STORE", "one page on a period, to attach to a file",
	 "Verifies the log and the store's metadata, and writes one page of HTML that needs nothing else: what came in "
	 "and when, with\n"
	 "both digests (as published, as stored) and sources; what was refused or held, and why; what persons decided; "
	 "what a rule\n"
	 "deleted; alarms; the checkpoint, and whether all of it holds. With --json the same as JSON. --output must "
	 "not be there yet.",
	 report_options, audit_run_report},
	{"log", "LOG", "verify a log, and read its history",
	 "LOG is a log's folder, or a store. The checkpoint must be signed by --key; every tile must make its root, "
	 "every entry hash\n"
	 "to its leaf, and no other file may lie there. With --since nothing that the older checkpoint covers was "
	 "changed, and nothing\n"
	 "was taken back. Then the history is printed, all of it or --from --to, or one --entry with its proof.",
	 log_options, audit_run_log},
	{"blob", "BLOB", "say what a blob is: its encoding, base, segments, sizes", NULL, NULL, audit_run_blob},
	{"decode", "BLOB", "make the plain file of a blob, and print its digest",
	 "Zstd frames are read as `zstd -d` reads them; a patch is decoded with its base, whose digest it names.",
	 decode_options, audit_run_decode},
	{0},
};

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "clapet-audit",
		.summary = "checks from outside what came in, and why: believes a root and a key, nothing else",
		.options = options,
		.commands = commands,
		.details = "What an auditor does first:\n"
			   "  1. get the root and the log's key from the key ceremony, not from the machine that is "
			   "audited\n"
			   "  2. clapet-audit --root 1.root.json store STORE                        is what is in "
			   "force what was signed?\n"
			   "  3. clapet-audit log STORE --key KEY --since LAST-CHECKPOINT           was the history "
			   "rewritten since last time?\n"
			   "  4. clapet-audit compare OUTSIDE-LOG STORE --key … --key …             did all that was "
			   "sent arrive, and nothing else?\n"
			   "  5. clapet-audit --root 1.root.json report STORE --key KEY --from 2026-01-01 --to "
			   "2026-03-31 --output report.html\n"
			   "Keep the newest checkpoint on paper when you leave (`clapet-inside checkpoint --qr`): it "
			   "is what step 3 needs next time.\n"
			   "\n"
			   "Exit status: 0 everything holds, 1 something does not, 2 trouble, 4 something has not "
			   "arrived or is not known.",
	};

	log_set_name(program.name);
	hash_init();
	json_init();
	progress_unless(&opt_json);
	if (sodium_init() < 0)
		die("libsodium does not start");
	tzset(); /* before the sandbox: it reads a file */
	return program_main(&program, argc, argv);
}
