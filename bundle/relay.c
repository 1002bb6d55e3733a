/* SPDX-License-Identifier: ISC
 *
 * relay: see relay.h. A ring of slots: the worker fills the one behind the full ones, the caller empties the first.
 */
#include "bundle/relay.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"

struct slot {
	uint8_t *bytes; /* RELAY_SLOT_SIZE */
	size_t size;
};

struct relay {
	relay_work *work;
	void *work_ctx;
	struct refusal why; /* of the work; the caller's once it has ended */

	pthread_mutex_t lock;
	pthread_cond_t full, empty;
	/* Under the lock; the bytes of a slot belong to the worker until it is full, then to the caller until it is empty. */
	struct slot slots[RELAY_SLOTS];
	size_t first, n_full;
	bool has_ended; /* the work */
	bool is_over;   /* nobody takes any more */
};

/* --- the worker ------------------------------------------------------------------------------------------------------ */

static struct slot *open_slot(struct relay *relay)
{
	return &relay->slots[(relay->first + relay->n_full) % RELAY_SLOTS];
}

/* Waits until a slot is free. NULL: nobody takes any more. */
static struct slot *wait_for_slot(struct relay *relay)
{
	struct slot *slot;

	pthread_mutex_lock(&relay->lock);
	while (relay->n_full == RELAY_SLOTS && !relay->is_over)
		pthread_cond_wait(&relay->empty, &relay->lock);
	slot = relay->is_over ? NULL : open_slot(relay);
	pthread_mutex_unlock(&relay->lock);
	return slot;
}

static void hand_over(struct relay *relay)
{
	pthread_mutex_lock(&relay->lock);
	relay->n_full++;
	pthread_cond_signal(&relay->full);
	pthread_mutex_unlock(&relay->lock);
}

/* blob_sink of the work. */
static enum fault fill(void *ctx, const void *data, size_t size, struct refusal *why)
{
	struct relay *relay = ctx;
	const uint8_t *bytes = data;

	while (size > 0) {
		struct slot *slot = wait_for_slot(relay);
		size_t n;

		if (slot == NULL)
			return refuse(why, FAULT_STORAGE, "nobody takes what is read");
		n = size < RELAY_SLOT_SIZE - slot->size ? size : RELAY_SLOT_SIZE - slot->size;
		memcpy(slot->bytes + slot->size, bytes, n);
		slot->size += n;
		bytes += n;
		size -= n;
		if (slot->size == RELAY_SLOT_SIZE)
			hand_over(relay);
	}
	return FAULT_NONE;
}

static void *run_work(void *ctx)
{
	struct relay *relay = ctx;
	struct slot *slot;

	relay->why.fault = relay->work(relay->work_ctx, fill, relay, &relay->why);
	slot = wait_for_slot(relay);
	if (slot != NULL && slot->size > 0)
		hand_over(relay);
	pthread_mutex_lock(&relay->lock);
	relay->has_ended = true;
	pthread_cond_signal(&relay->full);
	pthread_mutex_unlock(&relay->lock);
	return NULL;
}

/* --- the caller ------------------------------------------------------------------------------------------------------ */

/* Until the work has ended or SINK refuses. */
static enum fault take_all(struct relay *relay, blob_sink *sink, void *ctx, struct refusal *why)
{
	enum fault fault = FAULT_NONE;

	pthread_mutex_lock(&relay->lock);
	while (fault == FAULT_NONE) {
		struct slot *slot = &relay->slots[relay->first];

		while (relay->n_full == 0 && !relay->has_ended)
			pthread_cond_wait(&relay->full, &relay->lock);
		if (relay->n_full == 0)
			break;
		pthread_mutex_unlock(&relay->lock);
		fault = sink(ctx, slot->bytes, slot->size, why);
		pthread_mutex_lock(&relay->lock);
		slot->size = 0;
		relay->first = (relay->first + 1) % RELAY_SLOTS;
		relay->n_full--;
		relay->is_over = fault != FAULT_NONE;
		pthread_cond_signal(&relay->empty);
	}
	pthread_mutex_unlock(&relay->lock);
	return fault;
}

static void relay_clear(struct relay *relay)
{
	for (size_t i = 0; i < RELAY_SLOTS; i++)
		free(relay->slots[i].bytes);
	pthread_mutex_destroy(&relay->lock);
	pthread_cond_destroy(&relay->full);
	pthread_cond_destroy(&relay->empty);
}

enum fault relay_run(relay_work *work, void *work_ctx, blob_sink *sink, void *ctx, struct refusal *why)
{
	_cleanup_(relay_clear) struct relay relay = {.work = work, .work_ctx = work_ctx, .why = {FAULT_NONE, ""}};
	enum fault fault;
	pthread_t thread;

	if (pthread_mutex_init(&relay.lock, NULL) != 0 || pthread_cond_init(&relay.full, NULL) != 0 ||
	    pthread_cond_init(&relay.empty, NULL) != 0)
		die("no lock");
	for (size_t i = 0; i < RELAY_SLOTS; i++)
		relay.slots[i].bytes = xmalloc(RELAY_SLOT_SIZE);
	if (pthread_create(&thread, NULL, run_work, &relay) != 0)
		return work(work_ctx, sink, ctx, why);
	fault = take_all(&relay, sink, ctx, why);
	pthread_join(thread, NULL);
	if (fault == FAULT_NONE && relay.why.fault != FAULT_NONE && why != NULL)
		*why = relay.why;
	return fault != FAULT_NONE ? fault : relay.why.fault;
}
