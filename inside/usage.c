/* SPDX-License-Identifier: ISC
 *
 * usage: lines of the access log, summed.
 */
#include "inside/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/notation.h"
#include "inside/accesslog.h"

struct usage *usage_new(void)
{
	struct usage *usage = xcalloc(1, sizeof(*usage));

	usage->readers = json_or_die(json_object());
	return usage;
}

void usage_free(struct usage *usage)
{
	if (usage != NULL)
		json_decref(usage->readers);
	free(usage);
}

void usage_freep(struct usage **usage)
{
	usage_free(*usage);
}

/* --- one line ---------------------------------------------------------------------------------------------------------------------- */

/* What a line says, as far as it counts here; borrowed from its JSON. */
struct said {
	int64_t time, status, rows, bytes, lost;
	const char *key, *dataset, *resource;
	const json_t *columns; /* NULL: all */
};

/* "k3", or "" */
static bool is_key(const char *text)
{
	size_t length = strlen(text);

	return length == 0 || (length >= 2 && length < ACCESS_KEY_ID_SIZE && text[0] == 'k' && text[1] != '0' &&
			       strspn(text + 1, "0123456789") == length - 1);
}

static bool is_list_of_texts(const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!json_is_string(json_array_get(list, i)))
			return false;
	return list == NULL || json_is_array(list);
}

/* Members by type; those that a newer server may have beside them count for nothing. False: no line of ours. */
static bool read_line(const json_t *line, struct said *ret)
{
	const char *time = NULL, *where = "line";

	*ret = (struct said){.key = "", .dataset = "", .resource = ""};
	if (json_get_text(line, where, "time", true, &time, NULL) != FAULT_NONE ||
	    !notation_parse_time(time, &ret->time) ||
	    json_get_integer(line, where, "lost", false, 0, LIMIT_VERSION, &ret->lost, NULL) != FAULT_NONE)
		return false;
	if (ret->lost > 0)
		return true;
	ret->columns = json_object_get(line, "columns");
	return json_get_text(line, where, "key", false, &ret->key, NULL) == FAULT_NONE && is_key(ret->key) &&
	       json_get_text(line, where, "dataset", false, &ret->dataset, NULL) == FAULT_NONE &&
	       (ret->dataset[0] == '\0' || notation_is_name(ret->dataset)) &&
	       json_get_text(line, where, "resource", false, &ret->resource, NULL) == FAULT_NONE &&
	       json_get_integer(line, where, "status", true, 100, 599, &ret->status, NULL) == FAULT_NONE &&
	       json_get_integer(line, where, "rows", false, 0, LIMIT_VERSION, &ret->rows, NULL) == FAULT_NONE &&
	       json_get_integer(line, where, "bytes", true, 0, LIMIT_VERSION, &ret->bytes, NULL) == FAULT_NONE &&
	       is_list_of_texts(ret->columns);
}

/* The object KEY of PARENT, made where it is missing and COUNT is below LIMIT; NULL past it. */
static json_t *enter(json_t *parent, const char *key, size_t *count, size_t limit)
{
	json_t *object = json_object_get(parent, key);

	if (object != NULL || *count >= limit)
		return object;
	++*count;
	object = json_or_die(json_object());
	json_object_set_new(parent, key, object);
	return object;
}

static void count_up(json_t *object, const char *key, int64_t more)
{
	json_t *value = json_object_get(object, key);
	int64_t sum = more;

	if (value == NULL)
		json_object_set_new(object, key, json_or_die(json_integer(more)));
	else if (!__builtin_add_overflow(json_integer_value(value), more, &sum))
		json_integer_set(value, sum);
}

/* A resource by what a line names: "communes" of "communes.csv"; "*" of what is about all resources; NULL of what is about none. BUFFER is of
 * NOTATION_NAME_SIZE bytes or more. */
static const char *resource_of(const char *file, char *buffer, size_t size)
{
	static const char *const none[] = {"datapackage.json", "history"}, *const all[] = {"rows.sqlite", "diff"};
	size_t length = strcspn(file, ".");

	if (file[0] == '\0' || length >= size)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		if (strcmp(file, none[i]) == 0)
			return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (strcmp(file, all[i]) == 0)
			return "*";
	memcpy(buffer, file, length);
	buffer[length] = '\0';
	return notation_is_name(buffer) ? buffer : NULL;
}

/* False where a bound left something out. */
static bool add_columns(struct usage *usage, json_t *row, const struct said *said)
{
	char buffer[NOTATION_NAME_SIZE];
	const char *name = resource_of(said->resource, buffer, sizeof(buffer));
	json_t *resources = json_object_get(row, "resources"), *resource, *columns;

	if (name == NULL)
		return true;
	resource = enter(resources, name, &usage->n_columns, LIMIT_USAGE_COLUMNS);
	if (resource == NULL)
		return false;
	if (json_array_size(said->columns) == 0) {
		count_up(resource, "all", 1);
		return true;
	}
	columns = json_object_get(resource, "columns");
	if (columns == NULL) {
		columns = json_or_die(json_object());
		json_object_set_new(resource, "columns", columns);
	}
	for (size_t i = 0; i < json_array_size(said->columns); i++) {
		const char *column = json_string_value(json_array_get(said->columns, i));

		if (json_object_get(columns, column) == NULL && usage->n_columns++ >= LIMIT_USAGE_COLUMNS)
			return false;
		count_up(columns, column, 1);
	}
	return true;
}

/* A request about a dataset. */
static bool add_request(struct usage *usage, const struct said *said)
{
	json_t *reader = json_object_get(usage->readers, said->key), *row;

	if (reader == NULL) {
		if (usage->n_rows >= LIMIT_USAGE_ROWS)
			return false;
		reader = json_or_die(json_object());
		json_object_set_new(usage->readers, said->key, reader);
	}
	row = enter(reader, said->dataset, &usage->n_rows, LIMIT_USAGE_ROWS);
	if (row == NULL)
		return false;
	if (json_object_get(row, "resources") == NULL)
		json_object_set_new(row, "resources", json_or_die(json_object()));
	count_up(row, "requests", 1);
	count_up(row, "refused", said->status >= 400);
	count_up(row, "rows", said->rows);
	count_up(row, "bytes", said->bytes);
	if (said->time > json_integer_value(json_object_get(row, "last")))
		json_object_set_new(row, "last", json_or_die(json_integer(said->time)));
	return said->status >= 400 || add_columns(usage, row, said);
}

void usage_add_line(struct usage *usage, const char *line, size_t size, int64_t since)
{
	_cleanup_(json_decrefp) json_t *json = NULL;
	struct said said;

	if (size == 0)
		return;
	if (json_parse(line, size, LIMIT_ACCESSLOG_LINE_SIZE, &json, NULL) != FAULT_NONE || !read_line(json, &said)) {
		usage->n_lines++;
		usage->n_bad++;
		return;
	}
	if (said.time < since)
		return;
	usage->n_lines++;
	usage->n_lost += (uint64_t)said.lost;
	if (usage->first == 0 || said.time < usage->first)
		usage->first = said.time;
	if (said.time > usage->last)
		usage->last = said.time;
	if (said.dataset[0] != '\0' && !add_request(usage, &said))
		usage->n_left_out++;
}

/* --- files --------------------------------------------------------------------------------------------------------------------------- */

/* Line by line; one that is longer than any of ours is one bad line. */
static enum fault add_file(struct usage *usage, int fd, const char *name, int64_t since, struct refusal *why)
{
	char line[LIMIT_ACCESSLOG_LINE_SIZE];
	size_t size = 0;
	bool is_long = false;
	_cleanup_free_ char *chunk = xmalloc(64 * KIB);
	ssize_t n;

	while ((n = fd_read_up_to(fd, chunk, 64 * KIB)) > 0)
		for (ssize_t i = 0; i < n; i++) {
			if (chunk[i] != '\n') {
				is_long = is_long || size == sizeof(line);
				if (!is_long)
					line[size++] = chunk[i];
				continue;
			}
			if (is_long)
				usage->n_lines++, usage->n_bad++;
			else
				usage_add_line(usage, line, size, since);
			size = 0;
			is_long = false;
		}
	/* What stands behind the last "\n" is being written, or was cut off: not a line yet. */
	return n < 0 ? refuse(why, FAULT_FILE, "%s: %s", name, strerror((int)-n)) : FAULT_NONE;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

enum fault usage_add_folder(struct usage *usage, int folder_fd, int64_t since, struct refusal *why)
{
	_cleanup_closedir_ DIR *dir = NULL;
	_cleanup_free_ char(*names)[ACCESSLOG_NAME_SIZE] = NULL;
	int copy = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum fault fault = FAULT_NONE;
	size_t n_names = 0;
	int64_t day;

	dir = copy < 0 ? NULL : fdopendir(copy);
	if (dir == NULL)
		return refuse(why, FAULT_FILE, "the access log: %s", strerror(errno));
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		/* A line may be in the file of the day before its own, or behind it, by a second. */
		if (!accesslog_parse_name(entry->d_name, &day) || day + 2 * 86400 < since)
			continue;
		names = xrealloc(names, n_names + 1, sizeof(*names));
		memcpy(names[n_names++], entry->d_name, sizeof(*names));
	}
	if (n_names > 1)
		qsort(names, n_names, sizeof(*names), compare_names);
	for (size_t i = 0; fault == FAULT_NONE && i < n_names; i++) {
		_cleanup_close_ int fd = fd_open_regular_beneath(folder_fd, names[i], O_RDONLY);

		fault = fd < 0 ? refuse(why, FAULT_FILE, "%s: %s", names[i], strerror(-fd))
			       : add_file(usage, fd, names[i], since, why);
	}
	return fault;
}
