/* SPDX-License-Identifier: ISC
 *
 * cmd: the commands of clapet-keys, and what they share.
 */
#ifndef KEYS_CMD_H
#define KEYS_CMD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/fault.h"
#include "base/options.h"
#include "keys/secret.h"

extern const struct option cmd_init_options[];
extern const struct option cmd_generate_options[];
extern const struct option cmd_show_options[];
extern const struct option cmd_sign_options[];

int cmd_init(int argc, char **argv);
int cmd_generate(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_sign(int argc, char **argv);

/* The passphrase for WHAT ("the keys in keys/"), from --passphrase-fd, a systemd credential or the terminal; NULL with
 * --no-passphrase. With IS_NEW the terminal asks twice. Borrowed: it lives as long as the program. */
enum fault cmd_passphrase(const char *what, bool is_new, struct passphrase **ret_passphrase, struct refusal *why);

/* Opens a key file by its path; asks for the passphrase where it has one. */
enum fault cmd_load_key(const char *path, struct secret_key **ret_key, struct refusal *why);
/* Makes a new key file at PATH. */
enum fault cmd_generate_key(const char *path, struct passphrase *passphrase, struct secret_key **ret_key,
			    struct refusal *why);

/* A dataset's version, signed by a second person (cmd_cosign.c). OUTPUT NULL: beside the request. */
struct cmd_cosign_choice {
	const char *key, *output;
	bool yes, json;
};
bool cmd_is_cosign_request(const char *path);
enum fault cmd_cosign(const char *path, const struct cmd_cosign_choice *choice, struct refusal *why);

/* Splits PATH into an open folder and the file's name in it (borrowed from PATH). */
enum fault cmd_open_folder(const char *path, int *ret_fd, const char **ret_name, struct refusal *why);

/* Shows a refusal; its exit status. */
int cmd_refused(const struct refusal *why);

/* 64 hex digits as people read them aloud: groups of four, eight to a line, the lines after the first behind INDENT
 * blanks. */
void cmd_print_fingerprint(FILE *file, const char *hex, int indent);
/* "2027-11-22 17:54 +0000 (in 364 days)", "… (EXPIRED 3 days ago)". */
void cmd_print_expiry(FILE *file, int64_t expires, int64_t now);
int64_t cmd_now(void);

#endif
