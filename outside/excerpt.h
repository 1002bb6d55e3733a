/* SPDX-License-Identifier: ISC
 *
 * excerpt: the rows in which a report's faults lie, read once more and put beside them (`cells`, as in Frictionless's reports), so that
 * a person sees the whole row. The validation itself keeps no rows: nobody pays for this but who has faults and asks.
 */
#ifndef OUTSIDE_EXCERPT_H
#define OUTSIDE_EXCERPT_H

#include <jansson.h>

#include "bundle/limits.h"
#include "outside/charset.h"
#include "schemas/package.h"

/* Of a row so many cells are put, each cut and made printable as a fault's own cell is; and of a table so many bytes, for the report is
 * read again under LIMIT_JSON_SIZE. */
#define EXCERPT_CELLS 256
#define EXCERPT_CELL_SHOWN 120
#define EXCERPT_SIZE (2 * MIB)

/* Reads FD from its beginning to the last row that TASK (of validation_json) has a fault in; where it cannot be read, or not so far, the
 * other faults stay as they are. ROW_SHIFT is added to a fault's row number to get the row of this file: 1 where the file has a header
 * that the numbers were counted without. */
void excerpt_put(struct charsets *charsets, const struct dialect *dialect, const char *encoding, int fd,
		 unsigned row_shift, json_t *task);

#endif
