/* SPDX-License-Identifier: ISC
 *
 * logentry: writing an entry, without a JSON library: inside-log has none.
 */
#include "keys/logentry.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

/* Bytes written so far; never past LIMIT_LOG_ENTRY_SIZE. */
struct writer {
	char *text;
	size_t used;
};

static void put(struct writer *writer, const char *piece, size_t size)
{
	if (writer->used + size >= LIMIT_LOG_ENTRY_SIZE)
		die("a log entry of more than %d bytes", LIMIT_LOG_ENTRY_SIZE);
	memcpy(writer->text + writer->used, piece, size);
	writer->used += size;
	writer->text[writer->used] = '\0';
}

static void put_text(struct writer *writer, const char *text)
{
	put(writer, text, strlen(text));
}

/* RFC 8259, 7: only what must be escaped is. */
static void put_string(struct writer *writer, const char *text)
{
	char escaped[8];

	put(writer, "\"", 1);
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			put(writer, "\\", 1);
		if (c >= 0x20) {
			put(writer, text, 1);
			continue;
		}
		snprintf(escaped, sizeof(escaped), "\\u%04x", c);
		put_text(writer, escaped);
	}
	put(writer, "\"", 1);
}

static void put_member(struct writer *writer, const char *key, const char *value)
{
	if (value[0] == '\0')
		return;
	put(writer, writer->used > 1 ? "," : "", writer->used > 1);
	put_string(writer, key);
	put(writer, ":", 1);
	put_string(writer, value);
}

size_t log_entry_format(const struct log_entry *entry, char text[LIMIT_LOG_ENTRY_SIZE])
{
	struct writer writer = {text, 0};
	char time[NOTATION_TIME_SIZE], code[16] = "";

	notation_format_time(entry->time, time);
	if (entry->code != 0)
		snprintf(code, sizeof(code), "E%04u", entry->code);
	put(&writer, "{", 1);
	put_member(&writer, "format", "clapet log entry 1");
	put_member(&writer, "time", time);
	put_member(&writer, "event", entry->event);
	put_member(&writer, "dataset", entry->dataset);
	put_member(&writer, "version", entry->version);
	put_member(&writer, "sha256", entry->sha256);
	put_member(&writer, "code", code);
	put_member(&writer, "clause", entry->clause);
	put_member(&writer, "person", entry->person);
	put_member(&writer, "line", entry->line);
	put(&writer, "}", 1);
	return writer.used;
}

bool log_is_event(const char *text)
{
	return text[0] >= 'a' && text[0] <= 'z' && strlen(text) < LOG_EVENT_SIZE &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz-") == strlen(text);
}

bool log_is_person(const char *text)
{
	size_t size = strlen(text);

	return size >= 2 && size < LOG_PERSON_SIZE - 1 && text[0] == 'p' && text[1] != '0' &&
	       strspn(text + 1, "0123456789") == size - 1;
}

void log_entry_clause(const char *line, char clause[LOG_CLAUSE_SIZE])
{
	static const char *const standards[] = {"bundle/FORMAT.md ", "TUF ", "RFC ", "C2SP "};
	const char *open = strrchr(line, '('), *close = open == NULL ? NULL : strchr(open, ')');
	size_t size = close == NULL ? 0 : (size_t)(close - open - 1);

	clause[0] = '\0';
	if (size == 0 || size >= LOG_CLAUSE_SIZE)
		return;
	for (size_t i = 0; i < sizeof(standards) / sizeof(standards[0]); i++)
		if (strncmp(open + 1, standards[i], strlen(standards[i])) == 0) {
			memcpy(clause, open + 1, size);
			clause[size] = '\0';
		}
}
