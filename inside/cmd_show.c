/* SPDX-License-Identifier: ISC
 *
 * cmd_show: list, quarantine: what is in force, what waits for a person.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/columns.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "inside/cmd.h"
#include "schemas/contract.h"

#define CELL 160

/* Opens the store and reads status.json. The exit status, 0: read. */
static int open_status(struct inside *inside, json_t **ret_status)
{
	struct refusal why = {0};
	int status = cmd_open_read(inside);

	if (status != 0)
		return status;
	return status_load(inside, ret_status, &why) == FAULT_NONE ? 0 : cmd_fail(&why);
}

static const char *or_dash(const char *text)
{
	return text[0] == '\0' ? "-" : text;
}

static void list_row(struct columns *table, const json_t *dataset)
{
	char name[CELL], version[CELL], date[CELL], title[CELL], rows[32];

	if (!json_is_string(json_object_get(dataset, "version")))
		return;
	snprintf(rows, sizeof(rows), "%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(dataset, "rows")));
	status_text(dataset, "date", date, CELL);
	date[10] = '\0'; /* the day is what people tell versions by */
	columns_row(table, (const char *const[]){status_text(dataset, "name", name, CELL),
						 status_text(dataset, "version", version, CELL), or_dash(date), rows,
						 or_dash(status_text(dataset, "title", title, CELL))});
}

/* "rues: withdrawn by its publisher on 2026-03-01: merged into villes; replaced by villes" */
static void print_withdrawn(const char *indent, const json_t *dataset)
{
	const json_t *withdrawn = json_object_get(dataset, "withdrawn");
	char name[CELL], date[CELL], reason[CELL * 2], replaced_by[CELL];

	if (!json_is_object(withdrawn))
		return;
	status_text(withdrawn, "date", date, CELL);
	status_text(withdrawn, "reason", reason, sizeof(reason));
	status_text(withdrawn, "replacedBy", replaced_by, CELL);
	printf("%s%s: withdrawn by its publisher%s%.10s: %s%s%s\n", indent, status_text(dataset, "name", name, CELL),
	       date[0] == '\0' ? "" : " on ", date, reason[0] == '\0' ? "why has not arrived" : reason,
	       replaced_by[0] == '\0' ? "" : "; replaced by ", replaced_by);
}

int cmd_list(int argc, char **argv)
{
	static const char *const headings[] = {"DATASET", "VERSION", "DATE", "ROWS", "TITLE"};
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	_cleanup_(json_decrefp) json_t *document = NULL;
	struct columns *table;
	const json_t *datasets;
	int status;

	(void)argc, (void)argv;
	if ((status = open_status(&inside, &document)) != 0)
		return status;
	datasets = json_object_get(document, "datasets");
	if (cmd_wants_json())
		return cmd_print_json(json_deep_copy(datasets), 0);
	table = columns_new(ARRAY_SIZE(headings), headings);
	for (size_t i = 0; i < json_array_size(datasets); i++)
		list_row(table, json_array_get(datasets, i));
	columns_print(table, stdout);
	columns_free(table);
	for (size_t i = 0; i < json_array_size(datasets); i++)
		print_withdrawn("", json_array_get(datasets, i));
	return cmd_end(0);
}

/* --- quarantine ------------------------------------------------------------------------------------------------------ */

static const char *opt_application;

const struct option cmd_quarantine_options[] = {
	{"application", 'a', OPTION_TEXT, &opt_application, "NAME", "the reasons of one application alone"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

/* Whom to tell, as the contract says; NULL: nobody is named. New text. */
static char *contact_of(const struct inside *inside, const char *application, const char *dataset)
{
	for (size_t i = 0; i < inside->n_contracts; i++) {
		const struct contract_file *file = &inside->contracts[i];
		_cleanup_(contract_freep) struct contract *contract = NULL;
		const char *contact;

		if (strcmp(file->application, application) != 0 || strcmp(file->dataset, dataset) != 0 ||
		    contract_parse(file->data, file->size, file->application, &contract, NULL) != FAULT_NONE)
			continue;
		contact = json_string_value(json_object_get(contract->json, "contact"));
		return contact == NULL ? NULL : xstrdup(contact);
	}
	return NULL;
}

/* The breaks of the application that was asked for, each with whom to tell. New reference; empty where none is. */
static json_t *breaks_of(const struct inside *inside, const json_t *dataset)
{
	const json_t *breaks = json_object_get(dataset, "breaks");
	json_t *chosen = json_array();
	char name[CELL], application[CELL];

	status_text(dataset, "name", name, CELL);
	for (size_t i = 0; i < json_array_size(breaks); i++) {
		_cleanup_free_ char *contact = NULL;
		json_t *item;

		status_text(json_array_get(breaks, i), "application", application, CELL);
		if (opt_application != NULL && strcmp(opt_application, application) != 0)
			continue;
		item = json_deep_copy(json_array_get(breaks, i));
		contact = contact_of(inside, application, name);
		if (contact != NULL)
			json_object_set_new(item, "contact", verdict_text(contact));
		json_array_append_new(chosen, item);
	}
	return chosen;
}

/* What the team behind a break asks next. */
static void print_detail(const json_t *item)
{
	static const struct {
		const char *key, *words;
	} details[] = {{"old", "promised: "}, {"new", "now:      "}, {"contact", "tell:     "}};
	const json_t *row = json_object_get(item, "row");
	char text[RECORD_LINE_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(details); i++) {
		status_text(item, details[i].key, text, sizeof(text));
		if (text[0] != '\0')
			printf("    %s%s\n", details[i].words, text);
	}
	status_text(item, "value", text, sizeof(text));
	if (json_is_integer(row))
		printf("    first in row %" JSON_INTEGER_FORMAT "%s%s%s\n", json_integer_value(row),
		       text[0] == '\0' ? "" : ": \"", text, text[0] == '\0' ? "" : "\"");
}

static void print_held(const struct inside *inside, const json_t *dataset)
{
	const json_t *breaks = json_object_get(dataset, "breaks");
	char name[CELL], trusted[CELL], fault[CELL], why[RECORD_LINE_SIZE], state[CELL], version[CELL];
	_cleanup_free_ char *report = NULL;

	status_text(dataset, "name", name, CELL);
	status_text(dataset, "trusted", trusted, CELL);
	status_text(dataset, "version", version, CELL);
	status_text(dataset, "state", state, CELL);
	status_text(dataset, "fault", fault, CELL);
	printf("%s %s %s%s%s: %s\n", fault, fault_word(fault_by_code(fault)), name,
	       trusted[0] == '\0' ? "" : " version ", trusted, status_text(dataset, "why", why, sizeof(why)));
	print_withdrawn("  ", dataset);
	if (version[0] != '\0')
		printf("  in force stays %s\n", version);
	for (size_t i = 0; i < json_array_size(breaks); i++) {
		const json_t *item = json_array_get(breaks, i);
		char code[CELL], application[CELL], resource[CELL], field[CELL], rule[CELL], line[RECORD_LINE_SIZE];

		status_text(item, "application", application, CELL);
		status_text(item, "field", field, CELL);
		printf("  %s %s, %s%s%s (rule %s%s): %s\n", status_text(item, "fault", code, CELL),
		       application[0] == '\0'  ? "policy"
		       : application[0] == '*' ? "schema in force"
					       : application,
		       or_dash(status_text(item, "resource", resource, CELL)), field[0] == '\0' ? "" : ".", field,
		       status_text(item, "rule", rule, CELL),
		       json_is_true(json_object_get(item, "approvable")) ? "" : "; cannot be approved",
		       status_text(item, "line", line, sizeof(line)));
		print_detail(item);
	}
	report = xasprintf("%s/quarantine/%s-%s/report.json", inside->config->store, name, trusted);
	if (access(report, F_OK) == 0)
		printf("  report: %s\n", report);
	if (json_is_object(json_object_get(dataset, "pin")))
		printf("  next: clapet-inside release %s\n", name);
	else if (strcmp(state, "held") == 0)
		printf("  next: clapet-inside approve %s --reason …\n", name);
}

static bool is_asked_for(const json_t *dataset, const char *wanted)
{
	char state[CELL], name[CELL];

	status_text(dataset, "state", state, CELL);
	return (strcmp(state, "held") == 0 || strcmp(state, "refused") == 0) &&
	       (wanted == NULL || strcmp(wanted, status_text(dataset, "name", name, CELL)) == 0);
}

int cmd_quarantine(int argc, char **argv)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	_cleanup_(json_decrefp) json_t *document = NULL;
	_cleanup_(json_decrefp) json_t *array = json_array();
	struct refusal why = {0};
	json_t *datasets;
	int status, worst = 0;

	if (argc > 1)
		die_usage("quarantine: name one dataset at most");
	if ((status = open_status(&inside, &document)) != 0)
		return status;
	if (inside_load_rules(&inside, &why) != FAULT_NONE)
		log_warning("E%04d %s: nobody is named whom to tell", why.fault, why.line);
	datasets = json_object_get(document, "datasets");
	for (size_t i = 0; i < json_array_size(datasets); i++) {
		_cleanup_(json_decrefp) json_t *dataset = json_copy(json_array_get(datasets, i));
		json_t *breaks = breaks_of(&inside, dataset);
		char state[CELL];

		json_object_set_new(dataset, "breaks", breaks);
		if (!is_asked_for(dataset, argc == 1 ? argv[0] : NULL) ||
		    (opt_application != NULL && json_array_size(breaks) == 0))
			continue;
		status_text(dataset, "state", state, CELL);
		worst = fault_exit_worse(worst, strcmp(state, "held") == 0 ? fault_exit(FAULT_HELD_PIN) : 1);
		json_array_append(array, dataset);
		if (!cmd_wants_json())
			print_held(&inside, dataset);
	}
	if (cmd_wants_json())
		return cmd_print_json(json_incref(array), worst);
	if (json_array_size(array) == 0)
		printf("nothing is held\n");
	return cmd_end(worst);
}
