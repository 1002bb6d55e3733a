/* SPDX-License-Identifier: ISC
 *
 * compat_command: see compat_command.h. The files are opened first, then power is dropped, then they are parsed; rows go through
 * the same runs as in inside-check.
 */
#include "inside/compat_command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "bundle/json.h"
#include "inside/check.h"
#include "inside/compat_rows.h"
#include "inside/document_file.h"

static const char *opt_match, *opt_delimiter;
static struct option_list opt_data;
static bool opt_json;

const struct option compat_options[] = {
	{"match", 0, OPTION_TEXT, &opt_match, "name|position|exact",
	 "how the reader finds its columns (default name, or what the contract says)"},
	{"by", 0, OPTION_TEXT, &opt_match, "name|position|exact", "the same"},
	{"data", 0, OPTION_LIST, &opt_data, "CSV",
	 "rows of the new schema: they decide what the schemas leave open. Of several\n"
	 "resources, each file bears the name of its own (communes.csv)"},
	{"delimiter", 0, OPTION_TEXT, &opt_delimiter, "CHARACTER",
	 "what separates the cells of the data (default: what NEW's dialect says, or a comma)"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

const char compat_details[] =
	"OLD is what the reader was promised: a Table Schema, a datapackage.json or a contract. NEW is a Table Schema "
	"or a\n"
	"datapackage.json. Packages are compared resource by resource, by name. With --data the header of the rows "
	"says "
	"which\n"
	"columns there are; a rule that only rows can break is answered by running OLD over them. The rules: "
	"COMPATIBILITY.md.\n\n"
	"Exit status: 0 compatible, 1 incompatible, 4 undecided without the data (give --data), 2 trouble.";

/* One of the two files: exactly one of schema, package, contract is set. */
struct offer {
	const char *path;
	struct document_file file;
	struct schema *schema;
	struct package *package;
	struct contract *contract;
};

/* A schema that was promised against the one that is offered. */
struct pair {
	const char *name; /* of the resource; "" for a schema alone */
	const struct schema *old, *new;
	const struct resource *old_resource, *new_resource; /* NULL where it is none of a package */
	enum contract_match match;
	struct schema *of_data; /* owned; the new one as the data have it */
	const struct compat_rows *rows;
	struct compat_result result;
	size_t run; /* in contracts.runs; SIZE_MAX: nothing is left for the rows */
};

struct run {
	struct offer old, new;
	struct check_contracts contracts; /* of it only the runs are used */
	struct pair *pairs;
	size_t n_pairs;
	struct compat_rows *rows;
	size_t n_rows;
	struct dialect dialect;       /* of --delimiter */
	struct compat_result missing; /* resources that are gone, or no tables any more */
};

static void offer_clear(struct offer *offer)
{
	document_file_clear(&offer->file);
	schema_free(offer->schema);
	package_free(offer->package);
	contract_free(offer->contract);
}

static void run_clear(struct run *run)
{
	run->contracts.in_force = NULL; /* it is the old offer's */
	check_contracts_clear(&run->contracts);
	for (size_t i = 0; i < run->n_pairs; i++) {
		compat_clear(&run->pairs[i].result);
		schema_free(run->pairs[i].of_data);
	}
	for (size_t i = 0; i < run->n_rows; i++)
		cleanup_close(&run->rows[i].fd);
	compat_clear(&run->missing);
	free(run->pairs);
	free(run->rows);
	offer_clear(&run->old);
	offer_clear(&run->new);
}

/* --- files --------------------------------------------------------------------------------------------------------- */

static enum fault offer_parse(struct offer *offer, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	const char *format;
	_cleanup_(warnings_clear) struct warnings unsaid = {0}; /* clapet-outside validate says them */
	enum fault fault = package_parse_schema(offer->file.data, offer->file.size, &json, &unsaid, why);

	if (fault == FAULT_NONE) {
		format = json_string_value(json_object_get(json, "format"));
		if (format != NULL && strncmp(format, "clapet contract", 15) == 0)
			return contract_parse(offer->file.data, offer->file.size, offer->path, &offer->contract, why);
		/* Published schemas name examples of data as "resources" too. */
		if (json_object_get(json, "resources") != NULL && json_object_get(json, "fields") == NULL)
			fault = package_parse(offer->file.data, offer->file.size, document_file_load_schema,
					      &offer->file, &offer->package, why);
		else
			fault = schema_parse(json, &offer->schema, why);
	}
	return fault == FAULT_NONE ? FAULT_NONE : refuse_within(why, "%s", offer->path);
}

/* --- which with which ----------------------------------------------------------------------------------------------- */

static enum contract_match match_of(enum contract_match otherwise)
{
	if (opt_match == NULL)
		return otherwise;
	return strcmp(opt_match, "position") == 0 ? CONTRACT_BY_POSITION
	       : strcmp(opt_match, "exact") == 0  ? CONTRACT_EXACT
						  : CONTRACT_BY_NAME;
}

static struct pair *add_pair(struct run *run, const char *name, const struct schema *old, const struct schema *new,
			     enum contract_match match)
{
	struct pair *pair;

	run->pairs = xrealloc(run->pairs, run->n_pairs + 1, sizeof(*run->pairs));
	pair = &run->pairs[run->n_pairs++];
	memset(pair, 0, sizeof(*pair));
	pair->name = name;
	pair->old = old;
	pair->new = new;
	pair->match = match_of(match);
	pair->run = SIZE_MAX;
	return pair;
}

/* A resource that was promised against the package that is offered. */
static void add_resource(struct run *run, const char *name, const struct schema *old, const struct resource *before,
			 enum contract_match match)
{
	const struct resource *now = package_resource(run->new.package, name);
	struct pair *pair;

	if (now == NULL) {
		compat_resource_removed(name, &run->missing);
	} else if (old != NULL && now->schema == NULL) {
		compat_schema_removed(name, &run->missing);
	} else if (old != NULL) {
		pair = add_pair(run, now->name, old, now->schema, match);
		pair->old_resource = before;
		pair->new_resource = now;
	}
}

/* The one schema of a document that is asked to stand for one: NULL where it has none, or several. */
static const struct schema *only_schema(const struct offer *offer)
{
	if (offer->schema != NULL)
		return offer->schema;
	if (offer->package != NULL && offer->package->n_resources == 1)
		return offer->package->resources[0].schema;
	if (offer->contract != NULL && offer->contract->n_resources == 1)
		return offer->contract->resources[0].schema;
	return NULL;
}

static enum fault pair_documents(struct run *run, struct refusal *why)
{
	const struct contract *contract = run->old.contract;
	const struct package *package = run->old.package;
	const struct schema *old = only_schema(&run->old), *new = only_schema(&run->new);

	if (run->new.contract != NULL)
		return refuse(why, FAULT_SCHEMA, "%s: a contract is what a reader was promised: it goes first",
			      run->new.path);
	if (run->new.package != NULL && contract != NULL) {
		for (size_t i = 0; i < contract->n_resources; i++)
			add_resource(run, contract->resources[i].name, contract->resources[i].schema, NULL,
				     contract->resources[i].match);
	} else if (run->new.package != NULL && package != NULL) {
		for (size_t i = 0; i < package->n_resources; i++)
			add_resource(run, package->resources[i].name, package->resources[i].schema,
				     &package->resources[i], CONTRACT_BY_NAME);
	} else if (old != NULL && new != NULL) {
		add_pair(run, "", old, new, contract != NULL ? contract->resources[0].match : CONTRACT_BY_NAME);
	} else {
		return refuse(why, FAULT_SCHEMA,
			      "%s and %s: a schema alone can only be compared with the only schema of the other",
			      run->old.path, run->new.path);
	}
	return FAULT_NONE;
}

/* --- rows ---------------------------------------------------------------------------------------------------------- */

/* The pair that a CSV is of: the only one, or the one whose name the file bears. */
static struct pair *find_pair(const struct run *run, const char *path)
{
	const char *slash = strrchr(path, '/'), *file = slash != NULL ? slash + 1 : path;
	size_t length = strcspn(file, ".");

	if (run->n_pairs == 1)
		return &run->pairs[0];
	for (size_t i = 0; i < run->n_pairs; i++) {
		if (strlen(run->pairs[i].name) == length && strncmp(run->pairs[i].name, file, length) == 0)
			return &run->pairs[i];
	}
	return NULL;
}

static enum fault give_rows(struct run *run, struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	run->dialect = dialect_plain;
	if (opt_delimiter != NULL)
		run->dialect.delimiter = opt_delimiter[0];
	for (size_t i = 0; i < run->n_rows && fault == FAULT_NONE; i++) {
		struct compat_rows *rows = &run->rows[i];
		struct pair *pair = find_pair(run, rows->path);

		if (pair == NULL)
			return refuse(why, FAULT_FILE,
				      "%s: it bears the name of none of the resources that were compared", rows->path);
		if (pair->rows != NULL)
			return refuse(why, FAULT_FILE, "%s: %s has these rows already", rows->path, pair->rows->path);
		rows->dialect = opt_delimiter != NULL || pair->new_resource == NULL ? &run->dialect
										    : &pair->new_resource->dialect;
		pair->rows = rows;
		fault = compat_rows_schema(rows, pair->new, &pair->of_data, why);
	}
	return fault;
}

/* Whether a reference of the old schema leads to rows that were not given: they cannot decide it. */
static bool lacks_target(const struct run *run, const struct pair *pair)
{
	bool is_open = false;

	for (size_t i = 0; i < pair->result.n_breaks; i++)
		is_open |= strcmp(pair->result.breaks[i].rule, "reference-removed") == 0;
	for (size_t i = 0; i < pair->old->n_foreign_keys && is_open; i++) {
		const char *resource = pair->old->foreign_keys[i].resource;
		/* One that leads out of the package is decided without rows. */
		bool is_given = resource == NULL || resource[0] == '\0' || pair->old->foreign_keys[i].package != NULL;

		for (size_t j = 0; j < run->n_pairs && !is_given; j++)
			is_given = run->pairs[j].rows != NULL && strcmp(run->pairs[j].name, resource) == 0;
		if (!is_given)
			return true;
	}
	return false;
}

static void compare_pair(struct run *run, struct pair *pair)
{
	const struct compat_reader reader = {pair->match, run->old.contract != NULL, run->old.package,
					     run->new.package};
	bool is_by_data = false;

	compat_compare(pair->old, pair->of_data != NULL ? pair->of_data : pair->new, &reader, &pair->result);
	if (pair->old_resource != NULL)
		compat_compare_form(pair->old_resource, pair->new_resource, &pair->result);
	if (pair->new_resource != NULL && check_resource_is_let_through(pair->new_resource))
		compat_let_through(pair->name, &pair->result);
	for (size_t i = 0; i < pair->old->n_fields; i++)
		is_by_data |= compat_is_in_run(&pair->result, pair->old, i);
	if (!is_by_data || pair->rows == NULL)
		return;
	/* A reference that leads to rows which were not given cannot be checked, and the validation says so. */
	run->contracts.in_force = lacks_target(run, pair) ? NULL : run->old.package;
	check_contracts_add_run(&run->contracts, "reader", pair->name, pair->match, pair->old, &pair->result);
	pair->run = run->contracts.n_runs - 1;
}

static enum fault decide(struct run *run, struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	check_contracts_begin(&run->contracts);
	for (size_t i = 0; i < run->n_pairs && fault == FAULT_NONE; i++) {
		if (run->pairs[i].rows != NULL)
			fault = compat_rows_run(run->pairs[i].rows, run->pairs[i].name, run->pairs[i].new,
						&run->contracts, why);
	}
	if (fault == FAULT_NONE)
		validation_end(run->contracts.validation);
	return fault;
}

/* --- the answer ---------------------------------------------------------------------------------------------------- */

/* What a pair comes to, with the rows where there are any. */
static enum compat_verdict settle(const struct run *run, const struct pair *pair)
{
	if (pair->result.verdict != COMPAT_BY_DATA || pair->rows == NULL)
		return pair->result.verdict;
	if (pair->run == SIZE_MAX)
		return COMPAT_YES; /* the header was all that was asked */
	return validation_table_n_faults(run->contracts.runs[pair->run].table) == 0 ? COMPAT_YES : COMPAT_NO;
}

static void print_breaks(const struct compat_result *result, const char *name)
{
	for (size_t i = 0; i < result->n_breaks; i++)
		printf("%s%s%s [%s%s]\n", name, name[0] != '\0' ? ": " : "", result->breaks[i].line,
		       result->breaks[i].rule,
		       result->breaks[i].verdict == COMPAT_BY_DATA ? ", decided by the data" : "");
}

static void append_breaks(json_t *array, const struct compat_result *result, const char *name)
{
	for (size_t i = 0; i < result->n_breaks; i++) {
		const struct compat_break *item = &result->breaks[i];
		json_t *json = json_object();

		json_object_set_new(json, "resource", check_json_text(name));
		json_object_set_new(json, "field", check_json_text(item->field));
		json_object_set_new(json, "old", check_json_text(item->old_text));
		json_object_set_new(json, "new", check_json_text(item->new_text));
		json_object_set_new(json, "rule", check_json_text(item->rule));
		json_object_set_new(json, "decidedByData", json_boolean(item->verdict == COMPAT_BY_DATA));
		json_object_set_new(json, "line", check_json_text(item->line));
		json_array_append_new(array, json);
	}
}

static void print_json(const struct run *run, const char *word)
{
	_cleanup_(json_decrefp) json_t *json = json_object();
	json_t *breaks = json_array();

	append_breaks(breaks, &run->missing, "");
	for (size_t i = 0; i < run->n_pairs; i++)
		append_breaks(breaks, &run->pairs[i].result, run->pairs[i].name);
	json_object_set_new(json, "verdict", json_string(word));
	json_object_set_new(json, "breaks", breaks);
	json_object_set_new(json, "validation",
			    run->n_rows > 0 ? validation_json(run->contracts.validation) : json_null());
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
}

static int answer(const struct run *run)
{
	static const char *const words[] = {"compatible", "undecided", "incompatible"};
	static const int statuses[] = {0, 4, 1};
	enum compat_verdict verdict = run->missing.verdict;

	for (size_t i = 0; i < run->n_pairs; i++) {
		enum compat_verdict one = settle(run, &run->pairs[i]);

		verdict = one > verdict ? one : verdict;
	}
	if (opt_json) {
		print_json(run, words[verdict]);
		return statuses[verdict];
	}
	print_breaks(&run->missing, "");
	for (size_t i = 0; i < run->n_pairs; i++)
		print_breaks(&run->pairs[i].result, run->pairs[i].name);
	if (run->n_rows > 0)
		validation_lines(run->contracts.validation, stdout);
	printf("%s%s\n", words[verdict],
	       verdict != COMPAT_BY_DATA ? ""
	       : run->n_rows == 0        ? " without the data: give --data"
					 : " without the data of every resource: give more of --data");
	return statuses[verdict];
}

static enum fault open_rows(struct run *run, struct refusal *why)
{
	run->rows = xcalloc(opt_data.n_items + 1, sizeof(*run->rows));
	for (size_t i = 0; i < opt_data.n_items; i++) {
		struct compat_rows *rows = &run->rows[run->n_rows++];

		rows->path = opt_data.items[i];
		rows->fd = open(rows->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (rows->fd < 0)
			return refuse(why, FAULT_FILE, "%s: %s", rows->path, strerror(errno));
	}
	return FAULT_NONE;
}

static enum fault compare(struct run *run, char **paths, struct refusal *why)
{
	struct sandbox_folder folders[2];
	enum fault fault;

	run->old.path = paths[0];
	run->new.path = paths[1];
	if ((fault = document_file_open(paths[0], &run->old.file, why)) != FAULT_NONE ||
	    (fault = document_file_open(paths[1], &run->new.file, why)) != FAULT_NONE ||
	    (fault = open_rows(run, why)) != FAULT_NONE)
		return fault;
	folders[0] = (struct sandbox_folder){run->old.file.folder_fd, SANDBOX_READ};
	folders[1] = (struct sandbox_folder){run->new.file.folder_fd, SANDBOX_READ};
	sandbox_enter(SANDBOX_TOOL, folders, 2);
	if ((fault = offer_parse(&run->old, why)) != FAULT_NONE ||
	    (fault = offer_parse(&run->new, why)) != FAULT_NONE || (fault = pair_documents(run, why)) != FAULT_NONE ||
	    (fault = give_rows(run, why)) != FAULT_NONE)
		return fault;
	for (size_t i = 0; i < run->n_pairs; i++)
		compare_pair(run, &run->pairs[i]);
	return decide(run, why);
}

int compat_run(bool json, int argc, char **argv)
{
	_cleanup_(run_clear) struct run run = {.old.file = DOCUMENT_FILE_NONE, .new.file = DOCUMENT_FILE_NONE};
	struct refusal why = {FAULT_NONE, ""};

	opt_json = json;
	if (argc != 2)
		die_usage("compat: OLD and NEW, two files");
	if (opt_match != NULL && strcmp(opt_match, "name") != 0 && strcmp(opt_match, "position") != 0 &&
	    strcmp(opt_match, "exact") != 0)
		die_usage("compat: --match takes name, position or exact");
	if (opt_delimiter != NULL && strlen(opt_delimiter) != 1)
		die_usage("compat: --delimiter takes one character");
	json_init();
	if (compare(&run, argv, &why) != FAULT_NONE) {
		/* 1 is the answer "incompatible": files that cannot be used are trouble here. */
		log_refusal(&why);
		return 2;
	}
	return answer(&run);
}
