/* SPDX-License-Identifier: ISC
 *
 * json: JSON that came from elsewhere, through jansson, strictly (FORMAT.md 1.4). What jansson does not refuse by
 * itself (size, depth, BOM, a list at the top) is refused before or after it.
 */
#include "bundle/json.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "bundle/notation.h"

#define CLAUSE "bundle/FORMAT.md 1.4"

void json_init(void)
{
	json_t *object;

	json_object_seed(0);
	/* Whatever else jansson does on first use, it does here. */
	object = json_object();
	json_object_set_new(object, "seed", json_true());
	json_decref(object);
}

/* Nesting is counted before jansson recurses. Where the bytes are JSON, quotes are found as jansson finds them; where
 * they are not, jansson stops at the first fault and never gets as deep as is counted here. */
static enum fault check_depth(const char *text, size_t size, struct refusal *why)
{
	unsigned depth = 0, line = 1;
	bool in_string = false;
	size_t line_start = 0;

	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if (c == '\n') {
			line++;
			line_start = i + 1;
		}
		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		if (in_string)
			continue;
		if ((c == '{' || c == '[') && ++depth > LIMIT_JSON_DEPTH)
			return refuse(why, FAULT_JSON_DEPTH, "line %u, column %zu: nested deeper than %d (%s)", line,
				      i - line_start + 1, LIMIT_JSON_DEPTH, CLAUSE);
		if ((c == '}' || c == ']') && depth > 0)
			depth--;
	}
	return FAULT_NONE;
}

json_t *json_or_die(json_t *json)
{
	if (json == NULL)
		die("out of memory");
	return json;
}

enum fault json_parse(const void *data, size_t size, size_t limit, json_t **ret_object, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	json_error_t error;
	enum fault fault;

	if (size > limit)
		return refuse(why, FAULT_JSON_SIZE, "%zu bytes of JSON, at most %zu (%s)", size, limit, CLAUSE);
	if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
		return refuse(why, FAULT_JSON_SYNTAX, "line 1, column 1: begins with a byte order mark (%s)", CLAUSE);
	fault = check_depth(data, size, why);
	if (fault != FAULT_NONE)
		return fault;
	json = json_loadb(size != 0 ? data : "", size, JSON_REJECT_DUPLICATES, &error);
	if (json == NULL)
		return refuse(why,
			      json_error_code(&error) == json_error_duplicate_key ? FAULT_JSON_DUPLICATE
										  : FAULT_JSON_SYNTAX,
			      "line %d, column %d: %s", error.line, error.column, error.text);
	if (!json_is_object(json))
		return refuse(why, FAULT_JSON_SYNTAX, "line 1: a list at the top, not an object (%s)", CLAUSE);
	*ret_object = steal_pointer(&json);
	return FAULT_NONE;
}

enum fault json_load_path(const char *path, size_t limit, json_t **ret_object, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r;

	r = fd_load_file(AT_FDCWD, path, limit, &data, &size);
	if (r == -EFBIG)
		return refuse(why, FAULT_JSON_SIZE, "%s: more than %zu bytes (%s)", path, limit, CLAUSE);
	if (r < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(-r));
	if (json_parse(data, size, limit, ret_object, why) != FAULT_NONE)
		return refuse_within(why, "%s", path);
	return FAULT_NONE;
}

enum fault json_only(const json_t *object, const char *where, const char *const *allowed, struct refusal *why)
{
	json_t *members = (json_t *)object; /* jansson's iterators know no const */

	if (!json_is_object(object))
		return refuse(why, FAULT_JSON_MEMBER, "%s: not an object", where);
	for (void *i = json_object_iter(members); i != NULL; i = json_object_iter_next(members, i)) {
		const char *key = json_object_iter_key(i);
		size_t n = 0;

		while (allowed[n] != NULL && strcmp(allowed[n], key) != 0)
			n++;
		if (allowed[n] == NULL)
			return refuse(why, FAULT_JSON_MEMBER, "%s: unknown member \"%s\"", where, key);
	}
	return FAULT_NONE;
}

enum fault json_format(const json_t *object, const char *where, const char *name, unsigned version, struct refusal *why)
{
	const char *text = NULL, *end;
	char wanted[96];
	enum fault fault;

	fault = json_get_text(object, where, "format", true, &text, why);
	if (fault != FAULT_NONE)
		return fault;
	snprintf(wanted, sizeof(wanted), "%s %u", name, version);
	if (strcmp(text, wanted) == 0)
		return FAULT_NONE;
	end = strncmp(text, name, strlen(name)) == 0 ? text + strlen(name) : "";
	if (end[0] == ' ' && end[1] >= '1' && end[1] <= '9' && strspn(end + 1, "0123456789") == strlen(end + 1))
		return refuse(why, FAULT_JSON_FORMAT, "%s: %s format %s, this reads %u", where, name, end + 1, version);
	return refuse(why, FAULT_JSON_FORMAT, "%s: format \"%s\", not \"%s\"", where, text, wanted);
}

/* The member, or NULL. RET_FAULT says whether its absence is one. */
static json_t *member_of(const json_t *object, const char *where, const char *key, bool required, enum fault *ret_fault,
			 struct refusal *why)
{
	json_t *member = json_object_get(object, key);

	*ret_fault = FAULT_NONE;
	if (member == NULL && required)
		*ret_fault = refuse(why, FAULT_JSON_MEMBER, "%s: \"%s\" is missing", where, key);
	return member;
}

static enum fault wrong_type(const char *where, const char *key, const char *wanted, struct refusal *why)
{
	return refuse(why, FAULT_JSON_MEMBER, "%s: \"%s\" is not %s", where, key, wanted);
}

enum fault json_get_text(const json_t *object, const char *where, const char *key, bool required, const char **ret,
			 struct refusal *why)
{
	enum fault fault;
	json_t *member = member_of(object, where, key, required, &fault, why);

	if (member == NULL)
		return fault;
	if (!json_is_string(member))
		return wrong_type(where, key, "a text", why);
	if (strlen(json_string_value(member)) != json_string_length(member))
		return refuse(why, FAULT_JSON_MEMBER, "%s: \"%s\" holds a NUL", where, key);
	*ret = json_string_value(member);
	return FAULT_NONE;
}

enum fault json_get_integer(const json_t *object, const char *where, const char *key, bool required, int64_t minimum,
			    int64_t maximum, int64_t *ret, struct refusal *why)
{
	enum fault fault;
	json_t *member = member_of(object, where, key, required, &fault, why);
	int64_t value;

	if (member == NULL)
		return fault;
	if (!json_is_integer(member))
		return wrong_type(where, key, "an integer", why);
	value = json_integer_value(member);
	if (value < minimum || value > maximum)
		return refuse(why, FAULT_JSON_MEMBER, "%s: \"%s\" is %" PRId64 ", not within %" PRId64 " and %" PRId64,
			      where, key, value, minimum, maximum);
	*ret = value;
	return FAULT_NONE;
}

enum fault json_get_bool(const json_t *object, const char *where, const char *key, bool required, bool *ret,
			 struct refusal *why)
{
	enum fault fault;
	json_t *member = member_of(object, where, key, required, &fault, why);

	if (member == NULL)
		return fault;
	if (!json_is_boolean(member))
		return wrong_type(where, key, "true or false", why);
	*ret = json_is_true(member);
	return FAULT_NONE;
}

enum fault json_get_array(const json_t *object, const char *where, const char *key, bool required, json_t **ret,
			  struct refusal *why)
{
	enum fault fault;
	json_t *member = member_of(object, where, key, required, &fault, why);

	if (member == NULL)
		return fault;
	if (!json_is_array(member))
		return wrong_type(where, key, "a list", why);
	*ret = member;
	return FAULT_NONE;
}

enum fault json_get_object(const json_t *object, const char *where, const char *key, bool required, json_t **ret,
			   struct refusal *why)
{
	enum fault fault;
	json_t *member = member_of(object, where, key, required, &fault, why);

	if (member == NULL)
		return fault;
	if (!json_is_object(member))
		return wrong_type(where, key, "an object", why);
	*ret = member;
	return FAULT_NONE;
}

enum fault json_get_duration(const json_t *object, const char *where, const char *key, bool required, int64_t *ret,
			     struct refusal *why)
{
	const char *text = NULL;
	int64_t seconds;
	enum fault fault;

	fault = json_get_text(object, where, key, required, &text, why);
	if (fault != FAULT_NONE || text == NULL)
		return fault;
	if (!notation_parse_duration(text, &seconds))
		return refuse(why, FAULT_JSON_MEMBER, "%s: \"%s\" is \"%s\", not a duration like 90s, 6h or 3d", where,
			      key, text);
	*ret = seconds;
	return FAULT_NONE;
}
