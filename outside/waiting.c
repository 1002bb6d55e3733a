/* SPDX-License-Identifier: ISC
 *
 * waiting: the list, its file, and how it is said.
 */
#include "outside/waiting.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"

#define FILE_NAME "waiting.json"

static const char *const words[OUTSIDE_WAITS_N] = {[OUTSIDE_WAITS_NONE] = "nobody",
						   [OUTSIDE_WAITS_DELEGATION] = "delegation",
						   [OUTSIDE_WAITS_COSIGN] = "cosign",
						   [OUTSIDE_WAITS_TARGETS] = "targets"};

void waiting_clear(struct waiting *waiting)
{
	free(waiting->items);
	memset(waiting, 0, sizeof *waiting);
}

const struct waiting_item *waiting_find(const struct waiting *waiting, const char *role)
{
	for (size_t i = 0; i < waiting->n_items; i++)
		if (strcmp(waiting->items[i].record.role, role) == 0)
			return &waiting->items[i];
	return NULL;
}

void waiting_update(struct waiting *waiting, const struct publish_signed *signed_, int64_t now)
{
	struct waiting next = {.items = xcalloc(signed_->n_waiting + 1, sizeof *next.items)};

	for (size_t i = 0; i < signed_->n_waiting; i++) {
		const struct outside_waiting *record = &signed_->waiting[i];
		const struct waiting_item *old = waiting_find(waiting, record->role);
		struct waiting_item *item = &next.items[next.n_items++];

		item->record = *record;
		item->since = old != NULL && old->record.waits == record->waits &&
					      old->record.version == record->version
				      ? old->since
				      : now;
	}
	waiting_clear(waiting);
	*waiting = next;
}

/* --- the file -------------------------------------------------------------------------------------------------------- */

static enum fault parse_keys(const json_t *object, struct outside_waiting *record, struct refusal *why)
{
	json_t *keys = NULL;

	if (json_get_array(object, "waiting", "keys", true, &keys, why) != FAULT_NONE)
		return why->fault;
	for (size_t i = 0; i < json_array_size(keys) && i < OUTSIDE_WAITING_KEYS; i++) {
		const char *keyid = json_string_value(json_array_get(keys, i));

		if (keyid == NULL || !text_copy(record->keyids[i], sizeof record->keyids[i], keyid))
			return refuse(why, FAULT_JSON_MEMBER, "keys: entry %zu is no keyid", i);
		record->n_keyids++;
	}
	return FAULT_NONE;
}

static enum fault parse_item(const json_t *object, struct waiting_item *item, struct refusal *why)
{
	static const char *const allowed[] = {"role",    "waits", "version", "valid", "threshold",
					      "expires", "since", "renewal", "keys",  NULL};
	struct outside_record checked = outside_record_new(OUTSIDE_WAITING);
	struct outside_waiting *record = &checked.waiting;
	const char *role = NULL, *waits = NULL, *since = NULL;
	int64_t version = 0, valid = 0, threshold = 0;
	bool is_renewal = false;

	if (json_only(object, "waiting", allowed, why) != FAULT_NONE ||
	    json_get_text(object, "waiting", "role", true, &role, why) != FAULT_NONE ||
	    json_get_text(object, "waiting", "waits", true, &waits, why) != FAULT_NONE ||
	    json_get_text(object, "waiting", "since", true, &since, why) != FAULT_NONE ||
	    json_get_integer(object, "waiting", "version", true, 0, LIMIT_VERSION, &version, why) != FAULT_NONE ||
	    json_get_integer(object, "waiting", "valid", true, 0, LIMIT_SIGNATURES, &valid, why) != FAULT_NONE ||
	    json_get_integer(object, "waiting", "threshold", true, 0, LIMIT_SIGNATURES, &threshold, why) !=
		    FAULT_NONE ||
	    json_get_integer(object, "waiting", "expires", true, 0, LIMIT_VERSION, &record->expires, why) !=
		    FAULT_NONE ||
	    json_get_bool(object, "waiting", "renewal", true, &is_renewal, why) != FAULT_NONE ||
	    parse_keys(object, record, why) != FAULT_NONE)
		return why->fault;
	for (uint32_t i = 0; i < OUTSIDE_WAITS_N; i++)
		if (strcmp(words[i], waits) == 0)
			record->waits = i;
	record->version = (uint64_t)version;
	record->valid = (uint32_t)valid;
	record->threshold = (uint32_t)threshold;
	record->is_renewal = is_renewal;
	if (!text_copy(record->role, sizeof record->role, role) || !outside_record_check(&checked) ||
	    !notation_parse_time(since, &item->since))
		return refuse(why, FAULT_JSON_MEMBER, "an entry that can be none");
	item->record = *record;
	return FAULT_NONE;
}

static enum fault parse(const json_t *object, struct waiting *waiting, struct refusal *why)
{
	static const char *const allowed[] = {"format", "waiting", NULL};
	json_t *array = NULL;

	if (json_format(object, "waiting", "clapet waiting", 1, why) != FAULT_NONE ||
	    json_only(object, "waiting", allowed, why) != FAULT_NONE ||
	    json_get_array(object, "waiting", "waiting", true, &array, why) != FAULT_NONE)
		return why->fault;
	waiting->items = xcalloc(json_array_size(array) + 1, sizeof *waiting->items);
	for (size_t i = 0; i < json_array_size(array); i++)
		if (parse_item(json_array_get(array, i), &waiting->items[waiting->n_items++], why) != FAULT_NONE)
			return why->fault;
	return FAULT_NONE;
}

enum fault waiting_load(int state_fd, struct waiting *ret_waiting, struct refusal *why)
{
	_cleanup_(waiting_clear) struct waiting waiting = {.n_items = 0};
	_cleanup_(json_decrefp) json_t *object = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = fd_load_file(state_fd, FILE_NAME, LIMIT_JSON_SIZE, &data, &size);

	if (r < 0 && r != -ENOENT)
		return refuse(why, FAULT_FILE, "state/" FILE_NAME ": %s", strerror(-r));
	if (r == 0 && (json_parse(data, size, LIMIT_JSON_SIZE, &object, why) != FAULT_NONE ||
		       parse(object, &waiting, why) != FAULT_NONE))
		return refuse_within(why, "state/" FILE_NAME " (our own file: remove it; the next run writes it anew)");
	*ret_waiting = waiting;
	memset(&waiting, 0, sizeof waiting);
	return FAULT_NONE;
}

static json_t *item_json(const struct waiting_item *item)
{
	const struct outside_waiting *record = &item->record;
	json_t *keys = json_array();
	char since[NOTATION_TIME_SIZE];

	notation_format_time(item->since, since);
	for (uint32_t i = 0; i < record->n_keyids; i++)
		json_array_append_new(keys, json_string(record->keyids[i]));
	return json_pack("{s:s, s:s, s:I, s:i, s:i, s:I, s:s, s:b, s:o}", "role", record->role, "waits",
			 words[record->waits], "version", (json_int_t)record->version, "valid", (int)record->valid,
			 "threshold", (int)record->threshold, "expires", (json_int_t)record->expires, "since", since,
			 "renewal", (int)record->is_renewal, "keys", keys);
}

int waiting_save(int state_fd, const struct waiting *waiting)
{
	_cleanup_(json_decrefp) json_t *object = NULL;
	_cleanup_free_ char *text = NULL;
	json_t *array = json_array();

	for (size_t i = 0; i < waiting->n_items; i++)
		json_array_append_new(array, item_json(&waiting->items[i]));
	object = json_pack("{s:s, s:o}", "format", "clapet waiting 1", "waiting", array);
	text = object != NULL ? json_dumps(object, JSON_INDENT(2) | JSON_SORT_KEYS) : NULL;
	return text == NULL ? -ENOMEM : fd_put_durable(state_fd, FILE_NAME, text, strlen(text), 0640);
}

/* --- in words -------------------------------------------------------------------------------------------------------- */

static enum fault explain_targets(const struct outside_waiting *record, struct refusal *why)
{
	char expires[40];

	if (strcmp(record->role, "targets") != 0)
		return refuse(why, FAULT_WAITS_TARGETS,
			      "%s: waits for new targets metadata, and they for the signatures on other datasets",
			      record->role);
	if (record->version > 0)
		return refuse(
			why, FAULT_WAITS_TARGETS,
			"targets must go above version %" PRIu64
			", which the inside may trust: their holder signs what `clapet-keys delegate --above %" PRIu64
			"` asks for",
			record->version, record->version);
	notation_format_local(record->expires, expires, sizeof expires);
	return refuse(why, FAULT_WAITS_TARGETS, "targets metadata must be signed anew by their holder: they end %s",
		      expires);
}

enum fault waiting_explain(const struct waiting_item *item, struct refusal *why)
{
	const struct outside_waiting *record = &item->record;
	char since[40], keys[OUTSIDE_WAITING_KEYS * 18 + 1] = "";

	notation_format_local(item->since, since, sizeof since);
	if (record->waits == OUTSIDE_WAITS_DELEGATION)
		return refuse(why, FAULT_WAITS_DELEGATION,
			      "%s: new, waits since %s for the holder of the targets key to delegate it", record->role,
			      since);
	if (record->waits != OUTSIDE_WAITS_COSIGN)
		return explain_targets(record, why);
	for (uint32_t i = 0; i < record->n_keyids; i++)
		snprintf(keys + strlen(keys), sizeof keys - strlen(keys), "%s%.16s", i > 0 ? ", " : "",
			 record->keyids[i]);
	return refuse(why, FAULT_WAITS_COSIGN,
		      "%s version %" PRIu64 "%s: %u of %u signatures since %s; not yet signed by key %s", record->role,
		      record->version, record->is_renewal ? " (the same data, valid for longer)" : "", record->valid,
		      record->threshold, since, keys);
}
