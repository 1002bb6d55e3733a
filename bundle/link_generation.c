/* SPDX-License-Identifier: ISC
 *
 * link_generation: the places of a block are numbered like its source symbols; place i of block s is the object's symbol i x stripes + s. A place is
 * empty, or holds its own source symbol, or a repair symbol that waits there.
 */
#include "bundle/link_generation.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "bundle/link_memory.h"

struct link_generation {
	struct link_geometry geometry;
	struct link_generation_shape shape;
	struct link_tally tally;
	struct {
		uint16_t n_held;
		uint16_t above; /* every place from this one on is full */
	} blocks[LIMIT_LINK_STRIPES];
	unsigned n_missing;
	uint8_t full[LIMIT_LINK_SYMBOLS / 8];
	uint8_t held[LIMIT_LINK_SYMBOLS]; /* the index of the symbol in a full place */
	uint8_t *places;
};

struct link_generation *link_generation_new(void)
{
	struct link_generation *generation = xcalloc(1, sizeof(*generation));

	generation->places = link_memory_new(LIMIT_LINK_GENERATION_SIZE);
	return generation;
}

void link_generation_free(struct link_generation *generation)
{
	if (generation == NULL)
		return;
	free(generation->places);
	free(generation);
}

void link_generation_freep(struct link_generation **generation)
{
	link_generation_free(*generation);
}

void link_generation_begin(struct link_generation *generation, const struct link_geometry *geometry, uint32_t number)
{
	uint8_t *places = generation->places;

	*generation = (struct link_generation){.geometry = *geometry, .places = places};
	link_geometry_shape(geometry, number, &generation->shape);
	generation->n_missing = generation->shape.n_symbols;
	generation->tally.number = number;
	generation->tally.stripes = generation->shape.stripes;
	for (unsigned s = 0; s < generation->shape.stripes; s++) {
		const unsigned needed = link_shape_sources(&generation->shape, s);

		generation->tally.blocks[s].needed = (uint16_t)needed;
		generation->blocks[s].above = (uint16_t)needed;
	}
}

const struct link_generation_shape *link_generation_shape(const struct link_generation *generation)
{
	return &generation->shape;
}

/* The number of place I of a block among all of the generation. */
static unsigned place_number(const struct link_generation *generation, unsigned stripe, unsigned i)
{
	return i * generation->shape.stripes + stripe;
}

static bool is_full(const struct link_generation *generation, unsigned number)
{
	return (generation->full[number / 8] >> (number % 8) & 1) != 0;
}

static uint8_t *place_bytes(const struct link_generation *generation, unsigned number)
{
	return generation->places + (size_t)number * generation->geometry.symbol_size;
}

static void hold(struct link_generation *generation, unsigned number, uint8_t index)
{
	generation->full[number / 8] |= (uint8_t)(1 << number % 8);
	generation->held[number] = index;
}

/* An empty place of a block that has one: from its end, for source symbols come from its beginning. */
static unsigned empty_place(struct link_generation *generation, unsigned stripe)
{
	unsigned i = generation->blocks[stripe].above;

	while (is_full(generation, place_number(generation, stripe, i - 1)))
		i--;
	generation->blocks[stripe].above = (uint16_t)i;
	return place_number(generation, stripe, i - 1);
}

/* Counts one more symbol of a block: false where it came before. */
static bool count_symbol(struct link_block_tally *block, unsigned k, unsigned index)
{
	const uint8_t bit = (uint8_t)(1 << index % 8);

	if ((block->seen[index / 8] & bit) != 0)
		return false;
	block->seen[index / 8] |= bit;
	block->n_seen++;
	if (index < k)
		block->n_source++;
	return true;
}

bool link_tally_count(struct link_tally *tally, const struct link_header *header)
{
	if (header->stripe >= tally->stripes || !count_symbol(&tally->blocks[header->stripe], header->k, header->index))
		return false;
	if (header->repair > tally->repair)
		tally->repair = header->repair;
	return true;
}

enum link_take link_generation_take(struct link_generation *generation, const struct link_header *header,
				    const uint8_t *payload)
{
	const unsigned stripe = header->stripe;
	unsigned number;

	if (header->generation != generation->shape.number || header->object_size != generation->geometry.object_size ||
	    header->symbol_size != generation->geometry.symbol_size || stripe >= generation->shape.stripes)
		die("a symbol of another generation");
	if (!link_tally_count(&generation->tally, header))
		return LINK_TAKE_REPEAT;
	if (generation->blocks[stripe].n_held == generation->tally.blocks[stripe].needed)
		return LINK_TAKE_SPARE;
	if (header->index >= generation->shape.k) {
		number = empty_place(generation, stripe);
	} else {
		number = place_number(generation, stripe, header->index);
		if (is_full(generation, number)) {
			const unsigned other = empty_place(generation, stripe);

			memcpy(place_bytes(generation, other), place_bytes(generation, number), header->symbol_size);
			hold(generation, other, generation->held[number]);
		}
	}
	memcpy(place_bytes(generation, number), payload, header->symbol_size);
	hold(generation, number, header->index);
	generation->blocks[stripe].n_held++;
	generation->n_missing--;
	return generation->n_missing == 0 ? LINK_TAKE_WHOLE : LINK_TAKE_NEW;
}

bool link_generation_is_whole(const struct link_generation *generation)
{
	return generation->n_missing == 0;
}

unsigned link_generation_missing(const struct link_generation *generation)
{
	return generation->n_missing;
}

/* The places of lost source symbols are those where repair symbols wait: as many, for the block is whole. */
static unsigned restore_block(struct link_generation *generation, unsigned stripe, struct fec_decoder *decoder)
{
	const uint8_t *source[FEC_ROWS] = {NULL};
	uint8_t *lost[FEC_ROWS / 2];
	struct fec_loss loss = {.k = generation->shape.k};

	for (unsigned i = 0; i < generation->tally.blocks[stripe].needed; i++) {
		const unsigned number = place_number(generation, stripe, i);

		if (generation->held[number] == i) {
			source[i] = place_bytes(generation, number);
			continue;
		}
		loss.lost[loss.n_lost] = (uint8_t)i;
		loss.rows[loss.n_lost] = generation->held[number];
		lost[loss.n_lost++] = place_bytes(generation, number);
		generation->held[number] = (uint8_t)i;
	}
	if (loss.n_lost > 0)
		fec_decode(decoder, &loss, generation->geometry.symbol_size, source, (const uint8_t *const *)lost,
			   lost);
	return loss.n_lost;
}

unsigned link_generation_restore(struct link_generation *generation, struct fec_decoder *decoder)
{
	unsigned n = 0;

	for (unsigned s = 0; s < generation->shape.stripes; s++)
		n += restore_block(generation, s, decoder);
	return n;
}

const uint8_t *link_generation_bytes(const struct link_generation *generation, size_t *ret_size)
{
	*ret_size = (size_t)generation->shape.n_symbols * generation->geometry.symbol_size;
	return generation->places;
}

uint8_t *link_generation_places(struct link_generation *generation)
{
	return generation->places;
}

const struct link_tally *link_generation_tally(const struct link_generation *generation)
{
	return &generation->tally;
}

int link_tally_margin(const struct link_tally *tally)
{
	int least = 0;

	for (unsigned s = 0; s < tally->stripes; s++) {
		const int margin = (int)tally->blocks[s].n_seen - (int)tally->blocks[s].needed;

		if (s == 0 || margin < least)
			least = margin;
	}
	return least;
}

/* A bit for each place, and what is in it. */
static size_t bitmap_size(const struct link_generation_shape *shape)
{
	return (shape->n_symbols + 7) / 8;
}

size_t link_generation_state_size(const struct link_generation_shape *shape)
{
	return bitmap_size(shape) + shape->n_symbols;
}

void link_generation_state_put(const struct link_generation *generation, uint8_t *state)
{
	memcpy(state, generation->full, bitmap_size(&generation->shape));
	memcpy(state + bitmap_size(&generation->shape), generation->held, generation->shape.n_symbols);
}

/* Takes place NUMBER as full with the symbol INDEX: false where that cannot be. */
static bool take_place(struct link_generation *generation, unsigned number, uint8_t index)
{
	const unsigned stripe = number % generation->shape.stripes;
	const bool is_own = index == number / generation->shape.stripes;

	if ((!is_own && index < generation->shape.k) ||
	    !count_symbol(&generation->tally.blocks[stripe], generation->shape.k, index))
		return false;
	hold(generation, number, index);
	generation->blocks[stripe].n_held++;
	generation->n_missing--;
	return true;
}

bool link_generation_state_read(struct link_generation *generation, const uint8_t *state, size_t size)
{
	const struct link_generation_shape shape = generation->shape;
	const struct link_geometry geometry = generation->geometry;
	const uint8_t *held = state + bitmap_size(&shape);
	bool is_form = size == link_generation_state_size(&shape);

	link_generation_begin(generation, &geometry, shape.number);
	for (unsigned i = 0; is_form && i < bitmap_size(&shape) * 8; i++) {
		const bool has = (state[i / 8] >> (i % 8) & 1) != 0;

		if (i >= shape.n_symbols)
			is_form = !has;
		else if (has)
			is_form = take_place(generation, i, held[i]);
		else
			is_form = held[i] == 0;
	}
	if (!is_form)
		link_generation_begin(generation, &geometry, shape.number);
	return is_form;
}
