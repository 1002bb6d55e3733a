/* SPDX-License-Identifier: ISC
 *
 * textlist: whether a cell is one of some texts: missing values, words for true and false, enums. Few are compared one by one, more
 * are found by hash.
 */
#ifndef SCHEMAS_TEXTLIST_H
#define SCHEMAS_TEXTLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schemas/keyindex.h"

/* Zeroed before its first use. */
struct text_list {
	const char **items; /* the array is owned, the texts are not */
	size_t *sizes;      /* owned */
	size_t n_items, room;
	uint64_t size_bits; /* bit min(size, 63) is set where an item has that size: most cells need no comparison */
	uint32_t *slots;    /* owned; NULL: compared one by one. Numbers of items, from 1; 0: empty */
	size_t n_slots;
	uint8_t secret[KEY_SECRET_SIZE]; /* so that no schema can make its texts collide */
};

/* TEXT stays the caller's and must outlive the list. */
void text_list_add(struct text_list *list, const char *text, size_t size);
/* After the last add. */
void text_list_seal(struct text_list *list);
void text_list_clear(struct text_list *list);

bool text_list_find(const struct text_list *list, const char *text, size_t size);

static inline bool text_list_has(const struct text_list *list, const char *text, size_t size)
{
	return (list->size_bits >> (size < 63 ? size : 63) & 1) != 0 && text_list_find(list, text, size);
}

#endif
