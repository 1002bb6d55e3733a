/* SPDX-License-Identifier: ISC
 *
 * validation, keys: unique, primaryKey, uniqueKeys and foreignKeys over hashed rows. Columns that several checks look
 * at are hashed and indexed once.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "bundle/limits.h"
#include "schemas/validation_internal.h"

static bool same_columns(const char **a, size_t n_a, const char **b, size_t n_b)
{
	if (n_a != n_b)
		return false;
	for (size_t i = 0; i < n_a; i++) {
		if (strcmp(a[i], b[i]) != 0)
			return false;
	}
	return true;
}

/* The set over these columns, made if it is not there. Returns its number. */
static size_t add_set(struct validation_table *table, const char **columns, size_t n_columns)
{
	struct key_set *set;
	size_t i = 0;

	while (i < table->n_sets &&
	       !same_columns(table->sets[i]->columns, table->sets[i]->n_columns, columns, n_columns))
		i++;
	if (i == table->n_sets) {
		table->sets = xrealloc(table->sets, table->n_sets + 1, sizeof(table->sets[0]));
		table->sets[table->n_sets++] = set = xcalloc(1, sizeof(*set));
		set->columns = columns;
		set->n_columns = n_columns;
		set->places = xcalloc(n_columns, sizeof(set->places[0]));
	}
	return i;
}

/* The same, with its keys kept. */
static size_t add_kept_set(struct validation_table *table, const char **columns, size_t n_columns)
{
	size_t i = add_set(table, columns, n_columns);

	if (table->sets[i]->source == 0)
		table->sets[i]->source = keylog_source(table->validation->log, KEY_ROLE_SET);
	return i;
}

/* The table is the one that REFERENCE means: its keys are kept from the first row on. */
static void attach(struct validation_table *table, struct reference *reference)
{
	size_t i = add_kept_set(table, reference->columns, reference->n_columns);
	struct key_set *set = table->sets[i];

	if (set->index == NULL) {
		set->index = keyindex_new(table->validation->spill);
		keylog_set_index(table->validation->log, set->source, set->index);
	}
	reference->table = table;
	reference->set = set;
}

struct reference *validation_reference(struct validation *validation, const char *resource, const char **columns,
				       size_t n_columns)
{
	struct reference *reference;

	for (size_t i = 0; i < validation->n_references; i++) {
		reference = validation->references[i];
		if (strcmp(reference->resource, resource) == 0 &&
		    same_columns(reference->columns, reference->n_columns, columns, n_columns))
			return reference;
	}
	reference = xcalloc(1, sizeof(*reference));
	reference->resource = resource;
	reference->columns = columns;
	reference->n_columns = n_columns;
	validation->references = xrealloc(validation->references, validation->n_references + 1,
					  sizeof(validation->references[0]));
	validation->references[validation->n_references++] = reference;
	for (size_t i = 0; i < validation->n_tables; i++) {
		if (strcmp(validation->tables[i]->name, resource) == 0 && !validation->tables[i]->has_header)
			attach(validation->tables[i], reference);
	}
	return reference;
}

static void add_unique(struct validation_table *table, enum fault_type type, const char *rule, const char **columns,
		       size_t n_columns)
{
	size_t set = add_kept_set(table, columns, n_columns);

	table->sets[set]->is_unique = true;
	table->uniques = xrealloc(table->uniques, table->n_uniques + 1, sizeof(table->uniques[0]));
	table->uniques[table->n_uniques++] = (struct unique_check){
		.type = type,
		.rule = rule,
		.set = set,
		.may_be_missing = type == FAULT_TYPE_UNIQUE,
	};
}

static void add_foreign(struct validation_table *table, const struct table_key *key)
{
	const char *resource = key->resource != NULL && key->resource[0] != '\0' ? key->resource : table->name;

	table->foreigns = xrealloc(table->foreigns, table->n_foreigns + 1, sizeof(table->foreigns[0]));
	table->foreigns[table->n_foreigns++] = (struct foreign_check){
		.key = key,
		.reference = validation_reference(table->validation, resource, key->reference_columns, key->n_columns),
		.set = add_set(table, key->columns, key->n_columns),
	};
}

void validation_keys_prepare(struct validation_table *table)
{
	const struct schema *schema = table->schema;

	for (size_t i = 0; schema != NULL && i < schema->n_fields; i++) {
		if (schema->fields[i]->unique)
			add_unique(table, FAULT_TYPE_UNIQUE, "unique", &schema->fields[i]->name, 1);
	}
	if (schema != NULL && schema->primary_key.n_columns > 0)
		add_unique(table, FAULT_TYPE_PRIMARY_KEY, NULL, schema->primary_key.columns,
			   schema->primary_key.n_columns);
	for (size_t i = 0; schema != NULL && i < schema->n_unique_keys; i++)
		add_unique(table, FAULT_TYPE_UNIQUE, "uniqueKeys", schema->unique_keys[i].columns,
			   schema->unique_keys[i].n_columns);
	for (size_t i = 0; schema != NULL && i < schema->n_foreign_keys; i++)
		add_foreign(table, &schema->foreign_keys[i]);
	for (size_t i = 0; i < table->validation->n_references; i++) {
		struct reference *reference = table->validation->references[i];

		if (strcmp(reference->resource, table->name) == 0)
			attach(table, reference);
	}
}

static bool find_column(const struct validation_table *table, const char *name, size_t *ret_place)
{
	for (size_t i = 0; i < table->n_columns; i++) {
		if (strcmp(table->columns[i].name, name) == 0) {
			*ret_place = i;
			return true;
		}
	}
	return false;
}

void validation_keys_place(struct validation_table *table)
{
	table->key_cells = xcalloc(table->n_columns + 1, sizeof(table->key_cells[0]));
	for (size_t s = 0; s < table->n_sets; s++) {
		struct key_set *set = table->sets[s];

		set->is_usable = true;
		for (size_t i = 0; i < set->n_columns; i++)
			set->is_usable = find_column(table, set->columns[i], &set->places[i]) && set->is_usable;
		for (size_t i = 0; set->is_usable && i < set->n_columns; i++)
			table->columns[set->places[i]].key_cell = &table->key_cells[set->places[i]];
		if (set->is_usable && set->n_columns == 1 && set->source != 0)
			table->key_cells[set->places[0]].only_set = set;
	}
}

/* Several cells, each behind its length, so that ("ab", "c") is not ("a", "bc"); a missing one has a length that no
 * cell has. */
static void hash_tuple(struct validation_table *table, struct key_set *set)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n_columns; i++) {
		const struct key_cell *cell = &table->key_cells[set->places[i]];
		uint64_t size = cell->bytes != NULL ? cell->size : UINT64_MAX;
		size_t room = n + sizeof(size) + (cell->bytes != NULL ? cell->size : 0);

		if (room > table->tuple_size) {
			table->tuple_size = room + room / 2 + 256;
			table->tuple = xrealloc(table->tuple, table->tuple_size, 1);
		}
		memcpy(table->tuple + n, &size, sizeof(size));
		n += sizeof(size);
		if (cell->bytes != NULL && cell->size > 0)
			memcpy(table->tuple + n, cell->bytes, cell->size);
		n = room;
	}
	key_hash_bytes(table->validation->secret, table->tuple, n, &set->hash);
}

void validation_keys_prefetch(const struct validation_table *table, const struct key_set *set,
			      const struct key_hash *hash)
{
	if (set->index != NULL)
		keyindex_prefetch(set->index, hash);
	else if (set->source != 0)
		keylog_prefetch(table->validation->log, set->source, hash);
}

void validation_keys_begin(struct validation_table *table, struct key_set *set)
{
	const struct key_cell *cell = &table->key_cells[set->places[0]];

	key_hash_bytes(table->validation->secret, cell->bytes, cell->size, &set->hash);
	validation_keys_prefetch(table, set, &set->hash);
	set->is_hashed = true;
}

static void hash_set(struct validation_table *table, struct key_set *set)
{
	const struct key_cell *only = &table->key_cells[set->places[0]];

	set->is_missing = true;
	for (size_t i = 0; i < set->n_columns && set->is_missing; i++)
		set->is_missing = table->key_cells[set->places[i]].bytes == NULL;
	if (set->is_missing)
		return;
	if (set->is_hashed)
		set->is_hashed = false;
	else if (set->n_columns == 1)
		key_hash_bytes(table->validation->secret, only->bytes, only->size, &set->hash);
	else
		hash_tuple(table, set);
}

struct tally_kind validation_key_kind(const struct validation_table *table, const struct key_set *set,
				      enum fault_type type, const char *rule, char *names, size_t size)
{
	size_t n = 0;

	names[0] = '\0';
	for (size_t i = 0; i < set->n_columns && n < size; i++)
		n += (size_t)snprintf(names + n, size - n, "%s%s", i > 0 ? ", " : "", set->columns[i]);
	/* Cut between characters: documents hold it too. */
	if (n >= size && !text_is_utf8(names, size - 1, &n))
		names[n] = '\0';
	return (struct tally_kind){
		.type = type,
		.rule = rule,
		.field = set->n_columns == 1 ? validation_field_number(table, set->places[0]) : 0,
		.field_name = names,
	};
}

void validation_key_cells(const struct validation_table *table, const struct key_set *set, char *cells, size_t size)
{
	size_t n = 0;

	cells[0] = '\0';
	for (size_t i = 0; i < set->n_columns && n < size; i++) {
		const struct key_cell *cell = &table->key_cells[set->places[i]];
		char escaped[100];

		text_escape(cell->raw.text != NULL ? cell->raw.text : "", cell->raw.text != NULL ? cell->raw.size : 0,
			    escaped, sizeof(escaped));
		n += (size_t)snprintf(cells + n, size - n, "%s%s", i > 0 ? ", " : "", escaped);
	}
}

unsigned validation_unique_rank(const struct validation_table *table, const struct unique_check *check)
{
	return 1 + (unsigned)(check - table->uniques);
}

unsigned validation_foreign_rank(const struct validation_table *table, const struct foreign_check *check)
{
	return 1 + (unsigned)table->n_uniques + (unsigned)(check - table->foreigns);
}

static void __attribute__((cold))
report_key(struct validation_table *table, struct tally_kind *kind, unsigned rank, const struct key_set *set,
	   const struct row_position *position, const char *note)
{
	char cells[200];
	struct cell cell;

	if (!validation_count(table, kind, position))
		return;
	if (table->merging != NULL)
		validation_part_recall(table->merging, table);
	validation_key_cells(table, set, cells, sizeof(cells));
	cell = (struct cell){cells, strlen(cells)};
	validation_keep(table, kind, position, set->is_missing ? NULL : &cell, note);
	table->faults[table->n_faults - 1].rank = rank;
}

static void __attribute__((cold))
report_unique(struct validation_table *table, const struct unique_check *check, const struct row_position *position)
{
	const struct key_set *set = table->sets[check->set];
	char names[160], note[128];
	struct tally_kind kind = validation_key_kind(table, set, check->type, check->rule, names, sizeof(names));

	if (set->is_missing)
		snprintf(note, sizeof(note), "the primary key is missing");
	else
		snprintf(note, sizeof(note), "is the same as in row %" PRIu32, set->first_row);
	report_key(table, &kind, validation_unique_rank(table, check), set, position, note);
}

static void check_unique(struct validation_table *table, const struct unique_check *check,
			 const struct row_position *position)
{
	const struct key_set *set = table->sets[check->set];

	if (set->is_usable && (set->is_missing ? !check->may_be_missing : !set->is_new))
		report_unique(table, check, position);
}

void validation_foreign_note(const struct foreign_check *check, char *note, size_t size)
{
	size_t n = (size_t)snprintf(note, size, "is not found in %s as ", check->reference->resource);

	for (size_t i = 0; i < check->key->n_columns && n < size; i++)
		n += (size_t)snprintf(note + n, size - n, "%s%s", i > 0 ? ", " : "", check->key->reference_columns[i]);
}

static void __attribute__((cold))
report_foreign(struct validation_table *table, const struct foreign_check *check, const struct row_position *position)
{
	const struct key_set *set = table->sets[check->set];
	char names[160], note[256];
	struct tally_kind kind = validation_key_kind(table, set, FAULT_TYPE_FOREIGN_KEY, NULL, names, sizeof(names));

	validation_foreign_note(check, note, sizeof(note));
	report_key(table, &kind, validation_foreign_rank(table, check), set, position, note);
}

/* The other table is not at its end: the key waits, in its first row. */
static void wait_for(struct validation_table *table, struct foreign_check *check, const struct row_position *position)
{
	struct keylog *log = table->validation->log;
	const struct key_hash *hash = &table->sets[check->set]->hash;

	if (check->pending == NULL) {
		check->pending = keyindex_new(table->validation->spill);
		check->waiting = keylog_source(log, KEY_ROLE_WANTED_ONCE);
	}
	if (keyindex_add(check->pending, hash, (uint32_t)position->row, NULL) == KEY_UNKNOWN)
		keylog_ask(log, check->waiting, hash, (uint32_t)position->row, 0, NULL, 0);
}

static void check_foreign(struct validation_table *table, struct foreign_check *check,
			  const struct row_position *position)
{
	const struct key_set *set = table->sets[check->set];
	const struct reference *reference = check->reference;
	struct keylog *log = table->validation->log;
	enum key_answer answer;

	if (!set->is_usable || set->is_missing)
		return;
	if (reference->table == NULL || !reference->table->has_ended) {
		wait_for(table, check, position);
		return;
	}
	if (reference->table->is_broken || !reference->set->is_usable)
		return;
	answer = keyindex_find(reference->set->index, &set->hash);
	if (answer == KEY_SEEN)
		return;
	if (answer == KEY_NEW || !keylog_may_have(log, reference->set->source, &set->hash)) {
		report_foreign(table, check, position);
		return;
	}
	if (check->wanted == 0) {
		check->wanted = keylog_source(log, KEY_ROLE_WANTED);
		keylog_set_target(log, check->wanted, reference->set->source);
	}
	validation_late_note(table, set, check->wanted, position);
}

/* The key of the row that is being judged, among all before it. */
static void keep_key(struct validation_table *table, struct key_set *set, const struct row_position *position)
{
	enum key_answer answer = KEY_UNKNOWN;

	if (set->index != NULL)
		answer = keyindex_add(set->index, &set->hash, (uint32_t)position->row, &set->first_row);
	set->is_new = answer != KEY_SEEN;
	if (answer == KEY_UNKNOWN &&
	    keylog_add(table->validation->log, set->source, &set->hash, (uint32_t)position->row) && set->is_unique)
		validation_late_note(table, set, set->source, position);
}

void validation_keys_row(struct validation_table *table, const struct row_position *position)
{
	for (size_t i = 0; i < table->n_sets; i++) {
		if (table->sets[i]->is_usable)
			hash_set(table, table->sets[i]);
	}
	if (table->noted_in != NULL)
		validation_part_note(table->noted_in, position);
	else
		validation_keys_judge(table, position);
}

void validation_keys_judge(struct validation_table *table, const struct row_position *position)
{
	for (size_t i = 0; i < table->n_sets; i++) {
		struct key_set *set = table->sets[i];

		if (set->is_usable && !set->is_missing && set->source != 0)
			keep_key(table, set, position);
	}
	for (size_t i = 0; i < table->n_uniques; i++)
		check_unique(table, &table->uniques[i], position);
	for (size_t i = 0; i < table->n_foreigns; i++)
		check_foreign(table, &table->foreigns[i], position);
}

void validation_keys_clear(struct validation_table *table)
{
	for (size_t i = 0; i < table->n_sets; i++) {
		keyindex_free(table->sets[i]->index);
		free(table->sets[i]->places);
		free(table->sets[i]);
	}
	free(table->sets);
	free(table->uniques);
	for (size_t i = 0; i < table->n_foreigns; i++)
		keyindex_free(table->foreigns[i].pending);
	free(table->foreigns);
	for (size_t i = 0; table->key_cells != NULL && i < table->n_columns; i++) {
		free(table->key_cells[i].buffer);
		free(table->key_cells[i].recalled);
	}
	free(table->key_cells);
	free(table->tuple);
}
