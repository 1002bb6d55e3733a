/* SPDX-License-Identifier: ISC
 *
 * compat_type: how the cells of one field are read by a reader of another: by type, format and marks. What is not known to be read
 * the same is decided by the rows, unless rows cannot show it, because a cell would parse and mean another thing.
 */
#include "schemas/compat_internal.h"

#include <string.h>

#include "base/cleanup.h"

/* --- numbers ------------------------------------------------------------------------------------------------------- */

static bool is_number(const struct field *field)
{
	return field->type == FIELD_INTEGER || field->type == FIELD_NUMBER;
}

static bool same_mark(const char *a, size_t a_size, const char *b, size_t b_size)
{
	return a_size == b_size && memcmp(a, b, a_size) == 0;
}

static bool same_groups(const struct number_form *a, const struct number_form *b)
{
	return same_mark(a->group, a->group_size, b->group, b->group_size);
}

static bool same_decimals(const struct number_form *a, const struct number_form *b)
{
	return same_mark(a->decimal, a->decimal_size, b->decimal, b->decimal_size);
}

/* "1.234" with `.` once the decimal and once the group mark: it parses twice. */
static bool marks_change_places(const struct field *old, const struct field *new)
{
	const struct number_form *o = &old->number, *n = &new->number;

	return (new->type == FIELD_NUMBER &&same_mark(o->group, o->group_size, n->decimal, n->decimal_size)) ||
	       (old->type == FIELD_NUMBER && n->group_size > 0 &&
		same_mark(n->group, n->group_size, o->decimal, o->decimal_size));
}

/* A mark that cannot be taken for a part of a number itself (a sign, an exponent). */
static bool is_plain_mark(const char *mark, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (strchr("eE+-nNaAiIfF", mark[i]) != NULL)
			return false;
	}
	return true;
}

static enum compat_reading read_number(const struct field *old, const struct field *new)
{
	const struct number_form *o = &old->number, *n = &new->number;
	bool is_integer = new->type == FIELD_INTEGER;

	if (marks_change_places(old, new))
		return READING_OTHER;
	if (old->type == FIELD_INTEGER && !is_integer)
		return READING_PART;
	if (same_groups(o, n) && same_decimals(o, n) && o->bare == n->bare)
		return READING_SAME;
	/* From here on the forms differ: only what is well known is claimed. */
	if (!n->bare || !is_plain_mark(o->group, o->group_size) || !is_plain_mark(o->decimal, o->decimal_size) ||
	    !is_plain_mark(n->group, n->group_size) || !is_plain_mark(n->decimal, n->decimal_size))
		return READING_PART;
	if (n->group_size > 0 && !same_groups(o, n))
		return READING_PART;
	if (!is_integer && !same_decimals(o, n))
		return READING_PART;
	/* What stands around a number is cut off up to its digits: "NaN" and "INF" have none. */
	return o->bare || is_integer ? READING_SAME : READING_PART;
}

/* --- dates and times ----------------------------------------------------------------------------------------------- */

static bool is_temporal(enum field_type type)
{
	return type == FIELD_DATE || type == FIELD_TIME || type == FIELD_DATETIME;
}

static bool has_format(const struct field *field, const char *format)
{
	return strcmp(field->format, format) == 0;
}

static bool is_default(const struct field *field)
{
	return has_format(field, "default") || field_is_default_date(field);
}

/* Whether `any`, which takes the first of two numbers for the month, reads the pattern's dates as they are meant. */
static bool is_clear_to_any(const char *pattern)
{
	return strncmp(pattern, "%Y", 2) == 0 || strncmp(pattern, "%F", 2) == 0 || strstr(pattern, "%b") != NULL ||
	       strstr(pattern, "%B") != NULL;
}

/* Whether a pattern writes times, or date-times, in the order of ISO 8601, so that what it shares with the default means the same. */
static bool is_iso_pattern(const struct field *field)
{
	const char *p = field->pattern_of_time;

	if (field->type == FIELD_DATETIME && strncmp(p, "%Y-%m-%d", 8) == 0 && p[8] != '\0' && p[8] != '%')
		p += 9;
	else if (field->type != FIELD_TIME)
		return false;
	return strncmp(p, "%H:%M:%S", 8) == 0 || strncmp(p, "%T", 2) == 0;
}

/* Two formats may read the same cell as two days ("01/02/2024"), which no row shows. Only the default, which is ISO 8601 and like no
 * other, is safe from that. */
static enum compat_reading read_temporal(const struct field *old, const struct field *new)
{
	bool is_any = has_format(new, "any");

	if ((is_default(old) && is_default(new)) || strcmp(old->format, new->format) == 0)
		return READING_SAME;
	if (has_format(old, "any"))
		return is_default(new)                         ? READING_SAME
		       : is_clear_to_any(new->pattern_of_time) ? READING_PART
							       : READING_OTHER;
	if (is_default(old))
		return is_any || is_iso_pattern(new) ? READING_PART : READING_OTHER;
	return is_default(new) && is_iso_pattern(old) ? READING_PART : READING_OTHER;
}

/* --- the rest ------------------------------------------------------------------------------------------------------ */

static bool is_numeric(enum field_type type)
{
	return type == FIELD_INTEGER || type == FIELD_NUMBER || type == FIELD_YEAR;
}

static bool is_default_temporal(const struct field *field)
{
	return is_temporal(field->type) && is_default(field);
}

/* Whether some cell may be read by both. Default dates, times and date-times share no cell with each other, with numbers or with
 * booleans; a format of its own may be anything ("%Y%m%d" is an integer too), and a list of one date is a date. */
static bool types_overlap(const struct field *old, const struct field *new)
{
	const struct field *other = is_default_temporal(old) ? new : old;

	if (!is_default_temporal(old) && !is_default_temporal(new))
		return true;
	return !is_numeric(other->type) && other->type != FIELD_BOOLEAN && !is_default_temporal(other);
}

static enum compat_reading read_list(const struct field *old, const struct field *new)
{
	if (old->delimiter != new->delimiter)
		return READING_OTHER; /* the same text, cut elsewhere */
	if (old->item->parse == NULL || old->item->type == new->item->type)
		return READING_SAME;
	return old->item->type == FIELD_NUMBER && new->item->type == FIELD_INTEGER ? READING_SAME : READING_PART;
}

/* JSON in a cell. */
static enum compat_reading read_json(const struct field *old, const struct field *new)
{
	if (old->type == new->type)
		return strcmp(old->format, new->format) == 0 ? READING_SAME : READING_PART;
	if (old->type == FIELD_OBJECT &&
	    (new->type == FIELD_GEOJSON || (new->type == FIELD_GEOPOINT &&has_format(new, "object"))))
		return READING_SAME;
	return old->type == FIELD_ARRAY && new->type == FIELD_GEOPOINT &&has_format(new, "array") ? READING_SAME
												  : READING_PART;
}

static enum compat_reading read_boolean(const struct field *old, const struct field *new)
{
	for (size_t i = 0; i < new->true_values.n_items; i++) {
		if (text_list_has(&old->false_values, new->true_values.items[i], new->true_values.sizes[i]))
			return READING_OTHER;
	}
	for (size_t i = 0; i < new->false_values.n_items; i++) {
		if (text_list_has(&old->true_values, new->false_values.items[i], new->false_values.sizes[i]))
			return READING_OTHER;
	}
	for (size_t i = 0; i < new->true_values.n_items; i++) {
		if (!text_list_has(&old->true_values, new->true_values.items[i], new->true_values.sizes[i]))
			return READING_PART;
	}
	for (size_t i = 0; i < new->false_values.n_items; i++) {
		if (!text_list_has(&old->false_values, new->false_values.items[i], new->false_values.sizes[i]))
			return READING_PART;
	}
	return READING_SAME;
}

enum compat_reading compat_read_as(const struct field *old, const struct field *new)
{
	if (old->parse == NULL)
		return READING_SAME; /* any text */
	if (is_number(old) && is_number(new))
		return read_number(old, new);
	if (is_number(old) && new->type == FIELD_YEAR)
		return READING_SAME; /* four digits */
	if (old->type == FIELD_BOOLEAN && new->type == FIELD_BOOLEAN)
		return read_boolean(old, new);
	if (is_temporal(old->type) && old->type == new->type)
		return read_temporal(old, new);
	if (old->type == FIELD_LIST && new->type == FIELD_LIST)
		return read_list(old, new);
	if (old->type == FIELD_OBJECT || old->type == FIELD_ARRAY)
		return read_json(old, new);
	if (old->type == new->type)
		return strcmp(old->format, new->format) == 0 ? READING_SAME : READING_PART;
	return types_overlap(old, new) ? READING_PART : READING_NONE;
}

/* Text compares as it is written: what differs for anybody differs there. */
bool compat_keeps_apart(const struct field *old, const struct field *new)
{
	return old->parse == NULL || compat_read_as(old, new) == READING_SAME;
}

const struct text_list *compat_few_cells(const struct field *field, size_t index)
{
	if (field->enum_texts.n_items > 0)
		return index == 0 ? &field->enum_texts : NULL;
	if (field->type == FIELD_BOOLEAN)
		return index == 0 ? &field->true_values : index == 1 ? &field->false_values : NULL;
	return NULL;
}

/* --- the break ----------------------------------------------------------------------------------------------------- */

static bool has_few_cells(const struct field *field)
{
	return compat_few_cells(field, 0) != NULL;
}

/* Each of the few cells is tried on the reader itself. */
static bool few_cells_parse(const struct field *old, const struct field *new)
{
	const struct text_list *list;
	struct value_scratch scratch;

	for (size_t i = 0; (list = compat_few_cells(new, i)) != NULL; i++) {
		for (size_t j = 0; j < list->n_items; j++) {
			if (compat_accepts(new, list->items[j], list->sizes[j]) &&
			    !field_is_missing(old, list->items[j], list->sizes[j]) &&
			    (field_check(old, list->items[j], list->sizes[j], &scratch, NULL) & RULE_TYPE) != 0)
				return false;
		}
	}
	return true;
}

struct property_change {
	enum field_type type;
	const char *property, *words;
};

/* What of a type's own properties differs, for the line. */
static const struct property_change PROPERTIES[] = {
	{FIELD_NUMBER, "decimalChar", "the mark of decimals changed"},
	{FIELD_NUMBER, "groupChar", "the mark of groups changed"},
	{FIELD_NUMBER, "bareNumber", "bareNumber changed"},
	{FIELD_INTEGER, "groupChar", "the mark of groups changed"},
	{FIELD_INTEGER, "bareNumber", "bareNumber changed"},
	{FIELD_BOOLEAN, "trueValues", "the words of true changed"},
	{FIELD_BOOLEAN, "falseValues", "the words of false changed"},
	{FIELD_LIST, "delimiter", "its items are cut at another mark"},
	{FIELD_LIST, "itemType", "its items are of another type"},
};

static void add_format(const struct compat_pair *pair, enum compat_verdict verdict, struct compat_result *result)
{
	const char *name = pair->old->name, *words = "its format changed", *property = "format";

	for (size_t i = 0; i < ARRAY_SIZE(PROPERTIES); i++) {
		const json_t *was = json_object_get(pair->old->json, PROPERTIES[i].property),
			     *is = json_object_get(pair->new->json, PROPERTIES[i].property);

		if (PROPERTIES[i].type == pair->old->type && was != is && (was == NULL || !json_equal(was, is))) {
			words = PROPERTIES[i].words;
			property = PROPERTIES[i].property;
			break;
		}
	}
	compat_was_property(compat_add(result, verdict, "format-changed", name, "field %s: %s%s", name, words,
				       verdict == COMPAT_NO ? ": cells would be read as what they do not mean" : ""),
			    pair, property);
}

void compat_compare_type(const struct compat_pair *pair, struct compat_result *result)
{
	const struct field *old = pair->old, *new = pair->new;
	enum compat_reading reading = compat_read_as(old, new);
	const char *was = field_type_name(old->type), *is = field_type_name(new->type);

	if (reading == READING_SAME || (reading != READING_OTHER && has_few_cells(new) && few_cells_parse(old, new)))
		return;
	if (old->type == new->type || reading == READING_OTHER || (old->type == FIELD_STRING && new->parse == NULL)) {
		add_format(pair, reading == READING_PART ? COMPAT_BY_DATA : COMPAT_NO, result);
		return;
	}
	compat_was(compat_add(result, reading == READING_NONE ? COMPAT_NO : COMPAT_BY_DATA, "type-changed", old->name,
			      "field %s: %s was %s", old->name, is, was),
		   was, is);
}
