/* SPDX-License-Identifier: ISC
 *
 * rowsort: items of one size in the order of their bytes, whatever their number: in memory up to a bound, past it in sorted runs in a
 * spill (schemas/spill.h), which are merged as they are read.
 */
#ifndef INSIDE_ROWSORT_H
#define INSIDE_ROWSORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schemas/spill.h"

struct rowsort;

/* Items of ITEM_SIZE bytes, in the order of their first KEY_SIZE. MEMORY bytes for items, for sorting them and, later, for reading runs;
 * SPILL is borrowed, and may be another's, too. */
struct rowsort *rowsort_new(size_t item_size, size_t key_size, size_t memory, struct spill *spill);
void rowsort_free(struct rowsort *sort);
void rowsort_freep(struct rowsort **sort);

/* False: the spill failed (spill_fault), and so does all that follows. */
bool rowsort_add(struct rowsort *sort, const void *item);
/* After the last item and before the first rowsort_next. */
bool rowsort_end(struct rowsort *sort);
/* The next item, good until the next call; NULL at the end. A spill that fails is an end, too: ask spill_fault. */
const void *rowsort_next(struct rowsort *sort);

#endif
