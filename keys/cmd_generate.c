/* SPDX-License-Identifier: ISC
 *
 * cmd_generate: one key, one file; and its public half in another.
 */
#include "keys/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/notation.h"
#include "keys/ceremony_public.h"
#include "keys/words.h"

static const char *opt_output;
static const char *opt_public;
static bool opt_json;

const struct option cmd_generate_options[] = {
	{"output", 'o', OPTION_TEXT, &opt_output, "FILE", "the key file, which must not exist"},
	{"public", 'p', OPTION_TEXT, &opt_public, "FILE", "its public half, in a new file"},
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "print JSON"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

const struct option cmd_public_options[] = {
	{"output", 'o', OPTION_TEXT, &opt_output, "FILE", "the public key file, which must not exist"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static enum fault save_public(const char *path, const struct tuf_key *key, struct refusal *why)
{
	_cleanup_close_ int folder_fd = -1;
	const char *name;
	enum fault fault = cmd_open_new_key(path, false, &folder_fd, &name, why);

	if (fault != FAULT_NONE)
		return fault;
	return cmd_new_key_saved(path, public_key_save(folder_fd, name, key), why);
}

static void say_key(const char *keyid)
{
	struct sha256 sha256;

	printf("  keyid  ");
	cmd_print_fingerprint(stdout, keyid, 9);
	if (sha256_from_hex(keyid, &sha256)) {
		printf("         ");
		words_print(stdout, &sha256, 9);
	}
}

int cmd_public(int argc, char **argv)
{
	_cleanup_close_ int fd = -1;
	struct secret_about about;
	struct refusal why;

	if (opt_output == NULL || argc != 1)
		die_usage("public: a key file and --output FILE are needed");
	fd = open(argv[0], O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		refuse(&why, FAULT_FILE, "%s: %s", argv[0], strerror(errno));
	if (fd < 0 || secret_key_about_fd(fd, argv[0], &about, &why) != FAULT_NONE ||
	    save_public(opt_output, &about.key, &why) != FAULT_NONE)
		return cmd_refused(&why);
	printf("%s: the public half of %s\n", opt_output, argv[0]);
	say_key(about.key.keyid);
	return 0;
}

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
	    cmd_generate_key(opt_output, passphrase, &key, &why) != FAULT_NONE ||
	    (opt_public != NULL && save_public(opt_public, secret_key_public(key), &why) != FAULT_NONE))
		return cmd_refused(&why);
	keyid = secret_key_public(key)->keyid;
	if (opt_json) {
		fputs("{\"file\": ", stdout);
		notation_json_string(stdout, opt_output);
		printf(", \"keyid\": \"%s\", \"encrypted\": %s}\n", keyid, passphrase != NULL ? "true" : "false");
		return 0;
	}
	printf("%s: a new Ed25519 key, %s\n", opt_output, passphrase != NULL ? "encrypted" : "in the open");
	say_key(keyid);
	return 0;
}
