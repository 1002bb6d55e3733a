/* SPDX-License-Identifier: ISC
 *
 * compat_field: one field that a reader knows and the one that is offered: type, missing values, constraints. What NEW promises, OLD may
 * rely on: no break. What it does not promise is seen in the rows (COMPAT_BY_DATA).
 */
#include "schemas/compat_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "schemas/duration.h"

bool compat_accepts(const struct field *field, const char *text, size_t size)
{
	struct value_scratch scratch;

	return field_check(field, text, size, &scratch, NULL) == 0;
}

/* --- missing values ------------------------------------------------------------------------------------------------ */

/* A primary key of one field may not be missing; of several, not all of them (validation_keys.c). */
bool compat_is_never_missing(const struct schema *schema, const struct field *field)
{
	return field->required ||
	       (schema->primary_key.n_columns == 1 && strcmp(schema->primary_key.columns[0], field->name) == 0);
}

static bool is_value(const struct field *field, const char *text, size_t size)
{
	return !field_is_missing(field, text, size) && compat_accepts(field, text, size);
}

bool compat_has_word_read(const struct compat_pair *pair)
{
	const struct text_list *words = &pair->new->missing;

	for (size_t i = 0; i < words->n_items && !compat_is_never_missing(pair->new_schema, pair->new); i++) {
		if (is_value(pair->old, words->items[i], words->sizes[i]))
			return true;
	}
	return false;
}

bool compat_has_word_lost(const struct compat_pair *pair)
{
	const struct text_list *words = &pair->old->missing;

	for (size_t i = 0; i < words->n_items; i++) {
		if (is_value(pair->new, words->items[i], words->sizes[i]))
			return true;
	}
	return false;
}

/* Whether a reader takes any word as a word, and none as a number, a day or a truth. */
static bool reads_words(const struct field *field)
{
	return field->parse == NULL || field->type == FIELD_STRING ||
	       (field->type == FIELD_LIST && field->item->parse == NULL);
}

static void compare_missing(const struct compat_pair *pair, struct compat_result *result)
{
	const struct field *old = pair->old;
	const struct text_list *words = &pair->new->missing;
	bool is_refused = false;

	for (size_t i = 0; i < words->n_items && !compat_is_never_missing(pair->new_schema, pair->new); i++)
		is_refused |= !field_is_missing(old, words->items[i], words->sizes[i]) &&
			      !compat_accepts(old, words->items[i], words->sizes[i]);
	if (is_refused)
		compat_was_property(compat_add(result, COMPAT_BY_DATA, "missing-values", old->name,
					       "field %s: words for a missing value that the reader does not know",
					       old->name),
				    pair, "missingValues");
	else if (compat_has_word_read(pair) && !reads_words(old))
		compat_was_property(compat_add(result, COMPAT_NO, "missing-values", old->name,
					       "field %s: a word for a missing value that the reader takes for a value",
					       old->name),
				    pair, "missingValues");
	if (compat_is_never_missing(pair->old_schema, old) && compat_has_word_lost(pair))
		compat_was_property(compat_add(result, COMPAT_BY_DATA, "missing-values", old->name,
					       "field %s: a value may be what the reader takes for missing", old->name),
				    pair, "missingValues");
}

/* --- constraints --------------------------------------------------------------------------------------------------- */

static void relaxed(const struct compat_pair *pair, const char *constraint, struct compat_result *result)
{
	const char *name = pair->old->name;

	compat_was_property(compat_add(result, COMPAT_BY_DATA, "constraint-relaxed", name,
				       "field %s: %s is no longer promised", name, constraint),
			    pair, constraint);
}

/* Whether values of the two fields compare with each other: both are read as the same kind. */
static bool share_values(const struct field *old, const struct field *new)
{
	bool are_numbers = (old->type == FIELD_INTEGER || old->type == FIELD_NUMBER) &&
			   (new->type == FIELD_INTEGER || new->type == FIELD_NUMBER);

	return (are_numbers || old->type == new->type) && compat_read_as(old, new) == READING_SAME;
}

/* The place of a rule's value in field->bounds, as field_constraints.c has them. */
enum bound { BOUND_MINIMUM, BOUND_MAXIMUM, BOUND_EXCLUSIVE_MINIMUM, BOUND_EXCLUSIVE_MAXIMUM };

static const struct {
	const char *name;
	enum field_rule rule;
	enum bound partner; /* the same end of the range, exclusive or not */
	bool is_lower, is_exclusive;
} BOUNDS[FIELD_N_BOUNDS] = {
	[BOUND_MINIMUM] = {"minimum", RULE_MINIMUM, BOUND_EXCLUSIVE_MINIMUM, true, false},
	[BOUND_MAXIMUM] = {"maximum", RULE_MAXIMUM, BOUND_EXCLUSIVE_MAXIMUM, false, false},
	[BOUND_EXCLUSIVE_MINIMUM] = {"exclusiveMinimum", RULE_EXCLUSIVE_MINIMUM, BOUND_MINIMUM, true, true},
	[BOUND_EXCLUSIVE_MAXIMUM] = {"exclusiveMaximum", RULE_EXCLUSIVE_MAXIMUM, BOUND_MAXIMUM, false, true},
};

/* VALUE is within the reader's bound AT; EXCLUDED: where it is equal, it is not allowed itself. */
static bool is_within(const struct field *old, size_t at, const struct value *value, bool is_excluded)
{
	int order = 0;

	if (value->kind == VALUE_NAN || old->bounds[at].kind == VALUE_NAN)
		return false;
	if (old->type != FIELD_DURATION)
		order = value_compare(value, &old->bounds[at]);
	else if (!duration_order(value, &old->bounds[at], &order))
		return false;
	if (!BOUNDS[at].is_lower)
		order = -order;
	return order > 0 || (order == 0 && (is_excluded || !BOUNDS[at].is_exclusive));
}

static bool bound_is_kept(const struct field *old, const struct field *new, size_t at)
{
	size_t partner = BOUNDS[at].partner;

	if (!share_values(old, new))
		return false;
	if ((new->rules &BOUNDS[at].rule) != 0 && is_within(old, at, &new->bounds[at], BOUNDS[at].is_exclusive))
		return true;
	if ((new->rules &BOUNDS[partner].rule) != 0 &&
	    is_within(old, at, &new->bounds[partner], BOUNDS[partner].is_exclusive))
		return true;
	for (size_t i = 0; i < new->n_enum_values; i++) {
		if (!is_within(old, at, &new->enum_values[i], false))
			return false;
	}
	return new->n_enum_values > 0;
}

static int compare_values(const void *a, const void *b)
{
	return value_compare(a, b);
}

static bool enum_is_kept(const struct field *old, const struct field *new)
{
	if (!share_values(old, new) || old->enum_texts.n_items > 0)
		return false; /* texts: the few cells were tried */
	for (size_t i = 0; i < new->n_enum_values; i++) {
		if (bsearch(&new->enum_values[i], old->enum_values, old->n_enum_values, sizeof(old->enum_values[0]),
			    compare_values) == NULL)
			return false;
	}
	return new->n_enum_values > 0;
}

/* Whether both count the same in a cell: its characters, or its items. */
static bool count_alike(const struct field *old, const struct field *new)
{
	if (!old->counts_items && !new->counts_items)
		return true;
	return old->type == new->type && old->counts_items == new->counts_items && old->delimiter == new->delimiter;
}

/* "YYYY-MM-DD" has ten characters. */
static bool is_date_of_ten(const struct field *new)
{
	return new->type == FIELD_DATE && (strcmp(new->format, "default") == 0 || field_is_default_date(new));
}

static bool length_is_kept(const struct field *old, const struct field *new, enum field_rule rule)
{
	bool is_lower = rule == RULE_MIN_LENGTH;

	if (!old->counts_items && is_date_of_ten(new))
		return is_lower ? old->min_length <= 10 : old->max_length >= 10;
	if (!count_alike(old, new) || (new->rules &rule) == 0)
		return false;
	return is_lower ? new->min_length >= old->min_length : new->max_length <= old->max_length;
}

static bool pattern_is_kept(const struct field *old, const struct field *new)
{
	return (new->rules &RULE_PATTERN) != 0 && strcmp(old->pattern, new->pattern) == 0;
}

/* A constraint that is compared by its words alone. */
static bool json_is_kept(const struct compat_pair *pair, const char *property)
{
	const json_t *was = field_constraint(pair->old, property), *is = field_constraint(pair->new, property);

	return was == NULL || (is != NULL && json_equal(was, is));
}

static const char *const WORDS_ALONE[] = {"jsonSchema"};

/* The rules on values of a field that may have any. */
static void compare_rules(const struct compat_pair *pair, struct compat_result *result)
{
	const struct field *old = pair->old, *new = pair->new;

	for (size_t i = 0; i < FIELD_N_BOUNDS; i++) {
		if ((old->rules & BOUNDS[i].rule) != 0 && !bound_is_kept(old, new, i))
			relaxed(pair, BOUNDS[i].name, result);
	}
	if ((old->rules & RULE_MIN_LENGTH) != 0 && !length_is_kept(old, new, RULE_MIN_LENGTH))
		relaxed(pair, "minLength", result);
	if ((old->rules & RULE_MAX_LENGTH) != 0 && !length_is_kept(old, new, RULE_MAX_LENGTH))
		relaxed(pair, "maxLength", result);
	if ((old->rules & RULE_PATTERN) != 0 && !pattern_is_kept(old, new))
		relaxed(pair, "pattern", result);
	if ((old->rules & RULE_ENUM) != 0 && !enum_is_kept(old, new))
		relaxed(pair, field_constraint(old, "enum") != NULL ? "enum" : "categories", result);
}

static const struct {
	enum field_rule rule;
	const char *name;
} RULES[] = {
	{RULE_MINIMUM, "minimum"},
	{RULE_MAXIMUM, "maximum"},
	{RULE_EXCLUSIVE_MINIMUM, "exclusiveMinimum"},
	{RULE_EXCLUSIVE_MAXIMUM, "exclusiveMaximum"},
	{RULE_MIN_LENGTH, "minLength"},
	{RULE_MAX_LENGTH, "maxLength"},
	{RULE_PATTERN, "pattern"},
	{RULE_PATTERN_LIMIT, "pattern"},
	{RULE_ENUM, "enum"},
};

/* Each of the few cells that NEW may have is tried on the reader's rules. */
static void compare_few_cells(const struct compat_pair *pair, struct compat_result *result)
{
	const struct text_list *list;
	struct value_scratch scratch;
	unsigned broken = 0;

	for (size_t i = 0; (list = compat_few_cells(pair->new, i)) != NULL; i++) {
		for (size_t j = 0; j < list->n_items; j++) {
			const char *text = list->items[j];
			size_t size = list->sizes[j];

			if (is_value(pair->new, text, size) && !field_is_missing(pair->old, text, size))
				broken |= field_check(pair->old, text, size, &scratch, NULL);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(RULES); i++) {
		if ((broken & RULES[i].rule) != 0)
			relaxed(pair,
				RULES[i].rule != RULE_ENUM || field_constraint(pair->old, "enum") != NULL
					? RULES[i].name
					: "categories",
				result);
	}
}

void compat_compare_field(const struct compat_pair *pair, struct compat_result *result)
{
	compat_compare_type(pair, result);
	compare_missing(pair, result);
	if (pair->old->required && !compat_is_never_missing(pair->new_schema, pair->new))
		relaxed(pair, "required", result);
	if (compat_few_cells(pair->new, 0) != NULL)
		compare_few_cells(pair, result);
	else
		compare_rules(pair, result);
	for (size_t i = 0; i < ARRAY_SIZE(WORDS_ALONE); i++) {
		if (!json_is_kept(pair, WORDS_ALONE[i]))
			relaxed(pair, WORDS_ALONE[i], result);
	}
}
