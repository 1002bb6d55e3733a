/* SPDX-License-Identifier: ISC
 *
 * descriptor: see descriptor.h.
 */
#include "outside/descriptor.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "outside/url.h"
#include "schemas/tolerated.h"

#define PROFILE "https://datapackage.org/profiles/2.0/datapackage.json"

/* What is kept of the source's own words. `sources` of the package say where the publisher has it from. */
static const char *const PACKAGE_KEYS[] = {"name",     "title",   "description",  "homepage", "version",
					   "licenses", "sources", "contributors", "keywords", NULL};
static const char *const RESOURCE_KEYS[] = {"name", "title", "description", "licenses", NULL};

static json_t *copy_keys(const json_t *object, const char *const *keys)
{
	json_t *copy = json_object();

	for (size_t i = 0; keys[i] != NULL; i++) {
		json_t *value = json_object_get(object, keys[i]);

		if (value != NULL && !json_is_null(value))
			json_object_set_new(copy, keys[i], json_deep_copy(value));
	}
	return copy;
}

/* The extension of an address, in lower case, where it is one to eight letters and digits. */
static void path_extension(const char *path, const char *otherwise, char extension[9])
{
	size_t length = strcspn(path, "?#"), n = 0;

	while (n < length && isalnum((unsigned char)path[length - n - 1]))
		n++;
	if (n == 0 || n > 8 || n >= length || path[length - n - 1] != '.') {
		snprintf(extension, 9, "%s", otherwise);
		return;
	}
	for (size_t i = 0; i < n; i++)
		extension[i] = (char)tolower((unsigned char)path[length - n + i]);
	extension[n] = '\0';
}

static bool is_geojson(const struct resource *resource, const char *extension)
{
	return strcmp(extension, "geojson") == 0 ||
	       (resource->format != NULL && strcasecmp(resource->format, "geojson") == 0);
}

static void file_extension(const struct resource *resource, enum tabulate_kind kind, char extension[9])
{
	switch (kind) {
	case TABULATE_TABLE:
		snprintf(extension, 9, "csv");
		return;
	case TABULATE_JSON:
		path_extension(resource->path, "json", extension);
		snprintf(extension, 9, "%s", is_geojson(resource, extension) ? "geojson" : "json");
		return;
	case TABULATE_OPAQUE:
		path_extension(resource->path, "bin", extension);
		return;
	}
}

void descriptor_file_name(const struct resource *resource, enum tabulate_kind kind, char name[LIMIT_FILE_NAME_SIZE])
{
	char extension[9];

	file_extension(resource, kind, extension);
	snprintf(name, LIMIT_FILE_NAME_SIZE, "%s.%s", resource->name, extension);
}

static json_t *hash_text(const struct sha256 *sha256)
{
	char text[7 + SHA256_HEX_SIZE] = "sha256:";

	sha256_to_hex(sha256, text + 7);
	return json_string(text);
}

static const char *media_type(enum tabulate_kind kind, const char *extension)
{
	if (kind == TABULATE_TABLE)
		return "text/csv";
	if (kind == TABULATE_JSON)
		return strcmp(extension, "geojson") == 0 ? "application/geo+json" : "application/json";
	return "application/octet-stream";
}

/* The address without user and password: what crosses is read by many. */
static json_t *build_source(const struct descriptor_resource *item)
{
	const char *title = json_string_value(json_object_get(item->resource->json, "title"));
	size_t size = strlen(item->resource->path) + 16;
	_cleanup_free_ char *shown = xmalloc(size);
	json_t *source = json_object();

	json_object_set_new(source, "title",
			    json_string(title != NULL && title[0] != '\0' ? title : item->resource->name));
	json_object_set_new(source, "path", json_string(url_redact(item->resource->path, shown, size)));
	json_object_set_new(source, "hash", hash_text(&item->tabulated.raw_sha256));
	return json_pack("[o]", source);
}

/* Verbatim bytes are read as the source says, so that is said too. */
static json_t *build_dialect(const struct dialect *dialect)
{
	char delimiter[2] = {dialect->delimiter, '\0'}, quote[2] = {dialect->quote, '\0'};

	json_t *object = json_pack("{ss ss sb sb sb}", "delimiter", delimiter, "quoteChar", quote, "header",
				   dialect->header, "doubleQuote", dialect->double_quote, "skipInitialSpace",
				   dialect->skip_initial_space);

	dialect_put_unusual(dialect, object);
	return object;
}

/* Why columns that look personal may be there: their readers are told. */
static void set_reasons(json_t *clapet, const struct descriptor_resource *item)
{
	json_t *allowed = json_object_get(json_object_get(item->resource->json, "clapet"), "allowedColumns");

	if (item->table != NULL && json_object_size(allowed) > 0)
		json_object_set_new(clapet, "allowedColumns", json_or_die(json_deep_copy(allowed)));
}

static json_t *build_clapet(const struct descriptor_resource *item)
{
	json_t *clapet = json_object();

	json_object_set_new(
		clapet, "transform",
		json_string(item->resource->verbatim || item->kind == TABULATE_OPAQUE ? "verbatim" : "plain"));
	if (item->kind == TABULATE_TABLE)
		json_object_set_new(clapet, "rows", json_integer((json_int_t)validation_n_rows(item->table)));
	if (item->table != NULL && validation_table_n_warnings(item->table) > 0) {
		_cleanup_(rule_levels_clear) struct rule_levels passed = {.n_items = 0};

		tolerated_collect(item->table, &passed);
		if (passed.n_items > 0)
			json_object_set_new(clapet, "tolerated", tolerated_to_json(&passed));
	}
	set_reasons(clapet, item);
	if (item->kind == TABULATE_OPAQUE)
		json_object_set_new(clapet, "opaque", json_true());
	return clapet;
}

static json_t *build_resource(const struct descriptor_resource *item)
{
	json_t *json = copy_keys(item->resource->json, RESOURCE_KEYS);
	bool is_kept = item->resource->verbatim && item->kind != TABULATE_OPAQUE;
	char name[LIMIT_FILE_NAME_SIZE], extension[9];

	file_extension(item->resource, item->kind, extension);
	descriptor_file_name(item->resource, item->kind, name);
	json_object_set_new(json, "path", json_string(name));
	json_object_set_new(json, "format", json_string(extension));
	json_object_set_new(json, "mediatype", json_string(media_type(item->kind, extension)));
	if (item->kind != TABULATE_OPAQUE)
		json_object_set_new(json, "encoding", json_string(is_kept ? item->resource->encoding : "utf-8"));
	if (is_kept && item->kind == TABULATE_TABLE)
		json_object_set_new(json, "dialect", build_dialect(&item->resource->dialect));
	json_object_set_new(json, "bytes", json_integer((json_int_t)item->tabulated.size));
	json_object_set_new(json, "hash", hash_text(&item->tabulated.sha256));
	if (item->kind == TABULATE_TABLE)
		json_object_set_new(json, "schema", validation_effective_schema(item->table));
	json_object_set_new(json, "sources", build_source(item));
	json_object_set_new(json, "clapet", build_clapet(item));
	return json;
}

json_t *descriptor_build(const struct package *source, const struct descriptor_resource *resources)
{
	json_t *json = copy_keys(source->json, PACKAGE_KEYS), *array = json_array();

	json_object_set_new(json, "$schema", json_string(PROFILE));
	for (size_t i = 0; i < source->n_resources; i++)
		json_array_append_new(array, build_resource(&resources[i]));
	json_object_set_new(json, "resources", array);
	return json;
}
