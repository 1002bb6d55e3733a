/* SPDX-License-Identifier: ISC
 *
 * schemas_told: all that a reader of rows said, one after the other, so that two readers can be held against each other.
 */
#ifndef TESTS_FUZZ_SCHEMAS_TOLD_H
#define TESTS_FUZZ_SCHEMAS_TOLD_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "schemas/table.h"

/* To be freed: BYTES. */
struct told {
	uint8_t *bytes;
	size_t size, room;
};

static inline void tell(struct told *told, const void *data, size_t size)
{
	if (told->size + size > told->room) {
		told->room = (told->size + size) * 2;
		told->bytes = xrealloc(told->bytes, told->room, 1);
	}
	if (size > 0)
		memcpy(told->bytes + told->size, data, size);
	told->size += size;
}

static inline enum fault tell_row(void *ctx, const struct cell *cells, size_t n_cells,
				  const struct row_position *position, struct refusal *why)
{
	(void)why;
	tell(ctx, position, sizeof(*position));
	tell(ctx, &n_cells, sizeof(n_cells));
	for (size_t i = 0; i < n_cells; i++) {
		tell(ctx, &cells[i].size, sizeof(cells[i].size));
		tell(ctx, cells[i].text, cells[i].size);
	}
	return FAULT_NONE;
}

/* Ends the program where they differ. */
static inline void insist_same(const struct told *a, const struct told *b)
{
	if (a->size != b->size || (a->size > 0 && memcmp(a->bytes, b->bytes, a->size) != 0))
		abort();
}

#endif
