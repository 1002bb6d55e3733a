/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a packet that proved itself: what is read lies within its object, and written again is the same packet. Its payload is then read
 * as what its kind says.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/link_message.h"
#include "bundle/link_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_symbol(const struct link_header *header, const struct link_geometry *geometry)
{
	struct link_generation_shape shape;

	if (header->generation >= geometry->n_generations)
		abort();
	link_geometry_shape(geometry, header->generation, &shape);
	if (header->stripe >= shape.stripes || header->k != shape.k || shape.stripes > LIMIT_LINK_STRIPES ||
	    shape.k > LIMIT_LINK_K || header->symbol_size > LIMIT_LINK_SYMBOL_SIZE ||
	    (uint64_t)shape.n_symbols * header->symbol_size > LIMIT_LINK_GENERATION_SIZE)
		abort();
	/* A source symbol begins within the object. */
	if (header->index < header->k &&
	    shape.offset + (uint64_t)(header->index * shape.stripes + header->stripe) * header->symbol_size >=
		    header->object_size)
		abort();
}

/* What reads back is what was written: no two payloads mean the same. */
static void same(const uint8_t *payload, const uint8_t *again, size_t size)
{
	if (memcmp(payload, again, size) != 0)
		abort();
}

static void read_payload(const struct link_header *header, const uint8_t *payload, size_t size)
{
	uint8_t again[LINK_MESSAGE_SIZE_MAX];
	struct link_announcement announcement;
	struct link_beacon beacon;
	struct link_probe probe;
	struct link_test test;

	if (header->kind == LINK_ANNOUNCEMENT && link_announcement_read(header, payload, &announcement))
		same(payload, again, link_announcement_put(&announcement, again));
	if (header->kind == LINK_BEACON && link_beacon_read(payload, size, &beacon))
		same(payload, again, link_beacon_put(&beacon, again));
	if (header->kind == LINK_PROBE && link_probe_read(payload, size, &probe))
		same(payload, again, link_probe_put(&probe, again));
	if (header->kind == LINK_TEST && link_test_read(payload, size, &test))
		same(payload, again, link_test_put(&test, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t link_id[LINK_ID_SIZE] = {1, 2, 3, 4};
	uint8_t again[LINK_HEADER_SIZE];
	struct link_geometry geometry;
	struct link_header header;
	const uint8_t *session;
	uint64_t sequence;

	if (link_packet_peek(data, size, link_id, &session, &sequence) != LINK_TAKEN)
		return 0;
	if (session < data || session + LINK_SESSION_SIZE > data + size)
		abort();
	if (link_packet_read(data, size, &header, &geometry) != LINK_TAKEN)
		return 0;
	link_packet_put(again, &header, link_id);
	if (header.sequence != sequence)
		abort();
	same(data, again, sizeof(again));
	if (header.kind == LINK_SYMBOL)
		check_symbol(&header, &geometry);
	read_payload(&header, data + LINK_HEADER_SIZE, size - LINK_OVERHEAD);
	return 0;
}
