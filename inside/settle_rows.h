/* SPDX-License-Identifier: ISC
 *
 * settle_rows: the SQLite files of a settlement: of what comes in force, and of what is in force and lacks its own.
 */
#ifndef INSIDE_SETTLE_ROWS_H
#define INSIDE_SETTLE_ROWS_H

#include "inside/settle.h"

/* After what is wanted is known and before the commit: builds them into SPOOL. What fails is logged as an alarm, and not tried again for the same
 * version but by `clapet-inside rows`. */
void settle_make_rows(struct inside *inside, const struct spool *spool, struct settlement *settlement);
/* Orders them, before the sync that comes before the generation. */
void settle_put_rows(const struct settlement *settlement, struct commit *commit);
/* For status.json: "here", "failed", "absent"; NULL where the configuration wants none. New reference. */
json_t *settle_rows_state(const struct inside *inside, const struct settlement *settlement, const char *dataset);

#endif
