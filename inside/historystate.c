/* SPDX-License-Identifier: ISC
 *
 * historystate: see historystate.h.
 */
#include "inside/historystate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "inside/store.h"

#define WHERE "history.json"

void history_state_clear(struct history_state *state)
{
	free(state->counts);
	*state = (struct history_state){.swept = 0};
}

static enum fault get_count(const json_t *object, struct history_state *state, struct refusal *why)
{
	static const char *const allowed[] = {"name", "versions", "bytes", NULL};
	const char *name;
	int64_t versions = 0, bytes = 0;
	size_t n_before = state->n_counts;
	enum fault fault;

	if (!json_is_object(object))
		return refuse(why, FAULT_JSON_MEMBER, WHERE ": a dataset is not an object");
	if ((fault = json_only(object, WHERE, allowed, why)) != FAULT_NONE ||
	    (fault = json_get_text(object, WHERE, "name", true, &name, why)) != FAULT_NONE ||
	    (fault = json_get_integer(object, WHERE, "versions", true, 1, LIMIT_HISTORY_VERSIONS, &versions, why)) !=
		    FAULT_NONE ||
	    (fault = json_get_integer(object, WHERE, "bytes", true, 0, INT64_MAX, &bytes, why)) != FAULT_NONE)
		return fault;
	if (notation_is_name(name))
		history_state_set(state, name, (uint64_t)versions, (uint64_t)bytes);
	if (state->n_counts == n_before)
		return refuse(why, FAULT_JSON_MEMBER, WHERE ": \"%s\" is no dataset's name, or stands there twice",
			      name);
	return FAULT_NONE;
}

static enum fault fill(const json_t *root, struct history_state *state, struct refusal *why)
{
	static const char *const allowed[] = {"format", "swept", "configuration", "datasets", NULL};
	const char *swept, *configuration;
	json_t *datasets;
	enum fault fault;

	if ((fault = json_format(root, WHERE, "clapet history state", 1, why)) != FAULT_NONE ||
	    (fault = json_only(root, WHERE, allowed, why)) != FAULT_NONE ||
	    (fault = json_get_text(root, WHERE, "swept", true, &swept, why)) != FAULT_NONE ||
	    (fault = json_get_text(root, WHERE, "configuration", true, &configuration, why)) != FAULT_NONE ||
	    (fault = json_get_array(root, WHERE, "datasets", true, &datasets, why)) != FAULT_NONE)
		return fault;
	if (!notation_parse_time(swept, &state->swept) || state->swept <= 0 ||
	    !sha256_from_hex(configuration, &state->configuration) || json_array_size(datasets) > LIMIT_ROLES)
		return refuse(why, FAULT_JSON_MEMBER,
			      WHERE ": \"swept\", \"configuration\" or \"datasets\" is out of form");
	for (size_t i = 0; fault == FAULT_NONE && i < json_array_size(datasets); i++)
		fault = get_count(json_array_get(datasets, i), state, why);
	return fault;
}

enum fault history_state_parse(const void *data, size_t size, struct history_state *ret_state, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *root = NULL;
	struct history_state state = {.swept = 0};
	enum fault fault = json_parse(data, size, LIMIT_JSON_SIZE, &root, why);

	if (fault == FAULT_NONE)
		fault = fill(root, &state, why);
	if (fault != FAULT_NONE)
		history_state_clear(&state);
	*ret_state = state;
	return fault;
}

enum fault history_state_load(int store_fd, struct history_state *ret_state, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = store_load_document(store_fd, DOCUMENT_HISTORY_STATE, NULL, NULL, LIMIT_JSON_SIZE, &data, &size);

	*ret_state = (struct history_state){.swept = 0};
	if (r == -ENOENT)
		return FAULT_NONE;
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "decisions/" WHERE ": %s", strerror(-r));
	return history_state_parse(data, size, ret_state, why);
}

json_t *history_state_to_json(const struct history_state *state)
{
	json_t *datasets = json_array();

	for (size_t i = 0; i < state->n_counts; i++)
		json_array_append_new(datasets, json_pack("{ss sI sI}", "name", state->counts[i].name, "versions",
							  (json_int_t)state->counts[i].versions, "bytes",
							  (json_int_t)state->counts[i].bytes));
	return json_or_die(json_pack("{ss so so so}", "format", "clapet history state 1", "swept",
				     json_time(state->swept), "configuration", json_hash(&state->configuration),
				     "datasets", datasets));
}

bool history_state_set(struct history_state *state, const char *name, uint64_t versions, uint64_t bytes)
{
	size_t at = 0;
	int order = 1;

	while (at < state->n_counts && (order = strcmp(state->counts[at].name, name)) < 0)
		at++;
	if (at == state->n_counts || order != 0) {
		if (versions == 0)
			return false;
		state->counts = xrealloc(state->counts, state->n_counts + 1, sizeof(*state->counts));
		memmove(&state->counts[at + 1], &state->counts[at], (state->n_counts++ - at) * sizeof(*state->counts));
		state->counts[at] = (struct history_count){.versions = 0};
		text_copy(state->counts[at].name, sizeof(state->counts[at].name), name);
	} else if (versions == 0) {
		memmove(&state->counts[at], &state->counts[at + 1], (--state->n_counts - at) * sizeof(*state->counts));
		return true;
	}
	if (state->counts[at].versions == versions && state->counts[at].bytes == bytes)
		return false;
	state->counts[at].versions = versions;
	state->counts[at].bytes = bytes;
	return true;
}

void history_state_sum(const struct history_state *state, uint64_t *ret_versions, uint64_t *ret_bytes)
{
	*ret_versions = *ret_bytes = 0;
	for (size_t i = 0; i < state->n_counts; i++) {
		*ret_versions += state->counts[i].versions;
		*ret_bytes += state->counts[i].bytes;
	}
}
