/* SPDX-License-Identifier: ISC
 *
 * fec: what the link's arithmetic costs, one line a measurement: erasure coding and MACs over the packets of one generation, of processor time.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/fec.h"
#include "bundle/link_generation.h"
#include "bundle/link_key.h"
#include "bundle/link_packet.h"
#include "tests/random.h"

#define SYMBOL 1384
#define K LIMIT_LINK_K
#define STRIPES LIMIT_LINK_STRIPES
#define PACKET (SYMBOL + LINK_OVERHEAD)
#define SECONDS 0.3
#define RUNS 3

struct bench {
	uint8_t *source;                    /* one generation */
	uint8_t *repair;                    /* FEC_ROWS - K symbols of each stripe */
	uint8_t *packets;                   /* the same as packets, sealed */
	const uint8_t *symbols[STRIPES][K]; /* in source */
	uint8_t *rows[STRIPES][FEC_ROWS - K];
	struct link_geometry geometry;
	struct link_session *session;
	struct fec_decoder *decoder;
	struct fec_encoder *encoder;
	struct link_generation *generation;
	unsigned n; /* of lost or repair symbols */
	uint64_t sequence;
};

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The best of RUNS: MB of source symbols a second. */
static void measure(const char *what, void work(struct bench *bench), struct bench *bench)
{
	double best = 0;

	for (unsigned run = 0; run < RUNS; run++) {
		const double begin = seconds();
		unsigned n = 0;
		double took;

		do {
			work(bench);
			n++;
			took = seconds() - begin;
		} while (took < SECONDS);
		if (n / took > best)
			best = n / took;
	}
	printf("%-58s %9.0f MB/s %8.0f ns a packet\n", what, best * K * STRIPES * SYMBOL / 1e6,
	       1e9 / best / K / STRIPES);
	fflush(stdout);
}

static void copy(struct bench *bench)
{
	for (unsigned i = 0; i < K * STRIPES; i++)
		memcpy(bench->packets + (size_t)i * PACKET + LINK_HEADER_SIZE, bench->source + (size_t)i * SYMBOL,
		       SYMBOL);
}

static void encode(struct bench *bench)
{
	for (unsigned s = 0; s < STRIPES; s++)
		fec_encode(bench->encoder, SYMBOL, bench->symbols[s], bench->rows[s]);
}

static void decode(struct bench *bench)
{
	for (unsigned s = 0; s < STRIPES; s++) {
		struct fec_loss loss = {.k = K, .n_lost = bench->n};
		uint8_t *ret[FEC_ROWS / 2];

		for (unsigned i = 0; i < bench->n; i++) {
			loss.lost[i] = (uint8_t)(i * K / bench->n);
			loss.rows[i] = (uint8_t)(K + i);
			ret[i] = bench->packets + (size_t)i * PACKET + LINK_HEADER_SIZE;
		}
		fec_decode(bench->decoder, &loss, SYMBOL, bench->symbols[s], (const uint8_t *const *)bench->rows[s],
			   ret);
	}
}

static void seal(struct bench *bench)
{
	for (unsigned i = 0; i < K * STRIPES; i++)
		link_seal(bench->session, bench->sequence++, bench->packets + (size_t)i * PACKET,
			  PACKET - LINK_MAC_SIZE);
}

static void open_all(struct bench *bench)
{
	for (unsigned i = 0; i < K * STRIPES; i++) {
		if (!link_open(bench->session, i, bench->packets + (size_t)i * PACKET, PACKET))
			die("packet %u does not prove itself", i);
	}
}

/* One key a packet, with a call of its own each. */
static void seal_apart(struct bench *bench)
{
	static const uint8_t key[crypto_stream_chacha20_KEYBYTES];

	for (unsigned i = 0; i < K * STRIPES; i++) {
		uint8_t *packet = bench->packets + (size_t)i * PACKET;
		uint8_t nonce[crypto_stream_chacha20_NONCEBYTES] = {0}, once[crypto_onetimeauth_KEYBYTES];

		memcpy(nonce, &i, sizeof(i));
		crypto_stream_chacha20(once, sizeof(once), nonce, key);
		crypto_onetimeauth(packet + PACKET - LINK_MAC_SIZE, packet, PACKET - LINK_MAC_SIZE, once);
	}
}

static void poly1305(struct bench *bench)
{
	static const uint8_t once[crypto_onetimeauth_KEYBYTES] = {1};

	for (unsigned i = 0; i < K * STRIPES; i++) {
		uint8_t *packet = bench->packets + (size_t)i * PACKET;

		crypto_onetimeauth(packet + PACKET - LINK_MAC_SIZE, packet, PACKET - LINK_MAC_SIZE, once);
	}
}

static void blake2b(struct bench *bench)
{
	static const uint8_t key[32] = {1};

	for (unsigned i = 0; i < K * STRIPES; i++) {
		uint8_t *packet = bench->packets + (size_t)i * PACKET;

		crypto_generichash(packet + PACKET - LINK_MAC_SIZE, LINK_MAC_SIZE, packet, PACKET - LINK_MAC_SIZE, key,
				   sizeof(key));
	}
}

/* Header and place of each, as the receiver does it after the MAC. */
static void take(struct bench *bench)
{
	link_generation_begin(bench->generation, &bench->geometry, 0);
	for (unsigned i = 0; i < K * STRIPES; i++) {
		const uint8_t *packet = bench->packets + (size_t)i * PACKET;
		struct link_geometry geometry;
		struct link_header header;

		if (link_packet_read(packet, PACKET, &header, &geometry) != LINK_TAKEN)
			die("packet %u has no form", i);
		link_generation_take(bench->generation, &header, packet + LINK_HEADER_SIZE);
	}
	if (!link_generation_is_whole(bench->generation))
		die("not whole");
}

static void make(struct bench *bench)
{
	_cleanup_(link_key_freep) struct link_key *key = link_key_generate();
	const uint8_t session[LINK_SESSION_SIZE] = {1};
	uint8_t id[LINK_ID_SIZE];
	uint64_t seed = 1;

	link_key_id(key, id);
	bench->source = xcalloc(K * STRIPES, SYMBOL);
	bench->repair = xcalloc((size_t)(FEC_ROWS - K) * STRIPES, SYMBOL);
	bench->packets = xcalloc(K * STRIPES, PACKET);
	bench->session = link_session_new(key, session);
	bench->generation = link_generation_new();
	link_geometry_make((uint64_t)K * STRIPES * SYMBOL, SYMBOL, &bench->geometry);
	for (size_t i = 0; i < (size_t)K * STRIPES * SYMBOL; i++)
		bench->source[i] = (uint8_t)random_next(&seed);
	for (unsigned i = 0; i < K * STRIPES; i++) {
		const struct link_header header = {
			.kind = LINK_SYMBOL,
			.session = {1},
			.sequence = i,
			.symbol_size = SYMBOL,
			.object_size = bench->geometry.object_size,
			.stripe = (uint8_t)(i % STRIPES),
			.index = (uint8_t)(i / STRIPES),
			.k = K,
			.stripes = STRIPES,
			.repair = 20,
		};

		bench->symbols[i % STRIPES][i / STRIPES] = bench->source + (size_t)i * SYMBOL;
		link_packet_put(bench->packets + (size_t)i * PACKET, &header, id);
	}
	for (unsigned i = 0; i < (FEC_ROWS - K) * STRIPES; i++)
		bench->rows[i % STRIPES][i / STRIPES] = bench->repair + (size_t)i * SYMBOL;
}

static void measure_fec(struct bench *bench, enum fec_engine engine, const char *name)
{
	static const unsigned losses[] = {1, 2, 5, 10, 20, 56};
	char what[80];

	for (unsigned rows = 10; rows <= 20; rows += 10) {
		bench->encoder = fec_encoder_new(engine, K, K, rows);
		snprintf(what, sizeof(what), "encode, %s: %u repair symbols to 200", name, rows);
		measure(what, encode, bench);
		fec_encoder_free(bench->encoder);
	}
	bench->decoder = fec_decoder_new(engine);
	for (size_t i = 0; i < ARRAY_SIZE(losses) && (engine != FEC_ENGINE_TABLES || losses[i] <= 10); i++) {
		bench->n = losses[i];
		snprintf(what, sizeof(what), "decode, %s: %u of 200 lost", name, losses[i]);
		measure(what, decode, bench);
	}
	fec_decoder_free(bench->decoder);
}

int main(void)
{
	struct bench *bench = xcalloc(1, sizeof(*bench));

	link_key_init();
	make(bench);
	printf("%-58s %9d bytes a symbol, 72 + 16 round it; of one core\n", "one generation: 200 x 16 symbols", SYMBOL);
	measure("copy of the symbols, to compare", copy, bench);
	measure_fec(bench, FEC_ENGINE_BEST, fec_engine_name());
	if (fec_engine_here(FEC_ENGINE_BEST) < FEC_ENGINE_ISAL && fec_engine_here(FEC_ENGINE_ISAL) == FEC_ENGINE_ISAL)
		measure_fec(bench, FEC_ENGINE_ISAL, "isa-l");
	measure_fec(bench, FEC_ENGINE_TABLES, "tables");
	seal(bench);
	measure("MAC: open, keys of 64 packets at once", open_all, bench);
	measure("MAC: seal, keys of 64 packets at once", seal, bench);
	measure("MAC: a ChaCha20 call for each packet (libsodium alone)", seal_apart, bench);
	measure("MAC: Poly1305 without its keys (libsodium alone)", poly1305, bench);
	measure("MAC: keyed BLAKE2b (libsodium alone)", blake2b, bench);
	measure("header read and symbol put in its place", take, bench);
	free(bench->source);
	free(bench->repair);
	free(bench->packets);
	link_session_free(bench->session);
	link_generation_free(bench->generation);
	free(bench);
	return 0;
}
