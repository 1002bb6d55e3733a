/* SPDX-License-Identifier: ISC
 *
 * receiver: one run of clapet-receive: what its threads share, and the threads.
 *
 *     reader     the socket -> the ring                                   (receive_reader.c)
 *     decoder    the ring -> MAC, bounds, slots; generations made whole   (receive_decode.c)
 *     storer     slots -> files beneath .link/                            (receive_store.c)
 *     hasher     in order, from the slot or the file; delivers            (receive_hash.c, receive_deliver.c)
 *     main       beacons, status, when to end                             (receive_run.c)
 *
 * No thread waits for a slower one but through a bounded queue, and the reader for none but the ring.
 */
#ifndef INSIDE_RECEIVER_H
#define INSIDE_RECEIVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/link_key.h"
#include "inside/receive_counts.h"
#include "inside/receive_link.h"
#include "inside/receive_objects.h"
#include "inside/receive_ring.h"
#include "inside/receive_slots.h"
#include "inside/receive_socket.h"

/* Beneath the folder that files appear in. */
#define RECEIVE_FOLDER ".link"
#define RECEIVE_FOLDER_OBJECTS "objects"
#define RECEIVE_FOLDER_REPORTS "reports"

struct receiver {
	int into_fd, state_fd, objects_fd, reports_fd;
	struct link_key *key;
	uint8_t link_id[LINK_ID_SIZE];
	struct receive_socket socket;
	struct receive_ring *ring;
	struct receive_slots *slots;
	struct receive_objects objects;
	struct receive_counts counts;
	struct receive_link link;
	int64_t started;                 /* milliseconds since 1970 */
	bool told_status;                /* that the status cannot be written */
	_Atomic int64_t data_heard;      /* the last symbol or announcement: monotonic milliseconds; 0: none yet */
	_Atomic int64_t any_heard;       /* the last genuine packet of any kind */
	_Atomic uint64_t newest_version; /* that an announcement named */
	_Atomic bool sender_ends;        /* a beacon said so, and no other came since */
	_Atomic bool stop;               /* all threads end */
	_Atomic bool is_reading, is_decoding, is_storing, is_hashing; /* whether these threads run */
};

void *receive_reader_main(void *receiver);
void *receive_decoder_main(void *receiver);
void *receive_storer_main(void *receiver);
void *receive_hasher_main(void *receiver);

/* Hashes the object whose last part was hashed against its announcement, and delivers it, or finds what was damaged. The caller holds it. */
void receive_deliver(struct receiver *receiver, struct receive_object *object);

#endif
