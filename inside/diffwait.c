/* SPDX-License-Identifier: ISC
 *
 * diffwait: see diffwait.h. A table of chains; what is free is a chain, too.
 */
#include "inside/diffwait.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define NOWHERE UINT32_MAX
#define ROWS_LEAST 64

struct slot {
	struct diff_row row;
	uint32_t next;
};

struct diffwait {
	struct slot *slots;
	uint32_t *heads; /* as many as slots are allocated, a power of two */
	uint32_t n_allocated, n_most, n_used, n_waiting, free;
};

struct diffwait *diffwait_new(size_t memory)
{
	struct diffwait *wait = xcalloc(1, sizeof(*wait));
	size_t most = memory / (sizeof(struct slot) + sizeof(uint32_t));

	wait->n_most = ROWS_LEAST;
	while (wait->n_most < (1U << 30) && 2 * (size_t)wait->n_most <= most)
		wait->n_most *= 2;
	wait->free = NOWHERE;
	return wait;
}

void diffwait_free(struct diffwait *wait)
{
	if (wait == NULL)
		return;
	free(wait->slots);
	free(wait->heads);
	free(wait);
}

void diffwait_freep(struct diffwait **wait)
{
	diffwait_free(*wait);
}

/* The hash is keyed with a secret: its bytes are as good as any. */
static uint32_t *head_of(const struct diffwait *wait, const struct diff_row *row)
{
	uint32_t bits;

	memcpy(&bits, row->cells, sizeof(bits));
	return &wait->heads[bits & (wait->n_allocated - 1)];
}

bool diffwait_take(struct diffwait *wait, const struct diff_row *row)
{
	uint32_t *at;

	if (wait->n_waiting == 0)
		return false;
	for (at = head_of(wait, row); *at != NOWHERE; at = &wait->slots[*at].next) {
		struct slot *slot = &wait->slots[*at];
		uint32_t taken = *at;

		if (memcmp(slot->row.cells, row->cells, DIFF_HASH_SIZE) != 0)
			continue;
		/* Then no row of the other side has them: it would have been taken. */
		if (slot->row.side == row->side)
			return false;
		*at = slot->next;
		slot->next = wait->free;
		wait->free = taken;
		wait->n_waiting--;
		return true;
	}
	return false;
}

bool diffwait_is_full(const struct diffwait *wait)
{
	return wait->n_waiting == wait->n_most;
}

static void put_in_chain(struct diffwait *wait, uint32_t index)
{
	uint32_t *head = head_of(wait, &wait->slots[index].row);

	wait->slots[index].next = *head;
	*head = index;
}

/* All slots are used and all of them wait. */
static void grow(struct diffwait *wait)
{
	wait->n_allocated = wait->n_allocated == 0 ? ROWS_LEAST : 2 * wait->n_allocated;
	wait->slots = xrealloc(wait->slots, wait->n_allocated, sizeof(*wait->slots));
	wait->heads = xrealloc(wait->heads, wait->n_allocated, sizeof(*wait->heads));
	memset(wait->heads, 0xff, wait->n_allocated * sizeof(*wait->heads));
	for (uint32_t i = 0; i < wait->n_used; i++)
		put_in_chain(wait, i);
}

void diffwait_add(struct diffwait *wait, const struct diff_row *row)
{
	uint32_t index = wait->free;

	if (index != NOWHERE) {
		wait->free = wait->slots[index].next;
	} else {
		if (wait->n_used == wait->n_allocated)
			grow(wait);
		index = wait->n_used++;
	}
	wait->slots[index].row = *row;
	put_in_chain(wait, index);
	wait->n_waiting++;
}

bool diffwait_empty(struct diffwait *wait, bool (*each)(void *ctx, const struct diff_row *row), void *ctx)
{
	bool goes_on = true;

	for (uint32_t i = 0; i < wait->n_allocated && goes_on; i++) {
		for (uint32_t at = wait->heads[i]; at != NOWHERE && goes_on; at = wait->slots[at].next)
			goes_on = each(ctx, &wait->slots[at].row);
	}
	if (wait->n_allocated > 0)
		memset(wait->heads, 0xff, wait->n_allocated * sizeof(*wait->heads));
	wait->n_used = wait->n_waiting = 0;
	wait->free = NOWHERE;
	return goes_on;
}
