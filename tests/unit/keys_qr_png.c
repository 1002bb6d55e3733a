/* SPDX-License-Identifier: ISC
 *
 * keys_qr_png: the picture's bytes, read here without any library: chunks, their sums, stored blocks, and each pixel against the code.
 */
#include "keys/qr_png.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/limits.h"

static uint32_t u32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The stored blocks of DATA, a zlib stream, put together. New. */
static uint8_t *inflate_stored(const uint8_t *data, size_t size, size_t *ret_size)
{
	uint8_t *plain = xmalloc(size);
	uint32_t a = 1, b = 0;
	size_t at = 2, n = 0;
	bool last = false;

	assert_int_equal((data[0] << 8 | data[1]) % 31, 0);
	assert_int_equal(data[0] & 0x0f, 8);
	while (!last) {
		size_t length = (size_t)data[at + 1] | (size_t)data[at + 2] << 8;

		assert_true(data[at] <= 1);
		last = data[at] == 1;
		assert_int_equal(length ^ ((size_t)data[at + 3] | (size_t)data[at + 4] << 8), 0xffff);
		memcpy(plain + n, data + at + 5, length);
		n += length;
		at += 5 + length;
	}
	for (size_t i = 0; i < n; i++) {
		a = (a + plain[i]) % 65521;
		b = (b + a) % 65521;
	}
	assert_int_equal(u32(data + at), b << 16 | a);
	assert_int_equal(at + 4, size);
	*ret_size = n;
	return plain;
}

static void check_png(const char *text)
{
	_cleanup_(qr_clear) struct qr qr = {0};
	_cleanup_free_ uint8_t *png = NULL, *pixels = NULL;
	size_t size, n, side, line;

	assert_int_equal(qr_encode(text, &qr, NULL), FAULT_NONE);
	png = qr_png(&qr, &size);
	assert_memory_equal(png, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
	side = u32(png + 16);
	assert_int_equal(side, (qr.width + 8) * QR_PNG_SCALE);
	assert_int_equal(u32(png + 20), side);
	assert_memory_equal(png + 24, "\1\0\0\0\0", 5);
	assert_memory_equal(png + 37, "IDAT", 4);
	/* ISO 3309 of "IEND" is known to everybody. */
	assert_memory_equal(png + size - 12, "\0\0\0\0IEND\xae\x42\x60\x82", 12);
	assert_int_equal(u32(png + 33) + 45 + 12, size);
	pixels = inflate_stored(png + 41, u32(png + 33), &n);
	line = 1 + side / 8;
	assert_int_equal(n, line * side);
	for (size_t y = 0; y < side; y++) {
		assert_int_equal(pixels[y * line], 0);
		for (size_t x = 0; x < side; x++)
			assert_int_equal(pixels[y * line + 1 + x / 8] >> (7 - x % 8) & 1,
					 !qr_is_dark(&qr, (int)(x / QR_PNG_SCALE) - QR_QUIET_ZONE,
						     (int)(y / QR_PNG_SCALE) - QR_QUIET_ZONE));
	}
}

static void test_small(void **state)
{
	(void)state;
	check_png("clapet");
}

/* The largest has more than one stored block holds. */
static void test_large(void **state)
{
	_cleanup_free_ char *text = xcalloc(1, LIMIT_QR_TEXT_SIZE + 1);

	(void)state;
	memset(text, 'x', LIMIT_QR_TEXT_SIZE);
	check_png(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_large),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("tests", tests, NULL, NULL);
}
