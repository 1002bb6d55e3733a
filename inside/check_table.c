/* SPDX-License-Identifier: ISC
 *
 * check_table: one resource of the version, read once: hashed, decoded, and, where it is a table, every row run through the
 * published schema and through what applications were promised. Where the latter need no rows, several threads read them.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "inside/check.h"
#include "schemas/parallel.h"
#include "schemas/plaincheck.h"

static bool has_extension(const char *path, const char *extension)
{
	const char *dot = strrchr(path, '.');

	return dot != NULL && strcasecmp(dot + 1, extension) == 0;
}

/* What was kept verbatim in another charset cannot be read here: it counts as opaque, which the policy judges. */
bool check_resource_is_table(const struct resource *resource)
{
	return !resource->opaque && resource->is_table &&
	       (strcasecmp(resource->encoding, "utf-8") == 0 || strcasecmp(resource->encoding, "utf8") == 0);
}

bool check_resource_is_json(const struct resource *resource)
{
	if (resource->opaque || resource->is_table)
		return false;
	if (resource->format != NULL &&
	    (strcasecmp(resource->format, "json") == 0 || strcasecmp(resource->format, "geojson") == 0))
		return true;
	return has_extension(resource->path, "json") || has_extension(resource->path, "geojson");
}

struct table_ctx {
	struct check_resource *resource;
	struct table_reader *reader;      /* where applications' runs want every row's cells */
	struct parallel_reader *parallel; /* where none does */
	struct plain_check plain;
	bool has_header; /* the header was handed on */
};

static void hand_on_header(struct check_resource *resource, const struct cell *cells, size_t n_cells,
			   const struct row_position *position)
{
	struct check_contracts *contracts = resource->contracts;

	validation_row(resource->table, cells, n_cells, position);
	for (size_t i = 0; i < contracts->n_runs; i++) {
		if (strcmp(contracts->runs[i].resource, resource->resource->name) == 0)
			contract_run_header(&contracts->runs[i], cells, n_cells);
	}
}

/* A table without a header gets the one that its schema names. */
static void make_header(struct check_resource *resource)
{
	const struct schema *schema = resource->resource->schema;
	const struct row_position position = {0, 0};
	_cleanup_free_ struct cell *cells = xcalloc(schema->n_fields, sizeof(*cells));

	for (size_t i = 0; i < schema->n_fields; i++) {
		cells[i].text = field_name(schema->fields[i]);
		cells[i].size = strlen(cells[i].text);
	}
	hand_on_header(resource, cells, schema->n_fields, &position);
}

static enum fault take_row(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
			   struct refusal *why)
{
	struct table_ctx *table = ctx;
	struct check_resource *resource = table->resource;
	struct check_contracts *contracts = resource->contracts;

	(void)why;
	if (!table->has_header) {
		table->has_header = true;
		if (resource->resource->dialect.header) {
			hand_on_header(resource, cells, n_cells, position);
			return FAULT_NONE;
		}
		make_header(resource);
	}
	validation_row(resource->table, cells, n_cells, position);
	for (size_t i = 0; i < contracts->n_runs; i++) {
		if (strcmp(contracts->runs[i].resource, resource->resource->name) == 0)
			contract_run_row(&contracts->runs[i], cells, n_cells, position);
	}
	return FAULT_NONE;
}

/* What is wrong with rows before the place where the bytes failed comes first. */
static enum fault settle(struct table_ctx *table, struct refusal *why)
{
	struct refusal of_rows = {FAULT_NONE, ""};

	if (table->parallel != NULL && parallel_reader_settle(table->parallel, &of_rows) != FAULT_NONE)
		*why = of_rows;
	return why->fault;
}

static enum fault take_table_bytes(void *ctx, const void *data, size_t size, struct refusal *why)
{
	struct table_ctx *table = ctx;

	if (plain_check_feed(&table->plain, data, size, why) != FAULT_NONE)
		return settle(table, why);
	if (table->parallel != NULL)
		return parallel_reader_feed(table->parallel, data, size, why);
	return table_reader_feed(table->reader, data, size, why);
}

static enum fault finish_rows(struct table_ctx *table, struct refusal *why)
{
	if (plain_check_finish(&table->plain, why) != FAULT_NONE)
		return settle(table, why);
	if (table->parallel != NULL)
		return parallel_reader_finish(table->parallel, why);
	return table_reader_finish(table->reader, why);
}

static bool has_runs(const struct check_resource *resource)
{
	const struct check_contracts *contracts = resource->contracts;
	bool has = false;

	for (size_t i = 0; i < contracts->n_runs; i++)
		has = has || strcmp(contracts->runs[i].resource, resource->resource->name) == 0;
	return has;
}

/* "clapet rows 1", this program, and the schema as it is read here. */
bool check_resource_judged_by(const struct check_resource *resource, struct sha256 *ret_by)
{
	static const char program[] = "clapet rows 1 " CLAPET_VERSION;
	_cleanup_(hash_freep) struct hash *hash = NULL;
	_cleanup_free_ char *text = NULL;

	if (resource->resource->verbatim || resource->resource->schema == NULL || resource->tolerated.n_items > 0)
		return false;
	text = json_dumps(resource->resource->schema->json, JSON_COMPACT | JSON_SORT_KEYS);
	if (text == NULL)
		die("out of memory");
	hash = hash_new();
	hash_update(hash, program, sizeof(program));
	hash_update(hash, text, strlen(text));
	hash_final(hash, ret_by);
	return true;
}

void check_resource_answer_good(const struct check_resource *resource, struct check_answer *answer)
{
	struct sha256 by;

	if (resource->table != NULL && validation_table_n_faults(resource->table) == 0 &&
	    check_resource_judged_by(resource, &by))
		check_answer_good(answer, &resource->file->target.sha256, &by);
}

/* What tells the rows that are copied from a base in which all are good; NULL where that is not known. */
static struct copied_rows *copied_rows_of(const struct check_resource *resource)
{
	const struct check_file *file = resource->file;
	struct sha256 by;

	if (file->is_object || file->target.is_patch == 0 || !file->base_is_good ||
	    !check_resource_judged_by(resource, &by) || !sha256_equal(&by, &file->base_good_by))
		return NULL;
	return copied_rows_new(file->base_fd, file->target.base_length, dialect_plain.quote);
}

static enum fault read_table(struct check_resource *resource, struct refusal *why)
{
	const struct dialect *dialect = resource->resource->verbatim ? &resource->resource->dialect : &dialect_plain;
	struct table_ctx table = {.resource = resource};
	_cleanup_(copied_rows_freep) struct copied_rows *copied = NULL;
	_cleanup_(table_reader_freep) struct table_reader *reader = NULL;
	_cleanup_(parallel_reader_freep) struct parallel_reader *parallel = NULL;
	enum fault fault;

	if (!dialect->header && resource->resource->schema == NULL)
		return refuse(why, FAULT_VERSION_FORM, "%s has neither a header nor a schema",
			      resource->resource->name);
	if (has_runs(resource)) {
		table.reader = reader = table_reader_new(dialect, take_row, &table);
	} else {
		table.parallel = parallel = parallel_reader_new(dialect, resource->table, parallel_usual_threads(),
								PARALLEL_PIECE_SIZE);
		parallel_reader_trust_utf8(parallel);
		if ((copied = copied_rows_of(resource)) != NULL)
			parallel_reader_spare(parallel, copied);
		if (!dialect->header)
			make_header(resource);
		table.has_header = true;
	}
	table.plain.only_utf8 = resource->resource->verbatim;
	fault = check_read_copied(resource->file, copied, take_table_bytes, &table, why);
	if (parallel != NULL)
		resource->spared = parallel_reader_n_spared(parallel);
	if (fault != FAULT_NONE)
		return fault;
	if ((fault = finish_rows(&table, why)) != FAULT_NONE)
		return refuse_within(why, "%s", resource->file->target.file);
	if (!table.has_header && !dialect->header)
		make_header(resource);
	return FAULT_NONE;
}

static enum fault drop_bytes(void *ctx, const void *data, size_t size, struct refusal *why)
{
	(void)ctx;
	(void)data;
	(void)size;
	(void)why;
	return FAULT_NONE;
}

static enum fault read_json(const struct check_file *file, struct refusal *why)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	enum fault fault = check_load(file, LIMIT_JSON_SIZE, &data, &size, why);

	if (fault != FAULT_NONE)
		return fault;
	if (plain_check_json(data, size, why) != FAULT_NONE)
		return refuse_within(why, "%s", file->target.file);
	return FAULT_NONE;
}

enum fault check_resource_read(struct check_resource *resource, struct refusal *why)
{
	enum fault fault;

	if (resource->table != NULL) {
		struct refusal broken = {FAULT_NONE, ""};

		fault = read_table(resource, &broken);
		if (fault == FAULT_NONE) {
			validation_table_end(resource->table);
			return FAULT_NONE;
		}
		validation_table_broken(resource->table, &broken);
		return refuse(why, fault, "%s", broken.line);
	}
	if (check_resource_is_json(resource->resource))
		return read_json(resource->file, why);
	return check_read(resource->file, drop_bytes, NULL, why);
}
