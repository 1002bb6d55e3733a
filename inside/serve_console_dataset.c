/* SPDX-License-Identifier: ISC
 *
 * serve_console_dataset: the page of one dataset: gathered from the set, the store's documents and the contracts.
 */
#include "inside/serve_console_private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

/* "sha256:…" without its name; others as they are. */
static const char *digest_of(const char *text)
{
	return strncmp(text, "sha256:", 7) == 0 ? text + 7 : text;
}

/* What was published, of the first of a resource's sources (bundle/FORMAT.md 12.3). */
static const char *published_of(const json_t *resource)
{
	const json_t *source = json_array_get(json_object_get(resource, "sources"), 0);

	return digest_of(console_member(source, "hash"));
}

static uint64_t rows_of(const json_t *resource)
{
	const json_t *rows = json_object_get(json_object_get(resource, "clapet"), "rows");

	return json_is_integer(rows) ? (uint64_t)json_integer_value(rows) : CONSOLE_UNKNOWN;
}

/* The files of the version; none where the reader is to see some of the rows alone. New array. */
static struct console_file *list_files(const struct serve_dataset *dataset, size_t *ret_n)
{
	size_t n;
	const struct serve_file *files = serve_dataset_files(dataset, &n);
	struct console_file *items = xcalloc(n + 1, sizeof(*items));

	for (size_t i = 0; i < n; i++) {
		const json_t *resource = files[i].resource;
		char hex[SHA256_HEX_SIZE];

		/* Documents are small, and their digests are kept once they were asked for. */
		if (resource == NULL)
			serve_file_hash(dataset, &files[i], hex);
		items[i] = (struct console_file){.name = files[i].name,
						 .size = files[i].size,
						 .stored = files[i].sha256,
						 .published = published_of(resource),
						 .resource = console_member(resource, "name"),
						 .rows = rows_of(resource)};
		/* A table in plain form; whether its rows can be asked for is in the SQLite file's hands. */
		items[i].has_rows = items[i].rows != CONSOLE_UNKNOWN;
	}
	*ret_n = n;
	return items;
}

/* Whether "rows.sqlite" is there to be downloaded: beside the version (serve.md: datasets/<name>/rows/<16 digits>.sqlite). */
static bool has_sqlite(const struct serve *serve, const struct serve_dataset *dataset)
{
	_cleanup_free_ char *path = xasprintf("datasets/%s/rows/%s.sqlite", dataset->name, dataset->version);

	return faccessat(serve->store_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* What is gathered for the page, and freed after it. */
struct gathered {
	json_t *status;
	struct console_file *files;
	struct console_versions versions;
	struct console_readers readers;
	const struct serve_dataset *previous;
};

static void gather_version(struct serve *serve, const struct serve_dataset *dataset, struct gathered *gathered,
			   struct console_dataset *shown)
{
	const char *in_force = console_member(shown->status, "version");
	const struct console_version *before;

	shown->version = dataset->version;
	shown->date = dataset->date;
	shown->package = serve_dataset_package(dataset);
	shown->is_other = shown->status != NULL && strcmp(in_force, dataset->version) != 0;
	if (shown->filtered[0] == '\0') {
		gathered->files = list_files(dataset, &shown->n_files);
		shown->files = gathered->files;
		shown->has_sqlite = has_sqlite(serve, dataset);
		for (size_t i = 0; !shown->has_sqlite && i < shown->n_files; i++)
			gathered->files[i].has_rows = false;
	}
	before = console_version_before(&gathered->versions);
	if (before == NULL || shown->is_other)
		return;
	shown->before = before->version;
	gathered->previous = serve_sets_version(serve->sets, dataset->name, before->version);
	if (gathered->previous != NULL)
		shown->previous = serve_dataset_package(gathered->previous);
}

static void gather(struct serve *serve, const char *name, const struct serve_dataset *dataset,
		   struct gathered *gathered, struct console_dataset *shown)
{
	gathered->status = serve_kept_status(serve);
	shown->status = console_status_entry(gathered->status, name);
	shown->is_stale = console_is_stale(shown->status, serve_now());
	console_load_versions(serve->store_fd, name, dataset == NULL ? "" : dataset->version, &gathered->versions);
	shown->versions = gathered->versions.items;
	shown->n_versions = gathered->versions.n_items;
	shown->is_cut = gathered->versions.is_cut;
	for (size_t i = 0; i < shown->n_versions; i++)
		if (shown->versions[i].is_in_force)
			shown->since = shown->versions[i].from;
	if (serve->config->contracts == NULL)
		shown->are_readers_known = true;
	else
		shown->are_readers_known = console_load_readers(serve->config->contracts, name, &gathered->readers);
	shown->readers = gathered->readers.items;
	shown->n_readers = gathered->readers.n_items;
	if (dataset != NULL)
		gather_version(serve, dataset, gathered, shown);
}

static void ungather(struct gathered *gathered)
{
	json_decref(gathered->status);
	free(gathered->files);
	console_versions_clear(&gathered->versions);
	console_readers_clear(&gathered->readers);
	if (gathered->previous != NULL)
		serve_dataset_unref(gathered->previous);
}

/* The resource of which only some rows may be seen; "": all may. */
static const char *filtered_of(const struct serve_reader *reader, const char *name)
{
	const char *value;

	return serve_access_row_filter(reader, name, NULL, &value) != NULL ? name : "";
}

/* Whether an operator asks for a dataset of which nothing is in force: it waits, and has a page all the same. */
static bool is_waiting(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
		       const char *name)
{
	_cleanup_(json_decrefp) json_t *status = NULL;

	if (!request->is_operator || request->generation != 0 || serve_set_dataset(set, name) != NULL)
		return false;
	status = serve_kept_status(serve);
	return console_status_entry(status, name) != NULL;
}

void serve_console_dataset(struct serve *serve, const struct serve_request *request, const struct serve_set *set,
			   const struct serve_reader *reader, struct serve_reply *reply)
{
	const char *name = request->segments[1];
	const struct serve_dataset *dataset = NULL;
	struct console_dataset shown = {.name = name, .version = "", .date = "", .before = ""};
	struct gathered gathered = {0};
	struct serve_console_call call;
	_cleanup_free_ char *path = xasprintf("/datasets/%s", name);

	if (!is_waiting(serve, request, set, name)) {
		dataset = serve_pick(serve, request, set, reader, reply, name);
		if (dataset == NULL)
			return;
	}
	shown.filtered = filtered_of(reader, name);
	serve_console_begin(serve, request, set, path, &call);
	gather(serve, name, dataset, &gathered, &shown);
	console_write_dataset(&call.page, &shown);
	serve_console_end(&call, reply);
	ungather(&gathered);
}
