/* SPDX-License-Identifier: ISC
 *
 * console_readlog: the audit log's last entries for a page. The reader believes nothing but the log's key, as everywhere (keys/logread.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "inside/console_read.h"
#include "keys/logread.h"

/* The name behind a pseudonym; "" where it is unknown or was erased. */
static const char *name_of(const json_t *people, const char *person)
{
	const json_t *rows = json_object_get(people, "people");

	for (size_t i = 0; person[0] != '\0' && i < json_array_size(rows); i++)
		if (strcmp(console_member(json_array_get(rows, i), "id"), person) == 0)
			return console_member(json_array_get(rows, i), "name");
	return "";
}

static json_t *load_people(int store_fd)
{
	_cleanup_free_ uint8_t *data = NULL;
	json_t *people = NULL;
	size_t size;

	if (store_load_document(store_fd, DOCUMENT_PEOPLE, NULL, NULL, LIMIT_JSON_SIZE, &data, &size) < 0 ||
	    json_parse(data, size, LIMIT_JSON_SIZE, &people, NULL) != FAULT_NONE)
		return NULL;
	return people;
}

static bool fits(const struct log_entry *entry, const char *chapter, const char *dataset)
{
	return (chapter[0] == '\0' || strcmp(console_chapter_name(audit_chapter(entry)), chapter) == 0) &&
	       (dataset[0] == '\0' || strcmp(entry->dataset, dataset) == 0);
}

/* Fills LOG's entries from the one before BEFORE downwards. */
static enum fault read_entries(struct log_reader *reader, uint64_t before, const json_t *people,
			       struct console_log *log)
{
	struct console_entry *entries = xcalloc(CONSOLE_LOG_ROWS, sizeof(*entries));
	uint64_t index = before, looked = 0;

	log->entries = entries;
	log->last = before - 1;
	while (index > 0 && log->n_entries < CONSOLE_LOG_ROWS && looked++ < CONSOLE_LOG_LOOKED) {
		struct console_entry *item = &entries[log->n_entries];
		enum fault fault = log_reader_entry(reader, --index, &item->entry, &log->why);

		if (fault != FAULT_NONE)
			return fault;
		item->index = index;
		item->name = name_of(people, item->entry.person);
		if (fits(&item->entry, log->chapter, log->dataset))
			log->n_entries++;
	}
	log->first = index;
	return FAULT_NONE;
}

void console_load_log(int store_fd, uint64_t before, const char *chapter, const char *dataset,
		      struct console_log *ret_log, json_t **ret_people)
{
	_cleanup_close_ int fd = fd_open_beneath(store_fd, "log", O_RDONLY | O_DIRECTORY, 0);
	_cleanup_(log_reader_freep) struct log_reader *reader = NULL;
	struct console_log log = {.chapter = chapter, .dataset = dataset};
	struct note_verifier verifier;

	*ret_people = NULL;
	*ret_log = log;
	if (fd == -ENOENT || (fd >= 0 && !fd_exists(fd, LOG_CHECKPOINT_NAME)))
		return;
	ret_log->has_log = log.has_log = true;
	if (fd < 0) {
		refuse(&ret_log->why, FAULT_FILE, "log: %s", strerror(-fd));
		return;
	}
	if (log_verifier_load(fd, &verifier, &log.why) == FAULT_NONE &&
	    log_reader_open(fd, &verifier, &reader, &log.why) == FAULT_NONE) {
		log.size = log_reader_head(reader)->size;
		*ret_people = load_people(store_fd);
		if (before == 0 || before > log.size)
			before = log.size;
		if (before > 0)
			read_entries(reader, before, *ret_people, &log);
	}
	*ret_log = log;
}

void console_log_clear(struct console_log *log)
{
	free((void *)log->entries);
	log->entries = NULL;
	log->n_entries = 0;
}
