/* SPDX-License-Identifier: ISC
 *
 * package: datapackage.json into structs. A property that would change how the bytes are read and that we do not know
 * how to heed is refused, not ignored; all others are tolerated, as the standard asks.
 */
#include "schemas/package.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/checksum.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/notation.h"

static enum fault bad(struct refusal *why, const struct resource *resource, const char *property, const char *what)
{
	return refuse(why, FAULT_PACKAGE, "resource %s: %s %s", resource->name, property, what);
}

/* A text member; NULL and null leave *RET alone. */
static enum fault read_text(const struct resource *resource, const json_t *object, const char *property,
			    const char **ret, struct refusal *why)
{
	const json_t *value = json_object_get(object, property);

	if (value == NULL || json_is_null(value))
		return FAULT_NONE;
	if (!json_is_string(value))
		return bad(why, resource, property, "is no string");
	*ret = json_string_value(value);
	return FAULT_NONE;
}

static enum fault read_flag(const struct resource *resource, const json_t *object, const char *property, bool *ret,
			    struct refusal *why)
{
	const json_t *value = json_object_get(object, property);

	if (value == NULL || json_is_null(value))
		return FAULT_NONE;
	if (!json_is_boolean(value))
		return bad(why, resource, property, "is neither true nor false");
	*ret = json_is_true(value);
	return FAULT_NONE;
}

/* --- resources
 * -------------------------------------------------------------------------------------------------------- */

/* The path's extension, without a URL's query; "" if there is none. */
static void path_extension(const char *path, char *extension, size_t size)
{
	size_t length = strcspn(path, "?#");
	size_t i = length;

	extension[0] = '\0';
	while (i > 0 && path[i - 1] != '.' && path[i - 1] != '/')
		i--;
	if (i == 0 || path[i - 1] != '.' || length - i >= size)
		return;
	memcpy(extension, path + i, length - i);
	extension[length - i] = '\0';
}

/* What a tabular resource is written in that is no CSV. */
static bool is_other_format(const char *format)
{
	static const char *const others[] = {"json", "jsonl", "ndjson", "geojson", "topojson", "xml",
					     "xls",  "xlsx",  "ods",    "parquet", "sql",      "html"};

	for (size_t i = 0; format != NULL && i < ARRAY_SIZE(others); i++) {
		if (strcasecmp(format, others[i]) == 0)
			return true;
	}
	return false;
}

static bool has_word(const json_t *object, const char *property, const char *word)
{
	const char *value = json_string_value(json_object_get(object, property));

	return value != NULL && strcmp(value, word) == 0;
}

static bool looks_tabular(const struct package *package, const struct resource *resource)
{
	const char *media = json_string_value(json_object_get(resource->json, "mediatype"));
	char extension[8];

	if (resource->schema != NULL)
		return true;
	if (resource->format != NULL)
		return strcasecmp(resource->format, "csv") == 0 || strcasecmp(resource->format, "tsv") == 0;
	/* v2, then v1. */
	if (has_word(resource->json, "type", "table") || has_word(resource->json, "profile", "tabular-data-resource") ||
	    has_word(package->json, "profile", "tabular-data-package"))
		return true;
	if (media != NULL &&
	    (strncasecmp(media, "text/csv", 8) == 0 || strncasecmp(media, "text/tab-separated-values", 25) == 0))
		return true;
	path_extension(resource->path, extension, sizeof(extension));
	return strcasecmp(extension, "csv") == 0 || strcasecmp(extension, "tsv") == 0;
}

static enum fault read_kind(const struct package *package, struct resource *resource, struct refusal *why)
{
	if (resource->schema != NULL && is_other_format(resource->format))
		return bad(why, resource, "format", "has a schema but is no CSV: only tables in CSV are supported");
	resource->is_table = looks_tabular(package, resource);
	return FAULT_NONE;
}

static enum fault read_path(struct resource *resource, struct refusal *why)
{
	const json_t *value = json_object_get(resource->json, "path");

	if (value == NULL && json_object_get(resource->json, "data") != NULL)
		return bad(why, resource, "data",
			   "stands in the descriptor, which is not supported: put it into a file");
	if (json_array_size(value) == 1)
		value = json_array_get(value, 0);
	if (!json_is_string(value) || json_string_length(value) == 0)
		return bad(why, resource, "path",
			   json_is_array(value) ? "names several files, which is not supported: a resource each"
						: "is missing or no string");
	resource->path = json_string_value(value);
	return FAULT_NONE;
}

static void note_json(void *ctx, const char *line)
{
	warnings_add(ctx, "%s", line);
}

enum fault package_parse_schema(const void *data, size_t size, json_t **ret_schema, struct warnings *warnings,
				struct refusal *why)
{
	return json_parse_published(data, size, LIMIT_PACKAGE_SIZE, note_json, warnings, ret_schema, why);
}

/* The schema and what is to be said of it, each line with PREFIX. */
static enum fault load_schema_of(struct resource *resource, package_load_schema *load_schema, void *ctx,
				 struct warnings *warnings, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *loaded = NULL;
	json_t *value = json_object_get(resource->json, "schema");
	enum fault fault;

	if (json_is_string(value)) {
		if (load_schema == NULL)
			return bad(why, resource, "schema", "is a path, and may not be one here");
		fault = load_schema(ctx, json_string_value(value), &loaded, warnings, why);
		if (fault != FAULT_NONE)
			return refuse_within(why, "resource %s: schema", resource->name);
		value = loaded;
	}
	fault = schema_parse(value, &resource->schema, why);
	if (fault != FAULT_NONE)
		return refuse_within(why, "resource %s", resource->name);
	warnings_take(warnings, "", &resource->schema->warnings);
	return FAULT_NONE;
}

/* Cells that are emptied for their null sequence are to be missing, not empty texts. */
static void tell_null_sequence(const struct resource *resource, struct warnings *warnings)
{
	const struct schema *schema = resource->schema;

	if (resource->dialect.null_sequence[0] == '\0' || schema == NULL)
		return;
	for (size_t i = 0; i < schema->n_missing_values; i++) {
		if (schema->missing_values[i][0] == '\0')
			return;
	}
	warnings_add(warnings,
		     "cells that are the dialect's nullSequence are read as empty, which missingValues lacks");
}

static enum fault read_schema(struct package *package, struct resource *resource, package_load_schema *load_schema,
			      void *ctx, struct refusal *why)
{
	_cleanup_(warnings_clear) struct warnings warnings = {0};
	const json_t *value = json_object_get(resource->json, "schema");
	char prefix[NOTATION_NAME_SIZE + 16];
	enum fault fault;

	if (value == NULL || json_is_null(value))
		return FAULT_NONE;
	fault = load_schema_of(resource, load_schema, ctx, &warnings, why);
	if (fault == FAULT_NONE)
		tell_null_sequence(resource, &warnings);
	snprintf(prefix, sizeof(prefix), "resource %s: ", resource->name);
	warnings_take(&package->warnings, prefix, &warnings);
	return fault;
}

static enum fault read_bytes(struct resource *resource, struct refusal *why)
{
	const json_t *value = json_object_get(resource->json, "bytes");

	resource->bytes = -1;
	if (value == NULL || json_is_null(value))
		return FAULT_NONE;
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return bad(why, resource, "bytes", "is no size");
	resource->bytes = json_integer_value(value);
	return FAULT_NONE;
}

/* "sha1:…", or an MD5: of the file at `path`. */
static enum fault read_hash(struct package *package, struct resource *resource, struct refusal *why)
{
	struct checksum checksum;
	enum fault fault = read_text(resource, resource->json, "hash", &resource->hash, why);

	if (fault != FAULT_NONE || resource->hash == NULL)
		return fault;
	if (resource->hash[0] == '\0') {
		warnings_add(&package->warnings, "resource %s: hash is empty, which is read as none", resource->name);
		resource->hash = NULL;
	} else if (!checksum_parse(resource->hash, &checksum)) {
		return bad(why, resource, "hash",
			   "is no MD5 of 32 digits, nor sha1:, sha256: or sha512: and its digits");
	}
	return FAULT_NONE;
}

/* Bodies are unpacked by what they are (outside-unpack), whatever is announced; but it must be one of those. */
static enum fault read_compression(struct resource *resource, struct refusal *why)
{
	static const char *const known[] = {"", "no", "zip", "gz", "gzip", "bz2", "xz", "zst", "zstd", "7z", "tar"};
	const char *text = NULL;
	enum fault fault = read_text(resource, resource->json, "compression", &text, why);

	for (size_t i = 0; text != NULL && i < ARRAY_SIZE(known); i++) {
		if (strcasecmp(text, known[i]) == 0) {
			resource->is_compressed = i >= 2;
			return FAULT_NONE;
		}
	}
	return fault == FAULT_NONE && text != NULL
		       ? bad(why, resource, "compression", "is none of zip, gz, bz2, xz, zst, 7z and tar")
		       : fault;
}

static enum fault read_dialect(struct package *package, struct resource *resource, struct refusal *why)
{
	_cleanup_(warnings_clear) struct warnings warnings = {0};
	char prefix[NOTATION_NAME_SIZE + 32];

	snprintf(prefix, sizeof(prefix), "resource %s: dialect", resource->name);
	if (dialect_parse(json_object_get(resource->json, "dialect"), resource->format, &resource->dialect, &warnings,
			  why) != FAULT_NONE)
		return refuse_within(why, "%s", prefix);
	strcat(prefix, ": ");
	warnings_take(&package->warnings, prefix, &warnings);
	return FAULT_NONE;
}

/* Our own properties. Others of `clapet` belong to the source's reader outside. */
static enum fault read_clapet(struct resource *resource, struct refusal *why)
{
	const json_t *clapet = json_object_get(resource->json, "clapet");
	const char *transform = NULL;
	enum fault fault;

	if (clapet != NULL && !json_is_object(clapet))
		return bad(why, resource, "clapet", "is no object");
	fault = read_flag(resource, clapet, "opaque", &resource->opaque, why);
	if (fault == FAULT_NONE)
		fault = read_text(resource, clapet, "transform", &transform, why);
	if (fault != FAULT_NONE || transform == NULL)
		return fault;
	if (strcmp(transform, "verbatim") != 0 && strcmp(transform, "plain") != 0)
		return bad(why, resource, "clapet.transform", "is neither plain nor verbatim");
	resource->verbatim = strcmp(transform, "verbatim") == 0;
	return FAULT_NONE;
}

static enum fault read_name(struct resource *resource, size_t index, struct refusal *why)
{
	const char *name = json_string_value(json_object_get(resource->json, "name"));

	if (!json_is_object(resource->json) || name == NULL)
		return refuse(why, FAULT_PACKAGE, "resource %zu: has no name", index + 1);
	if (!notation_is_name(name) || !text_copy(resource->name, sizeof(resource->name), name))
		return refuse(why, FAULT_PACKAGE,
			      "resource %zu: the name \"%s\" is not of [a-z0-9][a-z0-9_-]{0,62}, or is reserved",
			      index + 1, name);
	return FAULT_NONE;
}

static enum fault read_resource(struct package *package, struct resource *resource, size_t index,
				package_load_schema *load_schema, void *ctx, struct refusal *why)
{
	enum fault fault = read_name(resource, index, why);

	resource->encoding = "utf-8";
	if (fault == FAULT_NONE)
		fault = read_path(resource, why);
	if (fault == FAULT_NONE)
		fault = read_text(resource, resource->json, "format", &resource->format, why);
	if (fault == FAULT_NONE)
		fault = read_text(resource, resource->json, "encoding", &resource->encoding, why);
	if (fault == FAULT_NONE)
		fault = read_hash(package, resource, why);
	if (fault == FAULT_NONE)
		fault = read_compression(resource, why);
	if (fault == FAULT_NONE)
		fault = read_bytes(resource, why);
	if (fault == FAULT_NONE)
		fault = read_dialect(package, resource, why);
	if (fault == FAULT_NONE)
		fault = read_clapet(resource, why);
	if (fault == FAULT_NONE)
		fault = read_schema(package, resource, load_schema, ctx, why);
	if (fault == FAULT_NONE)
		fault = read_kind(package, resource, why);
	return fault;
}

/* --- the package
 * ------------------------------------------------------------------------------------------------------ */

static enum fault read_resources(struct package *package, package_load_schema *load_schema, void *ctx,
				 struct refusal *why)
{
	json_t *array = json_object_get(package->json, "resources");
	size_t i;
	json_t *item;

	if (!json_is_array(array) || json_array_size(array) == 0)
		return refuse(why, FAULT_PACKAGE, "resources: is no array of resources");
	if (json_array_size(array) > LIMIT_TARGETS_PER_ROLE)
		return refuse(why, FAULT_PACKAGE, "resources: %zu, at most %d", json_array_size(array),
			      LIMIT_TARGETS_PER_ROLE);
	package->resources = xcalloc(json_array_size(array), sizeof(package->resources[0]));
	json_array_foreach(array, i, item)
	{
		struct resource *resource = &package->resources[i];
		enum fault fault;

		resource->json = item;
		package->n_resources++;
		fault = read_resource(package, resource, i, load_schema, ctx, why);
		if (fault != FAULT_NONE)
			return fault;
		if (package_resource(package, resource->name) != resource)
			return refuse(why, FAULT_PACKAGE, "two resources are called %s", resource->name);
	}
	return FAULT_NONE;
}

static enum fault check_reference(const struct package *package, const struct resource *resource,
				  const struct table_key *key, struct refusal *why)
{
	const struct resource *target = key->resource[0] != '\0' ? package_resource(package, key->resource) : resource;

	if (target == NULL)
		return refuse(why, FAULT_PACKAGE, "resource %s: foreignKeys refers to %s, which is no resource here",
			      resource->name, key->resource);
	for (size_t i = 0; i < key->n_columns; i++) {
		if (target->schema == NULL || schema_field(target->schema, key->reference_columns[i]) == NULL)
			return refuse(why, FAULT_PACKAGE,
				      "resource %s: foreignKeys refers to the field %s of %s, which it has not",
				      resource->name, key->reference_columns[i], target->name);
	}
	return FAULT_NONE;
}

/* A key that leads out of the package: only its form can be judged here. */
static enum fault check_foreign(const struct resource *resource, const struct table_key *key, struct refusal *why)
{
	if (!notation_is_name(key->package))
		return refuse(
			why, FAULT_FOREIGN_PACKAGE,
			"resource %s: foreignKeys refers to the package \"%.200s\"; here a package is called by its "
			"dataset's name",
			resource->name, key->package);
	if (!notation_is_name(key->table))
		return refuse(why, FAULT_FOREIGN_PACKAGE,
			      "resource %s: foreignKeys refers to \"%.100s\" of %s, which is no resource's name",
			      resource->name, key->table, key->package);
	return FAULT_NONE;
}

static enum fault check_references(struct package *package, struct refusal *why)
{
	_cleanup_free_ struct package_reference *references = NULL;
	size_t n;

	for (size_t i = 0; i < package->n_resources; i++) {
		struct schema *schema = package->resources[i].schema;

		for (size_t k = 0; schema != NULL && k < schema->n_foreign_keys; k++) {
			struct table_key *key = &schema->foreign_keys[k];
			enum fault fault;

			if (key->package != NULL && strcmp(key->package, package->name) == 0)
				schema_key_is_own(key);
			fault = key->package != NULL ? check_foreign(&package->resources[i], key, why)
						     : check_reference(package, &package->resources[i], key, why);
			if (fault != FAULT_NONE)
				return fault;
		}
	}
	package_references(package, &references, &n);
	if (n > LIMIT_REFERENCES)
		return refuse(why, FAULT_FOREIGN_PACKAGE,
			      "foreignKeys refers to %zu tables of other packages, at most %d", n, LIMIT_REFERENCES);
	return FAULT_NONE;
}

static int compare_references(const void *a, const void *b)
{
	const struct package_reference *x = a, *y = b;
	int order = strcmp(x->package, y->package);

	if (order == 0)
		order = strcmp(x->table, y->table);
	return order != 0 ? order : strcmp(x->resource, y->resource);
}

void package_references(const struct package *package, struct package_reference **ret_references, size_t *ret_n)
{
	struct package_reference *references = NULL;
	size_t n = 0, n_kept = 0;

	for (size_t i = 0; i < package->n_resources; i++) {
		const struct schema *schema = package->resources[i].schema;

		for (size_t k = 0; schema != NULL && k < schema->n_foreign_keys; k++) {
			const struct table_key *key = &schema->foreign_keys[k];

			if (key->package == NULL)
				continue;
			references = xrealloc(references, n + 1, sizeof(references[0]));
			references[n++] = (struct package_reference){package->resources[i].name, key->package,
								     key->table};
		}
	}
	if (n > 1)
		qsort(references, n, sizeof(references[0]), compare_references);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || compare_references(&references[i], &references[n_kept - 1]) != 0)
			references[n_kept++] = references[i];
	}
	*ret_references = references;
	*ret_n = n_kept;
}

enum fault package_has_key_target(const struct package *target, const char *resource, const struct table_key *key,
				  struct refusal *why)
{
	const struct resource *table = package_resource(target, key->table);

	if (table == NULL || table->schema == NULL || !table->is_table || table->opaque)
		return refuse(why, FAULT_FOREIGN_FIELD,
			      "foreignKeys of %s refers to %s, which is no table with a schema", resource,
			      key->resource);
	for (size_t i = 0; i < key->n_columns; i++) {
		if (schema_field(table->schema, key->reference_columns[i]) == NULL)
			return refuse(why, FAULT_FOREIGN_FIELD,
				      "foreignKeys of %s refers to the field %s of %s, which it has not", resource,
				      key->reference_columns[i], key->resource);
	}
	return FAULT_NONE;
}

enum fault package_keys_into(const struct package *package, const struct package *target,
			     const struct package_reference *reference, const struct table_key ***ret_keys,
			     size_t *ret_n, struct refusal *why)
{
	_cleanup_free_ const struct table_key **keys = NULL;
	size_t n = 0;

	for (size_t i = 0; i < package->n_resources; i++) {
		const struct schema *schema = package->resources[i].schema;

		for (size_t k = 0; schema != NULL && k < schema->n_foreign_keys; k++) {
			const struct table_key *key = &schema->foreign_keys[k];

			if (key->package == NULL || strcmp(key->package, reference->package) != 0 ||
			    strcmp(key->table, reference->table) != 0)
				continue;
			if (package_has_key_target(target, package->resources[i].name, key, why) != FAULT_NONE)
				return why->fault;
			keys = xrealloc(keys, n + 1, sizeof(keys[0]));
			keys[n++] = key;
		}
	}
	*ret_keys = steal_pointer(&keys);
	*ret_n = n;
	return FAULT_NONE;
}

/* `licenses`, or the `license` of the standard's first version. */
static enum fault read_licences(struct package *package, struct refusal *why)
{
	const json_t *array = json_object_get(package->json, "licenses");
	size_t i;
	json_t *item;

	if (array != NULL && !json_is_array(array))
		return refuse(why, FAULT_PACKAGE, "licenses: is no array");
	package->licences = xcalloc(json_array_size(array) + 1, sizeof(package->licences[0]));
	if (array == NULL && json_is_string(json_object_get(package->json, "license")))
		package->licences[package->n_licences++] = json_string_value(json_object_get(package->json, "license"));
	json_array_foreach(array, i, item)
	{
		const char *name = json_string_value(json_object_get(item, "name"));

		if (name == NULL)
			name = json_string_value(json_object_get(item, "path"));
		if (name == NULL)
			return refuse(why, FAULT_PACKAGE, "licenses: one has neither name nor path");
		package->licences[package->n_licences++] = name;
	}
	return FAULT_NONE;
}

enum fault package_parse(const void *data, size_t size, package_load_schema *load_schema, void *ctx,
			 struct package **ret_package, struct refusal *why)
{
	_cleanup_(package_freep) struct package *package = xcalloc(1, sizeof(*package));
	const char *name;
	enum fault fault = json_parse(data, size, LIMIT_PACKAGE_SIZE, &package->json, why);

	if (fault != FAULT_NONE)
		return fault;
	/* The package's name is the publisher's; what we call the dataset is the source's folder. */
	name = json_string_value(json_object_get(package->json, "name"));
	if (name != NULL && notation_is_name(name))
		text_copy(package->name, sizeof(package->name), name);
	package->title = json_string_value(json_object_get(package->json, "title"));
	package->created = json_string_value(json_object_get(package->json, "created"));
	fault = read_licences(package, why);
	if (fault == FAULT_NONE)
		fault = read_resources(package, load_schema, ctx, why);
	if (fault == FAULT_NONE)
		fault = check_references(package, why);
	if (fault != FAULT_NONE)
		return fault;
	*ret_package = steal_pointer(&package);
	return FAULT_NONE;
}

void package_free(struct package *package)
{
	if (package == NULL)
		return;
	for (size_t i = 0; i < package->n_resources; i++)
		schema_free(package->resources[i].schema);
	free(package->resources);
	free(package->licences);
	warnings_clear(&package->warnings);
	json_decref(package->json);
	free(package);
}

void package_freep(struct package **package)
{
	package_free(*package);
}

struct resource *package_resource(const struct package *package, const char *name)
{
	for (size_t i = 0; i < package->n_resources; i++) {
		if (strcmp(package->resources[i].name, name) == 0)
			return &package->resources[i];
	}
	return NULL;
}
