/* SPDX-License-Identifier: ISC
 *
 * datadiff: see datadiff.h.
 */
#include "inside/datadiff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/limits.h"
#include "inside/check.h"

#define PIECE (256 * KIB)

enum { OLD, NEW };

const char *datadiff_state_name(enum datadiff_state state)
{
	static const char *const names[] = {"unchanged", "added", "removed", "changed"};

	return names[state];
}

void datadiff_clear(struct datadiff *diff)
{
	package_free(diff->packages[OLD]);
	package_free(diff->packages[NEW]);
	free(diff->resources);
}

static int open_file(const struct datadiff *diff, int side, const char *name)
{
	return diff->files[side] != NULL
		       ? past_files_get(diff->files[side], name)
		       : store_open_version_file(diff->store_fd, diff->dataset, diff->versions[side], name);
}

/* --- packages -------------------------------------------------------------------------------------------------------- */

static enum fault load_package(struct datadiff *diff, int side, struct refusal *why)
{
	_cleanup_close_ int fd = open_file(diff, side, "datapackage.json");
	_cleanup_free_ uint8_t *data = NULL;
	size_t size;
	int r = fd < 0 ? fd : fd_load(fd, LIMIT_PACKAGE_SIZE, &data, &size);

	if (r < 0)
		return refuse(why, FAULT_STORE_DAMAGED, "datasets/%s/v/%s/datapackage.json: %s", diff->dataset,
			      diff->versions[side], strerror(-r));
	if (package_parse(data, size, NULL, NULL, &diff->packages[side], why) == FAULT_NONE)
		return FAULT_NONE;
	return refuse_within(why, "%s, version %s", diff->dataset, diff->versions[side]);
}

static bool is_readable(const struct resource *resource)
{
	return resource != NULL && check_resource_is_table(resource) &&
	       (!resource->verbatim || resource->dialect.header || resource->schema != NULL);
}

static const struct table_key *key_of(const struct resource *resource)
{
	return resource != NULL && resource->schema != NULL && resource->schema->primary_key.n_columns > 0
		       ? &resource->schema->primary_key
		       : NULL;
}

static bool is_same_key(const struct table_key *a, const struct table_key *b)
{
	if (a == NULL || b == NULL || a->n_columns != b->n_columns)
		return a == b;
	for (size_t i = 0; i < a->n_columns; i++) {
		if (strcmp(a->columns[i], b->columns[i]) != 0)
			return false;
	}
	return true;
}

static bool is_same_file(const struct resource *a, const struct resource *b)
{
	return a->hash != NULL && b->hash != NULL && strcmp(a->hash, b->hash) == 0 && a->bytes == b->bytes &&
	       a->verbatim == b->verbatim;
}

static bool is_same_schema(const struct resource *a, const struct resource *b)
{
	if (a->schema == NULL || b->schema == NULL)
		return a->schema == b->schema;
	return json_equal(a->schema->json, b->schema->json);
}

static void add_resource(struct datadiff *diff, const struct resource *old, const struct resource *new)
{
	struct datadiff_resource *added;

	diff->resources = xrealloc(diff->resources, diff->n_resources + 1, sizeof(*diff->resources));
	added = &diff->resources[diff->n_resources++];
	*added = (struct datadiff_resource){
		.name = new != NULL ? new->name : old->name,
		.old_resource = old,
		.new_resource = new,
		.state = old == NULL              ? DATADIFF_ADDED
			 : new == NULL            ? DATADIFF_REMOVED
			 : is_same_file(old, new) ? DATADIFF_SAME
						  : DATADIFF_CHANGED,
		.is_table = is_readable(old) && is_readable(new),
		.key_changed = old != NULL &&new != NULL && !is_same_key(key_of(old), key_of(new)),
		.schema_changed = old != NULL &&new != NULL && !is_same_schema(old, new),
	};
}

enum fault datadiff_load(struct datadiff *diff, struct refusal *why)
{
	enum fault fault;

	if ((fault = load_package(diff, OLD, why)) != FAULT_NONE ||
	    (fault = load_package(diff, NEW, why)) != FAULT_NONE)
		return fault;
	for (size_t i = 0; i < diff->packages[NEW]->n_resources; i++) {
		const struct resource *resource = &diff->packages[NEW]->resources[i];

		add_resource(diff, package_resource(diff->packages[OLD], resource->name), resource);
	}
	for (size_t i = 0; i < diff->packages[OLD]->n_resources; i++) {
		const struct resource *resource = &diff->packages[OLD]->resources[i];

		if (package_resource(diff->packages[NEW], resource->name) == NULL)
			add_resource(diff, resource, NULL);
	}
	return FAULT_NONE;
}

/* --- tables ---------------------------------------------------------------------------------------------------------- */

/* A table that kept its publisher's form, brought to the plain one. */
struct plainer {
	struct plain_writer *writer;
	int fd;
};

static enum fault put_piece(void *ctx, const void *data, size_t size, struct refusal *why)
{
	const struct plainer *plainer = ctx;
	int r = fd_write_all(plainer->fd, data, size);

	return r < 0 ? refuse(why, FAULT_STORAGE, "a temporary file: %s", strerror(-r)) : FAULT_NONE;
}

static enum fault put_row(void *ctx, const struct cell *cells, size_t n_cells, const struct row_position *position,
			  struct refusal *why)
{
	const struct plainer *plainer = ctx;

	(void)position;
	return plain_writer_row(plainer->writer, cells, n_cells, why);
}

static enum fault put_header(const struct plainer *plainer, const struct schema *schema, struct refusal *why)
{
	_cleanup_free_ struct cell *cells = xcalloc(schema->n_fields + 1, sizeof(*cells));

	for (size_t i = 0; i < schema->n_fields; i++) {
		cells[i].text = field_name(schema->fields[i]);
		cells[i].size = strlen(cells[i].text);
	}
	return plain_writer_row(plainer->writer, cells, schema->n_fields, why);
}

static enum fault feed_all(struct table_reader *reader, int fd, const char *name, struct refusal *why)
{
	_cleanup_free_ char *piece = xmalloc(PIECE);
	enum fault fault = FAULT_NONE;
	ssize_t n;

	while (fault == FAULT_NONE && (n = fd_read_up_to(fd, piece, PIECE)) != 0) {
		if (n < 0)
			return refuse(why, FAULT_STORAGE, "%s: %s", name, strerror((int)-n));
		fault = table_reader_feed(reader, piece, (size_t)n, why);
	}
	return fault == FAULT_NONE ? table_reader_finish(reader, why) : fault;
}

static enum fault make_plain(const struct resource *resource, int fd, int to_fd, struct refusal *why)
{
	struct plainer plainer = {.fd = to_fd};
	_cleanup_(table_reader_freep) struct table_reader *reader = table_reader_new(&resource->dialect, put_row,
										     &plainer);
	_cleanup_(plain_writer_freep) struct plain_writer *writer = plain_writer_new(put_piece, &plainer);
	enum fault fault = FAULT_NONE;

	plainer.writer = writer;
	if (to_fd < 0)
		return refuse(why, FAULT_STORAGE, "a temporary file: %s", strerror(-to_fd));
	if (ftruncate(to_fd, 0) < 0 || lseek(to_fd, 0, SEEK_SET) < 0)
		return refuse(why, FAULT_STORAGE, "a temporary file: %s", strerror(errno));
	if (!resource->dialect.header)
		fault = put_header(&plainer, resource->schema, why);
	if (fault == FAULT_NONE)
		fault = feed_all(reader, fd, resource->name, why);
	return fault == FAULT_NONE ? plain_writer_finish(writer, why) : fault;
}

/* The plain form of a table on SIDE. */
static enum fault open_table(const struct datadiff *diff, int side, const struct resource *resource, int *ret_fd,
			     struct refusal *why)
{
	_cleanup_close_ int fd = open_file(diff, side, resource->path);
	enum fault fault;

	if (fd < 0)
		return refuse(why, FAULT_STORE_DAMAGED, "datasets/%s/v/%s/%s: %s", diff->dataset, diff->versions[side],
			      resource->path, strerror(-fd));
	if (!resource->verbatim) {
		*ret_fd = steal_fd(&fd);
		return FAULT_NONE;
	}
	fault = make_plain(resource, fd, diff->temporary_fds[side], why);
	if (fault != FAULT_NONE)
		return refuse_within(why, "version %s, %s", diff->versions[side], resource->path);
	*ret_fd = dup(diff->temporary_fds[side]);
	return *ret_fd < 0 ? refuse(why, FAULT_STORAGE, "dup: %s", strerror(errno)) : FAULT_NONE;
}

void datadiff_rows_clear(struct datadiff_rows *rows)
{
	rowdiff_free(rows->rows);
	spill_free(rows->spill);
	cleanup_close(&rows->fds[OLD]);
	cleanup_close(&rows->fds[NEW]);
}

/* By the new version's key; by the old one's, where the new one names columns that are new; else by whole rows. */
static const struct table_key *set_key(const struct datadiff_resource *resource, struct rowdiff *rows)
{
	const struct table_key *keys[] = {key_of(resource->new_resource), key_of(resource->old_resource)};

	for (size_t i = 0; i < 2; i++) {
		if (keys[i] != NULL && rowdiff_set_key(rows, keys[i]->columns, keys[i]->n_columns))
			return keys[i];
	}
	return NULL;
}

enum fault datadiff_compare(const struct datadiff *diff, const struct datadiff_resource *resource,
			    struct datadiff_rows *ret_rows, struct refusal *why)
{
	struct datadiff_rows rows = {.fds = {-1, -1}};
	enum fault fault;

	rows.spill = spill_new(diff->memory, diff->spill_fd);
	if ((fault = open_table(diff, OLD, resource->old_resource, &rows.fds[OLD], why)) == FAULT_NONE &&
	    (fault = open_table(diff, NEW, resource->new_resource, &rows.fds[NEW], why)) == FAULT_NONE &&
	    (fault = rowdiff_open(rows.fds[OLD], diff->versions[OLD], rows.fds[NEW], diff->versions[NEW], diff->memory,
				  rows.spill, &rows.rows, why)) == FAULT_NONE) {
		rows.key = set_key(resource, rows.rows);
		fault = rowdiff_run(rows.rows, why);
	}
	if (fault != FAULT_NONE) {
		datadiff_rows_clear(&rows);
		return refuse_within(why, "%s/%s", diff->dataset, resource->name);
	}
	*ret_rows = rows;
	return FAULT_NONE;
}
