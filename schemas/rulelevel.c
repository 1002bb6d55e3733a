/* SPDX-License-Identifier: ISC
 *
 * rulelevel: see rulelevel.h.
 */
#include "schemas/rulelevel.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "schemas/custom_check.h"

/* Every rule that a fault can have: constraints by their names, the rest by their types'; custom checks by their own names. */
static const struct {
	const char *rule;
	bool may_warn;
} rules[] = {
	{"type-error", true},
	{"required", true},
	{"minimum", true},
	{"maximum", true},
	{"exclusiveMinimum", true},
	{"exclusiveMaximum", true},
	{"minLength", true},
	{"maxLength", true},
	{"pattern", true},
	{"enum", true},
	{"jsonSchema", true},
	{"unique", true},
	{"uniqueKeys", true},
	{"primary-key", true},
	{"foreign-key", true},
	{"blank-row", true},
	{"pattern-limit", false},
	{"missing-label", false},
	{"extra-label", false},
	{"incorrect-label", false},
	{"duplicate-label", false},
	{"blank-label", false},
	{"blank-header", false},
	{"missing-cell", false},
	{"extra-cell", false},
	{"custom-check-skipped", true},
	{"personal-nir", true},
	{"personal-email", true},
	{"personal-telephone", true},
	{"forbidden-column", false},
	{"source-error", false},
};

const char *fault_level_name(enum fault_level level)
{
	return level == LEVEL_WARNING ? "warning" : "error";
}

bool rule_is_known(const char *rule)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (strcmp(rules[i].rule, rule) == 0)
			return true;
	}
	return custom_check_is_rule(rule);
}

bool rule_may_warn(const char *rule)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (strcmp(rules[i].rule, rule) == 0)
			return rules[i].may_warn;
	}
	return custom_check_is_rule(rule);
}

bool rule_is_personal(const char *rule)
{
	return strncmp(rule, "personal-", 9) == 0 || strcmp(rule, "forbidden-column") == 0;
}

bool rule_is_of_data(const char *rule)
{
	return strcmp(rule, "custom-check-skipped") != 0;
}

static int compare(const struct rule_level *item, const char *rule, const char *field)
{
	int order = strcmp(item->rule, rule);

	if (order != 0)
		return order;
	if (item->field == NULL || field == NULL)
		return (item->field != NULL) - (field != NULL);
	return strcmp(item->field, field);
}

/* The place of the pair, or where it would stand. */
static size_t find_place(const struct rule_levels *levels, const char *rule, const char *field)
{
	size_t low = 0, high = levels->n_items;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare(&levels->items[middle], rule, field) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct rule_levels *levels, size_t place, const char *rule, const char *field)
{
	return place < levels->n_items && compare(&levels->items[place], rule, field) == 0;
}

bool rule_levels_add(struct rule_levels *levels, const char *rule, const char *field, enum fault_level level,
		     uint64_t most)
{
	size_t place = find_place(levels, rule, field);

	if (is_at(levels, place, rule, field))
		return false;
	levels->items = xrealloc(levels->items, levels->n_items + 1, sizeof(levels->items[0]));
	memmove(&levels->items[place + 1], &levels->items[place], (levels->n_items - place) * sizeof(levels->items[0]));
	levels->n_items++;
	levels->items[place] = (struct rule_level){
		.rule = xstrdup(rule),
		.field = field != NULL ? xstrdup(field) : NULL,
		.level = level,
		.most = most,
	};
	return true;
}

const struct rule_level *rule_levels_find(const struct rule_levels *levels, const char *rule, const char *field)
{
	size_t place = find_place(levels, rule, field);

	if (!is_at(levels, place, rule, field) && field != NULL) {
		field = NULL;
		place = find_place(levels, rule, NULL);
	}
	return is_at(levels, place, rule, field) ? &levels->items[place] : NULL;
}

void rule_levels_clear(struct rule_levels *levels)
{
	for (size_t i = 0; i < levels->n_items; i++) {
		free(levels->items[i].rule);
		free(levels->items[i].field);
	}
	free(levels->items);
	*levels = (struct rule_levels){.n_items = 0};
}
