/* SPDX-License-Identifier: ISC
 *
 * Erasure coding: the field by its definition, ISA-L and our tables byte for byte the same, and any k of n symbols give the block.
 */
#include "bundle/fec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/fec_tables.h"
#include "bundle/limits.h"
#include "tests/random.h"

/* Multiplication as it is defined: of polynomials, modulo x^8 + x^4 + x^3 + x^2 + 1. */
static uint8_t slow_multiply(unsigned a, unsigned b)
{
	unsigned product = 0;

	for (; b != 0; b >>= 1) {
		if ((b & 1) != 0)
			product ^= a;
		a = a << 1 ^ ((a & 0x80) != 0 ? 0x11d : 0);
	}
	return (uint8_t)product;
}

static void test_field(void **state)
{
	struct fec_field field;

	(void)state;
	fec_field_init(&field);
	for (unsigned a = 0; a < 256; a++) {
		uint8_t table[FEC_TABLE_SIZE];

		fec_table_make(&field, (uint8_t)a, table);
		for (unsigned b = 0; b < 256; b++) {
			assert_int_equal(fec_multiply(&field, (uint8_t)a, (uint8_t)b), slow_multiply(a, b));
			assert_int_equal(table[b & 15] ^ table[16 + (b >> 4)], slow_multiply(a, b));
		}
		if (a > 0)
			assert_int_equal(slow_multiply(a, fec_inverse(&field, (uint8_t)a)), 1);
	}
	/* The clause's example: row 200, column 3. */
	assert_int_equal(fec_coefficient(&field, 200, 3), fec_inverse(&field, 203));
}

static void shuffle(uint64_t *seed, uint8_t *items, unsigned n)
{
	for (unsigned i = n; i > 1; i--) {
		const size_t j = random_below(seed, i);
		const uint8_t item = items[i - 1];

		items[i - 1] = items[j];
		items[j] = item;
	}
}

static void test_invert(void **state)
{
	struct fec_field field;
	uint64_t seed = 1;

	(void)state;
	fec_field_init(&field);
	for (unsigned n = 1; n <= 128; n += n < 20 ? 1 : 27) {
		uint8_t elements[256];
		uint8_t *inverse = xmalloc((size_t)n * n);

		for (unsigned i = 0; i < 256; i++)
			elements[i] = (uint8_t)i;
		shuffle(&seed, elements, 256);
		/* Rows and columns are any two sets without a common element. */
		fec_invert(&field, n, elements, elements + n, inverse);
		for (unsigned i = 0; i < n; i++) {
			for (unsigned j = 0; j < n; j++) {
				unsigned sum = 0;

				for (unsigned m = 0; m < n; m++)
					sum ^= slow_multiply(inverse[i * n + m],
							     fec_coefficient(&field, elements[m], elements[n + j]));
				assert_int_equal(sum, i == j);
			}
		}
		free(inverse);
	}
}

struct block {
	unsigned k, n_rows, first_row;
	size_t size;
	uint8_t *bytes; /* k source symbols, then the repair symbols */
	const uint8_t *source[FEC_ROWS];
	uint8_t *repair[FEC_ROWS];
};

/* A block whose last symbol is zeros where IS_SHORT; its symbols lie OFF bytes past any alignment. */
static void block_make(struct block *block, uint64_t *seed, size_t off, bool is_short)
{
	const unsigned n = block->k + block->n_rows;

	block->bytes = xcalloc(1, n * block->size + off);
	for (size_t i = 0; i < block->k * block->size; i++)
		block->bytes[off + i] = (uint8_t)random_next(seed);
	for (unsigned i = 0; i < block->k; i++)
		block->source[i] = block->bytes + off + i * block->size;
	for (unsigned i = 0; i < block->n_rows; i++)
		block->repair[i] = block->bytes + off + (block->k + i) * block->size;
	if (is_short) {
		memset(block->bytes + off + (block->k - 1) * block->size, 0, block->size);
		block->source[block->k - 1] = NULL;
	}
}

static unsigned row_of(const struct block *block, unsigned i)
{
	return block->k + (block->first_row - block->k + i) % (FEC_ROWS - block->k);
}

/* One byte of a repair symbol by the clause. */
static uint8_t repair_byte(const struct block *block, unsigned i, size_t at)
{
	struct fec_field field;
	unsigned sum = 0;

	fec_field_init(&field);
	for (unsigned c = 0; c < block->k; c++) {
		if (block->source[c] != NULL)
			sum ^= slow_multiply(fec_inverse(&field, (uint8_t)(row_of(block, i) ^ c)),
					     block->source[c][at]);
	}
	return (uint8_t)sum;
}

/* Loses N_LOST source symbols and repairs them with as many of the repair symbols, both chosen by SEED. */
static void lose(struct block *block, struct fec_decoder *decoder, uint64_t *seed, unsigned n_lost)
{
	struct fec_loss loss = {.k = block->k, .n_lost = n_lost};
	const unsigned n_real = block->source[block->k - 1] == NULL ? block->k - 1 : block->k;
	uint8_t columns[FEC_ROWS], rows[FEC_ROWS];
	const uint8_t *source[FEC_ROWS];
	uint8_t *place[FEC_ROWS / 2];

	for (unsigned i = 0; i < FEC_ROWS; i++)
		columns[i] = rows[i] = (uint8_t)i;
	shuffle(seed, columns, n_real);
	shuffle(seed, rows, block->n_rows);
	memcpy(source, block->source, sizeof(source));
	for (unsigned i = 0; i < n_lost; i++) {
		loss.lost[i] = columns[i];
		loss.rows[i] = (uint8_t)row_of(block, rows[i]);
		place[i] = xmalloc(block->size);
		memcpy(place[i], block->repair[rows[i]], block->size);
		source[columns[i]] = (const uint8_t *)1; /* never looked at */
	}
	fec_decode(decoder, &loss, block->size, source, (const uint8_t *const *)place, place);
	for (unsigned i = 0; i < n_lost; i++) {
		assert_memory_equal(place[i], block->source[columns[i]], block->size);
		free(place[i]);
	}
}

static void test_any_k_of_n(void **state)
{
	_cleanup_(fec_decoder_freep) struct fec_decoder *best = fec_decoder_new(FEC_ENGINE_BEST);
	_cleanup_(fec_decoder_freep) struct fec_decoder *isal = fec_decoder_new(FEC_ENGINE_ISAL);
	_cleanup_(fec_decoder_freep) struct fec_decoder *tables = fec_decoder_new(FEC_ENGINE_TABLES);
	static const size_t sizes[] = {8, 16, 56, 64, 72, 136, 256, 1384};
	uint64_t seed = 2;

	(void)state;
	for (unsigned turn = 0; turn < 200; turn++) {
		struct block block = {.k = 1 + (unsigned)random_below(&seed, 200)};
		unsigned most;

		block.n_rows = 1 + (unsigned)random_below(&seed, block.k < 30 ? 30 : FEC_ROWS - block.k);
		block.first_row = block.k + (unsigned)random_below(&seed, FEC_ROWS - block.k);
		block.size = sizes[random_below(&seed, ARRAY_SIZE(sizes))];
		block_make(&block, &seed, random_below(&seed, 9), block.k > 1 && turn % 3 == 0);
		{
			_cleanup_(fec_encoder_freep) struct fec_encoder *one = fec_encoder_new(
				turn % 2 == 0 ? FEC_ENGINE_BEST : FEC_ENGINE_ISAL, block.k, block.first_row,
				block.n_rows);
			_cleanup_(fec_encoder_freep) struct fec_encoder *other = fec_encoder_new(
				FEC_ENGINE_TABLES, block.k, block.first_row, block.n_rows);
			const unsigned i = (unsigned)random_below(&seed, block.n_rows);
			const size_t at = random_below(&seed, block.size);
			uint8_t *again[FEC_ROWS];

			fec_encode(one, block.size, block.source, block.repair);
			for (unsigned r = 0; r < block.n_rows; r++)
				again[r] = xmalloc(block.size);
			fec_encode(other, block.size, block.source, again);
			for (unsigned r = 0; r < block.n_rows; r++) {
				assert_memory_equal(again[r], block.repair[r], block.size);
				free(again[r]);
			}
			assert_int_equal(block.repair[i][at], repair_byte(&block, i, at));
		}
		most = block.k - (block.source[block.k - 1] == NULL);
		most = most < block.n_rows ? most : block.n_rows;
		lose(&block, best, &seed, 1 + (unsigned)random_below(&seed, most));
		lose(&block, best, &seed, most);
		lose(&block, isal, &seed, 1 + (unsigned)random_below(&seed, most));
		lose(&block, tables, &seed, 1 + (unsigned)random_below(&seed, most));
		free(block.bytes);
	}
}

/* Row 128 of a block of 128: half of the field lost, the most that there can be. */
static void test_half(void **state)
{
	_cleanup_(fec_decoder_freep) struct fec_decoder *decoder = fec_decoder_new(FEC_ENGINE_BEST);
	_cleanup_(fec_encoder_freep) struct fec_encoder *encoder = fec_encoder_new(FEC_ENGINE_BEST, 128, 128, 128);
	struct block block = {.k = 128, .n_rows = 128, .first_row = 128, .size = LIMIT_LINK_SYMBOL_SIZE};
	uint64_t seed = 3;

	(void)state;
	block_make(&block, &seed, 0, false);
	fec_encode(encoder, block.size, block.source, block.repair);
	lose(&block, decoder, &seed, 128);
	free(block.bytes);
}

static void test_engine(void **state)
{
	(void)state;
	assert_true(strcmp(fec_engine_name(), "gfni") == 0 || strcmp(fec_engine_name(), "isa-l") == 0 ||
		    strcmp(fec_engine_name(), "tables") == 0);
	assert_int_equal(fec_engine_here(FEC_ENGINE_TABLES), FEC_ENGINE_TABLES);
	assert_true(fec_engine_here(FEC_ENGINE_ISAL) >= FEC_ENGINE_ISAL);
	fec_encoder_free(NULL);
	fec_decoder_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_field), cmocka_unit_test(test_invert), cmocka_unit_test(test_any_k_of_n),
		cmocka_unit_test(test_half),  cmocka_unit_test(test_engine),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
