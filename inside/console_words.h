/* SPDX-License-Identifier: ISC
 *
 * console_words: the console's two languages: its words (console_words.def), and how each writes numbers, sizes, dates, ages. What is written here is
 * ours; what came in as text is bundle/html's.
 */
#ifndef INSIDE_CONSOLE_WORDS_H
#define INSIDE_CONSOLE_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "inside/audit_words.h"

enum console_language { CONSOLE_FR, CONSOLE_EN, CONSOLE_LANGUAGES };

enum console_word {
#define WORD(name, french, english) WORD_##name,
#include "inside/console_words.def"
#undef WORD
	WORD_N
};

/* LANG (of ?lang=; NULL where it was not asked for) if it is one of ours, else what an Accept-Language asks for (RFC 9110, 12.5.4: the
 * highest weight counts, of equals the first), else English. */
enum console_language console_language_choose(const char *lang, const char *accept);
/* "fr", "en". */
const char *console_language_tag(enum console_language language);
enum console_language console_language_other(enum console_language language);

/* As HTML; with its {1} still in it where it has any. */
const char *console_word(enum console_language language, enum console_word word);

/* Each writes UTF-8 that holds no markup, and returns TEXT. French: "3 600 000" with narrow no-break spaces, "2,4 Mo", "25/11/2026", "14 h"; English:
 * "3,600,000", "2.4 MB", "25 Nov 2026", "14 h". */
#define CONSOLE_TEXT_SIZE 64
const char *console_number(enum console_language language, uint64_t number, char text[CONSOLE_TEXT_SIZE]);
const char *console_size(enum console_language language, uint64_t bytes, char text[CONSOLE_TEXT_SIZE]);
const char *console_day(enum console_language language, int64_t time, char text[CONSOLE_TEXT_SIZE]);
/* The day, the time and the zone. */
const char *console_moment(enum console_language language, int64_t time, char text[CONSOLE_TEXT_SIZE]);
const char *console_age(enum console_language language, int64_t seconds, char text[CONSOLE_TEXT_SIZE]);
/* Of a published date: its day where it begins with one, else what it says. */
const char *console_published(enum console_language language, const char *date, char text[CONSOLE_TEXT_SIZE]);

/* What the catalogue of codes says of FAULT, in French; NULL where that is only there in English (fault_title). */
const char *console_fault_french(enum fault fault);
/* An event of the log, likewise (audit_words). */
const char *console_event_french(const char *event);
enum console_word console_chapter(enum audit_chapter chapter);
/* The word for a "state" of status.json; WORD_UNKNOWN for another. */
enum console_word console_state(const char *state);

#endif
