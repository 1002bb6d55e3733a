/* SPDX-License-Identifier: ISC
 *
 * baseline: see baseline.h.
 */
#include "outside/baseline.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "schemas/tolerated.h"

struct baseline *baseline_new(const char *dataset)
{
	struct baseline *baseline = xcalloc(1, sizeof(*baseline));

	text_copy(baseline->dataset, sizeof(baseline->dataset), dataset);
	baseline->percent = BASELINE_GROWTH_PERCENT;
	baseline->rows = BASELINE_GROWTH_ROWS;
	return baseline;
}

void baseline_free(struct baseline *baseline)
{
	if (baseline == NULL)
		return;
	for (size_t i = 0; i < baseline->n_resources; i++)
		rule_levels_clear(&baseline->resources[i].known);
	free(baseline->resources);
	free(baseline->reason);
	free(baseline->person);
	free(baseline);
}

void baseline_freep(struct baseline **baseline)
{
	baseline_free(*baseline);
}

const struct baseline_resource *baseline_resource(const struct baseline *baseline, const char *name)
{
	for (size_t i = 0; i < baseline->n_resources; i++)
		if (strcmp(baseline->resources[i].name, name) == 0)
			return &baseline->resources[i];
	return NULL;
}

struct baseline_resource *baseline_add(struct baseline *baseline, const char *name)
{
	size_t at = 0;

	while (at < baseline->n_resources && strcmp(baseline->resources[at].name, name) < 0)
		at++;
	if (at < baseline->n_resources && strcmp(baseline->resources[at].name, name) == 0)
		return &baseline->resources[at];
	baseline->resources = xrealloc(baseline->resources, baseline->n_resources + 1, sizeof(baseline->resources[0]));
	memmove(&baseline->resources[at + 1], &baseline->resources[at],
		(baseline->n_resources - at) * sizeof(baseline->resources[0]));
	baseline->n_resources++;
	baseline->resources[at] = (struct baseline_resource){.rows = 0};
	text_copy(baseline->resources[at].name, sizeof(baseline->resources[at].name), name);
	return &baseline->resources[at];
}

uint64_t baseline_most(const struct baseline *baseline, const struct rule_level *item)
{
	uint64_t percent = (uint64_t)baseline->percent;
	uint64_t more = item->most / 100 * percent + item->most % 100 * percent / 100;

	return item->most + (more > (uint64_t)baseline->rows ? more : (uint64_t)baseline->rows);
}

/* --- its file
 * --------------------------------------------------------------------------------------------------------- */

static enum fault parse_growth(const json_t *root, struct baseline *baseline, struct refusal *why)
{
	static const char *const allowed[] = {"percent", "rows", NULL};
	json_t *growth = NULL;
	enum fault fault;

	if ((fault = json_get_object(root, BASELINE_FILE, "growth", true, &growth, why)) != FAULT_NONE ||
	    (fault = json_only(growth, "growth", allowed, why)) != FAULT_NONE ||
	    (fault = json_get_integer(growth, "growth", "percent", true, 0, LIMIT_CHANGE_PERCENT, &baseline->percent,
				      why)) != FAULT_NONE)
		return fault;
	return json_get_integer(growth, "growth", "rows", true, 0, (int64_t)LIMIT_ROWS, &baseline->rows, why);
}

static enum fault parse_resource(const json_t *object, struct baseline *baseline, struct refusal *why)
{
	static const char *const allowed[] = {"name", "rows", "faults", NULL};
	struct baseline_resource *resource;
	const char *name = NULL;
	json_t *faults = NULL;
	int64_t rows = 0;
	enum fault fault;

	if (!json_is_object(object))
		return refuse(why, FAULT_JSON_MEMBER, "a resource is no object");
	if ((fault = json_only(object, "resource", allowed, why)) != FAULT_NONE ||
	    (fault = json_get_text(object, "resource", "name", true, &name, why)) != FAULT_NONE ||
	    (fault = json_get_integer(object, "resource", "rows", true, 0, (int64_t)LIMIT_ROWS, &rows, why)) !=
		    FAULT_NONE ||
	    (fault = json_get_array(object, "resource", "faults", true, &faults, why)) != FAULT_NONE)
		return fault;
	if (!notation_is_name(name))
		return refuse(why, FAULT_JSON_MEMBER, "\"%.80s\" is no resource's name", name);
	if (baseline->n_resources > 0 && strcmp(baseline->resources[baseline->n_resources - 1].name, name) >= 0)
		return refuse(why, FAULT_JSON_MEMBER, "resources are not sorted by name, each once");
	resource = baseline_add(baseline, name);
	resource->rows = (uint64_t)rows;
	return tolerated_parse(faults, name, &resource->known, why);
}

static enum fault parse_resources(const json_t *root, struct baseline *baseline, struct refusal *why)
{
	json_t *resources = NULL;
	enum fault fault = json_get_array(root, BASELINE_FILE, "resources", true, &resources, why);

	if (fault == FAULT_NONE && json_array_size(resources) > LIMIT_TARGETS_PER_ROLE)
		return refuse(why, FAULT_JSON_MEMBER, "more than %d resources", LIMIT_TARGETS_PER_ROLE);
	for (size_t i = 0; i < json_array_size(resources) && fault == FAULT_NONE; i++)
		fault = parse_resource(json_array_get(resources, i), baseline, why);
	return fault;
}

static enum fault parse_root(const json_t *root, const char *dataset, struct baseline *baseline, struct refusal *why)
{
	static const char *const allowed[] = {"format", "dataset", "date",      "person",
					      "reason", "growth",  "resources", NULL};
	const char *name = NULL, *date = NULL, *person = NULL, *reason = NULL;
	enum fault fault;

	if ((fault = json_format(root, BASELINE_FILE, "clapet baseline", 1, why)) != FAULT_NONE ||
	    (fault = json_only(root, BASELINE_FILE, allowed, why)) != FAULT_NONE ||
	    (fault = json_get_text(root, BASELINE_FILE, "dataset", true, &name, why)) != FAULT_NONE ||
	    (fault = json_get_text(root, BASELINE_FILE, "date", true, &date, why)) != FAULT_NONE ||
	    (fault = json_get_text(root, BASELINE_FILE, "person", true, &person, why)) != FAULT_NONE ||
	    (fault = json_get_text(root, BASELINE_FILE, "reason", true, &reason, why)) != FAULT_NONE)
		return fault;
	if (strcmp(name, dataset) != 0)
		return refuse(why, FAULT_JSON_MEMBER, "it is of dataset \"%.63s\"", name);
	if (!notation_parse_time(date, &baseline->date))
		return refuse(why, FAULT_JSON_MEMBER, "\"date\" is no time of the form 2026-11-22T16:54:00Z");
	if (reason[0] == '\0')
		return refuse(why, FAULT_JSON_MEMBER, "\"reason\" is empty");
	baseline->person = xstrdup(person);
	baseline->reason = xstrdup(reason);
	fault = parse_growth(root, baseline, why);
	return fault != FAULT_NONE ? fault : parse_resources(root, baseline, why);
}

enum fault baseline_parse(const void *data, size_t size, const char *dataset, struct baseline **ret_baseline,
			  struct refusal *why)
{
	_cleanup_(baseline_freep) struct baseline *baseline = baseline_new(dataset);
	_cleanup_(json_decrefp) json_t *root = NULL;

	if (json_parse(data, size, LIMIT_CONFIGURATION_SIZE, &root, why) != FAULT_NONE ||
	    parse_root(root, dataset, baseline, why) != FAULT_NONE) {
		if (why != NULL)
			why->fault = FAULT_BASELINE_FORM;
		refuse_within(why, BASELINE_FILE);
		return FAULT_BASELINE_FORM;
	}
	*ret_baseline = steal_pointer(&baseline);
	return FAULT_NONE;
}

/* The members stand in an order that a person reads. */
char *baseline_write(const struct baseline *baseline)
{
	_cleanup_(json_decrefp) json_t *root = NULL;
	_cleanup_free_ char *dump = NULL;
	json_t *resources = json_or_die(json_array());
	char date[NOTATION_TIME_SIZE];

	notation_format_time(baseline->date, date);
	for (size_t i = 0; i < baseline->n_resources; i++) {
		const struct baseline_resource *resource = &baseline->resources[i];

		json_array_append_new(resources, json_or_die(json_pack("{s:s, s:I, s:o}", "name", resource->name,
								       "rows", (json_int_t)resource->rows, "faults",
								       tolerated_to_json(&resource->known))));
	}
	root = json_or_die(json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:I, s:I}, s:o}", "format", "clapet baseline 1",
				     "dataset", baseline->dataset, "date", date, "person", baseline->person, "reason",
				     baseline->reason, "growth", "percent", (json_int_t)baseline->percent, "rows",
				     (json_int_t)baseline->rows, "resources", resources));
	dump = json_dumps(root, JSON_INDENT(2));
	if (dump == NULL)
		die("out of memory");
	return xasprintf("%s\n", dump);
}

json_t *baseline_known(const struct baseline *baseline, const char *resource)
{
	const struct baseline_resource *known = baseline_resource(baseline, resource);
	json_t *faults = known != NULL ? tolerated_to_json(&known->known) : json_array();

	return json_or_die(json_pack("{s:I, s:I, s:o}", "percent", (json_int_t)baseline->percent, "rows",
				     (json_int_t)baseline->rows, "faults", faults));
}

/* --- against what there is
 * -------------------------------------------------------------------------------------------- */

static bool is_text(const json_t *value, const char *text)
{
	return text == NULL ? value == NULL : json_is_string(value) && strcmp(json_string_value(value), text) == 0;
}

static uint64_t count_in(const json_t *list, const char *resource, const struct rule_level *item)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *found = json_array_get(list, i);

		if (is_text(json_object_get(found, "resource"), resource) &&
		    is_text(json_object_get(found, "rule"), item->rule) &&
		    is_text(json_object_get(found, "field"), item->field))
			return (uint64_t)json_integer_value(json_object_get(found, "count"));
	}
	return 0;
}

bool baseline_has_shrunk(const struct baseline *baseline, const json_t *list, char *words, size_t size)
{
	for (size_t i = 0; i < baseline->n_resources; i++) {
		const struct baseline_resource *resource = &baseline->resources[i];

		for (size_t k = 0; k < resource->known.n_items; k++) {
			const struct rule_level *item = &resource->known.items[k];
			uint64_t n = count_in(list, resource->name, item);
			char kind[200];

			if (n >= item->most)
				continue;
			snprintf(words, size, "%s: %s, %" PRIu64 " of %" PRIu64 " known faults are left",
				 resource->name, tolerated_words(item->rule, item->field, kind, sizeof(kind)), n,
				 item->most);
			return true;
		}
	}
	return false;
}
