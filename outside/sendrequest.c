/* SPDX-License-Identifier: ISC
 *
 * sendrequest: a file a request, whole by its rename, deleted before it is acted upon: one that kills its reader does so once.
 */
#include "outside/sendrequest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/link_message.h"
#include "bundle/notation.h"
#include "outside/sendranges.h"

#define PREFIX "request-"
#define SUFFIX ".json"
#define RANDOM_SIZE 8
#define LOCK_NAME "lock"

static enum fault parse_test(const json_t *object, struct sendrequest *request, struct refusal *why)
{
	static const char *const allowed[] = {"number", "text", NULL};
	const char *text = NULL;
	int64_t number = 0;

	if (json_only(object, "test", allowed, why) != FAULT_NONE ||
	    json_get_integer(object, "test", "number", true, 0, LIMIT_VERSION, &number, why) != FAULT_NONE ||
	    json_get_text(object, "test", "text", true, &text, why) != FAULT_NONE)
		return why->fault;
	if (!link_test_is_text(text, strlen(text)))
		return refuse(why, FAULT_SEND_REQUEST, "test: the text is longer than %d bytes, or does not print",
			      LIMIT_LINK_TEXT_SIZE);
	request->kind = SENDREQUEST_TEST;
	request->number = (uint64_t)number;
	text_copy(request->text, sizeof(request->text), text);
	return FAULT_NONE;
}

static enum fault parse_only(const json_t *object, struct sendrequest *request, struct refusal *why)
{
	static const char *const allowed[] = {"ranges", "rounds", NULL};
	struct send_only only;
	const char *text = NULL;
	int64_t rounds = 1;

	if (json_only(object, "only", allowed, why) != FAULT_NONE ||
	    json_get_text(object, "only", "ranges", true, &text, why) != FAULT_NONE ||
	    json_get_integer(object, "only", "rounds", false, 1, LIMIT_SEND_ROUNDS, &rounds, why) != FAULT_NONE ||
	    sendranges_parse(text, &only, why) != FAULT_NONE)
		return why->fault;
	request->kind = SENDREQUEST_ONLY;
	request->rounds = (uint64_t)rounds;
	text_copy(request->only, sizeof(request->only), text);
	return FAULT_NONE;
}

static enum fault parse_members(const json_t *json, struct sendrequest *request, struct refusal *why)
{
	static const char *const allowed[] = {"format", "test", "only", NULL};
	json_t *test = NULL, *only = NULL;

	if (json_format(json, "request", "clapet send request", 1, why) != FAULT_NONE ||
	    json_only(json, "request", allowed, why) != FAULT_NONE ||
	    json_get_object(json, "request", "test", false, &test, why) != FAULT_NONE ||
	    json_get_object(json, "request", "only", false, &only, why) != FAULT_NONE)
		return why->fault;
	if ((test == NULL) == (only == NULL))
		return refuse(why, FAULT_SEND_REQUEST, "a request is either \"test\" or \"only\"");
	return test != NULL ? parse_test(test, request, why) : parse_only(only, request, why);
}

enum fault sendrequest_parse(const void *data, size_t size, struct sendrequest *ret_request, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	struct sendrequest request = {.rounds = 1};
	struct refusal inner = {FAULT_NONE, ""};

	if (json_parse(data, size, LIMIT_SEND_REQUEST_SIZE, &json, &inner) != FAULT_NONE ||
	    parse_members(json, &request, &inner) != FAULT_NONE)
		return refuse(why, FAULT_SEND_REQUEST, "%s (bundle/FORMAT.md 31.5)", inner.line);
	*ret_request = request;
	return FAULT_NONE;
}

int sendrequest_put(int state_fd, const struct sendrequest *request)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	_cleanup_free_ char *text = NULL;
	uint8_t random[RANDOM_SIZE];
	char hex[2 * RANDOM_SIZE + 1], name[sizeof(PREFIX SUFFIX) + sizeof(hex)];

	if (request->kind == SENDREQUEST_TEST)
		json = json_pack("{s:s, s:{s:I, s:s}}", "format", "clapet send request 1", "test", "number",
				 (json_int_t)request->number, "text", request->text);
	else
		json = json_pack("{s:s, s:{s:s, s:I}}", "format", "clapet send request 1", "only", "ranges",
				 request->only, "rounds", (json_int_t)request->rounds);
	text = json_dumps(json_or_die(json), 0);
	if (text == NULL)
		die("out of memory");
	randombytes_buf(random, sizeof(random));
	notation_hex(random, sizeof(random), hex);
	snprintf(name, sizeof(name), PREFIX "%s" SUFFIX, hex);
	return fd_put_durable(state_fd, name, text, strlen(text), 0660);
}

/* The first request's name; false where there is none. */
static bool find_name(int state_fd, char *name, size_t size)
{
	int fd = openat(state_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
		size_t length = strlen(entry->d_name);

		if (length == sizeof(PREFIX SUFFIX) - 1 + 2 * RANDOM_SIZE &&
		    strncmp(entry->d_name, PREFIX, sizeof(PREFIX) - 1) == 0 &&
		    strcmp(entry->d_name + length - sizeof(SUFFIX) + 1, SUFFIX) == 0)
			return text_copy(name, size, entry->d_name);
	}
	return false;
}

int sendrequest_take(int state_fd, struct sendrequest *ret_request, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	char name[64];
	size_t size = 0;
	int r;

	if (!find_name(state_fd, name, sizeof(name)))
		return 0;
	r = fd_load_file(state_fd, name, LIMIT_SEND_REQUEST_SIZE, &data, &size);
	if (unlinkat(state_fd, name, 0) < 0)
		return -errno;
	if (r < 0)
		refuse(why, FAULT_SEND_REQUEST, "%s: %s", name, strerror(-r));
	else if (sendrequest_parse(data, size, ret_request, why) == FAULT_NONE)
		return 1;
	return -EBADMSG;
}

int sendrequest_lock(int state_fd)
{
	_cleanup_close_ int fd = openat(state_fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	return steal_fd(&fd);
}
