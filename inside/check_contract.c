/* SPDX-License-Identifier: ISC
 *
 * check_contract: what applications were promised, against the new version: first schema against schema, then, for what only
 * the data decide, the promised fields on the new rows, while those rows go by for the validation. Where no application
 * declared anything, the schema in force is the promise, by name, to "*".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "inside/check.h"

static enum fault load_contract(const struct check_contract_file *file, struct check_contracts *contracts,
				const char *dataset, struct refusal *why)
{
	_cleanup_(contract_freep) struct contract *contract = NULL;
	_cleanup_free_ uint8_t *data = NULL;
	enum fault fault;
	size_t size;
	int r = fd_load(file->fd, LIMIT_CONFIGURATION_SIZE, &data, &size);

	if (r == -EFBIG)
		return refuse(why, FAULT_CONTRACT, "contract %s: larger than %llu bytes", file->application,
			      (unsigned long long)LIMIT_CONFIGURATION_SIZE);
	if (r < 0)
		die("reading contract %s: %s", file->application, strerror(-r));
	fault = contract_parse(data, size, file->application, &contract, why);
	if (fault != FAULT_NONE)
		return fault;
	if (strcmp(contract->application, file->application) != 0)
		return refuse(why, FAULT_CONTRACT, "contract %s: it says that its application is %s", file->application,
			      contract->application);
	if (strcmp(contract->dataset, dataset) != 0)
		return FAULT_NONE; /* of another dataset */
	contracts->contracts[contracts->n_contracts++] = steal_pointer(&contract);
	return FAULT_NONE;
}

static enum fault load_in_force(int fd, struct package **ret_package, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	enum fault fault;
	size_t size;
	int r = fd_load(fd, LIMIT_PACKAGE_SIZE, &data, &size);

	if (r < 0 && r != -EFBIG)
		die("reading the package in force: %s", strerror(-r));
	if (r < 0)
		return refuse(why, FAULT_STORE_DAMAGED, "the datapackage.json in force is larger than it may be");
	fault = package_parse(data, size, NULL, NULL, ret_package, why);
	if (fault == FAULT_NONE)
		return FAULT_NONE;
	if (why != NULL)
		why->fault = FAULT_STORE_DAMAGED;
	refuse_within(why, "the datapackage.json in force");
	return FAULT_STORE_DAMAGED;
}

enum fault check_contracts_load(const struct check_request *request, struct check_contracts *contracts,
				struct refusal *why)
{
	enum fault fault;

	contracts->contracts = xcalloc(request->n_contracts + 1, sizeof(struct contract *));
	for (size_t i = 0; i < request->n_contracts; i++) {
		fault = load_contract(&request->contracts[i], contracts, request->version.dataset, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	return request->in_force_fd < 0 ? FAULT_NONE : load_in_force(request->in_force_fd, &contracts->in_force, why);
}

/* --- schema against schema --------------------------------------------------------------------------------------- */

static bool is_named(const struct compat_break *item, const char *name)
{
	char escaped[sizeof(item->field)];

	return strcmp(text_escape(name, strlen(name), escaped, sizeof(escaped)), item->field) == 0;
}

/* Whether the data decide about the field at INDEX: a break names it, or the key that broke holds it. */
static bool is_by_data(const struct schema *schema, size_t index, const struct compat_result *result)
{
	const char *name = field_name(schema->fields[index]);

	for (size_t i = 0; i < result->n_breaks; i++) {
		if (result->breaks[i].verdict != COMPAT_BY_DATA)
			continue;
		if (is_named(&result->breaks[i], name))
			return true;
		for (size_t j = 0;
		     strcmp(result->breaks[i].rule, "key-removed") == 0 && j < schema->primary_key.n_columns; j++) {
			if (strcmp(schema->primary_key.columns[j], name) == 0)
				return true;
		}
	}
	return false;
}

static bool has_rule(const struct compat_result *result, const char *rule)
{
	for (size_t i = 0; i < result->n_breaks; i++) {
		if (strcmp(result->breaks[i].rule, rule) == 0)
			return true;
	}
	return false;
}

/* The fields are as they were parsed once, so that this parse cannot fail. */
void check_contracts_add_run(struct check_contracts *contracts, const char *application, const char *resource,
			     enum contract_match match, const struct schema *schema, const struct compat_result *result)
{
	_cleanup_(json_decrefp) json_t *descriptor = json_object();
	struct contract_run run = {.application = application, .resource = resource, .match = match};
	json_t *fields = json_array(), *missing = json_object_get(schema->json, "missingValues");
	struct refusal why;

	run.positions = xcalloc(schema->n_fields + 1, sizeof(*run.positions));
	run.columns = xcalloc(schema->n_fields + 1, sizeof(*run.columns));
	run.cells = xcalloc(schema->n_fields + 1, sizeof(*run.cells));
	for (size_t i = 0, n = 0; i < schema->n_fields; i++) {
		if (!is_by_data(schema, i, result))
			continue;
		json_array_append(fields, (json_t *)(uintptr_t)field_json(schema->fields[i]));
		run.positions[n++] = i;
	}
	json_object_set_new(descriptor, "fields", fields);
	if (missing != NULL)
		json_object_set(descriptor, "missingValues", missing);
	if (has_rule(result, "key-removed"))
		json_object_set(descriptor, "primaryKey", json_object_get(schema->json, "primaryKey"));
	if (schema_parse(descriptor, &run.schema, &why) != FAULT_NONE)
		die("a part of the contract of %s does not parse: %s", application, why.line);
	run.name = xasprintf("%s: %s", application, resource);
	contracts->runs = xrealloc(contracts->runs, contracts->n_runs + 1, sizeof(run));
	contracts->runs[contracts->n_runs++] = run;
}

static enum fault fault_of_rule(const char *rule)
{
	return strncmp(rule, "field-", 6) == 0 || strncmp(rule, "resource-", 9) == 0 ? FAULT_CONTRACT_FIELD
										     : FAULT_CONTRACT_TYPE;
}

static enum fault compare_schemas(struct check_contracts *contracts, const char *application,
				  const struct contract_resource *promised, const struct resource *now,
				  struct check_answer *answer, struct refusal *why)
{
	struct compat_result result;
	enum fault fault = FAULT_NONE;
	bool is_by_rows = false;

	compat_compare(promised->schema, now->schema, promised->match, &result);
	for (size_t i = 0; i < result.n_breaks && fault == FAULT_NONE; i++) {
		const struct compat_break *item = &result.breaks[i];
		char line[RECORD_LINE_SIZE];

		is_by_rows |= item->verdict == COMPAT_BY_DATA;
		if (item->verdict != COMPAT_NO)
			continue;
		snprintf(line, sizeof(line), "%s: %s", promised->name, item->line);
		fault = check_answer_break(answer, fault_of_rule(item->rule), application, promised->name, item->field,
					   item->rule, line, why);
	}
	if (fault == FAULT_NONE && is_by_rows)
		check_contracts_add_run(contracts, application, now->name, promised->match, promised->schema, &result);
	compat_clear(&result);
	return fault;
}

static enum fault compare_resource(struct check_contracts *contracts, const char *application,
				   const struct contract_resource *promised, const struct package *package,
				   struct check_answer *answer, struct refusal *why)
{
	const struct resource *now = package_resource(package, promised->name);
	char line[RECORD_LINE_SIZE];

	if (now == NULL) {
		snprintf(line, sizeof(line), "resource %s is gone", promised->name);
		return check_answer_break(answer, FAULT_CONTRACT_FIELD, application, promised->name, "",
					  "resource-removed", line, why);
	}
	if (promised->schema == NULL)
		return FAULT_NONE;
	if (now->schema == NULL || !check_resource_is_table(now)) {
		snprintf(line, sizeof(line), "resource %s is no longer a table with a schema", promised->name);
		return check_answer_break(answer, FAULT_CONTRACT_TYPE, application, promised->name, "",
					  "schema-removed", line, why);
	}
	return compare_schemas(contracts, application, promised, now, answer, why);
}

static enum fault compare_in_force(struct check_contracts *contracts, const struct package *package,
				   struct check_answer *answer, struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	for (size_t i = 0; i < contracts->in_force->n_resources && fault == FAULT_NONE; i++) {
		const struct resource *resource = &contracts->in_force->resources[i];
		struct contract_resource promised = {"", CONTRACT_BY_NAME, NULL, -1, -1};

		text_copy(promised.name, sizeof(promised.name), resource->name);
		promised.schema = check_resource_is_table(resource) ? resource->schema : NULL;
		fault = compare_resource(contracts, "*", &promised, package, answer, why);
	}
	return fault;
}

enum fault check_contracts_compare(struct check_contracts *contracts, const struct package *package,
				   struct check_answer *answer, struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	if (contracts->n_contracts == 0 && contracts->in_force != NULL)
		fault = compare_in_force(contracts, package, answer, why);
	for (size_t i = 0; i < contracts->n_contracts; i++) {
		const struct contract *contract = contracts->contracts[i];

		for (size_t j = 0; j < contract->n_resources && fault == FAULT_NONE; j++)
			fault = compare_resource(contracts, contract->application, &contract->resources[j], package,
						 answer, why);
	}
	if (fault != FAULT_NONE)
		return fault;
	check_contracts_begin(contracts);
	return FAULT_NONE;
}

void check_contracts_begin(struct check_contracts *contracts)
{
	contracts->validation = validation_new();
	if (contracts->spill != NULL)
		validation_set_spill(contracts->validation, contracts->spill);
	for (size_t i = 0; i < contracts->n_runs; i++)
		contracts->runs[i].table = validation_table(contracts->validation, contracts->runs[i].name,
							    contracts->runs[i].schema);
}

/* --- the promised fields on the rows ------------------------------------------------------------------------------ */

static size_t column_of(const struct contract_run *run, size_t index, const struct cell *cells, size_t n_cells)
{
	const char *name = field_name(run->schema->fields[index]);

	if (run->match != CONTRACT_BY_NAME)
		return run->positions[index];
	for (size_t i = 0; i < n_cells; i++) {
		if (cells[i].size == strlen(name) && memcmp(cells[i].text, name, cells[i].size) == 0)
			return i;
	}
	return SIZE_MAX;
}

void contract_run_header(struct contract_run *run, const struct cell *cells, size_t n_cells)
{
	const struct row_position position = {1, 0};

	for (size_t i = 0; i < run->schema->n_fields; i++) {
		run->columns[i] = column_of(run, i, cells, n_cells);
		run->cells[i].text = field_name(run->schema->fields[i]);
		run->cells[i].size = strlen(run->cells[i].text);
	}
	validation_row(run->table, run->cells, run->schema->n_fields, &position);
}

/* A column or cell that is not there was named by the validation of the published schema; here it is empty. */
void contract_run_row(struct contract_run *run, const struct cell *cells, size_t n_cells,
		      const struct row_position *position)
{
	for (size_t i = 0; i < run->schema->n_fields; i++) {
		if (run->columns[i] < n_cells)
			run->cells[i] = cells[run->columns[i]];
		else
			run->cells[i] = (struct cell){"", 0};
	}
	validation_row(run->table, run->cells, run->schema->n_fields, position);
}

/* --- guard rails -------------------------------------------------------------------------------------------------- */

/* The rows of a resource in force, as its package says since inside-check counted them; -1: unknown. */
static int64_t rows_in_force(const struct package *in_force, const char *name)
{
	const struct resource *resource = in_force == NULL ? NULL : package_resource(in_force, name);
	const json_t *rows = resource == NULL ? NULL
					      : json_object_get(json_object_get(resource->json, "clapet"), "rows");
	int64_t n = json_is_integer(rows) ? (int64_t)json_integer_value(rows) : -1;

	return n > (int64_t)LIMIT_ROWS ? -1 : n;
}

static enum fault check_guards(const struct check_contracts *contracts, const char *application,
			       const struct contract_resource *promised, int64_t rows, struct check_answer *answer,
			       struct refusal *why)
{
	int64_t before = rows_in_force(contracts->in_force, promised->name);
	int64_t change = rows > before ? rows - before : before - rows;
	enum fault fault = FAULT_NONE;
	char line[RECORD_LINE_SIZE];

	if (rows < 0)
		return FAULT_NONE;
	if (promised->min_rows >= 0 && rows < promised->min_rows) {
		snprintf(line, sizeof(line), "%s: %lld rows, at least %lld were asked for", promised->name,
			 (long long)rows, (long long)promised->min_rows);
		fault = check_answer_break(answer, FAULT_CONTRACT_GUARD, application, promised->name, "", "min-rows",
					   line, why);
	}
	/* A publisher that leaves the rows out of one version would be rid of the bound in the next. */
	if (fault == FAULT_NONE && promised->max_change_percent >= 0 && before < 0 && contracts->in_force != NULL &&
	    package_resource(contracts->in_force, promised->name) != NULL) {
		snprintf(line, sizeof(line), "%s: %lld rows, and the version in force does not say how many it has",
			 promised->name, (long long)rows);
		fault = check_answer_break(answer, FAULT_CONTRACT_GUARD, application, promised->name, "", "max-change",
					   line, why);
	}
	if (fault == FAULT_NONE && promised->max_change_percent >= 0 && before >= 0 &&
	    change * 100 > promised->max_change_percent * before) {
		snprintf(line, sizeof(line), "%s: %lld rows, %lld in force: a change of more than %lld %%",
			 promised->name, (long long)rows, (long long)before, (long long)promised->max_change_percent);
		fault = check_answer_break(answer, FAULT_CONTRACT_GUARD, application, promised->name, "", "max-change",
					   line, why);
	}
	return fault;
}

enum fault check_contracts_end(struct check_contracts *contracts, int64_t (*rows)(void *ctx, const char *resource),
			       void *ctx, struct check_answer *answer, struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	for (size_t i = 0; i < contracts->n_runs; i++)
		validation_table_end(contracts->runs[i].table);
	validation_end(contracts->validation);
	if (contracts->spill != NULL && spill_fault(contracts->spill, why) != FAULT_NONE)
		return why->fault;
	for (size_t i = 0; i < contracts->n_runs && fault == FAULT_NONE; i++)
		fault = check_table_breaks(contracts->runs[i].table, FAULT_CONTRACT_ROWS,
					   contracts->runs[i].application, contracts->runs[i].resource, answer, why);
	for (size_t i = 0; i < contracts->n_contracts; i++) {
		const struct contract *contract = contracts->contracts[i];

		for (size_t j = 0; j < contract->n_resources && fault == FAULT_NONE; j++)
			fault = check_guards(contracts, contract->application, &contract->resources[j],
					     rows(ctx, contract->resources[j].name), answer, why);
	}
	return fault;
}

void check_contracts_clear(struct check_contracts *contracts)
{
	validation_free(contracts->validation);
	for (size_t i = 0; i < contracts->n_runs; i++) {
		schema_free(contracts->runs[i].schema);
		free(contracts->runs[i].positions);
		free(contracts->runs[i].columns);
		free(contracts->runs[i].cells);
		free(contracts->runs[i].name);
	}
	free(contracts->runs);
	for (size_t i = 0; i < contracts->n_contracts; i++)
		contract_free(contracts->contracts[i]);
	free(contracts->contracts);
	package_free(contracts->in_force);
}
