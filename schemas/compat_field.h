/* SPDX-License-Identifier: ISC
 *
 * compat_field: the part of compat that compares one field that a reader knows with the one that is offered: type, format,
 * missing values, constraints. Used by compat.c alone.
 */
#ifndef SCHEMAS_COMPAT_FIELD_H
#define SCHEMAS_COMPAT_FIELD_H

#include "schemas/compat.h"

/* Adds one break to RESULT and worsens its verdict. LINE is made from FORMAT; what does not print is escaped. */
void compat_add(struct compat_result *result, enum compat_verdict verdict, const char *rule, const char *field,
		const char *format, ...) __attribute__((format(printf, 5, 6)));

/* All breaks of a reader of OLD_FIELD that is given cells of NEW_FIELD. The schemas say what is missing, and NEW_SCHEMA's primary
 * key may imply what a constraint asks. */
void compat_compare_field(const struct schema *old_schema, const struct field *old_field,
			  const struct schema *new_schema, const struct field *new_field, struct compat_result *result);

#endif
