/* SPDX-License-Identifier: ISC
 *
 * contractstate: see contractstate.h.
 */
#include "inside/contractstate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "inside/compat_rows.h"
#include "inside/store.h"

/* One dataset in force. */
struct dataset {
	const struct inside *inside;
	const char *name;
	char version[STORE_VERSION_SIZE]; /* "" where nothing is */
	struct package *package;
};

static enum fault load_dataset(struct dataset *dataset, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_close_ int fd = -1;
	uint64_t generation = 0;
	size_t size;
	int r;

	if (store_current(dataset->inside->store_fd, &generation) < 0 || generation == 0 ||
	    store_generation_version(dataset->inside->store_fd, generation, dataset->name, dataset->version) < 0) {
		dataset->version[0] = '\0';
		return FAULT_NONE;
	}
	fd = store_open_version_file(dataset->inside->store_fd, dataset->name, dataset->version, "datapackage.json");
	r = fd < 0 ? fd : fd_load(fd, LIMIT_PACKAGE_SIZE, &data, &size);
	if (r == -ENOENT) { /* withdrawn: its version has no package */
		dataset->version[0] = '\0';
		return FAULT_NONE;
	}
	if (r < 0)
		return refuse(why, FAULT_STORE_DAMAGED, "%s/datapackage.json: %s", dataset->name, strerror(-r));
	if (package_parse(data, size, NULL, NULL, &dataset->package, why) == FAULT_NONE)
		return FAULT_NONE;
	refuse_within(why, "%s in force", dataset->name);
	why->fault = FAULT_STORE_DAMAGED;
	return FAULT_STORE_DAMAGED;
}

/* --- breaks -------------------------------------------------------------------------------------------------------- */

static json_t *break_json(const char *rule, const char *field, const char *old_text, const char *new_text,
			  const char *line)
{
	json_t *json = json_object();

	json_object_set_new(json, "rule", check_json_text(rule));
	json_object_set_new(json, "field", check_json_text(field));
	json_object_set_new(json, "old", check_json_text(old_text));
	json_object_set_new(json, "new", check_json_text(new_text));
	json_object_set_new(json, "line", check_json_text(line));
	json_object_set_new(json, "row", json_null());
	json_object_set_new(json, "value", json_null());
	return json;
}

static void add_schema_breaks(json_t *breaks, const struct compat_result *result)
{
	for (size_t i = 0; i < result->n_breaks; i++) {
		const struct compat_break *item = &result->breaks[i];

		if (item->verdict == COMPAT_NO)
			json_array_append_new(breaks, break_json(item->rule, item->field, item->old_text,
								 item->new_text, item->line));
	}
}

/* The first fault of the tally, where it was kept. */
static const struct table_fault *find_fault(const struct validation_table *table, const struct fault_tally *tally)
{
	for (size_t i = 0; i < validation_n_kept(table); i++) {
		const struct table_fault *fault = validation_fault(table, i);

		if (strcmp(fault->rule, tally->rule) == 0 && fault->row == tally->first_row &&
		    (fault->field == tally->field || tally->field == 0))
			return fault;
	}
	return NULL;
}

/* One for each rule and field, with its first row. */
static void add_row_breaks(json_t *breaks, const struct validation_table *table)
{
	for (size_t i = 0; i < validation_n_tallies(table); i++) {
		const struct fault_tally *tally = validation_tally(table, i);
		const struct table_fault *fault = find_fault(table, tally);
		json_t *json;

		if (tally->level != LEVEL_ERROR)
			continue;
		json = break_json(tally->rule, tally->field_name != NULL ? tally->field_name : "", "", "",
				  fault != NULL ? fault->note : "rows break this rule");
		if (tally->first_row > 0)
			json_object_set_new(json, "row", json_integer((json_int_t)tally->first_row));
		if (fault != NULL && fault->cell != NULL)
			json_object_set_new(json, "value", check_json_text(fault->cell));
		json_array_append_new(breaks, json);
	}
	if (validation_n_untallied(table) > 0)
		json_array_append_new(breaks, break_json("rows", "", "", "", "rows break more rules than are counted"));
}

/* --- one resource of one contract ---------------------------------------------------------------------------------- */

static enum fault run_rows(const struct dataset *dataset, const struct contract *contract,
			   const struct contract_resource *promised, const struct resource *now,
			   const struct compat_result *result, json_t *breaks, struct refusal *why)
{
	struct compat_rows rows = {
		.path = now->path,
		.dialect = now->verbatim ? &now->dialect : &dialect_plain,
		.fd = store_open_version_file(dataset->inside->store_fd, dataset->name, dataset->version, now->path)};
	struct check_contracts runs = {0};
	enum fault fault;

	if (rows.fd < 0)
		return refuse(why, FAULT_STORE_DAMAGED, "%s/%s: %s", dataset->name, now->path, strerror(-rows.fd));
	check_contracts_add_run(&runs, contract->application, now->name, promised->match, promised->schema, result);
	check_contracts_begin(&runs);
	fault = compat_rows_run(&rows, now->name, now->schema, &runs, why);
	validation_end(runs.validation);
	if (fault == FAULT_NONE)
		add_row_breaks(breaks, runs.runs[runs.n_runs - 1].table);
	check_contracts_clear(&runs);
	close(rows.fd);
	return fault;
}

static void check_rows_guard(const struct contract_resource *promised, const struct resource *now, json_t *breaks)
{
	const json_t *rows = json_object_get(json_object_get(now->json, "clapet"), "rows");
	_cleanup_free_ char *line = NULL;

	if (promised->min_rows < 0 || !json_is_integer(rows) || json_integer_value(rows) >= promised->min_rows)
		return;
	line = xasprintf("%lld rows, at least %lld were asked for", (long long)json_integer_value(rows),
			 (long long)promised->min_rows);
	json_array_append_new(breaks, break_json("min-rows", "", "", "", line));
}

static enum fault compare_resource(const struct dataset *dataset, const struct contract *contract,
				   const struct contract_resource *promised, bool with_rows, json_t *breaks,
				   const char **ret_state, struct refusal *why)
{
	const struct resource *now = package_resource(dataset->package, promised->name);
	const struct compat_reader reader = {promised->match, true, NULL, dataset->package};
	struct compat_result result;
	enum fault fault = FAULT_NONE;

	check_contract_compare(promised, now, &reader, &result);
	add_schema_breaks(breaks, &result);
	if (now != NULL)
		check_rows_guard(promised, now, breaks);
	*ret_state = "satisfied";
	if (result.verdict == COMPAT_BY_DATA && with_rows)
		fault = run_rows(dataset, contract, promised, now, &result, breaks, why);
	else if (result.verdict == COMPAT_BY_DATA)
		*ret_state = "rows";
	if (json_array_size(breaks) > 0)
		*ret_state = "broken";
	compat_clear(&result);
	return fault;
}

static const char *match_word(enum contract_match match)
{
	return match == CONTRACT_BY_POSITION ? "position" : match == CONTRACT_EXACT ? "exact" : "name";
}

static enum fault compose_resource(const struct dataset *dataset, const struct contract *contract,
				   const struct contract_resource *promised, bool with_rows, json_t *resources,
				   const char **ret_state, struct refusal *why)
{
	json_t *json = json_object(), *fields = json_array(), *breaks = json_array();
	enum fault fault = FAULT_NONE;

	for (size_t i = 0; promised->schema != NULL && i < promised->schema->n_fields; i++)
		json_array_append_new(fields, check_json_text(field_name(promised->schema->fields[i])));
	*ret_state = "absent";
	if (dataset->version[0] != '\0')
		fault = compare_resource(dataset, contract, promised, with_rows, breaks, ret_state, why);
	json_object_set_new(json, "name", json_string(promised->name));
	json_object_set_new(json, "match", json_string(match_word(promised->match)));
	json_object_set_new(json, "fields", fields);
	json_object_set_new(json, "state", json_string(*ret_state));
	json_object_set_new(json, "breaks", breaks);
	json_array_append_new(resources, json);
	return fault;
}

/* --- one contract -------------------------------------------------------------------------------------------------- */

/* A contract is as bad as the worst of its resources. */
static int badness(const char *state)
{
	static const char *const words[] = {"satisfied", "rows", "absent", "broken"};
	int at = 0;

	while (strcmp(words[at], state) != 0)
		at++;
	return at;
}

static enum fault compose_contract(const struct inside *inside, const struct contract_file *file, bool with_rows,
				   json_t *array, struct refusal *why)
{
	struct dataset dataset = {.inside = inside, .name = file->dataset};
	_cleanup_(contract_freep) struct contract *contract = NULL;
	json_t *json = json_object(), *resources = json_array();
	const char *worst = "satisfied", *contact;
	enum fault fault = contract_parse(file->data, file->size, file->application, &contract, why);

	json_array_append_new(array, json);
	if (fault == FAULT_NONE)
		fault = load_dataset(&dataset, why);
	for (size_t i = 0; fault == FAULT_NONE && i < contract->n_resources; i++) {
		const char *state = "absent";

		fault = compose_resource(&dataset, contract, &contract->resources[i], with_rows, resources, &state,
					 why);
		if (badness(state) > badness(worst))
			worst = state;
	}
	contact = contract == NULL ? NULL : json_string_value(json_object_get(contract->json, "contact"));
	json_object_set_new(json, "application", json_string(file->application));
	json_object_set_new(json, "contact", check_json_text(contact != NULL ? contact : ""));
	json_object_set_new(json, "dataset", json_string(file->dataset));
	json_object_set_new(json, "version", json_string(dataset.version));
	json_object_set_new(json, "state", json_string(worst));
	json_object_set_new(json, "resources", resources);
	package_free(dataset.package);
	return fault;
}

enum fault contractstate_compose(const struct inside *inside, const char *application, bool with_rows,
				 json_t **ret_state, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *array = json_array();

	for (size_t i = 0; i < inside->n_contracts; i++) {
		enum fault fault;

		if (application != NULL && strcmp(application, inside->contracts[i].application) != 0)
			continue;
		fault = compose_contract(inside, &inside->contracts[i], with_rows, array, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	*ret_state = json_incref(array);
	return FAULT_NONE;
}
