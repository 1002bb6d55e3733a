/* SPDX-License-Identifier: ISC
 *
 * link_packet: one UDP datagram of the link (FORMAT.md 29.3): header, payload, MAC. What came is used in three steps: link_packet_peek says
 * which session and sequence it claims, link_open (link_key.h) that it is genuine, link_packet_read what it says, every field within bounds.
 */
#ifndef BUNDLE_LINK_PACKET_H
#define BUNDLE_LINK_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/link_geometry.h"
#include "bundle/link_key.h"

#define LINK_HEADER_SIZE 72
/* All that is not payload. */
#define LINK_OVERHEAD (LINK_HEADER_SIZE + LINK_MAC_SIZE)
#define LINK_PACKET_SIZE_MAX (LINK_OVERHEAD + LIMIT_LINK_SYMBOL_SIZE)
#define LINK_OBJECT_ID_SIZE 16

enum link_kind {
	LINK_SYMBOL = 1,
	LINK_ANNOUNCEMENT = 2,
	LINK_BEACON = 3,
	LINK_PROBE = 4,
	LINK_TEST = 5,
};

/* The FEC scheme of symbols and announcements: bundle/fec.h over bundle/link_geometry.h. */
#define LINK_SCHEME_CAUCHY 1

struct link_header {
	enum link_kind kind;
	uint8_t session[LINK_SESSION_SIZE];
	uint64_t sequence;
	/* Symbols and announcements; all zero otherwise. */
	uint16_t symbol_size;
	uint8_t object[LINK_OBJECT_ID_SIZE]; /* the first bytes of its SHA-256 */
	uint64_t object_size;
	/* Symbols. */
	uint32_t generation;
	uint8_t stripe;
	uint8_t index; /* below k a source symbol, else the row of a repair symbol */
	uint8_t k, stripes;
	uint8_t repair; /* symbols for each block that this cycle sends; 0 to 256 - k */
};

/* Why a packet was not taken: counted, one counter each. */
enum link_drop {
	LINK_TAKEN,
	LINK_DROP_SIZE,     /* shorter than a header and a MAC, or longer than any packet */
	LINK_DROP_MAGIC,    /* not of this format and version */
	LINK_DROP_STRANGER, /* of another link id */
	LINK_DROP_MAC,      /* not made with the link's key: link_open */
	LINK_DROP_FORM,     /* genuine, and outside the form */
	LINK_DROP_N
};
/* "stranger", …: names of counters. */
const char *link_drop_name(enum link_drop drop);

/* Writes HEADER's LINK_HEADER_SIZE bytes. The fields that its kind does not have are written as zero, whatever they are. */
void link_packet_put(uint8_t *packet, const struct link_header *header, const uint8_t link_id[LINK_ID_SIZE]);

/* Size, magic and link id of SIZE bytes; session (16 bytes within PACKET) and sequence as claimed. LINK_TAKEN: ask link_open. */
enum link_drop link_packet_peek(const uint8_t *packet, size_t size, const uint8_t link_id[LINK_ID_SIZE],
				const uint8_t **ret_session, uint64_t *ret_sequence);

/* Reads a packet that proved itself. The payload is PACKET + LINK_HEADER_SIZE, SIZE - LINK_OVERHEAD bytes, and has the size that its kind
 * must have. Of a symbol or announcement the object has a geometry (link_geometry.h), which is in *RET_GEOMETRY; of a symbol the generation is
 * one of it, k and stripes are that generation's, and the symbol is one that is sent. Otherwise LINK_DROP_FORM. */
enum link_drop link_packet_read(const uint8_t *packet, size_t size, struct link_header *ret_header,
				struct link_geometry *ret_geometry);

#endif
