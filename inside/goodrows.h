/* SPDX-License-Identifier: ISC
 *
 * goodrows: what is known of a patch's base as a table, out of the verdicts on the versions that are kept: every row of it was found good, by
 * which program and schema. Then inside-check need not look at rows again that are copied from it.
 */
#ifndef INSIDE_GOODROWS_H
#define INSIDE_GOODROWS_H

#include "inside/inside.h"
#include "inside/verdict.h"

/* The newest word on the plain file SHA256 of DATASET. False: none, or a configuration that wants every row looked at each time. */
bool goodrows_find(const struct inside *inside, const char *dataset, const struct sha256 *sha256,
		   struct record_good *ret_good);

/* What VERDICT, which may be NULL, says of the plain file. */
bool goodrows_in(const struct verdict *verdict, const struct sha256 *sha256, struct record_good *ret_good);

#endif
