/* SPDX-License-Identifier: ISC
 *
 * validation, custom checks: where their columns stand in the data, and each row held to them after its cells. As in Validata a check whose
 * columns the data lack is not made, which is a warning here; nor is one whose cells are missing or not of their type, unless missing
 * is what it looks at.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "schemas/custom_check.h"
#include "schemas/validation_internal.h"

#define NOWHERE SIZE_MAX

/* What of other cells and of columns' names a note shows. */
#define SHOWN 60

/* --- with the header
 * -------------------------------------------------------------------------------------------------- */

static size_t find_place(const struct validation_table *table, const char *name)
{
	/* A column that only the schema has is in no row. */
	for (size_t i = 0; i < table->n_columns && i < table->n_labels; i++) {
		if (table->columns[i].name != NULL && strcmp(table->columns[i].name, name) == 0)
			return i;
	}
	return NOWHERE;
}

static void __attribute__((format(printf, 3, 4)))
skip(struct validation_table *table, const char *column, const char *format, ...)
{
	const struct row_position nowhere = {0, 0};
	struct tally_kind kind = {.type = FAULT_TYPE_CHECK_SKIPPED, .field_name = column};
	char note[FAULT_LINE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(note, sizeof(note), format, args);
	va_end(args);
	validation_add(table, &kind, &nowhere, NULL, note);
}

/* "a, b, c" as far as there is room. */
static void list_columns(const struct custom_check *check, size_t from, char *text, size_t size)
{
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = from; i < check->n_columns && n < size; i++)
		n += (size_t)snprintf(text + n, size - n, "%s%.*s", i > from ? ", " : "", SHOWN, check->columns[i]);
}

/* A fault of the header: columns that only make sense together. */
static void break_header(struct validation_table *table, const struct custom_check *check, const char *words)
{
	const struct row_position header = {1, 0};
	struct tally_kind kind = {
		.type = FAULT_TYPE_CUSTOM_CHECK, .rule = check->kind->name, .field_name = check->columns[0]};
	char columns[FAULT_LINE_SIZE / 2], note[FAULT_LINE_SIZE];

	list_columns(check, 0, columns, sizeof(columns));
	snprintf(note, sizeof(note), "of the columns %s the header has %s", columns, words);
	validation_add(table, &kind, &header, NULL, note);
}

/* Whether the check is made. */
static bool settle(struct validation_table *table, const struct custom_check *check, const size_t *places)
{
	size_t n_missing = 0, missing = 0;

	for (size_t i = check->n_columns; i-- > 0;) {
		if (places[i] == NOWHERE) {
			missing = i;
			n_missing++;
		}
	}
	if (n_missing == 0)
		return true;
	if (check->kind->act == CHECK_ONE_OF) {
		if (n_missing < check->n_columns)
			return true;
		break_header(table, check, "none, and one of them must have a value");
		return false;
	}
	if (check->kind->act == CHECK_COHESIVE && n_missing < check->n_columns) {
		break_header(table, check, "some only, and all must have a value or none");
		return false;
	}
	skip(table, check->columns[0], "%s is not checked: the data have no column %.*s", check->kind->name, SHOWN,
	     check->columns[missing]);
	return false;
}

void validation_checks_place(struct validation_table *table)
{
	const struct custom_checks *checks = table->schema != NULL ? table->schema->checks : NULL;

	if (checks == NULL)
		return;
	for (size_t i = 0; i < checks->n_remarks; i++) {
		const struct check_remark *remark = &checks->remarks[i];

		if (strcmp(remark->rule, "custom-check") == 0)
			skip(table, remark->column, "%s", remark->words);
		else
			skip(table, remark->column, "%s %s", remark->rule, remark->words);
	}
	table->check_runs = xcalloc(checks->n_items + 1, sizeof(table->check_runs[0]));
	for (size_t i = 0; i < checks->n_items; i++) {
		const struct custom_check *check = &checks->items[i];
		_cleanup_free_ size_t *places = xcalloc(check->n_columns, sizeof(places[0]));

		for (size_t j = 0; j < check->n_columns; j++)
			places[j] = find_place(table, check->columns[j]);
		if (settle(table, check, places))
			table->check_runs[table->n_check_runs++] = (struct check_run){check, steal_pointer(&places)};
	}
}

void validation_checks_clear(struct validation_table *table)
{
	for (size_t i = 0; i < table->n_check_runs; i++)
		free(table->check_runs[i].places);
	free(table->check_runs);
	table->check_runs = NULL;
	table->n_check_runs = 0;
}

/* --- a row
 * ------------------------------------------------------------------------------------------------------------ */

struct row {
	struct validation_table *table;
	const struct cell *cells;
	size_t n_cells;
	const struct row_position *position;
};

/* The cell at PLACE with its field (NULL: none); NULL where it is missing. */
static const struct cell *row_cell(const struct row *row, size_t place, const struct field **ret_field)
{
	const struct cell *cell = place < row->n_cells ? &row->cells[place] : NULL;

	*ret_field = place < row->table->n_columns ? row->table->columns[place].field : NULL;
	if (cell == NULL ||
	    (*ret_field != NULL ? field_is_missing(*ret_field, cell->text, cell->size) : cell->size == 0))
		return NULL;
	return cell;
}

static void __attribute__((cold)) break_row(const struct row *row, const struct check_run *run, const char *rule,
					    size_t place, const struct cell *cell, const char *note)
{
	struct tally_kind kind = {
		.type = FAULT_TYPE_CUSTOM_CHECK,
		.rule = rule,
		.field = place != NOWHERE ? validation_field_number(row->table, place) : 0,
		.field_name = place != NOWHERE ? row->table->columns[place].name : run->check->columns[0],
	};

	validation_add(row->table, &kind, row->position, cell, note);
}

static bool is_of_type(struct validation_table *table, const struct field *field, const struct cell *cell)
{
	return field == NULL || field->parse == NULL ||
	       (field_check(field, cell->text, cell->size, &table->scratch, NULL) & RULE_TYPE) == 0;
}

static void check_one(const struct row *row, const struct check_run *run)
{
	const struct field *field;
	const struct cell *cell = row_cell(row, run->places[0], &field);
	const char *words, *rule;

	if (cell == NULL)
		return;
	words = custom_check_cell(run->check, cell->text, cell->size, &rule);
	if (words != NULL && is_of_type(row->table, field, cell))
		break_row(row, run, rule, run->places[0], cell, words);
}

static void check_cohesive(const struct row *row, const struct check_run *run)
{
	const struct custom_check *check = run->check;
	const struct field *field;
	const struct cell *first = row_cell(row, run->places[0], &field);
	char columns[FAULT_LINE_SIZE / 2], note[FAULT_LINE_SIZE];

	for (size_t i = 1; i < check->n_columns; i++) {
		if ((row_cell(row, run->places[i], &field) != NULL) == (first != NULL))
			continue;
		list_columns(check, 0, columns, sizeof(columns));
		snprintf(note, sizeof(note), "%s: the columns %s must all have a value, or none; %.*s has %s",
			 first != NULL ? "is not alone" : "has no value", columns, SHOWN, check->columns[i],
			 first != NULL ? "none" : "one");
		break_row(row, run, check->kind->name, run->places[0], first, note);
		return;
	}
}

static void check_one_of(const struct row *row, const struct check_run *run)
{
	size_t place = run->places[0] != NOWHERE ? run->places[0] : run->places[1];
	char columns[FAULT_LINE_SIZE / 2], note[FAULT_LINE_SIZE];
	const struct field *field;

	for (size_t i = 0; i < run->check->n_columns; i++) {
		if (row_cell(row, run->places[i], &field) != NULL)
			return;
	}
	list_columns(run->check, 0, columns, sizeof(columns));
	snprintf(note, sizeof(note), "one of the columns %s must have a value", columns);
	break_row(row, run, run->check->kind->name, place, NULL, note);
}

/* --- values compared and summed
 * --------------------------------------------------------------------------------------- */

/* A cell's value. A text that is a number counts as one, and a year does. */
struct meaning {
	const struct cell *cell;
	const struct field *field;
	struct value value;
	struct value_scratch scratch;
	bool is_number, is_text;
};

/* False: missing, or not of its type. */
static bool mean(const struct row *row, size_t place, struct meaning *meaning)
{
	const struct field *field;

	meaning->cell = row_cell(row, place, &field);
	meaning->field = field;
	if (meaning->cell == NULL)
		return false;
	if (field != NULL && field->type != FIELD_YEAR) {
		if ((field_check(field, meaning->cell->text, meaning->cell->size, &meaning->scratch, &meaning->value) &
		     RULE_TYPE) != 0)
			return false;
	} else {
		if (field != NULL && !is_of_type(row->table, field, meaning->cell))
			return false;
		meaning->value = (struct value){
			.kind = VALUE_TEXT, .text = meaning->cell->text, .size = meaning->cell->size};
	}
	meaning->is_text = meaning->value.kind == VALUE_TEXT;
	meaning->is_number = meaning->value.kind == VALUE_DECIMAL || meaning->value.kind == VALUE_INFINITE ||
			     meaning->value.kind == VALUE_NAN;
	if (meaning->is_text && number_parse(&number_form_plain, meaning->cell->text, meaning->cell->size,
					     &meaning->scratch, &meaning->value))
		meaning->is_number = true;
	return true;
}

static struct value as_text(const struct meaning *meaning)
{
	return (struct value){.kind = VALUE_TEXT, .text = meaning->cell->text, .size = meaning->cell->size};
}

/* Numbers as numbers, texts by their characters, all else only with its like. False: the two cannot be compared. */
static bool compare_meanings(const struct meaning *a, const struct meaning *b, int *ret_order, bool *ret_is_nan)
{
	struct value text_a, text_b;

	*ret_is_nan = false;
	if (a->is_number && b->is_number) {
		*ret_is_nan = a->value.kind == VALUE_NAN || b->value.kind == VALUE_NAN;
		*ret_order = value_compare(&a->value, &b->value);
		return true;
	}
	if (a->is_text && b->is_text) {
		text_a = as_text(a);
		text_b = as_text(b);
		*ret_order = value_compare(&text_a, &text_b);
		return true;
	}
	if (a->is_number || b->is_number || a->is_text || b->is_text || a->field->type != b->field->type)
		return false;
	*ret_order = value_compare(&a->value, &b->value);
	return true;
}

static bool holds(enum check_operator op, int order)
{
	switch (op) {
	case CHECK_LESS:
		return order < 0;
	case CHECK_LESS_EQUAL:
		return order <= 0;
	case CHECK_EQUAL:
		return order == 0;
	case CHECK_GREATER_EQUAL:
		return order >= 0;
	case CHECK_GREATER:
		break;
	}
	return order > 0;
}

static void check_compare(const struct row *row, const struct check_run *run)
{
	const struct custom_check *check = run->check;
	struct meaning a, b;
	char shown[SHOWN], note[FAULT_LINE_SIZE];
	int order = 0;
	bool is_nan, is_comparable;

	if (!mean(row, run->places[0], &a) || !mean(row, run->places[1], &b))
		return;
	is_comparable = compare_meanings(&a, &b, &order, &is_nan);
	if (is_comparable && !is_nan && holds(check->op, order))
		return;
	text_escape(b.cell->text, b.cell->size, shown, sizeof(shown));
	if (is_comparable)
		snprintf(note, sizeof(note), "is not %s \"%s\" of the column %.*s", check_operator_name(check->op),
			 shown, SHOWN, check->columns[1]);
	else
		snprintf(note, sizeof(note), "cannot be compared with \"%s\" of the column %.*s", shown, SHOWN,
			 check->columns[1]);
	break_row(row, run, check->kind->name, run->places[0], a.cell, note);
}

/* Numbers are added exactly as long as they have at most so many digits before and after the point. */
#define WHOLE_DIGITS 18
#define FRACTION_DIGITS 15

/* NUMBER times 10^FRACTION_DIGITS. False: too long. */
static bool scale(const struct value *value, __int128 *ret)
{
	int64_t last = value->number - (int64_t)value->size;
	__int128 scaled = 0;

	if (value->kind != VALUE_DECIMAL || value->number > WHOLE_DIGITS || last < -FRACTION_DIGITS)
		return false;
	for (size_t i = 0; i < value->size; i++)
		scaled = scaled * 10 + (value->text[i] - '0');
	for (int64_t i = value->size > 0 ? last : 0; i > -FRACTION_DIGITS && value->size > 0; i--)
		scaled *= 10;
	*ret = value->negative ? -scaled : scaled;
	return true;
}

/* "12.5": what scale() was given. */
static void write_scaled(__int128 scaled, char *text, size_t size)
{
	char digits[64];
	size_t n = sizeof(digits);
	bool is_negative = scaled < 0;
	int place = 0, shown = 0;

	if (is_negative)
		scaled = -scaled;
	digits[--n] = '\0';
	for (; (scaled > 0 || place <= FRACTION_DIGITS) && n > 2; scaled /= 10, place++) {
		if (place == FRACTION_DIGITS && shown > 0)
			digits[--n] = '.';
		if (place >= FRACTION_DIGITS || scaled % 10 != 0 || shown > 0) {
			digits[--n] = (char)('0' + (int)(scaled % 10));
			shown++;
		}
	}
	if (is_negative)
		digits[--n] = '-';
	snprintf(text, size, "%s", digits + n);
}

static void check_sum(const struct row *row, const struct check_run *run)
{
	const struct custom_check *check = run->check;
	struct meaning total, part;
	__int128 wanted = 0, sum = 0, addend = 0;
	char columns[FAULT_LINE_SIZE / 3], shown[SHOWN], note[FAULT_LINE_SIZE];

	if (!mean(row, run->places[0], &total))
		return;
	note[0] = '\0';
	if (!total.is_number || !scale(&total.value, &wanted))
		snprintf(note, sizeof(note), "is no number that can be compared with a sum");
	for (size_t i = 1; i < check->n_columns; i++) {
		if (!mean(row, run->places[i], &part))
			return;
		if (note[0] == '\0' && (!part.is_number || !scale(&part.value, &addend))) {
			text_escape(part.cell->text, part.cell->size, shown, sizeof(shown));
			snprintf(note, sizeof(note),
				 "cannot be compared with a sum: \"%s\" of the column %.*s cannot be added", shown,
				 SHOWN, check->columns[i]);
		}
		sum += addend;
	}
	if (note[0] == '\0' && sum != wanted) {
		list_columns(check, 1, columns, sizeof(columns));
		write_scaled(sum, shown, sizeof(shown));
		snprintf(note, sizeof(note), "is not the sum of the columns %s, which is %s", columns, shown);
	}
	if (note[0] != '\0')
		break_row(row, run, check->kind->name, run->places[0], total.cell, note);
}

void validation_checks_row(struct validation_table *table, const struct cell *cells, size_t n_cells,
			   const struct row_position *position)
{
	const struct row row = {table, cells, n_cells, position};

	for (size_t i = 0; i < table->n_check_runs; i++) {
		const struct check_run *run = &table->check_runs[i];

		switch (run->check->kind->act) {
		case CHECK_COHESIVE:
			check_cohesive(&row, run);
			break;
		case CHECK_COMPARE:
			check_compare(&row, run);
			break;
		case CHECK_SUM:
			check_sum(&row, run);
			break;
		case CHECK_ONE_OF:
			check_one_of(&row, run);
			break;
		case CHECK_CELL:
		case CHECK_PLACE:
		case CHECK_HOURS:
		case CHECK_LISTED:
		case CHECK_NO_LIST:
			check_one(&row, run);
			break;
		}
	}
}
