/* SPDX-License-Identifier: ISC
 *
 * validation, between its own files: validation.c (tables and rows), validation_header.c (labels to fields),
 * validation_keys.c (uniqueness and references), validation_checks.c (custom checks), validation_report.c (faults for people and machines).
 */
#ifndef SCHEMAS_VALIDATION_INTERNAL_H
#define SCHEMAS_VALIDATION_INTERNAL_H

#include "schemas/columnmap.h"
#include "schemas/field.h"
#include "schemas/keyindex.h"
#include "schemas/keylog.h"
#include "schemas/rowscan.h"
#include "schemas/validation.h"

/* In the order of their names in validation_report.c. */
enum fault_type {
	FAULT_TYPE_TYPE,
	FAULT_TYPE_CONSTRAINT,
	FAULT_TYPE_PATTERN_LIMIT,
	FAULT_TYPE_MISSING_LABEL,
	FAULT_TYPE_EXTRA_LABEL,
	FAULT_TYPE_INCORRECT_LABEL,
	FAULT_TYPE_DUPLICATE_LABEL,
	FAULT_TYPE_BLANK_LABEL,
	FAULT_TYPE_BLANK_HEADER,
	FAULT_TYPE_MISSING_CELL,
	FAULT_TYPE_EXTRA_CELL,
	FAULT_TYPE_BLANK_ROW,
	FAULT_TYPE_UNIQUE,
	FAULT_TYPE_PRIMARY_KEY,
	FAULT_TYPE_FOREIGN_KEY,
	FAULT_TYPE_CUSTOM_CHECK,
	FAULT_TYPE_CHECK_SKIPPED,
	FAULT_TYPE_PERSONAL,
	FAULT_TYPE_SOURCE,
	FAULT_TYPE_N
};

/* What a fault is one of. */
struct tally_kind {
	enum fault_type type;
	const char *rule;       /* NULL: the type's name; constant text */
	size_t field;           /* from 1; 0: the row */
	const char *field_name; /* may be NULL; borrowed */
	enum fault_level level; /* set by validation_count */
};

struct tally {
	enum fault_type type;
	struct fault_tally told; /* its field_name is owned */
};

/* The canonical bytes of one cell of a key, for the row that is being read. */
struct key_cell {
	const char *bytes; /* NULL: missing, or not of its type */
	size_t size;
	char *buffer;    /* owned; where numbers and times are written */
	struct cell raw; /* as written; text NULL where there is none */
	char *recalled;  /* owned; what raw points to where the row was read again */
	struct key_set *
		only_set; /* a set of this column alone, which can be hashed as soon as the cell is read; may be NULL */
};

/* One column of the data. */
struct column {
	const struct field *field; /* NULL: the schema does not name it, any text */
	const char *name;          /* the field's, or the label */
	struct key_cell *key_cell; /* NULL: in no key */
};

/* Some columns taken together, hashed once a row for all checks that look at them. */
struct key_set {
	const char **columns; /* borrowed */
	size_t n_columns;
	size_t *places;         /* owned: of each in the data; set with the header */
	bool is_usable;         /* every column is in the data */
	bool is_unique;         /* somebody asks whether a key was there before */
	uint32_t source;        /* of the log; 0: only hashed */
	struct keyindex *index; /* owned: asked for keys while rows are read; NULL: all are in the log */
	/* Of the row that is being read: */
	bool is_hashed;  /* already, when its cell was read */
	bool is_missing; /* every cell is */
	bool is_new;
	uint32_t first_row;
	struct key_hash hash;
};

/* What foreign keys refer to: columns of a table, which may be read before or after. */
struct reference {
	const char *resource;
	const char **columns; /* borrowed */
	size_t n_columns;
	struct validation_table *table; /* NULL: has not come yet */
	struct key_set *set;            /* of that table */
};

struct unique_check {
	enum fault_type type; /* FAULT_TYPE_UNIQUE or FAULT_TYPE_PRIMARY_KEY */
	const char *rule;
	size_t set;
	bool may_be_missing;
};

struct foreign_check {
	const struct table_key *key;
	struct reference *reference;
	size_t set;
	struct keyindex *pending; /* owned: keys that wait for the other table, with their first row */
	uint32_t waiting;         /* in the log: those of them that found no room, or are not found */
	uint32_t wanted;          /* in the log: keys asked for after the other table; 0: none yet */
};

/* A custom check that is made, and where its columns stand. */
struct check_run {
	const struct custom_check *check; /* borrowed from the schema */
	size_t *places;                   /* owned, but in a part's table; SIZE_MAX: the data do not have it */
};

struct validation_part; /* schemas/validation_part.h */

/* A table whose rows are mapped (validation_map.c). */
struct validation_map {
	struct columnmap *columns;         /* this and the binding are owned, unless is_borrowed */
	struct columnmap_binding *binding; /* NULL: the header has not come yet */
	bool is_borrowed;                  /* a part's: the whole table's */
	struct columnmap_scratch scratch;
	struct cell *cells; /* owned: the last row as promised */
	struct refusal why; /* FAULT_NONE: rows are mapped */
};

struct validation_table {
	struct validation *validation;
	const char *name, *place;
	const struct schema *schema;
	bool has_header, has_ended, is_broken;
	bool is_reference;      /* it is not judged: others refer to its keys */
	bool only_foreign_keys; /* no other fault counts */
	uint64_t n_rows;

	char **labels; /* owned */
	size_t n_labels;
	struct column *columns; /* owned: what each row should have */
	size_t n_columns;

	struct key_set **sets; /* owned, each */
	size_t n_sets;
	struct unique_check *uniques;
	size_t n_uniques;
	struct foreign_check *foreigns;
	size_t n_foreigns;
	struct check_run *check_runs; /* owned, but in a part's table */
	size_t n_check_runs;
	struct key_cell *key_cells;       /* owned, one a column */
	struct validation_part *noted_in; /* this is the table of a part: its keys are noted there, not judged */
	struct validation_part *merging;  /* whose rows are being judged: their cells are read again where shown */
	char *tuple;                      /* several cells of a key, joined for hashing */
	size_t tuple_size;
	struct value_scratch scratch;

	struct validation_map *map;       /* owned; NULL: rows are judged as they are */
	const struct rule_levels *levels; /* borrowed; NULL: none */
	struct tally **tallies;           /* owned, each; sorted */
	size_t n_tallies, tallies_room;
	uint64_t n_untallied[FAULT_TYPE_N];
	uint64_t n_kept[LEVEL_N][FAULT_TYPE_N];
	struct table_fault *faults; /* owned, with their texts */
	size_t n_faults, faults_room;
};

struct validation {
	uint8_t secret[KEY_SECRET_SIZE];
	struct validation_table **tables;
	size_t n_tables;
	struct reference **references;
	size_t n_references;
	struct spill *spill; /* borrowed; NULL: memory without a bound */
	struct keylog *log;  /* owned */
};

/* Counts a fault and keeps it, unless enough of its type and level are kept. CELL may be NULL. */
void validation_add(struct validation_table *table, struct tally_kind *kind, const struct row_position *position,
		    const struct cell *cell, const char *note);
/* The same in two steps, where words cost: count each, which finds its level, and keep it where that was true. */
bool validation_count(struct validation_table *table, struct tally_kind *kind, const struct row_position *position);
void validation_keep(struct validation_table *table, const struct tally_kind *kind, const struct row_position *position,
		     const struct cell *cell, const char *note);
/* N faults that are found when the rows are past, the first of them at POSITION; and one of them, put where it would stand if it had been found
 * with its row: RANK tells faults of one row apart. */
void validation_count_late(struct validation_table *table, struct tally_kind *kind, const struct row_position *position,
			   uint64_t n);
void validation_keep_late(struct validation_table *table, const struct tally_kind *kind, unsigned rank,
			  const struct row_position *position, const struct cell *cell, const char *note);
void validation_clear_faults(struct validation_table *table);
void validation_clear_tallies(struct validation_table *table);
const char *validation_type_name(enum fault_type type);
uint64_t validation_type_count(const struct validation_table *table, enum fault_type type, enum fault_level level);
/* Whether every tally of PART is sure to find room in TABLE; then they can be added, PART's row 1 being at BASE. */
bool validation_tallies_fit(const struct validation_table *table, const struct validation_table *part);
void validation_merge_tallies(struct validation_table *table, const struct validation_table *part,
			      const struct row_position *base);
/* Moves the faults that PART kept of its rows up to LAST_ROW to the end of TABLE's, as if they were found there, from BASE on (where
 * the part's row 1 is). *NEXT is the first that was not moved yet. Tallies stay. */
void validation_move_faults(struct validation_table *table, struct validation_table *part, uint64_t last_row,
			    const struct row_position *base, size_t *next);

/* A part's table: the keys of the row just read. And the whole's: the raw cells of the key of the row that is being judged. */
void validation_part_note(struct validation_part *part, const struct row_position *position);
void validation_part_recall(struct validation_part *part, struct validation_table *table);

/* A row with a cell in each column, each known to be good or missing where it may be, and not all missing: counted, held to the
 * custom checks, and its keys taken. */
void validation_good_row(struct validation_table *table, const struct cell *cells, const struct row_position *position);

/* Rows of a table whose header is known, a batch at a time: fill validation_batch_rows, then take it. FIRST_ROW is the first one's number.
 * What is reported is what validation_row reports of each. */
struct validation_batch;
struct validation_batch *validation_batch_new(struct validation_table *table);
void validation_batch_free(struct validation_batch *batch);
struct row_batch *validation_batch_rows(struct validation_batch *batch);
void validation_batch_take(struct validation_batch *batch, uint64_t first_row, bool are_good);

/* A row as the columns have it, after the header: what a map made of a published one, or that itself. */
void validation_judge_row(struct validation_table *table, const struct cell *cells, size_t n_cells,
			  const struct row_position *position);

/* The map of columns. A part's table gets the binding of the whole one. */
void validation_map_copy(struct validation_table *copy, const struct validation_table *table);
void validation_map_clear(struct validation_table *table);
void validation_map_row(struct validation_table *table, const struct cell *cells, size_t n_cells,
			const struct row_position *position);
/* What the row's columns have, without judging it; NULL where the map cannot go on. */
const struct cell *validation_map_cells(struct validation_table *table, const struct cell *cells, size_t n_cells,
					size_t *ret_bad);
/* Of the column at INDEX: its number in the file as published, from 1; 0: it is a default. */
size_t validation_field_number(const struct validation_table *table, size_t index);
/* The label as published of a field number; NULL: the table has no map, or FIELD no column. */
const char *validation_published_name(const struct validation_table *table, size_t field);
/* Of a table with a map. */
bool validation_is_default(const struct validation_table *table, size_t index);

/* The header row: labels to columns by the schema's fieldsMatch, with the faults of both. */
void validation_take_header(struct validation_table *table, const struct cell *cells, size_t n_cells,
			    const struct row_position *position);

/* Custom checks: those that can be made once the header is known, with a warning for each other; then each row, after its cells. */
void validation_checks_place(struct validation_table *table);
void validation_checks_row(struct validation_table *table, const struct cell *cells, size_t n_cells,
			   const struct row_position *position);
void validation_checks_clear(struct validation_table *table);

/* Keys: what the schema and the references to this table ask for; then the columns once the header is known. */
void validation_keys_prepare(struct validation_table *table);
void validation_keys_place(struct validation_table *table);
/* What memory will be looked at for the hash. */
void validation_keys_prefetch(const struct validation_table *table, const struct key_set *set,
			      const struct key_hash *hash);
/* Hashes the set of one column whose cell has just been read, so that memory answers while the row's other cells are
 * checked: with millions of keys the look-up is a cache miss. */
void validation_keys_begin(struct validation_table *table, struct key_set *set);
/* After the row's cells were read into the columns' key_cells. */
void validation_keys_row(struct validation_table *table, const struct row_position *position);
/* The second half of it: the sets' hashes are known, and indexed and judged now. */
void validation_keys_judge(struct validation_table *table, const struct row_position *position);
/* What the log has to say at the end: all questions are in it; its answers as faults; references to tables that came later. */
void validation_late_ask(struct validation_table *table);
void validation_late_report(struct validation_table *table);
void validation_late_resolve(struct validation_table *table);
/* Asks SOURCE for the set's key of the row that is being judged, with the texts of its cells. */
void validation_late_note(struct validation_table *table, const struct key_set *set, uint32_t source,
			  const struct row_position *position);

/* Words of faults of keys. NAMES, for people: "siret"; "code, year". */
struct tally_kind validation_key_kind(const struct validation_table *table, const struct key_set *set,
				      enum fault_type type, const char *rule, char *names, size_t size);
/* "12345678900011"; "01001, 2024". */
void validation_key_cells(const struct validation_table *table, const struct key_set *set, char *cells, size_t size);
void validation_foreign_note(const struct foreign_check *check, char *note, size_t size);
/* Of faults of one row the cells' come first (0), then the keys' in this order. */
unsigned validation_unique_rank(const struct validation_table *table, const struct unique_check *check);
unsigned validation_foreign_rank(const struct validation_table *table, const struct foreign_check *check);
void validation_keys_clear(struct validation_table *table);
struct reference *validation_reference(struct validation *validation, const char *resource, const char **columns,
				       size_t n_columns);

#endif
