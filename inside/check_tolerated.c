/* SPDX-License-Identifier: ISC
 *
 * check_tolerated: faults that the outside let through and says so (bundle/FORMAT.md 12.5). Its list is no more than a claim: every row is held
 * to the whole schema here, too, and what is not listed, or is there more often, is a reason to hold.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "inside/check.h"
#include "schemas/tolerated.h"

enum fault check_tolerated_load(const struct resource *resource, struct rule_levels *ret_levels, struct refusal *why)
{
	const json_t *list = json_object_get(json_object_get(resource->json, "clapet"), "tolerated");
	struct refusal inner;

	if (list == NULL)
		return FAULT_NONE;
	if (tolerated_parse(list, "clapet.tolerated", ret_levels, &inner) != FAULT_NONE)
		return refuse(why, FAULT_VERSION_FORM, "resource %s: %s", resource->name, inner.line);
	return FAULT_NONE;
}

enum fault check_tolerated_breaks(const struct validation_table *table, const struct rule_levels *levels,
				  enum fault fault, const char *application, const char *resource, const char *who,
				  struct check_answer *answer, struct refusal *why)
{
	enum fault result = FAULT_NONE;

	for (size_t i = 0; i < levels->n_items && result == FAULT_NONE; i++) {
		const struct rule_level *item = &levels->items[i];
		uint64_t n = tolerated_count(table, item);
		char words[256], line[RECORD_LINE_SIZE];

		if (n <= item->most)
			continue;
		snprintf(line, sizeof(line), "%s: %s, %llu faults, and %s lets %llu pass", resource,
			 tolerated_words(item->rule, item->field, words, sizeof(words)), (unsigned long long)n, who,
			 (unsigned long long)item->most);
		result = check_answer_break(answer, fault, application, resource,
					    item->field != NULL ? item->field : "", item->rule, line, why);
	}
	return result;
}

static void answer_one(const struct rule_level *item, const char *resource, struct check_answer *answer)
{
	struct record record = record_new(RECORD_TOLERATED);
	struct record_tolerated *sent = &record.tolerated;

	record_text(sent->resource, sizeof(sent->resource), resource);
	record_text(sent->rule, sizeof(sent->rule), item->rule);
	record_text(sent->field, sizeof(sent->field), item->field != NULL ? item->field : "");
	sent->count = item->most;
	record_send(answer->sock, &record, -1);
}

void check_tolerated_answer(const struct validation_table *table, const struct rule_levels *levels,
			    const char *resource, struct check_answer *answer)
{
	_cleanup_(rule_levels_clear) struct rule_levels passed = {.n_items = 0};

	tolerated_collect(table, &passed);
	for (size_t i = 0; i < passed.n_items; i++)
		answer_one(&passed.items[i], resource, answer);
	for (size_t i = 0; i < levels->n_items; i++)
		if (rule_is_personal(levels->items[i].rule))
			answer_one(&levels->items[i], resource, answer);
}

bool check_tolerated_is_of_rows(const struct resource *resource)
{
	const json_t *list = json_object_get(json_object_get(resource->json, "clapet"), "tolerated");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *rule = json_string_value(json_object_get(json_array_get(list, i), "rule"));

		if (rule != NULL && !rule_is_personal(rule))
			return true;
	}
	return false;
}

void check_tolerated_in_force(const struct resource *in_force, struct rule_levels *ret_levels)
{
	struct refusal why;

	if (in_force == NULL || check_tolerated_load(in_force, ret_levels, &why) != FAULT_NONE) {
		/* It was in form when it came in force; if this program is stricter, nothing of it counts. */
		rule_levels_clear(ret_levels);
		return;
	}
	for (size_t i = 0; i < ret_levels->n_items; i++) {
		uint64_t *most = &ret_levels->items[i].most,
			 more = *most / 100 * TOLERATED_GROWTH_PERCENT + *most % 100 * TOLERATED_GROWTH_PERCENT / 100;

		*most += more > TOLERATED_GROWTH_ROWS ? more : TOLERATED_GROWTH_ROWS;
	}
}
