/* SPDX-License-Identifier: ISC
 *
 * validation, the header: labels to fields by the schema's fieldsMatch (Table Schema v2), and the effective schema
 * that follows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "schemas/labels.h"
#include "schemas/validation_internal.h"

static void keep_labels(struct validation_table *table, const struct cell *cells, size_t n_cells)
{
	table->labels = xcalloc(n_cells + 1, sizeof(table->labels[0]));
	for (size_t i = 0; i < n_cells; i++)
		table->labels[i] = label_copy(&cells[i]);
	table->n_labels = n_cells;
}

static void add_label(struct validation_table *table, enum fault_type type, const struct row_position *position,
		      size_t index, const char *name, const char *note)
{
	struct cell cell = {NULL, 0};
	struct tally_kind kind = {.type = type, .field = index + 1, .field_name = name};

	if (index < table->n_labels)
		cell = (struct cell){table->labels[index], strlen(table->labels[index])};
	validation_add(table, &kind, position, index < table->n_labels ? &cell : NULL, note);
}

/* Blank and repeated labels: faults whatever the schema says, for readers go by name. */
static void check_labels(struct validation_table *table, const struct label *sorted,
			 const struct row_position *position)
{
	for (size_t i = 0; i < table->n_labels; i++) {
		if (sorted[i].text[0] == '\0')
			add_label(table, FAULT_TYPE_BLANK_LABEL, position, sorted[i].index, NULL, "the label is empty");
		else if (i > 0 && strcmp(sorted[i - 1].text, sorted[i].text) == 0)
			add_label(table, FAULT_TYPE_DUPLICATE_LABEL, position, sorted[i].index, sorted[i].text,
				  "is the label of an earlier column too");
	}
}

/* "exact": the n-th label is the n-th field's name. */
static void match_by_position(struct validation_table *table, const struct row_position *position)
{
	const struct schema *schema = table->schema;
	char note[256];

	table->n_columns = schema->n_fields;
	for (size_t i = 0; i < schema->n_fields; i++) {
		const char *name = schema->fields[i]->name;

		table->columns[i] = (struct column){.field = schema->fields[i], .name = name};
		if (i >= table->n_labels) {
			add_label(table, FAULT_TYPE_MISSING_LABEL, position, i, name, "the header has no such column");
		} else if (table->labels[i][0] != '\0' && strcmp(table->labels[i], name) != 0) {
			snprintf(note, sizeof(note), "is not the name that the schema has here, %s", name);
			add_label(table, FAULT_TYPE_INCORRECT_LABEL, position, i, name, note);
		}
	}
	for (size_t i = schema->n_fields; i < table->n_labels; i++)
		add_label(table, FAULT_TYPE_EXTRA_LABEL, position, i, NULL, "is a column more than the schema has");
}

static bool is_required(const struct schema *schema, const struct field *field)
{
	for (size_t i = 0; i < schema->primary_key.n_columns; i++) {
		if (strcmp(schema->primary_key.columns[i], field->name) == 0)
			return true;
	}
	return field->required;
}

static void match_by_name(struct validation_table *table, const struct label *sorted,
			  const struct row_position *position)
{
	const struct schema *schema = table->schema;
	bool may_have_more = schema->match == FIELDS_SUBSET || schema->match == FIELDS_PARTIAL;
	bool may_have_fewer = schema->match == FIELDS_SUPERSET || schema->match == FIELDS_PARTIAL;
	struct tally_kind none = {.type = FAULT_TYPE_MISSING_LABEL};
	size_t n_matched = 0, n_missing = 0;

	table->n_columns = table->n_labels;
	for (size_t i = 0; i < table->n_labels; i++) {
		const struct field *field = schema_field(schema, table->labels[i]);

		table->columns[i] = (struct column){.field = field, .name = table->labels[i]};
		n_matched += field != NULL;
		if (field == NULL && !may_have_more)
			add_label(table, FAULT_TYPE_EXTRA_LABEL, position, i, NULL,
				  "is a column that the schema does not name");
	}
	for (size_t i = 0; i < schema->n_fields; i++) {
		const struct field *field = schema->fields[i];

		if (labels_find(sorted, table->n_labels, field->name) != NULL ||
		    (may_have_fewer && !is_required(schema, field)))
			continue;
		add_label(table, FAULT_TYPE_MISSING_LABEL, position, table->n_labels + n_missing++, field->name,
			  "the header has no such column");
	}
	if (schema->match == FIELDS_PARTIAL && n_matched == 0 && n_missing == 0)
		validation_add(table, &none, position, NULL, "the header has none of the schema's columns");
}

void validation_take_header(struct validation_table *table, const struct cell *cells, size_t n_cells,
			    const struct row_position *position)
{
	_cleanup_free_ struct label *sorted = NULL;
	struct tally_kind blank = {.type = FAULT_TYPE_BLANK_HEADER};
	size_t n_fields = table->schema != NULL ? table->schema->n_fields : 0;

	table->has_header = true;
	keep_labels(table, cells, n_cells);
	sorted = labels_sort(table->labels, table->n_labels);
	table->columns = xcalloc((n_cells > n_fields ? n_cells : n_fields) + 1, sizeof(table->columns[0]));
	if (n_cells == 0)
		validation_add(table, &blank, position, NULL, "the header row is blank");
	check_labels(table, sorted, position);
	if (table->schema == NULL) {
		table->n_columns = n_cells;
		for (size_t i = 0; i < n_cells; i++)
			table->columns[i].name = table->labels[i];
	} else if (table->schema->match == FIELDS_EXACT) {
		match_by_position(table, position);
	} else {
		match_by_name(table, sorted, position);
	}
	validation_keys_place(table);
	validation_checks_place(table);
}

void validation_header_absent(struct validation_table *table)
{
	const struct row_position nowhere = {0, 0};
	_cleanup_free_ struct cell *cells = xcalloc(table->schema->n_fields, sizeof(cells[0]));

	for (size_t i = 0; i < table->schema->n_fields; i++)
		cells[i] = (struct cell){table->schema->fields[i]->name, strlen(table->schema->fields[i]->name)};
	validation_take_header(table, cells, table->schema->n_fields, &nowhere);
}

/* --- the effective schema
 * ------------------------------------------------------------------------------------------- */

json_t *validation_effective_schema(const struct validation_table *table)
{
	json_t *schema = table->schema != NULL ? json_deep_copy(table->schema->json) : json_object();
	json_t *fields = json_array();

	for (size_t i = 0; i < table->n_labels; i++) {
		const struct field *field = i < table->n_columns && table->columns[i].field != NULL
						    ? table->columns[i].field
						    : NULL;
		json_t *copy = field != NULL ? json_deep_copy(field->json)
					     : json_pack("{s:s, s:s}", "name", table->labels[i], "type", "any");

		if (copy == NULL || json_array_append_new(fields, copy) < 0)
			die("out of memory");
	}
	if (schema == NULL || json_object_set_new(schema, "fields", fields) < 0)
		die("out of memory");
	json_object_del(schema, "fieldsMatch");
	schema_drop_keys(schema);
	return schema;
}
