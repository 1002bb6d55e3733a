/* SPDX-License-Identifier: ISC
 *
 * logentry: one entry of the audit log: a JSON object in its one spelling (no blanks, members in this order, those that say nothing
 * left out), so that what is hashed is what people read (bundle/FORMAT.md 21.6).
 *
 *     {"format":"clapet log entry 1","time":"2026-11-22T16:54:02Z","event":"refuse","dataset":"cog","version":"9f86d081884c7d65",
 *      "sha256":"…","code":"E3101","clause":"bundle/FORMAT.md 4.4","person":"p3","line":"blob 9f86…: its bytes do not hash to its name"}
 */
#ifndef KEYS_LOGENTRY_H
#define KEYS_LOGENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "bundle/hash.h"
#include "bundle/limits.h"
#include "bundle/notation.h"

#define LOG_EVENT_SIZE 32
#define LOG_VERSION_SIZE 17
/* "p1" to "p999999999", and its NUL: who, without the name. */
#define LOG_PERSON_SIZE 12
#define LOG_CLAUSE_SIZE 64

/* Texts are "" where the entry has none. */
struct log_entry {
	int64_t time;
	char event[LOG_EVENT_SIZE];       /* "import", "approve", …: lower-case letters and hyphens */
	char dataset[NOTATION_NAME_SIZE]; /* or "status" */
	char version[LOG_VERSION_SIZE];   /* of the dataset: 16 hex digits */
	char sha256[SHA256_HEX_SIZE];     /* of what the event is about: a bundle, a blob, a configuration */
	unsigned code;                    /* of codes.def, or of a later one (fault_is_known); 0: nothing was refused */
	char clause[LOG_CLAUSE_SIZE];     /* what the refusal cites */
	char person[LOG_PERSON_SIZE];     /* a pseudonym: names stand beside the tree */
	char line[FAULT_LINE_SIZE];
};

/* Writes ENTRY; the length without the NUL, always less than LIMIT_LOG_ENTRY_SIZE. Texts must be UTF-8. */
size_t log_entry_format(const struct log_entry *entry, char text[LIMIT_LOG_ENTRY_SIZE]);

/* Reads one entry and insists on its one spelling. FAULT_LOG_ENTRY. */
enum fault log_entry_parse(const uint8_t *data, size_t size, struct log_entry *ret_entry, struct refusal *why);

/* What LINE cites in its last parentheses: "bundle/FORMAT.md 4.4", "TUF 1.0.34, 5.3.4"; "" where it cites nothing. */
void log_entry_clause(const char *line, char clause[LOG_CLAUSE_SIZE]);

bool log_is_event(const char *text);
bool log_is_person(const char *text);

#endif
