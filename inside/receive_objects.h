/* SPDX-License-Identifier: ISC
 *
 * receive_objects: what is arriving: a table in memory of the folders that receive_partial keeps, the quota over them, and what was
 * delivered. Every function takes the table's lock; a pointer to an object stays good while its user holds it (receive_objects_hold).
 */
#ifndef INSIDE_RECEIVE_OBJECTS_H
#define INSIDE_RECEIVE_OBJECTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/link_geometry.h"
#include "inside/receive_counts.h"
#include "inside/receive_delivered.h"
#include "inside/receive_partial.h"

/* "0000000042-<64 digits>.tar" and its NUL. */
#define RECEIVE_NAME_SIZE 96

struct receive_object {
	/* Fixed, but for what an announcement adds (under the lock). */
	struct receive_info info;
	struct link_geometry geometry;
	/* Under the lock: */
	uint8_t *whole;  /* a bit for each generation that needs no more symbols */
	uint8_t *stored; /* of which it is in the file */
	uint8_t *pieces; /* unfinished ones that are in the file */
	uint32_t n_stored;
	unsigned n_users;
	bool is_dead;     /* off the table, freed with its last user */
	int64_t heard;    /* its last packet: monotonic milliseconds */
	uint64_t session; /* when the session that brings it started; 0: not known */
	uint32_t n_repaired, n_failed, n_restored;
	/* The hashing thread's: */
	struct hash *hash;
	uint32_t n_hashed;
	int64_t retry_at; /* monotonic milliseconds: it could not be delivered */
};

struct receive_objects {
	pthread_mutex_t lock;
	int into_fd, folder_fd; /* where whole files appear; the folder of folders */
	uint64_t quota;         /* bytes of objects that are not whole */
	struct receive_object **items;
	size_t n_items;
	uint64_t total; /* bytes of all of them */
	struct receive_delivered *delivered;
	struct receive_counts *counts;
	int64_t told_no_room;   /* monotonic milliseconds: said once a minute */
	uint64_t n_files;       /* delivered in this run, those that were there already too */
	pthread_cond_t counted; /* it became more */
};

/* Takes up what an earlier run left in FOLDER_FD: what is damaged is removed, with a line. The descriptors stay the caller's. */
void receive_objects_open(struct receive_objects *objects, int into_fd, int folder_fd, int state_fd, uint64_t quota,
			  struct receive_counts *counts);
void receive_objects_close(struct receive_objects *objects);

void receive_objects_lock(struct receive_objects *objects);
void receive_objects_unlock(struct receive_objects *objects);

/* The object of HEADER's packet, held for the caller; NULL where it is not wanted: delivered, no room, or not the object that has this id.
 * ANNOUNCEMENT is the packet's, or NULL; *RET_IS_NEWS: it told what was not known. */
struct receive_object *receive_objects_want(struct receive_objects *objects, const struct link_header *header,
					    const struct link_geometry *geometry,
					    const struct link_announcement *announcement, bool *ret_is_news);
void receive_objects_hold(struct receive_objects *objects, struct receive_object *object);
void receive_objects_release(struct receive_objects *objects, struct receive_object *object);

/* Room is needed: the longest silent object that nobody holds goes, with a line; false where there is none. */
bool receive_objects_make_room(struct receive_objects *objects, const char *reason);
/* Takes the object off the table, its folder too. The caller holds it. */
void receive_objects_drop(struct receive_objects *objects, struct receive_object *object);
/* The same, its folder being empty already: it was delivered. */
void receive_objects_delivered(struct receive_objects *objects, struct receive_object *object, uint64_t n_files);

/* Files delivered in this run; waits MILLISECONDS for more than N of them. */
uint64_t receive_objects_wait(struct receive_objects *objects, uint64_t n, int milliseconds);

/* What is known of the session that STARTED then, and of the object whose digest begins with NEWEST (zeros: none). */
struct receive_known {
	bool is_newest_known; /* here, or was, or arriving */
	uint64_t n_objects;   /* of that session */
	uint64_t n_stalled;   /* objects of which nothing has come for a while, and which are not whole */
	uint64_t version;     /* the newest that an announcement named; 0: none. The caller's to fill in */
};
void receive_objects_known(struct receive_objects *objects, const uint8_t newest[8], uint64_t started,
			   struct receive_known *ret_known);

/* The name that a file of that digest gets. Returns NAME. */
char *receive_file_name(const struct sha256 *sha256, uint64_t version, char name[RECEIVE_NAME_SIZE]);

/* Monotonic milliseconds, and milliseconds since 1970. */
int64_t receive_ticks(void);
int64_t receive_wall_clock(void);

static inline bool receive_bit(const uint8_t *bits, uint32_t i)
{
	return (bits[i / 8] >> i % 8 & 1) != 0;
}

#endif
