/* SPDX-License-Identifier: ISC
 *
 * clapet-keys: makes, shows and uses the keys of a repository. The ceremonies of a repository are this program's;
 * everyday signing is outside-sign's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/hash.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "keys/cmd.h"

static bool opt_no_passphrase;
static uint64_t opt_passphrase_fd = UINT64_MAX;
/* Read once: a descriptor has no second reading. */
static struct passphrase *opt_passphrase;

static const struct option options[] = {
	{"passphrase-fd", 0, OPTION_NUMBER, &opt_passphrase_fd, "N", "read the passphrase from descriptor N, one line"},
	{"no-passphrase", 0, OPTION_FLAG, &opt_no_passphrase, NULL,
	 "write new keys in the open; who reads the file has the key"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const struct command commands[] = {
	{"init", NULL, "makes keys and the first metadata of a repository",
	 "Creates the keys of the roles targets, snapshot and timestamp in the folder of --keys, the root key in the "
	 "file of\n"
	 "--root-key (which belongs on a medium that is put away afterwards), and signs 1.root.json, 1.targets.json,\n"
	 "1.snapshot.json and timestamp.json beneath the repository. Nothing that is there is overwritten.\n"
	 "A root key file that exists is used. Give --root-key several times for several holders.\n\n"
	 "A holder who makes a key alone hands over its public half: --root-key-public, and --targets-key-public where "
	 "the\n"
	 "targets key is held elsewhere. What then cannot be signed here goes into sign requests in --requests; exit "
	 "status 4.",
	 cmd_init_options, cmd_init},
	{"generate", NULL, "makes one key",
	 "Writes a new Ed25519 key to a file that does not exist yet, and prints its keyid. --public writes its public "
	 "half to\n"
	 "another file, which may be handed over.",
	 cmd_generate_options, cmd_generate},
	{"public", "KEY", "writes the public half of a key",
	 "The secret is not opened. The file may be handed to anybody.", cmd_public_options, cmd_public},
	{"link", "[FILE]", "makes the key of a one-way link, or says which link a key file is of",
	 "With --output writes a new key for `clapet-send` and `clapet-receive`, which need the same file: carry it "
	 "from one "
	 "to the\n"
	 "other by hand. With FILE says the id of a link, which both ends print too. A link's key keeps strangers' "
	 "packets "
	 "out;\n"
	 "what crosses is believed for its signatures alone. Where it was lost or seen, make a new one for both ends.",
	 cmd_link_options, cmd_link},
	{"show", "FILE…", "says what a key, metadata, request or signature file is",
	 "Secrets are not opened. The fingerprint of a metadata file is its SHA-256 (what sha256sum prints), that of a "
	 "key its\n"
	 "keyid: in groups of digits and in words that can be read out over a telephone; --qr adds a QR code of it.",
	 cmd_show_options, cmd_show},
	{"compare", "FILE", "compares a fingerprint with words that are read out to you",
	 "Type the four numbered lines of eight words that the other side reads out (on the terminal, or from "
	 "standard\n"
	 "input). Four letters of a word are enough. Says whether they are those of FILE, and never which were "
	 "expected.",
	 cmd_compare_options, cmd_compare},
	{"sign", "METADATA|REQUEST", "signs a request, or adds a signature to a metadata file",
	 "A sign request: says in plain words what would be signed, asks, and writes a signature file beside it (or "
	 "to\n"
	 "--output). The request is never changed; signers may sign in any order, on different machines. So with what\n"
	 "`clapet-outside cosign --to` wrote, for the second of four eyes: shows the version's files, digests, rows "
	 "and "
	 "changes.\n\n"
	 "A metadata file: adds the signature of --key to the file, or replaces it; never changes the signed part. "
	 "Says what "
	 "was\n"
	 "signed, and how many signatures of the threshold there are.",
	 cmd_sign_options, cmd_sign},
	{"assemble", "REQUEST [SIGNATURE…]", "puts what was signed into the repository",
	 "Verifies each signature, counts them, and writes the new root or targets only if every threshold is met: "
	 "exit status\n"
	 "4 says whose signatures are missing. Then signs anew, with the keys in --keys, what the new keys do not "
	 "vouch for, "
	 "and\n"
	 "moves rotated keys: keys/retired/ has the old ones. May be run again after it was cut short.",
	 cmd_assemble_options, cmd_assemble},
	{"rotate", "ROLE…", "replaces the key of a role",
	 "For targets, snapshot, timestamp and datasets a new key is made in --keys beside the old one, and takes its "
	 "place "
	 "when\n"
	 "the request is assembled. For root (or any key that is held elsewhere): --new-public FILE. A dataset's key "
	 "is rotated\n"
	 "at once where the targets key is in --keys.\n\n"
	 "After a fast-forward: `rotate timestamp snapshot`, then assemble with --restart-versions.",
	 cmd_rotate_options, cmd_rotate},
	{"revoke", "KEYID", "takes a lost or stolen key out of every role",
	 "The keys that remain must meet the role's threshold, and for root also the old one; --new-public FILE adds "
	 "another in "
	 "its\n"
	 "place. Where no root can follow, says so: a new anchor must be carried to the inside by hand.",
	 cmd_revoke_options, cmd_revoke},
	{"threshold", "ROLE N", "sets how many keys of a role must sign", NULL, cmd_renew_options, cmd_threshold},
	{"renew", "root|targets", "the same content with a new expiry", NULL, cmd_renew_options, cmd_renew},
	{"stage", NULL, "composes any change of keys and thresholds into one request",
	 "All of --add, --remove and --threshold concern root (its four roles), or all concern targets (datasets).",
	 cmd_stage_options, cmd_stage},
	{"delegate", "[DATASET…]", "asks the holder of the targets key to delegate datasets",
	 "For an outside host without the targets key. Writes a sign request by which each DATASET (without any: each "
	 "that "
	 "has a\n"
	 "key here and is not delegated yet) is signed by this host's key for it and by those of --key-public, as many "
	 "as "
	 "--threshold\n"
	 "says: with 2, a version leaves only when a second person signed it, too (four eyes). Refused while "
	 "targets.key "
	 "is in\n"
	 "--keys: its holder could set the threshold back. `status`, the heartbeat, is always this host's alone.",
	 cmd_delegate_options, cmd_delegate},
	{"status", NULL, "says what expires when, and who must act",
	 "Exit status 3 where less than a third of something's time is left, or where it has expired.",
	 cmd_status_options, cmd_status},
	{NULL, NULL, NULL, NULL, NULL, NULL},
};

static const struct program program = {
	.name = "clapet-keys",
	.summary = "Keys and signatures of a Clapet repository (TUF, Ed25519).",
	.options = options,
	.commands = commands,
	.details = "A passphrase comes from --passphrase-fd, from the systemd credential \"passphrase\", or from the "
		   "terminal;\n"
		   "--no-passphrase must be asked for.",
};

static enum fault read_passphrase(struct passphrase **ret_passphrase, bool *ret_found, struct refusal *why)
{
	_cleanup_close_ int folder_fd = -1;
	_cleanup_close_ int fd = -1;
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");

	*ret_found = true;
	if (opt_passphrase_fd != UINT64_MAX) {
		if (opt_passphrase_fd > 4095)
			die_usage("--passphrase-fd: no descriptor has such a number");
		return passphrase_read((int)opt_passphrase_fd, "--passphrase-fd", ret_passphrase, why);
	}
	if (credentials != NULL && (folder_fd = open(credentials, O_PATH | O_DIRECTORY | O_CLOEXEC)) >= 0) {
		fd = openat(folder_fd, "passphrase", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd >= 0)
			return passphrase_read(fd, "the credential \"passphrase\"", ret_passphrase, why);
	}
	*ret_found = false;
	return FAULT_NONE;
}

enum fault cmd_passphrase(const char *what, bool is_new, struct passphrase **ret_passphrase, struct refusal *why)
{
	_cleanup_free_ char *prompt = NULL;
	bool found = true;
	enum fault fault = FAULT_NONE;

	if (opt_no_passphrase && is_new) {
		*ret_passphrase = NULL;
		return FAULT_NONE;
	}
	if (opt_passphrase == NULL)
		fault = read_passphrase(&opt_passphrase, &found, why);
	if (fault != FAULT_NONE)
		return fault;
	if (found) {
		*ret_passphrase = opt_passphrase;
		return FAULT_NONE;
	}
	prompt = xasprintf("%s for %s: ", is_new ? "New passphrase" : "Passphrase", what);
	return passphrase_ask(prompt, is_new, ret_passphrase, why);
}

enum fault cmd_open_folder(const char *path, int *ret_fd, const char **ret_name, struct refusal *why)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	_cleanup_free_ char *folder = slash == NULL   ? xstrdup(".")
				      : slash == path ? xstrdup("/")
						      : strndup(path, (size_t)(slash - path));
	int fd;

	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return refuse(why, FAULT_FILE, "%s: names no file", path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return refuse(why, FAULT_FILE, "%s: %s", folder, strerror(errno));
	*ret_fd = fd;
	*ret_name = name;
	return FAULT_NONE;
}

enum fault cmd_load_key(const char *path, struct secret_key **ret_key, struct refusal *why)
{
	_cleanup_close_ int folder_fd = -1;
	_cleanup_close_ int fd = -1;
	struct passphrase *passphrase = NULL;
	struct secret_about about;
	const char *name;
	enum fault fault = cmd_open_folder(path, &folder_fd, &name, why);

	if (fault == FAULT_NONE)
		fault = secret_folder_check(folder_fd, path, why);
	if (fault != FAULT_NONE)
		return fault;
	fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(errno));
	fault = secret_key_about_fd(fd, path, &about, why);
	if (fault == FAULT_NONE && about.is_encrypted)
		fault = cmd_passphrase(path, false, &passphrase, why);
	if (fault != FAULT_NONE)
		return fault;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(errno));
	return secret_key_load(fd, path, passphrase, ret_key, why);
}

enum fault cmd_open_new_key(const char *path, bool is_secret, int *ret_fd, const char **ret_name, struct refusal *why)
{
	enum fault fault = cmd_open_folder(path, ret_fd, ret_name, why);

	if (fault == FAULT_NONE && is_secret)
		fault = secret_folder_check(*ret_fd, path, why);
	if (fault == FAULT_NONE && !notation_is_file_name(*ret_name))
		fault = refuse(why, FAULT_FILE, "%s: a key file's name holds letters, digits, '.', '_' and '-' alone",
			       path);
	return fault;
}

enum fault cmd_new_key_saved(const char *path, int r, struct refusal *why)
{
	if (r == -EEXIST)
		return refuse(why, FAULT_KEY_EXISTS, "%s is already there", path);
	return r < 0 ? refuse(why, FAULT_STORAGE, "%s: %s", path, strerror(-r)) : FAULT_NONE;
}

enum fault cmd_generate_key(const char *path, struct passphrase *passphrase, struct secret_key **ret_key,
			    struct refusal *why)
{
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	_cleanup_close_ int folder_fd = -1;
	const char *name;
	enum fault fault = cmd_open_new_key(path, true, &folder_fd, &name, why);
	int r;

	if (fault != FAULT_NONE)
		return fault;
	key = secret_key_generate();
	r = secret_key_save(folder_fd, name, key, passphrase);
	if (r == -ENOMEM)
		die("%s: not enough memory for argon2id", path);
	fault = cmd_new_key_saved(path, r, why);
	if (fault == FAULT_NONE)
		*ret_key = steal_pointer(&key);
	return fault;
}

int cmd_refused(const struct refusal *why)
{
	log_refusal(why);
	return fault_exit(why->fault);
}

void cmd_print_fingerprint(FILE *file, const char *hex, int indent)
{
	for (int i = 0; i < 64 && hex[i] != '\0'; i += 4) {
		if (i == 32)
			fprintf(file, "\n%*s", indent, "");
		fprintf(file, "%.4s%s", hex + i, i % 32 == 28 ? "" : " ");
	}
	fputc('\n', file);
}

void cmd_print_expiry(FILE *file, int64_t expires, int64_t now)
{
	char time[48];
	char age[48];

	notation_format_local(expires, time, sizeof(time));
	notation_format_age(expires > now ? expires - now : now - expires, age, sizeof(age));
	fprintf(file, expires > now ? "%s (in %s)\n" : "%s (EXPIRED %s ago)\n", time, age);
}

int64_t cmd_now(void)
{
	return (int64_t)time(NULL);
}

int main(int argc, char **argv)
{
	int status;

	secret_init();
	hash_init();
	status = program_main(&program, argc, argv);
	passphrase_free(opt_passphrase);
	if (fflush(stdout) != 0)
		die_errno("standard output");
	return status;
}
