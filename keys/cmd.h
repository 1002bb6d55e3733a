/* SPDX-License-Identifier: ISC
 *
 * cmd: the commands of clapet-keys, and what they share.
 */
#ifndef KEYS_CMD_H
#define KEYS_CMD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/options.h"
#include "keys/ceremony_request.h"
#include "keys/ceremony_settle.h"
#include "keys/secret.h"

extern const struct option cmd_init_options[];
extern const struct option cmd_generate_options[];
extern const struct option cmd_show_options[];
extern const struct option cmd_sign_options[];
extern const struct option cmd_assemble_options[];
extern const struct option cmd_stage_options[];
extern const struct option cmd_rotate_options[];
extern const struct option cmd_revoke_options[];
extern const struct option cmd_renew_options[]; /* and of threshold */
extern const struct option cmd_public_options[];
extern const struct option cmd_delegate_options[];
extern const struct option cmd_compare_options[];
extern const struct option cmd_status_options[];
extern const struct option cmd_link_options[];

int cmd_init(int argc, char **argv);
int cmd_generate(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_sign(int argc, char **argv);
int cmd_assemble(int argc, char **argv);
int cmd_stage(int argc, char **argv);
int cmd_rotate(int argc, char **argv);
int cmd_revoke(int argc, char **argv);
int cmd_threshold(int argc, char **argv);
int cmd_renew(int argc, char **argv);
int cmd_delegate(int argc, char **argv);
int cmd_public(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_link(int argc, char **argv);

/* The passphrase for WHAT ("the keys in keys/"), from --passphrase-fd, a systemd credential or the terminal; NULL with
 * --no-passphrase. With IS_NEW the terminal asks twice. Borrowed: it lives as long as the program. */
enum fault cmd_passphrase(const char *what, bool is_new, struct passphrase **ret_passphrase, struct refusal *why);

/* Opens a key file by its path; asks for the passphrase where it has one. */
enum fault cmd_load_key(const char *path, struct secret_key **ret_key, struct refusal *why);
/* Makes a new key file at PATH. */
enum fault cmd_generate_key(const char *path, struct passphrase *passphrase, struct secret_key **ret_key,
			    struct refusal *why);

/* Puts a file of mode 0644 that is carried to people: FAULT_KEY_EXISTS where another lies under that name; the same bytes are no
 * fault. */
enum fault cmd_put_request(const char *path, const struct sign_request *request, struct refusal *why);
enum fault cmd_put_signature(const char *path, const struct sign_signature *signature, struct refusal *why);
/* "…/2.root.request" -> "…/2.root.<16 digits of the keyid>.signature", new. */
char *cmd_signature_path(const char *request_path, const struct sign_signature *signature);

/* What a holder does with a request (cmd_request.c). OUTPUT NULL: beside the request. */
struct cmd_sign_choice {
	const char *key, *output;
	bool yes, json;
};
bool cmd_is_request(const char *path);
enum fault cmd_sign_request(const char *path, const struct cmd_sign_choice *choice, struct refusal *why);

/* DIR/metadata of a repository; the folder of everyday keys, with the passphrase where they have one (borrowed, as cmd_passphrase's),
 * refused where others may write to it (cmd_assemble.c). */
enum fault cmd_open_metadata(const char *repository, int *ret_fd, struct refusal *why);
enum fault cmd_open_keys(const char *keys, int *ret_fd, struct passphrase **ret_passphrase, struct refusal *why);

/* Puts REQUEST with the signatures that were added to it, and settles what follows (ceremony_settle.h). KEYS may be NULL; *RET_WAITS_FOR
 * as settle_waits_for says, in words that last. OUT (NULL: nobody) is told what was done. */
struct cmd_assemble_choice {
	const char *repository, *keys;
	int64_t silence;
	bool restart;
};
enum fault cmd_assemble_request(struct sign_request *request, const struct cmd_assemble_choice *choice, FILE *out,
				const char **ret_waits_for, struct refusal *why);

/* The same with a dataset's version, which a second person signs (cmd_cosign.c). */
bool cmd_is_cosign_request(const char *path);
enum fault cmd_cosign(const char *path, const struct cmd_sign_choice *choice, struct refusal *why);

/* Splits PATH into an open folder and the file's name in it (borrowed from PATH). */
enum fault cmd_open_folder(const char *path, int *ret_fd, const char **ret_name, struct refusal *why);
/* The same for a key file that is to be made there: FAULT_FILE where its name is none of a key's; a secret one's folder must be its owner's
 * alone (secret_folder_check). */
enum fault cmd_open_new_key(const char *path, bool is_secret, int *ret_fd, const char **ret_name, struct refusal *why);
/* What to say of R, which a key's _save returned. */
enum fault cmd_new_key_saved(const char *path, int r, struct refusal *why);

/* A file that people compare (cmd_fingerprint.c): its bytes, with zeros in place of a secret key's secret. What says nothing of itself
 * is taken for a key. */
enum cmd_file_kind { CMD_FILE_KEY, CMD_FILE_PUBLIC_KEY, CMD_FILE_METADATA, CMD_FILE_REQUEST, CMD_FILE_SIGNATURE };
struct cmd_file {
	enum cmd_file_kind kind;
	struct stat st;
	uint8_t *data; /* owned */
	size_t size;
	json_t *json; /* owned */
};
enum fault cmd_file_load(const char *path, struct cmd_file *ret_file, struct refusal *why);
void cmd_file_clear(struct cmd_file *file);
/* A key's keyid, a request's digest of what is signed, the SHA-256 of the bytes of anything else. */
enum fault cmd_file_fingerprint(const char *path, const struct cmd_file *file, struct sha256 *ret_sha256,
				struct refusal *why);
/* Digits, words and QR code on standard output, behind "  LABEL". */
void cmd_show_fingerprint(const char *label, const struct sha256 *sha256, bool with_words, bool with_qr);

/* Shows a refusal; its exit status. */
int cmd_refused(const struct refusal *why);

/* 64 hex digits as people read them aloud: groups of four, eight to a line, the lines after the first behind INDENT
 * blanks. */
void cmd_print_fingerprint(FILE *file, const char *hex, int indent);
/* "2027-11-22 17:54 +0000 (in 364 days)", "… (EXPIRED 3 days ago)". */
void cmd_print_expiry(FILE *file, int64_t expires, int64_t now);
int64_t cmd_now(void);

#endif
