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
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "bundle/json.h"
#include "inside/check.h"

static const char *opt_by, *opt_data;
static bool opt_json;

const struct option compat_options[] = {
	{"by", 0, OPTION_TEXT, &opt_by, "name|position|exact",
	 "how the reader finds its columns (default name, or what the contract says)"},
	{"data", 0, OPTION_TEXT, &opt_data, "CSV", "rows of the new schema: decides what the schemas leave open"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

const char compat_details[] =
	"OLD is what the reader was promised: a Table Schema, a datapackage.json or a contract. NEW is a Table Schema "
	"or a\n"
	"datapackage.json. Packages are compared resource by resource, by name.\n\n"
	"Exit status: 0 compatible, 1 incompatible, 4 undecided without the data (give --data), 2 trouble.";

/* One of the two files: exactly one of these is set. */
struct offer {
	const char *path;
	uint8_t *data;
	size_t size;
	int folder_fd; /* schemas that a package names by path are read beneath it */
	struct schema *schema;
	struct package *package;
	struct contract *contract;
};

struct run {
	struct offer old, new;
	int data_fd;
	struct check_contracts contracts; /* of it only the runs are used */
	struct compat_result *results;    /* kept: the breaks are printed at the end */
	const char **names;               /* of the resource of each result; "" for a schema alone */
	size_t n_results;
	struct compat_result missing; /* resources that are gone, or no tables any more */
};

static void offer_clear(struct offer *offer)
{
	free(offer->data);
	cleanup_close(&offer->folder_fd);
	schema_free(offer->schema);
	package_free(offer->package);
	contract_free(offer->contract);
}

static void run_clear(struct run *run)
{
	check_contracts_clear(&run->contracts);
	for (size_t i = 0; i < run->n_results; i++)
		compat_clear(&run->results[i]);
	compat_clear(&run->missing);
	free(run->results);
	free(run->names);
	cleanup_close(&run->data_fd);
	offer_clear(&run->old);
	offer_clear(&run->new);
}

/* --- files --------------------------------------------------------------------------------------------------------- */

static enum fault offer_open(struct offer *offer, const char *path, struct refusal *why)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *folder = slash == NULL ? xstrdup(".") : xasprintf("%.*s/", (int)(slash - path), path);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r = fd < 0 ? -errno : fd_load(fd, LIMIT_PACKAGE_SIZE, &offer->data, &offer->size);

	offer->path = path;
	if (r < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(-r));
	offer->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return offer->folder_fd < 0 ? refuse(why, FAULT_FILE, "%s: %s", folder, strerror(errno)) : FAULT_NONE;
}

static enum fault load_schema(void *ctx, const char *path, json_t **ret_schema, struct warnings *warnings,
			      struct refusal *why)
{
	const struct offer *offer = ctx;
	_cleanup_close_ int fd = fd_open_beneath(offer->folder_fd, path, O_RDONLY, 0);
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = fd < 0 ? fd : fd_load(fd, LIMIT_PACKAGE_SIZE, &data, &size);

	if (r < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(-r));
	return package_parse_schema(data, size, ret_schema, warnings, why);
}

static enum fault offer_parse(struct offer *offer, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	const char *format;
	_cleanup_(warnings_clear) struct warnings unsaid = {0}; /* clapet-outside validate says them */
	enum fault fault = package_parse_schema(offer->data, offer->size, &json, &unsaid, why);

	if (fault == FAULT_NONE) {
		format = json_string_value(json_object_get(json, "format"));
		if (format != NULL && strncmp(format, "clapet contract", 15) == 0)
			return contract_parse(offer->data, offer->size, offer->path, &offer->contract, why);
		if (json_object_get(json, "resources") != NULL)
			fault = package_parse(offer->data, offer->size, load_schema, offer, &offer->package, why);
		else
			fault = schema_parse(json, &offer->schema, why);
	}
	return fault == FAULT_NONE ? FAULT_NONE : refuse_within(why, "%s", offer->path);
}

/* --- comparing ----------------------------------------------------------------------------------------------------- */

static void compare_pair(struct run *run, const char *name, const struct schema *old, const struct schema *new,
			 enum contract_match match)
{
	struct compat_result *result;
	bool is_by_data = false;

	run->results = xrealloc(run->results, run->n_results + 1, sizeof(*run->results));
	run->names = xrealloc(run->names, run->n_results + 1, sizeof(*run->names));
	run->names[run->n_results] = name;
	result = &run->results[run->n_results++];
	compat_compare(old, new, match, result);
	for (size_t i = 0; i < result->n_breaks; i++)
		is_by_data |= result->breaks[i].verdict == COMPAT_BY_DATA;
	if (is_by_data)
		check_contracts_add_run(&run->contracts, "reader", name, match, old, result);
}

static void add_missing(struct run *run, const char *rule, const char *format, const char *name)
{
	struct compat_break *item;

	run->missing.breaks = xrealloc(run->missing.breaks, run->missing.n_breaks + 1, sizeof(*run->missing.breaks));
	item = &run->missing.breaks[run->missing.n_breaks++];
	memset(item, 0, sizeof(*item));
	item->verdict = run->missing.verdict = COMPAT_NO;
	text_copy(item->rule, sizeof(item->rule), rule);
	snprintf(item->line, sizeof(item->line), "resource %s %s", name, format);
}

/* A resource that was promised against the package that is offered. */
static void compare_resource(struct run *run, const char *name, const struct schema *old, enum contract_match match)
{
	const struct resource *now = package_resource(run->new.package, name);

	if (now == NULL)
		add_missing(run, "resource-removed", "is gone", name);
	else if (old != NULL && now->schema == NULL)
		add_missing(run, "schema-removed", "has no schema any more", name);
	else if (old != NULL)
		compare_pair(run, now->name, old, now->schema, match);
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

static enum contract_match match_of(enum contract_match otherwise)
{
	if (opt_by == NULL)
		return otherwise;
	return strcmp(opt_by, "position") == 0 ? CONTRACT_BY_POSITION
	       : strcmp(opt_by, "exact") == 0  ? CONTRACT_EXACT
					       : CONTRACT_BY_NAME;
}

static enum fault compare_documents(struct run *run, struct refusal *why)
{
	const struct contract *contract = run->old.contract;
	const struct schema *old = only_schema(&run->old), *new = only_schema(&run->new);

	if (run->new.contract != NULL)
		return refuse(why, FAULT_SCHEMA, "%s: a contract is what a reader was promised: it goes first",
			      run->new.path);
	if (run->new.package != NULL && contract != NULL) {
		for (size_t i = 0; i < contract->n_resources; i++)
			compare_resource(run, contract->resources[i].name, contract->resources[i].schema,
					 match_of(contract->resources[i].match));
	} else if (run->new.package != NULL && run->old.package != NULL) {
		for (size_t i = 0; i < run->old.package->n_resources; i++)
			compare_resource(run, run->old.package->resources[i].name,
					 run->old.package->resources[i].schema, match_of(CONTRACT_BY_NAME));
	} else if (old != NULL && new != NULL) {
		compare_pair(run, "", old, new,
			     match_of(contract != NULL ? contract->resources[0].match : CONTRACT_BY_NAME));
	} else {
		return refuse(why, FAULT_SCHEMA,
			      "%s and %s: a schema alone can only be compared with the only schema of the other",
			      run->old.path, run->new.path);
	}
	return FAULT_NONE;
}

/* --- rows ---------------------------------------------------------------------------------------------------------- */

struct rows {
	struct contract_run *run;
	bool has_header;
};

static enum fault take_row(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
			   struct refusal *why)
{
	struct rows *rows = ctx;

	(void)why;
	if (rows->has_header)
		contract_run_row(rows->run, cells, n_cells, position);
	else
		contract_run_header(rows->run, cells, n_cells);
	rows->has_header = true;
	return FAULT_NONE;
}

/* A table without a header gets the one that its schema names. */
static void make_header(struct rows *rows, const struct schema *schema)
{
	_cleanup_free_ struct cell *cells = xcalloc(schema->n_fields + 1, sizeof(*cells));

	for (size_t i = 0; i < schema->n_fields; i++) {
		cells[i].text = field_name(schema->fields[i]);
		cells[i].size = strlen(cells[i].text);
	}
	contract_run_header(rows->run, cells, schema->n_fields);
	rows->has_header = true;
}

/* The resource that the CSV is of: the only one, or the one whose name the file bears. */
static size_t find_result(const struct run *run)
{
	const char *slash = strrchr(opt_data, '/'), *file = slash != NULL ? slash + 1 : opt_data;
	size_t length = strcspn(file, ".");

	if (run->n_results == 1)
		return 0;
	for (size_t i = 0; i < run->n_results; i++) {
		if (strlen(run->names[i]) == length && strncmp(run->names[i], file, length) == 0)
			return i;
	}
	return SIZE_MAX;
}

static enum fault read_rows(struct run *run, struct contract_run *contract_run, struct refusal *why)
{
	const struct resource *resource = run->new.package != NULL
						  ? package_resource(run->new.package, contract_run->resource)
						  : NULL;
	struct dialect dialect = resource != NULL ? resource->dialect : dialect_plain;
	struct rows rows = {contract_run, false};
	_cleanup_(table_reader_freep) struct table_reader *reader = table_reader_new(&dialect, take_row, &rows);
	_cleanup_free_ char *piece = xmalloc(256 * KIB);
	enum fault fault = FAULT_NONE;
	ssize_t n;

	if (!dialect.header)
		make_header(&rows, resource->schema);
	while (fault == FAULT_NONE && (n = fd_read_up_to(run->data_fd, piece, 256 * KIB)) != 0) {
		if (n < 0)
			return refuse(why, FAULT_FILE, "%s: %s", opt_data, strerror((int)-n));
		fault = table_reader_feed(reader, piece, (size_t)n, why);
	}
	if (fault == FAULT_NONE)
		fault = table_reader_finish(reader, why);
	return fault == FAULT_NONE ? FAULT_NONE : refuse_within(why, "%s", opt_data);
}

/* Runs the rows; what was open of their resource is decided then. */
static enum fault decide(struct run *run, size_t *ret_result, struct refusal *why)
{
	size_t at = find_result(run);
	enum fault fault;

	if (at == SIZE_MAX)
		return refuse(why, FAULT_FILE, "%s: it bears the name of none of the resources that were compared",
			      opt_data);
	check_contracts_begin(&run->contracts);
	for (size_t i = 0; i < run->contracts.n_runs; i++) {
		if (strcmp(run->contracts.runs[i].resource, run->names[at]) == 0 &&
		    (fault = read_rows(run, &run->contracts.runs[i], why)) != FAULT_NONE)
			return fault;
		if (strcmp(run->contracts.runs[i].resource, run->names[at]) == 0)
			validation_table_end(run->contracts.runs[i].table);
	}
	validation_end(run->contracts.validation);
	*ret_result = at;
	return FAULT_NONE;
}

/* --- the answer ---------------------------------------------------------------------------------------------------- */

/* What RESULT comes to, with the rows (DECIDED: the result that they were of; SIZE_MAX: none). */
static enum compat_verdict settle(const struct run *run, size_t index, size_t decided)
{
	enum compat_verdict verdict = run->results[index].verdict;

	if (verdict != COMPAT_BY_DATA || index != decided)
		return verdict;
	return validation_is_valid(run->contracts.validation) ? COMPAT_YES : COMPAT_NO;
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
		json_object_set_new(json, "rule", check_json_text(item->rule));
		json_object_set_new(json, "decidedByData", json_boolean(item->verdict == COMPAT_BY_DATA));
		json_object_set_new(json, "line", check_json_text(item->line));
		json_array_append_new(array, json);
	}
}

static void print_json(const struct run *run, const char *word, bool has_data)
{
	_cleanup_(json_decrefp) json_t *json = json_object();
	json_t *breaks = json_array();

	append_breaks(breaks, &run->missing, "");
	for (size_t i = 0; i < run->n_results; i++)
		append_breaks(breaks, &run->results[i], run->names[i]);
	json_object_set_new(json, "verdict", json_string(word));
	json_object_set_new(json, "breaks", breaks);
	json_object_set_new(json, "validation", has_data ? validation_json(run->contracts.validation) : json_null());
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
}

static int answer(const struct run *run, size_t decided)
{
	static const char *const words[] = {"compatible", "undecided", "incompatible"};
	static const int statuses[] = {0, 4, 1};
	enum compat_verdict verdict = run->missing.verdict;

	for (size_t i = 0; i < run->n_results; i++) {
		enum compat_verdict one = settle(run, i, decided);

		verdict = one > verdict ? one : verdict;
	}
	if (opt_json) {
		print_json(run, words[verdict], decided != SIZE_MAX);
		return statuses[verdict];
	}
	print_breaks(&run->missing, "");
	for (size_t i = 0; i < run->n_results; i++)
		print_breaks(&run->results[i], run->names[i]);
	if (decided != SIZE_MAX)
		validation_lines(run->contracts.validation, stdout);
	printf("%s%s\n", words[verdict], verdict == COMPAT_BY_DATA ? " without the data: give --data" : "");
	return statuses[verdict];
}

static enum fault compare(struct run *run, char **paths, size_t *ret_decided, struct refusal *why)
{
	struct sandbox_folder folders[2];
	enum fault fault;

	if ((fault = offer_open(&run->old, paths[0], why)) != FAULT_NONE ||
	    (fault = offer_open(&run->new, paths[1], why)) != FAULT_NONE)
		return fault;
	if (opt_data != NULL && (run->data_fd = open(opt_data, O_RDONLY | O_CLOEXEC | O_NOCTTY)) < 0)
		return refuse(why, FAULT_FILE, "%s: %s", opt_data, strerror(errno));
	folders[0] = (struct sandbox_folder){run->old.folder_fd, SANDBOX_READ};
	folders[1] = (struct sandbox_folder){run->new.folder_fd, SANDBOX_READ};
	sandbox_enter(SANDBOX_TOOL, folders, 2);
	if ((fault = offer_parse(&run->old, why)) != FAULT_NONE ||
	    (fault = offer_parse(&run->new, why)) != FAULT_NONE || (fault = compare_documents(run, why)) != FAULT_NONE)
		return fault;
	return opt_data == NULL ? FAULT_NONE : decide(run, ret_decided, why);
}

int compat_run(bool json, int argc, char **argv)
{
	_cleanup_(run_clear) struct run run = {.old.folder_fd = -1, .new.folder_fd = -1, .data_fd = -1};
	struct refusal why = {FAULT_NONE, ""};
	size_t decided = SIZE_MAX;

	opt_json = json;
	if (argc != 2)
		die_usage("compat: OLD and NEW, two files");
	if (opt_by != NULL && strcmp(opt_by, "name") != 0 && strcmp(opt_by, "position") != 0 &&
	    strcmp(opt_by, "exact") != 0)
		die_usage("compat: --by takes name, position or exact");
	json_init();
	if (compare(&run, argv, &decided, &why) != FAULT_NONE) {
		/* 1 is the answer "incompatible": files that cannot be used are trouble here. */
		log_refusal(&why);
		return 2;
	}
	return answer(&run, decided);
}
