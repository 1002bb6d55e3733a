/* SPDX-License-Identifier: ISC
 *
 * link_generation: one generation that arrives: symbols in any order, repeated, from whatever cycle or session. No input or output, no clock, no
 * memory but its own.
 *
 * It needs no room for repair symbols: one that comes waits in the place of a source symbol that has not come. So a generation is its places, in the
 * order of the object, and what each place holds; both can be written to a file as they are and taken up again. It is whole when each
 * block holds as many symbols as it has places: any k of n.
 */
#ifndef BUNDLE_LINK_GENERATION_H
#define BUNDLE_LINK_GENERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/fec.h"
#include "bundle/link_geometry.h"
#include "bundle/link_packet.h"

/* A slot for one generation after another, of any object. */
struct link_generation;

/* Room for the largest generation: LIMIT_LINK_GENERATION_SIZE bytes, touched as they are used, and about 10 KiB. */
struct link_generation *link_generation_new(void);
void link_generation_free(struct link_generation *generation);
void link_generation_freep(struct link_generation **generation);

/* Forgets all, and expects this one. */
void link_generation_begin(struct link_generation *generation, const struct link_geometry *geometry, uint32_t number);
const struct link_generation_shape *link_generation_shape(const struct link_generation *generation);

enum link_take {
	LINK_TAKE_NEW,    /* kept; more are needed */
	LINK_TAKE_WHOLE,  /* kept, and was the last that was needed: link_generation_restore */
	LINK_TAKE_SPARE,  /* not needed: its block has enough. Distinct ones are counted: the margin */
	LINK_TAKE_REPEAT, /* seen before */
};

/* Takes the symbol of HEADER, as link_packet_read let it through for this object and generation; PAYLOAD is copied. */
enum link_take link_generation_take(struct link_generation *generation, const struct link_header *header,
				    const uint8_t *payload);

/* Whether every block has enough symbols (an empty one has). */
bool link_generation_is_whole(const struct link_generation *generation);

/* Computes the source symbols that never came, in their places; counts them. Only when whole; once. */
unsigned link_generation_restore(struct link_generation *generation, struct fec_decoder *decoder);

/* The places: shape.n_symbols x symbol_size bytes. After link_generation_restore the first shape.size of them are the object's. */
const uint8_t *link_generation_bytes(const struct link_generation *generation, size_t *ret_size);

/* Symbols that are still needed, over all blocks. */
unsigned link_generation_missing(const struct link_generation *generation);

/* What happened to its blocks, after which its bytes may be gone: a copy of it goes on counting symbols that come late. */
struct link_tally {
	uint32_t number;
	uint8_t stripes;
	uint8_t repair; /* the most that a header named */
	struct link_block_tally {
		uint16_t needed;   /* source symbols that are sent */
		uint16_t n_seen;   /* distinct symbols that came in all */
		uint16_t n_source; /* of which source symbols */
		uint8_t seen[FEC_ROWS / 8];
	} blocks[LIMIT_LINK_STRIPES];
};
const struct link_tally *link_generation_tally(const struct link_generation *generation);
/* Counts a symbol that came after: true where it is a new one. */
bool link_tally_count(struct link_tally *tally, const struct link_header *header);
/* The parity left unused, in symbols, of the block that had the least: negative where one lacked as many; 0 for an empty generation. */
int link_tally_margin(const struct link_tally *tally);

/* What each place holds, for a file beside the places: size of it, written, and read for the generation that was begun (false, and nothing kept,
 * where it is not of this form). After reading it the caller fills the places (link_generation_places) from its file. */
size_t link_generation_state_size(const struct link_generation_shape *shape);
void link_generation_state_put(const struct link_generation *generation, uint8_t *state);
bool link_generation_state_read(struct link_generation *generation, const uint8_t *state, size_t size);
uint8_t *link_generation_places(struct link_generation *generation);

#endif
