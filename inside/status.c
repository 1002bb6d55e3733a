/* SPDX-License-Identifier: ISC
 *
 * status: composed from a settlement, read back leniently in what is missing and strictly in what it is.
 */
#include "inside/status.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "inside/settle_rows.h"

static json_t *time_or_null(int64_t time)
{
	char text[NOTATION_TIME_SIZE];

	if (time == 0)
		return json_null();
	notation_format_time(time, text);
	return json_string(text);
}

static json_t *text_or_null(const char *text)
{
	return text[0] == '\0' ? json_null() : verdict_text(text);
}

/* --- sources --------------------------------------------------------------------------------------------------------- */

json_t *status_sources_to_json(const struct record_source *sources, size_t n_sources)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n_sources; i++) {
		const struct record_source *source = &sources[i];

		json_array_append_new(
			array,
			json_pack("{so so so so so sI so}", "dataset", verdict_text(source->dataset), "state",
				  verdict_text(source->state), "checked", time_or_null(source->checked), "succeeded",
				  time_or_null(source->succeeded), "since", time_or_null(source->since), "maxAge",
				  (json_int_t)source->max_age, "why", text_or_null(source->line)));
	}
	return json_pack("{ss so}", "format", "clapet sources 1", "sources", array);
}

static json_t *load_sources(const struct inside *inside)
{
	_cleanup_free_ uint8_t *data = NULL;
	struct refusal why = {0};
	json_t *root = NULL;
	size_t size;
	int r = store_load_document(inside->store_fd, DOCUMENT_SOURCES, NULL, NULL, LIMIT_JSON_SIZE, &data, &size);

	if (r == -ENOENT)
		return NULL;
	if (r < 0 || json_parse(data, size, LIMIT_JSON_SIZE, &root, &why) != FAULT_NONE ||
	    json_format(root, "sources.json", "clapet sources", 1, &why) != FAULT_NONE) {
		log_warning("decisions/sources.json: %s", r < 0 ? strerror(-r) : why.line);
		json_decref(root);
		return NULL;
	}
	return root;
}

/* What the outside said of its sources: in this settling if its status.json came with it, else what was kept. */
static json_t *current_sources(const struct inside *inside, const struct settlement *settlement)
{
	for (size_t i = 0; i < settlement->n_judgements; i++) {
		const struct judgement *judgement = &settlement->judgements[i];

		if (strcmp(judgement->role->record.name, "status") == 0 && judgement->verdict->end.fault == FAULT_NONE)
			return status_sources_to_json(judgement->sources, judgement->n_sources);
	}
	return load_sources(inside);
}

/* The source of NAME; borrowed. */
static const json_t *source_of(const json_t *sources, const char *name)
{
	const json_t *array = json_object_get(sources, "sources");

	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *source = json_array_get(array, i);
		const char *dataset = json_string_value(json_object_get(source, "dataset"));

		if (dataset != NULL && strcmp(dataset, name) == 0)
			return source;
	}
	return NULL;
}

/* --- composing ------------------------------------------------------------------------------------------------------- */

static json_t *missing_to_json(const struct dataset_view *view)
{
	json_t *array = json_array();

	for (size_t i = 0; view->state == DATASET_MISSING && i < view->n_missing; i++)
		json_array_append_new(array,
				      json_pack("{ss so sI}", "kind", view->missing[i].is_blob ? "blob" : "metadata",
						"name", verdict_text(view->missing[i].name), "size",
						(json_int_t)view->missing[i].size));
	return array;
}

static json_t *breaks_to_json(const struct dataset_view *view)
{
	json_t *array = json_array();

	for (size_t i = 0; i < view->breaks.n_items; i++)
		json_array_append_new(array, verdict_break_to_json(&view->breaks.items[i]));
	return array;
}

static json_t *pin_to_json(const struct inside *inside, const char *name)
{
	const struct pin *pin = decisions_pin_for(&inside->decisions, name, inside->now);

	if (pin == NULL)
		return json_null();
	return json_pack("{ss so so so so}", "version", pin->version, "reason", verdict_text(pin->reason), "operator",
			 verdict_text(pin->operator), "date", time_or_null(pin->date), "until",
			 time_or_null(pin->until));
}

static json_t *withdrawal_to_json(const struct dataset_view *view)
{
	const struct record_facts *facts = view->verdict == NULL ? NULL : &view->verdict->facts;

	if (view->role == NULL || !view->role->record.is_withdrawn)
		return json_null();
	return json_pack("{so so so}", "date", facts == NULL ? json_null() : text_or_null(facts->created), "reason",
			 facts == NULL ? json_null() : text_or_null(facts->title), "replacedBy",
			 facts == NULL ? json_null() : text_or_null(facts->replaced_by));
}

/* What the version in force let through. */
static json_t *tolerated_to_json(const struct generation_entry *entry)
{
	json_t *tolerated = json_object_get(entry == NULL ? NULL : entry->json, "tolerated");

	return json_is_array(tolerated) ? json_incref(tolerated) : json_array();
}

/* The dataset NAME of status.json as it was; borrowed. */
static const json_t *old_dataset(const json_t *old, const char *name)
{
	const json_t *datasets = json_object_get(old, "datasets");

	for (size_t i = 0; i < json_array_size(datasets); i++) {
		const json_t *dataset = json_array_get(datasets, i);
		const char *other = json_string_value(json_object_get(dataset, "name"));

		if (other != NULL && strcmp(other, name) == 0)
			return dataset;
	}
	return NULL;
}

/* The newest timestamp at which nothing of it was missing, and its role's version then: what a request asks for "since" (missing.h). Where
 * the same version was whole and is not now, the store lost something: that timestamp says nothing any more. */
static json_t *complete_to_json(const struct settlement *settlement, const struct dataset_view *view)
{
	json_t *old = json_object_get(old_dataset(settlement->old_status, view->name), "complete");
	uint64_t version = view->role == NULL ? 0 : view->role->record.role_version;

	switch (view->state) {
	case DATASET_IN_FORCE:
	case DATASET_HELD:
	case DATASET_WITHDRAWN:
		if (version == 0 || view->n_missing > 0)
			break;
		return json_pack("{sI sI}", "timestamp", (json_int_t)settlement->trust.timestamp_version, "role",
				 (json_int_t)version);
	case DATASET_MISSING:
		if ((uint64_t)json_integer_value(json_object_get(old, "role")) == version)
			return json_null();
		break;
	case DATASET_REFUSED:
	case DATASET_TROUBLE:
		break;
	}
	return json_is_object(old) ? json_incref(old) : json_null();
}

static json_t *compose_dataset(const struct inside *inside, const struct settlement *settlement,
			       const struct dataset_view *view, const json_t *sources)
{
	const struct generation_entry *entry = generation_entry(&settlement->generation, view->name);
	const json_t *source = source_of(sources, view->name);
	const json_t *title = json_object_get(entry == NULL ? NULL : entry->json, "title");
	const json_t *waivers = json_object_get(entry == NULL ? NULL : entry->json, "waivers");
	json_t *object = json_pack(
		"{ss ss so so so sI so so so so so so so}", "name", view->name, "state",
		dataset_state_name(view->state), "version", entry == NULL ? json_null() : json_string(entry->version),
		"date", entry == NULL ? json_null() : text_or_null(generation_entry_date(entry)), "title",
		json_is_string(title) ? json_deep_copy(title) : json_null(), "rows",
		(json_int_t)(entry == NULL ? 0 : generation_entry_rows(entry)), "waivers",
		json_is_array(waivers) ? json_deep_copy(waivers) : json_array(), "trusted", text_or_null(view->trusted),
		"fault", view->why.fault == FAULT_NONE ? json_null() : verdict_code(view->why.fault), "why",
		text_or_null(view->why.line), "breaks", breaks_to_json(view), "missing", missing_to_json(view), "pin",
		pin_to_json(inside, view->name));
	json_t *rows;
	static const char *const copied[][2] = {
		{"lastChecked", "succeeded"}, {"sourceState", "state"}, {"sourceWhy", "why"}, {"maxAge", "maxAge"}};

	if (object == NULL)
		die("out of memory");
	for (size_t i = 0; i < ARRAY_SIZE(copied); i++) {
		json_t *value = json_object_get(source, copied[i][1]);

		json_object_set_new(object, copied[i][0], value == NULL ? json_null() : json_incref(value));
	}
	json_object_set_new(object, "tolerated", tolerated_to_json(entry));
	json_object_set_new(object, "withdrawn", withdrawal_to_json(view));
	json_object_set_new(object, "complete", complete_to_json(settlement, view));
	rows = settle_rows_state(inside, settlement, view->name);
	if (rows != NULL)
		json_object_set_new(object, "rowsFile", rows);
	json_object_set_new(object, "stale", json_boolean(status_is_stale(object, inside->now)));
	return object;
}

/* What an outside that lost its last days must go above (cmd_request). */
static json_t *compose_roles(const struct catalogue *catalogue)
{
	json_t *roles = json_object();

	for (size_t i = 0; i < catalogue->n_roles; i++) {
		const struct record_role *role = &catalogue->roles[i].record;
		char digest[SHA256_HEX_SIZE];

		sha256_to_hex(&role->metadata_sha256, digest);
		json_object_set_new(
			roles, role->name,
			json_pack("{sI so}", "version", (json_int_t)role->role_version, "digest",
				  sha256_is_zero(&role->metadata_sha256) ? json_null() : json_string(digest)));
	}
	return roles;
}

static json_t *compose_trust(const struct settlement *settlement)
{
	const struct record_trust *trust = &settlement->trust;

	return json_pack("{sI sI sI sI so so so so so so}", "root", (json_int_t)trust->root_version, "timestamp",
			 (json_int_t)trust->timestamp_version, "snapshot", (json_int_t)trust->snapshot_version,
			 "targets", (json_int_t)trust->targets_version, "issued", time_or_null(trust->issued),
			 "rootExpires", time_or_null(trust->root_expires), "timestampExpires",
			 time_or_null(trust->timestamp_expires), "snapshotExpires",
			 time_or_null(trust->snapshot_expires), "targetsExpires", time_or_null(trust->targets_expires),
			 "roles", compose_roles(settlement->catalogue));
}

/* How many versions came in force so far, by themselves and by a person's act. */
static void count_new(const struct settlement *settlement, const json_t *old, json_int_t ret_counts[2])
{
	const json_t *counts = json_object_get(old, "cameInForce");

	ret_counts[0] = json_integer_value(json_object_get(counts, "byThemselves"));
	ret_counts[1] = json_integer_value(json_object_get(counts, "byDecision"));
	for (size_t i = 0; i < settlement->generation.n_entries; i++) {
		const struct generation_entry *now = &settlement->generation.entries[i];
		const struct generation_entry *before = generation_entry(&settlement->before, now->name);

		if (before == NULL || strcmp(before->version, now->version) != 0)
			ret_counts[settlement->by_decision]++;
	}
}

json_t *status_compose(const struct inside *inside, const struct settlement *settlement)
{
	_cleanup_(json_decrefp) json_t *sources = current_sources(inside, settlement);
	const json_t *old = settlement->old_status;
	json_t *datasets = json_array(), *root;
	json_int_t counts[2];
	int64_t heard;

	heard = settlement->heard ? inside->now : status_time(old, "heard");
	count_new(settlement, old, counts);
	for (size_t i = 0; i < settlement->n_views; i++)
		json_array_append_new(datasets, compose_dataset(inside, settlement, &settlement->views[i], sources));
	root = json_pack("{ss sI so sb so s{sI sI} so}", "format", "clapet store status 1", "generation",
			 (json_int_t)settlement->generation.number, "heard", time_or_null(heard), "clockBehind",
			 inside->now + inside->config->clock_skew < settlement->trust.issued, "trust",
			 compose_trust(settlement), "cameInForce", "byThemselves", counts[0], "byDecision", counts[1],
			 "datasets", datasets);
	if (root == NULL)
		die("out of memory");
	return root;
}

/* --- reading --------------------------------------------------------------------------------------------------------- */

enum fault status_load(const struct inside *inside, json_t **ret_status, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_(json_decrefp) json_t *root = NULL;
	size_t size;
	int r = store_load_document(inside->store_fd, DOCUMENT_STATUS, NULL, NULL, LIMIT_JSON_SIZE, &data, &size);

	if (r == -ENOENT)
		return refuse(why, FAULT_NO_SUCH, "status.json is not written yet: nothing was imported");
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "status.json: %s", strerror(-r));
	if (json_parse(data, size, LIMIT_JSON_SIZE, &root, why) != FAULT_NONE ||
	    json_format(root, "status.json", "clapet store status", 1, why) != FAULT_NONE) {
		if (why != NULL)
			why->fault = FAULT_STORE_DAMAGED;
		return FAULT_STORE_DAMAGED;
	}
	*ret_status = steal_pointer(&root);
	return FAULT_NONE;
}

const char *status_text(const json_t *object, const char *key, char *buffer, size_t size)
{
	const json_t *value = json_object_get(object, key);

	buffer[0] = '\0';
	if (json_is_string(value))
		text_escape(json_string_value(value), json_string_length(value), buffer, size);
	return buffer;
}

int64_t status_time(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	int64_t time;

	return text != NULL && notation_parse_time(text, &time) ? time : 0;
}

bool status_is_stale(const json_t *dataset, int64_t now)
{
	int64_t max_age = json_integer_value(json_object_get(dataset, "maxAge"));
	int64_t checked = status_time(dataset, "lastChecked");

	return max_age > 0 && now - checked > max_age;
}

static void judge_link(const struct inside *inside, const json_t *status, struct health *health)
{
	char age[32], limit[32];
	int64_t silence;

	health->heard = status_time(status, "heard");
	silence = inside->now - health->heard;
	notation_format_age(silence, age, sizeof(age));
	notation_format_age(inside->config->heartbeat, limit, sizeof(limit));
	if (health->heard == 0)
		refuse(&health->link, FAULT_SILENCE, "nothing was ever heard from the outside");
	else if (silence > inside->config->heartbeat)
		refuse(&health->link, FAULT_SILENCE, "nothing new was heard for %s, the limit is %s", age, limit);
}

static void judge_trust(const struct inside *inside, const json_t *status, struct health *health)
{
	static const char *const keys[] = {"timestampExpires", "snapshotExpires", "targetsExpires", "rootExpires"};
	const json_t *trust = json_object_get(status, "trust");
	int64_t issued = status_time(trust, "issued");

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		int64_t expires = status_time(trust, keys[i]);
		char when[40];

		if (expires == 0)
			continue;
		if (health->expires == 0 || expires < health->expires)
			health->expires = expires;
		notation_format_local(expires, when, sizeof(when));
		if (health->trust.fault == FAULT_NONE && expires <= inside->now)
			refuse(&health->trust, FAULT_TUF_EXPIRED,
			       "%.*s expired on %s: the data stay in force and count as stale",
			       (int)(strlen(keys[i]) - strlen("Expires")), keys[i], when);
	}
	if (inside->now + inside->config->clock_skew < issued) {
		char when[40];

		notation_format_local(issued, when, sizeof(when));
		health->trust.fault = FAULT_NONE;
		refuse(&health->trust, FAULT_CLOCK, "the clock is behind %s, the newest time that the outside signed",
		       when);
	}
}

void status_judge(struct inside *inside, const json_t *status, struct health *ret_health)
{
	const json_t *datasets = json_object_get(status, "datasets");
	struct health health = {0};

	judge_link(inside, status, &health);
	judge_trust(inside, status, &health);
	logbook_judge(inside, &health.log_size, &health.log);
	health.n_datasets = json_array_size(datasets);
	for (size_t i = 0; i < health.n_datasets; i++) {
		const json_t *dataset = json_array_get(datasets, i);
		char state[32];

		status_text(dataset, "state", state, sizeof(state));
		health.n_in_force += json_is_string(json_object_get(dataset, "version"));
		health.n_held += strcmp(state, "held") == 0;
		health.n_missing += strcmp(state, "missing") == 0;
		health.n_refused += strcmp(state, "refused") == 0 || strcmp(state, "trouble") == 0;
		health.n_stale += status_is_stale(dataset, inside->now);
	}
	*ret_health = health;
}
