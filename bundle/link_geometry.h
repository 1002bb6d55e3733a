/* SPDX-License-Identifier: ISC
 *
 * link_geometry: how an object is cut into generations, blocks and symbols (FORMAT.md 29.6): a pure function of its size and the size of a symbol.
 *
 * An object's symbols are shared out evenly over as few generations as hold them. Symbol n of a generation is the object's bytes from the
 * generation's offset + n x symbol_size; it is source symbol n / stripes of the
 * block n % stripes, so that a burst spreads over the blocks. Where a generation has not stripes x k symbols, the last symbol of its last
 * blocks is beyond the object: zeros, which are never sent; so are the bytes that the object's last symbol lacks.
 */
#ifndef BUNDLE_LINK_GEOMETRY_H
#define BUNDLE_LINK_GEOMETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/limits.h"

struct link_geometry {
	uint64_t object_size;
	uint16_t symbol_size;
	uint32_t n_generations;   /* at least 1: an empty object has one, with no symbols */
	uint32_t generation_size; /* bytes of the longest, with what pads its last symbol */
};

struct link_generation_shape {
	uint32_t number;
	uint64_t offset;    /* of the object */
	uint32_t size;      /* bytes, without what pads the last symbol */
	uint32_t n_symbols; /* source symbols that are sent: 0 to LIMIT_LINK_SYMBOLS */
	uint8_t k, stripes; /* 0 where there is no symbol */
};

/* What fits an IP packet of MTU bytes (of IPv6: 20 bytes less), in whole 8 bytes and at most LIMIT_LINK_SYMBOL_SIZE; 0: not one. */
uint16_t link_symbol_size(unsigned mtu, bool is_ipv6);
/* The same for one object: one that is smaller than a symbol has smaller symbols. */
uint16_t link_symbol_size_for(uint64_t object_size, uint16_t largest);

/* False where SYMBOL_SIZE is not a multiple of 8 from 8 to LIMIT_LINK_SYMBOL_SIZE, or the object is past LIMIT_LINK_OBJECT_SIZE or
 * LIMIT_LINK_GENERATIONS. */
bool link_geometry_make(uint64_t object_size, uint16_t symbol_size, struct link_geometry *ret_geometry);

/* NUMBER is below n_generations. */
void link_geometry_shape(const struct link_geometry *geometry, uint32_t number,
			 struct link_generation_shape *ret_shape);

/* Source symbols of the block STRIPE that are sent: k, or k - 1. */
unsigned link_shape_sources(const struct link_generation_shape *shape, unsigned stripe);

/* Repair symbols of each block of K at PERCENT (0 to LIMIT_LINK_PERCENT): rounded up; of short blocks more: at
 * least 12, or K + 2 where that is less; none at 0. */
unsigned link_repair_count(unsigned k, unsigned percent);
/* The first of the REPAIR rows that CYCLE sends; the others follow as in fec_encoder_new. Cycles send other rows until they were all sent. */
unsigned link_repair_first_row(unsigned k, unsigned repair, uint32_t cycle);

#endif
