/* SPDX-License-Identifier: ISC
 *
 * sendqueue: weighted sharing by what each class had so far; a list that is walked, for a spool has hundreds of objects and a turn takes
 * milliseconds.
 */
#include "outside/sendqueue.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

void sendqueue_init(struct sendqueue *queue, const struct sendqueue_rules *rules)
{
	*queue = (struct sendqueue){.rules = *rules};
}

void sendqueue_clear(struct sendqueue *queue)
{
	free(queue->items);
	queue->items = NULL;
	queue->n_items = queue->n_allocated = 0;
}

void sendqueue_add(struct sendqueue *queue, uint64_t id, uint64_t size, int64_t came)
{
	if (queue->n_items == queue->n_allocated) {
		queue->n_allocated = queue->n_allocated == 0 ? 64 : 2 * queue->n_allocated;
		queue->items = xrealloc(queue->items, queue->n_allocated, sizeof(*queue->items));
	}
	queue->items[queue->n_items++] = (struct sendqueue_item){.id = id, .size = size, .came = came};
}

struct sendqueue_item *sendqueue_find(struct sendqueue *queue, uint64_t id)
{
	for (size_t i = 0; i < queue->n_items; i++)
		if (queue->items[i].id == id)
			return &queue->items[i];
	return NULL;
}

void sendqueue_remove(struct sendqueue *queue, uint64_t id)
{
	struct sendqueue_item *item = sendqueue_find(queue, id);

	if (item == NULL)
		return;
	queue->n_items--;
	memmove(item, item + 1, (size_t)(queue->items + queue->n_items - item) * sizeof(*item));
}

enum sendqueue_class sendqueue_class_of(const struct sendqueue *queue, const struct sendqueue_item *item, int64_t now)
{
	if (item->cycles < (uint64_t)queue->rules.new_cycles)
		return SENDQUEUE_NEW;
	/* A clock that was set back makes nothing old. */
	return now - item->came < queue->rules.recent ? SENDQUEUE_RECENT : SENDQUEUE_OLD;
}

const char *sendqueue_class_name(enum sendqueue_class class)
{
	static const char *const names[SENDQUEUE_CLASSES] = {"new", "recent", "old"};

	return names[class];
}

/* All its cycles are through, or it rests. */
static bool is_resting(const struct sendqueue *queue, const struct sendqueue_item *item, enum sendqueue_class class,
		       int64_t now)
{
	if (queue->rules.cycles != 0 && item->cycles >= queue->rules.cycles)
		return true;
	if (item->left > 0 || item->cycles == 0 || now < item->ended)
		return false;
	/* The second time of a new one is apart from the first: a burst that took all of a small one takes no more. */
	return now - item->ended < (class == SENDQUEUE_NEW ? queue->rules.pause > 0 : queue->rules.pause);
}

static uint64_t left_of(const struct sendqueue_item *item)
{
	return item->left > 0 ? item->left : item->size;
}

/* Whether A comes before B, both of CLASS. */
static bool is_before(enum sendqueue_class class, const struct sendqueue_item *a, const struct sendqueue_item *b)
{
	if (class == SENDQUEUE_NEW && a->cycles != b->cycles)
		return a->cycles < b->cycles;
	if (class == SENDQUEUE_NEW)
		return left_of(a) < left_of(b);
	if ((a->left > 0) != (b->left > 0))
		return a->left > 0;
	return a->turn < b->turn;
}

/* The first of each class. */
static void find_first(struct sendqueue *queue, int64_t now, struct sendqueue_item *first[SENDQUEUE_CLASSES])
{
	for (size_t i = 0; i < queue->n_items; i++) {
		struct sendqueue_item *item = &queue->items[i];
		enum sendqueue_class class = sendqueue_class_of(queue, item, now);

		if (is_resting(queue, item, class, now) || queue->rules.weights[class] == 0)
			continue;
		if (first[class] == NULL || is_before(class, item, first[class]))
			first[class] = item;
	}
}

struct sendqueue_item *sendqueue_next(struct sendqueue *queue, int64_t now)
{
	struct sendqueue_item *first[SENDQUEUE_CLASSES] = {NULL};
	int best = -1;

	find_first(queue, now, first);
	for (int class = 0; class < SENDQUEUE_CLASSES; class ++)
		if (first[class] != NULL && (best < 0 || queue->had[class] < queue->had[best]))
			best = class;
	if (best < 0)
		return NULL;
	/* A class that was empty for a while gets no more than its share now. */
	for (int class = 0; class < SENDQUEUE_CLASSES; class ++)
		if (first[class] == NULL && queue->had[class] < queue->had[best])
			queue->had[class] = queue->had[best];
	return first[best];
}

void sendqueue_spent(struct sendqueue *queue, struct sendqueue_item *item, uint64_t bytes, bool ended, int64_t now)
{
	enum sendqueue_class class = sendqueue_class_of(queue, item, now);

	queue->had[class] += (double)(bytes == 0 ? 1 : bytes) / (double)queue->rules.weights[class];
	item->turn = ++queue->turns;
	item->left = ended ? 0 : left_of(item) > bytes ? left_of(item) - bytes : 1;
	item->cycles += ended;
	item->ended = ended ? now : item->ended;
}

size_t sendqueue_unsent(const struct sendqueue *queue)
{
	size_t n = 0;

	for (size_t i = 0; i < queue->n_items; i++)
		n += queue->items[i].cycles == 0;
	return n;
}
