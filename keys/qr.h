/* SPDX-License-Identifier: ISC
 *
 * qr: a text as a QR code (ISO/IEC 18004) in characters, for a telephone's camera before a terminal or a sheet of paper.
 */
#ifndef KEYS_QR_H
#define KEYS_QR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/fault.h"

/* Modules of light round the symbol, which readers need (ISO/IEC 18004, 5.3.8). */
#define QR_QUIET_ZONE 4

struct qr {
	unsigned version; /* 1 to LIMIT_QR_VERSION */
	unsigned width;   /* modules a side, without the quiet zone: 17 + 4 * version */
	uint8_t *dark;    /* owned: width * width, row by row; 1: dark */
};

/* The smallest symbol that holds TEXT as bytes, error correction level M (15 % may be spoilt). FAULT_QR_SIZE where that is larger
 * than LIMIT_QR_VERSION, and for an empty text. */
enum fault qr_encode(const char *text, struct qr *ret_qr, struct refusal *why);
void qr_clear(struct qr *qr);

/* Whether the module at column X, row Y is dark; everything outside the symbol is light. */
bool qr_is_dark(const struct qr *qr, int x, int y);

enum qr_form {
	QR_FORM_BLOCKS, /* UTF-8 half blocks: a column a module, two modules a line */
	QR_FORM_ASCII,  /* "##" and blanks: two columns a module, a line a module */
};
enum qr_ink {
	QR_INK_COLOUR, /* black on white by escape sequences: right on any terminal that has them */
	QR_INK_LIGHT,  /* characters stand for light: right where text is lighter than its ground */
	QR_INK_DARK,   /* characters stand for dark: right on paper */
};

/* Writes QR with its quiet zone. Every line is as long as every other. */
void qr_write(FILE *file, const struct qr *qr, enum qr_form form, enum qr_ink ink);

/* Writes TEXT as suits FILE: coloured on a terminal that has colours, else for paper if FOR_PAPER; half blocks where the
 * environment says UTF-8 (LC_ALL, LC_CTYPE, LANG: the first that is set), else ASCII. FAULT_QR_SIZE. */
enum fault qr_print(FILE *file, const char *text, bool for_paper, struct refusal *why);

#endif
