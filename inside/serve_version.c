/* SPDX-License-Identifier: ISC
 *
 * serve_set, a dataset's version: its package and files are read when somebody first asks for them, so that a store of thousands of datasets is
 * served at once.
 */
#include "inside/serve_set_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/limits.h"

/* A document that the package does not name is hashed at first use, and is not longer than this. */
#define DOCUMENT_SIZE LIMIT_JSON_SIZE

static const char *text_of(const json_t *entry, const char *key)
{
	const char *text = json_string_value(json_object_get(entry, key));

	return text == NULL ? "" : text;
}

struct serve_dataset *serve_version_new(int store_fd, const char *name, const char *version, json_t *entry)
{
	struct serve_dataset *dataset = xcalloc(1, sizeof(*dataset));
	struct serve_dataset_private *private = xcalloc(1, sizeof(*private));

	atomic_init(&private->refs, 1);
	atomic_init(&private->is_loaded, false);
	pthread_mutex_init(&private->lock, NULL);
	private->store_fd = store_fd;
	private->entry = entry;
	snprintf(private->name, sizeof(private->name), "%s", name);
	dataset->private = private;
	dataset->name = private->name;
	memcpy(dataset->version, version, STORE_VERSION_SIZE);
	dataset->entry = entry;
	dataset->title = text_of(entry, "title");
	dataset->date = text_of(entry, "date");
	atomic_init(&dataset->rows, NULL);
	return dataset;
}

void serve_version_ref(const struct serve_dataset *dataset)
{
	atomic_fetch_add(&dataset->private->refs, 1);
}

void serve_dataset_unref(const struct serve_dataset *shared)
{
	struct serve_dataset *dataset = (struct serve_dataset *)shared;
	struct serve_dataset_private *private;
	struct serve_attached *rows;

	if (dataset == NULL || atomic_fetch_sub(&dataset->private->refs, 1) > 1)
		return;
	private = dataset->private;
	rows = atomic_load(&dataset->rows);
	if (rows != NULL)
		rows->free(rows);
	for (size_t i = 0; i < private->n_files; i++)
		free(private->files[i].name);
	free(private->files);
	json_decref(private->package);
	json_decref(private->entry);
	pthread_mutex_destroy(&private->lock);
	free(private);
	free(dataset);
}

/* --- described by itself --------------------------------------------------------------------------------------------- */

static json_t *share(const json_t *json)
{
	return json == NULL ? json_null() : json_incref((json_t *)json);
}

static json_t *describe_resource(const json_t *resource)
{
	const json_t *source = json_array_get(json_object_get(resource, "sources"), 0);

	return json_or_die(json_pack("{so so so so}", "name", share(json_object_get(resource, "name")), "rows",
				     share(json_object_get(json_object_get(resource, "clapet"), "rows")), "asPublished",
				     share(json_object_get(source, "hash")), "asStored",
				     share(json_object_get(resource, "hash"))));
}

json_t *serve_version_describe(const struct serve_dataset *dataset)
{
	const json_t *package = serve_dataset_package(dataset);
	const json_t *licences = json_object_get(package, "licenses"),
		     *resources = json_object_get(package, "resources");
	json_t *named = json_array(), *described = json_array();

	for (size_t i = 0; i < json_array_size(licences); i++)
		json_array_append_new(named, share(json_object_get(json_array_get(licences, i), "name")));
	for (size_t i = 0; i < json_array_size(resources); i++)
		json_array_append_new(described, describe_resource(json_array_get(resources, i)));
	return json_or_die(json_pack("{ss ss so so so so}", "name", dataset->name, "version", dataset->version, "date",
				     share(json_object_get(package, "created")), "title",
				     share(json_object_get(package, "title")), "licences", named, "resources",
				     described));
}

/* --- what is read at first use --------------------------------------------------------------------------------------- */

/* By its ending; what is not known is bytes. */
static const char *type_of(const char *name)
{
	static const struct {
		const char *ending, *type;
	} types[] = {
		{".csv", "text/csv; charset=utf-8"},
		{".json", "application/json"},
		{".geojson", "application/geo+json"},
		{".dsse", "application/vnd.in-toto+dsse"},
		{".txt", "text/plain; charset=utf-8"},
		{".md", "text/markdown; charset=utf-8"},
		{".pdf", "application/pdf"},
		{".xml", "application/xml"},
		{".zip", "application/zip"},
		{".gz", "application/gzip"},
		{".parquet", "application/vnd.apache.parquet"},
	};
	size_t length = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		size_t ending = strlen(types[i].ending);

		if (length > ending && strcmp(name + length - ending, types[i].ending) == 0)
			return types[i].type;
	}
	return "application/octet-stream";
}

static const json_t *resource_at(const json_t *package, const char *path)
{
	const json_t *resources = json_object_get(package, "resources");

	for (size_t i = 0; i < json_array_size(resources); i++) {
		const json_t *resource = json_array_get(resources, i);
		const char *its = json_string_value(json_object_get(resource, "path"));

		if (its != NULL && strcmp(its, path) == 0)
			return resource;
	}
	return NULL;
}

static json_t *load_package(const struct serve_dataset *dataset)
{
	_cleanup_free_ uint8_t *data = NULL;
	struct refusal why = {0};
	json_t *package = NULL;
	size_t size;
	int fd = store_open_version_file(dataset->private->store_fd, dataset->name, dataset->version,
					 "datapackage.json"),
	    r = fd;

	if (fd >= 0) {
		r = fd_load(fd, LIMIT_PACKAGE_SIZE, &data, &size);
		close(fd);
	}
	if (r < 0)
		refuse(&why, FAULT_SERVE_TROUBLE, "%s", strerror(-r));
	else
		json_parse(data, size, LIMIT_PACKAGE_SIZE, &package, &why);
	if (package == NULL)
		log_warning("%s %s: datapackage.json: %s", dataset->name, dataset->version, why.line);
	return package;
}

/* Its digest where the package says it; empty otherwise. */
static void describe_file(const struct serve_dataset *dataset, struct serve_file *file, const struct stat *st)
{
	const char *hash;

	file->size = (uint64_t)st->st_size;
	file->modified = st->st_mtim.tv_sec;
	file->type = type_of(file->name);
	file->resource = resource_at(dataset->private->package, file->name);
	hash = json_string_value(json_object_get(file->resource, "hash"));
	if (hash != NULL && strncmp(hash, "sha256:", 7) == 0 && strlen(hash + 7) == SHA256_HEX_SIZE - 1 &&
	    strspn(hash + 7, "0123456789abcdef") == SHA256_HEX_SIZE - 1)
		memcpy(file->sha256, hash + 7, SHA256_HEX_SIZE);
}

static void load_files(const struct serve_dataset *dataset)
{
	struct serve_dataset_private *private = dataset->private;
	_cleanup_(store_names_free) struct store_names names = {0};
	char path[STORE_PATH_SIZE];

	snprintf(path, sizeof(path), "datasets/%s/v/%s", dataset->name, dataset->version);
	if (store_list(private->store_fd, path, &names) < 0)
		return;
	private->files = xcalloc(names.n_items + 1, sizeof(*private->files));
	for (size_t i = 0; i < names.n_items; i++) {
		struct serve_file *file = &private->files[private->n_files];
		int fd = store_open_version_file(private->store_fd, dataset->name, dataset->version, names.items[i]);
		struct stat st;

		if (fd >= 0 && fstat(fd, &st) == 0) {
			file->name = steal_pointer(&names.items[i]);
			describe_file(dataset, file, &st);
			private->n_files++;
		}
		if (fd >= 0)
			close(fd);
	}
}

static void load(const struct serve_dataset *dataset)
{
	struct serve_dataset_private *private = dataset->private;

	if (atomic_load_explicit(&private->is_loaded, memory_order_acquire))
		return;
	pthread_mutex_lock(&private->lock);
	if (!atomic_load(&private->is_loaded)) {
		private->package = load_package(dataset);
		load_files(dataset);
		atomic_store_explicit(&private->is_loaded, true, memory_order_release);
	}
	pthread_mutex_unlock(&private->lock);
}

/* --- asked ----------------------------------------------------------------------------------------------------------- */

const json_t *serve_dataset_package(const struct serve_dataset *dataset)
{
	load(dataset);
	return dataset->private->package;
}

const struct serve_file *serve_dataset_files(const struct serve_dataset *dataset, size_t *ret_n)
{
	load(dataset);
	*ret_n = dataset->private->n_files;
	return dataset->private->files;
}

const struct serve_file *serve_dataset_file(const struct serve_dataset *dataset, const char *name)
{
	size_t low = 0, high;
	const struct serve_file *files = serve_dataset_files(dataset, &high);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(files[middle].name, name);

		if (order == 0)
			return &files[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

int serve_dataset_open(const struct serve_dataset *dataset, const struct serve_file *file)
{
	return store_open_version_file(dataset->private->store_fd, dataset->name, dataset->version, file->name);
}

bool serve_file_hash(const struct serve_dataset *dataset, const struct serve_file *file, char hex[SHA256_HEX_SIZE])
{
	struct serve_file *own = (struct serve_file *)file;
	_cleanup_close_ int fd = -1;
	struct sha256 sha256;
	bool is_known;

	/* What the package names is known since it was loaded, and never written again. */
	if (file->resource != NULL && file->sha256[0] != '\0') {
		memcpy(hex, file->sha256, SHA256_HEX_SIZE);
		return true;
	}
	pthread_mutex_lock(&dataset->private->lock);
	if (own->sha256[0] == '\0' && own->size <= DOCUMENT_SIZE) {
		fd = serve_dataset_open(dataset, file);
		if (fd >= 0 && hash_fd(fd, DOCUMENT_SIZE, &sha256, NULL) == 0)
			sha256_to_hex(&sha256, own->sha256);
	}
	is_known = own->sha256[0] != '\0';
	memcpy(hex, own->sha256, SHA256_HEX_SIZE);
	pthread_mutex_unlock(&dataset->private->lock);
	return is_known;
}
