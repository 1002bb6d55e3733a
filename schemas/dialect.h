/* SPDX-License-Identifier: ISC
 *
 * dialect: how a CSV is written (Table Dialect v2, with CSV Dialect v1 read): what of it is heeded, and a refusal for
 * whatever would give other cells than its publisher meant.
 */
#ifndef SCHEMAS_DIALECT_H
#define SCHEMAS_DIALECT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/fault.h"
#include "schemas/warnings.h"

/* The default is the plain form. */
struct dialect {
	char delimiter;
	char quote;
	bool header;
	bool double_quote;
	bool skip_initial_space;
};
extern const struct dialect dialect_plain;

/* Reads DESCRIPTOR (NULL and null: none) for a resource of FORMAT (may be NULL; "tsv" changes the default). FAULT_PACKAGE with the
 * property in WHY; what is read otherwise than it is written, or has no effect, is told in WARNINGS. */
enum fault dialect_parse(const json_t *descriptor, const char *format, struct dialect *ret_dialect,
			 struct warnings *warnings, struct refusal *why);

#endif
