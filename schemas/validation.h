/* SPDX-License-Identifier: ISC
 *
 * validation: rows against schemas, one package at a time: types, constraints, missing values, header by fieldsMatch,
 * primary keys, uniqueness and foreign keys between the package's resources. Every fault is counted; the first
 * LIMIT_FAULTS_KEPT of a kind are kept with their place. Memory does not grow with the rows but for the exact
 * uniqueness and reference indexes (under 32 bytes a key), and these only up to a bound where there is one (validation_set_spill).
 * Faults of uniqueness are told by validation_end, in the places of their rows.
 *
 *     v = validation_new();
 *     validation_declare(v, name, schema) for each resource's schema
 *     for each resource:  t = validation_table(v, name, schema);
 *                         validation_row(t, cells, n_cells, &position) for each row, the header first
 *                         validation_table_end(t)
 *     validation_end(v)   resolves foreign keys, whatever the order of the tables
 *     validation_json(v), validation_lines(v), validation_is_valid(v)
 */
#ifndef SCHEMAS_VALIDATION_H
#define SCHEMAS_VALIDATION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "schemas/columnmap.h"
#include "schemas/rulelevel.h"
#include "schemas/spill.h"
#include "schemas/table.h"

struct validation;
struct validation_table;

/* What a table's faults look like; `type` is Frictionless's: "type-error", "constraint-error", "missing-label",
 * "extra-cell", "missing-cell", "unique-error", "primary-key", "foreign-key", "blank-row", … `rule` is finer: the constraint's
 * name ("required", "pattern", "enum", "unique", "uniqueKeys", …), else the type's. It is constant text. */
struct table_fault {
	const char *type;
	const char *rule;
	enum fault_level level;
	uint64_t row; /* 0: the whole table */
	uint64_t offset;
	size_t field; /* from 1; 0: the whole row */
	const char *field_name;
	const char *
		published; /* with a map of columns: the label of that column, where it is not the field's name; else NULL */
	const char *cell; /* escaped, cut */
	const char *note; /* the rule in words */
	unsigned rank;    /* among faults of one row: of keys they come after those of cells */
};

/* All faults of one rule in one field, kept or not: exact, whatever their number. */
struct fault_tally {
	const char *type, *rule; /* as in struct table_fault */
	enum fault_level level;
	size_t field;           /* from 1; 0: the whole row, or several columns */
	const char *field_name; /* as it is, not escaped; several columns: "a, b"; NULL: none */
	uint64_t count;
	uint64_t first_row;    /* 0: the whole table */
	uint64_t first_offset; /* of that row */
};

struct validation *validation_new(void);
void validation_free(struct validation *validation);
void validation_freep(struct validation **validation);

/* Bounds what keys take in memory: before all else that is done with the validation. SPILL stays the caller's, must outlive it and may serve
 * two validations. Where the spill has a fault after validation_end (spill_fault) the verdict is worth nothing. */
void validation_set_spill(struct validation *validation, struct spill *spill);

/* Announces the schema of a table that is still to come, so that the keys which it refers to are indexed in tables
 * that are read before it. Without it, a reference to a table that is already past cannot be checked and is a fault
 * ("foreign-key" with row 0), never a silent pass. Call it for all resources before the first validation_table.
 * SCHEMA NULL is allowed. NAME is the resource's. */
void validation_declare(struct validation *validation, const char *name, const struct schema *schema);

/* NAME and SCHEMA stay the caller's and must outlive the validation. SCHEMA NULL: only the cell counts are checked. */
struct validation_table *validation_table(struct validation *validation, const char *name, const struct schema *schema);
/* A table that the keys of others lead to and that is not itself judged: it has no faults and stands in no report. Of SCHEMA only the
 * fields' types matter. Declare those others first, and read it to its end before them. */
struct validation_table *validation_reference_table(struct validation *validation, const char *name,
						    const struct schema *schema);
/* A table of which nothing but its foreign keys is judged. */
struct validation_table *validation_key_table(struct validation *validation, const char *name,
					      const struct schema *schema);
/* What lines and reports call the table instead of its name: a file's path. Stays the caller's. */
void validation_table_set_place(struct validation_table *table, const char *place);
/* The levels of the table's rules, before its first row: with none every fault is an error. LEVELS stays the caller's and must outlive the
 * validation; `most` is not looked at. */
void validation_table_set_levels(struct validation_table *table, const struct rule_levels *levels);
/* The rows are published ones, which MAP (bound with the header) makes promised ones: those are judged, and their columns are the schema's fields.
 * Faults have the field's name as promised, and row and column as published (column 0: a default). A header that does not fit is a label
 * fault for each column, and no row after it is looked at. Before the first row; MAP becomes the table's, whose schema may not be NULL. */
void validation_table_set_map(struct validation_table *table, struct columnmap *map);
bool validation_table_has_schema(const struct validation_table *table);
bool validation_table_has_map(const struct validation_table *table);
/* FAULT_COLUMNS, FAULT_TABLE_CELL_SIZE: the table cannot be mapped further, and is broken. */
enum fault validation_table_map_fault(const struct validation_table *table, struct refusal *why);
/* The last row as promised, the header's too; until the next row. */
const struct cell *validation_table_promised(const struct validation_table *table, size_t *ret_n_cells);
/* The dialect has no header: the columns are the schema's fields in their order, and row 1 is data. Call before the
 * first row; the schema may not be NULL. */
void validation_header_absent(struct validation_table *table);
void validation_row(struct validation_table *table, const struct cell *cells, size_t n_cells,
		    const struct row_position *position);
/* A table that could not be read to its end (FAULT_TABLE_…) is invalid with this line ("source-error"). */
void validation_table_broken(struct validation_table *table, const struct refusal *why);
/* A column that should not be there, whatever the schema says ("personal-data"): RULE (constant text) of the whole table at LEVEL. FIELD from 1. */
void validation_table_personal(struct validation_table *table, const char *rule, size_t field, const char *field_name,
			       enum fault_level level, const char *note);
void validation_table_end(struct validation_table *table);
void validation_end(struct validation *validation);

/* Bytes that the key indexes took at most, and the keys in them, over all tables. */
size_t validation_index_bytes(const struct validation *validation);
uint64_t validation_n_keys(const struct validation *validation);

/* No error; warnings may be. */
bool validation_is_valid(const struct validation *validation);
/* Errors and warnings; each alone. */
uint64_t validation_n_faults(const struct validation *validation);
uint64_t validation_n_errors(const struct validation *validation);
uint64_t validation_n_warnings(const struct validation *validation);
uint64_t validation_table_n_faults(const struct validation_table *table);
uint64_t validation_table_n_errors(const struct validation_table *table);
uint64_t validation_table_n_warnings(const struct validation_table *table);
uint64_t validation_n_rows(const struct validation_table *table); /* without the header */
size_t validation_n_kept(const struct validation_table *table);
/* In the order in which they were found; of each type the first LIMIT_FAULTS_KEPT errors and as many warnings. */
const struct table_fault *validation_fault(const struct validation_table *table, size_t index);

/* Tallies by field (the row's first), then type and rule: LIMIT_TALLIES at most. Faults of further ones are counted as errors of their type,
 * and here together. */
size_t validation_n_tallies(const struct validation_table *table);
const struct fault_tally *validation_tally(const struct validation_table *table, size_t index);
uint64_t validation_n_untallied(const struct validation_table *table);
/* "Type Error" for "type-error". */
const char *validation_type_title(const char *type);

/* The schema with its fields in the order of the data's header, exact: what is published beside the plain form. A
 * column that the schema does not name becomes `any`. New reference; call after the header row. */
json_t *validation_effective_schema(const struct validation_table *table);

/* {"valid": …, "stats": {…}, "tasks": [{"name", "valid", "stats": {"rows", "fields", "errors", "warnings"}, "errors": [{"type", "rule",
 * "level", "rowNumber", "fieldNumber", "fieldName", "cell", "note", …}], "warnings": [the same], "tallies": [{"type", "rule", "level",
 * "fieldNumber", "fieldName", "count", "rowNumber"}]}]}: the shape of Frictionless's report. New reference. */
json_t *validation_json(const struct validation *validation);
/* The same for people, one line a fault ("communes:17: warning: field zone: …"). */
void validation_lines(const struct validation *validation, FILE *file);

/* The first error as one line ("communes row 17, field population: …, and 41 more"), for a refusal. */
void validation_summary(const struct validation *validation, char *line, size_t size);

#endif
