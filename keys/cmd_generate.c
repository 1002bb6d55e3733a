/* SPDX-License-Identifier: ISC
 *
 * cmd_generate: one key, one file.
 */
#include "keys/cmd.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/notation.h"

static const char *opt_output;
static bool opt_json;

const struct option cmd_generate_options[] = {
	{"output", 'o', OPTION_TEXT, &opt_output, "FILE", "the key file, which must not exist"},
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "print JSON"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

int cmd_generate(int argc, char **argv)
{
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	struct passphrase *passphrase = NULL;
	struct refusal why;
	const char *keyid;

	(void)argc;
	(void)argv;
	if (opt_output == NULL)
		die_usage("generate: --output FILE is missing");
	if (cmd_passphrase(opt_output, true, &passphrase, &why) != FAULT_NONE ||
	    cmd_generate_key(opt_output, passphrase, &key, &why) != FAULT_NONE)
		return cmd_refused(&why);
	keyid = secret_key_public(key)->keyid;
	if (opt_json) {
		fputs("{\"file\": ", stdout);
		notation_json_string(stdout, opt_output);
		printf(", \"keyid\": \"%s\", \"encrypted\": %s}\n", keyid, passphrase != NULL ? "true" : "false");
		return 0;
	}
	printf("%s: a new Ed25519 key, %s\n  keyid  ", opt_output, passphrase != NULL ? "encrypted" : "in the open");
	cmd_print_fingerprint(stdout, keyid, 9);
	return 0;
}
