/* SPDX-License-Identifier: ISC
 *
 * qr_png: signature, IHDR, one IDAT, IEND. The IDAT's zlib stream (RFC 1950) has stored blocks alone (RFC 1951, 3.2.4).
 */
#include "keys/qr_png.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"

/* RFC 1951, 3.2.4: what one stored block holds. */
#define STORED_MAX 65535
#define CHUNK_EXTRA 12

struct bytes {
	uint8_t *data; /* owned, with room for all */
	size_t size;
};

static void put(struct bytes *bytes, const void *data, size_t size)
{
	memcpy(bytes->data + bytes->size, data, size);
	bytes->size += size;
}

static void put_u32(struct bytes *bytes, uint32_t value)
{
	const uint8_t big[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};

	put(bytes, big, sizeof(big));
}

/* ISO 3309, as PNG annex D has it. */
static uint32_t crc32_of(const uint8_t *data, size_t size)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < size; i++) {
		crc ^= data[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static uint32_t adler32_of(const uint8_t *data, size_t size)
{
	uint32_t a = 1, b = 0;

	for (size_t i = 0; i < size; i++) {
		a = (a + data[i]) % 65521;
		b = (b + a) % 65521;
	}
	return b << 16 | a;
}

static void put_chunk(struct bytes *bytes, const char *type, const void *data, size_t size)
{
	size_t start;

	put_u32(bytes, (uint32_t)size);
	start = bytes->size;
	put(bytes, type, 4);
	if (size > 0)
		put(bytes, data, size);
	put_u32(bytes, crc32_of(bytes->data + start, bytes->size - start));
}

static void put_stored(struct bytes *bytes, const uint8_t *data, size_t size)
{
	put(bytes, "\x78\x01", 2);
	for (size_t at = 0; at < size; at += STORED_MAX) {
		size_t length = size - at < STORED_MAX ? size - at : STORED_MAX;
		const uint8_t head[5] = {at + length == size, (uint8_t)length, (uint8_t)(length >> 8), (uint8_t)~length,
					 (uint8_t)(~length >> 8)};

		put(bytes, head, sizeof(head));
		put(bytes, data + at, length);
	}
	put_u32(bytes, adler32_of(data, size));
}

/* The lines of pixels, each after its filter's number, 0: none. A light pixel is 1. */
static uint8_t *draw(const struct qr *qr, size_t side, size_t line_size)
{
	uint8_t *pixels = xcalloc(side, line_size);

	for (size_t y = 0; y < side; y++)
		for (size_t x = 0; x < side; x++)
			if (!qr_is_dark(qr, (int)(x / QR_PNG_SCALE) - QR_QUIET_ZONE,
					(int)(y / QR_PNG_SCALE) - QR_QUIET_ZONE))
				pixels[y * line_size + 1 + x / 8] |= (uint8_t)(0x80 >> x % 8);
	return pixels;
}

uint8_t *qr_png(const struct qr *qr, size_t *ret_size)
{
	size_t side = (size_t)(qr->width + 2 * QR_QUIET_ZONE) * QR_PNG_SCALE, line_size = 1 + (side + 7) / 8;
	size_t size = side * line_size, stored_size = size + (size / STORED_MAX + 1) * 5 + 6;
	_cleanup_free_ uint8_t *pixels = draw(qr, side, line_size);
	_cleanup_free_ uint8_t *stored = xmalloc(stored_size);
	struct bytes data = {.data = stored}, header, png;
	uint8_t header_data[13];

	put_stored(&data, pixels, size);
	header = (struct bytes){.data = header_data};
	put_u32(&header, (uint32_t)side);
	put_u32(&header, (uint32_t)side);
	put(&header, "\1\0\0\0\0", 5); /* one bit, grey; deflate, no filter of its own, not interlaced */
	png = (struct bytes){.data = xmalloc(8 + 3 * CHUNK_EXTRA + sizeof(header_data) + data.size)};
	put(&png, "\x89PNG\r\n\x1a\n", 8);
	put_chunk(&png, "IHDR", header.data, header.size);
	put_chunk(&png, "IDAT", data.data, data.size);
	put_chunk(&png, "IEND", "", 0);
	*ret_size = png.size;
	return png.data;
}
