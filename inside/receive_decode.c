/* SPDX-License-Identifier: ISC
 *
 * receive_decode: the thread that looks at packets. Nothing but the MAC is computed of one that has not proved itself, and nothing is
 * kept of one outside the form (bundle/link_packet.h). A generation whose symbols suffice is made whole and handed on; one that leaves its
 * slot before goes to its file with all that came of it.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/link_packet.h"
#include "inside/receive_session.h"
#include "inside/receiver.h"

/* Milliseconds without a symbol after which a generation leaves its slot, and its tally is closed. */
#define SILENT 500
#define TALLY_SILENT 2000
/* Milliseconds for which an object that is not wanted is not asked about again. */
#define IGNORED_FOR 1000
#define N_IGNORED 4
/* Bytes of the next datagram that are fetched ahead: a packet at an MTU of 1500. */
#define FETCHED 1536
#define CACHE_LINE 64

struct ignored {
	uint8_t object[LINK_OBJECT_ID_SIZE];
	int64_t until; /* monotonic milliseconds */
};

/* What a generation still counts after it left its slot. */
struct late {
	uint8_t object[LINK_OBJECT_ID_SIZE];
	struct link_tally tally;
	bool is_whole;
	int64_t heard; /* 0: none here */
};

struct decoder {
	struct receiver *receiver;
	struct receive_sessions *sessions;
	struct fec_decoder *fec;
	struct receive_slot *open[LIMIT_RECEIVE_SLOTS_OPEN]; /* NULL: none */
	struct late lates[LIMIT_RECEIVE_TALLIES];
	size_t next_late;
	struct ignored ignored[N_IGNORED];
	size_t next_ignored;
	int64_t now;
};

/* --- what leaves ----------------------------------------------------------------------------------------------------- */

/* No more of it is expected: the margin is what it is. */
static void close_late(struct decoder *decoder, struct late *late)
{
	if (late->heard != 0)
		receive_count_margin(&decoder->receiver->counts, link_tally_margin(&late->tally));
	late->heard = 0;
}

static void keep_late(struct decoder *decoder, const struct receive_slot *slot)
{
	struct late *late = &decoder->lates[decoder->next_late++ % LIMIT_RECEIVE_TALLIES];

	close_late(decoder, late);
	memcpy(late->object, slot->object->info.id, LINK_OBJECT_ID_SIZE);
	late->tally = *link_generation_tally(slot->generation);
	late->is_whole = slot->is_whole;
	late->heard = decoder->now;
}

/* A symbol for a generation that is in no slot: whether it is one that was made whole of late, and is counted. */
static bool is_late(struct decoder *decoder, const struct link_header *header)
{
	for (size_t i = 0; i < LIMIT_RECEIVE_TALLIES; i++) {
		struct late *late =
			&decoder->lates[(decoder->next_late + LIMIT_RECEIVE_TALLIES - 1 - i) % LIMIT_RECEIVE_TALLIES];

		if (late->heard == 0 || late->tally.number != header->generation ||
		    memcmp(late->object, header->object, LINK_OBJECT_ID_SIZE) != 0)
			continue;
		/* One that left unfinished opens a slot again, and is counted there. */
		if (!late->is_whole) {
			late->heard = 0;
			return false;
		}
		link_tally_count(&late->tally, header);
		late->heard = decoder->now;
		return true;
	}
	return false;
}

/* All that is needed is here: computes the rest. */
static void finish(struct decoder *decoder, struct receive_slot *slot)
{
	struct receiver *receiver = decoder->receiver;
	struct receive_object *object = slot->object;
	unsigned n_restored = link_generation_restore(slot->generation, decoder->fec);

	slot->is_whole = true;
	receive_add_own(&receiver->counts, n_restored > 0 ? RECEIVE_REPAIRED : RECEIVE_WHOLE, 1);
	receive_add_own(&receiver->counts, RECEIVE_RESTORED, n_restored);
	receive_objects_lock(&receiver->objects);
	object->whole[slot->number / 8] |= (uint8_t)(1U << slot->number % 8);
	object->n_repaired += n_restored > 0;
	object->n_restored += n_restored;
	receive_objects_unlock(&receiver->objects);
}

/* SLOT goes to who stores it, or is free at once where there is nothing new in it. */
static void hand_over(struct decoder *decoder, struct receive_slot **slot)
{
	struct receiver *receiver = decoder->receiver;
	struct receive_object *object = (*slot)->object;

	keep_late(decoder, *slot);
	if (!(*slot)->is_whole) {
		receive_add_own(&receiver->counts, RECEIVE_FAILED, 1);
		receive_objects_lock(&receiver->objects);
		object->n_failed++;
		receive_objects_unlock(&receiver->objects);
	}
	if ((*slot)->is_whole || (*slot)->is_news) {
		receive_slots_give(receiver->slots, *slot, RECEIVE_SLOT_STORE);
	} else {
		receive_slots_done(receiver->slots, *slot);
		receive_objects_release(&receiver->objects, object);
	}
	*slot = NULL;
}

/* --- what comes ------------------------------------------------------------------------------------------------------ */

static struct receive_slot **slot_of(struct decoder *decoder, const struct link_header *header)
{
	for (size_t i = 0; i < LIMIT_RECEIVE_SLOTS_OPEN; i++) {
		struct receive_slot *slot = decoder->open[i];

		if (slot != NULL && slot->number == header->generation &&
		    memcmp(slot->object->info.id, header->object, LINK_OBJECT_ID_SIZE) == 0 &&
		    slot->object->info.size == header->object_size &&
		    slot->object->info.symbol_size == header->symbol_size)
			return &decoder->open[i];
	}
	return NULL;
}

/* A place for one more open slot: the one that was silent longest is handed over where there is none. */
static struct receive_slot **place_for_slot(struct decoder *decoder)
{
	struct receive_slot **place = &decoder->open[0];

	for (size_t i = 0; i < LIMIT_RECEIVE_SLOTS_OPEN; i++) {
		if (decoder->open[i] == NULL)
			return &decoder->open[i];
		if (decoder->open[i]->heard < (*place)->heard)
			place = &decoder->open[i];
	}
	hand_over(decoder, place);
	return place;
}

static bool is_ignored(const struct decoder *decoder, const struct link_header *header)
{
	for (size_t i = 0; i < N_IGNORED; i++)
		if (decoder->ignored[i].until > decoder->now &&
		    memcmp(decoder->ignored[i].object, header->object, LINK_OBJECT_ID_SIZE) == 0)
			return true;
	return false;
}

/* An announcement may change what is wanted: it is always asked about. */
static void ignore(struct decoder *decoder, const struct link_header *header, bool is_wanted)
{
	struct ignored *ignored = NULL;

	for (size_t i = 0; i < N_IGNORED; i++)
		if (memcmp(decoder->ignored[i].object, header->object, LINK_OBJECT_ID_SIZE) == 0)
			ignored = &decoder->ignored[i];
	if (ignored == NULL && is_wanted)
		return;
	if (ignored == NULL)
		ignored = &decoder->ignored[decoder->next_ignored++ % N_IGNORED];
	memcpy(ignored->object, header->object, LINK_OBJECT_ID_SIZE);
	ignored->until = is_wanted ? 0 : decoder->now + IGNORED_FOR;
}

/* A slot for the generation of HEADER, with what an earlier cycle left of it; NULL where it is not wanted. */
static struct receive_slot **open_slot(struct decoder *decoder, const struct link_header *header,
				       const struct link_geometry *geometry)
{
	struct receiver *receiver = decoder->receiver;
	struct receive_slot **place = NULL, *slot = NULL;
	struct receive_object *object;
	bool has_piece, is_whole, is_news;

	if (is_ignored(decoder, header))
		return NULL;
	object = receive_objects_want(&receiver->objects, header, geometry, NULL, &is_news);
	if (object == NULL) {
		ignore(decoder, header, false);
		return NULL;
	}
	receive_objects_lock(&receiver->objects);
	is_whole = receive_bit(object->whole, header->generation);
	receive_objects_unlock(&receiver->objects);
	if (!is_whole) {
		place = place_for_slot(decoder);
		while ((slot = receive_slots_open(receiver->slots, 1000)) == NULL && !atomic_load(&receiver->stop))
			;
	}
	if (slot == NULL) {
		receive_objects_release(&receiver->objects, object);
		return NULL;
	}
	receive_slots_settle(receiver->slots, object, header->generation);
	receive_objects_lock(&receiver->objects);
	has_piece = receive_bit(object->pieces, header->generation);
	receive_objects_unlock(&receiver->objects);
	slot->object = object;
	slot->number = header->generation;
	link_generation_begin(slot->generation, geometry, header->generation);
	if (has_piece && (!receive_partial_get_piece(receiver->objects_fd, &object->info, slot->generation) ||
			  link_generation_is_whole(slot->generation)))
		link_generation_begin(slot->generation, geometry, header->generation);
	*place = slot;
	return place;
}

static void take_symbol(struct decoder *decoder, const struct link_header *header, const struct link_geometry *geometry,
			const uint8_t *payload)
{
	struct receive_slot **slot = slot_of(decoder, header);
	struct receive_counts *counts = &decoder->receiver->counts;

	atomic_store_explicit(&decoder->receiver->data_heard, decoder->now, memory_order_relaxed);
	if (slot == NULL && !is_late(decoder, header))
		slot = open_slot(decoder, header, geometry);
	if (slot == NULL) {
		receive_add_own(counts, RECEIVE_SPARE, 1);
		return;
	}
	(*slot)->heard = decoder->now;
	switch (link_generation_take((*slot)->generation, header, payload)) {
	case LINK_TAKE_NEW:
		(*slot)->is_news = true;
		receive_add_own(counts, RECEIVE_SYMBOLS, 1);
		return;
	case LINK_TAKE_WHOLE:
		receive_add_own(counts, RECEIVE_SYMBOLS, 1);
		finish(decoder, *slot);
		hand_over(decoder, slot);
		return;
	case LINK_TAKE_SPARE:
	case LINK_TAKE_REPEAT:
		receive_add_own(counts, RECEIVE_SPARE, 1);
		return;
	}
}

static void take_announcement(struct decoder *decoder, const struct link_header *header,
			      const struct link_geometry *geometry, const uint8_t *payload)
{
	struct receiver *receiver = decoder->receiver;
	struct link_announcement announcement;
	struct receive_object *object;
	bool is_news;

	if (!link_announcement_read(header, payload, &announcement)) {
		receive_add_own(&receiver->counts, RECEIVE_BAD_FORM, 1);
		return;
	}
	atomic_store(&receiver->data_heard, decoder->now);
	if (announcement.version > atomic_load(&receiver->newest_version))
		atomic_store(&receiver->newest_version, announcement.version);
	object = receive_objects_want(&receiver->objects, header, geometry, &announcement, &is_news);
	ignore(decoder, header, object != NULL);
	if (object == NULL)
		return;
	receive_objects_release(&receiver->objects, object);
}

static void take_message(struct decoder *decoder, const struct link_header *header, const uint8_t *payload, size_t size)
{
	struct receiver *receiver = decoder->receiver;
	struct link_beacon beacon;
	struct link_test test;

	if (header->kind == LINK_BEACON && link_beacon_read(payload, size, &beacon)) {
		if (receive_link_beacon(&receiver->link, header, &beacon))
			atomic_store(&receiver->sender_ends, beacon.state == LINK_SENDER_ENDING);
	} else if (header->kind == LINK_TEST && link_test_read(payload, size, &test)) {
		receive_link_test(&receiver->link, header, &test);
	} else if (header->kind != LINK_PROBE) { /* those are for `calibrate` */
		receive_add_own(&receiver->counts, RECEIVE_BAD_FORM, 1);
	}
}

static void take_packet(struct decoder *decoder, const uint8_t *packet, size_t size)
{
	struct receiver *receiver = decoder->receiver;
	struct receive_counts *counts = &receiver->counts;
	const uint8_t *session, *payload = packet + LINK_HEADER_SIZE;
	struct link_geometry geometry;
	struct link_header header;
	uint64_t sequence;
	bool is_repeat;

	if (link_packet_peek(packet, size, receiver->link_id, &session, &sequence) != LINK_TAKEN) {
		receive_add_own(counts, RECEIVE_STRAY, 1);
		return;
	}
	if (receive_sessions_prove(decoder->sessions, packet, size, session, sequence, counts, &is_repeat) == NULL) {
		receive_add_own(counts, RECEIVE_BAD_MAC, 1);
		return;
	}
	receive_add_own(counts, RECEIVE_PACKETS, 1);
	receive_add_own(counts, RECEIVE_BYTES, size);
	atomic_store_explicit(&receiver->any_heard, decoder->now, memory_order_relaxed);
	if (is_repeat)
		return;
	if (link_packet_read(packet, size, &header, &geometry) != LINK_TAKEN)
		receive_add_own(counts, RECEIVE_BAD_FORM, 1);
	else if (header.kind == LINK_SYMBOL)
		take_symbol(decoder, &header, &geometry, payload);
	else if (header.kind == LINK_ANNOUNCEMENT)
		take_announcement(decoder, &header, &geometry, payload);
	else
		take_message(decoder, &header, payload, size - LINK_OVERHEAD);
}

/* --- the thread ------------------------------------------------------------------------------------------------------ */

/* What nothing more came of leaves; all of it where the thread ends. */
static void close_silent(struct decoder *decoder, bool all)
{
	for (size_t i = 0; i < LIMIT_RECEIVE_SLOTS_OPEN; i++)
		if (decoder->open[i] != NULL && (all || decoder->now - decoder->open[i]->heard > SILENT))
			hand_over(decoder, &decoder->open[i]);
	for (size_t i = 0; i < LIMIT_RECEIVE_TALLIES; i++)
		if (all || decoder->now - decoder->lates[i].heard > TALLY_SILENT)
			close_late(decoder, &decoder->lates[i]);
}

/* Another processor wrote it: it is here by the time that the one before is done. */
static void fetch(const struct receive_cell *cell)
{
	for (size_t at = 0; at < cell->size && at < FETCHED; at += CACHE_LINE)
		__builtin_prefetch(cell->data + at);
}

void *receive_decoder_main(void *argument)
{
	struct receiver *receiver = argument;
	_cleanup_free_ struct decoder *decoder = xcalloc(1, sizeof(*decoder));
	int64_t swept = 0;

	decoder->receiver = receiver;
	decoder->sessions = receive_sessions_new(receiver->key);
	decoder->fec = fec_decoder_new(FEC_ENGINE_BEST);
	for (;;) {
		bool is_reading = !atomic_load(&receiver->stop) || atomic_load(&receiver->is_reading);
		struct receive_cell *cells;
		size_t n = receive_ring_wait(receiver->ring, is_reading ? 100 : 0, &cells);

		if (n == 0 && !is_reading)
			break;
		decoder->now = receive_ticks();
		for (size_t i = 0; i < n; i++) {
			if (i + 1 < n)
				fetch(&cells[i + 1]);
			for (size_t at = 0; at < cells[i].size; at += cells[i].segment)
				take_packet(decoder, cells[i].data + at,
					    cells[i].size - at < cells[i].segment ? cells[i].size - at
										  : cells[i].segment);
		}
		receive_ring_pop(receiver->ring, n);
		if (decoder->now - swept > SILENT / 5) {
			close_silent(decoder, false);
			swept = decoder->now;
		}
	}
	close_silent(decoder, true);
	fec_decoder_free(decoder->fec);
	receive_sessions_free(decoder->sessions);
	atomic_store(&receiver->is_decoding, false);
	receive_slots_close(receiver->slots, RECEIVE_SLOT_STORE);
	return NULL;
}
