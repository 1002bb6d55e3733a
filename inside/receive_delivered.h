/* SPDX-License-Identifier: ISC
 *
 * receive_delivered: which objects were delivered lately, so that a carousel's next cycle does not bring again what was taken away in the
 * meantime. Kept in a file (FORMAT.md 30.4), of which a damaged entry costs that its object is taken once more. The caller locks.
 */
#ifndef INSIDE_RECEIVE_DELIVERED_H
#define INSIDE_RECEIVE_DELIVERED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/hash.h"
#include "bundle/limits.h"
#include "bundle/link_packet.h"

struct receive_delivery {
	struct sha256 sha256;
	uint64_t started; /* of the session that brought it: milliseconds since 1970; 0: not known */
	int64_t at;       /* seconds since 1970 */
	bool is_counted;  /* in this run; not kept */
};

struct receive_delivered;
/* Reads the file "delivered" of FOLDER_FD, which stays the caller's. */
struct receive_delivered *receive_delivered_load(int folder_fd);
void receive_delivered_free(struct receive_delivered *delivered);
void receive_delivered_freep(struct receive_delivered **delivered);

/* The entry of an object by the first bytes of its digest; NULL. Borrowed until the next call. */
struct receive_delivery *receive_delivered_find(struct receive_delivered *delivered,
						const uint8_t id[LINK_OBJECT_ID_SIZE]);
/* Adds it, or renews what is there; durable when it returns. 0 or a negative errno: then it is known to this process alone. */
int receive_delivered_add(struct receive_delivered *delivered, const struct receive_delivery *delivery);
/* How many are of the session that STARTED then, and whether one begins with the eight bytes NEWEST. */
uint64_t receive_delivered_count(const struct receive_delivered *delivered, uint64_t started);
bool receive_delivered_has(const struct receive_delivered *delivered, const uint8_t newest[8]);
/* It may come again. */
void receive_delivered_forget(struct receive_delivered *delivered, const uint8_t id[LINK_OBJECT_ID_SIZE]);

/* One entry, there and back; of SIZE bytes all that are entries, at most N. For tests too. */
#define RECEIVE_DELIVERY_SIZE 64
void receive_delivery_put(const struct receive_delivery *delivery, uint8_t *bytes);
size_t receive_deliveries_read(const uint8_t *bytes, size_t size, struct receive_delivery *ret_items, size_t n);

#endif
