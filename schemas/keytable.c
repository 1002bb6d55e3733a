/* SPDX-License-Identifier: ISC
 *
 * keytable: a schema cut down to the columns of keys, and the rows cut down with it.
 */
#include "schemas/keytable.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"

struct keytable {
	const char *name;
	struct schema *schema; /* owned: the keys' fields alone */
	struct validation_table *table;
	struct table_reader *reader;
	bool has_header;            /* the dialect's */
	bool is_begun;              /* the columns are placed */
	const struct schema *whole; /* borrowed: the resource's own */
	size_t *places;             /* owned: of each field in the data */
	struct cell *cells;
};

/* FIELD without its constraints, once. */
static enum fault add_field(json_t *fields, const struct schema *schema, const char *column, const char *table,
			    struct refusal *why)
{
	const struct field *field = schema_field(schema, column);
	json_t *copy;

	for (size_t i = 0; i < json_array_size(fields); i++) {
		if (strcmp(json_string_value(json_object_get(json_array_get(fields, i), "name")), column) == 0)
			return FAULT_NONE;
	}
	if (field == NULL)
		return refuse(why, FAULT_FOREIGN_FIELD, "foreignKeys refers to the field %s of %s, which it has not",
			      column, table);
	copy = json_copy((json_t *)(uintptr_t)field_json(field));
	if (copy == NULL)
		die("out of memory");
	json_object_del(copy, "constraints");
	json_array_append_new(fields, copy);
	return FAULT_NONE;
}

/* FIELDS (consumed) and the missing values of WHOLE: as they were parsed once, so that this parse cannot fail. */
static enum fault cut_schema(const struct schema *whole, json_t *fields, json_t *foreign_keys,
			     struct schema **ret_schema, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *descriptor = json_object();
	json_t *missing = json_object_get(whole->json, "missingValues");

	json_object_set_new(descriptor, "fields", fields);
	if (foreign_keys != NULL)
		json_object_set_new(descriptor, "foreignKeys", foreign_keys);
	if (missing != NULL)
		json_object_set(descriptor, "missingValues", missing);
	return schema_parse(descriptor, ret_schema, why);
}

/* --- rows ------------------------------------------------------------------------------------------------------------ */

static void hand_on_labels(struct keytable *keytable)
{
	const struct row_position position = {1, 0};

	for (size_t i = 0; i < keytable->schema->n_fields; i++) {
		const char *name = field_name(keytable->schema->fields[i]);

		keytable->cells[i] = (struct cell){name, strlen(name)};
	}
	validation_row(keytable->table, keytable->cells, keytable->schema->n_fields, &position);
	keytable->is_begun = true;
}

/* A table without a header has its columns in the order of its schema. */
static void place_by_schema(struct keytable *keytable)
{
	for (size_t i = 0; i < keytable->schema->n_fields; i++) {
		for (size_t k = 0; k < keytable->whole->n_fields; k++) {
			if (strcmp(field_name(keytable->whole->fields[k]), field_name(keytable->schema->fields[i])) ==
			    0)
				keytable->places[i] = k;
		}
	}
	hand_on_labels(keytable);
}

static enum fault place_by_header(struct keytable *keytable, const struct cell *cells, size_t n_cells,
				  struct refusal *why)
{
	for (size_t i = 0; i < keytable->schema->n_fields; i++) {
		const char *name = field_name(keytable->schema->fields[i]);
		size_t k = 0;

		while (k < n_cells &&
		       (cells[k].size != strlen(name) || memcmp(cells[k].text, name, cells[k].size) != 0))
			k++;
		if (k == n_cells)
			return refuse(why, FAULT_FOREIGN_FIELD, "%s: its header has no column %s, which a key needs",
				      keytable->name, name);
		keytable->places[i] = k;
	}
	hand_on_labels(keytable);
	return FAULT_NONE;
}

static enum fault take_row(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
			   struct refusal *why)
{
	struct keytable *keytable = ctx;

	if (!keytable->is_begun && keytable->has_header)
		return place_by_header(keytable, cells, n_cells, why);
	if (!keytable->is_begun)
		place_by_schema(keytable);
	for (size_t i = 0; i < keytable->schema->n_fields; i++)
		keytable->cells[i] = keytable->places[i] < n_cells ? cells[keytable->places[i]] : (struct cell){"", 0};
	validation_row(keytable->table, keytable->cells, keytable->schema->n_fields, position);
	return FAULT_NONE;
}

/* --- made, fed, freed ------------------------------------------------------------------------------------------------ */

/* SCHEMA becomes the keytable's. */
static struct keytable *make(const char *name, const struct resource *resource, struct schema *schema,
			     const struct dialect *dialect)
{
	struct keytable *keytable = xcalloc(1, sizeof(*keytable));

	keytable->name = name;
	keytable->schema = schema;
	keytable->whole = resource->schema;
	keytable->has_header = dialect->header;
	keytable->places = xcalloc(schema->n_fields, sizeof(keytable->places[0]));
	keytable->cells = xcalloc(schema->n_fields, sizeof(keytable->cells[0]));
	keytable->reader = table_reader_new(dialect, take_row, keytable);
	return keytable;
}

enum fault keytable_new_target(struct validation *validation, const char *name, const struct resource *table,
			       const struct table_key *const *keys, size_t n_keys, const struct dialect *dialect,
			       struct keytable **ret_keytable, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *fields = json_array();
	struct schema *schema;

	for (size_t i = 0; i < n_keys; i++) {
		for (size_t k = 0; k < keys[i]->n_columns; k++) {
			if (table->schema == NULL)
				return refuse(why, FAULT_FOREIGN_FIELD, "%s has no schema", name);
			if (add_field(fields, table->schema, keys[i]->reference_columns[k], name, why) != FAULT_NONE)
				return why->fault;
		}
	}
	if (cut_schema(table->schema, json_incref(fields), NULL, &schema, why) != FAULT_NONE)
		return refuse_within(why, "%s", name);
	*ret_keytable = make(name, table, schema, dialect);
	(*ret_keytable)->table = validation_reference_table(validation, name, schema);
	return FAULT_NONE;
}

/* The KEYS as they stand in RESOURCE's descriptor, and their fields. */
static enum fault pick_keys(const struct resource *resource, const struct table_key *const *keys, size_t n_keys,
			    json_t *fields, json_t *picked, struct refusal *why)
{
	json_t *all = json_object_get(resource->schema->json, "foreignKeys");

	for (size_t i = 0; i < n_keys; i++) {
		json_array_append(picked, json_array_get(all, (size_t)(keys[i] - resource->schema->foreign_keys)));
		for (size_t k = 0; k < keys[i]->n_columns; k++) {
			if (add_field(fields, resource->schema, keys[i]->columns[k], resource->name, why) != FAULT_NONE)
				return why->fault;
		}
	}
	return FAULT_NONE;
}

enum fault keytable_new_source(struct validation *validation, const struct resource *resource,
			       const struct table_key *const *keys, size_t n_keys, const struct dialect *dialect,
			       struct keytable **ret_keytable, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *fields = json_array(), *picked = json_array();
	struct schema *schema;

	if (pick_keys(resource, keys, n_keys, fields, picked, why) != FAULT_NONE ||
	    cut_schema(resource->schema, json_incref(fields), json_incref(picked), &schema, why) != FAULT_NONE)
		return refuse_within(why, "%s", resource->name);
	*ret_keytable = make(resource->name, resource, schema, dialect);
	(*ret_keytable)->table = validation_key_table(validation, resource->name, schema);
	return FAULT_NONE;
}

void keytable_free(struct keytable *keytable)
{
	if (keytable == NULL)
		return;
	table_reader_free(keytable->reader);
	schema_free(keytable->schema);
	free(keytable->places);
	free(keytable->cells);
	free(keytable);
}

void keytable_freep(struct keytable **keytable)
{
	keytable_free(*keytable);
}

enum fault keytable_feed(struct keytable *keytable, const void *data, size_t size, struct refusal *why)
{
	return table_reader_feed(keytable->reader, data, size, why);
}

enum fault keytable_finish(struct keytable *keytable, struct refusal *why)
{
	if (table_reader_finish(keytable->reader, why) != FAULT_NONE)
		return why->fault;
	if (!keytable->is_begun && keytable->has_header)
		return refuse(why, FAULT_FOREIGN_FIELD, "%s: is empty, it has no header row", keytable->name);
	if (!keytable->is_begun)
		place_by_schema(keytable);
	validation_table_end(keytable->table);
	return FAULT_NONE;
}

const struct validation_table *keytable_table(const struct keytable *keytable)
{
	return keytable->table;
}

const char *keytable_name(const struct keytable *keytable)
{
	return keytable->name;
}
