/* SPDX-License-Identifier: ISC
 *
 * records: what a record must be before anybody uses it. One closed switch over the kinds; below it one check for each
 * shape. Bytes that a kind does not use are never looked at.
 */
#include "inside/records.h"

#include <stddef.h>
#include <string.h>

#include "base/ipc.h"
#include "base/log.h"
#include "base/text.h"
#include "bundle/notation.h"

/* Years 0 to 9999: what notation_parse_time can give. */
#define TIME_MINIMUM (-62167219200LL)
#define TIME_MAXIMUM 253402300799LL
/* The longest duration that a configuration can name, with room: 200 years. */
#define DURATION_MAXIMUM (200LL * 366 * 86400)
/* The metadata files of one import: no single file is larger (limits.h). */
#define METADATA_SIZE_MAXIMUM LIMIT_TARGETS_SIZE

struct record record_new(enum record_kind kind)
{
	struct record record;

	memset(&record, 0, sizeof(record));
	record.kind = kind;
	return record;
}

/* --- alphabets -------------------------------------------------------------------------------------------------------
 */

static bool is_ended(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

/* C0, DEL, the C1 controls, which are U+0080 to U+009F in two bytes, and what reorders a line. */
static bool is_control(const char *at)
{
	unsigned char c = (unsigned char)at[0], next = (unsigned char)at[1];

	return c < 0x20 || c == 0x7f || (c == 0xc2 && next >= 0x80 && next <= 0x9f) || text_is_invisible(at);
}

/* Text for people: ended, UTF-8, nothing that moves a terminal's cursor. May be empty. */
static bool is_printable(const char *text, size_t size)
{
	if (!is_ended(text, size) || !text_is_utf8(text, strlen(text), NULL))
		return false;
	for (const char *at = text; *at != '\0'; at++)
		if (is_control(at))
			return false;
	return true;
}
#define IS_PRINTABLE(array) is_printable((array), sizeof(array))

/* A dataset, or the role that carries status.json. */
static bool is_dataset(const char *text, size_t size)
{
	return is_ended(text, size) && (notation_is_name(text) || strcmp(text, "status") == 0);
}
#define IS_DATASET(array) is_dataset((array), sizeof(array))

static bool is_published_dataset(const char *text, size_t size)
{
	return is_ended(text, size) && notation_is_name(text);
}
#define IS_PUBLISHED_DATASET(array) is_published_dataset((array), sizeof(array))

static bool is_file(const char *text, size_t size)
{
	return is_ended(text, size) && notation_is_file_name(text);
}
#define IS_FILE(array) is_file((array), sizeof(array))
#define IS_FILE_OR_EMPTY(array) ((array)[0] == '\0' || IS_FILE(array))

static bool is_role(const char *text, size_t size)
{
	static const char *const top[] = {"root", "timestamp", "snapshot", "targets"};

	if (is_dataset(text, size))
		return true;
	for (size_t i = 0; is_ended(text, size) && i < sizeof(top) / sizeof(top[0]); i++)
		if (strcmp(text, top[i]) == 0)
			return true;
	return false;
}

bool record_metadata_name(const char *name, char *ret_trust_name, size_t size)
{
	size_t n_digits = strspn(name, "0123456789");
	const char *file = name;
	char role[LIMIT_METADATA_NAME_SIZE];
	size_t length;

	/* A dataset may begin with a digit: a version is digits, without leading zeros, and a dot. */
	if (n_digits > 0 && name[n_digits] == '.') {
		if (name[0] == '0' || n_digits > 16)
			return false;
		file = name + n_digits + 1;
	}
	length = strlen(file);
	if (length <= 5 || strcmp(file + length - 5, ".json") != 0 || !text_copy(role, sizeof(role), file))
		return false;
	role[length - 5] = '\0';
	if (!is_role(role, sizeof(role)) || (file == name) != (strcmp(role, "timestamp") == 0))
		return false;
	return ret_trust_name == NULL || text_copy(ret_trust_name, size, file);
}

static bool is_metadata_name(const char *text, size_t size)
{
	return is_ended(text, size) && record_metadata_name(text, NULL, 0);
}

static bool is_time(int64_t time)
{
	return time >= TIME_MINIMUM && time <= TIME_MAXIMUM;
}

static bool is_duration(int64_t seconds)
{
	return seconds >= 0 && seconds <= DURATION_MAXIMUM;
}

static bool is_version_number(uint64_t version)
{
	return version >= 1 && version <= LIMIT_VERSION;
}

/* --- one check a shape -----------------------------------------------------------------------------------------------
 */

static bool check_end(const struct record_end *end)
{
	return fault_is_known(end->fault) && IS_PRINTABLE(end->line);
}

static bool check_member(const struct record_member *member)
{
	char hex[SHA256_HEX_SIZE];

	if (member->is_blob > 1 || !IS_FILE(member->name))
		return false;
	if (!member->is_blob)
		return member->size <= METADATA_SIZE_MAXIMUM;
	notation_hex(member->sha256.bytes, SHA256_SIZE, hex);
	return strcmp(hex, member->name) == 0 && member->size <= LIMIT_PART_SIZE;
}

static bool check_clock(const struct record_clock *clock)
{
	for (size_t i = 0; i < RECORD_KINDS; i++)
		if (!is_duration(clock->max_validity[i]) || clock->schemes[i] >= 1U << RECORD_SCHEMES)
			return false;
	return is_time(clock->now) && is_duration(clock->clock_skew);
}

static bool check_metadata(const struct record_metadata *metadata)
{
	return is_metadata_name(metadata->name, sizeof(metadata->name)) &&
	       is_role(metadata->role, sizeof(metadata->role)) && is_version_number(metadata->version) &&
	       metadata->size >= 1 && metadata->size <= METADATA_SIZE_MAXIMUM;
}

static bool check_trust(const struct record_trust *trust)
{
	return trust->root_version <= LIMIT_VERSION && trust->timestamp_version <= LIMIT_VERSION &&
	       trust->snapshot_version <= LIMIT_VERSION && trust->targets_version <= LIMIT_VERSION &&
	       is_time(trust->issued) && is_time(trust->root_expires) && is_time(trust->timestamp_expires) &&
	       is_time(trust->snapshot_expires) && is_time(trust->targets_expires);
}

static bool check_role(const struct record_role *role)
{
	return IS_DATASET(role->name) && IS_FILE_OR_EMPTY(role->file_name) && role->role_version <= LIMIT_VERSION &&
	       role->threshold <= LIMIT_KEYS && fault_is_known(role->fault) && is_time(role->expires) &&
	       IS_PRINTABLE(role->line) && role->is_withdrawn <= 1 && role->n_targets <= LIMIT_TARGETS_PER_ROLE &&
	       role->metadata_size <= LIMIT_ROLE_SIZE;
}

/* Compared by hand: bundle/hash would link libcrypto into inside-log. */
static bool check_target(const struct record_target *target)
{
	static const struct sha256 zero;
	bool is_known = IS_DATASET(target->dataset) && IS_FILE(target->file) && target->length <= LIMIT_PLAIN_SIZE &&
			target->n_parts <= LIMIT_PARTS;

	if (target->is_patch == 0)
		return is_known && memcmp(&target->base_sha256, &zero, SHA256_SIZE) == 0 && target->base_length == 0 &&
		       target->n_base_parts == 0;
	return is_known && target->is_patch == 1 && target->n_parts >= 1 && target->base_length <= LIMIT_PLAIN_SIZE &&
	       target->n_base_parts >= 1 && target->n_base_parts <= LIMIT_PARTS &&
	       memcmp(&target->base_sha256, &target->sha256, SHA256_SIZE) != 0;
}

static bool check_contract(const struct record_contract *contract)
{
	return IS_FILE(contract->application);
}

static bool check_facts(const struct record_facts *facts)
{
	return IS_PRINTABLE(facts->title) && IS_PRINTABLE(facts->created) &&
	       (facts->replaced_by[0] == '\0' || IS_PUBLISHED_DATASET(facts->replaced_by)) &&
	       facts->n_resources <= LIMIT_TARGETS_PER_ROLE && facts->has_opaque <= 1;
}

static bool check_resource(const struct record_resource *resource)
{
	return IS_DATASET(resource->name) && resource->rows <= LIMIT_ROWS && IS_PRINTABLE(resource->published_hash);
}

static bool check_break(const struct record_break *break_)
{
	bool application = IS_FILE_OR_EMPTY(break_->application) ||
			   (IS_PRINTABLE(break_->application) && strcmp(break_->application, "*") == 0);

	return break_->fault != FAULT_NONE && fault_is_known(break_->fault) && break_->can_be_approved <= 1 &&
	       application && IS_FILE_OR_EMPTY(break_->resource) && IS_PRINTABLE(break_->field) &&
	       IS_PRINTABLE(break_->rule) && IS_PRINTABLE(break_->line) && IS_PRINTABLE(break_->was) &&
	       IS_PRINTABLE(break_->is) && IS_PRINTABLE(break_->value) && break_->row <= LIMIT_ROWS + 1;
}

static bool check_refers(const struct record_refers *refers)
{
	return IS_PUBLISHED_DATASET(refers->resource) && IS_PUBLISHED_DATASET(refers->dataset) &&
	       IS_PUBLISHED_DATASET(refers->table);
}

static bool check_tolerated(const struct record_tolerated *tolerated)
{
	return IS_PUBLISHED_DATASET(tolerated->resource) && IS_PRINTABLE(tolerated->field) &&
	       tolerated->rule[0] != '\0' && IS_PRINTABLE(tolerated->rule) && tolerated->count >= 1 &&
	       tolerated->count <= LIMIT_VERSION;
}

static bool check_source(const struct record_source *source)
{
	bool state = is_ended(source->state, sizeof(source->state)) &&
		     (strcmp(source->state, "unchanged") == 0 || strcmp(source->state, "new") == 0 ||
		      strcmp(source->state, "failed") == 0);

	return IS_PUBLISHED_DATASET(source->dataset) && state && is_time(source->checked) &&
	       is_time(source->succeeded) && is_time(source->since) && is_duration(source->max_age) &&
	       IS_PRINTABLE(source->line);
}

static bool check_put_metadata(const struct record_put *put)
{
	return is_metadata_name(put->file, sizeof(put->file)) && put->size >= 1 && put->size <= METADATA_SIZE_MAXIMUM;
}

static bool check_put_file(const struct record_put *put)
{
	return IS_DATASET(put->dataset) && IS_FILE(put->file) && put->size <= LIMIT_PLAIN_SIZE && put->is_shared <= 1;
}

static bool check_document(const struct record_document *document)
{
	bool of_version = document->document == DOCUMENT_VERDICT || document->document == DOCUMENT_REPORT ||
			  document->document == DOCUMENT_HISTORY;

	return document->document < DOCUMENT_N && document->size <= LIMIT_JSON_SIZE &&
	       (!of_version || IS_PUBLISHED_DATASET(document->dataset));
}

/* TEXT is ended, and of the bytes ALPHABET alone. */
static bool is_of(const char *text, size_t size, const char *alphabet)
{
	return is_ended(text, size) && strspn(text, alphabet) == strlen(text);
}
#define IS_OF(array, alphabet) is_of((array), sizeof(array), (alphabet))

/* The texts of an entry of the log (bundle/FORMAT.md 21.6). */
static bool check_event(const struct record_event *event)
{
	size_t version = strnlen(event->version, sizeof(event->version));

	return is_time(event->time) && fault_is_known(event->fault) && event->event[0] >= 'a' &&
	       IS_OF(event->event, "abcdefghijklmnopqrstuvwxyz-") &&
	       (event->dataset[0] == '\0' || IS_DATASET(event->dataset)) && (version == 0 || version == 16) &&
	       IS_OF(event->version, "0123456789abcdef") &&
	       (event->person[0] == '\0' || (event->person[0] == 'p' && event->person[1] >= '1' &&
					     is_of(event->person + 1, sizeof(event->person) - 1, "0123456789"))) &&
	       event->has_sha256 <= 1 && IS_PRINTABLE(event->line);
}

/* What the supervisor orders from inside-commit. */
static bool check_order(const struct record *record)
{
	switch ((enum record_kind)record->kind) {
	case RECORD_PUT_METADATA:
	case RECORD_PUT_TRUST:
		return check_put_metadata(&record->put);
	case RECORD_PUT_BLOB:
	case RECORD_DELETE_BLOB:
		return record->put.size <= LIMIT_PART_SIZE;
	case RECORD_PUT_ROWS:
		return IS_PUBLISHED_DATASET(record->put.dataset) && record->put.size <= LIMIT_PLAIN_SIZE;
	case RECORD_PUT_OBJECT:
	case RECORD_PUT_LINK:
	case RECORD_KEEP_OBJECT:
		return check_put_file(&record->put);
	case RECORD_PUT_DOCUMENT:
		return check_document(&record->document);
	case RECORD_GENERATION:
	case RECORD_SWITCH:
	case RECORD_DELETE_GENERATION:
		return is_version_number(record->generation.number);
	case RECORD_DELETE_PLAIN:
	case RECORD_DELETE_HISTORY:
	case RECORD_GENERATION_DATASET:
		return IS_PUBLISHED_DATASET(record->version.dataset);
	case RECORD_DELETE_VERSION:
		return IS_DATASET(record->version.dataset);
	default:
		return false;
	}
}

/* What check found. */
static bool check_found(const struct record *record)
{
	switch ((enum record_kind)record->kind) {
	case RECORD_FACTS:
		return check_facts(&record->facts);
	case RECORD_LICENCE:
		return record->licence.name[0] != '\0' && IS_PRINTABLE(record->licence.name);
	case RECORD_RESOURCE:
		return check_resource(&record->resource);
	case RECORD_REFERS:
		return check_refers(&record->refers);
	case RECORD_BREAK:
		return check_break(&record->break_);
	case RECORD_SOURCE:
		return check_source(&record->source);
	case RECORD_TOLERATED:
		return check_tolerated(&record->tolerated);
	default:
		return false;
	}
}

bool record_check(const struct record *record)
{
	if (record->kind >= RECORD_KIND_N || record->reserved != 0)
		return false;
	switch ((enum record_kind)record->kind) {
	case RECORD_GO:
	case RECORD_BUNDLE:
	case RECORD_REPORT:
	case RECORD_SYNC:
	case RECORD_DATABASE:
	case RECORD_ROWS_OLD:
	case RECORD_GOOD: /* two digests */
		return true;
	case RECORD_SPILL:
		return record->spill.memory >= LIMIT_KEY_MEMORY_MIN && record->spill.memory <= LIMIT_KEY_MEMORY_MAX;
	case RECORD_END:
		return check_end(&record->end);
	case RECORD_FOLDER:
		return record->folder.folder <= FOLDER_LOG;
	case RECORD_MEMBER:
		return check_member(&record->member);
	case RECORD_CLOCK:
		return check_clock(&record->clock);
	case RECORD_METADATA:
		return check_metadata(&record->metadata);
	case RECORD_TRUST:
		return check_trust(&record->trust);
	case RECORD_ROLE:
		return check_role(&record->role);
	case RECORD_TARGET:
	case RECORD_OBJECT:
	case RECORD_PLAIN:
	case RECORD_TABLE:
	case RECORD_BASE:
	case RECORD_BASE_OUTPUT:
		return check_target(&record->target);
	case RECORD_PART:
	case RECORD_BASE_PART:
		return record->part.index < LIMIT_PARTS && record->part.length <= LIMIT_PART_SIZE;
	case RECORD_VERSION:
	case RECORD_IN_FORCE:
	case RECORD_RESOLVE:
	case RECORD_REFERENCE:
	case RECORD_REBUILD:
	case RECORD_ROWS:
		return IS_DATASET(record->version.dataset);
	case RECORD_CONTRACT:
		return check_contract(&record->contract);
	case RECORD_EVENT:
		return check_event(&record->event);
	default: /* RECORD_NONE, what check found and what commit is told: closed there */
		return check_found(record) || check_order(record);
	}
}

/* --- sending and receiving -------------------------------------------------------------------------------------------
 */

/* Length of the well-formed character at AT that prints, 0 where there is none. */
static size_t printable_length(const char *at, size_t left)
{
	if (is_control(at))
		return 0;
	for (size_t length = 1; length <= 4 && length <= left; length++)
		if (text_is_utf8(at, length, NULL))
			return length;
	return 0;
}

void record_text(char *to, size_t to_size, const char *source)
{
	size_t left = strlen(source), used = 0;

	while (left > 0) {
		size_t length = printable_length(source, left);
		char escaped[5] = "\\x";
		const char *piece = source;
		size_t piece_length = length;

		if (length == 0) {
			notation_hex(source, 1, escaped + 2);
			piece = escaped;
			piece_length = 4;
			length = 1;
		}
		if (used + piece_length >= to_size)
			break;
		memcpy(to + used, piece, piece_length);
		used += piece_length;
		source += length;
		left -= length;
	}
	memset(to + used, 0, to_size - used);
}

/* Escapes what does not print in one free text of a record. */
static void clean(char *text, size_t size)
{
	char copy[FAULT_LINE_SIZE];

	text[size - 1] = '\0';
	if (is_printable(text, size) || size > sizeof(copy))
		return;
	memcpy(copy, text, size);
	record_text(text, size, copy);
}
#define CLEAN(array) clean((array), sizeof(array))

/* Texts that came from data may hold anything (a column's name, half a character where a line was cut); on the socket
 * they print. */
static void record_clean(struct record *record)
{
	switch ((enum record_kind)record->kind) {
	case RECORD_END:
		CLEAN(record->end.line);
		break;
	case RECORD_ROLE:
		CLEAN(record->role.line);
		break;
	case RECORD_FACTS:
		CLEAN(record->facts.title);
		CLEAN(record->facts.created);
		break;
	case RECORD_LICENCE:
		CLEAN(record->licence.name);
		break;
	case RECORD_RESOURCE:
		CLEAN(record->resource.published_hash);
		break;
	case RECORD_BREAK:
		CLEAN(record->break_.field);
		CLEAN(record->break_.rule);
		CLEAN(record->break_.line);
		CLEAN(record->break_.was);
		CLEAN(record->break_.is);
		CLEAN(record->break_.value);
		break;
	case RECORD_SOURCE:
		CLEAN(record->source.line);
		break;
	case RECORD_TOLERATED:
		CLEAN(record->tolerated.field);
		CLEAN(record->tolerated.rule);
		break;
	case RECORD_EVENT:
		CLEAN(record->event.line);
		break;
	default:
		break;
	}
}

struct record record_end(const struct refusal *why)
{
	struct record record = record_new(RECORD_END);

	if (why == NULL || why->fault == FAULT_NONE)
		return record;
	record.end.fault = why->fault;
	record_text(record.end.line, sizeof(record.end.line), why->line);
	return record;
}

enum fault record_end_fault(const struct record *record, struct refusal *why)
{
	if (record->end.fault == FAULT_NONE)
		return FAULT_NONE;
	return refuse(why, (enum fault)record->end.fault, "%s", record->end.line);
}

void record_receive(int sock, struct record *ret_record, int *ret_fd)
{
	int r = ipc_receive(sock, ret_record, sizeof(*ret_record), ret_fd);

	if (r == 0)
		die("the supervisor is gone");
	if (r < 0)
		die("the supervisor's socket: %s", strerror(-r));
	if (!record_check(ret_record))
		die("the supervisor sent a record (kind %u) that is out of form", ret_record->kind);
}

void record_send(int sock, const struct record *record, int fd)
{
	struct record copy = *record;
	int r;

	record_clean(&copy);
	if (!record_check(&copy))
		die("a record (kind %u) of our own is out of form", copy.kind);
	r = ipc_send(sock, &copy, sizeof(copy), fd);
	if (r < 0)
		die("the supervisor's socket: %s", strerror(-r));
}
