/* SPDX-License-Identifier: ISC
 *
 * fec_gfni: sums of products in GF(2^8) by the instruction that multiplies 64 bytes by one matrix of bits (GFNI with AVX-512): half of what the
 * table look-ups of ISA-L 2.30 take. Part of fec; where a processor has no such instruction nothing of it is used.
 */
#ifndef BUNDLE_FEC_GFNI_H
#define BUNDLE_FEC_GFNI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/fec_tables.h"

/* Whether this build and this processor have it. */
bool fec_gfni_is_here(void);

/* What stands for a coefficient: the matrix of multiplication by it, of bits. */
uint64_t fec_gfni_matrix(const struct fec_field *field, uint8_t coefficient);

/* RET[o] = the sum over i of coefficient [o][i] x SOURCE[i], for SIZE bytes. MATRICES has N_SOURCE x N_RET, source by source. Only where
 * fec_gfni_is_here. */
void fec_gfni_sum(unsigned n_source, unsigned n_ret, const uint64_t *matrices, size_t size,
		  const uint8_t *const source[], uint8_t *const ret[]);

#endif
