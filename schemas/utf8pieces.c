/* SPDX-License-Identifier: ISC
 *
 * utf8pieces: see utf8pieces.h.
 */
#include "schemas/utf8pieces.h"

#include <string.h>

/* How many bytes the character that BYTE begins has; 1 where it begins none. */
static size_t utf8_length(uint8_t byte)
{
	return byte >= 0xf8 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
}

/* The size of the part of DATA that ends with a whole character. */
static size_t whole_size(const uint8_t *data, size_t size)
{
	for (size_t back = 1; back <= 3 && back <= size; back++) {
		uint8_t byte = data[size - back];

		if (byte >= 0xc0)
			return utf8_length(byte) > back ? size - back : size;
		if (byte < 0x80)
			break;
	}
	return size;
}

enum fault utf8_pieces_feed(struct utf8_pieces *pieces, const void *data, size_t size, utf8_taker *take, void *ctx,
			    struct refusal *why)
{
	const uint8_t *bytes = data;
	enum fault fault;
	size_t whole;

	if (pieces->carry_size > 0) {
		size_t wanted = utf8_length(pieces->carry[0]) - pieces->carry_size;
		size_t taken = wanted < size ? wanted : size;

		memcpy(pieces->carry + pieces->carry_size, bytes, taken);
		pieces->carry_size += taken;
		bytes += taken;
		size -= taken;
		if (taken < wanted)
			return FAULT_NONE;
		fault = take(ctx, pieces->carry, pieces->carry_size, why);
		pieces->carry_size = 0;
		if (fault != FAULT_NONE)
			return fault;
	}
	whole = whole_size(bytes, size);
	fault = take(ctx, bytes, whole, why);
	if (fault != FAULT_NONE)
		return fault;
	pieces->carry_size = size - whole;
	memcpy(pieces->carry, bytes + whole, size - whole);
	return FAULT_NONE;
}
