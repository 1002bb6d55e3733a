/* SPDX-License-Identifier: ISC
 *
 * cmd_cosign: the second of four eyes signs a dataset's version, on a machine that needs nothing else: is shown what, is asked, and
 * writes one small file.
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
#include "keys/cosign.h"

#define ANSWER "yes"

bool cmd_is_cosign_request(const char *path)
{
	_cleanup_(json_decrefp) json_t *object = NULL;
	const char *format;

	if (json_load_path(path, LIMIT_JSON_SIZE, &object, NULL) != FAULT_NONE)
		return false;
	format = json_string_value(json_object_get(object, "format"));
	return format != NULL && strncmp(format, "clapet cosign request ", 22) == 0;
}

/* From the controlling terminal, whatever standard input is. */
static enum fault confirm(const char *key_path, struct refusal *why)
{
	_cleanup_close_ int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	char answer[16] = "";

	if (tty < 0)
		return refuse(why, FAULT_COSIGN_DECLINED,
			      "no terminal to ask on: look at the request, then say --yes (bundle/FORMAT.md 19.5)");
	if (fflush(stdout) != 0)
		die_errno("standard output");
	dprintf(tty, "\nSign this with %s? Type \"" ANSWER "\" to sign: ", key_path);
	if (read(tty, answer, sizeof(answer) - 1) <= 0 || strcmp(answer, ANSWER "\n") != 0)
		return refuse(why, FAULT_COSIGN_DECLINED, "not signed: the answer was not \"" ANSWER "\"");
	return FAULT_NONE;
}

/* "…/5.cog.request" -> "…/5.cog.<16 digits of the keyid>.signature", new. */
static char *signature_path(const char *path, const struct tuf_key *key)
{
	size_t size = strlen(path);

	if (size > 8 && strcmp(path + size - 8, ".request") == 0)
		size -= 8;
	return xasprintf("%.*s.%.16s.signature", (int)size, path, key->keyid);
}

static enum fault put(const char *path, const char *text, struct refusal *why)
{
	_cleanup_close_ int folder_fd = -1;
	const char *name;
	enum fault fault = cmd_open_folder(path, &folder_fd, &name, why);
	int r;

	if (fault != FAULT_NONE)
		return fault;
	r = fd_put_durable(folder_fd, name, text, strlen(text), 0644);
	return r < 0 ? refuse(why, FAULT_STORAGE, "%s: %s", path, strerror(-r)) : FAULT_NONE;
}

static void report(const struct cosign_request *request, const struct tuf_key *key, const char *path, bool json)
{
	if (!json) {
		printf("\nSigned by key %.16s: %s\nNext: carry that file back to where the request came from.\n",
		       key->keyid, path);
		return;
	}
	fputs("{\"file\": ", stdout);
	notation_json_string(stdout, path);
	printf(", \"role\": \"%s\", \"version\": %" PRIu64 ", \"keyid\": \"%s\"}\n", request->dataset,
	       request->next.document.version, key->keyid);
}

static enum fault load(const char *path, struct cosign_request *ret_request, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = fd_load_file(AT_FDCWD, path, LIMIT_JSON_SIZE, &data, &size);

	if (r < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(-r));
	return cosign_request_parse(data, size, path, ret_request, why);
}

enum fault cmd_cosign(const char *path, const struct cmd_sign_choice *choice, struct refusal *why)
{
	_cleanup_(cosign_request_clear) struct cosign_request request = {.created = 0};
	_cleanup_(secret_key_freep) struct secret_key *key = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *made = NULL;
	enum fault fault;

	if ((fault = load(path, &request, why)) != FAULT_NONE ||
	    (fault = cmd_load_key(choice->key, &key, why)) != FAULT_NONE)
		return fault;
	cosign_request_say(choice->json ? stderr : stdout, &request, secret_key_public(key), cmd_now());
	if (request.next.document.expires <= cmd_now())
		return refuse(why, FAULT_COSIGN_FORM, "%s: what it asks to sign is over", path);
	if ((!choice->yes && (fault = confirm(choice->key, why)) != FAULT_NONE) ||
	    (fault = cosign_request_sign(&request, key, &text, why)) != FAULT_NONE)
		return fault;
	made = choice->output != NULL ? xstrdup(choice->output) : signature_path(path, secret_key_public(key));
	fault = put(made, text, why);
	if (fault == FAULT_NONE)
		report(&request, secret_key_public(key), made, choice->json);
	return fault;
}
