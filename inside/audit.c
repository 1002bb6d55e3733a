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
#include "inside/storeverify.h"

static const char *opt_root, *opt_at;
static bool opt_json;
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

int64_t audit_demand_moment(const char *what, const char *text, bool is_end)
{
	char whole[NOTATION_TIME_SIZE + 16];
	int64_t moment;

	if (notation_parse_time(text, &moment))
		return moment;
	snprintf(whole, sizeof(whole), "%.11s%s", text, is_end ? "T23:59:59Z" : "T00:00:00Z");
	if (!notation_parse_time(whole, &moment))
		die_usage("%s %s: a day is written 2026-03-01, a moment 2026-03-01T12:00:00Z", what, text);
	return moment;
}

bool audit_has_moment(int64_t *ret_at)
{
	if (opt_at != NULL)
		*ret_at = audit_demand_moment("--at", opt_at, true);
	return opt_at != NULL;
}

void audit_enter_sandbox(const struct sandbox_folder *folders, size_t n_folders)
{
	sandbox_set_test_bench(opt_test_bench);
	sandbox_enter(SANDBOX_TOOL, folders, n_folders);
}

/* --- the store ------------------------------------------------------------------------------------------------------- */

static int run_store(int argc, char **argv)
{
	_cleanup_free_ uint8_t *root = NULL;
	size_t root_size;
	int64_t at;

	if (argc != 1)
		die_usage("one STORE");
	audit_load_root(&root, &root_size);
	sandbox_set_test_bench(opt_test_bench);
	if (audit_has_moment(&at))
		return storeverify_run_at(argv[0], root, root_size, at, NULL, opt_json);
	return storeverify_run(argv[0], root, root_size, opt_json);
}

/* --- tables ---------------------------------------------------------------------------------------------------------- */

static const struct option options[] = {
	{"root", 0, OPTION_TEXT, &opt_root, "FILE", "the root metadata to start from (any version that you trust)"},
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "one JSON object a bundle or store"},
	{"test-bench", 0, OPTION_FLAG, &opt_test_bench, NULL,
	 "this machine is a test bench: a missing sandbox only warns"},
	{0},
};

static const struct option at_options[] = {
	{"at", 0, OPTION_TEXT, &opt_at, "DATE",
	 "judge as of that day's end, or of a moment (UTC): 2026-03-01, 2026-03-01T12:00:00Z"},
	{0},
};

static const struct command commands[] = {
	{"bundle", "BUNDLE…", "verify bundles, each by itself",
	 "Passes each file through the gate, verifies every signature from the root, holds every blob against its name "
	 "and against\n"
	 "what the metadata name, and lists what the bundle would bring. With --at what had expired by then is "
	 "refused, as the "
	 "inside\n"
	 "would have refused it.",
	 at_options, audit_run_bundle},
	{"store", "STORE", "verify a whole store, read-only",
	 "Verifies every metadata file of the mirror from the root, the hash of every blob and object, that blobs "
	 "decode to what was\n"
	 "signed, every version, link, mode and owner, and that nothing else lies in the store.\n"
	 "With --at it judges that day instead: which metadata were trusted and whether they were rightly signed and "
	 "valid, which\n"
	 "versions were in force, and what has become of each of their files.",
	 at_options, run_store},
	{0},
};

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "clapet-audit",
		.summary = "verifies a bundle or a store from a root that you trust",
		.options = options,
		.commands = commands,
		.details =
			"Exit status: 0 everything holds, 1 something does not, 2 trouble, 4 a bundle that ends early.",
	};

	log_set_name(program.name);
	hash_init();
	json_init();
	if (sodium_init() < 0)
		die("libsodium does not start");
	tzset(); /* before the sandbox: it reads a file */
	return program_main(&program, argc, argv);
}
