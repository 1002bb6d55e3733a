/* SPDX-License-Identifier: ISC
 *
 * columnmap, between its own files: columnmap.c (lines), columnmap_bind.c (a header), columnmap_propose.c (lines for it),
 * columnmap_row.c (rows).
 */
#ifndef SCHEMAS_COLUMNMAP_INTERNAL_H
#define SCHEMAS_COLUMNMAP_INTERNAL_H

#include "schemas/columnmap.h"

/* "values": a cell that is exactly FROM becomes TO. Both are borrowed from the descriptor. */
struct columnmap_value {
	struct cell from, to;
};

/* One field of the schema: its line, or what holds without one. Texts are borrowed from the descriptor. */
struct columnmap_field {
	const char *name;
	const char **names; /* owned: of columns, the preferred first */
	size_t n_names;
	bool has_own;     /* the last of them is the field's own name, which no line says */
	size_t position;  /* from 1; 0: by name */
	struct cell text; /* the default */
	bool has_default;
	struct cell split, join;        /* text NULL: none */
	size_t item;                    /* from 1; 0: the whole list, joined */
	struct columnmap_value *values; /* owned, sorted */
	size_t n_values;
	bool has_line;
};

struct columnmap {
	json_t *json; /* owned */
	struct columnmap_field *fields;
	size_t n_fields;
	const char **drops; /* owned, sorted */
	size_t n_drops;
	bool drops_all; /* what nothing takes */
};

int columnmap_compare_cells(const struct cell *a, const struct cell *b);
bool columnmap_drops(const struct columnmap *map, const char *label);

#endif
