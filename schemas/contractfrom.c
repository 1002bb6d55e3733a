/* SPDX-License-Identifier: ISC
 *
 * contractfrom: see contractfrom.h.
 */
#include "schemas/contractfrom.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "schemas/field.h"

/* What of a field a reader is promised. Titles and descriptions are not. */
static const char *const PROPERTIES[] = {"format",     "decimalChar",       "groupChar",    "bareNumber",
					 "trueValues", "falseValues",       "delimiter",    "itemType",
					 "categories", "categoriesOrdered", "missingValues"};
static const char *const CONSTRAINTS[] = {"required",         "unique",    "minimum",   "maximum", "exclusiveMinimum",
					  "exclusiveMaximum", "minLength", "maxLength", "pattern", "enum",
					  "jsonSchema"};

static json_t *field_for(const struct field *field)
{
	json_t *json = json_object(), *constraints = json_object();
	const json_t *value;

	json_object_set_new(json, "name", json_string(field->name));
	json_object_set_new(json, "type", json_string(field_type_name(field->type)));
	for (size_t i = 0; i < ARRAY_SIZE(PROPERTIES); i++) {
		value = json_object_get(field->json, PROPERTIES[i]);
		if (value != NULL && !json_is_null(value))
			json_object_set_new(json, PROPERTIES[i], json_deep_copy(value));
	}
	for (size_t i = 0; i < ARRAY_SIZE(CONSTRAINTS); i++) {
		value = field_constraint(field, CONSTRAINTS[i]);
		if (value != NULL && !json_is_false(value))
			json_object_set_new(constraints, CONSTRAINTS[i], json_deep_copy(value));
	}
	if (json_object_size(constraints) > 0)
		json_object_set(json, "constraints", constraints);
	json_decref(constraints);
	return json;
}

/* The schema's names, for who misspelt one; cut where they are many. */
static char *names_of(const struct schema *schema)
{
	char *text = xstrdup("");

	for (size_t i = 0; i < schema->n_fields && strlen(text) < 300; i++) {
		char *longer = xasprintf("%s%s%s", text, i > 0 ? ", " : "", schema->fields[i]->name);

		free(text);
		text = longer;
	}
	return text;
}

static enum fault mark_field(const struct schema *schema, const char *name, size_t size, bool *used,
			     struct refusal *why)
{
	for (size_t i = 0; i < schema->n_fields; i++) {
		const char *field = schema->fields[i]->name;

		if (strlen(field) != size || memcmp(field, name, size) != 0)
			continue;
		if (used[i])
			return refuse(why, FAULT_CONTRACT_FROM, "field %s is named twice", field);
		used[i] = true;
		return FAULT_NONE;
	}
	_cleanup_free_ char *names = names_of(schema);

	return refuse(why, FAULT_CONTRACT_FROM, "the schema has no field %.*s; it has %s", (int)size, name, names);
}

static enum fault mark_fields(const struct schema *schema, const char *names, bool *used, struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	for (const char *p = names; p != NULL && fault == FAULT_NONE;) {
		const char *comma = strchr(p, ',');

		fault = mark_field(schema, p, comma != NULL ? (size_t)(comma - p) : strlen(p), used, why);
		p = comma != NULL ? comma + 1 : NULL;
	}
	for (size_t i = 0; names == NULL && i < schema->n_fields; i++)
		used[i] = true;
	return fault;
}

/* A reader by position counts columns: it must name each up to the last that it uses. One of the exact header knows them all. */
static enum fault check_places(const struct schema *schema, enum contract_match match, const bool *used,
			       struct refusal *why)
{
	size_t n = match == CONTRACT_BY_NAME ? 0 : schema->n_fields;

	while (match == CONTRACT_BY_POSITION && n > 0 && !used[n - 1])
		n--;
	for (size_t i = 0; i < n; i++) {
		if (!used[i])
			return refuse(why, FAULT_CONTRACT_FROM,
				      match == CONTRACT_EXACT
					      ? "a reader of the exact header uses every field: %s is not named"
					      : "a reader by position names every column up to the last that it uses: "
						"%s is not "
						"named",
				      schema->fields[i]->name);
	}
	return FAULT_NONE;
}

static json_t *resource_for(const struct schema *schema, const struct contract_wish *wish, const bool *used)
{
	static const char *const MATCHES[] = {"name", "position", "exact"};
	static const char *const TAKEN[] = {"missingValues", "primaryKey", "uniqueKeys"};
	json_t *json = json_object(), *fields = json_array();

	json_object_set_new(json, "name", json_string(wish->resource));
	json_object_set_new(json, "match", json_string(MATCHES[wish->match]));
	for (size_t i = 0; i < schema->n_fields; i++) {
		if (used[i])
			json_array_append_new(fields, field_for(schema->fields[i]));
	}
	json_object_set_new(json, "fields", fields);
	for (size_t i = 0; i < ARRAY_SIZE(TAKEN); i++) {
		const json_t *value = json_object_get(schema->json, TAKEN[i]);

		if (value != NULL && !json_is_null(value))
			json_object_set_new(json, TAKEN[i], json_deep_copy(value));
	}
	schema_drop_keys(json);
	if (json_is_array(json_object_get(json, "uniqueKeys")) &&
	    json_array_size(json_object_get(json, "uniqueKeys")) == 0)
		json_object_del(json, "uniqueKeys");
	return json;
}

enum fault contract_from(const struct schema *schema, const struct contract_wish *wish, json_t **ret_contract,
			 struct refusal *why)
{
	_cleanup_free_ bool *used = xcalloc(schema->n_fields + 1, sizeof(*used));
	_cleanup_(contract_freep) struct contract *contract = NULL;
	_cleanup_(json_decrefp) json_t *json = json_object();
	_cleanup_free_ char *text = NULL;
	enum fault fault;

	if ((fault = mark_fields(schema, wish->fields, used, why)) != FAULT_NONE ||
	    (fault = check_places(schema, wish->match, used, why)) != FAULT_NONE)
		return fault;
	json_object_set_new(json, "format", json_string("clapet contract 1"));
	json_object_set_new(json, "application", json_string(wish->application));
	if (wish->contact != NULL)
		json_object_set_new(json, "contact", json_string(wish->contact));
	json_object_set_new(json, "dataset", json_string(wish->dataset));
	json_object_set_new(json, "resources", json_pack("[o]", resource_for(schema, wish, used)));
	/* What is printed must be what is read: names, sizes and all. */
	text = json_dumps(json, JSON_INDENT(2));
	if (text == NULL)
		return refuse(why, FAULT_CONTRACT_FROM, "a name is no UTF-8");
	if ((fault = contract_parse(text, strlen(text), "the contract", &contract, why)) != FAULT_NONE)
		return fault;
	*ret_contract = json_incref(json);
	return FAULT_NONE;
}
