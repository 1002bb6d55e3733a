/* SPDX-License-Identifier: ISC
 *
 * goodrows: what is known of a patch's base as a table, out of the verdicts on the versions that are kept: every row of it was found good, by
 * which program and schema. Then inside-check need not look at rows again that are copied from it.
 */
#ifndef INSIDE_GOODROWS_H
#define INSIDE_GOODROWS_H

#include "inside/catalogue.h"
#include "inside/inside.h"
#include "inside/verdict.h"

/* Adds to VERDICT what is known of the bases of ROLE's patches: it carries that on. Nothing, where the configuration wants every row looked at
 * each time. */
void goodrows_carry(const struct inside *inside, const struct catalogue_role *role, struct verdict *verdict);

/* What VERDICT, which may be NULL, says of the plain file. */
bool goodrows_in(const struct verdict *verdict, const struct sha256 *sha256, struct record_good *ret_good);

#endif
