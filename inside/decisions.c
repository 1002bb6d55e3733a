/* SPDX-License-Identifier: ISC
 *
 * decisions: waivers and pins in memory, to JSON and back.
 */
#include "inside/decisions.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "inside/verdict.h"

void decisions_clear(struct decisions *decisions)
{
	free(decisions->waivers);
	free(decisions->pins);
	memset(decisions, 0, sizeof(*decisions));
}

/* --- from JSON ------------------------------------------------------------------------------------------------------- */

static enum fault get_copy(const json_t *object, const char *where, const char *key, char *ret, size_t size,
			   struct refusal *why)
{
	const char *text;
	enum fault fault = json_get_text(object, where, key, true, &text, why);

	if (fault == FAULT_NONE && !text_copy(ret, size, text))
		return refuse(why, FAULT_JSON_MEMBER, "%s: \"%s\" is longer than %zu bytes", where, key, size - 1);
	return fault;
}

/* A time; null, where it may be, is 0. */
static enum fault get_time(const json_t *object, const char *where, const char *key, bool may_be_null, int64_t *ret,
			   struct refusal *why)
{
	const json_t *value = json_object_get(object, key);

	*ret = 0;
	if (may_be_null && json_is_null(value))
		return FAULT_NONE;
	if (!json_is_string(value) || !notation_parse_time(json_string_value(value), ret))
		return refuse(why, FAULT_JSON_MEMBER, "%s: \"%s\" is no time", where, key);
	return FAULT_NONE;
}

static bool is_version(const char *text)
{
	uint8_t bytes[(STORE_VERSION_SIZE - 1) / 2];

	return notation_unhex(text, bytes, sizeof(bytes));
}

static enum fault get_waiver(const json_t *object, struct waiver *w, struct refusal *why)
{
	static const char *const allowed[] = {"id",       "application", "dataset", "resource",  "field",
					      "rule",     "contract",    "version", "fault",     "reason",
					      "operator", "date",        "until",   "withdrawn", NULL};
	const char *where = "a waiver", *code;
	enum fault fault;

	memset(w, 0, sizeof(*w));
	if (!json_is_object(object))
		return refuse(why, FAULT_JSON_MEMBER, "%s is not an object", where);
	if ((fault = json_only(object, where, allowed, why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "id", w->id, sizeof(w->id), why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "application", w->of.application, sizeof(w->of.application), why)) !=
		    FAULT_NONE ||
	    (fault = get_copy(object, where, "dataset", w->dataset, sizeof(w->dataset), why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "resource", w->of.resource, sizeof(w->of.resource), why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "field", w->of.field, sizeof(w->of.field), why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "rule", w->of.rule, sizeof(w->of.rule), why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "contract", w->contract, sizeof(w->contract), why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "version", w->version, sizeof(w->version), why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "reason", w->reason, sizeof(w->reason), why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "operator", w->operator, sizeof(w->operator), why)) != FAULT_NONE ||
	    (fault = json_get_text(object, where, "fault", true, &code, why)) != FAULT_NONE ||
	    (fault = get_time(object, where, "date", false, &w->date, why)) != FAULT_NONE ||
	    (fault = get_time(object, where, "until", true, &w->until, why)) != FAULT_NONE ||
	    (fault = get_time(object, where, "withdrawn", true, &w->withdrawn, why)) != FAULT_NONE)
		return fault;
	w->of.fault = fault_by_code(code);
	if (w->of.fault == FAULT_NONE || !notation_is_name(w->dataset) || w->id[0] == '\0' || !is_version(w->version))
		return refuse(why, FAULT_JSON_MEMBER, "%s is out of form", where);
	return FAULT_NONE;
}

static enum fault get_pin(const json_t *object, struct pin *pin, struct refusal *why)
{
	static const char *const allowed[] = {"dataset", "version", "reason", "operator", "date", "until", NULL};
	const char *where = "a pin";
	enum fault fault;

	memset(pin, 0, sizeof(*pin));
	if (!json_is_object(object))
		return refuse(why, FAULT_JSON_MEMBER, "%s is not an object", where);
	if ((fault = json_only(object, where, allowed, why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "dataset", pin->dataset, sizeof(pin->dataset), why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "version", pin->version, sizeof(pin->version), why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "reason", pin->reason, sizeof(pin->reason), why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "operator", pin->operator, sizeof(pin->operator), why)) != FAULT_NONE ||
	    (fault = get_time(object, where, "date", false, &pin->date, why)) != FAULT_NONE ||
	    (fault = get_time(object, where, "until", true, &pin->until, why)) != FAULT_NONE)
		return fault;
	if (!notation_is_name(pin->dataset) || !is_version(pin->version))
		return refuse(why, FAULT_JSON_MEMBER, "%s is out of form", where);
	return FAULT_NONE;
}

/* The object's one array, after its format and the closed world. */
static enum fault open_document(const void *data, size_t size, const char *key, json_t **ret_root, json_t **ret_array,
				struct refusal *why)
{
	const char *allowed[] = {"format", key, NULL};
	char name[32];
	enum fault fault;

	snprintf(name, sizeof(name), "clapet %s", key);
	if ((fault = json_parse(data, size, LIMIT_JSON_SIZE, ret_root, why)) != FAULT_NONE ||
	    (fault = json_format(*ret_root, key, name, 1, why)) != FAULT_NONE ||
	    (fault = json_only(*ret_root, key, allowed, why)) != FAULT_NONE)
		return fault;
	return json_get_array(*ret_root, key, key, true, ret_array, why);
}

enum fault decisions_parse_waivers(const void *data, size_t size, struct decisions *decisions, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *root = NULL;
	json_t *array;
	enum fault fault = open_document(data, size, "waivers", &root, &array, why);
	size_t n;

	if (fault != FAULT_NONE)
		return fault;
	n = json_array_size(array);
	if (n > LIMIT_WAIVERS)
		return refuse(why, FAULT_JSON_MEMBER, "%zu waivers, at most %d", n, LIMIT_WAIVERS);
	free(decisions->waivers);
	decisions->waivers = xcalloc(n + 1, sizeof(*decisions->waivers));
	for (decisions->n_waivers = 0; decisions->n_waivers < n; decisions->n_waivers++) {
		fault = get_waiver(json_array_get(array, decisions->n_waivers),
				   &decisions->waivers[decisions->n_waivers], why);
		if (fault != FAULT_NONE)
			return fault;
	}
	return FAULT_NONE;
}

enum fault decisions_parse_pins(const void *data, size_t size, struct decisions *decisions, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *root = NULL;
	json_t *array;
	enum fault fault = open_document(data, size, "pins", &root, &array, why);
	size_t n;

	if (fault != FAULT_NONE)
		return fault;
	n = json_array_size(array);
	if (n > LIMIT_ROLES)
		return refuse(why, FAULT_JSON_MEMBER, "%zu pins, at most %d", n, LIMIT_ROLES);
	free(decisions->pins);
	decisions->pins = xcalloc(n + 1, sizeof(*decisions->pins));
	for (decisions->n_pins = 0; decisions->n_pins < n; decisions->n_pins++) {
		fault = get_pin(json_array_get(array, decisions->n_pins), &decisions->pins[decisions->n_pins], why);
		if (fault != FAULT_NONE)
			return fault;
	}
	return FAULT_NONE;
}

static enum fault load_one(int store_fd, enum document document, const char *name,
			   enum fault (*parse)(const void *, size_t, struct decisions *, struct refusal *),
			   struct decisions *decisions, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = store_load_document(store_fd, document, NULL, NULL, LIMIT_JSON_SIZE, &data, &size);

	if (r == -ENOENT)
		return FAULT_NONE;
	if (r < 0)
		return refuse(why, FAULT_STORAGE, "decisions/%s: %s", name, strerror(-r));
	if (parse(data, size, decisions, why) == FAULT_NONE)
		return FAULT_NONE;
	refuse_within(why, "decisions/%s", name);
	if (why != NULL)
		why->fault = FAULT_STORE_DAMAGED;
	return FAULT_STORE_DAMAGED;
}

enum fault decisions_load(int store_fd, struct decisions *decisions, struct refusal *why)
{
	enum fault fault = load_one(store_fd, DOCUMENT_WAIVERS, "waivers.json", decisions_parse_waivers, decisions,
				    why);

	if (fault != FAULT_NONE)
		return fault;
	return load_one(store_fd, DOCUMENT_PINS, "pins.json", decisions_parse_pins, decisions, why);
}

/* --- to JSON --------------------------------------------------------------------------------------------------------- */

static json_t *time_or_null(int64_t time)
{
	char text[NOTATION_TIME_SIZE];

	if (time == 0)
		return json_null();
	notation_format_time(time, text);
	return json_string(text);
}

json_t *decisions_waivers_to_json(const struct decisions *decisions)
{
	json_t *array = json_array();

	for (size_t i = 0; i < decisions->n_waivers; i++) {
		const struct waiver *w = &decisions->waivers[i];

		json_array_append_new(array, json_pack("{ss so ss so so so ss ss so so so so so so}", "id", w->id,
						       "application", verdict_text(w->of.application), "dataset",
						       w->dataset, "resource", verdict_text(w->of.resource), "field",
						       verdict_text(w->of.field), "rule", verdict_text(w->of.rule),
						       "contract", w->contract, "version", w->version, "fault",
						       verdict_code((enum fault)w->of.fault), "reason",
						       verdict_text(w->reason), "operator", verdict_text(w->operator),
						       "date", time_or_null(w->date), "until", time_or_null(w->until),
						       "withdrawn", time_or_null(w->withdrawn)));
	}
	return json_pack("{ss so}", "format", "clapet waivers 1", "waivers", array);
}

json_t *decisions_pins_to_json(const struct decisions *decisions)
{
	json_t *array = json_array();

	for (size_t i = 0; i < decisions->n_pins; i++) {
		const struct pin *pin = &decisions->pins[i];

		json_array_append_new(array, json_pack("{ss ss so so so so}", "dataset", pin->dataset, "version",
						       pin->version, "reason", verdict_text(pin->reason), "operator",
						       verdict_text(pin->operator), "date", time_or_null(pin->date),
						       "until", time_or_null(pin->until)));
	}
	return json_pack("{ss so}", "format", "clapet pins 1", "pins", array);
}

/* --- asked and changed ----------------------------------------------------------------------------------------------- */

bool waiver_is_live(const struct waiver *waiver, int64_t now)
{
	return waiver->withdrawn == 0 && (waiver->until == 0 || now < waiver->until);
}

const struct waiver *decisions_waiver_for(const struct decisions *decisions, const char *dataset,
					  const struct record_break *item, const char *contract, int64_t now)
{
	if (!item->can_be_approved)
		return NULL;
	for (size_t i = 0; i < decisions->n_waivers; i++) {
		const struct waiver *w = &decisions->waivers[i];

		if (waiver_is_live(w, now) && strcmp(w->dataset, dataset) == 0 &&
		    strcmp(w->of.application, item->application) == 0 && strcmp(w->of.resource, item->resource) == 0 &&
		    strcmp(w->of.field, item->field) == 0 && strcmp(w->of.rule, item->rule) == 0 &&
		    strcmp(w->contract, contract) == 0)
			return w;
	}
	return NULL;
}

enum fault decisions_add_waiver(struct decisions *decisions, const struct waiver *waiver, const char **ret_id,
				struct refusal *why)
{
	unsigned long highest = 0;
	struct waiver *added;

	if (decisions->n_waivers >= LIMIT_WAIVERS)
		return refuse(why, FAULT_QUOTA, "%d waivers are kept, and all are taken", LIMIT_WAIVERS);
	for (size_t i = 0; i < decisions->n_waivers; i++) {
		unsigned long number = strtoul(decisions->waivers[i].id + 1, NULL, 10);

		highest = number > highest ? number : highest;
	}
	decisions->waivers = xrealloc(decisions->waivers, decisions->n_waivers + 1, sizeof(*decisions->waivers));
	added = &decisions->waivers[decisions->n_waivers++];
	*added = *waiver;
	snprintf(added->id, sizeof(added->id), "w%lu", (highest + 1) % 100000000);
	*ret_id = added->id;
	return FAULT_NONE;
}

struct waiver *decisions_waiver_by_id(struct decisions *decisions, const char *id)
{
	for (size_t i = 0; i < decisions->n_waivers; i++)
		if (strcmp(decisions->waivers[i].id, id) == 0)
			return &decisions->waivers[i];
	return NULL;
}

const struct pin *decisions_pin_for(const struct decisions *decisions, const char *dataset, int64_t now)
{
	for (size_t i = 0; i < decisions->n_pins; i++)
		if (strcmp(decisions->pins[i].dataset, dataset) == 0 &&
		    (decisions->pins[i].until == 0 || now < decisions->pins[i].until))
			return &decisions->pins[i];
	return NULL;
}

void decisions_set_pin(struct decisions *decisions, const struct pin *pin)
{
	decisions_remove_pin(decisions, pin->dataset);
	decisions->pins = xrealloc(decisions->pins, decisions->n_pins + 1, sizeof(*decisions->pins));
	decisions->pins[decisions->n_pins++] = *pin;
}

bool decisions_remove_pin(struct decisions *decisions, const char *dataset)
{
	for (size_t i = 0; i < decisions->n_pins; i++) {
		if (strcmp(decisions->pins[i].dataset, dataset) != 0)
			continue;
		decisions->n_pins--;
		memmove(&decisions->pins[i], &decisions->pins[i + 1],
			(decisions->n_pins - i) * sizeof(*decisions->pins));
		return true;
	}
	return false;
}
