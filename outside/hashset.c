/* SPDX-License-Identifier: ISC
 *
 * hashset: an array, sorted when it is first asked.
 */
#include "outside/hashset.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"

#define N_DIGITS (SHA256_HEX_SIZE - 1)

void hashset_clear(struct hashset *set)
{
	free(set->items);
	memset(set, 0, sizeof *set);
}

void hashset_add(struct hashset *set, const struct sha256 *sha256)
{
	if (set->n_items == set->room) {
		set->room = set->room * 2 + 64;
		set->items = xrealloc(set->items, set->room, sizeof *set->items);
	}
	set->items[set->n_items++] = *sha256;
	set->is_sorted = false;
}

static bool is_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static void add_digits(struct hashset *set, const char *digits)
{
	char hex[SHA256_HEX_SIZE];
	struct sha256 sha256;

	memcpy(hex, digits, N_DIGITS);
	hex[N_DIGITS] = '\0';
	if (sha256_from_hex(hex, &sha256))
		hashset_add(set, &sha256);
}

void hashset_add_text(struct hashset *set, const void *data, size_t size)
{
	const char *text = data;
	size_t n_digits = 0;

	for (size_t i = 0; i <= size; i++) {
		if (i < size && is_digit(text[i])) {
			n_digits++;
			continue;
		}
		if (n_digits == N_DIGITS)
			add_digits(set, text + i - N_DIGITS);
		n_digits = 0;
	}
}

bool hashset_has(struct hashset *set, const struct sha256 *sha256)
{
	if (!set->is_sorted && set->n_items > 1)
		qsort(set->items, set->n_items, sizeof *set->items, sha256_compare);
	set->is_sorted = true;
	return set->n_items > 0 &&
	       bsearch(sha256, set->items, set->n_items, sizeof *set->items, sha256_compare) != NULL;
}
