/* SPDX-License-Identifier: ISC
 *
 * textlist: see textlist.h.
 */
#include "schemas/textlist.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"

/* Up to so many a comparison each is faster than a hash. */
#define FEW 16

void text_list_add(struct text_list *list, const char *text, size_t size)
{
	if (list->n_items == list->room) {
		list->room = list->room * 2 + 4;
		list->items = xrealloc(list->items, list->room, sizeof(list->items[0]));
		list->sizes = xrealloc(list->sizes, list->room, sizeof(list->sizes[0]));
	}
	list->items[list->n_items] = text;
	list->sizes[list->n_items++] = size;
	list->size_bits |= 1ULL << (size < 63 ? size : 63);
}

static bool is_item(const struct text_list *list, size_t i, const char *text, size_t size)
{
	return list->sizes[i] == size &&
	       (size == 0 ||
		(list->items[i][0] == text[0] && (size == 1 || memcmp(list->items[i] + 1, text + 1, size - 1) == 0)));
}

/* The slot of the text, or the empty one where it belongs. */
static uint32_t *find_slot(const struct text_list *list, const char *text, size_t size)
{
	struct key_hash hash;
	size_t i;

	key_hash_bytes(list->secret, text, size, &hash);
	i = hash.words[0] & (list->n_slots - 1);
	while (list->slots[i] != 0 && !is_item(list, list->slots[i] - 1, text, size))
		i = (i + 1) & (list->n_slots - 1);
	return &list->slots[i];
}

void text_list_seal(struct text_list *list)
{
	if (list->n_items <= FEW)
		return;
	if (getrandom(list->secret, sizeof(list->secret), 0) != (ssize_t)sizeof(list->secret))
		die_errno("getrandom");
	/* At most half full. */
	for (list->n_slots = FEW; list->n_slots < 2 * list->n_items;)
		list->n_slots *= 2;
	list->slots = xcalloc(list->n_slots, sizeof(list->slots[0]));
	for (size_t i = 0; i < list->n_items; i++)
		*find_slot(list, list->items[i], list->sizes[i]) = (uint32_t)i + 1;
}

void text_list_clear(struct text_list *list)
{
	free(list->items);
	free(list->sizes);
	free(list->slots);
}

bool text_list_find(const struct text_list *list, const char *text, size_t size)
{
	if (list->slots != NULL)
		return *find_slot(list, text, size) != 0;
	for (size_t i = 0; i < list->n_items; i++) {
		if (is_item(list, i, text, size))
			return true;
	}
	return false;
}
