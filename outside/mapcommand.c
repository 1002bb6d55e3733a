/* SPDX-License-Identifier: ISC
 *
 * mapcommand: opens what it was given, gives up its power, reads one row. What it proposes is a map again, bound to the same header, so
 * that it shows what the lines would do and not what they mean to.
 */
#include "outside/mapcommand.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "bundle/columns.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "outside/charset.h"
#include "schemas/columnmap.h"
#include "schemas/package.h"

#define READ_SIZE (64 * KIB)
#define SHOWN 120

static const char *opt_schema, *opt_package, *opt_delimiter, *opt_encoding;
static bool opt_json;

const struct option map_options[] = {
	{"schema", 's', OPTION_TEXT, &opt_schema, "FILE", "a table schema: what applications are promised"},
	{"package", 'p', OPTION_TEXT, &opt_package, "FILE",
	 "a source's datapackage.json; the CSV is matched to a resource by name"},
	{"json", 0, OPTION_FLAG, &opt_json, NULL, "print JSON"},
	{"delimiter", 'd', OPTION_TEXT, &opt_delimiter, "CHAR", "with --schema: what stands between cells (default ,)"},
	{"encoding", 'e', OPTION_TEXT, &opt_encoding, "NAME", "with --schema: the charset (default utf-8)"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

const char map_details[] =
	"Reads the header of CSV and says which of its columns gives each field of the schema, under the `clapet.map` "
	"that\n"
	"the resource has, if any. Where that does not fit, prints the lines that would make it fit, to be pasted as\n"
	"`\"clapet\": {\"map\": ...}`: by names that are the same but for case, accents and punctuation, or that "
	"contain one\n"
	"another. Look at them first: a name that is alike is no proof.\n\n"
	"Exit status: 0 the columns fit, 1 they do not, 2 trouble.";

/* What is compared. Everything is owned but RESOURCE, which is PACKAGE's. */
struct job {
	const char *path;
	int fd;
	uint8_t *descriptor;
	size_t descriptor_size;
	struct package *package;
	const struct resource *resource; /* NULL: --schema */
	struct schema *own_schema;
	const struct schema *schema;
	struct columnmap *map, *proposed;
	struct columnmap_binding *binding, *rebound;
};

static void job_clear(struct job *job)
{
	columnmap_binding_free(job->binding);
	columnmap_binding_free(job->rebound);
	columnmap_free(job->map);
	columnmap_free(job->proposed);
	schema_free(job->own_schema);
	package_free(job->package);
	free(job->descriptor);
	if (job->fd >= 0)
		close(job->fd);
}

static enum fault open_files(struct job *job, struct refusal *why)
{
	const char *path = opt_schema != NULL ? opt_schema : opt_package;
	int r = fd_load_file(AT_FDCWD, path, LIMIT_PACKAGE_SIZE, &job->descriptor, &job->descriptor_size);

	if (r < 0)
		return refuse(why, FAULT_FILE, "%s: %s", path, strerror(-r));
	job->fd = open(job->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (job->fd < 0)
		return refuse(why, FAULT_FILE, "%s: %s", job->path, strerror(errno));
	return FAULT_NONE;
}

/* --- after the sandbox --------------------------------------------------------------------------------------------- */

/* "communes" for "/tmp/communes.csv": a resource of that name, or the only one. */
static const struct resource *find_resource(const struct package *package, const char *path)
{
	const char *name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
	size_t stem = strcspn(name, ".");

	for (size_t i = 0; i < package->n_resources; i++) {
		if (strlen(package->resources[i].name) == stem && strncmp(package->resources[i].name, name, stem) == 0)
			return &package->resources[i];
	}
	return package->n_resources == 1 ? &package->resources[0] : NULL;
}

static enum fault read_package(struct job *job, struct refusal *why)
{
	if (package_parse(job->descriptor, job->descriptor_size, NULL, NULL, &job->package, why) != FAULT_NONE)
		return why->fault;
	job->resource = find_resource(job->package, job->path);
	if (job->resource == NULL)
		return refuse(why, FAULT_NO_SUCH, "the package has no resource that is called like %s", job->path);
	job->schema = job->resource->schema;
	if (columnmap_load(job->resource, &job->map, why) != FAULT_NONE)
		return why->fault;
	return job->map != NULL ? FAULT_NONE : columnmap_parse(NULL, job->schema, &job->map, why);
}

static enum fault read_schema(struct job *job, struct refusal *why)
{
	_cleanup_(warnings_clear) struct warnings warnings = {0};
	_cleanup_(json_decrefp) json_t *json = NULL;

	if (package_parse_schema(job->descriptor, job->descriptor_size, &json, &warnings, why) != FAULT_NONE ||
	    schema_parse(json, &job->own_schema, why) != FAULT_NONE)
		return why->fault;
	job->schema = job->own_schema;
	return columnmap_parse(NULL, job->schema, &job->map, why);
}

static bool has_labels(const struct job *job)
{
	return job->resource == NULL || job->resource->dialect.header;
}

static enum fault take_header(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
			      struct refusal *why)
{
	struct job *job = ctx;
	job->binding = columnmap_bind(job->map, has_labels(job) ? cells : NULL, n_cells);
	return refuse(why, FAULT_STOPPED, "no more than row %" PRIu64 " is read", position->row);
}

static enum fault feed_rows(void *ctx, const void *data, size_t size, struct refusal *why)
{
	return table_reader_feed(ctx, data, size, why);
}

/* Until the first row is whole. */
static enum fault read_header(struct job *job, struct charsets *charsets, struct refusal *why)
{
	_cleanup_(charset_reader_freep) struct charset_reader *charset = NULL;
	_cleanup_(table_reader_freep) struct table_reader *reader = NULL;
	_cleanup_free_ char *buffer = xmalloc(READ_SIZE);
	struct dialect dialect = job->resource != NULL ? job->resource->dialect : dialect_plain;
	const char *encoding = job->resource != NULL ? job->resource->encoding : opt_encoding;
	enum fault fault;
	ssize_t n;

	if (opt_delimiter != NULL)
		dialect.delimiter = opt_delimiter[0];
	reader = table_reader_new(&dialect, take_header, job);
	fault = charset_reader_new(charsets, encoding != NULL ? encoding : "utf-8", feed_rows, reader, &charset, why);
	while (fault == FAULT_NONE && (n = fd_read_up_to(job->fd, buffer, READ_SIZE)) != 0) {
		if (n < 0)
			die("%s: %s", job->path, strerror((int)-n));
		fault = charset_reader_feed(charset, buffer, (size_t)n, why);
	}
	if (fault == FAULT_NONE)
		fault = charset_reader_finish(charset, why);
	if (fault == FAULT_NONE)
		fault = table_reader_finish(reader, why);
	if (job->binding != NULL) {
		why->fault = FAULT_NONE;
		return FAULT_NONE;
	}
	return fault != FAULT_NONE ? fault : refuse(why, FAULT_COLUMNS, "%s has no header row", job->path);
}

/* What the proposed lines would do. */
static void propose(struct job *job)
{
	_cleanup_(json_decrefp) json_t *lines = columnmap_propose(job->map, job->schema, job->binding);
	_cleanup_free_ struct cell *cells = xcalloc(job->binding->n_labels + 1, sizeof(cells[0]));
	struct refusal why = {FAULT_NONE, ""};

	if (json_array_size(lines) == 0)
		return;
	/* Past a bound of the format nothing is proposed. */
	if (columnmap_parse(lines, job->schema, &job->proposed, &why) != FAULT_NONE)
		return;
	for (size_t i = 0; i < job->binding->n_labels; i++)
		cells[i] = (struct cell){job->binding->labels[i], strlen(job->binding->labels[i])};
	job->rebound = columnmap_bind(job->proposed, has_labels(job) ? cells : NULL, job->binding->n_labels);
}

/* --- what is printed ----------------------------------------------------------------------------------------------- */

static const char *how_words(const struct job *job, size_t field)
{
	size_t now = job->binding->columns[field];

	if (now == COLUMNMAP_MISSING && (job->rebound == NULL || job->rebound->columns[field] == COLUMNMAP_MISSING))
		return "missing";
	if (now == COLUMNMAP_MISSING)
		return "proposed";
	if (now == COLUMNMAP_DEFAULT)
		return "default";
	return strcmp(job->binding->labels[now], field_name(job->schema->fields[field])) == 0 ? "its name" : "the map";
}

static size_t column_of(const struct job *job, size_t field)
{
	size_t now = job->binding->columns[field];

	return now == COLUMNMAP_MISSING && job->rebound != NULL ? job->rebound->columns[field] : now;
}

static const char *use_words(const struct job *job, size_t column)
{
	static const char *const words[] = {
		[COLUMNMAP_LEFT] = "left",       [COLUMNMAP_TAKEN] = "taken",       [COLUMNMAP_SPARE] = "spare",
		[COLUMNMAP_DROPPED] = "dropped", [COLUMNMAP_REPEATED] = "repeated",
	};

	return words[job->binding->uses[column]];
}

static json_t *report_json(const struct job *job)
{
	json_t *fields = json_or_die(json_array()), *columns = json_or_die(json_array()), *object;
	const struct columnmap *map = job->proposed != NULL ? job->proposed : job->map;

	for (size_t i = 0; i < job->schema->n_fields; i++) {
		size_t column = column_of(job, i);
		json_t *item = json_pack("{s:s, s:s}", "field", field_name(job->schema->fields[i]), "by",
					 how_words(job, i));

		if (column < job->binding->n_labels)
			json_object_set_new(item, "column", json_integer((json_int_t)column + 1));
		json_array_append_new(fields, json_or_die(item));
	}
	for (size_t i = 0; i < job->binding->n_labels; i++)
		json_array_append_new(columns, json_or_die(json_pack("{s:s, s:s}", "label", job->binding->labels[i],
								     "use", use_words(job, i))));
	object = json_pack("{s:s, s:b, s:o, s:o}", "format", "clapet column map 1", "fits",
			   (int)columnmap_fits(job->binding), "fields", fields, "columns", columns);
	if (columnmap_json(map) != NULL)
		json_object_set_new(json_or_die(object), "map", json_deep_copy(columnmap_json(map)));
	return object;
}

static void print_fields(const struct job *job)
{
	static const char *const headings[] = {"FIELD", "COLUMN", "BY"};
	struct columns *table = columns_new(ARRAY_SIZE(headings), headings);

	for (size_t i = 0; i < job->schema->n_fields; i++) {
		size_t column = column_of(job, i);
		const char *name = field_name(job->schema->fields[i]);
		char field[SHOWN], label[SHOWN], place[SHOWN + 32] = "-";
		const char *cells[] = {text_escape(name, strlen(name), field, sizeof(field)), place, how_words(job, i)};

		if (column < job->binding->n_labels)
			snprintf(place, sizeof(place), "%zu %s", column + 1,
				 text_escape(job->binding->labels[column], strlen(job->binding->labels[column]), label,
					     sizeof(label)));
		else if (column == COLUMNMAP_DEFAULT)
			snprintf(place, sizeof(place), "(a default)");
		columns_row(table, cells);
	}
	columns_print(table, stdout);
	columns_free(table);
}

static void print_lines(const json_t *lines)
{
	size_t i;
	json_t *line;

	puts("\n\"map\": [");
	json_array_foreach(lines, i, line)
	{
		_cleanup_free_ char *text = json_dumps(line, JSON_ENSURE_ASCII);

		printf("  %s%s\n", text != NULL ? text : "", i + 1 < json_array_size(lines) ? "," : "");
	}
	puts("]");
}

static void print_people(const struct job *job, const struct refusal *misfit)
{
	print_fields(job);
	if (misfit->fault == FAULT_NONE) {
		printf("\n%s: its columns fit.\n", job->path);
		return;
	}
	printf("\n%s: %s\n", job->path, misfit->line);
	if (job->proposed == NULL)
		return;
	printf(columnmap_fits(job->rebound) ? "\nThese lines would make them fit:\n"
					    : "\nThese lines would make more of them fit:\n");
	print_lines(columnmap_json(job->proposed));
}

static void check_usage(int argc)
{
	if (argc != 1)
		die_usage("map: which CSV?");
	if ((opt_schema != NULL) == (opt_package != NULL))
		die_usage("map: --schema or --package, one of them");
	if (opt_package != NULL && (opt_delimiter != NULL || opt_encoding != NULL))
		die_usage("map: the package says delimiter and encoding");
	if (opt_delimiter != NULL && (strlen(opt_delimiter) != 1 || strchr("\"\r\n", opt_delimiter[0]) != NULL ||
				      (unsigned char)opt_delimiter[0] >= 0x80))
		die_usage("map: --delimiter takes one ASCII character");
}

int map_run(int argc, char **argv)
{
	_cleanup_(job_clear) struct job job = {.fd = -1};
	_cleanup_(charsets_freep) struct charsets *charsets = NULL;
	struct refusal why = {FAULT_NONE, ""};
	enum fault fault;

	check_usage(argc);
	job.path = argv[0];
	json_init();
	charsets = charsets_open();
	fault = open_files(&job, &why);
	if (fault == FAULT_NONE) {
		sandbox_enter(SANDBOX_VALIDATE, NULL, 0);
		fault = opt_package != NULL ? read_package(&job, &why) : read_schema(&job, &why);
	}
	if (fault == FAULT_NONE)
		fault = read_header(&job, charsets, &why);
	if (fault != FAULT_NONE) {
		log_refusal(&why);
		return fault_exit(fault);
	}
	if (columnmap_judge(job.map, job.binding, &why) != FAULT_NONE)
		propose(&job);
	if (opt_json) {
		_cleanup_(json_decrefp) json_t *report = report_json(&job);

		json_dumpf(report, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
		putchar('\n');
	} else {
		print_people(&job, &why);
	}
	return fault_exit(why.fault);
}
