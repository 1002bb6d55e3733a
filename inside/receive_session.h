/* SPDX-License-Identifier: ISC
 *
 * receive_session: the senders that are heard: their packets' keys, and what their sequence tells: lost, repeated, out of order. A session is
 * known only once a packet of it has proved itself, so that strangers push nobody out. It belongs to one thread.
 */
#ifndef INSIDE_RECEIVE_SESSION_H
#define INSIDE_RECEIVE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/limits.h"
#include "bundle/link_key.h"
#include "inside/receive_counts.h"

struct receive_session {
	uint8_t id[LINK_SESSION_SIZE];
	struct link_session *keys;
	uint64_t used;                          /* when, by a count of its own */
	uint64_t started;                       /* milliseconds since 1970, once somebody said so; 0 */
	uint64_t first, highest;                /* sequences */
	uint8_t seen[LIMIT_RECEIVE_WINDOW / 8]; /* a bit for each of the last sequences, by its remainder */
};

struct receive_sessions;
struct receive_sessions *receive_sessions_new(const struct link_key *key);
void receive_sessions_free(struct receive_sessions *sessions);
void receive_sessions_freep(struct receive_sessions **sessions);

/* The session of a packet that claims ID and SEQUENCE, where its MAC is right; NULL otherwise. Counts what its sequence tells; *RET_IS_REPEAT: it
 * came before. Borrowed, good until the next call. */
struct receive_session *receive_sessions_prove(struct receive_sessions *sessions, const uint8_t *packet, size_t size,
					       const uint8_t id[LINK_SESSION_SIZE], uint64_t sequence,
					       struct receive_counts *counts, bool *ret_is_repeat);

#endif
