/* SPDX-License-Identifier: ISC
 *
 * cmd_contracts: contracts, contract-from: who reads what, and a contract made from a schema and a list of fields.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "bundle/columns.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "inside/cmd.h"
#include "inside/contractstate.h"
#include "inside/document_file.h"
#include "inside/store.h"
#include "schemas/contractfrom.h"
#include "schemas/package.h"

#define CELL 512

/* --- contracts ------------------------------------------------------------------------------------------------------ */

static const char *opt_only;

const struct option cmd_contracts_options[] = {
	{"application", 'a', OPTION_TEXT, &opt_only, "NAME", "those of one application"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const char *state_words(const char *state)
{
	return strcmp(state, "satisfied") == 0 ? "kept" : strcmp(state, "absent") == 0 ? "nothing in force" : "broken";
}

static void join_fields(const json_t *fields, char *text, size_t size)
{
	size_t n = 0;

	snprintf(text, size, "-");
	for (size_t i = 0; i < json_array_size(fields) && n < size; i++) {
		const char *name = json_string_value(json_array_get(fields, i));
		char escaped[128];

		n += (size_t)snprintf(text + n, size - n, "%s%s", i > 0 ? ", " : "",
				      text_escape(name, strlen(name), escaped, sizeof(escaped)));
	}
}

static void add_rows(struct columns *table, const json_t *contract)
{
	const json_t *resources = json_object_get(contract, "resources");
	char application[CELL], dataset[CELL], contact[CELL], name[CELL], match[CELL], state[CELL], fields[CELL];

	status_text(contract, "application", application, CELL);
	status_text(contract, "dataset", dataset, CELL);
	status_text(contract, "contact", contact, CELL);
	for (size_t i = 0; i < json_array_size(resources); i++) {
		const json_t *resource = json_array_get(resources, i);

		join_fields(json_object_get(resource, "fields"), fields, sizeof(fields));
		columns_row(table,
			    (const char *const[]){application, dataset, status_text(resource, "name", name, CELL),
						  status_text(resource, "match", match, CELL),
						  state_words(status_text(resource, "state", state, CELL)),
						  contact[0] == '\0' ? "-" : contact, fields});
	}
}

/* "  type-changed, field code: integer was string" and, where a row shows it, the row and the value. */
static void print_break(const json_t *item)
{
	const json_t *row = json_object_get(item, "row");
	char rule[CELL], field[CELL], line[CELL], value[CELL], was[CELL], is[CELL];

	printf("  %s%s%s: %s", status_text(item, "rule", rule, CELL), "", "", status_text(item, "line", line, CELL));
	status_text(item, "field", field, CELL);
	if (field[0] != '\0' && strstr(line, field) == NULL)
		printf(" (field %s)", field);
	if (json_is_integer(row))
		printf(", first in row %lld", (long long)json_integer_value(row));
	if (json_is_string(json_object_get(item, "value")))
		printf(": \"%s\"", status_text(item, "value", value, CELL));
	status_text(item, "old", was, CELL);
	status_text(item, "new", is, CELL);
	if (was[0] != '\0' || is[0] != '\0')
		printf("\n    promised: %s\n    in force: %s", was[0] != '\0' ? was : "-", is[0] != '\0' ? is : "-");
	putchar('\n');
}

static void print_broken(const json_t *contract)
{
	const json_t *resources = json_object_get(contract, "resources");
	char application[CELL], dataset[CELL], contact[CELL], name[CELL], version[CELL];

	for (size_t i = 0; i < json_array_size(resources); i++) {
		const json_t *resource = json_array_get(resources, i), *breaks = json_object_get(resource, "breaks");

		if (json_array_size(breaks) == 0)
			continue;
		status_text(contract, "contact", contact, CELL);
		printf("\n%s: %s/%s, version %s in force%s%s\n",
		       status_text(contract, "application", application, CELL),
		       status_text(contract, "dataset", dataset, CELL), status_text(resource, "name", name, CELL),
		       status_text(contract, "version", version, CELL), contact[0] != '\0' ? "; tell " : "", contact);
		for (size_t j = 0; j < json_array_size(breaks); j++)
			print_break(json_array_get(breaks, j));
	}
}

static int print_contracts(const json_t *contracts)
{
	static const char *const headings[] = {"APPLICATION", "DATASET", "RESOURCE", "MATCH",
					       "NOW",         "CONTACT", "READS"};
	struct columns *table;

	if (json_array_size(contracts) == 0) {
		puts("no contract: each dataset is held to its schema in force");
		return 0;
	}
	table = columns_new(ARRAY_SIZE(headings), headings);
	for (size_t i = 0; i < json_array_size(contracts); i++)
		add_rows(table, json_array_get(contracts, i));
	columns_print(table, stdout);
	columns_free(table);
	for (size_t i = 0; i < json_array_size(contracts); i++)
		print_broken(json_array_get(contracts, i));
	return 0;
}

static int worst_state(const json_t *contracts)
{
	int worst = 0;

	for (size_t i = 0; i < json_array_size(contracts); i++) {
		char state[CELL];

		status_text(json_array_get(contracts, i), "state", state, CELL);
		if (strcmp(state, "satisfied") != 0)
			worst = fault_exit_worse(worst,
						 fault_exit(strcmp(state, "absent") == 0 ? FAULT_CONTRACT_ABSENT
											 : FAULT_CONTRACT_BROKEN));
	}
	return worst;
}

/* The folder that all is read from once power is dropped. */
static enum fault enter_sandbox(int folder_fd, bool is_test_bench)
{
	struct sandbox_folder folder = {folder_fd, SANDBOX_READ};

	sandbox_set_test_bench(is_test_bench);
	sandbox_enter(SANDBOX_TOOL, &folder, folder_fd < 0 ? 0 : 1);
	return FAULT_NONE;
}

int cmd_contracts(int argc, char **argv)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	_cleanup_(json_decrefp) json_t *contracts = NULL;
	struct refusal why = {0};
	int status;

	(void)argc, (void)argv;
	if ((status = cmd_open_read(&inside)) != 0)
		return status;
	if (inside_load_rules(&inside, &why) != FAULT_NONE)
		return cmd_fail(&why);
	enter_sandbox(inside.store_fd, inside.config->test_bench);
	if (contractstate_compose(&inside, opt_only, true, &contracts, &why) != FAULT_NONE)
		return cmd_fail(&why);
	if (opt_only != NULL && json_array_size(contracts) == 0) {
		refuse(&why, FAULT_NO_SUCH, "%s has no contract here", opt_only);
		return cmd_fail(&why);
	}
	status = worst_state(contracts);
	if (cmd_wants_json())
		return cmd_print_json(json_incref(contracts), status);
	print_contracts(contracts);
	return cmd_end(status);
}

/* --- contract-from -------------------------------------------------------------------------------------------------- */

static const char *opt_application, *opt_dataset, *opt_resource, *opt_fields, *opt_match, *opt_contact;

const struct option cmd_contract_from_options[] = {
	{"application", 'a', OPTION_TEXT, &opt_application, "NAME", "who reads (required)"},
	{"dataset", 0, OPTION_TEXT, &opt_dataset, "NAME", "what is read (required with a file)"},
	{"resource", 0, OPTION_TEXT, &opt_resource, "NAME",
	 "which table of it (default: the only one, or the dataset's name)"},
	{"fields", 'f', OPTION_TEXT, &opt_fields, "A,B,C", "the fields that are used (default: all)"},
	{"match", 0, OPTION_TEXT, &opt_match, "name|position|exact", "how they are found (default name)"},
	{"contact", 0, OPTION_TEXT, &opt_contact, "TEXT", "whom to tell when it breaks"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

/* A document and the folder beside it. */
struct source {
	struct document_file file;
	bool is_test_bench;
	char dataset[NOTATION_NAME_SIZE], resource[NOTATION_NAME_SIZE]; /* of DATASET/RESOURCE; "" */
	struct schema *schema;
	struct package *package;
};

static void source_clear(struct source *source)
{
	document_file_clear(&source->file);
	schema_free(source->schema);
	package_free(source->package);
}

/* DATASET/RESOURCE of what is in force. */
static enum fault open_in_force(const char *name, struct source *source, struct refusal *why)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	const char *slash = strchr(name, '/');
	char version[STORE_VERSION_SIZE];
	_cleanup_close_ int fd = -1;
	uint64_t generation = 0;
	enum fault fault;
	int r;

	snprintf(source->dataset, sizeof(source->dataset), "%.*s", (int)(slash - name), name);
	snprintf(source->resource, sizeof(source->resource), "%s", slash + 1);
	if (!notation_is_name(source->dataset) || !notation_is_name(source->resource))
		return refuse(why, FAULT_NO_SUCH, "%s: there is no such file, and it is no DATASET/RESOURCE", name);
	if ((fault = inside_configure(cmd_config_path(), &inside, why)) != FAULT_NONE ||
	    (fault = inside_open_store(&inside, why)) != FAULT_NONE)
		return fault;
	source->is_test_bench = inside.config->test_bench;
	if (store_current(inside.store_fd, &generation) < 0 || generation == 0 ||
	    store_generation_version(inside.store_fd, generation, source->dataset, version) < 0)
		return refuse(why, FAULT_NO_SUCH, "nothing of %s is in force", source->dataset);
	fd = store_open_version_file(inside.store_fd, source->dataset, version, "datapackage.json");
	r = fd < 0 ? fd : fd_load(fd, LIMIT_PACKAGE_SIZE, &source->file.data, &source->file.size);
	return r < 0 ? refuse(why, FAULT_STORE_DAMAGED, "%s/datapackage.json: %s", source->dataset, strerror(-r))
		     : FAULT_NONE;
}

static enum fault parse_source(struct source *source, const char *name, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	struct warnings warnings = {0};
	enum fault fault = package_parse_schema(source->file.data, source->file.size, &json, &warnings, why);

	if (fault == FAULT_NONE && json_object_get(json, "resources") != NULL &&
	    json_object_get(json, "fields") == NULL)
		fault = package_parse(source->file.data, source->file.size, document_file_load_schema, &source->file,
				      &source->package, why);
	else if (fault == FAULT_NONE)
		fault = schema_parse(json, &source->schema, why);
	warnings_clear(&warnings);
	return fault == FAULT_NONE ? fault : refuse_within(why, "%s", name);
}

/* The schema that is meant; NULL in RET where WHY says why not. */
static enum fault choose_schema(const struct source *source, const char **resource, const struct schema **ret_schema,
				struct refusal *why)
{
	const struct resource *found;

	*ret_schema = source->schema;
	if (source->package == NULL)
		return FAULT_NONE;
	if (*resource == NULL && source->package->n_resources == 1)
		*resource = source->package->resources[0].name;
	if (*resource == NULL)
		return refuse(why, FAULT_CONTRACT_FROM, "it has %zu resources: choose one with --resource",
			      source->package->n_resources);
	found = package_resource(source->package, *resource);
	if (found == NULL)
		return refuse(why, FAULT_CONTRACT_FROM, "there is no resource %s", *resource);
	if (found->schema == NULL)
		return refuse(why, FAULT_CONTRACT_FROM, "resource %s has no schema", *resource);
	*ret_schema = found->schema;
	return FAULT_NONE;
}

static enum fault make_contract(struct source *source, const char *name, json_t **ret_contract, struct refusal *why)
{
	struct contract_wish wish = {.application = opt_application,
				     .dataset = opt_dataset,
				     .resource = opt_resource,
				     .contact = opt_contact,
				     .fields = opt_fields,
				     .match = opt_match == NULL                    ? CONTRACT_BY_NAME
					      : strcmp(opt_match, "position") == 0 ? CONTRACT_BY_POSITION
					      : strcmp(opt_match, "exact") == 0    ? CONTRACT_EXACT
										   : CONTRACT_BY_NAME};
	const struct schema *schema = NULL;
	enum fault fault = parse_source(source, name, why);

	if (source->resource[0] != '\0') {
		wish.dataset = source->dataset;
		wish.resource = source->resource;
	}
	if (fault == FAULT_NONE)
		fault = choose_schema(source, &wish.resource, &schema, why);
	if (wish.resource == NULL)
		wish.resource = wish.dataset;
	if (fault == FAULT_NONE)
		fault = contract_from(schema, &wish, ret_contract, why);
	return fault;
}

int cmd_contract_from(int argc, char **argv)
{
	_cleanup_(source_clear) struct source source = {.file = DOCUMENT_FILE_NONE};
	_cleanup_(json_decrefp) json_t *contract = NULL;
	struct refusal why = {0};
	bool is_file;

	if (argc != 1)
		die_usage("contract-from: one SCHEMA, or one DATASET/RESOURCE of what is in force");
	if (opt_application == NULL)
		die_usage("contract-from: --application is required");
	if (opt_match != NULL && strcmp(opt_match, "name") != 0 && strcmp(opt_match, "position") != 0 &&
	    strcmp(opt_match, "exact") != 0)
		die_usage("contract-from: --match takes name, position or exact");
	is_file = access(argv[0], F_OK) == 0 || strchr(argv[0], '/') == NULL;
	if (is_file && opt_dataset == NULL)
		die_usage("contract-from: a file does not say which dataset it is of: --dataset");
	if (!is_file && (opt_dataset != NULL || opt_resource != NULL))
		die_usage("contract-from: DATASET/RESOURCE says both already");
	if ((is_file ? document_file_open(argv[0], &source.file, &why) : open_in_force(argv[0], &source, &why)) !=
	    FAULT_NONE)
		return cmd_fail(&why);
	enter_sandbox(source.file.folder_fd, source.is_test_bench);
	if (make_contract(&source, argv[0], &contract, &why) != FAULT_NONE)
		return cmd_fail(&why);
	return cmd_print_json(json_incref(contract), 0);
}
