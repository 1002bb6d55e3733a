/* SPDX-License-Identifier: ISC
 *
 * check_document: the two documents of our own that cross as targets: what the outside says of its sources, and the
 * withdrawal of a dataset. Closed world.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "inside/check.h"

/* The file's object, its hash checked; the request holds this file alone. */
static enum fault load_alone(const struct check_request *request, const char *name, json_t **ret_object,
			     struct refusal *why)
{
	const struct check_file *file = check_request_file(request, name);
	_cleanup_free_ uint8_t *data = NULL;
	enum fault fault;
	size_t size;

	if (file == NULL || request->n_files != 1)
		return refuse(why, FAULT_VERSION_FORM, "%s: %s stands alone or not at all", request->version.dataset,
			      name);
	fault = check_load(file, LIMIT_PACKAGE_SIZE, &data, &size, why);
	if (fault != FAULT_NONE)
		return fault;
	fault = json_parse(data, size, LIMIT_PACKAGE_SIZE, ret_object, why);
	return fault == FAULT_NONE ? FAULT_NONE : refuse_within(why, "%s", name);
}

/* A time, or null (0) where it may be. */
static enum fault get_time(const json_t *object, const char *where, const char *key, bool may_be_null,
			   int64_t *ret_time, struct refusal *why)
{
	const json_t *value = json_object_get(object, key);

	if (may_be_null && json_is_null(value)) {
		*ret_time = 0;
		return FAULT_NONE;
	}
	if (!json_is_string(value) || !notation_parse_time(json_string_value(value), ret_time))
		return refuse(why, FAULT_JSON_MEMBER, "%s: %s is no time (2026-11-22T16:54:00Z)%s", where, key,
			      may_be_null ? " and not null" : "");
	return FAULT_NONE;
}

static enum fault get_text_or_null(const json_t *object, const char *where, const char *key, const char **ret_text,
				   struct refusal *why)
{
	if (!json_is_null(json_object_get(object, key)))
		return json_get_text(object, where, key, true, ret_text, why);
	*ret_text = NULL;
	return FAULT_NONE;
}

static enum fault get_max_age(const json_t *object, const char *where, int64_t *ret_max_age, struct refusal *why)
{
	*ret_max_age = 0;
	if (json_is_null(json_object_get(object, "maxAge")))
		return FAULT_NONE;
	return json_get_integer(object, where, "maxAge", true, 1, 100LL * 366 * 86400, ret_max_age, why);
}

static enum fault check_code(const char *where, const char *code, struct refusal *why)
{
	char written[8];

	if (code == NULL)
		return FAULT_NONE;
	snprintf(written, sizeof(written), "E%04d", (int)fault_by_code(code));
	if (fault_by_code(code) == FAULT_NONE || strcmp(written, code) != 0)
		return refuse(why, FAULT_JSON_MEMBER, "%s: code %s is not in the catalogue", where, code);
	return FAULT_NONE;
}

static enum fault parse_source(const json_t *json, const char *where, struct record_source *source, struct refusal *why)
{
	static const char *const keys[] = {"dataset", "state", "checked", "succeeded", "since",
					   "maxAge",  "why",   "code",    NULL};
	const char *dataset = NULL, *state = NULL, *reason = NULL, *code = NULL;
	enum fault fault;

	if (!json_is_object(json))
		return refuse(why, FAULT_JSON_MEMBER, "%s: not an object", where);
	if ((fault = json_only(json, where, keys, why)) != FAULT_NONE ||
	    (fault = json_get_text(json, where, "dataset", true, &dataset, why)) != FAULT_NONE ||
	    (fault = json_get_text(json, where, "state", true, &state, why)) != FAULT_NONE ||
	    (fault = get_time(json, where, "checked", false, &source->checked, why)) != FAULT_NONE ||
	    (fault = get_time(json, where, "succeeded", true, &source->succeeded, why)) != FAULT_NONE ||
	    (fault = get_time(json, where, "since", true, &source->since, why)) != FAULT_NONE ||
	    (fault = get_max_age(json, where, &source->max_age, why)) != FAULT_NONE ||
	    (fault = get_text_or_null(json, where, "why", &reason, why)) != FAULT_NONE ||
	    (fault = get_text_or_null(json, where, "code", &code, why)) != FAULT_NONE ||
	    (fault = check_code(where, code, why)) != FAULT_NONE)
		return fault;
	if (!notation_is_name(dataset) || !text_copy(source->dataset, sizeof(source->dataset), dataset))
		return refuse(why, FAULT_JSON_MEMBER, "%s: dataset %s is no name", where, dataset);
	if (strcmp(state, "unchanged") != 0 && strcmp(state, "new") != 0 && strcmp(state, "failed") != 0)
		return refuse(why, FAULT_JSON_MEMBER, "%s: state %s is not unchanged, new or failed", where, state);
	text_copy(source->state, sizeof(source->state), state);
	if (reason != NULL)
		snprintf(source->line, sizeof(source->line), "%s%s%s", code != NULL ? code : "",
			 code != NULL ? " " : "", reason);
	return FAULT_NONE;
}

static enum fault check_bundles(const json_t *status, struct refusal *why)
{
	json_t *bundles = NULL;
	enum fault fault = json_get_array(status, "status.json", "bundles", true, &bundles, why);

	for (size_t i = 0; fault == FAULT_NONE && i < json_array_size(bundles); i++) {
		const char *name = json_string_value(json_array_get(bundles, i));

		if (name == NULL || !notation_is_file_name(name))
			fault = refuse(why, FAULT_JSON_MEMBER, "status.json: bundle %zu is no file's name", i + 1);
	}
	return fault;
}

/* All sources are parsed before the first is told of. */
static enum fault parse_sources(const json_t *status, struct record_source **ret_sources, size_t *ret_n,
				struct refusal *why)
{
	_cleanup_free_ struct record_source *sources = NULL;
	json_t *array = NULL;
	enum fault fault;
	size_t n;

	if ((fault = json_get_array(status, "status.json", "sources", true, &array, why)) != FAULT_NONE)
		return fault;
	n = json_array_size(array);
	if (n > LIMIT_ROLES)
		return refuse(why, FAULT_JSON_MEMBER, "status.json: %zu sources, at most %d", n, LIMIT_ROLES);
	sources = xcalloc(n + 1, sizeof(*sources));
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *where = xasprintf("status.json: source %zu", i + 1);

		if ((fault = parse_source(json_array_get(array, i), where, &sources[i], why)) != FAULT_NONE)
			return fault;
		for (size_t j = 0; j < i; j++) {
			if (strcmp(sources[i].dataset, sources[j].dataset) == 0)
				return refuse(why, FAULT_JSON_MEMBER, "%s: %s is told of twice", where,
					      sources[i].dataset);
		}
	}
	*ret_sources = steal_pointer(&sources);
	*ret_n = n;
	return FAULT_NONE;
}

static void answer_facts(struct check_answer *answer, const char *title, const char *created, const char *replaced_by)
{
	struct record record = record_new(RECORD_FACTS);

	record_text(record.facts.title, sizeof(record.facts.title), title);
	record_text(record.facts.created, sizeof(record.facts.created), created);
	if (replaced_by != NULL)
		record_text(record.facts.replaced_by, sizeof(record.facts.replaced_by), replaced_by);
	record_send(answer->sock, &record, -1);
}

enum fault check_status(const struct check_request *request, struct check_answer *answer, struct refusal *why)
{
	static const char *const keys[] = {"format", "issued", "sources", "bundles", NULL};
	_cleanup_(json_decrefp) json_t *status = NULL;
	_cleanup_free_ struct record_source *sources = NULL;
	char issued_text[NOTATION_TIME_SIZE];
	int64_t issued;
	enum fault fault;
	size_t n = 0;

	if ((fault = load_alone(request, "status.json", &status, why)) != FAULT_NONE ||
	    (fault = json_format(status, "status.json", "clapet status", 1, why)) != FAULT_NONE ||
	    (fault = json_only(status, "status.json", keys, why)) != FAULT_NONE ||
	    (fault = get_time(status, "status.json", "issued", false, &issued, why)) != FAULT_NONE ||
	    (fault = check_bundles(status, why)) != FAULT_NONE ||
	    (fault = parse_sources(status, &sources, &n, why)) != FAULT_NONE)
		return fault;
	check_answer_plain(answer, &request->files[0]);
	notation_format_time(issued, issued_text);
	answer_facts(answer, "status of the sources", issued_text, NULL);
	for (size_t i = 0; i < n; i++) {
		struct record record = record_new(RECORD_SOURCE);

		record.source = sources[i];
		record_send(answer->sock, &record, -1);
	}
	return FAULT_NONE;
}

/* "2026-11-22", or a whole time. */
static bool is_date(const char *text)
{
	_cleanup_free_ char *whole = strlen(text) == 10 ? xasprintf("%sT00:00:00Z", text) : xstrdup(text);
	int64_t seconds;

	return notation_parse_time(whole, &seconds);
}

enum fault check_withdrawal(const struct check_request *request, struct check_answer *answer, struct refusal *why)
{
	static const char *const keys[] = {"format", "reason", "date", "replacedBy", NULL};
	static const char *const where = "withdrawn.json";
	const char *reason = NULL, *date = NULL, *replaced_by = NULL;
	_cleanup_(json_decrefp) json_t *json = NULL;
	enum fault fault;

	if ((fault = load_alone(request, where, &json, why)) != FAULT_NONE ||
	    (fault = json_format(json, where, "clapet withdrawal", 1, why)) != FAULT_NONE ||
	    (fault = json_only(json, where, keys, why)) != FAULT_NONE ||
	    (fault = json_get_text(json, where, "reason", true, &reason, why)) != FAULT_NONE ||
	    (fault = json_get_text(json, where, "date", true, &date, why)) != FAULT_NONE ||
	    (fault = get_text_or_null(json, where, "replacedBy", &replaced_by, why)) != FAULT_NONE)
		return fault;
	if (reason[0] == '\0')
		return refuse(why, FAULT_JSON_MEMBER, "%s: no reason", where);
	if (!is_date(date))
		return refuse(why, FAULT_JSON_MEMBER, "%s: date %s is not YYYY-MM-DD", where, date);
	if (replaced_by != NULL && !notation_is_name(replaced_by))
		return refuse(why, FAULT_JSON_MEMBER, "%s: replacedBy %s is no name", where, replaced_by);
	check_answer_plain(answer, &request->files[0]);
	answer_facts(answer, reason, date, replaced_by);
	return FAULT_NONE;
}
