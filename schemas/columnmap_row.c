/* SPDX-License-Identifier: ISC
 *
 * columnmap_row: published rows as promised ones; see columnmap.h. Most cells are only pointed to.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "bundle/limits.h"
#include "schemas/columnmap_internal.h"

void columnmap_scratch_clear(struct columnmap_scratch *scratch)
{
	free(scratch->text);
	*scratch = (struct columnmap_scratch){NULL, 0, 0};
}

/* Where SEPARATOR next stands in the text from P to END; END if nowhere. */
static const char *find_separator(const char *p, const char *end, const struct cell *separator)
{
	const char *found = memmem(p, (size_t)(end - p), separator->text, separator->size);

	return found != NULL ? found : end;
}

static struct cell pick_item(const struct columnmap_field *field, const struct cell *cell)
{
	const char *p = cell->text, *end = cell->text + cell->size;

	for (size_t i = 1; i < field->item; i++) {
		p = find_separator(p, end, &field->split);
		if (p == end)
			return (struct cell){"", 0};
		p += field->split.size;
	}
	return (struct cell){p, (size_t)(find_separator(p, end, &field->split) - p)};
}

/* What the joined lists of this row may take: cells point into the scratch, so it cannot grow between them. */
static void make_room(const struct columnmap *map, const struct columnmap_binding *binding, const struct cell *cells,
		      size_t n_cells, struct columnmap_scratch *scratch)
{
	size_t room = 0;

	for (size_t i = 0; i < map->n_fields; i++) {
		if (map->fields[i].join.text != NULL && binding->columns[i] < n_cells)
			room += cells[binding->columns[i]].size;
	}
	scratch->size = 0;
	if (room <= scratch->room)
		return;
	free(scratch->text);
	scratch->text = xmalloc(room);
	scratch->room = room;
}

/* The list with its new delimiter, which is no longer than the old one; false where an item contains it. */
static bool join_items(const struct columnmap_field *field, struct cell *cell, struct columnmap_scratch *scratch)
{
	const char *p = cell->text, *end = cell->text + cell->size;
	char *start = scratch->text + scratch->size, *to = start;

	if (cell->size == 0)
		return true;
	for (;;) {
		const char *next = find_separator(p, end, &field->split);

		if (memchr(p, field->join.text[0], (size_t)(next - p)) != NULL)
			return false;
		memcpy(to, p, (size_t)(next - p));
		to += next - p;
		if (next == end)
			break;
		*to++ = field->join.text[0];
		p = next + field->split.size;
	}
	*cell = (struct cell){start, (size_t)(to - start)};
	scratch->size += cell->size;
	return true;
}

static void change_value(const struct columnmap_field *field, struct cell *cell)
{
	size_t low = 0, high = field->n_values;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = columnmap_compare_cells(&field->values[middle].from, cell);

		if (order == 0) {
			*cell = field->values[middle].to;
			return;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
}

enum fault columnmap_row(const struct columnmap *map, const struct columnmap_binding *binding, const struct cell *cells,
			 size_t n_cells, struct columnmap_scratch *scratch, struct cell *ret_cells, size_t *ret_bad,
			 struct refusal *why)
{
	size_t size = 0, bad = map->n_fields;

	make_room(map, binding, cells, n_cells, scratch);
	for (size_t i = 0; i < map->n_fields; i++) {
		const struct columnmap_field *field = &map->fields[i];
		size_t column = binding->columns[i];
		struct cell cell = {"", 0};

		if (column == COLUMNMAP_DEFAULT)
			cell = field->text;
		else if (column < n_cells)
			cell = cells[column];
		if (column < n_cells && field->item > 0)
			cell = pick_item(field, &cell);
		else if (column < n_cells && field->join.text != NULL && !join_items(field, &cell, scratch))
			bad = bad < i ? bad : i;
		if (column < n_cells && field->n_values > 0)
			change_value(field, &cell);
		size += cell.size;
		ret_cells[i] = cell;
	}
	if (size > LIMIT_ROW_SIZE)
		return refuse(why, FAULT_TABLE_CELL_SIZE,
			      "the map (FORMAT.md 23) makes a row of %zu bytes, at most %llu", size,
			      (unsigned long long)LIMIT_ROW_SIZE);
	*ret_bad = bad;
	return FAULT_NONE;
}
