/* SPDX-License-Identifier: ISC
 *
 * validation_part: rows of a table judged apart from it, in any order and on any thread, and put into it in their order afterwards, so
 * that nobody can tell. A part has copies of all that a row changes; keys it only hashes: whether one was seen before is for the whole
 * table to say.
 */
#ifndef SCHEMAS_VALIDATION_PART_H
#define SCHEMAS_VALIDATION_PART_H

#include "schemas/copiedrows.h"
#include "schemas/validation.h"

struct validation_part;

/* What parts do beside judging. */
struct part_duties {
	bool writes_plain; /* keep their rows in the plain form */
	bool trusts_utf8;  /* the bytes are known to be UTF-8 */
};

/* For rows of TABLE, whose header is known, in a DIALECT (copied). To be made, merged and freed on the thread that has the table. */
struct validation_part *validation_part_new(const struct validation_table *table, const struct dialect *dialect,
					    const struct part_duties *duties);
void validation_part_free(struct validation_part *part);
void validation_part_freep(struct validation_part **part);

/* Reads what should be whole rows, each with its end; what the part held before is dropped. BYTES have CELL_SLACK more behind them, and must stay as
 * they are until the merge. Touches nothing but the part and what is constant in the table. */
void validation_part_read(struct validation_part *part, const char *bytes, size_t size);

/* Before the read: BYTES will be those from OFFSET on of the file that STRETCHES (copied, in order) are of, and every row within one is
 * known to have good cells: they are not looked at again, but for keys and custom checks. Holds until it is called again. */
void validation_part_spare(struct validation_part *part, uint64_t offset, const struct copied_stretch *stretches,
			   size_t n_stretches);

/* Gives the table what was read, as the rows that begin at POSITION, which moves past them. False, with table and POSITION
 * untouched: what the rows give depends on those before in a way that parts do not know (bytes that are no CSV or no whole rows, patterns past their
 * bounds, too many rows); read them through a reader of the table's own. */
bool validation_part_merge(struct validation_part *part, struct validation_table *table, struct row_position *position);

/* The rows that were read, in the plain form, if that was asked for: the bytes themselves where they are in it. Until the next read. */
const char *validation_part_plain(const struct validation_part *part, size_t *ret_size);

#endif
