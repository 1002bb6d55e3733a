/* SPDX-License-Identifier: ISC
 *
 * rowsplit: a row of CSV that lies whole in memory, into cells, without a copy. It reads the common rows alone and says of every
 * other that it is not for it: those go through libcsv. On what both read they agree, byte for byte (tests/fuzz/schemas_rowsplit.c).
 */
#ifndef SCHEMAS_ROWSPLIT_H
#define SCHEMAS_ROWSPLIT_H

#include <stdbool.h>
#include <stddef.h>

#include "schemas/table.h"

/* LINE is a row from its first byte, without what ends it, and not empty. Gives at most MAX_CELLS cells that point into it. False where
 * it is no row of plain cells and of quoted cells without a quote in them, or has more cells: a quote is then doubled, left open (the
 * row has more lines) or where none may be. */
bool row_split(const char *line, size_t size, char delimiter, char quote, struct cell *cells, size_t max_cells,
	       size_t *ret_n_cells);

#endif
