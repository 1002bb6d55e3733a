/* SPDX-License-Identifier: ISC
 *
 * field, between its own files: field_compile.c (types, formats, missing values) and field_constraints.c.
 */
#ifndef SCHEMAS_FIELD_INTERNAL_H
#define SCHEMAS_FIELD_INTERNAL_H

#include "schemas/field.h"

/* FAULT_SCHEMA: "field NAME: PROPERTY WHAT". */
enum fault field_bad(struct refusal *why, const struct field *field, const char *property, const char *what);
/* Whether cells of TYPE are read in FORMAT ("default", "email", …); strptime patterns aside. */
bool field_has_format(enum field_type type, const char *format);
/* Reads `constraints` once the field knows how to read its cells. */
enum fault field_read_constraints(struct field *field, struct warnings *warnings, struct refusal *why);
/* Whether `example` and `examples` keep the field's own rules: if not, a warning. */
void field_check_examples(const struct field *field, struct warnings *warnings);

#endif
