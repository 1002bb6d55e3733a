/* SPDX-License-Identifier: ISC
 *
 * receive_ring: what lies between the thread that only receives and the one that looks: a ring of cells, one a datagram, of one
 * fixed amount of memory. Where it is full the reader waits, and the kernel's buffer, then its count of drops, tells the rest.
 *
 * One thread puts (room, push, reshape, close), one takes (wait, pop). Cells are large (what UDP_GRO joins fits one) or small (one packet).
 */
#ifndef INSIDE_RECEIVE_RING_H
#define INSIDE_RECEIVE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A datagram has 65,535 bytes at most, joined ones too. */
#define RECEIVE_CELL_LARGE (64 * 1024)
/* A packet at an MTU of 1500, with room. */
#define RECEIVE_CELL_SMALL 2048

/* SIZE bytes: packets of SEGMENT bytes each, the last one perhaps shorter. */
struct receive_cell {
	uint8_t *data;
	uint32_t room;
	uint32_t size;
	uint32_t segment;
};

struct receive_ring;

struct receive_ring *receive_ring_new(void);
void receive_ring_free(struct receive_ring *ring);
void receive_ring_freep(struct receive_ring **ring);

/* Up to MAX free cells that lie side by side; waits MILLISECONDS for the first of them. Their number; 0 where there was none. */
size_t receive_ring_room(struct receive_ring *ring, size_t max, int milliseconds, struct receive_cell **ret_cells);
/* The first N of them were filled. */
void receive_ring_push(struct receive_ring *ring, size_t n);
/* No more will be put: nobody waits for it. */
void receive_ring_close(struct receive_ring *ring);
/* Cells of that many bytes from now on; false, and nothing done, as long as any is filled. */
bool receive_ring_reshape(struct receive_ring *ring, uint32_t cell_size);

/* Filled cells that lie side by side; waits MILLISECONDS for the first, where the ring is not closed. */
size_t receive_ring_wait(struct receive_ring *ring, int milliseconds, struct receive_cell **ret_cells);
/* The first N of them were looked at. */
void receive_ring_pop(struct receive_ring *ring, size_t n);

#endif
