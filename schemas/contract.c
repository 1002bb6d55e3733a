/* SPDX-License-Identifier: ISC
 *
 * contract: see contract.h. Closed world at every level: a misspelt guard rail must not pass for none.
 */
#include "schemas/contract.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/notation.h"

static const char *const TOP_KEYS[] = {"format", "application", "contact", "description", "dataset", "resources", NULL};
static const char *const RESOURCE_KEYS[] = {"name",        "match",   "fields",  "missingValues",    "primaryKey",
					    "uniqueKeys",  "minRows", "maxRows", "maxChangePercent", "forbiddenColumns",
					    "description", NULL};
static const char *const FIELD_KEYS[] = {"name",        "type",        "format",      "title",
					 "description", "constraints", "decimalChar", "groupChar",
					 "bareNumber",  "trueValues",  "falseValues", "missingValues",
					 "delimiter",   "itemType",    "categories",  "categoriesOrdered",
					 NULL};
static const char *const CONSTRAINT_KEYS[] = {
	"required",  "unique",    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
	"minLength", "maxLength", "pattern", "enum",    "jsonSchema",       NULL};

/* What was refused in a contract is FAULT_CONTRACT, whatever rule below found it. */
static enum fault as_contract(struct refusal *why)
{
	if (why != NULL)
		why->fault = FAULT_CONTRACT;
	return FAULT_CONTRACT;
}

static enum fault check_field(const json_t *field, const char *where, struct refusal *why)
{
	const char *name = NULL;
	json_t *constraints = NULL;
	enum fault fault;

	if (!json_is_object(field))
		return refuse(why, FAULT_CONTRACT, "%s: a field is an object", where);
	if ((fault = json_get_text(field, where, "name", true, &name, why)) != FAULT_NONE)
		return fault;
	if (name[0] == '\0')
		return refuse(why, FAULT_CONTRACT, "%s: a field without a name", where);
	if ((fault = json_only(field, where, FIELD_KEYS, why)) != FAULT_NONE)
		return fault;
	if ((fault = json_get_object(field, where, "constraints", false, &constraints, why)) != FAULT_NONE)
		return fault;
	return constraints == NULL ? FAULT_NONE : json_only(constraints, where, CONSTRAINT_KEYS, why);
}

static enum fault check_fields(const json_t *fields, const char *where, struct refusal *why)
{
	size_t n = json_array_size(fields);
	enum fault fault;

	if (n == 0 || n > LIMIT_FIELDS)
		return refuse(why, FAULT_CONTRACT, "%s: %zu fields, 1 to %u may be named", where, n, LIMIT_FIELDS);
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *place = xasprintf("%s field %zu", where, i + 1);

		if ((fault = check_field(json_array_get(fields, i), place, why)) != FAULT_NONE)
			return fault;
	}
	return FAULT_NONE;
}

/* The part of the resource that is a Table Schema, as one. */
static enum fault parse_schema(const json_t *resource, const char *where, struct schema **ret_schema,
			       struct refusal *why)
{
	static const char *const taken[] = {"fields", "missingValues", "primaryKey", "uniqueKeys"};
	_cleanup_(json_decrefp) json_t *descriptor = json_object();
	json_t *fields = NULL;
	enum fault fault;

	if ((fault = json_get_array(resource, where, "fields", false, &fields, why)) != FAULT_NONE)
		return fault;
	for (size_t i = 1; fields == NULL && i < ARRAY_SIZE(taken); i++) {
		if (json_object_get(resource, taken[i]) != NULL)
			return refuse(why, FAULT_CONTRACT, "%s: %s says nothing without fields", where, taken[i]);
	}
	if (fields == NULL)
		return FAULT_NONE; /* that the resource is there, and its guard rails */
	if ((fault = check_fields(fields, where, why)) != FAULT_NONE)
		return fault;
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		if (json_object_get(resource, taken[i]) != NULL)
			json_object_set(descriptor, taken[i], json_object_get(resource, taken[i]));
	}
	if ((fault = schema_parse(descriptor, ret_schema, why)) != FAULT_NONE)
		return refuse_within(why, "%s", where);
	/* A published schema's oddities are told and read; a contract is ours, and says what it means. */
	if ((*ret_schema)->warnings.n > 0)
		return refuse(why, FAULT_CONTRACT, "%s: %s", where, (*ret_schema)->warnings.lines[0]);
	return FAULT_NONE;
}

static enum fault parse_match(const json_t *resource, const char *where, enum contract_match *ret_match,
			      struct refusal *why)
{
	const char *text = "name";
	enum fault fault;

	if ((fault = json_get_text(resource, where, "match", false, &text, why)) != FAULT_NONE)
		return fault;
	if (strcmp(text, "name") == 0)
		*ret_match = CONTRACT_BY_NAME;
	else if (strcmp(text, "position") == 0)
		*ret_match = CONTRACT_BY_POSITION;
	else if (strcmp(text, "exact") == 0)
		*ret_match = CONTRACT_EXACT;
	else
		return refuse(why, FAULT_CONTRACT, "%s: match is %s, not name, position or exact", where, text);
	return FAULT_NONE;
}

static enum fault parse_name(const json_t *object, const char *where, const char *key,
			     char ret_name[NOTATION_NAME_SIZE], struct refusal *why)
{
	const char *text = NULL;
	enum fault fault;

	if ((fault = json_get_text(object, where, key, true, &text, why)) != FAULT_NONE)
		return fault;
	if (!notation_is_name(text) || !text_copy(ret_name, NOTATION_NAME_SIZE, text))
		return refuse(why, FAULT_CONTRACT,
			      "%s: %s %s is no name ([a-z0-9][a-z0-9_-]{0,62}, none that is reserved)", where, key,
			      text);
	return FAULT_NONE;
}

static enum fault parse_resource(const json_t *json, const char *where, struct contract_resource *resource,
				 struct refusal *why)
{
	_cleanup_free_ char *place = NULL;
	enum fault fault;

	resource->min_rows = resource->max_rows = resource->max_change_percent = -1;
	if (!json_is_object(json))
		return refuse(why, FAULT_CONTRACT, "%s: a resource is an object", where);
	if ((fault = json_only(json, where, RESOURCE_KEYS, why)) != FAULT_NONE ||
	    (fault = parse_name(json, where, "name", resource->name, why)) != FAULT_NONE)
		return fault;
	place = xasprintf("%s (%s)", where, resource->name);
	if ((fault = parse_match(json, place, &resource->match, why)) != FAULT_NONE ||
	    (fault = json_get_integer(json, place, "minRows", false, 0, LIMIT_ROWS, &resource->min_rows, why)) !=
		    FAULT_NONE ||
	    (fault = json_get_integer(json, place, "maxRows", false, 0, LIMIT_ROWS, &resource->max_rows, why)) !=
		    FAULT_NONE ||
	    (fault = json_get_integer(json, place, "maxChangePercent", false, 0, LIMIT_CHANGE_PERCENT,
				      &resource->max_change_percent, why)) != FAULT_NONE)
		return fault;
	if (resource->max_rows >= 0 && resource->min_rows > resource->max_rows)
		return refuse(why, FAULT_CONTRACT, "%s: minRows is more than maxRows", place);
	resource->has_forbidden = json_object_get(json, "forbiddenColumns") != NULL;
	if ((fault = personal_policy_parse(json_object_get(json, "forbiddenColumns"), NULL, place, &resource->forbidden,
					   why)) != FAULT_NONE)
		return fault;
	return parse_schema(json, place, &resource->schema, why);
}

static enum fault parse_resources(struct contract *contract, const char *where, struct refusal *why)
{
	json_t *resources = NULL;
	enum fault fault;
	size_t n;

	if ((fault = json_get_array(contract->json, where, "resources", true, &resources, why)) != FAULT_NONE)
		return fault;
	n = json_array_size(resources);
	if (n == 0 || n > LIMIT_TARGETS_PER_ROLE)
		return refuse(why, FAULT_CONTRACT, "%s: %zu resources, 1 to %u may be named", where, n,
			      LIMIT_TARGETS_PER_ROLE);
	contract->resources = xcalloc(n, sizeof(*contract->resources));
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *place = xasprintf("%s: resource %zu", where, i + 1);

		contract->n_resources = i + 1;
		if ((fault = parse_resource(json_array_get(resources, i), place, &contract->resources[i], why)) !=
		    FAULT_NONE)
			return fault;
		for (size_t j = 0; j < i; j++) {
			if (strcmp(contract->resources[i].name, contract->resources[j].name) == 0)
				return refuse(why, FAULT_CONTRACT, "%s: %s is named twice", where,
					      contract->resources[i].name);
		}
	}
	return FAULT_NONE;
}

static enum fault parse_top(struct contract *contract, const char *where, struct refusal *why)
{
	const char *ignored = NULL;
	enum fault fault;

	if ((fault = json_format(contract->json, where, "clapet contract", 1, why)) != FAULT_NONE ||
	    (fault = json_only(contract->json, where, TOP_KEYS, why)) != FAULT_NONE ||
	    (fault = parse_name(contract->json, where, "application", contract->application, why)) != FAULT_NONE ||
	    (fault = parse_name(contract->json, where, "dataset", contract->dataset, why)) != FAULT_NONE ||
	    (fault = json_get_text(contract->json, where, "contact", false, &ignored, why)) != FAULT_NONE)
		return fault;
	return parse_resources(contract, where, why);
}

enum fault contract_parse(const void *data, size_t size, const char *where, struct contract **ret_contract,
			  struct refusal *why)
{
	_cleanup_(contract_freep) struct contract *contract = xcalloc(1, sizeof(*contract));

	if (json_parse(data, size, LIMIT_CONFIGURATION_SIZE, &contract->json, why) != FAULT_NONE) {
		refuse_within(why, "%s", where);
		return as_contract(why);
	}
	if (parse_top(contract, where, why) != FAULT_NONE)
		return as_contract(why);
	*ret_contract = steal_pointer(&contract);
	return FAULT_NONE;
}

void contract_free(struct contract *contract)
{
	if (contract == NULL)
		return;
	for (size_t i = 0; i < contract->n_resources; i++)
		schema_free(contract->resources[i].schema);
	free(contract->resources);
	json_decref(contract->json);
	free(contract);
}

void contract_freep(struct contract **contract)
{
	contract_free(*contract);
}
