/* SPDX-License-Identifier: ISC
 *
 * validation, counting: a tally for each rule in each field, its level with it. Nothing here runs for a cell that is good.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "bundle/limits.h"
#include "schemas/field.h"
#include "schemas/validation_internal.h"

static int compare_names(const char *a, const char *b)
{
	if (a == b)
		return 0;
	if (a == NULL || b == NULL)
		return a == NULL ? -1 : 1;
	return strcmp(a, b);
}

static int compare(const struct tally *tally, const struct tally_kind *kind)
{
	int order = (tally->told.field > kind->field) - (tally->told.field < kind->field);

	if (order == 0)
		order = (tally->type > kind->type) - (tally->type < kind->type);
	if (order == 0)
		order = compare_names(tally->told.rule, kind->rule);
	return order != 0 ? order : compare_names(tally->told.field_name, kind->field_name);
}

/* The place of the kind's tally, or where it would stand. */
static size_t find_place(const struct validation_table *table, const struct tally_kind *kind)
{
	size_t low = 0, high = table->n_tallies;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare(table->tallies[middle], kind) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static enum fault_level level_of(const struct validation_table *table, const struct tally_kind *kind)
{
	const struct rule_level *level = NULL;

	if (table->levels != NULL && rule_may_warn(kind->rule))
		level = rule_levels_find(table->levels, kind->rule, kind->field_name);
	if (kind->type == FAULT_TYPE_PERSONAL)
		return kind->level;
	if (level != NULL)
		return level->level;
	/* A check that was not made says nothing of the data. */
	return kind->type == FAULT_TYPE_CHECK_SKIPPED ? LEVEL_WARNING : LEVEL_ERROR;
}

static struct tally *insert(struct validation_table *table, size_t place, const struct tally_kind *kind)
{
	struct tally *tally = xcalloc(1, sizeof(*tally));

	tally->type = kind->type;
	tally->told = (struct fault_tally){
		.type = validation_type_name(kind->type),
		.rule = kind->rule,
		.level = level_of(table, kind),
		.field = kind->field,
		.field_name = kind->field_name != NULL ? xstrdup(kind->field_name) : NULL,
	};
	if (table->n_tallies == table->tallies_room) {
		table->tallies_room = table->tallies_room * 2 + 16;
		table->tallies = xrealloc(table->tallies, table->tallies_room, sizeof(table->tallies[0]));
	}
	memmove(&table->tallies[place + 1], &table->tallies[place],
		(table->n_tallies - place) * sizeof(table->tallies[0]));
	table->tallies[place] = tally;
	table->n_tallies++;
	return tally;
}

/* NULL: there are LIMIT_TALLIES others. */
static struct tally *find_tally(struct validation_table *table, const struct tally_kind *kind)
{
	size_t place = find_place(table, kind);

	if (place < table->n_tallies && compare(table->tallies[place], kind) == 0)
		return table->tallies[place];
	return table->n_tallies < LIMIT_TALLIES ? insert(table, place, kind) : NULL;
}

/* The kind's tally, whose level it has from then on; NULL: there is no room for it. */
static struct tally *find_level(struct validation_table *table, struct tally_kind *kind)
{
	struct tally_kind tallied = *kind;
	struct tally *tally;

	if (kind->rule == NULL)
		kind->rule = tallied.rule = validation_type_name(kind->type);
	/* Cells that are too many have no column: one tally for all, or a row could ask for any number of them. */
	if (kind->type == FAULT_TYPE_EXTRA_CELL)
		tallied.field = 0;
	tally = find_tally(table, &tallied);
	if (tally != NULL)
		kind->level = tally->told.level;
	else if (kind->type != FAULT_TYPE_PERSONAL)
		kind->level = LEVEL_ERROR;
	return tally;
}

/* A table that is read for its keys is judged by these alone, or, where it is what others refer to, not at all. */
static bool is_judged(const struct validation_table *table, enum fault_type type)
{
	return !table->is_reference && (!table->only_foreign_keys || type == FAULT_TYPE_FOREIGN_KEY);
}

bool validation_count(struct validation_table *table, struct tally_kind *kind, const struct row_position *position)
{
	struct tally *tally;

	if (!is_judged(table, kind->type))
		return false;
	tally = find_level(table, kind);
	if (tally == NULL) {
		table->n_untallied[kind->type]++;
	} else if (tally->told.count++ == 0) {
		tally->told.first_row = position->row;
		tally->told.first_offset = position->offset;
	}
	if (table->n_kept[kind->level][kind->type] >= LIMIT_FAULTS_KEPT)
		return false;
	table->n_kept[kind->level][kind->type]++;
	return true;
}

void validation_count_late(struct validation_table *table, struct tally_kind *kind, const struct row_position *position,
			   uint64_t n)
{
	struct tally *tally = find_level(table, kind);

	if (tally == NULL) {
		table->n_untallied[kind->type] += n;
		return;
	}
	if (tally->told.count == 0 || position->row < tally->told.first_row) {
		tally->told.first_row = position->row;
		tally->told.first_offset = position->offset;
	}
	tally->told.count += n;
}

bool validation_tallies_fit(const struct validation_table *table, const struct validation_table *part)
{
	for (size_t i = 0; i < FAULT_TYPE_N; i++) {
		if (part->n_untallied[i] > 0)
			return false;
	}
	return table->n_tallies + part->n_tallies <= LIMIT_TALLIES;
}

void validation_merge_tallies(struct validation_table *table, const struct validation_table *part,
			      const struct row_position *base)
{
	for (size_t i = 0; i < part->n_tallies; i++) {
		const struct tally *from = part->tallies[i];
		const struct tally_kind kind = {from->type, from->told.rule, from->told.field, from->told.field_name,
						from->told.level};
		struct tally *to = find_tally(table, &kind);

		if (to == NULL)
			die("a tally of a part does not fit");
		if (to->told.count == 0) {
			to->told.first_row = from->told.first_row + base->row - 1;
			to->told.first_offset = from->told.first_offset + base->offset;
		}
		to->told.count += from->told.count;
	}
}

void validation_clear_tallies(struct validation_table *table)
{
	for (size_t i = 0; i < table->n_tallies; i++) {
		free((char *)(uintptr_t)table->tallies[i]->told.field_name);
		free(table->tallies[i]);
	}
	free(table->tallies);
	table->tallies = NULL;
	table->n_tallies = table->tallies_room = 0;
	memset(table->n_untallied, 0, sizeof(table->n_untallied));
	memset(table->n_kept, 0, sizeof(table->n_kept));
}

void validation_table_set_levels(struct validation_table *table, const struct rule_levels *levels)
{
	table->levels = levels;
}

size_t validation_n_tallies(const struct validation_table *table)
{
	return table->n_tallies;
}

const struct fault_tally *validation_tally(const struct validation_table *table, size_t index)
{
	return index < table->n_tallies ? &table->tallies[index]->told : NULL;
}

uint64_t validation_n_untallied(const struct validation_table *table)
{
	uint64_t n = 0;

	for (size_t i = 0; i < FAULT_TYPE_N; i++)
		n += table->n_untallied[i];
	return n;
}

uint64_t validation_type_count(const struct validation_table *table, enum fault_type type, enum fault_level level)
{
	uint64_t n = level == LEVEL_ERROR ? table->n_untallied[type] : 0;

	for (size_t i = 0; i < table->n_tallies; i++) {
		if (table->tallies[i]->type == type && table->tallies[i]->told.level == level)
			n += table->tallies[i]->told.count;
	}
	return n;
}

static uint64_t count_level(const struct validation_table *table, enum fault_level level)
{
	uint64_t n = level == LEVEL_ERROR ? validation_n_untallied(table) : 0;

	for (size_t i = 0; i < table->n_tallies; i++)
		n += table->tallies[i]->told.level == level ? table->tallies[i]->told.count : 0;
	return n;
}

uint64_t validation_table_n_errors(const struct validation_table *table)
{
	return count_level(table, LEVEL_ERROR);
}

uint64_t validation_table_n_warnings(const struct validation_table *table)
{
	return count_level(table, LEVEL_WARNING);
}

uint64_t validation_table_n_faults(const struct validation_table *table)
{
	return validation_table_n_errors(table) + validation_table_n_warnings(table);
}

uint64_t validation_n_errors(const struct validation *validation)
{
	uint64_t n = 0;

	for (size_t i = 0; i < validation->n_tables; i++)
		n += validation_table_n_errors(validation->tables[i]);
	return n;
}

uint64_t validation_n_warnings(const struct validation *validation)
{
	uint64_t n = 0;

	for (size_t i = 0; i < validation->n_tables; i++)
		n += validation_table_n_warnings(validation->tables[i]);
	return n;
}

uint64_t validation_n_faults(const struct validation *validation)
{
	return validation_n_errors(validation) + validation_n_warnings(validation);
}

bool validation_is_valid(const struct validation *validation)
{
	return validation_n_errors(validation) == 0;
}
