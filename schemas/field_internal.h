/* SPDX-License-Identifier: ISC
 *
 * field, between its own files: field_compile.c (types, formats, missing values) and field_constraints.c.
 */
#ifndef SCHEMAS_FIELD_INTERNAL_H
#define SCHEMAS_FIELD_INTERNAL_H

#include "schemas/field.h"

/* FAULT_SCHEMA: "field NAME: PROPERTY WHAT". */
enum fault field_bad(struct refusal *why, const struct field *field, const char *property, const char *what);
/* Reads `constraints` once the field knows how to read its cells. */
enum fault field_read_constraints(struct field *field, struct refusal *why);

#endif
