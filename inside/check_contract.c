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

static void add_run(struct check_contracts *contracts, struct contract_run *run, json_t *descriptor)
{
	struct refusal why;

	/* The fields are as they were parsed once. */
	if (schema_parse(descriptor, &run->schema, &why) != FAULT_NONE)
		die("a part of the contract of %s does not parse: %s", run->application, why.line);
	contracts->runs = xrealloc(contracts->runs, contracts->n_runs + 1, sizeof(*run));
	contracts->runs[contracts->n_runs++] = *run;
}

/* The columns that REFERENCE leads to, in a table of the run's own called NAME: as the reader knew them, without their rules. */
static void add_target(struct check_contracts *contracts, const char *application, const json_t *reference,
		       const char *name)
{
	const struct resource *resource = package_resource(contracts->in_force,
							   json_string_value(json_object_get(reference, "resource")));
	const json_t *columns = json_object_get(reference, "fields");
	struct contract_run run = {.application = application, .match = CONTRACT_BY_NAME, .is_target = true};
	_cleanup_(json_decrefp) json_t *descriptor = json_object();
	json_t *fields = json_array();

	json_object_set_new(descriptor, "fields", fields);
	json_object_set_new(descriptor, "fieldsMatch", json_string("partial"));
	if (resource == NULL || resource->schema == NULL)
		return; /* the reference cannot be checked, and the validation says so */
	for (size_t i = 0; i < (json_is_string(columns) ? 1 : json_array_size(columns)); i++) {
		const char *column = json_string_value(json_is_string(columns) ? columns : json_array_get(columns, i));
		const struct field *field = schema_field(resource->schema, column);
		json_t *copy = field == NULL ? NULL : json_deep_copy(field_json(field));

		json_object_del(copy, "constraints");
		if (copy != NULL)
			json_array_append_new(fields, copy);
	}
	if (json_object_get(resource->schema->json, "missingValues") != NULL)
		json_object_set(descriptor, "missingValues", json_object_get(resource->schema->json, "missingValues"));
	if (json_array_size(fields) == 0)
		return;
	run.resource = resource->name;
	run.name = xstrdup(name);
	add_run(contracts, &run, descriptor);
}

/* A reference that names this package is an ordinary one. Those that lead out of it no row of it decides: they are left out. */
static void drop_foreign_packages(const struct check_contracts *contracts, json_t *keys)
{
	static const char *const spellings[] = {"package", "datapackage"};

	for (size_t i = json_array_size(keys); i-- > 0;) {
		json_t *reference = json_object_get(json_array_get(keys, i), "reference");

		for (size_t k = 0; k < 2; k++) {
			const char *package = json_string_value(json_object_get(reference, spellings[k]));

			if (package == NULL || package[0] == '\0')
				continue;
			if (contracts->in_force == NULL || strcmp(package, contracts->in_force->name) != 0) {
				json_array_remove(keys, i);
				break;
			}
			json_object_del(reference, spellings[k]);
		}
	}
}

/* References to other resources lead to the tables of this reader. */
static void follow_references(struct check_contracts *contracts, const char *application, json_t *descriptor)
{
	json_t *keys = json_object_get(descriptor, "foreignKeys");

	drop_foreign_packages(contracts, keys);
	for (size_t i = 0; i < json_array_size(keys) && contracts->in_force != NULL; i++) {
		json_t *reference = json_object_get(json_array_get(keys, i), "reference");
		const char *resource = json_string_value(json_object_get(reference, "resource"));
		_cleanup_free_ char *name = NULL;

		if (resource == NULL || resource[0] == '\0')
			continue;
		name = xasprintf("%s (for %s, %zu)", resource, application, contracts->n_runs);
		add_target(contracts, application, reference, name);
		json_object_set_new(reference, "resource", json_string(name));
	}
}

void check_contracts_add_run(struct check_contracts *contracts, const char *application, const char *resource,
			     enum contract_match match, const struct schema *schema, const struct compat_result *result)
{
	_cleanup_(json_decrefp) json_t *descriptor = compat_run_schema(result, schema);
	struct contract_run run = {.application = application, .resource = resource, .match = match};

	run.positions = xcalloc(schema->n_fields + 1, sizeof(*run.positions));
	for (size_t i = 0, n = 0; i < schema->n_fields; i++) {
		if (compat_is_in_run(result, schema, i))
			run.positions[n++] = i;
	}
	run.name = xasprintf("%s: %s", application, resource);
	follow_references(contracts, application, descriptor);
	add_run(contracts, &run, descriptor);
}

static enum fault fault_of_rule(const char *rule)
{
	return strncmp(rule, "field-", 6) == 0 || strncmp(rule, "resource-", 9) == 0 ? FAULT_CONTRACT_FIELD
										     : FAULT_CONTRACT_TYPE;
}

/* What a published schema always says of its own data (FORMAT.md 12), and this one leaves open. */
static bool is_of_header(const char *rule)
{
	return strcmp(rule, "order-not-promised") == 0 || strcmp(rule, "field-optional") == 0 ||
	       strcmp(rule, "field-open") == 0;
}

static enum fault send_breaks(const char *application, const char *resource, const struct compat_result *result,
			      bool *ret_is_by_rows, struct check_answer *answer, struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	*ret_is_by_rows = false;
	for (size_t i = 0; i < result->n_breaks && fault == FAULT_NONE; i++) {
		const struct compat_break *item = &result->breaks[i];
		char line[RECORD_LINE_SIZE];

		if (item->verdict != COMPAT_NO && !is_of_header(item->rule)) {
			*ret_is_by_rows = true;
			continue;
		}
		snprintf(line, sizeof(line), "%s: %s", resource, item->line);
		fault = check_answer_break_detailed(answer, fault_of_rule(item->rule), application, resource,
						    item->field, item->rule, line,
						    &(struct check_detail){item->old_text, item->new_text, 0, ""}, why);
	}
	return fault;
}

/* Rows that break the new schema may break the old one, however alike they are. */
bool check_resource_is_let_through(const struct resource *resource)
{
	return resource->schema != NULL && check_resource_is_table(resource) && check_tolerated_is_of_rows(resource);
}

void check_contract_compare(const struct contract_resource *promised, const struct resource *now,
			    const struct compat_reader *reader, struct compat_result *result)
{
	memset(result, 0, sizeof(*result));
	if (now == NULL)
		compat_resource_removed(promised->name, result);
	else if (promised->schema != NULL && (now->schema == NULL || !check_resource_is_table(now)))
		compat_schema_removed(promised->name, result);
	else if (promised->schema != NULL)
		compat_compare(promised->schema, now->schema, reader, result);
	if (now != NULL && promised->schema != NULL && check_resource_is_let_through(now))
		compat_let_through(promised->name, result);
}

static enum fault compare_resource(struct check_contracts *contracts, const char *application,
				   const struct contract_resource *promised, const struct package *package,
				   struct check_answer *answer, struct refusal *why)
{
	const struct resource *now = package_resource(package, promised->name);
	const struct resource *before = contracts->in_force == NULL
						? NULL
						: package_resource(contracts->in_force, promised->name);
	const struct compat_reader reader = {promised->match, true, contracts->in_force, package};
	struct compat_result result;
	bool is_by_rows = false;
	enum fault fault;

	check_contract_compare(promised, now, &reader, &result);
	if (now != NULL && before != NULL)
		compat_compare_form(before, now, &result);
	fault = send_breaks(application, promised->name, &result, &is_by_rows, answer, why);
	if (fault == FAULT_NONE && is_by_rows)
		check_contracts_add_run(contracts, application, now->name, promised->match, promised->schema, &result);
	/* Where nobody declared what they read, what is in force is the measure of this too. */
	if (fault == FAULT_NONE && is_by_rows && strcmp(application, "*") == 0)
		check_tolerated_in_force(before, &contracts->runs[contracts->n_runs - 1].levels);
	compat_clear(&result);
	return fault;
}

static enum fault compare_in_force(struct check_contracts *contracts, const struct package *package,
				   struct check_answer *answer, struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	for (size_t i = 0; i < contracts->in_force->n_resources && fault == FAULT_NONE; i++) {
		const struct resource *resource = &contracts->in_force->resources[i];
		struct contract_resource promised = {
			.match = CONTRACT_BY_NAME, .min_rows = -1, .max_rows = -1, .max_change_percent = -1};

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
	for (size_t i = 0; i < contracts->n_runs; i++) {
		contracts->runs[i].table = validation_table(contracts->validation, contracts->runs[i].name,
							    contracts->runs[i].schema);
		validation_table_set_levels(contracts->runs[i].table, &contracts->runs[i].levels);
	}
}

/* --- the promised fields on the rows ------------------------------------------------------------------------------ */

/* The field that a reader by position finds in COLUMN; NULL: none of the run. */
static const char *name_at(const struct contract_run *run, size_t column)
{
	for (size_t i = 0; i < run->schema->n_fields; i++) {
		if (run->positions[i] == column)
			return field_name(run->schema->fields[i]);
	}
	return NULL;
}

/* A reader by position knows the columns by its own names; all others get one that no field has. */
void contract_run_header(struct contract_run *run, const struct cell *cells, size_t n_cells)
{
	const struct row_position position = {1, 0};
	_cleanup_free_ struct cell *labels = NULL;
	_cleanup_free_ char *names = NULL;

	if (run->match == CONTRACT_BY_NAME) {
		validation_row(run->table, cells, n_cells, &position);
		return;
	}
	labels = xcalloc(n_cells + 1, sizeof(*labels));
	names = xcalloc(n_cells + 1, 32);
	for (size_t i = 0; i < n_cells; i++) {
		const char *name = name_at(run, i);

		snprintf(names + 32 * i, 32, "\x01%zu", i + 1);
		labels[i].text = name != NULL ? name : names + 32 * i;
		labels[i].size = strlen(labels[i].text);
	}
	validation_row(run->table, labels, n_cells, &position);
}

/* Whole rows: only so is a blank one told from one in which this reader's columns are empty. */
void contract_run_row(struct contract_run *run, const struct cell *cells, size_t n_cells,
		      const struct row_position *position)
{
	validation_row(run->table, cells, n_cells, position);
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
	if (fault == FAULT_NONE && promised->max_rows >= 0 && rows > promised->max_rows) {
		snprintf(line, sizeof(line), "%s: %lld rows, at most %lld were asked for", promised->name,
			 (long long)rows, (long long)promised->max_rows);
		fault = check_answer_break(answer, FAULT_CONTRACT_GUARD, application, promised->name, "", "max-rows",
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
	for (size_t i = 0; i < contracts->n_runs && fault == FAULT_NONE; i++) {
		const struct contract_run *run = &contracts->runs[i];

		if (run->is_target)
			continue;
		fault = check_table_breaks(run->table, FAULT_CONTRACT_ROWS, run->application, run->resource, answer,
					   why);
		if (fault == FAULT_NONE)
			fault = check_tolerated_breaks(run->table, &run->levels, FAULT_CONTRACT_ROWS, run->application,
						       run->resource, "what is in force", answer, why);
	}
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
		rule_levels_clear(&contracts->runs[i].levels);
		free(contracts->runs[i].positions);
		free(contracts->runs[i].name);
	}
	free(contracts->runs);
	for (size_t i = 0; i < contracts->n_contracts; i++)
		contract_free(contracts->contracts[i]);
	free(contracts->contracts);
	package_free(contracts->in_force);
}
