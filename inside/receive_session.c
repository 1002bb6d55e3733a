/* SPDX-License-Identifier: ISC
 *
 * receive_session: a handful of senders, the longest silent one makes room.
 */
#include "inside/receive_session.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"

struct receive_sessions {
	const struct link_key *key;
	struct receive_session items[LIMIT_RECEIVE_SESSIONS];
	size_t n_items;
	size_t last; /* the one that the last packet was of */
	uint64_t clock;
	/* Of what claims to be a session that nobody knows: most of it is noise, and its keys are made once. */
	struct link_session *candidate;
	uint8_t candidate_id[LINK_SESSION_SIZE];
};

struct receive_sessions *receive_sessions_new(const struct link_key *key)
{
	struct receive_sessions *sessions = xcalloc(1, sizeof(*sessions));

	sessions->key = key;
	return sessions;
}

void receive_sessions_free(struct receive_sessions *sessions)
{
	if (sessions == NULL)
		return;
	for (size_t i = 0; i < sessions->n_items; i++)
		link_session_free(sessions->items[i].keys);
	link_session_free(sessions->candidate);
	free(sessions);
}

void receive_sessions_freep(struct receive_sessions **sessions)
{
	receive_sessions_free(*sessions);
}

static struct receive_session *find(struct receive_sessions *sessions, const uint8_t id[LINK_SESSION_SIZE])
{
	for (size_t n = 0; n < sessions->n_items; n++) {
		size_t i = (sessions->last + n) % sessions->n_items;

		if (memcmp(sessions->items[i].id, id, LINK_SESSION_SIZE) == 0) {
			sessions->last = i;
			return &sessions->items[i];
		}
	}
	return NULL;
}

/* The keys for a session that is not known. */
static struct link_session *candidate_of(struct receive_sessions *sessions, const uint8_t id[LINK_SESSION_SIZE])
{
	if (sessions->candidate == NULL || memcmp(sessions->candidate_id, id, LINK_SESSION_SIZE) != 0) {
		link_session_free(sessions->candidate);
		sessions->candidate = link_session_new(sessions->key, id);
		memcpy(sessions->candidate_id, id, LINK_SESSION_SIZE);
	}
	return sessions->candidate;
}

/* It proved itself: known from now on. */
static struct receive_session *adopt(struct receive_sessions *sessions, uint64_t sequence)
{
	size_t at = 0;

	if (sessions->n_items < LIMIT_RECEIVE_SESSIONS) {
		at = sessions->n_items++;
	} else {
		for (size_t i = 1; i < sessions->n_items; i++)
			if (sessions->items[i].used < sessions->items[at].used)
				at = i;
		link_session_free(sessions->items[at].keys);
	}
	memset(&sessions->items[at], 0, sizeof(sessions->items[at]));
	memcpy(sessions->items[at].id, sessions->candidate_id, LINK_SESSION_SIZE);
	sessions->items[at].keys = steal_pointer(&sessions->candidate);
	sessions->items[at].first = sessions->items[at].highest = sequence;
	sessions->items[at].seen[sequence % LIMIT_RECEIVE_WINDOW / 8] = (uint8_t)(1U << sequence % 8);
	sessions->last = at;
	return &sessions->items[at];
}

/* A packet further than any before. */
static void advance(struct receive_session *session, uint64_t sequence, struct receive_counts *counts)
{
	uint64_t step = sequence - session->highest;

	if (step > 1)
		receive_add_own(counts, RECEIVE_LOST, step - 1);
	if (step >= LIMIT_RECEIVE_WINDOW) {
		memset(session->seen, 0, sizeof(session->seen));
	} else {
		for (uint64_t i = session->highest + 1; i < sequence; i++)
			session->seen[i % LIMIT_RECEIVE_WINDOW / 8] &= (uint8_t) ~(1U << i % 8);
	}
	session->seen[sequence % LIMIT_RECEIVE_WINDOW / 8] |= (uint8_t)(1U << sequence % 8);
	session->highest = sequence;
}

/* What the sequence tells; whether it came before. */
static bool note(struct receive_session *session, uint64_t sequence, struct receive_counts *counts)
{
	uint8_t *byte = &session->seen[sequence % LIMIT_RECEIVE_WINDOW / 8];
	uint8_t bit = (uint8_t)(1U << sequence % 8);

	if (sequence > session->highest) {
		advance(session, sequence, counts);
		return false;
	}
	if (session->highest - sequence >= LIMIT_RECEIVE_WINDOW) {
		receive_add_own(counts, RECEIVE_REORDERED, 1);
		return false;
	}
	if ((*byte & bit) != 0) {
		receive_add_own(counts, RECEIVE_DUPLICATE, 1);
		return true;
	}
	*byte |= bit;
	receive_add_own(counts, RECEIVE_REORDERED, 1);
	/* It was taken for lost. */
	if (sequence > session->first)
		receive_add_own(counts, RECEIVE_LOST, (uint64_t)-1);
	return false;
}

struct receive_session *receive_sessions_prove(struct receive_sessions *sessions, const uint8_t *packet, size_t size,
					       const uint8_t id[LINK_SESSION_SIZE], uint64_t sequence,
					       struct receive_counts *counts, bool *ret_is_repeat)
{
	struct receive_session *session = find(sessions, id);

	*ret_is_repeat = false;
	if (session == NULL) {
		if (!link_open(candidate_of(sessions, id), sequence, packet, size))
			return NULL;
		session = adopt(sessions, sequence);
	} else {
		if (!link_open(session->keys, sequence, packet, size))
			return NULL;
		*ret_is_repeat = note(session, sequence, counts);
	}
	session->used = ++sessions->clock;
	return session;
}
