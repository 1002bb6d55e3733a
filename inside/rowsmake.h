/* SPDX-License-Identifier: ISC
 *
 * rowsmake: the supervisor's part of an SQLite file: what inside-rows gets, and what becomes of what it left. The version is in force with or
 * without it.
 */
#ifndef INSIDE_ROWSMAKE_H
#define INSIDE_ROWSMAKE_H

#include "inside/crew.h"
#include "inside/verdict.h"

/* Runs inside-rows over VERDICT's version, whose plain files are objects of the store or in SPOOL. The file is then in SPOOL under its hash, and
 * *RET_RECORD is the order that puts it (RECORD_PUT_ROWS). FAULT_ROWS_BUILD, FAULT_QUOTA, FAULT_WORKER, FAULT_STORAGE. */
enum fault rowsmake_run(const struct inside *inside, const struct spool *spool, const struct verdict *verdict,
			struct record *ret_record, struct refusal *why);

#endif
