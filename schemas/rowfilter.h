/* SPDX-License-Identifier: ISC
 *
 * rowfilter: what a dialect says of whole rows, between the row reader (table.h) and who gets the rows: comments are dropped, several
 * header rows become one, a null sequence becomes an empty cell (FORMAT.md 25.9).
 */
#ifndef SCHEMAS_ROWFILTER_H
#define SCHEMAS_ROWFILTER_H

#include "schemas/table.h"

/* The DIALECT is copied; ROW gets the rows that stay, with the numbers and offsets that they were published with. */
struct row_filter;
struct row_filter *row_filter_new(const struct dialect *dialect, table_row *row, void *ctx);
void row_filter_free(struct row_filter *filter);
/* The rows that follow stand behind the header. */
void row_filter_resume(struct row_filter *filter);
/* Takes the next row; its cells may be changed. FAULT_TABLE_CELL_SIZE: a joined header past every bound; or what ROW returned. */
enum fault row_filter_take(struct row_filter *filter, struct cell *cells, size_t n_cells,
			   const struct row_position *position, struct refusal *why);
/* There is no other row: hands on a header whose last rows are not there. */
enum fault row_filter_finish(struct row_filter *filter, struct refusal *why);

#endif
