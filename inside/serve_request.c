/* SPDX-License-Identifier: ISC
 *
 * serve_request: the target of a request, strictly: what no address of ours needs is refused rather than understood.
 */
#include "inside/serve_request.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "bundle/notation.h"
#include "inside/store.h"

/* Where decoded bytes go: it never overflows, for what is decoded is not longer than what came. */
struct room {
	char *at, *end;
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes TEXT to ROOM with a NUL: UTF-8 without control characters. NULL where it is not that. */
static const char *decode(const char *text, size_t size, bool plus_is_blank, struct room *room)
{
	char *start = room->at;

	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if (c == '%') {
			int high = i + 2 < size ? hex_digit(text[i + 1]) : -1, low;

			low = high < 0 ? -1 : hex_digit(text[i + 2]);
			if (low < 0)
				return NULL;
			c = (char)(high * 16 + low);
			i += 2;
		} else if (c == '+' && plus_is_blank) {
			c = ' ';
		}
		if ((unsigned char)c < 0x20 || c == 0x7f || room->at + 1 >= room->end)
			return NULL;
		*room->at++ = c;
	}
	*room->at++ = '\0';
	return text_is_utf8(start, strlen(start), NULL) ? start : NULL;
}

static const char *keep(const char *text, size_t size, struct room *room)
{
	char *start = room->at;

	if (size >= (size_t)(room->end - room->at))
		return NULL;
	memcpy(start, text, size);
	start[size] = '\0';
	room->at += size + 1;
	return start;
}

/* --- the path -------------------------------------------------------------------------------------------------------- */

/* A segment that no name of ours can be: a folder's own or its parent, or decoded once more something else. */
static bool is_tricky(const char *segment)
{
	return segment[0] == '\0' || strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0 ||
	       strpbrk(segment, "/\\%") != NULL;
}

static enum fault parse_segments(const char *path, size_t size, struct serve_request *ret, struct room *room,
				 struct refusal *why)
{
	const char *at = path + 1, *end = path + size;

	while (at < end) {
		const char *slash = memchr(at, '/', (size_t)(end - at)), *segment;
		size_t length = (size_t)((slash == NULL ? end : slash) - at);

		if (ret->n_segments == LIMIT_SERVE_SEGMENTS)
			return refuse(why, FAULT_SERVE_PATH, "the path has more than %d parts", LIMIT_SERVE_SEGMENTS);
		segment = decode(at, length, false, room);
		if (segment == NULL)
			return refuse(why, FAULT_SERVE_REQUEST,
				      "the path is not percent-encoded UTF-8 without control characters");
		if (is_tricky(segment))
			return refuse(why, FAULT_SERVE_PATH, "no address has a part like \"%s\"", segment);
		ret->segments[ret->n_segments++] = segment;
		if (slash != NULL && slash + 1 == end)
			return refuse(why, FAULT_SERVE_PATH, "no address ends with \"/\" but the root");
		at += length + 1;
	}
	return FAULT_NONE;
}

static void drop_segments(struct serve_request *ret, size_t n)
{
	ret->n_segments -= n;
	memmove(ret->segments, ret->segments + n, ret->n_segments * sizeof(ret->segments[0]));
}

/* Takes off /views/NAME and /generations/N, in that order. */
static enum fault take_prefix(struct serve_request *ret, struct room *room, struct refusal *why)
{
	char base[NOTATION_NAME_SIZE + 48] = "";

	if (ret->n_segments >= 2 && strcmp(ret->segments[0], "views") == 0) {
		if (!notation_is_name(ret->segments[1]))
			return refuse(why, FAULT_SERVE_PATH, "no view has a name like that");
		ret->view = ret->segments[1];
		snprintf(base, sizeof(base), "/views/%s", ret->view);
		drop_segments(ret, 2);
	}
	if (ret->n_segments >= 2 && strcmp(ret->segments[0], "generations") == 0) {
		if (!store_parse_generation(ret->segments[1], &ret->generation))
			return refuse(why, FAULT_SERVE_PATH, "a generation is a number");
		snprintf(base + strlen(base), sizeof(base) - strlen(base), "/generations/%s", ret->segments[1]);
		drop_segments(ret, 2);
	}
	ret->base = keep(base, strlen(base), room);
	return ret->base == NULL ? refuse(why, FAULT_SERVE_TARGET_LONG, "the path is too long") : FAULT_NONE;
}

static enum fault parse_path(const char *path, size_t size, struct serve_request *ret, struct room *room,
			     struct refusal *why)
{
	enum fault fault = parse_segments(path, size, ret, room, why);

	if (fault != FAULT_NONE)
		return fault;
	/* The segments lie behind each other: put together again they are the decoded path. */
	ret->path = room->at;
	for (size_t i = 0; i < ret->n_segments || i == 0; i++) {
		const char *segment = ret->n_segments == 0 ? "" : ret->segments[i];
		size_t length = strlen(segment);

		if (length + 2 >= (size_t)(room->end - room->at))
			return refuse(why, FAULT_SERVE_TARGET_LONG, "the path is too long");
		*room->at++ = '/';
		memcpy(room->at, segment, length);
		room->at += length;
	}
	*room->at++ = '\0';
	return take_prefix(ret, room, why);
}

/* --- the query ------------------------------------------------------------------------------------------------------- */

static enum fault parse_query(const char *query, struct serve_request *ret, struct room *room, struct refusal *why)
{
	for (const char *at = query; *at != '\0';) {
		size_t length = strcspn(at, "&"), name_length = strcspn(at, "=&");
		struct serve_param param;

		if (length > 0 && ret->n_params == LIMIT_SERVE_PARAMS)
			return refuse(why, FAULT_SERVE_REQUEST, "more than %d parameters", LIMIT_SERVE_PARAMS);
		if (length > 0) {
			bool has_value = name_length < length;

			param.name = decode(at, name_length, true, room);
			param.value = decode(at + name_length + has_value, length - name_length - has_value, true,
					     room);
			if (param.name == NULL || param.value == NULL || param.name[0] == '\0')
				return refuse(why, FAULT_SERVE_REQUEST,
					      "a parameter is not NAME=VALUE in percent-encoded UTF-8 without control "
					      "characters");
			ret->params[ret->n_params++] = param;
		}
		at += length + (at[length] == '&');
	}
	return FAULT_NONE;
}

enum serve_method serve_method_parse(const char *text)
{
	return strcmp(text, "GET") == 0 ? SERVE_GET : strcmp(text, "HEAD") == 0 ? SERVE_HEAD : SERVE_OTHER;
}

enum fault serve_request_parse(const char *target, struct serve_request *ret, struct refusal *why)
{
	size_t size = strnlen(target, LIMIT_SERVE_TARGET_SIZE), path_size;
	struct room room = {ret->room, ret->room + sizeof(ret->room)};
	enum fault fault;

	ret->method = SERVE_GET;
	ret->n_segments = ret->n_params = 0;
	ret->generation = 0;
	ret->view = NULL;
	ret->path = "/";
	ret->query = ret->base = "";
	for (size_t i = 0; i < SERVE_N_HEADERS; i++)
		ret->headers[i] = "";
	ret->host = ret->accept = ret->accept_encoding = ret->accept_language = ret->range = ret->if_range = "";
	ret->if_none_match = ret->if_modified_since = ret->authorization = ret->user_agent = ret->peer = "";
	if (size == LIMIT_SERVE_TARGET_SIZE)
		return refuse(why, FAULT_SERVE_TARGET_LONG, "the address is longer than %llu bytes",
			      (unsigned long long)LIMIT_SERVE_TARGET_SIZE - 1);
	if (target[0] != '/')
		return refuse(why, FAULT_SERVE_REQUEST, "the target does not begin with \"/\" (RFC 9112, 3.2.1)");
	for (size_t i = 0; i < size; i++)
		if (target[i] <= ' ' || target[i] == 0x7f || target[i] == '#' || (unsigned char)target[i] > 0x7f)
			return refuse(why, FAULT_SERVE_REQUEST, "a character that must be percent-encoded (RFC 3986)");
	path_size = strcspn(target, "?");
	fault = parse_path(target, path_size, ret, &room, why);
	if (fault != FAULT_NONE || target[path_size] == '\0')
		return fault;
	ret->query = keep(target + path_size + 1, size - path_size - 1, &room);
	if (ret->query == NULL)
		return refuse(why, FAULT_SERVE_TARGET_LONG, "the query is too long");
	return parse_query(ret->query, ret, &room, why);
}

const char *serve_param(const struct serve_request *request, const char *name)
{
	for (size_t i = 0; i < request->n_params; i++)
		if (strcmp(request->params[i].name, name) == 0)
			return request->params[i].value;
	return NULL;
}

/* --- headers --------------------------------------------------------------------------------------------------------- */

static const char *const header_names[SERVE_N_HEADERS] = {
	[SERVE_HOST] = "Host",
	[SERVE_ACCEPT] = "Accept",
	[SERVE_ACCEPT_ENCODING] = "Accept-Encoding",
	[SERVE_ACCEPT_LANGUAGE] = "Accept-Language",
	[SERVE_RANGE] = "Range",
	[SERVE_IF_RANGE] = "If-Range",
	[SERVE_IF_NONE_MATCH] = "If-None-Match",
	[SERVE_IF_MODIFIED_SINCE] = "If-Modified-Since",
	[SERVE_AUTHORIZATION] = "Authorization",
	[SERVE_USER_AGENT] = "User-Agent",
	[SERVE_LAST_EVENT_ID] = "Last-Event-ID",
};

static enum serve_header find_header(const char *name)
{
	size_t i = 0;

	/* Most requests bring headers that nobody here reads: the first letter tells of most. */
	while (i < SERVE_N_HEADERS &&
	       ((name[0] | 0x20) != (header_names[i][0] | 0x20) || strcasecmp(name, header_names[i]) != 0))
		i++;
	return (enum serve_header)i;
}

static void name_header(struct serve_request *request, enum serve_header header, const char *value)
{
	const char **const named[SERVE_N_HEADERS] = {
		[SERVE_HOST] = &request->host,
		[SERVE_ACCEPT] = &request->accept,
		[SERVE_ACCEPT_ENCODING] = &request->accept_encoding,
		[SERVE_ACCEPT_LANGUAGE] = &request->accept_language,
		[SERVE_RANGE] = &request->range,
		[SERVE_IF_RANGE] = &request->if_range,
		[SERVE_IF_NONE_MATCH] = &request->if_none_match,
		[SERVE_IF_MODIFIED_SINCE] = &request->if_modified_since,
		[SERVE_AUTHORIZATION] = &request->authorization,
		[SERVE_USER_AGENT] = &request->user_agent,
	};

	request->headers[header] = value;
	if (named[header] != NULL)
		*named[header] = value;
}

enum fault serve_request_header(struct serve_request *request, const char *name, const char *value, struct refusal *why)
{
	enum serve_header header = find_header(name);
	size_t size;

	if (header == SERVE_N_HEADERS || value == NULL)
		return FAULT_NONE;
	size = strnlen(value, LIMIT_SERVE_HEADER_SIZE);
	if (size == LIMIT_SERVE_HEADER_SIZE)
		return refuse(why, FAULT_SERVE_REQUEST, "header %s is longer than %llu bytes", header_names[header],
			      (unsigned long long)LIMIT_SERVE_HEADER_SIZE - 1);
	if (request->headers[header][0] != '\0')
		return refuse(why, FAULT_SERVE_REQUEST, "header %s stands twice", header_names[header]);
	for (size_t i = 0; i < size; i++)
		if (((unsigned char)value[i] < ' ' && value[i] != '\t') || value[i] == 0x7f)
			return refuse(why, FAULT_SERVE_REQUEST, "header %s holds a control character",
				      header_names[header]);
	name_header(request, header, value);
	return FAULT_NONE;
}
