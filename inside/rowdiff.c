/* SPDX-License-Identifier: ISC
 *
 * rowdiff: see rowdiff.h. Reading: rows side by side, those that differ wait for their like (diffwait.h). Matching: what is left of both
 * files, sorted by key: pairs are changes, the rest was added or removed. Telling: the differences, sorted by their rows, whose cells
 * are read again. Keys and cells are told apart by hashes of 128 bits with a secret of this run: nobody can make two that meet.
 */
#include "inside/rowdiff.h"

#include <endian.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "inside/diffwait.h"
#include "inside/rowsort.h"

/* Of a key that is several times in both files, so many rows are matched in their order; the others were added or removed. */
#define GROUP_MOST 4096

/* A difference. Sorted by its first DIFFERENCE_KEY_SIZE bytes. */
struct difference {
	uint8_t number[8]; /* big-endian: of the new row, or of the old one where there is none */
	uint8_t kind;
	uint8_t zeros[7];
	struct diff_place places[2]; /* by enum diff_side; number 0: none */
};
#define DIFFERENCE_KEY_SIZE 9

/* Rows of one key and side that found no like. */
struct group {
	struct diff_row *rows;
	size_t n_rows, n_allocated;
};

struct rowdiff {
	struct rowdiff_side sides[2];
	size_t memory;
	struct spill *spill;
	bool is_same_header;           /* then rows may be compared as bytes */
	size_t key[LIMIT_KEY_COLUMNS]; /* columns of the new side */
	size_t n_key;
	uint8_t secret[crypto_generichash_KEYBYTES];
	struct rowdiff_counts counts;
	uint64_t *column_changes;
	bool *changed;

	struct diff_cursor cursors[2];
	struct diffwait *wait;
	struct rowsort *rows, *differences;
	struct diff_cells cells[2];
	char *lines[2];
	size_t line_sizes[2];
	struct group groups[2], likes;
	uint64_t n_more_likes;
};

void rowdiff_free(struct rowdiff *diff)
{
	if (diff == NULL)
		return;
	for (size_t i = 0; i < 2; i++) {
		for (size_t j = 0; j < diff->sides[i].n_columns; j++)
			free(diff->sides[i].columns[j]);
		free(diff->sides[i].columns);
		free(diff->sides[i].map);
		diff_cursor_clear(&diff->cursors[i]);
		diff_cells_clear(&diff->cells[i]);
		free(diff->lines[i]);
		free(diff->groups[i].rows);
	}
	free(diff->likes.rows);
	diffwait_free(diff->wait);
	rowsort_free(diff->rows);
	rowsort_free(diff->differences);
	free(diff->column_changes);
	free(diff->changed);
	free(diff);
}

void rowdiff_freep(struct rowdiff **diff)
{
	rowdiff_free(*diff);
}

const struct rowdiff_side *rowdiff_old(const struct rowdiff *diff)
{
	return &diff->sides[DIFF_OLD];
}

const struct rowdiff_side *rowdiff_new(const struct rowdiff *diff)
{
	return &diff->sides[DIFF_NEW];
}

const struct rowdiff_counts *rowdiff_counts(const struct rowdiff *diff)
{
	return &diff->counts;
}

uint64_t rowdiff_column_changes(const struct rowdiff *diff, size_t column)
{
	return diff->column_changes[column];
}

/* --- headers --------------------------------------------------------------------------------------------------------- */

static enum fault at_row(const struct rowdiff_side *side, uint64_t number, struct refusal *why)
{
	return refuse_within(why, "%s, row %llu", side->name, (unsigned long long)number);
}

static enum fault read_header(struct rowdiff_side *side, struct diff_cursor *cursor, struct refusal *why)
{
	struct diff_cells cells = {0};
	enum fault fault = diff_cursor_find(cursor, why);

	if (fault == FAULT_NONE && !cursor->has_row)
		return refuse(why, FAULT_STORE_DAMAGED, "%s: it has no header", side->name);
	if (fault == FAULT_NONE &&
	    (fault = diff_cells_split(&cells, cursor->line, cursor->place.size, why)) != FAULT_NONE)
		at_row(side, 1, why);
	if (fault == FAULT_NONE && cells.n_cells > LIMIT_FIELDS)
		fault = refuse(why, FAULT_STORE_DAMAGED, "%s: it has more columns than any may have", side->name);
	if (fault == FAULT_NONE) {
		side->n_columns = cells.n_cells;
		side->columns = xcalloc(cells.n_cells, sizeof(*side->columns));
		for (size_t i = 0; i < cells.n_cells; i++)
			side->columns[i] = xasprintf("%.*s", (int)cells.cells[i].size, cells.cells[i].text);
		diff_cursor_pass(cursor);
	}
	diff_cells_clear(&cells);
	return fault;
}

static void map_columns(struct rowdiff *diff)
{
	struct rowdiff_side *old = &diff->sides[DIFF_OLD], *new = &diff->sides[DIFF_NEW];

	old->map = xcalloc(old->n_columns, sizeof(*old->map));
	new->map = xcalloc(new->n_columns, sizeof(*new->map));
	memset(old->map, 0xff, old->n_columns * sizeof(*old->map));
	diff->is_same_header = old->n_columns == new->n_columns;
	for (size_t i = 0; i < new->n_columns; i++) {
		/* Mostly they stand where they stood. */
		size_t found = i < old->n_columns && old->map[i] == SIZE_MAX &&
					       strcmp(old->columns[i], new->columns[i]) == 0
				       ? i
				       : SIZE_MAX;

		for (size_t j = 0; j < old->n_columns && found == SIZE_MAX; j++) {
			if (old->map[j] == SIZE_MAX && strcmp(old->columns[j], new->columns[i]) == 0)
				found = j;
		}
		new->map[i] = found;
		if (found != SIZE_MAX)
			old->map[found] = i;
		diff->is_same_header = diff->is_same_header && found == i;
	}
}

enum fault rowdiff_open(int old_fd, const char *old_name, int new_fd, const char *new_name, size_t memory,
			struct spill *spill, struct rowdiff **ret_diff, struct refusal *why)
{
	_cleanup_(rowdiff_freep) struct rowdiff *diff = xcalloc(1, sizeof(*diff));
	enum fault fault = FAULT_NONE;

	diff->memory = memory;
	diff->spill = spill;
	diff->sides[DIFF_OLD] = (struct rowdiff_side){.fd = old_fd, .name = old_name};
	diff->sides[DIFF_NEW] = (struct rowdiff_side){.fd = new_fd, .name = new_name};
	crypto_generichash_keygen(diff->secret);
	for (size_t i = 0; i < 2 && fault == FAULT_NONE; i++) {
		diff_cursor_begin(&diff->cursors[i], diff->sides[i].fd, diff->sides[i].name);
		fault = read_header(&diff->sides[i], &diff->cursors[i], why);
	}
	if (fault != FAULT_NONE)
		return fault;
	map_columns(diff);
	diff->column_changes = xcalloc(diff->sides[DIFF_NEW].n_columns, sizeof(*diff->column_changes));
	diff->changed = xcalloc(diff->sides[DIFF_NEW].n_columns, sizeof(*diff->changed));
	*ret_diff = steal_pointer(&diff);
	return FAULT_NONE;
}

bool rowdiff_set_key(struct rowdiff *diff, const char *const *columns, size_t n_columns)
{
	const struct rowdiff_side *new = &diff->sides[DIFF_NEW];

	diff->n_key = 0;
	if (n_columns > LIMIT_KEY_COLUMNS)
		return false;
	for (size_t i = 0; i < n_columns; i++) {
		size_t found = 0;

		while (found < new->n_columns && strcmp(new->columns[found], columns[i]) != 0)
			found++;
		if (found == new->n_columns || new->map[found] == SIZE_MAX)
			return false;
		diff->key[i] = found;
	}
	diff->n_key = n_columns;
	return true;
}

/* --- cells ----------------------------------------------------------------------------------------------------------- */

/* The cell of column I of the new side in a row of SIDE; NULL where that row is too short. */
static const struct cell *cell_at(const struct rowdiff *diff, enum diff_side side, size_t i)
{
	size_t column = side == DIFF_NEW ? i : diff->sides[DIFF_NEW].map[i];

	return column < diff->cells[side].n_cells ? &diff->cells[side].cells[column] : NULL;
}

static void hash_cell(crypto_generichash_state *state, const struct cell *cell)
{
	uint32_t size = cell == NULL ? UINT32_MAX : (uint32_t)cell->size;

	crypto_generichash_update(state, (const uint8_t *)&size, sizeof(size));
	if (cell != NULL)
		crypto_generichash_update(state, (const uint8_t *)cell->text, cell->size);
}

/* Of the columns that both sides have, and of cells past the header's. */
static void hash_cells(const struct rowdiff *diff, enum diff_side side, uint8_t hash[DIFF_HASH_SIZE])
{
	const struct diff_cells *cells = &diff->cells[side];
	crypto_generichash_state state;

	crypto_generichash_init(&state, diff->secret, sizeof(diff->secret), DIFF_HASH_SIZE);
	for (size_t i = 0; i < diff->sides[DIFF_NEW].n_columns; i++) {
		if (diff->sides[DIFF_NEW].map[i] != SIZE_MAX)
			hash_cell(&state, cell_at(diff, side, i));
	}
	for (size_t i = diff->sides[side].n_columns; i < cells->n_cells; i++)
		hash_cell(&state, &cells->cells[i]);
	crypto_generichash_final(&state, hash, DIFF_HASH_SIZE);
}

static void hash_key(const struct rowdiff *diff, enum diff_side side, uint8_t hash[DIFF_HASH_SIZE])
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, diff->secret, sizeof(diff->secret), DIFF_HASH_SIZE);
	for (size_t i = 0; i < diff->n_key; i++)
		hash_cell(&state, cell_at(diff, side, diff->key[i]));
	crypto_generichash_final(&state, hash, DIFF_HASH_SIZE);
}

static enum fault make_row(struct rowdiff *diff, enum diff_side side, struct diff_row *ret_row, struct refusal *why)
{
	const struct diff_cursor *cursor = &diff->cursors[side];
	uint64_t number = htobe64(cursor->place.number);
	struct diff_row row = {.offset = cursor->place.offset, .size = cursor->place.size, .side = side};

	if (diff_cells_split(&diff->cells[side], cursor->line, cursor->place.size, why) != FAULT_NONE)
		return at_row(&diff->sides[side], cursor->place.number, why);
	memcpy(row.number, &number, sizeof(row.number));
	hash_cells(diff, side, row.cells);
	if (diff->n_key > 0)
		hash_key(diff, side, row.key);
	else
		memcpy(row.key, row.cells, sizeof(row.key));
	*ret_row = row;
	return FAULT_NONE;
}

/* --- reading --------------------------------------------------------------------------------------------------------- */

static bool sort_row(void *ctx, const struct diff_row *row)
{
	struct rowdiff *diff = ctx;

	return rowsort_add(diff->rows, row);
}

/* The row that the side's cursor found looks for its like, or waits for it. *RET_FOUND: it had come up before. */
static enum fault take_row(struct rowdiff *diff, enum diff_side side, bool *ret_found, struct refusal *why)
{
	struct diff_row row;
	enum fault fault = make_row(diff, side, &row, why);

	if (fault != FAULT_NONE)
		return fault;
	diff_cursor_pass(&diff->cursors[side]);
	*ret_found = diffwait_take(diff->wait, &row);
	if (*ret_found) {
		diff->counts.unchanged++;
		return FAULT_NONE;
	}
	if (diffwait_is_full(diff->wait) && !diffwait_empty(diff->wait, sort_row, diff))
		return spill_fault(diff->spill, why);
	diffwait_add(diff->wait, &row);
	return FAULT_NONE;
}

/* Both found a row: whether they are alike. Bytes that differ may be the same cells, which their hashes tell later. */
static bool is_same(const struct rowdiff *diff)
{
	const struct diff_cursor *old = &diff->cursors[DIFF_OLD], *new = &diff->cursors[DIFF_NEW];

	return diff->is_same_header &&
	       old->place.size == new->place.size &&memcmp(old->line, new->line, old->place.size) == 0;
}

static void pass_both(struct rowdiff *diff)
{
	diff_cursor_pass(&diff->cursors[DIFF_OLD]);
	diff_cursor_pass(&diff->cursors[DIFF_NEW]);
	diff->counts.unchanged++;
}

/* Who goes on alone: the side whose row met one that the other had read before is behind, until a row of its meets none. */
enum pace { PACE_BOTH, PACE_OLD, PACE_NEW };

static enum fault step(struct rowdiff *diff, enum pace *pace, bool *ret_is_end, struct refusal *why)
{
	struct diff_cursor *old = &diff->cursors[DIFF_OLD], *new = &diff->cursors[DIFF_NEW];
	enum pace now = *pace;
	bool found_old = false, found_new = false;
	enum fault fault;

	if ((fault = diff_cursor_find(old, why)) != FAULT_NONE)
		return fault;
	if (old->has_row && diff->is_same_header && diff_cursor_finds_same(old, new)) {
		pass_both(diff);
		*pace = PACE_BOTH;
		return FAULT_NONE;
	}
	if ((fault = diff_cursor_find(new, why)) != FAULT_NONE)
		return fault;
	*ret_is_end = !old->has_row && !new->has_row;
	if (old->has_row && new->has_row && is_same(diff)) {
		pass_both(diff);
		*pace = PACE_BOTH;
		return FAULT_NONE;
	}
	if (old->has_row && (now != PACE_NEW || !new->has_row))
		fault = take_row(diff, DIFF_OLD, &found_old, why);
	if (fault == FAULT_NONE && new->has_row && (now != PACE_OLD || !old->has_row))
		fault = take_row(diff, DIFF_NEW, &found_new, why);
	*pace = found_new && !found_old ? PACE_NEW : found_old && !found_new ? PACE_OLD : PACE_BOTH;
	return fault;
}

static enum fault read_rows(struct rowdiff *diff, struct refusal *why)
{
	enum pace pace = PACE_BOTH;
	enum fault fault = FAULT_NONE;
	bool is_end = false;

	while (fault == FAULT_NONE && !is_end)
		fault = step(diff, &pace, &is_end, why);
	diff->counts.old_rows = diff->cursors[DIFF_OLD].place.number - 2;
	diff->counts.new_rows = diff->cursors[DIFF_NEW].place.number - 2;
	if (fault == FAULT_NONE && !diffwait_empty(diff->wait, sort_row, diff))
		fault = spill_fault(diff->spill, why);
	return fault;
}

/* --- matching -------------------------------------------------------------------------------------------------------- */

static struct diff_place place_of(const struct diff_row *row)
{
	struct diff_place place = {.offset = row->offset, .size = row->size};
	uint64_t number;

	memcpy(&number, row->number, sizeof(number));
	place.number = be64toh(number);
	return place;
}

static enum fault note(struct rowdiff *diff, enum rowdiff_kind kind, const struct diff_row *old,
		       const struct diff_row *new, struct refusal *why)
{
	struct difference difference = {.kind = (uint8_t)kind};

	if (old != NULL) {
		memcpy(difference.number, old->number, sizeof(difference.number));
		difference.places[DIFF_OLD] = place_of(old);
	}
	if (new != NULL) {
		memcpy(difference.number, new->number, sizeof(difference.number));
		difference.places[DIFF_NEW] = place_of(new);
	}
	diff->counts.added += kind == ROWDIFF_ADDED;
	diff->counts.removed += kind == ROWDIFF_REMOVED;
	diff->counts.changed += kind == ROWDIFF_CHANGED;
	return rowsort_add(diff->differences, &difference) ? FAULT_NONE : spill_fault(diff->spill, why);
}

static enum fault note_alone(struct rowdiff *diff, const struct diff_row *row, struct refusal *why)
{
	return row->side == DIFF_OLD ? note(diff, ROWDIFF_REMOVED, row, NULL, why)
				     : note(diff, ROWDIFF_ADDED, NULL, row, why);
}

static enum fault read_cells(struct rowdiff *diff, enum diff_side side, const struct diff_place *place,
			     struct refusal *why)
{
	const struct rowdiff_side *of = &diff->sides[side];
	enum fault fault = diff_row_read(of->fd, of->name, place, &diff->lines[side], &diff->line_sizes[side], why);

	if (fault == FAULT_NONE &&
	    (fault = diff_cells_split(&diff->cells[side], diff->lines[side], place->size, why)) != FAULT_NONE)
		at_row(of, place->number, why);
	return fault;
}

/* Which of the columns differ between the rows whose cells were read. */
static void compare_cells(struct rowdiff *diff)
{
	for (size_t i = 0; i < diff->sides[DIFF_NEW].n_columns; i++) {
		const struct cell *old = NULL, *new = cell_at(diff, DIFF_NEW, i);
		bool is_common = diff->sides[DIFF_NEW].map[i] != SIZE_MAX;

		if (is_common)
			old = cell_at(diff, DIFF_OLD, i);
		diff->changed[i] = is_common && ((old == NULL) != (new == NULL) ||
						 (old != NULL && (old->size != new->size ||
								  memcmp(old->text, new->text, old->size) != 0)));
	}
}

static enum fault note_pair(struct rowdiff *diff, const struct diff_row *old, const struct diff_row *new,
			    struct refusal *why)
{
	struct diff_place old_place = place_of(old), new_place = place_of(new);
	enum fault fault;

	if ((fault = read_cells(diff, DIFF_OLD, &old_place, why)) != FAULT_NONE ||
	    (fault = read_cells(diff, DIFF_NEW, &new_place, why)) != FAULT_NONE)
		return fault;
	compare_cells(diff);
	for (size_t i = 0; i < diff->sides[DIFF_NEW].n_columns; i++)
		diff->column_changes[i] += diff->changed[i];
	return note(diff, ROWDIFF_CHANGED, old, new, why);
}

static int compare_numbers(const void *a, const void *b)
{
	const struct diff_row *row_a = a, *row_b = b;

	return memcmp(row_a->number, row_b->number, sizeof(row_a->number));
}

/* The rows of one key that are left: pairs in the order of the files, then those that are alone. */
static enum fault end_group(struct rowdiff *diff, struct refusal *why)
{
	struct group *old = &diff->groups[DIFF_OLD], *new = &diff->groups[DIFF_NEW];
	size_t n_pairs = old->n_rows < new->n_rows ? old->n_rows : new->n_rows;
	enum fault fault = FAULT_NONE;

	for (size_t i = 0; i < 2; i++) {
		if (diff->groups[i].n_rows > 1)
			qsort(diff->groups[i].rows, diff->groups[i].n_rows, sizeof(*diff->groups[i].rows),
			      compare_numbers);
	}
	for (size_t i = 0; i < n_pairs && fault == FAULT_NONE; i++)
		fault = note_pair(diff, &old->rows[i], &new->rows[i], why);
	for (size_t i = n_pairs; i < old->n_rows && fault == FAULT_NONE; i++)
		fault = note_alone(diff, &old->rows[i], why);
	for (size_t i = n_pairs; i < new->n_rows &&fault == FAULT_NONE; i++)
		fault = note_alone(diff, &new->rows[i], why);
	old->n_rows = new->n_rows = 0;
	return fault;
}

static void group_add(struct group *group, const struct diff_row *row)
{
	if (group->n_rows == group->n_allocated) {
		group->n_allocated = group->n_allocated == 0 ? 16 : 2 * group->n_allocated;
		group->rows = xrealloc(group->rows, group->n_allocated, sizeof(*group->rows));
	}
	group->rows[group->n_rows++] = *row;
}

static enum fault add_to_group(struct rowdiff *diff, const struct diff_row *row, struct refusal *why)
{
	struct group *group = &diff->groups[row->side];

	if (group->n_rows == GROUP_MOST)
		return note_alone(diff, row, why);
	group_add(group, row);
	return FAULT_NONE;
}

/* Rows of the same key and cells, all of one side: what had no room to wait for its like meets it here. Past GROUP_MOST they are counted:
 * where rows are alike, it is of no account which of them are left. */
static void add_like(struct rowdiff *diff, const struct diff_row *row)
{
	if (diff->likes.n_rows < GROUP_MOST)
		group_add(&diff->likes, row);
	else
		diff->n_more_likes++;
}

static void drop_like(struct rowdiff *diff)
{
	if (diff->n_more_likes > 0)
		diff->n_more_likes--;
	else
		diff->likes.n_rows--;
}

static enum fault end_likes(struct rowdiff *diff, struct refusal *why)
{
	struct group *likes = &diff->likes;
	enum fault fault = FAULT_NONE;

	for (; diff->n_more_likes > 0 && fault == FAULT_NONE; diff->n_more_likes--)
		fault = note_alone(diff, &likes->rows[likes->n_rows - 1], why);
	for (size_t i = 0; i < likes->n_rows && fault == FAULT_NONE; i++)
		fault = diff->n_key == 0 ? note_alone(diff, &likes->rows[i], why)
					 : add_to_group(diff, &likes->rows[i], why);
	likes->n_rows = 0;
	return fault;
}

static bool is_like(const struct diff_row *a, const struct diff_row *b)
{
	return memcmp(a->key, b->key, sizeof(a->key)) == 0 && memcmp(a->cells, b->cells, sizeof(a->cells)) == 0;
}

static enum fault match(struct rowdiff *diff, struct refusal *why)
{
	struct diff_row last = {.side = 0};
	const struct diff_row *row;
	enum fault fault = FAULT_NONE;

	while (fault == FAULT_NONE && (row = rowsort_next(diff->rows)) != NULL) {
		const struct group *likes = &diff->likes;

		if (!is_like(row, &last))
			fault = end_likes(diff, why);
		if (fault == FAULT_NONE && memcmp(row->key, last.key, sizeof(last.key)) != 0)
			fault = end_group(diff, why);
		last = *row;
		if (likes->n_rows > 0 && likes->rows[0].side != row->side) {
			drop_like(diff);
			diff->counts.unchanged++;
		} else {
			add_like(diff, row);
		}
	}
	if (fault == FAULT_NONE && (fault = spill_fault(diff->spill, why)) == FAULT_NONE &&
	    (fault = end_likes(diff, why)) == FAULT_NONE)
		fault = end_group(diff, why);
	return fault;
}

enum fault rowdiff_run(struct rowdiff *diff, struct refusal *why)
{
	enum fault fault;

	diff->wait = diffwait_new(diff->memory / 2);
	diff->rows = rowsort_new(sizeof(struct diff_row), DIFF_ROW_KEY_SIZE, diff->memory / 2, diff->spill);
	fault = read_rows(diff, why);
	diffwait_free(diff->wait);
	diff->wait = NULL;
	if (fault != FAULT_NONE)
		return fault;
	diff->differences = rowsort_new(sizeof(struct difference), DIFFERENCE_KEY_SIZE, diff->memory / 2, diff->spill);
	if (!rowsort_end(diff->rows))
		return spill_fault(diff->spill, why);
	fault = match(diff, why);
	rowsort_free(diff->rows);
	diff->rows = NULL;
	if (fault == FAULT_NONE && !rowsort_end(diff->differences))
		fault = spill_fault(diff->spill, why);
	return fault;
}

/* --- telling --------------------------------------------------------------------------------------------------------- */

enum fault rowdiff_next(struct rowdiff *diff, struct rowdiff_change *ret_change, bool *ret_has, struct refusal *why)
{
	const struct difference *next = rowsort_next(diff->differences);
	struct rowdiff_change change = {0};
	enum fault fault = spill_fault(diff->spill, why);

	*ret_has = fault == FAULT_NONE && next != NULL;
	if (!*ret_has)
		return fault;
	change.kind = next->kind;
	change.old_row = next->places[DIFF_OLD].number;
	change.new_row = next->places[DIFF_NEW].number;
	if (change.old_row > 0 && (fault = read_cells(diff, DIFF_OLD, &next->places[DIFF_OLD], why)) != FAULT_NONE)
		return fault;
	if (change.new_row > 0 && (fault = read_cells(diff, DIFF_NEW, &next->places[DIFF_NEW], why)) != FAULT_NONE)
		return fault;
	change.old_cells = change.old_row > 0 ? &diff->cells[DIFF_OLD] : NULL;
	change.new_cells = change.new_row > 0 ? &diff->cells[DIFF_NEW] : NULL;
	if (change.kind == ROWDIFF_CHANGED) {
		compare_cells(diff);
		change.changed = diff->changed;
	}
	*ret_change = change;
	return FAULT_NONE;
}
