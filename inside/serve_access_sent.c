/* SPDX-License-Identifier: ISC
 *
 * serve_access, what a request says of itself: its key, the columns that it asks for, its line in the access log.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "inside/serve_access.h"
#include "inside/serve_access_private.h"
#include "inside/serve_request.h"

/* --- the key --------------------------------------------------------------------------------------------------------------------- */

static int base64_value(char c)
{
	return c >= 'A' && c <= 'Z'   ? c - 'A'
	       : c >= 'a' && c <= 'z' ? c - 'a' + 26
	       : c >= '0' && c <= '9' ? c - '0' + 52
	       : c == '+'             ? 62
	       : c == '/'             ? 63
				      : -1;
}

/* The bytes of TEXT (RFC 4648, 4) as a string, new; NULL where it is no base64, or holds a NUL. */
static char *base64_decode(const char *text)
{
	size_t length = strlen(text), n = 0;
	char *bytes = xmalloc(length + 1);
	unsigned bits = 0;
	int n_bits = 0;

	while (length > 0 && text[length - 1] == '=')
		length--;
	for (size_t i = 0; i < length; i++) {
		int value = base64_value(text[i]);

		if (value < 0)
			goto bad;
		bits = (bits << 6 | (unsigned)value) & 0xffff;
		n_bits += 6;
		if (n_bits < 8)
			continue;
		n_bits -= 8;
		bytes[n] = (char)(bits >> n_bits & 0xff);
		if (bytes[n++] == '\0')
			goto bad;
	}
	bytes[n] = '\0';
	return bytes;
bad:
	free(bytes);
	return NULL;
}

/* The password; where there is none, the user: `curl -u KEY:`. */
static char *basic_key(const char *encoded)
{
	char *bytes = base64_decode(encoded), *colon = bytes == NULL ? NULL : strchr(bytes, ':');
	char *key = NULL;

	if (colon != NULL) {
		*colon = '\0';
		key = xstrdup(colon[1] != '\0' ? colon + 1 : bytes);
		explicit_bzero(colon + 1, strlen(colon + 1));
	}
	free(bytes);
	return key;
}

enum fault serve_access_key_sent(const char *authorization, char **ret, struct refusal *why)
{
	const char *value = authorization + strcspn(authorization, " ");
	size_t scheme = (size_t)(value - authorization);

	*ret = NULL;
	if (authorization[0] == '\0')
		return FAULT_NONE;
	value += strspn(value, " ");
	if (scheme == 6 && strncasecmp(authorization, "Bearer", scheme) == 0)
		*ret = xstrdup(value);
	else if (scheme == 5 && strncasecmp(authorization, "Basic", scheme) == 0)
		*ret = basic_key(value);
	if (*ret == NULL)
		return refuse(why, FAULT_ACCESS_KEY_FORM, "a key is sent as Bearer, or as the password of Basic");
	return FAULT_NONE;
}

/* --- columns --------------------------------------------------------------------------------------------------------------------- */

struct columns {
	const char **items;
	size_t n_items, room;
	bool is_full;
};

static void add(struct columns *columns, const char *name)
{
	for (size_t i = 0; i < columns->n_items; i++)
		if (strcmp(columns->items[i], name) == 0)
			return;
	columns->is_full = columns->is_full || columns->n_items == columns->room;
	if (!columns->is_full)
		columns->items[columns->n_items++] = name;
}

/* Cuts a list at its commas; a sort's may have a "-" before it. */
static void add_list(struct columns *columns, char *list)
{
	for (char *name; (name = strsep(&list, ",")) != NULL;)
		if (*name == '-' || *name != '\0')
			add(columns, name + (*name == '-'));
}

/* A condition's column: "code", "code.min", ".limit". */
static void add_condition(struct columns *columns, char *name)
{
	static const char *const ends[] = {".min", ".max", ".null"};
	size_t length = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		size_t end = strlen(ends[i]);

		if (length > end && strcmp(name + length - end, ends[i]) == 0) {
			name[length - end] = '\0';
			break;
		}
	}
	add(columns, name + (*name == '.'));
}

size_t serve_access_columns(const struct serve_request *request, char *text, const char **ret_columns, size_t room)
{
	static const char *const own[] = {"limit", "offset", "format", "for", "version", "asOf"};
	struct columns columns = {.items = ret_columns, .room = room};
	char *at = text;

	if (serve_param(request, "columns") == NULL)
		return 0;
	for (size_t i = 0; i < request->n_params && !columns.is_full; i++) {
		const struct serve_param *param = &request->params[i];
		bool is_list = strcmp(param->name, "columns") == 0 || strcmp(param->name, "sort") == 0, is_own = false;
		const char *source = is_list ? param->value : param->name;

		for (size_t j = 0; j < ARRAY_SIZE(own); j++)
			is_own |= strcmp(param->name, own[j]) == 0;
		if (is_own || strlen(source) + 1 > LIMIT_SERVE_TARGET_SIZE - (size_t)(at - text))
			continue;
		memcpy(at, source, strlen(source) + 1);
		if (is_list)
			add_list(&columns, at);
		else
			add_condition(&columns, at);
		at += strlen(source) + 1;
	}
	return columns.is_full ? 0 : columns.n_items;
}

/* --- its line --------------------------------------------------------------------------------------------------------------------- */

static const char *method_word(enum serve_method method)
{
	return method == SERVE_GET ? "GET" : method == SERVE_HEAD ? "HEAD" : "OTHER";
}

void serve_access_log(struct serve *serve, const struct serve_request *request, const struct serve_reader *reader,
		      const struct serve_outcome *outcome)
{
	struct accesslog *log = serve_access_log_of(serve);
	const char *params[LIMIT_SERVE_PARAMS], *columns[LIMIT_ACCESSLOG_COLUMNS];
	char text[LIMIT_SERVE_TARGET_SIZE];
	struct accesslog_entry entry = {
		.time = serve_now(),
		.key = reader->key_id,
		.peer = request->peer,
		.view = request->view,
		.method = method_word(request->method),
		.path = request->path,
		.params = params,
		.n_params = request->n_params,
		.generation = outcome->generation,
		.dataset = outcome->dataset,
		.version = outcome->version,
		.resource = outcome->dataset[0] == '\0' ? "" : outcome->file,
		.columns = columns,
		.status = outcome->status,
		.rows = outcome->rows,
		.bytes = outcome->bytes,
		.encoding = outcome->encoding,
		.microseconds = outcome->microseconds,
		.is_complete = outcome->is_complete,
		.agent = request->user_agent,
	};

	if (log == NULL)
		return;
	for (size_t i = 0; i < request->n_params; i++)
		params[i] = request->params[i].name;
	entry.n_columns = serve_access_columns(request, text, columns, LIMIT_ACCESSLOG_COLUMNS);
	accesslog_write(log, &entry);
}
