/* SPDX-License-Identifier: ISC
 *
 * fec: forward error correction of one block (FORMAT.md 29.7): systematic Reed-Solomon over GF(2^8), polynomial 0x11d, whose repair rows are
 * a Cauchy matrix. Row r (k to 255) has in column c (0 to k-1) the inverse of r ^ c: a row is the same whatever k is, so that any k of the
 * 256 symbols make the block, from whatever cycle or session they come.
 *
 * By the processor's own instruction where it has one (fec_gfni.h), else by ISA-L; with tables of our own where that has no code for the machine,
 * which is the tests' oracle too.
 */
#ifndef BUNDLE_FEC_H
#define BUNDLE_FEC_H

#include <stddef.h>
#include <stdint.h>

/* Symbols of a block, source and repair: the elements of the field. */
#define FEC_ROWS 256

enum fec_engine {
	FEC_ENGINE_BEST,   /* the first of these that is here */
	FEC_ENGINE_GFNI,   /* AVX-512 and GFNI */
	FEC_ENGINE_ISAL,   /* ISA-L */
	FEC_ENGINE_TABLES, /* portable C */
};

/* What is used where ENGINE is asked for: itself, or the next that is here. */
enum fec_engine fec_engine_here(enum fec_engine engine);
/* "gfni", "isa-l" or "tables": what FEC_ENGINE_BEST is here. */
const char *fec_engine_name(void);

/* What makes repair symbols of blocks with one k: up to 32 bytes for each of its k x n_rows coefficients. Constant once made: threads may share
 * it. */
struct fec_encoder;

/* For the N_ROWS (1 to 256 - K) rows from FIRST_ROW (K to 255); after row 255 comes row K. */
struct fec_encoder *fec_encoder_new(enum fec_engine engine, unsigned k, unsigned first_row, unsigned n_rows);
void fec_encoder_free(struct fec_encoder *encoder);
void fec_encoder_freep(struct fec_encoder **encoder);

/* Makes the N_ROWS repair symbols of one block, of SYMBOL_SIZE bytes (at most LIMIT_LINK_SYMBOL_SIZE). SOURCE has K pointers; NULL is a
 * symbol of zeros. No alignment is needed; one of 64 is fastest. */
void fec_encode(const struct fec_encoder *encoder, size_t symbol_size, const uint8_t *const source[],
		uint8_t *const repair[]);

/* Room for decoding: one a thread. */
struct fec_decoder;
struct fec_decoder *fec_decoder_new(enum fec_engine engine);
void fec_decoder_free(struct fec_decoder *decoder);
void fec_decoder_freep(struct fec_decoder **decoder);

/* One block with N_LOST (1 to min(k, 256 - k)) source symbols lost, and as many repair symbols in their place. Only the N_LOST x N_LOST
 * matrix is inverted. */
struct fec_loss {
	unsigned k, n_lost;
	uint8_t lost[FEC_ROWS / 2]; /* their indices, 0 to k-1, each once */
	uint8_t rows[FEC_ROWS / 2]; /* the rows of the repair symbols, k to 255, each once */
};

/* Writes source symbol loss->lost[i] to RET[i]. SOURCE has k pointers, of which the lost ones are not looked at; NULL is a symbol of zeros.
 * RET may be REPAIR, in any order, but must not touch SOURCE's. */
void fec_decode(struct fec_decoder *decoder, const struct fec_loss *loss, size_t symbol_size,
		const uint8_t *const source[], const uint8_t *const repair[], uint8_t *const ret[]);

#endif
