/* SPDX-License-Identifier: ISC
 *
 * rollback_references: what a rollback leaves without rows. It is an emergency's tool and is done whatever refers to what it takes
 * away; but whose keys lead nowhere then is said, by name.
 */
#ifndef INSIDE_ROLLBACK_REFERENCES_H
#define INSIDE_ROLLBACK_REFERENCES_H

#include "inside/generation.h"
#include "inside/inside.h"

/* Warns, in a line and an event for each, of datasets of NEXT whose keys do not fit another dataset of NEXT, where one of the two is
 * not the version that BEFORE shows. */
void rollback_references_warn(struct inside *inside, const struct generation *before, const struct generation *next);

#endif
