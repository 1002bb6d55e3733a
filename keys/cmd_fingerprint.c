/* SPDX-License-Identifier: ISC
 *
 * cmd_fingerprint: the digest that people call a file's fingerprint, shown in digits, words and as a QR code, and compared.
 */
#include "keys/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "keys/ceremony_public.h"
#include "keys/document.h"
#include "keys/qr.h"
#include "keys/words.h"

/* Four lines of eight words of eight letters, twice over. */
#define TYPED_MAX 1024

static bool opt_json;

const struct option cmd_compare_options[] = {
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "print JSON"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

/* --- files --- */

void cmd_file_clear(struct cmd_file *file)
{
	free(file->data);
	json_decref(file->json);
	memset(file, 0, sizeof(*file));
}

static enum cmd_file_kind kind_of(const json_t *json)
{
	static const struct {
		const char *prefix;
		enum cmd_file_kind kind;
	} formats[] = {{"clapet key ", CMD_FILE_KEY},
		       {"clapet public key ", CMD_FILE_PUBLIC_KEY},
		       {"clapet sign request ", CMD_FILE_REQUEST},
		       {"clapet signature ", CMD_FILE_SIGNATURE}};
	const char *format = json_string_value(json_object_get(json, "format"));

	for (size_t i = 0; format != NULL && i < ARRAY_SIZE(formats); i++)
		if (strncmp(format, formats[i].prefix, strlen(formats[i].prefix)) == 0)
			return formats[i].kind;
	return json_object_get(json, "signed") != NULL ? CMD_FILE_METADATA : CMD_FILE_KEY;
}

enum fault cmd_file_load(const char *path, struct cmd_file *ret_file, struct refusal *why)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	_cleanup_(cmd_file_clear) struct cmd_file file = {0};
	enum fault fault;
	int r;

	if (fd < 0 || fstat(fd, &file.st) < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(errno));
	r = secret_load_blanked(fd, LIMIT_SIGN_REQUEST_SIZE, &file.data, &file.size);
	if (r < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(-r));
	fault = json_parse(file.data, file.size, LIMIT_SIGN_REQUEST_SIZE, &file.json, why);
	if (fault != FAULT_NONE) {
		refuse_within(why, "%s", path);
		return fault;
	}
	file.kind = kind_of(file.json);
	if (file.kind != CMD_FILE_KEY) {
		/* No secret is in it: now its own bytes, every one of which counts in its fingerprint. */
		free(file.data);
		file.data = NULL;
		r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : fd_load(fd, LIMIT_SIGN_REQUEST_SIZE, &file.data, &file.size);
		if (r < 0)
			return refuse(why, FAULT_FILE, "%s: %s", path, strerror(-r));
	}
	*ret_file = file;
	memset(&file, 0, sizeof(file));
	return FAULT_NONE;
}

static enum fault key_fingerprint(const char *path, const struct cmd_file *file, struct sha256 *ret,
				  struct refusal *why)
{
	struct secret_about about;
	enum fault fault = file->kind == CMD_FILE_KEY ? secret_key_about(file->data, file->size, path, &about, why)
						      : public_key_parse(file->data, file->size, path, &about.key, why);

	if (fault == FAULT_NONE && !sha256_from_hex(about.key.keyid, ret))
		die("a keyid that is no SHA-256");
	return fault;
}

enum fault cmd_file_fingerprint(const char *path, const struct cmd_file *file, struct sha256 *ret_sha256,
				struct refusal *why)
{
	_cleanup_(sign_request_clear) struct sign_request request = {0};
	enum fault fault;

	switch (file->kind) {
	case CMD_FILE_KEY:
	case CMD_FILE_PUBLIC_KEY:
		return key_fingerprint(path, file, ret_sha256, why);
	case CMD_FILE_REQUEST:
		fault = sign_request_parse(file->data, file->size, path, &request, why);
		if (fault == FAULT_NONE)
			*ret_sha256 = request.digest;
		return fault;
	case CMD_FILE_METADATA:
	case CMD_FILE_SIGNATURE:
		break;
	}
	hash_bytes(file->data, file->size, ret_sha256);
	return FAULT_NONE;
}

void cmd_show_fingerprint(const char *label, const struct sha256 *sha256, bool with_words, bool with_qr)
{
	char hex[SHA256_HEX_SIZE];

	sha256_to_hex(sha256, hex);
	printf("  %-13s", label);
	cmd_print_fingerprint(stdout, hex, 15);
	if (with_words) {
		printf("%15s", "");
		words_print(stdout, sha256, 15);
	}
	if (with_qr && qr_print(stdout, hex, false, NULL) != FAULT_NONE)
		die("a fingerprint that no QR code holds");
}

/* --- compare --- */

/* What is typed: the whole of standard input, or on a terminal as many lines as there are. */
static enum fault read_typed(char *text, size_t *ret_size, struct refusal *why)
{
	size_t size = 0;

	if (!isatty(STDIN_FILENO)) {
		ssize_t got = fd_read_up_to(STDIN_FILENO, text, TYPED_MAX);

		if (got < 0)
			return refuse(why, FAULT_FILE, "standard input: %s", strerror((int)-got));
		*ret_size = (size_t)got;
		return FAULT_NONE;
	}
	for (int line = 1; line <= WORDS_LINES && size < TYPED_MAX; line++) {
		ssize_t got;

		printf("Line %d, with its number: ", line);
		if (fflush(stdout) != 0)
			die_errno("standard output");
		got = read(STDIN_FILENO, text + size, TYPED_MAX - size); /* a terminal gives a line */
		if (got <= 0)
			break;
		size += (size_t)got;
	}
	*ret_size = size;
	return FAULT_NONE;
}

int cmd_compare(int argc, char **argv)
{
	_cleanup_(cmd_file_clear) struct cmd_file file = {0};
	char typed[TYPED_MAX];
	struct sha256 sha256;
	struct refusal why;
	size_t size = 0;

	if (argc != 1)
		die_usage("compare: which file?");
	if (cmd_file_load(argv[0], &file, &why) != FAULT_NONE ||
	    cmd_file_fingerprint(argv[0], &file, &sha256, &why) != FAULT_NONE ||
	    read_typed(typed, &size, &why) != FAULT_NONE)
		return cmd_refused(&why);
	if (words_compare(typed, size, &sha256, &why) != FAULT_NONE) {
		refuse_within(&why, "%s: NO MATCH", argv[0]);
		if (opt_json)
			puts("{\"match\": false}");
		return cmd_refused(&why);
	}
	if (opt_json)
		puts("{\"match\": true}");
	else
		printf("%s: MATCH: all four lines are the same\n", argv[0]);
	return 0;
}
