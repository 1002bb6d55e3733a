/* SPDX-License-Identifier: ISC
 *
 * hashset: a set of digests: collected in any order, sorted once, asked often.
 */
#ifndef OUTSIDE_HASHSET_H
#define OUTSIDE_HASHSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/hash.h"

struct hashset {
	struct sha256 *items; /* owned */
	size_t n_items, room;
	bool is_sorted;
};
void hashset_clear(struct hashset *set);

void hashset_add(struct hashset *set, const struct sha256 *sha256);
/* Each run of exactly 64 lower-case hex digits in SIZE bytes of DATA. */
void hashset_add_text(struct hashset *set, const void *data, size_t size);
bool hashset_has(struct hashset *set, const struct sha256 *sha256);

#endif
