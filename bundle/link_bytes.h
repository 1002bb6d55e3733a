/* SPDX-License-Identifier: ISC
 *
 * link_bytes: numbers of the link's packets and files, little-endian, at any address.
 */
#ifndef BUNDLE_LINK_BYTES_H
#define BUNDLE_LINK_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline void put16(uint8_t *at, uint16_t value)
{
	const uint16_t bytes = htole16(value);

	memcpy(at, &bytes, sizeof(bytes));
}

static inline void put32(uint8_t *at, uint32_t value)
{
	const uint32_t bytes = htole32(value);

	memcpy(at, &bytes, sizeof(bytes));
}

static inline void put64(uint8_t *at, uint64_t value)
{
	const uint64_t bytes = htole64(value);

	memcpy(at, &bytes, sizeof(bytes));
}

static inline uint16_t get16(const uint8_t *at)
{
	uint16_t bytes;

	memcpy(&bytes, at, sizeof(bytes));
	return le16toh(bytes);
}

static inline uint32_t get32(const uint8_t *at)
{
	uint32_t bytes;

	memcpy(&bytes, at, sizeof(bytes));
	return le32toh(bytes);
}

static inline uint64_t get64(const uint8_t *at)
{
	uint64_t bytes;

	memcpy(&bytes, at, sizeof(bytes));
	return le64toh(bytes);
}

/* Whether SIZE bytes are zero: what a form leaves unused. */
static inline bool all_zero(const uint8_t *at, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (at[i] != 0)
			return false;
	}
	return true;
}

#endif
