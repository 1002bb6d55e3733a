/* SPDX-License-Identifier: ISC
 *
 * receive_reader: the thread that only receives. Where few packets come with a call it sleeps for a moment: the kernel collects them, and a
 * call for each packet would cost more than all the rest.
 */
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "inside/receiver.h"

/* Fewer cells than this filled by one call: the next moment is the kernel's. */
#define FEW 16
/* Nanoseconds: half a millisecond where the kernel's buffer is large, else what fills an eighth of it at 600 MB/s. */
#define MOMENT 500000L
#define MOMENT_LEAST 50000L
#define FILL(buffer) ((buffer) / 8 * 10 / 6)
/* So many calls' packets are looked at before joining is given up, and so many more were queued before it was. */
#define JUDGED 8192
#define QUEUED (4 * JUDGED)

/* Whether the kernel joins packets, and how large the ring's cells are to be. */
struct joining {
	uint64_t n_datagrams, n_packets;
	bool is_given_up;
	uint32_t cell_size, wanted_size;
};

/* Where nothing is ever joined, a cell of 64 KiB a packet wastes the ring. */
static void judge(struct receiver *receiver, struct joining *joining, const struct receive_cell *cells, int n)
{
	for (int i = 0; i < n; i++)
		joining->n_packets += cells[i].segment > 0 ? (cells[i].size + cells[i].segment - 1) / cells[i].segment
							   : 1;
	joining->n_datagrams += (uint64_t)n;
	if (joining->is_given_up) {
		if (joining->n_datagrams >= QUEUED)
			joining->wanted_size = RECEIVE_CELL_SMALL;
	} else if (joining->n_datagrams >= JUDGED) {
		if (joining->n_packets <= joining->n_datagrams + joining->n_datagrams / 8) {
			receive_socket_stop_joining(&receiver->socket);
			joining->is_given_up = true;
		}
		joining->n_datagrams = joining->n_packets = 0;
	}
}

/* One call's packets. False where nothing came, or there is no room. */
static bool receive(struct receiver *receiver, struct joining *joining, bool *ret_is_few)
{
	uint64_t dropped = receiver->socket.n_dropped;
	struct receive_cell *cells;
	size_t room = receive_ring_room(receiver->ring, RECEIVE_BATCH, 100, &cells);
	bool is_cut;
	int n;

	if (room == 0)
		return false;
	n = receive_socket_take(&receiver->socket, cells, room, &is_cut);
	if (n < 0)
		die("the socket: %s", strerror(-n));
	if (n == 0)
		return false;
	if (joining->cell_size == RECEIVE_CELL_LARGE)
		judge(receiver, joining, cells, n);
	else if (is_cut) /* jumbo frames after all */
		joining->wanted_size = RECEIVE_CELL_LARGE;
	receive_ring_push(receiver->ring, (size_t)n);
	if (receiver->socket.n_dropped > dropped)
		receive_add(&receiver->counts, RECEIVE_DROPPED, receiver->socket.n_dropped - dropped);
	*ret_is_few = n < FEW && room > FEW;
	return true;
}

static long moment_for(int buffer_size)
{
	const long moment = FILL((long)buffer_size);

	return moment > MOMENT ? MOMENT : moment < MOMENT_LEAST ? MOMENT_LEAST : moment;
}

void *receive_reader_main(void *argument)
{
	struct joining joining = {.cell_size = RECEIVE_CELL_LARGE, .wanted_size = RECEIVE_CELL_LARGE};
	struct receiver *receiver = argument;
	const struct timespec moment = {.tv_nsec = moment_for(receiver->socket.buffer_size)};

	while (!atomic_load(&receiver->stop)) {
		bool is_few;

		/* Only an empty ring takes another form. */
		if (joining.wanted_size != joining.cell_size &&
		    receive_ring_reshape(receiver->ring, joining.wanted_size)) {
			joining.cell_size = joining.wanted_size;
			joining.n_datagrams = joining.n_packets = 0;
		}
		if (receive(receiver, &joining, &is_few) && is_few)
			nanosleep(&moment, NULL);
	}
	atomic_store(&receiver->is_reading, false);
	receive_ring_close(receiver->ring);
	return NULL;
}
