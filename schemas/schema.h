/* SPDX-License-Identifier: ISC
 *
 * schema: Table Schema (Frictionless, v2 with v1 spellings read) as structs. Unknown properties are tolerated, as the
 * standard asks.
 */
#ifndef SCHEMAS_SCHEMA_H
#define SCHEMAS_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "schemas/warnings.h"

enum field_type {
	FIELD_ANY,
	FIELD_STRING,
	FIELD_INTEGER,
	FIELD_NUMBER,
	FIELD_BOOLEAN,
	FIELD_DATE,
	FIELD_TIME,
	FIELD_DATETIME,
	FIELD_YEAR,
	FIELD_YEARMONTH,
	FIELD_DURATION,
	FIELD_OBJECT,
	FIELD_ARRAY,
	FIELD_LIST,
	FIELD_GEOPOINT,
	FIELD_GEOJSON,
	FIELD_TYPE_N
};

/* Table Schema v2, "fieldsMatch". */
enum fields_match { FIELDS_EXACT, FIELDS_EQUAL, FIELDS_SUBSET, FIELDS_SUPERSET, FIELDS_PARTIAL };

struct field; /* schemas/field.h: the compiled form (patterns, bounds, enum) belongs to the row validator */

/* A key over columns by name. FOREIGN ones name the table that they lead to ("" or NULL: this one) and its columns. One of another
 * package has PACKAGE and TABLE, and "cog/communes" for RESOURCE: no resource of a package is called so. */
struct table_key {
	const char **columns;
	size_t n_columns;
	const char *resource;
	const char **reference_columns;
	const char *
		package; /* as written, in `reference.package` or the older `reference.datapackage`; NULL: this package */
	const char *table; /* its resource; NULL: this package */
	char *qualified;   /* owned: what RESOURCE points to; NULL: this package */
};

struct schema {
	json_t *json;             /* owned: the descriptor as read, in the standard's spelling */
	struct warnings warnings; /* what was spelt otherwise, or is not checked */
	struct field **fields;
	size_t n_fields;
	enum fields_match match;
	const char **missing_values;
	size_t n_missing_values;
	struct table_key primary_key; /* n_columns 0: none */
	struct table_key *unique_keys;
	size_t n_unique_keys;
	struct table_key *foreign_keys;
	size_t n_foreign_keys;
	struct custom_checks *checks; /* owned; schemas/custom_check.h: what it asks beyond Table Schema */
};

/* FAULT_SCHEMA with the field and the property in WHY: an unknown type, a pattern that does not compile, a bound that
 * is not of the field's type, a key over a column that is not there. Spellings of others (schemas/published.h) are read, each
 * with a line in the schema's warnings: formats of ours, which embed a schema, refuse those. The descriptor is copied. */
enum fault schema_parse(const json_t *descriptor, struct schema **ret_schema, struct refusal *why);
void schema_free(struct schema *schema);
/* Takes the foreign keys out that lead to another package. */
void schema_drop_foreign_packages(struct schema *schema);
/* A key of another package whose name turned out to be this one's: an ordinary reference from now on. */
void schema_key_is_own(struct table_key *key);
void schema_freep(struct schema **schema);

/* Takes out of a descriptor whose fields were changed the keys over columns that it no longer has: they say nothing of what is left. */
void schema_drop_keys(json_t *descriptor);

const char *field_name(const struct field *field);
enum field_type field_type(const struct field *field);
/* The field's descriptor, for comparing constraints. Borrowed. */
const json_t *field_json(const struct field *field);
const char *field_type_name(enum field_type type);
/* The field called NAME, or NULL. */
const struct field *schema_field(const struct schema *schema, const char *name);

#endif
