/* SPDX-License-Identifier: ISC
 *
 * sendqueue: the carousel: which object the link carries next. New objects (not yet sent a few times), recent ones and old ones share the
 * link by weights. Of the new ones that of the fewest cycles comes first, then the one with the least left: a small one overtakes a large one
 * that is under way, and two large ones follow each other. Of the others a cycle that was begun is ended, then comes who waited longest.
 * Pure: it opens nothing and reads no clock.
 */
#ifndef OUTSIDE_SENDQUEUE_H
#define OUTSIDE_SENDQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/hash.h"
#include "bundle/notation.h"

enum sendqueue_class {
	SENDQUEUE_NEW,    /* fewer than new_cycles cycles are done */
	SENDQUEUE_RECENT, /* came within the last `recent` seconds */
	SENDQUEUE_OLD,
	SENDQUEUE_CLASSES
};

/* How the link is shared. */
struct sendqueue_rules {
	int64_t weights[SENDQUEUE_CLASSES]; /* 0: that class is not sent again; new objects have at least 1 */
	int64_t new_cycles;                 /* after so many an object is no longer new */
	int64_t recent;                     /* seconds */
	uint64_t cycles;                    /* no more than so many of each; 0: for ever */
	int64_t pause;                      /* seconds between two cycles of one that is not new */
};

/* One object. The caller fills what is above the line. */
struct sendqueue_item {
	uint64_t id;   /* the caller's, never 0 */
	uint64_t size; /* bytes; 0 counts as 1 */
	int64_t came;  /* seconds since 1970 */
	/* ------ */
	uint64_t cycles; /* that are whole */
	uint64_t left;   /* bytes of a cycle that was begun; 0: none was */
	int64_t ended;   /* when the last of them was, in seconds since 1970 */
	uint64_t turn;   /* number of its last turn */
};

struct sendqueue {
	struct sendqueue_rules rules;
	struct sendqueue_item *items; /* in the order in which they came */
	size_t n_items, n_allocated;
	uint64_t turns;
	/* What each class had of the link, in bytes over its weight: the one that had the least is next. */
	double had[SENDQUEUE_CLASSES];
};

void sendqueue_init(struct sendqueue *queue, const struct sendqueue_rules *rules);
void sendqueue_clear(struct sendqueue *queue);

/* Appends. The caller keeps to LIMIT_SEND_OBJECTS. */
void sendqueue_add(struct sendqueue *queue, uint64_t id, uint64_t size, int64_t came);
/* Takes it out; no harm where it is not there. */
void sendqueue_remove(struct sendqueue *queue, uint64_t id);
/* Borrowed until the next call that adds or removes; NULL where there is none. */
struct sendqueue_item *sendqueue_find(struct sendqueue *queue, uint64_t id);

/* How the item counts at NOW. */
enum sendqueue_class sendqueue_class_of(const struct sendqueue *queue, const struct sendqueue_item *item, int64_t now);
const char *sendqueue_class_name(enum sendqueue_class class);

/* Whose turn it is; NULL where nothing is left to send, or all rest. Borrowed as above. */
struct sendqueue_item *sendqueue_next(struct sendqueue *queue, int64_t now);

/* ITEM's turn carried so many of its BYTES, and ENDED a cycle. */
void sendqueue_spent(struct sendqueue *queue, struct sendqueue_item *item, uint64_t bytes, bool ended, int64_t now);

/* Objects that were not yet sent once. */
size_t sendqueue_unsent(const struct sendqueue *queue);

#endif
