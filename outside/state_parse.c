/* SPDX-License-Identifier: ISC
 *
 * state_parse: reads our own state files back, in a closed world: a state that somebody edited is refused, not guessed at.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "outside/state.h"

#define LIMIT_STATE_SIZE LIMIT_JSON_SIZE

static enum fault get_hash(const json_t *object, const char *where, const char *key, struct sha256 *ret,
			   struct refusal *why)
{
	const char *hex = NULL;

	if (json_is_null(json_object_get(object, key)))
		return FAULT_NONE;
	if (json_get_text(object, where, key, true, &hex, why) != FAULT_NONE)
		return why->fault;
	if (!sha256_from_hex(hex, ret))
		return refuse(why, FAULT_JSON_MEMBER, "%s: %s is no SHA-256", where, key);
	return FAULT_NONE;
}

/* A time, or null: 0. */
static enum fault get_time(const json_t *object, const char *where, const char *key, int64_t *ret, struct refusal *why)
{
	const char *text = NULL;

	if (json_is_null(json_object_get(object, key)))
		return FAULT_NONE;
	if (json_get_text(object, where, key, true, &text, why) != FAULT_NONE)
		return why->fault;
	if (!notation_parse_time(text, ret))
		return refuse(why, FAULT_JSON_MEMBER, "%s: %s is no time", where, key);
	return FAULT_NONE;
}

static enum fault parse_parts(const json_t *object, const char *where, struct state_part **ret_parts, size_t *ret_n,
			      struct refusal *why)
{
	static const char *const allowed[] = {"sha256", "length", "sent", NULL};
	json_t *parts = NULL, *item;
	size_t i;

	if (json_get_array(object, where, "parts", true, &parts, why) != FAULT_NONE)
		return why->fault;
	if (json_array_size(parts) > LIMIT_PARTS)
		return refuse(why, FAULT_JSON_MEMBER, "%s: too many parts", where);
	*ret_parts = xcalloc(json_array_size(parts) + 1, sizeof **ret_parts);
	json_array_foreach(parts, i, item)
	{
		struct state_part *part = &(*ret_parts)[i];
		int64_t length = 0;

		if (!json_is_object(item))
			return refuse(why, FAULT_JSON_MEMBER, "%s: part %zu is no object", where, i);
		if (json_only(item, where, allowed, why) != FAULT_NONE ||
		    get_hash(item, where, "sha256", &part->sha256, why) != FAULT_NONE ||
		    json_get_integer(item, where, "length", true, 0, (int64_t)LIMIT_PART_SIZE, &length, why) !=
			    FAULT_NONE ||
		    json_get_bool(item, where, "sent", true, &part->sent, why) != FAULT_NONE)
			return why->fault;
		part->length = (uint64_t)length;
		(*ret_n)++;
	}
	return FAULT_NONE;
}

/* The same of what an older version did not write. */
static enum fault get_new_time(const json_t *object, const char *where, const char *key, int64_t *ret,
			       struct refusal *why)
{
	return json_object_get(object, key) == NULL ? FAULT_NONE : get_time(object, where, key, ret, why);
}

/* Null, or not there, of a file that travels whole. */
static enum fault parse_base(const json_t *object, const char *where, struct state_keyframe *base, struct refusal *why)
{
	static const char *const allowed[] = {"sha256", "length", "since", "signedAt", "parts", NULL};
	int64_t length = 0, since = 0;
	json_t *item = NULL;

	if (json_object_get(object, "base") == NULL || json_is_null(json_object_get(object, "base")))
		return FAULT_NONE;
	if (json_get_object(object, where, "base", true, &item, why) != FAULT_NONE ||
	    json_only(item, where, allowed, why) != FAULT_NONE ||
	    get_hash(item, where, "sha256", &base->sha256, why) != FAULT_NONE ||
	    json_get_integer(item, where, "length", true, 0, (int64_t)LIMIT_PLAIN_SIZE, &length, why) != FAULT_NONE ||
	    json_get_integer(item, where, "since", true, 0, LIMIT_VERSION, &since, why) != FAULT_NONE ||
	    get_time(item, where, "signedAt", &base->signed_at, why) != FAULT_NONE ||
	    parse_parts(item, where, &base->parts, &base->n_parts, why) != FAULT_NONE)
		return why->fault;
	if (base->n_parts == 0)
		return refuse(why, FAULT_JSON_MEMBER, "%s: a base without parts", where);
	base->length = (uint64_t)length;
	base->since = (uint64_t)since;
	return FAULT_NONE;
}

static enum fault parse_file(const json_t *object, const char *where, struct state_version *version,
			     struct refusal *why)
{
	static const char *const allowed[] = {"name",     "sha256", "length", "rows",       "publishedSha256", "since",
					      "signedAt", "parts",  "base",   "keyframeAt", "offeredAt",       NULL};
	int64_t length = 0, rows = 0, since = 0;
	const char *name = NULL;
	struct state_file *file;

	if (!json_is_object(object))
		return refuse(why, FAULT_JSON_MEMBER, "%s: a file is no object", where);
	if (json_only(object, where, allowed, why) != FAULT_NONE ||
	    json_get_text(object, where, "name", true, &name, why) != FAULT_NONE ||
	    json_get_integer(object, where, "length", true, 0, (int64_t)LIMIT_PLAIN_SIZE, &length, why) != FAULT_NONE ||
	    json_get_integer(object, where, "rows", true, 0, (int64_t)LIMIT_ROWS, &rows, why) != FAULT_NONE ||
	    /* Not there where an older version wrote it. */
	    json_get_integer(object, where, "since", false, 0, LIMIT_VERSION, &since, why) != FAULT_NONE)
		return why->fault;
	if (!notation_is_file_name(name) || strlen(name) >= LIMIT_FILE_NAME_SIZE)
		return refuse(why, FAULT_JSON_MEMBER, "%s: \"%s\" is no file's name", where, name);
	file = state_version_add(version, name);
	file->length = (uint64_t)length;
	file->rows = (uint64_t)rows;
	file->since = (uint64_t)since;
	if (get_new_time(object, where, "signedAt", &file->signed_at, why) != FAULT_NONE ||
	    get_hash(object, where, "sha256", &file->sha256, why) != FAULT_NONE ||
	    get_hash(object, where, "publishedSha256", &file->published_sha256, why) != FAULT_NONE ||
	    get_new_time(object, where, "keyframeAt", &file->keyframe_at, why) != FAULT_NONE ||
	    get_new_time(object, where, "offeredAt", &file->offered_at, why) != FAULT_NONE ||
	    parse_base(object, where, &file->base, why) != FAULT_NONE)
		return why->fault;
	return parse_parts(object, where, &file->parts, &file->n_parts, why);
}

static enum fault parse_version(const json_t *parent, const char *key, struct state_version *version,
				struct refusal *why)
{
	static const char *const allowed[] = {"version", "content", "created", "withdrawn", "files", NULL};
	json_t *object = NULL, *files = NULL, *item;
	const char *created = NULL;
	int64_t unused;
	size_t i;

	if (json_is_null(json_object_get(parent, key)))
		return FAULT_NONE;
	if (json_get_object(parent, "state", key, true, &object, why) != FAULT_NONE ||
	    json_only(object, key, allowed, why) != FAULT_NONE ||
	    get_hash(object, key, "version", &version->version, why) != FAULT_NONE ||
	    get_hash(object, key, "content", &version->content, why) != FAULT_NONE ||
	    json_get_text(object, key, "created", true, &created, why) != FAULT_NONE ||
	    json_get_bool(object, key, "withdrawn", true, &version->withdrawn, why) != FAULT_NONE ||
	    json_get_array(object, key, "files", true, &files, why) != FAULT_NONE)
		return why->fault;
	if (!notation_parse_time(created, &unused) || !text_copy(version->created, sizeof version->created, created))
		return refuse(why, FAULT_JSON_MEMBER, "%s: created is no time", key);
	if (json_array_size(files) > LIMIT_TARGETS_PER_ROLE)
		return refuse(why, FAULT_JSON_MEMBER, "%s: too many files", key);
	json_array_foreach(files, i, item)
	{
		if (parse_file(item, key, version, why) != FAULT_NONE)
			return why->fault;
	}
	version->exists = true;
	return FAULT_NONE;
}

static enum fault parse_urls(const json_t *object, struct source_state *state, struct refusal *why)
{
	static const char *const allowed[] = {"url", "etag", "lastModified", "sha256", NULL};
	json_t *urls = NULL, *item;
	size_t i;

	if (json_get_array(object, "state", "urls", true, &urls, why) != FAULT_NONE)
		return why->fault;
	json_array_foreach(urls, i, item)
	{
		const char *url = NULL, *etag = NULL, *last_modified = NULL;
		struct sha256 sha256 = {{0}};

		if (!json_is_object(item))
			return refuse(why, FAULT_JSON_MEMBER, "urls: entry %zu is no object", i);
		if (json_only(item, "urls", allowed, why) != FAULT_NONE ||
		    json_get_text(item, "urls", "url", true, &url, why) != FAULT_NONE ||
		    json_get_text(item, "urls", "etag", true, &etag, why) != FAULT_NONE ||
		    json_get_text(item, "urls", "lastModified", true, &last_modified, why) != FAULT_NONE ||
		    get_hash(item, "urls", "sha256", &sha256, why) != FAULT_NONE)
			return why->fault;
		source_state_add_url(state, url, etag, last_modified, &sha256);
	}
	return FAULT_NONE;
}

static enum fault parse_failure(const json_t *object, struct source_state *state, struct refusal *why)
{
	static const char *const allowed[] = {"code", "why", "since", NULL};
	const char *code = NULL, *line = NULL;
	json_t *failure = NULL;

	if (json_is_null(json_object_get(object, "failure")))
		return FAULT_NONE;
	if (json_get_object(object, "state", "failure", true, &failure, why) != FAULT_NONE ||
	    json_only(failure, "failure", allowed, why) != FAULT_NONE ||
	    json_get_text(failure, "failure", "code", true, &code, why) != FAULT_NONE ||
	    json_get_text(failure, "failure", "why", true, &line, why) != FAULT_NONE)
		return why->fault;
	refuse(&state->why, fault_by_code(code), "%s", line);
	return get_time(failure, "failure", "since", &state->since, why);
}

static enum fault parse_outcome(const json_t *object, struct source_state *state, struct refusal *why)
{
	const char *text = NULL;

	if (json_get_text(object, "state", "outcome", true, &text, why) != FAULT_NONE)
		return why->fault;
	for (enum state_outcome outcome = STATE_NEVER; outcome <= STATE_FAILED; outcome++)
		if (strcmp(text, state_outcome_name(outcome)) == 0) {
			state->outcome = outcome;
			return FAULT_NONE;
		}
	return refuse(why, FAULT_JSON_MEMBER, "outcome \"%s\" is unknown", text);
}

static enum fault parse_source_state(const json_t *object, struct source_state *state, struct refusal *why)
{
	static const char *const allowed[] = {
		"format",       "name", "outcome",   "checked", "succeeded",  "failure", "maxAge",
		"sourceSha256", "urls", "published", "pending", "references", NULL};
	const char *name = NULL;

	if (json_format(object, "state", "clapet source state", 1, why) != FAULT_NONE ||
	    json_only(object, "state", allowed, why) != FAULT_NONE ||
	    json_get_text(object, "state", "name", true, &name, why) != FAULT_NONE)
		return why->fault;
	if (strcmp(name, state->name) != 0)
		return refuse(why, FAULT_JSON_MEMBER, "this is the state of %s", name);
	if (parse_outcome(object, state, why) != FAULT_NONE ||
	    get_time(object, "state", "checked", &state->checked, why) != FAULT_NONE ||
	    get_time(object, "state", "succeeded", &state->succeeded, why) != FAULT_NONE ||
	    parse_failure(object, state, why) != FAULT_NONE ||
	    json_get_integer(object, "state", "maxAge", true, 0, LIMIT_VERSION, &state->max_age, why) != FAULT_NONE ||
	    get_hash(object, "state", "sourceSha256", &state->source_sha256, why) != FAULT_NONE ||
	    (json_object_get(object, "references") != NULL &&
	     get_hash(object, "state", "references", &state->references, why) != FAULT_NONE) ||
	    parse_urls(object, state, why) != FAULT_NONE ||
	    parse_version(object, "published", &state->published, why) != FAULT_NONE)
		return why->fault;
	return parse_version(object, "pending", &state->pending, why);
}

enum fault source_state_load(int state_fd, const char *name, struct source_state **ret_state, struct refusal *why)
{
	_cleanup_(source_state_freep) struct source_state *state = xcalloc(1, sizeof *state);
	_cleanup_free_ char *path = xasprintf("%s/state.json", name);
	_cleanup_(json_decrefp) json_t *object = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r;

	if (!text_copy(state->name, sizeof state->name, name))
		return refuse(why, FAULT_SOURCE, "%s: no name for a dataset", name);
	r = fd_load_file(state_fd, path, LIMIT_STATE_SIZE, &data, &size);
	if (r < 0 && r != -ENOENT)
		return refuse(why, FAULT_FILE, "state/%s: %s", path, strerror(-r));
	if (r == 0 && (json_parse(data, size, LIMIT_STATE_SIZE, &object, why) != FAULT_NONE ||
		       parse_source_state(object, state, why) != FAULT_NONE))
		return refuse_within(why, "state/%s (our own file: restore it, or move its folder away to begin anew)",
				     path);
	*ret_state = steal_pointer(&state);
	return FAULT_NONE;
}

static enum fault parse_roles(const json_t *object, struct agent_state *state, struct refusal *why)
{
	json_t *roles = NULL, *version;
	const char *name;

	if (json_get_object(object, "state", "catalogueRoles", true, &roles, why) != FAULT_NONE)
		return why->fault;
	state->roles = xcalloc(json_object_size(roles) + 1, sizeof *state->roles);
	json_object_foreach(roles, name, version)
	{
		if (!json_is_integer(version) ||
		    !text_copy(state->roles[state->n_roles].name, NOTATION_NAME_SIZE, name))
			return refuse(why, FAULT_JSON_MEMBER, "catalogueRoles: %s", name);
		state->roles[state->n_roles++].version = (uint64_t)json_integer_value(version);
	}
	return FAULT_NONE;
}

static enum fault parse_agent_state(const json_t *object, struct agent_state *state, struct refusal *why)
{
	static const char *const allowed[] = {"format", "catalogueAt", "catalogueRoles", "bundledTimestamp",
					      "status", "bundles",     "prunedAt",       NULL};
	json_t *bundles = NULL, *name;
	int64_t bundled = 0;
	size_t i;

	if (json_format(object, "state", "clapet outside state", 1, why) != FAULT_NONE ||
	    json_only(object, "state", allowed, why) != FAULT_NONE ||
	    get_time(object, "state", "catalogueAt", &state->catalogue_at, why) != FAULT_NONE ||
	    (json_object_get(object, "prunedAt") != NULL &&
	     get_time(object, "state", "prunedAt", &state->pruned_at, why) != FAULT_NONE) ||
	    parse_roles(object, state, why) != FAULT_NONE ||
	    json_get_integer(object, "state", "bundledTimestamp", true, 0, LIMIT_VERSION, &bundled, why) !=
		    FAULT_NONE ||
	    parse_version(object, "status", &state->status, why) != FAULT_NONE ||
	    json_get_array(object, "state", "bundles", true, &bundles, why) != FAULT_NONE)
		return why->fault;
	state->bundled_timestamp = (uint64_t)bundled;
	json_array_foreach(bundles, i, name)
	{
		if (!json_is_string(name) || !notation_is_file_name(json_string_value(name)))
			return refuse(why, FAULT_JSON_MEMBER, "bundles: entry %zu is no file's name", i);
		agent_state_add_bundle(state, json_string_value(name));
	}
	return FAULT_NONE;
}

enum fault agent_state_load(int state_fd, struct agent_state **ret_state, struct refusal *why)
{
	_cleanup_(agent_state_freep) struct agent_state *state = xcalloc(1, sizeof *state);
	_cleanup_(json_decrefp) json_t *object = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = fd_load_file(state_fd, "agent.json", LIMIT_STATE_SIZE, &data, &size);

	if (r < 0 && r != -ENOENT)
		return refuse(why, FAULT_FILE, "state/agent.json: %s", strerror(-r));
	if (r == 0 && (json_parse(data, size, LIMIT_STATE_SIZE, &object, why) != FAULT_NONE ||
		       parse_agent_state(object, state, why) != FAULT_NONE))
		return refuse_within(why, "state/agent.json (our own file: restore it)");
	*ret_state = steal_pointer(&state);
	return FAULT_NONE;
}
