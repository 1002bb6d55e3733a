/* SPDX-License-Identifier: ISC
 *
 * columnmap: the promised schema. A source says, in short lines, which of the portal's columns gives each field that applications
 * were promised (bundle/FORMAT.md 23); with it a published header is bound to the schema, and published rows become promised ones
 * without copying their cells.
 *
 *     {"field": "code", "from": ["CODE", "code_insee"]}             renamed, the first name that is there
 *     {"field": "code", "position": 3}                              by its place, from 1
 *     {"field": "zone", "default": ""}                              where no column gives it
 *     {"field": "code_postal", "from": "codesPostaux", "split": "|", "item": 1}
 *     {"field": "codesPostaux", "split": "|", "join": ","}          a list with another delimiter
 *     {"field": "type", "values": {"C": "commune"}}                 a cell that is exactly this becomes that
 *     {"drop": "siren"}   {"drop": ["a", "b"]}   {"drop": "*"}      columns that nobody was promised, where they are there
 *
 * A field without a line is given by the column of its name. Its fields' order is the schema's.
 */
#ifndef SCHEMAS_COLUMNMAP_H
#define SCHEMAS_COLUMNMAP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"
#include "schemas/package.h"
#include "schemas/schema.h"
#include "schemas/table.h"

struct columnmap;

/* FAULT_SOURCE_MAP with the line and the rule: an unknown key, a field that the schema has not or that has two lines, a line that says
 * nothing, a name that is taken and dropped, a default that the schema refuses. JSON is referenced; NULL: a map without a
 * line. SCHEMA must outlive the map. */
enum fault columnmap_parse(json_t *json, const struct schema *schema, struct columnmap **ret_map, struct refusal *why);
void columnmap_free(struct columnmap *map);
void columnmap_freep(struct columnmap **map);
/* That of a source's resource, its `clapet.map`; NULL: it has none. FAULT_SOURCE_MAP also where the resource is no table, has no
 * schema, or is kept verbatim. */
enum fault columnmap_load(const struct resource *resource, struct columnmap **ret_map, struct refusal *why);
/* As it was written. */
const json_t *columnmap_json(const struct columnmap *map);

/* What becomes of a published column. */
enum columnmap_use {
	COLUMNMAP_LEFT,    /* the map neither takes nor drops it */
	COLUMNMAP_TAKEN,   /* gives a field, or several */
	COLUMNMAP_SPARE,   /* a line names it, and took an earlier of its names */
	COLUMNMAP_DROPPED, /* by a line */
	COLUMNMAP_REPEATED /* a line names it, and an earlier column has the same label */
};

/* In place of a column's number. */
#define COLUMNMAP_DEFAULT ((size_t)-1) /* the line's default */
#define COLUMNMAP_MISSING ((size_t)-2) /* nothing gives the field */

/* A header bound to a map. It fits where all three counts are 0. */
struct columnmap_binding {
	char **labels; /* owned, as published; "" where the table has no header */
	enum columnmap_use *uses;
	size_t n_labels;
	size_t *columns; /* of each field of the schema: the column that gives it, from 0 */
	size_t n_missing, n_left, n_repeated;
};

/* LABELS NULL: the table has no header, and N_LABELS columns. */
struct columnmap_binding *columnmap_bind(const struct columnmap *map, const struct cell *labels, size_t n_labels);
void columnmap_binding_free(struct columnmap_binding *binding);
void columnmap_binding_freep(struct columnmap_binding **binding);
bool columnmap_fits(const struct columnmap_binding *binding);
/* FAULT_COLUMNS with all fields that nothing gives, and all columns that nobody asked for, as long as a line is; or FAULT_NONE. */
enum fault columnmap_judge(const struct columnmap *map, const struct columnmap_binding *binding, struct refusal *why);
/* The names under which the field at INDEX of the schema was looked for: "\"CODE\", \"code_insee\"". Returns TEXT. */
char *columnmap_names(const struct columnmap *map, size_t index, char *text, size_t size);

/* The lines of the map (it may have none) with those that make it fit the header, as far as names tell: a missing field gets the one column left whose
 * name is the same but for case, accents and punctuation, or contains the other, else the default "" where SCHEMA, the map's, allows it; what is left then is
 * dropped. New reference; bind it to see what it does. */
json_t *columnmap_propose(const struct columnmap *map, const struct schema *schema,
			  const struct columnmap_binding *binding);

/* Where cells are rewritten: one for each that reads rows. Zeroed before its first use. */
struct columnmap_scratch {
	char *text;
	size_t size, room;
};
void columnmap_scratch_clear(struct columnmap_scratch *scratch);

/* A published row as the promised one: CELLS may be fewer or more than the header has, a cell that is not there is empty. RET_CELLS has
 * room for the schema's fields; they borrow from CELLS, MAP and SCRATCH. *RET_BAD is the field whose list cannot be written with
 * its new delimiter, which an item of it contains (the cell stays as published), or the number of fields. FAULT_TABLE_CELL_SIZE: what columns
 * give to several fields is past the bound of a row, or of a cell. */
enum fault columnmap_row(const struct columnmap *map, const struct columnmap_binding *binding, const struct cell *cells,
			 size_t n_cells, struct columnmap_scratch *scratch, struct cell *ret_cells, size_t *ret_bad,
			 struct refusal *why);

#endif
