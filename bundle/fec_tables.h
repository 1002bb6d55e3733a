/* SPDX-License-Identifier: ISC
 *
 * fec_tables: the field GF(2^8) with polynomial 0x11d, and sums of products in it without ISA-L: small, portable, slow. Part of fec.
 */
#ifndef BUNDLE_FEC_TABLES_H
#define BUNDLE_FEC_TABLES_H

#include <stddef.h>
#include <stdint.h>

/* Products of one coefficient with the 16 low and the 16 high halves of a byte: what ISA-L's tables are too, as far as that is known. */
#define FEC_TABLE_SIZE 32

/* Powers and logarithms of 2, which generates the field; the powers twice, so that a sum of two logarithms is an index. */
struct fec_field {
	uint8_t power[2 * 255];
	uint8_t logarithm[256]; /* [0] means nothing */
};

void fec_field_init(struct fec_field *field);
uint8_t fec_multiply(const struct fec_field *field, uint8_t a, uint8_t b);
/* A is not 0. */
uint8_t fec_inverse(const struct fec_field *field, uint8_t a);

/* What row ROW (k to 255) has in column COLUMN (below k). */
uint8_t fec_coefficient(const struct fec_field *field, unsigned row, unsigned column);

/* Inverts the N x N matrix of the coefficients of ROWS in COLUMNS: INVERSE[i * n + j] is what repair symbol j counts in column i. A
 * Cauchy matrix always has an inverse, in closed form. */
void fec_invert(const struct fec_field *field, unsigned n, const uint8_t *rows, const uint8_t *columns,
		uint8_t *inverse);

/* The table of one coefficient. */
void fec_table_make(const struct fec_field *field, uint8_t coefficient, uint8_t table[FEC_TABLE_SIZE]);

/* RET[o] = the sum over i of coefficient [o][i] x SOURCE[i], for SIZE bytes. TABLES has N_RET x N_SOURCE tables, o by o. */
void fec_tables_sum(unsigned n_source, unsigned n_ret, const uint8_t *tables, size_t size,
		    const uint8_t *const source[], uint8_t *const ret[]);

#endif
