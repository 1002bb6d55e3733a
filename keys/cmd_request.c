/* SPDX-License-Identifier: ISC
 *
 * cmd_request: a holder signs a request, on a machine that may have nothing else: it is told what, asked, and writes one small file.
 */
#include "keys/cmd.h"

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
#include "keys/ceremony_assemble.h"
#include "keys/ceremony_say.h"
#include "keys/words.h"

#define ANSWER "yes"

/* One line from the controlling terminal; whether it is ANSWER. */
static enum fault confirm(const char *key_path, struct refusal *why)
{
	_cleanup_close_ int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	char answer[16] = "";
	ssize_t size;

	if (tty < 0)
		return refuse(why, FAULT_CEREMONY_DECLINED,
			      "no terminal to ask on: look at the request, then say --yes (bundle/FORMAT.md 16.6)");
	if (fflush(stdout) != 0)
		die_errno("standard output");
	dprintf(tty, "\nSign this with %s? Type \"" ANSWER "\" to sign: ", key_path);
	size = read(tty, answer, sizeof(answer) - 1);
	if (size <= 0 || strcmp(answer, ANSWER "\n") != 0)
		return refuse(why, FAULT_CEREMONY_DECLINED, "not signed: the answer was not \"" ANSWER "\"");
	return FAULT_NONE;
}

static void report(const struct sign_signature *signature, const char *path, bool as_json)
{
	char name[WORDS_NAME_SIZE];

	words_name(signature->keyid, name);
	if (!as_json) {
		printf("\nSigned by key %.16s (%s): %s\nNext: carry that file back to where the request came from.\n",
		       signature->keyid, name, path);
		return;
	}
	fputs("{\"file\": ", stdout);
	notation_json_string(stdout, path);
	printf(", \"role\": \"%s\", \"version\": %" PRIu64 ", \"keyid\": \"%s\"}\n", signature->role,
	       signature->version, signature->keyid);
}

enum fault cmd_sign_request(const char *path, const struct cmd_sign_choice *choice, struct refusal *why)
{
	_cleanup_(sign_request_clear) struct sign_request request = {0};
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	_cleanup_free_ char *made = NULL;
	struct sign_signature signature;
	FILE *out = choice->json ? stderr : stdout;
	enum fault fault;

	if ((fault = sign_request_load(path, &request, why)) != FAULT_NONE ||
	    (fault = sign_request_say(out, &request, cmd_now(), why)) != FAULT_NONE ||
	    (fault = sign_request_check_time(&request, cmd_now(), why)) != FAULT_NONE ||
	    (!choice->yes && (fault = confirm(choice->key, why)) != FAULT_NONE) ||
	    (fault = cmd_load_key(choice->key, &key, why)) != FAULT_NONE)
		return fault;
	sign_request_sign(&request, key, &signature);
	/* As those who assemble will judge it: a key that nobody names is found here. */
	fault = sign_request_add(&request, &signature, choice->key, why);
	if (fault != FAULT_NONE)
		return fault;
	made = choice->output != NULL ? xstrdup(choice->output) : cmd_signature_path(path, &signature);
	fault = cmd_put_signature(made, &signature, why);
	if (fault == FAULT_NONE)
		report(&signature, made, choice->json);
	return fault;
}

/* Whether the file at PATH says of itself that it is a sign request, of whatever version. */
bool cmd_is_request(const char *path)
{
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_(json_decrefp) json_t *json = NULL;
	const char *format;
	size_t size;

	if (fd_load_file(AT_FDCWD, path, LIMIT_SIGN_REQUEST_SIZE, &data, &size) < 0 ||
	    json_parse(data, size, LIMIT_SIGN_REQUEST_SIZE, &json, NULL) != FAULT_NONE)
		return false;
	format = json_string_value(json_object_get(json, "format"));
	return format != NULL && strncmp(format, "clapet sign request ", 20) == 0;
}
