/* SPDX-License-Identifier: ISC
 *
 * keys_qr: what is written holds the library's matrix, module for module, in each form and ink; texts past the bound.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <qrencode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "bundle/limits.h"
#include "keys/qr.h"

static const char text[] = "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5";

static void test_matrix_is_the_librarys(void **state)
{
	_cleanup_(qr_clear) struct qr qr = {0};
	QRcode *code = QRcode_encodeData(sizeof(text) - 1, (const unsigned char *)text, 0, QR_ECLEVEL_M);

	(void)state;
	assert_int_equal(qr_encode(text, &qr, NULL), FAULT_NONE);
	assert_int_equal(qr.version, 5);
	assert_int_equal(qr.width, 17 + 4 * qr.version);
	for (unsigned y = 0; y < qr.width; y++)
		for (unsigned x = 0; x < qr.width; x++)
			assert_int_equal(qr_is_dark(&qr, (int)x, (int)y), code->data[y * qr.width + x] & 1);
	/* A finder pattern's corner is dark, what lies outside is light. */
	assert_true(qr_is_dark(&qr, 0, 0));
	assert_false(qr_is_dark(&qr, -1, 0));
	assert_false(qr_is_dark(&qr, 0, (int)qr.width));
	QRcode_free(code);
}

static char *written(const struct qr *qr, enum qr_form form, enum qr_ink ink)
{
	char *buffer = NULL;
	size_t size;
	FILE *file = open_memstream(&buffer, &size);

	assert_non_null(file);
	qr_write(file, qr, form, ink);
	fclose(file);
	return buffer;
}

/* Reads back what was written: ROW and COLUMN of the modules with the quiet zone. */
static bool ascii_ink_at(const char *lines, unsigned side, unsigned x, unsigned y)
{
	const char *at = lines + y * (2 * side + 1) + 2 * x;

	assert_memory_equal(at, at[0] == '#' ? "##" : "  ", 2);
	return at[0] == '#';
}

static void test_ascii(void **state)
{
	_cleanup_(qr_clear) struct qr qr = {0};
	const unsigned z = QR_QUIET_ZONE;

	(void)state;
	assert_int_equal(qr_encode(text, &qr, NULL), FAULT_NONE);
	for (int dark = 0; dark < 2; dark++) {
		_cleanup_free_ char *lines = written(&qr, QR_FORM_ASCII, dark ? QR_INK_DARK : QR_INK_LIGHT);
		const unsigned side = qr.width + 2 * z;

		assert_int_equal(strlen(lines), side * (2 * side + 1));
		for (unsigned y = 0; y < side; y++)
			for (unsigned x = 0; x < side; x++)
				assert_int_equal(ascii_ink_at(lines, side, x, y),
						 qr_is_dark(&qr, (int)(x - z), (int)(y - z)) == (dark == 1));
	}
}

/* The two modules of the block at *AT, which moves behind it. */
static void next_block(const char **at, bool *ret_upper, bool *ret_lower)
{
	static const char *const blocks[] = {" ", "\u2584", "\u2580", "\u2588"};

	for (unsigned i = 0; i < ARRAY_SIZE(blocks); i++)
		if (strncmp(*at, blocks[i], strlen(blocks[i])) == 0) {
			*at += strlen(blocks[i]);
			*ret_upper = i >= 2;
			*ret_lower = i % 2 == 1;
			return;
		}
	fail_msg("no block at \"%.8s\"", *at);
}

static void test_blocks(void **state)
{
	_cleanup_(qr_clear) struct qr qr = {0};
	_cleanup_free_ char *plain = NULL, *coloured = NULL;
	const char *at;
	int end;

	(void)state;
	assert_int_equal(qr_encode(text, &qr, NULL), FAULT_NONE);
	end = (int)qr.width + QR_QUIET_ZONE;
	plain = written(&qr, QR_FORM_BLOCKS, QR_INK_LIGHT);
	at = plain;
	for (int y = -QR_QUIET_ZONE; y < end; y += 2) {
		for (int x = -QR_QUIET_ZONE; x < end; x++) {
			bool upper, lower;

			next_block(&at, &upper, &lower);
			assert_int_equal(upper, !qr_is_dark(&qr, x, y));
			assert_int_equal(lower, !qr_is_dark(&qr, x, y + 1));
		}
		assert_int_equal(*at++, '\n');
	}
	assert_int_equal(*at, '\0');
	/* Coloured: the same blocks, each line between its escape sequences. */
	coloured = written(&qr, QR_FORM_BLOCKS, QR_INK_COLOUR);
	assert_memory_equal(coloured, "\033[0;97;40m\u2588", 13);
	assert_memory_equal(coloured + strlen(coloured) - 5, "\033[0m\n", 5);
}

static void test_bound(void **state)
{
	_cleanup_(qr_clear) struct qr qr = {0};
	char longest[LIMIT_QR_TEXT_SIZE + 2];
	struct refusal why;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[LIMIT_QR_TEXT_SIZE + 1] = '\0';
	assert_int_equal(qr_encode(longest, &qr, &why), FAULT_QR_SIZE);
	assert_string_equal(why.line, "a QR code of 667 bytes, 1 to 666");
	assert_null(qr.dark);
	assert_int_equal(qr_encode("", &qr, &why), FAULT_QR_SIZE);
	longest[LIMIT_QR_TEXT_SIZE] = '\0';
	assert_int_equal(qr_encode(longest, &qr, &why), FAULT_NONE);
	assert_int_equal(qr.version, LIMIT_QR_VERSION);
}

static void printed(const char *locale, bool for_paper, char *first, size_t first_size)
{
	FILE *file = tmpfile();

	assert_non_null(file);
	setenv("LC_ALL", locale, 1);
	assert_int_equal(qr_print(file, text, for_paper, NULL), FAULT_NONE);
	rewind(file);
	assert_non_null(fgets(first, (int)first_size, file));
	fclose(file);
}

/* Into a file, as the environment says. */
static void test_print(void **state)
{
	char first[512];

	(void)state;
	printed("C", false, first, sizeof(first));
	assert_memory_equal(first, "####", 4);
	printed("C", true, first, sizeof(first));
	assert_memory_equal(first, "    ", 4);
	printed("fr_FR.UTF-8", false, first, sizeof(first));
	assert_memory_equal(first, "\u2588", 3);
	printed("C.utf8", true, first, sizeof(first));
	assert_memory_equal(first, "    ", 4);
	assert_int_equal(strlen(first), 37 + 2 * QR_QUIET_ZONE + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matrix_is_the_librarys),
		cmocka_unit_test(test_ascii),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_print),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
