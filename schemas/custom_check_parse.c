/* SPDX-License-Identifier: ISC
 *
 * custom_check: from a schema's descriptor, with a remark for whatever cannot be understood.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "schemas/custom_check.h"
#include "schemas/french.h"

static void __attribute__((format(printf, 4, 5)))
remark(struct custom_checks *checks, const struct check_kind *kind, const char *column, const char *format, ...)
{
	char words[FAULT_LINE_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	if (checks->n_remarks == checks->remarks_room) {
		checks->remarks_room = checks->remarks_room * 2 + 4;
		checks->remarks = xrealloc(checks->remarks, checks->remarks_room, sizeof(checks->remarks[0]));
	}
	checks->remarks[checks->n_remarks++] = (struct check_remark){kind != NULL ? kind->name : "custom-check", column,
								     xstrdup(words)};
}

static void clear(struct custom_check *check)
{
	free(check->columns);
	free(check->extra);
}

static void keep(struct custom_checks *checks, struct custom_check *check)
{
	if (checks->n_items == LIMIT_CUSTOM_CHECKS) {
		remark(checks, check->kind, check->columns[0], "is not checked: the schema has more than %d checks",
		       LIMIT_CUSTOM_CHECKS);
		clear(check);
		return;
	}
	if (checks->n_items == checks->items_room) {
		checks->items_room = checks->items_room * 2 + 4;
		checks->items = xrealloc(checks->items, checks->items_room, sizeof(checks->items[0]));
	}
	checks->items[checks->n_items++] = *check;
}

/* --- columns
 * ---------------------------------------------------------------------------------------------------------- */

static bool add_column(struct custom_check *check, const json_t *value)
{
	const char *name = json_string_value(value);

	if (name == NULL || check->n_columns == LIMIT_KEY_COLUMNS)
		return false;
	check->columns[check->n_columns++] = name;
	return true;
}

static bool add_columns(struct custom_check *check, const json_t *value)
{
	size_t i;
	json_t *item;

	if (json_is_string(value))
		return add_column(check, value);
	json_array_foreach(value, i, item)
	{
		if (!add_column(check, item))
			return false;
	}
	return json_array_size(value) > 0;
}

static const json_t *get_either(const json_t *object, const char *key, const char *other)
{
	const json_t *value = json_object_get(object, key);

	return value != NULL ? value : json_object_get(object, other);
}

static bool read_columns(struct custom_check *check, const json_t *params)
{
	const json_t *first = get_either(params, "column", "column1");

	check->columns = xcalloc(LIMIT_KEY_COLUMNS, sizeof(check->columns[0]));
	switch (check->kind->act) {
	case CHECK_COHESIVE:
		return add_column(check, first) && add_columns(check, json_object_get(params, "othercolumns"));
	case CHECK_SUM:
		return add_column(check, first) && add_columns(check, json_object_get(params, "columns"));
	case CHECK_COMPARE:
	case CHECK_ONE_OF:
		return add_column(check, first) && add_column(check, json_object_get(params, "column2"));
	case CHECK_CELL:
	case CHECK_PLACE:
	case CHECK_HOURS:
	case CHECK_LISTED:
	case CHECK_NO_LIST:
		break;
	}
	return add_column(check, first);
}

/* --- parameters
 * ------------------------------------------------------------------------------------------------------- */

static bool read_operator(struct custom_check *check, const json_t *value)
{
	for (int op = CHECK_LESS; json_is_string(value) && op <= CHECK_GREATER; op++) {
		if (strcmp(json_string_value(value), check_operator_name((enum check_operator)op)) == 0) {
			check->op = (enum check_operator)op;
			return true;
		}
	}
	return false;
}

/* true, "true", "yes": as schemas write it. False: none of these nor their contrary. */
static bool read_truth(const json_t *value, bool *ret)
{
	const char *text = json_string_value(value);

	*ret = json_is_true(value) || (text != NULL && (strcmp(text, "true") == 0 || strcmp(text, "yes") == 0));
	return *ret || json_is_false(value) ||
	       (text != NULL && (strcmp(text, "false") == 0 || strcmp(text, "no") == 0));
}

static bool read_year(struct custom_check *check, const json_t *value)
{
	const char *text = json_string_value(value);
	int year = json_is_integer(value) && json_integer_value(value) > 0 && json_integer_value(value) < 10000
			   ? (int)json_integer_value(value)
			   : 0;

	if (text != NULL && strcmp(text, "latest") == 0)
		return true;
	if (text != NULL && french_year_or_interval(text, strlen(text)) == NULL && strlen(text) == 4)
		year = atoi(text);
	check->year = year;
	return french_has_year(check->kind->list, year);
}

static bool read_extra(struct custom_check *check, const json_t *value)
{
	size_t i;
	json_t *item;

	if (!json_is_array(value) || json_array_size(value) > LIMIT_TEXTS)
		return false;
	free(check->extra);
	check->extra = xcalloc(json_array_size(value) + 1, sizeof(check->extra[0]));
	check->n_extra = 0;
	json_array_foreach(value, i, item)
	{
		if (!json_is_string(item))
			return false;
		check->extra[check->n_extra++] = json_string_value(item);
	}
	return true;
}

static bool *fold_option(struct custom_check *check, const char *key)
{
	if (strcmp(key, "ignore_case") == 0 || strcmp(key, "ignoreCase") == 0)
		return &check->fold.ignore_case;
	if (strcmp(key, "ignore_accents") == 0 || strcmp(key, "ignoreAccents") == 0)
		return &check->fold.ignore_accents;
	if (strcmp(key, "replace_non_alphanumeric_with_space") == 0 ||
	    strcmp(key, "replaceNonAlphanumericWithSpace") == 0)
		return &check->fold.no_punctuation;
	if (strcmp(key, "ignore_extra_whitespace") == 0 || strcmp(key, "ignoreExtraWhitespace") == 0)
		return &check->fold.ignore_extra_blanks;
	return NULL;
}

enum parameter { PARAMETER_GOOD, PARAMETER_BAD, PARAMETER_UNKNOWN };

static enum parameter read_list_parameter(struct custom_check *check, const char *key, const json_t *value)
{
	bool *option = fold_option(check, key), is_good;

	if (option != NULL) {
		is_good = read_truth(value, option);
		check->folds = check->folds || *option;
		return is_good ? PARAMETER_GOOD : PARAMETER_BAD;
	}
	if (strcmp(key, "version") == 0)
		return read_year(check, value) ? PARAMETER_GOOD : PARAMETER_BAD;
	if (strcmp(key, "extra_valid_values") == 0 || strcmp(key, "extraValidValues") == 0)
		return read_extra(check, value) ? PARAMETER_GOOD : PARAMETER_BAD;
	return PARAMETER_UNKNOWN;
}

static bool is_column_parameter(const struct custom_check *check, const char *key)
{
	enum check_act act = check->kind->act;

	if (strcmp(key, "column") == 0 || strcmp(key, "column1") == 0)
		return true;
	if (strcmp(key, "column2") == 0)
		return act == CHECK_COMPARE || act == CHECK_ONE_OF;
	return (act == CHECK_COHESIVE && strcmp(key, "othercolumns") == 0) ||
	       (act == CHECK_SUM && strcmp(key, "columns") == 0);
}

static enum parameter read_parameter(struct custom_check *check, const char *key, const json_t *value)
{
	bool is_true;

	if (is_column_parameter(check, key))
		return PARAMETER_GOOD;
	if (check->kind->act == CHECK_LISTED)
		return read_list_parameter(check, key, value);
	if (check->kind->act == CHECK_COMPARE && strcmp(key, "op") == 0)
		return read_operator(check, value) ? PARAMETER_GOOD : PARAMETER_BAD;
	if (check->kind->words != french_year_interval || strcmp(key, "allow-year-only") != 0)
		return PARAMETER_UNKNOWN;
	if (!read_truth(value, &is_true))
		return PARAMETER_BAD;
	check->words = is_true ? french_year_or_interval : french_year_interval;
	return PARAMETER_GOOD;
}

/* False: the check cannot be made. A parameter that is not known is told, and the check made without it. */
static bool read_parameters(struct custom_checks *checks, struct custom_check *check, const json_t *params)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)params, key, value)
	{
		if (json_is_object(value) && strcmp(key, "options") == 0) {
			if (!read_parameters(checks, check, value))
				return false;
			continue;
		}
		switch (read_parameter(check, key, value)) {
		case PARAMETER_GOOD:
			break;
		case PARAMETER_BAD:
			remark(checks, check->kind, check->columns[0],
			       "is not checked: the parameter %.100s has a value that is not known here", key);
			return false;
		case PARAMETER_UNKNOWN:
			remark(checks, check->kind, check->columns[0],
			       "is checked without its parameter %.100s, which is not known here", key);
			break;
		}
	}
	return true;
}

/* --- checks
 * ----------------------------------------------------------------------------------------------------------- */

/* A check of KIND over what PARAMS name, or over COLUMN alone. */
static void add(struct custom_checks *checks, const struct check_kind *kind, const json_t *params, const json_t *column)
{
	struct custom_check check = {.kind = kind, .words = kind->words, .year = FRENCH_YEAR_LATEST};
	bool has_columns;

	if (column != NULL) {
		check.columns = xcalloc(1, sizeof(check.columns[0]));
		has_columns = add_column(&check, column);
	} else {
		has_columns = read_columns(&check, params);
	}
	if (!has_columns)
		remark(checks, kind, check.n_columns > 0 ? check.columns[0] : NULL,
		       "is not checked: its parameters do not name the columns that it needs");
	else if (kind->act == CHECK_NO_LIST)
		remark(checks, kind, check.columns[0], "is not checked: its list of names or codes is not kept here");
	else if (kind->act == CHECK_COMPARE && json_object_get(params, "op") == NULL)
		remark(checks, kind, check.columns[0], "is not checked: it has no parameter op");
	else if (read_parameters(checks, &check, params)) {
		keep(checks, &check);
		return;
	}
	clear(&check);
}

static void read_custom(struct custom_checks *checks, const json_t *item)
{
	const char *name = json_string_value(json_object_get(item, "name"));
	const json_t *params = json_object_get(item, "params");
	const struct check_kind *kind = name != NULL ? check_kind_find(name) : NULL;

	if (name == NULL)
		remark(checks, NULL, NULL, "custom_checks: an item has no name, and is not checked");
	else if (kind == NULL)
		remark(checks, NULL, json_string_value(get_either(params, "column", "column1")),
		       "custom_checks: no check is called %.100s, and it is not checked", name);
	else
		add(checks, kind, params, NULL);
}

static void read_format(struct custom_checks *checks, const json_t *column, const json_t *format)
{
	const json_t *name = json_is_object(format) ? json_object_get(format, "name") : format;
	const struct check_kind *kind = json_is_string(name) ? check_kind_find(json_string_value(name)) : NULL;
	json_t *params = NULL;

	if (kind != NULL && kind->act >= CHECK_COHESIVE && kind->act <= CHECK_ONE_OF)
		kind = NULL;
	if (kind == NULL) {
		remark(checks, NULL, json_string_value(column),
		       "frFormat: no format is called %.100s, and it is not checked",
		       json_is_string(name) ? json_string_value(name) : "so");
		return;
	}
	if (json_is_object(format)) {
		params = json_copy((json_t *)(uintptr_t)format);
		json_object_del(params, "name");
	}
	add(checks, kind, params, column);
	json_decref(params);
}

struct custom_checks *custom_checks_new(const json_t *schema)
{
	struct custom_checks *checks = xcalloc(1, sizeof(*checks));
	const json_t *customs = json_object_get(schema, "custom_checks"), *fields = json_object_get(schema, "fields");
	size_t i;
	json_t *item;

	if (customs == NULL)
		customs = get_either(schema, "customChecks", "custom-checks");
	if (customs != NULL && !json_is_array(customs) && !json_is_null(customs))
		remark(checks, NULL, NULL, "custom_checks: is no array, and none is checked");
	json_array_foreach(customs, i, item)
	{
		read_custom(checks, item);
	}
	json_array_foreach(fields, i, item)
	{
		const json_t *format = json_object_get(item, "frFormat");

		if (format != NULL && !json_is_null(format))
			read_format(checks, json_object_get(item, "name"), format);
	}
	return checks;
}

void custom_checks_free(struct custom_checks *checks)
{
	if (checks == NULL)
		return;
	for (size_t i = 0; i < checks->n_items; i++)
		clear(&checks->items[i]);
	free(checks->items);
	for (size_t i = 0; i < checks->n_remarks; i++)
		free(checks->remarks[i].words);
	free(checks->remarks);
	free(checks);
}

/* --- comparing
 * -------------------------------------------------------------------------------------------------------- */

static bool same_texts(const char *const *a, size_t n_a, const char *const *b, size_t n_b)
{
	for (size_t i = 0; n_a == n_b && i < n_a; i++) {
		if (strcmp(a[i], b[i]) != 0)
			return false;
	}
	return n_a == n_b;
}

static bool is_same(const struct custom_check *a, const struct custom_check *b)
{
	return a->kind->act == b->kind->act && a->words == b->words && a->kind->list == b->kind->list &&
	       a->op == b->op && a->year == b->year && memcmp(&a->fold, &b->fold, sizeof(a->fold)) == 0 &&
	       same_texts(a->columns, a->n_columns, b->columns, b->n_columns) &&
	       same_texts(a->extra, a->n_extra, b->extra, b->n_extra);
}

bool custom_checks_hold(const struct custom_checks *old_checks, const struct custom_checks *new_checks,
			const struct custom_check **ret_lacking)
{
	for (size_t i = 0; i < old_checks->n_items; i++) {
		bool is_asked = false;

		for (size_t j = 0; !is_asked && j < new_checks->n_items; j++)
			is_asked = is_same(&old_checks->items[i], &new_checks->items[j]);
		if (!is_asked) {
			if (ret_lacking != NULL)
				*ret_lacking = &old_checks->items[i];
			return false;
		}
	}
	return true;
}
