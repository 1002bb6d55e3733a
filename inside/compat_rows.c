/* SPDX-License-Identifier: ISC
 *
 * compat_rows: see compat_rows.h.
 */
#include "inside/compat_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/limits.h"

#define PIECE (256 * KIB)

static enum fault read_rows(const struct compat_rows *rows, table_row *row, void *ctx, const bool *enough,
			    struct refusal *why)
{
	_cleanup_(table_reader_freep) struct table_reader *reader = table_reader_new(rows->dialect, row, ctx);
	_cleanup_free_ char *piece = xmalloc(PIECE);
	enum fault fault = FAULT_NONE;
	ssize_t n;

	if (lseek(rows->fd, 0, SEEK_SET) < 0)
		return refuse(why, FAULT_FILE, "%s: %s", rows->path, strerror(errno));
	while (fault == FAULT_NONE && !*enough && (n = fd_read_up_to(rows->fd, piece, PIECE)) != 0) {
		if (n < 0)
			return refuse(why, FAULT_FILE, "%s: %s", rows->path, strerror((int)-n));
		fault = table_reader_feed(reader, piece, (size_t)n, why);
	}
	if (fault == FAULT_NONE && !*enough)
		fault = table_reader_finish(reader, why);
	return fault == FAULT_NONE ? FAULT_NONE : refuse_within(why, "%s", rows->path);
}

/* --- the header ---------------------------------------------------------------------------------------------------- */

struct header {
	const struct schema *schema;
	json_t *fields;
	bool is_there;
};

static enum fault take_header(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
			      struct refusal *why)
{
	struct header *header = ctx;

	(void)position;
	for (size_t i = 0; i < n_cells && !header->is_there; i++) {
		_cleanup_free_ char *label = xasprintf("%.*s", (int)cells[i].size, cells[i].text);
		const struct field *field = schema_field(header->schema, label);

		if (strlen(label) != cells[i].size)
			return refuse(why, FAULT_TABLE_CHARSET, "column %zu has a NUL in its name", i + 1);
		json_array_append_new(header->fields, field != NULL
							      ? json_deep_copy(field_json(field))
							      : json_pack("{ss ss}", "name", label, "type", "any"));
	}
	header->is_there = true;
	return FAULT_NONE;
}

enum fault compat_rows_schema(const struct compat_rows *rows, const struct schema *schema, struct schema **ret_schema,
			      struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *descriptor = json_copy(schema->json);
	struct header header = {.schema = schema, .fields = json_array()};
	enum fault fault = FAULT_NONE;

	json_object_del(descriptor, "fieldsMatch");
	if (rows->dialect->header) {
		json_object_set_new(descriptor, "fields", header.fields);
		fault = read_rows(rows, take_header, &header, &header.is_there, why);
		if (fault == FAULT_NONE && json_array_size(header.fields) == 0)
			return refuse(why, FAULT_SCHEMA, "%s: has no header", rows->path);
		schema_drop_keys(descriptor);
	} else {
		json_decref(header.fields);
	}
	if (fault == FAULT_NONE && (fault = schema_parse(descriptor, ret_schema, why)) != FAULT_NONE)
		refuse_within(why, "%s", rows->path);
	return fault;
}

/* --- the rows ------------------------------------------------------------------------------------------------------ */

struct runs {
	struct check_contracts *contracts;
	const char *resource;
	bool has_header;
};

static enum fault take_row(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
			   struct refusal *why)
{
	struct runs *runs = ctx;

	(void)why;
	for (size_t i = 0; i < runs->contracts->n_runs; i++) {
		struct contract_run *run = &runs->contracts->runs[i];

		if (strcmp(run->resource, runs->resource) != 0)
			continue;
		if (runs->has_header)
			contract_run_row(run, cells, n_cells, position);
		else
			contract_run_header(run, cells, n_cells);
	}
	runs->has_header = true;
	return FAULT_NONE;
}

/* A table without a header gets the one that its schema names. */
static void make_header(struct runs *runs, const struct schema *schema)
{
	_cleanup_free_ struct cell *cells = xcalloc(schema->n_fields + 1, sizeof(*cells));

	for (size_t i = 0; i < schema->n_fields; i++) {
		cells[i].text = field_name(schema->fields[i]);
		cells[i].size = strlen(cells[i].text);
	}
	take_row(runs, cells, schema->n_fields, NULL, NULL);
}

enum fault compat_rows_run(const struct compat_rows *rows, const char *resource, const struct schema *schema,
			   struct check_contracts *contracts, struct refusal *why)
{
	static const bool never = false;
	struct runs runs = {contracts, resource, false};
	enum fault fault;

	if (!rows->dialect->header)
		make_header(&runs, schema);
	fault = read_rows(rows, take_row, &runs, &never, why);
	for (size_t i = 0; i < contracts->n_runs; i++) {
		if (strcmp(contracts->runs[i].resource, resource) == 0)
			validation_table_end(contracts->runs[i].table);
	}
	return fault;
}
