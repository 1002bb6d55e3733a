/* SPDX-License-Identifier: ISC
 *
 * link_geometry: arithmetic alone.
 */
#include "bundle/link_geometry.h"

#include "bundle/fec.h"
#include "bundle/link_packet.h"

#define SYMBOL_UNIT 8
#define IPV4_UDP_SIZE 28
#define IPV6_UDP_SIZE 48
/* A block of less gives no burst a chance. */
#define BLOCK_LEAST 8
/* Repair symbols of a short block, for percents alone protect a large one: 12 of each of 16 blocks outlast a burst of 192 packets, and at 1 %
 * random loss a block of 100 fails once in 10^9. A block of a few symbols needs no more than to be there twice. */
#define REPAIR_LEAST 12
#define REPAIR_LEAST_OVER 2

_Static_assert(LIMIT_LINK_SYMBOL_SIZE % SYMBOL_UNIT == 0, "symbols are of whole units");
_Static_assert(LIMIT_LINK_K + LIMIT_LINK_K * LIMIT_LINK_PERCENT / 100 <= FEC_ROWS, "a full block has its repair rows");

uint16_t link_symbol_size(unsigned mtu, bool is_ipv6)
{
	const unsigned around = (is_ipv6 ? IPV6_UDP_SIZE : IPV4_UDP_SIZE) + LINK_OVERHEAD;
	const unsigned size = mtu <= around ? 0 : (mtu - around) / SYMBOL_UNIT * SYMBOL_UNIT;

	return (uint16_t)(size > LIMIT_LINK_SYMBOL_SIZE ? LIMIT_LINK_SYMBOL_SIZE : size);
}

uint16_t link_symbol_size_for(uint64_t object_size, uint16_t largest)
{
	if (object_size >= largest)
		return largest;
	if (object_size == 0)
		return SYMBOL_UNIT;
	return (uint16_t)((object_size + SYMBOL_UNIT - 1) / SYMBOL_UNIT * SYMBOL_UNIT);
}

/* Blocks of a full generation. */
static unsigned full_stripes(uint16_t symbol_size)
{
	const unsigned stripes = LIMIT_LINK_GENERATION_SIZE / (LIMIT_LINK_K * symbol_size);

	return stripes > LIMIT_LINK_STRIPES ? LIMIT_LINK_STRIPES : stripes;
}

/* Source symbols of a full generation. */
static unsigned full_symbols(uint16_t symbol_size)
{
	return full_stripes(symbol_size) * LIMIT_LINK_K;
}

bool link_geometry_make(uint64_t object_size, uint16_t symbol_size, struct link_geometry *ret_geometry)
{
	uint64_t n_symbols, n_generations;

	if (symbol_size == 0 || symbol_size % SYMBOL_UNIT != 0 || symbol_size > LIMIT_LINK_SYMBOL_SIZE ||
	    object_size > LIMIT_LINK_OBJECT_SIZE)
		return false;
	n_symbols = (object_size + symbol_size - 1) / symbol_size;
	n_generations = n_symbols == 0 ? 1 : (n_symbols + full_symbols(symbol_size) - 1) / full_symbols(symbol_size);
	if (n_generations > LIMIT_LINK_GENERATIONS)
		return false;
	*ret_geometry = (struct link_geometry){
		.object_size = object_size,
		.symbol_size = symbol_size,
		.n_generations = (uint32_t)n_generations,
		.generation_size = (uint32_t)((n_symbols + n_generations - 1) / n_generations * symbol_size),
	};
	return true;
}

void link_geometry_shape(const struct link_geometry *geometry, uint32_t number, struct link_generation_shape *ret_shape)
{
	/* Even generations: a short one would have short blocks, which a burst takes whole. */
	const uint64_t all = (geometry->object_size + geometry->symbol_size - 1) / geometry->symbol_size;
	const uint32_t each = (uint32_t)(all / geometry->n_generations);
	const uint32_t n_longer = (uint32_t)(all % geometry->n_generations);
	const unsigned n_symbols = each + (number < n_longer);
	const uint64_t offset = ((uint64_t)number * each + (number < n_longer ? number : n_longer)) *
				geometry->symbol_size;
	const uint64_t left = geometry->object_size - offset;
	const uint32_t places = n_symbols * geometry->symbol_size;
	const uint32_t size = left < places ? (uint32_t)left : places;
	unsigned stripes = full_stripes(geometry->symbol_size);

	if (n_symbols < stripes * BLOCK_LEAST)
		stripes = n_symbols < BLOCK_LEAST ? 1 : n_symbols / BLOCK_LEAST;
	*ret_shape = (struct link_generation_shape){
		.number = number,
		.offset = offset,
		.size = size,
		.n_symbols = n_symbols,
		.k = (uint8_t)(n_symbols == 0 ? 0 : (n_symbols + stripes - 1) / stripes),
		.stripes = (uint8_t)(n_symbols == 0 ? 0 : stripes),
	};
}

unsigned link_shape_sources(const struct link_generation_shape *shape, unsigned stripe)
{
	return (unsigned)(shape->k - 1) * shape->stripes + stripe < shape->n_symbols ? shape->k : shape->k - 1U;
}

unsigned link_repair_count(unsigned k, unsigned percent)
{
	const unsigned least = k + REPAIR_LEAST_OVER < REPAIR_LEAST ? k + REPAIR_LEAST_OVER : REPAIR_LEAST;
	const unsigned count = (k * percent + 99) / 100;

	if (percent == 0 || k == 0)
		return 0;
	return count < least ? least : count;
}

unsigned link_repair_first_row(unsigned k, unsigned repair, uint32_t cycle)
{
	return k + (unsigned)((uint64_t)cycle * repair % (FEC_ROWS - k));
}
