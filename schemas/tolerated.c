/* SPDX-License-Identifier: ISC
 *
 * tolerated: see tolerated.h.
 */
#include "schemas/tolerated.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/limits.h"

static bool is_same_field(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool is_of(const struct fault_tally *tally, const struct rule_level *item)
{
	return strcmp(tally->rule, item->rule) == 0 && is_same_field(tally->field_name, item->field);
}

void tolerated_collect(const struct validation_table *table, struct rule_levels *levels)
{
	for (size_t i = 0; i < validation_n_tallies(table); i++) {
		const struct fault_tally *tally = validation_tally(table, i);

		if (tally->level != LEVEL_WARNING || !rule_is_of_data(tally->rule) ||
		    rule_levels_add(levels, tally->rule, tally->field_name, LEVEL_WARNING, tally->count))
			continue;
		for (size_t k = 0; k < levels->n_items; k++)
			if (is_of(tally, &levels->items[k]))
				levels->items[k].most += tally->count;
	}
}

uint64_t tolerated_count(const struct validation_table *table, const struct rule_level *item)
{
	uint64_t n = 0;

	for (size_t i = 0; i < validation_n_tallies(table); i++)
		n += is_of(validation_tally(table, i), item) ? validation_tally(table, i)->count : 0;
	return n;
}

json_t *tolerated_to_json(const struct rule_levels *levels)
{
	json_t *list = json_or_die(json_array());

	for (size_t i = 0; i < levels->n_items; i++) {
		const struct rule_level *item = &levels->items[i];
		json_t *object = json_or_die(
			json_pack("{s:s, s:I}", "rule", item->rule, "count", (json_int_t)item->most));

		if (item->field != NULL)
			json_object_set_new(object, "field", json_or_die(json_string(item->field)));
		json_array_append_new(list, object);
	}
	return list;
}

static enum fault parse_item(const json_t *object, const char *where, struct rule_levels *levels, struct refusal *why)
{
	static const char *const allowed[] = {"rule", "field", "count", NULL};
	const char *rule = NULL, *field = NULL;
	const struct rule_level *last;
	int64_t count = 0;
	enum fault fault;

	if (!json_is_object(object))
		return refuse(why, FAULT_JSON_MEMBER, "%s: an entry is no object", where);
	if ((fault = json_only(object, where, allowed, why)) != FAULT_NONE ||
	    (fault = json_get_text(object, where, "rule", true, &rule, why)) != FAULT_NONE ||
	    (fault = json_get_text(object, where, "field", false, &field, why)) != FAULT_NONE ||
	    (fault = json_get_integer(object, where, "count", true, 1, LIMIT_VERSION, &count, why)) != FAULT_NONE)
		return fault;
	if (!rule_is_known(rule))
		return refuse(why, FAULT_JSON_MEMBER, "%s: there is no rule \"%.60s\"", where, rule);
	if (!rule_may_warn(rule) || !rule_is_of_data(rule))
		return refuse(why, FAULT_JSON_MEMBER, "%s: faults of %s cannot be let through", where, rule);
	if (!rule_levels_add(levels, rule, field, LEVEL_WARNING, (uint64_t)count))
		return refuse(why, FAULT_JSON_MEMBER, "%s: %s stands there twice for one field", where, rule);
	last = &levels->items[levels->n_items - 1];
	if (strcmp(last->rule, rule) != 0 || !is_same_field(last->field, field))
		return refuse(why, FAULT_JSON_MEMBER, "%s: not sorted by rule and field", where);
	return FAULT_NONE;
}

enum fault tolerated_parse(const json_t *list, const char *where, struct rule_levels *ret_levels, struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	if (!json_is_array(list))
		return refuse(why, FAULT_JSON_MEMBER, "%s: is no list", where);
	if (json_array_size(list) > LIMIT_TOLERATED)
		return refuse(why, FAULT_JSON_MEMBER, "%s: %zu entries, at most %d", where, json_array_size(list),
			      LIMIT_TOLERATED);
	for (size_t i = 0; i < json_array_size(list) && fault == FAULT_NONE; i++)
		fault = parse_item(json_array_get(list, i), where, ret_levels, why);
	return fault;
}

char *tolerated_words(const char *rule, const char *field, char *text, size_t size)
{
	char escaped[160];

	if (field == NULL || field[0] == '\0')
		snprintf(text, size, "%s", rule);
	else
		snprintf(text, size, "%s in %s", rule, text_escape(field, strlen(field), escaped, sizeof(escaped)));
	return text;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

char *tolerated_list_words(const json_t *list, char *text, size_t size)
{
	const char *resource = "";
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		char words[256], name[80], piece[400];
		int length;

		tolerated_words(text_of(item, "rule"), text_of(item, "field"), words, sizeof(words));
		text_escape(text_of(item, "resource"), strlen(text_of(item, "resource")), name, sizeof(name));
		if (strcmp(resource, text_of(item, "resource")) != 0)
			length = snprintf(piece, sizeof(piece), "%s%s: ", i > 0 ? "; " : "", name);
		else
			length = snprintf(piece, sizeof(piece), ", ");
		resource = text_of(item, "resource");
		length += snprintf(piece + length, sizeof(piece) - (size_t)length, "%s (%" JSON_INTEGER_FORMAT ")",
				   words, json_integer_value(json_object_get(item, "count")));
		/* Room for the last words. */
		if (n + (size_t)length + 32 > size) {
			snprintf(text + n, size - n, ", and %zu other kinds", json_array_size(list) - i);
			break;
		}
		n += (size_t)snprintf(text + n, size - n, "%s", piece);
	}
	return text;
}
