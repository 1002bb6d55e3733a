/* SPDX-License-Identifier: ISC
 *
 * linkpackets: what a sender would send of one object, as packets in memory, for the tests of the receiver. Deterministic but for the
 * session.
 */
#ifndef TESTS_LINKPACKETS_H
#define TESTS_LINKPACKETS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "bundle/fec.h"
#include "bundle/hash.h"
#include "bundle/link_message.h"
#include "bundle/link_packet.h"
#include "tests/random.h"

#define LINKPACKETS_SYMBOL 64

struct linkpacket {
	size_t size;
	uint8_t bytes[LINK_OVERHEAD + 256];
};

/* A session of a sender, and the packets that it has made. */
struct linksender {
	uint8_t id[LINK_ID_SIZE], session[LINK_SESSION_SIZE];
	struct link_session *keys;
	uint64_t started, sequence;
	struct linkpacket *packets;
	size_t n_packets;
};

struct linkobject {
	uint8_t *bytes;
	size_t size;
	struct sha256 sha256;
	struct link_geometry geometry;
};

/* The key of a file that is made for it: there is no other way to have the same key twice. */
static inline struct link_key *linkpackets_key(void)
{
	return link_key_generate();
}

static inline void linksender_begin(struct linksender *sender, const struct link_key *key, uint64_t started)
{
	*sender = (struct linksender){.started = started};
	link_key_id(key, sender->id);
	link_session_random(sender->session);
	sender->keys = link_session_new(key, sender->session);
}

static inline void linksender_end(struct linksender *sender)
{
	link_session_free(sender->keys);
	free(sender->packets);
}

static inline void linkobject_make(struct linkobject *object, size_t size, uint64_t seed)
{
	object->size = size;
	object->bytes = xmalloc(size + 1);
	for (size_t i = 0; i < size; i++)
		object->bytes[i] = (uint8_t)random_next(&seed);
	hash_bytes(object->bytes, size, &object->sha256);
	link_geometry_make(size, LINKPACKETS_SYMBOL, &object->geometry);
}

static inline void linksender_add(struct linksender *sender, struct link_header *header, const uint8_t *payload,
				  size_t size)
{
	struct linkpacket *packet;

	header->sequence = sender->sequence++;
	memcpy(header->session, sender->session, LINK_SESSION_SIZE);
	/* Room for twice as many at each power of two. */
	if ((sender->n_packets & (sender->n_packets - 1)) == 0)
		sender->packets = xrealloc(sender->packets, sender->n_packets == 0 ? 1 : 2 * sender->n_packets,
					   sizeof(*sender->packets));
	packet = &sender->packets[sender->n_packets++];
	packet->size = LINK_OVERHEAD + size;
	link_packet_put(packet->bytes, header, sender->id);
	memcpy(packet->bytes + LINK_HEADER_SIZE, payload, size);
	link_seal(sender->keys, header->sequence, packet->bytes, LINK_HEADER_SIZE + size);
}

static inline struct link_header linkobject_header(const struct linkobject *object, enum link_kind kind)
{
	struct link_header header = {.kind = kind, .symbol_size = LINKPACKETS_SYMBOL, .object_size = object->size};

	memcpy(header.object, object->sha256.bytes, LINK_OBJECT_ID_SIZE);
	return header;
}

static inline void linksender_announce(struct linksender *sender, const struct linkobject *object, uint32_t cycle,
				       enum link_content content, uint64_t version)
{
	const struct link_announcement announcement = {.sha256 = object->sha256,
						       .started = sender->started,
						       .cycle = cycle,
						       .content = content,
						       .version = version,
						       .percent = 10};
	struct link_header header = linkobject_header(object, LINK_ANNOUNCEMENT);
	uint8_t payload[LINK_MESSAGE_SIZE_MAX];
	size_t size = link_announcement_put(&announcement, payload);

	linksender_add(sender, &header, payload, size);
}

static inline void linksender_repair(struct linksender *sender, struct link_header *header, uint8_t *const source[],
				     unsigned stripe, unsigned first_row, unsigned n)
{
	struct fec_encoder *encoder = fec_encoder_new(FEC_ENGINE_TABLES, header->k, first_row, n);
	uint8_t bytes[FEC_ROWS][LINKPACKETS_SYMBOL], *repair[FEC_ROWS];

	for (unsigned i = 0; i < n; i++)
		repair[i] = bytes[i];
	fec_encode(encoder, LINKPACKETS_SYMBOL, (const uint8_t *const *)source, repair);
	for (unsigned i = 0; i < n; i++) {
		unsigned row = first_row + i;

		header->stripe = (uint8_t)stripe;
		header->index = (uint8_t)(row > 255 ? row - 256 + header->k : row);
		linksender_add(sender, header, bytes[i], LINKPACKETS_SYMBOL);
	}
	fec_encoder_free(encoder);
}

/* One generation: source symbols, then the repair symbols of CYCLE. */
static inline void linksender_generation(struct linksender *sender, const struct linkobject *object, uint32_t number,
					 uint32_t cycle)
{
	struct link_header header = linkobject_header(object, LINK_SYMBOL);
	struct link_generation_shape shape;
	uint8_t *padded;
	unsigned n;

	link_geometry_shape(&object->geometry, number, &shape);
	if (shape.n_symbols == 0)
		return;
	n = link_repair_count(shape.k, 10);
	header.generation = number;
	header.k = shape.k;
	header.stripes = shape.stripes;
	header.repair = (uint8_t)n;
	padded = xcalloc(shape.n_symbols, LINKPACKETS_SYMBOL);
	memcpy(padded, object->bytes + shape.offset, shape.size);
	for (unsigned i = 0; i < shape.n_symbols; i++) {
		header.stripe = (uint8_t)(i % shape.stripes);
		header.index = (uint8_t)(i / shape.stripes);
		linksender_add(sender, &header, padded + (size_t)i * LINKPACKETS_SYMBOL, LINKPACKETS_SYMBOL);
	}
	for (unsigned s = 0; s < shape.stripes; s++) {
		uint8_t *source[FEC_ROWS] = {NULL};

		for (unsigned i = 0; i < link_shape_sources(&shape, s); i++)
			source[i] = padded + ((size_t)i * shape.stripes + s) * LINKPACKETS_SYMBOL;
		linksender_repair(sender, &header, source, s, link_repair_first_row(shape.k, n, cycle), n);
	}
	free(padded);
}

/* A whole cycle of OBJECT: announced, its generations, announced. */
static inline void linksender_cycle(struct linksender *sender, const struct linkobject *object, uint32_t cycle)
{
	linksender_announce(sender, object, cycle, LINK_CONTENT_FILE, 0);
	for (uint32_t i = 0; i < object->geometry.n_generations; i++)
		linksender_generation(sender, object, i, cycle);
	linksender_announce(sender, object, cycle, LINK_CONTENT_FILE, 0);
}

#endif
