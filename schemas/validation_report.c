/* SPDX-License-Identifier: ISC
 *
 * validation, reports: faults counted and kept, and told as JSON in the shape of Frictionless's report and as lines
 * for people.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/limits.h"
#include "schemas/validation_internal.h"

/* Names and titles as Frictionless 5 has them; "pattern-limit" and "custom-check-skipped" are ours, "custom-check-error" is Validata's. */
static const struct {
	const char *type, *title;
} types[FAULT_TYPE_N] = {
	[FAULT_TYPE_TYPE] = {"type-error", "Type Error"},
	[FAULT_TYPE_CONSTRAINT] = {"constraint-error", "Constraint Error"},
	[FAULT_TYPE_PATTERN_LIMIT] = {"pattern-limit", "Pattern Limit"},
	[FAULT_TYPE_MISSING_LABEL] = {"missing-label", "Missing Label"},
	[FAULT_TYPE_EXTRA_LABEL] = {"extra-label", "Extra Label"},
	[FAULT_TYPE_INCORRECT_LABEL] = {"incorrect-label", "Incorrect Label"},
	[FAULT_TYPE_DUPLICATE_LABEL] = {"duplicate-label", "Duplicate Label"},
	[FAULT_TYPE_BLANK_LABEL] = {"blank-label", "Blank Label"},
	[FAULT_TYPE_BLANK_HEADER] = {"blank-header", "Blank Header"},
	[FAULT_TYPE_MISSING_CELL] = {"missing-cell", "Missing Cell"},
	[FAULT_TYPE_EXTRA_CELL] = {"extra-cell", "Extra Cell"},
	[FAULT_TYPE_BLANK_ROW] = {"blank-row", "Blank Row"},
	[FAULT_TYPE_UNIQUE] = {"unique-error", "Unique Error"},
	[FAULT_TYPE_PRIMARY_KEY] = {"primary-key", "Primary Key Error"},
	[FAULT_TYPE_FOREIGN_KEY] = {"foreign-key", "Foreign Key Error"},
	[FAULT_TYPE_CUSTOM_CHECK] = {"custom-check-error", "Custom Check Error"},
	[FAULT_TYPE_PERSONAL] = {"personal-data", "Personal Data"},
	[FAULT_TYPE_CHECK_SKIPPED] = {"custom-check-skipped", "Custom Check Skipped"},
	[FAULT_TYPE_SOURCE] = {"source-error", "Source Error"},
};

const char *validation_type_name(enum fault_type type)
{
	return types[type].type;
}

/* TYPE is one of the table's. */
static size_t type_index(const char *type)
{
	size_t i = 0;

	while (types[i].type != type)
		i++;
	return i;
}

const char *validation_type_title(const char *type)
{
	for (size_t i = 0; i < FAULT_TYPE_N; i++) {
		if (strcmp(types[i].type, type) == 0)
			return types[i].title;
	}
	return type;
}

/* What of a cell and of a name people are shown. */
#define CELL_SHOWN 120
#define NAME_SHOWN 160

static char *copy_escaped(const char *text, size_t size, size_t shown)
{
	char *copy = xmalloc(shown);

	return text_escape(text, size, copy, shown);
}

static struct table_fault *new_fault(struct validation_table *table)
{
	if (table->n_faults == table->faults_room) {
		table->faults_room = table->faults_room * 2 + 16;
		table->faults = xrealloc(table->faults, table->faults_room, sizeof(table->faults[0]));
	}
	return &table->faults[table->n_faults++];
}

void validation_keep(struct validation_table *table, const struct tally_kind *kind, const struct row_position *position,
		     const struct cell *cell, const char *note)
{
	struct table_fault *fault = new_fault(table);
	const char *published;

	*fault = (struct table_fault){
		.type = types[kind->type].type,
		.rule = kind->rule,
		.level = kind->level,
		.row = position->row,
		.offset = position->offset,
		.field = kind->field,
		.note = copy_escaped(note, strlen(note), FAULT_LINE_SIZE),
	};
	if (kind->field_name != NULL)
		fault->field_name = copy_escaped(kind->field_name, strlen(kind->field_name), NAME_SHOWN);
	published = validation_published_name(table, kind->field);
	if (published != NULL && kind->field_name != NULL && strcmp(published, kind->field_name) != 0)
		fault->published = copy_escaped(published, strlen(published), NAME_SHOWN);
	if (cell != NULL)
		fault->cell = copy_escaped(cell->text, cell->size, CELL_SHOWN);
}

void validation_add(struct validation_table *table, struct tally_kind *kind, const struct row_position *position,
		    const struct cell *cell, const char *note)
{
	if (validation_count(table, kind, position))
		validation_keep(table, kind, position, cell, note);
}

/* Whether the fault stands behind one of ROW and RANK: what is said of the whole table at its end has no row. */
static bool is_behind(const struct table_fault *fault, uint64_t row, unsigned rank)
{
	if (fault->row == 0)
		return fault->type == types[FAULT_TYPE_SOURCE].type ||
		       fault->type == types[FAULT_TYPE_FOREIGN_KEY].type;
	return fault->row > row || (fault->row == row && fault->rank > rank);
}

static void free_fault(struct table_fault *fault)
{
	free((char *)(uintptr_t)fault->field_name);
	free((char *)(uintptr_t)fault->published);
	free((char *)(uintptr_t)fault->cell);
	free((char *)(uintptr_t)fault->note);
}

/* One too many of a type and level: the last goes. */
static void drop_last(struct validation_table *table, const struct tally_kind *kind)
{
	size_t i = table->n_faults;

	while (table->faults[i - 1].type != types[kind->type].type || table->faults[i - 1].level != kind->level)
		i--;
	free_fault(&table->faults[i - 1]);
	memmove(&table->faults[i - 1], &table->faults[i], (table->n_faults - i) * sizeof(table->faults[0]));
	table->n_faults--;
}

void validation_keep_late(struct validation_table *table, const struct tally_kind *kind, unsigned rank,
			  const struct row_position *position, const struct cell *cell, const char *note)
{
	uint64_t *n_kept = &table->n_kept[kind->level][kind->type];
	struct table_fault fault;
	size_t place = 0;

	validation_keep(table, kind, position, cell, note);
	fault = table->faults[table->n_faults - 1];
	fault.rank = rank;
	while (place + 1 < table->n_faults && !is_behind(&table->faults[place], position->row, rank))
		place++;
	memmove(&table->faults[place + 1], &table->faults[place],
		(table->n_faults - 1 - place) * sizeof(table->faults[0]));
	table->faults[place] = fault;
	if (*n_kept < LIMIT_FAULTS_KEPT)
		++*n_kept;
	else
		drop_last(table, kind);
}

void validation_clear_faults(struct validation_table *table)
{
	for (size_t i = 0; i < table->n_faults; i++)
		free_fault(&table->faults[i]);
	free(table->faults);
	table->faults = NULL;
	table->n_faults = table->faults_room = 0;
}

void validation_move_faults(struct validation_table *table, struct validation_table *part, uint64_t last_row,
			    const struct row_position *base, size_t *next)
{
	for (; *next < part->n_faults && part->faults[*next].row <= last_row; ++*next) {
		struct table_fault *from = &part->faults[*next], *to;
		size_t type = type_index(from->type);

		if (table->n_kept[from->level][type] >= LIMIT_FAULTS_KEPT)
			continue;
		table->n_kept[from->level][type]++;
		to = new_fault(table);
		*to = *from;
		to->row += base->row - 1;
		to->offset += base->offset;
		from->field_name = from->published = from->cell = from->note = NULL;
	}
}

uint64_t validation_n_rows(const struct validation_table *table)
{
	return table->n_rows;
}

size_t validation_n_kept(const struct validation_table *table)
{
	return table->n_faults;
}

const struct table_fault *validation_fault(const struct validation_table *table, size_t index)
{
	return index < table->n_faults ? &table->faults[index] : NULL;
}

static const struct keyindex *index_of(const struct validation_table *table, size_t i)
{
	return i < table->n_sets ? table->sets[i]->index : table->foreigns[i - table->n_sets].pending;
}

size_t validation_index_bytes(const struct validation *validation)
{
	size_t bytes = keylog_peak_bytes(validation->log);

	for (size_t t = 0; t < validation->n_tables; t++) {
		const struct validation_table *table = validation->tables[t];

		for (size_t i = 0; i < table->n_sets + table->n_foreigns; i++)
			bytes += index_of(table, i) != NULL ? keyindex_peak_bytes(index_of(table, i)) : 0;
	}
	return bytes;
}

uint64_t validation_n_keys(const struct validation *validation)
{
	uint64_t n = keylog_n_keys(validation->log);

	for (size_t t = 0; t < validation->n_tables; t++) {
		const struct validation_table *table = validation->tables[t];

		for (size_t i = 0; i < table->n_sets + table->n_foreigns; i++)
			n += index_of(table, i) != NULL ? keyindex_count(index_of(table, i)) : 0;
	}
	return n;
}

/* "field population: "12a" is not an integer (type-error)". */
static void fault_words(const struct table_fault *fault, char *text, size_t size)
{
	size_t n = 0;

	text[0] = '\0';
	if (fault->published != NULL && fault->published[0] != '\0')
		n = (size_t)snprintf(text, size, "field %s (published as %s): ", fault->field_name, fault->published);
	else if (fault->field_name != NULL && fault->field_name[0] != '\0')
		n = (size_t)snprintf(text, size, "field %s: ", fault->field_name);
	else if (fault->field > 0)
		n = (size_t)snprintf(text, size, "field %zu: ", fault->field);
	if (fault->cell != NULL && n < size)
		n += (size_t)snprintf(text + n, size - n, "\"%s\" ", fault->cell);
	if (n < size)
		snprintf(text + n, size - n, "%s (%s)", fault->note, fault->type);
}

static void print_more(const struct validation_table *table, enum fault_type type, enum fault_level level, FILE *file)
{
	uint64_t n = validation_type_count(table, type, level);

	if (n > LIMIT_FAULTS_KEPT)
		fprintf(file, "%s: %sand %" PRIu64 " more (%s)\n", table->place,
			level == LEVEL_WARNING ? "warning: " : "", n - LIMIT_FAULTS_KEPT, types[type].type);
}

static void print_table(const struct validation_table *table, FILE *file)
{
	char words[FAULT_LINE_SIZE * 2];

	for (size_t i = 0; i < table->n_faults; i++) {
		const struct table_fault *fault = &table->faults[i];
		const char *level = fault->level == LEVEL_WARNING ? "warning: " : "";

		fault_words(fault, words, sizeof(words));
		if (fault->row > 0)
			fprintf(file, "%s:%" PRIu64 ": %s%s\n", table->place, fault->row, level, words);
		else
			fprintf(file, "%s: %s%s\n", table->place, level, words);
	}
	for (size_t i = 0; i < FAULT_TYPE_N; i++) {
		print_more(table, (enum fault_type)i, LEVEL_ERROR, file);
		print_more(table, (enum fault_type)i, LEVEL_WARNING, file);
	}
}

void validation_lines(const struct validation *validation, FILE *file)
{
	for (size_t i = 0; i < validation->n_tables; i++)
		print_table(validation->tables[i], file);
}

static const struct table_fault *first_error(const struct validation_table *table)
{
	for (size_t i = 0; i < table->n_faults; i++) {
		if (table->faults[i].level == LEVEL_ERROR)
			return &table->faults[i];
	}
	return NULL;
}

void validation_summary(const struct validation *validation, char *line, size_t size)
{
	uint64_t n = validation_n_errors(validation);

	snprintf(line, size, "no fault");
	for (size_t i = 0; i < validation->n_tables; i++) {
		const struct validation_table *table = validation->tables[i];
		const struct table_fault *first = first_error(table);
		char words[FAULT_LINE_SIZE], row[32] = "", more[48] = "";

		if (first == NULL)
			continue;
		fault_words(first, words, sizeof(words));
		if (first->row > 0)
			snprintf(row, sizeof(row), " row %" PRIu64, first->row);
		if (n > 1)
			snprintf(more, sizeof(more), ", and %" PRIu64 " more", n - 1);
		snprintf(line, size, "%s%s, %.300s%s", table->name, row, words, more);
		return;
	}
}

/* --- JSON
 * ------------------------------------------------------------------------------------------------------------- */

static void set(json_t *object, const char *key, json_t *value)
{
	if (value == NULL || json_object_set_new(object, key, value) < 0)
		die("out of memory");
}

static json_t *text_or_empty(const char *text)
{
	return json_string(text != NULL ? text : "");
}

static json_t *fault_json(const struct table_fault *fault)
{
	json_t *object = json_object();
	char words[FAULT_LINE_SIZE * 2];

	fault_words(fault, words, sizeof(words));
	set(object, "type", json_string(fault->type));
	set(object, "title", json_string(validation_type_title(fault->type)));
	set(object, "rule", json_string(fault->rule));
	set(object, "level", json_string(fault_level_name(fault->level)));
	set(object, "message", json_string(words));
	set(object, "note", text_or_empty(fault->note));
	if (fault->row > 0) {
		set(object, "rowNumber", json_integer((json_int_t)fault->row));
		if (fault->offset > 0)
			set(object, "offset", json_integer((json_int_t)fault->offset));
	}
	if (fault->field > 0)
		set(object, "fieldNumber", json_integer((json_int_t)fault->field));
	if (fault->field_name != NULL)
		set(object, "fieldName", json_string(fault->field_name));
	if (fault->published != NULL)
		set(object, "publishedName", json_string(fault->published));
	if (fault->cell != NULL)
		set(object, "cell", json_string(fault->cell));
	return object;
}

static json_t *faults_json(const struct validation_table *table, enum fault_level level)
{
	json_t *list = json_array();

	for (size_t i = 0; i < table->n_faults; i++) {
		if (table->faults[i].level == level && json_array_append_new(list, fault_json(&table->faults[i])) < 0)
			die("out of memory");
	}
	return list;
}

/* Where a label is no UTF-8 (bytes that no charset was asked about) it is shown. */
static json_t *text_or_escaped(const char *text)
{
	char escaped[NAME_SHOWN];
	json_t *json = json_string(text);

	return json != NULL ? json : json_string(text_escape(text, strlen(text), escaped, sizeof(escaped)));
}

static json_t *tallies_json(const struct validation_table *table)
{
	json_t *list = json_array();

	for (size_t i = 0; i < validation_n_tallies(table); i++) {
		const struct fault_tally *tally = validation_tally(table, i);
		json_t *item = json_pack("{s:s, s:s, s:s, s:I}", "type", tally->type, "rule", tally->rule, "level",
					 fault_level_name(tally->level), "count", (json_int_t)tally->count);

		if (tally->field > 0)
			set(item, "fieldNumber", json_integer((json_int_t)tally->field));
		if (tally->field_name != NULL)
			set(item, "fieldName", text_or_escaped(tally->field_name));
		if (tally->first_row > 0)
			set(item, "rowNumber", json_integer((json_int_t)tally->first_row));
		if (json_array_append_new(list, item) < 0)
			die("out of memory");
	}
	return list;
}

static json_t *stats_json(const struct validation_table *table)
{
	json_t *by_type[LEVEL_N];

	for (unsigned level = 0; level < LEVEL_N; level++) {
		by_type[level] = json_object();
		for (size_t i = 0; i < FAULT_TYPE_N; i++) {
			uint64_t n = validation_type_count(table, (enum fault_type)i, (enum fault_level)level);

			if (n > 0)
				set(by_type[level], types[i].type, json_integer((json_int_t)n));
		}
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:o, s:o, s:I}", "errors", (json_int_t)validation_table_n_errors(table),
			 "warnings", (json_int_t)validation_table_n_warnings(table), "fields",
			 (json_int_t)(table->schema != NULL ? table->schema->n_fields : table->n_labels), "rows",
			 (json_int_t)table->n_rows, "errorsByType", by_type[LEVEL_ERROR], "warningsByType",
			 by_type[LEVEL_WARNING], "untallied", (json_int_t)validation_n_untallied(table));
}

static json_t *table_json(const struct validation_table *table)
{
	json_t *task = json_object(), *labels = json_array();
	const struct columnmap_binding *binding = table->map != NULL ? table->map->binding : NULL;
	size_t n_labels = binding != NULL ? binding->n_labels : table->n_labels;

	for (size_t i = 0; i < n_labels; i++)
		json_array_append_new(labels, text_or_empty(binding != NULL ? binding->labels[i] : table->labels[i]));
	set(task, "name", json_string(table->name));
	set(task, "type", json_string("table"));
	set(task, "valid", json_boolean(validation_table_n_errors(table) == 0));
	set(task, "place", text_or_empty(table->place));
	set(task, "labels", labels);
	set(task, "stats", stats_json(table));
	set(task, "tallies", tallies_json(table));
	set(task, "warnings", faults_json(table, LEVEL_WARNING));
	set(task, "errors", faults_json(table, LEVEL_ERROR));
	return task;
}

json_t *validation_json(const struct validation *validation)
{
	json_t *report = json_object(), *tasks = json_array();

	for (size_t i = 0; i < validation->n_tables; i++) {
		if (!validation->tables[i]->is_reference &&
		    json_array_append_new(tasks, table_json(validation->tables[i])) < 0)
			die("out of memory");
	}
	set(report, "valid", json_boolean(validation_is_valid(validation)));
	set(report, "stats",
	    json_pack("{s:I, s:I, s:I}", "tasks", (json_int_t)json_array_size(tasks), "errors",
		      (json_int_t)validation_n_errors(validation), "warnings",
		      (json_int_t)validation_n_warnings(validation)));
	set(report, "warnings", json_array());
	set(report, "errors", json_array());
	set(report, "tasks", tasks);
	return report;
}
