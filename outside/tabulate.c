/* SPDX-License-Identifier: ISC
 *
 * tabulate: see tabulate.h. A pipe of sinks in one pass: raw bytes -> charset -> pieces of rows, judged and brought to the plain form by
 * several threads -> hash and output.
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
#include "schemas/parallel.h"
#include "schemas/plaincheck.h"

#define PIECE_SIZE (256 * KIB)

struct pipe {
	const struct resource *resource;
	struct charset_reader *charset;
	struct parallel_reader *reader;
	struct validation_table *table;

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

/* A table without a header gets the one that its schema names: the plain form has one. */
static enum fault make_header(struct pipe *pipe, bool is_verbatim, struct refusal *why)
{
	const struct schema *schema = pipe->resource->schema;
	_cleanup_free_ struct cell *cells = xcalloc(schema->n_fields + 1, sizeof(*cells));
	_cleanup_(plain_writer_freep) struct plain_writer *writer = plain_writer_new(put, pipe);
	enum fault fault;

	for (size_t i = 0; i < schema->n_fields; i++) {
		cells[i].text = field_name(schema->fields[i]);
		cells[i].size = strlen(cells[i].text);
	}
	validation_header_absent(pipe->table);
	if (is_verbatim)
		return FAULT_NONE;
	fault = plain_writer_row(writer, cells, schema->n_fields, why);
	return fault == FAULT_NONE ? plain_writer_finish(writer, why) : fault;
}

static enum fault take_text(void *ctx, const void *data, size_t size, struct refusal *why)
{
	struct pipe *pipe = ctx;

	if (pipe->reader != NULL)
		return parallel_reader_feed(pipe->reader, data, size, why);
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

/* FAULT is what became of the bytes. What is wrong with rows before the place where they failed comes first. */
static enum fault finish_table(struct pipe *pipe, enum fault fault, struct refusal *why)
{
	struct refusal of_rows = {FAULT_NONE, ""};

	if (fault == FAULT_NONE)
		return parallel_reader_finish(pipe->reader, why);
	if (parallel_reader_settle(pipe->reader, &of_rows) != FAULT_NONE)
		*why = of_rows;
	return why->fault;
}

static enum fault finish_json(struct pipe *pipe, bool is_verbatim, struct refusal *why)
{
	enum fault fault = plain_check_json(pipe->document != NULL ? pipe->document : "", pipe->document_size, why);

	return fault != FAULT_NONE || is_verbatim ? fault : put(pipe, pipe->document, pipe->document_size, why);
}

static struct parallel_reader *new_reader(struct pipe *pipe, bool is_verbatim, unsigned n_threads)
{
	struct parallel_reader *reader = parallel_reader_new(&pipe->resource->dialect, pipe->table, n_threads,
							     PARALLEL_PIECE_SIZE);

	parallel_reader_trust_utf8(reader);
	if (!is_verbatim)
		parallel_reader_write_plain(reader, put, pipe);
	return reader;
}

static enum fault set_map(const struct pipe *pipe, struct refusal *why)
{
	struct columnmap *map;

	if (columnmap_load(pipe->resource, &map, why) != FAULT_NONE)
		return why->fault;
	if (map != NULL)
		validation_table_set_map(pipe->table, map);
	return FAULT_NONE;
}

static enum fault run_pipe(struct pipe *pipe, const struct tabulate_means *means, enum tabulate_kind kind, int raw_fd,
			   struct hash *raw_hash, struct refusal *why)
{
	_cleanup_(charset_reader_freep) struct charset_reader *charset = NULL;
	_cleanup_(parallel_reader_freep) struct parallel_reader *reader = NULL;
	bool is_verbatim = kind == TABULATE_OPAQUE || pipe->resource->verbatim;
	bool lacks_header = kind == TABULATE_TABLE && !pipe->resource->dialect.header;
	enum fault fault;

	if (lacks_header && pipe->resource->schema == NULL)
		return refuse(why, FAULT_PACKAGE, "a table without a header needs a schema that names its columns");
	if (kind != TABULATE_OPAQUE) {
		fault = charset_reader_new(means->charsets, pipe->resource->encoding, take_text, pipe, &charset, why);
		if (fault != FAULT_NONE)
			return fault;
	}
	if (kind == TABULATE_TABLE) {
		if ((fault = set_map(pipe, why)) != FAULT_NONE)
			return fault;
		reader = new_reader(pipe, is_verbatim, means->n_threads);
	}
	pipe->charset = charset;
	pipe->reader = reader;
	if (lacks_header && (fault = make_header(pipe, is_verbatim, why)) != FAULT_NONE)
		return fault;
	fault = feed(pipe, raw_fd, is_verbatim, raw_hash, why);
	if (kind == TABULATE_TABLE)
		return finish_table(pipe, fault, why);
	return fault != FAULT_NONE || kind == TABULATE_OPAQUE ? fault : finish_json(pipe, is_verbatim, why);
}

enum fault tabulate(const struct tabulate_means *means, const struct resource *resource, int raw_fd, int out_fd,
		    struct validation_table *table, struct tabulated *ret_tabulated, struct refusal *why)
{
	_cleanup_(hash_freep) struct hash *hash = hash_new(), *raw_hash = hash_new();
	struct pipe pipe = {.resource = resource, .table = table, .out_fd = out_fd, .hash = hash};
	struct refusal broken = {FAULT_NONE, ""};
	enum tabulate_kind kind;
	enum fault fault = tabulate_kind(resource, &kind, why);

	if (fault != FAULT_NONE)
		return fault;
	fault = run_pipe(&pipe, means, kind, raw_fd, raw_hash, &broken);
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
