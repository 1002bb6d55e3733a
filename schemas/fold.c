/* SPDX-License-Identifier: ISC
 *
 * fold: see fold.h.
 */
#include "schemas/fold.h"

#include <string.h>

size_t fold_blank(const char *text, size_t size)
{
	const unsigned char *t = (const unsigned char *)text;

	if (size > 0 && (t[0] == ' ' || (t[0] >= '\t' && t[0] <= '\r')))
		return 1;
	if (size > 1 && t[0] == 0xc2 && t[1] == 0xa0)
		return 2;
	if (size > 2 && t[0] == 0xe2 &&
	    ((t[1] == 0x80 && (t[2] <= 0x8a || t[2] == 0xaf)) || (t[1] == 0x81 && t[2] == 0x9f)))
		return 3;
	return size > 2 && t[0] == 0xe3 && t[1] == 0x80 && t[2] == 0x80 ? 3 : 0;
}

/* A letter of Latin-1 (U+00C0 to U+00FF) without its accent; 0: it has none. Only the vowels, as in frformat: a cedilla stays. */
static char bare_letter(unsigned char last)
{
	static const char UPPER[] = "AAAAAA..EEEEIIII..OOOOO..UUUU...";
	char bare = UPPER[(last - 0x80) & 0x1f];

	if (bare == '.')
		return 0;
	return last >= 0xa0 ? (char)(bare + ('a' - 'A')) : bare;
}

/* One character of a letter's two bytes in Latin-1. */
static size_t fold_latin(const struct fold_options *options, unsigned char last, char *out)
{
	if (options->ignore_case && last >= 0x80 && last <= 0x9e && last != 0x97)
		last = (unsigned char)(last + 0x20);
	if (options->ignore_accents && bare_letter(last) != 0) {
		out[0] = bare_letter(last);
		return 1;
	}
	if (options->no_punctuation) {
		out[0] = ' ';
		return 1;
	}
	out[0] = (char)0xc3;
	out[1] = (char)last;
	return 2;
}

static size_t character_size(unsigned char first)
{
	return first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static size_t fold_character(const struct fold_options *options, const char *text, size_t size, char *out)
{
	unsigned char c = (unsigned char)text[0];

	if (c == 0xc3 && size == 2)
		return fold_latin(options, (unsigned char)text[1], out);
	if (options->ignore_case && c >= 'A' && c <= 'Z')
		c = (unsigned char)(c + ('a' - 'A'));
	if (options->no_punctuation && !((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))) {
		out[0] = ' ';
		return 1;
	}
	memcpy(out, text, size);
	out[0] = (char)c;
	return size;
}

static size_t squeeze_blanks(char *text, size_t size)
{
	size_t n = 0, blank;

	for (size_t i = 0; i<size; i += blank> 0 ? blank : 1) {
		blank = fold_blank(text + i, size - i);
		if (blank == 0)
			text[n++] = text[i];
		else if (n > 0 && text[n - 1] != ' ')
			text[n++] = ' ';
	}
	return n > 0 && text[n - 1] == ' ' ? n - 1 : n;
}

bool fold(const struct fold_options *options, const char *text, size_t size, char *folded)
{
	size_t n = 0;

	for (size_t i = 0, taken; i < size; i += taken) {
		taken = character_size((unsigned char)text[i]);
		if (taken > size - i)
			taken = size - i;
		if (n + taken >= FOLD_SIZE || text[i] == '\0')
			return false;
		n += fold_character(options, text + i, taken, folded + n);
	}
	if (options->ignore_extra_blanks)
		n = squeeze_blanks(folded, n);
	folded[n] = '\0';
	return true;
}
