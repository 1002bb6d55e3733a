/* SPDX-License-Identifier: ISC
 *
 * dialect: how a CSV is written (Table Dialect v2, with CSV Dialect v1 read): what of it is heeded, and a refusal for
 * whatever would give other cells than its publisher meant.
 */
#ifndef SCHEMAS_DIALECT_H
#define SCHEMAS_DIALECT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/limits.h"
#include "schemas/warnings.h"

/* The default is the plain form. */
struct dialect {
	char delimiter;
	char quote;
	bool header;
	bool double_quote;
	bool skip_initial_space;

	/* What makes it unusual: what is said of whole rows, for rowfilter.h. */
	char comment;           /* NUL: none */
	uint8_t n_comment_rows; /* rows from 1, as published, ascending */
	uint8_t n_header_rows;  /* 0: the header, if any, is the first row that is no comment */
	uint32_t comment_rows[LIMIT_COMMENT_ROWS];
	uint32_t header_rows[LIMIT_HEADER_ROWS];
	char header_join[LIMIT_DIALECT_TEXT + 1];
	char null_sequence[LIMIT_DIALECT_TEXT + 1]; /* "": none */
};
extern const struct dialect dialect_plain;

/* Reads DESCRIPTOR (NULL and null: none) for a resource of FORMAT (may be NULL; "tsv" changes the default). FAULT_PACKAGE with the
 * property in WHY; what is read otherwise than it is written, or has no effect, is told in WARNINGS. */
enum fault dialect_parse(const json_t *descriptor, const char *format, struct dialect *ret_dialect,
			 struct warnings *warnings, struct refusal *why);

/* Every row is handed on as it stands, the first being the header if there is one: text can be read from any row's border on. */
bool dialect_is_usual(const struct dialect *dialect);
/* Adds to OBJECT, in the standard's spelling, what makes the dialect unusual. */
void dialect_put_unusual(const struct dialect *dialect, json_t *object);

#endif
