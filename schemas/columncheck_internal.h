/* SPDX-License-Identifier: ISC
 *
 * columncheck, between its own files: columncheck_compile.c makes of a field what columncheck.c runs through.
 */
#ifndef SCHEMAS_COLUMNCHECK_INTERNAL_H
#define SCHEMAS_COLUMNCHECK_INTERNAL_H

#include "schemas/bytescan.h"
#include "schemas/columncheck.h"

#define FORM_SIZE_MAX 40
#define FORM_WORDS (FORM_SIZE_MAX / 8)
#define FORMS_MAX 8
#define MOMENTS_MAX 4
#define SHORT_TEXTS_MAX 64
#define SHORT_SLOTS_MAX 512

/* What keeps the first SIZE bytes of a word, at most eight. */
static inline uint64_t byte_mask(size_t size)
{
	return size >= 8 ? ~0ULL : ((uint64_t)1 << 8 * size) - 1;
}

/* A range for each byte of a word: 0x80 less its first character, and 0x7f less its last one. Both below 0x80, or a NUL. */
struct byte_ranges {
	uint64_t from, past;
};

/* So many bytes, each within its range; behind them ranges of NUL alone. */
struct text_form {
	size_t size;
	struct byte_ranges ranges[FORM_WORDS];
};

/* A form whose digits stand for a moment: where each number begins, -1: it has none. */
struct moment_form {
	struct text_form text;
	int year, month, day, hour, minute, second;
};

/* Texts of at most eight bytes, each in the slot that FACTOR gives it and no other. */
struct short_texts {
	uint64_t size_bits; /* as text_list's: most cells need no more */
	uint64_t factor;
	unsigned shift;
	uint64_t *words;                /* owned; a slot without a text has a word that belongs elsewhere */
	uint8_t *sizes;                 /* owned */
	const struct text_list *others; /* not NULL: ask this instead, they are too long or too many */
};

enum column_kind {
	COLUMN_GENERAL, /* nothing is known without field_check */
	COLUMN_TEXT,    /* any text within lengths */
	COLUMN_WORDS,   /* one of a few */
	COLUMN_FORM,
	COLUMN_FORMS,
	COLUMN_INTEGER,
	COLUMN_NUMBER,
	COLUMN_MOMENT,
	COLUMN_MOMENTS,
};

struct column_check {
	enum column_kind kind;
	struct short_texts missing;

	size_t min_size, max_size,
		sure_size;        /* COLUMN_TEXT; from SURE_SIZE bytes on it is long enough in any characters */
	struct short_texts words; /* COLUMN_WORDS */
	struct text_list list;    /* its texts, if they are too long or too many for short_texts */
	struct text_form forms[FORMS_MAX]; /* COLUMN_FORM, COLUMN_FORMS */
	size_t n_forms;

	bool is_bounded; /* COLUMN_INTEGER, COLUMN_NUMBER */
	int64_t lowest, highest;
	size_t only_size; /* 0: any */
	char decimal;

	struct moment_form moments[MOMENTS_MAX]; /* COLUMN_MOMENT, COLUMN_MOMENTS */
	size_t n_moments;
	int first_year, last_year; /* all of whose moments are within bounds */
};

#endif
