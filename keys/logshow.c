/* SPDX-License-Identifier: ISC
 *
 * logshow: entries whose place in the tree the reader has proved.
 */
#include "keys/logshow.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/columns.h"

#define NAME_SIZE 96

/* "p1 (jeanne)", "p1" where the name was erased. */
static char *show_person(log_name *name, void *context, const char *person)
{
	const char *found = person[0] == '\0' || name == NULL ? NULL : name(context, person);
	char shown[NAME_SIZE];

	if (found == NULL)
		return xstrdup(person[0] == '\0' ? "-" : person);
	text_escape(found, strlen(found), shown, sizeof(shown));
	return xasprintf("%s (%s)", person, shown);
}

static void add_row(struct columns *table, uint64_t index, const struct log_entry *entry, log_name *name, void *context)
{
	_cleanup_free_ char *person = show_person(name, context, entry->person);
	char number[24], when[40], code[8] = "-", line[FAULT_LINE_SIZE];

	snprintf(number, sizeof(number), "%" PRIu64, index);
	notation_format_local(entry->time, when, sizeof(when));
	if (entry->code != 0)
		snprintf(code, sizeof(code), "E%04u", entry->code % 10000);
	text_escape(entry->line, strlen(entry->line), line, sizeof(line));
	columns_row(table, (const char *const[]){number, when, entry->event,
						 entry->dataset[0] == '\0' ? "-" : entry->dataset, code, person, line});
}

enum fault log_show(struct log_reader *reader, uint64_t first, log_name *name, void *context, FILE *file,
		    struct refusal *why)
{
	static const char *const headings[] = {"ENTRY", "TIME", "EVENT", "DATASET", "CODE", "BY", "WHAT"};
	struct columns *table = columns_new(ARRAY_SIZE(headings), headings);
	enum fault fault = FAULT_NONE;

	for (uint64_t i = first; fault == FAULT_NONE && i < log_reader_head(reader)->size; i++) {
		struct log_entry entry;

		fault = log_reader_entry(reader, i, &entry, why);
		if (fault == FAULT_NONE)
			add_row(table, i, &entry, name, context);
	}
	if (fault == FAULT_NONE)
		columns_print(table, file);
	columns_free(table);
	return fault;
}

enum fault log_show_json(struct log_reader *reader, uint64_t first, json_t **ret_array, struct refusal *why)
{
	_cleanup_(json_decrefp) json_t *array = json_array();

	for (uint64_t i = first; i < log_reader_head(reader)->size; i++) {
		struct tile_entry bytes = {NULL, 0};
		struct log_entry entry;
		enum fault fault;
		json_t *object;

		if ((fault = log_reader_entry(reader, i, &entry, why)) != FAULT_NONE ||
		    (fault = log_reader_bytes(reader, i, &bytes, why)) != FAULT_NONE)
			return fault;
		object = json_loadb((const char *)bytes.data, bytes.size, 0, NULL);
		json_object_set_new(object, "index", json_integer((json_int_t)i));
		json_array_append_new(array, object);
	}
	*ret_array = steal_pointer(&array);
	return FAULT_NONE;
}
