/* SPDX-License-Identifier: ISC
 *
 * words: a digest as words, for comparing two of them over a telephone. 256 words of our own choice, one a byte: French and
 * English speakers know them all, and no two are alike to the eye or the ear. A SHA-256 is four numbered lines of eight (FORMAT.md,
 * "Words").
 */
#ifndef KEYS_WORDS_H
#define KEYS_WORDS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/fault.h"
#include "bundle/hash.h"

#define WORDS_A_LINE 8
#define WORDS_LINES 4
/* The longest word has 8 letters. Four of them with blanks, and a NUL. */
#define WORDS_NAME_SIZE 40

/* The word of BYTE. The words are in alphabetical order. */
const char *words_of_byte(uint8_t byte);

/* The byte of the word of SIZE letters at TEXT, in lower or upper case; its first four letters will do, for no two words
 * share them. -1 where it is none of them. */
int words_find(const char *text, size_t size);

/* The first four words of a hex digest, as a name for people to call a key by: it proves nothing. */
void words_name(const char *hex, char name[WORDS_NAME_SIZE]);

/* The four lines "1  word word …"; the lines after the first behind INDENT blanks. */
void words_print(FILE *file, const struct sha256 *sha256, int indent);

/* Compares what a person typed with SHA256: four lines of eight words, each beginning with its number (which may be followed by a
 * full stop or a colon; case and blanks do not count). FAULT_WORDS names the first line that is missing, out of its order or
 * different, and never a word that was expected. */
enum fault words_compare(const char *text, size_t size, const struct sha256 *sha256, struct refusal *why);

#endif
