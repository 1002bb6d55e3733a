/* SPDX-License-Identifier: ISC
 *
 * verdict: records of inside-check, to JSON and back. What is read back is a file of our own, and is read as strictly as if
 * it were not.
 */
#include "inside/verdict.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/notation.h"

void break_list_add(struct break_list *list, const struct record_break *item)
{
	if ((list->n_items & (list->n_items - 1)) == 0)
		list->items = xrealloc(list->items, list->n_items == 0 ? 1 : 2 * list->n_items, sizeof(*list->items));
	list->items[list->n_items++] = *item;
}

void break_list_clear(struct break_list *list)
{
	free(list->items);
	list->items = NULL;
	list->n_items = 0;
}

struct verdict *verdict_new(const char *dataset, const struct sha256 *version)
{
	struct verdict *verdict = xcalloc(1, sizeof(*verdict));

	if (!text_copy(verdict->dataset, sizeof(verdict->dataset), dataset))
		die("a dataset's name of %zu bytes", strlen(dataset));
	verdict->version = *version;
	return verdict;
}

void verdict_free(struct verdict *verdict)
{
	if (verdict == NULL)
		return;
	free(verdict->licences);
	free(verdict->resources);
	free(verdict->tolerated);
	free(verdict->blobs);
	break_list_clear(&verdict->breaks);
	free(verdict->references);
	free(verdict->goods);
	for (size_t i = 0; i < verdict->n_resolutions; i++)
		break_list_clear(&verdict->resolutions[i].breaks);
	free(verdict->resolutions);
	free(verdict);
}

void verdict_freep(struct verdict **verdict)
{
	verdict_free(*verdict);
}

void verdict_add_blob(struct verdict *verdict, const struct sha256 *sha256)
{
	if ((verdict->n_blobs & (verdict->n_blobs - 1)) == 0)
		verdict->blobs = xrealloc(verdict->blobs, verdict->n_blobs == 0 ? 1 : 2 * verdict->n_blobs,
					  sizeof(*sha256));
	verdict->blobs[verdict->n_blobs++] = *sha256;
}

bool verdict_add(struct verdict *verdict, const struct record *record)
{
	switch ((enum record_kind)record->kind) {
	case RECORD_FACTS:
		verdict->facts = record->facts;
		return true;
	case RECORD_LICENCE:
		if (verdict->n_licences >= LIMIT_TARGETS_PER_ROLE)
			return false;
		verdict->licences = xrealloc(verdict->licences, verdict->n_licences + 1, sizeof(*verdict->licences));
		verdict->licences[verdict->n_licences++] = record->licence;
		return true;
	case RECORD_RESOURCE:
		if (verdict->n_resources >= LIMIT_TARGETS_PER_ROLE)
			return false;
		verdict->resources = xrealloc(verdict->resources, verdict->n_resources + 1,
					      sizeof(*verdict->resources));
		verdict->resources[verdict->n_resources++] = record->resource;
		return true;
	case RECORD_REFERS:
		if (verdict->n_references >= LIMIT_REFERENCES)
			return false;
		verdict->references = xrealloc(verdict->references, verdict->n_references + 1,
					       sizeof(*verdict->references));
		verdict->references[verdict->n_references++] = record->refers;
		return true;
	case RECORD_GOOD:
		if (verdict->n_goods >= 2 * LIMIT_TARGETS_PER_ROLE)
			return false;
		verdict->goods = xrealloc(verdict->goods, verdict->n_goods + 1, sizeof(*verdict->goods));
		verdict->goods[verdict->n_goods++] = record->good;
		return true;
	case RECORD_TOLERATED:
		if (verdict->n_tolerated >= LIMIT_TOLERATED)
			return false;
		verdict->tolerated = xrealloc(verdict->tolerated, verdict->n_tolerated + 1,
					      sizeof(*verdict->tolerated));
		verdict->tolerated[verdict->n_tolerated++] = record->tolerated;
		return true;
	case RECORD_BREAK:
		if (verdict->breaks.n_items >= LIMIT_BREAKS)
			return false;
		break_list_add(&verdict->breaks, &record->break_);
		return true;
	default:
		return false;
	}
}

const struct record_resource *verdict_resource(const struct verdict *verdict, const char *name)
{
	for (size_t i = 0; i < verdict->n_resources; i++)
		if (strcmp(verdict->resources[i].name, name) == 0)
			return &verdict->resources[i];
	return NULL;
}

bool verdict_refers_to(const struct verdict *verdict, const char *dataset)
{
	for (size_t i = 0; i < verdict->n_references; i++)
		if (strcmp(verdict->references[i].dataset, dataset) == 0)
			return true;
	return false;
}

const struct verdict_resolution *verdict_resolution(const struct verdict *verdict, const struct sha256 *with)
{
	for (size_t i = 0; i < verdict->n_resolutions; i++)
		if (sha256_equal(&verdict->resolutions[i].with, with))
			return &verdict->resolutions[i];
	return NULL;
}

static size_t n_resolved_breaks(const struct verdict *verdict)
{
	size_t n = 0;

	for (size_t i = 0; i < verdict->n_resolutions; i++)
		n += verdict->resolutions[i].breaks.n_items;
	return n;
}

void verdict_add_resolution(struct verdict *verdict, const char *dataset, const struct sha256 *version,
			    const struct sha256 *with, struct break_list *breaks)
{
	struct verdict_resolution *added;

	while (verdict->n_resolutions > 0 && (verdict->n_resolutions == LIMIT_RESOLUTIONS ||
					      n_resolved_breaks(verdict) + breaks->n_items > LIMIT_RESOLVED_BREAKS)) {
		break_list_clear(&verdict->resolutions[0].breaks);
		verdict->n_resolutions--;
		memmove(&verdict->resolutions[0], &verdict->resolutions[1],
			verdict->n_resolutions * sizeof(*verdict->resolutions));
	}
	verdict->resolutions = xrealloc(verdict->resolutions, verdict->n_resolutions + 1,
					sizeof(*verdict->resolutions));
	added = &verdict->resolutions[verdict->n_resolutions++];
	memset(added, 0, sizeof(*added));
	if (!text_copy(added->dataset, sizeof(added->dataset), dataset))
		die("a dataset's name of %zu bytes", strlen(dataset));
	added->version = *version;
	added->with = *with;
	added->breaks = *breaks;
	*breaks = (struct break_list){NULL, 0};
}

/* --- to JSON --------------------------------------------------------------------------------------------------------- */

json_t *verdict_text(const char *text)
{
	char escaped[4 * RECORD_LINE_SIZE];
	json_t *value = json_string(text);

	if (value == NULL)
		value = json_string(text_escape(text, strlen(text), escaped, sizeof(escaped)));
	if (value == NULL)
		die("out of memory");
	return value;
}

json_t *verdict_code(enum fault fault)
{
	return json_sprintf("E%04d", fault);
}

json_t *verdict_break_to_json(const struct record_break *item)
{
	json_t *json = json_pack("{so sb so so so so so}", "fault", verdict_code((enum fault)item->fault), "approvable",
				 (int)item->can_be_approved, "application", verdict_text(item->application), "resource",
				 verdict_text(item->resource), "field", verdict_text(item->field), "rule",
				 verdict_text(item->rule), "line", verdict_text(item->line));

	if (item->was[0] != '\0')
		json_object_set_new(json, "old", verdict_text(item->was));
	if (item->is[0] != '\0')
		json_object_set_new(json, "new", verdict_text(item->is));
	if (item->row != 0)
		json_object_set_new(json, "row", json_integer((json_int_t)item->row));
	if (item->value[0] != '\0')
		json_object_set_new(json, "value", verdict_text(item->value));
	return json;
}

json_t *verdict_resources_to_json(const struct verdict *verdict)
{
	json_t *array = json_array();

	for (size_t i = 0; i < verdict->n_resources; i++) {
		const struct record_resource *resource = &verdict->resources[i];
		char stored[SHA256_HEX_SIZE];

		sha256_to_hex(&resource->sha256, stored);
		json_array_append_new(array, json_pack("{so sI so so}", "name", verdict_text(resource->name), "rows",
						       (json_int_t)resource->rows, "asPublished",
						       verdict_text(resource->published_hash), "asStored",
						       json_sprintf("sha256:%s", stored)));
	}
	return array;
}

static json_t *breaks_to_json(const struct break_list *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->n_items; i++)
		json_array_append_new(array, verdict_break_to_json(&list->items[i]));
	return array;
}

static void add_references(const struct verdict *verdict, json_t *root)
{
	json_t *references = json_array(), *resolved = json_array();

	for (size_t i = 0; i < verdict->n_references; i++) {
		const struct record_refers *refers = &verdict->references[i];

		json_array_append_new(references, json_pack("{ss ss ss}", "resource", refers->resource, "dataset",
							    refers->dataset, "table", refers->table));
	}
	for (size_t i = 0; i < verdict->n_resolutions; i++) {
		const struct verdict_resolution *item = &verdict->resolutions[i];

		json_array_append_new(resolved, json_pack("{ss so so so}", "dataset", item->dataset, "version",
							  json_hash(&item->version), "with", json_hash(&item->with),
							  "breaks", breaks_to_json(&item->breaks)));
	}
	json_object_set_new(root, "references", references);
	json_object_set_new(root, "resolved", resolved);
}

static void add_goods(const struct verdict *verdict, json_t *root)
{
	json_t *goods = json_array();

	for (size_t i = 0; i < verdict->n_goods; i++)
		json_array_append_new(goods, json_pack("{so so}", "file", json_hash(&verdict->goods[i].sha256), "by",
						       json_hash(&verdict->goods[i].by)));
	json_object_set_new(root, "good", goods);
}

json_t *verdict_tolerated_to_json(const struct verdict *verdict)
{
	json_t *array = verdict->n_tolerated > 0 ? json_array() : NULL;

	for (size_t i = 0; i < verdict->n_tolerated; i++) {
		const struct record_tolerated *item = &verdict->tolerated[i];

		json_array_append_new(array, json_pack("{so so so sI}", "resource", verdict_text(item->resource),
						       "rule", verdict_text(item->rule), "field",
						       verdict_text(item->field), "count", (json_int_t)item->count));
	}
	return array;
}

json_t *verdict_to_json(const struct verdict *verdict)
{
	json_t *licences = json_array(), *blobs = json_array(), *root;

	for (size_t i = 0; i < verdict->n_licences; i++)
		json_array_append_new(licences, verdict_text(verdict->licences[i].name));
	for (size_t i = 0; i < verdict->n_blobs; i++)
		json_array_append_new(blobs, json_hash(&verdict->blobs[i]));
	root = json_pack("{ss so so so so so s{so so so sb so so} so so}", "format", "clapet verdict 1", "dataset",
			 verdict_text(verdict->dataset), "version", json_hash(&verdict->version), "judgedWith",
			 json_hash(&verdict->judged_with), "fault",
			 verdict->end.fault == FAULT_NONE ? json_null() : verdict_code(verdict->end.fault), "line",
			 verdict_text(verdict->end.line), "facts", "title", verdict_text(verdict->facts.title),
			 "created", verdict_text(verdict->facts.created), "replacedBy",
			 verdict_text(verdict->facts.replaced_by), "opaque", (int)verdict->facts.has_opaque, "licences",
			 licences, "resources", verdict_resources_to_json(verdict), "breaks",
			 breaks_to_json(&verdict->breaks), "blobs", blobs);
	if (root == NULL)
		die("out of memory");
	if (verdict->n_tolerated > 0)
		json_object_set_new(json_object_get(root, "facts"), "tolerated", verdict_tolerated_to_json(verdict));
	if (verdict->n_goods > 0)
		add_goods(verdict, root);
	if (verdict->n_references > 0)
		add_references(verdict, root);
	return root;
}

/* --- and back -------------------------------------------------------------------------------------------------------- */

static enum fault get_copy(const json_t *object, const char *where, const char *key, char *ret, size_t size,
			   struct refusal *why)
{
	const char *text;
	enum fault fault = json_get_text(object, where, key, true, &text, why);

	if (fault == FAULT_NONE && !text_copy(ret, size, text))
		return refuse(why, FAULT_JSON_MEMBER, "%s: \"%s\" is longer than %zu bytes", where, key, size - 1);
	return fault;
}

/* The same for a text that may be left out. */
static enum fault get_some(const json_t *object, const char *where, const char *key, char *ret, size_t size,
			   struct refusal *why)
{
	ret[0] = '\0';
	return json_object_get(object, key) == NULL ? FAULT_NONE : get_copy(object, where, key, ret, size, why);
}

static enum fault get_hex(const json_t *object, const char *where, const char *key, const char *prefix,
			  struct sha256 *ret, struct refusal *why)
{
	const char *text;
	enum fault fault = json_get_text(object, where, key, true, &text, why);

	if (fault != FAULT_NONE)
		return fault;
	if (strncmp(text, prefix, strlen(prefix)) != 0 || !sha256_from_hex(text + strlen(prefix), ret))
		return refuse(why, FAULT_JSON_MEMBER, "%s: \"%s\" is no SHA-256", where, key);
	return FAULT_NONE;
}

static enum fault get_code(const json_t *object, const char *where, enum fault *ret, struct refusal *why)
{
	const json_t *code = json_object_get(object, "fault");
	enum fault found;

	*ret = FAULT_NONE;
	if (json_is_null(code))
		return FAULT_NONE;
	if (!json_is_string(code) || (found = fault_by_code(json_string_value(code))) == FAULT_NONE)
		return refuse(why, FAULT_JSON_MEMBER, "%s: \"fault\" is no code", where);
	*ret = found;
	return FAULT_NONE;
}

enum fault verdict_break_parse(const json_t *object, const char *where, struct record_break *ret_break,
			       struct refusal *why)
{
	static const char *const allowed[] = {"fault", "approvable", "application", "resource", "field", "rule",
					      "line",  "old",        "new",         "row",      "value", NULL};
	struct record record = record_new(RECORD_BREAK);
	struct record_break *item = &record.break_;
	enum fault fault, code;
	int64_t row = 0;
	bool approvable;

	if (!json_is_object(object))
		return refuse(why, FAULT_JSON_MEMBER, "%s: a break is not an object", where);
	if ((fault = json_only(object, where, allowed, why)) != FAULT_NONE ||
	    (fault = get_code(object, where, &code, why)) != FAULT_NONE ||
	    (fault = json_get_bool(object, where, "approvable", true, &approvable, why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "application", item->application, sizeof(item->application), why)) !=
		    FAULT_NONE ||
	    (fault = get_copy(object, where, "resource", item->resource, sizeof(item->resource), why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "field", item->field, sizeof(item->field), why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "rule", item->rule, sizeof(item->rule), why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "line", item->line, sizeof(item->line), why)) != FAULT_NONE ||
	    (fault = get_some(object, where, "old", item->was, sizeof(item->was), why)) != FAULT_NONE ||
	    (fault = get_some(object, where, "new", item->is, sizeof(item->is), why)) != FAULT_NONE ||
	    (fault = get_some(object, where, "value", item->value, sizeof(item->value), why)) != FAULT_NONE ||
	    (fault = json_get_integer(object, where, "row", false, 0, LIMIT_ROWS + 1, &row, why)) != FAULT_NONE)
		return fault;
	item->row = (uint64_t)row;
	item->fault = code;
	item->can_be_approved = approvable;
	if (!record_check(&record))
		return refuse(why, FAULT_JSON_MEMBER, "%s: a break is out of form", where);
	*ret_break = *item;
	return FAULT_NONE;
}

static enum fault get_resource(const json_t *object, struct verdict *verdict, struct refusal *why)
{
	static const char *const allowed[] = {"name", "rows", "asPublished", "asStored", NULL};
	const char *where = "a verdict's resource";
	struct record record = record_new(RECORD_RESOURCE);
	struct record_resource *resource = &record.resource;
	int64_t rows;
	enum fault fault;

	if (!json_is_object(object))
		return refuse(why, FAULT_JSON_MEMBER, "%s is not an object", where);
	if ((fault = json_only(object, where, allowed, why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "name", resource->name, sizeof(resource->name), why)) != FAULT_NONE ||
	    (fault = json_get_integer(object, where, "rows", true, 0, (int64_t)LIMIT_ROWS, &rows, why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "asPublished", resource->published_hash, sizeof(resource->published_hash),
			      why)) != FAULT_NONE ||
	    (fault = get_hex(object, where, "asStored", "sha256:", &resource->sha256, why)) != FAULT_NONE)
		return fault;
	resource->rows = (uint64_t)rows;
	if (!record_check(&record) || !verdict_add(verdict, &record))
		return refuse(why, FAULT_JSON_MEMBER, "%s is out of form", where);
	return FAULT_NONE;
}

static enum fault get_tolerated(const json_t *object, struct verdict *verdict, struct refusal *why)
{
	static const char *const allowed[] = {"resource", "rule", "field", "count", NULL};
	const char *where = "a verdict's tolerated fault";
	struct record record = record_new(RECORD_TOLERATED);
	struct record_tolerated *item = &record.tolerated;
	int64_t count;
	enum fault fault;

	if (!json_is_object(object))
		return refuse(why, FAULT_JSON_MEMBER, "%s is not an object", where);
	if ((fault = json_only(object, where, allowed, why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "resource", item->resource, sizeof(item->resource), why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "rule", item->rule, sizeof(item->rule), why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "field", item->field, sizeof(item->field), why)) != FAULT_NONE ||
	    (fault = json_get_integer(object, where, "count", true, 1, LIMIT_VERSION, &count, why)) != FAULT_NONE)
		return fault;
	item->count = (uint64_t)count;
	if (!record_check(&record) || !verdict_add(verdict, &record))
		return refuse(why, FAULT_JSON_MEMBER, "%s is out of form", where);
	return FAULT_NONE;
}

static enum fault get_facts(const json_t *object, struct verdict *verdict, struct refusal *why)
{
	static const char *const allowed[] = {"title",    "created",   "replacedBy", "opaque",
					      "licences", "resources", "tolerated",  NULL};
	const char *where = "a verdict's facts";
	struct record_facts *facts = &verdict->facts;
	json_t *licences, *resources, *tolerated = NULL;
	bool opaque;
	enum fault fault;

	if ((fault = json_only(object, where, allowed, why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "title", facts->title, sizeof(facts->title), why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "created", facts->created, sizeof(facts->created), why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "replacedBy", facts->replaced_by, sizeof(facts->replaced_by), why)) !=
		    FAULT_NONE ||
	    (fault = json_get_bool(object, where, "opaque", true, &opaque, why)) != FAULT_NONE ||
	    (fault = json_get_array(object, where, "licences", true, &licences, why)) != FAULT_NONE ||
	    (fault = json_get_array(object, where, "resources", true, &resources, why)) != FAULT_NONE ||
	    (fault = json_get_array(object, where, "tolerated", false, &tolerated, why)) != FAULT_NONE)
		return fault;
	facts->has_opaque = opaque;
	for (size_t i = 0; i < json_array_size(licences); i++) {
		struct record record = record_new(RECORD_LICENCE);
		const char *name = json_string_value(json_array_get(licences, i));

		if (name == NULL || !text_copy(record.licence.name, sizeof(record.licence.name), name) ||
		    !record_check(&record) || !verdict_add(verdict, &record))
			return refuse(why, FAULT_JSON_MEMBER, "%s: a licence is out of form", where);
	}
	for (size_t i = 0; fault == FAULT_NONE && i < json_array_size(resources); i++)
		fault = get_resource(json_array_get(resources, i), verdict, why);
	for (size_t i = 0; fault == FAULT_NONE && i < json_array_size(tolerated); i++)
		fault = get_tolerated(json_array_get(tolerated, i), verdict, why);
	facts->n_resources = verdict->n_resources;
	return fault;
}

static enum fault get_breaks(const json_t *object, const char *where, struct break_list *list, struct refusal *why)
{
	json_t *breaks;
	enum fault fault = json_get_array(object, where, "breaks", true, &breaks, why);

	if (fault != FAULT_NONE)
		return fault;
	if (json_array_size(breaks) > LIMIT_BREAKS)
		return refuse(why, FAULT_JSON_MEMBER, "%s: more than %d breaks", where, LIMIT_BREAKS);
	for (size_t i = 0; fault == FAULT_NONE && i < json_array_size(breaks); i++) {
		struct record_break item;

		fault = verdict_break_parse(json_array_get(breaks, i), where, &item, why);
		if (fault == FAULT_NONE)
			break_list_add(list, &item);
	}
	return fault;
}

static enum fault get_reference(const json_t *object, struct verdict *verdict, struct refusal *why)
{
	static const char *const allowed[] = {"resource", "dataset", "table", NULL};
	const char *where = "a verdict's reference";
	struct record record = record_new(RECORD_REFERS);
	struct record_refers *refers = &record.refers;
	enum fault fault;

	if (!json_is_object(object))
		return refuse(why, FAULT_JSON_MEMBER, "%s is not an object", where);
	if ((fault = json_only(object, where, allowed, why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "resource", refers->resource, sizeof(refers->resource), why)) !=
		    FAULT_NONE ||
	    (fault = get_copy(object, where, "dataset", refers->dataset, sizeof(refers->dataset), why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "table", refers->table, sizeof(refers->table), why)) != FAULT_NONE)
		return fault;
	if (!record_check(&record) || !verdict_add(verdict, &record))
		return refuse(why, FAULT_JSON_MEMBER, "%s is out of form", where);
	return FAULT_NONE;
}

static enum fault get_resolution(const json_t *object, struct verdict *verdict, struct refusal *why)
{
	static const char *const allowed[] = {"dataset", "version", "with", "breaks", NULL};
	const char *where = "what a verdict resolved";
	char dataset[NOTATION_NAME_SIZE];
	struct sha256 version, with;
	struct break_list breaks = {0};
	enum fault fault;

	if (!json_is_object(object) || verdict->n_resolutions >= LIMIT_RESOLUTIONS)
		return refuse(why, FAULT_JSON_MEMBER, "%s is not an object, or one too many", where);
	if ((fault = json_only(object, where, allowed, why)) != FAULT_NONE ||
	    (fault = get_copy(object, where, "dataset", dataset, sizeof(dataset), why)) != FAULT_NONE ||
	    (fault = get_hex(object, where, "version", "", &version, why)) != FAULT_NONE ||
	    (fault = get_hex(object, where, "with", "", &with, why)) != FAULT_NONE)
		return fault;
	if (!verdict_refers_to(verdict, dataset))
		return refuse(why, FAULT_JSON_MEMBER, "%s: it does not refer to \"%s\"", where, dataset);
	fault = get_breaks(object, where, &breaks, why);
	if (fault == FAULT_NONE)
		verdict_add_resolution(verdict, dataset, &version, &with, &breaks);
	break_list_clear(&breaks);
	return fault;
}

/* Both members or none: a version that refers to no other dataset has neither. */
static enum fault get_references(const json_t *root, struct verdict *verdict, struct refusal *why)
{
	const char *where = "a verdict";
	json_t *references = NULL, *resolved = NULL;
	enum fault fault;

	if ((fault = json_get_array(root, where, "references", false, &references, why)) != FAULT_NONE ||
	    (fault = json_get_array(root, where, "resolved", references != NULL, &resolved, why)) != FAULT_NONE)
		return fault;
	if ((references == NULL) != (resolved == NULL) || (references != NULL && json_array_size(references) == 0))
		return refuse(why, FAULT_JSON_MEMBER, "%s: \"references\" and \"resolved\" belong together", where);
	for (size_t i = 0; fault == FAULT_NONE && i < json_array_size(references); i++)
		fault = get_reference(json_array_get(references, i), verdict, why);
	for (size_t i = 0; fault == FAULT_NONE && i < json_array_size(resolved); i++)
		fault = get_resolution(json_array_get(resolved, i), verdict, why);
	return fault;
}

static enum fault get_goods(const json_t *root, struct verdict *verdict, struct refusal *why)
{
	static const char *const allowed[] = {"file", "by", NULL};
	const char *where = "a verdict's good table";
	json_t *goods = NULL;
	enum fault fault = json_get_array(root, "a verdict", "good", false, &goods, why);

	for (size_t i = 0; fault == FAULT_NONE && i < json_array_size(goods); i++) {
		const json_t *object = json_array_get(goods, i);
		struct record record = record_new(RECORD_GOOD);

		if (!json_is_object(object))
			return refuse(why, FAULT_JSON_MEMBER, "%s is not an object", where);
		if ((fault = json_only(object, where, allowed, why)) != FAULT_NONE ||
		    (fault = get_hex(object, where, "file", "", &record.good.sha256, why)) != FAULT_NONE ||
		    (fault = get_hex(object, where, "by", "", &record.good.by, why)) != FAULT_NONE)
			return fault;
		if (!verdict_add(verdict, &record))
			return refuse(why, FAULT_JSON_MEMBER, "%s: too many", where);
	}
	return fault;
}

static enum fault fill(const json_t *root, struct verdict *verdict, struct refusal *why)
{
	static const char *const allowed[] = {"format", "dataset", "version", "judgedWith", "fault",    "line", "facts",
					      "breaks", "blobs",   "good",    "references", "resolved", NULL};
	const char *where = "a verdict";
	json_t *facts, *blobs;
	enum fault fault;

	if ((fault = json_format(root, where, "clapet verdict", 1, why)) != FAULT_NONE ||
	    (fault = json_only(root, where, allowed, why)) != FAULT_NONE ||
	    (fault = get_copy(root, where, "dataset", verdict->dataset, sizeof(verdict->dataset), why)) != FAULT_NONE ||
	    (fault = get_hex(root, where, "version", "", &verdict->version, why)) != FAULT_NONE ||
	    (fault = get_hex(root, where, "judgedWith", "", &verdict->judged_with, why)) != FAULT_NONE ||
	    (fault = get_code(root, where, &verdict->end.fault, why)) != FAULT_NONE ||
	    (fault = get_copy(root, where, "line", verdict->end.line, sizeof(verdict->end.line), why)) != FAULT_NONE ||
	    (fault = json_get_object(root, where, "facts", true, &facts, why)) != FAULT_NONE ||
	    (fault = get_facts(facts, verdict, why)) != FAULT_NONE ||
	    (fault = get_breaks(root, where, &verdict->breaks, why)) != FAULT_NONE ||
	    (fault = json_get_array(root, where, "blobs", true, &blobs, why)) != FAULT_NONE)
		return fault;
	for (size_t i = 0; i < json_array_size(blobs); i++) {
		const char *text = json_string_value(json_array_get(blobs, i));
		struct sha256 sha256;

		if (text == NULL || !sha256_from_hex(text, &sha256))
			return refuse(why, FAULT_JSON_MEMBER, "%s: a blob is no SHA-256", where);
		verdict_add_blob(verdict, &sha256);
	}
	if (!notation_is_name(verdict->dataset))
		return refuse(why, FAULT_JSON_MEMBER, "%s is out of form", where);
	fault = get_goods(root, verdict, why);
	return fault == FAULT_NONE ? get_references(root, verdict, why) : fault;
}

enum fault verdict_parse(const void *data, size_t size, struct verdict **ret_verdict, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *root = NULL;
	_cleanup_(verdict_freep) struct verdict *verdict = xcalloc(1, sizeof(*verdict));
	enum fault fault;

	if ((fault = json_parse(data, size, LIMIT_JSON_SIZE, &root, why)) != FAULT_NONE ||
	    (fault = fill(root, verdict, why)) != FAULT_NONE)
		return fault;
	*ret_verdict = steal_pointer(&verdict);
	return FAULT_NONE;
}
