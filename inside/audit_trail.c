/* SPDX-License-Identifier: ISC
 *
 * audit_trail: opening a log, walking its folder, and walking its entries.
 */
#include "inside/audit_trail.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "bundle/json.h"
#include "bundle/progress.h"
#include "inside/store.h"

/* Beside the tree; composed by the supervisor (inside/logbook.h). */
#define PEOPLE_NAME "people.json"

/* --- opening --------------------------------------------------------------------------------------------------------- */

void trail_find(const char *path, struct trail *ret_trail)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int log_fd;

	if (fd < 0)
		die_errno("%s", path);
	log_fd = fd_open_beneath(fd, "log", O_RDONLY | O_DIRECTORY, 0);
	if (log_fd < 0 && log_fd != -ENOENT)
		die("%s/log: %s", path, strerror(-log_fd));
	*ret_trail = (struct trail){path, log_fd < 0 ? steal_fd(&fd) : log_fd, NULL, false, NULL};
}

void trail_clear(struct trail *trail)
{
	log_reader_free(trail->reader);
	if (trail->folder_fd >= 0)
		close(trail->folder_fd);
	json_decref(trail->people);
	*trail = (struct trail)TRAIL_NONE;
}

/* The first line of the checkpoint says whose log it wants to be; the key of that name judges. */
static const struct note_verifier *choose_key(const struct trail *trail, const struct trail_keys *keys)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t size, length;

	if (fd_load_file(trail->folder_fd, LOG_CHECKPOINT_NAME, LIMIT_CHECKPOINT_SIZE, &data, &size) < 0)
		return &keys->items[0];
	length = strcspn((char *)data, "\n");
	for (size_t i = 0; i < keys->n_items; i++)
		if (strlen(keys->items[i].name) == length && memcmp(keys->items[i].name, data, length) == 0)
			return &keys->items[i];
	return &keys->items[0];
}

bool trail_open(struct trail *trail, const struct trail_keys *keys, struct findings *findings)
{
	struct refusal why;

	if (log_reader_open(trail->folder_fd, choose_key(trail, keys), &trail->reader, &why) == FAULT_NONE)
		return true;
	trail->reader = NULL;
	refuse_within(&why, "%s", trail->path);
	findings_add(findings, &why);
	return false;
}

/* --- people ---------------------------------------------------------------------------------------------------------- */

void trail_load_people(struct trail *trail, struct findings *findings)
{
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_(json_decrefp) json_t *json = NULL;
	struct refusal why = {FAULT_NONE, ""};
	size_t size;
	int r = fd_load_file(trail->folder_fd, PEOPLE_NAME, LIMIT_JSON_SIZE, &data, &size);

	if (r < 0)
		return;
	if (json_parse(data, size, LIMIT_JSON_SIZE, &json, &why) == FAULT_NONE &&
	    json_format(json, PEOPLE_NAME, "clapet log people", 1, &why) == FAULT_NONE)
		trail->people = steal_pointer(&json);
	else
		findings_note(findings, "%s: %s: persons are shown without their names", PEOPLE_NAME, why.line);
}

const char *trail_person(const struct trail *trail, const char *person)
{
	const json_t *rows = json_object_get(trail->people, "people");

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const char *id = json_string_value(json_object_get(json_array_get(rows, i), "id"));
		const char *name = json_string_value(json_object_get(json_array_get(rows, i), "name"));

		if (id != NULL && name != NULL && strcmp(id, person) == 0)
			return name;
	}
	return "";
}

/* --- every file ------------------------------------------------------------------------------------------------------ */

/* The walk through tile/. */
struct walk {
	struct trail *trail;
	struct findings *findings;
	size_t n_files;
};

/* A narrower tile of an earlier checkpoint: its bytes must still be the beginning of what is there now. */
static enum fault check_older_hashes(struct walk *walk, const struct tile *tile, const uint8_t *data, size_t size,
				     struct refusal *why)
{
	struct tlog_source source = log_reader_source(walk->trail->reader);

	if (size != (size_t)tile->width * SHA256_SIZE)
		return refuse(why, FAULT_LOG_TILE, "%zu bytes, should be %u hashes (C2SP tlog-tiles)", size,
			      tile->width);
	for (unsigned i = 0; i < tile->width; i++) {
		struct sha256 hash;
		enum fault fault = source.read(source.context, (unsigned)tile->level * 8, tile->index * TILE_WIDTH + i,
					       &hash, why);

		if (fault != FAULT_NONE)
			return fault;
		if (memcmp(hash.bytes, data + (size_t)i * SHA256_SIZE, SHA256_SIZE) != 0)
			return refuse(why, FAULT_LOG_DISAGREES, "its hash %u is not the one that is signed now", i);
	}
	return FAULT_NONE;
}

static enum fault check_older_entries(struct walk *walk, const struct tile *tile, const uint8_t *data, size_t size,
				      struct refusal *why)
{
	_cleanup_free_ struct tile_entries *entries = xmalloc(sizeof(*entries));
	enum fault fault = tile_parse_entries(data, size, tile->width, entries, why);

	for (size_t i = 0; fault == FAULT_NONE && i < entries->n_entries; i++) {
		struct tile_entry now;

		fault = log_reader_bytes(walk->trail->reader, tile->index * TILE_WIDTH + i, &now, why);
		if (fault == FAULT_NONE &&
		    (now.size != entries->items[i].size || memcmp(now.data, entries->items[i].data, now.size) != 0))
			fault = refuse(why, FAULT_LOG_ENTRY, "its entry %zu is not the one that is signed now", i);
	}
	return fault;
}

static void check_older(struct walk *walk, const struct tile *tile, const char *path)
{
	_cleanup_free_ uint8_t *data = NULL;
	struct refusal why = {FAULT_NONE, ""};
	size_t size;
	int r = fd_load_file(walk->trail->folder_fd, path, TILE_WIDTH * (LIMIT_LOG_ENTRY_SIZE + 2ULL), &data, &size);

	if (r < 0)
		refuse(&why, FAULT_LOG_TILE, "%s", strerror(-r));
	else if (tile->level == TILE_ENTRIES)
		check_older_entries(walk, tile, data, size, &why);
	else
		check_older_hashes(walk, tile, data, size, &why);
	if (why.fault == FAULT_NONE)
		return;
	refuse_within(&why, "%s", path);
	findings_add(walk->findings, &why);
}

static void check_file(struct walk *walk, const char *path)
{
	uint64_t size = log_reader_head(walk->trail->reader)->size;
	struct tile tile;
	unsigned width;

	walk->n_files++;
	if (!tile_parse_path(path, &tile)) {
		findings_fault(walk->findings, FAULT_LOG_STRAY, "%s: no tile's name (C2SP tlog-tiles)", path);
		return;
	}
	width = tile_width(size, tile.level, tile.index);
	if (tile.width > width)
		findings_note(walk->findings, "%s: ahead of the checkpoint: a write that is under way, or was cut",
			      path);
	else if (tile.width < width)
		check_older(walk, &tile, path);
}

/* bundle/FORMAT.md 21.1. */
static void note_temporary(struct findings *findings, const char *path, const char *name)
{
	findings_note(findings, "%s/%s: a temporary that a crash left, or a write that is under way", path, name);
}

/* tile/, its levels, "x001" in "x002", "067.p": no deeper than the longest name of a tile. */
static void walk_folder(struct walk *walk, const char *path, unsigned depth)
{
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	int r = store_list(walk->trail->folder_fd, path, &names);

	if (r < 0)
		findings_fault(walk->findings, FAULT_LOG_TILE, "%s: cannot be listed: %s", path, strerror(-r));
	for (size_t i = 0; i < names.n_items; i++) {
		char below[STORE_PATH_SIZE];
		struct stat st;

		if (names.items[i][0] == '.') {
			note_temporary(walk->findings, path, names.items[i]);
			continue;
		}
		if ((size_t)snprintf(below, sizeof(below), "%s/%s", path, names.items[i]) >= sizeof(below) ||
		    fstatat(walk->trail->folder_fd, below, &st, AT_SYMLINK_NOFOLLOW) < 0)
			findings_fault(walk->findings, FAULT_LOG_STRAY, "%.200s: does not belong there", below);
		else if (S_ISDIR(st.st_mode) && depth < TILE_LEVELS + 3)
			walk_folder(walk, below, depth + 1);
		else if (S_ISREG(st.st_mode))
			check_file(walk, below);
		else
			findings_fault(walk->findings, FAULT_LOG_STRAY, "%s: not a regular file", below);
	}
}

static void check_top(struct trail *trail, struct findings *findings)
{
	static const char *const known[] = {LOG_CHECKPOINT_NAME, LOG_VERIFIER_NAME, LOG_KEY_NAME, LOG_NEXT_NAME, "tile",
					    PEOPLE_NAME,         "memory.json"};
	_cleanup_(store_names_free) struct store_names names = {NULL, 0};
	int r = store_list(trail->folder_fd, ".", &names);

	if (r < 0)
		findings_fault(findings, FAULT_LOG_TILE, "%s: cannot be listed: %s", trail->path, strerror(-r));
	for (size_t i = 0; i < names.n_items; i++) {
		bool is_known = names.items[i][0] == '.';

		if (is_known)
			note_temporary(findings, ".", names.items[i]);
		for (size_t j = 0; j < ARRAY_SIZE(known); j++)
			is_known |= strcmp(names.items[i], known[j]) == 0;
		if (!is_known)
			findings_fault(findings, FAULT_LOG_STRAY, "%s: does not belong into a log", names.items[i]);
	}
}

bool trail_verify(struct trail *trail, struct findings *findings)
{
	size_t before = findings->n_faults;
	struct walk walk = {trail, findings, 0};
	struct refusal why;

	trail->is_whole = log_reader_verify(trail->reader, &why) == FAULT_NONE;
	if (!trail->is_whole)
		findings_add(findings, &why);
	check_top(trail, findings);
	if (log_reader_head(trail->reader)->size > 0 || fd_exists(trail->folder_fd, "tile"))
		walk_folder(&walk, "tile", 0);
	return findings->n_faults == before;
}

/* --- entries --------------------------------------------------------------------------------------------------------- */

void trail_each(struct trail *trail, uint64_t first, uint64_t end,
		bool (*each)(void *ctx, uint64_t index, const struct log_entry *entry), void *ctx,
		struct findings *findings)
{
	progress_begin("reading the log", end - first, "entries");
	for (uint64_t i = first; i < end; i++) {
		struct log_entry entry;
		struct refusal why;

		if (log_reader_entry(trail->reader, i, &entry, &why) != FAULT_NONE) {
			findings_add(findings, &why);
			return;
		}
		if ((i & 1023) == 0)
			progress_show(i - first);
		if (!each(ctx, i, &entry))
			return;
	}
}

struct range {
	int64_t from, to;
	uint64_t first, end;
	bool found;
};

static bool widen(void *ctx, uint64_t index, const struct log_entry *entry)
{
	struct range *range = ctx;

	if (entry->time < range->from || entry->time > range->to)
		return true;
	if (!range->found)
		range->first = index;
	range->found = true;
	range->end = index + 1;
	return true;
}

void trail_range(struct trail *trail, int64_t from, int64_t to, uint64_t *ret_first, uint64_t *ret_end,
		 struct findings *findings)
{
	struct range range = {.from = from, .to = to};

	trail_each(trail, 0, log_reader_head(trail->reader)->size, widen, &range, findings);
	*ret_first = range.first;
	*ret_end = range.end;
}

/* "…, generation 57": the number behind WORD and a blank; 0 where there is none. */
static uint64_t number_behind(const char *line, const char *word)
{
	const char *at = strstr(line, word);

	return at == NULL ? 0 : strtoull(at + strlen(word), NULL, 10);
}

static bool remember(void *ctx, uint64_t index, const struct log_entry *entry)
{
	struct history *history = ctx;
	bool leaves = strcmp(entry->event, "withdraw") == 0, comes = strcmp(entry->event, "switch") == 0;

	if (index == 0)
		history->first = entry->time;
	history->n_entries = index + 1;
	if (strcmp(entry->event, "expire") == 0 && entry->dataset[0] != '\0' && entry->version[0] != '\0')
		history_delete(history, entry->dataset, entry->version, index, entry->time);
	if (entry->time > history->at)
		return true;
	if (strcmp(entry->event, "trust") == 0 && sha256_from_hex(entry->sha256, &history->timestamp)) {
		history->has_timestamp = true;
		history->timestamp_entry = index;
		history->timestamp_time = entry->time;
		history->root_version = number_behind(entry->line, "root");
	}
	if (!comes && !leaves)
		return true;
	history_set(history, entry->dataset, comes ? entry->version : NULL, index, entry->time);
	if (number_behind(entry->line, "generation") > history->generation) {
		history->generation = number_behind(entry->line, "generation");
		history->generation_time = entry->time;
	}
	return true;
}

void trail_history(struct trail *trail, struct history *history, struct findings *findings)
{
	trail_each(trail, 0, log_reader_head(trail->reader)->size, remember, history, findings);
}

/* --- checkpoints from people ----------------------------------------------------------------------------------------- */

/* A dash as keyboards have it, where a signature line begins with an em dash (C2SP signed-note). */
static size_t dash_size(const char *line)
{
	static const char *const dashes[] = {"\xe2\x80\x94 ", "\xe2\x80\x93 ", "--- ", "-- ", "- "};

	for (size_t i = 0; i < ARRAY_SIZE(dashes); i++)
		if (strncmp(line, dashes[i], strlen(dashes[i])) == 0)
			return strlen(dashes[i]);
	return 0;
}

/* The note again, as it was signed: lines without the blanks that mail and editors put at their ends. TO holds twice DATA and
 * some bytes. Whether there is a signature line. */
static bool tidy_note(char *data, char *to)
{
	bool is_signed = false;
	char *rest = data;

	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		size_t length = strlen(line), dash = dash_size(line);

		while (length > 0 && strchr(" \t\r", line[length - 1]) != NULL)
			line[--length] = '\0';
		/* Behind the signatures an empty line ends it: what is printed there is for people, or a mail's. */
		if (length == 0 && is_signed)
			break;
		if (length == 0)
			continue;
		if (dash > 0 && !is_signed)
			to = stpcpy(to, "\n");
		is_signed |= dash > 0;
		to = stpcpy(to, dash > 0 ? "\xe2\x80\x94 " : "");
		to = stpcpy(stpcpy(to, line + dash), "\n");
	}
	return is_signed;
}

enum fault trail_read_checkpoint(const uint8_t *data, size_t size, const struct note_verifier *verifier,
				 struct checkpoint *ret_checkpoint, bool *ret_signed, struct refusal *why)
{
	_cleanup_free_ char *copy = xmalloc(size + 1), *note = xcalloc(4, size + 8);
	struct checkpoint checkpoint;
	enum fault fault;

	if (memchr(data, '\0', size) != NULL)
		return refuse(why, FAULT_LOG_CHECKPOINT, "is no text");
	memcpy(copy, data, size);
	copy[size] = '\0';
	*ret_signed = tidy_note(copy, note);
	if (*ret_signed)
		return checkpoint_open((uint8_t *)note, strlen(note), verifier, ret_checkpoint, why);
	fault = checkpoint_parse(note, strlen(note), &checkpoint, why);
	if (fault == FAULT_NONE && strcmp(checkpoint.origin, verifier->name) != 0)
		fault = refuse(why, FAULT_LOG_CHECKPOINT, "is of the log \"%s\", the key is of \"%s\"",
			       checkpoint.origin, verifier->name);
	if (fault == FAULT_NONE)
		*ret_checkpoint = checkpoint;
	return fault;
}

bool trail_extends(struct trail *trail, const uint8_t *data, size_t size, const struct trail_keys *keys,
		   struct checkpoint *ret_old, bool *ret_signed, struct findings *findings)
{
	const char *origin = log_reader_head(trail->reader)->origin;
	const struct note_verifier *verifier = &keys->items[0];
	struct refusal why;

	for (size_t i = 0; i < keys->n_items; i++)
		if (strcmp(keys->items[i].name, origin) == 0)
			verifier = &keys->items[i];
	if (trail_read_checkpoint(data, size, verifier, ret_old, ret_signed, &why) == FAULT_NONE &&
	    log_reader_extends(trail->reader, ret_old, NULL, &why) == FAULT_NONE)
		return true;
	refuse_within(&why, "--since");
	findings_add(findings, &why);
	return false;
}
