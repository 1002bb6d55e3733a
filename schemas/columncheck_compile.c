/* SPDX-License-Identifier: ISC
 *
 * columncheck, compiling: which kind a field is. Whatever it does not know for certain it leaves general.
 */
#include "schemas/columncheck_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "schemas/moment.h"

/* --- few short texts
 * --------------------------------------------------------------------------------------------------- */

static bool fill_slots(struct short_texts *texts, const struct text_list *list)
{
	bool used[SHORT_SLOTS_MAX] = {false};
	size_t n_slots = (size_t)1 << (64 - texts->shift);

	for (size_t i = 0; i < list->n_items; i++) {
		uint64_t word = 0;
		size_t slot;

		memcpy(&word, list->items[i], list->sizes[i]);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		word = __builtin_bswap64(word);
#endif
		slot = (size_t)(word * texts->factor >> texts->shift);
		if (used[slot] && (texts->words[slot] != word || texts->sizes[slot] != list->sizes[i]))
			return false;
		used[slot] = true;
		texts->words[slot] = word;
		texts->sizes[slot] = (uint8_t)list->sizes[i];
	}
	/* No text has this size. */
	for (size_t i = 0; i < n_slots; i++) {
		if (!used[i])
			texts->sizes[i] = UINT8_MAX;
	}
	return true;
}

static bool are_short(const struct text_list *list)
{
	for (size_t i = 0; i < list->n_items; i++) {
		if (list->sizes[i] > 8)
			return false;
	}
	return list->n_items <= SHORT_TEXTS_MAX;
}

/* Tries factors until each text has a slot of its own; the list itself where there is none. The list must outlive TEXTS. */
static void set_short_texts(struct short_texts *texts, const struct text_list *list)
{
	texts->size_bits = list->size_bits;
	texts->others = list;
	if (!are_short(list))
		return;
	texts->words = xcalloc(SHORT_SLOTS_MAX, sizeof(texts->words[0]));
	texts->sizes = xcalloc(SHORT_SLOTS_MAX, sizeof(texts->sizes[0]));
	texts->factor = 0x9e3779b97f4a7c15ULL;
	for (unsigned bits = 4; bits <= 9; bits++) {
		texts->shift = 64 - bits;
		for (unsigned i = 0; i < 64; i++) {
			if (fill_slots(texts, list)) {
				texts->others = NULL;
				return;
			}
			texts->factor = texts->factor * 6364136223846793005ULL + 1442695040888963407ULL;
			texts->factor |= 1;
		}
	}
}

static void clear_short_texts(struct short_texts *texts)
{
	free(texts->words);
	free(texts->sizes);
}

/* --- forms
 * ------------------------------------------------------------------------------------------------------------- */

/* The next byte of the form. */
static void add_range(struct text_form *form, unsigned char first, unsigned char last)
{
	struct byte_ranges *ranges = &form->ranges[form->size / 8];
	unsigned shift = 8 * (form->size++ % 8);

	ranges->from &= ~((uint64_t)0xff << shift);
	ranges->from |= (uint64_t)(0x80 - first) << shift;
	ranges->past &= ~((uint64_t)0xff << shift);
	ranges->past |= (uint64_t)(0x7f - last) << shift;
}

static void begin_form(struct text_form *form)
{
	form->size = 0;
	for (size_t i = 0; i < FORM_WORDS; i++)
		form->ranges[i] = (struct byte_ranges){EACH_BYTE(0x80), EACH_BYTE(0x7f)};
}

static bool has_character(const struct character_set *set, unsigned c)
{
	return c < 0x80 && (set->bits[c >> 6] >> (c & 63) & 1) != 0;
}

/* The first range of the set from *NEXT on; what follows it is in *NEXT. */
static bool next_range(const struct character_set *set, unsigned *next, unsigned *ret_first)
{
	while (*next < 0x80 && !has_character(set, *next))
		++*next;
	*ret_first = *next;
	while (has_character(set, *next))
		++*next;
	return *next > *ret_first;
}

/* All forms that begin as FORM does and go on with the sets. False: too many. */
static bool add_forms(struct column_check *check, const struct text_form *form, const struct character_set *sets,
		      size_t n_sets)
{
	unsigned next = 0, first;

	if (n_sets == 0) {
		if (check->n_forms == FORMS_MAX)
			return false;
		check->forms[check->n_forms++] = *form;
		return true;
	}
	while (next_range(sets, &next, &first)) {
		struct text_form longer = *form;

		add_range(&longer, (unsigned char)first, (unsigned char)(next - 1));
		if (!add_forms(check, &longer, sets + 1, n_sets - 1))
			return false;
	}
	return true;
}

/* A pattern, and perhaps lengths, which each of its sequences keeps or not. */
static void compile_forms(struct column_check *check, const struct field *field)
{
	const struct simple_pattern *pattern = field->simple_pattern;

	for (size_t i = 0; i < simple_pattern_n_sequences(pattern); i++) {
		const struct character_set *sets;
		size_t size = simple_pattern_sequence(pattern, i, &sets);
		struct text_form form;

		if (size > FORM_SIZE_MAX || ((field->rules & RULE_MIN_LENGTH) != 0 && size < field->min_length) ||
		    ((field->rules & RULE_MAX_LENGTH) != 0 && size > field->max_length))
			continue;
		begin_form(&form);
		if (!add_forms(check, &form, sets, size))
			break;
	}
	check->kind = check->n_forms == 1 ? COLUMN_FORM : COLUMN_FORMS;
}

/* --- numbers
 * ----------------------------------------------------------------------------------------------------------- */

/* A decimal rounded towards zero, if that is small enough to add one to. */
static bool round_decimal(const struct value *value, int64_t *ret_number, bool *ret_exact)
{
	int64_t number = 0;

	if (value->kind == VALUE_POINT) {
		*ret_number = value->number;
		*ret_exact = true;
		return true;
	}
	if (value->kind != VALUE_DECIMAL || value->number > 17)
		return false;
	for (int64_t i = 0; i < value->number; i++)
		number = number * 10 + ((uint64_t)i < value->size ? value->text[i] - '0' : 0);
	*ret_number = value->negative ? -number : number;
	*ret_exact = value->number >= (int64_t)value->size;
	return true;
}

/* Whole numbers that are surely within the field's bounds. False: not known. */
static bool compile_bounds(struct column_check *check, const struct field *field)
{
	static const unsigned rules[FIELD_N_BOUNDS] = {RULE_MINIMUM, RULE_MAXIMUM, RULE_EXCLUSIVE_MINIMUM,
						       RULE_EXCLUSIVE_MAXIMUM};

	check->is_bounded = (field->rules & RULES_OF_BOUNDS) != 0;
	check->lowest = INT64_MIN;
	check->highest = INT64_MAX;
	for (size_t i = 0; i < FIELD_N_BOUNDS; i++) {
		int64_t number;
		bool is_exact;

		if ((field->rules & rules[i]) == 0)
			continue;
		if (!round_decimal(&field->bounds[i], &number, &is_exact))
			return false;
		/* What is excluded, or lies beside a fraction: one further in is within. */
		if (i % 2 == 0 && number + (i >= 2 || !is_exact) > check->lowest)
			check->lowest = number + (i >= 2 || !is_exact);
		if (i % 2 == 1 && number - (i >= 2 || !is_exact) < check->highest)
			check->highest = number - (i >= 2 || !is_exact);
	}
	return true;
}

static void compile_number(struct column_check *check, const struct field *field)
{
	if (!compile_bounds(check, field))
		return;
	check->decimal = field->number.decimal_size == 1 ? field->number.decimal[0] : '0';
	check->kind = field->type == FIELD_NUMBER ? COLUMN_NUMBER : COLUMN_INTEGER;
	check->only_size = field->type == FIELD_YEAR ? 4 : 0;
}

/* --- moments
 * ----------------------------------------------------------------------------------------------------------- */

static int add_digits(struct text_form *form, size_t n)
{
	int at = (int)form->size;

	for (; n > 0; n--)
		add_range(form, '0', '9');
	return at;
}

/* Puts one directive into the form. False: it has no one width, or comes twice. */
static bool add_directive(struct moment_form *form, char directive)
{
	const struct {
		char directive;
		int *place;
		size_t size;
	} directives[] = {{'Y', &form->year, 4}, {'m', &form->month, 2},  {'d', &form->day, 2},
			  {'H', &form->hour, 2}, {'M', &form->minute, 2}, {'S', &form->second, 2}};

	for (size_t i = 0; i < ARRAY_SIZE(directives); i++) {
		if (directives[i].directive != directive)
			continue;
		if (*directives[i].place >= 0)
			return false;
		*directives[i].place = add_digits(&form->text, directives[i].size);
		return true;
	}
	return false;
}

/* A strptime pattern in which each number has all its digits. */
static bool add_moment(struct column_check *check, const char *pattern)
{
	struct moment_form *form = &check->moments[check->n_moments];

	begin_form(&form->text);
	form->year = form->month = form->day = form->hour = form->minute = form->second = -1;
	for (const char *p = pattern; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (form->text.size + 4 > FORM_SIZE_MAX || c >= 0x80)
			return false;
		if (c != '%')
			add_range(&form->text, c, c);
		else if (!add_directive(form, *++p))
			return false;
	}
	check->n_moments++;
	return true;
}

/* The first year, to 10,000, whose first day is past the number. */
static int year_past(int64_t number, int64_t unit)
{
	int low = 1, high = 10000;

	while (low < high) {
		int year = (low + high) / 2;
		struct value day;
		char text[32];

		snprintf(text, sizeof(text), "%04d-01-01", year);
		if (moment_parse(MOMENT_DATE, text, 10, &day) && day.number * unit <= number)
			low = year + 1;
		else
			high = year;
	}
	return low;
}

/* Every moment of the years that lie wholly within a bound is. */
static void narrow_years(struct column_check *check, const struct field *field, size_t bound)
{
	int year = year_past(field->bounds[bound].number, field->type == FIELD_DATE ? 1 : 86400);

	if (bound % 2 == 0 && year > check->first_year)
		check->first_year = year;
	if (bound % 2 == 1 && year - 2 < check->last_year)
		check->last_year = year - 2;
}

static void compile_moment(struct column_check *check, const struct field *field)
{
	static const unsigned rules[FIELD_N_BOUNDS] = {RULE_MINIMUM, RULE_MAXIMUM, RULE_EXCLUSIVE_MINIMUM,
						       RULE_EXCLUSIVE_MAXIMUM};
	bool is_known = true;

	if (field->pattern_of_time != NULL)
		is_known = add_moment(check, field->pattern_of_time);
	else if (field->type == FIELD_DATE)
		is_known = add_moment(check, "%Y-%m-%d");
	else if (field->type == FIELD_TIME)
		is_known = add_moment(check, "%H:%M:%S");
	else
		is_known = add_moment(check, "%Y-%m-%dT%H:%M:%S") && add_moment(check, "%Y-%m-%dT%H:%M:%SZ");
	if (!is_known ||
	    ((field->rules & RULES_OF_BOUNDS) != 0 && (field->type == FIELD_TIME || check->moments[0].year < 0)))
		return;
	check->first_year = 1;
	check->last_year = 9999;
	for (size_t i = 0; i < FIELD_N_BOUNDS; i++) {
		if ((field->rules & rules[i]) != 0)
			narrow_years(check, field, i);
	}
	check->kind = check->n_moments == 1 ? COLUMN_MOMENT : COLUMN_MOMENTS;
}

/* --- texts
 * ------------------------------------------------------------------------------------------------------------- */

static void compile_text(struct column_check *check, const struct field *field)
{
	check->max_size = SIZE_MAX;
	if ((field->rules & RULE_MAX_LENGTH) != 0 && field->max_length < SIZE_MAX)
		check->max_size = (size_t)field->max_length;
	if ((field->rules & RULE_MIN_LENGTH) != 0) {
		/* More than any cell has is for field_check. */
		if (field->min_length > UINT32_MAX)
			return;
		check->min_size = (size_t)field->min_length;
		check->sure_size = 4 * check->min_size;
	}
	check->kind = COLUMN_TEXT;
}

/* Those of the texts that are good cells. */
static void add_good(struct column_check *check, const struct field *field, const struct text_list *texts)
{
	struct value_scratch scratch;

	for (size_t i = 0; i < texts->n_items; i++) {
		if (field_check(field, texts->items[i], texts->sizes[i], &scratch, NULL) == 0)
			text_list_add(&check->list, texts->items[i], texts->sizes[i]);
	}
}

static void compile_words(struct column_check *check)
{
	text_list_seal(&check->list);
	set_short_texts(&check->words, &check->list);
	check->kind = COLUMN_WORDS;
}

/* --- a field
 * ----------------------------------------------------------------------------------------------------------- */

static bool has_only(const struct field *field, unsigned rules)
{
	return (field->rules & ~rules) == 0;
}

static bool is_default(const struct field *field)
{
	return field->pattern_of_time == NULL && strcmp(field->format, "default") == 0;
}

static void compile(struct column_check *check, const struct field *field)
{
	switch (field->type) {
	case FIELD_ANY:
	case FIELD_STRING:
		if (field->enum_texts.n_items > 0) {
			add_good(check, field, &field->enum_texts);
			compile_words(check);
		} else if (field->parse != NULL) {
			return;
		} else if (has_only(field, RULE_MIN_LENGTH | RULE_MAX_LENGTH)) {
			compile_text(check, field);
		} else if (has_only(field, RULE_MIN_LENGTH | RULE_MAX_LENGTH | RULE_PATTERN) &&
			   field->simple_pattern != NULL) {
			compile_forms(check, field);
		}
		return;
	case FIELD_BOOLEAN:
		add_good(check, field, &field->true_values);
		add_good(check, field, &field->false_values);
		compile_words(check);
		return;
	case FIELD_INTEGER:
	case FIELD_NUMBER:
	case FIELD_YEAR:
		if (has_only(field, RULES_OF_BOUNDS) && is_default(field))
			compile_number(check, field);
		return;
	case FIELD_DATE:
	case FIELD_TIME:
	case FIELD_DATETIME:
		if (has_only(field, RULES_OF_BOUNDS) && (field->pattern_of_time != NULL || is_default(field)))
			compile_moment(check, field);
		return;
	default:
		return;
	}
}

struct column_check *column_check_new(const struct field *field)
{
	struct column_check *check = xcalloc(1, sizeof(*check));

	if (field != NULL) {
		set_short_texts(&check->missing, &field->missing);
		compile(check, field);
		return check;
	}
	text_list_add(&check->list, "", 0);
	set_short_texts(&check->missing, &check->list);
	check->kind = COLUMN_TEXT;
	check->max_size = SIZE_MAX;
	return check;
}

void column_check_free(struct column_check *check)
{
	if (check == NULL)
		return;
	clear_short_texts(&check->missing);
	clear_short_texts(&check->words);
	text_list_clear(&check->list);
	free(check);
}

void column_check_freep(struct column_check **check)
{
	column_check_free(*check);
}
