/* SPDX-License-Identifier: ISC
 *
 * cmd_diff: what changed between two versions of a dataset: for people, as CSV, as JSON. Descriptors first, then power is dropped, then
 * the versions are read: this process does nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/notation.h"
#include "inside/cmd.h"
#include "inside/datadiff.h"
#include "inside/versions.h"

#define CELL 256

static bool opt_csv;
static const char *opt_as_of;

const struct option cmd_diff_options[] = {
	{"csv", 0, OPTION_FLAG, &opt_csv, NULL,
	 "the rows of one table: `change` is added, removed, or before and after; `changed`\n"
	 "names the columns, separated by |"},
	{"as-of", 0, OPTION_TEXT, &opt_as_of, "DATE",
	 "from the version that was in force then: 2026-03-01 (its end), or 2026-03-01T12:00:00Z"},
	{NULL, 0, OPTION_FLAG, NULL, NULL, NULL},
};

static const char *show(const char *text, char *escaped)
{
	return text_escape(text, strlen(text), escaped, CELL);
}

/* A JSON string of whatever a cell holds. */
static json_t *cell_json(const char *text, size_t size)
{
	json_t *json = json_stringn(text, size);
	char escaped[CELL];

	return json != NULL ? json : json_or_die(json_string(text_escape(text, size, escaped, sizeof(escaped))));
}

static json_t *text_json(const char *text)
{
	return cell_json(text, strlen(text));
}

/* --- for people ------------------------------------------------------------------------------------------------------ */

static void print_columns(const struct rowdiff_side *side, const char *what)
{
	char escaped[CELL];

	for (size_t i = 0; i < side->n_columns; i++) {
		if (side->map[i] == SIZE_MAX)
			printf("  column %s: %s\n", show(side->columns[i], escaped), what);
	}
}

static void print_key(const struct table_key *key)
{
	char escaped[CELL];

	if (key == NULL)
		printf(", by whole rows");
	for (size_t i = 0; key != NULL && i < key->n_columns; i++)
		printf("%s%s", i == 0 ? ", by " : " + ", show(key->columns[i], escaped));
}

static void print_rows(const struct datadiff *diff, const struct datadiff_resource *resource,
		       const struct datadiff_rows *rows)
{
	const struct rowdiff_counts *counts = rowdiff_counts(rows->rows);
	const struct rowdiff_side *new = rowdiff_new(rows->rows);
	char escaped[CELL];

	printf("%s/%s", diff->dataset, resource->name);
	print_key(rows->key);
	printf(": %" PRIu64 " rows added, %" PRIu64 " removed, %" PRIu64 " changed, %" PRIu64 " unchanged\n",
	       counts->added, counts->removed, counts->changed, counts->unchanged);
	if (resource->key_changed)
		printf("  the primary key is another one now\n");
	print_columns(new, "added");
	print_columns(rowdiff_old(rows->rows), "removed");
	for (size_t i = 0; i < new->n_columns; i++) {
		if (rowdiff_column_changes(rows->rows, i) > 0)
			printf("  %s: %" PRIu64 " cells changed\n", show(new->columns[i], escaped),
			       rowdiff_column_changes(rows->rows, i));
	}
}

static enum fault print_resource(const struct datadiff *diff, const struct datadiff_resource *resource,
				 struct refusal *why)
{
	struct datadiff_rows rows;
	enum fault fault;

	if (resource->state != DATADIFF_CHANGED || !resource->is_table) {
		printf("%s/%s: %s%s\n", diff->dataset, resource->name, datadiff_state_name(resource->state),
		       resource->state == DATADIFF_CHANGED ? ", and no table on both sides" : "");
	} else {
		fault = datadiff_compare(diff, resource, &rows, why);
		if (fault != FAULT_NONE)
			return fault;
		print_rows(diff, resource, &rows);
		datadiff_rows_clear(&rows);
	}
	if (resource->schema_changed)
		printf("  the schema is another one now\n");
	return FAULT_NONE;
}

/* --- as JSON, which is never whole in memory -------------------------------------------------------------------------- */

static void print_json(const json_t *json)
{
	if (json_dumpf(json, stdout, JSON_COMPACT | JSON_ENCODE_ANY) < 0)
		die("stdout cannot be written");
}

static json_t *columns_json(const struct rowdiff_side *side)
{
	json_t *array = json_array();

	for (size_t i = 0; i < side->n_columns; i++) {
		if (side->map[i] == SIZE_MAX)
			json_array_append_new(array, text_json(side->columns[i]));
	}
	return array;
}

static json_t *key_json(const struct table_key *key)
{
	json_t *array = json_array();

	for (size_t i = 0; i < key->n_columns; i++)
		json_array_append_new(array, text_json(key->columns[i]));
	return array;
}

static void put_counts(json_t *object, const struct datadiff_rows *rows)
{
	const struct rowdiff_counts *counts = rowdiff_counts(rows->rows);
	const struct rowdiff_side *new = rowdiff_new(rows->rows);
	json_t *cells = json_object();

	json_object_set_new(object, "key", rows->key == NULL ? json_null() : key_json(rows->key));
	json_object_set_new(object, "columnsAdded", columns_json(new));
	json_object_set_new(object, "columnsRemoved", columns_json(rowdiff_old(rows->rows)));
	json_object_set_new(object, "rowsBefore", json_integer((json_int_t)counts->old_rows));
	json_object_set_new(object, "rowsAfter", json_integer((json_int_t)counts->new_rows));
	json_object_set_new(object, "added", json_integer((json_int_t)counts->added));
	json_object_set_new(object, "removed", json_integer((json_int_t)counts->removed));
	json_object_set_new(object, "changed", json_integer((json_int_t)counts->changed));
	json_object_set_new(object, "unchanged", json_integer((json_int_t)counts->unchanged));
	for (size_t i = 0; i < new->n_columns; i++) {
		if (rowdiff_column_changes(rows->rows, i) > 0)
			json_object_set_new(cells, new->columns[i],
					    json_integer((json_int_t)rowdiff_column_changes(rows->rows, i)));
	}
	json_object_set_new(object, "cells", cells);
}

static json_t *cell_or_null(const struct diff_cells *cells, size_t column)
{
	return column < cells->n_cells ? cell_json(cells->cells[column].text, cells->cells[column].size) : json_null();
}

static json_t *row_json(const struct rowdiff_side *side, const struct diff_cells *cells)
{
	json_t *object = json_object();

	for (size_t i = 0; i < side->n_columns; i++)
		json_object_set_new(object, side->columns[i], cell_or_null(cells, i));
	return object;
}

static json_t *changed_key_json(const struct datadiff_rows *rows, const struct rowdiff_change *change)
{
	const struct rowdiff_side *new = rowdiff_new(rows->rows);
	json_t *object = json_object();

	for (size_t i = 0; i < rows->key->n_columns; i++) {
		for (size_t j = 0; j < new->n_columns; j++) {
			if (strcmp(new->columns[j], rows->key->columns[i]) == 0)
				json_object_set_new(object, new->columns[j], cell_or_null(change->new_cells, j));
		}
	}
	return object;
}

static json_t *changed_cells_json(const struct datadiff_rows *rows, const struct rowdiff_change *change)
{
	const struct rowdiff_side *new = rowdiff_new(rows->rows);
	json_t *object = json_object();

	for (size_t i = 0; i < new->n_columns; i++) {
		if (change->changed[i])
			json_object_set_new(object, new->columns[i],
					    json_pack("{so so}", "before", cell_or_null(change->old_cells, new->map[i]),
						      "after", cell_or_null(change->new_cells, i)));
	}
	return object;
}

static json_t *change_json(const struct datadiff_rows *rows, const struct rowdiff_change *change)
{
	switch (change->kind) {
	case ROWDIFF_ADDED:
		return json_pack("{ss sI so}", "change", "added", "row", (json_int_t)change->new_row, "cells",
				 row_json(rowdiff_new(rows->rows), change->new_cells));
	case ROWDIFF_REMOVED:
		return json_pack("{ss sI so}", "change", "removed", "row", (json_int_t)change->old_row, "cells",
				 row_json(rowdiff_old(rows->rows), change->old_cells));
	case ROWDIFF_CHANGED:
		break;
	}
	return json_pack("{ss sI sI so so}", "change", "changed", "rowBefore", (json_int_t)change->old_row, "row",
			 (json_int_t)change->new_row, "key", changed_key_json(rows, change), "cells",
			 changed_cells_json(rows, change));
}

static enum fault print_changes(const struct datadiff_rows *rows, struct refusal *why)
{
	struct rowdiff_change change;
	bool is_first = true, has;
	enum fault fault;

	while ((fault = rowdiff_next(rows->rows, &change, &has, why)) == FAULT_NONE && has) {
		_cleanup_(json_decrefp) json_t *json = json_or_die(change_json(rows, &change));

		fputs(is_first ? "\n" : ",\n", stdout);
		is_first = false;
		print_json(json);
	}
	return fault;
}

/* {"name": …, …, "changes": [one a line]} */
static enum fault print_resource_json(const struct datadiff *diff, const struct datadiff_resource *resource,
				      struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *object = json_object();
	_cleanup_free_ char *head = NULL;
	struct datadiff_rows rows = {.fds = {-1, -1}};
	enum fault fault = FAULT_NONE;

	json_object_set_new(object, "resource", json_string(resource->name));
	json_object_set_new(object, "state", json_string(datadiff_state_name(resource->state)));
	json_object_set_new(object, "schemaChanged", json_boolean(resource->schema_changed));
	json_object_set_new(object, "keyChanged", json_boolean(resource->key_changed));
	if (resource->state != DATADIFF_CHANGED || !resource->is_table) {
		print_json(object);
		return FAULT_NONE;
	}
	if ((fault = datadiff_compare(diff, resource, &rows, why)) != FAULT_NONE)
		return fault;
	put_counts(object, &rows);
	head = json_dumps(object, JSON_COMPACT);
	if (head == NULL)
		die("out of memory");
	printf("%.*s,\"changes\":[", (int)strlen(head) - 1, head);
	fault = print_changes(&rows, why);
	fputs("]}", stdout);
	datadiff_rows_clear(&rows);
	return fault;
}

static enum fault print_all_json(const struct datadiff *diff, const struct datadiff_resource *only, struct refusal *why)
{
	bool is_first = true;
	enum fault fault = FAULT_NONE;

	printf("{\"dataset\":\"%s\",\"from\":\"%s\",\"to\":\"%s\",\"resources\":[", diff->dataset, diff->versions[0],
	       diff->versions[1]);
	for (size_t i = 0; i < diff->n_resources && fault == FAULT_NONE; i++) {
		if (only != NULL && only != &diff->resources[i])
			continue;
		fputs(is_first ? "\n" : ",\n", stdout);
		is_first = false;
		fault = print_resource_json(diff, &diff->resources[i], why);
	}
	fputs("]}\n", stdout);
	return fault;
}

/* --- as CSV ---------------------------------------------------------------------------------------------------------- */

static enum fault put_out(void *ctx, const void *data, size_t size, struct refusal *why)
{
	(void)ctx;
	return fwrite(data, 1, size, stdout) == size ? FAULT_NONE
						     : refuse(why, FAULT_STORAGE, "stdout: %s", strerror(errno));
}

/* The new version's columns, then those that it lost. */
struct csv {
	struct plain_writer *writer;
	const struct rowdiff_side *old, *new;
	struct cell *cells; /* owned */
	char *changed;      /* owned: names of the columns */
	size_t changed_size;
};

static enum fault put_cells(const struct csv *csv, const char *change, const char *changed,
			    const struct diff_cells *cells, bool is_old, struct refusal *why)
{
	const struct rowdiff_side *old = csv->old, *new = csv->new;
	struct cell *to = csv->cells;

	*to++ = (struct cell){change, strlen(change)};
	*to++ = (struct cell){changed, strlen(changed)};
	for (size_t i = 0; i < new->n_columns; i++) {
		size_t column = is_old ? new->map[i] : i;

		*to++ = column < cells->n_cells ? cells->cells[column] : (struct cell){"", 0};
	}
	for (size_t i = 0; i < old->n_columns; i++) {
		if (old->map[i] == SIZE_MAX)
			*to++ = is_old && i < cells->n_cells ? cells->cells[i] : (struct cell){"", 0};
	}
	return plain_writer_row(csv->writer, csv->cells, (size_t)(to - csv->cells), why);
}

static enum fault put_header(const struct csv *csv, struct refusal *why)
{
	struct cell *to = csv->cells;

	*to++ = (struct cell){"change", 6};
	*to++ = (struct cell){"changed", 7};
	for (size_t i = 0; i < csv->new->n_columns; i++)
		*to++ = (struct cell){csv->new->columns[i], strlen(csv->new->columns[i])};
	for (size_t i = 0; i < csv->old->n_columns; i++) {
		if (csv->old->map[i] == SIZE_MAX)
			*to++ = (struct cell){csv->old->columns[i], strlen(csv->old->columns[i])};
	}
	return plain_writer_row(csv->writer, csv->cells, (size_t)(to - csv->cells), why);
}

static void join_changed(const struct csv *csv, const bool *changed)
{
	char *to = csv->changed;

	*to = '\0';
	for (size_t i = 0; i < csv->new->n_columns; i++) {
		if (changed[i])
			to += snprintf(to, csv->changed_size - (size_t)(to - csv->changed), "%s%s",
				       to == csv->changed ? "" : "|", csv->new->columns[i]);
	}
}

static enum fault put_change(const struct csv *csv, const struct rowdiff_change *change, struct refusal *why)
{
	enum fault fault;

	if (change->kind == ROWDIFF_ADDED)
		return put_cells(csv, "added", "", change->new_cells, false, why);
	if (change->kind == ROWDIFF_REMOVED)
		return put_cells(csv, "removed", "", change->old_cells, true, why);
	join_changed(csv, change->changed);
	fault = put_cells(csv, "before", csv->changed, change->old_cells, true, why);
	return fault == FAULT_NONE ? put_cells(csv, "after", csv->changed, change->new_cells, false, why) : fault;
}

static enum fault print_csv(const struct datadiff *diff, const struct datadiff_resource *resource, struct refusal *why)
{
	_cleanup_(plain_writer_freep) struct plain_writer *writer = plain_writer_new(put_out, NULL);
	struct csv csv = {.writer = writer, .changed_size = 1};
	struct datadiff_rows rows;
	struct rowdiff_change change;
	enum fault fault = datadiff_compare(diff, resource, &rows, why);
	bool has;

	if (fault != FAULT_NONE)
		return fault;
	csv.old = rowdiff_old(rows.rows);
	csv.new = rowdiff_new(rows.rows);
	csv.cells = xcalloc(csv.old->n_columns + csv.new->n_columns + 2, sizeof(*csv.cells));
	for (size_t i = 0; i < csv.new->n_columns; i++)
		csv.changed_size += strlen(csv.new->columns[i]) + 1;
	csv.changed = xmalloc(csv.changed_size);
	fault = put_header(&csv, why);
	while (fault == FAULT_NONE && (fault = rowdiff_next(rows.rows, &change, &has, why)) == FAULT_NONE && has)
		fault = put_change(&csv, &change, why);
	if (fault == FAULT_NONE)
		fault = plain_writer_finish(writer, why);
	free(csv.cells);
	free(csv.changed);
	datadiff_rows_clear(&rows);
	return fault;
}

/* --- the command ------------------------------------------------------------------------------------------------------ */

static const struct datadiff_resource *find_resource(const struct datadiff *diff, const char *name)
{
	for (size_t i = 0; i < diff->n_resources; i++) {
		if (strcmp(diff->resources[i].name, name) == 0)
			return &diff->resources[i];
	}
	return NULL;
}

/* The table of --csv: the one that was named, or the only one. */
static enum fault choose_table(const struct datadiff *diff, const struct datadiff_resource **only, struct refusal *why)
{
	const struct datadiff_resource *found = *only;
	size_t n = 0;

	for (size_t i = 0; i < diff->n_resources && *only == NULL; i++) {
		if (diff->resources[i].is_table) {
			found = &diff->resources[i];
			n++;
		}
	}
	if (n > 1)
		return refuse(why, FAULT_NO_SUCH, "%s: %zu tables; --csv takes one: name it as %s/%s", diff->dataset, n,
			      diff->dataset, found->name);
	if (found == NULL || !found->is_table)
		return refuse(why, FAULT_NO_SUCH, "%s%s%s: no table of both versions", diff->dataset,
			      found != NULL ? "/" : "", found != NULL ? found->name : "");
	*only = found;
	return FAULT_NONE;
}

static enum fault print_lines(const struct datadiff *diff, const struct datadiff_resource *only, struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	printf("%s: from version %s to %s\n", diff->dataset, diff->versions[0], diff->versions[1]);
	for (size_t i = 0; i < diff->n_resources && fault == FAULT_NONE; i++) {
		if (only == NULL || only == &diff->resources[i])
			fault = print_resource(diff, &diff->resources[i], why);
	}
	return fault;
}

static enum fault run(struct datadiff *diff, const char *resource, struct refusal *why)
{
	const struct datadiff_resource *only = NULL;
	enum fault fault = datadiff_load(diff, why);

	if (fault != FAULT_NONE)
		return fault;
	if (resource != NULL && (only = find_resource(diff, resource)) == NULL)
		return refuse(why, FAULT_NO_SUCH, "%s/%s: neither version has it", diff->dataset, resource);
	if (!opt_csv)
		return cmd_wants_json() ? print_all_json(diff, only, why) : print_lines(diff, only, why);
	fault = choose_table(diff, &only, why);
	return fault == FAULT_NONE ? print_csv(diff, only, why) : fault;
}

/* V2 alone is named where --as-of stands for V1. */
static enum fault choose_as_of(const struct inside *inside, int n_versions, char **versions, struct datadiff *diff,
			       struct refusal *why)
{
	enum fault fault = versions_as_of(inside, diff->dataset, versions_demand_moment(inside, opt_as_of),
					  diff->versions[0], why);

	if (fault != FAULT_NONE)
		return fault;
	return n_versions == 0 ? versions_in_force(inside, diff->dataset, diff->versions[1], why)
			       : versions_find(inside, diff->dataset, versions[0], diff->versions[1], why);
}

/* V1 and V2, or what stands in for them. */
static enum fault choose_versions(const struct inside *inside, int n_versions, char **versions, struct datadiff *diff,
				  struct refusal *why)
{
	if (opt_as_of != NULL)
		return choose_as_of(inside, n_versions, versions, diff, why);
	enum fault fault = n_versions < 2 ? versions_in_force(inside, diff->dataset, diff->versions[1], why)
					  : versions_find(inside, diff->dataset, versions[1], diff->versions[1], why);

	if (fault != FAULT_NONE)
		return fault;
	return n_versions == 0 ? versions_before(inside, diff->dataset, diff->versions[1], diff->versions[0], why)
			       : versions_find(inside, diff->dataset, versions[0], diff->versions[0], why);
}

/* A folder for unnamed files, of what memory does not hold: the spool where we may, else where temporary files are. Or a negative errno. */
static int open_folder(const struct inside *inside)
{
	const char *temporary = getenv("TMPDIR");
	_cleanup_close_ int spool_fd = open(inside->config->spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int fd = spool_fd < 0 ? -1 : spill_open(spool_fd);
	int folder_fd;

	if (fd >= 0)
		return steal_fd(&spool_fd);
	folder_fd = open(temporary != NULL && temporary[0] == '/' ? temporary : "/var/tmp",
			 O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return folder_fd < 0 ? -errno : folder_fd;
}

/* All that is read behind the sandbox. What is gone of either version is rebuilt by inside-check, which is started here. */
static enum fault open_all(const struct inside *inside, struct datadiff *diff, struct past_files *files,
			   struct refusal *why)
{
	_cleanup_close_ int folder_fd = open_folder(inside);
	enum fault fault = FAULT_NONE;

	diff->spill_fd = folder_fd < 0 ? folder_fd : spill_open(folder_fd);
	for (size_t i = 0; i < 2 && fault == FAULT_NONE; i++) {
		diff->temporary_fds[i] = folder_fd < 0 ? folder_fd : spill_open(folder_fd);
		fault = past_files_open(inside, folder_fd, diff->dataset, diff->versions[i], &files[i], why);
		diff->files[i] = &files[i];
	}
	return fault;
}

static void enter_sandbox(const struct inside *inside)
{
	struct sandbox_folder folder = {inside->store_fd, SANDBOX_READ};

	sandbox_set_test_bench(inside->config->test_bench);
	sandbox_enter(SANDBOX_TOOL, &folder, 1);
}

int cmd_diff(int argc, char **argv)
{
	_cleanup_(inside_close) struct inside inside = INSIDE_NEW;
	_cleanup_free_ char *name = NULL;
	struct datadiff diff = {.spill_fd = -1};
	struct past_files files[2] = {PAST_FILES_NONE, PAST_FILES_NONE};
	struct refusal why = {0};
	enum fault fault;
	char *slash;
	int status;

	if (argc < 1 || argc > 3)
		die_usage("diff: DATASET or DATASET/RESOURCE, then at most two versions");
	if (opt_as_of != NULL && argc > 2)
		die_usage("diff: --as-of stands for V1: name one version at most");
	if (opt_csv && cmd_wants_json())
		die_usage("diff: --csv or --json");
	if ((status = cmd_open_read(&inside)) != 0)
		return status;
	name = xstrdup(argv[0]);
	slash = strchr(name, '/');
	if (slash != NULL)
		*slash = '\0';
	diff.dataset = name;
	diff.store_fd = inside.store_fd;
	diff.memory = (size_t)inside.config->key_memory;
	fault = choose_versions(&inside, argc - 1, argv + 1, &diff, &why);
	if (fault == FAULT_NONE)
		fault = open_all(&inside, &diff, files, &why);
	if (fault == FAULT_NONE) {
		enter_sandbox(&inside);
		fault = run(&diff, slash != NULL ? slash + 1 : NULL, &why);
	}
	datadiff_clear(&diff);
	for (size_t i = 0; i < 2; i++)
		past_files_clear(&files[i]);
	return fault != FAULT_NONE ? cmd_fail(&why) : cmd_end(0);
}
