/* SPDX-License-Identifier: ISC
 *
 * link_packet: the header's fields at their offsets; a field that a kind does not have is zero.
 */
#include "bundle/link_packet.h"

#include <string.h>

#include "bundle/fec.h"
#include "bundle/limits.h"
#include "bundle/link_bytes.h"
#include "bundle/link_message.h"

#define MAGIC "CLk1"

enum {
	AT_MAGIC = 0,
	AT_LINK_ID = 4,
	AT_KIND = 8,
	AT_SCHEME = 9,
	AT_SYMBOL_SIZE = 10,
	AT_GENERATION = 12,
	AT_SESSION = 16,
	AT_SEQUENCE = 32,
	AT_OBJECT = 40,
	AT_OBJECT_SIZE = 56,
	AT_STRIPE = 64,
	AT_INDEX = 65,
	AT_K = 66,
	AT_STRIPES = 67,
	AT_REPAIR = 68,
	AT_ZERO = 69,
};

const char *link_drop_name(enum link_drop drop)
{
	static const char *const names[LINK_DROP_N] = {
		[LINK_TAKEN] = "taken",      [LINK_DROP_SIZE] = "size",
		[LINK_DROP_MAGIC] = "magic", [LINK_DROP_STRANGER] = "stranger",
		[LINK_DROP_MAC] = "mac",     [LINK_DROP_FORM] = "form",
	};

	return names[drop];
}

void link_packet_put(uint8_t *packet, const struct link_header *header, const uint8_t link_id[LINK_ID_SIZE])
{
	memset(packet, 0, LINK_HEADER_SIZE);
	memcpy(packet + AT_MAGIC, MAGIC, sizeof(MAGIC) - 1);
	memcpy(packet + AT_LINK_ID, link_id, LINK_ID_SIZE);
	packet[AT_KIND] = (uint8_t)header->kind;
	memcpy(packet + AT_SESSION, header->session, LINK_SESSION_SIZE);
	put64(packet + AT_SEQUENCE, header->sequence);
	if (header->kind != LINK_SYMBOL && header->kind != LINK_ANNOUNCEMENT)
		return;
	packet[AT_SCHEME] = LINK_SCHEME_CAUCHY;
	put16(packet + AT_SYMBOL_SIZE, header->symbol_size);
	memcpy(packet + AT_OBJECT, header->object, LINK_OBJECT_ID_SIZE);
	put64(packet + AT_OBJECT_SIZE, header->object_size);
	if (header->kind != LINK_SYMBOL)
		return;
	put32(packet + AT_GENERATION, header->generation);
	packet[AT_STRIPE] = header->stripe;
	packet[AT_INDEX] = header->index;
	packet[AT_K] = header->k;
	packet[AT_STRIPES] = header->stripes;
	packet[AT_REPAIR] = header->repair;
}

enum link_drop link_packet_peek(const uint8_t *packet, size_t size, const uint8_t link_id[LINK_ID_SIZE],
				const uint8_t **ret_session, uint64_t *ret_sequence)
{
	if (size < LINK_OVERHEAD || size > LINK_PACKET_SIZE_MAX)
		return LINK_DROP_SIZE;
	if (memcmp(packet + AT_MAGIC, MAGIC, sizeof(MAGIC) - 1) != 0)
		return LINK_DROP_MAGIC;
	if (memcmp(packet + AT_LINK_ID, link_id, LINK_ID_SIZE) != 0)
		return LINK_DROP_STRANGER;
	*ret_session = packet + AT_SESSION;
	*ret_sequence = get64(packet + AT_SEQUENCE);
	return LINK_TAKEN;
}

/* Whether a payload may have SIZE bytes. */
static bool is_payload_size(const struct link_header *header, size_t size)
{
	switch (header->kind) {
	case LINK_SYMBOL:
		return size == header->symbol_size;
	case LINK_ANNOUNCEMENT:
		return size == LINK_ANNOUNCEMENT_SIZE;
	case LINK_BEACON:
		return size == LINK_BEACON_PAYLOAD_SIZE;
	case LINK_PROBE:
		return size >= LINK_PROBE_HEAD_SIZE;
	case LINK_TEST:
		return size >= LINK_TEST_HEAD_SIZE && size <= LINK_TEST_HEAD_SIZE + LIMIT_LINK_TEXT_SIZE;
	}
	return false;
}

/* Whether a symbol is one that is sent: a source symbol of the object, or a row of repair. */
static bool is_symbol(const struct link_header *header, const struct link_geometry *geometry)
{
	struct link_generation_shape shape;

	if (header->generation >= geometry->n_generations)
		return false;
	link_geometry_shape(geometry, header->generation, &shape);
	if (shape.n_symbols == 0 || header->k != shape.k || header->stripes != shape.stripes ||
	    header->stripe >= shape.stripes || header->repair > FEC_ROWS - shape.k)
		return false;
	return header->index >= shape.k || header->index < link_shape_sources(&shape, header->stripe);
}

/* The fields of symbols and announcements. */
static bool read_object(const uint8_t *packet, struct link_header *header, struct link_geometry *ret_geometry)
{
	if (packet[AT_SCHEME] != LINK_SCHEME_CAUCHY)
		return false;
	header->symbol_size = get16(packet + AT_SYMBOL_SIZE);
	memcpy(header->object, packet + AT_OBJECT, LINK_OBJECT_ID_SIZE);
	header->object_size = get64(packet + AT_OBJECT_SIZE);
	if (!link_geometry_make(header->object_size, header->symbol_size, ret_geometry))
		return false;
	if (header->kind == LINK_ANNOUNCEMENT)
		return all_zero(packet + AT_GENERATION, 4) &&
		       all_zero(packet + AT_STRIPE, LINK_HEADER_SIZE - AT_STRIPE);
	header->generation = get32(packet + AT_GENERATION);
	header->stripe = packet[AT_STRIPE];
	header->index = packet[AT_INDEX];
	header->k = packet[AT_K];
	header->stripes = packet[AT_STRIPES];
	header->repair = packet[AT_REPAIR];
	return all_zero(packet + AT_ZERO, LINK_HEADER_SIZE - AT_ZERO) && is_symbol(header, ret_geometry);
}

enum link_drop link_packet_read(const uint8_t *packet, size_t size, struct link_header *ret_header,
				struct link_geometry *ret_geometry)
{
	struct link_header header = {0};
	struct link_geometry geometry = {0};
	const unsigned kind = packet[AT_KIND];

	if (kind < LINK_SYMBOL || kind > LINK_TEST)
		return LINK_DROP_FORM;
	header.kind = (enum link_kind)kind;
	memcpy(header.session, packet + AT_SESSION, LINK_SESSION_SIZE);
	header.sequence = get64(packet + AT_SEQUENCE);
	if (header.sequence > LIMIT_LINK_SEQUENCE)
		return LINK_DROP_FORM;
	if (kind == LINK_SYMBOL || kind == LINK_ANNOUNCEMENT) {
		if (!read_object(packet, &header, &geometry))
			return LINK_DROP_FORM;
	} else if (!all_zero(packet + AT_SCHEME, AT_SESSION - AT_SCHEME) ||
		   !all_zero(packet + AT_OBJECT, LINK_HEADER_SIZE - AT_OBJECT)) {
		return LINK_DROP_FORM;
	}
	if (!is_payload_size(&header, size - LINK_OVERHEAD))
		return LINK_DROP_FORM;
	*ret_header = header;
	*ret_geometry = geometry;
	return LINK_TAKEN;
}
