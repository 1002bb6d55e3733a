/* SPDX-License-Identifier: ISC
 *
 * fold: texts compared without what does not matter: case, accents, punctuation, blanks, as the options of the library frformat say.
 */
#ifndef SCHEMAS_FOLD_H
#define SCHEMAS_FOLD_H

#include <stdbool.h>
#include <stddef.h>

struct fold_options {
	bool ignore_case, ignore_accents, no_punctuation, ignore_extra_blanks;
};

/* No name that is compared here is longer (in bytes); a longer text is none of them. */
#define FOLD_SIZE 256

/* TEXT by OPTIONS into FOLDED, which holds FOLD_SIZE and gets a NUL. False: it does not fit, or has a NUL of its own. Letters beyond Latin-1
 * stay as they are. */
bool fold(const struct fold_options *options, const char *text, size_t size, char *folded);

/* The bytes of the blank that TEXT begins with (ASCII's, no-break ones, the typographic ones of Unicode), 0 if it begins with none. */
size_t fold_blank(const char *text, size_t size);

#endif
