/* SPDX-License-Identifier: ISC
 *
 * published: table schemas as administrations publish them, brought to the standard's spelling: constraints beside
 * `constraints`, truth in quotes, misspelt and miscased names, patterns of another dialect. Whatever is read otherwise
 * than it is written is told; whatever has no plain reading is left as it is, for the schema's parser to refuse.
 */
#ifndef SCHEMAS_PUBLISHED_H
#define SCHEMAS_PUBLISHED_H

#include <jansson.h>
#include <stdbool.h>

#include "schemas/warnings.h"

/* DESCRIPTOR (an object) as Table Schema v2 spells it: a new reference, with the lines in WARNINGS. A descriptor that is
 * the standard's comes back equal, without a line. */
json_t *published_schema(const json_t *descriptor, struct warnings *warnings);

/* --- between its own files --- */

/* One field, in place. */
void published_field(json_t *field, struct warnings *warnings);
/* A regular expression in PCRE2's dialect: what XML Schema (class subtraction) or Python ("{,5}") write otherwise. NULL: nothing
 * is to be changed; else the caller frees it, and *RET_WHAT says what was changed. */
char *published_pattern(const char *pattern, const char **ret_what);

/* Where a line is about: "" or "field NAME: ". */
struct published_place {
	struct warnings *warnings;
	char where[96];
};

/* Renames the members of OBJECT that are one of the NULL-terminated KNOWN but for the case of their letters, underscores or hyphens. */
void published_rename(json_t *object, const char *const *known, const struct published_place *place);
/* OBJECT's FROM becomes TO, unless it has one already; false: there is no FROM. */
bool published_move(json_t *object, const char *from, const char *to, const struct published_place *place);
/* A flag written as text or number becomes one. */
void published_flag(json_t *object, const char *property, const struct published_place *place);
/* A list of texts: one text alone, numbers and truth become texts. */
void published_texts(json_t *object, const char *property, const struct published_place *place);
/* Leaves PROPERTY out; the line says WHY ("is not for the type date"). */
void published_drop(json_t *object, const char *property, const char *why, const struct published_place *place);

#endif
