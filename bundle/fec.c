/* SPDX-License-Identifier: ISC
 *
 * fec: encoding is one sum of products for each repair symbol. Decoding first takes from each repair symbol what the source symbols that came
 * have in it, so that it is a sum over the lost ones alone; then undoes that sum with the inverse of a small matrix.
 */
#include "bundle/fec.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#if __has_include(<isa-l/erasure_code.h>)
#include <isa-l/erasure_code.h>
#define HAVE_ISAL 1
#else
#define HAVE_ISAL 0
#endif

#include "base/log.h"
#include "bundle/fec_gfni.h"
#include "bundle/fec_tables.h"
#include "bundle/limits.h"

/* Of a cache line, and of the widest registers. */
#define ALIGNMENT 64
#define LOST_MAX (FEC_ROWS / 2)

/* What stands for a source symbol beyond the object. */
static const uint8_t zeros[LIMIT_LINK_SYMBOL_SIZE];

struct fec_encoder {
	enum fec_engine engine;
	unsigned k, n_rows;
	uint8_t *tables;
};

struct fec_decoder {
	enum fec_engine engine;
	struct fec_field field;
	/* ISA-L's tables of one coefficient are like ours in the releases that we know, but nothing promises it: looked at once. */
	bool has_own_tables;
	uint64_t matrix[256];
	uint8_t table[256][FEC_TABLE_SIZE];
	uint8_t coefficients[LOST_MAX * LOST_MAX];
	uint8_t *tables;  /* of LOST_MAX x LOST_MAX coefficients */
	uint8_t *scratch; /* LOST_MAX symbols */
};

static void *aligned(size_t size)
{
	void *memory = aligned_alloc(ALIGNMENT, (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);

	if (memory == NULL)
		die("out of memory");
	return memory;
}

enum fec_engine fec_engine_here(enum fec_engine engine)
{
	if (engine <= FEC_ENGINE_GFNI && fec_gfni_is_here())
		return FEC_ENGINE_GFNI;
	return HAVE_ISAL && engine <= FEC_ENGINE_ISAL ? FEC_ENGINE_ISAL : FEC_ENGINE_TABLES;
}

const char *fec_engine_name(void)
{
	static const char *const names[] = {
		[FEC_ENGINE_GFNI] = "gfni", [FEC_ENGINE_ISAL] = "isa-l", [FEC_ENGINE_TABLES] = "tables"};

	return names[fec_engine_here(FEC_ENGINE_BEST)];
}

/* What the engines want to know of N_SOURCE x N_RET coefficients, row by row. */
static void make_tables(enum fec_engine engine, unsigned n_source, unsigned n_ret, const uint8_t *coefficients,
			uint8_t *tables)
{
	uint64_t *matrices = (uint64_t *)(void *)tables;
	struct fec_field field;

#if HAVE_ISAL
	if (engine == FEC_ENGINE_ISAL) {
		ec_init_tables((int)n_source, (int)n_ret, (uint8_t *)(uintptr_t)coefficients, tables);
		return;
	}
#endif
	fec_field_init(&field);
	if (engine == FEC_ENGINE_GFNI) {
		for (size_t i = 0; i < (size_t)n_source * n_ret; i++)
			matrices[i % n_source * n_ret + i / n_source] = fec_gfni_matrix(&field, coefficients[i]);
		return;
	}
	for (size_t i = 0; i < (size_t)n_source * n_ret; i++)
		fec_table_make(&field, coefficients[i], tables + i * FEC_TABLE_SIZE);
}

static void sum(enum fec_engine engine, unsigned n_source, unsigned n_ret, const uint8_t *tables, size_t size,
		const uint8_t *const source[], uint8_t *const ret[])
{
	if (engine == FEC_ENGINE_GFNI) {
		fec_gfni_sum(n_source, n_ret, (const uint64_t *)(const void *)tables, size, source, ret);
		return;
	}
#if HAVE_ISAL
	/* ISA-L reads the tables and sources, whatever its prototype says. */
	if (engine == FEC_ENGINE_ISAL) {
		ec_encode_data((int)size, (int)n_source, (int)n_ret, (uint8_t *)(uintptr_t)tables,
			       (uint8_t **)(uintptr_t)source, (uint8_t **)(uintptr_t)ret);
		return;
	}
#endif
	fec_tables_sum(n_source, n_ret, tables, size, source, ret);
}

struct fec_encoder *fec_encoder_new(enum fec_engine engine, unsigned k, unsigned first_row, unsigned n_rows)
{
	struct fec_encoder *encoder = xcalloc(1, sizeof(*encoder));
	uint8_t *coefficients = xmalloc((size_t)k * n_rows);
	struct fec_field field;

	fec_field_init(&field);
	for (unsigned r = 0; r < n_rows; r++) {
		const unsigned row = k + (first_row - k + r) % (FEC_ROWS - k);

		for (unsigned c = 0; c < k; c++)
			coefficients[r * k + c] = fec_coefficient(&field, row, c);
	}
	encoder->engine = fec_engine_here(engine);
	encoder->k = k;
	encoder->n_rows = n_rows;
	encoder->tables = aligned((size_t)k * n_rows * FEC_TABLE_SIZE);
	make_tables(encoder->engine, k, n_rows, coefficients, encoder->tables);
	free(coefficients);
	return encoder;
}

void fec_encoder_free(struct fec_encoder *encoder)
{
	if (encoder == NULL)
		return;
	free(encoder->tables);
	free(encoder);
}

void fec_encoder_freep(struct fec_encoder **encoder)
{
	fec_encoder_free(*encoder);
}

void fec_encode(const struct fec_encoder *encoder, size_t symbol_size, const uint8_t *const source[],
		uint8_t *const repair[])
{
	const uint8_t *whole[FEC_ROWS];

	for (unsigned i = 0; i < encoder->k; i++)
		whole[i] = source[i] != NULL ? source[i] : zeros;
	sum(encoder->engine, encoder->k, encoder->n_rows, encoder->tables, symbol_size, whole, repair);
}

struct fec_decoder *fec_decoder_new(enum fec_engine engine)
{
	struct fec_decoder *decoder = xcalloc(1, sizeof(*decoder));

	decoder->engine = engine = fec_engine_here(engine);
	fec_field_init(&decoder->field);
	decoder->has_own_tables = true;
	for (unsigned i = 0; i < 256; i++) {
		uint8_t theirs[FEC_TABLE_SIZE] = {0};
		const uint8_t coefficient = (uint8_t)i;

		fec_table_make(&decoder->field, coefficient, decoder->table[i]);
		if (engine == FEC_ENGINE_GFNI) {
			decoder->matrix[i] = fec_gfni_matrix(&decoder->field, coefficient);
			continue;
		}
		make_tables(engine, 1, 1, &coefficient, theirs);
		if (memcmp(theirs, decoder->table[i], FEC_TABLE_SIZE) != 0)
			decoder->has_own_tables = false;
	}
	decoder->tables = aligned((size_t)LOST_MAX * LOST_MAX * FEC_TABLE_SIZE);
	decoder->scratch = aligned((size_t)LOST_MAX * LIMIT_LINK_SYMBOL_SIZE);
	return decoder;
}

void fec_decoder_free(struct fec_decoder *decoder)
{
	if (decoder == NULL)
		return;
	free(decoder->tables);
	free(decoder->scratch);
	free(decoder);
}

void fec_decoder_freep(struct fec_decoder **decoder)
{
	fec_decoder_free(*decoder);
}

/* Sums with decoder->coefficients. A copy of a table costs a third of making it. */
static void sum_with(struct fec_decoder *decoder, unsigned n_source, unsigned n_ret, size_t size,
		     const uint8_t *const source[], uint8_t *const ret[])
{
	uint64_t *matrices = (uint64_t *)(void *)decoder->tables;

	if (decoder->engine == FEC_ENGINE_GFNI) {
		for (size_t i = 0; i < (size_t)n_source * n_ret; i++)
			matrices[i % n_source * n_ret + i / n_source] = decoder->matrix[decoder->coefficients[i]];
	} else if (decoder->has_own_tables) {
		for (size_t i = 0; i < (size_t)n_source * n_ret; i++)
			memcpy(decoder->tables + i * FEC_TABLE_SIZE, decoder->table[decoder->coefficients[i]],
			       FEC_TABLE_SIZE);
	} else {
		make_tables(decoder->engine, n_source, n_ret, decoder->coefficients, decoder->tables);
	}
	sum(decoder->engine, n_source, n_ret, decoder->tables, size, source, ret);
}

/* The source symbols that came and are not zeros, with their COLUMNS; how many they are. */
static unsigned list_present(const struct fec_loss *loss, const uint8_t *const source[], const uint8_t *present[],
			     uint8_t *columns)
{
	bool is_lost[FEC_ROWS] = {false};
	unsigned n = 0;

	for (unsigned i = 0; i < loss->n_lost; i++)
		is_lost[loss->lost[i]] = true;
	for (unsigned i = 0; i < loss->k; i++) {
		if (is_lost[i] || source[i] == NULL)
			continue;
		present[n] = source[i];
		columns[n++] = (uint8_t)i;
	}
	return n;
}

static void add(size_t size, const uint8_t *restrict source, uint8_t *restrict ret)
{
	for (size_t i = 0; i < size; i++)
		ret[i] ^= source[i];
}

void fec_decode(struct fec_decoder *decoder, const struct fec_loss *loss, size_t symbol_size,
		const uint8_t *const source[], const uint8_t *const repair[], uint8_t *const ret[])
{
	const unsigned n_lost = loss->n_lost;
	const uint8_t *present[FEC_ROWS];
	uint8_t columns[FEC_ROWS];
	uint8_t *rest[LOST_MAX]; /* what the lost symbols alone have in each repair symbol */
	const unsigned n_present = list_present(loss, source, present, columns);

	for (unsigned r = 0; r < n_lost; r++) {
		rest[r] = decoder->scratch + r * (size_t)LIMIT_LINK_SYMBOL_SIZE;
		for (unsigned c = 0; c < n_present; c++)
			decoder->coefficients[r * n_present + c] = fec_coefficient(&decoder->field, loss->rows[r],
										   columns[c]);
	}
	if (n_present > 0)
		sum_with(decoder, n_present, n_lost, symbol_size, present, rest);
	for (unsigned r = 0; r < n_lost; r++) {
		if (n_present == 0)
			memset(rest[r], 0, symbol_size);
		add(symbol_size, repair[r], rest[r]);
	}
	fec_invert(&decoder->field, n_lost, loss->rows, loss->lost, decoder->coefficients);
	sum_with(decoder, n_lost, n_lost, symbol_size, (const uint8_t *const *)rest, ret);
}
