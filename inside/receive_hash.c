/* SPDX-License-Identifier: ISC
 *
 * receive_hash: the thread that computes each object's digest while it arrives: of the generation that is next, from its slot if that
 * comes by, else from the file. What is complete it delivers; meanwhile nobody waits for it but the disk.
 */
#include <string.h>

#include "base/log.h"
#include "inside/receiver.h"

#define WAIT 20 /* milliseconds */

static struct hash *hash_of(struct receive_object *object)
{
	if (object->hash == NULL)
		object->hash = hash_new();
	return object->hash;
}

/* An object of which something can be hashed, or that can be delivered; held. NULL: none. */
static struct receive_object *find_work(struct receive_objects *objects)
{
	struct receive_object *found = NULL;
	int64_t now = receive_ticks();

	receive_objects_lock(objects);
	for (size_t i = 0; i < objects->n_items && found == NULL; i++) {
		struct receive_object *object = objects->items[i];

		if (now < object->retry_at)
			continue;
		if (object->n_hashed < object->geometry.n_generations ? receive_bit(object->stored, object->n_hashed)
								      : object->info.is_announced)
			found = object;
	}
	if (found != NULL)
		found->n_users++;
	receive_objects_unlock(objects);
	return found;
}

/* The next generation of an object, from the file; false where it cannot be read. */
static bool hash_file(struct receiver *receiver, struct receive_object *object)
{
	struct link_generation_shape shape;
	int r;

	link_geometry_shape(&object->geometry, object->n_hashed, &shape);
	r = receive_partial_hash(receiver->objects_fd, &object->info, &shape, hash_of(object));
	if (r == 0) {
		object->n_hashed++;
		return true;
	}
	log_error("E%04d %s what has arrived cannot be read, and is given up: %s", FAULT_STORAGE,
		  fault_word(FAULT_STORAGE), strerror(-r));
	receive_objects_drop(&receiver->objects, object);
	return false;
}

static bool is_stored(struct receive_objects *objects, const struct receive_object *object, uint32_t number)
{
	bool stored;

	receive_objects_lock(objects);
	stored = receive_bit(object->stored, number);
	receive_objects_unlock(objects);
	return stored;
}

/* What went by while the hash was behind is in the file: with it SLOT's turn has come. */
static void hash_slot(struct receiver *receiver, struct receive_slot *slot)
{
	struct receive_object *object = slot->object;
	bool can_go_on = true;
	size_t size;

	while (can_go_on && object->n_hashed < slot->number && is_stored(&receiver->objects, object, object->n_hashed))
		can_go_on = hash_file(receiver, object);
	if (can_go_on && slot->number == object->n_hashed) {
		hash_update(hash_of(object), link_generation_bytes(slot->generation, &size),
			    link_generation_shape(slot->generation)->size);
		object->n_hashed++;
	}
	receive_slots_done(receiver->slots, slot);
	receive_objects_release(&receiver->objects, object);
}

/* One piece of work; false where there was none. */
static bool work(struct receiver *receiver, int wait)
{
	struct receive_slot *slot = receive_slots_next(receiver->slots, RECEIVE_SLOT_HASH, wait);
	struct receive_object *object;

	if (slot != NULL) {
		hash_slot(receiver, slot);
		return true;
	}
	object = find_work(&receiver->objects);
	if (object == NULL)
		return false;
	if (object->n_hashed < object->geometry.n_generations)
		hash_file(receiver, object);
	else
		receive_deliver(receiver, object);
	receive_objects_release(&receiver->objects, object);
	return true;
}

void *receive_hasher_main(void *argument)
{
	struct receiver *receiver = argument;
	bool had_work = true;

	for (;;) {
		bool is_storing = atomic_load(&receiver->is_storing);

		had_work = work(receiver, had_work ? 0 : WAIT);
		if (!had_work && !is_storing)
			break;
	}
	atomic_store(&receiver->is_hashing, false);
	return NULL;
}
