/* SPDX-License-Identifier: ISC
 *
 * tabulate: see tabulate.h. A pipe of sinks in one pass: raw bytes -> charset -> rows -> validation and plain writer -> hash
 * and output.
 */
#include "outside/tabulate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "schemas/plaincheck.h"

#define PIECE_SIZE (256 * KIB)

struct pipe {
	const struct resource *resource;
	struct charset_reader *charset;
	struct table_reader *reader;
	struct plain_writer *writer; /* NULL: the bytes are kept verbatim, or nothing is written */
	struct validation_table *table;
	bool has_header;
	bool is_mapped; /* rows are written as promised */

	char *document; /* JSON in UTF-8, whole */
	size_t document_size;

	int out_fd;
	struct hash *hash; /* of what is written */
	uint64_t size;
};

static bool has_extension(const char *path, const char *extension)
{
	size_t length = strcspn(path, "?#"), n = strlen(extension);

	return length > n && path[length - n - 1] == '.' && strncasecmp(path + length - n, extension, n) == 0;
}

static bool is_json(const struct resource *resource)
{
	static const char *const names[] = {"json", "geojson", "topojson"};
	const char *media = json_string_value(json_object_get(resource->json, "mediatype"));

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (resource->format != NULL ? strcasecmp(resource->format, names[i]) == 0
					     : has_extension(resource->path, names[i]))
			return true;
	}
	return media != NULL &&
	       (strncasecmp(media, "application/json", 16) == 0 || strcasecmp(media, "application/geo+json") == 0);
}

enum fault tabulate_kind(const struct resource *resource, enum tabulate_kind *ret_kind, struct refusal *why)
{
	if (resource->opaque)
		*ret_kind = TABULATE_OPAQUE;
	else if (resource->is_table)
		*ret_kind = TABULATE_TABLE;
	else if (is_json(resource))
		*ret_kind = TABULATE_JSON;
	else
		return refuse(why, FAULT_PACKAGE,
			      "resource %s: neither a table nor JSON: say its `format`, or `clapet.opaque`",
			      resource->name);
	return FAULT_NONE;
}

/* --- the end of the pipe ------------------------------------------------------------------------------------------ */

static enum fault put(void *ctx, const void *data, size_t size, struct refusal *why)
{
	struct pipe *pipe = ctx;
	int r = pipe->out_fd < 0 ? 0 : fd_write_all(pipe->out_fd, data, size);

	(void)why;
	if (r < 0)
		die("writing %s: %s", pipe->resource->name, strerror(-r));
	hash_update(pipe->hash, data, size);
	pipe->size += size;
	return FAULT_NONE;
}

static enum fault put_row(struct pipe *pipe, const struct cell *cells, size_t n_cells,
			  const struct row_position *position, struct refusal *why)
{
	validation_row(pipe->table, cells, n_cells, position);
	if (pipe->is_mapped) {
		if (validation_table_map_fault(pipe->table, why) != FAULT_NONE)
			return why->fault;
		cells = validation_table_promised(pipe->table, &n_cells);
	}
	return pipe->writer == NULL ? FAULT_NONE : plain_writer_row(pipe->writer, cells, n_cells, why);
}

/* A table without a header gets the one that its schema names: the plain form has one. */
static enum fault make_header(struct pipe *pipe, struct refusal *why)
{
	const struct schema *schema = pipe->resource->schema;
	_cleanup_free_ struct cell *cells = xcalloc(schema->n_fields + 1, sizeof(*cells));

	for (size_t i = 0; i < schema->n_fields; i++) {
		cells[i].text = field_name(schema->fields[i]);
		cells[i].size = strlen(cells[i].text);
	}
	validation_header_absent(pipe->table);
	return pipe->writer == NULL ? FAULT_NONE : plain_writer_row(pipe->writer, cells, schema->n_fields, why);
}

static enum fault take_row(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
			   struct refusal *why)
{
	struct pipe *pipe = ctx;
	enum fault fault;

	if (!pipe->has_header && !pipe->resource->dialect.header && (fault = make_header(pipe, why)) != FAULT_NONE)
		return fault;
	pipe->has_header = true;
	return put_row(pipe, cells, n_cells, position, why);
}

static enum fault take_text(void *ctx, const void *data, size_t size, struct refusal *why)
{
	struct pipe *pipe = ctx;

	if (pipe->reader != NULL)
		return table_reader_feed(pipe->reader, data, size, why);
	if (size > LIMIT_JSON_SIZE - pipe->document_size)
		return refuse(why, FAULT_DOCUMENT, "more than %llu bytes of JSON", (unsigned long long)LIMIT_JSON_SIZE);
	pipe->document = xrealloc(pipe->document, pipe->document_size + size, 1);
	memcpy(pipe->document + pipe->document_size, data, size);
	pipe->document_size += size;
	return FAULT_NONE;
}

/* --- its beginning ------------------------------------------------------------------------------------------------ */

/* Feeds everything; RAW is hashed whatever comes of it, verbatim bytes are put as they are. */
static enum fault feed(struct pipe *pipe, int raw_fd, bool is_verbatim, struct hash *raw_hash, struct refusal *why)
{
	_cleanup_free_ char *piece = xmalloc(PIECE_SIZE);
	enum fault fault = FAULT_NONE;
	ssize_t n;

	while (fault == FAULT_NONE && (n = fd_read_up_to(raw_fd, piece, PIECE_SIZE)) != 0) {
		if (n < 0)
			die("reading %s: %s", pipe->resource->name, strerror((int)-n));
		hash_update(raw_hash, piece, (size_t)n);
		if (is_verbatim)
			put(pipe, piece, (size_t)n, NULL);
		if (pipe->charset != NULL)
			fault = charset_reader_feed(pipe->charset, piece, (size_t)n, why);
	}
	return fault != FAULT_NONE || pipe->charset == NULL ? fault : charset_reader_finish(pipe->charset, why);
}

static enum fault finish_table(struct pipe *pipe, struct refusal *why)
{
	enum fault fault = table_reader_finish(pipe->reader, why);

	/* Nothing but a header is a table too, also where the schema has to name it. */
	if (fault == FAULT_NONE && !pipe->has_header && !pipe->resource->dialect.header)
		fault = make_header(pipe, why);
	return fault != FAULT_NONE || pipe->writer == NULL ? fault : plain_writer_finish(pipe->writer, why);
}

static enum fault finish_json(struct pipe *pipe, bool is_verbatim, struct refusal *why)
{
	enum fault fault = plain_check_json(pipe->document != NULL ? pipe->document : "", pipe->document_size, why);

	return fault != FAULT_NONE || is_verbatim ? fault : put(pipe, pipe->document, pipe->document_size, why);
}

static enum fault set_map(struct pipe *pipe, struct refusal *why)
{
	struct columnmap *map;

	if (columnmap_load(pipe->resource, &map, why) != FAULT_NONE)
		return why->fault;
	pipe->is_mapped = map != NULL;
	if (map != NULL)
		validation_table_set_map(pipe->table, map);
	return FAULT_NONE;
}

static enum fault run_pipe(struct pipe *pipe, struct charsets *charsets, enum tabulate_kind kind, int raw_fd,
			   struct hash *raw_hash, struct refusal *why)
{
	_cleanup_(charset_reader_freep) struct charset_reader *charset = NULL;
	_cleanup_(table_reader_freep) struct table_reader *reader = NULL;
	_cleanup_(plain_writer_freep) struct plain_writer *writer = NULL;
	bool is_verbatim = kind == TABULATE_OPAQUE || pipe->resource->verbatim;
	enum fault fault;

	if (kind == TABULATE_TABLE && !pipe->resource->dialect.header && pipe->resource->schema == NULL)
		return refuse(why, FAULT_PACKAGE, "a table without a header needs a schema that names its columns");
	if (kind != TABULATE_OPAQUE) {
		fault = charset_reader_new(charsets, pipe->resource->encoding, take_text, pipe, &charset, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	if (kind == TABULATE_TABLE) {
		if ((fault = set_map(pipe, why)) != FAULT_NONE)
			return fault;
		reader = table_reader_new(&pipe->resource->dialect, take_row, pipe);
		writer = is_verbatim ? NULL : plain_writer_new(put, pipe);
	}
	pipe->charset = charset;
	pipe->reader = reader;
	pipe->writer = writer;
	fault = feed(pipe, raw_fd, is_verbatim, raw_hash, why);
	if (fault != FAULT_NONE || kind == TABULATE_OPAQUE)
		return fault;
	return kind == TABULATE_TABLE ? finish_table(pipe, why) : finish_json(pipe, is_verbatim, why);
}

enum fault tabulate(struct charsets *charsets, const struct resource *resource, int raw_fd, int out_fd,
		    struct validation_table *table, struct tabulated *ret_tabulated, struct refusal *why)
{
	_cleanup_(hash_freep) struct hash *hash = hash_new(), *raw_hash = hash_new();
	struct pipe pipe = {.resource = resource, .table = table, .out_fd = out_fd, .hash = hash};
	struct refusal broken = {FAULT_NONE, ""};
	enum tabulate_kind kind;
	enum fault fault = tabulate_kind(resource, &kind, why);

	if (fault != FAULT_NONE)
		return fault;
	fault = run_pipe(&pipe, charsets, kind, raw_fd, raw_hash, &broken);
	free(pipe.document);
	if (fault != FAULT_NONE) {
		if (table != NULL)
			validation_table_broken(table, &broken);
		return refuse(why, fault, "resource %s: %s", resource->name, broken.line);
	}
	if (table != NULL)
		validation_table_end(table);
	hash_final(raw_hash, &ret_tabulated->raw_sha256);
	hash_final(hash, &ret_tabulated->sha256);
	ret_tabulated->size = pipe.size;
	return FAULT_NONE;
}
