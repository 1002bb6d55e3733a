/* SPDX-License-Identifier: ISC
 *
 * receive_slots: one lock, one condition: there are six of them and three who wait.
 */
#include "inside/receive_slots.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"
#include "bundle/deadline.h"

struct receive_slots {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct receive_slot items[LIMIT_RECEIVE_SLOTS];
	struct receive_slot *first[RECEIVE_SLOT_HASH + 1], *last[RECEIVE_SLOT_HASH + 1]; /* given, not taken yet */
	bool is_closed[RECEIVE_SLOT_HASH + 1];
};

struct receive_slots *receive_slots_new(void)
{
	struct receive_slots *slots = xcalloc(1, sizeof(*slots));

	pthread_mutex_init(&slots->lock, NULL);
	deadline_cond_init(&slots->changed);
	for (size_t i = 0; i < LIMIT_RECEIVE_SLOTS; i++)
		slots->items[i].generation = link_generation_new();
	return slots;
}

void receive_slots_free(struct receive_slots *slots)
{
	if (slots == NULL)
		return;
	for (size_t i = 0; i < LIMIT_RECEIVE_SLOTS; i++)
		link_generation_free(slots->items[i].generation);
	pthread_mutex_destroy(&slots->lock);
	pthread_cond_destroy(&slots->changed);
	free(slots);
}

void receive_slots_freep(struct receive_slots **slots)
{
	receive_slots_free(*slots);
}

static struct receive_slot *find_free(struct receive_slots *slots)
{
	for (size_t i = 0; i < LIMIT_RECEIVE_SLOTS; i++)
		if (slots->items[i].state == RECEIVE_SLOT_FREE)
			return &slots->items[i];
	return NULL;
}

struct receive_slot *receive_slots_open(struct receive_slots *slots, int milliseconds)
{
	struct timespec until = deadline_in(milliseconds);
	struct receive_slot *slot;

	pthread_mutex_lock(&slots->lock);
	while ((slot = find_free(slots)) == NULL &&
	       pthread_cond_timedwait(&slots->changed, &slots->lock, &until) != ETIMEDOUT)
		;
	if (slot != NULL) {
		slot->state = RECEIVE_SLOT_OPEN;
		slot->is_whole = slot->is_news = false;
	}
	pthread_mutex_unlock(&slots->lock);
	return slot;
}

static bool is_under_way(const struct receive_slots *slots, const struct receive_object *object, uint32_t number)
{
	for (size_t i = 0; i < LIMIT_RECEIVE_SLOTS; i++) {
		const struct receive_slot *slot = &slots->items[i];

		if (slot->state >= RECEIVE_SLOT_STORE && slot->object == object && slot->number == number)
			return true;
	}
	return false;
}

void receive_slots_settle(struct receive_slots *slots, const struct receive_object *object, uint32_t number)
{
	pthread_mutex_lock(&slots->lock);
	while (is_under_way(slots, object, number))
		pthread_cond_wait(&slots->changed, &slots->lock);
	pthread_mutex_unlock(&slots->lock);
}

void receive_slots_give(struct receive_slots *slots, struct receive_slot *slot, enum receive_slot_state to)
{
	pthread_mutex_lock(&slots->lock);
	slot->state = to;
	slot->next = NULL;
	if (slots->first[to] == NULL)
		slots->first[to] = slot;
	else
		slots->last[to]->next = slot;
	slots->last[to] = slot;
	pthread_cond_broadcast(&slots->changed);
	pthread_mutex_unlock(&slots->lock);
}

void receive_slots_close(struct receive_slots *slots, enum receive_slot_state to)
{
	pthread_mutex_lock(&slots->lock);
	slots->is_closed[to] = true;
	pthread_cond_broadcast(&slots->changed);
	pthread_mutex_unlock(&slots->lock);
}

struct receive_slot *receive_slots_next(struct receive_slots *slots, enum receive_slot_state from, int milliseconds)
{
	struct timespec until = deadline_in(milliseconds);
	struct receive_slot *slot;

	pthread_mutex_lock(&slots->lock);
	while (slots->first[from] == NULL && !slots->is_closed[from] &&
	       pthread_cond_timedwait(&slots->changed, &slots->lock, &until) != ETIMEDOUT)
		;
	slot = slots->first[from];
	if (slot != NULL)
		slots->first[from] = slot->next;
	pthread_mutex_unlock(&slots->lock);
	return slot;
}

size_t receive_slots_count(struct receive_slots *slots, enum receive_slot_state state)
{
	size_t n = 0;

	pthread_mutex_lock(&slots->lock);
	for (size_t i = 0; i < LIMIT_RECEIVE_SLOTS; i++)
		n += slots->items[i].state == state;
	pthread_mutex_unlock(&slots->lock);
	return n;
}

void receive_slots_done(struct receive_slots *slots, struct receive_slot *slot)
{
	pthread_mutex_lock(&slots->lock);
	slot->state = RECEIVE_SLOT_FREE;
	slot->object = NULL;
	pthread_cond_broadcast(&slots->changed);
	pthread_mutex_unlock(&slots->lock);
}
