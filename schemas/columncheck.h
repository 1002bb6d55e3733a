/* SPDX-License-Identifier: ISC
 *
 * columncheck: the cells of one column, many rows at once. It says which are good for certain, in a few instructions a cell; of every
 * other field_check decides. So it can be slow to believe, but never wrong (tests/fuzz/schemas_columncheck.c).
 */
#ifndef SCHEMAS_COLUMNCHECK_H
#define SCHEMAS_COLUMNCHECK_H

#include <stddef.h>
#include <stdint.h>

#include "schemas/field.h"
#include "schemas/rowscan.h"

struct column_check;
/* FIELD must outlive it; NULL: any text, of which an empty one is missing. */
struct column_check *column_check_new(const struct field *field);
void column_check_free(struct column_check *check);
void column_check_freep(struct column_check **check);

/* N_CELLS (at most ROW_BATCH) cells, each STRIDE behind the last, with CELL_SLACK behind their texts. Returns a bit for each that is not
 * missing and not known to be good; those that are missing have a bit in *RET_MISSING. */
uint64_t column_check_cells(const struct column_check *check, const struct cell *cells, size_t stride, size_t n_cells,
			    uint64_t *ret_missing);

#endif
