/* SPDX-License-Identifier: ISC
 *
 * receive_slots: the generations that are in memory, and who has them: free, open (the decoder fills it), to be stored, to be hashed. So much
 * memory and no more; who has none left waits for the next.
 */
#ifndef INSIDE_RECEIVE_SLOTS_H
#define INSIDE_RECEIVE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/link_generation.h"
#include "inside/receive_objects.h"

enum receive_slot_state { RECEIVE_SLOT_FREE, RECEIVE_SLOT_OPEN, RECEIVE_SLOT_STORE, RECEIVE_SLOT_HASH };

struct receive_slot {
	struct link_generation *generation;
	struct receive_object *object; /* held; NULL where the slot is free */
	uint32_t number;
	enum receive_slot_state state;
	bool is_whole; /* restored: its bytes are the object's */
	bool is_news;  /* it holds something that no file does */
	int64_t heard; /* the decoder's: monotonic milliseconds of the last symbol */
	struct receive_slot *next;
};

struct receive_slots;
struct receive_slots *receive_slots_new(void);
void receive_slots_free(struct receive_slots *slots);
void receive_slots_freep(struct receive_slots **slots);

/* A free slot, now open; waits MILLISECONDS. NULL where there was none. */
struct receive_slot *receive_slots_open(struct receive_slots *slots, int milliseconds);
/* Waits until no slot that is not open is of that generation. */
void receive_slots_settle(struct receive_slots *slots, const struct receive_object *object, uint32_t number);

/* Hands SLOT to who stores, or who hashes. */
void receive_slots_give(struct receive_slots *slots, struct receive_slot *slot, enum receive_slot_state to);
/* No more will be given there: nobody waits for it. */
void receive_slots_close(struct receive_slots *slots, enum receive_slot_state to);
/* The next one that was given there; waits MILLISECONDS where more may come. NULL where there was none. */
struct receive_slot *receive_slots_next(struct receive_slots *slots, enum receive_slot_state from, int milliseconds);
/* How many wait there, or are being worked on. */
size_t receive_slots_count(struct receive_slots *slots, enum receive_slot_state state);
/* SLOT is free again. Its object was released. */
void receive_slots_done(struct receive_slots *slots, struct receive_slot *slot);

#endif
