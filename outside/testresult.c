/* SPDX-License-Identifier: ISC
 *
 * testresult: the predicate of a test result: every rule that a table's schema makes, by its name, and what the report says of it.
 * Names are `<resource>/<rule>` and `<resource>/<field>/<rule>`.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "outside/letthrough.h"
#include "outside/provenance.h"
#include "schemas/custom_check.h"

/* Which faults of a report (Frictionless's types) break a rule. */
static const char *const LABELS[] = {"missing-label", "extra-label",  "incorrect-label", "duplicate-label",
				     "blank-label",   "blank-header", "source-error",    NULL};
static const char *const CELLS[] = {"missing-cell", "extra-cell", "blank-row", "source-error", NULL};
static const char *const TYPE[] = {"type-error", "source-error", NULL};
static const char *const CONSTRAINT[] = {"constraint-error", "pattern-limit", "source-error", NULL};
static const char *const UNIQUE[] = {"unique-error", "source-error", NULL};
static const char *const PRIMARY_KEY[] = {"primary-key", "source-error", NULL};
static const char *const FOREIGN_KEY[] = {"foreign-key", "source-error", NULL};
static const char *const SKIPPED[] = {"custom-check-skipped", NULL};
static const char *const ANY[] = {NULL};

struct tests {
	json_t *passed, *warned, *failed, *configuration;
	int64_t rows, faults, warnings;
	bool by_resource; /* too many to name each */
	const char *resource;
	const json_t *task; /* of the report; NULL: none */
	size_t n;
};

/* What the report says of one kind of fault; each may be NULL. */
struct count {
	const char *type, *rule, *level, *field;
};

static struct count read_count(const json_t *tally)
{
	return (struct count){.type = json_string_value(json_object_get(tally, "type")),
			      .rule = json_string_value(json_object_get(tally, "rule")),
			      .level = json_string_value(json_object_get(tally, "level")),
			      .field = json_string_value(json_object_get(tally, "fieldName"))};
}

/* Whether the task has faults of LEVEL ("error", "warning"), of TYPES (empty: of any), of RULE where they are of a constraint (NULL: of any), in FIELD (NULL:
 * wherever). */
static bool is_hit(const struct tests *tests, const char *level, const char *const *types, const char *rule,
		   const char *field)
{
	const json_t *tallies = json_object_get(tests->task, "tallies");

	for (size_t i = 0; i < json_array_size(tallies); i++) {
		const struct count count = read_count(json_array_get(tallies, i));
		bool is_type = types[0] == NULL;

		if (count.type == NULL || count.rule == NULL || count.level == NULL || strcmp(count.level, level) != 0)
			continue;
		for (size_t j = 0; types[j] != NULL; j++)
			is_type |= strcmp(types[j], count.type) == 0;
		if (rule != NULL && strcmp(count.type, "constraint-error") == 0)
			is_type &= strcmp(count.rule, rule) == 0;
		if (is_type && (field == NULL || count.field == NULL || strcmp(field, count.field) == 0))
			return true;
	}
	return false;
}

static void add(struct tests *tests, const char *field, const char *rule, const char *const *types)
{
	json_t *list = is_hit(tests, "error", types, rule, field)     ? tests->failed
		       : is_hit(tests, "warning", types, rule, field) ? tests->warned
								      : tests->passed;

	tests->n++;
	json_array_append_new(list, field == NULL ? json_sprintf("%s/%s", tests->resource, rule)
						  : json_sprintf("%s/%s/%s", tests->resource, field, rule));
}

static void add_field(struct tests *tests, const json_t *field)
{
	const char *name = json_string_value(json_object_get(field, "name")), *key;
	json_t *constraints = json_object_get(field, "constraints"), *value;

	if (name == NULL)
		return;
	add(tests, name, "type", TYPE);
	json_object_foreach(constraints, key, value)
	{
		if (!json_is_false(value))
			add(tests, name, key, strcmp(key, "unique") == 0 ? UNIQUE : CONSTRAINT);
	}
}

/* Whether the report counted a fault of RULE in FIELD at LEVEL, of whatever type. */
static bool is_tallied(const struct tests *tests, const char *rule, const char *field, const char *level)
{
	const json_t *tallies = json_object_get(tests->task, "tallies");

	for (size_t i = 0; i < json_array_size(tallies); i++) {
		const struct count count = read_count(json_array_get(tallies, i));

		if (count.field != NULL && count.rule != NULL && count.level != NULL &&
		    strcmp(count.field, field) == 0 && strcmp(count.rule, rule) == 0 && strcmp(count.level, level) == 0)
			return true;
	}
	return false;
}

/* Custom checks by their names, of which one column may have several. One that was not made is no passed test. */
static void add_check(struct tests *tests, const struct custom_check *check)
{
	const char *rules[] = {check->kind->name, check->kind->act == CHECK_PLACE ? CHECK_REVERSED_PLACE : NULL,
			       "custom-check-skipped"};
	bool is_failed = false, is_warned = false;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		is_failed |= rules[i] != NULL && is_tallied(tests, rules[i], check->columns[0], "error");
		is_warned |= rules[i] != NULL && is_tallied(tests, rules[i], check->columns[0], "warning");
	}
	tests->n++;
	json_array_append_new(is_failed   ? tests->failed
			      : is_warned ? tests->warned
					  : tests->passed,
			      json_sprintf("%s/%s/%s", tests->resource, check->columns[0], check->kind->name));
}

static void add_checks(struct tests *tests, const json_t *schema)
{
	struct custom_checks *checks = custom_checks_new(schema);

	for (size_t i = 0; i < checks->n_items; i++)
		add_check(tests, &checks->items[i]);
	if (checks->n_remarks > 0)
		add(tests, NULL, "custom-check-skipped", SKIPPED);
	custom_checks_free(checks);
}

/* Columns that look personal, and no reason stands for them. */
static void add_personal(struct tests *tests)
{
	const json_t *tallies = json_object_get(tests->task, "tallies");

	for (size_t i = 0; i < json_array_size(tallies); i++) {
		const struct count count = read_count(json_array_get(tallies, i));

		if (count.type == NULL || count.rule == NULL || count.field == NULL ||
		    strcmp(count.type, "personal-data") != 0)
			continue;
		tests->n++;
		json_array_append_new(tests->warned,
				      json_sprintf("%s/%s/%s", tests->resource, count.field, count.rule));
	}
}

static void add_table(struct tests *tests, const json_t *schema)
{
	const json_t *fields = json_object_get(schema, "fields");

	if (tests->by_resource) {
		add(tests, NULL, "schema", ANY);
		return;
	}
	add(tests, NULL, "labels", LABELS);
	add(tests, NULL, "cells", CELLS);
	for (size_t i = 0; i < json_array_size(fields); i++)
		add_field(tests, json_array_get(fields, i));
	if (json_object_get(schema, "primaryKey") != NULL)
		add(tests, NULL, "primaryKey", PRIMARY_KEY);
	if (json_object_get(schema, "uniqueKeys") != NULL)
		add(tests, NULL, "uniqueKeys", UNIQUE);
	if (json_object_get(schema, "foreignKeys") != NULL)
		add(tests, NULL, "foreignKeys", FOREIGN_KEY);
	add_checks(tests, schema);
	add_personal(tests);
}

static const json_t *find_task(const json_t *report, const char *resource)
{
	const json_t *tasks = json_object_get(report, "tasks");

	for (size_t i = 0; i < json_array_size(tasks); i++) {
		const json_t *task = json_array_get(tasks, i);
		const char *name = json_string_value(json_object_get(task, "name"));

		if (name != NULL && strcmp(name, resource) == 0)
			return task;
	}
	return NULL;
}

/* The schema's digest: over its compact form with sorted keys, which any tool can make of a datapackage.json. */
static void add_schema(struct tests *tests, const json_t *schema)
{
	_cleanup_free_ char *text = json_dumps(schema, JSON_COMPACT | JSON_SORT_KEYS);
	struct sha256 sha256;

	if (text == NULL)
		die("out of memory");
	hash_bytes(text, strlen(text), &sha256);
	json_array_append_new(tests->configuration,
			      json_pack("{s:s, s:o, s:{s:I}}", "name", tests->resource, "digest",
					provenance_digest(&sha256), "annotations", "fields",
					(json_int_t)json_array_size(json_object_get(schema, "fields"))));
}

static void add_resource(struct tests *tests, const json_t *resource, const json_t *report)
{
	const json_t *schema = json_object_get(resource, "schema"), *clapet = json_object_get(resource, "clapet"),
		     *stats;

	tests->resource = json_string_value(json_object_get(resource, "name"));
	if (tests->resource == NULL || json_is_true(json_object_get(clapet, "opaque")))
		return;
	tests->task = find_task(report, tests->resource);
	stats = json_object_get(tests->task, "stats");
	tests->rows += json_integer_value(json_object_get(clapet, "rows"));
	tests->faults += json_integer_value(json_object_get(stats, "errors"));
	tests->warnings += json_integer_value(json_object_get(stats, "warnings"));
	if (!json_is_object(schema)) {
		add(tests, NULL, "json", ANY);
		return;
	}
	add_schema(tests, schema);
	add_table(tests, schema);
}

/* All rules; false where they are more than can be named one by one. */
static bool collect(struct tests *tests, const struct source *source, const json_t *descriptor, const json_t *report)
{
	const json_t *resources = json_object_get(descriptor, "resources");

	tests->passed = json_array();
	tests->warned = json_array();
	tests->failed = json_array();
	tests->configuration = json_array();
	json_array_append_new(tests->configuration, json_pack("{s:s, s:o}", "name", "sources/datapackage.json",
							      "digest", provenance_digest(&source->sha256)));
	for (size_t i = 0; i < json_array_size(resources); i++) {
		add_resource(tests, json_array_get(resources, i), report);
		if (tests->n > LIMIT_TESTS && !tests->by_resource)
			return false;
	}
	return true;
}

static void clear(struct tests *tests)
{
	json_decref(tests->passed);
	json_decref(tests->warned);
	json_decref(tests->failed);
	json_decref(tests->configuration);
}

enum fault testresult_compose(const struct pipeline *pipeline, const json_t *descriptor, const json_t *report,
			      const struct state_version *version, char **ret_text, struct refusal *why)
{
	struct tests tests = {.n = 0};
	const char *result;
	json_t *predicate;

	if (!collect(&tests, pipeline->source, descriptor, report)) {
		clear(&tests);
		tests = (struct tests){.by_resource = true};
		collect(&tests, pipeline->source, descriptor, report);
	}
	result = json_array_size(tests.failed) > 0 ? "FAILED" : json_array_size(tests.warned) > 0 ? "WARNED" : "PASSED";
	predicate = json_pack(
		"{s:s, s:O, s:O, s:O, s:O, s:{s:I, s:I, s:I, s:I, s:I, s:I}}", "result", result, "configuration",
		tests.configuration, "passedTests", tests.passed, "warnedTests", tests.warned, "failedTests",
		tests.failed, STATEMENT_COUNTS, "passed", (json_int_t)json_array_size(tests.passed), "warned",
		(json_int_t)json_array_size(tests.warned), "failed", (json_int_t)json_array_size(tests.failed), "rows",
		(json_int_t)tests.rows, "faults", (json_int_t)tests.faults, "warnings", (json_int_t)tests.warnings);
	clear(&tests);
	json_object_set_new(predicate, STATEMENT_TOLERATED, letthrough_of(descriptor));
	return provenance_statement(pipeline->source->name, ATTESTATION_TEST_RESULT, version, predicate, ret_text, why);
}
