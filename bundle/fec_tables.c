/* SPDX-License-Identifier: ISC
 *
 * fec_tables: arithmetic by logarithms, sums by tables of 32 bytes a coefficient.
 */
#include "bundle/fec_tables.h"

#include <string.h>

/* x^8 + x^4 + x^3 + x^2 + 1 */
#define POLYNOMIAL 0x11d
#define ORDER 255

void fec_field_init(struct fec_field *field)
{
	uint8_t x = 1;

	field->logarithm[0] = 0;
	for (unsigned i = 0; i < ORDER; i++) {
		field->power[i] = field->power[i + ORDER] = x;
		field->logarithm[x] = (uint8_t)i;
		x = (uint8_t)(x << 1 ^ (x >> 7) * POLYNOMIAL);
	}
}

uint8_t fec_multiply(const struct fec_field *field, uint8_t a, uint8_t b)
{
	return a == 0 || b == 0 ? 0 : field->power[field->logarithm[a] + field->logarithm[b]];
}

uint8_t fec_inverse(const struct fec_field *field, uint8_t a)
{
	return field->power[ORDER - field->logarithm[a]];
}

uint8_t fec_coefficient(const struct fec_field *field, unsigned row, unsigned column)
{
	return fec_inverse(field, (uint8_t)(row ^ column));
}

/* The logarithm of the product of ITEM ^ OTHER[i], without the one at SKIP. */
static unsigned log_product(const struct fec_field *field, unsigned n, uint8_t item, const uint8_t *other,
			    unsigned skip)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < n; i++) {
		if (i != skip)
			sum += field->logarithm[item ^ other[i]];
	}
	return sum;
}

void fec_invert(const struct fec_field *field, unsigned n, const uint8_t *rows, const uint8_t *columns,
		uint8_t *inverse)
{
	unsigned of_row[256];

	/* For entries 1 / (x + y), that at [i][j] of the inverse is the product over all m of (x_j + y_m) (x_m + y_i), divided by x_j + y_i, by
	 * the product of x_j + x_m (m other than j) and by that of y_i + y_m (m other than i). */
	for (unsigned j = 0; j < n; j++)
		of_row[j] = log_product(field, n, rows[j], columns, n) + ORDER * n -
			    log_product(field, n, rows[j], rows, j);
	for (unsigned i = 0; i < n; i++) {
		const unsigned of_column = log_product(field, n, columns[i], rows, n) + ORDER * n -
					   log_product(field, n, columns[i], columns, i);

		for (unsigned j = 0; j < n; j++)
			inverse[i * n + j] =
				field->power[(of_row[j] + of_column + ORDER - field->logarithm[rows[j] ^ columns[i]]) %
					     ORDER];
	}
}

void fec_table_make(const struct fec_field *field, uint8_t coefficient, uint8_t table[FEC_TABLE_SIZE])
{
	for (unsigned i = 0; i < 16; i++) {
		table[i] = fec_multiply(field, coefficient, (uint8_t)i);
		table[16 + i] = fec_multiply(field, coefficient, (uint8_t)(i << 4));
	}
}

/* RET += coefficient x SOURCE. */
static void add_product(const uint8_t table[FEC_TABLE_SIZE], size_t size, const uint8_t *source, uint8_t *ret)
{
	uint8_t products[256];

	for (unsigned i = 0; i < 256; i++)
		products[i] = table[i & 15] ^ table[16 + (i >> 4)];
	for (size_t i = 0; i < size; i++)
		ret[i] ^= products[source[i]];
}

void fec_tables_sum(unsigned n_source, unsigned n_ret, const uint8_t *tables, size_t size,
		    const uint8_t *const source[], uint8_t *const ret[])
{
	for (unsigned o = 0; o < n_ret; o++) {
		memset(ret[o], 0, size);
		for (unsigned i = 0; i < n_source; i++)
			add_product(tables + ((size_t)o * n_source + i) * FEC_TABLE_SIZE, size, source[i], ret[o]);
	}
}
