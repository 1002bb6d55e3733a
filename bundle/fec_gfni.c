/* SPDX-License-Identifier: ISC
 *
 * fec_gfni: up to twenty sums of 64 bytes stay in registers while the sources go by once.
 */
#include "bundle/fec_gfni.h"

#include "base/log.h"

uint64_t fec_gfni_matrix(const struct fec_field *field, uint8_t coefficient)
{
	uint64_t matrix = 0;

	/* Byte 7 - i is the row of the product's bit i, its bit j what bit j of the factor has in that one. */
	for (unsigned j = 0; j < 8; j++) {
		const uint8_t product = fec_multiply(field, coefficient, (uint8_t)(1U << j));

		for (unsigned i = 0; i < 8; i++)
			matrix |= (uint64_t)(product >> i & 1) << (8 * (7 - i) + j);
	}
	return matrix;
}

#if defined(__x86_64__)
#include <immintrin.h>

#define WITH_GFNI __attribute__((target("avx512f,avx512bw,gfni")))
#define WIDTH 64
/* Sums that stay in registers at a time: of 10 percent of 200 all. */
#define MANY 20
#define SOME 8
#define FEW 2
/* Each source is a stream of its own, more than the processor looks ahead for. */
#define AHEAD (2 * WIDTH)

bool fec_gfni_is_here(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("gfni");
}

/* The first LEFT of 64 bytes. */
static inline __mmask64 mask_of(size_t left)
{
	return left >= WIDTH ? ~(__mmask64)0 : ((__mmask64)1 << left) - 1;
}

/* As the intrinsic does it, but for the matrix, which the compiler would load long before into a register of those that are scarce. */
static inline WITH_GFNI __m512i multiply(__m512i bytes, const uint64_t *matrix)
{
	__m512i product;

	__asm__("vgf2p8affineqb $0, %2%{1to8%}, %1, %0" : "=v"(product) : "v"(bytes), "m"(*matrix));
	return product;
}

static inline WITH_GFNI __m512i load(__mmask64 mask, const uint8_t *source, size_t at)
{
	__builtin_prefetch(source + at + AHEAD);
	return _mm512_maskz_loadu_epi8(mask, source + at);
}

/* 64 bytes, or those of MASK, of N_ROWS (known to the compiler) of the N_RET sums. */
static inline __attribute__((always_inline)) WITH_GFNI void
sum_column(const unsigned n_rows, __mmask64 mask, size_t at, unsigned n_source, unsigned n_ret, const uint64_t *matrix,
	   const uint8_t *const source[], uint8_t *const ret[])
{
	__m512i sums[MANY];
	unsigned i = 0;

#pragma GCC unroll 20
	for (unsigned r = 0; r < n_rows; r++)
		sums[r] = _mm512_setzero_si512();
	/* Two at a time: one instruction adds both. */
	for (; i + 1 < n_source; i += 2, matrix += 2 * (size_t)n_ret) {
		const __m512i one = load(mask, source[i], at), other = load(mask, source[i + 1], at);

#pragma GCC unroll 20
		for (unsigned r = 0; r < n_rows; r++)
			sums[r] = _mm512_ternarylogic_epi64(sums[r], multiply(one, matrix + r),
							    multiply(other, matrix + n_ret + r), 0x96);
	}
	if (i < n_source) {
		const __m512i last = load(mask, source[i], at);

#pragma GCC unroll 20
		for (unsigned r = 0; r < n_rows; r++)
			sums[r] = _mm512_xor_si512(sums[r], multiply(last, matrix + r));
	}
#pragma GCC unroll 20
	for (unsigned r = 0; r < n_rows; r++)
		_mm512_mask_storeu_epi8(ret[r] + at, mask, sums[r]);
}

WITH_GFNI void fec_gfni_sum(unsigned n_source, unsigned n_ret, const uint64_t *matrices, size_t size,
			    const uint8_t *const source[], uint8_t *const ret[])
{
	unsigned n;

	for (unsigned row = 0; row < n_ret; row += n) {
		const uint64_t *matrix = matrices + row;
		uint8_t *const *to = ret + row;

		n = n_ret - row >= MANY ? MANY : n_ret - row >= SOME ? SOME : n_ret - row >= FEW ? FEW : 1;
		for (size_t at = 0; at < size; at += WIDTH) {
			const __mmask64 mask = mask_of(size - at);

			if (n == MANY)
				sum_column(MANY, mask, at, n_source, n_ret, matrix, source, to);
			else if (n == SOME)
				sum_column(SOME, mask, at, n_source, n_ret, matrix, source, to);
			else if (n == FEW)
				sum_column(FEW, mask, at, n_source, n_ret, matrix, source, to);
			else
				sum_column(1, mask, at, n_source, n_ret, matrix, source, to);
		}
	}
}

#else

bool fec_gfni_is_here(void)
{
	return false;
}

void fec_gfni_sum(unsigned n_source, unsigned n_ret, const uint64_t *matrices, size_t size,
		  const uint8_t *const source[], uint8_t *const ret[])
{
	(void)n_source, (void)n_ret, (void)matrices, (void)size, (void)source, (void)ret;
	die("no GFNI in this build");
}

#endif
