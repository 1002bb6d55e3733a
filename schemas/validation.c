/* SPDX-License-Identifier: ISC
 *
 * validation: the life of a validation and of its tables, and the path of every row.
 */
#include "schemas/validation.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "bundle/limits.h"
#include "schemas/validation_internal.h"

struct validation *validation_new(void)
{
	struct validation *validation = xcalloc(1, sizeof(*validation));

	validation->log = keylog_new(NULL);
	if (getrandom(validation->secret, sizeof(validation->secret), 0) != (ssize_t)sizeof(validation->secret))
		die_errno("getrandom");
	return validation;
}

void validation_set_spill(struct validation *validation, struct spill *spill)
{
	keylog_free(validation->log);
	validation->spill = spill;
	validation->log = keylog_new(spill);
}

static void table_free(struct validation_table *table)
{
	validation_keys_clear(table);
	validation_checks_clear(table);
	validation_clear_faults(table);
	validation_clear_tallies(table);
	validation_map_clear(table);
	for (size_t i = 0; i < table->n_labels; i++)
		free(table->labels[i]);
	free(table->labels);
	free(table->columns);
	free(table);
}

void validation_free(struct validation *validation)
{
	if (validation == NULL)
		return;
	for (size_t i = 0; i < validation->n_tables; i++)
		table_free(validation->tables[i]);
	free(validation->tables);
	for (size_t i = 0; i < validation->n_references; i++)
		free(validation->references[i]);
	free(validation->references);
	keylog_free(validation->log);
	free(validation);
}

void validation_freep(struct validation **validation)
{
	validation_free(*validation);
}

void validation_declare(struct validation *validation, const char *name, const struct schema *schema)
{
	for (size_t i = 0; schema != NULL && i < schema->n_foreign_keys; i++) {
		const struct table_key *key = &schema->foreign_keys[i];
		const char *resource = key->resource != NULL && key->resource[0] != '\0' ? key->resource : name;

		validation_reference(validation, resource, key->reference_columns, key->n_columns);
	}
}

struct validation_table *validation_table(struct validation *validation, const char *name, const struct schema *schema)
{
	struct validation_table *table = xcalloc(1, sizeof(*table));

	table->validation = validation;
	table->name = table->place = name;
	table->schema = schema;
	validation->tables = xrealloc(validation->tables, validation->n_tables + 1, sizeof(validation->tables[0]));
	validation->tables[validation->n_tables++] = table;
	validation_declare(validation, name, schema);
	validation_keys_prepare(table);
	return table;
}

struct validation_table *validation_reference_table(struct validation *validation, const char *name,
						    const struct schema *schema)
{
	struct validation_table *table = validation_table(validation, name, schema);

	table->is_reference = true;
	return table;
}

struct validation_table *validation_key_table(struct validation *validation, const char *name,
					      const struct schema *schema)
{
	struct validation_table *table = validation_table(validation, name, schema);

	table->only_foreign_keys = true;
	return table;
}

void validation_table_set_place(struct validation_table *table, const char *place)
{
	table->place = place;
}

void validation_table_broken(struct validation_table *table, const struct refusal *why)
{
	const struct row_position nowhere = {0, 0};
	struct tally_kind kind = {.type = FAULT_TYPE_SOURCE};

	table->is_broken = true;
	validation_add(table, &kind, &nowhere, NULL, why->line);
}

void validation_table_personal(struct validation_table *table, const char *rule, size_t field, const char *field_name,
			       enum fault_level level, const char *note)
{
	const struct row_position nowhere = {0, 0};
	size_t number = field > 0 ? validation_field_number(table, field - 1) : 0;
	struct tally_kind kind = {FAULT_TYPE_PERSONAL, rule, number, field_name, level};

	validation_add(table, &kind, &nowhere, NULL, note);
}

void validation_table_end(struct validation_table *table)
{
	const struct row_position first = {1, 0};
	struct tally_kind kind = {.type = FAULT_TYPE_BLANK_HEADER};

	if (!table->has_header && !table->is_broken)
		validation_add(table, &kind, &first, NULL, "the table is empty: it has no header row");
	table->has_ended = true;
}

void validation_end(struct validation *validation)
{
	for (size_t i = 0; i < validation->n_tables; i++)
		validation_late_ask(validation->tables[i]);
	keylog_settle(validation->log);
	for (size_t i = 0; i < validation->n_tables; i++)
		validation_late_report(validation->tables[i]);
	for (size_t i = 0; i < validation->n_tables; i++)
		validation_late_resolve(validation->tables[i]);
}

/* One fault for each rule that the cell breaks. */
static void __attribute__((cold)) report_cell(struct validation_table *table, size_t index, unsigned broken,
					      const struct cell *cell, const struct row_position *position)
{
	const struct column *column = &table->columns[index];
	char note[256];

	for (unsigned rule = 1; rule <= RULE_LAST; rule <<= 1) {
		struct tally_kind kind = {
			.type = rule == RULE_TYPE            ? FAULT_TYPE_TYPE
				: rule == RULE_PATTERN_LIMIT ? FAULT_TYPE_PATTERN_LIMIT
							     : FAULT_TYPE_CONSTRAINT,
			.rule = field_rule_name((enum field_rule)rule),
			.field = validation_field_number(table, index),
			.field_name = column->name,
		};

		if ((broken & rule) != 0 && validation_count(table, &kind, position))
			validation_keep(table, &kind, position, cell,
					field_note(column->field, (enum field_rule)rule, cell->text, cell->size, note,
						   sizeof(note)));
	}
}

/* Whether every cell that should be there is missing. Most rows answer with their first cell. */
static bool is_blank(const struct validation_table *table, const struct cell *cells, size_t n_cells)
{
	for (size_t i = 0; i < table->n_columns && i < n_cells; i++) {
		const struct field *field = table->columns[i].field;

		if (table->map != NULL && validation_is_default(table, i))
			continue;
		if (field == NULL ? cells[i].size > 0 : !field_is_missing(field, cells[i].text, cells[i].size))
			return false;
	}
	return true;
}

static void set_key_cell(struct validation_table *table, struct key_cell *key_cell, const struct value *value)
{
	if (value->kind != VALUE_TEXT && key_cell->buffer == NULL)
		key_cell->buffer = xmalloc(VALUE_DIGITS + 64);
	key_cell->bytes = value_bytes(value, key_cell->buffer, &key_cell->size);
	if (key_cell->only_set != NULL)
		validation_keys_begin(table, key_cell->only_set);
}

static void forget_key_cell(const struct column *column)
{
	if (column->key_cell != NULL) {
		column->key_cell->bytes = NULL;
		column->key_cell->raw.text = NULL;
	}
}

/* A cell of a key: its value is wanted too. */
static unsigned check_key_cell(struct validation_table *table, const struct column *column, const struct cell *cell)
{
	struct value value;
	unsigned broken = field_check(column->field, cell->text, cell->size, &table->scratch, &value);

	if ((broken & RULE_TYPE) == 0)
		set_key_cell(table, column->key_cell, &value);
	return broken;
}

static inline void check_cell(struct validation_table *table, size_t index, const struct cell *cell,
			      const struct row_position *position)
{
	const struct column *column = &table->columns[index];
	unsigned broken;

	if (column->key_cell != NULL) {
		column->key_cell->bytes = NULL;
		column->key_cell->raw = *cell;
	}
	if (column->field == NULL)
		return;
	if (field_is_missing(column->field, cell->text, cell->size)) {
		if (column->field->required)
			report_cell(table, index, RULE_REQUIRED, cell, position);
		return;
	}
	if (column->key_cell == NULL)
		broken = field_check(column->field, cell->text, cell->size, &table->scratch, NULL);
	else
		broken = check_key_cell(table, column, cell);
	if (broken != 0)
		report_cell(table, index, broken, cell, position);
}

/* The same of a cell that is known to be good. */
static void take_key_cell(struct validation_table *table, const struct column *column, const struct cell *cell)
{
	struct value value = {.kind = VALUE_TEXT, .text = cell->text, .size = cell->size};
	const struct field *field = column->field;

	column->key_cell->bytes = NULL;
	column->key_cell->raw = *cell;
	if (field == NULL || field_is_missing(field, cell->text, cell->size))
		return;
	if (field->parse != NULL && !field->parse(field, cell->text, cell->size, &table->scratch, &value))
		die("a cell that was read cannot be read again");
	set_key_cell(table, column->key_cell, &value);
}

void validation_good_row(struct validation_table *table, const struct cell *cells, const struct row_position *position)
{
	table->n_rows++;
	if (table->n_check_runs > 0)
		validation_checks_row(table, cells, table->n_columns, position);
	if (table->n_sets == 0)
		return;
	for (size_t i = 0; i < table->n_columns; i++) {
		if (table->columns[i].key_cell != NULL)
			take_key_cell(table, &table->columns[i], &cells[i]);
	}
	validation_keys_row(table, position);
}

/* Cells that a row has too few or too many. A cell that is not there is also missing where one is required, as in
 * Frictionless. */
static void __attribute__((cold)) report_count(struct validation_table *table, const struct cell *cells, size_t n_cells,
					       const struct row_position *position)
{
	static const struct cell nothing = {"", 0};

	for (size_t i = n_cells; i < table->n_columns; i++) {
		const struct column *column = &table->columns[i];
		struct tally_kind kind = {.type = FAULT_TYPE_MISSING_CELL, .field = i + 1, .field_name = column->name};

		forget_key_cell(column);
		if (column->field != NULL && column->field->required)
			report_cell(table, i, RULE_REQUIRED, &nothing, position);
		validation_add(table, &kind, position, NULL, "the row has no such cell");
	}
	for (size_t i = table->n_columns; i < n_cells; i++) {
		struct tally_kind kind = {.type = FAULT_TYPE_EXTRA_CELL, .field = i + 1};

		validation_add(table, &kind, position, &cells[i], "is a cell more than the header has");
	}
}

static void __attribute__((cold))
report_blank(struct validation_table *table, size_t n_cells, const struct row_position *position)
{
	struct tally_kind kind = {.type = FAULT_TYPE_BLANK_ROW};

	validation_add(table, &kind, position, NULL,
		       table->map != NULL && n_cells > 0 ? "the row has no value for any promised field"
							 : "the row is blank");
	for (size_t i = 0; i < table->n_columns; i++)
		forget_key_cell(&table->columns[i]);
}

void validation_judge_row(struct validation_table *table, const struct cell *cells, size_t n_cells,
			  const struct row_position *position)
{
	size_t n = n_cells < table->n_columns ? n_cells : table->n_columns;

	table->n_rows++;
	if (n_cells == 0 || (table->schema != NULL && is_blank(table, cells, n_cells))) {
		report_blank(table, n_cells, position);
	} else {
		for (size_t i = 0; i < n; i++)
			check_cell(table, i, &cells[i], position);
		if (n_cells != table->n_columns)
			report_count(table, cells, n_cells, position);
		if (table->n_check_runs > 0)
			validation_checks_row(table, cells, n_cells, position);
	}
	if (table->n_sets > 0)
		validation_keys_row(table, position);
}

bool validation_table_has_schema(const struct validation_table *table)
{
	return table->schema != NULL;
}

void validation_row(struct validation_table *table, const struct cell *cells, size_t n_cells,
		    const struct row_position *position)
{
	if (table->map != NULL)
		validation_map_row(table, cells, n_cells, position);
	else if (!table->has_header)
		validation_take_header(table, cells, n_cells, position);
	else
		validation_judge_row(table, cells, n_cells, position);
}
