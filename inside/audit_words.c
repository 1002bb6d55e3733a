/* SPDX-License-Identifier: ISC
 *
 * audit_words: one table of events.
 */
#include "inside/audit_words.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fault.h"

static const struct {
	const char *event;
	enum audit_chapter chapter;
	const char *words;
} events[] = {
	{"import", AUDIT_CHAPTER_ARRIVALS, "bundle taken in"},
	{"fetch", AUDIT_CHAPTER_ARRIVALS, "fetched"},
	{"publish", AUDIT_CHAPTER_ARRIVALS, "published"},
	{"send", AUDIT_CHAPTER_ARRIVALS, "bundle sent"},
	{"switch", AUDIT_CHAPTER_ARRIVALS, "came in force"},
	{"trust", AUDIT_CHAPTER_ARRIVALS, "metadata trusted"},
	{"withdraw", AUDIT_CHAPTER_ARRIVALS, "left out"},
	{"refuse", AUDIT_CHAPTER_REFUSALS, "REFUSED"},
	{"hold", AUDIT_CHAPTER_REFUSALS, "held for a person"},
	{"approve", AUDIT_CHAPTER_DECISIONS, "let in by a person"},
	{"withdraw-waiver", AUDIT_CHAPTER_DECISIONS, "waiver ended"},
	{"pin", AUDIT_CHAPTER_DECISIONS, "pinned"},
	{"release", AUDIT_CHAPTER_DECISIONS, "pin ended"},
	{"rollback", AUDIT_CHAPTER_DECISIONS, "rolled back"},
	{"key-add", AUDIT_CHAPTER_DECISIONS, "reader's key made"},
	{"key-accept", AUDIT_CHAPTER_DECISIONS, "licence accepted"},
	{"key-revoke", AUDIT_CHAPTER_DECISIONS, "reader's key ended"},
	{"expire", AUDIT_CHAPTER_RETENTION, "deleted by rule"},
	{"quota", AUDIT_CHAPTER_ALARMS, "ALARM quota"},
	{"clock", AUDIT_CHAPTER_ALARMS, "ALARM clock"},
	{"alarm", AUDIT_CHAPTER_ALARMS, "ALARM"},
	{"hook", AUDIT_CHAPTER_ALARMS, "hook failed"},
	{"checkpoint", AUDIT_CHAPTER_DECISIONS, "checkpoint taken"},
	{"forget-person", AUDIT_CHAPTER_DECISIONS, "name erased"},
	{"init", AUDIT_CHAPTER_CHANGES, "began"},
	{"root", AUDIT_CHAPTER_CHANGES, "root changed"},
	{"configuration", AUDIT_CHAPTER_CHANGES, "configuration"},
	{"policy", AUDIT_CHAPTER_CHANGES, "policy"},
	{"access", AUDIT_CHAPTER_CHANGES, "access.json"},
	{"contract", AUDIT_CHAPTER_CHANGES, "contract"},
	{"program", AUDIT_CHAPTER_CHANGES, "program"},
};

static size_t find(const struct log_entry *entry)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(events) && strcmp(events[i].event, entry->event) != 0)
		i++;
	return i;
}

enum audit_chapter audit_chapter(const struct log_entry *entry)
{
	size_t i = find(entry);
	enum fault_kind kind = fault_is_known(entry->code) ? fault_kind((enum fault)entry->code) : FAULT_KIND_DONE;

	/* A bundle that was taken in only in part, or a program that is newer than this one: the code says what it was. */
	if (i == ARRAY_SIZE(events) || events[i].chapter == AUDIT_CHAPTER_ARRIVALS)
		if (kind == FAULT_KIND_REFUSED || kind == FAULT_KIND_HELD)
			return AUDIT_CHAPTER_REFUSALS;
	return i == ARRAY_SIZE(events) ? AUDIT_CHAPTER_CHANGES : events[i].chapter;
}

bool audit_is_sending(const struct log_entry *entry)
{
	return strcmp(entry->event, "send") == 0 && entry->sha256[0] != '\0';
}

bool audit_is_arrival(const struct log_entry *entry)
{
	return (strcmp(entry->event, "import") == 0 || strcmp(entry->event, "refuse") == 0) &&
	       entry->dataset[0] == '\0' && entry->sha256[0] != '\0';
}

const char *audit_words(const struct log_entry *entry)
{
	size_t i = find(entry);

	return i == ARRAY_SIZE(events) ? entry->event : events[i].words;
}

void audit_reason(const struct log_entry *entry, char *text, size_t size)
{
	bool cited = entry->clause[0] == '\0' || strstr(entry->line, entry->clause) != NULL;

	text[0] = '\0';
	if (entry->code == 0)
		return;
	snprintf(text, size, "E%04u%s%s%s%s", entry->code, fault_is_known(entry->code) ? ", " : "",
		 fault_is_known(entry->code) ? fault_title((enum fault)entry->code) : "", cited ? "" : "; ",
		 cited ? "" : entry->clause);
}
