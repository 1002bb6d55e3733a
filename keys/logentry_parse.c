/* SPDX-License-Identifier: ISC
 *
 * logentry_parse: reading entries, strictly: what parses is written again, and must come out the same.
 */
#include <jansson.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "bundle/json.h"
#include "keys/logentry.h"

#define WHERE "entry"

/* A text member; "" where it is missing and need not be there. */
static enum fault get(const json_t *root, const char *key, bool required, char *to, size_t size, struct refusal *why)
{
	const char *text = NULL;
	enum fault fault = json_get_text(root, WHERE, key, required, &text, why);

	to[0] = '\0';
	if (fault != FAULT_NONE || text == NULL)
		return fault;
	return text_copy(to, size, text)
		       ? FAULT_NONE
		       : refuse(why, FAULT_LOG_ENTRY, "\"%s\" is too long (bundle/FORMAT.md 21.6)", key);
}

static enum fault get_texts(const json_t *root, struct log_entry *entry, char time[NOTATION_TIME_SIZE], char code[16],
			    struct refusal *why)
{
	enum fault fault;

	if ((fault = get(root, "time", true, time, NOTATION_TIME_SIZE, why)) != FAULT_NONE ||
	    (fault = get(root, "event", true, entry->event, LOG_EVENT_SIZE, why)) != FAULT_NONE ||
	    (fault = get(root, "dataset", false, entry->dataset, sizeof(entry->dataset), why)) != FAULT_NONE ||
	    (fault = get(root, "version", false, entry->version, LOG_VERSION_SIZE, why)) != FAULT_NONE ||
	    (fault = get(root, "sha256", false, entry->sha256, SHA256_HEX_SIZE, why)) != FAULT_NONE ||
	    (fault = get(root, "code", false, code, 16, why)) != FAULT_NONE ||
	    (fault = get(root, "clause", false, entry->clause, LOG_CLAUSE_SIZE, why)) != FAULT_NONE ||
	    (fault = get(root, "person", false, entry->person, LOG_PERSON_SIZE, why)) != FAULT_NONE)
		return fault;
	return get(root, "line", false, entry->line, sizeof(entry->line), why);
}

/* "E3101"; 0 where it is none. */
static unsigned parse_code(const char *text)
{
	return text[0] == 'E' && strlen(text) == 5 && strspn(text + 1, "0123456789") == 4 && text[1] != '0'
		       ? (unsigned)strtoul(text + 1, NULL, 10)
		       : 0;
}

static bool is_good(const struct log_entry *entry, const char *code)
{
	uint8_t bytes[SHA256_SIZE];

	return log_is_event(entry->event) && (code[0] == '\0' || entry->code != 0) &&
	       (entry->dataset[0] == '\0' || notation_is_name(entry->dataset) ||
		strcmp(entry->dataset, "status") == 0) &&
	       (entry->version[0] == '\0' || notation_unhex(entry->version, bytes, 8)) &&
	       (entry->sha256[0] == '\0' || notation_unhex(entry->sha256, bytes, SHA256_SIZE)) &&
	       (entry->person[0] == '\0' || log_is_person(entry->person));
}

static enum fault parse(const json_t *root, struct log_entry *entry, struct refusal *why)
{
	static const char *const members[] = {"format", "time",   "event",  "dataset", "version", "sha256",
					      "code",   "clause", "person", "line",    NULL};
	char time[NOTATION_TIME_SIZE], code[16];
	enum fault fault;

	if ((fault = json_format(root, WHERE, "clapet log entry", 1, why)) != FAULT_NONE ||
	    (fault = json_only(root, WHERE, members, why)) != FAULT_NONE ||
	    (fault = get_texts(root, entry, time, code, why)) != FAULT_NONE)
		return fault;
	entry->code = parse_code(code);
	if (!notation_parse_time(time, &entry->time) || !is_good(entry, code))
		return refuse(why, FAULT_LOG_ENTRY, "a member of event \"%s\" is out of form (bundle/FORMAT.md 21.6)",
			      entry->event);
	return FAULT_NONE;
}

enum fault log_entry_parse(const uint8_t *data, size_t size, struct log_entry *ret_entry, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *root = NULL;
	char again[LIMIT_LOG_ENTRY_SIZE];
	struct log_entry entry;

	memset(&entry, 0, sizeof(entry));
	if (json_parse(data, size, LIMIT_LOG_ENTRY_SIZE - 1, &root, why) != FAULT_NONE ||
	    parse(root, &entry, why) != FAULT_NONE) {
		if (why != NULL)
			why->fault = FAULT_LOG_ENTRY;
		return FAULT_LOG_ENTRY;
	}
	if (log_entry_format(&entry, again) != size || memcmp(again, data, size) != 0)
		return refuse(why, FAULT_LOG_ENTRY, "is not in its one spelling (bundle/FORMAT.md 21.6)");
	*ret_entry = entry;
	return FAULT_NONE;
}
