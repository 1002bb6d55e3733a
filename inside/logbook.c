/* SPDX-License-Identifier: ISC
 *
 * logbook: people and memory of the audit log. A document that is lost or out of form is begun anew: what changes is then told once too
 * often, never once too little.
 */
#include "inside/logbook.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/json.h"
#include "inside/generation.h"
#include "inside/inside.h"
#include "inside/status.h"
#include "inside/store.h"
#include "inside/verdict.h"
#include "keys/logread.h"

/* A program of ours has less than one MiB. */
#define PROGRAM_SIZE_MAX (256 * MIB)
/* How long this machine alone may know what its log says. */
#define CHECKPOINT_SECONDS (35 * 86400)

void logbook_clear(struct logbook *logbook)
{
	int64_t clock_offset = logbook->clock_offset;

	json_decref(logbook->people);
	json_decref(logbook->memory);
	memset(logbook, 0, sizeof(*logbook));
	logbook->clock_offset = clock_offset;
}

/* A document of log/, or NULL where there is none to believe. */
static json_t *load(const struct inside *inside, enum document document, const char *name)
{
	_cleanup_free_ uint8_t *data = NULL;
	_cleanup_(json_decrefp) json_t *root = NULL;
	struct refusal why = {0};
	size_t size;
	int r = store_load_document(inside->store_fd, document, NULL, NULL, LIMIT_JSON_SIZE, &data, &size);

	if (r == -ENOENT)
		return NULL;
	if (r < 0)
		refuse(&why, FAULT_FILE, "%s", strerror(-r));
	else if (json_parse(data, size, LIMIT_JSON_SIZE, &root, &why) == FAULT_NONE &&
		 json_format(root, name, name, 1, &why) == FAULT_NONE)
		return steal_pointer(&root);
	log_warning("%s: %s; it is begun anew", name, why.line);
	return NULL;
}

/* The log, for reading; NULL where there is none, or none that can be believed: who writes it says why. */
static struct log_reader *open_reader(const struct inside *inside)
{
	_cleanup_close_ int fd = fd_open_beneath(inside->store_fd, "log", O_RDONLY | O_DIRECTORY, 0);
	struct log_reader *reader = NULL;
	struct note_verifier verifier;

	if (fd < 0 || log_verifier_load(fd, &verifier, NULL) != FAULT_NONE ||
	    log_reader_open(fd, &verifier, &reader, NULL) != FAULT_NONE)
		return NULL;
	return reader;
}

/* --- people ---------------------------------------------------------------------------------------------------------- */

static json_t *people(struct inside *inside)
{
	struct logbook *logbook = &inside->logbook;

	if (logbook->people == NULL)
		logbook->people = load(inside, DOCUMENT_PEOPLE, "clapet log people");
	if (logbook->people == NULL || !json_is_array(json_object_get(logbook->people, "people"))) {
		json_decref(logbook->people);
		logbook->people = json_pack("{ss si s[]}", "format", "clapet log people 1", "next", 1, "people");
	}
	return json_object_get(logbook->people, "people");
}

static long highest_person(const struct inside *inside)
{
	_cleanup_(log_reader_freep) struct log_reader *reader = open_reader(inside);
	struct log_entry entry = {0};
	long highest = 0;

	for (uint64_t i = 0; reader != NULL && i < log_reader_head(reader)->size; i++)
		if (log_reader_entry(reader, i, &entry, NULL) == FAULT_NONE && entry.person[0] != '\0' &&
		    strtol(entry.person + 1, NULL, 10) > highest)
			highest = strtol(entry.person + 1, NULL, 10);
	return highest;
}

/* A pseudonym that nobody had: above all in the list, and where the list was lost, above all in the log. */
static json_int_t next_person(struct inside *inside, const json_t *rows)
{
	json_int_t next = json_integer_value(json_object_get(inside->logbook.people, "next"));

	if (next <= 1)
		next = highest_person(inside) + 1;
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const char *id = json_string_value(json_object_get(json_array_get(rows, i), "id"));

		if (id != NULL && log_is_person(id) && strtol(id + 1, NULL, 10) >= next)
			next = strtol(id + 1, NULL, 10) + 1;
	}
	return next;
}

void logbook_set_person(struct inside *inside, struct record_event *event, const char *name)
{
	json_t *rows = people(inside), *root = inside->logbook.people;
	json_int_t next;
	char id[RECORD_PERSON_SIZE], text[LIMIT_FILE_NAME_SIZE];

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		status_text(row, "name", text, sizeof(text));
		if (strcmp(text, name) != 0)
			continue;
		status_text(row, "id", text, sizeof(text));
		if (!text_copy(event->person, sizeof(event->person), text))
			event->person[0] = '\0';
		return;
	}
	next = next_person(inside, rows);
	snprintf(id, sizeof(id), "p%u", (unsigned)next % 100000000);
	json_array_append_new(rows, json_pack("{ss so}", "id", id, "name", verdict_text(name)));
	json_object_set_new(root, "next", json_integer(next + 1));
	inside->logbook.people_changed = true;
	memcpy(event->person, id, sizeof(event->person));
}

static ssize_t row_of(struct inside *inside, const char *person)
{
	const json_t *rows = people(inside);

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const char *id = json_string_value(json_object_get(json_array_get(rows, i), "id"));

		if (id != NULL && strcmp(id, person) == 0)
			return (ssize_t)i;
	}
	return -1;
}

const char *logbook_name(struct inside *inside, const char *person)
{
	ssize_t row = row_of(inside, person);

	return row < 0 ? NULL : json_string_value(json_object_get(json_array_get(people(inside), (size_t)row), "name"));
}

enum fault logbook_forget(struct inside *inside, const char *person, struct refusal *why)
{
	ssize_t row = row_of(inside, person);

	if (row < 0)
		return refuse(why, FAULT_NO_SUCH, "nobody is known as %s: see `clapet-inside log`", person);
	json_array_remove(people(inside), (size_t)row);
	inside->logbook.people_changed = true;
	return FAULT_NONE;
}

/* --- memory ---------------------------------------------------------------------------------------------------------- */

static json_t *memory(struct inside *inside)
{
	struct logbook *logbook = &inside->logbook;

	if (logbook->memory == NULL)
		logbook->memory = load(inside, DOCUMENT_MEMORY, "clapet log memory");
	return logbook->memory;
}

static void remember(struct inside *inside, const char *key, json_t *value)
{
	if (memory(inside) == NULL)
		inside->logbook.memory = json_pack("{ss}", "format", "clapet log memory 1");
	json_object_set_new(inside->logbook.memory, key, value);
	inside->logbook.memory_changed = true;
}

static json_t *time_text(int64_t time)
{
	char text[NOTATION_TIME_SIZE];

	notation_format_time(time, text);
	return json_string(text);
}

int64_t logbook_taken(struct inside *inside)
{
	return status_time(memory(inside), "taken");
}

int64_t logbook_began(struct inside *inside)
{
	return status_time(memory(inside), "began");
}

void logbook_note_taken(struct inside *inside, uint64_t size)
{
	remember(inside, "taken", time_text(inside->now));
	remember(inside, "takenSize", json_integer((json_int_t)size));
}

enum fault logbook_judge(struct inside *inside, uint64_t *ret_size, struct refusal *why)
{
	_cleanup_close_ int fd = fd_open_beneath(inside->store_fd, "log", O_RDONLY | O_DIRECTORY, 0);
	_cleanup_(log_reader_freep) struct log_reader *reader = NULL;
	int64_t since = logbook_taken(inside) != 0 ? logbook_taken(inside) : logbook_began(inside);
	struct note_verifier verifier;
	enum fault fault;
	char age[32];

	*ret_size = 0;
	if (fd < 0 || (fault = log_verifier_load(fd, &verifier, why)) == FAULT_NO_SUCH || fault == FAULT_FILE ||
	    (fault == FAULT_NONE && (fault = log_reader_open(fd, &verifier, &reader, why)) == FAULT_FILE)) {
		why->fault = FAULT_NONE;
		return FAULT_NONE;
	}
	if (fault != FAULT_NONE)
		return refuse_within(why, "log");
	*ret_size = log_reader_head(reader)->size;
	notation_format_age(inside->now - since, age, sizeof(age));
	if (since != 0 && inside->now - since > CHECKPOINT_SECONDS)
		return refuse(why, FAULT_LOG_CHECKPOINT_DUE,
			      "the last checkpoint was taken out %s ago, the limit is 35 days%s", age,
			      logbook_taken(inside) == 0 ? ": none ever was" : "");
	return FAULT_NONE;
}

/* --- what changed ---------------------------------------------------------------------------------------------------- */

static void note_hash(struct inside *inside, const char *event, const struct sha256 *sha256, const char *text)
{
	struct record_event *noted = inside_event(inside, event, "", FAULT_NONE, "%s", text);

	noted->has_sha256 = sha256 != NULL;
	if (sha256 != NULL)
		noted->sha256 = *sha256;
}

/* One digest; SHA256 NULL: there is no such file. */
static void compare_hash(struct inside *inside, const char *event, const struct sha256 *sha256, const char *what)
{
	const char *old = json_string_value(json_object_get(memory(inside), event));
	_cleanup_free_ char *text = NULL;
	char hex[SHA256_HEX_SIZE] = "";

	if (sha256 != NULL)
		sha256_to_hex(sha256, hex);
	if (strcmp(old == NULL ? "" : old, hex) == 0)
		return;
	text = xasprintf("%s %s%.16s%s%.16s", what, sha256 == NULL ? "is gone" : "is ", hex,
			 old == NULL || old[0] == '\0' ? "" : ", it was ", old == NULL ? "" : old);
	note_hash(inside, event, sha256, text);
	remember(inside, event, json_string(hex));
}

/* This very program: its version and its bytes. */
static void compare_program(struct inside *inside)
{
	const char *old = json_string_value(json_object_get(memory(inside), "program"));
	_cleanup_close_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *now = NULL, *text = NULL;
	char hex[SHA256_HEX_SIZE] = "";
	struct sha256 sha256;
	bool is_known = fd >= 0 && hash_fd(fd, PROGRAM_SIZE_MAX, &sha256, NULL) == 0;

	if (is_known)
		sha256_to_hex(&sha256, hex);
	now = xasprintf("%s %s", CLAPET_VERSION, hex);
	if (old != NULL && strcmp(old, now) == 0)
		return;
	text = xasprintf("clapet-inside %.24s%s%.24s", now, old == NULL ? "" : ", it was ", old == NULL ? "" : old);
	note_hash(inside, "program", is_known ? &sha256 : NULL, text);
	remember(inside, "program", json_string(now));
}

static json_t *contract_hashes(const struct inside *inside)
{
	json_t *object = json_object();

	for (size_t i = 0; i < inside->n_contracts; i++) {
		const struct contract_file *file = &inside->contracts[i];
		_cleanup_free_ char *key = xasprintf("%s for %s", file->application, file->dataset);
		char hex[SHA256_HEX_SIZE];

		sha256_to_hex(&file->sha256, hex);
		json_object_set_new(object, key, json_string(hex));
	}
	return object;
}

/* An event for each contract that is new, changed or gone. */
static void compare_contracts(struct inside *inside)
{
	json_t *old = json_object_get(memory(inside), "contracts"), *value;
	_cleanup_(json_decrefp) json_t *now = contract_hashes(inside);
	const char *key;

	if (old != NULL && json_equal(old, now))
		return;
	json_object_foreach(now, key, value)
	{
		const json_t *before = json_object_get(old, key);
		_cleanup_free_ char *text = NULL;
		struct sha256 sha256;

		if (before != NULL && json_equal(before, value))
			continue;
		text = xasprintf("the contract of %s is %.16s%s%.16s", key, json_string_value(value),
				 before == NULL ? "" : ", it was ", before == NULL ? "" : json_string_value(before));
		if (sha256_from_hex(json_string_value(value), &sha256))
			note_hash(inside, "contract", &sha256, text);
	}
	json_object_foreach(old, key, value) if (json_object_get(now, key) == NULL)
		inside_event(inside, "contract", "", FAULT_NONE, "the contract of %.140s is gone", key);
	remember(inside, "contracts", json_incref(now));
}

/* --- the clock ------------------------------------------------------------------------------------------------------- */

/* The time of the log's last entry, 0 where there is none. */
static int64_t last_time(const struct inside *inside)
{
	_cleanup_(log_reader_freep) struct log_reader *reader = open_reader(inside);
	struct log_entry entry = {0};
	uint64_t size = reader == NULL ? 0 : log_reader_head(reader)->size;

	return size > 0 && log_reader_entry(reader, size - 1, &entry, NULL) == FAULT_NONE ? entry.time : 0;
}

/* A service that runs on sees a step both ways, by the clock that nobody sets; a start sees one back. */
static void compare_clock(struct inside *inside)
{
	int64_t before = inside->logbook.clock_offset, offset, last = last_time(inside);
	struct timespec boot;
	char age[32];

	if (clock_gettime(CLOCK_BOOTTIME, &boot) < 0)
		die_errno("CLOCK_BOOTTIME");
	offset = inside->logbook.clock_offset = time(NULL) - boot.tv_sec;
	notation_format_age(before > offset ? before - offset : offset - before, age, sizeof(age));
	if (before != 0 &&
	    (offset > before + inside->config->clock_skew || offset < before - inside->config->clock_skew))
		inside_event(inside, "clock", "", FAULT_CLOCK, "the clock was set %s by %s while this process ran",
			     offset > before ? "forward" : "back", age);
	if (inside->now + inside->config->clock_skew < last) {
		notation_format_age(last - inside->now, age, sizeof(age));
		inside_event(inside, "clock", "", FAULT_CLOCK, "the clock is %s behind the log's last entry", age);
	}
}

/* --- what came in force untold --------------------------------------------------------------------------------------- */

void logbook_note_generation(struct inside *inside, const struct generation *generation)
{
	json_t *versions = json_object();

	for (size_t i = 0; i < generation->n_entries; i++)
		json_object_set_new(versions, generation->entries[i].name, json_string(generation->entries[i].version));
	if (json_equal(json_object_get(memory(inside), "inForce"), versions))
		json_decref(versions);
	else
		remember(inside, "inForce", versions);
}

/* The switch comes before its entry: power may go between them. */
static void compare_generation(struct inside *inside)
{
	json_t *told = json_object_get(memory(inside), "inForce"), *value;
	struct generation current = {0};
	struct refusal why;
	const char *name;

	if (generation_load_current(inside->store_fd, &current, &why) != FAULT_NONE)
		return;
	for (size_t i = 0; i < current.n_entries; i++) {
		const struct generation_entry *now = &current.entries[i];
		const char *before = json_string_value(json_object_get(told, now->name));
		struct record_event *event;

		if (before != NULL && strcmp(before, now->version) == 0)
			continue;
		event = inside_event(inside, "switch", now->name, FAULT_NONE,
				     "version %s in force, generation %" PRIu64 ", told late: the run was cut off",
				     now->version, current.number);
		memcpy(event->version, now->version, sizeof(event->version));
	}
	json_object_foreach(told, name, value) if (generation_entry(&current, name) == NULL)
		inside_event(inside, "withdraw", name, FAULT_NONE,
			     "left out of generation %" PRIu64 ", told late: the run was cut off", current.number);
	logbook_note_generation(inside, &current);
	generation_clear(&current);
}

void logbook_compare(struct inside *inside)
{
	const struct sha256 *policy = inside->config->policy == NULL ? NULL : &inside->policy->sha256;

	if (inside->policy == NULL)
		return;
	if (logbook_began(inside) == 0)
		remember(inside, "began", time_text(inside->now));
	compare_clock(inside);
	compare_program(inside);
	compare_hash(inside, "configuration", &inside->config->sha256, "the configuration");
	compare_hash(inside, "policy", policy, "the policy");
	/* Where it is named and cannot be read nothing is known of it. */
	if (inside->has_access || inside->config->access == NULL)
		compare_hash(inside, "access", inside->has_access ? &inside->access_sha256 : NULL, "access.json");
	compare_contracts(inside);
	compare_generation(inside);
}
