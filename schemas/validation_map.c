/* SPDX-License-Identifier: ISC
 *
 * validation, the map of columns: published rows are judged as promised ones, and their faults say where they stand in the file as
 * published.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "schemas/validation_internal.h"

void validation_table_set_map(struct validation_table *table, struct columnmap *map)
{
	table->map = xcalloc(1, sizeof(*table->map));
	table->map->columns = map;
}

void validation_map_copy(struct validation_table *copy, const struct validation_table *table)
{
	if (table->map == NULL)
		return;
	validation_table_set_map(copy, table->map->columns);
	copy->map->binding = table->map->binding;
	copy->map->is_borrowed = true;
	copy->map->cells = xcalloc(table->schema->n_fields, sizeof(copy->map->cells[0]));
}

void validation_map_clear(struct validation_table *table)
{
	if (table->map == NULL)
		return;
	if (!table->map->is_borrowed) {
		columnmap_free(table->map->columns);
		columnmap_binding_free(table->map->binding);
	}
	columnmap_scratch_clear(&table->map->scratch);
	free(table->map->cells);
	free(table->map);
	table->map = NULL;
}

bool validation_table_has_map(const struct validation_table *table)
{
	return table->map != NULL;
}

enum fault validation_table_map_fault(const struct validation_table *table, struct refusal *why)
{
	if (table->map == NULL || table->map->why.fault == FAULT_NONE)
		return FAULT_NONE;
	if (why != NULL)
		*why = table->map->why;
	return table->map->why.fault;
}

const struct cell *validation_table_promised(const struct validation_table *table, size_t *ret_n_cells)
{
	*ret_n_cells = table->schema->n_fields;
	return table->map->cells;
}

size_t validation_field_number(const struct validation_table *table, size_t index)
{
	size_t column;

	if (table->map == NULL || table->map->binding == NULL)
		return index + 1;
	column = table->map->binding->columns[index];
	return column < table->map->binding->n_labels ? column + 1 : 0;
}

const char *validation_published_name(const struct validation_table *table, size_t field)
{
	const struct columnmap_binding *binding = table->map != NULL ? table->map->binding : NULL;

	if (binding == NULL || field == 0 || field > binding->n_labels || binding->labels[field - 1][0] == '\0')
		return NULL;
	return binding->labels[field - 1];
}

bool validation_is_default(const struct validation_table *table, size_t index)
{
	return table->map->binding->columns[index] == COLUMNMAP_DEFAULT;
}

/* --- the header --------------------------------------------------------------------------------------------------- */

static void add_label(struct validation_table *table, enum fault_type type, size_t column,
		      const struct row_position *position, const char *note)
{
	const char *label = table->map->binding->labels[column];
	const struct cell cell = {label, strlen(label)};
	struct tally_kind kind = {.type = type, .field = column + 1};

	validation_add(table, &kind, position, &cell, note);
}

/* Each for itself, as for a table without a map; then all rows are turned away. */
static void report_binding(struct validation_table *table, const struct row_position *position)
{
	const struct columnmap_binding *binding = table->map->binding;
	char names[FAULT_LINE_SIZE - 64], note[FAULT_LINE_SIZE];

	for (size_t i = 0; i < table->schema->n_fields; i++) {
		struct tally_kind kind = {.type = FAULT_TYPE_MISSING_LABEL,
					  .field_name = field_name(table->schema->fields[i])};

		if (binding->columns[i] != COLUMNMAP_MISSING)
			continue;
		snprintf(note, sizeof(note), "no column gives it; looked for %s",
			 columnmap_names(table->map->columns, i, names, sizeof(names)));
		validation_add(table, &kind, position, NULL, note);
	}
	for (size_t i = 0; i < binding->n_labels; i++) {
		if (binding->uses[i] == COLUMNMAP_LEFT)
			add_label(table, FAULT_TYPE_EXTRA_LABEL, i, position,
				  "is a column that the map neither takes nor drops");
		else if (binding->uses[i] == COLUMNMAP_REPEATED)
			add_label(table, FAULT_TYPE_DUPLICATE_LABEL, i, position,
				  "is the label of an earlier column too");
	}
}

/* CELLS NULL: there is no header, the table has N_CELLS columns. */
static void bind(struct validation_table *table, const struct cell *cells, size_t n_cells,
		 const struct row_position *position)
{
	const struct schema *schema = table->schema;
	struct validation_map *map = table->map;

	map->binding = columnmap_bind(map->columns, cells, n_cells);
	map->cells = xcalloc(schema->n_fields, sizeof(map->cells[0]));
	for (size_t i = 0; i < schema->n_fields; i++) {
		const char *name = field_name(schema->fields[i]);

		map->cells[i] = (struct cell){name, strlen(name)};
	}
	if (columnmap_judge(map->columns, map->binding, &map->why) != FAULT_NONE)
		report_binding(table, position);
	if (!table->has_header)
		validation_take_header(table, map->cells, schema->n_fields, position);
}

/* --- rows --------------------------------------------------------------------------------------------------------- */

/* Cells that the published row has too few or too many, by the published columns. */
static void __attribute__((cold)) report_size(struct validation_table *table, const struct cell *cells, size_t n_cells,
					      const struct row_position *position)
{
	const struct columnmap_binding *binding = table->map->binding;

	for (size_t i = n_cells; i < binding->n_labels; i++) {
		struct tally_kind kind = {
			.type = FAULT_TYPE_MISSING_CELL, .field = i + 1, .field_name = binding->labels[i]};

		validation_add(table, &kind, position, NULL, "the row has no such cell");
	}
	for (size_t i = binding->n_labels; i < n_cells; i++) {
		struct tally_kind kind = {.type = FAULT_TYPE_EXTRA_CELL, .field = i + 1};

		validation_add(table, &kind, position, &cells[i], "is a cell more than the header has");
	}
}

static void __attribute__((cold))
report_list(struct validation_table *table, size_t index, const struct row_position *position)
{
	struct tally_kind kind = {
		.type = FAULT_TYPE_TYPE,
		.field = validation_field_number(table, index),
		.field_name = table->columns[index].name,
	};

	validation_add(table, &kind, position, &table->map->cells[index],
		       "is a list with an item that contains the promised delimiter");
}

static bool is_empty(const struct cell *cells, size_t n_cells)
{
	for (size_t i = 0; i < n_cells; i++) {
		if (cells[i].size > 0)
			return false;
	}
	return true;
}

const struct cell *validation_map_cells(struct validation_table *table, const struct cell *cells, size_t n_cells,
					size_t *ret_bad)
{
	struct validation_map *map = table->map;

	if (columnmap_row(map->columns, map->binding, cells, n_cells, &map->scratch, map->cells, ret_bad, &map->why) !=
	    FAULT_NONE)
		return NULL;
	return map->cells;
}

void validation_map_row(struct validation_table *table, const struct cell *cells, size_t n_cells,
			const struct row_position *position)
{
	size_t n_fields = table->schema->n_fields, bad;

	if (!table->has_header) {
		bind(table, cells, n_cells, position);
		return;
	}
	if (table->map->binding == NULL)
		bind(table, NULL, n_cells, position);
	if (table->map->why.fault != FAULT_NONE)
		return;
	if (validation_map_cells(table, cells, n_cells, &bad) == NULL) {
		refuse_within(&table->map->why, "row %" PRIu64 " (byte %" PRIu64 ")", position->row, position->offset);
		return;
	}
	/* A row without a value is blank, whatever its defaults would be. */
	if (is_empty(cells, n_cells)) {
		validation_judge_row(table, NULL, 0, position);
		return;
	}
	if (bad < n_fields)
		report_list(table, bad, position);
	if (n_cells != table->map->binding->n_labels)
		report_size(table, cells, n_cells, position);
	validation_judge_row(table, table->map->cells, n_fields, position);
}
