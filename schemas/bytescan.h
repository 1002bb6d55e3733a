/* SPDX-License-Identifier: ISC
 *
 * bytescan: bytes looked at many at once: where marks stand in 64 of them, and how many there are of one kind. With SSE2, which every
 * x86-64 has, or eight at a time in ordinary words.
 */
#ifndef SCHEMAS_BYTESCAN_H
#define SCHEMAS_BYTESCAN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Bit i is that of byte i. */
struct byte_marks {
	uint64_t delimiters;
	uint64_t others; /* quotes, line feeds, carriage returns */
};

/* Eight bytes, the first as the lowest. */
static inline uint64_t load_word(const char *text)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	word = __builtin_bswap64(word);
#endif
	return word;
}

#define EACH_BYTE(byte) ((unsigned char)(byte) * (~0ULL / 255))

/* The top bit of each byte of WORD that is zero, and no other. */
static inline uint64_t zero_bytes(uint64_t word)
{
	const uint64_t low = EACH_BYTE(0x7f);

	return ~(((word & low) + low) | word | low);
}

/* Top bits of bytes to one bit a byte. */
static inline uint64_t gather_bits(uint64_t tops)
{
	return (tops >> 7) * 0x0102040810204080ULL >> 56;
}

static inline struct byte_marks byte_marks_by_words(const char *text, char delimiter, char quote)
{
	struct byte_marks marks = {0, 0};

	for (unsigned i = 0; i < 64; i += 8) {
		uint64_t word = load_word(text + i);

		marks.delimiters |= gather_bits(zero_bytes(word ^ EACH_BYTE(delimiter))) << i;
		marks.others |= gather_bits(zero_bytes(word ^ EACH_BYTE(quote)) | zero_bytes(word ^ EACH_BYTE('\n')) |
					    zero_bytes(word ^ EACH_BYTE('\r')))
				<< i;
	}
	return marks;
}

/* Of the 64 bytes at TEXT. The delimiter is none of the others. */
static inline struct byte_marks byte_marks(const char *text, char delimiter, char quote)
{
#ifdef __SSE2__
	const __m128i delimiters = _mm_set1_epi8(delimiter), quotes = _mm_set1_epi8(quote);
	const __m128i feeds = _mm_set1_epi8('\n'), returns = _mm_set1_epi8('\r');
	struct byte_marks marks = {0, 0};

	for (unsigned i = 0; i < 64; i += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(text + i));
		__m128i others = _mm_or_si128(
			_mm_cmpeq_epi8(bytes, quotes),
			_mm_or_si128(_mm_cmpeq_epi8(bytes, feeds), _mm_cmpeq_epi8(bytes, returns)));

		marks.delimiters |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, delimiters)) << i;
		marks.others |= (uint64_t)(unsigned)_mm_movemask_epi8(others) << i;
	}
	return marks;
#else
	return byte_marks_by_words(text, delimiter, quote);
#endif
}

/* How many of the bytes are BYTE. */
size_t bytes_count(const void *bytes, size_t size, char byte);

#endif
