/* SPDX-License-Identifier: ISC
 *
 * The whole way of an object, without a network: cycles of sealed packets over a wire that loses, repeats, reorders, damages and
 * forges them, mixes in other sessions and links, and a receiver that is now and then stopped and started again. Beside it a model that only
 * knows which symbols came. After every packet both must agree on whether the generation is whole: any k of n, never
 * fewer, never more; and what is whole must be the object, byte for byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/link_generation.h"
#include "bundle/link_key.h"
#include "bundle/link_packet.h"
#include "tests/random.h"

#define SEEDS 120
#define SYMBOL_MAX 64
#define PACKET_MAX (LINK_OVERHEAD + SYMBOL_MAX)
#define GENERATIONS_MAX 3
#define SESSIONS 3

struct packet {
	size_t size;
	uint8_t bytes[PACKET_MAX];
	bool is_genuine; /* as the sender made it */
};

struct world {
	uint64_t seed;
	struct link_key *key, *other_key;
	uint8_t id[LINK_ID_SIZE];
	uint8_t sessions[SESSIONS][LINK_SESSION_SIZE];
	uint64_t sequences[SESSIONS];
	struct link_geometry geometry;
	uint8_t object_id[LINK_OBJECT_ID_SIZE];
	uint8_t *object;        /* padded to whole symbols */
	unsigned percent, loss; /* of 100 */

	struct packet *wire;
	size_t n_wire, wire_max;

	/* The receiver. */
	struct link_session *opened[SESSIONS];
	struct link_generation *slots[GENERATIONS_MAX];
	bool is_done[GENERATIONS_MAX];
	struct fec_decoder *decoder;
	/* The model. */
	uint8_t came[GENERATIONS_MAX][LIMIT_LINK_STRIPES][FEC_ROWS];
	unsigned n_restored, n_dropped, n_damaged;
};

static void world_make(struct world *world, uint64_t seed)
{
	const uint64_t symbol_size = 8 * (1 + random_below(&seed, SYMBOL_MAX / 8));
	const uint64_t full = symbol_size * LIMIT_LINK_SYMBOLS;
	const uint64_t sizes[] = {1 + random_below(&seed, 20 * symbol_size), 1 + random_below(&seed, 300 * symbol_size),
				  full, full + 1 + random_below(&seed, full), 2 * full + 1 + random_below(&seed, full)};
	const uint64_t size = sizes[random_below(&seed, ARRAY_SIZE(sizes))];

	*world = (struct world){.key = link_key_generate(), .other_key = link_key_generate()};
	link_key_id(world->key, world->id);
	for (unsigned i = 0; i < SESSIONS; i++) {
		link_session_random(world->sessions[i]);
		world->opened[i] = link_session_new(world->key, world->sessions[i]);
	}
	assert_true(link_geometry_make(size, (uint16_t)symbol_size, &world->geometry));
	world->object = xcalloc(1, size + symbol_size);
	for (uint64_t i = 0; i < size; i++)
		world->object[i] = (uint8_t)random_next(&seed);
	memset(world->object_id, 0x42, sizeof(world->object_id));
	world->percent = (unsigned)random_below(&seed, LIMIT_LINK_PERCENT + 1);
	world->loss = (unsigned)random_below(&seed, 4) * (unsigned)random_below(&seed, 20);
	world->decoder = fec_decoder_new(FEC_ENGINE_BEST);
	for (unsigned i = 0; i < world->geometry.n_generations; i++) {
		world->slots[i] = link_generation_new();
		link_generation_begin(world->slots[i], &world->geometry, i);
	}
	world->seed = seed;
}

static void world_free(struct world *world)
{
	for (unsigned i = 0; i < SESSIONS; i++)
		link_session_free(world->opened[i]);
	for (unsigned i = 0; i < GENERATIONS_MAX; i++)
		link_generation_free(world->slots[i]);
	fec_decoder_free(world->decoder);
	link_key_free(world->key);
	link_key_free(world->other_key);
	free(world->object);
	free(world->wire);
}

static struct packet *wire_add(struct world *world)
{
	if (world->n_wire == world->wire_max) {
		world->wire_max = world->wire_max == 0 ? 1024 : 2 * world->wire_max;
		world->wire = xrealloc(world->wire, world->wire_max, sizeof(*world->wire));
	}
	memset(&world->wire[world->n_wire], 0, sizeof(*world->wire));
	return &world->wire[world->n_wire++];
}

/* Seals one symbol of a session, by KEY. */
static void put_symbol(struct world *world, unsigned session, struct link_session *seal, struct link_header *header,
		       const uint8_t *bytes)
{
	struct packet *packet = wire_add(world);

	header->kind = LINK_SYMBOL;
	header->sequence = world->sequences[session]++;
	header->symbol_size = world->geometry.symbol_size;
	header->object_size = world->geometry.object_size;
	memcpy(header->session, world->sessions[session], LINK_SESSION_SIZE);
	memcpy(header->object, world->object_id, LINK_OBJECT_ID_SIZE);
	link_packet_put(packet->bytes, header, world->id);
	memcpy(packet->bytes + LINK_HEADER_SIZE, bytes, header->symbol_size);
	packet->size = LINK_OVERHEAD + (size_t)header->symbol_size;
	link_seal(seal, header->sequence, packet->bytes, packet->size - LINK_MAC_SIZE);
	packet->is_genuine = true;
}

/* Repair symbols of a block, in REPAIR. */
static void encode_block(const struct world *world, const struct link_generation_shape *shape, unsigned stripe,
			 const struct fec_encoder *encoder, uint8_t *repair, unsigned n_repair)
{
	const size_t size = world->geometry.symbol_size;
	const uint8_t *source[FEC_ROWS] = {NULL};
	uint8_t *rows[FEC_ROWS];

	for (unsigned i = 0; i < link_shape_sources(shape, stripe); i++)
		source[i] = world->object + shape->offset + (i * shape->stripes + stripe) * size;
	for (unsigned j = 0; j < n_repair; j++)
		rows[j] = repair + j * size;
	fec_encode(encoder, size, source, rows);
}

static void send_repair(struct world *world, unsigned session, struct link_session *seal, uint32_t cycle,
			const struct link_generation_shape *shape)
{
	const unsigned n_repair = link_repair_count(shape->k, world->percent);
	const unsigned first = link_repair_first_row(shape->k, n_repair, cycle);
	const size_t size = world->geometry.symbol_size;
	_cleanup_(fec_encoder_freep) struct fec_encoder *encoder = NULL;
	_cleanup_free_ uint8_t *repair = NULL;

	if (n_repair == 0)
		return;
	encoder = fec_encoder_new(FEC_ENGINE_BEST, shape->k, first, n_repair);
	repair = xmalloc(shape->stripes * n_repair * size);
	for (unsigned s = 0; s < shape->stripes; s++)
		encode_block(world, shape, s, encoder, repair + s * n_repair * size, n_repair);
	for (unsigned j = 0; j < n_repair; j++) {
		for (unsigned s = 0; s < shape->stripes; s++) {
			struct link_header header = {
				.generation = shape->number,
				.stripe = (uint8_t)s,
				.index = (uint8_t)(shape->k + (first - shape->k + j) % (FEC_ROWS - shape->k)),
				.k = shape->k,
				.stripes = shape->stripes,
				.repair = (uint8_t)n_repair,
			};

			put_symbol(world, session, seal, &header, repair + (s * n_repair + j) * size);
		}
	}
}

/* One cycle of the object in one session. */
static void send_cycle(struct world *world, unsigned session, uint32_t cycle)
{
	_cleanup_(link_session_freep) struct link_session *seal = link_session_new(world->key,
										   world->sessions[session]);

	world->n_wire = 0;
	for (uint32_t g = 0; g < world->geometry.n_generations; g++) {
		struct link_generation_shape shape;

		link_geometry_shape(&world->geometry, g, &shape);
		for (unsigned n = 0; n < shape.n_symbols; n++) {
			struct link_header header = {
				.generation = g,
				.stripe = (uint8_t)(n % shape.stripes),
				.index = (uint8_t)(n / shape.stripes),
				.k = shape.k,
				.stripes = shape.stripes,
				.repair = (uint8_t)link_repair_count(shape.k, world->percent),
			};

			put_symbol(world, session, seal, &header,
				   world->object + shape.offset + n * (size_t)world->geometry.symbol_size);
		}
		send_repair(world, session, seal, cycle, &shape);
	}
}

/* What somebody without the key makes of a packet that passes: damage, a cut, other bytes behind it, a MAC of another key. */
static void forge(struct world *world, const struct packet *from)
{
	struct packet *packet = wire_add(world);
	_cleanup_(link_session_freep) struct link_session *seal = NULL;

	*packet = *from;
	packet->is_genuine = false;
	switch (random_below(&world->seed, 4)) {
	case 0:
		packet->bytes[random_below(&world->seed, packet->size)] ^= (uint8_t)(1
										     << random_below(&world->seed, 8));
		return;
	case 1:
		packet->size = random_below(&world->seed, packet->size);
		return;
	case 2:
		packet->size += packet->size + 8 <= PACKET_MAX ? 8 : (size_t)-8;
		return;
	default:
		packet->bytes[LINK_HEADER_SIZE] ^= 1;
		seal = link_session_new(world->other_key, world->sessions[0]);
		link_seal(seal, world->sequences[0], packet->bytes, packet->size - LINK_MAC_SIZE);
	}
}

/* Loses, repeats, forges; then every packet moves by up to 40 places. */
static void spoil(struct world *world)
{
	const size_t n_sent = world->n_wire;
	size_t kept = 0;

	for (size_t i = 0; i < n_sent; i++) {
		const struct packet packet = world->wire[i];

		if (random_below(&world->seed, 50) == 0)
			forge(world, &packet);
		if (random_below(&world->seed, 50) == 0)
			*wire_add(world) = packet;
	}
	for (size_t i = 0; i < world->n_wire; i++) {
		if (random_below(&world->seed, 100) >= world->loss)
			world->wire[kept++] = world->wire[i];
	}
	world->n_wire = kept;
	for (size_t i = 0; i < world->n_wire; i++) {
		const size_t near = i + random_below(&world->seed, 40);
		const size_t j = random_below(&world->seed, 200) == 0 ? random_below(&world->seed, kept) : near;
		struct packet packet = world->wire[i];

		if (j >= world->n_wire)
			continue;
		world->wire[i] = world->wire[j];
		world->wire[j] = packet;
	}
}

/* By the model: whether each block of a generation has as many symbols as it needs. */
static bool model_is_whole(const struct world *world, const struct link_generation_shape *shape)
{
	for (unsigned s = 0; s < shape->stripes; s++) {
		unsigned n = 0;

		for (unsigned i = 0; i < FEC_ROWS; i++)
			n += world->came[shape->number][s][i];
		if (n < link_shape_sources(shape, s))
			return false;
	}
	return true;
}

static void check_whole(struct world *world, uint32_t generation)
{
	struct link_generation *slot = world->slots[generation];
	const struct link_generation_shape *shape = link_generation_shape(slot);
	size_t size;
	const uint8_t *bytes;

	world->n_restored += link_generation_restore(slot, world->decoder);
	bytes = link_generation_bytes(slot, &size);
	assert_true(size >= shape->size);
	assert_memory_equal(bytes, world->object + shape->offset, size);
	world->is_done[generation] = true;
}

static void receive(struct world *world, const struct packet *packet)
{
	const uint8_t *session = NULL;
	struct link_geometry geometry;
	struct link_header header;
	enum link_take take;
	unsigned i = 0;
	uint64_t sequence;

	if (link_packet_peek(packet->bytes, packet->size, world->id, &session, &sequence) == LINK_TAKEN) {
		while (i < SESSIONS && memcmp(world->sessions[i], session, LINK_SESSION_SIZE) != 0)
			i++;
	} else {
		i = SESSIONS;
	}
	if (i == SESSIONS || !link_open(world->opened[i], sequence, packet->bytes, packet->size)) {
		assert_false(packet->is_genuine);
		world->n_dropped++;
		return;
	}
	assert_true(packet->is_genuine);
	assert_int_equal(link_packet_read(packet->bytes, packet->size, &header, &geometry), LINK_TAKEN);
	assert_int_equal(geometry.n_generations, world->geometry.n_generations);
	if (world->is_done[header.generation])
		return;
	take = link_generation_take(world->slots[header.generation], &header, packet->bytes + LINK_HEADER_SIZE);
	world->came[header.generation][header.stripe][header.index] = 1;
	assert_int_equal(take == LINK_TAKE_WHOLE,
			 model_is_whole(world, link_generation_shape(world->slots[header.generation])));
	if (take == LINK_TAKE_WHOLE)
		check_whole(world, header.generation);
}

/* The receiver is killed: what it has of each generation is in two files, from which another begins. */
static void restart(struct world *world)
{
	for (unsigned i = 0; i < world->geometry.n_generations; i++) {
		struct link_generation *next = link_generation_new();
		const struct link_generation_shape *shape = link_generation_shape(world->slots[i]);
		const size_t state_size = link_generation_state_size(shape);
		_cleanup_free_ uint8_t *state = xmalloc(state_size + 1);
		size_t size;
		const uint8_t *places = link_generation_bytes(world->slots[i], &size);

		link_generation_state_put(world->slots[i], state);
		link_generation_begin(next, &world->geometry, i);
		assert_true(link_generation_state_read(next, state, state_size));
		memcpy(link_generation_places(next), places, size);
		assert_int_equal(link_generation_missing(next), link_generation_missing(world->slots[i]));
		link_generation_free(world->slots[i]);
		world->slots[i] = next;
	}
}

static bool all_done(const struct world *world)
{
	for (unsigned i = 0; i < world->geometry.n_generations; i++) {
		if (!world->is_done[i])
			return false;
	}
	return true;
}

/* How many cycles it took. */
static unsigned run(struct world *world)
{
	unsigned cycle = 0;

	for (; cycle < 40 && !all_done(world); cycle++) {
		/* Sessions come back: an older one's packets are as good. */
		send_cycle(world, (unsigned)random_below(&world->seed, SESSIONS), cycle);
		spoil(world);
		for (size_t i = 0; i < world->n_wire; i++) {
			receive(world, &world->wire[i]);
			if (random_below(&world->seed, 3000) == 0)
				restart(world);
		}
	}
	return cycle;
}

static void test_model(void **state)
{
	unsigned n_restored = 0, n_dropped = 0, n_again = 0;

	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct world *world = xcalloc(1, sizeof(*world));
		unsigned cycles;

		world_make(world, seed);
		cycles = run(world);
		if (!all_done(world))
			fail_msg("seed %llu: not whole after %u cycles at %u %% loss", (unsigned long long)seed, cycles,
				 world->loss);
		n_restored += world->n_restored;
		n_dropped += world->n_dropped;
		n_again += cycles > 1;
		world_free(world);
		free(world);
	}
	/* The wire did what it was asked to. */
	assert_true(n_restored > 10000);
	assert_true(n_dropped > 10000);
	assert_true(n_again > SEEDS / 4);
	print_message("%d objects, %u symbols restored, %u packets dropped, %u needed another cycle\n", SEEDS,
		      n_restored, n_dropped, n_again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
	};

	link_key_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
