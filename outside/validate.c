/* SPDX-License-Identifier: ISC
 *
 * validate: opens what it was given, gives up its power, then parses. Rows go through the same reader and the same
 * rules as in outside-check and inside-check.
 */
#include "outside/validate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/progress.h"
#include "outside/charset.h"
#include "outside/excerpt.h"
#include "outside/reportcommand.h"
#include "outside/validate_references.h"
#include "schemas/package.h"
#include "schemas/parallel.h"
#include "schemas/validation.h"

#define READ_SIZE (1 * MIB)

static const char *opt_schema, *opt_package, *opt_delimiter, *opt_encoding, *opt_html;
static bool opt_json, opt_statistics;
static uint64_t opt_threads = 1, opt_key_memory = LIMIT_KEY_MEMORY;
static struct option_list opt_references;

const struct option validate_options[] = {
	{"schema", 's', OPTION_TEXT, &opt_schema, "FILE", "a table schema; every CSV is checked against it"},
	{"package", 'p', OPTION_TEXT, &opt_package, "FILE",
	 "a datapackage.json; CSVs are matched to its resources by name"},
	{"reference", 'r', OPTION_LIST, &opt_references, "NAME=PATH",
	 "another package that its foreign keys lead to: its folder, or its datapackage.json"},
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "the report as JSON, in the shape of Frictionless's"},
	{"html", 0, OPTION_TEXT, &opt_html, "FILE", "the report as a page for a mail, with the rows at fault, too"},
	{"delimiter", 'd', OPTION_TEXT, &opt_delimiter, "CHAR",
	 "with no package: what stands between cells (default ,)"},
	{"encoding", 'e', OPTION_TEXT, &opt_encoding, "NAME", "with no package: the charset (default utf-8)"},
	{"threads", 't', OPTION_NUMBER, &opt_threads, "N",
	 "threads that read a table (default 1); the report is the same"},
	{"key-memory", 0, OPTION_NUMBER, &opt_key_memory, "BYTES",
	 "memory for keys (default 192 MiB); more of them go to an unnamed file in $TMPDIR (or /tmp)"},
	{"statistics", 0, OPTION_FLAG, &opt_statistics, NULL, "what keys took, in memory and in the file, on stderr"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

const char validate_details[] =
	"With --package and no CSV, every table of the package is read from the package's folder. Without --schema "
	"and\n"
	"--package only the form is checked: quotes, charset, blank rows, as many cells as the header has. What a\n"
	"schema spells otherwise than Table Schema v2, and what of it is not checked, is told on stderr, a line "
	"each.\n\n"
	"A foreign key into another package needs that one: --reference cog=../cog. Without it the key is a fault, "
	"for\n"
	"it cannot be checked.\n\n"
	"Exit status: 0 valid, 1 not valid, 2 trouble.";

/* One file to validate. */
struct input {
	const char *path;
	int fd;
	const struct resource *resource; /* NULL: none */
	struct validation_table *table;
};

struct run {
	int folder_fd; /* the package's */
	uint8_t *descriptor;
	size_t descriptor_size;
	struct package *package;
	struct schema *schema;
	struct warnings warnings; /* of the package or the schema */
	struct dialect dialect;
	struct charsets *charsets;
	struct validate_references references;
	struct input *inputs;
	size_t n_inputs;
	struct validation *validation;
	int spill_fd; /* or a negative errno */
	struct spill *spill;
	FILE *page; /* NULL: none is wanted */
};

static void run_clear(struct run *run)
{
	validate_references_clear(&run->references);
	validation_free(run->validation);
	spill_free(run->spill);
	cleanup_close(&run->spill_fd);
	for (size_t i = 0; i < run->n_inputs; i++) {
		if (run->inputs[i].fd >= 0)
			close(run->inputs[i].fd);
	}
	free(run->inputs);
	package_free(run->package);
	schema_free(run->schema);
	warnings_clear(&run->warnings);
	charsets_free(run->charsets);
	free(run->descriptor);
	if (run->folder_fd >= 0)
		close(run->folder_fd);
	if (run->page != NULL)
		fclose(run->page);
}

/* --- before the sandbox: open
 * -------------------------------------------------------------------------------------------- */

static enum fault file_fault(const char *path, int error, struct refusal *why)
{
	return refuse(why, FAULT_FILE, "%s: %s", path, strerror(error));
}

static enum fault add_input(struct run *run, const char *path, int fd, struct refusal *why)
{
	struct input *input;

	if (fd < 0)
		return file_fault(path, errno, why);
	run->inputs = xrealloc(run->inputs, run->n_inputs + 1, sizeof(run->inputs[0]));
	input = &run->inputs[run->n_inputs++];
	*input = (struct input){.path = path, .fd = fd};
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return FAULT_NONE;
}

static int open_parent(const char *path)
{
	_cleanup_free_ char *folder = xstrdup(path);
	char *slash = strrchr(folder, '/');

	if (slash == NULL)
		return open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	slash[slash == folder] = '\0';
	return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A machine without a place for it can still check all that fits into memory. */
static int open_spill(void)
{
	const char *path = getenv("TMPDIR");
	_cleanup_close_ int fd = open(path != NULL && path[0] == '/' ? path : "/tmp",
				      O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* A file that the user may not make larger (ulimit -f) is an error of its own, not our death. */
	signal(SIGXFSZ, SIG_IGN);
	return fd < 0 ? -errno : spill_open(fd);
}

static enum fault open_all(struct run *run, int argc, char **argv, struct refusal *why)
{
	const char *descriptor = opt_schema != NULL ? opt_schema : opt_package;
	enum fault fault = FAULT_NONE;
	int r;

	if (descriptor != NULL) {
		r = fd_load_file(AT_FDCWD, descriptor, LIMIT_PACKAGE_SIZE, &run->descriptor, &run->descriptor_size);
		if (r < 0)
			return file_fault(descriptor, -r, why);
	}
	if (opt_package != NULL) {
		run->folder_fd = open_parent(opt_package);
		if (run->folder_fd < 0)
			return file_fault(opt_package, errno, why);
	}
	for (int i = 0; fault == FAULT_NONE && i < argc; i++)
		fault = add_input(run, argv[i], open(argv[i], O_RDONLY | O_CLOEXEC | O_NOCTTY), why);
	if (fault == FAULT_NONE)
		fault = validate_references_open(&run->references, &opt_references, why);
	if (fault == FAULT_NONE && opt_html != NULL && (run->page = fopen(opt_html, "we")) == NULL)
		fault = file_fault(opt_html, errno, why);
	return fault;
}

/* --- after it: parse
 * ----------------------------------------------------------------------------------------------------- */

/* A schema by path lies beneath the package's folder. */
static enum fault load_schema(void *ctx, const char *path, json_t **ret_schema, struct warnings *warnings,
			      struct refusal *why)
{
	const struct run *run = ctx;
	_cleanup_close_ int fd = -1;
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r;

	if (strstr(path, "://") != NULL)
		return refuse(why, FAULT_PACKAGE, "%s: is an address; fetch it and put it beside the package", path);
	fd = fd_open_beneath(run->folder_fd, path, O_RDONLY, 0);
	if (fd < 0)
		return file_fault(path, -fd, why);
	r = fd_load(fd, LIMIT_PACKAGE_SIZE, &data, &size);
	if (r < 0)
		return file_fault(path, -r, why);
	return package_parse_schema(data, size, ret_schema, warnings, why);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* A file is a resource's if it is called like the resource's path, or like the resource with any extension. */
static const struct resource *find_resource(const struct package *package, const char *path)
{
	const char *name = base_name(path);
	size_t stem = strcspn(name, ".");

	for (size_t i = 0; i < package->n_resources; i++) {
		if (strcmp(base_name(package->resources[i].path), name) == 0)
			return &package->resources[i];
	}
	for (size_t i = 0; i < package->n_resources; i++) {
		if (strlen(package->resources[i].name) == stem && strncmp(package->resources[i].name, name, stem) == 0)
			return &package->resources[i];
	}
	return NULL;
}

static enum fault match_inputs(struct run *run, struct refusal *why)
{
	for (size_t i = 0; i < run->n_inputs; i++) {
		run->inputs[i].resource = find_resource(run->package, run->inputs[i].path);
		if (run->inputs[i].resource == NULL)
			return refuse(why, FAULT_NO_SUCH, "%s: the package has no resource of that name",
				      run->inputs[i].path);
		for (size_t k = 0; k < i; k++) {
			if (run->inputs[k].resource == run->inputs[i].resource)
				return refuse(why, FAULT_NO_SUCH, "%s and %s are both the resource %s",
					      run->inputs[k].path, run->inputs[i].path, run->inputs[i].resource->name);
		}
	}
	return FAULT_NONE;
}

static enum fault open_resources(struct run *run, struct refusal *why)
{
	for (size_t i = 0; i < run->package->n_resources; i++) {
		const struct resource *resource = &run->package->resources[i];
		enum fault fault;
		int fd;

		if (!resource->is_table)
			continue;
		if (strstr(resource->path, "://") != NULL)
			return refuse(why, FAULT_PACKAGE, "resource %s: path is an address; name the files to validate",
				      resource->name);
		if (resource->is_compressed)
			return refuse(why, FAULT_PACKAGE,
				      "resource %s: is compressed; name the unpacked file to validate", resource->name);
		fd = fd_open_beneath(run->folder_fd, resource->path, O_RDONLY, 0);
		if (fd < 0)
			errno = -fd;
		fault = add_input(run, resource->path, fd, why);
		if (fault != FAULT_NONE)
			return fault;
		run->inputs[run->n_inputs - 1].resource = resource;
	}
	return FAULT_NONE;
}

static enum fault parse_descriptor(struct run *run, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	enum fault fault;

	if (opt_package != NULL) {
		fault = package_parse(run->descriptor, run->descriptor_size, load_schema, run, &run->package, why);
		if (fault == FAULT_NONE) {
			warnings_take(&run->warnings, "", &run->package->warnings);
			fault = run->n_inputs > 0 ? match_inputs(run, why) : open_resources(run, why);
		}
		return fault != FAULT_NONE ? refuse_within(why, "%s", opt_package) : FAULT_NONE;
	}
	if (opt_schema == NULL)
		return FAULT_NONE;
	fault = package_parse_schema(run->descriptor, run->descriptor_size, &json, &run->warnings, why);
	if (fault == FAULT_NONE)
		fault = schema_parse(json, &run->schema, why);
	if (fault == FAULT_NONE)
		warnings_take(&run->warnings, "", &run->schema->warnings);
	return fault != FAULT_NONE ? refuse_within(why, "%s", opt_schema) : FAULT_NONE;
}

/* --- rows
 * ---------------------------------------------------------------------------------------------------------------- */

static enum fault feed_rows(void *ctx, const void *data, size_t size, struct refusal *why)
{
	return parallel_reader_feed(ctx, data, size, why);
}

static enum fault read_all(const struct input *input, struct charset_reader *charset, struct refusal *why)
{
	_cleanup_free_ uint8_t *buffer = xmalloc(READ_SIZE);
	_cleanup_free_ char *label = xasprintf("%s: checking", input->path);
	int64_t total = fd_size(input->fd);
	uint64_t done = 0;

	progress_begin(label, total > 0 ? (uint64_t)total : 0, NULL);
	for (;;) {
		ssize_t n = fd_read_up_to(input->fd, buffer, READ_SIZE);
		enum fault fault;

		if (n < 0) {
			errno = (int)-n;
			die_errno("%s", input->path);
		}
		if (n == 0)
			return charset_reader_finish(charset, why);
		fault = charset_reader_feed(charset, buffer, (size_t)n, why);
		if (fault != FAULT_NONE)
			return fault;
		done += (uint64_t)n;
		progress_show(done);
	}
}

static const struct dialect *input_dialect(const struct run *run, const struct input *input)
{
	return input->resource != NULL ? &input->resource->dialect : &run->dialect;
}

static const char *input_encoding(const struct input *input)
{
	if (input->resource != NULL)
		return input->resource->encoding;
	return opt_encoding != NULL ? opt_encoding : "utf-8";
}

static enum fault read_table(struct run *run, const struct input *input, struct refusal *why)
{
	_cleanup_(parallel_reader_freep) struct parallel_reader *rows = NULL;
	_cleanup_(charset_reader_freep) struct charset_reader *charset = NULL;
	struct refusal of_rows = {FAULT_NONE, ""};
	enum fault fault;

	rows = parallel_reader_new(input_dialect(run, input), input->table, (unsigned)opt_threads, PARALLEL_PIECE_SIZE);
	parallel_reader_trust_utf8(rows);
	fault = charset_reader_new(run->charsets, input_encoding(input), feed_rows, rows, &charset, why);
	if (fault == FAULT_NONE)
		fault = read_all(input, charset, why);
	progress_end();
	if (fault == FAULT_NONE)
		return parallel_reader_finish(rows, why);
	/* What is wrong with rows before the place where the bytes failed comes first. */
	if (parallel_reader_settle(rows, &of_rows) != FAULT_NONE)
		*why = of_rows;
	return why->fault;
}

/* A source's description says how the columns are mapped. */
static enum fault set_map(struct input *input, struct refusal *why)
{
	struct columnmap *map;

	if (input->resource == NULL)
		return FAULT_NONE;
	if (columnmap_load(input->resource, &map, why) != FAULT_NONE)
		return why->fault;
	if (map != NULL)
		validation_table_set_map(input->table, map);
	return FAULT_NONE;
}

static enum fault validate_input(struct run *run, struct input *input, struct refusal *why)
{
	const struct resource *resource = input->resource;
	const struct schema *schema = resource != NULL ? resource->schema : run->schema;

	input->table = validation_table(run->validation, resource != NULL ? resource->name : input->path, schema);
	validation_table_set_place(input->table, input->path);
	if (set_map(input, why) != FAULT_NONE)
		return why->fault;
	if (resource != NULL && !resource->dialect.header) {
		if (schema == NULL)
			return refuse(why, FAULT_PACKAGE, "resource %s: has neither a header nor a schema",
				      resource->name);
		validation_header_absent(input->table);
	}
	if (read_table(run, input, why) != FAULT_NONE)
		validation_table_broken(input->table, why);
	validation_table_end(input->table);
	return FAULT_NONE;
}

/* The report with the rows in which the faults lie. */
static json_t *make_report(const struct run *run)
{
	json_t *report = validation_json(run->validation), *tasks = json_object_get(report, "tasks");
	json_t *schema_warnings = json_or_die(json_array());

	for (size_t i = 0; i < run->warnings.n; i++)
		json_array_append_new(schema_warnings, json_or_die(json_string(run->warnings.lines[i])));
	json_object_set_new(report, "schemaWarnings", schema_warnings);
	for (size_t i = 0; i < run->n_inputs; i++) {
		const struct input *input = &run->inputs[i];

		excerpt_put(run->charsets, input_dialect(run, input), input_encoding(input), input->fd, 0,
			    json_array_get(tasks, i));
	}
	return report;
}

static enum fault write_page(struct run *run, const json_t *report, struct refusal *why)
{
	const char *title = run->package != NULL ? run->package->name : base_name(run->inputs[0].path);
	int error = report_page(run->page, report, title, time(NULL));

	run->page = NULL;
	return error == 0 ? FAULT_NONE : file_fault(opt_html, error, why);
}

static void print_lines(const struct run *run)
{
	validation_lines(run->validation, stdout);
	for (size_t i = 0; i < run->n_inputs; i++) {
		const struct input *input = &run->inputs[i];
		uint64_t n = validation_table_n_errors(input->table),
			 n_warnings = validation_table_n_warnings(input->table);
		char warnings[48] = "";

		if (n_warnings > 0)
			snprintf(warnings, sizeof(warnings), ", %" PRIu64 " warnings", n_warnings);
		if (n == 0)
			printf("%s: valid, %" PRIu64 " rows%s\n", input->path, validation_n_rows(input->table),
			       warnings);
		else
			printf("%s: not valid, %" PRIu64 " faults in %" PRIu64 " rows%s\n", input->path, n,
			       validation_n_rows(input->table), warnings);
	}
}

static enum fault print_report(struct run *run, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *report = opt_json || opt_html != NULL ? make_report(run) : NULL;

	if (opt_json) {
		json_dumpf(report, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		print_lines(run);
	}
	return opt_html != NULL ? write_page(run, report, why) : FAULT_NONE;
}

static enum fault validate_all(struct run *run, struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	run->validation = validation_new();
	run->spill = spill_new(opt_key_memory, run->spill_fd);
	validation_set_spill(run->validation, run->spill);
	for (size_t i = 0; run->package != NULL && i < run->n_inputs; i++)
		validation_declare(run->validation, run->inputs[i].resource->name, run->inputs[i].resource->schema);
	if (run->package != NULL)
		fault = validate_references_read(&run->references, run->package, run->charsets, run->validation, why);
	for (size_t i = 0; fault == FAULT_NONE && i < run->n_inputs; i++)
		fault = validate_input(run, &run->inputs[i], why);
	if (fault != FAULT_NONE)
		return fault;
	validation_end(run->validation);
	return spill_fault(run->spill, why);
}

static void check_usage(int argc)
{
	if (opt_threads < 1 || opt_threads > PARALLEL_THREADS_MAX)
		die_usage("validate: --threads takes 1 to %d", PARALLEL_THREADS_MAX);
	if (opt_key_memory < LIMIT_KEY_MEMORY_MIN || opt_key_memory > LIMIT_KEY_MEMORY_MAX)
		die_usage("validate: --key-memory takes %llu to %llu bytes", LIMIT_KEY_MEMORY_MIN,
			  LIMIT_KEY_MEMORY_MAX);
	if (opt_schema != NULL && opt_package != NULL)
		die_usage("validate: --schema or --package, not both");
	if (opt_package == NULL && opt_references.n_items > 0)
		die_usage("validate: --reference goes with --package");
	if (opt_package == NULL && argc == 0)
		die_usage("validate: which CSV?");
	if (opt_package != NULL && (opt_delimiter != NULL || opt_encoding != NULL))
		die_usage("validate: the package says delimiter and encoding");
	if (opt_delimiter != NULL && (strlen(opt_delimiter) != 1 || strchr("\"\r\n", opt_delimiter[0]) != NULL ||
				      (unsigned char)opt_delimiter[0] >= 0x80))
		die_usage("validate: --delimiter takes one ASCII character");
}

static void log_warnings(const struct warnings *warnings)
{
	_cleanup_free_ char *prefix = xasprintf("warning: %s: ", opt_package != NULL ? opt_package : opt_schema);

	warnings_log(warnings, prefix);
}

int validate_run(int argc, char **argv)
{
	_cleanup_(run_clear) struct run run = {.folder_fd = -1, .spill_fd = -1, .dialect = dialect_plain};
	struct sandbox_folder folders[1 + LIMIT_REFERENCES];
	struct refusal why = {0};
	enum fault fault;

	check_usage(argc);
	progress_unless(&opt_json);
	if (opt_delimiter != NULL)
		run.dialect.delimiter = opt_delimiter[0];
	json_init();
	run.charsets = charsets_open();
	fault = open_all(&run, argc, argv, &why);
	run.spill_fd = open_spill();
	if (fault == FAULT_NONE) {
		size_t n_folders = validate_references_folders(&run.references, folders);

		if (run.folder_fd >= 0)
			folders[n_folders++] = (struct sandbox_folder){run.folder_fd, SANDBOX_READ};
		sandbox_enter(SANDBOX_VALIDATE, folders, n_folders);
		fault = parse_descriptor(&run, &why);
		log_warnings(&run.warnings);
	}
	if (fault == FAULT_NONE)
		fault = validate_all(&run, &why);
	if (fault == FAULT_NONE)
		fault = print_report(&run, &why);
	if (fault != FAULT_NONE) {
		log_refusal(&why);
		return fault_exit(fault);
	}
	if (opt_statistics)
		log_info("%" PRIu64 " keys in at most %zu bytes of memory and %" PRIu64 " of the file",
			 validation_n_keys(run.validation), validation_index_bytes(run.validation),
			 spill_size(run.spill));
	return validation_is_valid(run.validation) ? 0 : 1;
}
