/* SPDX-License-Identifier: ISC
 *
 * validation_part: see validation_part.h.
 */
#include "schemas/validation_part.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/limits.h"
#include "schemas/validation_internal.h"

/* How many rows ahead of the judged one the key index is asked for memory: with millions of keys each look-up is a cache miss. */
#define ROWS_AHEAD 16

/* One key of one row. */
struct key_note {
	struct key_hash hash;
	bool is_missing;
};

struct validation_part {
	struct dialect dialect;
	struct schema *schema;          /* owned: a copy, for patterns keep state; NULL: none */
	struct validation_table *table; /* owned: the same columns and sets, without an index */
	struct table_reader *reader;
	struct table_reader *recaller;  /* of single rows, for the table that the part is merged into; NULL: none yet */
	struct validation_batch *batch; /* owned; NULL: all rows go through the reader */
	const char *bytes;              /* borrowed */
	size_t size;
	bool is_broken; /* the reader refused, or they were no whole rows */
	struct part_duties duties;

	uint64_t offset; /* of the bytes in the file that the stretches are of */
	struct copied_stretch *good;
	size_t n_good, good_room;

	struct plain_writer *writer; /* owned; NULL: the plain form is not wanted */
	bool is_rewritten;           /* rows are written; until then the bytes are their plain form */
	char *plain;                 /* owned: what was written */
	size_t plain_size, plain_room;

	/* One a row, and one a row and set. */
	uint64_t *offsets;
	struct key_note *notes;
	size_t n_rows, rows_room;
	size_t judged; /* of the rows, while they are merged */
};

/* --- the plain form
 * --------------------------------------------------------------------------------------------------- */

/* plain_sink. */
static enum fault add_plain(void *ctx, const void *data, size_t size, struct refusal *why)
{
	struct validation_part *part = ctx;

	(void)why;
	if (part->plain_size + size > part->plain_room) {
		part->plain_room = (part->plain_size + size) * 2;
		part->plain = xrealloc(part->plain, part->plain_room, 1);
	}
	memcpy(part->plain + part->plain_size, data, size);
	part->plain_size += size;
	return FAULT_NONE;
}

/* The bytes up to OFFSET are in the plain form, and those that follow are not. */
static void begin_writing(struct validation_part *part, uint64_t offset)
{
	if (part->is_rewritten)
		return;
	part->is_rewritten = true;
	if (offset > 0)
		add_plain(part, part->bytes, (size_t)offset, NULL);
}

static void write_row(struct validation_part *part, const struct cell *cells, size_t n_cells, uint64_t offset)
{
	begin_writing(part, offset);
	plain_writer_row(part->writer, cells, n_cells, NULL);
}

static void write_batch(struct validation_part *part, const struct row_batch *rows)
{
	if (rows->is_plain && !part->is_rewritten)
		return;
	for (size_t i = 0; i < rows->n_rows; i++)
		write_row(part, rows->cells + i * rows->n_columns, rows->n_columns, rows->offsets[i]);
}

const char *validation_part_plain(const struct validation_part *part, size_t *ret_size)
{
	*ret_size = part->is_rewritten ? part->plain_size : part->size;
	return part->is_rewritten ? part->plain : part->bytes;
}

static enum fault take_row(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
			   struct refusal *why)
{
	struct validation_part *part = ctx;

	validation_row(part->table, cells, n_cells, position);
	if (part->table->map != NULL) {
		if (validation_table_map_fault(part->table, why) != FAULT_NONE)
			return part->table->map->why.fault;
		cells = validation_table_promised(part->table, &n_cells);
	}
	if (part->writer != NULL)
		write_row(part, cells, n_cells, position->offset);
	return FAULT_NONE;
}

/* --- a table like the whole
 * ------------------------------------------------------------------------------------------- */

static struct schema *copy_schema(const struct schema *schema)
{
	struct refusal why = {FAULT_NONE, ""};
	struct schema *copy;

	if (schema == NULL)
		return NULL;
	if (schema_parse(schema->json, &copy, &why) != FAULT_NONE)
		die("a schema that was read cannot be read again: %s", why.line);
	return copy;
}

/* The copy's field for one of the schema's. */
static const struct field *same_field(const struct schema *schema, const struct field *field, const struct schema *copy)
{
	for (size_t i = 0; field != NULL && i < schema->n_fields; i++) {
		if (schema->fields[i] == field)
			return copy->fields[i];
	}
	return NULL;
}

static struct key_set *copy_set(const struct key_set *set)
{
	struct key_set *copy = xcalloc(1, sizeof(*copy));

	copy->columns = set->columns;
	copy->n_columns = set->n_columns;
	copy->places = xcalloc(set->n_columns, sizeof(copy->places[0]));
	memcpy(copy->places, set->places, set->n_columns * sizeof(copy->places[0]));
	copy->is_usable = set->is_usable;
	return copy;
}

static struct validation_table *copy_table(const struct validation_table *table, struct validation_part *part)
{
	struct validation_table *copy = xcalloc(1, sizeof(*copy));

	copy->validation = table->validation;
	copy->name = table->name;
	copy->place = table->place;
	copy->schema = part->schema;
	copy->has_header = true;
	copy->levels = table->levels;
	validation_map_copy(copy, table);
	copy->noted_in = part;
	copy->n_columns = table->n_columns;
	copy->columns = xcalloc(table->n_columns + 1, sizeof(copy->columns[0]));
	copy->key_cells = xcalloc(table->n_columns + 1, sizeof(copy->key_cells[0]));
	for (size_t i = 0; i < table->n_columns; i++) {
		copy->columns[i].name = table->columns[i].name;
		copy->columns[i].field = same_field(table->schema, table->columns[i].field, part->schema);
		if (table->columns[i].key_cell != NULL)
			copy->columns[i].key_cell = &copy->key_cells[i];
	}
	copy->check_runs = table->check_runs;
	copy->n_check_runs = table->n_check_runs;
	copy->n_sets = table->n_sets;
	copy->sets = xcalloc(table->n_sets + 1, sizeof(copy->sets[0]));
	for (size_t i = 0; i < table->n_sets; i++)
		copy->sets[i] = copy_set(table->sets[i]);
	return copy;
}

struct validation_part *validation_part_new(const struct validation_table *table, const struct dialect *dialect,
					    const struct part_duties *duties)
{
	struct validation_part *part = xcalloc(1, sizeof(*part));

	part->dialect = *dialect;
	part->schema = copy_schema(table->schema);
	part->table = copy_table(table, part);
	part->reader = table_reader_new(&part->dialect, take_row, part);
	part->duties = *duties;
	if (duties->writes_plain)
		part->writer = plain_writer_new(add_plain, part);
	/* A batch has published cells; where they are mapped, rows go one by one. */
	if (row_scan_reads(dialect) && table->n_columns > 0 && table->map == NULL)
		part->batch = validation_batch_new(part->table);
	return part;
}

void validation_part_free(struct validation_part *part)
{
	if (part == NULL)
		return;
	table_reader_free(part->reader);
	table_reader_free(part->recaller);
	validation_batch_free(part->batch);
	plain_writer_free(part->writer);
	free(part->plain);
	validation_keys_clear(part->table);
	validation_clear_faults(part->table);
	validation_clear_tallies(part->table);
	validation_map_clear(part->table);
	free(part->table->columns);
	free(part->table);
	schema_free(part->schema);
	free(part->good);
	free(part->offsets);
	free(part->notes);
	free(part);
}

void validation_part_freep(struct validation_part **part)
{
	validation_part_free(*part);
}

/* --- reading
 * ---------------------------------------------------------------------------------------------------------- */

void validation_part_note(struct validation_part *part, const struct row_position *position)
{
	const struct validation_table *table = part->table;
	struct key_note *notes;

	if (part->n_rows == part->rows_room) {
		part->rows_room = part->rows_room * 2 + 1024;
		part->offsets = xrealloc(part->offsets, part->rows_room, sizeof(part->offsets[0]));
		part->notes = xrealloc(part->notes, part->rows_room * table->n_sets, sizeof(part->notes[0]));
	}
	part->offsets[part->n_rows] = position->offset;
	notes = &part->notes[part->n_rows++ * table->n_sets];
	for (size_t i = 0; i < table->n_sets; i++)
		notes[i] = (struct key_note){table->sets[i]->hash, table->sets[i]->is_missing};
}

static void forget(struct validation_part *part)
{
	struct validation_table *table = part->table;

	validation_clear_faults(table);
	validation_clear_tallies(table);
	table->n_rows = 0;
	part->n_rows = 0;
	if (table->map != NULL)
		table->map->why.fault = FAULT_NONE;
	for (size_t i = 0; part->schema != NULL && i < part->schema->n_fields; i++) {
		if (part->schema->fields[i]->n_limit_hits != NULL)
			*part->schema->fields[i]->n_limit_hits = 0;
	}
}

/* The rows that begin at scan->at until one ends at the end of a line. */
static bool read_odd_rows(struct validation_part *part, struct row_scan *scan)
{
	const struct row_position position = {part->table->n_rows + 1, scan->at};

	table_reader_resume(part->reader, &position);
	do {
		const char *line = part->bytes + scan->at;
		const char *lf = memchr(line, '\n', part->size - scan->at);
		size_t size = lf != NULL ? (size_t)(lf - line) + 1 : part->size - scan->at;

		if (size == 0 || table_reader_feed(part->reader, line, size, NULL) != FAULT_NONE)
			return false;
		scan->at += size;
	} while (!table_reader_is_between_rows(part->reader));
	return true;
}

void validation_part_spare(struct validation_part *part, uint64_t offset, const struct copied_stretch *stretches,
			   size_t n_stretches)
{
	if (n_stretches > part->good_room) {
		part->good_room = n_stretches * 2;
		part->good = xrealloc(part->good, part->good_room, sizeof(part->good[0]));
	}
	for (size_t i = 0; i < n_stretches; i++)
		part->good[i] = stretches[i];
	part->n_good = n_stretches;
	part->offset = offset;
}

/* Whether the rows from byte BEGIN to END are all within one good stretch, of which *NEXT is the first that may be. */
static bool are_good(const struct validation_part *part, size_t begin, size_t end, size_t *next)
{
	while (*next < part->n_good && part->good[*next].end < part->offset + end)
		++*next;
	return *next < part->n_good && part->good[*next].begin < part->offset + begin;
}

static bool read_batches(struct validation_part *part)
{
	struct row_batch *rows = validation_batch_rows(part->batch);
	struct row_scan scan;
	size_t next_good = 0;

	row_scan_begin(&scan, &part->dialect, part->bytes, part->size);
	while (scan.at < part->size) {
		bool is_full = row_scan_next(&scan, rows);

		validation_batch_take(part->batch, part->table->n_rows + 1,
				      rows->n_rows > 0 && are_good(part, rows->offsets[0], scan.at, &next_good));
		if (part->writer != NULL)
			write_batch(part, rows);
		if (!is_full && scan.at < part->size && !read_odd_rows(part, &scan))
			return false;
	}
	return true;
}

static bool read_rows(struct validation_part *part)
{
	const struct row_position first = {1, 0};

	/* Text that is not UTF-8 goes to who refuses it. */
	if (part->batch != NULL && (part->duties.trusts_utf8 || text_is_utf8(part->bytes, part->size, NULL)))
		return read_batches(part);
	table_reader_resume(part->reader, &first);
	return table_reader_feed(part->reader, part->bytes, part->size, NULL) == FAULT_NONE &&
	       table_reader_is_between_rows(part->reader);
}

void validation_part_read(struct validation_part *part, const char *bytes, size_t size)
{
	forget(part);
	if (part->is_broken) {
		table_reader_free(part->reader);
		part->reader = table_reader_new(&part->dialect, take_row, part);
	}
	part->bytes = bytes;
	part->size = size;
	part->is_rewritten = part->table->map != NULL;
	part->plain_size = 0;
	part->is_broken = !read_rows(part);
	if (part->writer != NULL)
		plain_writer_finish(part->writer, NULL);
}

/* --- merging
 * ---------------------------------------------------------------------------------------------------------- */

static bool has_limit_hits(const struct schema *schema)
{
	for (size_t i = 0; schema != NULL && i < schema->n_fields; i++) {
		if (schema->fields[i]->n_limit_hits != NULL && *schema->fields[i]->n_limit_hits > 0)
			return true;
	}
	return false;
}

/* The cells live as long as this call: the keys' are copied to where the row's own values are. */
static enum fault recall_row(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
			     struct refusal *why)
{
	struct validation_table *table = ctx;
	size_t bad;

	(void)position;
	(void)why;
	if (table->map != NULL) {
		cells = validation_map_cells(table, cells, n_cells, &bad);
		n_cells = table->n_columns;
	}
	for (size_t i = 0; i < table->n_columns; i++) {
		struct key_cell *key_cell = table->columns[i].key_cell;

		if (key_cell == NULL)
			continue;
		key_cell->raw.text = NULL;
		if (i >= n_cells)
			continue;
		free(key_cell->recalled);
		key_cell->recalled = xmalloc(cells[i].size + 1);
		memcpy(key_cell->recalled, cells[i].text, cells[i].size);
		key_cell->raw = (struct cell){key_cell->recalled, cells[i].size};
	}
	return FAULT_NONE;
}

void validation_part_recall(struct validation_part *part, struct validation_table *table)
{
	const struct row_position first = {1, 0};
	uint64_t start = part->offsets[part->judged];
	uint64_t end = part->judged + 1 < part->n_rows ? part->offsets[part->judged + 1] : part->size;

	/* Kept, for a reader has megabytes of its own: some files ask for most of their rows again. */
	if (part->recaller == NULL)
		part->recaller = table_reader_new(&part->dialect, recall_row, table);
	table_reader_resume(part->recaller, &first);
	if (table_reader_feed(part->recaller, part->bytes + start, end - start, NULL) != FAULT_NONE)
		die("a row that was read cannot be read again");
	if (!table_reader_is_between_rows(part->recaller)) {
		table_reader_free(part->recaller);
		part->recaller = NULL;
	}
}

static void ask_ahead(const struct validation_part *part, const struct validation_table *table, size_t row)
{
	if (row >= part->n_rows)
		return;
	for (size_t i = 0; i < table->n_sets; i++) {
		const struct key_note *note = &part->notes[row * table->n_sets + i];

		if (table->sets[i]->is_usable && !note->is_missing)
			validation_keys_prefetch(table, table->sets[i], &note->hash);
	}
}

/* The keys of all rows in their order; the faults of cells that stand before a key's are moved before it. */
static void judge_keys(struct validation_part *part, struct validation_table *table, const struct row_position *base,
		       size_t *next_fault)
{
	table->merging = part;
	for (size_t row = 0; row < part->n_rows; row++) {
		const struct row_position position = {base->row + row, base->offset + part->offsets[row]};

		ask_ahead(part, table, row + ROWS_AHEAD);
		for (size_t i = 0; i < table->n_sets; i++) {
			table->sets[i]->hash = part->notes[row * table->n_sets + i].hash;
			table->sets[i]->is_missing = part->notes[row * table->n_sets + i].is_missing;
		}
		part->judged = row;
		validation_move_faults(table, part->table, row + 1, base, next_fault);
		validation_keys_judge(table, &position);
	}
	table->merging = NULL;
}

bool validation_part_merge(struct validation_part *part, struct validation_table *table, struct row_position *position)
{
	struct validation_table *rows = part->table;
	size_t next_fault = 0;

	if (part->is_broken || validation_table_map_fault(rows, NULL) != FAULT_NONE || has_limit_hits(table->schema) ||
	    has_limit_hits(part->schema) || rows->n_rows >= LIMIT_ROWS - position->row ||
	    !validation_tallies_fit(table, rows))
		return false;
	if (table->n_sets > 0)
		judge_keys(part, table, position, &next_fault);
	validation_move_faults(table, rows, UINT64_MAX, position, &next_fault);
	validation_merge_tallies(table, rows, position);
	table->n_rows += rows->n_rows;
	position->row += rows->n_rows;
	position->offset += part->size;
	return true;
}
