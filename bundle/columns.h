/* SPDX-License-Identifier: ISC
 *
 * columns: a table for people, as every `status` and `list` prints one.
 */
#ifndef BUNDLE_COLUMNS_H
#define BUNDLE_COLUMNS_H

#include <stddef.h>
#include <stdio.h>

/* Columns for people: cells are padded to the widest of their column. Cells are copied. */
struct columns;
struct columns *columns_new(size_t n_columns, const char *const *headings);
void columns_row(struct columns *table, const char *const *cells);
void columns_print(struct columns *table, FILE *file);
void columns_free(struct columns *table);

#endif
