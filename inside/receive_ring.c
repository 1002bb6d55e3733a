/* SPDX-License-Identifier: ISC
 *
 * receive_ring: two counters under a lock; whoever waits is woken only where somebody waits.
 */
#include "inside/receive_ring.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"
#include "bundle/deadline.h"
#include "bundle/limits.h"
#include "bundle/link_memory.h"

struct receive_ring {
	pthread_mutex_t lock;
	pthread_cond_t filled, freed;
	uint8_t *memory;
	struct receive_cell *cells;
	size_t n_cells;
	size_t n_pushed, n_popped; /* since it was empty; the difference is what is filled */
	bool taker_waits, putter_waits, is_closed;
};

static void shape(struct receive_ring *ring, uint32_t cell_size)
{
	ring->n_cells = LIMIT_RECEIVE_RING / cell_size;
	for (size_t i = 0; i < ring->n_cells; i++)
		ring->cells[i] = (struct receive_cell){.data = ring->memory + i * cell_size, .room = cell_size};
	ring->n_pushed = ring->n_popped = 0;
}

struct receive_ring *receive_ring_new(void)
{
	struct receive_ring *ring = xcalloc(1, sizeof(*ring));

	pthread_mutex_init(&ring->lock, NULL);
	deadline_cond_init(&ring->filled);
	deadline_cond_init(&ring->freed);
	ring->memory = link_memory_new(LIMIT_RECEIVE_RING);
	ring->cells = xcalloc(LIMIT_RECEIVE_RING / RECEIVE_CELL_SMALL, sizeof(*ring->cells));
	shape(ring, RECEIVE_CELL_LARGE);
	return ring;
}

void receive_ring_free(struct receive_ring *ring)
{
	if (ring == NULL)
		return;
	free(ring->memory);
	pthread_mutex_destroy(&ring->lock);
	pthread_cond_destroy(&ring->filled);
	pthread_cond_destroy(&ring->freed);
	free(ring->cells);
	free(ring);
}

void receive_ring_freep(struct receive_ring **ring)
{
	receive_ring_free(*ring);
}

/* How many cells from FIRST on lie side by side, of N. */
static size_t side_by_side(const struct receive_ring *ring, size_t first, size_t n)
{
	size_t to_end = ring->n_cells - first % ring->n_cells;

	return n < to_end ? n : to_end;
}

size_t receive_ring_room(struct receive_ring *ring, size_t max, int milliseconds, struct receive_cell **ret_cells)
{
	size_t n;

	pthread_mutex_lock(&ring->lock);
	/* From its beginning, whose cells are still in the processor's caches. */
	if (ring->n_pushed == ring->n_popped)
		ring->n_pushed = ring->n_popped = 0;
	if (ring->n_pushed - ring->n_popped == ring->n_cells) {
		struct timespec until = deadline_in(milliseconds);

		ring->putter_waits = true;
		while (ring->n_pushed - ring->n_popped == ring->n_cells &&
		       pthread_cond_timedwait(&ring->freed, &ring->lock, &until) != ETIMEDOUT)
			;
		ring->putter_waits = false;
	}
	n = ring->n_cells - (ring->n_pushed - ring->n_popped);
	n = side_by_side(ring, ring->n_pushed, n < max ? n : max);
	*ret_cells = &ring->cells[ring->n_pushed % ring->n_cells];
	pthread_mutex_unlock(&ring->lock);
	return n;
}

void receive_ring_push(struct receive_ring *ring, size_t n)
{
	pthread_mutex_lock(&ring->lock);
	ring->n_pushed += n;
	if (ring->taker_waits)
		pthread_cond_signal(&ring->filled);
	pthread_mutex_unlock(&ring->lock);
}

void receive_ring_close(struct receive_ring *ring)
{
	pthread_mutex_lock(&ring->lock);
	ring->is_closed = true;
	pthread_cond_signal(&ring->filled);
	pthread_mutex_unlock(&ring->lock);
}

bool receive_ring_reshape(struct receive_ring *ring, uint32_t cell_size)
{
	bool is_empty;

	pthread_mutex_lock(&ring->lock);
	is_empty = ring->n_pushed == ring->n_popped;
	if (is_empty)
		shape(ring, cell_size);
	pthread_mutex_unlock(&ring->lock);
	return is_empty;
}

size_t receive_ring_wait(struct receive_ring *ring, int milliseconds, struct receive_cell **ret_cells)
{
	size_t n;

	pthread_mutex_lock(&ring->lock);
	if (ring->n_pushed == ring->n_popped) {
		struct timespec until = deadline_in(milliseconds);

		ring->taker_waits = true;
		while (ring->n_pushed == ring->n_popped && !ring->is_closed &&
		       pthread_cond_timedwait(&ring->filled, &ring->lock, &until) != ETIMEDOUT)
			;
		ring->taker_waits = false;
	}
	n = side_by_side(ring, ring->n_popped, ring->n_pushed - ring->n_popped);
	*ret_cells = &ring->cells[ring->n_popped % ring->n_cells];
	pthread_mutex_unlock(&ring->lock);
	return n;
}

void receive_ring_pop(struct receive_ring *ring, size_t n)
{
	pthread_mutex_lock(&ring->lock);
	ring->n_popped += n;
	if (ring->putter_waits)
		pthread_cond_signal(&ring->freed);
	pthread_mutex_unlock(&ring->lock);
}
