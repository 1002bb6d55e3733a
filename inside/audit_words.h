/* SPDX-License-Identifier: ISC
 *
 * audit_words: an entry of the log as a person reads it, and what kind of thing it tells.
 */
#ifndef INSIDE_AUDIT_WORDS_H
#define INSIDE_AUDIT_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "keys/logentry.h"

/* The chapters of a report. */
enum audit_chapter {
	AUDIT_CHAPTER_ARRIVALS,  /* bundles that came, or went, and what came in force */
	AUDIT_CHAPTER_REFUSALS,  /* refused or held, with the reason */
	AUDIT_CHAPTER_DECISIONS, /* by persons */
	AUDIT_CHAPTER_RETENTION, /* deleted by a rule */
	AUDIT_CHAPTER_ALARMS,    /* clock, silence, quota, the log itself */
	AUDIT_CHAPTER_CHANGES,   /* of configuration, policy, contracts, program, keys; whatever is none of the above */
	AUDIT_CHAPTER_N
};

enum audit_chapter audit_chapter(const struct log_entry *entry);

/* Whether the entry says that a bundle was sent (outside), or that one came (inside: taken in, or refused); its digest is in
 * entry->sha256. */
bool audit_is_sending(const struct log_entry *entry);
bool audit_is_arrival(const struct log_entry *entry);

/* The event in two or three words: "came in force", "was refused"; the event's own name where it is not known here. */
const char *audit_words(const struct log_entry *entry);

/* "E3101, a blob that does not hash to its name" and the clause where the line does not cite it; "" without a code. */
void audit_reason(const struct log_entry *entry, char *text, size_t size);

#endif
