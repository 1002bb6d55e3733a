/* SPDX-License-Identifier: ISC
 *
 * package: Data Package (Frictionless, v2 with v1 spellings read) as structs: what a source folder holds, and what
 * crosses as <dataset>/datapackage.json.
 */
#ifndef SCHEMAS_PACKAGE_H
#define SCHEMAS_PACKAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/notation.h"
#include "schemas/dialect.h"
#include "schemas/schema.h"

struct resource {
	char name[NOTATION_NAME_SIZE];
	const char *path;     /* a URL in a source, a file's name in a published package */
	const char *format;   /* "csv", "json", or NULL */
	const char *encoding; /* "utf-8" if the descriptor names none */
	struct dialect dialect;
	struct schema *schema; /* NULL: none */
	bool opaque;           /* clapet.opaque: neither table nor JSON */
	bool verbatim;         /* clapet.transform "verbatim": bytes kept */
	bool is_table;         /* a schema, or format/mediatype/extension CSV */
	int64_t bytes;         /* -1: not stated */
	const char *hash;      /* as written (bundle/checksum.h), of the file at PATH; or NULL */
	bool is_compressed;    /* `compression` says so */
	json_t *json;          /* borrowed from the package: its descriptor */
};

struct package {
	json_t *json; /* owned */
	char name[NOTATION_NAME_SIZE];
	const char *title;
	const char *created;   /* as written, or NULL */
	const char **licences; /* names (or paths where unnamed), in order */
	size_t n_licences;
	struct resource *resources;
	size_t n_resources;
	struct warnings warnings; /* of all schemas, each line with its resource */
};

/* FAULT_PACKAGE with the resource and the property in WHY. Resource names must pass notation_is_name and be distinct. An
 * inline schema is parsed; a schema by path is looked up by LOAD_SCHEMA (may be NULL: then such a schema is refused), which may add
 * to WARNINGS what it read otherwise than it is written. A foreign key into another package names it as a dataset is named
 * (FAULT_FOREIGN_PACKAGE); one into the package's own name is an ordinary one. */
typedef enum fault package_load_schema(void *ctx, const char *path, json_t **ret_schema, struct warnings *warnings,
				       struct refusal *why);
/* A package_load_schema's parser: JSON as published (bundle/json.h), its oddities in WARNINGS. */
enum fault package_parse_schema(const void *data, size_t size, json_t **ret_schema, struct warnings *warnings,
				struct refusal *why);
enum fault package_parse(const void *data, size_t size, package_load_schema *load_schema, void *ctx,
			 struct package **ret_package, struct refusal *why);
void package_free(struct package *package);
void package_freep(struct package **package);
struct resource *package_resource(const struct package *package, const char *name);

/* A foreign key of RESOURCE that leads into another package: what of it has to be at hand. */
struct package_reference {
	const char *resource; /* this package's */
	const char *package;  /* a dataset's name */
	const char *table;    /* that package's resource */
};
/* Each once, sorted by package, table, resource; at most LIMIT_REFERENCES. A new array; its texts are the package's. */
void package_references(const struct package *package, struct package_reference **ret_references, size_t *ret_n);
/* Every key of PACKAGE that leads to REFERENCE's table, whichever resource has it, in a new array; each must find its fields in TARGET, which
 * is that package (FAULT_FOREIGN_FIELD). */
enum fault package_keys_into(const struct package *package, const struct package *target,
			     const struct package_reference *reference, const struct table_key ***ret_keys,
			     size_t *ret_n, struct refusal *why);
/* Whether TARGET has what KEY of RESOURCE leads to: the table, with a schema and those fields. FAULT_FOREIGN_FIELD. */
enum fault package_has_key_target(const struct package *target, const char *resource, const struct table_key *key,
				  struct refusal *why);

#endif
