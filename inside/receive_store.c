/* SPDX-License-Identifier: ISC
 *
 * receive_store: the thread that writes: each generation with one write at its place. What the disk does not take is as if it had not
 * come: a later cycle brings it again.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "inside/receiver.h"

/* Generations that may wait for the hash in memory; with more, it reads them from the file. */
#define MAX_TO_HASH 2
#define TELL_AGAIN 60000 /* milliseconds */

static int write_slot(struct receiver *receiver, const struct receive_slot *slot)
{
	const struct receive_info *info = &slot->object->info;
	size_t size;

	return slot->is_whole ? receive_partial_put(receiver->objects_fd, info, link_generation_shape(slot->generation),
						    link_generation_bytes(slot->generation, &size))
			      : receive_partial_put_piece(receiver->objects_fd, info, slot->generation);
}

static void note_stored(struct receiver *receiver, const struct receive_slot *slot)
{
	struct receive_object *object = slot->object;
	uint8_t bit = (uint8_t)(1U << slot->number % 8);
	size_t byte = slot->number / 8;

	receive_objects_lock(&receiver->objects);
	if (!slot->is_whole) {
		object->pieces[byte] |= bit;
	} else if ((object->stored[byte] & bit) == 0) {
		object->stored[byte] |= bit;
		object->pieces[byte] &= (uint8_t)~bit;
		object->n_stored++;
	}
	receive_objects_unlock(&receiver->objects);
}

/* It is to come again. */
static void note_lost(struct receiver *receiver, const struct receive_slot *slot, int error, int64_t *told)
{
	struct receive_object *object = slot->object;

	receive_objects_lock(&receiver->objects);
	object->whole[slot->number / 8] &= (uint8_t) ~(1U << slot->number % 8);
	receive_objects_unlock(&receiver->objects);
	receive_add(&receiver->counts, RECEIVE_NO_ROOM, 1);
	if (receive_ticks() - *told < TELL_AGAIN)
		return;
	*told = receive_ticks();
	log_error("E%04d %s what arrives cannot be written: %s", FAULT_RECEIVE_ROOM, fault_word(FAULT_RECEIVE_ROOM),
		  strerror(error));
}

static void store(struct receiver *receiver, struct receive_slot *slot, int64_t *told)
{
	struct receive_object *object = slot->object;
	bool is_dead;
	int r;

	receive_objects_lock(&receiver->objects);
	is_dead = object->is_dead;
	receive_objects_unlock(&receiver->objects);
	r = is_dead ? -ESTALE : write_slot(receiver, slot);
	while ((r == -ENOSPC || r == -EDQUOT) && receive_objects_make_room(&receiver->objects, "the disk is full"))
		r = write_slot(receiver, slot);
	if (r < 0 && !is_dead)
		note_lost(receiver, slot, -r, told);
	if (r == 0)
		note_stored(receiver, slot);
	if (r == 0 && slot->is_whole && receive_slots_count(receiver->slots, RECEIVE_SLOT_HASH) < MAX_TO_HASH) {
		receive_slots_give(receiver->slots, slot, RECEIVE_SLOT_HASH);
		return;
	}
	receive_slots_done(receiver->slots, slot);
	receive_objects_release(&receiver->objects, object);
}

void *receive_storer_main(void *argument)
{
	struct receiver *receiver = argument;
	int64_t told = INT64_MIN / 2;

	for (;;) {
		bool is_decoding = atomic_load(&receiver->is_decoding);
		struct receive_slot *slot = receive_slots_next(receiver->slots, RECEIVE_SLOT_STORE, 100);

		if (slot != NULL)
			store(receiver, slot, &told);
		else if (!is_decoding)
			break;
	}
	atomic_store(&receiver->is_storing, false);
	receive_slots_close(receiver->slots, RECEIVE_SLOT_HASH);
	return NULL;
}
