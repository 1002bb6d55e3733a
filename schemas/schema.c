/* SPDX-License-Identifier: ISC
 *
 * schema: a table schema's descriptor into fields and keys, strictly where it means something to us.
 */
#include "schemas/schema.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "schemas/custom_check.h"
#include "schemas/field.h"
#include "schemas/published.h"

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names are how readers find columns: two of one name are no schema. */
static enum fault check_distinct(const struct schema *schema, struct refusal *why)
{
	_cleanup_free_ const char **names = xcalloc(schema->n_fields + 1, sizeof(names[0]));

	for (size_t i = 0; i < schema->n_fields; i++)
		names[i] = schema->fields[i]->name;
	qsort(names, schema->n_fields, sizeof(names[0]), compare_names);
	for (size_t i = 1; i < schema->n_fields; i++) {
		if (strcmp(names[i - 1], names[i]) == 0)
			return refuse(why, FAULT_SCHEMA, "two fields are called %s", names[i]);
	}
	return FAULT_NONE;
}

static enum fault read_fields(struct schema *schema, struct refusal *why)
{
	json_t *array = json_object_get(schema->json, "fields");
	const json_t *missing = json_object_get(schema->json, "missingValues");
	size_t i;
	json_t *item;

	if (!json_is_array(array) || json_array_size(array) == 0)
		return refuse(why, FAULT_SCHEMA, "fields: is no array of fields");
	if (json_array_size(array) > LIMIT_FIELDS)
		return refuse(why, FAULT_SCHEMA, "fields: %zu, at most %d", json_array_size(array), LIMIT_FIELDS);
	schema->fields = xcalloc(json_array_size(array), sizeof(schema->fields[0]));
	json_array_foreach(array, i, item)
	{
		enum fault fault = field_parse_descriptor(item, missing, &schema->warnings, &schema->fields[i], why);

		if (fault != FAULT_NONE)
			return fault;
		schema->n_fields++;
	}
	return check_distinct(schema, why);
}

static enum fault read_match(struct schema *schema, struct refusal *why)
{
	static const char *const NAMES[] = {"exact", "equal", "subset", "superset", "partial"};
	const json_t *value = json_object_get(schema->json, "fieldsMatch");

	/* One published version of the standard had it as an array of one. */
	if (json_is_array(value) && json_array_size(value) == 1)
		value = json_array_get(value, 0);
	if (value == NULL || json_is_null(value))
		return FAULT_NONE;
	for (size_t i = 0; json_is_string(value) && i < ARRAY_SIZE(NAMES); i++) {
		if (strcmp(json_string_value(value), NAMES[i]) == 0) {
			schema->match = (enum fields_match)i;
			return FAULT_NONE;
		}
	}
	return refuse(why, FAULT_SCHEMA, "fieldsMatch: is none of exact, equal, subset, superset, partial");
}

static enum fault read_missing(struct schema *schema, struct refusal *why)
{
	const json_t *array = json_object_get(schema->json, "missingValues");
	size_t i;
	json_t *item;

	if (array != NULL && !json_is_array(array))
		return refuse(why, FAULT_SCHEMA, "missingValues: is no array");
	schema->missing_values = xcalloc(json_array_size(array) + 1, sizeof(schema->missing_values[0]));
	if (array == NULL)
		schema->missing_values[schema->n_missing_values++] = "";
	json_array_foreach(array, i, item)
	{
		if (json_is_object(item))
			item = json_object_get(item, "value");
		if (!json_is_string(item))
			return refuse(why, FAULT_SCHEMA, "missingValues: holds what is no string");
		schema->missing_values[schema->n_missing_values++] = json_string_value(item);
	}
	return FAULT_NONE;
}

/* "name" or ["name", …], in a new array. */
static enum fault read_columns(const json_t *value, const char *where, const char ***ret_columns, size_t *ret_n,
			       struct refusal *why)
{
	_cleanup_free_ const char **columns = NULL;
	size_t n = json_is_string(value) ? 1 : json_array_size(value);

	if (n == 0 || n > LIMIT_KEY_COLUMNS)
		return refuse(why, FAULT_SCHEMA, "%s: names no fields, or more than %d", where, LIMIT_KEY_COLUMNS);
	columns = xcalloc(n, sizeof(columns[0]));
	for (size_t i = 0; i < n; i++) {
		columns[i] = json_string_value(json_is_string(value) ? value : json_array_get(value, i));
		if (columns[i] == NULL)
			return refuse(why, FAULT_SCHEMA, "%s: holds what is no name", where);
	}
	*ret_columns = steal_pointer(&columns);
	*ret_n = n;
	return FAULT_NONE;
}

static enum fault check_columns(const struct schema *schema, const struct table_key *key, const char *where,
				struct refusal *why)
{
	for (size_t i = 0; i < key->n_columns; i++) {
		if (schema_field(schema, key->columns[i]) == NULL)
			return refuse(why, FAULT_SCHEMA, "%s: there is no field %s", where, key->columns[i]);
	}
	return FAULT_NONE;
}

static enum fault read_primary_key(struct schema *schema, struct refusal *why)
{
	const json_t *value = json_object_get(schema->json, "primaryKey");
	enum fault fault;

	if (value == NULL)
		return FAULT_NONE;
	fault = read_columns(value, "primaryKey", &schema->primary_key.columns, &schema->primary_key.n_columns, why);
	return fault != FAULT_NONE ? fault : check_columns(schema, &schema->primary_key, "primaryKey", why);
}

static enum fault read_key_array(const struct schema *schema, const char *property, const json_t **ret_array,
				 struct refusal *why)
{
	const json_t *array = json_object_get(schema->json, property);

	*ret_array = array;
	if (*ret_array != NULL && (!json_is_array(array) || json_array_size(array) > LIMIT_TABLE_KEYS))
		return refuse(why, FAULT_SCHEMA, "%s: is no array of at most %d keys", property, LIMIT_TABLE_KEYS);
	return FAULT_NONE;
}

static enum fault read_unique_keys(struct schema *schema, struct refusal *why)
{
	const json_t *array;
	size_t i;
	json_t *item;
	enum fault fault = read_key_array(schema, "uniqueKeys", &array, why);

	if (fault != FAULT_NONE || array == NULL)
		return fault;
	schema->unique_keys = xcalloc(json_array_size(array) + 1, sizeof(schema->unique_keys[0]));
	json_array_foreach(array, i, item)
	{
		struct table_key *key = &schema->unique_keys[schema->n_unique_keys++];

		fault = read_columns(item, "uniqueKeys", &key->columns, &key->n_columns, why);
		if (fault == FAULT_NONE)
			fault = check_columns(schema, key, "uniqueKeys", why);
		if (fault != FAULT_NONE)
			return fault;
	}
	return FAULT_NONE;
}

/* The table that a foreign key leads to. `package` is the pattern "Foreign Keys to Data Packages"; it was `datapackage` before. */
static enum fault read_reference(const json_t *reference, struct table_key *key, struct refusal *why)
{
	const json_t *resource = json_object_get(reference, "resource");
	const json_t *package = json_object_get(reference, "package");

	if (package == NULL)
		package = json_object_get(reference, "datapackage");
	if (!json_is_object(reference))
		return refuse(why, FAULT_SCHEMA, "foreignKeys: a key has no reference");
	if (resource != NULL && !json_is_string(resource))
		return refuse(why, FAULT_SCHEMA, "foreignKeys: reference.resource is no string");
	if (package != NULL && !json_is_null(package) && !json_is_string(package))
		return refuse(why, FAULT_SCHEMA, "foreignKeys: reference.package is no string");
	key->resource = resource != NULL ? json_string_value(resource) : "";
	if (package == NULL || json_is_null(package) || json_string_length(package) == 0)
		return FAULT_NONE;
	if (key->resource[0] == '\0')
		return refuse(why, FAULT_SCHEMA,
			      "foreignKeys: a reference to the package %.100s names no resource of it",
			      json_string_value(package));
	key->package = json_string_value(package);
	key->table = key->resource;
	key->resource = key->qualified = xasprintf("%s/%s", key->package, key->table);
	return FAULT_NONE;
}

void schema_key_is_own(struct table_key *key)
{
	key->resource = key->table;
	key->package = key->table = NULL;
	free(key->qualified);
	key->qualified = NULL;
}

static enum fault read_foreign_key(const struct schema *schema, const json_t *item, struct table_key *key,
				   struct refusal *why)
{
	const json_t *reference = json_object_get(item, "reference");
	size_t n_reference = 0;
	enum fault fault = read_reference(reference, key, why);

	if (fault != FAULT_NONE)
		return fault;
	fault = read_columns(json_object_get(item, "fields"), "foreignKeys", &key->columns, &key->n_columns, why);
	if (fault == FAULT_NONE)
		fault = read_columns(json_object_get(reference, "fields"), "foreignKeys: reference.fields",
				     &key->reference_columns, &n_reference, why);
	if (fault == FAULT_NONE)
		fault = check_columns(schema, key, "foreignKeys", why);
	if (fault == FAULT_NONE && n_reference != key->n_columns)
		return refuse(why, FAULT_SCHEMA, "foreignKeys: %zu fields refer to %zu", key->n_columns, n_reference);
	for (size_t i = 0; fault == FAULT_NONE && key->resource[0] == '\0' && i < n_reference; i++) {
		if (schema_field(schema, key->reference_columns[i]) == NULL)
			return refuse(why, FAULT_SCHEMA, "foreignKeys: there is no field %s to refer to",
				      key->reference_columns[i]);
	}
	return fault;
}

static enum fault read_foreign_keys(struct schema *schema, struct refusal *why)
{
	const json_t *array;
	size_t i;
	json_t *item;
	enum fault fault = read_key_array(schema, "foreignKeys", &array, why);

	if (fault != FAULT_NONE || array == NULL)
		return fault;
	schema->foreign_keys = xcalloc(json_array_size(array) + 1, sizeof(schema->foreign_keys[0]));
	json_array_foreach(array, i, item)
	{
		fault = read_foreign_key(schema, item, &schema->foreign_keys[schema->n_foreign_keys++], why);
		if (fault != FAULT_NONE)
			return fault;
	}
	return FAULT_NONE;
}

enum fault schema_parse(const json_t *descriptor, struct schema **ret_schema, struct refusal *why)
{
	_cleanup_(schema_freep) struct schema *schema = xcalloc(1, sizeof(*schema));
	enum fault fault;

	if (!json_is_object(descriptor))
		return refuse(why, FAULT_SCHEMA, "a schema is an object");
	schema->json = published_schema(descriptor, &schema->warnings);
	fault = read_missing(schema, why);
	if (fault == FAULT_NONE)
		fault = read_fields(schema, why);
	if (fault == FAULT_NONE)
		fault = read_match(schema, why);
	if (fault == FAULT_NONE)
		fault = read_primary_key(schema, why);
	if (fault == FAULT_NONE)
		fault = read_unique_keys(schema, why);
	if (fault == FAULT_NONE)
		fault = read_foreign_keys(schema, why);
	if (fault != FAULT_NONE)
		return fault;
	schema->checks = custom_checks_new(schema->json);
	*ret_schema = steal_pointer(&schema);
	return FAULT_NONE;
}

static void key_clear(struct table_key *key)
{
	free(key->columns);
	free(key->reference_columns);
	free(key->qualified);
}

void schema_drop_foreign_packages(struct schema *schema)
{
	size_t n = 0;

	for (size_t i = 0; i < schema->n_foreign_keys; i++) {
		if (schema->foreign_keys[i].package != NULL)
			key_clear(&schema->foreign_keys[i]);
		else
			schema->foreign_keys[n++] = schema->foreign_keys[i];
	}
	schema->n_foreign_keys = n;
}

void schema_free(struct schema *schema)
{
	if (schema == NULL)
		return;
	for (size_t i = 0; i < schema->n_fields; i++)
		field_free(schema->fields[i]);
	free(schema->fields);
	free(schema->missing_values);
	key_clear(&schema->primary_key);
	for (size_t i = 0; i < schema->n_unique_keys; i++)
		key_clear(&schema->unique_keys[i]);
	free(schema->unique_keys);
	for (size_t i = 0; i < schema->n_foreign_keys; i++)
		key_clear(&schema->foreign_keys[i]);
	free(schema->foreign_keys);
	custom_checks_free(schema->checks);
	json_decref(schema->json);
	warnings_clear(&schema->warnings);
	free(schema);
}

void schema_freep(struct schema **schema)
{
	schema_free(*schema);
}

const struct field *schema_field(const struct schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->n_fields; i++) {
		if (strcmp(schema->fields[i]->name, name) == 0)
			return schema->fields[i];
	}
	return NULL;
}

static bool has_field(const json_t *descriptor, const char *name)
{
	const json_t *fields = json_object_get(descriptor, "fields");

	for (size_t i = 0; name != NULL && i < json_array_size(fields); i++) {
		const char *text = json_string_value(json_object_get(json_array_get(fields, i), "name"));

		if (text != NULL && strcmp(text, name) == 0)
			return true;
	}
	return false;
}

static bool has_fields(const json_t *descriptor, const json_t *columns)
{
	if (json_is_string(columns))
		return has_field(descriptor, json_string_value(columns));
	for (size_t i = 0; i < json_array_size(columns); i++) {
		if (!has_field(descriptor, json_string_value(json_array_get(columns, i))))
			return false;
	}
	return true;
}

/* The array PROPERTY, a copy of its own: what else holds the old one keeps it whole. */
static json_t *own_array(json_t *descriptor, const char *property)
{
	json_t *copy = json_is_array(json_object_get(descriptor, property))
			       ? json_deep_copy(json_object_get(descriptor, property))
			       : NULL;

	if (copy != NULL)
		json_object_set_new(descriptor, property, copy);
	return copy;
}

static bool has_reference(const json_t *descriptor, const json_t *key)
{
	const json_t *reference = json_object_get(key, "reference");
	const char *resource = json_string_value(json_object_get(reference, "resource"));
	bool is_self = resource == NULL || resource[0] == '\0';

	return has_fields(descriptor, json_object_get(key, "fields")) &&
	       (!is_self || has_fields(descriptor, json_object_get(reference, "fields")));
}

void schema_drop_keys(json_t *descriptor)
{
	json_t *unique = own_array(descriptor, "uniqueKeys"), *foreign = own_array(descriptor, "foreignKeys");

	if (!has_fields(descriptor, json_object_get(descriptor, "primaryKey")))
		json_object_del(descriptor, "primaryKey");
	for (size_t i = json_array_size(unique); i-- > 0;) {
		if (!has_fields(descriptor, json_array_get(unique, i)))
			json_array_remove(unique, i);
	}
	for (size_t i = json_array_size(foreign); i-- > 0;) {
		if (!has_reference(descriptor, json_array_get(foreign, i)))
			json_array_remove(foreign, i);
	}
}
