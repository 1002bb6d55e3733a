/* SPDX-License-Identifier: ISC
 *
 * validation, late faults: keys that only the log can judge, when all are written down (keylog). What is told of them is what would have
 * been told in their row, and stands where it would have stood.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bundle/limits.h"
#include "schemas/validation_internal.h"

/* Of a cell, and of a row's cells together: past these nothing is shown. */
#define CELL_KEPT 128
#define CELLS_KEPT 200
#define NO_CELL 0xff

_Static_assert(CELLS_KEPT + CELL_KEPT + LIMIT_KEY_COLUMNS <= KEYLOG_TEXT_SIZE, "a text has room");

/* --- while rows are read
 * ---------------------------------------------------------------------------------------------- */

/* The raw cells, each behind its length. */
static size_t pack_cells(const struct validation_table *table, const struct key_set *set, char text[KEYLOG_TEXT_SIZE])
{
	size_t n = 0, shown = 0;

	for (size_t i = 0; i < set->n_columns && shown < CELLS_KEPT; i++) {
		const struct cell *raw = &table->key_cells[set->places[i]].raw;
		size_t size = raw->size < CELL_KEPT ? raw->size : CELL_KEPT;

		text[n++] = (char)(raw->text != NULL ? size : NO_CELL);
		if (raw->text == NULL)
			continue;
		memcpy(text + n, raw->text, size);
		n += size;
		shown += size;
	}
	return n;
}

void __attribute__((cold)) validation_late_note(struct validation_table *table, const struct key_set *set,
						uint32_t source, const struct row_position *position)
{
	char text[KEYLOG_TEXT_SIZE];

	if (table->merging != NULL)
		validation_part_recall(table->merging, table);
	keylog_ask(table->validation->log, source, &set->hash, (uint32_t)position->row, position->offset, text,
		   pack_cells(table, set, text));
}

/* --- at the end
 * ------------------------------------------------------------------------------------------------------- */

struct waiting {
	struct keylog *log;
	const struct reference *reference;
	uint32_t source;
};

static void ask_waiting(void *ctx, const struct key_hash *hash, uint32_t row)
{
	const struct waiting *waiting = ctx;
	const struct key_set *set = waiting->reference->set;
	enum key_answer answer = keyindex_find(set->index, hash);

	if (answer == KEY_SEEN)
		return;
	if (answer == KEY_UNKNOWN && keylog_may_have(waiting->log, set->source, hash))
		keylog_ask(waiting->log, waiting->source, hash, row, 0, NULL, 0);
	else
		keylog_pick(waiting->log, waiting->source, row);
}

static bool can_be_found(const struct reference *reference)
{
	return reference->table != NULL && !reference->table->is_broken && reference->set->is_usable;
}

void validation_late_ask(struct validation_table *table)
{
	for (size_t i = 0; i < table->n_foreigns; i++) {
		struct foreign_check *check = &table->foreigns[i];
		struct waiting waiting = {table->validation->log, check->reference, check->waiting};

		if (check->pending == NULL || !can_be_found(check->reference))
			continue;
		keylog_set_target(waiting.log, check->waiting, check->reference->set->source);
		keyindex_each(check->pending, ask_waiting, &waiting);
	}
}

/* The cells of a pick, as if its row were the one that is being judged. */
static void unpack_cells(struct validation_table *table, const struct key_set *set, const struct key_pick *pick)
{
	size_t n = 0;

	for (size_t i = 0; i < set->n_columns; i++) {
		struct cell *raw = &table->key_cells[set->places[i]].raw;
		size_t size = n < pick->text_size ? (unsigned char)pick->text[n++] : NO_CELL;

		*raw = (struct cell){NULL, 0};
		if (size == NO_CELL)
			continue;
		*raw = (struct cell){pick->text + n, size};
		n += size;
	}
}

static void report_picks(struct validation_table *table, const struct key_set *set, uint32_t source,
			 struct tally_kind *kind, unsigned rank, const char *missing_note)
{
	const struct key_picks *picks = keylog_picks(table->validation->log, source);
	struct row_position first;
	char cells[200], note[128];

	if (picks->count == 0)
		return;
	first = (struct row_position){picks->items[0].row, picks->items[0].offset};
	validation_count_late(table, kind, &first, picks->count);
	for (size_t i = 0; i < picks->n_items; i++) {
		const struct key_pick *pick = &picks->items[i];
		const struct row_position position = {pick->row, pick->offset};
		struct cell cell = {cells, 0};

		unpack_cells(table, set, pick);
		validation_key_cells(table, set, cells, sizeof(cells));
		cell.size = strlen(cells);
		snprintf(note, sizeof(note), "is the same as in row %" PRIu32, pick->first_row);
		validation_keep_late(table, kind, rank, &position, &cell, missing_note != NULL ? missing_note : note);
	}
}

void validation_late_report(struct validation_table *table)
{
	char names[160], note[256];

	for (size_t i = 0; i < table->n_uniques; i++) {
		const struct unique_check *check = &table->uniques[i];
		const struct key_set *set = table->sets[check->set];
		struct tally_kind kind;

		if (!set->is_usable)
			continue;
		kind = validation_key_kind(table, set, check->type, check->rule, names, sizeof(names));
		report_picks(table, set, set->source, &kind, validation_unique_rank(table, check), NULL);
	}
	for (size_t i = 0; i < table->n_foreigns; i++) {
		const struct foreign_check *check = &table->foreigns[i];
		const struct key_set *set = table->sets[check->set];
		struct tally_kind kind;

		if (check->wanted == 0)
			continue;
		kind = validation_key_kind(table, set, FAULT_TYPE_FOREIGN_KEY, NULL, names, sizeof(names));
		validation_foreign_note(check, note, sizeof(note));
		report_picks(table, set, check->wanted, &kind, validation_foreign_rank(table, check), note);
	}
}

/* --- references to tables that came later
 * ----------------------------------------------------------------------------- */

/* The cells are gone; their rows are known, the first of each value. */
static void resolve(struct validation_table *table, struct foreign_check *check)
{
	const struct reference *reference = check->reference;
	const struct key_picks *picks = keylog_picks(table->validation->log, check->waiting);
	const struct row_position nowhere = {0, 0};
	char note[256], names[160];
	struct tally_kind kind = validation_key_kind(table, table->sets[check->set], FAULT_TYPE_FOREIGN_KEY, NULL,
						     names, sizeof(names));

	if (reference->table == NULL) {
		snprintf(note, sizeof(note),
			 "the values cannot be checked: the table %s was not given, or not asked for in time",
			 reference->resource);
		validation_add(table, &kind, &nowhere, NULL, note);
		return;
	}
	validation_foreign_note(check, note, sizeof(note));
	for (size_t i = 0; i < picks->n_items; i++) {
		const struct row_position position = {picks->items[i].row, 0};

		validation_add(table, &kind, &position, NULL, note);
	}
	if (picks->count > picks->n_items) {
		const struct row_position last = {picks->items[picks->n_items - 1].row, 0};

		validation_count_late(table, &kind, &last, picks->count - picks->n_items);
	}
}

void validation_late_resolve(struct validation_table *table)
{
	for (size_t i = 0; i < table->n_foreigns; i++) {
		if (table->foreigns[i].pending != NULL)
			resolve(table, &table->foreigns[i]);
	}
}
