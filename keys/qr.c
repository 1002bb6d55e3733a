/* SPDX-License-Identifier: ISC
 *
 * qr: libqrencode makes the matrix; here it becomes characters.
 */
#include "keys/qr.h"

#include <errno.h>
#include <qrencode.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "bundle/limits.h"

enum fault qr_encode(const char *text, struct qr *ret_qr, struct refusal *why)
{
	size_t size = strlen(text);
	QRcode *code;
	struct qr qr;

	if (size == 0 || size > LIMIT_QR_TEXT_SIZE)
		return refuse(why, FAULT_QR_SIZE, "a QR code of %zu bytes, 1 to %d", size, LIMIT_QR_TEXT_SIZE);
	code = QRcode_encodeData((int)size, (const unsigned char *)text, 0, QR_ECLEVEL_M);
	if (code == NULL)
		die_errno("making a QR code");
	qr.version = (unsigned)code->version;
	qr.width = (unsigned)code->width;
	qr.dark = xmalloc((size_t)qr.width * qr.width);
	for (size_t i = 0; i < (size_t)qr.width * qr.width; i++)
		qr.dark[i] = code->data[i] & 1;
	QRcode_free(code);
	if (qr.version > LIMIT_QR_VERSION)
		die("a QR code of version %u for %zu bytes", qr.version, size);
	*ret_qr = qr;
	return FAULT_NONE;
}

void qr_clear(struct qr *qr)
{
	free(qr->dark);
	memset(qr, 0, sizeof(*qr));
}

bool qr_is_dark(const struct qr *qr, int x, int y)
{
	int width = (int)qr->width;

	return x >= 0 && y >= 0 && x < width && y < width && qr->dark[y * width + x] != 0;
}

/* Two modules one above the other, each inked or not. */
static const char *half_block(bool upper, bool lower)
{
	static const char *const blocks[2][2] = {{" ", "\u2584"}, {"\u2580", "\u2588"}};

	return blocks[upper][lower];
}

void qr_write(FILE *file, const struct qr *qr, enum qr_form form, enum qr_ink ink)
{
	const int end = (int)qr->width + QR_QUIET_ZONE;
	const bool ink_is_dark = ink == QR_INK_DARK;

	for (int y = -QR_QUIET_ZONE; y < end; y += form == QR_FORM_BLOCKS ? 2 : 1) {
		if (ink == QR_INK_COLOUR)
			fputs("\033[0;97;40m", file); /* light is the ink: bright white on black */
		for (int x = -QR_QUIET_ZONE; x < end; x++) {
			bool upper = qr_is_dark(qr, x, y) == ink_is_dark;

			/* Behind an odd last line lies one more of light. */
			if (form == QR_FORM_BLOCKS)
				fputs(half_block(upper, qr_is_dark(qr, x, y + 1) == ink_is_dark), file);
			else
				fputs(upper ? "##" : "  ", file);
		}
		fputs(ink == QR_INK_COLOUR ? "\033[0m\n" : "\n", file);
	}
}

static bool environment_is_utf8(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (value != NULL && *value != '\0')
			return strcasestr(value, "UTF-8") != NULL || strcasestr(value, "UTF8") != NULL;
	}
	return false;
}

enum fault qr_print(FILE *file, const char *text, bool for_paper, struct refusal *why)
{
	_cleanup_(qr_clear) struct qr qr = {0};
	enum fault fault = qr_encode(text, &qr, why);

	if (fault != FAULT_NONE)
		return fault;
	qr_write(file, &qr, environment_is_utf8() ? QR_FORM_BLOCKS : QR_FORM_ASCII,
		 log_has_colour(fileno(file)) ? QR_INK_COLOUR
		 : for_paper                  ? QR_INK_DARK
					      : QR_INK_LIGHT);
	return FAULT_NONE;
}
