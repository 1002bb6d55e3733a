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
	 "A root key file that exists is used. Give --root-key several times for several holders.",
	 cmd_init_options, cmd_init},
	{"generate", NULL, "makes one key",
	 "Writes a new Ed25519 key to a file that does not exist yet, and prints its keyid.", cmd_generate_options,
	 cmd_generate},
	{"show", "FILE…", "says what a key or metadata file is",
	 "Secrets are not opened. The fingerprint of a metadata file is its SHA-256 (what sha256sum prints), that of a "
	 "key its\n"
	 "keyid: both in groups that can be read out over a telephone.",
	 cmd_show_options, cmd_show},
	{"sign", "METADATA", "adds a signature to a metadata file",
	 "Adds the signature of --key to the file, or replaces it; never changes the signed part. Says what was "
	 "signed, and how\n"
	 "many signatures of the threshold there are.",
	 cmd_sign_options, cmd_sign},
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

static enum fault is_encrypted(int fd, const char *path, bool *ret_encrypted, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	struct secret_about about;
	size_t size;
	enum fault fault;
	int r = fd_load(fd, LIMIT_KEY_FILE_SIZE, &data, &size);

	if (r < 0)
		return refuse(why, r == -EFBIG ? FAULT_KEY_FORM : FAULT_FILE, "%s: %s", path, strerror(-r));
	fault = secret_key_about(data, size, path, &about, why);
	explicit_bzero(data, size);
	if (fault == FAULT_NONE)
		*ret_encrypted = about.is_encrypted;
	return fault;
}

enum fault cmd_load_key(const char *path, struct secret_key **ret_key, struct refusal *why)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct passphrase *passphrase = NULL;
	bool encrypted;
	enum fault fault;

	if (fd < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(errno));
	fault = is_encrypted(fd, path, &encrypted, why);
	if (fault == FAULT_NONE && encrypted)
		fault = cmd_passphrase(path, false, &passphrase, why);
	if (fault != FAULT_NONE)
		return fault;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(errno));
	return secret_key_load(fd, path, passphrase, ret_key, why);
}

enum fault cmd_generate_key(const char *path, struct passphrase *passphrase, struct secret_key **ret_key,
			    struct refusal *why)
{
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	_cleanup_close_ int folder_fd = -1;
	const char *name;
	enum fault fault = cmd_open_folder(path, &folder_fd, &name, why);
	int r;

	if (fault != FAULT_NONE)
		return fault;
	if (!notation_is_file_name(name))
		return refuse(why, FAULT_FILE, "%s: a key file's name holds letters, digits, '.', '_' and '-' alone",
			      path);
	key = secret_key_generate();
	r = secret_key_save(folder_fd, name, key, passphrase);
	if (r == -EEXIST)
		return refuse(why, FAULT_KEY_EXISTS, "%s is already there", path);
	if (r == -ENOMEM)
		die("%s: not enough memory for argon2id", path);
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "%s: %s", path, strerror(-r));
	*ret_key = steal_pointer(&key);
	return FAULT_NONE;
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
