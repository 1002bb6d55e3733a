/* SPDX-License-Identifier: ISC
 *
 * A generation from a state that any file may hold, and then symbols in any order. Two bytes are the object's size in symbols of 8 bytes, then
 * comes the state (made of its form where it is not), then pairs of stripe and index. Whole it is exactly when nothing is missing.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/link_generation.h"

#define SYMBOL 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_one(struct link_generation *generation, const struct link_geometry *geometry, uint8_t stripe,
		     uint8_t index)
{
	static const uint8_t payload[SYMBOL];
	const struct link_generation_shape *shape = link_generation_shape(generation);
	const unsigned missing = link_generation_missing(generation);
	const struct link_header header = {
		.kind = LINK_SYMBOL,
		.symbol_size = SYMBOL,
		.object_size = geometry->object_size,
		.stripe = stripe,
		.index = index,
		.k = shape->k,
		.stripes = shape->stripes,
	};
	enum link_take take;

	/* What link_packet_read does not let through. */
	if (stripe >= shape->stripes || (index < shape->k && index >= link_shape_sources(shape, stripe)))
		return;
	take = link_generation_take(generation, &header, payload);
	if (link_generation_missing(generation) != missing - (take == LINK_TAKE_NEW || take == LINK_TAKE_WHOLE))
		abort();
	if ((take == LINK_TAKE_WHOLE) != (missing == 1 && link_generation_is_whole(generation)))
		abort();
}

static void check_state(struct link_generation *generation)
{
	const size_t size = link_generation_state_size(link_generation_shape(generation));
	const unsigned missing = link_generation_missing(generation);
	_cleanup_free_ uint8_t *state = xmalloc(size + 1);

	link_generation_state_put(generation, state);
	if (!link_generation_state_read(generation, state, size) || link_generation_missing(generation) != missing)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(link_generation_freep) struct link_generation *generation = NULL;
	_cleanup_(fec_decoder_freep) struct fec_decoder *decoder = NULL;
	struct link_geometry geometry;
	size_t state_size;

	if (size < 2 || !link_geometry_make((uint64_t)(data[0] | data[1] << 8) % (LIMIT_LINK_SYMBOLS + 1) * SYMBOL,
					    SYMBOL, &geometry))
		return 0;
	generation = link_generation_new();
	decoder = fec_decoder_new(FEC_ENGINE_BEST);
	memset(link_generation_places(generation), 0, (size_t)geometry.generation_size);
	link_generation_begin(generation, &geometry, 0);
	data += 2;
	size -= 2;
	state_size = link_generation_state_size(link_generation_shape(generation));
	if (size >= state_size && link_generation_state_read(generation, data, state_size)) {
		data += state_size;
		size -= state_size;
	}
	for (; size >= 2; data += 2, size -= 2)
		take_one(generation, &geometry, data[0] % LIMIT_LINK_STRIPES, data[1]);
	check_state(generation);
	if (link_generation_is_whole(generation)) {
		link_generation_restore(generation, decoder);
		check_state(generation);
	}
	return 0;
}
