/* SPDX-License-Identifier: ISC
 *
 * sourcerules: see sourcerules.h.
 */
#include "outside/sourcerules.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "schemas/tolerated.h"

/* --- levels
 * ----------------------------------------------------------------------------------------------------------- */

/* Whether FIELD is what faults of the key KEY give as their field: "a", "a, b". */
static bool is_key(const struct table_key *key, const char *field)
{
	size_t n = 0;

	for (size_t i = 0; i < key->n_columns; i++) {
		size_t length = strlen(key->columns[i]);

		if (i > 0 && strncmp(field + n, ", ", 2) != 0)
			return false;
		n += i > 0 ? 2 : 0;
		if (strncmp(field + n, key->columns[i], length) != 0)
			return false;
		n += length;
	}
	return key->n_columns > 0 && field[n] == '\0';
}

static bool has_field(const struct schema *schema, const char *field)
{
	if (schema == NULL)
		return false;
	if (schema_field(schema, field) != NULL || is_key(&schema->primary_key, field))
		return true;
	for (size_t i = 0; i < schema->n_unique_keys; i++)
		if (is_key(&schema->unique_keys[i], field))
			return true;
	for (size_t i = 0; i < schema->n_foreign_keys; i++)
		if (is_key(&schema->foreign_keys[i], field))
			return true;
	return false;
}

/* "enum:zone" in two; FIELD NULL: "enum". RULE is owned by the caller. */
static char *split(const char *key, const char **ret_field)
{
	const char *colon = strchr(key, ':');
	char *rule = xstrdup(key);

	*ret_field = colon != NULL ? colon + 1 : NULL;
	if (colon != NULL)
		rule[colon - key] = '\0';
	return rule;
}

static enum fault parse_level(const char *key, const json_t *value, enum fault_level *ret_level, struct refusal *why)
{
	const char *word = json_string_value(value), *field = NULL;
	_cleanup_free_ char *rule = split(key, &field);

	if (!rule_is_known(rule))
		return refuse(why, FAULT_SOURCE, "rules: there is no rule \"%.60s\" (see clapet-outside(1), LEVELS)",
			      rule);
	if (rule_is_personal(rule))
		return refuse(why, FAULT_SOURCE,
			      "rules: %s: forbiddenColumns and allowedColumns say what becomes of it", rule);
	if (word == NULL || (strcmp(word, "error") != 0 && strcmp(word, "warning") != 0))
		return refuse(why, FAULT_SOURCE, "rules: \"%.80s\" may be \"error\" or \"warning\"", key);
	*ret_level = strcmp(word, "warning") == 0 ? LEVEL_WARNING : LEVEL_ERROR;
	if (*ret_level == LEVEL_WARNING && !rule_may_warn(rule))
		return refuse(why, FAULT_SOURCE,
			      "rules: %s is never a warning: nobody could tell what a cell is (fieldsMatch and map are "
			      "for labels)",
			      rule);
	return FAULT_NONE;
}

/* Of the package's rules those that fit the resource. */
static enum fault parse_levels(const json_t *clapet, const char *where, const struct resource *resource,
			       bool of_package, struct rule_levels *levels, struct refusal *why)
{
	json_t *rules = NULL, *value;
	const char *key;

	if (json_get_object(clapet, where, "rules", false, &rules, why) != FAULT_NONE)
		return why->fault;
	json_object_foreach(rules, key, value)
	{
		const char *field = NULL;
		_cleanup_free_ char *rule = split(key, &field);
		enum fault_level level;

		if (parse_level(key, value, &level, why) != FAULT_NONE)
			return why->fault;
		if ((field != NULL && !has_field(resource->schema, field)) || resource->schema == NULL) {
			if (of_package)
				continue;
			return refuse(why, FAULT_SOURCE, "rules: \"%.80s\": %s", key,
				      resource->schema == NULL ? "the resource has no schema"
							       : "the schema has no such field");
		}
		/* False where the resource's own word is there already. */
		rule_levels_add(levels, rule, field, level, UINT64_MAX);
	}
	return FAULT_NONE;
}

/* What source_load took over from baseline.json, in form. */
static enum fault parse_known(const json_t *clapet, struct source_rules *rules, struct refusal *why)
{
	_cleanup_(rule_levels_clear) struct rule_levels known = {.n_items = 0};
	const json_t *object = json_object_get(clapet, "known");
	uint64_t percent = (uint64_t)json_integer_value(json_object_get(object, "percent"));
	uint64_t rows = (uint64_t)json_integer_value(json_object_get(object, "rows"));

	rules->has_baseline = object != NULL;
	if (object == NULL)
		return FAULT_NONE;
	if (tolerated_parse(json_object_get(object, "faults"), "baseline", &known, why) != FAULT_NONE)
		return why->fault;
	for (size_t i = 0; i < known.n_items; i++) {
		const struct rule_level *item = &known.items[i];
		uint64_t more = item->most / 100 * percent + item->most % 100 * percent / 100;

		/* False where the steward's own word on just this is there already. */
		rule_levels_add(&rules->levels, item->rule, item->field, LEVEL_WARNING,
				item->most + (more > rows ? more : rows));
	}
	return FAULT_NONE;
}

/* --- all of it
 * -------------------------------------------------------------------------------------------------------- */

static enum fault parse_bounds(const json_t *package_clapet, const json_t *clapet, bool has_rows,
			       struct source_rules *rules, struct refusal *why)
{
	rules->min_rows = rules->max_rows = rules->max_change_percent = -1;
	if (json_get_integer(package_clapet, "clapet", "maxChangePercent", false, 0, LIMIT_CHANGE_PERCENT,
			     &rules->max_change_percent, why) != FAULT_NONE ||
	    json_get_integer(clapet, "clapet", "maxChangePercent", false, 0, LIMIT_CHANGE_PERCENT,
			     &rules->max_change_percent, why) != FAULT_NONE ||
	    json_get_integer(clapet, "clapet", "minRows", false, 0, (int64_t)LIMIT_ROWS, &rules->min_rows, why) !=
		    FAULT_NONE ||
	    json_get_integer(clapet, "clapet", "maxRows", false, 0, (int64_t)LIMIT_ROWS, &rules->max_rows, why) !=
		    FAULT_NONE)
		return why->fault;
	if (rules->max_rows >= 0 && rules->min_rows > rules->max_rows)
		return refuse(why, FAULT_SOURCE, "clapet: minRows is more than maxRows");
	if (!has_rows &&
	    (rules->min_rows >= 0 || rules->max_rows >= 0 || json_object_get(clapet, "maxChangePercent") != NULL))
		return refuse(why, FAULT_SOURCE, "clapet: minRows, maxRows and maxChangePercent are for tables");
	if (!has_rows)
		rules->max_change_percent = -1;
	return FAULT_NONE;
}

/* The columns that ALLOWED gives reasons for are the schema's, where that says what may be there. */
static enum fault check_allowed(const struct resource *resource, const json_t *allowed, struct refusal *why)
{
	const struct schema *schema = resource->schema;
	json_t *reason;
	const char *column;

	if (schema == NULL || schema->match == FIELDS_SUBSET || schema->match == FIELDS_PARTIAL)
		return FAULT_NONE;
	json_object_foreach((json_t *)(uintptr_t)allowed, column, reason)
	{
		(void)reason;
		if (schema_field(schema, column) == NULL)
			return refuse(why, FAULT_SOURCE, "allowedColumns: the schema has no field \"%.80s\"", column);
	}
	return FAULT_NONE;
}

static enum fault parse_personal(const json_t *package_clapet, const json_t *clapet, const struct resource *resource,
				 struct source_rules *rules, struct refusal *why)
{
	const json_t *forbidden = json_object_get(clapet, "forbiddenColumns");
	const json_t *allowed = json_object_get(clapet, "allowedColumns");

	if (forbidden == NULL)
		forbidden = json_object_get(package_clapet, "forbiddenColumns");
	if (personal_policy_parse(forbidden, allowed, "clapet", &rules->personal, why) != FAULT_NONE)
		return why->fault;
	return check_allowed(resource, allowed, why);
}

enum fault source_rules_parse(const struct package *package, const struct resource *resource, struct source_rules *ret,
			      struct refusal *why)
{
	const json_t *of_all = json_object_get(package->json, "clapet");
	const json_t *clapet = json_object_get(resource->json, "clapet");

	*ret = (struct source_rules){.min_rows = -1};
	if (parse_levels(clapet, "clapet", resource, false, &ret->levels, why) != FAULT_NONE ||
	    parse_levels(of_all, "clapet", resource, true, &ret->levels, why) != FAULT_NONE ||
	    parse_known(clapet, ret, why) != FAULT_NONE ||
	    parse_personal(of_all, clapet, resource, ret, why) != FAULT_NONE ||
	    parse_bounds(of_all, clapet, resource->is_table && !resource->opaque, ret, why) != FAULT_NONE)
		return refuse_within(why, "resource %s", resource->name);
	return FAULT_NONE;
}

void source_rules_clear(struct source_rules *rules)
{
	rule_levels_clear(&rules->levels);
}

static enum fault check_package_rules(const struct package *package, struct refusal *why)
{
	json_t *rules = json_object_get(json_object_get(package->json, "clapet"), "rules"), *value;
	const char *key;

	json_object_foreach(rules, key, value)
	{
		const char *field = NULL;
		_cleanup_free_ char *rule = split(key, &field);
		bool is_taken = false;

		for (size_t i = 0; i < package->n_resources && !is_taken; i++) {
			const struct schema *schema = package->resources[i].schema;

			is_taken = schema != NULL && (field == NULL || has_field(schema, field));
		}
		if (!is_taken)
			return refuse(why, FAULT_SOURCE, "rules: \"%.80s\": no resource has such a field", key);
	}
	return FAULT_NONE;
}

enum fault source_rules_check(const struct package *package, struct refusal *why)
{
	for (size_t i = 0; i < package->n_resources; i++) {
		_cleanup_(source_rules_clear) struct source_rules rules;

		if (source_rules_parse(package, &package->resources[i], &rules, why) != FAULT_NONE)
			return why->fault;
	}
	return check_package_rules(package, why);
}

/* --- columns that should not be there
 * --------------------------------------------------------------------------------- */

static void tell_column(struct validation_table *table, const struct personal_column *column, size_t field,
			enum personal_kind kind, bool is_named, enum fault_level level)
{
	static const char *const words[PERSONAL_N] = {"social security numbers (NIR)", "e-mail addresses",
						      "telephone numbers"};
	char note[256];

	if (column->n_like[kind] > 0)
		snprintf(note, sizeof(note),
			 "holds %s: %s%" PRIu64 " of the %" PRIu64 " cells that were looked at are some", words[kind],
			 is_named ? "its name says so, and " : "", column->n_like[kind], column->n_cells);
	else
		snprintf(note, sizeof(note), "holds %s, its name says", words[kind]);
	validation_table_personal(table, personal_kind_rule(kind), field, column->name, level, note);
}

/* What the column is told for. A NIR stops by its name; no reason lets one pass that is called so and holds some. */
static void judge_column(const struct personal_policy *policy, struct validation_table *table,
			 const struct personal_column *column, size_t field)
{
	bool has_reason = personal_policy_reason(policy, column->name) != NULL;

	if (personal_policy_forbids(policy, column->name))
		validation_table_personal(table, "forbidden-column", field, column->name, LEVEL_ERROR,
					  "is a column that forbiddenColumns names");
	for (enum personal_kind kind = 0; kind < PERSONAL_N; kind++) {
		bool is_named = personal_is_named(kind, column->name);
		bool is_like = personal_column_looks_like(column, kind);
		bool is_sure = kind == PERSONAL_NIR && is_named && is_like;
		bool stops = policy->stops[kind] || (kind == PERSONAL_NIR && is_named);

		if ((is_named || is_like) && (!has_reason || is_sure))
			tell_column(table, column, field, kind, is_named, stops ? LEVEL_ERROR : LEVEL_WARNING);
	}
}

void source_rules_look(const struct source_rules *rules, const struct resource *resource, int fd,
		       struct validation_table *table)
{
	_cleanup_(personal_scan_clear) struct personal_scan scan = {.columns = NULL};

	personal_scan_table(resource, resource->verbatim ? &resource->dialect : &dialect_plain, fd, &scan);
	for (size_t i = 0; i < scan.n_columns; i++)
		judge_column(&rules->personal, table, &scan.columns[i], i + 1);
}

/* --- judging
 * ---------------------------------------------------------------------------------------------------------- */

enum fault source_rules_judge(const struct source_rules *rules, const struct validation_table *table, const char *name,
			      struct refusal *why)
{
	char words[256];

	for (size_t i = 0; i < validation_n_tallies(table); i++) {
		const struct fault_tally *tally = validation_tally(table, i);

		if (tally->level == LEVEL_ERROR && rule_is_personal(tally->rule))
			return refuse(why, FAULT_PERSONAL, "%s: %s", name,
				      tolerated_words(tally->rule, tally->field_name, words, sizeof(words)));
	}
	for (size_t i = 0; rules->has_baseline && i < validation_n_tallies(table); i++) {
		const struct fault_tally *tally = validation_tally(table, i);

		if (tally->level == LEVEL_ERROR && rule_may_warn(tally->rule))
			return refuse(why, FAULT_BASELINE_NEW,
				      "%s: %s, %" PRIu64 " faults from row %" PRIu64
				      " on: a kind that the baseline does not know",
				      name, tolerated_words(tally->rule, tally->field_name, words, sizeof(words)),
				      tally->count, tally->first_row);
	}
	for (size_t i = 0; i < rules->levels.n_items; i++) {
		const struct rule_level *item = &rules->levels.items[i];
		uint64_t n = item->most == UINT64_MAX ? 0 : tolerated_count(table, item);

		if (n > item->most)
			return refuse(why, FAULT_BASELINE_GROWN,
				      "%s: %s, %" PRIu64 " faults: the baseline lets at most %" PRIu64 " pass", name,
				      tolerated_words(item->rule, item->field, words, sizeof(words)), n, item->most);
	}
	return FAULT_NONE;
}

enum fault source_rules_guard(const struct source_rules *rules, const char *name, uint64_t rows, int64_t before,
			      struct refusal *why)
{
	uint64_t change = before < 0 ? 0 : rows > (uint64_t)before ? rows - (uint64_t)before : (uint64_t)before - rows;

	if (rules->min_rows >= 0 && rows < (uint64_t)rules->min_rows)
		return refuse(why, FAULT_SOURCE_GUARD, "%s: %" PRIu64 " rows, minRows asks for %" PRId64, name, rows,
			      rules->min_rows);
	if (rules->max_rows >= 0 && rows > (uint64_t)rules->max_rows)
		return refuse(why, FAULT_SOURCE_GUARD, "%s: %" PRIu64 " rows, maxRows lets %" PRId64 " pass", name,
			      rows, rules->max_rows);
	if (rules->max_change_percent >= 0 && before >= 0 &&
	    change * 100 > (uint64_t)rules->max_change_percent * (uint64_t)before)
		return refuse(why, FAULT_SOURCE_GUARD,
			      "%s: %" PRIu64 " rows, %" PRId64
			      " in the version published last: a change of more than %" PRId64 " %%",
			      name, rows, before, rules->max_change_percent);
	return FAULT_NONE;
}
