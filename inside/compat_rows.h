/* SPDX-License-Identifier: ISC
 *
 * compat_rows: the new rows behind `clapet-inside compat --data`: their header, which says what a schema leaves open, and the rows through
 * the same runs as in inside-check.
 */
#ifndef INSIDE_COMPAT_ROWS_H
#define INSIDE_COMPAT_ROWS_H

#include "inside/check.h"

struct compat_rows {
	const char *path;
	int fd;
	const struct dialect *dialect;
};

/* The new schema as these data have it: its fields in the order of their header, by name. A column that it does not name is `any`; a
 * field that they lack is gone. Where the dialect has no header, SCHEMA itself. New reference. */
enum fault compat_rows_schema(const struct compat_rows *rows, const struct schema *schema, struct schema **ret_schema,
			      struct refusal *why);
/* All rows through the runs of RESOURCE, whose tables end. SCHEMA names the columns where the dialect has no header. */
enum fault compat_rows_run(const struct compat_rows *rows, const char *resource, const struct schema *schema,
			   struct check_contracts *contracts, struct refusal *why);

#endif
